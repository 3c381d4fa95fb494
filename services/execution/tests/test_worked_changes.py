"""A worked parent takes another quantity or limit; what works at the old one is canceled first."""

from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import execution_pb2
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS

from services.execution.tests.mothers import ANA
from services.execution.tests.rig import failure
from services.execution.tests.working import WorkingRig, order

State = pb.ExecutionState


def replacement(quantity: str = "", limit: str = "") -> pb.ReplaceExecutionRequest:
    request = pb.ReplaceExecutionRequest(
        account=ANA, client_order_id="order-1", request_id=f"r-{quantity}{limit[:2]}", epoch=1
    )
    if quantity:
        request.quantity.value = quantity
    if limit:
        request.limit_price.value = limit
    return request


async def test_a_smaller_quantity_cancels_what_works_and_plans_anew() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    await rig.execution.replace_execution(replacement("50"))
    assert rig.venue.resting() == {}
    assert sum(await rig.parts()) == 50
    told = (await rig.reports())[-1]
    assert told.exec_type == execution_pb2.EXEC_TYPE_REPLACED
    assert (told.cum_quantity.value, told.leaves_quantity.value) == ("0", "50")
    await rig.pass_s(610)
    assert (await rig.parts())[0] == 50
    assert (await rig.state()).state == State.EXECUTION_STATE_FILLED


async def test_a_larger_quantity_is_spread_over_what_is_left() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(15)
    await rig.execution.replace_execution(replacement("200"))
    await rig.pass_s(610)
    assert [lots for _, lots in rig.sent][:3] == [10, 30, 20]
    assert (await rig.parts())[0] == 200


async def test_a_new_limit_holds_for_every_child_from_then_on() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    await rig.execution.replace_execution(replacement(limit="99.5"))
    assert rig.venue.resting() == {}
    await rig.pass_s(200)
    assert all(p.order.limit_price.value == "99.5" for p in rig.venue.places[1:])


async def test_a_parent_cannot_be_replaced_below_what_has_traded() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(15)
    error = await failure(rig.execution.replace_execution(replacement("9")))
    assert error.reason == "BELOW_FILLED"
    answer = await rig.execution.replace_execution(replacement("10"))
    assert answer.state == State.EXECUTION_STATE_FILLED
