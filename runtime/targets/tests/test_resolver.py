"""A resolver follows its sources, and never forgets where a service is without being told."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ServiceError
from runtime.targets import (
    Added,
    Change,
    Changed,
    Dns,
    Endpoint,
    EndpointStatus,
    Removed,
    Resolution,
    Resolver,
    Snapshot,
    Source,
    Static,
    StillSo,
    Watched,
)
from runtime.targets.tests.targeting import SILENCE
from runtime.virtual import VirtualLoop

A, B, C = (Endpoint(f"{name}:1") for name in "abc")


class Registry:
    """A watch that says what a test puts in; an error ends it, and it can stay away."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[Change | Exception] = asyncio.Queue()
        self.opened = 0

    async def watch(self) -> AsyncGenerator[Change, None]:
        self.opened += 1
        while True:
            said = await self.says.get()
            if isinstance(said, Exception):
                raise said
            yield said

    async def say(self, *changes: Change | Exception) -> None:
        for change in changes:
            self.says.put_nowait(change)
        for _ in range(20):
            await asyncio.sleep(0)


async def resolving(*sources: Source) -> tuple[Resolver, list[Resolution]]:
    told: list[Resolution] = []
    resolver = Resolver("echo", sources, told.append, rng=random.Random(1))
    await resolver.start()
    await asyncio.sleep(0)
    return resolver, told


def addresses(resolver: Resolver) -> list[str]:
    return [one.address[0] for one in resolver.resolution.endpoints]


async def test_what_a_file_says_is_known_at_once() -> None:
    resolver, told = await resolving(Static([B, A]))
    await asyncio.wait_for(resolver.found(), 1)
    assert told == [Resolution((A, B), "topology", is_stale=False, heard_s=0.0)]
    await resolver.stop()


async def test_the_registry_has_the_word_once_it_names_somebody() -> None:
    registry = Registry()
    resolver, _ = await resolving(Watched(registry.watch), Static([A]))
    await registry.say(Snapshot(()))
    assert (addresses(resolver), resolver.resolution.source) == (["a"], "topology")
    await registry.say(Snapshot((B,)), Added(C))
    assert (addresses(resolver), resolver.resolution.source) == (["b", "c"], "discovery")
    await registry.say(Changed(Endpoint("b:1", status=EndpointStatus.DRAINING)), Removed("c:1"))
    (only,) = resolver.resolution.endpoints
    assert only.status is EndpointStatus.DRAINING
    await resolver.stop()


async def test_an_empty_answer_changes_nothing_and_is_marked() -> None:
    registry = Registry()
    resolver, _ = await resolving(Watched(registry.watch))
    await registry.say(Snapshot((A, B)), Snapshot(()))
    assert (addresses(resolver), resolver.resolution.is_stale) == (["a", "b"], True)
    await registry.say(Snapshot((B,)))
    assert (addresses(resolver), resolver.resolution.is_stale) == (["b"], False)
    await resolver.stop()


async def test_what_is_removed_one_by_one_is_gone() -> None:
    registry = Registry()
    resolver, told = await resolving(Watched(registry.watch), Static([C]))
    await registry.say(Snapshot((A, B)), Removed("a:1"), Removed("b:1"))
    assert resolver.resolution == Resolution((), "discovery", is_stale=False, heard_s=0.0)
    assert told[-1].endpoints == ()
    await resolver.stop()


async def test_while_the_registry_is_away_its_last_word_holds_for_ten_minutes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = Registry()
    resolver, told = await resolving(Watched(registry.watch))
    await registry.say(Snapshot((A,)), SILENCE)
    assert (addresses(resolver), resolver.resolution.is_stale) == (["a"], True)
    await asyncio.sleep(599)
    assert addresses(resolver) == ["a"]
    await asyncio.sleep(2)
    assert addresses(resolver) == []
    assert "nobody serves echo any more, as far as discovery knows" in caplog.text
    await registry.say(Snapshot((B,)))
    assert (addresses(resolver), resolver.resolution.is_stale) == (["b"], False)
    assert [(len(one.endpoints), one.is_stale) for one in told] == [
        (1, False),
        (1, True),
        (0, False),
        (1, False),
    ]
    await resolver.stop()


async def test_after_ten_minutes_the_next_source_is_asked() -> None:
    registry = Registry()
    resolver, _ = await resolving(Watched(registry.watch), Static([C]))
    await registry.say(Snapshot((A,)), SILENCE)
    await asyncio.sleep(601)
    assert (addresses(resolver), resolver.resolution.source) == (["c"], "topology")
    await resolver.stop()


