"""The documents behind a scope's walls as arrays, kept in memory and brought up to each read's snapshot.

A cache, never the truth: each read compares it with its snapshot, appends what is new, reads again what has changed,
and starts anew where something was erased. Arrays are only ever written beyond what has been handed out, or copied, so
a frame in use stays as it was.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnemic import rank, text
from mnemic.commit import segment_of
from mnemic.fading import FADED, FORGET
from mnemic.forks import CACHES, watch
from mnemic.models.wrap import space_of
from mnemic.ports import Embedder
from mnemic.postings import Segment
from mnemic.records import is_view
from mnemic.scope import Reach
from mnemic.spelling import KEPT, editable
from mnemic.stores.sqlite import Row, Snapshot
from mnemic.times import FOREVER

Bools = NDArray[np.bool_]

OPEN, QUARANTINED, SUPERSEDED, EVENT, GONE, PINNED, DERIVED, VIEW = 1, 2, 4, 8, 16, 32, 64, 128
"""Flags of a document: held now; set apart; taken over by another; something that happened (and stays true after);
no longer readable at all: erased, or replaced by another text of its record, which is another document; pinned; derived
from what was said, not written by hand; a view of what others say, for whom asks for its kind."""

GAP = 30 * 60 * 1_000_000
"""Microseconds between two turns without a session that begin a new stretch of talk."""

_COLUMNS: dict[str, Any] = {
    "row": np.int64,
    "kind": np.int32,
    "stamp_session": np.int32,  # code of the session's name; -1: none
    "stamp_agent": np.int32,
    "speaker": np.int32,
    "time": np.int64,
    "begins": np.int64,
    "ends": np.int64,
    "expires": np.int64,
    "flags": np.int16,
    "turn": np.int32,  # the first document of the turn that a passage is part of; any other document: itself
    "session": np.int32,  # code of the stretch of talk that a turn stands in
    "previous": np.int32,
    "following": np.int32,
    "lengths": np.float32,
}


class _Codes(dict[Any, int]):
    """Names to 0, 1, 2 … in order of appearance."""

    def __missing__(self, name: Any) -> int:
        self[name] = code = len(self)
        return code


@dataclass(frozen=True, slots=True)
class Part:
    """One wall's share of a frame: its postings and vectors."""

    wall: int
    offset: int
    """The frame's number of the wall's document 0."""
    size: int
    """Documents of the wall."""
    segments: tuple[Segment, ...]
    vectors: NDArray[np.float32] | None
    """(size, dims); None where there are none of the embedder's space."""
    tokens: int
    """Embedder tokens of all documents together."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The documents of a scope: document i of the frame is element i of every array."""

    columns: Mapping[str, NDArray[Any]]
    layout: rank.Layout
    norms: rank.Norms | None
    """None where some document has no vector of the embedder's space."""
    parts: tuple[Part, ...]
    speakers: tuple[rank.Speaker, ...]
    by_word: Mapping[str, tuple[int, ...]]
    """Speakers by the words of their names; under '' those that any question must be asked about."""
    by_start: Mapping[str, tuple[str, ...]]
    """Those of these words that may be misspelt, by the letters that are right all the same."""
    parties: tuple[int, ...]
    """Speakers who may be meant by "I" and "you": users and assistants, where an assistant speaks at all."""
    kinds: Mapping[str, int]
    sessions: Mapping[str, int]
    agents: Mapping[str, int]
    foreign: int
    """Documents whose vectors belong to another embedding space (or that have none although there is an embedder)."""
    quiet_until: int
    """Until then every document is current, whatever a read includes: none has been closed or is cold, and none ends
    before."""
    remaining: NDArray[np.float32] | None = None
    """How much of each document is left, from 0 to 1, where anything fades. See `fading`."""

    @property
    def size(self) -> int:
        return self.layout.size

    def terms(self, terms: Sequence[text.QueryTerm], among: Bools | None, namespace: str = "") -> list[rank.Term]:
        """Where each term stands, among these documents (None: all)."""
        keys = text.hash_terms([namespace + term.term for term in terms])
        standing: list[list[tuple[NDArray[np.intp], NDArray[np.uint16]]]] = [[] for _ in terms]
        for part in self.parts:
            for segment in part.segments:
                for which, documents, counts in segment.postings(keys):
                    documents += part.offset
                    if among is not None:
                        kept = among[documents]
                        documents, counts = documents[kept], counts[kept]
                    standing[which].append((documents, counts))
        return [rank.Term(*_one_after_another(found), term.weight) for term, found in zip(terms, standing, strict=True)]

    def held_of(self, terms: Sequence[str]) -> set[str]:
        """Those of some terms that stand anywhere."""
        keys = text.hash_terms(terms)
        wanted = np.arange(len(keys))
        for part in self.parts:
            for segment in part.segments:
                if not len(wanted):
                    return set(terms)
                wanted = wanted[~segment.holds(keys[wanted])]
        missing = set(wanted.tolist())
        return {term for at, term in enumerate(terms) if at not in missing}

    def places_of(self, rows: Sequence[int]) -> list[int]:
        """Where the documents of these revisions stand."""
        held = self.columns["row"]
        order = np.argsort(held)
        found: list[int] = order[np.searchsorted(held, np.array(rows, np.int64), sorter=order)].tolist()
        return found

    def arrivals(self) -> NDArray[np.int64]:
        """A number for each document that grows with its arrival in its wall, and tells nothing of other walls."""
        return np.concatenate([np.arange(part.size) + (place << 40) for place, part in enumerate(self.parts)])

    def dots(self, query: NDArray[np.float32], among: Bools | None) -> NDArray[np.float32]:
        """The dot product of every document's vector with a query's; 0 for those not among these (None: all)."""
        found = [part.vectors @ query for part in self.parts if part.vectors is not None]
        dots = found[0] if len(found) == 1 else np.concatenate(found)
        return dots if among is None else dots * among

    @property
    def dims(self) -> int:
        """Length of a vector; 0 where there are none."""
        return next((part.vectors.shape[1] for part in self.parts if part.vectors is not None), 0)

    def sum_of(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """The sum of these documents' vectors, (dims,)."""
        total = np.zeros(self.dims, np.float32)
        for part in self.parts:
            if part.vectors is not None:
                here = places[(places >= part.offset) & (places < part.offset + part.size)]
                total += part.vectors[here - part.offset].sum(axis=0)
        return total

    def token_weights(self, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
        """Smooth inverse frequency of tokens, by their counts in this scope."""
        counts = np.zeros(len(tokens), np.int64)
        for part in self.parts:
            for segment in part.segments:
                counts += segment.counts_of(tokens)
        return rank.smooth_inverse_frequency(counts, float(sum(part.tokens for part in self.parts)))

    def readable(
        self, reach: Reach, *, now: int, as_of: int | None, include: frozenset[str], kinds: Sequence[str] | None
    ) -> Bools:
        """Which documents a read may return: with its stamps, of its kinds, and current unless `include` says more."""
        columns = self.columns
        if as_of is None and now < self.quiet_until:
            allowed = np.ones(self.size, np.bool_)
        else:
            allowed = self.held(now=now, as_of=as_of, include=include)
        for stamp, codes, wanted in (
            ("stamp_agent", self.agents, reach.agent),
            ("stamp_session", self.sessions, reach.session),
        ):
            if wanted is not None:
                held = columns[stamp]
                allowed &= (held == codes.get(wanted, -2)) | (held == -1)
        if kinds is None:
            allowed &= (columns["flags"] & VIEW) == 0
        else:
            allowed &= np.isin(columns["kind"], [self.kinds.get(kind, -2) for kind in kinds])
        return allowed

    def held(self, *, now: int, as_of: int | None, include: frozenset[str]) -> Bools:
        """Which documents are current: not retired, not quarantined, not expired, true at `as_of`."""
        columns = self.columns
        flags = columns["flags"]
        at = now if as_of is None else as_of
        taken_over = (flags & SUPERSEDED) != 0
        ended = columns["ends"] <= at
        event = (flags & EVENT) != 0
        if event.any():  # what happened stays true after it has happened
            ended = np.where(event, taken_over, ended)
        allowed = (flags & GONE) == 0 if "retired" in include else (flags & (OPEN | GONE)) == OPEN
        if "quarantined" not in include:
            allowed &= (flags & QUARANTINED) == 0
        if self.remaining is not None and FADED not in include:
            allowed &= self.remaining > 0.0
        if "superseded" not in include:
            allowed &= ~(ended & taken_over)
        if "expired" not in include:
            allowed &= (columns["expires"] > min(now, at)) & ~(ended & ~taken_over)
        if as_of is not None:
            allowed &= np.where(event, columns["time"], columns["begins"]) <= as_of
        return allowed

    def known_at(self, snapshot: Snapshot, at: int) -> Frame:
        """This frame as the memory held it at an instant: what it did not know yet is gone.

        Neighbours and statistics stay those of today; what may be returned is decided by what was held.
        """
        columns = dict(self.columns)
        for name in ("row", "begins", "ends", "expires", "flags"):
            columns[name] = columns[name].copy()
        columns["flags"][:] = GONE
        for part in self.parts:
            rows = snapshot.rows("documents_known_at", wall=part.wall, until=part.size, at=at)
            rows = _last_of_each(rows)
            if rows:
                place = np.array([row["num"] for row in rows]) + part.offset
                for name, values in _states(rows).items():
                    columns[name][place] = values
        remaining = None
        for part in self.parts:
            for row in snapshot.rows("fading_known_at", wall=part.wall, at=at):
                if row["num"] < part.size:
                    remaining = np.ones(self.size, np.float32) if remaining is None else remaining
                    remaining[part.offset + row["num"]] = row["weight"]
        remaining = _without_requests(remaining, columns["kind"], self.kinds)
        return replace(self, columns=columns, quiet_until=0, remaining=remaining)


_NOWHERE = np.empty(0, np.intp)


def _one_after_another(
    found: Sequence[tuple[NDArray[np.intp], NDArray[np.uint16]]],
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    if not found:
        return _NOWHERE, _NOWHERE
    if len(found) == 1:
        return found[0]
    return np.concatenate([documents for documents, _ in found]), np.concatenate([counts for _, counts in found])


class _WallCache:
    """What is kept of one wall."""

    def __init__(self, wall: int, tenant: str, epoch: int, embedder: Embedder | None) -> None:
        self.wall, self.tenant, self.epoch = wall, tenant, epoch
        self.size = self.changed = self.seq = 0
        self._embedder = embedder
        self._buffers = {name: np.empty(0, kind) for name, kind in _COLUMNS.items()}
        self._vectors: NDArray[np.float32] | None = None
        self.foreign = 0
        self.dead = 0  # documents erased
        self._fading = 0
        self._remaining: NDArray[np.float32] | None = None  # by the links that fade
        self.segments: list[Segment] = []  # as they are stored, but for their vectors
        self.kinds, self.sessions, self.agents = _Codes(), _Codes(), _Codes()
        self.speakers: dict[tuple[str, str], int] = _Codes()
        self._stretches = _Codes()
        self._last: dict[int, int] = {}  # the last document of each stretch
        self._loose: tuple[int, int, int] | None = None  # stretch, time and agent of the last turn without a session
        self.frame: Frame | None = None

        self.bytes = 0  # memory held, about

    def _measured(self) -> int:
        arrays = sum(buffer.nbytes for buffer in self._buffers.values())
        arrays += sum(segment.nbytes for segment in self.segments)
        # The layout and the norms of the frame have some hundred bytes for each document.
        return arrays + (0 if self._vectors is None else self._vectors.nbytes) + 100 * self.size

    # -- bringing up to a snapshot

    def follow(self, snapshot: Snapshot, row: Row) -> Frame:
        """The frame of this wall at a snapshot."""
        if self.frame is not None and (row["size"], row["changed"]) == (self.size, self.changed):
            return self.frame
        head = snapshot.row("journal_head", tenant=self.tenant)
        if row["changed"] != self.changed and self.size:
            self._read_again(snapshot)
        first = self.size
        if row["size"] > first:
            self._append(snapshot, row["size"])
        if row["fading"]:
            self._fade(snapshot, row["fading"], first)
        self.changed, self.seq = row["changed"], head["seq"] if head else 0
        self.frame = self._built()
        self.bytes = self._measured()
        return self.frame

    def _read_again(self, snapshot: Snapshot) -> None:
        changed = snapshot.rows("documents_changed", tenant=self.tenant, seq=self.seq, wall=self.wall)
        numbers = [row["num"] for row in changed if row["num"] < self.size]
        if not numbers:
            return
        rows = _last_of_each(snapshot.rows("documents_named", wall=self.wall, nums=json.dumps(numbers)))
        at = np.array([row["num"] for row in rows])
        for name, values in self._read(rows).items():
            self._buffers[name] = self._buffers[name].copy()
            self._buffers[name][at] = values

    def _fade(self, snapshot: Snapshot, fading: int, first: int) -> None:
        """How much is left of every document where links have changed; else of those from `first` on."""
        old = self._remaining
        if fading != self._fading:
            old, first = None, 0
            rows = snapshot.rows("fading_in", wall=self.wall)
        else:
            rows = snapshot.rows("fading_from", wall=self.wall, first=first) if first < self.size else []
        if old is None and rows:
            old = np.ones(first, np.float32)
        if old is not None and len(old) < self.size:
            old = np.append(old, np.ones(self.size - len(old), np.float32))
            for row in rows:
                old[row["num"]] = row["weight"]
        self._remaining, self._fading = old, fading

    def _append(self, snapshot: Snapshot, until: int) -> None:
        first = self.size
        self._reserve(until)
        place = first
        waiting: list[Row] = []
        for chunk in snapshot.stream("documents_from", wall=self.wall, first=first, until=until):
            rows = waiting + chunk
            last = rows[-1]["num"]
            waiting = [row for row in rows if row["num"] == last]  # its later revisions may be in the next chunk
            place = self._take([row for row in rows if row["num"] != last], place)
        place = self._take(waiting, place)
        assert place == until, f"wall {self.wall} has {place} of {until} documents"
        self._join_neighbours(first, until)
        for row in snapshot.rows("segments_from", wall=self.wall, first=first):
            self._take_segment(row, first)
        self.size = until

    def _take(self, rows: Sequence[Row], place: int) -> int:
        rows = _last_of_each(rows)
        if rows:
            for name, values in self._read(rows).items():
                self._buffers[name][place : place + len(rows)] = values
            self._stretch(rows, place)
            self.dead += sum(row["erased_by"] is not None for row in rows)
        return place + len(rows)

    def _read(self, rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
        count = len(rows)
        kinds, sessions, agents, speakers = self.kinds, self.sessions, self.agents, self.speakers
        lists = {
            "kind": [kinds[row["kind"]] for row in rows],
            "stamp_session": [-1 if row["session"] is None else sessions[row["session"]] for row in rows],
            "stamp_agent": [-1 if row["agent"] is None else agents[row["agent"]] for row in rows],
            "speaker": [speakers[_voice(row)] for row in rows],
            "time": [row["time"] for row in rows],
            "turn": [row["num"] - (row["part"] or 0) if row["role"] != "document" else row["num"] for row in rows],
        }
        return {name: np.fromiter(values, _COLUMNS[name], count) for name, values in lists.items()} | _states(rows)

    def _stretch(self, rows: Sequence[Row], place: int) -> None:
        """The stretch of talk that each document stands in: its session; without one, what follows within the gap."""
        codes: list[int] = []
        stretches = self._stretches
        for number, row in enumerate(rows, place):
            if row["kind"] != "episode":
                codes.append(stretches["alone", number])
            elif row["session"] is not None:
                codes.append(stretches["session", row["session"], row["agent"]])
            else:
                agent = -1 if row["agent"] is None else self.agents[row["agent"]]
                loose = self._loose
                if loose is None or loose[2] != agent or abs(row["time"] - loose[1]) > GAP:
                    loose = (stretches["loose", number], row["time"], agent)
                self._loose = (loose[0], row["time"], agent)
                codes.append(loose[0])
        self._buffers["session"][place : place + len(codes)] = codes

    def _join_neighbours(self, first: int, until: int) -> None:
        """Set previous and following of new documents, and following of those that they come after."""
        session = self._buffers["session"]
        previous, following = self._buffers["previous"], self._buffers["following"].copy()
        following[first:until] = -1
        for number, code in enumerate(session[first:until].tolist(), first):
            before = self._last.get(code, -1)
            previous[number] = before
            if before >= 0:
                following[before] = number
            self._last[code] = number
        self._buffers["following"] = following

    def _take_segment(self, row: Row, first: int) -> None:
        """Take over a stored segment, whose documents from `first` on are new, in place of those merged into it."""
        segment = segment_of(row)
        while self.segments and self.segments[-1].first >= segment.first:
            self.segments.pop()
        begin, end = max(first, segment.first), segment.first + segment.size
        embedder = self._embedder
        if embedder is not None and row["space"] is not None and row["space"] == space_of(embedder):
            if self._vectors is None:
                self._vectors = np.zeros((len(self._buffers["row"]), embedder.dims), np.float32)
            if segment.vectors is not None:  # there are none where all is erased
                self._vectors[begin:end] = segment.vectors[begin - segment.first :]
        elif embedder is not None:
            self.foreign += end - begin
        self._buffers["lengths"][begin:end] = segment.lengths[begin - segment.first :]
        self.segments.append(replace(segment, vectors=None))

    def _reserve(self, until: int) -> None:
        room = len(self._buffers["row"])
        if until <= room:
            return
        room = max(until, self.size + self.size // 4 + 64)
        for name, old in self._buffers.items():
            self._buffers[name] = np.empty(room, old.dtype)
            self._buffers[name][: self.size] = old[: self.size]
        if self._vectors is not None:
            grown = np.zeros((room, self._vectors.shape[1]), np.float32)
            grown[: self.size] = self._vectors[: self.size]
            self._vectors = grown

    # -- handing out

    def _built(self) -> Frame:
        size, old = self.size, self.frame
        columns = {name: buffer[:size] for name, buffer in self._buffers.items()}
        vectors = None if self._vectors is None or self.foreign else self._vectors[:size]
        if old is not None and old.size == size:
            layout, norms = old.layout, old.norms
        else:
            layout = rank.layout(
                columns["lengths"], columns["previous"], columns["following"], columns["session"], self.dead
            )
            known = old.norms if old is not None else None
            norms = None if vectors is None else rank.norms(vectors, layout, known=known)
        tokens = sum(int(segment.token_counts.sum()) for segment in self.segments)
        remaining = _without_requests(self._remaining, columns["kind"], self.kinds)
        part = Part(self.wall, 0, size, tuple(self.segments), vectors, tokens)
        speakers = tuple(rank.Speaker(name, role) for name, role in self.speakers)
        by_word = _by_word(speakers, old)
        return Frame(
            columns,
            layout,
            norms,
            (part,),
            speakers,
            by_word,
            _by_start(by_word, old),
            old.parties if old is not None and len(old.speakers) == len(speakers) else _parties(speakers),
            self.kinds,
            self.sessions,
            self.agents,
            self.foreign,
            _quiet_until(columns, remaining),
            remaining,
        )


def _by_word(speakers: Sequence[rank.Speaker], old: Frame | None) -> Mapping[str, tuple[int, ...]]:
    """Speakers by the words of their names; under '' those whose names may stand in a question in another form."""
    known = len(old.speakers) if old is not None else 0
    if old is not None and known == len(speakers):
        return old.by_word
    found = dict(old.by_word) if old is not None else {}
    for code in range(known, len(speakers)):
        name = speakers[code].name
        words = set(text.words(name)) if name.isascii() and name else {""}
        for word in words:
            found[word] = (*found.get(word, ()), code)
    return found


def _by_start(by_word: Mapping[str, tuple[int, ...]], old: Frame | None) -> Mapping[str, tuple[str, ...]]:
    """The words of names that may be misspelt, by their first letters."""
    if old is not None and old.by_word is by_word:
        return old.by_start
    found = dict(old.by_start) if old is not None else {}
    for word in by_word:
        if editable(word) and not (old is not None and word in old.by_word):
            found[word[:KEPT]] = (*found.get(word[:KEPT], ()), word)
    return found


def _parties(speakers: Sequence[rank.Speaker]) -> tuple[int, ...]:
    if not any(one.role == "assistant" for one in speakers):
        return ()
    return tuple(code for code, one in enumerate(speakers) if one.role in ("user", "assistant"))


def _last_of_each(rows: Sequence[Row]) -> list[Row]:
    """The last row of each document number, of rows ordered by number."""
    if not rows:
        return []
    return [*(row for row, after in pairwise(rows) if row["num"] != after["num"]), rows[-1]]


def _voice(row: Row) -> tuple[str, str]:
    """Whose name in a question speaks for a document: its speaker's; a derived record's subject."""
    if row["kind"] == "episode":
        return row["speaker"] or "", row["role"] or ""
    if is_view(row):
        return "", ""
    return row["subject"] or "", rank.SUBJECT


def _states(rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
    """What of a document can change from revision to revision."""
    lists = {
        "row": [row["row"] for row in rows],
        "begins": [row["time"] if row["valid_from"] is None else row["valid_from"] for row in rows],
        "ends": [FOREVER if row["valid_to"] is None else row["valid_to"] for row in rows],
        "expires": [FOREVER if row["expires_at"] is None else row["expires_at"] for row in rows],
        "flags": [
            (OPEN if row["retired_at"] is None else 0)
            | (QUARANTINED if row["quarantined"] else 0)
            | (SUPERSEDED if row["superseded_by"] is not None else 0)
            | (EVENT if row["kind"] == "event" else 0)
            | (PINNED if row["pinned"] else 0)
            | (DERIVED if row["derivation"] is not None else 0)
            | (VIEW if is_view(row) else 0)
            | (GONE if row["gone"] else 0)
            for row in rows
        ],
    }
    return {name: np.fromiter(values, _COLUMNS[name], len(rows)) for name, values in lists.items()}


def _without_requests(
    remaining: NDArray[np.float32] | None, kind: NDArray[Any], kinds: Mapping[str, int]
) -> NDArray[np.float32] | None:
    """How much is left of documents, where nothing is of those that say what is to be forgotten."""
    asked = kind == kinds[FORGET] if FORGET in kinds else None
    if asked is None or not asked.any():
        return remaining
    return np.where(asked, np.float32(0.0), np.float32(1.0) if remaining is None else remaining)


def _quiet_until(columns: Mapping[str, NDArray[Any]], remaining: NDArray[np.float32] | None) -> int:
    if (columns["flags"] & ~(EVENT | PINNED | DERIVED | VIEW) != OPEN).any():
        return 0
    if remaining is not None and not remaining.all():
        return 0
    return min(int(columns["ends"].min(initial=FOREVER)), int(columns["expires"].min(initial=FOREVER)))


class FrameCache:
    """The frames in use, by walls; the least recently used go when they hold more than `limit` bytes together."""

    def __init__(self, embedder: Embedder | None, limit: int, on_erasure: Callable[[], None]) -> None:
        self.embedder = embedder
        self._on_erasure = on_erasure
        self.lock = threading.RLock()
        """To be held while a snapshot is taken and frames are brought up to it."""
        self._limit = limit
        self._walls: OrderedDict[int, _WallCache] = OrderedDict()
        self._held = 0  # bytes of all of them
        self._joined: OrderedDict[tuple[int, ...], tuple[tuple[Frame, ...], Frame]] = OrderedDict()
        watch(self, CACHES)

    def use(self, embedder: Embedder | None) -> None:
        """Go on with another embedder."""
        with self.lock:
            self.forget()
            self.embedder = embedder

    def rest(self) -> None:
        """Let no thread be in the middle of a frame. See `forks`."""
        self.lock.acquire()

    def go_on(self, *, child: bool) -> None:
        """Let threads in again."""
        self.lock.release()

    def frame(self, snapshot: Snapshot, walls: Mapping[int, Row]) -> Frame | None:
        """The frame of these walls at a snapshot; None where they hold no document."""
        rows = [row for row in walls.values() if row["size"]]
        if not rows:
            return None
        frames = tuple(self._followed(snapshot, row) for row in rows)
        self._make_room(keep={row["wall"] for row in rows})
        if len(frames) == 1:
            return frames[0]
        key = tuple(row["wall"] for row in rows)
        held = self._joined.pop(key, None)
        if held is None or any(one is not other for one, other in zip(held[0], frames, strict=True)):
            held = (frames, _join(frames))
        self._joined[key] = held
        while len(self._joined) > 64:
            self._joined.popitem(last=False)
        return held[1]

    def forget(self, walls: Iterable[int] | None = None) -> None:
        """Drop what is kept of these walls (of all)."""
        with self.lock:
            gone = set(self._walls) if walls is None else set(walls)
            for wall in gone:
                cache = self._walls.pop(wall, None)
                self._held -= cache.bytes if cache is not None else 0
            for key in [key for key in self._joined if gone.intersection(key)]:
                del self._joined[key]

    def _followed(self, snapshot: Snapshot, row: Row) -> Frame:
        cache = self._wall(row)
        before = cache.bytes
        try:
            frame = cache.follow(snapshot, row)
        except BaseException:
            self.forget([row["wall"]])  # it may have taken over a part
            raise
        self._held += cache.bytes - before
        return frame

    def _wall(self, row: Row) -> _WallCache:
        wall = row["wall"]
        cache = self._walls.get(wall)
        if cache is not None and cache.epoch != row["epoch"]:  # erased, or embedded anew, perhaps by another process
            self.forget([wall])
            self._on_erasure()
            cache = None
        if cache is None:
            cache = self._walls[wall] = _WallCache(wall, row["tenant"], row["epoch"], self.embedder)
        self._walls.move_to_end(wall)
        return cache

    def _make_room(self, keep: set[int]) -> None:
        if self._held <= self._limit:
            return
        for wall in [wall for wall in self._walls if wall not in keep]:
            self.forget([wall])
            if self._held <= self._limit:
                return


def _join(frames: Sequence[Frame]) -> Frame:
    """One frame of several walls'. Sessions, neighbours and counts stay within their walls; statistics add up."""
    sizes = np.cumsum([0, *(frame.size for frame in frames)])
    sessions = np.cumsum([0, *(frame.layout.sessions for frame in frames)])
    kinds, names, agents = _Codes(), _Codes(), _Codes()
    speakers: dict[rank.Speaker, int] = _Codes()
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
    for place, frame in enumerate(frames):
        recoded = {
            "kind": _recoded(frame.columns["kind"], frame.kinds, kinds),
            "stamp_session": _recoded(frame.columns["stamp_session"], frame.sessions, names),
            "stamp_agent": _recoded(frame.columns["stamp_agent"], frame.agents, agents),
            "speaker": _recoded(frame.columns["speaker"], frame.speakers, speakers),
            "session": frame.layout.session + sessions[place],
        }
        recoded["turn"] = frame.columns["turn"] + np.int32(sizes[place])
        for name in ("previous", "following"):
            values = frame.columns[name]
            recoded[name] = np.where(values >= 0, values + np.int32(sizes[place]), np.int32(-1))
        for name, collected in columns.items():
            collected.append(recoded.get(name, frame.columns[name]))
    joined = {name: np.concatenate(values).astype(_COLUMNS[name], copy=False) for name, values in columns.items()}
    dead = sum(frame.layout.dead for frame in frames)
    layout = rank.layout(joined["lengths"], joined["previous"], joined["following"], joined["session"], dead)
    norms = [frame.norms for frame in frames]
    everyone = tuple(speakers)
    by_word = _by_word(everyone, None)
    return Frame(
        joined,
        layout,
        rank.Norms(*(np.concatenate(values) for values in zip(*map(_arrays, norms), strict=True)))
        if all(norm is not None for norm in norms)
        else None,
        tuple(
            replace(part, offset=part.offset + int(size))
            for frame, size in zip(frames, sizes, strict=False)
            for part in frame.parts
        ),
        everyone,
        by_word,
        _by_start(by_word, None),
        _parties(everyone),
        kinds,
        names,
        agents,
        sum(frame.foreign for frame in frames),
        min(frame.quiet_until for frame in frames),
        None
        if all(frame.remaining is None for frame in frames)
        else np.concatenate(
            [np.ones(frame.size, np.float32) if frame.remaining is None else frame.remaining for frame in frames]
        ),
    )


def _arrays(norms: rank.Norms | None) -> tuple[NDArray[np.float32], ...]:
    assert norms is not None
    return norms.turn, norms.near, norms.wide, norms.session


def _recoded(values: NDArray[Any], old: Iterable[Any], new: dict[Any, int]) -> NDArray[np.int32]:
    table = np.array([*(new[name] for name in old), -1], np.int32)  # code -1 stays -1
    return table[values]
