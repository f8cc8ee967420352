"""How models behind a server are asked: one POST with JSON, patiently. Standard library only.

Neither keys nor proxies are read from the environment; what the server needs is passed in. Redirects are not followed,
so a key never travels to another host. Every request has a connection of its own.
"""

from __future__ import annotations

import json
import math
import random
import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from mnemic.errors import ConfigError, ModelError

_PLAIN = re.compile(r"[!-~]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110
_HEADER_VALUE = re.compile(r"[ -~\t]*")
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


class Reply(NamedTuple):
    """What a server answered for good: a success, or a refusal that trying again would not change."""

    status: int
    kind: str
    """The content type, without its parameters; "" where the server names none."""
    content: bytes
    tries: int = 1
    """Requests that it took."""


class Wire:
    """A server's address, and the patience to ask it.

    Requests go to `base_url` + `path`. `key` is the secret among the `headers`: it is checked, and blotted out of
    every message. `timeout` is seconds of silence, `attempts` tries per request: a busy or failing server (429, 5xx), a
    timeout and a cut connection are tried again after 0.5, 1, 2 … seconds, or what its Retry-After says.

    Raises ConfigError for settings that cannot be, before anything is sent.
    """

    def __init__(
        self,
        base_url: str,
        path: str,
        *,
        key: str | None,
        timeout: float,
        attempts: int,
        headers: Mapping[str, str],
        sleep: Callable[[float], None],
    ) -> None:
        try:
            parts = urlsplit(base_url)
        except ValueError as error:
            raise ConfigError(f"base_url must look like 'http://host:port/v1': {error}") from error
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError("base_url must not carry a user, a query or a fragment; a key goes into api_key")
        try:
            address = (parts.hostname or "", parts.port)
        except ValueError as error:
            raise ConfigError(f"base_url has no usable port: {error}") from error
        if parts.scheme not in ("http", "https") or not address[0] or not _PLAIN.fullmatch(base_url):
            raise ConfigError(f"base_url must look like 'http://host:port/v1' (got {base_url!r})")
        if attempts < 1:
            raise ConfigError(f"attempts must be at least 1 (got {attempts})")
        if not 0 < timeout < math.inf:
            raise ConfigError(f"timeout must be a number of seconds above 0 (got {timeout})")
        if key is not None and not _PLAIN.fullmatch(key):
            raise ConfigError("api_key must be printable ASCII without spaces or line ends")
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ConfigError(f"the header {name!r} must have a plain name and a value of printable ASCII")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._address = address
        self._path = parts.path.rstrip("/") + path
        self._key = key
        self._timeout = timeout
        self._attempts = attempts
        sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        # One spelling, so that a header given twice is sent once, the last one.
        self._headers = {name.title(): value for name, value in sent.items()}
        self._sleep = sleep
        self.server = f"{parts.scheme}://{parts.netloc}{self._path}"
        """The whole address, as messages name it."""

    def post(self, body: object) -> Reply:
        """Post `body` as JSON, and try again what may pass.

        Raises ModelError when the server cannot be reached, or is still busy or failing at the last attempt.
        """
        # Escapes keep a lone surrogate valid JSON; what the server makes of it is the server's business.
        sent = json.dumps(body).encode()
        for attempt in range(1, self._attempts + 1):
            asked: float | None = None
            try:
                response, content = self._post(sent)
            except _CUT as error:
                failure = f"the connection to {self.server} broke: {type(error).__name__}: {error}"
                fault = "wire"
                if isinstance(error, TimeoutError):
                    fault = "timeout"
                    failure += f"; nothing came for {self._timeout:g} s: pass a larger timeout if it needs longer"
                cause: Exception | None = error
            except (OSError, UnicodeError) as error:
                # No such host or one that cannot be, refused, a certificate: trying again will not help.
                raise ModelError(
                    f"{self.server} cannot be reached: {error}; is the server running, and base_url right?",
                    fault="wire",
                    tries=attempt,
                ) from error
            else:
                if response.status not in _RETRIED_STATUS:
                    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
                    return Reply(response.status, kind, content, attempt)
                failure, cause = f"{self.server} failed with {response.status}: {self.excerpt(content)}", None
                fault = "rate limit" if response.status == 429 else "server"
                asked = _retry_after(response.getheader("Retry-After"))
            wait = asked if asked is not None else _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
            if attempt == self._attempts:
                raise ModelError(f"{failure} (tried {attempt} times)", fault=fault, tries=attempt) from cause
            if wait > _LONGEST_WAIT:
                raise ModelError(
                    f"{failure}; it asks to wait {wait:.0f} s, the limit is {_LONGEST_WAIT:.0f} s",
                    fault=fault,
                    tries=attempt,
                )
            self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _post(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        host, port = self._address
        if self._tls is not None:
            connection = HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        else:
            connection = HTTPConnection(host, port, timeout=self._timeout)
        try:
            connection.request("POST", self._path, body, self._headers)
            response: HTTPResponse = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def refused(self, reply: Reply, hints: Mapping[int, str]) -> ModelError:
        """The error for a reply that is not 200; `hints` has what to look at, by status."""
        hint = hints.get(reply.status, "see the server's answer")
        if 300 <= reply.status < 400:
            hint = "redirects are not followed: pass the address where the server really is"
        return ModelError(
            f"{self.server} refused the request with {reply.status}: {self.excerpt(reply.content)}; {hint}",
            fault="request",
            tries=reply.tries,
        )

    def excerpt(self, content: bytes) -> str:
        """What the server says, short, and never with the key in it."""
        text = content[:2000].decode("utf-8", "replace")
        try:
            error = json.loads(content)["error"]
            text = str(cast("Any", error)["message"] if isinstance(error, dict) else error)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        if self._key:
            text = text.replace(self._key, "…")
        text = " ".join(text.split())
        return repr(text if len(text) <= 200 else text[:199] + "…")


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
