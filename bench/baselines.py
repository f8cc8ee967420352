"""What Mnemic must beat: simple searches over the same messages, with the same packing into a budget.

A baseline is prepared with a conversation and then ranks its messages for a question, best first. It sees what had been
said when the question was asked and nothing later: counts, lengths and weights are those of that part alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import snowballstemmer  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from bench.datasets import Conversation, Message, Question
from mnemic.models import wordllama
from mnemic.text import passages

Ranker = Callable[[Question], list[str]]
Prepare = Callable[[Conversation], Ranker]
Scores = NDArray[np.float64]

CANDIDATES = 100
"""How many messages a ranking names at most."""

# Words that nearly every English question holds. Chat has few questions, so its own counts would take them for rare.
_STOP_WORDS = """
a about an and any are as at be been by can could did do does for from had has have he her his how i if in is it its me
my of on or our she so some than that the their them they this to was we were what when where which who whom whose why
will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def said(message: Message) -> str:
    return f"{message.name}: {message.content}" if message.name else message.content


_stemmer: Any = snowballstemmer.stemmer("english")  # pyright: ignore[reportUnknownMemberType]


@cache
def _stem(word: str) -> str:
    return _stemmer.stemWord(word)


def terms(text: str) -> list[str]:
    """Stems of the words, stop words left out."""
    return [_stem(word) for word in re.findall(r"\w+", text.lower()) if word not in STOP_WORDS]


def windows(messages: Sequence[Message]) -> list[tuple[int, ...]]:
    """For each message the places of it and its neighbours in the same session."""
    last = len(messages) - 1
    return [
        tuple(
            place
            for place in (here - 1, here, here + 1)
            if 0 <= place <= last and messages[place].session_id == messages[here].session_id
        )
        for here in range(len(messages))
    ]


# --- Words ------------------------------------------------------------------------------------------------------------


def grep(conversation: Conversation) -> Ranker:
    """The number of the question's words that a message contains; the newest first among equals."""
    words = [set(re.findall(r"\w+", said(message).lower())) for message in conversation.messages]

    def rank(question: Question) -> list[str]:
        asked = set(re.findall(r"\w+", question.text.lower())) - STOP_WORDS
        heard = words[: question.history]
        return _ranked(conversation, np.array([len(asked & message) for message in heard], dtype=np.float64))

    return rank


@dataclass(frozen=True, slots=True)
class Postings:
    """For each term the texts that hold it and how often, and the length of each text in terms."""

    of: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
    lengths: NDArray[np.float64]

    @classmethod
    def build(cls, texts: Iterable[Sequence[str]]) -> Postings:
        found: dict[str, list[tuple[int, int]]] = {}
        lengths: list[int] = []
        for number, said_terms in enumerate(texts):
            lengths.append(len(said_terms))
            for term, count in Counter(said_terms).items():
                found.setdefault(term, []).append((number, count))
        arrays = {
            term: (np.array([d for d, _ in pairs]), np.array([float(c) for _, c in pairs]))
            for term, pairs in found.items()
        }
        return cls(arrays, np.array(lengths, dtype=np.float64))

    def bm25(self, query: Sequence[str], first: int | None = None, *, k1: float = 1.2, b: float = 0.75) -> Scores:
        """Okapi BM25 over the `first` texts, with Lucene's weights of terms, which are never negative."""
        lengths = self.lengths[:first]
        size = len(lengths)
        scores = np.zeros(size)
        mean = lengths.mean() if size else 1.0
        for term, times in Counter(query).items():
            if term not in self.of:
                continue
            texts, counts = self.of[term]
            stop = int(np.searchsorted(texts, size))
            if not stop:
                continue
            texts, counts = texts[:stop], counts[:stop]
            weight = np.log1p((size - stop + 0.5) / (stop + 0.5))
            scores[texts] += times * weight * counts * (k1 + 1) / (counts + k1 * (1 - b + b * lengths[texts] / mean))
        return scores


def bm25(conversation: Conversation) -> Ranker:
    """BM25 over single messages."""
    postings = Postings.build(terms(said(message)) for message in conversation.messages)
    return lambda question: _ranked(conversation, postings.bm25(terms(question.text), question.history))


def bm25_windows(conversation: Conversation) -> Ranker:
    """BM25 over each message with its neighbours."""
    scores = _bm25_window_scores(conversation)
    return lambda question: _ranked(conversation, scores(question))


def _bm25_window_scores(conversation: Conversation) -> Callable[[Question], Scores]:
    messages = [terms(said(message)) for message in conversation.messages]
    joined = ([term for place in window for term in messages[place]] for window in windows(conversation.messages))
    postings = Postings.build(joined)
    return lambda question: postings.bm25(terms(question.text), question.history)


# --- Vectors ----------------------------------------------------------------------------------------------------------


@cache
def _embedder() -> wordllama.WordLlamaEmbedder:
    return wordllama.WordLlamaEmbedder()


