"""The keys of a server, in a small file of their own beside the store: `agent.db` has `agent.db-keys`.

Of their own, so that no copy, export or backup of what is remembered carries what opens it, and so that a key can be
revoked while the store is busy or cannot be written. Only a hash is kept: SHA-256 once, for a secret is 256 bits that
the system drew, and no dictionary has those; a slow hash would only slow down each request.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from mnemic.errors import InputError, NotFoundError, StoreError
from mnemic.serve.grants import OWNER, Grant
from mnemic.serve.verbs import ROLES, Role
from mnemic.types import ANY

PREFIX = "mnemic"
"""What a key begins with, so that a scanner for leaked secrets knows one."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a key was last used: not each request is worth a write."""
WAIT = 10.0
"""Seconds that a change waits for another."""
WAIT_TO_READ = 1.0
"""Seconds that a request waits for a change."""

_FORMAT = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    allows TEXT NOT NULL,                 -- JSON: role, tenant, projects, users; "*" for any, in a list of its own
    hash BLOB NOT NULL,                   -- SHA-256 of the secret
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT,
    old_hash BLOB,                        -- of the secret before it was rotated …
    old_until TEXT                        -- … which still holds until then
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without its secret."""

    id: str
    name: str
    grant: Grant
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class Keys:
    """The keys in a file, for all processes that serve the store. Each call stands alone; threads may share one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._known: dict[str, sqlite3.Row] = {}
        self._stamp: tuple[int, ...] | None = None
        self._settled = False

    def add(self, name: str, grant: Grant) -> tuple[Key, str]:
        """A new key, and the only sight of its secret. Raises InputError where a key in force has that name."""
        if not name.strip() or not name.isprintable() or len(name) > 100:
            raise InputError(f"a key needs a name of 1 to 100 printable characters (got {name[:40]!r})")
        id_, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), _now()
        with self._change() as file:
            if file.execute("SELECT 1 FROM keys WHERE name = ? AND revoked_at IS NULL", (name,)).fetchone():
                raise InputError(f"there is a key {name!r} already: rotate or revoke it, or take another name")
            file.execute(
                "INSERT INTO keys (id, name, allows, hash, created_at) VALUES (?, ?, ?, ?, ?)",
                (id_, name, _written(grant), _hash(secret), now.isoformat()),
            )
        return Key(id_, name, grant, now), f"{PREFIX}_{id_}_{secret}"

    def list(self) -> tuple[Key, ...]:
        """All keys, revoked ones too, oldest first."""
        return tuple(sorted((_key(row) for row in self._rows().values()), key=lambda key: key.created_at))

    def rotate(self, named: str, *, grace: timedelta = timedelta()) -> tuple[Key, str]:
        """A new secret for a key (its id, or its name); the old one holds for the `grace`. Raises NotFoundError."""
        secret = secrets.token_urlsafe(32)
        with self._change() as file:
            row = _in_force(file, named)
            until = (_now() + grace).isoformat() if grace else None
            file.execute(
                "UPDATE keys SET hash = ?, old_hash = ?, old_until = ? WHERE id = ?",
                (_hash(secret), row["hash"] if until else None, until, row["id"]),
            )
        return _key(row), f"{PREFIX}_{row['id']}_{secret}"

    def revoke(self, named: str) -> Key:
        """A key (its id, or its name) holds no longer, from its next request on. Raises NotFoundError."""
        with self._change() as file:
            row = _in_force(file, named)
            now = _now()
            file.execute(
                "UPDATE keys SET revoked_at = ?, old_hash = NULL, old_until = NULL WHERE id = ?",
                (now.isoformat(), row["id"]),
            )
        key = _key(row)
        return Key(key.id, key.name, key.grant, key.created_at, key.last_used_at, now)

    def are_needed(self) -> bool:
        """Whether there is a key at all: from the first on, every request needs one; also when all are revoked."""
        return bool(self._rows())

    def is_in_force(self, key: Key) -> bool:
        """Whether a key has not been revoked since."""
        row = self._rows().get(key.id)
        return row is not None and row["revoked_at"] is None

    def holder(self, token: str) -> Key | None:
        """The key that a token is, if it is one in force."""
        prefix, _, rest = token.partition("_")
        id_, _, secret = rest.partition("_")
        row = self._rows().get(id_)
        # Compared with something in any case, so that the time tells nothing of which ids there are.
        given = _hash(secret)
        right = hmac.compare_digest(given, row["hash"] if row is not None else b"\0" * len(given))
        if row is None or prefix != PREFIX or row["revoked_at"] is not None:
            return None
        if not right:
            if row["old_hash"] is None or _now() > datetime.fromisoformat(row["old_until"]):
                return None
            if not hmac.compare_digest(given, row["old_hash"]):
                return None
        return _key(row)

    def use(self, key: Key) -> None:
        """Keep that a key was used now; not where that cannot be written just now."""
        with contextlib.suppress(StoreError), self._change(wait=0.1) as file:
            file.execute("UPDATE keys SET last_used_at = ? WHERE id = ?", (_now().isoformat(), key.id))

    # -- the file

    def _rows(self) -> dict[str, sqlite3.Row]:
        """The rows of the file as it is now: read again where it has been changed since."""
        stamp = _stamp(self.path)
        with self._lock:
            if stamp != self._stamp or not self._settled:
                self._settled = _is_settled(stamp)
                self._known = self._read() if stamp else {}
                self._stamp = stamp
            return self._known

    def _read(self) -> dict[str, sqlite3.Row]:
        with _translated(self.path), contextlib.closing(self._open("ro", WAIT_TO_READ)) as file:
            return {row["id"]: row for row in file.execute("SELECT * FROM keys")}

    @contextlib.contextmanager
    def _change(self, wait: float = WAIT) -> Generator[sqlite3.Connection]:
        """A transaction on the file, which is made where there is none."""
        with _translated(self.path):
            if not self.path.exists():
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with contextlib.closing(self._open("rw", wait)) as file:
                file.execute("BEGIN IMMEDIATE")
                file.execute(_FORMAT)
                yield file
                file.execute("COMMIT")
        with self._lock:
            self._settled = False

    def _open(self, mode: str, wait: float) -> sqlite3.Connection:
        file = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=wait, isolation_level=None
        )
        file.row_factory = sqlite3.Row
        file.execute("PRAGMA secure_delete = ON")
        return file


