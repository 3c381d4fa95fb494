"""Sets limits and trading modes: each request once, latched in the store (K8)."""

import asyncio

from sqlalchemy import Connection
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types

from runtime.identity import Principal
from runtime.stores import Requests
from runtime.times import to_timestamp
from services.risk import governing, records, tables
from services.risk.desk import Desk, State
from services.risk.differing import HOUR_NS, JUDGED_MAX, differences
from services.risk.past import past
from services.risk.reasons import Mode
from services.risk.refusals import RiskRefused
from services.risk.rules import Scope
from services.risk.tripping import mode_changed

LOOSENERS = frozenset({"RISK_OFFICER", "OPERATOR"})
LEDGER = "portfolio"
UNHALTERS = frozenset({"RISK_OFFICER"})


class Settings:
    """Answers GetLimits, SetLimits and SetTradingMode."""

    def __init__(self, desk: Desk) -> None:
        environment = desk.environment
        self._desk = desk
        self._requests = Requests(
            environment.database, tables.requests, environment.clock, service="risk"
        )

    async def stop(self) -> None:
        """Cancel what still runs for callers."""
        await self._requests.stop()

    async def limits(self, request: pb.GetLimitsRequest) -> pb.GetLimitsResponse:
        """Return the limits in force in a scope, and whose they are."""
        state = await self._desk.ready()
        owner, version = state.book.limits_of(request.scope.id)
        return pb.GetLimitsResponse(
            limits=state.limits.get(owner, governing.DEFAULTS),
            version=version.version,
            etag=_etag(state, governing.scope_of(request.scope)),
            owner=governing.scope_message(owner),
        )

    async def set_limits(self, request: pb.SetLimitsRequest) -> pb.SetLimitsResponse:
        """Let limits hold in a scope from now on."""
        if request.validate_only:
            return await self._preview(request)
        key = request.request_id

        async def work() -> pb.SetLimitsResponse:
            state = await self._desk.ready()
            scope = governing.scope_of(request.scope)
            _check_read(state, scope, request.etag)
            version = state.limits_version + 1
            answer = pb.SetLimitsResponse(limits=request.limits, version=version, etag=f"{version}")
            state.set_limits(scope, request.limits, version)
            now_ns = self._desk.environment.clock.now_ns()
            for account in state.book.accounts.values():  # What is beyond them trips at once.
                state.book.observe(account, now_ns)

            def store_all(tx: Connection) -> None:
                records.add_limits(
                    tx, request.scope, request.limits, version=version, set_ns=now_ns
                )
                self._requests.remember(tx, "set_limits", key, request, answer)

            await asyncio.shield(self._desk.commit(store_all))
            return answer

        return await self._requests.once("set_limits", key, request, work)

    async def _preview(self, request: pb.SetLimitsRequest) -> pb.SetLimitsResponse:
        """Return which decisions of the last hour would differ, and change nothing."""
        state = await self._desk.ready()
        scope = governing.scope_of(request.scope)
        _check_read(state, scope, request.etag)
        after_ns = self._desk.environment.clock.now_ns() - HOUR_NS
        found = await self._desk.environment.database.read(
            lambda tx: past(tx, scope[1], after_ns=after_ns, count=JUDGED_MAX)
        )
        limits = governing.limits_of(request.limits, state.limits_version + 1)
        return pb.SetLimitsResponse(
            limits=request.limits,
            version=state.limits_version,
            etag=request.etag,
            differences=differences(found, state.book, scope, limits),
            judged=len(found),
        )

    async def set_mode(
        self, request: pb.SetTradingModeRequest, caller: Principal | None
    ) -> pb.SetTradingModeResponse:
        """Let a mode hold in a scope until it is set again."""
        key = request.request_id

        async def work() -> pb.SetTradingModeResponse:
            state = await self._desk.ready()
            _check_may_set(state, request, caller)
            now_ns = self._desk.environment.clock.now_ns()
            mode = _set(state, request, now_ns)
            answer = pb.SetTradingModeResponse(
                modes=modes_of(state), effective_at=to_timestamp(now_ns)
            )

            def store_all(tx: Connection) -> None:
                records.put_mode(tx, mode, request.mode)
                self._requests.remember(tx, "set_trading_mode", key, request, answer)

            told = mode_changed(mode)
            if caller is not None and caller.service == LEDGER:  # It asks when cash is gone.
                told.severity = max(told.severity, types.SEVERITY_CRITICAL)
            event = self._desk.event(told)
            await asyncio.shield(self._desk.commit(store_all, [event]))
            return answer

        return await self._requests.once("set_trading_mode", key, request, work)


def modes_of(state: State) -> list[pb.ScopedMode]:
    """Return every mode that is set, the firm's first, then by kind and id."""
    return [state.modes[scope] for scope in sorted(state.modes)]


def _etag(state: State, scope: Scope) -> str:
    """Return what proves that a scope's limits were read: also that it has none of its own."""
    own = state.book.limits.get(scope)
    return str(own.version) if own else f"inherits-{state.book.limits_of(scope[1])[1].version}"


def _check_read(state: State, scope: Scope, etag: str) -> None:
    present = _etag(state, scope)
    if etag != present:
        raise RiskRefused(
            pb.RISK_REFUSAL_REASON_LIMITS_CHANGED,
            f"etag is {etag!r}, the limits in force have {present!r}: read them again",
            etag=present,
        )


def _check_may_set(
    state: State, request: pb.SetTradingModeRequest, caller: Principal | None
) -> None:
    """Let anybody who may call make a mode stricter, but only some loosen it."""
    scope = governing.scope_of(request.scope)
    present = state.modes[scope].mode if scope in state.modes else pb.TRADING_MODE_ACTIVE
    allowed = UNHALTERS if present == pb.TRADING_MODE_HALTED else LOOSENERS
    if request.mode >= present or (caller is not None and caller.roles & allowed):
        return
    raise RiskRefused(
        pb.RISK_REFUSAL_REASON_NOT_STRICTER,
        f"{governing.scope_text(scope)} is {pb.TradingMode.Name(present)}: only "
        f"{' or '.join(sorted(allowed))} may set a less strict mode",
    )


def _set(state: State, request: pb.SetTradingModeRequest, now_ns: int) -> pb.ScopedMode:
    """Let a mode hold from now on; of breakers that are stricter, the person is the judge."""
    scope = governing.scope_of(request.scope)
    state.book.overrule(scope, Mode(request.mode))
    mode = pb.ScopedMode(
        scope=request.scope,
        mode=request.mode,
        reason=request.reason,
        since=to_timestamp(now_ns),
    )
    state.set_mode(mode, request.mode)
    return mode
