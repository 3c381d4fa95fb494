import asyncio
from collections.abc import AsyncGenerator

import pytest

from runtime.deadline import until


async def answer_after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "answer"


async def test_work_in_time_is_answered_and_leaves_no_timer() -> None:
    assert await until(5.0, answer_after(4)) == "answer"
    await asyncio.sleep(10)  # A timer left behind would cancel this.


async def test_work_out_of_time_is_cancelled() -> None:
    with pytest.raises(TimeoutError):
        await until(5.0, answer_after(6))
    assert asyncio.get_running_loop().time() == 5
    await asyncio.sleep(1)


async def test_work_that_never_waits_is_done_even_after_its_deadline() -> None:
    await asyncio.sleep(1)
    assert await until(0.5, answer_at_once()) == "answer"


async def answer_at_once() -> str:
    return "answer"


async def test_cancellation_from_outside_stays_a_cancellation() -> None:
    task = asyncio.ensure_future(until(5.0, answer_after(10)))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancellation_at_the_same_instant_stays_a_cancellation() -> None:
    task = asyncio.ensure_future(until(5.0, answer_after(10)))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(5.0, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_answers_in_spite_of_the_deadline_is_answered() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "rescued"
        return "late"

    assert await until(5.0, stubborn()) == "rescued"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_inner_deadline_ends_before_the_outer_one() -> None:
    async def inner() -> str:
        with pytest.raises(TimeoutError):
            await until(2.0, answer_after(10))
        return "went on"

    assert await until(5.0, inner()) == "went on"
    with pytest.raises(TimeoutError):
        await until(7.0, until(9.0, answer_after(10)))


async def test_errors_pass_through() -> None:
    async def fail(seconds: float) -> None:
        await asyncio.sleep(seconds)
        raise KeyError("x")

    for seconds in (0, 1):
        with pytest.raises(KeyError):
            await until(50.0, fail(seconds))


async def test_step_of_a_generator_is_bounded() -> None:
    async def slow() -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(10)
        yield 2

    steps = slow()
    assert await until(5.0, anext(steps)) == 1
    with pytest.raises(TimeoutError):
        await until(5.0, anext(steps))
    with pytest.raises(StopAsyncIteration):
        await until(50.0, anext(steps))
