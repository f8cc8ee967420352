"""Other memories and stores beside Mnemic in the speed run, where they are installed.

All are given the vectors of Mnemic's own default embedder, so what differs is the store and not the model, and a mem0
is asked to keep messages as they are (`infer=False`): with its paid model calls there would be nothing to compare.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from bench.baselines import said
from bench.datasets import Message
from mnemic.models import wordllama

LARGEST = 10_000
"""Episodes that peers are measured with: some take minutes for more."""


class Peer(Protocol):
    """Something that keeps messages and finds ten of them again."""

    def add(self, messages: Sequence[Message]) -> None: ...

    def __call__(self, question: str) -> object: ...

    def close(self) -> None: ...


class Chroma:
    """A chromadb collection on disk."""

    def __init__(self, folder: Path) -> None:
        chromadb: Any = import_module("chromadb")
        settings: Any = import_module("chromadb.config").Settings(anonymized_telemetry=False)
        self._embedder = wordllama.WordLlamaEmbedder()
        self._client: Any = chromadb.PersistentClient(str(folder), settings)
        self._collection: Any = self._client.create_collection("messages", embedding_function=None)
        self._added = 0

    def add(self, messages: Sequence[Message]) -> None:
        texts = [said(message) for message in messages]
        ids = [str(self._added + place) for place in range(len(texts))]
        self._collection.add(ids=ids, embeddings=self._embedder.embed_documents(texts), documents=texts)
        self._added += len(texts)

    def __call__(self, question: str) -> object:
        return self._collection.query(query_embeddings=[self._embedder.embed_query(question)], n_results=10)

    def close(self) -> None:
        self._client = self._collection = None


class Mem0:
    """mem0 with its default vector store on disk, and no model."""

    def __init__(self, folder: Path) -> None:
        # Both are read when mem0 is imported; unset, it reports its use and writes into the home folder.
        os.environ["MEM0_TELEMETRY"] = "False"
        os.environ["MEM0_DIR"] = str(folder)
        embedder = wordllama.WordLlamaEmbedder()
        key = {"api_key": "none"}
        store = {"path": str(folder / "vectors"), "on_disk": True, "embedding_model_dims": embedder.dims}
        self._memory: Any = import_module("mem0").Memory.from_config(
            {
                "vector_store": {"provider": "qdrant", "config": {**store, "collection_name": "messages"}},
                "llm": {"provider": "openai", "config": key},
                "embedder": {"provider": "openai", "config": {**key, "embedding_dims": embedder.dims}},
                "history_db_path": str(folder / "history.db"),
            }
        )
        self._memory.embedding_model = _Mem0Embedder(embedder)

    def add(self, messages: Sequence[Message]) -> None:
        self._memory.add([{"role": m.role, "content": said(m)} for m in messages], user_id="one", infer=False)

    def __call__(self, question: str) -> object:
        return self._memory.search(question, filters={"user_id": "one"}, top_k=10)

    def close(self) -> None:
        self._memory.vector_store.client.close()


class _Mem0Embedder:
    """The face of mem0's own embedders."""

    def __init__(self, embedder: wordllama.WordLlamaEmbedder) -> None:
        self._embedder = embedder

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._embedder.embed_query(text).tolist()

    def embed_batch(self, texts: Sequence[str], memory_action: str | None = None) -> list[list[float]]:
        return self._embedder.embed_documents(texts).tolist()


_PEERS: dict[str, tuple[str, Callable[[Path], Peer]]] = {"chroma": ("chromadb", Chroma), "mem0": ("mem0", Mem0)}

NAMES = frozenset(_PEERS)


def installed(folder: Path) -> dict[str, Peer]:
    """The peers that are installed, each with a folder of its own."""
    peers: dict[str, Peer] = {}
    for name, (module, open_peer) in _PEERS.items():
        if importlib.util.find_spec(module):
            (folder / name).mkdir()
            peers[name] = open_peer(folder / name)
    return peers


def missing() -> tuple[str, ...]:
    """The names of those that are not."""
    return tuple(name for name, (module, _) in _PEERS.items() if not importlib.util.find_spec(module))
