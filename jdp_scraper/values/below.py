"""Reads what stands below a label, down its column: where that goes on with another value, none of them counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jdp_scraper.values.around import FARTHEST, Around, Found, overlap
from jdp_scraper.values.labelling import Label
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.texts import Texts
from jdp_scraper.values.typed import TEXT_TYPES, Typed, is_nothing


class Under(NamedTuple):
    """What stands below a label; ``unknown``: there is something that says of the field that it has no sure value."""

    value: Typed | None = None
    unknown: bool = False


class Below:
    """Values below the labels of a page; ``several``: a column with several vehicles was met."""

    def __init__(self, around: Around, texts: Texts, fields: Mapping[str, Rule]) -> None:
        self._around = around
        self._texts = texts
        self._fields = fields
        self._lists: dict[int, bool] = {}
        self.several = False

    def under(self, label: Label, rule: Rule) -> Under:
        """Return what stands below a label: no value where its column goes on with another, or its unit is foreign."""
        column = self._around.below(label)
        found = next(column, None)
        if found is None:
            return Under()
        value = self._texts.value(rule, found.text)
        if value is None:
            return Under(unknown=is_nothing(found.text))
        if self._varies(rule, value, column):
            self.several |= rule.type == "vin" or (rule.type == "reference" and self._around.in_head(label))
            return Under(unknown=rule.type not in TEXT_TYPES)
        if self._around.in_head(label) and self._is_list(label.line):
            return Under()
        joined = None if rule.type in TEXT_TYPES else self._around.joined(found, near=FARTHEST)
        if joined is not None:
            unit = self._around.lines[found.line].cells[found.last + 1]
            if not any(overlap(unit, cell) for cell in self._around.lines[label.line].cells):
                return Under(self._texts.value(rule, joined), unknown=True)
        return Under(value)

    def _varies(self, rule: Rule, value: Typed, column: Iterable[Found]) -> bool:
        return any(
            (other := self._texts.any_value(rule, found.text)) is not None and other != value for found in column
        )

    def _is_list(self, line: int) -> bool:
        """Tell whether a line is the head of several rows that differ in a number: they are not of one thing."""
        if line not in self._lists:
            self._lists[line] = False
            for label in (label for label in self._around.labels[line] if label.fields):
                rule, column = self._fields[label.fields[0]], self._around.below(label)
                if rule.type == "text" or (found := next(column, None)) is None:
                    continue
                value = self._texts.any_value(rule, found.text)
                self._lists[line] |= value is not None and self._varies(rule, value, column)
        return self._lists[line]
