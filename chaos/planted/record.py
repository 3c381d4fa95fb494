"""Writes chaos/TRACK_RECORD.md: which planted bugs were found, by what, and which checks did it.

python -m chaos.planted.record "2024-01-02, commit 0123abc"
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from chaos.planted.catalogue import PLANTS
from chaos.planted.finding import Found, find
from chaos.planted.planting import Plant

RECORD = Path(__file__).parent.parent / "TRACK_RECORD.md"
HEAD = """\
# Track record

{count} bugs that could have been made are planted, one at a time, in the code that runs
(`chaos/planted/`), and looked for as a user would: an experiment is run in virtual time, and its
history is judged. A bug is found when the verdict is FAILED by the check that is named first;
the others failed as well. `pytest chaos/planted` finds all of them again, and shows that the same
experiments and seeds raise no alarm without them. This page is written by `make track-record`.

| bug | as who made it would say | found by | seeds needed | last reproduced at |
|---|---|---|---|---|
"""
CHECKS = """
## Checks that found them

| check | bugs |
|---|---|
"""


def main(at: str) -> int:
    """Find every plant, write the record as of `at`; return 1 when one was not found."""
    found = {}
    for plant in PLANTS:
        found[plant.name] = find(plant)
        sys.stdout.write(f"{plant.name}: {found[plant.name] or 'NOT FOUND'}\n")
    RECORD.write_text(written(PLANTS, found, at), encoding="utf-8")
    return 0 if all(found.values()) else 1


def written(plants: Iterable[Plant], found: dict[str, Found | None], at: str) -> str:
    """Return the page; a plant that was not found has a row that says so."""
    rows, by_check = [], defaultdict(list)
    for plant in plants:
        one = found[plant.name]
        others = [name for name in one.checks if name != plant.check] if one else []
        checks = ", ".join(f"`{name}`" for name in (plant.check, *sorted(others)))
        how = f"{plant.experiment}: {checks}" if one else "**not found**"
        seed, last = (str(one.seed), at) if one else ("", "")
        rows.append(f"| `{plant.name}` | {plant.confession} | {how} | {seed} | {last} |\n")
        for name in one.checks if one else ():
            by_check[name].append(f"`{plant.name}`")
    lines = [f"| `{name}` | {', '.join(bugs)} |\n" for name, bugs in sorted(by_check.items())]
    return HEAD.format(count=len(rows)) + "".join(rows) + CHECKS + "".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
