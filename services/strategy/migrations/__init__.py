"""How the tables of strategy came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.strategy import tables

HISTORY = History("strategy", Path(__file__).parent, tables.metadata)
