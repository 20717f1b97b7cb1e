"""A small SQLite database of what can be made again: one that is of another version, or damaged, begins anew."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiosqlite

from jdp_scraper.disk import Disk
from jdp_scraper.errors import DiskFull, StorageError

_BUSY_S = 30.0
_SIDES = ("-wal", "-shm", "-journal")


@asynccontextmanager
async def open_database(path: Path, schema: str, version: int, disk: Disk) -> AsyncIterator[aiosqlite.Connection]:
    """Open a database of this schema, empty where it is not of this version; raises ``StorageError``.

    Whoever writes commits; nothing that is not committed stays.
    """
    await asyncio.to_thread(disk.make_folder, path.parent)
    with database_errors(path):
        connection = await _connect(path, schema, version, disk)
        try:
            yield connection
        finally:
            await connection.close()


def remove_database(path: Path, disk: Disk) -> None:
    """Remove a database with all that belongs to it, if it is there; blocks, raises ``StorageError``."""
    for name in (path.name, *(path.name + side for side in _SIDES)):
        disk.remove(path.with_name(name))


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Map SQLite's errors to the one line that tells a user what to do."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise DiskFull(f"the disk is full: {path}: make room and start again") from error
        raise StorageError(f"{path} cannot be used: {error}: remove it and start again, it is made anew") from error


async def _connect(path: Path, schema: str, version: int, disk: Disk) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, timeout=_BUSY_S)
    try:
        if await _begin(connection, schema, version):
            return connection
    except sqlite3.DatabaseError as error:
        if isinstance(
            error, sqlite3.OperationalError
        ):  # locked, full, not to be opened: another one would be no better
            await connection.close()
            raise
    except BaseException:
        await connection.close()
        raise
    await connection.close()
    await asyncio.to_thread(remove_database, path, disk)
    connection = await aiosqlite.connect(path, timeout=_BUSY_S)
    try:
        await _begin(connection, schema, version)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _begin(connection: aiosqlite.Connection, schema: str, version: int) -> bool:
    """Make what an empty database lacks; tell whether the database is of this version."""
    ((found,),) = await connection.execute_fetchall("PRAGMA user_version")
    if found == version:
        return True
    ((tables,),) = await connection.execute_fetchall("SELECT count(*) FROM sqlite_master")
    if tables:
        return False
    with contextlib.suppress(sqlite3.OperationalError):  # some file systems have no shared memory: then without it
        await connection.execute_fetchall("PRAGMA journal_mode=WAL")
    await connection.executescript(f"BEGIN; {schema}; PRAGMA user_version={version:d}; COMMIT;")
    return True
