"""What a table refuses to hold, in words that mean the same in SQLite and in MySQL.

Revisions use them too: never change what one of them means, add another.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ColumnElement, ForeignKeyConstraint
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

DECIMAL_PATTERN = "^-?[0-9]+([.][0-9]+)?$"


class IsDecimal(ColumnElement[bool]):
    """Whether a text is an exact decimal: SQLite has no regular expressions, MySQL no GLOB."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: str, *, is_signed: bool, is_optional: bool) -> None:
        self.column = column
        self.is_signed = is_signed
        self.is_optional = is_optional


@compiles(IsDecimal, "sqlite")
def _globs(element: IsDecimal, _compiler: SQLCompiler, **_options: Any) -> str:
    name = element.column
    digits = f"ltrim({name}, '-')" if element.is_signed else name
    tests = [
        f"{name} NOT GLOB '*[^-.0-9]*'",
        f"{name} NOT GLOB '?*-*'",
        f"{name} NOT GLOB '*.*.*'",
        f"{name} GLOB '*[0-9]'",
        f"{digits} GLOB '[0-9]*'",
    ]
    return _unless_empty(element, " AND ".join(tests))


@compiles(IsDecimal)
def _pattern(element: IsDecimal, _compiler: SQLCompiler, **_options: Any) -> str:
    pattern = DECIMAL_PATTERN if element.is_signed else DECIMAL_PATTERN.replace("-?", "")
    return _unless_empty(element, f"{element.column} REGEXP '{pattern}'")


def _unless_empty(element: IsDecimal, test: str) -> str:
    return f"{element.column} = '' OR ({test})" if element.is_optional else test


def decimals(*columns: str, is_optional: bool = False) -> list[CheckConstraint]:
    """Refuse texts that are no decimals, such as "1e5" and ".5"; optional ones may be empty."""
    return [_decimal(name, is_signed=True, is_optional=is_optional) for name in columns]


def amounts(*columns: str, is_optional: bool = False) -> list[CheckConstraint]:
    """Refuse texts that are no decimals from zero up."""
    return [_decimal(name, is_signed=False, is_optional=is_optional) for name in columns]


def flags(*columns: str) -> list[CheckConstraint]:
    """Refuse what is neither 0 nor 1."""
    return [CheckConstraint(f"{name} IN (0, 1)", name=name) for name in columns]


def at_least(least: int, *columns: str) -> list[CheckConstraint]:
    """Refuse numbers below `least`; NULL passes."""
    return [CheckConstraint(f"{name} >= {least}", name=name) for name in columns]


def within(column: str, first: int, last: int) -> CheckConstraint:
    """Refuse numbers of no member of an enumeration."""
    return CheckConstraint(f"{column} BETWEEN {first} AND {last}", name=column)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """Refuse other texts; NULL passes."""
    texts = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({texts})", name=column)


def names(*columns: str) -> list[CheckConstraint]:
    """Refuse empty texts, and a blank at the end, which MySQL would not tell from none."""
    return [
        CheckConstraint(f"{name} <> '' AND substr({name}, -1) <> ' '", name=name)
        for name in columns
    ]


def currencies(*columns: str, is_optional: bool = False) -> list[CheckConstraint]:
    """Refuse texts that are not three to five characters long."""
    rule = "BETWEEN 3 AND 5"
    if is_optional:
        return [_of_length(name, f"length({name}) {rule} OR {name} = ''") for name in columns]
    return [_of_length(name, f"length({name}) {rule}") for name in columns]


def refers(columns: Sequence[str], to: str, key: Sequence[str] = ()) -> ForeignKeyConstraint:
    """Refuse rows of which the other row is not there, and removing that one before them."""
    targets = [f"{to}.{name}" for name in key or columns]
    return ForeignKeyConstraint(columns, targets, ondelete="RESTRICT", onupdate="RESTRICT")


def _decimal(name: str, *, is_signed: bool, is_optional: bool) -> CheckConstraint:
    test = IsDecimal(name, is_signed=is_signed, is_optional=is_optional)
    return CheckConstraint(test, name=name)


def _of_length(name: str, rule: str) -> CheckConstraint:
    return CheckConstraint(rule, name=name)
