"""Reading: one snapshot → the scope's frame → channels → combine → calibrate → cut → fetch the hits.

`recall` does all of it for `search` and `context`; `chosen` serves `list` and `timeline`, which order by time.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import combinations, pairwise
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mnemic import channels, fading, learn, lessons, newer, precise, question, rank, reading, text
from mnemic.changes import scope_code
from mnemic.denials import denied, gainsays
from mnemic.errors import InputError, ModelError
from mnemic.forks import READERS, watch
from mnemic.frame import DERIVED, EVENT, PINNED, Frame, FrameCache
from mnemic.looks import Looks
from mnemic.lookup import seen, wanted
from mnemic.models.wrap import is_token_embedder, scores_of, space_of
from mnemic.pack import Piece
from mnemic.ports import Embedder, Reranker
from mnemic.records import as_known, evidence_of, holds, is_view, loads, record_of, scope_of, state_of
from mnemic.scope import Reach
from mnemic.statements import folded
from mnemic.stores.sqlite import Fields, Row, Snapshot, SqliteStore
from mnemic.ticket import Ticket
from mnemic.times import moment
from mnemic.types import ANY, STATES, Evidence, Explanation, Hit, Record, Results, Signal, Word, trust
from mnemic.where import compile_where

_BOOKS = 64
"""Scopes whose names are kept."""
_TAUGHT = 4096
"""Scopes whose weights are kept, also where nothing was learned: some hundred bytes each."""

CALIBRATED = ("wordllama:",)
"""Embedding spaces whose relevances the shipped numbers were fitted for."""

RERANKED = 50
"""Documents, the best by our own score, that a reranker reads: whatever the limit, so that a limit only cuts."""


@dataclass(frozen=True, slots=True)
class View:
    """What a read looks at, checked: who asks, as of when, and what may come back."""

    reach: Reach
    now: int
    asked_at: datetime
    """When the question is asked, which is what "last week" counts from. Filters nothing."""
    as_of: int | None = None
    known_at: int | None = None
    include: frozenset[str] = frozenset()
    kinds: tuple[str, ...] | None = None
    where: Mapping[str, Any] | None = None


class Taught(NamedTuple):
    """The numbers that a user's feedback makes of the shipped ones, and how many acts of feedback they rest on."""

    numbers: rank.Fitted
    acts: int


Teaching = Callable[[rank.Fitted, str | None], Taught]
"""The user's own numbers out of the shipped ones, for an embedding space (None: for words alone)."""


def _as_shipped(numbers: rank.Fitted, space: str | None) -> Taught:
    return Taught(numbers, 0)


@dataclass(frozen=True, slots=True)
class Scene:
    """A snapshot with the walls and the frame that a view sees in it."""

    snapshot: Snapshot
    walls: Mapping[int, Row]
    frame: Frame | None
    allowed: NDArray[np.bool_]
    now: int
    """The present: never before the last change of the tenant, whatever the clock says."""
    looks: Looks = field(compare=False)
    taught: Teaching = field(default=_as_shipped, compare=False)
    judged: dict[tuple[str | int, ...], list[float] | ModelError] = field(
        default_factory=dict[tuple[str | int, ...], list[float] | ModelError], compare=False
    )
    """What a reranker has answered in this scene, by what it was asked: an explanation asks no second time."""
    pending: int = 0
    """Episodes behind the walls from which something has still to be derived."""


