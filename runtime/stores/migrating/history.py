"""One service's history of its schema, and how it is run."""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from grpc import StatusCode
from sqlalchemy import Connection, MetaData, inspect

from runtime.stores.errors import StoreError

if TYPE_CHECKING:  # Alembic takes 0.2 s to import: only those who run a history wait for it.
    from alembic.script import ScriptDirectory

VERSION_TABLE = "alembic_version"
NOTHING = "base"
_running = threading.Lock()  # `alembic.op` is one for the process.


class SchemaError(StoreError):
    """The tables are not those that the service was written for: an administrator must act."""

    code_of_class = StatusCode.FAILED_PRECONDITION
    reason_of_class = "STORE_SCHEMA"


@dataclass(frozen=True)
class History:
    """The revisions of one service's schema, and the tables they lead to.

    A revision is named `<service>_<number>` and stands in `directory` as
    `<number>_<what>.py`; each follows the one before it.
    """

    service: str
    directory: Path
    metadata: MetaData

    @cached_property
    def revisions(self) -> tuple[str, ...]:
        """Every revision, oldest first."""
        walked = self.scripts.walk_revisions()
        return tuple(reversed([script.revision for script in walked]))

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]

    @cached_property
    def scripts(self) -> "ScriptDirectory":
        """Alembic's view of the revisions."""
        from alembic.script import ScriptDirectory

        folder = str(self.directory)
        return ScriptDirectory(folder, version_locations=[folder])

    def named(self, revision: str) -> str:
        """Return the full name of `head`, `base`, `0001` or `orders_0001`; raises SchemaError."""
        if revision == NOTHING:
            return NOTHING
        full = self.head if revision == "head" else revision
        full = full if full.startswith(f"{self.service}_") else f"{self.service}_{full}"
        if full not in self.revisions:
            raise SchemaError(
                f"revision {revision!r} is not one of {self.service}, must be {NOTHING}, head or "
                f"one of {', '.join(self.revisions)}: nothing was changed"
            )
        return full

    def check_known(self, revision: str) -> None:
        """Raise SchemaError when a database is at a revision that is not of this history."""
        if revision == NOTHING or revision in self.revisions:
            return
        if not revision.startswith(f"{self.service}_"):
            raise SchemaError(
                f"the database is at revision {revision}, must be one of {self.service}: "
                "it is another service's; nothing was changed"
            )
        raise SchemaError(
            f"the database is at revision {revision}, the newest known here is {self.head}: "
            "a newer version made it, use that one; nothing was changed"
        )


def revision_of(connection: Connection) -> str:
    """Return the revision a database is at, `base` when no history was ever run on it."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return NOTHING
    found = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
    return str(found or NOTHING)


def tables_of(connection: Connection) -> list[str]:
    """Return the tables a database has, the one with the revision left out."""
    return sorted(set(inspect(connection).get_table_names()) - {VERSION_TABLE})


def run(connection: Connection, history: History, to: str) -> None:
    """Move a database to revision `to`, within the transaction that the caller ends.

    Where DDL is transactional (SQLite) that is all or nothing; where it is not (MySQL),
    each revision that is complete is noted at once, and one that broke off can be repeated.
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    at = revision_of(connection)
    history.check_known(at)
    order = (NOTHING, *history.revisions)
    scripts, is_upward = history.scripts, order.index(to) >= order.index(at)

    def steps(revision: tuple[str, ...], _context: MigrationContext) -> list[object]:
        here = revision if revision else None
        if is_upward:
            return list(scripts._upgrade_revs(to, here))  # type: ignore[arg-type]
        return list(scripts._downgrade_revs(to, here))  # type: ignore[arg-type]

    if not connection.in_transaction():
        connection.begin()  # So that Alembic leaves transactions to the caller.
    context = MigrationContext.configure(
        connection, opts={"fn": steps, "version_table": VERSION_TABLE, "script": scripts}
    )
    with _running, Operations.context(context):
        context.run_migrations()
