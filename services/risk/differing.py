"""Which decisions of the last hour other limits would have made differently."""

from collections.abc import Iterator, Sequence

from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types

from services.risk.book import Book
from services.risk.past import Past
from services.risk.rejudging import BATCH_SIZE, batches, codes_in, judge
from services.risk.rules import FIRM, Limits, Scope, ScopeKind

HOUR_NS = 3_600 * 10**9
JUDGED_MAX = 10 * BATCH_SIZE
APPROVED, REJECTED = types.RISK_VERDICT_APPROVED, types.RISK_VERDICT_REJECTED


def differences(
    past: Sequence[Past], book: Book, scope: Scope, limits: Limits
) -> list[pb.DecisionDifference]:
    """Return the decisions that would differ if `limits` held in `scope`, oldest first.

    The size that a signal was cut to is not judged again.
    """
    places: dict[Limits, list[int]] = {}
    for place, decision in enumerate(past):
        places.setdefault(_limits_of(decision.account, book, scope, limits), []).append(place)
    firm = limits if scope == FIRM else book.limits.get(FIRM, Limits())
    found: dict[int, pb.DecisionDifference] = {}
    for held, chosen in places.items():
        for place, failed in _judged([past[n] for n in chosen], held, firm):
            decision = past[chosen[place]]
            if failed != decision.failed:
                found[chosen[place]] = _difference(decision, failed)
    return [found[place] for place in sorted(found)]


def _limits_of(account: str, book: Book, scope: Scope, limits: Limits) -> Limits:
    own = (ScopeKind.ACCOUNT, account)
    if scope == own or (scope == FIRM and own not in book.limits):
        return limits
    return book.limits_of(account)[1]


def _judged(past: Sequence[Past], limits: Limits, firm: Limits) -> Iterator[tuple[int, int]]:
    for first, batch in batches([(each.facts, each.named) for each in past]):
        yield from enumerate(judge(batch, limits, firm.restricted), first)


def _difference(decision: Past, failed: int) -> pb.DecisionDifference:
    was = types.RiskVerdict.ValueType(decision.verdict)
    would_be = REJECTED if failed else (APPROVED if was == REJECTED else was)
    return pb.DecisionDifference(
        decision_id=decision.decision_id,
        subject_id=decision.subject_id,
        was=was,
        would_be=would_be,
        codes=[types.RiskReason.ValueType(code) for code in codes_in(failed)],
    )
