"""Steps of observability: what spans tell of candles, orders and fills."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.types.v1.order_pb2 import ORDER_STATUS_REJECTED

from features.bdd import given, then, when
from fixtures import crossing, days, dealing
from fixtures.setup import Setup
from fixtures.stage import Stage
from fixtures.worlds import World
from runtime.observe.recorder import SpanRecorder, breaches
from runtime.observe.spans import Span

SYMBOL = "SQ00.XSIM"
LEARNING_FROM = "2017-11"
# Each hop of the chain: who, and what.
CHAIN = (
    ("marketdata", "candles publish"),
    ("strategy", "candles process"),
    ("orders", "signals process"),
    ("risk", "RiskService/ValidateOrder"),
    ("execution", "ExecutionService/StartExecution"),
    ("exchange", "ExchangeService/PlaceOrder"),
    ("execution", "venue_reports:XSIM process"),
    ("orders", "execution_reports process"),
    ("portfolio", "PortfolioService/ReportOrderEvents"),
)

scenarios("observability")


@pytest.fixture
def spans() -> SpanRecorder:
    """Return where the services' spans go."""
    return SpanRecorder()


@pytest.fixture
def stage(
    runner: asyncio.Runner, setup: Callable[..., Setup], spans: SpanRecorder
) -> Iterator[Stage]:
    """Return a platform that is traced."""
    stage = runner.run(traced(setup, spans))
    yield stage
    runner.run(stage.system.stop())


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.system.admit([symbol])
    await stage.close_bar(symbol, price)


@given(parse('a strategy that follows crossings of "{symbol}"'))
async def run(stage: Stage, symbol: str) -> None:
    await learn_crossings(stage, symbol)


@when(parse('the price of "{symbol}" rises to {price}, and next to {next_price}'))
async def rise(stage: Stage, symbol: str, price: str, next_price: str) -> None:
    await stage.close_bar(symbol, price)
    await stage.close_bar(symbol, next_price)


@when(parse('Ana orders {quantity:d} "{symbol}"'))
async def order(stage: Stage, quantity: int, symbol: str) -> None:
    spec = dealing.signed_order(symbol, quantity, client_order_id=stage.request_id())
    assert (await dealing.submit(stage, spec)).status == ORDER_STATUS_REJECTED
    await stage.system.settle()


@when("a candle is traded twice from the same seed", target_fixture="twice")
def trade_twice() -> list[list[str]]:
    return [trade_once(), trade_once()]


@then("one trace leads from the candle over signal, order and fill to the ledger")
def leads_to_ledger(stage: Stage, spans: SpanRecorder) -> None:
    stage.system.gather_spans()
    trace = trace_of("signals", spans)
    assert set(CHAIN) <= {(span.service, span.name) for span in trace}
    assert "execution_reports process" in parents_of("PortfolioService/ReportOrderEvents", trace)


@then("no part of that trace is missing")
def is_whole(stage: Stage, spans: SpanRecorder) -> None:
    stage.system.gather_spans()
    assert breaches(trace_of("signals", spans)) == []


@then("the trace of her order shows that risk was asked and the venue was not")
def shows_refusal(stage: Stage, spans: SpanRecorder) -> None:
    stage.system.gather_spans()
    trace = trace_of("OrderService/SubmitOrder", spans)
    hops = {(span.service, span.name) for span in trace}
    assert ("risk", "RiskService/ValidateOrder") in hops
    assert "exchange" not in {service for service, _ in hops}
    assert breaches(trace) == []


@then("both traces are the same")
def are_the_same(twice: list[list[str]]) -> None:
    assert twice[0] == twice[1] != []


# What steps do, where it takes more than a line.


async def traced(setup: Callable[..., Setup], spans: SpanRecorder) -> Stage:
    """Return a platform whose clock stands before the days that are learnt from."""
    return await Stage.set_up(setup(start_ns=days.start_ns(LEARNING_FROM), spans=spans))


async def learn_crossings(stage: Stage, symbol: str) -> None:
    """Run a strategy that knows the instrument's past."""
    await crossing.learn(stage, symbol)
    await crossing.start(stage, await crossing.create(stage, symbol, 100))


async def follow_crossings(stage: Stage, symbol: str, price: str) -> None:
    """List an instrument at a price, and run a strategy on it."""
    await stage.system.admit([symbol])
    await stage.close_bar(symbol, price)
    await learn_crossings(stage, symbol)


def trace_of(name: str, spans: SpanRecorder) -> list[Span]:
    """Return the trace that has a span whose name begins with `name`."""
    (trace_id,) = {s.context.trace_id for s in spans.spans if s.name.startswith(name)}
    return [span for span in spans.spans if span.context.trace_id == trace_id]


def parents_of(name: str, trace: list[Span]) -> set[str]:
    """Return what the spans of that name are directly part of."""
    names = {span.context.span_id: span.name for span in trace}
    return {names[span.parent_id] for span in trace if span.name == name and span.parent_id}


def trade_once() -> list[str]:
    """Return the spans of a candle that is traded, as lines."""
    spans = SpanRecorder()

    async def trade() -> None:
        stage = await traced(partial(Setup, World.SIMULATED), spans)
        try:
            await follow_crossings(stage, SYMBOL, "100.00")
            for price in ("106.00", "106.10"):
                await stage.close_bar(SYMBOL, price)
        finally:
            await stage.system.stop()

    with World.SIMULATED.runner() as runner:
        runner.run(trade())
    return spans.lines()
