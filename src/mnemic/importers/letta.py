"""Letta's agent files (.af): core blocks, messages, archival passages and files.

There are two layouts: of one agent, with "core_memory" and "messages"; and the later one, with "agents" (and their
messages), "blocks", "files" and, where the server writes them, "passages".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mnemic.importers.files import Part, elements
from mnemic.importers.values import (
    Item,
    Json,
    Said,
    Skipped,
    Stated,
    digest,
    mapping,
    name_of,
    present,
    sequence,
    short_id,
    text_of,
    time_of,
)

LOOKS_FOR = "an agent with 'core_memory', or 'agents' with 'blocks'"
_BLOCKS = {"human": "profile", "persona": "instruction"}
"""What the blocks that every agent has are; others are facts."""
_PASSAGES = ("passages", "archival_memory", "archival_passages")
_NOTICES = frozenset(("heartbeat", "login", "system_alert"))
_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "tool": "tool", "function": "tool"}


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """Passages and files, then messages, then blocks."""
    for part in parts:
        fields: dict[str, Any] = {}
        agents: list[str] = []
        for element in elements(part):
            value = mapping(element.value)
            if element.key == "agents":
                agents.append(name_of(value.get("name")) or name_of(value.get("id")) or "agent")
                yield from _agent(value, element.where)
            elif element.key == "files" and element.index is not None:
                yield _file(value, element.where)
            elif element.key in _PASSAGES and element.index is not None:
                yield _passage(value, element.where)
            elif element.key == "blocks" and element.index is not None:
                yield _block(value, element.where, "")
            elif element.key in ("core_memory", "messages") and element.index is not None:
                fields.setdefault(element.key, []).append(element.value)
            elif element.index is None and element.key is not None:
                fields[element.key] = element.value
        if not agents:
            yield from _agent(fields, f"'{part.name}'")


def _agent(value: Json, where: str) -> Iterator[Item]:
    name = name_of(value.get("name")) or name_of(value.get("id")) or "agent"
    for key in _PASSAGES:
        for number, passage in enumerate(sequence(value.get(key)), 1):
            yield _passage(mapping(passage), f"{where}, passage {number}")
    for number, message in enumerate(sequence(value.get("messages")), 1):
        yield _message(mapping(message), f"{where}, message {number}", name)
    for key in ("core_memory", "memory_blocks"):
        for number, block in enumerate(sequence(value.get(key)), 1):
            yield _block(mapping(block), f"{where}, block {number}", name)


def _block(value: Json, where: str, agent: str) -> Item:
    label, text = name_of(value.get("label")) or "block", text_of(value.get("value"))
    if text is None:
        return Skipped(where, "an empty block")
    return Stated(
        id=name_of(value.get("id")) or f"{agent}/{label}",
        text=text,
        kind=_BLOCKS.get(label, "fact"),
        subject=None if label in _BLOCKS else label,
        time=time_of(value.get("created_at")),
        metadata={
            **mapping(value.get("metadata") or value.get("metadata_")),
            **present(block=label, description=text_of(value.get("description")), agent=agent),
        },
    )


def _passage(value: Json, where: str) -> Item:
    text = text_of(value.get("text")) or text_of(value.get("content"))
    if text is None:
        return Skipped(where, "an empty passage")
    return Said(
        id=short_id(name_of(value.get("id")) or digest("passage", text, value.get("created_at"))),
        text=text,
        role="document",
        time=time_of(value.get("created_at")),
        session="archival memory",
        metadata={
            **mapping(value.get("metadata") or value.get("metadata_")),
            **present(tags=list(sequence(value.get("tags"))), file_name=text_of(value.get("file_name"))),
        },
    )


def _file(value: Json, where: str) -> Item:
    text = text_of(value.get("content"))
    if text is None:
        return Skipped(where, "a file without its content")
    name = text_of(value.get("original_file_name")) or text_of(value.get("file_name"))
    return Said(
        id=short_id(name_of(value.get("id")) or digest("file", name, text)),
        text=text,
        role="document",
        time=time_of(value.get("file_last_modified_date")) or time_of(value.get("file_creation_date")),
        session=short_id(name) if name else "files",
        metadata=present(file_name=name),
    )


# -- messages, which Letta packs into JSON


def _message(value: Json, where: str, agent: str) -> Item:
    role = _ROLES.get(str(value.get("role")))
    if role is None:
        return Skipped(where, f"the role {value.get('role')!r:.40}, which is not known")
    if role == "system":
        return Skipped(where, "the system's prompt, which the agent is given and nobody said")
    text, problem = _said(value, role)
    if text is None:
        return Skipped(where, problem)
    created = value.get("created_at")
    return Said(
        id=short_id(name_of(value.get("id")) or digest(agent, role, text, created)),
        text=text,
        role=role,
        name=text_of(value.get("name")),
        time=time_of(created),
        session=short_id(agent),
        metadata=present(agent=agent, model=text_of(value.get("model"))),
    )


def _said(value: Json, role: str) -> tuple[str | None, str]:
    """The words of a message; or None, and why there are none."""
    content = value.get("content", value.get("text"))
    parts = [content] if isinstance(content, str) else [_part(one) for one in sequence(content)]
    text = "\n".join(part for part in parts if part)
    packed = _unpacked(text)
    if role == "user" and packed:
        if packed.get("type") in _NOTICES:
            return None, "a notice of the system to the agent"
        return text_of(packed.get("message")) or text_of(text), "nothing in it that is text"
    if role == "tool":
        status = packed.get("message")
        if packed and status in (None, "None", ""):
            return None, "a tool's word that it is done"
        return text_of(status) or text_of(text), "nothing in it that is text"
    if role == "assistant":
        return _told(value, text)
    return text_of(text), "nothing in it that is text"


def _told(value: Json, thoughts: str) -> tuple[str | None, str]:
    """What an agent said: to the user by the tool `send_message`; else its calls of tools, or its plain words."""
    spoken: list[str] = []
    calls: list[str] = []
    for call in map(mapping, sequence(value.get("tool_calls"))):
        function = mapping(call.get("function"))
        name, arguments = str(function.get("name", "tool")), str(function.get("arguments", ""))
        message = text_of(_unpacked(arguments).get("message")) if name == "send_message" else None
        (spoken if message else calls).append(message or f"{name}({arguments})")
    if spoken or calls:
        return "\n".join(spoken or calls), ""
    return text_of(thoughts), "nothing in it that is text"


def _part(part: object) -> str:
    fields = mapping(part)
    if isinstance(part, str):
        return part
    if fields.get("type") in ("reasoning", "redacted_reasoning", "omitted_reasoning", "tool_call"):
        return ""
    if isinstance(fields.get("text"), str):
        return fields["text"]
    if fields.get("type") == "tool_return":
        inner = fields.get("content")
        return inner if isinstance(inner, str) else "\n".join(_part(one) for one in sequence(inner))
    return f"[{fields['type']}]" if fields.get("type") else ""


def _unpacked(text: str) -> Json:
    if not text.lstrip().startswith("{"):
        return {}
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}
