"""Finding what a call is about: walls, records by id or key, receipts; nothing outside the scope is ever found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from mnemic.changes import FILE, Stamp, Values, Wall, new_receipt_id
from mnemic.errors import NotFoundError
from mnemic.records import state_of
from mnemic.scope import Reach
from mnemic.stores.sqlite import Row, Snapshot, Transaction
from mnemic.times import moment


def latest_of(tx: Snapshot, ids: Sequence[str]) -> dict[str, Values]:
    if not ids:
        return {}
    return {row["id"]: dict(row) for row in tx.rows("latest_of", ids=json.dumps(list(ids)))}


def wall_for(tx: Transaction, tenant: str, project: str, user: str) -> Wall:
    """The wall of these names, made if it is new."""
    row = tx.row("wall_named", tenant=tenant, project=project, user=user)
    if row is not None:
        return Wall(row["wall"], tenant, project, user)
    return Wall(tx.run("add_wall", tenant=tenant, project=project, user=user), tenant, project, user)


def seen(tx: Snapshot, reach: Reach) -> dict[int, Row]:
    """The rows of the walls that a reach sees, by number."""
    users = json.dumps(["", *sorted(reach.users)])
    rows = tx.rows("walls_of_users", tenant=reach.tenant, users=users)
    return {row["wall"]: row for row in rows if reach.sees(row["tenant"], row["project"], row["user"])}


def walls_within(tx: Snapshot, tenant: str, project: str) -> list[Row]:
    """The rows of every wall of a tenant's project, whoever's: for who answers for all of them."""
    return [row for row in tx.rows("all_walls") if row["tenant"] == tenant and row["project"] == project]


def home_of(tx: Snapshot, id: str) -> Row | None:
    """The row of the wall behind which a record lies, or lay before it was erased: for who answers for all of them."""
    found = latest_of(tx, [id]).get(id)
    return None if found is None else tx.row("wall_by_number", wall=found["wall"])


def wanted(
    tx: Snapshot, ids: Sequence[str], walls: Mapping[int, Row], reach: Reach, *, acts: bool = False
) -> list[Values]:
    """The latest revisions of ids, which must all lie behind these walls and within the stamps of the reach.

    Raises NotFoundError.
    """
    latest = latest_of(tx, list(dict.fromkeys(ids)))
    for id_ in ids:
        row = latest.get(id_)
        if (
            row is None
            or row["wall"] not in walls
            or row["erased_by"] is not None
            or not reach.stamped(row["agent"], row["session"])
            or (row["kind"] == "act" and not acts)
        ):
            raise NotFoundError(f"there is no record '{id_}' in this scope")
    return [latest[id_] for id_ in dict.fromkeys(ids)]


def holder_of(tx: Snapshot, key: str, walls: Mapping[int, Row], reach: Reach, now: int) -> str:
    """The id of the current record with a key: the user's own before a shared one. Raises NotFoundError."""
    for wall in sorted(walls, key=lambda number: (not walls[number]["user"], not walls[number]["project"])):
        row = tx.row("current_by_key", wall=wall, key=key)
        if row is not None and reach.stamped(row["agent"], row["session"]) and state_of(row, now) == "current":
            return row["id"]
    raise NotFoundError(f"there is no current record with the key {key!r} in this scope")


def whole_messages(tx: Snapshot, rows: Sequence[Values], *, ever: bool = False) -> list[Values]:
    """The rows, and for each passage all passages of its message: a message is retired or erased as a whole.

    Of a file those that went with it; with `ever` also those that an edit has taken out of it.
    """
    found: dict[str, Values] = {}
    for row in rows:
        if row["kind"] == FILE and row["role"] == "document":
            parts = _passages_of_file(tx, row, ever=ever)
        else:
            parts = all_parts(tx, row) if row["part"] is not None else [row]
        found |= {part["id"]: part for part in parts}
    return list(found.values())


