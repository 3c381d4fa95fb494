"""What strategy keeps is the same on every store: the rules of its store functions."""

from dataclasses import replace
from typing import Any

import pytest

from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from services.strategy import signal_store, store
from services.strategy import tables as t
from services.strategy.hosted import Hosted, State, Track
from services.strategy.positions import Fill, Position
from services.strategy.terms import Outcome
from services.strategy.tests.mothers import setting

pytestmark = pytest.mark.real_time
HUGE = 2**62
HUGE_ATTO = 10**36


def hosted(strategy_id: str, *instruments: str, **changes: Any) -> Hosted:
    tracks = {name: Track(name, 10**16, 10**18) for name in instruments}
    values: dict[str, Any] = {"strategy_id": strategy_id, "number": 0, "config": setting().config}
    values |= {"instruments": instruments, "tracks": tracks, "created_ns": HUGE}
    return Hosted(**(values | changes))


async def strategies_come_back_oldest_first(do: Script) -> None:
    first, second = hosted("z", "B.XSIM", "A.XSIM"), hosted("Z", "A.XSIM", last_error="»💥«")
    numbers = [await do(store.insert_strategy, one, b"\x00" * 70_000) for one in (first, second)]
    assert numbers == [1, 2]
    changed = replace(first, config_version=2, revision=HUGE, state=State.PAUSED, anchor_ns=7)
    await do(store.insert_version, changed, b"two")
    await do(store.update_strategies, [replace(changed, is_stopping=True)])
    found = await do(store.load)
    assert [row.strategy_id for row, _ in found] == ["z", "Z"]
    (row, version), (_, other) = found
    assert (version.config, version.instruments, other.config) == (
        b"two",
        "B.XSIM,A.XSIM",
        b"\x00" * 70_000,
    )
    again = store.restored(row, changed.config, {})
    assert (again.state, again.is_stopping, again.anchor_ns) == (State.PAUSED, True, 7)


MEMORY: dict[str, Any] = {"numbers": [0.1, 1e-300, -0.0, 2**60], "text": "ö"}


async def what_is_remembered_of_instruments_comes_back(do: Script) -> None:
    held = Position(-HUGE_ATTO, HUGE_ATTO * HUGE_ATTO, HUGE, 2, "s-1", is_halved=True)
    track = Track("A.XSIM", 10**16, 10**18, MEMORY, held, is_primed=True, has_range=False)
    await do(store.update_states, [("z", track)])
    await do(store.update_states, [])
    await do(store.update_positions, [("z", track)])
    await do(store.update_positions, [])
    tracks = await do(store.load_tracks)
    assert list(tracks) == [("Z", "A.XSIM"), ("z", "A.XSIM"), ("z", "B.XSIM")]
    assert tracks["z", "A.XSIM"] == track
    await do(store.insert_tracks, {"strategy_id": "Z"}, [Track("C.XSIM", 1, 1)])
    assert ("Z", "C.XSIM") in await do(store.load_tracks)


def evaluation(strategy_id: str, instrument: str, minute: int, **changes: Any) -> dict[str, Any]:
    row = {"strategy_id": strategy_id, "instrument": instrument, "candle_open_ns": minute}
    row |= {"candle_close_ns": minute + 1, "close_atto": str(HUGE_ATTO), "sequence": minute}
    row |= {"bar_count": 5, "config_version": 1, "outcome": Outcome.NOTHING.value}
    return row | {"is_intrabar_unknown": 1, "latency_ns": -1} | changes


async def the_last_evaluation_tells_where_an_instrument_stands(do: Script) -> None:
    made = [evaluation("z", "A.XSIM", 3), evaluation("z", "A.XSIM", 2), evaluation("Z", "Q", 9)]
    await do(signal_store.insert_evaluations, made)
    await do(signal_store.insert_evaluations, [])
    last = await do(signal_store.last_evaluation, "z", "A.XSIM")
    assert last is not None
    assert (last.candle_open_ns, last.is_intrabar_unknown) == (3, 1)
    assert await do(signal_store.last_evaluation, "z", "B.XSIM") is None
    assert await do(signal_store.last_candle) == 9
    counts = await do(signal_store.outcome_counts)
    assert [(name, number) for name, _, number in counts] == [("Z", 1), ("z", 2)]
    assert (await do(store.load_tracks))["z", "A.XSIM"].last_close_atto == HUGE_ATTO


