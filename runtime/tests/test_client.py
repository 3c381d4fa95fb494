"""What the calling side does on its own: deadlines, repeats, identity, as the contract has it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.client import Client, ClientStats
from runtime.errors import RetryInfo, ServiceError, Unsent, refusal
from runtime.identity import Principal, as_principal, principal_of
from runtime.retry import RetryBudget, pause_s
from runtime.rpc import Call, Idempotency, Method, methods
from runtime.single import Messages, Only, one
from runtime.tests.echoing import ANA, asked
from runtime.virtual import VirtualLoop

ECHO, WATCH, COLLECT, _ = methods(EchoService)
KEYED, SAFE, ONCE = Idempotency.IDEMPOTENT_BY_KEY, Idempotency.SAFE, Idempotency.NOT_IDEMPOTENT


class Failing:
    """A transport that fails with each error given, each after a while, and then answers."""

    def __init__(self, *errors: ServiceError, takes_s: float = 0.0) -> None:
        self.errors = list(errors)
        self.takes_s = takes_s
        self.requests: list[bytes] = []
        self.calls: list[Call] = []
        self.times_s: list[float] = []

    async def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        self.requests.append((await one(requests)).SerializeToString())
        self.calls.append(call)
        self.times_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_s)
        if self.errors:
            raise self.errors.pop(0)
        yield pb.EchoResponse(text="answer")


def failure(code: StatusCode, retry_after_s: float | None = None) -> ServiceError:
    if retry_after_s is None:
        return ServiceError(code, "x")
    delay = Duration(nanos=int(retry_after_s * 1e9))
    return ServiceError(code, "x", (RetryInfo(retry_delay=delay),))


def busy() -> ServiceError:
    return failure(StatusCode.UNAVAILABLE)


def echo_with(**changes: Any) -> Method:
    return replace(ECHO, policy=replace(ECHO.policy, **changes))


async def send(
    transport: Failing, method: Method = ECHO, call: Call = Call(), caller: Principal = ANA
) -> tuple[ClientStats, ServiceError | None]:
    client = Client(transport, caller=caller, rng=random.Random(1))
    try:
        await one(client.call(method, Only(asked("a")), call))
    except ServiceError as error:
        return client.stats, error
    return client.stats, None


async def test_repeat_sends_the_same_bytes_and_the_same_request_id() -> None:
    transport = Failing(busy(), busy())
    stats, error = await send(transport)
    assert error is None
    assert transport.requests == [asked("a").SerializeToString()] * 3
    assert len({c.metadata["x-request-id"] for c in transport.calls}) == 1
    assert stats == ClientStats(calls=1, ok=1, retried=2)


async def test_repeat_sends_what_was_asked_even_if_the_caller_writes_over_it() -> None:
    transport, request = Failing(busy()), asked("a")
    client = Client(transport, caller=ANA, rng=random.Random(1))
    answer = asyncio.ensure_future(one(client.call(ECHO, Only(request), Call())))
    await asyncio.sleep(0.001)
    request.text = "b"
    await answer
    assert len(set(transport.requests)) == 1


async def test_no_more_attempts_than_the_contract_allows() -> None:
    for attempts in (1, 2, 3, 5):
        transport = Failing(*(busy() for _ in range(9)))
        assert (await send(transport, echo_with(max_attempts=attempts)))[1] is not None
        assert len(transport.requests) == attempts


@pytest.mark.parametrize(
    ("idempotency", "code", "attempts"),
    [
        (KEYED, StatusCode.UNAVAILABLE, 3),
        (KEYED, StatusCode.RESOURCE_EXHAUSTED, 3),
        (KEYED, StatusCode.CANCELLED, 3),
        (KEYED, StatusCode.DEADLINE_EXCEEDED, 1),
        (SAFE, StatusCode.DEADLINE_EXCEEDED, 3),
        (SAFE, StatusCode.UNAVAILABLE, 3),
        (SAFE, StatusCode.ABORTED, 1),
        (SAFE, StatusCode.INTERNAL, 1),
        (ONCE, StatusCode.UNAVAILABLE, 1),
        (ONCE, StatusCode.RESOURCE_EXHAUSTED, 1),
        (ONCE, StatusCode.CANCELLED, 1),
    ],
    ids=lambda v: getattr(v, "name", None),
)
async def test_only_what_the_contract_calls_repeatable_is_repeated(
    idempotency: Idempotency, code: StatusCode, attempts: int
) -> None:
    transport = Failing(*(failure(code) for _ in range(9)))
    await send(transport, echo_with(idempotency=idempotency))
    assert len(transport.requests) == attempts


REFUSED = Unsent(StatusCode.UNAVAILABLE, "breaker"), failure(StatusCode.RESOURCE_EXHAUSTED)


@pytest.mark.parametrize("last", REFUSED)
async def test_a_refused_repeat_does_not_tell_that_the_call_did_nothing(last: ServiceError) -> None:
    _, error = await send(Failing(busy(), last, last), echo_with(idempotency=KEYED))
    assert last.definite
    assert error is not None
    assert not error.definite


async def test_a_repeat_that_the_service_refused_tells_what_became_of_the_call() -> None:
    refused = ServiceError(StatusCode.FAILED_PRECONDITION, "closed")
    _, error = await send(Failing(busy(), refused), echo_with(idempotency=KEYED))
    assert error is refused


async def test_request_too_large_is_not_sent_again() -> None:
    error = refusal(StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", "x", service="echo")
    transport = Failing(error)
    await send(transport)
    assert len(transport.requests) == 1


async def test_streams_are_never_repeated() -> None:
    transport = Failing(busy())
    client = Client(transport, caller=ANA, rng=random.Random(1))
    with pytest.raises(ServiceError):
        await anext(client.call(WATCH, Only(pb.WatchEchoesRequest()), Call()))
    transport.errors.append(busy())
    safe_collect = replace(COLLECT, policy=replace(COLLECT.policy, idempotency=SAFE))
    with pytest.raises(ServiceError):
        await one(client.call(safe_collect, Only(pb.CollectEchoesRequest(text="a")), Call()))
    assert len(transport.requests) == 2


async def test_service_that_asks_for_time_gets_it() -> None:
    transport = Failing(failure(StatusCode.RESOURCE_EXHAUSTED, retry_after_s=0.7))
    _, error = await send(transport)
    assert error is None
    assert transport.times_s[1] - transport.times_s[0] >= 0.7


@pytest.mark.parametrize("left_s", [0.8, 1.7])
async def test_who_would_wait_for_most_of_the_time_is_told_at_once(left_s: float) -> None:
    transport = Failing(failure(StatusCode.RESOURCE_EXHAUSTED, retry_after_s=0.9))
    _, error = await send(transport, call=Call(left_s))
    assert getattr(error, "code", None) is StatusCode.RESOURCE_EXHAUSTED
    assert len(transport.requests) == 1


@settings(max_examples=60)
@given(
    codes=st.lists(st.sampled_from([c for c in StatusCode if c is not StatusCode.OK]), max_size=9),
    attempts=st.integers(1, 6),
    timeout_s=st.floats(0.001, 5),
    takes_s=st.floats(0, 1),
    idempotency=st.sampled_from(Idempotency),
    seed=st.integers(),
)
def test_repeats_exceed_neither_attempts_nor_deadline(
    codes: list[StatusCode],
    attempts: int,
    timeout_s: float,
    takes_s: float,
    idempotency: Idempotency,
    seed: int,
) -> None:
    """Whatever fails, however long it takes: no attempt begins after the deadline."""
    transport = Failing(*map(failure, codes), takes_s=takes_s)
    method = echo_with(max_attempts=attempts, idempotency=idempotency)

    async def main() -> None:
        client = Client(transport, caller=ANA, rng=random.Random(seed))
        with contextlib.suppress(ServiceError):
            await one(client.call(method, Only(asked("a")), Call(timeout_s=timeout_s)))

    in_virtual_time(main)
    assert 1 <= len(transport.requests) <= (1 if idempotency is ONCE else attempts)
    assert all(at_s < min(timeout_s, 2.0) for at_s in transport.times_s[1:])
    assert len(set(transport.requests)) == 1
    assert len({c.deadline_s for c in transport.calls}) == 1


@given(st.integers(0, 20), st.integers())
def test_pauses_double_up_to_a_second_with_half_of_jitter(attempt: int, seed: int) -> None:
    nominal_s = min(1.0, 0.05 * 2**attempt)
    wait_s = pause_s(attempt, random.Random(seed), busy())
    assert 0.5 * nominal_s <= wait_s <= 1.5 * nominal_s


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=400))
def test_repeats_stay_within_a_tenth_of_the_calls_of_the_last_ten_seconds(
    steps: list[tuple[float, bool]],
) -> None:
    """Compared with a model that keeps every instant, by the whole second as the budget does."""
    budget, now_s = RetryBudget(), 0.0
    calls: list[int] = []
    repeats: list[int] = []
    for after_s, is_call in steps:
        now_s += after_s
        second = int(now_s)
        if is_call:
            budget.count_call(now_s)
            calls.append(second)
            continue
        recent_calls = sum(s > second - 10 for s in calls)
        recent_repeats = sum(s > second - 10 for s in repeats)
        is_allowed = budget.allows_repeat(now_s)
        assert is_allowed is (recent_repeats < max(10, 0.1 * recent_calls))
        if is_allowed:
            repeats.append(second)


def test_overload_is_not_multiplied() -> None:
    """A thousand calls to a service that is down are a tenth more calls, not three times."""
    transport = Failing(*(busy() for _ in range(9_999)))

    async def main() -> ClientStats:
        client = Client(transport, caller=ANA, rng=random.Random(1))
        work = [one(client.call(ECHO, Only(asked("a")), Call())) for _ in range(1_000)]
        await asyncio.gather(*work, return_exceptions=True)
        return client.stats

    stats = in_virtual_time(main)
    assert len(transport.requests) == 1_100
    assert (stats.retried, stats.failed, stats.indefinite) == (100, 1_000, 1_000)
    assert stats.over_budget == 1_000


async def test_deadline_is_the_contracts_or_the_callers_whichever_is_less() -> None:
    for timeout_s, expected_s in ((None, 2.0), (0.5, 0.5), (60.0, 2.0)):
        transport = Failing()
        await send(transport, call=Call(timeout_s=timeout_s))
        assert transport.calls[0].remaining_s() == expected_s


async def test_deadline_runs_on_from_hop_to_hop() -> None:
    received = Call(timeout_s=1.0).started()
    await asyncio.sleep(0.4)
    transport = Failing()
    await send(transport, call=received)
    assert transport.calls[0].remaining_s() == pytest.approx(0.6)


async def test_person_in_the_call_is_acted_for() -> None:
    transport = Failing()
    orders = Principal("orders", frozenset({"VIEWER"}), service="orders")
    await send(transport, call=as_principal(Call(), ANA), caller=orders)
    assert principal_of(transport.calls[0]) == Principal(
        "ana", frozenset({"TRADER", "VIEWER"}), service="orders"
    )


async def test_service_calls_in_its_own_name_without_a_person() -> None:
    transport = Failing()
    orders = Principal("orders", service="orders")
    await send(transport, caller=orders)
    assert principal_of(transport.calls[0]) == orders


async def test_unreadable_identity_is_not_replaced_by_ones_own() -> None:
    transport = Failing()
    _, error = await send(transport, call=Call(metadata={"x-plimsoll-principal": "???"}))
    assert error is not None
    assert error.code is StatusCode.UNAUTHENTICATED
    assert transport.requests == []


def in_virtual_time(work: Callable[[], Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())
