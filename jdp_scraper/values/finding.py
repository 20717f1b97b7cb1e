"""Finds values on a page by where they stand: beside a label, below it, or where a table's row and column meet.

Two readings of one label that differ are decided by what else the page shows (a table's head, a colon, where other
labels have their values); where nothing decides, there is no value: none is better than a wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Literal, NamedTuple

from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.values.around import Around, Found
from jdp_scraper.values.below import Below, Under
from jdp_scraper.values.beside import Beside
from jdp_scraper.values.crossing import Crossings, name_of
from jdp_scraper.values.labelling import Label, Labels
from jdp_scraper.values.layout import Line
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.texts import Texts
from jdp_scraper.values.typed import TEXT_TYPES, Typed, is_nothing

Side = Literal["beside", "below", "above"]
_DECISIVE = 3  # times as many labels on one side as on the others together


@dataclass(slots=True)
class Shown:
    """What a page shows: all values of each field, and the fields of which it says that it has no value for sure.

    ``vehicle`` holds references and VIN by field and label; ``several``: they are of more than one vehicle.
    """

    values: dict[str, set[Typed]]
    unknown: set[str] = field(default_factory=set)
    vehicle: dict[tuple[str, int], Typed] = field(default_factory=dict)
    several: bool = False

    def says(self, label: Label, name: str, kind: str, value: Typed) -> None:
        """Take a value that stands by a label."""
        self.values[name].add(value)
        if kind in {"reference", "vin"}:
            key = (name, label.name if kind == "reference" else -1)
            self.several |= self.vehicle.setdefault(key, value) != value


class _Sides(NamedTuple):
    """What stands beside a label, which value that is, the same if it is sure, and what stands below."""

    found: Found | None
    value: Typed | None
    sure: Typed | None
    under: Under


class Finder:
    """The rules of a portal's reports, made ready for its pages."""

    def __init__(self, fields: Mapping[str, Rule], dates: Sequence[str]) -> None:
        self.fields = fields
        self.dates = dates
        self.labels = Labels(fields, dates)
        self.crosses = {
            name: tuple(frozenset(name_of(plain(label)) for label in labels) for labels in rule.cross)
            for name, rule in fields.items()
            if rule.cross
        }
        self.crossed = frozenset(name for sides in self.crosses.values() for names in sides for name in names)
        crossed = (f"{one} {other}" for ones, others in self.crosses.values() for one, other in product(ones, others))
        self._words = tuple({tuple(told.casefold().split(" ")) for told in (*self.labels.all, *crossed)})
        self.patterns = {name: re.compile(rule.pattern) for name, rule in fields.items() if rule.pattern}

    def may_find(self, text: str) -> bool:
        """Tell whether a text holds all words of any label, wherever they stand: a look that costs next to nothing."""
        folded = plain(text).casefold()
        return bool(self.patterns) or any(all(word in folded for word in words) for words in self._words)

    def shown(self, lines: Sequence[Line]) -> Shown:
        """Return all that a page shows."""
        return _Page(self, lines).shown()


