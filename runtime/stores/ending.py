"""Ending loops for certain: a cancellation can get lost on its way.

`asyncio.wait_for` of CPython 3.11 swallows a cancellation that arrives just when what it
waits for is done, and redis-py uses it for every command it sends: one `cancel` in twenty,
sent to a loop of commands, had no effect. So such loops ask whether they were cancelled.
"""

import asyncio
from collections.abc import Iterable
from typing import Any


def stop_if_cancelled() -> None:
    """Raise CancelledError when this task was cancelled, also if somebody swallowed it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel `tasks` and return when all have ended, however they do."""
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
