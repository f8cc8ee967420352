"""What feedback is worth: half of a conversation's questions are judged by their key, the other half is measured.

Three users: one who uses exactly the hits that the key calls evidence; one who uses a hit by chance; and one who uses
what is no evidence and calls wrong what is, so that it can be seen how far down feedback can take a ranking. Each half
is measured once, with the feedback on the other one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench import metrics
from bench.datasets import Conversation, Question
from bench.run import episodes
from mnemic import Hit, Memory, Results

LIMIT = 10
USERS = ("by the key", "by chance", "the wrong way round")


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall@10 of each question of a set, as shipped and for each user; and how many acts of feedback there were."""

    dataset: str
    sizes: tuple[int, ...]
    """Questions of each conversation."""
    shipped: tuple[float, ...]
    after: dict[str, tuple[float, ...]]
    acts: float
    """Acts of feedback before a question is measured, the mean."""


def measure(conversations: Sequence[Conversation], *, seed: int, progress: Callable[[str], None]) -> Measured:
    """Ask, judge, and ask the other half, conversation by conversation."""
    sizes: list[int] = []
    shipped: list[float] = []
    after: dict[str, list[float]] = {user: [] for user in USERS}
    acts: list[int] = []
    for conversation in conversations:
        asked_last = (None, len(conversation.messages))  # a question in the midst would need another memory
        asked = [one for one in conversation.questions if one.best_evidence and one.history in asked_last]
        random.Random(f"{seed} {conversation.id}").shuffle(asked)
        halves = asked[: len(asked) // 2], asked[len(asked) // 2 :]
        sizes.append(len(asked))
        for judged, measured in (halves, halves[::-1]):
            with _filled(conversation) as memory:
                shipped += _recalls(memory, conversation, measured)
            for user in USERS:
                with _filled(conversation) as memory:
                    draw = random.Random(f"{seed} {conversation.id} {user}")
                    acts.append(sum(_judge(memory, conversation, question, user, draw) for question in judged))
                    after[user] += _recalls(memory, conversation, measured)
        progress(f"{conversation.dataset} {conversation.id}")
    known = {user: tuple(values) for user, values in after.items()}
    return Measured(conversations[0].dataset, tuple(sizes), tuple(shipped), known, sum(acts) / max(1, len(acts)))


def _filled(conversation: Conversation) -> Memory:
    memory = Memory(":memory:", recipe="none")
    for session, messages in conversation.sessions():
        memory.add(messages, user_id="u", session_id=session)
    return memory


def _asked(memory: Memory, conversation: Conversation, question: Question) -> Results:
    return memory.search(question.text, user_id="u", limit=LIMIT, now=conversation.asked_at(question))


def _recalls(memory: Memory, conversation: Conversation, questions: Sequence[Question]) -> Iterator[float]:
    for question in questions:
        found = _asked(memory, conversation, question)
        yield metrics.recall_at([episodes(hit) for hit in found], question.best_evidence, LIMIT)


def _judge(memory: Memory, conversation: Conversation, question: Question, user: str, draw: random.Random) -> int:
    """Give feedback on a question's hits; 0 where there is nothing to say."""
    found = _asked(memory, conversation, question)
    right = [hit.id for hit in found if _is_right(hit, question)]
    others = [hit.id for hit in found if not _is_right(hit, question)]
    if user == "by the key":
        used, wrong = right, list[str]()
    elif user == "by chance":
        used, wrong = [draw.choice([*right, *others])] if found else [], []
    else:
        used, wrong = others[-1:], right
    if not used:
        return 0
    memory.feedback(found, used=used, wrong=wrong, user_id="u")
    return 1


def _is_right(hit: Hit, question: Question) -> bool:
    return not set(question.best_evidence).isdisjoint(episodes(hit))


def table(measured: Measured, *, seed: int) -> Iterator[str]:
    """Markdown, line by line."""
    drawn = metrics.Resampling.of(measured.sizes, seed=seed)
    yield f"### {measured.dataset}: {len(measured.shipped)} questions, {measured.acts:.0f} acts of feedback before each"
    yield ""
    yield "| feedback | recall@10 | difference, 95 % |"
    yield "|---|---|---|"
    yield f"| none | {drawn.estimate(measured.shipped).mean:.3f} | |"
    for user, values in measured.after.items():
        gained = drawn.difference(values, measured.shipped)
        yield (
            f"| {user} | {drawn.estimate(values).mean:.3f} "
            f"| {gained.mean:+.3f} [{gained.low:+.3f}, {gained.high:+.3f}] |"
        )
