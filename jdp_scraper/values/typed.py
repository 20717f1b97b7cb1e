"""Reads a text as a value of a type, or not at all: a text that holds more than the value is no value.

Values are JSON's: money as a string of dollars with two digits behind the point, a date as YYYY-MM-DD.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from jdp_scraper.values.vin import is_vin

Typed: TypeAlias = str | int
TEXT_TYPES = frozenset({"text", "reference"})
LONGEST_TEXT = 80

_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+"
_WHOLE = re.compile(_NUMBER)
_MILES = re.compile(rf"({_NUMBER})(?: ?(?:mi\.?|miles))?", re.IGNORECASE)
_MONEY = re.compile(
    rf"(?P<open>\()?(?P<minus>-)?(?:USD ?|US ?)?\$? ?(?P<number>(?:{_NUMBER})(?:\.\d{{2}})?)(?: ?USD)?(?(open)\))"
)
_AMOUNT = re.compile(r"-?[0-9]{1,9}\.[0-9]{2}")
_INTEGERS = {"year", "miles", "number"}
_YEAR = re.compile(r"(?:19|20)\d{2}")
_DATE_LENGTH = 30
_DIGITS = 9  # more are no price, no mileage, and no 32-bit number
# What stands where there is no value.
_NOTHING = re.compile(r"[-\u2010-\u2015.*_ ]*|n/?a|none|not available|unknown|tbd", re.IGNORECASE)
_SENTENCE = re.compile(r"[a-z]+,? .*|.*\.")  # goes on, or ends
_LABEL_WITHIN = re.compile(r"\w ?:( |$)")
_BARE = re.compile(r"\(?-?(?:\d{1,3}|(?:19|20)\d\d)\)?")
_FIRM = re.compile(r"[$,.]|USD")


def is_nothing(text: str) -> bool:
    """Tell whether a text says that there is no value."""
    return _NOTHING.fullmatch(text) is not None


def is_bare(text: str) -> bool:
    """Tell whether an amount may as well be a page's number, a count or a year."""
    return _BARE.fullmatch(text) is not None


def is_firm_money(text: str) -> bool:
    """Tell whether a text can be nothing but an amount."""
    return _FIRM.search(text) is not None and _money(text) is not None


def read_as(kind: str, text: str, dates: Sequence[str] = ()) -> Typed | None:
    """Return the value of a type that a text (spelled by ``plain``) is, ``None`` where it is none of it."""
    text = text.strip()
    if not text or is_nothing(text):
        return None
    if kind == "date":
        return _date(text, dates)
    return _READERS[kind](text)


def is_typed(kind: str, value: object) -> bool:
    """Tell whether a value of JSON is one of a type, as ``read_as`` returns it, or none at all."""
    if value is None:
        return True
    if kind in _INTEGERS:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS
    if not isinstance(value, str):
        return False
    if kind == "date":
        return _date(value, ("%Y-%m-%d",)) == value
    return kind != "money" or _AMOUNT.fullmatch(value) is not None


def _text(text: str) -> str | None:
    if len(text) > LONGEST_TEXT or _SENTENCE.fullmatch(text) or _LABEL_WITHIN.search(text):
        return None
    return text if any(character.isalnum() for character in text) else None


def _reference(text: str) -> str | None:
    return _text(text) if " " not in text else None


def _vin(text: str) -> str | None:
    return text.upper() if is_vin(text.upper()) else None


def _year(text: str) -> int | None:
    return int(text) if _YEAR.fullmatch(text) and text.isascii() else None


def _whole(text: str) -> int | None:
    return _integer(text) if _WHOLE.fullmatch(text) else None


def _miles(text: str) -> int | None:
    found = _MILES.fullmatch(text)
    return _integer(found[1]) if found else None


def _integer(text: str) -> int | None:
    digits = text.replace(",", "")
    return int(digits) if digits.isascii() and len(digits) <= _DIGITS else None


def _money(text: str) -> str | None:
    found = _MONEY.fullmatch(text)
    if found is None or not found["number"].isascii() or (found["open"] and found["minus"]):
        return None
    amount = Decimal(found["number"].replace(",", ""))
    if amount >= 10**_DIGITS:
        return None
    return f"{-amount if found['open'] or found['minus'] else amount:.2f}"


def _date(text: str, formats: Sequence[str]) -> str | None:
    if len(text) > _DATE_LENGTH:
        return None
    found = set()
    for one in formats:
        try:
            found.add(datetime.strptime(text, one).date())  # noqa: DTZ007 - a date on paper has no time zone
        except ValueError:
            continue
    return found.pop().isoformat() if len(found) == 1 else None  # what two formats read differently is not known


_READERS: Mapping[str, Callable[[str], Typed | None]] = {
    "text": _text,
    "reference": _reference,
    "vin": _vin,
    "year": _year,
    "number": _whole,
    "miles": _miles,
    "money": _money,
}
