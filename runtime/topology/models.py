"""Where services run, and what follows from it: homes, standbys, channels."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from runtime.topology.parts import (
    EXCHANGE,
    FAR_ENDS,
    STORES,
    Channel,
    Device,
    Line,
    Link,
    Name,
    Part,
    Title,
    ordered,
)

EVERY_DEVICE = "*"  # Whose calls every device makes, whatever it hosts.

Calls = Mapping[str, tuple[str, ...]]  # By service, or EVERY_DEVICE: which services it calls.


def _by_ends(links: tuple[Link, ...]) -> tuple[Link, ...]:
    return tuple(sorted(links, key=lambda link: link.between))


class Topology(Part):
    """Which device has what, and how they are joined. Load it with `load`."""

    name: Name = Field(description="a letter and at most 39 of a-z 0-9 -, as its file is called")
    title: Title = Field(description="a line of 1 to 100 characters for people")
    devices: Mapping[Name, Device] = Field(
        min_length=1, description="a mapping of at least one name to a device"
    )
    default_link: Line = Field(description="a latency and a bandwidth")
    links: Annotated[tuple[Link, ...], AfterValidator(_by_ends)] = Field(
        (), description="a list of links"
    )

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that has a home, by name."""
        return ordered(tuple(self._homes()))

    def home_of(self, service: str) -> str:
        """Return the device that `service` runs on; raises KeyError where it has none."""
        return self._homes()[service]

    def standby_of(self, service: str) -> str | None:
        """Return the device that takes `service` over, if there is one."""
        takers = {s: name for name, device in self.devices.items() for s in device.standbys}
        return takers.get(service)

    def line_between(self, one: str, other: str) -> Line:
        """Return the line between two places: their own link, or the default."""
        ends = ordered((one, other))
        own = [link for link in self.links if link.between == ends]
        return own[0] if own else self.default_link

    def remote_pairs(self, known: Calls) -> tuple[tuple[str, str], ...]:
        """Return which device calls which other device, in order: (caller, callee).

        `known` says which services each service calls. What it does not know calls nobody; a
        service without a home is called by nobody.
        """
        pairs = {(caller, callee) for caller, callee, _ in self._crossings(known)}
        return tuple(sorted(pair for pair in pairs if pair[1] not in FAR_ENDS))

    def channels(self, known: Calls, *, with_standbys: bool = False) -> tuple[Channel, ...]:
        """Return every way out of a device: to devices, to the venue, to the stores.

        In order of names. `with_standbys`: also what is needed once any one device is lost.
        """
        after = [self.without(lost) for lost in self.devices] if with_standbys else []
        carried: dict[tuple[str, str], set[tuple[str, str]]] = {
            (device, store): set() for device in self.devices for store in STORES
        }
        for topology in (self, *after):
            for caller, callee, call in topology._crossings(known):
                carried.setdefault((caller, callee), set()).add(call)
        return tuple(
            Channel(*ends, self.line_between(*ends), tuple(sorted(calls)))
            for ends, calls in sorted(carried.items())
        )

    def without(self, lost: str) -> "Topology":
        """Return where everything runs once device `lost` is gone and standbys took over.

        A service that had no standby has no home then.
        """
        left = {name: device for name, device in self.devices.items() if name != lost}
        for service in self.devices[lost].services:
            taker = self.standby_of(service)
            if taker in left:
                left[taker] = _with(left[taker], service)
        return self.model_copy(update={"devices": left})

    def moved(self, service: str, to: str) -> "Topology":
        """Return the topology with `service` on device `to` and its old home as its standby."""
        home = self.home_of(service)
        if home == to:
            return self
        devices = {name: _free_of(device, service) for name, device in self.devices.items()}
        devices[to] = _with(devices[to], service)
        standbys = ordered((*devices[home].standbys, service))
        devices[home] = devices[home].model_copy(update={"standbys": standbys})
        return self.model_copy(update={"devices": devices})

    def _homes(self) -> dict[str, str]:
        return {s: name for name, device in self.devices.items() for s in device.services}

    def _crossings(self, known: Calls) -> Iterator[tuple[str, str, tuple[str, str]]]:
        """Yield caller, callee and (service, called) for each call that leaves a device."""
        homes = {**self._homes(), EXCHANGE: EXCHANGE}
        for name, device in self.devices.items():
            making = (EVERY_DEVICE, *device.services)
            for call in [(s, called) for s in making for called in known.get(s, ())]:
                callee = homes.get(call[1], name)  # Without a home, nobody can call it.
                if callee != name:
                    yield name, callee, call


def _with(device: Device, service: str) -> Device:
    services = ordered((*device.services, service))
    return _free_of(device, service).model_copy(update={"services": services})


def _free_of(device: Device, service: str) -> Device:
    """Return `device` without a service, in use or standing by."""
    lists = {"services": device.services, "standbys": device.standbys}
    return device.model_copy(
        update={key: tuple(s for s in had if s != service) for key, had in lists.items()}
    )
