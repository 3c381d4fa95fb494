"""Devices, links and hops of a run: as tables for a terminal, as one object for `--json`."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from fixtures.fleet import DeviceUse, Fleet, Hop, LinkUse
from runtime.topology.units import write_rate, write_seconds

NOT_KNOWN = "-"
DECIMALS_BELOW_MS = 100


def print_fleet(console: Console, fleet: Fleet) -> None:
    """Print what services ran on; of a world of one process nothing, its hops leave no device."""
    if not fleet.devices:
        return
    console.print(f"\n[bold]{fleet.topology}[/]  {fleet.title}\n", highlight=False)
    tables = (
        devices_table(fleet.devices),
        links_table(fleet.links),
        hops_table("device to device", fleet.hops.devices),
        hops_table("service to service", fleet.hops.services),
    )
    for table in tables:
        console.print(table)
        console.print()


def devices_table(devices: Iterable[DeviceUse]) -> Table:
    """Return a table of devices: what each may use, what it used, what runs on it."""
    table = table_of("device", "pid", "cpus", "cpu s", "memory", "peak", "services", numbers="1-5")
    for one in devices:
        table.add_row(
            one.name,
            " ".join(map(str, one.pids)) or NOT_KNOWN,
            one.cpus,
            NOT_KNOWN if one.cpu_s is None else f"{one.cpu_s:,.1f}",
            size(one.memory_bytes),
            size(one.memory_peak_bytes),
            ", ".join(one.services),
        )
    return table


def links_table(links: Iterable[LinkUse]) -> Table:
    """Return a table of links: how each is, and what it carried there and back."""
    table = table_of("link", "latency", "bandwidth", "there", "back", "calls", numbers="1-4")
    for one in links:
        table.add_row(
            one.name,
            write_seconds(one.latency_s),
            write_rate(one.bandwidth_bytes_s),
            size(one.to_callee_bytes),
            size(one.to_caller_bytes),
            carries(one),
        )
    return table


def hops_table(title: str, hops: Iterable[Hop]) -> Table:
    """Return a table of hops, the busiest first."""
    columns = ("", "calls", "stream", "p50 ms", "p99 ms", "max ms", "failed")
    table = table_of(title, *columns, numbers="2-7")
    table.columns[1].no_wrap = True
    for hop in hops:
        table.add_row(f"{hop.caller}->{hop.callee}", way(hop), *numbers(hop))
    return table


def way(hop: Hop) -> str:
    """Return whether a hop left its device."""
    return "remote" if hop.is_remote else "local"


def numbers(hop: Hop) -> list[str]:
    """Return the figures of a hop as they are shown; it has no times where nothing was called."""
    took = [_ms(one) for one in (hop.p50_ms, hop.p99_ms, hop.max_ms)]
    failed = f"{hop.failed_share:.2%}" if hop.failed else "0"
    times = [*took, failed] if hop.calls else [NOT_KNOWN] * 4
    return [f"{hop.calls:,}", f"{hop.messages:,}", *times]


def _ms(took_ms: float) -> str:
    return f"{took_ms:.2f}" if took_ms < DECIMALS_BELOW_MS else f"{took_ms:,.0f}"


def carries(link: LinkUse) -> str:
    """Return who calls over a link: "risk to orders, portfolio; strategy to marketdata"."""
    by_caller: dict[str, list[str]] = {}
    for caller, called in link.carries:
        by_caller.setdefault("any" if caller == "*" else caller, []).append(called)
    return "; ".join(f"{caller} to {', '.join(called)}" for caller, called in by_caller.items())


def size(count: int | None) -> str:
    """Return bytes in a unit that is short to read."""
    if count is None:
        return NOT_KNOWN
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def as_object(fleet: Fleet) -> dict[str, Any]:
    """Return a fleet as `--json` prints it."""
    return {
        "topology": fleet.topology or None,
        "devices": [
            {
                "name": one.name,
                "services": list(one.services),
                "cpus": one.cpus,
                "memory_bytes": one.memory_bytes,
                "pids": list(one.pids),
                "cpu_s": one.cpu_s,
                "memory_peak_bytes": one.memory_peak_bytes,
            }
            for one in fleet.devices
        ],
        "links": [
            {
                "name": one.name,
                "latency_s": one.latency_s,
                "bandwidth_bytes_s": one.bandwidth_bytes_s,
                "carries": [list(pair) for pair in one.carries],
                "to_callee_bytes": one.to_callee_bytes,
                "to_caller_bytes": one.to_caller_bytes,
            }
            for one in fleet.links
        ],
        "hops": {
            "devices": [_hop_object(hop) for hop in fleet.hops.devices],
            "services": [_hop_object(hop) for hop in fleet.hops.services],
        },
    }


def _hop_object(hop: Hop) -> dict[str, Any]:
    return {
        "caller": hop.caller,
        "callee": hop.callee,
        "is_remote": hop.is_remote,
        "calls": hop.calls,
        "messages": hop.messages,
        "failed_share": round(hop.failed_share, 6),
        "latency_ms": {"p50": hop.p50_ms, "p99": hop.p99_ms, "max": hop.max_ms},
    }


def table_of(*columns: str, numbers: str) -> Table:
    """Return a table whose columns `numbers`, as "1-5", stand right."""
    first, last = map(int, numbers.split("-"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, column in enumerate(columns):
        is_number = first <= place <= last
        table.add_column(
            column,
            justify="right" if is_number else "left",
            no_wrap=is_number or not place,
            overflow="fold",
        )
    return table
