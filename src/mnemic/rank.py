"""The ranking: what each document of a scope scores for a question, and how likely it is evidence.

Pure functions on arrays; nothing here reads a store. A *document* is a turn, or a passage of a long one. It is scored
in four *contexts*: alone ("turn"), with its neighbours up to one step away ("near"), up to two ("wide"), and with its
whole session ("session"). A turn says little by itself ("Yes, last summer!"), and what it is about stands around it.

Nothing is indexed twice for that. Term counts and lengths add up over turns, and so do plain token-sum vectors:

    count(window) = sum of the turns' counts        dot(q, window) = sum of the turns' dots

so every context is computed from the turns' own numbers when the question is asked, equal to an index of the joined
texts, and a later turn changes nothing stored.

    layout = rank.layout(lengths, previous, following, session)         # once per state of the scope
    norms = rank.norms(vectors, layout)                                 # likewise; `known=` continues an older one
    asked = rank.read_question(question, speakers)
    words = rank.lexical([rank.Term(documents, counts, term.weight) for term in asked.terms ...], layout)
    sense = rank.dense(vectors @ query, norm_of_query, norms, layout)   # or None: words alone
    time = rank.closeness(times, interval)                              # or None; mnemic.when finds the interval
    features = rank.features(words, sense, layout, speaker=asked.speakers[speaker_codes], time=time)
    model = rank.fitted(dense=True)
    scores = rank.combine(features, model.weights)
    relevances = rank.relevance(scores[hits], rank.facts(words, sense, scores), model.hit)

Shapes: n documents, s sessions, d dimensions. Scores are float32.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mnemic import text
from mnemic.errors import ConfigError

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
"""Places of documents: of the width that numpy gathers by, twice as fast as narrower ones."""
Bools = NDArray[np.bool_]

REACH = 2
"""Steps to each side of the widest window."""

_STRIDE = 64
"""Documents of which the best one is taken, before the best of all are looked for."""

_BLOCK = 1 << 21
"""Cells of (terms x documents) worked on at once: what fits the caches matters more than the number of calls."""


# --- The question -----------------------------------------------------------------------------------------------------


SUBJECT = "subject"
"""The role of those whom derived records are about."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Someone who speaks in the scope: a name ('' for none) and a role ("user", "assistant", …), or SUBJECT."""

    name: str
    role: str

    @property
    def is_heard(self) -> bool:
        """Whether texts may be this one's own words: the user speaks, also where only records derived say so."""
        return self.role != SUBJECT or self.name == "user"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the ranking takes it."""

    terms: tuple[text.QueryTerm, ...]
    """What to look up. Names of speakers are left out: who says a name is usually not the one who bears it."""
    about: str
    """What to embed: the question without the names of speakers."""
    speakers: Bools
    """Per speaker of the scope: whether the question is about what this one said."""
    named: Bools
    """Per speaker of the scope: whether the question has this one's name."""
    hears: bool = False
    """Whether any of those whom it names speaks: who said what is no matter of those who are only spoken of."""


# Words of the asker for themselves, as `text.words` gives them. "us" is missing (the country), and so are words that
# are others in another language.
_FIRST_PERSON = """i my me mine myself we our ours ourselves ich mich mir mein meine meinem meinen meiner wir uns unser
    unsere je moi mon mes nous notre nos yo mis nosotros nuestro nuestra я меня мне мной мой моя мое мои мы нас нам наш
    наша"""
FIRST_PERSON = frozenset(_FIRST_PERSON.split())
# The assistant is meant where the question is about what it has said, not where it is asked to do something now.
_SECOND_PERSON = re.compile(
    r"\b(?:did|have|had|were) you\b"
    r"|\byou (?:told|said|gave|suggested|recommended|mentioned|provided|shared|explained|described|listed|showed)\b"
    r"|\byour (?:suggestion|recommendation|answer|advice|list|response)"
)


def read_question(question: str, speakers: Sequence[Speaker] = ()) -> Asked:
    """Terms, text to embed and speakers of a question, given those who speak in the scope.

    A question is about a speaker whom it names, about the user where it says "I" or "my", about the assistant where it
    says "you told", "your suggestion". The last two only tell speakers apart where an assistant speaks at all. Who
    speaks is told by the speaker of a text, so those names are no terms; whoever is only spoken of is one by the words.
    """
    words = frozenset(text.words(question))
    with_assistant = any(speaker.role == "assistant" for speaker in speakers)
    first = with_assistant and not words.isdisjoint(FIRST_PERSON)
    second = with_assistant and _SECOND_PERSON.search(question.lower()) is not None
    by_name = [bool(speaker.name) and text.named(speaker.name, words) for speaker in speakers]
    meant = [
        named or (second if speaker.role == "assistant" else first and speaker.role == "user")
        for speaker, named in zip(speakers, by_name, strict=True)
    ]
    named = [one for one, is_named in zip(speakers, by_name, strict=True) if is_named]
    heard = [one.name for one in named if one.is_heard]
    terms = tuple(text.query_terms(question))
    if heard:
        in_names = {term for name in heard for term in text.terms(name)}
        others = tuple(term for term in terms if term.term.removeprefix(text.COMPOUND) not in in_names)
        if any(term.weight == 1.0 for term in others):
            terms = others
    # A name says nothing of what is meant: an embedder has it near to other names.
    about = _without(question, {word for one in named for word in text.words(one.name)}) if named else question
    return Asked(terms, about, np.array(meant, dtype=np.bool_), np.array(by_name, dtype=np.bool_), bool(heard))


