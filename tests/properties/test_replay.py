"""What was believed when: `known_at` replays it, and `diff` is the exact difference of any two instants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory
from mnemic.errors import ConflictError, NotFoundError
from mnemic.testing import FrozenClock
from mnemic.types import STATES
from tests.properties.test_timeline import RECIPE, START, WHO, message, sayings

Believed = Mapping[str, tuple[Any, ...]]
EVERY = tuple(STATES)
steps = st.lists(st.sampled_from(["say", "say", "say", "retire", "undo", "remember", "edit"]), min_size=2, max_size=9)


def believed(memory: Memory, at: datetime | None = None, *, as_of: datetime | None = None) -> Believed:
    """All that the memory held, or held to be true at `as_of`, by id."""
    include = ("superseded", "expired", "quarantined", "faded") if as_of is None else ()
    page = memory.list(include=include, known_at=at, as_of=as_of, limit=1000, **WHO)
    return {
        one.id: (one.revision, one.text, one.valid_from, one.valid_to, one.superseded_by, one.state == "quarantined")
        for one in page
    }


@settings(max_examples=25, deadline=None)
@given(sayings, steps, st.randoms(use_true_random=False))
def test_every_instant_is_replayed_and_told_apart_from_every_other(
    said: list[tuple[str, int]], what: list[str], chance: Any
) -> None:
    clock = FrozenClock(START + timedelta(days=99))
    with Memory(":memory:", embedder="none", recipe=RECIPE, clock=clock) as memory:
        told: list[tuple[datetime, Believed, Believed]] = []
        receipts: list[str] = []
        day = START + timedelta(days=15)
        for number, step in enumerate(what):
            clock.advance(60)
            everything = believed(memory)
            held = sorted(everything, key=lambda id_: str(everything[id_][:4]))
            try:
                if step == "say":
                    done = memory.add(message(*said[number % len(said)]), **WHO)
                elif step == "edit":
                    text, at = said[number % len(said)]
                    done = memory.add({**message(text, at), "content": f"lives in Braga day {number}"}, **WHO)
                elif step == "retire" and held:
                    done = memory.retire(chance.choice(held), **WHO)
                elif step == "undo" and receipts:
                    done = memory.undo(receipts.pop(), **WHO)
                else:
                    done = memory.remember(f"note {number % 3}", **WHO)
            except (ConflictError, NotFoundError):
                continue
            receipts.append(done.id)
            clock.advance(60)
            told.append((clock(), believed(memory), believed(memory, as_of=day)))
        for at, everything, true_then in told:
            assert believed(memory, at) == everything
            assert believed(memory, at, as_of=day) == true_then
        for (since, before, _), (until, after, _) in combinations(told, 2):
            found = memory.diff(since, until, **WHO)
            assert {one.id: one.revision for one in found.added} == {
                id_: held[0] for id_, held in after.items() if id_ not in before
            }
            assert {one.id: one.revision for one in found.removed} == {
                id_: held[0] for id_, held in before.items() if id_ not in after
            }
            assert {old.id: (old.revision, new.revision) for old, new in found.changed} == {
                id_: (held[0], after[id_][0])
                for id_, held in before.items()
                if id_ in after and after[id_][0] != held[0]
            }


def test_the_states_are_those_that_the_replay_looks_at() -> None:
    assert set(EVERY) - {"superseded", "expired", "quarantined", "faded"} == {"retired"}, (
        "a retired record is not believed"
    )


@pytest.mark.parametrize("days", [0, 5, 50])
def test_no_time_no_difference(days: int) -> None:
    clock = FrozenClock(START + timedelta(days=99))
    with Memory(":memory:", embedder="none", recipe=RECIPE, clock=clock) as memory:
        memory.add(message("lives in Porto", 1), **WHO)
        clock.advance(1)
        found = memory.diff(clock(), clock() + timedelta(days=days), **WHO)
        assert (found.added, found.removed, found.changed) == ((), (), ())
