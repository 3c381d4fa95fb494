"""How the tables of discovery came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.discovery import tables

HISTORY = History("discovery", Path(__file__).parent, tables.metadata)
