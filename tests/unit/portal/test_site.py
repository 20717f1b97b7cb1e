"""The portal's origin, and what is told of a page by its HTML or its address alone."""

from __future__ import annotations

import pytest

from jdp_scraper.portal.profile import Control
from jdp_scraper.portal.site import Site, as_arg

from .profiles import profile_of

SITE = Site(profile_of(), "https://portal.example")


def test_the_setting_s_origin_replaces_the_profile_s() -> None:
    assert Site(profile_of()).origin == "https://extapps.jdpowervalues.com"
    assert SITE.url("/ValuesOnline/vehicle/") == "https://portal.example/ValuesOnline/vehicle/"
    assert Site(profile_of(), "http://127.0.0.1:8000").url("/a?b=/c") == "http://127.0.0.1:8000/a?b=/c"


@pytest.mark.parametrize(
    "url",
    [
        "https://portal.example",
        "https://portal.example/",
        "https://portal.example/a/b?c#d",
        "https://portal.example:443/a",
        "https://PORTAL.example/a",
        "HTTPS://portal.example/a",
    ],
)
def test_an_address_at_the_origin_is_the_portal_s_own(url: str) -> None:
    assert SITE.is_own(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/",
        "https://portal.example:8443/",
        "https://portal.example:80/",
        "https://www.portal.example/",
        "https://portal.example.evil.example/",
        "https://portal.example@evil.example/",
        "https://portal.example:443@evil.example/",
        "https://user:secret@portal.example/",
        "https://evil.example\\@portal.example/",
        "https://evil.example/?https://portal.example/",
        "https://evil.example#@portal.example/",
        "https://evil.example\\@portal.example.evil.example/",
        "//portal.example/a",
        "/a",
        "",
        "javascript:void(0)",
        "data:text/html,portal.example",
        "blob:https://portal.example/7",
        "ftp://portal.example/",
    ],
)
def test_an_address_anywhere_else_is_not(url: str) -> None:
    assert not SITE.is_own(url)


@pytest.mark.parametrize("url", ["https://portal.example:port/", "https://portal.example:99999/", "https://[portal/"])
def test_what_is_no_address_is_nobody_s(url: str) -> None:
    assert not SITE.is_own(url)


def test_the_port_counts() -> None:
    site = Site(profile_of(), "http://127.0.0.1:8000")
    assert site.is_own("http://127.0.0.1:8000/a")
    assert not site.is_own("http://127.0.0.1:8001/a")
    assert not site.is_own("http://127.0.0.1/a")
    assert not site.is_own("http://localhost:8000/a")


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<form><input id='passwordInput' type=password></form>", True),
        ("<p>Your report</p>", False),
        ("<!-- <input id='passwordInput'> -->", False),
        ("<p>#passwordInput</p>", False),
    ],
)
def test_a_page_is_the_sign_in_by_its_form_whatever_its_address(html: str, shown: bool) -> None:
    assert SITE.is_sign_in(html) is shown
    assert SITE.shows_sign_in(html, SITE.url("/elsewhere")) is shown
    assert SITE.shows_sign_in(html, SITE.url(SITE.profile.sign_in.address)) is shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/ValuesOnline/Home/LicenseAgreement?ReturnUrl=/ValuesOnline/vehicle/", True),
        ("/ValuesOnline/Home/LicenseAgreement", True),
        ("/ValuesOnline/Home/LicenseAgreement/", False),
        ("/ValuesOnline/vehicle/?from=/ValuesOnline/Home/LicenseAgreement", False),
    ],
)
def test_without_a_page_the_address_alone_decides(address: str, shown: bool) -> None:
    assert SITE.shows_sign_in("", SITE.url(address)) is shown


def test_a_control_is_given_to_the_scripts_as_plain_values() -> None:
    assert as_arg(None) is None
    assert as_arg(Control(css="a", text="Next")) == {"css": "a", "text": "Next", "contains": None}
