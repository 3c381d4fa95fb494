"""Candles of ticks that come when their interval is long over: right, and no dearer each time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from trading.types.v1 import market_pb2

from runtime.stores import Database
from services.marketdata import tick_store
from services.marketdata.tests.mothers import Market
from services.marketdata.tests.tick_mothers import (
    a_tick_market,
    candles,
    numbers,
    pass_time,
    publish,
    seen,
    trades,
)

Work = Callable[[Connection], Any]
Asking = Callable[[Work], Awaitable[Any]]


def some(first: int, *, second: int = 0) -> market_pb2.TickBatch:
    """Return ten trades of a second; they differ with their sequence."""
    ticks = ((second * 1_000 + at * 97 % 1_000, 10_000 + at * 7 % 23, 1) for at in range(10))
    return trades(first, *((ms + first % 3, cents + first % 5, lots) for ms, cents, lots in ticks))


async def the_candle(market: Market) -> tuple[str, str, str, str, str, int]:
    """Return the numbers of the only candle of a second."""
    (candle,) = await candles(market)
    return numbers(candle)


async def the_candle_in_time(*batches: market_pb2.TickBatch) -> tuple[Any, ...]:
    """Return the numbers of the candle that the same ticks make when they are not late."""
    market = await a_tick_market(seconds=1.1)
    await publish(market, *batches)
    await pass_time(market, 1.3)
    return await the_candle(market)


@pytest.fixture
def read_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many batches were read, each time that the batches of an interval were."""
    counts: list[int] = []
    within = tick_store.trades_within

    def counted(tx: Connection, instrument: str, from_ns: int, to_ns: int) -> list[Any]:
        found = within(tx, instrument, from_ns, to_ns)
        counts.append(len(found))
        return found

    monkeypatch.setattr(tick_store, "trades_within", counted)
    return counts


async def test_a_bar_never_begun_in_time_is_read_once_however_often_it_is_revised(
    read_rows: list[int],
) -> None:
    market = await a_tick_market(seconds=3)
    read_rows.clear()
    batches = [some(first) for first in range(0, 200, 10)]
    for batch in batches:
        await publish(market, batch)
    assert read_rows == [1]
    assert await the_candle(market) == await the_candle_in_time(*batches)
    (candle,) = await candles(market)
    assert candle.revision == len(batches) - 1


async def test_late_ticks_of_two_seconds_in_turn_are_read_once_for_each(
    read_rows: list[int],
) -> None:
    market = await a_tick_market(seconds=4)
    read_rows.clear()
    for place in range(20):
        await publish(market, some(place * 10, second=place % 2))
    assert read_rows == [1, 1]
    assert [candle.trade_count for candle in await candles(market)] == [100, 100]


class Held:
    """A database whose next read or write is held up before it is done, or before it returns."""

    def __init__(self, database: Database, patch: pytest.MonkeyPatch) -> None:
        self._database, self._patch = database, patch

    def after(self, name: str, wait: Callable[[], Awaitable[Any]]) -> None:
        """Have the next `name` ("read", "write") return only after `wait`."""
        self._once(name, lambda asked, work: _first(asked(work), wait))

    def before(self, name: str, wait: Callable[[], Awaitable[Any]]) -> None:
        """Have the next `name` begin only after `wait`."""

        async def held(asked: Asking, work: Work) -> Any:
            await wait()
            return await asked(work)

        self._once(name, held)

    def _once(self, name: str, held: Callable[[Asking, Work], Awaitable[Any]]) -> None:
        asked: Asking = getattr(self._database, name)

        async def ask(work: Work) -> Any:
            self._patch.setattr(self._database, name, asked)
            return await held(asked, work)

        self._patch.setattr(self._database, name, ask)


async def _first(asking: Awaitable[Any], wait: Callable[[], Awaitable[Any]]) -> Any:
    found = await asking
    await wait()
    return found


@pytest.fixture
async def market() -> Market:
    """A service whose clock stands three seconds after noon."""
    return await a_tick_market(seconds=3)


async def test_ticks_taken_while_a_late_bar_is_read_are_not_missing_from_it(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[asyncio.Task[Any]] = []

    async def take_another() -> None:
        others.append(asyncio.create_task(publish(market, some(10))))
        await seen(market, 2)

    Held(market.environment.database, monkeypatch).after("read", take_another)
    await publish(market, some(0))
    await asyncio.gather(*others)
    await publish(market, some(20))
    assert await the_candle(market) == await the_candle_in_time(some(0), some(10), some(20))


async def test_ticks_read_for_a_late_bar_before_they_are_taken_are_added_once(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(market.environment.database, monkeypatch)
    is_committed, is_read = asyncio.Event(), asyncio.Event()
    others: list[asyncio.Task[Any]] = []

    async def commit_another() -> None:
        async def return_later() -> None:
            is_committed.set()
            await is_read.wait()

        held.after("write", return_later)
        others.append(asyncio.create_task(publish(market, some(10))))
        await is_committed.wait()
        asyncio.get_running_loop().call_soon(is_read.set)

    held.before("read", commit_another)
    await publish(market, some(0))
    await asyncio.gather(*others)
    assert await the_candle(market) == await the_candle_in_time(some(0), some(10))


async def test_late_ticks_of_many_seconds_that_come_together_are_revised_in_one_write(
    market: Market,
) -> None:
    market.clock.skip_to(market.clock.now_ns() + 60 * 10**9)
    both = [some(at * 10, second=at) for at in range(8)]
    await publish(market, *both)
    before = market.environment.database.transactions
    await publish(market, *(some(80 + at * 10, second=at) for at in range(8)))
    assert market.environment.database.transactions == before + 2
    found = await candles(market)
    assert [(candle.revision, candle.trade_count) for candle in found] == [(1, 20)] * 8
