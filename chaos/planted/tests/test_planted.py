"""Every planted bug is found by its check, and nothing is found where none is planted."""

import pytest

from chaos.planted.catalogue import PLANTS
from chaos.planted.finding import find, outcome_of, runs_of
from chaos.planted.planting import Edit, Plant, PlantLost, rewritten
from chaos.planted.record import RECORD, check_names, unit_tests_of
from fixtures.outcome import Verdict

FORGOTTEN = Edit("services.portfolio.positions:book", "+ fill.fee_minor", "")


@pytest.mark.real_time  # The world has a loop of its own.
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_bug_is_found(plant: Plant) -> None:
    assert find(plant), f"{plant.check} let {plant.name} pass in {plant.experiment}"


@pytest.mark.real_time
@pytest.mark.parametrize(("name", "seed"), runs_of(PLANTS))
def test_the_right_build_raises_no_alarm(name: str, seed: int) -> None:
    outcome = outcome_of(name, seed)
    assert outcome.verdict is Verdict.PASSED, outcome.reason


def test_a_bug_is_there_as_long_as_it_is_planted() -> None:
    book, _ = rewritten(FORGOTTEN)
    right = book.__code__
    with Plant("forgotten", "", (FORGOTTEN,), "", "").sown():
        assert book.__code__ is not right
    assert book.__code__ is right


@pytest.mark.parametrize(
    "lost",
    [
        Edit(FORGOTTEN.where, "what is no more there", ""),
        Edit(FORGOTTEN.where, "position", "twice and more"),
        Edit("services.portfolio.positions:gone", "", ""),
        Edit("services.portfolio.positions:Position.gone", "", ""),
        Edit("services.portfolio.positions:FLAT", "", ""),
    ],
    ids=lambda edit: edit.where + edit.after,
)
def test_what_cannot_be_planted_any_more_is_an_error(lost: Edit) -> None:
    with pytest.raises(PlantLost), Plant("lost", "", (lost,), "", "").sown():
        pass


def test_the_record_has_every_plant_and_no_other() -> None:
    assert rows(0) == [plant.name for plant in PLANTS], "run `make track-record`"


def test_every_check_was_seen_to_fail() -> None:
    assert set(rows(1)) >= check_names(), "run `make track-record`"
    unseen = [name for name in check_names() if not unit_tests_of(name)]
    assert not unseen, "make a history by hand that each of them finds something wrong with"


def rows(section: int) -> list[str]:
    """Return what the rows of a section of the record are about."""
    lines = RECORD.read_text(encoding="utf-8").split("\n## ")[section].splitlines()
    return [line.split("`")[1] for line in lines if line.startswith("| `")]
