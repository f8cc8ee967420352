"""What importers read, written: messages as `add` keeps them, statements as records of their own.

Some at a time, each batch whole or not at all. A message is known by its source's id, a statement by an id that follows
from it, so whoever breaks off and begins anew goes on where it ended, and twice changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from mnemic.changes import BLANK, COLUMNS, Values, fingerprint, kind_of, made_id, new_receipt_id, scope_code
from mnemic.errors import InputError, TimeError
from mnemic.exported import FORMAT
from mnemic.importers import Found, Item, Said, Skipped, Stated, items
from mnemic.importers.values import clean, cleaned, digest
from mnemic.messages import json_text
from mnemic.scope import Place
from mnemic.times import Interval, interval, moment
from mnemic.types import Entry, Receipt

BATCH = 1000
"""Items in one transaction."""
RECEIPTS = 20
"""Receipts up to which all are named."""
REASONS = 12
"""Reasons for what is left out that a receipt tells …"""
EXAMPLES = 3
"""… each with so many places."""
_OUTSIDE = ("wall", "num", "salt")
"""Columns that only a store knows."""
_TOLD = ("text", "kind", "subject", "valid_from", "valid_to", "expires_at")
"""What a source may tell otherwise of a statement the next time."""


@dataclass(frozen=True, slots=True)
class Door:
    """What an import may do to a memory."""

    place: Place
    zone: tzinfo
    now: Callable[[], int]
    add: Callable[[Sequence[Mapping[str, Any]]], Receipt]
    keep: Callable[[Iterable[str]], Receipt]
    """Takes lines of an export."""
    held: Callable[[Sequence[str]], Mapping[str, Values]]
    """The latest revisions of the records with these ids."""
    update: Callable[[str, Mapping[str, Any]], Receipt]
    author: str | None = None
    dry_run: bool = False


@dataclass(slots=True)
class _Sums:
    """What came of an import so far."""

    receipts: list[Receipt] = field(default_factory=list[Receipt])
    skipped: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    counts: Counter[str] = field(default_factory=Counter[str])
    """How often each reason to leave something out came up."""
    said: dict[str, str] = field(default_factory=dict[str, str])
    """The records of what was said, by the source's ids, where statements may rest on them."""
    stated: set[str] = field(default_factory=set[str])
    """The source's ids of all statements that are taken."""
    before: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The records that each statement of the source takes over from, as far as they have been written."""

    def skip(self, one: Skipped) -> None:
        self.counts[one.reason] += 1
        places = self.skipped.setdefault(one.reason, [])
        if len(places) < EXAMPLES:
            places.append(one.where)


def take_over(
    found: Found, door: Door, *, only: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Receipt:
    """Import an export. It is read to its end before anything is written.

    `only` is the one owner (a user, a group) whose items are taken, where the source tells several apart. Raises
    InputError, naming the place, and then nothing has been written.
    """
    sums = _Sums()
    total = _looked_through(found, door.zone, only, sums)
    done = 0
    taken = (one for one in _checked(found, door.zone) if not isinstance(one, Skipped) and only in (None, one.owner))
    while batch := list(islice(taken, BATCH)):
        for receipt in _written(batch, found, door, sums):
            sums.receipts.append(receipt)
        done += len(batch)
        if progress is not None:
            progress(done, total)
    return _receipt(sums, door)


def _looked_through(found: Found, zone: tzinfo, only: str | None, sums: _Sums) -> int:
    """Read it all: how many items there are. What is left out is noted. Raises InputError."""
    owners: dict[str, int] = {}
    total = 0
    for item in _checked(found, zone):
        if isinstance(item, Skipped):
            sums.skip(item)
            continue
        if item.owner is not None:
            owners[item.owner] = owners.get(item.owner, 0) + 1
        if only in (None, item.owner):
            total += 1
            if isinstance(item, Stated):
                sums.stated.add(item.id)
        else:
            sums.skip(Skipped(f"'{found.name}'", f"not of '{only}'"))
    if only is not None and only not in owners:
        raise InputError(f"only='{only}' is nobody in '{found.name}', which is of {_list(owners)}")
    if only is None and len(owners) > 1:
        raise InputError(
            f"'{found.name}' is of several: {_list(owners)}. Import them one by one, each for its own user: only=NAME"
        )
    return total


def _checked(found: Found, zone: tzinfo) -> Iterator[Item]:
    """What an export holds; what cannot be kept as it is told is left out, and why."""
    for item in items(found):
        problem = None if isinstance(item, Skipped) else _problem(item, zone)
        yield item if problem is None else Skipped(f"'{found.name}', {getattr(item, 'id', '')}", problem)


def _problem(item: Said | Stated, zone: tzinfo) -> str | None:
    try:
        json_text([cleaned(item.metadata), cleaned(getattr(item, "data", None))], "what it carries")
    except InputError as error:
        return str(error)
    if isinstance(item, Stated):
        told = _told(item, zone)
        if None not in (told["valid_from"], told["valid_to"]) and told["valid_to"] < told["valid_from"]:
            return "it ends before it begins"
    return None


def _list(owners: Mapping[str, int]) -> str:
    shown = [f"'{name}' ({many})" for name, many in islice(owners.items(), 20)]
    more = f" and {len(owners) - 20} more" if len(owners) > 20 else ""
    return ", ".join(shown) + more or "nobody in particular"


def _written(batch: Sequence[Item], found: Found, door: Door, sums: _Sums) -> Iterator[Receipt]:
    said = [item for item in batch if isinstance(item, Said)]
    stated = [item for item in batch if isinstance(item, Stated)]
    if said:
        done = door.add([_message(item, found, door.zone) for item in said])
        yield done
        if found.format.evidence:
            sums.said |= dict(zip((item.id for item in said), done.ids, strict=True))
    if stated:
        yield from _kept(stated, found, door, sums)


def _provenance(item: Said | Stated, found: Found) -> dict[str, Any]:
    return {**cleaned(item.metadata), "imported": found.format.name, "file": clean(found.name)}


def _message(item: Said, found: Found, zone: tzinfo) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": item.role,
        "content": clean(item.text),
        "id": clean(item.id),
        "source": "import",
        "metadata": _provenance(item, found),
    }
    if item.name is not None:
        message["name"] = clean(item.name)[:200]
    if item.session is not None:
        message["session_id"] = clean(item.session)
    if (time := _interval(item.time, zone)) is not None:
        begins = moment(time.start)
        day = isinstance(item.time, str) and time.precision == "day"  # of the zone in which it begins
        message["time"] = f"{item.time}{begins.astimezone(zone).isoformat()[-6:]}" if day else begins
    return message


# -- statements


def _kept(stated: Sequence[Stated], found: Found, door: Door, sums: _Sums) -> Iterator[Receipt]:
    """Write statements that are new; and what their source tells otherwise now of those that are held."""
    ids = {item.id: _record_id(door.place, found, item.id) for item in stated}
    held = door.held(list(ids.values()))
    for item in stated:
        if item.superseded_by in sums.stated:
            sums.before.setdefault(str(item.superseded_by), []).append(ids[item.id])
    fresh = {ids[item.id]: item for item in stated if not _is_held(held.get(ids[item.id]))}
    if fresh:
        yield door.keep(_lines(fresh, found, door, sums))
    for item in stated:
        row = held.get(ids[item.id])
        if row is not None and _is_held(row):
            yield _again(item, row, found, door)


def _is_held(row: Values | None) -> bool:
    """Whether a statement is here, or was erased; what an undo has taken away may come again."""
    return row is not None and (row["retired_at"] is None or row["erased_by"] is not None)


def _record_id(place: Place, found: Found, id_: str) -> str:
    return made_id(scope_code((place.tenant, place.project, place.user)), "import", found.format.name, id_)


def _again(item: Stated, row: Values, found: Found, door: Door) -> Receipt:
    """A statement that is held already: what of it the source tells otherwise than the last time is brought up."""
    told = _told(item, door.zone)
    known = json.loads(row["metadata"] or "{}").get("told") if row["erased_by"] is None else None
    if known == digest(told) or row["erased_by"] is not None:
        return _ignored(row, "it was erased here" if row["erased_by"] else "already held", door)
    if known != digest({name: row[name] for name in _TOLD}) or row["superseded_by"]:
        return _ignored(row, "its source tells it otherwise now, but it was changed here since: left as it is", door)
    new: dict[str, Any] = {name: told[name] for name in _TOLD if told[name] != row[name] and name != "kind"}
    values = {name: _given(name, value, item) for name, value in new.items()}
    return door.update(row["id"], {**values, "metadata": _metadata(item, found, told)})


def _given(name: str, value: object, item: Stated) -> object:
    return value if name in ("text", "subject") or value is None else getattr(item, name)


def _ignored(row: Values, reason: str, door: Door) -> Receipt:
    entry = Entry(row["id"], "ignored", reason, row["revision"])
    return Receipt("", "import", moment(door.now()), (entry,), door.author)


def _told(item: Stated, zone: tzinfo) -> dict[str, Any]:
    """What a source tells of a statement, as columns."""
    begins, ends, expires = (_interval(one, zone) for one in (item.valid_from, item.valid_to, item.expires_at))
    return {
        "text": clean(item.text),
        "kind": kind_of(item.kind),
        "subject": None if item.subject is None else clean(item.subject),
        "valid_from": begins and begins.start,
        "valid_to": ends and ends.start,
        "expires_at": expires and expires.start,
    }


def _metadata(item: Stated, found: Found, told: Mapping[str, Any]) -> dict[str, Any]:
    return {**_provenance(item, found), "import_id": clean(item.id), "told": digest(told)}


def _lines(fresh: Mapping[str, Stated], found: Found, door: Door, sums: _Sums) -> Iterator[str]:
    """Statements as lines of an export: each record, the act of importing it, and what it rests on."""
    now = door.now()
    opened = new_receipt_id(now)
    yield json.dumps({"mnemic": "export", "format": FORMAT})
    for number, (id_, item) in enumerate(fresh.items()):
        over = item.superseded_by if item.superseded_by in sums.stated else None
        record = _record(id_, replace(item, superseded_by=over), found, door, now, opened, number)
        act = _act(record, item, found, door)
        yield from (json.dumps({"record": one}, ensure_ascii=False) for one in (record, act))
    for id_, item in fresh.items():
        evidence = [sums.said[one] for one in dict.fromkeys(item.evidence) if one in sums.said]
        for position, target in enumerate([_act_id(id_), *evidence]):
            yield _link(door.place, id_, target, "derived_from", position, now, opened)
        if len(evidence) < len(set(item.evidence)):
            sums.skip(Skipped(item.id, "evidence that the export names and does not hold"))
        for old in sums.before.get(item.id, ()):
            yield _link(door.place, id_, old, "supersedes", 0, now, opened)


def _record(id_: str, item: Stated, found: Found, door: Door, now: int, opened: str, number: int) -> dict[str, Any]:
    place, told = door.place, _told(item, door.zone)
    time, begins = _interval(item.time, door.zone), _interval(item.valid_from, door.zone)
    scope = (place.tenant, place.project, place.user, place.agent, place.session)
    return {
        **{name: BLANK[name] for name in COLUMNS if name not in _OUTSIDE},
        **_walls(place),
        **told,
        "document": number,
        "id": id_,
        "aliases": json.dumps([clean(name) for name in item.aliases], ensure_ascii=False) if item.aliases else None,
        "data": json_text(cleaned(item.data), f"the data of {item.id}") if item.data else None,
        "metadata": json_text(_metadata(item, found, told), f"the metadata of {item.id}"),
        "agent": place.agent,
        "session": place.session,
        "source": "import",
        "author": door.author,
        "confidence": item.confidence,
        "time": now if time is None else time.start,
        "time_precision": "second" if time is None else time.precision,
        "valid_precision": begins and begins.precision,
        "superseded_by": None if item.superseded_by is None else _record_id(place, found, item.superseded_by),
        "fingerprint": fingerprint(scope, "statement", told["kind"], told["text"], told["subject"]),
        "recorded_at": now,
        "opened_by": opened,
    }


def _act(record: Mapping[str, Any], item: Stated, found: Found, door: Door) -> dict[str, Any]:
    """That somebody imported it: what the record rests on, beside its evidence."""
    arguments = {"format": found.format.name, "file": clean(found.name), "id": clean(item.id), "text": record["text"]}
    kept = ("agent", "session", "author", "recorded_at", "opened_by", *_walls(door.place))
    return {
        **{name: BLANK[name] for name in COLUMNS if name not in _OUTSIDE},
        **{name: record[name] for name in kept},
        "document": None,
        "id": _act_id(record["id"]),
        "kind": "act",
        "data": json_text({"verb": "import", "arguments": arguments}, "what was imported"),
        "source": "import",
        "time": record["recorded_at"],
        "time_precision": "second",
    }


def _act_id(id_: str) -> str:
    return made_id(id_, "import", "act")


def _walls(place: Place) -> dict[str, str]:
    return {"tenant": place.tenant, "project": place.project, "user": place.user}


def _link(place: Place, source: str, target: str, role: str, position: int, now: int, opened: str) -> str:
    return json.dumps(
        {
            "link": {
                **_walls(place),
                "source_id": source,
                "target_id": target,
                "role": role,
                "position": position,
                "weight": 1.0,
                "data": None,
                "time": None,
                "recorded_at": now,
                "retired_at": None,
                "opened_by": opened,
                "closed_by": None,
            }
        }
    )


# -- times


def _interval(value: str | datetime | None, zone: tzinfo) -> Interval | None:
    """A time of a source; None for one that there cannot be."""
    if value is None:
        return None
    try:
        return interval(value, zone)
    except TimeError:
        return None


# -- the receipt


def _receipt(sums: _Sums, door: Door) -> Receipt:
    """One receipt for all that was written, with what was left out and why."""
    entries = tuple(entry for receipt in sums.receipts for entry in receipt.entries)
    derived = tuple(entry for receipt in sums.receipts for entry in receipt.derived)
    wrote = [receipt.id for receipt in sums.receipts if receipt.id and _changed(receipt)]
    notes = list(dict.fromkeys(note for receipt in sums.receipts for note in receipt.notes))
    if len(wrote) > 1:
        named = ", ".join(wrote) if len(wrote) <= RECEIPTS else f"{wrote[0]} to {wrote[-1]}"
        notes.append(f"in {len(wrote)} receipts, which can be undone one by one: {named}")
    for reason, many in sums.counts.most_common(REASONS):
        places = ", ".join(sums.skipped[reason]) + (", …" if many > len(sums.skipped[reason]) else "")
        notes.append(f"left out {many:,}: {reason} ({places})")
    if len(sums.counts) > REASONS:
        rest = sum(many for _, many in sums.counts.most_common()[REASONS:])
        notes.append(f"left out {rest:,} for {len(sums.counts) - REASONS} other reasons")
    return Receipt(
        id=wrote[0] if wrote else new_receipt_id(door.now()),
        verb="import",
        at=moment(door.now()),
        entries=entries,
        actor=door.author,
        pending=max((receipt.pending for receipt in sums.receipts), default=0),
        derived=derived,
        dry_run=door.dry_run,
        notes=tuple(notes),
    )


def _changed(receipt: Receipt) -> bool:
    return any(entry.action != "ignored" for entry in receipt.entries)
