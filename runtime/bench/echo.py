"""The service that is called and the ways it is called by, each as one measurement."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

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


async def simulated() -> list[float]:
    """Return calls per second through a simulated network without rules.

    First the network alone, then with client and guards around it.
    """
    bare = connect(EchoService, SimulatedNetwork(LocalTransport([Echo()])))
    whole = _client(SimulatedNetwork(LocalTransport([Echo()], guarded)))
    return await calls_per_second(
        lambda: bare.echo(REQUEST),
        lambda: whole.echo(REQUEST),
        calls=SIMULATED_CALLS,
        at_once=AT_ONCE,
    )


async def over_grpc(*, at_once: int) -> list[float]:
    """Return calls per second of grpc.aio alone, and with client, transport and every guard."""
    async with AsyncExitStack() as stack:
        stub = await stack.enter_async_context(_raw_stub())
        tcp_port = await stack.enter_async_context(serve([Echo()]))
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{tcp_port}"))
        echo = _client(GrpcTransport(channel))

        async def raw() -> object:
            return await stub(REQUEST, timeout=2.0)

        return await calls_per_second(
            raw, lambda: echo.echo(REQUEST), calls=NETWORK_CALLS, at_once=at_once
        )


@asynccontextmanager
async def _raw_stub() -> AsyncIterator[Callable[..., Awaitable[object]]]:
    """Serve an echo with gRPC's own means and no options; yields gRPC's own stub for it."""

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
        yield channel.unary_unary(
            "/raw.Echo/Echo",
            request_serializer=pb.EchoRequest.SerializeToString,
            response_deserializer=pb.EchoResponse.FromString,
        )
    await server.stop(None)
