"""The file: what it refuses, what it survives, who may use it, and how its format moves on."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, StoreError
from mnemic.cabinet import Cabinet
from mnemic.errors import (
    BusyError,
    ClosedError,
    ConfigError,
    DiskFullError,
    NewerFormatError,
    NotAStoreError,
    ReadOnlyError,
)
from mnemic.journal import broken_links
from mnemic.stores import queue, sqlite
from mnemic.stores.queue import WriterQueue
from mnemic.testing import FrozenClock


def opened(path: Path | str, **settings: Any) -> Memory:
    return Memory(path, embedder="none", clock=FrozenClock(), recipe="none", **settings)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


@pytest.fixture
def filled(path: Path) -> Path:
    with opened(path) as memory:
        memory.add(["I moved to Porto", "I like tea"], user_id="ana")
    return path


def texts(memory: Memory) -> list[str]:
    return sorted(record.text for record in memory.list(user_id="ana", limit=10_000))


def whole(memory: Memory) -> bool:
    with memory._store.read() as snapshot:
        return list(broken_links(snapshot)) == [] and snapshot.select("PRAGMA integrity_check", {})[0][0] == "ok"


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


# -- what is no store


def foreign(path: Path, *, wal: bool = False) -> None:
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.execute("INSERT INTO recipes VALUES ('soup')")
    connection.commit()
    connection.close()


def with_pragma(path: Path, pragma: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(pragma)
    connection.close()


def cut(path: Path) -> None:
    with opened(path) as memory:
        memory.add(["word " * 500] * 20, user_id="ana")
    os.truncate(path, path.stat().st_size // 2)


def newer(path: Path) -> None:
    opened(path).close()
    with_pragma(path, "PRAGMA user_version = 999")


REFUSED: dict[str, tuple[Callable[[Path], Any], type[StoreError], str]] = {
    "a text": (lambda path: path.write_text("hello " * 50), NotAStoreError, "is not a Mnemic store (no SQLite header)"),
    "a few bytes": (lambda path: path.write_bytes(b"SQLite format 3\0"), NotAStoreError, "is not a Mnemic store"),
    "random bytes": (lambda path: path.write_bytes(bytes(range(256)) * 40), NotAStoreError, "is not a Mnemic store"),
    "another program's": (foreign, NotAStoreError, "is another program's SQLite file"),
    "another program's, by number": (
        lambda path: (foreign(path), with_pragma(path, "PRAGMA application_id = 5")),
        NotAStoreError,
        "is another program's SQLite file",
    ),
    "a truncated one": (cut, NotAStoreError, "is truncated"),
    "a newer one": (newer, NewerFormatError, "has format 999; this release reads up to"),
    "a folder": (lambda path: path.mkdir(), NotAStoreError, "is not a file: pass the path of a store"),
}


@pytest.mark.parametrize("read_only", [False, True], ids=["to write", "to read"])
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_store_is_refused_and_left_as_it_was(path: Path, kind: str, read_only: bool) -> None:
    make, error, words = REFUSED[kind]
    make(path)
    before = content(path.parent)
    with pytest.raises(error) as refused:
        opened(path, read_only=read_only)
    assert words in str(refused.value)
    assert isinstance(refused.value, OSError)
    after = content(path.parent)
    after.pop("agent.db-queue", None)
    assert {name: held for name, held in after.items() if held} == {
        n: h for n, h in before.items() if "queue" not in n and h
    }


def test_another_programs_file_with_an_open_log_is_refused(path: Path) -> None:
    """Its tables are in the log alone: the header of the file looks like that of an empty one."""
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE recipes (name TEXT)")
    writer.commit()
    try:
        with pytest.raises(NotAStoreError, match="is another program's SQLite file"):
            opened(path)
        assert writer.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
        assert writer.execute("PRAGMA user_version").fetchone() == (0,)
    finally:
        writer.close()


def test_a_damaged_page_is_an_error_with_the_way_out(filled: Path) -> None:
    size = filled.stat().st_size
    with open(filled, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with (
        pytest.raises(NotAStoreError, match=r"is damaged or not a Mnemic store .* restore it from a copy"),
        opened(filled) as memory,
    ):
        memory.search("tea", user_id="ana")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the folder of '.*agent.db' does not exist: create it first"):
        opened(tmp_path / "missing" / "agent.db")
    assert not (tmp_path / "missing").exists()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with opened(path) as memory:
        memory.add("hello", user_id="ana")
    with opened(path) as memory:
        assert texts(memory) == ["hello"]


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "mysql://x", ""])
def test_a_store_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"pass (a path|one) such as 'agent.db'"):
        Memory(url)


def test_paths_may_be_written_in_several_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = "ä b?c#d%20'.db"
    for url in (
        "agent.db",
        "./agent.db",
        tmp_path / "agent.db",
        "sqlite:///agent.db",
        f"sqlite:///{tmp_path}/agent.db",
        odd,
    ):
        with opened(url) as memory:
            memory.add("hello", user_id="ana", time="2024-01-01Z")
            assert texts(memory) == ["hello"]
    assert {file.name for file in tmp_path.iterdir()} == {"agent.db", "agent.db-queue", odd, odd + "-queue"}


def test_a_relative_path_stays_the_same_file_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with opened("agent.db") as memory:
        memory.add("hello", user_id="ana")
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert texts(memory) == ["hello"]
        memory.add("again", user_id="ana")
        assert texts(memory) == ["again", "hello"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_memory_in_ram_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(":memory:") as memory, opened(":memory:") as other:
        memory.add("hello", user_id="ana")
        assert texts(other) == []
    assert list(tmp_path.iterdir()) == []


# -- rights


def test_the_files_are_for_their_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(path) as memory:
            memory.add("hello", user_id="ana")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) == {"agent.db", "agent.db-wal", "agent.db-shm", "agent.db-queue"}
    assert set(modes.values()) == {0o600}


WRITES: dict[str, Callable[[Memory], Any]] = {
    "add": lambda memory: memory.add("x", user_id="ana"),
    "remember": lambda memory: memory.remember("x", user_id="ana"),
    "update": lambda memory: memory.update(memory.list(user_id="ana", kinds="fact")[0].id, text="y", user_id="ana"),
    "retire": lambda memory: memory.retire("x" * 26, user_id="ana"),
    "merge": lambda memory: memory.merge("x" * 26, into="y" * 26, user_id="ana"),
    "split": lambda memory: memory.split("x" * 26, names="x", user_id="ana"),
    "erase": lambda memory: memory.erase("x" * 26, user_id="ana"),
    "undo": lambda memory: memory.undo("r000", user_id="ana"),
    "rebuild": lambda memory: memory.rebuild(user_id="ana"),
    "import_": lambda memory: memory.import_(['{"mnemic": "export", "format": 1}']),
}


@pytest.mark.parametrize("verb", WRITES)
def test_a_file_opened_to_read_is_read_and_never_written(filled: Path, verb: str) -> None:
    with opened(filled) as writer, opened(filled, read_only=True) as memory:
        fact = writer.remember("Ana likes tea", user_id="ana")
        assert memory.get(fact.ids[0], user_id="ana").text == "Ana likes tea"
        writer.undo(fact, user_id="ana") if verb != "update" else None
        assert set(texts(memory)) - {"Ana likes tea"} == {"I like tea", "I moved to Porto"}
        assert "tea" in memory.search("tea", user_id="ana")[0].text
        assert memory.context("tea", user_id="ana").text
        with pytest.raises(ReadOnlyError, match="can only be read; reading works, this write was not made") as error:
            WRITES[verb](memory)
        assert isinstance(error.value, PermissionError)
        writer.add("I like coffee", user_id="ana")
        assert "I like coffee" in texts(memory)
        assert memory.erase(memory.list(user_id="ana")[0].id, dry_run=True, user_id="ana").dry_run


def test_a_file_to_read_must_be_there(path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no store at '.*agent.db' to read"):
        opened(path, read_only=True)
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is write-protected for root")
def test_a_write_protected_file_is_read(filled: Path) -> None:
    filled.chmod(0o400)
    filled.parent.chmod(0o500)
    try:
        with opened(filled) as memory:
            assert texts(memory) == ["I like tea", "I moved to Porto"]
            with pytest.raises(ReadOnlyError):
                memory.add("x", user_id="ana")
    finally:
        filled.parent.chmod(0o700)


# -- the disk

MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /srv rw,relatime - nfs4 server:/srv rw,vers=4.2
31 22 0:26 / /srv/ana/local rw - ext4 /dev/vdb rw
32 22 0:27 / /mnt/my\\040share rw - cifs //server/share rw
33 22 0:28 / /media/cd ro,nosuid - iso9660 /dev/sr0 ro
34 22 0:29 / /stacked rw - ext4 /dev/vdc rw
35 22 0:30 / /stacked rw - fuse.sshfs ana@server: rw
36 22 0:31 / /srvold rw shared:7 master:2 - xfs /dev/vdd rw
a line that is broken
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/agent.db", "ext4"),
        ("/srv/ana/agent.db", "nfs4"),
        ("/srv/ana/local/agent.db", "ext4"),
        ("/srv/ana/localhost/agent.db", "nfs4"),
        ("/mnt/my share/agent.db", "cifs"),
        ("/media/cd/agent.db", "iso9660"),
        ("/stacked/agent.db", "fuse.sshfs"),
        ("/srvold/agent.db", "xfs"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_its_last_and_nearest_mount(place: str, kind: str) -> None:
    found, options = sqlite._mount(Path(place), MOUNTS)
    assert found == kind
    assert ("ro" in options) == (kind == "iso9660")
    assert sqlite._mount(Path(place), "") == ("", frozenset())


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_a_network_file_system_is_refused(path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"30 22 0:25 / {path.parent.resolve()} rw,relatime - {kind} server:/x rw\n"
    monkeypatch.setattr(sqlite, "_mountinfo", lambda: MOUNTS + line)
    with pytest.raises(ConfigError, match=f"lies on a network file system \\({kind}\\).*put the file on a local disk"):
        opened(path)
    assert not path.exists()


def test_a_disk_that_is_read_only_is_read(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"30 22 0:25 / {filled.parent.resolve()} ro,relatime - ext4 /dev/sdb ro\n"
    monkeypatch.setattr(sqlite, "_mountinfo", lambda: MOUNTS + line)
    with opened(filled) as memory:
        assert len(texts(memory)) == 2
        with pytest.raises(ReadOnlyError):
            memory.add("x", user_id="ana")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a file system cannot be mounted here; the limit on a file's size is tested beside this")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_damages_nothing_and_is_got_over(small_disk: Path) -> None:
    path = small_disk / "agent.db"
    ballast = small_disk / "ballast"
    with opened(path) as memory:
        memory.add("I moved to Porto", user_id="ana")
        ballast.write_bytes(bytes(1_200_000))
        held = texts(memory)

        def fill() -> None:
            nonlocal held
            for number in range(100):
                memory.add([f"message {number}.{part} " + "x" * 2000 for part in range(20)], user_id="ana")
                held = texts(memory)

        with pytest.raises(DiskFullError, match="is full; nothing of this call was written") as error:
            fill()
        assert error.value.errno == errno.ENOSPC
        assert texts(memory) == held
        assert whole(memory)
        ballast.unlink()
        memory.add("there is room again", user_id="ana")
        assert texts(memory) == sorted([*held, "there is room again"])
        assert whole(memory)
    with opened(path) as memory:
        assert texts(memory) == sorted([*held, "there is room again"])


LIMITED = """
import resource, sys
from mnemic import Memory, StoreError
with Memory(sys.argv[1], embedder="none") as memory:
    memory.add("I moved to Porto", user_id="ana")
    resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, resource.RLIM_INFINITY))
    added = 0
    try:
        for number in range(500):
            memory.add(f"message {number} " + "x" * 9000, user_id="ana")
            added += 1
    except StoreError as error:
        print(type(error).__name__, error)
    held = {record.text.split()[1] for record in memory.list(user_id="ana", limit=10_000) if "message" in record.text}
    print(added, len(held))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    memory.add("there is room again", user_id="ana")
