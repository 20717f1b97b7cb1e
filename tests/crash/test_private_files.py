"""The saved session and the refused password under failing operations, power cuts and damaged bytes."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.checkpoint import refused
from jdp_scraper.checkpoint.lease import LeaseFile, Phase, SessionLease, SignOutRecipe
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.errors import StorageError
from jdp_scraper.events import Bus, Event, Notice
from tests.support.disks import Choose, ModelDisk, PowerCut
from tests.support.small_run import STARTED
from tests.support.thorough import thorough

RECIPE = SignOutRecipe("POST", "https://portal.test/out", (("token", "t0ken"),))
COOKIE = {"name": "sid", "value": "s3cret", "domain": "portal.test", "path": "/"}
SIGNING_IN = SessionLease("https://portal.test", Phase.SIGNING_IN, STARTED)
SIGNED_IN = SessionLease("https://portal.test", Phase.SIGNED_IN, STARTED, (COOKIE,), RECIPE)
RENEWED = SessionLease("https://portal.test", Phase.SIGNED_IN, STARTED, ({**COOKIE, "value": "n3w"},), RECIPE)
EIO = OSError(errno.EIO, "Input/output error")
ENOSPC = OSError(errno.ENOSPC, "No space left on device")
MOST = 12  # more operations than a save or a removal has


class Ear(Bus):
    """A bus that remembers what was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.told.append(event.text)


def lease_file(folder: Path, disk: ModelDisk, bus: Bus | None = None) -> LeaseFile:
    return LeaseFile(folder, "jdpower", "x", disk, bus or Bus())


def marker(folder: Path, disk: ModelDisk, bus: Bus | None = None) -> RefusedMarker:
    return RefusedMarker(folder, "jdpower", "x", disk, bus or Bus())


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one is slow on purpose; how well it hides a password is not asked here."""
    monkeypatch.setattr(
        refused, "_digest", lambda user, password, salt: hashlib.sha256(salt + f"{user}\0{password}".encode()).digest()
    )


def damaged(content: bytes) -> list[bytes]:
    """The file cut at every place, and flipped at every bit."""
    cuts = [content[:place] for place in range(len(content))]
    return cuts + [
        content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
        for place in range(len(content))
        for bit in range(8)
    ]


async def test_a_lease_damaged_anywhere_is_told_and_never_taken_for_another(tmp_path: Path) -> None:
    disk = ModelDisk(tmp_path)
    ours = lease_file(tmp_path, disk)
    await ours.save(SIGNED_IN)
    for content in damaged(ours.path.read_bytes()):
        ours.path.write_bytes(content)
        ear = Ear()
        assert await lease_file(tmp_path, disk, ear).load() is None, content
        assert len(ear.told) == 1
        assert list(ours.path.parent.iterdir()) == []


async def test_a_refused_password_is_not_tried_again_wherever_its_marker_is_damaged(tmp_path: Path) -> None:
    disk = ModelDisk(tmp_path)
    await marker(tmp_path, disk).remember("me", "wr0ng")
    assert not await marker(tmp_path, disk).was_refused("me", "right")
    (file,) = (tmp_path / ".session").iterdir()
    for content in damaged(file.read_bytes()):
        file.write_bytes(content)
        ear = Ear()
        assert await marker(tmp_path, disk, ear).was_refused("me", "wr0ng"), content
        assert len(ear.told) == 1


@pytest.mark.parametrize("error", [EIO, ENOSPC, PowerCut()], ids=["EIO", "ENOSPC", "stop dead"])
async def test_whichever_operation_fails_the_lease_is_the_old_or_the_new_one(
    tmp_path: Path, error: BaseException
) -> None:
    steps: list[tuple[Callable[[LeaseFile], Awaitable[None]], SessionLease | None]] = [
        (lambda lease: lease.save(SIGNING_IN), SIGNING_IN),
        (lambda lease: lease.save(SIGNED_IN), SIGNED_IN),
        (lambda lease: lease.forget(), None),
    ]
    for number in range(1, MOST):
        (root := tmp_path / str(number)).mkdir()
        disk = ModelDisk(root)
        old: SessionLease | None = None
        for step, new in steps:
            disk.arm(number, error)
            failed = False
            try:
                await step(lease_file(root, disk))
            except (StorageError, PowerCut):
                failed = True
            disk.disarm()
            assert failed or number > 3
            assert await lease_file(root, disk).load() in ((old, new) if failed else (new,))
            await step(lease_file(root, disk))
            old = new


@thorough(quick=150)
@given(data=st.data())
async def test_no_power_cut_takes_a_lease_that_was_saved_or_brings_back_one_that_was_forgotten(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    disk = ModelDisk(root := tmp_path_factory.mktemp("lease"))
    possible: set[str] = {repr(None)}
    for _ in range(data.draw(st.integers(1, 4), label="starts")):
        ours = lease_file(root, disk)
        for lease in data.draw(st.lists(st.sampled_from([SIGNING_IN, SIGNED_IN, RENEWED, None]), max_size=4)):
            disk.arm(data.draw(st.integers(0, MOST)), data.draw(st.sampled_from([PowerCut(), EIO])))
            possible.add(shown(lease))
            try:
                await (ours.forget() if lease is None else lease_file(root, disk).save(lease))
            except (StorageError, PowerCut):
                break
            possible = {shown(lease)}
        disk.disarm()
        if data.draw(st.booleans(), label="power cut"):
            disk.power_cut(chooser(data))
        ear = Ear()
        assert shown(await lease_file(root, disk, ear).load()) in possible
        assert ear.told == []


def shown(lease: SessionLease | None) -> str:
    return repr(lease and lease.to_json())


@thorough(quick=150)
@given(data=st.data())
async def test_no_power_cut_takes_a_marker_once_remember_has_returned(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    disk = ModelDisk(root := tmp_path_factory.mktemp("marker"))
    for number in range(data.draw(st.integers(1, 4), label="starts")):
        disk.arm(data.draw(st.integers(0, MOST)), data.draw(st.sampled_from([PowerCut(), EIO])))
        with suppress(StorageError, PowerCut):
            await marker(root, disk).remember("me", f"wr0ng {number}")
            disk.disarm()
            if data.draw(st.booleans(), label="power cut"):
                disk.power_cut(chooser(data))
            assert await marker(root, disk).was_refused("me", f"wr0ng {number}")
        disk.disarm()
        if data.draw(st.booleans(), label="power cut"):
            disk.power_cut(chooser(data))


def chooser(data: st.DataObject) -> Choose:
    return lambda choices: data.draw(st.integers(0, choices - 1))
