"""Writing: decide first, then act.

Each verb's function reads what it must inside the transaction and returns `Changes`, a value; `commit` is the one place
that writes them: records, documents, links, journal and receipt, together or not at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mnemic import postings
from mnemic.analysis import Writing
from mnemic.errors import ConflictError, InputError, NotFoundError
from mnemic.messages import Message, json_text
from mnemic.postings import Document, Segment
from mnemic.records import state_of
from mnemic.scope import Place, Reach
from mnemic.stores.sqlite import Fields, Row, Snapshot, Transaction
from mnemic.times import FOREVER, moment
from mnemic.types import SOURCES, Entry, Receipt

Values = dict[str, Any]
"""The columns of one revision, by name."""

PAYLOAD = [
    "id",
    "revision",
    "kind",
    "key",
    "text",
    "subject",
    "aliases",
    "purpose",
    "data",
    "metadata",
    "payload_ref",
    "role",
    "speaker",
    "agent",
    "session",
    "message_id",
    "part",
    "start",
    "stop",
    "source",
    "author",
    "confidence",
    "pinned",
    "quarantined",
    "time",
    "time_precision",
    "valid_from",
    "valid_to",
    "valid_precision",
    "expires_at",
    "superseded_by",
    "derivation",
]
"""What the journal's hash of a revision covers, in this order."""
_COLUMNS = (
    *PAYLOAD,
    "fingerprint",
    "wall",
    "num",
    "recorded_at",
    "retired_at",
    "opened_by",
    "closed_by",
    "erased_by",
    "salt",
)
_BLANK: Values = {**dict.fromkeys(_COLUMNS), "pinned": 0, "quarantined": 0, "revision": 1, "source": "unknown"}
_INDEXED = ("text", "subject", "aliases")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Wall:
    """One wall's row."""

    number: int
    tenant: str
    project: str
    user: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A revision to be opened. `document` is given where its text is new to the index."""

    values: Values
    action: str
    reason: str = ""
    document: Document | None = None
    quiet: bool = False
    """Not listed in the receipt: an act, a later passage."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A revision that the memory no longer holds. `entry` is None where another revision of the id follows at once."""

    values: Values
    entry: Entry | None = None


@dataclass(slots=True)
class Changes:
    """All that one call does."""

    verb: str
    tenant: str
    openings: list[Opening] = field(default_factory=list[Opening])
    closings: list[Closing] = field(default_factory=list[Closing])
    links: list[Values] = field(default_factory=list[Values])
    entries: list[Entry] = field(default_factory=list[Entry])
    """For the receipt, in the order in which they were decided."""
    undoes: str | None = None
    details: Values = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])

    def open(self, opening: Opening) -> None:
        """A revision is to be opened, which the receipt tells unless it is quiet."""
        self.openings.append(opening)
        if not opening.quiet:
            values = opening.values
            self.entries.append(Entry(values["id"], _action(opening.action), opening.reason, values["revision"]))

    def close(self, closing: Closing) -> None:
        """A revision is to be closed, which the receipt tells where nothing follows it."""
        self.closings.append(closing)
        if closing.entry is not None:
            self.entries.append(closing.entry)

    def __bool__(self) -> bool:
        return bool(self.openings or self.closings or self.links or self.undoes)


# -- ids


def new_id(scope: Sequence[str | None], at: int) -> str:
    """A record's id: 26 characters, 5 from its scope, 10 from the time and 11 by chance.

    Records that are written together lie together in the store. Nothing of the content is in it: history keeps the id
    of what was erased, and a hash of the words would let anyone test a guess.
    """
    tail = (at & (2**50 - 1)) << 60 | int.from_bytes(os.urandom(8), "big") >> 4
    return _scope_code(scope) + _base32(tail.to_bytes(15, "big"))[2:23]


def made_id(*parts: object) -> str:
    """The id of a record that follows from others' ids and nothing else: a later passage, an act."""
    code = _base32(hashlib.blake2b(_joined(parts), digest_size=15, person=b"mnemic record").digest())
    return str(parts[0])[:5] + code[:21]


def fingerprint(scope: Sequence[str | None], *content: object) -> str:
    """What the same content in the same scope is known by. Unlike the id it goes with an erasure."""
    return hashlib.blake2b(_joined([*scope, *content]), digest_size=16, person=b"mnemic content").hexdigest()


@lru_cache(1024)
def _scope_code(scope: Sequence[str | None]) -> str:
    return _base32(hashlib.blake2b(_joined(scope), digest_size=15, person=b"mnemic scope").digest())[:5]


