"""The verbs that change: add, remember, update, retire, feedback, undo.

Each function reads what it must inside the transaction and returns `Changes`, a value; `commit` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mnemic.changes import (
    BLANK,
    FEEDBACK,
    FILE,
    INDEXED,
    PAYLOAD,
    Changes,
    Closing,
    Opening,
    Piece,
    Values,
    Wall,
    feedback_fingerprint,
    fingerprint,
    is_indexed,
    link_to,
    made_id,
    new_id,
    next_revision,
    scope_code,
)
from mnemic.errors import ConflictError, InputError
from mnemic.fading import FADED, FADES
from mnemic.filing import in_the_way
from mnemic.lookup import all_parts, key_holder, latest_of, whole_messages
from mnemic.messages import Message, json_text
from mnemic.postings import Document
from mnemic.scope import Place
from mnemic.stores.sqlite import Row, Snapshot, Transaction
from mnemic.times import FOREVER, moment
from mnemic.types import Entry, trust

# -- add


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
    latest = latest_of(tx, [row["id"] for row in rows])
    return {row["fingerprint"]: latest[row["id"]] for row in rows}


def _episodes(
    pieces: Sequence[Piece], wall: Wall, place: Place, author: str | None, at: int, known_by: str | None
) -> list[Values]:
    """The revisions of a message's pieces. The first has the message's own id, later passages one made from it."""
    message = pieces[0].message
    stamps = (message.agent or place.agent, message.session or place.session)
    first_id = new_id((place.tenant, place.project, place.user, *stamps), at)
    shared: Values = {
        **BLANK,
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
                rows[number] = next_revision(row)
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
            old[number] = {**next_revision(row), "valid_to": valid_to, "superseded_by": new["id"]}
            changes.open(Opening(old[number], "superseded", f"edited: {new['id']}", quiet=number > 0))
        changes.links.append(link_to(new, old[0]["id"], "supersedes"))


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
    return [first] if first["part"] is None else all_parts(tx, first)


# -- remember, update, retire, undo


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

    The same statement twice is ignored, or revised where it says more; under another key it is another record. A `key`
    that is taken is taken over.
    """
    changes = Changes("remember", place.tenant)
    statement = (values["kind"], values["text"], values["subject"])
    scope = (place.tenant, place.project, place.user, place.agent, place.session)
    known_by = fingerprint(scope, "statement", *statement)
    for found in _all_by_fingerprint(tx, wall, known_by):
        current = found["retired_at"] is None and found["superseded_by"] is None and not _ended(found, at)
        current = current and statement == (found["kind"], found["text"], found["subject"])  # or it was updated since
        current = current and (None in (values["key"], found["key"]) or values["key"] == found["key"])
        if current and not (found["quarantined"] and trust(values["source"]) < trust(found["source"])):
            return _remembered_again(tx, changes, found, values, evidence, supersedes, act)
    weakest = max([values["source"], *(row["source"] for row in evidence)], key=trust)
    id_ = new_id(scope, at)
    values = {**BLANK, **values, "id": id_, "fingerprint": known_by, "wall": wall.number, "source": weakest}
    values["time"] = at if values["time"] is None else values["time"]
    old = {row["id"]: row for row in supersedes}
    if values["key"] is not None:
        holder = tx.row("current_by_key", wall=wall.number, key=values["key"])
        if holder is not None:
            old |= {part["id"]: part for part in whole_messages(tx, [dict(holder)])}
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
    changes.links.append(link_to(values, act["id"], "derived_from"))
    changes.links += [
        link_to(values, row["id"], "derived_from", position=position) for position, row in enumerate(evidence, 1)
    ]
    return changes


def _user_of(tx: Snapshot, row: Values) -> str:
    wall = tx.row("wall_by_number", wall=row["wall"])
    return wall["user"] if wall else ""


def _all_by_fingerprint(tx: Transaction, wall: Wall, known_by: str) -> list[Values]:
    rows = tx.rows("by_fingerprint", wall=wall.number, fingerprints=json.dumps([known_by]))
    return list(latest_of(tx, [row["id"] for row in rows]).values())


