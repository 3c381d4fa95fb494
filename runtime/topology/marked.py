"""The text of a YAML file as plain data, with the line of everything in it.

Every scalar stays the text that the file has: no `no` turns into False, no `1.10` into 1.1. What
YAML takes in silence and nobody means (a key twice, two documents) is a finding, as are aliases
and tags.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from runtime.topology.findings import Finding, Lines, Location

DEPTH_MAX = 8  # Of lists and mappings within each other; ours need four.
NULL = "tag:yaml.org,2002:null"
OPENED = ("while parsing a flow", "while scanning a quoted")  # What is wrong is where it began.


@dataclass(frozen=True)
class Marked:
    """What a file says and where."""

    data: Any  # Mappings, lists, texts, and None for what is left empty.
    lines: Lines
    findings: tuple[Finding, ...]


@dataclass
class _Reading:
    """What has been read so far."""

    path: str
    keys: dict[Location, int] = field(default_factory=dict)
    values: dict[Location, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, line: int, message: str) -> None:
        """Note that something is wrong."""
        self.findings.append(Finding(self.path, line, message))


def read_marked(text: str, path: str) -> Marked:
    """Return what `text` says; where it is not YAML, `data` is None and `findings` tell why."""
    reading = _Reading(path)
    data = None
    try:
        for line, message in _refused(text):
            reading.find(line, message)
        node = None if reading.findings else yaml.compose(text, yaml.SafeLoader)
        if node is not None:
            data = _plain(node, (), reading)
    except yaml.MarkedYAMLError as error:
        reading.find(*_told(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reading.find(
            line, f"has the character {error.character!r}, must be printable text: remove it"
        )
    return Marked(data, Lines(reading.keys, reading.values), tuple(reading.findings))


def _refused(text: str) -> Iterator[tuple[int, str]]:
    """Yield what is YAML but has no place here; reads no deeper than what it refuses."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        assert event.start_mark is not None  # Only of events that nobody read from a text.
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            yield line, f"is nested {depth} deep, must be at most {DEPTH_MAX}: close a bracket"
            return
        if isinstance(event, yaml.AliasEvent):
            yield line, f"*{event.anchor} is an alias, must be the thing itself: write it out"
        elif isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            yield line, f"&{event.anchor} is an anchor, must not be given: remove it"
        elif tag := getattr(event, "tag", None):
            yield line, f"{tag} is a tag, must not be given: remove it"


def _plain(node: yaml.Node, where: Location, reading: _Reading) -> Any:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        reading.values[where] = line
        return None if node.tag == NULL else node.value
    # A block begins below its key: what is wrong with the whole of it is said at the key.
    reading.values[where] = reading.keys.get(where, line)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, n), reading) for n, item in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            reading.find(key_line, "a key is a list or a mapping, must be a word: rename it")
            continue
        key = key_node.value
        if key in found:
            first = reading.keys[(*where, key)]
            message = f"{key!r} is here a second time (first in line {first}), must be once"
            reading.find(key_line, f"{message}: remove one of the two")
            continue
        reading.keys[(*where, key)] = key_line
        found[key] = _plain(value_node, (*where, key), reading)
    return found


def _told(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Return where a text stops being YAML, and why."""
    mark, context = error.problem_mark or error.context_mark, error.context or ""
    line = mark.line + 1 if mark else 1
    problem = (error.problem or context).replace("<stream end>", "the end of the file")
    if error.context_mark is not None and context.startswith(OPENED):
        begun = error.context_mark.line + 1
        seen = f" in line {line}" if begun != line else ""
        return begun, f"is no YAML {context}: {problem}{seen}; close what is opened here"
    if "expected a single document" in (context + problem):
        return line, "a second document begins here, must be one: remove the line of hyphens"
    return line, f"is no YAML: {problem}; correct this line or the one above it"
