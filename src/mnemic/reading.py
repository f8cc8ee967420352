"""The second look: the best documents of a ranking, read closely.

`rank` scores every document of a scope by numbers that the index has. What decides between the best of them is often
something else: whether a turn answers or only asks, tells of the one who speaks or praises the other, has a word of the
kind that is asked for ("countries": "Spain"), stands right after a good one. So the best hundred are read, and a small
network adds to each one's score what it makes of that. It is fitted (`bench/fit.py`) for one *kind of talk* at a time,
since what tells evidence in a chat between people tells nothing in an encyclopaedia; where no network has been fitted
for the talk at hand, the first ranking stands.

    look = reading.look(text)                                   # what one text shows; once per text
    seen = reading.seen(page)                                   # features of the documents that are read, by name
    more = reading.standing(scores, places, layout, among)      # and those that rest on the first scores
    final = reading.reread(scores, places, net, seen | more)    # scores of all documents; the read ones lead

A feature counts against the others of the same list: it is divided by its spread among what is read. So no weight
depends on how large a scope is, or what it is about. Features of the question itself say when which of them matters.

Shapes: k documents are read, of n. Pure; nothing here reads a store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mnemic import question as asking
from mnemic import rank
from mnemic.rank import Bools, Floats, Ints, Net

READ = 100
"""Documents that are read: their best by the first score. Recall among the best hundred is .97 of what is there."""
LEAST = 10
"""Documents below which nothing is read: among so few nothing stands out."""

Talk = Literal["people", "assistant", "documents"]
"""Who speaks: people who are called by their names, a user and an assistant, or nobody: written texts."""
TALKS: tuple[Talk, ...] = get_args(Talk)


# --- What one text shows ----------------------------------------------------------------------------------------------


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LONGEST = 2000
"""Characters of a text that are read; a passage has at most a few hundred."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_PLACE = re.compile(r"\b(?:in|at|to|from|near) (?:the )?[A-Z]")
_OPENING = re.compile(
    r"(?:wow|thanks|thank|that's|cool|awesome|great|nice|yeah|yes|absolutely|hey|hi|sounds)\b", re.IGNORECASE
)
_TIMES = _set(
    """yesterday today tonight tomorrow last next ago week weekend month year monday tuesday wednesday thursday
    friday saturday sunday january february march april may june july august september october november
    december since recently"""
)
_NUMBERS = _set("""one two three four five six seven eight nine ten once twice dozen couple few several""")
_FIRST_PERSON = _set("""i i'm i've i'd i'll my me mine we our us we're we've""")
_SECOND_PERSON = _set("""you your you're you've yours""")
_REASONS = _set("""because since reason inspired inspires motivated motivates motivation helped helps wanted""")
# Words that say nothing of what a text is about. More than the index leaves out: here chat's own fillers count.
_FILLERS = _set(
    """a about an and any are as at be been by can could did do does for from had has have he her his how i if
    in is it its me my of on or our she so some than that the their them they this to was we were what
    when where which who whom whose why will with would you your that's it's i'm i've you're not no yes
    just really very get got there here then now also too much many like how's what's let's don't didn't"""
)

SHAPE = (
    "asks",
    "question",
    "times",
    "numbers",
    "first_person",
    "second_person",
    "names",
    "places",
    "reasons",
    "exclaims",
    "commas",
    "opening",
)
"""What is counted in a text, in this order: whether it ends in a question, and has one; words for times, numbers, the
one who speaks and the one spoken to; names within sentences, and behind a preposition of place; words of reasons;
marks; and whether it begins with an answer to what was said before ("Wow", "Thanks")."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a text shows by itself."""

    words: tuple[str, ...]
    """In lower case, as they stand."""
    shape: tuple[float, ...]
    """By `SHAPE`."""


def look(text: str) -> Look:
    """What a text shows."""
    text = text[:_LONGEST].replace("’", "'")
    words = tuple(_WORD.findall(text.lower()))
    digits = sum(word.isdigit() for word in words)
    years = sum(len(word) == 4 and word.isdigit() for word in words)
    return Look(
        words,
        (
            float(text.rstrip().endswith("?")),
            float("?" in text),
            float(years + sum(word in _TIMES for word in words)),
            float(digits + sum(word in _NUMBERS for word in words)),
            float(sum(word in _FIRST_PERSON for word in words)),
            float(sum(word in _SECOND_PERSON for word in words)),
            float(len(_NAME.findall(text))),
            float(len(_PLACE.findall(text))),
            float(sum(word in _REASONS for word in words)),
            float(text.count("!")),
            float(text.count(",")),
            float(_OPENING.match(text) is not None),
        ),
    )


