"""The OpenAI Agents SDK itself, with its own scripted model, on sessions that are kept in a memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mnemic import Memory, ScopeError

agents = pytest.importorskip("agents", reason="needs openai-agents: pip install 'mnemic[openai-agents]'")

from agents import Agent, RunContextWrapper, Runner, function_tool  # noqa: E402
from agents.memory import Session, SessionSettings  # noqa: E402
from agents.testing import ScriptedModel, assistant_message, function_call  # noqa: E402

from mnemic.compat.openai_agents import MnemicSession, memory_instructions, memory_tools  # noqa: E402

ITEMS: list[Any] = [
    {"role": "user", "content": "I moved to Porto in May."},
    {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA=="},
    {
        "type": "function_call",
        "name": "weather",
        "call_id": "c1",
        "arguments": '{"city": "Porto", "é": "😀"}',
        "id": "f1",
    },
    {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "sunny"}]},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
            {"type": "input_text", "text": "And what is this?"},
        ],
    },
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "Porto"}},
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "A tram.", "annotations": [], "logprobs": []}],
    },
    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,BBBB", "detail": "low"}]},
    {"role": "user", "content": "long " * 1000 + "\ud800"},
]


def session(memory: Memory, session_id: str = "s1", **more: Any) -> MnemicSession:
    return MnemicSession(memory, session_id=session_id, user_id="ana", speaker="Ana", **more)


def test_it_is_a_session(memory: Memory) -> None:
    assert isinstance(session(memory), Session)


@pytest.mark.parametrize("size", [1, 3, len(ITEMS)])
def test_items_come_back_to_the_letter(memory: Memory, size: int) -> None:
    async def main() -> None:
        kept = session(memory)
        for start in range(0, len(ITEMS), size):
            await kept.add_items(ITEMS[start : start + size])
        found = await session(memory).get_items()
        assert json.dumps(found) == json.dumps(ITEMS)
        assert await kept.get_items(3) == ITEMS[-3:]
        kept.session_settings = SessionSettings(limit=2)
        assert await kept.get_items() == ITEMS[-2:]
        for item in reversed(ITEMS):
            assert await kept.pop_item() == item
        assert await kept.pop_item() is None

    asyncio.run(main())


def test_an_agent_with_tools_goes_on_where_it_was_and_recalls_in_another_session(memory: Memory) -> None:
    @function_tool
    def weather(city: str) -> str:
        return f"sunny in {city}"

    async def first() -> None:
        model = ScriptedModel(
            [
                [function_call("weather", {"city": "Porto"}, call_id="c1")],
                [assistant_message("Sunny.")],
                [assistant_message("Bye.")],
            ]
        )
        agent = Agent(name="Helper", instructions="Help.", tools=[weather], model=model)
        await Runner.run(agent, "I moved to Porto in May. How is the weather?", session=session(memory))
        result = await Runner.run(agent, "Thanks!", session=session(memory))
        assert [item.get("type", item.get("role")) for item in model.calls[-1].input] == [
            "user",
            "function_call",
            "function_call_output",
            "message",
            "user",
        ]
        assert await session(memory).get_items() == result.to_input_list()

    async def second() -> None:
        model = ScriptedModel(
            [
                [function_call("search_memory", {"query": "Where does Ana live?"}, call_id="c1")],
                [assistant_message("Porto.")],
            ]
        )
        agent = Agent(
            name="Helper",
            instructions=memory_instructions("You help.", memory, user_id="ana", session_id="s2"),
            tools=memory_tools(memory, user_id="ana", session_id="s2"),
            model=model,
        )
        await Runner.run(agent, "Where do I live?", session=session(memory, "s2"))
        told = model.calls[0].system_instructions or ""
        assert told.startswith("You help.\n\nWhat is remembered, as numbered quotations")
        assert "Porto" in told
        assert "Where do I live?" not in told, "the prompt holds it already"
        assert model.calls[1].system_instructions == told, "a turn with tools asks nothing anew"
        answered = model.calls[1].input[-1]
        assert "Porto" in answered["output"]
        assert [schema.params_json_schema["properties"].keys() for schema in model.calls[0].tools] == [{"query"}]

    asyncio.run(first())
    asyncio.run(second())
    echoes = [record for record in memory.list(user_id="ana", kinds="episode") if "numbered quotations" in record.text]
    assert echoes == [], "what was recalled is not remembered once more"


def test_one_agent_serves_many_users_by_the_context_of_the_run(memory: Memory) -> None:
    memory.add("I live in Porto.", user_id="ana")
    memory.add("I live in Lyon.", user_id="ben")

    def whose(ctx: RunContextWrapper[str]) -> Any:
        return {"user_id": ctx.context}

    async def main() -> None:
        call = function_call("search_memory", {"query": "Where do I live?", "user_id": "ben"}, call_id="c1")
        fair = function_call("search_memory", {"query": "Where do I live?"}, call_id="c2")
        save = function_call("save_memory", {"statement": "Ana likes trams."}, call_id="c3")
        model = ScriptedModel([[call], [fair], [save], [assistant_message("ok")]])
        agent = Agent(
            name="Helper",
            instructions=memory_instructions("You help.", memory, whose=whose),
            tools=memory_tools(memory, whose=whose, saves=True),
            model=model,
        )
        await Runner.run(agent, "Where do I live?", context="ana")
        for asked in model.calls:
            assert "Lyon" not in f"{asked.system_instructions} {asked.input}", "no argument reaches another's memory"
        assert "Porto" in str(model.calls[2].input[-1])

    asyncio.run(main())
    saved = memory.search("Who likes trams?", user_id="ana", kinds="fact")[0]
    assert (saved.text, saved.source) == ("Ana likes trams.", "assistant")
    assert "trams" not in str(memory.list(user_id="ben"))


def test_clearing_forgets_nothing_unless_it_erases(memory: Memory) -> None:
    async def main() -> None:
        kept = session(memory)
        await kept.add_items(ITEMS)
        await kept.clear_session()
        assert await kept.get_items() == []
        await kept.add_items([{"role": "user", "content": "Go on."}])
        assert len(await kept.get_items()) == 1
        assert any("Porto" in hit.text for hit in memory.search("Where does Ana live?", user_id="ana"))
        await session(memory, erases=True).clear_session()

    asyncio.run(main())
    assert memory.stats(user_id="ana").records == {}


def test_the_scope_is_checked_where_the_session_is_made(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        MnemicSession(memory, session_id="s1")
    MnemicSession(memory, session_id="s1", shared=True)
    with pytest.raises(ScopeError, match="is bound to user_id='ana'"):
        MnemicSession(memory.scoped(user_id="ana"), session_id="s1", user_id="ben")


def test_sessions_of_one_loop_run_side_by_side(memory: Memory) -> None:
    async def main() -> None:
        kept = [session(memory, f"s{number}") for number in range(8)]
        await asyncio.gather(*(one.add_items([{"role": "user", "content": f"I am {one.session_id}."}]) for one in kept))
        found = await asyncio.gather(*(one.get_items() for one in kept))
        assert [items[0]["content"] for items in found] == [f"I am s{number}." for number in range(8)]

    asyncio.run(main())
