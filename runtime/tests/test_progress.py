from hypothesis import given
from hypothesis import strategies as st

from runtime.progress import Progress, lag

marks = st.lists(st.integers(0, 1_000))


@given(marks, marks)
def test_lag_is_what_was_written_and_not_read(written: list[int], read: list[int]) -> None:
    writer, reader = Progress(), Progress()
    for sequence in written:
        writer.wrote("candles", sequence)
    for sequence in read:
        reader.has_read("candles", sequence)
    behind = max(written, default=0) - max(read, default=0)
    expected = {"risk<candles": behind} if read and behind > 0 else {}
    assert lag({"marketdata": writer, "risk": reader}) == expected


@given(marks)
def test_marks_never_go_back(sequences: list[int]) -> None:
    progress = Progress()
    for sequence in sequences:
        progress.wrote("orders", sequence)
        progress.has_read("candles", sequence)
    assert progress.written.get("orders", 0) == max(sequences, default=0)
    assert progress.read == ({"candles": max(sequences)} if sequences else {})


def test_every_reader_is_awaited_by_itself() -> None:
    orders, risk, strategy = Progress(), Progress(), Progress()
    orders.wrote("order_events", 5)
    risk.has_read("order_events", 5)
    strategy.has_read("order_events", 3)
    services = {"orders": orders, "risk": risk, "strategy": strategy}
    assert lag(services) == {"strategy<order_events": 2}
    strategy.has_read("order_events", 5)
    assert lag(services) == {}


def test_work_in_hand_counts_until_it_ends_however_it_ends() -> None:
    progress = Progress()
    try:
        with progress.working("submit"), progress.working("submit"):
            assert lag({"orders": progress}) == {"orders:submit": 2}
            raise KeyError("x")
    except KeyError:
        pass
    assert lag({"orders": progress}) == {}


def test_reader_that_never_read_is_behind_once_it_says_it_reads() -> None:
    writer, reader = Progress(), Progress()
    writer.wrote("signals", 4)
    reader.has_read("signals", 0)
    assert lag({"strategy": writer, "orders": reader}) == {"orders<signals": 4}