def dense(conversation: Conversation) -> Ranker:
    """The cosine of mean-pooled WordLlama vectors, as its own package gives them."""
    vectors = _unit(_embedder().embed_documents([said(message) for message in conversation.messages]))

    def rank(question: Question) -> list[str]:
        query = _unit(_embedder().embed_documents([question.text]))[0]
        return _ranked(conversation, (vectors[: question.history] @ query).astype(np.float64), positive=False)

    return rank


def dense_windows(conversation: Conversation) -> Ranker:
    """Each message with its neighbours, and the question's tokens weighted by smooth inverse frequency (Arora and
    others 2017) in what had been said."""
    scores = _dense_window_scores(conversation)
    return lambda question: _ranked(conversation, scores(question), positive=False)


def _dense_window_scores(conversation: Conversation, a: float = 1e-3) -> Callable[[Question], Scores]:
    embedder = _embedder()
    tokens = embedder.tokenize_many([said(message) for message in conversation.messages])
    sums = embedder.embed_token_lists(tokens)
    vectors = _unit(np.stack([sums[list(window)].sum(axis=0) for window in windows(conversation.messages)]))

    @cache
    def counts(history: int | None) -> NDArray[np.int64]:
        heard = tokens.ids if history is None else tokens.ids[: tokens.offsets[history]]
        return np.bincount(heard, minlength=embedder.vocabulary)

    def score(question: Question) -> Scores:
        asked = embedder.tokenize(question.text)
        frequencies = counts(question.history)
        weights = a / (a + frequencies[asked] / max(int(frequencies.sum()), 1))
        query = embedder.embed_tokens(asked, weights.astype(np.float32))
        return (vectors[: question.history] @ query).astype(np.float64)

    return score


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9).astype(np.float32)


# --- Both, and neither ------------------------------------------------------------------------------------------------


def fusion(conversation: Conversation) -> Ranker:
    """Reciprocal rank fusion (Cormack and others 2009, k = 60) of the two searches over windows."""
    lexical, vector = _bm25_window_scores(conversation), _dense_window_scores(conversation)

    def rank(question: Question) -> list[str]:
        words = lexical(question)
        matching = _order(words)[: np.count_nonzero(words > 0)]
        fused = np.zeros(len(words))
        for places in (matching, _order(vector(question))):
            fused[places] += 1 / (60 + 1 + np.arange(len(places)))
        return _ranked(conversation, fused)

    return rank


def newest(conversation: Conversation) -> Ranker:
    """The whole history, the newest first: what fits into a budget is all that is remembered."""
    return lambda question: [message.id for message in reversed(conversation.heard(question))]


def _order(scores: Scores) -> NDArray[np.int64]:
    """Places by falling score, the newest first among equals."""
    return len(scores) - 1 - np.argsort(-scores[::-1], kind="stable")


def _ranked(conversation: Conversation, scores: Scores, *, positive: bool = True) -> list[str]:
    order: list[int] = _order(scores)[:CANDIDATES].tolist()
    return [conversation.messages[place].id for place in order if scores[place] > 0 or not positive]


BASELINES: dict[str, Prepare] = {
    "newest first": newest,
    "grep": grep,
    "BM25": bm25,
    "BM25 windows": bm25_windows,
    "dense": dense,
    "dense windows": dense_windows,
    "fusion": fusion,
}


# --- Packing ----------------------------------------------------------------------------------------------------------

PASSAGE_TOKENS = 150
"""As in Mnemic, a longer message is shown as one of its passages: here the one with most of the question's words."""


class Packer:
    """Fills a budget in Mnemic's own way: in order of rank, each with speaker and date, up to the first that does not
    fit. The order does not depend on the budget, so a larger one never covers less."""

    def __init__(self, conversation: Conversation, count: Callable[[str], int]) -> None:
        self._messages = {message.id: message for message in conversation.messages}
        self._count = count
        self._cut: dict[str, list[tuple[str, int, frozenset[str]]]] = {}

    def __call__(self, question: str, ranked: Sequence[str], budgets: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """For each budget the ids of the messages that fit into it."""
        asked = frozenset(terms(question))
        largest, used = max(budgets), 0
        ends: list[int] = []
        days: set[str] = set()
        for id in ranked:
            day = (self._messages[id].time or "")[:10]
            _, length, _ = max(self._passages(id), key=lambda passage: len(asked & passage[2]))
            used += length + (0 if day in days else self._count(day) + 1)
            days.add(day)
            if used > largest:
                break
            ends.append(used)
        return {budget: tuple(ranked[: sum(end <= budget for end in ends)]) for budget in budgets}

    def _passages(self, id: str) -> list[tuple[str, int, frozenset[str]]]:
        """The passages of a message, each with the length of its line and its terms."""
        if id not in self._cut:
            message = self._messages[id]
            spans = passages(message.content, PASSAGE_TOKENS, self._count)
            parts = [message.content[start:end] for start, end in spans]
            speaker = message.name or message.role
            self._cut[id] = [
                (part, self._count(f"[10] {speaker}: {part}") + 1, frozenset(terms(part))) for part in parts
            ]
        return self._cut[id]