class Reader:
    """Opens scenes: the one place where a snapshot, its walls and the cached frames come together."""

    def __init__(self, store: SqliteStore, cache: FrameCache, *, derives: bool = True) -> None:
        self._store = store
        self._cache = cache
        self._derives = derives
        """Whether this memory derives anything, so that something can be pending."""
        self._looks = Looks()
        self._lock = threading.RLock()
        """Guards what follows. Taken inside scenes, so never the cache's: who holds that waits for a snapshot."""
        self._books: OrderedDict[tuple[int, ...], tuple[Frame | None, precise.Book]] = OrderedDict()
        self._taught: OrderedDict[tuple[Any, ...], _Learned] = OrderedDict()
        watch(self, READERS)

    def rest(self) -> None:
        """Let no thread be in the middle of what is kept here. See `forks`."""
        self._lock.acquire()

    def go_on(self, *, child: bool) -> None:
        """Let threads in again."""
        self._lock.release()

    def named(self, scene: Scene, view: View, query: str) -> tuple[list[precise.Found], int]:
        """The records in a scene that a question names, and how many have a name at all.

        The names are kept for the next question about the same walls.
        """
        if scene.frame is None:
            return [], 0
        derived = [code for kind, code in scene.frame.kinds.items() if kind != "episode"]
        rows: list[int] = scene.frame.columns["row"][np.isin(scene.frame.columns["kind"], derived)].tolist()
        key = tuple(scene.walls)
        with self._lock:
            known, book = self._books.pop(key, (None, precise.Book()))
            if view.known_at is not None:
                book = precise.Book()  # what an earlier instant held is not what the next question will want
            if known is not scene.frame or view.known_at is not None:
                missing = book.missing(rows)
                if missing:
                    book.keep(scene.snapshot.rows("names_by_row", rows=json.dumps(missing)))
            if view.known_at is None:
                self._books[key] = (scene.frame, book)
                while len(self._books) > _BOOKS:
                    self._books.popitem(last=False)
            return book.named_in(query), len(book)  # inside the lock: another thread may bring the book up to date

    def forget(self) -> None:
        """Drop the names kept: after an erasure none of them stays in memory."""
        with self._lock:
            self._books.clear()
            self._taught.clear()
        self._looks.forget()

    @contextmanager
    def scene(self, view: View) -> Generator[Scene]:
        """The scene of a view, for the length of a block."""
        with ExitStack() as stack:
            with self._cache.lock:  # so that no frame is ever newer than the snapshot that it serves
                snapshot = stack.enter_context(self._store.read())
                walls = seen(snapshot, view.reach)
                frame = self._cache.frame(snapshot, walls)
            head = snapshot.row("journal_head", tenant=view.reach.tenant)
            taught = _as_shipped
            if head is not None and len(view.reach.users) == 1:
                taught = partial(self._refitted, snapshot, walls, view, head["seq"])
            now = view.now if head is None else max(view.now, head["at"])
            scene = _scene(snapshot, walls, frame, view, now, self._looks, taught)
            pending = sum(row["pending"] for row in walls.values()) if self._derives else 0
            yield replace(scene, pending=pending) if pending else scene

    def _refitted(
        self,
        snapshot: Snapshot,
        walls: Mapping[int, Row],
        view: View,
        seq: int,
        numbers: rank.Fitted,
        space: str | None,
    ) -> Taught:
        """What the one user's own walls have learned from feedback.

        Kept until something else is written in the tenant: whatever changes an act of feedback is in its journal.
        """
        reach = view.reach
        own = tuple([number for number, row in walls.items() if row["user"]])
        key = (own, reach.agent, reach.session)
        known = self._taught.get(key) if view.known_at is None else None
        if known is None or known.seq != seq:
            acts = lessons.held(snapshot, own, reach, view.known_at)
            same = known is not None and known.acts == acts
            known = _Learned(seq, acts, known.weights if known is not None and same else {})
            if view.known_at is None:
                with self._lock:
                    self._taught[key] = known
                    self._taught.move_to_end(key)
                    while len(self._taught) > _TAUGHT:
                        self._taught.popitem(last=False)
        if len(known.acts) < learn.ENOUGH:
            return Taught(numbers, 0)
        if space not in known.weights:
            judged = lessons.read(snapshot, known.acts, space)
            enough = sum(one.tells for one in judged)
            known.weights[space] = learn.refit(judged, numbers.weights), enough if enough >= learn.ENOUGH else 0
        weights, acts = known.weights[space]
        return Taught(replace(numbers, weights=weights), acts) if acts else Taught(numbers, 0)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What was learned from the feedback in some walls."""

    seq: int
    """The last change of the tenant that is known of."""
    acts: tuple[int, ...]
    """Rows of the acts of feedback."""
    weights: dict[str | None, tuple[dict[str, float], int]]
    """By embedding space: the weights, and the acts that they rest on."""


def _scene(
    snapshot: Snapshot,
    walls: Mapping[int, Row],
    frame: Frame | None,
    view: View,
    now: int,
    looks: Looks,
    taught: Teaching,
) -> Scene:
    if view.known_at is not None:
        now = min(now, view.known_at)  # what has ended since had not ended then
    if frame is None:
        if view.where is not None:
            compile_where(view.where)  # a filter that cannot be read is an error in an empty scope, too
        return Scene(snapshot, walls, None, np.zeros(0, np.bool_), now, looks, taught)
    if view.known_at is not None:
        frame = frame.known_at(snapshot, view.known_at)
    allowed = frame.readable(view.reach, now=now, as_of=view.as_of, include=view.include, kinds=view.kinds)
    if view.where is not None:
        condition, values = compile_where(view.where)
        rows = snapshot.select(
            "SELECT row FROM records WHERE wall IN (SELECT value FROM json_each(:walls)) AND num IS NOT NULL "
            f"AND {condition}",
            {**values, "walls": json.dumps(list(walls))},
        )
        allowed &= np.isin(frame.columns["row"], [row["row"] for row in rows])
    return Scene(snapshot, walls, frame, allowed, now, looks, taught)


def included(include: Sequence[str] | str) -> frozenset[str]:
    """The states that a read includes beside current ones. Raises InputError."""
    given = cast("object", [include] if isinstance(include, str) else include)
    if not isinstance(given, Iterable) or not all(isinstance(name, str) for name in cast("Iterable[object]", given)):
        raise InputError(f"include={include!r} is not possible: any of {', '.join(STATES)}")
    names = frozenset(cast("Iterable[str]", given))
    unknown = names - set(STATES)
    if unknown:
        raise InputError(f"include={sorted(unknown)} is not known: any of {', '.join(STATES)}")
    return names


# -- search


def recall(
    scene: Scene,
    view: View,
    query: str,
    *,
    limit: int,
    threshold: float | None,
    embedder: Embedder | None,
    reranker: Reranker | None = None,
    fitted: rank.Numbers | None = None,
    exploration: int | None = None,
) -> Results:
    """The hits for a question, best first.

    A long turn is one hit, by its best passage; a document's passages are hits of their own. With a `reranker` the
    order is no longer that of the scores and relevances, which stay the first stage's; one that fails is left out, and
    a note says so. `exploration` is the seed by which neighbours may change places.
    """
    return _recalled(
        scene,
        view,
        query,
        limit=limit,
        threshold=threshold,
        embedder=embedder,
        reranker=reranker,
        fitted=fitted,
        exploration=exploration,
    )[0]


def _recalled(
    scene: Scene,
    view: View,
    query: str,
    *,
    limit: int,
    threshold: float | None,
    embedder: Embedder | None,
    reranker: Reranker | None,
    fitted: rank.Numbers | None,
    whole_turns: bool = True,
    sure_of: int | None = None,
    exploration: int | None = None,
) -> tuple[Results, Mapping[str, int]]:
    """The hits, and the place of each in the frame. The confidence is about the first `sure_of` of them (None: all);
    without `whole_turns` each passage of a long turn is a hit."""
    scene = _of_what_was_said(scene, view)
    considered = int(np.count_nonzero(scene.allowed))
    space = space_of(embedder)
    if scene.frame is None or not considered:
        nothing = _nothing_in_scope(scene, view)
        nobody = Results(_ticket(scene, view, query).id, query, (), considered, None, None, threshold, space, nothing)
        return replace(nobody, pending=scene.pending), {}
    ranked, notes = _ranked(scene, scene.frame, view, query, embedder, fitted)
    derived = any(kind != "episode" for kind in scene.frame.kinds)
    spare = limit // 2 + 8 if derived else 0  # a fact and the episode that it repeats will be one hit
    of_now = view.as_of is None and question.asks_of_now(query)
    shown = max(limit + spare, _COMPARED if of_now else 0)
    looked_at = shown if reranker is None else max(shown, RERANKED)
    order = rank.order(ranked.scores, max(looked_at, rank.RIVALS), ranked.among)
    places = order[:looked_at]
    if whole_turns:
        places = _turns(scene.frame, ranked.scores, order, looked_at, ranked.among)
    relevances = ranked.relevances(places, space, order)
    best = float(relevances[0]) if relevances is not None and len(relevances) else None
    if threshold is not None and relevances is None:
        raise InputError(
            f"threshold={threshold} needs calibrated relevances, and there are none for the embedder '{space}': "
            "leave it out, or use the default embedder"
        )
    judged: dict[int, float] = {}
    if reranker is not None and (threshold is None or best is None or best >= threshold):
        judged = _judged(scene, view, query, places[:RERANKED], reranker, notes)
        at = rank.reranked(np.arange(len(places)), np.array([*judged.values()]), np.arange(len(judged)))
        places, relevances = places[at], None if relevances is None else relevances[at]
    if threshold is not None and relevances is not None:
        places, relevances = places[relevances >= threshold], relevances[relevances >= threshold]
        if not len(places):
            notes.append(
                f"nothing reached the threshold {threshold:.2f}; the best of {considered} records had {best:.2f}. "
                "Ask in other words, lower the threshold, or take it as not known"
            )
    places, relevances = places[:shown], None if relevances is None else relevances[:shown]
    confidence = None
    if relevances is not None:
        sure = ranked.of_said(places)[: sure_of or limit]
        confidence = _confidence(scene, scene.frame, query, ranked, sure, order, embedder)
    rows = _fetch(scene, view, places)
    resting = _resting(scene, view, rows)
    hits = _hits(scene, view, rows, places, ranked.scores, relevances, ranked.signals, judged, resting)
    asked, terms = _asked(query, ranked, considered, people=talk_of(scene.frame, order[: reading.READ]) == "people")
    where = {row["id"]: place for row, place in zip(rows, places.tolist(), strict=True)}
    if of_now:
        first = hits[:_COMPARED]  # as many whatever the limit, which only cuts
        hits = [*_newest_first(asked, _lines(first, terms, where), first), *hits[_COMPARED:]]
    if view.kinds is None:
        hits, facts = _told(scene, view, _without_echoes(hits), resting)
        rows += facts
    if view.as_of is None and any(hit.kind not in _STANDING for hit in hits[:_COMPARED]):
        first = hits[:_COMPARED]
        hits = [*_questioned(asked, _lines(first, terms, where), first), *hits[_COMPARED:]]
    hits = hits[:limit]
    if whole_turns and len(hits) > 2 and question.asks_if_ever(query):
        hits, rows = _with_other_side(scene, view, ranked, asked, hits, rows)
    hits = _gainsaid(hits)
    documents = _documents(scene, rows)
    if exploration is not None and len(hits) > 1:
        ticket, hits = _explored(_ticket(scene, view, query), hits, documents, exploration)
    else:
        ticket = _ticket(scene, view, query, hits, documents)
    told = (threshold, space, tuple(notes), scene.pending)
    found = Results(ticket.id, query, tuple(hits), considered, best, confidence, *told)
    return found, {row["id"]: place for row, place in zip(rows, places.tolist(), strict=False)}


def _confidence(
    scene: Scene,
    frame: Frame,
    query: str,
    ranked: Ranked,
    places: rank.Ints,
    order: rank.Ints,
    embedder: Embedder | None,
) -> float:
    """The probability that the evidence is among the hits at these places; `order` is that of all documents."""
    facts = ranked.facts(order)
    if facts is None or not len(places):
        return 0.0
    least = reading.least(page_of(scene, frame, query, ranked, ranked.of_said(order)[:1], embedder))
    found = rank.found(ranked.scores[places], facts, ranked.hit, least, ranked.ahead)
    return rank.confidence(found, ranked.confidence)


_COMPARED = 20
"""Hits that are compared with each other for which is the newer of a matter."""


def _newest_first(asked: newer.Asked, lines: Sequence[newer.Line], hits: Sequence[Hit]) -> list[Hit]:
    """Where a question is about now: before a hit stands what its speaker said later of the same matter.

    It takes over the place, and the relevance with it.
    """
    order = newer.in_order(lines, asked)
    return [replace(hits[one], score=hits[at].score, relevance=hits[at].relevance) for at, one in enumerate(order)]


_STANDING = frozenset(["episode", "event", "instruction"])
"""Kinds of hits that stand whatever is said later: what was said and what happened, and an order until it is taken
back."""


def _questioned(asked: newer.Asked, lines: Sequence[newer.Line], hits: Sequence[Hit]) -> list[Hit]:
    """Mark derived hits whose matter an episode tells anew, one that they do not rest on."""
    episodes = [(hit, line) for hit, line in zip(hits, lines, strict=True) if hit.kind == "episode"]
    found: list[Hit] = []
    for hit, line in zip(hits, lines, strict=True):
        if hit.kind not in _STANDING and hit.state == "current":
            own = {piece.id for piece in hit.evidence}
            others = {id(other): episode.id for episode, other in episodes if episode.id not in own}
            by = newer.overtaken(line, (other for _, other in episodes if id(other) in others), asked)
            hit = hit if by is None else replace(hit, outdated_by=others[id(by)])
        found.append(hit)
    return found


def _asked(query: str, ranked: Ranked, living: int, *, people: bool) -> tuple[newer.Asked, dict[str, rank.Term]]:
    """A question as texts are compared for it, and its terms that the scope has."""
    terms = {
        one.term: term
        for term, one in zip(ranked.terms, ranked.asked.terms, strict=True)
        if one.weight == 1.0 and len(term.documents)
    }
    rarity = rank.idf(living, np.array([len(term.documents) for term in terms.values()]))
    return newer.Asked(query, newer.stems(query), tuple(rarity.tolist()), people), terms


def _lines(hits: Sequence[Hit], terms: Mapping[str, rank.Term], where: Mapping[str, int]) -> list[newer.Line]:
    """Hits as they are compared; a derived one counts for who said what it rests on, and when.

    One that came in an episode's place stands where that does.
    """
    stands = [next((where[id_] for id_ in (hit.id, *(e.id for e in hit.evidence)) if id_ in where), -1) for hit in hits]
    places = np.array(stands, np.intp)
    held = np.array([np.isin(places, term.documents) for term in terms.values()]).reshape(len(terms), len(hits))
    lines: list[newer.Line] = []
    for at, hit in enumerate(hits):
        said, by, time, place = hit.text, hit.speaker, hit.time, stands[at]
        holds = set(np.flatnonzero(held[:, at]).tolist())
        if hit.kind != "episode" and hit.evidence:
            last = max(hit.evidence, key=lambda piece: piece.time)
            said, by, time = newer.basis(said, last.text), last.speaker, last.time
            place = where.get(last.id, -1)
            words = frozenset(text.terms(said))
            holds |= {number for number, term in enumerate(terms) if term in words}
        lines.append(newer.Line(newer.told(said, time), by or "", (time, place), frozenset(holds), trust(hit.source)))
    return lines


def _of_what_was_said(scene: Scene, view: View) -> Scene:
    """The scene without what was derived, where all kinds are asked for: that stands or falls with what was said.

    What is derived from an episode shares its words, so both would compete for one place; `_told` lets the better one
    speak. At another time (`as_of`) it has a place of its own: what was said later may tell of it.
    """
    if scene.frame is None or view.kinds is not None:
        return scene
    columns = scene.frame.columns
    derived = _entities(scene.frame)
    if view.as_of is None:
        derived |= (columns["flags"] & (DERIVED | EVENT)) == (DERIVED | EVENT)
    return replace(scene, allowed=scene.allowed & ~derived) if derived.any() else scene


def _entities(frame: Frame) -> NDArray[np.bool_]:
    """Who or what derived statements are about: found where entities are asked for, or somebody by name."""
    return (frame.columns["kind"] == frame.kinds.get("entity", -1)) & ((frame.columns["flags"] & DERIVED) != 0)


def _documents(scene: Scene, rows: Sequence[Fields]) -> Documents:
    walls = {wall: number for number, wall in enumerate(scene.walls)}
    return {row["id"]: (walls[row["wall"]], row["num"]) for row in rows}


Documents = Mapping[str, tuple[int, int]]
"""Where the documents of hits stand, by id: which of the scene's walls, and the number in it."""


