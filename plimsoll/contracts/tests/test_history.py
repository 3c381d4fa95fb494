"""What breaks those who use an earlier contract is found; what only adds is not."""

from pathlib import Path

import pytest

from plimsoll.contracts import mothers
from plimsoll.contracts.history import NothingToCompare, check_breaking
from plimsoll.contracts.tools import ToolFailed, git


def commit(root: Path) -> str:
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")
    git("add", "-A", root=root)
    git(*who, "commit", "-q", "--no-verify", "--allow-empty", "-m", "Change contracts", root=root)
    return git("rev-parse", "HEAD", root=root)


@pytest.fixture
def repository(workspace: Path) -> Path:
    git("init", "-q", "-b", "main", root=workspace)
    mothers.write_ping(workspace)
    return workspace


def test_a_removed_field_breaks(repository: Path) -> None:
    commit(repository)
    file = mothers.write_ping(repository)
    file.write_text(file.read_text().replace("  // The answer.\n  string text = 1;\n", ""))
    with pytest.raises(ToolFailed, match=r"ping\.proto:\d+:\d+:.*field \"1\".*\"text\".*deleted"):
        check_breaking(root=repository)


def test_an_added_field_breaks_nothing(repository: Path) -> None:
    base = commit(repository)
    file = mothers.write_ping(repository)
    added = "string text = 1;\n  // Another.\n  string more = 2;\n"
    file.write_text(file.read_text().replace("string text = 1;\n", added))
    assert check_breaking(root=repository) == base


def test_a_first_commit_has_nothing_to_compare_with(repository: Path) -> None:
    with pytest.raises(NothingToCompare, match="main has no commit with contracts yet"):
        check_breaking(root=repository)


def test_a_named_commit_is_compared_with(repository: Path) -> None:
    first = commit(repository)
    file = mothers.write_ping(repository)
    file.write_text(file.read_text().replace("string text = 1", "string answer = 1"))
    commit(repository)
    check_breaking(root=repository)
    with pytest.raises(ToolFailed, match="changed name"):
        check_breaking(first, root=repository)


def test_a_commit_that_does_not_exist_is_named(repository: Path) -> None:
    commit(repository)
    with pytest.raises(ToolFailed, match="v9 is not a commit of this repository"):
        check_breaking("v9", root=repository)
