"""Among a million orders everything that is asked often is found by seeking.

A table of a million rows is read whole in seconds, so one statement that does so stops the
service. The bound on the rows read is what the answer holds, and a few for each seek: it
does not grow with the table. MySQL counts them; for SQLite the plan without a scan shows it.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, case, null
from trading.orders.v1.orders_pb2 import ListOrdersRequest

from runtime.stores import Database, Outbox, Relay
from runtime.stores.tests.filling import SEQ, fill, named, without_checks
from runtime.stores.tests.plans import connected, statements, way_of
from services.orders import alarms, bookkeeping, executions, listing, store
from services.orders import tables as t
from services.orders.bookkeeping import Outcome
from services.orders.listing import OrderFilter, Page
from services.orders.states import Place

pytestmark = pytest.mark.real_time
ORDERS, OTHERS = 1_000_000, 100_000
ACCOUNTS, LIVE_EVERY = 20, 1_001  # No common factor: live orders are spread over the accounts.
LIVE = ORDERS // LIVE_EVERY
PAGE, QUERY = 100, ListOrdersRequest()
SEEKS_EACH = 4  # Rows that one seek reads beside those it is for.
Work = Callable[[Connection], Any]


def page(tx: Connection, **wanted: Any) -> Any:
    return listing.list_orders(tx, OrderFilter(**wanted), Page(ORDERS // 2, PAGE, QUERY))


def decisions(tx: Connection, strategy_id: str, outcome: int) -> Any:
    return listing.list_decisions(tx, strategy_id, outcome, Page(OTHERS // 2, PAGE, QUERY))


def to_publish(tx: Connection) -> Any:
    """Read what a relay reads of the outbox at each of its turns."""
    nothing = cast(Any, None)  # It is asked for its statement only.
    relay = Relay(Database.inline_memory(), Outbox(t.outbox), nothing, nothing)
    return tx.execute(relay._select).all()


KEY = ("ACC-10000003", "order-10000003")
# What is asked, and how many rows the answer takes at most.
HOT: dict[str, tuple[Work, int]] = {
    "an order by its key": (lambda tx: store.load(tx, KEY), 1),
    "an order by its id": (lambda tx: store.load_by_order_id(tx, "id-10000003"), 1),
    "orders by client order id": (lambda tx: store.load_many(tx, [KEY[1], "order-10000009"]), 2),
    "all live orders": (store.load_live, LIVE),
    "the live orders of an account": (lambda tx: store.load_live_of(tx, KEY[0]), LIVE),
    "which accounts there are": (store.accounts, ACCOUNTS),
    "a page of all": (page, PAGE),
    "a page of an account": (lambda tx: page(tx, account=KEY[0]), PAGE),
    "a page of a strategy": (lambda tx: page(tx, strategy_id="ema-10000007"), PAGE),
    "a page of an instrument": (lambda tx: page(tx, instrument="I10000007.XSIM"), PAGE),
    "a page of a status": (lambda tx: page(tx, places=(Place.FILLED,)), 2 * PAGE),
    "a page of a rare status": (lambda tx: page(tx, places=(Place.DOUBT_NEW,)), 2 * PAGE),
    "a page of two statuses": (lambda tx: page(tx, places=(Place.NEW, Place.FILLED)), 3 * PAGE),
    "a page of live ones": (lambda tx: page(tx, is_live_only=True), 2 * PAGE),
    "a page of an account's live ones": (
        lambda tx: page(tx, account=KEY[0], is_live_only=True),
        2 * PAGE,
    ),
    "events behind a sequence": (lambda tx: store.events_after(tx, OTHERS // 2, 256), 256),
    "what is to be published": (to_publish, 256),
    "the last event": (store.last_event, 1),
    "the last alarm": (alarms.last, 1),
    "a report by its name": (lambda tx: executions.find(tx, "XSIM", "exec-10000003"), 1),
    "the last send of an order": (lambda tx: bookkeeping.last_dispatch_ns(tx, KEY), 1),
    "a page of signal decisions": (lambda tx: decisions(tx, "", 0), PAGE),
    "a page of a strategy's decisions": (lambda tx: decisions(tx, "ema-10000007", 0), PAGE),
    "a page of an outcome": (lambda tx: decisions(tx, "", Outcome.EXPIRED), PAGE),
}
INDEX_ONLY = ("which accounts there are", "the last event", "the last alarm")


def filled(tx: Connection) -> None:
    """Fill the tables: one of 1,001 orders is live, and one of them in doubt."""
    without_checks(tx)
    t.orders.create(tx)
    instrument = named("I", SEQ % 100) + ".XSIM"
    account, name = named("ACC-", SEQ % ACCOUNTS), named("order-")
    ended = case((SEQ % 3 == 0, int(Place.FILLED)), else_=int(Place.CANCELED))
    place = case((SEQ == 7 * LIVE_EVERY, int(Place.DOUBT_NEW)), else_=int(Place.NEW))
    of_order = {"account": account, "client_order_id": name}
    order = of_order | {
        "number": SEQ,
        "order_id": named("id-"),
        "strategy_id": named("ema-", SEQ % 50),
        "instrument": instrument,
        "place": case((SEQ % LIVE_EVERY == 0, place), else_=ended),
        "working": int(Place.NEW),
        "quantity": "10",
        "cum": "0",
        "cost": "0",
        "fees": "0",
    }
    fill(tx, t.orders, ORDERS, order)
    t.metadata.create_all(tx)
    fill(tx, t.order_events, OTHERS, of_order | {"sequence": SEQ, "payload": b"event"})
    report = {"venue": "XSIM", "exec_id": named("exec-"), "quantity": "1", "price": "1", "fee": "0"}
    fill(tx, t.executions, OTHERS, of_order | report)
    decision = {"number": SEQ, "signal_id": named("signal-"), "sequence": SEQ}
    grouped = {"strategy_id": named("ema-", SEQ % 50), "outcome": SEQ % 5 + 1}
    fill(tx, t.signal_decisions, OTHERS, decision | grouped)
    is_waiting = case((SEQ > OTHERS - 1_000, null()), else_=SEQ)
    fill(tx, t.outbox, OTHERS, {"id": SEQ, "sequence": SEQ, "published_ns": is_waiting})
    tx.commit()


@pytest.fixture(scope="module")
def on_a_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A million orders in an SQLite file."""
    path: Path = tmp_path_factory.mktemp("million") / "orders.db"
    with connected(f"sqlite:///{path}") as tx:
        filled(tx)
        yield tx
    path.unlink()


@pytest.fixture(scope="module")
def on_a_server(mysql: Any) -> Iterator[Connection]:
    """A million orders in MySQL or MariaDB."""
    with connected(asyncio.run(mysql.fresh())) as tx:
        filled(tx)
        yield tx


@pytest.fixture(params=["on_a_file", "on_a_server"])
def tx(request: pytest.FixtureRequest) -> Connection:
    """Each of the two."""
    connection: Connection = request.getfixturevalue(request.param)
    return connection


@pytest.mark.parametrize("asked", HOT)
def test_what_is_asked_often_is_found_by_seeking(tx: Connection, asked: str) -> None:
    work, rows = HOT[asked]
    with statements(tx) as sent:
        work(tx)
    way = way_of(tx, work)
    assert way.faults == ()
    assert way.rows_read <= rows + SEEKS_EACH * len(sent)
    assert way.is_index_only or asked not in INDEX_ONLY


def test_a_missing_index_is_noticed() -> None:
    with connected("sqlite://") as tx:
        t.metadata.create_all(tx)
        assert way_of(tx, store.load_live).faults == ()
        tx.exec_driver_sql("DROP INDEX ix_orders_place")
        assert way_of(tx, store.load_live).faults[0].startswith("SCAN orders: SELECT")
