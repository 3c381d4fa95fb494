"""What a serving process spares the garbage collector."""

import gc
from collections.abc import Iterator

import pytest

from services.host.garbage import THRESHOLDS, spare_what_stays


@pytest.fixture
def collector() -> Iterator[None]:
    """Leave the collector of this process as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_what_is_there_when_a_process_begins_to_serve_is_not_looked_through_again() -> None:
    there = [[number] for number in range(1_000)]
    spare_what_stays()
    assert gc.get_freeze_count() > len(there)
    assert not any(found is there for found in gc.get_objects())
    assert gc.get_threshold() == THRESHOLDS
