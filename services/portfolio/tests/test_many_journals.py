"""Among many journals and fills everything that is asked often is found by seeking."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from runtime.stores.tests.filling import SEQ, fill, named, without_checks
from runtime.stores.tests.plans import connected, statements, way_of
from services.portfolio import journals, store
from services.portfolio import tables as t

pytestmark = pytest.mark.real_time
ROWS, ACCOUNTS, INSTRUMENTS = 100_000, 20, 100
PAGE, BATCH = 100, 64
SEEKS_EACH = 4  # Rows that one seek reads beside those it is for.
ACCOUNT, INSTRUMENT = "ACC-10000003", "I-10000003"
SECOND_NS = 10**9


def page(tx: Connection, ledger_account: str = "") -> Any:
    return journals.journals_from(tx, ACCOUNT, ledger_account, first=ROWS // 2, count=PAGE)


NAMES = [(ACCOUNT, f"source-{10_000_000 + 20 * n + 3}") for n in range(BATCH)]
# What is asked, and how many rows it takes at most.
HOT: dict[str, tuple[Callable[[Connection], Any], int]] = {
    "which of a batch are booked": (lambda tx: journals.known(tx, NAMES), 2 * BATCH),
    "a page of journals": (page, 3 * PAGE),
    "a page of those that touch cash": (lambda tx: page(tx, "cash"), 4 * PAGE),
    "the fills of a position": (
        lambda tx: journals.log(tx, (ACCOUNT, INSTRUMENT)),
        ROWS // INSTRUMENTS,
    ),
    "which events are known": (lambda tx: store.digests(tx, range(1, BATCH)), 2 * BATCH),
    "money as it was": (lambda tx: store.point_at(tx, ACCOUNT, ROWS // 2 * SECOND_NS), 1),
}


def filled(tx: Connection) -> None:
    without_checks(tx)
    t.metadata.create_all(tx)
    account = {"account": named("ACC-", SEQ % ACCOUNTS)}
    fill(tx, t.journals, ROWS, account | {"sequence": SEQ, "source": named("source-"), "kind": 1})
    fill(tx, t.entries, ROWS, {"journal": SEQ, "number": 0, "ledger_account": "cash"})
    named_by = {"exec_id": named("source-"), "instrument": named("I-", SEQ % INSTRUMENTS)}
    numbers = {"journal": SEQ, "quantity": "1", "price": "1"}
    fill(tx, t.fills, ROWS, account | named_by | numbers)
    fill(tx, t.inbox, ROWS, {"sequence": SEQ})
    fill(tx, t.equity_points, ROWS, account | {"second": SEQ, "time_ns": SEQ * SECOND_NS})
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
