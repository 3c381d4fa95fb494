"""Connections: lent, returned, replaced, and closed whatever happens meanwhile."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import await_

from runtime.stores import Database
from runtime.stores.mysql_links import Limits
from runtime.stores.tests.mothers import MysqlServer

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize(("recycle_s", "used"), [(3_600.0, 1), (0.0, 2)])
async def test_connection_is_used_again_until_it_grew_old(
    mysql: MysqlServer, recycle_s: float, used: int
) -> None:
    database = Database.at_url(await mysql.fresh(), Limits(recycle_s=recycle_s))
    try:
        assert len({await database.write(connection_id) for _ in "12"}) == used
    finally:
        await database.close()


async def test_connection_returned_after_the_end_is_closed(mysql: MysqlServer) -> None:
    database = Database.at_url(await mysql.fresh())
    is_reading, go_on = asyncio.Event(), asyncio.Event()
    links: list[Any] = []

    def read_long(tx: Connection) -> None:
        links.append(tx.connection.driver_connection)
        is_reading.set()
        await_(go_on.wait())

    reading = asyncio.ensure_future(database.read(read_long))
    await is_reading.wait()
    await database.close()
    go_on.set()
    await reading
    assert not links[0].is_alive


async def test_connection_is_closed_though_the_loop_ends_meanwhile(mysql: MysqlServer) -> None:
    database = Database.at_url(await mysql.fresh())
    links: list[Any] = []
    is_reading = asyncio.Event()

    def read_for_ever(tx: Connection) -> None:
        links.append(tx.connection.driver_connection)
        is_reading.set()
        await_(asyncio.get_running_loop().create_future())

    reading = asyncio.ensure_future(database.read(read_for_ever))
    await is_reading.wait()
    before = asyncio.all_tasks()
    reading.cancel()
    await asyncio.sleep(0)  # Now it lets go of the connection.
    begun = asyncio.all_tasks() - before
    assert begun
    for task in begun:  # As a loop does that ends.
        task.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    assert not links[0].is_alive


def connection_id(tx: Connection) -> int:
    return int(tx.execute(text("SELECT CONNECTION_ID()")).scalar_one())
