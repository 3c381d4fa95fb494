"""How the tables of risk came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.risk import tables

HISTORY = History("risk", Path(__file__).parent, tables.metadata)
