"""Messages to plain values and back; nothing else of the service knows both."""

import hashlib
from collections.abc import Mapping

from google.protobuf.message import Message
from google.type.decimal_pb2 import Decimal
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.execution_pb2 import (
    EXEC_TYPE_TRADE,
    EXEC_TYPE_TRADE_CANCEL,
    EXEC_TYPE_TRADE_CORRECT,
)
from trading.types.v1.market_pb2 import Candle, Timeframe
from trading.types.v1.money_pb2 import Money
from trading.types.v1.order_pb2 import SIDE_BUY

from runtime.atto import from_atto, minor_from_text, minor_to_text, notional_minor, to_atto
from runtime.money import divide_half_even
from runtime.times import NS_PER_S, to_ns, to_timestamp
from services.portfolio.booking import Report, ReportKind
from services.portfolio.ledger import Journal
from services.portfolio.positions import Fill, Position
from services.portfolio.valuation import Mark, Totals, Value

KINDS = {
    EXEC_TYPE_TRADE: ReportKind.TRADE,
    EXEC_TYPE_TRADE_CANCEL: ReportKind.BUST,
    EXEC_TYPE_TRADE_CORRECT: ReportKind.CORRECTION,
}
AVERAGE_STEP = 10**10  # An average price is shown with 8 decimals (M5).
STALE_S_MIN = 5
TIMEFRAME_S: Mapping[int, int] = {
    Timeframe.TIMEFRAME_SECOND_1: 1,
    Timeframe.TIMEFRAME_MINUTE_1: 60,
    Timeframe.TIMEFRAME_MINUTE_5: 300,
    Timeframe.TIMEFRAME_MINUTE_15: 900,
    Timeframe.TIMEFRAME_MINUTE_30: 1_800,
    Timeframe.TIMEFRAME_HOUR_1: 3_600,
    Timeframe.TIMEFRAME_HOUR_4: 14_400,
    Timeframe.TIMEFRAME_DAY_1: 86_400,
    Timeframe.TIMEFRAME_WEEK_1: 604_800,
}


def touches_money(event: OrderEvent) -> bool:
    """Return whether an order event carries a trade, a bust or a correction."""
    return event.HasField("execution") and event.execution.exec_type in KINDS


def report_of(event: OrderEvent, currency: str) -> Report:
    """Return what an order event says about money; `currency` is that of its notional."""
    execution, strategy_id = event.execution, event.order.spec.strategy_id
    quantity = to_atto(execution.last_quantity.value or "0")
    price = to_atto(execution.last_price.value or "0")
    has_fee = execution.HasField("fee")
    kind = KINDS[execution.exec_type]
    refers_to = f"{execution.venue}/{execution.exec_ref_id}" if execution.exec_ref_id else ""
    fill = Fill(
        exec_id=f"{execution.venue}/{execution.exec_id}",
        order_id=execution.client_order_id,
        account=execution.account,
        instrument=execution.instrument,
        currency=currency,
        quantity_atto=quantity if execution.side == SIDE_BUY else -quantity,
        price_atto=price,
        notional_minor=notional_minor(price, quantity, currency),
        fee_minor=minor_from_text(execution.fee.amount.value, currency) if has_fee else 0,
    )
    # What is booked is what must be equal in a repeat; sessions and sequences may differ.
    content = repr((kind.value, refers_to, fill)).encode()
    digest = hashlib.sha256(content).digest()
    return Report(kind, fill, refers_to, digest, to_ns(execution.transact_time), strategy_id)


def event_digest(event: Message) -> bytes:
    """Return what makes an order event recognizable as the same."""
    return hashlib.sha256(event.SerializeToString(deterministic=True)).digest()


def mark_of(candle: Candle) -> Mark:
    """Return the price a confirmed candle leaves; it may be believed for three candles (D5)."""
    stale_s = max(3 * TIMEFRAME_S[candle.timeframe], STALE_S_MIN)
    return Mark(to_atto(candle.close.value), to_ns(candle.close_time), stale_s * NS_PER_S)


def money(units: int, currency: str) -> Money:
    """Return minor units as a message."""
    return Money(amount=Decimal(value=minor_to_text(units, currency)), currency=currency)


def minor_of(amount: Money) -> int:
    """Return an amount in minor units; raises ValueError when it has more decimals than those."""
    units = minor_from_text(amount.amount.value, amount.currency)
    if to_atto(minor_to_text(units, amount.currency)) != to_atto(amount.amount.value):
        raise ValueError(
            f"amount is {amount.amount.value} {amount.currency}, must be in whole minor units"
        )
    return units


def snapshot(
    account: str, found: Totals, currency: str, cash: Mapping[str, int]
) -> pb.PortfolioSnapshot:
    """Return an account's money; the caller adds when and after what."""
    return pb.PortfolioSnapshot(
        account=account,
        currency=currency,
        cash=[money(units, code) for code, units in cash.items()],
        market_value=money(found.market_value, currency),
        equity=money(found.equity, currency),
        realised=money(found.realised, currency),
        unrealised=money(found.unrealised, currency),
        fees=money(found.fees, currency),
        gross=money(found.gross, currency),
        net=money(found.market_value, currency),
        net_transfers=money(found.transfers, currency),
        is_stale=found.is_stale,
    )


def position_message(
    key: tuple[str, str], position: Position, currency: str, mark: Mark | None, value: Value
) -> pb.Position:
    """Return one position with its worth."""
    message = pb.Position(
        account=key[0],
        instrument=key[1],
        quantity=Decimal(value=from_atto(position.quantity_atto)),
        cost=money(position.cost_minor, currency),
        market_value=money(value.market_value_minor, currency),
        unrealised=money(value.unrealised_minor, currency),
        realised=money(position.realised_minor, currency),
        fees=money(position.fees_minor, currency),
        entries=len(position.entries),
        is_stale=value.is_stale,
    )
    if position.quantity_atto:
        message.average_price.value = from_atto(_average_atto(position, currency))
    if mark is not None:
        message.mark.value = from_atto(mark.price_atto)
        message.mark_time.CopyFrom(to_timestamp(mark.time_ns))
    return message


def journal_message(sequence: int, journal: Journal) -> pb.Journal:
    """Return a journal with its entries."""
    return pb.Journal(
        sequence=sequence,
        account=journal.account,
        kind=pb.JournalKind.ValueType(journal.kind),
        source=journal.source,
        corrects=journal.corrects,
        strategy_id=journal.strategy_id,
        occurred_at=to_timestamp(journal.occurred_at_ns),
        entries=[
            pb.JournalEntry(
                ledger_account=entry.ledger_account,
                side=pb.ENTRY_SIDE_DEBIT if entry.amount_minor > 0 else pb.ENTRY_SIDE_CREDIT,
                amount=money(abs(entry.amount_minor), entry.currency),
            )
            for entry in journal.entries
        ],
    )


def _average_atto(position: Position, currency: str) -> int:
    """Return cost per unit in attos, rounded to 8 decimals half to even."""
    cost_atto = abs(to_atto(minor_to_text(position.cost_minor, currency)))
    steps = divide_half_even(cost_atto * 10**18, abs(position.quantity_atto) * AVERAGE_STEP)
    return steps * AVERAGE_STEP
