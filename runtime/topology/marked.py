"""The text of a YAML file as plain data, with the line of everything in it.

Every scalar stays the text that the file has: no `no` turns into False, no `1.10` into 1.1. What
YAML takes in silence and nobody means (a key twice, two documents) is a finding, as are aliases
and tags.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from runtime.topology.findings import Finding, Lines, Location

DEPTH_MAX = 8  # Of lists and mappings within each other; ours need four.
NOTHING = ("", "~", "null", "Null", "NULL")  # What YAML takes for nothing, unless it is quoted.
STRANGE_ENDS = re.compile("\x85|\u2028|\u2029|\r(?!\n)")  # Lines to YAML, not to an editor.
OPENED = ("while parsing a flow", "while scanning a quoted")  # What is wrong is where it began.


@dataclass(frozen=True)
class Marked:
    """What a file says and where."""

    data: Any  # Mappings, lists, texts, and None for what is left empty.
    lines: Lines
    findings: tuple[Finding, ...]


def read_marked(text: str, path: str) -> Marked:
    """Return what `text` says; where it is not YAML, `data` is None and `findings` tell why."""
    reading = _Reading(text, path)
    data = None
    try:
        if strange := STRANGE_ENDS.search(text):
            raise _Unprintable(strange.start())
        data = reading.document()
    except yaml.MarkedYAMLError as error:
        reading.find(*_told(error, text))
    except (yaml.reader.ReaderError, _Unprintable) as error:
        line, character = text.count("\n", 0, error.position) + 1, repr(text[error.position])
        reading.find(line, f"has the character {character}, must be printable text: remove it")
    except _TooDeep as error:
        message = f"is nested {DEPTH_MAX + 1} deep, must be at most {DEPTH_MAX}: close a bracket"
        reading.find(error.line, message)
    return Marked(data, Lines(reading.keys, reading.values), tuple(reading.findings))


class _Unprintable(Exception):
    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass
class _Reading:
    """Reads the one document of a text, and keeps where everything is."""

    text: str
    path: str
    keys: dict[Location, int] = field(default_factory=dict)
    values: dict[Location, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._events = yaml.parse(self.text, yaml.SafeLoader)

    def find(self, line: int, message: str) -> None:
        """Note that something is wrong."""
        self.findings.append(Finding(self.path, line, message))

    def document(self) -> Any:
        """Return what the text says, None where it says nothing."""
        data, is_first = None, True
        for event in self._events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            if not is_first:
                message = "a second document begins here, must be one: remove the line of hyphens"
                self.find(_line(event), message)
                return data
            data, is_first = self._value(next(self._events), ()), False
        return data

    def _value(self, event: yaml.Event, where: Location) -> Any:
        line = _line(event)
        if isinstance(event, yaml.NodeEvent):
            self._check(event, line)
        if isinstance(event, yaml.ScalarEvent):
            self.values[where] = line
            return None if event.value in NOTHING and not event.style else event.value
        # A block begins below its key: what is wrong with the whole of it is said at the key.
        self.values[where] = self.keys.get(where, line)
        if isinstance(event, yaml.CollectionStartEvent) and len(where) >= DEPTH_MAX:
            raise _TooDeep(line)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(where)
        return self._mapping(where) if isinstance(event, yaml.MappingStartEvent) else None

    def _list(self, where: Location) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*where, len(found))))
        return found

    def _mapping(self, where: Location) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                self.find(line, "a key is a list or a mapping, must be a word: rename it")
                self._skip(event)
                self._skip(next(self._events))
            elif event.value in found:
                first = self.keys[(*where, event.value)]
                message = f"{event.value!r} is here a second time (first in line {first})"
                self.find(line, f"{message}, must be once: remove one of the two")
                self._skip(next(self._events))
            else:
                self._check(event, line)
                self.keys[(*where, event.value)] = line
                found[event.value] = self._value(next(self._events), (*where, event.value))
        return found

    def _skip(self, event: yaml.Event) -> None:
        """Pass over a value that has no place in the data."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if not depth:
                return
            event = next(self._events)

    def _check(self, event: yaml.NodeEvent, line: int) -> None:
        """Find what is YAML but has no place here."""
        if isinstance(event, yaml.AliasEvent):
            message = f"*{event.anchor} is an alias, must be the thing itself: write it out"
            self.find(line, message)
        elif event.anchor is not None:
            self.find(line, f"&{event.anchor} is an anchor, must not be given: remove it")
        elif tag := getattr(event, "tag", None):
            self.find(line, f"{tag} is a tag, must not be given: remove it")


def _line(event: yaml.Event) -> int:
    assert event.start_mark is not None  # Every event that was read from a text has one.
    return int(event.start_mark.line) + 1


def _told(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Return where a text stops being YAML, and why."""
    mark, context = error.problem_mark or error.context_mark, error.context or ""
    line = mark.line + 1 if mark else 1
    problem = (error.problem or context).replace("<stream end>", "the end of the file")
    if error.context_mark is not None and context.startswith(OPENED):
        begun = error.context_mark.line + 1
        seen = f" in line {line}" if begun != line else ""
        return begun, f"is no YAML {context}: {problem}{seen}; close what is opened here"
    if error.context_mark is not None and context == "while scanning a simple key":
        return error.context_mark.line + 1, "is no YAML: a key has no ':' after it; add it"
    if "expected <block end>" in problem and (neighbours := _neighbours(text, line)):
        return line, f"is no YAML: {neighbours}"
    return line, f"is no YAML: {problem}; correct this line or the one above it"


def _neighbours(text: str, line: int) -> str:
    """Say which lines above a line it could belong to, where its indentation fits none of them."""
    above = [(n, _indent(one)) for n, one in enumerate(text.splitlines()[:line], 1) if _says(one)]
    if not above or above[-1][0] != line:
        return ""
    own = above.pop()[1]
    outer = next((n for n in range(len(above) - 1, -1, -1) if above[n][1] < own), -1)
    if outer + 1 >= len(above) or above[outer + 1][1] == own:
        return ""
    inner_line, inner = above[outer + 1]
    outside = f"{above[outer][1]} as in line {above[outer][0]} or " if outer >= 0 else ""
    return (
        f"it is indented by {own}, must be by {outside}{inner} as in line {inner_line}: "
        "correct one of these lines"
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
