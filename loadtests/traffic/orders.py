"""Orders that trade at once: limits on the far side of the price, side and quantity varied."""

from collections.abc import Sequence

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import OrderSpec

from loadtests.traffic.market import BUY_AT, SELL_AT

QUANTITIES = 50
_BUY, _SELL = Decimal(value=BUY_AT), Decimal(value=SELL_AT)
_LOTS = [Decimal(value=str(lots)) for lots in range(1, QUANTITIES + 1)]


class Orders:
    """Spreads orders over accounts, each of which buys, then sells as much, then goes on.

    From pair to pair an account changes instrument and quantity: what is equal within a second
    would be refused as a duplicate, and no position grows.
    """

    def __init__(
        self, prefix: str, accounts: Sequence[str], instruments: Sequence[str], *, parts: int = 1
    ) -> None:
        self._prefix, self._parts = prefix, parts
        self._accounts, self._instruments = accounts, instruments

    def order(self, number: int) -> OrderSpec:
        """Return the order that is unit `number` of the schedule, of which this is one part."""
        turn, place = divmod(number // self._parts, len(self._accounts))
        pair, is_buy = turn // 2, turn % 2 == 0
        return OrderSpec(
            client_order_id=f"{self._prefix}-{number}",
            account=self._accounts[place],
            instrument=self._instruments[(place + pair) % len(self._instruments)],
            side=order_pb2.SIDE_BUY if is_buy else order_pb2.SIDE_SELL,
            type=order_pb2.ORDER_TYPE_LIMIT,
            time_in_force=order_pb2.TIME_IN_FORCE_DAY,
            quantity=_LOTS[pair % QUANTITIES],
            limit_price=_BUY if is_buy else _SELL,
        )
