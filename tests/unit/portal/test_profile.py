"""A site profile: what may stand in it, and how a fault in it is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jdp_scraper.errors import ProfileError
from jdp_scraper.portal.profile import SiteProfile
from jdp_scraper.portal.profile_file import built_in_names, load_profile

from .profiles import changed, profile_of, table_of


def toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def saved(folder: Path, table: dict[str, Any], encoding: str = "utf-8") -> str:
    path = folder / "mine.toml"
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in table.items()), encoding=encoding)
    return str(path)


def faults_of(folder: Path, table: dict[str, Any]) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load_profile(saved(folder, table))
    message = str(caught.value)
    assert "\n" not in message
    head, tail = "profile " + str(folder / "mine.toml") + ": ", "; see docs/profiles.md"
    assert message.startswith(head) and message.endswith(tail)
    return re.split(r"; (?=[\w.]+: )", message.removeprefix(head).removesuffix(tail))


@pytest.mark.parametrize("name", ["jdpower", "plain"])
def test_a_built_in_profile_is_known_by_its_name(name: str) -> None:
    assert name in built_in_names()
    assert load_profile(name).name == name


def test_the_built_in_profile_follows_the_portal_to_the_letter() -> None:
    profile = load_profile("jdpower")
    assert profile.origin == "https://extapps.jdpowervalues.com"
    assert profile.sign_in.address == "/ValuesOnline/Home/LicenseAgreement?ReturnUrl=/ValuesOnline/"
    assert (profile.sign_in.user, profile.sign_in.password) == ("#usernameInput", "#passwordInput")
    assert profile.sign_in.submit.css == "#loginButton"
    assert profile.sign_in.in_use and re.search(profile.sign_in.in_use, "An Active Session exists", re.IGNORECASE)
    assert profile.license is not None and profile.license.checkbox == "#agreementCheckBox"
    export, grid = profile.inventory.export, profile.inventory.grid
    assert export is not None
    assert [control.css for control in export.clicks] == [
        "#primaryMenu_DXI4_T",
        "#primaryMenu_DXI4i1_T",
        "#primaryMenu_DXI4i1i2_",
    ]
    assert export.columns.reference == grid.reference.header == "Reference Number"
    assert grid.filter is not None and grid.filter.input == "#StockNumberInput"
    assert (profile.report.address, profile.report.delivered) == ("GetPdfReport", "new_tab")
    assert profile.sign_out.control.css == "#btnLogout"


def test_a_profile_of_the_user_s_own_is_read_from_its_path(tmp_path: Path) -> None:
    table = changed(table_of("plain"), "name", "mine")
    assert load_profile(saved(tmp_path, table)).name == "mine"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert load_profile(saved(tmp_path, table_of("plain"), "utf-8-sig")).name == "plain"


def test_an_unknown_name_is_told_with_the_names_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProfileError) as caught:
        load_profile("jdpwer")
    assert "'jdpwer'" in str(caught.value) and "jdpower, plain" in str(caught.value)


def test_a_path_may_be_without_an_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(saved(tmp_path, table_of("plain"))).rename(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert load_profile("mine").name == "plain"


def test_a_file_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"none\.toml: cannot be read: No such file"):
        load_profile(str(tmp_path / "none.toml"))


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(str(tmp_path))


def test_a_file_that_is_no_toml_is_told_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntitle = mine\n')
    with pytest.raises(ProfileError, match=r"mine\.toml: is no TOML: .*line 2") as caught:
        load_profile(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'title = "Caf\xe9"')
    with pytest.raises(ProfileError, match="is not UTF-8 text"):
        load_profile(str(path))


FAULTS: list[tuple[str, str, Any, str]] = [
    # profile to begin with, path to replace, value (None: taken away), the fault's line
    ("jdpower", "sign_in.usr", "#user", "sign_in.usr: is no key of a profile; misspelled?"),
    ("jdpower", "sing_in", {"address": "/"}, "sing_in: is no key of a profile; misspelled?"),
    ("jdpower", "inventory.grid.filter.inptu", "#x", "inventory.grid.filter.inptu: is no key"),
    ("jdpower", "sign_in", None, "sign_in: Field required"),
    ("jdpower", "inventory.grid", None, "inventory.grid: Field required"),
    ("jdpower", "proof", None, "proof: Field required"),
    ("jdpower", "sign_in.user", "", "sign_in.user: String should have at least 1 character"),
    ("jdpower", "sign_in.signed_in", [], "sign_in.signed_in: "),
    ("jdpower", "sign_in.in_use", "(active", "sign_in.in_use: is no regular expression: "),
    ("jdpower", "inventory.grid.pager", "Page [0-9", "inventory.grid.pager: is no regular expression: "),
    ("jdpower", "inventory.grid.reference.pattern", "(", "inventory.grid.reference.pattern: is no regular expression"),
    ("jdpower", "inventory.grid.reference.pattern", "x+", "inventory.grid.reference: pattern needs a group"),
    ("jdpower", "inventory.grid.reference.css", "td", "inventory.grid.reference: needs either header or css"),
    ("jdpower", "inventory.grid.reference", {}, "inventory.grid.reference: needs either header or css"),
    ("jdpower", "inventory.grid.pages", "/lot?page=", "inventory.grid: pages needs {page}"),
    ("jdpower", "inventory.grid.state", "tab", "inventory.grid.state: Input should be 'page' or 'session'"),
    ("jdpower", "inventory.export.address", "/csv", "inventory.export: needs either clicks or an address"),
    ("jdpower", "inventory.export.clicks", [], "inventory.export: needs either clicks or an address"),
    ("jdpower", "inventory.export.columns.reference", None, "inventory.export.columns.reference: Field required"),
    ("jdpower", "sign_in.address", "ValuesOnline/", "sign_in.address: write the address without the origin"),
    ("jdpower", "sign_in.address", "https://x.example/in", "sign_in.address: write the address without the origin"),
    ("jdpower", "inventory.address", "//x.example/lot", "inventory.address: write the address without the origin"),
    ("jdpower", "report.clicks", [], "report: delivered = 'new_tab' needs clicks and address"),
    ("jdpower", "report.link", "a.pdf", "report: delivered = 'new_tab' needs clicks and address"),
    ("jdpower", "report.address", "pdf", "report.address: String should have at least 4 characters"),
    ("jdpower", "report.delivered", "pigeon", "report.delivered: Input should be "),
    ("plain", "report.link", None, "report: delivered = 'link' needs link"),
    ("plain", "report.address", "valuation", "report: delivered = 'link' needs link, and no address"),
    ("jdpower", "proof.reference_labels", [], "proof: set either reference_labels or pattern"),
    ("jdpower", "sign_out.method", "DELETE", "sign_out.method: Input should be 'GET' or 'POST'"),
    ("jdpower", "name", "J.D. Power", "name: String should match pattern"),
    ("jdpower", "origin", "extapps.jdpowervalues.com", "profile: origin must be like https://portal.example"),
    ("jdpower", "origin", "https://portal.example/app", "profile: origin must be like https://portal.example"),
    ("jdpower", "block.images", "sometimes", "block.images: Input should be a valid boolean"),
    ("jdpower", "vehicle.ready", 7, "vehicle.ready"),
]


@pytest.mark.parametrize(("name", "path", "value", "line"), FAULTS, ids=[f"{one[1]}={one[2]!r}" for one in FAULTS])
def test_a_fault_is_told_as_path_and_message(name: str, path: str, value: Any, line: str, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, changed(table_of(name), path, value))
    assert fault.startswith(line)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    table = changed(changed(table_of("jdpower"), "sign_in.user", None), "sign_in.usr", "#u")
    table = changed(table, "vehicle.open", "by magic")
    assert sorted(fault.partition(":")[0] for fault in faults_of(tmp_path, table)) == [
        "sign_in.user",
        "sign_in.usr",
        "vehicle.open",
    ]


@pytest.mark.parametrize(
    "selector", ["button:has-text('Create PDF')", "text=Next", "xpath=//a", "//a", "form >> button"]
)
@pytest.mark.parametrize("path", ["sign_in.user", "inventory.grid.row", "inventory.grid.link", "report.link"])
def test_a_selector_that_only_playwright_knows_is_refused(selector: str, path: str, tmp_path: Path) -> None:
    name = "plain" if path == "report.link" else "jdpower"
    (fault,) = faults_of(tmp_path, changed(table_of(name), path, selector))
    assert fault.startswith(f"{path}: must be plain CSS")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sign_in.submit", "button:has-text('Sign in')"),
        ("report.clicks", ["button.report", "button:has-text('Create PDF')"]),
        ("inventory.grid.next", {"css": "text=Next"}),
        ("sign_out.control", "//a[@id='out']"),
    ],
)
def test_a_control_that_only_playwright_knows_is_refused_as_well(path: str, value: Any, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, changed(table_of("jdpower"), path, value))
    assert fault.startswith(path) and "must be plain CSS" in fault


@pytest.mark.parametrize(
    "selector", ["a:visible", "li:nth-match(a, 2)", "css=a", "a:text('Next')", "a:text-is('Next')"]
)
def test_other_selectors_of_playwright_s_own_are_refused_too(selector: str, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, changed(table_of("jdpower"), "inventory.grid.link", selector))
    assert fault.startswith("inventory.grid.link: ")


def test_a_control_is_a_selector_or_a_table() -> None:
    profile = profile_of("jdpower", sign_in__submit="#go", sign_out__control={"css": "a", "text": "Log out"})
    assert (profile.sign_in.submit.css, str(profile.sign_in.submit)) == ("#go", "#go")
    assert str(profile.sign_out.control) == "a with the text 'Log out'"


def test_spaces_around_a_value_do_not_count() -> None:
    assert profile_of("jdpower", sign_in__user=" #user ").sign_in.user == "#user"


def test_a_profile_does_not_change() -> None:
    with pytest.raises(ValidationError):
        profile_of().sign_in.user = "#other"  # type: ignore[misc]


def test_what_a_profile_need_not_say() -> None:
    table = table_of("plain")
    profile = SiteProfile.model_validate(table)
    assert profile.license is None and profile.inventory.export is None and profile.inventory.grid.filter is None
    assert profile.block.images and profile.block.fonts and profile.block.hosts == ()
    assert (profile.vehicle.open, profile.report.bound) == ("auto", "page")