def _without(question: str, words: set[str]) -> str:
    """The question without these words; as it was where nothing else is left."""
    kept = [part for part in question.split() if words.isdisjoint(text.words(part))]
    return " ".join(kept) or question


# --- Layout -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the documents of a scope stand. Build it with `layout`."""

    session: Ints
    """(n,) code of its session, in range(sessions)."""
    sessions: int
    lengths: Floats
    """(n,) words of each document; `near_lengths`, `wide_lengths` (n,) and `session_lengths` (s,) are their sums."""
    near_lengths: Floats
    wide_lengths: Floats
    session_lengths: Floats
    around: tuple[tuple[Ints, Ints], ...]
    """For each distance 1 … REACH: (n,) the neighbour before and (n,) the one after; n for none."""
    dead: int = 0
    """Documents that hold a place without words and count nowhere: erased ones, or those that a read leaves out."""
    dead_sessions: int = 0
    """Sessions without any other document."""

    @property
    def size(self) -> int:
        """Number of documents."""
        return len(self.lengths)


def layout(
    lengths: NDArray[Any], previous: NDArray[Any], following: NDArray[Any], session: NDArray[Any], dead: int = 0
) -> Layout:
    """The layout of a scope; all four (n,).

    `previous` and `following` lead to a document's neighbours in its session (-1: none) and must be each other's
    inverse. `session` holds codes 0, 1, 2 …; a document with code -1 is in no session and counts as one of its own.
    `dead` of the documents are erased: each is a session of its own.
    """
    before, after, code = previous.astype(np.intp), following.astype(np.intp), session.astype(np.intp)
    alone = np.flatnonzero(code < 0)
    known = int(code.max(initial=-1)) + 1
    code[alone] = np.arange(known, known + len(alone))
    sessions = known + len(alone)
    words = lengths.astype(np.float32)
    around = tuple(_neighbours(before, after))
    near, wide = _windows(words, around)
    return Layout(code, sessions, words, near, wide, _per_session(words, code, sessions), around, dead, dead)


def among(layout: Layout, kept: Bools) -> Layout:
    """The layout as if all but the documents `kept` had no words: what a read leaves out counts nowhere."""
    lengths = np.where(kept, layout.lengths, np.float32(0))
    near, wide = _windows(lengths, layout.around)
    per_session = _per_session(lengths, layout.session, layout.sessions)
    held = np.bincount(layout.session[kept], minlength=layout.sessions)
    return replace(
        layout,
        lengths=lengths,
        near_lengths=near,
        wide_lengths=wide,
        session_lengths=per_session,
        dead=layout.size - int(np.count_nonzero(kept)),
        dead_sessions=layout.sessions - int(np.count_nonzero(held)),
    )


def _neighbours(previous: Ints, following: Ints) -> Iterator[tuple[Ints, Ints]]:
    """`Layout.around`. Document n, the neighbour of those without one, is its own neighbour."""
    none = len(previous)
    back = np.append(np.where(previous >= 0, previous, none), none)
    ahead = np.append(np.where(following >= 0, following, none), none)
    before, after = back[:-1], ahead[:-1]
    for _ in range(REACH):
        yield before, after
        before, after = back[before], ahead[after]


def _windows(values: Floats, around: Sequence[tuple[Ints, Ints]]) -> tuple[Floats, Floats]:
    """Sums of (n,) values over the near and the wide window of each document."""
    padded = np.append(values, np.float32(0.0))
    (before, after), (before2, after2) = around
    near = values + padded.take(before)
    near += padded.take(after)
    wide = near + padded.take(before2)
    wide += padded.take(after2)
    return near, wide


def _per_session(values: Floats, session: Ints, sessions: int) -> Floats:
    """Sums of (n,) values per session: (s,)."""
    return np.bincount(session, values, minlength=sessions).astype(np.float32)


# --- Words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saturation:
    """BM25's two constants: `k1`, how soon repeats stop counting; `b`, how much long texts are discounted."""

    k1: float
    b: float


