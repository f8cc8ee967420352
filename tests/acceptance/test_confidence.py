"""Results say how probable it is that the evidence is among them."""

from __future__ import annotations

from collections.abc import Iterator

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
