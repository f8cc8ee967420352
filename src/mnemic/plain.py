"""Mnemic's values as JSON, and back: one form for the command, for every server and for every client.

A value is an object of its fields by name; a time is ISO 8601 in UTC. What is read again equals what was written.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from mnemic.errors import InputError

T = TypeVar("T")


def as_json(value: object) -> str:
    """A value of Mnemic's as one line of JSON."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def plain(value: object) -> Any:
    """A value of Mnemic's as what JSON knows: dicts, lists, strings, numbers, true, false and null."""
    return json.loads(as_json(value))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in told_of(type(value))}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def told_of(kind: type) -> Sequence[Field[Any]]:
    """The fields of a value that its JSON has: all but those that mean something in one process only."""
    return [field for field in fields(kind) if field.repr]


def read(kind: type[T], value: object) -> T:
    """The value of a kind (a dataclass, or a tuple of one) that JSON tells of; fields that it lacks have their default.

    Fields that this release does not know are left out, so that a newer server may say more. Raises InputError where
    the JSON tells of no such value.
    """
    try:
        return cast("T", _read(kind, value))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"this is no {getattr(kind, '__name__', kind)}: {error}") from error


def _read(kind: Any, value: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _read(next(part for part in parts if part is not type(None)), value)
    if is_dataclass(kind):
        hints = hints_of(cast("type", kind))
        given = {field.name: field for field in told_of(cast("type", kind)) if field.name in value}
        return cast("Any", kind)(**{name: _read(hints[name], value[name]) for name in given})
    if kind is datetime:
        return datetime.fromisoformat(value)
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return tuple(_read(parts[0], one) for one in value)
        return tuple(_read(part, one) for part, one in zip(parts, value, strict=True))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    if origin is Literal and value not in parts:
        raise ValueError(f"{value!r} is none of {', '.join(map(repr, parts))}")
    return value


@lru_cache(maxsize=64)
def hints_of(kind: type) -> Mapping[str, Any]:
    """The types of a value's fields, by name."""
    return get_type_hints(kind)
