from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portfolio.booking import Booking, Kept, Key, Report, ReportKind
from services.portfolio.ledger import (
    CASH,
    EXTERNAL,
    FEES,
    REALISED,
    Entry,
    Journal,
    JournalKind,
    Unbalanced,
    balances,
    check_balanced,
    transfer_entries,
)
from services.portfolio.positions import Fill, Position, replay
from services.portfolio.tests import mothers


def fresh() -> Booking:
    return Booking(positions={}, known={}, logs={})


def booked(*reports: Report) -> Booking:
    booking = fresh()
    for report in reports:
        booking.apply(report)
    return booking


KEY = (mothers.ACCOUNT, mothers.INSTRUMENT)
BUY = mothers.fill(10, "50.00", exec_id="a", order_id="oa")
SELL = mothers.fill(-15, "60.00", exec_id="b", order_id="ob")


def test_a_fill_delivered_twice_is_booked_once() -> None:
    booking = booked(mothers.trade(BUY), mothers.trade(BUY))
    assert len(booking.journals) == len(booking.added) == 1
    assert not booking.anomalies


def test_a_fill_known_from_an_earlier_batch_is_not_booked_again() -> None:
    report = mothers.trade(BUY)
    booking = Booking(positions={}, known={(BUY.account, "a"): report.digest}, logs={})
    booking.apply(report)
    assert not booking.journals


def test_a_contradicting_repeat_is_an_anomaly_and_not_booked() -> None:
    other = replace(BUY, notional_minor=1)
    booking = booked(mothers.trade(BUY), mothers.trade(other))
    assert [a.code for a in booking.anomalies] == ["CONFLICTING_EXECUTION"]
    assert booking.changed[KEY] == replay([BUY])


def test_a_busted_trade_leaves_the_books_as_if_it_had_never_happened() -> None:
    booking = booked(mothers.trade(BUY), mothers.trade(SELL), mothers.bust("c", "a", BUY))
    assert booking.changed[KEY] == replay([SELL])
    assert balances(booking.journals) == balances(booked(mothers.trade(SELL)).journals) | {
        key: 0 for key in balances(booking.journals) if key[1] == REALISED
    }
    assert [j.kind for j in booking.journals][-1] is JournalKind.BUST
    assert booking.journals[-1].corrects == "a"


def test_a_corrected_trade_counts_as_corrected() -> None:
    right = mothers.fill(10, "49.00", exec_id="c", order_id="oa")
    booking = booked(mothers.trade(BUY), mothers.trade(SELL), mothers.correction("a", right))
    assert booking.changed[KEY] == replay([right, SELL])


def test_a_correction_of_a_correction_may_name_either_report() -> None:
    for name in ("a", "c"):
        first = mothers.fill(10, "49.00", exec_id="c", order_id="oa")
        second = mothers.fill(10, "48.00", exec_id="d", order_id="oa")
        booking = booked(
            mothers.trade(BUY), mothers.correction("a", first), mothers.correction(name, second)
        )
        assert booking.changed[KEY] == replay([second])


def test_a_bust_of_an_unknown_or_busted_fill_is_an_anomaly() -> None:
    booking = booked(mothers.bust("c", "nothing", BUY))
    assert [a.code for a in booking.anomalies] == ["UNKNOWN_EXECUTION"]
    booking = booked(mothers.trade(BUY), mothers.bust("c", "a", BUY), mothers.bust("d", "a", BUY))
    assert [a.code for a in booking.anomalies] == ["UNKNOWN_EXECUTION"]


def test_a_bust_of_a_stored_fill_uses_the_stored_log() -> None:
    booking = Booking(
        positions={KEY: replay([BUY, SELL])}, known={}, logs={KEY: [Kept(BUY), Kept(SELL)]}
    )
    booking.apply(mothers.bust("c", "a", BUY))
    assert booking.changed[KEY] == replay([SELL])
    assert booking.amended[(BUY.account, "a")].is_busted


def test_an_unbalanced_journal_is_refused() -> None:
    with pytest.raises(Unbalanced, match="must be zero"):
        check_balanced([Entry(CASH, "USD", 1), Entry(FEES, "EUR", -1)])


Step = tuple[ReportKind, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [ReportKind.TRADE, ReportKind.TRADE, ReportKind.BUST, ReportKind.CORRECTION]
        ),
        st.integers(0, 30),
        st.integers(-20, 20).filter(bool),
        st.integers(1, 9_999),
    ),
    max_size=30,
)


def reports_of(steps: list[Step]) -> tuple[list[Report], list[Fill]]:
    """Return random trades, busts and corrections, and the fills that they leave."""
    reports, left = list[Report](), dict[str, Fill]()
    for i, (kind, which, quantity, cents) in enumerate(steps):
        names = list(left)
        fill = mothers.fill(quantity, f"{cents / 100:.2f}", exec_id=f"x{i}", order_id=f"o{i}")
        if kind is ReportKind.TRADE or not names:
            left[fill.exec_id] = fill
            reports.append(mothers.trade(fill))
            continue
        name = names[which % len(names)]
        if kind is ReportKind.BUST:
            del left[name]
            reports.append(mothers.bust(f"x{i}", name, fill))
        else:
            left[name] = replace(fill, exec_id=name)
            reports.append(mothers.correction(name, fill))
    return reports, list(left.values())


@given(STEPS)
def test_any_busts_and_corrections_equal_a_fresh_replay(
    steps: list[Step],
) -> None:
    reports, left = reports_of(steps)
    booking = booked(*reports)
    assert not booking.anomalies
    assert booking.changed.get(KEY, Position()) == replay(left)


@given(STEPS, st.integers(-(10**6), 10**6))
def test_every_journal_sums_to_zero_and_the_ledger_identity_holds(
    steps: list[Step], transfer: int
) -> None:
    booking = booked(*reports_of(steps)[0])
    deposit = Journal(
        mothers.ACCOUNT, JournalKind.TRANSFER, "t", "", 1, transfer_entries(transfer, "USD")
    )
    for journal in (deposit, *booking.journals):
        check_balanced(journal.entries)
    total = {
        name: amount for (_, name, _), amount in balances((deposit, *booking.journals)).items()
    }
    costs = sum(amount for name, amount in total.items() if name.startswith("cost:"))
    realised, fees = -total.get(REALISED, 0), total.get(FEES, 0)
    assert -total[EXTERNAL] == transfer
    assert total[CASH] + costs == transfer + realised - fees


@given(STEPS, st.integers(0, 29))
def test_a_batch_cut_in_two_books_the_same(steps: list[Step], cut: int) -> None:
    """The second unit of work sees the first only through what it stored."""
    reports, _ = reports_of(steps)
    whole, first = booked(*reports), booked(*reports[:cut])
    log = [first.amended.get((f.account, f.exec_id), Kept(f)) for f in first.added]
    sources = {(j.account, j.source): d for j, d in zip(first.journals, first.digests, strict=True)}
    positions: dict[Key, Position] = dict(first.changed)
    second = Booking(positions=positions, known=sources, logs={KEY: log})
    for report in reports:  # What was booked before must change nothing.
        second.apply(report)
    assert {**first.changed, **second.changed} == whole.changed
    assert [*first.journals, *second.journals] == whole.journals
