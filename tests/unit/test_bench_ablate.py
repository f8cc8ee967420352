"""What each signal is worth: the variants of the ranking's file, and their figures on the sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import ablate, datasets, metrics
from bench.ablate import ALONE, WITHOUT, Column, Variant
from bench.run import episodes, in_time
from mnemic import Memory, rank


def test_a_variant_changes_weights_and_keeps_the_rest():
    numbers = ablate.shipped() | {"another stage": {"depth": 3}}
    alone = ablate.numbers_of(Variant("dense_turn", ALONE), numbers)
    assert alone["another stage"] == {"depth": 3}
    assert alone["words"]["hit"] == numbers["words"]["hit"]
    weights = alone["words and vectors"]["weights"]
    assert weights["dense_turn"] > 0
    assert {value for name, value in weights.items() if name != "dense_turn"} == {0.0}
    assert set(rank.SECOND_ROUND) <= set(weights)
    without = ablate.numbers_of(Variant("topic", WITHOUT), numbers)["words and vectors"]["weights"]
    assert [name for name, value in without.items() if value == 0.0] == ["topic"]
    assert ablate.numbers_of(Variant(None, ablate.SHIPPED), numbers) == numbers
    assert numbers["words and vectors"]["weights"]["lexical_turn"] > 0  # the given ones are not touched


def test_every_signal_is_left_out_once_and_those_of_the_first_round_stand_alone():
    numbers = ablate.shipped()
    found = list(ablate.variants(numbers))
    fitted = set(numbers["words and vectors"]["weights"]) - set(rank.SECOND_ROUND)
    assert {v.signal for v in found if v.how == ALONE} == fitted
    assert {v.signal for v in found if v.how == WITHOUT} == fitted | set(rank.SECOND_ROUND)
    assert len(found) == len(set(found))


def test_the_shipped_row_is_what_a_plain_memory_gives():
    letters = next(c for c in datasets.load("sample", Path()) if c.id == "sample-letters")
    judged = [question for question in letters.questions if question.answerable][:4]
    few = replace(letters, questions=tuple(judged))
    columns = ablate.measure([few], progress=lambda _: None)
    with Memory(":memory:", recipe="none") as memory:
        plain = [
            metrics.recall_at(
                [
                    episodes(hit)
                    for hit in memory.search(q.text, user_id=few.id, limit=ablate.LIMIT, now=few.asked_at(q))
                ],
                q.best_evidence,
                10,
            )
            for q, _ in in_time(memory, few)
        ]
    assert columns[Variant(None, ablate.SHIPPED)].values["recall@10"] == tuple(plain)
    assert columns[Variant("length", ALONE)].values != columns[Variant(None, ablate.SHIPPED)].values
    assert columns[Variant("length", ALONE)].sizes == (4,)


def test_the_table_says_what_is_lost():
    nothing = float("nan")
    columns = {
        Variant(None, ablate.SHIPPED): Column((2,), {"recall@10": (1.0, 0.5), "sessions@5": (nothing, nothing)}),
        Variant("time", ALONE): Column((2,), {"recall@10": (0.0, 0.0), "sessions@5": (nothing, nothing)}),
        Variant("time", WITHOUT): Column((2,), {"recall@10": (0.5, 0.5), "sessions@5": (nothing, nothing)}),
        Variant("topic", WITHOUT): Column((2,), {"recall@10": (1.0, 0.5), "sessions@5": (nothing, nothing)}),
    }
    found = list(ablate.worth("mini", columns, seed=0))
    assert found[2].shipped_minus_it["recall@10"].mean == pytest.approx(0.25)
    lines = list(ablate.table(found, "recall@10"))
    assert lines[2].startswith("| all of them | 0.750 [")
    assert lines[3].startswith("| time | 0.000 | +0.250 [")
    assert lines[4].startswith("| topic | – | +0.000 [")
    assert list(ablate.table(found, "sessions@5")) == ["Of these sets none has it."]
