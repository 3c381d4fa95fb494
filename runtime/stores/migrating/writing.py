"""The next revision of a history, drafted from what its tables have become."""

import re
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from runtime.stores.migrating.history import History, SchemaError
from runtime.stores.migrating.opening import template_connection

FILE = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """{message}."""
    {upgrade}


def downgrade() -> None:
    """Take it back."""
    {downgrade}
'''


def differences(connection: Connection, metadata: MetaData) -> UpgradeOps:
    """Return what `metadata` has and a database lacks, or the other way round.

    Alembic does not compare checks: those of a new revision are written by hand.
    """
    options = {"compare_type": True}
    context = MigrationContext.configure(connection, opts=options)
    found = produce_migrations(context, metadata).upgrade_ops
    assert found is not None
    return found


def write_revision(history: History, message: str) -> Path:
    """Write the revision after the newest; return its file. Raises SchemaError if none is due."""
    with template_connection(history) as connection:
        upgrade = differences(connection, history.metadata)
    if upgrade.is_empty():
        raise SchemaError(f"the tables of {history.service} are those of {history.head}: no change")
    number = f"{len(history.revisions) + 1:04}"
    name = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")
    path = history.directory / f"{number}_{name}.py"
    text = FILE.format(
        message=message.rstrip("."),
        revision=f"{history.service}_{number}",
        before=history.head,
        upgrade=render_python_code(upgrade, render_as_batch=True),
        downgrade=render_python_code(upgrade.reverse(), render_as_batch=True),
    )
    path.write_text(text)
    return path
