"""LlamaIndex: a chat memory and a memory block on a Mnemic memory, and a tool that searches it.

chat = MnemicMemory(memory, session_id="2026-06-02", user_id="ana")
agent = FunctionAgent(llm=llm, tools=[memory_tool(memory, user_id="ana")])
response = await agent.run("Where do I live?", memory=chat)

# or beside LlamaIndex's own short-term memory:
chat = Memory.from_defaults(session_id="2026-06-02", memory_blocks=[MnemicBlock(memory, user_id="ana")])
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Unpack, cast

from mnemic.compat.bound import (
    BUDGET,
    INSTRUCTING,
    SEARCH,
    TOOLS,
    bound,
    found_for_tool,
    is_own,
    missing,
    off_loop,
    recalled,
)
from mnemic.compat.transcript import Item, Transcript
from mnemic.memory import Memory
from mnemic.types import ScopeArgs

try:
    from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.memory import BaseMemory, BaseMemoryBlock
    from llama_index.core.tools import FunctionTool
except ImportError as error:
    raise missing("llama-index-core", "llama-index", error) from error

_ROLES = {"chatbot": "assistant", "model": "assistant", "function": "tool"}


class MnemicMemory(BaseMemory):
    """A `BaseMemory` of LlamaIndex: the chat history of one session, and what is remembered from others before it.

    The scope says whose it is; it must name a user, or be `shared`. `speaker` is the user's name, as questions may use
    it. `get` gives the history, behind a system message of at most `budget` tokens with what is remembered for the
    user's latest words. `reset` and `set` empty the history only; with `erases=True` `reset` erases for good what was
    said in it.
    """

    _memory: Memory = PrivateAttr()
    _transcript: Transcript = PrivateAttr()
    _recall: dict[str, Any] = PrivateAttr()
    _erases: bool = PrivateAttr()

    def __init__(
        self,
        memory: Memory,
        *,
        session_id: str,
        speaker: str | None = None,
        budget: int = BUDGET,
        threshold: float | None = None,
        erases: bool = False,
        shared: bool = False,
        tenant_id: str | None = None,
        project_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        super().__init__()
        self._memory = bound(
            memory, shared=shared, tenant_id=tenant_id, project_id=project_id, user_id=user_id, agent_id=agent_id
        )
        self._transcript = Transcript(
            self._memory, framework="llama-index", session_id=session_id, speaker=speaker, shared=shared
        )
        self._recall = {"budget": budget, "threshold": threshold, "session_id": session_id}
        self._erases = erases

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "MnemicMemory"

    @classmethod
    def from_defaults(cls, **kwargs: Any) -> MnemicMemory:
        """The same as the class itself: `memory` and `session_id` have no default."""
        return cls(**kwargs)

    def get(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:
        """What is remembered for the input (or the user's latest words), and the history."""
        history = self.get_all()
        asked = input if isinstance(input, str) else _latest(history)
        found = recalled(self._memory, asked, **self._recall)
        return [ChatMessage(role=MessageRole.SYSTEM, content=found), *history] if found else history

    def get_all(self) -> list[ChatMessage]:
        """The history, oldest first."""
        return [ChatMessage.model_validate_json(kept) for kept in self._transcript.items()]

    def put(self, message: ChatMessage) -> None:
        """Keep a message at the end of the history."""
        self.put_messages([message])

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Keep messages at the end of the history: all of them or none."""
        self._transcript.append([item for message in messages for item in _items(message)])

    def set(self, messages: list[ChatMessage]) -> None:
        """Have these messages for a history. What was in it before stays remembered, and is not remembered twice."""
        given = [one for one in messages if one.role != MessageRole.SYSTEM or not is_own(one.content or "")]
        new, held = [_kept(message) for message in given], self._transcript.items()
        if new[: len(held)] != held:
            self._transcript.clear()
            told = set(held)
            self._transcript.append(
                [
                    item if kept not in told else Item(item.role, "", item.kept, item.kind)
                    for message, kept in zip(given, new, strict=True)
                    for item in _items(message)
                ]
            )
        else:
            self.put_messages(given[len(held) :])

    def reset(self) -> None:
        """Empty the history."""
        self._transcript.clear(erase=self._erases)


class MnemicBlock(BaseMemoryBlock[str]):
    """A memory block for LlamaIndex's own `Memory`: tells what is remembered, and keeps what that one flushes.

    The scope says whose it is; it must name a user, or be `shared`. What is still in the short-term memory has not been
    kept yet: `Memory` hands on the oldest messages where they exceed its limit.
    """

    name: str = "long_term_memory"
    _memory: Memory = PrivateAttr()
    _recall: dict[str, Any] = PrivateAttr()
    _speaker: str | None = PrivateAttr()
    _shared: bool = PrivateAttr()

    def __init__(
        self,
        memory: Memory,
        *,
        name: str = "long_term_memory",
        description: str | None = None,
        priority: int = 0,
        speaker: str | None = None,
        budget: int = BUDGET,
        threshold: float | None = None,
        shared: bool = False,
        tenant_id: str | None = None,
        project_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        super().__init__(name=name, description=description, priority=priority)
        self._memory = bound(
            memory, shared=shared, tenant_id=tenant_id, project_id=project_id, user_id=user_id, agent_id=agent_id
        )
        self._recall = {"budget": budget, "threshold": threshold}
        self._speaker, self._shared = speaker, shared

    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        return await off_loop(recalled, self._memory, _latest(messages or []), **self._recall)

    async def _aput(self, messages: list[ChatMessage]) -> None:
        sessions = [message.additional_kwargs.pop("session_id", None) for message in messages]
        transcript = Transcript(
            self._memory,
            framework="llama-index-block",
            session_id=next((one for one in sessions if one), self.name),
            speaker=self._speaker,
            shared=self._shared,
        )
        items = [item for message in messages for item in _items(message) if item.text.strip()]
        await off_loop(transcript.append, items)


def memory_tool(
    memory: Memory, *, budget: int = BUDGET, threshold: float | None = None, **scope: Unpack[ScopeArgs]
) -> FunctionTool:
    """The tool `search_memory`. The scope is that of `memory.search`: no argument of the tool can change it."""

    def search_memory(query: str) -> str:
        return found_for_tool(memory, query, budget=budget, threshold=threshold, **scope)

    async def asearch_memory(query: str) -> str:
        return await off_loop(search_memory, query)

    return FunctionTool.from_defaults(
        fn=search_memory, async_fn=asearch_memory, name="search_memory", description=SEARCH
    )


def _latest(messages: Sequence[ChatMessage]) -> str:
    """The user's latest words."""
    said = (message.content for message in reversed(messages) if message.role == MessageRole.USER)
    return next((text for text in said if text), "")


def _kept(message: ChatMessage) -> str:
    return message.model_dump_json()


def _items(message: ChatMessage) -> Iterator[Item]:
    """A message, with what there is to remember of it; the last of its words gives it back."""
    role = str(message.role.value)
    role = _ROLES.get(role, role)
    text = message.content or ""
    silent = role in INSTRUCTING or (role == "tool" and is_own(text))
    said = [] if silent else [text, *_calls(message)]
    said = [words for words in said if words.strip()]
    yield from (Item(role, words, None) for words in said[:-1])
    yield Item(role, said[-1] if said else "", _kept(message), "message")


def _calls(message: ChatMessage) -> Iterator[str]:
    """The calls of tools that a message makes, but those of a memory's own."""
    for block in message.blocks:
        if isinstance(block, ToolCallBlock) and block.tool_name not in TOOLS:
            given = block.tool_kwargs
            yield f"{block.tool_name}({given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)})"
    dumped = message.model_dump(include={"additional_kwargs"})["additional_kwargs"]
    for call in cast("list[dict[str, Any]]", dumped.get("tool_calls") or ()):  # as OpenAI's models have them
        function = cast("dict[str, Any]", call.get("function") or {})
        if function.get("name") and function["name"] not in TOOLS:
            yield f"{function['name']}({function.get('arguments', '')})"