def _protected(rows: Iterable[Values], source: str) -> str:
    """Why something from this source cannot supersede these records; '' where it can."""
    held = [row["id"] for row in rows if trust(source) > trust("user") == trust(row["source"])]
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
    more |= {"source": values["source"]} if trust(values["source"]) < trust(found["source"]) else {}
    links = tx.rows("links_from", ids=json.dumps([found["id"]]), role="derived_from")
    resting = {link["target_id"] for link in links if link["retired_at"] is None}
    fresh = [row for row in evidence if row["id"] not in resting | {found["id"]}]
    old = [row for row in supersedes if found["id"] not in (row["id"], row["superseded_by"])]
    weakest = max([values["source"], more.get("source", found["source"])], key=trust)
    refusal = _protected([found, *old] if more else old, weakest)
    if refusal or not (more or fresh or old):
        changes.entries.append(Entry(found["id"], "ignored", refusal or "already known", found["revision"]))
        return changes
    if "key" in more or any(name in more for name in INDEXED):
        raise ConflictError(
            f"'{found['id']}' already says this with other {', '.join(sorted(more))}: "
            f"change it with update('{found['id']}', …)"
        )
    if more:
        changes.close(Closing(found))
        reason = f"already known; new are {', '.join(more)}"
        changes.open(Opening({**next_revision(found), **more}, "revised", reason))
    else:
        changes.entries.append(Entry(found["id"], "merged", "already known", found["revision"]))
    for row in old:
        supersede(changes, row, {**found, **more})
    changes.open(Opening(act, "act", quiet=True))
    changes.links.append(link_to(found, act["id"], "derived_from"))
    changes.links += [
        link_to(found, row["id"], "derived_from", position=position) for position, row in enumerate(fresh, len(links))
    ]
    return changes


def supersede(changes: Changes, old: Values, new: Values) -> None:
    """`new` takes over from `old`, which stays true until `new` begins."""
    begins = new["valid_from"] if new["valid_from"] is not None else new["time"]
    began = old["valid_from"] if old["valid_from"] is not None else old["time"]
    ended = old["valid_to"] if old["valid_to"] is not None else FOREVER
    changes.close(Closing(old))
    closed = {**next_revision(old), "valid_to": min(ended, max(begins, began)), "superseded_by": new["id"]}
    changes.open(Opening(closed, "superseded", f"by {new['id']}"))
    changes.links.append(link_to(new, old["id"], "supersedes"))


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
    if row["part"] is not None and is_indexed(fields):
        raise InputError(f"'{row['id']}' is a passage of a file, {row['key']}: change the file as a whole")
    if row["retired_at"] is not None:
        raise ConflictError(f"'{row['id']}' is retired: undo that first", [row["closed_by"]])
    new = {name: value for name, value in fields.items() if row[name] != value}
    if not new:
        changes.entries.append(Entry(row["id"], "ignored", "nothing would change", row["revision"]))
        return changes
    values = {**next_revision(row), **new}
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
    changes.links.append(link_to(values, act["id"], "derived_from"))
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
        changes.links += [link_to(row, act["id"], "derived_from") for row in members]
    return changes


def fed_back(tx: Transaction, act: Values, arguments: Mapping[str, Any], *, tenant: str, at: int) -> Changes:
    """The act of feedback, resting on the records that were shown. The same said again of the same results is ignored.

    Unlike other acts it is what the receipt is about, so that an undo takes it back.
    """
    changes = Changes("feedback", tenant)
    last = tx.row("feedback_on", wall=act["wall"], first=FEEDBACK[0], last=FEEDBACK[1], results=arguments["results"])
    said: Values = {} if last is None else json.loads(last["data"])["arguments"]
    if last is not None and all(said.get(name) == arguments[name] for name in ("used", "wrong", "outcome")):
        changes.entries.append(Entry(last["id"], "ignored", "already known", last["revision"]))
        return changes
    values = {**act, "fingerprint": feedback_fingerprint(at)}
    changes.open(Opening(values, "added"))
    changes.links += [
        link_to(values, id_, "derived_from", position=position) for position, id_ in enumerate(arguments["shown"])
    ]
    return changes


