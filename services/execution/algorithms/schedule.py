"""The timetable of a scheduled parent: when each slice is due and how much is sent by then (A1).

C_k = round_half_even(Q·W_k), C_n = Q. Slice k is due one part of the window after slice k − 1;
jitter moves each by at most a fifth of that, so their order stays.
"""

import random
from dataclasses import dataclass

import numpy as np

from services.execution.algorithms.profiles import (
    GIVEN_PROFILE,
    U_SHAPE,
    Profile,
    spread,
    u_volumes,
)
from services.execution.algorithms.terms import NS_PER_S, Kind, Terms
from services.execution.algorithms.weights import Weights, by_volume, even, shortfall

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Slice:
    """A time and what is to be sent by it, all slices before included."""

    number: int  # From 1.
    due_ns: int
    target_lots: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """The slices of a parent in time order, and which weights were used, in words."""

    slices: tuple[Slice, ...]
    profile: str = ""


def timetable(
    terms: Terms,
    rng: random.Random | None,
    profile: Profile | None = None,
    given: tuple[float, ...] = (),
) -> Timetable:
    """Return the slices of TWAP, VWAP or IMPLEMENTATION_SHORTFALL, jittered by `rng`."""
    weights, name = _weights(terms, profile, given)
    targets = cumulative_targets(terms.quantity_lots, weights)
    dues = due_times(terms, rng)
    slices = (
        Slice(k, due, lots) for k, (due, lots) in enumerate(zip(dues, targets, strict=True), 1)
    )
    return Timetable(tuple(slices), name)


def cumulative_targets(quantity_lots: int, weights: Weights) -> list[int]:
    """Return C_k for each slice: never falling, the last one the whole quantity."""
    exact = quantity_lots * weights.cumulative / weights.whole
    targets = np.minimum(np.maximum.accumulate(np.rint(exact)), quantity_lots).astype(np.int64)
    targets[-1] = quantity_lots
    return [int(lots) for lots in targets]


def due_times(terms: Terms, rng: random.Random | None) -> list[int]:
    """Return when each slice is due, none before the window begins; exact without `rng`."""
    dues = []
    for number in range(terms.slice_count):
        chance = 2 * rng.random() - 1 if rng else 0.0
        shift_ns = round(JITTER * chance * terms.spacing_ns)
        dues.append(terms.start_ns + max(0, number * terms.spacing_ns + shift_ns))
    return dues


def rescaled(target_lots: int, *, before_lots: int, after_lots: int) -> int:
    """Return a cumulative target after the parent's quantity has changed, half to even."""
    whole, rest = divmod(target_lots * after_lots, before_lots)
    if 2 * rest > before_lots or (2 * rest == before_lots and whole % 2):
        return whole + 1
    return whole


def _weights(
    terms: Terms, profile: Profile | None, given: tuple[float, ...]
) -> tuple[Weights, str]:
    slices = terms.slice_count
    if terms.kind is Kind.TWAP:
        return even(slices), ""
    if terms.kind is Kind.IMPLEMENTATION_SHORTFALL:
        window_s = (terms.end_ns - terms.start_ns) / NS_PER_S
        return shortfall(slices, window_s, terms.impact), ""
    if given and sum(given) > 0:
        return by_volume(spread(given, slices)), GIVEN_PROFILE
    if profile is not None:
        volumes = profile.volumes(terms.start_ns, terms.end_ns, slices)
        if volumes.sum() > 0:
            return by_volume(volumes), profile.name
    return by_volume(u_volumes(slices)), U_SHAPE
