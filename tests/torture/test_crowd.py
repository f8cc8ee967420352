"""Twenty processes on one file: nothing is lost or doubled, nobody sees a lock, nobody waits unduly long."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.stores import queue, sqlite
from mnemic.testing import HashEmbedder

from .life import Child
from .sound import assert_rebuilt_alike, assert_sound, line

WHO = {"user_id": "ana"}
WEATHER = ("rain", "snow", "wind", "sun")


MODES = ("tickets", "one lock", "none")
"""What stands before SQLite's lock: on Linux, on other Unix systems, on Windows."""


def _set(mode: str) -> None:
    queue._TICKETED = mode == "tickets" and queue._TICKETED
    if mode == "none":
        queue.fcntl = None


class _Board:
    """A number for each process, which all of them see."""

    def __init__(self, places: int) -> None:
        self._shared = mmap.mmap(-1, 8 * places)

    def __getitem__(self, place: int) -> int:
        return struct.unpack_from("q", self._shared, 8 * place)[0]

    def __setitem__(self, place: int, value: int) -> None:
        struct.pack_into("q", self._shared, 8 * place, value)


def crowd(processes: int, seconds: float, seed: int, *, mode: str = "tickets") -> dict[str, Any]:
    """All of them add and search; the first also erases what it has added, the second makes the index anew."""
    sqlite.LONG_LOG = 1 << 20
    _set(mode)
    folder = Path(tempfile.mkdtemp())
    path = folder / "crowd.db"
    board = _Board(processes + 1)
    children = [
        Child(lambda tell, me=me: _one(path, me, processes, seconds, seed, board, tell)) for me in range(processes)
    ]
    for child in children:
        child.listen(120, lines=1)  # it has opened the file, or failed
        list(child.told())
    board[processes] = 1
    longest = 0
    log = path.with_name(path.name + "-wal")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        longest = max(longest, log.stat().st_size if log.exists() else 0)
        time.sleep(0.02)
    done = [child.wait(watchdog=seconds * 20 + 120) for child in children]
    adds = [one["adds"] for one in done]
    with Memory(path, embedder=HashEmbedder(32), recipe="none") as memory:
        held: dict[int, list[int]] = {me: [] for me in range(processes)}
        for record in memory.list(order="oldest", limit=1_000_000, **WHO):
            me, number = map(int, record.text.split()[0].removeprefix("Zq").split("x"))
            held[me].append(number)
        for me, one in enumerate(done):
            wanted = [number for number in range(one["adds"]) if number not in one["erased"]]
            assert sorted(held[me]) == wanted, f"process {me} lost or doubled some"
        with memory._store.read() as snapshot:
            order = [
                row["text"].split()[0]
                for row in snapshot.select("SELECT text FROM records WHERE text IS NOT NULL ORDER BY num", {})
            ]
        for me in held:
            own = [text for text in order if text.startswith(f"Zq{me}x")]
            assert own == sorted(own, key=lambda text: int(text.split("x")[1])), f"those of process {me} are mixed up"
        assert_sound(memory)
        assert_rebuilt_alike(memory, [f"Zq{me}x{held[me][-1]}" for me in held if held[me]], **WHO)
    shutil.rmtree(folder)
    return {
        "adds": sum(adds),
        "most to least adds": round(max(adds) / max(1, min(adds)), 2),
        "searches": sum(one["searches"] for one in done),
        "longest add": max(one["longest"] for one in done),
        "erased": sum(len(one["erased"]) for one in done),
        "rebuilt": sum(one["rebuilt"] for one in done),
        "longest log": longest,
    }


def _one(path: Path, me: int, processes: int, seconds: float, seed: int, board: _Board, tell: int) -> dict[str, Any]:
    rng = random.Random(seed * 1000 + me)
    memory = Memory(path, embedder=HashEmbedder(32), recipe="none")
    ids: list[str] = []
    erased: list[int] = []
    searches = rebuilt = 0
    longest = 0.0
    os.write(tell, line("opened"))
    while not board[processes]:
        time.sleep(0.001)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        number = len(ids)
        began = time.monotonic()
        receipt = memory.add(f"Zq{me}x{number} says something about {rng.choice(WEATHER)}", **WHO)
        longest = max(longest, time.monotonic() - began)
        ids += [entry.id for entry in receipt.entries if entry.action == "added"]
        assert len(ids) == number + 1, receipt
        board[me] = len(ids)
        if number % 4 == 0:
            _finds(memory, me, number)  # its own at once
            other = rng.randrange(1, processes)  # the first erases some
            told = board[other]
            if told > 0:
                _finds(memory, other, told - 1)  # and what another has been told is kept
            searches += 2
        if me == 0 and number % 10 == 9:
            place = rng.choice([n for n in range(number) if n not in erased])
            memory.erase(ids[place], **WHO)
            erased.append(place)
            assert all(hit.id != ids[place] for hit in memory.search(f"Zq0x{place}", **WHO))
        if me == 1 and number % 12 == 11:
            memory.rebuild(**WHO)
            rebuilt += 1
    board[me] = len(ids)
    memory.close()
    return {"adds": len(ids), "searches": searches, "longest": round(longest, 3), "erased": erased, "rebuilt": rebuilt}


def _finds(memory: Memory, who: int, number: int) -> None:
    word = f"Zq{who}x{number}"
    hits = memory.search(word, limit=3, **WHO)
    assert word in [hit.text.split()[0] for hit in hits], (word, [hit.text for hit in hits])


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@needs_fork
def test_twenty_processes_on_one_file(alone: Callable[..., Any], share: float) -> None:
    done = alone(crowd, processes=20, seconds=60 * share, seed=5)
    print(done)
    assert done["erased"]
    if queue._TICKETED:
        assert done["most to least adds"] <= 3


@needs_fork
@pytest.mark.parametrize("mode", MODES[1:])
def test_other_systems(alone: Callable[..., Any], share: float, mode: str) -> None:
    print(alone(crowd, processes=6, seconds=15 * share, seed=6, mode=mode))


def openings(rounds: int, processes: int, mode: str) -> int:
    """All of them make, or open, one file at the same instant, and write at once."""
    _set(mode)
    folder = Path(tempfile.mkdtemp())
    for number in range(rounds):
        path, board = folder / f"{number}.db", _Board(1)

        def one(me: int, path: Path = path, board: _Board = board) -> str:
            while not board[0]:
                pass
            with Memory(path, embedder=HashEmbedder(32), recipe="none") as memory:
                return memory.add(f"Zq{me} was first", **WHO).id

        children = [Child(lambda _, me=me, one=one: one(me)) for me in range(processes)]
        board[0] = 1
        assert len({child.wait() for child in children}) == processes
        with Memory(path, embedder=HashEmbedder(32), recipe="none") as memory:
            assert len(memory.list(**WHO)) == processes
            assert_sound(memory)
    shutil.rmtree(folder)
    return rounds


@needs_fork
@pytest.mark.parametrize("mode", MODES)
def test_all_make_the_file_at_once(alone: Callable[..., Any], share: float, mode: str) -> None:
    alone(openings, rounds=int(100 * share), processes=8, mode=mode, watchdog=600)
