"""What a gRPC server owes beyond its methods: health, reflection, limits, a bounded end."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf import descriptor_pool
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import (  # type: ignore[import-untyped]
    proto_reflection_descriptor_database as reflection,
)
from trading.echo.v1 import echo_pb2 as pb
from trading.health.v1.health_port import HealthService

from runtime.errors import ServiceError
from runtime.network import GrpcTransport, open_channel
from runtime.routes import Routes
from runtime.rpc import Call, Port
from runtime.server import Server, serve
from runtime.tests.echoing import Echo, asked, echo_client, soon
from runtime.virtual import VirtualLoop

real_time = pytest.mark.real_time
LOCAL = "127.0.0.1:0"


@real_time
async def test_health_follows_the_server() -> None:
    server = Server([Echo()], drain_s=0.1)
    async with open_channel(f"127.0.0.1:{await server.start()}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "trading.echo.v1.EchoService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        watch = health.Watch(health_pb2.HealthCheckRequest(service="trading.echo.v1.EchoService"))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        stopping = asyncio.ensure_future(server.stop())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        await stopping


@real_time
async def test_the_whole_is_healthy_without_a_service_that_is_not_meant_to_answer() -> None:
    server = Server([Echo, HealthService], through=lambda _: Routes())
    async with open_channel(f"127.0.0.1:{await server.listen(LOCAL)}") as channel:

        async def status(name: str) -> int:
            request = health_pb2.HealthCheckRequest(service=name)
            return int((await health_pb2_grpc.HealthStub(channel).Check(request)).status)

        await server.announce(HealthService)
        assert await status("") == health_pb2.HealthCheckResponse.NOT_SERVING
        await server.withdraw(Echo)
        assert await status("") == health_pb2.HealthCheckResponse.SERVING
        assert await status("trading.echo.v1.EchoService") == (
            health_pb2.HealthCheckResponse.NOT_SERVING
        )
        await server.announce(Echo)
        assert await status("trading.echo.v1.EchoService") == health_pb2.HealthCheckResponse.SERVING
    await server.stop()


@real_time
async def test_a_reflection_client_lists_and_describes_the_services() -> None:
    """The client is grpcio-reflection's own, blocking, in a thread: nothing here wrote it."""

    def describe(tcp_port: int) -> tuple[list[str], list[str], list[str]]:
        with grpc.insecure_channel(f"127.0.0.1:{tcp_port}") as channel:
            database = reflection.ProtoReflectionDescriptorDatabase(channel)
            pool = descriptor_pool.DescriptorPool(database)
            service = pool.FindServiceByName("trading.echo.v1.EchoService")
            methods = [method.name for method in service.methods]
            fields = [f.name for f in service.methods[0].input_type.fields]
            return sorted(database.get_services()), methods, fields

    async with serve([Echo()]) as tcp_port:
        with ThreadPoolExecutor(1) as thread:
            work = asyncio.get_running_loop().run_in_executor(thread, describe, tcp_port)
            services, methods, fields = await work
    assert services == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "trading.echo.v1.EchoService",
    ]
    assert methods == ["Echo", "WatchEchoes", "CollectEchoes", "ExchangeEchoes"]
    assert fields == ["request_id", "text", "price"]


@real_time
async def test_calls_over_the_limit_in_flight_are_refused_before_any_effect() -> None:
    service = Echo()
    async with (
        serve([service], in_flight_max=2) as tcp_port,
        open_channel(f"127.0.0.1:{tcp_port}") as channel,
    ):
        client = echo_client(GrpcTransport(channel))
        busy = [asyncio.ensure_future(client.echo(asked("slow"))) for _ in range(2)]
        assert await soon(lambda: len(service.heard) == 2)
        with pytest.raises(ServiceError, match="2 calls are in flight") as caught:
            await client.echo(asked("third"), Call(timeout_s=0.05))  # Too short for a repeat.
        for task in busy:
            task.cancel()
        await asyncio.wait(busy)
        assert await soon(lambda: service.cancelled == 2)
        assert (await client.echo(asked("fourth"))).text == "fourth"
    assert caught.value.code is StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.reason == "TOO_MANY_IN_FLIGHT"
    assert caught.value.retry_after_s == 0.1
    assert "third" not in service.heard


@real_time
async def test_stopping_server_finishes_the_calls_in_flight() -> None:
    class Slow(Echo):
        async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
            self.heard.append(request.text)
            await asyncio.sleep(0.2)
            return pb.EchoResponse(text=request.text)

    service = Slow()
    async with served(service, drain_s=5.0) as (server, transport):
        answer = asyncio.ensure_future(echo_client(transport).echo(asked("a")))
        assert await soon(lambda: service.heard == ["a"])
        await server.stop()
        assert (await answer).text == "a"


