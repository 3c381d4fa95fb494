"""Repeats get the first answer (O4), however they arrive."""

import asyncio

import pytest
from google.protobuf.wrappers_pb2 import Int64Value, StringValue
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData

from runtime.errors import ErrorInfo, ServiceError, refusal
from runtime.stores import CommitUnknown, Database, Requests, requests_table
from runtime.stores.tests.mothers import METADATA, FixedClock, note, notes

ANSWERS = MetaData()
TABLE = requests_table(ANSWERS)
DAY_NS = 24 * 3_600 * 10**9


class Counted:
    """A method with an effect that must happen once per key."""

    def __init__(self, database: Database, clock: FixedClock | None = None) -> None:
        self.database = database
        self.requests = Requests(database, TABLE, clock or FixedClock(), service="orders")
        self.runs = 0
        self.pause_s = 0.0
        self.error: Exception | None = None

    async def call(self, key: str, text: str = "buy") -> int:
        request = StringValue(value=text)

        async def work() -> Int64Value:
            self.runs += 1
            number = self.runs
            await asyncio.sleep(self.pause_s)
            if self.error is not None:
                raise self.error
            return Int64Value(value=number)

        answer = await self.requests.once("Submit", key, request, work)
        return answer.value


async def opened() -> Database:
    database = Database.inline_memory()
    await database.create(ANSWERS)
    await database.create(METADATA)
    return database


async def test_repeat_gets_the_stored_answer() -> None:
    counted = Counted(await opened())
    assert [await counted.call("a"), await counted.call("b"), await counted.call("a")] == [1, 2, 1]
    assert counted.runs == 2


async def test_answer_outlives_the_process() -> None:
    database = await opened()
    await Counted(database).call("a")
    successor = Counted(database.crash())
    assert await successor.call("a") == 1
    assert successor.runs == 0


async def test_repeat_waits_for_the_first_while_it_runs() -> None:
    counted = Counted(await opened())
    counted.pause_s = 1
    assert await asyncio.gather(*[counted.call("a") for _ in range(3)]) == [1, 1, 1]


async def test_caller_that_leaves_does_not_cancel_the_first() -> None:
    counted = Counted(await opened())
    counted.pause_s = 1
    first = asyncio.ensure_future(counted.call("a"))
    await asyncio.sleep(0.5)
    first.cancel()
    assert await counted.call("a") == 1
    assert counted.runs == 1


async def test_error_nobody_waits_for_makes_no_noise() -> None:
    counted = Counted(await opened())
    counted.pause_s, counted.error = 1, ValueError("late")
    first = asyncio.ensure_future(counted.call("a"))
    await asyncio.sleep(0.5)
    first.cancel()
    await asyncio.sleep(1)
    counted.error = None
    assert await counted.call("a") == 2


@pytest.mark.parametrize("while_running", [True, False])
async def test_key_of_another_request_is_refused_with_both_digests(while_running: bool) -> None:
    counted = Counted(await opened())
    counted.pause_s = 1 if while_running else 0
    first = asyncio.ensure_future(counted.call("a", "buy"))
    await asyncio.sleep(0.5)
    with pytest.raises(ServiceError) as caught:
        await counted.call("a", "sell")
    info = caught.value.detail(ErrorInfo)
    assert info is not None
    assert caught.value.code is StatusCode.ALREADY_EXISTS
    assert (info.reason, info.domain) == ("KEY_REUSED", "plimsoll.orders")
    assert len(info.metadata["first_digest"]) == len(info.metadata["this_digest"]) == 64
    assert info.metadata["first_digest"] != info.metadata["this_digest"]
    assert await first == 1


async def test_error_is_not_an_answer() -> None:
    counted = Counted(await opened())
    counted.error = refusal(StatusCode.FAILED_PRECONDITION, "CLOSED", "closed", service="orders")
    with pytest.raises(ServiceError, match="closed"):
        await counted.call("a")
    counted.error = None
    assert await counted.call("a") == 2


