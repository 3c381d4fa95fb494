"""The work of `plimsoll topology`: reads topologies, shows them, draws them."""

from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from fixtures.calls import SERVICES, calls
from plimsoll.console import print_json
from plimsoll.device_map import draw
from plimsoll.failures import WrongUse
from runtime.topology import (
    EVERY_DEVICE,
    Channel,
    Device,
    Line,
    Topology,
    TopologyError,
    load,
    names,
)
from runtime.topology.units import write_rate, write_seconds, write_size

WRONG = 2


def run_list(*, as_json: bool) -> int:
    """List the topologies that ship; return the exit status."""
    found = [_load(name) for name in names()]
    if as_json:
        print_json({"topologies": [{"name": t.name, "title": t.title} for t in found]})
        return 0
    table = _table("topology", "title", "devices", "channels")
    for topology in found:
        channels = str(len(topology.channels(calls())))
        table.add_row(topology.name, topology.title, ", ".join(topology.devices), channels)
    Console().print(table)
    return 0


def run_show(name: str, *, as_json: bool) -> int:
    """Show a topology with all that follows from it; return the exit status."""
    topology = _load(name)
    if as_json:
        print_json(as_object(topology))
        return 0
    console = Console()
    console.print(f"[bold]{topology.name}[/]  {topology.title}\n", highlight=False)
    for table in (_devices(topology), _links(topology), _channels(topology)):
        console.print(table)
        console.print()
    return 0


def run_check(file: str) -> int:
    """Say what is wrong with a file, or that nothing is; return the exit status."""
    try:
        topology = load(file, SERVICES)
    except TopologyError as error:
        typer.echo(str(error), err=True)
        return WRONG
    devices = "1 device" if len(topology.devices) == 1 else f"{len(topology.devices)} devices"
    typer.echo(f"{file}: {topology.name}, {devices}, {len(topology.services)} services: valid")
    return 0


def run_draw(name: str, out: Path | None) -> int:
    """Draw a topology into a file and say which; return the exit status."""
    topology = _load(name)
    path = out or Path(f"{topology.name}.svg")
    if path.suffix != ".svg":
        raise WrongUse(f"the picture is {str(path)!r}, must be an .svg: name it so")
    try:
        path.write_text(draw(topology, calls()), encoding="utf-8")
    except OSError as error:
        raise WrongUse(
            f"{path} cannot be written ({error.strerror}), must be in a folder that is there: "
            "choose another"
        ) from error
    typer.echo(path)
    return 0


def as_object(topology: Topology) -> dict[str, Any]:
    """Return a topology and what follows from it, as `--json` prints it."""
    now = topology.channels(calls())
    names_now = {channel.name for channel in now}
    later = topology.channels(calls(), with_standbys=True)
    return {
        "name": topology.name,
        "title": topology.title,
        "devices": {name: _device_object(device) for name, device in topology.devices.items()},
        "default_link": _line_object(topology.default_link),
        "links": [{"between": list(link.between), **_line_object(link)} for link in topology.links],
        "channels": [_channel_object(channel) for channel in now],
        "channels_after_a_loss": [c.name for c in later if c.name not in names_now],
    }


def _load(name: str) -> Topology:
    try:
        return load(name, SERVICES)
    except TopologyError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG) from error


def _devices(topology: Topology) -> Table:
    table = _table("device", "cpus", "memory", "services", "stands by for")
    for name, device in topology.devices.items():
        memory = write_size(device.memory_bytes)
        lists = (", ".join(device.services), ", ".join(device.standbys))
        table.add_row(name, str(device.cpus), memory, *lists)
    return table


def _links(topology: Topology) -> Table:
    table = _table("link", "latency", "bandwidth")
    for link in topology.links:
        table.add_row(" - ".join(link.between), *_written(link))
    table.add_row("every other", *_written(topology.default_link))
    return table


def _channels(topology: Topology) -> Table:
    table = _table("channel", "latency", "bandwidth", "calls")
    now = topology.channels(calls())
    for channel in now:
        table.add_row(channel.name, *_written(channel.line), _carried(channel))
    if more := len(topology.channels(calls(), with_standbys=True)) - len(now):
        table.add_row(f"{more} more", "", "", "once a device is lost and standbys took over")
    return table


def _carried(channel: Channel) -> str:
    """Return what goes over a channel: "risk to orders, portfolio; strategy to marketdata"."""
    by_caller: dict[str, list[str]] = {}
    for caller, called in channel.calls:
        named = "every device" if caller == EVERY_DEVICE else caller
        by_caller.setdefault(named, []).append(called)
    return "; ".join(f"{caller} to {', '.join(called)}" for caller, called in by_caller.items())


def _written(line: Line) -> tuple[str, str]:
    return write_seconds(line.latency_s), write_rate(line.bandwidth_bytes_s)


def _device_object(device: Device) -> dict[str, Any]:
    return {
        "cpus": str(device.cpus),
        "memory_bytes": device.memory_bytes,
        "services": list(device.services),
        "standbys": list(device.standbys),
    }


def _line_object(line: Line) -> dict[str, Any]:
    return {"latency_s": line.latency_s, "bandwidth_bytes_s": line.bandwidth_bytes_s}


def _channel_object(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "caller": channel.caller,
        "callee": channel.callee,
        **_line_object(channel.line),
        "calls": [list(call) for call in channel.calls],
    }


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
