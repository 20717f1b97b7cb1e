"""A portal described as data: one small model a step, read from TOML (docs/profiles.md is the user's view of this).

Nothing here acts. Every field that a portal may do otherwise is a field, so that no step is hard-wired.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from jdp_scraper.loopback import is_loopback
from jdp_scraper.pdf.proof import ProofRule
from jdp_scraper.pdf.value_rules import ValueRules


class Model(BaseModel):
    """A table of the profile: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _as_control(value: object) -> object:
    return {"css": value} if isinstance(value, str) else value


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _address(value: str) -> str:
    if not value.startswith("/") or value.startswith("//"):
        raise ValueError("write the address without the origin, from its first / on")
    return value


_NOT_CSS = re.compile(r"^\s*(//|[a-z-]+=)|>>|:(has-text|text|text-is|text-matches|nth-match|visible)\b(?!-)", re.ASCII)


def _css_only(value: str) -> str:
    if _NOT_CSS.search(value):
        raise ValueError("must be plain CSS; a text goes into { css = ..., contains = ... }")
    return value


Css = Annotated[str, Field(min_length=1), AfterValidator(_css_only)]
Regex = Annotated[str, Field(min_length=1), AfterValidator(_regex)]
Address = Annotated[str, AfterValidator(_address)]


class Control(Model):
    """Something on a page: a CSS selector, narrowed by its text. Text is compared without case, spaces folded."""

    css: Css
    text: str | None = Field(None, description="the control's whole text")
    contains: str | None = Field(None, description="a part of the control's text")

    def __str__(self) -> str:
        wanted = self.text or self.contains
        return self.css + (f" with the text {wanted!r}" if wanted else "")


AnyControl = Annotated[Control, BeforeValidator(_as_control)]


class SignIn(Model):
    """The sign-in form, and how its outcome is told. Texts are regular expressions on the page's text, without case."""

    address: Address
    user: Css
    password: Css
    submit: AnyControl
    signed_in: tuple[AnyControl, ...] = Field(min_length=1, description="any of these proves a signed-in session")
    refused: Regex | None = Field(None, description="default: the form is shown again")
    in_use: Regex | None = None
    locked: Regex | None = None
    in_use_retry_s: float = Field(110, ge=1, description="how long to wait before an account in use is tried again")
    settle_s: float = Field(5, ge=0, description="how long a page after the sign-in may stay unknown")


class License(Model):
    """A license page that may stand between the sign-in and everything else."""

    checkbox: Css
    submit: AnyControl | None = Field(None, description="where ticking alone does not send it")
    text: Css = Field("body", description="where the license's text stands")
    accepted: AnyControl = Field(description="what shows once it is accepted")


class Columns(Model):
    """The names of the export's columns; only the reference must be there."""

    reference: str = Field(min_length=1)
    vin: str | None = None
    year: str | None = None
    make: str | None = None
    model: str | None = None
    mileage: str | None = None


class Export(Model):
    """The inventory as a CSV file, by menu clicks or from an address."""

    clicks: tuple[AnyControl, ...] = ()
    address: Address | None = None
    columns: Columns

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.clicks) == (self.address is not None):
            raise ValueError("needs either clicks or an address")
        return self


class Cell(Model):
    """A cell of a row, under a header's text or by a selector in the row; ``pattern``'s first group is the value."""

    header: str | None = None
    css: Css | None = None
    pattern: Regex | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.header is None) == (self.css is None):
            raise ValueError("needs either header or css")
        if self.pattern is not None and re.compile(self.pattern).groups < 1:
            raise ValueError("pattern needs a group (...) around the value")
        return self


class Filter(Model):
    """The grid's filter by reference; what it shows *contains* the text, so rows are compared in full."""

    input: Css
    clear: AnyControl | None = Field(None, description="a control that is there only while a filter is on")


class Grid(Model):
    """The inventory's table: rows, what stands in them, and the way to the next page of rows."""

    row: Css
    reference: Cell
    vin: Cell | None = None
    year: Cell | None = None
    make: Cell | None = None
    model: Cell | None = None
    mileage: Cell | None = None
    link: Css = Field(description="within the row, what opens the vehicle")
    next: AnyControl | None = None
    first: AnyControl | None = Field(None, description="back to the first page of rows; default: by the filter")
    pages: Address | None = Field(None, description="address of a page of rows, with {page} counted from 1")
    pager: Regex | None = Field(None, description="groups page, pages and items, as far as the pager tells them")
    empty: AnyControl | None = Field(None, description="what shows when there is no row")
    state: Literal["page", "session"] = "session"
    filter: Filter | None = None

    @model_validator(mode="after")
    def _pages_hold_a_number(self) -> Self:
        if self.pages is not None and "{page}" not in self.pages:
            raise ValueError("pages needs {page} where the number goes")
        return self


class Inventory(Model):
    """Where the inventory is, and its two forms."""

    address: Address
    export: Export | None = None
    grid: Grid


class VehiclePage(Model):
    """A vehicle's page: when it is ready, and where it says which vehicle it is of."""

    ready: AnyControl
    reference: Css = Field("body", description="where the reference stands as a whole word")
    vin: Css | Literal[""] = Field("body", description="where the VIN stands; empty where the page shows none")
    open: Literal["auto", "address", "click"] = "auto"
    gone: Regex | None = Field(None, description="text of the page of a vehicle that the portal no longer has")


class Report(Model):
    """How a vehicle's page gives its report away."""

    clicks: tuple[AnyControl, ...] = ()
    link: Css | None = Field(None, description="a link on the vehicle's page whose address is the report")
    delivered: Literal["new_tab", "same_tab", "download", "link"]
    address: str | None = Field(None, min_length=4, description="a part of the report's address")
    bound: Literal["page", "session"] = "page"

    @model_validator(mode="after")
    def _fits_delivery(self) -> Self:
        if self.delivered == "link":
            if self.link is None or self.address is not None:
                raise ValueError("delivered = 'link' needs link, and no address")
        elif not self.clicks or self.address is None or self.link is not None:
            raise ValueError(f"delivered = {self.delivered!r} needs clicks and address, and no link")
        return self


class SignOut(Model):
    """How a session is ended; the way without a browser is learned from the control unless an address stands here."""

    control: AnyControl
    address: Address | None = None
    method: Literal["GET", "POST"] = "GET"


class Block(Model):
    """What the browser does not load while BLOCK_RESOURCES is true."""

    images: bool = True
    fonts: bool = True
    hosts: tuple[str, ...] = Field((), description="other hosts, like *.example-analytics.com")
    addresses: tuple[str, ...] = Field((), description="parts of the portal's own addresses")


class SiteProfile(Model):
    """One portal."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    title: str
    origin: str
    sign_in: SignIn
    license: License | None = None
    inventory: Inventory
    vehicle: VehiclePage
    report: Report
    proof: ProofRule
    values: ValueRules = ValueRules()
    sign_out: SignOut
    block: Block = Block()

    @model_validator(mode="after")
    def _address_says_something(self) -> Self:
        if self.report.bound == "session" and "address" in self.proof.without_text:
            raise ValueError("proof.without_text: the address proves nothing where report.bound is 'session'")
        return self

    @model_validator(mode="after")
    def _origin_is_one(self) -> Self:
        parts = urlsplit(self.origin)
        if parts.scheme not in {"https", "http"} or not parts.netloc or parts.path or parts.query:
            raise ValueError("origin must be like https://portal.example, without a path")
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("origin must be https: reports are fetched over http from this machine only")
        return self
