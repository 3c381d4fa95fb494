"""The report shows devices, links and hops, on a terminal, as JSON and in the page."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from fixtures.fleet import DeviceUse, Fleet, Hop, Hops, LinkUse
from plimsoll.console import as_json
from plimsoll.fleet import print_fleet
from plimsoll.report import render
from plimsoll.tests.test_report import outcome

MIB = 2**20
CARRIES = (("*", "risk"), ("orders", "risk"))
TO_RISK = Hop("orders", "risk", True, 1_278, 11, 332, 6.4, 46.31, 95.5)
WIDEST = Hop("indicators", "marketdata", True, 21_278, 21_278, 99_332, 0.64, 463.4, 10_955)
FLEET = Fleet(
    "pair",
    "Two of them",
    (
        DeviceUse("compute", ("indicators", "risk"), "0.5", 768 * MIB, (7, 8), 54.91, 138 * MIB),
        DeviceUse("state", ("orders",), "1", 512 * MIB),
    ),
    (
        LinkUse(
            "state->compute", 0.001, 125_000_000, (("*", "risk"), ("orders", "risk")), 99, 2048
        ),
        LinkUse("compute->mysql", 0.0, 125_000_000),
    ),
    Hops((TO_RISK, WIDEST, Hop("risk", "indicators", False, messages=9)), (TO_RISK,)),
)


def shown(fleet: Fleet, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_fleet(console, fleet)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_every_device_link_and_hop_within_its_width(width: int) -> None:
    lines = shown(FLEET, width).splitlines()
    assert max(map(len, lines)) <= width
    rows = [" ".join(line.split()) for line in lines]
    assert "compute 7 8 0.5 54.9 768.0 MiB 138.0 MiB indicators, risk" in rows
    assert "state - 1 - 512.0 MiB - orders" in rows
    assert "state->compute 1 ms 1 Gbit/s 99 B 2.0 KiB any to risk; orders to risk" in rows
    assert rows.count("orders->risk remote 1,278 332 6.40 46.31 95.50 0.86%") == 2
    assert "risk->indicators local 0 9 - - - -" in rows
    assert "indicators->marketdata remote 21,278 99,332 0.64 463 10,955 100.00%" in rows


def test_in_a_world_of_one_process_a_terminal_shows_no_devices() -> None:
    assert shown(Fleet(hops=FLEET.hops)) == ""


def test_json_has_devices_links_and_hops() -> None:
    found = json.loads(json.dumps(as_json(replace(outcome(), fleet=FLEET))))
    assert found["topology"] == "pair"
    first, second = found["devices"]
    assert (first["pids"], first["cpu_s"], first["memory_peak_bytes"]) == ([7, 8], 54.91, 138 * MIB)
    assert (second["cpu_s"], second["memory_peak_bytes"]) == (None, None)
    assert found["links"][0]["carries"] == [["*", "risk"], ["orders", "risk"]]
    hop = found["hops"]["services"][0]
    assert (hop["is_remote"], hop["calls"], hop["failed_share"]) == (True, 1_278, 0.008607)
    assert hop["latency_ms"] == {"p50": 6.4, "p99": 46.31, "max": 95.5}


def test_the_page_shows_devices_links_and_hops() -> None:
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", render(replace(outcome(), fleet=FLEET))))
    assert "compute 7 8 0.5 54.9 768.0 MiB 138.0 MiB indicators, risk" in page
    assert "compute → mysql 0 ms 1 Gbit/s - -" in page
    assert page.count("orders → risk remote 1,278 332 6.40 46.31 95.50 0.86%") == 2


def test_the_page_of_one_process_shows_hops_alone() -> None:
    page = render(replace(outcome(), fleet=Fleet(hops=FLEET.hops)))
    assert "service to service" in page
    assert "Devices" not in page
    assert "device to device" not in page
