"""Among many candles and ticks everything that is asked often is found by seeking."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from runtime.stores.tests.filling import SEQ, fill, named, without_checks
from runtime.stores.tests.plans import connected, statements, way_of
from services.marketdata import store, tick_store
from services.marketdata import tables as t
from services.marketdata.ticks import TickKind
from services.marketdata.timeframes import Timeframe

pytestmark = pytest.mark.real_time
ROWS, REVISED, INSTRUMENTS, PAGE = 100_000, 60_000, 20, 100
SEEKS_EACH = 4  # Rows that one seek reads beside those it is for.
INSTRUMENT, MINUTE = "I-10000003", Timeframe.MINUTE_1
SPAN = {"i": INSTRUMENT, "t": int(MINUTE), "from_ns": ROWS // 2, "to_ns": ROWS}
# What is asked, and how many rows it takes at most; for the latest revision of a candle the
# others are looked at.
HOT: dict[str, tuple[Callable[[Connection], Any], int]] = {
    "a page of a span": (lambda tx: store.page(tx, SPAN, PAGE, is_first_seen=False), 9 * PAGE),
    "a page as first seen": (lambda tx: store.page(tx, SPAN, PAGE, is_first_seen=True), 2 * PAGE),
    "where the last hundred begin": (lambda tx: store.nth_newest_open(tx, SPAN, PAGE), 2 * PAGE),
    "a candle": (lambda tx: store.contents(tx, (INSTRUMENT, MINUTE), 3), 2),
    "candles behind a sequence": (lambda tx: store.candles_after(tx, ROWS // 2, PAGE), PAGE),
    "gaps behind a sequence": (lambda tx: store.notices_after(tx, ROWS // 2, PAGE), PAGE),
    "ticks behind a sequence": (lambda tx: tick_store.after(tx, ROWS // 2, PAGE), PAGE),
    "a batch of ticks": (lambda tx: tick_store.stored(tx, INSTRUMENT, 3), 1),
    "what is old": (lambda tx: tick_store.forget(tx, 0, ROWS), 0),
}


def filled(tx: Connection) -> None:
    without_checks(tx)
    t.metadata.create_all(tx)
    instrument = {"instrument": named("I-", SEQ % INSTRUMENTS)}
    candle = instrument | {"timeframe": int(MINUTE), "open_ns": SEQ}
    fill(tx, t.candles, ROWS, candle | {"sequence": SEQ})
    fill(tx, t.candles, REVISED, candle | {"sequence": ROWS + SEQ, "revision": 1})
    fill(tx, t.notices, ROWS, {"sequence": SEQ})
    tick = instrument | {"sequence": SEQ, "sequence_first": SEQ, "kind": int(TickKind.TRADES)}
    fill(tx, t.ticks, ROWS, tick | {"first_ns": SEQ, "last_ns": SEQ, "stored_ns": SEQ})
    tx.commit()


@pytest.fixture(scope="module", params=["memory", "server"])
def tx(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Many rows in SQLite, and in MySQL or MariaDB."""
    is_server = request.param == "server"
    url = asyncio.run(request.getfixturevalue("mysql").fresh()) if is_server else "sqlite://"
    with connected(url) as connection:
        filled(connection)
        yield connection


@pytest.mark.parametrize("asked", HOT)
def test_what_is_asked_often_is_found_by_seeking(tx: Connection, asked: str) -> None:
    work, rows = HOT[asked]
    with statements(tx) as sent:
        work(tx)
    way = way_of(tx, work)
    assert way.faults == ()
    assert way.rows_read <= rows + SEEKS_EACH * len(sent)