def _joined(parts: Iterable[object]) -> bytes:
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest).decode().lower()


def new_receipt_id(at: int) -> str:
    """Receipt ids sort by time."""
    return f"r{at:015x}{os.urandom(4).hex()}"


def is_indexed(fields: Iterable[str]) -> bool:
    """Whether the index reads one of these columns."""
    return any(name in _INDEXED for name in fields)


def kind_of(kind: object) -> str:
    """A kind's name, checked."""
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise InputError(
            f"kind={kind!r} is not a kind's name: lower-case letters, digits and _, at most 40, such as 'fact'"
        )
    if kind in ("episode", "act"):
        raise InputError(
            f"kind={kind!r} is kept for what was observed: use add() for episodes; acts are written by the verbs"
        )
    return kind


# -- add


@dataclass(frozen=True, slots=True)
class Piece:
    """A message, or one passage of it, analysed: what `add` has prepared before the lock."""

    message: Message
    text: str
    passage: tuple[int, int, int] | None
    """Which passage, its start and its end in the message; None for a whole message."""
    document: Document


def added(
    tx: Transaction,
    wall: Wall,
    place: Place,
    messages: Sequence[Sequence[Piece]],
    *,
    author: str | None,
    idempotency_key: str | None,
    at: int,
) -> Changes:
    """Episodes for messages, each given as its pieces.

    What is already held is ignored; another text under a known message id is an edit, which supersedes the version
    before it.
    """
    changes = Changes("add", place.tenant)
    identities = _identities(place, messages, idempotency_key)
    prints = [identity for identity in identities if isinstance(identity, str)]
    held = _by_fingerprint(tx, wall, prints)
    known = _known_messages(tx, wall, [message[0].message.message_id for message in messages])
    versions: dict[tuple[str, str | None, str | None], list[list[Values]]] = {}
    repeats = 0
    for pieces, identity in zip(messages, identities, strict=True):
        message = pieces[0].message
        if isinstance(identity, str):
            if identity in held:
                parts = _parts(tx, held[identity])
                if not _says(parts, message):
                    raise ConflictError(
                        f"idempotency_key={idempotency_key!r} was used for another message ('{parts[0]['id']}'): "
                        "pass a new key for new messages"
                    )
                restored = _again(tx, changes, parts)
                repeats += not restored and message.time is None and idempotency_key is None
            else:
                _open(changes, _episodes(pieces, wall, place, author, at, identity), pieces)
            continue
        if identity not in versions:
            versions[identity] = _versions(tx, wall, identity) if identity[0] in known else []
        edits = versions[identity]
        same = next((edit for edit in edits if _says(edit, message)), None)
        if same is not None:
            if _again(tx, changes, same):
                _edit(changes, [edit for edit in edits if edit is not same], same)
            continue
        fresh = _episodes(pieces, wall, place, author, at, None)
        current = [edit[0] for edit in edits if edit[0]["retired_at"] is None and edit[0]["superseded_by"] is None]
        if reason := _protected(current, message.source):
            for values in fresh:
                values["quarantined"] = 1
            _open(changes, fresh, pieces, "quarantined", reason)
        else:
            _open(changes, fresh, pieces)
            _edit(changes, edits, fresh)
        edits.append(fresh)
    if repeats:
        changes.notes.append(
            f"{repeats} without a time or an id said what is already held, and was taken for the same: "
            "give each message its time or id to keep repeats apart"
        )
    return changes


_Identity = str | tuple[str, str | None, str | None]


def _identities(place: Place, messages: Sequence[Sequence[Piece]], idempotency_key: str | None) -> list[_Identity]:
    """What each message is told apart by: its id and stamps where it has an id, else its fingerprint."""
    equals: dict[tuple[Any, ...], int] = {}
    found: list[_Identity] = []
    for index, pieces in enumerate(messages):
        message = pieces[0].message
        stamps = (message.agent or place.agent, message.session or place.session)
        if message.message_id is not None:
            found.append((message.message_id, *stamps))
            continue
        scope = (place.tenant, place.project, place.user, *stamps)
        if idempotency_key is not None:
            found.append(fingerprint(scope, "call", idempotency_key, index))
            continue
        said = (message.role, message.speaker, message.time and message.time.start, message.text)
        nth = equals[(scope, said)] = equals.get((scope, said), -1) + 1
        found.append(fingerprint(scope, "said", *said, nth))
    return found


