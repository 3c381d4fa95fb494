"""Judges many decisions at once by other limits than those they were made by.

The arithmetic is that of the checks, on columns instead of on one case, and exact: columns
whose products might leave 64 bits are columns of Python's integers. A test holds both ways
of judging equal, code by code.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.atto import minor_from_atto
from services.risk.checks import ORDER_CHECKS
from services.risk.facts import INT64, ON_SIGNAL, Facts, Named
from services.risk.reasons import Reason
from services.risk.rules import Limits, ProtectionRule

BATCH_SIZE = 1_024
BPS = 10_000
WAIVED = sum(1 << check.code for check in ORDER_CHECKS if check.is_waived)
EVERY_CODE = (1 << 62) - 1
ON_SIGNAL_ALONE = sum(
    1 << code
    for code in (Reason.SIGNAL_EXPIRED, Reason.SIGNAL_DUPLICATE, Reason.STRATEGY_NOT_RUNNING)
)
AT = {name: place for place, name in enumerate(Facts._fields)}
Column = npt.NDArray[Any]
Names = npt.NDArray[np.intp]


class Batch(NamedTuple):
    """Decisions as columns: numbers in the order of `Facts`, names as numbers into `names`."""

    columns: Column
    currencies: tuple[list[str], Names]
    instruments: tuple[list[str], Names]
    traders: tuple[list[str], Names]


def batches(rows: Sequence[tuple[Sequence[int], Named]]) -> Iterator[tuple[int, Batch]]:
    """Yield the rows in batches of at most 1,024, each with the place of its first row."""
    for first in range(0, len(rows), BATCH_SIZE):
        yield first, batch_of(rows[first : first + BATCH_SIZE])


def batch_of(rows: Sequence[tuple[Sequence[int], Named]]) -> Batch:
    """Return rows as columns; of Python's integers when one does not fit into 64 bits."""
    numbers = [numbers for numbers, _ in rows]
    is_wide = any(max(row) >= INT64 or min(row) < -INT64 for row in numbers)
    columns = np.array(numbers, dtype=object if is_wide else np.int64).T
    currencies, instruments, traders = zip(*(named for _, named in rows), strict=True)
    return Batch(columns, _numbered(currencies), _numbered(instruments), _numbered(traders))


def judge(batch: Batch, limits: Limits, restricted: frozenset[str]) -> list[int]:
    """Return of each decision the codes that would have failed, as bits.

    `restricted` is the list of whoever else restricts: the firm's beside an account's.
    """
    rows = _fitting(batch.columns, limits)
    col = {name: rows[place] for name, place in AT.items()}
    failed = col["fixed"].copy()
    for code, is_failed in _judged(col, batch, limits, restricted):
        failed |= np.where(is_failed, 1 << code, 0).astype(failed.dtype)
    if limits.is_suspended:
        failed |= 1 << Reason.ACCOUNT_INACTIVE
    reducing = np.where(col["is_reducing"] == 1, EVERY_CODE & ~WAIVED, EVERY_CODE)
    on_signal = np.where(col["is_signal"] == 1, ON_SIGNAL | ON_SIGNAL_ALONE, EVERY_CODE)
    return [int(bits) for bits in failed & reducing & on_signal]


def codes_in(bits: int) -> list[Reason]:
    """Return the codes of a set of bits, in their order."""
    return [code for code in Reason if bits >> code & 1]


def _judged(
    col: dict[str, Column], batch: Batch, limits: Limits, restricted: frozenset[str]
) -> Iterator[tuple[Reason, Column]]:
    """Yield each code that limits decide, and where it fails."""
    lists = limits.restricted | restricted
    yield Reason.RESTRICTED, _named(batch.instruments, lambda name: name in lists)
    if limits.traders:
        yield Reason.NOT_ENTITLED, _named(batch.traders, lambda name: name not in limits.traders)
    age = col["duplicate_age_ns"]
    yield Reason.DUPLICATE_ORDER, (age >= 0) & (age < limits.duplicate_window_ns)
    yield Reason.QUANTITY_ABOVE_MAX, col["lots"] > limits.order_lots_max
    yield Reason.NO_PROTECTION, _unprotected(col, limits)
    yield Reason.ENTRIES_PER_INSTRUMENT, col["entries"] > limits.entries_per_instrument_max
    yield Reason.SHORT_NOT_ALLOWED, (col["opens_short"] == 1) & (not limits.is_short_allowed)
    yield Reason.OPEN_ORDERS, col["open_orders"] > limits.open_orders_max
    yield (
        Reason.ORDER_RATE,
        (col["of_strategy"] > limits.strategy_orders_per_minute_max)
        | (col["of_account"] > limits.account_orders_per_minute_max),
    )
    yield from _worth(col, batch, limits)
    yield from _broken(col, limits)


