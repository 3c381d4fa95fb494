"""Schemas over time: one linear history of revisions per service, the same for every engine."""

from runtime.stores.migrating.administering import State, downgrade, state_of, upgrade
from runtime.stores.migrating.history import History, SchemaError
from runtime.stores.migrating.opening import open_schema

__all__ = [
    "History",
    "SchemaError",
    "State",
    "downgrade",
    "open_schema",
    "state_of",
    "upgrade",
]
