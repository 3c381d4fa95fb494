"""Finds experiments and worlds by the name a user typed."""

import importlib

from chaos import names
from fixtures.experiment import Experiment
from fixtures.places import Place, usual_place
from fixtures.stores.kinds import StoreKind
from fixtures.worlds import World
from plimsoll.failures import WrongUse


def find_experiment(name: str) -> Experiment:
    """Return the experiment of `chaos/<name>.py`."""
    if name not in names():
        raise WrongUse(f"experiment is {name!r}, must be one of: {', '.join(names())}")
    found = importlib.import_module(f"chaos.{name}").EXPERIMENT
    assert isinstance(found, Experiment)
    return found


def find_place(world: str, stores: str, topology: str = "") -> Place:
    """Return the place that options name; raises WrongUse where there is none on this machine.

    No `stores` or `topology`: those that come with the world.
    """
    if world not in set(World):
        raise WrongUse(f"world is {world!r}, must be one of: {', '.join(World)}")
    if stores and stores not in set(StoreKind):
        raise WrongUse(f"stores are {stores!r}, must be one of: {', '.join(StoreKind)}")
    usual = usual_place(World(world))
    if topology and world == World.EMBEDDED:
        raise WrongUse(f"topology is {topology!r}, must not be given in world {world!r}")
    place = Place(usual.world, StoreKind(stores or usual.kind), topology or usual.topology)
    if not place.is_possible:
        raise WrongUse(
            f"stores are {stores!r}, must not be given in a simulated world: its time is not theirs"
        )
    if missing := place.kind.lacking():
        raise WrongUse(f"stores are {str(place.kind)!r}: {'; '.join(missing)}")
    if place.topology:
        _check_devices(place)
    return place


def _check_devices(place: Place) -> None:
    """Raise WrongUse where the topology is wrong, or this machine cannot join its devices."""
    from fixtures.toxiproxy.local import lacking
    from runtime.topology import TopologyError

    try:
        place.devices()
    except TopologyError as error:
        raise WrongUse(f"topology {error}") from error
    if place.world.has_devices and (missing := lacking()):
        raise WrongUse(f"world is {str(place.world)!r}: {'; '.join(missing)}")
