"""Keeping views up: what has changed since the journal was last read, and the views that this makes stale, made anew.

    journal from the watermark on -> parts that are stale -> each as it should stand -> changes

`fold` reads a tenant's journal, notes which views each changed record may tell something in, and moves the watermark,
all in one transaction. A stale part is redone, and no longer stale, in another. So the work is what has changed, a
process that dies leaves it to the next, and two may be at it at once.

Where a model tells summaries in its words, its kept answers are read here, and nobody is asked: a summary that has no
answer yet stands as an extract, and is noted as `UNTOLD` until it has one (see `telling`).

A view is linked to the episodes and acts that it rests on, and goes with any of them. What somebody did to a view by
hand stays: one that was retired, undone or updated is left alone, and so is a record of one's own with a view's key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnemic import agenda, placing, portrait, summaries, topics
from mnemic.analysis import Writing
from mnemic.changes import (
    BLANK,
    Changes,
    Closing,
    Opening,
    Values,
    Wall,
    is_indexed,
    link_to,
    made_id,
    next_revision,
    scope_code,
    writing_of,
)
from mnemic.lookup import key_holder, latest_of
from mnemic.messages import json_text
from mnemic.postings import Document
from mnemic.records import episode_of, is_view, loads
from mnemic.stores.sqlite import Fields, Row, Snapshot, Transaction
from mnemic.types import Entry, trust
from mnemic.views import (
    ABOUT,
    AHEAD,
    COMMITMENTS,
    NAME,
    PROFILE,
    QUESTIONS,
    RETOLD,
    STATE,
    TOPIC,
    Episode,
    Fact,
    Made,
    subject_key,
)

JOB = "views"
UNTOLD = "untold"
"""The job of which those summaries are stale that a model is still to be asked about."""
VERB = "upkeep"
"""Of the receipts under which views are written."""
ROWS = 512
"""Rows of the journal that are read in one transaction."""
PARTS = 32
"""Views that are redone in one transaction."""


@dataclass(frozen=True, slots=True)
class Means:
    """What views are made with, beside what a wall holds."""

    embed: topics.Embed | None = None
    """Gives the vectors that name topics; without it there are none."""
    tell: Callable[[Snapshot, int, Made], Made] | None = None
    """Gives a wall's summary in a model's words, as far as its answers are kept; None where summaries are extracts."""


# --- What is stale ----------------------------------------------------------------------------------------------------


def parts_of(row: Fields) -> set[str]:
    """The keys of the views that a revision of a record may tell something in, or has the key of."""
    found: set[str] = set()
    kind, key = row["kind"], row["key"]
    if key is not None and (key in _FIXED or key.startswith(_MANY)):
        found.add(key)
    if is_view(row):
        return found | set(above(key or ""))
    if kind == "episode":
        found |= {QUESTIONS, summaries.parts_of(episode_of(row))[0]}
        if row["role"] == "user":
            found.add(PROFILE)
    if kind in ABOUT:
        found.add(PROFILE)
        if row["subject"]:
            found.add(STATE + subject_key(row["subject"]))
    if kind in AHEAD:
        found.add(COMMITMENTS)
    return found


_FIXED = (PROFILE, QUESTIONS, COMMITMENTS)
_SUMMARIES = (summaries.SESSION, summaries.DAY, summaries.WEEK, summaries.MONTH)
_MANY = (STATE, TOPIC, *_SUMMARIES)


def above(key: str) -> tuple[str, ...]:
    """The keys of the views that are made of this one."""
    return summaries.above(key) if key.startswith(_SUMMARIES) else ()


def is_kept(snapshot: Snapshot, tenant: str) -> bool:
    """Whether a tenant's views are kept up at all: from the first upkeep on."""
    return snapshot.row("watermark", tenant=tenant, job=JOB) is not None


def behind(snapshot: Snapshot, tenant: str) -> int:
    """How many rows of a tenant's journal have not been read yet."""
    mark, head = snapshot.row("watermark", tenant=tenant, job=JOB), snapshot.row("journal_head", tenant=tenant)
    return (head["seq"] if head else 0) - (mark["seq"] if mark else 0)


