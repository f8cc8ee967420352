"""A write that is made once, however often it is asked for: by a key that the caller chooses (an idempotency key).

The key is kept in the transaction of the write itself, so there is no instant at which the one is there and the other
is not; it holds for every process, and survives a restart. Asked again, the first call's receipt is given.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from mnemic.errors import ConflictError, InputError
from mnemic.memory import Memory, bound_of, store_of, with_store
from mnemic.plain import as_json, read
from mnemic.scope import Reach
from mnemic.stores.sqlite import Row, Snapshot, SqliteStore, Transaction
from mnemic.times import micros, moment
from mnemic.types import Any_, Entry, Receipt

KEPT: Final = timedelta(days=30)
"""How long a key is known at least."""
LONGEST: Final = 255
"""Characters of a key."""


def once(memory: Memory, key: str, request: bytes, work: Callable[[Memory], Receipt], *, whole: bool) -> Receipt:
    """Do some work on a memory, unless a call with this key did it before in its scope: then give that one's receipt.

    `request` tells one request from another: the same key with another one is refused. `work` gets the memory to use,
    and makes one write. `whole` says that the write is one transaction: then a call that was broken off behind it is
    done, and told from the journal; else (upkeep, rebuild) it is done again, which changes nothing that is done.
    Raises ConflictError for a key that was used for another request, InputError for one that cannot be.
    """
    if not key.isprintable() or not 0 < len(key.strip()) <= LONGEST:
        raise InputError(f"the idempotency key {key[:40]!r} cannot be: 1 to {LONGEST} printable characters")
    store, reach = store_of(memory), bound_of(memory)
    call = _Call(_hash(reach, key), reach.tenant, hashlib.sha256(request).hexdigest(), whole)
    with store.read() as snapshot:
        done = _done(snapshot, call)
    if done is not None:
        return done
    try:
        receipt = work(with_store(memory, cast("SqliteStore", _Store(store, call))))
    except _RepeatedError:  # another one was faster
        with store.read() as snapshot:
            done = _done(snapshot, call)
        assert done is not None, "its key is kept with its write"
        return done
    if not receipt.dry_run:
        with store.write() as tx:
            _keep(tx, call, receipt.id, micros(receipt.at), as_json(receipt))
    return receipt


@dataclass(slots=True)
class _Call:
    """One call: the hashes of its key and its request; and whether its key has been kept with its write."""

    key: str
    tenant: str
    request: str
    whole: bool
    kept: bool = False


class _RepeatedError(Exception):
    """The key was used meanwhile: the write is not made."""


class _Store:
    """A store whose first write keeps the key of a call, or is not made because the key is there."""

    def __init__(self, store: SqliteStore, call: _Call) -> None:
        self._store, self._call = store, call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextlib.contextmanager
    def write(self) -> Generator[Transaction]:
        """A transaction; the first one keeps the key. Raises _RepeatedError."""
        with self._store.write() as tx:
            call = self._call
            if call.kept or not call.whole:
                yield tx
                return
            if tx.row("call", key=call.key) is not None:
                raise _RepeatedError
            head = tx.row("journal_head", tenant=call.tenant)
            yield tx
            written = tx.rows("journal_from", tenant=call.tenant, seq=head["seq"] if head else 0, limit=1)
            if written:
                _keep(tx, call, written[0]["receipt"], written[0]["at"], None)
        call.kept = call.kept or bool(written)


def _keep(tx: Transaction, call: _Call, receipt: str, at: int, answer: str | None) -> None:
    tx.run("drop_old_calls", before=at - KEPT // timedelta(microseconds=1))
    tx.run("keep_call", key=call.key, tenant=call.tenant, at=at, receipt=receipt, request=call.request, answer=answer)


def _done(snapshot: Snapshot, call: _Call) -> Receipt | None:
    """What a call with this key did; None where there was none. Raises ConflictError for another request."""
    row = snapshot.row("call", key=call.key)
    if row is None:
        return None
    if row["request"] not in (None, call.request):
        raise ConflictError(
            "this idempotency key was used for another request: pass a new key for a new one", [row["receipt"]]
        )
    return _told(snapshot, row) if row["answer"] is None else read(Receipt, json.loads(row["answer"]))


def _told(snapshot: Snapshot, call: Row) -> Receipt | None:
    """A receipt as the journal has it: of a call broken off behind its write, or whose answer an erasure took along.

    None where it changed nothing: it is done again, and changes nothing again.
    """
    receipt = snapshot.row("receipt", id=call["receipt"])
    if receipt is None:
        return None
    first, last = receipt["first_seq"], receipt["last_seq"]
    rows = snapshot.rows("journal_of_receipt", tenant=receipt["tenant"], first=first, last=last)
    entries = tuple(
        Entry(row["id"], ACTIONS.get(row["action"], row["action"]), revision=row["revision"])
        for row in rows
        if row["action"] != "act"
    )
    notes = ("this was done before: the journal tells what; what followed from it is left out",)
    return Receipt(receipt["id"], receipt["verb"], moment(receipt["at"]), entries, receipt["actor"], notes=notes)


ACTIONS: Final[Mapping[str, Any]] = {"imported": "added", "regained": "restored"}
"""The journal's words, as a receipt has them."""


def _hash(reach: Reach, key: str) -> str:
    """What a key is known by: within the walls of its call, so that equal keys of others are other keys."""
    projects = "*" if isinstance(reach.projects, Any_) else sorted(reach.projects)
    walls = json.dumps([reach.tenant, projects, sorted(reach.users)])
    return hashlib.sha256(f"{walls}\n{key}".encode()).hexdigest()
