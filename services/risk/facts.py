"""What a decision was made of, as numbers: enough to judge it again by other limits.

Limits are compared with these numbers alone; what else failed is kept as a set of codes. Each
decision is a row of integers, so that a thousand of them are judged at once (`rejudging`).
"""

import json
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from runtime.atto import OFTEN, attos_squared
from services.risk.case import Case
from services.risk.checks import ORDER_CHECKS
from services.risk.decide import Decision
from services.risk.orders import SELL, OrderType
from services.risk.reasons import Reason, Verdict

NONE = -1  # Of numbers that are never negative: there is none, or it does not count.
INT64 = 2**63
HEADROOM = 4  # What margins and fees may make of a product.
BPS_ZEROS = 4


class Facts(NamedTuple):
    """One decision as numbers; money is in minor units of the instrument's currency."""

    fixed: int  # The codes that failed whatever the limits say, as bits.
    is_signal: int
    is_reducing: int
    lots: int  # The quantity, a part of a lot counted as a whole one.
    has_price: int
    notional: int
    resulting: int
    elsewhere: int
    total_opening: int
    has_equity: int
    equity: int
    free: int
    # The part that opens is worth `hold_quantity * hold_price * hold_times / hold_by`.
    hold_quantity: int
    hold_price: int
    hold_times: int
    hold_by: int
    is_market: int
    entries: int
    open_orders: int
    of_strategy: int  # Orders within a minute, this one included; NONE without a strategy.
    of_account: int
    duplicate_age_ns: int  # Since an equal order under another id.
    is_unprotected: int  # Whether it opens without a stop.
    has_strategy: int
    opens_short: int  # Whether it ends short in an instrument that allows it.
    openings: int
    day_loss_bps: int
    drawdown_bps: int
    losses: int


class Named(NamedTuple):
    """What of a decision is no number."""

    currency: str
    instrument: str
    trader: str


ROW = struct.Struct(f"<{len(Facts._fields)}q")
# What the limits decide: judged anew from the numbers. ACCOUNT_INACTIVE has a part of either.
LIMITED = frozenset(
    {
        Reason.NOT_ENTITLED,
        Reason.RESTRICTED,
        Reason.DUPLICATE_ORDER,
        Reason.QUANTITY_ABOVE_MAX,
        Reason.NOTIONAL_ABOVE_MAX,
        Reason.NO_PROTECTION,
        Reason.BUYING_POWER,
        Reason.POSITION_LIMIT,
        Reason.GROSS_EXPOSURE,
        Reason.ENTRIES_PER_INSTRUMENT,
        Reason.SHORT_NOT_ALLOWED,
        Reason.OPEN_ORDERS,
        Reason.OPEN_ORDER_VALUE,
        Reason.ORDER_RATE,
        Reason.REPEATED_EXECUTION,
        Reason.DAILY_LOSS,
        Reason.DRAWDOWN,
        Reason.LOSS_STREAK,
        Reason.ACCOUNT_INACTIVE,
    }
)
ON_SIGNAL = sum(1 << check.code for check in ORDER_CHECKS if check.is_on_signal)


