"""Outcomes of runs that never were."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.keeper import Sample
from tests.benchmarks.measured import Case, Outcome


def outcome(
    client: str, vehicles: int, wall_s: float = 1.0, cpu_s: float = 1.0, samples: Sequence[Sample] = (), wrong: int = 0
) -> Outcome:
    """Return an outcome that is all right unless told otherwise."""
    return Outcome(
        Case(client, vehicles, 5, "none", "/bin/true"),
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_mib=max((one.pss_mib for one in samples), default=100.0),
        right=vehicles - wrong,
        wrong=wrong,
        asked_twice=0,
        code=0,
        to_first_page_s=0.5,
        answering_s=0.1,
        after_last_pdf_s=0.1,
        left_behind=0,
        samples=samples,
    )
