"""Pages of candles hold still while others write.

What is there when the first page is read is on exactly one page, in order; a candle that is
corrected meanwhile is shown once, one that comes later than the last is on no page.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.stores.tests.plans import connected
from runtime.times import to_ns, to_timestamp
from services.marketdata import history, store
from services.marketdata import tables as t
from services.marketdata.tests.mothers import SQUARE

STEP_NS, FIRST, PAGE_SIZE = 60 * 10**9, 8, 2
MINUTE = market_pb2.TIMEFRAME_MINUTE_1
# Which candle is corrected or, where there is none yet, comes late.
batches = st.lists(st.lists(st.integers(0, 4 * FIRST), max_size=3), max_size=6)


class Writer:
    """Stores candles at even minutes first; later corrections, and candles in between."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._revisions: dict[int, int] = {}
        self._sequence = 0
        for at in range(FIRST):
            self.write(2 * at)

    def write(self, minute: int) -> None:
        """Store a candle, or its next revision."""
        self._sequence += 1
        revision = self._revisions[minute] = self._revisions.get(minute, -1) + 1
        candle = market_pb2.Candle(
            instrument=SQUARE, open_time=to_timestamp(minute * STEP_NS), revision=revision
        )
        row: dict[str, Any] = {"instrument": SQUARE, "timeframe": MINUTE, "is_backfill": 0}
        row |= {"open_ns": minute * STEP_NS, "revision": revision, "sequence": self._sequence}
        store.insert_candles(self._tx, [row | {"body": candle.SerializeToString()}])


@pytest.fixture(scope="module")
def tables() -> Iterator[Connection]:
    """The tables in memory, with nothing in them."""
    with connected("sqlite://") as tx:
        t.metadata.create_all(tx)
        yield tx


@pytest.mark.parametrize("view", ["LATEST", "AS_FIRST_SEEN"])
@settings(max_examples=50)
@given(between=batches)
def test_no_candle_is_skipped_or_shown_twice(
    tables: Connection, view: str, between: list[list[int]]
) -> None:
    writer, rest = Writer(tables), iter(between)
    request = pb.ListCandlesRequest(instrument=SQUARE, timeframe=MINUTE, page_size=PAGE_SIZE)
    request.revision = pb.RevisionView.Value(f"REVISION_VIEW_{view}")
    minutes: list[int] = []
    while True:
        page = history.list_page(tables, request)
        minutes += [to_ns(candle.open_time) // STEP_NS for candle in page.candles]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
        for minute in next(rest, []):
            writer.write(minute)
    tables.rollback()
    assert minutes == sorted(set(minutes))
    assert [m for m in minutes if m in range(0, 2 * FIRST, 2)] == list(range(0, 2 * FIRST, 2))
    assert minutes[-1] == 2 * (FIRST - 1)
