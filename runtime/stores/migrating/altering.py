"""Constraints and indexes added to tables that have rows, and taken away again.

SQLite cannot alter them, so a table is rebuilt there, by Alembic's batch mode. In MySQL one
statement per table does all of its changes; what is there already is left out, so that a
revision that broke off half way (DDL is not transactional there) can be repeated.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from alembic import op
from alembic.operations import BatchOperations
from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlalchemy.schema import AddConstraint

from runtime.stores.schema import NAMES

Addition: TypeAlias = CheckConstraint | ForeignKeyConstraint | Index
Additions: TypeAlias = Mapping[str, Sequence[Addition]]  # By table.

_CREATED = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
_LAST = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_FORGET = text("DELETE FROM sqlite_sequence WHERE name = :name")
_CONTINUE = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")


def strengthen(additions: Additions) -> None:
    """Add constraints and indexes; fails, with the table as it was, when a row breaks one."""
    bind = op.get_bind()
    for name, added in _attached(bind, additions).items():
        if bind.dialect.name == "sqlite":
            with _rebuilt(name) as batch:
                for one in added:
                    _add(batch, one)
        else:
            known = _known(bind, name)
            _alter(bind, name, [_clause(bind, one) for one in added if one.name not in known])


def relax(additions: Additions) -> None:
    """Take away what `strengthen` has added."""
    bind = op.get_bind()
    for name, added in reversed(_attached(bind, additions).items()):
        # What refers goes first: it may need the index beside it.
        ordered = sorted(added, key=lambda one: not isinstance(one, ForeignKeyConstraint))
        if bind.dialect.name == "sqlite":
            with _rebuilt(name) as batch:
                for one in ordered:
                    _drop(batch, one)
        else:
            known = _known(bind, name)
            _alter(bind, name, [_drop_clause(one) for one in ordered if one.name in known])


def _attached(bind: Connection, additions: Additions) -> dict[str, list[Addition]]:
    """Return the additions under the names they have in a schema, on tables as they are."""
    metadata = MetaData(naming_convention=NAMES)
    metadata.reflect(bind)
    return {name: [_attach(metadata.tables[name], o) for o in a] for name, a in additions.items()}


def _attach(table: Table, addition: Addition) -> Addition:
    """Return a copy on a table: a revision may run on many databases of one process."""
    if isinstance(addition, Index):
        return Index(addition.name, *[table.c[str(name)] for name in addition.expressions])
    copy: CheckConstraint | ForeignKeyConstraint
    if isinstance(addition, CheckConstraint):
        copy = CheckConstraint(addition.sqltext, name=addition.name)
    else:
        keys, targets = addition.column_keys, [one.target_fullname for one in addition.elements]
        copy = ForeignKeyConstraint(
            keys, targets, ondelete=addition.ondelete, onupdate=addition.onupdate
        )
    table.append_constraint(copy)
    return copy


@contextmanager
def _rebuilt(name: str) -> Iterator[BatchOperations]:
    """Rebuild a table of SQLite with all of its rows and with its counter where it was."""
    bind = op.get_bind()
    counts = "AUTOINCREMENT" in bind.execute(_CREATED, {"name": name}).scalar_one()
    options = {"sqlite_autoincrement": True} if counts else {}
    last = bind.execute(_LAST, {"name": name}).scalar() if counts else None
    with op.batch_alter_table(name, recreate="always", table_kwargs=options) as batch:
        yield batch
    if last is not None:
        bind.execute(_FORGET, {"name": name})
        bind.execute(_CONTINUE, {"name": name, "last": last})


def _add(batch: BatchOperations, one: Addition) -> None:
    name = str(one.name)
    if isinstance(one, CheckConstraint):
        batch.create_check_constraint(batch.f(name), one.sqltext)
    elif isinstance(one, ForeignKeyConstraint):
        to, key = one.referred_table.name, [element.column.name for element in one.elements]
        batch.create_foreign_key(
            name, to, list(one.column_keys), key, ondelete=one.ondelete, onupdate=one.onupdate
        )
    else:
        batch.create_index(name, list(one.columns.keys()))


def _drop(batch: BatchOperations, one: Addition) -> None:
    name = str(one.name)
    if isinstance(one, Index):
        batch.drop_index(name)
    else:
        batch.drop_constraint(batch.f(name))


def _clause(bind: Connection, one: Addition) -> str:
    """Return the part of an ALTER TABLE that adds something."""
    if isinstance(one, Index):
        columns = ", ".join(bind.dialect.identifier_preparer.quote(c.name) for c in one.columns)
        return f"ADD INDEX {one.name} ({columns})"
    whole = str(AddConstraint(one).compile(dialect=bind.dialect))
    return whole[whole.index("ADD CONSTRAINT") :]


def _drop_clause(one: Addition) -> str:
    return f"DROP {'INDEX' if isinstance(one, Index) else 'CONSTRAINT'} {one.name}"


def _alter(bind: Connection, name: str, clauses: Iterable[str]) -> None:
    if changes := ", ".join(clauses):
        table = bind.dialect.identifier_preparer.quote(name)
        bind.exec_driver_sql(f"ALTER TABLE {table} {changes}".replace("%", "%%"))


def _known(bind: Connection, name: str) -> set[str | None]:
    """Return the names of what a table has beside its columns."""
    found = inspect(bind)
    return {
        *(one["name"] for one in found.get_check_constraints(name)),
        *(one["name"] for one in found.get_foreign_keys(name)),
        *(one["name"] for one in found.get_indexes(name)),
    }
