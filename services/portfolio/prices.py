"""Follows market data: confirmed closes become marks, and marks become equity points."""

from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import Connection
from trading.marketdata.v1.marketdata_pb2 import WatchCandlesRequest, WatchCandlesResponse
from trading.marketdata.v1.marketdata_port import MarketDataService

from runtime.environment import Environment
from runtime.follow import Following, follow, seen
from services.portfolio import store, wire
from services.portfolio.valuation import Mark
from services.portfolio.writer import Writer


class Prices:
    """Keeps the books' marks at the last confirmed close of each instrument."""

    def __init__(
        self, environment: Environment, writer: Writer, marketdata: MarketDataService
    ) -> None:
        self._environment = environment
        self._writer = writer
        self._marketdata = marketdata

    async def run(self) -> None:
        """Follow until cancelled, from behind the last candle that is committed."""
        async with self._writer.opened() as books:
            after = books.candle_sequence
        self._environment.progress.has_read(store.CANDLES, after)
        following = Following("candles for the portfolio", self._watch, self._take)
        await follow(following, after=after, rng=self._environment.rng)

    def _watch(self, after: int) -> AsyncGenerator[WatchCandlesResponse, None]:
        return self._marketdata.watch_candles(WatchCandlesRequest(after_sequence=after))

    async def _take(self, items: Sequence[WatchCandlesResponse]) -> None:
        async with self._writer.opened() as books:
            marks: dict[str, Mark] = {}
            for item in items:
                if not item.HasField("candle") or not item.candle.is_confirmed:
                    continue
                mark, instrument = wire.mark_of(item.candle), item.candle.instrument
                known = marks.get(instrument) or books.marks.get(instrument)
                if known is None or known.time_ns <= mark.time_ns:  # Backfill is of the past.
                    marks[instrument] = mark
            sequence = max(books.candle_sequence, seen(items))
            if marks or sequence > books.candle_sequence:
                await self._store(marks, sequence)
        self._environment.progress.has_read(store.CANDLES, sequence)

    async def _store(self, marks: dict[str, Mark], sequence: int) -> None:
        books = self._writer.books
        books.marks |= marks
        books.candle_sequence = sequence

        def work(tx: Connection) -> None:
            store.put_marks(tx, marks)
            store.move(tx, store.CANDLES, sequence)

        now_ns = self._environment.clock.now_ns()
        await self._writer.commit(work, books.holders(marks), now_ns=now_ns)
