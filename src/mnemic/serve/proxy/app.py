"""The application: requests and responses, passed on as they come; with a memory beside them that never holds them up.

Paths of its own are `/mnemic/health`, `/mnemic/results/ID` and `/metrics`. All others are the upstream's.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import threading
import time as clocks
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

import httpx

from mnemic.errors import MnemicError, StoreError
from mnemic.memory import Memory
from mnemic.plain import as_json, plain
from mnemic.problems import MEDIA_TYPE, kind_of
from mnemic.serve.listening import is_loopback
from mnemic.serve.proxy.asked import Wish, wish_of
from mnemic.serve.proxy.counts import MEDIA_TYPE as COUNTS_TYPE
from mnemic.serve.proxy.counts import Counts
from mnemic.serve.proxy.given import NOTHING, SHOWN, Given, Placed, Recent, Shown, recall
from mnemic.serve.proxy.keep import LONGEST_ANSWER, Exchange, Keeping
from mnemic.serve.proxy.settings import Settings
from mnemic.serve.proxy.splice import spliced
from mnemic.serve.proxy.wire import Conversation, Protocol, conversation_of, unpacked

Headers = list[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HOP_BY_HOP: Final = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te"),
        *(b"trailer", b"transfer-encoding", b"upgrade"),
    )
)
"""Headers that are between two neighbours, and not passed on."""
READABLE: Final = (b"gzip", b"deflate", b"identity")
"""Encodings of an answer that can be remembered; no other is asked for."""
THREADS: Final = 4
"""Recalls at a time …"""
CROWD: Final = 4 * THREADS
"""… and how many may run or wait before one more is left out at once."""
INLINE: Final = 100_000
"""Bytes of a request that are read where they come; more are read in a thread."""
SILENCE: Final = 60.0
"""Seconds for which a client may send nothing of a body that it has begun."""
CONNECTING: Final = 10.0
"""Seconds for a connection to the upstream."""
AGAIN: Final = 5.0
"""Seconds before a store that could not be opened is tried again."""
TOO_MUCH: Final = (400, 413, 422)
"""What an upstream answers where a prompt does not fit, or a block was not to its liking."""

log = logging.getLogger("mnemic.proxy")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's first lines."""

    method: str
    path: str
    query: bytes
    headers: Headers

    def header(self, name: bytes) -> str:
        """A header's value; "" where there is none."""
        return b", ".join(value for key, value in self.headers if key == name).decode("latin-1")

    @property
    def has_body(self) -> bool:
        """Whether something comes behind its headers."""
        return bool(self.header(b"transfer-encoding")) or self.header(b"content-length") not in ("", "0")

    @property
    def protocol(self) -> Protocol | None:
        """The protocol of a chat request; None for any other request."""
        if self.method == "POST" and self.path.endswith("/chat/completions"):
            return "openai"
        return "anthropic" if self.method == "POST" and self.path == "/v1/messages" else None


@dataclass(slots=True)
class Plan:
    """What goes to the upstream, and what is said of it in the response."""

    content: bytes | None = None
    """The body with what is remembered in it; None where it goes as it came."""
    note: str = "off"
    given: Given = NOTHING
    is_withdrawn: bool = False
    """Whether the upstream did not take it."""


@dataclass(slots=True)
class Taken:
    """A response as it comes by."""

    status: int = 0
    encoding: str = ""
    pieces: list[bytes] = field(default_factory=list[bytes])
    size: int = 0

    def add(self, piece: bytes) -> None:
        """Keep a piece, unless there are too many."""
        self.size += len(piece)
        if self.size <= LONGEST_ANSWER:
            self.pieces.append(piece)

    @property
    def body(self) -> bytes | None:
        """What has come so far; None where that was too much."""
        return b"".join(self.pieces) if self.size <= LONGEST_ANSWER else None


