"""A model that fails: statements derived through a scripted server over HTTP, a part of its answers spoilt.

The server answers each segment rightly, and `Faults` spoil a share of the answers; nothing in the package knows what is
coming. Counted are requests, what was lost, and what came twice; with answers that take their time, segments a second.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mnemic import Memory
from mnemic.models.chat import HttpChat
from mnemic.testing import FAULTS, Answer, Faults, FrozenClock, ScriptedChat

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = "ana"
ROUNDS = 6
"""Calls of `upkeep` at most."""
_TOLD = re.compile(r"\[(\d+)\] [^\n]*?, (\w+): I live in (\w+) with (\d+) cats")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the segments."""

    segments: int
    requests: int
    retries: int
    """Requests beyond the first for a segment in one call of `upkeep`."""
    rounds: int
    pending: int
    missing: int
    """Statements that the server told and the memory does not hold."""
    twice: int
    made: Mapping[str, int]
    """Faults, by kind."""
    notes: tuple[str, ...]
    """Of the first call."""


def messages(count: int) -> list[dict[str, Any]]:
    """One session with one turn for each segment."""
    return [
        {
            "role": "user",
            "name": f"Ilse{at}",
            "content": f"I live in Town{at} with {at + 2} cats.",
            "time": START + timedelta(hours=at),
            "session_id": f"s{at}",
        }
        for at in range(count)
    ]


def answer(asked: Sequence[Mapping[str, str]]) -> str:
    """What a model that behaves answers to a prompt."""
    found: list[dict[str, Any]] = []
    for number, who, town, cats in _TOLD.findall(asked[1]["content"].rpartition("Turns:\n")[2]):
        fields = {"kind": "fact", "subject": who, "turns": [int(number)], "holds": True}
        found.append(fields | {"relation": "lives_in", "value": town, "text": f"{who} lives in {town}."})
        found.append(fields | {"relation": "has", "value": f"{cats} cats", "text": f"{who} has {cats} cats."})
    return json.dumps({"statements": found})


def told(count: int) -> list[str]:
    """All that such a model tells."""
    return sorted(
        text for at in range(count) for text in (f"Ilse{at} lives in Town{at}.", f"Ilse{at} has {at + 2} cats.")
    )


def held(memory: Memory) -> list[str]:
    """All that the memory derived."""
    return sorted(one.text for one in memory.list(kinds="fact", user_id=WHO, limit=1_000_000))


def opened(path: Path | str, url: str, timeout: float) -> Memory:
    """A memory that derives by a model."""
    model = HttpChat(url, "m", timeout=timeout, sleep=lambda seconds: None)
    steps = {"derive": model, "summarise": None}
    return Memory(path, model=steps, recipe="model", embedder="none", clock=FrozenClock(START + timedelta(days=99)))


def with_faults(count: int, share: float, seed: int, say: Callable[[str], None]) -> Outcome:
    """Derive from so many segments while a share of the answers is spoilt."""
    faults = Faults(answer, share=share, seed=seed, silence=1.5)
    with ScriptedChat(faults) as server, opened(":memory:", server.url, timeout=1.0) as memory:
        memory.add(messages(count), user_id=WHO)
        asked = rounds = 0
        notes: tuple[str, ...] = ()
        pending = count
        while pending and rounds < ROUNDS:
            asked += pending
            done = memory.upkeep(user_id=WHO)
            pending, rounds = done.pending, rounds + 1
            notes = notes or done.notes
            say(str(done))
        texts = held(memory)
        requests = len(server.requests)
    missing = len(set(told(count)) - set(texts))
    return Outcome(
        count, requests, requests - asked, rounds, pending, missing, len(texts) - len(set(texts)), faults.made, notes
    )


def _slowly(delay: float) -> Callable[[tuple[Mapping[str, str], ...]], Answer]:
    return lambda asked: Answer(answer(asked), delay=delay)


def speed(count: int, delay: float) -> float:
    """Segments a second, each answer taking `delay` seconds, eight at a time."""
    with ScriptedChat(_slowly(delay)) as server, opened(":memory:", server.url, timeout=30.0) as memory:
        memory.add(messages(count), user_id=WHO)
        started = time.perf_counter()
        memory.upkeep(user_id=WHO)
        return count / (time.perf_counter() - started)


def killed(count: int, times: int) -> tuple[bool, int]:
    """Whether deriving comes to the same records where it is killed so many times, and the requests beyond `count`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ScriptedChat(lambda asked: Answer(answer(asked), delay=0.01)) as server,
    ):
        path = Path(folder) / "agent.db"
        with opened(path, server.url, timeout=30.0) as memory:
            memory.add(messages(count), user_id=WHO)
        for _ in range(times):
            child = subprocess.Popen([sys.executable, "-m", "bench.model", str(path), server.url])
            before = len(server.requests)
            while len(server.requests) < before + count // (times + 2) and child.poll() is None:
                time.sleep(0.005)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        with opened(path, server.url, timeout=30.0) as memory:
            memory.upkeep(user_id=WHO)
            return held(memory) == told(count), len(server.requests) - count


def report(outcome: Outcome, per_second: float, delay: float, kills: int, same: bool, more: int) -> Iterator[str]:
    """Markdown, line by line."""
    yield "## A model that fails"
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield f"| segments | {outcome.segments:,} |"
    first = (outcome.requests - outcome.retries) / outcome.segments
    again = outcome.retries / outcome.segments
    yield f"| requests | {outcome.requests:,}: {first:.3f} a segment, and {again:.3f} after an answer that failed |"
    yield f"| statements lost, told twice | {outcome.missing}, {outcome.twice} |"
    yield f"| calls of upkeep until nothing was pending | {outcome.rounds} ({outcome.pending} left) |"
    yield f"| segments a second, eight answers of {1000 * delay:.0f} ms at a time | {per_second:.1f} |"
    yield f"| killed {kills} times: the same records | {'yes' if same else 'no'}, {more} requests more |"
    yield ""
    yield "| fault | times |"
    yield "| --- | --- |"
    for kind in FAULTS:
        yield f"| {kind} | {outcome.made.get(kind, 0)} |"
    for note in outcome.notes:
        yield f"\nnote of the first call: {note}"


if __name__ == "__main__":
    with opened(sys.argv[1], sys.argv[2], timeout=30.0) as at_work:
        at_work.upkeep(user_id=WHO)
