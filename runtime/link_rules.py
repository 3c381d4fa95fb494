"""What links do to messages: they take time, lose some, and may be cut."""

import random

from runtime.simulated import Deliver, Drop, Passage, Rule, Verdict


def latency(rng: random.Random, *, mean_s: float, least_s: float = 0.0) -> Rule:
    """Return a rule that delays each message by `least_s` and an exponential rest."""

    def rule(passage: Passage) -> Verdict:
        return Deliver(least_s + rng.expovariate(1 / (mean_s - least_s)))

    return rule


def loss(rng: random.Random, *, share: float) -> Rule:
    """Return a rule that loses that share of all messages, both ways."""

    def rule(passage: Passage) -> Verdict:
        return Drop() if rng.random() < share else None

    return rule


def partition(one_side: str, other_side: str) -> Rule:
    """Return a rule that lets nothing pass between two services, whoever calls."""
    cut = {one_side, other_side}

    def rule(passage: Passage) -> Verdict:
        return Drop() if {passage.caller, passage.service} == cut else None

    return rule
