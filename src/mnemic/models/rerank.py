"""Rerankers behind a server that speaks `POST …/rerank`, as Cohere, Jina, vLLM and llama.cpp do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, ModelError
from mnemic.models.wire import Wire


class HttpReranker:
    """A Reranker behind a server that takes `{"model", "query", "documents"}`.

    It is to answer `{"results": [{"index", "relevance_score"}]}`, one of them for each document, in any order.
    `base_url` ends where the server's own `/rerank` begins, e.g. "http://localhost:8080/v1". `api_key` goes out as a
    bearer token. `batch` is texts per request, `timeout` seconds per request, `attempts` tries per request: fewer and
    shorter than an embedder's, because a search waits for them.

    Raises ConfigError for a base_url that cannot be one, and on use ModelError.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        batch: int = 64,
        timeout: float = 10.0,
        attempts: int = 2,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        bearer = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wire = Wire(
            base_url,
            "/rerank",
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
        self._batch = batch

    def __repr__(self) -> str:
        return f"HttpReranker({self._wire.server!r}, {self._model!r})"

    @property
    def name(self) -> str:
        """`http:<model>`. The host is left out: the same model may move."""
        return f"http:{self._model}"

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The server's scores, shape (len(texts),): the higher, the better. Raises ModelError."""
        scores = np.zeros(len(texts), dtype=np.float32)
        for first in range(0, len(texts), self._batch):
            some = list(texts[first : first + self._batch])
            reply = self._wire.post({"model": self._model, "query": query, "documents": some})
            if reply.status != 200:
                raise self._wire.refused(reply, self._hints())
            scores[first : first + len(some)] = self._read(reply.content, len(some))
        return scores

    def _hints(self) -> dict[int, str]:
        return {
            400: f"is {self._model!r} a reranker?",
            401: "is the api_key right?",
            403: "may this api_key use the model?",
            404: f"does base_url end in '/v1', and is there a reranker {self._model!r}?",
            413: f"pass a smaller batch than {self._batch}",
        }

    def _read(self, content: bytes, count: int) -> NDArray[np.float32]:
        """The scores of an answer in the order asked for, shape (count,)."""
        try:
            entries = cast("list[dict[str, Any]]", json.loads(content)["results"])
            found = {int(entry["index"]): float(entry["relevance_score"]) for entry in entries}
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ModelError(
                f"{self._wire.server} answered something that is not a rerank answer: {self._wire.excerpt(content)}"
            ) from error
        if len(entries) != count or found.keys() != set(range(count)):
            raise ModelError(
                f"{self._wire.server} answered {len(entries)} scores for {count} texts, or twice the same index"
            )
        scores = np.array([found[at] for at in range(count)], dtype=np.float32)
        if not np.isfinite(scores).all():
            raise ModelError(f"{self._wire.server} answered scores that are not finite (model {self._model!r})")
        return scores
