"""What market data keeps of imports and replays: instruments, datasets and replay states."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from services.marketdata import tables as t
from services.marketdata.candles import Adjustment, Source
from services.marketdata.series import Column, Series
from services.marketdata.timeframes import Timeframe

BLOCK_ROWS = 5_000
INTEGERS = np.dtype("<i8")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLine:
    """One line of candles of an imported dataset."""

    dataset: str
    instrument: str
    timeframe: Timeframe
    provider: str
    adjustment: Adjustment
    first_open_ns: int
    last_close_ns: int
    row_count: int
    gap_count: int
    layout: str

    @property
    def exponents(self) -> list[tuple[str, int]]:
        """The columns it has, in order, each with its power of ten."""
        return [(name, exponent) for name, exponent in json.loads(self.layout)]

    @property
    def key(self) -> dict[str, str | int]:
        """What names the line in both tables."""
        return {"d": self.dataset, "i": self.instrument, "t": int(self.timeframe)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRow:
    """How far one replay is."""

    replay_id: str
    request: bytes
    state: int
    total: int
    position_ns: int | None = None
    published: int = 0
    failure: str = ""


_LINE = (t.datasets.c.dataset, t.datasets.c.instrument, t.datasets.c.timeframe)
_IS_LINE = tuple(c == bindparam(p) for c, p in zip(_LINE, "dit", strict=True))
_BLOCK = t.dataset_blocks.c
_IS_BLOCK = tuple(
    c == bindparam(p)
    for c, p in zip((_BLOCK.dataset, _BLOCK.instrument, _BLOCK.timeframe), "dit", strict=True)
)
_LINES = select(t.datasets).order_by(*_LINE)
_DELETE_LINE = delete(t.datasets).where(*_IS_LINE)
_INSERT_LINE = insert(t.datasets)
_BLOCKS = select(_BLOCK.payload).where(*_IS_BLOCK).order_by(_BLOCK.number)
_DELETE_BLOCKS = delete(t.dataset_blocks).where(*_IS_BLOCK)
_INSERT_BLOCKS = insert(t.dataset_blocks)
_INSERT_IMPORT = insert(t.imports)
_INSTRUMENTS = select(t.instruments).order_by(t.instruments.c.instrument)
_DELETE_INSTRUMENT = delete(t.instruments).where(t.instruments.c.instrument == bindparam("i"))
_INSERT_INSTRUMENT = insert(t.instruments)
_REPLAY = select(t.replays).where(t.replays.c.replay_id == bindparam("r"))
_REPLAYS_IN = (
    select(t.replays).where(t.replays.c.state == bindparam("s")).order_by(t.replays.c.replay_id)
)
_INSERT_REPLAY = insert(t.replays)
_UPDATE_REPLAY = (
    update(t.replays)
    .where(t.replays.c.replay_id == bindparam("r"))
    .values(
        state=bindparam("s"),
        position_ns=bindparam("position"),
        published=bindparam("count"),
        failure=bindparam("text"),
    )
)


def described(dataset: str, series: Series, gap_count: int) -> ImportedLine:
    """Return the line that `series` makes in `dataset`."""
    layout = [(name, column.exponent) for name, column in series.columns.items()]
    return ImportedLine(
        dataset=dataset,
        instrument=series.instrument,
        timeframe=series.timeframe,
        provider=series.source.provider,
        adjustment=series.source.adjustment,
        first_open_ns=int(series.opens_ns[0]),
        last_close_ns=int(series.closes_ns[-1]),
        row_count=len(series),
        gap_count=gap_count,
        layout=json.dumps(layout),
    )


def lines(tx: Connection) -> list[ImportedLine]:
    """Return every imported line, by dataset, instrument and timeframe."""
    return [
        ImportedLine(
            **{
                **row._mapping,
                "timeframe": Timeframe(row.timeframe),
                "adjustment": Adjustment(row.adjustment),
            }
        )
        for row in tx.execute(_LINES)
    ]


def replace_line(tx: Connection, line: ImportedLine, series: Series) -> None:
    """Store a line and its candles in place of the former one of this name."""
    tx.execute(_DELETE_BLOCKS, line.key)
    tx.execute(_DELETE_LINE, line.key)
    row = {name: getattr(line, name) for name in ImportedLine.__slots__}
    tx.execute(
        _INSERT_LINE,
        row | {"timeframe": int(line.timeframe), "adjustment": int(line.adjustment)},
    )
    names = [name for name, _ in line.exponents]
    columns = [series.opens_ns, series.closes_ns, *(series.columns[n].values for n in names)]
    table = np.array(columns, dtype=INTEGERS)
    blocks = [
        {
            "dataset": line.dataset,
            "instrument": line.instrument,
            "timeframe": int(line.timeframe),
            "number": number,
            "payload": table[:, start : start + BLOCK_ROWS].tobytes(),
        }
        for number, start in enumerate(range(0, len(series), BLOCK_ROWS))
    ]
    tx.execute(_INSERT_BLOCKS, blocks)


def read_line(tx: Connection, line: ImportedLine) -> Series:
    """Return the candles of an imported line."""
    exponents = line.exponents
    payloads: Sequence[bytes] = tx.execute(_BLOCKS, line.key).scalars().all()
    width = len(exponents) + 2
    blocks = [np.frombuffer(p, dtype=INTEGERS).reshape(width, -1) for p in payloads]
    table = np.concatenate(blocks, axis=1).astype(np.int64)
    return Series(
        instrument=line.instrument,
        timeframe=line.timeframe,
        source=Source(line.dataset, line.provider, line.adjustment),
        opens_ns=table[0],
        closes_ns=table[1],
        columns={
            name: Column(table[place], exponent)
            for place, (name, exponent) in enumerate(exponents, start=2)
        },
    )


def insert_import(tx: Connection, request_id: str, line: ImportedLine, stored_ns: int) -> None:
    """Note an import that was stored."""
    row = {
        "request_id": request_id,
        "dataset": line.dataset,
        "instrument": line.instrument,
        "timeframe": int(line.timeframe),
        "accepted": line.row_count,
        "stored_ns": stored_ns,
    }
    tx.execute(_INSERT_IMPORT, row)


def instruments(tx: Connection) -> list[tuple[bytes, bool]]:
    """Return the specifications that imports brought, and whether each was derived from rows."""
    return [(row.body, bool(row.is_derived)) for row in tx.execute(_INSTRUMENTS)]


def replace_instrument(tx: Connection, instrument: str, body: bytes, *, is_derived: bool) -> None:
    """Store the specification of an instrument in place of a former one."""
    tx.execute(_DELETE_INSTRUMENT, {"i": instrument})
    row = {"instrument": instrument, "is_derived": int(is_derived), "body": body}
    tx.execute(_INSERT_INSTRUMENT, row)


def replay(tx: Connection, replay_id: str) -> ReplayRow | None:
    """Return one replay."""
    row = tx.execute(_REPLAY, {"r": replay_id}).first()
    return ReplayRow(**row._mapping) if row else None


def replays_in(tx: Connection, state: int) -> list[ReplayRow]:
    """Return the replays in `state`."""
    return [ReplayRow(**row._mapping) for row in tx.execute(_REPLAYS_IN, {"s": state})]


def insert_replay(tx: Connection, row: ReplayRow) -> None:
    """Store a new replay."""
    tx.execute(_INSERT_REPLAY, {name: getattr(row, name) for name in ReplayRow.__slots__})


def update_replay(tx: Connection, row: ReplayRow) -> None:
    """Store how far a replay is."""
    values = {
        "r": row.replay_id,
        "s": row.state,
        "position": row.position_ns,
        "count": row.published,
        "text": row.failure,
    }
    tx.execute(_UPDATE_REPLAY, values)
