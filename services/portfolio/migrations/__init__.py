"""How the tables of portfolio came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.portfolio import tables

HISTORY = History("portfolio", Path(__file__).parent, tables.metadata)
