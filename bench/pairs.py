"""Minimal pairs: a question that has its answer in the memory, and a twin that has none, as little changed as can be.

    python -m bench pairs [--sets locomo,longmemeval,beam] [--limit 2]

Three kinds of twin:

* *evidence deleted*: the same words, asked when the messages that the key names have been retired (and brought back
  after). Where the key does not name all that answers, the twin can still be answered; the pair then counts against us.
* *wrong person*: the question names one of the two who talk, the twin the other one. Where both did it, the same holds.
* *wrong time*: the question names a date, a month or a year, the twin one outside the talk.

For each kind: how often the confidence of the question is above its twin's (ties half), and the area under the curve
with all questions against all twins, where also what makes questions differ has a say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bench import metrics
from bench.datasets import Conversation, Question
from bench.metrics import Estimate
from bench.run import in_time
from mnemic import Memory
from mnemic.dates import CALENDAR

DELETED, PERSON, TIME = "evidence deleted", "wrong person", "wrong time"
KINDS = (DELETED, PERSON, TIME)

NOTE = (
    "Each answerable question beside a twin that has no answer: the same words with the evidence retired, the other "
    "speaker's name, or a time outside the talk. 'Question above its twin' is the share of pairs in which the question "
    "has the higher confidence, ties half; the AUROC is that of all questions against all twins. A key that misses "
    "some of the evidence, and a thing that both speakers did, leave a twin answerable: no memory can reach 1."
)

LIMIT = 10
SURE = 0.5
"""Confidence from which on `Results.sufficient` says yes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The confidence of a question and of its twin."""

    dataset: str
    conversation: str
    question: str
    kind: str
    own: float
    twin: float


@dataclass(frozen=True, slots=True)
class Told:
    """The pairs of one set and kind, in figures. The last two are shares that `sufficient` says yes to."""

    dataset: str
    kind: str
    wins: Estimate
    separation: Estimate
    sufficient: float
    twin_sufficient: float


# --- Twins ------------------------------------------------------------------------------------------------------------


def other_person(question: str, speakers: Sequence[str]) -> str | None:
    """The question with the other one's name; None unless it names exactly one of two speakers."""
    if len(speakers) != 2:
        return None
    named = [name for name in speakers if re.search(_name(name), question)]
    if len(named) != 1:
        return None
    (other,) = (name for name in speakers if name != named[0])
    return re.sub(_name(named[0]), other, question)


def _name(name: str) -> str:
    return rf"\b{re.escape(name)}\b"


_MONTHS = CALENDAR[:12]
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
# Bare months as a time only after a preposition or beside a day: "may" and "march" are verbs, too.
_MONTH = re.compile(
    rf"(?:(?<=\d )|(?<=\dst )|(?<=\dnd )|(?<=\drd )|(?<=\dth )|(?<=\bin )|(?<=\bof )|(?<=\buntil )|(?<=\bsince )"
    rf"|(?<=\bby )|(?<=\bduring )|(?<=\bon )|(?<=\blate )|(?<=\bearly )|(?<=\bmid ))({'|'.join(_MONTHS)})\b"
)
_ANY_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
_AWAY = 4
"""Years between the talk and the year of a twin."""


def other_time(question: str, times: Iterable[datetime]) -> str | None:
    """The question about a time outside the talk, which was said at these `times`; None where it names no date, or
    several months without a year.

    A year becomes one well before the talk, its distances to other years kept. A month without a year becomes the one
    farthest from all months of the talk; where the talk has been through all of them, it is given a year before it.
    """
    said = list(times)
    if not said:
        return None
    years = [int(found[0]) for found in _YEAR.finditer(question)]
    if years:
        back = max(*years, min(said).year) - min(said).year + _AWAY
        return _YEAR.sub(lambda found: str(int(found[0]) - back), question)
    if not _MONTH.search(question) or len(_ANY_MONTH.findall(question)) > 1:
        return None
    talked = {moment.month for moment in said}
    free = [month for month in range(1, 13) if month not in talked]
    if free:
        farthest = max(free, key=lambda month: min(_apart(month, other) for other in talked))
        return _MONTH.sub(_MONTHS[farthest - 1], question)
    year = min(said).year - _AWAY
    return re.sub(rf"{_MONTH.pattern}(?:(,? \d{{1,2}}(?:st|nd|rd|th)?\b)?)", rf"\g<1>\g<2> {year}", question)


