"""How the tables of marketdata came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.marketdata import tables

HISTORY = History("marketdata", Path(__file__).parent, tables.metadata)
