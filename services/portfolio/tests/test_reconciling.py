from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.times import to_ns
from services.portfolio.reconciling import differences
from services.portfolio.tests import mothers
from services.portfolio.tests.rig import Rig
from services.portfolio.tests.test_service import refused

HELD = st.dictionaries(st.sampled_from("ABCDE"), st.integers(-3, 3), max_size=5)
Break = tuple[str, str, str]


async def compared(rig: Rig, key: str, venue: str = "XSIM") -> list[pb.PositionBreak]:
    request = pb.ReconcilePositionsRequest(account=mothers.ACCOUNT, venue=venue, request_id=key)
    return list((await rig.portfolio.reconcile_positions(request)).breaks)


def shown(breaks: list[pb.PositionBreak]) -> list[Break]:
    return [(each.instrument, each.ours.value, each.theirs.value) for each in breaks]


async def test_positions_that_agree_have_no_break() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    rig.exchange.held = {mothers.INSTRUMENT: "10"}
    assert await compared(rig, "r1") == []
    await rig.service.stop()


async def test_each_difference_is_a_break_with_both_quantities() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    await rig.trade("2", "50", instrument="OURS.XSIM")
    rig.exchange.held = {mothers.INSTRUMENT: "8", "THEIRS.XSIM": "-1"}
    assert shown(await compared(rig, "r1")) == [
        (mothers.INSTRUMENT, "10", "8"),
        ("OURS.XSIM", "2", "0"),
        ("THEIRS.XSIM", "0", "-1"),
    ]
    await rig.service.stop()


async def test_a_break_keeps_the_time_it_was_first_seen_until_it_is_gone() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    (first,) = await compared(rig, "r1")
    rig.clock.skip_to(mothers.START_NS + 60 * 10**9)
    await rig.restart()
    (second,) = await compared(rig, "r2")
    assert second.since == first.since
    rig.exchange.held = {mothers.INSTRUMENT: "10"}
    assert await compared(rig, "r3") == []
    rig.exchange.held = {mothers.INSTRUMENT: "9"}
    (again,) = await compared(rig, "r4")
    assert to_ns(again.since) > to_ns(first.since)
    await rig.service.stop()


async def test_a_repeated_comparison_is_made_once() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    first = await compared(rig, "r1")
    rig.exchange.held = {mothers.INSTRUMENT: "10"}
    assert await compared(rig, "r1") == first
    await rig.service.stop()


async def test_an_account_the_venue_does_not_know_holds_nothing_there() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    rig.exchange.knows_account = False
    assert shown(await compared(rig, "r1")) == [(mothers.INSTRUMENT, "10", "0")]
    await rig.service.stop()


async def test_an_unknown_venue_is_refused() -> None:
    rig = await Rig.started()
    error = await refused(compared(rig, "r1", "XXXX"))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "VENUE_UNKNOWN")
    await rig.service.stop()


@given(HELD, HELD)
def test_a_difference_is_stated_exactly_where_quantities_differ(
    ours: dict[str, int], theirs: dict[str, int]
) -> None:
    found = differences(ours, theirs)
    for name in "ABCDE":
        pair = (ours.get(name, 0), theirs.get(name, 0))
        assert found.get(name) == (pair if pair[0] != pair[1] else None)
