"""Steps of the platform's pace: from a candle's publication to its fill in the ledger."""

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1.exchange_pb2 import REFERENCE_MODE_LIVE_PATH

from features.bdd import given, then, when
from fixtures import crossing, outages, pace
from fixtures.facts import Facts
from fixtures.round_trips import round_trips_ms
from fixtures.stage import Stage

SYMBOL = "SQ03.XSIM"

scenarios("pace")


@given(parse('a strategy that follows crossings of "{symbol}", whose book always stands'))
async def run(stage: Stage, symbol: str) -> None:
    await stage.system.admit([symbol], REFERENCE_MODE_LIVE_PATH)
    await crossing.learn(stage, symbol)
    await crossing.start(stage, await crossing.create(stage, symbol, 100))


@given(
    "strategies that follow the square waves of 90 instruments, whose books always stand",
    target_fixture="market",
)
async def follow_many(stage: Stage) -> pace.Pace:
    market = pace.Pace(stage)
    await market.begin()
    return market


@when("its price rises and a candle closes")
async def rise(stage: Stage) -> None:
    await stage.move(SYMBOL, crossing.RISE)
    await outages.publish_close(stage, SYMBOL, crossing.RISE)
    await stage.system.settle()


@when(
    parse("{count:d} candles close every second for {seconds:d} seconds"),
    target_fixture="played",
)
async def play(market: pace.Pace, count: int, seconds: int) -> int:
    await market.play(count, seconds)
    return count * seconds


@then(parse("at least {share:d} of 100 candles have signalled"), target_fixture="signalled")
async def have_signalled(stage: Stage, played: int, share: int) -> int:
    signalled = len(await crossing.published(stage))
    assert 100 * signalled >= share * played
    return signalled


@then(parse("{share:d} of 100 signals are booked fills within {limit_ms:d} ms"))
async def are_in_time(stage: Stage, signalled: int, share: int, limit_ms: int) -> None:
    took_ms = round_trips_ms(Facts(await stage.system.whole_history())).values()
    in_time = sum(each_ms <= limit_ms for each_ms in took_ms)
    assert 100 * in_time >= share * signalled


@then(parse("the candle is a booked fill within {limit_ms:d} ms"))
async def is_in_time(stage: Stage, limit_ms: int) -> None:
    (took_ms,) = round_trips_ms(Facts(await stage.system.whole_history())).values()
    assert took_ms <= limit_ms
