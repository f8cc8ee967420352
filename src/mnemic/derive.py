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

from mnemic import names
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
from mnemic.entities import ENTITY, Naming, entity_print
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
from mnemic.statements import CONTEXT, Statement, Turn, folded, relation, slot_of
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

    called: Callable[[Sequence[Turn], int, Sequence[Statement]], Sequence[names.Told]] = lambda turns, first, said: ()
    """From the turns of a segment, the one to begin with and what they say, to what they tell of names."""
    forget: Callable[[], None] = lambda: None
    """Drops what it keeps of texts for speed: called after an erasure."""
    asks: Asks | None = None
    """The model that reads what `statements` has read at once, and whose reading takes its place."""

    def read(self, turns: Sequence[Turn], first: int) -> Sequence[Statement]:
        """What the turns from `first` on say. Raises ModelError, whatever it is that fails."""
        with foreign(f"the recipe '{self.name}' failed"):
            return self.statements(turns, first)

    def names(self, turns: Sequence[Turn], first: int, said: Sequence[Statement]) -> Sequence[names.Told]:
        """What the turns from `first` on tell of names. Raises ModelError, whatever it is that fails."""
        with foreign(f"the recipe '{self.name}' failed"):
            return self.called(turns, first, said)


def rules() -> Recipe:
    """The one that needs no model. Its few hundred patterns are loaded when something is first derived."""
    return Recipe("rules/1", _by_rules, _rules_take_back, _names_by_rules, _forget_rules)


def _by_rules(turns: Sequence[Turn], first: int) -> Sequence[Statement]:
    from mnemic import rules

    return rules.statements(turns, first)


def _rules_take_back(text: str) -> bool:
    from mnemic import rules

    return rules.takes_back(text)


def _names_by_rules(turns: Sequence[Turn], first: int, said: Sequence[Statement]) -> Sequence[names.Told]:
    from mnemic.rules import called

    return called.called(turns, first, said)


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
    calls: Mapping[str, Sequence[names.Call]] = field(default_factory=dict[str, Sequence[names.Call]])
    """What each episode calls whom, by its id."""


def said_by(segments: Sequence[Segment], recipe: Recipe, progress: Callable[[int, int], None] | None = None) -> Told:
    """What each episode of the segments says. A recipe that fails on a segment leaves that one for later."""
    found: dict[str, list[Statement]] = {}
    failed: dict[str, str] = {}
    calls: dict[str, Sequence[names.Call]] = {}
    done, of = 0, sum(len(segment.turns) for segment in segments)
    for segment in segments:
        done += len(segment.turns)
        if progress is not None:
            progress(done, of)
        own = {turn.id for turn in segment.own}
        try:
            said = recipe.read(segment.turns, segment.before)
            told = recipe.names(segment.turns, segment.before, said)
        except ModelError as error:
            failed |= dict.fromkeys(own, str(error))
            continue
        for statement in said:
            if statement.evidence[0].turn in own:
                found.setdefault(statement.evidence[0].turn, []).append(names.told_apart(statement))
        calls |= calls_in(segment, found, told)
    return Told(found, failed, calls=calls)


def calls_in(
    segment: Segment, said: Mapping[str, Sequence[Statement]], told: Sequence[names.Told]
) -> dict[str, Sequence[names.Call]]:
    """What each turn of a segment calls whom, by what it says and what is told of names."""
    return {
        turn.id: names.calls_of(turn, said.get(turn.id, ()), [one for one in told if one.turn == turn.id])
        for turn in segment.own
    }


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


