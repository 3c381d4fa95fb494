"""The commands say what they found, and leave with the exit code that goes with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from plimsoll.contracts import generation, history, reference, tools
from plimsoll.contracts.command import app
from plimsoll.contracts.tools import ToolFailed


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def fails(*_: object, **__: object) -> str:
    raise ToolFailed("orders.proto:3:1: something is wrong")


def test_what_a_tool_finds_is_shown_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plimsoll.contracts.command.buf", fails)
    done = run("lint")
    assert done.exit_code == 1
    assert done.stderr == "orders.proto:3:1: something is wrong\n"


@pytest.mark.parametrize(
    ("command", "where"), [("generate", generation.GENERATED), ("docs", reference.DOCS)]
)
def test_stale_files_are_named_with_the_remedy(
    command: str, where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = generation.Changes(written=(where / "new",), removed=(where / "old",))
    monkeypatch.setattr(generation, "generate", lambda *_, **__: changes)
    monkeypatch.setattr("plimsoll.contracts.command.write_reference", lambda **_: changes)
    done = run(command, "--check")
    assert done.exit_code == 1
    assert f"stale {where}/new\nnot generated {where}/old\n" in done.stderr
    assert f"run `plimsoll contracts {command}` and commit" in done.stderr


def test_a_first_commit_is_honestly_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> str:
        raise history.NothingToCompare("main has no commit with contracts yet")

    monkeypatch.setattr("plimsoll.contracts.command.check_breaking", nothing)
    done = run("breaking")
    assert done.exit_code == 0
    assert done.stdout == "contracts: not compared, main has no commit with contracts yet\n"


def test_check_runs_everything_and_names_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    steps: dict[str, Callable[[], None]] = {
        "lint": lambda: ran.append("lint"),
        "generate": lambda: (_ for _ in ()).throw(SystemExit(1)),
    }
    monkeypatch.setattr("plimsoll.contracts.command.CHECKS", steps)
    done = run("check")
    assert ran == ["lint"]
    assert done.exit_code == 1


def test_a_missing_tool_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    done = run("lint")
    assert done.exit_code == 1
    assert f"{tmp_path}/buf is missing: run `make setup`" in done.stderr


def test_wrong_use_has_its_own_exit_code() -> None:
    assert run("generate", "--fast").exit_code == 2
