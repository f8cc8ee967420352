"""What the two chat protocols say: the turns of a request, and the answer in a response. Bytes in, values out.

"openai" is `/v1/chat/completions`, "anthropic" is `/v1/messages`. Nothing here raises for what a client or a server
got wrong: what cannot be read is no conversation, and no answer.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from mnemic.errors import InputError
from mnemic.messages import messages_of

Protocol = Literal["openai", "anthropic"]
Json = Mapping[str, Any]

LONGEST_PART: Final = 2048
"""Characters of a text in a part that is no text (an image, a file), beyond which its hash is kept in its place."""
LONGEST_NAME: Final = 200
_REMINDER, _REMINDED = "<system-reminder>", "</system-reminder>"
"""Around what a coding agent adds to the user's words: no user said it."""
_THOUGHTS = ("thinking", "redacted_thinking", "reasoning")


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said in a conversation.

    `place` is that of its message in the request; `item` is the message as `Memory.add` takes it, and `text` as it
    keeps it. `digest` is equal for turns that say the same, whatever the white space.
    """

    place: int
    role: str
    item: Json
    text: str
    digest: str

    @property
    def words(self) -> str:
        """The text without the names of what is no text."""
        content: object = self.item.get("content", "")
        parts = cast("list[object]", content) if isinstance(content, list) else [content]
        return "\n".join(part if isinstance(part, str) else _words(part) for part in parts)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a request holds: its turns, without system prompts, thoughts and what tools gave (unless that was wanted).

    `body` is the JSON as text; `fields` the request without its messages; `messages` how many there are.
    """

    protocol: Protocol
    body: str
    fields: Json
    messages: int
    turns: tuple[Turn, ...]

    @property
    def last(self) -> Turn | None:
        """The last turn of the user's that is put in words."""
        return next((turn for turn in reversed(self.turns) if turn.role == "user"), None)

    @property
    def is_open(self) -> bool:
        """Whether the request ends with the user's last turn: nobody has begun to answer it."""
        return self.last is not None and self.last.place == self.messages - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says. `turn` is None where it says nothing; `whole` is whether it came to its end."""

    turn: Turn | None
    whole: bool


NO_ANSWER: Final = Answer(None, False)


def digest(*parts: str) -> str:
    """A short hash of some texts, of which none can pass for two."""
    told = json.dumps(parts, ensure_ascii=True).encode()
    return hashlib.blake2b(told, digest_size=12).hexdigest()


def _words(part: object) -> str:
    return str(cast("Json", part).get("text", "")) if isinstance(part, dict) else ""


def squeezed(text: str) -> str:
    """A text with one space for each run of white space."""
    return " ".join(text.split())


# -- requests


def conversation_of(protocol: Protocol, body: bytes, *, tools: bool = False) -> Conversation | None:
    """What a request says; None where it is no chat request. `tools` says whether what tools gave is a turn, too."""
    try:
        text = body.decode()
        fields: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    fields = cast("dict[str, Any]", fields)
    messages = fields.pop("messages", None)
    if not isinstance(messages, list):
        return None
    messages = cast("list[object]", messages)
    turns = tuple(
        turn
        for place, message in enumerate(messages)
        if isinstance(message, dict)
        for turn in _turns(protocol, place, cast("Json", message), tools)
    )
    return Conversation(protocol, text, fields, len(messages), turns)


def _turns(protocol: Protocol, place: int, message: Json, tools: bool) -> Iterator[Turn]:
    role, content = message.get("role"), message.get("content")
    if role == "user":
        results, said = _parted(content)
        if tools and results:
            yield from _turn(place, {"role": "tool", "content": results})
        yield from _turn(place, {"role": "user", "content": _unreminded(said), "name": message.get("name")})
    elif role == "assistant":
        yield from _turn(place, _said(protocol, message))
    elif role in ("tool", "function") and tools:
        yield from _turn(place, {"role": "tool", "content": content, "name": message.get("name")})


def _turn(place: int, item: Json) -> Iterator[Turn]:
    """The turn that a message is; none where it is empty, or nothing that can be kept."""
    plain: dict[str, Any] = {key: _encodable(value) for key, value in item.items() if value not in (None, "", [])}
    if isinstance(plain.get("content"), list):
        plain["content"] = [_lean(part) for part in plain["content"] if not _is_thought(part)]
    if not isinstance(name := plain.get("name"), str) or len(name) > LONGEST_NAME:
        plain.pop("name", None)
    try:
        text = next(iter(messages_of([plain], zone=None))).text
    except (InputError, RecursionError):
        return
    role = str(item["role"])
    yield Turn(place, role, plain, text, digest(role, squeezed(text)))


def _parted(content: object) -> tuple[list[object], object]:
    """What tools gave, and the user's own."""
    if not isinstance(content, list):
        return [], content
    parts = cast("list[object]", content)
    results = [part for part in parts if _type(part) == "tool_result"]
    return results, [part for part in parts if _type(part) != "tool_result"]


