"""Contracts of now against contracts of an earlier commit."""

from pathlib import Path

from plimsoll.contracts.tools import CONTRACTS, ROOT, ToolFailed, buf, git

MAIN = ("origin/main", "main")  # What is published counts before what is here.


class NothingToCompare(Exception):
    """There is no earlier commit with contracts."""


def check_breaking(against: str = "", *, root: Path = ROOT) -> str:
    """Return the commit compared with; raises ToolFailed with every break, place and rule.

    Without `against` that is the last commit of main that touched the contracts; raises
    NothingToCompare when there is none yet.
    """
    base = _commit(against, root) if against else _last_of_main(root)
    history = git("rev-parse", "--path-format=absolute", "--git-common-dir", root=root)
    buf("breaking", "--against", f"{history}#format=git,ref={base}", root=root)
    return base


def _commit(name: str, root: Path) -> str:
    try:
        return git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", root=root)
    except ToolFailed:
        raise ToolFailed(f"{name} is not a commit of this repository: name one") from None


def _last_of_main(root: Path) -> str:
    for branch in MAIN:
        try:
            _commit(branch, root)
        except ToolFailed:
            continue
        commit = git("log", "-1", "--format=%H", branch, "--", CONTRACTS, root=root)
        if commit:
            return commit
    raise NothingToCompare("main has no commit with contracts yet")
