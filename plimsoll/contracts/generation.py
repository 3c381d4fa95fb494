"""Generated code: made anew in a folder of its own, then compared with what is committed."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plimsoll.contracts.meanings import with_consequences
from plimsoll.contracts.tools import CONTRACTS, ROOT, ToolFailed, buf

GENERATED = Path("contracts", "python")
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_port.py")
ELSEWHERE = "google"  # Its messages come from the installed packages.


@dataclass(frozen=True)
class Changes:
    """How generated files differ from those in the checkout, as paths below it."""

    written: tuple[Path, ...]  # New or with other content.
    removed: tuple[Path, ...]  # No longer generated.

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)


def image(areas: Sequence[str] = (), *, root: Path = ROOT) -> bytes:
    """Return the descriptors of the contracts, and of what follows from what they say.

    With `areas` only of those. Raises ToolFailed with every place that does not compile.
    """
    chosen = [argument for area in areas for argument in ("--path", _folder(area, root))]
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch, "contracts.binpb")
        buf("build", "-o", built, *chosen, root=root)
        return with_consequences(built.read_bytes())


def _folder(area: str, root: Path) -> Path:
    folder = CONTRACTS / "trading" / area
    if not (root / folder).is_dir():
        known = sorted(f.name for f in (root / CONTRACTS / "trading").iterdir() if f.is_dir())
        raise ToolFailed(f"{area} is not an area of the contracts, must be of {', '.join(known)}")
    return folder


def generate(areas: Sequence[str] = (), *, root: Path = ROOT, check_only: bool = False) -> Changes:
    """Bring the generated code up to date, or with `check_only` just say what would change.

    With `areas` only their code is made, so that others may be in the middle of an edit.
    """
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch, "contracts.binpb")
        built.write_bytes(image(areas, root=root))
        buf("generate", built, "--exclude-path", ELSEWHERE, "-o", scratch, root=root)
        fresh = _contents(Path(scratch, GENERATED))
    current = _contents(root / GENERATED)
    stale = () if areas else tuple(path for path in current if path not in fresh)
    written = tuple(path for path, content in fresh.items() if current.get(path) != content)
    if not check_only:
        for path in written:
            write(root / GENERATED / path, fresh[path])
        for path in stale:
            (root / GENERATED / path).unlink()
    return Changes(_below(written), _below(stale))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: others may be reading it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as scratch:
        scratch.write(content)
    Path(scratch.name).chmod(0o644)
    Path(scratch.name).replace(path)


def _contents(folder: Path) -> dict[Path, bytes]:
    files = sorted(folder.rglob("*_p*.py*"))
    return {f.relative_to(folder): f.read_bytes() for f in files if f.name.endswith(SUFFIXES)}


def _below(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(GENERATED / path for path in paths)
