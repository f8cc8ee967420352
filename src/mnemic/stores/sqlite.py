"""One SQLite file: write-ahead log, full synchronisation, and a fair queue before its single writer lock.

The store knows named queries (`sql/queries.sql`) and transactions, and nothing of what the rows mean. Readers take a
snapshot each, from a pool of connections; there is one writing connection. The file is the truth: every other process
and thread may read and write it at the same time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from mnemic.errors import (
    BusyError,
    ClosedError,
    ConfigError,
    DiskFullError,
    NewerFormatError,
    NotAStoreError,
    ReadOnlyError,
    StoreError,
)
from mnemic.forks import STORES, watch
from mnemic.stores.queue import WriterQueue

Row = sqlite3.Row


class Fields(Protocol):
    """A row, or its values by name."""

    def __getitem__(self, name: str, /) -> Any: ...


APPLICATION_ID = 0x4D6E6D63
"""'Mnmc' in the file's header."""
WAIT_SECONDS = 60.0
"""How long a writer waits for SQLite's lock once it is its turn: only for a writer outside the queue."""
STILL_SECONDS = 30.0
"""How long a writer waits for others that do not get on; less than callers on a network have patience."""
_NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ncpfs",
        "ceph",
        "lustre",
        "glusterfs",
        "beegfs",
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.glusterfs",
        "fuse.davfs",
        "fuse.gcsfuse",
    ]
)
CHECKPOINT_PAGES = 2000
"""Pages in the log (8 MB) from which on SQLite moves them into the file, as far as readers let it."""
LONG_LOG = 64 << 20
"""Bytes of log from which on a writer waits a moment for the readers that keep SQLite from beginning it anew."""
IDLE_READERS = 8
"""Reading connections kept for the next reader."""
PATIENCE = 2.0
"""Seconds that an erasure waits for readers that hold old pages."""
FORK_PATIENCE = 30.0
"""Seconds that a fork waits for readers of other threads; later, its child can no longer use the file."""
_UNPURGED = "unpurged"
"""The setting that says that old pages of an erasure may still be in the log; its value is the receipt."""
_stranded: dict[tuple[int, int], list[sqlite3.Connection]] = {}
"""Files that a fork caught in the middle of a read, with the connections inherited: SQLite must not touch them here."""
_written: set[tuple[int, int, tuple[int, int]]] = set()
"""Process, thread and file of each write under way: another one inside it would wait for itself for ever."""


@cache
def queries() -> dict[str, str]:
    """The named queries of `sql/queries.sql`."""
    found: dict[str, str] = {}
    text = (files("mnemic.stores") / "sql" / "queries.sql").read_text("utf-8")
    for block in text.split("-- name: ")[1:]:
        name, body = block.split("\n", 1)
        assert name.strip() not in found, f"queries.sql has '{name.strip()}' twice"
        found[name.strip()] = body.strip().rstrip(";")
    return found


