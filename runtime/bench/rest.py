"""Print what a call costs locally, over gRPC and over REST: `python -m runtime.bench.rest`.

Both sides are in one process. Latencies are those of one call after the other; rates are the
best of several rounds in which the ways take turns. Memory is measured in a process of its own
for each way, with that many calls open at once: for REST each has a connection of its own, for
gRPC all share one.
"""

import asyncio
import gc
import random
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.bench.echo import ANA, REQUEST
from runtime.bench.echo import Echo as Answering
from runtime.bench.stopwatch import calls_per_second, in_real_time
from runtime.client import client_for
from runtime.guards import guarded
from runtime.local import LocalTransport
from runtime.network import GrpcTransport, open_channel
from runtime.rest import RestTransport, open_session, serve_rest
from runtime.rpc import Call, Transport
from runtime.server import serve

CALLS, CALLS_PER_ROUND, AT_ONCE = 2_000, 640, 64
OPEN_CALLS = 1_000
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
    """Measure every way in one run, or the memory of the one that is named."""
    if arguments:
        sys.stdout.write(f"{in_real_time(lambda: _memory(arguments[0]))}\n")
        return 0
    figures = in_real_time(_measured)
    memory = {way: _memory_of(way) for way in WAYS}
    _row("unary echo, client and guards", *WAYS, "REST/gRPC")
    for name, values in figures.items():
        _row(name, *(f"{value:,.0f}" for value in values), f"{values[2] / values[1]:.2f}")
    kilobytes = [memory[way] / 1024 / OPEN_CALLS for way in WAYS]
    ratio = f"{kilobytes[2] / kilobytes[1]:.2f}" if kilobytes[1] > 0 else "-"
    _row("memory per open call, both sides, kB", *(f"{kb:,.1f}" for kb in kilobytes), ratio)
    return 0


async def _measured() -> dict[str, list[float]]:
    async with AsyncExitStack() as stack:
        clients = []
        for way in WAYS.values():
            transport = await stack.enter_async_context(way())
            clients.append(_client(transport))
        latencies = [await _latencies_us(client) for client in clients]
        alone = await _rates(clients, 1)
        together = await _rates(clients, AT_ONCE)
    return {
        "latency p50, µs": [sorted(one)[CALLS // 2] for one in latencies],
        "latency p99, µs": [sorted(one)[CALLS * 99 // 100] for one in latencies],
        "calls/s, one at a time": alone,
        f"calls/s, {AT_ONCE} at a time": together,
    }


async def _rates(clients: Sequence[EchoService], at_once: int) -> list[float]:
    works = [lambda client=client: client.echo(REQUEST) for client in clients]
    return await calls_per_second(*works, calls=CALLS_PER_ROUND, at_once=at_once)


async def _latencies_us(client: EchoService) -> list[float]:
    took_us = []
    for _ in range(CALLS):
        began_s = time.perf_counter()
        await client.echo(REQUEST)
        took_us.append((time.perf_counter() - began_s) * 1e6)
    return took_us


def _client(transport: Transport) -> EchoService:
    return client_for(EchoService, transport, caller=ANA, rng=random.Random(1))


def _memory_of(way: str) -> int:
    """Return the bytes that the calls open by `way` take, measured in a process of its own."""
    command = [sys.executable, "-m", "runtime.bench.rest", way]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


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
    await asyncio.gather(*(anext(conversation) for conversation in conversations))
    return conversations


async def _said_once() -> AsyncIterator[pb.ExchangeEchoesRequest]:
    yield pb.ExchangeEchoesRequest(text="hello")
    await asyncio.Event().wait()


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def _row(name: str, *figures: str) -> None:
    sys.stdout.write(f"{name:<40}" + "".join(f"{figure:>12}" for figure in figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
