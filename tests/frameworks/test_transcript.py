"""A conversation's history in a memory: given back to the letter, and nothing of it lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory, ScopeError
from mnemic.compat.bound import KEPT, PREFACE, SILENT, bound, context_of, exact, found_for_tool, is_own, recalled, words
from mnemic.compat.transcript import Item, Transcript
from mnemic.memory import NOT_IN_MEMORY


def opened(memory: Memory, session_id: str = "s1", user_id: str = "ana", **more: Any) -> Transcript:
    return Transcript(bound(memory, user_id=user_id), framework="test", session_id=session_id, **more)


def said(text: str, role: str = "user") -> Item:
    return Item(role, text, exact({"role": role, "content": text}))


WORDS = st.sampled_from(["Yes.", "Yes.", "I live in Porto.", "", "  ", "naïve 😀 \0", "a\ud800b", "long " * 300])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.tuples(st.sampled_from(["user", "assistant", "tool"]), WORDS))),
        st.tuples(st.just("pop"), st.none()),
        st.tuples(st.just("clear"), st.booleans()),
        st.tuples(st.just("items"), st.integers(0, 5)),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_transcript_is_a_list(steps: list[tuple[str, Any]]) -> None:
    with Memory(":memory:", embedder="none", recipe="none") as memory:
        transcript, other = opened(memory), opened(memory, "s2")
        other.append([said("Elsewhere.")])
        model: list[str] = []
        for number, (step, value) in enumerate(steps):
            if step == "append":
                items = [Item(role, text, exact([number, role, text])) for role, text in value]
                transcript.append(items)
                model += [item.kept or "" for item in items]
            elif step == "pop":
                assert transcript.pop() == (model.pop() if model else None)
            elif step == "clear":
                transcript.clear(erase=value)
                model = []
            else:
                assert transcript.items(value) == (model[-value:] if value else [])
            assert transcript.items() == model
        assert [json.loads(kept)["content"] for kept in other.items()] == ["Elsewhere."]


def test_values_come_back_as_they_were() -> None:
    for value in ({"b": 1, "a": [None, True, 1.5]}, "a\ud800b", {"é": "😀"}, [], "\0"):
        back = json.loads(exact(value))
        assert back == value
        assert json.dumps(back) == json.dumps(value), "keys keep their order"
    assert words("a\ud800b") == "a?b"
    with pytest.raises(ValueError, match="is not JSON"):
        exact({"value": object()})


def test_histories_of_users_sessions_and_drop_ins_are_told_apart(memory: Memory) -> None:
    mine, yours = opened(memory), opened(memory, user_id="ben")
    later, foreign = opened(memory, "s2"), Transcript(bound(memory, user_id="ana"), framework="other", session_id="s1")
    for number, one in enumerate((mine, yours, later, foreign)):
        one.append([said(f"number {number}")])
    memory.add("said elsewhere", user_id="ana", session_id="s1")
    for number, one in enumerate((mine, yours, later, foreign)):
        assert [json.loads(kept)["content"] for kept in one.items()] == [f"number {number}"]
    mine.clear(erase=True)
    assert (mine.items(), len(yours.items()), len(later.items()), len(foreign.items())) == ([], 1, 1, 1)


def test_a_history_is_not_mixed_with_one_behind_fewer_walls(memory: Memory) -> None:
    scopes = ({"shared": True}, {"user_id": "ana"}, {"user_id": "ana", "project_id": "home"}, {"user_id": "ben"})
    histories = [
        Transcript(bound(memory, **scope), framework="test", session_id="s1", shared="shared" in scope)
        for scope in scopes
    ]
    for number, one in enumerate(histories):
        one.append([said(f"number {number}")])
    for number, one in enumerate(histories):
        assert [json.loads(kept)["content"] for kept in one.items()] == [f"number {number}"]
    histories[2].clear(erase=True)
    assert [len(one.items()) for one in histories] == [1, 1, 0, 1]


def test_what_is_said_twice_is_kept_twice(memory: Memory) -> None:
    transcript = opened(memory)
    for _ in range(3):
        transcript.append([said("Yes.")])
    assert len(transcript.items()) == 3


def test_more_items_than_are_read_at_a_time(memory: Memory) -> None:
    transcript = opened(memory)
    items = [Item("user", f"number {number}", str(number)) for number in range(1100)]
    transcript.append(items)
    assert transcript.items() == [item.kept for item in items]
    assert transcript.items(700) == [item.kept for item in items[-700:]]


def test_clearing_keeps_what_was_said_and_erasing_does_not(memory: Memory) -> None:
    transcript = opened(memory, speaker="Ana")
    transcript.append([said("I moved to Porto in May."), said("Nice!", "assistant")])
    transcript.clear()
    assert transcript.items() == []
    assert "Porto" in recalled(memory, "Where does Ana live?", user_id="ana")
    transcript.append([said("Hello again.")])
    transcript.clear(erase=True)
    assert memory.stats(user_id="ana").records == {}
    assert recalled(memory, "Where does Ana live?", user_id="ana") == ""


def test_what_is_taken_back_is_not_recalled_and_can_be_undone(memory: Memory) -> None:
    transcript = opened(memory)
    transcript.append([said("Hello."), said("I moved to Porto in May.")])
    transcript.pop()
    assert "Porto" not in recalled(memory, "Where do I live?", user_id="ana")
    retired = memory.list(user_id="ana", include="retired", kinds="episode")
    (gone,) = [record for record in retired if record.state == "retired"]
    memory.undo(memory.history(gone.id, user_id="ana")[-1].receipt, user_id="ana")
    assert len(transcript.items()) == 2


def test_what_says_nothing_is_not_recalled(memory: Memory) -> None:
    transcript = opened(memory)
    transcript.append([Item("assistant", "", exact("hidden reasoning"), "reasoning")])
    transcript.append([Item("assistant", "", exact("more"), "reasoning"), said("I live in Porto.")])
    transcript.clear()
    texts = [record.text for record in memory.list(user_id="ana", order="oldest", kinds="episode")]
    assert texts == ["[reasoning]", "I live in Porto.", "[history cleared]"]
    found = recalled(memory, "reasoning, history, Porto", user_id="ana")
    assert "Porto" in found
    assert "[reasoning]" not in found
    assert "cleared" not in found
    assert memory.list(user_id="ana", where={SILENT: True}, order="oldest")[0].text == "[reasoning]"


def test_the_conversation_that_goes_on_is_not_recalled_once_more(memory: Memory) -> None:
    opened(memory, "monday").append([said("My locker is number 12.")])
    opened(memory, "friday").append([said("Which number is my locker?")])
    found = context_of(memory, "Which number is my locker?", user_id="ana", session_id="friday")
    assert [piece.session_id for piece in found.evidence] == ["monday"]


def test_a_memory_knows_its_own_answers(memory: Memory) -> None:
    assert found_for_tool(memory, "Where do I live?", user_id="ana") == NOT_IN_MEMORY
    opened(memory).append([said("I live in Porto.")])
    found = found_for_tool(memory, "Where do I live?", user_id="ana")
    assert found.startswith(PREFACE), "the words by which answers are known are those of Context.messages"
    assert is_own(found)
    assert is_own(NOT_IN_MEMORY)
    assert is_own(KEPT)
    assert not is_own("I live in Porto.")


def test_a_scope_that_could_not_be_written_to_is_refused_at_once(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        bound(memory)
    bound(memory, shared=True)
    bound(memory.scoped(user_id="ana"))
    assert memory.stats(everything=True).journal == 0


def test_a_history_outlives_its_process(tmp_path: Path) -> None:
    with Memory(tmp_path / "agent.db") as memory:
        opened(memory).append([said("Hello."), said("Hi!", "assistant")])
    with Memory(tmp_path / "agent.db") as memory:
        assert [json.loads(kept)["content"] for kept in opened(memory).items()] == ["Hello.", "Hi!"]


FRAMEWORKS = {
    "openai_agents": ("agents", "openai-agents"),
    "pydantic_ai": ("pydantic_ai", "pydantic-ai"),
    "llama_index": ("llama_index.core", "llama-index"),
    "autogen": ("autogen_core", "autogen"),
    "smolagents": ("smolagents", "smolagents"),
    "crewai": ("crewai", "crewai"),
}


def test_importing_the_package_imports_no_framework() -> None:
    names = {name for name, _ in FRAMEWORKS.values()}
    code = f"import sys, mnemic.compat, mnemic.compat.transcript\nprint(sorted(set(sys.modules) & {names!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", FRAMEWORKS)
def test_a_framework_that_is_not_installed_is_named_with_its_extra(module: str) -> None:
    name, extra = FRAMEWORKS[module]
    code = f"""
import sys
sys.modules[{name!r}] = None
from mnemic.errors import MissingExtraError
try:
    import mnemic.compat.{module}
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"pip install 'mnemic[{extra}]'" in done.stdout
