"""A venue that rejects or stays silent gets no orders until a probe has found it well."""

import asyncio

import pytest
from google.type.decimal_pb2 import Decimal
from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb

from runtime.rpc import Call
from services.execution.health import REMEMBERED, Health
from services.execution.tests import mothers
from services.execution.tests.rig import Rig, failure
from services.execution.tests.scripted import STATUS, Fate, ScriptedVenue
from services.execution.venue import VenueLink

PRICE = Decimal(value="100")


def test_more_than_half_rejected_of_at_least_twenty_is_unwell() -> None:
    health = Health()
    for number in range(19):
        health.judged(is_rejected=True, taken_s=0.1)
        assert not health.ails(number)
    health.judged(is_rejected=True, taken_s=0.1)
    assert "rejected 100%" in health.ails(20.0)
    health.forgive()
    assert not health.ails(20.0)
    for _ in range(REMEMBERED // 2):
        health.judged(is_rejected=True, taken_s=0.1)
        health.judged(is_rejected=False, taken_s=0.1)
    assert not health.ails(20.0)  # Half is not more than half.


def test_more_than_ten_unanswered_for_thirty_seconds_is_unwell() -> None:
    health = Health()
    for number in range(10):
        health.sent(("ana", str(number)), 0.0)
    assert not health.ails(100.0)
    health.sent(("ana", "10"), 1.0)
    assert not health.ails(31.0)
    assert "unanswered" in health.ails(31.1)
    assert health.oldest_unanswered() == ("ana", "0")
    health.answered(("ana", "0"))
    assert not health.ails(31.1)


def test_the_newest_latency_weighs_a_tenth() -> None:
    health = Health()
    health.judged(is_rejected=False, taken_s=0.1)
    health.judged(is_rejected=False, taken_s=0.2)
    assert health.latency_s == pytest.approx(0.11)


async def test_a_venue_that_rejects_too_much_is_probed_before_it_gets_more() -> None:
    rig = await Rig.started()
    rig.venue.rejects = True
    for number in range(20):
        await rig.send(mothers.order(f"order-{number}"))
    rig.venue.is_deaf = rig.venue.is_mute = True
    error = await failure(rig.send(mothers.order("order-20")))
    assert error.reason == "VENUE_UNHEALTHY"
    (venue,) = (await rig.service.list_venues(pb.ListVenuesRequest())).venues
    assert (venue.is_healthy, venue.reject_share) == (False, 1.0)
    rig.venue.is_deaf = rig.venue.is_mute = rig.venue.rejects = False
    await asyncio.sleep(2.1)
    await rig.send(mothers.order("order-20"))
    assert len(rig.venue.places) == 21


async def test_a_silent_venue_gets_nothing_more_until_it_answers() -> None:
    rig = await Rig.started()
    rig.venue.fate, rig.venue.is_deaf = Fate.REQUEST_LOST, True
    orders = [rig.send(mothers.order(f"order-{number}")) for number in range(11)]
    await asyncio.gather(*orders, return_exceptions=True)
    await asyncio.sleep(31)
    error = await failure(rig.send(mothers.order("order-11")))
    assert error.reason == "VENUE_UNHEALTHY"
    rig.venue.fate, rig.venue.is_deaf = Fate.ANSWERED, False
    await asyncio.sleep(15)
    await rig.send(mothers.order("order-11"))


async def test_a_rejected_order_is_known_by_its_status() -> None:
    rig = await Rig.started()
    rig.venue.rejects = True
    answer = await rig.send(mothers.order())
    assert answer.first_report.order_status == STATUS.ORDER_STATUS_REJECTED
    assert (await rig.state()).state == pb.ExecutionState.EXECUTION_STATE_REJECTED


class AskedVenue(ScriptedVenue):
    """Remembers how long it had to say what it can do."""

    asked = Call()

    async def get_capabilities(
        self, request: exchange_pb2.GetCapabilitiesRequest, call: Call = Call()
    ) -> exchange_pb2.GetCapabilitiesResponse:
        self.asked = call
        return await super().get_capabilities(request, call)


@pytest.mark.parametrize(("left_s", "had_s"), [(0.05, 0.05), (1.0, 0.2)], ids=["little", "much"])
async def test_a_venue_says_what_it_can_do_while_the_caller_waits(
    left_s: float, had_s: float
) -> None:
    venue = AskedVenue()
    await VenueLink("XSIM", venue).capabilities(Call(left_s).started())
    assert venue.asked.remaining_s() == pytest.approx(had_s)
