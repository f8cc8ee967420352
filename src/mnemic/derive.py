"""Deriving: from episodes to statements, from statements to slots, from slots to records.

    due episodes -> segments of turns -> statements (rules, or a model) -> claims -> slots -> periods -> changes

An episode is due (`pending`) when it is new, when it changed (edited, retired, restored) and when something that rested
on it was erased. Deriving it anew replaces its claims by what it says now, and arranges every slot that they touch; a
slot's records are a function of its claims (`timeline`), so it does not matter what came when, nor how often.

A derived record is linked to each episode that it rests on; the link to the first words of a claim holds the claim
itself. So the links of a slot's records are all that is needed to arrange it, and they go with an erasure.

What was done by hand stays: a derived record that somebody retired or undid is not derived again, and one that somebody
updated keeps its words; only its end can still come.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnemic.allowance import Usage
from mnemic.analysis import Writing
from mnemic.changes import (
    BLANK,
    Changes,
    Closing,
    Opening,
    Piece,
    Values,
    Wall,
    fingerprint,
    is_indexed,
    link_to,
    made_id,
    next_revision,
    writing_of,
)
from mnemic.errors import ModelError
from mnemic.fading import FORGET
from mnemic.forgotten import requests_in
from mnemic.lookup import latest_of
from mnemic.messages import json_text
from mnemic.models import foreign
from mnemic.postings import Document
from mnemic.records import loads
from mnemic.scope import Place
from mnemic.segments import Segment
from mnemic.statements import CONTEXT, Statement, Turn, folded, relation
from mnemic.stores.sqlite import Fields, Row, Snapshot, Transaction
from mnemic.timeline import Claim, Period, arranged
from mnemic.times import micros, moment
from mnemic.types import Entry

if TYPE_CHECKING:
    from mnemic.consult import Asks

AFTER = 3
"""Turns within which what was said may still be taken back: they are derived anew with one that may do so."""
LOOK_BACK = 24
"""Documents before a turn among which those are looked for."""
BATCH = 256
"""Episodes that are derived in one transaction."""

Deriver = Callable[[Sequence[Turn], int], Sequence[Statement]]
"""From the turns of a segment to what they say, from the one with that number on."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How statements are derived."""

    name: str
    """With its version: what a record's `derivation` says."""
    statements: Deriver
    takes_back: Callable[[str], bool] = lambda text: False
    """Whether a text may take back what was said before it."""

    forget: Callable[[], None] = lambda: None
    """Drops what it keeps of texts for speed: called after an erasure."""
    asks: Asks | None = None
    """The model that reads what `statements` has read at once, and whose reading takes its place."""

    def read(self, turns: Sequence[Turn], first: int) -> Sequence[Statement]:
        """What the turns from `first` on say. Raises ModelError, whatever it is that fails."""
        with foreign(f"the recipe '{self.name}' failed"):
            return self.statements(turns, first)


def rules() -> Recipe:
    """The one that needs no model. Its few hundred patterns are loaded when something is first derived."""
    return Recipe("rules/1", _by_rules, _rules_take_back, _forget_rules)


def _by_rules(turns: Sequence[Turn], first: int) -> Sequence[Statement]:
    from mnemic import rules

    return rules.statements(turns, first)


def _rules_take_back(text: str) -> bool:
    from mnemic import rules

    return rules.takes_back(text)


def _forget_rules() -> None:
    if (loaded := sys.modules.get("mnemic.rules")) is not None:
        loaded.forget()


@dataclass(frozen=True, slots=True)
class Due:
    """What was read of the episodes that are due in a wall."""

    nums: tuple[int, ...]
    """Their numbers."""
    rows: Mapping[str, Fields]
    """The episodes that are read anew, by their ids, as they were read."""
    segments: tuple[Segment, ...]


def read_due(snapshot: Snapshot, wall: int, recipe: Recipe, most: int = BATCH, first: int = 0) -> Due:
    """The next episodes that are due in a wall, from a document number on, with what is read beside them."""
    nums = [row["num"] for row in snapshot.rows("pending_in", wall=wall, first=first, most=most)]
    return _read(snapshot, wall, nums, recipe.takes_back)


