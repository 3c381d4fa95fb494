"""Constraints and indexes added to tables that have rows, and taken away again.

SQLite cannot alter a table's constraints: it is rebuilt there, as sqlite.org/lang_altertable.html
(section 7) says, from its own words, so that nothing of it is lost. In MySQL one statement per
table does all of its changes; what is there already is left out, so that a revision that broke
off half way (DDL is not transactional there) can be repeated.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from alembic import op
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlalchemy.schema import AddConstraint, CreateIndex

from runtime.stores.schema import NAMES

Addition: TypeAlias = CheckConstraint | ForeignKeyConstraint | Index
Additions: TypeAlias = Mapping[str, Sequence[Addition]]  # By table.

REBUILT = "_rebuilt"
_TABLE = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
_INDEXES = text(
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql <> ''"
)
_LAST = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_FORGET = text("DELETE FROM sqlite_sequence WHERE name = :name")
_CONTINUE = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")


def strengthen(additions: Additions) -> None:
    """Add constraints and indexes; fails, with the table as it was, when a row breaks one."""
    bind = op.get_bind()
    for name, added in _attached(additions).items():
        if bind.dialect.name == "sqlite":
            rules = [_clause(bind, one) for one in added if not isinstance(one, Index)]
            _rebuild(bind, name, rules, [])
            _index(bind, added)
        else:
            known = _known(bind, name)
            new = [f"ADD {_clause(bind, one)}" for one in added if one.name not in known]
            _alter(bind, name, new)


def relax(additions: Additions) -> None:
    """Take away what `strengthen` has added."""
    bind = op.get_bind()
    for name, added in reversed(_attached(additions).items()):
        if bind.dialect.name == "sqlite":
            _rebuild(bind, name, [], [str(one.name) for one in added])
        else:
            known = _known(bind, name)
            # What refers goes first: it may need the index beside it.
            ordered = sorted(added, key=lambda one: not isinstance(one, ForeignKeyConstraint))
            _alter(bind, name, [_drop_clause(one) for one in ordered if one.name in known])


def _attached(additions: Additions) -> dict[str, list[Addition]]:
    """Return copies under the names they have in a schema, on tables of just their columns."""
    metadata = MetaData(naming_convention=NAMES)
    return {name: [_attach(metadata, name, one) for one in a] for name, a in additions.items()}


def _attach(metadata: MetaData, name: str, addition: Addition) -> Addition:
    """Return a copy: a revision may run on many databases of one process."""
    if isinstance(addition, Index):
        table = _table(metadata, name, [str(column) for column in addition.expressions])
        return Index(addition.name, *[table.c[str(column)] for column in addition.expressions])
    if isinstance(addition, CheckConstraint):
        check = CheckConstraint(addition.sqltext, name=addition.name)
        _table(metadata, name, []).append_constraint(check)
        return check
    targets = [element.target_fullname for element in addition.elements]
    other, _, _ = targets[0].partition(".")
    _table(metadata, other, [target.rpartition(".")[2] for target in targets])
    reference = ForeignKeyConstraint(
        addition.column_keys, targets, ondelete=addition.ondelete, onupdate=addition.onupdate
    )
    _table(metadata, name, addition.column_keys).append_constraint(reference)
    return reference


def _table(metadata: MetaData, name: str, columns: Iterable[str]) -> Table:
    table = Table(name, metadata, keep_existing=True)
    for column in columns:
        if column not in table.c:
            table.append_column(Column(column))
    return table


def _clause(bind: Connection, one: Addition) -> str:
    """Return what defines something within a CREATE TABLE or after ADD."""
    if isinstance(one, Index):
        columns = ", ".join(bind.dialect.identifier_preparer.quote(c.name) for c in one.columns)
        return f"INDEX {one.name} ({columns})"
    whole = str(AddConstraint(one).compile(dialect=bind.dialect))
    return whole[whole.index("CONSTRAINT") :]


def _rebuild(bind: Connection, name: str, added: Sequence[str], removed: Sequence[str]) -> None:
    """Make a table of SQLite anew with all of its rows, and with its counter where it was."""
    quoted, rebuilt = _quote(bind, name), f"{name}{REBUILT}"
    sql: str = bind.execute(_TABLE, {"name": name}).scalar_one()
    indexes = [index for index in bind.execute(_INDEXES, {"name": name}) if index[0] not in removed]
    counts = "AUTOINCREMENT" in sql
    last = bind.execute(_LAST, {"name": name}).scalar() if counts else None
    body = _without(sql[sql.index("(") : sql.rindex(")")].rstrip(), removed)
    words = ", \n\t".join([body, *added])
    bind.exec_driver_sql(f"CREATE TABLE {rebuilt} {words}\n)")
    bind.exec_driver_sql(f"INSERT INTO {rebuilt} SELECT * FROM {quoted}")
    bind.exec_driver_sql(f"DROP TABLE {quoted}")
    bind.exec_driver_sql(f"ALTER TABLE {rebuilt} RENAME TO {quoted}")
    for _, index in indexes:
        bind.exec_driver_sql(index)
    if last is not None:
        bind.execute(_FORGET, {"name": name})
        bind.execute(_CONTINUE, {"name": name, "last": last})


def _index(bind: Connection, added: Iterable[Addition]) -> None:
    for one in added:
        if isinstance(one, Index):
            bind.execute(CreateIndex(one))


def _without(body: str, removed: Iterable[str]) -> str:
    """Return the columns and constraints of a table but those removed; each has its own line."""
    starts = tuple(f"CONSTRAINT {name} " for name in removed)
    lines = [line.strip().removesuffix(",") for line in body.split("\n")]
    first, *others = [line for line in lines if not line.startswith(starts)]
    return f"{first}\n\t" + ", \n\t".join(others)


def _drop_clause(one: Addition) -> str:
    return f"DROP {'INDEX' if isinstance(one, Index) else 'CONSTRAINT'} {one.name}"


def _alter(bind: Connection, name: str, clauses: Iterable[str]) -> None:
    if changes := ", ".join(clauses):
        bind.exec_driver_sql(f"ALTER TABLE {_quote(bind, name)} {changes}")


def _quote(bind: Connection, name: str) -> str:
    return bind.dialect.identifier_preparer.quote(name)


def _known(bind: Connection, name: str) -> set[str | None]:
    """Return the names of what a table has beside its columns."""
    found = inspect(bind)
    return {
        *(one["name"] for one in found.get_check_constraints(name)),
        *(one["name"] for one in found.get_foreign_keys(name)),
        *(one["name"] for one in found.get_indexes(name)),
    }
