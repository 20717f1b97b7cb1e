"""The exported inventory, in whatever encoding and shape it comes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.errors import ColumnMissing, InventoryError
from jdp_scraper.portal.inventory import Listing, read_listing, vehicle_of
from jdp_scraper.portal.profile import Columns
from jdp_scraper.vehicle import Vehicle

COLUMNS = Columns(reference="Reference Number", vin="VIN", year="Year", make="Make", model="Model", mileage="Mileage")
HEADER = "Year,Make,Model,VIN,Reference Number,Mileage\n"
ROW = '2021,Citro\u00ebn,C3,vf7sx,165530,"12,345"\n'
CAR = Vehicle("165530", "VF7SX", 2021, "Citro\u00ebn", "C3", 12345)


def references(listing: Listing) -> list[str]:
    return [vehicle.reference for vehicle in listing.vehicles]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_an_export_is_read_with_and_without_a_mark_and_in_the_windows_encoding(encoding: str) -> None:
    assert read_listing((HEADER + ROW).encode(encoding), COLUMNS) == Listing((CAR,))


def test_bytes_that_no_encoding_knows_stop_nothing() -> None:
    (vehicle,) = read_listing(HEADER.encode() + b"2021,Citro\xebn \x81,C3,V,165530,1\n", COLUMNS).vehicles
    assert (vehicle.reference, vehicle.make) == ("165530", "Citro\u00ebn \x81")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_may_be_apart_by_comma_semicolon_or_tab(delimiter: str, end: str) -> None:
    text = end.join(["Year,Make,Reference Number", "2021,Ford,165530", "2020,Kia,165530A"])
    listing = read_listing(text.replace(",", delimiter).encode(), COLUMNS)
    assert [(one.reference, one.year, one.make) for one in listing.vehicles] == [
        ("165530", 2021, "Ford"),
        ("165530A", 2020, "Kia"),
    ]


@pytest.mark.parametrize("titles", ["Vehicle Inventory\n", "Inventory, of today; all\n\nprinted 1;2;3;4\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_title_lines_above_the_header_are_passed_over(titles: str, delimiter: str) -> None:
    text = titles + HEADER.replace(",", delimiter) + "2021;F;M;V;165530;9".replace(";", delimiter)
    assert references(read_listing(text.encode(), COLUMNS)) == ["165530"]


@pytest.mark.parametrize("header", ["reference number", "  Reference   Number ", "REFERENCE NUMBER"])
@pytest.mark.parametrize("title", ["", "Inventory\n"])
def test_a_column_s_name_is_compared_without_case_and_spaces(header: str, title: str) -> None:
    text = f"{title}Year;{header};VIN\n2021;165530;V"
    assert references(read_listing(text.encode(), COLUMNS)) == ["165530"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Year,VIN,Stock\n2021,V,1", "'Year', 'VIN', 'Stock'"),
        ("Year\n", "'Year'"),
        ("", "none, the file is empty"),
        ("\n" * 12 + HEADER, "Reference"),
    ],
)
def test_a_missing_column_is_told_with_the_columns_that_are_there(text: str, found: str) -> None:
    with pytest.raises(ColumnMissing, match="'Reference Number'") as caught:
        read_listing(text.encode(), COLUMNS)
    assert found in str(caught.value)
    assert "inventory.export.columns.reference" in str(caught.value)


def test_of_the_other_columns_none_need_be_there() -> None:
    assert read_listing(b"Reference Number\n165530\n", COLUMNS) == Listing((Vehicle("165530"),))


def test_lines_without_a_reference_are_told_and_empty_lines_are_not() -> None:
    text = "Reference Number,VIN\n1,A\n,B\n\n2,C\n   ,D\n,\n"
    assert read_listing(text.encode(), COLUMNS) == Listing((Vehicle("1", "A"), Vehicle("2", "C")), (3, 6))


def test_a_blank_line_is_told_by_its_place_below_the_titles() -> None:
    assert read_listing(b"Title\nReference Number,VIN\n,B\n", COLUMNS).blank_lines == (3,)


def test_a_short_row_lacks_only_its_last_cells() -> None:
    assert read_listing((HEADER + "2021,Ford\n2020,Kia,Rio,V,7").encode(), COLUMNS) == Listing(
        (Vehicle("7", "V", 2020, "Kia", "Rio"),), (2,)
    )


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks() -> None:
    text = 'Reference Number,Model\n1,"5"" lift,\r\nlong bed"\n"2",plain\n'
    listing = read_listing(text.encode(), COLUMNS)
    assert [(one.reference, one.model) for one in listing.vehicles] == [("1", '5" lift,\r\nlong bed'), ("2", "plain")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [("new\r\nline", "new line"), ("two  \t\u00a0 spaces", "two spaces"), ("nul\0", "nul"), ("\ufeff1\u2028", "1")],
)
def test_a_reference_is_what_a_page_would_show_of_it(written: str, shown: str) -> None:
    listing = read_listing(f'Reference Number,Model\n"{written}",plain\n'.encode(), COLUMNS)
    assert references(listing) == [shown]


def test_what_a_page_would_show_nothing_of_is_no_reference() -> None:
    listing = read_listing('Reference Number,Model\n"\ufeff\u2003\0",plain\n'.encode(), COLUMNS)
    assert listing == Listing((), (2,))


def test_a_quote_that_is_never_closed_is_told() -> None:
    rows = "".join(f"{number},Ford\n" for number in range(20_000))
    with pytest.raises(InventoryError):
        read_listing(f'Reference Number,Model\n0,"5 inch lift\n{rows}'.encode(), COLUMNS)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\ufeff"), min_size=1),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            st.one_of(st.none(), st.integers(0, 10**7)),
        ),
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_what_was_written_is_read(rows: list[tuple[str, str, int | None]], delimiter: str, encoding: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["Model", "Reference Number", "Mileage"])
    writer.writerows(
        (model, reference, "" if mileage is None else f"{mileage:,}") for reference, model, mileage in rows
    )
    listing = read_listing(file.getvalue().encode(encoding), COLUMNS)
    assert [(one.reference, one.model, one.mileage) for one in listing.vehicles] == [
        (reference, model.strip() or None, mileage) for reference, model, mileage in rows
    ]
    assert listing.blank_lines == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2021", 2021),
        ("12,345", 12345),
        ("12 345 mi", 12345),
        ("12'345", 12345),
        ("12345.0", 12345),
        ("\u00a012\u00a0345 miles", 12345),
        ("n/a", None),
        ("", None),
        (None, None),
        (".5", None),
        ("0", 0),
    ],
)
def test_a_number_may_have_separators_and_a_unit(text: str | None, number: int | None) -> None:
    assert vehicle_of({"reference": "1", "mileage": text, "year": text}) == Vehicle("1", year=number, mileage=number)


def test_a_vin_is_written_large_and_what_is_not_told_is_none() -> None:
    assert vehicle_of({"reference": "1", "vin": " 1hgcm8 ", "make": "", "model": "Rio"}) == Vehicle(
        "1", "1HGCM8", model="Rio"
    )
    assert vehicle_of({"reference": "1", "vin": "  "}).vin is None
    assert vehicle_of({"reference": None}).reference == ""
