"""State: databases with group commit, outbox and inbox, streams, request keys, epochs."""

from runtime.stores.consumer import DeadLetter, Handle, StreamConsumer
from runtime.stores.database import Database
from runtime.stores.epochs import EpochFence, Epochs, become_writer, epochs_table
from runtime.stores.errors import (
    CommitUnknown,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreFenced,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
)
from runtime.stores.faults import StoreFaults
from runtime.stores.inbox import Inbox, inbox_table
from runtime.stores.known import Known
from runtime.stores.leases import Held, Lease, Leases, leases_table
from runtime.stores.membership import Entry, Subscription
from runtime.stores.outbox import Event, Outbox, outbox_table
from runtime.stores.relay import Relay
from runtime.stores.requests import Requests, requests_table
from runtime.stores.streams import Streams, connect
from runtime.stores.trimming import trim_acknowledged

__all__ = [
    "CommitUnknown",
    "Database",
    "DeadLetter",
    "Entry",
    "EpochFence",
    "Epochs",
    "Event",
    "Handle",
    "Held",
    "Inbox",
    "Known",
    "Lease",
    "Leases",
    "Outbox",
    "Relay",
    "Requests",
    "StoreBusy",
    "StoreConflict",
    "StoreError",
    "StoreFaults",
    "StoreFenced",
    "StoreFull",
    "StoreLocked",
    "StoreReadOnly",
    "StreamConsumer",
    "Streams",
    "Subscription",
    "become_writer",
    "connect",
    "epochs_table",
    "inbox_table",
    "leases_table",
    "outbox_table",
    "requests_table",
    "trim_acknowledged",
]
