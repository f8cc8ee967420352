"""The SQLite store: its settings, its queue, its connections, and what it refuses."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.errors import ClosedError, NotAStoreError, StoreError
from mnemic.stores import queue, sqlite
from mnemic.stores.queue import WriterQueue
from mnemic.stores.sqlite import SqliteStore
from mnemic.testing import HashEmbedder

WHO = {"user_id": "ana"}
needs_queue = pytest.mark.skipif(not queue._TICKETED, reason="no open file description locks")


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "store.db", embedder=HashEmbedder(32))


def test_the_writer_waits_for_the_disk_and_leaves_nothing_behind(memory: Memory) -> None:
    memory.add("one", **WHO)
    writer = memory._store._writer
    assert writer is not None
    wanted = {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "secure_delete": 1, "foreign_keys": 1}
    assert {name: writer.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_nobody_else_may_read(memory: Memory, tmp_path: Path) -> None:
    memory.add("one", **WHO)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes.keys() >= {"store.db", "store.db-wal", "store.db-shm"}
    assert set(modes.values()) == {0o600}


# -- connections


def test_few_connections_are_kept(memory: Memory) -> None:
    many = 40
    together = threading.Barrier(many)

    def read() -> None:
        with memory._store.read() as snapshot:
            snapshot.rows("all_walls")
            together.wait(60)

    threads = [threading.Thread(target=read) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(memory._store._idle) == sqlite.IDLE_READERS
    assert not memory._store._lent


def test_close_waits_for_a_write_and_lets_a_read_end(memory: Memory) -> None:
    store = memory._store
    inside, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with store.write() as tx:
            inside.set()
            assert go_on.wait(60)
            tx.run("set_setting", name="kept", value=1)

    writer = threading.Thread(target=write)
    writer.start()
    assert inside.wait(60)
    refused: list[str] = []

    def late() -> None:
        try:
            memory.add("too late", **WHO)
        except ClosedError as error:
            refused.append(str(error))

    with store.read() as snapshot:
        assert snapshot.row("setting", name="kept") is None
        closer = threading.Thread(target=memory.close)
        closer.start()
        closer.join(0.05)
        assert closer.is_alive()
        waiting = threading.Thread(target=late)
        go_on.set()
        closer.join(60)
        waiting.start()
        waiting.join(60)
        assert snapshot.row("setting", name="kept") is None  # the snapshot is as it was
    writer.join()
    assert len(refused) == 1
    assert not store._idle
    assert store._writer is None
    memory.close()
    with SqliteStore(store.path).read() as snapshot:
        assert snapshot.rows("setting", name="kept")[0]["value"] == 1


def test_a_write_inside_a_write_is_refused(memory: Memory) -> None:
    with memory._store.write(), pytest.raises(StoreError, match="inside another"):
        memory.add("one", **WHO)
    memory.add("two", **WHO)
    assert len(memory.list(**WHO)) == 1


def test_an_interrupt_between_two_lines_leaves_no_transaction(memory: Memory) -> None:
    memory.add("one", **WHO)
    writer = memory._store._writer
    assert writer is not None
    writer.execute("BEGIN IMMEDIATE")  # as where a signal comes just after this line
    memory.add("two", **WHO)
    assert len(memory.list(**WHO)) == 2


def test_a_long_log_is_cut_though_somebody_always_reads(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    store, limit = memory._store, 300_000
    monkeypatch.setattr(sqlite, "LONG_LOG", limit)
    store._long_log = limit
    over = threading.Event()

    def read(mine: threading.Event, others: threading.Event) -> None:
        while not over.is_set():
            with store.read() as snapshot:
                snapshot.rows("all_walls")
                mine.set()  # the other may end its read now: this one has begun
                others.wait(0.05)
                others.clear()

    one, other = threading.Event(), threading.Event()
    threads = [threading.Thread(target=read, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    longest = 0
    for number in range(60):
        memory.add([f"sentence {number} {n} " + "and so on " * 20 for n in range(30)], **WHO)
        longest = max(longest, store._log.stat().st_size)
    over.set()
    for thread in threads:
        thread.join(60)
    assert longest < 6 * limit
    assert len(memory.list(limit=10_000, **WHO)) == 60 * 30


def test_a_reader_that_stays_holds_up_no_writer(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    store, limit = memory._store, 100_000
    monkeypatch.setattr(sqlite, "LONG_LOG", limit)
    store._long_log = limit
    waits: list[float] = []
    empty_log = sqlite._empty_log

    def counted(connection: sqlite3.Connection, wait: float = 0.0) -> bool:
        waits.append(wait)
        return empty_log(connection, wait)

    monkeypatch.setattr(sqlite, "_empty_log", counted)
    with store.read() as snapshot:
        snapshot.rows("all_walls")
        for number in range(16):
            memory.add([f"sentence {number} {n} " + "and so on " * 20 for n in range(10)], **WHO)
        assert 0 < len(waits) < store._log.stat().st_size / limit  # once for each further stretch of log
        assert snapshot.rows("all_walls") == []


# -- opening


def test_a_checkpoint_under_way_is_not_taken_for_damage(tmp_path: Path) -> None:
    path, torn = tmp_path / "store.db", tmp_path / "torn.db"
    memory = Memory(path, embedder=HashEmbedder(32))
    memory.add([f"sentence {number}" for number in range(500)], **WHO)
    old = path.read_bytes()
    shutil.copyfile(f"{path}-wal", f"{torn}-wal")
    memory.close()  # moves the log into the file
    new = path.read_bytes()
    assert len(new) > len(old)
    torn.write_bytes(new[:4096] + old[4096:])  # page 1 goes first, and says how many there will be
    with Memory(torn, embedder=HashEmbedder(32)) as again:
        assert len(again.list(limit=1000, **WHO)) == 500
    short = tmp_path / "short.db"
    short.write_bytes(new[: len(new) // 2])
    with pytest.raises(NotAStoreError, match="truncated"):
        Memory(short)


def test_where_a_file_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Memory(tmp_path / "no folder" / "store.db")
    with pytest.raises(StoreError):
        Memory(tmp_path / ("long" * 100))


def test_without_what_only_unix_has(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "sys.modules['fcntl'] = None\n"
        "for name in ('register_at_fork', 'O_CLOEXEC', 'fork'):\n"
        "    if hasattr(os, name): delattr(os, name)\n"
        "from mnemic import Memory\n"
        "memory = Memory(sys.argv[1])\n"
        "memory.add('one', user_id='ana')\n"
        "print(len(memory.search('one', user_id='ana')))\n"
    )
    path = [sys.executable, "-c", code, str(tmp_path / "store.db")]
    assert subprocess.run(path, capture_output=True, text=True, check=True).stdout == "1\n"
    assert not (tmp_path / "store.db-queue").exists()


# -- the queue


@needs_queue
def test_a_signal_ends_the_wait_for_a_turn(memory: Memory) -> None:
    memory.add("one", **WHO)
    turns = WriterQueue(memory._store._queue._path)

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with turns.turn():
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(TimeoutError):
                memory.add("two", **WHO)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    memory.add("three", **WHO)
    assert sorted(record.text for record in memory.list(**WHO)) == ["one", "three"]
    assert not memory._store._queue._open


@needs_queue
def test_turns_come_in_the_order_of_asking(tmp_path: Path) -> None:
    turns = WriterQueue(tmp_path / "queue")
    served: list[int] = []
    threads: list[threading.Thread] = []

    def ask(number: int) -> None:
        with turns.turn():
            served.append(number)

    with turns.turn():
        for number in range(20):
            threads.append(threading.Thread(target=ask, args=(number,)))
            threads[-1].start()
            while _drawn(tmp_path) < number + 2:
                pass
    for thread in threads:
        thread.join(60)
    assert served == list(range(20))


@needs_queue
def test_one_who_dies_in_the_queue_lets_nobody_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = WriterQueue(tmp_path / "queue")
    served: list[str] = []

    def ask() -> None:
        with turns.turn():
            served.append("next")

    lock = queue._lock
    with turns.turn():

        def die(file: int, kind: str, byte: int, length: int = 1) -> None:
            if kind == "F_WRLCK" and byte == queue._FIRST_TICKET + 1:
                raise TimeoutError  # while waiting for the first
            lock(file, kind, byte, length)

        monkeypatch.setattr(queue, "_lock", die)
        with pytest.raises(TimeoutError), turns.turn():
            served.append("the dead")
        monkeypatch.setattr(queue, "_lock", lock)
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(0.2)
        served.append("first")
    thread.join(60)
    assert served == ["first", "next"]


@needs_queue
@pytest.mark.parametrize("counter", [b"\xff" * 8, b"nonsense", b"\x01", b""])
def test_a_counter_that_is_nonsense(memory: Memory, tmp_path: Path, counter: bytes) -> None:
    (tmp_path / "store.db-queue").write_bytes(counter)
    for number in range(3):
        memory.add(f"sentence {number}", **WHO)
    assert len(memory.list(**WHO)) == 3


@needs_queue
def test_the_counter_begins_again(tmp_path: Path) -> None:
    (tmp_path / "queue").write_bytes((queue._TICKETS - 2).to_bytes(8, "little"))
    turns = WriterQueue(tmp_path / "queue")
    for _ in range(4):
        with turns.turn():
            pass
    assert _drawn(tmp_path) == 2


def test_where_there_can_be_no_queue(memory: Memory, tmp_path: Path) -> None:
    """A folder that cannot be written, another user's file: here a folder in the file's place."""
    (tmp_path / "store.db-queue").unlink(missing_ok=True)
    (tmp_path / "store.db-queue").mkdir()
    memory.add("one", **WHO)
    assert len(memory.list(**WHO)) == 1


def _drawn(folder: Path) -> int:
    return int.from_bytes((folder / "queue").read_bytes()[:8], "little")
