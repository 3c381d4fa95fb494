"""What single RPCs are asked, and whether what was traded is what the ledger has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from inspect import isawaitable

import pytest
import pytest_asyncio
from trading.orders.v1.orders_pb2 import SubmitOrderRequest, WatchOrderEventsRequest
from trading.types.v1.order_pb2 import ORDER_STATUS_FILLED, Order, OrderSpec

from fixtures.system import System
from loadtests.traffic.bookings import Bookings
from loadtests.traffic.ledger import TRADES, Ledger, Missing
from loadtests.traffic.messages import RPCS, Rpc, Stage
from loadtests.traffic.single import AREAS, find, ports
from plimsoll.tests.load_platform import ground_of, platform, profile
from runtime.errors import ServiceError
from runtime.load.ground import GrpcGround
from runtime.rpc import methods

pytestmark = pytest.mark.real_time
# What only an echo service answers.
ELSEWHERE = {"EchoService/Echo", "EchoService/WatchEchoes"}


@pytest_asyncio.fixture
async def system(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    async with platform(monkeypatch) as started:
        yield started


async def ask(standing: GrpcGround, stage: Stage, rpc: Rpc, number: int) -> None:
    """Send one message of an RPC as `Single` does, and hear the first answer."""
    port, method = find(rpc.label)
    function = getattr(standing.port(port, rpc.caller), method.name)
    made = rpc.make(stage, number)
    request = await made if isawaitable(made) else made
    if method.streams_responses:
        async with aclosing(function(request)) as answers:
            answer = await anext(answers)
    else:
        answer = await function(request)
    if rpc.heard is not None:
        rpc.heard(stage, request, answer)


@pytest.mark.parametrize("needs", sorted({rpc.needs for rpc in RPCS.values()}), ids="-".join)
async def test_messages_of_every_rpc_are_accepted_again_and_again(
    system: System, needs: tuple[str, ...]
) -> None:
    """Those with the same needs on one stage: a cancel of all would end what others rest on."""
    async with ground_of(system, profile("single:Single", 1)) as standing:
        stage = Stage(standing)
        await stage.prepare(*needs)
        rpcs = [rpc for rpc in RPCS.values() if rpc.needs == needs and rpc.label not in ELSEWHERE]
        for place, rpc in enumerate(rpcs):
            for number in range(1000 * place + 100, 1000 * place + 112):
                await ask(standing, stage, rpc, number)
        await stage.close()


def test_every_rpc_with_a_load_in_its_contract_has_messages() -> None:
    loaded = {
        method.label
        for area in AREAS
        for port in ports(area)
        for method in methods(port)
        if method.policy.target_rps
    }
    assert set(RPCS) == loaded - {"RiskService/ValidateOrder", "MarketDataService/PublishTicks"}


async def test_a_fill_counts_as_booked_when_the_ledger_has_it_and_not_before(
    system: System,
) -> None:
    async with ground_of(system, profile("single:Single", 1)) as standing:
        stage = Stage(standing)
        await stage.prepare("accounts")
        booked: asyncio.Queue[tuple[Order, ServiceError | None]] = asyncio.Queue()
        bookings = Bookings(standing, lambda *ended: booked.put_nowait(ended))
        await bookings.watch(stage.crowd.accounts)
        await system.crash("portfolio")
        spec = stage.orders.order(0)
        submitted = await stage.order_service.submit_order(SubmitOrderRequest(order=spec))
        assert submitted.order.status in TRADES
        await until_filled(stage, spec)
        assert booked.empty()
        await system.restart("portfolio")
        order, error = await asyncio.wait_for(booked.get(), timeout=30)
        assert (order.spec.client_order_id, error) == (spec.client_order_id, None)
        await bookings.close()
        await stage.close()


async def test_a_rejected_order_is_never_booked_and_says_why(system: System) -> None:
    async with ground_of(system, profile("single:Single", 1)) as standing:
        stage = Stage(standing)
        await stage.prepare("accounts")
        booked: asyncio.Queue[tuple[Order, ServiceError | None]] = asyncio.Queue()
        bookings = Bookings(standing, lambda *ended: booked.put_nowait(ended))
        await bookings.watch(stage.crowd.accounts)
        spec = stage.orders.order(0)
        spec.quantity.value = "20000"
        await stage.order_service.submit_order(SubmitOrderRequest(order=spec))
        _, error = await asyncio.wait_for(booked.get(), timeout=30)
        assert error is not None
        assert "QUANTITY_ABOVE_MAX" in error.message
        await bookings.close()
        await stage.close()


async def test_the_ledger_is_compared_with_what_was_traded(system: System) -> None:
    """Every order was booked once: expecting one more it lacks, one less it has too many."""
    async with ground_of(system, profile("single:Single", 1)) as standing:
        stage = Stage(standing)
        await stage.prepare("trades")
        same, more, less, moved = (Ledger(standing) for _ in range(4))
        for order in stage.traded:
            same.expect(order)
            more.expect(order)
            moved.expect(order)
        for order in stage.traded[1:]:
            less.expect(order)
        more.expect(stage.traded[0])
        moved.expect(stage.traded[0])
        moved._fills[stage.traded[0].spec.account] -= 1  # A lost fill beside a doubled one.
        ledgers = (same, more, less, moved)  # Side by side: each waits for what may be late.
        found = await asyncio.gather(*(ledger.missing() for ledger in ledgers))
        assert found == [Missing(0, 0), Missing(1, 0), Missing(0, 1), Missing(1, 1)]
        await stage.close()


async def test_an_order_without_an_answer_is_asked_for_in_the_end(system: System) -> None:
    async with ground_of(system, profile("single:Single", 1)) as standing:
        stage = Stage(standing)
        await stage.prepare("trades")
        ledger = Ledger(standing)
        for order in stage.traded:
            ledger.doubt(order.spec)
        ledger.doubt(stage.orders.order(10_000))  # It never arrived.
        assert await ledger.missing() == Missing(0, 0)
        assert sum(ledger._fills.values()) == len(stage.traded)
        await stage.close()


async def until_filled(stage: Stage, spec: OrderSpec) -> None:
    """Return when an order is filled, as its events say."""
    watch = WatchOrderEventsRequest(account=spec.account)
    async with aclosing(stage.order_service.watch_order_events(watch)) as messages:
        async for message in messages:
            if message.event.order.status == ORDER_STATUS_FILLED:
                return
