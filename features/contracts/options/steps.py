"""Steps of the contracts' options: what every call keeps."""

import re
from decimal import Decimal

import pytest
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorResponse
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1 import portfolio_pb2
from trading.portfolio.v1.portfolio_port import PortfolioService

from features.bdd import given, then, when
from fixtures import contract_files, dealing, promises
from fixtures.lossy import LosesAnswers
from fixtures.mothers import ACCOUNT, decimal, minute_candle, money
from fixtures.principals import OPERATOR
from fixtures.stage import DEPOSIT, Stage
from runtime.client import client_for
from runtime.errors import ErrorInfo, ServiceError
from runtime.ids import derived_rng
from runtime.rpc import connect, methods

SYMBOL = "SQ00.XSIM"

scenarios("contracts/options")


@when(
    "ports are generated from a contract whose SubmitOrder states no deadline",
    target_fixture="generated",
)
def generate_without_deadline() -> CodeGeneratorResponse:
    return contract_files.generated("SubmitOrder", lambda stated: stated.ClearField("deadline"))


@then("generation fails, naming SubmitOrder and its deadline")
def generation_fails(generated: CodeGeneratorResponse) -> None:
    assert "orders.proto" in generated.error
    assert "SubmitOrder states no deadline, add" in generated.error


@then("no port is made")
def no_port(generated: CodeGeneratorResponse) -> None:
    assert not generated.file


@when(
    parse(
        "ports are generated from a contract whose SubmitOrder is for {rps:d} calls a second"
        " in {p99_ms:d} ms"
    ),
    target_fixture="generated",
)
def generate_with_load(rps: int, p99_ms: int) -> CodeGeneratorResponse:
    return contract_files.generated("SubmitOrder", promises.load_of(rps, p99_ms))


@then(parse("the port of SubmitOrder states {rps:d} calls a second in {p99_ms:d} ms"))
def port_states(generated: CodeGeneratorResponse, rps: int, p99_ms: int) -> None:
    (port,) = generated.file
    policy = re.search(r'"submit_order": Policy\((.*?)\),\n        "', port.content, re.DOTALL)
    assert policy
    assert f"target_rps={rps}.0" in policy[1]
    assert f"p99_ms={p99_ms}.0" in policy[1]


@then("the port in use states what the contract in use says, for every method")
def ports_in_use() -> None:
    found = promises.loads(OrderService)
    stated = {m.path: (m.policy.target_rps, m.policy.p99_ms) for m in methods(OrderService)}
    assert stated == found
    assert len(stated) > 5


@given(parse('the feed has published a bar of "{symbol}" under a key'), target_fixture="first")
async def publish_under_key(
    stage: Stage, symbol: str
) -> tuple[marketdata_pb2.PublishCandlesRequest, marketdata_pb2.PublishCandlesResponse]:
    await stage.pass_time(180)
    candle = minute_candle(symbol, "100.00")
    request = marketdata_pb2.PublishCandlesRequest(request_id="a-key", candles=[candle])
    return request, await stage.feed.publish_candles(request)


@when("it publishes another bar under the same key", target_fixture="refused")
async def publish_other(stage: Stage) -> ServiceError:
    candle = minute_candle(SYMBOL, "100.00", minute=1)
    request = marketdata_pb2.PublishCandlesRequest(request_id="a-key", candles=[candle])
    with pytest.raises(ServiceError) as caught:
        await stage.feed.publish_candles(request)
    return caught.value


@then("that is refused as ALREADY_EXISTS, with both digests")
def refused_with_digests(refused: ServiceError) -> None:
    info = refused.detail(ErrorInfo)
    assert (refused.code.name, refused.reason) == ("ALREADY_EXISTS", "KEY_REUSED")
    assert info is not None
    assert len({info.metadata["first_digest"], info.metadata["this_digest"]}) == 2


@then("the first bar under the same key is answered as before")
async def answered_as_before(
    stage: Stage,
    first: tuple[marketdata_pb2.PublishCandlesRequest, marketdata_pb2.PublishCandlesResponse],
) -> None:
    request, answer = first
    assert await stage.feed.publish_candles(request) == answer


@when("somebody who does not say who he is lists the instruments", target_fixture="refused")
async def call_as_nobody(stage: Stage) -> ServiceError:
    stranger = connect(MarketDataService, stage.system.outside)
    with pytest.raises(ServiceError) as caught:
        await stranger.list_instruments(marketdata_pb2.ListInstrumentsRequest())
    return caught.value


@then("he is refused as UNAUTHENTICATED")
def refused_unknown(refused: ServiceError) -> None:
    assert refused.code.name == "UNAUTHENTICATED"
    assert refused.reason in ("NO_PRINCIPAL", "NO_IDENTITY")  # By a certificate: the latter.


@given("a way in that loses the first answer", target_fixture="way_in")
def lossy_way_in(stage: Stage) -> LosesAnswers:
    return LosesAnswers(stage.system.outside)


@when(parse("Otto pays {amount:d} into the account that way"))
async def pay_that_way(stage: Stage, way_in: LosesAnswers, amount: int) -> None:
    rng = derived_rng(1, "retry")
    ledger = client_for(PortfolioService, way_in, caller=OPERATOR, rng=rng)
    await ledger.transfer_cash(transfer(stage, str(amount)))


@then("the same bytes were sent twice")
def same_bytes(way_in: LosesAnswers) -> None:
    first, second = way_in.sent
    assert first == second


@then("the account was paid once")
async def paid_once(stage: Stage) -> None:
    equity = Decimal((await dealing.snapshot(stage)).equity.amount.value)
    assert equity == Decimal(DEPOSIT) + 1000


@given(
    parse('a watcher of the ticks of "{symbol}" that has seen everything'),
    target_fixture="watcher",
)
async def watch_ticks(stage: Stage, symbol: str) -> promises.Watcher:
    watcher = promises.Watcher(stage, symbol)
    await watcher.catch_up()
    return watcher


@when(parse("{count:d} batches are published while it does not read"))
async def publish_many(stage: Stage, count: int) -> None:
    await promises.publish_quotes(stage, SYMBOL, range(1, 1 + count))


@then("it is cut off as RESOURCE_EXHAUSTED and told its last sequence")
async def is_cut_off(watcher: promises.Watcher) -> None:
    error = await watcher.read_to_the_end()
    info = error.detail(ErrorInfo)
    assert (error.code.name, error.reason) == ("RESOURCE_EXHAUSTED", "SLOW_SUBSCRIBER")
    assert info is not None
    assert int(info.metadata["last_sequence"]) == watcher.seen[-1]


@then("when it resumes from there it has seen every batch once")
async def resumes(watcher: promises.Watcher) -> None:
    await watcher.resume()
    assert watcher.seen == list(range(1, 1502))


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
