"""Which format an export has, by what is in it; and the reader of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mnemic.errors import InputError, nearest
from mnemic.importers import chatgpt, claude, graph, graphiti, letta, mem0, notes, tables
from mnemic.importers.files import Part, elements, parts_of
from mnemic.importers.values import Item, Json, mapping

Read = Callable[[Sequence[Part], Mapping[str, str]], Iterator[Item]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: whose it is, what it is known by, and how its files are read."""

    name: str
    whose: str
    looks_for: str
    read: Read
    evidence: bool = False
    """Whether its statements rest on what it tells beside them."""


def _plain(read: Callable[[Sequence[Part]], Iterator[Item]]) -> Read:
    return lambda parts, columns: read(parts)


def _one(read: Callable[[Part], Iterator[Item]]) -> Read:
    return lambda parts, columns: (item for part in parts for item in read(part))


_READERS: tuple[Format, ...] = (
    Format("chatgpt", "ChatGPT's export", chatgpt.LOOKS_FOR, _plain(chatgpt.read)),
    Format("claude", "Claude's export", claude.LOOKS_FOR, _plain(claude.read)),
    Format("mem0", "mem0", mem0.LOOKS_FOR, _plain(mem0.read)),
    Format("graphiti", "Zep and Graphiti", graphiti.LOOKS_FOR, _plain(graphiti.read), evidence=True),
    Format("letta", "Letta's agent files", letta.LOOKS_FOR, _plain(letta.read)),
    Format("mcp", "MCP's reference memory server", graph.LOOKS_FOR, _plain(graph.read)),
    Format("markdown", "Obsidian, basic-memory, notes", notes.LOOKS_FOR, _plain(notes.read), evidence=True),
    Format("jsonl", "JSON Lines, or a JSON list", tables.LOOKS_FOR, tables.read_lines),
    Format("csv", "CSV", tables.LOOKS_FOR, tables.read_csv),
)
FORMATS: Mapping[str, Format] = {one.name: one for one in _READERS}
"""Every format, by its name."""
_VARIANTS: Mapping[str, Read] = {
    "chatgpt, one conversation": _one(chatgpt.read_one),
    "claude, one conversation": _one(claude.read_one),
    "mem0, history": _plain(mem0.read_history),
    "mcp, one object": _plain(graph.read_graph),
    "jsonl, a list": tables.read_list,
}
"""Other layouts of a format, by its name and theirs."""
_PEERS = {"zep": "graphiti", "obsidian": "markdown", "basic-memory": "markdown", "openai": "chatgpt", "ndjson": "jsonl"}
_CHATS = ("conversations", "memories.json", "projects.json", "users.json")
_LONGEST_LINE = 1_000_000
"""Characters of a line up to which a file is looked at as lines: one that is a single line may be all of an export."""
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Found:
    """An export: its format, the files that are read, and how."""

    format: Format
    parts: tuple[Part, ...]
    name: str
    """What is kept of its path: the last name in it."""
    layout: str = ""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def read(self) -> Read:
        return _VARIANTS[f"{self.format.name}, {self.layout}"] if self.layout else self.format.read


def items(found: Found) -> Iterator[Item]:
    """What an export holds, one item at a time. Raises InputError where it is wrong or cut off."""
    return found.read(found.parts, found.columns)


def find(path: str | Path, format: str | None = None, columns: Mapping[str, str] | None = None) -> Found:
    """The export at a path: a file, a .zip or a folder. Raises InputError, NotFoundError, StoreError."""
    path = Path(path)
    name = None if format is None else _PEERS.get(format.lower(), format.lower())
    if name is not None and name not in FORMATS:
        raise InputError(f"format={format!r} is not known{nearest(format or '', FORMATS)}: {', '.join(FORMATS)}")
    if name is None and columns:
        name = "csv" if path.suffix.lower() in (".csv", ".tsv") else "jsonl"
    parts = parts_of(path)
    seen, layout, which = _look(path, parts)
    if name is None and not seen:
        known = "; ".join(f"{one.name}: {one.looks_for}" for one in FORMATS.values())
        raise InputError(
            f"'{path.name}' has none of the formats known here. Looked for {known}. Or name one: format=NAME"
        )
    if name not in (None, seen):
        seen, layout, which = _named(name or "", parts)
    mapped = tables.columns_of(columns or {})
    if mapped and seen not in ("jsonl", "csv"):
        raise InputError(f"columns are mapped in jsonl and csv; '{path.name}' is {seen}")
    return Found(FORMATS[seen], tuple(which), path.absolute().name, layout, mapped)


