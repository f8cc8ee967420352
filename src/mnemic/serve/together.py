"""What the processes of one server have in common: the contexts given lately, and what each key has left of its rate.

Both lie in files that have no name: the parent makes them, its processes inherit them, and when all of these have
ended, in whatever way, nothing is left. A lock on the file keeps processes apart; one that dies gives it back.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, cast

from mnemic.serve.limits import Bucket
from mnemic.serve.page import KEPT, Given, Lately
from mnemic.serve.run import Worker

LARGEST: Final = 1 << 20
"""Bytes of contexts given, after which the oldest are dropped."""
NAME: Final = 16
BUCKET: Final = struct.Struct("dd")


def worker(counts: Path, listening: int, given: int, rates: int) -> Worker:
    """What this process was given by the one that started it, by the numbers of what it has inherited."""
    # With TCP by name, as in `listening`.
    shared = socket.socket(-1, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening)
    return Worker(sys.stdin.fileno(), shared, counts, GivenTogether(given), BucketsTogether(rates))


class _Alone:
    """A file that one thread of one process has to itself at a time."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        with self._lock:  # the system's lock is a process's
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def read(self, start: int = 0) -> bytes:
        """All from a place on."""
        return os.pread(self._file, os.fstat(self._file).st_size - start, start)


class GivenTogether(Lately):
    """The contexts that any of the processes gave lately: a line of JSON each, oldest first."""

    def __init__(self, file: int) -> None:
        super().__init__()
        self._file = file
        self._held = _Alone(file)

    def keep(self, given: Given) -> None:
        """Keep one, and drop the oldest where they are too many."""
        line = b"\n" + json.dumps(asdict(given)).encode()  # its end first: a process may have died over the last
        with self._held.alone():
            held = self._held.read() if os.fstat(self._file).st_size > LARGEST else None
            if held is not None:
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, _latest(held), 0)
            os.pwrite(self._file, line, os.fstat(self._file).st_size)

    def kept(self) -> list[Given]:
        """Those that are kept, newest first."""
        with self._held.alone():
            lines = self._held.read().splitlines()[-KEPT:]
        return [found for line in reversed(lines) if (found := _given(line))]


def _latest(held: bytes) -> bytes:
    """The latest lines, as many as are kept, and half of what there may be at most."""
    lines = held.splitlines(keepends=True)[-KEPT:]
    while sum(map(len, lines)) > LARGEST // 2:
        del lines[: len(lines) // 4 + 1]
    return b"".join(lines)


def _given(line: bytes) -> Given | None:
    try:
        told = cast("dict[str, Any]", json.loads(line))
    except ValueError:
        return None  # nothing, or not all of it
    told["ids"] = tuple(told["ids"])
    return Given(**told)


class BucketsTogether:
    """What each key has left of its rate, counted by all the processes: a name's hash and its bucket, one by one.

    Names are ids of keys, so there are never many, and none is taken out.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._held = _Alone(file)
        self._places: dict[bytes, int] = {}
        self._seen = 0

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Let nobody else look or put until this is over."""
        return self._held.alone()

    def get(self, name: str) -> Bucket | None:
        """The bucket of a name."""
        place = self._place(_hash(name))
        if place is None:
            return None
        left, at = BUCKET.unpack(os.pread(self._file, BUCKET.size, place))
        return left, at

    def put(self, name: str, bucket: Bucket) -> None:
        """Change the bucket of a name, or add it."""
        hashed = _hash(name)
        place = self._place(hashed)
        if place is None:
            os.pwrite(self._file, hashed + BUCKET.pack(*bucket), self._seen)
        else:
            os.pwrite(self._file, BUCKET.pack(*bucket), place)

    def _place(self, name: bytes) -> int | None:
        """Where a name's bucket is: what others have added since is looked through once."""
        if name not in self._places:
            added = self._held.read(self._seen)
            for start in range(0, len(added) - NAME - BUCKET.size + 1, NAME + BUCKET.size):
                self._places[added[start : start + NAME]] = self._seen + start + NAME
            self._seen += len(added) // (NAME + BUCKET.size) * (NAME + BUCKET.size)
        return self._places.get(name)


def _hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=NAME).digest()
