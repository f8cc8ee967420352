"""What the journal and the revisions tell: history, differences, counts, and whether the chain is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mnemic.commit import chain_hash, payload_hash
from mnemic.errors import NotFoundError
from mnemic.fading import FADED, FADES
from mnemic.lookup import latest_of, seen, to_come
from mnemic.records import as_known, evidence_of, record_of, state_of
from mnemic.scope import Reach
from mnemic.stores.sqlite import Row, Snapshot, steps
from mnemic.times import micros, moment
from mnemic.types import Change, Diff, Record, Stats, Step, Touched


def history(snapshot: Snapshot, id_: str, reach: Reach, now: int) -> tuple[Change, ...]:
    """Every change of one record, oldest first."""
    walls = seen(snapshot, reach)
    revisions = snapshot.rows("revisions_of", id=id_)
    inside = bool(revisions) and revisions[-1]["wall"] in walls
    if not inside or not reach.stamped(revisions[-1]["agent"], revisions[-1]["session"]):
        raise NotFoundError(f"there is no record '{id_}' in this scope")
    named = {row[name] for row in revisions for name in ("opened_by", "closed_by", "erased_by") if row[name]}
    receipts = {row["id"]: row for row in snapshot.rows("receipts_named", ids=json.dumps(sorted(named)))}
    evidence = evidence_of(snapshot, [revisions[-1]], walls).get(id_, ())
    changes: list[Change] = []
    for row, after in zip(revisions, [*revisions[1:], None], strict=True):
        opened = receipts.get(row["opened_by"])
        then = as_known(row, row["recorded_at"])  # as it came; that it was retired later is a change of its own
        record = None if row["erased_by"] else record_of(then, walls[row["wall"]], state_of(then, now), evidence)
        changes.append(_change(row, _action(row, opened), row["recorded_at"], row["opened_by"], opened, record))
        reopened = after is not None and after["opened_by"] == row["closed_by"]
        if row["closed_by"] and not reopened and row["closed_by"] != row["erased_by"]:
            closed = receipts.get(row["closed_by"])
            changes.append(_change(row, "retired", row["retired_at"], row["closed_by"], closed, record))
        if row["erased_by"] and (after is None or after["erased_by"] != row["erased_by"]):
            erased = receipts.get(row["erased_by"])
            at = erased["at"] if erased else row["retired_at"]
            changes.append(_change(row, "erased", at, row["erased_by"], erased, None))
    return tuple(sorted([*changes, *_fadings(snapshot, id_, changes)], key=lambda change: change.at))


def _fadings(snapshot: Snapshot, id_: str, changes: Sequence[Change]) -> Iterator[Change]:
    """The steps by which a record faded, and came back: they are in its links, and leave its revisions as they are."""
    links = snapshot.rows("links_to", ids=json.dumps([id_]), role=FADES)
    named = sorted({link[name] for link in links for name in ("opened_by", "closed_by") if link[name]})
    receipts = {row["id"]: row for row in snapshot.rows("receipts_named", ids=json.dumps(named))}
    steps: dict[tuple[str, str], list[Any]] = {}  # by what says so and the receipt: left before, left since, when
    for link in links:
        steps.setdefault((link["source_id"], link["opened_by"]), [1.0, 1.0, link["recorded_at"]])[1] = link["weight"]
        if link["closed_by"]:
            steps.setdefault((link["source_id"], link["closed_by"]), [1.0, 1.0, link["retired_at"]])[0] = link["weight"]
    for (_, receipt), (before, since, at) in steps.items():
        held = [change for change in changes if micros(change.at) <= at]
        if held:  # else it was imported without what came before
            made = receipts.get(receipt)
            actor = made["actor"] if made else None
            action = FADED if since < before else "restored"
            yield Change(id_, held[-1].revision, action, moment(at), actor, receipt, held[-1].record)


def _action(row: Row, receipt: Row | None) -> str:
    if row["revision"] == 1:
        return "quarantined" if row["quarantined"] else "added"
    verb = receipt["verb"] if receipt else "update"
    if verb == "undo":
        return "restored"
    if row["superseded_by"] is not None:
        return "superseded"
    return "added" if verb in ("add", "import") else "revised"


def _change(row: Row, action: str, at: int, receipt: str, made: Row | None, record: Record | None) -> Change:
    actor = made["actor"] if made else None
    return Change(row["id"], row["revision"], action, moment(at), actor, receipt, record, row["erased_by"] is not None)


def diff(snapshot: Snapshot, walls: Mapping[int, Row], reach: Reach, since: int, until: int) -> Diff:
    """What was held at `until` and not at `since`, and the other way round."""
    before: dict[str, Row] = {}
    after: dict[str, Row] = {}
    for wall in walls:
        for row in snapshot.rows("changed_between", wall=wall, since=since, until=until):
            if not reach.stamped(row["agent"], row["session"]):
                continue
            if row["recorded_at"] <= since and (row["retired_at"] is None or row["retired_at"] > since):
                before[row["id"]] = row
            if row["recorded_at"] <= until and (row["retired_at"] is None or row["retired_at"] > until):
                after[row["id"]] = row

    def shown(row: Row, at: int) -> Record:
        held = {**dict(row), "retired_at": None}  # at that time it was held
        return record_of(held, walls[row["wall"]], state_of(held, at))

    return Diff(
        moment(since),
        moment(until),
        tuple(shown(row, until) for id_, row in after.items() if id_ not in before),
        tuple(shown(row, since) for id_, row in before.items() if id_ not in after),
        tuple((shown(row, since), shown(after[id_], until)) for id_, row in before.items() if id_ in after),
    )


def steps_of(
    snapshot: Snapshot, reach: Reach, limit: int, after: str | None, *, newest_first: bool
) -> tuple[tuple[Step, ...], str | None]:
    """The calls that changed something in these walls, from behind one of them on, and that of the last where there are
    more. Raises NotFoundError for a receipt that is none of them.

    A place is told by its receipt and not by its number in the chain, which would tell how much others write.
    """
    walls = seen(snapshot, reach)
    numbers = json.dumps(list(walls))
    query, place = ("receipt_before", 2**63 - 1) if newest_first else ("receipt_behind", 0)
    if after is not None:
        receipt = snapshot.row("receipt", id=after)
        shown = receipt is not None and receipt["tenant"] == reach.tenant
        rows = _rows_of(snapshot, receipt) if receipt is not None and shown else []
        if receipt is None or not any(row["wall"] in walls for row in rows):
            raise NotFoundError(f"there is no receipt '{after}' in this scope that changed anything")
        place = receipt["first_seq"] if newest_first else receipt["last_seq"]
    found: list[Step] = []
    while len(found) <= limit:
        receipt = snapshot.row(query, tenant=reach.tenant, seq=place, walls=numbers)
        if receipt is None:
            break
        place = receipt["first_seq"] if newest_first else receipt["last_seq"]
        step = _step(snapshot, receipt, walls, reach)
        if step is not None:
            found.append(step)
    return tuple(found[:limit]), found[limit - 1].receipt if len(found) > limit else None


def _rows_of(snapshot: Snapshot, receipt: Row) -> list[Row]:
    first, last = receipt["first_seq"], receipt["last_seq"]
    return snapshot.rows("journal_of_receipt", tenant=receipt["tenant"], first=first, last=last)


def _step(snapshot: Snapshot, receipt: Row, walls: Mapping[int, Row], reach: Reach) -> Step | None:
    """What a receipt did behind these walls; None where all of it carries stamps that the reach leaves out."""
    rows = [row for row in _rows_of(snapshot, receipt) if row["wall"] in walls]
    latest = latest_of(snapshot, [row["id"] for row in rows])
    rows = [row for row in rows if reach.stamped(latest[row["id"]]["agent"], latest[row["id"]]["session"])]
    if not rows:
        return None
    shown = [row for row in rows if latest[row["id"]]["kind"] != "act"]
    touched = tuple(Touched(row["id"], row["revision"], row["action"]) for row in shown)
    return Step(receipt["id"], receipt["verb"], moment(receipt["at"]), receipt["actor"], touched)


def stats(snapshot: Snapshot, reach: Reach | None, now: int, size: int, space: str | None) -> Stats:
    """Counts over the walls that a reach sees, or over the whole file."""
    rows = snapshot.rows("all_walls") if reach is None else list(seen(snapshot, reach).values())
    numbers = json.dumps([row["wall"] for row in rows])
    kinds: dict[str, int] = {}
    states: dict[str, int] = dict.fromkeys(
        ("current", "superseded", "expired", "retired", "quarantined", "faded", "erased"), 0
    )
    earliest: int | None = None
    latest: int | None = None
    agent, session = (None, None) if reach is None else (reach.agent, reach.session)
    for row in snapshot.rows("counts", walls=numbers, now=now, agent=agent, session=session):
        states[row["state"]] += row["number"]
        if row["state"] == "current":
            kinds[row["kind"]] = kinds.get(row["kind"], 0) + row["number"]
            earliest = row["earliest"] if earliest is None else min(earliest, row["earliest"])
            latest = row["latest"] if latest is None else max(latest, row["latest"])
    journal = snapshot.row("journal_size", walls=numbers)
    return Stats(
        records=kinds,
        states=states,
        walls=len(rows),
        documents=sum(row["size"] for row in rows),
        journal=journal["size"] if journal else 0,
        bytes=size if reach is None else None,
        embedder=space,
        format=steps()[-1][0],
        earliest=None if earliest is None else moment(earliest),
        latest=None if latest is None else moment(latest),
    )


def times_to_come(snapshot: Snapshot, now: int) -> Iterator[str]:
    """The tenants whose last change is recorded at a time that is still to come: one line each."""
    for tenant in snapshot.rows("tenants"):
        head = snapshot.row("journal_head", tenant=tenant["tenant"])
        for said in to_come(head["at"], now) if head else ():
            yield f"tenant {tenant['tenant']!r}: the last change is {said}"


def broken_links(snapshot: Snapshot) -> Iterator[str]:
    """What does not fit in the chains of all tenants: one line each; nothing for a whole one."""
    for tenant in snapshot.rows("tenants"):
        previous, seq = b"", 0
        while rows := snapshot.rows("journal_from", tenant=tenant["tenant"], seq=seq, limit=10_000):
            for row in rows:
                fields: list[Any] = [row[name] for name in row.keys() if name != "hash"]  # noqa: SIM118
                if row["seq"] != seq + 1:
                    yield f"tenant {tenant['tenant']!r}: {row['seq'] - seq - 1} rows are missing after {seq}"
                if row["hash"] != chain_hash(previous, *fields):
                    yield f"tenant {tenant['tenant']!r}: row {row['seq']} was changed"
                previous, seq = row["hash"], row["seq"]
                if row["payload"] is not None:
                    yield from _payload_fault(snapshot, row)


def _payload_fault(snapshot: Snapshot, row: Row) -> Iterator[str]:
    for record in snapshot.rows("revisions_of", id=row["id"]):
        if record["revision"] == row["revision"] and record["salt"] is not None:
            if payload_hash(record["salt"], dict(record)) != row["payload"]:
                yield f"record '{row['id']}' revision {row['revision']} is not what was journaled"
            return
