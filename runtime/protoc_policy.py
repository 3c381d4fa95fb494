"""The policy that a contract states for each method, and what a statement must hold.

Source: specification of the pipeline, section 2 (O1).
"""

import re
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import (
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

from runtime.protoc_contract import METHOD, SERVICE, Contract
from runtime.rpc import Idempotency, Policy

OPTION = "(trading.options.v1.method)"
IDEMPOTENCIES = {
    1: Idempotency.SAFE,
    2: Idempotency.IDEMPOTENT_BY_KEY,
    3: Idempotency.NOT_IDEMPOTENT,
}
CONFLATING = {2: "DELIVERY_RESYNC", 3: "DELIVERY_CONFLATED"}


@dataclass(frozen=True)
class Place:
    """One method in its file, and where to report what is wrong with it."""

    contract: Contract
    file: FileDescriptorProto
    path: tuple[int, ...]
    method: MethodDescriptorProto

    @property
    def streams(self) -> bool:
        """Whether either side is a stream."""
        return self.method.client_streaming or self.method.server_streaming

    def fail(self, message: str) -> None:
        """Record what is wrong with the method."""
        self.contract.fail(self.file, self.path, f"{self.method.name} {message}")


def policy_of(contract: Contract, file: FileDescriptorProto, service: int, method: int) -> Policy:
    """Return the policy of a method; what it lacks becomes errors of the contract."""
    descriptor = file.service[service].method[method]
    place = Place(contract, file, (SERVICE, service, METHOD, method), descriptor)
    options = contract.option(descriptor.options, "trading.options.v1.method")
    if options is None:
        place.fail(f"states no policy, add option {OPTION}")
        return Policy()
    _check_key(place, options)
    _check_stream(place, options)
    _check_dry_run(place, options)
    if not options.HasField("load"):
        place.fail("states no load, add `load: {target_rps p99_ms}`, or `load: {}` for none")
    if not options.roles and not options.callers:
        place.fail("states no roles, add `roles` or `callers`: nobody may call it")
    return Policy(
        deadline_s=_deadline_s(place, options),
        idempotency=IDEMPOTENCIES.get(options.idempotency, Idempotency.NOT_IDEMPOTENT),
        key=options.key,
        max_attempts=options.max_attempts or 3,
        roles=frozenset(_role_name(options, number) for number in options.roles),
        callers=frozenset(options.callers),
        target_rps=options.load.target_rps,
        p99_ms=options.load.p99_ms,
        items_per_call=options.load.items_per_call or 1,
        audited=options.audited,
        intent=options.intent,
        urgent=options.urgent,
    )


def check_degradations(contract: Contract, file: FileDescriptorProto, service: int) -> None:
    """Record as errors what a service states of its degraded modes that cannot be so."""
    descriptor = file.service[service]
    options = contract.option(descriptor.options, "trading.options.v1.service")
    methods = {method.name for method in descriptor.method}
    seen: set[str] = set()
    for one in () if options is None else options.degraded:
        wrong = []
        if one.without not in options.depends_on:
            wrong.append(f'"{one.without}" is not in its depends_on: add it there')
        if one.without in seen:
            wrong.append(f'"{one.without}" is stated twice: make it one')
        wrong += [f'it has no method "{name}"' for name in one.refuses if name not in methods]
        seen.add(one.without)
        for what in wrong:
            contract.fail(file, (SERVICE, service), f"{descriptor.name} states `degraded`, {what}")


def _role_name(options: Any, number: int) -> str:
    roles = options.DESCRIPTOR.fields_by_name["roles"].enum_type
    name: str = roles.values_by_number[number].name
    return name.removeprefix("ROLE_")


def _deadline_s(place: Place, options: Any) -> float | None:
    deadline_s: float = options.deadline.seconds + options.deadline.nanos / 1e9
    if not options.HasField("deadline"):
        place.fail("states no deadline, add `deadline: {seconds: …}`, for a stream `deadline: {}`")
    elif deadline_s < 0:
        place.fail(f"has a deadline of {deadline_s} s, must be above 0")
    elif deadline_s == 0 and not place.streams:
        place.fail("is unary and has no deadline, must end: state `deadline: {seconds: …}`")
    return deadline_s or None


def _check_key(place: Place, options: Any) -> None:
    by_key = options.idempotency == 2
    if options.idempotency not in IDEMPOTENCIES:
        place.fail("states no idempotency, add IDEMPOTENCY_SAFE, _BY_KEY or _NOT_IDEMPOTENT")
    if by_key and not options.key:
        place.fail("is IDEMPOTENCY_BY_KEY without a key, add the path of a required string")
    if options.key and not by_key:
        place.fail(f'has the key "{options.key}", must be IDEMPOTENCY_BY_KEY or have none')
    if not options.key or not by_key:
        return
    kinds = [_resolve(place, part) for part in options.key.split("+")]
    if None not in kinds and FieldDescriptorProto.TYPE_STRING not in kinds:
        place.fail(f'has the key "{options.key}" without a string, must name a required string')


def _resolve(place: Place, path: str) -> int | None:
    """Return the type of the field that a key names, or None after reporting what is wrong."""
    message, field = place.method.input_type, None
    for name in path.split("."):
        field = place.contract.fields_of(message).get(name)
        if field is None:
            place.fail(f'has the key "{path}", but {message.lstrip(".")} has no field "{name}"')
            return None
        if not _is_required(place, field):
            place.fail(f'has the key "{path}", whose "{name}" may be empty: make it required')
            return None
        message = field.type_name
    if field is None or field.type == FieldDescriptorProto.TYPE_MESSAGE:
        place.fail(f'has the key "{path}", which is a message: name a string in it')
        return None
    return int(field.type)


def _is_required(place: Place, field: FieldDescriptorProto) -> bool:
    """Whether a valid request always has the field, or the items through which the path goes."""
    rules = place.contract.option(field.options, "buf.validate.field")
    if field.label == FieldDescriptorProto.LABEL_REPEATED or _is_number(field):
        return True
    if field.HasField("oneof_index") and place.method.client_streaming:
        return True  # A stream's first message may be the header that carries the key.
    if rules is None or rules.ignore:
        return False
    text = rules.string
    pattern_is_filled = bool(text.pattern) and re.search(text.pattern, "") is None
    return bool(rules.required or text.min_len or text.len or text.uuid or pattern_is_filled)


def _is_number(field: FieldDescriptorProto) -> bool:
    return field.type in {
        FieldDescriptorProto.TYPE_INT32,
        FieldDescriptorProto.TYPE_INT64,
        FieldDescriptorProto.TYPE_ENUM,
    }


def _check_stream(place: Place, options: Any) -> None:
    if not options.HasField("stream"):
        return
    if not place.method.server_streaming:
        place.fail("states `stream`, but answers once: remove it")
    delivery = CONFLATING.get(options.stream.delivery)
    if delivery and not (options.stream.key and options.stream.snapshot):
        place.fail(f"is {delivery}, must name its `key` and its `snapshot` method")
    methods = {m.name for m in place.file.service[place.path[1]].method}
    if options.stream.snapshot and options.stream.snapshot not in methods:
        place.fail(f'names the snapshot "{options.stream.snapshot}", which its service lacks')


def _check_dry_run(place: Place, options: Any) -> None:
    field = place.contract.fields_of(place.method.input_type).get("validate_only")
    is_flag = field is not None and field.type == FieldDescriptorProto.TYPE_BOOL
    if options.validate_only and not is_flag:
        place.fail("states `validate_only`, but its request has no such bool: add one")
    if is_flag and not options.validate_only:
        place.fail("has a request with `validate_only`, must state `validate_only: true`")
