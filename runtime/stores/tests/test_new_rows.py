import pytest
from sqlalchemy import CheckConstraint, Column, Connection, Integer, MetaData, String, Table, select
from sqlalchemy.exc import IntegrityError

from runtime.stores import Database
from runtime.stores.new_rows import NewRows

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("name", String(8), primary_key=True),
    Column("size", Integer, CheckConstraint("size > 0"), nullable=False),
)
NEW = NewRows(things)


async def opened() -> Database:
    database = Database.inline_memory()
    await database.create(metadata)
    return database


async def test_a_row_is_new_once_and_stays_as_it_was_first() -> None:
    def work(tx: Connection) -> list[object]:
        answers: list[object] = [NEW.add(tx, {"name": "a", "size": size}) for size in (1, 2, 3)]
        return [*answers, tx.execute(select(things.c.size)).scalars().all()]

    assert await (await opened()).write(work) == [True, False, False, [1]]


@pytest.mark.parametrize("size", [0, None], ids=["against_a_check", "null"])
async def test_only_a_known_key_is_passed_over(size: int | None) -> None:
    database = await opened()
    with pytest.raises(IntegrityError):
        await database.write(lambda tx: NEW.add(tx, {"name": "a", "size": size}))
