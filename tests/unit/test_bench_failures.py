"""Why evidence was missed: the reasons, the draw, and a report without a word of what was said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import datasets, failures
from bench.failures import Missed
from mnemic import Memory
from mnemic.types import Explanation, Signal, Word

WHY = Explanation("q", "id", "t", 14, 100, 0.3, 0.1, (), (), "better hits came before it")


def signal(name: str, value: float, place: int = 9) -> Signal:
    return Signal(name, value, place, 0.1, 0.1 * value)


def word(term: str, times: int, records: int = 10) -> Word:
    return Word(term, 1.0, records, times)


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (None, failures.LEFT_OUT),
        (replace(WHY, rank=None), failures.LEFT_OUT),
        (replace(WHY, signals=(signal("speaker", 0.0), signal("time", 0.1))), failures.OTHER_SPEAKER),
        # Nobody is named: none has it.
        (replace(WHY, signals=(signal("speaker", 0.0, 1), signal("time", 0.1))), failures.OTHER_TIME),
        (replace(WHY, signals=(signal("time", 0.9),), words=(word("fig", 0),)), failures.NO_WORD),
        (replace(WHY, signals=(signal("lexical_near", 0.2),), words=(word("fig", 0),)), failures.BESIDE),
        (replace(WHY, words=(word("fig", 0, 1), word("the", 1, 90))), failures.FEW_WORDS),
        (replace(WHY, words=(word("fig", 1, 1), word("the", 0, 90))), failures.CROWDED),
    ],
)
def test_the_first_reason_that_holds(why: Explanation | None, reason: str):
    assert failures.reason(why) == reason


def test_behind_is_where_the_other_has_the_greatest_lead():
    why = replace(WHY, signals=(signal("lexical_turn", 0.5), signal("dense_turn", 0.1), signal("time", 0.9)))
    (talk, *_) = datasets.load("sample", Path())
    with Memory(":memory:", recipe="none") as memory:
        for session, messages in talk.sessions(0, 3):
            memory.add(messages, user_id="u", session_id=session)
        hit = memory.search("anything", user_id="u")[0]
    ahead = replace(hit, signals={"lexical_turn": 0.7, "dense_turn": 0.9, "time": 0.0})
    assert failures.behind(why, ahead) == "dense_turn"
    assert failures.behind(why, replace(hit, signals={})) is None


def missed(dataset: str, category: str, question: str) -> Missed:
    return Missed(dataset, category, question, "e", 14, 100, 0, 1, False, 1, 3, 40, (), None, failures.CROWDED)


def test_sets_and_kinds_take_turns():
    many = [missed("a", kind, f"{kind}{n}") for kind in ("x", "y") for n in range(9)]
    many += [missed("b", "z", "z0"), missed("b", "z", "z0")]
    found = failures.drawn(many, seed=3, count=5)
    assert [pieces[0].dataset for pieces in found] == ["a", "b", "a", "a", "a"]
    assert len(found[1]) == 2
    assert sorted(pieces[0].category for pieces in found if pieces[0].dataset == "a") == ["x", "x", "y", "y"]
    assert found == failures.drawn(many[::2] + many[1::2], seed=3, count=5)  # whatever the order
    assert failures.drawn([], seed=3) == []


def test_the_report_of_the_sample_has_none_of_its_words():
    talks = datasets.load("sample", Path())[:2]
    found, pieces = failures.look(talks, progress=lambda _: None)
    assert 0 < len(found) < pieces
    assert all(piece.rank is None or piece.rank > failures.HITS for piece in found)
    text = "\n".join(failures.report(found, {"sample": pieces}, seed=0))
    assert f"| all missed, of | {len(found)} of {pieces} |" in text
    assert found[0].question.split(":")[0] in text
    said = [message.content for talk in talks for message in talk.messages if len(message.content) > 15]
    asked = [question.text for talk in talks for question in talk.questions]
    assert not [words for words in said + asked if words in text]
