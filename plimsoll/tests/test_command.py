"""The command as a user meets it: one JSON object, honest statuses, clear errors, nothing lost."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.saved import load
from plimsoll.tests.reconcile import reconcile

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"verdict", "world", "seed", "history_sha256", "candles", "signals", "orders", "fills"}
HISTORY_BYTES_MAX = 200_000
INTERRUPT_WITHIN_S = 60


def plimsoll(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, **options.pop("environ", {})}
    command = [sys.executable, "-m", "plimsoll", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, **options
    )


def trial(folder: Path, seed: int, hash_seed: str = "0") -> dict[str, Any]:
    ended = plimsoll(
        "trial", "trading_day", "--world", "simulated", "--seed", str(seed),
        "--directory", str(folder), "--json", environ={"PYTHONHASHSEED": hash_seed},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    outcome = json.loads(ended.stdout)
    assert isinstance(outcome, dict)
    return outcome


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the outcome of one simulated trial with seed 7."""
    folder = tmp_path_factory.mktemp("trial") / "run"
    return folder, trial(folder, 7)


def test_a_trial_prints_one_json_object_with_verdict_figures_and_checks(
    run: tuple[Path, dict[str, Any]],
) -> None:
    _, outcome = run
    assert outcome.keys() >= KEYS
    assert outcome["verdict"] == "passed"
    assert min(outcome[name] for name in ("candles", "signals", "orders", "fills")) > 0
    assert set(outcome["latency_ms"]) == {"p50", "p99", "p999", "max"}
    assert all(c["verdict"] != "failed" and c["examined"] >= 0 for c in outcome["checks"])
    assert "--seed 7" in outcome["replay"]


def test_positions_and_cash_of_the_report_are_the_sum_of_the_fills(
    run: tuple[Path, dict[str, Any]],
) -> None:
    reconcile(run[0])


def test_a_seed_gives_the_same_history_in_every_process_and_another_seed_another(
    run: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    again = trial(tmp_path / "again", 7, hash_seed="12345")
    other = trial(tmp_path / "other", 8)
    assert again["history_sha256"] == run[1]["history_sha256"] != other["history_sha256"]


def test_a_saved_history_is_judged_again_with_the_same_verdict(
    run: tuple[Path, dict[str, Any]],
) -> None:
    ended = plimsoll("check", str(run[0] / "history.jsonl"), "--json")
    assert ended.returncode == 0, ended.stderr
    again = json.loads(ended.stdout)
    assert (again["verdict"], again["history_sha256"]) == ("passed", run[1]["history_sha256"])
    assert again["checks"] == run[1]["checks"]


def test_an_earlier_run_is_never_overwritten(run: tuple[Path, dict[str, Any]]) -> None:
    ended = plimsoll("trial", "--world", "simulated", "--directory", str(run[0]))
    assert ended.returncode == 2
    assert "already holds a run: choose another or remove it" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trial", "nothing"], "experiment is 'nothing', must be one of: "),
        (["trial", "--world", "mars"], "world is 'mars', must be one of: simulated, embedded"),
        (["trial", "replies_are_lost", "--world", "processes"], "exist in: embedded, simulated"),
        (["simulate", "--seeds", "9..1"], "--seeds is '9..1', must be FIRST..LAST"),
        (["check", "no.jsonl"], "history no.jsonl cannot be read"),
        (["trial", "--stores", "cloud"], "must be one of: embedded, local, containers"),
        (["trial", "--world", "simulated", "--stores", "local"], "must not be given in a simul"),
        (["up", "--world", "simulated"], "must be embedded"),
    ],
    ids=[
        "experiment",
        "world",
        "no such faults",
        "seeds",
        "history",
        "stores",
        "virtual servers",
        "virtual callers",
    ],
)
def test_wrong_use_ends_with_status_2_and_says_what_to_do(
    arguments: list[str], message: str
) -> None:
    ended = plimsoll(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_full_disk_ends_the_run_clearly_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (HISTORY_BYTES_MAX, HISTORY_BYTES_MAX))

    folder = tmp_path / "run"
    ended = plimsoll(
        "trial", "--world", "simulated", "--directory", str(folder), preexec_fn=limit_file_size
    )
    assert ended.returncode == 3
    assert "cannot be written" in ended.stderr
    assert "free space or choose another --directory" in ended.stderr
    lines = (folder / "history.jsonl").read_text().splitlines()
    assert all(json.loads(line) for line in lines[:-1])


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C reach what is started, also where the shell runs the tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_is_void_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    history = folder / "history.jsonl"
    command = [sys.executable, "-m", "plimsoll", "trial", "--directory", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.startswith("trading") for line in process.stderr)  # Waits for it.
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=INTERRUPT_WITHIN_S)
    assert process.returncode == 3
    assert "void: interrupted; what was recorded is kept" in errors
    assert "Traceback" not in errors
    assert load(history).records
    assert plimsoll("check", str(history)).returncode in {1, 3}


def test_a_trial_on_stores_that_this_machine_lacks_says_what_to_do(tmp_path: Path) -> None:
    ended = plimsoll(
        "trial", "--stores", "containers", "--directory", str(tmp_path / "run"),
        environ={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
    )  # fmt: skip
    assert ended.returncode == 2
    assert "no Docker engine answers" in ended.stderr
    assert not (tmp_path / "run").exists()
