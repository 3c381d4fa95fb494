"""The one way by which a candle becomes known: judged, committed, then shown to watchers."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

from sqlalchemy import Connection
from trading.marketdata.v1 import marketdata_pb2 as pb

from runtime.environment import Environment
from runtime.observe.flow import producing
from runtime.observe.scope import traceparent
from runtime.stores import CommitUnknown
from runtime.stores.reading_back import read_back
from runtime.watch import Feed
from services.marketdata import store
from services.marketdata.batch import Also, Batch, Draft, Item, Publication
from services.marketdata.candles import Candle, Fault, rejection_of
from services.marketdata.grid import grid_of
from services.marketdata.instruments import Instrument
from services.marketdata.messages import candle_of
from services.marketdata.publication import Outcome, Verdict, rejected
from services.marketdata.quotes import Quotes

CATCH_UP_ITEMS = 500


class Publisher:
    """Publishes batches of candles. Batches of several callers share commits."""

    def __init__(
        self, environment: Environment, instruments: Mapping[str, Instrument], quotes: Quotes
    ) -> None:
        self._environment = environment
        self._instruments = instruments
        self._quotes = quotes
        self._feed: Feed[Item] = Feed(environment.service)

    async def start(self) -> None:
        """Continue after what is stored."""
        database = self._environment.database
        sequence = await database.write(store.begin)
        self._feed = Feed(self._environment.service, sequence)
        for body in await database.read(store.newest_bodies):
            response = pb.WatchCandlesResponse()
            response.candle.ParseFromString(body)
            self._quotes.take(candle_of(response.candle))
        self._environment.progress.wrote(store.STREAM, sequence)

    def stop(self) -> None:
        """End every watch."""
        self._feed.close()

    async def publish(
        self, drafts: Sequence[Draft], *, is_backfill: bool = False, also: Also | None = None
    ) -> Publication:
        """Return what became of each candle, after what is stored was committed.

        `also` runs in the same transaction.
        """
        with producing(store.STREAM):
            return await self._publish(drafts, is_backfill=is_backfill, also=also)

    async def _publish(
        self, drafts: Sequence[Draft], *, is_backfill: bool, also: Also | None
    ) -> Publication:
        now_ns = self._environment.clock.now_ns()
        unfit = [self._unfit(draft.candle, now_ns) for draft in drafts]

        def work(tx: Connection) -> Publication:
            batch = Batch(tx, drafts, self._instruments, is_backfill=is_backfill)
            for draft, verdict in zip(drafts, unfit, strict=True):
                if verdict is None:
                    batch.add(draft)
                else:
                    batch.refuse(verdict)
            publication = batch.write()
            if also is not None:
                also(tx, publication)
            return publication

        try:
            publication = await self._environment.database.write(work)
        except CommitUnknown:  # It may be committed: then watchers must see it.
            await read_back(self._catch_up, self._environment.tasks)
            raise
        if publication.items and publication.items[0][0] > self._feed.sequence + 1:
            await self._catch_up()
        self._show(publication.items)
        return publication

    def _show(self, items: Sequence[tuple[int, Item]]) -> None:
        """Show committed items to watchers and quotes; those shown before are left as they are."""
        header = traceparent()
        for sequence, item in items:
            if header:
                item.response.traceparent = header
            self._feed.publish(sequence, item)
            if item.candle is not None and item.candle.is_confirmed:
                self._quotes.take(item.candle)
        self._environment.progress.wrote(store.STREAM, self._feed.sequence)

    async def _catch_up(self) -> None:
        """Show what was committed while the answer of its commit was lost."""
        while items := await self._load(self._feed.sequence, CATCH_UP_ITEMS):
            self._show(items)

    async def watch(
        self, after_sequence: int, is_wanted: Callable[[Item], bool]
    ) -> AsyncGenerator[pb.WatchCandlesResponse, None]:
        """Yield every wanted item, and heartbeats; see WatchCandles.

        A reader whose filter drops the newest items hears so at once, by a heartbeat: whoever
        waits for it to have read everything need not wait for the next second.
        """
        async with aclosing(self._feed.watch(after_sequence, self._load)) as deliveries:
            async for delivery in deliveries:
                if delivery.item is not None and is_wanted(delivery.item):
                    yield delivery.item.response
                elif delivery.item is None or delivery.sequence == self._feed.sequence:
                    yield pb.WatchCandlesResponse(sequence=delivery.sequence, is_heartbeat=True)

    async def _load(self, after_sequence: int, count: int) -> list[tuple[int, Item]]:
        return await self._environment.database.read(
            lambda tx: stored_items(tx, after_sequence, count)
        )

    def _unfit(self, candle: Candle, now_ns: int) -> Verdict | None:
        """Return the rejection of a candle that is wrong by itself (D2)."""
        instrument = self._instruments.get(candle.instrument)
        if instrument is None:
            text = f"no instrument is named {candle.instrument}: list the instruments, or import it"
            return rejected(Fault.UNKNOWN_INSTRUMENT, text)
        grid = grid_of(instrument.calendar, candle.timeframe)
        rejection = rejection_of(candle, instrument, grid, now_ns)
        return Verdict(Outcome.REJECTED, rejection) if rejection else None


def stored_items(tx: Connection, after_sequence: int, count: int) -> list[tuple[int, Item]]:
    """Return up to `count` stored items that follow `after_sequence`, in order."""
    responses = []
    for row in store.candles_after(tx, after_sequence, count):
        response = pb.WatchCandlesResponse(sequence=row.sequence, is_backfill=bool(row.is_backfill))
        response.candle.ParseFromString(row.body)
        responses.append(response)
    for row in store.notices_after(tx, after_sequence, count):
        responses.append(pb.WatchCandlesResponse.FromString(row.body))
    responses.sort(key=lambda response: response.sequence)
    return [(response.sequence, Item.of(response)) for response in responses[:count]]