async def test_a_registry_that_comes_back_is_followed_and_nobody_was_evicted() -> None:
    registry = Registry()
    resolver, told = await resolving(Watched(registry.watch))
    await registry.say(Snapshot((A, B)), SILENCE)
    await asyncio.sleep(30)
    await registry.say(Snapshot(()))  # It restarted, and has not heard of anybody yet.
    await registry.say(Snapshot((A, B)))
    assert {one.endpoints for one in told} == {(A, B)}
    assert not resolver.resolution.is_stale
    assert registry.opened == 2
    await resolver.stop()


async def test_a_registry_that_cannot_be_reached_is_tried_every_few_seconds() -> None:
    tries: list[float] = []

    async def refused() -> AsyncGenerator[Change, None]:
        tries.append(asyncio.get_running_loop().time())
        raise SILENCE
        yield StillSo()

    resolver, _ = await resolving(Watched(refused))
    await asyncio.sleep(60)
    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses[0] <= 0.15
    assert max(pauses) <= 7.5
    assert 10 < len(tries) < 30
    await resolver.stop()


async def test_a_registry_that_says_nothing_any_more_is_away() -> None:
    registry = Registry()
    resolver, _ = await resolving(Watched(registry.watch, silence_s=3.0))
    await registry.say(Snapshot((A,)))
    for _ in range(4):
        await asyncio.sleep(2.0)
        await registry.say(StillSo())
        assert not resolver.resolution.is_stale
    await asyncio.sleep(3.1)
    assert (addresses(resolver), resolver.resolution.is_stale) == (["a"], True)
    await registry.say(StillSo())
    assert not resolver.resolution.is_stale
    await resolver.stop()


async def test_names_are_looked_up_again_every_thirty_seconds() -> None:
    answers = [["10.0.0.2", "10.0.0.1"], ["10.0.0.1"], ["fd00::1"]]
    asked_s: list[float] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked_s.append(asyncio.get_running_loop().time())
        return answers[min(len(asked_s), len(answers)) - 1]

    resolver, told = await resolving(Dns("echo.internal", 50051, lookup=lookup))
    await asyncio.sleep(65)
    assert asked_s == [0.0, 30.0, 60.0]
    assert [[e.address for e in one.endpoints] for one in told] == [
        ["10.0.0.1:50051", "10.0.0.2:50051"],
        ["10.0.0.1:50051"],
        ["[fd00::1]:50051"],
    ]
    await resolver.stop()


async def test_a_name_nobody_answers_for_leaves_what_was_known() -> None:
    is_up = True

    async def lookup(host: str, port: int) -> Sequence[str]:
        if not is_up:
            raise OSError("temporary failure in name resolution")
        return ["10.0.0.1"]

    resolver, _ = await resolving(Dns("echo.internal", 1, lookup=lookup))
    await asyncio.sleep(1)
    is_up = False
    await asyncio.sleep(300)
    assert (addresses(resolver), resolver.resolution.is_stale) == (["1"], True)
    is_up = True
    await asyncio.sleep(10)
    assert not resolver.resolution.is_stale
    await resolver.stop()


@pytest.mark.real_time
async def test_the_systems_own_names_are_found() -> None:
    resolver, _ = await resolving(Dns("localhost", 7))
    await asyncio.wait_for(resolver.found(), 10)
    assert {one.address for one in resolver.resolution.endpoints} & {"127.0.0.1:7", "[::1]:7"}
    await resolver.stop()


CHANGES = st.one_of(
    st.builds(Snapshot, st.lists(st.sampled_from([A, B, C]), unique=True).map(tuple)),
    st.builds(Added, st.sampled_from([A, B, C])),
    st.builds(Removed, st.sampled_from([one.address for one in (A, B, C)])),
    st.just(StillSo()),
    st.just(SILENCE),
)


@given(st.lists(CHANGES, max_size=15))
def test_it_never_empties_blindly(changes: list[Change | ServiceError]) -> None:
    """Whatever a registry says within ten minutes: nobody is left only if all were REMOVED."""

    async def main() -> None:
        registry = Registry()
        resolver, _ = await resolving(Watched(registry.watch))
        for change in changes:
            before = addresses(resolver)
            await registry.say(change)
            await asyncio.sleep(8)
            if before and not addresses(resolver):
                assert change == Removed(f"{before[0]}:1")
        await resolver.stop()

    in_virtual_time(main)


def in_virtual_time(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
