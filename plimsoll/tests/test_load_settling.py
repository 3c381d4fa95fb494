"""What is late at the end of a load run is waited for; what never comes is lost."""

import pytest

from loadtests.traffic import settling


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "STILL_S", 0.0)


class Late:
    """Things under way, of which each look sees one arrive until some are left for good."""

    def __init__(self, under_way: int, *, lost: int) -> None:
        self.count, self._lost = under_way, lost
        self.looks = 0

    async def look(self) -> None:
        self.looks += 1
        self.count = max(self._lost, self.count - 1)


@pytest.mark.parametrize("lost", [0, 2])
async def test_it_is_waited_for_while_it_becomes_less(lost: int) -> None:
    late = Late(5, lost=lost)
    await settling.dwindled(lambda: late.count, late.look)
    assert late.count == lost


async def test_nobody_waits_for_what_never_comes() -> None:
    late = Late(2, lost=2)
    await settling.dwindled(lambda: late.count, late.look)
    assert late.looks == 1


async def test_what_is_counted_is_looked_at_once_where_nothing_is_left() -> None:
    late = Late(0, lost=0)
    await settling.dwindled(lambda: late.count, late.look)
    assert late.looks == 1
