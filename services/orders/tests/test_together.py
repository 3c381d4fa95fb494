"""Works that wait together: one transaction for all, and each hears only of its own."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from trading.orders.v1 import orders_pb2 as pb

from runtime.errors import ServiceError
from runtime.stores import CommitUnknown, Database
from services.orders import store
from services.orders.events import Event, Kind
from services.orders.recorder import Recorder
from services.orders.states import Place
from services.orders.store import Key
from services.orders.tests.mothers import limit_order
from services.orders.tests.rig import Rig
from services.orders.unit import Unit

pytestmark = pytest.mark.real_time
NAMES = ("o-1", "o-2", "o-3")


async def started(tmp_path: Path) -> Rig:
    """Return an instance on a file, with orders that the venue has not answered yet."""
    rig = Rig(Database.sqlite_file(tmp_path / "orders.sqlite"))
    await rig.start()
    for name in NAMES:
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order(name)))
    return rig


async def end(rig: Rig) -> None:
    await rig.stop()
    await rig.database.close()


def touch(unit: Unit, key: Key) -> int:
    """Ask for the cancel of an order, once; return its version after it."""
    stored = unit.order(key)
    assert stored is not None
    if stored.order.place is Place.PENDING_CANCEL:
        return stored.order.version
    return unit.apply(stored, Event(Kind.CANCEL_REQUESTED, unit.now_ns)).order.version


def key_of(name: str) -> Key:
    return (limit_order(name).account, name)


async def together(recorder: Recorder, *names: str) -> "list[int | BaseException]":
    """Do works on orders at once, while a commit before them is on its way."""
    first = recorder.write(lambda unit: touch(unit, key_of("o-1")))
    works = [recorder.write(partial(touch, key=key_of(name))) for name in names]
    return await asyncio.gather(first, *works, return_exceptions=True)


async def test_works_that_wait_together_are_one_transaction(tmp_path: Path) -> None:
    rig = await started(tmp_path)
    recorder, before = rig.service._recorder, rig.database.transactions
    commits: list[None] = []
    rig.database.on_commit(lambda: commits.append(None))
    works = [recorder.write(partial(touch, key=key_of(name))) for name in NAMES]
    versions = await asyncio.gather(*works)
    assert len(set(versions)) == 1
    assert len(commits) <= 2, rig.database.transactions - before
    await end(rig)


async def test_a_work_sees_what_the_one_before_it_did(tmp_path: Path) -> None:
    rig = await started(tmp_path)
    numbers = await together(rig.service._recorder, "o-2", "o-2")
    assert numbers[2] == numbers[1]  # It is asked for once.
    await end(rig)


async def test_a_work_that_raises_takes_back_only_its_own(tmp_path: Path) -> None:
    rig = await started(tmp_path)
    first, good, bad = await together(rig.service._recorder, "o-2", "unknown")
    assert isinstance(first, int)
    assert isinstance(good, int)
    assert isinstance(bad, AssertionError)
    shown = [await rig.service._recorder.load(key_of(name)) for name in NAMES]
    assert [one.order.version for one in shown if one] == [first, good, good - 1]
    count = rig.service._recorder.feed.sequence
    kept = await rig.database.read(lambda tx: store.events_after(tx, 0, 100))
    assert [sequence for sequence, _ in kept] == list(range(1, count + 1))  # And left no gap.
    await end(rig)


async def test_all_are_told_when_nobody_knows_what_was_committed(tmp_path: Path) -> None:
    rig = await started(tmp_path)
    real = rig.database.write

    async def lossy(work: Callable[[Connection], Any]) -> None:
        await real(work)
        raise CommitUnknown("the answer was lost")

    rig.database.write = lossy  # type: ignore[assignment]
    outcomes = await together(rig.service._recorder, "o-2", "o-3")
    assert all(isinstance(outcome, CommitUnknown) for outcome in outcomes)
    rig.database.write = real  # type: ignore[method-assign]
    again = await together(rig.service._recorder, "o-2", "o-3")
    assert all(isinstance(version, int) for version in again)  # It was there: nothing changes.
    found = await rig.database.read(
        lambda tx: tx.execute(text("SELECT COUNT(*) FROM order_events")).scalar()
    )
    assert found == rig.service._recorder.feed.sequence
    await end(rig)


async def test_what_another_writer_changed_is_read_again(tmp_path: Path) -> None:
    """It knows the order as it was; the conflict tells it, and the next try reads."""
    rig = await started(tmp_path)
    await rig.database.write(lambda tx: tx.execute(text("UPDATE orders SET version = version + 5")))
    with pytest.raises(ServiceError, match="changed by another writer"):
        await rig.service._recorder.write(lambda unit: touch(unit, key_of("o-1")))
    after = await rig.service._recorder.write(lambda unit: touch(unit, key_of("o-1")))
    assert after > 5
    await end(rig)
