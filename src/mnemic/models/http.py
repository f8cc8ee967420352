"""Embeddings from any server that speaks OpenAI's `POST /v1/embeddings`: standard library only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, ModelError
from mnemic.models.wire import Wire


class HttpEmbedder:
    """An Embedder behind an OpenAI-compatible server.

    `base_url` ends where the server's own `/embeddings` begins, e.g. "http://localhost:8080/v1". `api_key` goes out as
    a bearer token. `dims` is learned from the first answer unless given; then every answer must have it. `batch` is
    texts per request, `timeout` seconds per request, `attempts` tries per request: a busy or failing server (429, 5xx),
    a timeout and a cut connection are tried again after 0.5, 1, 2 … seconds, or what its Retry-After says.

    A blank text is not sent (many servers refuse it); its vector is zeros. Raises ConfigError for a base_url that
    cannot be one, and on use ModelError, whose message tells whether the request, the server or the wire is at fault.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        dims: int | None = None,
        batch: int = 64,
        timeout: float = 30.0,
        attempts: int = 4,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        bearer = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wire = Wire(
            base_url,
            "/embeddings",
            key=api_key,
            timeout=timeout,
            attempts=attempts,
            headers={**(headers or {}), **bearer},
            sleep=sleep,
        )
        if not model:
            raise ConfigError(f"which model of {base_url}? Pass its name, e.g. '{base_url}#model'")
        if batch < 1:
            raise ConfigError(f"batch must be at least 1 (got {batch})")
        self._model = model
        self._dims = dims
        self._batch = batch
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"HttpEmbedder({self._wire.server!r}, {self._model!r})"

    @property
    def space(self) -> str:
        """`openai:<model>:<dims>`. The host is left out: the same model may move."""
        return f"openai:{self._model}:{self.dims}"

    @property
    def dims(self) -> int:
        """Length of a vector. Asks the server once if nothing was embedded yet and no `dims` were given."""
        if self._dims is None:
            self._embed(["dimension"])
        return cast("int", self._dims)

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The server's vectors, shape (len(texts), dims)."""
        places = [at for at, text in enumerate(texts) if text.strip()]
        parts = [
            self._embed([texts[at] for at in places[first : first + self._batch]])
            for first in range(0, len(places), self._batch)
        ]
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        if parts:
            vectors[places] = np.concatenate(parts)
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The server's vector, shape (dims,)."""
        return self.embed_documents([text])[0]

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        reply = self._wire.post({"model": self._model, "input": texts})
        if reply.status != 200:
            raise self._wire.refused(reply, self._hints())
        vectors = self._read(reply.content, len(texts))
        with self._lock:
            if self._dims is None:
                self._dims = vectors.shape[1]
        if vectors.shape[1] != self._dims:
            raise ModelError(f"{self._wire.server} answered vectors of {vectors.shape[1]} dims; expected {self._dims}")
        return vectors

    def _hints(self) -> dict[int, str]:
        return {
            400: f"is {self._model!r} an embedding model, and no text longer than it takes?",
            401: "is the api_key right?",
            403: "may this api_key use the model?",
            404: f"does base_url end in '/v1', and is there a model {self._model!r}?",
            413: f"pass a smaller batch than {self._batch}",
        }

    def _read(self, content: bytes, count: int) -> NDArray[np.float32]:
        """The vectors of an answer in the order asked for, shape (count, dims)."""
        try:
            entries = cast("list[dict[str, Any]]", json.loads(content)["data"])
            # Servers that answer in another order say so by `index`; without one the order stands.
            ranked = sorted((int(entry.get("index", at)), at) for at, entry in enumerate(entries))
            vectors = np.array([entries[at]["embedding"] for _, at in ranked], dtype=np.float32)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            said = self._wire.excerpt(content)
            raise ModelError(
                f"{self._wire.server} answered something that is not an embeddings answer: {said}"
            ) from error
        if [index for index, _ in ranked] != list(range(count)):
            raise ModelError(
                f"{self._wire.server} answered {len(ranked)} vectors for {count} texts, or twice the same index"
            )
        if vectors.ndim != 2 or vectors.shape[1] == 0 or not np.isfinite(vectors).all():
            raise ModelError(
                f"{self._wire.server} answered vectors with missing or infinite numbers (model {self._model!r})"
            )
        return vectors
