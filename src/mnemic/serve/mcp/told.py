"""What a tool answers: a text and the same as JSON, together within a limit of tokens.

Tokens are counted on the JSON of the result as it goes over the wire, text and structured content together. What does
not fit is left out from the end, and the answer says how much.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mnemic.types import Evidence, Hit, Record

Count = Callable[[str], int]
EVIDENCE = 3
"""Pieces of evidence shown with a hit or a record."""
LONGEST = 4
"""A text may take this share (one in so many) of the tokens of a result, at three characters a token."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer of a tool: `text` for whoever reads, `structured` for whoever computes; `more` are further texts."""

    text: str
    structured: Mapping[str, Any]
    more: tuple[str, ...] = ()

    @property
    def wire(self) -> str:
        """The result as it is sent, in JSON."""
        blocks = [{"type": "text", "text": text} for text in (self.text, *self.more)]
        return json.dumps({"content": blocks, "structuredContent": self.structured}, ensure_ascii=False)


def fitted(of: Callable[[int], Told], most: int, room: int, count: Count) -> Told:
    """The answer with as many of its first items as fit into `room` tokens; `of(n)` makes it with n of them."""
    told = of(most)
    if count(told.wire) <= room:
        return told
    low, high = 0, most - 1  # the answer with none of them is given even where it is too long
    while low < high:
        middle = (low + high + 1) // 2
        if count(of(middle).wire) <= room:
            low = middle
        else:
            high = middle - 1
    return of(low)


def longest(max_tokens: int) -> int:
    """Characters that one text may have in an answer."""
    return max(200, 3 * max_tokens // LONGEST)


# -- values


def when(time: datetime) -> str:
    """A time in UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time.year >= 1000 else time.isoformat()


def day(time: datetime) -> str:
    """A time for readers."""
    return when(time)[:16].replace("T", " ")


def line(text: str) -> str:
    """A text on one line: what is remembered cannot pass for another entry of a list."""
    return " ".join(text.split())


def clipped(text: str, most: int) -> str:
    """A text of at most so many characters; what was cut is told."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most:,} characters more)"


def present(**values: Any) -> dict[str, Any]:
    """A dict without what is None or empty."""
    return {name: value for name, value in values.items() if value not in (None, (), [], {}, "")}


def evidence_json(piece: Evidence, most: int) -> dict[str, Any]:
    """A piece of evidence as JSON."""
    return present(
        id=piece.id,
        time=when(piece.time),
        speaker=piece.speaker,
        message_id=piece.message_id,
        session_id=piece.session_id,
        text=clipped(piece.text, most),
    )


def hit_json(hit: Hit, most: int) -> dict[str, Any]:
    """A hit as JSON. An episode is its own evidence, which is not said twice."""
    pieces = [piece for piece in hit.evidence if piece.id != hit.id]
    return present(
        id=hit.id,
        kind=hit.kind,
        text=clipped(hit.text, most),
        relevance=None if hit.relevance is None else round(hit.relevance, 2),
        time=when(hit.time),
        valid_from=hit.valid_from and when(hit.valid_from),
        valid_to=hit.valid_to and when(hit.valid_to),
        speaker=hit.speaker,
        source=hit.source,
        state=None if hit.state == "current" else hit.state,
        outdated_by=hit.outdated_by,
        conflicts=list(hit.conflicts),
        metadata=dict(hit.metadata),
        evidence=[evidence_json(piece, most) for piece in pieces[:EVIDENCE]],
    )


def record_json(record: Record, most: int) -> dict[str, Any]:
    """A record as JSON."""
    pieces = [piece for piece in record.evidence if piece.id != record.id]
    return present(
        id=record.id,
        kind=record.kind,
        text=clipped(record.text, most),
        time=when(record.time),
        valid_from=record.valid_from and when(record.valid_from),
        valid_to=record.valid_to and when(record.valid_to),
        subject=record.subject,
        key=record.key,
        purpose=record.purpose,
        speaker=record.speaker or record.role,
        source=record.source,
        state=None if record.state == "current" else record.state,
        revision=record.revision,
        pinned=record.pinned or None,
        superseded_by=record.superseded_by,
        metadata=dict(record.metadata),
        evidence=[piece.id for piece in pieces[:EVIDENCE]],
    )


def hit_line(hit: Hit, most: int) -> str:
    """A hit for readers: what is known, and what it rests on."""
    sure = "" if hit.relevance is None else f"{hit.relevance:.2f} "
    said = f"{hit.speaker}: " if hit.kind == "episode" and hit.speaker else ""
    state = "" if hit.state == "current" else f" [{hit.state}]"
    outdated = f" [outdated by {hit.outdated_by}]" if hit.outdated_by else ""
    against = f" [contradicted by {', '.join(hit.conflicts)}]" if hit.conflicts else ""
    shown = f"[{hit.id}] {sure}{hit.kind} {day(hit.time)} {said}{line(clipped(hit.text, most))}"
    behind = next((piece for piece in hit.evidence if piece.id != hit.id), None)
    evidence = ""
    if behind is not None and line(behind.text) != line(hit.text):
        quote = line(clipped(behind.text, most))
        evidence = f"\n  as {behind.speaker or 'somebody'} said on {day(behind.time)}: {quote}"
    return f"{shown}{state}{outdated}{against}{evidence}"


def record_line(record: Record, most: int) -> str:
    """A record for readers."""
    said = f"{record.speaker or record.role}: " if record.kind == "episode" and (record.speaker or record.role) else ""
    state = "" if record.state == "current" else f" [{record.state}]"
    return f"[{record.id}] {record.kind} {day(record.time)} {said}{line(clipped(record.text, most))}{state}"


def noted(lines: list[str], notes: list[str]) -> str:
    """Lines with their notes."""
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])


def counted(number: int, noun: str) -> str:
    """ "1 memory", "2 memories"."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"
