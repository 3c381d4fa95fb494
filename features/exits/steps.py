"""Steps of exits: a strategy holds, bars touch its levels, it gets out."""

from decimal import Decimal

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1 import risk_pb2
from trading.strategy.v1.strategy_pb2 import ExitConfig, TimeStop
from trading.types.v1.signal_pb2 import (
    DIRECTION_LONG,
    SIGNAL_ACTION_CLOSE,
    SIGNAL_ACTION_OPEN,
    FilterReason,
    Signal,
)

from features.bdd import given, then, when
from fixtures import crossing, dealing
from fixtures.mothers import ACCOUNT, decimal
from fixtures.stage import Stage

SYMBOL = "SQ00.XSIM"
HELD = 100

scenarios("exits")


@given(parse('a strategy that follows crossings of "{symbol}"'), target_fixture="strategy_id")
async def run(stage: Stage, symbol: str) -> str:
    return await crossing.running(stage, symbol, HELD)


@given(
    parse('a strategy on "{symbol}" that takes profit {ranges:d} average ranges away'),
    target_fixture="strategy_id",
)
async def run_with_target(stage: Stage, symbol: str, ranges: int) -> str:
    rules = ExitConfig(atr_target=decimal(ranges))
    return await crossing.running(stage, symbol, HELD, rules)


@given(parse('a strategy on "{symbol}" without target tiers'), target_fixture="strategy_id")
async def run_without_tiers(stage: Stage, symbol: str) -> str:
    return await crossing.running(stage, symbol, HELD, ExitConfig(is_tiered_trail_off=True))


@given(
    parse('a strategy on "{symbol}" that halves what loses for {bars:d} bars'),
    target_fixture="strategy_id",
)
async def run_timed(stage: Stage, symbol: str, bars: int) -> str:
    rules = ExitConfig(time_stop=TimeStop(loss_bars=bars))
    return await crossing.running(stage, symbol, HELD, rules)


@given(parse("it went long {quantity:d} at {price}, to stop at {stop}"))
async def go_long(stage: Stage, strategy_id: str, quantity: int, price: str, stop: str) -> None:
    await stage.close_bar(SYMBOL, price)
    await stage.trade_at(SYMBOL, price)
    assert await crossing.belief(stage, strategy_id) == (Decimal(quantity), Decimal(stop))


@given("Ana has paused it")
async def pause(stage: Stage, strategy_id: str) -> None:
    await crossing.pause(stage, strategy_id)


@given("its bars have grown wide, and Rita has kept it from turning round")
async def keep_from_turning(stage: Stage) -> None:
    await crossing.play(stage, SYMBOL, *[("106.00", "108.50", "104.50", "106.00")] * 6)
    await set_mode(stage, risk_pb2.TRADING_MODE_HALTED)
    fall, wide = ("106.00", "106.00", "105.00", "105.00"), ("105.00", "108.00", "104.50", "105.00")
    await crossing.play(stage, SYMBOL, fall, wide, wide)  # Until its signal has expired.
    assert len(await crossing.published(stage)) == 2
    await set_mode(stage, risk_pb2.TRADING_MODE_ACTIVE)


@when(parse("a bar from {ends} swings between {extremes}"), target_fixture="would_get")
async def swing(stage: Stage, strategy_id: str, ends: str, extremes: str) -> Decimal:
    prices = prices_of(ends, extremes)
    would_get = await crossing.rehearsed_exit(stage, strategy_id, SYMBOL, prices)
    await crossing.play(stage, SYMBOL, prices)
    return would_get


@when(parse("{count:d} bars at {price} have passed, and the price is {now}"))
async def pass_bars(stage: Stage, count: int, price: str, now: str) -> None:
    await crossing.play(stage, SYMBOL, *[(price, price, price, price)] * count)
    await stage.trade_at(SYMBOL, now)


@when(parse("the price rises to {price}"))
async def rise(stage: Stage, price: str) -> None:
    await stage.close_bar(SYMBOL, price)


@when("the strategy is restarted")
async def restart(stage: Stage) -> None:
    await stage.system.crash("strategy")
    await stage.system.restart("strategy")
    await stage.system.settle()


@then(parse("it leaves the position at the next price, for {rule}"))
async def leaves(stage: Stage, strategy_id: str, rule: str) -> None:
    signal = (await crossing.published(stage))[-1]
    assert signal.action == SIGNAL_ACTION_CLOSE
    assert [vote.name for vote in signal.votes] == [rule]
    await stage.trade_at(SYMBOL, "104.00")
    assert await crossing.belief(stage, strategy_id) == (Decimal(0), None)
    assert await dealing.positions(stage) == {}


@then(parse("its exit would have got {price}"))
def would_have_got(would_get: Decimal, price: str) -> None:
    assert would_get == Decimal(price)


@then("it has signalled nothing since")
async def nothing_since(stage: Stage) -> None:
    (signal,) = await crossing.published(stage)
    assert signal.action == SIGNAL_ACTION_OPEN


@then(parse("it believes to hold {quantity:d}, to stop at {stop}"))
async def believes(stage: Stage, strategy_id: str, quantity: int, stop: str) -> None:
    assert await crossing.belief(stage, strategy_id) == (Decimal(quantity), Decimal(stop))


@then("so does the ledger")
async def ledger_agrees(stage: Stage, strategy_id: str) -> None:
    held, _ = await crossing.belief(stage, strategy_id)
    assert await dealing.positions(stage) == {SYMBOL: held}


@then(parse("a signal to go long is kept back, for {reason}"), target_fixture="kept_back")
async def is_kept_back(stage: Stage, reason: str) -> Signal:
    (signal,) = await crossing.filtered(stage)
    assert (signal.action, signal.direction) == (SIGNAL_ACTION_OPEN, DIRECTION_LONG)
    assert [FilterReason.Name(one) for one in signal.filter_reasons] == [f"FILTER_REASON_{reason}"]
    return signal


@then("that signal would have stopped lower")
def would_have_stopped_lower(kept_back: Signal) -> None:
    assert Decimal(kept_back.stop_price.value) < Decimal(crossing.STOP)


# What steps do, where it takes more than a line.


def prices_of(ends: str, extremes: str) -> tuple[str, str, str, str]:
    """Return open, high, low and close as in "106.00 to 105.00" and "104.00 and 107.00"."""
    (opened, closed), (low, high) = ends.split(" to "), extremes.split(" and ")
    return opened, high, low, closed


async def set_mode(stage: Stage, mode: risk_pb2.TradingMode.ValueType) -> None:
    await stage.risk.set_trading_mode(
        risk_pb2.SetTradingModeRequest(
            scope=risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_ACCOUNT, id=ACCOUNT),
            mode=mode,
            reason="scenario",
            request_id=stage.request_id(),
        )
    )
