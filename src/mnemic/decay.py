"""What a forgetting policy changes in a wall: from its records to fading links, a part of the wall at a time.

A link of role `fades` from a record to itself says how much of it is left by time (`fading`). Its weight is the
policy's answer at an instant, from what was said and done until then: a decision that history keeps, like a caller's
own. A rebuild leaves it as it is; the next upkeep decides anew where something has changed.

    parts      runs of `PART` documents; each knows when something in it changes next, so an upkeep reads only those
    look       a part's records, their uses, and what a policy wants done with them
    Look       links to draw and to take back, what to erase, and when to look again

What is used again, in an act of feedback or by being said again, is warm at the next upkeep. A step that somebody undid
counts as a use at that time; a record that somebody made cold again, by undoing its return, waits for a use after that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnemic.changes import Changes, Values, link_to
from mnemic.commit import add_segment, segment_of
from mnemic.erasure import with_dependents
from mnemic.fading import FADES
from mnemic.forgetting import DAY, GOOD, Budget, Floats, Policy, Traces, grade, traces, verdict
from mnemic.lookup import latest_of, whole_messages
from mnemic.stores.sqlite import Row, Snapshot, Transaction
from mnemic.times import FOREVER
from mnemic.types import Entry, Receipt

PART = 4096
"""Documents in a part: as many records change in one transaction at most."""
REST = DAY // 4
"""Microseconds after which a part is looked at again at the earliest, unless something in it was used."""
MARGIN = 1_000_000
"""Microseconds behind a computed time, for what rounding does to it."""
LASTING = frozenset({"instruction", "entity", "profile", "forget", "act"})
"""Kinds that never fade: what is to be done, and what others are held together by."""
JOB, LINKS = "forgetting", "forgetting: links"
"""What its watermarks are called: in a tenant's journal, and in the links of all."""


# -- when


def behind(snapshot: Snapshot, tenant: str) -> bool:
    """Whether something has happened since a tenant's parts were last told."""
    head, last = snapshot.row("journal_head", tenant=tenant), snapshot.row("last_link")
    assert last is not None
    told = head is None or head["seq"] <= _mark(snapshot, tenant, JOB)
    return not told or last["row"] > _mark(snapshot, "", LINKS)


def tell(tx: Transaction, tenant: str) -> None:
    """Make due what has changed, or was used, since the last time: a fold over the journal and the links."""
    head, last = tx.row("journal_head", tenant=tenant), tx.row("last_link")
    assert last is not None
    tx.run("decays_due_by_journal", tenant=tenant, seq=_mark(tx, tenant, JOB), many=PART)
    tx.run("decays_due_by_links", row=_mark(tx, "", LINKS), many=PART)
    tx.run("set_watermark", tenant=tenant, job=JOB, seq=head["seq"] if head else 0)
    tx.run("set_watermark", tenant="", job=LINKS, seq=last["row"])


def tell_under(tx: Transaction, ids: Iterable[str]) -> None:
    """Make due what these records rest on or speak of, before an erasure drops the edges that tell of it."""
    tx.run("decays_due_under", ids=json.dumps(sorted(ids)), many=PART)


def _mark(snapshot: Snapshot, tenant: str, job: str) -> int:
    row = snapshot.row("watermark", tenant=tenant, job=job)
    return 0 if row is None else row["seq"]


