"""The script that has images ready uses what is there, asks a registry shortly, says the rest."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = """
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
STRANGERS = """
# deb http://mirror.example/debian bookworm main
deb [arch=amd64] https://tools.example/linux/debian bookworm stable
deb https://tools.example/apt cloud-bookworm main
deb https://tools.example/php bookworm main
deb-src http://mirror.example/debian bookworm main
"""


@pytest.fixture
def engine(leave_out: Callable[[str], None]) -> None:
    """Go on where a Docker engine answers."""
    done = subprocess.run(["docker", "info"], capture_output=True, check=False)
    if done.returncode:
        leave_out("no Docker engine answers: run ci/provision")


def test_an_unknown_option_is_wrong_use() -> None:
    done = images("--everything")
    assert done.returncode == 2
    assert "option is '--everything', must be --check or --rebuild" in done.stderr


def test_a_machine_without_an_engine_is_told_what_to_do() -> None:
    done = images(environ={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert (done.returncode, done.stdout) == (
        1,
        "images: no Docker engine answers: run ci/provision\n",
    )


@pytest.mark.usefixtures("engine")
def test_a_registry_that_is_silent_is_not_waited_for_and_a_named_image_has_no_stand_in() -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:
        done = images(environ={"PLIMSOLL_REGISTRY_ANSWERS_WITHIN_S": "1", **named(registry)})
        registry.accept()[0].close()  # It was asked.
    assert (done.returncode, done.stdout) == (1, "images: missing: mysql redis toxiproxy\n")


@pytest.mark.usefixtures("engine")
def test_a_check_asks_no_registry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:
        done = images("--check", environ=named(registry))
        registry.setblocking(False)
        with pytest.raises(BlockingIOError):
            registry.accept()
    assert (done.returncode, done.stdout) == (1, "images: missing: mysql redis toxiproxy\n")


@pytest.mark.usefixtures("engine")
def test_an_image_whose_recipe_changed_is_missing(tmp_path: Path) -> None:
    for folder in ("ci", "deploy"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    names = tmp_path / "deploy" / "images" / "names.env"
    names.write_text(names.read_text().replace("mysql:8.4", "plimsoll/no-such-image:1"))
    if images("--check", root=tmp_path).returncode:
        pytest.skip("no image is built here: official ones are used, or ci/images was not run")
    with (tmp_path / "deploy" / "images" / "mysql" / "Dockerfile").open("a") as recipe:
        recipe.write("# Another.\n")
    done = images("--check", root=tmp_path)
    assert (done.returncode, done.stdout) == (1, "images: missing: mysql\n")


def test_packages_come_from_where_the_machine_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(STRANGERS)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(SOURCES)
    assert packages(tmp_path).stdout.splitlines() == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian-security bookworm-security main",
        "deb http://mirror.example/debian bookworm-updates main",
    ]


def test_packages_come_from_sources_written_in_lines_and_in_a_mirror_list(tmp_path: Path) -> None:
    (tmp_path / "mirrors").write_text("# near\nhttps://near.example/debian\thigh\n")
    (tmp_path / "sources.list").write_text(
        f"deb [signed-by=/a.gpg] mirror+file:{tmp_path}/mirrors bookworm main non-free\n"
    )
    assert packages(tmp_path).stdout == "deb https://near.example/debian bookworm main\n"


def test_a_machine_without_a_debian_mirror_is_told_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(STRANGERS)
    done = packages(tmp_path)
    assert done.returncode == 1
    assert "no Debian mirror of 'bookworm'" in done.stderr


def named(registry: socket.socket) -> dict[str, str]:
    """Return the variables that name an image of `registry` for every store."""
    name = f"127.0.0.1:{registry.getsockname()[1]}/store:1"
    return {f"PLIMSOLL_{store}_IMAGE": name for store in ("MYSQL", "REDIS", "TOXIPROXY")}


def images(
    *options: str, root: Path = ROOT, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    words = ["env", *(f"{name}={value}" for name, value in (environ or {}).items())]
    words += [str(root / "ci" / "images"), *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)


def packages(apt: Path) -> "subprocess.CompletedProcess[str]":
    words = [str(ROOT / "deploy" / "images" / "base" / "packages"), str(apt), "bookworm"]
    return subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
