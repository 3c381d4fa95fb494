"""What EMA_CROSS decides, and what every kind's wishes go through."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.strategy.evaluation import Evaluation, evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT, Position
from services.strategy.proposing import marked_leaving
from services.strategy.terms import (
    Action,
    Bar,
    Direction,
    ExitRules,
    Outcome,
    Point,
    Proposal,
    Setting,
    Sizing,
    SizingWay,
)
from services.strategy.tests.mothers import atto, bar, close_only, held, point, setting

LONG, SHORT = Direction.LONG, Direction.SHORT
UP, DOWN = point(101, 100), point(100, 101)
WAS_UP: KindState = {"sign": 1}
WAS_DOWN: KindState = {"sign": -1}


def after(
    now: Point | None,
    was: KindState,
    *,
    position: Position = FLAT,
    within: Setting | None = None,
    on: Bar | None = None,
) -> Evaluation:
    return evaluate(within or setting(), was, [on or bar(5, 100)], now, position)[1]


def only(evaluation: Evaluation) -> Proposal:
    (proposal,) = evaluation.proposals
    return proposal


def long_only(**more: Any) -> Setting:
    return setting(parameters={"mode": "LONG_ONLY"}, **more)


def test_a_crossing_opens_in_its_direction() -> None:
    up, down = only(after(UP, WAS_DOWN)), only(after(DOWN, WAS_UP))
    assert (up.action, up.direction, up.is_published) == (Action.OPEN, LONG, True)
    assert (down.action, down.direction, down.is_published) == (Action.OPEN, SHORT, True)


@pytest.mark.parametrize(("now", "was"), [(UP, WAS_UP), (DOWN, WAS_DOWN), (UP, {})])
def test_without_a_crossing_nothing_is_decided(now: Point, was: KindState) -> None:
    evaluation = after(now, was)
    assert (evaluation.outcome, evaluation.proposals) == (Outcome.NOTHING, ())


def test_equal_averages_keep_the_former_side() -> None:
    state, _ = evaluate(setting(), WAS_UP, [bar(5, 100)], point(100, 100), FLAT)
    assert state == WAS_UP
    assert only(after(DOWN, state)).direction is SHORT
    assert after(UP, state).proposals == ()


def test_the_stop_lies_one_and_a_half_true_ranges_away() -> None:
    opened = only(after(point(101, 100, move=2.0), WAS_DOWN))
    assert (opened.stop_atto, opened.stop_source) == (atto(97), "ATR")
    assert only(after(point(100, 101, move=2.0), WAS_UP)).stop_atto == atto(103)


def test_closes_alone_put_the_stop_two_mean_moves_away() -> None:
    closes = setting(has_range=False)
    opened = only(after(point(101, 100, 2.0), WAS_DOWN, within=closes, on=close_only(5, 100)))
    assert (opened.stop_atto, opened.stop_source) == (atto(96), "ABS_MOVE")


def test_a_stop_off_the_tick_is_rounded_toward_the_entry() -> None:
    move = 0.123  # 1.5 of it is 0.1845.
    assert only(after(point(101, 100, move), WAS_DOWN)).stop_atto == atto(99.82)
    assert only(after(point(100, 101, move), WAS_UP)).stop_atto == atto(100.18)


def test_a_stop_is_at_least_one_tick_away() -> None:
    assert only(after(point(101, 100, 0.0001), WAS_DOWN)).stop_atto == atto(99.99)
    assert only(after(point(100, 101, 0.0001), WAS_UP)).stop_atto == atto(100.01)


def test_strength_is_the_distance_of_the_averages_in_true_ranges() -> None:
    assert only(after(point(101, 100, 4.0), WAS_DOWN)).strength == 0.25
    assert only(after(point(109, 100, 4.0), WAS_DOWN)).strength == 1.0
    assert only(after(point(101, 100, 0.0), WAS_DOWN)).strength == 1.0


def test_an_entry_off_the_tick_waits_rather_than_pays() -> None:
    assert only(after(UP, WAS_DOWN, on=bar(5, 100.129))).entry_atto == atto(100.12)
    assert only(after(DOWN, WAS_UP, on=bar(5, 100.121))).entry_atto == atto(100.13)


def test_reversing_asks_for_the_position_to_end_at() -> None:
    ten = Sizing(SizingWay.TARGET_POSITION, 10 * ATTO)
    minus_ten = Sizing(SizingWay.TARGET_POSITION, -10 * ATTO)
    assert only(after(UP, WAS_DOWN)).sizing == ten
    assert only(after(DOWN, WAS_UP)).sizing == minus_ten
    quantity = setting(sizing=Sizing(SizingWay.QUANTITY, 10 * ATTO))
    assert only(after(DOWN, WAS_UP, within=quantity)).sizing == minus_ten
    money = setting(sizing=Sizing(SizingWay.NOTIONAL, 1_099 * ATTO, "USD"))
    assert only(after(DOWN, WAS_UP, within=money)).sizing == minus_ten


def test_long_only_copies_the_sizing_and_closes_on_the_way_down() -> None:
    risk = Sizing(SizingWay.RISK_SHARE, ATTO // 100)
    assert only(after(UP, WAS_DOWN, within=long_only(sizing=risk))).sizing == risk
    closing = only(after(DOWN, WAS_UP, within=long_only(), position=held(stop=90)))
    assert (closing.action, closing.direction, closing.is_published) == (
        Action.CLOSE,
        LONG,
        True,
    )


def test_a_close_without_a_position_is_kept_back() -> None:
    closing = only(after(DOWN, WAS_UP, within=long_only()))
    assert (closing.action, closing.filters) == (Action.CLOSE, ("NOTHING_HELD",))


def test_a_reversal_is_one_signal_that_also_takes_off_what_is_held() -> None:
    """Even when the stop is touched in the same bar: a close on top would sell twice."""
    for on in (bar(5, 100), bar(5, 97, open_=100)):
        turned = only(after(DOWN, WAS_UP, position=held(), on=on))
        assert (turned.action, turned.direction) == (Action.OPEN, SHORT)


def test_a_touched_stop_closes_the_position() -> None:
    evaluation = after(UP, WAS_UP, position=held(stop=99), on=bar(5, 99.5, open_=100, low=98))
    closing = only(evaluation)
    assert (closing.action, closing.direction) == (Action.CLOSE, LONG)
    assert (closing.stop_atto, closing.stop_source) == (atto(99), "ATR")
    assert closing.entry_atto == atto(99.5)
    assert [vote.name for vote in closing.votes] == ["ATR"]
    assert evaluation.exit is not None
    assert evaluation.exit.price_atto == atto(99)


def test_a_repeated_signal_opens_nothing_and_never_loosens_a_stop() -> None:
    looser = after(point(101, 100, 3.0), WAS_DOWN, position=held(stop=99))
    assert only(looser).filters == ("ALREADY_HELD",)
    assert looser.position.stop_atto == atto(99)


def test_a_repeated_signal_may_tighten_the_stop() -> None:
    tighter = after(point(101, 100, 0.5), WAS_DOWN, position=held(stop=99))
    kept_back, adjusting = tighter.proposals
    assert kept_back.filters == ("ALREADY_HELD",)
    assert (adjusting.action, adjusting.stop_atto) == (Action.ADJUST_STOP, atto(99.25))
    assert tighter.position.stop_atto == atto(99.25)


def test_entries_are_added_up_to_the_number_allowed() -> None:
    one = long_only(sizing=Sizing(SizingWay.QUANTITY, ATTO))
    two = replace(one, config=replace(one.config, max_entries=2))
    once = held(stop=90)
    second, _ = after(UP, WAS_DOWN, within=two, position=once).proposals
    assert (second.action, second.is_published) == (Action.OPEN, True)
    again = after(point(101, 100, 9.0), WAS_DOWN, within=two, position=replace(once, entries=2))
    assert again.proposals[0].filters == ("ALREADY_HELD",)


def test_a_paused_strategy_still_exits() -> None:
    paused = setting(is_paused=True)
    opening = only(after(UP, WAS_DOWN, within=paused))
    assert opening.filters == ("PAUSED",)
    closing, kept_back = after(
        DOWN, WAS_UP, within=paused, position=held(stop=99), on=bar(5, 98)
    ).proposals
    assert (closing.action, closing.is_published) == (Action.CLOSE, True)
    assert (kept_back.action, kept_back.filters) == (Action.OPEN, ("PAUSED",))


def test_what_is_being_left_is_left_alone() -> None:
    leaving = marked_leaving(held(stop=99), "closing", bar(5, 100).close_ns)
    assert after(UP, WAS_UP, position=leaving, on=bar(5, 90)).proposals == ()
    assert only(after(DOWN, WAS_UP, position=leaving)).filters == ("EXIT_PENDING",)
    lapsed = marked_leaving(held(stop=99), "closing", bar(5, 100).close_ns - 1)
    assert only(after(UP, WAS_UP, position=lapsed, on=bar(5, 90))).action is Action.CLOSE


def test_a_cold_point_opens_nothing_and_is_remembered() -> None:
    cold = Point({"fast": 101, "slow": 100}, is_warm=False)
    state, evaluation = evaluate(setting(), {}, [bar(5, 100)], cold, FLAT)
    assert (evaluation.outcome, evaluation.proposals) == (Outcome.NOT_WARM, ())
    assert state == {"sign": 1}


def test_a_missing_input_opens_nothing_but_exits_go_on() -> None:
    without = Point({"fast": 100, "slow": 101}, is_warm=True)
    for now in (None, without):
        assert after(now, WAS_UP).outcome is Outcome.INPUT_MISSING
        exiting = after(now, WAS_UP, position=held(stop=99), on=bar(5, 98))
        assert (exiting.outcome, only(exiting).action) == (Outcome.SIGNALLED, Action.CLOSE)


def test_the_greatest_loss_is_the_stop_where_the_signals_own_is_off() -> None:
    off = setting(exit=ExitRules(is_initial_stop_watched=False))
    opened = only(after(UP, WAS_DOWN, within=off))
    assert (opened.stop_atto, opened.stop_source) == (atto(98), "MAX_LOSS")


def test_every_signal_has_a_vote_and_every_opening_a_stop_on_its_losing_side() -> None:
    for direction, now, was in ((LONG, UP, WAS_DOWN), (SHORT, DOWN, WAS_UP)):
        opened = only(after(now, was))
        assert opened.votes
        assert opened.stop_atto is not None
        assert direction * (opened.entry_atto - opened.stop_atto) > 0


values = st.floats(90, 110)


@given(values, values, st.floats(0, 5), st.sampled_from([{}, WAS_UP, WAS_DOWN]))
def test_the_same_inputs_give_the_same_decision(
    fast: float, slow: float, move: float, was: KindState
) -> None:
    inputs = (setting(), was, [bar(5, 100)], point(fast, slow, move), held())
    assert evaluate(*inputs) == evaluate(*inputs)


@given(st.lists(st.tuples(values, values, st.floats(0, 5)), min_size=1, max_size=40))
def test_no_decision_loosens_a_stop(readings: list[tuple[float, float, float]]) -> None:
    """Whatever crosses while a position is held, its stop only ever comes nearer."""
    state: KindState = {}
    position = held(stop=90)
    for minute, (fast, slow, move) in enumerate(readings):
        one = point(fast, slow, move)
        state, evaluation = evaluate(setting(), state, [bar(minute, 100)], one, position)
        after_it, before = evaluation.position.stop_atto, position.stop_atto
        assert after_it is not None
        assert before is not None
        assert after_it >= before
        position = evaluation.position


@given(st.lists(st.tuples(values, values), max_size=40), st.integers(0, 40))
def test_later_bars_change_no_earlier_decision(
    averages: list[tuple[float, float]], kept: int
) -> None:
    def decisions(points: list[tuple[float, float]]) -> list[Evaluation]:
        state: Any = {}
        made = []
        for minute, (fast, slow) in enumerate(points):
            tail = [bar(minute, (fast + slow) / 2)]
            state, evaluation = evaluate(setting(), state, tail, point(fast, slow), FLAT)
            made.append(evaluation)
        return made

    assert decisions(averages)[:kept] == decisions(averages[:kept])
