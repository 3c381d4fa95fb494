"""What breakers set off: the modes they change, and the events that tell of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.times import to_timestamp
from services.risk import governing
from services.risk.breakers import Breakers, Happening, Key
from services.risk.reasons import Mode
from services.risk.rules import Scope

if TYPE_CHECKING:
    from services.risk.desk import State

SEVERITIES = {
    Mode.ACTIVE: types.SEVERITY_INFO,
    Mode.REDUCE_ONLY: types.SEVERITY_WARNING,
    Mode.CANCEL_ONLY: types.SEVERITY_CRITICAL,
    Mode.HALTED: types.SEVERITY_EMERGENCY,
}


@dataclass(slots=True)
class Tripped:
    """What must be stored and told because breakers changed."""

    breakers: Breakers = field(default_factory=Breakers)  # With what stands of `keys` now.
    keys: list[Key] = field(default_factory=list)
    modes: list[tuple[pb.ScopedMode, int]] = field(default_factory=list)
    events: list[RiskEvent] = field(default_factory=list)


def trip(state: "State", now_ns: int) -> Tripped:
    """Let the modes follow what happened to breakers since the last call."""
    breakers = state.book.breakers
    if not breakers.changed and not breakers.happened:
        return Tripped()
    happened, breakers.happened = breakers.happened, []
    keys, breakers.changed = list(breakers.changed), {}
    standing = {key: breakers.standing[key] for key in keys if key in breakers.standing}
    done = Tripped(Breakers(standing), keys)
    for happening in happened:
        done.events.append(told(happening))
    for scope, happening in {h.key.scope: h for h in happened}.items():
        reason = governing.reason_text(happening)
        for mode in settle_mode(state, scope, reason=reason, now_ns=now_ns):
            done.modes.append((mode, state.asked.get(scope, Mode.ACTIVE)))
            done.events.append(mode_changed(mode))
    return done


def settle_mode(
    state: "State", scope: Scope, *, reason: str, now_ns: int
) -> Iterator[pb.ScopedMode]:
    """Yield the mode that holds in a scope from now on, if it is another than before."""
    asked = state.asked.get(scope, Mode.ACTIVE)
    mode = max(asked, state.book.breakers.strictest(scope))
    if mode is state.book.modes.by_scope.get(scope, Mode.ACTIVE):
        return
    message = pb.ScopedMode(
        scope=governing.scope_message(scope),
        mode=pb.TradingMode.ValueType(mode),
        reason=reason,
        since=to_timestamp(now_ns),
    )
    state.set_mode(message, asked)
    yield message


def told(happening: Happening) -> RiskEvent:
    """Return the event of a breaker that warned, tripped or let go."""
    key, unit = happening.key, governing.unit_of(happening.key.code)
    kind, severity = types.RISK_EVENT_KIND_BREAKER_TRIPPED, SEVERITIES[key.mode]
    if not happening.is_trip:
        kind, severity = types.RISK_EVENT_KIND_BREAKER_RESET, types.SEVERITY_INFO
    elif key.mode is Mode.ACTIVE:
        kind, severity = types.RISK_EVENT_KIND_LIMIT_WARNING, types.SEVERITY_WARNING
    return RiskEvent(
        kind=kind,
        scope=governing.scope_text(key.scope),
        code=types.RiskReason.ValueType(key.code),
        observed=f"{happening.observed}{unit}",
        limit=f"{happening.limit}{unit}",
        severity=severity,
    )


def mode_changed(mode: pb.ScopedMode) -> RiskEvent:
    """Return the event that tells of the mode that holds in a scope from now on."""
    name = pb.TradingMode.Name(mode.mode).removeprefix("TRADING_MODE_")
    return RiskEvent(
        kind=types.RISK_EVENT_KIND_MODE_CHANGED,
        scope=governing.scope_text(governing.scope_of(mode.scope)),
        code=types.RISK_REASON_MODE_BLOCKED,
        observed=name,
        limit=mode.reason,
        severity=SEVERITIES[Mode(mode.mode)],
    )


def breakers_shown(breakers: Breakers, scopes: Iterable[Scope]) -> list[pb.Breaker]:
    """Return the breakers that stop something in one of `scopes`, by scope and code."""
    wanted = set(scopes)
    shown = []
    for key, standing in sorted(breakers.standing.items()):
        if key.scope not in wanted or key.mode is Mode.ACTIVE or standing.is_acknowledged:
            continue
        breaker = pb.Breaker(
            scope=governing.scope_message(key.scope),
            code=types.RiskReason.ValueType(key.code),
            mode=pb.TradingMode.ValueType(key.mode),
            since=to_timestamp(standing.since_ns),
        )
        if standing.until_ns:
            breaker.until.CopyFrom(to_timestamp(standing.until_ns))
        shown.append(breaker)
    return shown
