"""Command-line options of the demo portal, made from the fields of DemoOptions."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .options import DemoOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--port` and one option for each field of DemoOptions to a parser."""
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--options", metavar="JSON", help="all options at once, as a JSON object")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input ends")
    hints = get_type_hints(DemoOptions, include_extras=True)
    for field in dataclasses.fields(DemoOptions):
        hint, text = get_args(hints[field.name])
        settings: dict[str, Any] = {"dest": f"demo_{field.name}", "default": None, "help": _help(field, text)}
        if get_origin(hint) is Literal:
            settings["choices"] = get_args(hint)
        elif hint is bool:
            settings["action"] = argparse.BooleanOptionalAction
        elif field.name in ("references", "fault_rate"):
            settings |= {"action": "append", "metavar": "REF" if field.name == "references" else "KIND=RATE"}
        else:
            settings |= {"type": hint, "metavar": field.name.upper()}
        parser.add_argument(flag_of(field.name), **settings)


def flag_of(field_name: str) -> str:
    """Give the command-line flag of a field: `lockout_s` is `--lockout`, `references` is `--reference`."""
    special = {"references": "reference", "fault_rate": "fault"}
    return "--" + special.get(field_name, field_name.removesuffix("_s")).replace("_", "-")


def options_from(args: argparse.Namespace) -> DemoOptions:
    """Give the DemoOptions that parsed arguments ask for. Raises ValueError for a value that makes no sense."""
    values: dict[str, Any] = {}
    if args.options:
        loaded = json.loads(args.options)
        if not isinstance(loaded, dict):
            raise ValueError("options: must be a JSON object")
        values.update(loaded)
    for field in dataclasses.fields(DemoOptions):
        given = getattr(args, f"demo_{field.name}")
        if given is not None:
            values[field.name] = dict(map(_rate, given)) if field.name == "fault_rate" else given
    return DemoOptions().changed(values)


def _rate(text: str) -> tuple[str, float]:
    kind, _, rate = text.partition("=")
    try:
        return kind, float(rate)
    except ValueError:
        raise ValueError(f"fault: {text} is not KIND=RATE") from None


def _help(field: dataclasses.Field[Any], text: str) -> str:
    repeated = field.name in ("references", "fault_rate")
    return text if repeated or field.default in ("", dataclasses.MISSING) else f"{text} (default: {field.default})"
