"""How calls end early: by deadline, by the caller leaving, by a reader that is slow.

One suite for every transport, as in test_transports.py. Where sockets are real the bounds leave
room for a loaded machine; in virtual time they are met exactly.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.identity import as_principal
from runtime.limits import STREAM_WINDOW_BYTES
from runtime.local import LocalTransport
from runtime.rpc import Call, Policy, Port, Transport, connect
from runtime.tests.echoing import (
    ANA,
    SOME_BYTES,
    Echo,
    Relay,
    asked,
    echo_client,
    grpc,
    local,
    rest,
    simulated,
    soon,
)

AHEAD_BYTES_MAX = 4 * STREAM_WINDOW_BYTES  # The window, and messages being written and read.


class EndingSuite:
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        """Open the way to `port` that this run of the suite is about."""
        raise NotImplementedError

    async def test_call_over_its_deadline_ends_and_the_service_stops_working(self) -> None:
        service, loop = Echo(), asyncio.get_running_loop()
        async with self.way(service) as transport:
            began_s = loop.time()
            with pytest.raises(ServiceError) as caught:
                await echo_client(transport).echo(asked("slow"), Call(timeout_s=0.2))
            assert 0.2 <= loop.time() - began_s < 1.0
            assert await soon(lambda: service.cancelled == 1)
        assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
        assert not caught.value.definite

    async def test_deadline_of_the_contract_holds_without_one_of_the_caller(self) -> None:
        async with self.way(Echo()) as transport:
            answer = await echo_client(transport).echo(asked("remaining"))
        assert 0 < float(answer.text) <= 2.0

    async def test_service_keeps_the_deadline_of_a_caller_that_knows_none(self) -> None:
        async with self.way(Echo()) as transport:
            stranger = connect(EchoService, transport)
            answer = await stranger.echo(asked("remaining"), as_principal(Call(), ANA))
        assert 0 < float(answer.text) <= 2.0

    async def test_caller_cannot_extend_the_deadline_of_the_contract(self) -> None:
        async with self.way(Echo()) as transport:
            answer = await echo_client(transport).echo(asked("remaining"), Call(timeout_s=60))
        assert float(answer.text) <= 2.0

    async def test_call_that_comes_too_late_has_no_effect(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            with pytest.raises(ServiceError) as caught:
                await echo_client(transport).echo(asked("a"), Call(timeout_s=0.004))
        assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
        assert service.heard == []

    async def test_deadline_ends_a_stream_and_spares_its_reader(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            watch = echo_client(transport).exchange_echoes(silence(), Call(timeout_s=0.2))
            await asyncio.sleep(0.3)  # The deadline passes while nobody reads.
            with pytest.raises(ServiceError) as caught:
                await anext(watch)
        assert caught.value.code is StatusCode.DEADLINE_EXCEEDED

    async def test_caller_that_is_cancelled_cancels_the_service(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            task = asyncio.ensure_future(echo_client(transport).echo(asked("slow")))
            assert await soon(lambda: service.heard == ["slow"])
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await soon(lambda: service.cancelled == 1)

    async def test_cancellation_reaches_through_two_services(self) -> None:
        service = Echo()
        async with (
            self.way(service) as near,
            self.way(Relay(echo_client(near), after_s=0)) as far,
        ):
            task = asyncio.ensure_future(echo_client(far).echo(asked("slow")))
            assert await soon(lambda: service.heard == ["slow"])
            task.cancel()
            await asyncio.wait([task])
            assert await soon(lambda: service.cancelled == 1)

    async def test_leaving_a_stream_early_frees_the_service(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            watch = echo_client(transport).watch_echoes(pb.WatchEchoesRequest())
            await anext(watch)
            await watch.aclose()
            assert await soon(lambda: service.watches_closed == 1)

    async def test_leaving_a_conversation_early_frees_both_sides(self) -> None:
        async with self.way(Echo()) as transport:
            answers = echo_client(transport).exchange_echoes(greeting_then_silence())
            assert (await anext(answers)).text == "hello"
            await answers.aclose()
            assert (await echo_client(transport).echo(asked("a"))).text == "a"

    async def test_slow_reader_holds_the_service_back(self) -> None:
        """A reader that took two messages of 100 kB leaves the service stuck soon after.

        Were there no back-pressure, the service, which never waits for long, would have
        produced thousands of them in the time given.
        """
        service = Echo()
        async with self.way(service) as transport:
            watch = echo_client(transport).watch_echoes(pb.WatchEchoesRequest())
            await anext(watch)
            await anext(watch)
            await asyncio.sleep(0.5)
            ahead = service.produced
            await asyncio.sleep(0.2)
            assert service.produced == ahead
            assert ahead * len(SOME_BYTES) <= AHEAD_BYTES_MAX
            await watch.aclose()

    async def test_many_calls_at_once_are_each_answered(self) -> None:
        async with self.way(Echo()) as transport:
            client = echo_client(transport)
            answers = await asyncio.gather(*(client.echo(asked(f"t{i}")) for i in range(200)))
        assert [a.text for a in answers] == [f"t{i}" for i in range(200)]


class TestLocalTransport(EndingSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return local(port)


class TestSimulatedNetwork(EndingSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return simulated(port)


@pytest.mark.real_time
class TestGrpcTransport(EndingSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return grpc(port)


@pytest.mark.real_time
class TestRestTransport(EndingSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return rest(port)


async def test_nothing_is_run_ahead_of_a_local_reader() -> None:
    service = Echo()
    async with local(service) as transport:
        watch = echo_client(transport).watch_echoes(pb.WatchEchoesRequest())
        for _ in range(3):
            await anext(watch)
        assert service.produced == 2
        await watch.aclose()


async def test_call_without_any_deadline_waits_for_its_answer() -> None:
    service = Echo()

    class Unbounded(EchoService):
        POLICIES: ClassVar[Mapping[str, Policy]] = {}

        async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
            return await service.echo(request, call)

    await connect(EchoService, LocalTransport([Unbounded()])).echo(asked("slow"))
    assert asyncio.get_running_loop().time() == 60


async def silence() -> AsyncIterator[pb.ExchangeEchoesRequest]:
    await asyncio.Event().wait()
    yield pb.ExchangeEchoesRequest()


async def greeting_then_silence() -> AsyncIterator[pb.ExchangeEchoesRequest]:
    yield pb.ExchangeEchoesRequest(text="hello")
    await asyncio.Event().wait()
