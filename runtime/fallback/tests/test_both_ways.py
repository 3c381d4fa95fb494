"""gRPC and REST for real: each takes over from the other, and the flag turns between calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.connecting import was_never_sent
from runtime.errors import ServiceError
from runtime.fallback import Fallback, Rollout, Way
from runtime.network import GrpcTransport, open_channel
from runtime.rest import RestServer, RestTransport, open_session
from runtime.rpc import Call
from runtime.server import Server
from runtime.tests.echoing import Echo, asked, echo_client

pytestmark = pytest.mark.real_time


class Doors:
    """One service behind both servers, and a client that knows both."""

    def __init__(self, service: Echo) -> None:
        self.grpc = Server([service], drain_s=0.1)
        self.rest = RestServer([service], drain_s=0.1)
        self.rollout = Rollout()
        self.fallback: Fallback

    def client(self) -> EchoService:
        return echo_client(self.fallback)


@asynccontextmanager
async def doors(service: Echo) -> AsyncIterator[Doors]:
    both = Doors(service)
    grpc_port, rest_port = await both.grpc.start(), await both.rest.start()
    async with open_channel(f"127.0.0.1:{grpc_port}") as channel, open_session() as session:
        rest = RestTransport(f"http://127.0.0.1:{rest_port}", session)
        both.fallback = Fallback(GrpcTransport(channel), rest, both.rollout)
        yield both
    await both.grpc.stop()
    await both.rest.stop()


async def test_rest_takes_over_when_grpc_is_down_and_back() -> None:
    service = Echo()
    async with doors(service) as both:
        client = both.client()
        await client.echo(asked("a"))
        await both.grpc.stop()
        await client.echo(asked("b"))
        answer = await client.collect_echoes(_collected("c"))  # Must not be repeated.
        assert answer.text == "abc"
        watch = client.watch_echoes(pb.WatchEchoesRequest())
        assert (await anext(watch)).is_heartbeat
        await watch.aclose()
    assert service.heard == ["a", "b", "c"]
    assert both.fallback.stats[Way.GRPC].left == both.fallback.stats[Way.REST].calls == 3


async def test_grpc_takes_over_when_rest_is_down() -> None:
    service = Echo()
    async with doors(service) as both:
        both.rollout.set("echo", 100)
        client = both.client()
        await client.echo(asked("a"))
        await both.rest.stop()
        await client.echo(asked("b"))
        assert (await client.collect_echoes(_collected("c"))).text == "abc"
    assert service.heard == ["a", "b", "c"]
    assert both.fallback.stats[Way.REST].left == both.fallback.stats[Way.GRPC].calls == 2


async def test_flag_is_turned_while_calls_are_in_flight() -> None:
    service = Echo()
    async with doors(service) as both:
        client = both.client()
        for round_, percent in enumerate((0, 100, 25, 0)):
            both.rollout.set("echo", percent)
            texts = [f"{round_}-{i}" for i in range(20)]
            answers = await asyncio.gather(*(client.echo(asked(t, request_id=t)) for t in texts))
            assert [answer.text for answer in answers] == texts
    assert len(service.heard) == 80
    assert 20 < both.fallback.stats[Way.REST].calls < 40


async def test_neither_way_leads_anywhere() -> None:
    async with doors(Echo()) as both:
        await both.grpc.stop()
        await both.rest.stop()
        with pytest.raises(ServiceError) as caught:
            await both.client().echo(asked("a"), Call(timeout_s=0.05))
    assert caught.value.code.name == "UNAVAILABLE"


async def test_grpc_that_lost_a_call_under_way_is_not_taken_for_unsent() -> None:
    """A server that reads the call and hangs up may have acted on it."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(await reader.read(65_536)) < 200:  # Preface and settings come before the call.
            writer.write(bytes.fromhex("000000040000000000"))  # Empty SETTINGS: HTTP/2 is spoken.
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_channel(address) as channel:
        with pytest.raises(ServiceError) as caught:
            await echo_client(GrpcTransport(channel)).collect_echoes(_collected("a" * 1_000))
    assert caught.value.code.name == "UNAVAILABLE"
    assert not was_never_sent(caught.value)


async def _collected(*texts: str) -> AsyncIterator[pb.CollectEchoesRequest]:
    for text in texts:
        yield pb.CollectEchoesRequest(text=text)
