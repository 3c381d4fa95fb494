"""Every lower error is one of ours, by its number; whose fault the statement is passes."""

import sqlite3

import pytest
from pymysql import err  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError

from runtime.stores import (
    CommitUnknown,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreFenced,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
)
from runtime.stores.errors import StoreDeadlock, cleared

MYSQL = {
    2013: StoreError,
    2006: StoreError,
    2003: StoreError,
    1053: StoreError,
    1927: StoreError,
    1205: StoreLocked,
    1213: StoreDeadlock,
    1114: StoreFull,
    1021: StoreFull,
    1290: StoreReadOnly,
    1836: StoreReadOnly,
    1040: StoreBusy,
    1226: StoreBusy,
    1969: StoreBusy,
    3024: StoreBusy,
}
INDEFINITE = (
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreLocked,
    StoreBusy,
    StoreFenced,
    CommitUnknown,
)
NAMED = {"sqlite_errorcode": sqlite3.SQLITE_IOERR | 10 << 8}  # Extended: which operation it was.


@pytest.mark.parametrize(("number", "kind"), MYSQL.items())
def test_number_of_the_server_says_what_failed(number: int, kind: type[StoreError]) -> None:
    error = DBAPIError("SELECT 1", None, err.OperationalError(number, "whatever the text"))
    found = cleared(error)
    assert type(found) is kind
    assert "nothing was committed" in str(found)


def test_disk_that_filled_up_under_the_server_is_told_by_the_number_in_the_text() -> None:
    text = 'Error writing file (Errcode: 28 "No space left on device")'
    assert type(cleared(err.OperationalError(1026, text))) is StoreFull
    assert type(cleared(err.InternalError(1030, "Got error 5 from storage engine"))) is StoreError


@pytest.mark.parametrize("number", [1062, 1064, 1146, 1406, 1452])
def test_what_the_statement_did_wrong_reaches_its_author(number: int) -> None:
    error = DBAPIError("SELECT 1", None, err.ProgrammingError(number, "the disk is full"))
    assert cleared(error) is error


def test_extended_numbers_of_sqlite_count_as_their_family() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = NAMED["sqlite_errorcode"]
    assert type(cleared(error)) is StoreError


def test_only_a_conflict_is_definite_for_a_far_caller() -> None:
    """The service may have sent an order before its next write failed."""
    assert StoreConflict("x").definite
    assert not any(kind("x").definite for kind in INDEFINITE)