NOTHING = look("")


def content(words: Sequence[str]) -> list[str]:
    """The words that are no fillers; all of them where nothing else is left."""
    return [word for word in words if word not in _FILLERS] or list(words)


# --- What the question asks for ---------------------------------------------------------------------------------------

_FOCUS = re.compile(
    r"(?:in |on |at |to |for |from |with )?(?:what|which)(?: (?:kind|type|sort)s? of)? ((?:[\w'-]+ ){1,4}?)"
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|might)\b"
)


def focus(question: str) -> list[str]:
    """The words for what is asked for: "countries" in "Which European countries has she been to?"; often none."""
    found = _FOCUS.match(question.lower().replace("’", "'").strip())
    return [word for word in _WORD.findall(found[1]) if word not in _FILLERS] if found else []


def said_in(question: str) -> list[str]:
    """The words of a question that say what it is about."""
    return content(_WORD.findall(question.lower().replace("’", "'")))


# --- Features ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """Vectors of words: of the question's, and of the texts'."""

    asked: Floats
    """(q, d) unit vectors of `said_in` the question."""
    rarity: Floats
    """(q,) how rare each of those is; it adds up to 1."""
    focus: Floats | None
    """(f, d) unit vectors of the `focus`; None for none."""
    texts: Floats
    """(w, d) unit vectors of all words of the looks, one look after the other, then of the looks before them."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is read, and for which question."""

    question: str
    places: Ints
    """(k,) the documents, in the order of the first ranking."""
    layout: rank.Layout
    among: Bools | None
    """Documents that may be returned; None: all. Others count nowhere."""
    signals: Mapping[str, Floats]
    """(n,) each: the features of the first ranking."""
    words: rank.Lexical
    terms: Sequence[rank.Term]
    """Those of the question that count whole, found or not."""
    speakers: NDArray[np.integer[Any]]
    """(n,) who said it."""
    named: Bools | None
    """(n,) whether the question names the speaker; None: nobody."""
    names: int
    """How many speakers it names."""
    assistant: Bools
    """(k,) whether an assistant said it."""
    looks: Sequence[Look]
    """(k,)"""
    before: Sequence[Look]
    """(k,) of the turns right before; `NOTHING` for none."""
    vectors: Words | None
    """None without an embedder of tokens."""


def seen(page: Page) -> dict[str, Floats]:
    """What the documents are like, (k,) each, by name; whatever begins with "asked_" is one number for all of them."""
    return {**_signals(page), **_terms(page), **_around(page), **_shapes(page), **_meanings(page), **_asked(page)}


def _signals(page: Page) -> dict[str, Floats]:
    found = {name: values[page.places] for name, values in page.signals.items()}
    found["coverage"] = page.words.coverage[page.places]
    found["wide_coverage"] = page.words.wide_coverage[page.places]
    return found


def _terms(page: Page) -> dict[str, Floats]:
    """How many of the question's terms are in a document, and in it or next to it; and the rarest of those in it."""
    terms, places, size = page.terms, page.places, page.layout.size
    own = np.zeros((max(len(terms), 1), len(places)), np.float32)
    near = np.zeros_like(own)
    before, after = page.layout.around[0]
    there = np.zeros(size + 1, np.float32)
    for number, term in enumerate(terms):
        there[term.documents] = 1.0
        own[number] = there[places]
        near[number] = np.maximum(own[number], np.maximum(there[before[places]], there[after[places]]))
        there[term.documents] = 0.0
    return {
        "matched": own.mean(axis=0),
        "matched_near": near.mean(axis=0),
        "rarest": (own * _idf(page)[:, None]).max(axis=0),
    }


def _idf(page: Page) -> Floats:
    living = page.layout.size if page.among is None else int(np.count_nonzero(page.among))
    having = np.array([len(term.documents) for term in page.terms] or [0])
    return rank.idf(living, having).astype(np.float32)


