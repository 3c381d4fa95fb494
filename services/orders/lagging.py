"""What is done when a subscriber of order events falls behind: say so, then stop opening."""

import logging
import uuid

from trading.risk.v1 import risk_pb2 as risk_pb
from trading.risk.v1.risk_port import RiskService

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.orders.alarms import FEED_STALE, FIRM, WARNING, Alarm
from services.orders.recorder import Recorder

WARN_S, STOP_S = 5.0, 30.0
NEEDED = ("risk", "portfolio")  # Without them limits and money are not known.
ACCOUNTS_FROM = 256  # Of so many events that were not told the accounts are looked at.
MODE_TIMEOUT_S = 0.5
log = logging.getLogger(__name__)


class Lagging:
    """One subscriber's lag, from its first untold event until it has caught up."""

    def __init__(self, name: str, recorder: Recorder, risk: RiskService) -> None:
        self._name = name
        self._recorder = recorder
        self._risk = risk
        self._since_s: float | None = None
        self._has_warned = False
        self._stopped: set[str] = set()  # Accounts; only asked for membership.

    def begins(self, now_s: float) -> None:
        """Note that there is something to tell."""
        if self._since_s is None:
            self._since_s = now_s

    def ends(self) -> None:
        """Note that everything is told."""
        self._since_s, self._has_warned = None, False
        self._stopped.clear()

    async def look(self, cursor: int, now_s: float) -> None:
        """Warn after 5 s; after 30 s without risk or the ledger let accounts only reduce."""
        lag_s = now_s - (now_s if self._since_s is None else self._since_s)
        if lag_s > WARN_S and not self._has_warned:
            self._has_warned = True
            text = f"{self._name} has not taken order events after {cursor} for {lag_s:.0f} s"
            await self._recorder.alarm(
                Alarm(FIRM, text, f"{WARN_S:.0f} s", WARNING, kind=FEED_STALE)
            )
        if lag_s > STOP_S and self._name in NEEDED:
            events = await self._recorder.events_after(cursor, ACCOUNTS_FROM)
            for account in sorted({event.order.spec.account for _, event in events}):
                await self._stop_opening(account, cursor)

    async def _stop_opening(self, account: str, cursor: int) -> None:
        if account in self._stopped:
            return
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"orders/lag/{self._name}/{cursor}/{account}")
        request = risk_pb.SetTradingModeRequest(
            scope=risk_pb.Scope(kind=risk_pb.SCOPE_KIND_ACCOUNT, id=account),
            mode=risk_pb.TRADING_MODE_REDUCE_ONLY,
            reason=f"{self._name} is more than {STOP_S:.0f} s behind with order events",
            request_id=str(name),
        )
        try:
            await self._risk.set_trading_mode(request, Call(MODE_TIMEOUT_S))
        except ServiceError as error:
            log.warning("account %s is not made to reduce only yet: %s", account, error)
        else:
            self._stopped.add(account)
