"""Steps of the platform's pace: from a candle's publication to its fill in the ledger."""

from collections.abc import Sequence

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse

from features.bdd import given, then, when
from fixtures import crossing, pace
from fixtures.facts import Facts
from fixtures.round_trips import round_trips_ms
from fixtures.stage import Stage

scenarios("pace")


@given(
    parse("strategies that follow crossings of {count:d} instruments, whose books always stand"),
    target_fixture="symbols",
)
async def run(stage: Stage, count: int) -> Sequence[str]:
    return await pace.follow_crossings(stage, count)


@given(
    "strategies that follow the square waves of 90 instruments, whose books always stand",
    target_fixture="market",
)
async def follow_many(stage: Stage) -> pace.Pace:
    market = pace.Pace(stage)
    await market.begin()
    return market


@when("their prices rise one after another, and a candle of each closes")
async def rise(stage: Stage, symbols: Sequence[str]) -> None:
    await pace.rise_in_turn(stage, symbols)


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


@then(parse("{least:d} of the {count:d} candles are booked fills within {limit_ms:d} ms"))
async def are_fast(stage: Stage, least: int, count: int, limit_ms: int) -> None:
    took_ms = round_trips_ms(Facts(await stage.system.whole_history())).values()
    assert len(took_ms) == count
    assert sum(each_ms <= limit_ms for each_ms in took_ms) >= least, took_ms