@real_time
async def test_stopping_server_waits_no_longer_than_it_says() -> None:
    service, loop = Echo(), asyncio.get_running_loop()
    async with served(service, drain_s=0.2) as (server, transport):
        answer = asyncio.ensure_future(echo_client(transport).echo(asked("slow")))
        assert await soon(lambda: service.heard == ["slow"])
        began_s = loop.time()
        await server.stop()
        assert loop.time() - began_s < 1.0
        with pytest.raises(ServiceError) as caught:
            await answer
    assert not caught.value.definite


@real_time
async def test_stopping_server_sends_endless_streams_away_at_once() -> None:
    service, loop = Echo(), asyncio.get_running_loop()
    async with served(service, drain_s=5.0) as (server, transport):
        watch = echo_client(transport).watch_echoes(pb.WatchEchoesRequest())
        await anext(watch)
        began_s = loop.time()
        stopping = asyncio.ensure_future(server.stop())
        with pytest.raises(ServiceError, match="resume") as caught:
            async for _ in watch:
                pass
        await stopping
        assert loop.time() - began_s < 1.0
        assert service.watches_closed == 1
    assert caught.value.code is StatusCode.UNAVAILABLE
    assert caught.value.reason == "DRAINING"


@real_time
async def test_server_that_is_not_there_is_unavailable() -> None:
    async with serve([Echo()]) as tcp_port:
        pass
    async with open_channel(f"127.0.0.1:{tcp_port}") as channel:
        with pytest.raises(ServiceError) as caught:
            await echo_client(GrpcTransport(channel)).echo(asked("a"))
    assert caught.value.code is StatusCode.UNAVAILABLE
    assert not caught.value.definite
    with pytest.raises(ServiceError, match="is closed: keep it open") as closed:
        await echo_client(GrpcTransport(channel)).echo(asked("a"), Call(timeout_s=0.05))
    assert closed.value.code is StatusCode.UNAVAILABLE


@real_time
async def test_channel_that_closes_under_a_call_does_not_look_like_a_cancellation() -> None:
    service = Echo()
    async with serve([service]) as tcp_port:
        channel = open_channel(f"127.0.0.1:{tcp_port}")
        client = echo_client(GrpcTransport(channel))
        answer = asyncio.ensure_future(client.echo(asked("slow"), Call(timeout_s=0.5)))
        watch = client.watch_echoes(pb.WatchEchoesRequest())
        await anext(watch)
        assert await soon(lambda: service.heard == ["slow"])
        await channel.close()
        await asyncio.wait([answer])
        with pytest.raises(ServiceError, match="is closed"):
            async for _ in watch:
                pass
    error = answer.exception()
    assert isinstance(error, ServiceError)
    assert error.code is StatusCode.UNAVAILABLE


@real_time
@pytest.mark.parametrize("metadata", [{"Upper": "a"}, {"x": "é"}, {"x": 1}], ids=str)
async def test_metadata_that_cannot_travel_is_named(metadata: dict[str, str]) -> None:
    async with serve([Echo()]) as tcp_port, open_channel(f"127.0.0.1:{tcp_port}") as channel:
        with pytest.raises(ServiceError, match="lower-case keys") as caught:
            await echo_client(GrpcTransport(channel)).echo(asked("a"), Call(metadata=metadata))
    assert caught.value.reason == "NOT_SENT"


@real_time
async def test_second_server_on_one_address_is_an_error() -> None:
    async with serve([Echo()]) as tcp_port:
        with pytest.raises(RuntimeError, match="bind"):
            async with serve([Echo()], f"127.0.0.1:{tcp_port}"):
                pass


def test_grpc_never_runs_in_virtual_time() -> None:
    async def serve_it() -> None:
        async with serve([Echo()]):
            pass

    async def dial() -> None:
        open_channel("127.0.0.1:1")

    for work in (serve_it, dial):
        with (
            asyncio.Runner(loop_factory=VirtualLoop) as runner,
            pytest.raises(RuntimeError, match=r"runs in real time.*LocalTransport"),
        ):
            runner.run(work())


@asynccontextmanager
async def served(port: Port, *, drain_s: float) -> AsyncIterator[tuple[Server, GrpcTransport]]:
    """A server that the block's body stops, and a transport to it."""
    server = Server([port], drain_s=drain_s)
    async with open_channel(f"127.0.0.1:{await server.start()}") as channel:
        yield server, GrpcTransport(channel)
    await server.stop()
