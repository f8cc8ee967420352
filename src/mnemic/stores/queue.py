"""A fair queue before the single writer lock of a file, across processes and threads.

SQLite's own waiting is by polling, and whoever polls at the right moment wins: with twenty writers some starve. Here
each writer draws a ticket, n, from a counter in a lock file, locks byte n of that file, waits until byte n - 1 is free,
and only then asks SQLite. A process that dies frees its byte, so the queue never hangs on it. It is about fairness
alone: if it breaks, SQLite's lock still keeps writers apart.

The locks are "open file description" locks (Linux), which belong to one open file and not to the process: threads are
kept apart, too. Where the system has none, the queue is left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Generator
from pathlib import Path

_LOCK = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, length, pid
_COUNTER = 0  # the byte that guards the counter, which is written in the file's first eight bytes
_FIRST_TICKET = 64  # tickets lock bytes beyond the end of the file, which take no space
_AVAILABLE = hasattr(fcntl, "F_OFD_SETLKW")


class WriterQueue:
    """The queue of one store. `turn()` waits for this caller's turn and ends it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Wait for this caller's turn; the next one's comes when the block ends, however it ends."""
        if not _AVAILABLE:
            yield
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(file, fcntl.F_WRLCK, _COUNTER)
            ticket = int.from_bytes(os.pread(file, 8, 0), "little") + 1
            os.pwrite(file, ticket.to_bytes(8, "little"), 0)
            _lock(file, fcntl.F_WRLCK, _FIRST_TICKET + ticket)
            _lock(file, fcntl.F_UNLCK, _COUNTER)
            _lock(file, fcntl.F_WRLCK, _FIRST_TICKET + ticket - 1)
            _lock(file, fcntl.F_UNLCK, _FIRST_TICKET + ticket - 1)
            yield
        finally:
            os.close(file)  # frees the ticket


def _lock(file: int, kind: int, byte: int) -> None:
    """Take or free the lock on one byte; taking waits."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLKW, _LOCK.pack(kind, os.SEEK_SET, byte, 1, 0))
