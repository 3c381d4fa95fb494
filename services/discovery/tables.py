"""The tables of the discovery service."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String

from runtime.stores import epochs_table, requests_table
from runtime.stores.constraints import at_least, flags, names, refers, within
from runtime.stores.schema import BYTES, new_metadata, table

metadata = new_metadata()

# The last registration of each instance; gone five minutes after its end.
instances = table(
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
    Column("spec", BYTES, nullable=False),  # trading.discovery.v1.InstanceSpec.
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

# Every lease given out, also those that ended: their holders must be told FENCED. `expire_ns` is
# as of the last change of the instance: beats move it in memory only, as after a restart each
# lease begins anew (D3).
leases = table(
    "leases",
    metadata,
    Column("lease_id", String(36), primary_key=True),
    Column("instance_id", String(36), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("ttl_ns", BigInteger, nullable=False),
    Column("expire_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=False),  # 0: it has not.
    *names("lease_id"),
    *at_least(1, "fence", "ttl_ns"),
    *at_least(0, "ended_ns"),
    refers(["instance_id"], "instances"),
    Index("ix_leases_instance_id", "instance_id"),
)

instance_events = table(
    "instance_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False, index=True),
    Column("body", BYTES, nullable=False),  # trading.discovery.v1.InstanceChange.
    *at_least(1, "sequence"),
)

# The last fence and the last sequence: rows are forgotten, numbers never come again.
counters = table(
    "counters",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", BigInteger, nullable=False),
    *names("name"),
    *at_least(0, "value"),
)

requests = requests_table(metadata)
epochs = epochs_table(metadata)
