"""A service that ends is gone for its callers: that is told, and they go on."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb

from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.local import LocalTransport
from runtime.rpc import Call
from runtime.simulated import SimulatedNetwork
from runtime.tests.echoing import Echo, asked, echo_client


def network_of(service: Echo) -> SimulatedNetwork:
    return SimulatedNetwork(LocalTransport([service], guarded))


class Ending(Echo):
    """Ends while it is asked for the first time: what works for its callers is cancelled."""

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        if not self.heard:
            self.heard.append(request.text)
            work = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(1.0, work.cancel)
            await asyncio.shield(work)
        return await super().echo(request, call)


async def test_a_service_that_ends_in_mid_call_is_asked_again_by_its_caller() -> None:
    service = Ending()
    answer = await echo_client(network_of(service)).echo(asked("a"), Call(timeout_s=5))
    assert (answer.text, service.heard) == ("a", ["a", "a"])


class EndingWatch(Echo):
    """Ends while it is watched: what its watchers wait for is cancelled."""

    async def watch_echoes(
        self, request: pb.WatchEchoesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchEchoesResponse, None]:
        yield pb.WatchEchoesResponse(is_heartbeat=True)
        work = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1.0, work.cancel)
        await work


async def test_a_stream_of_a_service_that_ends_is_broken_off_and_its_reader_goes_on() -> None:
    watching = echo_client(network_of(EndingWatch())).watch_echoes(pb.WatchEchoesRequest())
    assert (await anext(watching)).is_heartbeat
    with pytest.raises(ServiceError) as caught:
        await anext(watching)
    assert (caught.value.code, caught.value.reason) == (StatusCode.UNAVAILABLE, "SERVICE_ENDED")


async def test_a_reader_that_leaves_its_stream_is_cancelled() -> None:
    watching = echo_client(network_of(EndingWatch())).watch_echoes(pb.WatchEchoesRequest())
    await anext(watching)
    reading = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(0.5)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_caller_that_leaves_is_cancelled() -> None:
    asking = asyncio.ensure_future(echo_client(network_of(Ending())).echo(asked("a")))
    await asyncio.sleep(0.5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
