"""The REST server: every verb as `POST /v1/VERB`, records as resources, problems as problem+json."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

import mnemic
from mnemic.errors import BusyError, ConflictError, InputError, MnemicError
from mnemic.memory import Memory
from mnemic.problems import FULL, MEDIA_TYPE, NO_JSON, NO_METHOD, NO_ROUTE, PRECONDITION, Kind, problem_of
from mnemic.serve import limits as limit
from mnemic.serve.bodies import answer, checked, from_query
from mnemic.serve.gate import Caller, Gate, let_in, scope_in
from mnemic.serve.limits import Limits, Rates
from mnemic.serve.openapi import document
from mnemic.serve.page import Lately, add_page
from mnemic.serve.refused import RefusedError
from mnemic.serve.verbs import Verb, verbs
from mnemic.types import Page, Record

T = TypeVar("T")
LINES = ("application/x-ndjson", "application/jsonl")
"""The types of JSON Lines."""
PIECE = 64 << 10
"""Bytes of a stream that are sent at a time."""
THREADS = 4
"""That work on the engine. More would only take turns at the interpreter's lock; who waits, waits in order."""


@dataclass(frozen=True, slots=True)
class Serving:
    """One server's parts: the memory, who may ask it, how much, and the threads that work for it."""

    memory: Memory
    gate: Gate
    limits: Limits
    rates: Rates
    pool: ThreadPoolExecutor
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the server stops: streams end then."""
    lately: Lately = field(default_factory=Lately)

    async def run(self, work: Callable[[], T]) -> T:
        """Do something that may wait, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def caller(self, request: Request) -> Caller:
        """Who asks. Raises RefusedError, AccessError, BusyError."""
        caller = await self.run(partial(self.gate.caller, request.headers))
        if caller.key is not None:
            self.rates.take(caller.key)
        return caller

    async def given(self, request: Request) -> dict[str, Any]:
        """The parameters in a body. Raises RefusedError, InputError."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await limit.whole(
            request.stream(),
            declared=request.headers.get("content-length"),
            most=self.limits.body,
            seconds=self.limits.body_seconds,
        )
        if kind != "application/json" and (body or kind):
            raise RefusedError(f"the body is {kind or 'of no type'}: send application/json", NO_JSON)
        return limit.json_object(body)

    async def ask(self, verb: Verb, request: Request, caller: Caller, given: Mapping[str, Any]) -> Any:
        """Call a verb for a caller. Raises MnemicError."""
        scoped = scope_in(request.headers, checked(verb, given))

        def work() -> Any:
            memory, passed = let_in(self.memory, caller, verb, scoped)
            value = verb.call(memory, passed)
            self.lately.note(caller, scoped, value)
            return value

        return await self.run(work)


def server(
    memory: Memory,
    *,
    gate: Gate,
    limits: Limits | None = None,
    threads: int = THREADS,
    stopping: threading.Event | None = None,
) -> FastAPI:
    """The application: an ASGI app that serves a memory, which stays its caller's to close."""
    limits = limits or Limits()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="mnemic")
    serving = Serving(memory, gate, limits, Rates(limits.rate, limits.burst), pool, stopping or threading.Event())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        pool.shutdown()  # what is under way is finished

    app = FastAPI(
        title="Mnemic",
        version=mnemic.__version__,
        lifespan=lifespan,
        docs_url=None,  # that page would fetch its scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        # Newer releases record each request for OpenTelemetry, and read the environment for where to send that.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for verb in verbs().values():
        if verb.name == "export":
            app.post("/v1/export")(_export(serving, verb))
            app.get("/v1/export")(_export(serving, verb))
        elif verb.name == "import_":
            app.post("/v1/import")(_import(serving, verb))
        else:
            app.post(f"/v1/{verb.path}")(_verb(serving, verb))
    _add_records(app, serving)
    _add_health(app, serving)
    add_page(app, serving.caller, serving.lately)
    app.add_exception_handler(MnemicError, _problem)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _fault)
    return app


# -- verbs


Endpoint = Callable[[Request], Any]


