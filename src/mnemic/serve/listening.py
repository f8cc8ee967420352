"""Where a server listens, for how long it waits for headers, and how it stops: the same for each of them."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mnemic.errors import StoreError

FINISHING: Final = "finishing what is under way (Ctrl-C again breaks it off) …"
"""What a server says where its end takes a while."""
A_WHILE: Final = 0.5
"""Seconds: streams and most requests end sooner, and nobody needs to be told."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens, and how. `port` 0: any that is free."""

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: Path | None = None
    private_key: Path | None = None
    password: str | None = None
    """Of the private key."""
    stop_seconds: float = 30.0
    """That requests under way have to finish when it stops."""


def is_loopback(host: str) -> bool:
    """Whether this name or address leads to the machine itself: only it can ask a server that listens there."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def url(host: str, port: int, *, https: bool = False) -> str:
    """How a server that listens there is called."""
    name = f"[{host.strip('[]')}]" if ":" in host else host
    return f"{'https' if https else 'http'}://{name}:{port}"


def bound(where: Listening, *, shared: bool = False, listens: bool = True) -> socket.socket:
    """A socket bound there; with others of ours, if `shared`. Raises StoreError where it cannot."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    # With TCP by name: only then does asyncio send small answers at once, and not 40 ms later.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind((where.host.strip("[]"), where.port))
        if listens:
            found.listen(2048)
    except OSError as error:
        found.close()
        raise StoreError(
            error.errno or errno.EADDRNOTAVAIL,
            f"nothing can listen at {where.host}:{where.port}: {error.strerror or error}; name another with --port",
        ) from error
    return found


class Server(uvicorn.Server):
    """uvicorn's server, whose streams are told when it stops, and which returns from a signal as from anything else."""

    def __init__(
        self,
        config: uvicorn.Config,
        stopping: threading.Event,
        started: Callable[[], None],
        finishing: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._told = started
        self._finishing = finishing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._told()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, and finish what is under way: that is told where it takes a while."""
        telling = asyncio.get_running_loop().call_later(A_WHILE, self._tell_what_waits)
        try:
            await super().shutdown(sockets)
        finally:
            telling.cancel()

    def _tell_what_waits(self) -> None:
        if self.server_state.tasks:
            self._finishing()

    def stop(self) -> None:
        """End when the requests under way have ended. From any thread."""
        self._stopping.set()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at the second Ctrl-C, at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.stop()


def patient(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol, whose patience with headers that come slowly has an end."""

    class Patient(H11Protocol):
        _cut: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            self._wait()
            super().data_received(data)
            if self._cut is not None and str(self.conn.their_state) != "IDLE":
                self._cut.cancel()
                self._cut = None

        def connection_lost(self, exc: Exception | None) -> None:
            if self._cut is not None:
                self._cut.cancel()
                self._cut = None
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self._cut is None and str(self.conn.their_state) == "IDLE":
                self._cut = self.loop.call_later(seconds, self.transport.close)

    return Patient
