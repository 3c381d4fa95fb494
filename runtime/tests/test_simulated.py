"""The simulated network does to messages what its rules say, and repeats by seed."""

import asyncio
import random
import time

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.identity import Principal
from runtime.link_rules import latency, loss, partition
from runtime.local import LocalTransport
from runtime.rpc import Call, methods
from runtime.simulated import (
    Break,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Hold,
    Passage,
    Refuse,
    SimulatedNetwork,
    Verdict,
)
from runtime.single import Only, one
from runtime.tests.echoing import ANA, Echo, asked, echo_client
from runtime.virtual import VirtualLoop

ECHO, *_ = methods(EchoService)


def network_of(service: Echo) -> SimulatedNetwork:
    return SimulatedNetwork(LocalTransport([service], guarded))


async def test_without_rules_messages_arrive_at_once() -> None:
    assert (await echo_client(network_of(Echo())).echo(asked("a"))).text == "a"
    assert asyncio.get_running_loop().time() == 0


async def test_delay_counts_both_ways() -> None:
    network = network_of(Echo())
    with network.rule(lambda _: Deliver(after_s=0.25)):
        await echo_client(network).echo(asked("a"))
    assert asyncio.get_running_loop().time() == 0.5


async def test_lost_request_has_no_effect_and_is_indefinite() -> None:
    service = Echo()
    network = network_of(service)
    lose_requests = network.rule(lambda p: Drop() if p.is_request else None)
    with lose_requests, pytest.raises(ServiceError) as caught:
        await echo_client(network).echo(asked("a"), Call(timeout_s=1))
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
    assert not caught.value.definite
    assert service.heard == []
    assert asyncio.get_running_loop().time() == 1


async def test_a_deadline_is_one_though_its_timer_rings_early() -> None:
    """A loop lets what is due within the next nanosecond ring at once."""
    network, loop = network_of(Echo()), asyncio.get_running_loop()
    loop.call_at(1 - 5e-10, lambda: None)
    with network.rule(lambda _: Drop()), pytest.raises(ServiceError) as caught:
        await one(network.call(ECHO, Only(asked("a")), Call(timeout_s=1)))
    assert loop.time() < 1
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED


async def test_lost_answer_leaves_the_effect() -> None:
    service = Echo()
    network = network_of(service)
    lose_answers = network.rule(lambda p: None if p.is_request else Drop())
    with lose_answers, pytest.raises(ServiceError) as caught:
        await echo_client(network).echo(asked("a"), Call(timeout_s=1))
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
    assert service.heard == ["a"]


async def test_rule_ends_with_its_block() -> None:
    network = network_of(Echo())
    client = echo_client(network)
    with network.rule(lambda _: Drop()), pytest.raises(ServiceError):
        await client.echo(asked("a"))
    assert (await client.echo(asked("b"))).text == "b"


async def test_rule_that_begins_in_mid_call_catches_the_answer() -> None:
    service = Echo()
    network = network_of(service)
    answer = asyncio.ensure_future(echo_client(network).echo(asked("slow"), Call(timeout_s=1.5)))
    await asyncio.sleep(1)
    with network.rule(lambda _: Drop()):
        await asyncio.wait([answer])
    assert isinstance(answer.exception(), ServiceError)


async def test_the_newest_rule_with_a_verdict_wins() -> None:
    network = network_of(Echo())
    with (
        network.rule(lambda _: Drop()),
        network.rule(lambda _: Deliver(after_s=0.5)),
        network.rule(lambda _: None),
    ):
        await echo_client(network).echo(asked("a"), Call(timeout_s=10))
    assert asyncio.get_running_loop().time() == 1


async def test_broken_connection_is_repeated_by_the_client() -> None:
    service = Echo()
    network = network_of(service)
    broken = iter([True, True])
    with network.rule(lambda p: Break() if p.is_request and next(broken, False) else None):
        assert (await echo_client(network).echo(asked("a"))).text == "a"
    assert service.heard == ["a"]


async def test_broken_stream_ends_unavailable() -> None:
    service = Echo()
    network = network_of(service)
    watch = echo_client(network).watch_echoes(pb.WatchEchoesRequest())
    await anext(watch)
    broken = network.rule(lambda _: Break())
    with broken, pytest.raises(ServiceError, match="connection broke") as caught:
        await anext(watch)
    assert caught.value.code is StatusCode.UNAVAILABLE
    assert service.watches_closed == 1


