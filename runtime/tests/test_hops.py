"""A deadline runs on over every hop: over three real gRPC servers it shrinks, and never resets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call
from runtime.server import serve
from runtime.tests.echoing import Echo, asked, echo_client, soon

pytestmark = pytest.mark.real_time
ALLOWED_S = 1.6  # Less than the contract's 2 s.


class Hop(Echo):
    """Works for a while, then passes the call on; the last one works and answers."""

    def __init__(self, following: EchoService | None, work_s: float) -> None:
        super().__init__()
        self.left_s: list[float] = []
        self.was_cancelled = False
        self._following = following
        self._work_s = work_s

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        left_s = call.remaining_s()
        assert left_s is not None
        self.left_s.append(left_s)
        try:
            await asyncio.sleep(self._work_s)
            if self._following is not None:
                return await self._following.echo(request, call)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return pb.EchoResponse(text=request.text)


@asynccontextmanager
async def three_hops(work_s: float) -> AsyncIterator[tuple[EchoService, list[Hop]]]:
    """Yield a client of the first hop, and all three in the order in which they are reached."""
    async with AsyncExitStack() as stack:
        client: EchoService | None = None
        hops: list[Hop] = []
        for _ in range(3):
            hops.insert(0, Hop(client, work_s))
            tcp_port = await stack.enter_async_context(serve([hops[0]]))
            channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{tcp_port}"))
            client = echo_client(GrpcTransport(channel))
        assert client is not None
        yield client, hops


async def test_what_is_left_shrinks_with_every_hop() -> None:
    async with three_hops(work_s=0.2) as (client, hops):
        answer = await client.echo(asked("hello"), Call(ALLOWED_S))
        first_s, second_s, third_s = (hop.left_s[0] for hop in hops)
    assert answer.text == "hello"
    # Each hop has worked for 0.2 s before; gRPC rounds up what it sends, by 10 ms and more.
    assert first_s <= ALLOWED_S + 0.02
    assert second_s < first_s - 0.15
    assert third_s < second_s - 0.15


async def test_the_whole_way_ends_when_the_first_callers_time_is_up() -> None:
    async with three_hops(work_s=0.25) as (client, hops):
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with pytest.raises(ServiceError) as caught:
            await client.echo(asked("hello"), Call(0.6))
        took_s = loop.time() - began_s
        assert await soon(lambda: all(hop.was_cancelled for hop in hops))
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
    assert 0.55 < took_s < 1.0


async def test_a_hop_without_time_left_is_never_begun() -> None:
    """The second works until the end: what it then asks of the third is refused, or not sent."""
    async with three_hops(work_s=0.25) as (client, hops):
        with pytest.raises(ServiceError) as caught:
            await client.echo(asked("hello"), Call(0.45))
        await asyncio.sleep(0.3)
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
    assert hops[2].left_s == []
