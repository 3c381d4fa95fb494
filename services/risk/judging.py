"""What every check answers, and how checks compare."""

from collections.abc import Callable
from typing import NamedTuple

from services.risk.case import Case
from services.risk.reasons import Reason, Value

Finding = tuple[bool, Value, Value] | None
Judge = Callable[[Case], Finding]
# Passed, and nothing to add: the same object each time, so that it is recognized at once.
PASS: Finding = (False, "", "")


class Check(NamedTuple):
    """One row of the table."""

    code: Reason
    judge: Judge
    is_waived: bool = False  # Whether an order that only reduces is spared (K4).
    is_on_signal: bool = False
    unit: str = ""  # How numbers are shown: "money", "atto", "bps" or a plain count.


def above(observed: int | None, limit: int | None) -> tuple[bool, Value, Value]:
    """Fail what is above the limit, and what cannot be compared."""
    if observed is None or limit is None:
        return True, observed, limit
    return observed > limit, observed, limit
