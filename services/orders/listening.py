"""Listens to a stream so that silence and gaps are noticed while it looks healthy (X8)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.follow import Message

M = TypeVar("M", bound=Message)
SILENCE_S = 3.0  # Heartbeats come every second (O7).


async def attentive(
    messages: AsyncGenerator[M, None], *, after: int, stream: str
) -> AsyncGenerator[M, None]:
    """Yield what arrives of a stream that was opened after a sequence.

    Raises UNAVAILABLE after three seconds without a sign of life, and when a message is missing:
    one before this one, or the last one, which a heartbeat names. Whoever follows the stream
    then opens it again after what has taken effect, and gets what is missing from the store of
    its source; nothing behind the gap has had an effect. The first heartbeat says only where
    the source is.
    """
    last, is_first = after, True
    async with aclosing(messages):
        while message := await _next(messages, stream, last):
            is_due = message.sequence - (0 if message.is_heartbeat else 1)
            if is_due > last and not (is_first and message.is_heartbeat):
                raise _unheard("STREAM_GAP", f"{stream} lost what follows {last}")
            last = max(last, 0 if message.is_heartbeat else message.sequence)
            is_first = False
            yield message


async def _next(messages: AsyncGenerator[M, None], stream: str, last: int) -> M | None:
    """Return the next message, None at the end of the stream."""
    try:
        async with asyncio.timeout(SILENCE_S):
            return await anext(messages)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        text = f"{stream} sent no heartbeat for {SILENCE_S:.0f} s after {last}"
        raise _unheard("STREAM_SILENT", text) from None


def _unheard(reason: str, text: str) -> ServiceError:
    return refusal(
        StatusCode.UNAVAILABLE, reason, f"{text}: the stream is opened again", service="orders"
    )