class _RefusedError(Exception):
    """A request that the proxy itself answers."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class _GoneError(Exception):
    """The client has hung up."""


class Proxy:
    """An ASGI application in front of a model.

    `open` gives the memory, and raises StoreError where there is none; it is asked again later then. `close` has to be
    called at the end: what waits to be remembered is remembered in it.
    """

    def __init__(self, settings: Settings, open: Callable[[], Memory]) -> None:
        self._settings = settings
        self._shelf = _Shelf(open)
        self._placed = Placed()
        self._shown: Recent[str, Shown] = Recent(SHOWN)
        self._keeping = Keeping(self._shelf.memory, self._placed, lambda outcome: self._counts.exchange(outcome))
        self._counts = Counts(lambda: self._keeping.waiting)
        self._pool = ThreadPoolExecutor(THREADS, "mnemic-proxy-recall")
        self._running = 0
        # Nothing from the environment: a .netrc would add a key of its own to a request.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.patience, connect=CONNECTING, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            follow_redirects=False,
            trust_env=False,
        )

    def warm(self) -> None:
        """Do what a first recall would wait for. Raises MnemicError."""
        self._shelf.memory().context("warm", **_walls(self._settings))

    async def aclose(self) -> None:
        """Hang up on the upstream."""
        await self._client.aclose()

    def close(self) -> None:
        """Remember what waits, and close the memory. No request may run any more."""
        self._keeping.close(self._settings.ending)
        self._pool.shutdown(wait=True)
        self._shelf.close()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"a proxy for HTTP was asked for {scope['type']}")
        raw = cast("bytes", scope.get("raw_path") or str(scope["path"]).encode())
        asked = Asked(scope["method"], raw.decode("latin-1"), scope["query_string"], list(scope["headers"]))
        inbox = _Inbox(receive, has_body=asked.has_body or asked.protocol is not None)
        kind = asked.protocol or "other"
        outbox = _Outbox(send)
        try:
            self._check(asked)
            await _while_there(inbox, self._answered(asked, inbox, outbox))
        except _RefusedError as refused:
            kind = "refused"
            if not outbox.status:
                await outbox.problem(refused.status, refused.kind, str(refused))
        except _GoneError:
            pass
        except httpx.HTTPError as error:
            # Nothing more is sent: the server hangs up, and the client sees an answer that breaks off, as it is.
            log.warning("the upstream failed: %s", type(error).__name__)
            if not outbox.status:
                await outbox.problem(*_failed(error, self._settings.target[0]))
        finally:
            self._counts.request(kind, outbox.status if outbox.is_whole else "cut" if outbox.status else "gone")

    async def _answered(self, asked: Asked, inbox: _Inbox, outbox: _Outbox) -> None:
        if asked.method in ("GET", "HEAD") and (own := self._own(asked.path)) is not None:
            await own(outbox)
        elif asked.protocol is not None:
            await self._chat(asked.protocol, asked, inbox, outbox)
        else:
            await self._passed(asked, inbox, outbox)

    # -- who may ask

    def _check(self, asked: Asked) -> None:
        settings = self._settings
        if settings.key is not None and asked.path != "/mnemic/health":
            shown_key = asked.header(b"x-mnemic-key")
            if not hmac.compare_digest(shown_key.encode("latin-1"), settings.key.encode()):
                raise _RefusedError(401, "authentication_error", "this proxy wants its own key in X-Mnemic-Key")
        host = _host(asked.header(b"host"))
        local = is_loopback(settings.host)
        if (local or settings.hosts) and not ((local and is_loopback(host)) or host in settings.hosts):
            raise _RefusedError(403, "permission_error", "this proxy is not asked under that name: see --allow-host")
        origin = asked.header(b"origin")
        if origin and origin not in settings.origins:
            page = urlsplit(origin).netloc
            if not (local and is_loopback(_host(page))) and (not page or page != asked.header(b"host")):
                raise _RefusedError(403, "permission_error", "a page from elsewhere may not ask: see --allow-origin")

    # -- its own paths

    def _own(self, path: str) -> Callable[[_Outbox], Awaitable[None]] | None:
        if path == "/mnemic/health":
            return self._health
        if path == "/metrics":
            return lambda outbox: outbox.whole(200, COUNTS_TYPE, self._counts.text())
        if path.startswith("/mnemic/results/"):
            return partial(self._results, path.removeprefix("/mnemic/results/"))
        return None

    async def _health(self, outbox: _Outbox) -> None:
        told = {"status": "ok", "memory": self._shelf.trouble or "ok", "waiting": self._keeping.waiting}
        await outbox.whole(200, "application/json", json.dumps(told).encode())

    async def _results(self, id: str, outbox: _Outbox) -> None:
        """What was given under an id, and why, by the memory as it is now."""
        given = self._shown.get(id)
        if given is None:
            raise _RefusedError(404, "not_found_error", f"of results {id!r:.40} nothing is known: {SHOWN} are kept")
        loop = asyncio.get_running_loop()
        try:
            why = await loop.run_in_executor(self._pool, _why, self._shelf.memory, given)
        except MnemicError as error:
            why = [str(error)]
        told = {**plain(given), "why": why}
        await outbox.whole(200, "application/json", as_json(told).encode())

    # -- passing on

    async def _passed(self, asked: Asked, inbox: _Inbox, outbox: _Outbox) -> None:
        """A request that no memory has to do with."""
        length = asked.header(b"content-length")
        if length.isdecimal() and int(length) > self._settings.largest:
            raise _too_large(self._settings.largest)
        content = inbox.pieces(self._settings.largest) if asked.has_body else None
        kept = [one for one in asked.headers if one[0] == b"content-length" and asked.has_body]
        request = self._request(asked, [*_passing(asked.headers), *kept], content)
        response = await self._client.send(request, stream=True)
        try:
            await _relay(response, outbox, [], None)
        finally:
            await response.aclose()

    def _request(self, asked: Asked, headers: Headers, content: bytes | AsyncIterator[bytes] | None) -> httpx.Request:
        """The same request to the upstream. It cannot lead elsewhere: a client chooses the path within it."""
        address, _ = self._settings.target
        path = self._settings.path(asked.path)
        if path is None:
            raise _RefusedError(404, "not_found_error", "there is no such path at the upstream")
        raw = path.encode("latin-1") + (b"?" + asked.query if asked.query else b"")
        try:
            url = httpx.URL(address).copy_with(raw_path=raw or b"/")
        except httpx.InvalidURL:
            raise _RefusedError(404, "not_found_error", "that is no path") from None
        return httpx.Request(asked.method, url, headers=headers, content=content)

    # -- a chat

    async def _chat(self, protocol: Protocol, asked: Asked, inbox: _Inbox, outbox: _Outbox) -> None:
        length = asked.header(b"content-length")
        if length.isdecimal() and int(length) > self._settings.largest:
            raise _too_large(self._settings.largest)
        body = b"".join([piece async for piece in inbox.pieces(self._settings.largest)])
        at = datetime.now(UTC)
        conversation, wish = await self._read(protocol, asked, body)
        plan = await self._planned(conversation, wish)
        taken = Taken()
        try:
            response = await self._sent(asked, body, plan)
            try:
                taken.status = response.status_code
                if plan.is_withdrawn and conversation is not None and response.is_success:
                    self._placed.withdraw(wish.whose, conversation.turns)
                taken.encoding = response.headers.get("content-encoding", "")
                notes = [(b"x-mnemic-recall", plan.note.encode())]
                if plan.given.id is not None:
                    notes.append((b"x-mnemic-results", plan.given.id.encode()))
                await _relay(response, outbox, notes, taken if wish.remembers else None)
            finally:
                await response.aclose()
        finally:
            if conversation is not None and wish.remembers and 200 <= taken.status < 300:
                self._keep(conversation, wish, taken, at)

    async def _read(self, protocol: Protocol, asked: Asked, body: bytes) -> tuple[Conversation | None, Wish]:
        """What a request says, and what it wants of the memory."""
        settings = self._settings
        wished = partial(wish_of, asked.headers, default=settings.scope, mode=settings.mode, fixed=settings.fixed)
        wish = wished(fields={})
        if not (wish.recalls or wish.remembers):
            return None, wish
        read = partial(_conversation, protocol, body, asked.header(b"content-encoding"), settings)
        conversation = await _somewhere(len(body), read)
        return conversation, wish if conversation is None else wished(fields=conversation.fields)

    async def _planned(self, conversation: Conversation | None, wish: Wish) -> Plan:
        """What the model is to be given."""
        if not wish.recalls:
            return Plan(note=f"off; {wish.why}" if wish.why not in ("", "off") else "off")
        if conversation is None:
            return self._noted("unread", Plan(note="unread"))
        last = conversation.last
        if last is None:
            return self._noted("nothing", Plan(note="nothing; no words"))
        blocks = self._placed.before(wish.whose, conversation.turns)
        if conversation.is_open or last.place not in blocks:
            blocks.pop(last.place, None)
            plan = await self._recalled(conversation, wish, blocks)
            self._placed.put(wish.whose, conversation.turns, last, plan.given)
            blocks[last.place] = plan.given
        else:
            plan = self._noted("kept", Plan(note="kept", given=blocks[last.place]))
        texts = {place: given.text for place, given in blocks.items() if given.text}
        if texts:
            try:
                put = partial(spliced, conversation.body, texts, conversation.protocol)
                plan.content = (await _somewhere(len(conversation.body), put)).encode()
            except (ValueError, IndexError, RecursionError):
                return self._noted("unread", Plan(note="unread"))
        return plan

    async def _recalled(self, conversation: Conversation, wish: Wish, blocks: Mapping[int, Given]) -> Plan:
        """What is remembered for the user's last turn, if that comes in time."""
        if self._running >= CROWD:
            return self._noted("busy", Plan(note="busy"))
        settings = self._settings
        told = frozenset[str]().union(*(given.told for given in blocks.values()))
        work = partial(
            recall,
            conversation=conversation,
            told=told,
            budget=settings.budget,
            threshold=settings.threshold or None,
            scope=wish.walls,
        )
        started = clocks.perf_counter()
        self._running += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(self._shelf.memory()))
        future.add_done_callback(self._ran)
        done, _ = await asyncio.wait({future}, timeout=settings.within)
        seconds = clocks.perf_counter() - started
        if not done:
            return self._noted("late", Plan(note=f"late; ms={seconds * 1000:.1f}"), seconds)
        error = future.exception()
        if error is not None:
            log.warning("nothing could be recalled: %s", type(error).__name__)
            code = kind_of(error).code if isinstance(error, MnemicError) else "internal"
            return self._noted("failed", Plan(note=f"failed; {code}"), seconds)
        found = future.result()
        if found is None:
            return self._noted("nothing", Plan(note=f"nothing; ms={seconds * 1000:.1f}"), seconds)
        self._shown.put(found.id, found)
        note = f"given; records={len(found.evidence)}; ms={seconds * 1000:.1f}"
        return self._noted("given", Plan(note=note, given=found.given), seconds)

    def _noted(self, outcome: str, plan: Plan, seconds: float | None = None) -> Plan:
        self._counts.recall(outcome, seconds)
        return plan

    def _ran(self, future: asyncio.Future[Shown | None]) -> None:
        self._running -= 1
        if not future.cancelled():
            future.exception()  # one that comes too late is looked at by nobody else

    async def _sent(self, asked: Asked, body: bytes, plan: Plan) -> httpx.Response:
        """The upstream's response, of which nothing is read yet.

        A request that the upstream does not take with what was put into it is sent again as it came: it was not
        answered, and a memory has to break no chat.
        """
        headers = _readable(_passing(asked.headers))
        if plan.content is not None:
            unpacked_headers = [one for one in headers if one[0] != b"content-encoding"]
            response = await self._client.send(self._request(asked, unpacked_headers, plan.content), stream=True)
            if response.status_code not in TOO_MUCH:
                return response
            await response.aclose()
        response = await self._client.send(self._request(asked, headers, body), stream=True)
        if plan.content is not None:
            self._counts.recall("withdrawn")
            plan.note, plan.given, plan.is_withdrawn = "withdrawn; the upstream did not take it", NOTHING, True
        return response

    def _keep(self, conversation: Conversation, wish: Wish, taken: Taken, at: datetime) -> None:
        model = conversation.fields.get("model")
        self._keeping.put(
            Exchange(
                scope=wish.scope or {},
                whose=wish.whose,
                protocol=conversation.protocol,
                turns=conversation.turns,
                body=taken.body,
                encoding=taken.encoding,
                model=model if isinstance(model, str) else None,
                asked_at=at,
                answered_at=datetime.now(UTC),
            )
        )


