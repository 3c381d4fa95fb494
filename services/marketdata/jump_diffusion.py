"""The generator `synthetic-jd-v1` (rule D8): a jump diffusion with a volatility of its own.

It is not market data. Log prices move in ten steps a bar, by a factor common to all
instruments, a noise of the instrument's own, and now and then a jump; the volatility reverts
to its mean and follows the time of day. Increments are rounded to whole billionths and summed
as integers, so a result does not hang on a CPU's math kernels: a seed gives the same bytes in
any process. Every instrument draws from its own streams, so adding one changes no other.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import exp, log, sqrt
from zlib import crc32

import numpy as np
import numpy.typing as npt

from services.marketdata.calendars import Instants
from services.marketdata.timeframes import DURATION_NS, NS_PER_DAY, Timeframe

DATASET = "synthetic-jd-v1"
TIMEFRAMES = tuple(timeframe for timeframe in Timeframe if timeframe < Timeframe.WEEK_1)
EXPONENT = -2  # Prices are whole cents.
START_CENTS = 10_000
STEPS = 10
UNIT = 1e-9
DAYS_PER_YEAR = 365  # The instruments trade round the clock, every day.
BETA = 0.5
HALF_LIFE_DAYS = 5.0
VOL_OF_VOL = 0.3  # Of the logarithm of the variance, per square root of a day.
JUMPS_PER_DAY = 0.5
JUMP_SIGMAS = 3.0
VOLUME_SIGMA = 0.5
VOLUME_PER_MOVE = 2.0

Floats = npt.NDArray[np.float64]


class Stream(IntEnum):
    """What a stream of chance is for; those of one key start in different places."""

    MOVES = 0
    JUMP_COUNTS = 1
    JUMP_SIZES = 2
    VARIANCE = 3
    VOLUME = 4
    TICK_GAPS = 5
    TICK_SIDES = 6
    TICK_LOTS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may differ between instruments; `volume_lots` is the median of a bar at u = 1."""

    sigma_year: float = 0.20
    mu_year: float = 0.0
    volume_lots: int = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Some bars in a row: prices in cents, `steps` with ten of them to a bar; volumes in lots."""

    opens: Instants
    steps: Instants
    volumes: Instants


class Path:
    """The path of one instrument from `start_ns` on; each call of `bars` goes on from the last."""

    def __init__(
        self,
        instrument: str,
        timeframe: Timeframe,
        *,
        seed: int,
        start_ns: int,
        terms: Terms | None = None,
    ) -> None:
        self._terms = terms or Terms()
        self._step_ns = DURATION_NS[timeframe] // STEPS
        self._next_ns = start_ns
        self._log_price = 0
        self._mean_log_variance = round(2 * log(self._terms.sigma_year) / UNIT)
        self._log_variance = self._mean_log_variance
        self._market = stream(seed, "", Stream.MOVES)
        self._chance = {purpose: stream(seed, instrument, purpose) for purpose in Stream}

    def bars(self, count: int) -> Bars:
        """Return the next `count` bars."""
        shares = self._day_shares(count)
        sigmas = np.exp(self._log_variances(count) * (UNIT / 2))
        moves = self._moves(shares, np.repeat(sigmas, STEPS))
        logs = self._log_price + np.cumsum(moves)
        before = np.concatenate([[self._log_price], logs[STEPS - 1 : -1 : STEPS]])
        volumes = self._volumes(shares, sigmas, logs[STEPS - 1 :: STEPS] - before)
        self._log_price = int(logs[-1])
        return Bars(cents_at(before), cents_at(logs).reshape(count, STEPS), volumes)

    def _day_shares(self, count: int) -> Floats:
        """Return how much of its day is over in the middle of each step."""
        steps = np.arange(count * STEPS, dtype=np.int64)
        middles_ns = self._next_ns + steps * self._step_ns + self._step_ns // 2
        self._next_ns += count * STEPS * self._step_ns
        return np.asarray((middles_ns % NS_PER_DAY) / NS_PER_DAY)

    def _log_variances(self, count: int) -> Instants:
        """Return the logarithm of each bar's yearly variance, in billionths.

        An Ornstein-Uhlenbeck process, stepped exactly: pulled to its mean, kicked by chance.
        """
        days = self._step_ns * STEPS / NS_PER_DAY
        rate = log(2) / HALF_LIFE_DAYS
        pull = 1 - exp(-rate * days)
        kick = VOL_OF_VOL * sqrt((1 - exp(-2 * rate * days)) / (2 * rate))
        kicks = whole(self._chance[Stream.VARIANCE].standard_normal(count) * (kick / UNIT))
        found = []
        for chance in kicks.tolist():
            found.append(self._log_variance)
            away = self._mean_log_variance - self._log_variance
            self._log_variance += round(away * pull) + chance
        return np.array(found, dtype=np.int64)

    def _moves(self, shares: Floats, sigmas: Floats) -> Instants:
        """Return the increment of the log price in each step, in billionths."""
        count = len(shares)
        days = self._step_ns / NS_PER_DAY
        years = days / DAYS_PER_YEAR
        own = self._chance[Stream.MOVES].standard_normal(count)
        common = self._market.standard_normal(count)
        shocks = BETA * common + sqrt(1 - BETA * BETA) * own
        drifts = (self._terms.mu_year - sigmas * sigmas / 2) * years
        diffusion = sigmas * activity(shares) * sqrt(years) * shocks
        jumps = self._chance[Stream.JUMP_COUNTS].poisson(JUMPS_PER_DAY * days, count)
        at = np.flatnonzero(jumps)
        sizes = self._chance[Stream.JUMP_SIZES].standard_normal(len(at)) * np.sqrt(jumps[at])
        total = drifts + diffusion
        total[at] += sizes * JUMP_SIGMAS * sigmas[at] / sqrt(DAYS_PER_YEAR)
        return whole(total / UNIT)

    def _volumes(self, shares: Floats, sigmas: Floats, moves: Instants) -> Instants:
        """Return the lots traded in each bar: more at the day's ends, more when it moves."""
        middles = activity((shares[STEPS // 2 - 1 :: STEPS] + shares[STEPS // 2 :: STEPS]) / 2)
        years = self._step_ns * STEPS / NS_PER_DAY / DAYS_PER_YEAR
        noise = self._chance[Stream.VOLUME].standard_normal(len(sigmas)) * VOLUME_SIGMA
        stir = 1 + VOLUME_PER_MOVE * np.abs(moves * UNIT) / (sigmas * sqrt(years))
        lots = self._terms.volume_lots * middles * middles * np.exp(noise) * stir
        return np.maximum(whole(lots), 1)


def stream(seed: int, instrument: str, purpose: Stream) -> np.random.Generator:
    """Return the chance that belongs to `instrument`; to the whole market when it is empty.

    The key is (seed, crc32(instrument)), that of the market (seed, 0).
    """
    key = np.array([seed % 2**64, crc32(instrument.encode())], dtype=np.uint64)
    counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def activity(shares: Floats) -> Floats:
    """Return u(x) for shares x of the day: more at its ends; the mean of the squares is 1."""
    return np.sqrt(0.6 + 1.2 * (2 * shares - 1) ** 2)


def parkinson_sigma_year(highs: Instants, lows: Instants, sessions_per_year: int = 252) -> float:
    """Return the yearly volatility that the ranges of sessions show, rounded to a millionth.

    Source: Parkinson, The extreme value method for estimating the variance of the rate of
    return, Journal of Business 53 (1980).
    """
    ranges = np.log(highs / lows)
    return round(float(np.sqrt(np.mean(ranges**2) / (4 * log(2)) * sessions_per_year)), 6)


def cents_at(logs: Instants) -> Instants:
    """Return the prices at log prices in billionths over the start, at least one cent."""
    return np.maximum(whole(START_CENTS * np.exp(logs * UNIT)), 1)


def whole(values: Floats) -> Instants:
    """Return values rounded to integers."""
    return np.asarray(np.rint(values), dtype=np.int64)
