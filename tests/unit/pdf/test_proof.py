from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from jdp_scraper.errors import ReportMismatch, ReportUnproven
from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.pdf.proof import ProofRule, longer_references, prove
from jdp_scraper.vehicle import Vehicle

from .reports import OTHER_VIN, VIN

RULE = ProofRule(reference_labels=("Stock #", "Stock Number", "Reference"))
SEPARATORS = [" ", ": ", " # ", "\r\n", " - ", " #", ":\u00a0", ".\n", "   "]

tight = st.text("0123456789AB-./#: ", min_size=1, max_size=6)
wide = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
references = st.one_of(tight, wide)


def document(reference: str, label: str = "Stock Number", separator: str = ": ") -> str:
    return f"Vehicle valuation\r\n{label}{separator}{reference}\r\nMileage 54,321 mi\r\nClean Retail $ 21,450"


def proves(text: str, reference: str, vin: str | None = None, rule: ProofRule = RULE, longer: list[str] = []) -> bool:  # noqa: B006
    try:
        prove(text, Vehicle(reference, vin), rule, longer)
    except (ReportMismatch, ReportUnproven):
        return False
    return True


def readable_in_one_way(reference: str) -> bool:
    form = plain(reference)
    return bool(form) and "\ufffd" not in form and form[0] not in "#:" and form.lstrip(":#.-")[:1] not in ("", " ")


@given(reference=references, separator=st.sampled_from(SEPARATORS))
def test_a_report_proves_its_own_vehicle(reference: str, separator: str) -> None:
    assume(readable_in_one_way(reference))
    prove(document(reference, separator=separator), Vehicle(reference), RULE)


@given(data=st.data(), separator=st.sampled_from(SEPARATORS))
def test_a_report_never_proves_another_vehicle(data: st.DataObject, separator: str) -> None:
    wanted, printed = data.draw(references), data.draw(references)
    assume(plain(wanted) != plain(printed))
    longer = longer_references([wanted, printed]).get(wanted, ())
    assert not proves(document(printed, separator=separator), wanted, longer=list(longer))


@given(stem=tight, tail=tight, separator=st.sampled_from(SEPARATORS))
def test_a_report_never_proves_a_reference_that_it_begins_or_ends_with(stem: str, tail: str, separator: str) -> None:
    printed = stem + tail
    for wanted in (stem, tail):
        if plain(wanted) != plain(printed):
            longer = longer_references([wanted, printed]).get(wanted, ())
            assert not proves(document(printed, separator=separator), wanted, longer=list(longer))


@given(reference=references, printed=references)
def test_a_report_with_another_vin_never_proves_a_vehicle(reference: str, printed: str) -> None:
    assert not proves(document(printed) + f"\r\nVIN: {OTHER_VIN}", reference, VIN)


@pytest.mark.parametrize("printed", ["75", "7-1", "7/2", "7.5", "7A", "A7", "17", ".7", "-7", "7,", "7:"])
def test_a_single_digit_is_a_whole_token(printed: str) -> None:
    assert proves(document("7"), "7")
    with pytest.raises(ReportMismatch):
        prove(document(printed), Vehicle("7"), RULE)


@pytest.mark.parametrize(
    "text",
    [
        "Stock # 165530",
        "STOCK NUMBER: 165530",
        "stock#165530",
        "Stock #: 165530",
        "Reference\r\n165530\r\nVIN",
        "Reference - 165530 Year 2020",
        "Stock\u00a0Number\u00a0165530",
        "Sto\u00adck # 165\u00ad530",
        "Stock #\uff1a165530",
    ],
)
def test_labels_are_found_in_any_dress(text: str) -> None:
    assert proves(text, "165530")


@pytest.mark.parametrize(
    "text", ["Livestock # 165530", "165530", "Stock Numbers 165530", "Preference 165530", "VIN 165530"]
)
def test_an_occurrence_without_a_label_proves_nothing(text: str) -> None:
    with pytest.raises(ReportUnproven):
        prove(text, Vehicle("165530"), RULE)


