"""Steps of the platform's pace: from a candle's publication to its fill in the ledger."""

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1.exchange_pb2 import REFERENCE_MODE_LIVE_PATH

from features.bdd import given, then, when
from fixtures import crossing, outages
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


@when("its price rises and a candle closes")
async def rise(stage: Stage) -> None:
    await stage.move(SYMBOL, crossing.RISE)
    await outages.publish_close(stage, SYMBOL, crossing.RISE)
    await stage.system.settle()


@then(parse("the candle is a booked fill within {limit_ms:d} ms"))
async def is_in_time(stage: Stage, limit_ms: int) -> None:
    (took_ms,) = round_trips_ms(Facts(stage.system.history)).values()
    assert took_ms <= limit_ms
