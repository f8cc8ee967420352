"""The lines of an export, read and checked: a table per kind of line says what each column may hold.

Nothing here looks at a store. What comes out can be written into one as it is, apart from what only the store knows:
whose the ids in it are.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from mnemic.changes import FILE, Values, kind_of
from mnemic.errors import InputError, MnemicError, NotFoundError, ScopeError, StoreError
from mnemic.messages import ROLES, json_object
from mnemic.scope import Reach
from mnemic.stores.sqlite import Fields
from mnemic.times import micros
from mnemic.types import SOURCES

FORMAT = 1
WALL = ("tenant", "project", "user")
_AHEAD = 24 * 3600 * 1_000_000
"""Microseconds that the clock of the store that was exported may be ahead of ours."""


@dataclass(slots=True)
class Told:
    """What an export tells of one tenant."""

    records: list[Values] = field(default_factory=list[Values])
    """Every revision, those of one record in order. `line` tells where it stands."""
    links: list[Values] = field(default_factory=list[Values])
    receipts: list[tuple[Values, list[Values]]] = field(default_factory=list[tuple[Values, list[Values]]])
    """Receipts and the steps of each."""


def read(source: object, reach: Reach | None, now: int) -> dict[str, Told]:
    """What a file or lines tell, by tenant. Raises InputError, naming the line; NotFoundError, StoreError."""
    if not isinstance(source, str | Path):
        if not isinstance(source, Iterable):
            raise InputError(
                f"source={source!r:.80} is {type(source).__name__}: pass a path, or the lines of an export"
            )
        return _told(cast("Iterable[object]", source), reach, now)
    path = Path(source)
    try:
        if not path.is_file():
            raise NotFoundError(f"there is no file '{path}' to import")
        with open(path, encoding="utf-8") as file:
            return _told(file, reach, now)
    except MnemicError:
        raise
    except OSError as error:
        raise StoreError(error.errno or errno.EIO, f"'{path}' cannot be read: {error.strerror}") from error


def has_header(path: Path) -> bool:
    """Whether a file begins as an export does; also one whose header is damaged, so that this is what is told of it."""
    try:
        with open(path, "rb") as file:
            return (
                re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:mnemic|record|link|receipt|step)"', file.read(200)) is not None
            )
    except OSError as error:
        raise StoreError(error.errno or errno.EIO, f"'{path}' cannot be read: {error.strerror}") from error


def _told(lines: Iterable[object], reach: Reach | None, now: int) -> dict[str, Told]:
    export = _Export(reach, now)
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            export.take(line, number)
    except UnicodeDecodeError as error:
        raise InputError(f"line {number + 1} or one soon after is not UTF-8 ({error}); nothing was imported") from None
    except InputError as error:
        raise type(error)(f"line {number}: {error}; nothing was imported") from None
    except (ValueError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise InputError(f"line {number} is not a line of an export ({problem:.200}); nothing was imported") from None
    if not export.begun:
        raise InputError("this is no export: it has no header line")
    return export.tenants


class _Export:
    """What was read so far, and what the next line must fit."""

    def __init__(self, reach: Reach | None, now: int) -> None:
        self.begun = False
        self.tenants: dict[str, Told] = {}
        self._reach = reach
        self._latest = now + _AHEAD
        self._last: dict[str, Values] = {}
        """The latest revision of each id."""
        self._documents: dict[tuple[Any, ...], Values] = {}
        self._receipts: set[str] = set()
        self._current = ""
        """The tenant of the receipt that steps are told of."""

    def take(self, line: object, number: int) -> None:
        """Read a line."""
        if not isinstance(line, str):
            raise InputError(f"it is {type(line).__name__}, not text")
        if not line.strip():
            return
        value: Any = json.loads(line)
        if not isinstance(value, dict) or not value:
            raise InputError("it is no JSON object")
        kind, fields = next(iter(cast("dict[str, Any]", value).items()))
        if not self.begun:
            self._header(cast("dict[str, Any]", value))
        elif kind not in _TABLES:
            raise InputError(f"a line of kind {kind!r:.40} is not known here")
        else:
            values = _checked(kind, fields)
            {"record": self._record, "link": self._link, "receipt": self._receipt, "step": self._step}[kind](
                {**values, "line": number}
            )

    def _header(self, value: Mapping[str, Any]) -> None:
        if value.get("mnemic") != "export":
            raise InputError('the first line of an export is its header, {"mnemic": "export", …}')
        number = value.get("format")
        if type(number) is not int or number < 1:
            raise InputError(f"the header's format is {number!r:.40}, not a number from 1 on")
        if number > FORMAT:
            raise InputError(f"the export has format {number}; this release reads up to {FORMAT}")
        self.begun = True

    def _record(self, values: Values) -> None:
        for problem in _faults(values):
            raise InputError(f"the record '{values['id']}' {problem}")
        self._own(values, "record")
        self._not_ahead(values, "recorded_at", "retired_at")
        last = self._last.get(values["id"])
        _follows(last, values)
        if values["document"] is not None:
            first = self._documents.setdefault((*wall_of(values), values["document"]), values)
            same = ("id", "text", "subject", "aliases", *(("part",) if values["kind"] != FILE else ()))
            if any(first[name] != values[name] for name in same):  # a file's passage may move up or down in it
                raise InputError(f"document {values['document']} of this wall is another text, in line {first['line']}")
        if values["confidence"] is not None:
            values["confidence"] = float(values["confidence"])  # as the store gives it back, and the chain hashes it
        self._last[values["id"]] = values
        self._tenant(values).records.append(values)

    def _link(self, values: Values) -> None:
        source = self._last.get(values["source_id"])
        if source is None or wall_of(source) != wall_of(values):
            raise InputError(f"the link leaves '{values['source_id']}', of which no line before tells in this wall")
        self._not_ahead(values, "recorded_at", "retired_at")
        if problem := _closed(values):
            raise InputError(f"the link {problem}")
        self._own(values, "link")
        self._tenant(values).links.append(values)

    def _receipt(self, values: Values) -> None:
        if self._reach is not None and values["tenant"] != self._reach.tenant:
            raise ScopeError(f"this receipt belongs to tenant={values['tenant']!r}, outside the scope of this call")
        if values["id"] in self._receipts:
            raise InputError(f"the receipt '{values['id']}' was told before")
        self._not_ahead(values, "at")
        self._receipts.add(values["id"])
        self._tenant(values).receipts.append((values, []))
        self._current = values["tenant"]

    def _step(self, values: Values) -> None:
        if not self._receipts:
            raise InputError("a step stands before every receipt")
        last = self._last.get(values["id"])
        if last is None or last["tenant"] != self._current or values["revision"] > last["revision"]:
            raise InputError(
                f"the step is about '{values['id']}' revision {values['revision']}, of which no line before tells"
            )
        self.tenants[self._current].receipts[-1][1].append(values)

    def _own(self, values: Values, what: str) -> None:
        reach = self._reach
        if reach is None:
            return
        stamped = what == "link" or reach.stamped(values["agent"], values["session"])
        if not stamped or not reach.owns(*wall_of(values)):
            raise ScopeError(
                f"this {what} belongs to tenant={values['tenant']!r} project={values['project']!r} "
                f"user={values['user']!r}, outside the scope of this call ({reach})"
            )

    def _not_ahead(self, values: Values, *names: str) -> None:
        for name in names:
            if values[name] is not None and values[name] > self._latest:
                raise InputError(f"{name}={values[name]} lies more than a day in the future")

    def _tenant(self, values: Values) -> Told:
        return self.tenants.setdefault(values["tenant"], Told())


def wall_of(values: Fields) -> tuple[str, str, str]:
    """The names of the wall that a record or a link lies behind."""
    return values["tenant"], values["project"], values["user"]


def _follows(last: Values | None, values: Values) -> None:
    """Refuse a revision that does not follow the one told before it."""
    expected = 1 if last is None else last["revision"] + 1
    again = last is None and values["derivation"] is not None  # one that was erased is derived again as its next
    if values["revision"] != expected and not again:
        raise InputError(f"revision {values['revision']} of '{values['id']}' stands where {expected} must")
    if last is None:
        return
    if wall_of(last) != wall_of(values):
        raise InputError(f"'{values['id']}' lies behind another wall in line {last['line']}")
    if last["retired_at"] is None:
        raise InputError(f"'{values['id']}' has an open revision before this one, in line {last['line']}")
    if last["retired_at"] > values["recorded_at"]:
        raise InputError(f"this revision of '{values['id']}' was recorded before the one in line {last['line']} ended")


def _faults(values: Values) -> Iterator[str]:
    """What does not fit together in the columns of a record."""
    act = values["kind"] == "act"
    passage = [values[name] for name in ("part", "start", "stop")]
    if act != (values["document"] is None):
        yield "is an act with a document" if act else "has no document"
    if act and (values["text"] is not None or not _is_deed(values["data"])):
        yield "is an act and needs data with 'verb' and 'arguments', and no text"
    if not act and (values["text"] is None if values["kind"] == FILE else not values["text"]):
        yield "has no text"
    if values["kind"] == "episode" and values["role"] is None:
        yield "is an episode without a role"
    if any(value is not None for value in passage) and (
        values["kind"] not in ("episode", FILE) or None in passage or values["start"] >= values["stop"]
    ):
        yield "is a passage whose part, start and stop do not fit"
    if (
        values["valid_from"] is not None
        and values["valid_to"] is not None
        and values["valid_to"] < values["valid_from"]
    ):
        yield "has a valid_to before its valid_from"
    if problem := _closed(values):
        yield problem


def _closed(values: Values) -> str:
    if (values["retired_at"] is None) != (values["closed_by"] is None):
        return "has only one of retired_at and closed_by"
    return (
        "was retired before it was recorded"
        if (values["retired_at"] or values["recorded_at"]) < values["recorded_at"]
        else ""
    )


def _is_deed(data: str | None) -> bool:
    found: Any = json.loads(data or "{}")
    return isinstance(found.get("verb"), str) and isinstance(found.get("arguments"), dict)


# -- what a column may hold


@dataclass(frozen=True, slots=True)
class _Column:
    """What a column may hold, as a test and in words."""

    fits: Callable[[Any], bool]
    expected: str
    optional: bool = False


def _optional(column: _Column) -> _Column:
    return _Column(column.fits, column.expected + ", or null", True)


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(longest: int) -> _Column:
    return _Column(
        lambda value: _is_text(value) and 0 < len(value) <= longest and not value.isspace(),
        f"a text of 1 to {longest} characters" if longest < _LONG else "a text that is not empty",
    )


def _matching(pattern: str, expected: str) -> _Column:
    return _Column(lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None, expected)


def _whole(least: int, most: int, expected: str) -> _Column:
    return _Column(lambda value: type(value) is int and least <= value <= most, expected)


def _number(least: float, most: float) -> _Column:
    return _Column(
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most,
        f"a number from {least:g} to {most:g}",
    )


def _one_of(*values: str) -> _Column:
    return _Column(lambda value: isinstance(value, str) and value in values, f"one of {', '.join(values)}")


def _is_kind(value: object) -> bool:
    return value in ("episode", "act") or bool(kind_of(value))


def _is_object(value: object) -> bool:
    return _is_text(value) and bool(json_object(json.loads(cast("str", value)), "it"))


def _is_names(value: object) -> bool:
    if not _is_text(value):
        return False
    names: Any = json.loads(cast("str", value))
    return isinstance(names, list) and all(_is_text(name) and name for name in cast("list[Any]", names))


_LONG = 2**31
_NULL = _Column(lambda value: value is None, "null", True)
_NAME = _Column(
    lambda value: value == "" or (_is_text(value) and len(value) <= 512 and bool(value.strip()) and "\0" not in value),
    "a name of at most 512 characters, or ''",
)
_ID = _matching("[a-z0-9]{1,64}", "1 to 64 letters a-z and digits")
_ROLE_NAME = _matching("[a-z][a-z0-9_]{0,39}", "lower-case letters, digits and _, at most 40")
_FLAG = _whole(0, 1, "0 or 1")
_COUNT = _whole(0, _LONG - 1, "a whole number from 0 on")
_TIME = _whole(
    micros(datetime.min.replace(tzinfo=UTC)),
    micros(datetime.max.replace(tzinfo=UTC)),
    "microseconds since 1970, in the years 1 to 9999",
)
_RECORDED = _whole(0, micros(datetime.max.replace(tzinfo=UTC)), "microseconds since 1970, up to the year 9999")
_PRECISION = _one_of("year", "month", "day", "minute", "second")
_OBJECT = _Column(_is_object, "the text of a JSON object")
_NAMES = _Column(_is_names, "the text of a JSON array of names")
_LINE_OF_TEXT = _text(_LONG)

_WALLS = dict.fromkeys(WALL, _NAME)
_HELD = {
    "recorded_at": _RECORDED,
    "retired_at": _optional(_RECORDED),
    "opened_by": _ID,
    "closed_by": _optional(_ID),
}
_TABLES: Mapping[str, Mapping[str, _Column]] = {
    "record": {
        **_WALLS,
        **_HELD,
        "document": _optional(_COUNT),
        "id": _ID,
        "revision": _whole(1, _LONG - 1, "a whole number from 1 on"),
        "kind": _Column(_is_kind, "a kind's name"),
        "key": _optional(_LINE_OF_TEXT),
        "text": _optional(_Column(_is_text, "a text")),
        "subject": _optional(_LINE_OF_TEXT),
        "aliases": _optional(_NAMES),
        "purpose": _optional(_LINE_OF_TEXT),
        "data": _optional(_OBJECT),
        "metadata": _optional(_OBJECT),
        "payload_ref": _optional(_LINE_OF_TEXT),
        "role": _optional(_one_of(*sorted(set(ROLES.values())))),
        "speaker": _optional(_Column(_is_text, "a text")),
        "agent": _optional(_text(512)),
        "session": _optional(_text(512)),
        "message_id": _optional(_Column(lambda value: _is_text(value) and 0 < len(value) <= 512, "a short text")),
        "part": _optional(_COUNT),
        "start": _optional(_COUNT),
        "stop": _optional(_COUNT),
        "source": _one_of(*SOURCES),
        "author": _optional(_Column(_is_text, "a text")),
        "confidence": _optional(_number(0, 1)),
        "pinned": _FLAG,
        "quarantined": _FLAG,
        "time": _TIME,
        "time_precision": _PRECISION,
        "valid_from": _optional(_TIME),
        "valid_to": _optional(_TIME),
        "valid_precision": _optional(_PRECISION),
        "expires_at": _optional(_TIME),
        "superseded_by": _optional(_ID),
        "derivation": _optional(_Column(_is_text, "a text")),
        "fingerprint": _optional(_matching("[0-9a-f]{32}", "32 hexadecimal digits")),
        "erased_by": _NULL,
    },
    "link": {
        **_WALLS,
        **_HELD,
        "source_id": _ID,
        "target_id": _ID,
        "role": _ROLE_NAME,
        "position": _COUNT,
        "weight": _number(-1e9, 1e9),
        "data": _optional(_OBJECT),
        "time": _optional(_TIME),
    },
    "receipt": {
        "id": _ID,
        "tenant": _NAME,
        "verb": _ROLE_NAME,
        "at": _RECORDED,
        "actor": _optional(_Column(_is_text, "a text")),
        "undoes": _optional(_ID),
        "details": _optional(_OBJECT),
    },
    "step": {
        "action": _one_of(
            "act",
            "added",
            "faded",
            "imported",
            "merged",
            "pending",
            "quarantined",
            "regained",
            "restored",
            "retired",
            "revised",
            "superseded",
        ),
        "id": _ID,
        "revision": _whole(1, _LONG - 1, "a whole number from 1 on"),
    },
}
"""Every column that a line of a kind has: no other is possible, and none may be missing."""


def _checked(kind: str, fields: object) -> Values:
    """The columns of a line. Raises InputError."""
    table = _TABLES[kind]
    if not isinstance(fields, dict):
        raise InputError(f"the {kind} is no JSON object")
    values = cast("dict[str, Any]", fields)
    for name in [*table.keys() - values.keys(), *values.keys() - table.keys()]:
        raise InputError(
            f"the {kind} has no field '{name}'" if name in table else f"{kind}s have no field {name!r:.40}"
        )
    for name, column in table.items():
        value = values[name]
        if value is None and column.optional:
            continue
        try:
            fits = column.fits(value)
        except (ValueError, RecursionError):  # JSON that is none, a kind's name that is none
            fits = False
        if not fits:
            raise InputError(f"{name}={value!r:.60} is not possible in a {kind}: it must be {column.expected}")
    return values