def test_text_without_words_is_unproven() -> None:
    with pytest.raises(ReportUnproven, match="no text"):
        prove(" \r\n\u200b", Vehicle("165530"), RULE)


def test_a_blank_reference_is_unproven() -> None:
    with pytest.raises(ReportUnproven, match="no reference"):
        prove(document("165530"), Vehicle(" "), RULE)


def test_the_message_says_what_stands_there() -> None:
    with pytest.raises(ReportMismatch, match="'165530A', not '165530'"):
        prove(document("165530A"), Vehicle("165530"), RULE)


@pytest.mark.parametrize("mark", ["\ufffe", "\x02"])
def test_a_hyphen_that_pdfium_marks_as_broken_is_still_a_hyphen(mark: str) -> None:
    assert proves(document(f"165{mark}530"), "165-530")
    assert not proves(document(f"165{mark}530"), "165530")


def test_case_of_a_reference_counts() -> None:
    assert proves(document("165500a"), "165500a")
    assert not proves(document("165500A"), "165500a")


@pytest.mark.parametrize(
    "reference", ["A/B 12", "a.b*c+(d)", "CON", "../../etc/passwd", "\u0416-17 \u00e9", ".hidden", "x" * 300]
)
def test_hostile_references_are_plain_text(reference: str) -> None:
    assert proves(document(reference), reference)
    assert not proves(document("other"), reference)


def test_white_space_inside_a_reference_is_collapsed() -> None:
    assert proves("Stock # 165530\r\nA", "165530  A")


def test_a_longer_reference_of_the_inventory_wins() -> None:
    longer = longer_references(["165530", "165530 A", "7"])
    assert longer == {"165530": ("165530 A",)}
    with pytest.raises(ReportMismatch):
        prove(document("165530 A"), Vehicle("165530"), RULE, longer["165530"])
    assert proves(document("165530 A"), "165530 A", longer=list(longer.get("165530 A", ())))


def test_references_that_look_the_same_need_the_vin() -> None:
    longer = longer_references(["12 A", "12  A"])["12 A"]
    with pytest.raises(ReportUnproven, match="two ways"):
        prove(document("12 A"), Vehicle("12 A"), RULE, longer)
    prove(document("12 A") + f" VIN {VIN}", Vehicle("12 A", VIN), RULE, longer)


def test_a_reference_on_two_vehicles_needs_the_vin() -> None:
    longer = longer_references(["dup", "dup", "one"])
    assert longer == {"dup": ("dup",)}
    assert not proves(document("dup"), "dup", longer=["dup"])
    assert proves(document("dup") + f" VIN {VIN}", "dup", VIN, longer=["dup"])


def test_one_label_that_names_the_vehicle_is_enough() -> None:
    assert proves("J.D. Power Reference Guide\nStock # 165530", "165530")


def test_another_label_with_another_reference_is_a_mismatch() -> None:
    with pytest.raises(ReportMismatch):
        prove("Stock # 165531\nReference: 165530", Vehicle("165530"), RULE)


def test_an_empty_field_before_another_label_says_nothing() -> None:
    assert proves("Reference: Stock #: 165530", "165530")


def test_the_head_of_a_table_is_unproven() -> None:
    with pytest.raises(ReportUnproven):
        prove(f"Stock # VIN Mileage\r\n165530 {VIN} 12", Vehicle("165530"), RULE)


def test_a_known_vin_has_to_match() -> None:
    text = document("165530")
    assert proves(f"{text}\nVIN: {VIN}", "165530", VIN)
    assert proves(f"{text}\nVIN: {VIN.lower()}", "165530", VIN)
    assert proves(f"{text}\n(Ford {VIN})", "165530", VIN)
    assert not proves(text, "165530", VIN)
    assert not proves(f"{text}\n{VIN}9", "165530", VIN)


