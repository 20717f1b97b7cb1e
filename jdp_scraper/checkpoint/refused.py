"""Remembers that the portal refused a password, so that no later start tries it again and locks the account.

Kept is a salted, slow hash of user and password, from which neither can be had back.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from pathlib import Path

from jdp_scraper.checkpoint.lease import session_path
from jdp_scraper.checkpoint.private_file import PrivateFile
from jdp_scraper.disk import Disk
from jdp_scraper.events import Bus


class RefusedMarker:
    """The marker of one account on one portal; there is none until a password was refused."""

    def __init__(self, download_folder: Path, portal: str, account: str, disk: Disk, bus: Bus) -> None:
        self._file = PrivateFile(session_path(download_folder, portal, account, ".refused.json"), disk)
        self._bus = bus

    async def remember(self, user: str, password: str) -> None:
        """Write down that this password was refused; raises ``StorageError``."""
        salt = secrets.token_bytes(16)
        digest = await asyncio.to_thread(_digest, user, password, salt)
        await self._file.write({"salt": salt.hex(), "digest": digest.hex()})

    async def was_refused(self, user: str, password: str) -> bool:
        """Tell whether this very password was refused.

        A marker that cannot be read counts as a refusal and is told: one more try could lock the account.
        """
        try:
            content = await self._file.read()
            if content is None:
                return False
            salt, digest = bytes.fromhex(content["salt"]), bytes.fromhex(content["digest"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._bus.notice("warning", f"cannot read which password was refused, so none is tried: {self._file.path}")
            return True
        return hmac.compare_digest(digest, await asyncio.to_thread(_digest, user, password, salt))

    async def forget(self) -> None:
        """Remove the marker, after a sign-in that worked or at the user's word; raises ``StorageError``."""
        await self._file.remove()


def _digest(user: str, password: str, salt: bytes) -> bytes:
    secret = f"{user}\0{password}".encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1)
