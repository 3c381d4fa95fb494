"""Works that wait together: they share one transaction, and one statement of each kind (G1)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from runtime.stores import StoreConflict, StoreError
from services.orders.unit import Unit

T = TypeVar("T")
TOGETHER_MAX = 64


@dataclass(slots=True, eq=False)
class Job:
    """One caller's work, and the traceparent of what its events are part of."""

    work: Callable[[Unit], Any]
    parent: str
    answer: "asyncio.Future[Any] | None" = None
    result: Any = None

    def finish(self, error: Exception | None = None) -> None:
        """Tell the caller how its work ended, if it still waits."""
        if self.answer is None or self.answer.done():
            return
        if error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(error)


class Together:
    """Commits what arrives during one commit with the next; each caller hears only of its own.

    `commit` runs jobs in order in one unit and returns once they are committed and told.
    """

    def __init__(self, commit: Callable[[Sequence[Job]], Awaitable[None]]) -> None:
        self._commit = commit
        self._waiting: deque[Job] = deque()
        self._drainer: asyncio.Task[None] | None = None

    async def done(self, job: Job) -> Any:
        """Return what the work of `job` returned, after its commit; raises what it raised."""
        job.answer = asyncio.get_running_loop().create_future()
        self._waiting.append(job)
        if self._drainer is None:
            self._drainer = asyncio.create_task(self._drain(), name="orders together")
        return await job.answer

    async def _drain(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), TOGETHER_MAX)
                taken = [self._waiting.popleft() for _ in range(size)]
                jobs = [job for job in taken if job.answer and not job.answer.done()]
                if jobs:  # Else everybody has left.
                    await self._finish(jobs)
        finally:
            self._drainer = None
            for job in self._waiting:  # None, unless this was ended with the loop.
                assert job.answer is not None
                job.answer.cancel()
            self._waiting.clear()

    async def _finish(self, jobs: Sequence[Job]) -> None:
        """Commit jobs; when it may be the fault of one of them, each by itself."""
        try:
            await self._commit(jobs)
        except Exception as error:  # noqa: BLE001 - Every caller gets it.
            if len(jobs) > 1 and _is_of_one(error):
                await asyncio.gather(*[self._finish([job]) for job in jobs])
                return
            for job in jobs:
                job.finish(error)
        else:
            for job in jobs:
                job.finish()


def _is_of_one(error: Exception) -> bool:
    """Whether an error is about one work, not about the store."""
    return isinstance(error, StoreConflict) or not isinstance(error, StoreError)