def slot_print(wall: Wall, naming: Naming, content: Mapping[str, Any]) -> str:
    """What the records of a slot are found by: its subject by the name that this one is known by."""
    slot = slot_of(content["subject"], content["relation"], content["value"])
    called = naming.of(names.key(content["subject"]))
    about = slot[0] if called is None else called.about
    return fingerprint((wall.tenant, wall.project, wall.user), "slot", about, *slot[1:])


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
    """A claim as its link keeps it; the episode itself knows the rest. An entity's is made anew from its names."""
    content = {"relation": ENTITY} if claim.content["kind"] == ENTITY else dict(claim.content)
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
        "content": content,
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
    naming: Naming
    document_of: Callable[[Writing], Document]
    changes: Changes
    episodes: dict[str, Values]
    """Those that the claims at hand rest on, as they are now; and acts."""
    slots: dict[str, str] = field(default_factory=dict[str, str])
    """The relations of the slots to arrange, by their fingerprints."""
    records: dict[str, Values] = field(default_factory=dict[str, Values])
    """The records in these slots, by id, whatever their state."""
    links: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    """The edges to their evidence."""
    about: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    """The edges to the entities that they are about, or like."""
    by_hand: set[str] = field(default_factory=set[str])
    """Those of them that somebody has retired or changed."""
    wanted: set[str] = field(default_factory=set[str])
    """Those of them that something says."""
    forgotten: set[tuple[str, int, int, int]] = field(default_factory=set[tuple[str, int, int, int]])
    """The keys of claims that the user asked to be forgotten."""
    claims: dict[str, list[Claim]] = field(default_factory=dict[str, list[Claim]])
    """The claims of each slot."""


def derived(
    tx: Transaction,
    wall: Wall,
    episodes: Sequence[str],
    said: Mapping[str, Sequence[Statement]],
    *,
    touched: Mapping[str, bool],
    derivation: Callable[[str], str],
    document_of: Callable[[Writing], Document],
) -> Changes:
    """What is to change where these episodes say this, and no longer what they said before.

    `touched`: the names whose calls have changed with that (see `entities.recalled`). `derivation` says by which recipe
    an episode was read, `document_of` what the index holds of a text.
    """
    fresh = latest_of(tx, list(episodes))
    work = _Work(tx, wall, Naming(tx, wall, touched), document_of, Changes("derive", wall.tenant), fresh)
    for id_, statements in said.items():
        row = fresh.get(id_)
        if row is None or not is_current(row):
            continue
        for statement, nth in _numbered(requests_in(statements, row["source"])):
            _claimed(work, claim_of(statement, row, nth, derivation(id_)))
    for about in sorted(work.naming.entities):
        claims, rows = work.naming.claims_of(about)
        print_ = entity_print(wall, about)
        work.slots[print_], work.claims[print_] = ENTITY, claims
        work.episodes = rows | work.episodes
    touched_before = _touched_before(tx, list(fresh))
    work.slots |= {row["fingerprint"]: _relation_of(row) for row in touched_before.values()}
    _take_in(work, touched_before | _of_moved(work, fresh))
    _take_claims(work, fresh)
    for print_, name in work.slots.items():
        _arrange(work, _Slot(print_, name, tuple(dict.fromkeys(work.claims.get(print_, ())))))
    _retire_the_rest(work)
    for name, called in work.naming.moved.items():
        row = {"wall": wall.number, "name": name, "about": None, "spelling": None, "entity": None}
        if called is not None:
            row |= {"about": called.about, "spelling": called.spelling, "entity": called.entity}
        work.changes.called.append(row)
    return work.changes


def _claimed(work: _Work, claim: Claim) -> None:
    """Put a claim into its slot."""
    print_ = slot_print(work.wall, work.naming, claim.content)
    work.slots[print_] = claim.content["relation"]
    work.claims.setdefault(print_, []).append(claim)


def _of_moved(work: _Work, fresh: Mapping[str, Values]) -> dict[str, Values]:
    """The records of statements about names that mean another one than before."""
    found: dict[str, Values] = {}
    for name in work.naming.moved:
        nums = [row["num"] for row in work.tx.rows("names_nums", wall=work.wall.number, name=name)]
        episodes = {row["id"] for row in _latest(work.tx, work.wall.number, nums).values()} - fresh.keys()
        links = work.tx.rows("links_to", ids=json.dumps(sorted(episodes)), role="derived_from")
        sources = {
            link["source_id"]
            for link in links
            if link["retired_at"] is None
            and link["data"] is not None
            and names.key(json.loads(link["data"])["content"].get("subject", "")) == name
        }
        found |= {id_: row for id_, row in latest_of(work.tx, sorted(sources)).items() if _is_statement(row)}
    return found


