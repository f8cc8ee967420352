"""What is derived follows what was said: added, edited, retired, erased, undone, and made anew."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, Record
from mnemic.derive import Recipe
from mnemic.errors import ConfigError
from mnemic.statements import Span, Statement, Turn
from mnemic.testing import FrozenClock

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}


def read(turns: Sequence[Turn], first: int = 0) -> list[Statement]:
    """A language of its own: "Ana lives in Porto", "Ana left Porto", "She likes tea" (of whom was named before)."""
    found: list[Statement] = []
    name = "Ana"
    for turn in turns:
        words = turn.text.rstrip(".").split()
        if len(words) < 3 or words[1] not in ("lives", "left", "likes") or turn.role == "assistant":
            continue
        name = name if words[0] == "She" else words[0]
        holds, value = words[1] != "left", words[-1]
        says = {"lives": "lives in", "left": "no longer lives in", "likes": "likes"}[words[1]]
        found.append(
            Statement(
                kind="preference" if words[1] == "likes" else "fact",
                subject=name,
                relation="likes" if words[1] == "likes" else "lives_in",
                value=value,
                text=f"{name} {says} {value}",
                evidence=(Span(turn.id, 0, len(turn.text)),),
                said=turn.time,
                holds=holds,
            )
        )
    return found


RECIPE = Recipe("toy/1", read)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path) as one:
        yield one


def opened(folder: Path, recipe: object = RECIPE, **more: Any) -> Memory:
    return Memory(folder / "agent.db", recipe=recipe, clock=FrozenClock(START + timedelta(days=99)), **more)


def say(memory: Memory, text: str, day: int, **more: Any) -> str:
    at = START + timedelta(days=day)
    return memory.add({"role": "user", "content": text, "time": at, **more}, **WHO).ids[0]


def facts(memory: Memory, *include: str) -> list[Record]:
    return sorted(
        memory.list(kinds=("fact", "preference"), include=include, limit=100, **WHO), key=lambda record: record.time
    )


def told(memory: Memory, *include: str) -> list[str]:
    return [record.text for record in facts(memory, *include)]


def test_what_is_said_is_derived_in_the_call_that_adds_it(memory: Memory) -> None:
    done = memory.add({"role": "user", "content": "Ana lives in Porto.", "time": START}, **WHO)
    (entry,) = done.derived
    assert (entry.action, done.pending, len(done.ids)) == ("added", 0, 1)
    fact = memory.get(entry.id, **WHO)
    assert (fact.text, fact.subject, fact.derivation, fact.source) == ("Ana lives in Porto", "Ana", "toy/1", "user")
    assert [piece.id for piece in fact.evidence] == list(done.ids)
    assert "1 derived" in str(done)


def test_a_change_closes_what_was_and_keeps_it(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    say(memory, "Ana lives in Faro.", 9)
    assert told(memory) == ["Ana lives in Faro"]
    old, new = facts(memory, "superseded")
    assert (old.valid_to, old.superseded_by) == (START + timedelta(days=9), new.id)
    then = memory.list(kinds="fact", as_of=START + timedelta(days=5), **WHO)
    assert [record.text for record in then] == ["Ana lives in Porto"]


def test_what_was_said_earlier_may_come_later(memory: Memory) -> None:
    say(memory, "Ana lives in Faro.", 9)
    say(memory, "Ana lives in Porto.", 1)
    assert told(memory) == ["Ana lives in Faro"]
    assert told(memory, "superseded") == ["Ana lives in Porto", "Ana lives in Faro"]


def test_saying_it_again_is_more_evidence(memory: Memory) -> None:
    first = say(memory, "Ana lives in Porto.", 1)
    done = memory.add({"role": "user", "content": "Ana lives in Porto.", "time": START + timedelta(days=5)}, **WHO)
    assert [entry.action for entry in done.derived] == ["merged"]
    (fact,) = facts(memory)
    assert [piece.id for piece in fact.evidence] == [first, done.ids[0]]


def test_an_end_without_a_successor(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    say(memory, "Ana left Porto.", 5)
    assert told(memory) == []
    (fact,) = facts(memory, "expired")
    assert (fact.text, fact.valid_to, len(fact.evidence)) == ("Ana lives in Porto", START + timedelta(days=5), 2)


def test_an_erased_end_is_no_end(memory: Memory) -> None:
    """Law 3: what rested on the erased goes, and is derived again from what is left, in the same transaction."""
    say(memory, "Ana lives in Porto.", 1)
    gone = say(memory, "Ana left Porto.", 5)
    before = facts(memory, "expired")[0].id
    done = memory.erase(gone, **WHO)
    assert told(memory) == ["Ana lives in Porto"]
    (fact,) = facts(memory)
    assert (fact.valid_to, fact.id) == (None, before)
    assert before in [entry.id for entry in done.entries]
    assert [entry.action for entry in done.derived] == ["added"]


def test_an_erased_change_brings_back_what_was(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    gone = say(memory, "Ana lives in Faro.", 9)
    memory.erase(gone, **WHO)
    (fact,) = facts(memory, "superseded", "expired")
    assert (fact.text, fact.valid_to, fact.superseded_by) == ("Ana lives in Porto", None, None)


def test_an_edited_message_says_what_it_says_now(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1, id="m1")
    say(memory, "Ana lives in Faro.", 1, id="m1")
    assert told(memory, "superseded") == ["Ana lives in Faro"]


def test_a_retired_message_says_nothing_until_that_is_undone(memory: Memory) -> None:
    said = say(memory, "Ana lives in Porto.", 1)
    (fact,) = facts(memory)
    done = memory.retire(said, **WHO)
    assert [(entry.id, entry.action) for entry in done.derived] == [(fact.id, "retired")]
    assert told(memory) == []
    memory.undo(done, **WHO)
    assert [record.id for record in facts(memory)] == [fact.id]


def test_undoing_an_add_takes_along_what_was_derived(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    done = memory.add({"role": "user", "content": "Ana lives in Faro.", "time": START + timedelta(days=9)}, **WHO)
    memory.undo(done, **WHO)
    assert told(memory, "superseded", "expired") == ["Ana lives in Porto"]


def test_what_somebody_retired_by_hand_stays_away(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    memory.retire(facts(memory)[0].id, **WHO)
    memory.rebuild(**WHO)
    assert told(memory) == []
    say(memory, "Ana lives in Porto.", 50)  # said again since: so it is true again
    assert told(memory) == ["Ana lives in Porto"]
    memory.rebuild(**WHO)
    assert told(memory) == ["Ana lives in Porto"]


def test_what_somebody_updated_by_hand_keeps_its_words_and_can_still_end(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    memory.update(facts(memory)[0].id, text="Ana lives in Porto, by the river", **WHO)
    memory.rebuild(**WHO)
    assert told(memory) == ["Ana lives in Porto, by the river"]
    say(memory, "Ana lives in Faro.", 9)
    assert told(memory) == ["Ana lives in Faro"]


def test_the_turns_before_are_read_with_it(memory: Memory) -> None:
    say(memory, "Ben lives in Faro.", 1, session_id="s")
    say(memory, "Fine.", 2, session_id="other")
    say(memory, "She likes tea.", 3, session_id="s")
    assert "Ben likes tea" in told(memory)
    say(memory, "She likes rum.", 4, session_id="other")
    assert "Ana likes rum" in told(memory)


def test_a_large_call_leaves_it_to_upkeep(memory: Memory) -> None:
    many = [{"role": "user", "content": f"Ana likes tea{n}.", "time": START + timedelta(hours=n)} for n in range(150)]
    done = memory.add(many, **WHO)
    assert (done.derived, done.pending) == ((), 150)
    small = memory.add({"role": "user", "content": "Ana lives in Porto.", "time": START}, **WHO)
    assert "Ana lives in Porto" in told(memory)  # behind a backlog what is new comes first
    assert small.pending == 150
    first = memory.upkeep(budget_ms=0, **WHO)
    assert first.pending == 150
    done = memory.upkeep(**WHO)
    assert (len(done.derived), done.pending) == (150, 0)
    assert memory.upkeep(**WHO).derived == ()
    assert len(facts(memory)) == 100  # as many as one page has


def test_a_call_can_wait_for_it(memory: Memory) -> None:
    many = [{"role": "user", "content": f"Ana likes tea{n}.", "time": START + timedelta(hours=n)} for n in range(150)]
    done = memory.add(many, wait=True, **WHO)
    assert (len(done.derived), done.pending) == (150, 0)


def test_adding_twice_derives_nothing_new(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    done = memory.add({"role": "user", "content": "Ana lives in Porto.", "time": START + timedelta(days=1)}, **WHO)
    assert (done.derived, done.pending) == ((), 0)


def test_a_rebuild_makes_the_same(tmp_path: Path) -> None:
    """Law 4: the same recipe gives the same records and links; a dry run says so and changes nothing."""
    with opened(tmp_path) as memory:
        for day, text in enumerate(("Ana lives in Porto.", "Ana likes tea.", "Ana lives in Faro.", "Ana left Faro.")):
            say(memory, text, day)
        before = [(r.id, r.revision, r.text, r.valid_to, r.evidence) for r in facts(memory, "superseded", "expired")]
        assert memory.rebuild(dry_run=True, **WHO).derived == ()
        assert memory.rebuild(**WHO).derived == ()
        assert before == [
            (r.id, r.revision, r.text, r.valid_to, r.evidence) for r in facts(memory, "superseded", "expired")
        ]


def test_another_recipe_takes_over_in_a_rebuild(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        say(memory, "Ana lives in Porto.", 1)
        say(memory, "Ana likes tea.", 2)
        known = memory.list(kinds="preference", **WHO)[0].recorded_at
    plain = Recipe("toy/2", lambda turns, first: [one for one in read(turns) if one.relation == "lives_in"])
    with opened(tmp_path, plain) as memory:
        trial = memory.rebuild(dry_run=True, **WHO)
        assert sorted(entry.action for entry in trial.derived) == ["retired", "revised"]
        assert "retired: Ana likes tea" in trial.notes
        assert told(memory) == ["Ana lives in Porto", "Ana likes tea"]
        memory.rebuild(**WHO)
        assert told(memory) == ["Ana lives in Porto"]
        assert [record.derivation for record in facts(memory)] == ["toy/2"]
        then = memory.list(kinds="preference", known_at=known, **WHO)
        assert [record.text for record in then] == ["Ana likes tea"]


def test_an_export_gives_the_same_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with opened(tmp_path / "one") as memory, opened(tmp_path / "two") as other:
        for day, text in enumerate(("Ana lives in Porto.", "Ana likes tea.", "Ana lives in Faro.")):
            say(memory, text, day)
        other.import_(memory.export(**WHO))
        assert told(other, "superseded") == told(memory, "superseded")
        assert [one.id for one in facts(other)] == [one.id for one in facts(memory)]
        assert other.rebuild(dry_run=True, **WHO).derived == ()


def test_without_a_recipe_nothing_is_derived_and_nothing_is_lost(tmp_path: Path) -> None:
    with opened(tmp_path, "none") as memory:
        assert memory.add("Ana lives in Porto.", **WHO).derived == ()
        assert memory.upkeep(**WHO).derived == ()
        assert told(memory) == []
    with opened(tmp_path) as memory:
        assert [entry.action for entry in memory.upkeep(**WHO).derived] == ["added"]
    with pytest.raises(ConfigError, match="recipe='rulez' is not known"):
        Memory(":memory:", recipe="rulez")


def test_rules_derive_where_nothing_else_is_said(tmp_path: Path) -> None:
    message = {"role": "user", "name": "Ana", "content": "I live in Porto.", "time": START}
    for name, settings in (("default", {}), ("none", {"recipe": None}), ("rules", {"recipe": "rules"})):
        with Memory(tmp_path / f"{name}.db", embedder="none", **settings) as memory:
            (entry,) = memory.add(message, **WHO).derived
            assert memory.get(entry.id, **WHO).derivation == "rules/1"
            (hit,) = memory.search("Where does Ana live?", **WHO)
            assert (hit.text, hit.derivation, hit.evidence[0].text) == (
                "Ana lives in Porto.",
                "rules/1",
                "I live in Porto.",
            )
    with Memory(tmp_path / "default.db", embedder="none", recipe="none") as memory:
        assert memory.add("I live in Faro.", **WHO).derived == ()


def test_who_only_reads_waits_for_no_rules(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    script = """if True:
        import sys
        from mnemic import Memory
        with Memory(sys.argv[1], embedder="none") as memory:
            memory.add("I live in Porto.", user_id="ana")
            assert "mnemic.rules" in sys.modules
        del sys.modules["mnemic.rules"]
        for read_only in (False, True):
            with Memory(sys.argv[1], embedder="none", read_only=read_only) as memory:
                assert len(memory.search("Porto", user_id="ana")) == 1
                assert memory.context("Porto", user_id="ana").known
                assert memory.list(kinds="fact", user_id="ana").records
                if not read_only:
                    memory.erase(all_of=True, user_id="ana", dry_run=True)
            assert "mnemic.rules" not in sys.modules
        """
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_better_hit_says_is_no_hit_of_its_own(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db", embedder="none") as memory:
        text = "Nuts are out: I am allergic to walnuts, so no cake for me at the harvest fair of the village."
        memory.add({"role": "user", "name": "Ana", "content": text, "time": START}, **WHO)
        (fact,) = memory.list(kinds="fact", **WHO)
        assert fact.text == "Ana is allergic to walnuts."
        found = memory.search("nuts, cake, harvest fair of the village", **WHO)
        assert [hit.text for hit in found] == [text]
        assert found.explain(fact.id).cut == f"'{found[0].id}', which it rests on, says it in a better place"
        assert memory.context("nuts, cake, harvest fair of the village", **WHO).text.count("walnuts") == 1
        assert fact.id in {hit.id for hit in memory.search("Ana is allergic to walnuts", **WHO)}
        assert [hit.id for hit in memory.search("cake, harvest fair", kinds="fact", **WHO)] == [fact.id]


def test_an_event_tells_its_time_once(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db", embedder="none") as memory:
        message = {"role": "user", "name": "Ana", "content": "I moved to Porto in May.", "time": "2026-06-02T09:30Z"}
        memory.add(message, **WHO)
        lines = memory.context("When did Ana move to Porto?", **WHO).text.splitlines()
    assert lines[:2] == ["2026-06-02", "[1] Ana moved to Porto in May 2026."]


def test_erasing_what_was_derived_names_the_words_that_stay(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db", embedder="none") as memory:
        (said,) = memory.add({"role": "user", "name": "Ana", "content": "I live in Porto.", "time": START}, **WHO).ids
        (fact,) = memory.list(kinds="fact", **WHO)
        for dry_run in (True, False):
            (note,) = memory.erase(fact.id, dry_run=dry_run, **WHO).notes
            assert note == f"what it rests on has been kept, and says it still: to erase that, too, name {said}"
        assert [record.id for record in memory.list(kinds="fact", **WHO)] == [fact.id]  # derived again from what stays
        assert memory.erase(said, **WHO).notes == ()
        assert memory.list(**WHO).records == ()


def test_more_than_a_hundred_messages_are_pending_and_a_note_says_so(tmp_path: Path) -> None:
    many = [{"role": "user", "content": f"I have {n} kites.", "time": START + timedelta(hours=n)} for n in range(101)]
    with Memory(tmp_path / "agent.db", embedder="none") as memory:
        done = memory.add(many, **WHO)
        assert (done.derived, done.pending) == ((), 101)
        assert done.notes == ("nothing has been derived yet from what is pending: upkeep does that",)
        assert memory.search("How many kites?", **WHO).pending == 101
        assert memory.upkeep(**WHO).notes == ()
        assert memory.search("How many kites?", **WHO).pending == 0


def test_walls_hold_for_what_is_derived(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    memory.add({"role": "user", "content": "Ana lives in Faro.", "time": START}, user_id="ben")
    assert told(memory) == ["Ana lives in Porto"]
    assert [record.text for record in memory.list(kinds="fact", user_id="ben")] == ["Ana lives in Faro"]


def test_a_session_that_all_evidence_shares_is_the_fact_s(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1, session_id="s")
    assert facts(memory)[0].scope.session_id == "s"
    say(memory, "Ana lives in Porto.", 2, session_id="t")
    assert facts(memory)[0].scope.session_id is None


def test_the_current_value_ranks_above_the_outdated_one(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    say(memory, "Ana lives in Faro.", 9)
    hits = memory.search("Where does Ana live?", **WHO).hits
    assert "Faro" in hits[0].text
    assert all(hit.outdated_by for hit in hits if "Porto" in hit.text)


def test_results_say_what_is_still_pending(memory: Memory) -> None:
    many = [{"role": "user", "content": f"Ana likes tea{n}.", "time": START + timedelta(hours=n)} for n in range(150)]
    memory.add(many, **WHO)
    assert memory.search("What does Ana like?", **WHO).pending == 150
    memory.upkeep(**WHO)
    assert memory.search("What does Ana like?", **WHO).pending == 0


def test_what_cannot_change_contradicts_itself(tmp_path: Path) -> None:
    def born(turns: Sequence[Turn], first: int = 0) -> list[Statement]:
        return [
            Statement(
                kind="fact",
                subject="Ana",
                relation="from",
                value=turn.text.split()[-1],
                text=turn.text,
                evidence=(Span(turn.id, 0, len(turn.text)),),
                said=turn.time,
            )
            for turn in turns
        ]

    with opened(tmp_path, Recipe("born/1", born)) as memory:
        first, second = say(memory, "Ana is from Porto", 1), say(memory, "Ana is from Faro", 2)
        (porto, faro) = facts(memory)
        assert porto.state == faro.state == "current"
        hits = {hit.id: hit for hit in memory.search("Where is Ana from?", **WHO)}
        assert hits[porto.id].conflicts == (faro.id,)
        assert hits[faro.id].conflicts == (porto.id,)
        assert f"[contradicted by {faro.id}]" in str(hits[porto.id])
        memory.retire(faro.id, **WHO)
        assert not [hit for hit in memory.search("Where is Ana from?", **WHO) if hit.conflicts]
        assert first != second


def test_what_is_taken_back_later_is_not_derived_any_more(tmp_path: Path) -> None:
    """The same whether it comes in one call or in several."""
    said = [
        "I live in Porto.",
        "Just kidding!",
        "My sister Clara works at Bosch.",
        "Clara lives in Faro.",
        "I like tea.",
    ]
    found: list[list[str]] = []
    for name, calls in (("one", [said]), ("several", [[text] for text in said])):
        (tmp_path / name).mkdir()
        with opened(tmp_path / name, "rules") as memory:
            for number, texts in enumerate(calls):
                at = START + timedelta(days=number)
                memory.add([{"role": "user", "content": text, "time": at} for text in texts], session_id="s", **WHO)
            every = memory.list(kinds=("fact", "preference", "relationship"), limit=100, **WHO)
            found.append(sorted(record.text for record in every))
            assert memory.rebuild(dry_run=True, **WHO).derived == ()
    assert found[0] == found[1]
    assert not [text for text in found[0] if "Porto" in text]
    assert "Clara lives in Faro." in found[0]


def test_a_recipe_that_fails_loses_nothing_and_says_so(tmp_path: Path) -> None:
    """Law 8: the messages are kept, and what can be derived is; the rest stays pending until it works."""

    def broken(turns: Sequence[Turn], first: int) -> list[Statement]:
        if any("Faro" in turn.text for turn in turns[first:]):
            raise ZeroDivisionError("no such place")
        return read(turns)

    with opened(tmp_path, Recipe("broken/1", broken)) as memory:
        say(memory, "Ana lives in Porto.", 1, session_id="a")
        done = memory.add({"role": "user", "content": "Ben lives in Faro.", "time": START}, session_id="b", **WHO)
        assert (done.count("added"), done.pending, done.derived) == (1, 1, ())
        assert "of 1 message nothing was derived, and that stays pending" in done.notes[0]
        assert "the recipe 'broken/1' failed: ZeroDivisionError: no such place" in done.notes[0]
        say(memory, "Ana likes tea.", 3, session_id="a")
        assert told(memory) == ["Ana lives in Porto", "Ana likes tea"]
        assert memory.upkeep(**WHO).pending == 1
        memory.retire(memory.search("Porto", **WHO)[0].evidence[0].id, **WHO)
        assert "Ana lives in Porto" not in told(memory)
    with opened(tmp_path) as memory:
        assert memory.upkeep(**WHO).pending == 0
        assert "Ben lives in Faro" in told(memory)


def test_an_erasure_leaves_no_word_in_what_rules_keep(tmp_path: Path) -> None:
    from mnemic import rules
    from mnemic.rules import talk

    with opened(tmp_path, "rules") as memory:
        for number, text in enumerate(("My sister Zenobia works at Bosch.", "Zenobia lives in Faro.", "I like tea.")):
            say(memory, text, number, session_id="s")
        memory.search("Where does Zenobia live?", **WHO)
        assert rules._names_in.cache_info().currsize
        memory.erase(all_of=True, **WHO)
        assert (rules._names_in.cache_info().currsize, talk._playing.cache_info().currsize) == (0, 0)


def test_how_many_there_are_is_one_number_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path, "rules") as memory:
        say(memory, "I have 17 houseplants.", 1)
        say(memory, "I have 14 houseplants now.", 9)
        (now,) = [record for record in facts(memory) if "houseplants" in record.text]
        assert "14" in now.text


def test_an_edit_that_says_nothing_takes_back_what_was_said(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1, id="m1")
    say(memory, "Hello there.", 1, id="m1")
    assert told(memory, "superseded") == []


def test_an_erased_edit_gives_the_first_text_its_say_again(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1, id="m1")
    edit = say(memory, "Ana lives in Faro.", 1, id="m1")
    memory.erase(edit, **WHO)
    assert told(memory, "superseded") == ["Ana lives in Porto"]


def test_what_stood_between_two_and_is_erased_leaves_one(memory: Memory) -> None:
    say(memory, "Ana lives in Porto.", 1)
    gone = say(memory, "Ana lives in Faro.", 5)
    say(memory, "Ana lives in Porto.", 9)
    memory.erase(gone, **WHO)
    assert told(memory, "superseded") == ["Ana lives in Porto"]
    assert memory.rebuild(dry_run=True, **WHO).derived == ()
