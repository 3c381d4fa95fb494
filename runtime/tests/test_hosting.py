import asyncio
import logging

import pytest

from runtime.hosting import Tasks


async def endless(log: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(1)  # Ends in its own time.
        log.append(name)


async def crash(after_s: float, error: Exception) -> None:
    await asyncio.sleep(after_s)
    raise error


async def test_stop_cancels_newest_first_and_waits() -> None:
    tasks, log = Tasks("orders"), []  # type: ignore[var-annotated]
    for name in ("first", "second"):
        tasks.spawn(endless(log, name), name=name)
    await asyncio.sleep(0)
    await tasks.stop()
    assert log == ["second", "first"]
    assert tasks.failed == {}


async def test_crash_is_logged_at_once_and_raised_at_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = Tasks("orders")
    with caplog.at_level(logging.ERROR):
        tasks.spawn(crash(1, KeyError("first")), name="relay")
        tasks.spawn(crash(2, ValueError("second")), name="reader")
        await asyncio.sleep(3)
    assert "orders:relay crashed: KeyError('first')" in caplog.text
    assert "Traceback" in caplog.text
    assert list(tasks.failed) == ["orders:relay", "orders:reader"]
    with pytest.raises(KeyError, match="first"):
        await tasks.stop()


async def test_work_that_ends_is_forgotten() -> None:
    tasks = Tasks("orders")
    done = tasks.spawn(asyncio.sleep(1, "answer"), name="once")
    assert await done == "answer"
    await tasks.stop()
    await tasks.stop()  # A second stop finds nothing to do.


async def test_crash_while_stopping_is_raised_after_everything_ended() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("cannot let go") from None

    tasks, log = Tasks("orders"), []  # type: ignore[var-annotated]
    tasks.spawn(endless(log, "other"), name="other")
    tasks.spawn(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="cannot let go"):
        await tasks.stop()
    assert log == ["other"]


async def test_work_that_misses_a_cancel_is_cancelled_again() -> None:
    tasks = Tasks("orders")
    missed: list[bool] = []

    async def work() -> None:
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if missed:
                    raise
                missed.append(True)

    tasks.spawn(work(), name="reader")
    await asyncio.sleep(0)
    await tasks.stop()
    assert missed == [True]
    assert not tasks.failed
