"""Which topic each turn of a wall belongs to: its turns placed in the order of their numbers, some at a time.

    turns from where it stopped -> words, vectors -> a leader each (`topics.Clusters`) -> rows, and the topics to redo

Kept are the turns that belong anywhere, with their leaders, and the leaders' vectors: all that is needed to go on. A
turn that goes, or comes back, is placed no longer; where others stand by it, placing goes on from there anew. Another
embedding space is another placing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnemic import topics
from mnemic.changes import Values
from mnemic.derive import is_current
from mnemic.records import episode_of
from mnemic.stores.sqlite import Fields, Row, Snapshot, Transaction
from mnemic.views import TOPIC, Episode

STEP = 512
"""Documents that are looked at in one transaction."""
MEMBERS = 40
"""Turns of a topic that are told of, at most: the latest. So a topic costs the same to redo however large it is."""

Vector = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Embedding:
    """How words become vectors, and what the space of these is called."""

    space: str
    embed: topics.Embed


@dataclass(frozen=True, slots=True)
class Batch:
    """Turns to be placed, with their vectors: documents `first` up to `until` of a wall."""

    first: int
    until: int
    turns: tuple[Episode, ...]
    vectors: tuple[Vector | None, ...]


def is_behind(snapshot: Snapshot, wall: Row, embedding: Embedding) -> bool:
    """Whether there are turns that have not been placed in this space."""
    return _next(snapshot, wall["wall"], embedding.space) < wall["size"]


def read(snapshot: Snapshot, wall: Row, embedding: Embedding) -> Batch:
    """The next turns to be placed, with their vectors."""
    first = _next(snapshot, wall["wall"], embedding.space)
    until = min(first + STEP, wall["size"])
    rows = {row["num"]: row for row in _numbered(snapshot, wall["wall"], range(first, until))}
    turns = [episode_of(row) for _, row in sorted(rows.items()) if _is_placed(row)]
    return Batch(first, until, tuple(turns), tuple(topics.vectors_of(turns, embedding.embed)))


def place(tx: Transaction, wall: int, batch: Batch, embedding: Embedding) -> set[tuple[int, str]]:
    """Place turns, unless somebody has meanwhile: the walls and keys of the topics that are to be redone."""
    known = tx.row("placing", wall=wall)
    stale: set[tuple[int, str]] = set()
    if known is None or known["space"] != embedding.space:
        stale |= start_anew(tx, wall, embedding.space)
    if _next(tx, wall, embedding.space) != batch.first:
        return stale
    leaders = tx.rows("placed_leaders", wall=wall)
    clusters = topics.Clusters(
        [row["num"] for row in leaders], [np.frombuffer(row["vector"], np.int16) for row in leaders]
    )
    rows: list[Values] = []
    for turn, vector in zip(batch.turns, batch.vectors, strict=True):
        if vector is not None:
            leader = clusters.place(turn.num, vector)
            own = vector.tobytes() if leader == turn.num else None
            rows.append({"wall": wall, "num": turn.num, "leader": leader, "vector": own})
    tx.run_many("add_placed", rows)
    tx.run("set_placing", wall=wall, space=embedding.space, next=batch.until)
    return stale | _keys(tx, wall, {row["leader"] for row in rows})


def start_anew(tx: Transaction, wall: int, space: str = "") -> set[tuple[int, str]]:
    """Every turn of a wall has to be placed again: the topics that are gone with that."""
    stale = _keys(tx, wall, {row["num"] for row in tx.rows("placed_leaders", wall=wall)})
    tx.run("drop_placed_from", wall=wall, first=0)
    tx.run("set_placing", wall=wall, space=space, next=0)
    return stale


def displace(tx: Transaction, episodes: Iterable[Fields]) -> set[tuple[int, str]]:
    """Episodes have gone, changed or come back: the walls and keys of the topics that are to be redone."""
    stale: set[tuple[int, str]] = set()
    for row in sorted(episodes, key=lambda row: (row["wall"], row["num"])):
        wall, num = row["wall"], row["num"]
        known = tx.row("placing", wall=wall)
        if known is None or num >= known["next"]:
            continue
        held = tx.row("placed_at", wall=wall, num=num)
        if held is not None and held["leader"] != num:  # no other stands by it
            stale |= _keys(tx, wall, {held["leader"]})
            tx.run("drop_placed", wall=wall, num=num)
            held = None
            if not _comes_back(tx, wall, num):
                continue
        elif held is None and not _comes_back(tx, wall, num):
            continue
        stale |= _keys(tx, wall, {one["leader"] for one in tx.rows("placed_from", wall=wall, first=num)})
        tx.run("drop_placed_from", wall=wall, first=num)
        tx.run("set_placing", wall=wall, space=known["space"], next=num)
    return stale


def members(snapshot: Snapshot, wall: int, key: str) -> list[Episode]:
    """The turns of the topic with this key, in their order: the one that leads it, and those that came last."""
    rows = snapshot.rows("latest_of", ids=json.dumps([key.removeprefix(TOPIC)]))
    if not rows:
        return []
    first: int = rows[0]["num"]
    last = [row["num"] for row in snapshot.rows("placed_with", wall=wall, leader=first, most=MEMBERS)]
    found = {row["num"]: row for row in _numbered(snapshot, wall, [first, *last] if last else [])}
    return [episode_of(row) for _, row in sorted(found.items()) if _is_placed(row)]


def _next(snapshot: Snapshot, wall: int, space: str) -> int:
    row = snapshot.row("placing", wall=wall)
    return row["next"] if row is not None and row["space"] == space else 0


def _keys(snapshot: Snapshot, wall: int, leaders: Iterable[int]) -> set[tuple[int, str]]:
    ids = {row["num"]: row["id"] for row in _numbered(snapshot, wall, sorted(leaders))}
    return {(wall, TOPIC + id_) for id_ in ids.values()}


def _numbered(snapshot: Snapshot, wall: int, nums: Sequence[int]) -> list[Row]:
    return snapshot.rows("documents_numbered", wall=wall, nums=json.dumps(list(nums)))


def _comes_back(snapshot: Snapshot, wall: int, num: int) -> bool:
    rows = _numbered(snapshot, wall, [num])
    return bool(rows) and _is_placed(rows[-1])


def _is_placed(row: Fields) -> bool:
    return row["kind"] == "episode" and is_current(row)
