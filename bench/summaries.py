"""How much of what is asked about later stands in the summaries, and whether topics bring together what belongs so.

    python -m bench summaries [--data DIR] [--sets locomo,longmemeval]

* *Turns*: of the turns that are a question's evidence, those of which the summary has a sentence; *answers*: the share
  of the answer's words in the evidence that its kept sentences have, which is what a summary is for: one that has
  "Hey!" of each turn keeps the turns and answers nothing.
* *Topics*: of two turns of different sessions that are evidence of one question, how often one topic has both, beside
  how often it has two that are not: evidence of other questions, or where there is one question only, anything that
  people said.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations

import numpy as np

from bench.datasets import Conversation, Message, Question
from mnemic import summaries, text
from mnemic.models.wordllama import WordLlamaEmbedder
from mnemic.summaries import Line
from mnemic.times import micros
from mnemic.topics import Embed, topics
from mnemic.views import Episode, Made

SETS = ("locomo", "longmemeval")
SIZES = (60, 120)
"""Words of a session's summary."""
DRAWN = 2000
"""Pairs of strangers that are drawn in a conversation."""

Method = Callable[[Sequence[Line], int], Iterable[int]]
"""From the sentences of a session, and a number of words, to the places of those to keep."""


def episodes(messages: Iterable[Message]) -> Iterator[Episode]:
    """Messages as views read them; what has no time is of 2026-01-01."""
    for num, one in enumerate(messages):
        time = micros(datetime.fromisoformat(one.time) if one.time else datetime(2026, 1, 1, tzinfo=UTC))
        yield Episode(one.id, num, one.content, time, one.role, one.name, one.session_id, one.role)


# -- other ways to choose


def _fitting(lines: Sequence[Line], order: Iterable[int], most: int) -> Iterator[int]:
    for at in order:
        size = len(text.terms(lines[at].text))
        if size <= most:
            most -= size
            yield at


def lead(lines: Sequence[Line], most: int) -> Iterator[int]:
    """From the beginning."""
    return _fitting(lines, range(len(lines)), most)


def drawn(lines: Sequence[Line], most: int) -> Iterator[int]:
    """Any."""
    order = list(range(len(lines)))
    random.Random(len(lines)).shuffle(order)
    return _fitting(lines, order, most)


def longest(lines: Sequence[Line], most: int) -> Iterator[int]:
    """The longest."""
    return _fitting(lines, sorted(range(len(lines)), key=lambda at: -len(lines[at].text)), most)


def openings(lines: Sequence[Line], most: int) -> Iterator[int]:
    """The first of each turn, from the beginning."""
    return _fitting(lines, [at for at, line in enumerate(lines) if line.place == 0], most)


def lexrank(lines: Sequence[Line], most: int) -> Iterator[int]:
    """The most central: Erkan and Radev, LexRank, JAIR 2004, with its threshold of .1."""
    found = [text.content_words(text.words(line.text)) for line in lines]
    known = {word: at for at, word in enumerate(dict.fromkeys(word for words in found for word in words))}
    counts = np.zeros((len(lines), len(known) or 1))
    for at, words in enumerate(found):
        for word in words:
            counts[at, known[word]] += 1
    vectors = counts * np.log(1 + len(lines) / np.maximum((counts > 0).sum(axis=0), 1))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    near = vectors @ vectors.T
    near[near < 0.1] = 0
    step = near / np.maximum(near.sum(axis=1, keepdims=True), 1e-9)
    central = np.full(len(lines), 1 / max(len(lines), 1))
    for _ in range(50):
        central = 0.15 / len(lines) + 0.85 * step.T @ central
    return _fitting(lines, np.argsort(-central, kind="stable").tolist(), most)


METHODS: Mapping[str, Method] = {
    "the first": lead,
    "any": drawn,
    "the longest": longest,
    "each turn's first": openings,
    "the most central (LexRank)": lexrank,
    "**what tells most**": summaries.chosen,
}


# -- summaries


@dataclass
class Kept:
    """What summaries keep of the evidence of questions."""

    turns: list[bool] = field(default_factory=list[bool])
    answers: list[float] = field(default_factory=list[float])

    def count(self, question: Question, turn: Message, said: Iterable[str]) -> None:
        """Count what of a turn is kept: these sentences."""
        kept = " ".join(said)
        self.turns.append(bool(kept))
        wanted = _own(question.answer) & _own(turn.content)
        if wanted:
            self.answers.append(len(wanted & _own(kept)) / len(wanted))

    def __str__(self) -> str:
        return f"{_mean(self.turns)} | {_mean(self.answers)}"


def _own(said: str) -> frozenset[str]:
    return frozenset(text.terms(" ".join(text.content_words(text.words(said)))))


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}".removeprefix("0") if values else "–"


def _asked(conversation: Conversation) -> Iterator[tuple[Question, Message]]:
    said = {one.id: one for one in conversation.messages}
    for question in conversation.questions:
        if question.answerable:
            yield from ((question, said[one]) for one in question.best_evidence)


