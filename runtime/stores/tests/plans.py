"""How a database finds what store functions ask for: by seeking, or by reading everything.

The statements are those the functions really send. SQLite tells its plan; MySQL tells its plan
and how many rows it has read, which no estimate can hide.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

READS = "SHOW SESSION STATUS LIKE 'Handler_read%'"
SEEKS = frozenset({"const", "eq_ref", "ref", "range", "system", "ref_or_null"})
NOTHING_TO_READ = (
    "tables optimized away",
    "Impossible WHERE",
    "no matching row",
    "No tables",
    "No matching",
)
INDEX_ONLY = ("COVERING INDEX", "Using index;", "tables optimized away", "No matching")
SORTS = ("Using filesort", "Using temporary")


@dataclass(frozen=True)
class Way:
    """How one function was served: what is wrong with it, and what it cost."""

    faults: tuple[str, ...]  # Statements that read everything or sort, with their plans.
    is_index_only: bool  # Every statement was answered by an index alone.
    rows_read: int  # By MySQL's own count; 0 for SQLite.


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Yield a plain connection, on which every statement can be seen."""
    is_sqlite = url.startswith("sqlite")
    options = {"cached_statements": 0} if is_sqlite else {}  # A kept EXPLAIN tells an old plan.
    engine = create_engine(
        url.replace("+aiomysql", "+pymysql"), poolclass=StaticPool, connect_args=options
    )
    try:
        with engine.connect() as tx:
            yield tx
    finally:
        engine.dispose()


def way_of(tx: Connection, work: Callable[[Connection], Any]) -> Way:
    """Run `work` and return how the database found what it asked for."""
    work(tx)  # What is read once in a session (character sets, column lists) is read here.
    before = _reads(tx)
    with statements(tx) as sent:
        work(tx)
    rows_read = _reads(tx) - before
    found = tuple(f"{fault}: {sql}" for sql, values in sent for fault in faults(tx, sql, values))
    lines = [line for sql, values in sent for line in _plan(tx, sql, values)]
    return Way(found, all(any(words in x for words in INDEX_ONLY) for x in lines), rows_read)


def faults(tx: Connection, sql: str, values: Any) -> list[str]:
    """Return the parts of a statement's plan that read or sort everything."""
    return [line for line in _plan(tx, sql, values) if _is_bad(tx, line)]


@contextmanager
def statements(tx: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is sent within the block, with its values."""
    sent: list[tuple[str, Any]] = []

    def note(*about: Any) -> None:
        _, _, sql, parameters, _, is_many = about
        sent.append((sql, parameters[0] if is_many else parameters))

    event.listen(tx, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(tx, "before_cursor_execute", note)


def _plan(tx: Connection, sql: str, parameters: Any) -> list[str]:
    if tx.dialect.name == "sqlite":
        rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        return [row.detail for row in rows]
    found = tx.exec_driver_sql(f"EXPLAIN {sql}", parameters).mappings()
    return [f"{row['type']} {row['key']} rows {row['rows']} {row['Extra']};" for row in found]


def _is_bad(tx: Connection, line: str) -> bool:
    if tx.dialect.name == "sqlite":
        return line.startswith("SCAN") or "TEMP B-TREE" in line
    is_seek = line.split()[0] in SEEKS and not any(words in line for words in SORTS)
    return not is_seek and not any(words in line for words in NOTHING_TO_READ)


def _reads(tx: Connection) -> int:
    if tx.dialect.name == "sqlite":
        return 0
    return sum(int(value) for _, value in tx.exec_driver_sql(READS.replace("%", "%%")))
