"""Pages of orders hold still while others write.

What is there when the first page is read, and matches all the time, is on exactly one page,
however writers insert and change orders between two pages; nothing is on two.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from trading.orders.v1.orders_pb2 import ListOrdersRequest

from runtime.stores import Database
from runtime.stores.tests.plans import connected
from services.orders import listing, store
from services.orders import tables as t
from services.orders.listing import OrderFilter, Page
from services.orders.states import LIVE, Place
from services.orders.store import Stored
from services.orders.tests.stored import stored

FIRST, PAGE_SIZE = 9, 2
PLACES = (Place.NEW, Place.SENT, Place.FILLED)
FILTERS: Mapping[str, OrderFilter] = {
    "all": OrderFilter(),
    "account": OrderFilter(account="A-1"),
    "strategy": OrderFilter(strategy_id="s-1"),
    "statuses": OrderFilter(places=(Place.NEW, Place.FILLED)),
    "live": OrderFilter(is_live_only=True),
    "live of account": OrderFilter(account="A-0", is_live_only=True),
}
# A writer's work: which order is moved (or, beyond those there are, a new one made), and where to.
Write = tuple[int, Place]
writes = st.lists(
    st.lists(st.tuples(st.integers(0, FIRST + 4), st.sampled_from(PLACES)), max_size=3),
    max_size=8,
)


class Orders:
    """The orders that writers make and move, as they know them."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.was: dict[str, set[Place]] = {}  # Every place that each has been at.

    def write(self, tx: Connection, which: int, place: Place) -> None:
        """Move an order, or make a new one."""
        if which < len(self.stored):
            moved = store.load(tx, self.stored[which].key)
            assert moved is not None
            changes = {"place": place, "version": moved.order.version + 1}
            store.update_orders(tx, [replace(moved, order=moved.order.changed(changes))])
        else:
            at = len(self.stored)
            new = stored(f"o-{at}", account=f"A-{at % 2}", strategy_id=f"s-{at % 3}", place=place)
            store.insert_order(tx, new)
            self.stored.append(new)
        name = self.stored[min(which, len(self.stored) - 1)].client_order_id
        self.was.setdefault(name, set()).add(place)

    def certain(self, wanted: OrderFilter) -> list[str]:
        """Return those of the first ones that matched all the time, in order."""
        return [s.client_order_id for s in self.stored[:FIRST] if self._is_certain(s, wanted)]

    def _is_certain(self, one: Stored, wanted: OrderFilter) -> bool:
        allowed = set(wanted.places or Place) & set(LIVE if wanted.is_live_only else Place)
        is_named = wanted.account in {"", one.account}
        is_named = is_named and wanted.strategy_id in {"", one.strategy_id}
        return is_named and self.was[one.client_order_id] <= allowed


def begun(tx: Connection) -> Orders:
    orders = Orders()
    for at in range(FIRST):
        orders.write(tx, at, PLACES[at % len(PLACES)])
    return orders


Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


async def paged(read: Read, wanted: OrderFilter, between: Callable[[], None]) -> list[str]:
    """Return the orders of all pages, with `between` called after each page."""
    query, token, seen = ListOrdersRequest(), "", list[str]()
    while True:
        page = Page.of(query, PAGE_SIZE, token)
        found = await read(partial(listing.list_orders, wanted=wanted, page=page))
        seen += [one.client_order_id for one in found]
        token = page.token_after([one.number for one in found])
        if not token:
            return seen
        between()


def at_once(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Return what `work` returns; it waits for nothing, so it needs no loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return list(done.value)
    raise AssertionError("it did wait")


def assert_whole(seen: list[str], orders: Orders, wanted: OrderFilter) -> None:
    certain = orders.certain(wanted)
    assert len(seen) == len(set(seen))
    assert [name for name in seen if name in certain] == certain


@pytest.fixture(scope="module")
def tables() -> Iterator[Connection]:
    """The tables in memory, with nothing in them."""
    with connected("sqlite://") as tx:
        t.metadata.create_all(tx)
        yield tx


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=50)
@given(batches=writes)
def test_no_order_is_skipped_or_shown_twice(
    tables: Connection, name: str, batches: list[list[Write]]
) -> None:
    orders, rest = begun(tables), iter(batches)

    def between() -> None:
        for which, place in next(rest, []):
            orders.write(tables, which, place)

    async def read(work: Callable[[Connection], Any]) -> Any:
        return work(tables)

    seen = at_once(paged(read, FILTERS[name], between))
    tables.rollback()
    assert_whole(seen, orders, FILTERS[name])


def turns() -> Iterator[Write]:
    """Yield without end what a busy writer does."""
    at = 0
    while True:
        at += 7
        yield at % (3 * FIRST), PLACES[at % len(PLACES)]


@pytest.mark.real_time
@pytest.mark.parametrize("name", FILTERS)
async def test_so_it_is_while_another_connection_writes(name: str, mysql: Any) -> None:
    url = await mysql.fresh()
    reader, writer = Database.at_url(url), Database.at_url(url)
    await writer.create(t.metadata)
    orders = await writer.write(begun)

    async def write_on() -> None:
        for which, place in turns():
            await writer.write(partial(orders.write, which=which, place=place))

    writing = asyncio.create_task(write_on())
    try:
        seen = await paged(reader.read, FILTERS[name], lambda: None)
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        await reader.close()
        await writer.close()
    assert len(orders.was) > FIRST  # Somebody did write meanwhile.
    assert_whole(seen, orders, FILTERS[name])
