"""The one place that writes changes: records, documents, links, journal and receipt, together or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnemic import postings
from mnemic.changes import FILE, PAYLOAD, Changes, Stamp, Values
from mnemic.entities import Recall, set_by
from mnemic.errors import ConflictError
from mnemic.fading import FADES, FORGET
from mnemic.lookup import key_holder, latest_of
from mnemic.messages import json_text
from mnemic.postings import Document, Segment
from mnemic.stores.sqlite import Row, Transaction
from mnemic.times import moment
from mnemic.types import Receipt


def commit(tx: Transaction, changes: Changes, stamp: Stamp) -> Receipt:
    """Write all of it. The only function that does, erasures aside."""
    _keep_called(tx, changes)
    if not changes:
        return _receipt(changes, stamp)
    _give_numbers(tx, changes, stamp)
    journal: list[tuple[str, Values, bytes | None]] = []
    for closing in changes.closings:
        values = closing.values
        tx.run("close_record", id=values["id"], revision=values["revision"], at=stamp.at, receipt=stamp.receipt)
        if closing.entry is not None:
            journal.append((closing.entry.action, values, None))
    for opening in changes.openings:
        _refuse_taken_key(tx, opening.values)
    salts = os.urandom(16 * len(changes.openings))
    rows: list[Values] = []
    for number, opening in enumerate(changes.openings):
        salt = salts[16 * number : 16 * number + 16]
        values: Values = {**opening.values, "recorded_at": stamp.at, "opened_by": stamp.receipt, "salt": salt}
        rows.append(values)
        journal.append((opening.action, values, payload_hash(salt, values)))
    journal += _fading(tx, changes)
    tx.run_many("add_record", rows)
    tx.run_many(
        "add_link",
        ({**_OPEN_LINK, **link, "recorded_at": stamp.at, "opened_by": stamp.receipt} for link in changes.links),
    )
    tx.run_many("close_link", ({"row": row, "at": stamp.at, "receipt": stamp.receipt} for row in changes.unlinks))
    if changes.undoes is not None:
        _undo_links(tx, changes.undoes, stamp)
    if not changes.settled:
        tx.run_many("add_pending", _due(tx, changes, rows))
    for wall, names in _set_by_hand(changes):
        look_again(tx, wall, names)
    changed = {values["wall"] for closing in changes.closings if (values := closing.values)["num"] is not None}
    changed |= {o.values["wall"] for o in changes.openings if o.document is None and o.values["num"] is not None}
    for wall in sorted(changed):
        tx.run("touch_wall", wall=wall)
    log(tx, changes.tenant, changes.verb, journal, stamp, undoes=changes.undoes, details=changes.details)
    return _receipt(changes, stamp)


def _due(tx: Transaction, changes: Changes, opened: Iterable[Values]) -> Iterator[Values]:
    """The episodes that are new or changed: something has to be derived from them.

    So it has from those that a request to forget rests on, where that was taken back or brought back by hand, or where
    a file has changed, which may tell what is to be forgotten.
    """
    every = [*opened, *(closing.values for closing in changes.closings)]
    requests = [values["id"] for values in every if values["kind"] == FORGET and changes.verb != "derive"]
    for wall in sorted({values["wall"] for values in every if values["kind"] == FILE}):
        requests += [row["id"] for row in tx.rows("requests_to_forget", wall=wall)]
    if requests:
        links = tx.rows("links_from", ids=json.dumps(requests), role="derived_from")
        every += latest_of(tx, sorted({link["target_id"] for link in links})).values()
    for values in every:
        if values["kind"] == "episode" and values["num"] is not None:
            yield {"wall": values["wall"], "num": values["num"]}


def _fading(tx: Transaction, changes: Changes) -> Iterator[tuple[str, Values, bytes | None]]:
    """The steps of the journal for records that fade or no longer do: a link alone has none, and undo goes by them."""
    steps = {link["target_id"]: "faded" for link in changes.links if link["role"] == FADES}
    if changes.unlinks:
        rows = tx.rows("links_numbered", rows=json.dumps(changes.unlinks))
        steps = {row["target_id"]: "regained" for row in rows if row["role"] == FADES} | steps
    latest = latest_of(tx, list(steps))
    yield from ((steps[id_], row, None) for id_, row in latest.items() if row["erased_by"] is None)


def _keep_called(tx: Transaction, changes: Changes) -> None:
    gone = [row for row in changes.called if row["about"] is None]
    tx.run_many("drop_called", ({"wall": row["wall"], "name": row["name"]} for row in gone))
    tx.run_many("keep_called", (row for row in changes.called if row["about"] is not None))


def _set_by_hand(changes: Changes) -> Iterator[tuple[int, set[str]]]:
    """The names of acts of merging and splitting that come into force, or lose it."""
    for values in (*(one.values for one in changes.openings), *(one.values for one in changes.closings)):
        if values["kind"] == "act" and values["fingerprint"] is not None:
            names = set_by(values)
            yield values["wall"], {*names, *names.values()}


def keep_names(tx: Transaction, recall: Recall) -> None:
    """Keep what episodes call whom."""
    tx.run_many("drop_name", ({name: row[name] for name in ("wall", "name", "other", "num")} for row in recall.gone))
    tx.run_many("add_name", recall.fresh)


def look_again(tx: Transaction, wall: int, names: Iterable[str]) -> None:
    """Whom these names mean has to be found out anew: an episode that has each is derived from again.

    So are those whom they meant so far: their records have these names.
    """
    every = set(names)
    every |= {row["about"] for row in tx.rows("called", wall=wall, names=json.dumps(sorted(every)))}
    listed = json.dumps(sorted(every))
    tx.run("unsettle_called", wall=wall, names=listed)
    tx.run("pending_names", wall=wall, names=listed)


def _refuse_taken_key(tx: Transaction, values: Values) -> None:
    holder = key_holder(tx, values)
    if holder is not None:
        raise ConflictError(
            f"the key {values['key']!r} belongs to '{holder['id']}': update, retire or supersede that first",
            [holder["opened_by"]],
        )


_OPEN_LINK: Values = {"retired_at": None, "closed_by": None}


def _receipt(changes: Changes, stamp: Stamp) -> Receipt:
    return Receipt(
        stamp.receipt, changes.verb, moment(stamp.at), tuple(changes.entries), stamp.actor, notes=tuple(changes.notes)
    )


def _give_numbers(tx: Transaction, changes: Changes, stamp: Stamp) -> None:
    """Number the new documents in their walls and put them into the index."""
    fresh: dict[int, list[int]] = {}
    for place, opening in enumerate(changes.openings):
        if opening.document is not None:
            fresh.setdefault(opening.values["wall"], []).append(place)
    for wall, places in fresh.items():
        row = tx.row("wall_by_number", wall=wall)
        assert row is not None
        first: int = row["size"]
        documents: list[Document] = []
        for number, place in enumerate(places, first):
            opening = changes.openings[place]
            assert opening.document is not None
            documents.append(opening.document)
            changes.openings[place] = replace(opening, values={**opening.values, "num": number})
        tx.run("grow_wall", wall=wall, more=len(places))
        append_documents(tx, wall, first, documents, stamp.space)


def append_documents(tx: Transaction, wall: int, first: int, documents: Sequence[Document], space: str | None) -> None:
    """Put documents behind the last ones of a wall, and merge the small segments that this completes."""
    for start in range(0, len(documents), postings.LARGEST // 2):
        chunk = documents[start : start + postings.LARGEST // 2]
        add_segment(tx, wall, postings.build(first + start, chunk), space)
    last = tx.rows("segment_sizes", wall=wall)
    alike = next((i for i, row in enumerate(last) if row["space"] != space), len(last))
    last = last[:alike]
    run = postings.due([row["size"] for row in reversed(last)])
    if run:
        rows = tx.rows("segments_in", wall=wall, first=last[run - 1]["first"])
        for row in rows:
            tx.run("drop_segment", wall=wall, first=row["first"])
        add_segment(tx, wall, postings.merge([segment_of(row) for row in rows]), space)


def add_segment(tx: Transaction, wall: int, segment: Segment, space: str | None) -> None:
    """Keep a segment."""
    vectors, coarse = _packed_vectors(segment)
    tx.run(
        "add_segment",
        wall=wall,
        first=segment.first,
        size=segment.size,
        terms=segment.terms.tobytes(),
        starts=segment.starts.tobytes(),
        documents=segment.documents.tobytes(),
        counts=segment.counts.tobytes(),
        lengths=segment.lengths.tobytes(),
        space=space,
        dims=None if segment.vectors is None else segment.vectors.shape[1],
        tokens=segment.tokens.tobytes(),
        token_counts=segment.token_counts.tobytes(),
        vectors=vectors,
        coarse=coarse,
    )


def _packed_vectors(segment: Segment) -> tuple[bytes | None, bytes | None]:
    """A segment's vectors as they are kept: those of two bytes a number; and the rest, behind bits that say whose."""
    if segment.vectors is None:
        return None, None
    if segment.coarse is None or not segment.coarse.any():
        return segment.vectors.tobytes(), None
    scales, numbers = postings.coarsened(segment.vectors[segment.coarse])
    coarse = np.packbits(segment.coarse).tobytes() + scales.tobytes() + numbers.tobytes()
    return segment.vectors[~segment.coarse].tobytes(), coarse


