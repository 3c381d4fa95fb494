"""What must hold between the parts of a topology: each service at home once, links that join.

The rules read what the file says, whether or not its shape is right, so that one slip hides no
other.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from runtime.topology.findings import Lines, Location, any_of, near
from runtime.topology.parts import FAR_ENDS

Found = Iterator[tuple[int, str]]
Listed = tuple[Location, str, str]  # Where a service is listed, it, and the device.


def rule_findings(data: Any, services: Sequence[str], lines: Lines) -> Found:
    """Yield line and message of every rule that is broken; `services` are all there are."""
    devices = data.get("devices") if isinstance(data, dict) else None
    if not isinstance(devices, dict):
        return
    running, standing = _listed(devices, "services"), _listed(devices, "standbys")
    yield from _unknown((*running, *standing), services, lines)
    yield from _several(running, "runs on", lines)
    yield from _several(standing, "has a standby on", lines)
    yield from _homeless(running, services, lines)
    yield from _own_standbys(running, standing, lines)
    yield from _devices(devices, lines)
    yield from _links(data.get("links"), devices, lines)


def _listed(devices: dict[str, Any], key: str) -> list[Listed]:
    """Return every service that a device lists under `key`."""
    found: list[Listed] = []
    for name, device in devices.items():
        names = device.get(key) if isinstance(device, dict) else None
        for index, service in enumerate(names if isinstance(names, list) else ()):
            if isinstance(service, str):
                found.append((("devices", name, key, index), service, name))
    return found


def _unknown(listed: Sequence[Listed], services: Sequence[str], lines: Lines) -> Found:
    for where, service, device in listed:
        if service not in services:
            meant = near(service, services)
            fix = f"write {meant}" if meant else "remove it"
            must = any_of(sorted(services))
            yield lines.of(where), f"device {device} lists {service!r}, must be {must}: {fix}"


def _several(listed: Sequence[Listed], doing: str, lines: Lines) -> Found:
    """Yield every service that is listed once more than it may be."""
    first: dict[str, Listed] = {}
    for where, service, device in listed:
        before, _, other = first.setdefault(service, (where, service, device))
        if before == where:
            continue
        place = f"{other} (line {lines.of(before)})"
        message = (
            f"{service} {doing} {device}, and on {place} as well"
            if other != device
            else (f"{service} is listed twice for {device}, first in line {lines.of(before)}")
        )
        yield lines.of(where), f"{message}, must be listed once: remove one of the two"


def _homeless(running: Sequence[Listed], services: Sequence[str], lines: Lines) -> Found:
    names = {service for _, service, _ in running}
    # Where a name is only misspelt, saying so is enough.
    meant = {near(name, services) for name in names if name not in services}
    for service in services:
        if service not in names | meant:
            message = f"{service} is on no device, must be on one"
            yield lines.of_key(("devices",)), f"{message}: add it to the services of a device"


def _own_standbys(running: Sequence[Listed], standing: Sequence[Listed], lines: Lines) -> Found:
    homes = {(service, device) for _, service, device in running}
    for where, service, device in standing:
        if (service, device) in homes:
            message = f"{device} is the standby of {service} and runs it, must be another device"
            yield lines.of(where), f"{message}: list it as standby elsewhere, or nowhere"


def _devices(devices: dict[str, Any], lines: Lines) -> Found:
    for name, device in devices.items():
        line = lines.of_key(("devices", name))
        if name in FAR_ENDS:
            kept = any_of(FAR_ENDS)
            yield line, f"a device is called {name}, must not be called {kept}: rename it"
        if isinstance(device, dict) and device.get("services") == [] and not device.get("standbys"):
            message = f"device {name} has nothing to do, must have services or standbys"
            yield line, f"{message}: add one, or remove the device"


def _links(links: Any, devices: dict[str, Any], lines: Lines) -> Found:
    first: dict[frozenset[str], int] = {}
    for index, link in enumerate(links if isinstance(links, list) else ()):
        ends = link.get("between") if isinstance(link, dict) else None
        if not isinstance(ends, list) or [type(end) for end in ends] != [str, str]:
            continue
        where: Location = ("links", index, "between")
        yield from _unknown_ends(where, ends, devices, lines)
        line, joined = lines.of(where), " and ".join(ends)
        if ends[0] == ends[1]:
            yield line, f"a link joins {ends[0]} with itself, must join two places: name another"
        elif set(ends) <= set(FAR_ENDS):
            yield line, f"a link joins {joined}, must have a device at one end: remove it"
        before = first.setdefault(frozenset(ends), line)
        if before != line:
            message = f"{joined} are joined a second time (first in line {before}), must be once"
            yield line, f"{message}: remove one of the two"


def _unknown_ends(where: Location, ends: list[str], devices: dict[str, Any], lines: Lines) -> Found:
    places = (*devices, *FAR_ENDS)
    for index, end in enumerate(ends):
        if end not in places:
            meant = near(end, places)
            fix = f"write {meant}" if meant else "remove the link, or add the device"
            must = any_of(places)
            yield lines.of((*where, index)), f"a link names {end!r}, must be {must}: {fix}"