def _by_fingerprint(tx: Transaction, wall: Wall, prints: Sequence[str]) -> dict[str, Values]:
    """The latest revisions of the records with these fingerprints; of several the one recorded last."""
    if not prints:
        return {}
    rows = tx.rows("by_fingerprint", wall=wall.number, fingerprints=json.dumps(prints))
    latest = _latest(tx, [row["id"] for row in rows])
    return {row["fingerprint"]: latest[row["id"]] for row in rows}


def _episodes(
    pieces: Sequence[Piece], wall: Wall, place: Place, author: str | None, at: int, known_by: str | None
) -> list[Values]:
    """The revisions of a message's pieces. The first has the message's own id, later passages one made from it."""
    message = pieces[0].message
    stamps = (message.agent or place.agent, message.session or place.session)
    first_id = new_id((place.tenant, place.project, place.user, *stamps), at)
    shared: Values = {
        **_BLANK,
        "wall": wall.number,
        "kind": "episode",
        "role": message.role,
        "speaker": message.speaker,
        "agent": message.agent or place.agent,
        "session": message.session or place.session,
        "message_id": message.message_id,
        "source": message.source,
        "author": author,
        "metadata": message.metadata,
        "time": message.time.start if message.time else at,
        "time_precision": message.time.precision if message.time else "second",
    }
    return [
        {
            **shared,
            "id": first_id if number == 0 else made_id(first_id, "passage", number),
            "fingerprint": None if number else known_by,
            "text": piece.text,
            "data": None if number else message.data,
            **(dict(zip(("part", "start", "stop"), piece.passage, strict=True)) if piece.passage else {}),
        }
        for number, piece in enumerate(pieces)
    ]


def _open(
    changes: Changes, fresh: list[Values], pieces: Sequence[Piece], action: str = "added", reason: str = ""
) -> None:
    for number, (values, piece) in enumerate(zip(fresh, pieces, strict=True)):
        changes.open(Opening(values, action, reason, piece.document, quiet=number > 0))


def _again(tx: Transaction, changes: Changes, rows: list[Values]) -> bool:
    """A message that is already held: ignored, or restored (in `rows`, too) where only an undo had taken it away."""
    first = rows[0]
    if first["closed_by"] is None:
        reason = "already held" if first["superseded_by"] is None else "already held, and edited since"
    else:
        closed = tx.row("receipt", id=first["closed_by"])
        if closed is not None and closed["verb"] == "undo":
            for number, row in enumerate(rows):
                rows[number] = _next(row)
                changes.open(Opening(rows[number], "restored", "its undone add is made again", quiet=number > 0))
            return True
        reason = "already held, and retired since; undo that to have it back"
    changes.entries.append(Entry(first["id"], "ignored", reason, first["revision"]))
    return False


def _edit(changes: Changes, versions: Sequence[list[Values]], fresh: list[Values]) -> None:
    """The pieces of the version that is current (there may be none) make way for the new one's."""
    new = fresh[0]
    for old in versions:
        if old[0]["retired_at"] is not None or old[0]["superseded_by"] is not None:
            continue
        for number, row in enumerate(old):
            valid_to = max(new["time"], row["time"])
            if row["opened_by"] is None:  # both versions came in this very call
                row["valid_to"], row["superseded_by"] = valid_to, new["id"]
                continue
            changes.close(Closing(row))
            old[number] = {**_next(row), "valid_to": valid_to, "superseded_by": new["id"]}
            changes.open(Opening(old[number], "superseded", f"edited: {new['id']}", quiet=number > 0))
        changes.links.append(_link(new, old[0]["id"], "supersedes"))


def _known_messages(tx: Transaction, wall: Wall, ids: Iterable[str | None]) -> frozenset[str]:
    asked = sorted({message_id for message_id in ids if message_id is not None})
    if not asked:
        return frozenset()
    rows = tx.rows("messages_held", wall=wall.number, message_ids=json.dumps(asked))
    return frozenset(row["message_id"] for row in rows)


def _versions(tx: Transaction, wall: Wall, handle: tuple[str, str | None, str | None]) -> list[list[Values]]:
    """The versions of a caller's message, oldest first, each as the latest revisions of its pieces."""
    message_id, agent, session = handle
    rows = tx.rows("versions_of_message", wall=wall.number, message_id=message_id, agent=agent, session=session)
    latest: dict[str, Values] = {}
    for row in rows:
        latest[row["id"]] = dict(row)  # rows come oldest first; a dict keeps the place of an id's first row
    versions: list[list[Values]] = []
    for values in latest.values():
        if not values["part"]:
            versions.append([])
        versions[-1].append(values)
    return versions