TURN = Saturation(1.2, 0.4)
WINDOW = Saturation(1.2, 0.5)
SESSION = Saturation(1.2, 0.75)
"""Turns are short and their length is hardly verbosity: less discount than the customary 0.75 for documents."""


class Term(NamedTuple):
    """One term of the question and where it stands."""

    documents: NDArray[np.integer[Any]]
    """Ascending, each once; empty for a term that the scope does not have (its absence counts in the coverage)."""
    counts: NDArray[Any]
    """How often it stands in each of them."""
    weight: float = 1.0
    """Factor on its score. Only terms of weight 1, words of the question as they are, count in the coverage."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """BM25 and coverage of each document: float32 (n,) each."""

    turn: Floats
    near: Floats
    wide: Floats
    session: Floats
    coverage: Floats
    """Share of the question's idf mass that the document has, in [0, 1] …"""
    wide_coverage: Floats
    """… and that it has with its neighbours."""


def idf(documents: int, having: NDArray[Any]) -> NDArray[np.float64]:
    """Inverse document frequency of terms that `having` of the documents have; always positive.

    ln(1 + (N - df + 1/2) / (df + 1/2)): Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond,
    2009, section 3.1, with the 1 inside the logarithm that keeps frequent terms from counting against a document.
    """
    return np.log1p((documents - having + 0.5) / (having + 0.5))


def saturated(counts: Floats, lengths: Floats, mean: float, constants: Saturation) -> Floats:
    """BM25's term frequency: (k1 + 1) tf / (tf + k1 (1 - b + b length / mean)). Robertson and Zaragoza 2009, 3.4.2."""
    k1, b = constants.k1, constants.b
    discount = lengths * np.float32(k1 * b / mean) + np.float32(k1 * (1.0 - b))
    return (counts * np.float32(k1 + 1.0) / (counts + discount)).astype(np.float32, copy=False)