def read_all(snapshot: Snapshot, wall: int, size: int) -> Due:
    """Every episode of a wall, as if nothing had been derived from any."""
    return _read(snapshot, wall, range(size), lambda text: False)  # whatever it takes back is read anyway


def _read(snapshot: Snapshot, wall: int, nums: Sequence[int], takes_back: Callable[[str], bool]) -> Due:
    back = 2 * LOOK_BACK  # of the turns that are derived anew, too
    latest = _latest(snapshot, wall, sorted({one for num in nums for one in range(max(num - back, 0), num + 1)}))
    named = {num: latest[num] for num in nums if num in latest and latest[num]["kind"] == "episode"}
    changing = [row for row in named.values() if not _is_new(row) or takes_back(row["text"])]
    taken_back = [one for row in changing for one in _before(row, latest)[-AFTER:]]
    named |= {row["num"]: row for row in taken_back}
    due = [named[num] for num in sorted(named)]
    return Due(tuple(nums), {row["id"]: row for row in due}, tuple(_segments(due, latest)))


def _is_new(row: Fields) -> bool:
    """Whether an episode is as it was first kept, so that it has taken nothing back that it takes back no more."""
    return row["revision"] == 1 and is_current(row)


def _latest(snapshot: Snapshot, wall: int, nums: Sequence[int]) -> dict[int, Fields]:
    """The latest revisions of documents, by their number."""
    rows = snapshot.rows("documents_numbered", wall=wall, nums=json.dumps(list(nums)))
    return {row["num"]: row for row in rows}  # they come oldest first


def _segments(due: Sequence[Fields], latest: Mapping[int, Fields]) -> Iterator[Segment]:
    """Turns that follow each other within their session come together; each has the turns before it at its side."""
    open_: dict[tuple[str | None, str | None], tuple[list[Fields], int]] = {}
    for row in due:
        if not is_current(row):
            continue
        key = row["session"], row["agent"]
        before = _before(row, latest)
        rows, many = open_.get(key, ([], 0))
        if rows and [one["id"] for one in rows[-CONTEXT:]] == [one["id"] for one in before]:
            rows.append(row)
            continue
        if rows:
            yield Segment(tuple(map(turn_of, rows)), many)
        open_[key] = ([*before, row], len(before))
    for rows, many in open_.values():
        yield Segment(tuple(map(turn_of, rows)), many)


def _before(row: Fields | Mapping[str, Any], latest: Mapping[int, Fields]) -> list[Fields]:
    """The episodes before a place in a session, as far as they are read with what stands there."""
    found: list[Fields] = []
    for num in range(row["num"] - 1, max(row["num"] - LOOK_BACK, 0) - 1, -1):
        other = latest.get(num)
        if (
            other is not None
            and other["kind"] == "episode"
            and (other["session"], other["agent"]) == (row["session"], row["agent"])
            and is_current(other)
        ):
            found.append(other)
            if len(found) == CONTEXT:
                break
    return found[::-1]


def is_current(row: Fields) -> bool:
    """Whether the memory holds an episode as something said: not retired, edited or set aside."""
    return (
        row["retired_at"] is None
        and row["erased_by"] is None
        and row["superseded_by"] is None
        and not row["quarantined"]
    )


