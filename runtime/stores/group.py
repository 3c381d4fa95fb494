"""A group of units of work that share one transaction and one commit."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from runtime.errors import ServiceError
from runtime.stores.errors import StoreFenced, cleared
from runtime.stores.hot import flush


@dataclass(slots=True)
class Unit:
    """One caller's work and the future it waits for."""

    work: Callable[[Connection], Any]
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def finish(self) -> None:
        """Tell the caller how its work ended, if it still waits."""
        if self.answer.done():
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)

    def fail(self, error: Exception) -> None:
        """Tell the caller that the whole group came to nothing."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Fence(Protocol):
    """Lets a transaction pass that may still write."""

    def __call__(self, tx: Connection) -> None:
        """Raise a ServiceError that says why it may not."""

    def quickly(self, tx: Connection) -> None:
        """Do the same, or raise FenceFailed, now or at the latest before anything is committed."""


class UnitRaised(Exception):
    """One of several units raised: the group is rolled back and run again, unit by unit."""


def run_behind(
    tx: Connection, fence: Callable[[Connection], None], body: Callable[[Connection], None]
) -> None:
    """Run `body` if `fence` lets it pass, in one transaction."""
    try:
        fence(tx)
    except ServiceError as error:
        raise StoreFenced(error.message) from error
    except (DBAPIError, sqlite3.Error) as error:
        raise cleared(error) from error.__cause__
    body(tx)


def run_together(tx: Connection, units: Sequence[Unit]) -> None:
    """Run every unit in order, the cheap way: nothing separates them but their order."""
    for unit in units:
        try:
            unit.result = unit.work(tx)
        except Exception as error:
            trouble = cleared(error)
            if trouble is not error or len(units) == 1:
                raise trouble from error.__cause__
            raise UnitRaised from error


def run_apart(tx: Connection, units: Sequence[Unit], taken_back: Callable[[], None]) -> None:
    """Run every unit in its own savepoint, so that a raiser takes back only its own work.

    `taken_back` is called after each that was.
    """
    for unit in units:
        unit.error = None  # Of an earlier run, which the server took back.
        tx.exec_driver_sql("SAVEPOINT unit")
        try:
            unit.result = unit.work(tx)
            flush(tx)  # Nobody else may be told of its errors.
        except Exception as error:
            trouble = cleared(error)
            if trouble is not error:
                raise trouble from error
            unit.error = error
            tx.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
            taken_back()
        tx.exec_driver_sql("RELEASE SAVEPOINT unit")
