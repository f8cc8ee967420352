"""A folder of Markdown that stays the authority, and a memory that follows it, and writes back what is remembered.

    file -> memory   a section is a passage, an observation a statement; edited, moved and deleted as they are there
    memory -> file   what is remembered by hand becomes a line of a note; a correction edits the line

    - [preference] Prefers mornings for calls #work (2026-05-20) ^3uwa4q…

A line that Mnemic wrote ends in the id of its record. What was read and written last is kept in `.mnemic/notes.json`
within the folder, as hashes: so whoever changed something since is known, and where both did, the file's words are
taken and the memory's are written beside them. A file is replaced whole, and only while it is what was read.
"""

from __future__ import annotations

import codecs
import difflib
import errno
import hashlib
import json
import os
import re
import stat
import time as clocks
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mnemic.errors import InputError, NotFoundError, StoreError
from mnemic.importers.notes import ENDINGS, KINDS, LARGEST, handle_of, section_id, title_of
from mnemic.importers.values import present, short_id
from mnemic.markdown import Note, Observation, Section, escaped, note, unescaped
from mnemic.types import Record, ScopeArgs
from mnemic.vault import replaced

if TYPE_CHECKING:
    from mnemic import Memory

STATE = ".mnemic/notes.json"
WRITTEN_TO = "mnemic.md"
"""The note that what is remembered is appended to."""
ALIKE = 0.6
"""How alike the words of a line must be, before and after, for it to be the same line edited."""
PAGE = 1000
_OWN_ID = re.compile(r"[a-z2-7]{26}")
_TAG = re.compile(r"[\w][\w/-]*")
_CONTEXT = re.compile(r"[\w .,;:'-]{1,200}")
_PASSING = re.compile(r"[.~#].*|.*(?:~|\.tmp|\.swp|\.swx|\.bak|\.part|\.crdownload)|.*\.sb-[0-9a-f]+-\w+")
"""Names of files that editors keep for a moment."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one look at the folder and the memory did."""

    read: int = 0
    """Notes that were new or had changed."""
    added: int = 0
    """Sections and statements that came into the memory, …"""
    changed: int = 0
    """… that were edited there, …"""
    retired: int = 0
    """… and that are no longer in the folder."""
    written: int = 0
    """Lines of notes that were appended, edited or taken away."""
    conflicts: tuple[str, ...] = ()
    """Where both sides had changed: both words stand in the note."""
    left_out: tuple[str, ...] = ()
    """Files that could not be read, or were changed while they were to be written: the next look comes back to them."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.retired or self.written or self.conflicts or self.left_out)

    def __str__(self) -> str:
        lines = "line written" if self.written == 1 else "lines written"
        counts = {"added": self.added, "changed": self.changed, "retired": self.retired, lines: self.written}
        told = ", ".join(f"{many} {what}" for what, many in counts.items() if many) or "nothing to do"
        more = [f"conflict: {one}" for one in self.conflicts] + [f"left out: {one}" for one in self.left_out]
        return "\n".join([told, *more])


@dataclass(slots=True)
class _Line:
    """A statement, and the line that says it."""

    file: str
    base: str
    """A hash of the words that both sides agreed on last."""
    own: bool
    """Whether the line carries the record's id."""
    settled: bool = True
    """Whether somebody else has written the file since, with the line in it. If not, and the line is gone, an editor
    that had read the file before may have written over it."""


@dataclass(slots=True)
class _File:
    """A note as it was read last."""

    seen: tuple[int, ...]
    """When it was changed, how large it is and which file: what tells whether to read it again."""
    wrote: str = ""
    """A hash of what was written to it last."""
    sections: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Of each section its record, a hash of its words, and the id that its message has."""


@dataclass(slots=True)
class _State:
    """What was read and written last."""

    files: dict[str, _File] = field(default_factory=dict[str, _File])
    lines: dict[str, _Line] = field(default_factory=dict[str, _Line])
    """By the record."""
    journal: int = -1
    """The memory's journal after the last look."""
    scope: str = ""
    """A hash of whose it is, …"""
    step: str = ""
    """… and the receipt of the last step in their journal: a memory that does not know it is another one, or an older
    copy, and nothing that is written above says anything about it."""


