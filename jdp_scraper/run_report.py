"""What the end of a start tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jdp_scraper.checkpoint.run_folder import RunFolder


@dataclass(slots=True)
class RunReport:
    """Counts of one start, and of the run as a whole; ``failed`` is key to reason, ``seconds`` the start's length.

    ``begun`` tells whether the start came as far as having a browser, or to say that there is nothing to do.
    ``others_left`` counts what is left of the run's goal beside what this start was asked for.
    ``flagged`` is key to what the vehicle's PDF holds beside its pages, and ``without_text`` counts the PDFs that were
    proven by how they came, both of all that is done.
    """

    folder: RunFolder | None = None
    begun: bool = False
    wanted: int = 0
    done: int = 0
    others_left: int = 0
    fetched: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    sign_ins: int = 0
    signed_out: bool = True
    pages_replaced: int = 0
    browsers_replaced: int = 0
    steps: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    flagged: dict[str, str] = field(default_factory=dict)
    without_text: int = 0
    narrowed_after: int | None = None
    pauses: dict[str, tuple[int, float]] = field(default_factory=dict)

    def totals(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "wanted": self.wanted,
            "done": self.done,
            "fetched": self.fetched,
            "failed": len(self.failed),
            "flagged": len(self.flagged),
            "without_text": self.without_text,
            "seconds": round(self.seconds, 3),
            "sign_ins": self.sign_ins,
            "signed_out": self.signed_out,
            "pages_replaced": self.pages_replaced,
            "browsers_replaced": self.browsers_replaced,
        }
