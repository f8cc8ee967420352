"""Having a model tell summaries in its words: extracts, its answers kept, summaries out of them.

    extracts without an answer -> prompts, side by side -> answers, kept as they come -> their summaries are stale

An answer is kept by the hash of prompt, model and parameters, with what its extract rests on: so a summary is a
function of its extract and of the answers kept, nobody is asked twice about the same sentences, and what a model said
goes with an erasure of anything that it was shown. Nobody is asked in a transaction: until there is an answer a summary
stands as its extract, and is noted as untold (see `keeping`). A model that declines, or whose answers cannot be read,
has `TRIES`; then the extract stands for good, as it does where nothing is left of an answer.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from mnemic import keeping, retell
from mnemic.allowance import Ledger, Usage
from mnemic.asking import Outcome, ask_all, key_of
from mnemic.changes import Wall
from mnemic.consult import KEPT_AT_ONCE, Asks, Reading, count, keep_answer, ledger_of, payer_of
from mnemic.retell import Read, Sentence
from mnemic.stores.sqlite import Row, Snapshot, Transaction
from mnemic.views import RETOLD, Made

BATCH = 256
"""Summaries whose extracts are at hand at a time."""
TRIES = 3
"""Times that a model may decline, or answer what cannot be read, before it is asked no more about an extract."""
_HOPELESS = ("declined", "unreadable")
"""Faults that no time heals."""
_NOTHING = Read(())


@dataclass(frozen=True, slots=True)
class Question:
    """A summary that a model is to be asked about."""

    wall: Wall
    extract: Made
    tries: int = 0
    """Times that it was asked in vain."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to be kept, and what it cost; without a text what was spent in vain."""

    question: Question
    outcome: Outcome
    read: Read = _NOTHING
    """What the answer says, checked: that is done once, and not where others wait."""

    @property
    def in_vain(self) -> int:
        """Times that it was asked in vain by now."""
        return self.question.tries + (self.outcome.fault in _HOPELESS)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to ask."""
        return self.outcome.text is not None or self.in_vain >= TRIES


@dataclass(frozen=True, slots=True)
class Told:
    """What came of asking about some summaries."""

    usage: Usage
    deferred: int
    """Summaries that have no answer yet …"""
    why: str
    """… and why the first of them has none."""
    notes: tuple[str, ...]


def told(asks: Asks, snapshot: Snapshot, wall: int, extract: Made) -> Made:
    """A summary in the model's words, where its answer is kept; else the extract."""
    row = snapshot.row("answer", wall=wall, key=_key(asks, extract))
    if row is None or 0 < _tries(row) < TRIES:
        return extract
    asked = json.loads(row["asked"])
    sentences = tuple(Sentence(said, tuple(turns), time_) for said, turns, time_ in asked["says"])
    return retell.retold(extract, sentences, asked["refused"], asks.model_name)


def _tries(row: Row | None) -> int:
    """How often what an answer says could not be read."""
    return 0 if row is None else int(json.loads(row["asked"])["tries"])


def _key(asks: Asks, extract: Made) -> str:
    prompt = retell.prompt_for(extract)
    return key_of(prompt, asks.model_name, max_tokens=retell.MAX_TOKENS, temperature=0.0)


def questions(snapshot: Snapshot, parts: Iterable[tuple[Wall, str]], asks: Asks) -> list[Question]:
    """What is to be asked about these summaries of these walls, as they are now: what has no answer yet."""
    found: list[Question] = []
    for wall, key in parts:
        extract = keeping.extracted(snapshot, wall.number, key)
        if extract is not None and RETOLD not in told(asks, snapshot, wall.number, extract).data:
            tries = _tries(snapshot.row("answer", wall=wall.number, key=_key(asks, extract)))
            found.append(Question(wall, extract, tries))
    return found


