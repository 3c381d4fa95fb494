"""What holds for every indicator: one arithmetic, explicit warm-up, no look into the future."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.catalogue import CATALOGUE
from services.indicators.compiled import array_of, run_compiled
from services.indicators.kernels import COLUMNS
from services.indicators.running import Running, Series, compute
from services.indicators.series import Bar, Indicator, IndicatorRefused, choose
from services.indicators.tests import mothers

prices = st.floats(min_value=1e-6, max_value=1e9, allow_nan=False)
shares = st.floats(min_value=0, max_value=0.2)
every_kind = pytest.mark.parametrize("kind", CATALOGUE)
some = settings(max_examples=20, deadline=None)  # Of each kind. The first example may compile.


@st.composite
def one_bar(draw: st.DrawFn) -> Bar:
    """A candle of any shape; flat ones and ones without trade are as likely as wild ones."""
    opened, close = draw(st.one_of(st.tuples(prices, prices), st.just((100.0, 100.0))))
    up, down = draw(st.one_of(st.tuples(shares, shares), st.just((0.0, 0.0))))
    high, low = max(opened, close) * (1 + up), min(opened, close) * (1 - down)
    return opened, high, low, close, float(draw(st.integers(0, 3)))


bars = st.lists(one_bar(), max_size=50)


def indicators(kind: str) -> st.SearchStrategy[Indicator]:
    """An indicator of `kind` with small periods."""
    definition = CATALOGUE[kind]

    @st.composite
    def made(draw: st.DrawFn) -> Indicator:
        values: dict[str, float] = {}
        for p in definition.parameters:
            low, high = p.minimum, min(p.maximum, 9)
            values[p.name] = draw(
                st.integers(int(low), int(high)) if p.is_whole else st.floats(low, high)
            )
        last = 0.0
        for name in definition.rising:  # Made to rise in steps of what was drawn.
            last = values[name] = last + max(values[name], 0.01) / len(definition.rising)
            if next(p for p in definition.parameters if p.name == name).is_whole:
                last = values[name] = float(int(last) + 1)
        return choose(kind, values)

    return made()


def by_bar(series: Series, count: int) -> list[float]:
    """The value of each of `count` bars; NaN is none."""
    values = iter(series.values)
    warm = range(series.first_index, count) if series.first_index >= 0 else ()
    return [
        next(values) if index in warm and index not in series.absent else nan
        for index in range(count)
    ]


@every_kind
@some
@given(st.data())
def test_streamed_and_batch_values_are_equal_to_the_last_bit(
    kind: str, data: st.DataObject
) -> None:
    indicator, candles = data.draw(indicators(kind)), data.draw(bars)
    running = Running(indicator)
    rows = [running.step(bar) for bar in candles]
    for k, series in enumerate(compute(indicator, candles)):
        assert repr(by_bar(series, len(candles))) == repr([row[k] for row in rows])


@every_kind
@some
@given(st.data())
def test_compiled_and_plain_values_are_equal_to_the_last_bit(
    kind: str, data: st.DataObject
) -> None:
    """Fused or reordered arithmetic in the compiled kernel would show here."""
    indicator, candles = data.draw(indicators(kind)), data.draw(bars)
    definition = indicator.definition
    columns = [mothers.column(candles, k) for k in range(COLUMNS)]
    state = definition.state(indicator.setup)
    rows = [nan] * (len(candles) * len(definition.outputs))
    fast = run_compiled(definition.kernel, indicator.setup, state, array_of(columns), rows)
    definition.kernel(indicator.setup, state, columns, rows)
    assert repr(fast) == repr(([float(value) for value in state], rows))


@every_kind
@some
@given(st.data())
def test_no_value_is_given_before_an_indicator_is_warm(kind: str, data: st.DataObject) -> None:
    """From then on there is one, unless the output says when it is absent."""
    indicator, candles = data.draw(indicators(kind)), data.draw(bars)
    running = Running(indicator)
    for index, bar in enumerate(candles):
        for k, value in enumerate(running.step(bar)):
            is_warm = index + 1 >= indicator.first_bar_count(k)
            assert is_warm or isnan(value)
            assert not is_warm or not isnan(value) or indicator.definition.outputs[k].absence
        assert running.bar_count == index + 1


@every_kind
@some
@given(st.data())
def test_appending_candles_never_changes_earlier_values(kind: str, data: st.DataObject) -> None:
    indicator, candles = data.draw(indicators(kind)), data.draw(bars)
    kept = data.draw(st.integers(0, len(candles)))
    before = compute(indicator, candles[:kept])
    for whole, part in zip(compute(indicator, candles), before, strict=True):
        assert repr(by_bar(whole, len(candles))[:kept]) == repr(by_bar(part, kept))


@every_kind
@some
@given(st.data())
def test_a_forming_candle_does_not_disturb_the_confirmed_value(
    kind: str, data: st.DataObject
) -> None:
    indicator, candles = data.draw(indicators(kind)), data.draw(bars)
    undisturbed, disturbed = Running(indicator), Running(indicator)
    for bar in candles:
        disturbed.peek(data.draw(one_bar()))
        assert repr(disturbed.step(bar)) == repr(undisturbed.step(bar))


@pytest.mark.parametrize("indicator", mothers.every_indicator(), ids=lambda i: i.prefix)
def test_a_forming_candle_has_the_value_it_would_have_if_confirmed(indicator: Indicator) -> None:
    *past, last = mothers.walk(60)
    running = Running(indicator)
    for bar in past:
        running.step(bar)
    assert repr(running.peek(last)) == repr(running.step(last))


FLAT: dict[str, Sequence[float | None]] = {
    "SMA": [100.1],
    "EMA": [100.1],
    "EMA_SET": [*[100.1] * 7, 0.0, 0.0],
    "RSI": [50.0],
    "MACD": [0.0, 0.0, 0.0, 0.0],
    "KDJ": [50.0, 50.0, 50.0],
    "STC": [50.0],
    "ATR": [0.0],
    "ABS_MOVE": [0.0],
    "BBANDS": [100.1, 100.1, 100.1, 0.0],
    "VOLUME_RATIO": [1.0],
    "NWE": [100.1, 100.1, 100.1],
    "PARKINSON": [0.0],
    "ENGULFING": [None, None],
    "HAMMER": [None, None],
    "LEG": [0.0, 0.0],
    "STRUCTURE": [0.0, 0.0, 0.0, None, None] * 2,
    "FVG": [0.0, 0.0, None, None],
    "EQUAL_LEVELS": [0.0, 0.0, None, None],
    "FIB": [100.1, 100.1, None, None, None, None],
}


@every_kind
def test_a_flat_market_gives_the_defined_value_not_a_division_by_zero(kind: str) -> None:
    running = Running(choose(kind, {}))
    for bar in mothers.flat(3_000):
        row = running.step(bar)
    assert [None if isnan(value) else value for value in row] == list(FLAT[kind])


def test_nothing_traded_before_gives_no_volume_ratio() -> None:
    running = Running(choose("VOLUME_RATIO", {"n": 2}))
    rows = [running.step((1.0, 1.0, 1.0, 1.0, volume)) for volume in (0.0, 0.0, 5.0, 5.0)]
    assert [isnan(row[0]) for row in rows] == [True, True, True, False]
    assert rows[3] == [2.0]


def test_a_market_without_losses_has_full_strength() -> None:
    running = Running(choose("RSI", {"n": 3}))
    for price in (1.0, 2.0, 3.0, 4.0, 5.0):
        row = running.step((price, price, price, price, 1.0))
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
    assert mean == pytest.approx(sum(mothers.column(candles[-7:], 3)) / 7, rel=1e-14)


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
        ("STC", {"fast": 50.0}, "PARAMETER_OUT_OF_RANGE"),
        ("EMA_SET", {"n2": 12.0}, "PARAMETER_OUT_OF_RANGE"),
        ("FIB", {"deep": 0.3}, "PARAMETER_OUT_OF_RANGE"),
        ("STOCHASTIC", {}, "KIND_NOT_BUILT"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_its_reason(
    kind: str, parameters: dict[str, float], reason: str
) -> None:
    with pytest.raises(IndicatorRefused) as refused:
        choose(kind, parameters)
    assert refused.value.reason == reason
