"""`Memory("http://…", api_key=…)`: a memory behind a server, with the same verbs, values and errors.

Standard library only. Each thread has a connection of its own, which stays open. A request that breaks is sent again: a
read may be, and a write carries an idempotency key, so that the server makes it once. Neither keys nor proxies are read
from the environment, and redirects are not followed, so a key never travels to another host.
"""

from __future__ import annotations

import errno
import functools
import inspect
import json
import os
import secrets
import ssl
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from mnemic import importers
from mnemic.errors import BusyError, ClosedError, ConfigError, InputError, MnemicError, ServerError
from mnemic.exchange import Lines, is_export, own_lines, write_lines
from mnemic.importers.files import parts_of
from mnemic.memory import STAMPS, Memory, refuse_unknown
from mnemic.messages import as_json_has_them
from mnemic.plain import read
from mnemic.problems import error_of
from mnemic.scope import narrowed
from mnemic.serve.verbs import FILE, FILE_NAME, HERE, LINES, Verb, verbs
from mnemic.types import ANY, Answer, Context, Explanation, Receipt, Results

TIMEOUT: Final = 60.0
"""Seconds of silence after which a server is given up."""
PATIENCE: Final = 3600.0
"""The same for verbs over much: upkeep, rebuild, export, import, and what waits for a model."""
TRIES: Final = 4
"""Requests for one call."""
LONGEST_WAIT: Final = 20.0
"""Seconds that a busy server may ask to wait."""
STAMPED: Final = ("add", "remember", "feedback")
"""Verbs that carry the agent and the session of a bound scope."""
LONG: Final = ("upkeep", "rebuild", "export", "import_", "ask")

F = TypeVar("F", bound=Callable[..., Any])


