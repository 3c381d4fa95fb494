"""The accounts of a load run: opened, paid in, and allowed to trade as much as load takes."""

from functools import partial

from google.type.decimal_pb2 import Decimal
from trading.exchange.v1.exchange_pb2 import CreateSubAccountRequest
from trading.exchange.v1.exchange_port import ExchangeService
from trading.portfolio.v1 import portfolio_pb2
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.money_pb2 import Money

from loadtests.traffic.callers import HARNESS, OPERATOR, RISK_OFFICER
from loadtests.traffic.insisting import few_at_once, insist
from runtime.load.traffic import Ground

DEPOSIT = Money(amount=Decimal(value="1000000000"), currency="USD")

# The limits version "load": everything that is not stated stays as it was.
# Source: specification of the pipeline, section 0.2.
LOAD = risk_pb2.Limits(
    order_notional_max=Decimal(value="1000000000"),
    strategy_orders_per_minute_max=60_000,
    account_orders_per_minute_max=60_000,
    repeated_executions_per_minute_max=0,
    losses_in_a_row_max=1_000_000,
    day_loss_bps_max=10_000,
    drawdown_bps_reduce_only=10_000,
    drawdown_bps_halted=10_000,
)


class Crowd:
    """Some accounts of one run."""

    def __init__(self, ground: Ground, prefix: str, count: int) -> None:
        self.accounts = tuple(f"{prefix}-{number}" for number in range(count))
        self.limits: dict[str, risk_pb2.SetLimitsResponse] = {}  # Of those that are open.
        self._exchange = ground.port(ExchangeService, HARNESS)
        self._portfolio = ground.port(PortfolioService, OPERATOR)
        self._risk = ground.port(RiskService, RISK_OFFICER)

    async def open(self) -> None:
        """Open every account, at the venue and in the ledger alike, with its limits."""
        await few_at_once(partial(self._open, account) for account in self.accounts)

    async def _open(self, account: str) -> None:
        opening = CreateSubAccountRequest(account=account, deposits=[DEPOSIT], request_id=account)
        await insist(lambda: self._exchange.create_sub_account(opening))
        transfer = portfolio_pb2.TransferCashRequest(
            request_id=account,
            account=account,
            amount=DEPOSIT,
            direction=portfolio_pb2.TRANSFER_DIRECTION_IN,
            reference="load",
        )
        await insist(lambda: self._portfolio.transfer_cash(transfer))
        await self._allow(account)

    async def _allow(self, account: str) -> None:
        scope = risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_ACCOUNT, id=account)
        asking = risk_pb2.GetLimitsRequest(scope=scope)
        present = await insist(lambda: self._risk.get_limits(asking))
        setting = risk_pb2.SetLimitsRequest(
            scope=scope, limits=present.limits, etag=present.etag, request_id=account
        )
        setting.limits.MergeFrom(LOAD)
        self.limits[account] = await insist(lambda: self._risk.set_limits(setting))
