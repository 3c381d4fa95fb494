"""Whatever is done to orders, a server keeps what memory does (`stored_equals_memory_model`).

Both get the same operations, chosen at random, each in a transaction of its own; some raise and
must leave nothing behind. After each, the answers are compared; at the end, the rows.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError
from trading.orders.v1.orders_pb2 import ListOrdersRequest

from runtime.errors import ServiceError
from runtime.stores import Database
from runtime.stores.tests.contract import exact
from services.orders import bookkeeping, executions, listing, store
from services.orders import tables as t
from services.orders.bookkeeping import Decision, Outcome
from services.orders.executions import Execution
from services.orders.listing import OrderFilter, Page
from services.orders.states import Fill, Place
from services.orders.tests.stored import stored

pytestmark = pytest.mark.real_time
NAMES = ("a", "A", "ä", "a/1", "🚢")
Operation = tuple[str, str, int]  # What, to which order, and a number that varies it.


class Undone(Exception):
    """Work that thinks better of it."""


def submit(tx: Connection, name: str, number: int) -> Any:
    place = Place(1 + number % 15)
    store.insert_order(tx, stored(name, account=f"A-{number % 2}", place=place))
    return len(store.load_live(tx))


def move(tx: Connection, name: str, number: int) -> Any:
    found = store.load(tx, (f"A-{number % 2}", name))
    if found is None:
        return None
    changes = {"place": Place(1 + number % 15), "version": found.order.version + 1}
    store.update_orders(tx, [replace(found, order=found.order.changed(changes))])
    return changes["place"]


def race(tx: Connection, name: str, number: int) -> Any:
    """Write an order as another version than the stored one."""
    found = store.load(tx, (f"A-{number % 2}", name))
    if found is not None:
        store.update_orders(tx, [replace(found, kept=(99, 99))])
    return found is None


def think_better(tx: Connection, name: str, number: int) -> Any:
    submit(tx, f"{name}-never", number)
    raise Undone


def report(tx: Connection, name: str, number: int) -> Any:
    fill = Fill(number * 10**18, 5)
    key = (f"A-{number % 2}", name)
    execution = Execution("XSIM", f"x-{name}-{number % 3}", key, "", fill, bytes(32))
    is_new = executions.add(tx, execution)
    if not is_new:
        executions.set_fill(tx, execution, fill)
    return is_new, executions.find(tx, "XSIM", execution.exec_id)


def decide(tx: Connection, name: str, number: int) -> Any:
    return bookkeeping.decide(tx, Decision(name, number, "ema", Outcome(1 + number % 5), number))


def look(tx: Connection, name: str, number: int) -> Any:
    wanted = OrderFilter(
        account=("", "A-0")[number % 2],
        places=((), (Place.NEW, Place.FILLED), (Place.EXPIRED,))[number % 3],
        is_live_only=number % 5 == 0,
    )
    page = Page(0, 1 + number, ListOrdersRequest())
    found = [
        *listing.list_orders(tx, wanted, page),
        *store.load_live_of(tx, f"A-{number % 2}"),
        *store.load_many(tx, [name, "a"]),
    ]
    settled = bookkeeping.settled_sequences(tx)
    return [(one.key, one.order) for one in found], store.accounts(tx), settled


WORKS: Mapping[str, Callable[[Connection, str, int], Any]] = {
    work.__name__: work for work in (submit, move, race, think_better, report, decide, look)
}
operations = st.lists(
    st.tuples(st.sampled_from(sorted(WORKS)), st.sampled_from(NAMES), st.integers(0, 29)),
    min_size=10,
    max_size=25,
)


async def answer(database: Database, operation: Operation) -> Any:
    """Return what an operation answers, or what kind of error it ends with."""
    what, name, number = operation
    try:
        return exact(await database.write(lambda tx: WORKS[what](tx, name, number)))
    except (Undone, IntegrityError, ServiceError) as error:
        return type(error).__name__


def rows(tx: Connection) -> Any:
    """Return the rows of all tables that the operations write, without what is counted up."""
    ordered = (
        select(t.orders).order_by(t.orders.c.order_id),
        select(t.executions).order_by(*t.executions.primary_key),
        select(t.signal_decisions).order_by(t.signal_decisions.c.signal_id),
    )
    found = [tx.execute(statement).mappings().all() for statement in ordered]
    return [[exact(dict(row) | {"number": 0}) for row in each] for each in found]


async def emptied(database: Database) -> None:
    """Leave nothing of the last example."""

    def work(tx: Connection) -> None:
        for table in (t.executions, t.signal_decisions, t.orders):
            tx.execute(table.delete())

    await database.write(work)


@pytest.fixture
def server_url(request: pytest.FixtureRequest) -> str:
    """A schema on the server with the tables of orders."""
    return str(asyncio.run(request.getfixturevalue("mysql").fresh()))


def test_memory_and_a_server_keep_the_same(server_url: str) -> None:
    with asyncio.Runner() as runner:
        memory, server = Database.inline_memory(), Database.at_url(server_url)

        async def begin() -> None:
            await memory.create(t.metadata)
            await server.create(t.metadata)

        async def follow(script: list[Operation]) -> None:
            await emptied(memory)
            await emptied(server)
            for operation in script:
                assert await answer(server, operation) == await answer(memory, operation)
            assert await server.read(rows) == await memory.read(rows)

        runner.run(begin())
        try:
            settings(max_examples=40)(given(operations)(lambda s: runner.run(follow(s))))()
        finally:
            runner.run(server.close())
