from contextlib import aclosing

from trading.risk.v1 import risk_pb2 as pb

from runtime.times import to_ns
from services.risk.tests import messages
from services.risk.tests.rig import Rig

FIRM = pb.Scope(kind=pb.SCOPE_KIND_FIRM)
MINE = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=messages.ACCOUNT)
SECOND_NS = 10**9


async def test_the_first_message_carries_every_mode_that_is_set() -> None:
    rig = await Rig.started()
    await rig.set_mode("REDUCE_ONLY", MINE, "m1")
    await rig.set_mode("CANCEL_ONLY", FIRM, "m2")
    await rig.restart()
    request = pb.WatchRiskEventsRequest(after_sequence=2)
    async with aclosing(rig.as_rita.watch_risk_events(request)) as stream:
        first = await anext(stream)
    assert (first.is_heartbeat, first.sequence) == (True, 2)
    assert [(each.scope, each.mode) for each in first.modes] == [
        (FIRM, pb.TRADING_MODE_CANCEL_ONLY),
        (MINE, pb.TRADING_MODE_REDUCE_ONLY),
    ]
    await rig.stop()


async def test_a_mode_change_carries_scope_mode_reason_and_time() -> None:
    rig = await Rig.started()
    async with aclosing(rig.as_rita.watch_risk_events(pb.WatchRiskEventsRequest())) as stream:
        assert not (await anext(stream)).modes
        await rig.set_mode("HALTED", MINE, "m1")
        found = await anext(stream)
    assert (found.sequence, found.event.header.sequence) == (1, 1)
    assert (found.mode.scope, found.mode.mode) == (MINE, pb.TRADING_MODE_HALTED)
    assert found.mode.reason == "a test"
    assert to_ns(found.mode.since) == rig.clock.now_ns()
    assert rig.progress.written["risk_events"] == 1
    await rig.stop()


async def test_a_watch_with_nothing_to_tell_beats_every_second() -> None:
    rig = await Rig.started()
    async with aclosing(rig.as_rita.watch_risk_events(pb.WatchRiskEventsRequest())) as stream:
        await anext(stream)
        began_ns = rig.clock.now_ns()
        beats = [await anext(stream) for _ in range(3)]
    assert all(each.is_heartbeat and not each.modes for each in beats)
    assert rig.clock.now_ns() - began_ns == 3 * SECOND_NS
    await rig.stop()
