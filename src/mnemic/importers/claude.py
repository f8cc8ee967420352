"""Claude's export: `conversations.json`, an array of conversations with `chat_messages`.

Beside it the archive has `memories.json` (what Claude keeps about the user) and `projects.json` (with documents).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mnemic.importers.files import Part, elements, whole
from mnemic.importers.values import (
    Item,
    Json,
    Said,
    Skipped,
    digest,
    mapping,
    name_of,
    present,
    sequence,
    short_id,
    text_of,
    time_of,
)
from mnemic.messages import json_text

LOOKS_FOR = "conversations with 'chat_messages'"
_ROLES = {"human": "user", "user": "user", "assistant": "assistant", "system": "system", "tool": "tool"}


def is_one(value: Json) -> bool:
    """Whether a JSON object is a conversation of this export."""
    return isinstance(value.get("chat_messages"), list)


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """The messages of each conversation, in order; what was attached to one comes before it."""
    for part in parts:
        name = part.name.rpartition("/")[2]
        if name == "memories.json":
            yield from _memories(part)
        elif name == "projects.json":
            yield from _projects(part)
        elif name == "users.json":
            continue
        else:
            yield from _conversations(part)


def read_one(part: Part) -> Iterator[Item]:
    """A single conversation, as some tools save it."""
    yield from _conversation(whole(part), f"'{part.name}'")


def _conversations(part: Part) -> Iterator[Item]:
    for element in elements(part):
        if is_one(mapping(element.value)):
            yield from _conversation(element.value, element.where)
        else:
            yield Skipped(element.where, "no conversation: it has no 'chat_messages'")


def _conversation(value: Mapping[Any, Any], where: str) -> Iterator[Item]:
    session = name_of(value.get("uuid")) or digest(value.get("name"), value.get("created_at"))
    about = present(title=text_of(value.get("name")))
    messages = [mapping(one) for one in sequence(value["chat_messages"])]
    branch = _branch(messages, name_of(value.get("current_leaf_message_uuid")))
    for place, message in enumerate(messages):
        at = f"{where}, message {place + 1}"
        if branch is not None and name_of(message.get("uuid")) not in branch:
            yield Skipped(at, "on a branch that was left for another")
        else:
            yield from _message(message, at, session, about, value.get("created_at"))


def _branch(messages: Sequence[Json], current: str | None) -> set[str | None] | None:
    """The ids of the messages that lead to the current one; None: all, where the export does not say."""
    parents = {name_of(one.get("uuid")): name_of(one.get("parent_message_uuid")) for one in messages}
    if current not in parents or not any(parents.values()):
        return None
    found: set[str | None] = set()
    while current in parents and current not in found:
        found.add(current)
        current = parents[current]
    return found


def _message(message: Json, where: str, session: str, about: Json, begun: object) -> Iterator[Item]:
    role = _ROLES.get(str(message.get("sender")))
    time = time_of(message.get("created_at")) or time_of(begun)
    id_ = name_of(message.get("uuid")) or f"{session}/{digest(dict(message))}"
    attached = [mapping(one) for one in sequence(message.get("attachments"))]
    names = [
        name
        for one in (*attached, *map(mapping, sequence(message.get("files"))))
        if (name := text_of(one.get("file_name")))
    ]
    for number, one in enumerate(attached, 1):
        if (extracted := text_of(one.get("extracted_content"))) is not None:
            meta = {**about, **present(file_name=text_of(one.get("file_name")))}
            yield Said(short_id(f"{id_}/attachment/{number}"), extracted, "document", None, time, session, meta)
    if role is None:
        yield Skipped(where, f"the sender {message.get('sender')!r:.40}, who is not known")
        return
    text = _text(message)
    if text is None:
        yield Skipped(where, "nothing in it that is text")
        return
    yield Said(short_id(id_), text, role, None, time, short_id(session), {**about, **present(attachments=names)})


def _text(message: Json) -> str | None:
    pieces = [piece for part in sequence(message.get("content")) if (piece := _part(mapping(part)))]
    return text_of("\n".join(pieces)) or text_of(message.get("text"))


def _part(part: Json) -> str:
    """A part as text. Thinking was not said."""
    kind = part.get("type")
    if kind == "thinking":
        return ""
    if kind == "tool_use":
        return f"{part.get('name', 'tool')}({json_text(part.get('input', {}), 'the input of a tool')})"
    if kind == "tool_result":
        inner = part.get("content")
        return inner if isinstance(inner, str) else "\n".join(_part(mapping(one)) for one in sequence(inner))
    return part["text"] if isinstance(part.get("text"), str) else f"[{kind}]" if kind else ""


def _memories(part: Part) -> Iterator[Item]:
    """What Claude has written down about the user, all of it and project by project."""
    for element in elements(part):
        value = mapping(element.value)
        texts = {"": value.get("conversations_memory"), **mapping(value.get("project_memories"))}
        for project, text in texts.items():
            if text_of(text) is not None:
                about = {"title": "Claude's memory", **present(project=project)}
                id_ = short_id(f"memory/{name_of(value.get('account_uuid')) or ''}/{project}")
                yield Said(id_, str(text), "document", session="Claude's memory", metadata=about)


def _projects(part: Part) -> Iterator[Item]:
    """The instructions and documents of projects."""
    for element in elements(part):
        project = mapping(element.value)
        name, id_ = text_of(project.get("name")), name_of(project.get("uuid")) or digest(project.get("name"))
        docs = [("instructions", project.get("prompt_template"), project.get("created_at"))]
        docs += [
            (name_of(doc.get("uuid")) or str(place), doc.get("content"), doc.get("created_at"))
            for place, doc in enumerate(map(mapping, sequence(project.get("docs"))))
        ]
        titles = {
            name_of(doc.get("uuid")) or str(place): text_of(doc.get("filename"))
            for place, doc in enumerate(map(mapping, sequence(project.get("docs"))))
        }
        for key, text, created in docs:
            if text_of(text) is None:
                yield Skipped(f"{element.where}, {key}", "nothing in it that is text")
                continue
            about = present(title=name, file_name=titles.get(key))
            yield Said(
                short_id(f"{id_}/{key}"), str(text), "document", time=time_of(created), session=id_, metadata=about
            )
