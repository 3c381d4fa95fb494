"""The targets of an opening signal (E8 to E12), by whole evaluations of EMA_CROSS."""

import pytest

from runtime.atto import ATTO
from services.strategy.evaluation import Evaluation, evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT
from services.strategy.runs import run_after, run_against
from services.strategy.targeting import with_indicator_target
from services.strategy.terms import (
    Bar,
    Direction,
    ExitRules,
    Point,
    StrategyRefused,
    Target,
)
from services.strategy.tests.mothers import (
    atto,
    bar,
    close_only,
    held,
    mirrored,
    point,
    setting,
)

LONG, SHORT = Direction.LONG, Direction.SHORT
WIDE = bar(1, 100, open_=99.5, high=100.5, low=98.5)


def opened(rules: ExitRules, one: Bar = WIDE, seen: Point | None = None) -> Evaluation:
    """What a cross to the long side comes to; the average true range is 1."""
    before: KindState = {"sign": -1}
    return evaluate(setting(exit=rules), before, [one], seen or point(101, 100.2), FLAT)[1]


def targets(rules: ExitRules, one: Bar = WIDE, seen: Point | None = None) -> list[tuple[int, str]]:
    """The targets of that signal."""
    (proposal,) = opened(rules, one, seen).proposals
    return [(target.price_atto, target.source) for target in proposal.targets]


def test_a_signal_has_no_targets_by_default() -> None:
    assert targets(ExitRules()) == []


def test_the_atr_target_is_for_longs_and_shorts_alike() -> None:
    rules = ExitRules(atr_target_atto=2 * ATTO)
    assert targets(rules) == [(atto(102), "ATR_RATIO")]
    _, evaluation = evaluate(
        setting(exit=rules), {"sign": 1}, [mirrored(WIDE)], point(99, 99.8), FLAT
    )
    (short,) = evaluation.proposals
    assert short.targets == (Target(atto(98), "ATR_RATIO"),)


def test_the_signal_bar_target_is_a_multiple_of_the_bars_range() -> None:
    rules = ExitRules(signal_bar_target_atto=ATTO * 3 // 2)
    assert targets(rules) == [(atto(103), "SIGNAL_BAR_RATIO")]
    assert targets(rules, close_only(1, 100)) == []


def test_the_indicator_target_is_the_value_of_the_indicator() -> None:
    rules = ExitRules(indicator_target="fast")
    assert targets(rules, seen=point(101.237, 100.2)) == [(atto(101.23), "INDICATOR")]


def test_a_target_on_the_wrong_side_of_the_entry_is_dropped_with_a_reason() -> None:
    rules = ExitRules(indicator_target="slow", atr_target_atto=ATTO)
    (proposal,) = opened(rules, seen=point(101, 99.4)).proposals
    assert [one.source for one in proposal.targets] == ["ATR_RATIO"]
    assert proposal.dropped == (Target(atto(99.4), "INDICATOR"),)


def test_targets_are_told_nearest_first() -> None:
    rules = ExitRules(
        indicator_target="fast", atr_target_atto=3 * ATTO, signal_bar_target_atto=ATTO
    )
    assert [source for _, source in targets(rules)] == [
        "INDICATOR",
        "SIGNAL_BAR_RATIO",
        "ATR_RATIO",
    ]


def test_an_indicator_target_moves_with_the_indicator() -> None:
    within = setting(exit=ExitRules(indicator_target="slow"))
    position = with_indicator_target(held(), point(101, 103.5), within)
    assert position.targets == (Target(atto(103.5), "INDICATOR"),)
    assert with_indicator_target(position, point(101, 99), within).targets == ()
    assert with_indicator_target(position, point(101, 103.5), within) is position


def test_an_indicator_target_that_the_kind_does_not_know_is_refused() -> None:
    with pytest.raises(StrategyRefused) as refused:
        setting(exit=ExitRules(indicator_target="moon"))
    assert (refused.value.reason, refused.value.field) == (
        "PARAMETER_INVALID",
        "exit.indicator_target",
    )


def test_tiers_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(StrategyRefused, match="must ascend"):
        setting(exit=ExitRules(tiers_r_atto=(2 * ATTO, ATTO)))


def run_of(*closes: float) -> KindState:
    """The run after bars that reach 0.5 beyond their close."""
    state: KindState = {}
    for minute, close in enumerate(closes):
        state = run_after(state, bar(minute, close, high=close + 0.5, low=close - 0.5))
    return state


def test_a_run_ends_at_its_furthest_price() -> None:
    assert run_against(run_of(110, 108, 105), LONG) == (110, 104.5)
    assert run_against(run_of(110, 108, 105), SHORT) is None


def test_the_bar_that_turns_a_run_round_goes_against_it() -> None:
    assert run_against(run_of(110, 108, 105, 106), LONG) == (110, 104.5)
    assert run_against(run_of(110, 108, 105, 106, 107), LONG) is None


def test_an_unchanged_close_neither_ends_a_run_nor_begins_one() -> None:
    assert run_against(run_of(110, 108, 108, 105), LONG) == (110, 104.5)
    assert run_against(run_of(110, 110), LONG) is None


def test_a_run_begins_where_the_one_before_it_ended() -> None:
    assert run_against(run_of(100, 104, 103, 101), LONG) == (104.5, 100.5)


def test_a_trade_against_a_run_takes_profit_once_a_third_of_it_is_won_back() -> None:
    """From 110 down to 99.5, then a bar up to 100: 32 % of 10.5 above 99.5 is 102.86."""
    within = setting(exit=ExitRules(is_pull_back_on=True))
    state: KindState = {**run_of(110, 105, 100, 99.9), "sign": -1}
    state = {**state, "run_end": 99.5}
    _, evaluation = evaluate(within, state, [bar(9, 100, high=100.2)], point(101, 100.2), FLAT)
    (proposal,) = evaluation.proposals
    assert proposal.targets == (Target(atto(102.86), "PULL_BACK"),)


def test_runs_are_kept_only_where_they_are_needed() -> None:
    state: KindState = {"sign": 1}
    off, _ = evaluate(setting(), state, [WIDE], point(101, 100.2), FLAT)
    assert off is state
    within = setting(exit=ExitRules(is_pull_back_on=True))
    on, _ = evaluate(within, state, [WIDE], point(101, 100.2), FLAT)
    assert on["run_close"] == 100
    assert on["sign"] == 1
