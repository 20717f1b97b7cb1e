"""The report at the end of a run, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from jdp_scraper.console import clock_text, one_line
from jdp_scraper.run import RunReport

FAILURES_SHOWN = 20


def report_lines(report: RunReport) -> Iterator[str]:
    """Yield the report of a start that came as far as having a run folder; nothing else is told of one that did not."""
    if report.folder is None:
        return
    left = report.wanted - report.done - len(report.failed)
    yield ""
    yield f"  vehicles   {report.wanted} wanted, {report.done} done, {len(report.failed)} failed, {left} left"
    yield f"  this start {report.fetched} fetched in {clock_text(report.seconds)}{_rate(report)}"
    end = "signed out" if report.signed_out else "NOT signed out"
    yield f"  session    {_count(report.sign_ins, 'sign-in')}, {end}"
    if report.pages_replaced:
        yield f"  pages      {report.pages_replaced} replaced"
    for step, (count, median, p95) in report.steps.items():
        yield f"  {step:<10} median {median:.2f} s, 95th percentile {p95:.2f} s ({_count(count, 'time')})"
    for key, message in list(report.failed.items())[:FAILURES_SHOWN]:
        yield one_line(f"  failed     {key}: {message}")
    if len(report.failed) > FAILURES_SHOWN:
        yield f"  failed     ... and {len(report.failed) - FAILURES_SHOWN} more: see run_data/failures"
    yield f"  PDFs       {report.folder.pdfs}"
    yield f"  run data   {report.folder.data}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _rate(report: RunReport) -> str:
    if not report.fetched:
        return ""
    each = report.seconds / report.fetched
    return f", {each:.2f} s a vehicle, {3600 / each:.0f} vehicles/h"
