"""mem0: what `get_all`, `search` or a memory export give as JSON, and its `history.db`.

JSON: an array of memories, or an object with them under "results" or "memories". Each has its words under "memory"
(exports by a schema of one's own may call them "content" or "text").

The history database has a row for each time a memory was added, changed or deleted, and the last messages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mnemic.errors import InputError
from mnemic.importers.files import Part, elements
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
    short_id,
    text_of,
    time_of,
)

LOOKS_FOR = "memories with their words under 'memory'"
LOOKS_FOR_IN_HISTORY = "a table 'history' with memory_id, old_memory, new_memory and event"
LISTS = ("results", "memories")
_WORDS = ("memory", "content", "text")
_HISTORY = ("memory_id", "old_memory", "new_memory", "event", "created_at")
_ROLES = frozenset(("user", "assistant", "system", "tool"))


def is_one(value: Json) -> bool:
    """Whether a JSON object is a memory."""
    return isinstance(value.get("memory"), str)


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """Each memory as a fact."""
    for part in parts:
        for element in elements(part, lambda key: key in LISTS):
            yield _memory(mapping(element.value), element.where)


def _memory(value: Json, where: str) -> Item:
    text = next((found for name in _WORDS if (found := text_of(value.get(name))) is not None), None)
    if text is None:
        return Skipped(where, "no words under 'memory'")
    created = value.get("created_at", value.get("timestamp"))
    own = mapping(value.get("metadata"))
    return Stated(
        id=name_of(value.get("id")) or digest(text, created),
        text=text,
        time=time_of(created),
        expires_at=time_of(value.get("expiration_date")),
        metadata={
            **own,
            **present(
                categories=value.get("categories"),
                updated_at=text_of(value.get("updated_at")),
                **{name: name_of(value.get(name)) for name in ("user_id", "agent_id", "run_id", "app_id", "actor_id")},
            ),
        },
        owner=name_of(value.get("user_id")),
    )


# -- the history database


def is_history(path: Path) -> bool:
    """Whether an SQLite file is mem0's history. Raises InputError where it is damaged."""
    with _opened(path) as database:
        return set(_HISTORY) <= _columns(database, "history")


def read_history(parts: Sequence[Part]) -> Iterator[Item]:
    """The versions of each memory, each superseded by the next; and the messages that it still has."""
    for part in parts:
        with _opened(part.path) as database:
            order = (
                "memory_id, created_at, updated_at, rowid"
                if "updated_at" in _columns(database, "history")
                else ("memory_id, created_at, rowid")
            )
            rows = _rows(database, f"SELECT * FROM history WHERE memory_id IS NOT NULL ORDER BY {order}", part.name)
            for id_, events in groupby(rows, key=lambda row: row["memory_id"]):
                yield from _versions(str(id_), list(events), f"'{part.name}', memory {id_}")
            if {"id", "content", "role"} <= _columns(database, "messages"):
                for row in _rows(database, "SELECT * FROM messages ORDER BY created_at, rowid", part.name):
                    yield _message(row, f"'{part.name}', message {row['id']}")


def _versions(id_: str, events: list[dict[str, Any]], where: str) -> Iterator[Item]:
    last = events[-1]
    if str(last.get("event")).upper() == "DELETE" or last.get("is_deleted"):
        yield Skipped(where, "deleted in mem0")
        return
    told = [event for event in events if text_of(event.get("new_memory")) is not None]
    if not told:
        yield Skipped(where, "no words in it")
    for number, event in enumerate(told):
        following = told[number + 1] if number + 1 < len(told) else None
        begins, ends = _when(event), None if following is None else _when(following)
        if begins is not None and ends is not None and str(ends) < str(begins):
            ends = begins
        yield Stated(
            id=id_ if following is None else f"{id_}#{number + 1}",
            text=str(event["new_memory"]),
            time=begins,
            valid_to=ends,
            superseded_by=None if following is None else id_ if number + 2 == len(told) else f"{id_}#{number + 2}",
            metadata=present(actor_id=name_of(event.get("actor_id")), role=text_of(event.get("role"))),
        )


def _when(event: Json) -> Any:
    """When a version came: `created_at` stays that of the memory, `updated_at` is that of the change."""
    return time_of(event.get("updated_at")) or time_of(event.get("created_at"))


def _message(row: Json, where: str) -> Item:
    text, role = text_of(row.get("content")), str(row.get("role"))
    if text is None or role not in _ROLES:
        return Skipped(where, "nothing in it that is text" if text is None else f"the role {role!r:.40}")
    return Said(
        id=short_id(str(row["id"])),
        text=text,
        role=role,
        name=text_of(row.get("name")),
        time=time_of(row.get("created_at")),
        session=None if (scope := name_of(row.get("session_scope"))) is None else short_id(scope),
    )


class _opened:  # noqa: N801 - reads like the function that it stands for
    """An SQLite file, opened for reading alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database = sqlite3.connect(f"file:{quote(str(self._path.absolute()))}?mode=ro", uri=True)
            self._database.row_factory = sqlite3.Row
        except sqlite3.Error as error:
            raise InputError(f"'{self._path.name}' cannot be opened as SQLite ({error})") from None
        return self._database

    def __exit__(self, *error: object) -> None:
        self._database.close()


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    try:
        return {row["name"] for row in database.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    except sqlite3.Error as error:
        raise InputError(f"it cannot be read as SQLite ({error})") from None


def _rows(database: sqlite3.Connection, sql: str, name: str) -> Iterator[dict[str, Any]]:
    try:
        for row in database.execute(sql):
            yield dict(row)
    except sqlite3.Error as error:
        raise InputError(f"'{name}' cannot be read to its end ({error})") from None
