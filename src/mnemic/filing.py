"""Files as records: what reads them, and what a change of them is made of.

A file is a record of kind "file" whose key is its path; a long one is several, its passages, so that each can be found
by itself. Directories are there as long as files are in them. What changes is decided by functions of what a
transaction sees, so a decision that is made again under the lock holds whatever happened in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Literal, TypeVar

from mnemic.analysis import Writing
from mnemic.changes import (
    BLANK,
    FILE,
    Changes,
    Closing,
    Opening,
    Stamp,
    Values,
    Wall,
    fingerprint,
    is_indexed,
    link_to,
    new_id,
    next_revision,
    writing_of,
)
from mnemic.errors import ConflictError, InputError, NotFoundError
from mnemic.messages import json_text
from mnemic.paths import ROOT, above, canonical, is_within
from mnemic.postings import Document
from mnemic.scope import Place
from mnemic.stores.sqlite import Fields, Snapshot
from mnemic.types import Entry, trust

LARGEST = 100_000
"""Bytes of a file."""
MOST_FILES = 10_000
MOST_LINES = 999_999
SHORT = 300
"""Letters below which what has changed is cut together with the passage beside it."""
_NEXT = chr(ord("/") + 1)
"""Keys from "a/" up to "a0" are those below "a"."""

Cut = Callable[[str], Sequence[tuple[int, int]]]
"""The passages of a text, [start, end) in characters."""
Passage = TypeVar("Passage", bound=Fields)


@dataclass(frozen=True, slots=True)
class Step:
    """One passage that changes: `old` is how it is, None for a new one; `new` how it will be, None where it goes."""

    old: Values | None
    new: Values | None

    @property
    def writing(self) -> Writing | None:
        """What the index has to read anew."""
        if self.new is None:
            return None
        if self.old is not None and not is_indexed(name for name in self.new if self.new[name] != self.old[name]):
            return None
        return writing_of(self.new)


@dataclass(frozen=True, slots=True)
class Told:
    """What a change does to one file: its passages that change, and what the receipt says of it."""

    file: Values | None
    """Its first passage as it is; None for a new file."""
    steps: tuple[Step, ...]
    action: Literal["added", "revised", "retired"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Drawer:
    """The files behind one wall that share a prefix of their keys, and how they are kept."""

    prefix: str = ""
    stamps: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a new passage carries: agent, session, source, speaker."""
    largest: int = LARGEST
    most: int = MOST_FILES

    # -- reading

    def key(self, path: str) -> str:
        """The key of a canonical path."""
        return self.prefix + path

    def path(self, key: str) -> str:
        """The path of the file that a passage's key belongs to."""
        return key.removeprefix(self.prefix).partition("//")[0]

    def below(self, path: str) -> dict[str, str]:
        """The keys below a directory, as an interval."""
        return {"first": f"{self.key(path)}/", "until": self.key(path) + _NEXT}

    def file(self, tx: Snapshot, wall: int, path: str) -> list[Values]:
        """The passages of a file in their order; none where there is no file."""
        return [dict(row) for row in tx.rows("file_at", wall=wall, key=self.key(path))]

    def files(self, tx: Snapshot, wall: int, path: str) -> dict[str, list[Values]]:
        """The passages of the files below a directory, by path."""
        found: dict[str, list[Values]] = {}
        for row in tx.rows("files_between", wall=wall, **self.below(path)):
            found.setdefault(self.path(row["key"]), []).append(dict(row))
        return {where: in_order(rows) for where, rows in found.items()}

    def is_directory(self, tx: Snapshot, wall: int, path: str) -> bool:
        """Whether a path, which is no file, is a directory."""
        return path == ROOT or tx.row("file_sizes", wall=wall, **self.below(path)) is not None

    # -- deciding

    def created(self, tx: Snapshot, wall: int, cut: Cut, given: str, text: str) -> list[Told]:
        """A new file. Raises ConflictError where there is something already."""
        path = canonical(given)
        if self._is_taken(tx, wall, path):
            raise ConflictError(f"File {given} already exists")
        self._refuse_below_files(tx, wall, path)
        checked = self._checked(text, given)
        row = tx.row("files_many", wall=wall, most=self.most, **self.below(ROOT))
        if row is not None and row["files"] >= self.most:
            raise InputError(
                f"File {given} cannot be created: at most {self.most:,} files are possible. "
                "Delete files that are no longer needed, or write into one that is there"
            )
        return [Told(None, self._written(path, checked, cut(checked), ()), "added")]

    def edited(self, tx: Snapshot, wall: int, cut: Cut, given: str, change: Callable[[str], str]) -> list[Told]:
        """A file with another content: `change` makes it from the one that it has. Raises NotFoundError, InputError."""
        path = canonical(given)
        rows = self.file(tx, wall, path)
        if not rows:
            if self.is_directory(tx, wall, path):
                raise InputError(f"The path {given} is not a file.")
            raise NotFoundError(f"The path {given} does not exist. Please provide a valid path.")
        self._refuse_the_users(rows)
        text = self._checked(change(content_of(rows)), given)
        return [Told(rows[0], self._written(path, text, cut_anew(rows, text, cut), rows), "revised", "edited")]

    def moved(self, tx: Snapshot, wall: int, given: str, to: str) -> list[Told]:
        """A file, or all files of a directory, under another path. Raises NotFoundError, ConflictError, InputError."""
        old, new = canonical(given), canonical(to)
        if old == ROOT:
            raise InputError(f"Cannot rename the {ROOT} directory itself")
        if self._is_taken(tx, wall, new):
            raise ConflictError(f"The destination {to} already exists")
        rows = self.file(tx, wall, old)
        files = {old: rows} if rows else self.files(tx, wall, old)
        if not files:
            raise NotFoundError(f"The path {given} does not exist")
        if is_within(new, old):
            raise InputError(f"The destination {to} lies inside {given}")
        self._refuse_below_files(tx, wall, new)
        told: list[Told] = []
        for path, passages in files.items():
            self._refuse_the_users(passages)
            there = canonical(new + path.removeprefix(old))  # it may be too long there
            steps = self._written(there, content_of(passages), spans_of(passages), passages)
            told.append(Told(passages[0], steps, "revised", f"moved from {path}"))
        return told

    def removed(self, tx: Snapshot, wall: int, given: str) -> list[Told]:
        """A file, or all files of a directory, no longer there. Raises NotFoundError, InputError."""
        path = canonical(given)
        if path == ROOT:
            raise InputError(f"Cannot delete the {ROOT} directory itself")
        rows = self.file(tx, wall, path)
        files = {path: rows} if rows else self.files(tx, wall, path)
        if not files:
            raise NotFoundError(f"The path {given} does not exist")
        for rows in files.values():
            self._refuse_the_users(rows)
        return [Told(rows[0], tuple(Step(row, None) for row in rows), "retired", "deleted") for rows in files.values()]

    def _is_taken(self, tx: Snapshot, wall: int, path: str) -> bool:
        if tx.rows("keys_held", wall=wall, keys=json.dumps([self.key(path)])):
            return True
        return self.is_directory(tx, wall, path)

    def _refuse_below_files(self, tx: Snapshot, wall: int, path: str) -> None:
        keys = [self.key(directory) for directory in above(path)]
        for row in tx.rows("keys_held", wall=wall, keys=json.dumps(keys)):
            raise InputError(f"{self.path(row['key'])} is a file: {path} cannot lie below it")

    def _refuse_the_users(self, rows: Sequence[Values]) -> None:
        """Nobody less trusted changes what the user wrote."""
        if trust(self.stamps["source"]) > trust("user") == trust(rows[0]["source"]):
            path = self.path(rows[0]["key"])
            raise InputError(f"File {path} was written by the user: it can be read, but not changed, moved or deleted")

    def _checked(self, text: object, given: str) -> str:
        if not isinstance(text, str):
            raise InputError(f"the content of {given} is {type(text).__name__}, not text")
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise InputError(
                f"the content of {given} has a lone surrogate ({text[error.start]!r}) at character {error.start}, "
                "which is not text"
            ) from None
        if size > self.largest:
            raise InputError(
                f"File {given} would have {size:,} bytes; at most {self.largest:,} are possible: "
                "split it, or shorten what it holds"
            )
        if text.count("\n") >= MOST_LINES:
            raise InputError(f"File {given} exceeds maximum line limit of {MOST_LINES:,} lines.")
        return text

    def _written(
        self, path: str, text: str, spans: Sequence[tuple[int, int]], old: Sequence[Values]
    ) -> tuple[Step, ...]:
        """What makes a file's passages those of a text. Those that stay as they are are not touched."""
        spans = spans or [(0, 0)]
        before = _before([text[start:stop] for start, stop in spans], old)
        steps: list[Step] = []
        for number, ((start, stop), row) in enumerate(zip(spans, before, strict=True)):
            content: Values = {
                "key": self.key(path) + (f"//{number}" if number else ""),
                "text": text[start:stop],
                "subject": path.removeprefix(f"{ROOT}/"),
                "metadata": json_text({"path": path}, "metadata"),
                "part": number if len(spans) > 1 else None,
                "start": start if len(spans) > 1 else None,
                "stop": stop if len(spans) > 1 else None,
            }
            if row is None:
                steps.append(Step(None, {**BLANK, "kind": FILE, "role": "document", **self.stamps, **content}))
            elif any(row[name] != value for name, value in content.items()):
                values = {**next_revision(row), **content}
                if row["text"] != content["text"]:
                    values["source"] = max(row["source"], self.stamps["source"], key=trust)
                steps.append(Step(row, values))
        kept = {row["id"] for row in before if row is not None}
        return (*steps, *(Step(row, None) for row in old if row["id"] not in kept))