_OWN_WALLS = 4
"""Walls that a call naming one user and one project sees at most: its results alone can be given feedback."""


def _ticket(
    scene: Scene,
    view: View,
    query: str,
    hits: Sequence[Hit] = (),
    documents: Documents = MappingProxyType({}),
    by: str = "r",
) -> Ticket:
    """What the id of results says of how they were asked for, and of what was shown."""
    reach = view.reach
    return Ticket(
        query,
        code_of(reach),
        view.now,
        view.asked_at,
        tuple([documents[hit.id] for hit in hits]),
        tuple([row["size"] for row in scene.walls.values()]) if len(scene.walls) <= _OWN_WALLS else (),
        by,
        (),
        (),
        view.known_at,
        view.as_of,
        tuple(sorted(view.include)) if view.include else (),
        view.kinds,
        view.where,
        reach.agent,
        reach.session,
    )


@lru_cache(1024)
def code_of(reach: Reach) -> str:
    """A code of the walls that a reach names, which does not tell their names."""
    projects = ("*",) if reach.projects is ANY else tuple(sorted(reach.projects))
    return scope_code((reach.tenant, "projects", *projects, "users", *sorted(reach.users)))


def _explored(ticket: Ticket, hits: Sequence[Hit], documents: Documents, seed: int) -> tuple[Ticket, list[Hit]]:
    """Neighbours exchanged by chance, but for what is outdated and its successor."""
    bound = frozenset(place for place, (hit, after) in enumerate(pairwise(hits)) if after.outdated_by == hit.id)
    draw = learn.fair_pairs(len(hits), seed, ticket.id, bound)
    moved = [
        replace(hits[place], signals={**hits[place].signals, "propensity": propensity})
        for place, propensity in zip(draw.order, draw.propensity, strict=True)
    ]
    shown = tuple([documents[hit.id] for hit in moved])
    return replace(ticket, shown=shown, order=draw.order, bound=tuple(sorted(bound))), moved


def _judged(
    scene: Scene, view: View, query: str, places: rank.Ints, reranker: Reranker, notes: list[str]
) -> dict[int, float]:
    """What a reranker says of these documents, by place, in their order; nothing, and a note, where it fails.

    It reads a text as hits print it: with its speaker, who is often what a question is about.
    """
    asked = (query, *places.tolist())
    if asked not in scene.judged:
        rows = _fetch(scene, view, places)
        texts = [f"{row['speaker']}: {row['text']}" if row["speaker"] else row["text"] for row in rows]
        try:
            scene.judged[asked] = scores_of(reranker, query, texts).tolist()
        except ModelError as error:
            scene.judged[asked] = error
    answer = scene.judged[asked]
    if isinstance(answer, ModelError):
        notes.append(f"the reranker '{reranker.name}' failed, so the order is the one without it ({answer})")
        return {}
    return dict(zip(places.tolist(), answer, strict=True))


@dataclass(frozen=True, slots=True)
class Ranked:
    """Every document of a frame, scored."""

    asked: rank.Asked
    among: NDArray[np.bool_] | None
    """Those that may be returned; None: all."""
    words: rank.Lexical
    sense: rank.Dense | None
    features: Mapping[str, NDArray[np.float32]]
    numbers: rank.Fitted
    acts: int
    """Acts of feedback that the weights rest on; 0: they are the shipped ones."""
    terms: tuple[rank.Term, ...]
    """Where each term of the question stands."""
    by_name: NDArray[np.bool_] | None
    """Which documents' speakers the question names; None: none."""
    first: NDArray[np.float32]
    """Scores by the features alone."""
    ahead: float | None
    """`rank.lead_over_others`, of those whom the question names."""
    scores: NDArray[np.float32]
    """Those after the best have been read; the first ones where nothing is."""
    reading: rank.Reading | None = None
    """How they were read."""
    said: NDArray[np.bool_] | None = None
    """Those of `among` that were not derived, where others were."""

    def of_said(self, places: rank.Ints) -> rank.Ints:
        """Those of these documents that were not derived; all of them where all were."""
        if self.said is None or not (own := self.said[places]).any():
            return places
        return places[own]

    def facts(self, order: rank.Ints) -> rank.Facts | None:
        """How its documents stand among what was said: what was derived shares the words of its episode, and each would
        halve the other's share. None where there are no documents."""
        if self.said is None or not self.said.any():
            return rank.facts(self.words, self.sense, self.scores, self.among, order)
        best = order[self.said[order]]
        known = len(best) >= min(rank.RIVALS, int(np.count_nonzero(self.said)))
        return rank.facts(self.words, self.sense, self.scores, self.among, best if known else None, self.said)

    faded: NDArray[np.float32] | None = None
    """What fading has taken from their scores."""

    @property
    def hit(self) -> rank.Calibration:
        return self.numbers.hit if self.reading is None else self.reading.hit

    @property
    def confidence(self) -> rank.Confidence:
        return self.numbers.confidence if self.reading is None else self.reading.confidence

    @property
    def signals(self) -> Mapping[str, NDArray[np.float32]]:
        """The features, and what reading and fading have changed."""
        found = dict(self.features)
        if self.reading is not None:
            found["reading"] = self.scores - self.first - (0.0 if self.faded is None else self.faded)
        if self.faded is not None:
            found["fading"] = self.faded
        return found

    def relevances(self, places: rank.Ints, space: str | None, order: rank.Ints) -> NDArray[np.float64] | None:
        """The probability of each of these documents to be evidence; None where nothing is calibrated."""
        facts = self.facts(order)
        if facts is None or not (self.sense is None or (space or "").startswith(CALIBRATED)):
            return None
        return rank.relevance(self.scores[places], facts, self.hit)


