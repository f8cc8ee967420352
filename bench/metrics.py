"""The figures, as functions of rankings and keys.

A *ranking* is what a search gave, best first: for each hit the ids of the episodes it stands for, which is the episode
itself or a derived record's evidence in its order. `walk` turns it into distinct episodes; so a system that answers
with facts and one that answers with turns are counted alike, and a fact that rests on five turns costs five places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ranking = Sequence[Sequence[str]]


def walk(ranking: Ranking, k: int) -> list[str]:
    """The first `k` distinct episodes of a ranking."""
    seen: dict[str, None] = {}
    for hit in ranking:
        for episode in hit:
            seen.setdefault(episode)
            if len(seen) == k:
                return list(seen)
    return list(seen)


def recall(found: Iterable[str], evidence: Sequence[str]) -> float:
    """The share of the evidence that was found; NaN where there is none to find."""
    wanted = set(evidence)
    return len(wanted.intersection(found)) / len(wanted) if wanted else math.nan


def recall_at(ranking: Ranking, evidence: Sequence[str], k: int) -> float:
    return recall(walk(ranking, k), evidence)


def all_found_at(ranking: Ranking, evidence: Sequence[str], k: int) -> float:
    """1 where every piece of the evidence is among the first `k` episodes, else 0."""
    share = recall_at(ranking, evidence, k)
    return share if math.isnan(share) else float(share == 1.0)


def session_recall_at(ranking: Ranking, session_of: Mapping[str, str], evidence: Sequence[str], k: int) -> float:
    """The share of the evidence's sessions among the first `k` distinct sessions of a ranking."""
    sessions = [[session_of[episode] for episode in hit if episode in session_of] for hit in ranking]
    return recall_at(sessions, evidence, k)


def ndcg_at(ranking: Ranking, evidence: Sequence[str], k: int) -> float:
    """Normalised discounted cumulative gain with gains 0 and 1 (Järvelin and Kekäläinen 2002)."""
    wanted = set(evidence)
    if not wanted:
        return math.nan
    gain = sum(1 / math.log2(rank + 2) for rank, episode in enumerate(walk(ranking, k)) if episode in wanted)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(min(k, len(wanted))))
    return gain / ideal


