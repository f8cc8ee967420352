"""The speed run: Mnemic beside the least that the same work can cost, measured in turn in one run.

A bare figure in milliseconds says more about the machine than about the code, so each is given with its *floor*: for a
search one embedding of the query, one scan of the same vectors with numpy and one BM25 lookup of the same words, with
nothing around them; for a durable write one bare insert into SQLite with its fsync. Whatever is compared takes turns
query by query, so that a busy machine slows all alike.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import metrics, peers
from bench.baselines import said, terms
from bench.datasets import Message, chatlog
from mnemic import Memory
from mnemic.models import wordllama

USER = "one"
BATCH = 1_000
SINGLES = 200
"""Messages added one by one, each durable before the next."""
FIRST_RESULT_SIZE = 10_000
RESIDENT_SIZE = 100_000
USERS = 1_000


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one kind of call."""

    what: str
    p50: float
    p95: float
    calls: int

    @classmethod
    def of(cls, what: str, ms: Sequence[float]) -> Timing:
        return cls(what, metrics.quantile(ms, 0.5), metrics.quantile(ms, 0.95), len(ms))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Calls that took turns: `ours` against `floor`, with the others beside them."""

    scene: str
    ours: Timing
    floor: Timing
    others: tuple[Timing, ...] = ()

    @property
    def ratio(self) -> float:
        return self.ours.p50 / self.floor.p50


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """Everything that the speed tables show. `facts` are single figures by name, with their unit in the name."""

    about: Mapping[str, str]
    searches: tuple[Comparison, ...]
    writes: tuple[Comparison, ...]
    facts: Mapping[str, float]
    skipped: tuple[str, ...] = field(default=())


def measure(
    log: Path,
    sizes: Sequence[int],
    *,
    about: Mapping[str, str],
    seed: int,
    seconds: float = 10.0,
    progress: Callable[[str], None],
) -> SpeedReport:
    """Everything, in a temporary folder. `seconds` bounds the turns of each comparison; `sizes` bound the rest."""
    searches: list[Comparison] = []
    writes: list[Comparison] = []
    facts: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="mnemic-bench-") as name:
        folder = Path(name)
        questions = questions_from(chatlog(log, min(max(sizes), 200_000)), seed=seed)
        progress("one message a call")
        writes.append(durable_adds(folder, list(chatlog(log, SINGLES))))
        for size, comparison, single in growing(folder, log, sorted(sizes), questions, seconds, progress):
            searches.append(comparison)
            facts |= single
            database = folder / f"{size}.db"
            if size == FIRST_RESULT_SIZE:
                facts[f"first result in a new process on {size:,} episodes, s"] = first_result(database, questions[0])
            if size == RESIDENT_SIZE:
                facts[f"resident memory with {size:,} episodes searched, MiB"] = resident(database, questions[0])
        progress(f"one of {USERS:,} users")
        searches.append(one_of_many(folder, list(chatlog(log, min(max(sizes), 100_000))), questions, seconds))
    progress("import and installed size")
    facts["import mnemic, ms over bare python"] = import_ms()
    facts |= installed_mib()
    absent = [*peers.missing(), *([] if importlib.util.find_spec("tantivy") else ["tantivy"])]
    skipped = tuple(f"{name} is not installed" for name in absent)
    return SpeedReport(about, tuple(searches), tuple(writes), facts, skipped)


def questions_from(messages: Iterator[Message], *, seed: int, count: int = 1_000) -> list[str]:
    """Questions that people asked in the log: real words in real proportions."""
    asked = [m.content for m in messages if m.content.endswith("?") and 5 <= len(m.content.split()) <= 25]
    if not asked:
        raise LookupError("the log holds no question of 5 to 25 words")
    random.Random(seed).shuffle(asked)
    return asked[:count]


def take_turns(calls: Mapping[str, Callable[[str], object]], questions: Sequence[str], seconds: float) -> list[Timing]:
    """Each question goes to each of the calls in turn, until the questions or the seconds are used up."""
    for call in calls.values():
        for question in questions[:3]:
            call(question)
    spent: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    for question in questions:
        for name, call in calls.items():
            started = time.perf_counter()
            call(question)
            spent[name].append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > end and len(spent[next(iter(spent))]) >= 20:
            break
    return [Timing.of(name, ms) for name, ms in spent.items()]


# --- The floor of a search --------------------------------------------------------------------------------------------


class Floor:
    """The least that lexical and dense search over `messages` can cost, all in memory and without any storage."""

    def __init__(self) -> None:
        self._embedder = wordllama.WordLlamaEmbedder()
        self._blocks: list[NDArray[np.float32]] = []
        self._vectors = np.zeros((0, self._embedder.dims), np.float32)
        self._terms: dict[str, int] = {}
        self._flat = array("i")
        self._lengths = array("i")
        self._starts = self._texts = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.float32)

    def add(self, messages: Sequence[Message]) -> None:
        texts = [said(message) for message in messages]
        vectors = self._embedder.embed_documents(texts)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        self._blocks.append(vectors)
        for text in texts:
            ids = [self._terms.setdefault(term, len(self._terms)) for term in terms(text)]
            self._flat.extend(ids)
            self._lengths.append(len(ids))

    def index(self) -> None:
        """Sort what was added into postings by term, and join the vectors."""
        self._vectors = np.concatenate([self._vectors, *self._blocks])
        self._blocks.clear()
        size = len(self._lengths)
        texts = np.repeat(np.arange(size), np.frombuffer(self._lengths, np.int32))
        keys, counts = np.unique(
            np.frombuffer(self._flat, np.int32).astype(np.int64) * size + texts, return_counts=True
        )
        self._texts, self._counts = keys % size, counts.astype(np.float32)
        self._starts = np.searchsorted(keys // size, np.arange(len(self._terms) + 1))

    def embed(self, question: str) -> NDArray[np.float32]:
        return self._embedder.embed_query(question)

    def scan(self, vector: NDArray[np.float32]) -> NDArray[np.int64]:
        return _top(self._vectors @ vector)

    def look_up(self, question: str, k1: float = 1.2, b: float = 0.75) -> NDArray[np.int64]:
        lengths = np.frombuffer(self._lengths, np.int32)
        size, mean = len(lengths), float(lengths.mean())
        scores = np.zeros(size, np.float32)
        for term in dict.fromkeys(terms(question)):
            number = self._terms.get(term)
            if number is None:
                continue
            places = slice(self._starts[number], self._starts[number + 1])
            texts, counts = self._texts[places], self._counts[places]
            weight = np.float32(np.log1p((size - len(texts) + 0.5) / (len(texts) + 0.5)))
            norm = np.float32(k1) * (np.float32(1 - b) + np.float32(b / mean) * lengths[texts].astype(np.float32))
            scores[texts] += weight * counts * np.float32(k1 + 1) / (counts + norm)
        # numpy's partition takes fifty times as long where most values are the same.
        found = np.flatnonzero(scores)
        return found[_top(scores[found])]

    def __call__(self, question: str) -> None:
        self.scan(self.embed(question))
        self.look_up(question)


def _top(scores: NDArray[np.float32], k: int = 10) -> NDArray[np.int64]:
    if len(scores) <= k:
        return np.argsort(-scores)
    best = np.argpartition(scores, -k)[-k:]
    return best[np.argsort(-scores[best])]


# --- Other engines ----------------------------------------------------------------------------------------------------


class Fts5:
    """SQLite's own full-text search: Porter stems, any of the question's words."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("CREATE VIRTUAL TABLE said USING fts5(text, tokenize='porter unicode61')")

    def add(self, messages: Sequence[Message]) -> None:
        with self._connection:
            self._connection.executemany("INSERT INTO said VALUES (?)", ((said(m),) for m in messages))

    def __call__(self, question: str) -> list[int]:
        words = re.findall(r"\w+", question.lower())
        query = " OR ".join(f'"{word}"' for word in words if terms(word)) or '""'
        rows = self._connection.execute("SELECT rowid FROM said WHERE said MATCH ? ORDER BY rank LIMIT 10", (query,))
        return [row[0] for row in rows]

    def close(self) -> None:
        self._connection.close()


