"""Topics kept up: what the user comes back to, as turns come, go, and come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, placing
from mnemic.models import wordllama
from mnemic.testing import FrozenClock

pytestmark = pytest.mark.skipif(wordllama.find() is None, reason="topics need vectors: the wordllama wheel")

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHO = {"user_id": "ana"}
POTS = (
    "I threw a clay bowl on the pottery wheel today.",
    "The pottery kiln cracked my clay bowl and two vases.",
    "I glazed the clay vases for my pottery class.",
    "My pottery class fires clay bowls every month.",
)
HILLS = (
    "We hiked a steep mountain trail above the valley.",
    "The mountain trail was muddy after our hike in the rain.",
    "Next month we hike another mountain trail with a hut.",
)


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", clock=FrozenClock(START + timedelta(days=99))) as one:
        yield one


def say(memory: Memory, *texts: str, first: int = 0) -> list[str]:
    """Each in a session of its own, a day after the other."""
    said = [
        {
            "role": "user",
            "content": text,
            "time": START + timedelta(days=first + at),
            "session_id": f"s{first + at}",
        }
        for at, text in enumerate(texts)
    ]
    return list(memory.add(said, **WHO).ids)


def topics(memory: Memory, **more: Any) -> dict[str, list[str]]:
    """The topics by their key, each with what was said in it."""
    found = memory.list(kinds="topic", order="oldest", **WHO, **more)
    return {one.key or "": [memory.get(id_, **WHO).text for id_ in one.data["turns"]] for one in found}


def test_upkeep_finds_what_the_user_comes_back_to(memory: Memory) -> None:
    ids = say(memory, *POTS[:3], *HILLS)
    done = memory.upkeep(**WHO)
    assert topics(memory) == {f"topic:{ids[0]}": list(POTS[:3]), f"topic:{ids[3]}": list(HILLS)}
    pots = memory.get(key=f"topic:{ids[0]}", **WHO)
    assert pots.id in [entry.id for entry in done.views]
    assert (pots.kind, pots.derivation) == ("topic", "views/1")
    assert "pottery" in (pots.subject or "")
    assert {piece.id for piece in pots.evidence} == set(ids[:3])
    assert memory.upkeep(**WHO).views == ()


def test_topics_are_no_hits_unless_they_are_asked_for(memory: Memory) -> None:
    say(memory, *POTS, *HILLS)
    before = [(hit.id, hit.score) for hit in memory.search("pottery class", **WHO)]
    memory.upkeep(**WHO)
    assert [(hit.id, hit.score) for hit in memory.search("pottery class", **WHO)] == before
    assert memory.search("pottery class", kinds="topic", **WHO)[0].kind == "topic"


def test_what_is_said_later_joins_and_only_that_is_looked_at(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = say(memory, *POTS[:3], *HILLS)
    memory.upkeep(**WHO)
    read: list[tuple[int, int]] = []
    reading = placing.read

    def noted(*given: Any) -> placing.Batch:
        batch = reading(*given)
        read.append((batch.first, len(batch.turns)))
        return batch

    monkeypatch.setattr(placing, "read", noted)
    say(memory, POTS[3], first=20)
    done = memory.upkeep(**WHO)
    assert topics(memory)[f"topic:{ids[0]}"] == list(POTS)
    assert sum(many for _, many in read) == 1
    changed = {memory.get(entry.id, **WHO).key for entry in done.views}
    assert f"topic:{ids[0]}" in changed
    assert f"topic:{ids[3]}" not in changed


@pytest.mark.parametrize("gone", range(4))
def test_what_goes_is_told_no_longer_and_the_rest_is_as_if_it_had_never_been(memory: Memory, gone: int) -> None:
    ids = say(memory, *POTS, *HILLS)
    memory.upkeep(**WHO)
    memory.erase(ids[gone], **WHO)
    assert not any(POTS[gone] in str(record.data) + record.text for record in memory.list(kinds="topic", **WHO))
    memory.upkeep(**WHO)
    left = [text for at, text in enumerate(POTS) if at != gone]
    with Memory(":memory:", clock=FrozenClock(START + timedelta(days=99))) as other:
        say(other, *left, *HILLS)
        other.upkeep(**WHO)
        assert sorted(topics(memory).values()) == sorted(topics(other).values())
    with memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
        rows = snapshot.select("SELECT num FROM placed WHERE num = :num", {"num": gone})
    assert rows == []


@pytest.mark.parametrize("which", range(3))
def test_what_is_retired_leaves_and_comes_back(memory: Memory, which: int) -> None:
    ids = say(memory, *POTS, *HILLS)
    memory.upkeep(**WHO)
    before = topics(memory)
    done = memory.retire(ids[which], **WHO)
    memory.upkeep(**WHO)
    assert POTS[which] not in str(topics(memory))
    memory.undo(done, **WHO)
    memory.upkeep(**WHO)
    assert topics(memory) == before


def test_a_rebuild_and_an_import_give_the_same(memory: Memory, tmp_path: Path) -> None:
    ids = say(memory, *POTS[:2], *HILLS)
    memory.upkeep(**WHO)
    say(memory, *POTS[2:], first=30)
    memory.upkeep(**WHO)
    memory.erase(ids[0], **WHO)
    memory.upkeep(**WHO)
    before = topics(memory)
    assert memory.rebuild(dry_run=True, **WHO).derived == ()
    memory.rebuild(**WHO)
    assert topics(memory) == before
    with Memory(tmp_path / "b.db", clock=FrozenClock(START + timedelta(days=99))) as other:
        other.import_(memory.export(**WHO))
        other.upkeep(**WHO)
        assert topics(other) == before


def test_walls_do_not_mix_and_without_vectors_there_are_none(memory: Memory) -> None:
    say(memory, *POTS)
    memory.add([{"role": "user", "content": text, "session_id": text} for text in HILLS], user_id="bo")
    memory.upkeep(everything=True)
    assert [len(one) for one in topics(memory).values()] == [4]
    assert "pottery" not in str(memory.list(kinds="topic", user_id="bo").records)
    with Memory(":memory:", embedder="none") as other:
        say(other, *POTS)
        assert other.upkeep(**WHO).views
        assert topics(other) == {}
        assert other.upkeep(**WHO).views == ()


def test_what_is_left_counts_no_topics_where_nothing_can_redo_them(tmp_path: Path) -> None:
    clock = FrozenClock(START + timedelta(days=99))
    with Memory(tmp_path / "a.db", clock=clock) as memory:
        ids = say(memory, *POTS, *HILLS)
        memory.upkeep(**WHO)
    with Memory(tmp_path / "a.db", clock=clock, embedder="none") as memory:
        memory.retire(ids[1], **WHO)
        memory.upkeep(**WHO)
        assert memory.upkeep(budget_ms=0, **WHO).notes == ()
    with Memory(tmp_path / "a.db", clock=clock) as memory:
        (note,) = memory.upkeep(budget_ms=0, **WHO).notes
        assert note.startswith("views are behind: 1 to be redone")
        memory.upkeep(**WHO)
        assert topics(memory)[f"topic:{ids[0]}"] == [POTS[0], *POTS[2:]]
