"""A breaker opens on silence only, lets a few trials through, and closes on an answer."""

import asyncio
from dataclasses import replace

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError, Unsent, refusal
from runtime.local import LocalTransport
from runtime.rpc import Call, connect
from runtime.single import Only
from runtime.targets import Breaker, BreakerSettings, BreakerState
from runtime.targets.tests.targeting import (
    BAD_INPUT,
    ECHO,
    SILENCE,
    URGENT,
    WATCH,
    Told,
    ask,
    asked_in_vain,
    fail_times,
)
from runtime.tests.echoing import Relay, asked
from runtime.virtual import VirtualLoop

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
ALL_CODES = [code for code in StatusCode if code is not StatusCode.OK]


async def opened(inner: Told) -> Breaker:
    breaker = Breaker(inner, "echo")
    inner.error = SILENCE
    await fail_times(breaker, 5)
    assert breaker.state is OPEN
    return breaker


async def test_five_silences_open_it_and_then_nothing_is_sent() -> None:
    inner = Told(SILENCE)
    breaker = Breaker(inner, "echo")
    await fail_times(breaker, 4)
    assert breaker.state is CLOSED
    await fail_times(breaker, 1)
    error = await asked_in_vain(breaker)
    assert (breaker.state, inner.sent) == (OPEN, 5)
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "BREAKER_OPEN")
    assert error.definite
    assert error.retry_after_s == 30.0
    assert (breaker.times_opened, breaker.calls_refused) == (1, 1)


async def test_a_connection_that_was_lost_and_stands_again_is_tried_at_once() -> None:
    inner, standing = Told(SILENCE), [True]
    breaker = Breaker(inner, "echo", is_connected=lambda: standing[0])
    await fail_times(breaker, 5)
    await asked_in_vain(breaker)
    standing[0] = False  # Only now: it had hung before.
    await asked_in_vain(breaker)
    assert (breaker.state, inner.sent) == (OPEN, 5)
    standing[0], inner.error = True, None
    await ask(breaker)
    assert (breaker.state, inner.sent) == (CLOSED, 6)


async def test_a_connection_that_comes_back_to_a_silent_target_is_tried_once() -> None:
    inner, standing = Told(SILENCE), [False]
    breaker = Breaker(inner, "echo", is_connected=lambda: standing[0])
    await fail_times(breaker, 5)
    standing[0] = True
    for _ in range(3):
        await asked_in_vain(breaker)
    assert (breaker.state, inner.sent, breaker.times_opened) == (OPEN, 6, 2)


async def test_five_bad_requests_do_not_open_it() -> None:
    inner = Told(BAD_INPUT)
    breaker = Breaker(inner, "echo")
    await fail_times(breaker, 50)
    assert (breaker.state, breaker.failures, inner.sent) == (CLOSED, 0, 50)


@given(st.lists(st.sampled_from([None, *ALL_CODES]), max_size=40))
def test_only_five_indefinite_ends_in_a_row_open_it(codes: list[StatusCode | None]) -> None:
    """The model counts what the rule says; None stands for an answer."""

    async def main() -> None:
        inner = Told()
        breaker, in_a_row = Breaker(inner, "echo"), 0
        for code in codes:
            inner.error = None if code is None else ServiceError(code, "x")
            await asyncio.gather(ask(breaker), return_exceptions=True)
            if code is None or (inner.error is not None and inner.error.definite):
                in_a_row = 0
            elif code is not StatusCode.CANCELLED and not _is_hasty(code):
                in_a_row += 1
            assert (breaker.state is OPEN) is (in_a_row == 5)
            if breaker.state is OPEN:
                return

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def _is_hasty(code: StatusCode) -> bool:
    return code is StatusCode.DEADLINE_EXCEEDED  # These ends come at once, before the p99.


async def test_an_answer_between_them_starts_the_count_anew() -> None:
    inner = Told()
    breaker = Breaker(inner, "echo")
    for _ in range(5):
        inner.error = SILENCE
        await fail_times(breaker, 4)
        inner.error = None
        await ask(breaker)
    assert (breaker.state, breaker.failures) == (CLOSED, 0)


async def test_silences_over_more_than_a_minute_do_not_open_it() -> None:
    breaker = Breaker(Told(SILENCE), "echo")
    for _ in range(9):
        await fail_times(breaker, 1)
        await asyncio.sleep(16)
    assert breaker.state is CLOSED
    await fail_times(breaker, 3)
    assert breaker.state is OPEN


@pytest.mark.parametrize(
    "said",
    [
        refusal(StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "x", service="echo"),
        refusal(StatusCode.UNAVAILABLE, "UNAVAILABLE", "x", service="risk"),
    ],
    ids=["its store is away", "its peer is away"],
)
async def test_a_service_that_says_why_it_cannot_answer_is_not_silent(said: ServiceError) -> None:
    breaker = Breaker(Told(said), "echo")
    await fail_times(breaker, 20)
    assert breaker.state is CLOSED


async def test_a_caller_in_a_hurry_opens_nothing_and_a_patient_one_does() -> None:
    late = ServiceError(StatusCode.DEADLINE_EXCEEDED, "x")
    hasty, patient = (Breaker(Told(late, takes_s), "echo") for takes_s in (0.04, 0.06))
    await fail_times(hasty, 20)
    await fail_times(patient, 5)
    assert (hasty.state, patient.state) == (CLOSED, OPEN)


