"""What must stand still while this process forks.

A fork copies one thread only: a lock that another thread holds stays held in the child for ever. And SQLite keeps notes
on the file locks of its process, which are wrong in a child that inherits them, since it inherits no such lock. So what
has locks or connections comes to rest before a fork and goes on after it, in the parent and in the child.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Protocol
from weakref import WeakSet

CACHES, STORES, READERS = 0, 1, 2
"""The order of coming to rest: that in which their locks are taken."""


class Resting(Protocol):
    """Something that can stand still."""

    def rest(self) -> None:
        """Wait until no other thread is in the middle of anything, and keep it so."""
        ...

    def go_on(self, *, child: bool) -> None:
        """Let others in again; in the child there are none yet."""
        ...


_resting: tuple[WeakSet[Resting], ...] = (WeakSet(), WeakSet(), WeakSet())
_asleep: list[Resting] = []


def watch(one: Resting, order: int) -> None:
    """Bring it to rest before each fork, as long as it lives."""
    _hook()
    _resting[order].add(one)


@cache
def _hook() -> None:
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(before=_rest, after_in_parent=_go_on, after_in_child=_go_on_in_child)


def _rest() -> None:
    for group in _resting:
        for one in list(group):
            one.rest()
            _asleep.append(one)


def _go_on() -> None:
    while _asleep:
        _asleep.pop().go_on(child=False)


def _go_on_in_child() -> None:
    while _asleep:
        _asleep.pop().go_on(child=True)
