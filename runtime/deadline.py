"""Bounds work by an instant of the event loop, at no cost for work that never waits."""

import asyncio
from collections.abc import Awaitable, Generator
from types import coroutine
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")


class DeadlinePassed(TimeoutError):
    """The deadline that `until` was given has come: by its timer, so 1 ns early at most."""


class _Work(Protocol):
    """What a coroutine and an async generator's step have in common."""

    def send(self, value: Any) -> Any: ...

    def throw(self, error: BaseException) -> Any: ...


def until(deadline_s: float, work: Awaitable[T]) -> Awaitable[T]:
    """Await `work` until the loop's time is `deadline_s`; then cancel it, raise DeadlinePassed.

    `work` is a coroutine or a step of an async generator, not yet begun. A timer is set only
    once `work` waits: a local call that answers at once never pays for one.
    """
    return cast(Awaitable[T], _until(deadline_s, cast(_Work, work)))


@coroutine
def _until(deadline_s: float, work: _Work) -> Generator[Any, Any, Any]:
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        return done.value
    alarm = _Alarm(deadline_s)
    try:
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001 - whatever it is, the work gets it.
                waits_for = work.throw(error)
            else:
                waits_for = work.send(sent)
    except StopIteration as done:
        return done.value
    except asyncio.CancelledError as error:
        if alarm.is_only_cause():
            raise DeadlinePassed from error
        raise
    finally:
        alarm.switch_off()


class _Alarm:
    """Cancels the running task at an instant, as `asyncio.timeout` does."""

    def __init__(self, deadline_s: float) -> None:
        task = asyncio.current_task()
        assert task is not None, "a deadline needs a task to cancel"
        self._task = task
        self._cancelling = task.cancelling()
        self._rang = False
        self._timer = task.get_loop().call_at(deadline_s, self._ring)

    def is_only_cause(self) -> bool:
        """Whether the cancellation came from here alone, and takes it back."""
        rang, self._rang = self._rang, False
        return rang and self._task.uncancel() <= self._cancelling

    def switch_off(self) -> None:
        self._timer.cancel()
        if self._rang:  # The work answered all the same.
            self._task.uncancel()

    def _ring(self) -> None:
        self._rang = True
        self._task.cancel()
