"""`results.explain(id)`: why a record is a hit, or what cut it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from mnemic import InputError, Memory, NotFoundError, StoreError

WHO = {"user_id": "ana"}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", recipe="none") as opened:
        said = ("The dentist moved to Porto.", "I like plums.", "We went to the dentist by tram.", "Nothing else.")
        opened.add(
            [
                {"role": "user", "content": text, "time": f"2026-06-02T09:{at:02d}Z", "session_id": "one"}
                for at, text in enumerate(said)
            ],
            **WHO,
        )
        yield opened


def test_a_hits_shares_add_up_to_its_score(memory: Memory) -> None:
    results = memory.search("Where is the dentist?", **WHO)
    for place, hit in enumerate(results, 1):
        why = results.explain(hit.id)
        assert (why.id, why.text, why.rank, why.considered, why.cut) == (hit.id, hit.text, place, 4, None)
        assert why.score == pytest.approx(hit.score)
        assert sum(signal.share for signal in why.signals) == pytest.approx(hit.score, abs=1e-5)
        assert {signal.name: signal.value for signal in why.signals} == pytest.approx(dict(hit.signals))
        assert why.relevance == pytest.approx(hit.relevance)
    first = results.explain(results[0].id)
    assert [(word.records, word.times) for word in first.words if word.term == "dentist"] == [(2, 1)]
    assert next(signal.rank for signal in first.signals if signal.name == "lexical_turn") == 1


CUTS: dict[str, tuple[dict[str, Any], str]] = {
    "limit": ({"limit": 1}, "1 better hit came before it: ask for a higher limit"),
    "threshold": ({"threshold": 0.99}, "below the threshold 0.99"),
    "kinds": ({"kinds": "fact"}, "it is of kind 'episode', and kinds=['fact'] was asked for"),
    "where": ({"where": {"a": 1}}, "it does not fit the filter in where"),
    "as_of": ({"as_of": "2026-06-01T00:00Z"}, "it holds only from 2026-06-02T09:01:00+00:00 on, after as_of"),
}


@pytest.mark.parametrize("how", CUTS)
def test_what_cut_a_miss(memory: Memory, how: str) -> None:
    asked, told = CUTS[how]
    memory.remember("A fact beside it.", **WHO)
    plums = _id_of(memory, "I like plums.")
    assert told in (memory.search("Where is the dentist?", **WHO, **asked).explain(plums).cut or "")


def test_a_record_that_is_no_longer_current(memory: Memory) -> None:
    plums = _id_of(memory, "I like plums.")
    results = memory.search("What fruit do I like?", **WHO)
    assert results.explain(plums).cut is None
    memory.retire(plums, **WHO)
    why = results.explain(plums)  # of the memory as it is now
    assert (why.rank, why.score, why.signals) == (None, None, ())
    assert why.cut == "it is retired: include='retired' would show it"
    assert memory.search("What fruit do I like?", include="retired", **WHO).explain(plums).cut is None


def test_a_fact_stands_for_the_episode_that_it_repeats(memory: Memory) -> None:
    episode = _id_of(memory, "I like plums.")
    fact = memory.remember("I like plums.", evidence=episode, **WHO).ids[0]
    results = memory.search("What do I like?", **WHO)
    assert results.explain(fact).cut is None
    assert results.explain(episode).cut == f"'{fact}' says the same, rests on it, and stands for it"


def test_a_passage_of_a_turn_that_is_a_hit() -> None:
    with Memory(":memory:", recipe="none") as opened:
        long = " ".join(
            f"The {word} costs {at} euros and has a long story of its own." for at, word in enumerate("abcdefgh" * 6)
        )
        opened.add([{"role": "user", "content": f"{long} The tram to Porto is late."}], **WHO)
        results = opened.search("Is the tram to Porto late?", **WHO)
        passages = [record.id for record in opened.list(**WHO)]
        assert len(results) == 1
        assert len(passages) > 1
        others = [id_ for id_ in passages if id_ != results[0].id]
        assert results.explain(others[0]).cut == f"'{results[0].id}' is a better passage of the same turn"


def test_a_reader_outside_learns_nothing(memory: Memory) -> None:
    plums = _id_of(memory, "I like plums.")
    memory.add("Something of my own.", user_id="eva")
    results = memory.search("plums", user_id="eva")
    told: list[str] = []
    for id_ in (plums, "a" * 26):
        with pytest.raises(NotFoundError) as refused:
            results.explain(id_)
        told.append(str(refused.value).replace(id_, "…"))
    assert told[0] == told[1]


def test_it_prints(memory: Memory) -> None:
    results = memory.search("Where is the dentist?", limit=1, **WHO)
    page = str(results.explain(results[0].id))
    assert page.startswith("1st of 4, relevance ")
    assert "lexical_turn" in page
    assert "'dentist': 1 here, in 2 documents" in page


def test_what_was_understood() -> None:
    with Memory(":memory:", recipe="none") as opened:
        opened.add(
            [{"role": "user", "name": "Caroline", "content": "I sold my paintings.", "time": "2025-04-02T09:00Z"}],
            **WHO,
        )
        results = opened.search("Where did Carolin sell her paitnings last spring?", now="2026-05-20T12:00Z", **WHO)
        why = results.explain(results[0].id)
        assert why.understood == (
            "'carolin' stands for 'caroline'",
            "it names Caroline",
            "it names the time from 2025-03-01 00:00 to 2025-06-01 00:00",
            "it wants a place",
        )
        assert "the question: it names Caroline\n" in str(why)
        for question, told in (
            ("What are her hobbies?", "it wants several things, as it is now"),
            ("How long did it take?", "it wants a length of time"),
            ("Did she sell them?", "it wants yes or no"),
            ("Tell me about the paintings.", "it wants a thing, summed up"),
        ):
            assert opened.search(question, **WHO).explain(results[0].id).understood == (told,)


def test_where_nobody_can_be_asked(memory: Memory) -> None:
    results = memory.search("dentist", **WHO)
    copied = pickle.loads(pickle.dumps(results))
    assert copied == results
    for none in (copied, memory.search("dentist", precise=True, **WHO)):
        with pytest.raises(InputError, match="cannot be explained"):
            none.explain(results[0].id)
    memory.close()
    with pytest.raises(StoreError, match="closed"):
        results.explain(results[0].id)


def _id_of(memory: Memory, text: str) -> str:
    return next(record.id for record in memory.list(**WHO) if record.text == text)
