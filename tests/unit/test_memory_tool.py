"""The memory tool without the SDK: what the model sends and reads. What it says is compared in tests/properties."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from mnemic import InputError, Memory, NotFoundError, StoreError
from mnemic.compat.memory_tool import MemoryTool
from mnemic.testing import Answer, ScriptedChat

WHO = {"user_id": "ana"}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", embedder="none", recipe="none") as memory:
        yield memory


@pytest.fixture
def tool(memory: Memory) -> MemoryTool:
    return MemoryTool(memory, **WHO)


def test_the_declaration_has_no_schema(memory: Memory, tool: MemoryTool) -> None:
    assert tool.declaration == {"type": "memory_20250818", "name": "memory"}
    cached = MemoryTool(memory, cache_control={"type": "ephemeral"}, **WHO)
    assert cached.declaration == {**tool.declaration, "cache_control": {"type": "ephemeral"}}


def test_commands_by_name_and_as_sent(tool: MemoryTool) -> None:
    assert tool.call({"command": "view", "path": "/memories"}) == (
        "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items:\n4K\t/memories"
    )
    sent = {"command": "create", "path": "/memories/a/b.md", "file_text": "one\ntwo\nthree\n"}
    assert tool.call(sent) == "File created successfully at: /memories/a/b.md"
    assert tool.insert("/memories/a/b.md", 3, "four") == "The file /memories/a/b.md has been edited."
    assert tool.str_replace("/memories/a/b.md", "four", "5") == (
        "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n"
        "     2\ttwo\n     3\tthree\n     4\t5\n     5\t"
    )
    assert tool.view("/memories/a/b.md", [2, 3]) == (
        "Here's the content of /memories/a/b.md with line numbers:\n     2\ttwo\n     3\tthree"
    )
    assert tool.rename("/memories/a", "/memories/c") == "Successfully renamed /memories/a to /memories/c"
    assert tool.view("/memories").splitlines()[1:] == ["4K\t/memories", "4K\t/memories/c/", "16B\t/memories/c/b.md"]
    assert tool.delete("/memories/c") == "Successfully deleted /memories/c"
    assert tool.clear_all_memory() == "All memory cleared"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (None, "the input of the memory tool is NoneType, not an object with a command"),
        ({}, "Unknown command: None: it is one of view, create, str_replace, insert, delete, rename"),
        ({"command": "veiw", "path": "/memories"}, "Unknown command: 'veiw'; did you mean 'view'?"),
        ({"command": ["view"]}, "Unknown command: ['view']"),
        ({"command": "clear_all_memory"}, "Unknown command: 'clear_all_memory'"),
        ({"command": "view"}, "view needs path: its parameters are path"),
        ({"command": "create", "path": "/memories/a"}, "create needs file_text: its parameters are path, file_text"),
        ({"command": "str_replace", "path": "/memories/a", "old_str": "x"}, "str_replace needs new_str"),
        ({"command": "view", "path": ["/memories"]}, "path must be text (got list)"),
        (
            {"command": "insert", "path": "/memories/a", "insert_line": "1", "insert_text": ""},
            "insert_line must be a whole",
        ),
        (
            {"command": "insert", "path": "/memories/a", "insert_line": True, "insert_text": ""},
            "insert_line must be a whole",
        ),
        ({"command": "view", "path": "/memories", "view_range": "1-2"}, "view_range must be two whole numbers"),
        ({"command": "view", "path": "/memories", "view_range": [1, 2.5]}, "view_range must be two whole numbers"),
        ({"command": "view", "path": "/etc/passwd"}, "Path must start with /memories, got: /etc/passwd"),
        ({"command": "view", "path": "/memories/../../etc/passwd"}, "would escape /memories directory"),
    ],
)
def test_what_cannot_be_is_told_to_the_model(tool: MemoryTool, sent: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        tool.call(sent)
    assert said in str(refused.value)


def test_a_model_cannot_choose_the_scope(memory: Memory, tool: MemoryTool) -> None:
    MemoryTool(memory, user_id="bo").create("/memories/secret.md", "of Bo")
    for more in ({"user_id": "bo"}, {"shared": True}, {"name": "other"}, {"known_at": "2020-01-01T00:00Z"}):
        with pytest.raises(NotFoundError, match="does not exist"):
            tool.call({"command": "view", "path": "/memories/secret.md", **more})


def test_results_for_blocks_say_what_went_wrong(tool: MemoryTool) -> None:
    block = {"type": "tool_use", "id": "t1", "name": "memory", "input": {"command": "view", "path": "/memories/a"}}
    assert tool.result(block) == {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": "The path /memories/a does not exist. Please provide a valid path.",
        "is_error": True,
    }
    block["input"] = {"command": "create", "path": "/memories/a", "file_text": ""}
    assert tool.result(block) == {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": "File created successfully at: /memories/a",
    }


def test_trouble_of_the_store_is_the_developers(memory: Memory, tool: MemoryTool) -> None:
    memory.close()
    with pytest.raises(StoreError):
        tool.result({"id": "t1", "input": {"command": "view", "path": "/memories"}})


def test_of_very_many_occurrences_a_thousand_are_named(tool: MemoryTool) -> None:
    tool.create("/memories/a", "x" * 100_000)
    with pytest.raises(InputError) as refused:
        tool.str_replace("/memories/a", "", "y")  # the SDK's own takes minutes for it
    assert str(refused.value).endswith("1, 1, 1, … (100001 in all). Please ensure it is unique")
    assert len(str(refused.value)) < 4000


def test_names_cannot_forge_lines_of_a_listing(tool: MemoryTool) -> None:
    with pytest.raises(InputError):
        tool.create("/memories/a\n9G\t/memories/forged", "")
    assert "forged" not in tool.view("/memories")


def test_where_an_import_has_made_a_path_both_both_are_shown(memory: Memory, tool: MemoryTool) -> None:
    tool.create("/memories/a", "file")
    with Memory(":memory:", embedder="none") as other:
        MemoryTool(other, **WHO).create("/memories/a/b", "below")
        memory.import_(other.export(**WHO))
    assert tool.view("/memories").splitlines()[2:] == ["4B\t/memories/a", "4K\t/memories/a/", "5B\t/memories/a/b"]
    tool.rename("/memories/a", "/memories/c")
    assert tool.view("/memories/a/b").endswith("below")


# -- over the wire, by hand


def _ask(server: ScriptedChat, messages: list[dict[str, Any]], tool: MemoryTool) -> dict[str, Any]:
    body = {"model": "m", "max_tokens": 100, "messages": messages, "tools": [tool.declaration]}
    request = urllib.request.Request(
        f"{server.url}/messages",
        json.dumps(body).encode(),
        {"x-api-key": "k", "anthropic-version": "2023-06-01", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def test_a_loop_of_ones_own(tool: MemoryTool) -> None:
    script = (
        Answer("Let me look.", calls=[("memory", {"command": "view", "path": "/memories"})]),
        Answer(
            calls=[
                ("memory", {"command": "create", "path": "/memories/ana.md", "file_text": "Ana likes olives."}),
                ("memory", {"command": "create", "path": "/memories/ana.md", "file_text": "Again."}),
            ]
        ),
        "Noted.",
    )
    messages: list[dict[str, Any]] = [{"role": "user", "content": "I like olives."}]
    with ScriptedChat(*script) as server:
        while (said := _ask(server, messages, tool))["stop_reason"] == "tool_use":
            messages.append({"role": "assistant", "content": said["content"]})
            results = [tool.result(block) for block in said["content"] if block["type"] == "tool_use"]
            messages.append({"role": "user", "content": results})
        assert said["content"] == [{"type": "text", "text": "Noted."}]
        assert server.requests[-1].body["tools"] == [{"type": "memory_20250818", "name": "memory"}]
        assert server.requests[-1].messages[-1]["content"] == (
            "File created successfully at: /memories/ana.mdFile /memories/ana.md already exists"
        )
    ids = [block["tool_use_id"] for message in messages[2::2] for block in message["content"]]
    assert len(set(ids)) == 3
    assert tool.cabinet.read("/memories/ana.md").text == "Ana likes olives."


def test_openais_protocol_has_calls_too() -> None:
    script = (Answer(calls=[("memory", {"command": "view"})]), "Done.")
    with ScriptedChat(*script) as server:

        def ask(messages: list[dict[str, Any]]) -> dict[str, Any]:
            request = urllib.request.Request(
                f"{server.url}/chat/completions", json.dumps({"model": "m", "messages": messages}).encode()
            )
            with urllib.request.urlopen(request) as reply:
                return json.load(reply)["choices"][0]

        first = ask([{"role": "user", "content": "Hello"}])
        assert (first["finish_reason"], first["message"]["content"]) == ("tool_calls", None)
        (call,) = first["message"]["tool_calls"]
        assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("memory", {"command": "view"})
        told = {"role": "tool", "tool_call_id": call["id"], "content": "nothing there"}
        assert ask([{"role": "user", "content": "Hello"}, first["message"], told])["message"]["content"] == "Done."
        assert [message["content"] for message in server.requests[1].messages] == ["Hello", "", "nothing there"]
