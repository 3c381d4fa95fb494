"""What every table here is made of, so that it means the same in SQLite and in MySQL.

Revisions of schemas use these names too: never change what one of them means, add another.

Instants are nanoseconds since 1970 in UTC in a BIGINT: exact, and finer than the microseconds
of a DATETIME. Decimals are exact texts or whole numbers: SQLite has no exact decimal column,
and attos outgrow 64 bits. Texts compare by code point in both: utf8mb4_bin is the order of
SQLite's BINARY. MySQL pads with blanks when it compares, which no name here may end with.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import SchemaItem

NAMES = {
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
ENGINE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

COUNTER = BigInteger().with_variant(Integer, "sqlite")  # Only INTEGER counts up by itself there.
BYTES = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")  # 16 MiB; a BLOB ends at 64 KiB.
DIGEST = LargeBinary(32).with_variant(mysql.VARBINARY(32), "mysql")
LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")  # A TEXT ends at 64 KiB.
DECIMAL = String(48)  # -999999999999999999.999999999999999999 and a little more.


def new_metadata() -> MetaData:
    """Return the metadata of one service, in which every constraint has a name."""
    return MetaData(naming_convention=NAMES)


def table(name: str, metadata: MetaData, *items: SchemaItem, **options: Any) -> Table:
    """Return a table of `metadata`, with what MySQL must be told about each."""
    options |= ENGINE
    return Table(name, metadata, *items, **options)
