"""What has faded: how much of a record is left, and why.

    fades     a link's role: its source says that of its target only so much is left as its weight says, from 0 to 1
    cold      of what is nothing left (weight 0): kept and undoable, but shown by no read that does not ask for it

A link from a record to itself means by time; one from a record of kind `FORGET`, because the user asked. A link counts
only for targets in its own wall. What the user asks to be forgotten is not brought up by the request either: records of
that kind are cold themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from mnemic.stores.sqlite import Fields, Row, Snapshot
from mnemic.times import FOREVER

FADES = "fades"
"""The role of links that fade."""
FADED = "faded"
"""The state of what is cold."""
FORGET = "forget"
"""The kind of records that say what the user asked to be forgotten."""


def faders(snapshot: Snapshot, ids: Iterable[str], known_at: int | None = None) -> dict[str, Row]:
    """The link that leaves least of each of these records, by the record's id; none for those of which all is left."""
    found: dict[str, Row] = {}
    wanted = json.dumps(sorted(set(ids)))
    for link in snapshot.rows("fading", ids=wanted, at=FOREVER if known_at is None else known_at):
        found.setdefault(link["target_id"], link)
    return found


def cold(snapshot: Snapshot, ids: Iterable[str], known_at: int | None = None) -> frozenset[str]:
    """Those of these records that links leave nothing of."""
    return frozenset(id_ for id_, link in faders(snapshot, ids, known_at).items() if link["weight"] <= 0.0)


def state_with(snapshot: Snapshot, row: Fields, state: str, known_at: int | None = None) -> str:
    """The state of a record, told what it would be if nothing faded."""
    return states_with(snapshot, [(row, state)], known_at)[0]


def states_with(snapshot: Snapshot, told: Sequence[tuple[Fields, str]], known_at: int | None = None) -> list[str]:
    """The states of records, each told what it would be if nothing faded."""
    asked = [row["id"] for row, state in told if state == "current" and row["kind"] != FORGET]
    gone = cold(snapshot, asked, known_at) if asked else frozenset[str]()
    return [
        FADED if state == "current" and (row["kind"] == FORGET or row["id"] in gone) else state for row, state in told
    ]


def why(snapshot: Snapshot, row: Fields, known_at: int | None = None) -> str:
    """Why a record is cold, in words."""
    if row["kind"] == FORGET:
        return "it says what the user asked to be forgotten"
    link = faders(snapshot, [row["id"]], known_at)[row["id"]]
    if link["source_id"] == row["id"]:
        return "it has faded with time"
    source = snapshot.row("latest_of", ids=json.dumps([link["source_id"]]))
    if source is not None and source["kind"] == FORGET:
        return f"the user asked to forget it ('{source['id']}')"
    return f"'{link['source_id']}' lets it fade"
