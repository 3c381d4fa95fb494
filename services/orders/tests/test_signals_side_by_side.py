"""Signals that wait together are decided side by side, those of one key one after the other."""

import asyncio

from services.orders.tests.mothers import open_signal
from services.orders.tests.rig import Rig

MANY = 60
ASKED_S = 0.1  # How long risk takes: for a signal, and again for its order.


async def test_signals_of_many_keys_do_not_wait_for_each_other() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = ASKED_S
    await rig.publish(*(open_signal(n, strategy_id=f"ema-{n}") for n in range(MANY)))
    await asyncio.sleep(2.5 * ASKED_S)
    assert len(rig.execution.starts) == MANY
    assert rig.environment.progress.read["signals"] == MANY
    await rig.stop()


async def test_signals_of_one_key_are_decided_in_their_order() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = ASKED_S
    signals = [open_signal(n) for n in range(3)]
    others = [open_signal(n, strategy_id=f"ema-{n}") for n in range(3, MANY)]
    await rig.publish(*signals, *others)
    for asked in range(1, 4):
        await asyncio.sleep(0.1 * ASKED_S)
        ours = [s.signal.signal_id for s in rig.risk.signals if s.signal in signals]
        assert ours == [signal.signal_id for signal in signals[:asked]]
        await asyncio.sleep(1.9 * ASKED_S)
    await rig.stop()


async def test_a_signal_that_cannot_be_read_holds_up_none_of_those_it_came_with() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = ASKED_S
    first = [open_signal(n, strategy_id=f"ema-{n}") for n in range(MANY)]
    await rig.publish(*first)
    await rig.publish_garbage()
    await rig.publish(*(open_signal(n, strategy_id=f"ema-{n}") for n in range(MANY, 2 * MANY)))
    await asyncio.sleep(10 * ASKED_S)
    assert len(rig.execution.starts) == 2 * MANY
    await asyncio.sleep(60)
    assert rig.environment.progress.read["signals"] == 2 * MANY + 1
    assert len(await rig.alarms()) == 1
    await rig.stop()
