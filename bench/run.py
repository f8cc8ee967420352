"""The quality run: every system answers every question of a set, and what it gave is kept for the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.baselines import Packer, Prepare
from bench.datasets import Conversation, Question
from mnemic import Context, Hit, Memory, Receipt, Results
from mnemic.models import wordllama

BUDGETS = (250, 500, 1000, 2000)
LIMIT = 100
"""Hits asked for: enough for 20 episodes and 10 sessions, whatever the hits rest on. The time is that of a search for
10."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system gave for a question: episodes by hit, what it put into each budget, and how long it took."""

    ranking: tuple[tuple[str, ...], ...]
    packed: Mapping[int, tuple[str, ...]]
    ms: float
    relevance: tuple[float | None, ...] = ()
    best: float | None = None
    confidence: float | None = None
    """The probability that the evidence is among the first ten hits."""
    tokens: Mapping[int, int] = field(default_factory=dict[int, int])


System = Callable[[Conversation], Iterator[tuple[Question, Answer]]]
"""Answers a conversation's questions, in any order."""


@dataclass(frozen=True, slots=True)
class SetRun:
    """The answers of every system to a set: one list per conversation, aligned with its questions."""

    dataset: str
    conversations: tuple[Conversation, ...]
    answers: Mapping[str, tuple[tuple[Answer, ...], ...]]
    seconds: Mapping[str, float]
    whole: tuple[tuple[int, ...], ...] = ()
    """Tokens of all that had been said when each question was asked."""


class Remembering(Protocol):
    """The part of `mnemic.Memory` that the run uses."""

    def add(self, messages: Sequence[Mapping[str, str]], /, *, user_id: str, session_id: str) -> Receipt: ...

    def search(self, query: str, /, *, user_id: str, limit: int, now: str | None) -> Results: ...

    def context(self, query: str, /, *, user_id: str, budget: int, now: str | None) -> Context: ...


Open = Callable[[Conversation], AbstractContextManager[Remembering]]
"""Opens an empty memory for a conversation: here a recipe can depend on the conversation that is tested."""


def answer_set(
    conversations: Sequence[Conversation],
    systems: Mapping[str, System],
    *,
    progress: Callable[[str], None],
    count: Callable[[str], int] | None = None,
) -> SetRun:
    """Let every system answer every question; with the token counter `count` the whole history is measured, too."""
    answers: dict[str, tuple[tuple[Answer, ...], ...]] = {}
    seconds: dict[str, float] = {}
    for name, system in systems.items():
        started = time.perf_counter()
        answers[name] = tuple(_aligned(conversation, system) for conversation in conversations)
        seconds[name] = time.perf_counter() - started
        progress(f"{conversations[0].dataset}: {name}, {seconds[name]:.1f} s")
    whole = () if count is None else tuple(whole_history(conversation, count) for conversation in conversations)
    return SetRun(conversations[0].dataset, tuple(conversations), answers, seconds, whole)


def whole_history(conversation: Conversation, count: Callable[[str], int]) -> tuple[int, ...]:
    """For each question the tokens of everything that had been said, each message with its speaker, each day once.

    That is the memory that needs no memory: put all of it before the model. It finds everything and costs this much.
    """
    total, days = 0, set[str]()
    totals = [0]
    for message in conversation.messages:
        day = (message.time or "")[:10]
        total += count(f"{message.name or message.role}: {message.content}") + 1
        total += 0 if day in days else count(day) + 1
        days.add(day)
        totals.append(total)
    return tuple(totals[len(conversation.heard(question))] for question in conversation.questions)


def _aligned(conversation: Conversation, system: System) -> tuple[Answer, ...]:
    given = {question.id: answer for question, answer in system(conversation)}
    return tuple(given[question.id] for question in conversation.questions)


def ours(open_memory: Open) -> System:
    """Mnemic: what was said is added session by session, and each question is asked when its time has come."""

    def answer(conversation: Conversation) -> Iterator[tuple[Question, Answer]]:
        with open_memory(conversation) as memory:
            for question, _ in in_time(memory, conversation):
                yield question, _ask(memory, conversation, question)

    return answer


