"""The script that provisions a machine names what is missing, and changes nothing it need not.

It runs on a PATH of our own, where no package can be installed and no engine started.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    *("awk", "bash", "cat", "cp", "cut", "dirname", "env", "find", "git", "grep", "id", "make"),
    *("mktemp", "rm", "sed", "sha256sum", "sleep", "sort", "tail", "timeout", "tr", "xargs"),
)
NEVER_RUN = (
    *("debootstrap", "dockerd", "iptables", "mariadbd", "redis-server", "strace"),
    *("grpcurl", "toxiproxy-server"),
)
ENGINE = """#!/bin/sh
# Answers as an engine that has every image.
exit 0
"""
INSTALLER = """#!/bin/sh
echo "$@" >> "$0.asked"
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder that holds every program the script looks for."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None, f"{name} is not on PATH"
        (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    for name in NEVER_RUN:
        _program(folder / name, "#!/bin/sh\nexit 1\n")
    _program(folder / "docker", ENGINE)
    return folder


def test_an_unknown_option_is_wrong_use(tools: Path) -> None:
    done = provision(tools, "--everything")
    assert done.returncode == 2
    assert "option is '--everything', must be --check or --require-all" in done.stderr


@pytest.mark.parametrize("option", ["", "--check", "--require-all"])
def test_a_machine_that_has_everything_is_left_alone(tools: Path, option: str) -> None:
    _program(tools / "apt-get", INSTALLER)
    done = provision(tools, option)
    assert (done.returncode, done.stdout) == (0, "provision: everything is here\n")
    assert not (tools / "apt-get.asked").exists()


@pytest.mark.parametrize(
    ("program", "name", "loss"),
    [
        ("git", "git", "no tidy rules"),
        ("python3", "python3-venv", "nothing at all"),
        ("grpcurl", "grpcurl", "no proof that a stranger's client is served over TLS"),
    ],
)
def test_a_check_names_what_is_missing_and_what_cannot_run_without_it(
    tools: Path, program: str, name: str, loss: str
) -> None:
    (tools / program).unlink()
    _program(tools / "apt-get", INSTALLER)
    done = provision(tools, "--check")
    assert done.returncode == 0
    assert f"provision: missing: {name}\n" in done.stdout
    assert f"without {name}: " in done.stdout
    assert loss in done.stdout
    assert not (tools / "apt-get.asked").exists()


def test_a_check_of_a_machine_without_an_engine_names_the_engine_and_its_images(
    tools: Path,
) -> None:
    _program(tools / "docker", "#!/bin/sh\nexit 1\n")
    done = provision(tools, "--check")
    assert "provision: missing: docker-engine images device-images compose\n" in done.stdout
    assert "start dockerd" in done.stdout


def test_what_stays_missing_fails_where_all_is_required(tools: Path) -> None:
    (tools / "git").unlink()
    done = provision(tools, "--require-all")
    assert done.returncode == 1
    assert "cannot install git (needs root on Debian)" in done.stdout
    assert "provision: missing: git\n" in done.stdout


def test_what_stays_missing_is_only_told_where_all_is_not_required(tools: Path) -> None:
    (tools / "git").unlink()
    done = provision(tools)
    assert done.returncode == 0
    assert "provision: missing: git\n" in done.stdout


def provision(tools: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": str(tools), "HOME": str(tools), "TMPDIR": str(tools.parent)}
    words = [str(ROOT / "ci" / "provision"), *filter(None, options)]
    run = subprocess.run
    return run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    os.chmod(path, 0o755)
