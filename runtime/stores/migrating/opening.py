"""What a service does about its schema when it starts.

A database in memory and a new file get a copy of a template, on which the history was run once
in this process; an older file is upgraded, because it has no other owner. On a server nothing
is changed, only looked at.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from runtime.stores.backends import Backend, MemoryBackend
from runtime.stores.file_backend import FileBackend
from runtime.stores.migrating.administering import check_references
from runtime.stores.migrating.history import NOTHING, History, SchemaError, revision_of, run

_templates: dict[str, sqlite3.Connection] = {}  # By directory of the history.
_copying: dict[str, list[str]] = {}  # The statements that make a copy of each.


def prepare(history: History) -> None:
    """Do now what the first start costs, for processes that are forked from this one."""
    _statements(history)


async def open_schema(backend: Backend, history: History) -> None:
    """Bring what `backend` keeps to the newest revision, or check that it is there.

    Raises SchemaError when it is at another that only an administrator may change.
    """
    if isinstance(backend, MemoryBackend):
        if backend.is_empty():
            backend.fill(_template(history))
        else:
            await backend.alter(lambda tx: _upgrade(tx, history))
    elif isinstance(backend, FileBackend):
        await backend.alter(lambda tx: _upgrade(tx, history))
    else:
        await backend.read(lambda tx: _check(tx, history))


def _upgrade(tx: Connection, history: History) -> None:
    driver = cast(Any, tx.connection.driver_connection)
    if driver.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        for statement in _statements(history):
            driver.execute(statement)
        return
    at = revision_of(tx)
    history.check_known(at)
    if at != history.head:
        run(tx, history, history.head)
        check_references(tx)


def _check(tx: Connection, history: History) -> None:
    at = revision_of(tx)
    history.check_known(at)
    if at == history.head:
        return
    found = "has no tables yet" if at == NOTHING else f"is at revision {at}"
    raise SchemaError(
        f"the database of {history.service} {found}, must be at {history.head}: as an "
        f"administrator run plimsoll stores upgrade --service {history.service} --url …"
    )


@contextmanager
def template_connection(history: History) -> Iterator[Connection]:
    """Yield a connection to the template, the database that every new one is a copy of."""
    driver = _template(history)
    engine = create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool)
    with engine.connect() as connection:
        yield connection


def _template(history: History) -> sqlite3.Connection:
    """Return a database of this process on which the whole history was run."""
    key = str(history.directory)
    if key not in _templates:
        driver = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        engine = create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool)
        with engine.connect() as connection:
            run(connection, history, history.head)
            connection.commit()
        _templates[key] = driver
    return _templates[key]


def _statements(history: History) -> list[str]:
    """Return what makes an empty database a copy of the template, without begin and commit."""
    key = str(history.directory)
    if key not in _copying:
        lines = _template(history).iterdump()
        _copying[key] = [x for x in lines if x not in {"BEGIN TRANSACTION;", "COMMIT;"}]
    return _copying[key]
