"""NWE: when it trades, and what confirms."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.strategy.configuring import check_pasts, created
from services.strategy.envelope import NWE
from services.strategy.evaluation import evaluate
from services.strategy.indicators import Past
from services.strategy.instruments import Instrument
from services.strategy.positions import FLAT
from services.strategy.registry import checked
from services.strategy.terms import (
    Config,
    Outcome,
    Point,
    Sizing,
    SizingWay,
    StrategyRefused,
    Vote,
)
from services.strategy.tests.envelope_mothers import (
    BACK_INSIDE,
    LONG,
    MINUTE_1,
    VALUES,
    decided,
    setting,
    signal,
)
from services.strategy.tests.mothers import TICK, bar, mirrored


def upside_down(values: Mapping[str, float]) -> dict[str, float]:
    """The values of a market turned round at 100."""
    flipped = dict(values)
    flipped["envelope_lower"] = 200 - values["envelope_upper"]
    flipped["envelope_upper"] = 200 - values["envelope_lower"]
    flipped["envelope_centre"] = 200 - values["envelope_centre"]
    flipped |= {name: 200 - values[name] for name in ("ema12", "ema144", "ema169")}
    flipped["stc"] = 100 - values["stc"]
    flipped["hammer_hammer"] = values["hammer_hanging_man"]
    flipped["hammer_hanging_man"] = values["hammer_hammer"]
    return flipped


def test_a_close_back_inside_after_a_low_below_the_band_is_a_long() -> None:
    proposal = signal()
    assert (proposal.direction, proposal.filters) == (LONG, ())
    assert proposal.votes[0] == Vote("NWE_BAND", LONG)


def test_a_close_back_inside_after_a_close_below_the_band_is_a_long() -> None:
    inside = bar(1, 99.2, open_=99.1)
    assert decided(inside).outcome is Outcome.NOTHING
    assert decided(inside, state={"close": 98.9}).outcome is Outcome.SIGNALLED
    assert decided(inside, state={"close": 99.0}).outcome is Outcome.NOTHING


@pytest.mark.parametrize(
    ("close", "is_signal"), [(98.99, False), (99.0, True), (99.99, True), (100.0, False)]
)
def test_the_close_must_lie_between_the_band_and_the_centre(
    close: float, *, is_signal: bool
) -> None:
    found = decided(bar(1, close, low=98.5, high=100.2))
    assert (found.outcome is Outcome.SIGNALLED) == is_signal


@pytest.mark.parametrize(
    ("close", "is_signal"), [(101.01, False), (101.0, True), (100.01, True), (100.0, False)]
)
def test_the_close_of_a_short_must_lie_between_the_centre_and_the_band(
    close: float, *, is_signal: bool
) -> None:
    found = decided(bar(1, close, low=99.5, high=101.5))
    assert bool(found.proposals) == is_signal


def test_the_low_must_lie_below_the_band_not_upon_it() -> None:
    assert decided(bar(1, 99.2, low=99.0)).outcome is Outcome.NOTHING


@given(
    st.lists(st.integers(9_700, 10_300), min_size=4, max_size=4).map(sorted),
    st.booleans(),
    st.integers(9_700, 10_300),
    st.sampled_from((10.0, 25.0, 50.0, 75.0, 90.0)),
    st.permutations((99.0, 100.0, 101.0)),
)
def test_shorts_are_as_strict_as_longs(
    prices: list[int], is_up: bool, before: int, stc: float, emas: list[float]
) -> None:
    """[FIX] Upside down, everything a long needs is what a short needs."""
    low, first, last, high = (price / 100 for price in prices)
    opened, closed = (first, last) if is_up else (last, first)
    one = bar(1, closed, open_=opened, high=high, low=low)
    values = VALUES | {"stc": stc} | dict(zip(("ema12", "ema144", "ema169"), emas, strict=True))
    up = decided(one, None, {"close": before / 100}, **values)
    down = decided(mirrored(one), None, {"close": (20_000 - before) / 100}, **upside_down(values))
    assert up.outcome is down.outcome
    for long, short in zip(up.proposals, down.proposals, strict=True):
        assert long.direction is short.direction.opposite
        assert long.filters == short.filters
        assert long.stop_atto is not None
        assert short.stop_atto is not None
        assert long.stop_atto + short.stop_atto == 200 * ATTO


def test_the_trend_cycle_confirms() -> None:
    """[FIX] It was computed and never looked at."""
    assert signal(stc=24.9).filters == ()
    assert signal(stc=25.0).filters == ("STC_UNCONFIRMED",)
    assert signal(within=setting(stc="OFF"), stc=90.0).filters == ()


def test_the_volume_confirms() -> None:
    """[FIX] It was computed and never looked at."""
    assert signal(volume_ratio=0.9).filters == ()
    assert signal(volume_ratio=0.89).filters == ("VOLUME_UNCONFIRMED",)
    assert signal(within=setting(volume="OFF"), volume_ratio=0.1).filters == ()


def test_the_hammer_confirms_where_it_is_asked_for() -> None:
    """[FIX] It was computed and never looked at."""
    on = setting(hammer="ON")
    assert signal(hammer_hammer=0.0).filters == ()
    assert signal(within=on, hammer_hammer=0.0).filters == ("HAMMER_UNCONFIRMED",)
    assert signal(within=on).filters == ()


def test_the_averages_12_144_and_169_block_the_trade_against_their_order() -> None:
    """[FIX] 169, 576 and 676 were looked at in their place."""
    against = {"ema12": 98.0, "ema144": 99.0, "ema169": 100.0}
    assert signal(**against).filters == ("DIRECTION_AGAINST_TREND",)
    assert signal(within=setting(direction="OFF"), **against).filters == ()
    mixed = {"ema12": 98.0, "ema144": 100.0, "ema169": 99.0}
    assert signal(**mixed).filters == ()
    periods = {
        n.name: n.parameters["n"]
        for n in NWE.indicators(setting().config.parameters, True)
        if n.kind == "EMA"
    }
    assert periods == {"ema12": 12, "ema144": 144, "ema169": 169}


def test_every_reason_is_kept() -> None:
    found = decided(stc=50.0, volume_ratio=0.5)
    assert found.outcome is Outcome.FILTERED
    assert found.proposals[0].filters == ("STC_UNCONFIRMED", "VOLUME_UNCONFIRMED")


def test_a_bar_is_remembered_for_the_next() -> None:
    state, _ = evaluate(setting(), {}, [bar(1, 98.9)], Point(VALUES, is_warm=True), FLAT)
    assert decided(bar(2, 99.2), state=state).outcome is Outcome.SIGNALLED


@pytest.mark.parametrize("name", ["envelope_lower", "atr", "stc", "volume_ratio", "ema144"])
def test_without_a_value_that_is_needed_nothing_is_decided(name: str) -> None:
    values = {key: value for key, value in VALUES.items() if key != name}
    point = Point(values, is_warm=True)
    _, found = evaluate(setting(), {}, [BACK_INSIDE], point, FLAT)
    assert found.outcome is Outcome.INPUT_MISSING


def test_a_value_of_what_is_switched_off_is_not_needed() -> None:
    values = {key: value for key, value in VALUES.items() if key != "volume_ratio"}
    within = setting(volume="OFF")
    _, found = evaluate(within, {}, [BACK_INSIDE], Point(values, is_warm=True), FLAT)
    assert found.outcome is Outcome.SIGNALLED
    asked = [need.name for need in NWE.indicators(within.config.parameters, True)]
    assert "volume_ratio" not in asked


def test_it_is_warm_after_998_candles() -> None:
    assert NWE.warm_after(setting().config.parameters) == 998


def test_a_sizing_that_the_mode_cannot_use_is_refused() -> None:
    sizing = Sizing(SizingWay.RISK_SHARE, ATTO // 100)
    with pytest.raises(StrategyRefused) as refused:
        checked(Config("NWE", "main", MINUTE_1, {}, sizing))
    assert refused.value.reason == "SIZING_INVALID"
    assert checked(Config("NWE", "main", MINUTE_1, {"mode": "AS_SIZED"}, sizing))


@pytest.mark.parametrize(
    ("name", "value"), [("stop_atr", 0.0), ("window", 1.5), ("stc", "MAYBE"), ("moon", 1.0)]
)
def test_a_parameter_out_of_its_schema_is_refused(name: str, value: float | str) -> None:
    with pytest.raises(StrategyRefused) as refused:
        setting(**{name: value})
    assert refused.value.field == f"parameters.{name}"


@pytest.mark.parametrize(
    ("past", "lacks"),
    [
        (Past(2_000, 0, has_range=False, has_volume=False), "closes alone"),
        (Past(2_000, 0, has_range=True, has_volume=False), "a volume"),
    ],
)
def test_candles_that_lack_what_it_needs_are_refused(past: Past, lacks: str) -> None:
    alpha = Instrument("ALPHA.XSIM", TICK, ATTO, "USD")
    hosted = created("s-1", setting().config, {alpha.name: alpha}, 0)
    with pytest.raises(StrategyRefused, match=lacks) as refused:
        check_pasts(hosted, {alpha.name: past}, is_cold_allowed=True)
    assert refused.value.reason == "CANDLE_KIND_INSUFFICIENT"


def test_without_the_volume_confirmation_no_volume_is_needed() -> None:
    alpha = Instrument("ALPHA.XSIM", TICK, ATTO, "USD")
    hosted = created("s-1", setting(volume="OFF").config, {alpha.name: alpha}, 0)
    past = Past(2_000, 0, has_range=True, has_volume=False)
    check_pasts(hosted, {alpha.name: past}, is_cold_allowed=True)
