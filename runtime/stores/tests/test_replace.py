from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, select
from sqlalchemy.dialects import mysql

from runtime.stores import Database
from runtime.stores.replace import replace_into

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("name", String(8), primary_key=True),
    Column("size", Integer, nullable=False),
)
REPLACE = replace_into(things)


async def test_a_row_is_stored_in_place_of_the_one_with_its_key() -> None:
    database = Database.inline_memory()
    await database.create(metadata)

    def work(tx: Connection) -> list[tuple[str, int]]:
        tx.execute(REPLACE, [{"name": "a", "size": 1}, {"name": "b", "size": 2}])
        tx.execute(REPLACE, {"name": "a", "size": 3})
        return [(row.name, row.size) for row in tx.execute(select(things).order_by("name"))]

    assert await database.write(work) == [("a", 3), ("b", 2)]


def test_mysql_has_its_own_word_for_it() -> None:
    text = str(REPLACE.compile(dialect=mysql.dialect()))
    assert text.startswith("REPLACE INTO things")
