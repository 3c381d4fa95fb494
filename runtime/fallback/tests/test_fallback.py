"""The other way is taken when one is down, and never by a call that may have happened."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import ClassVar

import pytest
from google.protobuf.message import Message
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.connecting import Unconnected
from runtime.errors import ServiceError, Unsent, refusal
from runtime.fallback import Fallback, Rollout, Way
from runtime.guards import guarded
from runtime.identity import as_principal
from runtime.local import LocalTransport
from runtime.rpc import Call, Method, Policy, Port, Transport, connect
from runtime.simulated import SimulatedNetwork
from runtime.single import Messages
from runtime.tests.echoing import ANA, Echo, asked
from runtime.tests.test_transport_endings import EndingSuite
from runtime.tests.test_transports import TransportSuite

BROKEN = refusal(StatusCode.UNAVAILABLE, "CONNECTION_BROKEN", "cut", service="echo")
REFUSED = Unconnected("nobody there", service="echo")
FULL = refusal(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_IN_FLIGHT", "full", service="echo")
AWAY = refusal(StatusCode.UNAVAILABLE, "STORE_AWAY", "the store is away", service="echo")
CALL = as_principal(Call(), ANA)


class Down:
    """A way that takes `takes` requests and fails; with `inner`, after the service has acted."""

    def __init__(
        self, error: ServiceError, *, takes: int = 0, inner: Transport | None = None
    ) -> None:
        self.error = error
        self.asked = 0
        self._takes = takes
        self._inner = inner

    async def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        self.asked += 1
        for _ in range(self._takes):
            await anext(requests)
        if self._inner is not None:
            async for _ in self._inner.call(method, requests, call):
                break
        raise self.error
        yield


def joined(grpc: Transport, rest: Transport, percent_rest: int = 0) -> tuple[EchoService, Fallback]:
    fallback = Fallback(grpc, rest, Rollout(percent_rest=percent_rest))
    return connect(EchoService, fallback), fallback


def serving(service: Echo) -> Transport:
    return LocalTransport([service], guarded)


async def texts(*said: str) -> AsyncIterator[pb.ExchangeEchoesRequest]:
    for text in said:
        yield pb.ExchangeEchoesRequest(text=text)


async def collected(*said: str) -> AsyncIterator[pb.CollectEchoesRequest]:
    for text in said:
        yield pb.CollectEchoesRequest(text=text)


@asynccontextmanager
async def half_and_half(port: Port) -> AsyncIterator[Transport]:
    """Two ways in one process, each of which takes half the calls."""
    one, other = LocalTransport([port], guarded), SimulatedNetwork(LocalTransport([port], guarded))
    yield Fallback(one, other, Rollout(percent_rest=50))


class TestHalfByEachWay(TransportSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return half_and_half(port)


class TestHalfByEachWayEnding(EndingSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return half_and_half(port)


@pytest.mark.parametrize("percent_rest", [0, 100], ids=["grpc down", "rest down"])
@pytest.mark.parametrize("error", [REFUSED, BROKEN, Unsent(StatusCode.UNAVAILABLE, "open")])
async def test_call_goes_the_other_way(percent_rest: int, error: ServiceError) -> None:
    service, down = Echo(), Down(error)
    grpc, rest = (serving(service), down) if percent_rest else (down, serving(service))
    client, fallback = joined(grpc, rest, percent_rest)
    assert (await client.echo(asked("a"), CALL)).text == "a"
    chosen = Way.REST if percent_rest else Way.GRPC
    assert (fallback.stats[chosen].calls, fallback.stats[chosen].left) == (1, 1)
    assert fallback.stats[chosen.other].calls == 1
    assert fallback.stats[chosen.other].failed == 0


async def test_call_that_may_have_happened_and_must_not_be_repeated_is_sent_once() -> None:
    service = Echo()
    client, fallback = joined(Down(BROKEN, inner=serving(service)), serving(service))
    with pytest.raises(ServiceError, match="cut"):
        await client.collect_echoes(collected("a"), CALL)
    assert service.heard == ["a"]
    assert fallback.stats[Way.REST].calls == 0


@pytest.mark.parametrize(
    ("error", "heard"), [(BROKEN, []), (REFUSED, ["a"])], ids=["cut", "unsent"]
)
async def test_single_request_that_must_not_be_repeated_is_sent_once(
    error: ServiceError, heard: list[str]
) -> None:
    class Once(EchoService):
        POLICIES: ClassVar[Mapping[str, Policy]] = {"echo": Policy(roles=frozenset({"TRADER"}))}

    service = Echo()
    fallback = Fallback(Down(error), serving(service), Rollout())
    with suppress(ServiceError):
        await connect(Once, fallback).echo(asked("a"), CALL)
    assert service.heard == heard


async def test_call_that_must_not_be_repeated_goes_on_if_it_was_never_sent() -> None:
    service = Echo()
    client, _ = joined(Down(REFUSED, takes=1), serving(service))
    answer = await client.collect_echoes(collected("a", "b"), CALL)
    assert (answer.text, service.heard) == ("ab", ["a", "b"])


async def test_stream_of_which_much_was_taken_does_not_begin_anew() -> None:
    service = Echo()
    client, _ = joined(Down(REFUSED, takes=6), serving(service))
    with pytest.raises(ServiceError, match="nobody there"):
        await client.collect_echoes(collected(*"abcdefgh"), CALL)
    assert service.heard == []


@pytest.mark.parametrize(
    "error",
    [AWAY, FULL, refusal(StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "", service="echo")],
    ids=["its store is away", "it is full", "it took too long"],
)
async def test_what_the_service_itself_says_is_not_asked_twice(error: ServiceError) -> None:
    service = Echo()
    client, _ = joined(Down(error), serving(service))
    with pytest.raises(ServiceError) as caught:
        await client.echo(asked("a"), CALL)
    assert caught.value is error
    assert service.heard == []


@pytest.mark.parametrize("second", [REFUSED, FULL, Unsent(StatusCode.UNAVAILABLE, "open")])
async def test_doubt_of_the_first_way_outlasts_the_second(second: ServiceError) -> None:
    client, _ = joined(Down(BROKEN), Down(second))
    with pytest.raises(ServiceError, match="cut") as caught:
        await client.echo(asked("a"), CALL)
    assert not caught.value.definite


async def test_second_way_tells_what_the_first_could_not() -> None:
    client, _ = joined(Down(BROKEN), serving(Echo()))
    with pytest.raises(ServiceError, match="must be kinder"):
        await client.echo(asked("refuse"), CALL)
    client, _ = joined(Down(REFUSED), Down(FULL))
    with pytest.raises(ServiceError, match="full"):
        await client.echo(asked("a"), CALL)


async def test_call_without_time_left_goes_no_further() -> None:
    class Slow(Down):
        async def call(
            self, method: Method, requests: AsyncIterator[Message], call: Call
        ) -> Messages:
            await asyncio.sleep(1)
            raise REFUSED
            yield

    service = Echo()
    client, _ = joined(Slow(REFUSED), serving(service))
    with pytest.raises(ServiceError, match="nobody there"):
        await client.echo(asked("a"), as_principal(Call(timeout_s=1.004), ANA))
    assert service.heard == []


async def test_stream_is_opened_the_other_way_and_then_stays_there() -> None:
    service = Echo()
    client, fallback = joined(Down(BROKEN), serving(service))
    watch = client.watch_echoes(pb.WatchEchoesRequest(after_sequence=5), CALL)
    assert [(await anext(watch)).sequence for _ in range(3)] == [5, 6, 7]
    await watch.aclose()
    assert service.watches_closed == 1
    assert fallback.stats[Way.REST].calls == 1


async def test_running_stream_that_breaks_ends() -> None:
    class Breaking(Echo):
        async def watch_echoes(
            self, request: pb.WatchEchoesRequest, call: Call = Call()
        ) -> AsyncGenerator[pb.WatchEchoesResponse, None]:
            yield pb.WatchEchoesResponse(sequence=1)
            raise BROKEN

    other = Echo()
    client, _ = joined(serving(Breaking()), serving(other))
    watch = client.watch_echoes(pb.WatchEchoesRequest(), CALL)
    assert (await anext(watch)).sequence == 1
    with pytest.raises(ServiceError, match="cut"):
        await anext(watch)
    assert other.watches_closed == 0


async def test_conversation_goes_on_with_what_was_said_to_nobody() -> None:
    client, _ = joined(Down(REFUSED, takes=1), serving(Echo()))
    said = [answer.text async for answer in client.exchange_echoes(texts("a", "b"), CALL)]
    assert said == ["a", "b"]


async def test_way_that_gives_up_waiting_for_requests_leaves_them_to_the_other() -> None:
    """gRPC cancels whoever waits for the next request; the caller must not notice."""
    now = asyncio.Event()

    class Impatient(Down):
        async def call(
            self, method: Method, requests: AsyncIterator[Message], call: Call
        ) -> Messages:
            waiting = asyncio.ensure_future(_next(requests))
            await asyncio.sleep(0.1)
            waiting.cancel()
            now.set()
            raise REFUSED
            yield

    async def late() -> AsyncIterator[pb.ExchangeEchoesRequest]:
        await now.wait()
        yield pb.ExchangeEchoesRequest(text="a")

    client, _ = joined(Impatient(REFUSED), serving(Echo()))
    assert [answer.text async for answer in client.exchange_echoes(late(), CALL)] == ["a"]


async def _next(requests: AsyncIterator[Message]) -> Message:
    return await anext(requests)