def turn_of(row: Fields) -> Turn:
    """An episode as derivation reads it."""
    return Turn(
        row["id"],
        row["text"] or "",
        moment(row["time"]),
        row["role"] or "user",
        row["speaker"],
        row["session"],
        row["source"],
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What episodes say, and those of which a recipe could not tell."""

    statements: Mapping[str, Sequence[Statement]]
    """By the id of the episode; the turns at their side say nothing here."""
    failed: Mapping[str, str] = field(default_factory=dict[str, str])
    """The ids of those, and why: what they said before still counts, and they stay due."""
    waiting: Container[str] = frozenset[str]()
    """The ids of those that stay due although they were read: a model has still to read them."""
    by: Mapping[str, str] = field(default_factory=dict[str, str])
    """The `derivation` of what an episode says, where it is not the recipe's own."""
    usage: Usage = field(default_factory=Usage)
    """What models have cost."""
    notes: tuple[str, ...] = ()
    """What the caller should know."""


def said_by(segments: Sequence[Segment], recipe: Recipe, progress: Callable[[int, int], None] | None = None) -> Told:
    """What each episode of the segments says. A recipe that fails on a segment leaves that one for later."""
    found: dict[str, list[Statement]] = {}
    failed: dict[str, str] = {}
    done, of = 0, sum(len(segment.turns) for segment in segments)
    for segment in segments:
        done += len(segment.turns)
        if progress is not None:
            progress(done, of)
        own = {turn.id for turn in segment.own}
        try:
            said = recipe.read(segment.turns, segment.before)
        except ModelError as error:
            failed |= dict.fromkeys(own, str(error))
            continue
        for statement in said:
            if statement.evidence[0].turn in own:
                found.setdefault(statement.evidence[0].turn, []).append(statement)
    return Told(found, failed)


def writings_of(said: Mapping[str, Sequence[Statement]]) -> Iterator[Writing]:
    """What the index will read of these statements."""
    for statements in said.values():
        for one in statements:
            yield Writing(one.text, one.subject, one.aliases)


def last_turns(snapshot: Snapshot, wall: int, size: int, place: Place) -> list[Turn]:
    """The last episodes of a session in a wall, as those that follow them are read with."""
    latest = _latest(snapshot, wall, range(max(size - LOOK_BACK, 0), size))
    return [turn_of(row) for row in _before({"num": size, "session": place.session, "agent": place.agent}, latest)]


def turns_to_be(messages: Iterable[Sequence[Piece]], place: Place, now: int) -> Iterator[Turn]:
    """Messages that are about to become episodes."""
    for number, pieces in enumerate(messages):
        message = pieces[0].message
        said = moment(now if message.time is None else message.time.start)
        for piece in pieces:
            yield Turn(
                f"{number}.{piece.passage and piece.passage[0]}",
                piece.text,
                said,
                message.role,
                message.speaker,
                message.session or place.session,
                message.source,
            )


# --- Claims -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot with all its claims."""

    print: str
    relation: str
    claims: tuple[Claim, ...]


def slot_print(wall: Wall, statement: Statement) -> str:
    """What the records of a slot are found by."""
    return fingerprint((wall.tenant, wall.project, wall.user), "slot", *statement.slot)


def _content(statement: Statement, derivation: str) -> dict[str, Any]:
    """What a link keeps of a statement, beside its times."""
    return {
        "by": derivation,
        "kind": statement.kind,
        "subject": statement.subject,
        "relation": statement.relation,
        "value": statement.value,
        "text": statement.text,
        "precision": statement.precision,
        "aliases": list(statement.aliases),
        "confidence": statement.confidence,
        "also": [[span.turn, span.start, span.stop] for span in statement.evidence[1:]],
        "data": dict(statement.data),
    }


def claim_of(statement: Statement, row: Fields, nth: int, derivation: str) -> Claim:
    """A statement as its slot keeps it; `row` is its first evidence's, `derivation` the recipe that reads it so."""
    span = statement.evidence[0]
    single = relation(statement.relation.partition(":")[0]).single
    return Claim(
        episode=span.turn,
        order=row["num"],
        start=span.start,
        stop=span.stop,
        what=folded(statement.value) if single and not statement.data.get("any") else "",
        holds=statement.holds,
        said=row["time"],
        begins=None if statement.valid_from is None else micros(statement.valid_from),
        ends=None if statement.valid_to is None else micros(statement.valid_to),
        corrects=bool(statement.data.get("corrects")),
        forgets=bool(statement.data.get("forgets")),
        source=row["source"],
        nth=nth,
        content=_content(statement, derivation),
    )


def _kept(claim: Claim) -> dict[str, Any]:
    """A claim as its link keeps it; the episode itself knows the rest."""
    return {
        "start": claim.start,
        "stop": claim.stop,
        "what": claim.what,
        "holds": claim.holds,
        "begins": claim.begins,
        "ends": claim.ends,
        "corrects": claim.corrects,
        "forgets": claim.forgets,
        "nth": claim.nth,
        "content": dict(claim.content),
    }


def claim_in(link: Fields, episode: Fields) -> Claim:
    """The claim that a link holds; `episode` is what it leads to."""
    kept = json.loads(link["data"])
    return Claim(episode=episode["id"], order=episode["num"], said=episode["time"], source=episode["source"], **kept)


# --- Changes ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Work:
    """One transaction's derivation."""

    tx: Transaction
    wall: Wall
    document_of: Callable[[Writing], Document]
    changes: Changes
    episodes: dict[str, Values]
    """Those that the claims at hand rest on, as they are now."""


def derived(
    tx: Transaction,
    wall: Wall,
    episodes: Sequence[str],
    said: Mapping[str, Sequence[Statement]],
    *,
    derivation: Callable[[str], str],
    document_of: Callable[[Writing], Document],
) -> Changes:
    """What is to change where these episodes say this, and no longer what they said before.

    `derivation` says of an episode by which recipe it was read, `document_of` what the index holds of a text.
    """
    fresh = latest_of(tx, list(episodes))
    prints: dict[str, str] = {}
    new: dict[str, list[Claim]] = {}
    for id_, statements in said.items():
        row = fresh.get(id_)
        if row is None or not is_current(row):
            continue
        for statement, nth in _numbered(requests_in(statements, row["source"])):
            print_ = slot_print(wall, statement)
            prints[print_] = statement.relation
            new.setdefault(print_, []).append(claim_of(statement, row, nth, derivation(id_)))
    prints |= _touched_before(tx, list(fresh))
    records = records_of(tx, wall.number, list(prints))
    links = links_of(tx, [id_ for rows in records.values() for id_ in rows])
    targets = latest_of(tx, sorted({link["target_id"] for some in links.values() for link in some}))
    acts = {id_ for id_, row in targets.items() if row["kind"] == "act"}
    held_by = {id_: row for id_, row in targets.items() if row["kind"] == "episode" and is_current(row)}
    work = _Work(tx, wall, document_of, Changes("derive", wall.tenant), held_by | fresh)
    for print_, name in prints.items():
        rows = records.get(print_, {})
        by_hand = {id_ for id_, row in rows.items() if _by_hand(tx, row, links.get(id_, ()), acts)}
        held: list[Claim] = []
        retracted: set[tuple[str, int, int, int]] = set()
        for id_, row in rows.items():
            for link in links.get(id_, ()):
                if link["data"] is None:
                    continue
                if id_ in by_hand and row["retired_at"] is not None and row["kind"] != FORGET:
                    retracted.add(_key_in(link))
                episode = held_by.get(link["target_id"])
                if episode is not None and link["target_id"] not in fresh:
                    held.append(claim_in(link, episode))
        every = dict.fromkeys([*held, *new.get(print_, ())])
        claims = tuple(claim for claim in every if claim.key not in retracted and _stands(claim, rows, by_hand))
        _arrange(work, _Slot(print_, name, claims), rows, links, by_hand)
    return work.changes


def _stands(claim: Claim, rows: Mapping[str, Values], by_hand: Container[str]) -> bool:
    """Whether a request to forget has not been taken back by hand: then what it had taken out holds again."""
    id_ = id_of(Period([claim])) if claim.forgets else ""
    return id_ not in by_hand or rows[id_]["retired_at"] is None


def _numbered(statements: Iterable[Statement]) -> Iterator[tuple[Statement, int]]:
    """The statements of an episode, each with which one it is that the same words make of its relation."""
    many: Counter[tuple[object, ...]] = Counter()
    for one in statements:
        span = one.evidence[0]
        like = (span.start, span.stop, one.relation.partition(":")[0], one.holds)
        yield one, many[like]
        many[like] += 1


def _touched_before(tx: Snapshot, episodes: Sequence[str]) -> dict[str, str]:
    """The slots of what rests on these episodes so far, with their relations."""
    links = tx.rows("links_to", ids=json.dumps(episodes), role="derived_from")
    sources = sorted({link["source_id"] for link in links if link["retired_at"] is None and link["data"] is not None})
    found: dict[str, str] = {}
    for row in latest_of(tx, sources).values():
        if row["derivation"] is not None and row["fingerprint"] is not None:
            data = loads(row["data"], {})
            found[row["fingerprint"]] = data.get("of") or data.get("relation", "")
    return found


def records_of(tx: Snapshot, wall: int, prints: Sequence[str]) -> dict[str, dict[str, Values]]:
    """The records of each slot, by id, whatever their state."""
    rows = tx.rows("by_fingerprint", wall=wall, fingerprints=json.dumps(prints))
    latest = latest_of(tx, [row["id"] for row in rows])
    found: dict[str, dict[str, Values]] = {}
    for row in rows:
        if row["id"] in latest and latest[row["id"]]["erased_by"] is None:
            found.setdefault(row["fingerprint"], {})[row["id"]] = latest[row["id"]]
    return found


def links_of(tx: Snapshot, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The edges from these records to their evidence that are held, by record."""
    found: dict[str, list[Row]] = {}
    for link in tx.rows("links_from", ids=json.dumps(ids), role="derived_from"):
        if link["retired_at"] is None:
            found.setdefault(link["source_id"], []).append(link)
    return found


def _arrange(
    work: _Work,
    slot: _Slot,
    rows: Mapping[str, Values],
    links: Mapping[str, Sequence[Row]],
    by_hand: Container[str],
) -> None:
    """Bring the records of one slot to what its claims say."""
    known = relation(slot.relation.partition(":")[0])
    periods = arranged(slot.claims, single=known.single, fixed=known.fixed)
    ids = {id(period): id_of(period) for period in periods}
    wanted: set[str] = set()
    for period in periods:
        id_ = ids[id(period)]
        wanted.add(id_)
        successor = None if period.next is None else ids[id(period.next)]
        _bring(work, slot, period, id_, successor, rows.get(id_), links.get(id_, ()), by_hand=id_ in by_hand)
        for other in period.against:
            _contradict(work, rows.get(id_), id_, ids[id(other)])
    forgotten = {claim.episode for period in periods if period.forgets for claim in period.claims[1:]}
    for id_, row in rows.items():
        if id_ not in wanted and row["retired_at"] is None and id_ not in by_hand:
            reason = "nothing says so any more" if not _moved(slot, links.get(id_, ())) else "told by another record"
            if any(link["target_id"] in forgotten for link in links.get(id_, ())):
                reason = "asked to be forgotten"
            work.changes.close(Closing(row, Entry(id_, "retired", reason, row["revision"])))
            work.changes.unlinks += [link["row"] for link in links.get(id_, ())]


def _moved(slot: _Slot, links: Iterable[Row]) -> bool:
    """Whether a claim of a record is still made, so that another record says it now."""
    still = {claim.episode for claim in slot.claims}
    return any(link["target_id"] in still for link in links)


def id_of(period: Period) -> str:
    """The id of a record follows from its earliest evidence: the same for whoever derives it, and whenever."""
    first = period.first
    name = first.content["relation"].partition(":")[0]
    return made_id(first.episode, "statement", name, first.start, first.stop, first.holds, first.nth)


def _by_hand(tx: Snapshot, row: Values, links: Iterable[Row], acts: Container[str]) -> bool:
    """Whether somebody has retired, undone or updated a derived record: that stays."""
    if row["retired_at"] is not None:
        closed = tx.row("receipt", id=row["closed_by"])
        return closed is None or closed["verb"] != "derive"
    return any(link["data"] is None and link["target_id"] in acts for link in links)


_ENDS = ("valid_to", "superseded_by")
_FIELDS = (
    *("kind", "text", "subject", "aliases", "data", "source", "confidence", "time", "time_precision", "valid_from"),
    *("valid_precision", "agent", "session", "quarantined", "derivation", *_ENDS),
)


def _bring(
    work: _Work,
    slot: _Slot,
    period: Period,
    id_: str,
    successor: str | None,
    row: Values | None,
    links: Sequence[Row],
    *,
    by_hand: bool,
) -> None:
    """Bring one record to what its period says."""
    if by_hand and row is not None and row["retired_at"] is not None:
        return
    values = _values(work, slot, period, id_, successor)
    changes = work.changes
    fresh_links = _fresh_links(work, values, period, links)
    if row is None:
        document = work.document_of(writing_of(values))
        erased = latest_of(work.tx, [id_]).get(id_)
        values["revision"] = 1 if erased is None else erased["revision"] + 1
        if period.aside:
            reason = f"from '{period.first.source}', which never supersedes what the user said"
            changes.open(Opening(values, "quarantined", reason, document))
        else:
            changes.open(Opening(values, "added", document=document))
    else:
        names = _ENDS if by_hand else _FIELDS
        new = {name: values[name] for name in names if row[name] != values[name]}
        held = row["retired_at"] is None
        if new or not held:
            reread = work.document_of(writing_of({**row, **new})) if is_indexed(new) else None
            if held:
                changes.close(Closing(row))
            action = "restored" if not held else "superseded" if new.get("superseded_by") else "revised"
            reason = f"by {successor}" if action == "superseded" else f"changed {', '.join(new)}" if new else ""
            changes.open(Opening({**next_revision(row), **new}, action, reason, reread))
        elif fresh_links:
            changes.entries.append(Entry(id_, "merged", "said again", row["revision"]))
    kept = {claim.key for claim in period.claims}
    changes.unlinks += [link["row"] for link in links if link["data"] is not None and _key_in(link) not in kept]
    changes.links += fresh_links
    if successor is not None and (row is None or row["superseded_by"] != successor):
        changes.links.append(link_to({**values, "id": successor}, id_, "supersedes"))


def _key_in(link: Row) -> tuple[str, int, int, int]:
    kept = json.loads(link["data"])
    return link["target_id"], kept["start"], kept["stop"], kept["nth"]


def _fresh_links(work: _Work, values: Values, period: Period, links: Sequence[Row]) -> list[Values]:
    """Edges to the evidence of a period that are not there yet."""
    there = {_key_in(link) for link in links if link["data"] is not None}
    also = {link["target_id"] for link in links}
    found: list[Values] = []
    for claim in period.claims:
        if claim.key in there:
            continue
        edge = link_to(values, claim.episode, "derived_from", position=len(links) + len(found))
        found.append({**edge, "data": json_text(_kept(claim), "a claim"), "time": claim.said})
        also.add(claim.episode)
        for turn, _, _ in claim.content["also"]:
            if turn not in also:
                also.add(turn)
                found.append(link_to(values, turn, "derived_from", position=len(links) + len(found)))
    return found


def _values(work: _Work, slot: _Slot, period: Period, id_: str, successor: str | None) -> Values:
    """The record that says a period."""
    first = period.first
    content = first.content
    evidence = [work.episodes[claim.episode] for claim in period.claims]
    agents, sessions = {row["agent"] for row in evidence}, {row["session"] for row in evidence}
    aliases = list(dict.fromkeys(alias for claim in period.claims for alias in claim.content["aliases"]))
    data = {"relation": content["relation"], "value": content["value"], "holds": first.holds, **content["data"]}
    if period.forgets:  # it says nothing of that relation
        data |= {"relation": "forget", "of": content["relation"]}
    return {
        **BLANK,
        "id": id_,
        "wall": work.wall.number,
        "kind": content["kind"],
        "text": content["text"],
        "subject": content["subject"],
        "aliases": json.dumps(aliases, ensure_ascii=False) if aliases else None,
        "data": json_text(data, "a statement's data"),
        "source": period.source,
        "confidence": max(claim.content["confidence"] for claim in period.claims),
        "time": first.said,
        "time_precision": "second",
        "valid_from": first.begins if first.holds else None,
        "valid_to": period.ends,
        "valid_precision": content["precision"],
        "agent": agents.pop() if len(agents) == 1 else None,
        "session": sessions.pop() if len(sessions) == 1 else None,
        "quarantined": int(period.aside),
        "superseded_by": successor,
        "derivation": content.get("by", "rules/1"),  # files of format 2 do not say
        "fingerprint": slot.print,
    }


def _contradict(work: _Work, row: Values | None, id_: str, other: str) -> None:
    """Two records that cannot both be so are linked, once each way."""
    if row is not None:
        links = work.tx.rows("links_from", ids=json.dumps([id_]), role="contradicts")
        if any(link["target_id"] == other and link["retired_at"] is None for link in links):
            return
    work.changes.links.append(link_to({"wall": work.wall.number, "id": id_}, other, "contradicts"))
