"""`mnemic demo`: what Mnemic claims, done before your eyes. Every figure it prints is counted in the run itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click

import mnemic
from mnemic import Memory, samples
from mnemic.types import Hit, Results

QUESTION = "Does Ana live in Utrecht or in Antwerp?"
EARLIER = "2026-04-18"
"""The day before Ana wrote from Antwerp."""
ZONE = "Europe/Amsterdam"
UNKNOWN = "What is the wifi password?"
THRESHOLD = 0.1
TO_ERASE = "What do I type in at the street door late at night?"
PHRASE = "4471-Heron"
USER = "home"
WRITER = "writer"
MESSAGES_BEFORE_THE_KILL = 60
WRITER_SECONDS = 6.0
"""The writer is killed after so long at the latest, on however slow a disk."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What the demo counted."""

    messages: int
    seconds: float
    embedder: str | None
    now: str
    """The best hit for the question asked today."""
    then: str
    """The best hit for the same question as of an earlier day."""
    unknown_best: float | None
    unknown_hits: int
    acknowledged: int
    found: int
    """Acknowledged messages that were there after the kill."""
    kept_more: int
    """Messages that were kept though the kill came before their acknowledgement."""
    signal: int
    lines_before: int
    lines_after: int
    history: int
    """Steps that the erased record still has in its history."""
    elapsed: float

    @property
    def held(self) -> bool:
        """Whether everything went as Mnemic says."""
        return (
            "Antwerp" in self.now
            and "Utrecht" in self.then
            and self.unknown_hits == 0
            and self.found == self.acknowledged > 0
            and self.lines_before > 0
            and self.lines_after == 0
            and self.history > 0
        )


