"""A memory that forgets: what is not used sinks, is cold, comes back when used, and goes only where that is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mnemic import ConflictError, Memory, Receipt, Record, decay
from mnemic.errors import ConfigError
from mnemic.forgetting import DAY, FSRS, Age, Budget, Ebbinghaus, Keep
from mnemic.testing import FrozenClock

START = datetime(2026, 1, 1, tzinfo=UTC)
ANA = {"user_id": "ana"}
WALK = "The heron stood by the old mill again."


class Days(FrozenClock):
    def pass_by(self, days: float) -> None:
        self.advance(days * 86_400)


def opened(policy: object, clock: FrozenClock, where: Path | str = ":memory:", **more: Any) -> Memory:
    return Memory(where, forgetting=policy, clock=clock, embedder="none", **{"recipe": "none", **more})


@pytest.fixture
def clock() -> Days:
    return Days(START)


@pytest.fixture
def memory(clock: Days) -> Iterator[Memory]:
    with opened(Ebbinghaus(strength_days=30), clock) as one:
        yield one


def texts(memory: Memory, **more: Any) -> list[str]:
    return sorted(record.text for record in memory.list(**ANA, **more) if record.kind != "entity")


def told(receipt: Receipt) -> list[tuple[str, str]]:
    return [(entry.action, entry.reason) for entry in receipt.entries]


def weight(memory: Memory, id: str) -> float:
    """How much is left of a record, as the search tells."""
    with memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
        (wall,) = [row["wall"] for row in snapshot.rows("latest_of", ids=f'["{id}"]')]
        rows = snapshot.rows("links_from", ids=f'["{id}"]', role="fades")
        assert all(row["wall"] == wall and row["target_id"] == id for row in rows)
        (left,) = [row["weight"] for row in rows if row["retired_at"] is None] or [1.0]
    return left


def cold_one(memory: Memory, clock: Days) -> str:
    (id,) = memory.add(WALK, **ANA).ids
    clock.pass_by(100)
    memory.upkeep(**ANA)
    assert texts(memory) == []
    return id


# -- sinking, and coming back


def test_what_is_not_used_sinks_and_is_cold_at_last(memory: Memory, clock: Days) -> None:
    (old,) = memory.add(WALK, **ANA).ids
    steps: list[tuple[int, list[tuple[str, str]]]] = []
    for day in range(1, 121):
        clock.pass_by(1)
        steps.append((day, told(memory.upkeep(**ANA))))
    assert [(day, step) for day, step in steps if step] == [
        (9, [("faded", "75% left")]),
        (21, [("faded", "50% left")]),
        (42, [("faded", "25% left")]),
        (90, [("faded", "cold")]),
    ]
    assert texts(memory) == []
    assert texts(memory, include="faded") == [WALK]
    assert memory.get(old, **ANA).text == WALK
    assert list(memory.search("heron", **ANA)) == []
    (hit,) = memory.search("heron", include="faded", **ANA)
    assert hit.id == old


def test_what_has_faded_ranks_below_what_is_fresh(memory: Memory, clock: Days) -> None:
    (old,) = memory.add("The heron stood by the mill.", **ANA).ids
    clock.pass_by(60)
    memory.upkeep(**ANA)
    (new,) = memory.add("The heron stood by the mill.", time=START, **ANA, idempotency_key="again").ids
    found = [hit.id for hit in memory.search("heron mill", **ANA)]
    assert found == [new, old]


def test_what_is_used_comes_back_at_the_next_upkeep(memory: Memory, clock: Days) -> None:
    old = cold_one(memory, clock)
    found = memory.search("heron", include="faded", **ANA)
    memory.feedback(found, used=old, **ANA)
    assert told(memory.upkeep(**ANA)) == [("restored", "all of it is back")]
    assert texts(memory) == [WALK]
    clock.pass_by(60)  # it has a strength of two by now
    memory.upkeep(**ANA)
    assert weight(memory, old) == 0.5


def test_what_was_wrong_does_not_come_back(memory: Memory, clock: Days) -> None:
    old = cold_one(memory, clock)
    memory.feedback(memory.search("heron", include="faded", **ANA), wrong=old, **ANA)
    assert told(memory.upkeep(**ANA)) == []


def test_feedback_that_is_undone_is_no_use(memory: Memory, clock: Days) -> None:
    old = cold_one(memory, clock)
    used = memory.feedback(memory.search("heron", include="faded", **ANA), used=old, **ANA)
    memory.upkeep(**ANA)
    assert weight(memory, old) == 1.0
    memory.undo(used, **ANA)
    memory.upkeep(**ANA)
    assert weight(memory, old) == 0.0


def test_a_fact_that_is_said_again_comes_back(clock: Days) -> None:
    with opened(Ebbinghaus(30), clock, recipe="rules") as memory:
        memory.add({"role": "user", "name": "Ana", "content": "I live in Utrecht."}, **ANA)
        clock.pass_by(100)
        memory.upkeep(**ANA)
        assert texts(memory) == ["I live in Utrecht."], "what it rests on follows"
        memory.upkeep(**ANA)
        assert texts(memory) == []
        memory.add({"role": "user", "name": "Ana", "content": "I live in Utrecht, as you know."}, **ANA)
        assert told(memory.upkeep(**ANA)) == [("restored", "all of it is back")]
        assert "Ana lives in Utrecht." in texts(memory)
        memory.upkeep(**ANA)
        assert "I live in Utrecht." in texts(memory), "and is there again for the fact that rests on it"


def test_what_is_still_to_come_does_not_fade_before_it_has(memory: Memory, clock: Days) -> None:
    (plan,) = memory.remember("Dinner at the harbour", kind="event", valid_from="2026-12-01T19:00Z", **ANA).ids
    clock.pass_by(300)
    memory.upkeep(**ANA)
    assert weight(memory, plan) == 1.0
    clock.pass_by(200)
    memory.upkeep(**ANA)
    assert weight(memory, plan) == 0.0


# -- what never fades


@pytest.mark.parametrize(
    "given",
    [
        {"pinned": True},
        {"kind": "instruction"},
        {"kind": "question"},
        {"key": "motto"},
    ],
)
@pytest.mark.parametrize("policy", [Ebbinghaus(1, erase_below=0.01), FSRS(erase_below=0.3), Age(1), Budget(records=1)])
def test_what_is_pinned_asked_or_held_by_a_key_never_fades(policy: object, given: dict[str, Any], clock: Days) -> None:
    with opened(policy, clock) as memory:
        memory.remember("Answer in Dutch", **given, **ANA)
        memory.remember("It rained on Monday", **ANA)
        for _ in range(4):
            clock.pass_by(5000)
            memory.upkeep(**ANA)
        assert "Answer in Dutch" in texts(memory)
        assert "It rained on Monday" not in texts(memory)


def test_what_a_current_record_rests_on_stays_with_it(memory: Memory, clock: Days) -> None:
    (said,) = memory.add(WALK, **ANA).ids
    (fact,) = memory.remember("There is a heron", evidence=said, pinned=True, **ANA).ids
    clock.pass_by(1000)
    memory.upkeep(**ANA)
    assert weight(memory, said) == 1.0
    memory.retire(fact, **ANA)
    memory.upkeep(**ANA)
    assert weight(memory, said) == 0.0


def test_unpinning_lets_it_fade_and_pinning_brings_it_back(memory: Memory, clock: Days) -> None:
    (id,) = memory.remember("It rained on Monday", pinned=True, **ANA).ids
    clock.pass_by(1000)
    memory.update(id, pinned=False, **ANA)
    memory.upkeep(**ANA)
    assert weight(memory, id) == 1.0, "an update by hand is a use"
    clock.pass_by(1000)
    memory.upkeep(**ANA)
    assert weight(memory, id) == 0.0
    memory.update(id, pinned=True, **ANA)
    memory.upkeep(**ANA)
    assert weight(memory, id) == 1.0


# -- undoing


def test_undo_takes_a_step_back_exactly_and_the_policy_lets_it_be(memory: Memory, clock: Days) -> None:
    (id,) = memory.add(WALK, **ANA).ids
    clock.pass_by(30)
    half = memory.upkeep(**ANA)
    assert weight(memory, id) == 0.5
    clock.pass_by(70)
    cold = memory.upkeep(**ANA)
    assert weight(memory, id) == 0.0
    undone = memory.undo(cold, **ANA)
    assert [(entry.id, entry.action) for entry in undone.entries] == [(id, "restored")]
    assert weight(memory, id) == 0.5, "exactly what it was"
    memory.upkeep(**ANA)
    assert weight(memory, id) == 1.0, "an undo is a use"
    with pytest.raises(ConflictError):
        memory.undo(half, **ANA)
    clock.pass_by(200)
    memory.upkeep(**ANA)
    assert weight(memory, id) == 0.0, "but not for ever"


def test_a_step_under_a_later_one_is_taken_back_with_it(memory: Memory, clock: Days) -> None:
    (id,) = memory.add(WALK, **ANA).ids
    clock.pass_by(30)
    half = memory.upkeep(**ANA)
    clock.pass_by(70)
    cold = memory.upkeep(**ANA)
    with pytest.raises(ConflictError) as refused:
        memory.undo(half, **ANA)
    assert list(refused.value.receipts) == [cold.id]
    memory.undo(half, cascade=True, **ANA)
    assert weight(memory, id) == 1.0
    with pytest.raises(ConflictError, match="already undone"):
        memory.undo(cold, **ANA)


def test_what_somebody_made_cold_again_waits_for_a_use_after_that(memory: Memory, clock: Days) -> None:
    old = cold_one(memory, clock)
    memory.feedback(memory.search("heron", include="faded", **ANA), used=old, **ANA)
    back = memory.upkeep(**ANA)
    memory.undo(back, **ANA)
    assert weight(memory, old) == 0.0
    memory.upkeep(**ANA)
    assert weight(memory, old) == 0.0
    clock.pass_by(1)
    found = memory.search("heron mill", include="faded", **ANA)
    memory.feedback(found, used=old, **ANA)
    memory.upkeep(**ANA)
    assert weight(memory, old) == 1.0


def test_an_undo_can_be_undone(memory: Memory, clock: Days) -> None:
    (id,) = memory.add(WALK, **ANA).ids
    clock.pass_by(100)
    cold = memory.upkeep(**ANA)
    undone = memory.undo(cold, **ANA)
    memory.undo(undone, **ANA)
    assert weight(memory, id) == 0.0


def test_history_and_known_at_tell_of_it(memory: Memory, clock: Days) -> None:
    (id,) = memory.add(WALK, **ANA).ids
    clock.pass_by(100)
    before = clock()
    clock.pass_by(1)
    cold = memory.upkeep(**ANA)
    clock.pass_by(1)
    memory.undo(cold, **ANA)
    assert [change.action for change in memory.history(id, **ANA)] == ["added", "faded", "restored"]
    assert texts(memory, known_at=before) == [WALK]
    assert texts(memory, known_at=cold.at) == []


# -- erasing


def test_nothing_is_erased_unless_the_owner_says_so(clock: Days) -> None:
    with opened(Ebbinghaus(1), clock) as memory:
        (id,) = memory.add(WALK, **ANA).ids
        for _ in range(5):
            clock.pass_by(10_000)
            memory.upkeep(**ANA)
        assert memory.get(id, **ANA).text == WALK


def test_an_owner_may_have_erased_what_has_long_been_cold(clock: Days) -> None:
    with opened(Ebbinghaus(1, erase_below=0.001), clock) as memory:
        (id,) = memory.add(WALK, **ANA).ids
        (kept,) = memory.remember("Answer in Dutch", kind="instruction", **ANA).ids
        clock.pass_by(10_000)
        assert told(memory.upkeep(**ANA)) == [("faded", "cold")], "not before it was cold"
        clock.pass_by(1)
        assert told(memory.upkeep(**ANA)) == [("erased", "faded long ago")]
        assert texts(memory, include=("faded", "retired")) == ["Answer in Dutch"]
        assert memory.history(id, **ANA)[-1].erased
        assert not memory.history(kept, **ANA)[-1].erased


def test_what_a_record_rests_on_that_stays_is_not_erased(clock: Days) -> None:
    with opened(Ebbinghaus(1, erase_below=0.001), clock) as memory:
        (said,) = memory.add(WALK, **ANA).ids
        (fact,) = memory.remember("There is a heron", evidence=said, **ANA).ids
        (next,) = memory.remember("The heron is gone", supersedes=fact, **ANA).ids
        memory.update(fact, pinned=True, **ANA)  # superseded, so it cites nothing; but it is to be kept
        for _ in range(4):
            clock.pass_by(1000)
            memory.upkeep(**ANA)
        assert memory.get(said, **ANA).text == WALK
        assert memory.get(fact, **ANA).text == "There is a heron"
        assert memory.history(next, **ANA)[-1].erased


def test_a_message_of_several_passages_is_erased_as_a_whole_or_not_at_all(clock: Days) -> None:
    with opened(Ebbinghaus(1, erase_below=0.001), clock) as memory:
        memory.add(" ".join(f"Line {number} of the long story of the mill." for number in range(60)), **ANA)
        parts = [record.id for record in memory.list(**ANA)]
        assert len(parts) > 2
        memory.remember("The story has a middle", evidence=parts[1], pinned=True, **ANA)
        for _ in range(4):
            clock.pass_by(1000)
            memory.upkeep(**ANA)
        assert [memory.history(id, **ANA)[-1].erased for id in parts] == [False] * len(parts)


# -- budgets


def test_a_budget_keeps_so_many_records_and_what_is_used_takes_the_place_of_another(clock: Days) -> None:
    with opened(Budget(records=3), clock) as memory:
        ids: list[str] = []
        for number in range(6):
            ids += memory.add(f"Parcel {number} came.", **ANA).ids
            clock.pass_by(1)
        memory.upkeep(**ANA)
        assert texts(memory) == ["Parcel 3 came.", "Parcel 4 came.", "Parcel 5 came."]
        found = memory.search("parcel 0", include="faded", limit=1, **ANA)
        memory.feedback(found, used=ids[0], **ANA)
        memory.upkeep(**ANA)
        assert texts(memory) == ["Parcel 0 came.", "Parcel 4 came.", "Parcel 5 came."]
        memory.add("Parcel 6 came.", **ANA)
        memory.upkeep(**ANA)
        assert texts(memory) == ["Parcel 0 came.", "Parcel 5 came.", "Parcel 6 came."]


def test_a_budget_of_bytes(clock: Days) -> None:
    with opened("budget:0.03KB", clock) as memory:
        for number in range(4):
            memory.add(f"Päckchen {number}", **ANA)  # 11 bytes each
            clock.pass_by(1)
        memory.upkeep(**ANA)
        assert texts(memory) == ["Päckchen 2", "Päckchen 3"]


def test_a_budget_whose_owner_says_so_erases_what_was_cold(clock: Days) -> None:
    with opened(Budget(records=1, erase=True), clock) as memory:
        memory.add("Parcel 0 came.", **ANA)
        clock.pass_by(1)
        memory.add("Parcel 1 came.", **ANA)
        memory.upkeep(**ANA)
        assert texts(memory, include="faded") == ["Parcel 0 came.", "Parcel 1 came."]
        clock.pass_by(1)
        memory.upkeep(**ANA)
        assert texts(memory, include="faded") == ["Parcel 1 came."]


# -- the whole


def test_nothing_fades_unless_it_is_asked_for(clock: Days) -> None:
    with opened(None, clock) as memory:
        memory.add(WALK, **ANA)
        clock.pass_by(100_000)
        assert memory.upkeep(**ANA).entries == ()
        assert texts(memory) == [WALK]


def test_none_brings_back_what_another_policy_let_fade(clock: Days, tmp_path: Path) -> None:
    with opened(Ebbinghaus(30), clock, tmp_path / "a.db") as memory:
        cold_one(memory, clock)
    with opened("none", clock, tmp_path / "a.db") as memory:
        assert told(memory.upkeep(**ANA)) == [("restored", "all of it is back")]
        assert texts(memory) == [WALK]


def test_a_rebuild_leaves_what_has_faded_as_it_is(clock: Days) -> None:
    with opened(Ebbinghaus(30), clock, recipe="rules") as memory:
        memory.add({"role": "user", "name": "Ana", "content": "I live in Utrecht."}, **ANA)
        clock.pass_by(100)
        memory.upkeep(**ANA)
        memory.upkeep(**ANA)
        memory.rebuild(**ANA)
        assert texts(memory) == []
        assert len(texts(memory, include="faded")) == 2
        assert memory.upkeep(**ANA).entries == ()


def test_only_the_named_users_memories_fade(memory: Memory, clock: Days) -> None:
    memory.add(WALK, **ANA)
    memory.add(WALK, user_id="ben")
    clock.pass_by(100)
    memory.upkeep(**ANA)
    assert texts(memory) == []
    assert [record.text for record in memory.list(user_id="ben")] == [WALK]
    memory.upkeep(everything=True)
    assert list(memory.list(user_id="ben")) == []


def test_an_upkeep_reads_only_the_parts_in_which_something_changes(
    memory: Memory, clock: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decay, "PART", 4)
    read: list[int] = []
    reading = decay.read

    def noted(snapshot: Any, wall: int, part: int, *, sized: bool) -> decay.Part:
        read.append(part)
        return reading(snapshot, wall, part, sized=sized)

    monkeypatch.setattr(decay, "read", noted)

    def upkeep() -> list[int]:
        read.clear()
        memory.upkeep(**ANA)
        return list(read)

    ids: list[str] = []
    for part in range(5):
        ids += [memory.add(f"Parcel {part}.{number} came.", **ANA).ids[0] for number in range(4)]
        clock.pass_by(100)
    assert upkeep() == [0, 1, 2, 3, 4]
    assert upkeep() == []
    clock.pass_by(1)
    assert upkeep() == [], "all is cold"
    found = memory.search("parcel 2.1", include="faded", limit=1, **ANA)
    memory.feedback(found, used=found[0].id, **ANA)
    assert upkeep() == [ids.index(found[0].id) // 4]
    memory.add("Parcel 5.0 came.", **ANA)
    assert upkeep() == [5]


def test_a_budget_of_time_stops_between_parts_and_goes_on(
    memory: Memory, clock: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decay, "PART", 2)
    for number in range(6):
        memory.add(f"Parcel {number} came.", **ANA)
    clock.pass_by(100)
    first = memory.upkeep(budget_ms=0.0001, **ANA)
    assert len(texts(memory)) in (4, 6)
    for _ in range(3):
        memory.upkeep(budget_ms=0.0001, **ANA)
    rest = memory.upkeep(**ANA)
    assert texts(memory) == []
    assert first.verb == rest.verb == "upkeep"


def test_several_steps_are_named_one_by_one(memory: Memory, clock: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decay, "PART", 1)
    memory.add(["Parcel 0 came.", "Parcel 1 came."], **ANA)
    clock.pass_by(100)
    done = memory.upkeep(**ANA)
    (note,) = done.notes
    for receipt in note.rpartition(": ")[2].split(", "):
        memory.undo(receipt, **ANA)
    assert len(texts(memory)) == 2


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="forgetting='ebinghaus' is not known"):
        Memory(":memory:", forgetting="ebinghaus")


# -- what holds whatever is done


class Life(RuleBasedStateMachine):
    """Whatever is said, used, pinned, undone or erased: what upkeep leaves is what the policy says of all records, and
    looking at all of them once more would change nothing."""

    @initialize(policy=st.sampled_from([Ebbinghaus(20), FSRS(), Age(20), Ebbinghaus(5, erase_below=0.001), Keep()]))
    def open(self, policy: object) -> None:
        self.clock = Days(START)
        self.policy: Any = policy
        self.memory = opened(policy, self.clock, recipe="rules")
        self.part, decay.PART = decay.PART, 3
        self.receipts: list[str] = []
        self.said = 0

    @rule(town=st.sampled_from(["Utrecht", "Ghent"]), days=st.integers(0, 40))
    def say(self, town: str, days: int) -> None:
        self.said += 1
        words = f"I live in {town}." if self.said % 2 else f"The {self.said}th ferry to {town} was late."
        self.receipts.append(self.memory.add({"role": "user", "name": "Ana", "content": words}, **ANA).id)
        self.clock.pass_by(days + 0.0173)

    @rule(which=st.integers(0, 99), good=st.booleans())
    def use(self, which: int, good: bool) -> None:
        found = self.memory.search("ferry Utrecht live", include="faded", **ANA)
        if len(found):
            id = found[which % len(found)].id
            done = self.memory.feedback(found, **({"used": id} if good else {"wrong": id}), **ANA)
            self.receipts.append(done.id)

    @rule(which=st.integers(0, 99), pinned=st.booleans())
    def pin(self, which: int, pinned: bool) -> None:
        held = self._records()
        if held:
            self.receipts.append(self.memory.update(held[which % len(held)].id, pinned=pinned, **ANA).id)

    @rule(which=st.integers(0, 99))
    def retire(self, which: int) -> None:
        held = [record for record in self._records() if record.kind != "episode"]
        if held:
            self.receipts.append(self.memory.retire(held[which % len(held)].id, **ANA).id)

    @rule(which=st.integers(0, 99))
    def undo(self, which: int) -> None:
        if self.receipts:
            try:
                self.memory.undo(self.receipts[which % len(self.receipts)], **ANA)
            except (ConflictError, LookupError):
                return

    @rule(days=st.integers(1, 400))
    def keep_up(self, days: int) -> None:
        self.clock.pass_by(days + 0.0371)  # not at a level, to the microsecond
        while (done := self.memory.upkeep(**ANA)).entries or done.views:
            self.receipts += [done.id] if done.entries else []

    def _records(self) -> Sequence[Record]:
        return [record for record in self.memory.list(include="faded", **ANA).records if record.kind != "episode"]

    @invariant()
    def nothing_is_left_to_do(self) -> None:
        """After an upkeep; in between, what is to be done is not done yet."""
        if not hasattr(self, "memory"):
            return
        while (done := self.memory.upkeep(**ANA)).entries or done.views:
            self.receipts += [done.id] if done.entries else []
        with self.memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
            for wall in snapshot.rows("all_walls"):
                at = int(self.clock().timestamp() * 1_000_000)
                for part in range(-(-wall["size"] // decay.PART)):
                    known = {row["part"]: row["due"] for row in snapshot.rows("decays_in", wall=wall["wall"])}
                    found = decay.look(snapshot, wall, part, self.policy, at)
                    assert [*found.changes.links, *found.changes.unlinks] == []
                    assert known[part] <= max(found.due, at + DAY // 4 + 1_000_000)

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            decay.PART = self.part
            self.memory.close()


def test_feedback_that_goes_with_an_erasure_no_longer_keeps_what_it_praised() -> None:
    """An act of feedback on several hits goes with any of them, and what it said of the others with it."""
    life = Life()
    life.open(policy=Ebbinghaus(5, erase_below=0.001))
    life.say(days=0, town="Utrecht")
    for _ in range(5):
        life.keep_up(days=1)
    life.say(days=30, town="Utrecht")
    life.nothing_is_left_to_do()
    life.use(good=True, which=0)
    life.nothing_is_left_to_do()
    life.teardown()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
