"""Columns of a user's file, and their numbers as exact integers (rule D10)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from services.marketdata.calendars import Instants
from services.marketdata.series import Column

DIGITS_MAX = 18
DIGITS_OF_DOUBLE = 15
# Texts of a whole column at once: a double holds 15 digits exactly, so numpy may read them.
SHORT_NUMBERS = re.compile(r"(?:-?\d{1,9}(?:\.\d{1,6})?(?:\n|\Z))+", re.ASCII)
NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)


class RowFault(StrEnum):
    """Why a row is no candle; the names are those of the contract's ImportRejectReason."""

    VALUE_MISSING = "VALUE_MISSING"
    TIME_MALFORMED = "TIME_MALFORMED"
    TIME_WITHOUT_ZONE = "TIME_WITHOUT_ZONE"
    TIME_AMBIGUOUS = "TIME_AMBIGUOUS"
    NUMBER_MALFORMED = "NUMBER_MALFORMED"
    PRICE_NOT_POSITIVE = "PRICE_NOT_POSITIVE"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    VOLUME_NEGATIVE = "VOLUME_NEGATIVE"
    OHLC_INCONSISTENT = "OHLC_INCONSISTENT"
    OFF_GRID = "OFF_GRID"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class BadCell:
    """One cell that could not be read, by its row in the block."""

    row: int
    fault: RowFault
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One column of a block: texts as the file has them, or exact numbers."""

    texts: Sequence[str] = ()
    numbers: Instants | None = None
    exponent: int = 0

    def __len__(self) -> int:
        return len(self.texts) if self.numbers is None else len(self.numbers)


def read_numbers(
    name: str, cells: Cells, *, is_decimal_comma: bool
) -> tuple[Column, list[BadCell]]:
    """Return the numbers of `cells` and the cells that hold none (their number is 0)."""
    if cells.numbers is not None:
        return Column(cells.numbers, cells.exponent), []
    texts: Sequence[str] = cells.texts
    joined = "\n".join(texts)
    if is_decimal_comma:
        joined = joined.replace(",", ".")
    if SHORT_NUMBERS.fullmatch(joined):
        column = exact_column(np.fromstring(joined, sep="\n"))
        if column is not None and len(column.values) == len(texts):
            return column, []
    return _read_each(name, texts, joined.split("\n"))


def exact_column(numbers: npt.NDArray[np.float64]) -> Column | None:
    """Return doubles as the shortest decimals that print as they do; None if over 15 digits."""
    limit = 10.0**DIGITS_OF_DOUBLE
    for digits in range(DIGITS_OF_DOUBLE):
        scaled = np.rint(numbers * 10.0**digits)
        if not np.abs(scaled).max(initial=0.0) < limit:
            return None  # NaN compares false as well.
        if (scaled / 10.0**digits == numbers).all():
            return Column(scaled.astype(np.int64), -digits)
    return None


def _read_each(
    name: str, texts: Sequence[str], plain: Sequence[str]
) -> tuple[Column, list[BadCell]]:
    """Read cell by cell: slower, but any 18 digits, and it knows which cell is bad."""
    bad = []
    numbers = []
    if len(plain) != len(texts):  # A line break within a cell.
        plain = [text.replace("\n", " ") for text in texts]
    for row, text in enumerate(plain):
        if NUMBER.fullmatch(text):
            numbers.append(Decimal(text))
            continue
        numbers.append(Decimal(0))
        bad.append(_bad_number(row, name, texts[row]))
    digits = max((_decimals(number) for number in numbers), default=0)
    integers = [int(number.scaleb(digits)) for number in numbers]
    for row, integer in enumerate(integers):
        if abs(integer) >= 10**DIGITS_MAX:
            integers[row] = 0
            bad.append(_bad_number(row, name, texts[row]))
    return Column(np.array(integers, dtype=np.int64), -digits), bad


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # The pattern lets neither NaN nor infinity through.
    return -exponent


def _bad_number(row: int, name: str, text: str) -> BadCell:
    if not text:
        return BadCell(row, RowFault.VALUE_MISSING, f"{name} is empty, must be a number")
    return BadCell(
        row,
        RowFault.NUMBER_MALFORMED,
        f"{name} is {text!r}, must be a plain decimal number of at most {DIGITS_MAX} digits,"
        " such as 101.25",
    )
