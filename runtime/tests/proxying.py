"""A TCP proxy in the test's own loop whose link can be slow, or half-open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536


class Proxy:
    """Passes bytes on between those who connect to it and one port of this machine."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.delay_s = 0.0  # Each way.
        self.connections = 0
        self._target_port = target_port
        self._is_passing = asyncio.Event()
        self._is_passing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def stall(self) -> None:
        """Pass nothing on, and close nothing: what is sent is taken, and stays here."""
        self._is_passing.clear()

    def heal(self) -> None:
        """Pass everything on again, what was held up first."""
        self._is_passing.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._pass_on(reader, far_writer)),
                    asyncio.ensure_future(self._pass_on(far_reader, writer)),
                ]
            )
        self._tasks.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(CHUNK):
                await self._is_passing.wait()
                if self.delay_s:
                    loop.call_later(self.delay_s, writer.write, data)
                else:
                    writer.write(data)
        finally:
            self._tasks.discard(task)
            loop.call_later(self.delay_s, writer.close)
