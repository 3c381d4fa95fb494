"""Every strategy of this service in memory, and the one door through which they change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import Connection
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import signal_pb2

from runtime.environment import Environment
from runtime.stores import Outbox, StoreError, become_writer
from runtime.watch import Feed
from services.strategy import signal_store, store
from services.strategy import tables as t
from services.strategy.changes import STREAM, Changes
from services.strategy.hosted import COUNTED, Hosted, Track
from services.strategy.migrations import HISTORY
from services.strategy.registry import checked
from services.strategy.terms import Outcome, StrategyRefused
from services.strategy.wire import config_of

PUBLISHED = signal_pb2.SIGNAL_STATUS_PUBLISHED
CANDLES, ORDER_EVENTS = "candles", "order_events"


class Roster:
    """The strategies as they are committed.

    Whoever changes one takes its turn, changes a copy, and commits: memory follows the store,
    never the other way round. After a store failed, memory is read anew at the next turn.
    """

    def __init__(self, environment: Environment) -> None:
        self.hosted: dict[str, Hosted] = {}
        self.candles_sequence = 0  # Candles up to it have been evaluated.
        self.events_sequence = 0  # Order events up to it have been taken in.
        self.is_stale = True
        self.outbox = Outbox(t.outbox)
        self.feed: Feed[bytes] = Feed(environment.service)
        self._environment = environment
        self._lock = asyncio.Lock()
        self._epoch = 0
        self._sequence = 0  # Of the last published signal.

    async def start(self) -> None:
        """Take over as the one writer, and read what was committed."""
        database = self._environment.database
        await database.migrate(HISTORY)
        self._epoch = await become_writer(database, t.epochs, self._environment.service)
        async with self.turn():
            self.feed = Feed(self._environment.service, self._sequence)
        progress = self._environment.progress
        progress.wrote(STREAM, self._sequence)
        progress.has_read(CANDLES, self.candles_sequence)
        progress.has_read(ORDER_EVENTS, self.events_sequence)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Change strategies in this block, nobody else does meanwhile."""
        async with self._lock:
            await self._refresh()
            yield

    def changes(self) -> Changes:
        """Return the changes of a turn, none so far."""
        return Changes(self._environment.clock.now_ns(), self._epoch, self._sequence)

    async def commit(
        self, changes: Changes, also: Callable[[Connection], None] = lambda tx: None
    ) -> None:
        """Commit `changes` and what else belongs to them; then show them. Only within a turn."""

        def work(tx: Connection) -> list[signal_pb2.Signal]:
            published = changes.write(tx, self.outbox)
            also(tx)
            return published

        try:
            published = await self._environment.database.write(work)
        except StoreError:
            self.is_stale = True  # It may have been committed all the same.
            raise
        self.hosted |= changes.hosted
        for signal in published:
            self.feed.publish(signal.header.sequence, signal.SerializeToString())
        if published:
            self._sequence = published[-1].header.sequence
            self._environment.progress.wrote(STREAM, self._sequence)

    def known(self, strategy_id: str) -> Hosted:
        """Return a strategy. Raises StrategyRefused(STRATEGY_UNKNOWN)."""
        hosted = self.hosted.get(strategy_id)
        if hosted is None:
            raise StrategyRefused(
                "STRATEGY_UNKNOWN",
                f"no strategy has the id {strategy_id}: list the strategies",
                strategy_id=strategy_id,
            )
        return hosted

    async def _refresh(self) -> None:
        if not self.is_stale:
            return

        await self._environment.database.write(self._read)
        self.is_stale = False

    def _read(self, tx: Connection) -> None:
        tracks = store.load_tracks(tx)
        found = [_restored(row, version, tracks) for row, version in store.load(tx)]
        self.hosted = {hosted.strategy_id: hosted for hosted in found}
        for strategy_id, outcome, number in signal_store.outcome_counts(tx):
            name = COUNTED.get(Outcome(outcome))
            counts = {"evaluated": number} | ({name: number} if name else {})
            self.hosted[strategy_id].count(counts)
        for strategy_id, status, number in signal_store.status_counts(tx):
            name = "published" if status == PUBLISHED else "filtered"
            self.hosted[strategy_id].count({name: number})
        self.candles_sequence = max(store.cursor(tx, CANDLES), signal_store.last_candle(tx))
        self.events_sequence = store.cursor(tx, ORDER_EVENTS)
        self._sequence = signal_store.last_sequence(tx)


def _restored(row: store.Found, version: store.Found, tracks: dict[store.Key, Track]) -> Hosted:
    config = checked(config_of(pb.StrategyConfig.FromString(version.config)))
    names = version.instruments.split(",")
    return store.restored(row, config, {name: tracks[row.strategy_id, name] for name in names})
