"""What a store can fail with: a ServiceError each, so a servicer lets them pass as they are.

Every error but CommitUnknown means that nothing of the work was committed. All the same only
StoreConflict is definite for the caller of a service: it may have acted before the others.
"""

import re
import sqlite3

from grpc import StatusCode
from sqlalchemy.exc import DBAPIError

from runtime.errors import ErrorInfo, ServiceError


class StoreError(ServiceError):
    """The store could not do the work: nothing of it was committed; try again later."""

    code_of_class = StatusCode.UNAVAILABLE
    reason_of_class = "STORE_UNAVAILABLE"

    def __init__(self, message: str) -> None:
        info = ErrorInfo(reason=self.reason_of_class, domain="plimsoll.stores")
        super().__init__(self.code_of_class, message, (info,))


class StoreFull(StoreError):
    """The disk is full: nothing of this work was committed, nothing committed before is lost."""

    reason_of_class = "STORE_FULL"


class StoreReadOnly(StoreError):
    """The server takes no writes at present: nothing of this work was committed."""

    reason_of_class = "STORE_READ_ONLY"


class StoreLocked(StoreError):
    """Another process held a lock for longer than this one may wait."""

    reason_of_class = "STORE_LOCKED"


class StoreDeadlock(StoreLocked):
    """The server took the whole transaction back so that another one could go on."""


class StoreBusy(StoreError):
    """More is asked of the store than it gets done in time: nothing was committed.

    It is UNAVAILABLE, not RESOURCE_EXHAUSTED, which would tell a far caller that nothing
    happened at all: the service may have committed, or sent, something before this work.
    """

    reason_of_class = "STORE_BUSY"


class StoreConflict(StoreError):
    """Another writer changed first what this work had read: nothing of it was committed.

    Read again; what is still wanted may be repeated.
    """

    code_of_class = StatusCode.ABORTED
    reason_of_class = "VERSION_CONFLICT"


class StoreFenced(StoreError):
    """A later writer has taken over: nothing of this work was committed, and nothing will be."""

    reason_of_class = "WRITER_SUPERSEDED"


class CommitUnknown(StoreError):
    """The answer of the commit was lost: the work may or may not be committed; read back."""

    code_of_class = StatusCode.UNKNOWN
    reason_of_class = "COMMIT_UNKNOWN"


class FenceFailed(Exception):
    """The quick check of an epoch failed: look thoroughly, and say what is there."""


TOO_SLOW = 3024  # MySQL's number for a statement that took longer than it may.
LOST_THERE = (1053, 1077, 1079, 1080, 1158, 1159, 1160, 1161, 1317, 1927, 4031)
LOST_HERE = (2002, 2003, 2006, 2013, 2014, 2055)
LOST = frozenset((*LOST_THERE, *LOST_HERE))
# Number: what it means, and what is to be done.
MEANINGS: dict[int, tuple[type[StoreError], str]] = {
    1021: (StoreFull, "free disk space and repeat"),
    1114: (StoreFull, "free disk space, or let the table grow, and repeat"),
    1036: (StoreReadOnly, "make the table writable and repeat"),
    1290: (StoreReadOnly, "make the server writable and repeat"),
    1792: (StoreReadOnly, "make the session writable and repeat"),
    1836: (StoreReadOnly, "make the server writable and repeat"),
    1205: (StoreLocked, "another process holds what this one needs; repeat"),
    1020: (StoreDeadlock, "two transactions wanted the same rows; repeat"),
    1213: (StoreDeadlock, "two transactions wanted the same rows; repeat"),
    1040: (StoreBusy, "close connections or allow more, and repeat"),
    1203: (StoreBusy, "close connections or allow more, and repeat"),
    1226: (StoreBusy, "the user's limit on the server is used up; repeat later"),
    1969: (StoreBusy, "the statement took longer than it may; repeat when the server is idle"),
    TOO_SLOW: (StoreBusy, "the statement took longer than it may; repeat when the server is idle"),
}
WITH_ERRNO = (3, 1026, 1030)  # What the operating system said is only in the text of these.
ENOSPC, EROFS = 28, 30
SQLITE: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_FULL: (StoreFull, "free disk space and repeat"),
    sqlite3.SQLITE_BUSY: (StoreLocked, "another process writes; repeat"),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "another process writes; repeat"),
    sqlite3.SQLITE_IOERR: (StoreError, "check the disk and repeat"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "check the disk and repeat"),
}


def number_of(error: BaseException) -> int:
    """Return the server's or the driver's number of an error of MySQL, 0 for any other error."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if origin is None or isinstance(origin, sqlite3.Error | OSError):
        return 0
    first = origin.args[0] if origin.args else 0
    return first if isinstance(first, int) else 0


def cleared(error: Exception) -> Exception:
    """Return the StoreError that `error` of the driver means, or `error` itself.

    What the caller's own statement did wrong (a broken constraint, bad SQL) is returned as is.
    """
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        found = SQLITE.get(getattr(origin, "sqlite_errorcode", 0) & 0xFF)
    elif isinstance(error, DBAPIError) or type(error).__module__ == "pymysql.err":
        found = _mysql_meaning(number_of(error), str(origin))
    else:
        return error
    if found is None:
        return error
    kind, advice = found
    return kind(f"{origin}: nothing was committed; {advice}")


def _mysql_meaning(number: int, text: str) -> tuple[type[StoreError], str] | None:
    if number in LOST:
        return StoreError, "the connection to the server was lost; repeat"
    if number in WITH_ERRNO:
        named = {int(digits) for digits in re.findall(r"\b\d+\b", text)}
        if ENOSPC in named:
            return StoreFull, "free disk space and repeat"
        if EROFS in named:
            return StoreReadOnly, "make the disk writable and repeat"
        return StoreError, "check the server's disk and repeat"
    return MEANINGS.get(number)