def _is_statement(row: Fields) -> bool:
    return row["derivation"] is not None and row["fingerprint"] is not None and row["kind"] != ENTITY


def _relation_of(row: Fields) -> str:
    data = loads(row["data"], {})
    return data.get("of") or data.get("relation", "")


def _take_in(work: _Work, records: Mapping[str, Values]) -> None:
    """Take in records, all others in their slots, and those in the slots to which their claims belong by now."""
    new = {id_: row for id_, row in records.items() if id_ not in work.records}
    looked_at: set[str] = set()
    while new or work.slots.keys() - looked_at:
        work.records |= new
        links = links_of(work.tx, list(new))
        work.links |= links
        for id_, row in new.items():
            if row["fingerprint"] is not None and row["kind"] != ENTITY:
                work.slots.setdefault(row["fingerprint"], _relation_of(row))
            for link in links.get(id_, ()) if row["kind"] != ENTITY else ():
                if link["data"] is not None:
                    content = json.loads(link["data"])["content"]
                    work.slots.setdefault(slot_print(work.wall, work.naming, content), content["relation"])
        prints = work.slots.keys() - looked_at
        looked_at |= prints
        new = {
            id_: row
            for id_, row in records_of(work.tx, work.wall.number, sorted(prints)).items()
            if id_ not in work.records
        }
    for role in ("about", "similar_to"):
        for link in work.tx.rows("links_from", ids=json.dumps(sorted(work.records)), role=role):
            if link["retired_at"] is None:
                work.about.setdefault(link["source_id"], []).append(link)


def _take_claims(work: _Work, fresh: Mapping[str, Values]) -> None:
    """Take the claims that records rest on, but those of the episodes at hand, and those taken back by hand."""
    targets = latest_of(work.tx, sorted({link["target_id"] for some in work.links.values() for link in some}))
    acts = {id_ for id_, row in targets.items() if row["kind"] == "act"}
    current = {id_: row for id_, row in targets.items() if row["kind"] == "episode" and is_current(row)}
    work.episodes = current | work.episodes
    work.by_hand = {id_ for id_, row in work.records.items() if _by_hand(work.tx, row, work.links.get(id_, ()), acts)}
    held: list[Claim] = []
    taken_back: set[tuple[str, tuple[str, int, int, int]]] = set()
    for id_, row in work.records.items():
        for link in work.links.get(id_, ()) if row["kind"] != ENTITY else ():
            if link["data"] is None:
                continue
            name = json.loads(link["data"])["content"]["relation"].partition(":")[0]
            if id_ in work.by_hand and row["retired_at"] is not None and row["kind"] != FORGET:
                taken_back.add((name, _key_in(link)))
            elif link["target_id"] in current and link["target_id"] not in fresh:
                held.append(claim_in(link, current[link["target_id"]]))
    new, work.claims = work.claims, {}
    for claim in held:
        _claimed(work, claim)
    for print_, claims in new.items():
        work.claims.setdefault(print_, []).extend(claims)
    for print_, claims in work.claims.items():
        name = work.slots[print_].partition(":")[0]
        work.claims[print_] = [
            claim for claim in claims if (name, claim.key) not in taken_back and _stands(work, claim)
        ]


def _stands(work: _Work, claim: Claim) -> bool:
    """Whether a request to forget has not been taken back by hand: then what it had taken out holds again."""
    id_ = id_of(Period([claim])) if claim.forgets else ""
    return id_ not in work.by_hand or work.records[id_]["retired_at"] is None