async def an_instrument_that_is_given_up_does_not_come_back(do: Script) -> None:
    await do(store.replace_tracks, hosted("z", "B.XSIM"))
    tracks = await do(store.load_tracks)
    assert [key for key in tracks if key[0] == "z"] == [("z", "B.XSIM")]


async def fills_are_kept_once_and_in_order(do: Script) -> None:
    row = {"strategy_id": "z", "instrument": "A.XSIM", "quantity_atto": str(-HUGE_ATTO)}
    row |= {"price_atto": str(HUGE_ATTO)}
    rows = [row | {"fill_id": f"XSIM:{n}", "time_ns": 9 - n, "signal_id": "s"} for n in (2, 1)]
    await do(store.insert_fills, rows)
    await do(store.insert_fills, [])
    assert await do(store.known_fills, ["XSIM:1", "xsim:2", "XSIM:3"]) == {"XSIM:1"}
    assert await do(store.known_fills, []) == set()
    fill = {"k_fill": "XSIM:1", "new_quantity": "0", "new_price": "5"}
    await do(store.set_fills, [fill])
    await do(store.set_fills, [])
    assert await do(store.fills_of, "z", "A.XSIM") == [
        Fill("XSIM:2", -HUGE_ATTO, HUGE_ATTO, 7, "s"),
        Fill("XSIM:1", 0, 5, 8, "s"),
    ]
    assert await do(store.fills_of, "Z", "A.XSIM") == []


async def cursors_go_where_they_are_set(do: Script) -> None:
    assert await do(store.cursor, "candles") == 0
    await do(store.set_cursor, "candles", HUGE)
    await do(store.set_cursor, "nobody", 1)
    assert await do(store.cursor, "candles") == HUGE


async def signals_are_read_behind_a_sequence_and_listed(do: Script) -> None:
    def signal(number: int, sequence: int | None, **changes: Any) -> dict[str, Any]:
        row: dict[str, Any] = {"signal_id": f"s-{number}", "sequence": sequence}
        row |= {"strategy_id": "z"}
        row |= {"instrument": "A.XSIM", "status": 1, "payload": bytes([number])}
        return row | changes

    async def numbers(number: int = 0, sequence: int = 0, count: int = 9, **wanted: Any) -> str:
        after = (number, sequence)
        found = await do(signal_store.list_signals, wanted, after, count)
        return "".join(str(row.number) for row in found)

    assert await do(signal_store.last_sequence) == 0
    made = [signal(1, 1), signal(2, None, status=2), signal(3, 2, strategy_id="Z")]
    await do(signal_store.insert_signals, made)
    await do(signal_store.insert_signals, [])
    assert await do(signal_store.last_sequence) == 2
    assert await do(signal_store.published_after, 0, 9) == [(1, b"\x01"), (2, b"\x03")]
    assert await do(signal_store.published_after, 1, 1) == [(2, b"\x03")]
    found = await do(signal_store.signals_by_id, ["s-3", "S-1", "s-1"])
    assert list(found.items()) == [("s-1", b"\x01"), ("s-3", b"\x03")]
    assert await do(signal_store.signals_by_id, []) == {}
    assert await do(signal_store.status_counts) == [("Z", 1, 1), ("z", 1, 1), ("z", 2, 1)]
    assert await numbers() == "123"
    assert await numbers(number=1, count=1) == "2"
    assert await numbers(sequence=1) == "3"
    assert await numbers(strategy_id="z", status=1) == "1"
    assert await numbers(instrument="a.xsim") == ""


RULES = (
    strategies_come_back_oldest_first,
    what_is_remembered_of_instruments_comes_back,
    the_last_evaluation_tells_where_an_instrument_stands,
    an_instrument_that_is_given_up_does_not_come_back,
    fills_are_kept_once_and_in_order,
    cursors_go_where_they_are_set,
    signals_are_read_behind_a_sequence_and_listed,
)

# At the start of an instance, once: counts, by an index alone; and a row for each strategy,
# version and instrument.
READ_WHOLE = {
    "services.strategy.signal_store.outcome_counts",
    "services.strategy.signal_store.status_counts",
    "services.strategy.store.load",
    "services.strategy.store.load_tracks",
}


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each store that is compared with the one in memory."""
    return chosen(request)


async def test_every_store_answers_as_memory_does(
    kind: str, request: pytest.FixtureRequest
) -> None:
    await compare(kind, request, t.metadata, RULES)


async def test_no_store_function_is_without_a_rule() -> None:
    assert await uncalled("services.strategy", t.metadata, RULES) == set()


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
