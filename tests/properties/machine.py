"""A plain-Python model of the memory of one user, and a machine that drives both through every verb of writing.

The model keeps, for each record, the states it was in: (since when, content), where None says that it was not held. An
undo sets a record back to the state before a receipt if it still is in the state after it. Nothing else is needed.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mnemic import ConflictError, InputError, Memory, NotFoundError, Receipt, Record
from mnemic.journal import broken_links
from mnemic.testing import FrozenClock, HashEmbedder

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
USER = "ana"
WORDS = ("lisbon", "porto", "tea", "coffee")
EVERY_STATE = ("superseded", "expired", "retired", "quarantined")


@dataclass(frozen=True)
class Content:
    """What a record says in one revision."""

    kind: str
    text: str
    time: datetime
    key: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    metadata: tuple[tuple[str, Any], ...] = ()
    by: str | None = None
    """The record that superseded it."""

    @property
    def begins(self) -> datetime:
        return self.valid_from or self.time

    def ended(self, at: datetime) -> bool:
        return self.by is not None if self.kind == "event" else self.valid_to is not None and self.valid_to <= at

    def state(self, at: datetime) -> str:
        if self.ended(at):
            return "expired" if self.by is None else "superseded"
        return "current"

    def true_at(self, at: datetime) -> bool:
        return not self.ended(at) and (self.time if self.kind == "event" else self.begins) <= at


@dataclass
class Told:
    """What one receipt did: for each record its content before and after."""

    at: datetime
    verb: str
    before: dict[str, Content | None] = field(default_factory=dict)
    after: dict[str, Content | None] = field(default_factory=dict)
    lost: bool = False
    """Whether something of that was erased since."""


class Model:
    def __init__(self) -> None:
        self.states: dict[str, list[tuple[datetime, Content | None]]] = {}
        self.revisions: dict[str, int] = {}
        self.erased: set[str] = set()
        self.rests: dict[str, set[str]] = {}
        """Evidence: what each record rests, or ever rested, on."""
        self.receipts: dict[str, Told] = {}
        self.messages: dict[tuple[Any, ...], str] = {}
        """Messages without an id by role, time, text and place among equals."""
        self.versions: dict[str, list[str]] = {}
        self.statements: dict[tuple[str, str], list[str]] = {}

    # -- asking

    def now(self, id_: str) -> Content | None:
        return self.states[id_][-1][1] if id_ in self.states else None

    def last(self, id_: str) -> Content:
        """What it last said, held or not."""
        return next(content for _, content in reversed(self.states[id_]) if content is not None)

    def known(self, id_: str, at: datetime) -> Content | None:
        held = [content for since, content in self.states[id_] if since <= at]
        return held[-1] if held else None

    def current(self, at: datetime) -> dict[str, Content]:
        return {i: c for i in self.states if (c := self.now(i)) is not None and c.state(at) == "current"}

    def true_at(self, as_of: datetime, known_at: datetime | None = None) -> dict[str, Content]:
        said = {i: self.now(i) if known_at is None else self.known(i, known_at) for i in self.states}
        return {i: content for i, content in said.items() if content is not None and content.true_at(as_of)}

    def holder(self, key: str | None) -> str | None:
        """Who has a key."""
        held = ((i, self.now(i)) for i in self.states)
        return next((i for i, c in held if key is not None and c is not None and c.key == key and c.by is None), None)

    def undo_closed(self, id_: str) -> bool:
        """Whether an undo has taken this record away."""
        told = [told for told in self.receipts.values() if id_ in told.after]
        return max(told, key=lambda one: one.at).verb == "undo"

    # -- changing

    def put(self, told: Told, id_: str, content: Content | None) -> None:
        told.before.setdefault(id_, self.now(id_))
        told.after[id_] = content
        self.states.setdefault(id_, []).append((told.at, content))
        if content is not None:
            self.revisions[id_] = self.revisions.get(id_, 0) + 1

    def supersede(self, told: Told, old: str, new: str, begins: datetime) -> None:
        content = self.now(old)
        assert content is not None
        end = max(begins, content.begins)
        end = end if content.valid_to is None else min(end, content.valid_to)
        self.put(told, old, replace(content, valid_to=end, by=new))

    def undoable(self, receipt: str) -> bool:
        told = self.receipts[receipt]
        if told.lost or any(self.now(id_) != after for id_, after in told.after.items()):
            return False
        held = {id_: self.now(id_) for id_ in self.states} | told.before
        keys = [c.key for c in held.values() if c is not None and c.key is not None and c.by is None]
        return len(keys) == len(set(keys))

    def undo(self, receipt: str, undoing: str, at: datetime) -> None:
        told = self.receipts[undoing] = Told(at, "undo")
        for id_, content in self.receipts[receipt].before.items():
            self.put(told, id_, content)

    def erase(self, ids: Iterable[str], at: datetime) -> set[str]:
        gone = set(ids)
        while more := {i for i, on in self.rests.items() if i in self.states and on & gone} - gone:
            gone |= more
        for id_ in gone:
            del self.states[id_]
            self.erased.add(id_)
        for told in self.receipts.values():
            told.lost = told.lost or not gone.isdisjoint(told.after)
        for id_, states in self.states.items():
            held = self.now(id_)
            if held is None or held.by not in gone:
                continue
            # What the erased had superseded is as true again as it was before.
            earlier = (c for _, c in reversed(states) if c is not None and (c.by is None or c.by in self.states))
            before = next(earlier, replace(held, by=None, valid_to=None))
            back = replace(held, by=before.by, valid_to=before.valid_to)
            if back.by is None and self.holder(back.key) is not None:
                back = replace(back, key=None)  # another has it by now
            self.put(Told(at, "erase"), id_, back)
        return gone


texts = st.sampled_from(WORDS)
times = st.sampled_from([None, None, START - timedelta(days=2), START - timedelta(days=1)])
choices = st.integers(0, 10_000)


class MemoryMachine(RuleBasedStateMachine):
    """Every verb of writing in any order; after each, every way of reading says what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="mnemic-")
        self.path = Path(self.folder.name, "agent.db")
        self.clock = FrozenClock(START)
        self.embedder = HashEmbedder(8)
        self.model = Model()
        self.then: dict[datetime, dict[str, Record]] = {}
        """What was answered at earlier instants."""
        self.checked = 0

    def open(self) -> Memory:
        return Memory(self.path, embedder=self.embedder, clock=self.clock)

    @initialize()
    def begin(self) -> None:
        self.memory, self.follower = self.open(), self.open()

    def teardown(self) -> None:
        self.memory.close()
        self.follower.close()
        self.folder.cleanup()

    # -- what a step needs

    def told(self, receipt: Receipt) -> Told:
        assert receipt.at == self.clock()
        told = Told(receipt.at, receipt.verb)
        if any(entry.action != "ignored" for entry in receipt.entries):
            self.model.receipts[receipt.id] = told
        return told

    def any_of(self, ids: Iterable[str], choice: int) -> str | None:
        found = list(ids)  # in the order in which the model came to know them: ids are made by chance
        return found[choice % len(found)] if found else None

    # -- the verbs

    @rule(
        said=st.lists(st.tuples(texts, times, st.sampled_from([None, None, "m1", "m2"])), min_size=1, max_size=3),
    )
    def add(self, said: list[tuple[str, datetime | None, str | None]]) -> None:
        self.clock.advance(1)
        messages = [
            {"role": "user", "content": f"I said {text}"} | ({"time": time} if time else {}) | ({"id": m} if m else {})
            for text, time, m in said
        ]
        receipt = self.memory.add(messages, user_id=USER)
        told, model = self.told(receipt), self.model
        done = [entry for entry in receipt.entries if entry.action != "superseded"]
        answers = {}
        seen: dict[tuple[Any, ...], int] = {}
        for entry in done:
            answers.setdefault(entry.id, []).append(entry.action)
        for text, time, message_id in said:
            content = Content("episode", f"I said {text}", time or receipt.at)
            if message_id is None:
                handle = (content.text, time)
                seen[handle] = seen.get(handle, -1) + 1
                id_ = model.messages.get((*handle, seen[handle]))
                if id_ is None or id_ in model.erased:
                    id_ = self.fresh(done, content, receipt)
                    model.messages[(*handle, seen[handle])] = id_
                expected = self.keep(told, id_, content)
            else:
                versions = model.versions.setdefault(message_id, [])
                id_ = next((i for i in versions if i not in model.erased and model.last(i).text == content.text), None)
                if id_ is None:
                    id_ = self.fresh(done, content, receipt)
                    versions.append(id_)
                expected = self.keep(told, id_, content)
                if expected != "ignored":
                    for other in versions:
                        old = model.now(other)
                        if other != id_ and old is not None and old.by is None:
                            held = model.last(id_)
                            closed = replace(old, valid_to=max(held.time, old.time), by=id_)
                            if other in told.after:  # both in one call: it never stood alone
                                model.states[other][-1] = (told.at, closed)
                                told.after[other] = closed
                            else:
                                model.put(told, other, closed)
            assert answers[id_].pop(0) == expected
        assert not any(answers.values())

    def fresh(self, done: list[Any], content: Content, receipt: Receipt) -> str:
        """The id that the receipt gives to a new message."""
        for entry in done:
            if entry.id not in self.model.states:
                record = self.memory.get(entry.id, user_id=USER)
                if record.text == content.text and record.time == content.time:
                    self.model.erased.discard(entry.id)
                    return entry.id
        raise AssertionError(f"{content} is not in {receipt}")

    def keep(self, told: Told, id_: str, content: Content) -> str:
        model = self.model
        if id_ not in model.states:
            model.put(told, id_, content)
            return "added"
        if model.now(id_) is None and model.undo_closed(id_):
            model.put(told, id_, model.last(id_))
            return "restored"
        return "ignored"

    @rule(
        text=texts,
        kind=st.sampled_from(["fact", "event"]),
        key=st.sampled_from([None, None, "k1", "k2"]),
        supersede=st.none() | choices,
        rest_on=st.none() | choices,
        begins=st.sampled_from([None, None, START - timedelta(days=1), START - timedelta(hours=1)]),
        lasts=st.sampled_from([None, None, timedelta(seconds=3), timedelta(days=9)]),
    )
    def remember(
        self,
        text: str,
        kind: str,
        key: str | None,
        supersede: int | None,
        rest_on: int | None,
        begins: datetime | None,
        lasts: timedelta | None,
    ) -> None:
        at, model = self.clock.advance(1), self.model
        said = f"likes {text}"
        old = self.any_of(model.states, supersede) if supersede is not None else None
        evidence = self.any_of(model.states, rest_on) if rest_on is not None else None
        ends = None if lasts is None else at + lasts
        content = Content(kind, said, at, key, begins, ends)
        known = next(
            (
                i
                for i in model.statements.get((kind, said), [])
                if (c := model.now(i)) is not None
                and c.by is None
                and c.text == said
                and (None in (key, c.key) or key == c.key)  # under another key it is another record
                and not (c.valid_to is not None and c.valid_to <= at)
            ),
            None,
        )
        held = None if known is None else model.now(known)
        conflict = old is not None and model.now(old) is None and not self.superseded_already(old, known)
        if held is not None and key is not None and key != held.key:
            conflict = True
        given: dict[str, Any] = {
            name: value
            for name, value in {
                "key": key,
                "valid_from": begins,
                "valid_to": ends,
                "supersedes": old,
                "evidence": evidence,
            }.items()
            if value is not None
        }
        if conflict:
            with contextlib.suppress(ConflictError):
                self.memory.remember(said, kind=kind, user_id=USER, **given)
                raise AssertionError(f"{given} was accepted")
            return
        self.resting = set[str]() if known is None else self.resting_now(known) | {known}
        receipt = self.memory.remember(said, kind=kind, user_id=USER, **given)
        told = self.told(receipt)
        if held is None:
            id_ = receipt.entries[0].id
            assert id_ not in model.states
            assert id_ not in model.erased
            model.statements.setdefault((kind, said), []).append(id_)
            taken = dict.fromkeys(i for i in (old, model.holder(key)) if i is not None)
            model.put(told, id_, content)
            for other in taken:
                model.supersede(told, other, id_, content.begins)
            model.rests.setdefault(id_, set()).update([evidence] if evidence else [])
            assert [entry.action for entry in receipt.entries] == ["added", *["superseded"] * len(taken)]
            return
        assert known is not None
        new = replace(held, valid_from=begins or held.valid_from, valid_to=ends or held.valid_to)
        before = model.rests.setdefault(known, set())
        other = None if old is None or self.superseded_already(old, known) else old
        if new != held:
            model.put(told, known, new)
            assert receipt.entries[0].action == "revised"
        elif other is not None or (evidence is not None and evidence not in self.resting):
            assert receipt.entries[0].action == "merged"
        else:
            assert [entry.action for entry in receipt.entries] == ["ignored"]
        if other is not None:
            model.supersede(told, other, known, new.begins)
        before.update({evidence} - {known} if evidence else ())

    def superseded_already(self, old: str, known: str | None) -> bool:
        return known is not None and known in (old, self.model.last(old).by)

    def resting_now(self, id_: str) -> set[str]:
        return {piece.id for piece in self.memory.get(id_, user_id=USER).evidence}

    @precondition(lambda self: self.model.states)
    @rule(
        choice=choices,
        text=st.none() | texts,
        key=st.sampled_from(["", "", None, "k1", "k2"]),
        mood=st.sampled_from([None, None, "good", "bad"]),
    )
    def update(self, choice: int, text: str | None, key: str | None, mood: str | None) -> None:
        self.clock.advance(1)
        model, id_ = self.model, self.any_of(self.model.states, choice)
        assert id_ is not None
        held = model.now(id_)
        fields: dict[str, Any] = {}
        if text is not None:
            fields["text"] = f"likes {text}"
        if key != "":
            fields["key"] = key
        if mood is not None:
            fields["metadata"] = {"mood": mood}
        expected: type[Exception] | None = None
        if not fields or model.last(id_).kind == "episode":
            expected = InputError
        elif held is None:
            expected = ConflictError
        else:
            new = replace(
                held,
                text=fields.get("text", held.text),
                key=fields.get("key", held.key),
                metadata=tuple(fields["metadata"].items()) if mood else held.metadata,
            )
            if held.by is None and new.key != held.key and model.holder(new.key) is not None:
                expected = ConflictError
        if expected is not None:
            with contextlib.suppress(expected):
                self.memory.update(id_, user_id=USER, **fields)
                raise AssertionError(f"{fields} was accepted")
            return
        receipt = self.memory.update(id_, user_id=USER, **fields)
        told = self.told(receipt)
        assert held is not None
        if new != held:
            model.put(told, id_, new)
        assert [entry.action for entry in receipt.entries] == ["ignored" if new == held else "revised"]

    @precondition(lambda self: self.model.states)
    @rule(choice=choices)
    def retire(self, choice: int) -> None:
        self.clock.advance(1)
        id_ = self.any_of(self.model.states, choice)
        assert id_ is not None
        receipt = self.memory.retire(id_, user_id=USER)
        told = self.told(receipt)
        if self.model.now(id_) is None:
            assert [entry.action for entry in receipt.entries] == ["ignored"]
        else:
            assert [entry.action for entry in receipt.entries] == ["retired"]
            self.model.put(told, id_, None)

    @precondition(lambda self: self.model.receipts)
    @rule(choice=choices, cascade=st.booleans())
    def undo(self, choice: int, cascade: bool) -> None:
        self.clock.advance(1)
        model, wanted = self.model, self.any_of(self.model.receipts, choice)
        assert wanted is not None
        if not model.undoable(wanted) and (not cascade or model.receipts[wanted].lost):
            with contextlib.suppress(ConflictError):
                self.memory.undo(wanted, cascade=cascade, user_id=USER)
                raise AssertionError("it could not be undone, and was")
            return
        try:
            receipt = self.memory.undo(wanted, cascade=cascade, user_id=USER)
        except ConflictError as error:
            conflict = str(error)
            assert cascade, f"it could be undone, and was not: {conflict}"
            assert "eras" in conflict or "already undone" in conflict
            return
        with self.memory._store.read() as snapshot:
            made = snapshot.select(
                "SELECT id, undoes, at FROM receipts WHERE at >= :at ORDER BY at", {"at": _micros(self.clock())}
            )
        for row in made:
            assert model.undoable(row["undoes"])
            model.undo(row["undoes"], row["id"], START + timedelta(microseconds=row["at"] - _micros(START)))
        assert [row["id"] for row in made][-1] == receipt.id
        assert made[-1]["undoes"] == wanted
        self.clock.advance(1)  # each receipt of a cascade has an instant of its own

    @precondition(lambda self: self.model.states)
    @rule(choice=choices)
    def erase(self, choice: int) -> None:
        self.clock.advance(1)
        id_ = self.any_of(self.model.states, choice)
        assert id_ is not None
        plan = self.memory.erase(id_, dry_run=True, user_id=USER)
        receipt = self.memory.erase(id_, user_id=USER)
        gone = self.model.erase([id_], receipt.at)
        assert {entry.id for entry in receipt.entries} == {entry.id for entry in plan.entries} == gone

    @rule()
    def reopen(self) -> None:
        self.memory.close()
        self.memory = self.open()

    # -- what must hold after each step

    @invariant()
    def answers_are_the_models(self) -> None:
        if not hasattr(self, "memory"):
            return
        now, model = self.clock(), self.model
        listed = self.memory.list(user_id=USER, limit=1000, order="oldest")
        assert _contents(listed) == model.current(now)
        assert [record.time for record in listed] == sorted(record.time for record in listed)
        everything = self.memory.list(user_id=USER, limit=1000, include=EVERY_STATE)
        assert {record.id for record in everything} == set(model.states)
        for record in everything:
            held = model.now(record.id)
            assert _content(record) == model.last(record.id)
            assert record.revision == model.revisions[record.id]
            assert record.state == ("retired" if held is None else held.state(now))
            assert _content(self.memory.get(record.id, user_id=USER)) == model.last(record.id)
        for id_ in model.erased:
            with contextlib.suppress(NotFoundError):
                self.memory.get(id_, user_id=USER)
                raise AssertionError("an erased record was read")
            past = self.memory.history(id_, user_id=USER)
            assert past[-1].action == "erased"
            assert all(change.record is None for change in past)

    @invariant()
    def the_past_stays(self) -> None:
        if not hasattr(self, "memory"):
            return
        now, model = self.clock(), self.model
        here = self.memory.list(user_id=USER, limit=1000, as_of=now)
        assert _contents(here) == model.true_at(now)
        self.then.setdefault(now, {record.id: record for record in here})
        for at, answered in list(self.then.items())[-6:]:
            again = self.memory.list(user_id=USER, limit=1000, as_of=at, known_at=at)
            left = {id_: record for id_, record in answered.items() if id_ in model.states and _since(model, id_) <= at}
            assert {record.id: _bare(record) for record in again} == {i: _bare(record) for i, record in left.items()}
        for id_ in list(model.states)[:3]:
            changes = self.memory.history(id_, user_id=USER)
            told = [change for change in changes if not change.erased]
            expected = [(at, content is None) for at, content in model.states[id_]]
            assert [(change.at, change.action == "retired") for change in told] == expected

    @invariant()
    def every_way_finds_the_same(self) -> None:
        if not hasattr(self, "memory"):
            return
        self.checked += 1
        found = self.memory.search("who likes tea in lisbon?", user_id=USER, limit=1000)
        assert {hit.id for hit in found} == set(self.model.current(self.clock()))
        assert all(hit.state == "current" for hit in found)
        others = [self.follower] if self.checked % 3 else [self.follower, self.open()]
        for other in others:
            assert _numbers(other.search("who likes tea in lisbon?", user_id=USER, limit=1000)) == _numbers(found)
        for other in others[1:]:
            other.close()

    @invariant()
    def the_chain_is_whole(self) -> None:
        if not hasattr(self, "memory"):
            return
        with self.memory._store.read() as snapshot:
            assert list(broken_links(snapshot)) == []


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _since(model: Model, id_: str) -> datetime:
    return model.states[id_][0][0]


def _content(record: Record) -> Content:
    return Content(
        record.kind,
        record.text,
        record.time,
        record.key,
        record.valid_from,
        record.valid_to,
        tuple(record.metadata.items()),
        record.superseded_by,
    )


def _contents(records: Iterable[Record]) -> dict[str, Content]:
    return {record.id: _content(record) for record in records}


def _bare(record: Record) -> Record:
    """A record as it is compared over time: an erasure may take evidence of it away."""
    return replace(record, evidence=())


def _numbers(results: Any) -> list[Any]:
    return [(hit.id, hit.score, hit.relevance, dict(hit.signals)) for hit in results]