"""


def test_a_file_that_may_not_grow_is_an_error_that_damages_nothing(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    error, counts = done.stdout.strip().splitlines()
    assert error.startswith(("StoreError", "DiskFullError"))
    added, held = map(int, counts.split())
    assert 5 < added == held < 500
    with opened(path) as memory:
        assert whole(memory)
        assert "there is room again" in texts(memory)


# -- threads, forks, the end


def test_threads_share_one_memory(path: Path) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(6)

    def write(name: str) -> None:
        try:
            start.wait()
            for number in range(8):
                memory.add(f"{name} {number} likes tea", user_id="ana")
                assert memory.search("who likes tea?", user_id="ana", limit=100).considered > number
        except BaseException as error:
            errors.append(error)

    with opened(path) as memory:
        threads = [threading.Thread(target=write, args=(f"thread{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert texts(memory) == sorted(f"thread{t} {number} likes tea" for t in range(6) for number in range(8))
        assert whole(memory)
        found = memory.search("who likes tea?", user_id="ana", limit=100)
        with opened(path) as other:
            again = other.search("who likes tea?", user_id="ana", limit=100)
            assert [(hit.id, hit.score) for hit in again] == [(hit.id, hit.score) for hit in found]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_opens_the_file_anew(path: Path) -> None:
    script = """
