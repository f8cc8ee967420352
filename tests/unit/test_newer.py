"""Which of two things that one speaker said tells how a matter stands now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mnemic import newer
from mnemic.newer import Asked, Line, comes_first, in_order, overtaken, stems, told

START = datetime(2026, 3, 1, tzinfo=UTC)


def asked(question: str) -> Asked:
    found = sorted(stems(question))
    return Asked(question, frozenset(found), tuple(1.0 for _ in found))


def lines(question: str, *texts: str, by: int = 1) -> list[Line]:
    """What one speaker said, a day after the other."""
    words = sorted(stems(question))
    found: list[Line] = []
    for at, text in enumerate(texts):
        time = START + timedelta(days=at)
        holds = frozenset(place for place, word in enumerate(words) if word in stems(text))
        found.append(Line(told(text, time), by, (time, at), holds))
    return found


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        ("When does the ferry leave?", "The ferry leaves the pier at 20:15.", "The ferry leaves the pier at 21:40."),
        (
            "What is the deadline of the report?",
            "The report has a deadline of April 1.",
            "The new deadline is April 5.",
        ),
        ("How many pages does the draft have?", "The draft has 12 pages.", "The draft has grown to 19 pages."),
        (
            "Which shop bakes our bread?",
            "The Kornblum shop bakes our bread.",
            "The Kornblum shop closed; Rees bakes it now.",
        ),
    ],
)
def test_what_tells_it_anew_comes_first(question: str, old: str, new: str) -> None:
    earlier, later = lines(question, old, new)
    assert comes_first(later, earlier, asked(question))
    assert not comes_first(earlier, later, asked(question))
    assert in_order([earlier, later], asked(question)) == [1, 0]
    assert overtaken(earlier, [later], asked(question)) is later


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        ("What is Ana's new address?", "Ana's address is new.", "Ana has a new dog."),
        ("Where is the dentist?", "The dentist moved to Porto.", "We went to the dentist by tram."),
        ("Does Ana like green tea?", "Ana likes green tea very much.", "Ana likes tea number 2 very much."),
        ("When does the ferry leave?", "The ferry leaves at 20:15.", "I had soup at noon."),
    ],
)
def test_what_only_shares_words_does_not(question: str, old: str, new: str) -> None:
    earlier, later = lines(question, old, new)
    assert not comes_first(later, earlier, asked(question))
    assert overtaken(earlier, [later], asked(question)) is None


def test_another_speaker_and_a_source_that_is_trusted_less_come_before_nothing() -> None:
    question = "When does the ferry leave?"
    old, new = lines(question, "The ferry leaves the pier at 20:15.", "The ferry leaves the pier at 21:40.")
    other = Line(new.told, 2, new.when, new.holds)
    less = Line(new.told, 1, new.when, new.holds, trust=1)
    assert comes_first(new, old, asked(question))
    assert not comes_first(other, old, asked(question))
    assert not comes_first(less, old, asked(question))


def test_how_it_was_once_comes_behind_how_it_is_although_it_was_said_later() -> None:
    question = "Where do I live?"
    now, then = lines(question, "I live in Utrecht now.", "As a child I used to live in Ghent.")
    assert comes_first(now, then, asked(question))
    assert not comes_first(then, now, asked(question))


def test_people_talking_with_each_other_seldom_tell_anew() -> None:
    question = "When does the ferry leave?"
    old, new = lines(question, "The ferry leaves the pier early.", "The ferry leaves the pier late.")
    assert comes_first(new, old, asked(question))
    plain = asked(question)
    assert not comes_first(new, old, Asked(plain.text, plain.stems, plain.rarity, people=True))


def test_a_long_text_is_read_for_a_figure_alone() -> None:
    one = newer.told("word " * 200 + "12", START)
    assert (one.numbered, one.short, one.stems) == (True, False, frozenset())
