"""Rows that are stored unless one with their key is there, on every database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

DUPLICATE = 1062  # MySQL: ER_DUP_ENTRY.


class NewRows:
    """Stores rows of one table, each once; what is there stays as it is.

    MySQL's INSERT IGNORE would also cut values that are too long and let broken foreign keys
    pass, and ON DUPLICATE KEY UPDATE tells the same number of rows either way (SQLAlchemy
    counts rows found). So a duplicate is an error there, which takes back only its statement.
    """

    def __init__(self, table: Table) -> None:
        self._insert = _InsertNew(table)

    def add(self, tx: Connection, row: Mapping[str, Any]) -> bool:
        """Return whether `row` was new; False, and nothing has changed, when its key was there."""
        return self._added(tx, row) is not None

    def number(self, tx: Connection, row: Mapping[str, Any]) -> int | None:
        """Return the number that the database counted up for `row`; None when it was not new."""
        added = self._added(tx, row)
        return None if added is None else int(added.lastrowid)

    def _added(self, tx: Connection, row: Mapping[str, Any]) -> Any:
        try:
            done = tx.execute(self._insert, row)
            return done if done.rowcount == 1 else None  # To look is to hear of the error.
        except IntegrityError as error:
            if not _is_duplicate(error):
                raise
            return None


class _InsertNew(Insert):
    """An insert that leaves rows alone that have a key of it, where SQL can say so."""

    inherit_cache = True


@compiles(_InsertNew, "sqlite")
def _for_sqlite(statement: _InsertNew, compiler: SQLCompiler, **options: Any) -> str:
    text: str = compiler.visit_insert(statement, **options)  # type: ignore[no-untyped-call]
    return f"{text} ON CONFLICT DO NOTHING"


def _is_duplicate(error: IntegrityError) -> bool:
    number, *_ = error.orig.args if error.orig and error.orig.args else (0,)
    return bool(number == DUPLICATE)
