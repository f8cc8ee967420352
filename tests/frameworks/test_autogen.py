"""AutoGen itself, with its own replaying client, on a memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mnemic import InputError, Memory, ScopeError

pytest.importorskip("autogen_agentchat", reason="needs autogen-agentchat: pip install 'mnemic[autogen]'")

from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.memory import Memory as AutoGenMemory
from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_core.model_context import BufferedChatCompletionContext
from autogen_core.models import CreateResult, ModelInfo, RequestUsage, SystemMessage, UserMessage
from autogen_ext.models.replay import ReplayChatCompletionClient

from mnemic.compat.autogen import MnemicMemory

INFO = ModelInfo(vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False)


def call(name: str, arguments: str) -> CreateResult:
    usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
    calls = [FunctionCall(id="c1", name=name, arguments=arguments)]
    return CreateResult(finish_reason="function_calls", content=calls, usage=usage, cached=False)


def mine(memory: Memory, **more: Any) -> MnemicMemory:
    return MnemicMemory(memory, user_id="ana", speaker="Ana", **more)


def text(content: str, **metadata: Any) -> MemoryContent:
    return MemoryContent(content=content, mime_type=MemoryMimeType.TEXT, metadata=metadata or None)


async def weather(city: str) -> str:
    """The weather."""
    return f"sunny in {city}"


def test_it_is_a_memory_of_autogen(memory: Memory) -> None:
    assert isinstance(mine(memory), AutoGenMemory)


def test_an_agent_is_told_what_was_said_in_an_earlier_session(memory: Memory) -> None:
    async def talk(session_id: str, client: ReplayChatCompletionClient, *tasks: str) -> None:
        long_term = mine(memory, session_id=session_id)
        agent = AssistantAgent("helper", client, memory=[long_term], tools=[weather], reflect_on_tool_use=True)
        for task in tasks:
            result = await agent.run(task=task)
            await long_term.add_messages(result.messages)
            await long_term.add_messages(result.messages)

    first = ReplayChatCompletionClient([call("weather", '{"city": "Porto"}'), "Sunny."], model_info=INFO)
    asyncio.run(talk("s1", first, "I moved to Porto in May. How is the weather?"))
    kept = [(one.role, one.speaker, one.text) for one in memory.list(user_id="ana", kinds="episode", order="oldest")]
    assert kept == [
        ("user", "Ana", "I moved to Porto in May. How is the weather?"),
        ("assistant", "helper", 'weather({"city": "Porto"})'),
        ("tool", "weather", "sunny in Porto"),
        ("assistant", "helper", "Sunny."),
    ]
    second = ReplayChatCompletionClient(["In Porto.", "Yes, in Porto."], model_info=INFO)
    asyncio.run(talk("s2", second, "Where do I live?", "Where do I live?"))
    told = [one for one in second.create_calls[-1]["messages"][1:] if isinstance(one, SystemMessage)]
    assert len(told) == 1, "the same is not told twice"
    assert "Porto" in told[0].content
    assert "Where do I live?" not in told[0].content, "the context holds it already"
    echoes = [record for record in memory.list(user_id="ana", kinds="episode") if "numbered quotations" in record.text]
    assert echoes == []


def test_contents_come_back_in_the_form_in_which_they_came(memory: Memory) -> None:
    async def main() -> None:
        one = mine(memory)
        table = {"wing": "B", "locker": {"number": 12, "colour": "green"}}
        await one.add(text("I like trams.", place="Porto"))
        await one.add(MemoryContent(content="# Rules\n\nNo smoking.", mime_type=MemoryMimeType.MARKDOWN))
        await one.add(MemoryContent(content=table, mime_type=MemoryMimeType.JSON))
        await one.add(text("The tram is late.", role="tool", name="board"))
        (found,) = (await one.query("Which colour is the locker?", limit=1)).results
        assert (found.content, found.mime_type) == (table, MemoryMimeType.JSON)
        asked = text("Does Ana like trams?")
        (found,) = (await one.query(asked, limit=1, kinds="episode", where={"place": "Porto"})).results
        assert found.content == "I like trams."
        assert found.metadata is not None
        assert found.metadata["place"] == "Porto"
        assert found.metadata["speaker"] == "Ana"
        assert {"id", "relevance", "score", "time"} <= found.metadata.keys()
        with pytest.raises(InputError, match="has no words"):
            await one.add(MemoryContent(content=b"\0", mime_type=MemoryMimeType.BINARY))

    asyncio.run(main())
    board = next(one for one in memory.list(user_id="ana") if one.speaker == "board")
    assert (board.role, board.source) == ("tool", "tool")


def test_no_question_reaches_another_users_memory(memory: Memory) -> None:
    memory.add("I live in Lyon.", user_id="ben")

    async def main() -> None:
        with pytest.raises(InputError, match="takes no user_id"):
            await mine(memory).query("Where does Ben live?", user_id="ben")
        assert (await mine(memory).query("Where does Ben live?")).results == []
        context = BufferedChatCompletionContext(10, [UserMessage(content="Where does Ben live?", source="user")])
        assert (await mine(memory).update_context(context)).memories.results == []
        assert len(await context.get_messages()) == 1

    asyncio.run(main())


def test_clearing_erases_what_came_in_this_way_and_nothing_else(memory: Memory) -> None:
    memory.add("I live in Porto.", user_id="ana")

    async def main() -> None:
        await mine(memory).add(text("My locker is green.", framework="mine"))
        await MnemicMemory(memory, user_id="ben").add(text("My locker is red."))
        await MnemicMemory(memory, shared=True).add(text("The lift is out of order."))
        await mine(memory).clear()
        await mine(memory).close()

    asyncio.run(main())
    assert "locker" not in str(memory.list(user_id="ana", include=("retired", "superseded")))
    assert "Porto" in str(memory.list(user_id="ana"))
    assert "lift" in str(memory.list(user_id="ana"))
    assert "locker" in str(memory.list(user_id="ben"))


def test_the_scope_is_checked_where_the_memory_is_made(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        MnemicMemory(memory)
