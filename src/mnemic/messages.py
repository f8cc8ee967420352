"""What callers hand to `add`, in one shape: strings, dicts, content parts, tool calls, other frameworks' messages."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, cast

from mnemic.errors import InputError
from mnemic.times import Interval, interval
from mnemic.types import SOURCES

ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "document": "document",
    "event": "event",
}
"""Roles understood, and the one that each is kept as."""

DEEPEST = 200
"""Nesting of JSON that is kept: SQLite reads none beyond 1000, and one such record would spoil every filter."""
_TIMES = ("timestamp", "created_at")
_SOURCE_OF_ROLE = {"user": "user", "assistant": "assistant", "tool": "tool", "document": "document"}
_KNOWN = frozenset(
    ["role", "content", "name", "time", "id", "source", "metadata", "session_id", "agent_id", "type", "text"]
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, checked."""

    role: str
    text: str
    speaker: str | None
    time: Interval | None
    message_id: str | None
    source: str
    metadata: str | None
    """JSON"""
    data: str | None
    """JSON of what else the message carried: tool calls, parts that are no text, other fields"""
    session: str | None
    agent: str | None


def messages_of(
    given: object,
    *,
    zone: tzinfo | None,
    source: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    default_time: Interval | None = None,
) -> Iterator[Message]:
    """The messages in what `add` was given, one by one. Raises InputError, naming the message by its place."""
    shared = _metadata("metadata", metadata)
    if source is not None and source not in SOURCES:
        raise InputError(f"source={source!r} is not known: one of {', '.join(SOURCES)}")
    for place, item in enumerate(_items(given)):
        where = f"message {place}"
        fields = _fields(item, where)
        text, extra = _content(fields, where)
        role = _role(fields, where)
        own = _metadata(f"the metadata of {where}", fields.get("metadata"))
        message_id = fields.get("id")
        if message_id is not None:
            message_id = _stamp(message_id, f"the id of {where}")
        speaker = fields.get("name")
        time = fields.get("time")
        for foreign in _TIMES:  # as other libraries call it; numbers there are epochs of one kind or another
            if time is None and isinstance(fields.get(foreign), str | datetime):
                time = fields[foreign]
        yield Message(
            role=role,
            text=text,
            speaker=None if speaker is None else _text(str(speaker), f"the name of {where}", 200),
            time=default_time if time is None else interval(time, zone, f"the time of {where}"),
            message_id=message_id,
            source=_source(fields.get("source") or source, role, where),
            metadata=json_text({**shared, **own}, f"the metadata of {where}") if shared or own else None,
            data=json_text(_unwrapped(extra), where) if extra else None,
            session=_stamp(fields.get("session_id"), f"the session_id of {where}"),
            agent=_stamp(fields.get("agent_id"), f"the agent_id of {where}"),
        )


def as_json_has_them(given: object) -> object:
    """What `add` was given, with nothing in it but what JSON has: to be sent to a server that adds it.

    Raises InputError for what is no message, or holds no text; what else is wrong with one, whoever adds it says.
    """
    if isinstance(given, str):
        return given
    return [item if isinstance(item, str) else _sent(item, place) for place, item in enumerate(_items(given))]


def _sent(item: object, place: int) -> object:
    fields = {key: _told(value) for key, value in _fields(item, f"message {place}").items()}
    _content(fields, f"message {place}")  # what is no text is said in the words that are always used
    return json.loads(json_text(_unwrapped(fields), f"message {place}"))


def _told(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str | bytes | Mapping | Sequence) or not isinstance(value, Iterable):
        return cast("object", value)
    return list(cast("Iterable[object]", value))


