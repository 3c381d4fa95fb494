"""Ports, methods and transports: the vocabulary every call is made of.

A *port* is the class generated from a proto service. Services implement it,
`connect` returns it, so callers cannot tell a local object from a remote one.
A *transport* carries one call; each one is a single `call` method.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from runtime.errors import ServiceError
from runtime.single import Answer, Messages, Only, one

NOTHING: Mapping[str, str] = MappingProxyType({})


class Call(NamedTuple):
    """What travels beside the request: how long it may take, and text metadata.

    A service that passes its `call` on passes on what is left of the deadline.
    Metadata keys are lower case, values printable ASCII: what gRPC can carry.
    """

    timeout_s: float | None = None
    metadata: Mapping[str, str] = NOTHING
    deadline_s: float | None = None  # The same as event-loop time, once the call is sent.

    def remaining_s(self) -> float | None:
        """Return the seconds left of the deadline, never below 0; None means without end."""
        if self.deadline_s is None:
            return self.timeout_s
        return max(0.0, self.deadline_s - asyncio.get_running_loop().time())

    def started(
        self, limit_s: float | None = None, metadata: Mapping[str, str] | None = None
    ) -> "Call":
        """Return this call with its deadline running: its own or `limit_s`, whichever is less.

        `metadata`, if given, takes the place of its own.
        """
        timeout_s, own_metadata, deadline_s = self
        if limit_s is None or (timeout_s is not None and timeout_s < limit_s):
            limit_s = timeout_s
        if metadata is None:
            metadata = own_metadata
        if limit_s is not None:
            latest_s = asyncio.get_running_loop().time() + limit_s
            if deadline_s is None or latest_s < deadline_s:
                return Call(limit_s, metadata, latest_s)
        return self if metadata is own_metadata else Call(timeout_s, metadata, deadline_s)

    def with_metadata(self, metadata: Mapping[str, str]) -> "Call":
        """Return this call with `metadata` instead of its own."""
        return Call(self.timeout_s, metadata, self.deadline_s)


class Idempotency(Enum):
    """Whether a call may be repeated when its answer is missing."""

    SAFE = "SAFE"  # Changes nothing.
    IDEMPOTENT_BY_KEY = "IDEMPOTENT_BY_KEY"  # The same key again gets the first answer.
    NOT_IDEMPOTENT = "NOT_IDEMPOTENT"  # Never repeated by the runtime.


@dataclass(frozen=True)
class Policy:
    """The options that the contract gives one method (specification 2)."""

    deadline_s: float | None = None  # None: an endless stream.
    idempotency: Idempotency = Idempotency.NOT_IDEMPOTENT
    key: str = ""  # Path of the request field that makes a repeat a repeat.
    max_attempts: int = 3
    roles: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    target_rps: float = 0.0
    p99_ms: float = 0.0
    items_per_call: int = 1
    audited: bool = False
    intent: bool = False  # Refused while it could not be kept.
    urgent: bool = False  # Never refused because of load.


@dataclass(frozen=True)
class Method:
    """One RPC as its descriptor and its options state it."""

    path: str  # "/trading.orders.v1.OrderService/SubmitOrder"
    name: str  # "submit_order", the Python method on the port
    request: type[Message]
    response: type[Message]
    streams_requests: bool
    streams_responses: bool
    policy: Policy = Policy()

    @cached_property
    def is_unary(self) -> bool:
        """Whether both sides are one message."""
        return not (self.streams_requests or self.streams_responses)

    @cached_property
    def label(self) -> str:
        """The name in metrics and spans: "OrderService/SubmitOrder"."""
        return self.path.lstrip("/").rpartition(".")[2]

    @cached_property
    def service(self) -> str:
        """The serving area's name: "orders" of "/trading.orders.v1.OrderService/SubmitOrder"."""
        return self.path.split(".")[1] if self.path.count(".") > 1 else self.path.split("/")[1]


class Port:
    """The class that every generated port extends."""

    DESCRIPTOR: ClassVar[ServiceDescriptor]
    POLICIES: ClassVar[Mapping[str, Policy]] = {}  # By the Python name of the method.

    async def start(self) -> None:
        """Catch up with store and peers, then accept calls; a client has nothing to do."""

    async def stop(self) -> None:
        """End what runs in the background; what was committed stays."""


class Transport(Protocol):
    """Carries one call. A unary side is a stream of exactly one message."""

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return the responses. Raises ServiceError at once or while they are read."""


P = TypeVar("P", bound=Port)


def connect(port: type[P], transport: Transport) -> P:
    """Return a `port` whose every method goes through `transport`."""
    stubs = {m.name: _stub(m, transport) for m in methods(port)}
    client: type[P] = type(f"{port.__name__}Client", (port,), {"__init__": _nothing, **stubs})
    return client()


def methods(port: type[Port]) -> tuple[Method, ...]:
    """Return every method of a port, in the order of its contract."""
    return tuple(_method(d, port.POLICIES) for d in port.DESCRIPTOR.methods)


def invoke(method: Method, port: Port, requests: AsyncIterator[Message], call: Call) -> Messages:
    """Run `method` of a local `port`, presenting all four kinds as stream to stream."""
    function = getattr(port, method.name)
    if method.is_unary and type(requests) is Only:
        return Answer(function(requests.message, call))
    if method.streams_responses:
        return _stream(method, function, requests, call)
    return Answer(_unary(method, function, requests, call))


async def _unary(
    method: Method, function: Callable[..., Any], requests: AsyncIterator[Message], call: Call
) -> Message:
    answer: Message = await function(
        requests if method.streams_requests else await one(requests), call
    )
    return answer


async def _stream(
    method: Method, function: Callable[..., Any], requests: AsyncIterator[Message], call: Call
) -> Messages:
    argument = requests if method.streams_requests else await one(requests)
    # A caller that leaves early must end the service's generator now, not at
    # garbage collection: hence `aclosing` around every stream we relay.
    async with aclosing(function(argument, call)) as responses:
        async for response in responses:
            yield response


def only(message: Message) -> AsyncIterator[Message]:
    """Return `message` as a stream of one."""
    return Only(message)


@cache  # Each port has some ten, and is asked for them by every client and every server.
def snake_case(name: str) -> str:
    """Return the Python name of an RPC."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _method(d: MethodDescriptor, policies: Mapping[str, Policy]) -> Method:
    name = snake_case(d.name)
    return Method(
        path=f"/{d.containing_service.full_name}/{d.name}",
        name=name,
        request=GetMessageClass(d.input_type),
        response=GetMessageClass(d.output_type),
        streams_requests=d.client_streaming,
        streams_responses=d.server_streaming,
        policy=policies.get(name, Policy()),
    )


def _stub(method: Method, transport: Transport) -> Callable[..., Any]:
    def stream(self: Port, request: Any, call: Call = Call()) -> Messages:
        requests = request if method.streams_requests else Only(request)
        try:
            return transport.call(method, requests, call)
        except ServiceError as error:  # Raised where it is expected: when the stream is read.
            return _refused(error)

    def unary(self: Port, request: Any, call: Call = Call()) -> Awaitable[Message]:
        requests = request if method.streams_requests else Only(request)
        try:
            return one(transport.call(method, requests, call))
        except ServiceError as error:  # Raised where it is expected: when the answer is awaited.
            return one(_refused(error))

    return stream if method.streams_responses else unary


async def _refused(error: ServiceError) -> Messages:
    raise error
    yield  # Makes this a generator.


def _nothing(self: Port) -> None:
    """Build a client without running the constructor of a service."""
