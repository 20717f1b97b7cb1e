"""The report at the end of a run, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jdp_scraper.console import clock_text, one_line
from jdp_scraper.run_report import RunReport

SHOWN = 20


def report_lines(report: RunReport) -> Iterator[str]:
    """Yield the report of a start that was begun and has a run folder; nothing else is told of one that has not."""
    if report.folder is None or not report.begun:
        return
    left = report.wanted - report.done - len(report.failed)
    yield ""
    others = f"; others left of this run: {report.others_left}" if report.others_left else ""
    yield f"  vehicles   {report.wanted} wanted, {report.done} done, {len(report.failed)} failed, {left} left{others}"
    yield f"  this start {report.fetched} fetched in {clock_text(report.seconds)}{_rate(report)}"
    yield f"  session    {_session(report)}"
    if report.browsers_replaced:
        yield f"  browser    lost and replaced {_count(report.browsers_replaced, 'time')}"
    if report.pages_replaced:
        yield f"  pages      {report.pages_replaced} closed and opened anew, as an attempt on them had failed"
    for reason, (times, seconds) in report.pauses.items():
        yield f"  paused     {_count(times, 'time')}, {clock_text(seconds)} in all: {reason}"
    if report.narrowed_after is not None:
        shown = _count(report.narrowed_after, "mismatch", "mismatches")
        yield f"  narrowed   after {shown}: reports are the session's, one page at a time asked for them"
    for step, (count, median, p95) in report.steps.items():
        yield f"  {step:<10} median {median:.2f} s, 95th percentile {p95:.2f} s ({_count(count, 'time')})"
    if report.without_text:
        yield f"  no text    {_count(report.without_text, 'PDF')} proven by how they came, as the profile allows"
    yield from _first("flagged", report.flagged, ": python main_async.py verify tells all")
    yield from _first("failed", report.failed, ": see run_data/failures")
    yield f"  PDFs       {report.folder.pdfs}"
    yield f"  run data   {report.folder.data}"


def _session(report: RunReport) -> str:
    worked = bool(report.sign_ins or report.fetched or report.failed)  # also on a session that was left open
    began = _count(report.sign_ins, "sign-in")
    if not report.sign_ins:
        began = "no sign-in was needed" if worked or report.done == report.wanted else "no sign-in"
    if not report.signed_out:
        return f"{began}, NOT signed out"
    return f"{began}, signed out" if worked else began


def _first(what: str, told: Mapping[str, str], more: str) -> Iterator[str]:
    for key, message in list(told.items())[:SHOWN]:
        yield one_line(f"  {what:<10} {key}: {message}")
    if len(told) > SHOWN:
        yield f"  {what:<10} ... and {len(told) - SHOWN} more{more}"


def _count(number: int, noun: str, several: str = "") -> str:
    return f"{number} {noun if number == 1 else several or noun + 's'}"


def _rate(report: RunReport) -> str:
    if not report.fetched:
        return ""
    each = report.seconds / report.fetched
    return f", {each:.2f} s a vehicle, {3600 / each:.0f} vehicles/h"
