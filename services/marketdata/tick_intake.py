"""Batches of ticks on their way in: what has arrived together, and what of it is the next."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Generic, TypeVar

from sqlalchemy import Connection

from runtime.stores.ending import end
from services.marketdata import tick_store
from services.marketdata.instruments import Instrument
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.store import Values
from services.marketdata.tick_messages import Arrival
from services.marketdata.ticks import TickLine, followed_by, out_of_sequence, session_of

TOGETHER_MAX = 256

M = TypeVar("M")


class Arrivals(Generic[M]):
    """A stream of messages, taken together as they have arrived: at most 256, never none.

    So a reader commits once for what came during its last commit, not once for each.
    """

    def __init__(self, messages: AsyncIterator[M]) -> None:
        self._queue: asyncio.Queue[M | None] = asyncio.Queue(TOGETHER_MAX)
        self._pumping = asyncio.create_task(self._pump(messages), name="arrivals")

    async def take(self) -> list[M]:
        """Return what has arrived; nothing when the stream is over. Raises what broke it."""
        first = await self._queue.get()
        taken = [] if first is None else [first]
        while first is not None and len(taken) < TOGETHER_MAX and not self._queue.empty():
            first = self._queue.get_nowait()
            taken += [] if first is None else [first]
        if first is None:
            self._queue.put_nowait(None)  # For whoever asks again.
        if not taken:
            await self._pumping
        return taken

    async def stop(self) -> None:
        """Read no more."""
        await end([self._pumping])

    async def _pump(self, messages: AsyncIterator[M]) -> None:
        try:
            async for message in messages:
                if self._queue.full():
                    await self._queue.put(message)
                else:
                    self._queue.put_nowait(message)
        except Exception:
            await self._queue.put(None)
            raise
        await self._queue.put(None)


@dataclass(slots=True)
class Taken:
    """What became of some batches: those that are stored now, and why the next one is not."""

    stored: list[tuple[int, Arrival]] = field(default_factory=list)
    gaps: int = 0
    refused: MarketDataRefused | None = None


class TickWriter:
    """Judges batches one by one within a transaction, and writes those that are the next ones."""

    def __init__(self, tx: Connection, instruments: Mapping[str, Instrument], now_ns: int) -> None:
        self._tx = tx
        self._instruments = instruments
        self._now_ns = now_ns
        self._before: dict[str, TickLine | None] = {}
        self._moved: dict[str, TickLine] = {}
        self._bodies: dict[tuple[str, int], bytes] = {}
        self._rows: list[Values] = []
        self._sequence = tick_store.head(tx)
        self._taken = Taken()

    def take(self, arrivals: Sequence[Arrival]) -> Taken:
        """Store `arrivals` up to the first that is refused."""
        for arrival in arrivals:
            try:
                self._add(arrival)
            except MarketDataRefused as refused:
                self._taken.refused = refused
                break
        if self._rows:
            tick_store.write(self._tx, self._rows, list(self._moved.values()), self._sequence)
        return self._taken

    def _add(self, arrival: Arrival) -> None:
        ticks = arrival.ticks
        line = self._line(ticks.instrument)
        if line is not None and ticks.sequence_next <= line.sequence_next:
            self._check_known(line, arrival)
            return
        calendar = self._instruments[ticks.instrument].calendar
        session_ns = session_of(calendar, int(ticks.times_ns[0]))
        after = followed_by(
            line, ticks, session_ns, is_after_gap=arrival.is_after_gap, source=arrival.source
        )
        self._taken.gaps += line is not None and ticks.sequence_first != line.sequence_next
        self._moved[ticks.instrument] = after
        self._keep(arrival)

    def _line(self, instrument: str) -> TickLine | None:
        if instrument in self._moved:
            return self._moved[instrument]
        if instrument not in self._before:
            self._before[instrument] = tick_store.line(self._tx, instrument)
        return self._before[instrument]

    def _check_known(self, line: TickLine, arrival: Arrival) -> None:
        """Let a batch pass that was stored before. Raises MarketDataRefused for another one."""
        ticks = arrival.ticks
        key = ticks.instrument, ticks.sequence_first
        known = self._bodies.get(key) or tick_store.stored(self._tx, *key)
        if known is None:
            raise out_of_sequence(line, ticks)
        if known != arrival.body:
            raise MarketDataRefused(
                Refusal.TICKS_DIFFER,
                f"other ticks of {ticks.instrument} are stored from sequence"
                f" {ticks.sequence_first} on: repeat a batch unchanged, or send the next one",
                facts={
                    "first_digest": sha256(known).hexdigest(),
                    "this_digest": sha256(arrival.body).hexdigest(),
                },
            )

    def _keep(self, arrival: Arrival) -> None:
        ticks = arrival.ticks
        self._sequence += 1
        self._bodies[ticks.instrument, ticks.sequence_first] = arrival.body
        self._taken.stored.append((self._sequence, arrival))
        self._rows.append(
            {
                "sequence": self._sequence,
                "instrument": ticks.instrument,
                "sequence_first": ticks.sequence_first,
                "kind": int(ticks.kind),
                "first_ns": int(ticks.times_ns.min()),
                "last_ns": int(ticks.times_ns.max()),
                "stored_ns": self._now_ns,
                "body": arrival.body,
            }
        )
