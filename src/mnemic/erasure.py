"""Erasing: what must go with a record, and its words out of rows, index and links."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from mnemic import postings
from mnemic.analysis import Writing
from mnemic.changes import BLANK, COLUMNS, Stamp, Values, next_revision, writing_of
from mnemic.commit import add_segment, log, look_again, payload_hash, segment_of
from mnemic.entities import acts_naming, gone_names, set_by
from mnemic.keeping import is_kept, mark_stale, parts_of
from mnemic.lookup import key_holder, latest_of
from mnemic.placing import displace
from mnemic.records import is_view
from mnemic.stores.sqlite import Snapshot, Transaction
from mnemic.types import Entry


def with_dependents(tx: Snapshot, ids: Iterable[str]) -> dict[str, str]:
    """What must go when these records go, and why: {id: reason}.

    Everything that rests on an erased record goes; so does an act whose every outcome is gone, since it holds the
    words of what it made.
    """
    reasons = dict.fromkeys(ids, "named")
    _with_what_rests(tx, reasons, list(reasons))
    named = _acts_of_gone_names(tx, reasons)
    reasons |= named
    _with_what_rests(tx, reasons, list(named))
    every = json.dumps(list(reasons))
    touching = tx.rows("links_touching", ids=every)
    resting_on = {link["target_id"] for link in touching if link["role"] == "derived_from"} - reasons.keys()
    rows = latest_of(tx, sorted(resting_on))
    acts = [id_ for id_, row in rows.items() if row["kind"] == "act" and not set_by(row)]
    if acts:
        outcomes: dict[str, set[str]] = {}
        for link in tx.rows("links_to", ids=json.dumps(sorted(acts)), role="derived_from"):
            outcomes.setdefault(link["target_id"], set()).add(link["source_id"])
        made = latest_of(tx, sorted(set[str]().union(*outcomes.values())))
        views = {id_ for id_, row in made.items() if is_view(row)}  # they only say again what others say
        for act in sorted(acts):
            if outcomes[act] - views <= reasons.keys():
                reasons[act] = "the act that wrote it"
                _with_what_rests(tx, reasons, [act])
    return reasons


def _with_what_rests(tx: Snapshot, reasons: dict[str, str], frontier: list[str]) -> None:
    """Add what rests on these, and on that, and so on."""
    while frontier:
        found = tx.rows("links_to", ids=json.dumps(frontier), role="derived_from")
        frontier = []
        for link in found:
            if link["source_id"] not in reasons:
                reasons[link["source_id"]] = f"rests on {link['target_id']}"
                frontier.append(link["source_id"])


def _acts_of_gone_names(tx: Snapshot, reasons: Mapping[str, str]) -> dict[str, str]:
    """The acts that merged or split names of which no word is left."""
    found: dict[str, str] = {}
    for wall, (_, gone) in gone_names(tx, latest_of(tx, list(reasons)).values()).items():
        for id_ in acts_naming(tx, wall, gone):
            if id_ not in reasons:
                found[id_] = "it names who is named nowhere else"
    return found


def erase(
    tx: Transaction,
    ids: Mapping[str, str],
    tenant: str,
    stamp: Stamp,
    tokens_of: Callable[[Sequence[Writing], str | None], list[Any] | None],
) -> list[Entry]:
    """Empty the records' rows, take their documents out of the index, drop their links, and log it.

    `tokens_of(writings, space)` gives the embedder tokens that the documents had, or None where that embedder is not at
    hand: then the token counts of their segments go as a whole.
    """
    entries: list[Entry] = []
    steps: list[tuple[str, Values, bytes | None]] = []
    named = _names_of(tx, ids)
    gone: dict[int, dict[int, Writing]] = {}
    views: set[str] = set()
    stale: set[tuple[int, str]] = set()
    slots: dict[int, set[str]] = {}
    for id_, reason in ids.items():
        revisions = [dict(row) for row in tx.rows("revisions_of", id=id_)]
        last = revisions[-1]
        views |= {id_} if is_view(last) else set()
        stale |= {(row["wall"], part) for row in revisions for part in parts_of(row)}
        if last["derivation"] is not None and last["fingerprint"] is not None:
            slots.setdefault(last["wall"], set()).add(last["fingerprint"])
        for row in revisions:
            if row["num"] is not None and row["text"] is not None:
                gone.setdefault(row["wall"], {})[row["num"]] = writing_of(row)
        tx.run("drop_pending", wall=last["wall"], nums=json.dumps([row["num"] for row in revisions]))
        tx.run("empty_record", id=id_, receipt=stamp.receipt, at=stamp.at)
        steps.append(("erased", last, None))
        if last["kind"] != "act":
            entries.append(Entry(id_, "erased", reason, last["revision"]))
    _forget_names(tx, ids, named)
    _derive_anew(tx, [*(ids.keys() - views), *_beside(tx, slots)], ids.keys())
    if is_kept(tx, tenant):
        numbered = [{"wall": wall, "num": num} for wall, documents in gone.items() for num in documents]
        mark_stale(tx, stale | displace(tx, numbered))
    steps += _taken_over_by(tx, ids, stamp)
    tx.run("drop_links", ids=json.dumps(list(ids)))
    tx.run("drop_answers", ids=json.dumps(list(ids)))  # a model's words about the erased are the erased's
    tx.run("drop_answer_evidence", ids=json.dumps(list(ids)))
    tx.run("silence_calls", tenant=tenant)
    for wall, documents in gone.items():
        _erase_documents(tx, wall, documents, tokens_of)
        tx.run("raise_epoch", wall=wall)
    log(tx, tenant, "erase", steps, stamp)
    tx.owe_purge(stamp.receipt)
    return entries


def _names_of(tx: Snapshot, ids: Mapping[str, str]) -> dict[int, tuple[set[str], list[int]]]:
    """The names that these records hold, wall by wall, and the numbers of the episodes among them."""
    rows = latest_of(tx, list(ids))
    found = {wall: (names, list[int]()) for wall, (names, _) in gone_names(tx, rows.values()).items()}
    for row in rows.values():
        if row["kind"] == "episode" and row["num"] is not None and row["wall"] in found:
            found[row["wall"]][1].append(row["num"])
        elif row["kind"] == "act" and (names := set_by(row)):
            found.setdefault(row["wall"], (set(), []))[0].update(names, names.values())
    return found


def _forget_names(tx: Transaction, ids: Mapping[str, str], named: Mapping[int, tuple[set[str], list[int]]]) -> None:
    """Whom the names mean that these records held has to be found out anew, from what is left."""
    tx.run("drop_called_entities", ids=json.dumps(list(ids)))
    for wall, (names, nums) in named.items():
        tx.run("drop_names_at", wall=wall, nums=json.dumps(nums))
        look_again(tx, wall, names)


def _beside(tx: Snapshot, slots: Mapping[int, Set[str]]) -> list[str]:
    """The derived records that share a slot with one that goes: what stood apart for its sake may be one again."""
    prints = {wall: json.dumps(sorted(found)) for wall, found in slots.items()}
    rows = [row for wall, found in prints.items() for row in tx.rows("by_fingerprint", wall=wall, fingerprints=found)]
    return [row["id"] for row in rows]


def _derive_anew(tx: Transaction, ids: Sequence[str], gone: Set[str]) -> None:
    """What these derived records rest on, beside what is gone, has to say it anew; so has what they superseded."""
    before = {link["target_id"] for link in tx.rows("links_from", ids=json.dumps(ids), role="supersedes")}
    links = tx.rows("links_from", ids=json.dumps([*ids, *sorted(before - gone)]), role="derived_from")
    left = sorted({link["target_id"] for link in links if link["retired_at"] is None} - gone)
    for row in latest_of(tx, left).values():
        if row["kind"] == "episode" and row["num"] is not None:
            tx.run("add_pending", wall=row["wall"], num=row["num"])


def _taken_over_by(tx: Transaction, ids: Mapping[str, str], stamp: Stamp) -> list[tuple[str, Values, bytes | None]]:
    """What the erased records had superseded is as true again as it was before them: a new revision each."""
    steps: list[tuple[str, Values, bytes | None]] = []
    for link in tx.rows("links_from", ids=json.dumps(list(ids)), role="supersedes"):
        if link["target_id"] in ids:
            continue
        revisions = [dict(row) for row in tx.rows("revisions_of", id=link["target_id"])]
        now = revisions[-1]
        if now["superseded_by"] != link["source_id"] or now["retired_at"] is not None or now["erased_by"] is not None:
            continue
        successors = latest_of(tx, [row["superseded_by"] for row in revisions if row["superseded_by"] is not None])
        left = {id_ for id_, row in successors.items() if row["erased_by"] is None}
        # It was never without one where both came in one call.
        before = next((row for row in reversed(revisions) if row["superseded_by"] in {None, *left}), BLANK)
        values = {**next_revision(now), "superseded_by": before["superseded_by"], "valid_to": before["valid_to"]}
        if key_holder(tx, values) is not None:
            values["key"] = None  # another record has it by now
        salt = os.urandom(16)
        values |= {"recorded_at": stamp.at, "opened_by": stamp.receipt, "salt": salt}
        tx.run("close_record", id=now["id"], revision=now["revision"], at=stamp.at, receipt=stamp.receipt)
        tx.run("add_record", **{name: values[name] for name in COLUMNS})
        tx.run("touch_wall", wall=values["wall"])
        if values["kind"] == "episode" and values["num"] is not None:
            tx.run("add_pending", wall=values["wall"], num=values["num"])  # it says again what it said
        steps.append(("restored", values, payload_hash(salt, values)))
    return steps


def _erase_documents(
    tx: Transaction,
    wall: int,
    documents: Mapping[int, Writing],
    tokens_of: Callable[[Sequence[Writing], str | None], list[Any] | None],
) -> None:
    left = sorted(documents)
    while left:
        row = tx.row("segment_of", wall=wall, num=left[0])
        if row is None:  # not indexed
            left = left[1:]
            continue
        end = row["first"] + row["size"]
        here = [number for number in left if number < end]
        left = left[len(here) :]
        segment = segment_of(row)
        tokens = tokens_of([documents[number] for number in here], row["space"])
        if tokens is None:
            nothing = np.empty(0, np.int64)
            segment = replace(segment, tokens=nothing.astype(np.int32), token_counts=nothing)
            tokens = [np.empty(0, np.int32)] * len(here)
        tx.run("drop_segment", wall=wall, first=row["first"])
        rewritten = postings.without(segment, dict(zip(here, tokens, strict=True)))
        add_segment(tx, wall, rewritten, row["space"])
