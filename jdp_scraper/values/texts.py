"""Reads the texts of one page as values, each of them once."""

from __future__ import annotations

from collections.abc import Sequence

from jdp_scraper.values.labelling import Labels
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.typed import TEXT_TYPES, Typed, is_bare, read_as

_LOW = 100  # miles: as many may be a page's number


class Texts:
    """What the texts of a page are, in each type that was asked for."""

    def __init__(self, labels: Labels, dates: Sequence[str]) -> None:
        self._labels = labels
        self._dates = dates
        self._known: dict[tuple[str, str], Typed | None] = {}

    def value(self, rule: Rule, text: str, *, set_off: bool = False) -> Typed | None:
        """Return the value that a text is; unless it is set off, a small number or word may be another."""
        value = self._read(rule, text)
        if value is None or set_off:
            return value
        if rule.type == "money":
            return None if is_bare(text) else value
        if rule.type == "miles":
            return None if isinstance(value, int) and value < _LOW and text.isdecimal() else value
        return value if rule.type != "reference" or _holds_digit(text) else None

    def any_value(self, rule: Rule, text: str) -> Typed | None:
        """Return the value that a text is, also a small number."""
        value = self._read(rule, text)
        return value if rule.type != "reference" or _holds_digit(text) else None

    def _read(self, rule: Rule, text: str) -> Typed | None:
        key = rule.type, text  # a page's style asks for most texts once more
        if key not in self._known:
            ended = text.endswith(":") or (rule.type in TEXT_TYPES and self._labels.in_text(text))
            self._known[key] = None if ended else read_as(rule.type, text, self._dates)
        return self._known[key]


def _holds_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
