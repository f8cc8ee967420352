"""Views: what is kept up of what a memory holds, each as one record with its evidence. Values only; pure.

    episode     one turn, as a view reads it
    made        one view, as it should stand: its key, its words, what it rests on

A view is a function of what its wall holds, never of when or how often it was made: so redoing one is idempotent, and a
rebuild makes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