def facts_of(case: Case, decision: Decision, *, is_signal: bool = False) -> Facts:
    """Return the numbers of a decision that was made of `case`."""
    order, account, priced = case.order, case.account, case.priced
    equity, free, strategy_id = case.equity_minor, case.free_minor, order.strategy_id
    of_strategy, of_account = account.rates(strategy_id, case.now_ns)
    more = 1 if case.prior is None else 0
    lot = case.instrument.lot_atto if case.instrument else 1
    opens_short = order.direction == SELL and not case.is_reducing
    fixed = _fixed(case, decision)
    watched = []
    for code, block, seen, is_reached in _watched(case):
        watched.append(NONE if block < 0 else seen)
        fixed |= (block > 0 and not is_reached) << code  # It stands, whatever the limit is now.
    return Facts(
        fixed,
        int(is_signal),
        int(case.is_reducing),
        -(-order.quantity_atto // lot) if case.instrument else 0,
        int(priced is not None),
        priced.notional_minor if priced else 0,
        priced.resulting_minor if priced else 0,
        priced.elsewhere_minor if priced else 0,
        priced.total_opening_minor if priced else 0,
        int(equity is not None and free is not None),
        equity or 0,
        free or 0,
        *_hold(case),
        case.entries,
        case.open_orders,
        of_strategy + more if strategy_id else NONE,
        of_account + more,
        _duplicate_age_ns(case),
        int(not case.is_reducing and order.protection_atto is None),
        int(bool(strategy_id)),
        int(opens_short and (case.instrument is None or case.instrument.is_shortable)),
        *watched,
    )


def pack(facts: Facts) -> bytes:
    """Return a row as bytes; one that does not fit into 64 bits as text."""
    product = facts.hold_quantity * facts.hold_price * facts.hold_times * HEADROOM
    if product < INT64 and facts.hold_by < INT64:
        try:
            return ROW.pack(*facts)
        except struct.error:
            pass
    return json.dumps(facts).encode()


def unpack(body: bytes) -> Sequence[int]:
    """Return the numbers of a row."""
    return json.loads(body) if body.startswith(b"[") else ROW.unpack(body)


def _fixed(case: Case, decision: Decision) -> int:
    """Return the codes that failed whatever the limits say: of some codes, a part."""
    fixed = 0
    if decision.verdict is Verdict.REJECTED:
        failed = [code for code, *_ in decision.failed if code not in LIMITED]
        fixed = sum(1 << code for code in failed)
    instrument = case.instrument
    if case.account.transfers_minor is None:
        fixed |= 1 << Reason.ACCOUNT_INACTIVE
    most = instrument.max_quantity_atto if instrument else None
    if most is not None and case.order.quantity_atto > most:
        fixed |= 1 << Reason.QUANTITY_ABOVE_MAX
    if case.order.direction == SELL and instrument and not instrument.is_shortable:
        fixed |= (not case.is_reducing) << Reason.SHORT_NOT_ALLOWED
    return fixed


def _watched(case: Case) -> tuple[tuple[Reason, int, int, bool], ...]:
    """Return of each breaker its state, what it sees (NONE: nothing), and if that is too much."""
    account, limits, blocks = case.account, case.limits, case.conditions.blocks
    strategy_id, most = case.order.strategy_id, limits.repeated_executions_per_minute_max
    loss, drawdown = account.day_loss_bps, account.drawdown_bps
    losses = account.losses(strategy_id) if strategy_id else NONE
    openings = case.openings if strategy_id else NONE
    repeated = blocks.repeated if strategy_id and most else 0
    streak = blocks.streak if strategy_id else 0
    reduce_only = limits.drawdown_bps_reduce_only
    return (
        (Reason.REPEATED_EXECUTION, repeated, openings, openings > most),
        (Reason.DAILY_LOSS, blocks.day_loss, loss, 0 < loss >= limits.day_loss_bps_max),
        (Reason.DRAWDOWN, blocks.drawdown, drawdown, 0 < drawdown >= reduce_only),
        (Reason.LOSS_STREAK, streak, losses, 0 < losses >= limits.losses_in_a_row_max),
    )


def _duplicate_age_ns(case: Case) -> int:
    at_ns, earlier = case.account.recent.get(case.order.fingerprint, (0, ""))
    if not earlier or earlier == case.order.client_order_id or case.conditions.is_again:
        return NONE
    return case.now_ns - at_ns


def _hold(case: Case) -> tuple[int, int, int, int, int]:
    """Return what the hold is computed from, in few digits, so that products stay small."""
    price = case.priced.price_atto if case.priced else 0
    is_market = int(case.order.type is OrderType.MARKET)
    quantity, quantity_zeros = _stripped(case.opening_atto, 0)
    price, price_zeros = _stripped(price, BPS_ZEROS)  # So that a margin leaves whole numbers.
    unit, unit_zeros = _stripped(attos_squared(case.currency), 0)
    zeros = quantity_zeros + price_zeros - unit_zeros
    return quantity, price, 10 ** max(0, zeros), unit * 10 ** max(0, -zeros), is_market


@lru_cache(OFTEN)
def _stripped(number: int, kept: int) -> tuple[int, int]:
    """Return `number` without its last zeros but `kept` of them, and how many were taken."""
    text = str(number)
    zeros = max(0, len(text) - len(text.rstrip("0")) - kept) if number else 0
    return number // 10**zeros, zeros
