"""Background work of a service: started by name, ended together, never lost in silence."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

CANCEL_AGAIN_S = 5.0  # So long may work take to end in its own time.
log = logging.getLogger(__name__)


class Tasks:
    """The background tasks of one service.

    A task that crashes is logged with its traceback at once, stands in `failed`, and its
    error is raised by `stop` (the first one, when there are several).
    """

    def __init__(self, service: str = "") -> None:
        self.failed: dict[str, BaseException] = {}
        self._service = service
        self._running: list[asyncio.Task[Any]] = []

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run `work` beside the service until it ends or the service stops."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self._service}:{name}")
        self._running.append(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel what still runs, newest first, and wait for it. Raises what has crashed."""
        while self._running:
            task = self._running[-1]
            task.cancel()
            # Before Python 3.12 `wait_for` may swallow a cancel that meets its result.
            while not (await asyncio.wait([task], timeout=CANCEL_AGAIN_S))[0]:
                task.cancel()
            await asyncio.sleep(0)  # Its done callback takes it off the list.
        for error in self.failed.values():
            raise error

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.remove(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        name = task.get_name()
        self.failed.setdefault(name, error)
        log.error("background task %s crashed: %r", name, error, exc_info=error)
