"""`plimsoll check`: judge a saved history again."""

from pathlib import Path

from fixtures.history import HistoryError
from fixtures.saved import load
from fixtures.trial import judge, quietly
from plimsoll import console
from plimsoll.experiments import find_experiment
from plimsoll.failures import STATUS, WrongUse


def run_check(path: Path, *, as_json: bool) -> int:
    """Judge the history at `path`; return the exit status of its verdict."""
    try:
        history = load(path)
    except HistoryError as error:
        raise WrongUse(str(error)) from error
    outcome = judge(history, find_experiment(str(history.header.get("experiment"))), quietly)
    if as_json:
        console.print_json(console.as_json(outcome))
    else:
        console.print_outcome(outcome)
    return STATUS[outcome.verdict]
