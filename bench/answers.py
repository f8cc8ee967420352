"""Answers without a model: how near they come to the key's, and the fit of `src/mnemic/extract.json`.

    python -m bench answers [--sets locomo,musique] [--write src/mnemic/extract.json]

The figure is token-F1 (Rajpurkar and others, SQuAD, 2016: lower case, without articles and punctuation). "normalised"
writes each date of both sides as one ISO date first, so "the Friday before 15 July" and "14 July 2023" are equal.
*bound* answers each conversation with weights fitted on the others; *shipped* with those of the package. Beside them:
the whole first hit, the sentence that fits best, and the best sentence of the key's own evidence, which no choice of
sentences can beat.
"""

from __future__ import annotations

import json
import re
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import metrics
from bench.datasets import Conversation, Question
from mnemic import Hit, Memory, answer, dates, extract
from mnemic.models import wordllama
from mnemic.question import Wanted, wanted
from mnemic.types import Answer

Array = NDArray[np.float64]

SHRINKAGE = 1e-3
"""Weight of the squared distance from no weight at all, of standardised features; between 1e-4 and 1e-2 the figures
move by half a point."""
_STEPS = 400

SYSTEMS = ("first hit", "best sentence", "bound", "shipped", "shipped, never 'not known'", "key's best sentence")


# --- The figure -------------------------------------------------------------------------------------------------------

_ARTICLES = re.compile(r"\b(?:a|an|the|and)\b")
_PUNCTUATION = str.maketrans({mark: " " if mark in "-/" else None for mark in string.punctuation})
_BEFORE = re.compile(r"(?i)\b(mon|tues|wednes|thurs|fri|satur|sun)day before (\d{4}-\d\d-\d\d)")
_GLUED = re.compile(r"(\d)([A-Z][a-z]+)\b")


def tokens(words: str) -> list[str]:
    return _ARTICLES.sub(" ", words.lower().replace(",", " ")).translate(_PUNCTUATION).split()


def token_f1(given: str, key: str) -> float:
    """Harmonic mean of the shares of tokens that the two have in common."""
    mine, right = tokens(given), tokens(key)
    common = sum((Counter(mine) & Counter(right)).values())
    return 2 * common / (len(mine) + len(right)) if common else float(mine == right)


def normalised(words: str, asked_at: datetime) -> str:
    """The text with each date as one ISO date, and "the Friday before" one resolved."""
    words = _GLUED.sub(r"\1 \2", words)
    for told in reversed(dates.told(words, asked_at)):
        if told.precision in ("day", "month", "year") and not words[told.start : told.end].startswith("20"):
            exact = f"{told.first:%Y-%m-%d}" if told.precision == "day" else f"{told.first:%Y-%m}"
            exact = f"{told.first:%Y}" if told.precision == "year" else exact
            words = words[: told.start] + exact + words[told.end :]

    def the_day(match: re.Match[str]) -> str:
        last = datetime.fromisoformat(match[2])
        names = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
        back = (last.weekday() - names.index(match[1].lower())) % 7 or 7
        return f"{last - timedelta(days=back):%Y-%m-%d}"

    return _BEFORE.sub(the_day, words).replace("-", "")


# --- Questions with what was found for them ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A question with an answer in words, and what the memory found for it."""

    conversation: str
    question: Question
    wanted: Wanted
    passages: tuple[extract.Passage, ...]
    asked_at: datetime
    shipped: Answer
    forced: Answer
    """The same without the right to say "not known"."""
    evidence: tuple[str, ...]
    """The texts that the key rests on."""


def cases(conversations: Iterable[Conversation], progress: Callable[[str], None]) -> Iterator[Case]:
    """Each answerable question with a key, asked in its own conversation."""
    for conversation in conversations:
        texts = {message.id: message.content for message in conversation.messages}
        with Memory(":memory:", recipe="none") as memory:
            for session, messages in conversation.sessions():
                memory.add(messages, user_id="u", session_id=session)
            for question in conversation.questions:
                if not question.answerable or not question.answer or question.history is not None:
                    continue
                now = conversation.asked_at(question)
                found = memory.search(question.text, user_id="u", limit=answer.HITS, now=now)
                yield Case(
                    conversation.id,
                    question,
                    wanted(question.text),
                    tuple(map(_passage, found.hits[: answer.READ])),
                    datetime.fromisoformat(now) if now else datetime.now(UTC),
                    memory.ask(question.text, user_id="u", now=now),
                    memory.ask(question.text, user_id="u", now=now, threshold=0.0),
                    tuple(texts[id] for id in question.best_evidence if id in texts),
                )
        progress(f"{conversation.dataset} {conversation.id}")


def _passage(hit: Hit) -> extract.Passage:
    return extract.Passage(hit.text, hit.score, hit.time)


def _alike(case: Case) -> extract.Alike:
    return lambda texts: answer.alike(case.question.text, texts, wordllama.find())


# --- The fit ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lesson:
    """The spans of one question: their features and what each is worth."""

    conversation: str
    rows: Array
    worth: Array


