"""Breakers trip at their exact limits, stay latched, and let go as their rule says (K7)."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import to_atto
from services.risk.account import Account
from services.risk.book import Book
from services.risk.breakers import PAUSE_NS, of_account
from services.risk.reasons import Mode, Reason
from services.risk.rules import FIRM, Limits, Reference, ScopeKind
from services.risk.sessions import DAY_NS
from services.risk.tests import mothers
from services.risk.tests.mothers import INSTRUMENT, NOW_NS, STRATEGY, account, holding

MINE = (ScopeKind.ACCOUNT, mothers.ACCOUNT)
THEIRS = (ScopeKind.STRATEGY, STRATEGY)
WARNING, REDUCE_ONLY, HALTED = Mode.ACTIVE, Mode.REDUCE_ONLY, Mode.HALTED
NEXT_DAY_NS = (NOW_NS // DAY_NS + 1) * DAY_NS


def started() -> tuple[Book, Account]:
    """Return a book whose account, worth 1,000,000, holds 10,000 units at 100."""
    of = holding(account(), 10_000)
    on = mothers.book(of)
    on.begin_day(of, NOW_NS)
    on.observe(of, NOW_NS)
    return on, of


def price(on: Book, of: Account, text: str, *, later_ns: int = 0) -> Mode:
    """Let the price be `text`; return what the account may still do."""
    now_ns = NOW_NS + later_ns
    on.mark(INSTRUMENT, Reference(to_atto(text), now_ns, 1), now_ns)
    on.observe(of, now_ns)
    return on.breakers.strictest(MINE)


def told(on: Book) -> list[tuple[Reason, Mode, bool]]:
    happened, on.breakers.happened = on.breakers.happened, []
    return [(each.key.code, each.key.mode, each.is_trip) for each in happened]


def apart() -> Limits:
    """Return limits whose day's loss never stands in the way of the drawdown."""
    return Limits(day_loss_bps_warning=10_000, day_loss_bps_max=10_000)


def test_a_drawdown_reduces_at_fifteen_and_halts_at_twenty_percent() -> None:
    on, of = started()
    on.limits[FIRM] = apart()
    assert price(on, of, "85.01") is WARNING
    assert price(on, of, "85") is REDUCE_ONLY
    assert price(on, of, "80.01") is REDUCE_ONLY
    assert price(on, of, "80") is HALTED
    assert told(on) == [
        (Reason.DRAWDOWN, WARNING, True),
        (Reason.DRAWDOWN, REDUCE_ONLY, True),
        (Reason.DRAWDOWN, WARNING, True),
        (Reason.DRAWDOWN, HALTED, True),
    ]


def test_a_drawdown_warns_at_four_fifths_once() -> None:
    on, of = started()
    on.limits[FIRM] = apart()
    price(on, of, "88.01")
    assert told(on) == []
    price(on, of, "88")
    price(on, of, "87")
    assert told(on) == [(Reason.DRAWDOWN, WARNING, True)]
    price(on, of, "90")
    price(on, of, "88")
    assert told(on) == [(Reason.DRAWDOWN, WARNING, True)]


def test_a_recovery_lifts_no_drawdown_mode() -> None:
    on, of = started()
    on.limits[FIRM] = apart()
    price(on, of, "85")
    assert price(on, of, "120") is REDUCE_ONLY


def test_a_person_overrules_a_breaker_until_it_is_within_its_limit_again() -> None:
    on, of = started()
    on.limits[FIRM] = apart()
    price(on, of, "85")
    on.overrule(MINE, Mode.ACTIVE)
    assert price(on, of, "84") is WARNING
    assert price(on, of, "80") is HALTED  # The next level was not overruled.
    on.overrule(MINE, Mode.ACTIVE)
    price(on, of, "99")
    assert price(on, of, "85") is REDUCE_ONLY


def test_a_day_loss_warns_at_two_and_reduces_at_five_percent() -> None:
    on, of = started()
    assert price(on, of, "98.01") is WARNING
    assert told(on) == []
    price(on, of, "98")
    assert told(on) == [(Reason.DAILY_LOSS, WARNING, True)]
    assert price(on, of, "95.01") is WARNING
    assert told(on) == [(Reason.DAILY_LOSS, WARNING, True)]  # Four fifths of five percent.
    assert price(on, of, "95") is REDUCE_ONLY
    (key,) = [key for key in on.breakers.standing if key.mode is REDUCE_ONLY]
    assert on.breakers.standing[key].until_ns == NEXT_DAY_NS


