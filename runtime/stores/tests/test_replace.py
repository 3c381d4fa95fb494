from typing import Any

import pytest
from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, String, select
from sqlalchemy.dialects.mysql import dialect as mysql_dialect

from runtime.stores import Database
from runtime.stores.replace import replace_into
from runtime.stores.schema import table

metadata = MetaData()
things = table(
    "things",
    metadata,
    Column("name", String(8), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("note", String(8), nullable=False, server_default="none"),
)
parts = table(
    "parts",
    metadata,
    Column("thing", ForeignKey("things.name", ondelete="RESTRICT"), primary_key=True),
)
REPLACE, REPLACE_PARTS = replace_into(things), replace_into(parts)


def work(tx: Connection) -> list[tuple[object, ...]]:
    tx.execute(REPLACE, [{"name": "a", "size": 1}, {"name": "b", "size": 2}])
    tx.execute(things.update().values(note="kept"))
    tx.execute(REPLACE_PARTS, {"thing": "a"})
    tx.execute(REPLACE_PARTS, {"thing": "a"})
    tx.execute(REPLACE, {"name": "a", "size": 3})  # Twice: the second goes the short way.
    tx.execute(REPLACE, {"name": "a", "size": 4})
    return [tuple(row) for row in tx.execute(select(things).order_by("name"))]


STORED = [("a", 4, "kept"), ("b", 2, "kept")]


async def test_a_row_takes_the_place_of_the_one_with_its_key_and_stays_referred_to() -> None:
    database = Database.inline_memory()
    await database.write(metadata.create_all)
    assert await database.write(work) == STORED


@pytest.mark.real_time
async def test_the_same_holds_on_a_server(mysql: Any) -> None:
    database = Database.at_url(await mysql.fresh())
    await database.write(metadata.create_all)
    assert await database.write(work) == STORED
    await database.close()


def test_newer_mysql_is_asked_in_its_own_words() -> None:
    dialect = mysql_dialect()
    dialect._requires_alias_for_on_duplicate_key = True
    text = str(REPLACE.compile(dialect=dialect, column_keys=["name", "size"]))
    assert text.endswith(" AS new ON DUPLICATE KEY UPDATE size = new.size")
