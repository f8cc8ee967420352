"""Results say how probable it is that the evidence is among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnemic import Memory
from mnemic.testing import HashEmbedder

SAID = (
    ("Ana", "I adopted a dog called Biscuit last week."),
    ("Ben", "I ran the Porto marathon in May, in four hours."),
    ("Ana", "Wow, that is great news!"),
    ("Ben", "And what does Biscuit eat?"),
    ("Ana", "Mostly my shoes."),
)

SMALL = Path(__file__).parents[1] / "small_memories.jsonl"


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:") as opened:
        opened.add(
            [
                {"role": "user", "name": name, "content": text, "time": f"2026-06-02T09:{minute:02d}Z"}
                for minute, (name, text) in enumerate(SAID)
            ],
            user_id="one",
        )
        yield opened


def test_it_tells_the_right_person_from_the_wrong_one(memory: Memory) -> None:
    right, wrong = (memory.search(f"What did {name} adopt?", user_id="one") for name in ("Ana", "Ben"))
    assert right.sufficient
    assert not wrong.sufficient
    assert (right.confidence or 0) > 0.6 > 0.3 > (wrong.confidence or 1)
    # The words are there either way, which is all that the relevance of a hit looks at.
    assert (wrong.best or 0) > 0.5


def test_it_is_low_where_nothing_is_said_of_the_matter(memory: Memory) -> None:
    results = memory.search("What is the capital of France?", user_id="one")
    assert results.hits
    assert not results.sufficient
    assert (results.confidence or 1) < 0.1


def test_sufficient_goes_by_the_threshold(memory: Memory) -> None:
    low, high = (memory.search("Who ran the marathon?", threshold=at, user_id="one") for at in (0.1, 0.99))
    assert low.sufficient
    assert (low.confidence or 0) >= 0.1
    assert (high.hits, high.confidence, high.sufficient) == ((), 0.0, False)


def test_more_hits_never_make_it_less(memory: Memory) -> None:
    found = [memory.search("Who ran the marathon?", limit=limit, user_id="one").confidence or 0 for limit in (1, 2, 5)]
    assert found == sorted(found)


def test_nothing_is_promised_where_nothing_is_calibrated() -> None:
    with Memory(":memory:", embedder=HashEmbedder(16)) as other:
        other.add("I adopted a dog.", user_id="one")
        results = other.search("Who adopted a dog?", user_id="one")
        assert results.hits
        assert results.confidence is None
        assert not results.sufficient
        assert other.search("anything", user_id="nobody").confidence is None


@pytest.mark.parametrize(
    ("said", "asked", "answer"),
    [
        ("I moved to Antwerp in May.", "Where do I live?", "Antwerp"),
        ("I moved to Antwerp in May.", "Where does the user live?", "Antwerp"),
        ("I am allergic to walnuts.", "What is the user allergic to?", "walnuts"),
        ("The build uses pnpm, because npm was slow.", "Which package manager does the build use?", "pnpm"),
        ("My flight to Oslo leaves on Friday at 7.", "When does my flight leave?", "5 June 2026"),
        ("We decided to deploy on Fridays only.", "When do we deploy?", "on Fridays only"),
    ],
)
def test_a_memory_of_one_message_knows_what_it_was_told_and_nothing_else(said: str, asked: str, answer: str) -> None:
    with Memory(":memory:") as memory:
        memory.add({"role": "user", "content": said, "time": "2026-06-02T09:00Z"}, user_id="ana")
        assert answer in memory.ask(asked, user_id="ana").text
        for unknown in ("What is the capital of France?", "What is the user's shoe size?", "Who is my dentist?"):
            assert not memory.ask(unknown, user_id="ana").known
            assert (memory.search(unknown, user_id="ana").best or 0) < 0.1


def test_who_is_only_spoken_of_is_found_by_the_words() -> None:
    """Others say what there is of Lena: no doubt that the question has taken one person for another."""
    with Memory(":memory:") as memory:
        memory.add(["I moved to Antwerp in May.", "My daughter Lena turned six yesterday."], user_id="ana")
        assert (memory.search("Who is Lena?", user_id="ana").confidence or 0) > 0.6
        results = memory.search("When did Lena turn six?", user_id="ana")
        assert (results.hits[0].text, results.sufficient) == ("My daughter Lena turned six yesterday.", True)
        found = memory.search("How old is Lena?", user_id="ana")
        assert found.hits[0].text == "My daughter Lena turned six yesterday."
        assert (found.best or 0) >= 0.1


def test_small_memories_tell_what_they_know_from_what_they_do_not() -> None:
    """34 questions that one to three messages answer, and 16 that none of these does, each asked of every memory."""
    cases = [json.loads(line) for line in SMALL.read_text("utf-8").splitlines()]
    unknown = [case["unknown"] for case in cases if "unknown" in case]
    known, answered, over = 0, 0, 0
    asked: set[tuple[str, ...]] = set()
    for case in cases:
        said = tuple(case.get("said", ()))
        if not said:
            continue
        with Memory(":memory:") as memory:
            memory.add(list(said), user_id="ana")
            known += (memory.search(case["asked"], user_id="ana").best or 0) >= 0.1
            for question in unknown if said not in asked else ():
                over += (memory.search(question, user_id="ana").best or 0) >= 0.1
                answered += memory.ask(question, user_id="ana").known
        asked.add(said)
    assert known >= 25
    assert over <= 3
    assert answered <= 1
