"""The reference under docs/contracts: a page for each area, written from its contract."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from plimsoll.contracts.generation import Changes, image, write
from plimsoll.contracts.pages import Page, service_lines, table, type_lines
from plimsoll.contracts.tools import ROOT
from runtime.protoc_contract import Contract

DOCS = Path("docs", "contracts")
PACKAGE = 2  # Field number in FileDescriptorProto.
NOTE = "*Generated from the contracts: edit those, then `plimsoll contracts docs`.*"


def write_reference(*, root: Path = ROOT, check_only: bool = False) -> Changes:
    """Bring the reference up to date, or with `check_only` just say what would change."""
    fresh = pages(image(root=root))
    folder = root / DOCS
    current = {f.name: f.read_text("utf-8") for f in sorted(folder.glob("*.md"))}
    written = tuple(name for name, text in fresh.items() if current.get(name) != text)
    removed = tuple(name for name in current if name not in fresh)
    if not check_only:
        for name in written:
            write(folder / name, fresh[name].encode())
        for name in removed:
            (folder / name).unlink()
    return Changes(tuple(DOCS / name for name in written), tuple(DOCS / name for name in removed))


def pages(descriptors: bytes) -> dict[str, str]:
    """Return the text of every page by file name."""
    files = FileDescriptorSet.FromString(descriptors).file
    contract = Contract(files)
    areas: dict[str, list[FileDescriptorProto]] = {}
    for file in sorted(files, key=lambda file: file.name):
        if file.package.startswith("trading."):
            areas.setdefault(file.package.split(".")[1], []).append(file)
    texts = {f"{area}.md": _text(_area(contract, area, own)) for area, own in areas.items()}
    return {"README.md": _text(_index(contract, areas)), **texts}


def _text(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def _index(contract: Contract, areas: dict[str, list[FileDescriptorProto]]) -> Iterator[str]:
    yield from ("# Contracts", "", "What the system promises, one page for each area.", "")
    rows = [
        (f"[{area}]({area}.md)", _services(files), _summary(contract, files))
        for area, files in sorted(areas.items())
    ]
    yield from table(("Area", "Services", "Is"), rows)
    yield from ("", NOTE)


def _services(files: list[FileDescriptorProto]) -> str:
    return ", ".join(f"`{service.name}`" for file in files for service in file.service)


def _summary(contract: Contract, files: list[FileDescriptorProto]) -> str:
    return _introduction(contract, files).partition("\n\n")[0].replace("\n", " ")


def _introduction(contract: Contract, files: list[FileDescriptorProto]) -> str:
    """Return the comment on the package, wherever it is written."""
    texts: Any = (contract.comment(file, (PACKAGE,)) for file in files)
    return next(filter(None, texts), "")


def _area(contract: Contract, area: str, files: list[FileDescriptorProto]) -> Iterator[str]:
    yield f"# {area}"
    yield from ("", f"Package `{files[0].package}`: {_sources(files)}")
    introduction = _introduction(contract, files)
    if introduction:
        yield from ("", introduction)
    for file in files:
        page = Page(contract, file)
        for s in range(len(file.service)):
            yield from service_lines(page, s)
    for file in files:
        yield from type_lines(Page(contract, file))
    yield from ("", NOTE)


def _sources(files: list[FileDescriptorProto]) -> str:
    links = (f"[{Path(f.name).name}](../../contracts/proto/{f.name})" for f in files)
    return " · ".join(links)
