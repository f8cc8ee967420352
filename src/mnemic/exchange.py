"""The whole of a scope at once: what an erasure reaches, export, import, and making the index anew."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from mnemic import exported, postings, vault
from mnemic.analysis import Writing
from mnemic.changes import FILE, Stamp, Values, new_receipt_id, writing_of
from mnemic.commit import add_segment, append_documents, log, look_again, payload_hash
from mnemic.entities import set_by
from mnemic.erasure import with_dependents
from mnemic.errors import (
    ConflictError,
    DiskFullError,
    InputError,
    MnemicError,
    NotFoundError,
    ScopeError,
    StoreError,
)
from mnemic.exported import FORMAT, WALL, Told, wall_of
from mnemic.lookup import latest_of, seen, stamp_for, wall_for, wanted, whole_messages
from mnemic.postings import Document
from mnemic.scope import NONE, Reach
from mnemic.stores.sqlite import Row, Snapshot, SqliteStore, Transaction
from mnemic.times import moment
from mnemic.types import Any_, Entry, Receipt

Analyse = Callable[[Sequence[Writing]], list[Document]]
BATCH = 512

# -- what an erasure reaches


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller wants erased."""

    ids: tuple[str, ...]
    all_of: bool
    everything: bool
    reach: Reach

    def check(self) -> None:
        """Refuse what is ambiguous. Raises InputError, ScopeError."""
        if sum((bool(self.ids), self.all_of, self.everything)) != 1:
            raise InputError(
                "erase() takes one of: ids, all_of=True with a scope, or everything=True for the whole file"
            )
        if self.all_of:
            require_owner(self.reach, "erase(all_of=True)")


def require_owner(reach: Reach, what: str) -> None:
    """A verb over all of a scope must name whose it is. Raises ScopeError."""
    named = bool(reach.users) or isinstance(reach.projects, Any_) or bool(reach.projects) or reach.tenant != NONE
    if not named:
        raise ScopeError(f"{what} names nobody: pass user_id=…, project_id=… or tenant_id=…, or everything=True")


def to_erase(tx: Snapshot, request: Request) -> Iterator[tuple[str, dict[str, str], dict[str, int]]]:
    """What must go, tenant by tenant: (tenant, {id: reason}, {id: wall})."""
    reach = request.reach
    if request.ids:
        walls = seen(tx, reach)
        rows = whole_messages(tx, wanted(tx, request.ids, walls, reach, acts=True), ever=True)
        yield _reached(tx, reach.tenant, [row["id"] for row in rows])
        return
    by_tenant: dict[str, list[str]] = {}
    for wall in tx.rows("all_walls"):
        if request.everything or reach.owns(wall["tenant"], wall["project"], wall["user"]):
            found = tx.rows("ids_in_wall", wall=wall["wall"], session=reach.session, agent=reach.agent)
            by_tenant.setdefault(wall["tenant"], []).extend(row["id"] for row in found)
    for tenant, ids in by_tenant.items():
        if ids:
            yield _reached(tx, tenant, ids)


def left_said(tx: Snapshot, erased: Sequence[str], walls: Iterable[int]) -> list[str]:
    """The episodes in these walls that records to be erased rest on and that are not erased with them."""
    links = tx.rows("links_from", ids=json.dumps(erased), role="derived_from")
    on = {link["target_id"] for link in links if link["retired_at"] is None} - set(erased)
    found = latest_of(tx, sorted(on))
    return [id_ for id_, row in found.items() if row["kind"] == "episode" and row["wall"] in set(walls)]


def _reached(tx: Snapshot, tenant: str, ids: Sequence[str]) -> tuple[str, dict[str, str], dict[str, int]]:
    reasons = with_dependents(tx, ids)
    walls = {row["id"]: row["wall"] for row in tx.rows("latest_of", ids=json.dumps(list(reasons)))}
    return tenant, reasons, walls


def kinds_of(tx: Snapshot, ids: Sequence[str]) -> dict[str, str]:
    """The kinds of records."""
    return {row["id"]: row["kind"] for row in tx.rows("latest_of", ids=json.dumps(list(ids)))}


def together(receipts: Sequence[Receipt], verb: str, actor: str | None, now: int) -> Receipt:
    """One receipt for what was done tenant by tenant."""
    if not receipts:
        return Receipt(new_receipt_id(now), verb, moment(now), (), actor)
    entries = tuple(entry for receipt in receipts for entry in receipt.entries)
    notes = tuple(note for receipt in receipts for note in receipt.notes)
    if len(receipts) > 1:
        notes += (f"one receipt per tenant: {', '.join(receipt.id for receipt in receipts)}",)
    return replace(receipts[0], entries=entries, notes=notes)


