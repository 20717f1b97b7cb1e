"""Styles and scripts: minified, and under names that change with their content."""

from __future__ import annotations

import re

import pytest

from jdp_scraper.archive.static_files import NAMES, fingerprinted, static_file


@pytest.mark.parametrize("name", NAMES)
def test_minified_is_smaller_and_has_another_name(name: str) -> None:
    whole, small = static_file(name, minify=False), static_file(name, minify=True)
    assert len(small.content) < 0.8 * len(whole.content)
    assert small.path != whole.path
    assert re.fullmatch(r"assets/\w+\.[0-9a-f]{12}\.(css|js)", small.path)
    assert static_file(name, minify=True) == small


def test_a_name_changes_with_its_content() -> None:
    assert fingerprinted("a.css", b"1") != fingerprinted("a.css", b"2")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    text = static_file(name, minify=False).content.decode()
    for way_out in ("http:", "https:", "@import", "url(", "fetch(", "XMLHttpRequest", "import(", "eval("):
        assert way_out not in text


def test_scripts_are_strict_and_have_no_nested_templates_which_the_minifier_does_not_know() -> None:
    for name in NAMES:
        text = static_file(name, minify=False).content.decode()
        if name.endswith(".js"):
            assert text.startswith('"use strict";')
            assert not re.search(r"`[^`]*\$\{[^}`]*`", text)
