"""A fair queue before the single writer lock of a file, across processes and threads.

SQLite's own waiting is by polling, and whoever polls at the right moment wins: with twenty writers some starve. Here
each writer draws a ticket, n, from a counter in a lock file, locks byte n of that file, waits until byte n - 1 is free,
and then for the byte that whoever is served holds. A process that dies frees its bytes, so the queue never hangs on it.
The queue is about fairness alone: SQLite's lock keeps writers apart where it breaks, or where it cannot be.

A process that is stopped, or a callback that hangs, keeps its bytes. So whoever is served leaves a mark in the file
when its turn begins, while it writes, and when it ends; and whoever has seen no other mark for so long gives up with a
BusyError. That bounds how long the queue stands still, and not how long it is: of many short writers none gives up,
and neither does one behind a long import. Who does not take its turn (it was stopped as it waited) is passed over.

The locks are "open file description" locks (Linux), which belong to one open file and not to the process: threads are
kept apart, too. Elsewhere one lock on the whole file (flock) stands for the queue: there the order is by chance, and
who has just been served lets others try first. Both are tried again and again, since a lock that is waited for cannot
be given up. Windows has neither, and no queue.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from mnemic.errors import BusyError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_LOCK = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, length, pid
_COUNTER = 0  # the byte that guards the counter, which is written in the file's first eight bytes
_SERVED = 8  # the byte of whoever's turn it is: when one dies in the queue, the next must not go beside the one before
_MARKED = struct.Struct("<8xQQQ")  # the file's first bytes: the counter, and the mark of whoever is served
_WAITED = 32  # without tickets: whether somebody has waited since the last turn began
_FIRST_TICKET = 64  # tickets lock bytes beyond the end of the file, which take no space
_TICKETS = 1 << 48  # then they begin again
_TICKETED = sys.platform == "linux" and struct.calcsize("P") == 8 and hasattr(fcntl, "F_OFD_SETLK")

PASS_OVER = 1.0
"""Seconds for which nobody is served until who is next is passed over."""
_QUICK, _STEADY, _SLOW = 0.0005, 0.002, 0.02
"""Seconds between two looks of who is next: at first, and where the one before takes long; and at most."""
_POLITE = 0.003
"""Seconds that who comes again leaves to those who wait, where there are no tickets."""

_UNABLE = frozenset((errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSPC, errno.EDQUOT, errno.EIO))
"""What a file system without such locks, or without room for the counter, answers: then there is no queue."""


class WriterQueue:
    """The queue of one store. `turn()` waits for this caller's turn and ends it.

    `patience` is in seconds: how long the queue may stand still until who waits gets a BusyError.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._open: set[int] = set()
        self._served: tuple[int, _Mark] | None = None
        self._told = 0.0

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Wait for this caller's turn; the next one's comes when the block ends, however it ends. Raises BusyError."""
        file = self._opened()
        if file is None:
            yield
            return
        self._open.add(file)
        mark = None
        try:
            mark = self._queue_up(file)
            self._served = None if mark is None else (file, mark)
            yield
        finally:
            if file in self._open:
                self._open.discard(file)
                if mark is not None:  # else another thread may be served
                    self._served = None
                # A child forked meanwhile shares the open file: unlocking frees it for sure, closing alone may not.
                with contextlib.suppress(OSError):
                    if mark is not None:
                        _leave_mark(file, mark._replace(process=0))
                    _leave(file)
                os.close(file)

    def works(self) -> None:
        """Tell those who wait that whoever's turn it is gets on; now and then."""
        now = time.monotonic()
        if self._served is not None and now - self._told > min(1.0, self._patience / 4):
            file, mark = self._served
            self._told, self._served = now, (file, mark._replace(works=mark.works + 1))
            with contextlib.suppress(OSError):
                _leave_mark(*self._served)

    def leave(self) -> None:
        """In the child of a fork: let go of the tickets of the parent's threads, which would outlive a dead parent."""
        self._served = None
        while self._open:
            os.close(self._open.pop())

    def _opened(self) -> int | None:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # another user's file, a folder that cannot be written
                return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return None

    def _queue_up(self, file: int) -> _Mark | None:
        """Wait for a turn, and mark it; None where there can be no queue."""
        try:
            turn = self._ticketed(file) if _TICKETED else self._locked(file)
            mark = _Mark(turn, os.getpid(), 0)
            _leave_mark(file, mark)
        except OSError as error:
            if error.errno not in _UNABLE:  # also what the handler of a signal raises, such as TimeoutError
                raise
            return None
        return mark

    def _ticketed(self, file: int) -> int:
        """Wait in the order of asking; returns the ticket."""
        waiting = _Waiting(file, self._path, self._patience)
        while not _took(file, _COUNTER):
            waiting.a_moment()
        before = int.from_bytes(os.pread(file, 8, 0), "little") % _TICKETS
        ticket = (before + 1) % _TICKETS
        os.pwrite(file, ticket.to_bytes(8, "little"), 0)
        _lock(file, "F_WRLCK", _FIRST_TICKET + ticket)
        _lock(file, "F_UNLCK", _COUNTER)
        is_next = False
        while True:
            if not is_next and _took(file, _FIRST_TICKET + before):
                _lock(file, "F_UNLCK", _FIRST_TICKET + before)
                is_next = True
            if (is_next or waiting.still > PASS_OVER) and _took(file, _SERVED):
                return ticket
            waiting.a_moment((before - waiting.mark.turn) % _TICKETS)

    def _locked(self, file: int) -> int:
        """Wait for the lock on the whole file; returns the number of the turn."""
        assert fcntl is not None
        waiting = _Waiting(file, self._path, self._patience)
        if os.pread(file, 1, _WAITED) == b"\1":
            time.sleep(_POLITE)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.pwrite(file, b"\1", _WAITED)
                waiting.a_moment()
            else:
                os.pwrite(file, b"\0", _WAITED)
                return (_mark_in(file).turn + 1) % _TICKETS


