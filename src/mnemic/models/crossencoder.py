"""Cross-encoders through onnxruntime: ms-marco-MiniLM-L-6-v2 and its kin, from a local folder.

A cross-encoder reads a question and a text together and answers how well the one fits the other (Nogueira, Cho: Passage
Re-ranking with BERT, 2019). That sees more than two vectors do, and nothing of it can be kept: every pair is read anew,
so it is for the best few dozen, not for all.

The folder is as `mnemic.models.graph` has it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, ModelError
from mnemic.models import foreign, graph

_WHAT = "cross-encoder"
_MAX_TOKENS = 512
"""Read of a pair at most, unless the caller says otherwise: what the encoders of this kind were trained on."""
_LEAST_TOKENS = 8
_STEP = 16
"""Pairs are padded to a multiple of so many tokens: by their own length, whatever else is in the batch."""


class CrossEncoder:
    """A Reranker: a sequence-pair classifier with one logit, or with two, whose difference is then the score.

    `model` is a folder, or a name such as "cross-encoder/ms-marco-MiniLM-L-6-v2" that lies in the hub's cache folder
    (`cache`, by default ~/.cache/huggingface/hub). With `download=True` a missing one is fetched. `max_tokens` bounds
    what is read of a pair (default: what the folder says, at most 512): the end of the text is left out, and of a
    question that takes more than half of it, the question's. `batch` is pairs per run, `threads` the cores (None:
    onnxruntime decides). Threads may share one.

    Raises MissingExtraError without onnxruntime and tokenizers, ConfigError when there is no such model, and at first
    use ModelError when the files cannot be used.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        max_tokens: int | None = None,
        batch: int = 16,
        threads: int | None = None,
        cache: Path | str | None = None,
        download: bool = False,
    ) -> None:
        graph.needed(_WHAT)
        if batch < 1:
            raise ConfigError(f"batch must be at least 1 (got {batch})")
        if max_tokens is not None and max_tokens < _LEAST_TOKENS:
            raise ConfigError(f"max_tokens must be at least {_LEAST_TOKENS}, some of them are marks (got {max_tokens})")
        self._name = Path(model).name
        self._folder = graph.find_folder(model, cache, _WHAT, download=download)
        self._max_tokens = max_tokens
        self._batch = batch
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: _Classifier | None = None

    def __repr__(self) -> str:
        return f"CrossEncoder({str(self._folder)!r})"

    @property
    def name(self) -> str:
        """`crossencoder:<name>`. Loads nothing."""
        return f"crossencoder:{self._name}"

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Logits, shape (len(texts),): the higher, the better a text answers the query. Raises ModelError."""
        scores = np.zeros(len(texts), dtype=np.float32)
        if not len(texts):
            return scores
        classifier = self._classifier
        pairs = classifier.pairs(query, texts)
        groups: dict[int, list[int]] = {}
        for at, pair in enumerate(pairs):
            groups.setdefault(-(-len(pair.ids) // _STEP) * _STEP, []).append(at)
        for width, group in groups.items():
            for first in range(0, len(group), self._batch):
                places = group[first : first + self._batch]
                scores[places] = classifier.logits([pairs[at] for at in places], width)
        if not np.isfinite(scores).all():
            raise ModelError(f"{classifier.graph.model} answered scores that are not finite")
        return scores

    @property
    def _classifier(self) -> _Classifier:
        classifier = self._loaded
        if classifier is None:
            with self._lock:
                classifier = self._loaded
                if classifier is None:
                    classifier = self._loaded = _load(self._folder, self._max_tokens, self._threads)
        return classifier


@dataclass(frozen=True, slots=True)
class _Pair:
    ids: list[int]
    types: list[int]
    """0 for the question's tokens, 1 for the text's."""


@dataclass(frozen=True)
class _Classifier:
    graph: graph.Graph
    output: str
    room: int
    """Tokens that a question and a text may have together, without the marks."""

    def pairs(self, query: str, texts: Sequence[str]) -> list[_Pair]:
        """The question with each of the texts, in tokens: the question is read once."""
        tokenizer = self.graph.tokenizer
        with foreign("the cross-encoder's tokenizer failed"):
            asked = tokenizer.encode(graph.well_formed(query), add_special_tokens=False)
            asked.truncate(min(len(asked.ids), self.room // 2))
            wanted = [graph.well_formed(text) for text in texts]
            found: list[Any] = tokenizer.encode_batch(wanted, add_special_tokens=False)
            pairs: list[_Pair] = []
            for one in found:
                one.truncate(min(len(one.ids), self.room - len(asked.ids)))
                both = tokenizer.post_process(asked, one, True)
                pairs.append(_Pair(both.ids, both.type_ids))
        return pairs

    def logits(self, pairs: Sequence[_Pair], width: int) -> NDArray[np.float32]:
        """One number a pair, shape (len(pairs),)."""
        answer, _ = self.graph.run(
            self.output, [pair.ids for pair in pairs], [pair.types for pair in pairs], width=width
        )
        if answer.shape == (len(pairs),):
            return answer
        if answer.ndim != 2 or len(answer) != len(pairs) or answer.shape[1] not in (1, 2):
            raise ModelError(
                f"{self.graph.model} answers {self.output!r} of shape {answer.shape}; a cross-encoder gives one or two "
                f"logits for each of {len(pairs)} pairs"
            )
        # Of two logits the softmax's log-odds: ln(p / (1 - p)) is their difference.
        return answer[:, 0] if answer.shape[1] == 1 else answer[:, 1] - answer[:, 0]


def _load(folder: Path, max_tokens: int | None, threads: int | None) -> _Classifier:
    told = graph.read_json(folder / "tokenizer_config.json").get("model_max_length")
    limit = max_tokens or _MAX_TOKENS
    if max_tokens is None and isinstance(told, int | float) and told >= _LEAST_TOKENS:
        limit = int(min(told, _MAX_TOKENS))  # some folders say 1e30
    loaded = graph.load(folder, _WHAT, threads)
    output = "logits" if "logits" in loaded.outputs else loaded.outputs[0]
    return _Classifier(loaded, output, limit - int(loaded.tokenizer.num_special_tokens_to_add(True)))