def _numbered(statements: Iterable[Statement]) -> Iterator[tuple[Statement, int]]:
    """The statements of an episode, each with which one it is that the same words make of its relation."""
    many: Counter[tuple[object, ...]] = Counter()
    for one in statements:
        span = one.evidence[0]
        like = (span.start, span.stop, one.relation.partition(":")[0], one.holds)
        yield one, many[like]
        many[like] += 1


def _touched_before(tx: Snapshot, episodes: Sequence[str]) -> dict[str, Values]:
    """The statements that rest on these episodes so far."""
    links = tx.rows("links_to", ids=json.dumps(episodes), role="derived_from")
    sources = sorted({link["source_id"] for link in links if link["retired_at"] is None and link["data"] is not None})
    return {id_: row for id_, row in latest_of(tx, sources).items() if _is_statement(row)}


def records_of(tx: Snapshot, wall: int, prints: Sequence[str]) -> dict[str, Values]:
    """The records of slots, by id, whatever their state; those that have moved to another are there."""
    rows = tx.rows("by_fingerprint", wall=wall, fingerprints=json.dumps(prints))
    wanted = set(prints)
    return {
        id_: row
        for id_, row in latest_of(tx, list(dict.fromkeys(row["id"] for row in rows))).items()
        if row["erased_by"] is None and row["fingerprint"] in wanted
    }


