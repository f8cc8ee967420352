"""An erasure while somebody reads: the receipt says who, and the words leave the disk when that read has ended."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.stores import sqlite
from mnemic.testing import HashEmbedder

from .life import Child, in_child
from .sound import bytes_of

WHO = {"user_id": "ana"}
PHRASE = "Xylophonist"


def _begun(path: Path) -> tuple[Memory, str]:
    memory = Memory(path, embedder=HashEmbedder(32), recipe="none")
    memory.add([f"ordinary sentence number {n}" for n in range(50)], **WHO)
    receipt = memory.add(f"the {PHRASE} lives in Porto", **WHO)
    return memory, receipt.entries[0].id


def elsewhere(folder: str, later: str) -> dict[str, Any]:
    """Another process reads. Then it ends, and `later` happens."""
    sqlite.PATIENCE = 0.3
    path = Path(folder) / f"{later}.db"
    id_ = in_child(lambda: _begun(path)[1])

    def reader(tell: int) -> None:
        lines = iter(Memory(path, embedder=HashEmbedder(32), recipe="none").export(**WHO))
        next(lines), next(lines)
        os.write(tell, b"reading")
        time.sleep(600)

    ear, tell = os.pipe()
    child = Child(lambda _: reader(tell))
    assert os.read(ear, 7) == b"reading"
    memory = Memory(path, embedder=HashEmbedder(32), recipe="none")
    began = time.monotonic()
    receipt = memory.erase(id_, **WHO)
    took = time.monotonic() - began
    held = PHRASE.encode() in bytes_of(path)
    gone = not memory.search(PHRASE, **WHO) or all(PHRASE not in hit.text for hit in memory.search(PHRASE, **WHO))
    memory.add("written while the reader still reads", **WHO)
    child.kill()
    if later == "write":
        memory.add("one more", **WHO)
    elif later == "erase":
        memory.erase(memory.search("ordinary", **WHO)[0].id, **WHO)
    elif later == "another process":
        in_child(lambda: Memory(path, embedder=HashEmbedder(32), recipe="none").add("from elsewhere", **WHO).id)
    left = PHRASE.encode() in bytes_of(path)
    memory.close()
    return {"pid": child.pid, "notes": receipt.notes, "held": held, "gone": gone, "left": left, "took": took}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("later", ["write", "erase", "another process"])
def test_another_process_reads(alone: Callable[..., Any], tmp_path: Path, later: str) -> None:
    done = alone(elsewhere, folder=str(tmp_path), later=later, watchdog=120)
    assert done["gone"]
    if sys.platform == "linux":
        assert any(f"process {done['pid']} still holds" in note for note in done["notes"]), done
    assert done["notes"]
    assert not done["left"]


def test_a_read_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.5)
    memory, id_ = _begun(tmp_path / "own.db")
    lines = iter(memory.export(**WHO))
    next(lines)
    done = threading.Event()
    others: list[str] = []

    def write() -> None:
        others.append(memory.add("somebody else writes meanwhile", **WHO).id)
        done.set()

    threading.Timer(0.1, write).start()
    receipt = memory.erase(id_, **WHO)
    assert done.wait(60)
    assert ["this process" in note for note in receipt.notes] == [True]
    assert sum(PHRASE in line for line in lines) == 1  # the snapshot is as it was
    memory.add("one more", **WHO)
    assert PHRASE.encode() not in bytes_of(tmp_path / "own.db")
    with memory._store.read() as snapshot:
        assert snapshot.row("setting", name="unpurged") is None
    memory.close()


def test_nobody_reads(tmp_path: Path) -> None:
    memory, id_ = _begun(tmp_path / "quiet.db")
    assert not memory.erase(id_, **WHO).notes
    assert PHRASE.encode() not in bytes_of(tmp_path / "quiet.db")
    assert PHRASE.lower().encode() not in bytes_of(tmp_path / "quiet.db")
    memory.close()