import os, sys
from mnemic import Memory
memory = Memory(sys.argv[1], embedder="none")
memory.add("from the parent", user_id="ana")
assert len(memory.search("parent", user_id="ana")) == 1
child = os.fork()
memory.add("from the " + ("parent again" if child else "child"), user_id="ana")
if not child:
    assert len(memory.list(user_id="ana")) >= 2
    memory.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
memory.add("from the parent at last", user_id="ana")
print(sorted(record.text for record in memory.list(user_id="ana")))
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(
        ["from the child", "from the parent", "from the parent again", "from the parent at last"]
    )
    with opened(path) as memory:
        assert whole(memory)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_memory_in_ram_stays_with_its_process() -> None:
    script = """
import os
from mnemic import Memory, StoreError
memory = Memory(":memory:", embedder="none")
memory.add("hello", user_id="ana")
if not os.fork():
    try:
        memory.list(user_id="ana")
    except StoreError as error:
        os._exit(0 if "RAM" in str(error) else 2)
    os._exit(1)
assert os.wait()[1] == 0
assert len(memory.list(user_id="ana")) == 1
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


CALLS: dict[str, Callable[[Memory], Any]] = {
    **{verb: call for verb, call in WRITES.items() if verb != "rebuild"},
    "search": lambda memory: memory.search("x", user_id="ana"),
    "context": lambda memory: memory.context("x", user_id="ana"),
    "get": lambda memory: memory.get("x" * 26, user_id="ana"),
    "list": lambda memory: memory.list(user_id="ana"),
    "timeline": lambda memory: memory.timeline(user_id="ana"),
    "history": lambda memory: memory.history("x" * 26, user_id="ana"),
    "diff": lambda memory: memory.diff("2024Z", "2025Z", user_id="ana"),
    "stats": lambda memory: memory.stats(user_id="ana"),
    "export": lambda memory: list(memory.export(user_id="ana")),
    "rebuild": lambda memory: memory.rebuild(user_id="ana"),
}


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("where", ["file", "ram"])
def test_after_close_every_verb_says_so(path: Path, verb: str, where: str) -> None:
    memory = opened(path if where == "file" else ":memory:")
    memory.add("hello", user_id="ana")
    memory.search("hello", user_id="ana")
    memory.close()
    memory.close()
    with pytest.raises(ClosedError, match=r"this memory is closed: open it again with Memory\(…\)"):
        CALLS[verb](memory)
    assert "Memory(" in repr(memory)


def test_after_close_no_log_and_no_lock_is_left(filled: Path) -> None:
    assert sorted(file.name for file in filled.parent.iterdir()) == ["agent.db", "agent.db-queue"]
    with sqlite3.connect(filled) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (2,)
    connection.close()


# -- the queue of writers


def test_writers_are_served_in_the_order_of_asking(tmp_path: Path) -> None:
    path = tmp_path / "queue"
    order: list[int] = []
    threads: list[threading.Thread] = []

    def wait(number: int) -> None:
        with WriterQueue(path, 60).turn():
            order.append(number)

    with WriterQueue(path, 60).turn():
        for number in range(5):
            before = int.from_bytes(path.read_bytes()[:8], "little")
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            while int.from_bytes(path.read_bytes()[:8], "little") == before:  # until it has its ticket
                pass
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_the_queue_passes_over_who_has_died(filled: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from mnemic.stores.queue import WriterQueue
with WriterQueue(Path(sys.argv[1]), 60).turn():
    print("mine", flush=True)
    os._exit(9)
"""
    for _ in range(2):
        queue = filled.with_name(filled.name + "-queue")
        done = subprocess.run([sys.executable, "-c", script, str(queue)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (9, "mine\n")
    with opened(filled) as memory:
        memory.add("still here", user_id="ana")


class Steps:
    """A clock for those who wait in a queue: each look of theirs takes a moment of it, and waits to be let on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looked, self.on = threading.Semaphore(0), threading.Semaphore(0)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.looked.release()
        self.on.acquire()


def test_who_waits_gives_up_only_where_nobody_gets_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the queue is, or a write takes: nobody gives up as long as something moves."""
    steps = Steps()
    monkeypatch.setattr(queue, "time", steps)
    path, outcome = tmp_path / "agent.db-queue", list[str]()

    def wait() -> None:
        try:
            with first.turn():
                outcome.append("served")
        except BusyError as busy:
            outcome.append(str(busy))

    def looks(seconds: float, *, works: WriterQueue | None = None) -> None:
        until = steps.now + seconds
        while steps.now < until and not outcome:
            if works is not None:
                works.works()
            steps.on.release()
            assert steps.looked.acquire(timeout=60)

    def waiting() -> threading.Thread:
        outcome.clear()
        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        assert steps.looked.acquire(timeout=60)
        return thread

    first = WriterQueue(path, 1.0)
    with first.turn():
        thread = waiting()
        looks(10, works=first)  # one long write that gets on
        assert outcome == []
        looks(0.6)  # and then for a while does not
        first.works()
        looks(0.6)
        assert outcome == []
    steps.on.release()
    thread.join(60)
    assert outcome == ["served"]

    with first.turn():
        thread = waiting()
        looks(0.9)
        steps.now += 0.2
        steps.on.release()
        thread.join(60)
        before = path.read_bytes()
        steps.now += 1
        first.works()
        assert path.read_bytes() != before  # who is served is so still
    (told,) = outcome
    assert told.startswith("'agent.db' cannot be written now: another thread of this process has its turn to write")
    assert "has done nothing for 1 s" in told
    assert "try again" in told
    with first.turn():  # nothing is left of who gave up
        pass


STOPPED = """
import sys
from mnemic import Memory
memory = Memory(sys.argv[1], embedder="none", recipe="none")
with memory._store.write() as tx:
    print("inside", flush=True)
    sys.stdin.readline()
memory.add("from who was stopped", user_id="ana")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing is stopped here")
def test_a_stopped_writer_holds_nobody_up_for_ever(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "STILL_SECONDS", 0.3)
    with (
        subprocess.Popen(
            [sys.executable, "-c", STOPPED, str(filled)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process,
        opened(filled) as memory,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(BusyError, match=f"process {process.pid} has its turn to write, and .* try again"):
                memory.add("hello", user_id="ana")
            assert texts(memory) == ["I like tea", "I moved to Porto"]
            memory.close()  # does not wait either
        finally:
            process.send_signal(signal.SIGCONT)
        process.communicate("go\n", timeout=60)
        assert process.returncode == 0
    with opened(filled) as memory:
        memory.add("hello", user_id="ana")
        assert texts(memory) == ["I like tea", "I moved to Porto", "from who was stopped", "hello"]


QUEUED = """
import sys
from pathlib import Path
from mnemic.stores.queue import WriterQueue
with WriterQueue(Path(sys.argv[1]), 60).turn():
    pass
"""


@pytest.mark.skipif(not queue._TICKETED, reason="there are no tickets here")
def test_who_was_stopped_while_it_waited_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PASS_OVER", 0.05)
    path = tmp_path / "agent.db-queue"
    mine = WriterQueue(path, 60)
    with mine.turn():
        before = path.read_bytes()[:8]
        process = subprocess.Popen([sys.executable, "-c", QUEUED, str(path)])
        while path.read_bytes()[:8] == before and process.poll() is None:  # until it has its ticket
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)  # until it has stopped
    try:
        with mine.turn():
            pass
    finally:
        process.send_signal(signal.SIGCONT)
        assert process.wait(60) == 0


def test_in_ram_nobody_waits_for_ever_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "STILL_SECONDS", 0.05)
    inside, done = threading.Event(), threading.Event()

    def hang() -> None:
        with memory._store.write():
            inside.set()
            done.wait()

    with opened(":memory:") as memory:
        thread = threading.Thread(target=hang)
        thread.start()
        assert inside.wait(60)
        for call in (lambda: memory.add("hello", user_id="ana"), lambda: texts(memory)):
            with pytest.raises(BusyError, match=r"this memory cannot be used now: .* Try again"):
                call()
        done.set()
        thread.join()
        memory.add("hello", user_id="ana")
        assert texts(memory) == ["hello"]


def test_what_was_said_is_kept_where_only_deriving_has_to_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(path, embedder="none", clock=FrozenClock()) as memory:
        write = memory._store.write
        turns = 0

        @contextlib.contextmanager
        def second_is_busy() -> Iterator[sqlite.Transaction]:
            nonlocal turns
            turns += 1
            if turns == 2:
                raise BusyError(errno.EAGAIN, "another writer hangs")
            with write() as tx:
                yield tx

        monkeypatch.setattr(memory._store, "write", second_is_busy)
        receipt = memory.add("I live in Porto.", user_id="ana")
        assert [entry.action for entry in receipt.entries] == ["added"]
        assert receipt.pending == 1
        assert receipt.notes[0] == "another writer, which does not get on, stood in the way of deriving"
        assert memory.upkeep(user_id="ana").pending == 0
        assert [record.text for record in memory.list(user_id="ana", kinds="fact")] == ["The user lives in Porto."]


@pytest.mark.parametrize("second", ["another memory", "another path", "the same"])
def test_a_write_inside_a_write_is_refused_and_not_waited_for(filled: Path, second: str) -> None:
    link = filled.with_name("link.db")
    link.symlink_to(filled)
    with opened(filled) as memory, opened(link if second == "another path" else filled) as another:
        files = Cabinet(memory, user_id="ana")
        files.create("/memories/a.txt", "tea")

        def note(text: str) -> str:
            if memory._store._writer_thread is not None:  # under the lock; before, it is allowed
                (memory if second == "the same" else another).add(f"changed: {text}", user_id="ana")
            return text + " and coffee"

        with pytest.raises(StoreError, match="a write was asked for inside another of the same memory: make it after"):
            files.edit("/memories/a.txt", note)
        assert files.read("/memories/a.txt").text == "tea"
        another.add("afterwards", user_id="ana")
        assert "afterwards" in texts(memory)


# -- the format moves on


STEP = "ALTER TABLE records ADD COLUMN mood TEXT;\nCREATE INDEX records_mood ON records (mood);\n"


def with_steps(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    first = sqlite.steps()
    steps = (*first, *((len(first) + number, f"step {number}", sql) for number, sql in enumerate(more, 1)))
    monkeypatch.setattr(sqlite, "steps", lambda: steps)


def told(path: Path) -> tuple[int, list[int]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return version, [row[0] for row in connection.execute("SELECT step FROM format_steps ORDER BY step")]


def test_a_new_file_has_a_record_of_every_step(filled: Path) -> None:
    newest = sqlite.steps()[-1][0]
    assert told(filled) == (newest, list(range(1, newest + 1)))
    assert not list(filled.parent.glob("*.format-*"))


def test_an_older_file_is_brought_up_to_date_after_a_copy(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = told(filled)[0]
    with_steps(monkeypatch, STEP, "UPDATE records SET mood = 'calm';")
    with opened(filled) as memory:
        assert texts(memory) == ["I like tea", "I moved to Porto"]
        with memory._store.read() as snapshot:
            assert {row["mood"] for row in snapshot.select("SELECT mood FROM records", {})} == {"calm"}
    assert told(filled) == (version + 2, list(range(1, version + 3)))
    copy = filled.with_name(f"agent.db.format-{version}")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert told(copy)[0] == version
    monkeypatch.undo()
    with pytest.raises(NewerFormatError):
        opened(filled)
    with opened(copy) as memory:
        assert texts(memory) == ["I like tea", "I moved to Porto"]


def test_an_older_file_is_not_read_where_it_cannot_be_brought_up_to_date(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.read_bytes()
    with_steps(monkeypatch, STEP)
    with pytest.raises(ReadOnlyError, match=r"has the older format .* open it once without read_only=True"):
        opened(filled, read_only=True)
    assert filled.read_bytes() == before
    opened(filled).close()
    with opened(filled, read_only=True) as memory:
        assert len(texts(memory)) == 2


def test_a_step_that_fails_leaves_everything_as_it_was(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told(filled)
    with_steps(monkeypatch, STEP, "UPDATE records SET mood = 'lost';\nUPDATE records SET no_such_column = 1;\n")
    with pytest.raises(StoreError, match="no_such_column"):
        opened(filled)
    assert told(filled) == before
    with contextlib.closing(sqlite3.connect(filled)) as connection:
        assert "mood" not in [row[1] for row in connection.execute("PRAGMA table_info(records)")]
    monkeypatch.undo()
    with_steps(monkeypatch, STEP, "UPDATE records SET mood = 'found';")
    with opened(filled) as memory:
        assert texts(memory) == ["I like tea", "I moved to Porto"]
    copies = [file.name for file in filled.parent.glob("*.format-*")]
    assert copies == [f"agent.db.format-{before[0]}"]


RACE = """
import sys
from mnemic import Memory
from mnemic.stores import sqlite
first = sqlite.steps()
steps = (*first, (len(first) + 1, "race", sys.argv[2]))
sqlite.steps = lambda: steps
sys.stdin.readline()
with Memory(sys.argv[1], embedder="none") as memory:
    print(len(memory.list(user_id="ana")))
"""


def test_processes_that_race_make_each_step_once(filled: Path) -> None:
    version = told(filled)[0]
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(filled), STEP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in racing:
        out, err = process.communicate()
        assert (process.returncode, out.strip()) == (0, "2"), err
    assert told(filled) == (version + 1, list(range(1, version + 2)))
    assert len(list(filled.parent.glob("*.format-*"))) == 1


def test_processes_that_race_make_one_store(path: Path) -> None:
    script = """
import sys
from mnemic import Memory
sys.stdin.readline()
with Memory(sys.argv[1], embedder="none") as memory:
    memory.add("from " + sys.argv[2], user_id="ana")
"""
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path), str(number)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in racing:
        _, err = process.communicate()
        assert process.returncode == 0, err
    with opened(path) as memory:
        assert texts(memory) == [f"from {number}" for number in range(4)]
        assert whole(memory)
