"""A process with an open memory forks: both go on, and the file stays whole."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.errors import StoreError
from mnemic.testing import HashEmbedder

from .life import Child, in_child
from .sound import assert_sound

WHO = {"user_id": "ana"}
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def forks(rounds: int, seed: int) -> dict[str, Any]:
    """A parent whose threads add and search forks, at any instant, children that do so, too, with the same object."""
    rng = random.Random(seed)
    folder = Path(tempfile.mkdtemp())
    memory = Memory(folder / "forked.db", embedder=HashEmbedder(32), recipe="none")
    over = threading.Event()
    added: list[str] = []
    failures: list[BaseException] = []

    def go(name: str) -> None:
        try:
            while not over.is_set():
                added.append(_add(memory, f"{name}x{len(added)}"))
                memory.search("rain", **WHO)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=go, args=(name,)) for name in ("Zqa", "Zqb", "Zqc")]
    for thread in threads:
        thread.start()
    children: list[Child] = []
    for number in range(rounds):
        time.sleep(rng.uniform(0, 0.02))
        children.append(Child(lambda _, number=number: [_add(memory, f"Zq{number}y{n}") for n in range(5)]))
        if len(children) > 3:
            added += children.pop(0).wait()
    for child in children:
        added += child.wait()
    over.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures, failures
    memory.close()
    held = in_child(lambda: _held(folder / "forked.db"))
    assert sorted(held) == sorted(added)
    shutil.rmtree(folder)
    return {"forks": rounds, "adds": len(added)}


def _add(memory: Memory, word: str) -> str:
    memory.add(f"{word} tells of rain", **WHO)
    assert word in [hit.text.split()[0] for hit in memory.search(word, limit=3, **WHO)]
    return word


def _held(path: Path) -> list[str]:
    with Memory(path, embedder=HashEmbedder(32), recipe="none") as memory:
        assert_sound(memory)
        return [record.text.split()[0] for record in memory.list(limit=1_000_000, **WHO)]


def orphan() -> list[str]:
    """The parent ends first; its child goes on while another process opens the file."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "orphan.db"
    tell, ear = os.pipe()[::-1]

    def parent(_: int) -> None:
        memory = Memory(path, embedder=HashEmbedder(32), recipe="none")
        _add(memory, "Zqparent")
        if os.fork() == 0:
            time.sleep(0.2)  # the parent ends meanwhile
            try:
                for number in range(50):
                    _add(memory, f"Zqorphan{number}")
                os.write(tell, b"done")
            except BaseException:
                os.write(tell, traceback.format_exc().encode())
            os._exit(0)
        os._exit(0)  # without closing

    pid = Child(parent).pid
    os.waitpid(pid, 0)
    other = in_child(
        lambda: [_add(Memory(path, embedder=HashEmbedder(32), recipe="none"), f"Zqother{n}") for n in range(50)]
    )
    assert (told := os.read(ear, 10_000)) == b"done", told.decode()
    held = in_child(lambda: _held(path))
    assert sorted(held) == sorted(["Zqparent", *(f"Zqorphan{n}" for n in range(50)), *other])
    shutil.rmtree(folder)
    return held


def reading() -> str:
    """A fork in the middle of a read of the forking thread itself: the child is refused, the parent goes on."""
    folder = Path(tempfile.mkdtemp())
    memory = Memory(folder / "read.db", embedder=HashEmbedder(32), recipe="none")
    _add(memory, "Zqone")
    lines = iter(memory.export(**WHO))
    next(lines)

    def child() -> str:
        for use in (lambda: memory.add("two", **WHO), lambda: Memory(folder / "read.db", recipe="none")):
            try:
                use()
            except StoreError as error:
                message = str(error)
            else:
                raise AssertionError("the child used what it must not")
        return message

    told = in_child(child)
    assert len(list(lines)) > 2
    _add(memory, "Zqtwo")
    memory.close()
    assert sorted(in_child(lambda: _held(folder / "read.db"))) == ["Zqone", "Zqtwo"]
    shutil.rmtree(folder)
    return told


def dead_in_turn() -> int:
    """A parent that is killed while a thread of it writes, and whose child lives on, holds up nobody."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "dead.db"
    pids, alive = os.pipe()

    def parent(_: int) -> None:
        memory = Memory(path, embedder=HashEmbedder(32), recipe="none")
        started = threading.Event()

        def write() -> None:
            while True:
                memory.add(f"text {time.monotonic()}", **WHO)
                started.set()

        threading.Thread(target=write, daemon=True).start()
        started.wait()
        pid = os.fork()
        if pid == 0:
            time.sleep(600)
        os.write(alive, b"%d\n" % pid)
        time.sleep(600)

    child = Child(parent)
    grandchild = int(os.read(pids, 20))
    child.kill()
    try:
        return in_child(lambda: len(_add(Memory(path, embedder=HashEmbedder(32), recipe="none"), "Zqafter")))
    finally:
        os.kill(grandchild, 9)
        shutil.rmtree(folder)


def test_parent_and_children_share_a_file(alone: Callable[..., Any], share: float) -> None:
    print(alone(forks, rounds=int(200 * share), seed=7, watchdog=600))


def test_a_child_outlives_its_parent(alone: Callable[..., Any]) -> None:
    assert len(alone(orphan, watchdog=120)) == 101


def test_a_fork_in_the_middle_of_a_read(alone: Callable[..., Any]) -> None:
    assert "fork" in alone(reading, watchdog=120)


def test_a_killed_writer_with_a_living_child_holds_up_nobody(alone: Callable[..., Any]) -> None:
    alone(dead_in_turn, watchdog=120)
