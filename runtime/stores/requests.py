"""Repeats get the first answer: the request keys of a service (rule O4)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from runtime.clock import Clock
from runtime.stores.database import Database

A = TypeVar("A", bound=Message)
KEPT_NS = 7 * 24 * 3600 * 1_000_000_000


def requests_table(metadata: MetaData) -> Table:
    """Return the table `requests` of one service, for `Requests`."""
    return Table(
        "requests",
        metadata,
        Column("method", String(64), primary_key=True),
        Column("key", String(128), primary_key=True),
        Column("digest", LargeBinary(32), nullable=False),
        Column("answer_type", String(128), nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("stored_ns", BigInteger, nullable=False, index=True),
    )


class Requests:
    """Answers a repeated request as the first one was answered.

    An error is not an answer: after one, a repeat runs again. Answers are kept 7 days of
    the service's clock.
    """

    def __init__(self, database: Database, table: Table, clock: Clock, *, service: str) -> None:
        raise NotImplementedError

    async def once(
        self, method: str, key: str, request: Message, work: Callable[[], Awaitable[A]]
    ) -> A:
        """Return the stored answer for this key, or what `work` answers, which is then stored.

        While the first still runs a repeat waits for it, and a caller that leaves does not
        cancel it. When `work` calls `remember` in its own transaction, effect and answer are
        one commit; otherwise the answer is committed right after `work` returned, and a crash
        in between makes a repeat run `work` again. Raises ALREADY_EXISTS when the key was used
        for another request; both digests stand in the ErrorInfo.
        """
        raise NotImplementedError

    def remember(
        self, tx: Connection, method: str, key: str, request: Message, answer: Message
    ) -> None:
        """Store the answer within the transaction `tx` of the effect; `once` adds nothing then."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Cancel what still runs for callers, and wait for it."""
        raise NotImplementedError
