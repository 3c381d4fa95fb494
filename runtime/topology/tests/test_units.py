"""Quantities are read exactly, written as they are read, and refused with the unit to use."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.topology import units
from runtime.topology.findings import Wrong


@pytest.mark.parametrize(
    ("text", "value_s"), [("0.5 ms", 0.0005), ("0 ms", 0), ("1.5 s", 1.5), ("200ms", 0.2)]
)
def test_a_time_is_read_in_seconds(text: str, value_s: float) -> None:
    assert units.seconds(text) == value_s


@pytest.mark.parametrize(
    ("text", "value_bytes_s"),
    [
        ("1 Gbit/s", 125_000_000),
        ("100 Mbit/s", 12_500_000),
        ("8 kbit/s", 1_000),
        ("256 kB/s", 256_000),
        ("1.5 MB/s", 1_500_000),
    ],
)
def test_a_rate_is_read_in_whole_bytes_per_second(text: str, value_bytes_s: int) -> None:
    assert units.bytes_per_second(text) == value_bytes_s


def test_a_size_is_read_in_powers_of_two() -> None:
    assert units.size_in_bytes("512 MiB") == 512 * 2**20
    assert units.size_in_bytes("0.5 GiB") == 2**29


@pytest.mark.parametrize(
    ("read", "text", "fix"),
    [
        (units.seconds, "5", "add the unit, write 5 ms or s"),
        (units.seconds, "5 MS", "write 5 ms"),
        (units.seconds, "5 MiB", "MiB is no unit of it, write 5 ms or s"),
        (units.seconds, "-5 ms", "write a number and a unit, such as 0.5 ms"),
        (units.seconds, "1e3 ms", "write a number and a unit, such as 0.5 ms"),
        (units.seconds, None, "write a number and a unit, such as 0.5 ms"),
        (units.bytes_per_second, "10 gbit/s", "write 10 Gbit/s"),
        (units.bytes_per_second, "10 kb/s", "write 10 kB/s"),
        (
            units.bytes_per_second,
            "0.001 kbit/s",
            "it comes to 0.125 bytes per second, choose a whole one as 100 Mbit/s",
        ),
        (units.size_in_bytes, "512 MB", "write 512 MiB"),
        (units.size_in_bytes, ["512 MiB"], "write a number and a unit, such as 512 MiB"),
        (units.number, "2 cores", "write a number without a unit, such as 1.5"),
        (units.number, "inf", "write a number without a unit, such as 1.5"),
    ],
)
def test_what_is_no_quantity_is_refused_with_what_to_write(
    read: object, text: object, fix: str
) -> None:
    assert callable(read)
    with pytest.raises(Wrong) as refused:
        read(text)
    assert refused.value.fix == fix


numbers = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=9)


@given(numbers, st.sampled_from(["ms", "s"]))
def test_a_time_is_written_as_it_is_read(number: Decimal, unit: str) -> None:
    value_s = units.seconds(f"{number:f} {unit}")
    assert units.seconds(units.write_seconds(value_s)) == value_s


@given(st.integers(0, 10**13))
def test_a_rate_is_written_as_it_is_read(value_bytes_s: int) -> None:
    assert units.bytes_per_second(units.write_rate(value_bytes_s)) == value_bytes_s


@given(st.integers(0, 2**30), st.integers(0, 9))
def test_a_size_is_written_as_it_is_read(count: int, halvings: int) -> None:
    value_bytes = units.size_in_bytes(f"{Decimal(count) / 2**halvings:f} MiB")
    assert value_bytes == count * 2**20 // 2**halvings
    assert units.size_in_bytes(units.write_size(value_bytes)) == value_bytes