def _named(name: str, parts: Sequence[Part]) -> tuple[str, str, Sequence[Part]]:
    """A format that the caller names, whatever it looks like. Layouts are told apart all the same."""
    head = _begins(parts[0]) if parts else ""
    if name == "jsonl" and head == "[":
        return name, "a list", parts
    if name in ("chatgpt", "claude"):
        chats = [part for part in parts if _is_chat(part)] or list(parts)
        return name, "one conversation" if head == "{" and len(parts) == 1 else "", chats
    if name == "mcp" and head == "{" and len(parts) == 1 and {"entities", "relations"} & _keys(parts[0]):
        return name, "one object", parts
    return name, "", parts


# -- looking


def _look(path: Path, parts: Sequence[Part]) -> tuple[str, str, Sequence[Part]]:
    """The format, its layout and the files that belong to it; "" where it is none."""
    chats = [part for part in parts if _is_chat(part)]
    conversations = [part for part in chats if part.name.rpartition("/")[2].startswith("conversations")]
    if (path.is_dir() or len(parts) > 1 or (parts and parts[0].member)) and conversations:
        seen, layout = _of_json(conversations[0])
        return (seen, layout, chats if seen == "claude" else conversations) if seen else ("", "", ())
    notes_ = [part for part in parts if part.name.lower().endswith(notes.ENDINGS)]
    if path.is_dir() or (parts and parts[0].member):
        return ("markdown", "", notes_) if notes_ else ("", "", ())
    part = parts[0]
    with part.opened() as file:
        head = file.read(len(_SQLITE))
    if head == _SQLITE:
        return ("mem0", "history", parts) if mem0.is_history(part.path) else ("", "", ())
    if notes_:
        return "markdown", "", parts
    suffix = part.path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return "csv", "", parts
    begins = _begins(part)
    if begins in ("[", "{"):
        seen, layout = (_of_lines(part) if begins == "{" else None) or _of_json(part)
        return seen, layout, parts
    return "", "", ()


def _is_chat(part: Part) -> bool:
    last = part.name.rpartition("/")[2]
    return last.endswith(".json") and last.startswith(_CHATS)


def _begins(part: Part) -> str:
    """The first character that is no space."""
    with part.text() as stream:
        try:
            while piece := stream.read(1024):
                if piece.strip():
                    return piece.strip()[0]
        except UnicodeDecodeError:
            return ""
    return ""


def _keys(part: Part) -> set[str]:
    return {str(element.key) for element in elements(part)}


def _of_lines(part: Part) -> tuple[str, str] | None:
    """The format of lines of JSON; None where the file is no lines."""
    with part.text() as stream:
        first, second = (stream.readline(_LONGEST_LINE) for _ in range(2))
    named = part.path.suffix.lower() in (".jsonl", ".ndjson")
    if len(first) == _LONGEST_LINE:
        return ("jsonl", "") if named else None
    try:
        value = mapping(json.loads(first))
    except (ValueError, RecursionError):
        return None
    if graph.is_one(value):
        return "mcp", ""
    return ("jsonl", "") if value and (named or (_has_text(value) and second.strip())) else None


def _of_json(part: Part) -> tuple[str, str]:
    """The format of a JSON array or object, by its first items and its fields."""
    seen: set[str] = set()
    for element in elements(part):
        value = mapping(element.value)
        if element.key is None:
            if known := _of_item(value):
                return known
            return ("jsonl", "a list") if _has_text(value) or isinstance(element.value, str) else ("", "")
        seen.add(element.key)
        if known := _of_field(element.key, element.index, value, seen):
            return known
    return "", ""


def _of_item(value: Json) -> tuple[str, str] | None:
    if chatgpt.is_one(value):
        return "chatgpt", ""
    if claude.is_one(value) or "conversations_memory" in value:
        return "claude", ""
    if mem0.is_one(value):
        return "mem0", ""
    if graphiti.is_one(value):
        return "graphiti", ""
    return None


def _of_field(key: str, index: int | None, value: Json, seen: set[str]) -> tuple[str, str] | None:
    """The format of an object, by a field of it, and those before."""
    if key == "mapping" and index is None:
        return "chatgpt", "one conversation"
    if key == "chat_messages":
        return "claude", "one conversation"
    if key in ("agents", "core_memory") and index is not None:
        return "letta", ""
    if key in mem0.LISTS and index is not None:
        if graphiti.is_one(value):
            return None
        return "mem0", ""
    if (key == "relations" and "relationType" in value) or (key == "entities" and "observations" in value):
        return "mcp", "one object"
    if key in (*graphiti.EPISODES, *graphiti.EDGES) and index is not None:
        return "graphiti", ""
    if key in graphiti.NODES and index is not None and "uuid" in value:
        return "graphiti", ""
    return None


def _has_text(value: Json) -> bool:
    lower = {str(name).lower() for name in value}
    return any(name in lower for name in tables.COLUMNS["text"])
