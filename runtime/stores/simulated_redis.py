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
from collections import Counter
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
from redis.exceptions import OutOfMemoryError, RedisError, WatchError

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
        self.writes: Counter[bytes] = Counter()  # By key, for those who watch it.
        self.times_away = 0  # Each broke every connection, and what was watched on it.
        self.dbs[0] = _Keyspace(self)
        self.is_full = False  # Refuse whatever needs memory.
        self.delay_s = 0.0  # What each command takes longer, in the loop's time.
        self.refused = 0  # Commands, while away or full.
        self.delayed = 0  # Commands.

    def admit(self, words: list[bytes]) -> None:
        """Raise what a server says at once that is away, or has no memory for a command."""
        if not self.connected:
            self.refused += 1
            raise RedisAway("the simulated Redis is away")
        if self.is_full and words[0] in GROWING:
            self.refused += 1
            raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")

    def written(self, key: bytes) -> None:
        """Take note that a key changed."""
        self.writes[key] += 1
        self.wake(key)

    def wake(self, key: bytes) -> None:
        """Let those who wait for `key` look again, in the order they came."""
        for waiter in self.waiters.pop(key, ()):
            _finish(waiter, True)

    def go_away(self) -> None:
        """Break every read that waits and refuse every command until `come_back`."""
        self.connected = False
        self.times_away += 1
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
        words = self.words(*args)
        await self.travel(1)
        if args[0] in BLOCKING and b"BLOCK" in words:
            return await self._read_blocking(args[0], words, options)
        return self.run(args[0], words, options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "_Pipeline":
        """Return a pipeline; nothing else can run between its commands."""
        return _Pipeline(self, self._server, transaction=transaction)

    async def travel(self, commands: int) -> None:
        """Take the time that commands which are sent together need to get there."""
        if self._server.delay_s:
            self._server.delayed += commands
            await asyncio.sleep(self._server.delay_s)

    def run(self, name: str, words: list[bytes], options: dict[str, Any]) -> Any:
        """Run one command that does not wait."""
        self._server.admit(words)
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
    def words(name: str, *values: Any) -> list[bytes]:
        """Return a command as it is on the wire."""
        return [*name.encode().split(), *map(_word, values)]


class _Pipeline(Pipeline):
    """Runs its commands in one go, once they are there: nothing else is on the loop in between."""

    def __init__(self, client: SimulatedRedis, server: SimulatedServer, *, transaction: bool):
        super().__init__(client.connection_pool, client.response_callbacks, transaction, None)
        self._client, self._server = client, server
        self._watched: dict[bytes, int] = {}  # With how often each was written by then,
        self._times_away = 0  # and how often the server had been away.

    async def watch(self, *names: Any) -> None:  # type: ignore[override]
        """Let `execute` fail when one of these keys is written until then."""
        await self._client.travel(1)
        self._server.admit([b"WATCH"])
        self.watching, self._times_away = True, self._server.times_away
        self._watched |= {key: self._server.writes[key] for key in map(_word, names)}

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command between `watch` and `multi`."""
        return await self._client.execute_command(*args, **options)

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Run all commands or none; one that fails by itself keeps no other from its effect."""
        stack: Any = self.command_stack
        self.command_stack = []
        commands = [(args[0], self._client.words(*args), options) for args, options in stack]
        await self._client.travel(len(commands))
        for _, words, _ in commands:
            self._server.admit(words)
        self._check_watched()
        answers = [self._answer(*command) for command in commands]
        if raise_on_error and (failed := [a for a in answers if isinstance(a, RedisError)]):
            raise failed[0]
        return answers

    def _answer(self, name: str, words: list[bytes], options: dict[str, Any]) -> Any:
        try:
            return self._client.run(name, words, options)
        except RedisError as error:
            return error

    def _check_watched(self) -> None:
        """Raise WatchError when a key was written that is watched, or its connection broke."""
        watched, self._watched = self._watched, {}
        was_watching, self.watching = self.watching, False
        if was_watching and self._times_away != self._server.times_away:
            raise WatchError("the connection broke on which keys were watched")
        if any(self._server.writes[key] != count for key, count in watched.items()):
            raise WatchError("a watched key has changed")


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
        self._server.written(key)


class _LoopTime:
    """Stands where fakeredis has the module `time`: it offers no way to inject a clock."""

    def time(self) -> float:
        loop = asyncio._get_running_loop()
        return EPOCH_S + loop.time() if isinstance(loop, VirtualLoop) else time.time()


def _word(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else repr(value).encode()


def _finish(waiter: asyncio.Future[bool], is_written: bool) -> None:
    if not waiter.done():
        waiter.set_result(is_written)


for _module in (fakeredis._helpers, fakeredis._socket._base, fakeredis.model._stream):
    setattr(_module, "time", _LoopTime())  # noqa: B010 - mypy would refuse the plain form.
