"""Fakes that ship: deterministic, honest, and without a model. For Mnemic's own tests and for yours."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import InputError, TimeError
from mnemic.ports import TokenLists

_TOKEN = re.compile(r"\w+")
_VOCABULARY = 65_536


class HashEmbedder:
    """A TokenEmbedder without weights: a bag of hashed words. Same result on every machine and in every process.

    A token is a lower-cased word, its id is the CRC-32 of the word modulo `vocabulary`, its vector has `dims` entries
    of +1 or -1 drawn from the id. So vectors of different words are nearly orthogonal (cosine about 0 ± 1/√dims),
    shared words are all that makes texts similar, and sums are whole numbers: exact in any order.
    """

    def __init__(self, dims: int = 64) -> None:
        if dims < 1:
            raise InputError(f"dims must be at least 1 (got {dims})")
        self._dims = dims

    def __repr__(self) -> str:
        return f"HashEmbedder(dims={self._dims})"

    @property
    def space(self) -> str:
        """`hash:<dims>`."""
        return f"hash:{self._dims}"

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return self._dims

    @property
    def vocabulary(self) -> int:
        """Number of token ids: 65,536."""
        return _VOCABULARY

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The plain sums of the texts' token vectors, shape (len(texts), dims)."""
        return self.embed_token_lists(self.tokenize_many(texts))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The plain sum of the text's token vectors, shape (dims,)."""
        return self.embed_documents([text])[0]

    def tokenize(self, text: str) -> NDArray[np.int32]:
        """Token ids of a text, shape (tokens,)."""
        words = _TOKEN.findall(text.lower())
        return np.array([zlib.crc32(word.encode()) % _VOCABULARY for word in words], dtype=np.int32)

    def tokenize_many(self, texts: Sequence[str]) -> TokenLists:
        """Token ids of several texts, end to end."""
        lists = [self.tokenize(text) for text in texts]
        offsets = np.zeros(len(lists) + 1, dtype=np.int64)
        offsets[1:] = np.cumsum([len(ids) for ids in lists])
        return TokenLists(np.concatenate([np.empty(0, np.int32), *lists]), offsets)

    def embed_token_lists(self, tokens: TokenLists) -> NDArray[np.float32]:
        """The plain sum of each text's token vectors, shape (texts, dims); zeros for a text without tokens."""
        sums = np.zeros((len(tokens.offsets) - 1, self._dims), dtype=np.float32)
        np.add.at(sums, np.repeat(np.arange(len(sums)), tokens.lengths), self._vectors(tokens.ids))
        return sums

    def embed_tokens(self, tokens: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted sum of token vectors, shape (dims,). Raises InputError when the two shapes differ."""
        if tokens.shape != weights.shape or tokens.ndim != 1:
            raise InputError(f"tokens and weights must have one shape (n,): got {tokens.shape} and {weights.shape}")
        return weights.astype(np.float32, copy=False) @ self._vectors(tokens)

    def _vectors(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Signs for (id, column) pairs, shape (len(ids), dims): the top bit of splitmix64 (Steele et al. 2014)."""
        mixed = ids.astype(np.uint64)[:, None] * np.uint64(self._dims) + np.arange(self._dims, dtype=np.uint64)
        mixed = (mixed + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return np.where(mixed >> np.uint64(63), np.float32(1), np.float32(-1))


class FrozenClock:
    """A Clock that stands still until it is moved. `start` must have a time zone; 2024-01-01 00:00 UTC by default."""

    def __init__(self, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> None:
        if start.utcoffset() is None:
            raise TimeError(f"a clock needs a time with a zone (got {start!r}); add tzinfo=UTC")
        self._now = start

    def __call__(self) -> datetime:
        """The moment at which the clock stands."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move the clock (backwards if negative) and return the new moment."""
        self._now += timedelta(seconds=seconds)
        return self._now