@dataclass(slots=True)
class _Open:
    """A note that is being looked at: what was read, and what its lines shall be."""

    name: str
    content: bytes
    changed: datetime
    note: Note
    lines: list[str]
    edits: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """By the number of a line, those that take its place."""
    appended: list[tuple[str | None, str]] = field(default_factory=list[tuple[str | None, str]])
    """Subjects, and lines that go below them."""
    agreed: dict[str, _Line | None] = field(default_factory=dict[str, _Line | None])
    """What is known of lines once the file has been written."""


class Folder:
    """A folder of notes and the memory that follows it.

    `to` is the note that is written to; the scope is that of every read and write. A note that has gone is looked for
    once more after `grace` seconds: an editor may be about to put another in its place.
    """

    def __init__(
        self,
        memory: Memory,
        folder: str | Path,
        *,
        to: str = WRITTEN_TO,
        grace: float = 0.3,
        shared: bool = False,
        **scope: Any,
    ) -> None:
        self.folder = Path(folder)
        self._memory = memory
        self._to = to
        self._grace = grace
        self._shared = shared
        self._scope = cast("ScopeArgs", scope)
        if not self.folder.is_dir():
            raise NotFoundError(f"there is no folder '{folder}'")
        if not to.lower().endswith(ENDINGS) or Path(to).is_absolute() or ".." in Path(to).parts or to.startswith("."):
            raise InputError(
                f"to={to!r} is not possible: name a Markdown file within the folder, such as '{WRITTEN_TO}'"
            )

    def sync(self) -> Report:
        """Bring folder and memory to the same, once. Raises StoreError, and what the memory raises."""
        return _Look(self.folder, self._memory, self._to, self._scope, shared=self._shared, grace=self._grace).done()

    def watch(self, every: float = 2.0, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Report]:
        """Do so again and again: a report whenever something was done. It looks every so many seconds, or sooner where
        the extra "watch" tells of changes."""
        waits = _waiting(self.folder, every)
        while not stop():
            if report := self.sync():
                yield report
            next(waits)


def _waiting(folder: Path, every: float) -> Iterator[None]:
    """Wait until something changed in a folder, or for so many seconds."""
    try:
        watcher = import_module("mnemic.watching")
    except ImportError:
        while True:
            clocks.sleep(every)
            yield
    yield from watcher.changes(folder, every)


