"""What holds for every indicator: one arithmetic, explicit warm-up, no look into the future."""

from itertools import pairwise
from math import inf, isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.catalogue import CATALOGUE
from services.indicators.compiled import run_compiled
from services.indicators.kernels import COLUMNS
from services.indicators.series import Bar, Indicator, IndicatorRefused, Running, choose, compute
from services.indicators.tests import mothers

prices = st.floats(min_value=1e-6, max_value=1e9, allow_nan=False)


@st.composite
def bars(draw: st.DrawFn) -> list[Bar]:
    """Candles of any shape, with flat stretches as likely as wild ones."""
    closes = draw(st.lists(st.one_of(prices, st.just(100.0)), max_size=120))
    return [(close * 1.01, close * 0.98, close, 1.0) for close in closes]


@st.composite
def indicators(draw: st.DrawFn) -> Indicator:
    kind = draw(st.sampled_from(list(CATALOGUE)))
    if kind == "MACD":
        fast = draw(st.integers(1, 8))
        slow = draw(st.integers(fast + 1, 15))
        return choose(kind, {"fast": fast, "slow": slow, "signal": draw(st.integers(1, 9))})
    return choose(kind, {"n": draw(st.integers(2, 30))})


def streamed(indicator: Indicator, candles: list[Bar]) -> dict[str, list[float]]:
    """Every value that stepping gives, by output."""
    running = Running(indicator)
    rows = [running.step(bar) for bar in candles]
    return {
        name: [row[k] for row in rows if not isnan(row[k])]
        for k, name in enumerate(indicator.names)
    }


@given(indicators(), bars())
def test_streamed_and_batch_values_are_equal_to_the_last_bit(
    indicator: Indicator, candles: list[Bar]
) -> None:
    batch = {series.name: list(series.values) for series in compute(indicator, candles)}
    assert batch == streamed(indicator, candles)


@settings(deadline=None)  # The first example compiles.
@given(indicators(), bars())
def test_compiled_and_plain_values_are_equal_to_the_last_bit(
    indicator: Indicator, candles: list[Bar]
) -> None:
    """Fused or reordered arithmetic in the compiled batch would show here."""
    definition = indicator.definition
    columns = [mothers.column(candles, k) for k in range(COLUMNS)]
    state = [0.0] * definition.state_size(indicator.setup)
    rows = [nan] * (len(candles) * len(definition.outputs))
    fast = run_compiled(definition.kernel, indicator.setup, state, columns, rows)
    definition.kernel(indicator.setup, state, columns, rows)
    assert repr(fast) == repr(([float(value) for value in state], rows))


@given(indicators(), bars())
def test_no_value_is_given_before_an_indicator_is_warm(
    indicator: Indicator, candles: list[Bar]
) -> None:
    running = Running(indicator)
    for index, bar in enumerate(candles):
        row = running.step(bar)
        warm = [index + 1 >= indicator.first_bar_count(k) for k in range(len(row))]
        assert [not isnan(value) for value in row] == warm
        assert running.bar_count == index + 1


@given(indicators(), bars(), st.integers(0, 120))
def test_appending_candles_never_changes_earlier_values(
    indicator: Indicator, candles: list[Bar], kept: int
) -> None:
    for whole, part in zip(
        compute(indicator, candles), compute(indicator, candles[:kept]), strict=True
    ):
        assert list(whole.values[: len(part.values)]) == list(part.values)


@given(indicators(), bars(), st.lists(prices, min_size=1, max_size=5))
def test_a_forming_candle_does_not_disturb_the_confirmed_value(
    indicator: Indicator, candles: list[Bar], forming: list[float]
) -> None:
    undisturbed, disturbed = Running(indicator), Running(indicator)
    for bar in candles:
        for price in forming:
            disturbed.peek((price, price, price, 1.0))
        assert repr(disturbed.step(bar)) == repr(undisturbed.step(bar))