def _ranked(
    scene: Scene,
    frame: Frame,
    view: View,
    query: str,
    embedder: Embedder | None,
    fitted: rank.Numbers | None,
) -> tuple[Ranked, list[str]]:
    """The documents of a scene scored for a question, the best of them read, and what the caller should know of how."""
    ranked, notes = ranked_first(scene, frame, view, query, embedder, fitted)
    ranked = _read(scene, frame, query, ranked, embedder)
    if frame.remaining is not None:
        faded = rank.faded(frame.remaining)
        ranked = replace(ranked, scores=ranked.scores + faded, faded=faded)
    return ranked, notes


def ranked_first(
    scene: Scene,
    frame: Frame,
    view: View,
    query: str,
    embedder: Embedder | None,
    fitted: rank.Numbers | None,
) -> tuple[Ranked, list[str]]:
    """The documents of a scene scored for a question by what the index knows of them."""
    notes: list[str] = []
    asked, by_speaker, by_name = channels.understand(query, frame, embedder)
    vector = _vector(asked, frame, embedder, notes)
    among = None if scene.allowed.all() else scene.allowed
    terms = frame.terms(asked.terms, among)
    words = channels.lexical(asked, frame, among, terms)
    sense = channels.dense(vector, frame, among)
    features = rank.features(
        words,
        sense,
        frame.layout,
        speaker=by_speaker,
        time=channels.time(query, frame, view.asked_at),
        allowed=among,
    )
    numbers = rank.fitted(dense=sense is not None) if fitted is None else fitted[sense is not None]
    numbers = replace(numbers, weights={**rank.SECOND_ROUND, **numbers.weights})
    numbers, acts = scene.taught(numbers, None if sense is None else space_of(embedder))
    scores = rank.combine(features, numbers.weights)
    more = _second_round(scene, view, frame, query, asked, scores, among)
    if more:
        features |= more
        scores = rank.combine(features, numbers.weights)
    said_by = np.float32(rank.shares(features, numbers.weights).get("speaker", 0.0))
    ahead = None
    if by_name is not None and asked.hears:
        ahead = rank.lead_over_others(scores - said_by * features["speaker"], by_name, among)
    ranked = Ranked(
        asked,
        among,
        words,
        sense,
        features,
        numbers,
        acts,
        tuple(terms),
        by_name,
        first=scores,
        ahead=ahead,
        scores=scores,
        said=_not_derived(frame, among),
    )
    return ranked, notes


