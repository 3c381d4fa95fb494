"""What is wrong with a file, each at its line: what it is, what it must be, what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

NEAR_ENOUGH = 0.5  # A slip of the finger, not another word.

Location = tuple[str | int, ...]  # The keys and indices that lead to a place of the file.


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with a file."""

    path: str
    line: int  # From 1; 0 where the file as a whole is meant.
    message: str

    def __str__(self) -> str:
        """Return the line that an editor can jump to."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}"


class TopologyError(Exception):
    """A file is not what it must be; `findings` has all that is wrong with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__("\n".join(map(str, self.findings)))


class Wrong(ValueError):
    """A value is not what it must be: `must` says what, `fix` says what to do."""

    def __init__(self, *, must: str = "", fix: str = "") -> None:
        super().__init__(f"must be {must}: {fix}")
        self.must, self.fix = must, fix


@dataclass(frozen=True)
class Lines:
    """Where the keys and the values of a file stand."""

    keys: Mapping[Location, int]
    values: Mapping[Location, int]

    def of(self, where: Location) -> int:
        """Return the line of the value at `where`, or of what encloses it."""
        return _nearest_line(self.values, where)

    def of_key(self, where: Location) -> int:
        """Return the line of the key at `where`, or of what encloses it."""
        return _nearest_line(self.keys, where)


def near(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or ""."""
    by_letters = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), by_letters, n=1, cutoff=NEAR_ENOUGH)
    return by_letters[found[0]] if found else ""


def any_of(words: Iterable[str]) -> str:
    """Return a list of words as a sentence takes it: "a, b or c"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _nearest_line(lines: Mapping[Location, int], where: Location) -> int:
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)
