"""smolagents: an agent's memory that remembers its runs and recalls earlier ones, and a tool that searches.

agent = ToolCallingAgent(tools=[SearchMemory(memory, user_id="ana")], model=model)
agent.memory = MnemicMemory(memory, user_id="ana", session_id="2026-06-02")
agent.run("Where do I live?")
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Unpack

from mnemic.compat.bound import BUDGET, SEARCH, TOOLS, bound, exact, found_for_tool, is_own, missing, recalled
from mnemic.compat.transcript import Item, Transcript
from mnemic.memory import Memory
from mnemic.types import ScopeArgs

try:
    from smolagents import Tool  # pyright: ignore[reportMissingTypeStubs]
    from smolagents.memory import (  # pyright: ignore[reportMissingTypeStubs]
        ActionStep,
        AgentMemory,
        MemoryStep,
        TaskStep,
        ToolCall,
    )
    from smolagents.models import ChatMessage, MessageRole  # pyright: ignore[reportMissingTypeStubs]
    from smolagents.utils import AgentMaxStepsError, make_json_serializable  # pyright: ignore[reportMissingTypeStubs]
except ImportError as error:
    raise missing("smolagents", "smolagents", error) from error


@dataclass
class RecallingStep(TaskStep):
    """A task, and what is remembered for it, which the model is told behind it."""

    recalled: str = ""

    def to_messages(self, summary_mode: bool = False) -> list[ChatMessage]:
        """The task, then what is remembered."""
        task = super().to_messages(summary_mode)
        found = ChatMessage(role=MessageRole.USER, content=[{"type": "text", "text": self.recalled}])
        return [*task, found] if self.recalled else task


class MnemicMemory(AgentMemory):
    """The memory of an agent, which outlives its runs: `agent.memory = MnemicMemory(memory, user_id="ana")`.

    What is remembered for a task, in at most `budget` tokens, is told with it. Tasks, calls of tools, their results and
    final answers are kept as they come; what a model thinks is not. The scope says whose it is; it must name a user, or
    be `shared`. `speaker` is the user's name. `reset` starts a conversation afresh, and forgets nothing.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        session_id: str | None = None,
        speaker: str | None = None,
        budget: int = BUDGET,
        threshold: float | None = None,
        shared: bool = False,
        tenant_id: str | None = None,
        project_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        self._memory = bound(
            memory, shared=shared, tenant_id=tenant_id, project_id=project_id, user_id=user_id, agent_id=agent_id
        )
        self._recall: dict[str, Any] = {"budget": budget, "threshold": threshold}
        self._kept: dict[str, Any] = {"session_id": session_id, "speaker": speaker, "shared": shared}
        super().__init__(system_prompt="")
        self.reset()

    def reset(self) -> None:
        """Drop the steps so far: what follows is another conversation, in which they may be recalled."""
        self.steps = _Steps(self)
        self._conversation = uuid.uuid4().hex
        self._transcript = Transcript(
            self._memory, framework="smolagents", conversation=self._conversation, **self._kept
        )

    def seen(self, step: MemoryStep) -> MemoryStep:
        """Remember a step, and give it back as the model should see it."""
        if isinstance(step, TaskStep):
            found = recalled(self._memory, step.task, session_id=self._conversation, **self._recall)
            self._transcript.append([Item("user", step.task, None)] if step.task.strip() else [])
            return RecallingStep(step.task, step.task_images, found)
        if isinstance(step, ActionStep):
            self._transcript.append([item for item in _items(step) if item.text.strip()])
        return step


class _Steps(list[Any]):
    """The steps of a run, each remembered as it comes."""

    def __init__(self, memory: MnemicMemory) -> None:
        super().__init__()
        self._memory = memory

    def append(self, step: MemoryStep) -> None:
        super().append(self._memory.seen(step))


class SearchMemory(Tool):
    """The tool `search_memory`. The scope is that of `memory.search`: no argument of the tool can change it."""

    name = "search_memory"
    description = SEARCH
    inputs = {"query": {"type": "string", "description": "What to look for, as a full sentence."}}  # noqa: RUF012
    output_type = "string"

    def __init__(
        self, memory: Memory, *, budget: int = BUDGET, threshold: float | None = None, **scope: Unpack[ScopeArgs]
    ) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._memory = memory
        self._recall: dict[str, Any] = {"budget": budget, "threshold": threshold, **scope}

    def forward(self, query: str) -> str:
        """What is remembered for a query, or "not in memory"."""
        return found_for_tool(self._memory, query, **self._recall)


def _items(step: ActionStep) -> Iterator[Item]:
    """What there is to remember of a step: calls, what they gave, and the final answer."""
    for call in step.tool_calls or ():
        told = f"{call.name}({_arguments(call)})"
        if call.name != "final_answer" and not any(f"{name}(" in told for name in TOOLS):
            yield Item("assistant", told, None)
    answer = step.action_output if step.action_output is not None else step.observations
    if step.is_final_answer or isinstance(step.error, AgentMaxStepsError):
        yield Item("assistant", "" if answer is None else str(answer), None)
    elif step.observations is not None and not is_own(step.observations):
        yield Item("tool", step.observations, None)


def _arguments(call: ToolCall) -> str:
    """A call's arguments as text: code as it is, else JSON."""
    return call.arguments if isinstance(call.arguments, str) else exact(make_json_serializable(call.arguments))
