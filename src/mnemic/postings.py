"""The lexical index: packed runs of postings, built once, merged, and rewritten without what is erased.

A segment covers `size` consecutive documents of one wall. For each term (a 64-bit hash, so that there is no dictionary
of words) it holds the documents that contain it and how often. Everything is a numpy array and goes to the store as
bytes. Segments are values: building, merging and erasing make new ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

TIERS = (16, 256, 4_096, 32_768)
"""Sizes at which small segments are merged into one."""
LARGEST = 65_536
"""Documents in a segment at most: what fits the packed document numbers (uint16). Twice the last tier."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text, analysed: what a segment needs to know of it."""

    terms: NDArray[np.uint64]
    """Hashes of its index terms, with repeats."""
    length: int
    """Number of words, which is what BM25 normalises by."""
    tokens: NDArray[np.int32]
    """The embedder's token ids, with repeats; empty for an embedder without tokens."""
    vector: NDArray[np.float32] | None
    """Shape (dims,); None without an embedder."""


EMPTY = Document(np.empty(0, np.uint64), 0, np.empty(0, np.int32), None)
"""What an erased document leaves behind: its place."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Documents `first` … `first + size - 1` of one wall."""

    first: int
    size: int
    terms: NDArray[np.uint64]
    """(terms,) ascending."""
    starts: NDArray[np.uint32]
    """(terms + 1,): postings of term i are documents[starts[i]:starts[i + 1]]."""
    documents: NDArray[np.uint16]
    """(postings,) relative to `first`, ascending within a term."""
    counts: NDArray[np.uint16]
    """(postings,) times the term occurs."""
    lengths: NDArray[np.uint32]
    """(size,)"""
    tokens: NDArray[np.int32]
    """(distinct,) embedder tokens that occur in the segment, ascending …"""
    token_counts: NDArray[np.int64]
    """… and how often."""
    vectors: NDArray[np.float16] | None
    """(size, dims)"""
    coarse: NDArray[np.bool_] | None = None
    """(size,) whose vectors are kept in one byte a number (`coarsened`); None: nobody's."""

    @property
    def nbytes(self) -> int:
        """Memory of all arrays."""
        arrays = (self.terms, self.starts, self.documents, self.counts, self.lengths, self.tokens, self.token_counts)
        return sum(array.nbytes for array in arrays) + (0 if self.vectors is None else self.vectors.nbytes)

    def postings(self, keys: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.uint16]]]:
        """For each of the term hashes that is here: its place among `keys`, the absolute numbers of its documents
        (ascending, a new array) and its counts in them."""
        if not len(self.terms):
            return
        at = self.terms.searchsorted(keys)
        at[at == len(self.terms)] = 0
        for which in np.flatnonzero(self.terms[at] == keys).tolist():
            low, high = self.starts[at[which] : at[which] + 2].tolist()
            yield which, self.documents[low:high].astype(np.intp) + self.first, self.counts[low:high]

    def holds(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of the term hashes are here."""
        if not len(self.terms):
            return np.zeros(len(keys), np.bool_)
        at = self.terms.searchsorted(keys)
        at[at == len(self.terms)] = 0
        return self.terms[at] == keys

    def counts_of(self, tokens: NDArray[np.int32]) -> NDArray[np.int64]:
        """How often embedder tokens stand here: int64, of the shape of `tokens`."""
        if not len(self.tokens):
            return np.zeros(len(tokens), np.int64)
        at = self.tokens.searchsorted(tokens)
        at[at == len(self.tokens)] = 0
        return np.where(self.tokens[at] == tokens, self.token_counts[at], 0)


def build(first: int, documents: Sequence[Document]) -> Segment:
    """A segment of at most `LARGEST` documents."""
    if len(documents) == 1:
        return _of_one(first, documents[0])
    hashes = np.concatenate([document.terms for document in documents])
    owners = np.repeat(np.arange(len(documents), dtype=np.uint16), [len(d.terms) for d in documents])
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    new_pair = np.ones(len(hashes), bool)
    new_pair[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    at = np.flatnonzero(new_pair)
    counts = np.diff(at, append=len(hashes))
    tokens, token_counts = np.unique(np.concatenate([document.tokens for document in documents]), return_counts=True)
    vectors = [document.vector for document in documents]
    dims = next((len(vector) for vector in vectors if vector is not None), None)
    return _packed(
        first,
        len(documents),
        hashes[at],
        owners[at],
        np.minimum(counts, 65_535).astype(np.uint16),
        np.array([document.length for document in documents], np.uint32),
        tokens.astype(np.int32),
        token_counts.astype(np.int64),
        None if dims is None else _halves(np.stack([np.zeros(dims, np.float32) if v is None else v for v in vectors])),
    )


def _of_one(first: int, document: Document) -> Segment:
    """`build` for one document, which most writes are: a few microseconds instead of a hundred."""
    terms: Counter[int] = Counter(document.terms.tolist())
    tokens: Counter[int] = Counter(document.tokens.tolist())
    found, ids = sorted(terms), sorted(tokens)
    return Segment(
        first,
        1,
        np.array(found, np.uint64),
        np.arange(len(found) + 1, dtype=np.uint32),
        np.zeros(len(found), np.uint16),
        np.array([min(terms[term], 65_535) for term in found], np.uint16),
        np.array([document.length], np.uint32),
        np.array(ids, np.int32),
        np.array([tokens[id_] for id_ in ids], np.int64),
        None if document.vector is None else _halves(document.vector[None]),
    )


def _runs(values: NDArray[Any]) -> NDArray[np.int64]:
    """Where each run of equal values begins."""
    new = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return np.flatnonzero(new)


def merge(segments: Sequence[Segment]) -> Segment:
    """One segment in place of several adjacent ones, given in order. Their vectors must be of one space."""
    first = segments[0].first
    hashes = np.concatenate([np.repeat(s.terms, np.diff(s.starts)) for s in segments])
    owners = np.concatenate([s.documents.astype(np.uint32) + np.uint32(s.first - first) for s in segments])
    order = np.argsort(hashes, kind="stable")  # stable keeps documents ascending within a term
    tokens, where = np.unique(np.concatenate([s.tokens for s in segments]), return_inverse=True)
    totals = np.zeros(len(tokens), np.int64)
    np.add.at(totals, where, np.concatenate([s.token_counts for s in segments]))
    dims = next((s.vectors.shape[1] for s in segments if s.vectors is not None), None)
    vectors = (
        None
        if dims is None
        else np.concatenate(
            [np.zeros((s.size, dims), np.float16) if s.vectors is None else s.vectors for s in segments]
        )
    )
    coarse = [np.zeros(s.size, np.bool_) if s.coarse is None else s.coarse for s in segments]
    merged = _packed(
        first,
        sum(s.size for s in segments),
        hashes[order],
        owners[order].astype(np.uint16),
        np.concatenate([s.counts for s in segments])[order],
        np.concatenate([s.lengths for s in segments]),
        tokens,
        totals,
        vectors,
    )
    return merged if all(s.coarse is None for s in segments) else replace(merged, coarse=np.concatenate(coarse))


def without(segment: Segment, erased: dict[int, NDArray[np.int32]]) -> Segment:
    """The segment without these documents: {absolute number: the embedder tokens that it had}. Their places stay."""
    gone = np.zeros(segment.size, bool)
    gone[[number - segment.first for number in erased]] = True
    keep = ~gone[segment.documents]
    hashes = np.repeat(segment.terms, np.diff(segment.starts))[keep]
    lengths = np.where(gone, 0, segment.lengths).astype(np.uint32)
    tokens, token_counts = segment.tokens, segment.token_counts
    if len(tokens):
        ids, times = np.unique(np.concatenate(list(erased.values())), return_counts=True)
        held = np.isin(ids, tokens)
        token_counts = token_counts.copy()
        token_counts[np.searchsorted(tokens, ids[held])] -= times[held]
        tokens, token_counts = tokens[token_counts > 0], token_counts[token_counts > 0]
    vectors = None if segment.vectors is None else np.where(gone[:, None], np.float16(0), segment.vectors)
    left = _packed(
        segment.first,
        segment.size,
        hashes,
        segment.documents[keep],
        segment.counts[keep],
        lengths,
        tokens,
        token_counts,
        vectors,
    )
    return replace(left, coarse=segment.coarse)


def coarsened(vectors: NDArray[np.float16]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Vectors (n, dims) in one byte a number: the scale of each, (n,), and its numbers from -127 to 127, (n, dims).

    A number is off by half a 127th of its vector's largest at most.
    """
    plain = vectors.astype(np.float32)
    scales = np.abs(plain).max(axis=1, initial=0.0) / np.float32(127.0)
    return scales, np.rint(plain / np.where(scales > 0.0, scales, 1.0)[:, None]).astype(np.int8)


def refined(scales: NDArray[np.float32], numbers: NDArray[np.int8]) -> NDArray[np.float16]:
    """The vectors that `coarsened` has made small, (n, dims), about."""
    return _halves(scales[:, None] * numbers.astype(np.float32))


def due(sizes: Sequence[int]) -> int:
    """How many of the last segments (their sizes, in order) are to be merged into one now; 0 for none.

    The trailing segments smaller than a tier are merged once together they fill it, so a document is rewritten at most
    once per tier and few segments ever stand.
    """
    best = 0
    for tier in TIERS:
        run, total = 0, 0
        for size in reversed(sizes):
            if size >= tier or total + size > LARGEST:
                break
            run, total = run + 1, total + size
        if run > 1 and total >= tier:
            best = run
    return best


def _packed(
    first: int,
    size: int,
    hashes: NDArray[np.uint64],
    owners: NDArray[np.uint16],
    counts: NDArray[np.uint16],
    lengths: NDArray[np.uint32],
    tokens: NDArray[np.int32],
    token_counts: NDArray[np.int64],
    vectors: NDArray[np.float16] | None,
) -> Segment:
    at = _runs(hashes)
    starts = np.append(at, len(hashes)).astype(np.uint32)
    return Segment(first, size, hashes[at], starts, owners, counts, lengths, tokens, token_counts, vectors)


def _halves(vectors: NDArray[np.float32]) -> NDArray[np.float16]:
    """float16 as stored. Sums beyond its range are clipped; 150 tokens stay far below."""
    return np.maximum(np.minimum(vectors, np.float32(65_504)), np.float32(-65_504)).astype(np.float16)