async def test_partition_cuts_one_pair_only() -> None:
    network = network_of(Echo())
    gateway = Principal("gateway", service="gateway")
    with network.rule(partition("gateway", "echo")):
        with pytest.raises(ServiceError):
            await echo_client(network, caller=gateway).echo(asked("a"))
        assert (await echo_client(network, caller=ANA).echo(asked("a"))).text == "a"


async def test_rules_see_who_calls_whom() -> None:
    seen: list[tuple[str, str, str, bool]] = []

    def note(passage: Passage) -> Verdict:
        seen.append((passage.caller, passage.service, passage.method.name, passage.is_request))
        return None

    network = network_of(Echo())
    with network.rule(note):
        await echo_client(network).echo(asked("a"))
    assert seen == [("ana", "echo", "echo", True), ("ana", "echo", "echo", False)]


def test_same_seed_same_history_and_no_waiting() -> None:
    """Two hundred calls over a slow, lossy network: the minutes are virtual."""

    async def day(seed: int) -> list[tuple[int, str, float]]:
        network, log = network_of(Echo()), []
        client, loop = echo_client(network), asyncio.get_running_loop()

        async def call(number: int) -> None:
            try:
                await client.echo(asked(f"t{number}"), Call(timeout_s=1.8))
                outcome = "OK"
            except ServiceError as error:
                outcome = error.code.name
            log.append((number, outcome, loop.time()))

        chance = random.Random(seed)
        with (
            network.rule(loss(chance, share=0.05)),
            network.rule(latency(chance, mean_s=0.5, least_s=0.01)),
        ):
            await asyncio.gather(*(call(n) for n in range(200)))
        return log

    def run(seed: int) -> list[tuple[int, str, float]]:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(day(seed))

    began_s = time.perf_counter()
    first, again, other = run(1), run(1), run(2)
    assert first == again != other
    assert {outcome for _, outcome, _ in first} == {"OK", "DEADLINE_EXCEEDED"}
    assert time.perf_counter() - began_s < 10


async def test_a_delay_is_added_to_what_the_rules_behind_it_say() -> None:
    network = network_of(Echo())
    with (
        network.rule(lambda _: Deliver(after_s=0.5)),
        network.rule(lambda _: Delay(added_s=0.25)),
        network.rule(lambda _: Delay(added_s=0.125)),
    ):
        await echo_client(network).echo(asked("a"))
    assert asyncio.get_running_loop().time() == 1.75


async def test_what_is_held_is_asked_about_anew_when_it_goes_on() -> None:
    network, released = network_of(Echo()), asyncio.Event()
    asyncio.get_running_loop().call_later(0.75, released.set)
    with network.rule(lambda p: None if released.is_set() else Hold(released)):
        answer = asyncio.ensure_future(echo_client(network).echo(asked("a"), Call(timeout_s=10)))
        await asyncio.sleep(0.5)
        refuse = Refuse(StatusCode.ABORTED, "SINCE", "since it was held")
        with network.rule(lambda p: refuse if p.is_request else None):
            await asyncio.wait([answer])
    assert isinstance(error := answer.exception(), ServiceError)
    assert error.reason == "SINCE"
    assert asyncio.get_running_loop().time() == 0.75


async def test_a_copy_of_a_request_arrives_later_with_a_deadline_of_its_own() -> None:
    service = Echo()
    network = network_of(service)
    with network.rule(lambda p: Duplicate(after_s=5.0) if p.is_request else None):
        assert (await echo_client(network).echo(asked("a"), Call(timeout_s=1))).text == "a"
    assert service.heard == ["a"]
    await asyncio.sleep(5.1)
    assert service.heard == ["a", "a"]
    assert service.calls[1].deadline_s == pytest.approx(6.0)


async def test_a_refusal_says_what_it_was_told_to_say() -> None:
    service = Echo()
    network = network_of(service)
    refuse = Refuse(StatusCode.RESOURCE_EXHAUSTED, "MESH", "too many")
    with network.rule(lambda _: refuse), pytest.raises(ServiceError) as caught:
        await echo_client(network).echo(asked("a"), Call(timeout_s=1))
    assert (caught.value.code, caught.value.reason) == (StatusCode.RESOURCE_EXHAUSTED, "MESH")
    assert service.heard == []


async def test_messages_of_each_side_are_counted() -> None:
    seen: list[tuple[bool, int]] = []
    network = network_of(Echo())
    with network.rule(lambda p: seen.append((p.is_request, p.number))):
        watch = echo_client(network).watch_echoes(pb.WatchEchoesRequest())
        for _ in range(3):
            await anext(watch)
        await watch.aclose()
    assert seen == [(True, 1), (False, 1), (False, 2), (False, 3)]
