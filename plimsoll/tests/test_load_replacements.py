"""What replacements ask for: each another price, one that rests."""

from types import SimpleNamespace
from typing import Any

from trading.types.v1.order_pb2 import Order, OrderSpec

from loadtests.traffic.market import PRICE
from loadtests.traffic.messages import RPCS


class Resting:
    """As many orders as one likes, of one account and alike."""

    async def take(self) -> Order:
        return Order(spec=OrderSpec(client_order_id="a", account="b"), version=1)


async def test_no_two_replacements_of_a_second_make_orders_alike() -> None:
    """Risk refuses what is like another order of the last second; 2x is 40 of them."""
    stage: Any = SimpleNamespace(resting=Resting(), name=lambda number: f"r-{number}")
    made: Any = RPCS["OrderService/ReplaceOrder"].make
    prices = [(await made(stage, number)).limit_price.value for number in range(600)]
    assert all(len(set(prices[n : n + 300])) == 300 for n in range(300))
    assert max(map(float, prices)) < float(PRICE) - 1  # None of them trades.
