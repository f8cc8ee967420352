"""From answers to one table: every figure with its interval, and beside it the paired difference to Mnemic."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import metrics, plot, sure
from bench.datasets import Conversation, Question
from bench.metrics import Bin, Estimate, Resampling
from bench.run import BUDGETS, Answer, SetRun
from bench.sure import Abstention, Belief

OURS = "mnemic"
"""The system that the others are compared with."""

NEWEST = "newest first"
"""The baseline that is a model's window: of the whole history the newest, as far as a budget reaches."""

WINDOWS = (1000, 2000)
"""Budgets that the whole history is compared with."""

BY_CATEGORY = ("recall@10", "all@10", "context 1000")
"""The metrics that are told apart by kind of question; some kinds have too few questions for more."""

GOALS: Mapping[str, tuple[str, ...]] = {
    "locomo 1-4": ("recall@10", "context 1000", "context 2000"),
    "longmemeval": ("sessions@5", "context 2000"),
    "beam": ("recall@20",),
    "realmem": ("sessions@5",),
    "musique": ("recall@5",),
}
"""What the table at the top holds: the metrics of each part that somebody who chooses a memory would ask for."""

GOALS_BY_KIND: Mapping[str, str] = {"locomo 1-4": "recall@10"}
"""Parts whose kinds of question are told apart there, too, by this metric."""

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
class Goal:
    """One metric of one part: Mnemic and its variants, the best baseline, and each of the former minus the latter.

    The best baseline is the one with the highest mean here: chosen after the fact, so it is flattered a little.
    """

    part: str
    category: str
    metric: str
    ours: Mapping[str, Estimate]
    best: str
    best_estimate: Estimate | None
    ahead: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Whole:
    """What it takes to put everything that was said before the model, beside a context of Mnemic's.

    `recall` is measured, though it is 1 by definition: a key that names what was said later would show.
    """

    part: str
    count: int
    tokens: float
    least: int
    most: int
    recall: float
    packed: Mapping[str, Mapping[int, Estimate]]
    """The recall of a system in a budget."""


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
    goals: tuple[Goal, ...] = ()
    wholes: tuple[Whole, ...] = ()
    beliefs: tuple[Belief, ...] = ()
    abstentions: tuple[Abstention, ...] = ()


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
        goals=tuple(goal for run in runs for part in parts(run.dataset) for goal in _goals(run, part, seed)),
        wholes=tuple(whole for run in runs if run.whole for whole in _wholes(run, parts(run.dataset)[0], seed)),
        beliefs=tuple(belief for run in runs for belief in sure.beliefs(run)),
        abstentions=tuple(abstention for run in runs for abstention in sure.abstentions(run, seed)),
    )


def _goals(run: SetRun, part: Part, seed: int) -> Iterator[Goal]:
    for metric in GOALS.get(part.name, ()):
        yield from _goal(run, part, "", metric, seed)
    if part.name in GOALS_BY_KIND:
        for category in sorted({q.category for c in run.conversations for q in c.questions if part.holds(q)}):
            yield from _goal(run, part, category, GOALS_BY_KIND[part.name], seed)


def _goal(run: SetRun, part: Part, category: str, metric: str, seed: int) -> Iterator[Goal]:
    chosen = _chosen(run, part, category)
    sizes = [len(numbers) for numbers in chosen if numbers]
    own = [system for system in run.answers if system.startswith(OURS)]
    if not sizes or not own:
        return
    resampling = Resampling.of(sizes, seed=seed)
    columns = {system: _values(run, system, chosen, part.key)[metric] for system in run.answers}
    estimates = {system: resampling.estimate(column) for system, column in columns.items()}
    others = [system for system in run.answers if system not in own and estimates[system].count]
    best = max(others, key=lambda system: estimates[system].mean, default="")
    yield Goal(
        part=part.name,
        category=category,
        metric=metric,
        ours={system: estimates[system] for system in own},
        best=best,
        best_estimate=estimates.get(best),
        ahead={system: resampling.difference(columns[system], columns[best]) for system in own} if best else {},
    )


