"""Takes a line such as ``2021 Ford F-150 XLT`` apart, as far as it is known where make and model end."""

from __future__ import annotations

from collections.abc import Iterable

from jdp_scraper.pdf.plain_text import plain
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


def from_titles(titles: Iterable[tuple[int, str]], vehicle: Vehicle | None) -> dict[str, Typed]:
    """Return year, make, model and trim as far as a report's titles tell them, all in one way.

    The model ends where the inventory says so; without it, model and trim stay unknown.
    """
    found = [parts for year, rest in titles if (parts := _parts(year, rest, vehicle))]
    return found[0] if found and all(one == found[0] for one in found) else {}


def _parts(year: int, rest: str, vehicle: Vehicle | None) -> dict[str, Typed]:
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
        if trim:
            found["trim"] = trim
    return found


def _behind(text: str, word: str) -> str | None:
    """Return what follows ``word`` at the start of a text, ``None`` where it does not stand there whole."""
    rest = text[len(word) :]
    if text[: len(word)].casefold() != word.casefold() or rest[:1] not in ("", " "):
        return None
    return rest.strip()
