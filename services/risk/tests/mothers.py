"""Valid-by-default test data of the risk service: everything passes until it is changed."""

from collections import deque
from dataclasses import replace
from typing import Any

from runtime.atto import ATTO, to_atto
from services.risk.account import Account
from services.risk.book import Book
from services.risk.case import Case, Conditions
from services.risk.decide import held_by
from services.risk.following import Report, ReportKind, Step
from services.risk.holdings import Fill, hold
from services.risk.orders import BUY, Order, OrderType
from services.risk.reasons import Mode
from services.risk.rules import Instrument, Limits, Reference
from services.risk.signals import Action, Signal
from services.risk.streaks import Streak

ACCOUNT = "ACC-1"
INSTRUMENT = "ALPHA.XSIM"
STRATEGY = "strategy-1"
NOW_NS = 1_700_000_000_000_000_000
MILLION_MINOR = 100_000_000  # 1,000,000.00 USD


def instrument(**changes: Any) -> Instrument:
    """Return a share: tick 0.01, lot 1, tradable both ways, collar 5 %."""
    values: dict[str, Any] = {
        "name": INSTRUMENT,
        "currency": "USD",
        "tick_atto": to_atto("0.01"),
        "lot_atto": ATTO,
        "min_quantity_atto": ATTO,
        "max_quantity_atto": None,
        "min_notional_minor": 0,
        "collar_bps": 500,
        "is_tradable": True,
        "is_shortable": True,
    }
    return Instrument(**(values | changes))


def order(quantity: int = 10, **changes: Any) -> Order:
    """Return a market order of a strategy over `quantity` units, protected; it buys."""
    values: dict[str, Any] = {
        "client_order_id": "o1",
        "account": ACCOUNT,
        "strategy_id": STRATEGY,
        "instrument": INSTRUMENT,
        "direction": BUY,
        "type": OrderType.MARKET,
        "quantity_atto": quantity * ATTO,
        "protection_atto": to_atto("90" if changes.get("direction", BUY) == BUY else "110"),
        "trader": STRATEGY,
    }
    return Order(**(values | changes))


def limit_order(price: str, quantity: int = 10, **changes: Any) -> Order:
    """Return a protected limit order that buys."""
    return order(quantity, type=OrderType.LIMIT, limit_atto=to_atto(price), **changes)


def account(**changes: Any) -> Account:
    """Return an account with 1,000,000 USD and nothing else."""
    values: dict[str, Any] = {
        "name": ACCOUNT,
        "currency": "USD",
        "transfers_minor": MILLION_MINOR,
    }
    return Account(**(values | changes))


def holding(of: Account, quantity: int, price: str = "100", name: str = INSTRUMENT) -> Account:
    """Return `of` after it traded `quantity` units at `price` without a fee."""
    filled = fill(quantity, price, instrument=name, fee_minor=0)
    of.set_holding(name, hold(of.holding(name), filled), to_atto(price))
    return of


def fill(quantity: int, price: str, **changes: Any) -> Fill:
    """Return a trade of `quantity` units, sold when negative."""
    values: dict[str, Any] = {
        "exec_id": "x1",
        "order_id": "entry-1",
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "quantity_atto": quantity * ATTO,
        "notional_minor": abs(quantity) * to_atto(price) // 10**16,
        "fee_minor": 100,
    }
    return Fill(**(values | changes))


def conditions(**changes: Any) -> Conditions:
    """Return an active market with a reference of 100 and the default limits."""
    values: dict[str, Any] = {
        "instrument": instrument(),
        "limits": Limits(),
        "mode": Mode.ACTIVE,
        "reference": Reference(to_atto("100"), NOW_NS, 5_000_000_000),
        "now_ns": NOW_NS,
    }
    return Conditions(**(values | changes))


def case(asked: Order | None = None, of: Account | None = None, **changes: Any) -> Case:
    """Return the case of `asked` in `of`; further words change the conditions."""
    return Case(asked or order(), of or account(), conditions(**changes))


def approve(asked: Order, of: Account, **changes: Any) -> Account:
    """Return `of` with the hold of `asked`, whatever the checks say."""
    of.put(held_by(case(asked, of, **changes)))
    return of


def limits(**changes: Any) -> Limits:
    """Return the default limits with changes."""
    return replace(Limits(), **changes)


def signal(**changes: Any) -> Signal:
    """Return a signal to buy, protected and in time."""
    values: dict[str, Any] = {
        "signal_id": "5f0c54ff-0000-5000-8000-000000000001",
        "strategy_id": STRATEGY,
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "action": Action.OPEN,
        "direction": BUY,
        "stop_atto": to_atto("90"),
        "quantity_atto": None,
        "valid_until_ns": NOW_NS + 60_000_000_000,
        "slot": "strategy-1 ALPHA.XSIM 2 0 1",
    }
    return Signal(**(values | changes))


def step(asked: Order, leaves: int, **changes: Any) -> Step:
    """Return the order event after which `leaves` units of `asked` still work."""
    values: dict[str, Any] = {
        "order": asked,
        "leaves_atto": leaves * ATTO,
        "filled_atto": asked.quantity_atto - leaves * ATTO,
        "is_over": False,
        "is_in_doubt": False,
        "is_approved": True,
        "is_received": False,
        "is_replace_over": False,
        "report": None,
        "time_ns": NOW_NS,
    }
    return Step(**(values | changes))


def traded(filled: Fill, kind: ReportKind = ReportKind.TRADE, refers_to: str = "") -> Report:
    """Return the report of a trade, a bust or a correction."""
    return Report(kind, filled, refers_to, repr((kind, filled)).encode())


def book(*accounts: Account) -> Book:
    """Return a book with the instrument, a reference of 100 and the accounts."""
    made = Book(instruments={INSTRUMENT: instrument()}, references={})
    made.mark(INSTRUMENT, Reference(to_atto("100"), NOW_NS, 5_000_000_000), NOW_NS)
    for each in accounts or (account(),):
        made.accounts[each.name] = each
        for name in each.holdings:
            made.note_holder(each, name)
    return made


def recent(at_ns: int) -> Account:
    """Return an account that sent the usual order at `at_ns` under another id."""
    of = account()
    of.remember(order().fingerprint, at_ns, "another")
    return of


def busy(count: int, strategy: str = STRATEGY, age_ns: int = 0) -> Account:
    """Return an account, and its strategy, that made `count` orders `age_ns` ago."""
    of = account()
    for _ in range(count):
        of.count(strategy, NOW_NS - age_ns)
    return of


def streak(losses: int = 0) -> Streak:
    """Return a losing streak."""
    return Streak(losses)


def times(count: int, age_ns: int = 0) -> deque[int]:
    """Return `count` times `age_ns` ago."""
    return deque([NOW_NS - age_ns] * count)


def with_orders(count: int) -> Account:
    """Return an account with `count` small open orders."""
    of = account()
    for i in range(count):
        approve(order(1, client_order_id=f"p{i}", instrument=f"N{i}.XSIM"), of)
    return of


def entered(entries: int) -> Account:
    """Return an account with `entries` open entries."""
    of = account()
    for i in range(entries):
        filled = fill(1, "100", order_id=f"entry-{i}")
        of.set_holding(INSTRUMENT, hold(of.holding(filled.instrument), filled), 1)
    return of