def _wholes(run: SetRun, part: Part, seed: int) -> Iterator[Whole]:
    chosen = _chosen(run, part, "")
    asked = [
        (conversation, conversation.questions[number], run.whole[place][number])
        for place, (conversation, numbers) in enumerate(zip(run.conversations, chosen, strict=True))
        for number in numbers
    ]
    if not asked:
        return
    resampling = Resampling.of([len(numbers) for numbers in chosen if numbers], seed=seed)
    tokens = [taken for _, _, taken in asked]
    shares = [metrics.recall((m.id for m in c.heard(q)), part.key(q)) for c, q, _ in asked]
    found = [share for share in shares if not math.isnan(share)]
    systems = [system for system in run.answers if system.startswith(OURS) or system == NEWEST]
    values = {system: _values(run, system, chosen, part.key) for system in systems}
    yield Whole(
        part=part.name,
        count=len(asked),
        tokens=sum(tokens) / len(tokens),
        least=min(tokens),
        most=max(tokens),
        recall=sum(found) / len(found) if found else math.nan,
        packed={
            system: {budget: resampling.estimate(values[system][f"context {budget}"]) for budget in WINDOWS}
            for system in systems
        },
    )


def _chosen(run: SetRun, part: Part, category: str) -> list[list[int]]:
    """For each conversation the numbers of the questions that count."""
    return [
        [n for n, q in enumerate(c.questions) if part.holds(q) and category in ("", q.category)]
        for c in run.conversations
    ]


def _figures(run: SetRun, part: Part, seed: int) -> Iterator[Figure]:
    categories = sorted({q.category for c in run.conversations for q in c.questions if part.holds(q)})
    for category in ["", *(categories if len(categories) > 1 else [])]:
        chosen = _chosen(run, part, category)
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