def _says(version: Sequence[Values], message: Message) -> bool:
    first = version[0]
    return (first["role"], first["speaker"]) == (message.role, message.speaker) and message.text == "".join(
        row["text"] for row in version
    )


def _parts(tx: Snapshot, first: Values) -> list[Values]:
    return [first] if first["part"] is None else _all_parts(tx, first)


# -- remember, update, retire, undo


UNSET: Any = ...
"""A field that the caller did not name."""


def remembered(
    tx: Transaction,
    wall: Wall,
    place: Place,
    values: Values,
    document: Document,
    *,
    evidence: Sequence[Values],
    supersedes: Sequence[Values],
    act: Values,
    at: int,
) -> Changes:
    """A record written by hand, resting on the act of writing it and on the evidence named.

    The same statement twice is ignored, or revised where it says more. A `key` that is taken is taken over.
    """
    changes = Changes("remember", place.tenant)
    statement = (values["kind"], values["text"], values["subject"])
    scope = (place.tenant, place.project, place.user, place.agent, place.session)
    known_by = fingerprint(scope, "statement", *statement)
    for found in _all_by_fingerprint(tx, wall, known_by):
        current = found["retired_at"] is None and found["superseded_by"] is None and not _ended(found, at)
        current = current and statement == (found["kind"], found["text"], found["subject"])  # or it was updated since
        if current and not (found["quarantined"] and _trust(values["source"]) < _trust(found["source"])):
            return _remembered_again(tx, changes, found, values, evidence, supersedes, act)
    weakest = max([values["source"], *(row["source"] for row in evidence)], key=_trust)
    id_ = new_id(scope, at)
    values = {**_BLANK, **values, "id": id_, "fingerprint": known_by, "wall": wall.number, "source": weakest}
    values["time"] = at if values["time"] is None else values["time"]
    old = {row["id"]: row for row in supersedes}
    if values["key"] is not None:
        holder = tx.row("current_by_key", wall=wall.number, key=values["key"])
        if holder is not None:
            old[holder["id"]] = dict(holder)
    if reason := _protected(old.values(), weakest):
        values["quarantined"] = 1
        changes.open(Opening(values, "quarantined", reason, document))
        old = {}
    else:
        changes.open(Opening(values, "added", document=document))
    for row in old.values():
        if row["wall"] != wall.number:
            raise InputError(
                f"'{row['id']}' belongs to {'another scope' if _user_of(tx, row) else 'everybody here'}, so a record "
                "of this scope cannot take it over: supersede it in its own scope"
            )
        supersede(changes, row, values)
    changes.open(Opening(act, "act", quiet=True))
    changes.links.append(_link(values, act["id"], "derived_from"))
    changes.links += [
        _link(values, row["id"], "derived_from", position=position) for position, row in enumerate(evidence, 1)
    ]
    return changes


def _user_of(tx: Snapshot, row: Values) -> str:
    wall = tx.row("wall_by_number", wall=row["wall"])
    return wall["user"] if wall else ""


def _all_by_fingerprint(tx: Transaction, wall: Wall, known_by: str) -> list[Values]:
    rows = tx.rows("by_fingerprint", wall=wall.number, fingerprints=json.dumps([known_by]))
    return list(_latest(tx, [row["id"] for row in rows]).values())


def _protected(rows: Iterable[Values], source: str) -> str:
    """Why something from this source cannot supersede these records; '' where it can."""
    held = [row["id"] for row in rows if _trust(source) > _trust("user") == _trust(row["source"])]
    if any(row["retired_at"] is not None for row in rows):
        gone = next(row for row in rows if row["retired_at"] is not None)
        raise ConflictError(
            f"'{gone['id']}' is retired, so nothing can supersede it: undo that first", [gone["closed_by"]]
        )
    return f"from '{source}', which never supersedes what the user said: {', '.join(held)}" if held else ""