def lexical(terms: Sequence[Term], layout: Layout) -> Lexical:
    """BM25 of every document in each context, equal to BM25 over an index of the contexts' joined texts.

    The work grows with the postings, not with n x terms: a term's counts are spread to its documents' neighbours, and
    only what they reach is touched.
    """
    size = layout.size
    found = Lexical(*(np.zeros(size, dtype=np.float32) for _ in range(6)))
    if not size:
        return found
    there = [term for term in terms if len(term.documents)]
    absent = sum(term.weight == 1.0 for term in terms) - sum(term.weight == 1.0 for term in there)
    unknown = absent * float(idf(size - layout.dead + UNSEEN, np.zeros(1))[0])
    mass = unknown, unknown  # of the whole question, for the two coverages
    per_session = np.zeros(layout.sessions, dtype=np.float32)
    together = max(1, _BLOCK // size)
    for start in range(0, len(there), together):
        added = _lexical_block(there[start : start + together], layout, found, per_session)
        mass = mass[0] + added[0], mass[1] + added[1]
    per_session.take(layout.session, out=found.session, mode="clip")
    for coverage, whole in ((found.coverage, mass[0]), (found.wide_coverage, mass[1])):
        if whole > 0.0:
            np.minimum(coverage / np.float32(whole), np.float32(1.0), out=coverage)
    return found


_Cells = tuple[NDArray[np.int64], NDArray[np.integer[Any]], Floats]
"""Number of the term, document (or session), and count of the one in the other."""


def _lexical_block(terms: Sequence[Term], layout: Layout, found: Lexical, per_session: Floats) -> tuple[float, float]:
    """Add the scores of a few terms to `found`, all terms in one go; the idf masses of its two coverages.

    A *cell* is term number x n + document. `reached` holds the term count of each cell's window while it grows.
    """
    size, count = layout.size, len(terms)
    weights = np.array([term.weight for term in terms])
    whole = weights == 1.0
    documents = np.concatenate([term.documents for term in terms]).astype(np.intp, copy=False)
    counts = np.concatenate([term.counts for term in terms]).astype(np.float32, copy=False)
    owner = np.repeat(np.arange(count), [len(term.documents) for term in terms])
    masses: list[float] = []

    def add(
        cells: _Cells, lengths: Floats, constants: Saturation, score: Floats, coverage: Floats | None, dead: int
    ) -> None:
        owners, places, values = cells
        living = max(len(lengths) - dead, 1)
        having = np.bincount(owners, minlength=count)
        rarity = idf(living, having)
        mean = max(float(lengths.sum(dtype=np.float64)) / living, 1e-9)
        gained = saturated(values, lengths[places], mean, constants) * (rarity * weights).astype(np.float32)[owners]
        np.add.at(score, places, gained)  # Not +=: several terms reach the same document.
        if coverage is not None:
            covered = (idf(living + UNSEEN, having) * whole).astype(np.float32)
            np.add.at(coverage, places, covered[owners])
            masses.append(float(covered.sum()))

    add((owner, documents, counts), layout.lengths, TURN, found.turn, found.coverage, layout.dead)

    offset = owner * size
    reached = np.zeros(count * size, dtype=np.float32)
    reached[offset + documents] = counts
    owners, places = [owner], [documents]
    contexts = ((found.near, layout.near_lengths, None), (found.wide, layout.wide_lengths, found.wide_coverage))
    for neighbours, (score, lengths, coverage) in zip(layout.around, contexts, strict=True):
        for neighbour in neighbours:  # Each document precedes one other at most: no cell comes twice in a step.
            place = neighbour[documents]
            there = np.flatnonzero(place < size)
            place = place[there]
            cell = offset[there] + place
            before = reached[cell]
            reached[cell] = before + counts[there]
            fresh = before == 0.0
            owners.append(owner[there[fresh]])
            places.append(place[fresh])
        all_owners, all_places = np.concatenate(owners), np.concatenate(places)
        add(
            (all_owners, all_places, reached[all_owners * size + all_places]),
            lengths,
            WINDOW,
            score,
            coverage,
            layout.dead,
        )

    sessions = layout.sessions
    per_cell = np.bincount(owner * sessions + layout.session[documents], counts, minlength=count * sessions)
    cells = np.flatnonzero(per_cell)
    values = per_cell[cells].astype(np.float32)
    add(
        (cells // sessions, cells % sessions, values),
        layout.session_lengths,
        SESSION,
        per_session,
        None,
        layout.dead_sessions,
    )
    return masses[0], masses[1]


# --- Vectors ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Norms:
    """Reciprocal Euclidean norms of the vector sums of each context; 0 for the sum of nothing."""

    turn: Floats
    """(n,), as are `near` and `wide`."""
    near: Floats
    wide: Floats
    session: Floats
    """(s,)"""


@dataclass(frozen=True, slots=True)
class Dense:
    """Cosines of the question with each context of each document: float32 (n,) each, in [-1, 1]."""

    turn: Floats
    near: Floats
    wide: Floats
    session: Floats


def smooth_inverse_frequency(counts: NDArray[Any], total: float, a: float = 1e-3) -> Floats:
    """Weights a / (a + p) of the question's tokens, given how often each stands in the scope, of `total` tokens.

    Arora, Liang, Ma: A Simple but Tough-to-Beat Baseline for Sentence Embeddings, ICLR 2017. Only the question's side
    is weighted: measured, weights on both sides gain nothing, and a stored vector must not depend on the store.
    """
    return (a / (a + counts / max(total, 1.0))).astype(np.float32)


def norms(vectors: NDArray[np.floating[Any]], layout: Layout, known: Norms | None = None) -> Norms:
    """Reciprocal norms of all contexts of plain token-sum vectors (n, d).

    `known` are those of the same scope when it had fewer documents: only what the new ones touch is computed.
    """
    size, sessions = layout.size, layout.sessions
    if known is None:
        empty = np.zeros(0, dtype=np.float32)
        known = Norms(empty, empty, empty, empty)
    old = len(known.turn)
    new = np.arange(old, size)
    reached = [new, *(neighbour[old:] for neighbours in layout.around for neighbour in neighbours)]
    changed = np.unique(np.concatenate(reached))
    changed = changed[changed < size]
    result = Norms(
        turn=_grown(known.turn, size),
        near=_grown(known.near, size),
        wide=_grown(known.wide, size),
        session=_grown(known.session, sessions),
    )
    for start in range(0, len(changed), 4096):
        at = changed[start : start + 4096]
        total = vectors[at].astype(np.float32)
        result.turn[at] = _reciprocal_norms(total)
        for neighbours, out in zip(layout.around, (result.near, result.wide), strict=True):
            for neighbour in neighbours:
                there = neighbour[at] < size
                total[there] += vectors[neighbour[at[there]]]
            out[at] = _reciprocal_norms(total)
    _session_norms(vectors, layout, new, result.session)
    return result


def _grown(values: Floats, size: int) -> Floats:
    return np.concatenate([values, np.zeros(size - len(values), dtype=np.float32)])


def _session_norms(vectors: NDArray[np.floating[Any]], layout: Layout, new: Ints, out: Floats) -> None:
    """Reciprocal norms of the sums of those sessions that a new document is in."""
    touched = np.zeros(layout.sessions, dtype=np.bool_)
    touched[layout.session[new]] = True
    members = np.flatnonzero(touched[layout.session])
    members = members[np.argsort(layout.session[members], kind="stable")]
    codes = layout.session[members]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    bounds = np.append(starts, len(members))
    first = 0
    while first < len(starts):  # whole sessions, a few thousand documents at a time
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + 4096, side="right")) - 1)
        begin, end = int(bounds[first]), int(bounds[last])
        block = vectors[members[begin:end]].astype(np.float32)
        out[codes[starts[first:last]]] = _reciprocal_norms(np.add.reduceat(block, starts[first:last] - begin, axis=0))
        first = last


