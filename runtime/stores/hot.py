"""Statements that run often, without SQLAlchemy's toll on every run.

SQLAlchemy compiles a statement once, but then still spends 25 us on each execution with
contexts, events and result bookkeeping; SQLite itself needs 3. A statement object that is
executed a second time is kept compiled here, and goes straight to the driver from then on:
to `sqlite3`, or to a `Link`, which sends what changes rows later, together with what follows:
an error of it may come with a later statement, and does come before anything is committed.
An IN list makes one statement for each length. What is unusual about a statement (defaults in
Python, RETURNING) leaves it on the ordinary way. Rows, `rowcount`, `inserted_primary_key` and
errors are the same on both.
"""

import weakref
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias, cast

from sqlalchemy import Connection, IteratorResult
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, InvalidRequestError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase

Parameters: TypeAlias = Mapping[str, Any]
Bind: TypeAlias = tuple[str, Any, Callable[[Any], Any] | None]  # Name, default, processor.
REQUIRED = object()
NOTHING: Parameters = {}
MEMO = "_plimsoll_memo"
SERVERS = ("mysql", "mariadb")
LISTED_MAX = 64  # Elements in the IN lists of a statement that is kept.


class HotConnection(Connection):
    """A Core connection that takes the short way for repeated statements."""

    _driver: Any = None  # What it is a connection of never changes here.

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        """Execute `statement`; parameters as SQLAlchemy takes them, by name."""
        many = parameters if isinstance(parameters, list | tuple) else (parameters or NOTHING,)
        if not many or (hot := self._hot(statement, many[0])) is None or options:
            return super().execute(statement, parameters, **options)
        if (driver := self._driver) is None:
            driver = self._driver = self.connection.driver_connection
        return hot.run(driver, many[0]) if len(many) == 1 else hot.run_many(driver, many)

    def _hot(self, statement: Any, names: Parameters) -> "Hot | HotLists | None":
        memo: _Memo | None = getattr(statement, MEMO, None)
        if memo is None or memo.statement() is not statement:  # `where` copies attributes on.
            if isinstance(statement, SelectBase | UpdateBase):
                statement.__dict__[MEMO] = _Memo(statement)
            return None
        key = (self.dialect.name, *names)  # One process may keep state in several engines.
        if key not in memo.hot:
            memo.hot[key] = _hot_of(statement, self.dialect, list(names))
        return memo.hot[key]


def flush(tx: Connection) -> None:
    """Run what `tx` has put off. Raises what it was refused for."""
    driver: Any = tx.connection.driver_connection
    if (run := getattr(driver, "flush", None)) is not None:
        run()


