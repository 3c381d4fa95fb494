"""Finds experiments and worlds by the name a user typed."""

import importlib
from pathlib import Path

import chaos
from fixtures.experiment import Experiment
from fixtures.worlds import World
from plimsoll.failures import WrongUse


def find_experiment(name: str) -> Experiment:
    """Return the experiment of `chaos/<name>.py`."""
    if name not in names():
        raise WrongUse(f"experiment is {name!r}, must be one of: {', '.join(names())}")
    found = importlib.import_module(f"chaos.{name}").EXPERIMENT
    assert isinstance(found, Experiment)
    return found


def names() -> list[str]:
    """Return the names of every experiment."""
    return sorted(
        file.stem
        for folder in chaos.__path__
        for file in Path(folder).glob("*.py")
        if not file.stem.startswith("_")
    )


def find_world(name: str) -> World:
    """Return the world called `name`."""
    try:
        return World(name)
    except ValueError:
        raise WrongUse(f"world is {name!r}, must be one of: {', '.join(World)}") from None