def _reciprocal_norms(vectors: Floats) -> Floats:
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return np.divide(np.float32(1.0), norms, out=np.zeros_like(norms), where=norms > 1e-9)


def dense(dots: NDArray[np.floating[Any]], norm: float, norms: Norms, layout: Layout) -> Dense:
    """Cosines of every context with a question, from the turns' own dot products (n,) and the question's norm.

    The sums are exact for plain token sums. For an embedder of unit sentence vectors they give the cosine with the
    mean of the window's vectors, which is the usual vector of a longer text there.
    """
    values = dots.astype(np.float32) / np.float32(max(norm, 1e-9))
    near, wide = _windows(values, layout.around)
    session = (_per_session(values, layout.session, layout.sessions) * norms.session).take(layout.session)
    return Dense(values * norms.turn, near * norms.near, wide * norms.wide, session)


# --- Features and their combination -----------------------------------------------------------------------------------

CONTEXTS = ("turn", "near", "wide", "session")
WORD_FEATURES = tuple(f"lexical_{context}" for context in CONTEXTS)
VECTOR_FEATURES = tuple(f"dense_{context}" for context in CONTEXTS)
FEATURES = (*WORD_FEATURES, *VECTOR_FEATURES, "speaker", "length", "time")

_LENGTH_HALF = 15.0
"""Words at which a document has half of what length can give. "Thanks!" says nothing; beyond a sentence or two, longer
is not better."""


def features(
    words: Lexical,
    sense: Dense | None,
    layout: Layout,
    *,
    speaker: Bools | None = None,
    time: Floats | None = None,
    allowed: Bools | None = None,
) -> dict[str, Floats]:
    """What the score of each document is made of, by name: (n,) each, in [0, 1].

    BM25 and cosines are divided by the best among the `allowed` documents (default: all), so that no weight depends on
    a scope's size or topic. `speaker` says whether the question is about what this document's speaker said, `time` how
    close it is to the time that the question names (`closeness`). Dense features are left out without vectors, and time
    where the question names none.
    """
    found = {name: _of_best(getattr(words, context), allowed) for name, context in zip(WORD_FEATURES, CONTEXTS)}  # noqa: B905
    if sense is not None:
        found |= {name: _of_best(getattr(sense, context), allowed) for name, context in zip(VECTOR_FEATURES, CONTEXTS)}  # noqa: B905
    found["speaker"] = np.zeros(layout.size, np.float32) if speaker is None else speaker.astype(np.float32)
    length = layout.lengths / (layout.lengths + np.float32(_LENGTH_HALF))
    found["length"] = length.astype(np.float32, copy=False)
    if time is not None:
        found["time"] = time
    return found


def closeness(times: NDArray[np.int64], interval: tuple[int, int]) -> Floats | None:
    """How close times (n,) are to a half-open interval: 1 inside, 1 / (1 + distance / its length) outside.

    All in one unit. So a day off is far from "at 8:04" and near to "in 2023"; what happened on a day is often told on
    the next ones, and nothing is ever excluded. None where the interval lies before or after all of the times: it then
    tells nothing apart but early from late, and was more likely misunderstood, or told about long after.
    """
    start, end = interval
    if not len(times) or end <= times.min() or start > times.max():
        return None
    distance = np.maximum(np.maximum(start - times, times - end), 0)
    return (1.0 / (1.0 + distance / max(end - start, 1))).astype(np.float32)


SECOND_ROUND = {"topic": 0.2, "recent": 0.1, "linked": 0.2}
"""Weights of what is seen only after a first round, beside fitted ones, which sum to 1. Round numbers: between half and
twice of each the figures move by a point (bench/LOG.md)."""

_RECENT = 0.1, 5.0
"""Share of a scope's sessions, and least number of them, after which recency has fallen to 1/e."""


def best_of_sessions(scores: Floats, layout: Layout, allowed: Bools | None = None) -> Floats:
    """The best score in each session, (s,); below any score where nothing is allowed."""
    best = np.full(layout.sessions, -np.inf, np.float32)
    places = np.arange(layout.size) if allowed is None else np.flatnonzero(allowed)
    np.maximum.at(best, layout.session[places], scores[places])
    return best


