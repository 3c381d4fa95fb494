"""Events committed together with the change they tell of, and published after (rule X9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from runtime.stores import schema
from runtime.stores.constraints import at_least, names
from runtime.stores.hot import LISTED_MAX

ROWS_MAX = 1_000  # That one transaction changes or removes.


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a stream.

    `key` is what keeps order (account, instrument, strategy), `sequence` the position in the
    source's own gap-free numbering, `payload` the serialized message that `type` names.
    """

    stream: str
    event_id: str
    type: str
    key: str
    sequence: int
    payload: bytes
    traceparent: str = ""


def outbox_table(metadata: MetaData) -> Table:
    """Return the table `outbox` of one service, for `Outbox` and `Relay`."""
    outbox = schema.table(
        "outbox",
        metadata,
        Column("id", schema.COUNTER, primary_key=True, autoincrement=True),
        Column("stream", String(64), nullable=False),
        Column("event_id", String(128), nullable=False),
        Column("type", String(128), nullable=False),
        Column("key", String(200), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("payload", schema.BYTES, nullable=False),
        Column("traceparent", String(64), nullable=False),
        Column("published_ns", BigInteger),  # NULL until Redis has answered.
        *names("stream", "event_id", "type"),
        *at_least(0, "sequence"),
        sqlite_autoincrement=True,  # An id is never used again, so id order is commit order.
    )
    Index("ix_outbox_unpublished", outbox.c.published_ns, outbox.c.id)
    Index("ix_outbox_sequence", outbox.c.stream, outbox.c.sequence)
    return outbox


class Outbox:
    """Writes events into the transaction of the change they tell of.

    A row stays until its entry is acknowledged by every group that must read it, so whatever
    Redis loses can be published again.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.has_new = False  # Whether the next commit may carry events for the relay.
        self._insert = insert(table)
        columns = table.c
        is_published = columns.published_ns.is_not(None)
        of_stream = columns.stream == bindparam("s")
        self._last = (
            select(columns.stream, func.max(columns.sequence))
            .where(is_published)
            .group_by(columns.stream)
        )
        again = select(columns.id).where(of_stream, is_published)
        again = again.where(columns.sequence >= bindparam("first"))
        self._again = again.order_by(columns.sequence.desc()).limit(ROWS_MAX)
        these = columns.id.in_(bindparam("ids", expanding=True))
        self._mark = update(table).where(these).values(published_ns=bindparam("now_ns"))
        done = select(columns.id).where(of_stream, is_published)
        done = done.where(columns.sequence < bindparam("before"))
        self._done = done.order_by(columns.sequence).limit(ROWS_MAX)
        self._delete = delete(table).where(these)
        self._span = select(func.min(columns.id), func.max(columns.id)).where(~is_published)

    def append(self, tx: Connection, *events: Event) -> None:
        """Add `events`, in order, to the transaction `tx`."""
        rows = [
            {
                "stream": event.stream,
                "event_id": event.event_id,
                "type": event.type,
                "key": event.key,
                "sequence": event.sequence,
                "payload": event.payload,
                "traceparent": event.traceparent,
            }
            for event in events
        ]
        if rows:
            tx.execute(self._insert, rows if len(rows) > 1 else rows[0])
            self.has_new = True

    def mark(self, tx: Connection, row_ids: Sequence[int], now_ns: int | None) -> None:
        """Note when these rows were published; None: they must be published again."""
        for first in range(0, len(row_ids), LISTED_MAX):
            few = row_ids[first : first + LISTED_MAX]
            tx.execute(self._mark, {"ids": few, "now_ns": now_ns})

    def last_published(self, tx: Connection) -> dict[str, int]:
        """Return the highest published sequence of each stream that still has such rows."""
        return {row[0]: row[1] for row in tx.execute(self._last)}

    def publish_again(self, tx: Connection, stream: str, first_sequence: int) -> int:
        """Let the relay publish from `first_sequence` on again: the stream lost it.

        Takes the last 1,000 such events; call it until it returns less. In between nothing
        may be published, and a crash leaves the earlier ones to be found by the next relay.
        """
        values = {"s": stream, "first": first_sequence}
        found = list(tx.execute(self._again, values).scalars())
        if found:
            self.mark(tx, found, None)
            self.has_new = True
        return len(found)

    def forget(self, tx: Connection, stream: str, before_sequence: int) -> int:
        """Remove at most 1,000 published events below a sequence; return how many."""
        values = {"s": stream, "before": before_sequence}
        found = list(tx.execute(self._done, values).scalars())
        if found:
            tx.execute(self._delete, {"ids": found})
        return len(found)

    def depth(self, tx: Connection) -> int:
        """Return how many events wait to be published, without counting them one by one.

        Numbers that a transaction took and gave back are counted as well.
        """
        first, last = tx.execute(self._span).one()
        return last - first + 1 if first is not None else 0
