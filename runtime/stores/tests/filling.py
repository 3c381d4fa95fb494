"""Fills tables with very many rows by one statement, on SQLite and on MySQL or MariaDB."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    cast,
    column,
    insert,
    literal,
    null,
    select,
    table,
    text,
)

SEQ: ColumnElement[int] = column("seq", BigInteger)  # Counts the rows from 1.
TEN_MILLION = 10_000_000
SORTED_FROM = 500_000
Values = Mapping[str, Any]


def named(prefix: str, number: ColumnElement[int] = SEQ) -> ColumnElement[str]:
    """Return names that sort as their numbers do."""
    return literal(prefix) + cast(number + TEN_MILLION, String(8))


def without_checks(tx: Connection) -> None:
    """Let the rest of this connection trust the rows it writes, and lose them in a crash."""
    if tx.dialect.name == "sqlite":
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            tx.exec_driver_sql(f"PRAGMA {pragma}")
        tx.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        return
    tx.exec_driver_sql("SET SESSION foreign_key_checks = 0, unique_checks = 0")
    if getattr(tx.dialect, "is_mariadb", False):
        tx.exec_driver_sql("SET SESSION check_constraint_checks = 0")


def fill(tx: Connection, target: Table, count: int, values: Values) -> None:
    """Insert `count` rows; `values` are constants or expressions of `SEQ`, the rest is empty.

    The indexes of many rows are made after them: sorted, in a third of the time.
    """
    is_long = count >= SORTED_FROM
    if is_long:
        _drop_indexes(tx, target)
    kept = [c for c in target.columns if c is not target.autoincrement_column or c.name in values]
    chosen = [_expression(values, c).label(c.name) for c in kept]
    rows = select(*chosen).select_from(_numbers(tx, count))
    tx.execute(insert(target).from_select([c.name for c in kept], rows))
    if is_long:
        _make_indexes(tx, target)
    if tx.dialect.name == "mysql":
        tx.execute(text(f"ANALYZE TABLE {target.name}"))


def _expression(values: Values, one: Column[Any]) -> ColumnElement[Any]:
    value = values.get(one.name, _empty(one))
    return value if isinstance(value, ColumnElement) else literal(value, one.type)


def _empty(one: Column[Any]) -> Any:
    if one.nullable:
        return null()
    return {int: 0, str: "", bytes: b"", bool: False}[one.type.python_type]


def _numbers(tx: Connection, count: int) -> FromClause:
    """Return what has the rows 1 … count in its only column, `seq`."""
    if getattr(tx.dialect, "is_mariadb", False):
        return table(f"seq_1_to_{count}", column("seq"))
    if tx.dialect.name == "mysql":
        tx.execute(text(f"SET SESSION cte_max_recursion_depth = {count + 1}"))
    numbers = select(literal(1, Integer).label("seq")).cte("numbers", recursive=True)
    following = select(numbers.c.seq + 1).where(numbers.c.seq < count)
    return numbers.union_all(following)


def _drop_indexes(tx: Connection, target: Table) -> None:
    if tx.dialect.name == "mysql":  # In one statement; unique ones, too.
        parts = [f"DROP INDEX {name}" for name, _, _ in _indexes(target)]
        tx.execute(text(f"ALTER TABLE {target.name} {', '.join(parts)}"))
        return
    for index in target.indexes:
        index.drop(tx)


def _make_indexes(tx: Connection, target: Table) -> None:
    if tx.dialect.name == "mysql":
        parts = [f"ADD {kind}INDEX {name} ({columns})" for name, kind, columns in _indexes(target)]
        tx.execute(text(f"ALTER TABLE {target.name} {', '.join(parts)}"))
        return
    for index in sorted(target.indexes, key=lambda index: str(index.name)):
        index.create(tx)


def _indexes(target: Table) -> Iterator[tuple[str, str, str]]:
    """Yield name, kind and columns of what is made by a constraint or an index."""
    for one in (*target.constraints, *target.indexes):
        if isinstance(one, UniqueConstraint | Index):
            kind = "UNIQUE " if isinstance(one, UniqueConstraint) else ""
            yield str(one.name), kind, ", ".join(column.name for column in one.columns)
