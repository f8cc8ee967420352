"""How long an event loop is held up while `AsyncMemory` carries out many calls at once.

A probe sleeps for five milliseconds, over and over; what each sleep takes longer than that is the loop's *lag*, and
with it that of everything else on the loop. Measured with nothing else going on, and while all calls are under way.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from mnemic.aio import AsyncMemory
from mnemic.memory import Memory

NAP = 0.005
"""Seconds that the probe sleeps."""
USERS = 20
START = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = ("Porto", "Lisbon", "Faro", "Braga", "Évora", "Coimbra", "Sintra", "Tavira")
THINGS = ("a bicycle", "two cats", "an old piano", "a garden", "a sailing boat", "a bakery", "a telescope", "a violin")
DEEDS = ("bought", "sold", "painted", "repaired", "lost", "found", "borrowed", "photographed")


@dataclass(frozen=True, slots=True)
class Lag:
    """Milliseconds that the loop was late, and what went on meanwhile."""

    calls: int
    seconds: float
    probes: int
    p50: float
    p99: float
    worst: float


def measure(
    calls: int, episodes: int, threads: int, seed: int, progress: Callable[[str], None]
) -> tuple[Lag, dict[str, Lag]]:
    """The lag of an idle loop, and that of one with so many calls at once, by what the calls are."""
    with tempfile.TemporaryDirectory() as folder, Memory(Path(folder) / "aio.db") as memory:
        progress(f"keeping {episodes:,} episodes of {USERS} users")
        rng = random.Random(seed)
        for user in range(USERS):
            memory.add(list(_told(rng, episodes // USERS)), user_id=f"user{user}")
        memory.upkeep(everything=True)
        return asyncio.run(_measured(memory, calls, threads, rng, progress))


async def _measured(
    memory: Memory, calls: int, threads: int, rng: random.Random, progress: Callable[[str], None]
) -> tuple[Lag, dict[str, Lag]]:
    memory.search("warm", user_id="user0")
    alone = await _lag(asyncio.sleep(1.0), 0)
    found: dict[str, Lag] = {}
    async with AsyncMemory.of(memory, threads=threads) as face:
        for kind, shares in KINDS.items():
            progress(f"{calls:,} calls at once: {kind}")
            works = [_call(face, rng.choices(list(shares), list(shares.values()))[0], rng) for _ in range(calls)]
            found[kind] = await _lag(_all(works), calls)
    return alone, found


KINDS = {
    "searches": {"search": 1},
    "contexts": {"context": 1},
    "adds": {"add": 1},
    "of ten: 7 searches, 1 context, 1 list, 1 add": {"search": 7, "context": 1, "list": 1, "add": 1},
}


def _call(face: AsyncMemory, verb: str, rng: random.Random) -> Awaitable[Any]:
    user = f"user{rng.randrange(USERS)}"
    if verb == "add":
        return face.add(next(_told(rng, 1)), user_id=user)
    if verb == "list":
        return face.list(limit=50, user_id=user)
    question = f"When was {rng.choice(THINGS)} {rng.choice(DEEDS)} in {rng.choice(PLACES)}?"
    return face.search(question, user_id=user) if verb == "search" else face.context(question, user_id=user)


async def _all(works: list[Awaitable[Any]]) -> None:
    await asyncio.gather(*works)


async def _lag(work: Awaitable[None], calls: int) -> Lag:
    late: list[float] = []
    done = asyncio.ensure_future(work)
    began = time.perf_counter()
    while not done.done():
        before = time.perf_counter()
        await asyncio.sleep(NAP)
        late.append(time.perf_counter() - before - NAP)
    await done
    p50, p99, worst = (float(value) * 1000 for value in np.percentile(late, [50, 99, 100]))
    return Lag(calls, time.perf_counter() - began, len(late), p50, p99, worst)


def _told(rng: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for at in range(count):
        text = f"I {rng.choice(DEEDS)} {rng.choice(THINGS)} in {rng.choice(PLACES)}, number {rng.randrange(10_000)}."
        yield {"role": "user", "content": text, "time": START + timedelta(minutes=at), "session_id": f"s{at // 50}"}


def report(alone: Lag, found: dict[str, Lag], episodes: int, threads: int) -> Iterator[str]:
    """The table."""
    yield f"{episodes:,} episodes of {USERS} users in a file; {threads} threads a lane; the loop's lag in ms."
    yield ""
    yield "| calls at once | calls | seconds | calls/s | probes | p50 | p99 | worst |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, lag in {"none": alone, **found}.items():
        speed = f"{lag.calls / lag.seconds:.0f}" if lag.calls else ""
        yield (
            f"| {kind} | {lag.calls:,} | {lag.seconds:.1f} | {speed} | {lag.probes} "
            f"| {lag.p50:.1f} | {lag.p99:.1f} | {lag.worst:.1f} |"
        )
