"""Discovery that starts again, whose store fails, or that another discovery has followed."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.errors import ServiceError
from runtime.stores import Database, StoreError
from services.discovery.keeper import Keeper
from services.discovery.tests.rig import Rig, Watcher, directives


async def test_restarting_evicts_nobody() -> None:
    rig = await Rig.started()
    orders, risk = await rig.register("orders"), await rig.register("risk")
    await rig.restart(away_s=600)
    assert await rig.statuses() == {orders.id: "SERVING", risk.id: "SERVING"}
    await asyncio.sleep(14)
    await rig.beat(orders)
    await asyncio.sleep(1.1)  # One full length after the start, not sooner.
    assert await rig.statuses() == {orders.id: "SERVING", risk.id: "EXPIRED"}
    await rig.service.stop()


async def test_everything_told_is_as_before_after_a_restart() -> None:
    rig = await Rig.started()
    orders, ended = await rig.register("orders"), await rig.register("risk")
    await rig.leave(ended)
    await rig.operator.drain_instance(
        pb.DrainInstanceRequest(request_id="d", instance_id=orders.id, reason="upgrade")
    )
    before, statuses = await rig.listed(), await rig.statuses()
    await rig.restart()
    assert (await rig.listed(), await rig.statuses()) == (before, statuses)
    assert directives(await rig.beat(orders)) == {"DRAIN": "upgrade"}
    await rig.service.stop()


async def test_a_watcher_resumes_over_a_restart_without_a_gap() -> None:
    rig = await Rig.started()
    watcher = Watcher(rig.viewer, pb.WatchInstancesRequest())
    orders = await rig.register("orders")
    await asyncio.sleep(0.1)
    last = max(message.sequence for message in watcher.messages)
    await watcher.stop()
    await rig.register("risk")
    await rig.restart()
    await rig.leave(await rig.register("strategy"))
    resumed = Watcher(rig.viewer, pb.WatchInstancesRequest(after_sequence=last))
    resumed.known = watcher.known
    await asyncio.sleep(0.1)
    sequences = [m.sequence for m in resumed.messages if not m.is_heartbeat]
    assert sequences == list(range(last + 1, last + len(sequences) + 1))
    assert resumed.known == await rig.listed()
    assert orders.id in resumed.known
    await resumed.stop()
    await rig.service.stop()


async def test_an_instance_whose_names_are_derived_otherwise_now_is_told_to_register_anew() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    assert directives(await rig.beat(orders)) == {}
    rig.terms = replace(rig.terms, areas={"orders": "trading"})
    await rig.restart()
    assert "RE_REGISTER" in directives(await rig.beat(orders))
    again = await rig.register_spec(orders.spec)
    assert directives(await rig.beat(again)) == {}
    await rig.service.stop()


async def test_a_store_that_is_away_ends_no_lease_whose_holder_beats() -> None:
    rig = await Rig.started()
    orders, silent = await rig.register("orders"), await rig.register("risk")
    rig.database.faults.is_down = True
    for _ in range(5):
        await asyncio.sleep(5)
        with pytest.raises(StoreError, match="store is down"):
            await rig.beat(orders)
    assert set((await rig.statuses()).values()) == {"SERVING"}  # As committed last.
    rig.database.faults.is_down = False
    await asyncio.sleep(2)
    assert await rig.status(silent) == "EXPIRED"
    await rig.beat(orders)
    await rig.service.stop()


@pytest.mark.parametrize("fault", ["commits_to_lose", "answers_to_lose"])
async def test_after_a_commit_of_which_nobody_knows_list_watch_and_store_agree(fault: str) -> None:
    rig = await Rig.started()
    watcher = Watcher(rig.viewer, pb.WatchInstancesRequest())
    risk = await rig.register("risk")
    setattr(rig.database.faults, fault, 1)
    spec = rig.spec("orders")
    with pytest.raises(ServiceError):
        await rig.register_spec(spec)
    await rig.beat(risk)
    orders = await rig.register_spec(spec)  # Whether the first one happened or not.
    assert orders.lease.fence == (2 if fault == "commits_to_lose" else 3)
    await rig.beat(orders)
    await asyncio.sleep(0.1)
    assert watcher.known == await rig.listed()
    before = await rig.listed()
    await rig.restart()
    assert await rig.listed() == before
    await watcher.stop()
    await rig.service.stop()


async def test_a_beat_that_meets_the_end_of_its_lease_is_not_answered_as_if_it_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The end is being committed when the beat comes: whoever asks next may get the name."""
    rig = await Rig.started()
    orders = await rig.register("orders")
    write, slow = rig.database.write, asyncio.Event()

    async def slowly(work: Any) -> Any:
        result = await write(work)
        await slow.wait()  # It is in, and nobody has been told.
        return result

    monkeypatch.setattr(rig.database, "write", slowly)
    leaving = asyncio.create_task(rig.leave(orders))
    await asyncio.sleep(0.01)
    beating = asyncio.create_task(rig.beat(orders))
    await asyncio.sleep(0.01)
    slow.set()
    await leaving
    with pytest.raises(ServiceError) as caught:
        await beating
    assert caught.value.reason == "FENCED"
    await rig.service.stop()


async def test_a_beat_on_its_way_to_the_store_when_its_lease_ends_is_fenced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    confirm, held_up = Keeper.confirm, asyncio.Event()

    async def slowly(keeper: Keeper) -> None:
        await confirm(keeper)
        await held_up.wait()

    monkeypatch.setattr(Keeper, "confirm", slowly)
    beating = asyncio.create_task(rig.beat(orders))
    await asyncio.sleep(0.01)
    await rig.leave(orders)
    held_up.set()
    with pytest.raises(ServiceError) as caught:
        await beating
    assert caught.value.reason == "FENCED"
    await rig.service.stop()


@pytest.mark.real_time
async def test_a_former_discovery_prolongs_nothing(tmp_path: Path) -> None:
    """Else it could keep a holder that its successor, which hears nothing of it, gives up."""
    path = tmp_path / "discovery.sqlite"
    former, later = Rig(), Rig()
    for rig in (former, later):
        rig.database = Database.sqlite_file(path)
    await former.start()
    orders = await former.register("orders")
    await former.beat(orders)
    await later.start()
    with pytest.raises(ServiceError) as caught:
        await former.beat(orders)
    assert caught.value.reason == "WRITER_SUPERSEDED"
    with pytest.raises(ServiceError, match="is held by orders"):
        await later.register("orders", instance_id="00000000-0000-4000-8000-000000000001")
    await later.beat(orders)  # The same beat again, where it counts.
    for rig in (former, later):
        await rig.service.stop()
        await rig.database.close()
