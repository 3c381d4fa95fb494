"""A service that moves is followed at once, by the same client, over real connections too."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.client import client_for
from runtime.client_stats import Standing
from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.server import serve
from runtime.targets import (
    Change,
    ChannelConnection,
    Endpoint,
    Snapshot,
    Static,
    Target,
    Watched,
)
from runtime.targets.tests.targeting import SILENCE, Wires, ask, asked_in_vain, fail_times
from runtime.tests.echoing import ANA, Echo, asked, soon

FOLLOWED_S = 1.0  # caller_follows_move


class Moves:
    """A registry that tells where the service has gone."""

    def __init__(self, *ports: int) -> None:
        self._ports: asyncio.Queue[tuple[int, ...]] = asyncio.Queue()
        self.move(*ports)

    def move(self, *ports: int) -> None:
        self._ports.put_nowait(ports)

    async def watch(self) -> AsyncGenerator[Change, None]:
        while True:
            ports = await self._ports.get()
            yield Snapshot(tuple(Endpoint(f"127.0.0.1:{port}") for port in ports))


def client_of(target: Target) -> EchoService:
    rng = random.Random(1)
    return client_for(EchoService, target, caller=ANA, rng=rng, stats=target.stats)


@asynccontextmanager
async def real(moves: Moves) -> AsyncIterator[Target]:
    rng = random.Random(1)
    target = Target("echo", [Watched(moves.watch)], ChannelConnection, rng=rng)
    await target.start()
    await target.resolver.found()
    try:
        yield target
    finally:
        await target.stop()


class Slow(Echo):
    """Takes a while for the text "slow"."""

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        self.heard.append(request.text)
        if request.text == "slow":
            await asyncio.sleep(0.5)
        return pb.EchoResponse(text=request.text)


@pytest.mark.real_time
async def test_a_service_that_moves_is_followed_and_calls_in_flight_finish() -> None:
    old, new = Slow(), Slow()
    async with (
        serve([old]) as old_port,
        serve([new]) as new_port,
        real(moves := Moves(old_port)) as target,
    ):
        client = client_of(target)
        await client.echo(asked("before"))
        in_flight = asyncio.ensure_future(client.echo(asked("slow")))
        assert await soon(lambda: "slow" in old.heard)
        moves.move(new_port)
        async with asyncio.timeout(FOLLOWED_S):
            while not new.heard:
                await client.echo(asked("after"))
        assert (await in_flight).text == "slow"
        assert target.stats.failed == 0
        heard = len(old.heard)
        for _ in range(20):
            await client.echo(asked("later"))
        assert len(old.heard) == heard


@pytest.mark.real_time
async def test_a_watch_is_told_to_come_to_the_new_place() -> None:
    async with serve([Echo()]) as old_port, serve([Echo()]) as new_port:
        moves = Moves(old_port)
        async with real(moves) as target:
            client = client_of(target)
            watch = client.watch_echoes(pb.WatchEchoesRequest())
            await anext(watch)
            moves.move(new_port)
            with pytest.raises(ServiceError) as caught:
                await asyncio.wait_for(drained(watch), FOLLOWED_S)
            assert caught.value.code is StatusCode.UNAVAILABLE
            again = client.watch_echoes(pb.WatchEchoesRequest())
            assert (await anext(again)).is_heartbeat
            await again.aclose()


@pytest.mark.real_time
async def test_a_killed_server_is_left_at_once_for_the_one_that_lives() -> None:
    """One call notices; gRPC then knows that there is no connection, and nobody is sent there."""
    live = Echo()
    async with serve([live]) as live_port, serve([Echo()]) as dead_port:
        moves = Moves(live_port, dead_port)
        async with real(moves) as target:
            client = client_of(target)
            while target.stats.standing().connected < 2:
                await client.echo(asked("both"))
            async with serve([Echo()]) as gone_port:
                pass
            moves.move(live_port, gone_port)
            await asyncio.sleep(0)
            for _ in range(200):
                await client.echo(asked("on"))  # Keyed: the one that fails is repeated.
            assert target.stats.retried <= 3
            assert target.stats.failed == 0
            assert target.breaker.state == "CLOSED"


@pytest.mark.real_time
async def test_the_state_of_a_target_is_told() -> None:
    async with serve([Echo()]) as tcp_port, real(Moves(tcp_port)) as target:
        assert target.stats.standing() == Standing("CLOSED", None, endpoints=1, connected=0)
        for _ in range(9):
            await client_of(target).echo(asked("a"))
        stats = target.stats
        assert (stats.calls, stats.ok, stats.standing().connected) == (9, 9, 1)
        assert stats.p50_s is not None
        assert stats.p99_s is not None
        assert 0 < stats.p50_s <= stats.p99_s < 2


async def test_a_breaker_that_is_open_tries_a_new_place_at_once() -> None:
    wires, moves = Wires(), Moves(1)
    target = Target("echo", [Watched(moves.watch)], wires, rng=random.Random(1))
    await target.start()
    await target.resolver.found()
    await ask(target)
    wires.opened["127.0.0.1:1"].error = SILENCE
    await fail_times(target, 5)
    assert (await asked_in_vain(target)).reason == "BREAKER_OPEN"
    assert target.stats.standing().open_since_s is not None
    moves.move(2)
    await asyncio.sleep(0.01)
    await ask(target)
    assert target.breaker.state == "CLOSED"
    await target.stop()


async def test_clients_of_one_target_share_the_budget_of_repeats() -> None:
    """Twenty clients may not each repeat the first few calls of a target that is down."""
    wires = Wires()
    target = Target("echo", [Static([Endpoint("a:1")])], wires, rng=random.Random(1))
    await target.start()
    await target.resolver.found()
    await ask(target)
    wires.opened["a:1"].error = SILENCE
    await asyncio.gather(
        *[client_of(target).echo(asked("a")) for _ in range(20)], return_exceptions=True
    )
    assert target.stats.calls == 20
    assert target.stats.retried == 10
    await target.stop()


async def drained(watch: AsyncGenerator[pb.WatchEchoesResponse, None]) -> None:
    async for _ in watch:
        pass


async def test_a_target_whose_registry_is_away_goes_on_and_says_so() -> None:
    async def once() -> AsyncGenerator[Change, None]:
        yield Snapshot((Endpoint("a:1"),))

    target = Target("echo", [Watched(once)], Wires(), rng=random.Random(1))
    await target.start()
    await target.resolver.found()
    await asyncio.sleep(0.01)
    await ask(target)
    assert target.stats.standing().is_stale
    await target.stop()
