"""Minimal pairs: the twins, and what the confidence makes of them on the sample."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import datasets, pairs
from bench.pairs import Pair
from bench.run import in_time
from mnemic import Memory


@pytest.mark.parametrize(
    ("question", "twin"),
    [
        ("What did Ann plant?", "What did Bo plant?"),
        ("Where is Bo's boat?", "Where is Ann's boat?"),
        ("What did Anna plant?", None),
        ("What did Ann give Bo?", None),
        ("Who planted figs?", None),
    ],
)
def test_the_other_person_is_asked_about_where_one_is_named(question: str, twin: str | None):
    assert pairs.other_person(question, ["Ann", "Bo"]) == twin
    assert pairs.other_person(question, ["Ann", "Bo", "Cy"]) is None


def talk(*months: int) -> list[datetime]:
    return [datetime(2023, month, 3, tzinfo=UTC) for month in months]


@pytest.mark.parametrize(
    ("question", "months", "twin"),
    [
        ("What was lost in May 2023?", (4, 5), "What was lost in May 2019?"),
        ("Who came on 3 May, 2024, and who in 2023?", (4, 5), "Who came on 3 May, 2019, and who in 2018?"),
        ("What was lost in May?", (4, 5), "What was lost in October?"),
        ("Who came on 3 May?", (4, 5), "Who came on 3 October?"),
        ("What was lost in May?", tuple(range(1, 13)), "What was lost in May 2019?"),
        ("Who came on 3 May?", tuple(range(1, 13)), "Who came on 3 May 2019?"),
        ("What was lost in January and March?", (1, 3), None),
        ("Where may she march?", (4, 5), None),
        ("Who is May?", (4, 5), None),
        ("How many are 20230 figs?", (4, 5), None),
    ],
)
def test_the_other_time_lies_outside_the_talk(question: str, months: tuple[int, ...], twin: str | None):
    assert pairs.other_time(question, talk(*months)) == twin
    assert pairs.other_time(question, []) is None


def test_what_was_retired_for_a_twin_is_back_for_the_next_question():
    letters = next(c for c in datasets.load("sample", Path()) if c.id == "sample-letters")
    found = pairs.measure([letters], progress=lambda _: None)
    deleted = {pair.question: pair.own for pair in found if pair.kind == pairs.DELETED}
    assert len(deleted) >= 10
    with Memory(":memory:", recipe="none") as memory:  # the same confidences where nothing was ever retired
        plain = {
            question.id: memory.search(
                question.text, user_id=letters.id, limit=pairs.LIMIT, now=letters.asked_at(question)
            ).confidence
            for question, _ in in_time(memory, letters)
        }
    assert deleted == {id: plain[id] for id in deleted}
    assert {pair.kind for pair in found} >= {pairs.DELETED, pairs.PERSON}


def test_an_assistant_is_nobodys_wrong_person():
    coach = next(c for c in datasets.load("sample", Path()) if c.id == "sample-coach")
    found = pairs.measure([coach], progress=lambda _: None)
    assert pairs.PERSON not in {pair.kind for pair in found}


def test_figures_of_pairs():
    found = [
        Pair("mini", "a", "1", pairs.DELETED, 0.9, 0.1),
        Pair("mini", "a", "2", pairs.DELETED, 0.4, 0.4),
        Pair("mini", "b", "3", pairs.DELETED, 0.6, 0.7),
        Pair("mini", "b", "3", pairs.TIME, 0.6, 0.2),
    ]
    deleted, time = pairs.told(found, seed=0)
    assert (deleted.wins.mean, deleted.wins.count) == (0.5, 3)
    assert deleted.separation.mean == pytest.approx((3 + 1.5 + 2) / 9)
    assert (deleted.sufficient, deleted.twin_sufficient) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (time.kind, time.wins.mean) == (pairs.TIME, 1.0)
    assert list(pairs.table([time]))[-1].startswith("| mini | wrong time | 1 | 1.000 [1.000, 1.000] |")
