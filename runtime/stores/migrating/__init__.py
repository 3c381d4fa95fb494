"""Schemas over time: one linear history of revisions per service, the same for every engine.

To change a table: change the service's `tables.py`, draft the revision with `plimsoll stores
revision --service S --message "…"`, read it, and add what Alembic does not compare (checks) with
`altering.strengthen`. `fixtures/stores/tests/test_histories.py` says when both agree. What is
released is never edited; a revision freezes its tables in itself and imports no `tables.py`.
"""

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
