"""Bad links over real TCP: half-open ones are noticed, lost servers found again, slow ones used.

The keep-alive is a fortieth of the real one, so that a test need not last forty seconds; that
gRPC is told the real one is a test of its own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from grpc import ChannelConnectivity, StatusCode, aio
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime import network, server
from runtime.errors import ServiceError
from runtime.limits import KEEPALIVE_ANSWER_S, KEEPALIVE_S, RECONNECT_S_MAX
from runtime.network import CLIENT_OPTIONS, GrpcTransport, open_channel
from runtime.rpc import Call
from runtime.server import SERVER_OPTIONS, Server, serve
from runtime.tests.echoing import Echo, asked, echo_client, soon
from runtime.tests.proxying import Proxy

pytestmark = pytest.mark.real_time
FASTER = 40
PROBED_S = (KEEPALIVE_S + KEEPALIVE_ANSWER_S) / FASTER  # Noticed by then,
SLACK_S = 1.0  # on a machine that does other things too.
RECONNECTED_S = 2.0
FAILED = ChannelConnectivity.TRANSIENT_FAILURE
TIMES = (
    "grpc.keepalive_time_ms",
    "grpc.keepalive_timeout_ms",
    "grpc.http2.ping_timeout_ms",
    "grpc.http2.min_ping_interval_without_data_ms",
    "grpc.http2.min_recv_ping_interval_without_data_ms",
)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "CLIENT_OPTIONS", _faster(CLIENT_OPTIONS))
    monkeypatch.setattr(server, "SERVER_OPTIONS", _faster(SERVER_OPTIONS))


def _faster(options: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    return tuple((k, v // FASTER if k in TIMES else v) for k, v in options)


@asynccontextmanager
async def linked(service: Echo) -> AsyncIterator[tuple[Proxy, aio.Channel, EchoService]]:
    async with (
        serve([service]) as tcp_port,
        Proxy(tcp_port).serving() as proxy,
        open_channel(f"127.0.0.1:{proxy.port}") as channel,
    ):
        yield proxy, channel, echo_client(GrpcTransport(channel))


def test_grpc_is_told_the_limits_that_are_stated() -> None:
    told = dict(CLIENT_OPTIONS)
    assert told["grpc.keepalive_time_ms"] == KEEPALIVE_S * 1000
    assert told["grpc.keepalive_timeout_ms"] == KEEPALIVE_ANSWER_S * 1000
    assert told["grpc.http2.ping_timeout_ms"] == KEEPALIVE_ANSWER_S * 1000
    assert told["grpc.max_reconnect_backoff_ms"] * 1.2 <= RECONNECTED_S * 1000
    assert told["grpc.max_reconnect_backoff_ms"] == RECONNECT_S_MAX * 1000


async def test_a_half_open_link_is_noticed_by_both_sides_and_calls_go_on_when_it_heals() -> None:
    service, loop = Quiet(), asyncio.get_running_loop()
    async with linked(service) as (proxy, _, client):
        watch = client.watch_echoes(pb.WatchEchoesRequest())
        await anext(watch)
        proxy.stall()
        began_s = loop.time()
        with pytest.raises(ServiceError) as caught:
            await asyncio.wait_for(anext(watch), PROBED_S + SLACK_S)
        assert loop.time() - began_s > KEEPALIVE_ANSWER_S / FASTER
        assert caught.value.code is StatusCode.UNAVAILABLE
        assert await soon(lambda: service.watches_closed == 1)  # The server was told by nobody.
        proxy.heal()
        assert (await until_answered(client, RECONNECTED_S + SLACK_S)) == "hello"
        assert proxy.connections >= 2


async def test_an_idle_connection_is_probed_too() -> None:
    async with linked(Echo()) as (proxy, channel, client):
        await client.echo(asked("a"))
        proxy.stall()
        assert channel.get_state() is ChannelConnectivity.READY
        async with asyncio.timeout(PROBED_S + SLACK_S):
            await channel.wait_for_state_change(ChannelConnectivity.READY)


async def test_a_server_restarted_on_its_port_is_found_within_two_seconds() -> None:
    first = Server([Echo()], drain_s=0)
    tcp_port = await first.start()
    async with open_channel(f"127.0.0.1:{tcp_port}") as channel:
        client = echo_client(GrpcTransport(channel))
        await client.echo(asked("a"))
        await first.stop()
        assert await soon(lambda: channel.get_state(try_to_connect=True) is FAILED)
        await asyncio.sleep(1.0)  # So that the pauses between its attempts have grown.
        second = Server([Echo()], drain_s=0)
        await second.start(f"127.0.0.1:{tcp_port}")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        assert await until_answered(client, RECONNECTED_S + SLACK_S) == "hello"
        assert loop.time() - began_s < RECONNECTED_S
        await second.stop()


async def test_a_link_with_half_a_second_of_round_trip_connects_at_the_first_attempt() -> None:
    async with linked(Echo()) as (proxy, channel, _):
        proxy.delay_s = 0.25
        patient = echo_client(GrpcTransport(channel))
        answer = await patient.echo(asked("hello"), Call(2.0))
        assert (answer.text, proxy.connections) == ("hello", 1)


class Quiet(Echo):
    """A watch says one thing and then nothing."""

    async def watch_echoes(  # type: ignore[override]
        self, request: pb.WatchEchoesRequest, call: Call = Call()
    ) -> AsyncIterator[pb.WatchEchoesResponse]:
        try:
            yield pb.WatchEchoesResponse(is_heartbeat=True)
            await asyncio.sleep(60)
        finally:
            self.watches_closed += 1


async def until_answered(client: EchoService, within_s: float) -> str:
    """Return the first answer; calls that fail meanwhile are made again."""
    answers: list[str] = []
    async with asyncio.timeout(within_s):
        while not answers:
            with suppress(ServiceError):
                answers.append((await client.echo(asked("hello"), Call(0.3))).text)
            await asyncio.sleep(0.02)
    return answers[0]
