"""The contracts as the generated code carries them at run time."""

import importlib
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from runtime.protoc_contract import Contract

PYTHON = Path(__file__).resolve().parents[1] / "python"


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Every file of the contracts with what it imports."""
    files: dict[str, FileDescriptorProto] = {}
    for path in sorted(PYTHON.rglob("*_pb2.py")):
        name = ".".join(path.relative_to(PYTHON).with_suffix("").parts)
        enter(importlib.import_module(name).DESCRIPTOR, files)
    return Contract(files.values())


def enter(file: FileDescriptor, files: dict[str, FileDescriptorProto]) -> None:
    """Add a file after everything it imports."""
    if file.name not in files:
        for dependency in file.dependencies:
            enter(dependency, files)
        files[file.name] = FileDescriptorProto.FromString(file.serialized_pb)
