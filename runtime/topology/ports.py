"""The table of ports: the one place that has their numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.topology.findings import Finding, Lines, Location, TopologyError, any_of, near
from runtime.topology.loading import FOLDER, read_text, shown
from runtime.topology.marked import Marked, read_marked

FILE = FOLDER.parent / "ports.yaml"
KEYS, KINDS = ("device", "exchange", "services"), ("grpc", "http")
NUMBER = re.compile(r"[1-9]\d{0,5}")
PORT_MIN, PORT_MAX = 1024, 65535  # Below, a process needs rights that ours do not have.

Found = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Ports:
    """Where a process listens."""

    grpc: int
    http: int


@dataclass(frozen=True)
class PortTable:
    """Where everything listens."""

    device: Ports  # Whatever hosts several services.
    exchange: Ports
    services: Mapping[str, Ports]  # Each hosted alone.


def load_ports(services: Sequence[str], path: Path = FILE) -> PortTable:
    """Return the table of a file; it must have a row for each of `services`, and for no other.

    Raises TopologyError with everything that is wrong.
    """
    marked = read_marked(read_text(path), shown(path))
    wrong = [Finding(shown(path), line, message) for line, message in _wrong(marked, services)]
    if found := (*marked.findings, *wrong):
        raise TopologyError(found)
    rows = {name: _ports(row) for name, row in marked.data["services"].items()}
    return PortTable(_ports(marked.data["device"]), _ports(marked.data["exchange"]), rows)


def _ports(row: Mapping[str, str]) -> Ports:
    return Ports(int(row["grpc"]), int(row["http"]))


def _wrong(marked: Marked, services: Sequence[str]) -> Found:
    data, lines = marked.data, marked.lines
    if data is None and marked.findings:
        return  # Not even YAML: that is said already.
    yield from _keys(data, (), KEYS, lines)
    if not isinstance(data, dict):
        return
    table = data.get("services")
    if "services" in data:
        yield from _keys(table, ("services",), services, lines)
    rows: dict[Location, Any] = {(key,): data[key] for key in KEYS[:2] if key in data}
    if isinstance(table, dict):
        rows |= {("services", name): row for name, row in table.items() if name in services}
    taken: dict[int, tuple[str, int]] = {}
    for where, row in rows.items():
        yield from _keys(row, where, KINDS, lines)
        for kind in KINDS:
            if isinstance(row, dict) and kind in row:
                yield from _number(row[kind], (*where, kind), taken, lines)


def _keys(found: Any, where: Location, known: Sequence[str], lines: Lines) -> Found:
    """Yield what is wrong with the keys of a mapping that must have just the known ones."""
    place = " ".join(map(str, where)) or "the table of ports"
    if not isinstance(found, dict):
        yield lines.of(where), f"{place} is no mapping, must have {', '.join(known)}: write it so"
        return
    for key in found:
        if key not in known:
            meant = near(key, known)
            fix = f"write {meant}" if meant else "remove it"
            line = lines.of_key((*where, key))
            yield line, f"{key!r} is no key of {place}, must be {any_of(known)}: {fix}"
    for key in known:
        if key not in found:
            yield lines.of(where), f"{place} has no {key}, must have one: add it"


def _number(text: Any, where: Location, taken: dict[int, tuple[str, int]], lines: Lines) -> Found:
    name, line = " ".join(map(str, where)), lines.of(where)
    is_number = isinstance(text, str) and NUMBER.fullmatch(text)
    if not is_number or not PORT_MIN <= int(text) <= PORT_MAX:
        must = f"a whole number, {PORT_MIN} to {PORT_MAX}"
        yield line, f"{name} is {text!r}, must be {must}: choose one"
        return
    other, first = taken.setdefault(int(text), (name, line))
    if other != name:
        message = f"{name} is {text}, must be a port of its own, and {other} (line {first}) has it"
        yield line, f"{message}: choose another"
