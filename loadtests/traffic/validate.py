"""VALIDATE: risk decides about orders and holds what they may cost, durably.

Nothing would ever end the holds of orders that are only validated, so a bounded number of orders
is validated again and again: each time is a new decision, kept for ever, and a hold that takes the
place of the former. In the end every hold is given back.
"""

import asyncio
from functools import partial

from grpc import StatusCode
from trading.orders.v1.orders_pb2 import SubmitOrderRequest
from trading.orders.v1.orders_port import OrderService
from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService
from trading.types.v1 import risk_pb2 as types

from loadtests.traffic.callers import ORDERS, TRADER
from loadtests.traffic.crowd import Crowd
from loadtests.traffic.insisting import few_at_once, insist
from loadtests.traffic.market import Market
from loadtests.traffic.naming import run_name
from loadtests.traffic.orders import Orders
from loadtests.traffic.settling import concluded, settle
from runtime.errors import ErrorInfo, ServiceError, refusal
from runtime.load.traffic import Ground, Meter, Remainder

ACCOUNTS = 50
ORDERS_EACH = 20  # Of an account: far below the 200 that may be open.
RELEASED_S = 12.0  # A platform that was overrun gives a thousand holds back in time, too.
SERIES = "RiskService/ValidateOrder"


class Validate:
    """Asks as the orders service does, on accounts of its own."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        prefix, options = f"{run_name(ground.plan)}-v", ground.plan.profile.options
        self._meter, self._now_s = meter, asyncio.get_running_loop().time
        self._parts = ground.plan.parts
        self._market = Market(ground, prefix)
        self._crowd = Crowd(ground, prefix, ground.plan.share(options.get("accounts", ACCOUNTS)))
        self._orders = Orders(prefix, self._crowd.accounts, self._market.instruments)
        self._count = len(self._crowd.accounts) * ORDERS_EACH
        self._risk = ground.port(RiskService, ORDERS)
        self._service = ground.port(OrderService, TRADER)
        self._epoch = 0  # Of the orders service that risk has heard of.
        self._under_way = 0
        self._held: set[int] = set()  # Orders that may hold something.

    async def prepare(self) -> None:
        """Open the market and the accounts, and learn as which instance of orders to ask."""
        await self._market.open()
        await self._crowd.open()
        await self._learn_epoch()

    async def send(self, number: int, intended_s: float) -> None:
        """Have one order validated."""
        round_, place = divmod(number // self._parts, self._count)
        sent_s = self._now_s()
        self._under_way += 1
        try:
            error = await self._validate(place, round_ + 1)
        finally:
            self._under_way -= 1
        self._meter.ended(SERIES, intended_s, sent_s, error)

    async def finish(self) -> Remainder:
        """Let what is under way be answered, then give every hold back."""
        backlog, unresolved = await settle(lambda: self._under_way)
        await self._market.close()
        releasing = few_at_once(partial(self._release, place) for place in self._held)
        is_left = await concluded(releasing, RELEASED_S) is None
        return Remainder(backlog, unresolved + is_left)

    async def _release(self, place: int) -> None:
        order = self._orders.order(place)
        request = risk_pb2.ReleaseOrderRequest(
            client_order_id=order.client_order_id, account=order.account, reason="load is over"
        )
        await insist(lambda: self._risk.release_order(request))

    async def _learn_epoch(self) -> None:
        """Let orders ask risk once, which then refuses to be asked with another epoch than its."""
        order = self._orders.order(self._count + 1)
        await insist(lambda: self._service.submit_order(SubmitOrderRequest(order=order)))
        if await self._validate(self._count, 1) is not None:
            error = await self._validate(self._count, 2)
            if error is not None:
                raise error

    async def _validate(self, place: int, version: int) -> ServiceError | None:
        """Have an order validated once more; return why it is not approved."""
        self._held.add(place)
        order = self._orders.order(place)
        request = risk_pb2.ValidateOrderRequest(
            validation_id=f"{order.client_order_id}:{version}", order=order, epoch=self._epoch
        )
        try:
            return not_approved((await self._risk.validate_order(request)).decision)
        except ServiceError as error:
            # Risk names the epoch of the orders service. A greater one of our own making would
            # take the platform's out of work, so theirs is learned, and followed.
            info = error.detail(ErrorInfo)
            if info is not None and info.reason == "EPOCH_PASSED":
                self._epoch = int(info.metadata["epoch"])
            return error


def not_approved(decision: types.RiskDecision) -> ServiceError | None:
    """Return why an order is not approved, as an error; None when it is."""
    if decision.verdict == types.RISK_VERDICT_APPROVED:
        return None
    failed = [check for check in decision.checks if check.outcome == types.CHECK_OUTCOME_FAILED]
    codes = ", ".join(types.RiskReason.Name(check.code) for check in failed)
    return refusal(
        StatusCode.FAILED_PRECONDITION,
        "REJECTED",
        f"order {decision.subject_id} is not approved: {codes}",
        service="risk",
    )
