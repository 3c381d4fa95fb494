"""How long to wait before something is tried again, in the event loop's time."""

import asyncio
import random

FIRST_S = 0.1
LONGEST_S = 5.0
DOUBLINGS_MAX = 16


def pause_s(attempt: int, rng: random.Random) -> float:
    """Return 0.1, 0.2, 0.4 … at most 5 seconds, each with a jitter of half of it (X5)."""
    base_s: float = min(LONGEST_S, FIRST_S * 2.0 ** min(attempt, DOUBLINGS_MAX))
    return min(LONGEST_S, base_s * rng.uniform(0.5, 1.5))


async def pause(attempt: int, rng: random.Random, most_s: float = LONGEST_S) -> None:
    """Wait before the attempt after number `attempt`, counted from 0, but at most `most_s`."""
    await asyncio.sleep(min(pause_s(attempt, rng), most_s))
