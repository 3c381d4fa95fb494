"""The contracts as descriptors, and small checkouts to break them in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from plimsoll.contracts.generation import image
from plimsoll.contracts.tools import ROOT
from runtime.protoc_contract import Contract

WORKSPACE = ("buf.yaml", "buf.gen.yaml", "contracts/third_party", "contracts/proto/trading/options")


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Every file of the contracts, as code and docs are generated from them."""
    return Contract(FileDescriptorSet.FromString(image()).file)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A checkout with the options alone."""
    return fill(tmp_path)


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make checkouts with the options alone, for fixtures that outlive a test."""
    return lambda: fill(tmp_path_factory.mktemp("checkout"))


def fill(root: Path) -> Path:
    """Copy into `root` what every contract stands on."""
    for name in WORKSPACE:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    return root
