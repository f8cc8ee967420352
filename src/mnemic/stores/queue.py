"""A fair queue before the single writer lock of a file, across processes and threads.

SQLite's own waiting is by polling, and whoever polls at the right moment wins: with twenty writers some starve. Here
each writer draws a ticket, n, from a counter in a lock file, locks byte n of that file, waits until byte n - 1 is free,
and then for the byte that whoever is served holds. A process that dies frees its bytes, so the queue never hangs on it.
The queue is about fairness alone: SQLite's lock keeps writers apart where it breaks, or where it cannot be.

The locks are "open file description" locks (Linux), which belong to one open file and not to the process: threads are
kept apart, too.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Generator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_LOCK = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, length, pid
_COUNTER = 0  # the byte that guards the counter, which is written in the file's first eight bytes
_SERVED = 8  # the byte of whoever's turn it is: when one dies in the queue, the next must not go beside the one before
_FIRST_TICKET = 64  # tickets lock bytes beyond the end of the file, which take no space
_TICKETS = 1 << 48  # then they begin again
_AVAILABLE = sys.platform == "linux" and struct.calcsize("P") == 8 and hasattr(fcntl, "F_OFD_SETLKW")


class WriterQueue:
    """The queue of one store. `turn()` waits for this caller's turn and ends it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: set[int] = set()

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Wait for this caller's turn; the next one's comes when the block ends, however it ends."""
        file = self._opened()
        if file is None:
            yield
            return
        self._open.add(file)
        try:
            ticket = _drawn(file)
            _wait(file, ticket)
            yield
        finally:
            # A child forked meanwhile has the same open file: only unlocking frees the locks for sure, closing may not.
            with contextlib.suppress(OSError):
                _lock(file, "F_UNLCK", 0, length=0)
            self._open.discard(file)
            os.close(file)

    def leave(self) -> None:
        """In the child of a fork: let go of the tickets of the parent's threads, or they would outlive a dead parent."""
        for file in self._open:
            os.close(file)
        self._open = set()

    def _opened(self) -> int | None:
        if not _AVAILABLE:
            return None
        with contextlib.suppress(OSError):  # another user's file, a folder that cannot be written
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return None


def _drawn(file: int) -> int:
    """A ticket, locked; None where the file system has no locks."""
    _lock(file, "F_WRLCK", _COUNTER)
    ticket = (int.from_bytes(os.pread(file, 8, 0), "little") + 1) % _TICKETS
    os.pwrite(file, ticket.to_bytes(8, "little"), 0)
    _lock(file, "F_WRLCK", _FIRST_TICKET + ticket)
    _lock(file, "F_UNLCK", _COUNTER)
    return ticket


def _wait(file: int, ticket: int) -> None:
    before = _FIRST_TICKET + (ticket - 1) % _TICKETS
    _lock(file, "F_WRLCK", before)
    _lock(file, "F_UNLCK", before)
    _lock(file, "F_WRLCK", _SERVED)


def _lock(file: int, kind: str, byte: int, length: int = 1) -> None:
    """Take or free the lock on a byte (on all with length=0); taking waits, and a signal's handler may end the wait."""
    assert fcntl is not None
    request = _LOCK.pack(getattr(fcntl, kind), os.SEEK_SET, byte, length, 0)
    fcntl.fcntl(file, fcntl.F_OFD_SETLKW, request)
