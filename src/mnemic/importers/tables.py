"""Plain JSON Lines, a JSON list, and CSV: a row is a message, or a statement where it has a kind.

Columns are found by the names that they usually have; `columns` says which is which where they have others.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mnemic.errors import InputError, nearest
from mnemic.importers.files import Part, elements, json_line, lines
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
from mnemic.messages import ROLES

LOOKS_FOR = "rows with a column such as text, content, message or body"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "content", "message", "body", "memory", "note"),
    "time": ("time", "timestamp", "created_at", "created", "date", "datetime"),
    "id": ("id", "uuid", "message_id", "key"),
    "role": ("role", "sender", "author_role"),
    "name": ("name", "speaker", "author", "user_name", "from"),
    "session": ("session", "session_id", "thread_id", "conversation_id", "conversation"),
    "kind": ("kind",),
    "subject": ("subject",),
    "valid_from": ("valid_from",),
    "valid_to": ("valid_to",),
    "user": ("user_id",),
}
"""Ours, and what others call them, the likeliest first."""
LONGEST_CELL = 10_000_000
"""Characters of one cell."""
_KIND = re.compile(r"(?!act$)[a-z][a-z0-9_]{0,39}")


def columns_of(given: Mapping[str, str]) -> Mapping[str, str]:
    """A mapping of our columns to a file's, checked. Raises InputError."""
    for ours in given:
        if ours not in COLUMNS:
            raise InputError(f"'{ours}' is no column{nearest(ours, COLUMNS)}: map {', '.join(COLUMNS)}")
    return given


def read_lines(parts: Sequence[Part], columns: Mapping[str, str]) -> Iterator[Item]:
    """Rows of JSON Lines."""
    for part in parts:
        rows = ((f"line {number}", json_line(part, number, line)) for number, line in lines(part))
        yield from _rows(part, rows, columns)


def read_list(parts: Sequence[Part], columns: Mapping[str, str]) -> Iterator[Item]:
    """Rows of a JSON list."""
    for part in parts:
        rows = ((f"item {(element.index or 0) + 1}", element.value) for element in elements(part))
        yield from _rows(part, rows, columns)


def read_csv(parts: Sequence[Part], columns: Mapping[str, str]) -> Iterator[Item]:
    """Rows of CSV, separated by whatever its first line is separated by."""
    for part in parts:
        with part.text() as stream:
            yield from _rows(part, _csv(part, stream), columns)


def _csv(part: Part, stream: io.TextIOWrapper) -> Iterator[tuple[str, Any]]:
    csv.field_size_limit(LONGEST_CELL)
    head = stream.readline(LONGEST_CELL)
    if not head.strip():
        raise InputError(f"'{part.name}' is empty, or its first line is: that must name the columns")
    separator = max(",;\t|", key=head.count)
    names = next(csv.reader([head], delimiter=separator))
    if doubled := [name for name, many in Counter(names).items() if many > 1]:
        raise InputError(f"'{part.name}' has more than one column '{doubled[0]}'")
    reader = csv.reader(stream, delimiter=separator, strict=True)
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            where = f"line {reader.line_num + 1}"
            if len(row) != len(names):
                raise InputError(f"'{part.name}', {where}: it has {len(row)} columns, and the first line {len(names)}")
            yield where, dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise InputError(f"'{part.name}', line {reader.line_num + 1}: this is not CSV ({error})") from None


def _rows(part: Part, rows: Iterator[tuple[str, Any]], columns: Mapping[str, str]) -> Iterator[Item]:
    equals: Counter[str] = Counter()
    found: Mapping[str, str] = {}
    for number, (place, value) in enumerate(rows):
        where = f"'{part.name}', {place}"
        row = {"text": value} if isinstance(value, str) else mapping(value)
        if not number or not found:
            found = _found(part, row, columns)
        if not row:
            yield Skipped(where, "no JSON object")
            continue
        yield _item(row, found if found.get("text") in row else {**_usual(row), **columns}, where, equals)


def _found(part: Part, row: Json, columns: Mapping[str, str]) -> Mapping[str, str]:
    """Which column is which, by the first row. Raises InputError where none has the text."""
    for ours, theirs in columns.items():
        if row and theirs not in row:
            raise InputError(f"'{part.name}' has no column '{theirs}' for {ours}: it has {', '.join(map(str, row))}")
    found = {**_usual(row), **columns}
    if row and "text" not in found:
        raise InputError(
            f"no column of '{part.name}' is called {', '.join(COLUMNS['text'])}: say which one holds the text "
            f"(columns={{'text': …}}); it has {', '.join(map(str, row))}"
        )
    return found


def _usual(row: Json) -> dict[str, str]:
    lower = {str(name).strip().lower(): str(name) for name in row}
    return {
        ours: lower[name]
        for ours, names in COLUMNS.items()
        if (name := next((name for name in names if name in lower), None)) is not None
    }


def _item(row: Json, columns: Mapping[str, str], where: str, equals: Counter[str]) -> Item:
    held = {ours: row.get(theirs) for ours, theirs in columns.items()}
    text = _text(held.get("text"))
    if text is None:
        return Skipped(where, "no text")
    rest = {
        str(name): value
        for name, value in row.items()
        if name not in columns.values() and value not in (None, "", [], {})
    }
    metadata = {**mapping(rest.pop("metadata", None)), **rest}
    time = time_of(held.get("time"), utc=False)
    id_ = name_of(held.get("id"))
    if id_ is None:  # by what it says, and which one it is of those that say the same
        said = digest(text, held.get("time"), held.get("role"), held.get("name"), held.get("session"))
        id_ = said if not equals[said] else f"{said}#{equals[said] + 1}"
        equals[said] += 1
    if time is None and held.get("time") not in (None, ""):
        metadata["time"] = str(held["time"])  # it cannot be read, and is not lost
    kind = text_of(held.get("kind"))
    if kind is not None and kind != "episode":
        if not _KIND.fullmatch(kind):
            return Skipped(where, f"the kind {kind!r:.40}, which cannot be one: small letters, digits and _")
        return Stated(
            id=id_,
            text=text,
            kind=kind,
            subject=text_of(held.get("subject")),
            time=time,
            valid_from=time_of(held.get("valid_from"), utc=False),
            valid_to=time_of(held.get("valid_to"), utc=False),
            metadata=metadata,
            owner=name_of(held.get("user")),
        )
    role = str(held.get("role") or "user").lower()
    if role not in ROLES:
        return Skipped(where, f"the role {role!r:.40}, which is not known")
    return Said(
        id=short_id(id_),
        text=text,
        role=role,
        name=text_of(held.get("name")),
        time=time,
        session=None if (session := name_of(held.get("session"))) is None else short_id(session),
        metadata=present(**metadata),
        owner=name_of(held.get("user")),
    )


def _text(value: object) -> str | None:
    """Words, or the words in a list of content parts."""
    if isinstance(value, str):
        return text_of(value)
    pieces = [part if isinstance(part, str) else mapping(part).get("text") for part in sequence(value)]
    return text_of("\n".join(piece for piece in pieces if isinstance(piece, str)))
