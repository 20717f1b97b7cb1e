"""Vehicle identification numbers, proven by their check digit.

Alphabet: ISO 3779, without I, O and Q. Values of characters, weights of places and the check digit in place 9: 49 CFR
565.15(c).
"""

from __future__ import annotations

LENGTH = 17
_VALUES = {
    **{digit: int(digit) for digit in "0123456789"},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMNPR", (1, 2, 3, 4, 5, 7, 9), strict=True)),
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_AT = 8


def is_vin(text: str) -> bool:
    """Tell whether a text is a VIN in upper case whose check digit is right."""
    if len(text) != LENGTH or any(character not in _VALUES for character in text):
        return False
    rest = sum(_VALUES[character] * weight for character, weight in zip(text, _WEIGHTS, strict=True)) % 11
    return text[_CHECK_AT] == ("X" if rest == 10 else str(rest))
