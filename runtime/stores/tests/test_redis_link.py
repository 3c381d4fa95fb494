"""Whoever cancels a command of Redis is heard, whenever that is, and no reply is mixed up."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from runtime.stores.tests.mothers import valkey

TURNS, STEPS = 200, 12  # Each attempt cancels at another step of the loop.
HEARD_WITHIN_S = 5.0


async def echoing(redis: Redis) -> None:
    """Ask for ever, and look at each reply; ends by a cancellation alone."""
    number = 0
    while True:
        number += 1
        assert await redis.echo(f"{number}") == f"{number}".encode()


@pytest.mark.real_time
async def test_a_cancelled_command_never_goes_on(tmp_path: Path) -> None:
    """`asyncio.wait_for` of CPython 3.11, by which commands are sent, swallows some."""
    async with valkey(tmp_path) as redis:
        for turn in range(TURNS):
            asking = asyncio.create_task(echoing(redis))
            for _ in range(turn % STEPS):
                await asyncio.sleep(0)
            asking.cancel()
            _, unheard = await asyncio.wait([asking], timeout=HEARD_WITHIN_S)
            asking.cancel()
            assert not unheard
            assert asking.cancelled()
