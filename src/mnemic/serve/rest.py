"""The REST server: every verb as `POST /v1/VERB`, records as resources, problems as problem+json."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

import mnemic
from mnemic.errors import BusyError, ConflictError, InputError, MnemicError, ScopeError
from mnemic.memory import Memory, refuse_unknown
from mnemic.once import once
from mnemic.problems import FULL, MEDIA_TYPE, NO_JSON, NO_METHOD, NO_ROUTE, PRECONDITION, Kind, kind_of, problem_of
from mnemic.serve import limits as limit
from mnemic.serve.bodies import answer, checked, from_query
from mnemic.serve.border import Border
from mnemic.serve.events import AT_ONCE, begin, events, stamp
from mnemic.serve.gate import Caller, Gate, let_in, scope_in
from mnemic.serve.keys import is_to_be_noted
from mnemic.serve.limits import Limits, Rates
from mnemic.serve.metrics import TYPE, Metrics
from mnemic.serve.openapi import document
from mnemic.serve.page import Lately, add_page
from mnemic.serve.refused import RefusedError
from mnemic.serve.verbs import FILE, FILE_NAME, LINES, SCOPE, Verb, verbs
from mnemic.types import Page, Record, Steps

T = TypeVar("T")
SEVERAL = ("upkeep", "rebuild")
"""Verbs of several transactions, which go on where they were broken off."""
PIECE = 64 << 10
"""Bytes of a stream that are sent at a time."""
THREADS = 4
"""That work on the engine. More would only take turns at the interpreter's lock; who waits, waits in order."""


def _no_span(verb: str, headers: Mapping[str, str]) -> AbstractContextManager[None]:
    return nullcontext()


Span = Callable[[str, Mapping[str, str]], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a verb gave, and the same as JSON, written by the thread that asked."""

    value: Any
    body: bytes


@dataclass(frozen=True, slots=True)
class Serving:
    """One server's parts: the memory, who may ask it, how much, and the threads that work for it."""

    memory: Memory
    store: Path | None
    """The memory's file, whose changes events look for."""
    gate: Gate
    limits: Limits
    rates: Rates
    pool: ThreadPoolExecutor
    metrics: Metrics
    span: Span
    stopping: threading.Event
    """Set when the server stops: streams end then."""
    lately: Lately

    async def run(self, work: Callable[[], T]) -> T:
        """Do something that may wait, in a thread."""
        asked = time.perf_counter()
        self.metrics.queued.inc()

        def begun() -> T:
            self.metrics.queued.dec()
            self.metrics.waited.observe(time.perf_counter() - asked)
            return work()

        try:
            under_way = asyncio.get_running_loop().run_in_executor(self.pool, begun)
        except RuntimeError:  # the threads have ended
            raise RefusedError("the server is stopping", FULL) from None
        return await under_way

    def caller(self, request: Request) -> Caller:
        """Who asks. Raises RefusedError, AccessError, BusyError."""
        caller = self.gate.caller(request.headers)
        if caller.key is not None and self.gate.keys is not None:
            self.rates.take(caller.key.id)
            if is_to_be_noted(caller.key):
                self.pool.submit(self.gate.keys.use, caller.key)
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

    async def ask(self, verb: Verb, request: Request, caller: Caller, given: Mapping[str, Any]) -> Told:
        """Call a verb for a caller. Raises MnemicError."""
        scoped = scope_in(request.headers, checked(verb, given))

        def said() -> bytes:
            return json.dumps([verb.name, scoped], sort_keys=True).encode("utf-8", "backslashreplace")

        def work() -> Told:
            memory, passed = let_in(self.memory, caller, verb, scoped)
            value = self.do(verb, request, memory, partial(verb.call, given=passed), said)
            self.lately.note(caller, scoped, value)
            return Told(value, b"" if verb.gives_lines else answer(value))

        return await self.run(work)

    def do(
        self, verb: Verb, request: Request, memory: Memory, work: Callable[[Memory], Any], said: Callable[[], bytes]
    ) -> Any:
        """Call a verb in this thread: counted, traced, and once only where its caller has given it a key."""
        key = request.headers.get("idempotency-key")
        try:
            with self.metrics.verbs.labels(verb.path).time(), self.span(verb.path, request.headers):
                if key is None or not verb.writes:
                    return work(memory)
                return once(memory, key, said(), work, whole=verb.name not in SEVERAL)
        except MnemicError as error:
            self.metrics.failures.labels(verb.path, kind_of(error).code).inc()
            raise


def server(
    memory: Memory,
    *,
    gate: Gate,
    limits: Limits | None = None,
    store: Path | None = None,
    threads: int = THREADS,
    span: Span = _no_span,
    stopping: threading.Event | None = None,
    rates: Rates | None = None,
    metrics: Metrics | None = None,
    lately: Lately | None = None,
) -> FastAPI:
    """The application: an ASGI app that serves a memory, which stays its caller's to close.

    `store` is the memory's file, so that events are told at once of what other processes write. `span` is put around
    each verb (see `traces`). `stopping` is set by whoever stops the server. `rates`, `metrics` and `lately` are this
    process's own, unless it has them together with others (see `together`).
    """
    limits = limits or Limits()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="mnemic")
    rates, metrics, lately = rates or Rates(limits.rate, limits.burst), metrics or Metrics(), lately or Lately()
    stopping = stopping or threading.Event()
    serving = Serving(memory, store, gate, limits, rates, pool, metrics, span, stopping, lately)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        stopping.set()
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
    # Plain routes: their parameters are the table's, so nothing is left for FastAPI to find out at each request.
    for verb in verbs().values():
        if verb.name == "export":
            app.add_route("/v1/export", _export(serving, verb), ["GET", "POST"])
        elif verb.name == "import_":
            app.add_route("/v1/import", _import(serving, verb), ["POST"])
        else:
            app.add_route(f"/v1/{verb.path}", _verb(serving, verb), ["POST"])
    _add_records(app, serving)
    _add_events(app, serving)
    _add_health(app, serving)
    add_page(app, serving.caller, serving.lately)
    if gate.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(gate.origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["ETag", "Link", "Retry-After"],
        )
    app.add_middleware(Border, limits=limits, metrics=metrics, stopping=stopping)
    app.add_exception_handler(MnemicError, _problem)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _fault)
    return app


