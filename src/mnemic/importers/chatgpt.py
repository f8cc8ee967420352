"""ChatGPT's export: `conversations.json` (or `conversations-000.json`, …), an array of conversations.

A conversation's `mapping` is a tree of nodes, since a message may be edited and an answer made again. What the user saw
last is the branch from `current_node` to the root, and that is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mnemic.importers.files import Part, elements, whole
from mnemic.importers.values import (
    Item,
    Json,
    Said,
    Skipped,
    digest,
    epoch,
    mapping,
    name_of,
    present,
    sequence,
    short_id,
    text_of,
)

LOOKS_FOR = "conversations with a 'mapping' of messages"
_ROLES = frozenset(("user", "assistant", "system", "tool"))
_REASONING = frozenset(("thoughts", "reasoning_recap"))
_STANDING = {"user_editable_context": "custom instructions", "model_editable_context": "saved memories"}
"""What ChatGPT repeats in every conversation, and what it is."""


def is_one(value: Json) -> bool:
    """Whether a JSON object is a conversation of this export."""
    return isinstance(value.get("mapping"), Mapping)


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """The messages of each conversation, in order."""
    told: set[str] = set()
    for part in parts:
        for element in elements(part):
            if element.key is not None:
                continue
            if not is_one(mapping(element.value)):
                yield Skipped(element.where, "no conversation: it has no 'mapping'")
                continue
            yield from _conversation(element.value, element.where, told)


def read_one(part: Part) -> Iterator[Item]:
    """A single conversation, as some tools save it."""
    yield from _conversation(whole(part), f"'{part.name}'", set())


def _conversation(value: Mapping[Any, Any], where: str, told: set[str]) -> Iterator[Item]:
    nodes = {str(key): mapping(node) for key, node in mapping(value["mapping"]).items()}
    branch = _branch(nodes, name_of(value.get("current_node")))
    session = name_of(value.get("conversation_id")) or name_of(value.get("id")) or digest(value.get("title"), branch)
    title = text_of(value.get("title"))
    time = epoch(value.get("create_time"))
    for place, key in enumerate(branch):
        message = mapping(nodes[key].get("message"))
        if not message:
            continue
        time = epoch(message.get("create_time")) or time
        yield _message(message, f"{where}, message {place + 1}", key, session, title, time, told)
    for key in nodes.keys() - set(branch):
        if _text(mapping(mapping(nodes[key].get("message")).get("content"))):
            yield Skipped(f"{where}, node {key}", "on a branch that was left for another")


def _branch(nodes: Mapping[str, Json], current: str | None) -> list[str]:
    """The keys of the nodes from the root to the current one."""
    if current not in nodes:
        current = _last(nodes)
    found: dict[str, None] = {}
    while current is not None and current in nodes and current not in found:
        found[current] = None
        current = name_of(nodes[current].get("parent"))
    return list(found)[::-1]


def _last(nodes: Mapping[str, Json]) -> str | None:
    """The leaf that was written last."""
    parents = {name_of(node.get("parent")) for node in nodes.values()}
    written = {key: epoch(mapping(nodes[key].get("message")).get("create_time")) for key in nodes.keys() - parents}
    return max(sorted(written), key=lambda key: _seconds(written[key]), default=None)


def _seconds(time: datetime | None) -> float:
    return -1.0 if time is None else time.timestamp()


def _message(
    message: Json, where: str, key: str, session: str, title: str | None, time: datetime | None, told: set[str]
) -> Item:
    author, content, meta = (mapping(message.get(name)) for name in ("author", "content", "metadata"))
    kind, role = str(content.get("content_type", "text")), str(author.get("role", ""))
    text = _text(content)
    if kind in _STANDING and text is not None:
        id_ = digest(kind, text)
        if id_ in told:
            return Skipped(where, f"{_STANDING[kind]} that were told before")
        told.add(id_)
        about = _STANDING[kind]
        return Said(id_, text, "document", time=time, session=about, metadata={"title": about})
    if kind in _REASONING:
        return Skipped(where, "reasoning, which was not said")
    if meta.get("is_visually_hidden_from_conversation"):
        return Skipped(where, "hidden in the conversation")
    if text is None:
        return Skipped(where, "nothing in it that is text")
    if role not in _ROLES:
        return Skipped(where, f"the role {role!r:.40}, which is not known")
    files = [name for one in sequence(meta.get("attachments")) if (name := text_of(mapping(one).get("name")))]
    to = text_of(message.get("recipient"))
    return Said(
        id=short_id(name_of(message.get("id")) or f"{session}/{key}"),
        text=text,
        role=role,
        name=text_of(author.get("name")) if role == "tool" else None,
        time=time,
        session=short_id(session),
        metadata=present(
            title=title,
            model=text_of(meta.get("model_slug")),
            attachments=files,
            to=None if to in (None, "all") else to,
            kind=None if kind == "text" else kind,
        ),
    )


# -- what the kinds of content hold


def _text(content: Json) -> str | None:
    kind = str(content.get("content_type", "text"))
    if kind in _READ:
        return text_of(_READ[kind](content))
    return text_of(_parts(content)) or text_of(_plain(content))


def _parts(content: Json) -> str:
    return "\n".join(filter(None, map(_part, sequence(content.get("parts")))))


def _part(part: object) -> str:
    """A part as text; an image or the like is named in brackets."""
    if isinstance(part, str):
        return part
    fields = mapping(part)
    kind = str(fields.get("content_type", ""))
    if isinstance(fields.get("text"), str):
        return fields["text"]
    return f"[{kind.removesuffix('_asset_pointer').replace('_', ' ')}]" if kind else ""


def _plain(content: Json) -> str:
    return "\n".join(str(content[name]) for name in ("text", "result", "content") if text_of(content.get(name)))


def _quote(content: Json) -> str:
    return "\n".join(str(content[name]) for name in ("title", "text", "url") if text_of(content.get(name)))


def _about_user(content: Json) -> str:
    return "\n\n".join(
        str(content[name]) for name in ("user_profile", "user_instructions") if text_of(content.get(name))
    )


_READ: Mapping[str, Callable[[Json], str]] = {
    "text": _parts,
    "multimodal_text": _parts,
    "tether_quote": _quote,
    "user_editable_context": _about_user,
    "model_editable_context": lambda content: str(content.get("model_set_context") or ""),
}
