"""Steps of the tunnel: Ana asks what it decides on a real day, or it trades real days."""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1.market_pb2 import Candle
from trading.types.v1.signal_pb2 import (
    DIRECTION_LONG,
    DIRECTION_SHORT,
    SIGNAL_STATUS_FILTERED,
    FilterReason,
)

from features.bdd import given, then, when
from fixtures import crossing, days, dealing
from fixtures.setup import Setup
from fixtures.stage import Stage
from fixtures.tunnel import hosting
from runtime.errors import ServiceError

FIRST_DAY = "1999-01-05"
SIDES = {"long": DIRECTION_LONG, "short": DIRECTION_SHORT}

scenarios("tunnel")


class Known(NamedTuple):
    """Days that the platform knows: the first row of the series, and the one after the last."""

    first_row: int
    next_row: int


@pytest.fixture
def stage(runner: asyncio.Runner, setup: Callable[..., Setup]) -> Iterator[Stage]:
    """Return a platform whose clock stands before all the days that are played."""
    hosting.load_compiler()
    start_ns = hosting.start_ns(hosting.row_of(FIRST_DAY))
    stage = runner.run(Stage.set_up(setup(start_ns=start_ns)))
    yield stage
    runner.run(stage.system.stop())


@given(
    parse("on {day} the tunnel votes long once and short {count:d} times"),
    target_fixture="candles",
)
async def votes_once(stage: Stage, day: str, count: int) -> list[Candle]:
    return await candles_with_votes(stage, day, longs=1, shorts=count)


@given(parse("on {day} the tunnel votes long once and short once"), target_fixture="candles")
async def votes_tie(stage: Stage, day: str) -> list[Candle]:
    return await candles_with_votes(stage, day, longs=1, shorts=1)


@given(
    parse("on {day} the tunnel votes long 0 times and short {count:d} times"),
    target_fixture="candles",
)
async def votes_short(stage: Stage, day: str, count: int) -> list[Candle]:
    return await candles_with_votes(stage, day, longs=0, shorts=count)


@given(parse("on {day} closes alone are known"), target_fixture="candles")
def closes_alone(day: str) -> list[Candle]:
    return hosting.candles_to(day, closes_alone=True)


@given(parse("{count:d} days of the index are known on {day}"), target_fixture="known")
async def learn(stage: Stage, count: int, day: str) -> Known:
    last_row = hosting.row_of(day)
    await hosting.replay(stage, last_row - count + 1, last_row)
    return Known(last_row - count + 1, last_row + 1)


@given("the tunnel trades its proxy", target_fixture="strategy_id")
async def run(stage: Stage) -> str:
    return await hosting.run(stage)


@when(
    parse("Ana asks what it decides, {one} and {other} weighing {weight:g}"),
    target_fixture="evaluation",
)
async def decide_two(
    stage: Stage, candles: list[Candle], one: str, other: str, weight: float
) -> pb.Evaluation:
    return await hosting.decide(stage, candles, weighing(weight, one, other))


@when(parse("Ana asks what it decides, {name:w} weighing {weight:g}"), target_fixture="evaluation")
async def decide_one(
    stage: Stage, candles: list[Candle], name: str, weight: float
) -> pb.Evaluation:
    return await hosting.decide(stage, candles, weighing(weight, name))


@when("Ana asks what it decides, with debug output", target_fixture="evaluation")
async def decide_loudly(stage: Stage, candles: list[Candle]) -> pb.Evaluation:
    return await hosting.decide(stage, candles, {"debug": "ON"})


@when("Ana asks what it decides", target_fixture="refused")
async def decide(stage: Stage, candles: list[Candle]) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        await hosting.decide(stage, candles)
    return refused.value


@when(parse("the next {count:d} days are replayed"), target_fixture="last_row")
async def replay(stage: Stage, known: Known, count: int) -> int:
    last_row = known.next_row + count - 1
    await hosting.replay(stage, known.next_row, last_row)
    return last_row


@when(
    parse("the next {count:d} days are replayed, and {more:d} more after a restart"),
    target_fixture="last_row",
)
async def replay_around_restart(stage: Stage, known: Known, count: int, more: int) -> int:
    turn_row = known.next_row + count
    await hosting.replay(stage, known.next_row, turn_row - 1)
    await stage.system.crash("strategy")
    await stage.system.restart("strategy")
    await hosting.replay(stage, turn_row, turn_row + more - 1)
    return turn_row + more - 1


@given(parse("the closes of {first} to {last} are known"))
async def learn_closes(stage: Stage, first: str, last: str) -> None:
    await days.replay(stage, first, last)


@when("Ana starts the tunnel with its own averages", target_fixture="refused")
async def start_own(stage: Stage) -> ServiceError:
    own = hosting.averages(hosting.OWN_PERIODS)
    with pytest.raises(ServiceError) as refused:
        await hosting.run(stage, parameters=own)
    return refused.value


