"""What is derived from what was said: statements, their relations and slots. Values only; nothing here reads a store.

    turn        one episode, as derivation reads it
    statement   who, what, since when, and the words that it rests on
    slot        what statements compete for: where Ana lives; whether she likes olives

Of a *single* relation one value holds at a time (one residence); of another each value is a slot of its own that holds
or does not (many hobbies). Which is which stands in `relations.json`: a list that may grow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

USER = "user"
"""The subject of what a user says who has no name."""
CONTEXT = 12
"""Turns before a turn that are read with it, for what its "she" means, and whether a game is on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One episode."""

    id: str
    text: str
    time: datetime
    """When it was said; aware."""
    role: str = "user"
    speaker: str | None = None
    """The name of who said it, where there is one."""
    session: str | None = None
    source: str = "user"

    @property
    def by(self) -> str:
        """Whom "I" means here."""
        return self.speaker or self.role


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a turn: the characters from `start` to `stop`."""

    turn: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One short statement that needs no other to be understood."""

    kind: str
    """fact, preference, event, goal, relationship, instruction, …"""
    subject: str
    """Whom or what it is about, as it is called: "Ana", "Ana's dog", `USER`."""
    relation: str
    """A name in `relations.json`, with a noun behind a colon where it needs one: "favourite:colour"."""
    value: str
    """In the words of the evidence, times resolved: "Porto"."""
    text: str
    """The whole of it, in the third person, times resolved: "Ana lives in Porto." No word is invented: each is the
    evidence's, a name's, a resolved time's or the relation's."""
    evidence: tuple[Span, ...]
    """The words that it rests on; the first span is the statement itself."""
    said: datetime
    """When its first evidence was said."""
    holds: bool = True
    """False: it says that this is not so, or no longer."""
    valid_from: datetime | None = None
    """When that began, or happened, where the words tell it …"""
    valid_to: datetime | None = None
    """… and when it ended or ends."""
    precision: str | None = None
    """Of these two: year, month, day, …"""
    aliases: tuple[str, ...] = ()
    """Other names of the subject that the evidence gives."""
    confidence: float = 1.0
    """How sure the derivation is of having understood the words, from 0 to 1."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """More for whom it concerns, as JSON: the unit of a quantity, what a plan is about."""

    @property
    def slot(self) -> tuple[str, ...]:
        """What it competes for with others: one value at a time, or this value's being so or not."""
        return slot_of(self.subject, self.relation, self.value)


@dataclass(frozen=True, slots=True)
class Relation:
    """What is known of a relation."""

    name: str
    kind: str
    """Of the records that say it."""
    single: bool
    """Whether one value holds at a time."""
    says: str
    """How it is said: "{subject} lives in {value}"."""
    denies: str
    """How it is said not to be so, or no longer."""
    whatever: bool = False
    """Whether its nouns are names of one thing, and so share a slot: a wife and a girlfriend are one's partner."""
    fixed: bool = False
    """Whether it never changes, so that two values contradict each other."""


@lru_cache(1)
def relations() -> Mapping[str, Relation]:
    """The relations known, by name."""
    plain = json.loads((files("mnemic") / "relations.json").read_text(encoding="utf-8"))
    return {name: Relation(name, **values) for name, values in plain.items()}


def relation(name: str) -> Relation:
    """A relation; one that is not known is taken for a plain one of many values."""
    return relations().get(name) or Relation(name, "fact", False, "{subject} {value}", "{subject} {value}")


def slot_of(subject: str, relation_: str, value: str) -> tuple[str, ...]:
    """The slot of a statement: its subject first."""
    name, _, noun = relation_.partition(":")
    known = relation(name)
    noun = "" if known.whatever else folded(noun)
    if known.single:
        return folded(subject), name, noun
    return folded(subject), name, noun, folded(value)


def folded(text: str) -> str:
    """A name or a value as it is compared: in lower case, single blanks, no full stop at its end."""
    return " ".join(text.casefold().split()).rstrip(".!")
