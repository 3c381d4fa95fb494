"""What other limits would have changed about the decisions of the last hour."""

from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types

from services.risk.tests import messages
from services.risk.tests.messages import spec
from services.risk.tests.rig import Rig, failed

FIRM = pb.Scope(kind=pb.SCOPE_KIND_FIRM)
MINE = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=messages.ACCOUNT)
SHOWN = tuple[str, str, str, list[str]]


async def asked(rig: Rig, scope: pb.Scope, **changes: object) -> pb.SetLimitsResponse:
    """Return what limits with some changes would have changed."""
    found = await rig.as_rita.get_limits(pb.GetLimitsRequest(scope=scope))
    found.limits.MergeFrom(pb.Limits(**changes))  # type: ignore[arg-type]
    request = pb.SetLimitsRequest(
        scope=scope, limits=found.limits, etag=found.etag, request_id="p", validate_only=True
    )
    return await rig.as_rita.set_limits(request)


def shown(answer: pb.SetLimitsResponse) -> list[SHOWN]:
    verdict = types.RiskVerdict.Name
    return [
        (
            each.subject_id,
            verdict(each.was).removeprefix("RISK_VERDICT_"),
            verdict(each.would_be).removeprefix("RISK_VERDICT_"),
            [types.RiskReason.Name(code).removeprefix("RISK_REASON_") for code in each.codes],
        )
        for each in answer.differences
    ]


async def with_past() -> Rig:
    """Return risk that has approved 10 and 1,500 units, and rejected 2,500."""
    rig = await Rig.started()
    for quantity, name in (("10", "small"), ("2500", "large"), ("1500", "middle")):
        await rig.ask(spec(quantity, client_order_id=name))
    return rig


async def test_stricter_limits_show_what_they_would_have_refused() -> None:
    rig = await with_past()
    answer = await asked(rig, MINE, position_share_bps_max=1_000)
    assert shown(answer) == [("middle", "APPROVED", "REJECTED", ["POSITION_LIMIT"])]
    assert answer.judged == 3
    await rig.stop()


async def test_looser_limits_show_what_they_would_have_approved() -> None:
    rig = await with_past()
    answer = await asked(rig, FIRM, position_share_bps_max=9_000)
    assert shown(answer) == [("large", "REJECTED", "APPROVED", [])]
    await rig.stop()


async def test_the_limits_in_force_show_no_difference_and_nothing_is_stored() -> None:
    rig = await with_past()
    answer = await asked(rig, MINE)
    assert (shown(answer), answer.judged, answer.version) == ([], 3, 0)
    await asked(rig, MINE, is_suspended=True)
    assert not failed(await rig.ask(spec("11", client_order_id="after")))
    await rig.stop()


async def test_only_the_last_hour_is_judged_also_after_a_restart() -> None:
    rig = await with_past()
    rig.clock.skip_to(messages.START_NS + 3_599 * 10**9)
    await rig.restart()
    assert (await asked(rig, MINE)).judged == 3
    rig.clock.skip_to(messages.START_NS + 3_601 * 10**9)
    assert (await asked(rig, MINE)).judged == 0
    await rig.stop()


async def test_signals_and_traders_are_judged_too() -> None:
    rig = await Rig.started()
    await rig.risk.validate_signal(pb.ValidateSignalRequest(signal=messages.signal()))
    answer = await asked(rig, MINE, traders=["ana"])
    assert [(was, would_be, codes) for _, was, would_be, codes in shown(answer)] == [
        ("APPROVED", "REJECTED", ["NOT_ENTITLED"])
    ]
    await rig.stop()


async def test_the_firms_limits_differ_for_no_account_with_its_own_but_in_what_it_restricts() -> (
    None
):
    rig = await with_past()
    found = await rig.as_rita.get_limits(pb.GetLimitsRequest(scope=MINE))
    own = pb.SetLimitsRequest(scope=MINE, limits=found.limits, etag=found.etag, request_id="own")
    await rig.as_rita.set_limits(own)
    assert shown(await asked(rig, FIRM, position_share_bps_max=1)) == []
    answer = await asked(rig, FIRM, restricted=[messages.INSTRUMENT])
    assert [codes for *_, codes in shown(answer)] == [
        ["RESTRICTED"],
        ["RESTRICTED", "POSITION_LIMIT"],
        ["RESTRICTED"],
    ]
    await rig.stop()
