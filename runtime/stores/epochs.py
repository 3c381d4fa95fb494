"""Single writer per shard: who started last writes, everybody older is refused (rule X12)."""

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table


def epochs_table(metadata: MetaData) -> Table:
    """Return the table `epochs` of one service, for `Epochs`."""
    return Table(
        "epochs",
        metadata,
        Column("shard", String(64), primary_key=True),
        Column("epoch", BigInteger, nullable=False),
    )


class Epochs:
    """Hands out the fencing numbers of shards."""

    def __init__(self, table: Table) -> None:
        raise NotImplementedError

    def take(self, tx: Connection, shard: str) -> int:
        """Return the next epoch of `shard`: 1 at first, greater than every one before."""
        raise NotImplementedError

    def current(self, tx: Connection, shard: str) -> int:
        """Return the epoch of the present writer of `shard`, 0 when there never was one."""
        raise NotImplementedError
