from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.checkpoint.names import assign_file_names, clean_stem, stem_of
from jdp_scraper.vehicle import Vehicle, assign_keys

VIN = "1FTFW1E50NFA00001"
MADE = re.compile(r"~[0-9a-f]{8,64}\.pdf$")


def names_of(*vehicles: Vehicle) -> list[str]:
    return list(assign_file_names(assign_keys(vehicles)).values())


@pytest.mark.parametrize("reference", ["165530A", "165530", "A 12", "a.b-c_d", "P(1)", "75"])
def test_a_plain_reference_keeps_its_text(reference: str) -> None:
    assert names_of(Vehicle(reference)) == [f"{reference}.pdf"]


def test_a_reference_that_stands_twice_gets_the_second_ones_vin() -> None:
    assert names_of(Vehicle("dup", "1FTFW1E50NFA00000"), Vehicle("dup", VIN)) == ["dup.pdf", f"dup~{VIN}.pdf"]


def test_references_that_differ_by_case_alone_get_names_that_do_not() -> None:
    with_vin = names_of(Vehicle("165500A"), Vehicle("165500a", VIN))
    assert with_vin == ["165500A.pdf", f"165500a~{VIN}.pdf"]
    plain, made = names_of(Vehicle("165500A"), Vehicle("165500a"))
    assert plain == "165500A.pdf"
    assert made.startswith("165500a~")
    assert MADE.search(made)


def test_references_that_differ_by_normalization_alone_get_two_names() -> None:
    first, second = names_of(Vehicle("caf\u00e9"), Vehicle("cafe\u0301"))
    assert first.startswith("cafe~")
    assert second.startswith("cafe~")
    assert first != second


HOSTILE = [
    "../../etc/passwd",
    "A/B 12",
    "A\\B",
    "CON",
    "con.txt",
    "con .x",
    "LPT1",
    "x" * 300,
    "\x00\x07\n",
    "\u202egnp.165",
    ".hidden",
    "trailing ",
    "trailing.",
    "",
    " ",
    "..",
    "~",
    "C:",
    "a~1",
    "\U0001f697",
    "\ud800",
    "-rf",
    'a"b<c>|?*',
]


@pytest.mark.parametrize("reference", HOSTILE)
def test_a_hostile_reference_gets_a_made_name_inside_the_folder(reference: str, tmp_path: Path) -> None:
    (name,) = names_of(Vehicle(reference))
    assert MADE.search(name)
    check_safe(name)
    path = tmp_path / name
    path.write_bytes(b"x")
    assert [found.name for found in tmp_path.iterdir()] == [name]


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from([*HOSTILE, "165500A", "165500a", "con", "Dup"]))))
def test_any_references_get_safe_names_unique_without_case_and_the_same_each_time(references: list[str]) -> None:
    keyed = assign_keys(Vehicle(reference, str(number)) for number, reference in enumerate(references))
    names = assign_file_names(keyed)
    assert list(names) == list(keyed)
    assert len({name.lower() for name in names.values()}) == len(keyed)
    assert names == assign_file_names(keyed)
    for name in names.values():
        check_safe(name)


def check_safe(name: str) -> None:
    stem = stem_of(name)
    assert name == stem + ".pdf"
    assert len(name.encode("ascii")) <= 150
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9 ._+,()&=~-]*", stem)
    assert not stem.endswith((" ", "."))
    assert stem.partition(".")[0].strip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}


def test_a_cleaned_stem_stays_readable() -> None:
    assert clean_stem("../../etc/passwd") == "etc_passwd"
    assert clean_stem("A/B 12") == "A_B 12"
    assert clean_stem("\u202e") == "report"