def _remembered_again(
    tx: Snapshot,
    changes: Changes,
    found: Values,
    values: Values,
    evidence: Sequence[Values],
    supersedes: Sequence[Values],
    act: Values,
) -> Changes:
    new = {
        name: value for name, value in values.items() if value is not None and name not in ("time", "source", "author")
    }
    more = {
        name: value for name, value in new.items() if found[name] != value and name not in ("time_precision", "pinned")
    }
    more |= {"pinned": 1} if values["pinned"] and not found["pinned"] else {}
    more |= {"source": values["source"]} if _trust(values["source"]) < _trust(found["source"]) else {}
    links = tx.rows("links_from", ids=json.dumps([found["id"]]), role="derived_from")
    resting = {link["target_id"] for link in links if link["retired_at"] is None}
    fresh = [row for row in evidence if row["id"] not in resting | {found["id"]}]
    old = [row for row in supersedes if found["id"] not in (row["id"], row["superseded_by"])]
    weakest = max([values["source"], more.get("source", found["source"])], key=_trust)
    refusal = _protected([found, *old] if more else old, weakest)
    if refusal or not (more or fresh or old):
        changes.entries.append(Entry(found["id"], "ignored", refusal or "already known", found["revision"]))
        return changes
    if "key" in more or any(name in more for name in _INDEXED):
        raise ConflictError(
            f"'{found['id']}' already says this with other {', '.join(sorted(more))}: "
            f"change it with update('{found['id']}', …)"
        )
    if more:
        changes.close(Closing(found))
        reason = f"already known; new are {', '.join(more)}"
        changes.open(Opening({**_next(found), **more}, "revised", reason))
    else:
        changes.entries.append(Entry(found["id"], "merged", "already known", found["revision"]))
    for row in old:
        supersede(changes, row, {**found, **more})
    changes.open(Opening(act, "act", quiet=True))
    changes.links.append(_link(found, act["id"], "derived_from"))
    changes.links += [
        _link(found, row["id"], "derived_from", position=position) for position, row in enumerate(fresh, len(links))
    ]
    return changes


def supersede(changes: Changes, old: Values, new: Values) -> None:
    """`new` takes over from `old`, which stays true until `new` begins."""
    begins = new["valid_from"] if new["valid_from"] is not None else new["time"]
    began = old["valid_from"] if old["valid_from"] is not None else old["time"]
    ended = old["valid_to"] if old["valid_to"] is not None else FOREVER
    changes.close(Closing(old))
    closed = {**_next(old), "valid_to": min(ended, max(begins, began)), "superseded_by": new["id"]}
    changes.open(Opening(closed, "superseded", f"by {new['id']}"))
    changes.links.append(_link(new, old["id"], "supersedes"))


def updated(
    row: Values,
    fields: Values,
    *,
    act: Values,
    tenant: str,
    document: Document | None,
) -> Changes:
    """A new revision of a record; `document` is given where what the index reads of it may change."""
    changes = Changes("update", tenant)
    if row["kind"] == "episode":
        raise InputError(
            f"'{row['id']}' is an episode, which stays as it was said: "
            "retire or erase it, or remember(…, supersedes=[…])"
        )
    if row["kind"] == "act":
        raise InputError(f"'{row['id']}' is an act, a piece of history: it cannot be updated")
    if row["retired_at"] is not None:
        raise ConflictError(f"'{row['id']}' is retired: undo that first", [row["closed_by"]])
    new = {name: value for name, value in fields.items() if row[name] != value}
    if not new:
        changes.entries.append(Entry(row["id"], "ignored", "nothing would change", row["revision"]))
        return changes
    values = {**_next(row), **new}
    if (
        values["valid_to"] is not None
        and values["valid_from"] is not None
        and values["valid_to"] < values["valid_from"]
    ):
        begins, ends = moment(values["valid_from"]), moment(values["valid_to"])
        raise InputError(f"valid_to={ends.isoformat()} lies before valid_from={begins.isoformat()}")
    if row["superseded_by"] is not None and "valid_to" in new:
        raise ConflictError(f"'{row['id']}' is superseded by '{row['superseded_by']}', which ended it: undo that first")
    changes.close(Closing(row))
    reread = document if is_indexed(new) else None
    changes.open(Opening(values, "revised", f"changed {', '.join(new)}", reread))
    changes.open(Opening(act, "act", quiet=True))
    changes.links.append(_link(values, act["id"], "derived_from"))
    return changes


def retired(
    rows: Sequence[Values], *, reason: str | None, act_in: Callable[[int, Sequence[str]], Values], tenant: str
) -> Changes:
    """The records are no longer believed. The act is kept wall by wall, each with the ids of its own."""
    changes = Changes("retire", tenant)
    closing: dict[int, list[Values]] = {}
    for row in rows:
        if row["kind"] == "act":
            raise InputError(f"'{row['id']}' is an act, a piece of history: it cannot be retired")
        if row["retired_at"] is not None:
            changes.entries.append(Entry(row["id"], "ignored", "already retired", row["revision"]))
            continue
        changes.close(Closing(row, Entry(row["id"], "retired", reason or "", row["revision"])))
        closing.setdefault(row["wall"], []).append(row)
    for wall, members in closing.items():
        act = act_in(wall, [row["id"] for row in members])
        changes.open(Opening(act, "act", quiet=True))
        changes.links += [_link(row, act["id"], "derived_from") for row in members]
    return changes