def json_text(value: object, name: str) -> str:
    """Canonical JSON of a value. Raises InputError where it is none."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON ({error}): use text, numbers, True/False/None, lists and dicts") from None
    if _deepest(value) > DEEPEST:
        raise InputError(f"{name} is nested more than {DEEPEST} deep: flatten it")
    return text


def _deepest(value: object) -> int:
    """How deep a JSON value is nested; one that is known to end."""
    depth, level = 0, [value]
    while level:
        inner: list[object] = []
        for one in level:
            if isinstance(one, Mapping):
                inner += cast("Mapping[str, object]", one).values()
            elif isinstance(one, list | tuple):
                inner += cast("Sequence[object]", one)
        held = any(isinstance(one, Mapping | list | tuple) for one in level)
        depth, level = depth + held, inner
    return depth


def json_object(value: object, name: str) -> str:
    """Canonical JSON of a dict. Raises InputError where it is none."""
    return json_text(_metadata(name, value), name)


def checked_text(text: object, name: str) -> str:
    """A text that can be kept word for word. Raises InputError for what is empty, or no text at all."""
    if not isinstance(text, str):
        raise InputError(f"{name} is {type(text).__name__}, not text: pass a string")
    if not text.strip():
        raise InputError(f"{name} is empty: there is nothing to remember in {text[:20]!r}")
    return _text(text, name, None)


def _items(given: object) -> Iterable[object]:
    if _is_pair(given):
        return [given]
    if (
        isinstance(given, str | bytes | Mapping)
        or _get(given, "content") is not None
        or _get(given, "role") is not None
    ):
        return [cast("object", given)]
    if isinstance(given, Iterable):
        return cast("Iterable[object]", given)
    raise InputError(
        f"messages={given!r:.80} is {type(given).__name__}: pass a string, a message such as "
        "{'role': 'user', 'content': 'hello'}, or an iterable of them"
    )


def _is_pair(item: object) -> bool:
    """Whether this is ("user", "hello"), a message in short."""
    if not isinstance(item, tuple):
        return False
    pair = cast("tuple[object, ...]", item)
    return len(pair) == 2 and all(isinstance(part, str) for part in pair) and str(pair[0]).lower() in ROLES


def _fields(item: object, where: str) -> Mapping[str, Any]:
    if _is_pair(item):
        role, content = cast("tuple[str, str]", item)
        return {"role": role, "content": content}
    if isinstance(item, str):
        return {"role": "user", "content": item}
    if isinstance(item, Mapping):
        return cast("Mapping[str, Any]", item)
    dump = cast("Callable[[], object] | None", getattr(item, "model_dump", None))
    if callable(dump):  # pydantic: OpenAI's, Anthropic's and LangChain's messages
        dumped = dump()
        if isinstance(dumped, Mapping):
            return {key: value for key, value in cast("Mapping[str, Any]", dumped).items() if value is not None}
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return {key: value for key, value in dataclasses.asdict(item).items() if value is not None}
    if _get(item, "content") is not None:
        found = {
            key: _get(item, key) for key in ("role", "type", "content", "name", "id", "tool_calls", "metadata", "time")
        }
        return {key: value for key, value in found.items() if value is not None}
    raise InputError(f"{where} is {type(item).__name__}, not a message: pass text or {{'role': …, 'content': …}}")


def _get(item: object, name: str) -> Any:
    value = getattr(item, name, None)
    return None if callable(value) else value


def _role(fields: Mapping[str, Any], where: str) -> str:
    given = fields.get("role", fields.get("type", "user"))
    role = ROLES.get(str(getattr(given, "value", given)).lower())
    if role is None:
        raise InputError(f"{where} has the unknown role {given!r}: one of {', '.join(ROLES)}")
    return role


def _content(fields: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """The text of a message, and what else it carried."""
    extra = {key: value for key, value in fields.items() if key not in _KNOWN and value not in (None, [], {}, "")}
    content = fields.get("content", fields.get("text"))
    if isinstance(content, bytes):
        raise InputError(f"the content of {where} is bytes: decode it to text first")
    pieces: list[str] = []
    if isinstance(content, str):
        pieces.append(content)
    elif isinstance(content, Iterable):
        parts: list[object] = (
            [cast("object", content)] if isinstance(content, Mapping) else list(cast("Iterable[object]", content))
        )
        pieces += [_part(part, where) for part in parts]
        if not all(
            isinstance(part, str) or _part_type(part) in ("text", "input_text", "output_text") for part in parts
        ):
            extra["parts"] = [part if isinstance(part, str) else _plain(part) for part in parts]
    elif content is not None:
        raise InputError(f"the content of {where} is {type(content).__name__}, not text or a list of parts")
    calls: object = fields.get("tool_calls") or []
    if not isinstance(calls, list | tuple):
        raise InputError(f"the tool_calls of {where} are {calls!r:.80}: pass a list of calls")
    pieces += [_call(_plain(call)) for call in cast("list[object]", calls)]
    text = "\n".join(piece for piece in pieces if piece)
    if not text.strip():
        known = ", ".join(map(str, fields)) or "nothing"
        raise InputError(f"{where} is empty: 'content' needs text (it has {known})")
    return _text(text, f"the content of {where}", None), extra


def _part_type(part: object) -> str:
    return str(_plain(part).get("type", ""))


def _part(part: object, where: str) -> str:
    """A content part as text; what is no text is named in brackets and kept in the record's data."""
    if isinstance(part, str):
        return part
    fields = _plain(part)
    kind = str(fields.get("type", "part"))
    if isinstance(fields.get("text"), str):
        return cast("str", fields["text"])
    if kind in ("tool_use", "tool_call", "function_call"):
        return _call(fields)
    if kind == "tool_result":
        inner = fields.get("content")
        if isinstance(inner, str):
            return inner
        if inner is not None and not isinstance(inner, list):
            raise InputError(f"a tool result of {where} holds {inner!r:.60}: pass text or a list of parts")
        return "\n".join(_part(item, where) for item in cast("list[object]", inner or []))
    if not fields:
        raise InputError(f"the content of {where} holds a part that is no text and no dict: {part!r:.80}")
    return f"[{kind}]"


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function")
    inner = cast("Mapping[str, Any]", function) if isinstance(function, Mapping) else call
    arguments = inner.get("arguments", inner.get("args", inner.get("input", "")))
    if not isinstance(arguments, str):
        arguments = json_text(arguments, "the arguments of a tool call")
    return f"{inner.get('name', 'tool')}({arguments})"