# -- export

_KEPT_OUT = ("row", "wall", "num", "salt")


def export_folder(store: SqliteStore, reach: Reach, folder: Path, *, everything: bool) -> int:
    """Write a scope (or the whole file) to a folder of Markdown: see `vault`. Returns the number of files."""
    if not everything:
        require_owner(reach, "export()")
    return vault.export(store, reach, folder, everything=everything)


class Lines(Iterator[str]):
    """The lines of an export, and the file that they come from (None: a store in memory)."""

    def __init__(self, lines: Iterator[str], origin: Path | None) -> None:
        self.origin = origin
        self._lines = lines

    def __next__(self) -> str:
        return next(self._lines)


def export_lines(store: SqliteStore, reach: Reach, *, everything: bool) -> Lines:
    """JSON Lines: a header; then, tenant by tenant, records (every revision), links, and the journal's steps.

    A record's `document` tells which of its revisions share one searchable text.
    """
    if not everything:
        require_owner(reach, "export()")
    return Lines(_exported(store, reach, everything), store.path)


def _exported(store: SqliteStore, reach: Reach, everything: bool) -> Iterator[str]:
    with store.read() as snapshot:
        lines = _lines(snapshot, reach, everything)
        if store.path is not None:
            yield from lines
            return
        kept = list(lines)  # reading from memory holds the one lock, which must not wait for whoever takes the lines
    yield from kept


def _lines(snapshot: Snapshot, reach: Reach, everything: bool) -> Iterator[str]:
    walls = [
        wall
        for wall in snapshot.rows("all_walls")
        if everything or reach.owns(wall["tenant"], wall["project"], wall["user"])
    ]
    yield _line({"mnemic": "export", "format": FORMAT})
    held: dict[int, set[str]] = {}
    for wall in walls:
        names = {name: wall[name] for name in WALL}
        ids = held[wall["wall"]] = set()
        for rows in snapshot.stream("rows_in_wall", wall=wall["wall"], session=reach.session, agent=reach.agent):
            for row in rows:
                ids.add(row["id"])
                values = {name: row[name] for name in row.keys() if name not in _KEPT_OUT}  # noqa: SIM118
                yield _line({"record": {**names, "document": row["num"], **values}})
        for row in snapshot.rows("links_in_wall", wall=wall["wall"]):
            if row["source_id"] in ids:
                link = {name: row[name] for name in row.keys() if name not in _KEPT_OUT}  # noqa: SIM118
                yield _line({"link": {**names, **link}})
    yield from _exported_journal(snapshot, {wall["tenant"] for wall in walls}, held)


