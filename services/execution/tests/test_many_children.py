"""Among many children and reports everything that is asked often is found by seeking."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, case

from runtime.stores.tests.filling import SEQ, fill, named, without_checks
from runtime.stores.tests.plans import connected, statements, way_of
from services.execution import inbox, store
from services.execution import tables as t

pytestmark = pytest.mark.real_time
ROWS, ACCOUNTS, BATCH, OPEN_EVERY = 100_000, 20, 64, 1_001
OPEN = ROWS // OPEN_EVERY
SEEKS_EACH = 4  # Rows that one seek reads beside those it is for.
KEY = ("ACC-10000003", "order-10000003")
KEYS = [(KEY[0], f"order-{10_000_000 + 20 * n + 3}") for n in range(BATCH)]
EXEC_IDS = [f"exec-{10_000_000 + n}" for n in range(1, BATCH)]
# What is asked, and how many rows it takes at most.
HOT: dict[str, tuple[Callable[[Connection], Any], int]] = {
    "a parent": (lambda tx: store.load_parent(tx, KEY), 1),
    "a child": (lambda tx: store.load_child(tx, KEY), 1),
    "the children of a batch": (lambda tx: store.load_children(tx, KEYS), 2 * BATCH),
    "which reports are known": (lambda tx: inbox.known_reports(tx, "XSIM", EXEC_IDS), 2 * BATCH),
    "reports behind a commit": (lambda tx: inbox.load_batches(tx, ROWS // 2, BATCH), BATCH),
    "the last commit of reports": (inbox.last_batch, 1),
    "how far a venue's reports are": (lambda tx: inbox.report_sequence(tx, "XSIM"), 1),
}
# What is sorted after it is found: there is little of it, and no index has its order.
SORTED: dict[str, tuple[Callable[[Connection], Any], int]] = {
    "the children of a parent": (lambda tx: store.load_children_of(tx, KEY), 1),
    "its open ones, by each status": (lambda tx: store.load_open_children_of(tx, KEY), 10),
    "all that may be at a venue": (store.load_unsettled, 2 * OPEN),
    "the first report of a child": (lambda tx: inbox.first_report(tx, KEY), 2),
    "the reports of a parent": (lambda tx: inbox.reports_of(tx, KEY), 2),
}


def filled(tx: Connection) -> None:
    without_checks(tx)
    t.metadata.create_all(tx)
    key = {"account": named("ACC-", SEQ % ACCOUNTS), "client_order_id": named("order-")}
    fill(tx, t.parents, ROWS, key | {"execution_id": named("e-")})
    status = case((SEQ % OPEN_EVERY == 0, "IN_DOUBT"), else_="FILLED")
    amounts = dict.fromkeys(("quantity", "filled", "leaves"), "0")
    fill(
        tx, t.children, ROWS, key | amounts | {"child_order_id": named("order-"), "status": status}
    )
    report = {"venue": "XSIM", "exec_id": named("exec-"), "batch": SEQ, "account": key["account"]}
    fill(tx, t.inbox, ROWS, report | {"child_order_id": named("order-")})
    tx.commit()


@pytest.fixture(scope="module", params=["memory", "server"])
def tx(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Many rows in SQLite, and in MySQL or MariaDB."""
    is_server = request.param == "server"
    url = asyncio.run(request.getfixturevalue("mysql").fresh()) if is_server else "sqlite://"
    with connected(url) as connection:
        filled(connection)
        yield connection


@pytest.mark.parametrize("asked", HOT | SORTED)
def test_what_is_asked_often_is_found_by_seeking(tx: Connection, asked: str) -> None:
    work, rows = (HOT | SORTED)[asked]
    with statements(tx) as sent:
        work(tx)
    way = way_of(tx, work)
    assert way.faults == () or asked in SORTED
    assert way.rows_read <= rows + SEEKS_EACH * len(sent)
