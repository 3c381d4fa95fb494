"""The same service on a file in real time: commits are shared, the stream stays gap-free."""

import asyncio
from pathlib import Path

import pytest

from runtime.stores import Database
from services.marketdata.tests import mothers
from services.marketdata.tests.mothers import a_candle, a_market


@pytest.mark.real_time
async def test_publishers_at_the_same_time_make_one_gap_free_stream(tmp_path: Path) -> None:
    market = await a_market(database=Database.sqlite_file(tmp_path / "marketdata.db"))
    seen = asyncio.create_task(mothers.items(market, 60))
    await asyncio.gather(
        *(
            market.publish(*(a_candle(m, instrument=f"SQ{i:02d}.XSIM") for m in (2 * n, 2 * n + 1)))
            for n in range(3)
            for i in range(10)
        )
    )
    sequences = [item.sequence for item in await seen]
    assert sequences == list(range(1, 61))
    market = await market.restarted()
    assert [item.sequence for item in await mothers.items(market, 60)] == sequences
    await market.service.stop()
    await market.environment.database.close()
