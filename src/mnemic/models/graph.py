"""Transformers through onnxruntime, from a local folder: what sentence encoders and cross-encoders share.

The folder holds `onnx/model.onnx` or `model.onnx`, and `tokenizer.json`, as the hub has them. Nothing goes over the
network unless the caller passes `download=True` and huggingface_hub is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, MissingExtraError, ModelError
from mnemic.models import foreign

MODELS = ("onnx/model.onnx", "model.onnx")
"""Where a folder may have its graph; the first one that is there counts."""
FEEDS = ("input_ids", "attention_mask", "token_type_ids")
"""What a graph may ask for."""

_NEEDED = ("onnxruntime", "tokenizers")


@dataclass(frozen=True)
class Graph:
    """A loaded graph with its tokenizer. Threads may share one."""

    session: Any  # onnxruntime.InferenceSession
    tokenizer: Any  # tokenizers.Tokenizer, which neither pads nor truncates unless it is told to
    model: Path

    @property
    def outputs(self) -> list[str]:
        """Names of what the graph answers."""
        return [entry.name for entry in self.session.get_outputs()]

    def run(
        self,
        output: str,
        ids: Sequence[Sequence[int]],
        types: Sequence[Sequence[int]] | None = None,
        *,
        width: int = 1,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The graph's answer for a batch, its first axis (len(ids),), and the attention mask, (len(ids), tokens).

        `types` are the token types, of the shape of `ids` (default: zeros). Rows are padded to the longest, and at
        least to `width`. Raises ModelError.
        """
        # A text without any token still needs one place: the mask leaves it out again.
        width = max(width, 1, *(len(row) for row in ids))
        feeds = {name: np.zeros((len(ids), width), dtype=np.int64) for name in FEEDS}
        for at, row in enumerate(ids):
            feeds["input_ids"][at, : len(row)] = row
            feeds["attention_mask"][at, : len(row)] = 1
        for at, row in enumerate(types or ()):
            feeds["token_type_ids"][at, : len(row)] = row
        wanted = {entry.name for entry in self.session.get_inputs()}
        with foreign("the encoder's graph failed"):
            (answer,) = self.session.run([output], {name: value for name, value in feeds.items() if name in wanted})
        return np.asarray(answer, dtype=np.float32), feeds["attention_mask"].astype(np.float32)


def needed(what: str) -> None:
    """Raises MissingExtraError unless onnxruntime and tokenizers are installed, without importing them."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtraError(f"a {what} needs {' and '.join(_NEEDED)}: pip install 'mnemic[minilm]'")


def load(folder: Path, what: str, threads: int | None) -> Graph:
    """The graph and the tokenizer of a folder that `find_folder` gave. Raises ModelError."""
    runtime, tokenizers = _import("onnxruntime", what), _import("tokenizers", what)
    model = next(folder / name for name in MODELS if (folder / name).is_file())
    with foreign(f"cannot read {folder / 'tokenizer.json'}"):
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    with foreign(f"onnxruntime cannot load {model}"):
        session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    unknown = {entry.name for entry in session.get_inputs()} - set(FEEDS)
    if unknown:
        raise ModelError(f"{model} asks for inputs {sorted(unknown)}; a {what} takes {', '.join(FEEDS)}")
    return Graph(session, tokenizer, model)


def find_folder(model: Path | str, cache: Path | str | None, what: str, *, download: bool) -> Path:
    """The folder of a path or of a hub name. Raises ConfigError, with the places looked at."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        hub = Path(cache) if cache is not None else Path.home() / ".cache" / "huggingface" / "hub"
        found = _in_cache(str(model), hub)
        if found is None and download:
            found = _download(str(model), cache)
        if found is None:
            raise ConfigError(f"no {what} {str(model)!r}: it is no folder, and {hub} does not hold it")
        folder = found
    if not any((folder / name).is_file() for name in MODELS) or not (folder / "tokenizer.json").is_file():
        held = ", ".join(sorted(entry.name for entry in folder.iterdir())[:12]) or "nothing"
        raise ConfigError(f"{folder} should hold {' or '.join(MODELS)}, and tokenizer.json; it holds {held}")
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
    patterns = ["*.json", "1_Pooling/*", *MODELS]
    return Path(hub.snapshot_download(name, cache_dir=cache, allow_patterns=patterns))


def _import(name: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"a {what} needs {name}: pip install 'mnemic[minilm]' ({error})") from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when there is no such file. Raises ModelError."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced: the tokenizer takes UTF-8, which has none."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
