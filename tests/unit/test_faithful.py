"""Whether evidence carries a statement: exact about numbers, times, names and polarity, lenient about plain words."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic.faithful import best_span, carried, denies, numbers
from mnemic.statements import Span, Statement, Turn

SAID = datetime(2026, 5, 8, 10, tzinfo=UTC)  # a Friday


def turn(text: str, speaker: str | None = "Ilse", id: str = "1", **fields: str) -> Turn:
    return Turn(id, text, SAID, fields.get("role", "user"), speaker, source=fields.get("source", "user"))


def statement(
    text: str,
    value: str = "",
    relation: str = "told",
    *,
    subject: str = "Ilse",
    holds: bool = True,
    begins: datetime | None = None,
    kind: str = "fact",
) -> Statement:
    return Statement(kind, subject, relation, value or text, text, (Span("1", 0, 1),), SAID, holds, begins)


def reasons(said: str, text: str, value: str = "", relation: str = "told", **fields: object) -> tuple[str, ...]:
    return carried(statement(text, value, relation, **fields), [turn(said)])  # type: ignore[arg-type]


# --- polarity ------------------------------------------------------------------------------------------------------

CARRIED = [
    ("I live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I don't live in Porto.", "Ilse does not live in Porto.", "Porto", "lives_in", False),
    ("I don’t live in Porto any more.", "Ilse no longer lives in Porto.", "Porto", "lives_in", False),
    ("I used to live in Porto.", "Ilse no longer lives in Porto.", "Porto", "lives_in", False),
    ("I moved from Porto to Braga.", "Ilse does not live in Porto.", "Porto", "lives_in", False),
    ("I moved from Porto to Braga.", "Ilse lives in Braga.", "Braga", "lives_in", True),
    ("I like capers, but I don't like olives.", "Ilse likes capers.", "capers", "likes", True),
    ("I like capers, but I don't like olives.", "Ilse does not like olives.", "olives", "likes", False),
    ("I can't stand fennel, and I love dill.", "Ilse likes dill.", "dill", "likes", True),
    ("I'm not only a nurse but a beekeeper too.", "Ilse works as a nurse.", "a nurse", "works_as", True),
    ("I can't wait to see Rome.", "Ilse plans to see Rome.", "see Rome", "plans", True),
    ("I have never been to Rome.", "Ilse has never been to Rome.", "been to Rome", "never", True),
    ("I haven't been to Rome.", "Ilse has never been to Rome.", "been to Rome", "never", True),
    ("I quit my job at Lidl.", "Ilse no longer works at Lidl.", "Lidl", "works_at", False),
    ("I have a dog that doesn't bark.", "Ilse has a dog that does not bark.", "a dog that does not bark", "has", True),
    ("I hate mushrooms.", "Ilse does not like mushrooms.", "mushrooms", "likes", False),
    ("Google? I don't work there.", "Ilse does not work at Google.", "Google", "works_at", False),
    ("Can I take my bike on the train?", "Ilse has a bike.", "a bike", "has", True),
    ("I left Lidl for Aldi.", "Ilse works at Aldi.", "Aldi", "works_at", True),
    ("I left my bike at home.", "Ilse has a bike.", "a bike", "has", True),
    ("I moved out of my flat into my new apartment.", "Ilse has an apartment.", "an apartment", "has", True),
    ("I'm going to move to Porto.", "Ilse plans to move to Porto.", "move to Porto", "plans", True),
    ("Just kidding about the boat. I live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I have a fig tree that never bears.", "Ilse has a fig tree.", "a fig tree", "has", True),
    ("No, I live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("Ich wohne nicht in Bremen.", "Ilse wohnt nicht in Bremen.", "in Bremen wohnt", "does", True),
]
NOT_CARRIED = [
    ("I moved out of my apartment.", "Ilse has an apartment.", "an apartment", "has", True),
    ("I don't live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I live in Porto.", "Ilse does not live in Porto.", "Porto", "lives_in", False),
    ("I live in Porto.", "Ilse no longer lives in Porto.", "Porto", "lives_in", False),
    ("I don't live in Porto.", "Ilse no longer lives in Porto.", "Porto", "lives_in", False),
    ("I used to live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I no longer live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I moved from Porto to Braga.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I don't drink coffee or tea.", "Ilse likes tea.", "tea", "likes", True),
    ("I like capers, but I don't like olives.", "Ilse likes olives.", "olives", "likes", True),
    ("I don't eat meat.", "Ilse has never eaten meat.", "eaten meat", "never", True),
    ("I have never been to Rome.", "Ilse has been to Rome.", "has been to Rome", "did", True),
    ("I'm not sure whether I'll see Rome.", "Ilse plans to see Rome.", "see Rome", "plans", True),
    ("If I had a boat I would sail.", "Ilse has a boat.", "a boat", "has", True),
    ("Do I live in Porto?", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I'd love to live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I'm going to move to Porto.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I live in Porto, just kidding.", "Ilse lives in Porto.", "Porto", "lives_in", True),
    ('The ad says "I live in Porto and love it".', "Ilse lives in Porto.", "Porto", "lives_in", True),
    ("I lost my job at Lidl.", "Ilse works at Lidl.", "Lidl", "works_at", True),
    ("I left Lidl for Aldi.", "Ilse works at Lidl.", "Lidl", "works_at", True),
    ("I sold my old boat.", "Ilse has a boat.", "a boat", "has", True),
    ("I live in Porto.", "Ilse lives in Porto.", "Porto", "lives_in", False),
    ("I don't like olives.", "Ilse does not like olives.", "olives", "likes", True),
    ("Ich wohne nicht in Bremen.", "Ilse wohnt in Bremen.", "in Bremen wohnt", "does", True),
]


@pytest.mark.parametrize(("said", "text", "value", "relation", "holds"), CARRIED)
def test_what_was_said_is_carried(said: str, text: str, value: str, relation: str, holds: bool) -> None:
    assert reasons(said, text, value, relation, holds=holds) == ()


@pytest.mark.parametrize(("said", "text", "value", "relation", "holds"), NOT_CARRIED)
def test_the_opposite_of_what_was_said_is_not(said: str, text: str, value: str, relation: str, holds: bool) -> None:
    assert reasons(said, text, value, relation, holds=holds)


def test_what_corrects_another_turn_denies_what_that_says() -> None:
    turns = [turn("I have two sons."), turn("Sorry, I misspoke.", id="2")]
    denied = statement("Ilse does not have two sons.", "two sons", "has", holds=False)
    assert carried(denied, turns)
    assert carried(replace(denied, evidence=(Span("2", 0, 4), Span("1", 0, 4))), turns) == ()


@pytest.mark.parametrize(
    ("text", "value", "does"),
    [
        ("Ilse lives in Porto.", "Porto", False),
        ("Ilse does not live in Porto.", "Porto", True),
        ("Ilse no longer lives in Porto.", "Porto", True),
        ("Ilse has a dog that does not bark.", "a dog that does not bark", False),
        ("Ilse is not only a nurse.", "a nurse", False),
    ],
)
def test_a_text_denies_its_value_outside_of_it(text: str, value: str, does: bool) -> None:
    assert denies(text, value) is does


# --- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3,000 or 3000 or three thousand or 3k", [3000.0] * 4),
        ("twenty-five and a half", [25.5]),
        ("two hundred and fifty", [250.0]),
        ("2.5 million", [2_500_000.0]),
        ("-5 degrees, 5-6 men", [-5.0, 5.0, 6.0]),
        ("the 3rd, the third, a dozen, twice", [3.0, 3.0, 12.0, 2.0]),
        ("30kg at $40", [30.0, 40.0]),
        ("a dog and an owl, one of them", []),
    ],
)
def test_numbers_are_read_in_figures_and_in_words(text: str, values: list[float]) -> None:
    assert [min(number.values) for number in numbers(text)] == values


def test_times_of_day_are_read_with_both_halves_of_the_day() -> None:
    assert [sorted(number.values) for number in numbers("7:30, 7:30 pm, 19:30, 7am")] == [
        [450.0, 1170.0],
        [1170.0],
        [1170.0],
        [420.0],
    ]


@pytest.mark.parametrize(
    ("said", "text", "is_carried"),
    [
        ("I have 3 dogs and 2 cats.", "Ilse has 3 dogs.", True),
        ("I have 3 dogs and 2 cats.", "Ilse has three dogs.", True),
        ("I have 3 dogs and 2 cats.", "Ilse has 2 dogs.", False),
        ("I have 3 dogs and 2 cats.", "Ilse has 4 dogs.", False),
        ("I have a dog.", "Ilse has one dog.", True),
        ("It cost three thousand euros.", "It cost 3,000 euros.", True),
        ("It cost $40.", "It cost 40 dollars.", True),
        ("It cost 3.50 euros.", "It cost 350 euros.", False),
        ("I get up at 7:30 pm.", "Ilse gets up at 19:30.", True),
        ("I get up at 7:30 am.", "Ilse gets up at 19:30.", False),
        ("I get up at 7 in the evening.", "Ilse gets up at 7 pm.", True),
        ("I get up at 7.", "Ilse gets up at 8.", False),
        ("My flat is number 12.", "Ilse's flat is number 21.", False),
    ],
)
def test_a_number_must_stand_there_and_with_what_it_counts(said: str, text: str, is_carried: bool) -> None:
    assert (reasons(said, text) == ()) is is_carried


# --- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "text", "is_carried"),
    [
        ("I moved to Porto yesterday.", "Ilse moved to Porto on 7 May 2026.", True),
        ("I moved to Porto yesterday.", "Ilse moved to Porto in May 2026.", True),
        ("I moved to Porto yesterday.", "Ilse moved to Porto on 8 May 2026.", False),
        ("I moved to Porto in May.", "Ilse moved to Porto in May 2026.", True),
        ("I moved to Porto in May.", "Ilse moved to Porto on 3 May 2026.", False),
        ("I moved to Porto.", "Ilse moved to Porto on 8 May 2026.", False),
        ("I moved to Porto today.", "Ilse moved to Porto on 8 May 2026.", True),
        ("I moved to Porto last week.", "Ilse moved to Porto the week before 8 May 2026.", True),
        ("I have lived in Porto for three years.", "Ilse has lived in Porto since 2023.", True),
        ("I have lived in Porto for three years.", "Ilse has lived in Porto since 2022.", False),
        ("I leave on March 15th.", "Ilse leaves on 15 March 2027.", True),
        ("I leave on March 15th 2026.", "Ilse leaves on 15 March 2027.", False),
        ("I have lived in Porto since 2016.", "Ilse has lived in Porto since 2016.", True),
        ("Loved our 2019 trip to Porto.", "Ilse loved a 2019 trip to Porto.", True),
    ],
)
def test_a_time_must_be_told_there_and_no_more_precisely(said: str, text: str, is_carried: bool) -> None:
    assert (reasons(said, text) == ()) is is_carried


def test_when_it_holds_must_be_told_there() -> None:
    text = "Ilse lives in Porto."
    moved = "I moved to Porto yesterday, and live there."
    assert reasons(moved, text, "Porto", "lives_in", begins=datetime(2026, 5, 7, tzinfo=UTC)) == ()
    assert reasons(moved, text, "Porto", "lives_in", begins=datetime(2026, 4, 7, tzinfo=UTC))


# --- names and words -----------------------------------------------------------------------------------------------


def test_a_name_must_stand_there_be_the_speakers_or_be_known() -> None:
    told = statement("Ilse met Rita in Braga.", "met Rita in Braga", "did", kind="event")
    assert carried(told, [turn("I met Rita in Braga.")]) == ()
    assert carried(told, [turn("I met her in Braga.")]) == ("the name 'Rita' is neither in its evidence nor known",)
    assert carried(told, [turn("I met her in Braga.")], ["Rita Sousa"]) == ()
    assert carried(told, [turn("I met Rita in Braga.", speaker="Olaf")])
    assert carried(told, [turn("I met Rita in Braga.", speaker="Olaf")], ["Ilse"])  # nothing there means her


def test_a_subject_that_is_known_must_be_meant_by_something() -> None:
    lives = statement("Rita lives in Braga.", "Braga", "lives_in", subject="Rita")
    assert carried(lives, [turn("She lives in Braga.")], ["Rita"]) == ()
    assert carried(lives, [turn("I live in Braga.")], ["Rita"]) == ("nothing in its evidence means its subject 'Rita'",)
    assert carried(lives, [turn("She lives in Braga.")])


@pytest.mark.parametrize(
    ("said", "text", "is_carried"),
    [
        ("My sister lives in Porto.", "Ilse lives in Porto.", False),
        ("She lives in Porto.", "Ilse lives in Porto.", False),
        ("My brother and I live in Porto.", "Ilse lives in Porto.", True),
        ("My family moved, so I live in Porto.", "Ilse lives in Porto.", True),
        ("My home is in Porto, where I live.", "Ilse lives in Porto.", True),
    ],
)
def test_what_is_said_of_another_is_not_said_of_the_speaker(said: str, text: str, is_carried: bool) -> None:
    assert (reasons(said, text, "Porto", "lives_in") == ()) is is_carried


def test_most_plain_words_must_stand_there() -> None:
    assert (
        reasons("I went hiking with my brother.", "Ilse goes hiking with a brother.", "goes hiking with a brother")
        == ()
    )
    assert reasons("I went hiking.", "Ilse is an experienced climber of mountains.", "experienced climber of mountains")


def test_evidence_that_is_not_there_carries_nothing() -> None:
    one = statement("Ilse lives in Porto.", "Porto", "lives_in")
    assert carried(one, []) == ("its evidence is not there: 1",)
    assert carried(replace(one, evidence=()), [turn("I live in Porto.")]) == (
        "its evidence is not there: it names none",
    )


def test_other_scripts_are_held_to_numbers_and_names() -> None:
    one = statement("アナは3匹の猫を飼っている。", "3匹の猫", "has", subject="アナ")
    assert carried(one, [turn("私は3匹の猫を飼っている。", speaker="アナ")]) == ()
    assert carried(one, [turn("私は2匹の猫を飼っている。", speaker="アナ")])


# --- spans ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "text", "value", "words"),
    [
        ("Hi! I live in Porto. It rains.", "Ilse lives in Porto.", "Porto", "I live in Porto."),
        ("Guess what. I moved. To Porto, of all places.", "Ilse moved to Porto.", "Porto", "To Porto, of all places."),
        ("I have a dog.\n\nRex bites.", "Ilse's dog is Rex.", "Rex", "Rex bites."),
        ("Nothing of the kind.", "Ilse lives in Porto.", "Porto", "Nothing of the kind."),
        ("  ", "Ilse lives in Porto.", "Porto", "  "),
    ],
)
def test_the_best_words_are_the_sentence_that_says_most_of_it(said: str, text: str, value: str, words: str) -> None:
    span = best_span(text, value, turn(said))
    assert said[span.start : span.stop] == words


@pytest.mark.parametrize(
    "piece", ["1 ", "porto, ", "moved ", '"I porto ', "two hundred and ", ". Porto", "my ", "7:30 "]
)
def test_a_long_turn_takes_no_long_time(piece: str) -> None:
    started = time.perf_counter()
    reasons(piece * (40_000 // len(piece)) + "Porto", "Ilse lives in Porto.", "Porto", "lives_in")
    assert time.perf_counter() - started < 5


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=20), st.booleans())
@settings(max_examples=200, deadline=None)
def test_nothing_makes_it_raise_and_spans_lie_within(said: str, text: str, value: str, holds: bool) -> None:
    span = best_span(text, value, turn(said))
    assert 0 <= span.start <= span.stop <= len(said)
    reasons(said, text, value, "lives_in", holds=holds)


@given(st.integers(2, 9_999), st.integers(2, 9_999))
@settings(max_examples=100, deadline=None)
def test_no_other_number_is_ever_carried(said: int, claimed: int) -> None:
    found = reasons(f"I own {said} stamps.", f"Ilse owns {claimed:,} stamps.")
    assert (found == ()) is (said == claimed)