class Tantivy:
    """The tantivy search engine with English stems, any of the question's words."""

    def __init__(self, path: Path) -> None:
        self._tantivy: Any = importlib.import_module("tantivy")
        schema = self._tantivy.SchemaBuilder()
        schema.add_integer_field("number", stored=True)
        schema.add_text_field("text", tokenizer_name="en_stem")
        path.mkdir()
        self._index: Any = self._tantivy.Index(schema.build(), path=str(path))
        # One writer for all batches: with each of its own, small segments are never merged.
        self._writer: Any = self._index.writer()
        self._added = 0

    def add(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._writer.add_document(self._tantivy.Document(number=self._added, text=said(message)))
            self._added += 1
        self._writer.commit()
        self._index.reload()

    def __call__(self, question: str) -> list[int]:
        words = [word for word in re.findall(r"\w+", question.lower()) if terms(word)]
        searcher = self._index.searcher()
        hits = searcher.search(self._index.parse_query(" ".join(words) or "nothing", ["text"]), 10).hits
        return [searcher.doc(address)["number"][0] for _, address in hits]

    def close(self) -> None:
        self._writer.wait_merging_threads()
        self._writer = self._index = None


def _others(folder: Path) -> dict[str, peers.Peer]:
    engines: dict[str, peers.Peer] = {"FTS5": Fts5(folder / "fts5.db")}
    if importlib.util.find_spec("tantivy"):
        engines["tantivy"] = Tantivy(folder / "tantivy")
    return engines | peers.installed(folder)


# --- Scenes -----------------------------------------------------------------------------------------------------------


def growing(
    folder: Path,
    log: Path,
    sizes: Sequence[int],
    questions: Sequence[str],
    seconds: float,
    progress: Callable[[str], None],
) -> Iterator[tuple[int, Comparison, dict[str, float]]]:
    """One user's memory that grows to each of `sizes` in turn and is searched there; a closed copy of the file is left
    for the sizes at which a new process is measured."""
    messages = chatlog(log, max(sizes))
    floor, others = Floor(), _others(folder)
    path = folder / "growing.db"
    size = 0
    for goal in sizes:
        progress(f"one user, {goal:,} episodes")
        if goal > peers.LARGEST:
            for name in peers.NAMES & others.keys():
                others.pop(name).close()
        rates: list[float] = []
        other_rates: dict[str, list[float]] = {}
        with closing(Memory(str(path), recipe="none")) as memory:
            while batch := list(islice(messages, min(BATCH, goal - size))):
                started = time.perf_counter()
                memory.add(_payloads(batch), user_id=USER)
                rates.append(len(batch) / (time.perf_counter() - started))
                floor.add(batch)
                for name, engine in others.items():
                    started = time.perf_counter()
                    engine.add(batch)
                    other_rates.setdefault(name, []).append(len(batch) / (time.perf_counter() - started))
                size += len(batch)
            floor.index()
            calls: dict[str, Callable[[str], object]] = {
                "mnemic": lambda question, memory=memory: memory.search(question, user_id=USER, limit=10),
                "floor": floor,
                "floor: embedding": floor.embed,
                "floor: scan": _scan_of(floor, questions),
                "floor: words": floor.look_up,
                **others,
            }
            ours, least, *rest = take_turns(calls, questions, seconds)
            single = after_an_add(memory, questions, goal)
        if goal in (FIRST_RESULT_SIZE, RESIDENT_SIZE):
            shutil.copyfile(path, folder / f"{goal}.db")
        added = f"episodes added per second, batches of {BATCH:,}"
        single[f"{added}, the last ten up to {goal:,}"] = metrics.quantile(rates[-10:], 0.5)
        single |= {f"{added}, {name}, up to {goal:,}": metrics.quantile(r, 0.5) for name, r in other_rates.items()}
        yield goal, Comparison(f"search, one user with {goal:,} episodes", ours, least, tuple(rest)), single
    for engine in others.values():
        engine.close()


def after_an_add(memory: Memory, questions: Sequence[str], size: int) -> dict[str, float]:
    """As an agent works: one message is added, and the next question must already know it."""
    adds: list[float] = []
    searches: list[float] = []
    for question in questions[:SINGLES]:
        started = time.perf_counter()
        memory.add(question, user_id=USER, session_id="live")
        between = time.perf_counter()
        memory.search(question, user_id=USER, limit=10)
        adds.append((between - started) * 1000)
        searches.append((time.perf_counter() - between) * 1000)
        if sum(adds) + sum(searches) > 5_000:
            break
    return {
        f"one message added to {size:,} episodes, p50 ms": metrics.quantile(adds, 0.5),
        f"the search right after that, {size:,} episodes, p50 ms": metrics.quantile(searches, 0.5),
    }


def _payloads(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages of several sessions for one call: each names its own."""
    return [message.payload() | {"session_id": message.session_id} for message in messages]


def _scan_of(floor: Floor, questions: Sequence[str]) -> Callable[[str], object]:
    """The scan alone, its query embedded beforehand."""
    vectors = {question: floor.embed(question) for question in questions}
    return lambda question: floor.scan(vectors[question])


def one_of_many(folder: Path, messages: Sequence[Message], questions: Sequence[str], seconds: float) -> Comparison:
    """One user's search in a file that 1,000 users share; the floor is over that user's messages alone."""
    share = max(len(messages) // USERS, 1)
    floor = Floor()
    floor.add(messages[:share])
    floor.index()
    with closing(Memory(str(folder / "many.db"), recipe="none")) as memory:
        for number in range(USERS):
            part = messages[number * share : (number + 1) * share]
            if part:
                memory.add(_payloads(part), user_id=f"user-{number}")
        turn = count()
        calls: dict[str, Callable[[str], object]] = {
            "mnemic": lambda question: memory.search(question, user_id="user-0", limit=10),
            "floor": floor,
            "mnemic, another user each time": lambda question: memory.search(
                question, user_id=f"user-{next(turn) % USERS}", limit=10
            ),
        }
        ours, least, *rest = take_turns(calls, questions, seconds)
    return Comparison(f"search, one of {USERS:,} users with {share:,} episodes each", ours, least, tuple(rest))


def durable_adds(folder: Path, messages: Sequence[Message]) -> Comparison:
    """One message a call, each on disk before the call returns, against one bare insert of its text.

    With the rules, too, and without anything that is derived.
    """
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE said (id INTEGER PRIMARY KEY, text TEXT)")
    spent: dict[str, list[float]] = {"mnemic": [], "bare insert": [], "mnemic, deriving by rules": []}
    with (
        closing(bare),
        closing(Memory(str(folder / "adds.db"), recipe="none")) as memory,
        closing(Memory(str(folder / "derived.db"), recipe="rules")) as deriving,
    ):
        # Not measured: opening the files, loading the embedder and the rules.
        for one in (memory, deriving):
            one.add("The first.", user_id=USER, session_id="first")
        for message in messages:
            started = time.perf_counter()
            memory.add(message.payload(), user_id=USER, session_id=message.session_id)
            spent["mnemic"].append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            deriving.add(message.payload(), user_id=USER, session_id=message.session_id)
            spent["mnemic, deriving by rules"].append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            bare.execute("INSERT INTO said (text) VALUES (?)", (said(message),))
            spent["bare insert"].append((time.perf_counter() - started) * 1000)
    ours, floor, rules = (Timing.of(name, ms) for name, ms in spent.items())
    return Comparison("one message a call, durable", ours, floor, (rules,))


# --- Processes --------------------------------------------------------------------------------------------------------

_FIRST_RESULT = """
import sys
from mnemic import Memory
memory = Memory(sys.argv[1])
print(len(memory.search(sys.argv[2], user_id=sys.argv[3], limit=10)))
"""

# Linux tells the resident size of a process in pages; elsewhere there is only its peak.
_RESIDENT = (
    _FIRST_RESULT
    + """
import os, resource
try:
    with open("/proc/self/statm") as file:
        print(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak if sys.platform == "darwin" else peak * 1024)
"""
)


def first_result(database: Path, question: str) -> float:
    """Seconds from starting Python to the first result, the median of five."""
    return _median_seconds([sys.executable, "-c", _FIRST_RESULT, str(database), question, USER], times=5)


def resident(database: Path, question: str) -> float:
    """MiB that a process holds after its first search."""
    command = [sys.executable, "-c", _RESIDENT, str(database), question, USER]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(output.split()[-1]) / 2**20


def import_ms() -> float:
    """What `import mnemic` adds to starting Python."""
    bare = _median_seconds([sys.executable, "-c", ""], times=9)
    return (_median_seconds([sys.executable, "-c", "import mnemic"], times=9) - bare) * 1000


def _median_seconds(command: Sequence[str], *, times: int) -> float:
    spent: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - started)
    return metrics.quantile(spent, 0.5)


def installed_mib() -> dict[str, float]:
    """The size of Mnemic's own files, of what `pip install mnemic` brings, and of that with the default embedder."""
    package = importlib.util.find_spec("mnemic")
    folders = package.submodule_search_locations if package else None
    own = sum(_file_size(path) for folder in folders or () for path in Path(folder).rglob("*.*"))
    needed = _closure("mnemic") - {"mnemic"}
    return {
        "installed, mnemic alone, MiB": own / 2**20,
        "installed, with what it needs, MiB": (own + _size_of(needed)) / 2**20,
        "installed, with the default embedder too, MiB": (own + _size_of(needed | _closure("wordllama"))) / 2**20,
    }


def _size_of(distributions: set[str]) -> int:
    files = (file for name in distributions for file in importlib.metadata.files(name) or ())
    return sum(_file_size(Path(str(file.locate()))) for file in files)


def _file_size(path: Path) -> int:
    return path.stat().st_size if path.is_file() and path.suffix != ".pyc" else 0


def _closure(distribution: str) -> set[str]:
    """The installed distributions that one needs, without its extras."""
    found: set[str] = set()
    waiting = Counter([distribution])
    while waiting:
        name, _ = waiting.popitem()
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        plain = [line for line in required if "extra ==" not in line]
        names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower().replace("_", "-") for line in plain}
        waiting.update(names - found)
    return found


# --- Writing ----------------------------------------------------------------------------------------------------------


def write(report: SpeedReport, folder: Path, name: str) -> tuple[Path, Path]:
    """`<name>.md` and `<name>.json` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, data = folder / f"{name}.md", folder / f"{name}.json"
    markdown.write_text(to_markdown(report), encoding="utf-8")
    data.write_text(json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return markdown, data


def to_markdown(report: SpeedReport) -> str:
    """The tables."""
    lines = ["# Speed", ""]
    lines += [f"- {name}: {value}" for name, value in report.about.items()]
    lines += [f"- left out: {reason}" for reason in report.skipped]
    lines += ["", "Milliseconds, p50 / p95; what stands in one row took turns, call by call.", ""]
    for title, comparisons in (("Search", report.searches), ("Writes", report.writes)):
        lines += [f"## {title}", "", "| scene | mnemic | floor | ratio of p50 | beside them |", "|---|---|---|---|---|"]
        lines += [
            f"| {c.scene} | {_timing(c.ours)} | {_timing(c.floor)} | {c.ratio:.2f} | "
            f"{'; '.join(f'{other.what} {_timing(other)}' for other in c.others)} |"
            for c in comparisons
        ]
        lines.append("")
    lines += ["## Single figures", "", "| what | figure |", "|---|---|"]
    lines += [f"| {name} | {value:,.2f} |" for name, value in report.facts.items()]
    return "\n".join(lines) + "\n"


def _timing(timing: Timing) -> str:
    return f"{timing.p50:.2f} / {timing.p95:.2f}"
