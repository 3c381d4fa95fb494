"""An echo service whose calls are traced on both sides, over any transport."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from trading.echo.v1 import echo_pb2 as pb

from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.ids import derived_rng
from runtime.local import LocalTransport
from runtime.network import GrpcTransport, open_channel
from runtime.observe.scope import work_of
from runtime.observe.tracer import Tracer
from runtime.rpc import Call, Port, Transport
from runtime.server import serve
from runtime.simulated import SimulatedNetwork
from runtime.tests.echoing import Echo, asked, echo_client

Way = Callable[[Port, Tracer], AbstractAsyncContextManager[Transport]]


class TracedClient:
    """Calls an echo service as work of a tracer."""

    def __init__(self, transport: Transport, tracer: Tracer) -> None:
        self.port = echo_client(transport)
        self._tracer = tracer

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        with work_of(self._tracer):
            return await self.port.echo(request, call)

    async def quietly(self, text: str, call: Call = Call()) -> None:
        with suppress(ServiceError):
            await self.echo(asked(text), call)


def traced_echo(tracer: Tracer) -> TracedClient:
    """Return a client of an echo service in this process; both sides are traced by `tracer`."""
    return TracedClient(LocalTransport([Echo()], through(tracer)), tracer)


def through(tracer: Tracer) -> Callable[[Sequence[Port]], Transport]:
    return lambda ports: guarded(ports, rng=derived_rng(1, "trace"), tracer=tracer)


@asynccontextmanager
async def local(port: Port, tracer: Tracer) -> AsyncIterator[Transport]:
    yield LocalTransport([port], through(tracer))


@asynccontextmanager
async def simulated(port: Port, tracer: Tracer) -> AsyncIterator[Transport]:
    yield SimulatedNetwork(LocalTransport([port], through(tracer)))


@asynccontextmanager
async def grpc(port: Port, tracer: Tracer) -> AsyncIterator[Transport]:
    async with (
        serve([port], through=through(tracer)) as tcp_port,
        open_channel(f"127.0.0.1:{tcp_port}") as channel,
    ):
        yield GrpcTransport(channel)


async def traced(tracer: Tracer, work: Awaitable[object]) -> None:
    """Await `work` as work of `tracer`; what it is refused is no failure."""
    with work_of(tracer), suppress(ServiceError):
        await work
