"""What a store can fail with: a ServiceError each, so a servicer lets them pass as they are."""

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


class StoreLocked(StoreError):
    """Another process held the write lock for longer than the busy timeout."""

    reason_of_class = "STORE_LOCKED"


class CommitUnknown(StoreError):
    """The answer of the commit was lost: the work may or may not be committed; read back."""

    code_of_class = StatusCode.UNKNOWN
    reason_of_class = "COMMIT_UNKNOWN"


def cleared(error: Exception) -> Exception:
    """Return the StoreError that `error` of the driver means, or `error` itself.

    What the caller's own statement did wrong (a broken constraint, bad SQL) is returned as is.
    """
    text = str(error.orig if isinstance(error, DBAPIError) else error)
    if not isinstance(error, DBAPIError | sqlite3.Error):
        return error
    if "is full" in text or "No space left" in text:
        return StoreFull(f"{text}: nothing was committed; free disk space and repeat")
    if "is locked" in text or "Lock wait timeout" in text:
        return StoreLocked(f"{text}: another process writes; nothing was committed, repeat")
    if "disk I/O error" in text or "unable to open" in text:
        return StoreError(f"{text}: nothing was committed; check the disk and repeat")
    return error
