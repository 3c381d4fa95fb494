"""An echo service with every manner a transport must cope with, and four ways to reach it."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.client import client_for
from runtime.errors import BadRequest, ServiceError, refusal
from runtime.guards import guarded
from runtime.identity import Principal
from runtime.local import LocalTransport
from runtime.network import GrpcTransport, open_channel
from runtime.rest import RestTransport, open_session, serve_rest
from runtime.rpc import Call, Port, Transport
from runtime.server import serve
from runtime.simulated import SimulatedNetwork

ANA = Principal("ana", frozenset({"TRADER"}))
SOME_BYTES = "x" * 100_000


class Echo(EchoService):
    """Says back what it hears; some texts make it behave worse."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.calls: list[Call] = []
        self.produced = 0
        self.watches_closed = 0
        self.cancelled = 0

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        text = request.text
        self.heard.append(text)
        self.calls.append(call)
        match text:
            case "refuse":
                raise refused()
            case "bug":
                raise KeyError("no such thing")
            case "slow":
                await self._sleep()
            case "remaining":
                text = repr(call.remaining_s())
            case "long answer":
                text = "x" * 17_000_000
        request.text = "overwritten"  # A rude servicer: the caller must not see this.
        return pb.EchoResponse(text=text, sequence=len(self.heard))

    async def watch_echoes(
        self, request: pb.WatchEchoesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchEchoesResponse, None]:
        response = pb.WatchEchoesResponse(sequence=request.after_sequence, is_heartbeat=True)
        try:
            while True:
                yield response
                self.produced += 1
                response.sequence += 1  # Rude again: the message it yielded before.
                response.is_heartbeat = False
                response.text = SOME_BYTES
                await asyncio.sleep(0)
        finally:
            self.watches_closed += 1

    async def collect_echoes(
        self, request: AsyncIterator[pb.CollectEchoesRequest], call: Call = Call()
    ) -> pb.CollectEchoesResponse:
        async for one in request:
            self.heard.append(one.text)
        return pb.CollectEchoesResponse(text="".join(self.heard), count=len(self.heard))

    async def exchange_echoes(
        self, request: AsyncIterator[pb.ExchangeEchoesRequest], call: Call = Call()
    ) -> AsyncGenerator[pb.ExchangeEchoesResponse, None]:
        async for one in request:
            self.heard.append(one.text)
            if one.text == "refuse":
                raise refused()
            yield pb.ExchangeEchoesResponse(text=one.text)

    async def _sleep(self) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class Relay(EchoService):
    """Passes each call on to the next echo service, a little later."""

    def __init__(self, following: EchoService, *, after_s: float) -> None:
        self._following = following
        self._after_s = after_s

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        await asyncio.sleep(self._after_s)
        return await self._following.echo(request, call)


def refused() -> ServiceError:
    """Return the refusal of the text "refuse", with two details."""
    error = refusal(
        StatusCode.FAILED_PRECONDITION,
        "NOT_NOW",
        'text is "refuse", must be kinder: say something else – ✓',
        service="echo",
        text="refuse",
    )
    field = BadRequest.FieldViolation(field="text", description="unkind", reason="kind")
    error.details = (*error.details, BadRequest(field_violations=[field]))
    return error


@asynccontextmanager
async def local(port: Port) -> AsyncIterator[Transport]:
    yield LocalTransport([port], guarded)


@asynccontextmanager
async def simulated(port: Port) -> AsyncIterator[Transport]:
    yield SimulatedNetwork(LocalTransport([port], guarded))


@asynccontextmanager
async def grpc(port: Port) -> AsyncIterator[Transport]:
    async with serve([port]) as tcp_port, open_channel(f"127.0.0.1:{tcp_port}") as channel:
        yield GrpcTransport(channel)


@asynccontextmanager
async def rest(port: Port) -> AsyncIterator[Transport]:
    async with serve_rest([port]) as tcp_port, open_session() as session:
        yield RestTransport(f"http://127.0.0.1:{tcp_port}", session)


def echo_client(transport: Transport, caller: Principal = ANA) -> EchoService:
    return client_for(EchoService, transport, caller=caller, rng=random.Random(1))


def asked(text: str, request_id: str = "r-1") -> pb.EchoRequest:
    return pb.EchoRequest(request_id=request_id, text=text)


async def soon(is_true: Callable[[], bool]) -> bool:
    """Return whether `is_true` comes about within two seconds."""
    for _ in range(200):
        if is_true():
            return True
        await asyncio.sleep(0.01)
    return False
