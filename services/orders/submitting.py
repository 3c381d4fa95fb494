"""Answers SubmitOrder: each order once, and its answer in the commit that makes it (O4)."""

import asyncio
from typing import cast

from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb

from runtime.environment import Environment
from runtime.errors import refusal
from runtime.stores import Requests
from services.orders import answers
from services.orders.intent import received
from services.orders.keeping import Keeping
from services.orders.limits import ANSWER_MARGIN_S, Limit
from services.orders.submission import Submissions, check_same

METHOD = "SubmitOrder"


class Submitting:
    """Takes orders from people, and tells them what became of each in their time."""

    def __init__(
        self, environment: Environment, submissions: Submissions, requests: Requests
    ) -> None:
        self._environment = environment
        self._submissions = submissions
        self._requests = requests

    async def submit(self, request: pb.SubmitOrderRequest, limit: Limit) -> pb.SubmitOrderResponse:
        """Keep, validate and send an order; answer once its outcome is known or in doubt."""
        key = f"{request.order.account}/{request.order.client_order_id}"

        async def work() -> pb.SubmitOrderResponse:
            return await self._submit(key, request, limit)

        # An order that is new has not been answered: nothing is read to know that.
        return await self._requests.once(METHOD, key, request, work, is_looked_up=False)

    async def _submit(
        self, key: str, request: pb.SubmitOrderRequest, limit: Limit
    ) -> pb.SubmitOrderResponse:
        new = received(request.order)
        stored, is_new = await self._submissions.find_or_create(new)
        if not is_new:
            if earlier := await self._requests.earlier(METHOD, key):
                return cast(pb.SubmitOrderResponse, earlier)
            check_same(stored, new)
        keeping = Keeping(
            lambda tx, answer: self._requests.remember(tx, METHOD, key, request, answer)
        )
        driven = self._submissions.drive(stored, limit, keeping)
        left_s = limit.left_s(self._environment.clock)
        done, _ = await asyncio.wait([driven], timeout=left_s + ANSWER_MARGIN_S / 2)
        if not done and keeping.begun:  # Its commit is on its way: nothing else can be kept.
            await keeping.ended(driven)
        keeping.is_over = True
        if driven.cancelled():
            raise refusal(
                StatusCode.UNAVAILABLE,
                "STOPPING",
                "this instance ends: ask the next one what became of the order",
                service="orders",
            )
        if not driven.done():
            return answers.submitted(await self._submissions.reloaded(new.key))
        return keeping.answer_to(driven.result())
