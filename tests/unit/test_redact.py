"""Secrets are found however they are written."""

from __future__ import annotations

import base64
import html
import itertools
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jdp_scraper.events import Bus, Event, Notice, TaskFailed, TaskReturned
from jdp_scraper.redact import REMOVED, Secrets

PASSWORD = "p@ss\"w<rd&%41' \u00fc/+=\\x"
WAYS: dict[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "html": html.escape,
    "html, but for quotes": lambda text: html.escape(text, quote=False),
    "html by numbers": lambda text: "".join(one if one.isalnum() else f"&#{ord(one)};" for one in text),
    "html by hexadecimal numbers": lambda text: "".join(one if one.isalnum() else f"&#x{ord(one):X};" for one in text),
    "address": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "javascript": lambda text: "".join(one if one.isalnum() else f"\\u{ord(one):04X}" for one in text),
    "as it is": str,
}


def knowing(*secrets: str) -> Secrets:
    found = Secrets()
    for secret in secrets:
        found.add(secret)
    return found


@pytest.mark.parametrize(("first", "second"), list(itertools.product(WAYS, WAYS)))
def test_a_secret_is_removed_in_each_way_of_writing_and_in_one_within_another(first: str, second: str) -> None:
    written = WAYS[second](WAYS[first](PASSWORD))
    cleaned = knowing(PASSWORD).clean(f"before {written} behind")
    assert "rd" not in cleaned.replace(REMOVED, "")
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" behind")


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_can_still_be_decoded_and_tells_nothing(before: int, encode: Callable[[bytes], bytes]) -> None:
    text = encode(b"u" * before + PASSWORD.encode() + b" and more").decode("ascii")
    cleaned = knowing(PASSWORD).clean(text)
    assert len(cleaned) == len(text)
    plain = base64.urlsafe_b64decode(cleaned.replace("+", "-").replace("/", "_"))
    assert b"w<rd" not in plain
    assert plain.endswith(b" and more")


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "utf-16-be"])
def test_what_is_no_text_keeps_its_length(code: str) -> None:
    data = b"\x89PNG\xff\0" + PASSWORD.encode(code) + b"\0\xfe"
    cleaned = knowing(PASSWORD).clean_bytes(data)
    assert len(cleaned) == len(data)
    assert PASSWORD.encode(code) not in cleaned
    assert cleaned[:6] == data[:6]


def test_keys_and_values_of_json_are_cleaned_and_nothing_else() -> None:
    content = {"a": [1, None, True, f"x{PASSWORD}"], PASSWORD: {"b": 2.5}}
    assert knowing(PASSWORD).clean_json(content) == {"a": [1, None, True, f"x{REMOVED}"], REMOVED: {"b": 2.5}}


def test_what_is_too_short_to_be_told_from_other_text_is_left() -> None:
    secrets = knowing("ab")
    secrets.add_cookies([{"name": "lang", "value": "english"}, {"name": "sid", "value": "0123456789"}])
    assert secrets.clean("about english 0123456789") == f"about english {REMOVED}"


def test_a_message_loses_user_and_query_of_its_addresses() -> None:
    secrets = Secrets()
    assert secrets.message("net::ERR at https://u:p@portal.example:8/a/b?token=1#x (again)") == (
        "net::ERR at https://portal.example:8/a/b (again)"
    )
    assert secrets.message("(see https://c/d?e=1;f=2), or http://c/d#e; then http://c/?d: no") == (
        "(see https://c/d), or http://c/d; then http://c/: no"
    )
    assert secrets.message("'http://127.0.0.1:1/a?b' and http://c/") == "'http://127.0.0.1:1/a' and http://c/"


def test_no_event_carries_a_secret() -> None:
    bus, heard = Bus(), list[Event]()
    bus.subscribe(heard.append)
    bus.secrets.add(PASSWORD)
    bus.notice("info", f"said {PASSWORD}")
    bus.publish(TaskReturned("7", 1, "PageLost", PASSWORD, 2.0))
    bus.publish(TaskFailed("7", 1, "PageLost", f"at http://h/p?{quote(PASSWORD)}"))
    assert heard == [
        Notice("info", f"said {REMOVED}"),
        TaskReturned("7", 1, "PageLost", REMOVED, 2.0),
        TaskFailed("7", 1, "PageLost", "at http://h/p"),
    ]


@given(st.text(min_size=8, max_size=40), st.text(max_size=60))
def test_cleaning_leaves_no_secret_and_can_be_done_again(secret: str, around: str) -> None:
    assume(secret not in REMOVED)  # what stands in place of a secret would hold it
    secrets = knowing(secret)
    cleaned = secrets.clean(f"{around}{secret}{around}")
    assert secret not in cleaned
    assert secrets.clean_bytes(cleaned.encode("utf-8", "replace")) == secrets.clean(cleaned).encode("utf-8", "replace")
