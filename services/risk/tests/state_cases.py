"""Cases of the checks that look at sessions, the venue, the market's state and breakers."""

from runtime.atto import ATTO, to_atto
from services.risk.account import Account
from services.risk.case import Blocks, Case
from services.risk.orders import SELL, OrderType, TimeInForce
from services.risk.reasons import Outcome, Reason
from services.risk.rules import Reference
from services.risk.sessions import DAY_NS
from services.risk.streaks import Streak
from services.risk.tests import mothers
from services.risk.tests.mothers import account, approve, case, holding, limit_order, limits, order
from services.risk.venues import NOTHING

PASSES, FAILS, SILENT = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE
IOC, FOK, GTD = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD
STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT
NOW_NS = mothers.NOW_NS


def stop_order(stop: str, quantity: int = 10, **changes: object) -> Case:
    return case(order(quantity, type=STOP, stop_atto=to_atto(stop), **changes))


def protected(protection: str, target: str = "") -> Case:
    atto = to_atto(target) if target else None
    return case(order(protection_atto=to_atto(protection), target_atto=atto))


def gtd(days: float | None) -> Case:
    at = None if days is None else NOW_NS + round(days * DAY_NS)
    return case(order(life=GTD, expires_ns=at))


def resting(price: str, *, sells: bool = False) -> Case:
    quote = Reference(to_atto("100"), NOW_NS, 10**9, to_atto("99"), to_atto("101"))
    direction = SELL if sells else 1
    asked = limit_order(price, direction=direction, is_post_only=True)
    return case(asked, reference=quote)


def worth(share: str) -> Account:
    """Return an account that owns 10 shares and is worth `share` of its best."""
    of = holding(account(), 5_000)
    of.begin_day(1)
    of.note_equity()
    of.mark(mothers.INSTRUMENT, to_atto("100") - (ATTO * 200 - to_atto(share) * 200))
    return of


def opened(count: int, age_ns: int = 0) -> Account:
    of = account()
    of.openings_ns[mothers.STRATEGY, mothers.INSTRUMENT, 1] = mothers.times(count, age_ns)
    return of


def losing(losses: int) -> Account:
    return account(streaks={mothers.STRATEGY: Streak(losses)})


def doubtful(
    on: str = mothers.INSTRUMENT, *, name: str = "doubtful", of: Account | None = None
) -> Account:
    of = approve(order(1, client_order_id=name, instrument=on), of or account())
    of.put(of.open[name]._replace(is_in_doubt=True))
    return of


