"""What a checkpoint holds: the run's header, and one record for each key of the inventory."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from jdp_scraper.checkpoint.sealed import Entry
from jdp_scraper.errors import RunFolderError

VERSION = 1


class TaskState(enum.StrEnum):
    """How far a vehicle is, as far as it is written down."""

    TODO = "todo"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A vehicle's outcome; ``size`` in bytes, ``seconds`` of the last attempt, ``finished_at`` with its time zone.

    ``flags`` tell what the PDF holds beside its pages, and ``proven_by`` how a PDF without any text was proven.
    """

    state: TaskState = TaskState.TODO
    attempts: int = 0
    file: str | None = None
    size: int | None = None
    sha256: str | None = None
    flags: tuple[str, ...] = ()
    proven_by: str | None = None
    error: str | None = None
    message: str | None = None
    seconds: float | None = None
    finished_at: datetime | None = None

    def to_json(self) -> Entry:
        """Return the fields that differ from an untouched task's."""
        if self == _UNTOUCHED:  # as most are in a large inventory of which little is wanted
            return {}
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        told = {name: value for name, value in values.items() if value != getattr(_UNTOUCHED, name)}
        if self.finished_at is not None:
            told["finished_at"] = self.finished_at.isoformat()
        return told

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaskRecord:
        """Return the record that ``to_json`` told; raises ``TypeError`` or ``ValueError``."""
        values = dict(data)
        if "state" in values:
            values["state"] = TaskState(values["state"])
        values["flags"] = tuple(values.get("flags", ()))
        if "finished_at" in values:
            values["finished_at"] = datetime.fromisoformat(values["finished_at"])
        return cls(**values)


_UNTOUCHED = TaskRecord()


@dataclass(frozen=True, slots=True)
class Goal:
    """What the run is meant to fetch: the first ``maximum`` vehicles (0: all), or only these keys or references."""

    maximum: int = 0
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Whose run it is and what for; ``account`` is ``account_id``'s hash, ``started`` has its time zone.

    ``proof`` is the profile's rule by which its PDFs are proven, as JSON values, so that the run can be verified
    wherever it lies; ``None`` in a run that was begun before this was written down.
    """

    portal: str
    origin: str
    account: str
    started: datetime
    goal: Goal = Goal()
    inventory_sha256: str = ""
    finished: bool = False
    proof: Mapping[str, Any] | None = None

    def to_json(self) -> Entry:
        """Return all fields as JSON values."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        goal = {"maximum": self.goal.maximum, "only": list(self.goal.only)}
        return values | {"started": self.started.isoformat(), "goal": goal}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunHeader:
        """Return the header that ``to_json`` told; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        goal = Goal(data["goal"]["maximum"], tuple(data["goal"]["only"]))
        return cls(**{**data, "goal": goal, "started": datetime.fromisoformat(data["started"])})


@dataclass(slots=True)
class State:
    """A checkpoint's whole content after entry number ``sequence``."""

    sequence: int
    header: RunHeader
    records: dict[str, TaskRecord]

    def to_entry(self) -> Entry:
        """Return the state as the entry that a snapshot is and a journal begins with."""
        records = {key: record.to_json() for key, record in self.records.items()}
        return {"kind": "state", "version": VERSION, "header": self.header.to_json(), "records": records}

    @classmethod
    def from_entry(cls, entry: Entry) -> State:
        """Return the state that ``to_entry`` told, under the number of its line."""
        records = {key: TaskRecord.from_json(record) for key, record in entry["records"].items()}
        return cls(entry["seq"], RunHeader.from_json(entry["header"]), records)

    def apply(self, number: int, entry: Entry) -> None:
        """Take in a journal's entry; raises ``ValueError`` for one of an unknown kind."""
        match entry["kind"]:
            case "task":
                self.records[entry["key"]] = TaskRecord.from_json(entry["record"])
            case "header":
                self.header = RunHeader.from_json(entry["header"])
            case kind:
                raise ValueError(f"unknown kind of entry: {kind}")
        self.sequence = number


def check_version(entry: Entry) -> None:
    """Raise ``RunFolderError`` for a state that a newer program has written."""
    if entry["version"] > VERSION:
        raise RunFolderError(
            f"the run was written by a newer jdp-scraper (format {entry['version']}, this one knows {VERSION}): "
            "update it, or begin another run with --new"
        )
