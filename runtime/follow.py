"""The reader's side of a Watch RPC: in batches, resumed without a gap, for ever (rule O7)."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from grpc import StatusCode

from runtime.errors import ErrorInfo, ServiceError, refusal
from runtime.observe.flow import consuming

BATCH_SIZE_MAX = 256
BUFFER_SIZE = 1_024
PAUSE_S_FIRST, PAUSE_S_MAX = 0.05, 1.0
SILENCE_S = 3.0  # Heartbeats come every second (O7): after this long the stream is dead.
HEARTBEAT_S = 1.0
log = logging.getLogger(__name__)


class Message(Protocol):
    """What every message of a watch tells."""

    sequence: int
    is_heartbeat: bool


M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Following(Generic[M]):
    """What to follow, and what to do with it.

    `watch` opens the stream after a sequence. `take` gets what has arrived since it last
    returned, heartbeats included, at most 256 messages, and returns when their effect is
    committed: so a reader commits per batch, not per message (G2). What must be known at once
    is told to `see`, message by message as they arrive; `take` gets it all the same.
    """

    name: str
    watch: Callable[[int], AsyncGenerator[M, None]]
    take: Callable[[Sequence[M]], Awaitable[None]]
    see: Callable[[M], None] | None = None
    gather_s: float = 0.002  # How long a batch waits for more, so that a burst is one commit.


async def follow(following: Following[M], *, after: int, rng: random.Random) -> None:
    """Follow a stream from behind sequence `after` until cancelled.

    A stream that ends, or brings nothing for three seconds, is opened again behind the last
    batch taken, also when `take` raised a ServiceError (a store that is down is one). What the
    source no longer keeps is skipped, with a warning. Any other error of `take` is a bug and
    is raised.
    """
    sequence, attempt = after, 0
    while True:
        before = sequence
        try:
            async for batch in _batches(following, sequence):
                await _taken(following, batch)
                sequence = max(sequence, seen(batch))
        except ServiceError as error:
            level = logging.WARNING if error.definite else logging.INFO
            log.log(level, "%s ended after %d: %s", following.name, sequence, error)
            sequence = max(sequence, _kept_after(error))
        attempt = 0 if sequence > before else attempt + 1
        await asyncio.sleep(_pause_s(attempt, rng))


async def _taken(following: Following[M], batch: Sequence[M]) -> None:
    with consuming(following.name, batch):
        await following.take(batch)


def seen(batch: Sequence[Message]) -> int:
    """Return the last sequence in `batch` that has arrived for certain, 0 when none has.

    The first heartbeat tells where the source is, not how far this reader has come.
    """
    return max((message.sequence for message in batch if not message.is_heartbeat), default=0)


async def _batches(following: Following[M], after: int) -> AsyncGenerator[list[M], None]:
    """Yield what has arrived each time the consumer asks, never nothing."""
    stream = following.watch(after)
    arrived: asyncio.Queue[M | None] = asyncio.Queue(BUFFER_SIZE)

    async def pump() -> None:
        try:
            await _pump(stream, following, arrived)
        finally:
            if not arrived.full():  # A full queue wakes the consumer anyway.
                arrived.put_nowait(None)

    pumping = asyncio.create_task(pump(), name="follow")
    try:
        while not (pumping.done() and arrived.empty()):
            batch = [
                message
                for message in await _arrived(arrived, following.gather_s)
                if message is not None
            ]
            if batch:
                yield batch
        await pumping  # Raises what ended the stream.
    finally:
        pumping.cancel()
        await asyncio.wait([pumping])


async def _pump(
    stream: AsyncGenerator[M, None], following: Following[M], arrived: "asyncio.Queue[M | None]"
) -> None:
    """Queue what arrives until the stream ends; raises UNAVAILABLE when it falls silent."""
    try:
        async with asyncio.timeout(SILENCE_S) as patience, aclosing(stream):
            async for message in stream:
                await _pass_on(message, following, arrived, patience)
    except TimeoutError as error:
        raise refusal(
            StatusCode.UNAVAILABLE,
            "STREAM_SILENT",
            f"{following.name} brought not even a heartbeat for {SILENCE_S:.0f} s: "
            "the stream is opened again",
            service="runtime",
        ) from error


async def _pass_on(
    message: M,
    following: Following[M],
    arrived: "asyncio.Queue[M | None]",
    patience: asyncio.Timeout,
) -> None:
    if following.see is not None:
        following.see(message)
    if arrived.full():
        patience.reschedule(None)  # It is we who keep the stream waiting.
    await arrived.put(message)
    _renew(patience)


def _renew(patience: asyncio.Timeout) -> None:
    """Grant another three seconds; not for every message, as a timer costs more than one."""
    until_s, now_s = patience.when(), asyncio.get_running_loop().time()
    if until_s is None or until_s - now_s < SILENCE_S - HEARTBEAT_S / 2:
        patience.reschedule(now_s + SILENCE_S)


async def _arrived(queue: "asyncio.Queue[M | None]", gather_s: float) -> list[M | None]:
    batch = [await queue.get()]
    await asyncio.sleep(gather_s)
    while len(batch) < BATCH_SIZE_MAX and not queue.empty():
        batch.append(queue.get_nowait())
    return batch


def _kept_after(error: ServiceError) -> int:
    """Return where a source that forgot the past begins, 0 when it says nothing about that."""
    info = error.detail(ErrorInfo)
    if error.code is not StatusCode.OUT_OF_RANGE or info is None:
        return 0
    return int(info.metadata.get("kept_after", "0") or 0)


def _pause_s(attempt: int, rng: random.Random) -> float:
    """Return the wait before an attempt: 50 ms doubled each time, at most 1 s, jitter 50 %."""
    longest = min(PAUSE_S_MAX, PAUSE_S_FIRST * 2.0 ** min(attempt, 10))
    return longest * (0.5 + rng.random())
