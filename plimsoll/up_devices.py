"""What `plimsoll up` says of devices: where each is, what joins them, and how to call them."""

import shlex

from rich.console import Console
from rich.table import Table

from fixtures.devices.credentials import Credentials
from fixtures.devices.hosting import Devices
from fixtures.here import EXCHANGE
from fixtures.principals import OPERATOR, RISK_OFFICER, TRADER
from fixtures.system import System
from fixtures.toxiproxy.link import ARROW
from plimsoll.fleet import table_of
from runtime.identity import HEADER, to_header
from runtime.tls import server_name
from runtime.topology.units import write_rate, write_seconds
from services.wiring import PORTS

SERVICE = "orders"  # The example that is shown.
PEOPLE = (TRADER, OPERATOR, RISK_OFFICER)


async def show_devices(console: Console, system: System) -> None:
    """Print devices and links as tables, then a command that calls a service."""
    devices, topology = system.hosting, system.setup.topology
    assert isinstance(devices, Devices)
    assert topology is not None
    console.print(f"[bold]{topology.name}[/]  {topology.title}\n", highlight=False)
    for table in (await _devices(devices), _links(system, devices)):
        console.print(table)
        console.print()
    address = devices.running[topology.home_of(SERVICE)].address
    _say_how_to_call(console, system, address)


async def _devices(devices: Devices) -> Table:
    table = table_of("device", "pid", "address", "services", numbers="1-1")
    for name, one in devices.running.items():
        serving = ", ".join(service for service, home in devices.home.items() if home == name)
        table.add_row(name, str(await one.process.pid), one.address, serving)
    table.add_row("the venue", "", devices.address, EXCHANGE)
    return table


def _links(system: System, devices: Devices) -> Table:
    topology = system.setup.topology
    assert topology is not None
    table = table_of("link", "address to dial", "latency", "bandwidth", numbers="2-3")
    for name in devices.links.names:
        ends = name.split(ARROW)
        line = topology.line_between(*ends)
        how = write_seconds(line.latency_s), write_rate(line.bandwidth_bytes_s)
        table.add_row(name, devices.links.address_of(*ends), *how)
    return table


def _say_how_to_call(console: Console, system: System, address: str) -> None:
    contract = PORTS[SERVICE].DESCRIPTOR.full_name
    identities = system.here.identities
    if not isinstance(identities, Credentials):
        words = [f"-plaintext -H '{HEADER}: {to_header(TRADER)}'"]
        how = "in clear text, which was asked for: whoever calls is believed"
    else:
        name = server_name(identities.environment, SERVICE)
        words = [*_shown(identities), f"-servername {name}"]
        how = "over mutual TLS: devices answer nobody without a certificate"
    lines = [*words, f"-d '{{}}' {address} {contract}/ListOrders"]
    console.print(f"call {SERVICE} as {TRADER.name}, {how}\n", soft_wrap=True, highlight=False)
    console.print("  grpcurl " + " \\\n    ".join(lines), soft_wrap=True, highlight=False)
    console.print()


def _shown(identities: Credentials) -> list[str]:
    """Return what grpcurl has to be told of certificates; issues them to people."""
    registrar = identities.registrar("people", "of-this-run")
    for who in PEOPLE:
        registrar.person(who)
    folder = registrar.folder
    own = (folder.chain_path(TRADER.name), folder.key_path(TRADER.name))
    files = {"cacert": folder.authorities_path, "cert": own[0], "key": own[1]}
    return [f"-{option} {shlex.quote(str(path))}" for option, path in files.items()]
