"""Events committed together with the change they tell of, and published after (rule X9)."""

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
    insert,
    update,
)

from runtime.stores import schema


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
        sqlite_autoincrement=True,  # An id is never used again, so id order is commit order.
    )
    Index("ix_outbox_unpublished", outbox.c.published_ns, outbox.c.id)
    Index("ix_outbox_sequence", outbox.c.stream, outbox.c.sequence)
    return outbox


class Outbox:
    """Writes events into the transaction of the change they tell of."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.has_new = False  # Whether the next commit may carry events for the relay.
        self._insert = insert(table)
        columns = table.c
        of_stream = (columns.stream == bindparam("s"), columns.sequence >= bindparam("first"))
        self._unpublish = update(table).where(*of_stream).values(published_ns=None)
        self._forget = delete(table).where(columns.published_ns < bindparam("before_ns"))

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

    def publish_again(self, tx: Connection, stream: str, first_sequence: int) -> None:
        """Let the relay publish everything from `first_sequence` on again: the stream is lost."""
        tx.execute(self._unpublish, {"s": stream, "first": first_sequence})
        self.has_new = True

    def forget_published(self, tx: Connection, before_ns: int) -> int:
        """Remove what was published before `before_ns`; return how many events that were."""
        return tx.execute(self._forget, {"before_ns": before_ns}).rowcount
