from __future__ import annotations

import asyncio
import stat
import sys
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.lease import LeaseFile, Phase, SessionLease, SignOutRecipe, account_id
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.errors import StorageError
from tests.support.disks import FaultyDisk

from .helpers import HEADER, Ear

COOKIE = {"name": "sid", "value": "s3cret", "domain": "portal.test", "path": "/", "expires": -1, "httpOnly": True}
RECIPE = SignOutRecipe("POST", "https://portal.test/out", (("token", "t0ken"),))
LEASE = SessionLease(HEADER.origin, Phase.SIGNED_IN, HEADER.started, (COOKIE,), RECIPE)
SIGNING_IN = SessionLease(HEADER.origin, Phase.SIGNING_IN, HEADER.started)


def lease_file(folder: Path, disk: Disk | None = None, ear: Ear | None = None) -> LeaseFile:
    return LeaseFile(folder, "jdpower", account_id("jdpower", "me"), disk or Disk(), (ear or Ear()).bus)


async def test_a_lease_comes_back_as_it_was_until_it_is_forgotten(tmp_path: Path) -> None:
    ours = lease_file(tmp_path)
    assert await ours.load() is None
    for lease in (SIGNING_IN, LEASE):
        await ours.save(lease)
        assert await lease_file(tmp_path).load() == lease
    assert ours.path == tmp_path / ".session" / f"jdpower-{account_id('jdpower', 'me')}.json"
    await ours.forget()
    await ours.forget()
    assert await lease_file(tmp_path).load() is None
    assert list((tmp_path / ".session").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_the_files_are_the_owners_alone_from_the_first_byte(tmp_path: Path) -> None:
    modes: list[int] = []

    class Watching(Disk):
        def open_new(self, path: Path, mode: int | None = None) -> DiskFile:
            file = super().open_new(path, mode)
            modes.append(stat.S_IMODE(path.stat().st_mode))
            return file

    ours = lease_file(tmp_path, Watching())
    ours.path.parent.mkdir()
    ours.path.with_name(ours.path.name + ".tmp").touch(0o644)
    await ours.save(LEASE)
    await RefusedMarker(tmp_path, "jdpower", "x", Watching(), Ear().bus).remember("me", "pass")
    assert modes == [0o600, 0o600]
    assert {stat.S_IMODE(path.stat().st_mode) for path in ours.path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"origin": 1}', b"\xff s3cret", b"null"])
async def test_an_unreadable_lease_is_removed_aloud_and_never_copied(tmp_path: Path, content: bytes) -> None:
    ear = Ear()
    ours = lease_file(tmp_path, ear=ear)
    ours.path.parent.mkdir()
    ours.path.write_bytes(content)
    assert await ours.load() is None
    assert "cannot be read and is removed" in ear.text or content == b"null"
    assert "s3cret" not in ear.text
    if content != b"null":
        assert list(ours.path.parent.iterdir()) == []


async def test_a_late_cookie_does_not_bring_back_a_session_that_was_signed_out(tmp_path: Path) -> None:
    ours = lease_file(tmp_path)
    await ours.save(LEASE)
    await ours.forget()
    await ours.save(LEASE)
    assert not ours.path.exists()
    await ours.save(SIGNING_IN)
    await ours.save(LEASE)
    assert await ours.load() == LEASE


async def test_a_failed_save_keeps_the_old_lease_and_leaves_no_secret_beside_it(tmp_path: Path) -> None:
    await lease_file(tmp_path).save(SIGNING_IN)
    for number in range(2, 6):
        disk = FaultyDisk(number)
        disk.once = True
        with pytest.raises(StorageError):
            await lease_file(tmp_path, disk).save(LEASE)
        assert [path.name for path in lease_file(tmp_path).path.parent.iterdir()] == [lease_file(tmp_path).path.name]
    assert await lease_file(tmp_path).load() == SIGNING_IN


async def test_saves_at_the_same_time_leave_the_last(tmp_path: Path) -> None:
    ours = lease_file(tmp_path)
    leases = [SessionLease(HEADER.origin, Phase.SIGNED_IN, HEADER.started, ({"name": str(n)},)) for n in range(20)]
    await asyncio.gather(*(ours.save(lease) for lease in leases))
    assert await ours.load() == leases[-1]


def test_no_secret_shows_in_a_repr() -> None:
    assert "s3cret" not in repr(LEASE)
    assert "t0ken" not in repr(LEASE)


def test_an_account_is_known_by_a_short_hash() -> None:
    assert account_id("jdpower", "me@x") == account_id("jdpower", "me@x")
    assert len({account_id("jdpower", "me"), account_id("jdpower", "Me"), account_id("other", "me")}) == 3
    assert "me" not in account_id("jdpower", "someone")


async def test_a_refused_password_is_known_again_until_it_is_changed_or_forgotten(tmp_path: Path) -> None:
    def marker() -> RefusedMarker:
        return RefusedMarker(tmp_path, "jdpower", "x", Disk(), Ear().bus)

    assert not await marker().was_refused("me", "wr0ng-pass")
    await marker().remember("me", "wr0ng-pass")
    assert await marker().was_refused("me", "wr0ng-pass")
    assert not await marker().was_refused("me", "right")
    assert not await marker().was_refused("you", "wr0ng-pass")
    (file,) = (tmp_path / ".session").iterdir()
    assert b"wr0ng-pass" not in file.read_bytes()
    await marker().remember("me", "another")
    assert [await marker().was_refused("me", one) for one in ("wr0ng-pass", "another", "right")] == [True, True, False]
    await marker().pardon("me", "another")
    assert [await marker().was_refused("me", one) for one in ("wr0ng-pass", "another")] == [True, False]
    await marker().forget()
    assert not await marker().was_refused("me", "wr0ng-pass")


async def test_a_marker_that_cannot_be_read_counts_as_refused(tmp_path: Path) -> None:
    ear = Ear()
    marker = RefusedMarker(tmp_path, "jdpower", "x", Disk(), ear.bus)
    await marker.remember("me", "pass")
    (file,) = (tmp_path / ".session").iterdir()
    file.write_bytes(b"{")
    assert await marker.was_refused("me", "other")
    assert "none is tried" in ear.text
