"""The server around a proxy: it listens, and at its end loses nothing that was answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
import threading
from collections.abc import Callable, Generator
from types import FrameType

import uvicorn

from mnemic.errors import ConfigError, StoreError
from mnemic.memory import Memory
from mnemic.serve.proxy.app import Proxy
from mnemic.serve.proxy.settings import Settings

log = logging.getLogger("mnemic.proxy")

STARTING = 30.0
"""Seconds after which a server in a thread is given up."""


def listen(settings: Settings, open: Callable[[], Memory], ready: Callable[[Proxy, str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then end what runs, and remember what waits.

    `ready` is called with the proxy and its address once it can be asked. Raises ConfigError where the
    address is taken.
    """
    bound = _bound(settings)
    proxy = _warmed(settings, open)
    # uvicorn raises a signal once more when it has ended: after that there is still something to do.
    before = signal.signal(signal.SIGTERM, _wait)
    try:
        asyncio.run(_serve(_server(proxy, settings), proxy, bound, lambda: ready(proxy, _address(bound))))
    finally:
        proxy.close()
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def serving(settings: Settings, open: Callable[[], Memory]) -> Generator[str]:
    """A proxy in a thread of this process, for as long as the block runs: its address. For tests, and for notebooks."""
    bound = _bound(settings)
    proxy = _warmed(settings, open)
    server, started = _server(proxy, settings), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, proxy, bound, started.set)), daemon=True)
    thread.start()
    try:
        if not started.wait(STARTING):
            raise ConfigError("the proxy did not start")
        yield _address(bound)
    finally:
        server.should_exit = True
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


async def _serve(server: uvicorn.Server, proxy: Proxy, bound: socket.socket, ready: Callable[[], None]) -> None:
    ended = asyncio.ensure_future(server.serve(sockets=[bound]))
    try:
        while not server.started and not ended.done():
            await asyncio.sleep(0.005)
        if server.started:
            ready()
        await ended
    finally:
        await proxy.aclose()
        bound.close()


def _server(proxy: Proxy, settings: Settings) -> uvicorn.Server:
    # It says so whenever an answer is left to break off, which is done on purpose.
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    config = uvicorn.Config(
        proxy,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=math.ceil(settings.ending),
    )
    return uvicorn.Server(config)


def _is_news(record: logging.LogRecord) -> bool:
    return "without completing response" not in record.getMessage()


def _bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host.strip("[]"), settings.port))
    except OSError as error:
        bound.close()
        raise ConfigError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    return bound


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _wait(signum: int, frame: FrameType | None) -> None:
    """A signal that has been obeyed already."""
