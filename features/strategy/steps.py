"""Steps of strategies: prices move, a strategy signals, holds and exits."""

import asyncio
from decimal import Decimal

from google.rpc.error_details_pb2 import ErrorInfo
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1 import risk_pb2
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1.market_pb2 import Candle
from trading.types.v1.signal_pb2 import (
    DIRECTION_LONG,
    SIGNAL_ACTION_OPEN,
    FilterReason,
    Signal,
)

from features.bdd import given, then, when
from fixtures import crossing, dealing, outages
from fixtures.mothers import ACCOUNT, minute_candle
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import to_ns

SYMBOL = "SQ00.XSIM"
HELD = 100

scenarios("strategy")


@given(parse('{count:d} bars of "{symbol}"'))
async def learn(stage: Stage, count: int, symbol: str) -> None:
    await crossing.learn(stage, symbol, crossing.FALLING[:count])


@given(parse('a strategy that follows crossings of "{symbol}"'), target_fixture="strategy_id")
async def run(stage: Stage, symbol: str) -> str:
    return await crossing.running(stage, symbol, HELD)


@given(parse("it has evaluated a bar at {price}"), target_fixture="bar")
async def evaluate(stage: Stage, strategy_id: str, price: str) -> Candle:
    bar = await stage.close_bar(SYMBOL, price)
    assert (await crossing.strategy(stage, strategy_id)).counters.evaluated == 1
    return bar


@given("Ana has paused it")
async def pause(stage: Stage, strategy_id: str) -> None:
    await crossing.pause(stage, strategy_id)


@given(parse("it has signalled to go long by {quantity:d}, and believes to hold {held:d}"))
async def signal(stage: Stage, strategy_id: str, quantity: int, held: int) -> None:
    await stage.close_bar(SYMBOL, crossing.RISE)
    (order,) = await dealing.orders_of(stage)
    assert Decimal(order.spec.quantity.value) == quantity
    assert (await crossing.belief(stage, strategy_id))[0] == held


@given("Rita has halted the account")
async def halt(stage: Stage) -> None:
    await set_mode(stage, risk_pb2.TRADING_MODE_HALTED)


@given(parse("its database refuses writes, and the price has risen to {price}"))
async def rise_without_database(stage: Stage, price: str) -> None:
    await stage.system.hosting.fail_database("strategy", is_full=True)
    await outages.publish_close(stage, SYMBOL, price)
    await asyncio.sleep(0.2)


@given("nothing is stored and nothing is published")
async def nothing_is_there(stage: Stage) -> None:
    assert await stage.system.rows("strategy", "signals") == []
    assert await stage.system.rows("strategy", "outbox") == []
    streams = stage.system.stores.streams_for("strategy")
    assert await stage.system.stores.redis.xlen(streams.key("signals")) == 0


@given("elsewhere the same strategy, to which indicators stream too late")
async def run_elsewhere(elsewhere: Stage) -> None:
    await elsewhere.system.hosting.fail_wires(held_streams=["WatchIndicators"])
    await crossing.running(elsewhere, SYMBOL, HELD)


@when("its database takes writes again")
async def take_writes(stage: Stage) -> None:
    await stage.system.hosting.fail_database("strategy", is_full=False)
    await stage.system.settle()


@when(parse("the price rises to {price} here and elsewhere"))
async def rise_on_both(stage: Stage, elsewhere: Stage, price: str) -> None:
    await stage.close_bar(SYMBOL, price)
    await elsewhere.close_bar(SYMBOL, price)


@when(parse("that bar comes again after a restart, and then one at {price}"))
async def send_again(stage: Stage, bar: Candle, price: str) -> None:
    await restart_strategy(stage)
    await stage.publish([bar])
    await stage.close_bar(SYMBOL, price)


@when(parse("the feed corrects that bar to {close}"))
async def correct(stage: Stage, bar: Candle, close: str) -> None:
    corrected = minute_candle(SYMBOL, close, minute=len(crossing.FALLING), revision=1)
    assert corrected.open_time == bar.open_time
    await stage.publish([corrected])
    await stage.system.settle()


@when(parse("a bar at {price} comes while the strategy is down"))
async def miss_bar(stage: Stage, price: str) -> None:
    await stage.system.crash("strategy")
    bar = minute_candle(SYMBOL, price, minute=stage.next_minute(SYMBOL))
    await stage.system.time.skip_to(to_ns(bar.close_time))
    await stage.publish([bar])
    await stage.system.restart("strategy")
    await stage.system.settle()


