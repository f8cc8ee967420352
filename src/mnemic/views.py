"""Views: what is kept up of what a memory holds, each as one record with its evidence. Values only; pure.

    episode     one turn, as a view reads it
    fact        one statement, as a view reads it
    made        one view, as it should stand: its key, its words, what it rests on

A view is a function of what its wall holds, never of when or how often it was made: so redoing one is idempotent, and a
rebuild makes the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mnemic.times import FOREVER, moment


@dataclass(frozen=True, slots=True)
class Episode:
    """One turn, as a view reads it."""

    id: str
    num: int
    """Its document number in the wall: the order of arrival."""
    text: str
    time: int
    """When it was said: UTC microseconds."""
    role: str = "user"
    speaker: str | None = None
    """The name of who said it, where there is one."""
    session: str | None = None
    source: str = "user"

    @property
    def by(self) -> str:
        """Who said it: the name, or the role where there is none."""
        return self.speaker or self.role


@dataclass(frozen=True, slots=True)
class Made:
    """One view, as it should stand."""

    key: str
    """The record's key, unique in its wall: "profile", "state:ana", "summary:week:2026-W21"."""
    kind: str
    """profile, state, questions, commitments, summary or topic."""
    text: str
    """What a reader or a prompt gets; every word is its evidence's, a relation's or a fixed label."""
    evidence: tuple[str, ...]
    """Ids of the episodes and acts that it rests on, the most telling first: what a fact rests on, not the fact."""
    parts: tuple[str, ...] = ()
    """Keys of the views that it is made of: a month of its weeks, a week of its sessions."""
    subject: str | None = None
    confidence: float | None = None
    time: int = 0
    """Of the latest thing that it tells of: UTC microseconds."""
    begins: int | None = None
    """The first moment that it tells of, where it is about a stretch of time …"""
    ends: int | None = None
    """… and the first one after it."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The same as JSON, for programs: facts with their ids, dates and confidence."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement that stands in a wall, derived or kept by hand, as a view reads it. Times are UTC microseconds."""

    id: str
    kind: str
    text: str
    subject: str | None
    relation: str
    """Its relation's name, with the noun behind a colon; "" where it has none."""
    said: int
    begins: int | None
    ends: int | None
    precision: str | None
    """Of these two: year, month, day, …"""
    confidence: float | None
    superseded_by: str | None
    told: int
    """When it was said last: nothing that it rests on is later."""
    evidence: tuple[str, ...]
    """The episodes and acts that it rests on, the first one first."""
    contradicts: tuple[str, ...] = ()
    """Ids of statements that cannot be so with it."""
    holds: bool = True
    """False: it says that something is not so."""


NAME = "views/1"
"""What a view's `derivation` says."""
PROFILE, QUESTIONS, COMMITMENTS, STATE = "profile", "open_questions", "commitments", "state:"
"""Keys of views; that of a state goes on with its subject."""
TOPIC = "topic:"
"""The key of a topic goes on with the id of the turn that leads it."""
RETOLD = "retold"
"""The name in a summary's data under which it says how a model retold it; where that is missing, it is an extract."""
ABOUT = ("fact", "preference", "relationship", "goal", "instruction", "decision")
"""Kinds that say what is so: `facts_about` in queries.sql and its index name the same."""
AHEAD = ("goal", "event")
"""Kinds that may tell of what is to come: `told_ahead` and its index name the same."""


def subject_key(subject: str) -> str:
    """A subject as states are told apart by it: SQLite's lower(), which knows A to Z."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in subject)


def standing(facts: Iterable[Fact]) -> list[Fact]:
    """Those that are so, as far as anybody has told, in the order given.

    No clock has a part in it. What ends in the future of those who told it is still so; what another one takes over
    from is so until that begins.
    """
    known = {fact.id: fact for fact in facts}
    return [fact for fact in known.values() if fact.ends is None or fact.ends > _told_until(fact, known)]


def _told_until(fact: Fact, known: Mapping[str, Fact]) -> int:
    if fact.superseded_by is None:
        return fact.told
    successor = known.get(fact.superseded_by)
    return FOREVER if successor is None else max(successor.said, fact.told)


def day_of(time: int, precision: str | None = None) -> str:
    """A time as views write it: "2026", "2026-05" or "2026-05-20", in UTC."""
    return moment(time).isoformat()[: {"year": 4, "month": 7}.get(precision or "", 10)]
