"""Identifiers and random numbers that repeat from a seed."""

import random
import uuid

UUID_BITS = 128


class Ids:
    """Makes identifiers from the generator given, so a seed makes the same ones again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def new(self) -> str:
        """Return a fresh UUID (version 4) as text."""
        return str(uuid.UUID(int=self._rng.getrandbits(UUID_BITS), version=4))


def derived_rng(seed: int, *names: str) -> random.Random:
    """Return the generator that belongs to `names` under `seed`, in every process the same.

    Each owner has its own, so one that draws more does not shift what the others draw.
    """
    return random.Random("/".join([str(seed), *names]))  # Text seeds are hashed by SHA-512.
