"""What a person sees: lines in ASCII, whatever the portal has put into them."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Self

import pytest

from jdp_scraper.console import Console, clock_text, progress_text, say, use_ascii
from jdp_scraper.events import Bus, Countdown, Event, Notice, Progress, StepDone, TaskFailed, TaskReturned

HALF_WAY = Progress(30, 2, 100, 1, 4, 5, 412.4, 3725.0)
HOSTILE = "G\u00fcnther \u2713 \U0001f697 \ud800 [red]b[/red] \x1b[2J\x07 end"


class Screen:
    """Standard output as the program gets it: an encoding that is not ASCII, made so by ``use_ascii``."""

    def __init__(self) -> None:
        self.out, self.error = io.BytesIO(), io.BytesIO()
        self._streams = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.stream = io.TextIOWrapper(self.out, encoding="utf-8")
        self._streams.enter_context(contextlib.redirect_stdout(self.stream))
        self._streams.enter_context(contextlib.redirect_stderr(io.TextIOWrapper(self.error, encoding="utf-8")))
        use_ascii()
        return self

    def __exit__(self, *_: object) -> None:
        self._streams.close()

    @property
    def text(self) -> str:
        self.stream.flush()
        return self.out.getvalue().decode("ascii")

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("jdp_scraper.console.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def show(*events: Event, at_terminal: bool = False) -> None:
    with Console(at_terminal) as console:
        bus = Bus()
        bus.subscribe(console)
        for event in events:
            bus.publish(event)


def test_a_line_is_out_as_soon_as_it_is_said() -> None:
    with Screen() as screen:
        say("at once \u2713")
        sys.stderr.write("\u2717\n")
        assert (screen.out.getvalue(), screen.error.getvalue()) == (b"at once \\u2713\n", b"\\u2717\n")


def test_what_is_not_ascii_is_written_as_an_escape() -> None:
    with Screen() as screen:
        say("G\u00fcnther \u2713 \ud800")
    assert screen.lines == ["G\\xfcnther \\u2713 \\ud800"]


def test_notices_are_lines_with_their_level_where_it_matters() -> None:
    with Screen() as screen:
        show(Notice("debug", "detail"), Notice("info", "hello"), Notice("warning", "mind"), Notice("error", "oh"))
    assert screen.lines == ["hello", "warning: mind", "error: oh"]


def test_failures_are_lines_with_key_attempt_and_reason() -> None:
    with Screen() as screen:
        show(
            TaskReturned("165530", 1, "ReportRefused", "status 429", 0.0, counts=False),
            TaskReturned("165530", 1, "ReportBroken", "cut short", 4.2),
            TaskFailed("165530", 3, "ReportMismatch", "of another vehicle"),
            StepDone("165530", 3, "open", 1.0),
        )
    assert screen.lines == [
        "165530: attempt 1: ReportRefused: status 429; again in its turn, uses up no try",
        "165530: attempt 1: ReportBroken: cut short; again in 4 s",
        "165530: failed after attempt 3: ReportMismatch: of another vehicle",
    ]


def test_progress_is_a_plain_line_every_few_seconds(clock: Clock) -> None:
    with Screen() as screen, Console(at_terminal=False) as console:
        for seconds in (0.0, 1.0, 3.9, 0.2, 4.7):
            clock.now += seconds
            console(HALF_WAY)
    line = "[######..............] 30/100 done, 2 failed, 01:02:05 left, 412 vehicles/h, 4/5 pages at work"
    assert screen.lines == [line, line]


def test_a_countdown_is_a_plain_line_every_half_minute(clock: Clock) -> None:
    with Screen() as screen, Console(at_terminal=False) as console:
        for left in range(65, 0, -1):
            console(Countdown("the account is in use", float(left)))
            clock.now += 1
    assert screen.lines == [
        "the account is in use: waiting, 00:01:05 left",
        "the account is in use: waiting, 00:00:35 left",
        "the account is in use: waiting, 00:00:05 left",
    ]


def test_progress_says_when_the_time_left_is_not_known() -> None:
    text = progress_text(Progress(0, 0, 10, 0, 1, 5, 0.0, None))
    assert text == "[....................] 0/10 done, 0 failed, --:--:-- left, 0 vehicles/h, 1/5 pages at work"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00"), (-3, "00:00:00"), (59.6, "00:01:00"), (3661, "01:01:01"), (360000, "100:00:00")],
)
def test_a_length_of_time_is_hours_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize("at_terminal", [False, True])
def test_hostile_text_stays_ascii_and_markup_is_not_obeyed(at_terminal: bool) -> None:
    with Screen() as screen:
        show(HALF_WAY, Notice("info", HOSTILE), TaskFailed(HOSTILE, 1, "X", HOSTILE), at_terminal=at_terminal)
    assert screen.text.count("[red]b[/red]") == 3
    assert "G\\xfcnther \\u2713" in screen.text


@pytest.mark.parametrize("at_terminal", [False, True])
def test_no_text_can_send_the_terminal_a_command(at_terminal: bool) -> None:
    with Screen() as screen:
        show(Notice("info", "one \x1b]0;owned\x07\x1b[2J two"), at_terminal=at_terminal)
    assert "\x1b]0;" not in screen.text and "\x1b[2J" not in screen.text and "\x07" not in screen.text
    assert "one " in screen.text and " two" in screen.text


@pytest.mark.parametrize("at_terminal", [False, True])
def test_a_text_of_several_lines_cannot_pass_for_one_of_ours(at_terminal: bool) -> None:
    with Screen() as screen:
        show(Notice("info", "165530\nall done"), TaskFailed("1\r2", 1, "X", "why"), at_terminal=at_terminal)
    assert "all done" not in screen.lines
    assert "\r2" not in screen.text


def test_at_a_terminal_the_live_line_is_ascii_and_notices_stay_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    long = "a line that is wider than any terminal " * 10
    with Screen() as screen:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        show(HALF_WAY, Notice("info", long), Countdown("the account is in use", 61.0), at_terminal=True)
    assert long.strip() in screen.text.replace("\n", "")
    assert "30/100 done" in screen.text


def test_a_closed_console_can_be_closed_again() -> None:
    with Screen() as screen:
        with Console(at_terminal=True) as console:
            console(HALF_WAY)
            console.close()
        say("below")
    assert screen.lines[-1].endswith("below")
