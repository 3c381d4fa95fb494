"""Writes a topology as the text of a file."""

from runtime.topology import units
from runtime.topology.models import Topology
from runtime.topology.parts import Device, Line


def dump(topology: Topology) -> str:
    """Return the file of a topology; reading it gives the same topology."""
    lines = [f"name: {_named(topology.name)}", f"title: {_quoted(topology.title)}", "", "devices:"]
    for name, device in topology.devices.items():
        lines += [f"  {_named(name)}:", *(f"    {line}" for line in _device(device))]
    lines += ["", "default_link:", *(f"  {line}" for line in _line(topology.default_link))]
    if topology.links:
        lines += ["", "links:"]
    for link in topology.links:
        ends = ", ".join(map(_named, link.between))
        lines += [f"  - between: [{ends}]", *(f"    {line}" for line in _line(link))]
    return "\n".join(lines) + "\n"


def _device(device: Device) -> list[str]:
    return [
        f"cpus: {device.cpus:f}",
        f"memory: {units.write_size(device.memory_bytes)}",
        f"services: [{', '.join(map(_named, device.services))}]",
        *([f"standbys: [{', '.join(map(_named, device.standbys))}]"] if device.standbys else []),
    ]


def _line(line: Line) -> list[str]:
    return [
        f"latency: {units.write_seconds(line.latency_s)}",
        f"bandwidth: {units.write_rate(line.bandwidth_bytes_s)}",
    ]


def _named(name: str) -> str:
    return '"null"' if name == "null" else name  # The one name that YAML takes for nothing.


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
