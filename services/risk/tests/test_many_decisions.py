"""Among many decisions and fills everything that is asked often is found by seeking."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from runtime.stores.tests.filling import SEQ, fill, named, without_checks
from runtime.stores.tests.plans import connected, statements, way_of
from services.risk import records, store
from services.risk import tables as t
from services.risk.records import Wanted

pytestmark = pytest.mark.real_time
ROWS, ACCOUNTS, PAGE, BATCH = 100_000, 20, 100, 64
SEEKS_EACH = 4  # Rows that one seek reads beside those it is for.
ACCOUNT, STRATEGY = "ACC-10000003", "ema-10000007"
NAMES = [(ACCOUNT, f"exec-{10_000_000 + 20 * n + 3}") for n in range(BATCH)]


def page(tx: Connection, *wanted: Any) -> Any:
    return records.newest(tx, Wanted(*wanted), before=ROWS // 2, count=PAGE)


# What is asked, and how many rows it takes at most.
HOT: dict[str, tuple[Callable[[Connection], Any], int]] = {
    "a decision by its key": (lambda tx: records.find(tx, ACCOUNT, "key-10000003"), 1),
    "a decision by its id": (lambda tx: records.by_id(tx, "decision-10000003"), 1),
    "a page of all": (lambda tx: page(tx, "", "", "", 0), PAGE),
    "a page of an account": (lambda tx: page(tx, ACCOUNT, "", "", 0), PAGE),
    "a page of a strategy": (lambda tx: page(tx, "", STRATEGY, "", 0), PAGE),
    # MariaDB walks the index of a verdict from its newest end to where the page begins.
    "a page of a verdict": (lambda tx: page(tx, "", "", "", 1), ROWS // 4 + PAGE),
    "the last decision": (records.last_sequence, 1),
    "which reports are known": (lambda tx: store.reports(tx, NAMES), 2 * BATCH),
    "which events are known": (lambda tx: store.digests(tx, range(1, BATCH)), 2 * BATCH),
}
# What is sorted after it is found: there is little of it, and no index has its order.
SORTED: dict[str, tuple[Callable[[Connection], Any], int]] = {
    "decisions about an order": (lambda tx: page(tx, "", "", "order-10000003", 0), 1),
    "who ordered lately": (lambda tx: records.ordered(tx, ROWS - PAGE), 2 * PAGE),
}


def filled(tx: Connection) -> None:
    without_checks(tx)
    t.metadata.create_all(tx)
    account = {"account": named("ACC-", SEQ % ACCOUNTS)}
    decision = account | {"sequence": SEQ, "decided_ns": SEQ, "request_key": named("key-")}
    decision |= {"decision_id": named("decision-"), "subject_id": named("order-")}
    grouped = {"strategy_id": named("ema-", SEQ % 50), "verdict": SEQ % 2 + 1}
    fill(tx, t.risk_decisions, ROWS, decision | grouped)
    fill(tx, t.risk_reports, ROWS, account | {"exec_id": named("exec-")})
    fill(tx, t.inbox, ROWS, {"sequence": SEQ})
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
