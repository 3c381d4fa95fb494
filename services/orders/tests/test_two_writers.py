"""Two writers of one order: one is told, and nothing is lost (S2, X12); on file and server."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode
from trading.orders.v1 import orders_pb2

from runtime.errors import ServiceError
from runtime.stores import Database, StoreConflict
from services.orders import store
from services.orders import tables as t
from services.orders.states import Place
from services.orders.store import Stored
from services.orders.tests.mothers import limit_order
from services.orders.tests.rig import Rig
from services.orders.tests.stored import order, stored

KEY = stored().key
Two = tuple[Database, Database]


@pytest.fixture(params=["file", "mysql"])
async def two(request: pytest.FixtureRequest, tmp_path: Any, mysql: Any) -> AsyncIterator[Two]:
    """Two processes' databases on the same tables, with one order."""
    if request.param == "mysql":
        url = await mysql.fresh()
        first, second = Database.at_url(url), Database.at_url(url)
    else:
        path = tmp_path / "orders.sqlite"
        first, second = Database.sqlite_file(path), Database.sqlite_file(path)
    await first.create(t.metadata)
    await first.write(lambda tx: store.insert_order(tx, stored()))
    yield first, second
    await first.close()
    await second.close()


async def found(database: Database) -> Stored:
    kept = await database.read(lambda tx: store.load(tx, KEY))
    assert kept is not None
    return kept


async def keep(database: Database, changed: Stored) -> None:
    await database.write(lambda tx: store.update_orders(tx, [changed]))


@pytest.mark.real_time
async def test_second_of_two_writers_is_told_and_changes_nothing(two: Two) -> None:
    ours, theirs = await found(two[0]), await found(two[1])
    await keep(two[1], replace(theirs, order=order(version=5, place=Place.FILLED)))
    with pytest.raises(StoreConflict) as caught:
        await keep(two[0], replace(ours, order=order(version=5, place=Place.CANCELED)))
    assert (caught.value.code, caught.value.reason) == (StatusCode.ABORTED, "VERSION_CONFLICT")
    assert (await found(two[0])).order.place is Place.FILLED
    again = await found(two[0])
    await keep(two[0], replace(again, order=order(version=6, place=Place.FILLED)))
    assert (await found(two[1])).order.version == 6


@pytest.mark.real_time
async def test_number_that_risk_is_asked_under_is_given_out_once(two: Two) -> None:
    """It changes without the version: it is no event (`replaces`)."""
    ours, theirs = await found(two[0]), await found(two[1])
    await keep(two[1], replace(theirs, order=order(validation=2)))
    with pytest.raises(StoreConflict):
        await keep(two[0], replace(ours, order=order(validation=2)))


@pytest.mark.real_time
async def test_one_conflict_among_many_orders_takes_all_of_the_work_back(two: Two) -> None:
    await two[0].write(lambda tx: store.insert_order(tx, stored("ana-2")))
    ours = await two[0].read(lambda tx: store.load_many(tx, ["ana-1", "ana-2"]))
    await keep(two[1], replace(ours[1], order=order(version=5)))
    changed = [replace(each, order=order(version=9)) for each in ours]
    with pytest.raises(StoreConflict, match="1 of 2 orders were changed by another writer"):
        await two[0].write(lambda tx: store.update_orders(tx, changed))
    kept = await two[0].read(lambda tx: store.load_many(tx, ["ana-1", "ana-2"]))
    assert [each.order.version for each in kept] == [4, 5]


@pytest.mark.real_time
async def test_instance_that_was_superseded_takes_no_order_any_more(tmp_path: Path) -> None:
    """It keeps running, as after a pause: whatever it would commit is refused."""
    path = tmp_path / "orders.sqlite"
    former, later = Rig(Database.sqlite_file(path)), Rig(Database.sqlite_file(path))
    await former.start()
    await later.start()
    request = orders_pb2.SubmitOrderRequest(order=limit_order("of-the-past"))
    with pytest.raises(ServiceError) as caught:
        await former.service.submit_order(request)
    assert caught.value.reason == "WRITER_SUPERSEDED"
    assert not caught.value.definite  # It may have sent something before it knew.
    assert former.execution.starts == []
    await later.orders.submit_order(orders_pb2.SubmitOrderRequest(order=limit_order("new")))
    assert [start.order.client_order_id for start in later.execution.starts] == ["new"]
    for rig in (former, later):
        await rig.stop()
        await rig.database.close()
