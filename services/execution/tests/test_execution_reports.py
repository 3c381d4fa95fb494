"""Reports are committed once, in order, and shown to orders without a gap."""

from contextlib import aclosing

from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from services.execution.tests import mothers
from services.execution.tests.mothers import ANA
from services.execution.tests.rig import Rig


def again(*reports: ExecutionReport, sequence: int) -> exchange_pb2.WatchExecutionsResponse:
    """Return a message that carries reports a second time."""
    return exchange_pb2.WatchExecutionsResponse(reports=reports, sequence=sequence)


async def test_reports_carry_parent_and_child_in_the_venues_order() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    rig.venue.fill("order-1", "4")
    rig.venue.fill("order-1", "6")
    await rig.rest()
    reports = await rig.reports()
    assert [report.exec_id for report in reports] == ["E1", "E2", "E3"]
    assert {(r.client_order_id, r.child_order_id) for r in reports} == {("order-1", "order-1")}
    assert [report.cum_quantity.value for report in reports] == ["0", "4", "10"]
    state = await rig.state()
    assert (state.state, state.filled.value) == (pb.EXECUTION_STATE_FILLED, "10")


async def test_a_report_seen_twice_is_shown_once() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    rig.venue.fill("order-1", "4")
    await rig.rest()
    rig.venue.say(again(*rig.venue.feed, sequence=2))
    await rig.rest()
    assert [report.exec_id for report in await rig.reports()] == ["E1", "E2"]
    assert (await rig.state()).filled.value == "4"
    assert await rig.rows("anomalies") == []


async def test_a_known_report_with_other_content_is_kept_apart_and_not_applied() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    rig.venue.fill("order-1", "4")
    await rig.rest()
    changed = ExecutionReport()
    changed.CopyFrom(rig.venue.feed[-1])
    changed.cum_quantity.value = "9"
    rig.venue.say(again(changed, sequence=2))
    await rig.rest()
    (anomaly,) = await rig.rows("anomalies")
    assert (anomaly.venue, anomaly.exec_id) == ("XSIM", "E2")
    assert (await rig.state()).filled.value == "4"
    assert len(await rig.reports()) == 2


async def test_a_known_report_among_new_ones_does_not_hide_them() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.is_silent = True
    rig.venue.fill("order-1", "4")
    first, second = rig.venue.feed
    rig.venue.say(again(first, second, second, sequence=3))
    await rig.rest()
    assert [report.exec_id for report in await rig.reports()] == ["E1", "E2"]
    assert (await rig.state()).filled.value == "4"


async def test_a_missing_report_is_read_again_before_anything_behind_it() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.is_silent = True
    rig.venue.fill("order-1", "4")
    rig.venue.fill("order-1", "6")
    rig.venue.say(again(rig.venue.feed[-1], sequence=3))  # The one before is missing.
    await rig.rest()
    assert len(await rig.reports()) == 1
    rig.venue.messages.clear()
    rig.venue.speak()
    for _ in range(50):
        await rig.rest()
    assert [report.exec_id for report in await rig.reports()] == ["E1", "E2", "E3"]


async def test_an_outage_of_the_venue_loses_no_report() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.go_out()
    rig.venue.fill("order-1", "10")
    await rig.rest()
    rig.venue.is_out = False
    for _ in range(300):
        await rig.rest()
    assert [report.exec_id for report in await rig.reports()] == ["E1", "E2"]


async def test_a_restart_goes_on_after_the_last_report_committed() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    before = await rig.reports()
    await rig.crash()
    rig.venue.fill("order-1", "10")
    await rig.start()
    reports = await rig.reports()
    assert reports[:1] == before
    assert [report.exec_id for report in reports] == ["E1", "E2"]
    later = await rig.reports(after_sequence=1)
    assert [report.exec_id for report in later] == ["E2"]


async def test_messages_are_numbered_without_a_gap() -> None:
    rig = await Rig.started()
    for number in range(1, 6):
        await rig.send(mothers.order(f"order-{number}"))
        rig.venue.fill(f"order-{number}", "10")
        await rig.rest()
    sequences: list[int] = []
    request = pb.WatchExecutionReportsRequest()
    async with aclosing(rig.execution.watch_execution_reports(request)) as messages:
        async for message in messages:
            if message.is_heartbeat and sequences:
                break
            if not message.is_heartbeat:
                sequences.append(message.sequence)
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_report_of_an_order_nobody_here_sent_is_passed_on() -> None:
    rig = await Rig.started()
    key = (ANA, "elsewhere")
    rig.venue.states[key] = exchange_pb2.VenueOrderState(
        venue_order_id="V9", status=order_pb2.ORDER_STATUS_NEW
    )
    report = rig.venue.report(key, execution_pb2.EXEC_TYPE_NEW)
    await rig.rest()
    assert await rig.reports() == [report]


async def test_how_far_reports_are_is_marked_after_they_can_be_read() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    rig.venue.fill("order-1", "10")
    await rig.rest()
    progress = rig.environment.progress
    assert progress.read["venue_reports:XSIM"] == 2
    assert progress.written["execution_reports"] >= 1
    assert not any(progress.busy.values())
