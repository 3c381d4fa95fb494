"""What callers get while stores are away: intents refused, last known answers with their age.

Everything else reaches the service, whose own work then fails, or does without the store.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from runtime.identity import principal_of
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, Only, one
from runtime.stores.durability import Durability
from runtime.stores.errors import CommitUnknown, StoreError
from runtime.stores.presence import Absence
from runtime.times import NS_PER_S

AS_OF = "as_of"  # The field of an answer that tells its age.
KNOWN_S = 60.0  # So long an answer may be given again.
KNOWN_MAX = 256

Question = tuple[str, str, bytes]  # Who asked, what, with which request.


@dataclass(frozen=True, slots=True)
class Known:
    """An answer as it was given, and when."""

    answer: Message
    at_s: float  # Of the event loop.
    at_ns: int


class Outage:
    """Stands between the guards and a service whose stores may be away.

    Last known answers are for people, who see how old they are. A service that decides by
    what it reads gets UNAVAILABLE and waits.
    """

    def __init__(self, inner: Transport, durability: Durability) -> None:
        self._inner = inner
        self._durability = durability
        self._known: OrderedDict[Question, Known] = OrderedDict()  # The oldest first.

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on, if what it begins can be kept; remember what people are answered."""
        if method.policy.intent:
            return Answer(self._begun(method, requests, call))
        if method.is_unary and AS_OF in method.response.DESCRIPTOR.fields_by_name:
            principal = principal_of(call)
            if principal is not None and not principal.service:
                return Answer(self._asked(principal.name, method, requests, call))
        return self._inner.call(method, requests, call)

    async def _begun(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        await self._durability.admit_intent()
        return await one(self._inner.call(method, requests, call))

    async def _asked(
        self, name: str, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Message:
        request = await anext(requests)
        question = (name, method.path, request.SerializeToString(deterministic=True))
        at_s = asyncio.get_running_loop().time()
        at_ns = self._durability.now_ns()
        try:
            answer = await one(self._inner.call(method, Only(request), call))
        except CommitUnknown:
            raise
        except StoreError:
            if (known := self._last(question)) is None:
                raise
            return _dated(known.answer, known.at_ns)
        if (away := self._durability.presence.absence) is not None:
            return self._from_memory(answer, away)
        self._remember(question, Known(answer, at_s, at_ns))
        return answer

    def _from_memory(self, answer: Message, away: Absence) -> Message:
        """Return what a service answered without its store: known as of when that went away."""
        age_s = (self._durability.now_ns() - away.since_ns) / NS_PER_S
        if age_s > KNOWN_S:
            raise StoreError(
                f"the store has been away for {age_s:.0f} s ({away.reason}): what was known "
                f"before may be told for {KNOWN_S:.0f} s; repeat later"
            )
        return _dated(answer, away.since_ns)

    def _last(self, question: Question) -> Known | None:
        known = self._known.get(question)
        if known is None or asyncio.get_running_loop().time() > known.at_s + KNOWN_S:
            return None
        return known

    def _remember(self, question: Question, known: Known) -> None:
        """Keep an answer while it may be given again, the newest few."""
        self._known.pop(question, None)
        self._known[question] = known
        while len(self._known) > KNOWN_MAX or self._oldest().at_s < known.at_s - KNOWN_S:
            self._known.popitem(last=False)

    def _oldest(self) -> Known:
        return next(iter(self._known.values()))


def _dated(known: Message, at_ns: int) -> Message:
    answer: Any = type(known)()
    answer.CopyFrom(known)
    answer.as_of.FromNanoseconds(at_ns)
    return answer  # type: ignore[no-any-return]
