from __future__ import annotations

import pytest

from tests.benchmarks.slope import Spread, ratios, slope
from tests.benchmarks.speed import lines
from tests.unit.benchmarks.outcomes import outcome


def test_start_and_end_cancel() -> None:
    assert slope((50, 7.0 + 50 * 0.2), (200, 7.0 + 200 * 0.2)) == pytest.approx(0.2)


@pytest.mark.parametrize("sizes", [(50, 50), (60, 50)])
def test_one_size_tells_no_slope(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="larger"):
        slope((sizes[0], 1.0), (sizes[1], 2.0))


def test_each_repetition_is_held_against_its_own_yardstick() -> None:
    assert ratios([1.0, 4.0, 9.0], [0.5, 1.0, 3.0]) == Spread(3.0, 2.0, 4.0)


def test_a_line_holds_the_medians_of_its_client_and_the_ratio_to_the_plain_script() -> None:
    runs = {
        "this project": [(outcome("this project", 50, 6.0, 4.0), outcome("this project", 150, 8.0, 9.0))],
        "plain": [(outcome("plain", 50, 9.0, 20.0), outcome("plain", 150, 19.0, 60.0, wrong=2))],
    }
    ours, plain = lines(runs)
    assert (ours.seconds.median, ours.cpu.median) == pytest.approx((0.02, 0.05))
    assert ours.ratio is not None
    assert ours.ratio.median == pytest.approx(5.0)
    assert (ours.right, ours.wrong, plain.right, plain.wrong) == (200, 0, 198, 2)


def test_without_a_plain_script_there_is_no_ratio() -> None:
    (line,) = lines({"floor": [(outcome("floor", 1), outcome("floor", 2))]})
    assert line.ratio is None
