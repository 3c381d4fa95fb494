"""Refuses requests that break the rules of their contract, naming every rule broken (O6)."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message import Message
from grpc import StatusCode
from protovalidate import EvaluationError, FieldPathElementPb, Validator, Violation

from runtime.errors import BadRequest, ErrorInfo, ServiceError
from runtime.guards.enums import unknown_values
from runtime.guards.sure import is_surely_valid
from runtime.rpc import Call, Method, Transport
from runtime.single import Messages, Only

SHOWN = 3  # How many violations the message spells out; the details hold them all.
VALIDATOR = Validator()  # Compiles the rules of a message type once, then keeps them.


# The latest batches without a violation, by their rules and their bytes: what one process tells
# several services at once (orders its events) is looked at once, as their rules are the same.
VALID: "OrderedDict[tuple[bytes, bytes], None]" = OrderedDict()
VALID_MAX = 32


class Validation:
    """Checks each request message, also every one of a stream, before the service sees it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on, or raise INVALID_ARGUMENT."""
        if type(requests) is Only:
            check(requests.message, method.service)
            return self._inner.call(method, requests, call)
        return self._inner.call(method, _Checked(requests, method.service), call)


class _Checked(AsyncIterator[Message]):
    """The same messages, none of them invalid. Those before an invalid one were delivered."""

    def __init__(self, messages: AsyncIterator[Message], service: str) -> None:
        self._messages = messages
        self._service = service

    async def __anext__(self) -> Message:
        message = await anext(self._messages)
        check(message, self._service)
        return message


def check(message: Message, service: str) -> None:
    """Raise INVALID_ARGUMENT of `service` if `message` breaks a rule of its contract."""
    rules = _rules_of_batch(message.DESCRIPTOR)
    known = (rules, message.SerializeToString(deterministic=True)) if rules else None
    if known in VALID:
        return
    if is_surely_valid(message):
        if known is not None:
            _keep_valid(known)
        return
    violations = _violations(message, service)
    unknown = unknown_values(message)
    if not violations and not unknown:
        if known is not None:
            _keep_valid(known)
        return
    found = {_path(v): _field_violation(v) for v in reversed(violations)} if unknown else {}
    fields = [_field_violation(v) for v in violations]
    fields += [_unknown_enum(path, number) for path, number in unknown if path not in found]
    shown = "; ".join(f"{f.field}: {f.description}" for f in fields[:SHOWN])
    more = f"; and {len(fields) - SHOWN} more" if len(fields) > SHOWN else ""
    raise _broken(message, service, f"{shown}{more}", fields)


def _violations(message: Message, service: str) -> list[Violation]:
    """Return what protovalidate finds; what its rules cannot even be asked of is invalid, too."""
    try:
        return VALIDATOR.collect_violations(message)
    except EvaluationError as error:
        found = BadRequest.FieldViolation(description=str(error), reason="rule.not_applicable")
        raise _broken(message, service, str(error), [found]) from error


def _broken(
    message: Message, service: str, text: str, fields: list[BadRequest.FieldViolation]
) -> ServiceError:
    return ServiceError(
        StatusCode.INVALID_ARGUMENT,
        f"{message.DESCRIPTOR.name} breaks its contract: {text}",
        (
            ErrorInfo(reason="CONTRACT_VIOLATED", domain=f"plimsoll.{service}"),
            BadRequest(field_violations=fields),
        ),
    )


@cache
def _rules_of_batch(descriptor: Descriptor) -> bytes:
    """Return what `descriptor` demands if it is but a list of messages, b"" otherwise.

    Two batches of equal bytes that demand the same are both valid, or neither is.
    """
    fields = descriptor.fields
    if len(fields) != 1 or fields[0].message_type is None or not fields[0].is_repeated:
        return b""
    stated = DescriptorProto()
    descriptor.CopyToProto(stated)
    stated.name = ""
    return stated.SerializeToString(deterministic=True)


def _keep_valid(batch: tuple[bytes, bytes]) -> None:
    VALID[batch] = None
    if len(VALID) > VALID_MAX:
        VALID.popitem(last=False)


def _field_violation(violation: Violation) -> BadRequest.FieldViolation:
    stated = violation.proto
    return BadRequest.FieldViolation(
        field=_path(violation), description=stated.message, reason=stated.rule_id
    )


def _unknown_enum(path: str, number: int) -> BadRequest.FieldViolation:
    return BadRequest.FieldViolation(
        field=path,
        description=f"is {number}, must be a value that the contract lists",
        reason="enum.defined_only",
    )


def _path(violation: Violation) -> str:
    """Return the path as a reader writes it: `order.legs[2].price`; "" is the whole message."""
    stated = violation.proto.field
    return ".".join(map(_step, stated.elements)) if stated is not None else ""


def _step(element: FieldPathElementPb) -> str:
    key = element.subscript
    if key is None:
        return element.field_name
    return (
        f'{element.field_name}["{key.value}"]'
        if isinstance(key.value, str)
        else (f"{element.field_name}[{key.value}]")
    )
