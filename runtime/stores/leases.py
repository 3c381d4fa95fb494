"""Who may act for a name at present: leases that run out, and tokens that fence off the past.

A lease alone proves nothing: its holder may be paused and wake up later. So every acquisition
gets a greater token, and whoever is asked to act admits the token within the transaction of
the act: from the moment a greater one was given out, nothing of a former holder is committed.

Instants are nanoseconds of the clock given. Clocks of two devices may differ by `MARGIN_NS`
without harm to anybody's patience (a holder stops so much before its time is over), and by
anything without harm to the data, because of the tokens. A clock set back lengthens a lease,
never shortens it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    select,
    update,
)

from runtime.stores import schema
from runtime.stores.constraints import at_least
from runtime.stores.epochs import superseded
from runtime.stores.new_rows import NewRows

MARGIN_NS = 500_000_000
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A right to act until `until_ns`, with the token that proves it."""

    name: str
    holder: str
    token: int
    until_ns: int

    def is_valid(self, now_ns: int) -> bool:
        """Whether its holder may still act by its own clock, the margin kept back."""
        return now_ns < self.until_ns - MARGIN_NS


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else holds the lease; ask again at `until_ns`."""

    name: str
    holder: str
    until_ns: int


def leases_table(metadata: MetaData) -> Table:
    """Return the table `leases` of one service, for `Leases`."""
    return schema.table(
        "leases",
        metadata,
        Column("name", String(64), primary_key=True),
        Column("token", BigInteger, nullable=False),
        Column("holder", String(64), nullable=False),  # Empty: nobody.
        Column("until_ns", BigInteger, nullable=False),
        *at_least(0, "token"),
    )


class Leases:
    """Gives out, prolongs and checks leases of one length.

    Every method belongs into a transaction of `Database.write`: a name's row stays locked from
    the first look at it to the commit, so whoever admitted a token is through before a greater
    one is given out.
    """

    def __init__(self, table: Table, *, ttl_ns: int) -> None:
        if ttl_ns <= MARGIN_NS:
            raise ValueError(f"ttl_ns is {ttl_ns}, must be more than the margin {MARGIN_NS}")
        is_name = table.c.name == bindparam("of_name")
        self._ttl_ns = ttl_ns
        self._rows = NewRows(table)
        self._select = select(table).where(is_name).with_for_update()
        self._update = update(table).where(is_name)

    def acquire(self, tx: Connection, name: str, holder: str, now_ns: int) -> Lease | Held:
        """Return the lease of `name` with a new token, or who holds it and until when.

        Who holds it already gets it at once: its former self is fenced off like any other.
        """
        if holder == NOBODY:
            raise ValueError("the holder has no name, must have one: that is who a lease is for")
        row = self._row(tx, name)
        if row.holder not in {NOBODY, holder} and now_ns < row.until_ns:
            return Held(name, row.holder, row.until_ns)
        return self._keep(tx, Lease(name, holder, row.token + 1, now_ns + self._ttl_ns))

    def renew(self, tx: Connection, lease: Lease, now_ns: int) -> Lease:
        """Return `lease` with new time before it; also if it ran out and nobody wanted it.

        Raises ABORTED when it was given up, or somebody else got it.
        """
        row = self._row(tx, lease.name)
        if row.token != lease.token or row.holder != lease.holder:
            raise superseded("lease", lease.name, lease.token, row.token)
        until_ns = max(row.until_ns, now_ns + self._ttl_ns)
        return self._keep(tx, Lease(lease.name, lease.holder, lease.token, until_ns))

    def release(self, tx: Connection, lease: Lease) -> bool:
        """Give a lease up for others to take at once; False when it was not ours any more."""
        row = self._row(tx, lease.name)
        if row.token != lease.token or row.holder != lease.holder:
            return False
        self._keep(tx, Lease(lease.name, NOBODY, lease.token, 0))
        return True

    def admit(self, tx: Connection, name: str, token: int) -> None:
        """Accept who acts with `token` and remember it. Raises ABORTED after a greater one.

        Time does not matter here: a holder whose time ran out may act until somebody follows.
        """
        row = self._row(tx, name)
        if token < row.token:
            raise superseded("lease", name, token, row.token)
        if token > row.token:  # Given out by another store; its holder is not ours to know.
            self._keep(tx, Lease(name, NOBODY, token, 0))

    def _row(self, tx: Connection, name: str) -> Row[Any]:
        """Return the row of `name`, locked until the commit."""
        row = tx.execute(self._select, {"of_name": name}).first()
        if row is None:
            self._rows.add(tx, {"name": name, "token": 0, "holder": NOBODY, "until_ns": 0})
            row = tx.execute(self._select, {"of_name": name}).one()
        return row

    def _keep(self, tx: Connection, lease: Lease) -> Lease:
        values = {"token": lease.token, "holder": lease.holder, "until_ns": lease.until_ns}
        tx.execute(self._update, {"of_name": lease.name} | values)
        return lease
