"""`Cabinet`: files kept in a memory, for tools whose model writes files instead of sentences.

    cabinet = Cabinet(memory, user_id="ana")
    cabinet.create("/memories/porto.md", "Ana moves to Porto in May.\n")
    cabinet.edit("/memories/porto.md", lambda text: text.replace("May", "June"))

Each change is one receipt, which `memory.undo` takes back; whatever else is written meanwhile, nothing is lost.
"""

from __future__ import annotations

import time as clocks
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Unpack

from mnemic import filing
from mnemic.analysis import Writing, analyse
from mnemic.changes import Changes, Stamp, Values, Wall
from mnemic.errors import InputError, NotFoundError
from mnemic.filing import Cut, Drawer, Told
from mnemic.memory import Memory, When
from mnemic.paths import ROOT, canonical, is_within
from mnemic.postings import Document
from mnemic.scope import Place, reach_of
from mnemic.stores.sqlite import Snapshot, Transaction
from mnemic.times import interval, moment
from mnemic.types import SOURCES, Receipt, ScopeArgs

ATTEMPTS = 3
"""Times that a change is prepared before the lock; where others were faster each time, it is prepared under it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file, without what it holds. `size` is in bytes of UTF-8, `changed` when the memory came to hold it so."""

    path: str
    size: int
    id: str
    """Of the record, for `Memory.history`, `retire` and `erase`; the first passage's of a long file."""
    changed: datetime


