"""Market data as a service: converts, calls the domain and the store, answers."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from sqlalchemy import Connection
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import instrument_pb2

from runtime.environment import Environment
from runtime.paging import page_of
from runtime.rpc import Call
from runtime.stores import Requests, become_writer
from services.marketdata import answers, library, tables
from services.marketdata.answers import refusals_as_status
from services.marketdata.batch import Draft, Item, Publication
from services.marketdata.history import list_page
from services.marketdata.instruments import CATALOGUE, Instrument
from services.marketdata.intake import Taken, header_of, take_in
from services.marketdata.messages import instrument_of, spec_of, timeframe_of, wanted_of
from services.marketdata.migrations import HISTORY
from services.marketdata.publisher import Publisher
from services.marketdata.quotes import Quotes
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.replay import Pacer, Replays
from services.marketdata.session_list import sessions_listed
from services.marketdata.shelf import Shelf
from services.marketdata.tick_stream import TickStream


class MarketData(MarketDataService):
    """Keeps candles. With a `pacer`, replays may run as fast as the world settles (speed 0)."""

    def __init__(self, environment: Environment, pacer: Pacer | None = None) -> None:
        database = environment.database
        self._environment = environment
        self._database = database
        self._instruments: dict[str, Instrument] = dict(CATALOGUE)
        self._quotes = Quotes()
        self._publisher = Publisher(environment, self._instruments, self._quotes)
        self._ticks = TickStream(environment, self._instruments, self._quotes, self._publisher)
        self._shelf = Shelf(database)
        self._replays = Replays(environment, self._publisher, pacer)
        self._requests = Requests(
            database, tables.requests, environment.clock, service=environment.service
        )

    async def start(self) -> None:
        """Create the tables and continue after what they hold."""
        await self._database.migrate(HISTORY)
        await become_writer(self._database, tables.epochs, "all")
        for body, is_derived in await self._database.read(library.instruments):
            spec = instrument_pb2.InstrumentSpec.FromString(body)
            self._know(replace(instrument_of(spec), is_derived=is_derived))
        await self._shelf.start()
        await self._publisher.start()
        await self._ticks.start()
        await self._replays.start()

    async def stop(self) -> None:
        """End watches and what runs for callers; replays end with the environment's tasks."""
        self._publisher.stop()
        self._ticks.stop()
        await self._requests.stop()
        await self._environment.tasks.stop()

    async def publish_candles(
        self, request: pb.PublishCandlesRequest, call: Call = Call()
    ) -> pb.PublishCandlesResponse:
        """Store candles and show them; see the contract."""
        key = request.request_id

        async def publish() -> pb.PublishCandlesResponse:
            answer = pb.PublishCandlesResponse()

            def remember(tx: Connection, publication: Publication) -> None:
                answer.CopyFrom(answers.published(publication))
                self._requests.remember(tx, "publish_candles", key, request, answer)

            drafts = [Draft.received(candle) for candle in request.candles]
            await self._publisher.publish(drafts, is_backfill=request.is_backfill, also=remember)
            return answer

        return await self._requests.once("publish_candles", key, request, publish)

    async def watch_candles(
        self, request: pb.WatchCandlesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchCandlesResponse, None]:
        """Stream items from `after_sequence` on; see the contract."""
        with refusals_as_status():
            for instrument in request.instruments:
                self._known(instrument)
        instruments = frozenset(request.instruments)
        timeframes = frozenset(timeframe_of(number) for number in request.timeframes)

        def is_wanted(item: Item) -> bool:
            instrument, timeframe = item.series
            return (
                (not instruments or instrument in instruments)
                and (not timeframes or timeframe in timeframes)
                and not (request.is_confirmed_only and item.is_forming)
            )

        async with aclosing(self._publisher.watch(request.after_sequence, is_wanted)) as items:
            async for item in items:
                yield item

    async def publish_ticks(
        self, request: AsyncIterator[pb.PublishTicksRequest], call: Call = Call()
    ) -> pb.PublishTicksResponse:
        """Store ticks, show them and make candles of them; see the contract."""
        with refusals_as_status():
            return await self._ticks.take_in(request)

    async def watch_ticks(
        self, request: pb.WatchTicksRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchTicksResponse, None]:
        """Stream batches from `after_sequence` on; see the contract."""
        with refusals_as_status():
            for instrument in request.instruments:
                self._known(instrument)
        async with aclosing(self._ticks.watch(request)) as batches:
            async for batch in batches:
                yield batch

    async def list_candles(
        self, request: pb.ListCandlesRequest, call: Call = Call()
    ) -> pb.ListCandlesResponse:
        """Return a page of one series; see the contract."""
        with refusals_as_status():
            self._known(request.instrument)
            return await self._database.read(lambda tx: list_page(tx, request))

    async def get_quote(
        self, request: pb.GetQuoteRequest, call: Call = Call()
    ) -> pb.GetQuoteResponse:
        """Return the newest price and its age; see the contract."""
        with refusals_as_status():
            instrument = self._known(request.instrument)
        standing = self._quotes.standing(instrument, self._environment.clock.now_ns())
        return answers.quoted(request.instrument, standing)

    async def list_instruments(
        self, request: pb.ListInstrumentsRequest, call: Call = Call()
    ) -> pb.ListInstrumentsResponse:
        """Return a page of the instrument master; see the contract."""
        found = [
            self._instruments[name]
            for name in sorted(self._instruments)
            if request.venue in ("", self._instruments[name].venue)
            and request.kind in (0, self._instruments[name].kind)
        ]
        with refusals_as_status():
            page, token = page_of(
                found,
                lambda item: item.instrument,
                request,
                (request.page_size, request.page_token),
            )
        return pb.ListInstrumentsResponse(
            instruments=[spec_of(item) for item in page], next_page_token=token
        )

    async def list_datasets(
        self, request: pb.ListDatasetsRequest, call: Call = Call()
    ) -> pb.ListDatasetsResponse:
        """Return a page of what can be replayed; see the contract."""
        with refusals_as_status():
            page, token = page_of(
                self._shelf.datasets(),
                lambda item: item.name,
                request,
                (request.page_size, request.page_token),
            )
        return pb.ListDatasetsResponse(
            datasets=[answers.dataset_of(item) for item in page], next_page_token=token
        )

    async def import_candles(
        self, request: AsyncIterator[pb.ImportCandlesRequest], call: Call = Call()
    ) -> pb.ImportCandlesResponse:
        """Take in a user's file; see the contract."""
        with refusals_as_status():
            header = await header_of(request)

            async def take() -> pb.ImportCandlesResponse:
                taken = await take_in(header, request, self._instruments)
                if not header.validate_only:
                    await self._store(header.request_id, taken)
                return self._taken(taken)

            return await self._requests.once("import_candles", header.request_id, header, take)

    async def start_replay(
        self, request: pb.StartReplayRequest, call: Call = Call()
    ) -> pb.StartReplayResponse:
        """Start to publish a dataset; see the contract."""

        key = request.request_id

        async def begin() -> pb.StartReplayResponse:
            answer = pb.StartReplayResponse()

            def remember(tx: Connection, row: library.ReplayRow) -> None:
                answer.replay.CopyFrom(answers.replay_of(row))
                self._requests.remember(tx, "start_replay", key, request, answer)

            plan = await self._shelf.plan(wanted_of(request))
            body = request.SerializeToString()
            await self._replays.begin(plan, body, request.speed, remember)
            return answer

        with refusals_as_status():
            return await self._requests.once("start_replay", key, request, begin)

    async def stop_replay(
        self, request: pb.StopReplayRequest, call: Call = Call()
    ) -> pb.StopReplayResponse:
        """End a replay after its step; see the contract."""

        async def end() -> pb.StopReplayResponse:
            row = await self._replays.end(request.replay_id)
            return pb.StopReplayResponse(replay=answers.replay_of(row))

        with refusals_as_status():
            return await self._requests.once("stop_replay", request.request_id, request, end)

    async def get_replay(
        self, request: pb.GetReplayRequest, call: Call = Call()
    ) -> pb.GetReplayResponse:
        """Return how far a replay is; see the contract."""
        with refusals_as_status():
            row = await self._replays.get(request.replay_id)
        return pb.GetReplayResponse(replay=answers.replay_of(row))

    async def list_sessions(
        self, request: pb.ListSessionsRequest, call: Call = Call()
    ) -> pb.ListSessionsResponse:
        """Return when a market is open; see the contract."""
        with refusals_as_status():
            return sessions_listed(request)

    def _know(self, instrument: Instrument) -> None:
        self._instruments[instrument.instrument] = instrument

    def _known(self, name: str) -> Instrument:
        instrument = self._instruments.get(name)
        if instrument is None:
            raise MarketDataRefused(
                Refusal.UNKNOWN_INSTRUMENT, f"no instrument is named {name}: list the instruments"
            )
        return instrument

    async def _store(self, request_id: str, taken: Taken) -> None:
        instrument = taken.instrument
        now_ns = self._environment.clock.now_ns()

        def work(tx: Connection) -> None:
            library.replace_line(tx, taken.line, taken.imported.series)
            library.insert_import(tx, request_id, taken.line, now_ns)
            if instrument is not None:
                body = spec_of(instrument).SerializeToString(deterministic=True)
                name, is_derived = instrument.instrument, instrument.is_derived
                library.replace_instrument(tx, name, body, is_derived=is_derived)

        await self._database.write(work)
        self._shelf.put(taken.line)
        if instrument is not None:
            self._know(instrument)

    def _taken(self, taken: Taken) -> pb.ImportCandlesResponse:
        imported = taken.imported
        dataset = self._shelf.imported(taken.line.dataset, taken.line)
        return pb.ImportCandlesResponse(
            rows=imported.rows,
            accepted=imported.accepted,
            rejected=answers.rejected_lines(imported.rejected),
            dataset=answers.dataset_of(dataset),
        )
