"""What differs between POSIX and Windows: signals, durable folders, file modes, resource limits, child processes.

Every other module is the same on all systems. The Windows branches were written from the Python documentation and have
not been run there (docs/troubleshooting.md, "Windows").
"""

from __future__ import annotations

import errno
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

TYPE_CHECKING = False  # as the type checker knows it, without its module: this is the first import of every process
if TYPE_CHECKING:
    import logging
    from pathlib import Path
    from types import FrameType

WINDOWS = sys.platform == "win32"
MAC = sys.platform == "darwin"

SYNC_MODE = "r+b" if WINDOWS else "rb"  # Windows makes a file durable for those alone who may write it
_NO_SECOND_NAME = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_RENAME_EXCHANGE = _RENAME_SWAP = 2
_AT_FDCWD = -100
_COPIED_AT_ONCE = 1 << 20
HELD_WAITS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # before each further try; 1.6 s in all


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that ask a process to stop on this system."""
    if sys.platform == "win32":
        return signal.SIGINT, signal.SIGTERM, signal.SIGBREAK
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def end_at_stop_signals(line: str) -> None:
    """From now on, end this process at once when one is asked for, with a line and 128 plus the signal's number.

    For the time in which there is nothing to be closed: before the work, and after it.
    """

    def handler(number: int, _frame: FrameType | None) -> None:
        # Not an exception: that one would be swallowed, or told with its traceback, wherever it happens to come.
        with suppress(Exception):
            sys.stdout.flush()
        with suppress(OSError):
            os.write(2, line.encode())
        os._exit(128 + number)

    for number in stop_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:  # see ``on_stop_signals``
            signal.signal(number, handler)


def ignore_stop_signals() -> None:
    """From now on, let none cut this process off: all is done, and it ends within a moment, with its own exit code."""
    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def on_stop_signals(callback: Callable[[int], None]) -> Iterator[None]:
    """Call ``callback`` with the signal's number in the running loop, and put the old handlers back afterwards.

    The callback runs in the event loop, never within another call.
    """
    import asyncio  # noqa: PLC0415 - the PDF parser's child imports this module and has to start quickly

    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in stop_signals()}
    # nohup starts a program with SIGHUP ignored, so that closing the terminal does not end it.
    heard = [number for number, old in before.items() if old is not signal.SIG_IGN]

    def handler(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback, number)

    for number in heard:
        if sys.platform == "win32":
            signal.signal(number, handler)
        else:
            loop.add_signal_handler(number, callback, int(number))
    try:
        yield
    finally:
        for number in heard:
            old = before[number]
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            signal.signal(number, old if old is not None else signal.SIG_DFL)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable; raises ``OSError``. Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(source: Path, target: Path) -> None:
    """Rename ``source`` over ``target`` in one step; raises ``OSError``."""
    while_not_held(lambda: source.replace(target))


def unlink(path: Path) -> None:
    """Remove a file if it is there; raises ``OSError``."""
    while_not_held(lambda: path.unlink(missing_ok=True))


def link_or_copy(source: Path | str, target: Path | str) -> bool:
    """Give a file a second name; copy it where the file system has no such names, or is another.

    Returns whether it is the same file. Raises ``OSError``.
    """
    try:
        # Linux would give a link a second name, which may lead nowhere from there, and not the file that it leads to.
        is_link = os.path.islink(source)  # noqa: PTH114 - a text costs a fifth of a path, and there are thousands
        os.link(os.path.realpath(source) if is_link else source, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_SECOND_NAME:
            raise
        with open(source, "rb") as given, open(target, "xb") as taken:  # noqa: PTH123
            while part := given.read(_COPIED_AT_ONCE):
                taken.write(part)
        return False
    return True


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; tell whether that was done: not every file system can; raises ``OSError``.

    See renameat2(2) with RENAME_EXCHANGE for Linux and renamex_np(2) with RENAME_SWAP for macOS. Windows has neither.
    """
    if sys.platform == "win32":
        return False
    import ctypes  # noqa: PLC0415 - the PDF parser's child imports this module and has to start quickly

    library = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        failed = library.renamex_np(*paths, _RENAME_SWAP)
    elif hasattr(library, "renameat2"):
        failed = library.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], ctypes.c_uint(_RENAME_EXCHANGE))
    else:
        return False
    if failed:
        number = ctypes.get_errno()
        if number in _NO_EXCHANGE:
            return False
        raise OSError(number, os.strerror(number), str(other))
    return True


def while_not_held(operation: Callable[[], object], held: bool = WINDOWS) -> None:
    """Do ``operation``; on Windows, where a virus scanner may hold the file open, a few times more, for 1.6 s.

    Raises ``OSError``. Elsewhere nobody's open file is in the way of a rename or a removal.
    """
    for pause in HELD_WAITS_S if held else ():
        try:
            operation()
        except PermissionError:
            time.sleep(pause)
        else:
            return
    operation()


def opener(mode: int) -> Callable[[str, int], int]:
    """Return an ``opener`` for ``open`` that creates files with ``mode``; Windows knows only read-only."""

    def open_with_mode(path: str, flags: int) -> int:
        handle = os.open(path, flags, mode)
        if sys.platform != "win32":
            os.fchmod(handle, mode)  # an older file under this name keeps its own mode otherwise
        return handle

    return open_with_mode


def make_private(folder: Path) -> None:
    """Keep a folder from all other users; on Windows the user's own folders already are."""
    if sys.platform != "win32":
        folder.chmod(0o700)


def is_root() -> bool:
    """Tell whether this process runs as root, where Chromium's sandbox cannot work."""
    return sys.platform != "win32" and os.geteuid() == 0


def usable_cpus() -> int:
    """Return how many processors this process may use, at least 1."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def limit_resources(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process's address space and processor time for good; on Windows there is no such limit."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid_core_dumps() -> None:
    """Let the system write no image of this process's memory, nor of its children's, after a crash."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def limit_job(memory_bytes: int, cpu_seconds: float) -> None:
    """Allow this process so much memory in all, and so much processor time from now on, or up to a second more.

    Never more than the limits that hold for good. The system ends a process that takes more time. On Windows there are
    no such limits.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    usage = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: math.ceil(usage.ru_utime + usage.ru_stime + cpu_seconds),
    }
    for limit, soft in wanted.items():
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def detached_child() -> dict[str, object]:
    """Return the arguments that keep a child process out of the terminal's signals."""
    if sys.platform == "win32":
        import subprocess  # noqa: PLC0415

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def hush_reaped_children() -> None:
    """Keep asyncio from printing that it was not the first to hear of a child's end.

    On a machine that stands still a killed child may be given up before asyncio's own thread has heard of it; Python
    then asks for its end elsewhere. Nobody needs its exit code, and a line of its own on standard error says nothing to
    whoever reads there.
    """
    import logging  # noqa: PLC0415 - slow to import, and no child process needs it

    logging.getLogger("asyncio").addFilter(_tells_of_no_reaped_child)


def _tells_of_no_reaped_child(record: logging.LogRecord) -> bool:
    return "will report returncode 255" not in record.getMessage()