class _Page:
    def __init__(self, finder: Finder, lines: Sequence[Line]) -> None:
        self._finder = finder
        self._lines = lines
        self._labels = [list(finder.labels.in_line(line, number)) for number, line in enumerate(lines)]
        self._around = Around(lines, self._labels)
        self._texts = Texts(finder.labels, finder.dates)
        self._beside = Beside(self._around, self._texts, finder.fields, finder.crosses)
        self._below = Below(self._around, self._texts, finder.fields)
        self._denied: set[str] = set()  # fields of which the page says somewhere that there is no value
        self._shown = Shown({name: set() for name in finder.fields})

    def shown(self) -> Shown:
        shown, fields = self._shown, self._finder.fields
        for label in (label for labels in self._labels for label in labels):
            for name in label.fields:
                value = self._at_label(label, name, fields[name])
                if value is not None:
                    shown.says(label, name, fields[name].type, value)
        shown.several |= self._beside.several or self._below.several
        crossings = Crossings(self._lines, self._finder.crossed)
        for name, sides in self._finder.crosses.items():
            for text in crossings.texts(*sides):
                value = self._texts.value(fields[name], text)
                if value is not None:
                    shown.values[name].add(value)
                elif is_nothing(text):
                    self._denied.add(name)
        if self._finder.patterns:
            text = " ".join(line.text for line in self._lines)
            for name, pattern in self._finder.patterns.items():
                for match in pattern.finditer(text):
                    if (value := self._texts.value(fields[name], match[1] or "", set_off=True)) is not None:
                        shown.values[name].add(value)
        for name in self._denied:
            shown.values[name].clear()
        shown.unknown |= self._denied
        return shown

    # -- labels --------------------------------------------------------------------------------------------------------

    def _at_label(self, label: Label, name: str, rule: Rule) -> Typed | None:
        found = self._beside.found(label, rule)
        value = self._texts.value(rule, found.text, set_off=_set_off(label, rule)) if found is not None else None
        sure = self._beside.sure(label, rule, found, value) if found is not None and value is not None else None
        if rule.at == "beside":
            return sure
        under = self._below.under(label, rule)
        if rule.at == "below":
            return under.value
        sides = _Sides(found, value, sure, under)
        told = self._decided(label, rule, sides)
        if told is None and found is not None and is_nothing(found.text):
            self._denied.add(name)
        elif told is None and self._is_unknown(label, rule, sides):
            self._shown.unknown.add(name)
        return told

    def _decided(self, label: Label, rule: Rule, sides: _Sides) -> Typed | None:
        found, value, sure, (below, _) = sides
        if label.colon and (found is not None or self._style == "beside"):
            return sure
        if label.colon or self._around.in_head(label):
            return self._sure_below(label, rule, below)
        if value is not None and sure is None:
            return below if rule.type in TEXT_TYPES and self._style == "below" else None
        if sure is not None and below is not None:
            told = {"beside": sure, "below": below}
            return sure if sure == below else told.get(self._style or "")
        if below is None:
            return sure if self._style not in {"below", "above"} or label.marked else None
        # Nothing of the kind stands beside it: on a page that has its values there, this one is missing.
        missing = self._style == "beside" and (found is not None or rule.type in TEXT_TYPES)
        return None if missing else self._sure_below(label, rule, below)

    def _sure_below(self, label: Label, rule: Rule, below: Typed | None) -> Typed | None:
        """Return a value below a label unless it may belong to another label, or to none."""
        if below is None or self._style in {"above", "below"}:
            return below if self._style == "below" else None
        above = self._around.above(label)
        if rule.type in TEXT_TYPES:
            return below if above is None and self._around.in_head(label) else None
        return below if above is None or self._texts.value(rule, above) is None else None

    def _is_unknown(self, label: Label, rule: Rule, sides: _Sides) -> bool:
        """Tell whether a label without a value says that there is none, or has one that is not sure."""
        if sides.found is not None:
            return sides.value is not None and (label.colon or rule.type not in TEXT_TYPES)
        if label.colon or sides.under.unknown:
            return True
        return label.whole and (self._style == "beside" or (self._style == "below" and self._around.in_head(label)))

    @cached_property
    def _style(self) -> Side | None:
        """On which side of its labels this page has its values, as told by those that cannot be mistaken."""
        votes: Counter[Side] = Counter()
        for label in (label for labels in self._labels for label in labels if label.fields):
            rule = self._finder.fields[label.fields[0]]
            if rule.type in TEXT_TYPES:
                continue
            beside = self._beside.found(label, rule)
            is_beside = beside is not None and self._texts.value(rule, beside.text, set_off=label.colon) is not None
            below = next(self._around.below(label), None)
            is_below = below is not None and self._texts.value(rule, below.text) is not None
            if is_beside != is_below or not is_beside:
                above = self._around.above(label) if not is_beside else None
                is_above = above is not None and self._texts.value(rule, above) is not None
                if is_beside + is_below + is_above == 1:
                    votes["beside" if is_beside else "below" if is_below else "above"] += 1
        most = votes.most_common()
        if not most or most[0][1] < _DECISIVE * (votes.total() - most[0][1]):
            return None
        return most[0][0]


def _set_off(label: Label, rule: Rule) -> bool:
    """Tell whether a label says that its value follows: by a colon, or, before a reference, by a mark such as ``#``."""
    return label.colon or (label.marked and rule.type == "reference")
