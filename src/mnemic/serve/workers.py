"""Several processes behind one port, one for a core: each a server of its own on the same file.

The parent serves nothing: it holds the port, starts them, starts again those that die, and passes on what tells it to
stop. The system shares the connections out among them (SO_REUSEPORT). What they have in common beside the store is the
parent's, and goes with it: a folder for their counts, and two files without a name (see `together`).
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGTERM, signal
from types import FrameType
from typing import IO, Any, Final

from prometheus_client.multiprocess import mark_process_dead  # pyright: ignore[reportUnknownVariableType]

from mnemic.config import passed_on
from mnemic.errors import ConfigError, StoreError
from mnemic.serve.listening import FINISHING, Listening, bound

MOST: Final = 4
"""Processes that are started unasked: each takes memory of its own."""
TOO_SOON: Final = 2.0
"""Seconds: a process that dies within them after its start is not started again, for the next would die likewise."""
LOOK_EVERY: Final = 0.1
LEAVE_WITHIN: Final = 1.0
"""Seconds for those that served a port before, and end because their parent was killed, to leave it."""
COUNTS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client is told, as it is imported, to keep counts in files."""
QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""How much of the cores a container may use (cgroup v2): microseconds in a period, or "max", and the period."""


def one_for_a_core(quota: Path = QUOTA) -> int:
    """How many processes to start unasked: one where the system does not share connections out evenly."""
    if sys.platform != "linux":
        return 1  # macOS has SO_REUSEPORT, and gives every connection to one of them
    return max(1, math.ceil(min(MOST, len(os.sched_getaffinity(0)), _cores_of(quota))))


def _cores_of(quota: Path) -> float:
    try:
        most, period = quota.read_text("ascii").split()
        return math.inf if most == "max" else int(most) / int(period)
    except (OSError, ValueError):
        return math.inf


def serve_many(
    many: int,
    arguments: Sequence[str],
    *,
    host: str,
    port: int,
    stop_seconds: float = 30.0,
    tell: Callable[[str], None] = print,
    **_: Any,
) -> int:
    """Serve a file with so many processes until a signal says to stop: each is `mnemic` with these arguments and a few.

    The first one starts alone: it makes the file where there is none, and says what it cannot serve, once and for all
    of them. Gives its exit code where it did not start, else 0. Raises ConfigError where the system cannot share a
    port, StoreError where another holds it, or the processes do not stay.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ConfigError("this system does not share a port among processes: take --workers 1")
    stop = threading.Event()
    workers: list[_Worker] = []

    def told_to_stop(sig: int, frame: FrameType | None) -> None:
        if stop.is_set() and sig == SIGINT:
            for worker in workers:
                worker.hurry()
        stop.set()

    before = {sig: signal(sig, told_to_stop) for sig in (SIGTERM, SIGINT)}
    try:
        with (
            _private() as counts,
            _nameless() as given,
            _nameless() as rates,
            _sharing(Listening(host, port), many) as sockets,
        ):
            common = (counts, given.fileno(), rates.fileno())
            first, *others = (partial(_Worker, arguments, one, *common) for one in sockets)
            try:
                workers.append(first())
                where = workers[0].says_where(stop)
                if where is None and not stop.is_set():
                    return workers[0].failed()
                if where is not None:
                    for start in others:
                        workers.append(start())
                    tell(where)
                while not stop.wait(LOOK_EVERY):
                    for worker in workers:
                        worker.revive()
                return 0
            finally:
                for worker in workers:
                    worker.stop()
                for one in sockets:
                    one.close()  # who still comes is refused, and does not wait for nobody
                _wait_for(workers, stop_seconds + 5.0, tell)
    finally:
        for sig, handler in before.items():
            signal(sig, handler)


def _wait_for(workers: Sequence[_Worker], seconds: float, tell: Callable[[str], None]) -> None:
    """Wait until all have ended, and end those that take longer. What they wait for is told once for all of them."""
    until = time.monotonic() + seconds
    told = False
    for worker in workers:
        while not worker.ends_within(LOOK_EVERY) and time.monotonic() < until:
            if not told and any(one.is_finishing() for one in workers):
                tell(FINISHING)
                told = True
        worker.end()


