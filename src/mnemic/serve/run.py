"""A server in this process: where it listens, how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from mnemic.errors import ConfigError, StoreError
from mnemic.memory import Memory
from mnemic.serve.gate import Gate
from mnemic.serve.keys import Keys, beside
from mnemic.serve.limits import Limits
from mnemic.serve.rest import THREADS, server


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
    """Whether only this machine can ask a server that listens there."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def bound(where: Listening) -> socket.socket:
    """A socket that listens there. Raises StoreError where it cannot."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    # With TCP by name: only then does asyncio send small answers at once, and not 40 ms later.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((where.host.strip("[]"), where.port))
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

    def __init__(self, config: uvicorn.Config, stopping: threading.Event, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._told()

    def stop(self) -> None:
        """End when the requests under way have ended. From any thread."""
        self._stopping.set()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at the second Ctrl-C, at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.stop()


def served(
    app: FastAPI,
    where: Listening,
    stopping: threading.Event,
    *,
    limits: Limits | None = None,
    started: Callable[[], None] = lambda: None,
) -> Server:
    """A server that is ready to `run(sockets=[bound(where)])`. Raises ConfigError for a certificate that is none."""
    limits = limits or Limits()
    config = uvicorn.Config(
        app,
        http=_patient(limits.header_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        limit_concurrency=limits.connections,
        h11_max_incomplete_event_size=limits.headers,
        timeout_graceful_shutdown=round(where.stop_seconds),
        ssl_certfile=where.certificate,
        ssl_keyfile=where.private_key,
        ssl_keyfile_password=where.password,
    )
    try:
        config.load()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"'{where.certificate}' and '{where.private_key}' are no certificate and key: {error}"
        ) from error
    return Server(config, stopping, started)


def serve(
    memory: Memory,
    store: Path,
    *,
    host: str,
    port: int,
    without_keys_beyond_loopback: bool = False,
    allow_host: Sequence[str] = (),
    allow_origin: Sequence[str] = (),
    rate: float | None = None,
    threads: int | None = None,
    ssl_certfile: Path | None = None,
    ssl_keyfile: Path | None = None,
    stop_seconds: float = 30.0,
    otel: bool = False,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve a memory until a signal says to stop; `tell` is told where. Raises ConfigError, StoreError."""
    keys = Keys(beside(store))
    needed = keys.are_needed()
    if not is_loopback(host) and not needed and not without_keys_beyond_loopback:
        raise ConfigError(
            f"at {host} others could read and change everything: make keys first ('mnemic keys add'), or say "
            "--without-keys-beyond-loopback"
        )
    if ssl_keyfile is not None and ssl_certfile is None:
        raise ConfigError("--ssl-keyfile needs --ssl-certfile, too")
    gate = Gate(keys, frozenset(name.lower() for name in allow_host), frozenset(allow_origin), not is_loopback(host))
    limits = Limits() if rate is None else Limits(rate=rate, burst=max(1, round(4 * rate)))
    stopping = threading.Event()
    span = {"span": importlib.import_module("mnemic.serve.traces").span} if otel else {}
    app = server(memory, gate=gate, limits=limits, store=store, threads=threads or THREADS, stopping=stopping, **span)
    where = Listening(host, port, ssl_certfile, ssl_keyfile, stop_seconds=stop_seconds)
    with contextlib.closing(bound(where)) as listening:
        name = f"[{host}]" if ":" in host else host
        scheme = "https" if ssl_certfile else "http"
        address = f"{scheme}://{name}:{listening.getsockname()[1]}"
        who = "with a key" if needed else "without a key"
        ready = partial(tell, f"listening on {address}, {who}; Ctrl-C stops it")
        served(app, where, stopping, limits=limits, started=ready).run(sockets=[listening])


def _patient(seconds: float) -> type[asyncio.Protocol]:
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
