"""The least run that fails as another did: fewer faults, less traffic, shorter faults."""

from dataclasses import replace

from fixtures import portion
from fixtures.faults import Schedule
from fixtures.faults.shrinking import fewest, shortest
from fixtures.outcome import Outcome, Verdict
from fixtures.portion import Portion
from fixtures.trial import Plan, quietly
from plimsoll.trial import run_once


def least(plan: Plan, failed: Outcome) -> Outcome:
    """Return what the least part of `plan` comes to that fails as all of it did: by `failed`.

    One of the same checks fails, or the run breaks again. Its replay line has the part.
    """
    part, outcome = plan, failed

    def fails(smaller: Plan) -> bool:
        nonlocal part, outcome
        found = run_once(smaller, quietly)
        if is_alike := _is_alike(failed, found):
            part, outcome = smaller, found
        return is_alike

    def fails_by(schedule: Schedule) -> bool:
        return fails(replace(part, schedule=schedule))

    def fails_in(traffic: Portion) -> bool:
        return fails(replace(part, traffic=traffic))

    fewest(plan.chosen_faults(), fails_by)
    portion.least(Portion.whole(plan.experiment), fails_in)
    shortest(part.chosen_faults(), fails_by)  # Last: what is short misses what comes elsewhen.
    return outcome


def _is_alike(failed: Outcome, outcome: Outcome) -> bool:
    if outcome.verdict is not Verdict.FAILED:
        return False
    one, other = _broken_promises(failed), _broken_promises(outcome)
    return bool(one & other) or one == other


def _broken_promises(outcome: Outcome) -> set[str]:
    """Return which checks failed; of a run that broke, none."""
    return {check.name for check in outcome.checks if check.verdict is Verdict.FAILED}
