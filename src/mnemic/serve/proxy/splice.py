"""A text put into the JSON of a chat request, with every other byte as it was.

Reading JSON and writing it again changes it: numbers, escapes, the order of nothing at all. A model's prompt cache
and the one who sent the request count on the bytes; so these are only moved apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from mnemic.serve.proxy.wire import Protocol

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


def spliced(body: str, blocks: Mapping[int, str], protocol: Protocol) -> str:
    """The JSON of a request with a text before the user's words in each of the messages at these places.

    A content that is a string stays one for "openai", whose servers may know nothing else; for "anthropic" the text is
    a block of its own, so that it stays the same where a client writes a string now and a list then. In a list it
    stands behind what tools gave, which has to come first. Raises ValueError where there is no such place.
    """
    cuts: list[tuple[int, str]] = []
    left = dict(blocks)
    for place, (begin, _, _) in enumerate(_items(body, _only(body, _start(body, 0), "messages")[0])):
        if place in left:
            cuts += _cuts(body, begin, left.pop(place), protocol)
    if left:
        raise ValueError(f"there is no message {min(left)}")
    pieces: list[str] = []
    end = 0
    for at, text in cuts:
        pieces += (body[end:at], text)
        end = at
    return "".join([*pieces, body[end:]])


def _cuts(body: str, message: int, text: str, protocol: Protocol) -> list[tuple[int, str]]:
    """Where to cut a message, and what to put there."""
    begin, end, content = _only(body, message, "content")
    part = f'{{"type":"text","text":{json.dumps(text)}}}'
    if isinstance(content, str):
        if protocol == "openai":
            return [(begin + 1, json.dumps(f"{text}\n\n")[1:-1])]
        return [(begin, f'[{part},{{"type":"text","text":'), (end, "}]")]
    if isinstance(content, list):
        for at, _, found in _items(body, begin):
            if not (isinstance(found, dict) and cast("dict[str, Any]", found).get("type") == "tool_result"):
                return [(at, f"{part},")]
    raise ValueError("the message holds no words of the user's")


def _only(body: str, at: int, name: str) -> tuple[int, int, Any]:
    """Where the value of a key begins and ends. Readers disagree about keys that stand there twice, so it must not."""
    found = [(begin, end, value) for key, begin, end, value in _members(body, at) if key == name]
    if len(found) != 1:
        raise ValueError(f"{name!r} stands there {len(found)} times")
    return found[0]


def _members(body: str, at: int) -> Iterator[tuple[str, int, int, Any]]:
    """The members of an object that begins at `at`: key, where the value begins and ends, and the value."""
    _expect(body, at, "{")
    at = _start(body, at + 1)
    while body[at] != "}":
        _expect(body, at, '"')
        key, at = _DECODER.raw_decode(body, at)
        at = _start(body, at)
        _expect(body, at, ":")
        begin = _start(body, at + 1)
        value, end = _DECODER.raw_decode(body, begin)
        yield key, begin, end, value
        at = _next(body, end)


def _items(body: str, at: int) -> Iterator[tuple[int, int, Any]]:
    """The items of an array that begins at `at`: where each begins and ends, and the value."""
    _expect(body, at, "[")
    at = _start(body, at + 1)
    while body[at] != "]":
        value, end = _DECODER.raw_decode(body, at)
        yield at, end, value
        at = _next(body, end)


def _next(body: str, at: int) -> int:
    """Where the next item begins, or the end of all."""
    at = _start(body, at)
    return _start(body, at + 1) if body[at] == "," else at


def _start(body: str, at: int) -> int:
    """The next place that is no white space."""
    match = _SPACE.match(body, at)
    return at if match is None else match.end()


def _expect(body: str, at: int, sign: str) -> None:
    if body[at] != sign:
        raise ValueError(f"{sign!r} should stand at {at}, not {body[at]!r}")
