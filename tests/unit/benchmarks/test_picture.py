from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.benchmarks.picture import LABELS, Panel, Row, draw, row_of
from tests.benchmarks.speed import lines
from tests.unit.benchmarks.outcomes import outcome

SVG = "{http://www.w3.org/2000/svg}"
PANELS = [Panel("Seconds <a vehicle>", [("this project", 0.25), ("plain", 0.75)]), Panel("MiB", [("floor", 0)], 0)]
ROW = Row("typical", PANELS)


def test_the_picture_is_well_formed_and_says_everything_in_words_too() -> None:
    root = ElementTree.fromstring(draw([ROW]))
    assert root.tag == f"{SVG}svg"
    assert (
        root.findtext(f"{SVG}desc")
        == "typical: Seconds <a vehicle>: this project 0.250, plain 0.750; typical: MiB: floor 0"
    )


def test_bars_are_as_long_as_their_figures_and_within_the_picture() -> None:
    root = ElementTree.fromstring(draw([ROW]))
    ours, plain, floor = root.iter(f"{SVG}rect")
    assert abs(float(plain.attrib["width"]) - 3 * float(ours.attrib["width"])) < 0.2
    assert float(floor.attrib["width"]) >= 1
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for bar in (ours, plain, floor):
        assert LABELS <= float(bar.attrib["x"]) + float(bar.attrib["width"]) < width
        assert float(bar.attrib["y"]) + float(bar.attrib["height"]) < height


def test_colors_are_given_for_light_and_for_dark_ground() -> None:
    light, dark = draw([ROW]).split("@media (prefers-color-scheme: dark)")
    named = re.findall(r"\.(\w+)[ ,].*?fill: (#\w+)", light)
    assert named
    assert all(color not in dark for _, color in named)


def test_a_comparison_gives_a_panel_for_time_processor_and_memory() -> None:
    found = lines({"plain": [(outcome("plain", 50, 10, 20), outcome("plain", 150, 30, 70))]})
    assert [panel.bars for panel in row_of("none", 5, found).panels] == [
        [("plain", 0.2)],
        [("plain", 0.5)],
        [("plain", 100.0)],
    ]
