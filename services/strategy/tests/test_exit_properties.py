"""All exits together, as properties over walks of bars and every setting of the rules.

Prices lie on the tick and R is a whole number of ticks with tiers on tick, so that upside down
nothing is rounded to another side; the bounds on prices are those that a day could see.
"""

from dataclasses import dataclass, replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.strategy.exits import Exits, evaluate_exits, tightest_stop
from services.strategy.positions import Position
from services.strategy.terms import Bar, Direction, ExitRules, Setting, Target, TimeStop
from services.strategy.tests.mothers import atto, bar, held, mirrored, setting

ENTRY = 100.0
SHORT = Direction.SHORT
TICK_MIN, TICK_MAX = 9_400, 10_600


@dataclass(frozen=True)
class Case:
    """A long position, its mirror image, the rules, and the bars that follow."""

    long: Position
    short: Position
    setting: Setting
    bars: list[Bar]


@st.composite
def walks(draw: st.DrawFn) -> list[Bar]:
    """Bars that open anywhere: gaps are part of it; some know their close alone."""
    made = []
    has_range = draw(st.booleans())
    for minute in range(draw(st.integers(2, 14))):
        low, first, last, high = sorted(
            draw(st.lists(st.integers(TICK_MIN, TICK_MAX), min_size=4, max_size=4))
        )
        opened, closed = draw(st.permutations((first, last)))
        one = bar(minute, closed / 100, open_=opened / 100, high=high / 100, low=low / 100)
        if not has_range:
            one = replace(one, open_atto=None, high_atto=None, low_atto=None)
        made.append(one)
    return made


rules = st.builds(
    ExitRules,
    max_loss_atto=st.sampled_from((0, ATTO * 2 // 100, ATTO * 5 // 100)),
    is_initial_stop_watched=st.booleans(),
    break_even_r_atto=st.sampled_from((0, ATTO * 3 // 2)),
    is_one_r_bar_on=st.booleans(),
    is_tiered_trail_on=st.booleans(),
    is_signal_bar_watched=st.booleans(),
    time_stop=st.sampled_from((None, TimeStop(loss_bars=2, flat_bars=3, untiered_bars=5))),
).filter(lambda one: one.is_initial_stop_watched or one.max_loss_atto > 0)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case; stop, targets and signal bar of the short are the long's upside down."""
    stop = draw(st.integers(9_700, 9_998).filter(lambda tick: tick % 2 == 0)) / 100
    at_bar = draw(st.none() | st.integers(9_700, 9_999).map(lambda tick: tick / 100))
    targets = draw(
        st.lists(
            st.tuples(
                st.integers(10_001, 10_500),
                st.sampled_from(("ATR_RATIO", "INDICATOR", "RANGE", "TIER")),
                st.sampled_from((0.0, 0.5, 1.0)),
            ),
            max_size=3,
        )
    )

    def made(side: Direction) -> Position:
        def at(price: float) -> int:
            return atto(ENTRY + side * (price - ENTRY))

        return replace(
            held(side, entry=ENTRY, stop=ENTRY + side * (stop - ENTRY)),
            signal_bar_atto=None if at_bar is None else at(at_bar),
            targets=tuple(Target(at(tick / 100), name, share) for tick, name, share in targets),
        )

    return Case(made(Direction.LONG), made(SHORT), setting(exit=draw(rules)), draw(walks()))


def course(position: Position, bars: list[Bar], within: Setting) -> list[tuple[Bar, Exits]]:
    """What every bar came to until the position was given up whole."""
    found = []
    for one in bars:
        exits = evaluate_exits(position, one, within)
        found.append((one, exits))
        if exits.exit and exits.exit.is_whole:
            break
        position = exits.position
    return found


@settings(max_examples=150)
@given(cases())
def test_long_and_short_are_treated_alike(case: Case) -> None:
    """A wide bar is one by its share of its open, which upside down is another share."""
    assume(case.setting.config.exit.max_loss_atto <= ATTO * 2 // 100)
    up = course(case.long, case.bars, case.setting)
    down = course(case.short, [mirrored(one) for one in case.bars], case.setting)
    assert len(up) == len(down)
    for (_, long), (_, short) in zip(up, down, strict=True):
        assert (long.exit is None) == (short.exit is None)
        assert long.is_raised == short.is_raised
        if long.exit and short.exit:
            assert long.exit.source == short.exit.source
            assert long.exit.quantity_atto == short.exit.quantity_atto
            assert long.exit.price_atto + short.exit.price_atto == 2 * atto(ENTRY)


@settings(max_examples=150)
@given(cases())
def test_a_stop_never_loosens(case: Case) -> None:
    for position, bars in (
        (case.long, case.bars),
        (case.short, [mirrored(one) for one in case.bars]),
    ):
        before = tightest_stop(position, case.setting)
        for _, exits in course(position, bars, case.setting):
            now = tightest_stop(exits.position, case.setting)
            assert before is not None
            assert now is not None
            assert position.direction * (now[0] - before[0]) >= 0
            assert exits.is_raised == (now[0] != before[0])
            before = now


@settings(max_examples=150)
@given(cases())
def test_an_exit_price_lies_within_its_bar_and_beyond_a_level_only_by_a_gap(case: Case) -> None:
    for one, exits in course(case.long, case.bars, case.setting):
        found = exits.exit
        if found is None:
            continue
        if one.open_atto is None:
            assert found.price_atto == one.close_atto
            continue
        assert (one.low_atto or 0) <= found.price_atto <= (one.high_atto or 0)
        if found.level_atto is None:
            assert found.price_atto == one.close_atto
        elif found.price_atto != found.level_atto:
            assert found.price_atto == one.open_atto
            is_worse = found.price_atto < found.level_atto
            assert is_worse == (found.target is None)


@settings(max_examples=150)
@given(cases())
def test_a_bar_that_touched_a_stop_takes_no_profit(case: Case) -> None:
    position = case.long
    for one in case.bars:
        stop = tightest_stop(position, case.setting)
        exits = evaluate_exits(position, one, case.setting)
        is_touched = stop is not None and one.extreme(SHORT) <= stop[0]
        if is_touched:
            assert exits.exit is not None
            assert exits.exit.target is None
            assert exits.exit.is_whole
        if exits.exit and exits.exit.is_whole:
            return
        position = exits.position


@settings(max_examples=100)
@given(cases())
def test_nothing_is_given_up_twice_and_never_more_than_is_held(case: Case) -> None:
    parts = [
        exits.exit.quantity_atto
        for _, exits in course(case.long, case.bars, case.setting)
        if exits.exit and exits.exit.quantity_atto is not None
    ]
    assert all(0 < part <= abs(case.long.quantity_atto) // 2 for part in parts)
    shares = sum(0 < one.share < 1 for one in case.long.targets)
    assert len(parts) <= shares + 1


@settings(max_examples=150)
@given(cases())
def test_a_bar_that_needs_no_closer_look_would_have_changed_nothing(case: Case) -> None:
    """Every bar looked at closely, by a time stop that never comes, decides the same."""
    within = case.setting
    assume(within.config.exit.time_stop is None)
    never = TimeStop(loss_bars=10_000, flat_bars=10_000, untiered_bars=10_000)
    rules = replace(within.config.exit, time_stop=never)
    close_look = replace(within, config=replace(within.config, exit=rules))
    for (_, quick), (_, slow) in zip(
        course(case.long, case.bars, within), course(case.long, case.bars, close_look), strict=True
    ):
        assert quick == replace(slow, position=replace(slow.position, bars_held=0))
