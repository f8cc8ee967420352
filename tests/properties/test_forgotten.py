"""What is forgotten is a function of what was said: facts, requests and what is said again, in any order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory, Record
from mnemic.testing import FrozenClock
from mnemic.timeline import Claim, arranged

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}

FACTS = {
    "I live in Porto.": ("home", "porto"),
    "I live in Faro.": ("home", "faro"),
    "I like olives.": ("olives", "olives"),
    "My salary is 4000 euros.": ("salary", "4000"),
    "My salary is 5000 euros.": ("salary", "5000"),
}
TOLD = {
    "I live in Porto.": "The user lives in Porto.",
    "I live in Faro.": "The user lives in Faro.",
    "I like olives.": "The user likes olives.",
    "My salary is 4000 euros.": "The user's salary is 4000 euros.",
    "My salary is 5000 euros.": "The user's salary is 5000 euros.",
}
REQUESTS = {
    "Forget that I live in Porto.": ("I live in Porto.",),
    "Please forget that I live in Faro.": ("I live in Faro.",),
    "Forget that I like olives.": ("I like olives.",),
    "Don't remember my salary.": ("My salary is 4000 euros.", "My salary is 5000 euros."),
}
OTHER = ["The weather is nice.", "The sky is blue."]

histories = st.lists(st.sampled_from([*FACTS, *REQUESTS, *OTHER]), min_size=1, max_size=7)


def meant(said: Sequence[str], place: int) -> bool:
    """Whether what was said at a place is asked to be forgotten later."""
    return any(said[place] in REQUESTS.get(text, ()) for text in said[place + 1 :])


def expected(said: Sequence[str]) -> tuple[set[str], list[str]]:
    """The oracle: what is derived and current, and the episodes that are shown."""
    current: dict[str, str] = {}
    shown: list[str] = []
    for place, text in enumerate(said):
        gone = text in REQUESTS or meant(said, place)
        if not gone:
            shown.append(text)
        if text in FACTS and (not gone or FACTS[text][0] == "salary"):
            current[FACTS[text][0]] = "" if gone else TOLD[text]  # what fades was so all the same
    return {text for text in current.values() if text}, sorted(shown)


def opened() -> Memory:
    return Memory(":memory:", recipe="rules", embedder="none", clock=FrozenClock(START + timedelta(days=99)))


def say(memory: Memory, said: Sequence[str], place: int) -> str:
    at = START + timedelta(days=place)
    message = {"role": "user", "content": said[place], "time": at, "session_id": f"s{place}", "id": f"m{place}"}
    return memory.add(message, **WHO).ids[0]


def records(memory: Memory, *include: str) -> list[Record]:
    return memory.list(include=include, limit=1000, **WHO).records  # type: ignore[return-value]


def seen(memory: Memory) -> tuple[set[str], list[str]]:
    held = records(memory)
    derived = {record.text for record in held if record.kind != "episode"}
    return derived, sorted(record.text for record in held if record.kind == "episode")


def everything(memory: Memory) -> list[Any]:
    """All that is held, without ids and recorded times, with how it is seen."""
    every = records(memory, "faded", "superseded", "expired")
    return sorted((one.text, one.state, one.time, one.valid_to, len(one.evidence)) for one in every)  # type: ignore[type-var]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(histories, st.randoms(use_true_random=False), st.data())
def test_what_is_told_is_what_the_oracle_says_in_any_order_of_arrival(
    said: list[str], chance: Any, data: st.DataObject
) -> None:
    order = list(range(len(said)))
    chance.shuffle(order)
    with opened() as memory, opened() as straight:
        ids = {place: say(memory, said, place) for place in order}
        for place in range(len(said)):
            say(straight, said, place)
        assert seen(memory) == seen(straight) == expected(said)
        assert everything(memory) == everything(straight)
        assert memory.rebuild(**WHO).derived == ()
        gone = data.draw(st.integers(0, len(said) - 1))
        left = [text for place, text in enumerate(said) if place != gone]
        if data.draw(st.booleans()):
            memory.erase(ids[gone], **WHO)
        else:
            memory.retire(ids[gone], **WHO)
        assert seen(memory) == expected(left)
        assert memory.rebuild(**WHO).derived == ()
        assert seen(memory) == expected(left)


claims = st.builds(
    lambda episode, what, said, forgets: Claim(f"e{episode}", episode, 0, 1, what, True, said, forgets=forgets),
    st.integers(0, 40),
    st.sampled_from("ab"),
    st.integers(0, 9),
    st.booleans(),
)


@given(st.lists(claims, max_size=9, unique_by=lambda claim: claim.episode), st.randoms(use_true_random=False))
def test_a_request_takes_out_what_was_said_before_it_and_nothing_else(told: list[Claim], chance: Any) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    periods = arranged(shuffled, single=True)
    assert periods == arranged(told, single=True)
    assert sorted(claim.key for period in periods for claim in period.claims) == sorted(claim.key for claim in told)
    taken = {claim.key for period in periods if period.forgets for claim in period.claims[1:]}
    for claim in told:
        later = [
            other
            for other in told
            if other.forgets and other.what == claim.what and (claim.said, claim.order) < (other.said, other.order)
        ]
        assert (claim.key in taken) == (bool(later) and not claim.forgets)
    left = [claim for claim in told if claim.key not in taken and not claim.forgets]
    assert [period for period in periods if not period.forgets] == arranged(left, single=True)


def test_many_processes_forget_the_same(tmp_path: Path) -> None:
    """What one process forgets another one no longer tells, and what it is asked to take back it tells again."""
    with (
        Memory(tmp_path / "agent.db", recipe="rules", embedder="none") as one,
        Memory(tmp_path / "agent.db", recipe="rules", embedder="none") as other,
    ):
        said = ["I live in Porto.", "The sky is blue.", "Forget that I live in Porto."]
        say(one, said, 0)
        say(other, said, 1)
        assert seen(one) == seen(other) == expected(said[:2])
        request = say(one, said, 2)
        assert seen(one) == seen(other) == expected(said)
        other.erase(request, **WHO)
        assert seen(one) == seen(other) == expected(said[:2])
