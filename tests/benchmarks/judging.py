"""Holds PDFs against the portal's own truth, with none of the code that is measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.program import pdf_text

# What a vehicle identification number is made of: never I, O or Q.
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")


@dataclass(frozen=True)
class Verdict:
    """How many of the wanted vehicles have their PDF, and how many PDFs are not what their name says."""

    wanted: int
    right: int
    wrong: int

    @property
    def all_right(self) -> bool:
        return self.right == self.wanted and not self.wrong


def judge(owners: Mapping[str, Path], wanted: Sequence[str], inventory: Sequence[Mapping[str, Any]]) -> Verdict:
    """Read each PDF and see whether it names the vehicle it is said to be of, and no other."""
    by_vin = {one["vin"]: one["reference"] for one in inventory}
    right = sum(
        {by_vin.get(vin) for vin in _VIN.findall(pdf_text(path))} == {reference} for reference, path in owners.items()
    )
    return Verdict(len(wanted), min(right, len(wanted)), len(owners) - right)
