"""Reads a stream as member of a group: in order per key, at least once (rule X10)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from grpc import StatusCode
from redis.exceptions import RedisError

from runtime.errors import ServiceError
from runtime.observe.flow import continuing
from runtime.stores.ending import end, stop_if_cancelled
from runtime.stores.membership import BATCH_SIZE_MAX, Entry, Membership, Subscription
from runtime.stores.streams import Streams

CLAIM_EVERY_S = 10.0
IN_HAND_MAX = 1_024  # Above it nothing more is read until something is done.
DELIVERIES_MAX = 5
RETRY_S = 0.1
RETRY_S_MAX = 5.0

# Codes that tell of the callee or of us, never of the payload, though nothing happened.
PASSING = (
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.ABORTED,
    StatusCode.UNAUTHENTICATED,
    StatusCode.PERMISSION_DENIED,
)

Handle = Callable[[Sequence[Entry]], Awaitable[None]]
DeadLetter = Callable[[Entry, Exception], Awaitable[None]]
log = logging.getLogger(__name__)


class StreamConsumer:
    """Gives every entry of a stream to `handle`, at least once.

    Start it with `tasks.spawn(consumer.run(), name="…")`. `handle` gets entries of one key in
    sequence order and returns after effect and inbox row are committed; no key waits for
    another. When `handle` raises:

    - an unavailable dependency (an indefinite ServiceError, one that was not even sent,
      RESOURCE_EXHAUSTED, ABORTED, Redis away): the key waits and tries again, for ever;
    - anything else: the entries are tried again one by one, and after 5 deliveries the one
      that still raises goes to `dead_letter` (which commits it) and is acknowledged.
    """

    def __init__(
        self, streams: Streams, subscription: Subscription, handle: Handle, dead_letter: DeadLetter
    ) -> None:
        self.trouble: Exception | None = None  # Why Redis cannot be read at present.
        self._member = Membership(streams, subscription)
        self._stream = subscription.stream
        self._handle = handle
        self._dead_letter = dead_letter
        self._name = f"{subscription.stream}>{streams.identity.namespace}"
        self._waiting: dict[str, list[Entry]] = {}  # By key, of every key that is worked on.
        self._working: set[asyncio.Task[None]] = set()
        self._in_hand: dict[str, Entry] = {}
        self._room = asyncio.Event()
        self._crash: BaseException | None = None

    async def run(self) -> None:
        """Read until cancelled: own unfinished entries first, then new ones."""
        retry_s = RETRY_S
        try:
            while True:
                try:
                    await self._member.join()
                    self._take(await self._member.unfinished())
                    self.trouble, retry_s = None, RETRY_S
                    await self._read_on()
                except (RedisError, OSError) as error:
                    self.trouble = error
                    stop_if_cancelled()
                    await asyncio.sleep(retry_s)
                    retry_s = min(2 * retry_s, RETRY_S_MAX)
        finally:
            await self._stop()

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        claim_at_s = loop.time()
        while True:
            stop_if_cancelled()
            if loop.time() >= claim_at_s:
                self._take(await self._member.abandoned(self._in_hand))
                claim_at_s = loop.time() + CLAIM_EVERY_S
            while len(self._in_hand) >= IN_HAND_MAX:
                self._room.clear()
                await self._room.wait()
            self._take(await self._member.new())
            if self._crash is not None:
                raise self._crash

    def _take(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.entry_id in self._in_hand:
                continue
            self._in_hand[entry.entry_id] = entry
            if entry.key in self._waiting:
                self._waiting[entry.key].append(entry)
                continue
            self._waiting[entry.key] = [entry]
            working = asyncio.create_task(self._work(entry.key), name=self._name)
            self._working.add(working)
            working.add_done_callback(self._working.discard)

    async def _work(self, key: str) -> None:
        """Work off one key until nothing of it waits."""
        waiting = self._waiting[key]
        try:
            while waiting:
                waiting.sort(key=_sequence)  # Taken-over entries may be older.
                batch = waiting[:BATCH_SIZE_MAX]
                del waiting[:BATCH_SIZE_MAX]
                await self._settle(batch)
                await self._acknowledge(batch)
                stop_if_cancelled()
        except Exception as error:  # noqa: BLE001 - `run` raises it: a crash is loud.
            self._crash = error
        finally:
            del self._waiting[key]

    async def _settle(self, entries: Sequence[Entry]) -> None:
        """Return when every entry has had its effect, or is a dead letter."""
        retry_s = RETRY_S
        while (error := await self._attempt(entries)) is not None:
            if not _is_passing(error) and await self._isolate(entries, error):
                return
            stop_if_cancelled()
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, RETRY_S_MAX)

    async def _attempt(self, entries: Sequence[Entry]) -> Exception | None:
        try:
            _check_ours(entries)
            with continuing(self._stream, (entry.traceparent for entry in entries)):
                await self._handle(entries)
        except Exception as error:  # noqa: BLE001 - whatever it is, the entry must not be lost.
            return error
        return None

    async def _isolate(self, entries: Sequence[Entry], error: Exception) -> bool:
        """Return whether all is settled, now that one of `entries` is at fault itself."""
        if len(entries) == 1:
            return await self._give_up(entries[0], error)
        for entry in entries:
            await self._settle([entry])
        return True

    async def _give_up(self, entry: Entry, error: Exception) -> bool:
        """Return whether `entry` had its 5 deliveries and is a dead letter now."""
        try:
            if await self._member.deliveries(entry) < DELIVERIES_MAX:
                await self._member.deliver_again(entry)
                return False
            await self._dead_letter(entry, error)
        except Exception as trouble:
            if not _is_passing(trouble):
                raise
            return False
        log.error("dead letter: %s of %s: %r", entry.event_id, self._name, error)
        return True

    async def _acknowledge(self, entries: Sequence[Entry]) -> None:
        retry_s = RETRY_S
        while True:
            try:
                await self._member.acknowledge(entries)
            except (RedisError, OSError):
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_S_MAX)
            else:
                break
        for entry in entries:
            del self._in_hand[entry.entry_id]
        self._room.set()

    async def _stop(self) -> None:
        await end(self._working)


def _sequence(entry: Entry) -> int:
    return entry.sequence


def _check_ours(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if not entry.event_id:
            raise ValueError(f"entry {entry.entry_id} has no event_id: only relays may add here")


def _is_passing(error: Exception) -> bool:
    """Tell whether `error` is about the world at this moment, not about the payload."""
    if isinstance(error, ServiceError):
        return not error.definite or error.is_unsent or error.code in PASSING
    return isinstance(error, RedisError | OSError)
