"""What stands around a record, and which records contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from mnemic import InputError, Memory, NotFoundError
from mnemic.testing import FrozenClock

ANA, BEN = {"user_id": "ana"}, {"user_id": "ben"}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", clock=FrozenClock(datetime(2026, 6, 1, tzinfo=UTC))) as memory:
        yield memory


def say(memory: Memory, text: str, day: int = 1, user: dict[str, str] = ANA) -> str:
    message = {"role": "user", "name": "Ana", "content": text, "time": f"2026-05-{day:02}T09:00Z"}
    return memory.add(message, **user).ids[0]


def test_a_fact_is_joined_to_what_it_rests_on_and_to_what_took_its_place(memory: Memory) -> None:
    said = say(memory, "I live in Porto.")
    later = say(memory, "I moved to Braga.", day=9)
    porto = next(one for one in memory.list(include="superseded", kinds="fact", **ANA) if one.text.endswith("Porto."))
    around = {(one.role, one.out, one.record.id) for one in memory.links(porto.id, **ANA)}
    assert ("derived_from", True, said) in around
    braga = next(one for one in memory.list(kinds="fact", **ANA) if "Braga" in one.text)
    assert ("derived_from", True, later) in {
        (one.role, one.out, one.record.id) for one in memory.links(braga.id, **ANA)
    }
    assert ("derived_from", False, porto.id) in {(o.role, o.out, o.record.id) for o in memory.links(said, **ANA)}


def test_what_a_scope_does_not_see_is_not_around(memory: Memory) -> None:
    shared = memory.remember("The office is in Porto.", shared=True).ids[0]
    mine = memory.remember("I dislike the office.", evidence=shared, **ANA).ids[0]
    memory.remember("I like the office.", evidence=shared, **BEN)
    assert [one.record.id for one in memory.links(shared, **ANA)] == [mine]
    with pytest.raises(NotFoundError):
        memory.links(mine, **BEN)


def test_of_many_neighbours_as_many_as_wanted_are_told_past_those_of_others(memory: Memory) -> None:
    shared = memory.remember("The office is in Porto.", shared=True).ids[0]
    for number in range(300):
        memory.remember(f"Ben saw it {number} times.", evidence=shared, **BEN)
    mine = [memory.remember(f"I saw it {number} times.", evidence=shared, **ANA).ids[0] for number in range(3)]
    assert [one.record.id for one in memory.links(shared, **ANA)] == mine
    assert [one.record.id for one in memory.links(shared, limit=2, **ANA)] == mine[:2]


def test_a_conflict_is_told_once_until_one_of_the_two_goes(memory: Memory) -> None:
    say(memory, "I am from Porto.")
    say(memory, "I am from Braga.", day=2)
    (pair,) = memory.conflicts(**ANA)
    assert {pair.one.text, pair.other.text} == {"Ana is from Porto.", "Ana is from Braga."}
    assert len(memory.conflicts(**BEN)) == 0
    done = memory.retire(pair.other.id, **ANA)
    assert len(memory.conflicts(**ANA)) == 0
    memory.undo(done, **ANA)
    assert len(memory.conflicts(**ANA)) == 1
    memory.erase(pair.one.id, **ANA)  # derived again from its message, which stays
    assert len(memory.conflicts(**ANA)) == 1
    memory.erase([one.record.id for one in memory.links(pair.one.id, **ANA) if one.role == "derived_from"], **ANA)
    assert len(memory.conflicts(**ANA)) == 0


def test_conflicts_come_a_page_at_a_time(memory: Memory) -> None:
    for number in range(7):
        user = {"user_id": f"u{number}"}
        say(memory, "I am from Porto.", user=user)
        say(memory, "I am from Braga.", day=2, user=user)
    everybody = {"user_id": [f"u{number}" for number in range(7)]}
    whole = list(memory.conflicts(**everybody))
    assert len(whole) == 7
    paged, after = [], None
    while True:
        page = memory.conflicts(limit=3, after=after, **everybody)
        paged += page
        if (after := page.next) is None:
            break
    assert paged == whole
    assert all(pair != other for pair, other in pairwise(whole))
    with pytest.raises(InputError, match="after='x' is no place in a list"):
        memory.conflicts(after="x", **everybody)


def test_what_models_cost_is_told_by_day(memory: Memory) -> None:
    assert memory.spending(**ANA) == ()
