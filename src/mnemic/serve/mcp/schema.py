"""The parameters of tools: JSON Schema to describe them, and what a model passed checked against it.

A model that errs is told what would be right: the nearest name, the type, the bounds. What only looks wrong (the text
"5" for a number, a list written as JSON text) is read as what it means.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from mnemic.errors import InputError, ParameterError, nearest

Json = Mapping[str, Any]

PEERS: Final = {
    "content": "text",
    "memory": "text",
    "data": "text",
    "message": "text",
    "fact": "text",
    "q": "query",
    "question": "query",
    "search": "query",
    "task": "query",
    "topic": "query",
    "prompt": "query",
    "top_k": "limit",
    "topk": "limit",
    "k": "limit",
    "n": "limit",
    "max_results": "limit",
    "num_results": "limit",
    "max_tokens": "budget",
    "memory_id": "id",
    "memory_ids": "ids",
    "id": "ids",
    "role": "speaker",
    "cursor": "after",
    "next": "after",
    "offset": "after",
    "timestamp": "time",
    "type": "kind",
    "kind": "kinds",
    "category": "kind",
    "min_score": "threshold",
    "receipt": "undo",
    "user": "user_id",
    "project": "project_id",
    "session": "session_id",
}
"""What other memories call a parameter, and what it is called here."""


# -- describing


def text(description: str, **more: Any) -> Json:
    """A parameter that is text, and not empty."""
    return {"type": "string", "minLength": 1, "description": description, **more}


def one_of(description: str, choices: Sequence[str], **more: Any) -> Json:
    """A parameter that is one of a few words."""
    return {"type": "string", "enum": list(choices), "description": description, **more}


def whole(description: str, least: int, most: int, **more: Any) -> Json:
    """A parameter that is a whole number within bounds."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": description, **more}


def share(description: str) -> Json:
    """A parameter from 0 to 1."""
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def flag(description: str) -> Json:
    """A parameter that is true or false."""
    return {"type": "boolean", "description": description}


def many(description: str, of: Json, **more: Any) -> Json:
    """A parameter that is a list."""
    return {"type": "array", "items": dict(of), "description": description, **more}


def fields(properties: Mapping[str, Json], required: Sequence[str] = (), *, closed: bool = True) -> Json:
    """An object with these fields; `closed`: and no others."""
    found: dict[str, Any] = {"type": "object", "properties": {name: dict(one) for name, one in properties.items()}}
    if required:
        found["required"] = list(required)
    if closed:
        found["additionalProperties"] = False
    return found


# -- checking


def hinted(word: str, choices: Iterable[str], peers: Mapping[str, str] | None = None) -> str:
    """ "; did you mean 'limit'?", or what there is to choose from. `peers`: words of others, and ours."""
    there = list(choices)
    hint = nearest(word, there, None if peers is None else dict(peers))
    return hint or (f"; there are {', '.join(there)}" if there else "; there are none")


def checked(tool: str, schema: Json, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call as the schema has them. Raises ParameterError for a name that it does not have, and
    InputError for what is missing, or of another kind."""
    return _object(f"{tool}()", "", schema, arguments, parameters=True)


_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _value(where: str, schema: Json, value: Any) -> Any:
    kind = schema["type"]
    value = _meant(kind, value)
    if not _is(kind, value):
        raise InputError(f"{where} is {_shown(value)}: pass {_wanted(schema)}")
    if kind == "string":
        return _string(where, schema, value)
    if kind in ("integer", "number"):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            raise InputError(f"{where} is {value}: pass {_wanted(schema)}")
        return value
    if kind == "array":
        if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
            raise InputError(f"{where} has {len(value)} items: pass {_wanted(schema)}")
        return [_value(f"{where}[{place}]", schema["items"], one) for place, one in enumerate(value)]
    if kind == "object" and "properties" in schema:
        return _object(where, f"{where}.", schema, value)
    return value


def _string(where: str, schema: Json, value: str) -> str:
    if "enum" in schema and value not in schema["enum"]:
        lowered = value.strip().lower()
        if lowered not in schema["enum"]:
            raise InputError(f"{where} is {value!r:.80}: pass {_wanted(schema)}{nearest(lowered, schema['enum'])}")
        return lowered
    if len(value) > schema.get("maxLength", len(value)):
        raise InputError(f"{where} has {len(value):,} characters: pass at most {schema['maxLength']:,}")
    if schema.get("minLength") and not value.strip():
        raise InputError(f"{where} is empty: pass {_wanted(schema)}")
    return value


def _object(
    where: str, prefix: str, schema: Json, given: Mapping[str, Any], *, parameters: bool = False
) -> dict[str, Any]:
    known: Mapping[str, Json] = schema["properties"]
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            if schema.get("additionalProperties", True):
                continue
            what = "parameter" if parameters else "field"
            raise ParameterError(f"{where} has no {what} {name!r:.60}{hinted(name, known, PEERS)}")
        if value is None and name not in schema.get("required", ()):
            continue  # many clients send null for what was left out
        found[name] = _value(f"{prefix}{name}", known[name], value)
    for name in schema.get("required", ()):
        if name not in found:
            described = known[name].get("description")
            means = f" ({described.split('. ')[0].rstrip('.')})" if described else ""
            raise InputError(f"{where} needs {name!r}{means}")
    return found


def _meant(kind: str, value: Any) -> Any:
    """A text that holds JSON of the kind that is wanted, read; a whole float as a whole number; else the value."""
    if isinstance(value, str) and kind != "string":
        read = _read(value)
        if not _is(kind, read):
            return [value] if kind == "array" else value  # one where a list is wanted
        value = read
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is(kind: str, value: object) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    types = {"string": str, "boolean": bool, "array": list, "object": dict}
    return isinstance(value, types[kind])


def _wanted(schema: Json) -> str:
    """What a schema wants, in words."""
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    kind = _NAMES[schema["type"]]
    if schema["type"] in ("integer", "number") and "minimum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    if schema["type"] == "array":
        of = cast("Json", schema["items"]).get("type", "string")
        bounds = f" of {schema.get('minItems', 0)} to {schema['maxItems']}" if "maxItems" in schema else ""
        return f"a list{bounds} ({_NAMES[of]} each)"
    if schema["type"] == "object" and "properties" in schema:
        return f"an object with {', '.join(schema['properties'])}"
    return kind


def _shown(value: object) -> str:
    names = {"bool": "true or false", "int": "a number", "float": "a number", "str": "text", "list": "a list"}
    return "null" if value is None else f"{names.get(type(value).__name__, 'an object')} ({value!r:.40})"
