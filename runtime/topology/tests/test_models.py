"""What follows from a topology: homes, standbys, channels, and what they are after a change."""

import pytest
from pydantic import ValidationError

from runtime.topology import Calls, Topology, parse
from runtime.topology.tests.files import SERVICES, TWO

KNOWN: Calls = {
    "strategy": ("marketdata", "indicators"),
    "execution": ("exchange", "risk"),
    "portfolio": ("risk",),
    "*": ("discovery",),
}


@pytest.fixture
def two() -> Topology:
    return parse(TWO, SERVICES, "two.yaml")


def test_a_file_says_what_devices_may_use_and_have(two: Topology) -> None:
    left, right = two.devices["left"], two.devices["right"]
    assert (str(left.cpus), left.memory_bytes) == ("1.5", 2**29)
    assert right.services == ("discovery", "execution", "orders", "risk", "strategy")
    assert (two.home_of("risk"), two.standby_of("risk")) == ("right", "left")
    assert two.standby_of("portfolio") is None
    assert two.services == tuple(sorted(SERVICES))


def test_a_link_is_the_same_from_both_ends_and_others_are_the_default(two: Topology) -> None:
    assert two.line_between("right", "left") == two.line_between("left", "right")
    assert two.line_between("left", "right").bandwidth_bytes_s == 256_000
    assert two.line_between("left", "mysql").latency_s == 0
    assert two.line_between("right", "mysql") == two.default_link


def test_channels_go_where_calls_go_and_to_every_store(two: Topology) -> None:
    assert [channel.name for channel in two.channels(KNOWN)] == [
        "left->mysql",
        "left->redis",
        "left->right",
        "right->exchange",
        "right->left",
        "right->mysql",
        "right->redis",
    ]
    there = {channel.name: channel for channel in two.channels(KNOWN)}
    assert there["left->right"].calls == (("*", "discovery"), ("portfolio", "risk"))
    assert there["left->right"].line.latency_s == 0.003
    assert two.remote_pairs(KNOWN) == (("left", "right"), ("right", "left"))


def test_a_call_within_a_device_needs_no_channel(two: Topology) -> None:
    assert two.remote_pairs({"execution": ("risk",)}) == ()


def test_standbys_take_over_what_a_lost_device_had(two: Topology) -> None:
    after = two.without("right")
    assert tuple(after.devices) == ("left",)
    assert after.home_of("risk") == after.home_of("orders") == "left"
    assert after.standby_of("risk") is None
    assert "execution" not in after.services
    assert two.home_of("risk") == "right"


def test_channels_of_standbys_are_there_when_asked_for(two: Topology) -> None:
    known = {"risk": ("exchange",)}
    names = [channel.name for channel in two.channels(known)]
    later = [channel.name for channel in two.channels(known, with_standbys=True)]
    assert "left->exchange" not in names
    assert set(later) - set(names) == {"left->exchange"}


def test_a_service_moves_over_and_back(two: Topology) -> None:
    over = two.moved("risk", "left")
    assert (over.home_of("risk"), over.standby_of("risk")) == ("left", "right")
    assert over.moved("risk", "right") == two
    assert two.moved("risk", "right") is two


def test_a_topology_does_not_change(two: Topology) -> None:
    with pytest.raises(ValidationError):
        two.name = "other"
