"""Pydantic AI: message history that is long-term memory, a toolset that searches it, and instructions that recall it.

history = MnemicHistory(memory, session_id="2026-06-02", user_id="ana")
agent = Agent(
    "openai:gpt-5",
    instructions=["You help Ana.", memory_instructions(memory, user_id="ana", session_id="2026-06-02")],
    toolsets=[memory_toolset(memory, user_id="ana")],
)
result = await agent.run("Where do I live?", message_history=await history.messages())
await history.add(result.new_messages())
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Unpack, cast

from mnemic.compat.bound import (
    BUDGET,
    KEPT,
    SAVE,
    SEARCH,
    TOOLS,
    bound,
    found_for_tool,
    is_own,
    missing,
    off_loop,
    recalled,
    scope_of,
)
from mnemic.compat.transcript import Item, Transcript
from mnemic.memory import Memory
from mnemic.types import ScopeArgs

try:
    from pydantic_ai import FunctionToolset, RunContext
    from pydantic_ai.messages import (
        ModelMessage,
        ModelMessagesTypeAdapter,
        TextPart,
        ToolCallPart,
        ToolReturnPart,
        UserPromptPart,
    )
except ImportError as error:
    raise missing("pydantic-ai-slim", "pydantic-ai", error) from error

Whose = Callable[[RunContext[Any]], ScopeArgs]
"""Whose memory a run is about, by its context (`ctx.deps`): for agents that serve many users."""


class MnemicHistory:
    """The messages of one conversation, kept in a memory: they come back as they were, and are recalled later.

    The scope says whose it is; it must name a user, or be `shared`. `speaker` is the user's name, as questions may use
    it. `clear` empties the history only; with `erases=True` it erases for good what was said in it.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        session_id: str,
        speaker: str | None = None,
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
        self._erases = erases
        self._transcript = Transcript(
            mine, framework="pydantic-ai", session_id=session_id, speaker=speaker, shared=shared
        )

    async def messages(self, limit: int | None = None) -> list[ModelMessage]:
        """The history, oldest first, for `message_history=`; with a limit its newest messages."""
        kept = await off_loop(self._transcript.items, limit)
        return ModelMessagesTypeAdapter.validate_json(f"[{','.join(kept)}]")

    async def add(self, messages: Sequence[ModelMessage]) -> None:
        """Keep messages at the end of the history, such as `result.new_messages()`: all of them or none."""
        await off_loop(self._transcript.append, [item for message in messages for item in _items(message)])

    async def clear(self) -> None:
        """Empty the history."""
        await off_loop(self._transcript.clear, erase=self._erases)


def memory_instructions(
    memory: Memory,
    *,
    whose: Whose | None = None,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> Callable[[RunContext[Any]], Awaitable[str]]:
    """Instructions that tell what is remembered for the user's prompt: one of `Agent(instructions=[…])`.

    The scope is that of `memory.search`, or what `whose` makes of the run's context. A `session_id` in it names the
    conversation that goes on, whose history the model is given anyway.
    """

    async def instruct(ctx: RunContext[Any]) -> str:
        named = scope_of(ctx, whose, scope)
        return await off_loop(recalled, memory, _words(ctx.prompt), budget=budget, threshold=threshold, **named)

    return instruct


def memory_toolset(
    memory: Memory,
    *,
    whose: Whose | None = None,
    saves: bool = False,
    shared: bool = False,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> FunctionToolset[Any]:
    """The tool `search_memory`, and with `saves` also `save_memory`, whose statements are the assistant's.

    The scope is as in `memory_instructions`: no argument of a tool can change it.
    """

    async def search_memory(ctx: RunContext[Any], query: str) -> str:
        named = scope_of(ctx, whose, scope)
        return await off_loop(found_for_tool, memory, query, budget=budget, threshold=threshold, **named)

    async def save_memory(ctx: RunContext[Any], statement: str) -> str:
        named = scope_of(ctx, whose, scope)
        await off_loop(memory.remember, statement, source="assistant", shared=shared, **named)
        return KEPT

    tools: FunctionToolset[Any] = FunctionToolset()
    tools.add_function(search_memory, description=SEARCH)
    if saves:
        tools.add_function(save_memory, description=SAVE)
    return tools


def _items(message: ModelMessage) -> Iterator[Item]:
    """A message, with what there is to remember of it; the last of its words gives it back."""
    kept = ModelMessagesTypeAdapter.dump_json([message]).decode()[1:-1]
    said = [(role, text) for part in message.parts for role, text in _said(part) if text.strip()]
    yield from (Item(role, text, None) for role, text in said[:-1])
    role, text = said[-1] if said else ("assistant" if message.kind == "response" else "tool", "")
    yield Item(role, text, kept, message.kind)


def _said(part: object) -> Iterator[tuple[str, str]]:
    """Who says what in a part: users, models, calls of tools and their results."""
    if isinstance(part, UserPromptPart):
        yield "user", _words(part.content)
    elif isinstance(part, TextPart):
        yield "assistant", part.content
    elif isinstance(part, ToolCallPart) and part.tool_name not in TOOLS:
        yield "assistant", f"{part.tool_name}({part.args_as_json_str()})"
    elif isinstance(part, ToolReturnPart):
        text = part.model_response_str()
        yield "tool", "" if is_own(text) else text


def _words(content: object) -> str:
    """The words of a prompt: text, or the texts among its contents."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = cast("Sequence[object]", content)
    texts = [part if isinstance(part, str) else getattr(part, "content", None) for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str))
