"""What exits and wishes come to as signals."""

from dataclasses import replace

from runtime.atto import ATTO
from services.strategy.configuring import created
from services.strategy.evaluation import evaluate
from services.strategy.exits import Exits
from services.strategy.instruments import Instrument
from services.strategy.positions import FLAT, Position
from services.strategy.proposing import proposals_of
from services.strategy.signals import drafted
from services.strategy.targeting import Seen
from services.strategy.terms import (
    Action,
    Bar,
    Direction,
    ExitRules,
    Outcome,
    Proposal,
    Setting,
    Sizing,
    SizingWay,
    Target,
    TimeStop,
    Wish,
)
from services.strategy.tests.mothers import TICK, atto, bar, held, point, setting

BAR = bar(1, 100, open_=99, high=100.5, low=98.7)
QUIET = point(101, 100)


def decided(position: Position, one: Bar, within: Setting | None = None) -> list[Proposal]:
    """The signals after a bar in which the averages do not cross."""
    _, evaluation = evaluate(within or setting(), {"sign": 1}, [one], QUIET, position)
    assert evaluation.outcome in (Outcome.SIGNALLED, Outcome.NOTHING)
    return list(evaluation.proposals)


def wished(wish: Wish, position: Position = FLAT, within: Setting | None = None) -> Proposal:
    """The one signal that a wish comes to."""
    seen = Seen(BAR, QUIET, {})
    (proposal,) = proposals_of(Exits(position), wish, seen, within or setting())[0]
    return proposal


def test_a_target_that_was_reached_closes_and_is_named() -> None:
    target = Target(atto(101), "ATR_RATIO")
    position = replace(held(stop=99), targets=(target,))
    (close,) = decided(position, bar(1, 100.9, high=101.1))
    assert (close.action, close.targets) == (Action.CLOSE, (target,))
    assert (close.stop_atto, close.stop_source, close.sizing) == (None, "", None)
    assert close.votes[0].name == "ATR_RATIO"


def test_the_time_stop_closes_half_by_a_quantity() -> None:
    within = setting(exit=ExitRules(time_stop=TimeStop()))
    position = replace(held(stop=98.5), bars_held=11, is_entry_bar_adverse=False)
    (close,) = decided(position, bar(12, 99.5), within)
    assert close.action is Action.CLOSE
    assert close.sizing == Sizing(SizingWay.QUANTITY, 5 * ATTO)
    assert (close.stop_atto, close.stop_source) == (None, "TIME")


def test_a_part_is_closed_and_the_rest_goes_on_with_a_raised_stop() -> None:
    target = Target(atto(101.5), "RANGE", 0.5)
    position = replace(held(stop=99), targets=(target,))
    close, adjust = decided(position, bar(1, 101.4, high=101.6))
    assert (close.action, adjust.action) == (Action.CLOSE, Action.ADJUST_STOP)
    assert close.sizing == Sizing(SizingWay.QUANTITY, 5 * ATTO)
    assert adjust.stop_source == "BREAK_EVEN"


def test_a_strategy_that_is_to_be_flat_closes_all_rather_than_a_part() -> None:
    target = Target(atto(101.5), "RANGE", 0.5)
    position = replace(held(stop=99), targets=(target,))
    within = replace(setting(), is_paused=True, is_flattening=True)
    (close,) = decided(position, bar(1, 101.4, high=101.6), within)
    assert close.sizing is None


def test_the_stop_told_is_the_one_that_is_reached_first() -> None:
    """Break-even at 100.4 lies behind a signal bar at 100.5: nothing is raised."""
    position = replace(held(stop=99), signal_bar_atto=atto(100.5))
    within = setting(exit=ExitRules(is_tiered_trail_on=False))
    assert decided(position, bar(1, 101, low=100.6, high=101.6), within) == []


def test_a_nearer_stop_at_the_signals_bar_is_the_stop_of_the_signal() -> None:
    wish = Wish(Direction.LONG, 0.5, (), atto(97), "ATR", signal_bar_atto=atto(98.7))
    assert (wished(wish).stop_atto, wished(wish).stop_source) == (atto(98.7), "SIGNAL_BAR")
    off = setting(exit=ExitRules(is_signal_bar_watched=False))
    assert wished(wish, within=off).stop_source == "ATR"
    farther = replace(wish, signal_bar_atto=atto(96))
    assert wished(farther).stop_source == "ATR"


def test_what_a_kind_adds_reaches_the_signal() -> None:
    wish = Wish(
        direction=Direction.SHORT,
        strength=0.5,
        votes=(),
        stop_atto=atto(101),
        stop_source="ATR",
        targets=(Target(atto(98), "TIER", 1), Target(atto(99), "TIER", 0)),
        best_entry_atto=atto(100.7),
        labels=("RANGING",),
    )
    proposal = wished(wish)
    assert [one.price_atto for one in proposal.targets] == [atto(99), atto(98)]
    assert proposal.best_entry_atto == atto(100.7)
    assert proposal.labels == ("RANGING",)
    alpha = Instrument("ALPHA.XSIM", TICK, ATTO, "USD")
    hosted = created("s-1", setting().config, {alpha.name: alpha}, 0)
    signal = drafted(hosted, "ALPHA.XSIM", BAR, proposal).message
    assert [one.price.value for one in signal.targets] == ["99", "98"]
    assert signal.best_entry_price.value == "100.7"
    assert list(signal.labels) == ["RANGING"]
