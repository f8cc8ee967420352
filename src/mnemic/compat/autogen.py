"""AutoGen: a `Memory` for its agents.

long_term = MnemicMemory(memory, user_id="ana")
agent = AssistantAgent("helper", model_client=client, memory=[long_term])
result = await agent.run(task="Where do I live?")
await long_term.add_messages(result.messages)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from mnemic.compat.bound import (
    BUDGET,
    CONVERSATION,
    HEARD,
    TOOLS,
    bound,
    exact,
    is_own,
    is_own_record,
    missing,
    off_loop,
    recalled,
    text_of,
    words,
)
from mnemic.compat.transcript import EVERY, PAGE
from mnemic.errors import InputError
from mnemic.memory import Memory
from mnemic.messages import ROLES
from mnemic.types import Hit

try:
    from autogen_core import CancellationToken, FunctionCall
    from autogen_core.memory import Memory as AutoGenMemory
    from autogen_core.memory import MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
    from autogen_core.model_context import ChatCompletionContext
    from autogen_core.models import FunctionExecutionResult, SystemMessage, UserMessage
except ImportError as error:
    raise missing("autogen-core", "autogen", error) from error

_MINE = {"framework": "autogen"}
_MIME = "mime_type"
_MIMES = {mime.value: mime for mime in MemoryMimeType}


class MnemicMemory(AutoGenMemory):
    """A `Memory` of AutoGen on a Mnemic memory.

    The scope says whose it is; it must name a user, or be `shared`. A `session_id` in it names the conversation that
    goes on, whose messages the model is given anyway. `speaker` is the user's name. `update_context` adds what is
    remembered for the user's latest words, in at most `budget` tokens. `add` keeps a content word for word,
    `add_messages` what was said in a run. `query` gives at most `limit` contents. `clear` erases for good what came in
    through this class, in this scope; `close` leaves the memory open, as it may serve others.
    """

    component_type = "memory"

    def __init__(
        self,
        memory: Memory,
        *,
        speaker: str | None = None,
        budget: int = BUDGET,
        threshold: float | None = None,
        limit: int = 10,
        shared: bool = False,
        tenant_id: str | None = None,
        project_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        session_id: str | None = None,
    ) -> None:
        self._memory = bound(
            memory,
            shared=shared,
            tenant_id=tenant_id,
            project_id=project_id,
            user_id=user_id,
            agent_id=agent_id,
            session_id=session_id,
        )
        self._recall: dict[str, Any] = {"budget": budget, "threshold": threshold, "session_id": session_id}
        self._mark = {**_MINE, **({} if session_id is None else {CONVERSATION: session_id})}
        self._speaker = speaker
        self._limit = limit
        self._shared = shared

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add what is remembered for the user's latest words, unless the context tells it already."""
        messages = await model_context.get_messages()
        asked = next((text_of(one.content) for one in reversed(messages) if isinstance(one, UserMessage)), "")
        found = await off_loop(recalled, self._memory, asked, **self._recall)
        told = SystemMessage(content=found)
        if not found or told in messages:
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        await model_context.add_message(told)
        content = MemoryContent(content=found, mime_type=MemoryMimeType.TEXT)
        return UpdateContextResult(memories=MemoryQueryResult(results=[content]))

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """The contents that answer a question, best first, each with its id, time and relevance in the metadata.

        `kwargs` are those of `memory.search`, but for the scope.
        """
        asked = query if isinstance(query, str) else _text(query)
        if named := sorted(name for name in kwargs if name.endswith("_id")):
            raise InputError(f"query() takes no {named[0]}: the scope is said where this memory is made")
        options: dict[str, Any] = {"limit": self._limit, "threshold": self._recall["threshold"], "where": HEARD}
        hits = await off_loop(self._memory.search, asked, **{**options, **kwargs})
        return MemoryQueryResult(results=[_content(hit) for hit in hits])

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Keep a text, Markdown or JSON, word for word. Its metadata may name a `role` and a `name`, who says it.

        Raises InputError for images and bytes.
        """
        given = dict(content.metadata or {})
        role = str(given.get("role", "user"))
        message = {
            "role": role if role in ROLES else "user",
            "content": _text(content),
            "name": given.get("name") or (self._speaker if role == "user" else None),
            "metadata": {**given, _MIME: _mime(content), **self._mark},
        }
        await off_loop(self._keep, [message])

    async def add_messages(self, messages: Sequence[Any]) -> None:
        """Keep what was said and done in a run of AgentChat (`TaskResult.messages`), once each."""
        await off_loop(self._keep, [said for message in messages for said in self._said(message)])

    async def clear(self) -> None:
        """Erase for good what came in through this class, in this scope."""
        await off_loop(self._clear)

    async def close(self) -> None:
        """Nothing: who opened the memory closes it."""

    def _keep(self, messages: Sequence[Mapping[str, Any]]) -> None:
        if messages:
            self._memory.add(messages, metadata=self._mark, shared=self._shared)

    def _clear(self) -> None:
        mine, after = list[str](), None
        while True:
            page = self._memory.list(kinds="episode", where=_MINE, include=EVERY, limit=PAGE, after=after)
            mine += [record.id for record in page if is_own_record(self._memory, record)]
            if page.next is None:
                break
            after = page.next
        if mine:
            self._memory.erase(mine)

    def _said(self, message: Any) -> Iterator[dict[str, Any]]:
        """What there is to keep of a chat message, or of an event that tells of tools."""
        by_user = message.source == "user"
        fields = {"time": message.created_at, "name": self._speaker if by_user else message.source}
        if hasattr(message, "to_model_text"):  # a chat message; all else are events
            text = message.to_model_text()
            if text.strip() and not is_own(text):
                yield {**fields, "id": message.id, "role": "user" if by_user else "assistant", "content": words(text)}
            return
        content: object = message.content
        for place, part in enumerate(cast("list[object]", content) if isinstance(content, list) else []):
            known = {**fields, "id": f"{message.id}/{place}"}
            if isinstance(part, FunctionCall) and part.name not in TOOLS:
                yield {**known, "role": "assistant", "content": words(f"{part.name}({part.arguments})")}
            elif isinstance(part, FunctionExecutionResult) and part.content.strip() and not is_own(part.content):
                yield {**known, "role": "tool", "name": part.name, "content": words(part.content)}


def _mime(content: MemoryContent) -> str:
    given = content.mime_type
    return given.value if isinstance(given, MemoryMimeType) else given


def _text(content: MemoryContent) -> str:
    """The words of a content. Raises InputError where it has none."""
    given: object = content.content
    if isinstance(given, str):
        return words(given)
    if isinstance(given, dict):
        return exact(cast("object", given))
    raise InputError(f"a content of {_mime(content)} has no words: pass a text, Markdown or JSON")


def _content(hit: Hit) -> MemoryContent:
    """A hit as AutoGen has it, in the form in which it came in."""
    given = dict(hit.metadata)
    mime = given.pop(_MIME, MemoryMimeType.TEXT.value)
    told = {name: getattr(hit, name) for name in ("id", "kind", "relevance", "score", "speaker", "source")}
    metadata = {**given, **told, "time": hit.time.isoformat(), "session_id": hit.scope.session_id}
    content = _object(hit.text) if mime == MemoryMimeType.JSON.value else hit.text
    return MemoryContent(content=content, mime_type=_MIMES.get(mime, mime), metadata=metadata)


def _object(text: str) -> str | dict[str, Any]:
    """The JSON object that a text is; a passage of a long one stays text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return cast("dict[str, Any]", found) if isinstance(found, dict) else text