class _Look:
    """One look at the folder and the memory."""

    def __init__(self, folder: Path, memory: Memory, to: str, scope: ScopeArgs, *, shared: bool, grace: float) -> None:
        self._folder = folder
        self._memory = memory
        self._to = to
        self._scope = scope
        self._shared = shared
        self._state = self._known(folder / STATE)
        self._grace = grace
        self._counts: Counter[str] = Counter()
        self._conflicts: list[str] = []
        self._left_out: list[str] = []
        self._open: dict[str, _Open] = {}

    def _known(self, path: Path) -> _State:
        """What was read and written last by this memory in this scope. For any other the folder is new: what is in it
        comes into the memory, and no line is taken for one that the memory gave up."""
        state, whose = _loaded(path), _hash(json.dumps([self._shared, sorted(self._scope.items())], default=str))
        try:
            if state.scope == whose and state.step:
                self._memory.journal(after=state.step, limit=1, **self._scope)
                return state
        except (InputError, NotFoundError):
            pass
        return _State(scope=whose)

    def done(self) -> Report:
        """File to memory, then memory to file."""
        before = _dumped(self._state)
        here = self._read_changed()
        gone = {name: self._state.files[name] for name in self._gone(here)}
        try:
            if self._open or gone:
                self._take_sections(gone)
                self._take_lines(gone)
            journal, step = self._changes(), self._last_step()  # what comes from here on is for the next look
            if self._open or gone or journal != self._state.journal:
                self._write_back()
            for one in self._open.values():
                self._write(one)
            self._state.journal, self._state.step = journal, step
        except BaseException:  # what was done is known; all that was looked at is to be looked at again
            self._state.files |= gone
            for name in self._open.keys() & self._state.files.keys():
                self._state.files[name].seen = ()
            raise
        finally:
            if _dumped(self._state) != before:
                (self._folder / STATE).parent.mkdir(mode=0o700, exist_ok=True)
                replaced(self._folder / STATE, _dumped(self._state).encode())
        return Report(**self._counts, conflicts=tuple(self._conflicts), left_out=tuple(dict.fromkeys(self._left_out)))

    def _gone(self, here: set[str]) -> list[str]:
        """The notes that were here and are no more."""
        gone = [name for name in self._state.files if name not in here]
        if gone and self._grace:
            clocks.sleep(self._grace)
        return [name for name in gone if not (self._folder / name).exists()]

    def _changes(self) -> int:
        return self._memory.stats(**self._scope).journal

    def _last_step(self) -> str:
        steps = self._memory.journal(order="newest", limit=1, **self._scope)
        return steps[0].receipt if steps else ""

    # -- what is in the folder

    def _read_changed(self) -> set[str]:
        """Read the notes that are new or have changed. Returns the names of all, also of those that cannot be read."""
        names: set[str] = set()
        for name, path in _notes_in(self._folder):
            known = self._state.files.get(name)
            try:
                about = path.stat()
                names.add(name)
                if known is not None and known.seen == _seen(about):
                    continue
                self._read(name, path, about)
            except FileNotFoundError:
                names.discard(name)  # it went while it was looked at
            except OSError as error:
                self._left_out.append(f"{name}: {(error.strerror or 'it cannot be read').lower()}")
        return names

    def _read(self, name: str, path: Path, about: os.stat_result) -> None:
        if about.st_size > LARGEST:
            self._left_out.append(f"{name}: larger than {LARGEST / 1e6:.0f} MB")
            return
        content = path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self._left_out.append(f"{name}: not UTF-8 text")
            return
        found = note(text)
        self._open[name] = _Open(name, content, _moment(about), found, list(found.lines))
        self._counts["read"] += 1
        known = self._state.files.setdefault(name, _File(()))
        known.seen = _seen(about)

    def _opened(self, name: str) -> _Open | None:
        """A note that a line is to be written to; None where it cannot be read. The one to append to may be new."""
        if name in self._open:
            return self._open[name]
        path, known = self._folder / name, self._state.files.get(name)
        try:
            if known is None and not path.exists() and name == self._to:
                self._open[name] = _Open(name, b"", datetime.now(UTC), note(""), [])
                return self._open[name]
            about = path.stat()
            content = path.read_bytes()
            found = note(content.decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError):
            self._left_out.append(f"{name}: it cannot be read")
            return None
        if known is None or known.seen != _seen(about):  # what is new in it has to be taken first
            self._left_out.append(f"{name}: it was changed meanwhile")
            return None
        self._open[name] = _Open(name, content, _moment(about), found, list(found.lines))
        return self._open[name]

    # -- sections

    def _take_sections(self, gone: Mapping[str, _File]) -> None:
        """Add the sections that are new, as edits those that have changed; retire those that are in no note now."""
        retire: list[str] = []
        for name, file in gone.items():
            del self._state.files[name]
            retire += [kept[0] for kept in file.sections.values()]
        for one in self._open.values():
            known = self._state.files[one.name]
            wanted = dict(self._sections(one))
            retire += [kept[0] for id_, kept in known.sections.items() if id_ not in wanted]
            fresh = {
                id_: section
                for id_, section in wanted.items()
                if id_ not in known.sections or known.sections[id_][1] != _hash(section["content"])
            }
            kept = {id_: known.sections[id_] for id_ in wanted.keys() - fresh.keys()}
            known.sections = {**kept, **self._added(fresh, known.sections)}
        held = {kept[0] for one in self._open.values() for kept in self._state.files[one.name].sections.values()}
        for id_ in retire:
            if id_ not in held:  # or a note that was renamed is known by its permalink
                self._retire(id_)

    def _sections(self, one: _Open) -> Iterator[tuple[str, dict[str, Any]]]:
        """The sections of a note as messages, without the lines that Mnemic wrote."""
        about = present(
            path=one.name, title=title_of(one.note, one.name), tags=list(one.note.tags), links=list(one.note.links)
        )
        own = any(self._is_own(said) for section in one.note.sections for said in section.observations)
        for section in one.note.sections:
            text = self._words(section, written_to=own or one.name == self._to)
            if text is None:
                continue
            id_ = section_id(one.note, one.name, section)
            yield (
                id_,
                {
                    "role": "document",
                    "content": text,
                    "id": id_,
                    "session_id": short_id(handle_of(one.note, one.name)),
                    "time": one.changed,
                    "metadata": {**about, **present(section=" / ".join(section.path))},
                },
            )

    def _words(self, section: Section, *, written_to: bool) -> str | None:
        """What a section says beside the lines that Mnemic wrote; None where that is nothing.

        In a note that is written to, a heading alone is none: it may stand there for these lines.
        """
        if not written_to:
            return section.text
        own = {one.line - section.line for one in section.observations if self._is_own(one)}
        lines = [line for number, line in enumerate(section.text.split("\n")) if number not in own]
        said = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        return "\n".join(lines).strip("\n") if said else None

    def _is_own(self, one: Observation) -> bool:
        return one.id is not None and _OWN_ID.fullmatch(one.id) is not None

    def _added(self, fresh: Mapping[str, dict[str, Any]], known: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Add sections: what is known of them from now on.

        To `add`, words that a message had once and then no longer are no news; here they are what the note says again,
        whether after an edit or a deletion. So they go by another id.
        """
        found: dict[str, list[str]] = {}
        waiting = {id_: known[id_][2] if id_ in known else id_ for id_ in fresh}
        while waiting:
            messages = [{**fresh[id_], "id": as_} for id_, as_ in waiting.items()]
            receipt = self._memory.add(messages, source="document", shared=self._shared, **self._scope)
            again: dict[str, str] = {}
            for (id_, as_), record, entry in zip(waiting.items(), receipt.ids, _told(receipt.entries), strict=True):
                if entry.action == "ignored" and ((old := self._record(record)) is None or old.state != "current"):
                    base, _, generation = as_.rpartition("~") if re.search(r"~\d+$", as_) else (as_, "", "0")
                    again[id_] = short_id(f"{base}~{int(generation) + 1}")
                    continue
                self._counts["added"] += entry.action in ("added", "restored") and id_ not in known
                self._counts["changed"] += entry.action in ("added", "restored") and id_ in known
                found[id_] = [record, _hash(fresh[id_]["content"]), as_]
            waiting = again
        for id_ in found.keys() & known.keys():
            if found[id_][2] != known[id_][2]:
                self._retire(known[id_][0])
        return found

    def _retire(self, id_: str) -> bool:
        """Retire a record, if it is there and was not retired already."""
        try:
            receipt = self._memory.retire(id_, reason="no longer in the notes", **self._scope)
        except NotFoundError:  # it was erased
            return False
        self._counts["retired"] += receipt.count("retired") > 0
        return True

    # -- lines of notes, into the memory

    def _take_lines(self, gone: Iterable[str]) -> None:
        """Bring the memory to what the lines of the notes say, which were read."""
        looked_at = {*self._open, *gone}
        missing = {id_: line for id_, line in self._state.lines.items() if line.file in looked_at}
        fresh: list[tuple[_Open, Section, Observation]] = []
        for one in self._open.values():
            for section in one.note.sections:
                for observation in section.observations:
                    if self._is_own(observation):
                        self._take_own(one, section, observation, missing)
                        continue
                    id_ = _said_before(observation, missing, one.name)
                    if id_ is None:
                        fresh.append((one, section, observation))
                    else:
                        del missing[id_]
        for one, section, observation in self._paired(fresh, missing):
            self._remember(one, section, observation)
        for id_, line in missing.items():
            self._missing(id_, line)

    def _take_own(self, one: _Open, section: Section, said: Observation, missing: dict[str, _Line]) -> None:
        """A line that Mnemic wrote, or that was written for a record."""
        id_, words = cast("str", said.id), unescaped(said.text)
        line = missing.pop(id_, self._state.lines.get(id_))
        record = self._record(id_)
        if record is None and not self._was_erased(id_):  # another memory's, or a later copy's: it is new to this one
            self._state.lines.pop(id_, None)
            self._remember(one, section, said, words=words)
            return
        if line is None:
            if record is None:
                self._left_out.append(f"{one.name}, line {said.line + 1}: it names a record that was erased")
                return
            line = _Line(one.name, _hash(record.text), own=True)
        edited = _hash(words) != line.base
        if _is_gone(record):
            line.file = one.name
            self._state.lines[id_] = line
            if edited:  # what its reader made of it stands on its own
                del self._state.lines[id_]
                self._remember(one, section, said, words=words)
            return  # else it is taken away, or gives way to its successor, when the memory is written back
        if edited and record is not None:
            self._edit(one, record, words, line.base, said.line)
        settled = line.settled or _digest(one.content) != self._state.files[one.name].wrote
        self._state.lines[id_] = _Line(one.name, _hash(words), own=True, settled=settled)

    def _edit(self, one: _Open, record: Record, words: str, base: str, number: int) -> None:
        """A line was edited: its words are the record's from now on. What the memory had made of it stays beside it."""
        if _hash(record.text) not in (base, _hash(words)):
            self._conflicts.append(f"{one.name}, line {number + 1}")
            kept = f"  > [!warning] Changed in the memory as well, where it read: {escaped(record.text)}"
            one.edits.setdefault(number, [one.lines[number]]).append(kept)
            self._counts["written"] += 1
        if record.text != words:
            self._memory.update(record.id, text=words, **self._scope)
            self._counts["changed"] += 1

    def _paired(
        self, fresh: Sequence[tuple[_Open, Section, Observation]], missing: dict[str, _Line]
    ) -> Iterator[tuple[_Open, Section, Observation]]:
        """Lines without an id that were not there before: those that are old ones, moved or edited, are taken for
        these; the others are given back."""
        left = list(fresh)
        old = {
            id_: record for id_, line in missing.items() if not line.own and (record := self._record(id_)) is not None
        }
        for one, section, said in fresh:
            for id_, record in old.items():
                if id_ in missing and _hash(said.text) == missing[id_].base and _kind(said) == record.kind:
                    self._moved(one, said, record, missing.pop(id_))  # to another note
                    left.remove((one, section, said))
                    break
        for one, section, said in left:
            rated = {
                id_: difflib.SequenceMatcher(None, record.text, said.text).ratio()
                for id_, record in old.items()
                if id_ in missing and missing[id_].file == one.name and _kind(said) == record.kind
            }
            best = max(rated, key=lambda id_: rated[id_], default="")
            if not best or rated[best] < ALIKE or _is_gone(old[best]):
                yield one, section, said
                continue
            line = missing.pop(best)
            self._edit(one, old[best], said.text, line.base, said.line)
            self._state.lines[best] = _Line(one.name, _hash(said.text), own=False)

    def _moved(self, one: _Open, said: Observation, record: Record, line: _Line) -> None:
        if not _is_gone(record):
            self._memory.update(record.id, metadata=_metadata(one, said), **self._scope)
            self._counts["changed"] += 1
        self._state.lines[record.id] = _Line(one.name, line.base, own=False)

    def _remember(self, one: _Open, section: Section, said: Observation, *, words: str | None = None) -> None:
        """A line that is new is a new statement; where it had an id, that becomes the new record's."""
        text = said.text if words is None else words
        subject = title_of(one.note, one.name)
        if words is not None and one.name == self._to and len(section.path) > 1:  # as `_insert` put it there
            subject = section.path[-1]
        evidence = self._state.files[one.name].sections.get(section_id(one.note, one.name, section), [""])[0]
        receipt = self._memory.remember(
            text,
            kind=_kind(said),
            subject=subject,
            evidence=[evidence] if evidence else (),
            metadata=_metadata(one, said),
            source="document",
            shared=self._shared,
            **self._scope,
        )
        id_ = receipt.ids[0]
        self._counts["added"] += receipt.count("added")
        self._state.lines[id_] = _Line(one.name, _hash(text), own=words is not None)
        if words is not None and (record := self._record(id_)) is not None:
            self._put(one, said.line, record)

    def _missing(self, id_: str, line: _Line) -> None:
        """A line is in no note any more: it was deleted, unless it may have been lost."""
        record = self._record(id_)
        if record is None or _is_gone(record):
            del self._state.lines[id_]
            return
        changed = _hash(record.text) != line.base
        if not line.own or (line.settled and not changed):
            del self._state.lines[id_]
            self._retire(id_)
            return
        if changed:
            self._conflicts.append(f"{line.file}: a line was deleted there and changed in the memory")
        if not self._append(record, settled=True) and line.file in self._state.files:
            self._state.files[line.file].seen = ()  # to be looked at again

    # -- the memory, into lines of notes

    def _write_back(self) -> None:
        """Bring the lines of the notes to what the memory holds."""
        current = {record.id: record for record in self._by_hand()}
        for id_, line in list(self._state.lines.items()):
            record = current.get(id_)
            if record is not None and _hash(record.text) != line.base:
                self._rewrite(id_, line, record)
            elif record is None and not self._pending(id_) and self._gave_up(id_):
                self._take_away(id_, line, current)
        for id_, record in current.items():
            if id_ not in self._state.lines and not self._pending(id_) and record.source not in ("import", "document"):
                self._append(record)

    def _gave_up(self, id_: str) -> bool:
        """Whether a record is there and was retired, taken over or erased. One that is missing says nothing."""
        record = self._record(id_)
        return _is_gone(record) if record is not None else self._was_erased(id_)

    def _was_erased(self, id_: str) -> bool:
        """Whether a record that cannot be got was here once."""
        try:
            return bool(self._memory.history(id_, **self._scope))
        except NotFoundError:
            return False

    def _pending(self, id_: str) -> bool:
        return any(id_ in one.agreed for one in self._open.values())

    def _by_hand(self) -> Iterator[Record]:
        """The current records that somebody remembered by hand, of exactly this scope."""
        after: str | None = None
        while True:
            page = self._memory.list(limit=PAGE, after=after, order="oldest", **self._scope)
            for record in page:
                mine = (record.scope.user_id, record.scope.project_id) == (
                    self._scope.get("user_id"),
                    self._scope.get("project_id"),
                )
                if record.kind != "episode" and record.derivation is None and mine:
                    yield record
            if page.next is None:
                return
            after = page.next

    def _rewrite(self, id_: str, line: _Line, record: Record) -> None:
        """The memory corrected a statement: so is its line."""
        place = self._place(id_, line)
        if place is None:
            return
        self._put(*place, record)

    def _take_away(self, id_: str, line: _Line, current: Mapping[str, Record]) -> None:
        """A statement is no longer so: its line goes, or gives way to that of the record that took over.

        A line that the memory did not write is only struck out, unless the record was erased.
        """
        place = self._place(id_, line)
        record = self._record(id_)
        if place is None:
            self._state.lines.pop(id_, None)
            return
        one, number = place
        successor = current.get(record.superseded_by or "") if record is not None else None
        if successor is not None and successor.id not in self._state.lines:
            one.agreed[id_] = None
            self._put(one, number, successor)
            return
        if record is None or line.own:
            one.edits[number] = []
        else:
            bullet, _, words = one.lines[number].partition("[")
            one.edits[number] = [f"{bullet}~~[{words}~~"]
        one.agreed[id_] = None
        self._counts["written"] += 1

    def _place(self, id_: str, line: _Line) -> tuple[_Open, int] | None:
        """The note and the number of the line that says a statement."""
        one = self._opened(line.file)
        if one is None:
            return None
        for section in one.note.sections:
            for said in section.observations:
                if said.id == id_ if line.own else not self._is_own(said) and _hash(said.text) == line.base:
                    return one, said.line
        return None

    def _put(self, one: _Open, number: int, record: Record) -> None:
        """A record's line in the place of another."""
        kept = one.edits.get(number, [""])[1:]
        one.edits[number] = [line_of(record), *kept]
        one.agreed[record.id] = _Line(one.name, _hash(record.text), own=True, settled=False)
        self._counts["written"] += 1

    def _append(self, record: Record, *, settled: bool = False) -> bool:
        one = self._opened(self._to)
        if one is None:
            return False
        one.appended.append((record.subject, line_of(record)))
        one.agreed[record.id] = _Line(one.name, _hash(record.text), own=True, settled=settled)
        self._counts["written"] += 1
        return True

    def _write(self, one: _Open) -> None:
        """Write a note, if it is still what was read."""
        if not one.edits and not one.appended:
            return
        path = Path(os.path.realpath(self._folder / one.name))
        known = self._state.files.setdefault(one.name, _File(()))
        content = _edited(one).encode()
        if one.content.startswith(codecs.BOM_UTF8):
            content = codecs.BOM_UTF8 + content
        if b"\r\n" in one.content:
            content = content.replace(b"\n", b"\r\n")
        try:
            if (path.read_bytes() if path.exists() else b"") != one.content:
                self._left_out.append(f"{one.name}: it was changed meanwhile")
                known.seen = ()
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            replaced(path, content)
            about = path.stat()
        except OSError as error:
            raise StoreError(error.errno or errno.EIO, f"'{path}' cannot be written: {error.strerror}") from error
        known.wrote = _digest(content)
        known.seen = () if one.edits else _seen(about)  # what its sections say may be something else now
        for id_, line in one.agreed.items():
            if line is None:
                self._state.lines.pop(id_, None)
            else:
                self._state.lines[id_] = line

    def _record(self, id_: str) -> Record | None:
        try:
            return self._memory.get(id_, **self._scope)
        except NotFoundError:
            return None


# -- lines


def line_of(record: Record) -> str:
    """A record as a line of a note."""
    tags, context = record.metadata.get("tags"), record.metadata.get("context")
    named = cast("list[object]", tags) if isinstance(tags, list) else []
    told = [f"#{tag}" for tag in named if _TAG.fullmatch(str(tag))]
    plain = isinstance(context, str) and _CONTEXT.fullmatch(context)
    behind = f"({context if plain else f'{record.time:%Y-%m-%d}'})"
    return " ".join([f"- [{record.kind}]", _line_text(record.text), *told, behind, f"^{record.id}"])


def _is_gone(record: Record | None) -> bool:
    """Whether a statement is no longer so: erased, retired or taken over. What only faded or ended stays written."""
    return record is None or record.state in ("retired", "superseded")


def _line_text(text: str) -> str:
    """Words on one line that reads back as they are: what is at their end is no context."""
    line = escaped(text)
    return f"{line[:-1]}\\)" if line.endswith(")") else line


def _kind(said: Observation) -> str:
    category = said.category.lower()
    return category if category in KINDS or (said.id and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", category)) else "fact"


def _metadata(one: _Open, said: Observation) -> dict[str, Any]:
    kept = None if said.category.lower() in KINDS else said.category
    return present(path=one.name, tags=list(said.tags), context=said.context, category=kept)


def _said_before(said: Observation, missing: Mapping[str, _Line], name: str) -> str | None:
    """The record of a line without an id that stands in its note as before."""
    words = _hash(said.text)
    return next(
        (id_ for id_, line in missing.items() if not line.own and (line.file, line.base) == (name, words)), None
    )


def _edited(one: _Open) -> str:
    """The text of a note with its lines edited and appended."""
    lines = [line for number, old in enumerate(one.lines) for line in one.edits.get(number, [old])]
    if not one.appended:
        return "\n".join(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    for subject, line in one.appended:
        _insert(lines, subject, line)
    return "\n".join(lines) + "\n"


def _insert(lines: list[str], subject: str | None, line: str) -> None:
    """Put a line below the heading of its subject; a new heading where there is none."""
    if not lines:
        lines += ["# Remembered", ""]
    heading = None if subject is None else f"## {escaped(subject)}"
    if heading is None:
        at = next((number for number, one in enumerate(lines) if one.startswith("## ")), len(lines))
    elif heading in lines:
        start = lines.index(heading) + 1
        at = next((number for number in range(start, len(lines)) if lines[number].startswith("#")), len(lines))
    else:
        while not lines[-1].strip():
            lines.pop()
        lines += ["", heading, ""]
        at = len(lines)
    while at and not lines[at - 1].strip() and not (at > 1 and lines[at - 2].startswith("#")):
        at -= 1
    lines[at:at] = [line] if at == len(lines) or not lines[at].startswith("#") else [line, ""]


# -- files


def _notes_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The notes of a folder, in a fixed order; hidden ones and those that editors keep for a moment are none."""

    def refuse(error: OSError) -> None:
        raise StoreError(error.errno or errno.EIO, f"'{error.filename}' cannot be read: {error.strerror}") from error

    for where, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(where, name)
            if name.lower().endswith(ENDINGS) and not _PASSING.fullmatch(name):
                yield path.relative_to(folder).as_posix(), path


def _seen(about: os.stat_result) -> tuple[int, ...]:
    return (about.st_mtime_ns, about.st_size, about.st_ino, stat.S_IFMT(about.st_mode))


def _moment(about: os.stat_result) -> datetime:
    return datetime.fromtimestamp(about.st_mtime, UTC)


def _hash(text: str) -> str:
    return _digest(text.encode("utf-8", "surrogatepass"))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _told(entries: Sequence[Any]) -> list[Any]:
    return [entry for entry in entries if entry.action != "superseded"]


def _loaded(path: Path) -> _State:
    """What was read and written last; nothing, where that is lost."""
    try:
        told: Any = json.loads(path.read_text("utf-8"))
        return _State(
            {name: _File(tuple(one["seen"]), one["wrote"], one["sections"]) for name, one in told["files"].items()},
            {id_: _Line(**one) for id_, one in told["lines"].items()},
            told["journal"],
            told["scope"],
            told["step"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _State()


def _dumped(state: _State) -> str:
    lines = {
        id_: {"file": one.file, "base": one.base, "own": one.own, "settled": one.settled}
        for id_, one in state.lines.items()
    }
    files = {
        name: {"seen": one.seen, "wrote": one.wrote, "sections": one.sections} for name, one in state.files.items()
    }
    told = {"files": files, "lines": lines, "journal": state.journal, "scope": state.scope, "step": state.step}
    return json.dumps(told, ensure_ascii=False, indent=0) + "\n"
