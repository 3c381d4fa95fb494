"""The whole platform in this process, for load to be tried on; callers have patience."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fixtures.setup import Setup
from fixtures.system import System
from fixtures.worlds import World
from runtime.clock import SystemClock
from runtime.load import ground
from runtime.load.ground import GrpcGround
from runtime.load.plan import Plan, Profile, Target
from runtime.rpc import Call, Method

PATIENCE_S = 30.0  # What calls come to is what is tested, not how busy the machine is.


@asynccontextmanager
async def platform(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    """Start the platform and the venue, called over sockets; stop them in the end."""
    once = ground._Once.call

    def call(self: Any, method: Method, requests: Any, call: Call) -> Any:
        return once(self, method, requests, Call(PATIENCE_S) if method.policy.deadline_s else call)

    monkeypatch.setattr(ground._Once, "call", call)
    for name in ("settling.BACKLOG_S", "settling.CONCLUDED_S", "validate.RELEASED_S"):
        monkeypatch.setattr(f"loadtests.traffic.{name}", PATIENCE_S)
    for name in ("BACKLOG_S", "ENDING_S"):
        monkeypatch.setattr(f"runtime.load.run.{name}", 2 * PATIENCE_S)
    setup = Setup(World.EMBEDDED, start_ns=SystemClock().now_ns(), is_plain_text=True)
    system = await System.start(setup)
    try:
        yield system
    finally:
        await system.stop()


def profile(traffic: str, rate: float, *, arrivals: str = "constant", **options: Any) -> Profile:
    """Return a profile of traffic "submit:Submit"."""
    name = f"loadtests.traffic.{traffic}"
    return Profile(traffic.upper(), "unit", rate, (), name, arrivals, options=options)


@asynccontextmanager
async def ground_of(system: System, of: Profile, **more: Any) -> AsyncIterator[GrpcGround]:
    """Open what traffic stands on, for two seconds without warm-up."""
    target = Target({"*": system.address})
    plan = Plan(of, target, multiple=1.0, warmup_s=0.0, duration_s=2.0, **more)
    opened = GrpcGround(plan)
    try:
        yield opened
    finally:
        await opened.close()