@pytest.mark.parametrize("indicator", mothers.every_indicator(), ids=lambda i: i.prefix)
def test_a_forming_candle_has_the_value_it_would_have_if_confirmed(indicator: Indicator) -> None:
    *past, last = mothers.walk(60)
    running = Running(indicator)
    for bar in past:
        running.step(bar)
    assert repr(running.peek(last)) == repr(running.step(last))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SMA", [100.1]),
        ("EMA", [100.1]),
        ("RSI", [50.0]),
        ("MACD", [0.0, 0.0, 0.0, 0.0]),
        ("ATR", [0.0]),
        ("ABS_MOVE", [0.0]),
        ("BBANDS", [100.1, 100.1, 100.1, 0.0]),
    ],
)
def test_a_flat_market_gives_the_defined_value_not_a_division_by_zero(
    kind: str, expected: list[float]
) -> None:
    running = Running(choose(kind, {}))
    for bar in mothers.flat(200):
        row = running.step(bar)
    assert row == expected


def test_a_market_without_losses_has_full_strength() -> None:
    running = Running(choose("RSI", {"n": 3}))
    for price in (1.0, 2.0, 3.0, 4.0, 5.0):
        row = running.step((price, price, price, 1.0))
    assert row == [100.0]


def test_the_change_of_the_histogram_is_taken_from_the_bar_before() -> None:
    series = {s.name: s for s in compute(choose("MACD", {}, "macd"), mothers.walk(80))}
    histogram = series["macd_histogram"].values
    changes = series["macd_histogram_change"]
    assert changes.first_index == series["macd_histogram"].first_index + 1
    assert list(changes.values) == [b - a for a, b in pairwise(histogram)]


@pytest.mark.parametrize("indicator", mothers.every_indicator(), ids=lambda i: i.prefix)
def test_fewer_candles_than_warm_up_give_an_empty_series(indicator: Indicator) -> None:
    for series in compute(indicator, mothers.walk(indicator.warm_after - 1)):
        assert (list(series.values), series.first_index) == ([], -1)


def test_the_seed_of_an_average_has_faded_when_it_is_called_settled() -> None:
    """Two histories that differ in the seed by 100 are then less than 0.1 apart."""
    indicator = choose("EMA", {"n": 20})
    later = mothers.flat(indicator.settled_after - 20, 100.0)
    low = compute(indicator, mothers.flat(20, 50.0) + later)[0].values
    high = compute(indicator, mothers.flat(20, 150.0) + later)[0].values
    assert high[-1] - low[-1] < 0.1 < high[-6] - low[-6]


def test_an_average_does_not_drift_over_a_long_series() -> None:
    candles = mothers.walk(30_000)
    mean = compute(choose("SMA", {"n": 7}), candles)[0].values[-1]
    assert mean == pytest.approx(sum(mothers.column(candles[-7:], 2)) / 7, rel=1e-14)


@pytest.mark.parametrize(
    ("kind", "parameters", "reason"),
    [
        ("EMA", {"n": 0.0}, "PARAMETER_OUT_OF_RANGE"),
        ("EMA", {"n": 5001.0}, "PARAMETER_OUT_OF_RANGE"),
        ("EMA", {"n": 2.5}, "PARAMETER_OUT_OF_RANGE"),
        ("EMA", {"n": nan}, "PARAMETER_OUT_OF_RANGE"),
        ("EMA", {"n": inf}, "PARAMETER_OUT_OF_RANGE"),
        ("BBANDS", {"deviations": -1.0}, "PARAMETER_OUT_OF_RANGE"),
        ("MACD", {"fast": 26.0, "slow": 26.0}, "PARAMETER_OUT_OF_RANGE"),
        ("EMA", {"period": 5.0}, "PARAMETER_UNKNOWN"),
        ("NWE", {}, "KIND_NOT_BUILT"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_its_reason(
    kind: str, parameters: dict[str, float], reason: str
) -> None:
    with pytest.raises(IndicatorRefused) as refused:
        choose(kind, parameters)
    assert refused.value.reason == reason
