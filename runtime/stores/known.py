"""What a single writer knows to be committed, so that it need not read it back (rule X12)."""

from typing import Generic, TypeVar

from runtime.stores.database import Database

K = TypeVar("K")
V = TypeVar("V")
KNOWN_MAX = 8_192


class Known(Generic[K, V]):
    """The newest rows as they were written, by key; what is missing is read from the store.

    Only for rows that nobody else writes (the epoch fences off who did before) and of which
    every write here is noted. To be asked within a transaction, as part of which it then is:
    what a transaction has noted it also sees, and when it comes to nothing, so do its notes.
    """

    def __init__(self, database: Database, size_max: int = KNOWN_MAX) -> None:
        self._database = database
        self._size_max = size_max
        self._committed: dict[K, V] = {}  # Oldest first.
        self._noted: dict[K, V | None] = {}  # By the transaction `_transaction`.
        self._transaction = -1
        database.on_commit(self._keep)

    def get(self, key: K) -> V | None:
        """Return what is known of a row within the present transaction; None: read it."""
        if self._transaction == self._database.transactions and key in self._noted:
            return self._noted[key]
        return self._committed.get(key)

    def note(self, key: K, value: V | None) -> None:
        """Note what a row is once the present transaction is committed; None: of no interest."""
        if self._transaction != self._database.transactions:
            self._noted, self._transaction = {}, self._database.transactions
        self._committed.pop(key, None)  # Whatever becomes of the commit, that is no longer sure.
        self._noted[key] = value

    def forget(self) -> None:
        """Forget everything: something else was in the store than was known."""
        self._committed.clear()
        self._noted.clear()

    def _keep(self) -> None:
        if self._transaction != self._database.transactions:
            return  # What was noted last came to nothing.
        for key, value in self._noted.items():
            if value is not None:
                self._committed[key] = value
        self._noted = {}
        while len(self._committed) > self._size_max:
            del self._committed[next(iter(self._committed))]
