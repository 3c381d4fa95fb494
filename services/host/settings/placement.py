"""What a device is told by a topology and by the table of ports, as the options that say so."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from runtime.door import LOOPBACK
from services.host.settings.places import Place, place_of, written

if TYPE_CHECKING:  # Read only where a topology is named: it takes its time to load.
    from runtime.topology import Topology
    from runtime.topology.ports import Ports, PortTable

EXCHANGE, DISCOVERY = "exchange", "discovery"
EVERYWHERE = "0.0.0.0"


def placed(topology: str, device: str, hosts: str, services: Sequence[str]) -> dict[str, str]:
    """Return the options of a device of a topology, by name of a file or path.

    `hosts` says where devices are that are not reached by their own names. Raises ValueError
    that says what to mend.
    """
    from runtime.topology import TopologyError, load
    from runtime.topology.ports import load_ports

    try:
        found, table = load(topology, services), load_ports(services)
    except TopologyError as error:
        raise ValueError(str(error)) from None
    if device not in found.devices:
        raise ValueError(
            f"topology {found.name} has no device {device!r}, must be one of "
            f"{', '.join(found.devices)}: correct it"
        )
    places = places_of_devices(found, table, _hosts(hosts, (*found.devices, EXCHANGE)))
    own, here = found.devices[device], places[device]
    return {
        "listen": _listening(here.address),
        "http": _listening(here.http_address),
        "announce": str(here),
        "services": ",".join(own.services) or "none",
        "standbys": ",".join(own.standbys),
        "peers": ",".join(_peers(found, device, places)),
    }


def default_http(services: Sequence[str]) -> str:
    """Return where a process that is told nothing answers HTTP: by the table of ports."""
    from runtime.topology.ports import load_ports

    return f"127.0.0.1:{load_ports(services).device.http}"


def places_of_devices(
    topology: "Topology", table: "PortTable", hosts: Mapping[str, str]
) -> dict[str, Place]:
    """Return where each device and the venue listen.

    A device listens on the ports of its service where it has one alone, so that all devices of
    such a topology fit on one host; else on those of devices. `hosts` may name ports as well.
    """
    found = {EXCHANGE: _place(hosts.get(EXCHANGE, EXCHANGE), table.exchange)}
    for name, device in topology.devices.items():
        alone = device.services[0] if len(device.services) == 1 else None
        found[name] = _place(
            hosts.get(name, name), table.services[alone] if alone else table.device
        )
    return found


def _peers(topology: "Topology", device: str, places: Mapping[str, Place]) -> Iterable[str]:
    """Yield where every other service is; of discovery also where it may be once it has moved."""
    for service in topology.services:
        candidates = [topology.home_of(service)]
        if service == DISCOVERY and (standby := topology.standby_of(service)):
            candidates.append(standby)
        elsewhere = [places[name] for name in candidates if name != device]
        if elsewhere:
            yield f"{service}={written(elsewhere)}"
    yield f"{EXCHANGE}={Place(places[EXCHANGE].address)}"  # The venue has its own ways.


def _place(host: str, ports: "Ports") -> Place:
    return place_of(host if ":" in host.rpartition("]")[2] else f"{host}:{ports.grpc}/{ports.http}")


def _listening(address: str) -> str:
    """Return where to listen to be reached at an address: everywhere, unless it is loopback."""
    if LOOPBACK.fullmatch(address) or not address:
        return address
    return f"{EVERYWHERE}:{address.rpartition(':')[2]}"


def _hosts(text: str, known: Sequence[str]) -> dict[str, str]:
    """Return the hosts of a list like `compute=10.0.0.1,state=10.0.0.2:6050/6080`."""
    found = {}
    for pair in filter(None, text.split(",")):
        name, is_pair, host = pair.partition("=")
        if not (is_pair and host) or name not in known:
            raise ValueError(
                f"--hosts has {pair!r}, must be like compute=10.0.0.1 for one of "
                f"{', '.join(known)}: correct it"
            )
        found[name] = host
    return found
