"""What a run calls its accounts, orders and requests, so that no two runs share an id."""

import re

from runtime.clock import SystemClock
from runtime.load.plan import Plan

NS_PER_MS = 1_000_000


def run_name(plan: Plan) -> str:
    """Return a name for one engine's part of one run: seed, the machine's time, part.

    A platform may be loaded as often as one likes: nothing is ever a repeat of an earlier run.
    """
    return f"ld{plan.seed}-{SystemClock().now_ns() // NS_PER_MS:x}-{plan.part}"


def is_of_load(account: str) -> bool:
    """Return whether an account belongs to a run of load, this one or another."""
    return re.match(r"ld\d+-[0-9a-f]+-\d+-", account) is not None
