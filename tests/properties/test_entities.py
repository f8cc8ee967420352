"""Laws of names: whom they mean is a function of what was said and set, whatever came when and whatever has gone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import ConflictError, InputError, Memory, NotFoundError, Receipt
from mnemic.derive import Recipe
from mnemic.lookup import latest_of
from mnemic.names import Told
from mnemic.statements import Span, Statement, Turn
from mnemic.testing import FrozenClock

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("Mel", "Melanie", "Kate", "Catherine", "Ana", "Ana Reis", "Ana's mother", "Mel's mother", "user")
PLACES = ("Porto", "Faro")
EVERY = ("superseded", "expired", "quarantined")


def read(turns: Sequence[Turn], first: int = 0) -> list[Statement]:
    """ "X lives in Y", "X likes Y", "X = Y" (X is another name of Y), "X > Y" (Y is the mother of X)."""
    found: list[Statement] = []
    for turn in turns[first:]:
        for sign, kind, relation in (
            (" lives in ", "fact", "lives_in"),
            (" likes ", "preference", "likes"),
            (" = ", "fact", "is_one"),
            (" > ", "relationship", "relative:mother"),
        ):
            one, found_sign, other = turn.text.partition(sign)
            if not found_sign:
                continue
            subject, aliases = (other, (one,)) if sign == " = " else (one, ())
            found.append(
                Statement(
                    kind=kind,
                    subject=subject,
                    relation=relation,
                    value=other,
                    text=turn.text,
                    evidence=(Span(turn.id, 0, len(turn.text)),),
                    said=turn.time,
                    aliases=aliases,
                )
            )
    return found


def called(turns: Sequence[Turn], first: int, said: Sequence[Statement]) -> list[Told]:
    """ "X ~ Y" (X may be short for Y), "X == Y" (X is another name of Y, told by the way)."""
    found: list[Told] = []
    for turn in turns[first:]:
        for sign in (" ~ ", " == "):
            one, found_sign, other = turn.text.partition(sign)
            if found_sign:
                found.append(Told(turn.id, one, other, near=sign == " ~ "))
    return found


RECIPE = Recipe("names/1", read, called=called)

name = st.sampled_from(NAMES)
texts = st.one_of(
    st.tuples(name, st.just(" lives in "), st.sampled_from(PLACES)),
    st.tuples(name, st.just(" likes "), st.sampled_from(("tea", "rum"))),
    st.tuples(name, st.sampled_from((" = ", " == ", " > ", " ~ ")), name),
).map("".join)
speakers = st.sampled_from((None, "Melanie", "Ana"))
step = st.one_of(
    st.tuples(st.just("add"), texts, speakers, st.integers(0, 9)),
    st.tuples(st.just("add"), texts, speakers, st.integers(0, 9)),
    st.tuples(st.just("add"), texts, speakers, st.integers(0, 9)),
    st.tuples(st.just("merge"), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.just("split"), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.just("undo"), st.integers(0, 9)),
    st.tuples(st.just("erase"), st.integers(0, 9)),
    st.tuples(st.just("retire"), st.integers(0, 9)),
)


class Life:
    """A memory of one user, driven by steps."""

    def __init__(self, recipe: object = RECIPE, user: str = "u") -> None:
        self.memory = Memory(":memory:", recipe=recipe, embedder="none", clock=FrozenClock(START + timedelta(days=99)))
        self.user = user
        self.receipts: list[Receipt] = []

    def do(self, step: tuple[Any, ...]) -> None:
        here = {"user_id": self.user}
        entities = sorted(self.memory.list(kinds="entity", **here), key=lambda one: one.subject or "")
        episodes = self.memory.list(kinds="episode", order="oldest", **here).records
        match step:
            case ("add", text, speaker, day):
                said = {"role": "user", "content": text, "time": START + timedelta(days=day)}
                said |= {"name": speaker} if speaker else {}
                self.receipts.append(self.memory.add(said, **here))
            case ("merge", one, other) if entities:
                ids = entities[one % len(entities)].id, entities[other % len(entities)].id
                if ids[0] != ids[1]:
                    self.receipts.append(self.memory.merge(ids[0], into=ids[1], **here))
            case ("split", one, nth) if entities:
                entity = entities[one % len(entities)]
                self.split(entity.id, entity.aliases, nth)
            case ("undo", one) if self.receipts:
                with suppress(ConflictError, NotFoundError):  # undone or erased before, or it changed nothing
                    self.receipts.append(self.memory.undo(self.receipts[one % len(self.receipts)], **here))
            case ("erase", one) if episodes:
                self.memory.erase(episodes[one % len(episodes)].id, **here)
            case ("retire", one) if episodes:
                self.receipts.append(self.memory.retire(episodes[one % len(episodes)].id, **here))
            case _:
                pass

    def split(self, id_: str, aliases: Sequence[str], nth: int) -> None:
        if aliases:
            with suppress(InputError):  # a role in which somebody is spoken of is no name
                self.receipts.append(self.memory.split(id_, names=aliases[nth % len(aliases)], user_id=self.user))

    def held(self) -> tuple[list[Any], list[Any]]:
        """All derived records and their links, with what each rests on; times of recording and revisions left out."""
        with self.memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
            wall = snapshot.row("wall_named", tenant="", project="", user=self.user)
            if wall is None:
                return [], []
            ids = [row["id"] for row in snapshot.rows("ids_in_wall", wall=wall["wall"], session=None, agent=None)]
            rows = {
                id_: row
                for id_, row in latest_of(snapshot, ids).items()
                if row["derivation"] is not None and row["retired_at"] is None
            }
            left_out = ("row", "revision", "num", "recorded_at", "retired_at", "opened_by", "closed_by", "salt")
            records = sorted(
                json.dumps({name: row[name] for name in row if name not in left_out}) for row in rows.values()
            )
            links = sorted(
                (link["source_id"], link["target_id"], link["role"], link["data"] or "")
                for link in snapshot.rows("links_in_wall", wall=wall["wall"])
                if link["source_id"] in rows and link["retired_at"] is None and link["role"] != "supersedes"
            )
        return records, links

    def anew(self) -> tuple[list[Any], list[Any]]:
        """What an empty memory derives from the same episodes and acts."""
        other = Life(user=self.user)
        values = [json.loads(line) for line in self.memory.export(user_id=self.user)] if self.receipts else []
        records = [value["record"] for value in values if "record" in value]
        gone = {record["id"] for record in records if record["derivation"] is not None}
        erased = {value["step"]["id"] for value in values if "step" in value} - {record["id"] for record in records}
        kept: list[str] = []
        for value in values:
            kind, fields = next(iter(value.items()))
            named = {"record": "id", "link": "source_id", "step": "id"}.get(kind)
            if named is not None and fields[named] in gone | erased:
                continue
            if kind == "receipt" and kept and kept[-1].startswith('{"receipt"'):
                kept.pop()  # nothing of it is left
            kept.append(json.dumps(value))
        if kept and kept[-1].startswith('{"receipt"'):
            kept.pop()
        if kept:
            other.memory.import_(kept)
            other.memory.rebuild(user_id=self.user)
        return other.held()


def plain(records: Sequence[str]) -> list[Any]:
    """What records say, without ids."""
    fields = ("kind", "text", "subject", "aliases", "valid_from", "valid_to", "quarantined", "data")
    return sorted(([json.loads(record)[name] for name in fields] for record in records), key=str)


def is_whole(life: Life) -> None:
    """Every statement is linked to the entity of its subject, and every entity is spoken of."""
    records, links = life.held()
    rows = [json.loads(record) for record in records]
    entities = {row["id"]: row for row in rows if row["kind"] == "entity"}
    assert len({row["subject"] for row in entities.values()}) == len(entities)
    about = {source: target for source, target, role, _ in links if role == "about"}
    for row in rows:
        if row["kind"] != "entity" and row["id"] in about:
            assert entities[about[row["id"]]]["subject"] == row["subject"]
        elif row["kind"] != "entity":
            assert row["subject"] == "user"
    assert all(any(source == id_ and role == "derived_from" for source, _, role, _ in links) for id_ in entities)


@settings(max_examples=40, deadline=None)
@given(st.lists(step, max_size=14))
def test_whatever_happened_a_rebuild_gives_the_same(steps: Sequence[tuple[Any, ...]]) -> None:
    life = Life()
    for one in steps:
        life.do(one)
    before = life.held()
    is_whole(life)
    assert life.memory.rebuild(dry_run=True, user_id="u").derived == ()
    life.memory.rebuild(user_id="u")
    assert life.held() == before
    assert life.anew() == before


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.just("add"), texts, speakers, st.integers(0, 9)), max_size=8, unique_by=lambda one: one[3]),
    st.randoms(),
)
def test_the_order_in_which_it_is_said_does_not_matter(steps: list[tuple[Any, ...]], random: Any) -> None:
    one, other = Life(), Life()
    for step in steps:
        one.do(step)
    random.shuffle(steps)
    for step in steps:
        other.do(step)
    assert plain(one.held()[0]) == plain(other.held()[0])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.just("add"), texts, speakers, st.integers(0, 9)), min_size=2, max_size=7),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_a_merge_and_its_undo_leave_all_as_it_was(steps: list[tuple[Any, ...]], one: int, other: int) -> None:
    life = Life()
    for step in steps:
        life.do(step)
    before, many = life.held(), len(life.receipts)
    life.do(("merge", one, other))
    for done in life.receipts[many:]:
        life.memory.undo(done, user_id="u")
    assert life.held() == before


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.booleans(), step), max_size=12))
def test_walls_do_not_mix(steps: list[tuple[bool, tuple[Any, ...]]]) -> None:
    """What one user says and sets changes nothing of another's, in the same file."""
    alone, beside, other = Life(user="a"), Life(user="a"), Life(user="b")
    other.memory = beside.memory
    for mine, one in steps:
        if mine:
            alone.do(one)
            beside.do(one)
        else:
            other.do(one)
    assert plain(alone.held()[0]) == plain(beside.held()[0])
