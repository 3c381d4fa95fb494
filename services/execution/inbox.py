"""What venues have reported: each report once, in order, and how far each venue's reports are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update
from trading.types.v1.execution_pb2 import ExecutionReport

from services.execution import tables as t
from services.execution.store import Key

AFTER_SLASH = chr(ord("/") + 1)  # Children are named "<parent>/<n>".


@dataclass(frozen=True, slots=True)
class Received:
    """A report as it stands in the inbox."""

    venue: str
    exec_id: str
    account: str
    child_order_id: str
    digest: bytes
    report: bytes  # ExecutionReport, with parent and child ids.


_INSERT_INBOX = insert(t.inbox)
_KNOWN = (
    select(t.inbox.c.exec_id, t.inbox.c.digest)
    .where(
        t.inbox.c.venue == bindparam("venue"),
        t.inbox.c.exec_id.in_(bindparam("exec_ids", expanding=True)),
    )
    .order_by(t.inbox.c.exec_id)
)
_BATCHES = (
    select(t.inbox.c.batch, t.inbox.c.report)
    .where(t.inbox.c.batch > bindparam("after"), t.inbox.c.batch <= bindparam("until"))
    .order_by(t.inbox.c.batch, t.inbox.c.place)
)
_LAST_BATCH = select(func.max(t.inbox.c.batch))
_FIRST_REPORT = (
    select(t.inbox.c.report)
    .where(
        t.inbox.c.account == bindparam("account"),
        t.inbox.c.child_order_id == bindparam("child_order_id"),
    )
    .order_by(t.inbox.c.batch, t.inbox.c.place)
    .limit(1)
)
_INSERT_ANOMALY = insert(t.anomalies)
_SESSION = select(t.venue_sessions.c.report_sequence).where(
    t.venue_sessions.c.venue == bindparam("v")
)
_UPDATE_SESSION = update(t.venue_sessions).where(t.venue_sessions.c.venue == bindparam("v"))
_INSERT_SESSION = insert(t.venue_sessions)
_CURSORS = select(t.report_cursors).order_by(t.report_cursors.c.account)
_MOVE_CURSOR = update(t.report_cursors).where(t.report_cursors.c.account == bindparam("of_account"))
_ADD_CURSOR = insert(t.report_cursors)
_OF_PARENT = (
    select(t.inbox.c.report)
    .where(
        t.inbox.c.account == bindparam("account"),
        t.inbox.c.child_order_id >= bindparam("first"),
        t.inbox.c.child_order_id < bindparam("beyond"),
    )
    .order_by(t.inbox.c.batch, t.inbox.c.place)
)


def insert_inbox(tx: Connection, batch: int, received: Sequence[Received]) -> None:
    """Keep the new reports of one commit, in order."""
    rows = [
        {
            "venue": one.venue,
            "exec_id": one.exec_id,
            "batch": batch,
            "place": place,
            "account": one.account,
            "child_order_id": one.child_order_id,
            "digest": one.digest,
            "report": one.report,
        }
        for place, one in enumerate(received)
    ]
    tx.execute(_INSERT_INBOX, rows)


def known_reports(tx: Connection, venue: str, exec_ids: Sequence[str]) -> dict[str, bytes]:
    """Return the digests of those of the named reports that are in the inbox."""
    rows = tx.execute(_KNOWN, {"venue": venue, "exec_ids": list(exec_ids)})
    return {row.exec_id: row.digest for row in rows}


def load_batches(tx: Connection, after: int, limit: int) -> list[tuple[int, list[bytes]]]:
    """Return the reports of up to `limit` commits after one, in order."""
    batches: dict[int, list[bytes]] = {}
    for row in tx.execute(_BATCHES, {"after": after, "until": after + limit}):
        batches.setdefault(row.batch, []).append(row.report)
    return list(batches.items())


def last_batch(tx: Connection) -> int:
    """Return the number of the newest commit of reports, 0 before the first."""
    return tx.execute(_LAST_BATCH).scalar() or 0


def first_report(tx: Connection, child: Key) -> bytes | None:
    """Return the first report of a child, if there is one."""
    return tx.execute(_FIRST_REPORT, {"account": child[0], "child_order_id": child[1]}).scalar()


def insert_anomaly(tx: Connection, received: Received, now_ns: int) -> None:
    """Keep a report that is not applied."""
    tx.execute(
        _INSERT_ANOMALY,
        {
            "venue": received.venue,
            "exec_id": received.exec_id,
            "report": received.report,
            "seen_ns": now_ns,
        },
    )


def report_sequence(tx: Connection, venue: str) -> int:
    """Return how far the venue's reports are committed here."""
    return tx.execute(_SESSION, {"v": venue}).scalar() or 0


def keep_session(tx: Connection, venue: str, session_id: str) -> None:
    """Begin a session with a venue; how far its reports are stays."""
    if tx.execute(_UPDATE_SESSION, {"v": venue, "session_id": session_id}).rowcount == 0:
        row = {"venue": venue, "session_id": session_id, "report_sequence": 0}
        tx.execute(_INSERT_SESSION, row)


def move_session(tx: Connection, venue: str, sequence: int) -> None:
    """Note how far the venue's reports are committed here."""
    tx.execute(_UPDATE_SESSION, {"v": venue, "report_sequence": sequence})


def cursors(tx: Connection) -> dict[str, int]:
    """Return how far each account's reports are applied without a gap."""
    return {row.account: row.venue_sequence for row in tx.execute(_CURSORS)}


def move_cursors(tx: Connection, reached: Mapping[str, int]) -> None:
    """Note how far accounts' reports are applied."""
    for account, sequence in reached.items():
        named = {"of_account": account, "venue_sequence": sequence}
        if tx.execute(_MOVE_CURSOR, named).rowcount == 0:
            tx.execute(_ADD_CURSOR, {"account": account, "venue_sequence": sequence})


def reports_of(tx: Connection, parent: Key) -> list[ExecutionReport]:
    """Return every report of a parent and its children, as orders was told, in order."""
    names = {"account": parent[0], "first": parent[1], "beyond": f"{parent[1]}{AFTER_SLASH}"}
    found = [ExecutionReport.FromString(row.report) for row in tx.execute(_OF_PARENT, names)]
    return [report for report in found if report.client_order_id == parent[1]]
