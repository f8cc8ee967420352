"""The server around a proxy: it listens, and at its end loses nothing that was answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import threading
from collections.abc import Callable, Generator

import uvicorn

from mnemic.errors import StoreError
from mnemic.memory import Memory
from mnemic.serve.listening import Listening, Server, bound, patient, url
from mnemic.serve.proxy.app import Proxy
from mnemic.serve.proxy.settings import Settings

HEADERS = 10.0
"""Seconds in which the headers of a request have to be there."""

log = logging.getLogger("mnemic.proxy")


def listen(settings: Settings, open: Callable[[], Memory], ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, then end what runs, and remember what waits.

    `ready` is told the address once it can be asked. Raises StoreError where nothing can listen there.
    """
    with contextlib.closing(bound(Listening(settings.host, settings.port))) as listening:
        proxy = _warmed(settings, open)
        try:
            asyncio.run(_serve(proxy, _server(proxy, settings, lambda: ready(_address(listening))), listening))
        finally:
            proxy.close()


@contextlib.contextmanager
def serving(settings: Settings, open: Callable[[], Memory]) -> Generator[str]:
    """A proxy in a thread of this process, for as long as the block runs: its address. For tests, and for notebooks."""
    with contextlib.closing(bound(Listening(settings.host, settings.port))) as listening:
        proxy = _warmed(settings, open)
        server = _server(proxy, settings, lambda: None)
        # It listens already: who asks before the thread does waits that long.
        thread = threading.Thread(target=lambda: asyncio.run(_serve(proxy, server, listening)), daemon=True)
        thread.start()
        try:
            yield _address(listening)
        finally:
            server.stop()
            thread.join()
            proxy.close()


def _warmed(settings: Settings, open: Callable[[], Memory]) -> Proxy:
    """A proxy that has recalled once. Chats go on without a store, so it starts without one, too."""
    proxy = Proxy(settings, open)
    try:
        proxy.warm()
    except StoreError as error:
        log.warning("nothing is remembered until this is put right: %s", error)
    return proxy


async def _serve(proxy: Proxy, server: Server, listening: socket.socket) -> None:
    try:
        await server.serve(sockets=[listening])
    finally:
        await proxy.aclose()


def _server(proxy: Proxy, settings: Settings, started: Callable[[], None]) -> Server:
    # It says so whenever an answer is left to break off, which is done on purpose.
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    config = uvicorn.Config(
        proxy,
        http=patient(HEADERS),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=math.ceil(settings.ending),
    )
    return Server(config, threading.Event(), started)


def _is_news(record: logging.LogRecord) -> bool:
    return "without completing response" not in record.getMessage()


def _address(listening: socket.socket) -> str:
    return url(*listening.getsockname()[:2])
