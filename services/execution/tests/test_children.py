"""A child's life, whatever the venue says and in whichever order."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.children import (
    AGREE_NS,
    SETTLE_NS,
    Child,
    Fact,
    Status,
    not_found,
    refused,
    sent,
    split,
    told,
    unanswered,
)

QUANTITY = 100
PATIENT = settings(deadline=None)
CHILD = sent(Child("ana", "order-1", "order-1", "XSIM", QUANTITY), 10 * SETTLE_NS)


def fact(sequence: int, filled: int, status: Status) -> Fact:
    is_live = status in {Status.NEW, Status.PARTIALLY_FILLED}
    return Fact(sequence, status, filled, QUANTITY - filled if is_live else 0, "V1")


facts = st.builds(
    fact,
    st.integers(1, 20),
    st.integers(0, QUANTITY),
    st.sampled_from(
        [Status.NEW, Status.PARTIALLY_FILLED, Status.FILLED, Status.CANCELED, Status.EXPIRED]
    ),
)


@PATIENT
@given(st.lists(facts), st.randoms(use_true_random=False))
def test_facts_told_twice_or_late_change_nothing(given_facts: list[Fact], shuffler: object) -> None:
    in_order = sorted({f.venue_sequence: f for f in given_facts}.values(), key=_sequence)
    once = CHILD
    for each in in_order:
        once = told(once, each)
    again = once
    for each in [*in_order, *reversed(in_order)]:
        again = told(again, each)
    assert again == once


def _sequence(one: Fact) -> int:
    return one.venue_sequence


@PATIENT
@given(st.lists(facts, max_size=6), st.booleans(), st.booleans())
def test_quantity_is_filled_working_doubtful_or_unscheduled(
    given_facts: list[Fact], is_doubtful: bool, is_absent: bool
) -> None:
    child = unanswered(CHILD) if is_doubtful else CHILD
    if is_absent:
        child = not_found(not_found(child, CHILD.sent_ns), CHILD.sent_ns + SETTLE_NS)
    for each in given_facts:
        child = told(child, each)
    is_ended = not (child.is_working or child.is_unsettled)
    parts = split(QUANTITY, [child], is_ended=is_ended)
    total = parts.filled_atto + parts.working_atto + parts.doubtful_atto + parts.unscheduled_atto
    assert total <= QUANTITY
    if not is_ended:
        assert total == QUANTITY
    assert min(parts.filled_atto, parts.working_atto, parts.doubtful_atto) >= 0


def test_a_child_in_doubt_counts_as_open() -> None:
    parts = split(QUANTITY, [unanswered(CHILD)], is_ended=False)
    assert (parts.doubtful_atto, parts.unscheduled_atto) == (QUANTITY, 0)


def test_a_report_that_came_first_leaves_no_doubt() -> None:
    acknowledged = told(CHILD, fact(1, 0, Status.NEW))
    assert unanswered(acknowledged) is acknowledged
    assert refused(acknowledged, "LATE") is acknowledged


def test_absence_is_certain_only_after_the_settle_delay_and_two_queries_that_agree() -> None:
    sent_ns = CHILD.sent_ns
    child = unanswered(CHILD)
    once_late = not_found(child, sent_ns + 5 * SETTLE_NS)
    assert once_late.is_unsettled  # One query is not enough, however late.
    twice_early = not_found(not_found(child, sent_ns), sent_ns + SETTLE_NS - 1)
    assert twice_early.is_unsettled  # The message may still be on its way.
    too_close = not_found(once_late, once_late.absent_since_ns + AGREE_NS - 1)
    assert too_close.is_unsettled
    certain = not_found(once_late, once_late.absent_since_ns + AGREE_NS)
    assert certain.status is Status.NOT_ACCEPTED


def test_a_new_send_forgets_what_queries_found_before() -> None:
    absent = not_found(unanswered(CHILD), CHILD.sent_ns)
    again = sent(absent, CHILD.sent_ns + 9 * SETTLE_NS)
    assert (again.attempts, again.absent_since_ns, again.status) == (2, 0, Status.PENDING_NEW)
    assert not_found(again, again.sent_ns).is_unsettled


def test_a_report_after_all_ends_a_certain_absence() -> None:
    lost = replace(CHILD, status=Status.NOT_ACCEPTED, leaves_atto=0)
    assert told(lost, fact(1, 0, Status.NEW)).is_working
