"""What must not be written or printed: the secrets of a run, and how a text or a file is cleaned of them.

Whoever learns a secret adds it here. A value is found as it stands and as it looks in an address, in HTML, in JSON and
in base64, also where some of its characters are escaped and others are not.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.entities import codepoint2name
from typing import Any
from urllib.parse import unquote

REMOVED = "[removed]"
LEAST_PASSWORD = 6  # what is shorter would be found in half of all texts
LEAST_COOKIE = 8  # what is shorter is a language or a color; a session's name is longer than that
_LEAST_BASE64 = 8
_PLAIN = re.compile(r"[A-Za-z0-9]+")
# A sign at the end of a query is taken for the sentence's around the address.
_ADDRESS = re.compile(r"""(https?://)(?:[^\s/?#@"'<>]*@)?([^\s?#"'<>]*)(?:[?#][^\s"'<>]*(?<![.,:;)]))?""")


@dataclass(frozen=True, slots=True)
class _Value:
    """One secret: ``anchor`` is a part of it that no encoding changes, so that most texts are done with one search."""

    anchor: str
    pattern: re.Pattern[str]
    base64: tuple[str, ...]
    raw: tuple[bytes, ...]

    @classmethod
    def of(cls, text: str) -> _Value:
        anchor = max(_PLAIN.findall(text), key=len, default="")
        pattern = re.compile("".join(map(_spellings, text)))
        raw = tuple(text.encode(code, "surrogatepass") for code in ("utf-8", "utf-16-le", "utf-16-be"))
        return cls(anchor, pattern, tuple(_base64_forms(text)), raw)


class Secrets:
    """The secrets known so far; may be read by other threads while it grows."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._values: list[_Value] = []

    def add(self, secret: str, least: int = LEAST_PASSWORD) -> None:
        """Take note of a secret; one of fewer than ``least`` characters could not be told from any other text."""
        for text in {secret, unquote(secret)}:
            if len(text) >= least and text not in self._known:
                self._known.add(text)
                self._values.append(_Value.of(text))

    def add_cookies(self, cookies: Iterable[Mapping[str, Any]]) -> None:
        """Take note of cookies' values, in Playwright's form."""
        for cookie in cookies:
            self.add(str(cookie.get("value", "")).strip('"'), LEAST_COOKIE)

    def found_in(self, text: str) -> bool:
        """Tell whether a text holds any of them."""
        return self.clean(text) != text

    def clean(self, text: str) -> str:
        """Return a text without them."""
        return self._clean(text, lambda _: REMOVED)

    def message(self, text: str) -> str:
        """Return a line for people or the log without them; its addresses lose user and query, which may be secret."""
        return _ADDRESS.sub(r"\1\2", self.clean(text))

    def clean_bytes(self, data: bytes) -> bytes:
        """Return a file's content without them; what is no text keeps its length."""
        try:
            text = None if b"\0" in data else data.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        if text is not None:
            return self.clean(text).encode("utf-8")
        for value in self._values:
            for form in value.raw:
                data = data.replace(form, b"x" * len(form))
        return self._clean(data.decode("latin-1"), lambda found: "x" * len(found[0])).encode("latin-1")

    def clean_json(self, content: Any) -> Any:
        """Return JSON values whose texts are without them."""
        if isinstance(content, str):
            return self.clean(content)
        if isinstance(content, list):
            return [self.clean_json(one) for one in content]
        if isinstance(content, dict):
            return {self.clean(str(name)): self.clean_json(one) for name, one in content.items()}
        return content

    def _clean(self, text: str, replacement: Any) -> str:
        for value in self._values:
            if value.anchor in text:
                text = value.pattern.sub(replacement, text)
            for form in value.base64:
                if form in text:
                    text = text.replace(form, "A" * len(form))  # what is around it can still be decoded
        return text


def _spellings(char: str) -> str:
    """Return a pattern of all the ways in which a character is written, each with its own signs escaped once more."""
    if _PLAIN.fullmatch(char):
        return char
    number = ord(char)
    ways = [re.escape(char), f"{_AND}{_HASH}0*{number}{_END}", f"{_AND}{_HASH}[xX]0*{_hex(f'{number:x}')}{_END}"]
    names = ([codepoint2name[number]] if number in codepoint2name else []) + (["apos"] if char == "'" else [])
    ways += [f"{_AND}{name}{_END}" for name in names]
    if char == " ":
        ways.append(_PLUS)
    if number < 256:
        ways += [f"{_PERCENT}{_hex(f'{number:02x}')}", f"{_BACKSLASH}x{_hex(f'{number:02x}')}"]
    if number > 127:
        ways.append("".join(f"{_PERCENT}{_hex(f'{byte:02x}')}" for byte in char.encode("utf-8", "surrogatepass")))
    units = char.encode("utf-16-be", "surrogatepass").hex()
    ways.append("".join(f"{_BACKSLASH}u{_hex(units[at : at + 4])}" for at in range(0, len(units), 4)))
    return f"(?:{_BACKSLASH})?(?:{'|'.join(ways)})"


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _sign(char: str, name: str = "") -> str:
    """Return a pattern of a sign that begins or ends an escape, as it is or escaped itself."""
    code = f"{ord(char):02x}"
    named = f"|&{name};" if name else ""
    return rf"(?:{re.escape(char)}|%(?:25)*{_hex(code)}|&#{ord(char)};|&#[xX]{_hex(code)};|\\+u00{_hex(code)}{named})"


_AND = f"{_sign('&')}(?:amp{_sign(';')})*"
_HASH = _sign("#", "num")
_END = f"{_sign(';')}?"
_PERCENT = f"{_sign('%', 'percnt')}(?:25)*"
_PLUS = _sign("+", "plus")
_BACKSLASH = f"{_sign(chr(92), 'bsol')}+"


def _base64_forms(text: str) -> Iterable[str]:
    """Yield what stands in base64 wherever ``text`` is a part of what was encoded, at any of the three alignments."""
    content = text.encode("utf-8", "surrogatepass")
    found: dict[str, None] = {}
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + content).decode("ascii").rstrip("=")
        first = (0, 2, 3)[before]  # these hold bits of what stands before
        last = len(coded) - (1 if (before + len(content)) % 3 else 0)  # and this of what follows
        form = coded[first:last]
        if len(form) >= _LEAST_BASE64:
            found[form] = found[form.translate(str.maketrans("+/", "-_"))] = None
    return found