def _worth(col: dict[str, Column], batch: Batch, limits: Limits) -> Iterator[tuple[Reason, Column]]:
    """Yield the checks of money: without a price or an equity they fail."""
    no_price, no_equity = col["has_price"] == 0, col["has_equity"] == 0
    unknown, equity = no_price | no_equity, col["equity"]
    most_atto, currencies = limits.order_notional_max_atto, batch.currencies
    most = _looked_up(currencies, [minor_from_atto(most_atto, name) for name in currencies[0]])
    yield Reason.NOTIONAL_ABOVE_MAX, no_price | (col["notional"] > most)
    yield Reason.BUYING_POWER, unknown | (_holds(col, limits) > col["free"])
    resulting = col["resulting"]
    position = equity * limits.position_share_bps_max // BPS
    yield Reason.POSITION_LIMIT, unknown | (resulting > position)
    gross = equity * limits.gross_share_bps_max // BPS
    yield Reason.GROSS_EXPOSURE, unknown | (col["elsewhere"] + resulting > gross)
    unexecuted = equity * limits.open_order_value_share_bps_max // BPS
    yield Reason.OPEN_ORDER_VALUE, unknown | (col["total_opening"] > unexecuted)


def _broken(col: dict[str, Column], limits: Limits) -> Iterator[tuple[Reason, Column]]:
    """Yield the checks of breakers: what is less than nothing was overruled, or says nothing."""
    most, no_equity = limits.repeated_executions_per_minute_max, col["has_equity"] == 0
    yield Reason.REPEATED_EXECUTION, (col["openings"] > most) & (most > 0)
    for code, name, limit in (
        (Reason.DAILY_LOSS, "day_loss_bps", limits.day_loss_bps_max),
        (Reason.DRAWDOWN, "drawdown_bps", limits.drawdown_bps_reduce_only),
    ):
        yield code, no_equity | ((col[name] > 0) & (col[name] >= limit))
    losses = col["losses"]
    yield Reason.LOSS_STREAK, (losses > 0) & (losses >= limits.losses_in_a_row_max)


def _holds(col: dict[str, Column], limits: Limits) -> Column:
    """Return the money each decision holds: notional plus fees, both rounded up."""
    price, margin = col["hold_price"], BPS + limits.market_order_margin_bps
    worst = np.where(col["is_market"] == 1, -(-price * margin // BPS), price)
    notional: Column = -(-col["hold_quantity"] * worst * col["hold_times"] // col["hold_by"])
    held: Column = notional - (-notional * limits.fee_bps_max // BPS)
    return held


def _unprotected(col: dict[str, Column], limits: Limits) -> Column:
    none: Column = np.zeros(len(col["fixed"]), dtype=bool)
    unprotected: Column = col["is_unprotected"] == 1
    if limits.protection is ProtectionRule.NONE:
        return none
    if limits.protection is ProtectionRule.ALL:
        return unprotected
    of_strategy: Column = unprotected & (col["has_strategy"] == 1)
    return of_strategy


def _fitting(columns: Column, limits: Limits) -> Column:
    """Return columns whose products stay within 64 bits, or columns of Python's integers."""
    if columns.dtype == object:
        return columns
    factor = max(
        limits.position_share_bps_max,
        limits.gross_share_bps_max,
        limits.open_order_value_share_bps_max,
        limits.fee_bps_max,
        limits.market_order_margin_bps + BPS,
    )
    names = ("equity", "notional", "hold_price")
    largest = max(int(np.abs(columns[AT[name]]).max(initial=0)) for name in names)
    product = columns[AT["hold_quantity"]].astype(float) * columns[AT["hold_price"]]
    # A rough bound, four times what is needed: nothing is computed with it.
    roughly = float((product * columns[AT["hold_times"]]).max(initial=0.0)) * 4 * factor / BPS
    is_wide = largest * factor >= INT64 or roughly >= INT64
    return columns.astype(object) if is_wide else columns


def _numbered(names: Sequence[str]) -> tuple[list[str], Names]:
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return list(places), np.array([places[name] for name in names], dtype=np.intp)


def _named(names: tuple[list[str], Names], is_so: Any) -> Column:
    return _looked_up(names, [is_so(name) for name in names[0]])


def _looked_up(names: tuple[list[str], Names], values: Sequence[Any]) -> Column:
    found: Column = np.array(values, dtype=object if _is_wide(values) else None)[names[1]]
    return found


def _is_wide(values: Sequence[Any]) -> bool:
    return any(isinstance(value, int) and abs(value) >= INT64 for value in values)
