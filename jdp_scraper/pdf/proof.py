"""The proof that a report is of one vehicle and no other; pure, since promise number one hangs on it.

Three rules, each of which would rather refuse a right report than let a wrong one pass:

* The reference stands as a whole token behind a label of the profile. A mere occurrence proves nothing: ``165530A``
  holds ``165530``. One label that names the vehicle is enough, unless another one is followed by a longer reference of
  the same inventory or, where no VIN proves the rest, by a token with a digit in it that is not this reference.
* Where the inventory tells the VIN, the VIN stands behind its label, or anywhere as a whole token if no label is
  followed by one. A label with another VIN is a mismatch whatever else the text holds.
* Where a reference can be read in two ways (two that look the same on paper, one that begins with a separator or holds
  what stands for an unreadable character), it counts only together with the VIN.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from jdp_scraper.errors import ReportMismatch, ReportUnproven
from jdp_scraper.pdf.labels import MARKS, Place, find_places
from jdp_scraper.pdf.plain_text import UNREADABLE, has_marks, plain
from jdp_scraper.vehicle import Vehicle

# What cannot be read is part of its word: without it, that may be another one.
_LETTER = rf"(?:[^\W_]|{UNREADABLE})"
_WORD = re.compile(rf"{_LETTER}+(?:[-_*]{_LETTER}+)*")
_SHORTEST_VIN_SEEN = 11  # a shorter word behind a VIN label is rather the next cell of a table than another VIN

_LONGEST_WORD = 100  # no VIN is that long; a hostile PDF can hold a word of a million letters


class ProofRule(BaseModel):
    """How a portal's report names its vehicle: by labels, or by a pattern with the group ``reference``.

    A pattern is searched in the text with each run of white space, line breaks too, as one space; it may have a second
    group ``vin``. Every match counts, so it must not match anything but a reference. ``without_text`` says what counts,
    together with the vehicle's page, for a PDF that has no text at all (see ``circumstances``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference_labels: tuple[str, ...] = ()
    vin_labels: tuple[str, ...] = ("VIN",)
    pattern: str | None = None
    without_text: tuple[Literal["address", "file_name"], ...] = ()

    @field_validator("reference_labels", "vin_labels")
    @classmethod
    def _labels_hold_words(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            if not any(character.isalnum() for character in plain(label)):
                raise ValueError(f"a label must hold a letter or digit, {label!a} does not")
        return labels

    @field_validator("pattern")
    @classmethod
    def _pattern_has_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if "reference" not in groups:
            raise ValueError("must have the group (?P<reference>...)")
        return pattern

    @model_validator(mode="after")
    def _one_way(self) -> ProofRule:
        if bool(self.reference_labels) == (self.pattern is not None):
            raise ValueError("set either reference_labels or pattern")
        return self


def prove(text: str, vehicle: Vehicle, rule: ProofRule, longer: Collection[str] = ()) -> None:
    """Return if ``text`` proves that the report is of ``vehicle``; ``longer`` is as ``longer_references`` gives it.

    Raises ``ReportMismatch`` where another vehicle is named, with all that the PDF shows behind labels;
    ``ReportUnproven`` where none is.
    """
    written = plain(text)
    wanted = plain(vehicle.reference)
    if not written:
        raise ReportUnproven("the PDF holds no text that could name its vehicle")
    if not wanted:
        raise ReportUnproven("the inventory gives this vehicle no reference that could be proven")
    others = {plain(other) for other in longer}
    places = find_places(written, rule.reference_labels, rule.vin_labels)
    ambiguous = wanted in others or UNREADABLE in wanted
    try:
        vin_proven = _vin_is_proven(written, vehicle, rule, places)
        if rule.pattern is None:
            _check_labels(wanted, others, places, strict=not vin_proven)
            ambiguous = ambiguous or _reads_like_separators(wanted)
        else:
            _check_pattern(written, wanted, rule.pattern)
    except ReportMismatch as error:
        raise ReportMismatch(str(error), shown=error.shown | _shown(written, rule, places)) from None
    if vehicle.vin and not vin_proven:
        raise ReportUnproven(f"the PDF does not show the VIN {vehicle.vin!a}")
    if ambiguous and not vin_proven:
        raise ReportUnproven(f"the reference {wanted!a} can be read in two ways, and no VIN is known to decide")


def _shown(written: str, rule: ProofRule, places: list[Place]) -> frozenset[str]:
    """Return the words in which the text names its vehicle, by labels or pattern."""
    words = {place.shown() for place in places}
    if rule.pattern is not None:
        for found in _expression(rule.pattern).finditer(written):
            words |= {plain(value or "")[:_LONGEST_WORD] for value in found.groups()}
    return frozenset(words - {""})


def longer_references(references: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return, for each reference that needs care, those that hold it as whole words or read the same on paper.

    Give the reference of each vehicle once: one that stands on two vehicles is then among its own, since it alone
    names neither.
    """
    spelled: dict[str, list[str]] = {}
    for reference in references:
        spelled.setdefault(plain(reference), []).append(reference)
    found: dict[str, set[str]] = {}
    for form, holders in spelled.items():
        for inner in _spans(form) & spelled.keys():
            for reference in spelled[inner]:
                found.setdefault(reference, set()).update(holders if inner != form else _twins(reference, holders))
    return {reference: tuple(sorted(others)) for reference, others in found.items() if others}


def _twins(reference: str, same_on_paper: list[str]) -> list[str]:
    twins = list(same_on_paper)
    twins.remove(reference)
    return twins


def _reads_like_separators(wanted: str) -> bool:
    """Tell whether a reference begins with what may stand between a label and a token: ``#7``, ``- 7``, ``-``."""
    return wanted[0] in "#:" or wanted.lstrip(MARKS)[:1] in ("", " ")


def _spans(form: str) -> set[str]:
    """Return every run of whole words of ``form``, each also without its leading marks."""
    words = form.split(" ")
    runs = {" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    return runs | {run[cut:].lstrip() for run in runs for cut in range(1, 1 + len(run) - len(run.lstrip(MARKS + " ")))}


def _check_labels(wanted: str, longer: Collection[str], places: list[Place], *, strict: bool) -> None:
    named = False
    seen: Place | None = None
    past = 0
    for index, place in enumerate(places):
        if place.kind != "reference" or place.start < past:
            continue
        for other in longer:
            if len(other) > len(wanted) and place.may_name(other):
                raise ReportMismatch(f"the PDF says {place.label!a} {other!a}, not {wanted!a}")
        end = place.names(wanted)
        if end is not None:
            named, past = True, end  # a reference may hold a label's word: it is no label there
        elif any(later.start <= place.token < later.end for later in places[index + 1 : index + 2]):
            continue  # a label right behind a label: an empty field, or the head of a table
        elif strict and any(character.isdigit() for character in place.shown()):
            raise ReportMismatch(f"the PDF says {place.label!a} {place.shown()!a}, not {wanted!a}")
        elif place.shown():
            seen = seen or place
    if named:
        return
    if seen is not None:
        raise ReportMismatch(f"the PDF says {seen.label!a} {seen.shown()!a}, not {wanted!a}")
    raise ReportUnproven(f"no label in the PDF is followed by a reference, {wanted!a} was expected")


def _check_pattern(written: str, wanted: str, pattern: str) -> None:
    named = False
    for found in _expression(pattern).finditer(written):
        value = _whole_group(found, "reference")
        if value and value != wanted:
            raise ReportMismatch(f"the PDF says {value[:40]!a}, not {wanted!a}")
        named = named or bool(value)
    if not named:
        raise ReportUnproven(f"the pattern finds no reference in the PDF, {wanted!a} was expected")


def _whole_group(found: re.Match[str], name: str) -> str:
    """Return what a group has matched, with a mark that touches it: a pattern of digits ends before one."""
    start, end = found.span(name)
    if start == end:
        return ""
    before = start - has_marks(found.string[start - 1 : start])
    return plain(found.string[before : end + has_marks(found.string[end : end + 1])])


def _vin_is_proven(written: str, vehicle: Vehicle, rule: ProofRule, places: list[Place]) -> bool:
    """Tell whether the text shows the vehicle's VIN; raises ``ReportMismatch`` if it shows another one instead."""
    known = plain(vehicle.vin or "")
    wanted = known.upper()
    if not wanted:
        return False
    vin_places = [place for place in places if place.kind == "vin"]
    labelled = [word for place in vin_places for word in _words_behind(place)]
    if rule.pattern is not None and "vin" in _expression(rule.pattern).groupindex:
        labelled += [_whole_group(found, "vin").upper() for found in _expression(rule.pattern).finditer(written)]
    for word in labelled:
        if word != wanted and _looks_like_vin(word, wanted):
            raise ReportMismatch(f"the PDF says VIN {word[:40]!a}, not {wanted!a}")
    words = {word.upper() for word in _WORD.findall(written)}
    if wanted in labelled or wanted in words or any(place.names(known) for place in vin_places):
        return True
    for word in words:
        if len(word) == 17 and word.isalnum() and _looks_like_vin(word, wanted):
            raise ReportMismatch(f"the PDF shows VIN {word!a}, not {wanted!a}", shown=[word])
    return False


def _words_behind(place: Place) -> list[str]:
    found = _WORD.match(place.text, place.token, place.token + _LONGEST_WORD)
    return [found.group().upper()] if found else []


def _looks_like_vin(word: str, wanted: str) -> bool:
    return (len(word) >= _SHORTEST_VIN_SEEN or len(word) == len(wanted)) and any(c.isdigit() for c in word)


@lru_cache(maxsize=32)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
