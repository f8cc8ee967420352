"""The ways to recall: each takes a question and a frame and gives every document a number.

`lexical` by the question's words, `dense` by its vector, `time` by a time that it names. `rank.combine` puts them
together; recency decides among equals. `talk` and `linked` are a second round, which starts from what the first found.
A further channel is one more callable here and one more weight in `rank.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mnemic import dates, question, rank, spelling, text, when
from mnemic.analysis import SUBJECT
from mnemic.frame import Bools, Frame
from mnemic.models.wrap import is_token_embedder, lexicon_of
from mnemic.ports import Embedder, Lexicon
from mnemic.times import moment

SUBJECT_WEIGHT = 1.5
"""A word found in a record's subject or aliases counts so much more, on top of the text's own score."""


def understand(
    query: str, frame: Frame, embedder: Embedder | None = None
) -> tuple[rank.Asked, NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """The question as the ranking takes it; per document, whether it is about what its speaker said, and whether it
    names the speaker (None: no document).

    Only speakers that the question could mean are looked at: a channel may have ten thousand.
    """
    asked, codes, _ = _read(query, frame, embedder)

    def of_documents(speakers: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        if not speakers.any():
            return None
        chosen = np.zeros(len(frame.speakers) + 1, np.bool_)
        chosen[codes] = speakers
        return chosen[frame.columns["speaker"]]

    return asked, of_documents(asked.speakers), of_documents(asked.named)


def _read(query: str, frame: Frame, embedder: Embedder | None) -> tuple[rank.Asked, list[int], dict[str, str]]:
    """The question as the ranking takes it, the speakers that it is about, and what its misspelt words mean."""
    words = text.words(query)
    meant = misspelt(words, frame, embedder)
    if meant:
        query = spelling.corrected(query, meant)
        words = text.words(query)
    codes = sorted(
        {code for word in ("", *words) for code in frame.by_word.get(word, ()) if code < len(frame.speakers)}
    )
    codes += [code for code in frame.parties if code not in codes]
    return rank.read_question(query, [frame.speakers[code] for code in codes]), codes, meant


def understood(query: str, frame: Frame, asked_at: datetime, embedder: Embedder | None) -> tuple[str, ...]:
    """What a search understands of a question, in words: misspelt words, names, a time, and what is wanted."""
    asked, codes, meant = _read(query, frame, embedder)
    told = [f"'{word}' stands for '{known}'" for word, known in meant.items()]
    named = [frame.speakers[code].name for code, one in zip(codes, asked.named.tolist(), strict=True) if one]
    if named:
        told.append(f"it names {', '.join(dict.fromkeys(named))}")
    interval = when.named_interval(query, asked_at)
    if interval is not None:
        first, last = (f"{moment(one).astimezone(asked_at.tzinfo):%Y-%m-%d %H:%M}" for one in interval)
        told.append(f"it names the time from {first} to {last}")
    wanted = question.wanted(query)
    kind = "several things" if wanted.several else _KINDS.get(wanted.kind, f"a {wanted.kind}")
    return (*told, f"it wants {kind}{_AIMS[wanted.aim]}")


_KINDS: dict[question.Kind, str] = {"duration": "a length of time", "yes or no": "yes or no"}
_AIMS: dict[question.Aim, str] = {
    "fact": "",
    "state": ", as it is now",
    "history": ", as it was",
    "order": ", by what came first",
    "preference": ", by what somebody likes",
    "summary": ", summed up",
}


def misspelt(words: Sequence[str], frame: Frame, embedder: Embedder | None) -> dict[str, str]:
    """Which of a question's words, those of `text.words`, are misspelt, and what they mean.

    A word that no text of the scope has, and no name, means the names of speakers and subjects that are one edit away;
    else the words of subjects and aliases; else, from six letters on, the common word that most texts have. Of what is
    no name, an embedder that knows common words says which words are right as they are: without it they all are.
    """
    lexicon = lexicon_of(embedder)
    near: dict[str, list[str]] = {}
    for word in words:
        if len(word) < spelling.EDITABLE or word in frame.by_word or not word.isalpha():
            continue
        start = frame.by_start.get(word[: spelling.KEPT], ())
        names = [name for name in start if spelling.one_edit(name, word)] if start else []
        if names or (lexicon is not None and word.isascii() and not lexicon.is_word(word)):
            near[word] = names
    if not near:
        return {}
    meant: dict[str, str] = {}
    unheard = _unheard(text.content_words(near), frame)
    for word, names in near.items():
        if names:
            stems = text.terms(word)
            if word in unheard or any(text.terms(name) == stems for name in names):
                meant[word] = " ".join(names)
        elif lexicon is not None and word in unheard:
            known = _title(word, frame) or _common(word, frame, lexicon)
            if known:
                meant[word] = known
    return meant


def _unheard(words: Sequence[str], frame: Frame) -> set[str]:
    """Those of some words that no text has, nor a subject or alias."""
    left = set(words)
    for namespace in ("", text.COMPOUND, SUBJECT):
        if not left:
            break
        terms = {word: [namespace + term for term in text.terms(word)] for word in left}
        held = frame.held_of([term for found in terms.values() for term in found])
        left = {word for word, found in terms.items() if held.isdisjoint(found)}
    return left


def _title(word: str, frame: Frame) -> str | None:
    """The words of subjects and aliases that a misspelt one may be."""
    if all(kind == "episode" for kind in frame.kinds):
        return None
    near = sorted(edit for term in text.terms(word) for edit in spelling.edits(term))
    held = frame.held_of([SUBJECT + term for term in near])
    return " ".join(term for term in near if SUBJECT + term in held) or None


def _common(word: str, frame: Frame, lexicon: Lexicon) -> str | None:
    """The common word that a misspelt one may be: of several, the one in most texts."""
    if len(word) < _WORD:
        return None
    near = sorted(filter(lexicon.is_word, spelling.edits(word)))
    terms = frame.terms([text.QueryTerm(term, 1.0, False) for edit in near for term in text.terms(edit)], None)
    counts = [len(term.documents) for term in terms]
    most = max(counts, default=0)
    return near[counts.index(most)] if most else None


_WORD = 6
"""Letters from which on a word that is no name may be misspelt: shorter ones have too many neighbours."""


def lexical(asked: rank.Asked, frame: Frame, among: Bools | None, standing: Sequence[rank.Term]) -> rank.Lexical:
    """BM25 of each document, alone and in its contexts; words in subjects and aliases count above the text.

    Only documents `among` those that may be returned (None: all) have a part in it: a turn must not be found for what
    its neighbour said before that was retired. `standing` says where among them each of the question's terms stands.
    """
    terms = list(standing)
    if any(kind != "episode" for kind in frame.kinds):
        titles = frame.terms([term for term in asked.terms if not term.compound], among, SUBJECT)
        terms += [term._replace(weight=term.weight * SUBJECT_WEIGHT) for term in titles if len(term.documents)]
    return rank.lexical(terms, frame.layout if among is None else rank.among(frame.layout, among))


def dense(query: NDArray[np.float32] | None, frame: Frame, among: Bools | None) -> rank.Dense | None:
    """Cosines of the question's vector with each document, alone and in its contexts; None where there are none."""
    if query is None or frame.norms is None:
        return None
    return rank.dense(frame.dots(query, among), float(np.linalg.norm(query)), frame.norms, frame.layout)


