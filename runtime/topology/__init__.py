"""Topologies: which device runs which services, and how the devices are joined.

Imports pydantic and yaml: import it where a topology is needed, not on every start.
"""

from runtime.topology.findings import Finding, TopologyError
from runtime.topology.loading import FOLDER, load, names, parse
from runtime.topology.models import EVERY_DEVICE, Calls, Topology
from runtime.topology.parts import EXCHANGE, FAR_ENDS, STORES, Channel, Device, Line, Link
from runtime.topology.writing import dump

__all__ = [
    "EVERY_DEVICE",
    "EXCHANGE",
    "FAR_ENDS",
    "FOLDER",
    "STORES",
    "Calls",
    "Channel",
    "Device",
    "Finding",
    "Line",
    "Link",
    "Topology",
    "TopologyError",
    "dump",
    "load",
    "names",
    "parse",
]
