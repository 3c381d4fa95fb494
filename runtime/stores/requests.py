"""Repeats get the first answer: the request keys of a service (rule O4)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from runtime.clock import Clock
from runtime.digest import digest
from runtime.errors import refusal
from runtime.stores import schema
from runtime.stores.constraints import names
from runtime.stores.database import Database
from runtime.stores.ending import end

A = TypeVar("A", bound=Message)
HOUR_NS = 3_600 * 1_000_000_000
KEPT_NS = 7 * 24 * HOUR_NS


def requests_table(metadata: MetaData) -> Table:
    """Return the table `requests` of one service, for `Requests`."""
    return schema.table(
        "requests",
        metadata,
        Column("method", String(64), primary_key=True),
        Column("key", String(128), primary_key=True),
        Column("digest", schema.DIGEST, nullable=False),
        Column("answer_type", String(128), nullable=False),
        Column("answer", schema.BYTES, nullable=False),
        Column("stored_ns", BigInteger, nullable=False, index=True),
        *names("method"),
    )


@dataclass(slots=True)
class _First:
    """The first request of a key, while it runs."""

    digest: bytes
    task: asyncio.Task[Any] | None = None
    remembered: Message | None = None  # The answer its own transaction has stored.


class Requests:
    """Answers a repeated request as the first one was answered.

    An error is not an answer: after one, a repeat runs again. Answers are kept 7 days of
    the service's clock.
    """

    def __init__(self, database: Database, table: Table, clock: Clock, *, service: str) -> None:
        self._database = database
        self._clock = clock
        self._service = service
        self._running: dict[tuple[str, str], _First] = {}
        self._forget_ns = 0
        row = (table.c.method == bindparam("m"), table.c.key == bindparam("k"))
        columns = (table.c.digest, table.c.answer_type, table.c.answer, table.c.stored_ns)
        self._select = select(*columns).where(*row)
        self._insert = insert(table)
        self._delete_old = delete(table).where(table.c.stored_ns <= bindparam("old_ns"))

    async def once(
        self,
        method: str,
        key: str,
        request: Message,
        work: Callable[[], Awaitable[A]],
        *,
        is_looked_up: bool = True,
    ) -> A:
        """Return the stored answer for this key, or what `work` answers, which is then stored.

        While the first still runs a repeat waits for it, and a caller that leaves does not
        cancel it. When `work` calls `remember` in its own transaction, effect and answer are
        one commit; otherwise the answer is committed right after `work` returned, and a crash
        in between makes a repeat run `work` again. Raises ALREADY_EXISTS when the key was used
        for another request; both digests stand in the ErrorInfo. Unless `is_looked_up`, `work`
        asks for `earlier` itself, when it finds that it has been run before.
        """
        fingerprint = digest(request)
        first = self._running.get((method, key))
        if first is None:
            first = self._running[method, key] = _First(fingerprint)
            run = self._run(method, key, request, work, is_looked_up=is_looked_up)
            first.task = asyncio.create_task(run, name=f"{self._service}:{method} {key}")
            first.task.add_done_callback(_look_at)
        self._check_same(method, key, first.digest, fingerprint)
        assert first.task is not None
        return cast(A, await asyncio.shield(first.task))

    def remember(
        self, tx: Connection, method: str, key: str, request: Message, answer: Message
    ) -> None:
        """Store the answer within the transaction `tx` of the effect; `once` adds nothing then."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._forget_ns:
            tx.execute(self._delete_old, {"old_ns": now_ns - KEPT_NS})
            self._forget_ns = now_ns + HOUR_NS
        first = self._running.get((method, key))
        row = {
            "method": method,
            "key": key,
            "digest": first.digest if first else digest(request),
            "answer_type": answer.DESCRIPTOR.full_name,
            "answer": answer.SerializeToString(),
            "stored_ns": now_ns,
        }
        tx.execute(self._insert, row)
        if first is not None:
            first.remembered = answer

    async def stop(self) -> None:
        """Cancel what still runs for callers, and wait for it."""
        await end([first.task for first in self._running.values() if first.task])

    async def earlier(self, method: str, key: str) -> Message | None:
        """Return the stored answer to the request that runs under this key, if there is one.

        Raises as `once` does.
        """
        first = self._running[method, key]
        first.remembered = await self._stored(method, key, first.digest)
        return first.remembered

    async def _run(
        self,
        method: str,
        key: str,
        request: Message,
        work: Callable[[], Awaitable[A]],
        *,
        is_looked_up: bool,
    ) -> A:
        first = self._running[method, key]
        try:
            if is_looked_up and (stored := await self._stored(method, key, first.digest)):
                return cast(A, stored)
            answer = await work()
            if first.remembered is answer:
                return answer
            # Its transaction may have come to nothing, or be on its way: what is stored counts.
            if first.remembered and (stored := await self._stored(method, key, first.digest)):
                return cast(A, stored)
            await self._database.write(lambda tx: self.remember(tx, method, key, request, answer))
            return answer
        finally:
            del self._running[method, key]

    async def _stored(self, method: str, key: str, fingerprint: bytes) -> Message | None:
        parameters = {"m": method, "k": key}
        row = await self._database.read(lambda tx: tx.execute(self._select, parameters).first())
        if row is None:
            return None
        if row.stored_ns <= self._clock.now_ns() - KEPT_NS:
            self._forget_ns = 0  # Gone by the clock, still in the table: the next one removes it.
            return None
        self._check_same(method, key, row.digest, fingerprint)
        kind = GetMessageClass(Default().FindMessageTypeByName(row.answer_type))
        return kind.FromString(row.answer)

    def _check_same(self, method: str, key: str, first: bytes, this: bytes) -> None:
        if first == this:
            return
        raise refusal(
            StatusCode.ALREADY_EXISTS,
            "KEY_REUSED",
            f"{method} was called with key {key!r} and another request before: "
            "repeat that request unchanged, or take a new key",
            service=self._service,
            first_digest=first.hex(),
            this_digest=this.hex(),
        )


def _look_at(task: asyncio.Task[Any]) -> None:
    """Take note of an error that nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()
