"""Pydantic AI itself, with its own function model, on a history that is kept in a memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mnemic import Memory, ScopeError

pytest.importorskip("pydantic_ai", reason="needs pydantic-ai-slim: pip install 'mnemic[pydantic-ai]'")

from pydantic_ai import Agent, RunContext
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from mnemic.compat.pydantic_ai import MnemicHistory, memory_instructions, memory_toolset


def history(memory: Memory, session_id: str = "s1", **more: Any) -> MnemicHistory:
    return MnemicHistory(memory, session_id=session_id, user_id="ana", speaker="Ana", **more)


class Script:
    """A model that gives one response after the other, and notes what it was asked."""

    __name__ = "script"

    def __init__(self, *responses: list[Any]) -> None:
        self.responses = list(responses)
        self.asked: list[list[ModelMessage]] = []
        self.told: list[str] = []
        self.tools: list[Any] = []

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.asked.append(list(messages))
        self.told.append(info.instructions or "")
        self.tools = info.function_tools
        return ModelResponse(parts=self.responses.pop(0))


def test_messages_come_back_as_they_were(memory: Memory) -> None:
    messages: list[ModelMessage] = [
        ModelRequest(
            parts=[
                SystemPromptPart("You help."),
                UserPromptPart(["What is this?", BinaryContent(b"\0\xff", media_type="application/pdf")]),
            ],
            instructions="Be brief.",
        ),
        ModelResponse(
            parts=[
                ThinkingPart("hm", id="rs_1", signature="gAAAA=="),
                TextPart("Let me look."),
                ToolCallPart("look", {"at": "the image", "é": "😀"}, tool_call_id="c1"),
            ],
            model_name="scripted",
            provider_details={"n": 1},
        ),
        ModelRequest(parts=[ToolReturnPart("look", {"seen": ["a tram"]}, tool_call_id="c1")]),
        ModelResponse(parts=[ThinkingPart("nothing to say")]),
    ]

    async def main() -> None:
        for message in messages[:2]:
            await history(memory).add([message])
        await history(memory).add(messages[2:])
        assert await history(memory).messages() == messages
        assert await history(memory).messages(2) == messages[-2:]

    asyncio.run(main())
    kept = [(one.role, one.text) for one in memory.list(user_id="ana", kinds="episode", order="oldest")]
    assert kept == [
        ("user", "What is this?"),
        ("assistant", "Let me look."),
        ("assistant", 'look({"at":"the image","é":"😀"})'),
        ("tool", '{"seen":["a tram"]}'),
    ]


def test_an_agent_goes_on_where_it_was_and_recalls_in_another_conversation(memory: Memory) -> None:
    async def talk(session_id: str, script: Script, *prompts: str) -> None:
        agent = Agent(
            FunctionModel(script),
            instructions=["You help.", memory_instructions(memory, user_id="ana", session_id=session_id)],
            toolsets=[memory_toolset(memory, user_id="ana", session_id=session_id)],
        )

        @agent.tool_plain
        def weather(city: str) -> str:
            return f"sunny in {city}"

        for prompt in prompts:
            kept = history(memory, session_id)
            result = await agent.run(prompt, message_history=await kept.messages())
            await kept.add(result.new_messages())
            assert await kept.messages() == result.all_messages()

    first = Script([ToolCallPart("weather", {"city": "Porto"})], [TextPart("Sunny.")], [TextPart("Bye.")])
    asyncio.run(talk("s1", first, "I moved to Porto in May. How is the weather?", "Thanks!"))
    assert len(first.asked[-1]) == 5
    assert "How is the weather?" not in first.told[-1], "the history holds it already"

    second = Script([ToolCallPart("search_memory", {"query": "Where does Ana live?"})], [TextPart("In Porto.")])
    asyncio.run(talk("s2", second, "Where do I live?"))
    assert second.told[0].startswith("You help.\n\nWhat is remembered, as numbered quotations")
    assert "Porto" in second.told[0]
    assert "Where do I live?" not in second.told[0], "the prompt holds it already"
    (answered,) = second.asked[1][-1].parts
    assert isinstance(answered, ToolReturnPart)
    assert "Porto" in answered.content
    echoes = [record for record in memory.list(user_id="ana", kinds="episode") if "numbered quotations" in record.text]
    assert echoes == [], "what was recalled is not remembered once more"


def test_one_agent_serves_many_users_by_its_dependencies(memory: Memory) -> None:
    memory.add("I live in Porto.", user_id="ana")
    memory.add("I live in Lyon.", user_id="ben")

    def whose(ctx: RunContext[str]) -> Any:
        return {"user_id": ctx.deps}

    script = Script(
        [ToolCallPart("search_memory", {"query": "Where do I live?", "user_id": "ben"})],
        [ToolCallPart("search_memory", {"query": "Where do I live?"})],
        [ToolCallPart("save_memory", {"statement": "Ana likes trams."})],
        [TextPart("ok")],
    )
    agent = Agent(
        FunctionModel(script),
        deps_type=str,
        instructions=memory_instructions(memory, whose=whose),
        toolsets=[memory_toolset(memory, whose=whose, saves=True)],
    )
    result = asyncio.run(agent.run("Where do I live?", deps="ana"))
    assert "Lyon" not in str(result.all_messages()), "no argument reaches another's memory"
    assert all("Porto" in told for told in script.told)
    assert {tool.name: set(tool.parameters_json_schema["properties"]) for tool in script.tools} == {
        "search_memory": {"query"},
        "save_memory": {"statement"},
    }
    saved = memory.search("Who likes trams?", user_id="ana", kinds="fact")[0]
    assert (saved.text, saved.source) == ("Ana likes trams.", "assistant")
    assert "trams" not in str(memory.list(user_id="ben"))


def test_clearing_forgets_nothing_unless_it_erases(memory: Memory) -> None:
    async def main() -> None:
        await history(memory).add([ModelRequest(parts=[UserPromptPart("I moved to Porto in May.")])])
        await history(memory).clear()
        assert await history(memory).messages() == []
        assert any("Porto" in hit.text for hit in memory.search("Where does Ana live?", user_id="ana"))
        await history(memory, erases=True).clear()

    asyncio.run(main())
    assert memory.stats(user_id="ana").records == {}


def test_the_scope_is_checked_where_the_history_is_made(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        MnemicHistory(memory, session_id="s1")