def undone(tx: Transaction, receipt: Row, *, act: Values) -> Changes:
    """What takes one receipt back: a new change. Raises ConflictError, naming the later receipts in the way."""
    if receipt["verb"] == "erase":
        raise ConflictError(f"receipt '{receipt['id']}' is an erasure, which is permanent")
    changes = Changes("undo", receipt["tenant"], undoes=receipt["id"])
    later: dict[str, None] = {}
    touched: dict[str, int | None] = {}
    for entry in tx.rows(
        "journal_of_receipt", tenant=receipt["tenant"], first=receipt["first_seq"], last=receipt["last_seq"]
    ):
        if entry["action"] != "act":
            touched[entry["id"]] = entry["revision"] if entry["action"] == "imported" else None
    for id_, imported in touched.items():
        revisions = [dict(row) for row in tx.rows("revisions_of", id=id_)]
        before = next((row for row in revisions if row["closed_by"] == receipt["id"]), None)
        after = next((row for row in reversed(revisions) if row["opened_by"] == receipt["id"]), None)
        if imported is not None:
            after = next((row for row in revisions if row["revision"] == imported), None)
            if after is not None and after["retired_at"] is not None and after["retired_at"] < receipt["at"]:
                continue  # it came retired
        erased = next((row["erased_by"] for row in (before, after) if row is not None and row["erased_by"]), None)
        if erased is not None:
            raise ConflictError(f"'{id_}' was erased since, which is permanent", [erased])
        now = revisions[-1]
        held = now["retired_at"] is None
        if after is not None and (not held or _content(now) != _content(after)):
            later |= dict.fromkeys(_since(revisions, after, receipt["id"]))
            continue
        if after is None and before is not None and held:
            later |= dict.fromkeys(_since(revisions, before, receipt["id"]))
            continue
        if before is None:
            changes.close(Closing(now, Entry(id_, "retired", f"undo of {receipt['id']}", now["revision"])))
            continue
        if after is not None:
            changes.close(Closing(now))
        values = {**_next(before), "revision": now["revision"] + 1}
        changes.open(Opening(values, "restored", f"undo of {receipt['id']}"))
    closing = {closed.values["id"] for closed in changes.closings}
    for opening in changes.openings:
        holder = _holder(tx, opening.values)
        if holder is not None and holder["id"] not in closing:
            taken = [row for row in tx.rows("revisions_of", id=holder["id"]) if row["recorded_at"] > receipt["at"]]
            later |= dict.fromkeys(row["opened_by"] for row in taken)
    taken_back: dict[str, str] = {}
    for row in reversed(tx.rows("receipts_named", ids=json.dumps(list(later)))):  # the latest first
        if row["undoes"] and row["id"] not in taken_back:
            taken_back[row["undoes"]] = row["id"]
    if receipt["id"] in taken_back:
        by = taken_back[receipt["id"]]
        raise ConflictError(f"receipt '{receipt['id']}' is already undone, by '{by}'", list(later))
    if later:
        listed = ", ".join(later)
        raise ConflictError(
            f"later changes touched the same records: {listed}. Undo those first, or pass cascade=True", list(later)
        )
    changes.open(Opening(act, "act", quiet=True))
    return changes


def _since(revisions: Sequence[Values], mark: Values, receipt: str) -> list[str]:
    found: list[str] = []
    for row in revisions:
        if row["revision"] > mark["revision"]:
            found.append(row["opened_by"])
        if row["revision"] >= mark["revision"] and row["closed_by"]:
            found.append(row["closed_by"])
    return [other for other in found if other != receipt]


def _content(row: Values) -> list[Any]:
    return [row[name] for name in PAYLOAD if name != "revision"]


def act_of(
    verb: str, place: Place, wall: Wall, arguments: Mapping[str, Any], *, receipt: str, author: str | None, at: int
) -> Values:
    """What a caller did by hand, word for word."""
    scope = (place.tenant, place.project, place.user, place.agent, place.session)
    return {
        **_BLANK,
        "id": made_id(_scope_code(scope), "act", receipt),
        "wall": wall.number,
        "kind": "act",
        "data": json_text({"verb": verb, "arguments": arguments}, "what was passed"),
        "agent": place.agent,
        "session": place.session,
        "source": "user",
        "author": author,
        "time": at,
        "time_precision": "second",
    }


