"""Rows in place of those with the same primary key, in one statement, on every database.

The row that is there is changed, not removed and stored anew: others may refer to it.
"""

from typing import Any, cast

from sqlalchemy import Insert, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Replace(Insert):
    """An insert that changes the row with the same key; columns left out stay as they are."""

    inherit_cache = True


def replace_into(table: Table) -> Replace:
    """Return the statement that stores a row of `table`, new or not.

    The table has no other unique key than its primary one: MySQL would look at each.
    """
    return Replace(table)


@compiles(Replace, "sqlite")
def _for_sqlite(statement: Replace, compiler: SQLCompiler, **options: Any) -> str:
    keys, others = _columns(statement, compiler)
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
    return f"{_insert(statement, compiler, options)} ON CONFLICT ({', '.join(keys)}) {action}"


@compiles(Replace, "mysql", "mariadb")
def _for_mysql(statement: Replace, compiler: SQLCompiler, **options: Any) -> str:
    keys, others = _columns(statement, compiler)
    new, alias = "VALUES({})", ""
    if compiler.dialect._requires_alias_for_on_duplicate_key:  # type: ignore[attr-defined]
        new, alias = "new.{}", " AS new"  # MySQL 8 warns of VALUES(); MariaDB has no alias.
    changes = ", ".join(f"{name} = {new.format(name)}" for name in others or keys[:1])
    return f"{_insert(statement, compiler, options)}{alias} ON DUPLICATE KEY UPDATE {changes}"


def _insert(statement: Replace, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    return cast(str, compiler.visit_insert(statement, **options))  # type: ignore[no-untyped-call]


def _columns(statement: Replace, compiler: SQLCompiler) -> tuple[list[str], list[str]]:
    """Return the names of the key's columns and of the others that the statement has."""
    quote, table = compiler.preparer.quote, cast(Table, statement.table)
    keys = {column.name for column in table.primary_key}
    given = compiler.column_keys or [column.name for column in table.columns]
    others = [column.name for column in table.columns if column.name in set(given) - keys]
    return [quote(column.name) for column in table.primary_key], [quote(name) for name in others]
