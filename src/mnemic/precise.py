"""Names in a question: which records it asks for by their subject or an alias, and no others.

A name is found where the question has its words, whole and one after the other, case-folded and without diacritics;
stop words count on neither side. A word of five letters or more may differ by one edit (a letter more, less, other, or
two changed places) if its first two letters are right, and if it is not itself a word of a name. Of names that overlap,
an exact one beats a misspelt one, and a longer one what lies inside it: who asks about "Apollo 2" does not ask about
"Apollo".

    book = Book()
    book.keep(rows)                      # rows of records, by the number of their revision
    for found in book.named_in("what does Marta drive?"): found.row, found.by, found.edits
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from mnemic import text
from mnemic.spelling import KEPT, editable, one_edit


@dataclass(frozen=True, slots=True)
class Name:
    """One way to call a subject, as it is looked for."""

    words: tuple[str, ...]
    """Without stop words; empty for a name of stop words alone ("Will", "The Who") …"""
    spelling: str
    """… which is only found as it is spelt, and not at the beginning of a question."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that has a name."""

    row: int
    id: str
    subject: Name | None
    aliases: tuple[Name, ...]
    superseded_by: str | None
    participants: tuple[tuple[str, ...], ...]
    """Of a relationship: the words of those who take part, from `data["participants"]`."""
    entity: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a question names."""

    row: int
    by: Literal["subject", "alias", "participant"]
    edits: int


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    edits: int
    entry: Entry
    by: Literal["subject", "alias"]


class Book:
    """The names of a scope's records, looked up by their first words."""

    def __init__(self) -> None:
        self._looked_at: set[int] = set()  # rows, whether they have a name or not
        self._entries: dict[int, Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self._first: dict[str, dict[int, None]] = {}  # first word -> rows
        self._near: dict[str, set[str]] = {}  # first two letters -> first words of five letters or more
        self._words: Counter[str] = Counter()  # of all names: what is one of them is no misspelt other
        self._other: dict[int, None] = {}  # rows with a name that is not looked up by its first word

    def __len__(self) -> int:
        return len(self._entries)

    def missing(self, rows: Iterable[int]) -> list[int]:
        """Drop all but these rows; returns those of them that have not been looked at: `keep` is to be given them."""
        wanted = set(rows)
        for row in self._entries.keys() - wanted:
            self._drop(self._entries.pop(row))
        missing = sorted(wanted - self._looked_at)
        self._looked_at = wanted
        return missing

    def keep(self, rows: Iterable[Any]) -> None:
        """Take in records: rows with row, id, kind, subject, aliases, data and superseded_by."""
        for row in rows:
            entry = _entry(row)
            self._entries[entry.row] = entry
            self._by_id[entry.id] = entry
            for name in _names(entry):
                self._words.update(name.words)
                if name.words and not text.unspaced(name.words[0]):
                    first = name.words[0]
                    self._first.setdefault(first, {})[entry.row] = None
                    if editable(first):
                        self._near.setdefault(first[:KEPT], set()).add(first)
                else:
                    self._other[entry.row] = None

    def _drop(self, entry: Entry) -> None:
        if self._by_id.get(entry.id) is entry:
            del self._by_id[entry.id]
        self._other.pop(entry.row, None)
        for name in _names(entry):
            self._words.subtract(name.words)
            first = name.words[0] if name.words else ""
            rows = self._first.get(first)
            if rows is not None and rows.pop(entry.row, 0) is None and not rows:
                del self._first[first]
                self._near.get(first[:KEPT], set[str]()).discard(first)

    def named_in(self, question: str) -> list[Found]:
        """The records that a question names, each once: as its subject before by an alias, with the fewest edits.

        A record that has been superseded leads to its successor as well, found by an alias; relationships lead to the
        entities that take part in them. Which of them may be shown is for the caller to say.
        """
        found: dict[int, Found] = {}

        def add(one: Found) -> None:
            held = found.get(one.row)
            if held is None or (_ORDER[one.by], one.edits) < (_ORDER[held.by], held.edits):
                found[one.row] = one

        for match in _undisputed(list(self._matches(question))):
            add(Found(match.entry.row, match.by, match.edits))
            successor = self._successor(match.entry)
            if successor is not None:
                add(Found(successor.row, "alias", match.edits))
            for who in (match.entry if successor is None else successor).participants:
                for row in self._first.get(who[0], ()):
                    one = self._entries[row]
                    if one.entity and one.subject is not None and one.subject.words == who:
                        add(Found(row, "participant", match.edits))
        return list(found.values())

    def _successor(self, entry: Entry) -> Entry | None:
        seen = {entry.id}
        last: Entry | None = None
        while entry.superseded_by is not None and entry.superseded_by not in seen:
            follower = self._by_id.get(entry.superseded_by)
            if follower is None:
                break
            seen.add(follower.id)
            last = entry = follower
        return last

    def _matches(self, question: str) -> Iterator[_Match]:
        spoken = text.words(question)
        words = text.content_words(spoken)
        for start, word in enumerate(words):
            for first in {word, *self._misspelt(word)}:
                for row in self._first.get(first, ()):
                    entry = self._entries[row]
                    for name, by in _named(entry):
                        edits = self._edits(name.words, words, start)
                        if name.words[:1] == (first,) and edits is not None:
                            yield _Match(start, start + len(name.words), edits, entry, by)
        for row in self._other:
            entry = self._entries[row]
            for name, by in _named(entry):
                if name.words and text.unspaced(name.words[0]):
                    for at, word in enumerate(words):
                        if all(part in word for part in name.words):
                            yield _Match(at, at + 1, 0, entry, by)
                elif not name.words and _spelt(name.spelling, question):
                    yield _Match(-1, 0, 0, entry, by)

    def _misspelt(self, word: str) -> list[str]:
        if not word.isalpha() or self._words[word] > 0:
            return []
        return [near for near in self._near.get(word[:KEPT], ()) if near != word and one_edit(near, word)]

    def _edits(self, name: Sequence[str], words: Sequence[str], start: int) -> int | None:
        """How many words of the question from `start` on are misspelt words of the name; None where they are others."""
        if not name or start + len(name) > len(words):
            return None
        edits = 0
        for wanted, word in zip(name, words[start:], strict=False):
            if wanted == word:
                continue
            if self._words[word] > 0 or not (editable(wanted) and word.isalpha() and wanted[:KEPT] == word[:KEPT]):
                return None
            if not one_edit(wanted, word):
                return None
            edits += 1
        return edits


_ORDER = {"subject": 0, "alias": 1, "participant": 2}


def _entry(row: Any) -> Entry:
    subject: str | None = row["subject"]
    aliases: list[str] = json.loads(row["aliases"]) if row["aliases"] else []
    return Entry(
        row["row"],
        row["id"],
        None if subject is None else _name(subject),
        tuple(map(_name, aliases)),
        row["superseded_by"],
        _participants(row["data"]) if row["kind"] == "relationship" else (),
        row["kind"] == "entity",
    )


def _participants(data: str | None) -> tuple[tuple[str, ...], ...]:
    listed: object = cast("Mapping[str, object]", json.loads(data)).get("participants") if data else None
    if not isinstance(listed, list):
        return ()
    names = (_name(one).words for one in cast("list[object]", listed) if isinstance(one, str))
    return tuple(words for words in names if words)


def _name(spelling: str) -> Name:
    return Name(tuple(text.content_words(text.words(spelling))), spelling)


def _named(entry: Entry) -> Iterator[tuple[Name, Literal["subject", "alias"]]]:
    if entry.subject is not None:
        yield entry.subject, "subject"
    for alias in entry.aliases:
        yield alias, "alias"


def _names(entry: Entry) -> Iterator[Name]:
    return (name for name, _ in _named(entry))


def _spelt(name: str, question: str) -> bool:
    """Whether a name of stop words stands in a question as it is spelt, within a sentence or as all of it."""
    asked = question.strip().rstrip("?!. ")
    return asked == name or re.search(rf"(?<=[^.?!\s]\s){re.escape(name)}(?!\w)", asked) is not None


def _undisputed(matches: Sequence[_Match]) -> list[_Match]:
    """Matches that no better one overlaps: exact before misspelt, and of two the one that holds the other."""
    certain = {at for match in matches if not match.edits for at in range(match.start, match.end)}
    exact = [match for match in matches if not match.edits or certain.isdisjoint(range(match.start, match.end))]
    spans = {(match.start, match.end) for match in exact}
    return [
        match
        for match in exact
        if not any(
            start <= match.start and match.end <= end and (start, end) != (match.start, match.end)
            for start, end in spans
        )
    ]
