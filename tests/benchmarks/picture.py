"""Draws figures as bars in an SVG that is legible on light and on dark ground; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.benchmarks.speed import Line

WIDTH, MARGIN, GAP = 960, 20, 40
LABELS, VALUES = 120, 55
BAR, PITCH, HEAD, ABOVE = 18, 27, 32, 34
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
STYLE = """
    .where { fill: #17202b; font-size: 15px; font-weight: 600 }
    .title { fill: #17202b; font-size: 13px }
    .name, .value { fill: #4d5763; font-size: 13px }
    .name { text-anchor: end }
    .bar { fill: #9aa9bb }
    .first { fill: #3c7a3c }
    @media (prefers-color-scheme: dark) {
      .where, .title { fill: #edf1f5 }
      .name, .value { fill: #b6bfc9 }
      .bar { fill: #5d6d80 }
      .first { fill: #86c98a }
    }
  """


@dataclass(frozen=True)
class Panel:
    """One figure of all clients; the first of them is the one to be seen."""

    title: str
    bars: Sequence[tuple[str, float]]
    digits: int = 3

    @property
    def height(self) -> int:
        return HEAD + PITCH * len(self.bars)


@dataclass(frozen=True)
class Row:
    """Panels side by side, with what they have in common above them."""

    title: str
    panels: Sequence[Panel]

    @property
    def height(self) -> int:
        return ABOVE + max(panel.height for panel in self.panels)


def row_of(latency: str, pages: int, lines: Sequence[Line]) -> Row:
    """Return the pictured figures of one comparison."""
    panels = (
        Panel("seconds a vehicle", [(line.client, line.seconds.median) for line in lines]),
        Panel("CPU seconds a vehicle", [(line.client, line.cpu.median) for line in lines]),
        Panel("peak memory, MiB", [(line.client, line.peak_mib) for line in lines], 0),
    )
    return Row(f"Latency '{latency}', {pages} pages", panels)


def draw(rows: Sequence[Row]) -> str:
    """Return an SVG file's text; less is better in each panel."""
    body, top = "", MARGIN
    for row in rows:
        body += f'  <text class="where" x="{MARGIN}" y="{top + 14}">{escape(row.title)}</text>\n'
        width = (WIDTH - 2 * MARGIN - GAP * (len(row.panels) - 1)) // len(row.panels)
        for number, panel in enumerate(row.panels):
            body += _panel(panel, MARGIN + number * (width + GAP), top + ABOVE, width)
        top += row.height + MARGIN
    told = "; ".join(f"{row.title}: {_told(panel)}" for row in rows for panel in row.panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
        f'aria-labelledby="title desc" font-family="{FONT}">\n'
        f'  <title id="title">What a vehicle costs; less is better</title>\n'
        f'  <desc id="desc">{escape(told)}</desc>\n  <style>{STYLE}</style>\n{body}</svg>\n'
    )


def _told(panel: Panel) -> str:
    return f"{panel.title}: " + ", ".join(f"{name} {value:,.{panel.digits}f}" for name, value in panel.bars)


def _panel(panel: Panel, left: int, top: int, width: int) -> str:
    most = max((value for _, value in panel.bars), default=0) or 1
    longest = width - LABELS - VALUES
    parts = [f'  <text class="title" x="{left}" y="{top + 12}">{escape(panel.title)}</text>\n']
    for number, (name, value) in enumerate(panel.bars):
        y, length = top + HEAD + number * PITCH, max(1.0, longest * max(value, 0) / most)
        kind = "first" if number == 0 else "bar"
        parts.append(
            f'  <text class="name" x="{left + LABELS - 8}" y="{y + 14}">{escape(name)}</text>'
            f'<rect class="{kind}" x="{left + LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" rx="3"/>'
            f'<text class="value" x="{left + LABELS + length + 7:.1f}" y="{y + 14}">'
            f"{value:,.{panel.digits}f}</text>\n"
        )
    return "".join(parts)