def in_time(memory: Remembering, conversation: Conversation) -> Iterator[tuple[Question, Mapping[str, str]]]:
    """Each question when all that had been said before it, and nothing else, is in the memory; and the ids that the
    memory gave to those messages, by their own."""
    everything = len(conversation.messages)
    stops = {q.id: everything if q.history is None else q.history for q in conversation.questions}
    added, ids = 0, dict[str, str]()
    for question in sorted(conversation.questions, key=lambda question: stops[question.id]):
        stop = stops[question.id]
        for session_id, messages in conversation.sessions(added, stop):
            receipt = memory.add(messages, user_id=conversation.id, session_id=session_id)
            ids.update(zip((message["id"] for message in messages), receipt.ids, strict=False))
        added = max(added, stop)
        yield question, ids


def _ask(memory: Remembering, conversation: Conversation, question: Question) -> Answer:
    now = conversation.asked_at(question)
    started = time.perf_counter()
    ten = memory.search(question.text, user_id=conversation.id, limit=10, now=now)
    ms = (time.perf_counter() - started) * 1000
    results = memory.search(question.text, user_id=conversation.id, limit=LIMIT, now=now)
    contexts = {
        budget: memory.context(question.text, user_id=conversation.id, budget=budget, now=now) for budget in BUDGETS
    }
    return Answer(
        ranking=tuple(episodes(hit) for hit in results),
        packed={
            budget: tuple(e.message_id for e in context.evidence if e.message_id is not None)
            for budget, context in contexts.items()
        },
        ms=ms,
        relevance=tuple(hit.relevance for hit in results),
        best=results.best,
        confidence=ten.confidence,
        tokens={budget: context.tokens for budget, context in contexts.items()},
    )


def episodes(hit: Hit) -> tuple[str, ...]:
    """The messages that a hit stands for: its own where it is one or a passage of one, else those it rests on."""
    if hit.message_id is not None:
        return (hit.message_id,)
    return tuple(evidence.message_id for evidence in hit.evidence if evidence.message_id is not None)


def baseline(prepare: Prepare, count: Callable[[str], int]) -> System:
    """A baseline under the same conditions; `count` is the token counter of the budgets."""

    def answer(conversation: Conversation) -> Iterator[tuple[Question, Answer]]:
        rank, pack = prepare(conversation), Packer(conversation, count)
        for question in conversation.questions:
            started = time.perf_counter()
            ranked = rank(question)
            ms = (time.perf_counter() - started) * 1000
            packed = pack(question.text, ranked, BUDGETS)
            yield question, Answer(ranking=tuple((id,) for id in ranked[:LIMIT]), packed=packed, ms=ms)

    return answer


def systems(baselines: Mapping[str, Prepare], variants: Path | None = None) -> dict[str, System]:
    """Mnemic as shipped, then with the numbers of `variants`, where that is given, then the baselines, by name.

    `variants` is a folder of files for `Memory(ranking=…)`: `transfer/<set>.json`, fitted on the other sets, and
    `bound/<set>/<conversation>.json`, fitted on the set's other conversations as well. The first says what fitting is
    worth on a kind of talk never seen, the second what a fit to this kind could gain.
    """
    every: dict[str, System] = {"mnemic": ours(_opening(lambda _: None))}
    if variants is not None:
        every["mnemic, transfer"] = ours(_opening(lambda c: variants / "transfer" / f"{c.dataset}.json"))
        every["mnemic, bound"] = ours(_opening(lambda c: variants / "bound" / c.dataset / f"{c.id}.json"))
    count = wordllama.WordLlamaEmbedder().counter
    return every | {name: baseline(prepare, count) for name, prepare in baselines.items()}


def _opening(ranking_of: Callable[[Conversation], Path | None]) -> Open:
    """Opens an empty memory in RAM with the numbers for a conversation; None, or no such file, are the shipped ones.

    It derives nothing: what is measured is whether what was said is found.
    """

    def open_memory(conversation: Conversation) -> AbstractContextManager[Remembering]:
        ranking = ranking_of(conversation)
        fitted = ranking if ranking is not None and ranking.exists() else None
        return closing(Memory(":memory:", ranking=fitted, recipe="none"))

    return open_memory
