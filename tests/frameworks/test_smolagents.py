"""smolagents itself, with a scripted model behind real HTTP, on a memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mnemic import Memory, ScopeError
from mnemic.testing import Answer, ScriptedChat

pytest.importorskip("smolagents", reason="needs smolagents: pip install 'mnemic[smolagents]'")

from smolagents import CodeAgent, OpenAIServerModel, ToolCallingAgent, tool
from smolagents.memory import TaskStep

from mnemic.compat.smolagents import MnemicMemory, SearchMemory


def calling(name: str, **arguments: Any) -> Answer:
    """A call of a tool, in OpenAI's protocol."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    return Answer(body=json.dumps(body))


def model(server: ScriptedChat) -> OpenAIServerModel:
    return OpenAIServerModel("scripted", api_base=server.url, api_key="none")


@tool
def weather(city: str) -> str:
    """The weather.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


def mine(memory: Memory, **more: Any) -> MnemicMemory:
    return MnemicMemory(memory, user_id="ana", speaker="Ana", **more)


def episodes(memory: Memory) -> list[tuple[str | None, str]]:
    return [(one.role, one.text) for one in memory.list(user_id="ana", kinds="episode", order="oldest")]


def test_an_agent_recalls_in_another_run_what_was_said_in_the_first(memory: Memory) -> None:
    script = (
        calling("weather", city="Porto"),
        calling("final_answer", answer="Sunny."),
        calling("search_memory", query="Where does Ana live?"),
        calling("final_answer", answer="In Porto."),
    )
    with ScriptedChat(*script) as server:
        tools = [weather, SearchMemory(memory, user_id="ana")]
        agent = ToolCallingAgent(tools=tools, model=model(server), verbosity_level=0)
        agent.memory = mine(memory, session_id="s1")
        assert agent.run("I moved to Porto in May. How is the weather?") == "Sunny."
        assert episodes(memory) == [
            ("user", "I moved to Porto in May. How is the weather?"),
            ("assistant", 'weather({"city":"Porto"})'),
            ("tool", "sunny in Porto"),
            ("assistant", "Sunny."),
        ]
        assert agent.run("Where do I live?") == "In Porto."
    told = server.requests[2].messages[-1]["content"]
    assert "What is remembered, as numbered quotations" in told
    assert "Porto" in told
    assert told.count("Where do I live?") == 1, "the task stands in the prompt already"
    searched = server.requests[3].messages[-1]["content"]
    assert "Porto" in searched
    schema = next(
        one["function"] for one in server.requests[2].body["tools"] if one["function"]["name"] == "search_memory"
    )
    assert set(schema["parameters"]["properties"]) == {"query"}
    assert episodes(memory)[4:] == [("user", "Where do I live?"), ("assistant", "In Porto.")]
    assert {record.scope.session_id for record in memory.list(user_id="ana", kinds="episode")} == {"s1"}


def test_a_run_that_goes_on_is_not_recalled_in_itself(memory: Memory) -> None:
    with ScriptedChat(calling("final_answer", answer="ok")) as server:
        agent = ToolCallingAgent(tools=[], model=model(server), verbosity_level=0)
        agent.memory = mine(memory)
        agent.run("My locker is number 12.")
        agent.run("Which number is my locker?", reset=False)
        agent.run("Which number is my locker?", reset=True)
    asked = ["".join(message["content"] for message in one.messages) for one in server.requests]
    assert "What is remembered" not in asked[1], "the steps before are in the prompt already"
    assert "What is remembered" in asked[2]


def test_an_agent_that_writes_code(memory: Memory) -> None:
    memory.add("I live in Porto.", user_id="ana")
    script = (
        "Thought: I look.\n<code>\nprint(search_memory(query='Where does Ana live?'))\n</code>",
        "Thought: I see.\n<code>\nfinal_answer('In ' + 'Porto.')\n</code>",
    )
    with ScriptedChat(*script) as server:
        agent = CodeAgent(tools=[SearchMemory(memory, user_id="ana")], model=model(server), verbosity_level=0)
        agent.memory = mine(memory)
        assert agent.run("Where do I live?") == "In Porto."
        assert "Porto" in server.requests[1].messages[-1]["content"]
        assert isinstance(agent.memory.steps[0], TaskStep)
        assert agent.memory.get_full_steps()[0]["task"] == "Where do I live?"
    assert episodes(memory)[1:] == [
        ("user", "Where do I live?"),
        ("assistant", "python_interpreter(final_answer('In ' + 'Porto.'))"),
        ("assistant", "In Porto."),
    ]


def test_a_run_that_ends_at_its_last_step_is_remembered(memory: Memory) -> None:
    with ScriptedChat(calling("weather", city="Porto"), "I give up.") as server:
        agent = ToolCallingAgent(tools=[weather], model=model(server), verbosity_level=0, max_steps=1)
        agent.memory = mine(memory)
        agent.run("How is the weather?")
    assert episodes(memory)[-1] == ("assistant", "I give up.")


def test_another_users_memory_is_out_of_reach(memory: Memory) -> None:
    memory.add("I live in Lyon.", user_id="ben")
    assert SearchMemory(memory, user_id="ana")(query="Where does Ben live?") == "not in memory"
    with pytest.raises(TypeError):
        SearchMemory(memory, user_id="ana")(query="Where does Ben live?", user_id="ben")


def test_the_scope_is_checked_where_the_memory_is_made(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        MnemicMemory(memory)
