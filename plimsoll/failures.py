"""How a command ends: its exit statuses, and the one error for wrong use."""

from fixtures.outcome import Verdict

STATUS = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.VOID: 3}


class WrongUse(Exception):
    """The user asked for something that does not exist; the message says what does."""
