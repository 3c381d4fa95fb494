"""A network of rules around any transport: delay, loss, cut links, by seed.

    network = SimulatedNetwork(LocalTransport(ports))
    with network.rule(loss(rng, share=0.01)), network.rule(latency(rng, mean_s=0.002)):
        ...

Each rule is asked, the newest first, about each message that crosses; the first verdict wins
and no verdict means: at once. So a cut laid over a link's usual delay is a cut. `Delay` and
`Duplicate` leave the rest to the rules behind them. Time passes
through the running loop, so in virtual time delays are free and the order repeats from the
seed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.deadline import until
from runtime.errors import ServiceError, Unsent, refusal
from runtime.identity import principal_of
from runtime.local import failure, timely
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, Only, one


@dataclass(frozen=True, slots=True)
class Passage:
    """One message on its way between a caller and a service."""

    method: Method
    message: Message
    call: Call
    is_request: bool
    number: int = 1  # Of the messages of its side of the call.

    @property
    def caller(self) -> str:
        """The calling service, or the person's name, or "" if the call does not say."""
        principal = principal_of(self.call)
        return (principal.service or principal.name) if principal else ""

    @property
    def service(self) -> str:
        """The service called: "risk"."""
        return self.method.service


@dataclass(frozen=True)
class Deliver:
    """The message arrives, later by `after_s`; those behind it in its stream wait for it."""

    after_s: float = 0.0


@dataclass(frozen=True)
class Drop:
    """The message never arrives, nor does anything behind it in its stream."""


@dataclass(frozen=True)
class Delay:
    """The message takes longer by `added_s` than the rules behind this one have it."""

    added_s: float


@dataclass(frozen=True)
class Hold:
    """The message waits for `until`; then all rules are asked anew."""

    until: asyncio.Event


@dataclass(frozen=True)
class Duplicate:
    """A unary request arrives, and `after_s` after it a copy, whose answer nobody hears."""

    after_s: float = 0.0


@dataclass(frozen=True)
class Break:
    """The connection breaks: the caller gets UNAVAILABLE and cannot know what happened."""

    reason: str = "CONNECTION_BROKEN"


@dataclass(frozen=True)
class Refuse:
    """The call ends with a status that did not come from the service."""

    code: StatusCode
    reason: str
    message: str


SERVICE_ENDED = "SERVICE_ENDED"
Verdict = Deliver | Drop | Delay | Hold | Duplicate | Break | Refuse | None
Rule = Callable[[Passage], Verdict]