@when(parse("the price rises to {price}"))
async def rise(stage: Stage, price: str) -> None:
    await stage.close_bar(SYMBOL, price)


@when(parse("the venue sells it {quantity:d} at {price}, and has no more"))
async def fill_partly(stage: Stage, quantity: int, price: str) -> None:
    await stage.move(SYMBOL, price, lots=quantity)
    await stage.system.settle()


@when(
    parse('Ana starts a strategy that follows crossings of "{symbol}"'),
    target_fixture="started",
)
async def start(stage: Stage, symbol: str) -> str | ServiceError:
    return await attempt_start(stage, symbol)


@then(parse("it has evaluated {count:d} bar"))
@then(parse("it has evaluated {count:d} bars"))
async def has_evaluated(stage: Stage, strategy_id: str, count: int) -> None:
    assert (await crossing.strategy(stage, strategy_id)).counters.evaluated == count
    rows = await stage.system.rows("strategy", "evaluations")
    assert len(rows) == count


@then("it has signalled nothing")
async def has_signalled_nothing(stage: Stage) -> None:
    assert await crossing.published(stage) + await crossing.filtered(stage) == []


@then("it has signalled to go long")
async def has_signalled(stage: Stage) -> None:
    (signal,) = await crossing.published(stage)
    assert (signal.action, signal.direction) == (SIGNAL_ACTION_OPEN, DIRECTION_LONG)
    assert signal.votes


@then("elsewhere it has decided the same, by a batch request")
async def decided_the_same(stage: Stage, elsewhere: Stage) -> None:
    (here,), (there,) = await crossing.published(stage), await crossing.published(elsewhere)
    assert crossing.decision(here) == crossing.decision(there)
    assert not await crossing.batch_requests(stage)
    assert await crossing.batch_requests(elsewhere)


@then("watchers see what it has stored")
async def watchers_see(stage: Stage) -> None:
    stored = await crossing.published(stage)
    assert await crossing.watched(stage, len(stored)) == stored


@then("each signal is decided once")
async def is_decided_once(stage: Stage) -> None:
    signals, decisions = await crossing.published(stage), await crossing.decided(stage)
    assert [one.signal_id for one in decisions] == [one.signal_id for one in signals]


@then(parse("a signal to go long is kept back, for {reason}"), target_fixture="kept_back")
async def is_kept_back(stage: Stage, reason: str) -> Signal:
    (signal,) = await crossing.filtered(stage)
    assert (signal.action, signal.direction) == (SIGNAL_ACTION_OPEN, DIRECTION_LONG)
    assert [FilterReason.Name(one) for one in signal.filter_reasons] == [f"FILTER_REASON_{reason}"]
    return signal


@then("no order has come of it")
async def no_order(stage: Stage) -> None:
    assert await dealing.orders_of(stage) == []


@then(parse("it believes to hold {quantity:d}"))
async def believes_to_hold(stage: Stage, strategy_id: str, quantity: int) -> None:
    assert (await crossing.belief(stage, strategy_id))[0] == quantity


@then(parse("she is refused for {reason}, with {have:d} bars of {need:d}"))
def is_refused_with(started: ServiceError, reason: str, have: int, need: int) -> None:
    assert started.reason == reason
    (info,) = [detail for detail in started.details if isinstance(detail, ErrorInfo)]
    assert (info.metadata["have"], info.metadata["need"]) == (str(have), str(need))


@then(parse("she is refused for {reason:w}"))
def is_refused(started: ServiceError, reason: str) -> None:
    assert isinstance(started, ServiceError)
    assert started.reason == reason


@then("it runs")
async def runs(stage: Stage, started: str) -> None:
    assert (await crossing.strategy(stage, started)).state == pb.STRATEGY_STATE_RUNNING


# What steps do, where it takes more than a line.


async def restart_strategy(stage: Stage) -> None:
    await stage.system.crash("strategy")
    await stage.system.restart("strategy")
    await stage.system.settle()


async def attempt_start(stage: Stage, symbol: str) -> str | ServiceError:
    try:
        strategy_id = await crossing.create(stage, symbol, HELD)
        await crossing.start(stage, strategy_id)
    except ServiceError as error:
        return error
    return strategy_id


async def set_mode(stage: Stage, mode: risk_pb2.TradingMode.ValueType) -> None:
    await stage.risk.set_trading_mode(
        risk_pb2.SetTradingModeRequest(
            scope=risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_ACCOUNT, id=ACCOUNT),
            mode=mode,
            reason="scenario",
            request_id=stage.request_id(),
        )
    )