def lessons(asked: Iterable[Case]) -> list[Lesson]:
    """Those questions that spans answer, with one span at least that is worth something."""
    found: list[Lesson] = []
    for case in asked:
        if case.wanted.kind in ("time", "duration"):
            continue
        sentences = extract.sentences(case.question.text, case.passages, _alike(case))
        spans, rows = extract.candidates(case.wanted, sentences)
        worth = np.array([token_f1(span.text, case.question.answer) for span in spans])
        if len(spans) and worth.max() > 0.0:
            found.append(Lesson(case.conversation, rows, worth))
    return found


def fit(chosen: Sequence[Lesson]) -> dict[str, float]:
    """Weights that make the expected token-F1 of a softmax over each question's spans as high as they can."""
    rows = np.concatenate([lesson.rows for lesson in chosen])
    worth = np.concatenate([lesson.worth for lesson in chosen])
    sizes = np.array([len(lesson.worth) for lesson in chosen])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    owner = np.repeat(np.arange(len(sizes)), sizes)
    spread = rows.std(axis=0) + 1e-6
    rows = (rows - rows.mean(axis=0)) / spread
    weights, drift, power = (np.zeros(rows.shape[1]) for _ in range(3))
    for step in range(1, _STEPS + 1):  # Adam: Kingma and Ba, ICLR 2015
        scores = rows @ weights
        raised = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        share = raised / np.add.reduceat(raised, starts)[owner]
        expected = np.add.reduceat(share * worth, starts)
        gradient = SHRINKAGE * weights - rows.T @ (share * (worth - expected[owner])) / len(sizes)
        drift = 0.9 * drift + 0.1 * gradient
        power = 0.99 * power + 0.01 * gradient * gradient
        weights = weights - 0.05 * (drift / (1 - 0.9**step)) / (np.sqrt(power / (1 - 0.99**step)) + 1e-8)
    return {name: round(float(value), 4) for name, value in zip(extract.FEATURES, weights / spread, strict=True)}


# --- The report -------------------------------------------------------------------------------------------------------


def measured(asked: Sequence[Case], progress: Callable[[str], None]) -> dict[str, list[str]]:
    """What each system answers to each question."""
    known = lessons(asked)
    given: dict[str, list[str]] = defaultdict(list)
    by_conversation: dict[str, list[int]] = defaultdict(list)
    for number, case in enumerate(asked):
        by_conversation[case.conversation].append(number)
    bound = [""] * len(asked)
    groups = list(by_conversation) if len(by_conversation) <= 20 else []
    folds = [[name] for name in groups] or [list(by_conversation)[start::10] for start in range(10)]
    for fold in folds:
        weights = fit([lesson for lesson in known if lesson.conversation not in fold])
        for name in fold:
            for number in by_conversation[name]:
                case = asked[number]
                spans = extract.answer(case.question.text, case.wanted, case.passages, _alike(case), weights)
                bound[number] = ", ".join(span.text for span in spans) if case.shipped.known else answer.UNKNOWN
        progress(f"fitted without {', '.join(fold[:3])}")
    given["bound"] = bound
    for case in asked:
        sentences = extract.sentences(case.question.text, case.passages, _alike(case))
        best = max(sentences, key=lambda one: one.fit, default=None)
        given["first hit"].append(case.passages[0].text if case.passages else "")
        given["best sentence"].append(best.text if best else "")
        given["shipped"].append(case.shipped.text)
        given["shipped, never 'not known'"].append(case.forced.text)
        given["key's best sentence"].append(_oracle(case))
    return given


def _oracle(case: Case) -> str:
    said = [extract.Passage(text, 0.0, case.asked_at) for text in case.evidence]
    found = [one.text for one in extract.sentences(case.question.text, said, None)]
    return max(found, key=lambda text: token_f1(text, case.question.answer), default="")


def table(name: str, asked: Sequence[Case], given: Mapping[str, Sequence[str]], *, seed: int = 0) -> Iterator[str]:
    """Markdown, line by line: token-F1 by category, all with its interval, and normalised."""
    categories = sorted({case.question.category for case in asked})
    yield f"### {name}: {len(asked)} questions"
    yield ""
    yield f"| | {' | '.join(categories)} | all | | normalised |"
    yield "|---" * (len(categories) + 4) + "|"
    sizes = list(Counter(case.conversation for case in asked).values())
    drawn = metrics.Resampling.of(sizes, seed=seed)
    for system in SYSTEMS:
        pairs = list(zip(given[system], asked, strict=True))
        values = [token_f1(text, case.question.answer) for text, case in pairs]
        even = [
            token_f1(normalised(text, case.asked_at), normalised(case.question.answer, case.asked_at))
            for text, case in pairs
        ]
        means = [
            f"{np.mean([v for v, c in zip(values, asked, strict=True) if c.question.category == category]):.3f}"
            for category in categories
        ]
        whole = drawn.estimate(values)
        yield (
            f"| {system} | {' | '.join(means)} | {whole.mean:.3f} | {whole.low:.3f} to {whole.high:.3f} "
            f"| {np.mean(even):.3f} |"
        )
    refused = sum(not case.shipped.known for case in asked)
    yield ""
    yield f"{refused} of {len(asked)} answered 'not known'."


def write(weights: Mapping[str, float], path: Path, *, sets: Sequence[str], date: str) -> None:
    """The file that ships."""
    about = f"fitted on {', '.join(sets)} ({date}); python -m bench answers --write"
    path.write_text(json.dumps({"about": about, "weights": weights}, indent=1) + "\n", encoding="utf-8")
