"""What stands around a record, which records contradict each other, what models have cost: for people who look.

Reads of one snapshot; what a scope does not see is not told, and not counted either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mnemic import fading
from mnemic.errors import InputError
from mnemic.lookup import latest_of, present, seen, wanted
from mnemic.records import record_of, state_of
from mnemic.scope import Reach
from mnemic.stores.sqlite import Row, Snapshot
from mnemic.types import Conflict, Conflicts, Neighbour, Record, Spent

_AT_ONCE = 256
"""Edges that are looked at in one query, of which some may lead where the scope does not see."""


def neighbours(snapshot: Snapshot, id_: str, reach: Reach, now: int, limit: int) -> tuple[Neighbour, ...]:
    """The records that edges join to this one, those that it leads to first. Raises NotFoundError."""
    walls = seen(snapshot, reach)
    wanted(snapshot, [id_], walls, reach)
    at = present(snapshot, reach.tenant, now)
    found: list[Neighbour] = []
    for out, query in ((True, "links_out"), (False, "links_in")):
        after = 0
        while len(found) < limit:
            links = snapshot.rows(query, id=id_, after=after, most=_AT_ONCE)
            others = [link["target_id"] if out else link["source_id"] for link in links]
            records = _told(snapshot, others, walls, reach, at)
            for link, other in zip(links, others, strict=True):
                if other in records and other != id_:
                    found.append(Neighbour(link["role"], out, records[other]))
            if len(links) < _AT_ONCE:
                break
            after = links[-1]["row"]
    return tuple(found[:limit])


def conflicts(snapshot: Snapshot, reach: Reach, now: int, limit: int, after: str | None) -> Conflicts:
    """The pairs of current records that contradict each other, the latest found first. Raises InputError."""
    walls = seen(snapshot, reach)
    at = present(snapshot, reach.tenant, now)
    before = _place(after)
    pairs: list[Conflict] = []
    while True:
        links = snapshot.rows("contradictions", walls=json.dumps(list(walls)), before=before, most=_AT_ONCE)
        ids = [id_ for link in links for id_ in (link["source_id"], link["target_id"])]
        records = _told(snapshot, ids, walls, reach, at)
        for link in links:
            before = link["row"]
            one, other = records.get(link["source_id"]), records.get(link["target_id"])
            if one is not None and other is not None and one.state == other.state == "current":
                pairs.append(Conflict(one, other))
                if len(pairs) == limit:
                    return Conflicts(tuple(pairs), str(before))
        if len(links) < _AT_ONCE:
            return Conflicts(tuple(pairs), None)


def spent(snapshot: Snapshot, reach: Reach, since: str) -> tuple[Spent, ...]:
    """What models have cost the users of a reach, by day from one on, the latest day first."""
    rows = snapshot.rows("spending_since", tenant=reach.tenant, users=json.dumps(sorted(reach.users)), since=since)
    return tuple(Spent(row["day"], row["calls"], row["tokens_in"], row["tokens_out"], row["money"]) for row in rows)


def _told(
    snapshot: Snapshot, ids: Sequence[str], walls: Mapping[int, Row], reach: Reach, now: int
) -> dict[str, Record]:
    rows = [
        row
        for row in latest_of(snapshot, list(dict.fromkeys(ids))).values()
        if row["wall"] in walls
        and row["erased_by"] is None
        and row["kind"] != "act"
        and reach.stamped(row["agent"], row["session"])
    ]
    states = fading.states_with(snapshot, [(row, state_of(row, now)) for row in rows])
    return {row["id"]: record_of(row, walls[row["wall"]], state) for row, state in zip(rows, states, strict=True)}


def _place(after: str | None) -> int:
    if after is None:
        return 2**63 - 1
    if not after.isdecimal() or len(after) > 18:
        raise InputError(f"after={after!r} is no place in a list: pass what `next` of the page before says")
    return int(after)
