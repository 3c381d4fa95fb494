"""The candles of one publication: judged and written within its transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.times import to_timestamp
from services.marketdata import store
from services.marketdata.candles import Candle, SeriesKey
from services.marketdata.grid import grid_of
from services.marketdata.instruments import Instrument
from services.marketdata.messages import candle_of, make_canonical, timeframe_of, write_candle
from services.marketdata.publication import Gap, Past, Verdict, place


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the stream of candles, as every watcher gets it."""

    series: SeriesKey
    response: pb.WatchCandlesResponse
    candle: Candle | None = None  # None: a gap.

    @classmethod
    def of(cls, response: pb.WatchCandlesResponse) -> "Item":
        """Return the item of a stored response."""
        if response.HasField("candle"):
            candle = candle_of(response.candle)
            return cls(candle.series, response, candle)
        return cls((response.gap.instrument, timeframe_of(response.gap.timeframe)), response)

    @property
    def is_forming(self) -> bool:
        """Whether it is a candle that is not over yet."""
        return self.candle is not None and not self.candle.is_confirmed


@dataclass(frozen=True, slots=True)
class Draft:
    """A candle to publish: for judging, and as the message that watchers will get."""

    candle: Candle
    response: pb.WatchCandlesResponse

    @classmethod
    def of(cls, candle: Candle) -> "Draft":
        """Return the draft of a candle that this service made."""
        response = pb.WatchCandlesResponse()
        write_candle(candle, response.candle)
        return cls(candle, response)

    @classmethod
    def received(cls, message: market_pb2.Candle) -> "Draft":
        """Return the draft of a candle that somebody sent."""
        response = pb.WatchCandlesResponse(candle=message)
        make_canonical(response.candle)
        return cls(candle_of(response.candle), response)


@dataclass(slots=True)
class Publication:
    """What became of a batch: a verdict per candle, and what watchers get to see."""

    last_sequence: int
    verdicts: list[Verdict] = field(default_factory=list)
    items: list[tuple[int, Item]] = field(default_factory=list)


Also = Callable[[Connection, Publication], None]


class Batch:
    """Adds candles one by one, each judged against the store and those before it."""

    def __init__(
        self,
        tx: Connection,
        drafts: Sequence[Draft],
        instruments: Mapping[str, Instrument],
        *,
        is_backfill: bool,
    ) -> None:
        self._tx = tx
        self._instruments = instruments
        self._is_backfill = is_backfill
        self._before = store.lasts(tx, sorted({draft.candle.instrument for draft in drafts}))
        self._after = dict(self._before)
        self._contents: dict[tuple[SeriesKey, int], list[bytes]] = {}
        self._candles: list[store.Values] = []
        self._notices: list[store.Values] = []
        self._first_sequence = store.head(tx) or 0
        self._result = Publication(self._first_sequence)

    def add(self, draft: Draft) -> None:
        """Judge a valid candle; keep it if it is new."""
        candle = draft.candle
        body = draft.response.candle.SerializeToString(deterministic=True)
        grid = grid_of(self._instruments[candle.instrument].calendar, candle.timeframe)
        past = Past(self._after.get(candle.series), self._stored(candle))
        verdict = place(candle, body, past, grid, is_backfill=self._is_backfill)
        self._result.verdicts.append(verdict)
        if verdict.gap is not None:
            self._tell_gap(verdict.gap)
        if verdict.is_stored:
            self._keep(draft, body)

    def refuse(self, verdict: Verdict) -> None:
        """Note the verdict on a candle that is wrong by itself."""
        self._result.verdicts.append(verdict)

    def write(self) -> Publication:
        """Write everything that was kept, and return it."""
        if self._candles:
            store.insert_candles(self._tx, self._candles)
            store.set_lasts(self._tx, self._before, self._after)
        if self._notices:
            store.insert_notices(self._tx, self._notices)
        if self._result.last_sequence != self._first_sequence:
            store.set_head(self._tx, self._result.last_sequence)
        return self._result

    def _stored(self, candle: Candle) -> list[bytes]:
        """Return the contents under the candle's key, those of this batch included."""
        key = candle.series, candle.open_ns
        if key not in self._contents:
            # Nothing is stored under a time later than the series' last confirmed candle.
            is_new = candle.open_ns > self._after.get(candle.series, -1)
            self._contents[key] = [] if is_new else store.contents(self._tx, *key)
        return self._contents[key]

    def _keep(self, draft: Draft, body: bytes) -> None:
        candle, response = draft.candle, draft.response
        response.is_backfill = self._is_backfill
        sequence = self._tell(Item(candle.series, response, candle))
        if not candle.is_confirmed:
            self._notices.append({"sequence": sequence, "body": response.SerializeToString()})
            return
        self._candles.append(
            {
                "instrument": candle.instrument,
                "timeframe": int(candle.timeframe),
                "open_ns": candle.open_ns,
                "revision": candle.revision,
                "sequence": sequence,
                "is_backfill": int(self._is_backfill),
                "body": body,
            }
        )
        self._stored(candle).append(body)
        last_ns = self._after.get(candle.series, candle.open_ns)
        self._after[candle.series] = max(candle.open_ns, last_ns)

    def _tell_gap(self, gap: Gap) -> None:
        instrument, timeframe = gap.series
        response = pb.WatchCandlesResponse(
            is_backfill=self._is_backfill,
            gap=pb.CandleGap(
                instrument=instrument,
                timeframe=market_pb2.Timeframe.ValueType(timeframe),
                from_time=to_timestamp(gap.from_ns),
                to_time=to_timestamp(gap.to_ns),
            ),
        )
        sequence = self._tell(Item(gap.series, response))
        self._notices.append({"sequence": sequence, "body": response.SerializeToString()})

    def _tell(self, item: Item) -> int:
        self._result.last_sequence += 1
        item.response.sequence = self._result.last_sequence
        self._result.items.append((item.response.sequence, item))
        return self._result.last_sequence