def by_method(conversations: Sequence[Conversation], method: Method, most: int) -> Kept:
    """What a way to choose keeps of each session."""
    kept = Kept()
    for conversation in conversations:
        asked = list(_asked(conversation))
        sessions: dict[str | None, list[Episode]] = {turn.session_id: [] for _, turn in asked}
        for one in episodes(conversation.messages):
            sessions.get(one.session, []).append(one)
        told: dict[str, list[str]] = {}
        for turns in sessions.values():
            lines, _ = summaries.best_lines(turns, 0)
            for at in method(lines, most):
                told.setdefault(lines[at].id, []).append(lines[at].text)
        for question, turn in asked:
            kept.count(question, turn, told.get(turn.id, ()))
    return kept


def tree(turns: Iterable[Episode]) -> dict[str, Made]:
    """All summaries of one conversation, by their keys."""
    below: dict[str, list[Episode]] = {}
    for turn in turns:
        below.setdefault(summaries.parts_of(turn)[0], []).append(turn)
    made = {key: one for key, of_it in below.items() if (one := summaries.session_summary(key, of_it)) is not None}
    for level, summary in ((1, summaries.week_summary), (2, summaries.month_summary)):
        for key in sorted({summaries.parts_of(turn)[level] for of_it in below.values() for turn in of_it}):
            children = summaries.children_of(key)
            one = summary(key, [made[name] for name in made if name.startswith(children)])
            if one is not None:
                made[key] = one
    return made


def by_level(conversations: Sequence[Conversation]) -> Mapping[str, tuple[Kept, int]]:
    """What sessions, weeks and months keep, and how many there are."""
    levels = [(Kept(), set[str]()) for _ in range(3)]
    for conversation in conversations:
        turns = {one.id: one for one in episodes(conversation.messages)}
        made = tree(turns.values())
        for question, turn in _asked(conversation):
            for (kept, keys), key in zip(levels, summaries.parts_of(turns[turn.id]), strict=True):
                lines = made[key].data["lines"] if key in made else ()
                kept.count(question, turn, [line["text"] for line in lines if line["id"] == turn.id])
                keys.add(f"{conversation.id} {key}")
    return {name: (kept, len(keys)) for name, (kept, keys) in zip(("session", "week", "month"), levels, strict=True)}


# -- topics


@dataclass
class Together:
    """Whether topics bring turns together."""

    related: list[bool] = field(default_factory=list[bool])
    strangers: list[bool] = field(default_factory=list[bool])
    topics: list[int] = field(default_factory=list[int])
    covered: list[float] = field(default_factory=list[float])

    def __str__(self) -> str:
        pairs = f"{_mean(self.related)} ({len(self.related)}) | {np.mean(self.strangers):.4f}"
        return f"{pairs} | {np.mean(self.topics):.0f} | {_mean(self.covered)}"


def together(conversations: Sequence[Conversation], embed: Embed, *, seed: int) -> Together:
    """How often a topic has both turns of a pair."""
    judged, drawing = Together(), random.Random(seed)
    for conversation in conversations:
        session = {one.id: one.session_id for one in conversation.messages}
        pairs = {
            frozenset(pair)
            for question in conversation.questions
            if question.answerable
            for pair in combinations(dict.fromkeys(question.best_evidence), 2)
            if session[pair[0]] != session[pair[1]]
        }
        if not pairs:
            continue
        topic_of = {
            turn: made.key for made in topics(episodes(conversation.messages), embed) for turn in made.data["turns"]
        }
        people = [one.id for one in conversation.messages if one.role == "user"]
        others = sorted({one for pair in pairs for one in pair}) if len(conversation.questions) > 1 else people
        judged.related += [_both(topic_of, pair) for pair in sorted(pairs, key=sorted)]
        drawn_pairs = [frozenset(drawing.sample(others, 2)) for _ in range(DRAWN)]
        judged.strangers += [
            _both(topic_of, pair)
            for pair in drawn_pairs
            if pair not in pairs and len({session[one] for one in pair}) == 2
        ]
        judged.topics.append(len(set(topic_of.values())))
        judged.covered.append(len(topic_of) / len(people))
    return judged


def _both(topic_of: Mapping[str, str], pair: Iterable[str]) -> bool:
    first, second = (topic_of.get(one) for one in pair)
    return first is not None and first == second


def report(sets: Mapping[str, Sequence[Conversation]], *, seed: int) -> Iterator[str]:
    """Three tables for each set."""
    embed = WordLlamaEmbedder().embed_documents
    for name, conversations in sets.items():
        yield f"{name}: sentences of a session | {' | '.join(f'turns | answers, {most} words' for most in SIZES)}"
        for title, method in METHODS.items():
            kept = [str(by_method(conversations, method, most)) for most in SIZES]
            yield f"| {title} | {' | '.join(kept)} |"
        yield ""
        yield f"{name}: summaries | number | turns | answers"
        for level, (kept, number) in by_level(conversations).items():
            yield f"| {level} | {number} | {kept} |"
        yield ""
        yield f"{name}: topics | both turns of one question (pairs) | two strangers | topics | turns in one"
        yield f"| leaders by meaning | {together(conversations, embed, seed=seed)} |"
        yield ""
