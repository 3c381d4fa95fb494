"""What discovery keeps: rows to plain values and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.naming import Identity
from runtime.stores.replace import replace_into
from services.discovery import tables as t
from services.discovery import wire
from services.discovery.entries import Entry, Pulse, Reported, State
from services.discovery.registry import Ended, Known, Registry

FENCE, SEQUENCE = "fence", "sequence"

_INSTANCES = (
    select(t.instances, t.leases.c.fence, t.leases.c.ttl_ns, t.leases.c.ended_ns)
    .join(t.leases, t.leases.c.lease_id == t.instances.c.lease_id)
    .order_by(t.instances.c.instance_id)
)
_LEASES = select(t.leases).order_by(t.leases.c.lease_id)
_EVENTS = (
    select(t.instance_events)
    .where(t.instance_events.c.sequence > bindparam("after"))
    .order_by(t.instance_events.c.sequence)
    .limit(bindparam("count"))
)
_FIRST_EVENT = select(func.min(t.instance_events.c.sequence))
_PUT_INSTANCE = replace_into(t.instances)
_PUT_LEASE = replace_into(t.leases)
_PUT_COUNTER = replace_into(t.counters)
_ADD_EVENT = insert(t.instance_events)
_END_LEASE = (
    update(t.leases)
    .where(t.leases.c.lease_id == bindparam("of_lease"), t.leases.c.ended_ns == 0)
    .values(ended_ns=bindparam("at_ns"))
)
_FORGET_LEASES = delete(t.leases).where(
    t.leases.c.lease_id.in_(bindparam("of_leases", expanding=True))
)
_FORGET_INSTANCES = delete(t.instances).where(
    t.instances.c.instance_id.in_(bindparam("of_instances", expanding=True))
)
_FORGET_EVENTS = delete(t.instance_events).where(t.instance_events.c.time_ns <= bindparam("ns"))


def load(tx: Connection) -> Registry:
    """Return what was committed; nobody has been heard yet: the keeper says since when."""
    counters = {row.name: row.value for row in tx.execute(select(t.counters))}
    registry = Registry(fence=counters.get(FENCE, 0), sequence=counters.get(SEQUENCE, 0))
    for row in tx.execute(_LEASES):
        registry.leases[row.lease_id] = Known(row.instance_id, row.fence, row.ended_ns)
    for row in tx.execute(_INSTANCES):
        entry = _entry(row)
        registry.entries[row.instance_id] = entry
        if entry.is_live:
            registry.pulses[entry.lease_id] = Pulse(0)
    return registry


def put(tx: Connection, before: Entry | None, after: Entry, expire_ns: int) -> None:
    """Store an instance and its lease; a former lease of it has ended."""
    tx.execute(_PUT_INSTANCE, _instance_row(after))
    if before is not None and before.lease_id != after.lease_id:
        tx.execute(_END_LEASE, {"of_lease": before.lease_id, "at_ns": after.since_ns})
    row = {
        "lease_id": after.lease_id,
        "instance_id": after.spec.instance_id,
        "fence": after.fence,
        "ttl_ns": after.ttl_ns,
        "expire_ns": expire_ns,
        "ended_ns": after.ended_ns,
    }
    tx.execute(_PUT_LEASE, row)


def put_counters(tx: Connection, fence: int, sequence: int) -> None:
    """Store the last numbers that were given out."""
    for name, value in ((FENCE, fence), (SEQUENCE, sequence)):
        tx.execute(_PUT_COUNTER, {"name": name, "value": value})


def add_events(tx: Connection, events: Mapping[int, pb.InstanceChange], now_ns: int) -> None:
    """Store changes by sequence."""
    rows = [
        {"sequence": sequence, "time_ns": now_ns, "body": event.SerializeToString()}
        for sequence, event in events.items()
    ]
    if rows:
        tx.execute(_ADD_EVENT, rows)


def events_after(tx: Connection, after: int, count: int) -> Sequence[tuple[int, pb.InstanceChange]]:
    """Return the changes behind a sequence, in order."""
    rows = tx.execute(_EVENTS, {"after": after, "count": count})
    return [(row.sequence, pb.InstanceChange.FromString(row.body)) for row in rows]


def forget(tx: Connection, ended: Ended, *, events_until_ns: int) -> None:
    """Remove leases and instances that ended, and changes up to an instant."""
    tx.execute(_FORGET_LEASES, {"of_leases": list(ended.lease_ids)})
    tx.execute(_FORGET_INSTANCES, {"of_instances": list(ended.instance_ids)})
    tx.execute(_FORGET_EVENTS, {"ns": events_until_ns})


def kept_after(tx: Connection, sequence: int) -> int:
    """Return the sequence behind which every change is still stored."""
    first = tx.execute(_FIRST_EVENT).scalar()
    return sequence if first is None else int(first) - 1


def _entry(row: Row[Any]) -> Entry:
    spec = wire.spec_of(pb.InstanceSpec.FromString(row.spec))
    return Entry(
        spec=spec,
        identity=Identity(
            spec.service, spec.instance_name, row.schema_name, row.namespace, row.acl_user
        ),
        lease_id=row.lease_id,
        fence=row.fence,
        ttl_ns=row.ttl_ns,
        since_ns=row.since_ns,
        reported=Reported(row.reported),
        is_reachable=bool(row.is_reachable),
        is_suspect=bool(row.is_suspect),
        state=State(row.state),
        ended_ns=row.ended_ns,
        drain_reason=row.drain_reason,
        log_level=row.log_level,
    )


def _instance_row(entry: Entry) -> dict[str, Any]:
    spec, identity = entry.spec, entry.identity
    return {
        "instance_id": spec.instance_id,
        "lease_id": entry.lease_id,
        "service": spec.service,
        "instance_name": spec.instance_name,
        "environment": spec.environment,
        "schema_name": identity.schema,
        "namespace": identity.namespace,
        "acl_user": identity.acl_user,
        "spec": wire.spec_message(spec).SerializeToString(),
        "state": entry.state.value,
        "reported": entry.reported.value,
        "is_reachable": entry.is_reachable,
        "is_suspect": entry.is_suspect,
        "since_ns": entry.since_ns,
        "drain_reason": entry.drain_reason,
        "log_level": entry.log_level,
    }
