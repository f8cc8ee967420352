"""The laws of docs/concepts.md, each as a property. The numbers in the names are theirs."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import types
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory, NotFoundError, Results, text
from mnemic.errors import ModelError
from mnemic.pack import Bytes3
from mnemic.testing import FrozenClock, HashEmbedder
from tests.properties.machine import EVERY_STATE, START, MemoryMachine

MODEST = settings(max_examples=15, deadline=None, derandomize=True)
WORDS = ["lisbon", "porto", "faro", "tea", "coffee", "cat", "dog", "piano", "violin", "garden", "rain", "bicycle"]

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80).filter(lambda t: bool(t.strip()))
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


def memory(path: Path | str = ":memory:", **settings: Any) -> Memory:
    """A memory of what is said and done here, and of nothing that is derived from it."""
    settings.setdefault("embedder", HashEmbedder(8))
    settings.setdefault("recipe", "none")
    return Memory(path, clock=settings.pop("clock", FrozenClock(START)), **settings)


def turns(said: Sequence[str], *, sessions: int = 2, speaker: str | None = None) -> list[dict[str, Any]]:
    """Messages with times and sessions of their own, so that nothing depends on when they are added."""
    return [
        {
            "role": "user" if place % 2 else "assistant",
            "content": one,
            "time": START - timedelta(days=9) + timedelta(minutes=7 * place),
            "session_id": f"s{place % sessions}",
        }
        | ({"name": speaker} if speaker else {})
        for place, one in enumerate(said)
    ]


def numbers(results: Results) -> list[Any]:
    """All of an answer but the ids, which depend on the words only, and its own id."""
    return [
        (hit.text, hit.score, hit.relevance, dict(hit.signals), hit.state, hit.outdated_by, hit.metadata, hit.time)
        for hit in results
    ] + [results.considered, results.best, results.notes]


# -- 1, 2: nothing is lost, nothing is overwritten


class TestEveryVerb(MemoryMachine.TestCase):
    settings = settings(max_examples=12, stateful_step_count=20, deadline=None, derandomize=True)


@MODEST
@given(st.lists(texts, min_size=1, max_size=4))
def test_law_1_what_was_said_is_kept_word_for_word(tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> None:
    path = tmp_path_factory.mktemp("store") / "agent.db"
    with memory(path) as one:
        one.add(turns(said), user_id="ana")
    with memory(path) as one:
        assert [record.text for record in one.list(user_id="ana", order="oldest")] == said


@settings(MODEST, max_examples=5)
@given(st.lists(sentences, min_size=150, max_size=400).map(". ".join))
def test_law_1_a_long_text_is_kept_whole_as_passages(said: str) -> None:
    with memory() as one:
        receipt = one.add({"content": said, "id": "m1"}, user_id="ana")
        parts = one.list(user_id="ana", limit=1000).records
        assert len(receipt.ids) == 1
        assert len(parts) > 1
        spans = sorted((record.passage, record.text) for record in parts if record.passage)
        assert "".join(words for _, words in spans) == said
        assert all(said[start:stop] == words for (start, stop), words in spans)
        assert one.add({"content": said, "id": "m1"}, user_id="ana").count("ignored") == 1


# -- 3: evidence, and erasure


SECRET = "xylographist"
SECRETS = (SECRET, "quokkaburgh", "Żółwiowice")


def filled(path: Path, *, secret: bool) -> Memory:
    """A memory with or without what is going to be erased; all else is equal."""
    one = memory(path)
    for place, turn in enumerate(turns([f"{a} and {b}" for a in WORDS for b in WORDS[:3]])):
        if secret and place % 5 == 0:
            hidden = {
                **turn,
                "content": f"the {SECRET} of {SECRETS[1]}, {place}",
                "name": SECRETS[2],
                "id": f"x{place}",
            }
            one.add(hidden, user_id="ana", metadata={SECRETS[1]: SECRETS[0]})
        one.add(turn, user_id="ana")
    return one


def in_files(folder: Path, words: Sequence[str]) -> list[str]:
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    return [word for word in words if word.encode() in content or word.lower().encode() in content.lower()]


def reachable_texts(start: object) -> Iterator[str]:
    """Every text that can be reached from an object: its attributes, and those of all that it holds."""
    seen: set[int] = set()
    left: list[Any] = [start]
    while left:
        thing = left.pop()
        if id(thing) in seen or isinstance(thing, type | types.ModuleType | types.FunctionType | types.FrameType):
            continue
        seen.add(id(thing))
        if isinstance(thing, str):
            yield thing
        else:
            left += gc.get_referents(thing)


def test_law_3_an_erasure_leaves_no_byte_and_no_trace_in_memory(tmp_path: Path) -> None:
    with filled(tmp_path / "agent.db", secret=True) as one:
        fact = one.remember(f"The {SECRET} lives", evidence=one.list(user_id="ana")[0].id, user_id="ana", key=SECRET)
        one.update(fact.ids[0], text=f"The {SECRET} moved", aliases=[SECRETS[1]], user_id="ana")
        found = one.search(f"{SECRET} {SECRETS[1]} {SECRETS[2]}", user_id="ana", limit=200)
        hidden = [hit.id for hit in found if SECRET in hit.text]
        assert len(hidden) > 5
        assert in_files(tmp_path, SECRETS) == list(SECRETS)
        one.erase(hidden, user_id="ana")
        assert in_files(tmp_path, SECRETS) == []
        del found, fact
        assert [word for word in SECRETS for held in reachable_texts(one) if word.lower() in held.lower()] == []
        for cached in (text._words, text._stem, text._parts, text._terms, text._compounds, text.hash_term):
            assert cached.cache_info().currsize == 0
    assert in_files(tmp_path, SECRETS) == []


def test_law_3_after_an_erasure_all_numbers_are_those_of_a_memory_that_never_held_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        filled(tmp_path / "a" / "agent.db", secret=True) as one,
        filled(tmp_path / "b" / "agent.db", secret=False) as other,
    ):
        one.erase([record.id for record in one.list(user_id="ana", limit=999) if SECRET in record.text], user_id="ana")
        for query in ("who plays the piano in lisbon?", f"the {SECRET}", "tea and unknown words"):
            assert numbers(one.search(query, user_id="ana", limit=50)) == numbers(
                other.search(query, user_id="ana", limit=50)
            )


def test_law_3_what_rests_on_the_erased_goes_with_it(tmp_path: Path) -> None:
    with memory(tmp_path / "agent.db") as one:
        said = one.add("I moved to Porto", user_id="ana").ids[0]
        fact = one.remember("Ana lives in Porto", evidence=said, user_id="ana").ids[0]
        lesson = one.remember("Send letters to Porto", kind="lesson", evidence=fact, user_id="ana").ids[0]
        other = one.remember("Ana likes tea", user_id="ana").ids[0]
        plan = one.erase(said, dry_run=True, user_id="ana")
        assert plan.dry_run
        assert [record.id for record in one.list(user_id="ana", order="oldest")] == [said, fact, lesson, other]
        receipt = one.erase(said, user_id="ana")
        assert [entry.id for entry in receipt.entries] == [entry.id for entry in plan.entries] == [said, fact, lesson]
        assert [record.id for record in one.list(user_id="ana", include=EVERY_STATE)] == [other]
        for id_ in (said, fact, lesson):
            assert [change.action for change in one.history(id_, user_id="ana")] == ["added", "erased"]


def test_law_3_everything_reaches_its_evidence(tmp_path: Path) -> None:
    with memory(tmp_path / "agent.db") as one:
        said = one.add({"content": "I moved to Porto", "id": "m7", "session_id": "s1"}, user_id="ana").ids[0]
        fact = one.remember("Ana lives in Porto", evidence=said, user_id="ana").ids[0]
        hit = next(hit for hit in one.search("Porto", user_id="ana") if hit.id == fact)
        assert [(piece.id, piece.message_id, piece.session_id) for piece in hit.evidence if piece.id == said] == [
            (said, "m7", "s1")
        ]
        assert any(piece.text == "Ana lives in Porto" for piece in hit.evidence)  # the act of remembering it


# -- 4: the index can be built in any way


@settings(MODEST, max_examples=8)
@given(
    st.lists(sentences, min_size=3, max_size=40),
    st.lists(st.integers(1, 7), min_size=1, max_size=10),
    st.booleans(),
)
def test_law_4_an_index_ranks_the_same_however_it_was_built(
    tmp_path_factory: pytest.TempPathFactory, said: list[str], splits: list[int], merged: bool
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    query, messages = "who had tea with a dog in porto?", turns([f"{one} {n}" for n, one in enumerate(said)])
    with pytest.MonkeyPatch.context() as patch:
        if merged:
            patch.setattr("mnemic.postings.TIERS", (2, 5, 11))
        with memory(folder / "a.db") as whole, memory(folder / "b.db") as split, memory(folder / "b.db") as follower:
            whole.add(messages, user_id="ana")
            expected = numbers(whole.search(query, user_id="ana", limit=50))
            at = 0
            for turn in range(len(messages)):
                size = splits[turn % len(splits)]
                split.add(messages[at : at + size], user_id="ana") if at < len(messages) else None
                at += size
                follower.search(query, user_id="ana") if turn % 2 else None
            assert numbers(split.search(query, user_id="ana", limit=50)) == expected
            assert numbers(follower.search(query, user_id="ana", limit=50)) == expected
            with memory(folder / "b.db") as reopened:
                assert numbers(reopened.search(query, user_id="ana", limit=50)) == expected
            split.rebuild(user_id="ana")
            assert numbers(split.search(query, user_id="ana", limit=50)) == expected
            assert numbers(follower.search(query, user_id="ana", limit=50)) == expected


def test_law_4_an_export_gives_the_same_memory_elsewhere(tmp_path: Path) -> None:
    with memory(tmp_path / "a.db") as one, memory(tmp_path / "b.db") as other:
        one.add(turns(WORDS), user_id="ana")
        fact = one.remember("Ana likes tea", key="drink", evidence=one.list(user_id="ana")[0].id, user_id="ana")
        one.remember("Ana likes coffee", key="drink", user_id="ana")
        one.retire(one.search("rain", user_id="ana")[0].id, user_id="ana")
        other.import_(one.export(everything=True))
        for query in ("tea", "who has a cat and a dog?"):
            assert numbers(one.search(query, user_id="ana")) == numbers(other.search(query, user_id="ana"))
        every = [
            (record.id, record.state, record.revision, record.evidence)
            for record in one.list(user_id="ana", include=EVERY_STATE)
        ]
        assert every == [
            (r.id, r.state, r.revision, r.evidence) for r in other.list(user_id="ana", include=EVERY_STATE)
        ]
        assert one.history(fact.ids[0], user_id="ana") == other.history(fact.ids[0], user_id="ana")


# -- 5: current by default


@pytest.mark.parametrize("embedder", ["none", HashEmbedder(16), None], ids=["words", "hash", "default"])
def test_law_5_only_what_is_current_is_found_and_the_outdated_says_by_what(tmp_path: Path, embedder: Any) -> None:
    clock = FrozenClock(START)
    with memory(tmp_path / "agent.db", embedder=embedder, clock=clock) as one:
        said = one.add("I live in Lisbon", user_id="ana").ids[0]
        old = one.remember("Ana lives in Lisbon", key="home", evidence=said, user_id="ana").ids[0]
        clock.advance(60)
        new = one.remember("Ana lives in Porto", key="home", user_id="ana").ids[0]
        gone = one.remember("Ana lives in Faro", expires_at=START + timedelta(minutes=2), user_id="ana").ids[0]
        retired = one.remember("Ana lives in Braga", user_id="ana").ids[0]
        one.retire(retired, user_id="ana")
        clock.advance(3600)
        found = one.search("Where does Ana live?", user_id="ana")
        assert {hit.id for hit in found} == {said, new}
        outdated = next(hit for hit in found if hit.id == said)
        assert outdated.outdated_by == new
        assert [hit.id for hit in found].index(new) < [hit.id for hit in found].index(said)
        every = one.search("Where does Ana live?", user_id="ana", include=EVERY_STATE)
        states = {hit.id: hit.state for hit in every}
        assert states == {said: "current", new: "current", old: "superseded", gone: "expired", retired: "retired"}
        then = one.search("Where does Ana live?", user_id="ana", as_of=START + timedelta(seconds=30))
        assert {hit.id for hit in then} == {said, old}


# -- 6: walls


SOMEBODY_ELSE = ["Bob likes xenon lamps", "Bob likes tea and tea and tea", "lisbon porto faro lisbon"]


@pytest.mark.parametrize("embedder", ["none", HashEmbedder(16), None], ids=["words", "hash", "default"])
@pytest.mark.parametrize("sharing", ["another user", "another project", "another tenant"])
def test_law_6_what_others_do_changes_no_number(tmp_path: Path, embedder: Any, sharing: str) -> None:
    query = "who likes tea in lisbon?"
    theirs: dict[str, Any] = {
        "another user": {"user_id": "bob"},
        "another project": {"user_id": "ana", "project_id": "work"},
        "another tenant": {"tenant_id": "acme", "user_id": "ana"},
    }[sharing]
    with memory(tmp_path / "a.db", embedder=embedder) as alone, memory(tmp_path / "b.db", embedder=embedder) as among:
        for place, turn in enumerate(turns([f"{a} {b}" for a in WORDS for b in WORDS[:2]])):
            other = among.add({**turn, "content": SOMEBODY_ELSE[place % 3] + f" {place}"}, **theirs)
            alone.add(turn, user_id="ana")
            among.add(turn, user_id="ana")
            if place % 7 == 0:
                among.erase(other.ids, **theirs)
            elif place % 7 == 1:
                among.retire(other.ids, **theirs)
        among.remember("Bob likes tea", key="drink", **theirs)
        mine = [one.search(query, user_id="ana", limit=100) for one in (alone, among)]
        assert numbers(mine[0]) == numbers(mine[1])
        assert ("reading" in mine[0][0].signals) is not isinstance(embedder, HashEmbedder)
        contexts = [one.context(query, user_id="ana", budget=300) for one in (alone, among)]
        assert contexts[0].text == contexts[1].text
        among.erase(all_of=True, **theirs)
        assert numbers(among.search(query, user_id="ana", limit=100)) == numbers(mine[0])


def test_law_6_a_reader_outside_gets_the_same_answer_whether_or_not_it_exists(tmp_path: Path) -> None:
    with memory(tmp_path / "agent.db") as one:
        receipt = one.remember("Ana lives in Porto", user_id="ana")
        there, missing = receipt.ids[0], "a" * 26
        verbs: list[Any] = [
            lambda id_: one.get(id_, user_id="bob"),
            lambda id_: one.history(id_, user_id="bob"),
            lambda id_: one.update(id_, text="x", user_id="bob"),
            lambda id_: one.retire(id_, user_id="bob"),
            lambda id_: one.erase(id_, user_id="bob"),
            lambda id_: one.erase(id_, user_id="bob", dry_run=True),
            lambda id_: one.remember("x", evidence=id_, user_id="bob"),
            lambda id_: one.remember("x", supersedes=id_, user_id="bob"),
        ]
        for verb in verbs:
            errors = []
            for id_ in (there, missing):
                with pytest.raises(NotFoundError) as error:
                    verb(id_)
                errors.append(str(error.value).replace(id_, "ID"))
            assert errors[0] == errors[1]
        for id_ in (receipt.id, "r" + "0" * 23):
            with pytest.raises(NotFoundError, match=f"there is no receipt '{id_}' in this scope"):
                one.undo(id_, user_id="bob")
        assert [record.text for record in one.list(user_id="ana")] == ["Ana lives in Porto"]


# -- 7: remembered text is data


def test_law_7_what_a_tool_says_never_takes_over_from_the_user(tmp_path: Path) -> None:
    with memory(tmp_path / "agent.db") as one:
        mine = one.remember("Ana lives in Porto", key="home", user_id="ana").ids[0]
        other = one.remember("Ana lives in Rome", key="home", source="tool", user_id="ana")
        assert [entry.action for entry in other.entries] == ["quarantined"]
        one.remember("Ana lives in Oslo", supersedes=mine, source="document", user_id="ana")
        again = one.remember("Ana lives in Porto", source="tool", valid_to=START - timedelta(days=1), user_id="ana")
        assert [entry.action for entry in again.entries] == ["ignored"]
        assert [record.text for record in one.list(user_id="ana")] == ["Ana lives in Porto"]
        assert one.get(mine, user_id="ana").valid_to is None
        said = one.remember("Ana lives in Oslo", supersedes=mine, user_id="ana")
        assert [record.id for record in one.list(user_id="ana")] == [said.ids[0]]


# -- 8: no model is needed


class Broken(HashEmbedder):
    """An embedder that fails while `down`."""

    down = False

    def tokenize_many(self, texts: Sequence[str]) -> Any:
        if self.down:
            raise ModelError("the embedder is out")
        return super().tokenize_many(texts)

    def embed_tokens(self, tokens: Any, weights: Any) -> Any:
        if self.down:
            raise ModelError("the embedder is out")
        return super().embed_tokens(tokens, weights)


def test_law_8_a_failing_embedder_loses_nothing_and_says_so(tmp_path: Path) -> None:
    embedder = Broken(16)
    with memory(tmp_path / "agent.db", embedder=embedder) as one:
        one.add(turns(WORDS), user_id="ana")
        embedder.down = True
        receipt = one.add("the zebra crossed", user_id="ana")
        assert receipt.count("added") == 1
        assert any("embedder failed" in note for note in receipt.notes)
        found = one.search("zebra", user_id="ana")
        assert found[0].text == "the zebra crossed"
        assert found.notes
        with pytest.raises(ModelError):
            one.rebuild(user_id="ana")
        assert one.search("zebra", user_id="ana")[0].text == "the zebra crossed"
        embedder.down = False
        assert any("no vector" in note for note in one.search("zebra", user_id="ana").notes)
        one.rebuild(user_id="ana")
        found = one.search("zebra", user_id="ana")
        assert (found[0].text, found.notes) == ("the zebra crossed", ())
        assert "dense_turn" in found[0].signals


# -- 9: a relevance is a probability, or there is none


def test_law_9_where_nothing_is_calibrated_a_threshold_says_so(tmp_path: Path) -> None:
    with memory(tmp_path / "agent.db") as one:
        one.add(turns(WORDS), user_id="ana")
        assert one.search("tea", user_id="ana")[0].relevance is None
        with pytest.raises(ValueError, match=r"threshold=0\.5 needs calibrated relevances"):
            one.search("tea", user_id="ana", threshold=0.5)
    with memory(tmp_path / "other.db", embedder=None) as one:
        one.add(turns(WORDS), user_id="ana")
        found = one.search("who drinks tea?", user_id="ana")
        assert all(hit.relevance is not None and 0 <= hit.relevance <= 1 for hit in found)
        best = found[0].relevance
        assert best is not None
        nothing = one.search("who drinks tea?", user_id="ana", threshold=1.0)
        assert (len(nothing), nothing.best) == (0, best)
        assert "threshold 1.00" in nothing.notes[0]


# -- 10: budgets


@settings(MODEST, max_examples=10)
@given(st.lists(texts | sentences, min_size=1, max_size=25), st.lists(st.integers(1, 400), min_size=2, max_size=6))
@pytest.mark.parametrize("embedder", ["none", None], ids=["bytes", "default tokenizer"])
def test_law_10_a_budget_holds_and_a_larger_one_never_covers_less(
    embedder: Any, said: list[str], budgets: list[int]
) -> None:
    with memory(embedder=embedder) as one:
        one.add(turns(said, speaker="Ana"), user_id="ana")
        fact = one.remember("tea is what Ana likes", key="k", evidence=one.list(user_id="ana")[0].id, user_id="ana")
        one.remember("coffee is what Ana likes", key="k", user_id="ana")
        assert fact.ids
        counter = Bytes3() if embedder else one._counter
        covered: set[str] = set()
        for budget in sorted(budgets):
            packed = one.context("what does Ana like, tea?", user_id="ana", budget=budget)
            assert packed.tokens == counter(packed.text) <= budget == packed.budget
            assert packed.counter == counter.name
            now = {piece.id for piece in packed.evidence}
            assert covered <= now
            assert (len(packed.evidence) == 0) == (packed.text in ("", "not in memory"))
            covered = now


def test_law_10_what_is_packed_first_does_not_depend_on_the_budget(tmp_path: Path) -> None:
    """The best hit is outdated by a record far down, which therefore stands before it: in every budget, or in none."""
    with memory(tmp_path / "agent.db", embedder="none") as one:
        said = one.add("Ana likes green tea, Ana likes green tea", user_id="ana", session_id="first").ids[0]
        for number in range(100):
            one.add(f"Ana likes tea number {number}", user_id="ana", session_id=f"s{number}")
        long = " ".join(f"word{number}" for number in range(60))
        one.remember("Ana likes green tea", key="drink", evidence=said, user_id="ana")
        one.remember(long, key="drink", user_id="ana")
        covered: set[str] = set()
        for budget in range(40, 800, 4):
            now = {piece.id for piece in one.context("Does Ana like green tea?", user_id="ana", budget=budget).evidence}
            assert covered <= now, budget
            covered = now
        assert len(covered) > 20
        every = [hit.id for hit in one.search("Does Ana like green tea?", user_id="ana", limit=200)]
        assert every.index(one.get(key="drink", user_id="ana").id) < every.index(said)
        for limit in (1, 2, 3, 7, 20, 50, 99):
            some = [hit.id for hit in one.search("Does Ana like green tea?", user_id="ana", limit=limit)]
            assert some == every[:limit]


# -- 11: adding twice changes nothing


messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant"]), "content": st.sampled_from(["yes", "no", "tea"])},
        optional={
            "id": st.sampled_from(["a", "b", "c"]),
            "time": st.sampled_from(["2024-01-01T10:00Z", "2024-01-02Z"]),
            "name": st.sampled_from(["Ana", "Bob"]),
            "session_id": st.sampled_from(["s1", "s2"]),
        },
    ),
    min_size=1,
    max_size=8,
)


@settings(MODEST, max_examples=30)
@given(messages, st.none() | st.just("call-1"))
def test_law_11_adding_the_same_call_again_changes_nothing(said: list[Any], key: str | None) -> None:
    clock = FrozenClock(START)
    with memory(embedder="none", clock=clock) as one:
        first = one.add(said, user_id="ana", idempotency_key=key)
        before = one.list(user_id="ana", limit=1000, include=EVERY_STATE)
        clock.advance(60)
        again = one.add(said, user_id="ana", idempotency_key=key)
        assert {entry.action for entry in again.entries} == {"ignored"}
        assert len(again.entries) == len(said)
        assert set(again.ids) == set(first.ids)
        assert one.list(user_id="ana", limit=1000, include=EVERY_STATE) == before
        assert one.stats(user_id="ana").journal == sum(record.revision for record in before)


def test_law_11_the_same_id_with_another_text_is_an_edit(tmp_path: Path) -> None:
    clock = FrozenClock(START)
    with memory(tmp_path / "agent.db", clock=clock) as one:
        first = one.add({"content": "I live in Lisbon", "id": "m1"}, user_id="ana")
        clock.advance(60)
        second = one.add({"content": "I live in Porto", "id": "m1"}, user_id="ana")
        assert second.count("added") == second.count("superseded") == 1
        clock.advance(60)
        assert [record.text for record in one.list(user_id="ana")] == ["I live in Porto"]
        old = one.get(first.ids[0], user_id="ana")
        new = next(entry.id for entry in second.entries if entry.action == "added")
        assert (old.text, old.state, old.superseded_by) == ("I live in Lisbon", "superseded", new)
        for words in ("I live in Lisbon", "I live in Porto"):  # a late repeat of either changes nothing
            assert one.add({"content": words, "id": "m1"}, user_id="ana").count("ignored") == 1
        elsewhere = one.add({"content": "I live in Lisbon", "id": "m1"}, user_id="bob")
        assert elsewhere.count("added") == 1


def test_law_11_an_idempotency_key_is_the_key_of_its_call(tmp_path: Path) -> None:
    with memory(tmp_path / "agent.db") as one:
        one.add(["yes", "yes"], user_id="ana", idempotency_key="1")
        assert one.add(["yes", "yes"], user_id="ana", idempotency_key="1").count("ignored") == 2
        assert one.add(["yes", "yes"], user_id="ana", idempotency_key="2").count("added") == 2
        assert one.add(["yes", "yes"], user_id="bob", idempotency_key="1").count("added") == 2
        assert len(one.list(user_id="ana")) == 4


def test_law_11_a_call_is_all_or_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield from (f"message {number}" for number in range(700))
        raise RuntimeError("the source broke off")

    with memory(tmp_path / "agent.db") as one:
        before = one.stats(everything=True)
        with pytest.raises(RuntimeError, match="the source broke off"):
            one.add(broken(), user_id="ana")
        with pytest.raises(ValueError, match="message 2 is empty"):
            one.add(["one", "two", "  "], user_id="ana")
        assert one.list(user_id="ana").records == ()
        assert one.stats(everything=True) == before
        assert one.add(["one", "two"], user_id="ana").count("added") == 2


# -- 12: importing does nothing

WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event in ("open", "socket.__new__", "socket.connect", "subprocess.Popen", "os.fork", "sqlite3.connect"):
        if event != "open" or not str(args[0]).endswith((".py", ".pyc")):
            seen.append([event, str(args[0])])
    if event == "_thread.start_new_thread":
        seen.append([event, ""])
before = set(sys.modules)
sys.addaudithook(watch)
import mnemic
print(json.dumps({"seen": seen, "loaded": sorted(set(sys.modules) - before)}))
"""


