"""The short way gives what SQLAlchemy gives: same rows, same counts, same errors."""

import enum
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.pool import StaticPool

from runtime.stores.hot import Done, HotConnection


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), unique=True),
    Column("count", BigInteger),
    Column("ratio", Float),
    Column("amount", Numeric(20, 4)),
    Column("is_open", Boolean),
    Column("colour", Enum(Colour)),
    Column("body", LargeBinary),
    Column("facts", JSON),
    Column("at", DateTime),
)
PAIRS = Table(
    "pairs",
    METADATA,
    Column("left", String(9), primary_key=True),
    Column("right", String(9), primary_key=True),
    Column("note", String(9), default=lambda: "made"),
)
THING: dict[str, Any] = {
    "name": "first",
    "count": 2**40,
    "ratio": 0.5,
    "amount": Decimal("12.3400"),
    "is_open": True,
    "colour": Colour.BLUE,
    "body": b"\x00\xff",
    "facts": {"a": [1, None]},
    "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None),
}


@pytest.fixture
def hot() -> Iterator[Connection]:
    yield from opened(HotConnection)


@pytest.fixture
def plain() -> Iterator[Connection]:
    yield from opened(Connection)


def opened(kind: type[Connection]) -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=StaticPool, isolation_level="AUTOCOMMIT")
    engine._connection_cls = kind
    METADATA.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def both(hot: Connection, plain: Connection, statement: Any, *parameters: Any) -> list[Any]:
    """Return what both connections answer."""
    return [plain.execute(statement, *parameters), hot.execute(statement, *parameters)]


def test_every_type_is_written_and_read_alike(hot: Connection, plain: Connection) -> None:
    add, find = insert(THINGS), select(THINGS).where(THINGS.c.name == bindparam("wanted"))
    for name in ("a", "b", "c"):
        row = THING | {"name": name}
        expected, found = both(hot, plain, add, row)
        assert tuple(expected.inserted_primary_key) == tuple(found.inserted_primary_key)
        expected, found = (r.one() for r in both(hot, plain, find, {"wanted": name}))
        assert tuple(found) == tuple(expected)
        assert found._mapping == expected._mapping
        assert found._mapping[THINGS.c.colour] is found.colour is Colour.BLUE
        assert found.amount == THING["amount"]
    assert isinstance(hot.execute(add, THING), Done)


def test_every_way_to_take_rows_works(hot: Connection) -> None:
    add, find = insert(THINGS), select(THINGS.c.id, THINGS.c.name).order_by(THINGS.c.id)
    for name in ("a", "b", "c"):
        hot.execute(add, {"name": name})
    for _ in range(3):
        assert hot.execute(find).scalars().all() == [1, 2, 3]
        assert hot.execute(find).first() == (1, "a")
        assert [row.name for row in hot.execute(find)] == ["a", "b", "c"]
        assert hot.execute(find).mappings().all()[1] == {"id": 2, "name": "b"}
        assert hot.execute(find).fetchall()[2] == (3, "c")
    count = select(func.count()).select_from(THINGS)
    assert [hot.execute(count).scalar_one() for _ in range(3)] == [3, 3, 3]
    nothing = find.where(THINGS.c.id > 99)
    assert [hot.execute(nothing).one_or_none() for _ in range(3)] == [None] * 3


def test_statement_derived_from_a_hot_one_is_its_own(hot: Connection) -> None:
    add, find = insert(THINGS), select(THINGS.c.id)
    for name in ("a", "b", "c"):
        hot.execute(add, {"name": name})
        hot.execute(find)
    narrowed = find.where(THINGS.c.name == "b")
    assert [hot.execute(narrowed).scalars().all() for _ in range(3)] == [[2]] * 3
    assert hot.execute(find).scalars().all() == [1, 2, 3]
    assert hot.execute(find.limit(2)).scalars().all() == [1, 2]


def test_other_parameters_make_another_statement(hot: Connection) -> None:
    add, change = insert(THINGS), update(THINGS).where(THINGS.c.name == bindparam("wanted"))
    for name in ("a", "b", "c"):
        hot.execute(add, {"name": name})
        hot.execute(change, {"wanted": name, "count": 7})
        hot.execute(change, {"wanted": name, "ratio": 0.25})
    hot.execute(add, {"name": "d", "count": 1, "ratio": 1.0})
    rows = hot.execute(select(THINGS.c.name, THINGS.c.count, THINGS.c.ratio)).all()
    assert rows == [("a", 7, 0.25), ("b", 7, 0.25), ("c", 7, 0.25), ("d", 1, 1.0)]


