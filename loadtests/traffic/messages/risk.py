"""Messages of the risk service. ValidateOrder is the profile VALIDATE."""

from uuid import NAMESPACE_URL, uuid5

from google.type.decimal_pb2 import Decimal
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import market_pb2, signal_pb2

from loadtests.traffic.callers import ORDERS, RISK_OFFICER, TRADER
from loadtests.traffic.market import PRICE
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.floor import TRADED
from loadtests.traffic.messages.portfolio import EVENTS_MAX
from loadtests.traffic.messages.stage import STRATEGIES, Stage
from loadtests.traffic.strategies import sizing
from runtime.clock import SystemClock
from runtime.times import NS_PER_S, to_timestamp

SERVICE = "RiskService"
VALID_NS = 60 * NS_PER_S


@ask(f"{SERVICE}/ValidateSignal", ORDERS, "strategies")
def _validate_signal(stage: Stage, number: int) -> pb.ValidateSignalRequest:
    """Ask about a signal of a strategy that is not running: a decision like any other."""
    strategy = stage.strategies[number % STRATEGIES]
    price, now_ns = Decimal(value=PRICE), SystemClock().now_ns()
    signal = signal_pb2.Signal(
        signal_id=str(uuid5(NAMESPACE_URL, stage.name(number))),
        strategy_id=strategy.strategy_id,
        config_version=strategy.config_version,
        account=strategy.account,
        instrument=strategy.instruments[0],
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        candle_open_time=to_timestamp(stage.long_ago_ns(number)),
        action=signal_pb2.SIGNAL_ACTION_OPEN,
        direction=signal_pb2.DIRECTION_LONG,
        strength=0.5,
        votes=[signal_pb2.Vote(name="EMA_CROSS", direction=signal_pb2.DIRECTION_LONG, weight=1)],
        entry_price=price,
        stop_price=Decimal(value="95.00"),
        stop_source=signal_pb2.STOP_SOURCE_ATR,
        sizing=sizing(),
        status=signal_pb2.SIGNAL_STATUS_PUBLISHED,
        valid_until=to_timestamp(now_ns + VALID_NS),
    )
    return pb.ValidateSignalRequest(signal=signal)


@ask(f"{SERVICE}/ReleaseOrder", ORDERS, "accounts")
def _release_order(stage: Stage, number: int) -> pb.ReleaseOrderRequest:
    return pb.ReleaseOrderRequest(
        client_order_id=stage.name(number), account=stage.account(number), reason="load"
    )


@ask(f"{SERVICE}/ReportOrderEvents", ORDERS, "trades")
def _report_order_events(stage: Stage, number: int) -> pb.ReportOrderEventsRequest:
    return pb.ReportOrderEventsRequest(events=stage.events[-EVENTS_MAX:])


@ask(f"{SERVICE}/GetLimits", RISK_OFFICER, "accounts")
def _get_limits(stage: Stage, number: int) -> pb.GetLimitsRequest:
    return pb.GetLimitsRequest(scope=_scope(stage, number))


def _learned(stage: Stage, request: pb.SetLimitsRequest, answer: pb.SetLimitsResponse) -> None:
    stage.etags[request.scope.id] = answer.etag


@ask(f"{SERVICE}/SetLimits", RISK_OFFICER, "accounts", heard=_learned)
def _set_limits(stage: Stage, number: int) -> pb.SetLimitsRequest:
    scope = _scope(stage, number)
    limits = stage.crowd.limits[scope.id]
    return pb.SetLimitsRequest(
        scope=scope,
        limits=limits.limits,
        etag=stage.etags.get(scope.id, limits.etag),
        request_id=stage.name(number),
    )


@ask(f"{SERVICE}/GetRiskState", TRADER, "accounts")
def _get_risk_state(stage: Stage, number: int) -> pb.GetRiskStateRequest:
    return pb.GetRiskStateRequest(account=stage.account(number))


@ask(f"{SERVICE}/SetTradingMode", RISK_OFFICER, "accounts")
def _set_trading_mode(stage: Stage, number: int) -> pb.SetTradingModeRequest:
    return pb.SetTradingModeRequest(
        scope=_scope(stage, number),
        mode=pb.TRADING_MODE_ACTIVE,
        reason="load",
        request_id=stage.name(number),
    )


@ask(f"{SERVICE}/ListDecisions", RISK_OFFICER, "trades")
def _list_decisions(stage: Stage, number: int) -> pb.ListDecisionsRequest:
    return pb.ListDecisionsRequest(account=stage.account(number), page_size=100)


@ask(f"{SERVICE}/GetDecision", RISK_OFFICER, "trades")
def _get_decision(stage: Stage, number: int) -> pb.GetDecisionRequest:
    return pb.GetDecisionRequest(decision_id=stage.traded[number % TRADED].decision_id)


@ask(f"{SERVICE}/WatchRiskEvents", TRADER)
def _watch_risk_events(stage: Stage, number: int) -> pb.WatchRiskEventsRequest:
    return pb.WatchRiskEventsRequest()


def _scope(stage: Stage, number: int) -> pb.Scope:
    return pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=stage.account(number))
