"""The compose file says what the topology, the table of ports and the names of images say."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.topology import Topology, load
from runtime.topology.ports import load_ports
from services.wiring import BUILDERS

ROOT = Path(__file__).resolve().parents[2]
UNITS = {"m": 2**20, "g": 2**30}


@pytest.fixture
def composed() -> dict[str, Any]:
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


@pytest.fixture
def topology() -> Topology:
    return load("dual-compute-state", tuple(BUILDERS))


def test_every_device_has_its_name_and_its_limits(
    composed: dict[str, Any], topology: Topology
) -> None:
    for name, device in topology.devices.items():
        service = composed["services"][name]
        told = service["environment"]
        assert (told["PLIMSOLL_DEVICE"], told["PLIMSOLL_TOPOLOGY"]) == (name, topology.name)
        assert Decimal(str(service["cpus"])) == device.cpus
        assert _bytes(service["mem_limit"]) == device.memory_bytes


def test_nothing_is_a_device_that_the_topology_has_not(
    composed: dict[str, Any], topology: Topology
) -> None:
    devices = {
        name
        for name, service in composed["services"].items()
        if "PLIMSOLL_DEVICE" in service.get("environment", {})
    }
    assert devices == set(topology.devices)


def test_ports_are_those_of_the_table(composed: dict[str, Any]) -> None:
    device = load_ports(tuple(BUILDERS)).device
    ports = [port for name in ("compute", "state") for port in _ports(composed, name)]
    assert set(ports) == {device.grpc, device.http}
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"\nEXPOSE {device.grpc} {device.http}\n" in image


def test_images_are_those_that_the_tests_use(composed: dict[str, Any]) -> None:
    names = (ROOT / "deploy" / "images" / "names.env").read_text(encoding="utf-8").splitlines()
    official = dict(line.split("=", 1) for line in names if "_IMAGE=" in line)
    for store in ("mysql", "redis", "toxiproxy"):
        variable = f"{store.upper()}_IMAGE"
        expected = f"${{PLIMSOLL_{variable}:-{official[variable]}}}"
        assert composed["services"][store]["image"] == expected


def test_every_service_is_limited_and_everybody_waits_for_health(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        assert {"cpus", "mem_limit"} <= service.keys(), name
        for other, wait in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other == "schemas" else "service_healthy"
            assert wait["condition"] == expected


def test_no_secret_is_in_the_environment(composed: dict[str, Any]) -> None:
    told = {
        name: value
        for service in composed["services"].values()
        for name, value in service.get("environment", {}).items()
    }
    secret = {name for name in told if "PASSWORD" in name or "KEY" in name}
    assert secret == {"MYSQL_ROOT_PASSWORD_FILE"}


def _bytes(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


def _ports(composed: dict[str, Any], name: str) -> list[int]:
    return [int(one.rpartition(":")[2]) for one in composed["services"][name].get("ports", [])]
