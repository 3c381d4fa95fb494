"""When a call may be repeated, how long to wait before, and how many repeats are too many (O3)."""

import random
from collections import deque

from grpc import StatusCode

from runtime.errors import ServiceError
from runtime.rpc import Idempotency, Method

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
JITTER = 0.5  # Share of the pause by which it may be shorter or longer.

# CANCELLED by the server, as gRPC ends what it could not even receive: it may have happened, so
# only who sends the same key may repeat it. A caller that leaves is no ServiceError.
OF_KEYED = (StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.CANCELLED)
OF_SAFE = (*OF_KEYED, StatusCode.DEADLINE_EXCEEDED)
HOPELESS = ("MESSAGE_TOO_LARGE",)  # The same bytes would be refused again.


def attempts_max(method: Method) -> int:
    """Return how often `method` may be sent; streams are never repeated by the runtime."""
    if not method.is_unary or method.policy.idempotency is Idempotency.NOT_IDEMPOTENT:
        return 1
    return max(1, method.policy.max_attempts)


def is_retried(method: Method, error: ServiceError) -> bool:
    """Return whether the contract allows to repeat `method` after `error`."""
    if method.policy.idempotency is Idempotency.NOT_IDEMPOTENT or error.reason in HOPELESS:
        return False
    is_safe = method.policy.idempotency is Idempotency.SAFE
    return error.code in (OF_SAFE if is_safe else OF_KEYED)


def pause_s(attempt: int, rng: random.Random, error: ServiceError) -> float:
    """Return how long to wait after attempt number `attempt` (from 0) ended with `error`.

    Never less than the service asks for in its RetryInfo.
    """
    backoff_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
    jittered_s = backoff_s * rng.uniform(1 - JITTER, 1 + JITTER)
    return max(jittered_s, error.retry_after_s or 0.0)


class RetryBudget:
    """Lets at most a tenth of the calls of the last ten seconds be repeats.

    So that retries cannot multiply an overload. The first few are free: a quiet client
    may repeat a call that failed.
    """

    SHARE = 0.1
    FREE = 10
    WINDOW_S = 10

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()  # Each [second, calls, repeats].
        self._calls = 0
        self._repeats = 0

    def count_call(self, now_s: float) -> None:
        """Count a call, not its repeats."""
        self._present(now_s)[1] += 1
        self._calls += 1

    def allows_repeat(self, now_s: float) -> bool:
        """Return whether one more repeat is within the budget, and count it if so."""
        present = self._present(now_s)
        if self._repeats >= max(self.FREE, self.SHARE * self._calls):
            return False
        present[2] += 1
        self._repeats += 1
        return True

    def _present(self, now_s: float) -> list[int]:
        second = int(now_s)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
            while self._seconds[0][0] <= second - self.WINDOW_S:
                _, calls, repeats = self._seconds.popleft()
                self._calls -= calls
                self._repeats -= repeats
        return self._seconds[-1]
