"""Ports of trading/marketdata/v1/marketdata.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.marketdata.v1 import marketdata_pb2 as pb


class MarketDataService(Port):
    """Accepts, stores, replays and fans out candles and ticks; states honestly what each number is.

    Candles of one instrument and timeframe are a series. Every item that watchers see (candle or
    gap) has a sequence of one gap-free count over all series, given when it is committed and
    before anybody sees it. Candles are never made up: what is missing is announced as a gap.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["MarketDataService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "publish_candles": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR"}),
            callers=frozenset({"feed", "replay"}),
            target_rps=100.0,
            p99_ms=40.0,
        ),
        "publish_ticks": Policy(
            deadline_s=None,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="batch.instrument+batch.sequence_first",
            callers=frozenset({"feed"}),
            target_rps=1000.0,
            p99_ms=20.0,
            items_per_call=200,
        ),
        "watch_candles": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=20.0,
        ),
        "watch_ticks": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"*"}),
            target_rps=1000.0,
            p99_ms=25.0,
            items_per_call=200,
        ),
        "list_candles": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=100.0,
        ),
        "get_quote": Policy(
            deadline_s=0.2,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=200.0,
            p99_ms=10.0,
        ),
        "list_instruments": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=10.0,
            p99_ms=50.0,
        ),
        "import_candles": Policy(
            deadline_s=300.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="header.request_id",
            roles=frozenset({"OPERATOR", "TRADER"}),
            audited=True,
        ),
        "list_sessions": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=1.0,
            p99_ms=100.0,
        ),
        "list_datasets": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"OPERATOR", "TRADER", "VIEWER"}),
            target_rps=5.0,
            p99_ms=50.0,
        ),
        "start_replay": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "TRADER"}),
            target_rps=1.0,
            p99_ms=200.0,
            audited=True,
        ),
        "stop_replay": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "TRADER"}),
            target_rps=1.0,
            p99_ms=200.0,
            audited=True,
        ),
        "get_replay": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"OPERATOR", "TRADER"}),
            target_rps=1.0,
            p99_ms=200.0,
        ),
    }

    async def publish_candles(
        self, request: pb.PublishCandlesRequest, call: Call = Call()
    ) -> pb.PublishCandlesResponse:
        """Stores candles and shows them to watchers; each candle has its own outcome.

        A valid candle is stored although others of its batch are rejected. Repeating a request_id
        returns the first answer; a candle sent again under another request_id is a DUPLICATE.
        A confirmed candle is immutable: a correction carries the next revision. A candle older than
        the last confirmed one of its series is stored only with is_backfill.
        Watchers see the stored candles in the order of the batch, after they are committed.
        Errors: ALREADY_EXISTS (request_id with other candles).
        """
        raise unimplemented(self)

    async def publish_ticks(
        self, request: AsyncIterator[pb.PublishTicksRequest], call: Call = Call()
    ) -> pb.PublishTicksResponse:
        """Takes in ticks, batch by batch, until the publisher ends the stream; answers once.

        Batches of one instrument must follow each other without a gap in their sequences; a batch
        sent again is counted once. What the answer counts is stored and shown to watchers. Trades
        make candles of one second and one minute, confirmed 250 ms after their interval's end; a
        trade that comes later makes a revision. Times may go back within and between batches.
        Errors end the stream, and what came before the batch at fault is kept: NOT_FOUND (unknown
        instrument), FAILED_PRECONDITION with reason TICK_GAP (metadata expected: the sequence that
        must come next) or TICK_EXPONENT_CHANGED (an exponent differs from the session's first),
        INVALID_ARGUMENT with reason TICKS_INVALID (a price is not above zero or off tick, a quantity
        is zero, a time is over one second after the present, or a number has over 18 digits),
        ALREADY_EXISTS (other ticks under a sequence that is taken).
        """
        raise unimplemented(self)

    def watch_candles(
        self, request: pb.WatchCandlesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchCandlesResponse, None]:
        """Streams every candle and gap after after_sequence, in sequence order, without end.

        The first message is a heartbeat with the current sequence; more follow while nothing else
        is sent. Filters drop items, never reorder them.
        Errors: NOT_FOUND (unknown instrument), OUT_OF_RANGE (after_sequence is older than what is
        kept or ahead of what exists: list, then watch), RESOURCE_EXHAUSTED (the reader is too slow;
        resume from the last sequence it has).
        """
        raise unimplemented(self)

    def watch_ticks(
        self, request: pb.WatchTicksRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchTicksResponse, None]:
        """Streams tick batches after after_sequence, per instrument in sequence order, without end.

        Batches are as they were published; they are kept for 7 days, and the last million of them
        longer. The first message is a heartbeat with the current sequence; more follow while nothing
        else is sent.
        Errors: NOT_FOUND (unknown instrument), OUT_OF_RANGE (after_sequence is older than what is
        kept or ahead of what exists), RESOURCE_EXHAUSTED (the reader is too slow; resume from the
        last sequence it has).
        """
        raise unimplemented(self)

    async def list_candles(
        self, request: pb.ListCandlesRequest, call: Call = Call()
    ) -> pb.ListCandlesResponse:
        """Returns the confirmed candles of one series, oldest first.

        Errors: NOT_FOUND (unknown instrument), INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN (the
        token belongs to another query).
        """
        raise unimplemented(self)

    async def get_quote(
        self, request: pb.GetQuoteRequest, call: Call = Call()
    ) -> pb.GetQuoteResponse:
        """Returns the newest prices of an instrument, how old they are and whether that is too old.

        Bid and ask come from quotes, the last price from trades or confirmed candles, whichever is
        newer. Where only candles are known there is no bid or ask.
        Errors: NOT_FOUND (unknown instrument).
        """
        raise unimplemented(self)

    async def list_instruments(
        self, request: pb.ListInstrumentsRequest, call: Call = Call()
    ) -> pb.ListInstrumentsResponse:
        """Returns the instruments that this platform knows, by name.

        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    async def import_candles(
        self, request: AsyncIterator[pb.ImportCandlesRequest], call: Call = Call()
    ) -> pb.ImportCandlesResponse:
        """Takes in a user's history as the dataset "import:<name>", which can then be replayed.

        The first message is the header, then rows follow in any order of time; the answer comes
        once, after the last row. All or nothing, unless is_partial_allowed. Rows of one time and
        equal content are merged. An import of the same name and instrument replaces the former one.
        Errors: INVALID_ARGUMENT with reason HEADER_MISSING, COLUMNS_AMBIGUOUS, COLUMN_MISSING,
        COLUMNS_UNEVEN, NO_ROWS, NUMBERS_TOO_WIDE, TIMEZONE_UNKNOWN or CALENDAR_UNKNOWN;
        FAILED_PRECONDITION with reason INSTRUMENT_DIFFERS, LINES_REJECTED, or TOO_MANY_REJECTED when
        over 10 % are wrong (details name the first 100 lines; nothing is stored); ALREADY_EXISTS
        (request_id with another header).
        """
        raise unimplemented(self)

    async def list_sessions(
        self, request: pb.ListSessionsRequest, call: Call = Call()
    ) -> pb.ListSessionsResponse:
        """Lists the sessions of a calendar that end after `from_time`, oldest first.

        Errors: INVALID_ARGUMENT with reason CALENDAR_UNKNOWN or PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    async def list_datasets(
        self, request: pb.ListDatasetsRequest, call: Call = Call()
    ) -> pb.ListDatasetsResponse:
        """Returns the datasets that can be replayed, by name, with what must be said about each.

        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    async def start_replay(
        self, request: pb.StartReplayRequest, call: Call = Call()
    ) -> pb.StartReplayResponse:
        """Starts to publish a dataset's candles in the order of their time, all of one time at once.

        Answers when the replay runs, not when it ends. The same dataset, seed and span give the
        same candles byte for byte. Repeating a request_id returns the first answer.
        Errors: NOT_FOUND (unknown dataset, or an instrument that is not in it), INVALID_ARGUMENT
        with reason SPAN_EMPTY, SPAN_TOO_LONG or TIMEFRAME_UNAVAILABLE, FAILED_PRECONDITION with
        reason REPLAY_RUNNING (a replay of one of the instruments runs) or SPEED_NEEDS_VIRTUAL_TIME
        (speed 0 where nothing tells when the system is at rest), ALREADY_EXISTS (request_id of
        another replay).
        """
        raise unimplemented(self)

    async def stop_replay(
        self, request: pb.StopReplayRequest, call: Call = Call()
    ) -> pb.StopReplayResponse:
        """Ends a replay after the step it is in; what was published stays. Ending one that has ended
        changes nothing.

        Errors: NOT_FOUND (unknown replay), ALREADY_EXISTS (request_id of another replay).
        """
        raise unimplemented(self)

    async def get_replay(
        self, request: pb.GetReplayRequest, call: Call = Call()
    ) -> pb.GetReplayResponse:
        """Returns how far a replay is.

        Errors: NOT_FOUND (unknown replay).
        """
        raise unimplemented(self)
