"""Answers without a model: sentences, spans, times and lists."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic import extract
from mnemic.extract import FEATURES, Passage, Span, answer, candidates, fitted, sentences
from mnemic.question import KINDS, wanted

SAID = datetime(2023, 6, 9, 15, 30, tzinfo=UTC)  # a Friday


def passages(*texts: str) -> list[Passage]:
    """The best first."""
    return [Passage(text, -0.1 * place, SAID) for place, text in enumerate(texts)]


def ask(question: str, *texts: str) -> list[str]:
    return [span.text for span in answer(question, wanted(question), passages(*texts))]


def cut(text: str) -> list[str]:
    return [one.text for one in sentences("", passages(text), None)]


# -- sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I live here. You live there.", ["I live here.", "You live there."]),
        ("Really?! Yes!!! Well…  Ok", ["Really?!", "Yes!!!", "Well…", "Ok"]),
        ("I saw Dr. Smith today. He was kind.", ["I saw Dr. Smith today.", "He was kind."]),
        ("Mr. J. R. Smith met Mrs. Ng. She left.", ["Mr. J. R. Smith met Mrs. Ng.", "She left."]),
        ("Use tools, e.g. a hammer. And nails.", ["Use tools, e.g. a hammer.", "And nails."]),
        (
            "The U.S. Army came. It left at 5 p.m. It rained.",
            ["The U.S. Army came.", "It left at 5 p.m.", "It rained."],
        ),
        ("We meet at 5 p.m. on Friday.", ["We meet at 5 p.m. on Friday."]),
        ("No. 5 is best. Rue St. Denis. No. I won't.", ["No. 5 is best.", "Rue St. Denis.", "No.", "I won't."]),
        ("On Sept. 12 it rained. It is Sept. It rains.", ["On Sept. 12 it rained.", "It is Sept.", "It rains."]),
        ("It costs 3.5 euros. Pi is 3.14.", ["It costs 3.5 euros.", "Pi is 3.14."]),
        ("See https://a.b/c?d=e!f. Then v1.2.3.", ["See https://a.b/c?d=e!f.", "Then v1.2.3."]),
        ("1. Milk\n2. Eggs\n\n- bread", ["1. Milk", "2. Eggs", "- bread"]),
        ("“I live here.” She said so. (Really.) Ok", ["“I live here.”", "She said so.", "(Really.)", "Ok"]),
        ('He asked "why?" Nobody knew.', ['He asked "why?"', "Nobody knew."]),
        ("私は東京に住んでいます。犬がいます。", ["私は東京に住んでいます。", "犬がいます。"]),
        ("他说「你好！」我走了。", ["他说「你好！」", "我走了。"]),
        ("red - blue – green", ["red", "blue", "green"]),
        ("a well-known man", ["a well-known man"]),
        ("Here it is [a photo of a cake]", ["Here it is ", "[a photo of a cake]"]),
        ("i went home. it was nice.", ["i went home.", "it was nice."]),
        ("...well", ["...well"]),
        ("42. That is all.", ["42. That is all."]),  # like the number of a list
        ("It is 42. That is all.", ["It is 42.", "That is all."]),
        ("!!!", ["!!!"]),
        ("   ", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_sentences(text: str, expected: Sequence[str]) -> None:
    assert cut(text) == expected


def test_what_has_no_full_stop_is_read_in_pieces() -> None:
    found = sentences("", passages("word " * 1000), None)
    assert max(len(one.words) for one in found) == extract.WORDS
    assert sum(len(one.words) for one in found) == 1000


@given(st.text(st.sampled_from("ab .!?…。」”)\n-[1iDr\u00a0\ud800\x00😀")))
def test_sentences_stand_in_their_order_and_lose_no_word(text: str) -> None:
    end, words = 0, 0
    for one in sentences("a b", passages(text), None):
        assert end <= one.start
        end = one.start + len(one.text)
        assert text[one.start : end] == one.text
        assert len(one.words) == len(one.said) == len(one.asked)
        for first, last in one.words:
            assert one.start <= first < last <= end
            words += 1
    letters = sum(any(c.isalnum() for c in word) for word in text.replace("[", " [").replace("。", "。 ").split())
    assert words >= letters - text.count("」") or not text.strip()


# -- answers


@pytest.mark.parametrize(
    ("question", "texts", "expected"),
    [
        ("Where does Ana live?", ["Ana lives in Porto now.", "The tram was late."], "Porto"),
        ("Who carried the boxes?", ["The boxes were carried by Ida Silva.", "It rained."], "Ida Silva"),
        ("How many cats does Ana have?", ["Ana has seven cats.", "The tram was late."], "seven cats"),
        ("What is the alarm code?", ["The alarm code is 4471-Heron.", "It rained."], "4471-Heron"),
        ("What is Ben reading?", ["I am reading “Blindness” by Saramago."], "“Blindness” by Saramago"),
        ("What is the book called?", ["The book was called “Blindness”.", "It rained."], "Blindness"),
        ("When did Ana move?", ["Ana moved yesterday.", "It rained."], "8 June 2023"),
        ("When did Ana move?", ["Ana moved a couple of weeks ago.", "It rained."], "two weeks before 9 June 2023"),
        ("When did Ana move?", ["I am glad. Ana moved last year.", "It rained today."], "2022"),
        ("When did Ana move?", ["Ana moved!", "It rained."], "9 June 2023"),  # the day on which it was said
        ("In which year did Ana move?", ["Ana moved in May 2021."], "2021"),
        ("In which month did Ana move?", ["Ana moved on 3 May."], "May 2023"),
        ("In which month did Ana move?", ["Ana moved last year."], "2022"),
        ("In which month did Ana move?", ["Ana moved last summer."], "summer 2022"),
        ("How long has Ana lived there?", ["Ana has lived there for three years."], "three years"),
        ("How long ago did Ana move?", ["Ana moved two years ago, for a month."], "two years ago"),
        ("Wann ist Ana umgezogen?", ["Ana ist am 2023-05-08 umgezogen."], "8 May 2023"),
    ],
)
def test_a_question_is_answered(question: str, texts: Sequence[str], expected: str) -> None:
    assert ask(question, *texts) == [expected]


def test_a_list_has_no_part_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "ANOTHER", 50.0)
    texts = ["Ana likes pottery.", "Ana likes pottery and swimming.", "On Sundays Ana likes painting."]
    spans = answer("What activities does Ana like?", wanted("What activities does Ana like?"), passages(*texts))
    said = [word for span in spans for word in span.text.lower().split() if word not in ("and", "likes")]
    assert len(spans) > 1
    assert len(said) == len(set(said))
    assert len(ask("What does Ana like?", *texts)) == 1


def test_a_list_is_of_three_things_at_most() -> None:
    texts = [f"Ana likes {thing}." for thing in ("pottery", "swimming", "painting", "running", "chess")]
    assert len(ask("Which hobbies does Ana have?", *texts)) <= extract.AT_MOST == 3


def test_a_question_back_is_no_answer() -> None:
    texts = ["Where does Ana live?", "Ana lives in Porto."]
    assert ask("Where does Ana live?", *texts) == ["Porto"]


@pytest.mark.parametrize("texts", [[], [""], ["   "], ["!!! ..."], ["?"], ["\x00"], ["the of and"]])
@pytest.mark.parametrize("question", ["What is it?", "Who?", "", "\x00"])
def test_where_there_are_no_words_there_is_no_answer(question: str, texts: Sequence[str]) -> None:
    assert ask(question, *texts) in ([], ["\x00"])


# -- laws

WORDS = (
    "Ana moved to Porto yesterday , in May 2021 for two years . Who ? a the « “Ida” 42 [photo] - 3.5 Dr. 東京。 \x00"
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=80),
    st.lists(st.sampled_from(WORDS.split()), max_size=30).map(" ".join),
)
QUESTIONS = st.one_of(
    st.sampled_from(
        [
            "When did Ana move?",
            "In which year did Ana move?",
            "How long did it take?",
            "How long ago was it?",
            "Where does Ana live?",
            "Which cities does Ana like?",
            "Who moved?",
            "Why?",
        ]
    ),
    st.text(max_size=20),
)


def check(spans: Sequence[Span], question: str, found: Sequence[Passage]) -> None:
    kind = wanted(question).kind
    assert len(spans) <= (extract.AT_MOST if wanted(question).several else 1)
    for span in spans:
        whole = found[span.passage].text
        assert 0 <= span.start < span.end <= len(whole)
        assert span.text.strip()
        assert kind == "time" or span.text == whole[span.start : span.end]
        assert math.isfinite(span.score)
    places = [(span.passage, span.start, span.end) for span in spans]
    for one in places:
        for other in places:
            assert one == other or one[0] != other[0] or one[2] <= other[1] or other[2] <= one[1]


@given(QUESTIONS, st.lists(TEXTS, max_size=5))
def test_an_answer_is_a_verbatim_part_of_a_passage_or_a_time(question: str, texts: list[str]) -> None:
    found = passages(*texts)
    spans = answer(question, wanted(question), found)
    check(spans, question, found)
    assert spans == answer(question, wanted(question), found)


@given(QUESTIONS, st.lists(TEXTS, min_size=1, max_size=4), st.randoms())
def test_the_order_of_equal_passages_says_nothing(question: str, texts: list[str], shuffled: random.Random) -> None:
    """Where one text was said several times, which of them comes first makes no other answer."""
    found = [Passage(text, 1.0, SAID) for text in texts for _ in range(2)]
    mixed = list(found)
    for at in range(0, len(mixed), 2):
        if shuffled.random() < 0.5:
            mixed[at], mixed[at + 1] = mixed[at + 1], mixed[at]
    assert answer(question, wanted(question), found) == answer(question, wanted(question), mixed)


@given(QUESTIONS, st.lists(TEXTS, max_size=3), st.sampled_from(KINDS))
def test_every_feature_is_a_number_for_every_kind(question: str, texts: list[str], kind: str) -> None:
    asked = wanted(question)
    asked = type(asked)(kind, asked.several)  # type: ignore[arg-type]
    spans, rows = candidates(asked, sentences(question, passages(*texts), None))
    assert rows.shape == (len(spans), len(FEATURES))
    assert np.isfinite(rows).all()
    assert all(span.text.strip() for span in spans)


@pytest.mark.parametrize(
    "texts",
    [
        ["word " * 10_000],
        ["Ana " * 10_000],
        ["Ana moved. " * 5_000],
        ["x" * 200_000],
        ["! " * 100_000],
        ["。" * 100_000],
        ["- " * 50_000],
        ["[" * 50_000],
        ["yesterday " * 10_000],
        ["for a week. " * 5_000],
        ["a.b. " * 20_000],
        ["1. " * 20_000],
    ],
    ids=lambda texts: texts[0][:10],
)
@pytest.mark.parametrize("question", ["Where does Ana live?", "When did Ana move?", "How long ago did Ana move?"])
def test_a_very_long_text_is_read_in_a_few_seconds(question: str, texts: Sequence[str]) -> None:
    started = time.process_time()
    found = passages(*texts)
    check(answer(question, wanted(question), found), question, found)
    assert time.process_time() - started < 3.0


# -- with and without vectors


def test_vectors_are_asked_for_once_and_may_be_missing() -> None:
    calls: list[Sequence[str]] = []

    def alike(texts: Sequence[str]) -> np.ndarray:
        calls.append(texts)
        return np.linspace(0.0, 1.0, len(texts), dtype=np.float32)

    found = passages("Ana lives in Porto. It rains.", "Ben lives in Rome.")
    question = "Where does Ana live?"
    with_them = answer(question, wanted(question), found, alike)
    assert calls == [["Ana lives in Porto.", "It rains.", "Ben lives in Rome."]]
    assert answer(question, wanted(question), found, lambda _: None) == answer(question, wanted(question), found)
    assert [span.text for span in with_them] == ["Porto"]
    assert answer(question, wanted(question), [], alike) == ()
    assert len(calls) == 1


# -- the weights


def test_the_weights_that_ship_are_those_of_the_features() -> None:
    held = json.loads((files("mnemic") / "extract.json").read_text(encoding="utf-8"))
    assert tuple(held["weights"]) == FEATURES
    assert len(set(FEATURES)) == len(FEATURES)
    assert all(math.isfinite(weight) for weight in held["weights"].values())
    assert dict(fitted()) == held["weights"]
    assert [name for name in FEATURES if name.startswith("length for a ")] == [f"length for a {kind}" for kind in KINDS]


def test_other_weights_choose_otherwise() -> None:
    question = "What did Ana say?"
    longest = dict.fromkeys(FEATURES, 0.0) | {"length": 1.0}
    shortest = dict.fromkeys(FEATURES, 0.0) | {"length": -1.0}
    found = passages("Ana said one two three four five")
    (long,) = answer(question, wanted(question), found, weights=longest)
    (short,) = answer(question, wanted(question), found, weights=shortest)
    assert len(long.text.split()) == 7
    assert len(short.text.split()) == 1


def test_the_nearest_place_of_a_question_word_is_found() -> None:
    places, to = np.array([2, 5, 9]), np.arange(-1, 12)
    expected = np.abs(to[:, None] - places).min(axis=1)
    assert extract._nearest(places, to).tolist() == expected.tolist()  # pyright: ignore[reportPrivateUsage]