@dataclass(frozen=True, slots=True)
class File(Listed):
    """A file with what it holds, and whose words they are: one of `mnemic.types.SOURCES`."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Version:
    """What a file was from a change of it on: its path and its text, both None from its deletion on."""

    at: datetime
    receipt: str
    """For `Memory.undo`."""
    actor: str | None
    path: str | None
    text: str | None


class Cabinet:
    """Files in one scope of a memory, by paths such as "/memories/projects/porto.md".

    The scope is that of a write: a user, or `shared=True`; a memory that is bound to one needs no more. Files belong to
    that wall; agent and session are stamped on them. Several cabinets of one scope are told apart by a `name`.

    Each file is a record of kind "file" with its path as its key (`NAME:PATH` in a cabinet with a name) and in its
    metadata, so searches find it; a long one is found by its passages. Nothing is derived from it, and `source` says
    whose words it holds: what was written with source "user" can be read, but not changed, by a cabinet of another one.

    Texts have at most `max_bytes` bytes of UTF-8 and 999,999 lines, paths 1,024 bytes. There are at most `max_files`
    files; earlier versions and deleted files stay in the history and do not count. Directories are there as long as
    files are in them. Paths that lead out, or look as if, are refused. Raises InputError, ScopeError.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        name: str = "",
        source: str = "assistant",
        author: str | None = None,
        max_bytes: int = filing.LARGEST,
        max_files: int = filing.MOST_FILES,
        shared: bool = False,
        **scope: Unpack[ScopeArgs],
    ) -> None:
        if source not in SOURCES:
            raise InputError(f"source={source!r} is not known: one of {', '.join(SOURCES)}")
        if "/" in name or not (name.isprintable() and len(name) <= 100):
            raise InputError(f"name={name!r:.60} is not the name of a cabinet: up to 100 letters, without '/'")
        for limit, most in (("max_bytes", max_bytes), ("max_files", max_files)):
            if isinstance(most, bool) or most < 1:
                raise InputError(f"{limit}={most!r} is not possible: a number from 1 on")
        self._desk = _Desk.of(memory, scope, shared=shared, author=author)
        stamps = {"agent": self._desk.where.agent, "session": self._desk.where.session}
        speaker = None if source == "unknown" else source
        carried = {**stamps, "source": source, "speaker": speaker}
        self._drawer = Drawer(f"{name}:" if name else "", carried, max_bytes, max_files)

    def __repr__(self) -> str:
        return f"Cabinet({self._desk!r})"

    # -- reading

    def look(self, path: str, *, known_at: When | None = None) -> File | tuple[Listed, ...]:
        """What is at a path: a file, or the files below a directory, by path. Raises NotFoundError, InputError.

        `known_at` asks for what the memory held then.
        """
        where = canonical(path)
        with self._desk.reading() as (snapshot, wall):
            if known_at is None:
                rows = self._drawer.file(snapshot, wall, where)
                listed = () if rows else self._listed(snapshot, wall, where)
            else:
                held = self._held(snapshot, wall, self._desk.moment(known_at))
                rows = held.get(where, [])
                files = (_file(at, passages) for at, passages in held.items() if is_within(at, where))
                listed = tuple(Listed(file.path, file.size, file.id, file.changed) for file in files)
        if rows:
            return _file(where, rows)
        if not listed and where != ROOT:
            raise NotFoundError(f"The path {path} does not exist. Please provide a valid path.")
        return tuple(sorted(listed, key=lambda one: one.path))

    def read(self, path: str, *, known_at: When | None = None) -> File:
        """The file at a path. Raises NotFoundError, and InputError for a directory."""
        found = self.look(path, known_at=known_at)
        if not isinstance(found, File):
            raise InputError(f"The path {path} is not a file.")
        return found

    def list(self, path: str = ROOT, *, known_at: When | None = None) -> tuple[Listed, ...]:
        """The files below a directory, by path. Raises NotFoundError, and InputError for a file."""
        found = self.look(path, known_at=known_at)
        if isinstance(found, File):
            raise InputError(f"The path {path} is a file: read() gives what it holds")
        return found

    def history(self, path: str, *, limit: int | None = None) -> tuple[Version, ...]:
        """What was at a path, oldest first, also before a file was moved there and after it was deleted.

        `limit` bounds it to the latest versions of each file that was there; None: all. Raises NotFoundError where
        nothing ever was.
        """
        where = canonical(path)
        drawer = self._drawer
        with self._desk.reading() as (snapshot, wall):
            key = drawer.key(where)
            files = snapshot.rows("files_ever", wall=wall, first=key, until=key + "\x01")
            every: dict[str, list[Any]] = {row["fingerprint"]: [] for row in files}
            for row in snapshot.rows("passages_ever", wall=wall, fingerprints=_json(list(every))):
                every[row["fingerprint"]].append(row)
            named = {row[name] for rows in every.values() for row in rows for name in ("opened_by", "closed_by")}
            receipts = snapshot.rows("receipts_named", ids=_json(sorted(named - {None})))
        if not every:
            raise NotFoundError(f"The path {path} does not exist. Please provide a valid path.")
        actors = {row["id"]: row["actor"] for row in receipts}
        found = [version for rows in every.values() for version in _versions(drawer, rows, actors, limit)]
        return tuple(sorted(found, key=lambda version: version.at))

    def _held(self, snapshot: Snapshot, wall: int, at: int) -> dict[str, list[Values]]:
        """The files that were held at an instant, by path."""
        found: dict[str, list[Values]] = {}
        for row in snapshot.rows("files_known_at", wall=wall, at=at, **self._drawer.below(ROOT)):
            found.setdefault(self._drawer.path(row["key"]), []).append(dict(row))
        return {path: filing.in_order(rows) for path, rows in found.items()}

    def _listed(self, snapshot: Snapshot, wall: int, directory: str) -> tuple[Listed, ...]:
        found: dict[str, list[Any]] = {}
        for row in snapshot.rows("file_sizes", wall=wall, **self._drawer.below(directory)):
            found.setdefault(self._drawer.path(row["key"]), []).append(row)
        return tuple(
            Listed(
                path,
                sum(row["bytes"] for row in rows),
                filing.in_order(rows)[0]["id"],
                moment(max(row["recorded_at"] for row in rows)),
            )
            for path, rows in found.items()
        )

    # -- writing

    def create(self, path: str, text: str) -> Receipt:
        """A new file. Raises ConflictError where there is something already, InputError."""
        return self._carry_out(
            "remember", "create", lambda tx, wall, cut: self._drawer.created(tx, wall, cut, path, text), path=path
        )

    def edit(self, path: str, change: Callable[[str], str]) -> Receipt:
        """Another content of a file: `change` makes it out of the one that it has.

        It is called at least twice, the last time under the lock, with what the file holds at the very moment of the
        change: so of two who edit one file at a time neither undoes what the other did. It must not write to a memory
        itself. What it raises is raised, and nothing changes.
        Raises NotFoundError, InputError.
        """
        return self._carry_out(
            "update", "edit", lambda tx, wall, cut: self._drawer.edited(tx, wall, cut, path, change), path=path
        )

    def move(self, path: str, to: str) -> Receipt:
        """A file, or a directory with all below it, under another path. Raises NotFoundError, ConflictError where
        something is there already, InputError."""
        return self._carry_out(
            "update", "rename", lambda tx, wall, _: self._drawer.moved(tx, wall, path, to), old_path=path, new_path=to
        )

    def remove(self, path: str) -> Receipt:
        """A file, or a directory with all below it, is no longer there; `undo` brings it back, and `history` tells of
        it. Raises NotFoundError, InputError."""
        return self._carry_out("retire", "delete", lambda tx, wall, _: self._drawer.removed(tx, wall, path), path=path)

    def clear(self) -> Receipt | None:
        """Erase every file of this cabinet for good, with what was deleted and every version. None where none was."""
        while True:
            with self._desk.reading() as (snapshot, wall):
                rows = snapshot.rows("files_ever", wall=wall, **self._drawer.below(ROOT))
            if not rows:
                return None
            try:
                return self._desk.erased([row["id"] for row in rows])
            except NotFoundError:  # somebody else has erased one meanwhile
                continue

    def _carry_out(self, verb: str, command: str, decide: _Decide, **named: str) -> Receipt:
        """Decide, prepare what the index needs, and decide again under the lock: that is what counts."""
        said = {"command": command, **named}
        arguments = {**said, "text": " ".join(said.values())}
        return self._desk.written(verb, arguments, decide)


