"""What a client's process is told, as a JSON file whose path is its one argument, and the portal's names it needs.

Nothing of ``jdp_scraper`` is imported: another client must not pay for this project's imports.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SIGN_IN = "/ValuesOnline/Home/LicenseAgreement?ReturnUrl=/ValuesOnline/"
GRID = "/ValuesOnline/vehicle/"
ROW = "tr[id*='DXDataRow']"
LINK = "a[id^='bookOutButton_'][title='Bookout']"
REPORTS = "button.reportButton:not(.requiresVehicle)"
USER = PASSWORD = "demo"


@dataclass(frozen=True)
class Order:
    """Where to fetch which reports from, on how many pages, into which folder, with which browser's program."""

    url: str
    references: Sequence[str]
    pages: int
    out: str
    browser: str

    def save(self, path: Path) -> None:
        """Write it for the client's process."""
        path.write_text(json.dumps(asdict(self)), "ascii")

    @classmethod
    def from_arguments(cls) -> Order:
        """Read the file that the command line names."""
        return cls(**json.loads(Path(sys.argv[1]).read_text("ascii")))

    def pdf(self, reference: str) -> Path:
        """Return where a vehicle's report belongs."""
        return Path(self.out) / f"{reference}.pdf"

    @property
    def headless_shell(self) -> bool:
        """Tell whether the browser is the headless shell, which has no viewer for PDFs."""
        return "headless" in Path(self.browser).name