@contextlib.contextmanager
def _private() -> Generator[Path]:
    """A folder for this user alone, which goes at the end. Raises StoreError where none can be made."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="mnemic-serve-", ignore_cleanup_errors=True)
    except OSError as error:
        raise StoreError(
            error.errno,
            f"several processes count in a temporary folder, and none can be made ({error.strerror}): take --workers 1",
        ) from error
    with folder as path:
        yield Path(path)


def _nameless() -> IO[bytes]:
    """A file without a name: where the system has such, one in RAM."""
    if sys.platform == "linux":
        return open(os.memfd_create("mnemic"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


@contextlib.contextmanager
def _sharing(where: Listening, many: int) -> Generator[list[socket.socket]]:
    """Sockets that share a port, one for each process. Raises StoreError where another holds it.

    The first one listens, so that nobody else gets the port; the others do when their processes are there. All stay
    here, too: who comes while a process has died waits for the next.
    """
    if where.port:
        _alone(where)
    with contextlib.ExitStack() as held:
        first = held.enter_context(contextlib.closing(bound(where, shared=True)))
        where = replace(where, port=first.getsockname()[1])
        others = [bound(where, shared=True, listens=False) for _ in range(many - 1)]
        for one in others:
            held.callback(one.close)
        yield [first, *others]


def _alone(where: Listening) -> None:
    """Make sure that nobody listens there: another server of the same user's would share its port unasked."""
    until = time.monotonic() + LEAVE_WITHIN
    while True:
        try:
            return bound(where).close()
        except StoreError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
        time.sleep(LOOK_EVERY)


class _Worker:
    """One process."""

    def __init__(
        self, arguments: Sequence[str], listening: socket.socket, counts: Path, given: int, rates: int
    ) -> None:
        self._counts = counts
        self._files = (listening.fileno(), given, rates)
        own = ["--workers", "1", "--worker", str(counts), *map(str, self._files)]
        self._command = [sys.executable, "-m", "mnemic", *arguments, *own]
        self._start()

    def _start(self) -> None:
        self._at = time.monotonic()
        # Its input is a line to the parent alone: it ends when the parent does, however that ends.
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                self._command,
                stdin=theirs.fileno(),
                pass_fds=self._files,
                env=passed_on({COUNTS: str(self._counts)}),
                start_new_session=True,  # a Ctrl-C at the terminal is the parent's to pass on
            )

    def says_where(self, stop: threading.Event) -> str | None:
        """Where it listens, in words, as soon as it does; None where it has ended instead, or `stop` is set."""
        self._line.settimeout(LOOK_EVERY)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                return self._line.recv(4096).decode() or None
        return None

    def failed(self) -> int:
        """The exit code of one that did not start, and has said why. Raises StoreError where it could not say so."""
        code = self._process.wait()
        if code < 0:
            raise StoreError(0, f"a process of the server was ended by signal {-code} as it started")
        return code

    def revive(self) -> None:
        """Start it again if it has died. Raises StoreError where that would not help."""
        code = self._process.poll()
        if code is None:
            return
        if time.monotonic() - self._at < TOO_SOON:
            raise StoreError(0, f"a process of the server ended with {code} as soon as it was started")
        mark_process_dead(self._process.pid, str(self._counts))
        self._line.close()
        self._start()

    def stop(self) -> None:
        """Tell it to finish what is under way, and end."""
        if self._process.poll() is None:
            self._process.terminate()

    def hurry(self) -> None:
        """Tell it to end at once, as the second Ctrl-C does."""
        self._process.send_signal(SIGINT)

    def is_finishing(self) -> bool:
        """Whether it has said since that something is under way still."""
        if self._line.fileno() < 0:
            return False
        self._line.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            return FINISHING.encode() in self._line.recv(1 << 16)
        return False

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for its end; whether it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def end(self) -> None:
        """End it now, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._line.close()
