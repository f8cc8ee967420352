"""Where the evidence was missed, and why: every piece that is not among the first ten hits gets one reason.

    python -m bench failures [--sets locomo,beam] [--limit 2] [--seed 0]

A reason is worked out from `Results.explain`, by rules in the order of `REASONS`: the first that holds. The report has
ids, numbers and words of our own, and nothing of what was said or asked, which the sets' licences would not allow.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import metrics
from bench.datasets import Conversation, Question
from bench.run import episodes, in_time
from mnemic import Hit, Memory, Results
from mnemic.types import Explanation

HITS = 10
SESSIONS = 5
DRAWN = 10

NOTE = (
    "'Place' is that among all turns, 'found' how many of the question's pieces of evidence are among the first ten "
    "hits, 'session found' whether the piece's session is among the first five (– where there are no more), 'words' "
    "how many of the question's words that the memory knows stand in it, 'by vector' its place by its own vector "
    "alone, 'nothing from' the signals that gave it nothing, 'behind by' the one by which the hit in place ten is "
    "farthest ahead."
)

FEW = 1 / 3
"""Share of the idf of the question's words below which a text has only few of them."""
FAR = 0.25
"""Closeness in time below which a text is of another time than the one that the question names."""

LEFT_OUT = "left out"
OTHER_SPEAKER = "another speaker named"
OTHER_TIME = "another time named"
NO_WORD = "no word, in it or near"
BESIDE = "words beside it only"
FEW_WORDS = "few of the words"
CROWDED = "others fit better"

REASONS = {
    LEFT_OUT: "the search did not consider it at all",
    OTHER_SPEAKER: "the question reads as being about what somebody else said",
    OTHER_TIME: "the question names a time, and it was said far from that",
    NO_WORD: "no word of the question stands in it, nor in the turns around it",
    BESIDE: "no word of the question stands in it, but some stand in the turns around it",
    FEW_WORDS: f"it has less than {FEW:.0%} of the question's words, each by how rare it is",
    CROWDED: "it has the words, and other texts fit the question better",
}


@dataclass(frozen=True, slots=True)
class Missed:
    """One piece of evidence that is not among the first hits."""

    dataset: str
    category: str
    question: str
    evidence: str
    rank: int | None
    """Its place among all turns."""
    considered: int
    found: int
    """How many of the question's pieces of evidence are among the first hits, of `wanted`."""
    wanted: int
    session_found: bool | None
    """Whether its session is among the first five; None where there are no more than five."""
    words: int
    """How many of the question's words stand in it, of those `known` to the memory."""
    known: int
    dense_rank: int | None
    """Its place among all texts by its own vector alone."""
    nothing: tuple[str, ...]
    """The signals that gave it nothing."""
    behind: str | None
    """The signal by which the last of the first hits is farthest ahead of it."""
    reason: str


# --- Looking ----------------------------------------------------------------------------------------------------------


def look(
    conversations: Sequence[Conversation], *, ranking: Path | None = None, progress: Callable[[str], None]
) -> tuple[list[Missed], int]:
    """The missed pieces of all answerable questions, and how many pieces there are to find."""
    missed: list[Missed] = []
    pieces = 0
    for conversation in conversations:
        with Memory(":memory:", recipe="none", ranking=ranking) as memory:
            for question, ids in in_time(memory, conversation):
                wanted = [id for id in question.best_evidence if id in ids] if question.answerable else []
                pieces += len(wanted)
                missed += _missed(memory, conversation, question, wanted)
        progress(f"{conversation.dataset} {conversation.id}: {len(missed)} of {pieces} missed so far")
    return missed, pieces


