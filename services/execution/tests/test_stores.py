"""What execution keeps is the same on every store: the rules of its store functions."""

from dataclasses import replace
from typing import Any

import pytest
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from services.execution import inbox, plans, store
from services.execution import tables as t
from services.execution.algorithms.schedule import Slice
from services.execution.algorithms.steps import Phase
from services.execution.algorithms.terms import Impact, Kind, Terms
from services.execution.children import Child, Status
from services.execution.inbox import Received
from services.execution.plans import KeptSlice, Plan, PlanFacts, PlanStatus
from services.execution.store import Parent, Replacement

pytestmark = pytest.mark.real_time
HUGE_ATTO = 10**38  # Outgrows 64 bits.
KEY = ("ana", "order-1")


def parent(client_order_id: str, account: str = "ana") -> Parent:
    spec, digest = bytes(range(256)) * 300, b"\xff" * 32  # 75 KB: more than a plain BLOB holds.
    execution_id = f"{account}:{client_order_id}"
    return Parent(account, client_order_id, execution_id, spec, digest, "decision", False, 2**62)


def child(child_order_id: str, **changes: Any) -> Child:
    values: dict[str, Any] = {
        "account": "ana",
        "child_order_id": child_order_id,
        "client_order_id": child_order_id.partition("/")[0],
        "venue": "XSIM",
        "quantity_atto": HUGE_ATTO,
        "leaves_atto": HUGE_ATTO - 1,
        "filled_atto": 1,
        "attempts": 1,
        "sent_ns": 100,
    }
    return Child(**(values | changes))


async def parents_are_kept_as_they_came(do: Script) -> None:
    await do(store.insert_parent, parent("order-1"))
    await do(store.insert_parent, parent("order-1", account="Ana"))  # Case counts.
    assert await do(store.load_parent, KEY) == parent("order-1")
    assert await do(store.load_parent, ("ana", "order-2")) is None
    await do(store.update_parent, KEY, is_cancel_wanted=1, decision_id="later")
    changed = replace(parent("order-1"), is_cancel_wanted=True, decision_id="later")
    assert await do(store.load_parent, KEY) == changed
    assert await do(store.load_parent, ("Ana", "order-1")) == parent("order-1", account="Ana")


async def children_are_found_by_name_by_parent_and_by_state(do: Script) -> None:
    for name in ("order-10", "order-2"):
        await do(store.insert_parent, parent(name))
    working = child("order-1/2", status=Status.NEW, number=2, refusal="»nein«", slice=3)
    doubtful = child("order-1/1", status=Status.IN_DOUBT, number=1, sent_ns=200)
    pending = child("order-1", account="Ana")
    ended = child("order-10/1", status=Status.FILLED, number=1)
    for each in (working, doubtful, pending, ended):
        await do(store.insert_child, each)
    assert await do(store.load_child, ("ana", "order-1/2")) == working
    assert await do(store.load_child, ("ana", "ORDER-1/2")) is None
    assert await do(store.load_children_of, KEY) == [doubtful, working]
    assert await do(store.load_open_children_of, ("ana", "order-10")) == []
    assert await do(store.load_open_children_of, KEY) == [doubtful, working]
    assert await do(store.accounts_with_open_children) == ["Ana", "ana"]
    assert await do(store.load_unsettled) == [pending, doubtful]
    keys = [("ana", "order-10/1"), ("ana", "none"), ("Ana", "order-1"), ("Ana", "order-1/2")]
    found = await do(store.load_children, keys)
    assert list(found.items()) == [(keys[0], ended), (keys[2], pending)]
    assert await do(store.load_children, keys[:1]) == {keys[0]: ended}
    assert await do(store.load_children, []) == {}


async def changes_of_children_are_kept(do: Script) -> None:
    moved = child("order-1/2", status=Status.CANCELED, number=2, refusal="", slice=3)
    moved = replace(moved, venue_order_id="V-1", venue_sequence=2**62, absent_since_ns=7)
    await do(store.update_children, [moved])
    await do(store.update_children, [])
    assert await do(store.load_child, ("ana", "order-1/2")) == moved


async def sends_and_replacements_are_noted_before_they_are_made(do: Script) -> None:
    sent = child("order-1/2", number=2)
    await do(store.open_dispatch, sent, 3, "decision")
    await do(store.open_dispatch, replace(sent, attempts=2), 3, "decision")
    await do(store.close_dispatches, [replace(sent, status=Status.NEW)], 300)
    await do(store.close_dispatches, [replace(sent, status=Status.FILLED)], 400)  # Too late.
    await do(store.close_dispatches, [], 500)
    wanted = Replacement("ana", "order-1", "request-1", "", "99.5")
    await do(store.keep_replacement, wanted, 5)
    await do(store.keep_replacement, replace(wanted, quantity="7"), 6)  # A repeat.


def received(exec_id: str, name: str = "order-1/1", venue: str = "XSIM") -> Received:
    message = ExecutionReport(exec_id=exec_id, client_order_id=name.partition("/")[0])
    return Received(venue, exec_id, "ana", name, bytes(32), message.SerializeToString())


