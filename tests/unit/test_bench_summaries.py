"""How summaries and topics are judged, on a talk of a few lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.datasets import Conversation, Message, Question
from bench.summaries import METHODS, by_level, by_method, lead, together
from mnemic.models.wordllama import WordLlamaEmbedder

LINES = (
    ("s1", "Hello there! How was the week?"),
    ("s1", "I glazed a clay bowl in my pottery class. It was fun."),
    ("s2", "My clay vase cracked in the kiln of the pottery class."),
    ("s3", "The pottery class fired my clay mug in the kiln."),
    ("s3", "The train to Graz was late again on Monday."),
)
TALK = Conversation(
    "c",
    "invented",
    tuple(
        Message(f"m{at}", session, "user", words, "Ana", f"2026-05-2{session[1]}T09:00:00+00:00")
        for at, (session, words) in enumerate(LINES)
    ),
    (
        Question("q1", "What did Ana make?", ("m1", "m3"), answer="a bowl and a mug"),
        Question("q2", "What was late?", ("m4",), answer="the train to Graz"),
        Question("q3", "What is her name?", ("m0",), answer="nobody said", answerable=False),
    ),
)


def test_what_is_kept_is_counted_by_turns_and_by_the_words_of_the_answer() -> None:
    best = by_method([TALK], METHODS["**what tells most**"], 60)
    assert best.turns == [True, True, True]
    assert best.answers == [1.0, 1.0, 1.0]
    first = by_method([TALK], lead, 9)
    assert first.turns == [True, False, True]
    assert first.answers == [0.0, 0.0, 1.0], "of m1 nothing is kept but 'It was fun.'"


@pytest.mark.parametrize("name", METHODS)
def test_no_way_to_choose_keeps_more_than_there_is_room_for(name: str) -> None:
    for most, kept in ((0, [False] * 3), (1000, [True] * 3)):
        assert by_method([TALK], METHODS[name], most).turns == kept


def test_each_level_is_judged_by_its_own_summary() -> None:
    assert {name: number for name, (_, number) in by_level([TALK]).items()} == {"session": 2, "week": 1, "month": 1}
    assert by_level([TALK])["month"][0].turns == [True, True, True]


def test_related_turns_are_told_from_strangers() -> None:
    apart = Question("q4", "What was said first and last?", ("m0", "m4"))
    talk = replace(TALK, questions=(*TALK.questions, apart))
    judged = together([talk], WordLlamaEmbedder().embed_documents, seed=0)
    assert sorted(judged.related) == [False, True]
    assert judged.topics == [1]
    assert judged.covered == [3 / 5]
    assert judged.strangers
    assert not any(judged.strangers)