STATE_CASES: dict[Reason, dict[str, tuple[Outcome, Case]]] = {
    Reason.ACCOUNT_INACTIVE: {
        "an account that was paid into": (PASSES, case()),
        "an account nobody opened": (FAILS, case(of=account(transfers_minor=None))),
        "a suspended account": (FAILS, case(limits=limits(is_suspended=True))),
    },
    Reason.SESSION_CLOSED: {
        "an order in the session": (PASSES, case()),
        "an immediate order in the session": (PASSES, case(order(life=IOC))),
        "a day order at night": (PASSES, case(is_open=False)),
        "an immediate order at night": (FAILS, case(order(life=IOC), is_open=False)),
        "a fill-or-kill order at night": (FAILS, case(order(life=FOK), is_open=False)),
        "no session within a week": (FAILS, case(is_open=False, opens_soon=False)),
        "sessions that nobody knows": (FAILS, case(is_open=None, opens_soon=False)),
    },
    Reason.RESTRICTED: {
        "an instrument on no list": (PASSES, case()),
        "an instrument on the list": (FAILS, case(is_restricted=True)),
    },
    Reason.ORDER_TYPE_UNSUPPORTED: {
        "a type the venue takes": (PASSES, case()),
        "a type of a later depth": (FAILS, case(order(type=OrderType.OTHER))),
        "a venue nobody knows": (FAILS, case(capabilities=NOTHING)),
    },
    Reason.TIME_IN_FORCE_UNSUPPORTED: {
        "a time in force the venue takes": (PASSES, case(order(life=FOK))),
        "a time in force of a later depth": (FAILS, case(order(life=TimeInForce.OTHER))),
        "another venue nobody knows": (FAILS, case(capabilities=NOTHING)),
    },
    Reason.MARKET_DATA_STALE: {
        "a fresh reference": (PASSES, case()),
        "a stale reference": (FAILS, case(is_stale=True)),
        "no reference to be stale": (SILENT, case(reference=None)),
    },
    Reason.STOP_WRONG_SIDE: {
        "a buy stop above the market": (PASSES, stop_order("100.01")),
        "a buy stop at the market": (FAILS, stop_order("100")),
        "a sell stop below the market": (PASSES, stop_order("99.99", direction=SELL)),
        "a sell stop at the market": (FAILS, stop_order("100", direction=SELL)),
        "a stop without a market": (
            FAILS,
            case(order(type=STOP, stop_atto=to_atto("101")), reference=None),
        ),
        "protection below a buy": (PASSES, protected("99.99")),
        "protection at the entry of a buy": (FAILS, protected("100")),
        "a target above a buy": (PASSES, protected("99", "100.01")),
        "a target below a buy": (FAILS, protected("98", "99")),
        "protection between limit and market": (
            FAILS,
            case(limit_order("98", protection_atto=to_atto("99"))),
        ),
        "protection above a sale": (PASSES, case(order(direction=SELL))),
        "protection below a sale": (
            FAILS,
            case(order(direction=SELL, protection_atto=to_atto("99"))),
        ),
        "nothing to lie on a side": (SILENT, case(order(protection_atto=None))),
    },
    Reason.EXPIRY_INVALID: {
        "a day order": (SILENT, case()),
        "an expiry tomorrow": (PASSES, gtd(1)),
        "an expiry in 90 days": (PASSES, gtd(90)),
        "an expiry in more than 90 days": (FAILS, gtd(90.001)),
        "an expiry now": (FAILS, gtd(0)),
        "no expiry": (FAILS, gtd(None)),
    },
    Reason.POST_ONLY_WOULD_CROSS: {
        "an order that may trade at once": (SILENT, case(limit_order("101"))),
        "a bid below the ask": (PASSES, resting("100.99")),
        "a bid at the ask": (FAILS, resting("101")),
        "an offer above the bid": (PASSES, resting("99.01", sells=True)),
        "an offer at the bid": (FAILS, resting("99", sells=True)),
        "a bid at the last trade, no quote": (FAILS, case(limit_order("100", is_post_only=True))),
        "a bid below the last trade": (PASSES, case(limit_order("99.99", is_post_only=True))),
        "no price to cross": (
            FAILS,
            case(limit_order("99", is_post_only=True), reference=None),
        ),
    },
    Reason.REPEATED_EXECUTION: {
        "twenty openings in a minute": (PASSES, case(of=opened(20))),
        "one opening too many": (FAILS, case(of=opened(21))),
        "openings of a minute ago": (PASSES, case(of=opened(21, 60 * 10**9))),
        "openings of the other side": (PASSES, case(order(direction=SELL), opened(21))),
        "the check switched off": (
            SILENT,
            case(of=opened(99), limits=limits(repeated_executions_per_minute_max=0)),
        ),
        "a minute later, nobody allowed it": (FAILS, case(blocks=Blocks(repeated=1))),
        "somebody allowed it": (PASSES, case(of=opened(21), blocks=Blocks(repeated=-1))),
    },
    Reason.DAILY_LOSS: {
        "a day's loss below the limit": (PASSES, case(of=worth("0.9501"))),
        "a day's loss at the limit": (FAILS, case(of=worth("0.95"))),
        "a day's loss made good": (FAILS, case(blocks=Blocks(day_loss=1))),
        "a day's loss allowed": (PASSES, case(of=worth("0.95"), blocks=Blocks(day_loss=-1))),
        "equity not known for the day": (FAILS, case(of=account(transfers_minor=None))),
    },
    Reason.DRAWDOWN: {
        "a drawdown below the limit": (PASSES, case(of=worth("0.8501"))),
        "a drawdown at the limit": (FAILS, case(of=worth("0.85"))),
        "a drawdown made good": (FAILS, case(blocks=Blocks(drawdown=1))),
        "a drawdown allowed": (PASSES, case(of=worth("0.85"), blocks=Blocks(drawdown=-1))),
        "equity not known": (FAILS, case(of=account(transfers_minor=None))),
    },
    Reason.LOSS_STREAK: {
        "four losses": (PASSES, case(of=losing(4))),
        "five losses": (FAILS, case(of=losing(5))),
        "a person's order after five losses": (SILENT, case(order(strategy_id=""), losing(5))),
        "within the pause": (FAILS, case(blocks=Blocks(streak=1))),
    },
    Reason.IN_DOUBT_BLOCK: {
        "no order in doubt": (PASSES, case()),
        "another order in doubt": (FAILS, case(of=doubtful())),
        "an order in doubt elsewhere": (PASSES, case(of=doubtful("BETA.XSIM"))),
        "one of two orders in doubt": (
            PASSES,
            case(order(client_order_id="doubtful"), doubtful(of=doubtful(name="other"))),
        ),
        "the order in doubt itself": (PASSES, case(order(client_order_id="doubtful"), doubtful())),
    },
    Reason.LIMITS_VERSION_MISMATCH: {
        "nothing to compare": (SILENT, case()),
        "the limits in force": (PASSES, case(limits=limits(version=3), decided_by=3)),
        "older limits": (FAILS, case(limits=limits(version=3), decided_by=2)),
    },
}
