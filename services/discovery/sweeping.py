"""Ends leases in time: sleeps until the next instant that matters, without a timer before it."""

import logging

from runtime.environment import Environment
from runtime.stores.ending import stop_if_cancelled
from runtime.stores.errors import StoreError
from runtime.times import NS_PER_S
from services.discovery.entries import State
from services.discovery.expiry import is_late, judge, next_ns
from services.discovery.keeper import Keeper

AGAIN_NS = NS_PER_S  # After the store could not take what was judged.
log = logging.getLogger(__name__)


class Sweeping:
    """Judges who is late, and forgets who is long gone."""

    def __init__(self, environment: Environment, keeper: Keeper) -> None:
        self._clock = environment.clock
        self._keeper = keeper

    async def run(self) -> None:
        """Sweep whenever something is due, until cancelled."""
        keeper = self._keeper
        while True:
            stop_if_cancelled()
            await keeper.expiry_alarm.wait(next_ns(keeper.registry, keeper.terms))
            try:
                await self.sweep()
            except StoreError as error:
                log.warning("leases cannot be ended: %s", error)
                await self._clock.sleep_until(self._clock.now_ns() + AGAIN_NS)

    async def sweep(self) -> None:
        """Commit what is due now."""
        keeper, now_ns = self._keeper, self._clock.now_ns()
        due_ns = next_ns(keeper.registry, keeper.terms)
        if due_ns is None or due_ns > now_ns:
            return
        async with keeper.opened() as registry:
            judgement = judge(registry, now_ns, keeper.terms)
            if judgement.pause_until_ns > registry.pause_until_ns:
                log.error(
                    "MASS_EXPIRY_PAUSED: %d of %d leases would end together, so none does for "
                    "%d s: look at discovery's own network first",
                    sum(is_late(registry, entry, now_ns) for entry in registry.live()),
                    sum(1 for _ in registry.live()),
                    keeper.terms.mass_pause_ns // NS_PER_S,
                )
            registry.pause_until_ns = judgement.pause_until_ns
            for entry in judgement.changed:
                if entry.state is State.EXPIRED:
                    log.warning(
                        "the lease of %s (%s) has ended: no beat for %.1f s",
                        entry.spec.instance_name,
                        entry.spec.instance_id,
                        entry.ttl_ns / NS_PER_S,
                    )
            if judgement.changed:
                await keeper.commit(judgement.changed)
            await keeper.forget(now_ns)