def fold(tx: Transaction, tenant: str) -> None:
    """Read the next rows of a tenant's journal, and note what they make stale."""
    mark = tx.row("watermark", tenant=tenant, job=JOB)
    seq: int = mark["seq"] if mark else 0
    rows = tx.rows("journal_told", tenant=tenant, seq=seq, most=ROWS)
    told = [row for row in rows if row["verb"] != VERB and row["action"] != "erased"]  # an erasure has noted its own
    changed = {(row["id"], row["revision"]) for row in told}
    revisions = tx.rows("revisions_changed", changes=json.dumps(sorted(changed)))
    touched = {(row["wall"], part) for row in revisions for part in parts_of(row)}
    acts = [row for row in revisions if row["kind"] == "act"]
    resting = {row["id"] for row in revisions if row["kind"] == "episode"} | {act["id"] for act in acts}
    resting |= {id_ for act in acts for id_ in _undone(tx, tenant, act)}
    moved = [row for row in revisions if row["kind"] == "episode" and row["num"] is not None and _has_changed(row)]
    mark_stale(tx, touched | told_of(tx, resting) | placing.displace(tx, moved))
    tx.run("set_watermark", tenant=tenant, job=JOB, seq=rows[-1]["seq"] if rows else seq)


def _has_changed(row: Fields) -> bool:
    return row["revision"] > 1 or row["retired_at"] is not None


def _undone(tx: Snapshot, tenant: str, act: Fields) -> set[str]:
    """What the receipt did that an act takes back: it may have drawn no more than edges, of which no journal tells."""
    done = loads(act["data"], {})
    receipt = tx.row("receipt", id=done["arguments"]["receipt"]) if done.get("verb") == "undo" else None
    if receipt is None:
        return set()
    first, last = receipt["first_seq"], receipt["last_seq"]
    return {row["id"] for row in tx.rows("journal_of_receipt", tenant=tenant, first=first, last=last)}


def told_of(snapshot: Snapshot, ids: Iterable[str]) -> set[tuple[int, str]]:
    """The walls and parts of what rests on these episodes and acts, or did."""
    links = snapshot.rows("links_to", ids=json.dumps(sorted(ids)), role="derived_from")
    sources = latest_of(snapshot, sorted({link["source_id"] for link in links}))
    return {(row["wall"], part) for row in sources.values() if not is_view(row) for part in parts_of(row)}


def mark_stale(tx: Transaction, parts: Iterable[tuple[int, str]]) -> None:
    """These parts of these walls have to be redone."""
    tx.run_many("add_stale", ({"wall": wall, "job": JOB, "part": part} for wall, part in sorted(parts)))


def mark_all(tx: Transaction, wall: int) -> None:
    """Every view of a wall has to be redone, those that it could have and those that it has."""
    parts = {part for row in tx.rows("rows_in_wall", wall=wall, session=None, agent=None) for part in parts_of(row)}
    mark_stale(tx, ((wall, part) for part in parts | {row["key"] for row in _views_in(tx, wall)}))
    mark_stale(tx, placing.start_anew(tx, wall))


def _views_in(snapshot: Snapshot, wall: int) -> list[Row]:
    return snapshot.rows("views_in", wall=wall, derivation=NAME)


def stale_in(snapshot: Snapshot, wall: int, means: Means) -> list[str]:
    """The keys of what has to be redone in a wall; of topics only where there are vectors to name them by."""
    parts = [row["part"] for row in snapshot.rows("stale_in", wall=wall, job=JOB)]
    return parts if means.embed is not None else [part for part in parts if not part.startswith(TOPIC)]


def untold_in(snapshot: Snapshot, wall: int) -> list[str]:
    """The keys of the summaries of a wall that a model is still to be asked about."""
    return [row["part"] for row in snapshot.rows("stale_in", wall=wall, job=UNTOLD)]


def next_of(parts: Sequence[str]) -> Sequence[str]:
    """Those of some stale parts that are to be redone next, in one transaction: what others are made of comes first."""
    levels = [(summaries.WEEK in part) + 2 * (summaries.MONTH in part) for part in parts]
    lowest = min(levels, default=0)
    return [part for part, level in zip(parts, levels, strict=True) if level == lowest][:PARTS]


def stale_count(snapshot: Snapshot, walls: Iterable[int], means: Means) -> int:
    """How many views have to be redone in these walls: those of `stale_in`."""
    return _count(snapshot, walls, JOB, "" if means.embed is not None else TOPIC)


def untold_count(snapshot: Snapshot, walls: Iterable[int]) -> int:
    """How many summaries of these walls a model is still to be asked about."""
    return _count(snapshot, walls, UNTOLD)


