"""Several processes behind one port, for machines with several cores: each a server of its own on the same file.

The parent serves nothing: it starts them, starts again those that die, and passes on what tells it to stop. The system
shares the connections out among them (SO_REUSEPORT).
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from mnemic.errors import ConfigError, StoreError
from mnemic.serve.keys import Keys, beside
from mnemic.serve.limits import Limits
from mnemic.serve.listening import Listening, bound
from mnemic.serve.run import check, told

TOO_SOON: Final = 2.0
"""Seconds: a process that dies within them after its start is not started again, for the next would die likewise."""
LOOK_EVERY: Final = 0.1
READY: Final = "ready"
"""What a process writes to its standard output once it listens."""


def serve_many(
    many: int,
    store: Path,
    arguments: Sequence[str],
    *,
    host: str,
    port: int,
    without_keys_beyond_loopback: bool = False,
    rate: float | None = None,
    ssl_certfile: Path | None = None,
    stop_seconds: float = 30.0,
    tell: Callable[[str], None] = print,
    **_: Any,
) -> None:
    """Serve a file with so many processes until a signal says to stop: each is `mnemic` with these arguments and a few.

    Raises ConfigError where the system cannot share a port, StoreError where the processes do not start.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ConfigError("this system does not share a port among processes: leave out --workers")
    keys = Keys(beside(store))
    check(keys, host, without_keys_beyond_loopback)
    stop = threading.Event()

    def told_to_stop(sig: int, frame: FrameType | None) -> None:
        stop.set()

    before = {sig: signal.signal(sig, told_to_stop) for sig in (signal.SIGTERM, signal.SIGINT)}
    try:
        with contextlib.closing(bound(Listening(host, port), shared=True, listens=False)) as holding:
            # It holds the port while none of the others does; as it does not listen, no connection comes to it.
            port = holding.getsockname()[1]
            share = (Limits().rate if rate is None else rate) / many  # each counts for itself
            own = ["--workers", "1", "--worker", "--port", str(port), "--rate", str(share)]
            command = [sys.executable, "-m", "mnemic", *arguments, *own]
            workers = [_Worker(command) for _ in range(many)]
            try:
                for worker in workers:
                    worker.wait_until_ready()
                tell(told(keys, host, port, https=ssl_certfile is not None))
                while not stop.wait(LOOK_EVERY):
                    for worker in workers:
                        worker.revive()
            finally:
                for worker in workers:
                    worker.stop()
                for worker in workers:
                    worker.end(stop_seconds + 5.0)
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)


class _Worker:
    """One process."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._start()

    def _start(self) -> None:
        self._at = time.monotonic()
        # In a session of its own: a Ctrl-C at the terminal is the parent's to pass on.
        # Its input is a pipe that only the parent holds: it ends when the parent does, however that ends.
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait_until_ready(self) -> None:
        """Wait until it listens. Raises StoreError where it ends instead; it has said why."""
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != READY:
            raise StoreError(0, "a process of the server did not start")

    def revive(self) -> None:
        """Start it again if it has died. Raises StoreError where that would not help."""
        code = self._process.poll()
        if code is None:
            return
        if time.monotonic() - self._at < TOO_SOON:
            raise StoreError(0, f"a process of the server ended with {code} as soon as it was started")
        self._start()

    def stop(self) -> None:
        """Tell it to finish what is under way, and end."""
        if self._process.poll() is None:
            self._process.terminate()

    def end(self, seconds: float) -> None:
        """Wait until it has ended, and end it where it takes longer."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
