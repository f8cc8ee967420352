"""A fair queue before the single writer lock of a file, across processes and threads.

SQLite's own waiting is by polling, and whoever polls at the right moment wins: with twenty writers some starve. Here
each writer draws a ticket, n, from a counter in a lock file, locks byte n of that file, waits until byte n - 1 is free,
and then for the byte that whoever is served holds. A process that dies frees its bytes, so the queue never hangs on it.
The queue is about fairness alone: SQLite's lock keeps writers apart where it breaks, or where it cannot be.

The locks are "open file description" locks (Linux), which belong to one open file and not to the process: threads are
kept apart, too. Elsewhere one lock on the whole file (flock) stands for the queue, whose order is the system's affair;
Windows has neither, and no queue.
"""

from __future__ import annotations

import contextlib
import errno
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
_TICKETED = sys.platform == "linux" and struct.calcsize("P") == 8 and hasattr(fcntl, "F_OFD_SETLKW")

_UNABLE = frozenset((errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSPC, errno.EDQUOT, errno.EIO))
"""What a file system without such locks, or without room for the counter, answers: then there is no queue."""


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
            _queue_up(file)
            yield
        finally:
            if file in self._open:
                self._open.discard(file)
                # A child forked meanwhile shares the open file: unlocking frees it for sure, closing alone may not.
                with contextlib.suppress(OSError):
                    _leave(file)
                os.close(file)

    def leave(self) -> None:
        """In the child of a fork: let go of the tickets of the parent's threads, which would outlive a dead parent."""
        while self._open:
            os.close(self._open.pop())

    def _opened(self) -> int | None:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # another user's file, a folder that cannot be written
                return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return None


def _queue_up(file: int) -> None:
    assert fcntl is not None
    try:
        if not _TICKETED:
            fcntl.flock(file, fcntl.LOCK_EX)
            return
        _lock(file, "F_WRLCK", _COUNTER)
        before = int.from_bytes(os.pread(file, 8, 0), "little") % _TICKETS
        ticket = (before + 1) % _TICKETS
        os.pwrite(file, ticket.to_bytes(8, "little"), 0)
        _lock(file, "F_WRLCK", _FIRST_TICKET + ticket)
        _lock(file, "F_UNLCK", _COUNTER)
        _lock(file, "F_WRLCK", _FIRST_TICKET + before)
        _lock(file, "F_UNLCK", _FIRST_TICKET + before)
        _lock(file, "F_WRLCK", _SERVED)
    except OSError as error:
        if error.errno not in _UNABLE:  # also what the handler of a signal raises, such as TimeoutError
            raise


def _leave(file: int) -> None:
    assert fcntl is not None
    if _TICKETED:
        _lock(file, "F_UNLCK", 0, length=0)
    else:
        fcntl.flock(file, fcntl.LOCK_UN)


def _lock(file: int, kind: str, byte: int, length: int = 1) -> None:
    """Take or free the lock on a byte (on all with length=0); taking waits, and a signal's handler may end the wait."""
    assert fcntl is not None
    request = _LOCK.pack(getattr(fcntl, kind), os.SEEK_SET, byte, length, 0)
    fcntl.fcntl(file, fcntl.F_OFD_SETLKW, request)