def _count(snapshot: Snapshot, walls: Iterable[int], job: str, but: str = "") -> int:
    behind_these = set(walls)
    rows = snapshot.rows("stale_counts", job=job, but=but)
    return sum(row["parts"] for row in rows if row["wall"] in behind_these)


# --- As it should stand -----------------------------------------------------------------------------------------------


def made(snapshot: Snapshot, wall: int, key: str, means: Means) -> Made | None:
    """A view as it should stand; None where there is nothing to say."""
    if key.startswith(_SUMMARIES):
        extract = extracted(snapshot, wall, key)
        return extract if extract is None or means.tell is None else means.tell(snapshot, wall, extract)
    if key.startswith(TOPIC):
        turns = placing.members(snapshot, wall, key)
        return topics.topic(turns, means.embed) if means.embed is not None and turns else None
    if key == PROFILE:
        turns = _last_episodes(snapshot, wall, agenda.LOOKED_AT)
        turns = [turn for turn in turns if turn.role == "user"][-portrait.TURNS :]
        return portrait.profile(_about(snapshot, wall, ("", *portrait.names_of(turns))), turns)
    if key == QUESTIONS:
        return agenda.open_questions(_last_episodes(snapshot, wall, agenda.LOOKED_AT))
    if key == COMMITMENTS:
        return agenda.commitments(facts_of(snapshot, snapshot.rows("told_ahead", wall=wall, most=_AHEAD)))
    if key.startswith(STATE):
        return portrait.state(key, _about(snapshot, wall, (portrait.subject_of(key),)))
    return None


def extracted(snapshot: Snapshot, wall: int, key: str) -> Made | None:
    """A summary in the words of those who spoke; None where there is nothing to say."""
    if key.startswith((summaries.SESSION, summaries.DAY)):
        since, until = summaries.stretch_of(key)
        session = summaries.session_of(key)
        said = snapshot.rows("said_in", wall=wall, session=session, since=since, until=until)
        return summaries.session_summary(key, map(episode_of, said))
    if key.startswith(summaries.WEEK):
        return summaries.week_summary(key, _children(snapshot, wall, key))
    return summaries.month_summary(key, _children(snapshot, wall, key))


def _children(snapshot: Snapshot, wall: int, key: str) -> list[Made]:
    """The views that a view is made of, as they are held."""
    found: list[Made] = []
    for first in summaries.children_of(key):
        rows = snapshot.rows("views_from", wall=wall, first=first, last=first + _LAST)
        found += [
            Made(row["key"], row["kind"], row["text"], (), time=row["time"], data=loads(row["data"], {}))
            for row in rows
            if is_view(row)
        ]
    return found


_LAST = "\U0010ffff"
"""Behind every key that begins alike."""


_ABOUT = 1000
"""Statements about one subject that are looked at: the latest."""
_AHEAD = 4 * agenda.MOST
"""Statements about what is to come that are looked at: some are taken over, or say the same."""


def _about(snapshot: Snapshot, wall: int, subjects: Iterable[str]) -> list[Fact]:
    rows = [
        row
        for subject in sorted(set(subjects))
        for row in snapshot.rows("facts_about", wall=wall, subject=subject, most=_ABOUT)
    ]
    return facts_of(snapshot, sorted(rows, key=lambda row: (row["time"], row["id"])))


def _last_episodes(snapshot: Snapshot, wall: int, most: int) -> list[Episode]:
    """The episodes that came last to a wall, in the order in which they came."""
    return [episode_of(row) for row in reversed(snapshot.rows("last_episodes", wall=wall, most=most))]


def facts_of(snapshot: Snapshot, rows: Iterable[Fields]) -> list[Fact]:
    """Statements as views read them: those that are believed, and not kept for a while only."""
    held = {row["id"]: row for row in rows if not row["quarantined"] and row["expires_at"] is None and not is_view(row)}
    edges = _edges(snapshot, held, "derived_from")
    against = _edges(snapshot, held, "contradicts")
    targets = latest_of(snapshot, sorted({id_ for ids in edges.values() for id_ in ids}))
    found: list[Fact] = []
    for id_, row in held.items():
        resting = [targets[one] for one in edges.get(id_, ()) if targets[one]["erased_by"] is None]
        resting.sort(key=lambda one: (one["kind"] == "act", one["time"], one["num"] or 0, one["id"]))
        if resting:
            found.append(_fact(row, resting, tuple(sorted(set(against.get(id_, ()))))))
    return found


