"""The service that is called and the ways it is called by, each as one measurement."""

import random
from contextlib import AsyncExitStack

import grpc
from grpc import aio
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.bench.stopwatch import calls_per_second, seconds_per_call
from runtime.client import client_for
from runtime.guards import guarded
from runtime.identity import Principal, as_principal
from runtime.local import LocalTransport
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call, Transport, connect
from runtime.server import serve
from runtime.simulated import SimulatedNetwork

ANA = Principal("ana", frozenset({"TRADER"}))
REQUEST = pb.EchoRequest(request_id="r-1234567890", text="hello, is there anybody out there?")
LOCAL_CALLS = 1_000  # A few milliseconds: some rounds are left undisturbed.
SIMULATED_CALLS = 5_000
NETWORK_CALLS = 1_000
AT_ONCE = 64


class Echo(EchoService):
    """Answers at once, so that only the way there and back is measured."""

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        """Say back the text."""
        return pb.EchoResponse(text=request.text, sequence=1)


def _client(transport: Transport) -> EchoService:
    return client_for(EchoService, transport, caller=ANA, rng=random.Random(1))


async def no_transport() -> float:
    """Return the seconds of calling the service object itself."""
    echo = Echo()
    return await seconds_per_call(lambda: echo.echo(REQUEST), LOCAL_CALLS)


async def local() -> float:
    """Return the seconds of a call through the local transport alone."""
    echo = connect(EchoService, LocalTransport([Echo()]))
    return await seconds_per_call(lambda: echo.echo(REQUEST), LOCAL_CALLS)


async def local_with_deadline() -> float:
    """Return the seconds of a call through the local transport that has a deadline."""
    echo, call = connect(EchoService, LocalTransport([Echo()])), Call(timeout_s=2.0)
    return await seconds_per_call(lambda: echo.echo(REQUEST, call), LOCAL_CALLS)


async def local_guarded() -> float:
    """Return the seconds of a local call through every guard, without a client's own work."""
    echo = connect(EchoService, LocalTransport([Echo()], guarded))
    call = as_principal(Call(timeout_s=2.0), ANA)
    return await seconds_per_call(lambda: echo.echo(REQUEST, call), LOCAL_CALLS)


async def local_client() -> float:
    """Return the seconds of a local call as services make it: client, transport, guards."""
    echo = _client(LocalTransport([Echo()], guarded))
    return await seconds_per_call(lambda: echo.echo(REQUEST), LOCAL_CALLS)


async def simulated() -> float:
    """Return calls per second through a simulated network without rules."""
    echo = connect(EchoService, SimulatedNetwork(LocalTransport([Echo()])))
    return await calls_per_second(lambda: echo.echo(REQUEST), SIMULATED_CALLS, at_once=AT_ONCE)


async def simulated_client() -> float:
    """Return calls per second through client, simulated network without rules, and guards."""
    echo = _client(SimulatedNetwork(LocalTransport([Echo()], guarded)))
    return await calls_per_second(lambda: echo.echo(REQUEST), SIMULATED_CALLS, at_once=AT_ONCE)


async def raw_grpc(*, at_once: int) -> float:
    """Return calls per second of grpc.aio alone: its own stub and handler, no options."""

    async def echo(request: pb.EchoRequest, context: object) -> pb.EchoResponse:
        return pb.EchoResponse(text=request.text, sequence=1)

    handler = grpc.unary_unary_rpc_method_handler(
        echo,
        request_deserializer=pb.EchoRequest.FromString,
        response_serializer=pb.EchoResponse.SerializeToString,
    )
    server = aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("raw.Echo", {"Echo": handler}),)
    )
    tcp_port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{tcp_port}") as channel:
        stub = channel.unary_unary(
            "/raw.Echo/Echo",
            request_serializer=pb.EchoRequest.SerializeToString,
            response_deserializer=pb.EchoResponse.FromString,
        )

        async def work() -> object:
            return await stub(REQUEST, timeout=2.0)

        rate = await calls_per_second(work, NETWORK_CALLS, at_once=at_once)
    await server.stop(None)
    return rate


async def guarded_grpc(*, at_once: int) -> float:
    """Return calls per second over gRPC with client, transport and every guard."""
    async with AsyncExitStack() as stack:
        tcp_port = await stack.enter_async_context(serve([Echo()]))
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{tcp_port}"))
        echo = _client(GrpcTransport(channel))
        return await calls_per_second(lambda: echo.echo(REQUEST), NETWORK_CALLS, at_once=at_once)