def links_of(tx: Snapshot, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The edges from these records to their evidence that are held, by record."""
    found: dict[str, list[Row]] = {}
    for link in tx.rows("links_from", ids=json.dumps(ids), role="derived_from"):
        if link["retired_at"] is None:
            found.setdefault(link["source_id"], []).append(link)
    return found


def _arrange(work: _Work, slot: _Slot) -> None:
    """Bring the records of one slot to what its claims say."""
    known = relation(slot.relation.partition(":")[0])
    periods = arranged(slot.claims, single=known.single, fixed=known.fixed)
    ids = {id(period): id_of(period) for period in periods}
    work.wanted |= set(ids.values())
    _take_up(work, [id_ for id_ in ids.values() if id_ not in work.records])
    for period in periods:
        id_ = ids[id(period)]
        successor = None if period.next is None else ids[id(period.next)]
        before = work.records.get(id_)
        _bring(
            work,
            slot,
            period,
            id_,
            successor,
            before,
            work.links.get(id_, ()),
            by_hand=before is not None and id_ in work.by_hand,
        )
        for other in period.against:
            _contradict(work, before, id_, ids[id(other)])
    work.forgotten |= {claim.key for period in periods if period.forgets for claim in period.claims[1:]}


def _take_up(work: _Work, ids: Sequence[str]) -> None:
    """Records that are wanted where they were not before: retired ones go on with their next revision."""
    for id_, row in latest_of(work.tx, ids).items():
        if row["erased_by"] is None:
            work.records[id_] = row
            work.links[id_] = links_of(work.tx, [id_]).get(id_, [])


def _retire_the_rest(work: _Work) -> None:
    """Retire the records that nothing says any more."""
    still = {claim.episode for claims in work.claims.values() for claim in claims}
    for id_, row in work.records.items():
        if id_ in work.wanted or row["retired_at"] is not None or id_ in work.by_hand:
            continue
        links = work.links.get(id_, ())
        moved = any(link["target_id"] in still for link in links)
        reason = "told by another record" if moved else "nothing says so any more"
        if any(link["data"] is not None and _key_in(link) in work.forgotten for link in links):
            reason = "asked to be forgotten"
        closing = Closing(row, Entry(id_, "retired", reason, row["revision"]))
        if row["kind"] == ENTITY and (not moved or work.claims.get(row["fingerprint"])):
            work.changes.closings.append(closing)  # nobody speaks of it, or another record does now
        else:
            work.changes.close(closing)
        work.changes.unlinks += [link["row"] for link in (*links, *work.about.get(id_, ()))]


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
_STAYS = ("fingerprint", *_ENDS)
"""What changes in a record that somebody has changed by hand: its words do not."""
_FIELDS = (
    *("kind", "text", "subject", "aliases", "data", "source", "confidence", "time", "time_precision", "valid_from"),
    *("valid_precision", "agent", "session", "quarantined", "derivation", "fingerprint", *_ENDS),
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
        if slot.relation == ENTITY:
            changes.open(Opening(values, "added", document=document, quiet=True))
        elif period.aside:
            reason = f"from '{period.first.source}', which never supersedes what the user said"
            changes.open(Opening(values, "quarantined", reason, document))
        else:
            changes.open(Opening(values, "added", document=document))
    else:
        columns = _STAYS if by_hand else _FIELDS
        new = {name: values[name] for name in columns if row[name] != values[name]}
        held = row["retired_at"] is None
        if new or not held:
            reread = work.document_of(writing_of({**row, **new})) if is_indexed(new) else None
            if held:
                changes.close(Closing(row))
            action = "restored" if not held else "superseded" if new.get("superseded_by") else "revised"
            told = ["whom it is about" if name == "fingerprint" else name for name in new]
            reason = f"by {successor}" if action == "superseded" else f"changed {', '.join(told)}" if told else ""
            changes.open(Opening({**next_revision(row), **new}, action, reason, reread))
        elif fresh_links:
            changes.entries.append(Entry(id_, "merged", "said again", row["revision"]))
    kept = {claim.key for claim in period.claims}
    changes.unlinks += [link["row"] for link in links if link["data"] is not None and _key_in(link) not in kept]
    changes.links += fresh_links
    _draw(work, slot, id_, content=period.first.content)
    if successor is not None and (row is None or row["superseded_by"] != successor):
        changes.links.append(link_to({**values, "id": successor}, id_, "supersedes"))


def _draw(work: _Work, slot: _Slot, id_: str, content: Mapping[str, Any]) -> None:
    """Link a statement to the entity that it is about, and an entity to those that it is only like."""
    called = work.naming.of(names.key(content["subject"]))
    wanted: set[tuple[str, str]] = set()
    if called is not None and slot.relation == ENTITY:
        wanted |= {("similar_to", other) for other in work.naming.like(called.about)}
    elif called is not None and called.entity is not None:
        wanted.add(("about", called.entity))
    held = work.about.get(id_, ())
    there = {(link["role"], link["target_id"]) for link in held}
    work.changes.unlinks += [link["row"] for link in held if (link["role"], link["target_id"]) not in wanted]
    for role, other in sorted(wanted - there):
        work.changes.links.append(link_to({"wall": work.wall.number, "id": id_}, other, role))


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
    called = work.naming.of(names.key(content["subject"]))
    everywhere = content["kind"] == ENTITY  # its names mean it in every session
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
        "subject": content["subject"] if called is None else called.spelling,
        "aliases": json.dumps(aliases, ensure_ascii=False) if aliases else None,
        "data": json_text(data, "a statement's data"),
        "source": period.source,
        "confidence": max(claim.content["confidence"] for claim in period.claims),
        "time": first.said,
        "time_precision": "second",
        "valid_from": first.begins if first.holds else None,
        "valid_to": period.ends,
        "valid_precision": content["precision"],
        "agent": agents.pop() if len(agents) == 1 and not everywhere else None,
        "session": sessions.pop() if len(sessions) == 1 and not everywhere else None,
        "quarantined": int(period.aside),
        "superseded_by": successor,
        # Claims of format 2 do not say, and entities are made of names, whoever reads them.
        "derivation": content.get("by", "names/1" if content["kind"] == ENTITY else "rules/1"),
        "fingerprint": slot.print,
    }


def _contradict(work: _Work, row: Values | None, id_: str, other: str) -> None:
    """Two records that cannot both be so are linked, once each way."""
    if row is not None:
        links = work.tx.rows("links_from", ids=json.dumps([id_]), role="contradicts")
        if any(link["target_id"] == other and link["retired_at"] is None for link in links):
            return
    work.changes.links.append(link_to({"wall": work.wall.number, "id": id_}, other, "contradicts"))
