"""A live view of the journal: server-sent events of what is done in a scope, by whatever process.

An event is a step of the journal; its id is the step's receipt, so whoever comes back with `Last-Event-ID` misses
nothing. Nobody tells this process of what others write, so the log of the store is looked at, which is a system call;
the store is asked where it has changed, and now and then in any case.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Final

from mnemic.memory import Memory
from mnemic.plain import as_json
from mnemic.types import Steps

LOOK_EVERY: Final = 0.25
"""Seconds between two looks at the log."""
ASK_EVERY: Final = 5.0
"""Seconds after which the store is asked in any case."""
BEAT_EVERY: Final = 15.0
"""Seconds of silence after which a comment tells that the stream goes on, also to proxies in between."""
AT_ONCE: Final = 100
RETRY_MS: Final = 2000
"""When a browser that was cut off should come back."""

Stamp = tuple[int, ...] | None


def stamp(store: Path | None) -> Stamp:
    """What changes with each write to a store, by whatever process; None where that cannot be seen."""
    if store is None:
        return None
    try:
        found = [os.stat(path) for path in (store, f"{store}-wal")]
    except OSError:
        return None
    return tuple(number for one in found for number in (one.st_size, one.st_mtime_ns))


def begin(memory: Memory, last: str | None, agent: str | None, session: str | None) -> str | None:
    """Where a stream goes on: behind the step that the caller saw last, else behind the last there is.

    Raises NotFoundError for a step that is none of this scope.
    """
    if last is not None:
        memory.journal(after=last, limit=1, agent_id=agent, session_id=session)
        return last
    latest = memory.journal(order="newest", limit=1, agent_id=agent, session_id=session)
    return latest[0].receipt if latest else None


async def events(
    ask: Callable[[str | None], Awaitable[Steps]],
    at: str | None,
    look: Callable[[], Stamp],
    is_over: Callable[[], bool],
) -> AsyncGenerator[bytes]:
    """The stream: `ask(after)` gives steps, `look()` what changes with a write, `is_over()` whether to end."""
    yield f"retry: {RETRY_MS}\n\n".encode()
    seen: Stamp = None
    asked = told = time.monotonic() - ASK_EVERY
    while not is_over():
        now, found = time.monotonic(), look()
        if found is None or found != seen or now - asked >= ASK_EVERY:
            seen, asked = found, now
            steps = await ask(at)
            for step in steps:
                at = step.receipt
                yield f"id: {step.receipt}\nevent: step\ndata: {as_json(step)}\n\n".encode("utf-8", "backslashreplace")
                told = time.monotonic()
            if len(steps) == AT_ONCE:
                continue
        if time.monotonic() - told >= BEAT_EVERY:
            yield b": still here\n\n"
            told = time.monotonic()
        await asyncio.sleep(LOOK_EVERY)
