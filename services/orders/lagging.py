"""What is done when a subscriber of order events falls behind: say so, then stop opening."""

import logging
import uuid
from collections import deque
from typing import NamedTuple

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
GRAIN_S = 0.5  # Events that happen within it count as one.
log = logging.getLogger(__name__)


class Mark(NamedTuple):
    """When an event happened, in the loop's time."""

    sequence: int
    at_s: float


class Lagging:
    """One subscriber's lag, from its first untold event until it has caught up."""

    def __init__(self, name: str, recorder: Recorder, risk: RiskService) -> None:
        self._name = name
        self._recorder = recorder
        self._risk = risk
        self._untold: deque[Mark] = deque()  # From the first event that is not told, by time.
        self._has_warned = False
        self._stopped: set[str] = set()  # Accounts; only asked for membership.

    def begins(self, sequence: int, now_s: float) -> None:
        """Note that there is an event to tell."""
        if not self._untold or now_s >= self._untold[-1].at_s + GRAIN_S:
            self._untold.append(Mark(sequence, now_s))

    def moves(self, cursor: int) -> None:
        """Note that all events up to `cursor` are told: a lag counts from those that are not.

        While orders keep coming there is always something left to tell, however soon it is told.
        """
        while len(self._untold) > 1 and self._untold[1].sequence <= cursor + 1:
            self._untold.popleft()

    def ends(self) -> None:
        """Note that everything is told."""
        self._untold.clear()
        self._has_warned = False
        self._stopped.clear()

    async def look(self, cursor: int, now_s: float) -> None:
        """Warn after 5 s; after 30 s without risk or the ledger let accounts only reduce."""
        lag_s = now_s - self._untold[0].at_s if self._untold else 0.0
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
