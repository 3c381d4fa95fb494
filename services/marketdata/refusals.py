"""What this service refuses before anything happens, with a stable reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.marketdata.cells import RowFault


class Refusal(StrEnum):
    """The reasons; the names are those of the contract's MarketDataRefusalReason."""

    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    UNKNOWN_DATASET = "UNKNOWN_DATASET"
    UNKNOWN_REPLAY = "UNKNOWN_REPLAY"
    PAGE_TOKEN_FOREIGN = "PAGE_TOKEN_FOREIGN"
    SPAN_EMPTY = "SPAN_EMPTY"
    SPAN_TOO_LONG = "SPAN_TOO_LONG"
    TIMEFRAME_UNAVAILABLE = "TIMEFRAME_UNAVAILABLE"
    REPLAY_RUNNING = "REPLAY_RUNNING"
    SPEED_NEEDS_VIRTUAL_TIME = "SPEED_NEEDS_VIRTUAL_TIME"
    HEADER_MISSING = "HEADER_MISSING"
    COLUMNS_AMBIGUOUS = "COLUMNS_AMBIGUOUS"
    COLUMN_MISSING = "COLUMN_MISSING"
    COLUMNS_UNEVEN = "COLUMNS_UNEVEN"
    TIMEZONE_UNKNOWN = "TIMEZONE_UNKNOWN"
    CALENDAR_UNKNOWN = "CALENDAR_UNKNOWN"
    INSTRUMENT_DIFFERS = "INSTRUMENT_DIFFERS"
    NO_ROWS = "NO_ROWS"
    NUMBERS_TOO_WIDE = "NUMBERS_TOO_WIDE"
    LINES_REJECTED = "LINES_REJECTED"
    TOO_MANY_REJECTED = "TOO_MANY_REJECTED"
    TICK_GAP = "TICK_GAP"
    TICK_EXPONENT_CHANGED = "TICK_EXPONENT_CHANGED"
    TICKS_INVALID = "TICKS_INVALID"
    TICKS_DIFFER = "TICKS_DIFFER"


@dataclass(frozen=True, slots=True, order=True)
class RejectedRow:
    """A line of an imported file that is no candle, and why."""

    line: int
    fault: RowFault
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.fault}: {self.text}"


class MarketDataRefused(Exception):
    """A request is refused; nothing of it has happened. Imports name the lines.

    `facts` travel with the reason, for programs.
    """

    def __init__(
        self,
        reason: Refusal,
        message: str,
        rejected: Sequence[RejectedRow] = (),
        facts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.rejected = rejected
        self.facts = facts or {}
