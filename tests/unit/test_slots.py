"""Questions that one form of statement answers."""

from __future__ import annotations

import pytest

from mnemic import slots


@pytest.mark.parametrize(
    ("question", "statement", "value"),
    [
        ("Where do I live?", "The user lives in Porto.", "Porto"),
        ("And where does the user live now?", "The user lives in Porto.", "Porto"),
        ("Which city does Ana live in?", "Ana lives in Porto.", "Porto"),
        ("where does my sister live", "The user's sister lives in Leeds.", "Leeds"),
        ("Where do I work?", "The user works at Bosch.", "Bosch"),
        ("What's Ana's job?", "Ana works as a nurse.", "a nurse"),
        ("Where am I from?", "The user is from Braga.", "Braga"),
        ("How old is Lena?", "Lena is 6 years old.", "6"),
        ("What is my favorite colour?", "The user's favourite colour is green.", "green"),
        ("What is my favourite colour?", "The user's favourite colour is green.", "green"),
        ("What's my fiancée's name?", "The user's fiancée is Priya.", "Priya"),
        ("What is my cat called?", "The user's cat is called Mango.", "Mango"),
        ("What is the name of my dog?", "The user's dog is Biscuit.", "Biscuit"),
        ("Who is my manager?", "The user's manager is Deepak.", "Deepak"),
        ("Who is my manager?", "The user's manager is from Leeds.", None),
        ("Where do I live?", "The user's sister lives in Leeds.", None),
        ("Where do I live?", "The user moved to Porto.", None),
        ("How old is Lena?", "Lena is tired.", None),
    ],
)
def test_the_blank_is_what_answers(question: str, statement: str, value: str | None) -> None:
    slot = slots.asked(question)
    assert slot is not None
    assert slot.value(statement) == value


@pytest.mark.parametrize(
    "question", ["Where did I live in 2020?", "When did I move?", "Who am I?", "What happened?", "", "Wo wohne ich?"]
)
def test_other_questions_have_none(question: str) -> None:
    assert slots.asked(question) is None
