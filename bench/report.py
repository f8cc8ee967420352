"""From answers to one table: every figure with its interval, and beside it the paired difference to Mnemic."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import metrics
from bench.datasets import Conversation, Question
from bench.metrics import Bin, Estimate, Resampling
from bench.run import BUDGETS, Answer, SetRun

OURS = "mnemic"
"""The system that the others are compared with."""

BY_CATEGORY = ("recall@10", "all@10", "context 1000")
"""The metrics that are told apart by kind of question; some kinds have too few questions for more."""

Key = Callable[[Question], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a set's questions, with the key that they are judged by."""

    name: str
    holds: Callable[[Question], bool]
    key: Key = lambda question: question.evidence


@dataclass(frozen=True, slots=True)
class Figure:
    """One system's figure on one part, and Mnemic's minus it, question by question."""

    part: str
    category: str
    system: str
    metric: str
    estimate: Estimate
    ours_minus_it: Estimate


@dataclass(frozen=True, slots=True)
class Sureness:
    """How far a set's relevances can be believed, and how well the best one tells the known from the unknown.

    `error` and `bins` are over the questions that have an answer; `error_with_unknown` is over those without one, too,
    of whose hits none is evidence.
    """

    dataset: str
    system: str
    error: float
    error_with_unknown: float
    bins: tuple[Bin, ...]
    known_from_unknown: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of one search, and seconds for the whole set with adding and packing."""

    dataset: str
    system: str
    p50_ms: float
    p95_ms: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the tables show."""

    about: Mapping[str, str]
    figures: tuple[Figure, ...]
    sureness: tuple[Sureness, ...]
    speed: tuple[Speed, ...]
    missing: tuple[str, ...]


def parts(dataset: str) -> tuple[Part, ...]:
    """The parts that a set is reported in; the first is its headline."""
    if dataset != "locomo":
        return (Part(dataset, lambda question: question.answerable),)
    return (
        Part("locomo 1-4", lambda question: question.answerable),
        Part("locomo 1-4, audited key", lambda question: question.answerable, lambda question: question.best_evidence),
        Part("locomo 5", lambda question: not question.answerable),
    )


def scores(conversation: Conversation, question: Question, answer: Answer, key: Sequence[str]) -> dict[str, float]:
    """Every metric of one answer."""
    session_of = {message.id: message.session_id for message in conversation.messages}
    ranking = answer.ranking
    many = len(set(session_of.values()))
    sessions = question.evidence_sessions if key == question.evidence else _sessions(key, session_of)
    return (
        {
            "recall@5": metrics.recall_at(ranking, key, 5),
            "recall@10": metrics.recall_at(ranking, key, 10),
            "recall@20": metrics.recall_at(ranking, key, 20),
            "nDCG@10": metrics.ndcg_at(ranking, key, 10),
            "all@10": metrics.all_found_at(ranking, key, 10),
        }
        | {
            # Where there are no more sessions than places, nothing is to be chosen.
            f"sessions@{k}": metrics.session_recall_at(ranking, session_of, sessions, k) if many > k else math.nan
            for k in (5, 10)
        }
        | {f"context {budget}": metrics.recall(answer.packed[budget], key) for budget in BUDGETS}
    )


def _sessions(key: Sequence[str], session_of: Mapping[str, str]) -> list[str]:
    return [session_of[id] for id in key if id in session_of]


def build(runs: Sequence[SetRun], *, about: Mapping[str, str], missing: Sequence[str], seed: int) -> Report:
    """Turn the answers into figures."""
    return Report(
        about=about,
        figures=tuple(figure for run in runs for part in parts(run.dataset) for figure in _figures(run, part, seed)),
        sureness=tuple(sureness for run in runs for sureness in _sureness(run)),
        speed=tuple(speed for run in runs for speed in _speed(run)),
        missing=tuple(missing),
    )


def _figures(run: SetRun, part: Part, seed: int) -> Iterator[Figure]:
    categories = sorted({q.category for c in run.conversations for q in c.questions if part.holds(q)})
    for category in ["", *(categories if len(categories) > 1 else [])]:
        chosen = [
            [n for n, q in enumerate(c.questions) if part.holds(q) and category in ("", q.category)]
            for c in run.conversations
        ]
        sizes = [len(numbers) for numbers in chosen if numbers]
        if not sizes:
            continue
        resampling = Resampling.of(sizes, seed=seed)
        values = {system: _values(run, system, chosen, part.key) for system in run.answers}
        for system, by_metric in values.items():
            for metric, column in by_metric.items():
                if category and metric not in BY_CATEGORY:
                    continue
                reference = values.get(OURS, values[system])[metric]
                yield Figure(
                    part=part.name,
                    category=category,
                    system=system,
                    metric=metric,
                    estimate=resampling.estimate(column),
                    ours_minus_it=resampling.difference(reference, column),
                )


