"""OpenAI Agents SDK: a `Session` whose history is long-term memory, and ways to recall it.

session = MnemicSession(memory, session_id="2026-06-02", user_id="ana")
agent = Agent(
    name="Helper",
    instructions=memory_instructions("You help Ana.", memory, user_id="ana", session_id="2026-06-02"),
    tools=memory_tools(memory, user_id="ana"),
)
result = await Runner.run(agent, "Where do I live?", session=session)
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Unpack, cast

from mnemic.compat.bound import (
    BUDGET,
    INSTRUCTING,
    KEPT,
    SAVE,
    SEARCH,
    TOOLS,
    bound,
    exact,
    found_for_tool,
    is_own,
    missing,
    off_loop,
    recalled,
    scope_of,
    text_of,
)
from mnemic.compat.transcript import Item, Transcript
from mnemic.memory import Memory
from mnemic.types import ScopeArgs

try:
    from agents import Agent, FunctionTool, RunContextWrapper, TResponseInputItem, function_tool
    from agents.memory import SessionSettings
except ImportError as error:
    raise missing("openai-agents", "openai-agents", error) from error

Whose = Callable[[RunContextWrapper[Any]], ScopeArgs]
"""Whose memory a run is about, by its context: for agents that serve many users."""


class MnemicSession:
    """A `Session` of the Agents SDK, kept in a memory: the history comes back item for item, and is recalled later.

    The scope says whose it is; it must name a user, or be `shared`. `speaker` is the user's name, as questions may use
    it. `pop_item` takes an item out of the memory, too. `clear_session` empties the history only, so that compaction
    forgets nothing; with `erases=True` it erases for good what was said in it.
    """

    session_settings: SessionSettings | None

    def __init__(
        self,
        memory: Memory,
        *,
        session_id: str,
        speaker: str | None = None,
        session_settings: SessionSettings | None = None,
        erases: bool = False,
        shared: bool = False,
        tenant_id: str | None = None,
        project_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        mine = bound(
            memory, shared=shared, tenant_id=tenant_id, project_id=project_id, user_id=user_id, agent_id=agent_id
        )
        self.session_id = session_id
        self.session_settings = session_settings
        self._erases = erases
        self._transcript = Transcript(
            mine, framework="openai-agents", session_id=session_id, speaker=speaker, shared=shared
        )

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """The history, oldest first; with a limit (or that of the settings) its newest items."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        return [json.loads(kept) for kept in await off_loop(self._transcript.items, limit)]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Keep items at the end of the history: all of them or none."""
        await off_loop(self._transcript.append, [_item(cast("Mapping[str, Any]", item)) for item in items])

    async def pop_item(self) -> TResponseInputItem | None:
        """Take the newest item back, and give it; None where there is none."""
        kept = await off_loop(self._transcript.pop)
        return None if kept is None else json.loads(kept)

    async def clear_session(self) -> None:
        """Empty the history."""
        await off_loop(self._transcript.clear, erase=self._erases)


def memory_instructions(
    instructions: str,
    memory: Memory,
    *,
    whose: Whose | None = None,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> Callable[[RunContextWrapper[Any], Agent[Any]], Awaitable[str]]:
    """Instructions for an agent, with what is remembered for the user's message at their end.

    The scope is that of `memory.search`, or what `whose` makes of the run's context. A `session_id` in it names the
    session that goes on, whose history the model is given anyway.
    """

    async def instruct(ctx: RunContextWrapper[Any], agent: Agent[Any]) -> str:
        named = scope_of(ctx, whose, scope)
        found = await off_loop(recalled, memory, _asked(ctx), budget=budget, threshold=threshold, **named)
        return f"{instructions}\n\n{found}" if found else instructions

    return instruct


def memory_tools(
    memory: Memory,
    *,
    whose: Whose | None = None,
    saves: bool = False,
    shared: bool = False,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> list[FunctionTool]:
    """The tool `search_memory`, and with `saves` also `save_memory`, whose statements are the assistant's.

    The scope is as in `memory_instructions`: no argument of a tool can change it.
    """

    async def search_memory(ctx: RunContextWrapper[Any], query: str) -> str:
        named = scope_of(ctx, whose, scope)
        return await off_loop(found_for_tool, memory, query, budget=budget, threshold=threshold, **named)

    async def save_memory(ctx: RunContextWrapper[Any], statement: str) -> str:
        named = scope_of(ctx, whose, scope)
        await off_loop(memory.remember, statement, source="assistant", shared=shared, **named)
        return KEPT

    tools = [function_tool(search_memory, description_override=SEARCH)]
    return [*tools, function_tool(save_memory, description_override=SAVE)] if saves else tools


def _asked(ctx: RunContextWrapper[Any]) -> str:
    """The user's latest words."""
    for item in reversed(ctx.turn_input):
        fields = cast("Mapping[str, Any]", item)
        if fields.get("role") == "user" and (text := text_of(fields.get("content"))):
            return text
    return ""


def _item(item: Mapping[str, Any]) -> Item:
    """An item of the Responses API, with what there is to remember of it: messages, calls and their results."""
    kept = exact(item)
    kind = str(item.get("type", "message"))
    if kind == "message":
        role = str(item.get("role", "user"))
        return Item(role, "" if role in INSTRUCTING else text_of(item.get("content")), kept, kind)
    if isinstance(item.get("arguments"), str):
        name = str(item.get("name", kind))
        told = "" if name in TOOLS else f"{name}({item['arguments']})"
        return Item("assistant", told, kept, name)
    if kind.endswith("_output"):
        told = text_of(item.get("output"))
        return Item("tool", "" if is_own(told) else told, kept, kind)
    return Item("assistant", "", kept, kind)
