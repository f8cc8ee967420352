"""What every drop-in needs: a memory bound to its scope, what it recalls for a prompt, and calls off the event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack, cast

from mnemic.errors import InputError, MissingExtraError
from mnemic.memory import NOT_IN_MEMORY, Memory
from mnemic.types import Context, Record, ScopeArgs

CONVERSATION = "conversation"
"""The key of the metadata that names the conversation whose history a record belongs to."""
SILENT = "silent"
"""The key of the metadata that marks what is kept for a history only, and says nothing."""
HEARD: Mapping[str, Any] = {SILENT: {"ne": True}}
"""The filter that leaves those out."""
BUDGET = 1000
"""Tokens of a prompt that what is recalled may take."""
SEARCH = (
    "Search long-term memory: what was said and learned in earlier conversations with this user. Ask in a sentence."
)
"""What a model is told of the tool that searches."""
SAVE = "Keep one statement in long-term memory, for later conversations: a fact, a preference, a plan. Say it in full."
"""What a model is told of the tool that keeps."""
TOOLS = ("search_memory", "save_memory")
"""What they are called."""
INSTRUCTING = ("system", "developer")
"""Roles whose words tell a model what to do: they belong to a history, and are nothing to remember of a user."""
PREFACE = "What is remembered, as numbered quotations"
"""How what is recalled begins, in every prompt and every answer of a tool."""
KEPT = "kept"
"""What the tool that keeps answers."""

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")


async def off_loop(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a call that takes its time, while the event loop goes on."""
    return await asyncio.to_thread(call, *args, **kwargs)


def bound(memory: Memory, *, shared: bool = False, **scope: Unpack[ScopeArgs]) -> Memory:
    """The memory, bound to a scope in which it can write. Raises ScopeError here, and not in the middle of a run."""
    found = memory.scoped(**scope)
    found.add((), shared=shared)
    return found


def scope_of(context: C, whose: Callable[[C], ScopeArgs] | None, fixed: ScopeArgs) -> ScopeArgs:
    """The scope of a run: the fixed one, and what is made of the run's context, if that says whose memory it is."""
    return fixed if whose is None else cast("ScopeArgs", {**fixed, **whose(context)})


def is_own_record(memory: Memory, record: Record) -> bool:
    """Whether a record lies where a bound memory writes, and not behind fewer walls, where others may write, too."""
    mine = cast("Mapping[str, str]", memory._bound)  # pyright: ignore[reportPrivateUsage] - nothing else tells
    where = record.scope
    walls = (where.tenant_id, where.project_id, where.user_id)
    return walls == (mine.get("tenant_id"), mine.get("project_id"), mine.get("user_id"))


def context_of(
    memory: Memory,
    query: str,
    *,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> Context:
    """What is remembered for a question. A `session_id` names the conversation that goes on: the prompt holds its
    history already, so that it is left out here."""
    session = scope.pop("session_id", None)
    where = HEARD if session is None else {**HEARD, CONVERSATION: {"ne": session}}
    return memory.context(query, budget=budget, threshold=threshold, where=where, **scope)


def recalled(
    memory: Memory,
    query: str,
    *,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> str:
    """What `context_of` gives, as text for a prompt that says what it is; "" where nothing is remembered."""
    if not query.strip():
        return ""
    found = context_of(memory, query, budget=budget, threshold=threshold, **scope)
    return found.messages[0]["content"] if found.known else ""


def found_for_tool(
    memory: Memory,
    query: str,
    *,
    budget: int = BUDGET,
    threshold: float | None = None,
    **scope: Unpack[ScopeArgs],
) -> str:
    """What the tool that searches answers: as `recalled`, or "not in memory"."""
    return recalled(memory, query, budget=budget, threshold=threshold, **scope) or NOT_IN_MEMORY


def is_own(text: str) -> bool:
    """Whether a text is what a memory answered: kept once more, it would be recalled in its own name for ever."""
    return text in (KEPT, NOT_IN_MEMORY) or PREFACE in text


def exact(value: object) -> str:
    """JSON that reads back as the same value, keys in their order. Raises InputError for what JSON cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InputError(f"{value!r:.80} is not JSON ({error}), so it could not be given back as it is") from None
    return text if _is_text(text) else json.dumps(value, separators=(",", ":"))


def words(text: str) -> str:
    """A text as it can be kept: what is no character becomes '?'."""
    return text if _is_text(text) else text.encode("utf-8", "replace").decode()


def missing(framework: str, extra: str, error: ImportError) -> MissingExtraError:
    """What is raised where a framework is not installed."""
    return MissingExtraError(f"this drop-in needs {framework}: pip install 'mnemic[{extra}]' ({error})")


def text_of(content: object) -> str:
    """The words of a message's content: a string, or the texts of its parts, each on its line."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = cast("list[object]", content)
    found = [cast("Mapping[str, object]", part).get("text") if isinstance(part, Mapping) else part for part in parts]
    return "\n".join(text for text in found if isinstance(text, str))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
