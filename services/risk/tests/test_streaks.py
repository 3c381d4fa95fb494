"""A closed trade is from flat to flat; what it brought in decides whether it is a loss."""

from hypothesis import given
from hypothesis import strategies as st

from services.risk.following import Kept, count_trade, rebuild_trades
from services.risk.streaks import FLAT, Streak, follow
from services.risk.tests.mothers import STRATEGY, account, fill


def test_a_trade_is_closed_when_nothing_is_left_of_it() -> None:
    trade, result = follow(FLAT, fill(10, "100", fee_minor=5))
    assert result is None
    trade, result = follow(trade, fill(-4, "101", fee_minor=5))
    assert result is None
    assert follow(trade, fill(-6, "99", fee_minor=5)) == (FLAT, 400 - 600 - 15)


def test_a_flat_trade_loses_its_fees() -> None:
    trade, _ = follow(FLAT, fill(10, "100", fee_minor=5))
    assert follow(trade, fill(-10, "100", fee_minor=5))[1] == -10


def test_a_fill_through_zero_closes_one_trade_and_opens_the_next() -> None:
    trade, _ = follow(FLAT, fill(10, "100", fee_minor=0))
    trade, result = follow(trade, fill(-15, "110", fee_minor=0))
    assert result == 10_000
    assert follow(trade, fill(5, "120", fee_minor=0)) == (FLAT, -5_000)


def test_a_trade_that_loses_nothing_ends_a_streak() -> None:
    streak = Streak()
    for number, result in enumerate((-1, -1, 0, -1), 1):
        streak.close(result, number)
    assert streak.losses == 1
    streak.reset(6)
    streak.close(-1, 6)
    assert streak.losses == 0


@given(
    st.lists(st.tuples(st.integers(-20, 20).filter(bool), st.integers(90, 110)), max_size=30),
    st.integers(0, 29),
)
def test_a_bust_leaves_streaks_as_if_the_trade_had_never_happened(
    trades: list[tuple[int, int]], busted: int
) -> None:
    log = [
        Kept(fill(quantity, str(price), exec_id=f"x{n}"), n + 1, strategy_id=STRATEGY)
        for n, (quantity, price) in enumerate(trades)
    ]
    left = [kept for kept in log if kept.number != busted + 1]
    lived, rebuilt = account(), account()
    for kept in log:
        count_trade(rebuilt, kept)
    rebuild_trades(rebuilt, left)
    for kept in left:
        count_trade(lived, kept)
    assert rebuilt.losses(STRATEGY) == lived.losses(STRATEGY)
    assert {k: t for k, t in rebuilt.trades.items() if t != FLAT} == {
        k: t for k, t in lived.trades.items() if t != FLAT
    }