# -- verbs


Endpoint = Callable[[Request], Any]


def _verb(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = serving.caller(request)
        return _json(await serving.ask(verb, request, caller, await serving.given(request)))

    return endpoint


def _json(told: Told, headers: Mapping[str, str] | None = None) -> Response:
    return Response(told.body, media_type="application/json", headers=dict(headers or {}))


def _export(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = serving.caller(request)
        posted = request.method == "POST"
        given = await serving.given(request) if posted else from_query(verb, request.query_params.multi_items())
        lines: Iterator[str] = (await serving.ask(verb, request, caller, given)).value
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
    # Where the reader goes, nobody holds the lines any more, and the snapshot behind them ends.
    while piece:
        yield piece
        piece = await serving.run(partial(_piece, lines))


def _import(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = serving.caller(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        given = scope_in(request.headers, checked(verb, from_query(verb, request.query_params.multi_items())))
        if kind not in (*LINES, FILE):
            raise RefusedError(
                f"the body is {kind or 'of no type'}: send an export's lines as {LINES[0]}, another's as {FILE}",
                NO_JSON,
            )
        memory, passed = let_in(serving.memory, caller, verb, given)
        name = _file_name(request.headers.get(FILE_NAME, "import"))
        said = json.dumps([verb.name, given, name], sort_keys=True).encode("utf-8", "backslashreplace")
        digest = hashlib.sha256(said)
        with tempfile.TemporaryDirectory(prefix="mnemic-") as folder:
            path = Path(folder, name)
            with open(path, "wb") as file:
                async for part in limit.parts(
                    request.stream(),
                    declared=request.headers.get("content-length"),
                    most=serving.limits.import_body,
                    seconds=serving.limits.body_seconds,
                ):
                    digest.update(part)
                    await serving.run(partial(file.write, part))

            def read(memory: Memory) -> Any:
                if kind == FILE or "format" in given:
                    limit.unpacked(path, serving.limits.import_body)
                    return memory.import_(path, **passed)
                with open(path, "rb") as file:
                    return memory.import_(_lines(file), **passed)

            def work() -> Told:
                value = serving.do(verb, request, memory, read, digest.digest)
                return Told(value, answer(value))

            return _json(await serving.run(work))

    return endpoint


def _file_name(told: str) -> str:
    """The last part of a file's name, as it may be one here: its ending says what is in it."""
    name = unquote(told).replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:60]}{dot}{ending[:20]}" if dot else name[:60] or "import"


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
        caller = serving.caller(request)
        query = request.query_params.multi_items()
        told = await serving.ask(table["list"], request, caller, from_query(table["list"], query))
        page: Page = told.value
        if page.next is None:
            return _json(told)
        others = [(name, value) for name, value in query if name != "after"]
        link = f"{request.url.path}?{urlencode([*others, ('after', page.next)])}"
        return _json(told, {"Link": f'<{link}>; rel="next"'})

    @app.get("/v1/records/{id}")
    async def _get(request: Request, id: str) -> Response:
        caller = serving.caller(request)
        given = from_query(table["get"], request.query_params.multi_items())
        told = await serving.ask(table["get"], request, caller, {**given, "id": id})
        record: Record = told.value
        # Its revision, and what else is told of it: a record that is retired, or rests on more, keeps its revision.
        tag = f'"{record.revision}-{hashlib.sha256(told.body).hexdigest()[:16]}"'
        if _tags(request.headers.get("if-none-match")) & {tag, "*"}:
            return Response(status_code=304, headers={"ETag": tag})
        return _json(told, {"ETag": tag})

    @app.patch("/v1/records/{id}")
    async def _update(request: Request, id: str) -> Response:
        caller = serving.caller(request)
        named = _scope_named(table["update"], request.query_params.multi_items())
        given = {**_together(named, await serving.given(request)), "id": id}
        wanted = _tags(request.headers.get("if-match")) - {"*"}
        if wanted:
            numbers = [tag.strip('"').partition("-")[0] for tag in wanted]
            revisions = [int(number) for number in numbers if number.isdigit()]
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
        caller = serving.caller(request)
        query = request.query_params.multi_items()
        erase = dict(query).get("erase", "false")
        if erase not in ("true", "false"):
            raise InputError(f"erase={erase!r:.60} is not possible: true or false")
        verb = table["erase" if erase == "true" else "retire"]
        given = from_query(verb, [(name, value) for name, value in query if name != "erase"])
        return _json(await serving.ask(verb, request, caller, {**given, "ids": [id]}))

    for name in ("history", "links"):
        app.add_route(f"/v1/records/{{id}}/{name}", _of_one(serving, table[name]), ["GET"])
    for name in ("conflicts", "spending", "stats", "journal", "timeline"):
        app.add_route(f"/v1/{name}", _asked(serving, table[name]), ["GET"])


def _scope_named(verb: Verb, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The scope in an address whose parameters are in the body. Raises ParameterError for anything else there."""
    others = [name for name, _ in query if name not in SCOPE]
    refuse_unknown("the address", others, sorted(SCOPE))
    return from_query(verb, query)


def _together(named: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A scope from an address, and a body. Raises ScopeError where these contradict each other."""
    for part, value in named.items():
        if part in given and given[part] not in (None, value) and [given[part]] != value:
            raise ScopeError(f"{part}={given[part]!r:.80} and the address's {value!r:.80} contradict each other")
    return {**given, **named}


def _of_one(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = serving.caller(request)
        given = from_query(verb, request.query_params.multi_items())
        return _json(await serving.ask(verb, request, caller, {**given, "id": request.path_params["id"]}))

    return endpoint


def _asked(serving: Serving, verb: Verb) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = serving.caller(request)
        return _json(await serving.ask(verb, request, caller, from_query(verb, request.query_params.multi_items())))

    return endpoint


def _tags(header: str | None) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in (header or "").split(",") if tag.strip()}


class RefusedConflictError(ConflictError):
    """A record is at another revision than If-Match says."""


# -- events


def _add_events(app: FastAPI, serving: Serving) -> None:
    verb = verbs()["journal"]
    readers = 0

    @app.get("/v1/events")
    async def _events(request: Request) -> Response:
        nonlocal readers
        caller = serving.caller(request)
        given = from_query(verb, request.query_params.multi_items())
        scoped = scope_in(request.headers, checked(verb, given))
        if readers >= serving.limits.streams:
            raise RefusedError(f"{readers} read events already, and more are not taken", FULL)
        memory, passed = let_in(serving.memory, caller, verb, scoped)
        stamps = {part: passed.get(part) for part in ("agent_id", "session_id")}
        last = request.headers.get("last-event-id") or passed.get("after")
        at = await serving.run(partial(begin, memory, last, stamps["agent_id"], stamps["session_id"]))

        async def ask(after: str | None) -> Steps:
            return await serving.run(partial(memory.journal, after=after, limit=AT_ONCE, **stamps))

        def is_over() -> bool:
            # A key that is revoked, or that never had an end, is asked about again all along.
            return serving.stopping.is_set() or not serving.gate.still(caller)

        async def stream() -> AsyncIterator[bytes]:
            nonlocal readers
            readers += 1
            serving.metrics.streams.set(readers)
            try:
                async for event in events(ask, at, partial(stamp, serving.store), is_over):
                    yield event
            finally:
                readers -= 1
                serving.metrics.streams.set(readers)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


# -- the server itself


def _add_health(app: FastAPI, serving: Serving) -> None:
    @app.get("/healthz")
    async def _healthz() -> Response:
        """It runs."""
        return Response(b'{"status": "ok"}', media_type="application/json")

    @app.get("/readyz")
    async def _readyz() -> Response:
        """It can be asked: the store answers, and it is not stopping."""
        if serving.stopping.is_set():
            raise RefusedError("the server is stopping", FULL)
        await serving.run(partial(serving.memory.journal, limit=1))
        return Response(b'{"status": "ok"}', media_type="application/json")

    @app.get("/metrics")
    async def _metrics(request: Request) -> Response:
        """Numbers for Prometheus: with keys, an owner's."""
        serving.caller(request).grant.allow("owner", "/metrics")
        return Response(serving.metrics.text(), headers={"Content-Type": TYPE})

    @app.get("/openapi.json")
    async def _openapi() -> Response:
        return Response(answer(document()), media_type="application/json")


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
