"""Which events have already had their effect (rules X7 and X10)."""

from sqlalchemy import Column, Connection, MetaData, String, Table

from runtime.stores import schema
from runtime.stores.constraints import names
from runtime.stores.new_rows import NewRows


def inbox_table(metadata: MetaData) -> Table:
    """Return the table `inbox` of one service, for `Inbox`."""
    return schema.table(
        "inbox",
        metadata,
        Column("consumer", String(64), primary_key=True),
        Column("event_id", String(128), primary_key=True),
        *names("consumer", "event_id"),
    )


class Inbox:
    """Makes handling idempotent: insert and effect share one transaction."""

    def __init__(self, table: Table) -> None:
        self._rows = NewRows(table)

    def first_time(self, tx: Connection, consumer: str, event_id: str) -> bool:
        """Return whether `consumer` sees `event_id` for the first time; it never will again."""
        return self._rows.add(tx, {"consumer": consumer, "event_id": event_id})