# -- beside the application


class _Shelf:
    """The memory, opened when it is first wanted, and again later where that failed."""

    def __init__(self, open: Callable[[], Memory]) -> None:
        self._open = open
        self._lock = threading.Lock()
        self._memory: Memory | None = None
        self._error: StoreError | None = None
        self._tried = 0.0

    @property
    def trouble(self) -> str | None:
        """Why it could not be opened."""
        return None if self._error is None else kind_of(self._error).code

    def memory(self) -> Memory:
        """The memory. Raises StoreError."""
        with self._lock:
            if self._memory is not None:
                return self._memory
            if self._error is not None and clocks.monotonic() < self._tried + AGAIN:
                raise self._error
            try:
                self._memory = self._open()
                self._error = None
            except StoreError as error:
                self._error, self._tried = error, clocks.monotonic()
                raise
            return self._memory

    def close(self) -> None:
        """Close it, if it is open."""
        with self._lock:
            if self._memory is not None:
                self._memory.close()


class _Inbox:
    """What the client sends."""

    def __init__(self, receive: Receive, has_body: bool) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        """Set when the body has been read: until then whoever waits for the end would take pieces of it away."""
        if not has_body:
            self._read.set()

    async def pieces(self, largest: int) -> AsyncIterator[bytes]:
        """The body, piece by piece. Raises _RefusedError where it is too large or stops, _GoneError."""
        size, more = 0, True
        try:
            while more:
                try:
                    async with asyncio.timeout(SILENCE):
                        message = await self._receive()
                except TimeoutError:
                    raise _RefusedError(408, "timeout_error", "the request did not come to its end") from None
                if message["type"] == "http.disconnect":
                    raise _GoneError
                piece, more = message.get("body", b""), message.get("more_body", False)
                size += len(piece)
                if size > largest:
                    raise _too_large(largest)
                if piece:
                    yield piece
        finally:
            self._read.set()

    async def gone(self) -> None:
        """Wait until the client has hung up."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


class _Outbox:
    """What the client gets."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        """0 until a response has begun."""
        self.is_whole = False

    async def start(self, status: int, headers: Headers) -> None:
        """Begin a response."""
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(self, body: bytes) -> None:
        """Send a piece of it, at once."""
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """End it."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self.is_whole = True

    async def whole(self, status: int, media_type: str, body: bytes) -> None:
        """A response in one."""
        length = str(len(body)).encode()
        await self.start(status, [(b"content-type", media_type.encode()), (b"content-length", length)])
        await self.piece(body)
        await self.end()

    async def problem(self, status: int, kind: str, message: str) -> None:
        """An error in a form that clients of either protocol read."""
        error = {"type": kind, "message": f"mnemic proxy: {message}", "code": None}
        body = {"type": "error", "status": status, "detail": message, "error": error}
        await self.whole(status, MEDIA_TYPE, json.dumps(body).encode())