def is_to_be_noted(key: Key) -> bool:
    """Whether it has to be kept that this key is used just now."""
    return key.last_used_at is None or _now() - key.last_used_at > SEEN_EVERY


def beside(store: Path) -> Path:
    """Where the keys of a store are."""
    return store.with_name(store.name + "-keys")


def grant_of(role: Role, scope: Mapping[str, Any], any_: Mapping[str, Any]) -> Grant:
    """A grant in the words of the command line. Raises InputError for one that reaches nobody, or is ambiguous."""
    walls: dict[str, Any] = {"tenant": None, "projects": (), "users": ()}
    for wall, part, flag in (
        ("tenant", "tenant_id", "any_tenant"),
        ("projects", "project_id", "any_project"),
        ("users", "user_id", "any_user"),
    ):
        value = scope.get(part)
        if any_.get(flag) and value is not None:
            raise InputError(f"--{flag.replace('_', '-')} and a {part.removesuffix('_id')} contradict each other")
        if any_.get(flag):
            walls[wall] = ANY
        elif value is not None:
            walls[wall] = value if wall == "tenant" else (value,) if isinstance(value, str) else tuple(value)
    if role == "owner":
        if any(walls.values()):
            raise InputError("an owner's key is for the whole file: leave out users, projects and tenants")
        return OWNER
    if not any(walls.values()):
        raise InputError("this key would reach nobody's memories: name --user, --project, --tenant or --any-user")
    return Grant(role, **walls)


def line(key: Key) -> str:
    """A key in one line, for people."""
    used = "never used" if key.last_used_at is None else f"used {key.last_used_at:%Y-%m-%d %H:%M}"
    state = used if key.revoked_at is None else f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
    return f"{key.id}  {key.created_at:%Y-%m-%d}  {key.name}  {key.grant}  {state}"


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes with a file; None where there is none. Not by opening it: to close it would drop SQLite's locks."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(error.errno, f"the keys in '{path}' cannot be read: {error.strerror}") from error
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _is_settled(stamp: tuple[int, ...] | None) -> bool:
    """Whether a change after this one has another time: clocks of files tick some milliseconds apart."""
    return stamp is None or abs(time.time_ns() - stamp[2]) > 1_000_000_000


@contextlib.contextmanager
def _translated(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(errno.EIO, f"the keys in '{path}' cannot be used: {error}") from error
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(error.errno, f"the keys in '{path}' cannot be used: {error.strerror}") from error


def _in_force(file: sqlite3.Connection, named: str) -> sqlite3.Row:
    row = file.execute("SELECT * FROM keys WHERE (id = ?1 OR name = ?1) AND revoked_at IS NULL", (named,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no key {named!r} in force: 'mnemic keys list' shows them")
    return row


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _now() -> datetime:
    return datetime.now(UTC)


def _written(grant: Grant) -> str:
    parts = {"tenant": grant.tenant, "projects": grant.projects, "users": grant.users}
    any_ = sorted(name for name, value in parts.items() if value is ANY)
    return json.dumps({"role": grant.role, **{n: v for n, v in parts.items() if n not in any_}, "any": any_})


def _key(row: sqlite3.Row) -> Key:
    told = cast("dict[str, Any]", json.loads(row["allows"]))
    any_ = told["any"]
    grant = Grant(
        next(role for role in ROLES if role == told["role"]),
        ANY if "tenant" in any_ else told["tenant"],
        ANY if "projects" in any_ else tuple(told["projects"]),
        ANY if "users" in any_ else tuple(told["users"]),
    )
    used, revoked = (row[name] and datetime.fromisoformat(row[name]) for name in ("last_used_at", "revoked_at"))
    return Key(row["id"], row["name"], grant, datetime.fromisoformat(row["created_at"]), used, revoked)