def _values(run: SetRun, system: str, chosen: Sequence[Sequence[int]], key: Key) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for conversation, answers, numbers in zip(run.conversations, run.answers[system], chosen, strict=True):
        for number in numbers:
            question = conversation.questions[number]
            for metric, value in scores(conversation, question, answers[number], key(question)).items():
                columns.setdefault(metric, []).append(value)
    return columns


def _answered(run: SetRun, system: str) -> Iterator[tuple[Question, Answer]]:
    for conversation, answers in zip(run.conversations, run.answers[system], strict=True):
        yield from zip(conversation.questions, answers, strict=True)


def _sureness(run: SetRun) -> Iterator[Sureness]:
    for system in run.answers:
        shown: dict[bool, list[tuple[float, bool]]] = {True: [], False: []}
        best: dict[bool, list[float]] = {True: [], False: []}
        for question, answer in _answered(run, system):
            key = set(question.best_evidence) if question.answerable else set[str]()
            if answer.best is not None:
                best[question.answerable].append(answer.best)
            # Only a question with a key says which hits are evidence.
            if key or not question.answerable:
                hits = list(zip(answer.ranking, answer.relevance, strict=False))[:10]
                shown[question.answerable] += [(p, not key.isdisjoint(hit)) for hit, p in hits if p is not None]
        if shown[True]:
            bins, with_unknown = _bins(shown[True]), _bins(shown[True] + shown[False])
            yield Sureness(
                dataset=run.dataset,
                system=system,
                error=metrics.expected_calibration_error(bins),
                error_with_unknown=metrics.expected_calibration_error(with_unknown),
                bins=bins,
                known_from_unknown=metrics.separation(best[True], best[False]),
            )


