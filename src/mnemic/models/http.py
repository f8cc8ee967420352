"""Embeddings from any server that speaks OpenAI's `POST /v1/embeddings`: standard library only.

Neither keys nor proxies are read from the environment; what the server needs is passed in. Redirects are not followed,
so a key never travels to another host. Every request has a connection of its own.
"""

from __future__ import annotations

import json
import math
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, ModelError

_PLAIN = re.compile(r"[!-~]+")
_CUT = (
    TimeoutError,
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    ssl.SSLEOFError,
    HTTPException,  # closed without an answer, or in the middle of one
)
_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0


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
        parts = urlsplit(base_url)
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError("base_url must not carry a user, a query or a fragment; a key goes into api_key")
        try:
            address = (parts.hostname or "", parts.port)
        except ValueError as error:
            raise ConfigError(f"base_url has no usable port: {error}") from error
        if parts.scheme not in ("http", "https") or not address[0] or not _PLAIN.fullmatch(base_url):
            raise ConfigError(f"base_url must look like 'http://host:port/v1' (got {base_url!r})")
        if not model:
            raise ConfigError(f"which model of {base_url}? Pass its name, e.g. '{base_url}#model'")
        if batch < 1 or attempts < 1:
            raise ConfigError(f"batch and attempts must be at least 1 (got {batch} and {attempts})")
        if api_key is not None and not _PLAIN.fullmatch(api_key):
            raise ConfigError("api_key must be printable ASCII without spaces or line ends")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._address = address
        self._path = parts.path.rstrip("/") + "/embeddings"
        self._server = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._model = model
        self._api_key = api_key
        self._dims = dims
        self._batch = batch
        self._timeout = timeout
        self._attempts = attempts
        self._sleep = sleep
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"HttpEmbedder({self._server!r}, {self._model!r})"

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
        # Escapes keep a lone surrogate valid JSON; what the server makes of it is the server's business.
        body = json.dumps({"model": self._model, "input": texts}).encode()
        vectors = self._read(self._post_patiently(body), len(texts))
        with self._lock:
            if self._dims is None:
                self._dims = vectors.shape[1]
        if vectors.shape[1] != self._dims:
            raise ModelError(f"{self._server} answered vectors of {vectors.shape[1]} dims; expected {self._dims}")
        return vectors

    def _post_patiently(self, body: bytes) -> bytes:
        """Post, and try again what may pass."""
        for attempt in range(1, self._attempts + 1):
            asked: float | None = None
            try:
                status, headers, content = self._post(body)
            except _CUT as error:
                failure = f"the connection to {self._server} broke: {type(error).__name__}: {error}"
                cause: Exception | None = error
            except OSError as error:  # no such host, refused, a certificate: trying again will not help
                raise ModelError(
                    f"{self._server} cannot be reached: {error}; is the server running, and base_url right?"
                ) from error
            else:
                if status == 200:
                    return content
                if status not in _RETRIED_STATUS:
                    raise ModelError(self._refusal(status, content))
                failure, cause = f"{self._server} failed with {status}: {self._excerpt(content)}", None
                asked = _retry_after(headers.get("Retry-After"))
            wait = asked if asked is not None else _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
            if attempt == self._attempts:
                raise ModelError(f"{failure} (tried {attempt} times)") from cause
            if wait > _LONGEST_WAIT:
                raise ModelError(f"{failure}; it asks to wait {wait:.0f} s, the limit is {_LONGEST_WAIT:.0f} s")
            self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        host, port = self._address
        if self._tls is not None:
            connection = HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        else:
            connection = HTTPConnection(host, port, timeout=self._timeout)
        try:
            connection.request("POST", self._path, body, self._headers)
            response: HTTPResponse = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read()
        finally:
            connection.close()

    def _refusal(self, status: int, content: bytes) -> str:
        hint = {
            400: f"is {self._model!r} an embedding model, and no text longer than it takes?",
            401: "is the api_key right?",
            403: "may this api_key use the model?",
            404: f"does base_url end in '/v1', and is there a model {self._model!r}?",
            413: f"pass a smaller batch than {self._batch}",
        }.get(status, "see the server's answer")
        return f"{self._server} refused the request with {status}: {self._excerpt(content)}; {hint}"

    def _excerpt(self, content: bytes) -> str:
        """What the server says, short, and never with the key in it."""
        text = content[:2000].decode("utf-8", "replace")
        try:
            error = json.loads(content)["error"]
            text = str(cast("Any", error)["message"] if isinstance(error, dict) else error)
        except (ValueError, KeyError, TypeError):
            pass
        if self._api_key:
            text = text.replace(self._api_key, "…")
        text = " ".join(text.split())
        return repr(text if len(text) <= 200 else text[:199] + "…")

    def _read(self, content: bytes, count: int) -> NDArray[np.float32]:
        """The vectors of an answer in the order asked for, shape (count, dims)."""
        try:
            entries = cast("list[dict[str, Any]]", json.loads(content)["data"])
            # Servers that answer in another order say so by `index`; without one the order stands.
            ranked = sorted((int(entry.get("index", at)), at) for at, entry in enumerate(entries))
            vectors = np.array([entries[at]["embedding"] for _, at in ranked], dtype=np.float32)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{self._server} answered something that is not an embeddings answer: {self._excerpt(content)}"
            ) from error
        if [index for index, _ in ranked] != list(range(count)):
            raise ModelError(
                f"{self._server} answered {len(ranked)} vectors for {count} texts, or twice the same index"
            )
        if vectors.ndim != 2 or vectors.shape[1] == 0 or not np.isfinite(vectors).all():
            raise ModelError(
                f"{self._server} answered vectors with missing or infinite numbers (model {self._model!r})"
            )
        return vectors


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: the header has a number of seconds or a date; None without one that can be read."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if not math.isnan(seconds) else None
