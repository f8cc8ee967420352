"""The REST server under load: what it adds to a search, and what many clients at once come to.

A server is a process of its own, as `mnemic serve` starts it; the clients are one other process, on plain sockets kept
open. Each client is a user with some messages, and asks the next thing once it has its answer (a pause between is an
option): searches, and now and then a message added. Afterwards every message that was acknowledged is looked for in the
file.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnemic import Memory

WRITES = 0.2
"""The share of requests that add a message."""
HELD = 50
"""Messages of each user before the run."""
PLACES = ("Porto", "Braga", "Faro", "Lagos", "Evora", "Aveiro", "Coimbra", "Leiria")
QUESTIONS = ("Where did we meet?", "What about the garden in {place}?", "Who called from {place}?", "What is planned?")


@dataclass(slots=True)
class Load:
    """What came of a run: seconds of each answer, by kind; what went wrong; what was acknowledged."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"search": [], "add": []})
    errors: list[str] = field(default_factory=list[str])
    acknowledged: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    lasted: float = 0.0
    lost: int = 0


@contextmanager
def serving(file: Path, *options: str) -> Generator[int]:
    """A server on a file, in a process of its own: its port. Stopped as an operator stops it."""
    command = [sys.executable, "-m", "mnemic", "serve", "--file", str(file), "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r":(\d+),", line)
        try:
            if found is None:
                raise RuntimeError(f"the server did not start: {line}{process.stderr.read()}")
            yield int(found[1])
        finally:
            process.terminate()
            process.wait(60)


def filled(file: Path, users: int, held: int) -> None:
    """A file with some messages of each user."""
    with Memory(file) as memory:
        for user in range(users):
            said = [f"In {PLACES[(user + n) % 8]} we talked about plan {n} and the garden." for n in range(held)]
            memory.add(said, user_id=f"user{user}")


def overhead(file: Path, port: int, times: int) -> tuple[float, float]:
    """Medians in ms: of a search in this process, and of the same one over the server."""
    with Memory(file) as memory:
        engine = [_timed(lambda n=n: memory.search(_question(n), user_id="user0")) for n in range(times)]
    with Memory(f"http://127.0.0.1:{port}") as remote:
        served = [_timed(lambda n=n: remote.search(_question(n), user_id="user0")) for n in range(times)]
    half = times // 10  # the first ones open the file and the connection
    return statistics.median(engine[half:]), statistics.median(served[half:])


def load(port: int, clients: int, seconds: float, pause: float, seed: int) -> Load:
    """Many clients at once."""
    return asyncio.run(_load(port, clients, seconds, pause, seed))


def check(file: Path, found: Load) -> None:
    """Count what was acknowledged and is not in the file."""
    with Memory(file, read_only=True) as memory:
        for user, texts in found.acknowledged.items():
            held = {record.text for record in memory.list(user_id=user, kinds="episode", limit=1_000_000)}
            found.lost += len(set(texts) - held)


def _question(number: int) -> str:
    return QUESTIONS[number % len(QUESTIONS)].format(place=PLACES[number % 8])


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


async def _load(port: int, clients: int, seconds: float, pause: float, seed: int) -> Load:
    found = Load()
    started = time.perf_counter()
    end = started + seconds
    await asyncio.gather(*(_client(port, number, end, pause, seed, found) for number in range(clients)))
    found.lasted = time.perf_counter() - started
    return found


async def _client(port: int, number: int, end: float, pause: float, seed: int, found: Load) -> None:
    draws = random.Random(f"{seed} {number}")
    user = f"user{number}"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = 0
    while time.perf_counter() < end:
        verb = "add" if draws.random() < WRITES else "search"
        body: dict[str, Any] = {"query": _question(draws.randrange(64)), "user_id": user}
        if verb == "add":
            said += 1
            text = f"Message {said}: in {draws.choice(PLACES)} it rained at {draws.randrange(24)} o'clock."
            body = {"messages": text, "user_id": user}
        started = time.perf_counter()
        try:
            status, told = await asyncio.wait_for(_posted(reader, writer, f"/v1/{verb}", body), 60)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            found.errors.append(f"{verb}: {type(error).__name__}: {error}")
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        found.seconds[verb].append(time.perf_counter() - started)
        if status != 200:
            found.errors.append(f"{verb}: {status} {told[:200]!r}")
        elif verb == "add":
            found.acknowledged.setdefault(user, []).append(body["messages"])
        if pause:
            await asyncio.sleep(draws.uniform(0, 2 * pause))
    writer.close()


async def _posted(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: Any
) -> tuple[int, bytes]:
    sent = json.dumps(body).encode()
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n".encode()
        + sent
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    if length is None:
        raise ValueError("an answer without a length")
    return int(head[9:12]), await reader.readexactly(int(length[1]))


def run(clients: int, seconds: float, pause: float, times: int, seed: int, workers: int) -> Iterator[str]:
    """All of it, as Markdown, line by line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "agent.db"
        filled(file, clients, HELD)
        with serving(file, "--workers", str(workers)) as port:
            engine, served = overhead(file, port, times)
            yield "## Served"
            yield ""
            yield "| | |"
            yield "| --- | --- |"
            yield f"| processes | {workers} |"
            yield f"| a search in the process, p50 | {engine:.2f} ms |"
            yield f"| the same over the server, p50 | {served:.2f} ms |"
            found = load(port, clients, seconds, pause, seed)
        check(file, found)
        yield from _told(found, clients, pause)


def _told(found: Load, clients: int, pause: float) -> Iterator[str]:
    every = [one for some in found.seconds.values() for one in some]
    yield f"| clients at once, pause between requests | {clients}, {1000 * pause:.0f} ms on average |"
    yield f"| requests, a second | {len(every):,} in {found.lasted:.1f} s, {len(every) / found.lasted:.0f} |"
    for verb, some in found.seconds.items():
        yield f"| {verb}: number; p50, p99, longest | {len(some):,}; {_quantiles(some)} |"
    yield f"| all: p50, p99, longest | {_quantiles(every)} |"
    yield f"| errors, acknowledged and lost | {len(found.errors)}, {found.lost} |"
    for error in dict.fromkeys(found.errors[:5]):
        yield f"\nerror: {error}"


def _quantiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    return ", ".join(f"{1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))]:.0f} ms" for q in (0.5, 0.99, 1.0))
