"""Ends what a former process has open on the server, before the next one begins."""

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from runtime.stores.database import Database
from runtime.stores.errors import number_of

NO_SUCH_THREAD = 1094
OTHERS = text(
    "SELECT id FROM information_schema.processlist "
    "WHERE user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND id <> CONNECTION_ID()"
)


async def end_former(url: str) -> int:
    """End all other sessions of the user in `url`; return how many there were.

    What they had not committed is taken back, and what they had locked is free: a process that
    is paused, or cut off, within a transaction would keep its successor waiting for as long.
    Everybody may end sessions of his own. Raises StoreError.
    """
    database = Database.at_url(url)
    try:
        return await database.write(_end_others)
    finally:
        await database.close()


def _end_others(tx: Connection) -> int:
    found = [int(number) for number in tx.execute(OTHERS).scalars()]
    for number in found:
        try:
            tx.execute(text(f"KILL CONNECTION {number}"))
        except DBAPIError as error:
            if number_of(error) != NO_SUCH_THREAD:  # It may have ended by itself.
                raise
    return len(found)
