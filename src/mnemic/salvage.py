"""JSON out of a model's answer, however it is wrapped or broken. Pure; standard library only.

    thoughts, fences and prose around it · single, curly and missing quotes · trailing and missing commas · comments ·
    Python's True, False, None · raw line ends and quotes inside strings · brackets that are not closed · a cut

Nothing is invented: what was broken off is left out up to the last object that is whole; what cannot be read is told.
That is why this is a reader of our own. json-repair, the usual library, closes what was cut and fills what is missing
(mangiucugna/json_repair, issues 162, 173 and 200), so that half a value arrives as a whole one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NoReturn, cast

DEEPEST = 32
"""Brackets inside each other."""
MOST_STARTS = 200
"""Brackets in prose at which reading is tried in vain; a bound on the time."""

_OPEN_THOUGHT = re.compile(r"<(?:think|thinking|thought|reasoning|reflection)>", re.IGNORECASE)
_END_OF_THOUGHT = re.compile(r"</(?:think|thinking|thought|reasoning|reflection)>", re.IGNORECASE)
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/|#[^\n]*)+", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?=[\s,\]}/#]|\Z)")
_BARE = re.compile(r"[^\s,:\[\]{}\"'][^,\[\]{}\n\"]*")
_KEY = re.compile(r"[\w$][\w$-]*")
_NEXT_KEY = re.compile(r"\s{0,200}(?:\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'|“[^”\n]{1,80}”|[\w$-]{1,40})\s{0,20}:")
_NEXT_MEMBER = re.compile(rf"{_NEXT_KEY.pattern}|\s{{0,200}}(?:[}},]|//|/\*|#|\Z)")
_NEXT_ITEM = re.compile(r"\s{0,200}(?:[\"'“‘`{\[\],]|[-+]?\d|(?:true|false|null|True|False|None)\b|//|/\*|#|\Z)")
_AFTER = re.compile(r"\s{0,200}(.|\Z)", re.DOTALL)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
_WORDS = {"true": True, "false": False, "null": None, "none": None, "undefined": None, "nan": None}
_Place = Literal["key", "member", "item"]
"""Where a value stands: before a colon, behind one, or in a list."""
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What an answer holds."""

    values: tuple[object, ...]
    """The objects and lists that stand in it, in order; of one that was cut, what is whole."""
    cut: bool = False
    """Whether it ends in the middle of one."""
    problems: tuple[str, ...] = ()
    """What had to be repaired, and what could not be read."""
    lost: bool = False
    """Whether some of that has quotes in braces, and so was probably an object: braces in prose have none."""


def salvaged(text: str) -> Salvaged:
    """The JSON in an answer. Never raises."""
    whole = _strict(text.strip())
    if whole is not None:
        return whole
    spoken = _spoken(text)
    if spoken is None:
        return Salvaged((), True, ("its thoughts never end",))
    if spoken != text and (whole := _strict(spoken.strip())) is not None:
        return whole
    return _scanned(spoken)


