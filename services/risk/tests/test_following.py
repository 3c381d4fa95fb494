from runtime.atto import ATTO
from services.risk.book import Book
from services.risk.following import Following, Kept, ReportKind, Step, followed
from services.risk.orders import BUY, SELL
from services.risk.tests import mothers
from services.risk.tests.mothers import account, approve, book, fill, order, step, traded

BUY_10 = order(10)
HOLD_10 = 101_000 + 202  # 10 units at 101 and 20 bp of fee.


def follow(on: Book, *steps: Step) -> Following:
    following = Following(on, known={}, logs={})
    for each in steps:
        following.apply(each)
    return following


def held(on: Book) -> int:
    return on.accounts[mothers.ACCOUNT].held_minor


def test_fills_reduce_the_hold_and_the_end_releases_it() -> None:
    on = book(approve(BUY_10, account()))
    assert held(on) == HOLD_10
    follow(on, step(BUY_10, 4, report=traded(fill(6, "100"))))
    assert held(on) == 40_400 + 81
    follow(on, step(BUY_10, 0, is_over=True, report=traded(fill(4, "100", exec_id="x2"))))
    assert held(on) == 0
    of = on.accounts[mothers.ACCOUNT]
    assert of.holding(mothers.INSTRUMENT).quantity_atto == 10 * ATTO
    assert of.equity_minor == mothers.MILLION_MINOR - 200


def test_an_order_in_doubt_keeps_its_hold() -> None:
    on = book(approve(BUY_10, account()))
    follow(on, step(BUY_10, 10, is_in_doubt=True))
    assert held(on) == HOLD_10
    assert on.accounts[mothers.ACCOUNT].open["o1"].is_in_doubt


def test_an_order_that_is_only_stored_holds_nothing() -> None:
    on = book()
    following = follow(on, step(BUY_10, 10, is_received=True, is_approved=False))
    assert (held(on), following.anomalies) == (0, [])


def test_an_order_that_was_never_approved_is_an_anomaly_and_is_held() -> None:
    on = book()
    following = follow(on, step(BUY_10, 10, is_approved=False))
    assert held(on) == 100_000 + 200
    assert [a.subject for a in following.anomalies] == ["o1"]


def test_a_fill_of_an_unapproved_order_still_moves_the_position() -> None:
    on = book()
    report = traded(fill(5, "100"))
    following = follow(on, step(BUY_10, 0, is_over=True, is_approved=False, report=report))
    assert on.accounts[mothers.ACCOUNT].holding(mothers.INSTRUMENT).quantity_atto == 5 * ATTO
    assert len(following.anomalies) == 1


def test_a_fill_seen_twice_counts_once() -> None:
    on = book(approve(BUY_10, account()))
    report = traded(fill(4, "100"))
    follow(on, step(BUY_10, 6, report=report), step(BUY_10, 6, report=report))
    assert on.accounts[mothers.ACCOUNT].holding(mothers.INSTRUMENT).quantity_atto == 4 * ATTO


def test_a_contradicting_repeat_of_a_fill_is_an_anomaly_and_does_not_count() -> None:
    on = book(approve(BUY_10, account()))
    first, other = traded(fill(4, "100")), traded(fill(5, "100"))
    following = follow(on, step(BUY_10, 6, report=first), step(BUY_10, 5, report=other))
    assert on.accounts[mothers.ACCOUNT].holding(mothers.INSTRUMENT).quantity_atto == 4 * ATTO
    assert len(following.anomalies) == 1


def test_a_busted_trade_is_taken_back() -> None:
    on = book(approve(BUY_10, account()))
    bust = traded(fill(0, "0", exec_id="b"), ReportKind.BUST, "x1")
    follow(
        on,
        step(BUY_10, 6, report=traded(fill(4, "100"))),
        step(BUY_10, 3, report=traded(fill(3, "90", exec_id="x2"))),
        step(BUY_10, 7, report=bust),
    )
    of = on.accounts[mothers.ACCOUNT]
    assert of.holding(mothers.INSTRUMENT).quantity_atto == 3 * ATTO
    assert of.flow_minor == -27_000 - 100


def test_a_correction_of_a_stored_fill_replaces_it() -> None:
    on = book(mothers.holding(account(), 4))
    stored = {mothers.ACCOUNT: [Kept(fill(4, "100", fee_minor=0), 1)]}
    following = Following(on, known={}, logs=stored)
    right = traded(fill(3, "100", exec_id="c", fee_minor=0), ReportKind.CORRECTION, "x1")
    following.apply(step(BUY_10, 0, is_over=True, report=right))
    assert on.accounts[mothers.ACCOUNT].holding(mothers.INSTRUMENT).quantity_atto == 3 * ATTO
    assert following.kept[mothers.ACCOUNT, "x1"].corrected_by == "c"


def test_a_bust_of_nothing_is_an_anomaly() -> None:
    following = follow(
        book(), step(BUY_10, 7, report=traded(fill(1, "1", exec_id="b"), ReportKind.BUST, "x9"))
    )
    assert any("x9" in anomaly.text for anomaly in following.anomalies)


def test_fills_take_the_part_that_closes_first() -> None:
    of = mothers.holding(account(), 6)
    flip = order(10, direction=SELL)
    approve(flip, of)
    half = followed(of.open["o1"], step(flip, 7), "USD")
    assert (half.opening_atto, half.hold_minor) == (4 * ATTO, of.open["o1"].hold_minor)
    late = followed(half, step(flip, 3), "USD")
    assert late.opening_atto == 3 * ATTO
    assert late.hold_minor < half.hold_minor


def test_the_larger_of_both_quantities_is_held_while_a_replacement_is_under_way() -> None:
    of = approve(order(15), account())
    asked = of.open["o1"]._replace(replaced_leaves_atto=15 * ATTO)
    pending = followed(asked, step(BUY_10, 10), "USD")
    assert pending.hold_minor == asked.hold_minor
    refused = followed(pending, step(BUY_10, 10, is_replace_over=True), "USD")
    assert refused.hold_minor == HOLD_10


def test_a_position_in_both_directions_is_found_by_prices() -> None:
    on = book(mothers.holding(account(), 5))
    follow(on, step(order(10, direction=SELL), 0, is_over=True, report=traded(fill(-5, "100"))))
    assert not on.holders[mothers.INSTRUMENT]
    assert on.accounts[mothers.ACCOUNT].values == {}
    assert BUY == 1