def test_many_rows_and_counts_are_alike(hot: Connection, plain: Connection) -> None:
    add, remove = insert(THINGS), delete(THINGS).where(THINGS.c.count >= bindparam("least"))
    for start in (0, 10, 20):
        rows = [{"name": f"{start + i}", "count": i} for i in range(10)]
        both(hot, plain, add, rows)
    for least, expected in ((9, 3), (8, 3), (99, 0)):
        assert [r.rowcount for r in both(hot, plain, remove, {"least": least})] == [expected] * 2


def test_broken_constraint_is_the_same_error(hot: Connection) -> None:
    add = insert(THINGS)
    hot.execute(add, {"name": "a"})
    hot.execute(add, {"name": "b"})
    for parameters in ({"name": "a"}, [{"name": "c"}, {"name": "a"}]):
        with pytest.raises(IntegrityError, match="UNIQUE constraint failed"):
            hot.execute(add, parameters)


def test_missing_parameter_is_an_error(hot: Connection) -> None:
    find = select(THINGS).where(THINGS.c.name == bindparam("wanted"))
    hot.execute(find, {"wanted": "a"})
    hot.execute(find, {"wanted": "a"})
    with pytest.raises((KeyError, StatementError), match="wanted"):
        hot.execute(find, {"other": "a"})


def test_unusual_statements_go_the_ordinary_way(hot: Connection) -> None:
    pair, listed = insert(PAIRS), select(PAIRS.c.note).where(PAIRS.c.left.in_(bindparam("few")))
    returning = insert(THINGS).returning(THINGS.c.id)
    for left in ("a", "b", "c"):
        found = hot.execute(pair, {"left": left, "right": "x"})
        assert tuple(found.inserted_primary_key or ()) == (left, "x")
        assert hot.execute(returning, {"name": left}).scalar_one() > 0
        assert hot.execute(listed, {"few": ["a", left]}).scalars().all()[0] == "made"


@pytest.mark.parametrize("kind", ["name", "colour", "at"])
def test_lists_of_every_length_find_alike(hot: Connection, plain: Connection, kind: str) -> None:
    names = [f"n{index}" for index in range(70)]
    both(hot, plain, insert(THINGS), [THING | {"name": name} for name in names])
    column, least = THINGS.c[kind], THINGS.c.id > bindparam("after")
    find = select(THINGS.c.id).where(least, column.in_(bindparam("few", expanding=True)), least)
    items = names if kind == "name" else [THING[kind]] * len(names)
    for size in (1, 2, 2, 0, 1, 70, 70, 2, 0):
        sought = {"after": 1, "few": items[:size]}
        expected, found = (r.all() for r in both(hot, plain, find.order_by(THINGS.c.id), sought))
        again = hot.execute(find, {"few": items[:size], "after": 1}).all()
        assert [tuple(row) for row in found] == [tuple(row) for row in expected]
        assert sorted(again) == found


def test_rows_are_changed_and_removed_by_lists(hot: Connection, plain: Connection) -> None:
    both(hot, plain, insert(THINGS), [THING | {"name": name} for name in "abcdef"])
    chosen = THINGS.c.name.in_(bindparam("few", expanding=True))
    change, remove = update(THINGS).where(chosen), delete(THINGS).where(chosen)
    for few in (["a"], ["b"], ["c", "d"], ["e", "f"], []):
        changed = both(hot, plain, change, {"few": few, "count": len(few)})
        assert [answer.rowcount for answer in changed] == [len(few)] * 2
    kept = select(THINGS.c.name, THINGS.c.count)
    assert both(hot, plain, kept)[1].all() == both(hot, plain, kept)[0].all()
    for few in (["a"], ["b"], ["c", "nobody"]):
        assert len({answer.rowcount for answer in both(hot, plain, remove, {"few": few})}) == 1


def test_a_list_is_not_for_many_sets_of_parameters(hot: Connection, plain: Connection) -> None:
    remove = delete(THINGS).where(THINGS.c.name.in_(bindparam("few", expanding=True)))
    for connection in (plain, hot, hot, hot):
        connection.execute(remove, {"few": ["a"]})
        with pytest.raises(StatementError, match="expanding"):
            connection.execute(remove, [{"few": ["a"]}, {"few": ["b"]}])


def test_key_given_by_the_caller_is_the_inserted_one(hot: Connection) -> None:
    pair = insert(PAIRS)
    for left in ("a", "b", "c"):
        found = hot.execute(pair, {"left": left, "right": "x", "note": "mine"})
        assert tuple(found.inserted_primary_key or ()) == (left, "x")
    assert isinstance(found, Done)
