"""Ways to call an echo, and the memory that calls open on them take.

    python -m runtime.bench.rest WAY

prints the bytes that 1,000 calls open at once take on both sides, in a process of its own: for
REST each has a connection of its own, for gRPC all share one.
"""

import asyncio
import gc
import random
import resource
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.bench.echo import ANA
from runtime.bench.echo import Echo as Answering
from runtime.bench.stopwatch import in_real_time
from runtime.client import client_for
from runtime.guards import guarded
from runtime.local import LocalTransport
from runtime.network import GrpcTransport, open_channel
from runtime.rest import RestTransport, open_session, serve_rest
from runtime.rpc import Call, Transport
from runtime.server import serve

OPEN_CALLS, AT_ONCE = 1_000, 50  # So many connections at once are no flood.
PAGE_BYTES = resource.getpagesize()


class Echo(Answering):
    """Answers at once; a conversation stays open for as long as its caller says nothing."""

    async def exchange_echoes(
        self, request: AsyncIterator[pb.ExchangeEchoesRequest], call: Call = Call()
    ) -> AsyncGenerator[pb.ExchangeEchoesResponse, None]:
        """Say back each text."""
        async for one in request:
            yield pb.ExchangeEchoesResponse(text=one.text)


@asynccontextmanager
async def local() -> AsyncIterator[Transport]:
    """Open the way within this process."""
    yield LocalTransport([Echo()], guarded)


@asynccontextmanager
async def grpc() -> AsyncIterator[Transport]:
    """Open the way over gRPC."""
    async with serve([Echo()]) as tcp_port, open_channel(f"127.0.0.1:{tcp_port}") as channel:
        yield GrpcTransport(channel)


@asynccontextmanager
async def rest() -> AsyncIterator[Transport]:
    """Open the way over REST."""
    async with serve_rest([Echo()]) as tcp_port, open_session() as session:
        yield RestTransport(f"http://127.0.0.1:{tcp_port}", session)


WAYS: dict[str, Callable[[], AbstractAsyncContextManager[Transport]]] = {
    "local": local,
    "gRPC": grpc,
    "REST": rest,
}


def main(arguments: Sequence[str]) -> int:
    """Print the memory of the way that is named."""
    sys.stdout.write(f"{in_real_time(lambda: _memory(arguments[0]))}\n")
    return 0


def bytes_of_open_calls(way: str) -> int:
    """Return the bytes that `OPEN_CALLS` calls open by `way` take."""
    command = [sys.executable, "-m", "runtime.bench.rest", way]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _client(transport: Transport) -> EchoService:
    return client_for(EchoService, transport, caller=ANA, rng=random.Random(1))


async def _memory(name: str) -> int:
    """Return how much larger this process is with the calls open than without."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    async with WAYS[name]() as transport:
        client = _client(transport)
        await _open(client, 10)  # What is made once is there.
        before = _resident_bytes()
        conversations = await _open(client, OPEN_CALLS)
        grown = _resident_bytes() - before
        for conversation in conversations:
            await conversation.aclose()
    return grown


async def _open(
    client: EchoService, count: int
) -> list[AsyncGenerator[pb.ExchangeEchoesResponse, None]]:
    conversations = [client.exchange_echoes(_said_once()) for _ in range(count)]
    for begin in range(0, count, AT_ONCE):
        some = conversations[begin : begin + AT_ONCE]
        await asyncio.gather(*(anext(conversation) for conversation in some))
    return conversations


async def _said_once() -> AsyncIterator[pb.ExchangeEchoesRequest]:
    yield pb.ExchangeEchoesRequest(text="hello")
    await asyncio.Event().wait()


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
