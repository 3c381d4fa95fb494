"""The text of a generated port: what contributors read most, laid out as ruff would."""

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto

from runtime.protoc_contract import METHOD, SERVICE, Contract
from runtime.rpc import Policy, snake_case

LINE = 100


def render(
    contract: Contract, file: FileDescriptorProto, policies: Mapping[tuple[int, int], Policy]
) -> str:
    """Return the module with the ports of all services of `file`."""
    types = Types(contract, file)
    body: list[str] = []
    for s, service in enumerate(file.service):
        own = {m.name: policies[s, i] for i, m in enumerate(service.method)}
        body += ["", "", f"class {service.name}(Port):"]
        body += _docstring(contract.comment(file, (SERVICE, s)), "    ")
        body += ["", f'    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["{service.name}"]']
        body += _policies(own)
        for m, method in enumerate(service.method):
            body += ["", *_signature(method, types)]
            body += _docstring(contract.comment(file, (SERVICE, s, METHOD, m)), "        ")
            body += ["        raise unimplemented(self)"]
    head = [f'"""Ports of {file.name}. Generated: edit that, then `make generate`."""', ""]
    return "\n".join([*head, *types.imports(_streams(file)), *body]) + "\n"


class Types:
    """The Python names of a file's message types, and the imports that they need."""

    def __init__(self, contract: Contract, file: FileDescriptorProto) -> None:
        self._contract = contract
        self._file = file
        self._modules = {file.name: "pb"}

    def name(self, type_name: str) -> str:
        """Return how the port names a message: `pb.SubmitOrderRequest`, `order_pb2.Order`."""
        home = self._contract.file_of(type_name)
        local = type_name.removeprefix(f".{home.package}.")
        return f"{self._alias(home.name)}.{local}"

    def _alias(self, file: str) -> str:
        if file not in self._modules:
            parts = file.removesuffix(".proto").split("/")
            names = ("_".join(parts[-n:]) + "_pb2" for n in range(1, len(parts) + 1))
            self._modules[file] = next(n for n in names if n not in self._modules.values())
        return self._modules[file]

    def imports(self, streams: Iterable[str]) -> list[str]:
        """Return the import lines, in the order ruff wants."""
        own = [
            "from runtime.errors import unimplemented",
            "from runtime.rpc import Call, Idempotency, Policy, Port",
        ]
        google: list[str] = []
        for file, alias in self._modules.items():
            package, _, module = file.removesuffix(".proto").rpartition("/")
            name = f"{module}_pb2" + ("" if alias == f"{module}_pb2" else f" as {alias}")
            line = f"from {package.replace('/', '.')} import {name}"
            (google if package.startswith("google/") else own).append(line)
        return [
            f"from collections.abc import {', '.join(sorted({'Mapping', *streams}))}",
            "from typing import ClassVar",
            "",
            *([*sorted(google), ""] if google else []),
            *sorted(own),
        ]


def _streams(file: FileDescriptorProto) -> list[str]:
    methods = [m for service in file.service for m in service.method]
    asks = ["AsyncIterator"] if any(m.client_streaming for m in methods) else []
    return asks + (["AsyncGenerator"] if any(m.server_streaming for m in methods) else [])


def _policies(policies: Mapping[str, Policy]) -> list[str]:
    lines = ["    POLICIES: ClassVar[Mapping[str, Policy]] = {"]
    for name, policy in policies.items():
        lines += [f'        "{snake_case(name)}": Policy(']
        lines += [f"            {argument}," for argument in _arguments(policy)]
        lines += ["        ),"]
    return [*lines, "    }"]


def _arguments(policy: Policy) -> list[str]:
    """Return what the contract states, without what it leaves at its default."""
    stated = [
        f"deadline_s={policy.deadline_s}",
        f"idempotency=Idempotency.{policy.idempotency.name}",
    ]
    if policy.key:
        stated.append(f'key="{policy.key}"')
    if policy.max_attempts != Policy.max_attempts:
        stated.append(f"max_attempts={policy.max_attempts}")
    for name, values in (("roles", policy.roles), ("callers", policy.callers)):
        if values:
            stated.append(f"{name}=frozenset({{{', '.join(_quoted(values))}}})")
    if policy.target_rps:
        stated += [f"target_rps={policy.target_rps}", f"p99_ms={policy.p99_ms}"]
    if policy.items_per_call != Policy.items_per_call:
        stated.append(f"items_per_call={policy.items_per_call}")
    flags = {"audited": policy.audited, "intent": policy.intent, "urgent": policy.urgent}
    return [*stated, *(f"{name}=True" for name, is_set in flags.items() if is_set)]


def _quoted(values: Iterable[str]) -> list[str]:
    return [f'"{value}"' for value in sorted(values)]


def _signature(method: MethodDescriptorProto, types: Types) -> list[str]:
    ask, answer = types.name(method.input_type), types.name(method.output_type)
    if method.client_streaming:
        ask = f"AsyncIterator[{ask}]"
    if method.server_streaming:
        answer = f"AsyncGenerator[{answer}, None]"
    prefix = "def" if method.server_streaming else "async def"
    start = f"    {prefix} {snake_case(method.name)}("
    arguments = ["self", f"request: {ask}", "call: Call = Call()"]
    end = f") -> {answer}:"
    one_line = f"{start}{', '.join(arguments)}{end}"
    if len(one_line) <= LINE:
        return [one_line]
    inner = f"        {', '.join(arguments)}"
    inside = [inner] if len(inner) <= LINE else [f"        {argument}," for argument in arguments]
    return [start, *inside, f"    {end}"]


def _docstring(text: str, indent: str) -> list[str]:
    """Return a proto comment as a docstring."""
    lines = (text or "Undocumented.").replace("\\", "\\\\").replace('"""', "'''").split("\n")
    if len(lines) == 1 and not lines[0].endswith('"'):
        return [f'{indent}"""{lines[0]}"""']
    rest = [f"{indent}{line}".rstrip() for line in lines[1:]]
    return [f'{indent}"""{lines[0]}', *rest, f'{indent}"""']
