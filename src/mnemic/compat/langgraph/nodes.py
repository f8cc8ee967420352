"""Nodes that recall before the model is asked, and remember afterwards: a long-term memory for a graph of messages.

It needs no checkpointer: what was said is found again in whatever thread, process or graph the user comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from mnemic.errors import InputError, MissingExtraError, ScopeError
from mnemic.memory import Memory
from mnemic.types import Context, ScopeArgs

try:
    from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, SystemMessage
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph import MessagesState  # pyright: ignore[reportMissingTypeStubs]
except ImportError as error:
    raise MissingExtraError("nodes of LangGraph need it: pip install 'mnemic[langgraph]'") from error

BUDGET = 1000
"""Tokens of a prompt that what is recalled may take."""
ID = "message"
"""The key of the metadata that holds a message's id in the graph."""
ROLES = {"human": "user", "ai": "assistant", "tool": "tool"}


class RecallState(MessagesState):
    """The state of a graph that recalls: `messages`, and what the model is to read, which is made anew each time."""

    llm_input_messages: list[AnyMessage]


def scope_of(config: RunnableConfig) -> ScopeArgs:
    """The scope of a run: `user_id` of its "configurable", and `thread_id` as the session. Raises ScopeError."""
    given = cast("Mapping[str, Any]", config.get("configurable") or {})
    user, thread = given.get("user_id") or given.get("langgraph_user_id"), given.get("thread_id")
    if user is None:
        raise ScopeError(
            'this run names no user: invoke the graph with config={"configurable": {"user_id": …}}, '
            "or say whose memory it is with LongTermMemory(…, scope_of=…)"
        )
    found: ScopeArgs = {"user_id": str(user)}
    if thread is not None:
        found["session_id"] = str(thread)
    return found


class LongTermMemory:
    """Two nodes: `recall` before the model, `remember` after it.

    `recall` puts into `llm_input_messages` what the model is to read: the messages, and before the last of the user's,
    what is remembered for it, in at most `budget` tokens. `remember` keeps the exchange. Both are also the hooks of
    `create_react_agent(pre_model_hook=memory.recall, post_model_hook=memory.remember)`.

    `scope_of` says whose memory it is, from a run's config; a session in it is where the exchange is kept, and narrows
    nothing that is recalled. Where the memory is bound to a user (`memory.scoped(user_id=…)`), pass one that leaves it
    out. `tools=True` keeps what tools answered, too. `threshold` and `kinds` are those of `Memory.context`.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        budget: int = BUDGET,
        scope_of: Callable[[RunnableConfig], ScopeArgs] = scope_of,
        tools: bool = False,
        threshold: float | None = None,
        kinds: str | Sequence[str] | None = None,
    ) -> None:
        self._memory, self._budget, self._scope_of = memory, budget, scope_of
        self._kept = ROLES.keys() if tools else ROLES.keys() - {"tool"}
        self._threshold, self._kinds = threshold, kinds

    def recall(self, state: Mapping[str, Any], config: RunnableConfig) -> dict[str, Any]:
        """{"llm_input_messages": the messages with what is remembered among them}."""
        messages = _messages(state)
        at = next((at for at in range(len(messages) - 1, -1, -1) if isinstance(messages[at], HumanMessage)), None)
        found = None if at is None else self.context(str(messages[at].text), config, seen=messages)
        if at is None or found is None or not found.known:
            return {"llm_input_messages": messages}
        told = SystemMessage(found.messages[0]["content"])
        return {"llm_input_messages": [*messages[:at], told, *messages[at:]]}

    def remember(self, state: Mapping[str, Any], config: RunnableConfig) -> dict[str, Any]:
        """Keep the exchange that ends here; nothing of the state changes. Keeping it twice changes nothing."""
        said = [_kept(one) for one in _exchange(_messages(state)) if one.type in self._kept and str(one.text).strip()]
        if said:
            self._memory.add(said, **self._scope_of(config))
        return {}

    def context(self, question: str, config: RunnableConfig, *, seen: Sequence[BaseMessage] = ()) -> Context | None:
        """What is remembered for a question, but for messages that the model sees anyway; None for an empty one."""
        if not question.strip():
            return None
        scope = {name: value for name, value in self._scope_of(config).items() if name != "session_id"}
        ids = [one.id for one in seen if one.id is not None]
        return self._memory.context(
            question,
            budget=self._budget,
            threshold=self._threshold,
            kinds=self._kinds,
            where={"not": {ID: {"in": ids}}} if ids else None,
            **cast("ScopeArgs", scope),
        )


def _messages(state: Mapping[str, Any]) -> list[BaseMessage]:
    found: object = state.get("messages")
    if not isinstance(found, list):
        raise InputError(f"the state has no list of messages, but {', '.join(state) or 'nothing'}: use MessagesState")
    return cast("list[BaseMessage]", found)


def _exchange(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """The last thing that the user said, in one message or several, and all behind it."""
    at = len(messages)
    while at and not isinstance(messages[at - 1], HumanMessage):
        at -= 1
    while at and isinstance(messages[at - 1], HumanMessage):
        at -= 1
    return messages[at:]


def _kept(message: BaseMessage) -> dict[str, Any]:
    """A message as `Memory.add` takes it."""
    fields = {"role": ROLES[message.type], "content": str(message.text), "name": message.name, "id": message.id}
    metadata = {} if message.id is None else {"metadata": {ID: message.id}}
    return {name: value for name, value in fields.items() if value is not None} | metadata
