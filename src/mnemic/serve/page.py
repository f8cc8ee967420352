"""The web page: static files that ask this server and nobody else, and what only a page wants to know.

    /ui/            the page, from the files in `page/`; nothing is built, nothing is fetched from elsewhere
    /v1/whoami      what the key allows
    /v1/given       the contexts that were given since the server was started, newest first

Remembered text reaches the page as JSON alone, and the page's Content-Security-Policy lets no other script run.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.responses import RedirectResponse

from mnemic.errors import AccessError, NotFoundError
from mnemic.serve.bodies import answer
from mnemic.serve.gate import Caller, scope_in
from mnemic.serve.grants import Grant
from mnemic.types import ANY, Context

FILES: Final = Path(__file__).with_name("page")
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
KEPT: Final = 200
"""Contexts that are remembered to have been given: by their questions and ids, not by their words."""

Asking = Callable[[Request], Caller]


@dataclass(frozen=True, slots=True)
class Given:
    """A context that somebody was given."""

    at: str
    by: str
    """The name of the key, or "" without one."""
    scope: Mapping[str, Any]
    query: str
    tokens: int
    results_id: str
    ids: tuple[str, ...]
    """Of the evidence in it."""


class Lately:
    """The contexts that this process gave lately, in RAM. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: deque[Given] = deque(maxlen=KEPT)

    def note(self, caller: Caller, scope: Mapping[str, Any], value: object) -> None:
        """Keep that a context was given; of other values nothing is kept."""
        if isinstance(value, Context):
            named = {part: scope.get(part) for part in ("tenant_id", "project_id", "user_id")}
            ids = tuple(one.id for one in value.evidence)
            at = datetime.now(UTC).isoformat()
            self.keep(Given(at, caller.name or "", named, value.query, value.tokens, value.results_id, ids))

    def seen_by(self, grant: Grant, asked: Mapping[str, Any]) -> list[Given]:
        """Those behind the walls that a grant reaches, and that a caller names."""
        return [one for one in self.kept() if _reaches(grant, one.scope) and _matches(asked, one.scope)]

    def keep(self, given: Given) -> None:
        """Keep one, and drop the oldest where they are too many."""
        with self._lock:
            self._given.appendleft(given)

    def kept(self) -> list[Given]:
        """Those that are kept, newest first."""
        with self._lock:
            return list(self._given)


def _reaches(grant: Grant, scope: Mapping[str, Any]) -> bool:
    try:
        grant.bound(scope)
    except AccessError:
        return False
    return True


def _matches(asked: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    return all(scope.get(part) in (value, [value]) for part, value in asked.items() if part in scope and value)


def whoami(caller: Caller) -> dict[str, Any]:
    """What a key allows, as the page tells it: "*" for whichever a call names."""
    grant = caller.grant
    scope = {
        "tenant_id": "*" if grant.tenant is ANY else grant.tenant,
        "project_id": "*" if grant.projects is ANY else list(grant.projects),
        "user_id": "*" if grant.users is ANY else list(grant.users),
    }
    return {"name": caller.name, "role": grant.role, "scope": scope}


def add_page(app: FastAPI, caller_of: Asking, lately: Lately) -> None:
    """Add the page's routes. `caller_of` tells who asks, and raises what a request without a right to ask gets."""

    @app.get("/")
    async def _root() -> Response:
        return RedirectResponse("/ui/")

    @app.get("/ui")
    async def _without_slash() -> Response:
        return RedirectResponse("/ui/")

    @app.get("/ui/{name:path}")
    async def _file(name: str) -> Response:
        file = FILES / (name or "index.html")
        if "/" in name or "\\" in name or file.suffix not in TYPES or not file.is_file():
            raise NotFoundError(f"the page has no file {name[:80]!r}")
        return Response(file.read_bytes(), media_type=TYPES[file.suffix], headers=POLICY)

    @app.get("/v1/whoami")
    async def _whoami(request: Request) -> Response:
        return _json(whoami(caller_of(request)))

    @app.get("/v1/given")
    async def _given(request: Request) -> Response:
        caller = caller_of(request)
        asked = scope_in(request.headers, {})
        caller.grant.bound(asked)
        return _json({"given": lately.seen_by(caller.grant, asked)})


def _json(value: object) -> Response:
    return Response(answer(value), media_type="application/json", headers={"Cache-Control": "no-store"})