def _verb(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = await serving.caller(request)
        value = await serving.ask(verb, request, caller, await serving.given(request))
        return _json(value)

    return endpoint


def _json(value: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(answer(value), media_type="application/json", headers=dict(headers or {}))


def _export(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = await serving.caller(request)
        posted = request.method == "POST"
        given = await serving.given(request) if posted else from_query(verb, request.query_params.multi_items())
        lines: Iterator[str] = await serving.ask(verb, request, caller, given)
        first = await serving.run(partial(_piece, lines))  # an error comes before the answer has begun
        return StreamingResponse(_streamed(serving, lines, first), media_type=LINES[0])

    return endpoint


def _piece(lines: Iterator[str]) -> bytes:
    """The next lines; nothing at the end."""
    found: list[str] = []
    size = 0
    for line in lines:
        found.append(line + "\n")
        size += len(line)
        if size > PIECE:
            break
    return "".join(found).encode("utf-8", "backslashreplace")


async def _streamed(serving: Serving, lines: Iterator[str], piece: bytes) -> AsyncIterator[bytes]:
    try:
        while piece:
            yield piece
            piece = await serving.run(partial(_piece, lines))
    finally:
        close = getattr(lines, "close", None)
        if close is not None:
            await asyncio.shield(serving.run(close))


def _import(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = await serving.caller(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in LINES:
            raise RefusedError(f"the body is {kind or 'of no type'}: send JSON Lines as {LINES[0]}", NO_JSON)
        given = scope_in(request.headers, checked(verb, from_query(verb, request.query_params.multi_items())))
        memory, passed = let_in(serving.memory, caller, verb, given)
        with tempfile.TemporaryFile() as file:
            async for part in limit.parts(
                request.stream(),
                declared=request.headers.get("content-length"),
                most=serving.limits.import_body,
                seconds=serving.limits.body_seconds,
            ):
                await serving.run(partial(file.write, part))

            def work() -> Any:
                file.seek(0)
                return memory.import_(_lines(file), **passed)

            return _json(await serving.run(work))

    return endpoint


def _lines(file: Any) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"line {number} is not UTF-8 ({error.reason}); nothing was imported") from None


# -- records


def _add_records(app: FastAPI, serving: Serving) -> None:
    table = verbs()

    @app.get("/v1/records")
    async def _list(request: Request) -> Response:
        caller = await serving.caller(request)
        page: Page = await serving.ask(
            table["list"], request, caller, from_query(table["list"], request.query_params.multi_items())
        )
        if page.next is None:
            return _json(page)
        others = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        link = f"{request.url.path}?{urlencode([*others, ('after', page.next)])}"
        return _json(page, {"Link": f'<{link}>; rel="next"'})

    @app.get("/v1/records/{id}")
    async def _get(request: Request, id: str) -> Response:
        record = await _one(request, id)
        tag = _tag(record)
        if tag in _tags(request.headers.get("if-none-match")):
            return Response(status_code=304, headers={"ETag": tag})
        return _json(record, {"ETag": tag})

    async def _one(request: Request, id: str) -> Record:
        caller = await serving.caller(request)
        given = from_query(table["get"], request.query_params.multi_items())
        return await serving.ask(table["get"], request, caller, {**given, "id": id})

    @app.patch("/v1/records/{id}")
    async def _update(request: Request, id: str) -> Response:
        caller = await serving.caller(request)
        given = {**await serving.given(request), "id": id}
        wanted = _tags(request.headers.get("if-match")) - {"*"}
        if wanted:
            revisions = [int(tag.strip('"')) for tag in wanted if tag.strip('"').isdigit()]
            if len(revisions) != 1 or "if_revision" in given:
                raise InputError('If-Match takes one revision, such as "3", and not beside if_revision')
            given["if_revision"] = revisions[0]
        try:
            return _json(await serving.ask(table["update"], request, caller, given))
        except ConflictError as error:
            if wanted:
                raise RefusedConflictError(str(error), error.receipts) from error
            raise

    @app.delete("/v1/records/{id}")
    async def _delete(request: Request, id: str) -> Response:
        caller = await serving.caller(request)
        query = request.query_params.multi_items()
        erase = dict(query).get("erase", "false")
        if erase not in ("true", "false"):
            raise InputError(f"erase={erase!r:.60} is not possible: true or false")
        verb = table["erase" if erase == "true" else "retire"]
        given = from_query(verb, [(name, value) for name, value in query if name != "erase"])
        return _json(await serving.ask(verb, request, caller, {**given, "ids": [id]}))

    @app.get("/v1/records/{id}/history")
    async def _history(request: Request, id: str) -> Response:
        caller = await serving.caller(request)
        given = from_query(table["history"], request.query_params.multi_items())
        return _json(await serving.ask(table["history"], request, caller, {**given, "id": id}))


def _tag(record: Record) -> str:
    return f'"{record.revision}"'


def _tags(header: str | None) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in (header or "").split(",") if tag.strip()}


class RefusedConflictError(ConflictError):
    """A record is at another revision than If-Match says."""


# -- the server itself


def _add_health(app: FastAPI, serving: Serving) -> None:
    @app.get("/healthz")
    async def _healthz() -> Response:
        """It runs."""
        return _json({"status": "ok"})

    @app.get("/readyz")
    async def _readyz() -> Response:
        """It can be asked: the store answers, and it is not stopping."""
        if serving.stopping.is_set():
            raise RefusedError("the server is stopping", FULL)
        await serving.run(partial(serving.memory.stats, tenant_id="mnemic readyz"))
        return _json({"status": "ok"})

    @app.get("/openapi.json")
    async def _openapi() -> Response:
        return _json(document())


# -- problems


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, MnemicError)
    kind: Kind | None = error.kind if isinstance(error, RefusedError) else None
    if isinstance(error, RefusedConflictError):
        kind = PRECONDITION
    headers = dict(error.headers) if isinstance(error, RefusedError) else {}
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
    return _told(problem_of(error, kind), headers)


def _told(problem: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(answer(problem), problem["status"], dict(headers or {}), MEDIA_TYPE)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = NO_METHOD if error.status_code == 405 else NO_ROUTE
    where = f"{request.method} {request.url.path[:200]}"
    return _told(problem_of(MnemicError(f"{where} is nothing here: see /openapi.json"), kind), error.headers)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _fault(_: Request, error: Exception) -> Response:
    """What is no error of the engine's: its words stay here, in the log."""
    return _told(problem_of(MnemicError("something went wrong in the server; its log says what")))