class SimulatedNetwork:
    """Carries calls through `inner`, as the rules in force have it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._rules: list[Rule] = []
        self._copies: set[asyncio.Task[None]] = set()  # The loop itself forgets them.

    def beside(self, inner: Transport) -> "SimulatedNetwork":
        """Return a network that carries calls through `inner`, under the same rules as this."""
        other = SimulatedNetwork(inner)
        other._rules = self._rules
        return other

    @contextmanager
    def rule(self, rule: Rule) -> Iterator[None]:
        """Have `rule` in force for the length of the block, asked before those already there."""
        self._rules.insert(0, rule)
        try:
            yield
        finally:
            self._rules.remove(rule)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what arrives of the responses."""
        if method.is_unary and type(requests) is Only:
            return Answer(self._unary(method, requests, call.started()))
        return self._stream(method, requests, call.started())

    async def _unary(self, method: Method, requests: Only, call: Call) -> Message:
        work = self._there_and_back(method, requests, call)
        if call.deadline_s is None:
            return await work
        try:
            return await until(call.deadline_s, work)
        except TimeoutError as error:
            raise failure(method, call, error) from error

    async def _there_and_back(self, method: Method, requests: Only, call: Call) -> Message:
        if self._rules:
            request = Passage(method, requests.message, call, is_request=True)
            if (copy := await self.carry(request)) is not None:
                self._send_copy(request, copy)
        try:
            answer = await one(self._inner.call(method, requests, call))
        except Unsent as error:  # What the service could not send: its own business.
            raise error.passed_on() from error
        except asyncio.CancelledError as error:
            if _is_leaving():
                raise
            asked = Passage(method, requests.message, call, is_request=True)
            raise _broken(asked, SERVICE_ENDED) from error
        if self._rules:
            await self.carry(Passage(method, answer, call, is_request=False))
        return answer

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        arriving = _Crossing(self, method, requests, call)
        answers = self._inner.call(method, arriving, call)
        async with aclosing(answers), aclosing(self._back(method, answers, call)) as carried:
            try:
                async for answer in timely(carried, call):
                    yield answer
            except TimeoutError as error:
                raise failure(method, call, error) from error
            except Unsent as error:
                raise error.passed_on() from error
            except asyncio.CancelledError as error:
                if _is_leaving():
                    raise
                lost = Passage(method, method.response(), call, is_request=False)
                raise _broken(lost, SERVICE_ENDED) from error

    async def _back(self, method: Method, answers: Messages, call: Call) -> Messages:
        number = 0
        async for answer in answers:
            number += 1
            await self.carry(Passage(method, answer, call, is_request=False, number=number))
            yield answer

    async def carry(self, passage: Passage) -> Duplicate | None:
        """Return when the message has arrived, and whether a copy of it is to arrive, too."""
        added_s: float = 0.0
        copy: Duplicate | None = None
        for rule in self._rules:
            match rule(passage):
                case None:
                    continue
                case Delay(more_s):
                    added_s += more_s
                case Duplicate() as found:
                    copy = found
                case Hold(until_):
                    await until_.wait()
                    return await self.carry(passage)
                case Deliver(after_s):
                    added_s += after_s
                    break
                case verdict:
                    await _end(passage, verdict, added_s)
        if added_s > 0:
            await asyncio.sleep(added_s)
        return copy

    def _send_copy(self, request: Passage, copy: Duplicate) -> None:
        """Let a copy of a request arrive; it has the time that the request had at first."""
        call = Call(request.call.timeout_s, request.call.metadata)
        message = request.method.request()
        message.CopyFrom(request.message)  # As it is now: the service may change what it gets.
        work = self._copied(request.method, message, call, copy.after_s)
        task = asyncio.create_task(work, name=f"copy of {request.method.label}")
        self._copies.add(task)
        task.add_done_callback(self._copies.discard)

    async def _copied(self, method: Method, message: Message, call: Call, after_s: float) -> None:
        if after_s > 0:
            await asyncio.sleep(after_s)
        with suppress(ServiceError):  # Nobody hears of it.
            await one(self._inner.call(method, Only(message), call.started()))


async def _end(passage: Passage, verdict: Drop | Break | Refuse, after_s: float) -> None:
    """Let the message not arrive."""
    if after_s > 0:
        await asyncio.sleep(after_s)
    match verdict:
        case Drop():
            await asyncio.get_running_loop().create_future()  # For ever.
        case Break(reason):
            raise _broken(passage, reason)
        case Refuse(code, reason, message):
            raise refusal(code, reason, message, service=passage.service)


@dataclass
class _Crossing(AsyncIterator[Message]):
    """The requests of a stream as they arrive at the service."""

    network: SimulatedNetwork
    method: Method
    requests: AsyncIterator[Message]
    call: Call
    number: int = 0

    async def __anext__(self) -> Message:
        request = await anext(self.requests)
        self.number += 1
        await self.network.carry(
            Passage(self.method, request, self.call, is_request=True, number=self.number)
        )
        return request


def _is_leaving() -> bool:
    """Tell whether it is the caller who leaves; else what was waited for was of the service."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _broken(passage: Passage, reason: str) -> ServiceError:
    side = "request" if passage.is_request else "answer"
    return refusal(
        StatusCode.UNAVAILABLE,
        reason,
        f"the connection broke before the {side} of {passage.method.path} arrived: "
        "read back whether it happened",
        service=passage.service,
    )
