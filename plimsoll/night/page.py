"""A night as one page of HTML; what it refers to is what the night has left beside it."""

from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from fixtures.outcome import Outcome, Verdict
from plimsoll.course import course
from plimsoll.night.results import Night
from plimsoll.pages import fill
from runtime.load.report.terminal import lines

TEMPLATE = "night/page.html.jinja"
MESSAGE_CHARS_MAX = 400


def render(night: Night, is_there: Callable[[str], bool]) -> str:
    """Return the page; `is_there` tells which paths below the night's folder can be opened."""

    def beside(path: str, name: str) -> str:
        """Return the path of a neighbour of a file, "" where it has none."""
        found = Path(path).with_name(name).as_posix()
        return found if is_there(found) else ""

    filters: dict[str, Callable[..., str]] = {
        "count": lambda value: f"{value:,}",
        "time": _time,
        "short": lambda text: (
            text if len(text) <= MESSAGE_CHARS_MAX else f"{text[:MESSAGE_CHARS_MAX]} …"
        ),
        "beside": beside,
        "log": lambda step: found if is_there(found := f"{step}/log.txt") else "",
    }
    pictures = {path: _picture(outcome) for path, outcome in night.runs.items()}
    loads = {path: "\n".join(lines(result)) for path, result in night.loads.items()}
    return fill(TEMPLATE, filters, night=night, pictures=pictures, loads=loads, parts=parts(night))


def parts(night: Night) -> list[tuple[str, str]]:
    """Return what there is of each kind, and how many of it ended how."""
    kinds: dict[str, list[Verdict]] = {
        "steps": [step.verdict for step in night.steps],
        "experiments": [outcome.verdict for outcome in night.runs.values()],
        "simulations": [one.verdict for one in night.simulations.values()],
        "loads": [Verdict(result.outcome) for result in night.loads.values()],
        "records of planted bugs": [record.verdict for record in night.records.values()],
        "folders of tests": [suite.verdict for suite in night.suites],
    }
    return [(name, _counted(found)) for name, found in kinds.items() if found]


def _counted(verdicts: list[Verdict]) -> str:
    counts = [(verdicts.count(verdict), verdict) for verdict in Verdict]
    return ", ".join(f"{count} {verdict}" for count, verdict in counts if count)


def _picture(outcome: Outcome) -> Markup:
    if not outcome.figures.timeline:
        return Markup("")
    return Markup(course(outcome.figures.timeline, outcome.faults))


def _time(seconds: float) -> str:
    """Return "1:05:09", or "5:09"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
