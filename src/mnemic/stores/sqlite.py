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
from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from mnemic.errors import (
    ClosedError,
    ConfigError,
    DiskFullError,
    NewerFormatError,
    NotAStoreError,
    ReadOnlyError,
    StoreError,
)
from mnemic.stores.queue import WriterQueue

Row = sqlite3.Row


class Fields(Protocol):
    """A row, or its values by name."""

    def __getitem__(self, name: str, /) -> Any: ...


APPLICATION_ID = 0x4D6E6D63
"""'Mnmc' in the file's header."""
WAIT_SECONDS = 60.0
"""How long a writer waits for SQLite's lock once it is its turn: only for a writer outside the queue."""
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
_graveyard: list[sqlite3.Connection] = []
"""Connections inherited through a fork: closing them here would drop the parent's file locks."""


@cache
def queries() -> dict[str, str]:
    """The named queries of `sql/queries.sql`."""
    found: dict[str, str] = {}
    text = (files("mnemic.stores") / "sql" / "queries.sql").read_text("utf-8")
    for block in text.split("-- name: ")[1:]:
        name, body = block.split("\n", 1)
        found[name.strip()] = body.strip().rstrip(";")
    return found


@cache
def steps() -> tuple[tuple[int, str, str], ...]:
    """The steps of the file format, in order: number, name, SQL."""
    folder = files("mnemic.stores") / "sql" / "steps"
    found = [(int(f.name[:4]), f.name[5:-4], f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql")]
    return tuple(sorted(found))


class Snapshot:
    """Reads that all see the file at one instant."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, **values: Any) -> list[Row]:
        """All rows of a named query."""
        with _translated():
            return self._connection.execute(queries()[query], values).fetchall()

    def stream(self, query: str, size: int = 10_000, **values: Any) -> Iterator[list[Row]]:
        """The rows of a named query, some at a time."""
        with _translated():
            cursor = self._connection.execute(queries()[query], values)
            while rows := cursor.fetchmany(size):
                yield rows

    def row(self, query: str, **values: Any) -> Row | None:
        """The first row of a named query."""
        with _translated():
            return self._connection.execute(queries()[query], values).fetchone()

    def select(self, sql: str, values: Mapping[str, Any]) -> list[Row]:
        """A query that where.py has compiled: its values are bound, its words are from a fixed list."""
        with _translated():
            return self._connection.execute(sql, values).fetchall()


class Transaction(Snapshot):
    """Reads and writes that happen together or not at all."""

    def run(self, query: str, **values: Any) -> int:
        """Carry out a named statement; returns the new row's number where it makes one."""
        with _translated():
            return self._connection.execute(queries()[query], values).lastrowid or 0

    def run_many(self, query: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Carry out a named statement for each row of values."""
        with _translated():
            self._connection.executemany(queries()[query], rows)


class SqliteStore:
    """A store in one file, or in memory with `path=None`.

    Raises NotAStoreError, NewerFormatError, ReadOnlyError or StoreError when the file cannot be used; it is never
    changed in that case.
    """

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path = path
        self._closed = False
        self._immutable = False
        self._writing = threading.RLock()
        if path is None:
            self.read_only = False
            self._reset()
            self._writer = self._connect(":memory:")
            _upgrade(self._writer, None)
            return
        _refuse_network(path)
        exists = path.exists() and path.stat().st_size > 0
        self.read_only = read_only or (exists and not os.access(path, os.W_OK)) or _on_read_only_disk(path)
        if not exists:
            if self.read_only:
                raise StoreError(errno.ENOENT, f"there is no store at '{path}' to read")
            _create(path)
        else:
            _inspect(path)
        self._queue = WriterQueue(path.with_name(path.name + "-queue"))
        self._reset()
        if self.read_only:
            self._open_reader_once()
        else:
            self._open_writer()

    # -- transactions

    @contextlib.contextmanager
    def read(self) -> Generator[Snapshot]:
        """A snapshot. Blocks nobody and is blocked by nobody (in memory: by a writer of this process)."""
        self._enter()
        if self.path is None:
            with self._writing:
                yield Snapshot(self._writer_or_raise())
            return
        connection = self._borrow()
        try:
            with _translated():
                connection.execute("BEGIN")
            yield Snapshot(connection)
        finally:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            self._give_back(connection)

    @contextlib.contextmanager
    def write(self) -> Generator[Transaction]:
        """A transaction, in turn. On success it is on the disk when the block has ended; on an error nothing is."""
        self._enter()
        if self.read_only:
            raise ReadOnlyError(errno.EROFS, f"'{self.path}' can only be read; reading works, this write was not made")
        with self._writing, self._turn():
            connection = self._writer_or_raise()
            with _translated():
                connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
                with _translated():
                    connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def purge(self) -> str | None:
        """After an erasure: move the log into the file and empty it, so that no old page is left.

        Returns None when it is done, else which reader still holds the old pages.
        """
        if self.path is None:
            return None
        with self._writing, self._turn():
            connection = self._writer_or_raise()
            deadline = time.monotonic() + 2.0
            while True:
                with _translated():
                    busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                if not busy:
                    return None
                if time.monotonic() > deadline:
                    return _readers(self.path)
                time.sleep(0.02)

    def size(self) -> int:
        """Bytes on the disk (or in memory), the log included."""
        if self.path is None:
            connection = self._writer_or_raise()
            return connection.execute("PRAGMA page_count").fetchone()[0] * 4096
        return sum(
            p.stat().st_size for end in ("", "-wal") if (p := self.path.with_name(self.path.name + end)).exists()
        )

    def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._pid == os.getpid():
            with self._pool_lock:
                for connection in self._pool:
                    connection.close()
                self._pool.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    # -- connections

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._pool: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._writing = threading.RLock()
        self._writer: sqlite3.Connection | None = None

    def _enter(self) -> None:
        """Refuse use after close; open anew after a fork."""
        if self._closed:
            raise ClosedError(errno.EBADF, "this memory is closed: open it again with Memory(…)")
        if self._pid != os.getpid():
            if self.path is None:
                raise StoreError(
                    errno.EBADF, "a memory in RAM stays with the process that made it; use a file to share"
                )
            _graveyard.extend([*self._pool, *([self._writer] if self._writer else [])])
            self._reset()

    @contextlib.contextmanager
    def _turn(self) -> Generator[None]:
        if self.path is None:
            yield
            return
        with self._queue.turn():
            yield

    def _writer_or_raise(self) -> sqlite3.Connection:
        if self._writer is None:
            if self.path is None:
                raise ClosedError(errno.EBADF, "this memory is closed: open it again with Memory(…)")
            self._writer = self._connect(self._uri())
            _prepare(self._writer)
        return self._writer

    def _open_writer(self) -> None:
        with self._writing, self._turn(), _translated(self.path):
            writer = self._writer_or_raise()
            _upgrade(writer, self.path)

    def _open_reader_once(self) -> None:
        try:
            connection = self._connect(self._uri())
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A write-ahead log needs a shared-memory file beside it. Where none can be made and no log is left, the
            # file alone is complete, and nobody can be writing it.
            assert self.path is not None
            log = self.path.with_name(self.path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise ReadOnlyError(
                    errno.EROFS,
                    f"'{self.path}' has an unfinished log and its folder cannot be written: open it once where it can",
                ) from None
            self._immutable = True
            connection = self._connect(self._uri())
        with _translated(self.path):
            _check_format(connection, self.path)
        self._give_back(connection)

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
        with self._pool_lock:
            if self._pool:
                return self._pool.pop()
        with _translated(self.path):
            connection = self._connect(self._uri())
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or self._pid != os.getpid():
            connection.close()
            return
        with self._pool_lock:
            self._pool.append(connection)


# -- opening a file


def _create(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(errno.ENOENT, f"the folder of '{path}' does not exist: create it first")
    with _translated(path), contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _inspect(path: Path) -> None:
    """Refuse what is not a whole SQLite file, before SQLite touches it."""
    if not path.is_file():
        raise NotAStoreError(errno.EINVAL, f"'{path}' is not a file: pass the path of a store, such as 'agent.db'")
    with open(path, "rb") as file:
        header = file.read(100)
    if len(header) < 100 or header[:16] != b"SQLite format 3\0":
        raise NotAStoreError(errno.EINVAL, f"'{path}' is not a Mnemic store (no SQLite header); it was left untouched")
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    if path.stat().st_size < pages * page:
        raise NotAStoreError(
            errno.EIO,
            f"'{path}' is truncated: {path.stat().st_size:,} of {pages * page:,} bytes are there. "
            "Restore it from a copy; it was left untouched",
        )
    application = int.from_bytes(header[68:72], "big")
    version = int.from_bytes(header[60:64], "big")
    if application != APPLICATION_ID and (application or version or pages > 1):
        raise NotAStoreError(errno.EINVAL, f"'{path}' is another program's SQLite file; it was left untouched")


def _prepare(writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA synchronous = FULL")
    writer.execute("PRAGMA foreign_keys = ON")
    writer.execute("PRAGMA wal_autocheckpoint = 2000")


def _check_format(connection: sqlite3.Connection, path: Path | None) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    newest = steps()[-1][0]
    if version > newest:
        raise NewerFormatError(
            errno.EINVAL,
            f"'{path}' has format {version}; this release reads up to {newest}. Upgrade mnemic; "
            "the file was left untouched",
        )
    return version


def _upgrade(writer: sqlite3.Connection, path: Path | None) -> None:
    """Bring the format up to date: each step and its record in one transaction, after a copy of the old file."""
    version = _check_format(writer, path)
    if version == steps()[-1][0]:
        return
    if version and path is not None:
        _keep_copy(writer, path, version)
    for number, name, sql in steps():
        if number <= version:
            continue
        writer.execute("BEGIN EXCLUSIVE")
        try:
            current: int = writer.execute("PRAGMA user_version").fetchone()[0]
            if current >= number:  # another process was faster
                writer.execute("ROLLBACK")
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
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with contextlib.closing(sqlite3.connect(copy)) as target:
        writer.backup(target)


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


def _readers(path: Path) -> str:
    """Which processes hold the log's old pages: those with a read lock on the shared-memory file (Linux)."""
    others: set[int] = set()
    own = False
    try:
        status = path.with_name(path.name + "-shm").stat()
        wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if len(fields) >= 8 and fields[5] == wanted and fields[3] == "READ" and 123 <= int(fields[6]) < 128:
                own |= int(fields[4]) == os.getpid()
                others |= {int(fields[4])} - {os.getpid()}
    except (OSError, ValueError):
        pass
    if others:
        return "process " + ", ".join(map(str, sorted(others)))
    return "a read under way in this process" if own else "another reader"


# -- errors


@contextlib.contextmanager
def _translated(path: Path | None = None) -> Generator[None]:
    """SQLite's errors in our words."""
    where = f"'{path}'" if path else "the store"
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "disk is full" in text:
            raise DiskFullError(
                errno.ENOSPC, f"the disk of {where} is full; nothing of this call was written"
            ) from error
        if "readonly" in text or "read-only" in text:
            raise ReadOnlyError(errno.EROFS, f"{where} can only be read; this write was not made") from error
        if "locked" in text or "busy" in text:
            raise StoreError(
                errno.EBUSY, f"{where} was held by another program for {WAIT_SECONDS:.0f} s; try again"
            ) from error
        raise StoreError(errno.EIO, f"{where}: {text}") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise
        raise NotAStoreError(
            errno.EIO, f"{where} is damaged or not a Mnemic store ({error}); restore it from a copy"
        ) from error
