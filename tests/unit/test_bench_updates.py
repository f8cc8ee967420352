"""Whether what is true now comes first: the places, the stale lines, the histories, and the sets' updates."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import datasets, updates
from bench.__main__ import DATA, main
from bench.datasets import Question
from bench.updates import Asked, Outcome, Value
from mnemic import Hit, Memory

HISTORIES = updates.histories()


def test_the_histories_are_well_formed():
    assert len(HISTORIES) == len({history.id for history in HISTORIES}) == 60
    assert sum(history.out_of_order for history in HISTORIES) == 20
    assert sum(any(asked.as_of for asked in history.questions) for history in HISTORIES) >= 30
    for history in HISTORIES:
        said = {message.id: message for message in history.messages}
        assert len(said) == len(history.messages)
        assert len({message.session_id for message in history.messages}) >= 4
        assert [asked.as_of is None for asked in history.questions].count(True) == 1
        for asked in history.questions:
            assert 1 <= len(asked.others) <= 3
            for value in (asked.value, *asked.others):
                assert said[value.message].role == "user"
                assert value.words.casefold() in said[value.message].content.casefold(), history.id
            for other in asked.others:
                assert not updates.says_other(asked.value.words, asked), history.id
                assert updates.says_other(other.words, asked), history.id


def test_only_histories_out_of_order_are_told_out_of_order():
    for history in HISTORIES:
        (now,) = (asked for asked in history.questions if asked.as_of is None)
        place = {message.id: number for number, message in enumerate(history.messages)}
        last = all(place[now.value.message] > place[other.message] for other in now.others)
        assert last is not history.out_of_order, history.id
        if not history.out_of_order:
            times = [datetime.fromisoformat(message.time or "") for message in history.messages]
            assert times == sorted(times), history.id


def outcome(current: int | None, outdated: int | None) -> Outcome:
    return Outcome("g", "q", current, outdated)


@pytest.mark.parametrize(
    ("current", "outdated", "right"),
    [(1, 2, True), (2, 1, False), (3, None, True), (None, 1, False), (None, None, False)],
)
def test_right_is_above_every_outdated_one(current: int | None, outdated: int | None, right: bool):
    assert outcome(current, outdated).right is right


def talk(memory: Memory) -> None:
    for number, (time, text) in enumerate([("2023-02-03", "I live in Utrecht."), ("2024-02-03", "I live in Arnhem.")]):
        message = {"role": "user", "content": text, "time": f"{time}T10:00:00+00:00", "id": f"m{number}"}
        memory.add([message], user_id="u", session_id=f"s{number}")


def test_derived_lines_are_those_not_shown_as_ended():
    with Memory(":memory:", recipe="none") as memory:
        talk(memory)
        ids = [hit.id for hit in sorted(memory.search("live", user_id="u"), key=lambda hit: hit.time)]
        dates: dict[str, Any] = {"valid_from": "2023-02-03T00:00:00+00:00", "valid_to": "2024-02-03T00:00:00+00:00"}
        memory.remember("The user lives in Utrecht", user_id="u", evidence=ids[:1], **dates)
        memory.remember("The user lives in Arnhem", user_id="u", evidence=ids[1:])
        now = "2025-01-01T00:00:00+00:00"
        context = memory.context("Where do I live?", user_id="u", now=now, format="json")
        assert list(updates.derived_lines(context, now)) == [("The user lives in Arnhem", "m1")]
        then = "2023-06-01T00:00:00+00:00"
        past = memory.context("Where do I live?", user_id="u", now=now, as_of=then, format="json")
        assert list(updates.derived_lines(past, now)) == []
        assert list(updates.derived_lines(past, then)) == [("The user lives in Utrecht", "m0")]
        empty = memory.context("Where do I live?", user_id="nobody", now=now, format="json")
        assert list(updates.derived_lines(empty, now)) == []


@pytest.mark.parametrize(
    ("line", "stale"),
    [
        ("The user has six cats", True),
        ("The user has four cats", False),
        ("The user had six cats, now four", False),
        ("The user has sixty books", False),
    ],
)
def test_a_line_is_stale_with_another_value_alone(line: str, stale: bool):
    asked = Asked("How many cats?", Value("four", "m2"), (Value("six", "m1"),))
    assert updates.says_other(line, asked) is stale


@dataclass(frozen=True)
class Conflicted:
    """A hit that says what it contradicts."""

    hit: Hit
    conflicts: tuple[str, ...]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.hit, name)


def test_a_contradiction_is_linked_where_a_hit_says_so():
    question = Question("q", "Where do I live?", ("m0", "m1"), sides=(("m0",), ("m1",)))
    with Memory(":memory:", recipe="none") as memory:
        talk(memory)
        hits = memory.search(question.text, user_id="u")
        look = updates._contradiction  # pyright: ignore[reportPrivateUsage]
        assert look(memory, "u", question, hits) == updates.Contradiction("q", both=True, linked=False)
        by_message = {hit.message_id: hit for hit in hits}
        linked: Any = [Conflicted(by_message["m0"], (by_message["m1"].id,))]
        assert look(memory, "u", question, linked) == updates.Contradiction("q", both=False, linked=True)
        own: Any = [Conflicted(by_message["m0"], (by_message["m0"].id,))]
        assert not look(memory, "u", question, own).linked


def beam(folder: Path, sources: Any) -> Question:
    chat = folder / "beam" / "100K" / "1"
    chat.mkdir(parents=True)
    turns = [{"id": n, "role": "user", "content": f"word {n}", "time_anchor": "March-15-2024"} for n in (1, 2, 3)]
    (chat / "chat.json").write_text(json.dumps([{"batch_number": 1, "turns": [turns]}]))
    probes = {"knowledge_update": [{"question": "which word?", "source_chat_ids": sources}]}
    (chat / "probing_questions.json").write_text(json.dumps(probes))
    (conversation,) = datasets.load("beam", folder)
    return conversation.questions[0]


@pytest.mark.parametrize(
    ("sources", "outdated", "sides"),
    [
        ({"original_info": [1], "updated_info": [2, 3]}, ("1",), ()),
        ({"original_info": [1, 2], "updated_info": [2]}, ("1",), ()),
        ({"original_info": [2], "updated_info": [2]}, (), ()),
        ({"first_statement": [1], "second_statement": [3, 9]}, (), (("1",), ("3",))),
        ([1, 2], (), ()),
        (None, (), ()),
    ],
)
def test_beam_says_what_is_outdated_and_what_contradicts(
    tmp_path: Path, sources: Any, outdated: tuple[str, ...], sides: tuple[tuple[str, ...], ...]
):
    question = beam(tmp_path, sources)
    assert (question.outdated, question.sides) == (outdated, sides)


@pytest.mark.parametrize(
    ("answering", "outdated"),
    [(["a", "b"], ("a:0",)), (["b", "a"], ("a:0",)), (["a", "b", "c"], ())],
)
def test_the_last_session_that_answers_is_current(answering: list[str], outdated: tuple[str, ...]):
    messages = [datasets.Message(f"{session}:{n}", session, "user", "x") for session in "abc" for n in (0, 1)]
    look = datasets._before_last  # pyright: ignore[reportPrivateUsage]
    assert look(["a:0", "b:1"], answering, messages) == outdated


@pytest.mark.skipif(not (DATA / "longmemeval").is_dir(), reason="the data sets are not part of the project")
def test_the_sets_name_what_is_outdated():
    counts: Counter[str] = Counter()
    for name in ("beam", "longmemeval"):
        for conversation in datasets.load(name, DATA):
            for question in conversation.questions:
                counts[name] += bool(question.outdated)
                counts[f"{name}, sides"] += bool(question.sides)
                assert set(question.outdated) < set(question.evidence) or not question.outdated
    assert counts["beam"] >= 19
    assert counts["beam, sides"] == 20
    assert counts["longmemeval"] >= 2


def test_the_report_on_the_histories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    few = (HISTORIES[0], next(history for history in HISTORIES if history.out_of_order))
    monkeypatch.setattr(updates, "histories", lambda *path: few)
    result = CliRunner().invoke(main, ["updates", "--data", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "| histories, in order | 1.000" in result.output
    assert "| histories, out of order, then |" in result.output
    assert "said to contradict each other: –" in result.output
    assert f"no data for beam under {tmp_path}: left out" in result.output


def test_what_has_no_outdated_message_is_named():
    lines = list(updates.report([replace(outcome(1, None), comparable=False)], []))
    assert "No outdated message of its own, so that found is right: q" in lines