def in_the_way(tx: Snapshot, file: Values) -> list[Fields]:
    """What is held that a file cannot be beside: files below its path, and those at paths that it would lie below."""
    drawer = Drawer(file["key"].partition("/")[0])
    path = drawer.path(file["key"])
    keys = [drawer.key(directory) for directory in above(path)]
    below = tx.rows("file_sizes", wall=file["wall"], **drawer.below(path))
    return [
        *tx.rows("keys_held", wall=file["wall"], keys=json.dumps(keys)),
        *(row for row in below if drawer.path(row["key"]) != path),
    ]


def _before(texts: Sequence[str], old: Sequence[Values]) -> list[Values | None]:
    """Which passage each of some texts follows, None for a new one.

    Those at the end that say the same are the same, however many there are before them now. The first is always the
    first: its id is the file's.
    """
    least = min(len(texts), len(old))
    tail = 0
    while tail < least - 1 and texts[-1 - tail] == old[-1 - tail]["text"]:
        tail += 1
    head = least - tail
    return [*old[:head], *[None] * (len(texts) - least), *old[len(old) - tail :]]


def cut_anew(old: Sequence[Values], text: str, cut: Cut) -> list[tuple[int, int]]:
    """The passages of a file's new text. Only around what has changed they are other ones than before."""
    before, spans = content_of(old), spans_of(old)
    head = _shared(before, text)
    tail = _shared(before[head:][::-1], text[head:][::-1])
    first = sum(stop <= head for _, stop in spans)
    last = next((n for n in range(first, len(spans)) if spans[n][0] >= len(before) - tail), len(spans))
    shift = len(text) - len(before)
    begin = spans[first - 1][1] if first else 0
    end = (spans[last][0] if last < len(spans) else len(before)) + shift
    if end - begin < SHORT and first:  # not a passage of a few words, and one more at each edit
        first -= 1
        begin = spans[first][0]
    elif end - begin < SHORT and last < len(spans):
        last += 1
        end = spans[last - 1][1] + shift
    middle = [(begin + start, begin + stop) for start, stop in cut(text[begin:end])]
    after = [(start + shift, stop + shift) for start, stop in spans[last:]]
    return [span for span in (*spans[:first], *middle, *after) if span[0] < span[1]]


