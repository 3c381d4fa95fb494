"""Limits and trading modes as messages, and as the book holds them."""

from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal
from trading.risk.v1 import risk_pb2 as pb

from runtime.atto import to_atto
from services.risk.breakers import Happening
from services.risk.reasons import Reason
from services.risk.rules import NS_PER_S, Limits, ProtectionRule, Scope, ScopeKind

# What holds before anybody sets anything.
DEFAULTS = pb.Limits(
    order_lots_max=10_000,
    order_notional_max=Decimal(value="1000000"),
    position_share_bps_max=2_000,
    gross_share_bps_max=8_000,
    entries_per_instrument_max=3,
    open_orders_max=200,
    open_order_value_share_bps_max=10_000,
    strategy_orders_per_minute_max=100,
    account_orders_per_minute_max=1_000,
    duplicate_window=Duration(seconds=1),
    protection=pb.PROTECTION_RULE_STRATEGIES,
    is_short_allowed=True,
    repeated_executions_per_minute_max=20,
    day_loss_bps_warning=200,
    day_loss_bps_max=500,
    drawdown_bps_reduce_only=1_500,
    drawdown_bps_halted=2_000,
    losses_in_a_row_max=5,
    market_order_margin_bps=100,
    fee_bps_max=20,
)
_SAME = (
    "order_lots_max",
    "position_share_bps_max",
    "gross_share_bps_max",
    "entries_per_instrument_max",
    "open_orders_max",
    "open_order_value_share_bps_max",
    "strategy_orders_per_minute_max",
    "account_orders_per_minute_max",
    "is_short_allowed",
    "market_order_margin_bps",
    "fee_bps_max",
    "repeated_executions_per_minute_max",
    "day_loss_bps_warning",
    "day_loss_bps_max",
    "drawdown_bps_reduce_only",
    "drawdown_bps_halted",
    "losses_in_a_row_max",
    "is_suspended",
    "calendar",
)


def limits_of(message: pb.Limits, version: int) -> Limits:
    """Return limits as checks and breakers use them."""
    window = message.duplicate_window
    return Limits(
        version=version,
        order_notional_max_atto=to_atto(message.order_notional_max.value),
        duplicate_window_ns=window.seconds * NS_PER_S + window.nanos,
        protection=ProtectionRule(message.protection),
        traders=frozenset(message.traders),
        restricted=frozenset(message.restricted),
        **{name: getattr(message, name) for name in _SAME},
    )


def scope_of(message: pb.Scope) -> Scope:
    """Return what limits or a mode are about."""
    return ScopeKind(message.kind), message.id


def scope_message(scope: Scope) -> pb.Scope:
    """Return a scope as a message."""
    return pb.Scope(kind=pb.ScopeKind.ValueType(scope[0]), id=scope[1])


def scope_text(scope: Scope) -> str:
    """Return a scope as risk events name it: "firm", "account:<id>"."""
    kind, name = scope
    return f"{kind.name.lower()}:{name}" if name else kind.name.lower()


def unit_of(code: Reason) -> str:
    """Return the unit in which a breaker's limit is told."""
    return " bp" if code in (Reason.DRAWDOWN, Reason.DAILY_LOSS) else ""


def reason_text(happening: Happening) -> str:
    """Return why a breaker changed a mode, for the record."""
    code, unit = happening.key.code, unit_of(happening.key.code)
    if not happening.is_trip:
        return f"{code.name} is over"
    return f"{code.name}: {happening.observed}{unit}, limit {happening.limit}{unit}"