def _around(page: Page) -> dict[str, Floats]:
    """Where a document stands: in its session, after whom, and how late in all that was said."""
    places, size = page.places, page.layout.size
    before, after = (neighbours[places] for neighbours in page.layout.around[0])
    readable = np.append(np.ones(size, np.bool_) if page.among is None else page.among, False)
    speakers = np.append(page.speakers, -1)
    same = readable[before] & (speakers[before] == speakers[places])
    told = places if page.among is None else np.cumsum(page.among)[places] - 1
    living = size if page.among is None else int(np.count_nonzero(page.among))
    named = np.zeros(len(places), np.bool_) if page.named is None else page.named[places]
    return {
        "first": (~readable[before]).astype(np.float32),
        "last": (~readable[after]).astype(np.float32),
        "same_speaker": same.astype(np.float32),
        "position": (told / max(living, 1)).astype(np.float32),
        "words": page.layout.lengths[places],
        "named": named.astype(np.float32),
        "assistant": page.assistant.astype(np.float32),
    }


def _shapes(page: Page) -> dict[str, Floats]:
    shapes = np.array([one.shape for one in page.looks], np.float32).reshape(-1, len(SHAPE))
    answers = np.array([one.shape[0] for one in page.before], np.float32)
    return dict(zip(SHAPE, shapes.T, strict=True)) | {"answers": answers}


def _meanings(page: Page) -> dict[str, Floats]:
    """How near the question's words come to those of a document, word by word; and how much its words weigh.

    The best cosine of each word of the question with any word of the document, as in ColBERT (Khattab and Zaharia,
    SIGIR 2020), here of words out of context: their mean weighted by rarity, and the least.
    """
    if page.vectors is None:
        return {}
    vectors = page.vectors
    texts = [*page.looks, *page.before]
    starts = np.array([0, *accumulate(len(one.words) for one in texts)])
    held = np.flatnonzero(np.diff(starts))

    def best_of(cosines: Floats) -> Floats:
        """(any, w) to (any, texts): the best in each text, 0 for one without words."""
        best = np.zeros((len(cosines), len(texts)), np.float32)
        if len(held):
            best[:, held] = np.maximum.reduceat(cosines, starts[held], axis=1)
        return best

    many = len(page.looks)
    best = best_of(vectors.asked @ vectors.texts.T)
    own, near = best[:, :many], np.maximum(best[:, :many], best[:, many:])
    found = {
        "like": vectors.rarity @ own,
        "least_like": own.min(axis=0),
        "near_like": vectors.rarity @ near,
        "near_least_like": near.min(axis=0),
    }
    plain = np.array([word not in _FILLERS for one in texts for word in one.words], np.bool_)
    found |= _focused(vectors, plain, best_of, many)
    return {name: values.astype(np.float32) for name, values in found.items()}


def least(page: Page) -> float:
    """Of the first document of a page, with the turn before it: how near that word of the question is to any of its
    words which is farthest from all; 0 without vectors."""
    return float(_meanings(page)["near_least_like"][0]) if page.vectors is not None else 0.0


_THE_WORD_ITSELF = 0.97
"""Cosine from which on two words are one."""


def _focused(vectors: Words, plain: Bools, best_of: Any, many: int) -> dict[str, Floats]:
    """How near a document's words come to what is asked for, with the very word and without: "Spain" is one of the
    "countries" and does not say so."""
    if vectors.focus is None:
        nothing = np.zeros(many, np.float32)
        return {"of_the_kind": nothing, "one_of_the_kind": nothing}
    cosines = vectors.focus @ vectors.texts.T
    others = np.where((cosines < _THE_WORD_ITSELF) & plain, cosines, np.float32(0.0))
    return {
        "of_the_kind": best_of(cosines)[:, :many].max(axis=0),
        "one_of_the_kind": best_of(others)[:, :many].max(axis=0),
    }


