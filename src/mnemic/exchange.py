"""The whole of a scope at once: what an erasure reaches, export, import, and making the index anew."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from mnemic import postings
from mnemic.analysis import Writing
from mnemic.errors import ConflictError, InputError, NotFoundError, ScopeError
from mnemic.postings import Document
from mnemic.scope import NONE, Reach
from mnemic.stores.sqlite import Row, Snapshot, SqliteStore, Transaction
from mnemic.times import moment
from mnemic.types import Any_, Entry, Receipt
from mnemic.write import (
    Values,
    add_segment,
    append_documents,
    log,
    new_receipt_id,
    payload_hash,
    seen,
    stamp_for,
    wall_for,
    wanted,
    whole_messages,
    with_dependents,
    writing_of,
)

Analyse = Callable[[Sequence[Writing]], list[Document]]
FORMAT = 1
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
        rows = whole_messages(tx, wanted(tx, request.ids, walls, reach, acts=True))
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


def export_lines(store: SqliteStore, reach: Reach, *, everything: bool) -> Iterator[str]:
    """JSON Lines: a header; then, tenant by tenant, records (every revision), links, and the journal's steps.

    A record's `document` tells which of its revisions share one searchable text.
    """
    if not everything:
        require_owner(reach, "export()")
    return _exported(store, reach, everything)


def _exported(store: SqliteStore, reach: Reach, everything: bool) -> Iterator[str]:
    with store.read() as snapshot:
        walls = [
            wall
            for wall in snapshot.rows("all_walls")
            if everything or reach.owns(wall["tenant"], wall["project"], wall["user"])
        ]
        yield _line({"mnemic": "export", "format": FORMAT})
        held: dict[int, set[str]] = {}
        for wall in walls:
            names = {name: wall[name] for name in ("tenant", "project", "user")}
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
                if row["id"] not in held.get(row["wall"], ()):
                    continue
                if row["receipt"] != told:
                    told = row["receipt"]
                    receipt = cast("Row", snapshot.row("receipt", id=told))
                    fields = ("id", "tenant", "verb", "at", "actor", "undoes", "details")
                    yield _line({"receipt": {name: receipt[name] for name in fields}})
                yield _line({"step": {name: row[name] for name in ("action", "id", "revision")}})


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines to a file that appears only when it is whole (mode 0600). Returns their number."""
    folder = path.parent
    if not folder.is_dir():
        raise NotFoundError(f"the folder of '{path}' does not exist: create it first")
    number = 0
    handle, temporary = tempfile.mkstemp(prefix=path.name, dir=folder)
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
    return number


# -- import


@dataclass(slots=True)
class _Tenant:
    """What an export holds of one tenant."""

    records: list[Values]
    links: list[Values]
    steps: list[tuple[Values, list[Values]]]
    """Receipts and what each did, in order."""


def import_lines(
    store: SqliteStore,
    source: str | Path | Iterable[str],
    reach: Reach | None,
    analyse: Analyse,
    space: str | None,
    actor: str | None,
    now: Callable[[], int],
) -> Receipt:
    """Take over an export, all of it or nothing. Records that are there already (by id) are left as they are."""
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise NotFoundError(f"there is no file '{path}' to import")
        with open(path, encoding="utf-8") as file:
            tenants = _parsed(file, reach)
    else:
        tenants = _parsed(source, reach)
    texts = {
        (record["tenant"], record["project"], record["user"], record["document"]): writing_of(record)
        for tenant in tenants.values()
        for record in tenant.records
        if record["document"] is not None
    }
    documents = dict(zip(texts, _analysed(list(texts.values()), analyse), strict=True))
    receipts: list[Receipt] = []
    with store.write() as tx:
        for name, tenant in tenants.items():
            receipts.append(_take_over(tx, name, tenant, documents, space, actor, now()))
    return together(receipts, "import", actor, now())


def _analysed(writings: Sequence[Writing], analyse: Analyse) -> list[Document]:
    return [
        document for start in range(0, len(writings), BATCH) for document in analyse(writings[start : start + BATCH])
    ]


def _parsed(lines: Iterable[str], reach: Reach | None) -> dict[str, _Tenant]:
    tenants: dict[str, _Tenant] = {}
    step_of: list[Values] | None = None
    header = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
            kind, fields = next(iter(value.items()))
            if not header:
                if kind != "mnemic":
                    raise InputError('the first line of an export is its header, {"mnemic": "export", …}')
                if value.get("format", 0) > FORMAT:
                    raise InputError(f"the export has format {value['format']}; this release reads up to {FORMAT}")
                header = True
            elif kind == "record":
                if reach is not None and not reach.sees(fields["tenant"], fields["project"], fields["user"]):
                    raise ScopeError(
                        f"this record belongs to tenant={fields['tenant']!r} project={fields['project']!r} "
                        f"user={fields['user']!r}, outside the scope of this call ({reach})"
                    )
                _tenant(tenants, fields["tenant"]).records.append({**fields, "id": str(fields["id"])})
            elif kind == "link":
                _tenant(tenants, fields["tenant"]).links.append(fields)
            elif kind == "receipt":
                step_of = []
                _tenant(tenants, fields["tenant"]).steps.append((fields, step_of))
            elif kind == "step" and step_of is not None:
                step_of.append(fields)
            else:
                raise InputError(f"a line of kind {kind!r} is not known here")
        except InputError as error:
            raise type(error)(f"line {number}: {error}; nothing was imported") from None
        except (ValueError, AttributeError, KeyError, TypeError, StopIteration) as error:
            raise InputError(
                f"line {number} is not a line of an export ({type(error).__name__}: {error}); nothing was imported"
            ) from None
    if not header:
        raise InputError("this is no export: it has no header line")
    return tenants


