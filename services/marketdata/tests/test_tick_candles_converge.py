"""However late trades come and however often the service restarts, candles end up right."""

import random

import pytest

from services.marketdata.tests.tick_mothers import (
    a_tick_market,
    candles,
    numbers,
    pass_time,
    publish,
    trades,
)

Trade = tuple[int, int, int]  # Milliseconds after noon, cents, quantity.


def naive(ticks: list[Trade]) -> list[tuple[float, float, float, float, float, int]]:
    """Return O, H, L, C, volume and count of every second that has a trade."""
    found = []
    for second in sorted({ms // 1_000 for ms, _, _ in ticks}):
        own = sorted((t for t in ticks if t[0] // 1_000 == second), key=lambda tick: tick[0])
        cents = [price for _, price, _ in own]
        volume = float(sum(abs(quantity) for _, _, quantity in own))
        prices = (cents[0] / 100, max(cents) / 100, min(cents) / 100, cents[-1] / 100)
        found.append((*prices, volume, len(own)))
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_late_trades_and_restarts_end_in_the_right_candles(seed: int) -> None:
    rng = random.Random(seed)
    market, now_ms = await a_tick_market(), 500
    sent: list[Trade] = []
    for _ in range(40):
        some = [
            (max(0, now_ms - rng.choice((0, 10, 400, 2_500))), rng.randint(9_900, 10_100), 1)
            for _ in range(rng.randint(1, 4))
        ]
        await publish(market, trades(len(sent), *some))
        sent += some
        now_ms += rng.choice((5, 100, 700))
        if rng.random() < 0.1:
            market = await market.restarted()
        await pass_time(market, now_ms / 1_000)
    await pass_time(market, 120)
    stored = [numbers(candle) for candle in await candles(market)]
    assert [(*map(float, row[:5]), row[5]) for row in stored] == naive(sent)
