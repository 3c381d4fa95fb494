"""How the tables of execution came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.execution import tables

HISTORY = History("execution", Path(__file__).parent, tables.metadata)
