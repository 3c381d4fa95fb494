"""Crashes and failing stores: nothing is lost, nothing is said twice."""

import asyncio

from trading.strategy.v1 import strategy_pb2 as pb

from services.strategy.tests.rig import Rig, square


async def signal_ids(rig: Rig) -> list[str]:
    return [one.signal_id for one in await rig.signals()]


async def expected_ids(count: int) -> list[str]:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(count))
        return await signal_ids(rig)


async def traded(rig: Rig, *, is_crashed: bool) -> pb.Strategy:
    """Trade forty candles with a position that its stop closes, perhaps with a crash between."""
    strategy_id = await rig.started()
    await rig.feed(square(22))
    await rig.fill((await rig.signals())[0], -10, 100)
    if is_crashed:
        before = await rig.get(strategy_id)
        await rig.crash()
        assert await rig.get(strategy_id) == before
    await rig.feed(square(24)[22:])
    await rig.fill((await rig.published())[-1], 10, 110)
    await rig.feed(square(40)[24:])
    return await rig.get(strategy_id)


async def test_after_a_crash_everything_goes_on_from_what_was_committed() -> None:
    async with Rig() as calm, Rig() as shaken:
        expected = await traded(calm, is_crashed=False)
        found = await traded(shaken, is_crashed=True)
        assert found.views == expected.views
        assert found.counters == expected.counters
        assert await signal_ids(shaken) == await signal_ids(calm)
        published = [s.header.sequence for s in await shaken.published()]
    assert published == list(range(1, len(published) + 1))


async def test_candles_that_came_while_it_was_down_are_evaluated_afterwards() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(20))
        for task in list(rig.tasks._running):
            task.cancel()
        await asyncio.sleep(0)
        for close in square(40)[20:]:
            rig.show(close)
        await rig.crash()
        await rig.settle()
        assert await signal_ids(rig) == await expected_ids(40)
        assert (await rig.get(strategy_id)).counters.evaluated == 40


async def test_a_signal_is_stored_and_published_together_or_not_at_all() -> None:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(16))
        rig.database.faults.is_down = True
        rig.show(square(17)[16])
        await asyncio.sleep(2)
        assert await rig.published() == []
        rig.database.faults.is_down = False
        await rig.settle()
        await asyncio.sleep(1)
        assert await rig.signals() == await rig.published()
        assert len(await rig.published()) == 1


async def test_a_commit_whose_answer_was_lost_is_not_done_again() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(16))
        rig.database.faults.answers_to_lose = 1
        await rig.feed(square(30)[16:])
        assert await signal_ids(rig) == await expected_ids(30)
        assert (await rig.get(strategy_id)).counters.evaluated == 30


async def test_a_commit_that_was_lost_is_done_again() -> None:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(16))
        rig.database.faults.commits_to_lose = 1
        await rig.feed(square(30)[16:])
        assert await signal_ids(rig) == await expected_ids(30)


async def test_candles_before_the_start_are_never_evaluated() -> None:
    """Not even after a crash that makes the service read the stream from further back."""
    async with Rig() as rig:
        await rig.feed(square(20))
        strategy_id = await rig.started()
        await rig.crash()
        await rig.feed(square(21)[20:])
        strategy = await rig.get(strategy_id)
    assert strategy.counters.evaluated == 1
    assert strategy.state == pb.STRATEGY_STATE_RUNNING
