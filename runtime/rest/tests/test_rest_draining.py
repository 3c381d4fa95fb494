"""How a REST server stops: calls finish, endless streams are told to resume elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from trading.echo.v1.echo_pb2 import WatchEchoesRequest

from runtime.errors import ServiceError
from runtime.rest import RestServer, RestTransport, open_session
from runtime.rpc import Call
from runtime.tests.echoing import Echo, asked, echo_client, soon

pytestmark = pytest.mark.real_time


async def test_stopping_server_finishes_calls_and_sends_endless_streams_away() -> None:
    class Slow(Echo):
        async def _sleep(self) -> None:
            await asyncio.sleep(0.2)

    service, loop = Slow(), asyncio.get_running_loop()
    async with served(service, drain_s=5.0) as (server, transport):
        client = echo_client(transport)
        watch = client.watch_echoes(WatchEchoesRequest())
        await anext(watch)
        answer = asyncio.ensure_future(client.echo(asked("slow")))
        assert await soon(lambda: service.heard == ["slow"])
        began_s = loop.time()
        stopping = asyncio.ensure_future(server.stop())
        with pytest.raises(ServiceError, match="resume") as caught:
            async for _ in watch:
                pass
        assert (await answer).text == "slow"
        await stopping
        assert loop.time() - began_s < 2.0
    assert (caught.value.code.name, caught.value.reason) == ("UNAVAILABLE", "DRAINING")
    assert service.watches_closed == 1


async def test_stopping_server_waits_no_longer_than_it_says() -> None:
    service, loop = Echo(), asyncio.get_running_loop()
    async with served(service, drain_s=0.1) as (server, transport):
        call = Call(timeout_s=1.9)
        answer = asyncio.ensure_future(echo_client(transport).echo(asked("slow"), call))
        assert await soon(lambda: service.heard == ["slow"])
        began_s = loop.time()
        await server.stop()
        assert loop.time() - began_s < 1.0
        with pytest.raises(ServiceError) as caught:
            await answer
    assert not caught.value.definite


@asynccontextmanager
async def served(
    service: Echo, *, drain_s: float
) -> AsyncIterator[tuple[RestServer, RestTransport]]:
    """A server that the block's body stops, and a transport to it."""
    server = RestServer([service], drain_s=drain_s)
    tcp_port = await server.start()
    async with open_session() as session:
        yield server, RestTransport(f"http://127.0.0.1:{tcp_port}", session)
    await server.stop()
