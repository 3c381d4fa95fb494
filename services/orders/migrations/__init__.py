"""How the tables of orders came to be, revision by revision."""

from pathlib import Path

from runtime.stores.migrating import History
from services.orders import tables

HISTORY = History("orders", Path(__file__).parent, tables.metadata)
