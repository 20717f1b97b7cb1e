"""Remembers that the portal refused a password, so that no later start tries it again and locks the account.

Kept are salted, slow hashes of user and password, from which neither can be had back.
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

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


class RefusedMarker:
    """The marker of one account on one portal, of every password refused since a sign-in worked last."""

    def __init__(self, download_folder: Path, portal: str, account: str, disk: Disk, bus: Bus) -> None:
        self._file = PrivateFile(session_path(download_folder, portal, account, ".refused.json"), disk)
        self._bus = bus

    async def remember(self, user: str, password: str) -> None:
        """Write down that this password was refused; raises ``StorageError``."""
        try:
            salt, digests = await self._read()
        except _UNREADABLE:
            salt, digests = secrets.token_bytes(16), []
        digest = await asyncio.to_thread(_digest, user, password, salt)
        await self._write(salt, [*(each for each in digests if each != digest), digest])

    async def was_refused(self, user: str, password: str) -> bool:
        """Tell whether this very password was refused.

        A marker that cannot be read counts as a refusal and is told: one more try could lock the account.
        """
        try:
            salt, digests = await self._read()
        except _UNREADABLE:
            self._bus.notice("warning", f"cannot read which password was refused, so none is tried: {self._file.path}")
            return True
        if not digests:
            return False
        digest = await asyncio.to_thread(_digest, user, password, salt)
        return any(hmac.compare_digest(each, digest) for each in digests)

    async def pardon(self, user: str, password: str) -> None:
        """Forget this one password, as the portal has not refused it this time; raises ``StorageError``."""
        try:
            salt, digests = await self._read()
        except _UNREADABLE:
            await self.forget()  # it was tried at the user's word
            return
        digest = await asyncio.to_thread(_digest, user, password, salt) if digests else b""
        if digest in digests:
            await self._write(salt, [each for each in digests if each != digest])

    async def forget(self) -> None:
        """Remove the marker, after a sign-in that worked; raises ``StorageError``."""
        await self._file.remove()

    async def _read(self) -> tuple[bytes, list[bytes]]:
        """Return the salt and the digests, a new salt where there are none; raises one of ``_UNREADABLE``."""
        content = await self._file.read()
        if content is None:
            return secrets.token_bytes(16), []
        return bytes.fromhex(content["salt"]), [bytes.fromhex(each) for each in content["digests"]]

    async def _write(self, salt: bytes, digests: list[bytes]) -> None:
        await self._file.write({"salt": salt.hex(), "digests": [each.hex() for each in digests]})


def _digest(user: str, password: str, salt: bytes) -> bytes:
    secret = f"{user}\0{password}".encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1)
