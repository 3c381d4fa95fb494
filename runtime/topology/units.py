"""Quantities with their units, as files write them: `0.5 ms`, `1 Gbit/s`, `512 MiB`.

Read and written exactly, in decimals. A time becomes seconds, a rate bytes per second and a size
bytes; the last two are whole.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from runtime.topology.findings import Wrong, any_of, near

NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?")
QUANTITY = re.compile(rf"(?P<number>{NUMBER.pattern})(?P<gap> ?)(?P<unit>[A-Za-z]\S*)?")

TIMES = {"ms": Decimal("0.001"), "s": Decimal(1)}
# k, M and G are powers of ten here; only sizes in memory have the powers of two.
RATES = {
    "kbit/s": Decimal(125),
    "Mbit/s": Decimal(125_000),
    "Gbit/s": Decimal(125_000_000),
    "kB/s": Decimal(1_000),
    "MB/s": Decimal(1_000_000),
}
SIZES = {"MiB": Decimal(2**20), "GiB": Decimal(2**30)}


def seconds(text: object) -> float:
    """Return a time in seconds; raises Wrong when it is none."""
    return float(_quantity(text, TIMES, example="0.5 ms"))


def bytes_per_second(text: object) -> int:
    """Return a rate in bytes per second; raises Wrong when it is none, or not whole."""
    return _whole(_quantity(text, RATES, example="100 Mbit/s"), "bytes per second", "100 Mbit/s")


def size_in_bytes(text: object) -> int:
    """Return a size in bytes; raises Wrong when it is none, or not whole."""
    return _whole(_quantity(text, SIZES, example="512 MiB"), "bytes", "512 MiB")


def number(text: object) -> Decimal:
    """Return a plain decimal number; raises Wrong when it is none."""
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise Wrong(fix="write a number without a unit, such as 1.5")
    return Decimal(text)


def write_seconds(value_s: float) -> str:
    """Return a time as files write it: the text that `seconds` reads as the same number."""
    return _written(Decimal(repr(value_s)), TIMES, ("s", "ms"))


def write_rate(value_bytes_s: int) -> str:
    """Return a rate as files write it, in bits."""
    return _written(Decimal(value_bytes_s), RATES, ("Gbit/s", "Mbit/s", "kbit/s"))


def write_size(value_bytes: int) -> str:
    """Return a size as files write it."""
    return _written(Decimal(value_bytes), SIZES, ("GiB", "MiB"))


def _quantity(text: object, units: Mapping[str, Decimal], *, example: str) -> Decimal:
    found = QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Wrong(fix=f"write a number and a unit, such as {example}")
    unit = found["unit"]
    if unit in units:
        return Decimal(found["number"]) * units[unit]
    meant = near(unit or "", units)
    if meant:
        raise Wrong(fix=f"write {found['number']} {meant}")
    problem = f"{unit} is no unit of it" if unit else "add the unit"
    raise Wrong(fix=f"{problem}, write {found['number']} {any_of(units)}")


def _whole(value: Decimal, of_what: str, example: str) -> int:
    if value != value.to_integral_value():
        raise Wrong(fix=f"it comes to {_plain(value)} {of_what}, choose a whole one as {example}")
    return int(value)


def _written(value: Decimal, units: Mapping[str, Decimal], names: tuple[str, ...]) -> str:
    """Return `value` in the largest of `names` that is no larger and needs few digits."""
    for name in names:
        text = _plain(value / units[name])
        if value >= units[name] and NUMBER.fullmatch(text):
            return f"{text} {name}"
    return f"{text} {name}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
