"""What a service is given instead of reaching for the world itself."""

import random
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from runtime.clock import Clock
from runtime.hosting import Tasks
from runtime.ids import Ids
from runtime.progress import Progress
from runtime.stores.durability import Durability

if TYPE_CHECKING:
    from runtime.naming import Identity
    from runtime.stores import Database, Streams
    from runtime.stores.spool import Spool


@dataclass(frozen=True)
class Environment:
    """One service's clock, chance, state and background work."""

    service: str  # "orders"
    clock: Clock
    rng: random.Random  # Derived from (seed, service): see `runtime.ids.derived_rng`.
    ids: Ids
    database: "Database"  # This service's own.
    streams: "Streams"  # Redis as this instance sees it; fakeredis in virtual time.
    progress: Progress
    tasks: Tasks
    spool: "Spool | None" = None  # On a local disk, for those that spool; None: in memory.

    @property
    def identity(self) -> "Identity":
        """The names of this instance, in every store."""
        return self.streams.identity

    @cached_property
    def durability(self) -> Durability:
        """What the service can promise about its data at this moment."""
        return Durability(self.service, self.database, self.clock, self.tasks)
