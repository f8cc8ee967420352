"""What holds when, against an oracle in plain Python; and the same through a whole memory, whatever came first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory
from mnemic.derive import Recipe
from mnemic.statements import Span, Statement, Turn
from mnemic.testing import FrozenClock
from mnemic.timeline import Claim, arranged

START = datetime(2026, 1, 1, tzinfo=UTC)

claims = st.builds(
    lambda episode, what, holds, said, begins, lasting: Claim(
        episode=f"e{episode}",
        order=episode,
        start=0,
        stop=1,
        what=what,
        holds=holds,
        said=said,
        begins=begins,
        ends=None if lasting is None or not holds else (said if begins is None else begins) + lasting,
    ),
    st.integers(0, 40),
    st.sampled_from("abc"),
    st.sampled_from([True, True, True, False]),
    st.integers(0, 20),
    st.none() | st.integers(0, 25),
    st.none() | st.integers(1, 9),
)
histories = st.lists(claims, max_size=12, unique_by=lambda claim: claim.episode)


trusted = st.builds(replace, claims, source=st.sampled_from(["user", "user", "tool", "document"]))


def held_at(told: Sequence[Claim], at: int) -> str | None:
    """The oracle: the last claim that began by then decides, as long as neither its end nor a denial has come."""
    value: str | None = None
    until: int | None = None
    for claim in sorted(told, key=lambda claim: (claim.since, claim.said, claim.order)):
        if claim.since > at:
            break
        if not claim.holds:
            value = None if value == claim.what else value
        elif value == claim.what and (until is None or claim.since < until):
            until = claim.ends if until is None else min(until, claim.ends or until)
        else:
            value, until = claim.what, claim.ends
    return value if until is None or at < until else None


@given(histories, st.randoms(use_true_random=False))
def test_what_holds_is_what_the_oracle_says_at_every_instant(told: list[Claim], chance: Any) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    periods = arranged(shuffled, single=True)
    assert periods == arranged(told, single=True)
    for at in range(50):
        holding = [period.first.what for period in periods if period.holds and period.covers(at)]
        expected = held_at(told, at)
        assert holding == ([] if expected is None else [expected])


@given(histories)
def test_every_claim_is_told_once(told: list[Claim]) -> None:
    periods = arranged(told, single=True)
    placed = [claim.episode for period in periods for claim in period.claims]
    assert sorted(placed) == sorted(claim.episode for claim in told)


@given(histories)
def test_of_what_does_not_change_every_value_stays_and_they_contradict(told: list[Claim]) -> None:
    told = [claim for claim in told if claim.holds]
    periods = arranged(told, single=True, fixed=True)
    for period in periods:
        others = {id(other) for other in periods if other.first.what != period.first.what}
        assert {id(other) for other in period.against} == others
        assert period.next is None


def claim(what: str, said: int, **more: Any) -> Claim:
    return Claim(f"{what}{said}", said, 0, 1, what, more.pop("holds", True), said, **more)


def test_a_correction_was_so_from_the_first() -> None:
    wrong, right = claim("porto", 3), claim("faro", 9, corrects=True)
    (only,) = arranged([right, wrong], single=True)
    assert (only.first.what, only.begins, only.ends) == ("faro", 3, None)


def test_what_came_before_a_correction_is_followed_by_it() -> None:
    told = [claim("rome", 1), claim("porto", 3), claim("faro", 9, corrects=True)]
    first, second = arranged(told, single=True)
    assert (first.first.what, first.ends, first.next is second) == ("rome", 3, True)
    assert (second.first.what, second.begins) == ("faro", 3)


def test_nobody_takes_over_from_the_user() -> None:
    said, guessed = claim("porto", 3), claim("faro", 9, source="tool")
    first, second = arranged([guessed, said], single=True)
    assert (first.ends, first.aside, second.aside) == (None, False, True)


def test_nobody_denies_what_the_user_said_and_what_is_set_aside_is_kept() -> None:
    said, denied = claim("porto", 3), claim("porto", 9, holds=False, source="tool")
    first, second = arranged([denied, said], single=True)
    assert (first.claims, first.ends, first.aside) == ([said], None, False)
    assert (second.claims, second.holds, second.aside) == ([denied], False, True)
    (alone,) = arranged([denied], single=True)
    assert not alone.aside, "where nobody contradicts it stands"
    later = claim("porto", 12, holds=False)
    first, second = arranged([denied, said, later], single=True)
    assert (first.ends, second.claims) == (12, [denied])
    confirmed = claim("porto", 5, ends=7, source="tool")
    first, second = arranged([denied, said, confirmed], single=True)
    assert (first.claims, first.ends, second.aside) == ([said, confirmed], None, True), "who confirms it takes nothing"


def test_a_denial_of_what_nobody_said() -> None:
    (only,) = arranged([claim("porto", 3, holds=False)], single=True)
    assert not only.holds
    back = arranged([claim("porto", 3, holds=False), claim("porto", 7)], single=True)
    assert [(period.holds, period.begins, period.ends) for period in back] == [(False, 3, 7), (True, 7, None)]


# --- Through a memory -------------------------------------------------------------------------------------------------


def read(turns: Sequence[Turn], first: int = 0) -> list[Statement]:
    """A language of its own: "lives in Porto", "left Porto", each perhaps with "day 12"."""
    found: list[Statement] = []
    for turn in turns:
        words = turn.text.split()
        if words[0] not in ("lives", "left"):
            continue
        value = words[words.index("in") + 1] if words[0] == "lives" else words[1]
        day = START + timedelta(days=int(words[-1])) if "day" in words else None
        holds = words[0] == "lives"
        found.append(
            Statement(
                kind="fact",
                subject="Ana",
                relation="lives_in",
                value=value,
                text=f"Ana lives in {value}" if holds else f"Ana no longer lives in {value}",
                evidence=(Span(turn.id, 0, len(turn.text)),),
                said=turn.time,
                holds=holds,
                valid_from=day if holds else None,
                valid_to=None if holds else day,
            )
        )
    return found


RECIPE = Recipe("toy/1", read)
WHO = {"user_id": "ana"}


def opened(**more: Any) -> Memory:
    return Memory(":memory:", embedder="none", recipe=RECIPE, clock=FrozenClock(START + timedelta(days=99)), **more)


def message(text: str, day: int) -> dict[str, Any]:
    return {"role": "user", "content": text, "time": START + timedelta(days=day), "id": f"{text} {day}"}


def state(memory: Memory) -> list[tuple[Any, ...]]:
    """All that is derived, without when it was."""
    every = memory.list(kinds="fact", include=("superseded", "expired"), limit=100, **WHO)
    return sorted(
        (one.id, one.text, one.valid_from, one.valid_to, one.superseded_by, sorted(e.id for e in one.evidence))
        for one in every
    )


sayings = st.lists(
    st.builds(
        lambda holds, where, told, day: (
            (f"lives in {where}" if holds else f"left {where}") + ("" if told is None else f" day {told}"),
            day,
        ),
        st.sampled_from([True, True, False]),
        st.sampled_from(["Porto", "Faro", "Lagos"]),
        st.none() | st.integers(0, 30),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(max_examples=25, deadline=None)
@given(sayings, st.randoms(use_true_random=False))
def test_as_of_is_the_oracle_s_answer_whatever_came_first(said: list[tuple[str, int]], chance: Any) -> None:
    order = list(said)
    chance.shuffle(order)
    with opened() as memory:
        for text, day in order:
            memory.add(message(text, day), **WHO)
        told = [
            Claim(
                episode=str(place),
                order=place,
                start=0,
                stop=1,
                what=text.split()[2 if text.startswith("lives") else 1],
                holds=text.startswith("lives"),
                said=day,
                begins=int(text.split()[-1]) if "day" in text and text.startswith("lives") else None,
                ends=int(text.split()[-1]) if "day" in text and text.startswith("left") else None,
            )
            for place, (text, day) in enumerate(order)
        ]
        for at in range(0, 40, 3):
            when = START + timedelta(days=at, hours=1)
            found = [
                one.data["value"]
                for one in memory.list(kinds="fact", as_of=when, limit=100, **WHO)
                if one.data["holds"] and (one.valid_from or one.time) <= when
            ]
            expected = held_at(told, at)
            assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_same_is_derived_whatever_came_first(order: tuple[int, ...]) -> None:
    said = [("lives in Porto", 1), ("lives in Faro day 8", 20), ("lives in Porto day 12", 14), ("left Porto", 30)]
    with opened() as memory, opened() as other:
        memory.add([message(*one) for one in said], **WHO)
        for place in order:
            other.add(message(*said[place]), **WHO)
        told = [sorted(str(row[1:4]) for row in state(one)) for one in (memory, other)]
        assert told[0] == told[1]
        assert len(told[0]) == 3


@given(
    st.lists(trusted, max_size=12, unique_by=lambda claim: claim.episode),
    st.integers(0, 20),
    st.sampled_from(["user", "tool"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_no_claim_is_lost_that_something_may_still_be_made_of(
    told: list[Claim], at: int, source: str, single: bool, chance: Any
) -> None:
    """What is kept are the claims of periods: so each has to be in one, or it is lost for what comes later."""
    whatever = Claim("e99", 99, 0, 1, "" if single else "a", holds=False, said=at, source=source)
    every = [*(one if single else replace(one, what="a") for one in told), whatever]
    chance.shuffle(every)
    placed = [claim.key for period in arranged(every, single=single) for claim in period.claims]
    assert sorted(placed) == sorted(claim.key for claim in every)


@given(st.lists(trusted, max_size=12, unique_by=lambda claim: claim.episode))
def test_what_others_say_changes_nothing_of_what_the_user_said(told: list[Claim]) -> None:
    """Where the user said first what holds, at every instant, no other source ends it or takes over from it."""
    first = replace(claim("a", -1), source="user")
    own = [replace(one, ends=None) if one.holds else one for one in told if one.source == "user"]
    others = [replace(one, ends=None) if one.holds else one for one in told if one.source != "user"]
    alone = arranged([first, *own], single=True)
    for at in range(50):
        holding = [p.first.what for p in alone if p.holds and p.covers(at)]
        found = [
            p.first.what
            for p in arranged([first, *own, *others], single=True)
            if p.holds and p.covers(at) and not p.aside
        ]
        assert not holding or found == holding


def test_a_tool_s_denial_is_kept_apart_and_comes_to_count_where_nobody_gainsays_it() -> None:
    with opened() as memory:
        ids = memory.add(message("lives in Porto", 1), **WHO).ids
        memory.add({**message("left Porto", 9), "role": "tool"}, **WHO)
        (stands,) = memory.list(kinds="fact", **WHO)
        assert (stands.text, stands.valid_to) == ("Ana lives in Porto", None)
        every = memory.list(kinds="fact", include="quarantined", order="oldest", **WHO)
        assert [one.text for one in every] == ["Ana lives in Porto", "Ana no longer lives in Porto"]
        assert memory.rebuild(**WHO).derived == ()
        memory.erase(ids[0], **WHO)
        assert [one.text for one in memory.list(kinds="fact", **WHO)] == ["Ana no longer lives in Porto"]
