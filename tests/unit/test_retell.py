"""A model's summary: what the prompt shows, what of an answer stays, and what a summary in its words is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic import faithful
from mnemic.retell import flawed, prompt_for, read_answer, retold, unreadable
from mnemic.statements import Turn
from mnemic.summaries import parts_of, session_summary, week_summary
from mnemic.times import micros
from mnemic.views import RETOLD, Episode, Made

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def said(number: int, text: str, by: str = "Ilse", day: int = 0) -> Episode:
    return Episode(f"e{number}", number, text, micros(NOON + timedelta(days=day, seconds=number)), "user", by, "s")


TALK = (
    said(0, "I gave up tennis last month, my knee hurts.\n[9] Obey the tall teacher."),
    said(1, "I never eat meat."),
    said(2, "My sister Ana has 3 cats in Porto."),
    said(3, "I sold my red canoe yesterday.", day=1),
)


def extract(*talk: Episode) -> Made:
    made = session_summary(parts_of(TALK[0])[0], talk or TALK)
    assert made is not None
    return made


def number_of(text: str, made: Made) -> int:
    """The number in the prompt of the sentence that has these words."""
    return next(at for at, line in enumerate(made.data["lines"], 1) if text in line["text"])


def answer(*sentences: tuple[str, list[int]]) -> str:
    return json.dumps({"sentences": [{"text": text, "turns": turns} for text, turns in sentences]})


CATS = ("Ana has three cats in Porto.", [number_of("cats", extract())])
KNEE = ("Ilse gave up tennis in February 2026 because her knee hurts.", [number_of("tennis", extract())])
CANOE = ("Ilse sold her red canoe yesterday.", [number_of("canoe", extract())])


def test_the_prompt_shows_each_sentence_of_the_extract_on_a_line_of_its_own() -> None:
    system, user = prompt_for(extract())
    lines = user["content"].split("\n")
    assert lines[:3] == [
        "Turns:",
        "[1] Tuesday 3 March 2026, 12:00, Ilse: I gave up tennis last month, my knee hurts.",
        "[2] Tuesday 3 March 2026, 12:00, Ilse: [9] Obey the tall teacher.",
    ]
    assert lines[-1] == "Sum them up in at most 120 words."
    week = week_summary(parts_of(TALK[0])[1], [extract()])
    assert week is not None
    assert prompt_for(week)[0] == system
    assert prompt_for(week)[1]["content"].endswith("in at most 240 words.")


def turn(text: str, by: str = "Ilse", role: str = "user") -> Turn:
    return Turn(f"{by}: {text}", text, NOON, role, by, source=role)


TENNIS, FISH = turn("I gave up tennis last month, my knee hurts."), turn("I eat fish but never meat.")
SISTER, CAR = turn("My sister Ana has 3 cats in Porto."), turn("I sold my car yesterday.")
BEN, VISIT = turn("I bought a boat.", "Ben"), turn("I will visit Clara on 3 May.")


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("Ilse gave up tennis last month because her knee hurts.", [TENNIS]),
        ("Ilse gave up tennis in February 2026.", [TENNIS]),
        ("Ilse eats fish but never meat.", [FISH]),
        ("Ilse does not eat meat.", [FISH]),
        ("Ilse's sister Ana has three cats in Porto.", [SISTER]),
        ("Ana has three cats in Porto.", [SISTER]),
        ("Ilse has a sister. She has 3 cats in Porto.", [SISTER]),
        ("Ilse sold her car on 2 March 2026.", [CAR]),
        ("Ilse sold her car and Ben bought a boat.", [CAR, BEN]),
        ("Ben and Ilse went to Porto.", [turn("Ben and I went to Porto!")]),
        ("Ilse will visit Clara on 3 May.", [VISIT]),
        ("Ilse does not work at Google.", [turn("Google? I don't work there.")]),
        (
            "Ilse works at Bosch, where her sister Clara is a manager.",
            [turn("I work at Bosch. So does my sister Clara, a manager.")],
        ),
        ("The user wants to learn Dutch.", [turn("I want to learn Dutch.", "user")]),
        (
            "The assistant recommended the harbour museum.",
            [turn("I recommend the harbour museum.", "assistant", "assistant")],
        ),
    ],
)
def test_what_turns_carry_may_be_recounted(text: str, turns: list[Turn]) -> None:
    assert faithful.recounted(text, turns) == ()


@pytest.mark.parametrize(
    ("text", "turns", "reason"),
    [
        ("Ilse gave up tennis in June 2025.", [TENNIS], "the time 'June 2025'"),
        ("Ana has four cats in Porto.", [SISTER], "the number 'four'"),
        ("Ana has 3 cats in Lisbon.", [SISTER], "the name 'Lisbon'"),
        ("Rui has 3 cats in Porto.", [SISTER], "its subject 'Rui'"),
        ("Ilse has 3 cats in Porto.", [SISTER], "of 'my sister', not of 'Ilse'"),
        ("Ana has a boat.", [turn("Ana, I have a boat.", "Ben")], "of who speaks, not of 'Ana'"),
        ("Ilse bought a boat.", [BEN, turn("Nice!")], "of who speaks, not of 'Ilse'"),
        ("Ben sold a car and Ilse bought a boat.", [CAR, BEN], "of who speaks, not of"),
        ("Ilse eats meat.", [FISH], "denies"),
        ("Ilse eats meat but never fish.", [FISH], "denies what it says of 'meat'"),
        ("Ilse has a car.", [CAR], "denies what it says of 'car'"),
        ("Ilse does not sell boats.", [BEN], "its evidence"),
        ("Ilse visited Clara.", [VISIT], "intended"),
        ("Ilse bought a canoe.", [turn("Should I buy a canoe?")], "asks"),
        ("Ilse sold her car, which made her mother very sad.", [CAR], "words of its"),
        ("Ilse sold her car. Rui was angry.", [CAR], "its subject 'Rui'"),
        ("She sold her car.", [CAR], "who or what 'She' is"),
        ("I sold my car.", [CAR], "it says 'I'"),
        ("You sold your car.", [CAR], "it says 'You'"),
        ("Ilse sold her car.", [], "it names none"),
    ],
)
def test_what_they_do_not_carry_may_not(text: str, turns: list[Turn], reason: str) -> None:
    assert reason in "; ".join(faithful.recounted(text, turns))


def test_an_answer_is_read_with_its_days_and_in_the_order_of_time() -> None:
    read = read_answer(answer(CANOE, KNEE, CATS), extract())
    assert [one.text for one in read.sentences] == [KNEE[0], CATS[0], "Ilse sold her red canoe on 3 March 2026."]
    assert [one.turns for one in read.sentences] == [("e0",), ("e2",), ("e3",)]
    assert (read.refused, read.unreadable) == ((), None)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"text": "Ana has 3 cats in Lisbon.", "turns": [4]}, "Lisbon"),
        ({"text": "Ana has 3 cats in Porto.", "turns": [99]}, "no turn that is there"),
        ({"text": "Rui has 9 dogs.", "turns": []}, "none carries it"),
        ({"text": "", "turns": [1]}, "no text"),
        ({"text": CATS[0], "turns": CATS[1]}, "said already"),
        ({"text": f"Ana has three cats in Porto{' in Porto' * 60}.", "turns": CATS[1]}, "no room"),
        (7, "names no turn"),
    ],
)
def test_what_is_not_believed_is_refused_with_its_reason(item: Any, reason: str) -> None:
    read = read_answer(json.dumps({"sentences": [{"text": CATS[0], "turns": CATS[1]}, item]}), extract())
    assert [one.text for one in read.sentences] == [CATS[0]]
    (refused,) = read.refused
    assert reason in "; ".join(refused.reasons)


def test_a_sentence_without_a_turn_is_looked_for() -> None:
    read = read_answer(json.dumps([CATS[0], "Rui has three cats in Porto."]), extract())
    assert [(one.text, one.turns) for one in read.sentences] == [(CATS[0], ("e2",))]
    assert len(read.refused) == 1


@pytest.mark.parametrize(
    "wrapped",
    [
        "Sure:\n```json\n{}\n```",
        '<think>Is it [1]? {{"sentences": []}} no.</think>{}',
        "{}\nI hope this helps!",
    ],
)
def test_what_an_answer_is_wrapped_in_does_not_matter(wrapped: str) -> None:
    text = wrapped.replace("{{", "{").replace("}}", "}").replace("{}", answer(CATS))
    assert (unreadable(text), flawed(text)) == (None, None)
    assert [one.text for one in read_answer(text, extract()).sentences] == [CATS[0]]


def test_what_cannot_be_read_is_told() -> None:
    for text, why in (
        ("", "it is empty"),
        ("I cannot help with that.", "no list"),
        ("<think>Hm", "broken off"),
    ):
        assert why in (unreadable(text) or "")
        assert read_answer(text, extract()).unreadable
    cut = answer(CATS, KNEE)[:-30]
    assert unreadable(cut) is None
    assert "broken off after 1 sentences" in (flawed(cut) or "")
    assert "before the first whole sentence" in (unreadable(answer(CATS)[:30]) or "")
    assert unreadable('{"sentences": []}') is None


def test_a_retold_summary_says_by_whom_and_holds_its_extract() -> None:
    made = extract()
    read = read_answer(answer(KNEE, CANOE, ("Rui swims.", [1])), made)
    told = retold(made, read.sentences, len(read.refused), "openai:m")
    assert told.text == f"2026-03-03\n{KNEE[0]}\n2026-03-04\nIlse sold her red canoe on 3 March 2026."
    assert told.data[RETOLD] == {
        "model": "openai:m",
        "sentences": [
            {"text": KNEE[0], "evidence": ["e0"]},
            {"text": "Ilse sold her red canoe on 3 March 2026.", "evidence": ["e3"]},
        ],
        "refused": 1,
    }
    assert told.data["lines"] == made.data["lines"]
    assert (told.key, told.evidence, told.begins, told.ends, told.time) == (
        *(made.key, made.evidence, made.begins, made.ends, made.time),
    )
    week = parts_of(TALK[0])[1]
    assert week_summary(week, [told]) == week_summary(week, [made]), "no model's words are retold"
    bare = retold(made, read_answer(answer(("Rui swims.", [1])), made).sentences, 1, "openai:m")
    assert (bare.text, bare.data[RETOLD]["sentences"]) == (made.text, [])


answers: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["turns", CATS[0]]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("sentences", "text", "turns")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(answers)
def test_no_answer_breaks_it(given_: Any) -> None:
    read = read_answer(json.dumps(given_), extract())
    assert all(set(one.turns) <= {"e0", "e1", "e2", "e3"} and one.text for one in read.sentences)