def _tenant(tenants: dict[str, _Tenant], name: str) -> _Tenant:
    return tenants.setdefault(name, _Tenant([], [], []))


def _take_over(
    tx: Transaction,
    name: str,
    tenant: _Tenant,
    documents: Mapping[tuple[str, str, str, int], Document],
    space: str | None,
    actor: str | None,
    now: int,
) -> Receipt:
    ids = list(dict.fromkeys(record["id"] for record in tenant.records))
    there = {row["id"] for row in tx.rows("latest_of", ids=json.dumps(ids))}
    fresh = [record for record in tenant.records if record["id"] not in there]
    by_revision: dict[tuple[str, int], Values] = {}
    numbers: dict[tuple[str, str, str, int], int] = {}
    per_wall: dict[int, list[Document]] = {}
    starts: dict[int, int] = {}
    for record in fresh:
        wall = wall_for(tx, name, record["project"], record["user"])
        if wall.number not in starts:
            row = cast("Row", tx.row("wall_by_number", wall=wall.number))
            starts[wall.number], per_wall[wall.number] = row["size"], []
        number = None
        if record["document"] is not None:
            handle = (name, record["project"], record["user"], record["document"])
            if handle not in numbers:
                numbers[handle] = starts[wall.number] + len(per_wall[wall.number])
                per_wall[wall.number].append(documents[handle])
            number = numbers[handle]
        values = {**record, "wall": wall.number, "num": number, "salt": os.urandom(16)}
        if values["key"] is not None and values["retired_at"] is None and values["superseded_by"] is None:
            holder = tx.row("current_by_key", wall=wall.number, key=values["key"])
            if holder is not None and not values["quarantined"]:
                raise ConflictError(
                    f"the key {values['key']!r} of the imported '{values['id']}' belongs to '{holder['id']}' here; "
                    "nothing was imported"
                )
        try:
            tx.run("add_record", **values)
        except KeyError as error:
            raise InputError(f"the record '{values['id']}' has no field {error}; nothing was imported") from None
        by_revision[record["id"], record["revision"]] = values
    for wall, pending in per_wall.items():
        if pending:
            tx.run("grow_wall", wall=wall, more=len(pending))
            append_documents(tx, wall, starts[wall], pending, space)
    for link in tenant.links:
        if link["source_id"] not in there:
            wall = wall_for(tx, name, link["project"], link["user"])
            tx.run("add_link", **{**link, "wall": wall.number})
    _retell(tx, name, tenant, by_revision)
    stamp = stamp_for(tx, name, max([now, *(record["recorded_at"] for record in fresh)]), actor, space)
    latest: dict[str, Values] = {}
    for (id_, _), values in by_revision.items():
        latest[id_] = values
    if latest:
        log(tx, name, "import", [("imported", values, None) for values in latest.values()], stamp)
    entries = [
        Entry(id_, "ignored", "already held")
        if id_ in there
        else Entry(id_, "added", "imported", latest[id_]["revision"])
        for id_ in ids
    ]
    return Receipt(stamp.receipt, "import", moment(stamp.at), tuple(entries), actor)


def _retell(tx: Transaction, name: str, tenant: _Tenant, by_revision: Mapping[tuple[str, int], Values]) -> None:
    """Write the imported steps into this store's chain, under the receipts that they had."""
    for receipt, steps in tenant.steps:
        told = [
            (step["action"], values, payload_hash(values["salt"], values))
            for step in steps
            if (values := by_revision.get((step["id"], step["revision"]))) is not None
        ]
        if told and tx.row("receipt", id=receipt["id"]) is None:
            end = stamp_for(tx, name, 0, receipt["actor"], None, receipt["id"])
            stamp = replace(end, at=receipt["at"])
            details = json.loads(receipt["details"]) if receipt["details"] else None
            log(tx, name, receipt["verb"], told, stamp, undoes=receipt["undoes"], details=details)


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
    if reach is not None:
        require_owner(reach, "rebuild()")
    with store.read() as snapshot:
        walls = [
            row
            for row in snapshot.rows("all_walls")
            if reach is None or reach.owns(row["tenant"], row["project"], row["user"])
        ]
    total = sum(_rebuild_wall(store, row["wall"], analyse, space) for row in walls)
    note = f"{total} documents in {len(walls)} walls were indexed with {space or 'words alone'}"
    at = now()
    return Receipt(new_receipt_id(at), "rebuild", moment(at), (), actor, notes=(note,))


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
