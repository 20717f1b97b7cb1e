"""Which values the pages show, under which names, and how a value is written; pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from jdp_scraper.archive.model import Value, Vehicle

_MOST = 10**15  # more is no amount, and nothing that a line can be drawn through
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
_MONEY = re.compile(r"-?\d+\.\d\d")


class Kind(enum.StrEnum):
    """How a column's values are written and lined up."""

    MONEY = "money"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Column:
    """A value's name in the table of values, and the one that people read."""

    name: str
    label: str
    kind: Kind = Kind.MONEY


BUILT_IN = (
    Column("rough_trade_in", "Rough trade-in"),
    Column("average_trade_in", "Average trade-in"),
    Column("clean_trade_in", "Clean trade-in"),
    Column("clean_loan", "Clean loan"),
    Column("clean_retail", "Clean retail"),
    Column("report_date", "Report date", Kind.TEXT),
)
# What the archive shows of the vehicle itself, or in another way.
_ELSEWHERE = {"reference", "vin", "year", "make", "model", "trim", "mileage", "file", "sha256", "error"}
# The value that a vehicle's change is told of, the first of these that there is; then the ones a narrow index keeps.
_HEADLINE = ("clean_retail", "clean_trade_in", "average_trade_in", "clean_loan", "rough_trade_in")
_KEPT = 2


def columns_of(vehicles: Iterable[Vehicle]) -> tuple[Column, ...]:
    """Return the columns of which any report has a value: the built-in ones in their order, then a user's own."""
    known = {column.name for column in BUILT_IN}
    there: set[str] = set()
    own: dict[str, set[Kind]] = {}
    for vehicle in vehicles:
        for report in vehicle.reports:
            for name, value in report.values.items():
                if value is None or name in _ELSEWHERE:
                    continue
                if name in known:
                    there.add(name)
                else:
                    own.setdefault(name, set()).add(_kind(value))
    users = (
        Column(name, _label(name), kinds.pop() if len(kinds) == 1 else Kind.TEXT) for name, kinds in sorted(own.items())
    )
    return (*(column for column in BUILT_IN if column.name in there), *users)


def money_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return those that are dollars, which the index and the line show."""
    return tuple(column for column in columns if column.kind is Kind.MONEY)


def headline_of(columns: Iterable[Column]) -> Column | None:
    """Return the column whose change stands for the vehicle's, if there is any money at all."""
    money = money_columns(columns)
    by_name = {column.name: column for column in money}
    return next((by_name[name] for name in _HEADLINE if name in by_name), next(iter(money), None))


def kept_columns(columns: Iterable[Column]) -> frozenset[str]:
    """Return the names of the money columns that a narrow index keeps."""
    names = [column.name for column in money_columns(columns)]
    order = [name for name in _HEADLINE if name in names] + [name for name in names if name not in _HEADLINE]
    return frozenset(order[:_KEPT])


def amount(value: Value) -> Decimal | None:
    """Return a value as a number where it is one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _MOST else None


def value_of(values: Mapping[str, Value], column: Column) -> Decimal | None:
    """Return a report's value in a column as a number, if there is one."""
    return amount(values.get(column.name))


def newest_value(vehicle: Vehicle, column: Column) -> Value:
    """Return the newest value that any report of a vehicle has in a column."""
    told = (report.values.get(column.name) for report in reversed(vehicle.reports))
    return next((value for value in told if value is not None), None)


def written(value: Value, kind: Kind = Kind.TEXT) -> str:
    """Write a value for people: numbers with their thousands apart, cents only where there are any."""
    if value is None or value == "":
        return NOTHING
    number = None if kind is Kind.TEXT else amount(value)
    if number is None:
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return _grouped(number)


def difference(number: Decimal) -> str:
    """Write a difference with its sign."""
    return f"+{_grouped(number)}" if number > 0 else _grouped(number)


def _grouped(number: Decimal) -> str:
    digits = f"{abs(number):,.0f}" if number == number.to_integral_value() else f"{abs(number):,.2f}"
    return f"{MINUS}{digits}" if number < 0 else digits


def _label(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:] or name


def _kind(value: Value) -> Kind:
    if isinstance(value, str):
        return Kind.MONEY if _MONEY.fullmatch(value) else Kind.TEXT
    return Kind.TEXT if isinstance(value, bool) else Kind.NUMBER