def write(report: Report, folder: Path, name: str) -> tuple[Path, ...]:
    """`<name>.md` and `<name>.json` in `folder`, and reliability plots of the hits and of the confidence as SVG."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, data = folder / f"{name}.md", folder / f"{name}.json"
    drawn = {folder / f"{name}-{of}.svg": picture for of, picture in plots(report).items()}
    for path, picture in drawn.items():
        path.write_text(picture, encoding="utf-8")
    images = [f"![{path.stem}]({path.name})" for path in drawn]
    markdown.write_text(to_markdown(report, images), encoding="utf-8")
    data.write_text(json.dumps(_plain(asdict(report)), ensure_ascii=False) + "\n", encoding="utf-8")
    return markdown, data, *drawn


def plots(report: Report) -> dict[str, str]:
    """SVGs by what they show; a panel for each set. None without probabilities."""
    sets = _unique(belief.dataset for belief in report.beliefs)

    def panels(kept: Callable[[Belief], sure.Kept]) -> list[plot.Panel]:
        by_set = {name: [b for b in report.beliefs if b.dataset == name and kept(b).count] for name in sets}
        return [
            plot.Panel(
                f"{name} ({kept(found[0]).count})", tuple((belief.system, kept(belief).bins) for belief in found)
            )
            for name, found in by_set.items()
            if found
        ]

    drawn = {
        "hits": (f"Relevance of hits given {sure.LEAST} or more", panels(lambda belief: belief.hits)),
        "confidence": ("Confidence that the evidence is there", panels(lambda belief: belief.confidence_of_all)),
    }
    return {name: plot.reliability(title, shown) for name, (title, shown) in drawn.items() if shown}


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def to_markdown(report: Report, images: Sequence[str] = ()) -> str:
    """The tables; `images` are the links to the plots."""
    blocks = [
        "# Quality",
        "\n".join(f"- {name}: {value}" for name, value in report.about.items()),
        *(["Not measured, since the data is not there: " + ", ".join(report.missing) + "."] if report.missing else []),
        "Each figure is a mean over questions, with a 95 % interval from a hierarchical bootstrap (conversations, then "
        "their questions). Δ is Mnemic minus the other system, paired by question, with its own interval.",
        *(["## Goals", _goals_table(report)] if report.goals else []),
        *(["## Beside the whole history", _wholes_table(report)] if report.wholes else []),
        "## In short",
        summary(report),
        "## Every figure",
        *_details(report),
        "## By kind of question (recall@10)",
        *_categories(report),
        "## Relevance as a probability",
        _sureness_table(report),
        *(["## Promised and kept", _beliefs_table(report), *images] if report.beliefs else []),
        *(["## Not known", _abstentions_table(report)] if report.abstentions else []),
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
        headline = ("recall@10", "sessions@5", "context 1000")
        for metric in dict.fromkeys((*headline, *GOALS.get(part, ()))):
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


def _goals_table(report: Report) -> str:
    note = (
        "Δ is the system minus the best baseline of that line (the one with the highest mean, chosen after the fact), "
        "paired by question."
    )
    systems = _unique(system for goal in report.goals for system in goal.ours)
    rows = [
        [
            goal.part,
            goal.category or "all",
            goal.metric,
            str(next(iter(goal.ours.values())).count),
            *(_estimate(goal.ours[s]) for s in systems),
            f"{goal.best} {_estimate(goal.best_estimate)}" if goal.best_estimate else "–",
            *(_difference(goal.ahead[s]) if s in goal.ahead else "–" for s in systems),
        ]
        for goal in report.goals
    ]
    header = ["part", "kind", "metric", "questions", *systems, "best baseline", *(f"Δ {s}" for s in systems)]
    return f"{note}\n\n" + _table(header, rows)


def _wholes_table(report: Report) -> str:
    note = (
        "Whoever puts the whole history before the model finds all evidence, at the price of all its tokens (by the "
        "counter of the budgets; where there is no room, the newest that fits is what the model sees). Its recall is 1 "
        "by definition and says nothing about whether the model reads it; the others are shares of the evidence in a "
        "context of that many tokens."
    )
    systems = _unique(system for whole in report.wholes for system in whole.packed)
    columns = [(system, budget) for system in systems for budget in WINDOWS]
    rows = [
        [
            whole.part,
            str(whole.count),
            f"{whole.tokens:,.0f} [{whole.least:,}, {whole.most:,}]",
            _number(whole.recall),
            *(_estimate(whole.packed[s][b]) if s in whole.packed else "–" for s, b in columns),
        ]
        for whole in report.wholes
    ]
    header = ["part", "questions", "tokens of the whole history [least, most]", "recall of the whole history"]
    return f"{note}\n\n" + _table([*header, *(f"{system}, {budget:,}" for system, budget in columns)], rows)


def _beliefs_table(report: Report) -> str:
    note = (
        f"Hits given a relevance of {sure.LEAST} or more, among the first {sure.HITS}; and the confidence that some of "
        f"the first {sure.HITS} is evidence. The error is the expected calibration error over ten bins of equal mass, "
        "the skill is Brier's over always promising the base rate. 'All' are the questions without an answer, too, of "
        "whose hits none is evidence. realmem's key is complete for sessions only, membench's for one minute of a "
        "talk: a hit beside either may well be evidence."
    )
    rows = [
        [b.dataset, b.system, *_kept(b.hits), *_kept(b.hits_of_all), *_kept(b.confidence), *_kept(b.confidence_of_all)]
        for b in report.beliefs
    ]
    columns = [
        f"{what}: {figure}"
        for what in ("hits", "hits, all", "confidence", "confidence, all")
        for figure in ("count (kept)", "error", "skill")
    ]
    return f"{note}\n\n" + _table(["set", "system", *columns], rows)


def _kept(kept: sure.Kept) -> list[str]:
    return [f"{kept.count} ({_number(kept.base)})", _number(kept.error), _number(kept.skill)]


def _abstentions_table(report: Report) -> str:
    note = (
        "Whether the confidence tells questions that have an answer from those that have none (locomo: category 5; "
        "beam: abstention; longmemeval: _abs). AUROC with its 95 % interval. 'Wrongly refused' is the share of "
        "answerable questions below the threshold that refuses 95 % of the unanswerable ones; 'wrongly answered' the "
        "share of unanswerable ones above the threshold that answers 95 % of the answerable ones."
    )
    rows = [
        [
            a.dataset,
            a.system,
            str(a.answerable),
            str(a.unanswerable),
            _estimate(a.separation),
            _number(a.refused_wrongly),
            _number(a.answered_wrongly),
        ]
        for a in report.abstentions
    ]
    header = ["set", "system", "answerable", "unanswerable", "AUROC", "wrongly refused", "wrongly answered"]
    return f"{note}\n\n" + _table(header, rows)


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
