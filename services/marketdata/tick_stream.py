"""The one way by which ticks become known: judged, committed, then shown and made into candles."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence, Set
from contextlib import aclosing
from functools import partial

from sqlalchemy import Connection
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.environment import Environment
from runtime.stores import CommitUnknown
from runtime.stores.reading_back import read_back
from runtime.watch import Feed
from services.marketdata import tick_store
from services.marketdata.instruments import Instrument
from services.marketdata.publisher import Publisher
from services.marketdata.quotes import Quotes
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.tick_bars import TIMEFRAMES
from services.marketdata.tick_candles import Late, TickCandles
from services.marketdata.tick_intake import Arrivals, Taken, TickWriter
from services.marketdata.tick_messages import Arrival, TickItem, packed, ticks_of
from services.marketdata.ticks import Ticks, check_ticks
from services.marketdata.timeframes import NS_PER_DAY, NS_PER_HOUR

KEPT_NS = 7 * NS_PER_DAY
KEPT_BATCHES = 1_000_000
CATCH_UP_ITEMS = 256
MADE_MAX = 4  # Pages whose messages are kept for the next watcher.

# Which items, by the first and last sequence, of which instruments, how many to a message.
Asked = tuple[int, int, Set[str], int]


class TickStream:
    """Takes in ticks from publishers and shows them to watchers."""

    def __init__(
        self,
        environment: Environment,
        instruments: Mapping[str, Instrument],
        quotes: Quotes,
        publisher: Publisher,
    ) -> None:
        self._environment = environment
        self._instruments = instruments
        self._quotes = quotes
        self._candles = TickCandles(environment, publisher)
        self._feed: Feed[TickItem] = Feed(environment.service)
        self._prune_ns = 0
        self._made: dict[Asked, Sequence[pb.WatchTicksResponse]] = {}  # Oldest first.

    async def start(self) -> None:
        """Continue after what is stored."""
        database = self._environment.database
        sequence, forgotten = await database.write(tick_store.begin)
        self._feed = Feed(self._environment.service, sequence)
        self._feed.forget_until(forgotten)
        for line in await database.read(tick_store.lines):
            self._begin(line.instrument, line.source)
            newest = partial(tick_store.newest, instrument=line.instrument)
            for body in await database.read(newest):
                self._quotes.take_ticks(ticks_of(market_pb2.TickBatch.FromString(body)))
            await self._candles.resume(line.instrument)
        self._environment.progress.wrote(tick_store.STREAM, sequence)

    def stop(self) -> None:
        """End every watch."""
        self._feed.close()

    async def take_in(
        self, requests: AsyncIterator[pb.PublishTicksRequest]
    ) -> pb.PublishTicksResponse:
        """Store batches until the publisher ends the stream; return what was new.

        Raises MarketDataRefused for the first batch that is refused, after those before it
        were stored and shown.
        """
        self._candles.prepare()
        total = pb.PublishTicksResponse()
        arrivals = Arrivals(requests)
        try:
            while together := await arrivals.take():
                with self._environment.progress.working(tick_store.STREAM):
                    taken = await self._take_together(together)
                total.batches += len(taken.stored)
                total.ticks += sum(len(arrival.ticks) for _, arrival in taken.stored)
                total.gaps += taken.gaps
                if taken.refused is not None:
                    raise taken.refused
        finally:
            await arrivals.stop()
        return total

    async def watch(
        self, request: pb.WatchTicksRequest
    ) -> AsyncGenerator[pb.WatchTicksResponse, None]:
        """Yield the batches of some instruments, and heartbeats; see WatchTicks."""
        wanted = frozenset(request.instruments)
        after = self._feed.sequence if request.is_from_now else request.after_sequence
        async with aclosing(self._feed.pages(after, self._load)) as pages:
            async for page in pages:
                if not page.items:
                    yield pb.WatchTicksResponse(sequence=page.sequence, is_heartbeat=True)
                    continue
                for response in self._messages(page.items, wanted, request.batches_max):
                    yield response
                newest = page.items[-1][1]
                if newest.instrument not in wanted and page.sequence == self._feed.sequence:
                    yield pb.WatchTicksResponse(sequence=page.sequence, is_heartbeat=True)

    def _messages(
        self, items: Sequence[tuple[int, TickItem]], wanted: Set[str], batches_max: int
    ) -> Sequence[pb.WatchTicksResponse]:
        """Return what a watcher is sent of `items`: made once for all who are sent the same."""
        asked = items[0][0], items[-1][0], wanted, batches_max
        if (known := self._made.get(asked)) is not None:
            return known
        found = [pair for pair in items if pair[1].instrument in wanted]
        made = list(packed(found, batches_max))
        self._made[asked] = made
        if len(self._made) > MADE_MAX:
            del self._made[next(iter(self._made))]
        return made

    async def _take_together(self, requests: Sequence[pb.PublishTicksRequest]) -> Taken:
        """Store and show what came together, up to the first batch that is refused."""
        fit, refused = self._fit(requests)
        taken = await self._write(fit) if fit else Taken()
        taken.refused = taken.refused or refused
        return taken

    def _fit(
        self, requests: Sequence[pb.PublishTicksRequest]
    ) -> tuple[list[Arrival], MarketDataRefused | None]:
        """Return the batches before the first that is wrong by itself, and what is wrong."""
        now_ns = self._environment.clock.now_ns()
        fit: list[Arrival] = []
        for request in requests:
            try:
                arrival = Arrival.received(request)
                check_ticks(arrival.ticks, self._known(request.batch.instrument), now_ns)
            except MarketDataRefused as refused:
                return fit, refused
            fit.append(arrival)
        return fit, None

    def _known(self, name: str) -> Instrument:
        instrument = self._instruments.get(name)
        if instrument is None:
            raise MarketDataRefused(
                Refusal.UNKNOWN_INSTRUMENT, f"no instrument is named {name}: list the instruments"
            )
        return instrument

    async def _write(self, arrivals: Sequence[Arrival]) -> Taken:
        now_ns = self._environment.clock.now_ns()

        def work(tx: Connection) -> Taken:
            return TickWriter(tx, self._instruments, now_ns).take(arrivals)

        try:
            taken = await self._environment.database.write(work)
        except CommitUnknown:  # It may be committed: then watchers must see it.
            await read_back(self._catch_up, self._environment.tasks)
            raise
        if taken.stored and taken.stored[0][0] > self._feed.sequence + 1:
            await self._catch_up()
        late: Late = {}
        for sequence, arrival in taken.stored:
            if arrival.source is not None:
                self._begin(arrival.ticks.instrument, arrival.source)
            self._show(sequence, arrival.ticks, arrival.body, late)
        await self._candles.revise(late)
        await self._prune(now_ns)
        return taken

    def _show(self, sequence: int, ticks: Ticks, body: bytes, late: Late) -> None:
        """Show a committed batch, unless it was shown before."""
        if sequence <= self._feed.sequence:
            return
        self._feed.publish(sequence, TickItem(ticks.instrument, body))
        self._environment.progress.wrote(tick_store.STREAM, self._feed.sequence)
        for timeframe in TIMEFRAMES:
            self._quotes.leave_to_ticks((ticks.instrument, timeframe))
        self._quotes.take_ticks(ticks)
        self._candles.take(sequence, ticks, late)

    async def _catch_up(self) -> None:
        """Show what was committed while the answer of its commit was lost."""
        late: Late = {}
        while items := await self._load(self._feed.sequence, CATCH_UP_ITEMS):
            for sequence, item in items:
                ticks = ticks_of(market_pb2.TickBatch.FromString(item.body))
                self._show(sequence, ticks, item.body, late)
        await self._candles.revise(late)

    async def _load(self, after_sequence: int, count: int) -> list[tuple[int, TickItem]]:
        rows = await self._environment.database.read(
            lambda tx: tick_store.after(tx, after_sequence, count)
        )
        return [(row.sequence, TickItem(row.instrument, row.body)) for row in rows]

    def _begin(self, instrument: str, source: bytes) -> None:
        if source:
            self._candles.name_source(instrument, source)

    async def _prune(self, now_ns: int) -> None:
        """Forget, once an hour, batches older than a week, except the last million."""
        if now_ns < self._prune_ns:
            return
        self._prune_ns = now_ns + NS_PER_HOUR
        last = self._feed.sequence - KEPT_BATCHES
        old_ns = now_ns - KEPT_NS
        forgotten = await self._environment.database.write(
            lambda tx: tick_store.forget(tx, old_ns, last)
        )
        self._feed.forget_until(forgotten)
