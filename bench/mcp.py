"""What the MCP server adds to the engine's own time, and how long a coding agent waits for it to start.

    python -m bench mcp [--calls 200]

The conversations that ship are one user's memory. Questions are asked in turn of the engine, in a process of its own,
and of a server over stdio, as raw lines and with the official Python client, so that a busy machine slows all alike.
What a call adds is the difference of the two. Beside each search one record's history is asked for: that costs the
engine so little that a busy machine does not drown what the server adds. Starts are processes from nothing: until
`initialize` is answered, and until a first search is.
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
SEARCH, HISTORY = "search_memory", "memory_history"
ENGINE, RAW, CLIENT = "engine, in a process of its own", "over stdio, raw lines", "over stdio, official Python client"


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds. `calls`: of each tool and way to ask, one by one; `starts`: by what was waited for."""

    records: int
    calls: dict[tuple[str, str], tuple[float, ...]]
    starts: dict[str, tuple[float, ...]]

    def added(self, tool: str, way: str) -> list[float]:
        """What a way adds to the engine's own time, call by call."""
        return [ours - own for ours, own in zip(self.calls[tool, way], self.calls[tool, ENGINE], strict=True)]


def measure(calls: int, *, progress: Callable[[str], None]) -> Measured:
    """Everything, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="mnemic-bench-") as folder:
        path = Path(folder) / "agent.db"
        questions = _filled(path)
        asked = list(islice(cycle(questions), calls + WARM))
        with Memory(path) as memory:
            records, record = memory.stats(user_id=USER).documents, memory.list(user_id=USER, limit=1)[0].id
        progress(f"{records} documents, {calls} questions")
        found = anyio.run(_asked, record, path, asked)
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


async def _asked(record: str, path: Path, questions: Sequence[str]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {(t, w): [] for t in (SEARCH, HISTORY) for w in (ENGINE, RAW, CLIENT)}
    command = _command(path)
    with _engine(path) as engine, _raw(command) as ask:
        async with Client(StdioServerParameters(command=command[0], args=command[1:])) as client:

            async def three(tool: str, given: dict[str, Any]) -> None:
                found[tool, ENGINE].append(engine(given))
                found[tool, RAW].append(_timed(lambda: ask("tools/call", {"name": tool, "arguments": given})))
                begun = time.perf_counter()
                result = await client.call_tool(tool, given)
                found[tool, CLIENT].append((time.perf_counter() - begun) * 1000)
                assert not result.is_error

            for question in questions:
                await three(SEARCH, {"query": question})
                await three(HISTORY, {"id": record})
    return found


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _command(path: Path) -> list[str]:
    return [sys.executable, "-m", "mnemic", "mcp", "--file", str(path), "--user", USER]


_ENGINE = """
import json, sys, time
from mnemic import Memory
memory = Memory(sys.argv[1]).scoped(user_id=sys.argv[2])
for line in sys.stdin:
    given = json.loads(line)
    begun = time.perf_counter()
    memory.history(given["id"]) if "id" in given else memory.search(given["query"])
    print((time.perf_counter() - begun) * 1000, flush=True)
"""


@contextmanager
def _engine(path: Path) -> Generator[Callable[[dict[str, Any]], float]]:
    """The engine in a process of its own; what asks it gives the milliseconds that it took itself."""
    command = [sys.executable, "-c", _ENGINE, str(path), USER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(given: dict[str, Any]) -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(given) + "\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield ask
        assert process.stdin is not None
        process.stdin.close()


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
        ask("tools/call", {"name": SEARCH, "arguments": {"query": question}})
        return initialized, (time.perf_counter() - begun) * 1000


def table(found: Measured) -> list[str]:
    """The figures as Markdown."""
    lines = [
        f"{found.records:,} documents of one user, {len(found.calls[SEARCH, ENGINE])} calls of each kind, in turn.",
        "",
        "| call | way | p50, ms | p95, ms | added, p50 | added, p95 |",
        "|---|---|---|---|---|---|",
    ]
    for (tool, way), times in found.calls.items():
        added = found.added(tool, way)
        more = ("", "") if way == ENGINE else (_at(added, 0.5), _at(added, 0.95))
        lines.append(f"| {tool} | {way} | {_at(times, 0.5)} | {_at(times, 0.95)} | {more[0]} | {more[1]} |")
    lines += ["", "| from nothing until … is answered | median, ms | longest |", "|---|---|---|"]
    lines += [f"| {what} | {_at(times, 0.5, 0)} | {max(times):.0f} |" for what, times in found.starts.items()]
    return lines


def _at(values: Sequence[float], share: float, digits: int = 2) -> str:
    return f"{metrics.quantile(values, share):.{digits}f}"
