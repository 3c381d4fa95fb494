"""Looks whether instances answer where they say they are (D2): an instance may beat and be deaf."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from runtime.environment import Environment
from runtime.stores.ending import stop_if_cancelled
from runtime.stores.errors import StoreError
from services.discovery.entries import Endpoint, Entry, Reported
from services.discovery.keeper import Keeper

# Tells whether the contract of this name answers there; what it raises counts as no.
Probe = Callable[[Endpoint, str], Awaitable[bool]]


SLACK = 40  # A look may be early by this share of its interval, so that many begin together.


@dataclass(slots=True)
class _Sight:
    """What probes saw of one lease."""

    next_ns: int
    failures: int = 0  # In a row.
    successes: int = 0  # In a row.
    is_looking: bool = False


class Probes:
    """Probes every live instance every ten seconds, each on its own schedule."""

    def __init__(
        self,
        environment: Environment,
        keeper: Keeper,
        probe: Probe,
        contracts: Mapping[str, str],
    ) -> None:
        self._environment = environment
        self._keeper = keeper
        self._probe = probe
        self._contracts = contracts  # What health calls each service.
        self._every_ns = keeper.terms.probe_every_ns
        self._sights: dict[str, _Sight] = {}  # By lease_id.

    async def run(self) -> None:
        """Probe whoever is due, until cancelled."""
        while True:
            stop_if_cancelled()
            self._follow_registry()
            instants = (sight.next_ns for sight in self._sights.values())
            await self._keeper.probe_alarm.wait(min(instants, default=None))
            self._begin()

    def _follow_registry(self) -> None:
        """Have a sight of every lease that lives, and of no other."""
        before, first_ns = self._sights, self._environment.clock.now_ns() + self._every_ns
        self._sights = {
            entry.lease_id: before.get(entry.lease_id) or _Sight(first_ns)
            for entry in self._keeper.registry.live()
        }

    def _begin(self) -> None:
        """Look at whoever is due and says that it serves; who does not is not expected to."""
        now_ns = self._environment.clock.now_ns()
        for entry in self._keeper.registry.live():
            sight = self._sights.get(entry.lease_id)
            if sight is None or sight.next_ns > now_ns + self._every_ns // SLACK:
                continue
            sight.next_ns = now_ns + self._every_ns
            if entry.reported is Reported.SERVING and not sight.is_looking:
                looking = self._look(entry, sight)
                self._environment.tasks.spawn(looking, name=f"probe {entry.spec.instance_id}")

    async def _look(self, entry: Entry, sight: _Sight) -> None:
        sight.is_looking = True
        try:
            if await self._answers(entry):
                sight.failures, sight.successes = 0, sight.successes + 1
            else:
                sight.failures, sight.successes = sight.failures + 1, 0
            await self._tell(entry.lease_id, entry.spec.instance_id, sight)
        except StoreError:
            pass  # The next look tells it.
        finally:
            sight.is_looking = False

    async def _answers(self, entry: Entry) -> bool:
        contract = self._contracts[entry.spec.service]
        try:
            async with asyncio.timeout(self._keeper.terms.probe_limit_s):
                return await self._probe(entry.spec.endpoints[0], contract)
        except Exception:  # noqa: BLE001 - Whatever goes wrong, callers would meet it too.
            return False

    async def _tell(self, lease_id: str, instance_id: str, sight: _Sight) -> None:
        """Commit that an instance is reachable, or is not any more, if that has changed."""
        terms = self._keeper.terms
        async with self._keeper.opened() as registry:
            entry = registry.entries.get(instance_id)
            if entry is None or entry.lease_id != lease_id or not entry.is_live:
                return
            is_reachable = entry.is_reachable
            if sight.failures > terms.failures_max:
                is_reachable = False
            elif sight.successes >= terms.successes_min:
                is_reachable = True
            if is_reachable != entry.is_reachable:
                now_ns = self._environment.clock.now_ns()
                await self._keeper.commit([entry.changed(now_ns, is_reachable=is_reachable)])
