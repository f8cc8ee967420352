"""What the proxy adds to the first byte of a streamed answer, beyond the upstream and the recall.

A scripted model's server, `mnemic proxy` as a process of its own, and one client: each question is asked of the
server directly and through the proxy, in turn, so that both meet the same machine. What the proxy's own header says
that recalling took is taken off.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx

from mnemic import Memory
from mnemic.testing import ScriptedChat

NOTE = "Milliseconds. Client, model's server and proxy share the machine's cores, so each waits for the others, too."
_MS = re.compile(r"ms=([\d.]+)")


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request, and its times to the first byte in milliseconds, one for each question."""

    name: str
    direct: Sequence[float]
    proxied: Sequence[float]
    recalls: Sequence[float]

    @property
    def overheads(self) -> list[float]:
        """What is left of each proxied time without a direct one and the recall."""
        base = quantiles(self.direct, n=2)[0]
        return [all_ - recall - base for all_, recall in zip(self.proxied, self.recalls, strict=True)]


def measure(questions: int, messages: int, progress: Callable[[str], None]) -> list[Case]:
    """Each kind of request, so many questions to a memory of so many messages."""
    with tempfile.TemporaryDirectory() as folder, ScriptedChat("It is as you said, and here are some words.") as model:
        file = Path(folder, "agent.db")
        with Memory(file) as memory:
            said = "On day {0} I put the parcel number {1} into drawer {2}."
            texts = [said.format(day, day * 7919, day % 97) for day in range(messages)]
            memory.add([{"role": "user", "content": text} for text in texts], user_id="me")
        cases: list[Case] = []
        with _proxy(file, model.url) as address, httpx.Client(trust_env=False, timeout=30) as client:
            for name, turns, header in (
                ("off, one turn", 1, "off"),
                ("recalled and remembered, one turn", 1, "on"),
                ("the same, 40 turns before it", 41, "on"),
            ):
                progress(name)
                cases.append(_case(client, name, model.url, address, questions, turns, header))
    return cases


def _case(client: httpx.Client, name: str, model: str, address: str, questions: int, turns: int, header: str) -> Case:
    direct: list[float] = []
    proxied: list[float] = []
    recalls: list[float] = []
    history = [_turn(at) for at in range(turns - 1)]
    for number in range(-5, questions):  # the first few warm connections and caches
        question = {"role": "user", "content": f"Which drawer has the parcel number {(number + 5) * 7919}?"}
        body = {"model": "m", "stream": True, "messages": [*history, question]}
        plain, _ = _first_byte(client, f"{model}/chat/completions", body, {})
        through, note = _first_byte(client, f"{address}/v1/chat/completions", body, {"X-Mnemic": header})
        if number >= 0:
            took = _MS.search(note)
            direct.append(plain)
            proxied.append(through)
            recalls.append(0.0 if took is None else float(took[1]))
    return Case(name, direct, proxied, recalls)


def _turn(at: int) -> dict[str, str]:
    words = f"This is turn {at}, and it says something about the weather on day {at}. " * 5
    return {"role": "assistant" if at % 2 else "user", "content": words}


def _first_byte(client: httpx.Client, url: str, body: object, headers: dict[str, str]) -> tuple[float, str]:
    """Milliseconds to the first byte of the body, and what the proxy says of the recall."""
    started = time.perf_counter()
    with client.stream("POST", url, json=body, headers=headers) as response:
        pieces = response.iter_raw()
        next(pieces)
        took = (time.perf_counter() - started) * 1000
        for _ in pieces:
            pass
        return took, response.headers.get("x-mnemic-recall", "")


@contextmanager
def _proxy(file: Path, upstream: str) -> Generator[str]:
    command = [sys.executable, "-m", "mnemic", "proxy", "--upstream", upstream, "--port", "0", "--file", str(file)]
    process = subprocess.Popen([*command, "--user", "me"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+?(?=,)", line)
        if found is None:
            raise RuntimeError(f"the proxy did not start: {line}")
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def table(cases: Sequence[Case]) -> Iterator[str]:
    """The times, and what the proxy adds."""
    yield "| request | directly p50 | proxied p50 | recall p50 | added p50 | added p95 | added p99 |"
    yield "|---|---|---|---|---|---|---|"
    for case in cases:
        over = quantiles(case.overheads, n=100)
        middle = [quantiles(times, n=2)[0] for times in (case.direct, case.proxied, case.recalls)]
        figures = " | ".join(f"{value:.1f}" for value in (*middle, over[49], over[94], over[98]))
        yield f"| {case.name} | {figures} |"
