"""What a verb is given in a body or in a query, checked against its table; and its answer as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from mnemic.errors import InputError
from mnemic.plain import as_json
from mnemic.serve.verbs import Parameter, Verb, verbs


@cache
def model_of(name: str) -> type[BaseModel]:
    """A pydantic model of a verb's parameters: exactly these, of exactly these types."""
    verb = verbs()[name]
    fields: dict[str, Any] = {}
    for one in verb.parameters:
        default: Any = ... if one.required else None
        bounds = Field(default, ge=one.schema.get("minimum"), le=one.schema.get("maximum"))
        fields[one.name] = (one.kind, bounds)
    return create_model(
        f"{verb.path.title()}Parameters",
        __config__=ConfigDict(strict=True, extra="forbid", validate_default=False, allow_inf_nan=False),
        **fields,
    )


def checked(verb: Verb, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that were given, of the right types. Raises ParameterError for a wrong name, InputError."""
    verb.check(given)
    try:
        found = model_of(verb.name).model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"] if not _is_branch(part))
        if first["type"] == "missing":
            raise InputError(f"{verb.path}() needs {name}=…") from None
        raise InputError(f"{name}={first['input']!r:.60} is not possible: {_lower(first['msg'])}") from None
    return {name: getattr(found, name) for name in given}


def _is_branch(part: int | str) -> bool:
    """Whether this names a branch of a union, and no place in what was given."""
    return part in ("str", "dict") or (isinstance(part, str) and part.startswith(("list[", "dict[")))


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def from_query(verb: Verb, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Parameters out of an address: lists by repetition, objects as JSON. Raises InputError."""
    found: dict[str, Any] = {}
    pairs = list(query)
    verb.check(name for name, _ in pairs)
    for name, text in pairs:
        one = verb.parameter(name)
        if "array" in _types(one):
            found[name] = [*found.get(name, []), text]
        elif name in found:
            raise InputError(f"{name} is given twice, and takes one value")
        else:
            found[name] = _value(one, text)
    return found


def _value(one: Parameter, text: str) -> Any:
    kinds = _types(one)
    if "string" in kinds:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{one.name}={text!r:.60} is not possible: it takes {' or '.join(sorted(kinds))}") from None
    return value


def _types(one: Parameter) -> set[str]:
    """The types that JSON Schema names for a parameter, null aside."""
    found: set[str] = set()
    for schema in one.schema.get("anyOf", [one.schema]):
        named = schema.get("type", "string")
        found |= {named} if isinstance(named, str) else set(cast("list[str]", named))
    return found - {"null"}


def answer(value: object) -> bytes:
    """What a verb gave, as JSON in UTF-8. A lone surrogate, which is no text, stays the escape that it was."""
    return as_json(value).encode("utf-8", "backslashreplace")