def _exported_journal(snapshot: Snapshot, tenants: set[str], held: Mapping[int, set[str]]) -> Iterator[str]:
    for tenant in sorted(tenants):
        seq, told = 0, ""
        while rows := snapshot.rows("journal_from", tenant=tenant, seq=seq, limit=10_000):
            for row in rows:
                seq = row["seq"]
                if row["id"] not in held.get(row["wall"], ()) or row["action"] == "erased":
                    continue  # what was erased and derived again begins with what it is now
                if row["receipt"] != told:
                    told = row["receipt"]
                    receipt = cast("Row", snapshot.row("receipt", id=told))
                    fields = ("id", "tenant", "verb", "at", "actor", "undoes", "details")
                    yield _line({"receipt": {name: receipt[name] for name in fields}})
                yield _line({"step": {name: row[name] for name in ("action", "id", "revision")}})


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_lines(path: Path, lines: Lines) -> int:
    """Write lines to a file that appears only when it is whole (mode 0600). Returns their number.

    Raises InputError where that file belongs to the store itself, NotFoundError, StoreError.
    """
    number = 0
    try:
        _refuse_own(path, lines.origin)
        if path.is_dir():
            raise StoreError(
                errno.EISDIR, f"'{path}' is a folder: name a file in it, such as '{path / 'export.jsonl'}'"
            )
        if not path.parent.is_dir():
            raise NotFoundError(f"the folder of '{path}' does not exist: create it first")
        handle, temporary = tempfile.mkstemp(prefix=".mnemic-export-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                for line in lines:
                    file.write(line + "\n")
                    number += 1
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except MnemicError:
        raise
    except (OSError, ValueError) as error:
        if not isinstance(error, OSError):
            raise InputError(f"path={str(path)!r:.80} is no path ({error})") from None
        kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
        raise kind(error.errno or errno.EIO, f"'{path}' cannot be written: {error.strerror}") from error
    return number


def _refuse_own(path: Path, origin: Path | None) -> None:
    """Refuse to write over the store that is read: by its names, and by any other name of its files."""
    if origin is None:
        return
    for store in (origin, Path(os.path.realpath(origin))):
        for own in (store, *(store.with_name(store.name + end) for end in ("-wal", "-shm", "-journal", "-queue"))):
            if (
                path.absolute() == own.absolute()
                or os.path.realpath(path) == os.path.realpath(own)
                or _same_file(path, own)
            ):
                raise InputError(f"'{path}' belongs to the store that is exported: choose another file")


def _same_file(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


# -- import


def is_export(source: object, format: str | None) -> bool:
    """Whether a source is what `export` wrote, by the format that the caller names, else by its first line."""
    if not isinstance(source, str | Path):
        return True
    path = Path(source)
    if path.is_dir():
        return format in (None, "mnemic", "markdown") and vault.is_export(path)
    return format == "mnemic" if format is not None else path.is_file() and exported.has_header(path)


def own_lines(source: str | Path | Iterable[str], now: int) -> str | Path | Iterable[str]:
    """An export: its path, or its lines; of a folder of Markdown the lines that say the same."""
    if isinstance(source, str | Path) and Path(source).is_dir():
        return vault.lines(Path(source), now)
    return source


def would_import(
    store: SqliteStore,
    source: str | Path | Iterable[str],
    reach: Reach | None,
    actor: str | None,
    now: Callable[[], int],
) -> Receipt:
    """What `import_lines` would do: decided as it decides, and not written."""
    tenants = exported.read(source, reach, now())
    with store.read() as snapshot:
        told = [_Arrival(cast("Transaction", snapshot), name, one, reach).plan() for name, one in tenants.items()]
    entries = tuple(entry for some in told for entry in some)
    return Receipt(new_receipt_id(now()), "import", moment(now()), entries, actor, dry_run=True)


def import_lines(
    store: SqliteStore,
    source: str | Path | Iterable[str],
    reach: Reach | None,
    analyse: Analyse,
    space: str | None,
    actor: str | None,
    now: Callable[[], int],
) -> Receipt:
    """Take over an export, all of it or nothing. Records that are there already (by id) are left as they are.

    With a reach, everything must lie behind walls that it owns. Raises InputError, naming the line.
    """
    tenants = exported.read(source, reach, now())
    texts = {
        (*wall_of(record), record["document"]): writing_of(record)
        for told in tenants.values()
        for record in told.records
        if record["document"] is not None
    }
    documents = dict(zip(texts, _analysed(list(texts.values()), analyse), strict=True))
    receipts: list[Receipt] = []
    with store.write() as tx:
        for name, told in tenants.items():
            receipts.append(_Arrival(tx, name, told, reach).take_over(documents, space, actor, now()))
    return together(receipts, "import", actor, now())


def _analysed(writings: Sequence[Writing], analyse: Analyse) -> list[Document]:
    return [
        document for start in range(0, len(writings), BATCH) for document in analyse(writings[start : start + BATCH])
    ]


class _Arrival:
    """What an export tells of one tenant, on its way into the store."""

    def __init__(self, tx: Transaction, tenant: str, told: Told, reach: Reach | None) -> None:
        self._tx = tx
        self._tenant = tenant
        self._told = told
        self._reach = reach
        self._latest = {record["id"]: record for record in told.records}
        asked = [*self._latest, *(link["target_id"] for link in told.links)]
        self._walls = {row["wall"]: row for row in tx.rows("all_walls")}
        self._here = {row["id"]: dict(row) for row in tx.rows("latest_of", ids=json.dumps(list(dict.fromkeys(asked))))}
        self._check_ids()
        self._check_receipts()
        self._gone = self._resting_on_erased()
        self._fresh = [
            record for record in told.records if record["id"] not in self._here and record["id"] not in self._gone
        ]

    def take_over(
        self,
        documents: Mapping[tuple[str, str, str, int], Document],
        space: str | None,
        actor: str | None,
        now: int,
    ) -> Receipt:
        """Write it."""
        tx, name = self._tx, self._tenant
        last = stamp_for(tx, name, now, actor, space).at
        rows = self._add_records(documents, space)
        left_out = self._add_links()
        retold = self._retell(rows)
        times = [record[column] or 0 for record in self._fresh for column in ("recorded_at", "retired_at")]
        stamp = stamp_for(tx, name, max([last, *times]), actor, space)
        steps: list[tuple[str, Values, bytes | None]] = []
        for (id_, revision), values in rows.items():
            if (id_, revision) not in retold:
                steps.append(("imported", values, payload_hash(values["salt"], values)))
            elif revision == self._latest[id_]["revision"]:
                steps.append(("imported", values, None))
        again = self._restore(stamp)
        steps += again.values()
        if steps:
            log(tx, name, "import", steps, stamp)
        entries = [self._entry(id_, again) for id_, record in self._latest.items() if record["kind"] != "act"]
        notes = (f"{left_out} links lead to records that are neither here nor imported: left out",) if left_out else ()
        return Receipt(stamp.receipt, "import", moment(stamp.at), tuple(entries), actor, notes=notes)

    def plan(self) -> list[Entry]:
        """What would become of each record."""
        again: dict[str, tuple[str, Values, bytes | None]] = {
            id_: ("restored", {"revision": self._here[id_]["revision"] + 1}, None) for id_ in self._restorable()
        }
        return [self._entry(id_, again) for id_, record in self._latest.items() if record["kind"] != "act"]

    def _entry(self, id_: str, again: Mapping[str, tuple[str, Values, bytes | None]]) -> Entry:
        if id_ in again:
            return Entry(id_, "restored", "its undone import is made again", again[id_][1]["revision"])
        if id_ in self._gone:
            return Entry(id_, "ignored", self._gone[id_])
        if id_ in self._here:
            erased = self._here[id_]["erased_by"] is not None
            return Entry(id_, "ignored", "it was erased here" if erased else "already held")
        return Entry(id_, "added", "imported", self._latest[id_]["revision"])

    # -- what may come in

    def _check_ids(self) -> None:
        for id_, record in self._latest.items():
            if id_ in self._here and wall_of(self._walls[self._here[id_]["wall"]]) != wall_of(record):
                raise InputError(f"line {record['line']}: the id '{id_}' is not acceptable here; nothing was imported")

    def _check_receipts(self) -> None:
        """A receipt of this store may be named only by those whose records it changed."""
        told = self._told
        named: dict[str, int] = {}
        for values in (*told.records, *told.links):
            for name in ("opened_by", "closed_by"):
                if values[name] is not None:
                    named.setdefault(values[name], values["line"])
        for values, _ in told.receipts:
            named.setdefault(values["id"], values["line"])
        for receipt in self._tx.rows("receipts_named", ids=json.dumps(list(named))):
            if receipt["tenant"] != self._tenant or not self._took_part(receipt):
                raise InputError(
                    f"line {named[receipt['id']]}: the receipt '{receipt['id']}' is not acceptable here; "
                    "nothing was imported"
                )

    def _took_part(self, receipt: Row) -> bool:
        if self._reach is None:
            return True
        first, last = receipt["first_seq"], receipt["last_seq"]
        steps = self._tx.rows("journal_of_receipt", tenant=self._tenant, first=first, last=last)
        return any(self._reach.owns(*wall_of(self._walls[step["wall"]])) for step in steps)

    def _visible(self, wall: tuple[str, str, str], id_: str) -> bool:
        """Whether what lies behind a wall may rest on a record here: one behind the same wall, or a shared one."""
        row = self._here.get(id_)
        return row is not None and _sees(wall, wall_of(self._walls[row["wall"]]))

    def _resting_on_erased(self) -> dict[str, str]:
        """What must not come in, and why: what rests on something that was erased here, and the acts behind that."""
        resting: dict[str, list[Values]] = {}
        for link in self._told.links:
            if link["role"] == "derived_from":
                resting.setdefault(link["target_id"], []).append(link)
        erased = {id_ for id_, row in self._here.items() if row["erased_by"] is not None}
        gone: dict[str, str] = {}
        frontier = sorted(erased)
        while frontier:
            target = frontier.pop()
            for link in resting.get(target, ()):
                source = link["source_id"]
                if (
                    source in self._here
                    or source in gone
                    or (target in erased and not self._visible(wall_of(link), target))
                ):
                    continue
                gone[source] = f"it rests on '{target}', which was erased here"
                frontier.append(source)
        for id_, record in self._latest.items():
            outcomes = {link["source_id"] for link in resting.get(id_, ())}
            if record["kind"] == "act" and outcomes and outcomes <= gone.keys() | erased:
                gone[id_] = "all that it wrote was erased here"
        return gone

    # -- writing it

    def _add_records(
        self, documents: Mapping[tuple[str, str, str, int], Document], space: str | None
    ) -> dict[tuple[str, int], Values]:
        tx = self._tx
        rows: dict[tuple[str, int], Values] = {}
        numbers: dict[tuple[str, str, str, int], int] = {}
        pending: dict[int, list[Document]] = {}
        starts: dict[int, int] = {}
        before: dict[int, Values] = {}
        for record in self._fresh:
            wall = wall_for(tx, *wall_of(record)).number
            if wall not in starts:
                row = cast("Row", tx.row("wall_by_number", wall=wall))
                starts[wall], pending[wall] = row["size"], []
            number = None
            if record["document"] is not None:
                handle = (*wall_of(record), record["document"])
                if handle not in numbers:
                    _refuse_torn(record, before.get(wall))
                    before[wall] = record
                    numbers[handle] = starts[wall] + len(pending[wall])
                    pending[wall].append(documents[handle])
                number = numbers[handle]
            values = {**record, "wall": wall, "num": number, "salt": os.urandom(16)}
            self._refuse_taken_key(values)
            tx.run("add_record", **values)
            if values["kind"] == "episode" and number is not None:
                tx.run("add_pending", wall=wall, num=number)
            if values["kind"] == "act" and (names := set_by(values)):
                look_again(tx, wall, {*names, *names.values()})
            rows[record["id"], record["revision"]] = values
        for wall, more in pending.items():
            if more:
                tx.run("grow_wall", wall=wall, more=len(more))
                append_documents(tx, wall, starts[wall], more, space)
        return rows

    def _refuse_taken_key(self, values: Values) -> None:
        if values["key"] is None or values["quarantined"]:
            return
        if values["retired_at"] is not None or values["superseded_by"] is not None:
            return
        holder = self._tx.row("current_by_key", wall=values["wall"], key=values["key"])
        if holder is not None:
            raise ConflictError(
                f"the key {values['key']!r} of the imported '{values['id']}' belongs to '{holder['id']}' here; "
                "nothing was imported",
                [holder["opened_by"]],
            )

    def _add_links(self) -> int:
        """Draw the links of what came in. Returns how many lead nowhere that this wall may see."""
        left_out = 0
        fresh = {record["id"]: wall_of(record) for record in self._fresh}
        for link in self._told.links:
            source, target = link["source_id"], link["target_id"]
            if source not in fresh:
                continue
            if target in fresh:
                held = _sees(fresh[source], fresh[target])
            else:
                held = self._visible(fresh[source], target) and self._here[target]["erased_by"] is None
            if held:
                wall = wall_for(self._tx, *fresh[source])
                self._tx.run("add_link", **{**link, "wall": wall.number})
            else:
                left_out += 1
        return left_out

    def _retell(self, rows: Mapping[tuple[str, int], Values]) -> set[tuple[str, int]]:
        """Write the imported steps into this store's chain, under their own receipts. Returns what they tell."""
        tx, name = self._tx, self._tenant
        retold: set[tuple[str, int]] = set()
        for receipt, steps in self._told.receipts:
            told = [
                (step["action"], values, payload_hash(values["salt"], values))
                for step in steps
                if (values := rows.get((step["id"], step["revision"]))) is not None
            ]
            if told and tx.row("receipt", id=receipt["id"]) is None:
                end = stamp_for(tx, name, 0, receipt["actor"], None, receipt["id"])
                stamp = replace(end, at=receipt["at"])
                details = json.loads(receipt["details"]) if receipt["details"] else None
                log(tx, name, receipt["verb"], told, stamp, undoes=receipt["undoes"], details=details)
                retold |= {(values["id"], values["revision"]) for _, values, _ in told}
        return retold

    def _restore(self, stamp: Stamp) -> dict[str, tuple[str, Values, bytes | None]]:
        """What only the undo of an import took away comes back: a new revision each."""
        restored: dict[str, tuple[str, Values, bytes | None]] = {}
        for id_ in self._restorable():
            row = self._here[id_]
            salt = os.urandom(16)
            values: Values = {
                **row,
                "revision": row["revision"] + 1,
                "retired_at": None,
                "closed_by": None,
                "opened_by": stamp.receipt,
                "recorded_at": stamp.at,
                "salt": salt,
            }
            self._refuse_taken_key(values)
            self._tx.run("add_record", **values)
            self._tx.run("touch_wall", wall=values["wall"])
            restored[id_] = ("restored", values, payload_hash(salt, values))
        return restored

    def _restorable(self) -> list[str]:
        """What only the undo of an import took away."""
        return [
            id_
            for id_, record in self._latest.items()
            if (row := self._here.get(id_)) is not None and record["retired_at"] is None and self._undone_import(row)
        ]

    def _undone_import(self, row: Values) -> bool:
        if row["erased_by"] is not None or row["closed_by"] is None:
            return False
        closed = self._tx.row("receipt", id=row["closed_by"])
        undone = self._tx.row("receipt", id=closed["undoes"]) if closed is not None and closed["undoes"] else None
        return undone is not None and undone["verb"] == "import"


def _sees(wall: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Whether what lies behind a wall may lead to what lies behind another: the same one, or one shared with it."""
    return wall[0] == other[0] and other[1] in ("", wall[1]) and other[2] in ("", wall[2])


def _refuse_torn(record: Values, before: Values | None) -> None:
    """The passages of a message come together and in order, as they are kept; those of a file change one by one."""
    if not record["part"] or record["kind"] == FILE:
        return
    same = ("message_id", "agent", "session", "role", "speaker")
    if before is None or before["part"] != record["part"] - 1 or any(before[name] != record[name] for name in same):
        raise InputError(
            f"line {record['line']}: passage {record['part']} of a message does not follow the one before it; "
            "nothing was imported"
        )


# -- the index anew


def rebuild(
    store: SqliteStore,
    reach: Reach | None,
    analyse: Analyse,
    space: str | None,
    actor: str | None,
    now: Callable[[], int],
) -> Receipt:
    """Make segments anew from the records' texts, wall by wall; readers see the old ones until a wall is done."""
    walls = walls_of(store, reach, "rebuild()")
    total = sum(_rebuild_wall(store, row["wall"], analyse, space) for row in walls)
    note = f"{total} documents in {len(walls)} walls were indexed with {space or 'words alone'}"
    at = now()
    return Receipt(new_receipt_id(at), "rebuild", moment(at), (), actor, notes=(note,))


def walls_of(store: SqliteStore, reach: Reach | None, verb: str) -> list[Row]:
    """The walls that a reach owns; None: every wall. Raises ScopeError where it owns none."""
    if reach is not None:
        require_owner(reach, verb)
    with store.read() as snapshot:
        return [
            row
            for row in snapshot.rows("all_walls")
            if reach is None or reach.owns(row["tenant"], row["project"], row["user"])
        ]


def _rebuild_wall(store: SqliteStore, wall: int, analyse: Analyse, space: str | None) -> int:
    while True:
        with store.read() as snapshot:
            before = cast("Row", snapshot.row("wall_by_number", wall=wall))
            texts = _texts(snapshot, wall, 0, before["size"])
        documents = _documents(texts, 0, before["size"], analyse)
        with store.write() as tx:
            row = cast("Row", tx.row("wall_by_number", wall=wall))
            if row["epoch"] != before["epoch"]:
                continue  # something was erased meanwhile: read again, so that it does not come back
            if row["size"] > before["size"]:
                more = _texts(tx, wall, before["size"], row["size"])
                documents += _documents(more, before["size"], row["size"], analyse)
            for segment in tx.rows("segments_in", wall=wall, first=0):
                tx.run("drop_segment", wall=wall, first=segment["first"])
            step = postings.LARGEST // 2
            for start in range(0, len(documents), step):
                add_segment(tx, wall, postings.build(start, documents[start : start + step]), space)
            tx.run("raise_epoch", wall=wall)
            return len(documents)


def _texts(snapshot: Snapshot, wall: int, first: int, until: int) -> dict[int, Writing]:
    rows = snapshot.rows("texts_of_documents", wall=wall, first=first, until=until)
    return {row["num"]: writing_of(row) for row in rows}


def _documents(texts: Mapping[int, Writing], first: int, until: int, analyse: Analyse) -> list[Document]:
    made = dict(zip(texts, _analysed(list(texts.values()), analyse), strict=True))
    return [made.get(number, postings.EMPTY) for number in range(first, until)]