def _json(value: object) -> str:
    return filing.json_text(value, "what is asked")


def _file(path: str, rows: Sequence[Values]) -> File:
    text = filing.content_of(rows)
    changed = moment(max(row["recorded_at"] for row in rows))
    source = max((row["source"] for row in rows), key=SOURCES.index)
    return File(path, len(text.encode()), rows[0]["id"], changed, text, source)


def _versions(
    drawer: Drawer, rows: Sequence[Any], actors: Mapping[str, str | None], limit: int | None
) -> list[Version]:
    """What one file was, from each change of it on; the latest ones."""
    comes: dict[int, list[Any]] = {}
    goes: dict[int, list[Any]] = {}
    receipts: dict[int, str] = {}
    for row in rows:
        comes.setdefault(row["recorded_at"], []).append(row)
        receipts[row["recorded_at"]] = row["opened_by"]
        if row["retired_at"] is not None:
            goes.setdefault(row["retired_at"], []).append(row)
            receipts[row["retired_at"]] = row["closed_by"]
    held: dict[tuple[str, int], Any] = {}
    found: deque[Version] = deque(maxlen=limit)
    times = sorted(receipts)
    for number, at in enumerate(times):
        for row in goes.get(at, ()):
            held.pop((row["id"], row["revision"]), None)
        for row in comes.get(at, ()):
            if row["superseded_by"] is None and not row["quarantined"]:
                held[row["id"], row["revision"]] = row
        if limit is not None and number < len(times) - limit:
            continue
        passages = filing.in_order(list(held.values()))
        path = drawer.path(passages[0]["key"]) if passages else None
        text = filing.content_of(passages) if passages else None
        found.append(Version(moment(at), receipts[at], actors.get(receipts[at]), path, text))
    return list(found)


