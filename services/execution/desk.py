"""What everybody who works on executions shares."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from runtime.environment import Environment
from runtime.stores import Known
from services.execution import store
from services.execution.children import Child
from services.execution.store import Key
from services.execution.venue import VenueLink


@dataclass(frozen=True, slots=True)
class Desk:
    """The service's environment, the key that risk signs with, and the venue."""

    environment: Environment
    approval_key: bytes
    link: VenueLink
    known: Known[Key, Child]  # Children that are open, as they were written here last (X12).

    def now_ns(self) -> int:
        """Return the service's time."""
        return self.environment.clock.now_ns()

    def add_child(self, tx: Connection, child: Child) -> None:
        """Keep a new child."""
        store.insert_child(tx, child)
        self._note(child)

    def keep_children(self, tx: Connection, children: Sequence[Child]) -> None:
        """Keep what has changed of children that are there."""
        store.update_children(tx, children)
        for child in children:
            self._note(child)

    def children(self, tx: Connection, keys: Sequence[Key]) -> dict[Key, Child]:
        """Return those of the named children that exist; only those not known are read."""
        found = {key: self.known.get(key) for key in keys}
        if unknown := [key for key, child in found.items() if child is None]:
            found |= store.load_children(tx, unknown)
        return {key: child for key, child in found.items() if child is not None}

    def _note(self, child: Child) -> None:
        self.known.note((child.account, child.child_order_id), child if child.is_open else None)
