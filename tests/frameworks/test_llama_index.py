"""LlamaIndex itself, with its own mock model, on a chat memory and a memory block that are kept in a memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mnemic import Memory, ScopeError

pytest.importorskip("llama_index.core", reason="needs llama-index-core: pip install 'mnemic[llama-index]'")

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import (
    ChatMessage,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.memory import Memory as ShortTermMemory
from sqlalchemy.ext.asyncio import create_async_engine

from mnemic.compat.llama_index import MnemicBlock, MnemicMemory, memory_tool

# Its workflows look at every attribute of a model, deprecated ones, too.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")

CALL = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs={"city": "Porto", "é": "😀"})
MESSAGES = [
    ChatMessage(role="system", content="You help."),
    ChatMessage(role="user", content="I moved to Porto in May."),
    ChatMessage(
        role="assistant",
        blocks=[
            ThinkingBlock(content="hm", additional_information={"signature": "gA=="}),
            TextBlock(text="Let me look."),
            CALL,
        ],
    ),
    ChatMessage(role="tool", content="sunny", additional_kwargs={"tool_call_id": "c1", "name": "weather"}),
    ChatMessage(
        role="assistant",
        content="",
        additional_kwargs={
            "tool_calls": [{"id": "c2", "type": "function", "function": {"name": "buy", "arguments": "{}"}}]
        },
    ),
    ChatMessage(role="user", blocks=[ImageBlock(url="https://example.com/a.png")]),
    ChatMessage(role="user", content="kept"),
]


def chat(memory: Memory, session_id: str = "s1", **more: Any) -> MnemicMemory:
    return MnemicMemory(memory, session_id=session_id, user_id="ana", speaker="Ana", **more)


class Script:
    """A model that gives one message after the other, and notes what it was asked."""

    def __init__(self, *messages: ChatMessage) -> None:
        self.messages = list(messages)
        self.asked: list[list[ChatMessage]] = []

    def __call__(self, messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        self.asked.append(list(messages))
        return self.messages.pop(0)


def assistant(text: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=text)


def test_messages_come_back_as_they_were(memory: Memory) -> None:
    chat(memory).put_messages(MESSAGES[:3])
    for message in MESSAGES[3:]:
        chat(memory).put(message)
    assert chat(memory).get_all() == MESSAGES
    kept = [(one.role, one.text) for one in memory.list(user_id="ana", kinds="episode", order="oldest")]
    assert ("assistant", 'weather({"city": "Porto", "é": "😀"})') in kept
    assert ("assistant", "buy({})") in kept
    assert ("tool", "sunny") in kept
    assert ("user", "kept") in kept
    assert not any(text == "You help." for _, text in kept), "instructions are nothing to remember"


def test_setting_a_history_remembers_nothing_twice(memory: Memory) -> None:
    one = chat(memory)
    one.set(MESSAGES[:4])
    one.set(MESSAGES)
    assert one.get_all() == MESSAGES
    before = len([record for record in memory.list(user_id="ana") if record.text == "Let me look."])
    one.set([*MESSAGES[2:4], ChatMessage(role="user", content="Go on.")])
    assert one.get_all() == [*MESSAGES[2:4], ChatMessage(role="user", content="Go on.")]
    assert len([record for record in memory.list(user_id="ana") if record.text == "Let me look."]) == before == 1
    one.set(one.get("Where do I live?"))
    assert one.get_all()[0].role != MessageRole.SYSTEM, "what was recalled does not become history"


def test_an_agent_goes_on_where_it_was_and_recalls_in_another_session(memory: Memory) -> None:
    def weather(city: str) -> str:
        """The weather."""
        return f"sunny in {city}"

    async def talk(session_id: str, script: Script, *said: str) -> None:
        tool = memory_tool(memory, user_id="ana", session_id=session_id)
        assert set(tool.metadata.get_parameters_dict()["properties"]) == {"query"}
        for text in said:
            agent = FunctionAgent(
                llm=MockFunctionCallingLLM(response_generator=script),
                tools=[weather, tool],
                system_prompt="Help.",
                streaming=False,
            )
            await agent.run(text, memory=chat(memory, session_id))

    look = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs={"city": "Porto"})
    call = ChatMessage(role="assistant", blocks=[TextBlock(text="Let me look."), look])
    first = Script(call, assistant("Sunny."), assistant("Bye."))
    asyncio.run(talk("s1", first, "I moved to Porto in May. How is the weather?", "Thanks!"))
    told = [message.role.value for message in first.asked[-1] if message.role != MessageRole.SYSTEM]
    assert told == ["user", "assistant", "tool", "assistant", "user"]
    assert look in first.asked[-1][-4].blocks

    search = ToolCallBlock(tool_call_id="c2", tool_name="search_memory", tool_kwargs={"query": "Where does Ana live?"})
    second = Script(ChatMessage(role="assistant", blocks=[search]), assistant("In Porto."))
    asyncio.run(talk("s2", second, "Where do I live?"))
    (recalled,) = [one.content or "" for one in second.asked[0] if (one.content or "").startswith("What is remembered")]
    assert "Porto" in recalled
    assert "Where do I live?" not in recalled, "the history holds it already"
    assert "Porto" in (second.asked[1][-1].content or "")
    echoes = [record for record in memory.list(user_id="ana", kinds="episode") if "numbered quotations" in record.text]
    assert echoes == [], "what was recalled is not remembered once more"


def test_a_chat_engine_takes_it(memory: Memory) -> None:
    script = Script(assistant("Noted."), assistant("In Porto."))
    for session_id, text in (("s1", "I moved to Porto in May."), ("s2", "Where do I live?")):
        engine = SimpleChatEngine.from_defaults(
            llm=MockFunctionCallingLLM(response_generator=script), memory=chat(memory, session_id)
        )
        engine.chat(text)
        assert engine.chat_history[0].content == text
    assert "Porto" in (script.asked[1][0].content or "")
    engine.reset()
    assert engine.chat_history == []
    assert any("Porto" in hit.text for hit in memory.search("Where does Ana live?", user_id="ana"))


def test_a_block_keeps_what_the_short_term_memory_flushes(memory: Memory) -> None:
    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        short = ShortTermMemory.from_defaults(
            session_id="s1",
            token_limit=60,
            token_flush_size=10,
            chat_history_token_ratio=0.3,
            memory_blocks=[MnemicBlock(memory, user_id="ana", speaker="Ana")],
            async_engine=engine,
        )
        for number in range(4):
            await short.aput(ChatMessage(role="user", content=f"My locker in hall {number} is green, and I like it."))
            await short.aput(ChatMessage(role="assistant", content="Good."))
        told = await short.aget(input="What colour is my locker in hall 0?")
        await engine.dispose()
        assert "<long_term_memory>" in (told[0].content or "")
        assert "hall 0" in (told[0].content or "")

    asyncio.run(main())
    flushed = memory.list(user_id="ana", kinds="episode", order="oldest")
    assert [one.text for one in flushed[:2]] == ["My locker in hall 0 is green, and I like it.", "Good."]
    assert flushed[0].scope.session_id == "s1"


def test_another_user_sees_nothing_and_resetting_can_erase(memory: Memory) -> None:
    chat(memory).put(ChatMessage(role="user", content="I moved to Porto in May."))
    other = MnemicMemory(memory, session_id="s1", user_id="ben")
    assert other.get("Where does Ana live?") == []
    chat(memory, erases=True).reset()
    assert memory.stats(user_id="ana").records == {}


def test_the_scope_is_checked_where_the_memory_is_made(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        MnemicMemory(memory, session_id="s1")
    with pytest.raises(ScopeError, match="names no user"):
        MnemicBlock(memory)