async def _while_there(inbox: _Inbox, work: Coroutine[Any, Any, None]) -> None:
    """Do some work until it is done or the client has hung up."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(inbox.gone())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)
    if not task.cancelled():
        task.result()


async def _relay(response: httpx.Response, outbox: _Outbox, more: Headers, taken: Taken | None) -> None:
    """The upstream's response to the client, as it comes. Raises httpx.HTTPError where it breaks off."""
    await outbox.start(response.status_code, [*_passing(response.headers.raw, length=True), *more])
    async for piece in response.aiter_raw():
        if taken is not None:
            taken.add(piece)
        await outbox.piece(piece)
    await outbox.end()


T = TypeVar("T")


async def _somewhere(size: int, work: Callable[[], T]) -> T:
    """Do some work: here where it is small, else in a thread."""
    return work() if size <= INLINE else await asyncio.to_thread(work)


def _conversation(protocol: Protocol, body: bytes, encoding: str, settings: Settings) -> Conversation | None:
    plain_body = unpacked(body, encoding, settings.largest)
    return None if plain_body is None else conversation_of(protocol, plain_body, tools=settings.tools)


def _walls(settings: Settings) -> Any:
    return {part: value for part, value in settings.scope.items() if part not in ("session_id", "agent_id")}


def _passing(headers: Iterable[tuple[bytes, bytes]], *, length: bool = False) -> Headers:
    """The headers that are passed on: not those between neighbours, and none of Mnemic's own."""
    given = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in given if name == b"connection" for word in value.split(b",")}
    dropped = HOP_BY_HOP | named | (set[bytes]() if length else {b"host", b"content-length", b"expect"})
    return [(name, value) for name, value in given if name not in dropped and not name.startswith(b"x-mnemic")]


