"""Which events have already had their effect (rules X7 and X10)."""

from sqlalchemy import Column, Connection, MetaData, String, Table, insert


def inbox_table(metadata: MetaData) -> Table:
    """Return the table `inbox` of one service, for `Inbox`."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", String(64), primary_key=True),
        Column("event_id", String(128), primary_key=True),
    )


class Inbox:
    """Makes handling idempotent: insert and effect share one transaction."""

    def __init__(self, table: Table) -> None:
        statement = insert(table).prefix_with("OR IGNORE", dialect="sqlite")
        self._insert = statement.prefix_with("IGNORE", dialect="mysql")

    def first_time(self, tx: Connection, consumer: str, event_id: str) -> bool:
        """Return whether `consumer` sees `event_id` for the first time; it never will again."""
        found = tx.execute(self._insert, {"consumer": consumer, "event_id": event_id})
        return found.rowcount == 1
