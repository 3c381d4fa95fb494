"""How a command ends: its exit statuses, and the one error for wrong use."""

from fixtures.outcome import Verdict

STATUS = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.VOID: 3}
STARTS_NOT = 1
INTERRUPTED = 130  # As shells have it: 128 and the number of SIGINT.


class WrongUse(Exception):
    """The user asked for something that does not exist; the message says what does."""


def start_failures() -> tuple[type[Exception], ...]:
    """Return the errors of a machine that cannot run a platform; each says what to do."""
    from fixtures.devices.forks import DeviceFailed
    from fixtures.stores.servers import ServerError
    from fixtures.toxiproxy.api import ToxiproxyError

    return DeviceFailed, ServerError, ToxiproxyError, TimeoutError


def said(error: BaseException) -> str:
    """Return what an error says; one without words was a wait that came to nothing."""
    return str(error) or "it took too long: see what was logged above, or try again"
