"""What a person sees while a run works: notices as lines, and one line of progress. ASCII only."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jdp_scraper.events import Countdown, Event, FilesDone, Notice, TaskFailed, TaskReturned
from jdp_scraper.events import Progress as ProgressEvent

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_EVERY_S = 5.0
COUNTDOWN_EVERY_S = 30.0
COUNTDOWN_SHOWN_S = 1.5  # while one goes on it comes every second, and progress must not take its place
BAR = 20  # so that all but the pages at work fits into 80 columns


def use_ascii() -> None:
    """Make standard output and error ASCII for good: what is not is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="ascii", errors="backslashreplace", line_buffering=True)


def say(text: str) -> None:
    """Print one line."""
    try:
        sys.stdout.write(text + "\n")
    except OSError:
        # Whoever read the output, or the terminal, has gone; that is no reason to end a night's run.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show_notice(event: Event) -> None:
    """Print a notice that a person has to know of: the listener of commands that are no run."""
    if isinstance(event, Notice) and event.level in {"warning", "error"}:
        say(one_line(f"{event.level}: {event.text}"))


class Console:
    """A subscriber that shows events: a live line at a terminal, else a plain line every few seconds."""

    def __init__(self, at_terminal: bool) -> None:
        self._progress = _live() if at_terminal else None
        self._bar: TaskID | None = None
        self._last_line = -PLAIN_EVERY_S
        self._last_countdown = -COUNTDOWN_EVERY_S
        self._counting_until = 0.0

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the live line, so that what is printed next stands below."""
        if self._progress is not None:
            with contextlib.suppress(OSError):
                self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event; a terminal that has gone is no reason to end a run."""
        with contextlib.suppress(OSError):
            self._show_event(event)

    def _show_event(self, event: Event) -> None:
        match event:
            case Notice(level, text) if level != "debug":
                self._line(text if level == "info" else f"{level}: {text}")
            case TaskReturned(key, attempt, error, message, again_in_s, counts):
                again = f"again in {again_in_s:.0f} s" if counts else "again in its turn, uses up no try"
                self._line(f"{key}: attempt {attempt}: {error}: {message}; {again}")
            case TaskFailed(key, attempt, error, message):
                self._line(f"{key}: failed after attempt {attempt}: {error}: {message}")
            case ProgressEvent():
                self._show(progress_text(event), event.done + event.failed, event.total)
            case FilesDone():
                self._show(files_text(event), event.done, event.total)
            case Countdown(reason, seconds_left):
                self._count_down(reason, seconds_left)
            case _:
                pass

    def _line(self, given: str) -> None:
        text = one_line(given)
        if self._progress is None:
            say(text)
        else:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _show(self, text: str, done: int, total: int) -> None:
        if self._progress is not None:
            if self._bar is None:
                self._bar = self._progress.add_task(text, total=total)
            shown = None if time.monotonic() < self._counting_until else text
            self._progress.update(self._bar, completed=done, total=total, description=shown)
        elif done and (time.monotonic() - self._last_line >= PLAIN_EVERY_S or done == total):
            self._last_line = time.monotonic()
            say(text)

    def _count_down(self, reason: str, seconds_left: float) -> None:
        text = f"{reason}: waiting, {clock_text(seconds_left)} left"
        if self._progress is not None:
            if self._bar is None:
                self._bar = self._progress.add_task(text, total=None)
            self._counting_until = time.monotonic() + COUNTDOWN_SHOWN_S
            self._progress.update(self._bar, description=text)
        elif time.monotonic() - self._last_countdown >= COUNTDOWN_EVERY_S:
            self._last_countdown = time.monotonic()
            say(text)


def one_line(text: str) -> str:
    """Return a text whose control characters are escaped: it can neither begin a line nor command a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def unexpected_text(error: Exception) -> str:
    """Return the lines that tell of a fault of this program."""
    lines = "".join(traceback.format_exception(error))
    return f"{lines}error: unexpected {type(error).__name__}: {error}; please report it with the lines above\n"


def _live() -> Progress:
    from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to import, and only for a terminal
    from rich.progress import Progress, TextColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    console = RichConsole(file=sys.stdout, legacy_windows=False, emoji=False)
    # Cropped, as the mark that stands for what does not fit would not be ASCII.
    columns = (TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="crop")),)
    return Progress(*columns, console=console, transient=True, refresh_per_second=4)


def progress_text(event: ProgressEvent) -> str:
    """Return a progress event as one line."""
    left = "--:--:--" if event.seconds_left is None else clock_text(event.seconds_left)
    return (
        f"{_bar(event.done + event.failed, event.total)} {event.done}/{event.total} done, {event.failed} failed, "
        f"{left} left, {event.per_hour:.0f} vehicles/h, {event.pages_at_work}/{event.pages} pages at work"
    )


def files_text(event: FilesDone) -> str:
    """Return the progress of a batch of files as one line."""
    rate = f", {event.done / event.seconds:.0f} files/s" if event.seconds else ""
    return f"{_bar(event.done, event.total)} {event.what}: {event.done}/{event.total} files{rate}"


def _bar(done: int, total: int) -> str:
    full = round(BAR * done / max(1, total))
    return f"[{'#' * full}{'.' * (BAR - full)}]"


def clock_text(seconds: float) -> str:
    """Return a length of time as hours, minutes and seconds."""
    whole = max(0, round(seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def age_text(days: float) -> str:
    """Return an age in days as a person would tell it: minutes, hours or days."""
    hours = days * 24
    if hours < 1:
        return f"{max(0, hours * 60):.0f} min"
    return f"{hours:.0f} h" if days < 2 else f"{days:.0f} days"
