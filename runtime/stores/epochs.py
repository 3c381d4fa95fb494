"""Single writer per shard: who started last writes, everybody older is refused (rule X12)."""

from typing import TYPE_CHECKING, Any

from grpc import StatusCode
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from runtime.errors import ServiceError, refusal
from runtime.stores import schema
from runtime.stores.constraints import at_least
from runtime.stores.errors import FenceFailed, cleared, number_of
from runtime.stores.hot import SERVERS
from runtime.stores.new_rows import NewRows

if TYPE_CHECKING:
    from runtime.stores.database import Database

OWN_EPOCH = "SELECT epoch FROM epochs WHERE shard = ?"
# Locks the row as FOR UPDATE would, and needs no answer: a later epoch makes it NULL, an error.
RAISE_EPOCH = (
    "INSERT INTO epochs (shard, epoch) VALUES (%s, %s) "
    "ON DUPLICATE KEY UPDATE epoch = IF(epoch > VALUES(epoch), NULL, VALUES(epoch))"
)
NO_NULL = 1048  # MySQL: ER_BAD_NULL_ERROR.


def epochs_table(metadata: MetaData) -> Table:
    """Return the table `epochs` of one service, for `Epochs`."""
    return schema.table(
        "epochs",
        metadata,
        Column("shard", String(64), primary_key=True),
        Column("epoch", BigInteger, nullable=False),
        *at_least(0, "epoch"),
    )


class Epochs:
    """Hands out and checks the fencing numbers of shards."""

    def __init__(self, table: Table) -> None:
        is_shard = table.c.shard == bindparam("s")
        self._select = select(table.c.epoch).where(is_shard).with_for_update()
        self._update = update(table).where(is_shard)
        self._insert = insert(table)
        self._rows = NewRows(table)

    def take(self, tx: Connection, shard: str) -> int:
        """Return the next epoch of `shard`: 1 at first, greater than every one before."""
        if (current := self.current(tx, shard)) == 0:
            self._rows.add(tx, {"shard": shard, "epoch": 0})  # So that there is a row to lock.
            current = self.current(tx, shard)
        epoch = current + 1
        self._keep(tx, shard, epoch)
        return epoch

    def current(self, tx: Connection, shard: str) -> int:
        """Return the epoch of the present writer of `shard`, 0 when there never was one."""
        return int(tx.execute(self._select, {"s": shard}).scalar() or 0)

    def admit(self, tx: Connection, shard: str, epoch: int) -> None:
        """Accept a caller of `epoch` and remember it. Raises ABORTED when a later one was here."""
        current = self.current(tx, shard)
        if epoch < current:
            raise superseded("epoch", f"shard {shard}", epoch, current)
        if epoch > current:
            self._keep(tx, shard, epoch)

    def _keep(self, tx: Connection, shard: str, epoch: int) -> None:
        if tx.execute(self._update, {"s": shard, "epoch": epoch}).rowcount == 0:
            tx.execute(self._insert, {"shard": shard, "epoch": epoch})


class EpochFence:
    """Admits one writer to one shard, in a way that costs least."""

    def __init__(self, epochs: Epochs, shard: str, epoch: int) -> None:
        self._epochs = epochs
        self._shard = shard
        self._epoch = epoch

    def __call__(self, tx: Connection) -> None:
        """Raise ABORTED when a later writer was here."""
        self._epochs.admit(tx, self._shard, self._epoch)

    def quickly(self, tx: Connection) -> None:
        """Do the same; on a server FenceFailed is raised instead, with a later statement."""
        driver: Any = tx.connection.driver_connection
        if tx.dialect.name in SERVERS:
            driver.later(RAISE_EPOCH, ((self._shard, self._epoch),), _failed)
            return
        if driver.execute(OWN_EPOCH, (self._shard,)).fetchone() != (self._epoch,):
            self(tx)


def _failed(error: Exception) -> Exception:
    """Return FenceFailed for the NULL, and what an error of the driver is to everybody else."""
    return FenceFailed() if number_of(error) == NO_NULL else cleared(error)


async def become_writer(database: "Database", table: Table, shard: str) -> int:
    """Take the next epoch of `shard`; former writers commit nothing from now on (X12)."""
    epochs = Epochs(table)
    epoch = await database.write(lambda tx: epochs.take(tx, shard))
    database.fence(EpochFence(epochs, shard, epoch))
    return epoch


def superseded(kind: str, name: str, number: int, current: int) -> ServiceError:
    """Return the error for a writer that a later one has fenced off."""
    return refusal(
        StatusCode.ABORTED,
        "EPOCH_SUPERSEDED",
        f"{kind} {number} of {name} is over: {kind} {current} writes now; stop",
        service="stores",
        epoch=str(number),
        current=str(current),
    )
