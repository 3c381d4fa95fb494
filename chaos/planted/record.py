"""Writes chaos/TRACK_RECORD.md: which planted bugs were found, by what, and which checks did it.

python -m chaos.planted.record "2024-01-02, 0123abc"
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import fixtures
from chaos.planted.catalogue import PLANTS
from chaos.planted.finding import Found, find
from chaos.planted.planting import Plant
from fixtures import checks

RECORD = Path(__file__).parent.parent / "TRACK_RECORD.md"
BY_HAND = ("checks/tests/test_*.py", "tests/test_*.py")  # Of fixtures/: histories made by hand.
HEAD = """\
# Track record

{count} bugs that could have been made are planted, one at a time, in the code that runs
(`chaos/planted/`), and looked for as a user would: an experiment is run in virtual time, and its
history is judged. A bug is found when the verdict is FAILED by the check that is named first; the
others failed as well. `pytest chaos/planted` finds all of them again, and shows that the same
experiments and seeds raise no alarm without them. This page is written by `make track-record`.

| bug | as who made it would say | found by | seeds needed | last reproduced at |
|---|---|---|---|---|
"""
CHECKS = """
## What made each check fail

| check | planted bugs | histories made by hand |
|---|---|---|
"""


def main(at: str) -> int:
    """Find every plant, write the record as of `at`; return 1 when one was not found."""
    found: dict[str, Found | None] = {}
    for plant in PLANTS:
        found[plant.name] = find(plant)
        sys.stdout.write(f"{plant.name}: {found[plant.name] or 'NOT FOUND'}\n")
        sys.stdout.flush()
    RECORD.write_text(written(PLANTS, found, at), encoding="utf-8")
    return 0 if all(found.values()) else 1


def written(plants: Iterable[Plant], found: Mapping[str, Found | None], at: str) -> str:
    """Return the page; a plant that was not found has a row that says so."""
    rows, by_check = list[str](), defaultdict[str, list[str]](list)
    for plant in plants:
        rows.append(_row(plant, found[plant.name], at))
        for name in _failed(found[plant.name]):
            by_check[name].append(f"`{plant.name}`")
    lines = [
        f"| `{name}` | {', '.join(by_check[name])} | {', '.join(unit_tests_of(name))} |\n"
        for name in sorted({*check_names(), *by_check})
    ]
    return HEAD.format(count=len(rows)) + "".join(rows) + CHECKS + "".join(lines)


def check_names() -> set[str]:
    """Return every check that experiments, trials and loads are judged by."""
    groups = (getattr(checks, name) for name in checks.__all__ if name.isupper())
    return {check.__name__ for group in groups for check in group}


def unit_tests_of(check: str) -> list[str]:
    """Return the test files that name a check: their histories make it fail."""
    folder = Path(fixtures.__file__).parent
    files = [file for pattern in BY_HAND for file in sorted(folder.glob(pattern))]
    return [file.stem for file in files if check in file.read_text(encoding="utf-8")]


def _row(plant: Plant, found: Found | None, at: str) -> str:
    others = (f"`{name}`" for name in _failed(found) if name != plant.check)
    how = f"{plant.experiment}: {', '.join((f'`{plant.check}`', *others))}"
    if found is None:
        return f"| `{plant.name}` | {plant.confession} | **not found** | | |\n"
    return f"| `{plant.name}` | {plant.confession} | {how} | {found.seed} | {at} |\n"


def _failed(found: Found | None) -> Iterator[str]:
    return iter(sorted(found.checks) if found else ())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
