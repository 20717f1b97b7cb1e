"""Draws figures as bars in an SVG that is legible on light and on dark ground; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.benchmarks.speed import Line

WIDTH, MARGIN, GAP = 960, 20, 40
LABELS, VALUES = 130, 60
BAR, PITCH, HEAD = 18, 27, 38
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
STYLE = """
    .title { fill: #17202b; font-size: 15px; font-weight: 600 }
    .name, .value { fill: #4d5763; font-size: 13px }
    .name { text-anchor: end }
    .bar { fill: #9aa9bb }
    .first { fill: #3c7a3c }
    @media (prefers-color-scheme: dark) {
      .title { fill: #edf1f5 }
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


def panels_of(latency: str, pages: int, lines: Sequence[Line]) -> list[Panel]:
    """Return the pictured figures of one comparison."""
    where = f"{latency}, {pages} pages"
    return [
        Panel(f"Seconds a vehicle ({where})", [(line.client, line.seconds.median) for line in lines]),
        Panel(f"CPU seconds a vehicle ({where})", [(line.client, line.cpu.median) for line in lines]),
        Panel(f"Peak memory, MiB ({where})", [(line.client, line.peak_mib) for line in lines], 0),
    ]


def draw(panels: Sequence[Panel], columns: int = 2) -> str:
    """Return the panels side by side as an SVG file's text; less is better in each."""
    rows = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    width = (WIDTH - 2 * MARGIN - GAP * (columns - 1)) // columns
    body, top = [], MARGIN
    for row in rows:
        body += [_panel(panel, MARGIN + number * (width + GAP), top, width) for number, panel in enumerate(row)]
        top += max(panel.height for panel in row) + MARGIN
    told = "; ".join(_told(panel) for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
        f'aria-labelledby="title desc" font-family="{FONT}">\n'
        f'  <title id="title">What a vehicle costs; less is better</title>\n'
        f'  <desc id="desc">{escape(told)}</desc>\n  <style>{STYLE}</style>\n' + "".join(body) + "</svg>\n"
    )


def _told(panel: Panel) -> str:
    return f"{panel.title}: " + ", ".join(f"{name} {value:,.{panel.digits}f}" for name, value in panel.bars)


def _panel(panel: Panel, left: int, top: int, width: int) -> str:
    most = max((value for _, value in panel.bars), default=0) or 1
    longest = width - LABELS - VALUES
    parts = [f'  <text class="title" x="{left}" y="{top + 18}">{escape(panel.title)}</text>\n']
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