async def reports_are_kept_once_and_in_order(do: Script) -> None:
    assert await do(inbox.last_batch) == 0
    first = [received("x-2"), received("x-1"), received("y", name="order-10/1")]
    await do(inbox.insert_inbox, 1, first)
    await do(inbox.insert_inbox, 2, [received("x-1", venue="XLON"), received("X-1")])
    assert await do(inbox.last_batch) == 2
    names = ["x-1", "X-1", "x-9"]
    assert list(await do(inbox.known_reports, "XSIM", names)) == ["X-1", "x-1"]
    assert await do(inbox.known_reports, "XSIM", []) == {}
    ((number, reports),) = await do(inbox.load_batches, 0, 1)
    assert (number, reports) == (1, [one.report for one in first])
    assert [number for number, _ in await do(inbox.load_batches, 0, 9)] == [1, 2]
    assert await do(inbox.first_report, ("ana", "order-1/1")) == first[0].report
    assert await do(inbox.first_report, ("ana", "order-2")) is None
    told = await do(inbox.reports_of, KEY)
    assert [report.exec_id for report in told] == ["x-2", "x-1", "x-1", "X-1"]
    await do(inbox.insert_anomaly, received("x-1"), 5)


async def sessions_and_cursors_go_where_they_are_moved(do: Script) -> None:
    assert await do(inbox.report_sequence, "XSIM") == 0
    await do(inbox.keep_session, "XSIM", "session-1")
    await do(inbox.move_session, "XSIM", 2**62)
    await do(inbox.keep_session, "XSIM", "session-2")
    await do(inbox.keep_session, "XSIM", "session-2")  # Nothing changes: there is one, still.
    assert await do(inbox.report_sequence, "XSIM") == 2**62
    await do(inbox.move_cursors, {"b": 2, "a": 1})
    await do(inbox.move_cursors, {"b": 2, "a": 5})
    assert list((await do(inbox.cursors)).items()) == [("a", 5), ("b", 2)]


PLAN = Plan(
    "ana",
    "order-1",
    Terms(Kind.TWAP, True, 2**60, 0, 10**12, impact=Impact(4, 0.1, 1e-300, 0.1 + 0.2)),
    PlanFacts("e-1", "ALPHA.XSIM", "ema", 1, False, 5, 1, "d-1", HUGE_ATTO, 1, "»u«"),
)


async def plans_are_kept_until_they_end(do: Script) -> None:
    slices = [Slice(number, number * 100, number * 10) for number in (2, 1, 3)]
    await do(plans.add, PLAN, slices)
    await do(plans.add, replace(PLAN, client_order_id="order-2"), [])
    assert await do(plans.load, KEY) == PLAN
    assert await do(plans.load, ("ana", "order-10")) is None
    ended = replace(PLAN, status=PlanStatus.CANCELED, is_paused=True, filled_lots=2**60, note="n")
    await do(plans.keep, ended)
    assert await do(plans.load, KEY) == ended
    living = await do(plans.load_living)
    assert [each.client_order_id for each in living] == ["order-2"]


async def slices_come_due_and_are_merged(do: Script) -> None:
    due = await do(plans.due_slice, KEY, 250)
    assert due is not None
    assert due.number == 2
    assert await do(plans.due_slice, KEY, 99) is None
    assert await do(plans.next_due_ns, KEY, 100) == 200
    assert await do(plans.next_due_ns, KEY, 300) == 0
    await do(plans.keep_slice, KEY, replace(due, phase=Phase.DONE, outcome="SENT", sent_ns=251))
    await do(plans.keep_slice, KEY, KeptSlice(9, 900, 5, Phase.DONE, "SENT", 901))  # Of a POV.
    await do(plans.retarget, KEY, [KeptSlice(3, 333, 7, Phase.PENDING)])
    await do(plans.retarget, KEY, [])
    kept = await do(plans.slices_of, KEY)
    assert [(each.number, each.outcome, each.due_ns) for each in kept] == [
        (1, "MERGED", 100),
        (2, "SENT", 200),
        (3, "", 333),
        (9, "SENT", 900),
    ]


RULES = (
    parents_are_kept_as_they_came,
    children_are_found_by_name_by_parent_and_by_state,
    changes_of_children_are_kept,
    sends_and_replacements_are_noted_before_they_are_made,
    reports_are_kept_once_and_in_order,
    sessions_and_cursors_go_where_they_are_moved,
    plans_are_kept_until_they_end,
    slices_come_due_and_are_merged,
)

READ_WHOLE = {"services.execution.inbox.cursors"}  # One row for each account.


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each store that is compared with the one in memory."""
    return chosen(request)


async def test_every_store_answers_as_memory_does(
    kind: str, request: pytest.FixtureRequest
) -> None:
    await compare(kind, request, t.metadata, RULES)


async def test_no_store_function_is_without_a_rule() -> None:
    assert await uncalled("services.execution", t.metadata, RULES) == set()


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