def _edges(snapshot: Snapshot, ids: Iterable[str], role: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for link in snapshot.rows("links_from", ids=json.dumps(sorted(ids)), role=role):
        if link["retired_at"] is None:
            found.setdefault(link["source_id"], []).append(link["target_id"])
    return found


def _fact(row: Fields, resting: Sequence[Fields], against: tuple[str, ...]) -> Fact:
    data = loads(row["data"], {})
    said = [one["time"] for one in resting if one["kind"] == "episode"]
    return Fact(
        row["id"],
        row["kind"],
        row["text"],
        row["subject"],
        str(data.get("relation", "")),
        row["time"],
        row["valid_from"],
        row["valid_to"],
        row["valid_precision"],
        row["confidence"],
        row["superseded_by"],
        max(said, default=row["time"]),
        tuple(dict.fromkeys(one["id"] for one in resting)),
        against,
        bool(data.get("holds", True)),
    )


# --- Changes ----------------------------------------------------------------------------------------------------------


def view_id(wall: Wall, key: str) -> str:
    """The id of a view follows from its wall and its key."""
    return made_id(
        scope_code((wall.tenant, wall.project, wall.user)), "view", wall.tenant, wall.project, wall.user, key
    )


def redone(
    tx: Transaction,
    wall: Wall,
    keys: Sequence[str],
    document_of: Callable[[Writing], Document],
    means: Means,
) -> Changes:
    """What brings these views to what they should say; they are stale no longer once it is written."""
    changes = Changes(VERB, wall.tenant)
    latest = latest_of(tx, [view_id(wall, key) for key in keys])
    untold: dict[str, bool | None] = {}
    for key in keys:
        before = len(changes.openings) + len(changes.closings)
        view, row = made(tx, wall.number, key, means), latest.get(view_id(wall, key))
        kept = _bring(tx, wall, view, row, changes, document_of)
        if len(changes.openings) + len(changes.closings) > before:
            mark_stale(tx, ((wall.number, part) for part in above(key)))
        untold[key] = _is_untold(view, row, means) if kept and view is not None else False
    tx.run("drop_stale", wall=wall.number, job=JOB, parts=json.dumps(list(keys)))
    settled = [key for key, is_so in untold.items() if is_so is False]
    tx.run("drop_stale", wall=wall.number, job=UNTOLD, parts=json.dumps(settled))
    left = [key for key, is_so in untold.items() if is_so]
    tx.run_many("add_stale", ({"wall": wall.number, "job": UNTOLD, "part": key} for key in left))
    return changes


def _is_untold(view: Made, row: Values | None, means: Means) -> bool | None:
    """Whether a model is to be asked about a view. Where none is at hand: if one had told it before; else None, for no
    more than was so."""
    if view.kind != "summary" or RETOLD in view.data:
        return False
    if means.tell is not None:
        return True
    return True if row is not None and RETOLD in loads(row["data"], {}) else None


def writings(snapshot: Snapshot, wall: Wall, keys: Sequence[str], means: Means) -> list[Writing]:
    """What the index will read of these views, as things stand: of those that have changed."""
    latest = latest_of(snapshot, [view_id(wall, key) for key in keys])
    found: list[Writing] = []
    for key in keys:
        view, row = made(snapshot, wall.number, key, means), latest.get(view_id(wall, key))
        if view is not None and (row is None or (row["text"], row["subject"]) != (view.text, view.subject)):
            found.append(_writing(view))
    return found


def _writing(view: Made) -> Writing:
    return writing_of({"text": view.text, "subject": view.subject, "aliases": None, "derivation": NAME})


def _bring(
    tx: Transaction,
    wall: Wall,
    view: Made | None,
    row: Values | None,
    changes: Changes,
    document_of: Callable[[Writing], Document],
) -> bool:
    """Bring one view to what it should say; False where that is somebody's own to say."""
    erased = row is not None and row["erased_by"] is not None
    there = None if erased else row
    links = _links_of(tx, there)
    if there is not None and _by_hand(tx, there, links):
        return False
    held = there is not None and there["retired_at"] is None
    if view is None:
        if held and there is not None:
            changes.close(
                Closing(there, Entry(there["id"], "retired", "there is nothing to say any more", there["revision"]))
            )
            changes.unlinks += [link["row"] for link in links]
        return True
    values = _values(tx, wall, view)
    holder = key_holder(tx, values)
    if holder is not None and holder["id"] != values["id"]:
        return False  # a record of somebody's own
    fields = _FIELDS if there is None else [name for name in _FIELDS if there[name] != values[name]]
    if there is None:
        values["revision"] = 1 if row is None else row["revision"] + 1
        changes.open(Opening(values, "added", document=document_of(_writing(view))))
    elif fields or not held:
        new = {name: values[name] for name in fields}
        if held:
            changes.close(Closing(there))
        document = document_of(_writing(view)) if is_indexed(new) else None
        reason = f"changed {', '.join(new)}" if new else ""
        changes.open(Opening({**next_revision(there), **new}, "revised" if held else "restored", reason, document))
    wanted = list(view.evidence)
    changes.unlinks += [link["row"] for link in links if link["target_id"] not in wanted]
    drawn = {link["target_id"] for link in links}
    changes.links += [
        link_to(values, id_, "derived_from", position) for position, id_ in enumerate(wanted) if id_ not in drawn
    ]
    _join_parts(tx, wall, view, values["id"], changes)
    return True


def _join_parts(tx: Transaction, wall: Wall, view: Made, id_: str, changes: Changes) -> None:
    """Draw the edges to a view from those that it is made of, and take back those that are so no longer."""
    wanted = {view_id(wall, part): None for part in view.parts}
    links = [link for link in tx.rows("links_to", ids=json.dumps([id_]), role="part_of") if link["retired_at"] is None]
    changes.unlinks += [link["row"] for link in links if link["source_id"] not in wanted]
    drawn = {link["source_id"] for link in links}
    changes.links += [
        link_to({"wall": wall.number, "id": part}, id_, "part_of", position)
        for position, part in enumerate(wanted)
        if part not in drawn
    ]


_FIELDS = (
    *("kind", "key", "text", "subject", "data", "source", "confidence", "time", "valid_from", "valid_to"),
    *("agent", "session", "superseded_by", "derivation"),
)


def _links_of(tx: Snapshot, row: Values | None) -> list[Row]:
    """The edges to what a view rests on."""
    if row is None:
        return []
    links = tx.rows("links_from", ids=json.dumps([row["id"]]), role="derived_from")
    return [link for link in links if link["retired_at"] is None]


def _by_hand(tx: Snapshot, row: Values, links: Iterable[Row]) -> bool:
    """Whether somebody has retired, undone, updated or superseded a view: that stays."""
    if row["retired_at"] is not None:
        closed = tx.row("receipt", id=row["closed_by"])
        return closed is None or closed["verb"] != VERB
    if row["superseded_by"] is not None:
        successor = latest_of(tx, [row["superseded_by"]]).get(row["superseded_by"])
        return successor is not None and successor["retired_at"] is None
    opened = tx.row("receipt", id=row["opened_by"])
    undone = tx.row("receipt", id=opened["undoes"]) if opened is not None and opened["undoes"] else None
    if undone is not None and undone["verb"] == VERB:
        return True
    targets = latest_of(tx, [link["target_id"] for link in links])
    return any(target["kind"] == "act" and _updates(target, row["id"]) for target in targets.values())


def _updates(act: Fields, id_: str) -> bool:
    done: Mapping[str, Any] = loads(act["data"], {})
    return done.get("verb") == "update" and done["arguments"]["id"] == id_


def _values(tx: Snapshot, wall: Wall, view: Made) -> Values:
    """The record that says a view, with the stamps that all its evidence shares."""
    resting = latest_of(tx, view.evidence)
    agents, sessions = ({row[stamp] for row in resting.values()} for stamp in ("agent", "session"))
    return {
        **BLANK,
        "id": view_id(wall, view.key),
        "wall": wall.number,
        "kind": view.kind,
        "key": view.key,
        "text": view.text,
        "subject": view.subject,
        "data": json_text(dict(view.data), "a view's data"),
        "source": max((row["source"] for row in resting.values()), key=trust, default="unknown"),
        "confidence": view.confidence,
        "time": view.time,
        "time_precision": "second",
        "valid_from": view.begins,
        "agent": agents.pop() if len(agents) == 1 else None,
        "session": sessions.pop() if len(sessions) == 1 else None,
        "derivation": NAME,
    }