def _apart(one: int, other: int) -> int:
    """Months between two months of a year that goes round."""
    return min((one - other) % 12, (other - one) % 12)


# --- Asking -----------------------------------------------------------------------------------------------------------


def measure(
    conversations: Sequence[Conversation],
    *,
    ranking: Callable[[Conversation], Path | None] = lambda _: None,
    progress: Callable[[str], None],
) -> list[Pair]:
    """Ask every answerable question of these conversations, and its twins."""
    found: list[Pair] = []
    for conversation in conversations:
        with Memory(":memory:", recipe="none", ranking=ranking(conversation)) as memory:
            for question, ids in in_time(memory, conversation):
                if question.answerable and question.best_evidence:
                    found += _pairs(memory, conversation, question, ids)
        progress(f"{conversation.dataset} {conversation.id}: {len(found)} pairs so far")
    return found


def _pairs(memory: Memory, conversation: Conversation, question: Question, ids: Mapping[str, str]) -> Iterator[Pair]:
    now, user = conversation.asked_at(question), conversation.id

    def confidence(text: str) -> float | None:
        found = memory.search(text, user_id=user, limit=LIMIT, now=now)
        return 0.0 if not found.hits else found.confidence  # an empty memory is sure to hold nothing

    own = confidence(question.text)
    if own is None:
        return
    pair = Pair(conversation.dataset, conversation.id, question.id, "", own, 0.0)
    evidence = [ids[id] for id in question.best_evidence if id in ids]
    if evidence:
        receipt = memory.retire(evidence, user_id=user)
        twin = confidence(question.text)
        memory.undo(receipt, user_id=user)
        if twin is not None:
            yield replace(pair, kind=DELETED, twin=twin)
    heard = conversation.heard(question)
    # An assistant is nobody's wrong person: what is asked about the user is in the user's talk with it.
    speakers = list(dict.fromkeys(message.name for message in heard if message.name and message.role == "user"))
    times = [datetime.fromisoformat(message.time) for message in heard if message.time]
    for kind, text in ((PERSON, other_person(question.text, speakers)), (TIME, other_time(question.text, times))):
        twin = None if text is None else confidence(text)
        if twin is not None:
            yield replace(pair, kind=kind, twin=twin)


# --- The report -------------------------------------------------------------------------------------------------------


def told(pairs: Sequence[Pair], *, seed: int) -> Iterator[Told]:
    """The figures of each set and kind, with intervals clustered by conversation."""
    for dataset in dict.fromkeys(pair.dataset for pair in pairs):
        for kind in KINDS:
            chosen = [pair for pair in pairs if (pair.dataset, pair.kind) == (dataset, kind)]
            if chosen:
                yield _told(dataset, kind, chosen, seed)


def _told(dataset: str, kind: str, pairs: Sequence[Pair], seed: int) -> Told:
    sizes = dict.fromkeys((pair.conversation for pair in pairs), 0)
    for pair in pairs:
        sizes[pair.conversation] += 1
    wins = [0.5 if pair.own == pair.twin else float(pair.own > pair.twin) for pair in pairs]
    # A question and its twin are drawn together: each counts as one question of its conversation.
    resampling = metrics.Resampling.of(list(sizes.values()), seed=seed)
    both = metrics.Resampling(resampling.counts.repeat(2, axis=1))
    values = [value for pair in pairs for value in (pair.own, pair.twin)]
    return Told(
        dataset=dataset,
        kind=kind,
        wins=resampling.estimate(wins),
        separation=both.separation(values, [True, False] * len(pairs)),
        sufficient=sum(pair.own >= SURE for pair in pairs) / len(pairs),
        twin_sufficient=sum(pair.twin >= SURE for pair in pairs) / len(pairs),
    )


def table(found: Iterable[Told]) -> Iterator[str]:
    """Markdown, line by line."""
    yield "| set | twin | pairs | question above its twin | AUROC | questions at 0.5 or more | twins at 0.5 or more |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for one in found:
        yield (
            f"| {one.dataset} | {one.kind} | {one.wins.count} | {_estimate(one.wins)} | {_estimate(one.separation)} "
            f"| {one.sufficient:.3f} | {one.twin_sufficient:.3f} |"
        )


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
