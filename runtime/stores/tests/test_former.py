"""A process that sleeps within a transaction keeps its successor waiting only until it is ended."""

import asyncio

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.util import await_

from runtime.stores import Database, StoreError, StoreLocked
from runtime.stores.former import end_former
from runtime.stores.mysql_links import Limits
from runtime.stores.tests.mothers import NOTES, MysqlServer, note, notes, with_tables

pytestmark = pytest.mark.real_time


async def test_what_a_former_process_had_locked_is_free_and_taken_back(mysql: MysqlServer) -> None:
    url = await mysql.fresh()
    former = await with_tables(Database.at_url(url))
    successor = Database.at_url(url, Limits(lock_s=1))
    await former.write(note("first"))
    asleep, awake = asyncio.Event(), asyncio.Event()

    def sleep(tx: Connection) -> None:
        tx.execute(update(NOTES), {"text": "of the former"})
        asleep.set()
        await_(awake.wait())

    sleeping = asyncio.create_task(former.write(sleep))
    await asleep.wait()
    with pytest.raises(StoreLocked):
        await successor.write(rename)
    assert await end_former(url) > 0
    await successor.write(rename)
    awake.set()
    with pytest.raises(StoreError):
        await sleeping
    assert await notes(successor) == ["of the next"]
    for database in (former, successor):
        await database.close()


def rename(tx: Connection) -> None:
    tx.execute(update(NOTES), {"text": "of the next"})