def _missed(memory: Memory, conversation: Conversation, question: Question, wanted: Sequence[str]) -> Iterator[Missed]:
    if not wanted:
        return
    now, user = conversation.asked_at(question), conversation.id
    ten = memory.search(question.text, user_id=user, limit=HITS, now=now)
    first = set(metrics.walk([episodes(hit) for hit in ten], HITS))
    gone = [id for id in wanted if id not in first]
    if not gone:
        return
    every = memory.search(question.text, user_id=user, limit=max(1, ten.considered), now=now)
    session_of = {message.id: message.session_id for message in conversation.heard(question)}
    sessions = _first_sessions(every, session_of) if len(set(session_of.values())) > SESSIONS else None
    for id in gone:
        place, hit = _best_of(every, id)
        yield _explained(
            conversation,
            question,
            id,
            None if hit is None else ten.explain(hit.id),
            rank=place,
            considered=len(every),
            found=len(wanted) - len(gone),
            wanted=len(wanted),
            session_found=None if sessions is None else session_of[id] in sessions,
            last=ten[-1] if len(ten) else None,
        )


def _best_of(results: Results, message_id: str) -> tuple[int | None, Hit | None]:
    """Where a message comes first among the hits: a long one has several passages."""
    found = ((place, hit) for place, hit in enumerate(results, 1) if message_id in episodes(hit))
    return next(found, (None, None))


def _first_sessions(results: Results, session_of: Mapping[str, str]) -> list[str]:
    return metrics.walk([[session_of[id] for id in episodes(hit) if id in session_of] for hit in results], SESSIONS)


def _explained(
    conversation: Conversation,
    question: Question,
    evidence: str,
    why: Explanation | None,
    *,
    rank: int | None,
    considered: int,
    found: int,
    wanted: int,
    session_found: bool | None,
    last: Hit | None,
) -> Missed:
    words = [] if why is None else [word for word in why.words if not word.term.startswith("~")]
    places = {} if why is None else {signal.name: signal.rank for signal in why.signals}
    return Missed(
        dataset=conversation.dataset,
        category=question.category,
        question=question.id,
        evidence=evidence,
        rank=rank,
        considered=considered,
        found=found,
        wanted=wanted,
        session_found=session_found,
        words=sum(word.times > 0 for word in words),
        known=len(words),
        dense_rank=places.get("dense_turn"),
        nothing=() if why is None else tuple(s.name for s in why.signals if s.weight > 0.0 and s.value <= 0.0),
        behind=None if why is None or last is None else behind(why, last),
        reason=reason(why),
    )


def behind(why: Explanation, ahead: Hit) -> str | None:
    """The signal that gives a hit most above what it gives an explained record; None where none does."""
    lead = {signal.name: signal.weight * ahead.signals.get(signal.name, 0.0) - signal.share for signal in why.signals}
    most = max(lead, key=lambda name: lead[name], default=None)
    return most if most is not None and lead[most] > 0.0 else None


def reason(why: Explanation | None) -> str:
    """The first of `REASONS` that holds."""
    if why is None or why.rank is None:
        return LEFT_OUT
    values = {signal.name: signal.value for signal in why.signals}
    places = {signal.name: signal.rank for signal in why.signals}
    if values.get("speaker", 1.0) <= 0.0 and places["speaker"] > 1:
        return OTHER_SPEAKER
    if values.get("time", 1.0) < FAR:
        return OTHER_TIME
    share = _share_of_words(why)
    if share <= 0.0:
        near = max(values.get("lexical_near", 0.0), values.get("lexical_wide", 0.0))
        return BESIDE if near > 0.0 else NO_WORD
    return FEW_WORDS if share < FEW else CROWDED


def _share_of_words(why: Explanation) -> float:
    """The share of the question's known words that stand in a text, each by its idf."""
    mass = {word: word.weight * math.log1p(why.considered / word.records) for word in why.words}
    total = sum(mass.values())
    return sum(value for word, value in mass.items() if word.times) / total if total else 0.0


# --- Drawing ----------------------------------------------------------------------------------------------------------


def drawn(missed: Iterable[Missed], *, seed: int, count: int = DRAWN) -> list[list[Missed]]:
    """`count` questions with their missed pieces: the sets take turns, and within a set the kinds of question."""
    by_question: dict[tuple[str, str], list[Missed]] = defaultdict(list)
    for piece in missed:
        by_question[piece.dataset, piece.question].append(piece)
    draw = random.Random(seed)
    waiting: dict[str, dict[str, list[list[Missed]]]] = defaultdict(lambda: defaultdict(list))
    for (dataset, _), pieces in sorted(by_question.items()):
        waiting[dataset][pieces[0].category].append(pieces)
    turns = [list(_taking_turns(kinds, draw)) for kinds in waiting.values()]
    rounds = [questions[number] for number in range(count) for questions in turns if number < len(questions)]
    return rounds[:count]