def _plain(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return cast("Mapping[str, Any]", dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return {}


def _unwrapped(value: object) -> object:
    """A value with the frameworks' objects in it as dicts."""
    if isinstance(value, Mapping):
        return {key: _unwrapped(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_unwrapped(item) for item in cast("Iterable[object]", value)]
    return value if isinstance(value, str | int | float | None) else (_plain(value) or value)


def _source(given: object, role: str, where: str) -> str:
    source = given or _SOURCE_OF_ROLE.get(role, "unknown")
    if source not in SOURCES:
        raise InputError(f"the source of {where} is {source!r}: one of {', '.join(SOURCES)}")
    return str(source)


def _metadata(name: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in cast("Mapping[object, Any]", value)):
        raise InputError(f"{name} is {value!r:.80}: pass a dict with text keys and JSON values")
    return dict(cast("Mapping[str, Any]", value))


def _stamp(value: object, name: str) -> str | None:
    """A caller's id, by the rule for all ids: see `scope`."""
    if value is None:
        return None
    text = _text(str(value), name, 512)
    if not text.strip() or "\0" in text:
        raise InputError(f"{name} is {text[:40]!r}: an id is not only spaces and holds no NUL")
    return text


def _text(text: str, name: str, longest: int | None) -> str:
    if longest is not None and not 0 < len(text) <= longest:
        raise InputError(f"{name} has {len(text)} characters: 1 to {longest} are possible")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} has a lone surrogate ({text[error.start]!r}) at character {error.start}, which is not text: "
            "decode the bytes with errors='replace' first"
        ) from None
    return text