def due(snapshot: Snapshot, wall: Row, policy: Policy, at: int) -> list[int]:
    """The parts of a wall that are to be looked at now."""
    known = {row["part"]: row for row in snapshot.rows("decays_in", wall=wall["wall"])}
    every = range(-(-wall["size"] // PART))
    return [p for p in every if p not in known or known[p]["policy"] != repr(policy) or known[p]["due"] <= at]


# -- what


@dataclass(frozen=True, slots=True)
class Part:
    """The records of a part, as a policy sees them."""

    rows: Sequence[Row]
    traces: Traces
    held: Floats
    """(n,) their weights now."""
    most: Floats
    """(n,) the weights that they may have: somebody has undone their return."""
    links: Mapping[int, int]
    """The rows of the links that say so, by the place of the record."""


def read(snapshot: Snapshot, wall: int, part: int, *, sized: bool) -> Part:
    """A part of a wall."""
    where: dict[str, Any] = {"wall": wall, "first": part * PART, "until": (part + 1) * PART}
    rows = snapshot.rows("decaying", sized=sized, **where)
    place = {row["num"]: number for number, row in enumerate(rows)}
    said = [(place[row["num"]], row["at"]) for row in snapshot.rows("decaying_said", **where) if row["num"] in place]
    uses = [(who, at, GOOD) for who, at in said if at is not None and at > rows[who]["time"]]
    for row in snapshot.rows("decaying_shown", **where):
        if row["num"] in place and (row["used"] or row["wrong"]):
            uses.append((place[row["num"]], row["at"], 1 if row["wrong"] else grade(row["outcome"])))
    held, most = np.ones(len(rows)), np.ones(len(rows))
    links: dict[int, int] = {}
    undos: dict[tuple[int, str], list[float]] = {}  # by record and receipt: what was left before, what since, and when
    for row in snapshot.rows("decayed", **where):
        who = place.get(row["num"])
        if who is None:
            continue
        if row["retired_at"] is None:
            held[who], links[who] = row["weight"], row["row"]
        for receipt, which, at in ((row["closing"], 0, row["retired_at"]), (row["opening"], 1, row["recorded_at"])):
            if receipt is not None:
                undo = undos.setdefault((who, receipt), [1.0, 1.0, at])
                undo[which] = row["weight"]
    uses += [(who, int(at), GOOD) for (who, _), (before, since, at) in undos.items() if since > before]
    cited = {row["num"] for row in snapshot.rows("decaying_cited", **where)}
    found = traces(
        [max(row["time"], row["valid_from"] or row["time"]) for row in rows],
        uses,
        [lasts(row) or row["num"] in cited for row in rows],
        [row["bytes"] for row in rows],
    )
    last = found.last()
    for (who, _), (before, since, at) in undos.items():
        if since < before and last[who] <= at:
            most[who] = held[who]
    return Part(rows, found, held, most, links)


def lasts(row: Row | Values) -> bool:
    """Whether a record never fades, whatever the policy: what is pinned, an instruction, a question that somebody wrote
    down, what holds a key. (What a current record rests on does not fade either, as long as that one does not.)"""
    by_hand = row["derivation"] is None
    return (
        bool(row["pinned"])
        or row["key"] is not None
        or row["kind"] in LASTING
        or (row["kind"] == "question" and by_hand)
    )


def kept(snapshot: Snapshot, wall: Row, policy: Budget, at: int) -> dict[int, Floats]:
    """What a budget leaves of each document of a wall, by its part: 1 or 0; NaN for what it has not looked at.

    Parts where all is cold and nothing was used are not read: they cannot come back. So the work is that of the budget,
    not that of the wall.
    """
    parts = set(due(snapshot, wall, policy, at))
    parts |= {row["part"] for row in snapshot.rows("decays_in", wall=wall["wall"]) if row["warm"]}
    seen = {part: read(snapshot, wall["wall"], part, sized=policy.bytes is not None) for part in sorted(parts)}
    retention = policy.retention(_together([one.traces for one in seen.values()]), at)
    found: dict[int, Floats] = {}
    first = 0
    for number, part in seen.items():
        found[number] = np.full(PART, np.nan)
        nums = np.array([row["num"] for row in part.rows], np.intp) - number * PART
        found[number][nums] = retention[first : first + len(nums)]
        first += len(nums)
    return found


def _together(parts: Sequence[Traces]) -> Traces:
    """The traces of several parts as those of one."""
    firsts = np.cumsum([0, *(len(part) for part in parts)])

    def joined(name: str, kind: Any) -> NDArray[Any]:
        return np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)]).astype(kind)

    owners = [part.owners + first for part, first in zip(parts, firsts, strict=False)]
    return Traces(
        joined("born", np.int64),
        np.concatenate([np.empty(0, np.intp), *owners]),
        joined("times", np.int64),
        joined("grades", np.int8),
        joined("exempt", np.bool_),
        joined("sizes", np.int64),
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be done with a part."""

    changes: Changes
    erase: Mapping[str, str]
    """Ids of records that go for good, and why."""
    due: int
    warm: int
    cold: int


def look(
    tx: Snapshot, wall: Row, part: int, policy: Policy, at: int, within: Mapping[int, Floats] | None = None
) -> Look:
    """What a policy wants done with a part of a wall; `within`: what a budget leaves of it (see `kept`)."""
    found = read(tx, wall["wall"], part, sized=False)
    retention = policy.retention(found.traces, at) if within is None else _within(within, part, found)
    said = verdict(policy, found.traces, retention, found.held, at)
    weights = np.minimum(said.weights, found.most)
    erase = _erasable(tx, [row for row, gone in zip(found.rows, said.erase.tolist(), strict=True) if gone])
    changes = Changes("fade", wall["tenant"])
    for who in np.flatnonzero(weights != found.held).tolist():
        row, weight = found.rows[who], float(weights[who])
        if row["id"] in erase:
            continue
        if who in found.links:
            changes.unlinks.append(found.links[who])
        if weight < 1.0:
            changes.links.append({**link_to(dict(row), row["id"], FADES), "weight": weight})
        changes.entries.append(_entry(row, weight, float(found.held[who])))
    again = FOREVER if not np.isfinite(said.due) else max(int(said.due) + MARGIN, at + REST)
    return Look(changes, erase, again, int((weights > 0.0).sum()), int((weights == 0.0).sum()))


def _within(within: Mapping[int, Floats], part: int, found: Part) -> Floats:
    nums = np.array([row["num"] for row in found.rows], np.intp) - part * PART
    left = within[part][nums] if part in within else np.full(len(nums), np.nan)
    return np.where(np.isnan(left), found.held > 0.0, left)  # what has come since stays as it is


def _entry(row: Row, weight: float, held: float) -> Entry:
    left = "cold" if weight == 0.0 else f"{weight:.0%} left" if weight < 1.0 else "all of it is back"
    return Entry(row["id"], "faded" if weight < held else "restored", left, row["revision"])


def _erasable(tx: Snapshot, rows: Iterable[Row]) -> dict[str, str]:
    """Those of these records that can go with all that rests on them, and what goes with them.

    A message goes as a whole or not at all, and nothing goes on which a record rests that is still believed and stays.
    """
    ids = {row["id"] for row in rows}
    while ids:
        whole = {row["id"]: row for row in whole_messages(tx, list(latest_of(tx, sorted(ids)).values()))}
        reasons = with_dependents(tx, sorted(ids))
        others = latest_of(tx, [id_ for id_ in reasons if id_ not in ids])
        staying = [id_ for id_, row in others.items() if row["kind"] != "act" and row["retired_at"] is None]
        torn = {row["num"] - row["part"] for id_, row in whole.items() if id_ not in ids and row["retired_at"] is None}
        torn_ids = {i for i, r in whole.items() if r["part"] is not None and r["num"] - r["part"] in torn}
        blocked = (torn_ids | _under(tx, staying)) & ids
        if not blocked:
            return {id_: "faded long ago" if id_ in ids else reason for id_, reason in reasons.items()}
        ids -= blocked
    return {}


def _under(tx: Snapshot, ids: Iterable[str]) -> set[str]:
    """What these records rest on, and what that rests on."""
    found: set[str] = set()
    frontier = set(ids)
    while frontier:
        links = tx.rows("links_from", ids=json.dumps(sorted(frontier)), role="derived_from")
        frontier = {link["target_id"] for link in links} - found
        found |= frontier
    return found


def looked(tx: Transaction, wall: int, part: int, policy: Policy, done: Look) -> None:
    """Keep when a part is to be looked at again."""
    tx.run("set_decay", wall=wall, part=part, policy=repr(policy), due=done.due, warm=done.warm, cold=done.cold)


def coarsen(tx: Transaction, wall: Row) -> None:
    """Keep the vectors of what is cold in one byte a number, in the segments of which a quarter has come to be cold.

    So a segment is written anew four times at most. What is warm again keeps its small vectors until a rebuild.
    """
    segments = tx.rows("segments_coarse", wall=wall["wall"])
    cold = sum(row["cold"] for row in tx.rows("decays_in", wall=wall["wall"]))
    if not segments or 4 * (cold - sum(row["coarse"] for row in segments)) < sum(row["size"] for row in segments):
        return
    for row in segments:
        first, until = row["first"], row["first"] + row["size"]
        nums = [one["num"] - first for one in tx.rows("cold_in", wall=wall["wall"], first=first, until=until)]
        if 4 * (len(nums) - row["coarse"]) < row["size"]:
            continue
        kept = tx.row("segment_of", wall=wall["wall"], num=first)
        assert kept is not None
        segment = segment_of(kept)
        coarse = np.zeros(row["size"], np.bool_) if segment.coarse is None else segment.coarse.copy()
        coarse[nums] = True
        tx.run("drop_segment", wall=wall["wall"], first=first)
        add_segment(tx, wall["wall"], replace(segment, coarse=coarse), kept["space"])
        tx.run("raise_epoch", wall=wall["wall"])  # every process reads the same vectors


def told(done: Sequence[Receipt], upkeep: Receipt) -> Receipt:
    """The receipt of an upkeep that has let records fade: that of the first step, with the entries of all."""
    if not done:
        return upkeep
    entries = tuple(entry for receipt in done for entry in receipt.entries)
    steps = [receipt.id for receipt in done if receipt.verb == "fade"]
    notes = (f"undo takes back one step of forgetting at a time: {', '.join(steps)}",) if len(steps) > 1 else ()
    first = next((receipt for receipt in done if receipt.verb == "fade"), upkeep)
    return replace(first, verb=upkeep.verb, entries=entries, notes=notes)