def undone(tx: Transaction, receipt: Row, *, act: Values) -> Changes:
    """What takes one receipt back: a new change. Raises ConflictError, naming the later receipts in the way."""
    if receipt["verb"] == "erase":
        raise ConflictError(f"receipt '{receipt['id']}' is an erasure, which is permanent")
    changes = Changes("undo", receipt["tenant"], undoes=receipt["id"])
    later: dict[str, None] = {}
    touched: dict[str, int | None] = {}
    faded: dict[str, int] = {}  # by edges, which are taken back by themselves
    for entry in tx.rows(
        "journal_of_receipt", tenant=receipt["tenant"], first=receipt["first_seq"], last=receipt["last_seq"]
    ):
        if entry["action"] in ("faded", "regained"):
            faded[entry["id"]] = entry["revision"]
        elif entry["action"] != "act":
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
        values = {**next_revision(before), "revision": now["revision"] + 1}
        changes.open(Opening(values, "restored", f"undo of {receipt['id']}"))
    later |= _unfaded(tx, changes, receipt["id"], faded)
    closing = {closed.values["id"] for closed in changes.closings}
    taken: list[str] = []
    for opening in changes.openings:
        others = [id_ for id_ in _places_of(tx, opening.values) if id_ not in closing]
        taken += [opening.values["key"]] if others else []
        for id_ in others:
            since = [row for row in tx.rows("revisions_of", id=id_) if row["recorded_at"] > receipt["at"]]
            later |= dict.fromkeys(row["opened_by"] for row in since)
    taken_back: dict[str, str] = {}
    for row in reversed(tx.rows("receipts_named", ids=json.dumps(list(later)))):  # the latest first
        if row["undoes"] and row["id"] not in taken_back:
            taken_back[row["undoes"]] = row["id"]
    if receipt["id"] in taken_back:
        by = taken_back[receipt["id"]]
        raise ConflictError(f"receipt '{receipt['id']}' is already undone, by '{by}'", list(later))
    if later or taken:
        listed = ", ".join(later)
        what = f"put something else at {', '.join(taken)}" if taken else "touched the same records"
        raise ConflictError(f"later changes {what}: {listed}. Undo those first, or pass cascade=True", list(later))
    changes.open(Opening(act, "act", quiet=True))
    return changes


def _places_of(tx: Snapshot, values: Values) -> list[str]:
    """The ids of current records that have the key which this one needs, or of files that a file cannot be beside."""
    holder = key_holder(tx, values)
    found = [] if holder is None else [holder["id"]]
    if values["kind"] == FILE and values["key"] and not values["part"]:
        found += [row["id"] for row in in_the_way(tx, values)]
    return found


def _unfaded(tx: Snapshot, changes: Changes, receipt: str, faded: Mapping[str, int]) -> dict[str, None]:
    """Take back the edges by which these records faded or came back, where they still say what the receipt made of
    them; else the later receipts in the way. What becomes of the records is told."""
    later: dict[str, None] = {}
    edges: dict[tuple[str, str], list[Row]] = {}
    for link in tx.rows("links_to", ids=json.dumps(list(faded)), role=FADES):
        edges.setdefault((link["source_id"], link["target_id"]), []).append(link)
    for (_, id_), links in edges.items():
        made = next((link for link in links if link["opened_by"] == receipt), None)
        before = next((link for link in links if link["closed_by"] == receipt), None)
        if made is None and before is None:
            continue
        now = next((link for link in links if link["retired_at"] is None), None)
        if _left(now) != _left(made):
            since = {link[name] for link in links for name in ("opened_by", "closed_by") if link[name]}
            later |= dict.fromkeys(sorted(other for other in since if other > receipt))  # they sort by time
            continue
        changes.unlinks += [] if now is None else [now["row"]]
        if before is not None:
            changes.links.append({name: before[name] for name in _EDGE})
        action = "restored" if _left(before) > _left(made) else FADED
        changes.entries.append(Entry(id_, action, f"undo of {receipt}", faded[id_]))
    return later


_EDGE = ("wall", "source_id", "target_id", "role", "position", "weight", "data", "time")


def _left(link: Row | None) -> float:
    return 1.0 if link is None else link["weight"]


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
        **BLANK,
        "id": made_id(scope_code(scope), "act", receipt),
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


def _ended(row: Values, at: int) -> bool:
    return row["valid_to"] is not None and row["valid_to"] <= at
