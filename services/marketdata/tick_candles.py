"""Makes candles of ticks: confirmed 250 ms after their interval, revised for late ticks (D6)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from trading.types.v1 import market_pb2

from runtime.environment import Environment
from runtime.stores import StoreError
from services.marketdata import store, tick_store
from services.marketdata.batch import Draft
from services.marketdata.candles import Candle, Source
from services.marketdata.messages import candle_of, source_of
from services.marketdata.publisher import Publisher
from services.marketdata.tick_bars import (
    TIMEFRAMES,
    BarKey,
    Effect,
    TickBar,
    TickBars,
    bar_of,
    candle_of_bar,
    keys_of,
)
from services.marketdata.tick_kernel import compiled, folded
from services.marketdata.tick_messages import ticks_of
from services.marketdata.ticks import TickKind, Ticks
from services.marketdata.timeframes import NS_PER_SECOND

STORE_RETRY_S = 0.2
log = logging.getLogger(__name__)

Late = dict[BarKey, None]  # In the order in which they came.
T = TypeVar("T")


class TickCandles:
    """The candles of every instrument whose trades come in."""

    def __init__(self, environment: Environment, publisher: Publisher) -> None:
        self._environment = environment
        self._publisher = publisher
        self._bars = TickBars()
        self._taken: dict[str, int] = {}  # The last batch of each instrument, by its sequence.
        self._sources: dict[str, Source] = {}
        self._stated: dict[str, bytes] = {}  # The same as they were stated.
        self._alarms: dict[int, None] = {}
        self._storing = asyncio.Lock()  # Confirming and revising one after the other.

    @staticmethod
    def prepare() -> None:
        """Load the compiled kernel, which holds up everything for a moment: not under load."""
        compiled()

    def name_source(self, instrument: str, source: bytes) -> None:
        """Say where the ticks of `instrument` come from (a DataSource)."""
        if self._stated.get(instrument) != source:
            self._sources[instrument] = source_of(market_pb2.DataSource.FromString(source))
            self._stated[instrument] = source

    async def resume(self, instrument: str) -> None:
        """Take up the trades whose candles may not be confirmed yet, after a new start."""
        longest = TIMEFRAMES[-1]

        def work(tx: Connection) -> list[Any]:
            last_ns = store.lasts(tx, [instrument]).get((instrument, longest))
            from_ns = 0 if last_ns is None else last_ns
            return tick_store.trades_within(tx, instrument, from_ns, 2**63 - 1)

        late: Late = {}
        for row in await self._environment.database.read(work):
            self.take(row.sequence, ticks_of(market_pb2.TickBatch.FromString(row.body)), late)
        await self.revise(late)

    def take(self, sequence: int, ticks: Ticks, late: Late) -> None:
        """Add trades that are stored; note in `late` the bars that were over when they came.

        Batches of an instrument come in the order of their `sequence` in the stream.
        """
        if ticks.kind is not TickKind.TRADES:
            return
        self._taken[ticks.instrument] = sequence
        now_ns = self._environment.clock.now_ns()
        for row in self._rows(ticks):
            bar = bar_of(row, ticks.price_exponent, ticks.quantity_exponent)
            for key in keys_of(ticks.instrument, row):
                effect = self._bars.absorb(key, bar, sequence=sequence, now_ns=now_ns)
                if effect is Effect.BEGUN:
                    self._set_alarm(key.due_ns)
                elif effect is Effect.LATE:
                    late[key] = None

    @staticmethod
    def _rows(ticks: Ticks) -> list[list[int]]:
        return folded(ticks.times_ns, ticks.prices, ticks.quantities, NS_PER_SECOND)

    def _set_alarm(self, due_ns: int) -> None:
        if due_ns not in self._alarms:
            self._alarms[due_ns] = None
            work = self._confirm_at(due_ns)
            self._environment.tasks.spawn(work, name=f"confirm-{due_ns}")

    async def _confirm_at(self, due_ns: int) -> None:
        await self._environment.clock.sleep_until(due_ns)
        del self._alarms[due_ns]
        with self._environment.progress.working("tick candles"):
            async with self._storing:
                due = self._bars.confirm(due_ns)
                await self._publish([self._candle(key, bar) for key, bar in due])

    def _candle(self, key: BarKey, bar: TickBar, revision: int = 0) -> Candle:
        source = self._sources.get(key.instrument, Source())
        return candle_of_bar(key, bar, source, revision)

    async def _publish(self, candles: Sequence[Candle], *, is_backfill: bool = False) -> None:
        drafts = [Draft.of(candle) for candle in candles]
        if drafts:
            publish = partial(self._publisher.publish, drafts, is_backfill=is_backfill)
            publication = await _patiently(publish)
            for verdict in publication.verdicts:
                if verdict.rejection is not None:  # Outside the session, or the feed made its own.
                    log.warning("a candle of ticks is not stored: %s", verdict.rejection.text)

    async def revise(self, late: Late) -> None:
        """Publish the bars that late ticks changed, each as the next revision of its candle."""
        if not late:
            return
        async with self._storing:
            bars = {key: await self._whole(key) for key in late}
            stored = await _patiently(partial(self._stored, late))
            revisions: list[Candle] = []  # Together; a candle that is the first is judged alone.
            for key, bar in bars.items():
                contents = stored[key]
                candle = self._candle(key, bar, revision=len(contents))
                if not contents:
                    await self._publish_first(candle)
                elif _is_changed(contents[-1], candle):
                    revisions.append(candle)
            await self._publish(revisions)

    async def _whole(self, key: BarKey) -> TickBar:
        """Return a bar that is over, with its late ticks."""
        bar = self._bars.confirmed(key)
        return await _patiently(partial(self._rebuilt, key)) if bar is None else bar

    async def _stored(self, late: Late) -> dict[BarKey, list[bytes]]:
        """Return the revisions of each candle that are stored."""

        def work(tx: Connection) -> dict[BarKey, list[bytes]]:
            return {
                key: store.contents(tx, (key.instrument, key.timeframe), key.open_ns)
                for key in late
            }

        return await self._environment.database.read(work)

    async def _publish_first(self, candle: Candle) -> None:
        """Publish a candle of ticks that were all late: a backfill, if a newer one is known."""
        name = [candle.instrument]
        read = partial(self._environment.database.read, lambda tx: store.lasts(tx, name))
        last_ns = (await _patiently(read)).get(candle.series, -1)
        await self._publish([candle], is_backfill=candle.open_ns < last_ns)

    async def _rebuilt(self, key: BarKey) -> TickBar:
        """Return the bar of all trades in an interval that are stored.

        It is kept, so that what is late next is only added to it. Not where trades were taken
        during the read that it lacks: nobody would add those.
        """

        def work(tx: Connection) -> tuple[int, list[Any]]:
            last = tick_store.last(tx)
            return last, tick_store.trades_within(tx, key.instrument, key.open_ns, key.close_ns)

        last, rows = await self._environment.database.read(work)
        bar = self._bar_within(key, (row.body for row in rows))
        bar.covers = last
        if self._taken.get(key.instrument, 0) <= last:
            self._bars.keep(key, bar)
        return bar

    def _bar_within(self, key: BarKey, bodies: Iterable[bytes]) -> TickBar:
        """Return the bar of all trades in an interval; there is one, which was late."""
        whole: TickBar | None = None
        for body in bodies:
            ticks = ticks_of(market_pb2.TickBatch.FromString(body))
            for row in self._rows(ticks):
                if key not in keys_of(key.instrument, row):
                    continue
                bar = bar_of(row, ticks.price_exponent, ticks.quantity_exponent)
                if whole is None:
                    whole = bar
                else:
                    whole.absorb(bar)
        assert whole is not None
        return whole


def _is_changed(content: bytes, candle: Candle) -> bool:
    """Whether a stored candle is of the same ticks and has other numbers than `candle`.

    One of another source was confirmed by the feed itself: it is the feed's to correct.
    """
    stored = candle_of(market_pb2.Candle.FromString(content))
    is_same = stored == replace(candle, revision=stored.revision)
    return stored.source == candle.source and not is_same


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work` returns, again while the store fails: nothing here can be lost."""
    while True:
        try:
            return await work()
        except StoreError:
            await asyncio.sleep(STORE_RETRY_S)
