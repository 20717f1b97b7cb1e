"""What the next start needs to take up or end a portal session after this process was killed.

The file lies at ``DOWNLOAD_FOLDER/.session/<portal>-<account id>.json`` while a session may be open, and at no other
time or place: it is as good as a password until the sign-out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from jdp_scraper.checkpoint.names import clean_stem
from jdp_scraper.checkpoint.private_file import PrivateFile
from jdp_scraper.disk import Disk
from jdp_scraper.events import Bus

FOLDER = ".session"


class Phase(StrEnum):
    """How far the sign-in had come when the lease was saved."""

    SIGNING_IN = "signing_in"
    SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True)
class SignOutRecipe:
    """How to end the session without a browser: ``fields`` are the form's names and values, which may be secret."""

    method: str
    address: str
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class SessionLease:
    """A portal session; ``cookies`` in Playwright's form, ``saved_at`` with its time zone."""

    origin: str
    phase: Phase
    saved_at: datetime
    cookies: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    sign_out: SignOutRecipe | None = None

    def to_json(self) -> dict[str, object]:
        """Return the lease as JSON values."""
        return {
            "origin": self.origin,
            "phase": self.phase.value,
            "saved_at": self.saved_at.isoformat(),
            "cookies": [dict(cookie) for cookie in self.cookies],
            "sign_out": None if self.sign_out is None else asdict(self.sign_out),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SessionLease:
        """Return the lease that ``to_json`` told; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        return cls(
            origin=data["origin"],
            phase=Phase(data["phase"]),
            saved_at=datetime.fromisoformat(data["saved_at"]),
            cookies=tuple(dict(cookie) for cookie in data["cookies"]),
            sign_out=None if data["sign_out"] is None else _recipe(**data["sign_out"]),
        )


class LeaseFile:
    """Where the lease of one account on one portal is kept."""

    def __init__(self, download_folder: Path, portal: str, account: str, disk: Disk, bus: Bus) -> None:
        self._file = PrivateFile(session_path(download_folder, portal, account, ".json"), disk)
        self._bus = bus
        self._forgotten = False

    @property
    def path(self) -> Path:
        """The file's path, for messages."""
        return self._file.path

    async def load(self) -> SessionLease | None:
        """Return the lease that an earlier process left, if any; an unreadable one is removed aloud."""
        try:
            content = await self._file.read()
            return None if content is None else SessionLease.from_json(content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # Not set aside, as it may hold the secrets of a session; and not named in detail, for the same reason.
            why = error.strerror if isinstance(error, OSError) else type(error).__name__
            self._bus.notice("warning", f"the saved session cannot be read and is removed: {self.path} ({why})")
            await self._file.remove()
            return None

    async def save(self, lease: SessionLease) -> None:
        """Replace the lease, durable on return; raises ``StorageError``.

        After ``forget`` only a lease that is ``signing_in`` is saved: a late cookie must not bring back a session that
        was signed out.
        """
        if self._forgotten and lease.phase is not Phase.SIGNING_IN:
            return
        self._forgotten = False
        await self._file.write(lease.to_json())

    async def forget(self) -> None:
        """Remove the lease, as the session has ended; raises ``StorageError``."""
        self._forgotten = True
        await self._file.remove()


def account_id(portal: str, user: str) -> str:
    """Return a short name of an account that does not tell the user's."""
    return hashlib.sha256(f"{portal}\0{user}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def session_path(download_folder: Path, portal: str, account: str, suffix: str) -> Path:
    """Return the path of a private file of one account on one portal."""
    return download_folder / FOLDER / f"{clean_stem(portal)}-{account}{suffix}"


def _recipe(method: str, address: str, fields: list[tuple[str, str]]) -> SignOutRecipe:
    return SignOutRecipe(method, address, tuple((name, value) for name, value in fields))
