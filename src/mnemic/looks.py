"""What texts show, and what their words mean: kept for the next question, since it costs most of a second look.

A cache, never the truth: a text never changes, and an erasure empties all of it.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from mnemic import reading
from mnemic.forks import READERS, watch
from mnemic.ports import TokenEmbedder
from mnemic.rank import Floats
from mnemic.reading import Look
from mnemic.stores.sqlite import Snapshot

_LOOKS = 20_000
"""Texts whose looks are kept: about a kilobyte each."""
_WORDS = 20_000
"""Words whose vectors are kept: a kilobyte each with 256 dimensions."""


class Looks:
    """The looks of records' rows, and the vectors of words."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        """Guards what follows. Taken inside scenes: who holds it waits for nobody."""
        self._looks: OrderedDict[int, Look] = OrderedDict()
        self._words: dict[str, int] = {}
        self._vectors: Floats = np.zeros((0, 0), np.float32)
        watch(self, READERS)

    def rest(self) -> None:
        """Let no thread be in the middle of what is kept here. See `forks`."""
        self._lock.acquire()

    def go_on(self, *, child: bool) -> None:
        """Let threads in again."""
        self._lock.release()

    def forget(self) -> None:
        """Drop all of it: after an erasure no word stays in memory."""
        with self._lock:
            self._looks.clear()
            self._words.clear()

    def of(self, snapshot: Snapshot, rows: Sequence[int]) -> dict[int, Look]:
        """What the texts of these rows show, by row."""
        with self._lock:
            missing = [row for row in rows if row not in self._looks]
            if missing:
                for found in snapshot.rows("texts_by_row", rows=json.dumps(missing)):
                    self._looks[found["row"]] = reading.look(found["text"] or "")
            for row in rows:
                self._looks.move_to_end(row)
            looks = {row: self._looks[row] for row in rows}
            while len(self._looks) > _LOOKS:
                self._looks.popitem(last=False)
            return looks

    def vectors(self, words: Sequence[str], embedder: TokenEmbedder) -> Floats:
        """(words, d) unit vectors; zeros for a word without tokens. A memory has one embedder, so none is asked for."""
        with self._lock:
            fresh = [word for word in dict.fromkeys(words) if word not in self._words]
            if fresh:
                self._keep(fresh, words, embedder)
            return self._vectors[[self._words[word] for word in words]]

    def _keep(self, fresh: list[str], words: Sequence[str], embedder: TokenEmbedder) -> None:
        if len(self._words) + len(fresh) > _WORDS:
            self._words.clear()
            fresh = list(dict.fromkeys(words))
        first = len(self._words)
        if first + len(fresh) > len(self._vectors):
            room = max(first + len(fresh), 2 * len(self._vectors), 1024)
            grown = np.zeros((room, embedder.dims), np.float32)
            if first:
                grown[:first] = self._vectors[:first]
            self._vectors = grown
        sums = embedder.embed_token_lists(embedder.tokenize_many(fresh))
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        self._vectors[first : first + len(fresh)] = sums / np.maximum(norms, 1e-9)
        self._words.update({word: first + number for number, word in enumerate(fresh)})