def _passages_of_file(tx: Snapshot, row: Values, *, ever: bool) -> list[Values]:
    rows = tx.rows("passages_ever", wall=row["wall"], fingerprints=json.dumps([row["fingerprint"]]))
    latest = {one["id"]: dict(one) for one in rows}
    return [one for one in latest.values() if ever or one["closed_by"] == row["closed_by"]]


def all_parts(tx: Snapshot, row: Values) -> list[Values]:
    """The passages of a message have consecutive numbers, from the one of part 0 on."""
    first = row["num"] - row["part"]
    most = 64
    while True:
        latest: dict[int, Values] = {}
        for other in tx.rows("message_from", wall=row["wall"], first=first, most=most):
            latest[other["num"]] = dict(other)
        parts: list[Values] = []
        for number in sorted(latest):
            if latest[number]["part"] != number - first:
                return parts
            parts.append(latest[number])
        if len(latest) < most:
            return parts
        most *= 8


@dataclass(frozen=True, slots=True)
class Done:
    """A receipt of an earlier call, and a wall that it was about."""

    receipt: Row
    wall: int


def receipt_in(tx: Snapshot, id_: str, walls: Mapping[int, Row], reach: Reach) -> Done:
    """A receipt whose changes all lie behind these walls and within the stamps of the reach. Raises NotFoundError."""
    receipt = tx.row("receipt", id=id_)
    if receipt is not None and receipt["tenant"] == reach.tenant:
        first, last = receipt["first_seq"], receipt["last_seq"]
        steps = tx.rows("journal_of_receipt", tenant=reach.tenant, first=first, last=last)
        ids = [step["id"] for step in steps if step["action"] != "act"]
        stamped = all(reach.stamped(row["agent"], row["session"]) for row in latest_of(tx, ids).values())
        if steps and stamped and all(step["wall"] in walls for step in steps):
            return Done(receipt, steps[0]["wall"])
    raise NotFoundError(f"there is no receipt '{id_}' in this scope that changed anything")


def key_holder(tx: Snapshot, values: Values) -> Row | None:
    """The current record that has the key of this one, where this one needs it."""
    if values["key"] is None or values["superseded_by"] is not None or values["quarantined"]:
        return None
    return tx.row("current_by_key", wall=values["wall"], key=values["key"])


def present(tx: Snapshot, tenant: str, now: int) -> int:
    """The present of a read: by the clock, but never before the last change of the tenant."""
    head = tx.row("journal_head", tenant=tenant)
    return max(now, head["at"]) if head else now


AHEAD = 60 * 1_000_000
"""Microseconds by which clocks of one store may differ without a word."""


def to_come(last: int, now: int) -> Iterator[str]:
    """What there is to say where the last recorded time of a tenant lies ahead of a clock.

    Recorded times never go back, so one write by a clock that is ahead moves those of all later ones: that way
    `known_at` and the order of the journal stay true. Nothing tells such a clock from a true one after a long pause, so
    it is not refused, but told.
    """
    if last > now + AHEAD:
        ahead = timedelta(seconds=(last - now) // 1_000_000)
        yield (
            f"recorded at {moment(last):%Y-%m-%d %H:%M:%S} UTC, {ahead} ahead of this clock: a write came from a clock "
            "that was ahead, or this one is behind. Recorded times never go back: until then, that counts as now"
        )


def stamp_for(tx: Snapshot, tenant: str, now: int, actor: str | None, space: str | None, receipt: str = "") -> Stamp:
    """The stamp of the tenant's next change, recorded now and always later than the last one.

    To be made anew for each receipt: it knows the end of the chain.
    """
    head = tx.row("journal_head", tenant=tenant)
    if head is None:
        return Stamp(receipt or new_receipt_id(now), now, actor, space)
    at = max(now, head["at"] + 1)
    return Stamp(receipt or new_receipt_id(at), at, actor, space, head["seq"], head["hash"])