def ask(
    reading: Reading,
    asked: Sequence[Question],
    asks: Asks,
    *,
    at: int,
    call: Usage,
    keeps: Callable[[Wall, Sequence[Kept]], None],
    until: float | None = None,
) -> Told:
    """Ask about some summaries side by side. Answers go to `keeps`, some at a time, as they come.

    `call` is what this call of the memory has spent so far. After `until` (as `time.perf_counter` counts) nothing more
    is asked.
    """
    ledger: Ledger | None = None
    paid: dict[str, Usage] = {}
    with reading() as snapshot:
        for wall in {one.wall: None for one in asked}:
            ledger = ledger_of(snapshot, wall, call, at)
            paid[payer_of(wall)] = ledger.user
    session = _Session(asked)
    outcomes = ask_all(
        asks.model,
        (retell.prompt_for(one.extract) for one in asked),
        unreadable=retell.unreadable,
        flawed=retell.flawed,
        parallel=asks.parallel,
        allowance=asks.allowance,
        ledger=ledger,
        late=session.take,
        payer=lambda index: payer_of(asked[index].wall),
        paid=paid,
        max_tokens=retell.MAX_TOKENS,
    )
    try:
        with closing(outcomes):
            for index, outcome in outcomes:
                session.take(index, outcome)
                if len(session.kept) >= KEPT_AT_ONCE:
                    session.hand_over(keeps)
                if until is not None and time.perf_counter() >= until:
                    break
    finally:
        session.hand_over(keeps)
    return session.told()


@dataclass
class _Session:
    """What comes of asking, as it comes."""

    asked: Sequence[Question]
    kept: list[Kept] = field(default_factory=list[Kept])
    usage: Usage = field(default_factory=Usage)
    answered: int = 0
    why: str = ""
    bare: int = 0
    """Summaries that stay extracts although they are settled."""
    in_part: int = 0
    """Summaries of whose answers a part is lost."""
    refused: Counter[str] = field(default_factory=Counter[str])

    def take(self, index: int, outcome: Outcome) -> None:
        """An answer, or why there is none."""
        question = self.asked[index]
        self.usage += outcome.usage
        read = _NOTHING if outcome.text is None else retell.read_answer(outcome.text, question.extract)
        self.kept.append(one := Kept(question, outcome, read))
        if not one.is_settled:
            self.why = self.why or outcome.deferred or ""
            return
        self.answered += 1
        self.bare += not read.sentences
        self.in_part += outcome.text is not None and retell.flawed(outcome.text) is not None
        self.refused.update(one.reasons[0] for one in read.refused)

    def hand_over(self, keeps: Callable[[Wall, Sequence[Kept]], None]) -> None:
        """Have kept what has come."""
        by_wall: dict[Wall, list[Kept]] = {}
        for one in self.kept:
            by_wall.setdefault(one.question.wall, []).append(one)
        self.kept.clear()
        for wall, some in by_wall.items():
            keeps(wall, some)

    def told(self) -> Told:
        """All of it."""
        deferred = len(self.asked) - self.answered
        notes: list[str] = []
        if self.refused:
            why, _ = self.refused.most_common(1)[0]
            many = sum(self.refused.values())
            notes.append(f"refused of the sentences of summaries that the model wrote: {many}, most often as {why}")
        if self.in_part:
            whose = "1 summary" if self.in_part == 1 else f"{self.in_part} summaries"
            notes.append(f"a part of what the model answered about {whose} is lost")
        if self.bare:
            whose = "1 summary stays an extract" if self.bare == 1 else f"{self.bare} summaries stay extracts"
            notes.append(f"{whose}: nothing that the model wrote can be used")
        return Told(self.usage, deferred, self.why or "there was no time to ask", tuple(notes))


def keep(tx: Transaction, wall: Wall, kept: Sequence[Kept], asks: Asks, at: int) -> list[str]:
    """Keep answers, and count what they have cost. The keys of the summaries that are settled by them."""
    found: list[str] = []
    for one in kept:
        text, extract = one.outcome.text, one.question.extract
        if text is None and one.outcome.fault not in _HOPELESS:
            continue
        tries = 0 if text is not None else one.in_vain
        says = [[said.text, list(said.turns), said.time] for said in one.read.sentences]
        asked = {"recipe": retell.RECIPE, "view": extract.key, "tries": tries, "says": says}
        asked["refused"] = len(one.read.refused)
        keep_answer(tx, wall, asks, one.outcome.key, text or "", asked, extract.evidence, at)
        found += [extract.key] if one.is_settled else []
    count(tx, wall, (one.outcome.usage for one in kept), at)
    return found
