"""Asking with a language model: what it reads, how its citations are checked, and what happens where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mnemic import InputError, Memory
from mnemic.errors import ConfigError
from mnemic.testing import Answer, ScriptedChat

TURNS = [
    ("Ben", "Where do you live now?", "2026-05-08T10:00Z"),
    ("Ana", "I moved to Porto yesterday, into a flat on Rua das Flores.", "2026-05-08T10:01Z"),
    ("Ben", "And who helped you carry all of it?", "2026-05-08T10:02Z"),
    ("Ana", "My sister Ida did, with her red van.", "2026-05-08T10:03Z"),
]
QUESTION = "When did Ana move to Porto?"


@pytest.fixture
def told() -> Iterator[Any]:
    """A memory with a model behind `script`, and the server."""
    opened: list[Any] = []

    def open_with(*script: Any, **settings: Any) -> tuple[Memory, ScriptedChat]:
        server = ScriptedChat(*script)
        server.__enter__()
        memory = Memory(":memory:", model=f"{server.url}#scripted", **settings)
        memory.add(
            [{"role": "user", "name": who, "content": text, "time": at} for who, text, at in TURNS],
            user_id="ana",
            session_id="one",
        )
        opened.extend((memory, server))
        return memory, server

    yield open_with
    for one in opened:
        one.close() if isinstance(one, Memory) else one.__exit__(None, None, None)


def number_of(context: str, words: str) -> int:
    line = next(line for line in context.splitlines() if words in line)
    return int(line[line.index("[") + 1 : line.index("]")])


def citing(words: str, text: str) -> Any:
    """A model that cites, with `{n}`, the memory that holds some words."""
    return lambda messages: text.format(n=number_of(messages[-1]["content"], words))


def test_an_answer_with_a_citation_that_supports_it(told: Any) -> None:
    memory, server = told(citing("Rua das Flores", "Ana moved to Porto on 7 May 2026 [{n}]."))
    answer = memory.ask(QUESTION, user_id="ana", threshold=0.0)
    assert answer.known
    assert answer.text == "Ana moved to Porto on 7 May 2026. [1]"
    assert [piece.evidence.text for piece in answer.citations] == [TURNS[1][1]]
    assert answer.model is not None
    assert "scripted" in answer.model
    assert answer.tokens_in > 0
    assert answer.tokens_out > 0
    assert "Rua das Flores" in str(answer)
    sent = server.requests[0].messages
    assert sent[0]["role"] == "system"
    assert QUESTION in sent[-1]["content"]
    assert "Asked on" in sent[-1]["content"]


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("Ana moved to Porto in 1999 [{n}].", "left out"),  # the number does not stand there
        ("Ana adores windsurfing beside volcanoes [{n}].", "left out"),
        ("Ana moved to Porto on 7 May 2026 [77].", "cited what was not there: [77]"),
        ("Ana moved to Porto on 7 May 2026.", "left out"),  # no citation at all
    ],
)
def test_what_nothing_supports_is_not_an_answer(told: Any, said: str, note: str) -> None:
    memory, _ = told(citing("Rua das Flores", said))
    answer = memory.ask(QUESTION, user_id="ana", threshold=0.0)
    assert not answer.known
    assert answer.text == "not known"
    assert answer.citations == ()
    assert any(note in one for one in answer.notes)


def test_a_supported_sentence_stays_and_the_other_goes(told: Any) -> None:
    memory, _ = told(
        lambda messages: (
            f"Ana lives on Rua das Flores [{number_of(messages[-1]['content'], 'Rua')}]. "
            f"She sails every weekend [{number_of(messages[-1]['content'], 'van')}]. "
            f"Ida helped with her red van [{number_of(messages[-1]['content'], 'van')}, 99]."
        )
    )
    answer = memory.ask("Where does Ana live and who helped her?", user_id="ana", threshold=0.0)
    assert answer.text == "Ana lives on Rua das Flores. [1] Ida helped with her red van. [2]"
    assert [piece.evidence.text for piece in answer.citations] == [TURNS[1][1], TURNS[3][1]]
    assert any("sails" in note for note in answer.notes)
    assert any("[99]" in note for note in answer.notes)


@pytest.mark.parametrize("said", ["not known", "Not known.", '"Not known" [1]', "<think>hm</think> not known"])
def test_a_model_that_finds_nothing(told: Any, said: str) -> None:
    memory, _ = told(said)
    answer = memory.ask(QUESTION, user_id="ana", threshold=0.0)
    assert (answer.known, answer.text) == (False, "not known")
    assert answer.model is not None


def test_the_model_judges_its_own_citations_when_asked(told: Any) -> None:
    said = citing("Rua das Flores", "Ana moved to Porto on 7 May 2026 [{n}].")
    memory, server = told(said, "1: no")
    assert not memory.ask(QUESTION, user_id="ana", threshold=0.0, check="model").known
    assert len(server.requests) == 2
    assert "Statement 1: Ana moved to Porto" in server.requests[1].messages[-1]["content"]
    memory, _ = told(said, "1: Yes.")
    assert memory.ask(QUESTION, user_id="ana", threshold=0.0, check="model").known
    with pytest.raises(InputError, match="check='maybe' is not known: 'words' or 'model'"):
        memory.ask(QUESTION, user_id="ana", check="maybe")


@pytest.mark.parametrize("fault", [400, Answer("", body="{"), Answer("")])
def test_a_model_that_fails_leaves_the_extract(told: Any, fault: Any) -> None:
    memory, _ = told(fault)
    answer = memory.ask(QUESTION, user_id="ana", threshold=0.0)
    assert answer.known
    assert answer.text == "7 May 2026"
    assert answer.model is None
    assert "the model failed, so this is an extract" in answer.notes[0]


def test_nothing_is_sent_where_nothing_is_known(told: Any) -> None:
    memory, server = told("never")
    assert not memory.ask(QUESTION, user_id="nobody").known
    assert not memory.ask(QUESTION, user_id="ana", threshold=1.0).known
    assert server.requests == ()


def test_a_function_is_a_model_too() -> None:
    with Memory(":memory:", model=lambda prompt: f"Porto [{number_of(prompt, 'Rua')}]") as memory:
        memory.add("I live in Porto, Rua das Flores", user_id="ana")
        answer = memory.ask("Where do I live?", user_id="ana", threshold=0.0)
        assert answer.text == "Porto [1]"


def test_one_key_is_not_sent_to_two_servers() -> None:
    with pytest.raises(ConfigError, match="are two"):
        Memory(":memory:", embedder="http://localhost:1/v1#e", model="anthropic:m", api_key="k")
