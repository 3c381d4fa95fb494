"""The table of ports: a row for each service, no number twice, every slip at its line."""

from pathlib import Path

import pytest

from runtime.topology import TopologyError
from runtime.topology.ports import FILE, load_ports
from runtime.topology.tests.files import SERVICES

TEXT = """\
device: {grpc: 50050, http: 8050}
exchange: {grpc: 50070, http: 8070}
services:
  risk:
    grpc: 50053
    http: 8053
  orders:
    grpc: 50060
    http: 8060
"""


def refused(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a table, as `line: message`."""
    path = folder / "ports.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TopologyError) as error:
        load_ports(("risk", "orders"), path)
    return [f"{finding.line}: {finding.message}" for finding in error.value.findings]


def test_every_service_has_ports_of_its_own() -> None:
    table = load_ports(SERVICES)
    assert set(table.services) == set(SERVICES)
    rows = [table.device, table.exchange, *table.services.values()]
    assert len({port for row in rows for port in (row.grpc, row.http)}) == 2 * len(rows)
    assert (table.services["risk"].grpc, table.services["discovery"].http) == (50053, 8091)
    assert FILE.name == "ports.yaml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("50060", "50053", "8: services orders grpc is 50053, must be a port of its own, and se"),
        ("8053", "80", "6: services risk http is '80', must be a whole number, 1024 to 65535: c"),
        ("8053", "8053.0", "6: services risk http is '8053.0', must be a whole number, 1024 to"),
        ("8053", "", "6: services risk http is None, must be a whole number, 1024 to 65535: ch"),
        ("8053", "65536", "6: services risk http is '65536', must be a whole number, 1024 to 65"),
        ("    http: 8053\n", "", "4: services risk has no http, must have one: add it"),
        ("  risk:", "  riks:", "4: 'riks' is no key of services, must be risk or orders: write"),
        ("  risk:", "  riks:", "3: services has no risk, must have one: add it"),
        ("device: {grpc: 50050, http: 8050}", "device: 50050", "1: device is no mapping, must ha"),
        ("services:", "service:", "3: 'service' is no key of the table of ports, must be device"),
        ("    http: 8060", "    http: 8060\n    http: 1", "10: 'http' is here a second time (fi"),
        (TEXT, "", "1: the table of ports is no mapping, must have device, exchange, services: "),
        ("device: {", "device: {{", "1: is no YAML while parsing a flow mapping: "),
    ],
)
def test_each_slip_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = refused(tmp_path, TEXT.replace(old, new))
    assert any(one.startswith(message) for one in found), found
