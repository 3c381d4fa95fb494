"""Says in plain words what pydantic found wrong with the shape of a topology, and where."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runtime.topology.findings import Lines, Location, Wrong, any_of, near
from runtime.topology.models import Topology
from runtime.topology.parts import Device, Line, Link, Part

SHOWN_MAX = 60  # Characters of a wrong value.
OF_KEY = "[key]"  # Where pydantic means the key itself, not its value.
ITEMS = {"services": "the name of a service", "standbys": "the name of a service"}


def shape_findings(error: ValidationError, data: Any, lines: Lines) -> Iterator[tuple[int, str]]:
    """Yield line and message of everything that `error` has."""
    for detail in error.errors(include_url=False):
        yield _told(detail, data, lines)


def place(where: Location, data: Any) -> str:
    """Return what a person calls a place of the file."""
    match where:
        case ():
            return "the topology"
        case ("devices", name, *_):
            return f"device {name}"
        case ("links", int(index), *_):
            return _link(data, index)
        case _:
            return str(where[0])


def _told(detail: ErrorDetails, data: Any, lines: Lines) -> tuple[int, str]:
    where, kind = detail["loc"], detail["type"]
    if where and where[-1] == OF_KEY:
        return lines.of_key(where[:-1]), (
            f"a device is called {where[-2]!r}, must be a letter and at most 39 of a-z 0-9 -: "
            "rename it"
        )
    parent, key = where[:-1], where[-1] if where else ""
    if kind == "missing":
        must = _must(where)
        return lines.of(parent), f"{place(parent, data)} has no {key}, must have {must}: add it"
    if kind == "extra_forbidden":
        known = _keys(parent)
        meant = near(str(key), known)
        fix = f"write {meant}" if meant else "remove it"
        message = f"{key!r} is no key of {place(parent, data)}, must be {any_of(known)}: {fix}"
        return lines.of_key(where), message
    wrong = detail.get("ctx", {}).get("error")
    must = (wrong.must if isinstance(wrong, Wrong) else "") or _must(where)
    fix = wrong.fix if isinstance(wrong, Wrong) else "correct it"
    value = _shown(detail["input"])
    return lines.of(where), f"{_subject(where, data)} is {value}, must be {must}: {fix}"


def _subject(where: Location, data: Any) -> str:
    """Return what a value is called: "memory of device compute"."""
    if len(where) < 2 or _is_whole(where):
        return place(where, data)
    key = where[-1] if isinstance(where[-1], str) else f"an item of {where[-2]}"
    return f"{key} of {place(where[:-1], data)}"


def _must(where: Location) -> str:
    if _is_whole(where):
        return f"a mapping of {', '.join(_keys(where))}"
    if where and isinstance(where[-1], int):
        return ITEMS.get(str(where[-2]), "the name of a device or a far end")
    return _descriptions(where[:-1]).get(str(where[-1]), "something else")


def _is_whole(where: Location) -> bool:
    """Tell whether a place is one whole part of the file, not a value in it."""
    return len(where) == 0 or (len(where) == 2 and where[0] in ("devices", "links"))


def _part_at(where: Location) -> type[Part]:
    parts: dict[object, type[Part]] = {"devices": Device, "links": Link, "default_link": Line}
    return parts[where[0]] if where else Topology


def _keys(where: Location) -> tuple[str, ...]:
    return tuple(_descriptions(where))


def _descriptions(where: Location) -> dict[str, str]:
    """Return what each key at a place must have, in the order to write them."""
    fields = _part_at(where).model_fields
    return {field.alias or name: field.description or "" for name, field in fields.items()}


def _link(data: Any, index: int) -> str:
    links = data.get("links") if isinstance(data, dict) else None
    link = links[index] if isinstance(links, list) else None
    ends = link.get("between") if isinstance(link, dict) else None
    if isinstance(ends, list) and len(ends) == 2:
        return f"the link between {ends[0]} and {ends[1]}"
    return f"link {index + 1}"


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"[:SHOWN_MAX]
    text = repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
