"""Reads topologies from their files, and says everything that is wrong with one at once."""

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from runtime.topology.findings import Finding, TopologyError, any_of, near
from runtime.topology.marked import read_marked
from runtime.topology.models import Topology
from runtime.topology.rules import rule_findings
from runtime.topology.shapes import shape_findings

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "topologies"
SUFFIXES = (".yaml", ".yml")
BYTES_MAX = 1_000_000  # More is not a topology.


def load(name_or_path: str | Path, services: Sequence[str], *, folder: Path = FOLDER) -> Topology:
    """Return the topology of a file, or the one in `folder` that has the name.

    `services` are all there are: each must have a home in it. Raises TopologyError with
    everything that is wrong.
    """
    path = _path(name_or_path, folder)
    return parse(read_text(path), services, shown(path))


def parse(text: str, services: Sequence[str], path: str) -> Topology:
    """Return the topology that `text` describes; `path` stands before each finding."""
    marked = read_marked(text, path)
    if marked.data is None:
        nothing = Finding(path, 1, "is empty, must be a topology: copy one of those that ship")
        raise TopologyError(marked.findings or [nothing])
    found = list(marked.findings)
    for line, message in rule_findings(marked.data, services, marked.lines):
        found.append(Finding(path, line, message))
    topology: Topology | None = None
    try:
        topology = Topology.model_validate(marked.data)
    except ValidationError as error:
        for line, message in shape_findings(error, marked.data, marked.lines):
            found.append(Finding(path, line, message))
    if found or topology is None:
        raise TopologyError(found)
    return topology


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the names of the topologies in `folder`."""
    return tuple(sorted(file.stem for file in folder.glob("*.yaml")))


def read_text(path: Path) -> str:
    """Return what a file says; raises TopologyError when it cannot be read, or is no text."""
    try:
        if path.is_file() and path.stat().st_size > BYTES_MAX:
            size = f"{path.stat().st_size:,} bytes"
            raise TopologyError([_of(path, f"has {size}, must be at most {BYTES_MAX:,}: split it")])
        raw = path.read_bytes()
    except OSError as error:
        raise TopologyError([_of(path, _unreadable(path, error))]) from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"has the byte {raw[error.start]:#04x}, must be UTF-8: save it as such"
        raise TopologyError([Finding(shown(path), line, message)]) from error


def shown(path: Path) -> str:
    """Return a path as people want to read it: from where they are, unless that is far away."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _path(name_or_path: str | Path, folder: Path) -> Path:
    if isinstance(name_or_path, Path):
        return name_or_path
    if os.sep in name_or_path or name_or_path.endswith(SUFFIXES):
        return Path(name_or_path)
    known = names(folder)
    if name_or_path in known:
        return folder / f"{name_or_path}.yaml"
    meant = near(name_or_path, known)
    fix = f"write {meant}" if meant else "choose one"
    must = f"{any_of(known)}, or the path of a file" if known else "the path of a file"
    raise TopologyError([Finding(name_or_path, 0, f"is no topology, must be {must}: {fix}")])


def _unreadable(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read ({error.strerror}), must be a file: name another"
    there = sorted(file.name for file in path.parent.glob("*.y*ml"))
    which = f"{any_of(there)} of its folder" if there else "one of those that ship"
    return f"is not there, must be a file: name {which}"


def _of(path: Path, message: str) -> Finding:
    return Finding(shown(path), 0, message)