def _remote(function: F) -> F:
    """A verb of `Memory`, asked of a server: same name, parameters and words."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def asked(self: RemoteMemory, *args: Any, **given: Any) -> Any:
        try:
            found = signature.bind(self, *args, **given).arguments
        except TypeError as error:
            raise TypeError(f"{function.__name__}() {error}") from None
        scope = found.pop("scope", {})
        return self._call(verbs()[function.__name__], {n: v for n, v in found.items() if n != "self"}, scope)  # pyright: ignore[reportPrivateUsage]

    return cast("F", asked)


class RemoteMemory(Memory):
    """A memory behind a server. `timeout` is in seconds of silence; TLS certificates are checked by `tls`, if given.

    What a memory is made of (embedder, model, recipe, clock, …) is the server's own: here it raises ConfigError.
    A verb raises ServerError (see `mnemic.errors`) where the server cannot be reached, AccessError for a wrong key.
    """

    def __init__(  # pyright: ignore[reportInconsistentConstructor] - `Memory` takes the parameters of both
        self,
        url: str,
        *,
        api_key: str | None = None,
        author: str | None = None,
        timeout: float = TIMEOUT,
        tls: ssl.SSLContext | None = None,
        **others: object,
    ) -> None:
        known = inspect.signature(Memory.__init__).parameters
        refuse_unknown("Memory", [name for name in others if name not in known], [*known][1:-1])
        for name, value in others.items():
            if value != known[name].default:
                raise ConfigError(f"{name}={value!r:.60} is the server's own: set it where {url} is started")
        self._wire = _Wire(url, api_key, timeout, tls)
        self._author = author
        self._bound = {}

    add = _remote(Memory.add)
    remember = _remote(Memory.remember)
    update = _remote(Memory.update)
    retire = _remote(Memory.retire)
    merge = _remote(Memory.merge)
    split = _remote(Memory.split)
    feedback = _remote(Memory.feedback)
    undo = _remote(Memory.undo)
    erase = _remote(Memory.erase)
    search = _remote(Memory.search)
    context = _remote(Memory.context)
    ask = _remote(Memory.ask)
    get = _remote(Memory.get)
    list = _remote(Memory.list)
    timeline = _remote(Memory.timeline)
    history = _remote(Memory.history)
    diff = _remote(Memory.diff)
    journal = _remote(Memory.journal)
    links = _remote(Memory.links)
    conflicts = _remote(Memory.conflicts)
    spending = _remote(Memory.spending)
    stats = _remote(Memory.stats)
    upkeep = _remote(Memory.upkeep)
    rebuild = _remote(Memory.rebuild)
    export = _remote(Memory.export)
    import_ = _remote(Memory.import_)

    def wait(self, seconds: float | None = None, **unknown: object) -> bool:
        """There is nothing here to wait for: a thread that does upkeep is the server's own. Raises InputError."""
        refuse_unknown("wait()", unknown, ["seconds"])
        raise InputError("wait() is about a thread of the server's own: upkeep() does here and now what is pending")

    def close(self) -> None:
        """Close the connections. Idempotent; every `scoped` one is closed with it."""
        self._wire.close()

    def __repr__(self) -> str:
        bound = "".join(f", {part}={value!r}" for part, value in self._bound.items())
        return f"Memory({self._wire.server!r}{bound})"

    def _call(self, verb: Verb, given: Mapping[str, Any], scope: Mapping[str, Any]) -> Any:
        self._check_names(getattr(Memory, verb.name), cast("Any", scope))
        for name in set(given) & HERE.keys() - ({"path"} if verb.name == "export" else set()):
            if given[name] is not None:
                raise InputError(f"{name}=… is {HERE[name]} of the server's own: set it where that is started")
        body = _body(verb, given, self._scope(verb, scope))
        if self._author is not None and any(one.name == "author" for one in verb.parameters):
            body.setdefault("author", self._author)
        if verb.name == "export":
            return self._export(body, given.get("path"), body.pop("format", "jsonl"))
        if verb.name == "import_":
            return self._import(body, given["source"])
        patience = PATIENCE if verb.name in LONG or body.get("wait") else None
        told = self._wire.post(f"/v1/{verb.path}", body, once=verb.writes, patience=patience)
        value = read(verb.returns, told)
        if isinstance(value, Results) and not body.get("precise"):
            return replace(value, explainer=partial(self._explained_there, body))
        return value

    def _export(self, body: dict[str, Any], path: str | Path | None, format: str) -> Any:
        if format not in ("jsonl", "markdown") or (format == "markdown" and path is None):
            raise InputError(f"format={format!r} is not possible: 'jsonl', or 'markdown' with the path of a folder")
        lines = Lines(self._wire.lines("/v1/export", body), None)
        if path is None:
            return lines
        return _as_folder(Path(path), lines) if format == "markdown" else write_lines(Path(path), lines)

    def _import(self, body: dict[str, Any], source: object) -> Receipt:
        """Send what `export` wrote, or another system's file or folder, which is looked at here first."""
        if not isinstance(source, str | Path):
            return read(Receipt, self._wire.send_lines("/v1/import", body, source))
        if is_export(source, body.get("format")):
            lines = own_lines(source, time.time_ns() // 1000)
            ours = {name: value for name, value in body.items() if name != "format"}
            return read(Receipt, self._wire.send_lines("/v1/import", ours, lines))
        found = importers.find(source, body.get("format"), body.get("columns"))
        with _as_file(Path(source)) as file:
            return read(
                Receipt, self._wire.send_lines("/v1/import", {**body, "format": found.format.name}, file, found.name)
            )

    def _explained_there(self, asked: Mapping[str, Any], id: str) -> Explanation:
        body = {name: value for name, value in asked.items() if name != "precise"}
        return read(Explanation, self._wire.post("/v1/explain", {**body, "id": id}, once=False))

    def _scope(self, verb: Verb, scope: Mapping[str, Any]) -> dict[str, Any]:
        """The scope of a call, as JSON has it. Raises ScopeError where a bound one would be left."""
        bound = self._bound
        if verb.name not in STAMPED:
            bound = {part: value for part, value in bound.items() if part not in STAMPS}
        found = {part: value for part, value in narrowed(bound, scope).items() if value is not None}
        if found.get("project_id") is ANY:
            del found["project_id"]
            found["all_projects"] = True
        if any(value is ANY for value in found.values()):
            raise InputError("ANY stands for projects only: name one user, or several")
        return {part: _plain(value) for part, value in found.items()}


def _body(verb: Verb, given: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """A call's parameters, as JSON has them."""
    body: dict[str, Any] = dict(scope)
    for name, value in given.items():
        if value is ... or name in HERE or (verb.name == "import_" and name == "source"):
            continue
        if name == "messages":
            body[name] = as_json_has_them(value)
        elif isinstance(value, Results | Receipt):
            body[name] = value.id
        elif isinstance(value, Context | Answer):
            body[name] = value.results_id
        else:
            body[name] = _plain(value)
    return body


def _as_folder(folder: Path, lines: Iterable[str]) -> int:
    """The lines of an export as a folder of Markdown, by way of a copy. Returns the number of files."""
    walls: set[tuple[str | None, ...]] = set()

    def seen() -> Iterator[str]:
        for line in lines:
            record = json.loads(line).get("record")
            if record is not None:
                walls.add(tuple(record[part] or None for part in ("tenant", "project", "user")))
            yield line

    with Memory(":memory:", embedder="none") as copy:
        copy.import_(seen())
        if len(walls) != 1:
            return copy.export(folder, format="markdown", everything=True)
        tenant, project, user = walls.pop()
        return copy.export(folder, format="markdown", tenant_id=tenant, project_id=project, user_id=user)


@contextmanager
def _as_file(path: Path) -> Generator[Path]:
    """A file as it is, a folder packed into one."""
    if not path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory() as made:
        packed = Path(made, "packed.zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in parts_of(path):
                archive.write(part.path, part.name)
        yield packed


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(inner) for inner in cast("Iterable[Any]", value)]
    return value


# -- the wire


_CUT = (ConnectionError, TimeoutError, ssl.SSLEOFError, HTTPException)
"""A connection that broke, before or inside an answer."""


class _Wire:
    """A server's address, and a connection to it for each thread."""

    def __init__(self, url: str, key: str | None, timeout: float, tls: ssl.SSLContext | None) -> None:
        try:
            parts = urlsplit(url)
            address = (parts.hostname or "", parts.port)
        except ValueError as error:
            raise ConfigError(f"{url!r} is no address of a server: {error}") from error
        if parts.username is not None or parts.query or parts.fragment or not address[0]:
            raise ConfigError(
                f"a server's address looks like 'http://127.0.0.1:8000', without key or query (got {url!r})"
            )
        if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key != ""):
            raise ConfigError("api_key must be printable ASCII without spaces around it")
        if not timeout > 0:
            raise ConfigError(f"timeout={timeout} is not possible: pass seconds above 0")
        self.server = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._path = parts.path.rstrip("/")
        self._address = address
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._timeout = timeout
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._mine = threading.local()
        self._every: set[HTTPConnection] = set()
        self._lock = threading.Lock()
        self._closed = False

    def post(self, path: str, body: Mapping[str, Any], *, once: bool, patience: float | None = None) -> Any:
        """Ask, and try again what may pass. Raises the server's error, ServerError, BusyError."""
        try:
            sent = json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise InputError(f"this cannot be sent as JSON: {error}") from None
        headers = {"Content-Type": "application/json"}
        if once:
            headers["Idempotency-Key"] = secrets.token_hex(16)
        for attempt in range(1, TRIES + 1):
            try:
                response, content = self._ask(path, sent, headers, patience)
                return self._answer(response, content)
            except BusyError as busy:
                if attempt == TRIES or busy.retry_after > LONGEST_WAIT:
                    raise
                time.sleep(busy.retry_after)
            except _BrokenError as broken:
                if attempt == TRIES:
                    raise ServerError(errno.ECONNABORTED, f"{broken} (tried {attempt} times)") from broken.__cause__
                if attempt > 1:
                    time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def lines(self, path: str, body: Mapping[str, Any]) -> Iterator[str]:
        """The lines of an answer, as they come. The first one is asked for at once, so an error is not late."""
        connection = self._connect(PATIENCE)
        headers = {**self._headers, "Content-Type": "application/json"}
        with self._closed_if_cut(connection):
            connection.request("POST", self._path + path, json.dumps(body).encode(), headers)
            response = connection.getresponse()
            refused = None if response.status == 200 else response.read()
        if refused is not None:
            connection.close()
            self._answer(response, refused)
        return self._lines(connection, response)

    def _lines(self, connection: HTTPConnection, response: HTTPResponse) -> Iterator[str]:
        try:
            for line in response:
                yield line.decode().rstrip("\n")
        except _CUT as error:
            raise ServerError(errno.ECONNABORTED, f"{self.server} broke off in the middle of its lines") from error
        finally:
            connection.close()

    def send_lines(self, path: str, given: Mapping[str, Any], source: object, name: str | None = None) -> Any:
        """Send the lines of a file (its path), or of whatever gives lines, as they come; or a file of that name."""
        told = {name: json.dumps(value) if isinstance(value, bool | dict) else value for name, value in given.items()}
        query = urlencode(told, doseq=True)
        headers = {**self._headers, "Content-Type": LINES[0], "Idempotency-Key": secrets.token_hex(16)}
        if name is not None:
            headers |= {"Content-Type": FILE, FILE_NAME: quote(name, safe="")}
        connection = self._connect(PATIENCE)
        try:
            connection.request("POST", f"{self._path}{path}?{query}", _chunks(source), headers, encode_chunked=True)
            response, content = _replied(connection)
        except MnemicError:  # of whoever gives the lines
            raise
        except _CUT as error:
            try:
                response, content = _replied(connection)  # it has said why before all was sent
            except (*_CUT, OSError):
                self._broken(error)
        except OSError as error:
            self._unreachable(error)
        finally:
            connection.close()
        return self._answer(response, content)

    def close(self) -> None:
        """Close every thread's connection. Idempotent."""
        self._closed = True
        with self._lock:
            while self._every:
                self._every.pop().close()

    # -- one request

    def _ask(
        self, path: str, body: bytes, headers: Mapping[str, str], patience: float | None
    ) -> tuple[HTTPResponse, bytes]:
        connection = self._connection()
        timeout = max(patience or 0.0, self._timeout)
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.timeout = timeout
        with self._closed_if_cut(connection):
            connection.request("POST", self._path + path, body, {**self._headers, **headers})
            return _replied(connection)

    @contextmanager
    def _closed_if_cut(self, connection: HTTPConnection) -> Generator[None]:
        """Close a connection whose request did not come to its end, and say why. Raises ServerError."""
        try:
            yield
        except _CUT as error:
            connection.close()
            self._broken(error)
        except OSError as error:
            connection.close()
            self._unreachable(error)
        except BaseException:  # an interrupt leaves half an answer in the connection
            connection.close()
            raise

    def _connection(self) -> HTTPConnection:
        """This thread's connection; of this process, for a fork's child has its parent's sockets."""
        if self._closed:
            raise ClosedError(errno.EBADF, "this memory is closed: open it again with Memory(…)")
        held = cast("tuple[int, HTTPConnection] | None", getattr(self._mine, "held", None))
        if held is not None and held[0] == os.getpid():
            return held[1]
        connection = self._connect(self._timeout)
        with self._lock:
            self._every.add(connection)
        self._mine.held = (os.getpid(), connection)
        return connection

    def _connect(self, timeout: float) -> HTTPConnection:
        if self._closed:
            raise ClosedError(errno.EBADF, "this memory is closed: open it again with Memory(…)")
        host, port = self._address
        if self._tls is not None:
            return HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return HTTPConnection(host, port, timeout=timeout)

    def _broken(self, error: BaseException) -> NoReturn:
        if isinstance(error, ConnectionRefusedError):
            self._unreachable(error)
        if isinstance(error, TimeoutError):
            raise _BrokenError(f"{self.server} said nothing for too long: {error}") from error
        raise _BrokenError(f"the connection to {self.server} broke: {type(error).__name__}: {error}") from error

    def _unreachable(self, error: OSError) -> NoReturn:
        raise ServerError(
            error.errno if isinstance(error.errno, int) else errno.ECONNREFUSED,
            f"{self.server} cannot be reached: {error.strerror or error}; is 'mnemic serve' running there?",
        ) from error

    def _answer(self, response: HTTPResponse, content: bytes) -> Any:
        kind = (response.getheader("Content-Type") or "").partition(";")[0]
        try:
            told: object = json.loads(content) if kind.endswith("json") else None
        except ValueError:
            told = None
        if response.status == 200 and told is not None:
            return told
        if response.status >= 400 and isinstance(told, dict) and "detail" in told:
            raise error_of(cast("Mapping[str, Any]", told))
        hint = (
            "; redirects are not followed: pass the address where it really is" if 300 <= response.status < 400 else ""
        )
        said = " ".join(content[:200].decode("utf-8", "replace").split())
        raise ServerError(
            errno.EPROTO, f"{self.server} answered {response.status}, and not as Mnemic does: {said!r}{hint}"
        )


class _BrokenError(ServerError):
    """A connection that broke: the request may be sent again."""


def _replied(connection: HTTPConnection) -> tuple[HTTPResponse, bytes]:
    response = connection.getresponse()
    return response, response.read()


def _chunks(source: object) -> Iterator[bytes]:
    """The lines of a path, or of an iterable, in pieces worth sending."""
    if isinstance(source, str | Path):
        try:
            with open(source, "rb") as file:
                while piece := file.read(1 << 16):
                    yield piece
        except OSError as error:
            raise InputError(f"'{source}' cannot be read: {error.strerror}") from error
        return
    if not isinstance(source, Iterable):
        raise InputError(f"source={source!r:.60} is no path and no lines")
    waiting: list[str] = []
    size = 0
    for line in cast("Iterable[str]", source):
        waiting.append(line if line.endswith("\n") else line + "\n")
        size += len(line)
        if size > 1 << 16:
            yield "".join(waiting).encode("utf-8", "backslashreplace")
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode("utf-8", "backslashreplace")
