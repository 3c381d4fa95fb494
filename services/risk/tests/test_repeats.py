"""An order is refused as a repeat of an equal one of a moment ago, under another id."""

import pytest

from runtime.errors import ServiceError
from services.risk.tests import messages
from services.risk.tests.messages import spec
from services.risk.tests.rig import Rig, failed


async def test_the_same_order_under_another_id_is_refused_for_a_second() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    assert failed(await rig.ask(spec(client_order_id="o2"))) == ["DUPLICATE_ORDER"]
    rig.clock.skip_to(messages.START_NS + 2 * 10**9)
    assert not failed(await rig.ask(spec(client_order_id="o3")))
    await rig.stop()


async def test_a_repeat_is_noticed_when_the_book_was_read_anew_in_between() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    rig.database.faults.is_down = True
    with pytest.raises(ServiceError):
        await rig.ask(spec("11", client_order_id="lost"))
    rig.database.faults.is_down = False
    assert failed(await rig.ask(spec(client_order_id="o2"))) == ["DUPLICATE_ORDER"]
    assert not failed(await rig.ask(spec("11", client_order_id="o3")))  # Nobody sent the lost one.
    await rig.stop()


async def test_an_order_decided_anew_is_no_repeat_and_does_not_become_a_later_one() -> None:
    """Orders asks again for each resend: it is the same order, sent when it was first sent."""
    rig = await Rig.started()
    await rig.ask(spec())
    rig.clock.skip_to(messages.START_NS + 2 * 10**9)
    assert not failed(await rig.ask(spec(), version=2))
    assert not failed(await rig.ask(spec(client_order_id="o2")))
    assert not failed(await rig.ask(spec(), version=3))
    assert failed(await rig.ask(spec(client_order_id="o3"))) == ["DUPLICATE_ORDER"]
    await rig.stop()


async def test_an_order_replaced_by_what_was_just_sent_is_a_repeat() -> None:
    rig = await Rig.started()
    await rig.ask(spec("11"))
    rig.clock.skip_to(messages.START_NS + 2 * 10**9)
    await rig.ask(spec(client_order_id="o2"))
    assert failed(await rig.ask(spec(), version=2, is_replace=True)) == ["DUPLICATE_ORDER"]
    await rig.stop()
