"""Sentence encoders through onnxruntime: MiniLM and its kin, from a local sentence-transformers folder.

The folder holds `onnx/model.onnx` or `model.onnx`, and `tokenizer.json`; how to pool, how much to read and what to put
in front of a text come from its own small JSON files where it has them. Nothing goes over the network unless the caller
passes `download=True` and huggingface_hub is installed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, MissingExtraError, ModelError
from mnemic.models import foreign

_EXTRA = "the MiniLM embedder needs onnxruntime and tokenizers: pip install 'mnemic[minilm]'"
_MODELS = ("onnx/model.onnx", "model.onnx")
_FEEDS = ("input_ids", "attention_mask", "token_type_ids")
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
        if any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "tokenizers")):
            raise MissingExtraError(_EXTRA)
        if batch < 1:
            raise ConfigError(f"batch must be at least 1 (got {batch})")
        if max_tokens is not None and max_tokens < 3:
            raise ConfigError(f"max_tokens must be at least 3, two of them are marks (got {max_tokens})")
        self._name = Path(model).name
        self._folder = _find_folder(model, cache, download=download)
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
    session: Any  # onnxruntime.InferenceSession
    tokenizer: Any  # tokenizers.Tokenizer
    dims: int
    output: str
    pooling: str
    max_tokens: int
    query_prompt: str
    document_prompt: str
    fingerprint: str

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch([_well_formed(text) for text in texts])]

    def encode(self, ids: list[list[int]]) -> NDArray[np.float32]:
        """Unit vectors of a batch, shape (len(ids), dims)."""
        hidden, mask = _infer(self.session, self.output, ids)
        if hidden.ndim == 2:
            pooled = hidden  # the graph pools by itself
        elif self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            pooled = (hidden * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        return pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(1e-12))


def _infer(session: Any, output: str, ids: list[list[int]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The graph's answer, (texts, tokens, dims) or (texts, dims), and the attention mask, (texts, tokens)."""
    # A text without any token still needs one place: the mask leaves it out again.
    width = max(1, *(len(row) for row in ids))
    tokens = np.zeros((len(ids), width), dtype=np.int64)
    mask = np.zeros((len(ids), width), dtype=np.int64)
    for at, row in enumerate(ids):
        tokens[at, : len(row)] = row
        mask[at, : len(row)] = 1
    feeds = dict(zip(_FEEDS, (tokens, mask, np.zeros_like(tokens)), strict=True))
    wanted = {entry.name for entry in session.get_inputs()}
    with foreign("the encoder's graph failed"):
        (answer,) = session.run([output], {name: value for name, value in feeds.items() if name in wanted})
    return np.asarray(answer, dtype=np.float32), mask.astype(np.float32)


def _load(folder: Path, max_tokens: int | None, threads: int | None) -> _Encoder:
    runtime, tokenizers = _import("onnxruntime"), _import("tokenizers")
    model = next(folder / name for name in _MODELS if (folder / name).is_file())
    settings = _read_json(folder / "sentence_bert_config.json")
    prompts = cast("dict[str, str]", _read_json(folder / "config_sentence_transformers.json").get("prompts") or {})
    limit = max_tokens or int(settings.get("max_seq_length") or 256)

    with foreign(f"cannot read {folder / 'tokenizer.json'}"):
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)

    options = runtime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    with foreign(f"onnxruntime cannot load {model}"):
        session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    unknown = {entry.name for entry in session.get_inputs()} - set(_FEEDS)
    if unknown:
        raise ModelError(f"{model} asks for inputs {sorted(unknown)}; a sentence encoder takes {', '.join(_FEEDS)}")
    outputs = [entry.name for entry in session.get_outputs()]
    output = "sentence_embedding" if "sentence_embedding" in outputs else outputs[0]
    answer, _ = _infer(session, output, [[0]])
    if answer.ndim not in (2, 3):
        raise ModelError(f"{model} answers {output!r} of shape {answer.shape}; expected (texts, tokens, dims)")

    query, document = prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or ""
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes())
    digest.update(json.dumps([query, document]).encode())
    with model.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return _Encoder(
        session=session,
        tokenizer=tokenizer,
        dims=answer.shape[-1],
        output=output,
        pooling="graph" if answer.ndim == 2 else _pooling(folder),
        max_tokens=limit,
        query_prompt=query,
        document_prompt=document,
        fingerprint=digest.hexdigest()[:12],
    )


def _pooling(folder: Path) -> str:
    settings = _read_json(folder / "1_Pooling" / "config.json")
    modes = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value is True]
    if not modes:
        return "mean"
    if len(modes) > 1 or modes[0] not in _POOLINGS:
        raise ModelError(f"{folder / '1_Pooling'} asks for {', '.join(modes)}; known are {', '.join(_POOLINGS)}")
    return _POOLINGS[modes[0]]


def _find_folder(model: Path | str, cache: Path | str | None, *, download: bool) -> Path:
    """The folder of a path or of a hub name. Raises ConfigError, with the places looked at."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        hub = Path(cache) if cache is not None else Path.home() / ".cache" / "huggingface" / "hub"
        found = _in_cache(str(model), hub)
        if found is None and download:
            found = _download(str(model), cache)
        if found is None:
            raise ConfigError(f"no sentence encoder {str(model)!r}: it is no folder, and {hub} does not hold it")
        folder = found
    if not any((folder / name).is_file() for name in _MODELS) or not (folder / "tokenizer.json").is_file():
        held = ", ".join(sorted(entry.name for entry in folder.iterdir())[:12]) or "nothing"
        raise ConfigError(f"{folder} should hold {' or '.join(_MODELS)}, and tokenizer.json; it holds {held}")
    return folder


def _in_cache(name: str, hub: Path) -> Path | None:
    home = hub / ("models--" + name.replace("/", "--"))
    main = home / "refs" / "main"
    if main.is_file() and (folder := home / "snapshots" / main.read_text().strip()).is_dir():
        return folder
    snapshots = sorted(home.glob("snapshots/*"), key=lambda path: path.stat().st_mtime)
    return snapshots[-1] if snapshots else None


def _download(name: str, cache: Path | str | None) -> Path:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtraError("downloading a model needs huggingface_hub: pip install huggingface_hub")
    hub = importlib.import_module("huggingface_hub")
    patterns = ["*.json", "1_Pooling/*", *_MODELS]
    return Path(hub.snapshot_download(name, cache_dir=cache, allow_patterns=patterns))


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(_EXTRA) from error


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when there is no such file."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _well_formed(text: str) -> str:
    """The text with lone surrogates replaced: the tokenizer takes UTF-8, which has none."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
