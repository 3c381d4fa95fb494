"""The parts of a reference page: services, messages and enums as Markdown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

from plimsoll.contracts.rule_words import meaning_words, rule_words, seconds
from runtime.protoc_contract import METHOD, SERVICE, Contract

MESSAGE, ENUM, FIELD, NESTED, NESTED_ENUM, VALUE = 4, 5, 2, 3, 4, 2  # Descriptor field numbers.
OPTIONS = "trading.options.v1"
KINDS = {
    (False, False): "unary",
    (False, True): "server stream",
    (True, False): "client stream",
    (True, True): "both stream",
}
DELIVERIES = {
    2: "drops the backlog of a slow reader, who starts again from a snapshot",
    3: "keeps only the newest message of each key for a slow reader",
}
ENUM_HEAD = ("Value", "Meaning", "Checked on", "Default limit", "Waived when reducing")
REPEATS = ("not stated", "safe", "by key", "no")


@dataclass(frozen=True)
class Page:
    """One file of a contract, and where to look things up."""

    contract: Contract
    file: FileDescriptorProto

    def comment(self, *path: int) -> str:
        """Return the comment at a descriptor path."""
        return self.contract.comment(self.file, path).replace("<", "\\<")

    def option(self, descriptor: Any, name: str) -> Any:
        """Return an option of ours, such as "method", or None."""
        return self.contract.option(descriptor.options, f"{OPTIONS}.{name}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        cells = (cell.replace("|", "\\|").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"


def service_lines(page: Page, s: int) -> Iterator[str]:
    """Yield a service: its promise, its methods at a glance, then each in full."""
    service = page.file.service[s]
    yield from ("", f"## {service.name}", "", page.comment(SERVICE, s))
    facts = list(_service_facts(page.option(service, "service")))
    if facts:
        yield from ("", *facts)
    yield ""
    head = ("RPC", "Kind", "Deadline", "Repeatable", "Roles", "Services", "Load")
    yield from table(head, [_method_row(page, method) for method in service.method])
    for m, method in enumerate(service.method):
        ask, answer = (_link(page, t) for t in (method.input_type, method.output_type))
        yield from ("", f"### {method.name}", "", f"{ask} → {answer}", "")
        yield page.comment(SERVICE, s, METHOD, m)
        facts = list(_method_facts(page.option(method, "method")))
        if facts:
            yield from ("", *facts)


def _service_facts(options: Any) -> Iterator[str]:
    if options is None:
        return
    if options.depends_on:
        yield f"- stands on {', '.join(options.depends_on)}"
    if options.http_path:
        yield f"- is served over HTTP below `/api/v1/{options.http_path}`"
    if options.owner_tables:
        yield f"- owns the tables {', '.join(f'`{name}`' for name in options.owner_tables)}"
    for one in options.degraded:
        refused = ", ".join(f"`{name}`" for name in one.refuses) or "nothing"
        yield f"- without {one.without} refuses {refused}: {one.effect}"


def _method_row(page: Page, method: MethodDescriptorProto) -> tuple[str, ...]:
    options = page.option(method, "method")
    kind = KINDS[method.client_streaming, method.server_streaming]
    name = f"[{method.name}](#{method.name.lower()})"
    if options is None:
        return (name, kind, "", "", "", "", "")
    deadline = f"{seconds(options.deadline):g} s" if options.deadline.ByteSize() else "none"
    repeat = REPEATS[options.idempotency] + (f" `{options.key}`" if options.key else "")
    roles = options.DESCRIPTOR.fields_by_name["roles"].enum_type.values_by_number
    names = (roles[number].name.removeprefix("ROLE_").lower() for number in options.roles)
    callers = ("any" if caller == "*" else caller for caller in options.callers)
    return (name, kind, deadline, repeat, ", ".join(names), ", ".join(callers), _load(options.load))


def _method_facts(options: Any) -> Iterator[str]:
    if options is None:
        return
    if options.max_attempts == 1:
        yield "- is never sent again by the runtime"
    if options.validate_only:
        yield "- with `validate_only`, stores and sends nothing"
    if options.audited:
        yield "- is audited"
    if options.intent:
        yield "- begins something new: refused while it could not be kept"
    if options.urgent:
        yield "- is urgent: never refused because of load"
    stream = options.stream
    if stream.numbered_by:
        yield f"- each `{stream.numbered_by}` has sequences of its own"
    if stream.follows:
        yield f"- shows nothing before the service was shown it by `{stream.follows}`"
    delivery = DELIVERIES.get(stream.delivery)
    if delivery:
        yield f"- {delivery}; `{stream.key}` is the key, `{stream.snapshot}` answers the state"


def _load(load: Any) -> str:
    if not load.target_rps:
        return "—"
    packed = f" × {load.items_per_call}" if load.items_per_call > 1 else ""
    return f"{load.target_rps:g}/s{packed}, p99 {load.p99_ms:g} ms"


def type_lines(page: Page) -> Iterator[str]:
    """Yield the messages and enums of a file, in its order."""
    for i, message in enumerate(page.file.message_type):
        yield from _message(page, message, message.name, (MESSAGE, i))
    for i, enum in enumerate(page.file.enum_type):
        yield from _enum(page, enum, enum.name, (ENUM, i))


def _message(
    page: Page, message: DescriptorProto, name: str, path: tuple[int, ...]
) -> Iterator[str]:
    yield from ("", f"## {name}", "", page.comment(*path), "")
    if message.field:
        head = ("Field", "Type", "Rules", "Meaning")
        rows = [
            _field_row(page, message, field, page.comment(*path, FIELD, i))
            for i, field in enumerate(message.field)
        ]
        yield from table(head, rows)
    else:
        yield "Has no fields."
    yield from _message_rules(page, message)
    for i, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(page, nested, f"{name}.{nested.name}", (*path, NESTED, i))
    for i, enum in enumerate(message.enum_type):
        yield from _enum(page, enum, f"{name}.{enum.name}", (*path, NESTED_ENUM, i))


def _message_rules(page: Page, message: DescriptorProto) -> Iterator[str]:
    rules = page.contract.option(message.options, "buf.validate.message")
    if rules is not None and rules.cel:
        yield from ("", *(f"- {rule.message} (`{rule.id}`)" for rule in rules.cel))


def _field_row(
    page: Page, message: DescriptorProto, field: FieldDescriptorProto, comment: str
) -> tuple[str, ...]:
    rules = page.contract.option(field.options, "buf.validate.field")
    meaning = meaning_words(page.option(field, "field"))
    words = "; ".join(filter(None, (rule_words(rules), meaning)))
    shape = _type(page, message, field)
    if field.HasField("oneof_index") and not field.proto3_optional:
        shape += f", one of `{message.oneof_decl[field.oneof_index].name}`"
    return (f"`{field.name}` {field.number}", shape, words, comment)


def _type(page: Page, message: DescriptorProto, field: FieldDescriptorProto) -> str:
    entry = next((n for n in message.nested_type if field.type_name.endswith(f".{n.name}")), None)
    if entry and entry.options.map_entry:
        key, value = (_type(page, message, part) for part in entry.field)
        return f"map of {key} to {value}"
    name = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    name = _link(page, field.type_name) if field.type_name else name
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {name}"
    return f"optional {name}" if field.proto3_optional else name


def _link(page: Page, type_name: str) -> str:
    """Return a link to a type of ours, the plain name of any other."""
    full = type_name.lstrip(".")
    if not full.startswith("trading."):
        return full.removeprefix("google.protobuf.").removeprefix("google.type.")
    _, area, _, local = full.split(".", 3)
    own = page.file.package.split(".")[1] == area
    return f"[{local}]({'' if own else f'{area}.md'}#{local.replace('.', '').lower()})"


def _enum(page: Page, enum: EnumDescriptorProto, name: str, path: tuple[int, ...]) -> Iterator[str]:
    yield from ("", f"## {name}", "", page.comment(*path), "")
    rows = [
        (f"`{value.name}` {value.number}", page.comment(*path, VALUE, i), *_reason(page, value))
        for i, value in enumerate(enum.value)
    ]
    has_reasons = any(page.option(value, "reason") for value in enum.value)
    columns = len(ENUM_HEAD) if has_reasons else 2
    yield from table(ENUM_HEAD[:columns], [row[:columns] for row in rows])


def _reason(page: Page, value: Any) -> tuple[str, str, str]:
    options = page.option(value, "reason")
    if options is None:
        return ("", "", "")
    stages = options.DESCRIPTOR.fields_by_name["stage"].enum_type.values_by_number
    stage = stages[options.stage].name.removeprefix("REASON_STAGE_").replace("_", " ").lower()
    if not options.since_depth:
        stage += ", later"
    return (stage, options.default_limit, "yes" if options.is_waived_when_reducing else "")