class _Mark(NamedTuple):
    """What whoever is served has left in the file."""

    turn: int
    process: int
    """0: the turn has ended."""
    works: int
    """It changes as long as the turn gets on."""


class _Waiting:
    """How long a queue has stood still, as one who waits in it sees it."""

    def __init__(self, file: int, path: Path, patience: float) -> None:
        self._file, self._path, self._patience = file, path, patience
        self.mark: _Mark = _mark_in(file)
        self.still = 0.0
        """Seconds since the mark has changed."""
        self._since = time.monotonic()

    def a_moment(self, ahead: int = 1) -> None:
        """Wait for a part of the time that so many writers may take. Raises BusyError."""
        mark, now = _mark_in(self._file), time.monotonic()
        if mark != self.mark:
            self.mark, self._since = mark, now
        self.still = now - self._since
        if self.still > self._patience:
            raise BusyError(errno.EAGAIN, self._why())
        pause = _SLOW if self.still > PASS_OVER else _STEADY if self.still > 25 * _STEADY else _QUICK
        time.sleep(min(pause * max(ahead, 1), _SLOW))

    def _why(self) -> str:
        who = f"process {self.mark.process}"
        if self.mark.process in (0, os.getpid()):
            who = "another thread of this process" if self.mark.process else "who is next there"
        return (
            f"'{self._path.name.removesuffix('-queue')}' cannot be written now: {who} has its turn to write, and has "
            f"done nothing for {self._patience:g} s (it is stopped, or waits inside its write for something else). "
            "This write was not made: try again, or end that one"
        )


def _mark_in(file: int) -> _Mark:
    return _Mark(*_MARKED.unpack(os.pread(file, _MARKED.size, 0).ljust(_MARKED.size, b"\0")))


def _leave_mark(file: int, mark: _Mark) -> None:
    os.pwrite(file, _MARKED.pack(*mark)[8:], 8)


def _leave(file: int) -> None:
    assert fcntl is not None
    if _TICKETED:
        _lock(file, "F_UNLCK", 0, length=0)
    else:
        fcntl.flock(file, fcntl.LOCK_UN)


def _took(file: int, byte: int) -> bool:
    """Whether the lock on a byte was free, and is taken."""
    try:
        _lock(file, "F_WRLCK", byte)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _lock(file: int, kind: str, byte: int, length: int = 1) -> None:
    """Take or free the lock on a byte (on all with length=0). Raises BlockingIOError, PermissionError."""
    assert fcntl is not None
    request = _LOCK.pack(getattr(fcntl, kind), os.SEEK_SET, byte, length, 0)
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, request)
