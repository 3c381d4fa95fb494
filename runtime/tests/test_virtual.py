"""Virtual time jumps from timer to timer, repeats exactly, and says when it cannot go on."""

import asyncio
import itertools
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from runtime.virtual import VirtualLoop


def run(work: Callable[[], Awaitable[object]], loop: VirtualLoop | None = None) -> object:
    async def main() -> object:
        return await work()

    with asyncio.Runner(loop_factory=lambda: loop or VirtualLoop()) as runner:
        return runner.run(main())


def test_a_day_passes_in_no_time() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began_s = time.perf_counter()
    assert run(day) == 86_400
    assert time.perf_counter() - began_s < 1


async def test_async_tests_run_in_virtual_time() -> None:
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
    await asyncio.sleep(3_600)


@pytest.mark.real_time
async def test_marked_tests_run_in_real_time() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)


async def test_timers_end_in_the_order_of_their_time() -> None:
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append(seconds)

    await asyncio.gather(*(wait(s) for s in (3.0, 1.0, 2.0, 0.5)))
    assert ended == [0.5, 1.0, 2.0, 3.0]


async def test_time_stands_still_while_work_is_done() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert loop.time() == 0


async def test_timeouts_work() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.sleep(6)
    assert asyncio.get_running_loop().time() == 5


def test_deadlock_names_the_tasks_that_wait_and_where() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async def both() -> None:
        tasks = [asyncio.create_task(never(), name=f"orders:{n}") for n in ("relay", "reader")]
        await asyncio.gather(*tasks)

    with pytest.raises(RuntimeError, match=r"deadlock: every task waits") as caught:
        run(both)
    lines = str(caught.value).splitlines()
    assert [line.split(" at ")[0].strip() for line in lines[1:]][1:] == [
        "orders:reader",
        "orders:relay",
    ]
    assert all("Event.wait" in line for line in lines[2:])


def test_time_without_end_is_stopped() -> None:
    async def beat() -> None:
        for _ in itertools.count():
            await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match=r"beyond 100 s.*what ends this"):
        run(beat, VirtualLoop(horizon_s=100))


async def test_threads_and_sockets_are_refused() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as unused:
        attempts: list[Callable[[], Awaitable[object]]] = [
            lambda: asyncio.to_thread(time.time),
            lambda: asyncio.open_connection("127.0.0.1", 1),
            lambda: asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0),
            lambda: asyncio.create_subprocess_exec("true"),
            lambda: loop.sock_connect(unused, ("127.0.0.1", 1)),
            lambda: loop.getaddrinfo("localhost", 1),
        ]
        for attempt in attempts:
            with pytest.raises(RuntimeError, match="has no virtual time: use LocalTransport"):
                await attempt()


def test_interrupt_ends_the_run() -> None:
    async def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


async def test_background_generators_are_closed_with_the_loop() -> None:
    closed: list[str] = []

    async def endless() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
        finally:
            closed.append("closed")

    async def leave() -> None:
        generator = endless()
        await anext(generator)
        leaked.append(generator)

    leaked: list[object] = []
    await leave()
    await asyncio.get_running_loop().shutdown_asyncgens()
    assert closed == ["closed"]
