"""Where a running platform is and how it is called, as a configuration file of Locust."""

from pathlib import Path

from fixtures.commit import ROOT
from fixtures.devices.credentials import Credentials
from fixtures.devices.hosting import Devices
from fixtures.facts import PORTS
from fixtures.here import EXCHANGE
from fixtures.system import System
from runtime.load.ground import SERVICE, principal_of
from runtime.rpc import methods
from services.wiring import BUILDERS

CONF = "locust.conf"
ANYBODY, METRICS = "*", "/metrics"
SHOWN = {"orders": 0}  # Devices that are to speak HTTP and show metrics: no call goes that way.


def write_conf(system: System, folder: Path) -> Path:
    """Write into `folder` what Locust must be told to load a system; return the file.

    Where callers need certificates they are issued: one for each role and each service that any
    contract names. They are gone when the system's own files are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONF
    lines = [f"{option} = {value}" for option, value in _options(system).items()]
    path.write_text("\n".join([f"# {command(path)}", *lines, ""]), encoding="utf-8")
    return path


def command(path: Path) -> str:
    """Return the command that loads what a configuration file says."""
    return f"locust --config {path.resolve()}"


def _options(system: System) -> dict[str, str]:
    told = {"locustfile": str(ROOT / "loadtests"), "targets": _joined(_targets(system))}
    devices = system.hosting
    if not isinstance(devices, Devices):
        return told
    scheme, identities = "http", system.here.identities
    if isinstance(identities, Credentials):
        scheme = "https"
        told["certificates"] = str(_issued(identities).resolve())
        told["environment"] = identities.environment
    pages = {  # Each device shows the certificate of a service that it has.
        devices.hosted(name)[0]: f"{scheme}://{one.http_address}{METRICS}"
        for name, one in devices.running.items()
    }
    return {**told, "metrics": _joined(pages)}


def _issued(identities: Credentials) -> Path:
    """Return a folder with the certificate of everybody that a contract lets call."""
    registrar = identities.registrar("people", "of-load")
    for caller in _callers():
        who = principal_of(caller)
        if who.service:
            registrar.service(who.service)
        else:
            registrar.person(who)
    return registrar.folder.path


def _targets(system: System) -> dict[str, str]:
    """Return the address of each service, or one of all of them."""
    devices = system.hosting
    if not isinstance(devices, Devices):
        return {ANYBODY: system.address}
    homes = {service: devices.running[at].address for service, at in devices.home.items()}
    return {**homes, EXCHANGE: devices.address}


def _joined(places: dict[str, str]) -> str:
    return ",".join(f"{service}={place}" for service, place in places.items())


def _callers() -> list[str]:
    """Return everybody that a contract lets call: roles of people as words, services by name."""
    policies = [method.policy for port in PORTS for method in methods(port)]
    roles = {role.lower().replace("_", "-") for policy in policies for role in policy.roles}
    services = {name for policy in policies for name in policy.callers} - {ANYBODY}
    return sorted(roles) + [SERVICE + name for name in sorted(services | set(BUILDERS))]
