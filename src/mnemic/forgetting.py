"""Forgetting, as policies: how much is left of a record, by when it was said and when it was used. Pure.

    traces      when each record came, when and how well it was used since, and what may never fade
    retention   how much is left of each, from 0 to 1, by a policy's formula
    verdict     its weight in the ranking, in quarters (1: all, 0: cold), and what is to be erased

A record fades in steps. Below `fade_below` its weight is its retention, so it ranks lower; below `cold_below` it is
cold, and no longer shown unless it is asked for; below `erase_below` it is erased, which no policy does unless that is
set, and only to what has been cold since an earlier upkeep.

Times are UTC microseconds; the formulas are in days, as in their papers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAY = 86_400 * 1_000_000
"""Microseconds."""
STEPS = 4
"""Weights are kept in so many steps, so that an upkeep writes only what has changed by one."""
GOOD = 3
"""The grade of a use of which nothing more is known."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What policies know of n records. Made by `traces`."""

    born: NDArray[np.int64]
    """(n,) when each was said; of what was still to come then, when it came."""
    owners: NDArray[np.intp]
    """(uses,) whose use each is, ascending; the uses of one record in order of time."""
    times: NDArray[np.int64]
    """(uses,)"""
    grades: NDArray[np.int8]
    """(uses,) how well it went, as FSRS counts: 1 failed, 2 hard, 3 good, 4 easy."""
    exempt: Bools
    """(n,) what never fades."""
    sizes: NDArray[np.int64]
    """(n,) bytes of text, where a policy counts them."""

    def __len__(self) -> int:
        return len(self.born)

    @property
    def helped(self) -> Bools:
        """(uses,) those that did not fail."""
        return self.grades > 1

    def counts(self) -> NDArray[np.int64]:
        """(n,) how often each was used."""
        return np.bincount(self.owners[self.helped], minlength=len(self))

    def last(self) -> NDArray[np.int64]:
        """(n,) when each was used last, or came."""
        found = self.born.copy()
        np.maximum.at(found, self.owners[self.helped], self.times[self.helped])
        return found


def traces(
    born: Sequence[int],
    uses: Iterable[tuple[int, int, int]] = (),
    exempt: Sequence[bool] | None = None,
    sizes: Sequence[int] | None = None,
) -> Traces:
    """Traces of records that came at these times. A use is the record's place, its time and its grade."""
    table = np.array(sorted(uses), np.int64).reshape(-1, 3)
    return Traces(
        np.array(born, np.int64),
        table[:, 0].astype(np.intp),
        table[:, 1],
        table[:, 2].astype(np.int8),
        np.zeros(len(born), np.bool_) if exempt is None else np.array(exempt, np.bool_),
        np.zeros(len(born), np.int64) if sizes is None else np.array(sizes, np.int64),
    )


def grade(outcome: float | None) -> int:
    """The grade of a use: of an outcome from 0 to 1, or of none."""
    return GOOD if outcome is None else 1 + round(3 * outcome)


@runtime_checkable
class Policy(Protocol):
    """How a memory forgets. A frozen dataclass of your own does, too: what it is called says when it has changed."""

    @property
    def fade_below(self) -> float:
        """The retention from which on a record ranks lower."""
        ...

    @property
    def cold_below(self) -> float:
        """The retention from which on it is cold."""
        ...

    @property
    def erase_below(self) -> float | None:
        """The retention from which on it is erased for good; None: never."""
        ...

    def retention(self, traces: Traces, at: int) -> Floats:
        """(n,) how much is left of each record at a time, from 0 to 1."""
        ...

    def falls_to(self, traces: Traces, levels: Floats) -> Floats:
        """(n,) when each falls to a retention, unless it is used again."""
        ...


