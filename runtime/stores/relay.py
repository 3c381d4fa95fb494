"""Publishes an outbox to Redis Streams, in order, at least once (rule X9)."""

from redis.asyncio import Redis

from runtime.clock import Clock
from runtime.stores.database import Database
from runtime.stores.outbox import Outbox

BATCH_SIZE_MAX = 256
POLL_S = 0.1
BACKOFF_S_MAX = 5.0


class Relay:
    """Carries committed events to their streams.

    Start it with `tasks.spawn(relay.run(), name="relay")`. It is woken by every commit that
    appended; it polls only after an error, or when another process may write to the same
    database. Redis being away costs nothing but time: order is kept. A crash between
    publishing and marking publishes the same `event_id` twice; consumers have an inbox.
    """

    def __init__(self, database: Database, outbox: Outbox, streams: Redis, clock: Clock) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Publish until cancelled."""
        raise NotImplementedError