def _asked(page: Page) -> dict[str, Floats]:
    wanted = asking.wanted(page.question)
    living = page.layout.size if page.among is None else int(np.count_nonzero(page.among))
    numbers = {f"asked_{kind.replace(' ', '_')}": float(wanted.kind == kind) for kind in asking.KINDS} | {
        "asked_several": float(wanted.several),
        "asked_focus": float(bool(focus(page.question))),
        "asked_names": float(page.names),
        "asked_named": float(page.names > 0),
        "asked_of_many": float(np.log(max(living, 1))),
        "asked_words": float(len(page.question.split())),
        "asked_terms": float(len(page.terms)),
        "asked_rarest": float(_idf(page).max()) if page.terms else 0.0,
    }
    return {name: np.full(len(page.places), value, np.float32) for name, value in numbers.items()}


def standing(scores: Floats, places: Ints, layout: rank.Layout, among: Bools | None) -> dict[str, Floats]:
    """What the first scores (n,) say of the documents that are read, (k,) each: their own, those of their neighbours,
    and where their session stands among the sessions."""
    readable = scores if among is None else np.where(among, scores, np.float32(0.0))
    padded = np.append(readable, np.float32(0.0))
    (before, after), (before_2, after_2) = layout.around
    best = rank.best_of_sessions(scores, layout, among)
    place = np.empty(len(best), np.float32)
    place[np.argsort(-best, kind="stable")] = np.arange(len(best), dtype=np.float32)
    session = layout.session[places]
    return {
        "score": scores[places],
        "place": -np.log1p(np.arange(len(places), dtype=np.float32)),
        "score_before": padded[before[places]],
        "score_after": padded[after[places]],
        "score_before_2": padded[before_2[places]],
        "score_after_2": padded[after_2[places]],
        "session_best": best[session],
        "session_place": place[session],
        "below_session": scores[places] - best[session],
    }


# --- What is made of it -----------------------------------------------------------------------------------------------


_LIMIT = 3.0
_STIFF = 0.1
"""Share of a feature's usual spread that is added to its spread among what is read: what hardly differs says little."""


def inputs(found: Mapping[str, Floats], names: Sequence[str], centre: Floats, scale: Floats) -> Floats:
    """(k, inputs) features as a network takes them: compared within the list, or with what is usual for a question."""
    many = len(next(iter(found.values())))
    nothing = np.zeros(many, np.float32)
    rows = np.stack([found.get(name, nothing) for name in names]).astype(np.float32)
    overall = np.array([name.startswith("asked_") for name in names])
    mean = np.where(overall, centre, rows.mean(axis=1))
    spread = np.where(overall, scale, rows.std(axis=1) + np.float32(_STIFF) * scale)
    return np.clip((rows - mean[:, None]) / np.maximum(spread, 1e-6)[:, None], -_LIMIT, _LIMIT).T.astype(np.float32)


def judged(net: Net, found: Mapping[str, Floats]) -> Floats:
    """(k,) the new scores, in the unit of the first."""
    x = inputs(found, net.features, net.centre, net.scale)
    raised = np.tanh(x @ net.hidden + net.bias) @ net.out
    return (found["score"] + raised / np.float32(rank.SHARPNESS)).astype(np.float32)


def reread(scores: Floats, places: Ints, net: Net, found: Mapping[str, Floats]) -> Floats:
    """(n,) the scores after reading: those of the read documents are new, and the others stay behind them.

    What was not read keeps its distances, below the least of what was.
    """
    new = judged(net, found)
    fallen = float(new.min()) - float(scores[places].min())
    final = scores + np.float32(min(fallen, 0.0))
    behind = np.nextafter(np.float32(new.min()), np.float32(-np.inf))
    np.minimum(final, behind, out=final)
    final[places] = new
    return final


def talk_of(roles: Sequence[str], names: Sequence[str], lengths: Floats) -> Talk | None:
    """The kind of talk, by the roles, names and words of those documents that are read; None for none of the three.

    Two who are called by their names are people, whatever their roles. Long texts of nobody are written ones, even
    where their role does not say so.
    """
    if not len(roles):
        return None
    if sum(role == "document" for role in roles) * 2 > len(roles):
        return "documents"
    if len({name for name in names if name}) > 1:
        return "people"
    if "assistant" in roles:
        return "assistant"
    return "documents" if not any(names) and float(np.mean(lengths)) >= _WRITTEN else None


_WRITTEN = 40.0
"""Words that the texts of nobody have at least, in the mean, to be taken for written ones."""
