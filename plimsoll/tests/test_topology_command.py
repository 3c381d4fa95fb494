"""`plimsoll topology` as its users meet it: what it shows, says and draws, and its statuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plimsoll.__main__ import app
from plimsoll.failures import WrongUse
from runtime.topology import FOLDER

RUN = CliRunner()


def topology(*words: str) -> tuple[int, str, str]:
    """Return the status, and what came on standard output and as complaint."""
    ended = RUN.invoke(app, ["topology", *words])
    if isinstance(ended.exception, WrongUse):
        return 2, ended.stdout, str(ended.exception)
    return ended.exit_code, ended.stdout, ended.stderr


def test_without_a_name_all_that_ship_are_listed() -> None:
    status, text, _ = topology("show")
    assert status == 0
    first = [line.split()[0] for line in text.splitlines()[1:] if not line.startswith(" ")]
    assert first == ["dual-balanced", "dual-compute-state", "per-service", "single"]


def test_a_topology_is_shown_with_devices_links_and_channels() -> None:
    status, text, _ = topology("show", "dual-compute-state")
    assert status == 0
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "compute 1 768 MiB indicators, risk, strategy discovery, execution," in rows
    assert "compute - state 1 ms 1 Gbit/s" in rows
    assert "every other 0 ms 1 Gbit/s" in rows
    assert any(row.startswith("state->exchange 2 ms 100 Mbit/s execution to") for row in rows)
    assert any(row.startswith("1 more once a device is lost and standbys took") for row in rows)


def test_json_is_one_object_with_all_that_follows_from_a_file() -> None:
    status, text, complaint = topology("show", "single", "--json")
    shown = json.loads(text)
    assert (status, complaint) == (0, "")
    assert shown["devices"]["main"]["memory_bytes"] == 2**30
    assert [channel["name"] for channel in shown["channels"]] == [
        "main->exchange",
        "main->mysql",
        "main->redis",
    ]
    assert shown["channels"][0]["calls"] == [["execution", "exchange"], ["portfolio", "exchange"]]
    assert len(json.loads(topology("show", "--json")[1])["topologies"]) == 4


def test_a_right_file_is_said_to_be_right() -> None:
    status, text, _ = topology("check", str(FOLDER / "single.yaml"))
    assert status == 0
    assert text.endswith("single.yaml: single, 1 device, 8 services: valid\n")


def test_a_wrong_file_ends_with_status_2_and_a_line_for_each_slip(tmp_path: Path) -> None:
    path = tmp_path / "slips.yaml"
    text = (FOLDER / "single.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("cpus: 2", "cpus: two").replace("1 GiB", "1 GB"), encoding="utf-8")
    status, output, complaint = topology("check", str(path))
    assert (status, output) == (2, "")
    assert complaint.splitlines() == [
        f"{path}:9: cpus of device main is 'two', must be a number above 0, such as 1.5: write a "
        "number without a unit, such as 1.5",
        f"{path}:10: memory of device main is '1 GB', must be at least 192 MiB, such as 512 MiB: "
        "write 1 GiB",
    ]


@pytest.mark.parametrize("words", [["show", "dual"], ["draw", "dual"], ["check", "dual"]])
def test_a_name_that_is_none_is_answered_with_those_there_are(words: list[str]) -> None:
    status, output, complaint = topology(*words)
    assert (status, output) == (2, "")
    assert "dual-balanced" in complaint


def test_a_drawing_goes_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "map.svg"
    status, text, _ = topology("draw", "dual-balanced", "--out", str(path))
    assert (status, text) == (0, f"{path}\n")
    assert path.read_text(encoding="utf-8").startswith("<svg")
    status, _, complaint = topology("draw", "single", "--out", str(tmp_path / "map.png"))
    assert status == 2
    assert "must be an .svg: name it so" in complaint
    status, _, complaint = topology("draw", "single", "--out", str(tmp_path / "no" / "map.svg"))
    assert status == 2
    assert "must be in a folder that is there: choose another" in complaint


@pytest.mark.real_time
def test_nothing_of_topologies_is_loaded_before_it_is_asked_for() -> None:
    program = (
        "import sys, plimsoll.__main__, services.wiring, runtime.client\n"
        "print({'pydantic', 'yaml', 'jinja2', 'runtime.topology'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "set()\n"