@pytest.mark.parametrize("other", [OTHER_VIN, VIN[:-1] + "6", VIN + "1"])
def test_a_label_with_another_vin_is_a_mismatch_though_the_right_one_stands_elsewhere(other: str) -> None:
    with pytest.raises(ReportMismatch, match="VIN"):
        prove(f"{document('165530')}\nVIN: {other}\nTrade-in of {VIN}", Vehicle("165530", VIN), RULE)


def test_another_vin_without_a_label_is_a_mismatch() -> None:
    with pytest.raises(ReportMismatch, match=OTHER_VIN):
        prove(f"{document('165530')}\n{OTHER_VIN}", Vehicle("165530", VIN), RULE)


def test_a_pattern_stands_in_for_labels() -> None:
    rule = ProofRule(pattern=r"Stock # VIN Mileage (?P<reference>\S+) (?P<vin>\S+)", vin_labels=())
    text = f"Stock # VIN Mileage\r\n165530 {VIN} 12"
    assert proves(text, "165530", VIN, rule)
    assert not proves(text, "16553", VIN, rule)
    assert not proves(text, "165530", OTHER_VIN, rule)
    assert not proves("nothing of the kind", "165530", None, rule)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either reference_labels or pattern"),
        ({"reference_labels": ["Stock #"], "pattern": "(?P<reference>x)"}, "either reference_labels or pattern"),
        ({"reference_labels": ["#"]}, "must hold a letter or digit"),
        ({"pattern": "("}, "not a regular expression"),
        ({"pattern": "x"}, "must have the group"),
        ({"reference_labels": ["Stock #"], "labels": ["x"]}, "Extra inputs"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ProofRule.model_validate(fields)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["Stock # x ", "VIN-", "VIN ", "Stock # ", "Stock #" + ":" * 490_000, ":", "A" * 499_000]
)
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    text = "Stock #" + piece * (500_000 // len(piece))
    assert not proves(text, "7", VIN)


MARKS = ["\u00b9", "\u00b2", "\u2081", "\u00aa", "\u2460", "\ufffd"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("wanted", ["165530", "1655301", "1655302", "165530a"])
def test_a_reference_with_a_footnote_s_mark_proves_no_other_one(mark: str, wanted: str) -> None:
    assert not proves(document(f"165530{mark}"), wanted)
    assert not proves(document(f"{mark}{wanted}"), wanted)


def test_references_that_hold_raised_characters_are_each_their_own() -> None:
    assert longer_references(["12", "12\u00b9", "12\u00b2", "121"]) == {}
    assert proves(document("12\u00b9"), "12\u00b9")
    assert not proves(document("12\u00b2"), "12\u00b9")
    assert not proves(document("121"), "12\u00b9")


def test_a_reference_that_holds_what_stands_for_an_unreadable_character_needs_the_vin() -> None:
    with pytest.raises(ReportUnproven, match="two ways"):
        prove(document("165530\ufffd"), Vehicle("165530\ufffd"), RULE)
    assert proves(document("165530\ufffd") + f"\nVIN: {VIN}", "165530\ufffd", VIN)


@pytest.mark.parametrize("mark", MARKS)
def test_a_vin_with_a_mark_is_none(mark: str) -> None:
    assert not proves(f"{document('165530')}\nVIN: {VIN}{mark}", "165530", VIN)
    assert not proves(f"{document('165530')}\n{VIN[:4]}{mark}{VIN[4:]}", "165530", VIN[4:])


@pytest.mark.parametrize("pattern", [r"Number: (?P<reference>\d+)", r"Number: \D?(?P<reference>[0-9]+)"])
@pytest.mark.parametrize("mark", MARKS)
def test_a_pattern_that_ends_before_a_mark_proves_nothing(pattern: str, mark: str) -> None:
    rule = ProofRule(pattern=pattern)
    assert proves(document("165530"), "165530", rule=rule)
    assert not proves(document(f"165530{mark}"), "165530", rule=rule)
    if "D" in pattern:
        assert not proves(document(f"{mark}165530"), "165530", rule=rule)
