"""Calls are counted on both sides, once each, and read exactly at the contract's own bound."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest
from trading.echo.v1 import echo_pb2 as pb

from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.identity import Principal
from runtime.local import LocalTransport
from runtime.measurements import BOUNDS_S, CLIENT, Measurements
from runtime.network import GrpcTransport, open_channel
from runtime.observe.counted import Counted
from runtime.observe.memory import MemoryMetrics
from runtime.observe.metrics import Distribution
from runtime.observe.red import calls_of
from runtime.rpc import Call, Transport, methods, only
from runtime.server import serve
from runtime.simulated import Break, Passage, SimulatedNetwork, Verdict
from runtime.single import one
from runtime.tests.echoing import Echo, asked, echo_client

ECHO, WATCH = "EchoService/Echo", "EchoService/WatchEchoes"


class Counting:
    """An echo service that is counted on both sides, in one set of metrics."""

    def __init__(self) -> None:
        self.metrics = MemoryMetrics()
        self.server = Measurements(has_sizes=True)
        self.client = Measurements(CLIENT, has_sizes=True)
        for side in (self.server, self.client):
            self.metrics.add_reader(calls_of(side))

    def counts(self, side: str) -> dict[tuple[str, str], float]:
        """Return how many calls of each method ended with each code."""
        found: dict[tuple[str, str], float] = {}
        for series in self.metrics.series("rpc_requests_total"):
            assert isinstance(series.value, int)
            if series.labels["side"] == side:
                found[series.labels["method"], series.labels["code"]] = series.value
        return found

    def none_in_flight(self) -> bool:
        return all(not reading.value for reading in self.metrics.series("rpc_in_flight"))


async def exchange(transport: Transport) -> int:
    """Let calls end in every way there is; return how many began."""
    echo, stranger = echo_client(transport), echo_client(transport, Principal("nobody"))
    for text in ("a", "b", "refuse", "bug", ""):
        with suppress(ServiceError):
            await echo.echo(asked(text))
    with suppress(ServiceError):
        await echo.echo(asked("slow"), Call(timeout_s=0.2))
    with suppress(ServiceError):
        await stranger.echo(asked("a"))
    leaving = asyncio.ensure_future(echo.echo(asked("slow")))
    await asyncio.sleep(0.05)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    watch = echo.watch_echoes(pb.WatchEchoesRequest())
    for _ in range(3):
        await anext(watch)
    await watch.aclose()
    assert (await echo.collect_echoes(said("a", "b"))).count
    with suppress(ServiceError):
        async for _ in echo.exchange_echoes(told("a", "refuse")):
            continue
    return 11


async def said(*texts: str) -> AsyncIterator[pb.CollectEchoesRequest]:
    for text in texts:
        yield pb.CollectEchoesRequest(text=text)


async def told(*texts: str) -> AsyncIterator[pb.ExchangeEchoesRequest]:
    for text in texts:
        yield pb.ExchangeEchoesRequest(text=text)


EXPECTED = {
    (ECHO, "OK"): 2,
    (ECHO, "FAILED_PRECONDITION"): 1,
    (ECHO, "UNKNOWN"): 1,
    (ECHO, "INVALID_ARGUMENT"): 1,
    (ECHO, "DEADLINE_EXCEEDED"): 1,
    (ECHO, "PERMISSION_DENIED"): 1,
    (ECHO, "CANCELLED"): 1,
    (WATCH, "CANCELLED"): 1,
    ("EchoService/CollectEchoes", "OK"): 1,
    ("EchoService/ExchangeEchoes", "FAILED_PRECONDITION"): 1,
}


@pytest.fixture
def counting() -> Iterator[Counting]:
    counting = Counting()
    yield counting
    assert counting.none_in_flight()


async def test_every_call_is_counted_once_and_both_sides_agree(counting: Counting) -> None:
    served = LocalTransport([Echo()], lambda ports: guarded(ports, counting.server))
    began = await exchange(Counted(served, counting.client))
    assert counting.counts("server") == counting.counts("client") == EXPECTED
    assert sum(EXPECTED.values()) == began
    assert counting.metrics.value("rpc_stream_messages_total", method=WATCH, side="client") == 3


@pytest.mark.real_time
async def test_every_call_over_grpc_is_counted_once_and_both_sides_agree(
    counting: Counting,
) -> None:
    async with AsyncExitStack() as stack:
        way_in = serve([Echo()], through=lambda ports: guarded(ports, counting.server))
        tcp_port = await stack.enter_async_context(way_in)
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{tcp_port}"))
        await exchange(Counted(GrpcTransport(channel), counting.client))
        for _ in range(100):  # The server hears of a caller that left a moment later.
            if counting.none_in_flight():
                break
            await asyncio.sleep(0.01)
    assert counting.counts("server") == counting.counts("client") == EXPECTED


async def test_only_the_caller_knows_of_a_call_that_was_lost(counting: Counting) -> None:
    served = LocalTransport([Echo()], lambda ports: guarded(ports, counting.server))
    network = SimulatedNetwork(served)

    def lose(passage: Passage) -> Verdict:
        return Break() if passage.is_request else None

    echo = echo_client(Counted(network, counting.client))
    with network.rule(lose), pytest.raises(ServiceError):
        await echo.echo(asked("a"))
    assert counting.counts("server") == {}
    attempts = counting.counts("client")[ECHO, "UNAVAILABLE"]
    assert attempts == 3  # Each repeat is a call on the wire.


async def test_the_contracts_p99_is_a_bound(counting: Counting) -> None:
    method = next(m for m in methods(Echo) if m.name == "echo")
    policy = replace(method.policy, p99_ms=30.0)
    served = Counted(LocalTransport([Echo()]), counting.server)
    answers = served.call(replace(method, policy=policy), only(asked("a")), Call())
    assert await one(answers)
    (reading,) = counting.metrics.series("rpc_duration_seconds")
    assert isinstance(reading.value, Distribution)
    assert reading.value.bounds == tuple(sorted((*BOUNDS_S, 0.03)))
    assert reading.value.number == 1


async def test_messages_are_sized_where_that_is_asked_for(counting: Counting) -> None:
    served = LocalTransport([Echo()], lambda ports: guarded(ports, counting.server))
    await echo_client(Counted(served, counting.client)).echo(asked("a"))
    request, answer = asked("a").ByteSize(), pb.EchoResponse(text="a", sequence=1).ByteSize()
    for side in ("server", "client"):
        (reading,) = (
            series
            for series in counting.metrics.series("rpc_message_bytes")
            if series.labels["side"] == side
        )
        assert isinstance(reading.value, Distribution)
        assert (reading.value.number, reading.value.total) == (2, request + answer)


async def test_a_wait_for_a_message_is_a_gap_and_a_slow_reader_is_not() -> None:
    measurements = Measurements()
    served = LocalTransport([Echo()], lambda ports: guarded(ports, measurements))
    watch = echo_client(served).watch_echoes(pb.WatchEchoesRequest())
    for _ in range(3):
        await anext(watch)
        await asyncio.sleep(5)
    await watch.aclose()
    (path,) = measurements.methods
    calls = measurements.methods[path]
    assert calls.messages == 3
    assert calls.longest_gap_s == 0
