"""A second, naive implementation of every indicator says the same."""

import random
from collections.abc import Sequence
from itertools import pairwise
from math import isnan

import pytest

from services.indicators.catalogue import CATALOGUE
from services.indicators.running import Running
from services.indicators.series import Bar, Indicator, choose
from services.indicators.tests import mothers, naive_numbers, naive_shapes
from services.indicators.tests.naive_numbers import Oracle, Row

SMALL: dict[str, dict[str, float]] = {
    "EMA_SET": {f"n{k}": n for k, n in enumerate((2, 4, 5, 7, 11, 15, 20), 1)},
    "STC": {"fast": 5, "slow": 11, "cycle": 4},
    "NWE": {"window": 60},
    "STRUCTURE": {"swing": 6, "internal": 1, "threshold": 0.001},
    "EQUAL_LEVELS": {"span": 2, "tolerance": 0.5, "atr": 5},
    "FIB": {"n": 20},
}
"""Periods short enough for many crosses, breaks and windows in a test."""


def oracle_of(kind: str) -> Oracle:
    """Return the second implementation of `kind`; without one the kind must not be registered."""
    name = kind.lower()
    found: Oracle = getattr(naive_numbers, name, None) or getattr(naive_shapes, name)
    return found


def steps(count: int, seed: int) -> list[Bar]:
    """Return bars of few different prices: ties, flat stretches and bars without range."""
    rng = random.Random(seed)
    bars, price = [], 100
    for _ in range(count):
        opened, price = price, max(90, min(110, price + rng.choice((-2, -1, -1, 0, 0, 1, 1, 2))))
        high = max(opened, price) + rng.choice((0, 0, 0, 1, 2))
        low = min(opened, price) - rng.choice((0, 0, 0, 1, 3))
        bars.append((float(opened), float(high), float(low), float(price), float(rng.randrange(3))))
    return bars


MARKETS = {
    "walk": mothers.walk(400),
    "other walk": mothers.walk(300, seed=8, step=0.002),
    "steps": steps(400, seed=1),
    "other steps": steps(400, seed=2),
}


def streamed(indicator: Indicator, bars: Sequence[Bar]) -> list[Row]:
    """Every row of the kernel, None where it has no value."""
    running = Running(indicator)
    return [[None if isnan(value) else value for value in running.step(bar)] for bar in bars]


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_naive_implementation_agrees(kind: str, market: str) -> None:
    assert_agreement(choose(kind, SMALL.get(kind, {})), MARKETS[market])


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_naive_implementation_agrees_about_the_defaults(kind: str) -> None:
    indicator = choose(kind, {})
    assert_agreement(indicator, mothers.walk(indicator.warm_after + 100))


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_naive_implementation_agrees_about_the_shortest_periods(kind: str, market: str) -> None:
    definition = CATALOGUE[kind]
    values = {p.name: p.minimum for p in definition.parameters if p.is_whole}
    for less, more in pairwise(name for name in definition.rising if name in values):
        values[more] = max(values[more], values[less] + 1)
    assert_agreement(choose(kind, values), MARKETS[market])


def assert_agreement(indicator: Indicator, bars: Sequence[Bar]) -> None:
    """Compare every row of the kernel with that of the second implementation."""
    rows = streamed(indicator, bars)
    expected = oracle_of(indicator.definition.kind)(indicator.setup, bars)
    assert len(rows) == len(expected)
    for t, (row, wanted) in enumerate(zip(rows, expected, strict=True)):
        if t + 1 >= indicator.warm_after:
            assert row == [
                None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)
                for value in wanted
            ], f"bar {t}"
        else:
            assert row == [None] * len(row), f"bar {t}"


@pytest.mark.parametrize("kind", ["ENGULFING", "HAMMER", "LEG", "STRUCTURE", "FVG", "EQUAL_LEVELS"])
def test_every_flag_goes_up_in_what_the_oracles_are_shown(kind: str) -> None:
    """Agreement about flags that never go up would prove nothing."""
    indicator = choose(kind, SMALL.get(kind, {}))
    rows = [row for bars in MARKETS.values() for row in streamed(indicator, bars)]
    for k, output in enumerate(indicator.definition.outputs):
        values = {row[k] for row in rows if row[k] is not None}
        assert len(values) > 1, output.name


@pytest.mark.parametrize("market", MARKETS)
def test_crosses_of_averages_come_both_ways(market: str) -> None:
    rows = streamed(choose("EMA_SET", SMALL["EMA_SET"]), MARKETS[market])
    assert {row[7] for row in rows} == {None, 0.0, 1.0, -1.0}


def test_the_averages_of_a_set_have_the_bits_of_single_ones() -> None:
    bars = mothers.walk(300)
    rows = streamed(choose("EMA_SET", SMALL["EMA_SET"]), bars)
    for k, n in enumerate(SMALL["EMA_SET"].values()):
        single = streamed(choose("EMA", {"n": n}), bars)
        assert [row[k] for row in rows[20:]] == [row[0] for row in single[20:]]
