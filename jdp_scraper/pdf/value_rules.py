"""Where the values stand in reports, as a profile tells it; pure data (docs/profiles.md is the user's view).

What acts on it is ``values/``. A field that the profile says nothing of has the rule of ``BUILT_IN``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from jdp_scraper.pdf.plain_text import plain

FieldType = Literal["reference", "vin", "year", "text", "number", "miles", "money", "date"]
# Columns that are no values, or are told of a row as a whole.
RESERVED = ("file", "sha256", "error", "flags")
_DAYS = (date(2025, 12, 31), date(1998, 3, 4))


def _label(value: str) -> str:
    if not any(character.isalnum() for character in plain(value)):
        raise ValueError(f"a label must hold a letter or digit, {value!a} does not")
    return value


def _one_group(value: str) -> str:
    if _compiled(value).groups != 1:
        raise ValueError("pattern needs one group (...) around the value")
    return value


def _title(value: str) -> str:
    if value and set(_compiled(value).groupindex) != {"year", "rest"}:
        raise ValueError("title needs the groups (?P<year>...) and (?P<rest>...)")
    return value


def _compiled(value: str) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error


def _date_format(value: str) -> str:
    """Refuse what does not tell every date whole: two days of different years have to come back as they were."""
    for day in _DAYS:
        try:
            told = datetime.strptime(day.strftime(value), value)  # noqa: DTZ007 - a date on paper has no time zone
        except ValueError as error:
            raise ValueError(f"dates: {value!a} is no format of a date: {error}") from error
        if told.date() != day:
            raise ValueError(f"dates: {value!a} needs day, month and year, as %m/%d/%Y")
    return value


DateFormat = Annotated[str, AfterValidator(_date_format)]
Label = Annotated[str, AfterValidator(_label)]


class FieldRule(BaseModel):
    """Where one value stands, and what it is: behind or under a label, where two labels meet, or in a pattern."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    type: FieldType = "text"
    labels: tuple[Label, ...] = ()
    at: Literal["any", "beside", "below"] = Field("any", description="where the value stands, seen from its label")
    cross: tuple[tuple[Label, ...], ...] = Field((), description="labels of a table's row and of its column")
    pattern: Annotated[str, AfterValidator(_one_group)] | None = None

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if not (self.labels or self.cross or self.pattern):
            raise ValueError("needs labels, cross or pattern")
        if self.cross and (len(self.cross) != 2 or not all(self.cross)):
            raise ValueError("cross needs two lists of labels")
        return self


def _money(condition: str, kind: str, *more: str) -> FieldRule:
    kinds = tuple(dict.fromkeys((kind, kind.replace("-", " "))))
    labels = tuple(f"{condition} {one}" for one in kinds)
    return FieldRule(type="money", labels=labels, cross=((condition,), (*kinds, *more)))


BUILT_IN: Mapping[str, FieldRule] = {
    "reference": FieldRule(
        type="reference", labels=("Stock #", "Stock Number", "Stock No.", "Reference Number", "Reference")
    ),
    "vin": FieldRule(type="vin", labels=("VIN", "VIN Number", "VIN No.", "Vehicle Identification Number")),
    "year": FieldRule(type="year", labels=("Year", "Model Year")),
    "make": FieldRule(labels=("Make",)),
    "model": FieldRule(labels=("Model",)),
    "trim": FieldRule(labels=("Trim", "Trim Level")),
    "mileage": FieldRule(type="miles", labels=("Mileage", "Odometer")),
    "rough_trade_in": _money("Rough", "Trade-In"),
    "average_trade_in": _money("Average", "Trade-In"),
    "clean_trade_in": _money("Clean", "Trade-In"),
    "clean_loan": _money("Clean", "Loan"),
    "clean_retail": _money("Clean", "Retail"),
    "report_date": FieldRule(type="date", labels=("Report Date", "Date of Report")),
}


class ValueRules(BaseModel):
    """All rules of a portal's reports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dates: tuple[DateFormat, ...] = Field(
        ("%m/%d/%Y", "%B %d, %Y", "%b %d, %Y", "%Y-%m-%d"), description="how dates are written, as for strptime"
    )
    title: Annotated[str, AfterValidator(_title)] = Field(
        "^(?P<year>[12][0-9]{3}) (?P<rest>.+)$", description="a line with year, make, model and trim; empty: none"
    )
    fields: dict[str, FieldRule] = {}

    @model_validator(mode="after")
    def _names_are_columns(self) -> Self:
        for name, rule in self.fields.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
                raise ValueError(f"the field {name!a} must be lower-case letters, digits and _, at most 40")
            if name in RESERVED:
                raise ValueError(f"the field {name} has the name of another column")
            if name in BUILT_IN and rule.type != BUILT_IN[name].type:
                raise ValueError(f"the field {name} must be of the type {BUILT_IN[name].type!r}")
        return self

    def merged(self, reference_labels: tuple[str, ...] = (), vin_labels: tuple[str, ...] = ()) -> dict[str, FieldRule]:
        """Return the rule of each field by its name, the built-in ones first, in the order of the columns.

        The labels by which a report is proven count for reference and VIN where no field says otherwise.
        """
        proven = {"reference": reference_labels, "vin": vin_labels}
        rules = {
            name: rule.model_copy(update={"labels": tuple(dict.fromkeys((*proven[name], *rule.labels)))})
            if name in proven
            else rule
            for name, rule in BUILT_IN.items()
        }
        return rules | self.fields

    def to_json(self, reference_labels: tuple[str, ...] = (), vin_labels: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return all that a worker needs, as JSON values."""
        fields = self.merged(reference_labels, vin_labels)
        return {
            "dates": list(self.dates),
            "title": self.title,
            "fields": {name: rule.model_dump(mode="json") for name, rule in fields.items()},
        }
