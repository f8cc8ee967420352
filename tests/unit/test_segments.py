"""Where a stretch of talk is cut into the segments that a model reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mnemic.segments import CONTEXT, PAUSE, TOKENS, TURNS, Segment, cut
from mnemic.statements import Turn

START = datetime(2026, 3, 1, tzinfo=UTC)


def talk(*said: tuple[str, float], role: str = "user") -> tuple[Turn, ...]:
    """Turns, each with the minute in which it was said."""
    return tuple(
        Turn(f"t{at}", text, START + timedelta(minutes=minute), role) for at, (text, minute) in enumerate(said)
    )


def sizes(turns: tuple[Turn, ...], before: int = 0) -> list[int]:
    return [len(one.own) for one in cut(Segment(turns, before))]


def test_a_short_session_is_one_segment() -> None:
    assert sizes(talk(*((f"The garden needs water, bed {at}.", at) for at in range(TURNS)))) == [TURNS]


def test_a_pause_ends_a_segment() -> None:
    assert sizes(talk(("Good morning.", 0), ("The garden is dry.", 1), ("I am back.", 32))) == [2, 1]


def test_a_change_of_matter_ends_a_segment_but_not_between_a_question_and_its_answer() -> None:
    garden = [("The tomatoes in the garden need water.", at) for at in range(4)]
    money = [("My salary arrives late this month again.", at) for at in range(4, 8)]
    assert sizes(talk(*garden, *money)) == [4, 4]
    asked = [*garden[:3], ("Will the tomatoes in the garden survive?", 3)]
    assert sizes(talk(*asked, *money))[0] > 4


def test_what_is_long_is_cut_and_a_single_long_turn_stands_alone() -> None:
    long = "water the garden " * (TOKENS // 8)
    assert sizes(talk(*((long, at) for at in range(6))))[0] < 6
    assert sizes(talk((long * 9, 0), ("Short.", 1))) == [1, 1]


@given(
    st.lists(
        st.tuples(st.sampled_from(["tea?", "I like long walks by the sea.", "ok", "x" * 3000]), st.integers(0, 60))
    ),
    st.integers(0, 5),
)
def test_each_turn_is_in_one_segment_in_order_with_those_before_it(said: list[tuple[str, int]], before: int) -> None:
    minutes = 0
    timed: list[tuple[str, float]] = []
    for text, more in said:
        minutes += more
        timed.append((text, minutes))
    turns = talk(*timed)
    before = min(before, len(turns))
    found = list(cut(Segment(turns, before)))
    assert [turn for one in found for turn in one.own] == list(turns[before:])
    at = before
    for one in found:
        assert one.turns[: one.before] == turns[max(at - CONTEXT, 0) : at]
        assert 0 < len(one.own) <= TURNS
        assert all(b.time - a.time < PAUSE for a, b in zip(one.own, one.own[1:], strict=False))
        at += len(one.own)
