"""What spooling costs: `python -m runtime.stores.spool_bench` prints one line per figure."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from runtime.clock import SystemClock
from runtime.stores.database import Database
from runtime.stores.spool import Spool, free_share_of

FACT = b"x" * 300  # A report with its names and prices.
FACTS = 20_000
FACTS_MIN_PER_S = 5_000
IN_FLIGHT = 64
TAKEN = 256


async def appended_per_s(spool: Spool, *, in_flight: int, count: int) -> float:
    """Return how many facts reach the disk in a second while so many are on their way."""

    async def writer() -> None:
        for _ in range(count // in_flight):
            await spool.append(FACT)

    began_s = time.perf_counter()
    await asyncio.gather(*[writer() for _ in range(in_flight)])
    return count / (time.perf_counter() - began_s)


async def taken_per_s(spool: Spool) -> float:
    """Return how many facts are read and removed in a second."""
    count, began_s = spool.depth, time.perf_counter()
    while facts := await spool.first(TAKEN):
        await spool.remove_until(facts[-1][0])
    return count / (time.perf_counter() - began_s)


async def main() -> int:
    """Print the figures; return 1 when facts are spooled more slowly than they must be."""
    with tempfile.TemporaryDirectory(prefix="plimsoll-") as folder:
        database = Database.sqlite_file(Path(folder) / "bench.spool")
        spool = Spool(database, SystemClock(), free_share_of(Path(folder)))
        await spool.open()
        one = await appended_per_s(spool, in_flight=1, count=500)
        many = await appended_per_s(spool, in_flight=IN_FLIGHT, count=FACTS)
        taken = await taken_per_s(spool)
        await database.close()
    limit = f"(must be {FACTS_MIN_PER_S} at least)"
    sys.stdout.write(f"spooled, one after the other    {one:10,.0f} facts/s\n")
    sys.stdout.write(f"spooled, {IN_FLIGHT} on their way        {many:10,.0f} facts/s {limit}\n")
    sys.stdout.write(f"taken off, {TAKEN} at a time        {taken:10,.0f} facts/s\n")
    return int(many < FACTS_MIN_PER_S)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
