"""All that the sites, the faults and the control API share."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import jinja2

from .account import Desk, new_secret
from .fault_table import BY_CHANCE, KINDS
from .faults import FaultBook
from .latency import Latency
from .ledger import Ledger
from .lot import Lot, Vehicle
from .options import DemoOptions
from .report_pdf import ReportPress
from .scene import Scene

TEMPLATES = Path(__file__).parent / "templates"
_LOT_FIELDS = ("vehicles", "seed", "duplicates", "blank_references", "references")
# As many report addresses as a long run can have open; older ones are forgotten, as a server would.
_REPORTS_KEPT = 50_000


class Portal:
    """One running portal: options, lot, account, ledger, faults and reports."""

    def __init__(self, options: DemoOptions) -> None:
        self.options = options
        self.lot = Lot(options)
        self.desk = Desk(lambda: self.options)
        self.ledger = Ledger()
        self.latency = Latency(options.seed)
        self.press = ReportPress(options.seed, options.site)
        self.faults = FaultBook({name: kind.points for name, kind in KINDS.items()}, BY_CHANCE, options.seed)
        self.faults.set_rates(options.fault_rate)
        self._reports: dict[str, Vehicle] = {}
        self._creates: deque[float] = deque()
        # All files are read here, so that nothing reads from disk once requests are served.
        sources = {f"{path.parent.name}/{path.name}": path.read_text("utf-8") for path in TEMPLATES.glob("*/*.html")}
        self._templates = jinja2.Environment(
            loader=jinja2.DictLoader(sources), autoescape=True, undefined=jinja2.StrictUndefined
        )

    def render(self, template: str, **values: object) -> str:
        """Fill a template of the site's folder."""
        return self._templates.get_template(f"{self.options.site}/{template}").render(options=self.options, **values)

    def set(self, values: Mapping[str, Any]) -> None:
        """Change options while running. Raises ValueError for an unknown field, a senseless value, or another site."""
        options = self.options.changed(values)
        if options.site != self.options.site:
            raise ValueError("site: cannot change while running")
        self.faults.set_rates(options.fault_rate)
        if any(getattr(options, name) != getattr(self.options, name) for name in _LOT_FIELDS):
            self.lot = Lot(options)
        if options.account != self.options.account:
            self.desk.unlock()
        self.options = options

    async def wait(self, step: str) -> None:
        """Let the time of one step pass."""
        await self.latency.wait(self.options.latency, step)

    def new_report(self, vehicle: Vehicle) -> str:
        """Make a report ready and give its id."""
        self.ledger.created(vehicle)
        report_id = new_secret()
        self._reports[report_id] = vehicle
        if len(self._reports) > _REPORTS_KEPT:
            del self._reports[next(iter(self._reports))]
        return report_id

    def report(self, report_id: str) -> Vehicle | None:
        """Give the vehicle of a report id."""
        return self._reports.get(report_id)

    def pdf(self, vehicle: Vehicle) -> bytes:
        """Give the PDF of a vehicle's report, as a text or as a scan."""
        return self.press.scan(vehicle) if self.options.scans else self.press.print(vehicle)

    def file_name(self, vehicle: Vehicle, same: str) -> str:
        """Give the name of a report's file; `same` is the one that tells nothing."""
        told = {"same": same, "reference": f"{vehicle.reference}.pdf", "vin": f"Valuation_{vehicle.vin}.pdf"}
        return told[self.options.file_name]

    def count_report(self, scene: Scene) -> AbstractContextManager[object]:
        """Give the context in which a request for a report's PDF is in flight."""
        if scene.session.signed_in and scene.vehicles:
            return self.ledger.report(scene.vehicle)
        self.ledger.reports_signed_out += not scene.session.signed_in
        return nullcontext()

    def may_create(self) -> bool:
        """Whether another report may be created within this minute; counts it where it may."""
        limit, now = self.options.creates_per_minute, time.monotonic()
        while self._creates and now - self._creates[0] > 60:
            self._creates.popleft()
        if limit and len(self._creates) >= limit:
            return False
        self._creates.append(now)
        return True
