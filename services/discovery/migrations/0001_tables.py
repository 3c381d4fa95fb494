"""The first tables of discovery."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String

from runtime.stores.constraints import at_least, flags, names, refers, within
from runtime.stores.schema import BYTES, DIGEST, new_metadata, table

revision = "discovery_0001"
down_revision = None

metadata = new_metadata()

table(
    "instances",
    metadata,
    Column("instance_id", String(36), primary_key=True),
    Column("lease_id", String(36), nullable=False),
    Column("service", String(40), nullable=False),
    Column("instance_name", String(63), nullable=False),
    Column("environment", String(32), nullable=False),
    Column("schema_name", String(63), nullable=False),
    Column("namespace", String(63), nullable=False),
    Column("acl_user", String(63), nullable=False),
    Column("spec", BYTES, nullable=False),
    Column("state", Integer, nullable=False),
    Column("reported", Integer, nullable=False),
    Column("is_reachable", Boolean, nullable=False),
    Column("is_suspect", Boolean, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    Column("drain_reason", String(200), nullable=False),
    Column("log_level", Integer, nullable=False),
    *names("instance_id", "lease_id", "service", "instance_name", "environment"),
    *names("schema_name", "namespace", "acl_user"),
    within("state", 1, 3),
    within("reported", 1, 4),
    *flags("is_reachable", "is_suspect"),
    *at_least(0, "log_level"),
)

table(
    "leases",
    metadata,
    Column("lease_id", String(36), primary_key=True),
    Column("instance_id", String(36), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("ttl_ns", BigInteger, nullable=False),
    Column("expire_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    *names("lease_id"),
    *at_least(1, "fence", "ttl_ns"),
    *at_least(0, "ended_ns"),
    refers(["instance_id"], "instances"),
    Index("ix_leases_instance_id", "instance_id"),
)

table(
    "instance_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False, index=True),
    Column("body", BYTES, nullable=False),
    *at_least(1, "sequence"),
)

table(
    "counters",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", BigInteger, nullable=False),
    *names("name"),
    *at_least(0, "value"),
)

table(
    "requests",
    metadata,
    Column("method", String(64), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("digest", DIGEST, nullable=False),
    Column("answer_type", String(128), nullable=False),
    Column("answer", BYTES, nullable=False),
    Column("stored_ns", BigInteger, nullable=False, index=True),
    *names("method"),
)

table(
    "epochs",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    *at_least(0, "epoch"),
)


def upgrade() -> None:
    """Create the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove the tables, with everything in them."""
    metadata.drop_all(op.get_bind(), checkfirst=False)
