"""Rows in place of those with the same primary key, in one statement, on every database."""

from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Replace(Insert):
    """An insert that removes what has the same key; columns left out get their defaults."""

    inherit_cache = True


def replace_into(table: Table) -> Replace:
    """Return the statement that stores a row of `table`, new or not."""
    return Replace(table)


@compiles(Replace, "sqlite")
def _for_sqlite(statement: Replace, compiler: SQLCompiler, **options: Any) -> str:
    text: str = compiler.visit_insert(statement, **options)  # type: ignore[no-untyped-call]
    return text.replace("INSERT INTO", "INSERT OR REPLACE INTO", 1)


@compiles(Replace, "mysql", "mariadb")
def _for_mysql(statement: Replace, compiler: SQLCompiler, **options: Any) -> str:
    text: str = compiler.visit_insert(statement, **options)  # type: ignore[no-untyped-call]
    return text.replace("INSERT INTO", "REPLACE INTO", 1)
