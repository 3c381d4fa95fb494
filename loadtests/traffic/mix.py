"""MIX: several kinds of traffic in one engine, each with its share of the units."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import gcd

from loadtests.traffic.chain import Chain
from loadtests.traffic.submit import Submit
from loadtests.traffic.ticks import Ticks
from loadtests.traffic.validate import Validate
from runtime.errors import ServiceError
from runtime.load.plan import Plan
from runtime.load.traffic import Ground, Meter, P, Remainder, Traffic

KINDS: Mapping[str, Callable[[Ground, Meter], Traffic]] = {
    "CHAIN": Chain,
    "SUBMIT": Submit,
    "VALIDATE": Validate,
    "TICKS": Ticks,
}


class Mix:
    """Deals units out evenly: of CHAIN 100 and SUBMIT 50 every third is an order.

    The series and streams of each kind are named after it: "CHAIN booked".
    """

    def __init__(self, ground: Ground, meter: Meter) -> None:
        shares: Mapping[str, float] = ground.plan.profile.options["shares"]
        unknown = sorted(set(shares) - set(KINDS))
        if unknown:
            raise ValueError(f"shares has {unknown[0]!r}, must be of {', '.join(KINDS)}")
        self._parts, self._part = ground.plan.parts, ground.plan.part
        self._traffic = {
            name: KINDS[name](_Share(ground, name, rate), _Named(meter, name))
            for name, rate in shares.items()
        }
        self._turns = dealt(shares)
        self._sent = dict.fromkeys(shares, 0)

    async def prepare(self) -> None:
        """Prepare one after the other."""
        for traffic in self._traffic.values():
            await traffic.prepare()

    async def send(self, number: int, intended_s: float) -> None:
        """Send a unit of the kind whose turn it is; its number is one of that kind's own."""
        name = self._turns[number // self._parts % len(self._turns)]
        own = self._sent[name]
        self._sent[name] = own + 1
        await self._traffic[name].send(own * self._parts + self._part, intended_s)

    async def finish(self) -> Remainder:
        """Let all end together; what they leave adds up."""
        left = await asyncio.gather(*(traffic.finish() for traffic in self._traffic.values()))
        facts = {
            f"{name} {fact}": value
            for name, one in zip(self._traffic, left, strict=True)
            for fact, value in one.facts.items()
        }
        return Remainder(
            backlog=sum(one.backlog for one in left),
            unresolved=sum(one.unresolved for one in left),
            lost=sum(one.lost for one in left),
            doubled=sum(one.doubled for one in left),
            facts=facts,
        )


def dealt(shares: Mapping[str, float]) -> list[str]:
    """Return the kinds in the order in which units are dealt, one round: each evenly spread."""
    whole = {name: round(rate) for name, rate in shares.items()}
    step = gcd(*whole.values())
    counts = {name: rate // step for name, rate in whole.items()}
    places = [
        ((turn + 0.5) / count, name) for name, count in counts.items() for turn in range(count)
    ]
    return [name for _, name in sorted(places)]


class _Share:
    """The ground of one kind: as that of the whole, but with its own rate and options."""

    def __init__(self, ground: Ground, name: str, rate: float) -> None:
        self._ground = ground
        profile = replace(ground.plan.profile, name=name, rate_1x=rate)
        self.plan: Plan = replace(ground.plan, profile=profile)

    def port(self, port: type[P], caller: str) -> P:
        return self._ground.port(port, caller)


class _Named:
    """The meter of one kind."""

    def __init__(self, meter: Meter, name: str) -> None:
        self._meter, self._name = meter, name

    def ended(
        self, series: str, intended_s: float, sent_s: float, error: ServiceError | None = None
    ) -> None:
        self._meter.ended(f"{self._name} {series}", intended_s, sent_s, error)

    def delivered(self, stream: str, sequence: int, age_s: float | None = None) -> None:
        self._meter.delivered(f"{self._name} {stream}", sequence, age_s)
