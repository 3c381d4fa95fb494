from collections.abc import Callable
from pathlib import Path

import pytest
from grpc import StatusCode
from sqlalchemy import Connection, MetaData

from runtime.errors import ServiceError
from runtime.stores import (
    Database,
    Epochs,
    Inbox,
    StoreFenced,
    become_writer,
    epochs_table,
    inbox_table,
)

TABLES = MetaData()
INBOX = Inbox(inbox_table(TABLES))
EPOCHS_TABLE = epochs_table(TABLES)
EPOCHS = Epochs(EPOCHS_TABLE)


def first_time(consumer: str) -> Callable[[Connection], bool]:
    return lambda tx: INBOX.first_time(tx, consumer, "event-1")


def taking(shard: str) -> Callable[[Connection], int]:
    return lambda tx: EPOCHS.take(tx, shard)


class InboxAndEpochs:
    def opened(self, directory: Path) -> Database:
        raise NotImplementedError

    async def test_event_is_new_to_each_consumer_once(self, tmp_path: Path) -> None:
        database = self.opened(tmp_path)
        await database.create(TABLES)
        seen = [
            await database.write(first_time(consumer)) for consumer in ("orders", "orders", "risk")
        ]
        assert seen == [True, False, True]
        await database.close()

    async def test_event_of_a_transaction_taken_back_is_still_new(self, tmp_path: Path) -> None:
        database = self.opened(tmp_path)
        await database.create(TABLES)
        database.faults.commits_to_lose = 1
        with pytest.raises(ServiceError):
            await database.write(lambda tx: INBOX.first_time(tx, "orders", "event-1"))
        assert await database.write(lambda tx: INBOX.first_time(tx, "orders", "event-1"))
        await database.close()

    async def test_epochs_of_a_shard_rise_and_the_older_is_refused(self, tmp_path: Path) -> None:
        database = self.opened(tmp_path)
        await database.create(TABLES)
        taken = [await database.write(taking(shard)) for shard in ("ana", "ana", "ben", "ana")]
        assert taken == [1, 2, 1, 3]
        await database.write(lambda tx: EPOCHS.admit(tx, "ana", 3))
        await database.write(lambda tx: EPOCHS.admit(tx, "ana", 5))
        with pytest.raises(ServiceError, match="epoch 4 of shard ana is over") as caught:
            await database.write(lambda tx: EPOCHS.admit(tx, "ana", 4))
        assert (caught.value.code, caught.value.reason) == (
            StatusCode.ABORTED,
            "EPOCH_SUPERSEDED",
        )
        assert await database.read(lambda tx: EPOCHS.current(tx, "ana")) == 5
        await database.close()


async def test_two_writers_of_one_memory_are_fenced_as_those_of_one_file() -> None:
    former = Database.inline_memory()
    await former.create(TABLES)
    await become_writer(former, EPOCHS_TABLE, "ana")
    later = former.beside()
    await former.write(lambda tx: None)
    await become_writer(later, EPOCHS_TABLE, "ana")
    with pytest.raises(StoreFenced, match="epoch 1 of shard ana is over: epoch 2 writes now"):
        await former.write(lambda tx: None)
    await later.write(lambda tx: None)
    former.crash()
    await later.write(lambda tx: None)
    await later.close()


class TestInMemory(InboxAndEpochs):
    def opened(self, directory: Path) -> Database:
        return Database.inline_memory()


@pytest.mark.real_time
class TestInFile(InboxAndEpochs):
    def opened(self, directory: Path) -> Database:
        return Database.sqlite_file(directory / "x.sqlite")
