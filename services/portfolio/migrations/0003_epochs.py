"""Who writes portfolio: a number that rises with every process that takes over."""

from alembic import op
from sqlalchemy import BigInteger, Column, String

from runtime.stores.constraints import at_least
from runtime.stores.schema import new_metadata, table

revision = "portfolio_0003"
down_revision = "portfolio_0002"

metadata = new_metadata()

table(
    "epochs",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    *at_least(0, "epoch"),
)


def upgrade() -> None:
    """Create the table."""
    metadata.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove it, and who wrote last."""
    metadata.drop_all(op.get_bind(), checkfirst=False)
