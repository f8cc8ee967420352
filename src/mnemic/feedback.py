"""Feedback on results: from their id and what was used or wrong to what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from mnemic import rank
from mnemic.errors import InputError
from mnemic.lookup import latest_of, seen, wanted
from mnemic.ports import Embedder
from mnemic.read import Scene, View, code_of, signals_of
from mnemic.records import evidence_of
from mnemic.scope import Reach
from mnemic.stores.sqlite import Snapshot
from mnemic.ticket import Ticket, read
from mnemic.types import Answer, Context, Results


@dataclass(frozen=True, slots=True)
class Shown:
    """One hit of the results, as far as it is still there."""

    place: int
    """Where it stood, from 0."""
    id: str
    wall: int
    number: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Results, found again by their id."""

    id: str
    ticket: Ticket
    view: View
    """The view of the search. It is on what is held now: what has been closed since counts no longer, which is a small
    difference, and `known_at` would read the whole of a large memory."""
    shown: tuple[Shown, ...]
    sizes: Mapping[int, int]
    """Documents that there were, by wall."""


def id_of(results: object) -> str:
    """The id of results, or of what was made of them. Raises InputError."""
    if isinstance(results, Results):
        return results.id
    if isinstance(results, Context | Answer):
        return results.results_id
    if isinstance(results, str):
        return results
    raise InputError(
        f"results={results!r:.60} is {type(results).__name__}: pass what search, context or ask gave, or the id of that"
    )


def asked(snapshot: Snapshot, id_: str, reach: Reach) -> Asked:
    """What an id of results leads to, for a call of this reach. Raises InputError where it belongs elsewhere."""
    ticket = read(id_)
    if ticket.scope != code_of(reach):
        raise InputError(
            f"these results were not asked for with the scope of this call ({reach}): pass that of the search, which "
            "must have named one user, and one project at most"
        )
    walls = list(seen(snapshot, reach))
    numbers: dict[int, list[int]] = {}
    for wall, number in ticket.shown:
        numbers.setdefault(wall, []).append(number)
    held = {
        (place, row["num"]): row
        for place, of_wall in numbers.items()
        if place < len(walls)
        for row in snapshot.rows("documents_shown", wall=walls[place], nums=json.dumps(of_wall))
    }
    if any(document not in held for document in ticket.shown):
        raise InputError(f"results='{id_:.40}' are of another memory: give feedback to the one that was searched")
    shown = tuple(
        Shown(place, held[document]["id"], walls[document[0]], document[1])
        for place, document in enumerate(ticket.shown)
        if held[document]["erased_by"] is None
    )
    view = View(
        Reach(reach.tenant, reach.projects, reach.users, ticket.agent, ticket.session),
        ticket.now,
        ticket.asked_at,
        ticket.as_of,
        ticket.known_at,
        frozenset(ticket.include),
        ticket.kinds,
        ticket.where,
    )
    sizes = dict(zip_longest(walls, ticket.sizes[: len(walls)], fillvalue=0))  # a wall that is newer had nothing yet
    return Asked(id_, ticket, view, shown, sizes)


def arguments(
    scene: Scene,
    asked: Asked,
    reach: Reach,
    used: Sequence[str],
    wrong: Sequence[str],
    outcome: float | None,
    *,
    embedder: Embedder | None,
    fitted: rank.Numbers | None,
) -> dict[str, Any]:
    """What is kept of an act of feedback, as JSON. `scene` is that of `asked.view`.

    The features of the hits are kept as numbers, so that a search need not ask all old questions again. They go when
    any of the hits is erased. Raises NotFoundError for an id outside the scope, InputError for one that was not shown.
    """
    ticket, shown = asked.ticket, asked.shown
    right = _resolved(scene, asked, reach, used)
    false = _resolved(scene, asked, reach, wrong)
    both = [id_ for id_ in right if id_ in false]
    if both:
        raise InputError(f"'{both[0]}' is both used and wrong: name it in one of them")
    told: dict[str, Any] = {
        "results": asked.id,
        "query": ticket.query,
        "used": right,
        "wrong": false,
        "outcome": outcome,
        "by": ticket.by,
        "shown": [one.id for one in shown],
        "places": [one.place for one in shown],
    }
    if ticket.by == "n" or scene.frame is None or not shown:
        return told  # their order comes from names alone: there is nothing to fit
    documents = [(one.wall, one.number) for one in shown]
    signals, space = signals_of(
        scene, asked.view, ticket.query, documents, asked.sizes, embedder=embedder, fitted=fitted
    )
    return told | {"order": list(ticket.order), "bound": list(ticket.bound), "space": space, "signals": signals}


def _resolved(scene: Scene, asked: Asked, reach: Reach, ids: Sequence[str]) -> list[str]:
    """The hits that these ids stand for: their own, or those of evidence that a hit rests on."""
    wanted(scene.snapshot, ids, scene.walls, reach, acts=True)
    own = {one.id for one in asked.shown}
    standing: Mapping[str, str] = {}
    if not own.issuperset(ids):
        rows = latest_of(scene.snapshot, list(own))
        evidence = evidence_of(scene.snapshot, list(rows.values()), scene.walls)
        standing = {piece.id: one.id for one in reversed(asked.shown) for piece in evidence.get(one.id, ())}
    if asked.ticket.by == "t":  # what is pinned stands in every context, and is no hit: nothing is learned of it
        ids = [id_ for id_ in ids if id_ in own or id_ in standing]
    for id_ in ids:
        if id_ not in own and id_ not in standing:
            raise InputError(
                f"'{id_}' is none of the {len(asked.ticket.shown)} hits of these results, nor evidence of one: "
                "pass ids of what was shown"
            )
    return list(dict.fromkeys(id_ if id_ in own else standing[id_] for id_ in ids))
