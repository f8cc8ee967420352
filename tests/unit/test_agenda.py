"""Commitments by their date, and questions that nobody has answered."""

from __future__ import annotations

from typing import Any

import pytest

from mnemic import agenda
from mnemic.views import Episode, Fact

DAY = 86_400_000_000
START = 20_454 * DAY  # 2026-01-01


def plan(text: str, said: int, begins: int | None = None, **more: Any) -> Fact:
    at = None if begins is None else START + begins * DAY
    fields: dict[str, Any] = {"kind": "goal", "precision": "day", "superseded_by": None, "holds": True, **more}
    return Fact(
        id=f"f{text}",
        text=text,
        subject="Ana",
        relation="plans",
        said=START + said * DAY,
        begins=at,
        ends=None if at is None else at + DAY,
        confidence=0.8,
        told=START + said * DAY,
        evidence=(f"e{said}",),
        **fields,
    )


def committed(*facts: Fact) -> list[str]:
    made = agenda.commitments(facts)
    return [] if made is None else made.text.splitlines()


def test_commitments_stand_by_their_date_and_those_without_one_at_the_end() -> None:
    shown = committed(
        plan("Ana wants to learn Dutch.", 1),
        plan("Ana will call Ben.", 2, 9),
        plan("The report is due.", 0, 4, kind="event"),
        plan("Ana wants a boat.", 3),
    )
    assert shown == [
        "- 2026-01-05: The report is due.",
        "- 2026-01-10: Ana will call Ben.",
        "- no date: Ana wants a boat.",
        "- no date: Ana wants to learn Dutch.",
    ]


def test_what_had_happened_was_taken_over_or_is_denied_is_no_commitment() -> None:
    assert committed(plan("Ana met Ben.", 5, 3, kind="event")) == []
    assert committed(plan("Ana will call Ben.", 1, 3, superseded_by="x")) == []
    assert committed(plan("Ana will not call Ben.", 1, 3, holds=False)) == []
    assert committed(plan("Ana sails.", 1, 3), plan("Ana sails.", 2, 3)) == ["- 2026-01-04: Ana sails."]


def talk(*said: str) -> list[Episode]:
    """Turns of one session, "u: …" by Ana, "a: …" by an assistant."""
    by = {"u": ("user", "Ana"), "a": ("assistant", None)}
    return [Episode(f"e{n}", n, text[3:], START + n, *by[text[0]], "s") for n, text in enumerate(said)]


def asked(*said: str) -> list[str]:
    made = agenda.open_questions(talk(*said))
    return [] if made is None else [line.split(": ", 1)[1] for line in made.text.splitlines()]


GATE = "u: Which gate does the Porto train leave from?"


@pytest.mark.parametrize(
    ("said", "questions"),
    [
        ((GATE, "a: I don't know, let me check that."), [GATE[3:]]),
        ((GATE, "a: Gate four, as far as I can see."), []),
        ((GATE,), []),  # nobody ever replies here
        (("u: Hi!", "a: Hello.", GATE), [GATE[3:]]),
        ((GATE, "a: Let me check.", "a: The Porto train leaves from gate four."), []),
        ((GATE, "a: Let me check.", "u: Never mind, I took the bus."), []),
        ((GATE, "a: Let me check.", "u: Fine, tell me about lunch."), [GATE[3:]]),
        (("u: How are you doing on this lovely day?", "a: I'm not sure."), []),
        (("u: I still don't know which school is best for Lena.",), ["which school is best for Lena"]),
        (("u: I don't know which school is best for Lena.", "u: The best school for Lena is Hillside."), []),
        (("u: Could you?", "a: I'm not sure."), []),  # too little to be known again by
        ((f"{GATE} I ask since the board in the hall shows nothing.", "a: Let me check."), []),  # goes on
        (("a: Which gate does the Porto train leave from?", "u: I'm not sure."), []),  # an assistant's
    ],
)
def test_open_questions(said: tuple[str, ...], questions: list[str]) -> None:
    assert asked(*said) == questions


def test_a_question_is_answered_in_a_later_talk_too() -> None:
    turns = talk(GATE, "a: Let me check.")
    later = Episode("z", 9, "By the way, the Porto train leaves from gate four.", START + DAY, "user", "Ana", "t")
    assert agenda.open_questions(turns) is not None
    assert agenda.open_questions([*turns, later]) is None


def test_an_open_question_rests_on_the_reply_that_puts_it_off() -> None:
    made = agenda.open_questions(talk(GATE, "a: Let me check."))
    assert made is not None
    assert made.evidence == ("e0", "e1")
    assert made.data["questions"] == [{"text": GATE[3:], "by": "Ana", "said": "2026-01-01", "evidence": ["e0", "e1"]}]


def test_a_question_asked_twice_stands_once() -> None:
    assert asked(GATE, "a: Let me check.", GATE, "a: Let me check.") == [GATE[3:]]