def time(query: str, frame: Frame, asked_at: datetime) -> NDArray[np.float32] | None:
    """How close each document is to the time that the question names ("in June", "last week"); None for none."""
    interval = when.named_interval(query, asked_at)
    return None if interval is None else rank.closeness(frame.columns["time"], interval)


def query_vector(about: str, frame: Frame, embedder: Embedder | None) -> NDArray[np.float32] | None:
    """The question's vector: for a token embedder weighted by how rare its tokens are in the scope.

    Raises ModelError when the embedder fails.
    """
    if embedder is None or frame.norms is None:
        return None
    if is_token_embedder(embedder):
        tokens = embedder.tokenize(about)
        return embedder.embed_tokens(tokens, frame.token_weights(tokens))
    return embedder.embed_query(about)


_THREADS = 5
"""Sessions that say what a message goes on with."""
_SAMPLE = 2000
"""Documents whose mean says what all of a scope is about."""
_CARRIED = 2000
"""Characters of names that are looked up at most."""


def talk(scores: NDArray[np.float32], frame: Frame, among: Bools | None) -> dict[str, NDArray[np.float32]]:
    """For a message of an ongoing talk: which sessions are about what the best ones are about, and which are recent.

    The thread that a message belongs to is told better by the sessions that it is like than by its own few words.
    """
    found = {"recent": rank.recency(frame.columns["time"], frame.layout, among)}
    if frame.norms is None:
        return found
    best = rank.best_of_sessions(scores, frame.layout, among)
    threads = np.argsort(-best, kind="stable")[:_THREADS]
    threads = threads[np.isfinite(best[threads])]
    centre = np.zeros(frame.dims, np.float32)
    for thread, share in zip(threads.tolist(), rank.softmax(best[threads]).tolist(), strict=True):
        members = np.flatnonzero(
            frame.layout.session == thread if among is None else (frame.layout.session == thread) & among
        )
        centre += np.float32(share) * _unit(frame.sum_of(members))
    every = np.arange(frame.size) if among is None else np.flatnonzero(among)
    common = _unit(frame.sum_of(every[:: max(1, len(every) // _SAMPLE)]))
    centre -= (centre @ common) * common
    sense = dense(centre, frame, among)
    return found if sense is None else found | {"topic": rank.topic(sense.session)}


def is_chained(query: str, asked: rank.Asked) -> bool:
    """Whether what is asked for hangs on something else that is called by a name: not by a speaker's, nor by a date."""
    if not question.is_chained(query):
        return False
    looked_up = {term.term for term in asked.terms}
    named = {term for name in question.names(query) for term in text.terms(name)}
    return any(term in looked_up and not term[0].isdigit() for term in named - _CALENDAR)


_CALENDAR = frozenset(term for name in dates.CALENDAR for term in text.terms(name))


def linked(
    asked: rank.Asked, seeds: rank.Ints, words: str, frame: Frame, among: Bools | None, text_of: rank.Ints
) -> dict[str, NDArray[np.float32]]:
    """Documents that share names with `words`, those of the `seeds`; not names of the question, or of who speaks.

    `text_of` (n,) says which passages are of one text.
    """
    known = {term.term for term in asked.terms}
    names = " ".join(question.names(words))[:_CARRIED]
    fresh = [term for term in dict.fromkeys(text.terms(names)) if len(term) > 2 and term not in known]
    fresh = text.content_words(fresh)
    terms = frame.terms([text.QueryTerm(term, 1.0, False) for term in fresh], among)
    found = rank.linked(terms, seeds, text_of, among)
    return {"linked": found} if found.any() else {}


def rarity(words: Sequence[str], frame: Frame, among: Bools | None) -> NDArray[np.float32]:
    """How rare each of these words is among the documents, (words,); it adds up to 1."""
    terms = [(text.terms(word) or [""])[0] for word in words]
    found = frame.terms([text.QueryTerm(term, 1.0, False) for term in terms], among)
    living = frame.size if among is None else int(np.count_nonzero(among))
    rare = np.log1p(living / (1.0 + np.array([len(term.documents) for term in found])))
    return (rare / rare.sum()).astype(np.float32)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))