def _spoken(text: str) -> str | None:
    """An answer without its thoughts; None where they never end. Many templates open them in the prompt."""
    ends = list(_END_OF_THOUGHT.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    opened = _OPEN_THOUGHT.search(text)
    if ends and not rest.strip(" \n`") and opened:  # they come last
        rest = text[: opened.start()]
    opened = _OPEN_THOUGHT.search(rest)
    start = _bracket(rest, 0)
    return None if opened and (start is None or opened.start() < start) else rest


def _strict(text: str) -> Salvaged | None:
    """The answer where it is JSON, and nothing else; None where it is not."""
    if text[:1] not in ("{", "["):
        return None
    problems: list[str] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            problems.append(_twice([key for key, _ in pairs]))
        return found

    try:
        value = json.loads(text, object_pairs_hook=members, strict=False)
    except (ValueError, RecursionError):
        return None
    return Salvaged((value,), False, tuple(dict.fromkeys(problems)))


def _twice(keys: list[str]) -> str:
    key = next((key for key in keys if keys.count(key) > 1), "")
    return f"{key!r:.60} stands twice in one object; the last one counts"


def _scanned(text: str) -> Salvaged:
    """Whatever can be read from some bracket on."""
    values: list[object] = []
    problems: list[str] = []
    cut = lost = False
    at, vain = 0, 0
    while vain < MOST_STARTS and (start := _bracket(text, at)) is not None:
        reader = _Reader(text, start)
        try:
            value = reader.value(0, "item")
        except _Unreadable as error:
            problems.append(f"unreadable at {_excerpt(text, start)}: {error}")
            lost = lost or any(quote in text[start : text.find("}", start) + 1] for quote in "\"'“")
            vain += 1
            at = start + 1
            continue
        problems += reader.repairs
        at = reader.at
        if reader.cut:
            cut = True
            if value is not _NOTHING and value not in ({}, []):
                values.append(value)
            break
        values.append(value)
    if vain == MOST_STARTS:
        problems.append(f"given up after {MOST_STARTS} brackets that open nothing")
    return Salvaged(tuple(values), cut, tuple(dict.fromkeys(problems)), lost)


def _bracket(text: str, at: int) -> int | None:
    found = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(found, default=None)


def _excerpt(text: str, at: int) -> str:
    return repr(" ".join(text[at : at + 40].split()))


class _Unreadable(Exception):  # noqa: N818 - caught in this file
    """There is no JSON from here on."""


_NOTHING = object()
"""In place of a value that was broken off."""


@dataclass
class _Reader:
    """Reads one value from a place on, forgiving."""

    text: str
    at: int
    cut: bool = False
    """Whether the text ended inside the value; then nothing behind what was whole is kept."""
    repairs: list[str] = field(default_factory=list[str])

    def value(self, depth: int, place: _Place) -> object:
        if depth > DEEPEST:
            self._fail(f"more than {DEEPEST} brackets inside each other")
        self._blank()
        first = self.text[self.at : self.at + 1]
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._list(depth)
        if first in _QUOTES:
            return self._string(first, place)
        if first == "":
            self.cut = True
            return _NOTHING
        return self._plain()

    def _object(self, depth: int) -> object:
        found: dict[str, object] = {}
        keys: list[str] = []
        self.at += 1
        for end in self._members("}"):
            if end:
                break
            key = self._key()
            if self.cut:
                break
            if self.text[self.at : self.at + 1] in (",", "}"):
                self.repairs.append(f"{key!r:.40} had no value")
                value = None
            else:
                value = self.value(depth + 1, "member")
            if not self.cut or isinstance(value, list):
                found[key] = value
                keys.append(key)
            if self.cut:
                break
        if self.cut:  # of an object that was cut only the lists in it are of use: they hold whole things
            return {key: cast("object", value) for key, value in found.items() if isinstance(value, list) and value}
        if len(found) < len(keys):
            self.repairs.append(_twice(keys))
        return found

    def _list(self, depth: int) -> object:
        found: list[object] = []
        self.at += 1
        for end in self._members("]"):
            if end:
                break
            value = self.value(depth + 1, "item")
            if self.cut:
                if isinstance(value, list) and value:
                    found.append(cast("object", value))
                break
            found.append(value)
        return found

    def _members(self, close: str) -> Iterator[bool]:
        """False where a member begins, True at the end, which is passed; a cut ends it, too."""
        first = True
        while True:
            self._blank()
            here = self.text[self.at : self.at + 1]
            while here == ",":
                self.at += 1
                self._blank()
                here = self.text[self.at : self.at + 1]
                first = True
            if here == "":
                self.cut = True
                return
            if here == close:
                self.at += 1
                yield True
                return
            if here in "}]":
                self.repairs.append(f"a {close!r} was missing")
                yield True
                return
            if not first:
                if here not in '{["' and not (close == "}" and _NEXT_KEY.match(self.text, self.at)):
                    self._fail(f"expected ',' or {close!r}")
                self.repairs.append("a comma was missing")
            first = False
            yield False
            if self.cut:
                return

    def _key(self) -> str:
        quote = self.text[self.at]
        if quote in _QUOTES:
            key = self._string(quote, "key")
            if self.cut:
                return ""
        else:
            bare = _KEY.match(self.text, self.at)
            if bare is None:
                self._fail("expected a key")
            key = bare[0]
            self.at = bare.end()
        self._blank()
        if self.at >= len(self.text):
            self.cut = True
            return ""
        if self.text[self.at] != ":":
            self._fail(f"expected ':' behind {key!r:.40}")
        self.at += 1
        self._blank()
        return str(key)

    def _string(self, opening: str, place: _Place) -> object:
        closing = _QUOTES[opening]
        self.at += 1
        parts: list[str] = []
        text, at = self.text, self.at
        while at < len(text):
            character = text[at]
            if character == "\\":
                part, at = _escaped(text, at)
                parts.append(part)
            elif character == closing and _closes(text, at + 1, place):
                self.at = at + 1
                return "".join(parts)
            else:
                parts.append(character)
                at += 1
        self.at = at
        self.cut = True
        return _NOTHING

    def _plain(self) -> object:
        """A number, a word that stands for a value, or a text without its quotes."""
        number = _NUMBER.match(self.text, self.at)
        bare = number or _BARE.match(self.text, self.at)
        if bare is None:
            self._fail("expected a value")
        self.at = bare.end()
        if self.at >= len(self.text):
            self.cut = True
            return _NOTHING
        word = bare[0].strip()
        if number:
            return _number(word)
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        self.repairs.append(f"{word!r:.40} had no quotes")
        return word

    def _blank(self) -> None:
        if found := _BLANK.match(self.text, self.at):
            self.at = found.end()

    def _fail(self, why: str) -> NoReturn:
        raise _Unreadable(why)


def _closes(text: str, at: int, place: _Place) -> bool:
    """Whether a quote ends its string, by what follows: models forget to escape those inside.

    In JSON the first one that is not escaped does, and something that may follow a string follows it.
    """
    after = _AFTER.match(text, at)
    follows = after[1] if after else ""
    if place == "key" or follows in ("", "}", "]", "/", "#"):
        return True
    if follows == ",":
        comma = text.index(",", at) + 1
        return (_NEXT_MEMBER if place == "member" else _NEXT_ITEM).match(text, comma) is not None
    comma_missing = follows in _QUOTES or "\n" in text[at : text.index(follows, at)]
    return comma_missing and place == "member" and _NEXT_KEY.match(text, at) is not None


def _escaped(text: str, at: int) -> tuple[str, int]:
    """What a backslash and what is behind it stand for, and where they end."""
    letter = text[at + 1 : at + 2]
    size = {"x": 2, "u": 4, "U": 8}.get(letter, 0)  # the first and the last are Python's
    digits = text[at + 2 : at + 2 + size]
    if not size or not re.fullmatch(f"[0-9a-fA-F]{{{size}}}", digits) or int(digits, 16) > 0x10FFFF:
        return _ESCAPES.get(letter, letter), at + 2
    point, end = int(digits, 16), at + 2 + size
    low = re.match(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})", text[end : end + 6])
    if 0xD800 <= point < 0xDC00 and low:
        return chr(0x10000 + ((point - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)), end + 6
    return chr(point), end


def _number(word: str) -> object:
    try:
        return int(word) if re.fullmatch(r"[-+]?\d+", word) else float(word)
    except ValueError:  # more digits than Python turns into a number
        return word
