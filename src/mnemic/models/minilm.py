"""Sentence encoders through onnxruntime: MiniLM and its kin, from a local sentence-transformers folder.

The folder is as `mnemic.models.graph` has it; how to pool, how much to read and what to put in front of a text come
from its own small JSON files where it has them.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, ModelError
from mnemic.models import graph

_WHAT = "sentence encoder"
_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


class MiniLMEmbedder:
    """An Embedder with unit vectors, for text that shares meaning but not words; about 130 chat turns/s on two cores.

    `model` is a folder, or a name such as "sentence-transformers/all-MiniLM-L6-v2" that lies in the hub's cache folder
    (`cache`, by default ~/.cache/huggingface/hub). With `download=True` a missing one is fetched. `max_tokens` bounds
    what is read of a text (default: what the folder says, else 256), `batch` the texts per run, `threads` the cores
    (None: onnxruntime decides).

    Raises MissingExtraError without onnxruntime and tokenizers, ConfigError when there is no such model, and at first
    use ModelError when the files cannot be used.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        max_tokens: int | None = None,
        batch: int = 32,
        threads: int | None = None,
        cache: Path | str | None = None,
        download: bool = False,
    ) -> None:
        graph.needed(_WHAT)
        if batch < 1:
            raise ConfigError(f"batch must be at least 1 (got {batch})")
        if max_tokens is not None and max_tokens < 3:
            raise ConfigError(f"max_tokens must be at least 3, two of them are marks (got {max_tokens})")
        self._name = Path(model).name
        self._folder = graph.find_folder(model, cache, _WHAT, download=download)
        self._max_tokens = max_tokens
        self._batch = batch
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: _Encoder | None = None

    def __repr__(self) -> str:
        return f"MiniLMEmbedder({str(self._folder)!r})"

    @property
    def space(self) -> str:
        """`onnx:<name>:<pooling>:<max tokens>:<hash of model, tokenizer and prompts>`."""
        encoder = self._encoder
        return f"onnx:{self._name}:{encoder.pooling}:{encoder.max_tokens}:{encoder.fingerprint}"

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return self._encoder.dims

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dims)."""
        encoder = self._encoder
        return self._embed(encoder, [encoder.document_prompt + text for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """A unit vector, shape (dims,)."""
        encoder = self._encoder
        return self._embed(encoder, [encoder.query_prompt + text])[0]

    def _embed(self, encoder: _Encoder, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), encoder.dims), dtype=np.float32)
        ids = encoder.tokenize(texts)
        # Texts of like length go together: a batch is padded to its longest.
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        for first in range(0, len(order), self._batch):
            places = order[first : first + self._batch]
            vectors[places] = encoder.encode([ids[at] for at in places])
        return vectors

    @property
    def _encoder(self) -> _Encoder:
        encoder = self._loaded
        if encoder is None:
            with self._lock:
                encoder = self._loaded
                if encoder is None:
                    encoder = self._loaded = _load(self._folder, self._max_tokens, self._threads)
        return encoder


@dataclass(frozen=True)
class _Encoder:
    graph: graph.Graph
    dims: int
    output: str
    pooling: str
    max_tokens: int
    query_prompt: str
    document_prompt: str
    fingerprint: str

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        wanted = [graph.well_formed(text) for text in texts]
        return [encoding.ids for encoding in self.graph.tokenizer.encode_batch(wanted)]

    def encode(self, ids: list[list[int]]) -> NDArray[np.float32]:
        """Unit vectors of a batch, shape (len(ids), dims)."""
        hidden, mask = self.graph.run(self.output, ids)
        if hidden.ndim == 2:
            pooled = hidden  # the graph pools by itself
        elif self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            pooled = (hidden * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        return pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(1e-12))


def _load(folder: Path, max_tokens: int | None, threads: int | None) -> _Encoder:
    settings = graph.read_json(folder / "sentence_bert_config.json")
    prompts = cast("dict[str, str]", graph.read_json(folder / "config_sentence_transformers.json").get("prompts") or {})
    limit = max_tokens or int(settings.get("max_seq_length") or 256)
    loaded = graph.load(folder, _WHAT, threads)
    loaded.tokenizer.enable_truncation(limit)
    output = "sentence_embedding" if "sentence_embedding" in loaded.outputs else loaded.outputs[0]
    answer, _ = loaded.run(output, [[0]])
    if answer.ndim not in (2, 3):
        raise ModelError(f"{loaded.model} answers {output!r} of shape {answer.shape}; expected (texts, tokens, dims)")

    query, document = prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or ""
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes())
    digest.update(json.dumps([query, document]).encode())
    with loaded.model.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return _Encoder(
        graph=loaded,
        dims=answer.shape[-1],
        output=output,
        pooling="graph" if answer.ndim == 2 else _pooling(folder),
        max_tokens=limit,
        query_prompt=query,
        document_prompt=document,
        fingerprint=digest.hexdigest()[:12],
    )


def _pooling(folder: Path) -> str:
    settings = graph.read_json(folder / "1_Pooling" / "config.json")
    modes = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value is True]
    if not modes:
        return "mean"
    if len(modes) > 1 or modes[0] not in _POOLINGS:
        raise ModelError(f"{folder / '1_Pooling'} asks for {', '.join(modes)}; known are {', '.join(_POOLINGS)}")
    return _POOLINGS[modes[0]]
