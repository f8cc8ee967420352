"""What the MCP server adds to the engine's own time, and how long a coding agent waits for it to start.

    python -m bench mcp [--calls 200]

The conversations that ship are one user's memory. Their questions are asked in turn of the engine, in this process,
and of a server over stdio, as raw lines and with the official Python client, so that a busy machine slows all alike.
What a call adds is the difference of the two. Starts are processes from nothing: until `initialize` is answered, and
until a first search is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters

from bench import metrics
from mnemic import Memory, samples

USER = "me"
WARM = 20
"""Calls before any is counted."""
STARTS = 7
ENGINE, RAW, CLIENT = "engine, in this process", "over stdio, raw lines", "over stdio, official Python client"


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds. `calls`: of each way to ask, question by question; `starts`: by what was waited for."""

    records: int
    calls: dict[str, tuple[float, ...]]
    starts: dict[str, tuple[float, ...]]

    def added(self, way: str) -> list[float]:
        """What a way adds to the engine's own time, question by question."""
        return [ours - own for ours, own in zip(self.calls[way], self.calls[ENGINE], strict=True)]


def measure(calls: int, *, progress: Callable[[str], None]) -> Measured:
    """Everything, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="mnemic-bench-") as folder:
        path = Path(folder) / "agent.db"
        questions = _filled(path)
        asked = list(islice(cycle(questions), calls + WARM))
        with Memory(path) as memory:
            records = memory.stats(user_id=USER).documents
            progress(f"{records} documents, {calls} questions")
            found = anyio.run(_asked, memory, path, asked)
        starts = [_started(path, questions[0]) for _ in range(STARTS)]
        progress(f"{STARTS} starts")
    return Measured(
        records,
        {way: tuple(times[WARM:]) for way, times in found.items()},
        {"initialize": tuple(one[0] for one in starts), "first search": tuple(one[1] for one in starts)},
    )


def _filled(path: Path) -> list[str]:
    questions: list[str] = []
    with Memory(path) as memory:
        for name in samples.names():
            sample = samples.load(name)
            memory.add(sample.messages, user_id=USER, wait=True)
            questions += [one.question for one in sample.questions]
        memory.upkeep(user_id=USER)
    return questions


async def _asked(memory: Memory, path: Path, questions: Sequence[str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {way: [] for way in (ENGINE, RAW, CLIENT)}
    command = _command(path)
    with _raw(command) as ask:
        async with Client(StdioServerParameters(command=command[0], args=command[1:])) as client:
            for question in questions:
                found[ENGINE].append(_timed(lambda: memory.search(question, user_id=USER)))  # noqa: B023
                found[RAW].append(_timed(lambda: ask("tools/call", _call(question))))  # noqa: B023
                begun = time.perf_counter()
                result = await client.call_tool("search_memory", {"query": question})
                found[CLIENT].append((time.perf_counter() - begun) * 1000)
                assert not result.is_error
    return found


def _call(question: str) -> dict[str, Any]:
    return {"name": "search_memory", "arguments": {"query": question}}


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _command(path: Path) -> list[str]:
    return [sys.executable, "-m", "mnemic", "mcp", "--file", str(path), "--user", USER]


@contextmanager
def _raw(command: Sequence[str]) -> Generator[Callable[[str, Any], Any]]:
    """A server that is asked by lines; what asks it gives the result."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    number = 0

    def ask(method: str, params: Any) -> Any:
        nonlocal number
        assert process.stdin is not None
        assert process.stdout is not None
        number += 1
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        process.stdin.write(line.encode())
        process.stdin.flush()
        while True:
            answer = json.loads(process.stdout.readline())
            if answer.get("id") == number:
                return answer["result"]

    with process:
        about = {"name": "bench", "version": "1"}
        ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about})
        assert process.stdin is not None
        process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        yield ask
        process.stdin.close()


def _started(path: Path, question: str) -> tuple[float, float]:
    begun = time.perf_counter()
    with _raw(_command(path)) as ask:
        initialized = (time.perf_counter() - begun) * 1000
        ask("tools/list", {})
        ask("tools/call", _call(question))
        return initialized, (time.perf_counter() - begun) * 1000


def table(found: Measured) -> list[str]:
    """The figures as Markdown."""
    lines = [
        f"{found.records:,} documents of one user, {len(found.calls[ENGINE])} searches of each kind, in turn.",
        "",
        "| search | p50, ms | p95, ms | added, p50 | added, p95 |",
        "|---|---|---|---|---|",
    ]
    for way, times in found.calls.items():
        added = found.added(way)
        more = ("", "") if way == ENGINE else (f"{_at(added, 0.5)}", f"{_at(added, 0.95)}")
        lines.append(f"| {way} | {_at(times, 0.5)} | {_at(times, 0.95)} | {more[0]} | {more[1]} |")
    lines += ["", "| from nothing until … is answered | median, ms | longest |", "|---|---|---|"]
    lines += [f"| {what} | {_at(times, 0.5, 0)} | {max(times):.0f} |" for what, times in found.starts.items()]
    return lines


def _at(values: Sequence[float], share: float, digits: int = 2) -> str:
    return f"{metrics.quantile(values, share):.{digits}f}"
