"""Takes a line such as ``2021 Ford F-150 XLT`` apart, as far as it is known where make and model end."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jdp_scraper.pdf.labels import whole_word
from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.pdf.value_rules import BUILT_IN
from jdp_scraper.values.typed import Typed
from jdp_scraper.vehicle import Vehicle

# Makes sold in the United States since 1990; a line that begins with none of them is no vehicle's.
MAKES = tuple(
    """Acura|Alfa Romeo|Aston Martin|Audi|Bentley|BMW|Buick|Cadillac|Chevrolet|Chrysler|Daewoo|Dodge|Eagle|Ferrari|Fiat|
    Fisker|Ford|Freightliner|Genesis|Geo|GMC|Harley-Davidson|Honda|Hummer|Hyundai|Infiniti|Isuzu|Jaguar|Jeep|Kia|
    Lamborghini|Land Rover|Lexus|Lincoln|Lotus|Lucid|Maserati|Maybach|Mazda|McLaren|Mercedes-Benz|Mercury|Mini|
    Mitsubishi|Nissan|Oldsmobile|Plymouth|Polestar|Pontiac|Porsche|Ram|Rivian|Rolls-Royce|Saab|Saturn|Scion|Smart|
    Subaru|Suzuki|Tesla|Toyota|VinFast|Volkswagen|Volvo""".replace("\n", "").split("|")
)
_MAKES = tuple(make.strip() for make in MAKES)
_NAMED = "|".join(whole_word(plain(label)) for rule in BUILT_IN.values() for label in rule.labels)
# What follows a model is no trim where it holds or begins with any of this: another value, or what the line is about.
_NO_TRIM = re.compile(
    rf"(?:{_NAMED})|[:#\[\](){{}}|] ?|- | -|\b(?:reports?|valuations?|values?|continued|page|miles)\b"
    r"|\b(?=\w*\d)[A-HJ-NPR-Z0-9]{11,17}\b",
    re.IGNORECASE,
)
_MODEL_GOES_ON = re.compile(r"\d+(?:[HLX]D)?(?: |$)|[a-z]+(?: |$)")  # as Sierra 1500, or a sentence
_PROSE = re.compile(r"[a-z]{3,}")


def from_titles(titles: Iterable[tuple[int, str]], vehicle: Vehicle | None) -> dict[str, Typed]:
    """Return year, make, model and trim as far as a report's titles tell them, all in one way.

    The model ends where the inventory says so; without it, model and trim stay unknown. A title with another year than
    the inventory's is of something else.
    """
    found = [parts for year, rest in titles if (parts := _parts(year, rest, vehicle))]
    return found[0] if found and all(one == found[0] for one in found) else {}


def _parts(year: int, rest: str, vehicle: Vehicle | None) -> dict[str, Typed]:
    if vehicle is not None and vehicle.year is not None:
        if year != vehicle.year:
            return {}
    elif any(_PROSE.fullmatch(word) for word in rest.split(" ")):
        return {}
    known = plain(vehicle.make) if vehicle is not None and vehicle.make else ""
    for make in (known, *_MAKES):
        if make and (after := _behind(rest, make)) is not None:
            break
    else:
        return {}
    found: dict[str, Typed] = {"year": year, "make": rest[: len(make)]}
    model = plain(vehicle.model) if vehicle is not None and vehicle.model else ""
    if model and make == known and (trim := _behind(after, model)) is not None:
        found["model"] = after[: len(model)]
        if trim and _NO_TRIM.search(trim) is None and _MODEL_GOES_ON.match(trim) is None:
            found["trim"] = trim
    return found


def _behind(text: str, word: str) -> str | None:
    """Return what follows ``word`` at the start of a text, ``None`` where it does not stand there whole."""
    rest = text[len(word) :]
    if text[: len(word)].casefold() != word.casefold() or rest[:1] not in ("", " "):
        return None
    return rest.strip()