# --- Intervals --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its bootstrap interval; `count` is the number of questions that it rests on."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often each question is drawn in each round of a hierarchical bootstrap: conversations with replacement, then
    questions with replacement inside each conversation drawn.

    Questions about one conversation rise and fall together, so drawing questions alone would give intervals that are
    too narrow. One resampling serves every figure of a set, and with that every difference is a paired one.
    """

    counts: NDArray[np.float64]

    @classmethod
    def of(cls, sizes: Sequence[int], *, seed: int, rounds: int = 2000) -> Resampling:
        """`sizes`: the number of questions of each conversation, in the order of the values to come."""
        random = np.random.default_rng(seed)
        drawn = random.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=rounds)
        columns = [
            # A conversation drawn c times gives c draws of all its questions.
            random.multinomial(drawn[:, index] * size, np.full(size, 1 / size))
            for index, size in enumerate(sizes)
            if size
        ]
        return cls(np.concatenate(columns, axis=1).astype(np.float64))

    def estimate(self, values: Sequence[float], *, level: float = 0.95) -> Estimate:
        """The mean of `values`, NaN ones left out, and its percentile interval."""
        given = np.asarray(values, dtype=np.float64)
        there = ~np.isnan(given)
        if not there.any():
            return Estimate(math.nan, math.nan, math.nan, 0)
        weights = self.counts[:, there]
        totals = weights.sum(axis=1)
        # A round may draw no question that this figure is defined for.
        means = (weights @ given[there])[totals > 0] / totals[totals > 0]
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
        return Estimate(float(given[there].mean()), float(low), float(high), int(there.sum()))

    def difference(self, values: Sequence[float], baseline: Sequence[float], *, level: float = 0.95) -> Estimate:
        """The paired difference of `values` to `baseline`, question by question."""
        return self.estimate(list(np.subtract(values, baseline)), level=level)

    def separation(self, values: Sequence[float], positive: Sequence[bool], *, level: float = 0.95) -> Estimate:
        """The chance that a positive's value is above a negative's, ties half, and its percentile interval."""
        given, is_positive = np.asarray(values, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
        there = ~np.isnan(given)
        up, down = np.flatnonzero(there & is_positive), np.flatnonzero(there & ~is_positive)
        if not len(up) or not len(down):
            return Estimate(math.nan, math.nan, math.nan, 0)
        ahead = 0.5 * (np.sign(given[up][:, None] - given[down][None, :]) + 1.0)
        ups, downs = self.counts[:, up], self.counts[:, down]
        pairs = ups.sum(axis=1) * downs.sum(axis=1)
        # A round may draw questions of one side only.
        shares = np.einsum("rd,rd->r", ups @ ahead, downs)[pairs > 0] / pairs[pairs > 0]
        low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
        return Estimate(float(ahead.mean()), float(low), float(high), len(up) + len(down))


def quantile(values: Sequence[float], share: float) -> float:
    """NaN for no values."""
    return float(np.quantile(values, share)) if len(values) else math.nan


# --- Calibration ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """The hits (or questions) whose probability fell into one bin: how many, what was promised, what was kept."""

    count: int
    promised: float
    kept: float


def calibration(promised: Sequence[float], kept: Sequence[bool], *, bins: int = 10) -> tuple[Bin, ...]:
    """Equal-width bins over [0, 1], the empty ones left out; 1 belongs to the last."""
    groups: dict[int, list[tuple[float, bool]]] = {}
    for probability, true in zip(promised, kept, strict=True):
        groups.setdefault(min(int(probability * bins), bins - 1), []).append((probability, true))
    return tuple(
        Bin(len(group), sum(p for p, _ in group) / len(group), sum(true for _, true in group) / len(group))
        for _, group in sorted(groups.items())
    )


def calibration_by_mass(promised: Sequence[float], kept: Sequence[bool], *, bins: int = 10) -> tuple[Bin, ...]:
    """Bins of equally many, by what was promised: no bin's error is that of a handful (Nguyen and O'Connor 2015).

    Equal promises stay together, so that no order among them decides what a bin keeps; bins may then differ in size.
    """
    pairs = sorted(zip(promised, kept, strict=True), key=lambda pair: pair[0])
    groups: list[list[tuple[float, bool]]] = []
    for start in range(bins):
        first, last = len(pairs) * start // bins, len(pairs) * (start + 1) // bins
        group = pairs[first:last]
        while groups and group and group[0][0] == groups[-1][-1][0]:
            groups[-1].append(group.pop(0))
        if group:
            groups.append(group)
    return tuple(
        Bin(len(group), sum(p for p, _ in group) / len(group), sum(true for _, true in group) / len(group))
        for group in groups
    )


def brier_skill(promised: Sequence[float], kept: Sequence[bool]) -> float:
    """1 - Brier score / that of always promising the base rate (Murphy 1973): 0 tells nothing, 1 everything.

    NaN where all or none were kept: the base rate is then never wrong.
    """
    p, y = np.asarray(promised, dtype=np.float64), np.asarray(kept, dtype=np.float64)
    base = float(y.mean()) if len(y) else 0.0
    if not 0.0 < base < 1.0:
        return math.nan
    return 1.0 - float(((p - y) ** 2).mean()) / (base * (1.0 - base))


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of what was promised from what was kept, weighted by hits (Naeini and others 2015)."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.promised - b.kept) for b in bins) / total if total else math.nan


def separation(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive is above a negative, ties half (the area under the ROC curve)."""
    if not len(positive) or not len(negative):
        return math.nan
    above = np.subtract.outer(np.asarray(positive), np.asarray(negative))
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def area_under_curve(promised: Sequence[float], kept: Sequence[bool]) -> float:
    """The chance that one that was kept was promised more than one that was not, ties half; nan where all are alike."""
    p, y = np.asarray(promised, dtype=np.float64), np.asarray(kept, dtype=np.bool_)
    if y.all() or not y.any():
        return float("nan")
    ahead = np.sign(p[y][:, None] - p[~y][None, :])
    return float(ahead.mean()) / 2 + 0.5


# --- Refusing ---------------------------------------------------------------------------------------------------------


def refused_wrongly(answerable: Sequence[float], unanswerable: Sequence[float], *, refused: float = 0.95) -> float:
    """The share of answerable questions that are refused, too, by the lowest threshold that refuses a share of
    `refused` of the unanswerable ones. A question is refused where its confidence is below the threshold."""
    if not len(answerable) or not len(unanswerable):
        return math.nan
    lowest = sorted(unanswerable)[math.ceil(refused * len(unanswerable) - 1e-9) - 1]
    return sum(value <= lowest for value in answerable) / len(answerable)


def answered_wrongly(answerable: Sequence[float], unanswerable: Sequence[float], *, answered: float = 0.95) -> float:
    """The share of unanswerable questions that are answered, too, by the highest threshold that answers a share of
    `answered` of the answerable ones."""
    if not len(answerable) or not len(unanswerable):
        return math.nan
    threshold = sorted(answerable, reverse=True)[math.ceil(answered * len(answerable) - 1e-9) - 1]
    return sum(value >= threshold for value in unanswerable) / len(unanswerable)