@when(parse('Ana starts the tunnel on "{symbol}"'), target_fixture="refused")
async def start_on(stage: Stage, symbol: str) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        await hosting.run(stage, symbol)
    return refused.value


@when("the next day is replayed")
async def replay_day(stage: Stage, known: Known) -> None:
    await hosting.replay(stage, known.next_row, known.next_row)


@then(parse("it would go {side}"))
def would_go(evaluation: pb.Evaluation, side: str) -> None:
    assert [one.direction for one in evaluation.signals] == [SIDES[side]]


@then(parse("counting its votes it would go {side}"))
async def would_go_by_count(stage: Stage, candles: list[Candle], side: str) -> None:
    evaluation = await hosting.decide(stage, candles, {"vote_mode": "COUNT"})
    assert [one.direction for one in evaluation.signals] == [SIDES[side]]


@then(parse("it would open nothing, with {count:d} votes"))
def would_open_nothing(evaluation: pb.Evaluation, count: int) -> None:
    assert evaluation.outcome == pb.EVALUATION_OUTCOME_NOTHING
    assert len(evaluation.signals) == 0
    assert len(evaluation.votes) == count


@then(parse("{name:w} weighing {weight:g} it would go {side}"))
async def would_go_with(
    stage: Stage, candles: list[Candle], name: str, weight: float, side: str
) -> None:
    weights = weighing(2.5, "HAMMER") | weighing(weight, name)
    evaluation = await hosting.decide(stage, candles, weights)
    assert [one.direction for one in evaluation.signals] == [SIDES[side]]


@then(parse("she is refused for {reason}, by the name of {kind}"))
def is_refused(refused: ServiceError, reason: str, kind: str) -> None:
    assert refused.reason == reason
    assert kind in str(refused)


@then(parse("she is refused for {reason}, with {have:d} days of {need:d}"))
def is_refused_with(refused: ServiceError, reason: str, have: int, need: int) -> None:
    assert refused.reason == reason
    (info,) = [detail for detail in refused.details if isinstance(detail, ErrorInfo)]
    assert (info.metadata["have"], info.metadata["need"]) == (str(have), str(need))


@then("without debug output it would signal the same")
async def signals_the_same(stage: Stage, candles: list[Candle], evaluation: pb.Evaluation) -> None:
    quiet = await hosting.decide(stage, candles)
    assert len(quiet.signals) == 1
    assert unlabelled(quiet) == unlabelled(evaluation)


@then("debug output says more")
async def says_more(stage: Stage, candles: list[Candle], evaluation: pb.Evaluation) -> None:
    quiet = await hosting.decide(stage, candles)
    assert set(evaluation.labels) > set(quiet.labels)


@then(parse("it has opened and left as the reference does, leaving in {count:d} ways"))
async def has_traded(stage: Stage, known: Known, last_row: int, count: int) -> None:
    expected = hosting.expected(known.first_row, known.next_row, last_row)
    assert await hosting.happened(stage, known.first_row, last_row) == expected
    assert len({one.what for one in expected if one.stop is None}) == count


@then("strategy, ledger and venue hold the same")
async def hold_the_same(stage: Stage, strategy_id: str) -> None:
    view = await crossing.view(stage, strategy_id)
    quantity = Decimal(view.position.value)
    held = {view.instrument: quantity} if quantity else {}
    assert held == await dealing.positions(stage) == await dealing.venue_positions(stage)


@then(parse("a signal to go {side} is kept back, for {reason}"))
async def is_kept_back(stage: Stage, side: str, reason: str) -> None:
    (signal,) = await crossing.filtered(stage)
    assert signal.status == SIGNAL_STATUS_FILTERED
    assert signal.direction == SIDES[side]
    assert [FilterReason.Name(one) for one in signal.filter_reasons] == [f"FILTER_REASON_{reason}"]


@then("no order has come of it")
async def no_order(stage: Stage) -> None:
    assert await dealing.orders_of(stage) == []


# What steps do, where it takes more than a line.


async def candles_with_votes(stage: Stage, day: str, *, longs: int, shorts: int) -> list[Candle]:
    candles = hosting.candles_to(day)
    votes = (await hosting.decide(stage, candles)).votes
    sides = [one.direction for one in votes]
    assert (sides.count(DIRECTION_LONG), sides.count(DIRECTION_SHORT)) == (longs, shorts)
    return candles


def weighing(weight: float, *names: str) -> dict[str, float | str]:
    return {f"weight_{name.lower()}": weight for name in names}


def unlabelled(evaluation: pb.Evaluation) -> pb.Evaluation:
    found = pb.Evaluation()
    found.CopyFrom(evaluation)
    del found.labels[:]
    for signal in found.signals:
        del signal.labels[:]
    return found