def _shared(one: str, other: str) -> int:
    """With how many letters both begin."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def spans_of(rows: Sequence[Values]) -> list[tuple[int, int]]:
    """Where the passages of a file begin and end in it."""
    ends = [*accumulate(len(row["text"]) for row in rows)]
    return list(pairwise([0, *ends]))


def content_of(rows: Sequence[Fields]) -> str:
    """The text of a file, of its passages in their order."""
    return "".join(row["text"] for row in rows)


def in_order(rows: Sequence[Passage]) -> list[Passage]:
    """The passages of a file, the first one first."""
    return sorted(rows, key=lambda row: row["part"] or 0)


def writings_of(told: Sequence[Told]) -> list[Writing]:
    """What the index has to read for a change."""
    return list(dict.fromkeys(step.writing for one in told for step in one.steps if step.writing is not None))


def changes_of(
    tx: Snapshot,
    told: Sequence[Told],
    documents: Mapping[Writing, Document],
    *,
    verb: str,
    place: Place,
    wall: Wall,
    act: Values,
    stamp: Stamp,
) -> Changes:
    """All of it as one change, which rests on the act of making it."""
    changes = Changes(verb, place.tenant)
    scope = (place.tenant, place.project, place.user, place.agent, place.session)
    shown: Values
    for one in told:
        known_by = None if one.file is None else one.file["fingerprint"]
        shown = one.file or {}
        for step in one.steps:
            if step.new is None:
                assert step.old is not None
                entry = Entry(step.old["id"], "retired", one.reason, step.old["revision"])
                changes.closings.append(Closing(step.old, entry))
                changes.links.append(link_to(step.old, act["id"], "derived_from"))
                continue
            values = {**step.new, "author": stamp.actor, "time": stamp.at, "time_precision": "second"}
            if step.old is None:
                id_ = new_id(scope, stamp.at)
                known_by = known_by or fingerprint((), "file", id_)
                values |= {"id": id_, "wall": wall.number, "fingerprint": known_by}
            else:
                changes.closings.append(Closing(step.old))
            writing = step.writing
            document = None if writing is None else documents[writing]
            changes.openings.append(Opening(values, "added" if step.old is None else "revised", one.reason, document))
            changes.links.append(link_to(values, act["id"], "derived_from"))
            shown = values if not values["part"] else shown
        action, reason = (one.action, one.reason) if one.steps else ("ignored", "nothing would change")
        changes.entries.append(Entry(shown["id"], action, reason, shown["revision"]))
    if changes:
        # A file rests on the last change of it; what made it before is in its history.
        again = [step.old["id"] for one in told for step in one.steps if step.old is not None and step.new is not None]
        links = tx.rows("links_from", ids=json.dumps(again), role="derived_from")
        changes.unlinks = [link["row"] for link in links if link["retired_at"] is None]
        changes.open(Opening(act, "act", quiet=True))
    return changes
