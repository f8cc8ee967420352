"""One entry put into a settings file, or taken out of it, and nothing else changed: in JSON with comments, and in TOML.

Whatever the file holds besides stays byte for byte as it was: other entries, comments, indentation, line ends. What
comes out is read again and compared with what was meant; where that is not so, the file is left alone.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from mnemic.errors import ConfigError

Value = Mapping[str, Any]


def with_entry(text: str, path: Sequence[str], entry: Value, kind: str) -> str:
    """The text of a file in which the object at `path` has these fields, and what else it had. `kind`: json or toml.

    Raises ConfigError where the file cannot be read, or cannot be changed safely.
    """
    before = read(text, kind)
    held: object = None
    for depth in range(1, len(path) + 1):
        held = _at(before, path[:depth])
        if held is not None and not isinstance(held, dict):
            raise ConfigError(f"{'.'.join(path[:depth])} is there and no table of settings: change it by hand first")
    merged = {**cast("Value", held or {}), **entry}
    if held == merged:
        return text
    after = _json_put(text, path, merged) if kind == "json" else _toml_put(text, path, merged)
    return _sure(after, _put(before, path, merged), kind)


def without_entry(text: str, path: Sequence[str], kind: str) -> str:
    """The text of a file without the object at `path`. Raises ConfigError as `with_entry` does."""
    before = read(text, kind)
    if _at(before, path) is None:
        return text
    wanted = _put(before, path, None)
    if kind == "toml" and not _at(wanted, path[:-1]):  # which has no table without a line of its own
        wanted = _put(wanted, path[:-1], None)
    for after in _json_cuts(text, path) if kind == "json" else (_toml_cut(text, path),):
        with suppress(ConfigError):
            return _sure(after, wanted, kind)
    raise ConfigError(_BY_HAND)


def read(text: str, kind: str) -> Value:
    """What a file holds. Raises ConfigError."""
    if kind == "toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"it is not TOML ({error}): put that right first") from error
    return {} if not text.strip("\ufeff \t\r\n") else cast("Value", _root(text).value)


_BY_HAND = "it is written in a way that cannot be changed without changing more: edit it by hand"


def _sure(after: str, wanted: Value, kind: str) -> str:
    try:
        found = read(after, kind)
    except ConfigError as error:
        raise ConfigError(_BY_HAND) from error
    if _told(found) != _told(wanted):
        raise ConfigError(_BY_HAND)
    return after


def _told(value: Value) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _at(value: object, path: Sequence[str]) -> object:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = cast("dict[str, object]", value)[name]
    return value


def _put(value: Value, path: Sequence[str], entry: Value | None) -> dict[str, Any]:
    name, rest = path[0], path[1:]
    if not rest:
        return {**value, name: entry} if entry is not None else {key: one for key, one in value.items() if key != name}
    return {**value, name: _put(cast("Value", value.get(name, {})), rest, entry)}


# -- JSON with comments and trailing commas, read with its places


@dataclass(frozen=True, slots=True)
class _Member:
    """A field of an object: its name, and where it stands."""

    name: str
    start: int
    value: _Node


@dataclass(frozen=True, slots=True)
class _Node:
    """A value, and where it stands in the text: from `start` up to `end`."""

    start: int
    end: int
    value: Any
    members: tuple[_Member, ...] = ()

    def member(self, name: str) -> _Member | None:
        """The field of this name. Raises ConfigError where there are two."""
        found = [one for one in self.members if one.name == name]
        if len(found) > 1:
            raise ConfigError(f"{name!r} is there twice: take one out by hand first")
        return found[0] if found else None


_BLANK = re.compile(r"(?:\s|\ufeff|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_WORD = re.compile(r"true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
DEEPEST = 100


def _root(text: str) -> _Node:
    start = _skip(text, 0)
    node = _node(text, start, 0)
    if _skip(text, node.end) != len(text):
        _fail(text, _skip(text, node.end))
    if not isinstance(node.value, dict):
        raise ConfigError("it holds no JSON object: put that right first")
    return node


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None
    return found.end()


def _fail(text: str, at: int) -> NoReturn:
    line = text.count("\n", 0, at) + 1
    raise ConfigError(f"it is not JSON (line {line}, near {text[at : at + 20]!r}): put that right first")


def _node(text: str, at: int, depth: int) -> _Node:
    if depth > DEEPEST:
        raise ConfigError(f"it is nested more than {DEEPEST} deep")
    if text.startswith("{", at):
        return _object(text, at, depth)
    if text.startswith("[", at):
        return _array(text, at, depth)
    found = _TEXT.match(text, at) or _WORD.match(text, at)
    if found is None:
        _fail(text, at)
    try:
        return _Node(at, found.end(), json.loads(found[0], strict=False))
    except ValueError:
        _fail(text, at)


def _object(text: str, start: int, depth: int) -> _Node:
    members: list[_Member] = []
    at = _skip(text, start + 1)
    while not text.startswith("}", at):
        name = _TEXT.match(text, at)
        if name is None:
            _fail(text, at)
        colon = _skip(text, name.end())
        if not text.startswith(":", colon):
            _fail(text, colon)
        value = _node(text, _skip(text, colon + 1), depth + 1)
        members.append(_Member(_node(text, at, depth).value, at, value))
        at = _behind(text, value.end, "}")
    return _Node(start, at + 1, {one.name: one.value.value for one in members}, tuple(members))


def _array(text: str, start: int, depth: int) -> _Node:
    items: list[Any] = []
    at = _skip(text, start + 1)
    while not text.startswith("]", at):
        item = _node(text, at, depth + 1)
        items.append(item.value)
        at = _behind(text, item.end, "]")
    return _Node(start, at + 1, items)


def _behind(text: str, end: int, closing: str) -> int:
    """Where the next item begins, or the closing bracket stands."""
    at = _skip(text, end)
    if text.startswith(",", at):
        return _skip(text, at + 1)
    if not text.startswith(closing, at):
        _fail(text, at)
    return at


# -- JSON changed


def _json_put(text: str, path: Sequence[str], entry: Value) -> str:
    if not text.strip("\ufeff \t\r\n"):
        return json.dumps(_put({}, path, entry), indent=2, ensure_ascii=False) + "\n"
    node, rest = _root(text), list(path)
    while rest:
        member = node.member(rest[0])
        if member is None:
            for name in reversed(rest[1:]):
                entry = {name: entry}
            return _inserted(text, node, rest[0], entry)
        node, rest = member.value, rest[1:]
    return text[: node.start] + _written(text, entry, _indent(text, node.start)) + text[node.end :]


def _inserted(text: str, node: _Node, name: str, value: Value) -> str:
    """The text with one more field at the end of an object."""
    closing = node.end - 1
    last = len(text[:closing].rstrip(" \t\r\n"))  # behind whatever stands last, a comment, too
    key = json.dumps(name, ensure_ascii=False) + ": "
    inner = text[node.start + 1 : closing]
    comma = ""
    if node.members:
        end = node.members[-1].value.end
        if not text.startswith(",", _skip(text, end)):
            text, last, closing = text[:end] + "," + text[end:], last + 1, closing + 1
        else:
            comma = ","  # as the file has it
        if "\n" not in inner:
            return f"{text[:last]} {key}{json.dumps(value, ensure_ascii=False)}{comma}{text[last:]}"
        indent = _indent(text, node.members[0].start)
    else:
        indent = _indent(text, node.start) + _unit(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    tail = text[last:] if "\n" in text[last:closing] else newline + _indent(text, node.start) + text[closing:]
    return f"{text[:last]}{newline}{indent}{key}{_written(text, value, indent)}{comma}{tail}"


def _json_cuts(text: str, path: Sequence[str]) -> Iterator[str]:
    """The text without a field, with the blanks before it taken along, and without: a comment may end there."""
    node = _root(text)
    for name in path[:-1]:
        member = node.member(name)
        assert member is not None
        node = member.value
    gone = node.member(path[-1])
    assert gone is not None
    place, end = node.members.index(gone), gone.value.end
    comma = _skip(text, end)
    is_last = not text.startswith(",", comma)
    end = end if is_last else comma + 1
    for start in (len(text[: gone.start].rstrip(" \t\r\n")), gone.start):
        head = text[:start]
        if is_last and place > 0:  # the comma before it goes, too
            at = _skip(text, node.members[place - 1].value.end)
            head = head[:at] + head[at + 1 :]
        bare = (
            len(node.members) == 1 and not text[node.start + 1 : start].strip() and not text[end : node.end - 1].strip()
        )
        yield head + text[node.end - 1 if bare else end :]


def _written(text: str, value: Value, indent: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    unit = _unit(text)
    lines = json.dumps(value, indent=unit or 2, ensure_ascii=False).split("\n")
    return (newline + indent).join(lines)


def _indent(text: str, at: int) -> str:
    """The blanks at the beginning of the line of a place."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """By how much the file indents."""
    members = _root(text).members
    return (_indent(text, members[0].start) if members else "") or "  "


# -- TOML changed


def _toml_put(text: str, path: Sequence[str], entry: Value) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    own = {name: value for name, value in entry.items() if not isinstance(value, dict)}
    lines = [f"{_bare(name)} = {_toml(value)}" for name, value in own.items()]
    block = _block(text, path)
    if block is None:
        head = f"[{'.'.join(map(_bare, path))}]"
        gap = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
        return text + gap + newline.join([head, *lines]) + newline
    start, end = block
    head = text[start : text.index("\n", start) + 1] if "\n" in text[start:] else text[start:] + newline
    return text[:start] + head + newline.join(lines) + newline + text[end:]


def _toml_cut(text: str, path: Sequence[str]) -> str:
    while (block := _block(text, path, within=True)) is not None:
        start, end = block
        before = text[:start]
        if before.endswith(("\n\n", "\r\n\r\n")) and (not text[end:].strip() or text[end:].startswith(("\n", "\r\n"))):
            before = before[: -2 if before.endswith("\r\n") else -1]  # the blank line that set it off
        text = before + text[end:]
    return text


_HEAD = re.compile(r"^[ \t]*\[([^\[\]\n]+)\][ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_ANY_HEAD = re.compile(r"^[ \t]*\[", re.MULTILINE)


def _block(text: str, path: Sequence[str], *, within: bool = False) -> tuple[int, int] | None:
    """Where the table of this path stands, or one `within` it: from its head up to behind its last line."""
    for head in _HEAD.finditer(text):
        named = _names(head[1])
        if named == list(path) or (within and named[: len(path)] == list(path)):
            following = _ANY_HEAD.search(text, head.end())
            end = following.start() if following else len(text)
            lines = text[head.start() : end].splitlines(keepends=True)
            while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
                lines.pop()  # blank lines and comments there belong to what follows
            return head.start(), head.start() + sum(map(len, lines))
    return None


def _names(head: str) -> list[str]:
    try:
        value: object = tomllib.loads(f"[{head}]")
    except tomllib.TOMLDecodeError:
        return []
    found: list[str] = []
    while isinstance(value, dict) and value:
        name, value = next(iter(cast("dict[str, object]", value).items()))
        found.append(name)
    return found


def _bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in cast("list[object]", value)) + "]"
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False)
    raise ConfigError(f"its value {value!r:.60} cannot be written anew: edit it by hand")
