"""What forgetting costs: the recall of a conversation's questions at its end, once a policy has let it fade.

    python -m bench forgetting [--data DIR] [--sets locomo]

The clock stands where the conversation ends; `upkeep` runs then, until nothing changes. *Nothing used*: but by being
said. *Used by the key*: half of the questions are asked first and their evidence is said to have been used, and the
other half is measured, each half once. The questions ask about everything that was said, the oldest as often as the
latest, so this bounds from above what a policy can cost: it gains nothing here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import metrics
from bench.datasets import Conversation, Question
from bench.run import episodes
from mnemic import Memory

LIMIT = 10
POLICIES = ("none", "ebbinghaus", "ebbinghaus:30", "fsrs", "age", "budget:200")
USES = ("nothing used", "used by the key")


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall@10 of each question of a set, by policy and by what was used before."""

    dataset: str
    sizes: tuple[int, ...]
    """Questions of each conversation."""
    recalls: dict[tuple[str, str], tuple[float, ...]]
    cold: dict[tuple[str, str], float]
    """Share of the messages that are cold, the mean over conversations."""
    days: float
    """Length of a conversation, the mean."""


def measure(conversations: Sequence[Conversation], *, seed: int, progress: Callable[[str], None]) -> Measured:
    """Fill, use, let fade and ask, conversation by conversation and policy by policy."""
    sizes: list[int] = []
    days: list[float] = []
    recalls: dict[tuple[str, str], list[float]] = {(policy, use): [] for policy in POLICIES for use in USES}
    cold: dict[tuple[str, str], list[float]] = {key: [] for key in recalls}
    for conversation in conversations:
        asked_last = (None, len(conversation.messages))
        asked = [one for one in conversation.questions if one.best_evidence and one.history in asked_last]
        random.Random(f"{seed} {conversation.id}").shuffle(asked)
        halves = asked[: len(asked) // 2], asked[len(asked) // 2 :]
        sizes.append(len(asked))
        days.append(_length(conversation))
        for policy, use in recalls:
            for judged, measured in (halves, halves[::-1]):
                found, share = _recalls(conversation, policy, judged if use == USES[1] else (), measured)
                recalls[policy, use] += found
                cold[policy, use].append(share)
        progress(f"{conversation.dataset} {conversation.id}")
    shares = {key: sum(values) / max(1, len(values)) for key, values in cold.items()}
    known = {key: tuple(values) for key, values in recalls.items()}
    return Measured(conversations[0].dataset, tuple(sizes), known, shares, sum(days) / max(1, len(days)))


def _recalls(
    conversation: Conversation, policy: str, judged: Sequence[Question], measured: Sequence[Question]
) -> tuple[list[float], float]:
    """The recall of each question, and the share of messages that are cold."""
    end = _end(conversation)
    with Memory(":memory:", forgetting=policy, clock=lambda: end) as memory:
        for session, messages in conversation.sessions():
            memory.add(messages, user_id="u", session_id=session)
        for question in judged:
            found = memory.search(question.text, user_id="u", limit=LIMIT, now=conversation.asked_at(question))
            used = [hit.id for hit in found if not set(question.best_evidence).isdisjoint(episodes(hit))]
            if used:
                memory.feedback(found, used=used, user_id="u")
        while memory.upkeep(user_id="u").entries:
            pass
        total = sum(len(page) for page in _pages(memory, include="faded"))
        left = sum(len(page) for page in _pages(memory))
        recalls: list[float] = []
        for question in measured:
            found = memory.search(question.text, user_id="u", limit=LIMIT, now=conversation.asked_at(question))
            ranking = [episodes(hit) for hit in found]
            recalls.append(metrics.recall_at(ranking, question.best_evidence, LIMIT))
        return recalls, 1.0 - left / max(1, total)


def _pages(memory: Memory, include: str | tuple[str, ...] = ()) -> Iterator[Sequence[object]]:
    after = None
    while True:
        page = memory.list(user_id="u", limit=1000, after=after, include=include)
        yield page.records
        after = page.next
        if after is None:
            return


def _times(conversation: Conversation) -> list[datetime]:
    found = [datetime.fromisoformat(message.time) for message in conversation.messages if message.time is not None]
    return found or [datetime.now(UTC)]


def _end(conversation: Conversation) -> datetime:
    return max(_times(conversation))


def _length(conversation: Conversation) -> float:
    times = _times(conversation)
    return (max(times) - min(times)).total_seconds() / 86_400


def table(measured: Measured, *, seed: int) -> Iterator[str]:
    """Markdown, line by line."""
    drawn = metrics.Resampling.of(measured.sizes, seed=seed)
    questions = sum(measured.sizes)
    yield f"### {measured.dataset}: {questions} questions, conversations of {measured.days:.0f} days"
    yield ""
    yield "| policy | before | cold | recall@10 | difference, 95 % |"
    yield "|---|---|---|---|---|"
    for (policy, use), values in measured.recalls.items():
        lost = drawn.difference(values, measured.recalls["none", use])
        yield (
            f"| {policy} | {use} | {measured.cold[policy, use]:.0%} | {drawn.estimate(values).mean:.3f} "
            f"| {lost.mean:+.3f} [{lost.low:+.3f}, {lost.high:+.3f}] |"
        )