def run(tell: Tell, *, width: int = 80, embedder: str | None = None) -> Report:
    """Show it, line by line, through `tell`; in a temporary folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mnemic-demo-", ignore_cleanup_errors=True) as folder:
        return _Demo(tell, width, Path(folder) / "demo.db", embedder).run()


class _Demo:
    """The demo's scenes, in order."""

    def __init__(self, tell: Tell, width: int, file: Path, embedder: str | None) -> None:
        self._tell = tell
        self._width = width
        self._file = file
        self._embedder = embedder
        self._started = time.perf_counter()

    def run(self) -> Report:
        report = Report(0, 0.0, None, "", "", None, 0, 0, 0, 0, 0, 0, 0, 0, 0.0)
        with self._open() as memory:
            home = memory.scoped(user_id=USER)
            report = self._keep(memory, home, report)
            report = self._ask(home, report)
            report = self._not_known(home, report)
        report = self._kill(report)
        with self._open() as memory:
            report = self._erase(memory.scoped(user_id=USER), report)
        return self._end(report)

    def _open(self) -> Memory:
        return mnemic.Memory(self._file, timezone=ZONE, embedder=self._embedder)

    def _opened(self) -> None:
        """The call of `_open`, as one would type it."""
        embedder = f", embedder={json.dumps(self._embedder)}" if self._embedder else ""
        self._do(f'memory = Memory("{self._file.name}", timezone="{ZONE}"{embedder})')
        self._do(f'home = memory.scoped(user_id="{USER}")')

    # -- the scenes

    def _keep(self, memory: Memory, home: Memory, report: Report) -> Report:
        self._head("1", "Keep a conversation, word for word")
        sample = samples.load("home")
        first, last = sample.messages[0]["time"][:10], sample.messages[-1]["time"][:10]
        self._say(
            f"The chat of an invented household with its assistant: {len(sample.messages)} messages, {first} to "
            f"{last}. No model reads it and nothing is sent anywhere; it goes into one SQLite file."
        )
        started = time.perf_counter()
        receipt = home.add(sample.messages)
        seconds = round(time.perf_counter() - started, 4)
        kept = receipt.count("added")
        self._do("from mnemic import Memory, samples")
        self._opened()
        self._do('home.add(samples.load("home").messages)')
        self._say(
            f"kept {kept} of {len(sample.messages)} in {seconds:.2f} s ({kept / seconds:,.0f} a second), on the disk "
            f"when the call returned; {(memory.stats(everything=True).bytes or 0) / 1e6:.1f} MB"
        )
        self._say(f"receipt {receipt.id}")
        return replace(report, messages=kept, seconds=seconds)

    def _ask(self, home: Memory, report: Report) -> Report:
        self._head("2", "Ask, and see the evidence")
        started = time.perf_counter()
        now = home.search(QUESTION)
        seconds = time.perf_counter() - started
        self._do(f'home.search("{QUESTION}")')
        self._hit(now)
        self._say(
            f"{seconds * 1000:.0f} ms over {now.considered} records, by words"
            + (f" and the vectors of {now.embedder.split(':')[0]}" if now.embedder else " alone, without an embedder")
            + "; relevance is the probability that a hit is evidence"
        )
        self._tell("")
        self._say(f"The same question as of {EARLIER}: nothing was overwritten, so what was true then is still found.")
        then = home.search(QUESTION, as_of=EARLIER)
        self._do(f'home.search("{QUESTION}", as_of="{EARLIER}")')
        self._hit(then)
        return replace(
            report,
            embedder=now.embedder,
            now=now[0].text if now else "",
            then=then[0].text if then else "",
        )

    def _not_known(self, home: Memory, report: Report) -> Report:
        self._head("3", "Say when it is not known")
        results = home.search(UNKNOWN, threshold=THRESHOLD)
        self._do(f'home.search("{UNKNOWN}", threshold={THRESHOLD})')
        if results:
            self._hit(results)
        else:
            best = 0.0 if results.best is None else results.best
            self._say(
                f"{click.style('not known', bold=True)}: of {results.considered} records the best has relevance "
                f"{best:.2f}, below the threshold {THRESHOLD:.2f}"
            )
        self._do("memory.close()")
        return replace(report, unknown_best=results.best, unknown_hits=len(results))

    def _kill(self, report: Report) -> Report:
        self._head("4", "Kill a writer with kill -9")
        self._say(
            "Another process adds messages to the same file, one call each, and acknowledges each one on a pipe when "
            "add() has returned. In the middle of it, it is killed."
        )
        process, acknowledged, signal = _killed_writer(self._file)
        self._do(f"kill -9 {process}", "$")
        with mnemic.Memory(self._file, embedder="none") as memory:
            kept = _all_ids(memory)
        found = len(acknowledged & kept)
        more = len(kept - acknowledged)
        self._say(
            f"acknowledged {len(acknowledged)}, found after opening the file again {found}: "
            + ("none lost" if found == len(acknowledged) else f"{len(acknowledged) - found} LOST")
            + (f" ({more} more was on the disk before it could say so)" if more else "")
        )
        return replace(report, acknowledged=len(acknowledged), found=found, kept_more=more, signal=signal)

    def _erase(self, home: Memory, report: Report) -> Report:
        self._head("5", "Erase, and look for the words in the file")
        self._opened()
        hits = home.search(TO_ERASE)
        self._do(f'hits = home.search("{TO_ERASE}")')
        place = next((place for place, hit in enumerate(hits) if PHRASE in hit.text), None)
        if place is None:
            self._say(f"the message with '{PHRASE}' was not among the first {len(hits)} hits")
            return report
        secret = hits[place]
        self._one(secret, place + 1)
        before = lines_with(self._file, PHRASE)
        self._do(f"grep -c {PHRASE} demo.db demo.db-wal", "$")
        self._say(_counted(before))
        receipt = home.erase(secret.id)
        self._do(f"home.erase(hits[{place}].id)")
        self._say(str(receipt).splitlines()[0])
        after = lines_with(self._file, PHRASE)
        self._do(f"grep -c {PHRASE} demo.db demo.db-wal", "$")
        self._say(_counted(after))
        changes = home.history(secret.id)
        self._do(f"home.history(hits[{place}].id)")
        for change in changes:
            self._say(
                f"{change.at:%Y-%m-%d %H:%M:%S} UTC  {change.action}  (words erased)"
                if change.record is None
                else str(change)
            )
        return replace(report, lines_before=sum(before.values()), lines_after=sum(after.values()), history=len(changes))

    def _end(self, report: Report) -> Report:
        report = replace(report, elapsed=round(time.perf_counter() - self._started, 2))
        self._tell("")
        if not report.held:
            self._say(click.style("Not everything went as it should: please report this output.", fg="red", bold=True))
        self._say(f"{report.elapsed:.1f} s in all. The temporary file is gone. Now with your own:")
        self._tell("")
        self._tell(click.style('    mnemic add NOTES/ && mnemic search "…"', bold=True))
        self._tell("")
        return report

    # -- the page

    def _head(self, number: str, title: str) -> None:
        self._tell("")
        self._tell(click.style(f"{number}  {title}", bold=True, fg="cyan"))

    def _say(self, text: str) -> None:
        self._wrapped(text, "   ")

    def _do(self, code: str, prompt: str = ">") -> None:
        """What is done, as it can be typed again: on one line."""
        self._tell(click.style(f"   {prompt} {code}", dim=True))

    def _hit(self, results: Results) -> None:
        if results:
            self._one(results[0], 1)
        else:
            self._say("no hit")

    def _one(self, hit: Hit, rank: int) -> None:
        sure = "not calibrated" if hit.relevance is None else f"relevance {hit.relevance:.2f}"
        place = "best hit" if rank == 1 else f"hit {rank}"
        self._wrapped(f"{hit.speaker}: “{hit.text}”", "     ")
        self._wrapped(f"{place}, {sure}, said {hit.time:%Y-%m-%d}, message {hit.message_id}", "     ")

    def _wrapped(self, text: str, indent: str) -> None:
        for line in textwrap.wrap(
            text, self._width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        ):
            self._tell(line)


