"""How much the next child is sent for: the one place where a size is decided (A1)."""

import random

from services.execution.algorithms.ledger import Ledger
from services.execution.algorithms.terms import Terms

PPM = 1_000_000
REFILL_JITTER = 0.2


def slice_lots(terms: Terms, ledger: Ledger, target_lots: int, *, is_final: bool) -> int:
    """Return what a slice may send: what is missing of its target, catch-up included.

    Less than min_child is carried to the next slice; the final slice sends whatever remains.
    No child is larger than max_child, so that several missed slices are not one large one.
    """
    lots = min(target_lots - ledger.committed_lots, ledger.unscheduled_lots)
    if lots < terms.min_child_lots and not is_final:
        return 0
    return max(0, _capped(terms, lots))


def volume_cap_lots(terms: Terms, volume_lots: int) -> int:
    """Return what POV may have filled and open: ⌊ρ/(1 − ρ)·V_others⌋."""
    return terms.participation_ppm * max(0, volume_lots) // (PPM - terms.participation_ppm)


def volume_of_others(market_lots: int, ledger: Ledger) -> int:
    """Return how much others have traded at least.

    What is open counts as traded: its trades may be in the market's volume before its reports.
    """
    return max(0, market_lots - ledger.committed_lots)


def participation_lots(terms: Terms, ledger: Ledger, market_lots: int) -> int:
    """Return what POV may send now: within its share of what others traded, never above."""
    cap = volume_cap_lots(terms, volume_of_others(market_lots, ledger))
    lots = min(cap - ledger.committed_lots, ledger.unscheduled_lots)
    if lots < min(terms.min_child_lots, ledger.unscheduled_lots):
        return 0
    return max(0, _capped(terms, lots))


def shown_lots(terms: Terms, ledger: Ledger, rng: random.Random) -> int:
    """Return what an ICEBERG shows next: display ± 20 %, at least one lot, at most the rest."""
    factor = 1 + REFILL_JITTER * (2 * rng.random() - 1)
    lots = max(1, round(terms.display_lots * factor))
    return min(_capped(terms, lots), ledger.unscheduled_lots)


def _capped(terms: Terms, lots: int) -> int:
    return min(lots, terms.max_child_lots) if terms.max_child_lots else lots
