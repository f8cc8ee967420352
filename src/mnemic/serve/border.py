"""Around every request: how many there are at once, what is counted, and what each answer says beside itself."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mnemic.errors import BusyError, InputError
from mnemic.problems import FULL, MEDIA_TYPE, TOO_LONG, problem_of
from mnemic.serve.bodies import answer
from mnemic.serve.limits import Limits
from mnemic.serve.metrics import Metrics

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""An answer is data: no browser is to run, show, keep or frame it. What sets a header itself keeps it."""
ALWAYS = ("/healthz", "/readyz", "/metrics")
"""What is answered however much there is to do."""


class Border:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics, stopping: threading.Event) -> None:
        self._app, self._limits, self._metrics, self._stopping = app, limits, metrics, stopping
        self._many = 0
        self._paths: dict[Any, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 499  # nobody was there any more to be answered

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _make_safe(message)
                if self._stopping.is_set():
                    # A connection that came just as the server was told to stop would else go on asking.
                    message["headers"].append((b"connection", b"close"))
            # Who reads nothing of an answer for long holds a snapshot of the store, or memory: cut off.
            async with asyncio.timeout(self._limits.send_seconds):
                await send(message)

        self._many += 1
        self._metrics.under_way.set(self._many)
        try:
            if self._many > self._limits.at_once and scope["path"] not in ALWAYS:
                busy = BusyError(errno.EAGAIN, "as many requests are under way as are taken: try again in a moment")
                await _refuse(sent, problem_of(busy, FULL), retry=True)
            elif (size := _size_of(scope)) > self._limits.headers:
                long = InputError(f"address and headers have {size:,} bytes: {self._limits.headers:,} are taken")
                await _refuse(sent, problem_of(long, TOO_LONG))
            else:
                await self._app(scope, receive, sent)
        finally:
            self._many -= 1
            self._metrics.under_way.set(self._many)
            route = self._route(scope)
            self._metrics.requests.labels(route, _method(scope), status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)

    def _route(self, scope: Scope) -> str:
        """The route that was asked, as it is written: an id in an address names no series."""
        if not self._paths:
            self._paths = {route.endpoint: route.path for route in scope["app"].routes if isinstance(route, Route)}
        return self._paths.get(scope.get("endpoint"), "none")


def _method(scope: Scope) -> str:
    """The method, of those that there are: what a caller makes up names no series."""
    return scope["method"] if scope["method"] in ("GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"


def _make_safe(message: MutableMapping[str, Any]) -> None:
    headers = list(message.get("headers", ()))
    there = {name.lower() for name, _ in headers}
    message["headers"] = [*headers, *(header for header in SAFE if header[0] not in there)]


def _size_of(scope: Scope) -> int:
    """Bytes of a request's address and headers; what comes in one piece, the protocol takes whatever its size."""
    return len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in scope["headers"])


async def _refuse(send: Send, problem: Mapping[str, Any], *, retry: bool = False) -> None:
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
    if retry:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": problem["status"], "headers": headers})
    await send({"type": "http.response.body", "body": answer(problem)})
