"""The REST server, in this process."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from mnemic.errors import ConfigError, StoreError
from mnemic.memory import Memory
from mnemic.serve.gate import Gate
from mnemic.serve.keys import Keys, beside
from mnemic.serve.limits import Buckets, Limits, Rates
from mnemic.serve.listening import FINISHING, Listening, Server, bound, is_loopback, patient, url
from mnemic.serve.metrics import Metrics
from mnemic.serve.page import Lately
from mnemic.serve.rest import THREADS, server


@dataclass(frozen=True, slots=True)
class Worker:
    """What one of several processes has from the one that started them: see `workers` and `together`."""

    parent: int
    """A line to it, which ends when it does."""
    listening: socket.socket
    counts: Path
    """The folder of what all of them count."""
    lately: Lately
    buckets: Buckets


def served(
    app: FastAPI,
    where: Listening,
    stopping: threading.Event,
    *,
    limits: Limits | None = None,
    started: Callable[[], None] = lambda: None,
    finishing: Callable[[], None] = lambda: None,
) -> Server:
    """A server that is ready to `run(sockets=[bound(where)])`. Raises ConfigError for a certificate that is none."""
    limits = limits or Limits()
    config = uvicorn.Config(
        app,
        http=patient(limits.header_seconds),
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
            f"'{where.certificate}' is no certificate with its private key ({error}): name that with --ssl-keyfile"
        ) from error
    return Server(config, stopping, started, finishing)


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
    worker: Worker | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve a memory until a signal says to stop; `tell` is told where. Raises ConfigError, StoreError.

    A `worker` tells its parent where, and ends with it.
    """
    keys = Keys(beside(store))
    check(keys, host, without_keys_beyond_loopback)
    if ssl_keyfile is not None and ssl_certfile is None:
        raise ConfigError("--ssl-keyfile needs --ssl-certfile, too")
    gate = Gate(keys, frozenset(name.lower() for name in allow_host), frozenset(allow_origin), not is_loopback(host))
    limits = Limits() if rate is None else Limits(rate=rate, burst=max(1, round(4 * rate)))
    stopping = threading.Event()
    span = {"span": importlib.import_module("mnemic.serve.traces").span} if otel else {}
    common: dict[str, Any] = {}
    if worker is not None:
        if ssl_certfile is not None:
            _check_without_terminal(ssl_certfile, ssl_keyfile)
        rates = Rates(limits.rate, limits.burst, buckets=worker.buckets)
        common = {"rates": rates, "metrics": _counting(worker.counts), "lately": worker.lately}
        tell = partial(_tell, worker.parent)
    threads = threads or THREADS
    app = server(memory, gate=gate, limits=limits, store=store, threads=threads, stopping=stopping, **span, **common)
    where = Listening(host, port, ssl_certfile, ssl_keyfile, stop_seconds=stop_seconds)
    with contextlib.closing(bound(where) if worker is None else worker.listening) as listening:
        ready = partial(tell, told(keys, host, listening.getsockname()[1], https=ssl_certfile is not None))
        one = served(app, where, stopping, limits=limits, started=ready, finishing=partial(tell, FINISHING))
        orphaned = threading.Event()
        if worker is not None:
            threading.Thread(target=_end_with, args=(worker.parent, one, orphaned), daemon=True).start()
        one.run(sockets=[listening])
    if worker is not None and orphaned.is_set():
        shutil.rmtree(worker.counts, ignore_errors=True)  # nobody else would


def _check_without_terminal(certificate: Path, private_key: Path | None) -> None:
    """Refuse a private key whose passphrase would be asked for. Raises ConfigError."""

    def asked() -> str:
        raise ConfigError(
            f"'{private_key or certificate}' wants a passphrase, and several processes have no terminal to ask for it: "
            "take --workers 1"
        )

    with contextlib.suppress(OSError):  # what else is wrong is said where it is used
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, asked)


def _counting(counts: Path) -> Metrics:
    try:
        return Metrics(counts)
    except FileNotFoundError as error:
        gone = f"'{counts}' is gone, where the processes of this server count: start the server again"
        raise StoreError(errno.ENOENT, gone) from error


def _tell(parent: int, words: str) -> None:
    with contextlib.suppress(ConnectionError):  # it has ended meanwhile, and nobody needs to know
        os.write(parent, words.encode())


def _end_with(parent: int, one: Server, orphaned: threading.Event) -> None:
    with contextlib.suppress(ConnectionError):  # of a parent that has not read all of what it was told
        os.read(parent, 1)  # nothing comes, until it ends
    orphaned.set()
    one.stop()


def check(keys: Keys, host: str, without_keys_beyond_loopback: bool) -> None:
    """Refuse to let others ask without a key, unless told so in words. Raises ConfigError."""
    if not is_loopback(host) and not keys.are_needed() and not without_keys_beyond_loopback:
        raise ConfigError(
            f"at {host} others could read and change everything: make keys first ('mnemic keys add'), or say "
            "--without-keys-beyond-loopback"
        )


def told(keys: Keys, host: str, port: int, *, https: bool) -> str:
    """Where it listens, in words."""
    who = "with a key" if keys.are_needed() else "without a key"
    return f"listening on {url(host, port, https=https)}, {who}; Ctrl-C stops it"
