"""Redis in this process and in virtual time: fakeredis's commands without its connections.

fakeredis keeps the data and answers the commands. Three things of it are replaced, because
in virtual time they would be slow or not repeatable:

- the way of a command through pool, protocol and parser (it costs three times the command);
- blocking reads: XREADGROUP with COUNT and BLOCK returns at once, and waiting clients are
  woken in the order of their memory addresses;
- the time of entry ids, idle times and expiry, which it takes from the machine.
"""

import asyncio
import time
from typing import Any

import fakeredis._helpers
import fakeredis._socket._base
import fakeredis.model._stream
from fakeredis import FakeServer
from fakeredis._core._database import Database as Keyspace
from fakeredis._socket import FakeSocket
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import OutOfMemoryError, RedisError

from runtime.virtual import VirtualLoop

EPOCH_S = 946_684_800  # Where virtual time starts for Redis: the year 2000.
BLOCKING = ("XREAD", "XREADGROUP")
# What a Redis without memory refuses (its flag `denyoom`), of the commands that are in use.
GROWING = (b"XADD", b"XGROUP", b"SET", b"HSET", b"SADD", b"RPUSH", b"LPUSH", b"INCR", b"SETEX")


class SimulatedServer(FakeServer):
    """The data behind any number of `SimulatedRedis` clients; it outlives them."""

    def __init__(self) -> None:
        super().__init__(version=(7, 4))
        self.waiters: dict[bytes, list[asyncio.Future[bool]]] = {}
        self.dbs[0] = _Keyspace(self)
        self.is_full = False  # Refuse whatever needs memory.
        self.delay_s = 0.0  # What each command takes longer, in the loop's time.
        self.refused = 0  # Commands, while away or full.
        self.delayed = 0  # Commands.

    def wake(self, key: bytes) -> None:
        """Let those who wait for `key` look again, in the order they came."""
        for waiter in self.waiters.pop(key, ()):
            _finish(waiter, True)

    def go_away(self) -> None:
        """Break every read that waits and refuse every command until `come_back`."""
        self.connected = False
        for key in list(self.waiters):
            self.wake(key)

    def come_back(self, *, with_data: bool = True) -> None:
        """Answer again; without data, as a server that kept nothing on disk."""
        self.connected = True
        if not with_data:
            with self.lock:
                self.dbs[0].clear()


class SimulatedRedis(Redis):
    """A client whose commands take effect at once, on the loop of the caller."""

    def __init__(self, server: SimulatedServer) -> None:
        super().__init__(protocol=2)
        self._server = server
        self._socket = _Socket(server, 0, client_class=Redis)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command; a blocking read waits in the loop's time."""
        words = [*args[0].encode().split(), *map(self._word, args[1:])]
        if self._server.delay_s:
            self._server.delayed += 1
            await asyncio.sleep(self._server.delay_s)
        if args[0] in BLOCKING and b"BLOCK" in words:
            return await self._read_blocking(args[0], words, options)
        return self.run(args[0], words, options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "_Pipeline":
        """Return a pipeline; nothing else can run between its commands."""
        return _Pipeline(self, transaction=transaction, shard_hint=shard_hint)

    def run(self, name: str, words: list[bytes], options: dict[str, Any]) -> Any:
        """Run one command that does not wait."""
        if not self._server.connected:
            self._server.refused += 1
            raise RedisAway("the simulated Redis is away")
        if self._server.is_full and words[0] in GROWING:
            self._server.refused += 1
            raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")
        reply = self._socket.ask(words)
        options.pop("keys", None)  # For caches of clients, which this is none of.
        callback = self.response_callbacks.get(name)
        return callback(reply, **options) if callback else reply

    async def _read_blocking(self, name: str, words: list[bytes], options: dict[str, Any]) -> Any:
        at = words.index(b"BLOCK")
        timeout_ms = int(words[at + 1])
        del words[at : at + 2]
        after = words.index(b"STREAMS") + 1
        keys = words[after : (after + len(words)) // 2]
        words[after + len(keys) :] = map(self._start, keys, words[after + len(keys) :])
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + timeout_ms / 1_000 if timeout_ms else None  # 0: never.
        while True:
            answer = self.run(name, words, dict(options))
            if answer or not await self._change(keys, give_up_s):
                return answer

    def _start(self, key: bytes, after: bytes) -> bytes:
        """Return what `$`, the last entry, means now: it must not move while we wait."""
        if after != b"$":
            return after
        newest = self.run("XREVRANGE", [b"XREVRANGE", key, b"+", b"-", b"COUNT", b"1"], {})
        return bytes(newest[0][0]) if newest else b"0-0"

    async def _change(self, keys: list[bytes], give_up_s: float | None) -> bool:
        """Return whether one of `keys` was written before the time had come."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        for key in keys:
            self._server.waiters.setdefault(key, []).append(waiter)
        timer = loop.call_at(give_up_s, _finish, waiter, False) if give_up_s is not None else None
        try:
            return await waiter
        finally:
            if timer is not None:
                timer.cancel()
            for key in keys:
                waiting = self._server.waiters.get(key, [])
                if waiter in waiting:
                    waiting.remove(waiter)

    @staticmethod
    def _word(value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        return value.encode() if isinstance(value, str) else repr(value).encode()


class _Pipeline(Pipeline):
    """Runs its commands in one go: nothing else is on the loop in between."""

    def __init__(self, client: SimulatedRedis, *, transaction: bool, shard_hint: str | None):
        callbacks = client.response_callbacks
        super().__init__(client.connection_pool, callbacks, transaction, shard_hint)
        self._client = client

    async def watch(self, *names: Any) -> None:  # type: ignore[override]
        """Begin to watch: what follows until `execute` is one step of the loop anyway."""
        self.watching = True

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command between `watch` and `multi`."""
        return await self._client.execute_command(*args, **options)

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        stack, self.command_stack = self.command_stack, []
        answers: list[Any] = []
        for args, options in stack:
            try:
                answers.append(await self._client.execute_command(*args, **options))
            except RedisError as error:
                if raise_on_error:
                    raise
                answers.append(error)
        return answers


class _Socket(FakeSocket):
    """Answers a command by a return value."""

    def ask(self, words: list[bytes]) -> Any:
        self._reply: Any = None
        self._process_command(words)
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply

    def put_response(self, msg: Any) -> None:
        self._reply = msg


class _Keyspace(Keyspace):
    """Tells the server which key was written."""

    def __init__(self, server: SimulatedServer) -> None:
        super().__init__(server.lock)
        self._server = server

    def notify_watch(self, key: bytes) -> None:
        super().notify_watch(key)
        self._server.wake(key)


class _LoopTime:
    """Stands where fakeredis has the module `time`: it offers no way to inject a clock."""

    def time(self) -> float:
        loop = asyncio._get_running_loop()
        return EPOCH_S + loop.time() if isinstance(loop, VirtualLoop) else time.time()


def _finish(waiter: asyncio.Future[bool], is_written: bool) -> None:
    if not waiter.done():
        waiter.set_result(is_written)


for _module in (fakeredis._helpers, fakeredis._socket._base, fakeredis.model._stream):
    setattr(_module, "time", _LoopTime())  # noqa: B010 - mypy would refuse the plain form.
