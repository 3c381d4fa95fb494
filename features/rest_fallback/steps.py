"""Steps of both ways in: gRPC or REST goes down, shares are turned, orders come both ways."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from google.protobuf.message import Message
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_port import OrderService
from trading.types.v1.order_pb2 import ORDER_STATUS_NEW, Order, OrderSpec, OrderStatus

from features.bdd import given, then, when
from features.rest_fallback.doors import Doors
from fixtures import dealing
from fixtures.principals import TRADER
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.fallback import Way
from runtime.follow import Following, follow
from runtime.ids import derived_rng

SYMBOL = "SQ00.XSIM"
LOOKS = 80
HEARD_S = 5.0

scenarios("rest_fallback")


@pytest.fixture
def doors(runner: asyncio.Runner, stage: Stage) -> Iterator[Doors]:
    """Return both ways in, open."""
    doors = runner.run(_opened(stage))
    yield doors
    runner.run(doors.close())


@dataclass
class Heard:
    """What a follower of orders has heard."""

    sequences: list[int] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    last: asyncio.Task[None] | None = None

    async def take(self, messages: Sequence[pb.WatchOrderEventsResponse]) -> None:
        self.sequences += [one.sequence for one in messages if not one.is_heartbeat]
        self.more.set()


@pytest.fixture
def heard(runner: asyncio.Runner, doors: Doors) -> Iterator[Heard]:
    """Return what Ana hears, until the scenario ends."""
    heard = Heard()
    yield heard
    runner.run(_ended(heard))


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given("people reach the platform over gRPC and over REST")
def both_ways(doors: Doors) -> None:
    assert not doors.rollout.percent("orders")


@given("gRPC is down")
async def close_grpc(doors: Doors) -> None:
    await doors.servers[Way.GRPC].stop()


@given("REST is down")
async def close_rest(doors: Doors) -> None:
    await doors.servers[Way.REST].stop()


@given("everything goes over REST")
def turn_to_all(doors: Doors) -> None:
    doors.turn(100)


@given("a quarter of the calls goes over REST")
def turn_to_a_quarter(doors: Doors) -> None:
    doors.turn(25)


@given(parse("Ana has ordered {quantity:d}"), target_fixture="order")
async def has_ordered(stage: Stage, quantity: int) -> OrderSpec:
    order = new_order(stage, quantity)
    await dealing.submit(stage, order)
    await stage.system.settle()
    return order


@given("Ana follows her orders")
async def follow_orders(stage: Stage, heard: Heard) -> None:
    def watch(after: int) -> object:
        return stage.orders.watch_order_events(pb.WatchOrderEventsRequest(after_sequence=after))

    following = Following("events", watch, heard.take)  # type: ignore[arg-type]
    heard.last = asyncio.create_task(follow(following, after=0, rng=derived_rng(1, "ana")))


@given(parse("she has heard of her order for {quantity:d}"))
async def has_heard(stage: Stage, heard: Heard, quantity: int) -> None:
    await dealing.submit(stage, new_order(stage, quantity))
    await stage.system.settle()
    await everything_is_heard(stage, heard)


@when(parse("Ana orders {quantity:d}"))
async def submit(stage: Stage, quantity: int) -> None:
    await dealing.submit(stage, new_order(stage, quantity))


@when(parse('gRPC goes down, and "{symbol}" trades at {price}'))
async def close_and_trade(stage: Stage, doors: Doors, symbol: str, price: str) -> None:
    await doors.servers[Way.GRPC].stop()
    await stage.trade_at(symbol, price)


@when("Ana looks her orders up, over and over", target_fixture="told")
async def look_up(stage: Stage) -> list[list[Order]]:
    return [await dealing.orders_of(stage) for _ in range(LOOKS)]


@when(
    parse("Ana orders {quantity:d}, with the share as it is, at nothing, and as it was"),
    target_fixture="ways",
)
async def submit_thrice(stage: Stage, doors: Doors, quantity: int) -> list[Way]:
    return [await way_of_order(stage, doors, share, quantity) for share in (100, 0, 100)]


@when(
    parse("Ana sends her order for {quantity:d} over gRPC and over REST at once, and again"),
    target_fixture="answers",
)
async def submit_both_ways(stage: Stage, doors: Doors, quantity: int) -> list[Message]:
    request = pb.SubmitOrderRequest(order=new_order(stage, quantity))
    by_grpc, by_rest = clients(doors)
    at_once = await asyncio.gather(by_grpc.submit_order(request), by_rest.submit_order(request))
    return [*at_once, await by_rest.submit_order(request), await by_grpc.submit_order(request)]


@when(
    "Ana sends another order under the same id, over gRPC and over REST",
    target_fixture="refusals",
)
async def submit_another(doors: Doors, order: OrderSpec) -> list[ServiceError]:
    another = OrderSpec()
    another.CopyFrom(order)
    another.quantity.value = "6"
    return [await refusal_of(client, another) for client in clients(doors)]


@then(parse("her order is {status} with {filled:d} filled"))
async def order_is(stage: Stage, status: str, filled: int) -> None:
    await stage.system.settle()
    (order,) = await dealing.orders_of(stage)
    assert OrderStatus.Name(order.status) == f"ORDER_STATUS_{status}"
    assert order.cum_quantity.value == str(filled)


@then("it was sent once")
async def was_sent_once(stage: Stage) -> None:
    await stage.system.settle()
    assert len(await dealing.venue_orders(stage)) == 1


@then(parse("every call of hers was answered over {way}"))
def answered_over(doors: Doors, way: str) -> None:
    chosen = Way(way.lower())
    assert doors.answered(chosen) > 1
    assert doors.answered(chosen.other) == 0


@then("she has heard every event of her orders once, in order")
async def heard_all(stage: Stage, doors: Doors, heard: Heard) -> None:
    await everything_is_heard(stage, heard)
    assert heard.sequences == list(range(1, len(heard.sequences) + 1))
    assert doors.answered(Way.REST) > 1


@then("she is told the same each time")
def told_the_same(told: list[list[Order]]) -> None:
    assert len(told[0]) == 1
    assert told == [told[0]] * LOOKS


@then("about a quarter of the answers came over REST")
def quarter_by_rest(doors: Doors) -> None:
    # A quarter of 80 calls is 20 ± 4: 8 to 32 is three deviations away.
    assert 8 <= doors.answered(Way.REST) <= 32


@then("each of the orders is NEW")
async def all_are_new(stage: Stage) -> None:
    await stage.system.settle()
    statuses = [order.status for order in await dealing.orders_of(stage)]
    assert statuses == [ORDER_STATUS_NEW] * 3


@then("they were answered over REST, gRPC and REST")
def answered_in_turn(ways: list[Way]) -> None:
    assert ways == [Way.REST, Way.GRPC, Way.REST]


@then("she gets the same answer each time")
def answers_are_equal(answers: list[Message]) -> None:
    assert answers == [answers[0]] * 4


@then("she is refused in the same words, for the id belongs to another order")
def refused_alike(refusals: list[ServiceError]) -> None:
    first, second = refusals
    assert first.code.name == "ALREADY_EXISTS"
    assert (first.code, first.message, first.details) == (
        second.code,
        second.message,
        second.details,
    )


# What steps do, where it takes more than a line.


async def _opened(stage: Stage) -> Doors:
    doors = Doors(stage)
    await doors.open()
    return doors


async def _ended(heard: Heard) -> None:
    if heard.last is not None:
        heard.last.cancel()
        await asyncio.wait([heard.last])


def new_order(stage: Stage, quantity: int) -> OrderSpec:
    return dealing.signed_order(SYMBOL, quantity, client_order_id=stage.request_id())


def clients(doors: Doors) -> tuple[OrderService, OrderService]:
    """Return Ana's clients that know one way each: gRPC, REST."""
    by_grpc, by_rest = (
        doors.client(OrderService, TRADER, doors.ways[way]) for way in (Way.GRPC, Way.REST)
    )
    return by_grpc, by_rest


async def way_of_order(stage: Stage, doors: Doors, percent_rest: int, quantity: int) -> Way:
    """Submit an order with a share of REST, and return how it was answered."""
    doors.turn(percent_rest)
    before = doors.answered(Way.REST)
    await dealing.submit(stage, new_order(stage, quantity))
    return Way.REST if doors.answered(Way.REST) > before else Way.GRPC


async def refusal_of(client: OrderService, order: OrderSpec) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await client.submit_order(pb.SubmitOrderRequest(order=order))
    return caught.value


async def everything_is_heard(stage: Stage, heard: Heard) -> None:
    """Wait until Ana has heard what the ledger knows of."""
    last = (await dealing.snapshot(stage)).order_event_sequence
    async with asyncio.timeout(HEARD_S):
        while len(heard.sequences) < last:
            heard.more.clear()
            await heard.more.wait()
