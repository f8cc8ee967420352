"""Asking without a model, on a real file: answers in the words of the evidence, or "not known"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnemic import InputError, Memory, ScopeError
from mnemic.types import Answer

NOW = "2026-06-01T12:00Z"
TURNS = [
    ("Ben", "Where have you gone, Ana?", "2026-05-08T10:00Z"),
    ("Ana", "I moved to Porto yesterday, into a flat on Rua das Flores.", "2026-05-08T10:01Z"),
    ("Ben", "And who helped you carry the boxes?", "2026-05-08T10:02Z"),
    ("Ana", "My sister Ida carried the boxes, with her red van.", "2026-05-08T10:03Z"),
    ("Ben", "How are the cats?", "2026-05-12T18:00Z"),
    ("Ana", "Ana's four cats are fine, they sleep on the balcony.", "2026-05-12T18:01Z"),
    ("Ana", "My hobbies are pottery, and climbing, and on Sundays the choir.", "2026-05-20T09:00Z"),
    ("Ben", "I am reading “Blindness” by Saramago.", "2026-05-20T09:01Z"),
    ("Ana", "I lived in Utrecht for three years before.", "2026-05-20T09:02Z"),
    ("Ben", "The tram was late again.", "2026-05-20T09:03Z"),
    ("Ben", "I sold the green kayak two weeks ago.", "2026-05-20T09:04Z"),
]


def turns(lines: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [{"role": "user", "name": who, "content": text, "time": at} for who, text, at in lines]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "agent.db") as memory:
        memory.add(turns(TURNS), user_id="ana", session_id="one")
        yield memory


def ask(memory: Memory, question: str, **given: Any) -> Answer:
    scope = {"user_id": "ana"} if "user_id" not in given else {}
    return memory.ask(question, now=given.pop("now", NOW), **scope, **given)


# -- answers


@pytest.mark.parametrize(
    ("question", "expected", "evidence"),
    [
        ("When did Ana move to Porto?", "7 May 2026", 1),
        ("When did Ben sell the green kayak?", "two weeks before 20 May 2026", 10),
        ("In which month did Ana move to Porto?", "May 2026", 1),
        ("How long did Ana live in Utrecht?", "three years", 8),
        ("What is Ben reading?", "“Blindness” by Saramago", 7),
        ("How many cats does Ana have?", "four cats are fine", 5),
        ("Who carried the boxes?", "Ida", 3),
        ("What are Ana's hobbies?", "pottery", 6),
    ],
)
def test_a_question_is_answered_with_its_evidence(memory: Memory, question: str, expected: str, evidence: int) -> None:
    answer = ask(memory, question, threshold=0.3)
    assert answer.known
    assert expected in answer.text
    first = answer.citations[0]
    assert first.evidence.text == TURNS[evidence][1]
    assert first.quote in first.evidence.text
    assert first.evidence.speaker == TURNS[evidence][0]
    record = memory.get(first.evidence.id, user_id="ana")
    assert record.text == first.evidence.text
    assert answer.query == question
    assert answer.model is None
    assert any("an extract" in note for note in answer.notes)


def test_every_citation_leads_to_its_record(memory: Memory) -> None:
    for question in ("When did Ana move?", "What are Ana's hobbies?", "Who has cats?", "Which things does Ana have?"):
        answer = ask(memory, question, threshold=0)
        assert answer.citations
        for citation in answer.citations:
            assert memory.get(citation.evidence.id, user_id="ana").text == citation.evidence.text
            assert citation.quote
            assert citation.quote in citation.evidence.text


def test_an_answer_prints_as_its_text_evidence_and_notes(memory: Memory) -> None:
    lines = str(ask(memory, "When did Ana move to Porto?")).splitlines()
    assert lines[0] == "7 May 2026"
    assert lines[1] == "[1] 2026-05-08 10:01  Ana: I moved to Porto yesterday, into a flat on Rua das Flores."
    assert lines[-1].startswith("note: an extract")


def test_days_are_those_of_the_memorys_zone(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db", timezone="Pacific/Auckland") as memory:
        memory.add(turns([("Ana", "I moved to Porto yesterday.", "2026-05-08T20:00Z")]), user_id="ana")
        assert ask(memory, "When did Ana move to Porto?", threshold=0).text == "8 May 2026"


def test_the_same_question_has_the_same_answer(memory: Memory, tmp_path: Path) -> None:
    with Memory(tmp_path / "other.db") as other:
        other.add(turns(TURNS), user_id="ana", session_id="one")
        for question in ("When did Ana move?", "What are Ana's hobbies?", "Who has a van?", "Which of Ana's things?"):
            first = ask(memory, question, threshold=0)
            for again in (ask(memory, question, threshold=0), ask(other, question, threshold=0)):
                assert (again.text, again.confidence, again.notes) == (first.text, first.confidence, first.notes)
                assert [one.quote for one in again.citations] == [one.quote for one in first.citations]


# -- not known


@pytest.mark.parametrize(
    "question", ["What is the wifi password?", "Who won the cup in 1998?", "Why is Neptune blue?", "qwertz?", "👍?"]
)
def test_what_nobody_spoke_of_is_not_known(memory: Memory, question: str) -> None:
    answer = ask(memory, question)
    assert (answer.text, answer.known, answer.citations) == ("not known", False, ())
    assert answer.confidence is not None
    assert answer.confidence < 0.5
    assert any("below 0.50" in note for note in answer.notes)


def test_an_empty_scope_knows_nothing(memory: Memory) -> None:
    for scope in (
        {"user_id": "nobody"},
        {"session_id": "another"},
        {"kinds": "procedure"},
        {"where": {"city": "Rome"}},
    ):
        answer = ask(memory, "When did Ana move to Porto?", threshold=0, **scope)
        assert (answer.text, answer.known, answer.citations) == ("not known", False, ())
        assert str(answer).startswith("not known")


def test_the_threshold_decides(memory: Memory) -> None:
    question = "Who carried the boxes?"
    sure = ask(memory, question, threshold=0).confidence
    assert sure is not None
    assert ask(memory, question, threshold=sure).known
    assert not ask(memory, question, threshold=min(1.0, sure + 0.001)).known
    for threshold in (-0.1, 1.1, "high", float("nan")):
        with pytest.raises(InputError):
            ask(memory, question, threshold=threshold)
    for question in ("", "  ", None, 3):
        with pytest.raises(InputError):
            ask(memory, question)  # type: ignore[arg-type]
    with pytest.raises(ScopeError):
        memory.ask("Who carried the boxes?", user_id="")
    assert not memory.ask("Who carried the boxes?", threshold=0).known  # nobody's own: what is shared


@given(st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_question_is_answered_or_refused(memory: Memory, question: str) -> None:
    try:
        answer = ask(memory, question, threshold=0)
    except InputError:
        return
    held = {text for _, text, _ in TURNS}
    assert answer.text
    assert answer.known == bool(answer.citations)
    assert all(one.evidence.text in held and one.quote in one.evidence.text for one in answer.citations)


# -- walls, times and filters

SECRETS = ("Quetzalcoatl", "4471-Heron", "Zanzibar")


@given(
    st.lists(st.sampled_from(["the code is {}", "{} lives in {}", "I moved to {} yesterday", "{}!"]), max_size=4),
    st.sampled_from(
        ["What is the code?", "Who lives in Zanzibar?", "When did you move to Zanzibar?", "Which codes are there?"]
    ),
)
@settings(deadline=None, max_examples=25)
def test_what_others_said_is_never_in_an_answer(planted: list[str], question: str) -> None:
    mine = ["the code is 1234", "Rui lives in Rome", "I moved to Rome last week"]
    secret = [
        one.format(*[SECRETS[at % 3], SECRETS[(at + 1) % 3]][: one.count("{}")]) for at, one in enumerate(planted)
    ]
    with Memory(":memory:") as memory:
        for scope in ({"user_id": "eve"}, {"user_id": "ana", "project_id": "p"}, {"user_id": "ana", "tenant_id": "t"}):
            if secret:
                memory.add(secret, **scope)  # type: ignore[arg-type]
        memory.add(mine, user_id="ana")
        answer = memory.ask(question, user_id="ana", threshold=0)
    told = [answer.text, *answer.notes, *(part for one in answer.citations for part in (one.evidence.text, one.quote))]
    assert not any(word.lower() in text.lower() for word in SECRETS for text in told)


def test_where_and_kinds_narrow_an_answer(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db") as memory:
        memory.add([{"content": "The code is 1234.", "role": "user", "metadata": {"door": "front"}}], user_id="ana")
        memory.add([{"content": "The code is 5678.", "role": "user", "metadata": {"door": "back"}}], user_id="ana")
        memory.remember("The code is 9999.", user_id="ana")

        def code(**given: Any) -> str:
            return memory.ask("What is the code?", user_id="ana", threshold=0, **given).text

        assert "1234" in code(where={"door": "front"})
        assert "5678" in code(where={"door": "back"})
        assert "9999" in code(kinds="fact")


def test_what_was_superseded_is_no_answer_unless_asked_for_then(tmp_path: Path) -> None:
    moments = iter([datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)])
    clock = [next(moments)]
    with Memory(tmp_path / "agent.db", clock=lambda: clock[0]) as memory:
        memory.remember("Ana lives in Utrecht.", key="home", user_id="ana")
        clock[0] = next(moments)
        memory.remember("Ana lives in Antwerp.", key="home", user_id="ana")

        def home(**given: Any) -> str:
            return memory.ask("Where does Ana live?", user_id="ana", threshold=0, **given).text

        assert home() == "Antwerp"
        assert home(as_of="2026-03-15T00:00Z") == "Utrecht"
        assert home(known_at="2026-03-15T00:00Z") == "Utrecht"
        assert memory.ask("Where does Ana live?", user_id="ana", as_of="2026-02-01T00:00Z", threshold=0).known is False
        memory.retire([one.id for one in memory.list(user_id="ana")], user_id="ana")
        assert home() == "not known"


# -- embedders


def test_without_an_embedder_words_answer(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db", embedder="none") as memory:
        memory.add(turns(TURNS), user_id="ana", session_id="one")
        answer = ask(memory, "When did Ana move to Porto?")
        assert answer.text == "7 May 2026"
        assert any("no embedder" in note for note in answer.notes)


class Lengths:
    """An embedder that nobody has fitted anything for."""

    name = "lengths"
    dimension = 3

    def embed_documents(self, texts: Sequence[str]) -> Any:
        return np.array([[len(text) % 7 + 1.0, text.count("e") + 1.0, 1.0] for text in texts], np.float32)

    def embed_query(self, text: str) -> Any:
        return self.embed_documents([text])[0]


def test_an_embedder_that_nothing_is_calibrated_for_says_so(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db", embedder=Lengths()) as memory:
        memory.add(turns(TURNS), user_id="ana", session_id="one")
        answer = ask(memory, "When did Ana move to Porto?")
        assert answer.confidence is None
        assert answer.known
        assert any("nothing is calibrated" in note for note in answer.notes)
        assert not ask(memory, "When did Ana move to Porto?", user_id="nobody").known


def test_a_long_message_is_answered_from(tmp_path: Path) -> None:
    filler = "The weather was neither good nor bad and nobody spoke of it at all. " * 1_500
    with Memory(tmp_path / "agent.db") as memory:
        memory.add(f"{filler} The alarm code is 4471-Heron. {filler}", user_id="ana")
        assert "4471-Heron" in memory.ask("What is the alarm code?", user_id="ana", threshold=0).text


def test_a_statement_of_the_form_that_is_asked_for_answers() -> None:
    said = [
        ("2026-01-05", "I live in Bristol and work as a data analyst at Ovo Energy."),
        ("2026-04-04", "We moved to Cardiff last weekend."),
        ("2026-07-01", "My fiancée Priya works at Barclays."),
        ("2026-07-15", "My sister lives in Leeds."),
    ]
    with Memory(":memory:") as memory:
        for day, text in said:
            memory.add({"role": "user", "content": text, "time": f"{day}T10:00Z"}, user_id="tom")

        def ask(question: str, **then: str) -> str:
            return memory.ask(question, user_id="tom", **then).text  # pyright: ignore[reportArgumentType]

        assert ask("Where do I live?") == "Cardiff"
        assert ask("Where do I live?", as_of="2026-02-01T00:00Z") == "Bristol"
        assert ask("Where does my sister live?") == "Leeds"
        assert ask("What is my fiancée's name?") == "Priya"
        answer = memory.ask("Where do I live?", user_id="tom")
        assert [one.evidence.text for one in answer.citations] == ["We moved to Cardiff last weekend."]
        assert answer.citations[0].quote == "Cardiff"


def test_whoever_is_called_by_name_is_the_user() -> None:
    with Memory(":memory:") as memory:
        for day, text in (("2026-01-05", "I live in Bristol."), ("2026-04-04", "We moved to Cardiff last week.")):
            message = {"role": "user", "name": "Tom", "content": text, "time": f"{day}T10:00Z"}
            memory.add(message, user_id="tom")
        assert memory.ask("Where do I live?", user_id="tom").text == "Cardiff"
        assert memory.ask("Where does Tom live?", user_id="tom").text == "Cardiff"
