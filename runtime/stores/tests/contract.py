"""One body of rules over every store of a service: the same calls, the same answers, the same rows.

A rule is an async function that calls the service's store functions through `Script`, each in a
transaction of its own, and asserts what they answer. What they answered is kept, and so are
the rows at the end: a store that differs from the one in memory differs in one of these.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import pytest
from google.protobuf.message import Message
from sqlalchemy import Connection, MetaData, Row, Table, delete, insert, select, update

from runtime.stores import Database
from runtime.stores.new_rows import NewRows
from runtime.stores.replace import replace_into
from runtime.stores.tests.plans import connected, faults, statements

T = TypeVar("T")
STORES = ("file", "mysql")  # Each is compared with the one in memory.
MAKE_STATEMENTS = (select, insert, update, delete, replace_into, NewRows)
Rows = list[dict[str, Any]]


class Script:
    """Runs store functions one after another on one database and keeps what they answered."""

    def __init__(self, write: Callable[[Callable[[Connection], Any]], Awaitable[Any]]) -> None:
        self.answers: list[tuple[str, Any]] = []
        self.next = ""  # The function that runs.
        self._write = write

    async def __call__(self, function: Callable[..., T], *given: Any, **named: Any) -> T:
        """Return what `function` answers within a transaction of its own."""
        self.next = _name(function)

        def work(tx: Connection) -> tuple[T, Any]:
            answer = function(tx, *given, **named)
            return answer, exact(answer)

        answer, kept = await self._write(work)
        self.answers.append((_name(function), kept))
        return cast(T, answer)


Rule = Callable[[Script], Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class Told:
    """What a database answered to every rule, and the rows it kept."""

    answers: Sequence[tuple[str, Any]]
    rows: Mapping[str, Rows]


async def told(database: Database, metadata: MetaData, rules: Iterable[Rule]) -> Told:
    """Run every rule, in order, on a new database; return what it answered and keeps."""
    await database.create(metadata)
    script = Script(database.write)
    for rule in rules:
        await rule(script)
    rows = await database.read(lambda tx: {t.name: _rows(tx, t) for t in metadata.sorted_tables})
    return Told(script.answers, rows)


def chosen(request: pytest.FixtureRequest) -> str:
    """Return the store that a fixture is for; a server starts outside of the test's loop."""
    if request.param == "mysql":
        request.getfixturevalue("mysql")
    return str(request.param)


async def opened(store: str, request: pytest.FixtureRequest) -> Database:
    """Return an empty database: in "memory", in a "file", or on a server ("mysql")."""
    if store == "memory":
        return Database.inline_memory()
    if store == "mysql":
        return Database.at_url(await request.getfixturevalue("mysql").fresh())
    directory: Path = request.getfixturevalue("tmp_path")
    return Database.sqlite_file(directory / "store.db")


async def compare(
    store: str, request: pytest.FixtureRequest, metadata: MetaData, rules: Sequence[Rule]
) -> None:
    """Run the rules on `store` and in memory; fail where the two differ."""
    database, memory = await opened(store, request), await opened("memory", request)
    try:
        one, other = await told(database, metadata, rules), await told(memory, metadata, rules)
    finally:
        await database.close()
        await memory.close()
    for answer, in_memory in zip(one.answers, other.answers, strict=True):
        assert answer == in_memory, f"{store}: {answer}, memory: {in_memory}"
    for table, rows in one.rows.items():
        kept = other.rows[table]
        assert rows == kept, f"{table}: {store} keeps {rows}, memory {kept}"


async def uncalled(package: str, metadata: MetaData, rules: Sequence[Rule]) -> set[str]:
    """Return the store functions of a service that no rule calls."""
    found = await told(Database.inline_memory(), metadata, rules)
    return set(store_functions(package)) - {name for name, _ in found.answers}


async def reading_everything(metadata: MetaData, rules: Iterable[Rule]) -> set[str]:
    """Return the store functions that read whole tables, as SQLite plans, however few rows."""
    found: dict[str, None] = {}
    with connected("sqlite://") as tx, statements(tx) as sent:
        metadata.create_all(tx)

        async def write(work: Callable[[Connection], Any]) -> Any:
            sent.clear()
            answer = work(tx)
            if any(_reads_all(tx, *one) for one in list(sent)):
                found[script.next] = None
            return answer

        script = Script(write)
        for rule in rules:
            await rule(script)
    return set(found)


def _reads_all(tx: Connection, sql: str, values: Any) -> bool:
    """Whether a table is read whole; an empty IN list is a scan of nothing."""
    lines = faults(tx, sql, values)
    return any(
        line.startswith("SCAN") and "CONSTANT" not in line and "(" not in line for line in lines
    )


def store_functions(package: str) -> Iterator[str]:
    """Yield the public functions that take a transaction, of modules that make statements."""
    for module in _modules(package):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and next(iter(inspect.signature(function).parameters), "") == "tx":
                yield _name(function)


def exact(value: Any) -> Any:
    """Return `value` so that equal means equal in kind, too: 1 is not True, bytes no view."""
    if isinstance(value, Row):
        return exact(dict(value._mapping))
    if isinstance(value, Message):
        return type(value).__name__, value.SerializeToString(deterministic=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return type(value).__name__, exact(fields)
    if isinstance(value, Mapping):
        return [(exact(key), exact(value[key])) for key in value]  # In its order.
    if isinstance(value, set):
        return sorted(map(exact, value))
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return type(value).__name__, [exact(each) for each in value]
    return type(value).__name__, value


def _modules(package: str) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    for found in pkgutil.iter_modules(root.__path__, f"{package}."):
        if not found.ispkg and not found.name.endswith("bench"):
            module = importlib.import_module(found.name)
            if any(made in MAKE_STATEMENTS for made in vars(module).values() if callable(made)):
                yield module


def _rows(tx: Connection, table: Table) -> Rows:
    """Return all rows by key, without numbers that the database counts up: it may leave gaps."""
    rows = tx.execute(select(table).order_by(*table.primary_key)).mappings()
    counted = table.autoincrement_column
    skipped = counted.name if counted is not None else ""
    return [{k: exact(v) for k, v in row.items() if k != skipped} for row in rows]


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