def _not_derived(frame: Frame, among: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """The documents that nothing derived; None where that is all of them."""
    said = (frame.columns["flags"] & DERIVED) == 0
    if said.all():
        return None
    return said if among is None else said & among


def _read(scene: Scene, frame: Frame, query: str, ranked: Ranked, embedder: Embedder | None) -> Ranked:
    """The ranking after its best documents have been read, where a network has been fitted for such a talk."""
    known = ranked.numbers.reading
    if not known or not (ranked.sense is None or (space_of(embedder) or "").startswith(CALIBRATED)):
        return ranked
    places = rank.order(ranked.first, reading.READ, ranked.among)
    how = known.get(talk_of(frame, places) or "") if len(places) >= reading.LEAST else None
    if how is None:
        return ranked
    found = reading.seen(page_of(scene, frame, query, ranked, places, embedder))
    found |= reading.standing(ranked.first, places, frame.layout, ranked.among)
    return replace(ranked, scores=reading.reread(ranked.first, places, how.net, found), reading=how)


def talk_of(frame: Frame, places: rank.Ints) -> reading.Talk | None:
    """The kind of talk that these documents are of; what was derived from it does not tell."""
    episodes = places[frame.columns["kind"][places] == frame.kinds.get("episode", -1)]
    codes: list[int] = frame.columns["speaker"][episodes].tolist()
    speakers = [frame.speakers[code] for code in codes]
    roles, names = [speaker.role for speaker in speakers], [speaker.name for speaker in speakers]
    return reading.talk_of(roles, names, frame.layout.lengths[episodes])


def page_of(
    scene: Scene, frame: Frame, query: str, ranked: Ranked, places: rank.Ints, embedder: Embedder | None
) -> reading.Page:
    """What is to be read of these documents, and all that is known of them so far."""
    size, among = frame.size, ranked.among
    before = frame.layout.around[0][0][places]
    readable = np.append(np.ones(size, np.bool_) if among is None else among, False)
    before = np.where(readable[before], before, size)
    rows = np.append(frame.columns["row"], -1)
    of_places: list[int] = rows[places].tolist()
    of_before: list[int] = rows[before].tolist()
    known = scene.looks.of(scene.snapshot, [row for row in dict.fromkeys([*of_places, *of_before]) if row >= 0])
    looks, previous = [known[row] for row in of_places], [known.get(row, reading.NOTHING) for row in of_before]
    speakers: list[int] = frame.columns["speaker"][places].tolist()
    speaking = [frame.speakers[code].role == "assistant" for code in speakers]
    return reading.Page(
        question=query,
        places=places,
        layout=frame.layout,
        among=among,
        signals=ranked.features,
        words=ranked.words,
        terms=[term for term, asked in zip(ranked.terms, ranked.asked.terms, strict=True) if asked.weight == 1.0],
        speakers=frame.columns["speaker"],
        named=ranked.by_name,
        names=int(np.count_nonzero(ranked.asked.named)),
        assistant=np.array(speaking, np.bool_),
        looks=looks,
        before=previous,
        vectors=None if ranked.sense is None else _vectors(scene, frame, ranked, looks, previous, embedder),
    )


def _vectors(
    scene: Scene,
    frame: Frame,
    ranked: Ranked,
    looks: Sequence[reading.Look],
    before: Sequence[reading.Look],
    embedder: Embedder | None,
) -> reading.Words | None:
    asked, focus = reading.said_in(ranked.asked.about), reading.focus(ranked.asked.about)
    if embedder is None or not is_token_embedder(embedder) or not asked:
        return None
    texts = [word for one in (*looks, *before) for word in one.words]
    vectors = scene.looks.vectors([*asked, *focus, *texts], embedder)
    first, second = len(asked), len(asked) + len(focus)
    rarity = channels.rarity(asked, frame, ranked.among)
    return reading.Words(vectors[:first], rarity, vectors[first:second] if focus else None, vectors[second:])


def signals_of(
    scene: Scene,
    view: View,
    query: str,
    documents: Sequence[tuple[int, int]],
    sizes: Mapping[int, int],
    *,
    embedder: Embedder | None,
    fitted: rank.Numbers | None,
) -> tuple[dict[str, list[float]], str | None]:
    """The features of documents that a question has been answered with, each (wall, number in it), four digits each.

    And the embedding space of those that come from vectors (None: there are none). The documents count as readable,
    whatever the view says: they were read. Of others those count that had come when the walls had these `sizes`.
    """
    assert scene.frame is not None
    offset = {part.wall: part.offset for part in scene.frame.parts}
    places = np.array([offset[wall] + number for wall, number in documents], np.intp)
    allowed = scene.allowed.copy()
    for part in scene.frame.parts:
        allowed[part.offset + sizes.get(part.wall, part.size) : part.offset + part.size] = False
    allowed[places] = True
    plain = replace(scene, allowed=allowed, taught=_as_shipped)  # what is kept is the same whatever was learned
    ranked, _ = ranked_first(plain, scene.frame, view, query, embedder, fitted)
    found = {name: [round(value, 4) for value in values[places].tolist()] for name, values in ranked.features.items()}
    return found, None if ranked.sense is None else space_of(embedder)


def _second_round(
    scene: Scene,
    view: View,
    frame: Frame,
    query: str,
    asked: rank.Asked,
    scores: NDArray[np.float32],
    among: NDArray[np.bool_] | None,
) -> dict[str, NDArray[np.float32]]:
    """What is seen only from what a first round found, where the question is of the kind that needs it."""
    if question.is_talk(query):
        return channels.talk(scores, frame, among)
    seed = int(rank.order(scores, 1, among)[0])
    speaker = int(frame.columns["speaker"][seed])
    written = 0 <= speaker < len(frame.speakers) and frame.speakers[speaker].role == "document"
    if not written and not channels.is_chained(query, asked):
        return {}
    # What is named in one passage of a text is known in all of them: a turn's, or a document's.
    columns = frame.columns
    of_text = columns["turn"].astype(np.intp)
    if written:
        stamped = columns["stamp_session"] >= 0
        of_text[stamped] = frame.size + columns["session"][stamped]
    text_of = np.unique(of_text, return_inverse=True)[1]
    passages = np.flatnonzero((text_of == text_of[seed]) & scene.allowed)
    words = "\n".join(row["text"] or "" for row in _fetch(scene, view, passages[:_PASSAGES]))
    return channels.linked(asked, passages, words, frame, among, text_of)


_PASSAGES = 20
"""Passages of a text whose names are looked up."""


def explained(
    scene: Scene,
    view: View,
    query: str,
    id_: str,
    results: Results,
    *,
    embedder: Embedder | None,
    reranker: Reranker | None = None,
    fitted: rank.Numbers | None = None,
) -> Explanation:
    """Why a record is or is not among `results`, which are those of this very scene. Raises NotFoundError."""
    (row,) = wanted(scene.snapshot, [id_], scene.walls, view.reach)
    text = row["text"] or ""
    none = Explanation(query, id_, text, None, results.considered, None, None, (), (), None)
    if scene.frame is None or row["num"] is None:
        return replace(none, cut="it has no text in the index")
    frame = scene.frame
    place = next(part.offset for part in frame.parts if part.wall == row["wall"]) + row["num"]
    if not scene.allowed[place]:
        return replace(none, cut=_left_out(row, scene, view))
    ranked, notes = _ranked(scene, frame, view, query, embedder, fitted)
    among = scene.allowed
    weights = rank.shares(ranked.features, ranked.numbers.weights)
    signals = tuple(
        Signal(
            name,
            float(values[place]),
            1 + int(np.count_nonzero(values[among] > values[place])),
            weights.get(name, 0.0),
            weights.get(name, 0.0) * float(values[place]),
        )
        for name, values in ranked.features.items()
    )
    score = float(ranked.scores[place])
    signals += tuple(_added(name, ranked, place) for name in ranked.signals if name not in ranked.features)
    order = rank.order(ranked.scores, frame.size, ranked.among)
    final = order
    if reranker is not None and len(results):
        judged = _judged(scene, view, query, _turns(frame, ranked.scores, order, RERANKED, among), reranker, notes)
        said = np.array([*judged.values()])
        final = rank.reranked(order, said, np.array([*judged], np.intp))
        if place in judged:  # its weight is 0: it moves places, and adds nothing to the score
            better = int(np.count_nonzero(said > judged[place]))
            signals += (Signal("reranker", judged[place], 1 + better, 0.0, 0.0),)
    at = 1 + int(np.flatnonzero(final == place)[0])
    relevances = ranked.relevances(np.array([place], np.intp), space_of(embedder), order)
    relevance = None if relevances is None else float(relevances[0])
    terms = zip(ranked.asked.terms, frame.terms(ranked.asked.terms, ranked.among), strict=True)
    words = tuple(
        Word(asked.term, asked.weight, len(found.documents), int(found.counts[found.documents == place].sum()))
        for asked, found in terms
        if len(found.documents)
    )
    if ranked.acts:
        notes.append(f"the weights are fitted to {_counted(ranked.acts, 'act')} of feedback")
    cut = None if any(hit.id == id_ for hit in results) else _cut(results, id_, frame, place, relevance, scene)
    return replace(
        none,
        rank=at,
        score=score,
        relevance=relevance,
        signals=signals,
        words=words,
        cut=cut,
        notes=tuple(notes),
        understood=channels.understood(query, frame, view.asked_at, embedder),
    )


def _added(name: str, ranked: Ranked, place: int) -> Signal:
    """What reading the best documents closely, or their fading, has added to a score or taken from it."""
    added = ranked.signals[name]
    among = np.ones(len(added), np.bool_) if ranked.among is None else ranked.among
    better = 1 + int(np.count_nonzero(added[among] > added[place]))
    return Signal(name, float(added[place]), better, 1.0, float(added[place]))


def _left_out(row: Fields, scene: Scene, view: View) -> str:
    """Why a read does not even consider a record that lies behind its walls."""
    state = state_of(row, scene.now, view.as_of)
    if state != "current" and state not in view.include:
        return f"it is {state}: include={state!r} would show it"
    if fading.FADED not in view.include and _is_cold(scene, row):
        return f"{fading.why(scene.snapshot, row, view.known_at)}: include='{fading.FADED}' would show it"
    if view.kinds is None and is_view(row):
        return f"it is a view of what others say: kinds={row['kind']!r} would show it"
    if view.kinds is not None and row["kind"] not in view.kinds:
        return f"it is of kind '{row['kind']}', and kinds={list(view.kinds)} was asked for"
    begins = row["time"] if row["kind"] == "event" or row["valid_from"] is None else row["valid_from"]
    if view.as_of is not None and begins > view.as_of:
        return f"it holds only from {moment(begins).isoformat()} on, after as_of"
    if view.known_at is not None and row["recorded_at"] > view.known_at:
        return f"the memory holds it as it is only since {moment(row['recorded_at']).isoformat()}, after known_at"
    return "it does not fit the filter in where"


def _cut(results: Results, id_: str, frame: Frame, place: int, relevance: float | None, scene: Scene) -> str:
    """Why a record that was scored is no hit."""
    if results.threshold is not None and (relevance or 0.0) < results.threshold:
        return f"its relevance {relevance or 0.0:.2f} is below the threshold {results.threshold:.2f}"
    repeating = next((hit for hit in results if any(piece.id == id_ for piece in hit.evidence)), None)
    if repeating is not None:
        return f"'{repeating.id}' says the same, rests on it, and stands for it"
    links = scene.snapshot.rows("links_from", ids=json.dumps([id_]), role="derived_from")
    said = next((hit for hit in results if any(link["target_id"] == hit.id for link in links)), None)
    if said is not None:
        return f"'{said.id}', which it rests on, says it in a better place"
    rows = scene.snapshot.rows("latest_of", ids=json.dumps([hit.id for hit in results]))
    offset = {part.wall: part.offset for part in frame.parts}
    turns = {int(frame.columns["turn"][offset[row["wall"]] + row["num"]]): row["id"] for row in rows}
    other = turns.get(int(frame.columns["turn"][place]))
    if other is not None:
        return f"'{other}' is a better passage of the same turn"
    return f"{_counted(len(results), 'better hit')} came before it: ask for a higher limit"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def recall_by_name(
    scene: Scene, view: View, query: str, found: Sequence[precise.Found], names: int, *, limit: int
) -> Results:
    """The records that the question names, and nothing else: by subject, by alias, then the newest."""
    considered = int(np.count_nonzero(scene.allowed))
    results = Results(_ticket(scene, view, query, by="n").id, query, (), considered, pending=scene.pending)
    if scene.frame is None or not considered:
        return replace(results, notes=_nothing_in_scope(scene, view))
    places = scene.frame.places_of([one.row for one in found])
    shown = [(one, place) for one, place in zip(found, places, strict=True) if scene.allowed[place]]
    if not shown:
        held = _counted(names, "record")
        return replace(results, notes=(f"the question names none of {held} with a name in this scope",))
    times = scene.frame.columns["time"]
    shown.sort(key=lambda one: (_NAMED[one[0].by][0], -int(times[one[1]]), -one[1]))
    chosen = np.array([place for _, place in shown[:limit]], np.intp)
    scores = np.zeros(scene.frame.size, np.float32)
    signals = {by: np.zeros(scene.frame.size, np.float32) for by in (*_NAMED, "edits")}
    for one, place in shown:
        scores[place] = _NAMED[one.by][1]
        signals[one.by][place] = 1.0
        signals["edits"][place] = one.edits
    rows = _fetch(scene, view, chosen)
    hits = _hits(scene, view, rows, chosen, scores, None, signals, {}, _resting(scene, view, rows))
    ticket = _ticket(scene, view, query, hits, _documents(scene, rows), by="n")
    return replace(results, id=ticket.id, hits=tuple(hits))


_NAMED = {"subject": (0, 1.0), "alias": (1, 0.5), "participant": (2, 0.25)}
"""The order of what is found by name, and the score that says so."""


def _turns(
    frame: Frame, scores: NDArray[np.float32], places: rank.Ints, limit: int, among: NDArray[np.bool_] | None
) -> rank.Ints:
    """The best document of each of the best `limit` turns, best first; `places` is the order as far as it is known."""
    turns, looked_at = frame.columns["turn"], len(places)
    while True:
        first = np.sort(np.unique(turns[places], return_index=True)[1])
        if len(first) >= limit or len(places) < looked_at:
            return places[first[:limit]]
        looked_at *= 4
        places = rank.order(scores, looked_at, among)


def _vector(asked: rank.Asked, frame: Frame, embedder: Embedder | None, notes: list[str]) -> NDArray[np.float32] | None:
    if embedder is None:
        notes.append("no embedder: words alone were used. Install wordllama, or pass Memory(embedder=…)")
        return None
    if frame.foreign:
        space = space_of(embedder) or "the embedder"
        notes.append(
            f"{frame.foreign} of {frame.size} documents have no vector of '{space}': words alone were used. "
            "rebuild() makes the vectors"
        )
        return None
    try:
        return channels.query_vector(asked.about, frame, embedder)
    except ModelError as error:
        notes.append(f"the embedder failed, so words alone were used ({error})")
        return None


def _nothing_in_scope(scene: Scene, view: View) -> tuple[str, ...]:
    held = 0 if scene.frame is None else scene.frame.size - scene.frame.layout.dead
    if not held:
        return (f"no records in this scope ({view.reach}): check user_id and project_id, or add something first",)
    return (
        f"0 of {held} records in this scope ({view.reach}) may be returned: "
        "check where, kinds, as_of, known_at and session_id, or include=('superseded', 'expired', 'retired', 'faded')",
    )


def _hits(
    scene: Scene,
    view: View,
    rows: Sequence[Fields],
    places: rank.Ints,
    scores: NDArray[np.float32],
    relevances: NDArray[np.float64] | None,
    features: Mapping[str, NDArray[np.float32]],
    judged: Mapping[int, float],
    resting: Resting,
) -> list[Hit]:
    assert scene.frame is not None
    evidence = _evidence(scene, view, rows)
    numbers: list[float | None] = [None] * len(rows) if relevances is None else [float(value) for value in relevances]
    names = list(features)
    signals = list(zip(*(features[name][places].tolist() for name in names), strict=True)) or [()] * len(rows)
    states = [_state(scene, view, row) for row in rows]
    hits = [
        _hit(
            scene,
            row,
            evidence.get(row["id"], ()),
            state,
            score=score,
            relevance=relevance,
            signals=dict(zip(names, signal, strict=True)) | ({} if said is None else {"reranker": said}),
        )
        for row, state, score, relevance, signal, said in zip(
            rows, states, scores[places].tolist(), numbers, signals, map(judged.get, places.tolist()), strict=True
        )
    ]
    if all(kind == "episode" for kind in scene.frame.kinds):
        return hits
    hits = _in_conflict(scene, view, _without_repeats(hits), resting)
    return _behind_successors(_outdated(scene, hits, resting)) if view.as_of is None else hits


def _is_cold(scene: Scene, row: Fields) -> bool:
    """Whether nothing is left of a document of the scene."""
    frame = scene.frame
    if frame is None or frame.remaining is None or row["num"] is None or row["wall"] not in scene.walls:
        return False
    at = next(part.offset for part in frame.parts if part.wall == row["wall"]) + row["num"]
    return not frame.remaining[at] > 0.0


def _state(scene: Scene, view: View, row: Fields) -> str:
    state = state_of(row, scene.now, view.as_of)
    return fading.FADED if state == "current" and _is_cold(scene, row) else state


def _evidence(scene: Scene, view: View, rows: Iterable[Fields]) -> dict[str, tuple[Evidence, ...]]:
    """What records rest on, without what is cold unless that is asked for."""
    found = evidence_of(scene.snapshot, rows, scene.walls, view.known_at)
    if scene.frame is None or scene.frame.remaining is None or fading.FADED in view.include:
        return found
    pieces = {piece.id for some in found.values() for piece in some}
    cold = fading.cold(scene.snapshot, pieces, view.known_at)
    return {id_: tuple([piece for piece in some if piece.id not in cold]) for id_, some in found.items()}


Resting = Mapping[str, Sequence[Fields]]
"""The records that rest on each episode, by its id, in the order in which they were linked; whatever their state."""


def _resting(scene: Scene, view: View, rows: Sequence[Fields]) -> Resting:
    """What rests on those of these records that are episodes."""
    assert scene.frame is not None
    if all(kind == "episode" for kind in scene.frame.kinds):
        return {}
    episodes = [row["id"] for row in rows if row["kind"] == "episode"]
    links = scene.snapshot.rows("links_to", ids=json.dumps(episodes), role="derived_from")
    links = [link for link in links if holds(link, view.known_at)]
    sources = sorted({link["source_id"] for link in links})
    latest = {row["id"]: row for row in _revisions(scene.snapshot, sources, view.known_at)}
    found: dict[str, list[Fields]] = {}
    for link in links:
        row = latest.get(link["source_id"])
        if row is not None and row["kind"] != "entity" and not is_view(row):  # they say nothing of their own
            found.setdefault(link["target_id"], []).append(row)
    return found


def _hit(
    scene: Scene,
    row: Fields,
    evidence: tuple[Evidence, ...],
    state: str,
    *,
    score: float = 0.0,
    relevance: float | None = None,
    signals: Mapping[str, float] = MappingProxyType({}),
) -> Hit:
    """A record as a hit."""
    return Hit(
        id=row["id"],
        kind=row["kind"],
        text=row["text"],
        score=score,
        relevance=relevance,
        time=moment(row["time"]),
        valid_from=None if row["valid_from"] is None else moment(row["valid_from"]),
        valid_to=None if row["valid_to"] is None else moment(row["valid_to"]),
        scope=scope_of(row, scene.walls[row["wall"]]),
        source=row["source"],
        speaker=row["speaker"] or row["role"],
        message_id=row["message_id"],
        metadata=loads(row["metadata"], {}),
        evidence=evidence,
        signals=signals,
        state=state,
        outdated_by=row["superseded_by"] if state == "superseded" else None,
        derivation=row["derivation"],
        subject=row["subject"],
    )


def _fetch(scene: Scene, view: View, places: rank.Ints) -> list[Fields]:
    assert scene.frame is not None
    numbers: list[int] = scene.frame.columns["row"][places].tolist()
    rows = {row["row"]: row for row in scene.snapshot.rows("records_by_row", rows=json.dumps(numbers))}
    return [as_known(rows[number], view.known_at) for number in numbers]


def _without_repeats(hits: list[Hit]) -> list[Hit]:
    """A fact and the episode that it only repeats are one hit: the fact, in the better place of the two."""
    said = {hit.id: folded(hit.text) for hit in hits if hit.kind == "episode"}
    facts: dict[str, Hit] = {}
    for hit in hits:
        for piece in hit.evidence if hit.kind != "episode" else ():
            if said.get(piece.id) == folded(hit.text):
                facts.setdefault(piece.id, hit)
    kept: list[Hit] = []
    placed: set[str] = set()
    for hit in hits:
        one = facts.get(hit.id, hit)
        if one.id not in placed:
            placed.add(one.id)
            kept.append(replace(one, score=hit.score, relevance=hit.relevance) if one is not hit else hit)
    return kept


def _without_echoes(hits: list[Hit]) -> list[Hit]:
    """Without what was derived from a better hit and adds no word to it, but for names and the day; and without an
    episode all of whose words are in a better hit that was derived from it."""
    said: dict[str, set[str]] = {}
    told: dict[str, list[set[str]]] = {}
    kept: list[Hit] = []
    for hit in hits:
        if hit.kind == "episode":
            words = set(reading.content(text.terms(hit.text))) - _TURNED
            if hit.outdated_by is None and any(words <= fact for fact in told.get(hit.id, ())):
                continue
            said[hit.id] = set(text.terms(f"{hit.speaker or ''} {hit.text}"))
        elif hit.derivation is not None and hit.state == "current":
            better = [said[piece.id] for piece in hit.evidence if piece.id in said]
            adds = set(reading.content(text.terms(_DATE.sub(" ", hit.text)))) if better else set[str]()
            if any(adds <= one for one in better):
                continue
            for piece in hit.evidence:
                told.setdefault(piece.id, []).append(set(text.terms(hit.text)))
        kept.append(hit)
    return kept


_TURNED = frozenset(("am", "are", "have", "we", "us", "our", "ours"))
"""Words that a statement turns into the third person, beside those that are fillers."""
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATE = re.compile(rf"\b(?:\d{{1,2}} )?(?:{_MONTHS})(?: \d{{4}})?\b|\b(?:19|20)\d\d\b")
"""A day, a month or a year, as a statement tells it: the episode's own time says the same."""

_MOST = 0.75
"""Of an episode's words, as many as a fact needs to only repeat it."""


def _repeats(fact: str, episode: str) -> bool:
    if folded(fact) == folded(episode):
        return True
    said = set(reading.content(text.terms(episode)))
    return len(said & set(text.terms(fact))) >= _MOST * len(said)


def _told(scene: Scene, view: View, hits: list[Hit], resting: Resting) -> tuple[list[Hit], list[Fields]]:
    """The hits, with what is derived from them in their place: and the rows of those records.

    A record that only repeats an episode stands for it; before an episode that is outdated stands what is so now.
    """
    shown = {hit.id for hit in hits}
    known = {row["id"]: row for rows in resting.values() for row in rows}
    successors = {hit.outdated_by for hit in hits if hit.outdated_by} - known.keys()
    known |= {row["id"]: row for row in _revisions(scene.snapshot, sorted(successors), view.known_at)}
    rows = {
        row["id"]: row
        for row in known.values()
        if row["id"] not in shown
        and row["wall"] in scene.walls
        and row["derivation"] is not None
        and view.reach.stamped(row["agent"], row["session"])
        and state_of(row, scene.now) == "current"
        and (fading.FADED in view.include or not _is_cold(scene, row))
    }
    if not rows:
        return hits, []
    evidence = _evidence(scene, view, rows.values())
    facts = {id_: _hit(scene, row, evidence.get(id_, ()), "current") for id_, row in rows.items()}
    found: list[Hit] = []
    for hit in hits:
        now = facts.get(hit.outdated_by or "")
        if now is not None and now.id not in shown:
            found.append(_in_place_of(hit, now))
            shown.add(now.id)
        says = [row["id"] for row in resting.get(hit.id, ()) if row["id"] in facts]
        told = [id_ for id_ in says if _repeats(facts[id_].text, hit.text)]
        if told and hit.outdated_by is None:
            if told[0] in shown:
                continue  # said twice
            found.append(_in_place_of(hit, facts[told[0]]))
            shown.add(told[0])
        else:
            found.append(hit)
    return found, [row for id_, row in rows.items() if id_ in shown]


def _in_place_of(hit: Hit, fact: Hit) -> Hit:
    return replace(
        fact, score=hit.score, relevance=hit.relevance, signals=hit.signals, conflicts=fact.conflicts or hit.conflicts
    )


_LASTING = frozenset(["act", "event"])
"""Kinds that say nothing of what is so now: what happened has happened."""


def _outdated(scene: Scene, hits: list[Hit], resting: Resting) -> list[Hit]:
    """Mark episodes whose only statements have been superseded."""
    found: list[Hit] = []
    for hit in hits:
        says = [
            row["superseded_by"]
            for row in resting.get(hit.id, ())
            if row["wall"] in scene.walls and row["retired_at"] is None and row["kind"] not in _LASTING
        ]
        gone = bool(says) and all(by is not None for by in says)
        found.append(replace(hit, outdated_by=says[-1]) if gone else hit)
    return found


def _in_conflict(scene: Scene, view: View, hits: list[Hit], resting: Resting) -> list[Hit]:
    """Mark hits which other current records contradict, by what they say or what rests on them."""
    saying = {hit.id: [hit.id, *(row["id"] for row in resting.get(hit.id, ()))] for hit in hits}
    every = sorted({id_ for ids in saying.values() for id_ in ids})
    against: dict[str, list[str]] = {}
    for link in scene.snapshot.rows("links_from", ids=json.dumps(every), role="contradicts"):
        if holds(link, view.known_at):
            against.setdefault(link["source_id"], []).append(link["target_id"])
    if not against:
        return hits
    named = sorted({*against, *(other for others in against.values() for other in others)})
    current = {
        row["id"]
        for row in _revisions(scene.snapshot, named, view.known_at)
        if row["wall"] in scene.walls and _state(scene, view, row) == "current"
    }
    found: list[Hit] = []
    for hit in hits:
        others = [other for id_ in saying[hit.id] if id_ in current for other in against.get(id_, ())]
        found.append(replace(hit, conflicts=tuple(dict.fromkeys(other for other in others if other in current))))
    return found


_READ_FOR_CONFLICTS = 20
"""Hits among which it is looked for two that cannot both be so."""


_SIDES = 80
"""Documents among which the other side of a contradiction is looked for."""


def _with_other_side(
    scene: Scene, view: View, ranked: Ranked, asked: newer.Asked, hits: list[Hit], rows: list[Fields]
) -> tuple[list[Hit], list[Fields]]:
    """The hits, and in the last one's place what gainsays one of them, where nothing among them does so as much.

    Asked whether something has ever happened, somebody has to see that it was told, and denied, too.
    """
    assert scene.frame is not None
    turns, held = scene.frame.columns["turn"], {row["row"] for row in rows}
    places = rank.order(ranked.scores, _SIDES, ranked.among)
    shown = {int(turns[place]) for place in places if int(scene.frame.columns["row"][place]) in held}
    rest = np.array([place for place in places.tolist() if int(turns[place]) not in shown], np.intp)
    fetched = _fetch(scene, view, rest)
    others = _hits(scene, view, fetched, rest, ranked.scores, None, {}, {}, {})
    least = max((_gainsay(one, other, asked) for one, other in combinations(hits, 2)), default=0.0)
    found: tuple[float, Hit, Hit] | None = None
    for other in others:
        for hit in hits if other.kind == "episode" else ():
            sure = _gainsay(hit, other, asked)
            if sure > (least if found is None else found[0]):
                found = sure, hit, other
    if found is None:
        return hits, rows
    _, partner, other = found
    last = hits[-1] if hits[-1].id != partner.id else hits[-2]
    kept = [hit for hit in hits if hit.id != last.id]
    return [*kept, other], [*rows, *(row for row in fetched if row["id"] == other.id)]


def _gainsay(one: Hit, other: Hit, asked: newer.Asked) -> float:
    """How far one of two hits of one speaker denies what the other one tells, of a matter that was asked about."""
    if one.speaker != other.speaker or one.speaker == "assistant":
        return 0.0
    sides = ((denied(one.text), other.text), (denied(other.text), one.text))
    return max(gainsays([denial for denial in denials if denial & asked.stems], said) for denials, said in sides)


def _gainsaid(hits: list[Hit]) -> list[Hit]:
    """Mark hits in which somebody says never to have done what the same one tells of in another hit."""
    shown = hits[:_READ_FOR_CONFLICTS]
    against: dict[str, list[str]] = {}
    for hit in shown:
        denials = denied(hit.text)
        for other in shown if denials else ():
            if _gainsays(hit, denials, other):
                against.setdefault(hit.id, []).append(other.id)
                against.setdefault(other.id, []).append(hit.id)
    return [
        replace(hit, conflicts=tuple(dict.fromkeys([*hit.conflicts, *against[hit.id]]))) if hit.id in against else hit
        for hit in hits
    ]


def _gainsays(hit: Hit, denials: Sequence[frozenset[str]], other: Hit) -> bool:
    """Whether a hit says what another one, of the same speaker, denies; what an assistant says counts for nobody."""
    if other.id == hit.id or hit.speaker != other.speaker or hit.speaker == "assistant":
        return False
    return gainsays(denials, other.text) > 0.0


def _behind_successors(hits: list[Hit]) -> list[Hit]:
    """Each outdated hit stands behind its successor's; the successor moves up to its place, with its relevance."""
    ordered = list(hits)
    for outdated in hits:
        places = {hit.id: place for place, hit in enumerate(ordered)}
        at, after = places[outdated.id], places.get(outdated.outdated_by or "", -1)
        if at < after:
            successor, before = ordered.pop(after), ordered[at]
            relevance = _higher(successor.relevance, before.relevance)
            ordered.insert(at, replace(successor, score=before.score, relevance=relevance))
    return ordered


def _revisions(snapshot: Snapshot, ids: Sequence[str], known_at: int | None) -> Iterator[Fields]:
    """The latest revision of each record, or the one that was held at an instant."""
    if known_at is None:
        yield from snapshot.rows("latest_of", ids=json.dumps(ids))
        return
    for id_ in ids:
        row = snapshot.row("revision_known_at", id=id_, at=known_at)
        if row is not None and row["erased_by"] is None:
            yield as_known(row, known_at)


def _higher(one: float | None, other: float | None) -> float | None:
    return other if one is None or (other is not None and other > one) else one


# -- for a prompt

CONTEXT_HITS = 200
"""Hits that a context is packed from, whatever its budget: else their order could depend on it."""
SURE_OF = 10
"""Hits that the confidence of a context is about: as many as it was fitted for."""
OPEN_QUESTION = "question"
"""The kind of a record that is a question still open."""

_SHORT = 12
"""Words up to which a turn may need the question that it answers to be understood."""
_QUESTION = re.compile(r"[^.!?\n]*\?\s*$")
_LONGEST_QUESTION = 25


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a context is packed from."""

    results: Results
    pieces: tuple[Piece, ...]
    """The hits, best first, without what the sections hold whatever is asked."""
    pinned: tuple[Piece, ...]
    """Latest first, as are the questions still open."""
    questions: tuple[Piece, ...]


def recall_for_context(
    scene: Scene,
    view: View,
    query: str,
    *,
    threshold: float | None,
    embedder: Embedder | None,
    reranker: Reranker | None = None,
    fitted: rank.Numbers | None = None,
) -> Recalled:
    """The hits for a question, each with what makes it readable on its own; and what belongs in every context."""
    results, places = _recalled(
        scene,
        view,
        query,
        limit=CONTEXT_HITS,
        threshold=threshold,
        embedder=embedder,
        reranker=reranker,
        fitted=fitted,
        whole_turns=False,
        sure_of=SURE_OF,
    )
    if scene.frame is None:
        return Recalled(results, (), (), ())
    pinned = _standing(scene, view, (scene.frame.columns["flags"] & PINNED) != 0)
    code = scene.frame.kinds.get(OPEN_QUESTION, -1)
    questions = _standing(scene, view, scene.frame.columns["kind"] == code)
    apart = {hit.id for hit in questions}
    hits = [hit for hit in results if hit.id not in apart]
    before = _before(scene, view, hits, places)
    was = _was(scene, view, [*hits, *pinned])
    when = {hit.id: hit.time for hit in results}
    until = {hit.id: when.get(hit.outdated_by or "") for hit in hits if hit.state == "current"}
    return Recalled(
        results,
        tuple(replace(before[hit.id], was=was.get(hit.id, ()), until=until.get(hit.id)) for hit in hits),
        tuple(Piece(hit, was=was.get(hit.id, ())) for hit in pinned),
        tuple(Piece(hit) for hit in questions if hit.id not in {one.id for one in pinned}),
    )


def _standing(scene: Scene, view: View, wanted: NDArray[np.bool_]) -> list[Hit]:
    """The documents that a context holds whatever is asked, latest first."""
    assert scene.frame is not None
    places = np.flatnonzero(wanted & scene.allowed)
    if not len(places):
        return []
    order = np.lexsort((places, scene.frame.columns["time"][places]))[::-1]
    chosen = places[order]
    none = np.zeros(scene.frame.size, np.float32)
    rows = _fetch(scene, view, chosen)
    return _hits(scene, view, rows, chosen, none, None, {}, {}, _resting(scene, view, rows))


def _before(scene: Scene, view: View, hits: Sequence[Hit], places: Mapping[str, int]) -> dict[str, Piece]:
    """Which turn stands right before each hit; where the hit is short, the question that it answers."""
    assert scene.frame is not None
    before = scene.frame.layout.around[0][0]
    ids = {place: id_ for id_, place in places.items()}
    previous = {hit.id: int(before[places[hit.id]]) for hit in hits if hit.id in places}
    size = scene.frame.size
    short = [
        previous[hit.id]
        for hit in hits
        if hit.id in previous and hit.kind == "episode" and len(hit.text.split()) <= _SHORT
    ]
    wanted = np.array(sorted({place for place in short if place < size and scene.allowed[place]}), np.intp)
    texts = dict(zip(wanted.tolist(), _fetch(scene, view, wanted), strict=True)) if len(wanted) else {}
    found: dict[str, Piece] = {}
    for hit in hits:
        place = previous.get(hit.id, size)
        row = texts.get(place) if len(hit.text.split()) <= _SHORT else None
        asked = None
        if row is not None and (row["speaker"] or row["role"]) != hit.speaker:
            asked = _asked_in(row["text"] or "")
        found[hit.id] = Piece(hit, after=ids.get(place), first=place == size, asked=asked)
    return found


def _asked_in(words: str) -> str | None:
    """The question with which a turn ends."""
    found = _QUESTION.search(words)
    question = " ".join(found[0].split()) if found else ""
    return question if 0 < len(question.split()) <= _LONGEST_QUESTION else None


def _was(scene: Scene, view: View, hits: Sequence[Hit]) -> dict[str, tuple[tuple[str, datetime | None], ...]]:
    """What each derived hit has taken over from: texts, and until when they were true; the latest first."""
    derived = [hit.id for hit in hits if hit.kind != "episode"]
    if not derived:
        return {}
    links = [
        link
        for link in scene.snapshot.rows("links_from", ids=json.dumps(derived), role="supersedes")
        if holds(link, view.known_at)
    ]
    old = {
        row["id"]: row
        for row in _revisions(scene.snapshot, sorted({link["target_id"] for link in links}), view.known_at)
        if row["wall"] in scene.walls
        and row["retired_at"] is None
        and row["text"] is not None
        and (fading.FADED in view.include or not _is_cold(scene, row))
    }
    found: dict[str, list[Fields]] = {}
    for link in links:
        if link["target_id"] in old:
            found.setdefault(link["source_id"], []).append(old[link["target_id"]])
    return {
        id_: tuple(
            (row["text"], None if row["valid_to"] is None else moment(row["valid_to"]))
            for row in sorted(rows, key=lambda row: row["valid_to"] or 0, reverse=True)
        )
        for id_, rows in found.items()
    }


# -- by time


def chosen(
    scene: Scene,
    view: View,
    *,
    newest_first: bool,
    limit: int,
    after: str | None,
    since: int | None = None,
    until: int | None = None,
    subject: str | None = None,
) -> tuple[list[Record], str | None]:
    """One page of records by time, and the cursor of the next."""
    passed = None if after is None else _cursor(after)
    if scene.frame is None:
        return [], None
    columns = scene.frame.columns
    places = np.flatnonzero(scene.allowed)
    times, rows, arrivals = columns["time"][places], columns["row"][places], scene.frame.arrivals()[places]
    if since is not None or until is not None:
        keep = np.ones(len(places), np.bool_)
        keep &= times >= since if since is not None else True
        keep &= times < until if until is not None else True
        places, times, rows, arrivals = places[keep], times[keep], rows[keep], arrivals[keep]
    if subject is not None:
        about = scene.snapshot.rows("rows_about", walls=json.dumps(list(scene.walls)))
        names = {subject} | {row["subject"] for row in about if row["kind"] == "entity" and _is_about(row, {subject})}
        keep = np.isin(rows, [row["row"] for row in about if _is_about(row, names)])
        places, times, arrivals = places[keep], times[keep], arrivals[keep]
    order = np.lexsort((arrivals, times))
    order = order[::-1] if newest_first else order
    if passed is not None:
        time, arrival = passed
        at, came = times[order], arrivals[order]
        beyond = (at < time) | ((at == time) & (came < arrival))
        if not newest_first:
            beyond = (at > time) | ((at == time) & (came > arrival))
        order = order[beyond]
    page = places[order[:limit]]
    found = _fetch(scene, view, page)
    evidence = _evidence(scene, view, found)
    records = [
        record_of(row, scene.walls[row["wall"]], _state(scene, view, row), evidence.get(row["id"], ())) for row in found
    ]
    last = order[:limit][-1:]
    return records, f"{times[last[0]]}_{arrivals[last[0]]}" if len(order) > limit else None


def _is_about(row: Row, subjects: set[str]) -> bool:
    names = [row["subject"], *loads(row["aliases"], [])]
    return not {name.casefold() for name in subjects}.isdisjoint(str(name).casefold() for name in names)


def _cursor(text: str) -> tuple[int, int]:
    try:
        time, row = text.split("_")
        return int(time), int(row)
    except (ValueError, AttributeError):
        raise InputError(f"after={text!r} is not a cursor: pass the `next` of the page before") from None