# -- the policies


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing fades, and what has faded by another policy is as before."""

    fade_below: float = 0.0
    cold_below: float = 0.0
    erase_below: float | None = None

    def retention(self, traces: Traces, at: int) -> Floats:
        """1."""
        return np.ones(len(traces))

    def falls_to(self, traces: Traces, levels: Floats) -> Floats:
        """Never."""
        return np.full(len(traces), np.inf)


@dataclass(frozen=True, slots=True)
class Ebbinghaus:
    """R = e^(-t/S): t days since it was used last, S a strength that each use makes larger by one more.

    Ebbinghaus, Über das Gedächtnis (1885), as MemoryBank has it (Zhong et al., 2305.10250): S is 1 day at first, and
    each recall adds 1 and sets t to 0. (Its published code has exp(-t / 5 * S), in which the stronger memory fades
    faster: this is the paper's.) Here S is counted in `strength_days`; 1 gives the paper's numbers.
    """

    strength_days: float = 90.0
    fade_below: float = 0.75
    cold_below: float = 0.05
    erase_below: float | None = None

    def __post_init__(self) -> None:
        _positive("Ebbinghaus", "strength_days", self.strength_days)
        _ordered("Ebbinghaus", self)

    def _strength(self, traces: Traces) -> Floats:
        return self.strength_days * (1.0 + traces.counts().astype(np.float64))

    def retention(self, traces: Traces, at: int) -> Floats:
        """e^(-t/S)."""
        return np.exp(-_days(traces.last(), at) / self._strength(traces))

    def falls_to(self, traces: Traces, levels: Floats) -> Floats:
        """-S ln R days after the last use."""
        return traces.last() - self._strength(traces) * np.log(levels) * DAY


@dataclass(frozen=True, slots=True)
class Age:
    """R = 2^(-t/half-life): t days since it was used last; that it was used often does not count.

    The recency of Generative Agents (Park et al., 2304.03442), 0.995 to the power of the hours since a memory was last
    retrieved, which is a half-life of 5.76 days. (Its code takes 0.99 to the power of the place in the order of last
    use, so that what is fresh would depend on how much else there is: this is the paper's.)
    """

    half_life_days: float = 90.0
    fade_below: float = 0.75
    cold_below: float = 0.05
    erase_below: float | None = None

    def __post_init__(self) -> None:
        _positive("Age", "half_life_days", self.half_life_days)
        _ordered("Age", self)

    def retention(self, traces: Traces, at: int) -> Floats:
        """2^(-t/half-life)."""
        return np.exp2(-_days(traces.last(), at) / self.half_life_days)

    def falls_to(self, traces: Traces, levels: Floats) -> Floats:
        """-log2(R) half-lives after the last use."""
        return traces.last() - self.half_life_days * np.log2(levels) * DAY


FSRS_6 = (
    *(0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835, 0.0614, 0.2629),
    *(1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542),
)
"""The numbers w0 to w20 that FSRS-6 begins with, fitted to the reviews of many learners."""


@dataclass(frozen=True, slots=True)
class FSRS:
    """R = (1 + F t/S)^-w20 with F = 0.9^(-1/w20) - 1: t days since it was used last, S its stability in days.

    FSRS-6, the scheduler of flashcards (Ye et al., A Stochastic Shortest Path Algorithm for Optimizing Spaced
    Repetition Scheduling, KDD 2022, and the wiki of open-spaced-repetition). After S days R is 0.9. A use makes S
    larger, and the more so the more had been forgotten; one that failed makes it smaller. What comes is graded "good".
    """

    numbers: tuple[float, ...] = FSRS_6
    fade_below: float = 0.75
    cold_below: float = 0.45
    erase_below: float | None = None

    def __post_init__(self) -> None:
        if len(self.numbers) != len(FSRS_6) or not self.numbers[20] > 0:
            raise ConfigError(f"FSRS(numbers=…) has {len(self.numbers)}: pass 21 numbers, w0 to w20, the last above 0")
        _ordered("FSRS", self)

    @property
    def _factor(self) -> float:
        return 0.9 ** (-1.0 / self.numbers[20]) - 1.0

    def _curve(self, days: Floats, stability: Floats) -> Floats:
        return (1.0 + self._factor * days / stability) ** -self.numbers[20]

    def _state(self, traces: Traces) -> tuple[Floats, NDArray[np.int64]]:
        """The stability of each, and when it was reviewed last: the first use of all, then the second, and so on."""
        w = self.numbers
        stability = np.full(len(traces), w[GOOD - 1])
        difficulty = np.full(len(traces), _between(w[4] - np.exp(w[5] * (GOOD - 1)) + 1.0, 1.0, 10.0))
        last = traces.born.copy()
        first = np.searchsorted(traces.owners, traces.owners, side="left")
        nth = np.arange(len(traces.owners)) - first
        for turn in range(int(nth.max(initial=-1)) + 1):
            now = nth == turn
            who, when, how = traces.owners[now], traces.times[now], traces.grades[now].astype(np.float64)
            days = np.maximum((when - last[who]) / DAY, 0.0)
            stability[who] = self._reviewed(stability[who], difficulty[who], days, how)
            difficulty[who] = self._harder(difficulty[who], how)
            last[who] = np.maximum(last[who], when)
        return stability, last

    def _reviewed(self, s: Floats, d: Floats, days: Floats, g: Floats) -> Floats:
        """The stability after a use."""
        w = self.numbers
        r = self._curve(days, s)
        grown = np.exp(w[8]) * (11.0 - d) * s ** -w[9] * (np.exp(w[10] * (1.0 - r)) - 1.0)
        recalled = s * (1.0 + grown * np.where(g == 2, w[15], 1.0) * np.where(g == 4, w[16], 1.0))
        lapsed = w[11] * d ** -w[12] * ((s + 1.0) ** w[13] - 1.0) * np.exp(w[14] * (1.0 - r))
        lapsed = np.minimum(lapsed, s / np.exp(w[17] * w[18]))
        gain = np.exp(w[17] * (g - 3.0 + w[18])) * s ** -w[19]
        same_day = s * np.where(g > 1, np.maximum(gain, 1.0), gain)
        return np.maximum(np.where(days < 1.0, same_day, np.where(g > 1, recalled, lapsed)), 0.001)

    def _harder(self, d: Floats, g: Floats) -> Floats:
        """The difficulty after a use, drawn towards that of what is easy."""
        w = self.numbers
        moved = d - w[6] * (g - 3.0) * (10.0 - d) / 9.0
        easy = w[4] - np.exp(w[5] * 3.0) + 1.0
        return np.clip(w[7] * easy + (1.0 - w[7]) * moved, 1.0, 10.0)

    def retention(self, traces: Traces, at: int) -> Floats:
        """(1 + F t/S)^-w20."""
        stability, last = self._state(traces)
        return self._curve(_days(last, at), stability)

    def falls_to(self, traces: Traces, levels: Floats) -> Floats:
        """S/F (R^(-1/w20) - 1) days after the last use."""
        stability, last = self._state(traces)
        return last + stability / self._factor * (levels ** (-1.0 / self.numbers[20]) - 1.0) * DAY


@dataclass(frozen=True, slots=True)
class Budget:
    """The most useful `records`, or those of so many `bytes` of text, stay as they are; the rest is cold.

    How useful a record is: ln(sum of t^-0.5), t the seconds since it was said and since each of its uses. That is the
    base-level activation of ACT-R, by which what is needed next follows from how lately and how often it was needed
    before (Anderson & Schooler, Reflections of the environment in memory, Psychological Science 2, 1991). What may not
    fade counts first. `erase=True` erases what has been cold since an earlier upkeep.
    """

    records: int | None = None
    bytes: int | None = None
    erase: bool = False

    def __post_init__(self) -> None:
        given = [value for value in (self.records, self.bytes) if value is not None]
        if len(given) != 1 or isinstance(given[0], bool) or given[0] < 1:
            raise ConfigError(
                f"Budget(records={self.records!r}, bytes={self.bytes!r}) is not possible: pass one of them, from 1 on"
            )

    @property
    def fade_below(self) -> float:
        """There is nothing between all and cold."""
        return 0.5

    @property
    def cold_below(self) -> float:
        """What is beyond the budget has a retention of 0."""
        return 0.5

    @property
    def erase_below(self) -> float | None:
        """None, unless the owner says `erase=True`."""
        return 0.5 if self.erase else None

    def usefulness(self, traces: Traces, at: int) -> Floats:
        """(n,) ln(sum of t^-0.5)."""
        total = _ages(traces.born, at) ** -0.5
        helped = traces.helped
        np.add.at(total, traces.owners[helped], _ages(traces.times[helped], at) ** -0.5)
        return np.log(total)

    def retention(self, traces: Traces, at: int) -> Floats:
        """1 within the budget, 0 beyond it; of two that are as useful, the later one goes first."""
        order = np.lexsort((np.arange(len(traces)), -self.usefulness(traces, at), ~traces.exempt))
        costs = np.ones(len(traces)) if self.bytes is None else traces.sizes[order].astype(np.float64)
        left = np.empty(len(traces))
        left[order] = np.cumsum(costs) <= (self.bytes or self.records or 0)
        return left

    def falls_to(self, traces: Traces, levels: Floats) -> Floats:
        """Not by time: when something else comes, or is used."""
        return np.full(len(traces), np.inf)


# -- what follows


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy wants done with n records."""

    weights: Floats
    """(n,) how much each counts in the ranking, in quarters; 0: cold."""
    erase: Bools
    """(n,) what is to be erased: it has been cold before."""
    due: float
    """When the first of them will change without being used; infinite: none will."""


def verdict(policy: Policy, traces: Traces, retention: Floats, held: Floats, at: int) -> Verdict:
    """What is to be done with records of which so much is left, and that have these weights now."""
    left = np.where(traces.exempt, 1.0, np.clip(retention, 0.0, 1.0))
    weights = np.where(left < policy.fade_below, np.maximum(np.ceil(left * STEPS), 1.0) / STEPS, 1.0)
    weights = np.where(left < policy.cold_below, 0.0, weights)
    gone = np.zeros(len(traces), np.bool_) if policy.erase_below is None else left < policy.erase_below
    gone &= ~traces.exempt
    levels = _levels(policy)
    below = np.searchsorted(levels, left, side="left") - 1
    changes = (below >= 0) & ~traces.exempt
    when = np.full(len(traces), np.inf)
    if changes.any():
        when = np.where(changes, policy.falls_to(traces, levels[np.maximum(below, 0)]), np.inf)
    when = np.where(gone & (held > 0.0), float(at), when)
    return Verdict(weights, gone & (held == 0.0), float(when.min(initial=np.inf)))


def _levels(policy: Policy) -> Floats:
    """The retentions at which something changes, ascending."""
    steps = np.arange(1, STEPS) / STEPS
    between = steps[(steps > policy.cold_below) & (steps < policy.fade_below)]
    ends = [min(policy.fade_below, steps[-1]), policy.cold_below, policy.erase_below or 0.0]
    ends = [level for level in ends if level > 0.0]
    return np.unique(np.concatenate([between, np.array(ends)]))


_NAMES = ("none", "ebbinghaus", "fsrs", "age", "budget")
_SPEC = re.compile(r"([a-z]+)(?::([0-9]+(?:\.[0-9]+)?)(KB|MB|GB)?)?")
_UNITS = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def policy_of(given: object) -> Policy | None:
    """A policy by its name, or as it is; None for None. Raises ConfigError.

    "none", "ebbinghaus", "ebbinghaus:DAYS" (of strength), "fsrs", "age", "age:DAYS" (half-life), "budget:RECORDS",
    "budget:20MB".
    """
    if given is None or (isinstance(given, Policy) and not isinstance(given, type)):
        return given
    found = _SPEC.fullmatch(given) if isinstance(given, str) else None
    if found is None or found[1] not in _NAMES:
        names = ", ".join(f"'{name}'" for name in (*_NAMES[:-1], "budget:RECORDS", "budget:20MB"))
        raise ConfigError(f"forgetting={given!r:.60} is not known: {names}, or a policy of mnemic.forgetting")
    name, number, unit = found[1], found[2], found[3]
    if number is not None and (name in ("none", "fsrs") or (unit is not None and name != "budget")):
        raise ConfigError(
            f"forgetting={given!r} is not possible: '{name}' takes no number{' with a unit' * bool(unit)}"
        )
    if name == "budget":
        if number is None:
            raise ConfigError("forgetting='budget' does not say how much: 'budget:10000' (records) or 'budget:20MB'")
        return Budget(bytes=int(float(number) * _UNITS[unit])) if unit else Budget(records=int(float(number)))
    if name == "ebbinghaus":
        return Ebbinghaus() if number is None else Ebbinghaus(strength_days=float(number))
    if name == "age":
        return Age() if number is None else Age(half_life_days=float(number))
    return FSRS() if name == "fsrs" else Keep()


def _days(since: NDArray[np.int64], at: int) -> Floats:
    return np.maximum((at - since) / DAY, 0.0)


def _ages(since: NDArray[np.int64], at: int) -> Floats:
    """Seconds, at least one."""
    return np.maximum((at - since) / 1e6, 1.0)


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _positive(policy: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigError(f"{policy}({name}={value!r}) is not possible: pass a number above 0")


def _ordered(name: str, policy: Policy) -> None:
    """Refuse thresholds that contradict each other."""
    low = 0.0 if policy.erase_below is None else policy.erase_below
    given = cast("tuple[Any, ...]", (low, policy.cold_below, policy.fade_below))
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in given) or not (
        0.0 <= given[0] <= given[1] <= given[2] <= 1.0
    ):
        raise ConfigError(
            f"{name}(fade_below={policy.fade_below!r}, cold_below={policy.cold_below!r}, "
            f"erase_below={policy.erase_below!r}) is not possible: they go from fade_below down to erase_below, "
            "between 1 and 0"
        )