def softmax(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Shares of a softmax with the sharpness that the calibration uses; they sum to 1."""
    raised = np.exp(SHARPNESS * (scores.astype(np.float64) - float(scores.max(initial=-np.inf))))
    return raised / raised.sum()


def topic(cosines: Floats) -> Floats:
    """How much more than others a session is about what the best sessions are about: (n,) in [0, 1], from cosines."""
    return _of_best(cosines - cosines.mean(dtype=np.float64).astype(np.float32), None)


def recency(times: NDArray[np.int64], layout: Layout, allowed: Bools | None = None) -> Floats:
    """1 for the latest session, falling with the number of sessions since: (n,) in (0, 1]."""
    last = np.full(layout.sessions, np.iinfo(np.int64).min)
    places = np.arange(layout.size) if allowed is None else np.flatnonzero(allowed)
    np.maximum.at(last, layout.session[places], times[places])
    living = int(np.count_nonzero(last > np.iinfo(np.int64).min))
    age = np.empty(layout.sessions)
    age[np.argsort(last, kind="stable")[::-1]] = np.arange(layout.sessions)
    share, least = _RECENT
    return np.exp(-age / max(share * living, least)).astype(np.float32).take(layout.session)


def linked(terms: Sequence[Term], seeds: Ints, text_of: Ints, allowed: Bools | None = None) -> Floats:
    """How much each document shares of names with one that was found: (n,) in [0, 1]; the seeds get nothing.

    The sum of the names' idf, each counted once for all the passages of a text; `text_of` (n,) holds codes 0, 1, 2 …
    One step of a walk from the seed over names, as in HippoRAG (Gutiérrez and others, NeurIPS 2024); further steps
    measured no better. A name that a third of the texts have ties nothing.
    """
    found = np.zeros(int(text_of.max(initial=-1)) + 1, np.float32)
    texts = len(found) if allowed is None else len(np.unique(text_of[allowed]))
    for term in terms:
        having = np.unique(text_of[term.documents])
        if 1 < len(having) <= max(3.0, 0.3 * texts):
            found[having] += np.float32(np.log(texts / len(having)))
    spread = found.take(text_of)
    spread[seeds] = 0.0
    return _of_best(spread, None)


def _of_best(values: Floats, allowed: Bools | None) -> Floats:
    best = float(values.max(initial=0.0) if allowed is None else values.max(initial=0.0, where=allowed))
    if best <= 0.0:
        return np.zeros_like(values)
    found = np.maximum(values, np.float32(0.0))
    found *= np.float32(1.0 / best)
    return found


def combine(features: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The weighted mean of the features that are there, (n,), in [0, 1]."""
    score = np.zeros(len(next(iter(features.values()))), dtype=np.float32)
    for name, share in shares(features, weights).items():
        score += np.float32(share) * features[name]
    return score


def shares(features: Iterable[str], weights: Mapping[str, float]) -> dict[str, float]:
    """What each of the features counts in their weighted mean; features without a weight are left out."""
    present = {name: weights[name] for name in features if weights.get(name, 0.0) > 0.0}
    total = sum(present.values())
    return {name: weight / total for name, weight in present.items()}


def faded(remaining: Floats) -> Floats:
    """What fading adds to scores, at most 0, (n,), from what is left of each document (from 0 to 1).

    So much that a document's share of the softmax over all scores, which its relevance goes by, is as much of what it
    was. One of which nothing is left falls as far as one of which a thousandth is: it is shown only where asked for.
    """
    return (np.log(np.clip(remaining, 1e-3, 1.0)) / SHARPNESS).astype(np.float32)


def order(scores: Floats, limit: int, allowed: Bools | None = None) -> Ints:
    """The best `limit` allowed documents, best first; of equals the later one, which is the more recent."""
    values = scores if allowed is None else np.where(allowed, scores, np.float32(-np.inf))
    rows = len(values) // _STRIDE
    if 0 < limit < rows:
        # The k-th best of some maxima is at most the k-th best of all: whatever is better is found in one comparison.
        maxima = values[: rows * _STRIDE].reshape(_STRIDE, rows).max(axis=0)
        places = np.flatnonzero(values >= np.partition(maxima, rows - limit)[rows - limit])
    elif 0 < limit < len(values):
        places = np.flatnonzero(values >= np.partition(values, len(values) - limit)[len(values) - limit])
    else:
        places = np.arange(len(values))
    if allowed is not None:
        places = places[allowed[places]]
    return places[np.lexsort((-places, -values[places]))][: max(limit, 0)]


_FUSION = 10.0
"""Of `reranked`: how little the first few places of an order count more than the next. Its source has 60, for lists of
a thousand; of two short ones the first places are to count."""


def reranked(order: Ints, scores: NDArray[np.floating[Any]], given: Ints) -> Ints:
    """Documents in the order of two judges: `order` (n,), best first, and a reranker's `scores` (m,) of `given` (m,).

    Reciprocal rank fusion, each document by the sum of 1 / (10 + its place) over both: Cormack, Clarke, Büttcher,
    Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods, SIGIR 2009. Only places count, so
    a reranker's scale does not, and neither judge can bury what the other one has in front. Of equal scores, the one
    first in `order` is first; of equal sums, the one that the reranker has first. A document without a score has the
    first summand alone: those behind all that have one stay there, in their order.
    """
    own = np.arange(len(order))
    by_number = np.argsort(order)
    places = by_number[np.searchsorted(order, given, sorter=by_number)]
    theirs = np.full(len(order), np.inf)
    theirs[places[np.lexsort((places, -scores))]] = np.arange(len(given))
    fused = 1.0 / (_FUSION + 1.0 + own) + 1.0 / (_FUSION + 1.0 + theirs)
    return order[np.lexsort((own, theirs, -fused))]


# --- Calibration ------------------------------------------------------------------------------------------------------

SHARPNESS = 16.0
"""Of the softmax over a scope's scores; the value at which sets left out of the calibration were most likely."""

UNSEEN = 30
"""Documents without any of the question's terms that a scope is thought to have besides its own, where the coverage of
a question is weighed: in a scope of two or three texts a word that stands in one of them would else be a common word,
and one that stands nowhere be all that matters. Of a few hundred texts on it makes no difference."""

RIVALS = 10
"""How many of the best scores a score is compared with; where there are fewer, the missing ones count as 0."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one ranking as a whole says about whether its hits are evidence."""

    coverage: float
    """The greatest share of the question's idf mass that is in and around any document, in [0, 1]."""
    cosine: float | None
    """The greatest cosine of any document with the question; None without vectors."""
    mass: float
    """ln of the sum of exp(16 score) over all allowed documents: the denominator of a softmax."""
    rivals: float
    """Mean of the ten best scores."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(a hit is evidence) = sigmoid(topic) x sigmoid(place), each linear in what its fields name, no slope negative.

    The first factor asks whether the scope speaks of the question's matter at all, and is one number per question;
    the second whether this document is the one, and grows with its score. So off-topic questions get low relevances
    however clear their best hit is, and the order by relevance is the order by score. Platt, Probabilistic Outputs for
    Support Vector Machines, 1999, is the same with one factor.
    """

    topic: float
    coverage: float
    cosine: float
    place: float
    share: float
    lead: float


def facts(
    words: Lexical,
    sense: Dense | None,
    scores: Floats,
    allowed: Bools | None = None,
    best: Ints | None = None,
    among: Bools | None = None,
) -> Facts | None:
    """The facts of one ranking; None where no document is allowed. `best` is its `order`, as far as it is known.

    What the scope speaks of is told by all that are allowed; what a hit has to stand up to, by those of them in
    `among`, if that is given.
    """
    among = allowed if among is None else among
    best = order(scores, RIVALS, among) if best is None else best[:RIVALS]
    if not len(best):
        return None
    rivals = scores[best].astype(np.float64)
    values = scores if among is None else scores[among]
    scaled = (values - np.float32(rivals[0])) * np.float32(SHARPNESS)
    mass = SHARPNESS * float(rivals[0]) + float(np.log(np.exp(scaled, out=scaled).sum(dtype=np.float64)))
    where = True if allowed is None else allowed
    coverage = float(words.wide_coverage.max(initial=0.0, where=where))
    cosine = None if sense is None else float(sense.turn.max(initial=-1.0, where=where))
    return Facts(coverage, cosine, mass, float(rivals.sum()) / RIVALS)


def standing(scores: Floats, facts: Facts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How documents of these scores stand among all: ln of their share of a softmax, and lead over the ten best."""
    values = scores.astype(np.float64)
    return SHARPNESS * values - facts.mass, values - facts.rivals


def relevance(scores: Floats, facts: Facts, calibration: Calibration) -> NDArray[np.float64]:
    """The probability of each of these scores' documents to be evidence; never falls where the score rises."""
    share, lead = standing(scores, facts)
    place = calibration.place + calibration.share * share + calibration.lead * lead
    return _sigmoid(np.float64(_topic(facts, calibration))) * _sigmoid(place)


def _topic(facts: Facts, calibration: Calibration) -> float:
    return calibration.topic + calibration.coverage * facts.coverage + calibration.cosine * (facts.cosine or 0.0)


@dataclass(frozen=True, slots=True)
class Confidence:
    """P(the hits have the evidence) = sigmoid(offset + a share + b least + c lead + d min(topic, 0)).

    The factors of what `Found` names; none is negative but the offset. The topic only counts where it is in doubt: that
    the scope does speak of the question's matter is no proof of an answer.
    """

    offset: float
    share: float
    least: float
    lead: float
    topic: float


@dataclass(frozen=True, slots=True)
class Found:
    """What a search says of whether its hits answer the question."""

    topic: float
    """Log-odds that the scope speaks of the question's matter (`Calibration`)."""
    share: float
    """Of the softmax over the scope, what falls to the hits: low where many other documents are as good."""
    least: float
    """Cosine of that word of the question which the best hit, with the turn before it, comes least near to; 0 without
    vectors. What a question twists is often one word."""
    lead: float
    """How far the best of those whom it names is ahead of the best of all others (`lead_over_others`), 0.05 at most: it
    is a doubt, and no proof. Below zero somebody else said what is asked for; 0 where it names nobody."""


_FAR = -0.5, 0.05


def found(
    scores: Floats,
    facts: Facts,
    calibration: Calibration,
    least: float,
    ahead: float | None,
) -> Found:
    """The facts of one search: `scores` are those of its hits."""
    share = float(np.exp(standing(scores, facts)[0]).sum())
    return Found(_topic(facts, calibration), share, least, min(max(ahead or 0.0, _FAR[0]), _FAR[1]))


def lead_over_others(scores: NDArray[np.floating[Any]], named: Bools, allowed: Bools | None = None) -> float | None:
    """How far the best of those whom the question names is ahead of the best of all others; None where it names nobody.

    `scores` are to be without what the naming itself gives. Below zero somebody else said what is asked for, and the
    question has taken one person for another.
    """
    if not named.any():
        return None
    others = ~named if allowed is None else allowed & ~named
    own = named if allowed is None else allowed & named
    return float(scores.max(initial=0.0, where=own)) - float(scores.max(initial=0.0, where=others))


def confidence(found: Found, numbers: Confidence) -> float:
    """The probability that any of the hits is evidence."""
    value = numbers.offset + numbers.share * found.share + numbers.least * found.least + numbers.lead * found.lead
    return float(_sigmoid(np.float64(value + numbers.topic * min(found.topic, 0.0))))


def _sigmoid(value: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * value))  # the logistic function, without its overflow


# --- The fitted numbers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Net:
    """out · tanh(hidden x + bias), to be added to a first score in log-odds: a perceptron with one hidden layer.

    The first score stays whole, and what is added is bounded by the sum of `out`, so no reading outweighs a document
    that alone has the question's words.
    """

    features: tuple[str, ...]
    """Names of its inputs x; one that is missing counts as 0."""
    centre: Floats
    """(inputs,) for those that begin with "asked_"; the others are centred among what is read."""
    scale: Floats
    """(inputs,)"""
    hidden: Floats
    """(inputs, h)"""
    bias: Floats
    """(h,)"""
    out: Floats
    """(h,)"""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the best documents of one kind of talk are read a second time, and what the scores are worth then."""

    net: Net
    hit: Calibration
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Fitted:
    """The shipped numbers, for one set of channels."""

    weights: Mapping[str, float]
    hit: Calibration
    """Of scores by the weights alone, as is the confidence."""
    confidence: Confidence
    reading: Mapping[str, Reading] = field(default_factory=dict[str, Reading])
    """By kind of talk: see `mnemic.reading`."""


Numbers = Mapping[bool, Fitted]
"""Fitted numbers with vectors (True) and for words alone (False)."""


@cache
def fitted(*, dense: bool) -> Fitted:
    """The numbers in rank.json: with vectors, or for words alone. `bench/fit.py` writes them."""
    return _numbers((files("mnemic") / "rank.json").read_text(encoding="utf-8"))[dense]


def fitted_file(path: Path) -> Numbers:
    """Numbers from another file of the shape of rank.json. Raises ConfigError."""
    try:
        return _numbers(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"ranking='{path}' is no file of fitted numbers ({type(error).__name__}: {error})") from error


def _net(values: Mapping[str, Any]) -> Net:
    def array(name: str) -> Floats:
        return np.array(values[name], np.float32)

    names = tuple(values["features"])
    net = Net(names, array("centre"), array("scale"), array("hidden"), array("bias"), array("out"))
    inputs, units = net.hidden.shape
    if not len(names) == inputs == len(net.centre) == len(net.scale) or not units == len(net.bias) == len(net.out):
        raise ValueError(f"a network of {len(names)} features has a first layer of shape {net.hidden.shape}")
    return net


def _numbers(content: str) -> Numbers:
    numbers = cast("dict[str, Any]", json.loads(content))
    return {
        dense: Fitted(
            weights=cast("dict[str, float]", part["weights"]),
            hit=Calibration(**part["hit"]),
            confidence=Confidence(**part["confidence"]),
            reading={
                talk: Reading(_net(read["net"]), Calibration(**read["hit"]), Confidence(**read["confidence"]))
                for talk, read in part.get("reading", {}).items()
            },
        )
        for dense, part in ((True, numbers["words and vectors"]), (False, numbers["words"]))
    }