async def test_a_caller_that_leaves_says_nothing_about_the_target() -> None:
    breaker = Breaker(Told(takes_s=60), "echo")
    for _ in range(9):
        work = asyncio.ensure_future(ask(breaker))
        await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.wait([work])
    assert (breaker.state, breaker.failures) == (CLOSED, 0)


async def test_after_thirty_seconds_three_trials_at_a_time_are_sent() -> None:
    inner = Told()
    breaker = await opened(inner)
    inner.takes_s = 1.0
    await asyncio.sleep(29.9)
    assert (await asked_in_vain(breaker)).reason == "BREAKER_OPEN"
    await asyncio.sleep(0.2)
    ends = await asyncio.gather(*[asked_in_vain(breaker) for _ in range(8)])
    assert inner.sent == 5 + 3
    assert [e.reason for e in ends].count("BREAKER_OPEN") == 5
    assert breaker.state is OPEN
    assert breaker.open_since_s == asyncio.get_running_loop().time()


async def test_a_trial_that_is_answered_closes_it() -> None:
    inner = Told()
    breaker = await opened(inner)
    inner.error = BAD_INPUT  # An answer, too.
    await asyncio.sleep(30)
    await fail_times(breaker, 20)
    assert (breaker.state, breaker.open_since_s, inner.sent) == (CLOSED, None, 25)


async def test_a_trial_given_up_makes_room_for_another() -> None:
    inner = Told()
    breaker = await opened(inner)
    inner.error, inner.takes_s = None, 60.0
    await asyncio.sleep(30)
    trials = [asyncio.ensure_future(ask(breaker)) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert (await asked_in_vain(breaker)).reason == "BREAKER_OPEN"
    trials.pop().cancel()
    await asyncio.sleep(0.1)
    inner.takes_s = 0.0
    await ask(breaker)
    await asyncio.gather(*trials)
    assert breaker.state is CLOSED


async def test_a_call_never_awaited_takes_no_place_of_a_trial() -> None:
    inner = Told()
    breaker = await opened(inner)
    inner.error = None
    await asyncio.sleep(30)
    for _ in range(5):
        await breaker.call(ECHO, Only(asked("a")), Call()).aclose()
    await ask(breaker)
    assert breaker.state is CLOSED


async def test_calls_sent_before_it_opened_decide_nothing_later() -> None:
    inner = Told(SILENCE, takes_s=31.0)
    breaker = Breaker(inner, "echo")
    late = [asyncio.ensure_future(asked_in_vain(breaker)) for _ in range(3)]
    await asyncio.sleep(0)
    inner.takes_s = 0.0
    await fail_times(breaker, 5)
    await asyncio.sleep(30.5)
    inner.error, inner.takes_s = None, 5.0
    trial = asyncio.ensure_future(ask(breaker))
    inner.error = None
    await asyncio.sleep(1.0)
    await asyncio.wait(late)
    assert breaker.state is HALF_OPEN
    await trial
    assert breaker.state is CLOSED


async def test_urgent_calls_are_always_sent_and_an_answer_to_one_closes_it() -> None:
    inner = Told()
    breaker = await opened(inner)
    assert (await asked_in_vain(breaker, URGENT)).reason == ""
    assert (breaker.state, inner.sent) == (OPEN, 6)
    inner.error = None
    await ask(breaker, URGENT)
    assert breaker.state is CLOSED


async def test_a_stream_counts_when_it_opens_however_long_it_lasts() -> None:
    inner = Told()
    breaker = Breaker(inner, "echo")
    watches = []
    for _ in range(9):
        watch = breaker.call(WATCH, Only(pb.WatchEchoesRequest()), Call())
        await anext(watch)
        watches.append(watch)
    inner.error = SILENCE
    await fail_times(breaker, 4)
    for watch in watches:  # They end by themselves: that is no answer and no silence.
        await watch.aclose()
    assert (breaker.state, breaker.failures) == (CLOSED, 4)
    with pytest.raises(ServiceError):
        await anext(breaker.call(WATCH, Only(pb.WatchEchoesRequest()), Call()))
    assert breaker.state is OPEN


async def test_another_target_is_tried_at_once() -> None:
    inner = Told()
    breaker = await opened(inner)
    inner.error = None
    breaker.try_now()
    await ask(breaker)
    assert breaker.state is CLOSED


async def test_every_change_of_state_is_told() -> None:
    told: list[str] = []
    inner = Told(SILENCE)
    settings = BreakerSettings(failures=2, open_s=1.0)
    breaker = Breaker(inner, "echo", settings, lambda b: told.append(f"{b.target} {b.state}"))
    await fail_times(breaker, 2)
    await asyncio.sleep(1)
    inner.error = None
    await ask(breaker)
    assert told == ["echo OPEN", "echo HALF_OPEN", "echo CLOSED"]


async def test_what_a_service_could_not_send_is_not_definite_for_its_caller() -> None:
    """It may have done other things before."""
    near = await opened(Told())
    relay = Relay(connect(EchoService, near), after_s=0)
    with pytest.raises(ServiceError, match="was not sent") as caught:
        await connect(EchoService, LocalTransport([relay])).echo(asked("a"))
    assert isinstance(caught.value.__cause__, Unsent)
    assert caught.value.reason == "BREAKER_OPEN"
    assert not caught.value.definite


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="trials is 0, must be above 0"):
        replace(BreakerSettings(), trials=0)