def test_law_12_importing_loads_nothing_and_opens_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["seen"] == []
    heavy = {"numpy", "sqlite3", "wordllama", "onnxruntime", "tokenizers", "snowballstemmer", "click", "rich"}
    assert not heavy & set(told["loaded"])
    assert {name for name in told["loaded"] if name.startswith("mnemic")} == {"mnemic"}
    assert not {"socket", "ssl", "asyncio", "logging", "threading"} & set(told["loaded"])


UNASKED = """
import socket, sys
def refuse(event, args):
    if event.startswith("socket.") and event not in ("socket.__new__",) or event == "_thread.start_new_thread":
        raise SystemExit(f"asked for {event} {args}")
sys.addaudithook(refuse)
from mnemic import Memory
with Memory(sys.argv[1]) as memory:
    memory.add("I moved to Porto in May.", user_id="ana")
    print(memory.search("Where does Ana live?", user_id="ana", kinds="episode")[0].text)
"""


def test_law_12_nothing_is_sent_and_no_thread_is_started(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNASKED, str(tmp_path / "agent.db")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "I moved to Porto in May."), done.stderr
    assert sorted(file.name.partition("-")[0] for file in tmp_path.iterdir())[0] == "agent.db"


# -- an instant that comes twice


def test_recorded_times_never_go_back(tmp_path: Path) -> None:
    clock = FrozenClock(START)
    with memory(tmp_path / "agent.db", clock=clock) as one:
        at = [one.add("one", user_id="ana").at, one.add("two", user_id="ana").at]
        clock.advance(-3600)
        at.append(one.add("three", user_id="bob").at)
        assert at == [START, START + timedelta(microseconds=1), START + timedelta(microseconds=2)]
        one.remember("Ana lives in Lisbon", key="home", user_id="ana")
        one.remember("Ana lives in Porto", key="home", user_id="ana")
        facts = one.list(user_id="ana", kinds="fact")
        assert [record.text for record in facts] == ["Ana lives in Porto"]


def test_a_large_number_is_no_number_of_segments() -> None:
    from mnemic import postings

    generator = np.random.default_rng(7)
    for _ in range(2000):
        sizes = generator.integers(1, postings.LARGEST // 2, generator.integers(1, 9)).tolist()
        run = postings.due(sizes)
        assert run != 1
        assert sum(sizes[len(sizes) - run :]) <= postings.LARGEST
