"""What an administrator does to a service's schema, by URL: upgrade, downgrade, look.

On a server the service's own user may not change tables: this is done beforehand, by another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from runtime.stores.errors import StoreError
from runtime.stores.migrating.history import (
    NOTHING,
    History,
    SchemaError,
    revision_of,
    run,
    tables_of,
)

DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "sqlite": "sqlite"}
LOCK_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class State:
    """Where a database stands in a service's history."""

    revision: str  # `base`: no history was ever run on it.
    head: str
    tables: int

    @property
    def is_current(self) -> bool:
        """Whether the service starts on it."""
        return self.revision == self.head


def upgrade(url: str, history: History, to: str = "head") -> State:
    """Bring the database at `url` forward to revision `to`; rows stay.

    `url` is an administrator's, of any driver (`mysql+aiomysql://…` too). Blocks: on a loop
    call it in a thread. Raises SchemaError, with nothing changed, for another service's
    database, tables of unknown origin, and a database newer than this code.
    """
    return _move(url, history, to, is_upward=True)


def downgrade(url: str, history: History, to: str) -> State:
    """Take the database at `url` back to revision `to`; `base` removes every table and row."""
    return _move(url, history, to, is_upward=False)


def state_of(url: str, history: History) -> State:
    """Return where the database at `url` stands; changes nothing, and waits for no writer."""
    path = _sync(url).database or ""
    if url.startswith("sqlite") and not Path(path).exists():
        raise SchemaError(f"there is no file {path}: name one, or make it with upgrade")
    with _connected(url, begin="BEGIN") as connection:
        return _state(connection, history)


def _move(url: str, history: History, to: str, *, is_upward: bool) -> State:
    target = history.named(to)
    with _connected(url) as connection:
        _keep_others_out(connection)
        at = revision_of(connection)
        history.check_known(at)
        strangers = tables_of(connection) if at == NOTHING else []
        if strangers:
            raise SchemaError(
                f"the database has the tables {', '.join(strangers[:5])} and no revision, "
                "must be empty: name an empty one; nothing was changed"
            )
        order = (NOTHING, *history.revisions)
        if (order.index(target) < order.index(at)) is is_upward and target != at:
            other = "downgrade" if is_upward else "upgrade"
            raise SchemaError(
                f"the database is at revision {at}, {target} is in the other direction: "
                f"use {other}; nothing was changed"
            )
        run(connection, history, target)
        if connection.dialect.name == "sqlite":
            check_references(connection)
        return _state(connection, history)


def check_references(connection: Connection) -> None:
    """Raise SchemaError when rows refer to others that are not there: not looked at meanwhile."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        child, row, parent, _ = broken[0]
        raise SchemaError(
            f"{len(broken)} rows refer to none (first: {child} row {row} to {parent}), "
            "must refer to one: repair them; nothing was changed"
        )


def _state(connection: Connection, history: History) -> State:
    at = revision_of(connection)
    history.check_known(at)
    return State(at, history.head, len(tables_of(connection)))


@contextmanager
def _connected(url: str, *, begin: str = "BEGIN IMMEDIATE") -> Iterator[Connection]:
    """Yield a connection in a transaction that is committed unless the block raises."""
    engine = create_engine(_sync(url), poolclass=NullPool, connect_args=_arguments(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    advice = "nothing was touched; check the address, the user and that the server runs"
    try:
        with engine.begin() as connection:
            advice = "the revision under way is not noted; what was before it stays"
            yield connection
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{where}: {error.orig}: {advice}") from error
    finally:
        engine.dispose()


def _sync(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    backend = parsed.get_backend_name() if parsed is not None else ""
    if parsed is None or backend not in DRIVERS:
        raise SchemaError(
            f"{url.partition('@')[2] or url!r} is no URL of a database, must be mysql://… or "
            "sqlite:///…: nothing was touched"
        )
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise SchemaError("the URL names no file, must be sqlite:///<path>: nothing was touched")
    if backend != "sqlite" and not parsed.database:
        raise SchemaError("the URL names no schema, must end with one: nothing was touched")
    return parsed.set(drivername=DRIVERS[backend])


def _arguments(url: str) -> dict[str, int]:
    if url.startswith("sqlite"):
        return {"timeout": LOCK_TIMEOUT_S}
    return {"connect_timeout": CONNECT_TIMEOUT_S}


def _keep_others_out(connection: Connection) -> None:
    """Keep two administrators from changing one schema at the same time, until it is committed.

    The lock is the session's, and ends with it. One given back before the commit would let the
    other see a revision that is not noted yet, and run it again.
    """
    if connection.dialect.name == "sqlite":
        return  # BEGIN IMMEDIATE has seen to it.
    name = {"name": f"plimsoll:{connection.engine.url.database}", "seconds": LOCK_TIMEOUT_S}
    if connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), name).scalar() != 1:
        raise SchemaError("somebody else changes this schema now: repeat when that has ended")


def _leave_transactions_to_us(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")  # Else rebuilding a table would delete its rows.
    cursor.close()