def _readable(headers: Headers) -> Headers:
    """The headers with encodings only that the answer can be read in."""
    wanted = [
        one.strip()
        for name, value in headers
        if name == b"accept-encoding"
        for one in value.split(b",")
        if one.partition(b";")[0].strip().lower() in READABLE
    ]
    return [
        *(one for one in headers if one[0] != b"accept-encoding"),
        (b"accept-encoding", b", ".join(wanted) or b"identity"),
    ]


def _host(netloc: str) -> str:
    """A host without its port."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""


def _too_large(largest: int) -> _RefusedError:
    return _RefusedError(413, "request_too_large", f"the request is larger than {largest:,} bytes")


def _failed(error: httpx.HTTPError, address: str) -> tuple[int, str, str]:
    """What a client is told of an upstream that did not answer; of its address neither path nor password."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        reason = f"no connection in {CONNECTING:g} s" if isinstance(error, httpx.ConnectTimeout) else _reason(error)
        words = f"{address} cannot be reached: {reason}; is it running there? It is set with --upstream"
        return 502, "api_error", words
    if isinstance(error, httpx.TimeoutException):
        return 504, "api_error", "the upstream did not answer in time"
    return 502, "api_error", f"the upstream gave no answer ({type(error).__name__})"


def _reason(error: BaseException) -> str:
    """Why there is no connection, in the system's words: what the HTTP client raises says only that there is none."""
    reason = str(error)
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, BaseExceptionGroup):  # one for each address of a name
            behind = cast("BaseExceptionGroup[BaseException]", behind).exceptions[0]
        if isinstance(behind, ConnectionError | TimeoutError) and behind.errno:
            reason = os.strerror(behind.errno)
        elif isinstance(behind, OSError) and behind.strerror:
            reason = behind.strerror
        behind = behind.__cause__ or behind.__context__
    return reason


def _why(memory: Callable[[], Memory], given: Shown) -> list[str]:
    results = memory().search(given.query, **given.scope)
    return [str(results.explain(piece.id)) for piece in given.evidence]
