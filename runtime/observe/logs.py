"""Log lines as JSON on standard output: which instance, which call, and what happened.

Existing `logging` calls come out through here unchanged; structlog's own loggers do, too. What
may hold a secret is removed last, whatever came before.
"""

import asyncio
import atexit
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from copy import copy
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from google.protobuf.message import Message
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.identity import HEADER as PRINCIPAL
from runtime.identity import parse_header
from runtime.observe.bursts import WINDOW_S, Bursts
from runtime.observe.prometheus import Instance
from runtime.observe.redaction import Redaction, shown
from runtime.observe.scope import SCOPE
from runtime.times import NS_PER_S
from runtime.trace import REQUEST_ID

VALUE_CHARACTERS_MAX = 1_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# They tell of their own affairs: what matters of it, we say ourselves.
QUIET = ("alembic", "aiohttp", "asyncio", "grpc", "sqlalchemy", "urllib3")
EVENT_CHARACTERS_MAX = 100


class JsonLines(logging.Handler):
    """Writes records as lines, ten of a kind and then a sum."""

    def __init__(
        self, instance: Instance, stream: TextIO, redaction: Redaction, now_ns: Callable[[], int]
    ) -> None:
        super().__init__()
        self.bursts = Bursts()
        self._stream = stream
        self._redaction = redaction
        self._instance = instance
        self._now_ns = now_ns
        self._timer: asyncio.TimerHandle | None = None
        stamps: list[Processor] = [self._stamp, structlog.stdlib.ExtraAdder(), _context]
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=stamps,
                processors=[
                    structlog.processors.format_exc_info,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    self._clean,
                    structlog.processors.JSONRenderer(sort_keys=False),
                ],
            )
        )
        self.stamps = stamps

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; an error here is nobody else's."""
        try:
            now_s = self._now_ns() / NS_PER_S
            self._write_due(now_s)
            record = _with_messages_shown(record)
            event = f"{record.name}: {record.msg}"[:EVENT_CHARACTERS_MAX]
            if self.bursts.admit(event, now_s):
                self._write(self.format(record))
            else:
                self.bursts.hold(event, self.format(record))
                self._wake_later()
        except Exception:  # noqa: BLE001 - logging's own way to tell of it.
            self.handleError(record)

    def flush(self) -> None:
        """Write what was held back."""
        with self.lock or threading.RLock():
            self._write_due(float("inf"))
            self._stream.flush()

    def _write_due(self, now_s: float) -> None:
        for event, left_out, held in self.bursts.due(now_s):
            for line in held:
                self._write(line)
            if left_out:
                text = f"{left_out} more lines of one event within a second are left out"
                self._write(self._summary(text, of=event, left_out=left_out))

    def _summary(self, text: str, **facts: Any) -> str:
        fields = {"event": text, **facts, **self._constant(), "level": "warning"}
        return json.dumps(self._redaction.fields(fields))

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def _wake_later(self) -> None:
        """See to it that a sum is written even if nothing is logged any more."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # The next line, or the end of the process, brings it.
        if self._timer is None:
            self._timer = loop.call_later(WINDOW_S, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.acquire()
        try:
            self._write_due(self._now_ns() / NS_PER_S)
        finally:
            self.release()
        if self.bursts.is_holding:
            self._wake_later()

    def _constant(self) -> dict[str, Any]:
        own = self._instance
        return {
            "ts": _utc(self._now_ns()),
            "service": own.service,
            "instance_name": own.instance_name,
            "version": own.version,
            "environment": own.environment,
        }

    def _stamp(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        """Put first what every line says."""
        record = event.get("_record")
        level = record.levelname.lower() if record is not None else name
        known = {"logger": record.name} if record is not None else {}
        return {**self._constant(), "level": level, **known, **event}

    def _clean(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        """Remove secrets, and cut what is too long; nothing comes after but the rendering."""
        event.pop("message", None)  # Another handler's rendering of the same event.
        return {key: _cut(value) for key, value in self._redaction.fields(event).items()}


def configure_logging(
    instance: Instance,
    level: str = "INFO",
    *,
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
    now_ns: Callable[[], int] = time.time_ns,
) -> JsonLines:
    """Have this process log JSON lines to `stream`, standard output unless another is given.

    `secrets` are values that must never appear, as keys and passwords the process was given.
    Raises ValueError for an unknown level.
    """
    handler = JsonLines(instance, stream or sys.stdout, Redaction(secrets), now_ns)
    root = logging.getLogger()
    set_level(level)
    for former in [one for one in root.handlers if isinstance(one, JsonLines)]:
        root.removeHandler(former)
    root.addHandler(handler)
    for quiet in QUIET:
        logging.getLogger(quiet).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            handler._stamp,
            _context,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    atexit.register(handler.flush)
    return handler


def set_level(level: str) -> None:
    """Log what is at least as serious as `level` ("debug" to "critical") from now on."""
    if level.upper() not in LEVELS:
        names = ", ".join(one.lower() for one in LEVELS)
        raise ValueError(f"log level is {level!r}, must be one of {names}")
    logging.getLogger().setLevel(level.upper())


def _context(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Say which call a line is about: the one that the running task works for."""
    scope = SCOPE.get()
    if scope is None:
        return event
    source = scope.tracer.source
    event.update(service=source.service, instance_name=source.instance_name)
    if scope.span is not None:
        event.update(trace_id=scope.span.trace_id, span_id=scope.span.span_id)
    if request_id := scope.metadata.get(REQUEST_ID):
        event["request_id"] = request_id
    if (named := scope.metadata.get(PRINCIPAL)) and (principal := parse_header(named)):
        event["principal"] = principal.service or principal.name
    return event


def _with_messages_shown(record: logging.LogRecord) -> logging.LogRecord:
    """Return the record with its protobuf arguments as text that may be shown."""
    if not isinstance(record.args, tuple) or not any(isinstance(a, Message) for a in record.args):
        return record
    changed = copy(record)  # Other handlers get the record as it was.
    changed.args = tuple(shown(a) if isinstance(a, Message) else a for a in record.args)
    return changed


def _utc(now_ns: int) -> str:
    seconds, rest_ns = divmod(now_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > VALUE_CHARACTERS_MAX:
        return f"{value[: VALUE_CHARACTERS_MAX - 1]}…"
    return value
