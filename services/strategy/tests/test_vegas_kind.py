"""The tunnel as a kind: what it decides after a bar, what it remembers, what it refuses."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.strategy.evaluation import Evaluation, evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT, Position
from services.strategy.registry import checked
from services.strategy.terms import (
    Action,
    Direction,
    ExitRules,
    Outcome,
    Point,
    Proposal,
    Setting,
    Sizing,
    SizingWay,
    StrategyRefused,
)
from services.strategy.tests.mothers import atto, close_only, held
from services.strategy.tests.vegas_mothers import EMAS, UP, bar_of, point, setting
from services.strategy.vegas import VEGAS
from services.strategy.vegas import inputs as i

LONG, SHORT = Direction.LONG, Direction.SHORT
PRICES = "100 101 99 100.5"
ENGULFS: dict[str, Any] = {"bull": 1, "volume_ratio": 2.5}
"""An engulfing bar on a surge of volume: support of exactly two."""


def after(
    now: Point | None,
    *,
    was: KindState | None = None,
    prices: str = PRICES,
    within: Setting | None = None,
    position: Position = FLAT,
) -> tuple[KindState, Evaluation]:
    """Return what is remembered and decided."""
    return evaluate(within or setting(), was or {}, [bar_of(prices)], now, position)


def decided(now: Point, **more: Any) -> Evaluation:
    """Return what is decided."""
    return after(now, **more)[1]


def only(evaluation: Evaluation) -> Proposal:
    (proposal,) = evaluation.proposals
    return proposal


def test_enough_support_opens_with_votes_stop_and_strength() -> None:
    signal = only(decided(point(**ENGULFS)))
    assert (signal.action, signal.direction, signal.is_published) == (Action.OPEN, LONG, True)
    assert [(one.name, one.direction) for one in signal.votes] == [
        ("VOLUME_SURGE", Direction.NONE),
        ("ENGULFING", LONG),
    ]
    assert signal.entry_atto == atto(100.5)
    assert (signal.stop_atto, signal.stop_source) == (atto(100), "SIGNAL_BAR")
    assert signal.strength == pytest.approx(2 / 7)


def test_too_little_support_is_no_signal_but_shows_its_votes() -> None:
    evaluation = decided(point(bull=1))
    assert (evaluation.outcome, evaluation.proposals) == (Outcome.NOTHING, ())
    assert [one.name for one in evaluation.votes] == ["ENGULFING"]


def test_the_signal_bar_stop_does_not_hang_on_debug_output() -> None:
    """It was once computed with debug output alone."""
    quiet, loud = (only(decided(point(**ENGULFS), within=setting(debug=d))) for d in ("OFF", "ON"))
    assert quiet.signal_bar_atto == loud.signal_bar_atto == atto(100)
    assert replace(loud, labels=()) == replace(quiet, labels=())
    assert set(loud.labels) > set(quiet.labels)


def test_the_signal_bar_stop_can_be_switched_off() -> None:
    off = setting(exit=ExitRules(is_signal_bar_watched=False))
    signal = only(decided(point(**ENGULFS), within=off))
    assert (signal.stop_atto, signal.stop_source) == (atto(97.5), "ATR")


def test_a_filtered_signal_keeps_its_reasons_and_is_not_published() -> None:
    falling = point(**ENGULFS, histogram=-1, histogram_change=-1)
    signal = only(decided(falling))
    assert signal.filters == ("MACD_FALLING_KNIFE",)
    assert not signal.is_published
    assert decided(falling).outcome is Outcome.FILTERED
    off = setting(macd_falling_knife="OFF")
    assert only(decided(falling, within=off)).is_published


def test_reasons_of_the_tunnel_come_before_those_of_the_position() -> None:
    falling = point(**ENGULFS, histogram=-1, histogram_change=-1)
    signal = only(decided(falling, position=held(entry=100.4, stop=98)))
    assert signal.filters == ("MACD_FALLING_KNIFE", "ALREADY_HELD")


def test_heavier_conditions_outvote_more_numerous_ones_only_by_weight() -> None:
    cast = point(bull=1, bear=0, rsi=90, hanging_man=1)
    heavy: dict[str, Any] = {"weight_engulfing": 2.5}
    by_weight = decided(cast, within=setting(**heavy))
    by_count = decided(cast, within=setting(vote_mode="COUNT", **heavy))
    assert only(by_weight).direction is LONG
    assert only(by_count).direction is SHORT


def test_a_tie_opens_nothing() -> None:
    tied = point(bull=1, hanging_man=1, volume_ratio=3)
    evaluation = decided(tied)
    assert evaluation.proposals == ()
    assert len(evaluation.votes) == 3


def test_a_condition_that_is_off_does_not_vote() -> None:
    off = setting(engulfing="OFF")
    assert decided(point(**ENGULFS), within=off).proposals == ()
    leg = point(leg=1, leg_is_new=1, volume_ratio=3)
    assert [one.name for one in decided(leg).votes] == ["VOLUME_SURGE"]
    votes = decided(leg, within=setting(leg="ON")).votes
    assert [(one.name, round(one.weight, 9)) for one in votes] == [
        ("VOLUME_SURGE", 1.0),
        ("LEG", 1.44),
    ]


BELOW = "100 100 99 100.1"
ABOVE = "100.1 101 100.1 100.6"


def test_a_break_is_seen_against_the_bar_before() -> None:
    """Closes below the tunnel, then above it: the first bar is remembered for the second."""
    below, _ = after(point(), prices=BELOW)
    now = point(volume_ratio=3)
    assert [one.name for one in decided(now, was=below, prices=ABOVE).votes] == [
        "VOLUME_SURGE",
        "TUNNEL_BREAK",
    ]
    assert [one.name for one in decided(now, prices=ABOVE).votes] == ["VOLUME_SURGE"]


def test_a_bar_without_averages_is_no_bar_to_break_from() -> None:
    below, _ = after(point(), prices=BELOW)
    lost, _ = after(None, was=below, prices=BELOW)
    votes = decided(point(volume_ratio=3), was=lost, prices=ABOVE).votes
    assert [one.name for one in votes] == ["VOLUME_SURGE"]


def test_what_was_primed_counts_as_the_bar_before() -> None:
    state = VEGAS.remember(VEGAS.prime({}, point().values), bar_of(BELOW))
    assert state == after(point(), prices=BELOW)[0]


@pytest.mark.parametrize("name", ["volume_ratio", "rsi", "atr", "histogram_change", "width"])
def test_nothing_is_decided_without_a_value_that_is_needed(name: str) -> None:
    values = dict(point(**ENGULFS).values)
    del values[getattr(i, name.upper())]
    evaluation = decided(Point(values, is_warm=True))
    assert (evaluation.outcome, evaluation.proposals) == (Outcome.INPUT_MISSING, ())


def test_a_bar_without_range_has_no_shape_and_is_decided() -> None:
    values = dict(point(rsi=10, volume_ratio=3).values)
    for name in (i.BULL, i.BEAR, i.HAMMER, i.HANGING_MAN):
        del values[name]
    evaluation = decided(Point(values, is_warm=True), prices="100 100 100 100")
    assert only(evaluation).direction is LONG


def test_closes_alone_are_never_decided_on() -> None:
    _, evaluation = evaluate(setting(), {}, [close_only(5, 100)], Point({}, is_warm=True), FLAT)
    assert evaluation.outcome is Outcome.INPUT_MISSING


def test_it_is_warm_when_its_slowest_average_is() -> None:
    assert VEGAS.warm_after(setting().config.parameters) == 2704
    assert VEGAS.history == 7_000
    short: dict[str, Any] = {f"ema{at}": at for at in range(1, 8)}
    assert VEGAS.warm_after(setting(**short).config.parameters) == 17


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ema3": 144}, "parameters.ema2"),
        ({"ema7": 5_001}, "parameters.ema7"),
        ({"ema1": 1.5}, "parameters.ema1"),
        ({"weight_rsi": -0.1}, "parameters.weight_rsi"),
        ({"weight_rsi": float("nan")}, "parameters.weight_rsi"),
        ({"support_min": True}, "parameters.support_min"),
        ({"vote_mode": "LOUD"}, "parameters.vote_mode"),
        ({"leg": 1}, "parameters.leg"),
        ({"ema8": 3_000}, "parameters.ema8"),
    ],
)
def test_a_parameter_out_of_its_schema_is_refused_by_its_path(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(StrategyRefused) as refused:
        setting(**changes)
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", field)


@pytest.mark.parametrize(
    ("mode", "way"),
    [("STOP_AND_REVERSE", SizingWay.RISK_SHARE), ("AS_SIZED", SizingWay.TARGET_POSITION)],
)
def test_a_sizing_that_the_mode_cannot_use_is_refused(mode: str, way: SizingWay) -> None:
    config = setting().config
    unfit = replace(config, parameters={"mode": mode}, sizing=Sizing(way, ATTO // 100))
    with pytest.raises(StrategyRefused) as refused:
        checked(unfit)
    assert refused.value.reason == "SIZING_INVALID"


def test_as_sized_it_adds_to_a_position_up_to_the_most_entries() -> None:
    two = replace(
        setting().config,
        parameters={"mode": "AS_SIZED"},
        sizing=Sizing(SizingWay.RISK_SHARE, ATTO // 100),
        max_entries=2,
    )
    within = replace(setting(), config=checked(two))
    once = held(entry=100.4, stop=98)
    first, second = (
        decided(point(**ENGULFS), within=within, position=position).proposals[0]
        for position in (once, replace(once, entries=2))
    )
    assert first.is_published
    assert first.sizing == two.sizing
    assert second.filters == ("ALREADY_HELD",)


LEVELS = st.sampled_from([90.0, 95.0, 99.7, 100.0, 100.3, 101.0, 105.0, 118.5])
SEEN = st.fixed_dictionaries(
    {
        "rsi": st.sampled_from([10.0, 25.0, 50.0, 75.0, 90.0]),
        "volume_ratio": st.sampled_from([0.5, 1.0, 2.5]),
        "bull": st.sampled_from([0, 1]),
        "bear": st.sampled_from([0, 1]),
        "hammer": st.sampled_from([0, 1]),
        "hanging_man": st.sampled_from([0, 1]),
        "histogram": st.sampled_from([-1.0, 0.0, 1.0]),
        "histogram_change": st.sampled_from([-1.0, 0.0, 1.0]),
        "cross": st.sampled_from([-1, 0, 1]),
        "width": st.sampled_from([0.01, 0.1]),
    }
)
ORDERS = st.one_of(st.sampled_from([EMAS, UP, UP[::-1]]), st.tuples(*[LEVELS] * 7))


@given(st.lists(LEVELS, min_size=4, max_size=4), ORDERS, SEEN)
def test_debug_output_changes_no_decision(
    levels: list[float], emas: tuple[float, ...], seen: dict[str, Any]
) -> None:
    opened, close, *rest = levels
    high, low = max(levels), min(levels)
    prices = f"{opened} {high} {low} {close}"
    was = after(point(), prices=f"{rest[0]} {high} {low} {rest[1]}")[0]
    quiet, loud = (
        after(point(emas, **seen), was=was, prices=prices, within=setting(debug=debug))
        for debug in ("OFF", "ON")
    )
    assert loud[0] == quiet[0]
    unlabelled = tuple(replace(one, labels=()) for one in loud[1].proposals)
    assert unlabelled == tuple(replace(one, labels=()) for one in quiet[1].proposals)
    loud_else, quiet_else = (one[1]._replace(labels=(), proposals=()) for one in (loud, quiet))
    assert loud_else == quiet_else
    assert all(len(one.labels) <= 16 for one in loud[1].proposals)


@given(st.lists(LEVELS, min_size=4, max_size=4), ORDERS, SEEN)
def test_every_signal_has_votes_a_stop_behind_it_and_targets_before_it(
    levels: list[float], emas: tuple[float, ...], seen: dict[str, Any]
) -> None:
    opened, close, *_ = levels
    prices = f"{opened} {max(levels)} {min(levels)} {close}"
    for signal in decided(point(emas, **seen), prices=prices).proposals:
        side = signal.direction
        assert any(vote.direction is side for vote in signal.votes)
        assert signal.stop_atto is not None
        assert side * (signal.entry_atto - signal.stop_atto) > 0
        assert all(side * (one.price_atto - signal.entry_atto) > 0 for one in signal.targets)
        assert 0 < signal.strength <= 1
        best = signal.best_entry_atto
        assert best is None or side * (signal.entry_atto - best) > 0
