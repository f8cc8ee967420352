"""Upkeep in a thread of its own, for whoever asks for one: it wakes after a write, and sleeps when all is done.

There is none unless `Memory(background=True)` says so. It is a daemon: it ends with the process, and what it has not
done yet is pending, for this process or another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from mnemic.errors import MnemicError
from mnemic.forks import CACHES, watch

GATHER = 0.05
"""Seconds that it waits after being woken, so that many small writes are one piece of work."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds before what is left, or has failed, is tried again: at first, and at most."""


class Background:
    """Does `work` whenever it is woken, until there is nothing left: it says how much is left.

    An error is kept for `trouble`, and the work is tried again later.
    """

    def __init__(self, work: Callable[[], int]) -> None:
        self._work = work
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._trouble: str | None = None
        watch(self, CACHES)

    def rest(self) -> None:
        """Let nobody wake it. See `forks`."""
        self._lock.acquire()

    def go_on(self, *, child: bool) -> None:
        """Let it be woken again: in a child that starts a thread of its own."""
        self._lock.release()

    def wake(self) -> None:
        """There may be something to do."""
        with self._lock:
            if self._closed.is_set():
                return
            self._idle.clear()
            self._woken.set()
            if self._thread is None or not self._thread.is_alive():  # the first time, and after a fork
                self._thread = threading.Thread(target=self._run, name="mnemic-upkeep", daemon=True)
                self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is left to do; whether that was so within these seconds."""
        return self._idle.wait(seconds)

    def trouble(self) -> str | None:
        """What went wrong since this was asked last."""
        with self._lock:
            told, self._trouble = self._trouble, None
            return told

    def close(self) -> None:
        """End after the step at hand. Idempotent."""
        self._closed.set()
        self._woken.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            self._woken.wait(pause)
            if self._closed.is_set() or self._closed.wait(GATHER):
                return
            self._woken.clear()
            left = self._left()
            if left:
                pause = FIRST if pause is None else min(2 * pause, LONGEST)
                continue
            pause = None
            with self._lock:
                if not self._woken.is_set():
                    self._idle.set()

    def _left(self) -> int:
        try:
            return self._work()
        except MnemicError as error:
            with self._lock:
                self._trouble = str(error)
            return 1