def _next(row: Values) -> Values:
    """The next revision of a record, with the same content."""
    return {**row, "revision": row["revision"] + 1, "retired_at": None, "opened_by": None, "closed_by": None}


def _link(source: Values, target: str, role: str, position: int = 0) -> Values:
    return {
        "wall": source["wall"],
        "source_id": source["id"],
        "target_id": target,
        "role": role,
        "position": position,
        "weight": 1.0,
        "data": None,
        "time": None,
    }


def _latest(tx: Snapshot, ids: Sequence[str]) -> dict[str, Values]:
    if not ids:
        return {}
    return {row["id"]: dict(row) for row in tx.rows("latest_of", ids=json.dumps(list(ids)))}


def _ended(row: Values, at: int) -> bool:
    return row["valid_to"] is not None and row["valid_to"] <= at


def _trust(source: str) -> int:
    """Rank of a source, 0 the most trusted."""
    return SOURCES.index(source) if source in SOURCES else len(SOURCES)


# -- finding what a write is about


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


def wanted(
    tx: Snapshot, ids: Sequence[str], walls: Mapping[int, Row], reach: Reach, *, acts: bool = False
) -> list[Values]:
    """The latest revisions of ids, which must all lie behind these walls and within the stamps of the reach.

    Raises NotFoundError.
    """
    latest = _latest(tx, list(dict.fromkeys(ids)))
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


def whole_messages(tx: Snapshot, rows: Sequence[Values]) -> list[Values]:
    """The rows, and for each passage all passages of its message: a message is retired or erased as a whole."""
    found: dict[str, Values] = {}
    for row in rows:
        for part in _all_parts(tx, row) if row["part"] is not None else [row]:
            found[part["id"]] = part
    return list(found.values())


def _all_parts(tx: Snapshot, row: Values) -> list[Values]:
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
        stamped = all(reach.stamped(row["agent"], row["session"]) for row in _latest(tx, ids).values())
        if steps and stamped and all(step["wall"] in walls for step in steps):
            return Done(receipt, steps[0]["wall"])
    raise NotFoundError(f"there is no receipt '{id_}' in this scope that changed anything")


# -- committing


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who writes, when, and under which receipt."""

    receipt: str
    at: int
    actor: str | None
    space: str | None
    """The embedding space of new documents."""
    seq: int = 0
    """The last row of the tenant's chain …"""
    hash: bytes = b""
    """… and its hash."""


def commit(tx: Transaction, changes: Changes, stamp: Stamp) -> Receipt:
    """Write all of it. The only function that does, erasures aside."""
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
    tx.run_many("add_record", rows)
    tx.run_many(
        "add_link",
        ({**_OPEN_LINK, **link, "recorded_at": stamp.at, "opened_by": stamp.receipt} for link in changes.links),
    )
    if changes.undoes is not None:
        _undo_links(tx, changes.undoes, stamp)
    changed = {values["wall"] for closing in changes.closings if (values := closing.values)["num"] is not None}
    changed |= {o.values["wall"] for o in changes.openings if o.document is None and o.values["num"] is not None}
    for wall in sorted(changed):
        tx.run("touch_wall", wall=wall)
    log(tx, changes.tenant, changes.verb, journal, stamp, undoes=changes.undoes, details=changes.details)
    return _receipt(changes, stamp)


def _holder(tx: Snapshot, values: Values) -> Row | None:
    """The current record that has the key of this one, where this one needs it."""
    if values["key"] is None or values["superseded_by"] is not None or values["quarantined"]:
        return None
    return tx.row("current_by_key", wall=values["wall"], key=values["key"])


def _refuse_taken_key(tx: Transaction, values: Values) -> None:
    holder = _holder(tx, values)
    if holder is not None:
        raise ConflictError(
            f"the key {values['key']!r} belongs to '{holder['id']}': update, retire or supersede that first",
            [holder["opened_by"]],
        )


_OPEN_LINK: Values = {"retired_at": None, "closed_by": None}
_ACTIONS = (
    "added",
    "merged",
    "revised",
    "superseded",
    "retired",
    "restored",
    "erased",
    "ignored",
    "quarantined",
    "pending",
)


def _action(action: str) -> Any:
    return action if action in _ACTIONS else "added"


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
        vectors=None if segment.vectors is None else segment.vectors.tobytes(),
    )


