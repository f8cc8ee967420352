"""The MCP server over streamable HTTP: on the machine itself, unless told otherwise in words, and then with a key.

Every request names a host that is expected, and an origin, if it has one, that is allowed: so a page in a browser
cannot reach it by a name that it makes point here (DNS rebinding). What is not whole in time is given up.
"""

from __future__ import annotations

import contextlib
import hmac
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mnemic.errors import ConfigError
from mnemic.serve.listening import Listening, bound, is_loopback, url
from mnemic.serve.mcp.desk import Desk
from mnemic.serve.mcp.server import server_of

HOST, PORT, PATH = "127.0.0.1", 8377, "/mcp"
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
MOST_BYTES = 4 * 1024 * 1024
"""Of a request."""
PATIENCE = 30.0
"""Seconds in which the body of a request has to be there."""
LEAST_KEY = 16
"""Characters of a key that may guard a server beyond loopback."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and for whom."""

    host: str = HOST
    port: int = PORT
    """0: any that is free."""
    key: str | None = None
    """Asked of every request, as `Authorization: Bearer KEY`; None on the machine itself for none."""
    exposed: bool = False
    """Whether it may listen beyond loopback."""
    hosts: tuple[str, ...] = ()
    """Names besides the machine's own by which it may be called: "memory.example.org"."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may call it: "https://chat.example.org"."""

    def check(self) -> None:
        """Raises ConfigError for what would open the memory to others unasked."""
        if is_loopback(self.host):
            return
        if not self.exposed:
            raise ConfigError(
                f"host={self.host!r} is reached from other machines: if you mean that, say --expose, and set a key in "
                "MNEMIC_MCP_KEY; else listen on 127.0.0.1"
            )
        if self.key is None or len(self.key) < LEAST_KEY:
            raise ConfigError(
                f"beyond this machine a key is needed, of {LEAST_KEY} characters or more: set MNEMIC_MCP_KEY, for "
                "instance to what `openssl rand -hex 32` prints"
            )
        if not self.hosts:
            raise ConfigError(
                "beyond this machine the name by which clients call the server is needed, for each request is checked "
                "against it: pass --allow-host, such as --allow-host memory.example.org"
            )


def app_of(server: Server[Any], address: Address) -> ASGIApp:
    """The ASGI application: key, hosts and origins checked, then the SDK's. Raises ConfigError."""
    address.check()
    named = (*LOOPBACK, *address.hosts)
    origins = [f"http://{host}" for host in LOOPBACK]
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        host=address.host,
        max_request_body_size=MOST_BYTES,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[*named, *(f"{host}:*" for host in named if ":" not in host.strip("[]") or host[0] == "[")],
            allowed_origins=[*origins, *(f"{origin}:*" for origin in origins), *address.origins],
        ),
    )
    return _Door(inner, address.key)


class _Door:
    """Lets in who has the key, if there is one, and who says in time what is wanted."""

    def __init__(self, inner: ASGIApp, key: str | None) -> None:
        self._inner = inner
        self._expected = None if key is None else f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        if self._expected is not None and not self._has_key(scope):
            await _refuse(send, 401, "the key is missing or wrong: send Authorization: Bearer KEY")
            return
        await self._inner(scope, _in_time(receive), send)

    def _has_key(self, scope: Scope) -> bool:
        assert self._expected is not None
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)


def _in_time(receive: Receive) -> Receive:
    """A request's messages; one whose body is not whole in time ends as if the client had gone."""
    deadline = anyio.current_time() + PATIENCE
    whole = False

    async def received() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        with anyio.move_on_at(deadline):
            message = await receive()
            whole = not message.get("more_body", False)
            return message
        return {"type": "http.disconnect"}

    return received


async def _refuse(send: Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode()})


def run(desk: Desk, address: Address, *, reference: bool, listening: Callable[[str], None]) -> None:
    """Serve until a signal comes, then close the desk; `listening` is told the URL once clients can connect.

    Raises ConfigError, StoreError.
    """
    app = app_of(server_of(desk, reference=reference), address)
    signal.signal(signal.SIGTERM, _leave)  # where uvicorn passes it on, when it has answered who waits
    with contextlib.closing(desk), bound(Listening(address.host, address.port)) as listener:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            lifespan="on",
        )
        listening(url(address.host, listener.getsockname()[1]) + PATH)
        uvicorn.Server(config).run(sockets=[listener])


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)
