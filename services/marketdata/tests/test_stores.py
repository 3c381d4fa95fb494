"""What market data keeps is the same on every store: the rules of its store functions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection

from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from services.marketdata import library, store, tick_store
from services.marketdata import tables as t
from services.marketdata.candles import Adjustment, Source
from services.marketdata.library import ImportedLine, ReplayRow
from services.marketdata.series import Column, Series
from services.marketdata.ticks import TickKind, TickLine
from services.marketdata.timeframes import Timeframe

pytestmark = pytest.mark.real_time
HUGE = 2**62
MINUTE, DAY = Timeframe.MINUTE_1, Timeframe.DAY_1
A, B = "A.XSIM", "B.XSIM"


def candle(sequence: int, open_ns: int, revision: int = 0, **changes: Any) -> dict[str, Any]:
    row = {"instrument": A, "timeframe": int(MINUTE), "open_ns": open_ns, "revision": revision}
    row |= {"sequence": sequence, "is_backfill": 0}
    return row | {"body": b"%d/%d" % (open_ns, revision)} | changes


def span(from_ns: int = -HUGE, to_ns: int = HUGE, instrument: str = A) -> dict[str, Any]:
    return {"i": instrument, "t": int(MINUTE), "from_ns": from_ns, "to_ns": to_ns}


async def the_stream_begins_once(do: Script) -> None:
    assert await do(store.head) is None
    assert await do(store.begin) == await do(store.begin) == 0
    await do(store.set_head, HUGE)
    assert await do(store.head) == HUGE


async def candles_are_kept_with_every_revision(do: Script) -> None:
    rows = [candle(1, 10), candle(2, 20), candle(3, 10, 1), candle(5, 30, is_backfill=1)]
    rows += [candle(6, 10, instrument=B), candle(7, 10, timeframe=int(DAY)), candle(8, -HUGE)]
    await do(store.insert_candles, rows)
    await do(store.insert_notices, [{"sequence": 4, "body": b"\x00\xff"}])
    assert await do(store.contents, (A, MINUTE), 10) == [b"10/0", b"10/1"]
    assert await do(store.contents, ("a.xsim", MINUTE), 10) == []

    def after(tx: Connection, sequence: int, count: int) -> list[tuple[int, int, bytes]]:
        return [tuple(row) for row in store.candles_after(tx, sequence, count)]

    assert await do(after, 2, 2) == [(3, 0, b"10/1"), (5, 1, b"30/0")]
    assert [row.sequence for row in await do(store.notices_after, 0, 9)] == [4]
    assert list(await do(store.candles_after, 8, 9)) == []


async def pages_hold_the_latest_or_the_first_revision(do: Script) -> None:
    async def bodies(count: int = 9, *, is_first_seen: bool = False, **wanted: Any) -> list[bytes]:
        found = await do(store.page, span(**wanted), count, is_first_seen=is_first_seen)
        return [row.body for row in found]

    oldest = b"%d/0" % -HUGE
    assert await bodies() == [oldest, b"10/1", b"20/0", b"30/0"]
    assert await bodies(2, is_first_seen=True) == [oldest, b"10/0"]
    assert await bodies(from_ns=10, to_ns=30) == [b"10/1", b"20/0"]
    assert await bodies(from_ns=31) == []
    assert await do(store.nth_newest_open, span(), 2) == 20
    assert await do(store.nth_newest_open, span(), 5) is None
    assert await do(store.last_open, span(to_ns=30)) == 20


async def the_last_of_each_series_is_known(do: Script) -> None:
    first = {(A, MINUTE): 10, (B, MINUTE): 10}
    await do(store.set_lasts, {}, first)
    await do(store.set_lasts, first, first | {(A, MINUTE): 30, (A, DAY): 10})
    await do(store.set_lasts, {}, {})
    found = await do(store.lasts, [A, "none"])
    assert found == {(A, MINUTE): 30, (A, DAY): 10}
    many = [f"I{n}" for n in range(600)] + [B]
    assert await do(store.lasts, many) == {(B, MINUTE): 10}
    assert await do(store.lasts, []) == {}
    assert await do(store.newest_bodies) == [b"30/0", b"10/0", b"10/0"]


def batch(sequence: int, first: int, **changes: Any) -> dict[str, Any]:
    row = {"sequence": sequence, "instrument": A, "sequence_first": first}
    row |= {"kind": int(TickKind.TRADES), "first_ns": first * 10, "last_ns": first * 10 + 5}
    return row | {"stored_ns": sequence * 100, "body": b"%d" % sequence} | changes


def line(instrument: str, sequence_next: int, source: bytes = b"") -> TickLine:
    return TickLine(
        instrument=instrument,
        sequence_next=sequence_next,
        session_ns=-1,
        price_exponent=-18,
        quantity_exponent=18,
        source=source,
    )


async def ticks_are_kept_until_they_are_forgotten(do: Script) -> None:
    assert (await do(tick_store.head), await do(tick_store.last)) == (0, 0)
    assert await do(tick_store.begin) == (0, 0)
    lines = [line(B, 1), line(A, HUGE, source=b"\x00\xff")]
    rows = [batch(3, 20), batch(1, 0), batch(2, 10, kind=int(TickKind.QUOTES))]
    await do(tick_store.write, [*rows, batch(4, 30, body=bytes(70_000))], lines, 4)
    moved = replace(lines[1], source=b"moved")
    await do(tick_store.write, [batch(5, 40)], [moved], 5)
    assert await do(tick_store.lines) == [moved, lines[0]]
    assert await do(tick_store.line, A) == moved
    assert await do(tick_store.line, "a.xsim") is None
    assert await do(tick_store.stored, A, 20) == b"3"
    assert await do(tick_store.stored, A, 21) is None
    assert [row.sequence for row in await do(tick_store.after, 1, 2)] == [2, 3]
    assert await do(tick_store.last) == 5
    within = await do(tick_store.trades_within, A, 5, 201)
    assert [(row.sequence, row.body) for row in within] == [(1, b"1"), (3, b"3")]
    assert await do(tick_store.newest, A) == [b"5", b"2"]
    assert await do(tick_store.forget, 300, 2) == 2
    assert await do(tick_store.forget, 50, 9) == 0
    assert await do(tick_store.begin) == (5, 2)


LINE = ImportedLine(
    dataset="import:ö",
    instrument=A,
    timeframe=DAY,
    provider="»me«",
    adjustment=Adjustment.SPLIT,
    first_open_ns=0,
    last_close_ns=HUGE,
    row_count=2,
    gap_count=0,
    layout="",
)


async def datasets_are_replaced_as_a_whole(do: Script) -> None:
    opens, values = np.array([0, HUGE]), np.array([-(2**63), 2**63 - 1])
    series = Series(
        instrument=A,
        timeframe=DAY,
        source=Source("import:ö", "»me«", Adjustment.SPLIT),
        opens_ns=opens,
        closes_ns=opens,
        columns={"close": Column(values, -2)},
    )
    kept = library.described("import:ö", series, 0)
    await do(library.replace_line, replace(kept, gap_count=7), series)
    await do(library.replace_line, kept, series)
    assert await do(library.lines) == [kept]

    def read(tx: Connection) -> list[list[int]]:
        found = library.read_line(tx, kept)
        return [found.opens_ns.tolist(), found.columns["close"].values.tolist()]

    assert await do(read) == [opens.tolist(), values.tolist()]
    await do(library.insert_import, "request-1", LINE, HUGE)
    await do(library.replace_instrument, B, b"one", is_derived=True)
    await do(library.replace_instrument, A, b"two", is_derived=False)
    await do(library.replace_instrument, B, b"three", is_derived=True)
    assert await do(library.instruments) == [(b"two", False), (b"three", True)]


async def replays_are_found_by_what_they_do(do: Script) -> None:
    first = ReplayRow(replay_id="r-2", request=b"\xff", state=1, total=HUGE)
    second = replace(first, replay_id="r-1", position_ns=5)
    for one in (first, second):
        await do(library.insert_replay, one)
    assert await do(library.replays_in, 1) == [second, first]
    ended = replace(first, state=2, published=HUGE, failure="»💥«" * 1000)
    await do(library.update_replay, ended)
    assert await do(library.replay, "r-2") == ended
    assert await do(library.replay, "R-2") is None
    assert await do(library.replays_in, 1) == [second]


RULES = (
    the_stream_begins_once,
    candles_are_kept_with_every_revision,
    pages_hold_the_latest_or_the_first_revision,
    the_last_of_each_series_is_known,
    ticks_are_kept_until_they_are_forgotten,
    datasets_are_replaced_as_a_whole,
    replays_are_found_by_what_they_do,
)

# A row for each instrument, line of candles, or import.
READ_WHOLE = {
    "services.marketdata.library.instruments",
    "services.marketdata.library.lines",
    "services.marketdata.library.replays_in",
    "services.marketdata.store.newest_bodies",
    "services.marketdata.tick_store.lines",
}


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each store that is compared with the one in memory."""
    return chosen(request)


async def test_every_store_answers_as_memory_does(
    kind: str, request: pytest.FixtureRequest
) -> None:
    await compare(kind, request, t.metadata, RULES)


async def test_no_store_function_is_without_a_rule() -> None:
    left = await uncalled("services.marketdata", t.metadata, RULES)
    assert left == {"services.marketdata.library.read_line"}  # Called by a rule's `read`.


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
