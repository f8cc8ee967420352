"""The profile of a user, and the state of a subject, from facts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mnemic import portrait
from mnemic.views import Episode, Fact, standing

DAY = 86_400_000_000
START = 20_454 * DAY  # 2026-01-01


def fact(text: str, day: int = 0, **more: Any) -> Fact:
    plain = Fact(
        f"f{text}",
        "fact",
        text,
        "Ana",
        "",
        START + day * DAY,
        None,
        None,
        None,
        0.9,
        None,
        START + day * DAY,
        (f"e{day}",),
    )
    return replace(plain, **more)


def lines(*facts: Fact) -> list[str]:
    made = portrait.profile(facts, ())
    return [] if made is None else made.text.splitlines()


def test_each_kind_has_its_section_and_what_is_steady_comes_first() -> None:
    shown = lines(
        fact("Ana likes tea.", 3, kind="preference", relation="likes"),
        fact("Ana plays chess.", 2, relation="does"),
        fact("Ana lives in Porto.", 1, relation="lives_in"),
        fact("Answer briefly.", 4, kind="instruction", relation="instructed"),
        fact("Ana won a prize.", 4, kind="event", relation="did"),
    )
    assert shown == [
        "About:",
        "- Ana lives in Porto. (said 2026-01-02)",
        "- Ana plays chess. (said 2026-01-03)",
        "Preferences:",
        "- Ana likes tea. (said 2026-01-04)",
        "How to answer:",
        "- Answer briefly. (said 2026-01-05)",
    ]


def test_what_another_took_over_from_is_so_until_that_begins() -> None:
    old = fact("Ana lives in Porto.", 0, superseded_by="fAna lives in Faro.", ends=START + 40 * DAY)
    new = fact("Ana lives in Faro.", 5, begins=START + 40 * DAY, precision="day")
    assert lines(old, new) == [
        "About:",
        "- Ana lives in Faro. (from 2026-02-10)",
        "- Ana lives in Porto. (said 2026-01-01, until 2026-02-10)",
    ]
    assert lines(replace(old, ends=START + 3 * DAY), new)[1:] == ["- Ana lives in Faro. (from 2026-02-10)"]
    assert standing([old]) == []  # its successor is not about the same any more


def test_an_end_that_was_told_is_an_end_and_one_to_come_is_shown() -> None:
    assert lines(fact("Ana is in Rome.", 5, ends=START + 4 * DAY)) == []
    assert (
        lines(fact("Ana is in Rome.", 5, ends=START + 9 * DAY))[1]
        == "- Ana is in Rome. (said 2026-01-06, until 2026-01-10)"
    )


def test_doubts_are_shown() -> None:
    one = fact("Ana was born in Porto.", 1, contradicts=("fAna was born in Faro.",))
    other = fact("Ana was born in Faro.", 2, contradicts=("fAna was born in Porto.",), confidence=0.4)
    assert lines(one, other)[1:] == [
        "- Ana was born in Faro. (said 2026-01-03, unsure, contradicted)",
        "- Ana was born in Porto. (said 2026-01-02, contradicted)",
    ]
    assert lines(one)[1:] == ["- Ana was born in Porto. (said 2026-01-02)"]  # what contradicted it is gone


def test_a_goal_with_a_date_is_a_commitment() -> None:
    goal = fact("Ana plans to learn Dutch.", 1, kind="goal", relation="plans")
    assert lines(replace(goal, begins=START + 9 * DAY)) == []
    assert lines(goal)[0] == "Goals:"


def test_a_state_needs_two_statements_and_keeps_its_subject_as_it_is_called() -> None:
    one, other = fact("Ana plays chess.", 1), fact("Ana owns a boat.", 2)
    assert portrait.state("state:ana", [one]) is None
    made = portrait.state("state:ana", [one, other])
    assert made is not None
    assert (made.subject, made.evidence, made.confidence) == ("Ana", ("e2", "e1"), 0.9)
    assert made.text == "Ana:\n- Ana owns a boat. (said 2026-01-03)\n- Ana plays chess. (said 2026-01-02)"
    assert [one["id"] for one in made.data["facts"]] == ["fAna owns a boat.", "fAna plays chess."]


def test_style_is_measured_from_ten_turns_on() -> None:
    turns = [Episode(f"e{n}", n, "Fine, thanks a lot.", START) for n in range(10)]
    known = [fact("Ana plays chess.")]
    short = portrait.profile(known, turns)
    assert short is not None
    assert short.text.endswith("Style: writes short messages.")
    few, long = (
        portrait.profile(known, turns[1:]),
        portrait.profile(known, [replace(t, text="so " * 50) for t in turns]),
    )
    assert few is not None
    assert long is not None
    assert "Style" not in few.text
    assert long.data["style"] == {"messages": "long"}


def test_the_user_is_called_what_their_turns_say() -> None:
    turns = [Episode("a", 0, "x", 0, "user", "Ana"), Episode("b", 1, "x", 0, "assistant", "Robo")]
    assert portrait.names_of(turns) == ("user", "ana")


@given(facts=st.permutations([fact(f"Ana knows {n}.", n % 3) for n in range(30)]))
def test_the_order_of_facts_changes_nothing_and_there_is_an_end_to_them(facts: list[Fact]) -> None:
    made = portrait.profile(facts, ())
    assert made == portrait.profile(sorted(facts, key=lambda one: one.id), ())
    assert made is not None
    assert len(made.data["facts"]) == portrait.EACH
