"""How far the probabilities that Mnemic gives can be believed, and whether they tell what is not known.

Two promises are kept or broken: the *relevance* of a hit (it is evidence), and the *confidence* of a search (some of
its ten hits are). Only hits given `LEAST` or more are judged, since those are what a caller with a threshold sees; the
many near zero would make any error small. Bins are of equal mass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import metrics
from bench.datasets import Question
from bench.metrics import Bin, Estimate, Resampling
from bench.run import Answer, SetRun

LEAST = 0.3
"""Relevance from which on a hit counts as given."""

HITS = 10
"""Hits that a confidence is about."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises of one kind: how many, how often they were kept, and how far off they were.

    `skill` is Brier's over the base rate. It is negative where always promising the base rate would be better.
    """

    count: int
    base: float
    error: float
    skill: float
    bins: tuple[Bin, ...]

    @classmethod
    def of(cls, promises: Sequence[tuple[float, bool]]) -> Kept:
        promised, kept = [p for p, _ in promises], [true for _, true in promises]
        bins = metrics.calibration_by_mass(promised, kept)
        base = sum(kept) / len(kept) if kept else float("nan")
        error = metrics.expected_calibration_error(bins)
        return cls(len(promises), base, error, metrics.brier_skill(promised, kept), bins)


@dataclass(frozen=True, slots=True)
class Belief:
    """Both promises of one system on one set.

    Of answerable questions whose key names messages, and of those with the unanswerable ones, to which no hit is
    evidence.
    """

    dataset: str
    system: str
    hits: Kept
    hits_of_all: Kept
    confidence: Kept
    confidence_of_all: Kept


@dataclass(frozen=True, slots=True)
class Abstention:
    """Whether the confidence tells the questions that have an answer from those that have none.

    `refused_wrongly`: of the answerable questions, refused by the threshold that refuses 95 % of the unanswerable ones.
    `answered_wrongly`: of the unanswerable ones, answered by the threshold that answers 95 % of the answerable ones.
    """

    dataset: str
    system: str
    answerable: int
    unanswerable: int
    separation: Estimate
    refused_wrongly: float
    answered_wrongly: float


def beliefs(run: SetRun) -> Iterator[Belief]:
    """One for each system that gives probabilities."""
    for system in run.answers:
        hits: dict[bool, list[tuple[float, bool]]] = {True: [], False: []}
        whole: dict[bool, list[tuple[float, bool]]] = {True: [], False: []}
        for question, answer in _answered(run, system):
            key = set(question.best_evidence) if question.answerable else set[str]()
            if question.answerable and not key:
                continue  # nothing says which hits are evidence
            right = [not key.isdisjoint(hit) for hit in answer.ranking[:HITS]]
            given = zip(answer.relevance, right, strict=False)
            hits[question.answerable] += [(p, true) for p, true in given if p is not None and p >= LEAST]
            if answer.confidence is not None:
                whole[question.answerable].append((answer.confidence, any(right)))
        if whole[True] or whole[False]:
            yield Belief(
                dataset=run.dataset,
                system=system,
                hits=Kept.of(hits[True]),
                hits_of_all=Kept.of(hits[True] + hits[False]),
                confidence=Kept.of(whole[True]),
                confidence_of_all=Kept.of(whole[True] + whole[False]),
            )


def abstentions(run: SetRun, seed: int) -> Iterator[Abstention]:
    """One for each system that gives confidences, on a set that has unanswerable questions."""
    resampling = Resampling.of([len(c.questions) for c in run.conversations if c.questions], seed=seed)
    for system in run.answers:
        asked = list(_answered(run, system))
        values = [float("nan") if a.confidence is None else a.confidence for _, a in asked]
        answerable = [question.answerable for question, _ in asked]
        separation = resampling.separation(values, answerable)
        if not separation.count:
            continue
        known = [a.confidence for q, a in asked if q.answerable and a.confidence is not None]
        unknown = [a.confidence for q, a in asked if not q.answerable and a.confidence is not None]
        yield Abstention(
            dataset=run.dataset,
            system=system,
            answerable=len(known),
            unanswerable=len(unknown),
            separation=separation,
            refused_wrongly=metrics.refused_wrongly(known, unknown),
            answered_wrongly=metrics.answered_wrongly(known, unknown),
        )


def _answered(run: SetRun, system: str) -> Iterator[tuple[Question, Answer]]:
    for conversation, answers in zip(run.conversations, run.answers[system], strict=True):
        yield from zip(conversation.questions, answers, strict=True)