def _unreminded(content: object) -> object:
    """The user's words without what a coding agent added to them."""
    if isinstance(content, str):
        return _own(content)
    if not isinstance(content, list):
        return content
    parts: list[object] = []
    for part in cast("list[object]", content):
        if _type(part) != "text":
            parts.append(part)
        elif own := _own(str(cast("Json", part).get("text", ""))):
            parts.append({"type": "text", "text": own})
    return parts


def _own(text: str) -> str:
    if _REMINDER not in text:
        return text
    kept, rest = "", text
    while True:
        before, opened, after = rest.partition(_REMINDER)
        _, closed, later = after.partition(_REMINDED)
        if not opened or not closed:
            return (kept + rest).strip()
        kept, rest = kept + before, later


def _said(protocol: Protocol, message: Json) -> Json:
    """An assistant's message as `Memory.add` takes it."""
    if protocol == "anthropic":
        return {"role": "assistant", "content": message.get("content")}
    audio = message.get("audio")
    spoken = cast("Json", audio).get("transcript") if isinstance(audio, dict) else None
    calls = message.get("tool_calls")
    if not calls and isinstance(message.get("function_call"), dict):
        calls = [{"type": "function", "function": message["function_call"]}]
    return {
        "role": "assistant",
        "content": message.get("content") or message.get("refusal") or spoken,
        "tool_calls": calls,
    }


def _type(part: object) -> str:
    return str(cast("Json", part).get("type", "")) if isinstance(part, dict) else ""


def _is_thought(part: object) -> bool:
    return _type(part) in _THOUGHTS


def _lean(part: object) -> object:
    """A part as it is kept: without marks for a cache, and with hashes for what is long and no text."""
    if not isinstance(part, dict):
        return part
    fields = {key: value for key, value in cast("Json", part).items() if key not in ("cache_control", "citations")}
    return fields if "text" in fields else {key: _hashed(value) for key, value in fields.items()}