def test_a_day_loss_ends_with_the_day_and_leaves_positions_alone() -> None:
    on, of = started()
    price(on, of, "95")
    told(on)
    held = of.holding(INSTRUMENT)
    assert price(on, of, "95", later_ns=NEXT_DAY_NS - NOW_NS) is WARNING
    assert (Reason.DAILY_LOSS, REDUCE_ONLY, False) in told(on)
    assert (of.holding(INSTRUMENT), of.day_loss_bps) == (held, 0)
    assert of.high_water_minor == mothers.MILLION_MINOR


def test_the_loss_of_a_new_day_counts_from_the_last_price_of_the_old_one() -> None:
    on, of = started()
    price(on, of, "99")
    assert price(on, of, "94.05", later_ns=NEXT_DAY_NS - NOW_NS) is REDUCE_ONLY
    assert of.day_equity_minor == mothers.MILLION_MINOR * 99 // 100


def test_money_paid_out_is_no_loss() -> None:
    on, of = started()
    on.fund(of.name, currency="USD", transfers_minor=mothers.MILLION_MINOR // 2, now_ns=NOW_NS)
    on.observe(of, NOW_NS)
    assert (of.drawdown_bps, of.day_loss_bps, told(on)) == (0, 0, [])


def losses(on: Book, of: Account, count: int, *, openings: int = 0) -> Mode:
    of.streaks.setdefault(STRATEGY, mothers.streak()).losses = count
    on.observe_strategy(of, STRATEGY, openings=openings, now_ns=NOW_NS)
    return on.breakers.strictest(THEIRS)


def test_five_losses_in_a_row_pause_the_strategy_for_five_minutes() -> None:
    on, of = started()
    assert losses(on, of, 3) is WARNING
    assert told(on) == []
    assert losses(on, of, 4) is WARNING
    assert told(on) == [(Reason.LOSS_STREAK, WARNING, True)]
    assert losses(on, of, 5) is REDUCE_ONLY
    on.end_breakers(NOW_NS + PAUSE_NS - 1)
    assert on.breakers.strictest(THEIRS) is REDUCE_ONLY
    on.end_breakers(NOW_NS + PAUSE_NS)
    assert on.breakers.strictest(THEIRS) is WARNING
    assert of.losses(STRATEGY) == 0


def test_more_than_twenty_openings_a_minute_stop_a_strategy_until_a_person_allows_it() -> None:
    on, of = started()
    assert losses(on, of, 0, openings=20) is WARNING
    assert losses(on, of, 0, openings=21) is REDUCE_ONLY
    on.end_breakers(NOW_NS + 10 * DAY_NS)
    assert losses(on, of, 0, openings=1) is REDUCE_ONLY
    on.overrule(THEIRS, Mode.ACTIVE)
    assert losses(on, of, 0, openings=22) is WARNING


def test_breakers_of_another_scope_stop_nothing_here() -> None:
    on, of = started()
    losses(on, of, 5)
    assert on.breakers.strictest(MINE) is WARNING
    assert on.breakers.state(THEIRS, Reason.LOSS_STREAK) == 1
    assert on.breakers.state(THEIRS, Reason.DRAWDOWN) == 0


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.integers(0, 10_000))
def test_a_limit_is_reached_exactly_when_the_loss_is_that_share(
    high: int, lost: int, bps: int
) -> None:
    of = account(transfers_minor=high - lost, high_water_minor=high, day_equity_minor=high)
    limits = Limits(drawdown_bps_reduce_only=bps)
    (reading,) = [
        each
        for each in of_account(of, limits, None)
        if each.key.code is Reason.DRAWDOWN and each.key.mode is REDUCE_ONLY
    ]
    assert reading.is_reached == (lost > 0 and lost * 10_000 >= bps * high)
    assert reading.is_reached == (lost > 0 and of.drawdown_bps >= bps)
    assert reading.limit == bps


def test_an_account_of_unknown_worth_trips_nothing() -> None:
    of = holding(account(), 1, name="BETA.XSIM")
    of.mark("BETA.XSIM", None)
    assert list(of_account(of, Limits(), None)) == []
