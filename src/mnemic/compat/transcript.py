"""A conversation's history in a memory: kept item by item, and given back exactly as it came."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mnemic.compat.bound import CONVERSATION, SILENT, is_own_record, words
from mnemic.memory import Memory
from mnemic.types import Record

HELD = ("expired", "quarantined", "faded")
"""What still belongs to a history, though a search leaves it out."""
EVERY = ("superseded", "retired", *HELD)
PAGE = 500
"""Records read at a time."""
_ITEMS = "items"
_CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a history: what is remembered of it, and what is given back."""

    role: str
    """As messages have it: see `mnemic.messages.ROLES`."""
    text: str
    """Its words; "" where it has none that are worth recalling."""
    kept: str | None
    """What is given back, to the letter; None for words whose item another one of the same call gives back."""
    kind: str = "item"
    """What it is, said in brackets where nothing has words."""


class Transcript:
    """The history of one conversation.

    Its items are episodes of the session, so that they are long-term memory, too. What has no words of its own (a
    model's hidden reasoning, an image, what was recalled from this very memory) is kept with its neighbour, or by
    itself and marked `SILENT`, so that no drop-in recalls it. The history ends where it was last cleared; what was said
    before stays remembered.

    `framework` tells histories of one session apart that different drop-ins keep, `conversation` several of one session
    (None: there is one). `speaker` is the user's name.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        framework: str,
        session_id: str | None,
        conversation: str | None = None,
        speaker: str | None = None,
        shared: bool = False,
    ) -> None:
        self._memory = memory
        self._session = session_id
        self._speaker = speaker
        self._shared = shared
        self._mark = {"framework": framework, CONVERSATION: conversation or session_id}

    def append(self, items: Sequence[Item]) -> None:
        """Keep items at the end: all of them or none."""
        self._add([self._message(group) for group in _grouped(items)])

    def items(self, limit: int | None = None) -> list[str]:
        """What was kept, oldest first; with a limit the newest so many."""
        found: list[str] = []
        for record in self._newest_first():
            found += reversed(_items(record))
            if limit is not None and len(found) >= limit:
                break
        return found[:limit][::-1]

    def pop(self) -> str | None:
        """Take the newest item back: it leaves the history, and is no longer remembered. `undo` brings it back."""
        for record in self._newest_first():
            *rest, last = _items(record)
            if rest:  # first, so that whatever happens none of them is lost
                self._add([self._message([Item(record.role or "event", "", kept) for kept in rest])])
            self._memory.retire(record.id, reason="taken back from the history")
            return last
        return None

    def clear(self, *, erase: bool = False) -> None:
        """Empty the history; with `erase` all that was ever in it is gone from the memory, too, for good."""
        if erase:
            if ids := [record.id for record in self._records(include=EVERY)]:
                self._memory.erase(ids)
        elif next(self._newest_first(), None) is not None:
            self._add([{"role": "event", "content": "[history cleared]", "metadata": {SILENT: True}, _CLEARED: True}])

    def _message(self, group: Sequence[Item]) -> dict[str, Any]:
        said = next((item for item in group if item.text.strip()), None)
        told = said or group[0]
        return {
            "role": told.role,
            "content": f"[{told.kind}]" if said is None else words(said.text),
            "name": self._speaker if told.role == "user" else None,
            "metadata": {SILENT: True} if said is None else None,
            _ITEMS: [item.kept for item in group if item.kept is not None],
        }

    def _add(self, messages: Sequence[dict[str, Any]]) -> None:
        """With ids of their own, so that what is said twice is kept twice."""
        if messages:
            self._memory.add(
                [{**message, "id": uuid.uuid4().hex} for message in messages],
                metadata=self._mark,
                session_id=self._session,
                shared=self._shared,
            )

    def _newest_first(self) -> Iterator[Record]:
        """The records that hold the history's items, back to where it was last cleared."""
        for record in self._records(include=HELD):
            if record.data.get(_CLEARED):
                return
            if record.data.get(_ITEMS):
                yield record

    def _records(self, include: Sequence[str]) -> Iterator[Record]:
        after: str | None = None
        while True:
            page = self._memory.list(
                order="newest",
                limit=PAGE,
                after=after,
                where=self._mark,
                kinds="episode",
                include=include,
                session_id=self._session,
            )
            yield from (record for record in page if is_own_record(self._memory, record))
            if page.next is None:
                return
            after = page.next


def _items(record: Record) -> list[str]:
    return list(record.data[_ITEMS])


def _grouped(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Items that become one episode: one with words, those without before it, and behind the last one all others."""
    ends = {place for place, item in enumerate(items) if item.text.strip()}
    ends.discard(max(ends, default=-1))
    group: list[Item] = []
    for place, item in enumerate(items):
        group.append(item)
        if place in ends:
            yield group
            group = []
    if group:
        yield group