def _unpacked_vectors(row: Row) -> tuple[NDArray[np.float16] | None, NDArray[np.bool_] | None]:
    """What `_packed_vectors` has made small."""
    if row["vectors"] is None:
        return None, None
    size, dims = row["size"], row["dims"]
    fine = np.frombuffer(row["vectors"], np.float16).reshape(-1, dims)
    if row["coarse"] is None:
        return fine, None
    coarse = np.unpackbits(np.frombuffer(row["coarse"], np.uint8, -(-size // 8)), count=size).astype(np.bool_)
    many, first = int(coarse.sum()), -(-size // 8)
    scales = np.frombuffer(row["coarse"], np.float32, many, first)
    numbers = np.frombuffer(row["coarse"], np.int8, offset=first + scales.nbytes).reshape(many, dims)
    vectors = np.empty((size, dims), np.float16)
    vectors[~coarse] = fine
    vectors[coarse] = postings.refined(scales, numbers)
    return vectors, coarse


def segment_of(row: Row) -> Segment:
    """A segment as it was kept."""
    vectors, coarse = _unpacked_vectors(row)
    return Segment(
        row["first"],
        row["size"],
        np.frombuffer(row["terms"], np.uint64),
        np.frombuffer(row["starts"], np.uint32),
        np.frombuffer(row["documents"], np.uint16),
        np.frombuffer(row["counts"], np.uint16),
        np.frombuffer(row["lengths"], np.uint32),
        np.frombuffer(row["tokens"], np.int32),
        np.frombuffer(row["token_counts"], np.int64),
        vectors,
        coarse,
    )


def _undo_links(tx: Transaction, receipt: str, stamp: Stamp) -> None:
    tx.run("close_links_of_receipt", of=receipt, at=stamp.at, receipt=stamp.receipt)
    for row in tx.rows("links_closed_by", receipt=receipt):
        again = {name: row[name] for name in dict(row) if name != "row"}
        tx.run("add_link", **{**again, **_OPEN_LINK, "recorded_at": stamp.at, "opened_by": stamp.receipt})


def payload_hash(salt: bytes, values: Mapping[str, Any]) -> bytes:
    """What the journal holds of a revision: sha256 over its salt and its content as JSON."""
    content = json.dumps([values[name] for name in PAYLOAD], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(salt + content.encode()).digest()


def chain_hash(previous: bytes, *fields: object) -> bytes:
    """The hash of a journal row: sha256 over the hash before it and the row's other columns as JSON."""
    plain = [field.hex() if isinstance(field, bytes) else field for field in fields]
    return hashlib.sha256(previous + json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def log(
    tx: Transaction,
    tenant: str,
    verb: str,
    steps: Sequence[tuple[str, Values, bytes | None]],
    stamp: Stamp,
    *,
    undoes: str | None = None,
    details: Values | None = None,
) -> None:
    """Write the receipt and its rows of the tenant's chain: (action, the revision's values, payload hash)."""
    seq, previous = stamp.seq, stamp.hash
    first = seq + 1
    rows: list[Values] = []
    for action, values, payload in steps:
        seq += 1
        row: Values = {
            "tenant": tenant,
            "seq": seq,
            "receipt": stamp.receipt,
            "at": stamp.at,
            "actor": stamp.actor,
            "action": action,
            "wall": values["wall"],
            "num": values["num"],
            "id": values["id"],
            "revision": values["revision"],
            "payload": payload,
        }
        previous = chain_hash(previous, *row.values())
        rows.append({**row, "hash": previous})
    tx.run(
        "add_receipt",
        id=stamp.receipt,
        tenant=tenant,
        verb=verb,
        at=stamp.at,
        actor=stamp.actor,
        first_seq=first,
        last_seq=seq,
        undoes=undoes,
        details=json_text(details, "details") if details else None,
    )
    tx.run_many("add_journal", rows)