_Decide = Callable[[Snapshot, int, Cut], Sequence[Told]]
"""What is to be changed behind a wall, by what is there."""


class _MovedOnError(Exception):
    """Under the lock it turned out that more has to be read for the index than was prepared."""


class _Desk(Memory):
    """What a cabinet needs of a memory: the same one, its transactions in one wall."""

    _actor: str | None
    where: Place

    @classmethod
    def of(cls, memory: Memory, scope: ScopeArgs, *, shared: bool, author: str | None) -> _Desk:
        """The desk of a memory, for one place in it. Raises InputError for a memory behind a server."""
        if "_store" not in memory.__dict__:
            raise InputError(f"{memory!r} is behind a server: files are kept in a memory that is opened here")
        desk = object.__new__(cls)
        desk.__dict__.update(memory.__dict__)
        desk._actor = author
        desk.where = desk._place(Cabinet, scope, shared=shared)
        return desk

    @contextmanager
    def reading(self) -> Generator[tuple[Snapshot, int]]:
        """A snapshot, and the number of the wall in it; -1 where nothing has been written behind it."""
        where = self.where
        with self._store.read() as snapshot:
            row = snapshot.row("wall_named", tenant=where.tenant, project=where.project, user=where.user)
            yield snapshot, -1 if row is None else row["wall"]

    def moment(self, given: When) -> int:
        """A recorded time as the store has it."""
        return interval(given, self._zone, "known_at").start

    def erased(self, ids: Sequence[str]) -> Receipt:
        """Erase records of this wall for good."""
        where = self.where
        names = {"tenant_id": where.tenant, "project_id": where.project, "user_id": where.user}
        given: Any = {name: value for name, value in names.items() if value and name not in self._bound}
        return self.erase(ids, author=self._actor, **given)

    def written(self, verb: str, arguments: Mapping[str, Any], decide: _Decide) -> Receipt:
        """One change in one transaction."""
        started = clocks.perf_counter()
        notes: list[str] = []
        documents: dict[Writing, Document] = {}
        space = self._space
        attempts = 0
        passages: dict[str, Sequence[tuple[int, int]]] = {}

        def cut(words: str) -> Sequence[tuple[int, int]]:
            if words not in passages:  # it is cut once, before the lock
                passages[words] = self._passages(words)
            return passages[words]

        def missing(told: Sequence[Told]) -> list[Writing]:
            return [writing for writing in filing.writings_of(told) if writing not in documents]

        def prepare(told: Sequence[Told]) -> bool:
            """Whether the documents are still of one kind: all of them have vectors, or none has."""
            nonlocal space
            wanted = missing(told)
            if wanted and space is not None:
                found, embedded = self._analysed_or_words(wanted, notes)
                documents.update(zip(wanted, found, strict=True))
                if not embedded:
                    documents.update({one: replace(document, vector=None) for one, document in documents.items()})
                    space = None
                    return False
            elif wanted:
                documents.update(zip(wanted, analyse(wanted, None), strict=True))
            return True

        def commit(tx: Transaction, wall: Wall, stamp: Stamp) -> Changes:
            told = decide(tx, wall.number, cut)
            if missing(told) and (attempts < ATTEMPTS or not prepare(told)):
                raise _MovedOnError
            act = self._act(verb, self.where, wall, arguments, stamp)
            changes = filing.changes_of(
                tx, told, documents, verb=verb, place=self.where, wall=wall, act=act, stamp=stamp
            )
            changes.notes += notes
            return changes

        while True:
            attempts += 1
            with self.reading() as (snapshot, wall):
                told = decide(snapshot, wall, cut)
            prepare(told)
            try:
                done = self._write(self.where, self._actor, commit, started, space=space)
                return self._settled(done, reach_of(self.where), started)  # of what is to be forgotten it may say more
            except _MovedOnError:
                continue
