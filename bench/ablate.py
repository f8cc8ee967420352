"""What each signal of the ranking is worth: the ranking by it alone, and by all but it.

    python -m bench ablate [--sets locomo,longmemeval] [--limit 2]

Every variant is a file for `Memory(ranking=…)`, the shipped one with weights set to 0, and all of them read the same
file of messages: what is measured is what a user of that file would get. Whatever else such a file holds is kept.

A signal of the second round starts from what the first found, so it is never alone; and one that is there for few
questions only (a speaker, a time, a session that is named) leaves all others to the order of time when it is alone.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import metrics
from bench.datasets import Conversation
from bench.metrics import Estimate
from bench.run import episodes, in_time
from mnemic import Memory, rank

SETS = ("locomo", "longmemeval", "beam", "realmem", "musique")
METRICS = ("recall@10", "sessions@5")

SHIPPED = "shipped"
ALONE, WITHOUT = "alone", "all but it"

NOTE = (
    "Each signal alone (all other weights 0), and what the shipped ranking loses without it (its weight 0; above 0 the "
    "signal helps), paired by question. A signal of the second round starts from what the first found and is never "
    "alone; where a signal says nothing of a question, alone it leaves the newest in front."
)

LIMIT = 50
"""Hits asked for: enough for ten episodes and, nearly always, five sessions."""

_PARTS = ("words and vectors", "words")
"""Of a file of fitted numbers: each has weights of its own."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The weights of one ranking: a signal alone, or all but it. `signal` is None for the shipped ones."""

    signal: str | None
    how: str


@dataclass(frozen=True, slots=True)
class Worth:
    """The figures of a variant on one set, and the shipped ranking's minus it."""

    dataset: str
    variant: Variant
    estimates: Mapping[str, Estimate]
    shipped_minus_it: Mapping[str, Estimate]


# --- Variants ---------------------------------------------------------------------------------------------------------


def shipped() -> dict[str, Any]:
    """The numbers that ship, as the file has them."""
    return json.loads((files("mnemic") / "rank.json").read_text(encoding="utf-8"))


def variants(numbers: Mapping[str, Any]) -> Iterator[Variant]:
    """The shipped weights, then each signal of the file alone and left out, then those of the second round left out."""
    yield Variant(None, SHIPPED)
    fitted = [name for name in numbers[_PARTS[0]]["weights"] if name not in rank.SECOND_ROUND]
    for name in fitted:
        yield Variant(name, ALONE)
    for name in (*fitted, *rank.SECOND_ROUND):
        yield Variant(name, WITHOUT)


def numbers_of(variant: Variant, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers with the weights of a variant: what counts nothing is 0, and all that are no weights stay."""
    changed = copy.deepcopy(dict(numbers))
    if variant.signal is None:
        return changed
    for part in _PARTS:
        weights = {**rank.SECOND_ROUND, **changed[part]["weights"]}
        changed[part]["weights"] = {
            name: weight if (name == variant.signal) == (variant.how == ALONE) else 0.0
            for name, weight in weights.items()
        }
    return changed


# --- Measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """Each metric of each question, conversation by conversation."""

    sizes: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]


def measure(
    conversations: Sequence[Conversation],
    *,
    ranking: Path | None = None,
    progress: Callable[[str], None],
) -> dict[Variant, Column]:
    """Ask all answerable questions of each variant of the `ranking` (None: the shipped one)."""
    numbers = shipped() if ranking is None else json.loads(ranking.read_text(encoding="utf-8"))
    found: dict[Variant, dict[str, list[float]]] = {
        variant: {metric: [] for metric in METRICS} for variant in variants(numbers)
    }
    sizes: list[int] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        written = {variant: folder / f"{number}.json" for number, variant in enumerate(found)}
        for variant, path in written.items():
            path.write_text(json.dumps(numbers_of(variant, numbers)), encoding="utf-8")
        for number, conversation in enumerate(conversations):
            sizes.append(_ask(conversation, folder / f"{number}.db", written, found))
            progress(f"{conversation.dataset} {conversation.id}: {sizes[-1]} questions")
    return {
        variant: Column(tuple(sizes), {metric: tuple(values) for metric, values in by_metric.items()})
        for variant, by_metric in found.items()
    }


def _ask(
    conversation: Conversation,
    path: Path,
    written: Mapping[Variant, Path],
    found: Mapping[Variant, Mapping[str, list[float]]],
) -> int:
    session_of = {message.id: message.session_id for message in conversation.messages}
    several = len(set(session_of.values())) > 5
    asked = 0
    with ExitStack() as stack:
        writer = stack.enter_context(Memory(path, recipe="none"))
        readers: dict[Variant, Memory] = {}
        for question, _ in in_time(writer, conversation):
            if not question.answerable or not (question.best_evidence or question.evidence_sessions):
                continue
            asked += 1
            for variant, ranking in written.items():
                if variant not in readers:
                    readers[variant] = stack.enter_context(Memory(path, ranking=ranking, read_only=True))
                hits = readers[variant].search(
                    question.text, user_id=conversation.id, limit=LIMIT, now=conversation.asked_at(question)
                )
                given = [episodes(hit) for hit in hits]
                sessions = metrics.session_recall_at(given, session_of, question.evidence_sessions, 5)
                found[variant]["recall@10"].append(metrics.recall_at(given, question.best_evidence, 10))
                found[variant]["sessions@5"].append(sessions if several else float("nan"))
    return asked


# --- The report -------------------------------------------------------------------------------------------------------


def worth(dataset: str, columns: Mapping[Variant, Column], *, seed: int) -> Iterator[Worth]:
    """The figures of every variant, with intervals clustered by conversation."""
    ours = columns[Variant(None, SHIPPED)]
    if not sum(ours.sizes):
        return
    resampling = metrics.Resampling.of([size for size in ours.sizes if size], seed=seed)
    for variant, column in columns.items():
        yield Worth(
            dataset,
            variant,
            {metric: resampling.estimate(column.values[metric]) for metric in METRICS},
            {metric: resampling.difference(ours.values[metric], column.values[metric]) for metric in METRICS},
        )


def table(found: Sequence[Worth], metric: str) -> Iterator[str]:
    """Markdown, line by line: a row for each signal; for each set the signal alone, and what is lost without it."""
    sets = [
        name
        for name in dict.fromkeys(one.dataset for one in found)
        if any(one.dataset == name and one.estimates[metric].count for one in found)
    ]
    if not sets:
        yield "Of these sets none has it."
        return
    by = {(one.dataset, one.variant): one for one in found}
    signals = dict.fromkeys(one.variant.signal for one in found if one.variant.signal is not None)
    yield f"| signal | {' | '.join(f'{name}: alone | {name}: lost without it' for name in sets)} |"
    yield "| --- |" + " --- |" * (2 * len(sets))
    whole = [by[name, Variant(None, SHIPPED)].estimates[metric] for name in sets]
    yield f"| all of them | {' | '.join(f'{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}] | ' for one in whole)} |"
    for signal in signals:
        cells: list[str] = []
        for name in sets:
            alone, without = by.get((name, Variant(signal, ALONE))), by.get((name, Variant(signal, WITHOUT)))
            cells.append("–" if alone is None else f"{alone.estimates[metric].mean:.3f}")
            lost = None if without is None else without.shipped_minus_it[metric]
            cells.append("–" if lost is None else f"{lost.mean:+.3f} [{lost.low:+.3f}, {lost.high:+.3f}]")
        yield f"| {signal} | {' | '.join(cells)} |"
