"""Every switch of the demo portal, in one frozen value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

SiteName = Literal["jdpower", "plain"]
LatencyName = Literal["none", "typical", "slow"]
TabWay = Literal["open", "location", "form", "link", "open_and_location", "open_and_later"]
Links = Literal["address", "session", "script"]
Bound = Literal["page", "session"]
LogoutWay = Literal["form", "link"]
LicenseRule = Literal["each", "once", "always", "never"]
AccountState = Literal["ok", "locked", "second_factor", "expired_password"]
CsvEncoding = Literal["utf-8", "cp1252"]
XhrSignedOut = Literal["401", "redirect"]
FileName = Literal["same", "reference", "vin"]
HeaderShape = Literal["plain", "nested"]
PagerRule = Literal["always", "several"]

# A lot above this size would run out of six-digit references.
MAX_VEHICLES = 200_000


@dataclass(frozen=True)
class DemoOptions:
    """What the demo portal is like; all but `site` can be changed while it runs.

    Times are in seconds, rates from 0 to 1. Raises ValueError, the field's name first, for a value that makes no sense.
    """

    site: Annotated[SiteName, "which site to serve"] = "jdpower"
    vehicles: Annotated[int, "vehicles on the lot"] = 100
    seed: Annotated[int, "seed of the lot, the latencies and the faults"] = 1
    latency: Annotated[LatencyName, "how slow the portal is"] = "none"
    user: Annotated[str, "user name of the one account"] = "demo"
    password: Annotated[str, "password of the one account"] = "demo"  # noqa: S105 - of a demo
    account: Annotated[AccountState, "state of the account"] = "ok"
    lockout_s: Annotated[float, "seconds the account stays in use after a session that did not sign out"] = 300.0
    idle_s: Annotated[float, "seconds without activity after which a session ends"] = 1200.0
    max_bad_passwords: Annotated[int, "wrong passwords in a row that lock the account"] = 5
    license: Annotated[LicenseRule, "when the license is asked for (always: each, and at its address again)"] = "each"
    logout: Annotated[LogoutWay, "what the sign-out control is"] = "form"
    page_size: Annotated[int, "rows on a page of the inventory"] = 20
    links: Annotated[Links, "what a Bookout link is (session: an address that holds for one session)"] = "address"
    tab: Annotated[TabWay, "how the report's tab is opened"] = "open"
    bound: Annotated[Bound, "whose report is made: of the page, or what the session opened last"] = "page"
    scans: Annotated[bool, "the reports are scans without text"] = False
    file_name: Annotated[FileName, "what a report's file name tells: the same for all, or its vehicle"] = "same"
    header: Annotated[HeaderShape, "markup of the grid's header cells"] = "plain"
    pager: Annotated[PagerRule, "when the pager shows: always, or for several pages of rows only"] = "always"
    icon_text: Annotated[bool, "the icons of a row have a text where their picture is blocked"] = True
    xhr_signed_out: Annotated[XhrSignedOut, "what a signed-out request of a page's script is answered with"] = "401"
    csv_bom: Annotated[bool, "begin the export with a byte-order mark (utf-8 only)"] = False
    csv_encoding: Annotated[CsvEncoding, "encoding of the export"] = "utf-8"
    csv_without: Annotated[str, "column to leave out of the export"] = ""
    export_filtered: Annotated[bool, "the export holds only what the session's filter shows"] = False
    duplicates: Annotated[int, "references that stand twice on the lot"] = 0
    blank_references: Annotated[int, "vehicles without a reference"] = 0
    references: Annotated[tuple[str, ...], "a reference to put on the lot besides the generated ones (repeatable)"] = ()
    rotate_every: Annotated[int, "renew the sign-in cookie at every n-th request (0: never)"] = 0
    rotate_grace_s: Annotated[float, "seconds a renewed sign-in cookie's old value is still taken"] = 5.0
    creates_per_minute: Annotated[int, "reports that may be created in a minute, then 429 (0: no limit)"] = 0
    retry_after_s: Annotated[int, "Retry-After of a 429"] = 2
    hang_s: Annotated[float, "seconds that a hang lasts"] = 600.0
    drip_bytes_s: Annotated[int, "bytes a second of a slow drip"] = 1024
    down: Annotated[bool, "every page answers 503"] = False
    fault_rate: Annotated[Mapping[str, float], "fault by chance, KIND=RATE or KIND@POINT=RATE (repeatable)"] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            _check(name, hint, getattr(self, name))
        if self.vehicles > MAX_VEHICLES:
            raise ValueError(f"vehicles: at most {MAX_VEHICLES}")
        if len(self.references) > max(0, self.vehicles - 2):
            raise ValueError(f"references: {len(self.references)} do not fit on a lot of {self.vehicles} vehicles")
        for name in ("page_size", "max_bad_passwords", "drip_bytes_s"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be 1 or more")
        for key, rate in self.fault_rate.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"fault_rate: {key} must be from 0 to 1")

    def changed(self, values: Mapping[str, Any]) -> DemoOptions:
        """Give these options with some fields replaced, also by values of JSON. Raises ValueError as the class does."""
        known = {one.name for one in dataclasses.fields(self)}
        for name in values:
            if name not in known:
                raise ValueError(f"{name}: no such option")
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return dataclasses.replace(self, **plain)

    def as_mapping(self) -> dict[str, Any]:
        """Give all fields as a mapping that JSON can hold."""
        return dataclasses.asdict(self)


def _check(name: str, hint: Any, value: Any) -> None:
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{name}: must be one of {', '.join(get_args(hint))}")
    elif hint in (int, float):
        if isinstance(value, bool) or not isinstance(value, (int, hint)):
            raise ValueError(f"{name}: must be a number")
        if name != "seed" and value < 0:
            raise ValueError(f"{name}: must not be negative")
    elif hint in (str, bool):
        if not isinstance(value, hint):
            raise ValueError(f"{name}: must be {'a text' if hint is str else 'true or false'}")
    elif origin is tuple:
        if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{name}: must be a list of texts")
    elif not isinstance(value, Mapping) or not all(isinstance(rate, (int, float)) for rate in value.values()):
        raise ValueError(f"{name}: must be a table of numbers")
