"""Figures of the benchmarks: spreads, ratios, quantiles, goals."""

from __future__ import annotations

import pytest
from benchmarks.figures import at_least, at_most, below, figure, quantile, ratios


def test_a_spread_is_of_all_repeats() -> None:
    spread = figure("f", "f", "ms", [3.0, 1.0, 2.0, 10.0]).spread
    assert (spread.minimum, spread.median, spread.maximum, spread.repeats) == (1.0, 2.5, 10.0, 4)


def test_a_ratio_is_of_neighbours() -> None:
    assert ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="shorter"):
        ratios([4.0, 9.0], [2.0])


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.505, 51.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_a_quantile_is_one_of_the_values(fraction: float, expected: float) -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert quantile(values, fraction) == expected


@pytest.mark.parametrize(
    ("goal", "good", "bad"), [(at_least(60), 60.0, 59.9), (at_most(12), 12.0, 12.1), (below(250), 249.9, 250.0)]
)
def test_a_goal_judges_the_median(goal: object, good: float, bad: float) -> None:
    assert figure("f", "f", "", [good], goal).reached is True  # type: ignore[arg-type]
    assert figure("f", "f", "", [bad], goal).reached is False  # type: ignore[arg-type]
    assert figure("f", "f", "", [0.0, good, 1e9], goal).reached is True  # type: ignore[arg-type]


def test_a_figure_without_goal_is_not_judged() -> None:
    judged = figure("f", "f", "", [1.0])
    assert judged.reached is None
    assert "goal" not in judged.as_json()