def _bins(shown: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    return metrics.calibration([promised for promised, _ in shown], [kept for _, kept in shown])


def _speed(run: SetRun) -> Iterator[Speed]:
    for system in run.answers:
        ms = [answer.ms for _, answer in _answered(run, system)]
        yield Speed(run.dataset, system, metrics.quantile(ms, 0.5), metrics.quantile(ms, 0.95), run.seconds[system])


# --- Where we lose ----------------------------------------------------------------------------------------------------


def losses(report: Report) -> list[Figure]:
    """The figures in which another system is ahead of Mnemic, the surest first."""
    behind = [f for f in report.figures if f.system != OURS and f.ours_minus_it.mean < 0]
    return sorted(behind, key=lambda figure: (figure.ours_minus_it.high, figure.ours_minus_it.mean))


# --- Writing ----------------------------------------------------------------------------------------------------------


def write(report: Report, folder: Path, name: str) -> tuple[Path, Path]:
    """`<name>.md` and `<name>.json` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, data = folder / f"{name}.md", folder / f"{name}.json"
    markdown.write_text(to_markdown(report), encoding="utf-8")
    data.write_text(json.dumps(_plain(asdict(report)), ensure_ascii=False) + "\n", encoding="utf-8")
    return markdown, data


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def to_markdown(report: Report) -> str:
    """The tables."""
    blocks = [
        "# Quality",
        "\n".join(f"- {name}: {value}" for name, value in report.about.items()),
        *(["Not measured, since the data is not there: " + ", ".join(report.missing) + "."] if report.missing else []),
        "Each figure is a mean over questions, with a 95 % interval from a hierarchical bootstrap (conversations, then "
        "their questions). Δ is Mnemic minus the other system, paired by question, with its own interval.",
        "## In short",
        summary(report),
        "## Every figure",
        *_details(report),
        "## By kind of question (recall@10)",
        *_categories(report),
        "## Relevance as a probability",
        _sureness_table(report),
        "## Where Mnemic loses",
        _losses_table(report),
        "## Time",
        _speed_table(report),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def summary(report: Report) -> str:
    """One line per part and headline metric: Mnemic, and the best of the baselines."""
    rows: list[list[str]] = []
    for part in _unique(figure.part for figure in report.figures):
        for metric in ("recall@10", "sessions@5", "context 1000"):
            figures = [
                f for f in report.figures if (f.part, f.category, f.metric) == (part, "", metric) and f.estimate.count
            ]
            own = [f for f in figures if f.system.startswith(OURS)]
            others = [f for f in figures if not f.system.startswith(OURS)]
            if not own:
                continue
            best = max(others, key=lambda figure: figure.estimate.mean, default=None)
            rows.append(
                [
                    part,
                    metric,
                    str(own[0].estimate.count),
                    *(_estimate(f.estimate) for f in own),
                    f"{best.system} {_estimate(best.estimate)}" if best else "",
                    _difference(best.ours_minus_it) if best else "",
                ]
            )
    systems = _unique(f.system for f in report.figures if f.system.startswith(OURS))
    return _table(["part", "metric", "questions", *systems, "best baseline", "Δ"], rows)


def _details(report: Report) -> Iterator[str]:
    for part in _unique(figure.part for figure in report.figures):
        figures = [f for f in report.figures if f.part == part and not f.category]
        columns = _unique(f.metric for f in figures if f.estimate.count)
        systems = _unique(f.system for f in figures)
        rows: list[list[str]] = []
        for system in systems:
            by_metric = {f.metric: f for f in figures if f.system == system}
            rows.append([system, *(_estimate(by_metric[m].estimate) for m in columns)])
            if system != OURS and OURS in systems:
                rows.append(["Δ", *(_difference(by_metric[m].ours_minus_it) for m in columns)])
        yield f"### {part}\n\n" + _table(["system", *columns], rows)


def _categories(report: Report) -> Iterator[str]:
    for part in _unique(f.part for f in report.figures if f.category):
        figures = [f for f in report.figures if f.part == part and f.category and f.metric == "recall@10"]
        systems = _unique(f.system for f in figures)
        rows: list[list[str]] = []
        for category in _unique(f.category for f in figures):
            by_system = {f.system: f for f in figures if f.category == category}
            count = next(iter(by_system.values())).estimate.count
            if count:
                rows.append([category, str(count), *(_estimate(by_system[s].estimate) for s in systems)])
        yield f"### {part}\n\n" + _table(["kind", "questions", *systems], rows)


def _sureness_table(report: Report) -> str:
    rows = [
        [
            s.dataset,
            s.system,
            _number(s.error),
            _number(s.error_with_unknown),
            _number(s.known_from_unknown),
            " ".join(f"{b.promised:.2f}→{b.kept:.2f} ({b.count})" for b in s.bins),
        ]
        for s in report.sureness
    ]
    header = [
        "set",
        "system",
        "calibration error",
        "with the unknown",
        "known from unknown (AUC)",
        "promised→kept (hits)",
    ]
    return _table(header, rows) if rows else "No system gave a relevance."


def _losses_table(report: Report) -> str:
    rows = [
        [
            figure.part,
            figure.category or "all",
            figure.metric,
            f"{figure.system} {_number(figure.estimate.mean)}",
            _difference(figure.ours_minus_it),
        ]
        for figure in losses(report)
        # The variants of Mnemic fitted for a check are no rivals.
        if not figure.system.startswith(OURS) and (figure.ours_minus_it.high < 0 or not figure.category)
    ]
    note = "Every part's figures where another system is ahead, and every kind of question where that is beyond chance."
    return f"{note}\n\n" + (_table(["part", "kind", "metric", "system", "Δ"], rows) if rows else "Nowhere.")


def _speed_table(report: Report) -> str:
    rows = [[s.dataset, s.system, f"{s.p50_ms:.2f}", f"{s.p95_ms:.2f}", f"{s.seconds:.1f}"] for s in report.speed]
    note = (
        "A search for ten hits; where a conversation has one question (longmemeval, membench, musique), the first one "
        "after opening, which for Mnemic reads the scope's index. `python -m bench speed` measures warm, and at scale."
    )
    return f"{note}\n\n" + _table(["set", "system", "p50 ms", "p95 ms", "whole set s"], rows)


def _estimate(estimate: Estimate) -> str:
    if not estimate.count:
        return "–"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _difference(estimate: Estimate) -> str:
    if not estimate.count:
        return "–"
    return f"{estimate.mean:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _unique(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))