class Hot:
    """One statement, compiled for one set of parameter names."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self._take(compiled.string, [_bind(compiled, name) for name in compiled.positiontup or ()])
        self._dialect = dialect
        self._errors: type[Exception] = dialect.loaded_dbapi.Error
        self._metadata = None if compiled.dml_compile_state else _metadata(compiled, dialect)
        self._can_wait = self._metadata is None and dialect.name in SERVERS
        self._primary_key: Any = None
        if compiled.isinsert:
            self._primary_key = compiled._inserted_primary_key_from_lastrowid_getter

    def with_lists(self, sql: str, binds: list[Bind]) -> "Hot":
        """Return the same statement with its IN lists written out."""
        found = copy(self)
        found._take(sql, binds)
        return found

    def _take(self, sql: str, binds: list[Bind]) -> None:
        self._sql = sql
        self._binds = binds
        names = [name for name, _, _ in binds]
        self._pick = itemgetter(*names) if len(names) > 1 else None  # All values in one go.
        self._converted = [(i, bind[2]) for i, bind in enumerate(binds) if bind[2] is not None]

    def run(self, driver: Any, parameters: Parameters) -> Any:
        """Execute with one set of parameters."""
        if self._can_wait:
            many, wrap = (self._values(parameters),), partial(self._wrapped, parameters)
            return Done(driver.later(self._sql, many, wrap), self._primary_key, parameters)
        try:
            cursor = driver.execute(self._sql, self._values(parameters))
            if self._metadata is not None:
                return IteratorResult(self._metadata, iter(cursor.fetchall()))
        except self._errors as error:
            raise self._wrapped(parameters, error) from error
        return Done(cursor, self._primary_key, parameters)

    def run_many(self, driver: Any, many: Sequence[Parameters]) -> Any:
        """Execute with each set of parameters in turn."""
        if self._can_wait:
            values, wrap = map(self._values, many), partial(self._wrapped, many)
            return Done(driver.later(self._sql, values, wrap), None, NOTHING)
        try:
            cursor = driver.executemany(self._sql, map(self._values, many))
        except self._errors as error:
            raise self._wrapped(many, error) from error
        return Done(cursor, None, NOTHING)

    def _values(self, parameters: Parameters) -> Sequence[Any]:
        if self._pick is not None:
            try:
                picked = cast("Sequence[Any]", self._pick(parameters))
            except KeyError:
                pass  # A value that is left out may have a default: see below.
            else:
                return self._as_converted(picked) if self._converted else picked
        values: list[Any] = []
        for name, default, process in self._binds:
            value = parameters.get(name, default)
            if value is REQUIRED:
                raise KeyError(f"no value for parameter {name!r} of {self._sql}")
            values.append(value if process is None else process(value))
        return values

    def _as_converted(self, picked: Sequence[Any]) -> Sequence[Any]:
        values = list(picked)
        for index, process in self._converted:
            values[index] = process(values[index])
        return values

    def _wrapped(self, parameters: Any, error: Exception) -> BaseException:
        kind: Any = self._errors
        return DBAPIError.instance(self._sql, parameters, error, kind, dialect=self._dialect)


class HotLists:
    """A statement with IN lists: each combination of their lengths is a statement of its own."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self._compiled = compiled
        self._lists = sorted(bind.key for bind in compiled.post_compile_params)
        self._base = Hot(compiled, dialect)
        self._of: dict[tuple[int, ...], tuple[Hot, Mapping[str, Sequence[str]]]] = {}

    def run(self, driver: Any, parameters: Parameters) -> Any:
        """Execute with one set of parameters."""
        sizes = tuple([len(parameters[name]) for name in self._lists])
        hot, elements = self._of.get(sizes) or self._expanded(sizes, parameters)
        flat = dict(parameters)
        for name, keys in elements.items():
            flat.update(zip(keys, parameters[name], strict=True))
        return hot.run(driver, flat)

    def run_many(self, driver: Any, many: Sequence[Parameters]) -> Any:
        """Refuse, as SQLAlchemy does."""
        error = InvalidRequestError("'expanding' parameters can't be used with executemany()")
        raise StatementError(str(error), self._compiled.string, many, error)

    def _expanded(
        self, sizes: tuple[int, ...], parameters: Parameters
    ) -> tuple[Hot, Mapping[str, Sequence[str]]]:
        state = self._compiled.construct_expanded_state(dict(parameters))
        elements = state.parameter_expansion
        added = {key for keys in elements.values() for key in keys}
        binds = [
            (name, REQUIRED, cast("Any", state.processors.get(name)))
            if name in added
            else _bind(self._compiled, name)
            for name in state.positiontup or ()
        ]
        found = self._base.with_lists(state.statement, binds), elements
        if sum(sizes) <= LISTED_MAX:  # Long lists seldom come again in the same length.
            self._of[sizes] = found
        return found


class Done:
    """The outcome of a hot INSERT, UPDATE or DELETE."""

    returns_rows = False

    def __init__(self, cursor: Any, primary_key: Any, given: Parameters) -> None:
        self._cursor = cursor
        self._primary_key = primary_key
        self._given = given

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        return int(self._cursor.rowcount)

    @property
    def lastrowid(self) -> int:
        """The number that the last row was given."""
        return int(self._cursor.lastrowid)

    @property
    def inserted_primary_key(self) -> Any:
        """The key of the row, with what the database counted up."""
        return self._primary_key(self.lastrowid, self._given)


class _Memo:
    def __init__(self, statement: Any) -> None:
        self.statement = weakref.ref(statement)
        self.hot: dict[tuple[str, ...], Hot | HotLists | None] = {}


def _hot_of(statement: Any, dialect: Dialect, names: list[str]) -> Hot | HotLists | None:
    """Return the statement made hot, None if it must go the ordinary way."""
    compiled = statement.compile(dialect=dialect, column_keys=names or None)
    unusual = (
        compiled.effective_returning
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or any(bind.callable is not None for bind in compiled.binds.values())
    )
    if unusual:
        return None
    lists = compiled.post_compile_params
    if not lists:
        return Hot(compiled, dialect)
    is_given = all(bind.key in names and not bind.type._is_tuple_type for bind in lists)
    return HotLists(compiled, dialect) if is_given else None


def _bind(compiled: SQLCompiler, name: str) -> Bind:
    bind = compiled.binds[name]
    default = REQUIRED if bind.required else bind.effective_value
    process: Any = compiled._bind_processors.get(name)
    return name, default, process


def _metadata(compiled: SQLCompiler, dialect: Dialect) -> SimpleResultMetaData:
    columns = compiled._result_columns
    return SimpleResultMetaData(
        [column.keyname for column in columns],
        extra=[column.objects for column in columns],
        _processors=[c.type._cached_result_processor(dialect, None) for c in columns],
    )
