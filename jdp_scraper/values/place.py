"""Where values are read: a run, with its inventory and its profile's rules, or a folder of PDFs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jdp_scraper.catalog.sources import Source, pdfs_below
from jdp_scraper.checkpoint.records import RunHeader, TaskState
from jdp_scraper.checkpoint.recovery import recover
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import storage_errors
from jdp_scraper.errors import ProfileError
from jdp_scraper.pdf.value_rules import FieldType
from jdp_scraper.portal.profile import SiteProfile
from jdp_scraper.portal.profile_file import load_profile, profile_named
from jdp_scraper.vehicle import Vehicle, assign_keys


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A PDF: ``name`` is its path in its place, with slashes; ``vehicle`` is whose it is, where a run says so.

    ``sha256`` is that of the content by which that was proven.
    """

    path: Path
    name: str
    vehicle: Vehicle | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A run or a folder, with its files in their order; ``rules`` is the JSON text for ``extract_file``.

    ``inventory`` and ``header`` are a run's; ``own_fields`` are those of the profile that are not built in.
    """

    source: Source
    files: tuple[ReportFile, ...]
    rules: str
    own_fields: Mapping[str, FieldType]
    header: RunHeader | None = None
    inventory: Mapping[str, Vehicle] = field(default_factory=dict)


async def open_place(source: Source, portal: str, rules_from: str | None) -> Place:
    """Read a place without changing it; the rules are those of ``rules_from``, else of the run's own portal.

    ``portal`` is the setting. Raises ``RunFolderError``, ``InventoryError``, ``ProfileError``, ``StorageError``.
    """
    if source.is_run:
        return await _open_run(source, portal, rules_from)
    rules = await asyncio.to_thread(rules_of, None, portal, rules_from)
    paths = await asyncio.to_thread(_pdfs, source)
    files = (ReportFile(path, path.relative_to(source.path).as_posix()) for path in paths)
    return Place(source, tuple(files), *rules)


def out_of(source: Source) -> Path:
    """Return the folder for what is written of a place alone."""
    return RunFolder(source.path).data if source.is_run else source.path


def rules_of(made_with: str | None, portal: str, rules_from: str | None) -> tuple[str, dict[str, FieldType]]:
    """Return the rules of a place, and its own fields; ``made_with`` is the portal of a run, ``None`` for a folder.

    Blocks, raises ``ProfileError``.
    """
    # One that cannot be read is told: with another one of the run's portal, a user's own fields would only be missing.
    profile: SiteProfile | None = load_profile(rules_from or portal)
    if rules_from is None and made_with is not None and profile is not None and profile.name != made_with:
        profile = profile_named(made_with, made_with)
    if profile is None:
        raise ProfileError(f"the run was made with the profile {made_with!r}: name its file with --portal")
    return _rules(profile)


async def read_run(path: Path) -> tuple[RunHeader, dict[str, Vehicle], list[ReportFile]]:
    """Return a run's header, its inventory by key, and its reports; raises ``RunFolderError``, ``InventoryError``."""
    folder = RunFolder(path)
    state = (await asyncio.to_thread(recover, folder.data)).state
    inventory = assign_keys(await folder.load_inventory(state.header.inventory_sha256))
    pdfs = folder.pdfs
    files = [
        ReportFile(pdfs / record.file, f"{pdfs.name}/{record.file}", inventory.get(key), record.sha256)
        for key, record in state.records.items()
        if record.file is not None and record.state is TaskState.DONE
    ]
    return state.header, inventory, files


async def _open_run(source: Source, portal: str, rules_from: str | None) -> Place:
    header, inventory, files = await read_run(source.path)
    rules = await asyncio.to_thread(rules_of, header.portal, portal, rules_from)
    return Place(source, tuple(files), *rules, header, inventory)


def _pdfs(source: Source) -> list[Path]:
    with storage_errors(str(source.path)):
        return list(pdfs_below(source))


def _rules(profile: SiteProfile) -> tuple[str, dict[str, FieldType]]:
    proof = profile.proof
    told: dict[str, Any] = profile.values.to_json(proof.reference_labels, proof.vin_labels)
    return json.dumps(told), {name: rule.type for name, rule in profile.values.fields.items()}
