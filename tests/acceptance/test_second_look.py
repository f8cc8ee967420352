"""The best documents are read a second time, and every result says what that changed."""

from __future__ import annotations

from typing import Any

import pytest

from mnemic import Memory
from mnemic.testing import HashEmbedder

TALK = (
    ("Ana", "Ben, which European countries have you been to so far?"),
    ("Ben", "Last summer I spent three weeks in Spain."),
    ("Ana", "Wow, that sounds great!"),
    ("Ben", "And which European countries have you been to?"),
    ("Ana", "All of them are in the blue album now."),
    ("Ben", "I should see it one day."),
    ("Ana", "My sister adopted a dog called Biscuit."),
    ("Ben", "What does Biscuit eat?"),
    ("Ana", "Mostly my shoes."),
    ("Ben", "I ran the marathon in four hours."),
    ("Ana", "Congratulations!"),
    ("Ben", "Thanks, my knees still hurt."),
)
ASKED = "Which European countries has Ben been to?"


def remembered(many: int = len(TALK), **how: Any) -> Memory:
    memory = Memory(":memory:", recipe="none", **how)
    memory.add(
        [
            {"role": "user", "name": name, "content": text, "time": f"2026-06-02T09:{at:02d}Z"}
            for at, (name, text) in enumerate(TALK[:many])
        ],
        user_id="one",
    )
    return memory


@pytest.mark.parametrize(("embedder", "asking"), [("none", TALK[3][1]), (None, TALK[0][1])], ids=["words", "default"])
def test_an_answer_is_raised_above_a_question_in_the_same_words(embedder: Any, asking: str) -> None:
    with remembered(embedder=embedder) as memory:
        results = memory.search(ASKED, user_id="one", limit=12)
        first = {hit.text: hit.score - hit.signals["reading"] for hit in results}
        final = {hit.text: hit.score for hit in results}
        answering = TALK[1][1]
        assert first[asking] > first[answering]
        assert final[answering] > final[asking]


@pytest.mark.parametrize("embedder", ["none", None], ids=["words", "default"])
def test_what_reading_adds_is_a_share_of_the_score(embedder: Any) -> None:
    with remembered(embedder=embedder) as memory:
        results = memory.search(ASKED, user_id="one")
        for hit in results:
            why = results.explain(hit.id)
            shares = {signal.name: signal.share for signal in why.signals}
            assert shares["reading"] == pytest.approx(hit.signals["reading"], abs=1e-5)
            assert sum(shares.values()) == pytest.approx(hit.score, abs=1e-5)
            assert "reading" in str(why)


@pytest.mark.parametrize(
    ("many", "how"),
    [(9, {}), (12, {"embedder": HashEmbedder(16)})],
    ids=["among so few nothing stands out", "nothing is fitted for the embedder"],
)
def test_where_the_first_ranking_stands(many: int, how: dict[str, Any]) -> None:
    with remembered(many, **how) as memory:
        results = memory.search(ASKED, user_id="one")
        assert not [hit for hit in results if "reading" in hit.signals]


def test_what_is_no_kind_of_talk_is_ranked_by_the_first_scores() -> None:
    """Notes of a nameless user, as a coding agent keeps them: no network has been fitted for those."""
    with Memory(":memory:", recipe="none") as memory:
        memory.add([{"role": "user", "content": text} for _, text in TALK], user_id="one")
        assert not [hit for hit in memory.search(ASKED, user_id="one") if "reading" in hit.signals]
