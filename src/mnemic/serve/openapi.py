"""The OpenAPI document, made from the table of verbs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

import mnemic
from mnemic.problems import MEDIA_TYPE
from mnemic.serve.gate import HEADERS
from mnemic.serve.grants import WALLS
from mnemic.serve.page import Given
from mnemic.serve.verbs import FILE, FILE_NAME, LINES, MESSAGE, ROLES, SCOPE, Verb, components, schema_of, verbs

ANA: Final = {"user_id": "ana"}
EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "add": {
        "messages": [
            {"role": "user", "name": "Ana", "content": "I moved to Porto.", "time": "2026-05-20T18:00:00+00:00"}
        ],
        "session_id": "2026-05-20",
        **ANA,
    },
    "remember": {"text": "Ana lives in Porto.", "kind": "fact", "subject": "Ana", "key": "ana/home", **ANA},
    "update": {"id": "3uwa4q", "text": "Ana lives in Braga.", "if_revision": 1, **ANA},
    "retire": {"ids": ["3uwa4q"], "reason": "she never said so", **ANA},
    "merge": {"ids": ["3uwa4q"], "into": "3uwa4r", **ANA},
    "split": {"id": "3uwa4q", "names": ["Mel"], **ANA},
    "feedback": {"results": "the id of results", "used": ["3uwa4q"], **ANA},
    "undo": {"receipt": "the id of a receipt", **ANA},
    "erase": {"ids": ["3uwa4q"], "dry_run": True, **ANA},
    "search": {"query": "Where does Ana live?", "limit": 5, **ANA},
    "explain": {"id": "3uwa4q", "query": "Where does Ana live?", **ANA},
    "context": {"query": "Where does Ana live?", "budget": 500, **ANA},
    "ask": {"question": "Where does Ana live?", **ANA},
    "get": {"key": "ana/home", **ANA},
    "list": {"limit": 20, "kinds": ["fact"], **ANA},
    "timeline": {"since": "2026-05-01T00:00:00+00:00", "subject": "Ana", **ANA},
    "history": {"id": "3uwa4q", **ANA},
    "diff": {"t1": "2026-05-01T00:00:00+00:00", "t2": "2026-06-01T00:00:00+00:00", **ANA},
    "journal": {"limit": 20, "order": "newest", **ANA},
    "links": {"id": "3uwa4q", **ANA},
    "conflicts": {**ANA},
    "spending": {"since": "2026-05-01T00:00:00+00:00", **ANA},
    "stats": {**ANA},
    "upkeep": {"budget_ms": 2000, **ANA},
    "rebuild": {"dry_run": True, **ANA},
    "export": {**ANA},
}
"""A call of each verb."""


@cache
def document() -> Mapping[str, Any]:
    """The whole document, as JSON has it."""
    table = verbs()
    paths: dict[str, dict[str, Any]] = {}
    for verb in table.values():
        paths[f"/v1/{verb.path}"] = {"post": _posted(verb)}
    paths["/v1/export"]["get"] = _asked(table["export"], "exportLines")
    paths["/v1/records"] = {"get": _asked(table["list"], "listRecords")}
    one: dict[str, dict[str, Any]] = {
        "get": _asked(table["get"], "getRecord", ["id", "key"]),
        "patch": {**_posted(table["update"], without=("id",)), "operationId": "updateRecord"},
        "delete": _deleted(table["retire"], table["erase"]),
    }
    tag = {"description": "The record's revision, and a hash of what is told of it.", "schema": {"type": "string"}}
    one["get"]["responses"]["200"]["headers"] = {"ETag": tag}
    one["get"]["responses"]["304"] = {"description": "Nothing of it has changed since If-None-Match."}
    one["get"]["parameters"] += [_header("If-None-Match", "An ETag that is known already.")]
    one["patch"]["parameters"] += [_query(table["update"], name) for name in SCOPE]
    one["patch"]["parameters"] += [_header("If-Match", "The ETag, or the revision, that is to be changed.")]
    one["patch"]["responses"]["412"] = _problem("It is at another revision than If-Match says.")
    paths["/v1/records/{id}"] = {**one, "parameters": [_place("id")]}
    for name in ("history", "links"):
        asked = _asked(table[name], f"record{name.title()}", ["id"])
        paths[f"/v1/records/{{id}}/{name}"] = {"get": asked, "parameters": [_place("id")]}
    for name in ("conflicts", "spending", "stats", "journal", "timeline"):
        paths[f"/v1/{name}"]["get"] = _asked(table[name], f"get{name.title()}")
    paths["/v1/events"] = {"get": _events(table["journal"])}
    paths["/v1/whoami"] = {"get": _told("whoami", "What the key allows.", WHOAMI, WHO_ASKS)}
    about = "The contexts that were given since the server was started, newest first."
    paths["/v1/given"] = {"get": {**_told("given", about, GIVEN, ONE_GIVEN), "parameters": _scoped(WALLS)}}
    for name, about in HEALTH.items():
        paths[name] = {"get": _health(name, about)}
    kinds = [verb.returns for verb in table.values() if verb.returns is not str]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mnemic",
            "version": mnemic.__version__,
            "description": "Long-term memory for AI agents. Values are those of the library; so are the errors' words.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**components(kinds), "Message": dict(MESSAGE), "Problem": PROBLEM},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}, {}],
    }


def _posted(verb: Verb, without: tuple[str, ...] = ()) -> dict[str, Any]:
    operation = _operation(verb, verb.path)
    if verb.reads_lines:
        operation["parameters"] += [_query(verb, one.name) for one in verb.parameters]
        operation["parameters"].append(_header(FILE_NAME, "What a file is called, percent-encoded."))
        lines = {"schema": {"type": "string", "description": "JSON Lines, as an export gives them."}}
        file = {"schema": {"type": "string", "format": "binary", "description": "What another system exported."}}
        operation["requestBody"] = {"required": True, "content": {LINES[0]: lines, FILE: file}}
        return operation
    parameters = [one for one in verb.parameters if one.name not in without]
    schema = {
        "type": "object",
        "properties": {one.name: dict(one.schema) for one in parameters},
        "required": [one.name for one in parameters if one.required],
        "additionalProperties": False,
    }
    if not schema["required"]:
        del schema["required"]
    example = {name: value for name, value in EXAMPLES[verb.path].items() if name not in without}
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": schema, "examples": {"one": {"value": example}}}},
    }
    return operation


def _asked(verb: Verb, name: str, without: Sequence[str] = ()) -> dict[str, Any]:
    operation = _operation(verb, name)
    operation["parameters"] += [_query(verb, one.name) for one in verb.parameters if one.name not in without]
    return operation


def _events(verb: Verb) -> dict[str, Any]:
    operation = _asked(verb, "events", ["limit", "order"])
    operation["summary"] = "What is done in a scope, as it is done: a stream of steps, by whatever process."
    operation["description"] = (
        "Server-sent events. The id of one is its step's receipt, and Last-Event-ID goes on there."
    )
    operation["parameters"].append(_header("Last-Event-ID", "The step that was seen last."))
    operation["responses"]["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    return operation


HEALTH: Final[Mapping[str, str]] = {
    "/healthz": "It runs.",
    "/readyz": "It can be asked.",
    "/metrics": "Numbers for Prometheus. Where there are keys: an owner's.",
}


def _health(name: str, about: str) -> dict[str, Any]:
    kind = "text/plain" if name == "/metrics" else "application/json"
    schema = {"type": "string"} if name == "/metrics" else {"type": "object"}
    return {
        "operationId": name.strip("/"),
        "summary": about,
        "tags": ["server"],
        "responses": {
            "200": {"description": about, "content": {kind: {"schema": schema}}},
            "default": _problem("A problem."),
        },
    }


def _told(name: str, about: str, schema: Mapping[str, Any], example: Mapping[str, Any]) -> dict[str, Any]:
    """What the server tells of itself to whoever may ask it at all."""
    content = {"application/json": {"schema": schema, "examples": {"one": {"value": example}}}}
    return {
        "operationId": name,
        "summary": about,
        "tags": ["server"],
        "responses": {"200": {"description": about, "content": content}, "default": _problem("A problem.")},
    }


def _deleted(retire: Verb, erase: Verb) -> dict[str, Any]:
    operation = _operation(retire, "deleteRecord")
    operation["summary"] = "Retire a record, or erase it."
    operation["description"] = f"{retire.about}\n\nWith erase=true: {erase.about}"
    names = {one.name: verb for verb in (erase, retire) for one in verb.parameters if one.name in ("reason", "author")}
    operation["parameters"] += [
        {"name": "erase", "in": "query", "schema": {"type": "boolean", "default": False}},
        *(_query(verb, name) for name, verb in names.items()),
        *(_query(retire, name) for name in SCOPE),
    ]
    return operation


def _operation(verb: Verb, name: str) -> dict[str, Any]:
    summary, _, _ = verb.about.partition("\n")
    content = {LINES[0]: {"schema": {"type": "string"}}}
    if not verb.gives_lines:
        content = {"application/json": {"schema": schema_of(verb.returns)}}
    headers = _scoped(HEADERS.values())
    if verb.writes:
        headers.append(_header("Idempotency-Key", "Yours for this call: sent again, it is done once."))
    return {
        "operationId": name,
        "summary": summary,
        "description": f"{verb.about}\n\nNeeds the role {verb.role}.",
        "tags": ["write" if verb.writes else "read"],
        "parameters": headers,
        "responses": {
            "200": {"description": "Done.", "content": content},
            "default": _problem("A problem, with the engine's own words."),
        },
    }


def _problem(about: str) -> dict[str, Any]:
    return {"description": about, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _query(verb: Verb, name: str) -> dict[str, Any]:
    one = verb.parameter(name)
    schema = dict(one.schema)
    found: dict[str, Any] = {"name": name, "in": "query", "required": one.required}
    if schema.get("type") in ("object", ["object", "null"]):
        return {**found, "content": {"application/json": {"schema": {"type": "object"}}}}
    for inner in schema.get("anyOf", []):  # one value, or several by repetition
        if inner.get("type") == "array":
            return {**found, "schema": inner}
    if isinstance(schema.get("type"), list):
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
    return {**found, "schema": schema}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}


def _scoped(parts: Collection[str]) -> list[dict[str, Any]]:
    """Headers that name parts of a scope."""
    named = {name: part for name, part in HEADERS.items() if part in parts}
    return [_header(name.title(), f"The call's {part}, percent-encoded.") for name, part in named.items()]


def _place(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


_REACHED: Final = {
    "anyOf": [{"const": "*"}, {"type": "array", "items": {"type": "string"}}],
    "description": 'Those that it reaches; "*": whichever a call names.',
}
WHOAMI: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "name": {"type": ["string", "null"], "description": "Of the key; null where none is needed."},
        "role": {"type": "string", "enum": list(ROLES)},
        "scope": {
            "type": "object",
            "properties": {
                "tenant_id": {
                    "type": ["string", "null"],
                    "description": 'The one that it reaches; null: none; "*": whichever a call names.',
                },
                "project_id": _REACHED,
                "user_id": _REACHED,
            },
            "required": list(WALLS),
        },
    },
    "required": ["name", "role", "scope"],
}
WHO_ASKS: Final[Mapping[str, Any]] = {
    "name": "phone",
    "role": "writer",
    "scope": {"tenant_id": None, "project_id": [], "user_id": ["ana"]},
}
GIVEN: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"given": {"type": "array", "items": components([Given])["Given"]}},
    "required": ["given"],
}
ONE_GIVEN: Final[Mapping[str, Any]] = {
    "given": [
        {
            "at": "2026-05-20T18:00:00+00:00",
            "by": "phone",
            "scope": {"tenant_id": None, "project_id": None, "user_id": "ana"},
            "query": "Where does Ana live?",
            "tokens": 12,
            "results_id": "the id of results",
            "ids": ["3uwa4q"],
        }
    ]
}

PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457): `detail` names the value, the expectation and the way out.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "receipts": {"type": "array", "items": {"type": "string"}},
        "retry_after": {"type": "number"},
        "fault": {"type": "string"},
        "tries": {"type": "integer"},
    },
    "required": ["type", "title", "status", "detail", "code"],
}