def _taking_turns(kinds: Mapping[str, Sequence[list[Missed]]], draw: random.Random) -> Iterator[list[Missed]]:
    shuffled = [draw.sample(questions, len(questions)) for questions in kinds.values()]
    draw.shuffle(shuffled)
    for number in range(max(map(len, shuffled))):
        yield from (questions[number] for questions in shuffled if number < len(questions))


# --- The report -------------------------------------------------------------------------------------------------------


_COLUMNS = (
    "set",
    "kind",
    "question",
    "evidence",
    "place",
    "found",
    "session found",
    "words",
    "by vector",
    "nothing from",
    "behind by",
    "reason",
)


def report(missed: Sequence[Missed], pieces: Mapping[str, int], *, seed: int) -> Iterator[str]:
    """Markdown, line by line: the reasons by set, then the questions drawn."""
    yield "## Why evidence was missed"
    yield ""
    yield f"Every piece of evidence that is not among the first {HITS} hits, with the first reason that holds."
    yield ""
    yield from _by_set(missed, pieces)
    yield ""
    yield from (f"* **{name}**: {meaning}." for name, meaning in REASONS.items())
    yield ""
    yield f"## By which signal the hit in place {HITS} is farthest ahead"
    yield ""
    yield from _by_signal(missed, pieces)
    yield ""
    yield f"## {DRAWN} questions, drawn with seed {seed}"
    yield ""
    yield "The sets take turns, and within a set the kinds of question. What the sets say is not repeated here."
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|" + " --- |" * len(_COLUMNS)
    for questions in drawn(missed, seed=seed):
        yield from map(_line, questions)


def _by_set(missed: Sequence[Missed], pieces: Mapping[str, int]) -> Iterator[str]:
    yield f"| | {' | '.join(pieces)} |"
    yield "| --- |" + " ---: |" * len(pieces)
    by = Counter((piece.dataset, piece.reason) for piece in missed)
    for name in REASONS:
        yield f"| {name} | {' | '.join(str(by[of, name]) for of in pieces)} |"
    lost = {of: [piece for piece in missed if piece.dataset == of] for of in pieces}
    yield f"| all missed, of | {' | '.join(f'{len(lost[of])} of {many}' for of, many in pieces.items())} |"
    near = {of: sum(p.rank is not None and p.rank <= 2 * HITS for p in lost[of]) for of in pieces}
    yield f"| … of them among the next {HITS} | {' | '.join(str(near[of]) for of in pieces)} |"
    inside = {of: sum(p.session_found is True for p in lost[of]) for of in pieces}
    yield f"| … their session among the first {SESSIONS} | {' | '.join(str(inside[of]) for of in pieces)} |"


def _by_signal(missed: Sequence[Missed], pieces: Mapping[str, int]) -> Iterator[str]:
    yield f"| | {' | '.join(pieces)} |"
    yield "| --- |" + " ---: |" * len(pieces)
    by = Counter((piece.dataset, piece.behind) for piece in missed)
    signals = Counter(piece.behind for piece in missed if piece.behind is not None)
    for name, _ in signals.most_common():
        yield f"| {name} | {' | '.join(str(by[of, name]) for of in pieces)} |"


def _line(piece: Missed) -> str:
    place = "–" if piece.rank is None else f"{piece.rank} of {piece.considered}"
    cells = [
        piece.dataset,
        piece.category or "–",
        piece.question,
        piece.evidence,
        place,
        f"{piece.found} of {piece.wanted}",
        "–" if piece.session_found is None else "yes" if piece.session_found else "no",
        f"{piece.words} of {piece.known}",
        "–" if piece.dense_rank is None else str(piece.dense_rank),
        ", ".join(piece.nothing) or "–",
        piece.behind or "–",
        piece.reason,
    ]
    return "| " + " | ".join(cells) + " |"
