"""A day of two producers and three readers, by a seed: prints the hash of what happened."""

import asyncio
import hashlib
import random
import sys
from collections.abc import Sequence

from runtime.stores import Database, Entry, Relay, StreamConsumer, Subscription
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.tests.mothers import Box, FixedClock, event, running, streams_of, with_tables
from runtime.virtual import VirtualLoop

KEYS = [f"KEY-{i}" for i in range(30)]


async def tell(seed: int) -> str:
    rng = random.Random(seed)
    server = SimulatedServer()
    told: list[str] = []

    def reader(group: str) -> StreamConsumer:
        async def handle(entries: Sequence[Entry]) -> None:
            await asyncio.sleep(rng.random() / 100)
            now_s = asyncio.get_running_loop().time()
            told.extend(f"{now_s} {group} {e.entry_id} {e.event_id} {e.key}" for e in entries)

        async def bury(entry: Entry, error: Exception) -> None:
            raise error

        return StreamConsumer(
            streams_of(SimulatedRedis(server)), Subscription("signals", group), handle, bury
        )

    boxes = [Box(await with_tables(Database.inline_memory())) for _ in range(2)]
    views = [streams_of(SimulatedRedis(server), name) for name in ("strategy", "marketdata")]
    relays = [
        Relay(box.database, box.outbox, view, FixedClock())
        for box, view in zip(boxes, views, strict=True)
    ]
    readers = [reader(group) for group in ("orders", "risk", "portfolio")]
    async with running(*[r.run() for r in relays], *[r.run() for r in readers]):
        for number in range(300):
            await rng.choice(boxes).emit(event(number, rng.choice(KEYS)))
            await asyncio.sleep(rng.random() / 50)
            if number % 100 == 50:
                server.go_away()
                asyncio.get_running_loop().call_later(3, server.come_back)
        await asyncio.sleep(60)
    assert len(told) >= 900
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        sys.stdout.write(runner.run(tell(int(sys.argv[1]))))