async def test_answers_are_kept_seven_days_of_the_clock() -> None:
    clock = FixedClock()
    counted = Counted(await opened(), clock)
    await counted.call("a")
    clock.ns = 7 * DAY_NS - 1
    assert await counted.call("a") == 1
    clock.ns = 7 * DAY_NS
    assert await counted.call("a") == 2
    rows = await counted.database.read(lambda tx: tx.execute(TABLE.select()).all())
    assert len(rows) == 1


async def test_stop_cancels_what_still_runs() -> None:
    counted = Counted(await opened())
    counted.pause_s = 100
    first = asyncio.ensure_future(counted.call("a"))
    await asyncio.sleep(1)
    await counted.requests.stop()
    with pytest.raises(asyncio.CancelledError):
        await first


@settings(max_examples=100, deadline=None)
@given(
    faults=st.lists(st.sampled_from(["none", "answer", "commit"]), min_size=1, max_size=6),
    callers=st.integers(1, 4),
)
async def test_effect_and_answer_of_one_transaction_happen_once(
    faults: list[str], callers: int
) -> None:
    """Callers repeat one key until answered, while commits and answers of commits get lost."""
    database = await opened()
    requests = Requests(database, TABLE, FixedClock(), service="orders")
    request = StringValue(value="buy")
    planned = list(faults)

    async def work() -> Int64Value:
        fault = planned.pop(0) if planned else "none"
        database.faults.answers_to_lose = int(fault == "answer")
        database.faults.commits_to_lose = int(fault == "commit")

        def effect(tx: Connection) -> Int64Value:
            answer = Int64Value(value=note("effect")(tx))
            requests.remember(tx, "Submit", "a", request, answer)
            return answer

        await asyncio.sleep(0.01)
        return await database.write(effect)

    async def until_answered() -> int:
        for _ in range(len(faults) + 1):
            try:
                return (await requests.once("Submit", "a", request, work)).value
            except CommitUnknown:
                await asyncio.sleep(0.001)
        raise AssertionError("never answered")

    answers = await asyncio.gather(*[until_answered() for _ in range(callers)])
    assert answers == [1] * callers
    assert await notes(database) == ["effect"]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_a_transaction_of_unknown_end_has_stored_counts(*, is_kept: bool) -> None:
    """`work` remembers an answer, does not learn whether that was committed, and tries again."""
    database = await opened()
    requests = Requests(database, TABLE, FixedClock(), service="orders")
    request = StringValue(value="buy")

    async def work() -> Int64Value:
        fault = "answers_to_lose" if is_kept else "commits_to_lose"
        setattr(database.faults, fault, 1)
        with pytest.raises(CommitUnknown):
            await database.write(
                lambda tx: requests.remember(tx, "Submit", "a", request, Int64Value(value=1))
            )
        return Int64Value(value=2)

    first = await requests.once("Submit", "a", request, work)
    assert first.value == (1 if is_kept else 2)
    assert await requests.once("Submit", "a", request, work) == first


async def test_work_that_was_run_before_may_ask_for_its_answer_itself() -> None:
    database = await opened()
    await Counted(database).call("a")
    requests = Requests(database.crash(), TABLE, FixedClock(), service="orders")

    async def work(key: str) -> Int64Value:
        earlier = await requests.earlier("Submit", key)
        assert isinstance(earlier, Int64Value | None)
        return earlier or Int64Value(value=7)

    async def call(key: str, text: str = "buy") -> int:
        request = StringValue(value=text)
        once = requests.once("Submit", key, request, lambda: work(key), is_looked_up=False)
        return (await once).value

    assert [await call("a"), await call("b"), await call("b")] == [1, 7, 7]
    with pytest.raises(ServiceError) as refused:
        await call("a", "sell")
    assert refused.value.code is StatusCode.ALREADY_EXISTS
