"""Views are a function of what a wall holds: however it came to hold it, and whenever upkeep ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnemic import Memory, keeping
from mnemic.derive import Recipe
from mnemic.errors import MnemicError
from mnemic.statements import Span, Statement, Turn

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}
KINDS = ("profile", "state", "commitments", "questions", "summary", "topic")


def read(turns: Sequence[Turn], first: int) -> list[Statement]:
    """A language of its own: "Ana lives in Porto", "Ana likes tea", "Ana plans 12" (of the month)."""
    found: list[Statement] = []
    for turn in turns[first:]:
        words = turn.text.rstrip(".").split()
        if len(words) < 3 or words[1] not in ("lives", "likes", "plans"):
            continue
        relation = {"lives": "lives_in", "likes": "likes", "plans": "plans"}[words[1]]
        day = START + timedelta(days=int(words[2])) if words[1] == "plans" else None
        found.append(
            Statement(
                kind={"lives": "fact", "likes": "preference", "plans": "goal"}[words[1]],
                subject=words[0],
                relation=relation,
                value=words[-1],
                text=turn.text,
                evidence=(Span(turn.id, 0, len(turn.text)),),
                said=turn.time,
                valid_from=day,
                precision=None if day is None else "day",
            )
        )
    return found


RECIPE = Recipe("toy/1", read)
TEXTS = st.one_of(
    st.builds("{} lives in {}.".format, st.sampled_from(["Ana", "Ben"]), st.sampled_from(["Porto", "Faro", "Braga"])),
    st.builds("{} likes {}.".format, st.sampled_from(["Ana", "Ben"]), st.sampled_from(["tea", "rum"])),
    st.builds("Ana plans {}.".format, st.integers(10, 90)),
    st.sampled_from(
        ["I don't know yet which doctor the harbour clinic has.", "The doctor of the harbour clinic is Nilsson.", "Hm."]
    ),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), TEXTS, st.integers(0, 40)),
        st.tuples(st.just("edit"), TEXTS, st.integers(0, 9)),
        st.tuples(st.sampled_from(["erase", "retire", "undo"]), st.integers(0, 9)),
        st.tuples(st.just("upkeep")),
    ),
    min_size=1,
    max_size=12,
)


def shown(memory: Memory) -> dict[str, tuple[str, str]]:
    """The views of Ana's wall by key, as they are read."""
    records = memory.list(kinds=KINDS, limit=1000, **WHO)
    return {str(record.key): (record.kind, record.text) for record in records}


def everything(memory: Memory) -> list[Any]:
    """The views with all that they say."""
    records = memory.list(kinds=KINDS, limit=1000, **WHO)
    return sorted((r.key, r.id, r.text, r.data, r.confidence, r.time, [e.id for e in r.evidence]) for r in records)


