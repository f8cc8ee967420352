"""Misspelt words in a question."""

from __future__ import annotations

import pytest

from mnemic.spelling import corrected, editable, edits


@pytest.mark.parametrize(
    ("question", "meant", "expected"),
    [
        ("What did Carolin say?", {"carolin": "caroline"}, "What did Caroline say?"),
        ("Carolin's (painting)", {"carolin": "caroline"}, "Caroline (painting)"),
        ("What did Márina say?", {"marina": "martina maria"}, "What did Martina Maria say?"),
        ("carolin/melany", {"carolin": "caroline", "melany": "melanie"}, "caroline melanie"),
        ("Where is Ana?", {}, "Where is Ana?"),
    ],
)
def test_what_is_meant_stands_in_the_question(question: str, meant: dict[str, str], expected: str) -> None:
    assert corrected(question, meant).removesuffix("?") == expected.removesuffix("?")


def test_the_edits_of_a_word() -> None:
    found = edits("biscut")
    assert {"biscuit", "biscu", "bisuct", "bicut", "biscat"} <= found
    assert all(word.startswith("bi") for word in found)
    assert "biscut" not in found
    assert len(found) < 300
    assert edits("a") == set()


def test_short_words_and_numbers_are_as_they_are() -> None:
    assert editable("caroline")
    assert not editable("anna")
    assert not editable("12345")