def _hashed(value: object) -> object:
    if isinstance(value, str):
        if len(value) <= LONGEST_PART:
            return value
        return {"sha256": hashlib.sha256(value.encode()).hexdigest(), "characters": len(value)}
    if isinstance(value, list):
        return [_hashed(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        fields = cast("Json", value)
        # The words of a tool and for a tool are words, however many.
        return {key: one if key in ("content", "input") else _hashed(one) for key, one in fields.items()}
    return value


def _encodable(value: object) -> object:
    """A value with what is no character (half of a surrogate pair) replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _encodable(one) for key, one in cast("Json", value).items()}
    return value


# -- responses


def answer_of(protocol: Protocol, body: bytes) -> Answer:
    """The answer in the body of a response, as one JSON object or as a stream of events; of several the first."""
    if body.lstrip()[:1] == b"{":
        message, whole = _plain_answer(protocol, body)
    else:
        read = _streamed_openai if protocol == "openai" else _streamed_anthropic
        message, whole = read(_events(body))
    if message is None:
        return NO_ANSWER
    return Answer(next(_turn(-1, _said(protocol, message)), None), whole)


def _plain_answer(protocol: Protocol, body: bytes) -> tuple[Json | None, bool]:
    try:
        told: Any = json.loads(body)
        if protocol == "anthropic":
            return (told, True) if told.get("type") == "message" else (None, False)
        first = min(told["choices"], key=lambda choice: choice.get("index", 0))
        return first["message"], True
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, False


def _events(body: bytes) -> Iterator[Any]:
    """The data of server-sent events: what JSON says, or the text where it is none."""
    lines: list[str] = []
    for line in [*body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            data, lines = "\n".join(lines), []
            try:
                yield json.loads(data)
            except (ValueError, RecursionError):
                yield data


def _streamed_openai(events: Iterator[Any]) -> tuple[Json | None, bool]:
    text: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    whole = False
    for event in events:
        if event == "[DONE]":
            whole = True
        if not isinstance(event, dict):
            continue
        if cast("Json", event).get("error"):
            return None, False
        for choice in _objects(cast("Json", event).get("choices")):
            if choice.get("index", 0) != 0:
                continue
            whole = whole or choice.get("finish_reason") is not None
            delta = choice.get("delta")
            if isinstance(delta, dict):
                _take(cast("Json", delta), text, calls)
    message = {
        "content": "".join(text),
        "tool_calls": [calls[index] for index in sorted(calls) if calls[index]["function"]["name"]],
    }
    return message, whole


def _take(delta: Json, text: list[str], calls: dict[int, dict[str, Any]]) -> None:
    """Add what a delta brings."""
    for words in (delta.get("content"), delta.get("refusal")):
        if isinstance(words, str):
            text.append(words)
        text += [str(part["text"]) for part in _objects(words) if "text" in part]
    spoken = delta.get("audio")
    if isinstance(spoken, dict):
        text.append(str(cast("Json", spoken).get("transcript") or ""))
    pieces = [*_objects(delta.get("tool_calls"))]
    if isinstance(delta.get("function_call"), dict):
        pieces.append({"index": 0, "function": delta["function_call"]})
    for piece in pieces:
        index = piece.get("index", 0)
        call = calls.setdefault(
            index if isinstance(index, int) else 0, {"type": "function", "function": {"name": "", "arguments": ""}}
        )
        if isinstance(piece.get("id"), str):
            call["id"] = piece["id"]
        function = piece.get("function")
        for name in ("name", "arguments"):
            more = cast("Json", function).get(name) if isinstance(function, dict) else None
            if isinstance(more, str):
                call["function"][name] += more


def _streamed_anthropic(events: Iterator[Any]) -> tuple[Json | None, bool]:
    blocks: dict[int, dict[str, Any]] = {}
    typed: dict[int, str] = {}
    whole = False
    for event in events:
        if not isinstance(event, dict):
            continue
        told = cast("Json", event)
        kind, index = told.get("type"), told.get("index")
        if kind == "error":
            return None, False
        if kind == "message_stop":
            whole = True
        elif kind == "content_block_start" and isinstance(index, int) and isinstance(told.get("content_block"), dict):
            blocks[index] = dict(told["content_block"])
        elif kind == "content_block_delta" and index in blocks and isinstance(told.get("delta"), dict):
            delta = cast("Json", told["delta"])
            if isinstance(delta.get("text"), str):
                blocks[index]["text"] = str(blocks[index].get("text", "")) + delta["text"]
            if isinstance(delta.get("partial_json"), str):
                typed[index] = typed.get(index, "") + delta["partial_json"]
    for index, arguments in typed.items():
        try:
            blocks[index]["input"] = json.loads(arguments)
        except (ValueError, RecursionError):
            blocks[index]["input"] = arguments
    return {"content": [blocks[index] for index in sorted(blocks)]}, whole


def _objects(value: object) -> Sequence[Json]:
    """The objects in a list; none where it is no list."""
    if not isinstance(value, list):
        return ()
    return [cast("Json", one) for one in cast("list[object]", value) if isinstance(one, dict)]


# -- what is compressed


def unpacked(body: bytes, encoding: str, limit: int) -> bytes | None:
    """A body as it was before its Content-Encoding; None for one that is not known, damaged, or beyond the limit."""
    names = [name for part in encoding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    for name in reversed(names):
        if name not in ("gzip", "x-gzip", "deflate"):
            return None
        found = _inflated(body, limit)
        if found is None:
            return None
        body = found
    return body if len(body) <= limit else None


def _inflated(body: bytes, limit: int) -> bytes | None:
    """What gzip, zlib or bare deflate packed; also the beginning of it, where it breaks off."""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        unpacking = zlib.decompressobj(window)
        try:
            found = unpacking.decompress(body, limit + 1)
        except zlib.error:
            continue
        return None if len(found) > limit else found
    return None
