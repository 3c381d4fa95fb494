"""The probe over gRPC, against servers and against what is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.guards import guarded
from runtime.server import Server
from runtime.targets import ChannelConnection, Endpoint
from services.host.peers.probing import HealthProbe

pytestmark = pytest.mark.real_time
CONTRACT = DiscoveryService.DESCRIPTOR.full_name


class Silent(DiscoveryService):
    """A service of which nothing is asked but its health."""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Server, Endpoint]]:
    server = Server([Silent()], through=guarded)
    port = await server.start("127.0.0.1:0")
    try:
        yield server, Endpoint(f"127.0.0.1:{port}")
    finally:
        await server.stop()


@asynccontextmanager
async def probe() -> AsyncIterator[HealthProbe]:
    found = HealthProbe(lambda _, address: ChannelConnection(Endpoint(address)))
    try:
        yield found
    finally:
        await found.close()


async def test_who_serves_the_contract_answers() -> None:
    async with served() as (_, endpoint), probe() as ask:
        assert await ask(endpoint, CONTRACT)
        assert await ask(endpoint, CONTRACT)


async def test_who_serves_another_contract_or_has_stopped_does_not() -> None:
    async with probe() as ask:
        async with served() as (_, endpoint):
            assert not await ask(endpoint, "trading.orders.v1.OrderService")
            assert await ask(endpoint, CONTRACT)
        assert not await ask(endpoint, CONTRACT)


async def test_who_takes_the_connection_and_says_nothing_does_not() -> None:
    """As on a half-open link: the kernel accepts for a process that is gone."""
    taken: list[asyncio.StreamWriter] = []
    mute = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    endpoint = Endpoint(f"127.0.0.1:{mute.sockets[0].getsockname()[1]}")
    async with probe() as ask:
        assert not await ask(endpoint, CONTRACT)
    assert taken
    mute.close()
    for writer in taken:
        writer.close()
        await writer.wait_closed()