def live(memory: Memory, steps: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Do what the steps say, one after another; what cannot be done is left out."""
    ids: list[str] = []
    receipts: list[Any] = []
    for number, (what, *how) in enumerate(steps):
        try:
            if what == "add":
                at = START + timedelta(days=how[1], minutes=number)
                message = {"role": "user", "content": how[0], "time": at, "id": f"m{number}"}
                receipts.append(memory.add(message, **WHO))
                ids.append(receipts[-1].ids[0])
            elif what == "edit":
                message = {"role": "user", "content": how[0], "time": START, "id": f"m{how[1]}"}
                receipts.append(memory.add(message, **WHO))
            elif what == "upkeep":
                memory.upkeep(**WHO)
            elif what == "undo" and receipts:
                receipts.append(memory.undo(receipts[how[0] % len(receipts)], cascade=True, **WHO))
            elif what == "retire" and ids:
                receipts.append(memory.retire(ids[how[0] % len(ids)], **WHO))
            elif what == "erase" and ids:
                memory.erase(ids.pop(how[0] % len(ids)), **WHO)
            elif what == "remember":
                evidence = ids[how[1] % len(ids)] if ids and how[1] < 5 else ()
                receipts.append(memory.remember(how[0], subject=how[0].split()[0], evidence=evidence, **WHO))
            elif what in ("withdraw", "mend", "drop"):
                kinds = ("fact", "preference", "goal", *KINDS)
                records = sorted(memory.list(kinds=kinds, limit=1000, **WHO), key=lambda one: one.text)
                one = records[how[0] % len(records)] if records else None
                if one is not None and what == "withdraw":
                    receipts.append(memory.retire(one.id, **WHO))
                elif one is not None and what == "mend":
                    receipts.append(memory.update(one.id, subject=how[1], **WHO))
                elif one is not None:
                    memory.erase(one.id, **WHO)
        except MnemicError:
            continue
        yield what


def said_anew(memory: Memory) -> dict[str, tuple[str, str]]:
    """The views of a fresh memory that is told the episodes of this one."""
    with Memory(":memory:", recipe=RECIPE, embedder="none") as fresh:
        episodes = memory.list(kinds="episode", order="oldest", limit=1000, **WHO)
        numbered = sorted(episodes, key=lambda one: memory.history(one.id, **WHO)[0].at)
        for one in numbered:
            fresh.add({"role": "user", "content": one.text, "time": one.time, "id": one.id}, **WHO)
        fresh.upkeep(**WHO)
        return shown(fresh)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_views_are_those_of_a_fresh_memory(steps: Sequence[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """However a memory has been kept up, a little at a time, at whatever moments: the same as all at once."""
    monkeypatch.setattr(keeping, "ROWS", 3)
    monkeypatch.setattr(keeping, "PARTS", 1)
    with Memory(":memory:", recipe=RECIPE, embedder="none") as memory:
        list(live(memory, steps))
        memory.upkeep(**WHO)
        assert shown(memory) == said_anew(memory)
        before = everything(memory)
        assert memory.upkeep(**WHO).views == ()
        assert memory.rebuild(dry_run=True, **WHO).derived == ()
        assert memory.rebuild(**WHO).derived == ()
        assert everything(memory) == before


BY_HAND = st.lists(
    st.one_of(
        st.tuples(st.just("add"), TEXTS, st.integers(0, 40)),
        st.tuples(st.just("remember"), st.sampled_from(["Ana plays chess", "Ben owns a boat"]), st.integers(0, 9)),
        st.tuples(st.sampled_from(["erase", "retire", "undo", "withdraw", "drop"]), st.integers(0, 9)),
        st.tuples(st.just("mend"), st.integers(0, 9), st.sampled_from(["Ana", "Cleo"])),
        st.tuples(st.just("upkeep")),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(steps=BY_HAND)
def test_what_was_done_by_hand_stays_in_a_rebuild_and_elsewhere(steps: Sequence[tuple[Any, ...]]) -> None:
    """Law 4, with acts; an import goes on from what it took over."""
    with Memory(":memory:", recipe=RECIPE, embedder="none") as memory:
        list(live(memory, steps))
        memory.upkeep(**WHO)
        before = everything(memory)
        assert memory.rebuild(**WHO).derived == ()
        assert everything(memory) == before
        with Memory(":memory:", recipe=RECIPE, embedder="none") as other:
            other.import_(list(memory.export(**WHO)))
            assert other.upkeep(**WHO).views == ()
            assert everything(other) == before


@settings(max_examples=60, deadline=None)
@given(steps=BY_HAND)
def test_a_view_rests_on_what_is_held(steps: Sequence[tuple[Any, ...]]) -> None:
    """Law 3: at every moment a view's evidence is there; and what is taken back leaves it at once."""
    with Memory(":memory:", recipe=RECIPE, embedder="none") as memory:
        for what in live(memory, steps):
            views = list(memory.list(kinds=KINDS, limit=1000, **WHO))
            assert all(view.evidence for view in views)
            if what not in ("upkeep", "erase", "retire", "undo", "withdraw", "drop"):
                continue
            believed = {one.id for one in memory.list(kinds=("fact", "preference", "goal"), limit=1000, **WHO)}
            for view in views:
                told = view.data.get("facts", ()) or view.data.get("commitments", ())
                assert {fact["id"] for fact in told} <= believed or view.author