# -- killing a writer


def _killed_writer(file: Path) -> tuple[int, set[str], int]:
    """A writing process's number, the ids that it acknowledged before it was killed, and the signal that ended it."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; from mnemic.demo import write; write(sys.argv[1])", str(file)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    with child, child.stdout as pipe:
        acknowledged: set[str] = set()
        deadline = time.monotonic() + WRITER_SECONDS
        for line in pipe:
            acknowledged.add(line.decode().strip())
            if len(acknowledged) >= MESSAGES_BEFORE_THE_KILL or time.monotonic() > deadline:
                break
        time.sleep(0.003)  # so that it is not killed between two calls only
        child.kill()
        acknowledged.update(line.decode().strip() for line in pipe if line.endswith(b"\n"))
        child.wait()
    return child.pid, acknowledged, -child.returncode


def write(file: str) -> None:
    """The writing process: add a message, acknowledge it, and again, until it is killed."""
    with mnemic.Memory(file, embedder="none") as memory:
        for number in range(100_000):
            message = {"role": "user", "content": f"This is message number {number}.", "id": f"m{number}"}
            memory.add(message, user_id=WRITER)
            os.write(1, f"m{number}\n".encode())


def _all_ids(memory: Memory) -> set[str]:
    found: set[str] = set()
    after: str | None = None
    while True:
        page = memory.list(user_id=WRITER, limit=1000, after=after)
        found |= {record.message_id for record in page if record.message_id}
        after = page.next
        if after is None:
            return found


# -- looking into the file


def lines_with(file: Path, phrase: str) -> dict[str, int]:
    """What `grep -c` says of the file and its log: lines that hold the phrase, by file name."""
    counts: dict[str, int] = {}
    for ending in ("", "-wal"):
        path = file.with_name(file.name + ending)
        if path.exists():
            counts[path.name] = sum(phrase.encode() in line for line in path.read_bytes().split(b"\n"))
    return counts


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in counts.items())
