"""Steps of the contracts' types: what every message keeps."""

from decimal import Decimal
from typing import Any

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.portfolio.v1 import portfolio_pb2
from trading.types.v1.event_pb2 import EventHeader

from features.bdd import given, then, when
from fixtures import contract_files, crossing, dealing, promises
from fixtures.mothers import ACCOUNT, close_only_candle, decimal, money
from fixtures.stage import DEPOSIT, Stage
from runtime.errors import BadRequest, ServiceError

SYMBOL = "SQ00.XSIM"

scenarios("contracts/types")


@when("the feed publishes a close-only candle that carries a high", target_fixture="refused")
async def publish_contradiction(stage: Stage) -> ServiceError:
    candle = close_only_candle(SYMBOL, "100.00")
    candle.high.value = "101.00"
    with pytest.raises(ServiceError) as caught:
        await stage.publish([candle])
    return caught.value


@then(parse('it is refused by the rule "{rule}"'))
def refused_by_rule(refused: ServiceError, rule: str) -> None:
    details = refused.detail(BadRequest)
    assert refused.code.name == "INVALID_ARGUMENT"
    assert details is not None
    assert [v.reason for v in details.field_violations] == [rule]
    assert details.field_violations[0].field == "candles[0]"


@then("no candle is stored")
async def no_candle(stage: Stage) -> None:
    assert not await stage.bars(SYMBOL)


@when(parse('Otto pays "{amount}" into the account'), target_fixture="refused")
async def pay_in(stage: Stage, amount: str) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await stage.portfolio.transfer_cash(transfer(stage, amount))
    return caught.value


@then(parse('it is refused by a rule of "{field}"'))
def refused_by_field(refused: ServiceError, field: str) -> None:
    details = refused.detail(BadRequest)
    assert refused.code.name == "INVALID_ARGUMENT"
    assert details is not None
    assert field in [v.field for v in details.field_violations]


@then("the account has no more than before")
async def has_no_more(stage: Stage) -> None:
    assert Decimal((await dealing.snapshot(stage)).equity.amount.value) == Decimal(DEPOSIT)


@given("a strategy that bought and reversed")
async def bought_and_reversed(stage: Stage) -> None:
    await crossing.running(stage, SYMBOL, 10)
    await stage.close_bar(SYMBOL, crossing.RISE)
    await crossing.play(stage, SYMBOL, ("106", "106", "80", "80"), ("80", "81", "79", "80"))


@when("all its signals, the order events and the events of risk are read", target_fixture="headers")
async def read_headers(stage: Stage) -> dict[str, list[EventHeader]]:
    return await promises.headers(stage)


@then("each source numbers its events from 1 on, without a gap")
def numbered(headers: dict[str, list[EventHeader]]) -> None:
    assert {"orders", "strategy"} <= headers.keys()
    numbers = {source: [h.sequence for h in found] for source, found in headers.items()}
    assert numbers == {s: list(range(1, len(found) + 1)) for s, found in numbers.items()}
    assert min(map(len, numbers.values())) > 1, numbers


@then("no two events share an id")
def unique_ids(headers: dict[str, list[EventHeader]]) -> None:
    ids = [header.event_id for found in headers.values() for header in found]
    assert len(set(ids)) == len(ids)


@when(
    "every field of the contracts that is a price, a quantity or money is looked at",
    target_fixture="prices",
)
def look_at_prices() -> dict[str, Any]:
    return contract_files.prices()


@then("there are over a hundred of them")
def over_a_hundred(prices: dict[str, Any]) -> None:
    assert len(prices) > 100
    assert "trading.types.v1.Candle.high" in prices


@then("none is a float")
def none_is_a_float(prices: dict[str, Any]) -> None:
    assert [name for name, field in prices.items() if contract_files.is_float(field)] == []


@given(
    "a strategy whose store loses the answer when it stores a signal",
    target_fixture="strategy_id",
)
async def store_loses_answer(stage: Stage) -> str:
    strategy_id = await crossing.running(stage, SYMBOL, 10)
    await stage.system.hosting.fail_database("strategy", answers_to_lose=1)
    return strategy_id


@when("a bar closes at which it buys, so that it evaluates the bar twice")
async def evaluate_twice(stage: Stage) -> None:
    await stage.close_bar(SYMBOL, crossing.RISE)
    await promises.decisions(stage)
    assert (await stage.system.hosting.database_faults("strategy"))["answers_to_lose"] == 0


@then("there is one signal, and its id follows from what was evaluated")
async def one_signal(stage: Stage, strategy_id: str) -> None:
    (signal,) = await crossing.published(stage)
    assert signal.signal_id == promises.signal_id(signal)
    assert signal.strategy_id == strategy_id


@then("orders has decided once")
async def decided_once(stage: Stage) -> None:
    assert await promises.decisions(stage) == 1
    assert len(await dealing.orders_of(stage)) == 1


# What steps do, where it takes more than a line.


def transfer(stage: Stage, amount: str) -> portfolio_pb2.TransferCashRequest:
    request = portfolio_pb2.TransferCashRequest(
        request_id=stage.request_id(),
        account=ACCOUNT,
        amount=money(1),
        direction=portfolio_pb2.TRANSFER_DIRECTION_IN,
    )
    request.amount.amount.CopyFrom(decimal(amount))
    return request
