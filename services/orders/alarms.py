"""Alarms: what a person should look at, kept before it is shown."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select
from trading.types.v1 import risk_pb2
from trading.types.v1.event_pb2 import EventHeader
from trading.types.v1.risk_pb2 import RiskEvent, RiskEventKind, RiskReason, Severity

from runtime.times import to_timestamp
from services.orders.tables import alarms as table

SOURCE = "orders:alarms"
FIRM = "firm"
WARNING, CRITICAL = risk_pb2.SEVERITY_WARNING, risk_pb2.SEVERITY_CRITICAL
ANOMALY, FEED_STALE = risk_pb2.RISK_EVENT_KIND_ANOMALY, risk_pb2.RISK_EVENT_KIND_FEED_STALE
TEXT_MAX = 1000

_INSERT = insert(table)
_LAST = select(func.max(table.c.sequence))
_AFTER = (
    select(table.c.sequence, table.c.payload)
    .where(table.c.sequence > bindparam("after"))
    .order_by(table.c.sequence)
    .limit(bindparam("count"))
)


class Alarm(NamedTuple):
    """What is wrong, with whom, and how much it matters."""

    scope: str  # "firm", "account:<id>".
    observed: str
    limit: str = ""
    severity: "Severity.ValueType" = CRITICAL
    kind: "RiskEventKind.ValueType" = ANOMALY
    code: "RiskReason.ValueType" = risk_pb2.RISK_REASON_UNSPECIFIED


def add(
    tx: Connection, alarms: Sequence[Alarm], *, epoch: int, now_ns: int
) -> list[tuple[int, RiskEvent]]:
    """Keep alarms; returns them with their sequences."""
    if not alarms:
        return []
    first = last(tx) + 1
    told = [
        (first + at, _message(alarm, EventHeader(sequence=first + at, epoch=epoch), now_ns))
        for at, alarm in enumerate(alarms)
    ]
    tx.execute(_INSERT, [{"sequence": n, "payload": e.SerializeToString()} for n, e in told])
    return told


def last(tx: Connection) -> int:
    """Return the sequence of the newest alarm, 0 before the first."""
    return tx.execute(_LAST).scalar() or 0


def after(tx: Connection, sequence: int, count: int) -> list[tuple[int, RiskEvent]]:
    """Return the next alarms, in order."""
    rows = tx.execute(_AFTER, {"after": sequence, "count": count})
    return [(row.sequence, RiskEvent.FromString(row.payload)) for row in rows]


def of_account(account: str) -> str:
    """Return the scope of what concerns one account."""
    return f"account:{account}"


def _message(alarm: Alarm, header: EventHeader, now_ns: int) -> RiskEvent:
    header.source = SOURCE
    header.event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{SOURCE}/{header.sequence}"))
    header.occurred_at.CopyFrom(to_timestamp(now_ns))
    return RiskEvent(
        header=header,
        kind=alarm.kind,
        scope=alarm.scope,
        code=alarm.code,
        observed=alarm.observed[:TEXT_MAX],
        limit=alarm.limit,
        severity=alarm.severity,
    )