def segment_of(row: Row) -> Segment:
    """A segment as it was kept."""
    vectors = None
    if row["vectors"] is not None:
        vectors = np.frombuffer(row["vectors"], np.float16).reshape(row["size"], row["dims"])
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


def present(tx: Snapshot, tenant: str, now: int) -> int:
    """The present of a read: by the clock, but never before the last change of the tenant."""
    head = tx.row("journal_head", tenant=tenant)
    return max(now, head["at"]) if head else now


def stamp_for(tx: Snapshot, tenant: str, now: int, actor: str | None, space: str | None, receipt: str = "") -> Stamp:
    """The stamp of the tenant's next change, recorded now and always later than the last one.

    To be made anew for each receipt: it knows the end of the chain.
    """
    head = tx.row("journal_head", tenant=tenant)
    if head is None:
        return Stamp(receipt or new_receipt_id(now), now, actor, space)
    at = max(now, head["at"] + 1)
    return Stamp(receipt or new_receipt_id(at), at, actor, space, head["seq"], head["hash"])


# -- erase


def with_dependents(tx: Snapshot, ids: Iterable[str]) -> dict[str, str]:
    """What must go when these records go, and why: {id: reason}.

    Everything that rests on an erased record goes; so does an act whose every outcome is gone, since it holds the
    words of what it made.
    """
    reasons = dict.fromkeys(ids, "named")
    frontier = list(reasons)
    while frontier:
        found = tx.rows("links_to", ids=json.dumps(frontier), role="derived_from")
        frontier: list[str] = []
        for link in found:
            if link["source_id"] not in reasons:
                reasons[link["source_id"]] = f"rests on {link['target_id']}"
                frontier.append(link["source_id"])
    every = json.dumps(list(reasons))
    touching = tx.rows("links_touching", ids=every)
    acts: set[str] = {link["target_id"] for link in touching if link["role"] == "derived_from"}
    acts -= reasons.keys()
    if acts:
        kinds = _latest(tx, sorted(acts))
        outcomes: dict[str, set[str]] = {}
        for link in tx.rows("links_to", ids=json.dumps(sorted(acts)), role="derived_from"):
            outcomes.setdefault(link["target_id"], set()).add(link["source_id"])
        for act in sorted(acts):
            if act in kinds and kinds[act]["kind"] == "act" and outcomes[act] <= reasons.keys():
                reasons[act] = "the act that wrote it"
    return reasons


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
    gone: dict[int, dict[int, Writing]] = {}
    for id_, reason in ids.items():
        revisions = [dict(row) for row in tx.rows("revisions_of", id=id_)]
        last = revisions[-1]
        for row in revisions:
            if row["num"] is not None and row["text"] is not None:
                gone.setdefault(row["wall"], {})[row["num"]] = writing_of(row)
        tx.run("empty_record", id=id_, receipt=stamp.receipt, at=stamp.at)
        steps.append(("erased", last, None))
        if last["kind"] != "act":
            entries.append(Entry(id_, "erased", reason, last["revision"]))
    steps += _taken_over_by(tx, ids, stamp)
    tx.run("drop_links", ids=json.dumps(list(ids)))
    for wall, documents in gone.items():
        _erase_documents(tx, wall, documents, tokens_of)
        tx.run("raise_epoch", wall=wall)
    log(tx, tenant, "erase", steps, stamp)
    tx.owe_purge(stamp.receipt)
    return entries


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
        successors = _latest(tx, [row["superseded_by"] for row in revisions if row["superseded_by"] is not None])
        left = {id_ for id_, row in successors.items() if row["erased_by"] is None}
        # It was never without one where both came in one call.
        before = next((row for row in reversed(revisions) if row["superseded_by"] in {None, *left}), _BLANK)
        values = {**_next(now), "superseded_by": before["superseded_by"], "valid_to": before["valid_to"]}
        if _holder(tx, values) is not None:
            values["key"] = None  # another record has it by now
        salt = os.urandom(16)
        values |= {"recorded_at": stamp.at, "opened_by": stamp.receipt, "salt": salt}
        tx.run("close_record", id=now["id"], revision=now["revision"], at=stamp.at, receipt=stamp.receipt)
        tx.run("add_record", **{name: values[name] for name in _COLUMNS})
        tx.run("touch_wall", wall=values["wall"])
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


def writing_of(row: Fields) -> Writing:
    """What the index reads of a record's row."""
    aliases: list[str] = json.loads(row["aliases"]) if row["aliases"] else []
    return Writing(row["text"], row["subject"], tuple(aliases))