@cache
def steps() -> tuple[tuple[int, str, str], ...]:
    """The steps of the file format, in order: number, name, SQL."""
    folder = files("mnemic.stores") / "sql" / "steps"
    found = [(int(f.name[:4]), f.name[5:-4], f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql")]
    return tuple(sorted(found))


_opened: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
"""The stores on files that this process has opened."""


class Snapshot:
    """Reads that all see the file at one instant."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _works(self) -> None:
        """It gets on: for those who wait for it."""

    def rows(self, query: str, **values: Any) -> list[Row]:
        """All rows of a named query."""
        self._works()
        with _translated():
            return self._connection.execute(queries()[query], values).fetchall()

    def stream(self, query: str, size: int = 10_000, **values: Any) -> Iterator[list[Row]]:
        """The rows of a named query, some at a time."""
        with _translated():
            cursor = self._connection.execute(queries()[query], values)
            while rows := cursor.fetchmany(size):
                self._works()
                yield rows

    def row(self, query: str, **values: Any) -> Row | None:
        """The first row of a named query."""
        self._works()
        with _translated():
            return self._connection.execute(queries()[query], values).fetchone()

    def select(self, sql: str, values: Mapping[str, Any]) -> list[Row]:
        """A query that where.py has compiled: its values are bound, its words are from a fixed list."""
        with _translated():
            return self._connection.execute(sql, values).fetchall()


class Transaction(Snapshot):
    """Reads and writes that happen together or not at all. `works` is called whenever it gets on."""

    def __init__(self, connection: sqlite3.Connection, works: Callable[[], None]) -> None:
        super().__init__(connection)
        self._works = works

    def owe_purge(self, receipt: str) -> None:
        """What is erased here must leave the log, too: in `purge`, or before the next write, whoever makes it."""
        self.run("set_setting", name=_UNPURGED, value=receipt)

    def pause(self, action: Callable[[sqlite3.Connection], bool]) -> bool:
        """Do what cannot be done inside a transaction, in the midst of this one, which has written nothing yet."""
        with _translated():
            self._connection.execute("ROLLBACK")
            done = action(self._connection)
            self._connection.execute("BEGIN IMMEDIATE")
        return done

    def run(self, query: str, **values: Any) -> int:
        """Carry out a named statement; returns the new row's number where it makes one."""
        self._works()
        with _translated():
            return self._connection.execute(queries()[query], values).lastrowid or 0

    def run_many(self, query: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Carry out a named statement for each row of values."""
        self._works()
        with _translated():
            self._connection.executemany(queries()[query], rows)


class SqliteStore:
    """A store in one file, or in memory with `path=None`.

    Raises NotAStoreError, NewerFormatError, ReadOnlyError or StoreError when the file cannot be used; it is never
    changed in that case.
    """

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path = path = None if path is None else path.absolute()  # whatever the working folder will be
        self.read_only = False
        self._closed = self._immutable = False
        self._begin()
        if path is None:
            self._file = (-1, id(self))
            self._writer = self._connect(":memory:")
            _upgrade(self._writer, None)
            watch(self, STORES)
            return
        _refuse_network(path)
        exists = _size(path) > 0
        self.read_only = read_only or (exists and not os.access(path, os.W_OK)) or _on_read_only_disk(path)
        if not exists:
            if self.read_only:
                raise StoreError(errno.ENOENT, f"there is no store at '{path}' to read")
            _create(path)
        elif not any(store.holds(path) for store in list(_opened)):
            # Closing any descriptor of a file drops all of a process's locks on it (POSIX): SQLite's, too.
            _inspect(path)
        self._file = _identity(path)
        _opened.add(self)
        self._refuse_stranded()
        self._queue = WriterQueue(path.with_name(path.name + "-queue"), STILL_SECONDS)
        self._log = str(path) + "-wal"
        watch(self, STORES)
        try:
            if self.read_only:
                self._open_reader_once()
            else:
                self._open_writer()
        except BaseException:
            self.close()
            raise

    def holds(self, path: Path) -> bool:
        """Whether this store has the file at a path open."""
        return not self._closed and self.path is not None and self._file == _identity(path)

    # -- transactions

    @contextlib.contextmanager
    def read(self) -> Generator[Snapshot]:
        """A snapshot. Blocks nobody and is blocked by nobody (in memory: by a writer of this process)."""
        self._enter()
        if self.path is None:
            with self._alone():
                yield Snapshot(self._writer_or_raise())
            return
        connection = self._borrow()
        try:
            with _translated():
                connection.execute("BEGIN")
            yield Snapshot(connection)
        finally:
            self._give_back(connection)

    @contextlib.contextmanager
    def write(self) -> Generator[Transaction]:
        """A transaction, in turn. On success it is on the disk when the block has ended; on an error nothing is.

        Raises BusyError where for STILL_SECONDS no writer has got on; StoreError inside another write of this thread to
        the same file, which would wait for itself.
        """
        self._enter()
        if self.read_only:
            raise ReadOnlyError(errno.EROFS, f"'{self.path}' can only be read; reading works, this write was not made")
        with self._writer_in_turn() as connection:
            try:
                with _translated():
                    connection.execute("BEGIN IMMEDIATE")
                tx = Transaction(connection, self._works)
                if self.path is not None:
                    self._purge_if_owed(tx)
                yield tx
                with _translated():
                    connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise
            self._shorten_log(connection)

    def purge(self) -> str | None:
        """After an erasure: move the log into the file and empty it, so that no old page is left.

        Returns None when it is done, else which reader still holds the old pages: then the next write does it.
        """
        if self.path is None:
            return None
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self._writer_in_turn() as connection:
                    if _empty_log(connection):
                        return None
                    holder = self._reader()
            except BusyError:  # the erasure is made; only this is still to do
                return "a writer that does not get on"
            if time.monotonic() > deadline:
                return holder
            time.sleep(0.02)  # writers go on meanwhile

    def size(self) -> int:
        """Bytes on the disk (or in memory), the log included."""
        if self.path is None:
            with self._alone():
                connection = self._writer_or_raise()
                return connection.execute("PRAGMA page_count").fetchone()[0] * 4096
        return _size(self.path) + _size(Path(self._log))

    def close(self) -> None:
        """Close every connection: after a write under way, and those of reads under way when they end. Idempotent."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            with self._change:
                self._close_idle()

    # -- forks

    def rest(self) -> None:
        """Close every connection, for SQLite's do not survive a fork. See `forks`."""
        self._writing.acquire()
        self._change.acquire()
        if self.path is None or self._closed:
            return
        self._resting = True
        me = threading.get_ident()
        self._change.wait_for(lambda: not self._lent or me in self._lent.values(), FORK_PATIENCE)
        self._close_idle()

    def go_on(self, *, child: bool) -> None:
        """Open again when there is need."""
        if child and self.path is not None:
            inherited = [*self._lent, *([self._writer] if self._writer else [])]
            if inherited:
                _stranded.setdefault(self._file, []).extend(inherited)
            self._queue.leave()
            self._begin()
            return
        self._resting = False
        self._change.notify_all()
        self._change.release()
        self._writing.release()

    # -- connections

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._writing = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._writer_thread: int | None = None
        self._steps = 0
        """Of all turns, and what was done in them: it stands still where a writer does."""
        self._change = threading.Condition(threading.Lock())
        """Guards what follows, and tells of a reader that has ended."""
        self._idle: list[sqlite3.Connection] = []
        self._lent: dict[sqlite3.Connection, int] = {}
        self._resting = False
        self._long_log = LONG_LOG
        self._writes = 0

    def _enter(self) -> None:
        """Refuse use after close, and in a child that has inherited what it must not use."""
        if self._closed:
            raise ClosedError(errno.EBADF, "this memory is closed: open it again with Memory(…)")
        if self._pid != os.getpid():
            what = "a memory in RAM" if self.path is None else "a memory opened before a fork that Python did not make"
            raise StoreError(errno.EBADF, f"{what} stays with the process that made it: open one on a file here")
        self._refuse_stranded()

    def _refuse_stranded(self) -> None:
        if _stranded and self.path is not None and self._file in _stranded:
            raise StoreError(
                errno.EBADF,
                f"'{self.path}' was being read when this process was forked, and SQLite's locks do not survive that: "
                "end reads (such as an export) before a fork, or start processes afresh (spawn)",
            )

    @contextlib.contextmanager
    def _writer_in_turn(self) -> Generator[sqlite3.Connection]:
        """The writing connection, for this thread alone, in the order of asking. Raises BusyError, StoreError."""
        me = threading.get_ident()
        turn = (os.getpid(), me, self._file)
        if turn in _written:
            raise StoreError(
                errno.EDEADLK, "a write was asked for inside another of the same memory: make it after that"
            )
        with contextlib.nullcontext() if self.path is None else self._queue.turn(), self._alone():
            connection = self._writer_or_raise()
            self._writer_thread = me
            _written.add(turn)
            try:
                _roll_back(connection)  # what an interrupt may have left between two lines
                yield connection
            finally:
                _written.discard(turn)
                self._writer_thread = None
                if self._closed:
                    self._close_idle()

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """No other thread of this process writes here meanwhile (in memory: nor reads). Raises BusyError."""
        seen = self._steps
        while not self._writing.acquire(timeout=STILL_SECONDS):
            if seen == self._steps:
                raise BusyError(
                    errno.EAGAIN,
                    f"{self.path or 'this memory'} cannot be used now: a write of another thread has done nothing for "
                    f"{STILL_SECONDS:g} s (does it wait inside for something else?). Try again, or end that one",
                )
            seen = self._steps
        try:
            self._steps += 1
            yield
        finally:
            self._writing.release()

    def _works(self) -> None:
        """The write under way gets on."""
        self._steps += 1
        if self.path is not None:
            self._queue.works()

    def _writer_or_raise(self) -> sqlite3.Connection:
        if self._closed:
            raise ClosedError(errno.EBADF, "this memory is closed: open it again with Memory(…)")
        if self._writer is None:
            writer = self._connect(self._uri())
            with _translated(self.path):
                _prepare(writer)
            self._writer = writer
        return self._writer

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()
        if self._writer is not None and self._writer_thread is None:
            self._writer.close()
            self._writer = None

    def _open_writer(self) -> None:
        """Make or upgrade the file. One of the current format needs no turn: opening waits for no writer."""
        with _translated(self.path):
            reader = self._connect(self._uri())
            reader.execute("PRAGMA query_only = ON")
            current = _check_format(reader, self.path) == steps()[-1][0]
        if current:
            self._idle.append(reader)
            return
        reader.close()
        with self._writer_in_turn() as writer, _translated(self.path):
            _upgrade(writer, self.path)

    # -- the log

    def _purge_if_owed(self, tx: Transaction) -> None:
        """Do the purge that an erasure owes since a reader stood in its way, and begin the transaction anew."""
        owed = tx.row("setting", name=_UNPURGED)
        if owed is not None and tx.pause(_empty_log):
            tx.run("drop_setting", name=_UNPURGED, value=owed["value"])

    def _shorten_log(self, connection: sqlite3.Connection) -> None:
        """Empty a long log, now and then. SQLite begins one anew only when nobody reads from it: with many readers
        that is never."""
        self._writes += 1
        if self.path is None or self._writes % 16:
            return
        with contextlib.suppress(OSError):  # the write is done; this is for the disk's sake
            size = os.stat(self._log).st_size
            if size >= self._long_log:
                self._long_log = LONG_LOG if _empty_log(connection, wait=0.2) else size + LONG_LOG

    def _reader(self) -> str:
        """Who holds old pages of the log, in words."""
        assert self.path is not None
        others = _other_readers(self.path)
        found = ["process " + ", ".join(map(str, others))] if others else []
        found += ["a read under way in this process"] if self._lent else []
        return " and ".join(found) or "another reader"

    # -- opening

    def _open_reader_once(self) -> None:
        try:
            connection = self._connect(self._uri())
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A write-ahead log needs a shared-memory file beside it. Where none can be made and no log is left, the
            # file alone is complete, and nobody can be writing it.
            assert self.path is not None
            if _has_log(self.path):
                raise ReadOnlyError(
                    errno.EROFS,
                    f"'{self.path}' has an unfinished log and its folder cannot be written: open it once where it can",
                ) from None
            self._immutable = True
            connection = self._connect(self._uri())
        self._idle.append(connection)
        with _translated(self.path):
            version = _check_format(connection, self.path)
        if version < steps()[-1][0]:
            raise ReadOnlyError(
                errno.EROFS,
                f"'{self.path}' has the older format {version}, which is only brought up to date where it can be "
                "written: open it once without read_only=True",
            )

    def _uri(self) -> str:
        assert self.path is not None
        location = self.path.absolute().as_uri()
        if self._immutable:
            return location + "?mode=ro&immutable=1"
        return location + ("?mode=ro" if self.read_only else "?mode=rw")

    def _connect(self, uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA cache_size = -32768")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def _borrow(self) -> sqlite3.Connection:
        with self._change:
            while self._resting:
                self._change.wait()
            connection = self._idle.pop() if self._idle else self._new_reader()
            self._lent[connection] = threading.get_ident()
            return connection

    def _new_reader(self) -> sqlite3.Connection:
        with _translated(self.path):
            connection = self._connect(self._uri())
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._change:
            if self._lent.pop(connection, None) is None:
                return  # inherited through a fork: see `_stranded`
            _roll_back(connection)
            if self._closed or len(self._idle) >= IDLE_READERS:
                connection.close()
            else:
                self._idle.append(connection)
            self._change.notify_all()


# -- opening a file


def _create(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(errno.ENOENT, f"the folder of '{path}' does not exist: create it first")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:  # another process was faster, or it is empty
        pass
    except OSError as error:
        raise StoreError(error.errno, f"'{path}' cannot be created: {error.strerror}") from error


def _inspect(path: Path) -> None:
    """Refuse what is not a whole SQLite file, before SQLite touches it."""
    if not path.is_file():
        raise NotAStoreError(errno.EINVAL, f"'{path}' is not a file: pass the path of a store, such as 'agent.db'")
    try:
        with open(path, "rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(error.errno, f"'{path}' cannot be read: {error.strerror}") from error
    if len(header) < 100 or header[:16] != b"SQLite format 3\0":
        raise NotAStoreError(errno.EINVAL, f"'{path}' is not a Mnemic store (no SQLite header); it was left untouched")
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    # While there is a log, a checkpoint may be under way, or unfinished: then the header is ahead of the file.
    if not _has_log(path) and path.stat().st_size < pages * page:
        raise NotAStoreError(
            errno.EIO,
            f"'{path}' is truncated: {path.stat().st_size:,} of {pages * page:,} bytes are there. "
            "Restore it from a copy; it was left untouched",
        )
    application = int.from_bytes(header[68:72], "big")
    version = int.from_bytes(header[60:64], "big")
    if application != APPLICATION_ID and (application or version or pages > 1):
        raise _foreign(path)
    _refuse_newer(version, path)


def _has_log(path: Path) -> bool:
    return _size(path.with_name(path.name + "-wal")) > 0


def _size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StoreError(error.errno, f"'{path}' cannot be used: {error.strerror}") from error


def _prepare(writer: sqlite3.Connection) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            writer.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # SQLite does not wait for others that do the same to a new file
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
    writer.execute("PRAGMA synchronous = FULL")
    writer.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache, too
    writer.execute("PRAGMA checkpoint_fullfsync = ON")
    writer.execute("PRAGMA foreign_keys = ON")
    writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    writer.execute(f"PRAGMA journal_size_limit = {2 * CHECKPOINT_PAGES * 4096}")


def _roll_back(connection: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _empty_log(connection: sqlite3.Connection, wait: float = 0.0) -> bool:
    """Move the log into the file and cut it to nothing, unless a reader stands in the way for longer than this."""
    with _translated():
        connection.execute(f"PRAGMA busy_timeout = {wait * 1000:.0f}")
        try:
            return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        finally:
            connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000:.0f}")


def _foreign(path: Path | None) -> NotAStoreError:
    return NotAStoreError(errno.EINVAL, f"'{path}' is another program's SQLite file; it was left untouched")


def _check_format(connection: sqlite3.Connection, path: Path | None) -> int:
    """The format of a file, also where its header does not say yet what is in its log."""
    connection.execute("BEGIN")  # one snapshot: another process may be making the file just now
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        filled = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]
    finally:
        connection.execute("ROLLBACK")
    if application != APPLICATION_ID and (application or version or filled):
        raise _foreign(path)
    _refuse_newer(version, path)
    return version


def _refuse_newer(version: int, path: Path | None) -> None:
    newest = steps()[-1][0]
    if version > newest:
        raise NewerFormatError(
            errno.EINVAL,
            f"'{path}' has format {version}; this release reads up to {newest}. Upgrade mnemic; "
            "the file was left untouched",
        )


def _upgrade(writer: sqlite3.Connection, path: Path | None) -> None:
    """Bring the format up to date: all steps in one transaction, after a copy of an old file.

    Whoever opens a file meanwhile finds the old format or the new one, never one between.
    """
    version = _check_format(writer, path)
    if version == steps()[-1][0]:
        return
    if version and path is not None:
        _keep_copy(writer, path, version)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        current: int = writer.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        for number, name, sql in steps():
            if number <= current:
                continue
            if number == 1:
                writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                writer.execute("CREATE TABLE format_steps (step INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER)")
            for statement in _statements(sql):
                writer.execute(statement)
            writer.execute("INSERT INTO format_steps VALUES (?, ?, ?)", (number, name, time.time_ns() // 1000))
            writer.execute(f"PRAGMA user_version = {number}")
        writer.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            writer.execute("ROLLBACK")
        raise


def _statements(sql: str) -> Iterator[str]:
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _keep_copy(writer: sqlite3.Connection, path: Path, version: int) -> None:
    copy = path.with_name(f"{path.name}.format-{version}")
    if copy.exists():
        return
    unfinished = copy.with_name(copy.name + "-unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with contextlib.closing(sqlite3.connect(unfinished)) as target:
        writer.backup(target)
    os.replace(unfinished, copy)


# -- the disk


def _mount(path: Path, mounts: str) -> tuple[str, frozenset[str]]:
    """Kind and options of the file system that holds a path, from the text of /proc/self/mountinfo."""
    place = str(path.absolute())
    best, kind, options = "", "", frozenset[str]()
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 6 or not right:
            continue
        point = fields[4].replace("\\040", " ").rstrip("/")
        if (place == point or place.startswith(point + "/")) and len(point) >= len(best):
            best, kind, options = point, right.split()[0], frozenset(fields[5].split(","))
    return kind, options


def _mountinfo() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text("utf-8", "replace")
    except OSError:
        return ""


def _refuse_network(path: Path) -> None:
    kind, _ = _mount(path.resolve(), _mountinfo())
    if kind in _NETWORK:
        raise ConfigError(
            f"'{path}' lies on a network file system ({kind}), where SQLite's locks and shared memory do not work "
            "across machines and a store can be damaged: put the file on a local disk, or use a server store"
        )


def _on_read_only_disk(path: Path) -> bool:
    return "ro" in _mount(path.resolve(), _mountinfo())[1]


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _other_readers(path: Path) -> list[int]:
    """Other processes that hold the log's old pages: those with a read lock on the shared-memory file (Linux)."""
    found: set[int] = set()
    with contextlib.suppress(OSError, ValueError):
        status = path.with_name(path.name + "-shm").stat()
        wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if len(fields) >= 8 and fields[5] == wanted and fields[3] == "READ" and 123 <= int(fields[6]) < 128:
                found.add(int(fields[4]))
    return sorted(found - {os.getpid()})


# -- errors


class _translated:  # noqa: N801 - reads as the verb that it is; a class, since it stands around every statement
    """SQLite's errors in our words."""

    __slots__ = ("_path",)

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.DatabaseError):
            _raise_translated(error, f"'{self._path}'" if self._path else "the store")


def _raise_translated(error: sqlite3.DatabaseError, where: str) -> None:
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        raise StoreError(
            errno.EINVAL, f"{where} refused a statement ({text}); nothing of this call was written"
        ) from error
    if not isinstance(error, sqlite3.OperationalError):
        raise NotAStoreError(
            errno.EIO, f"{where} is damaged or not a Mnemic store ({error}); restore it from a copy"
        ) from error
    if "disk is full" in text:
        raise DiskFullError(errno.ENOSPC, f"the disk of {where} is full; nothing of this call was written") from error
    if "readonly" in text or "read-only" in text:
        raise ReadOnlyError(errno.EROFS, f"{where} can only be read; this write was not made") from error
    if "locked" in text or "busy" in text:
        raise BusyError(
            errno.EBUSY, f"{where} was held by another program for {WAIT_SECONDS:g} s; try again"
        ) from error
    raise StoreError(errno.EIO, f"{where}: {text}") from error
