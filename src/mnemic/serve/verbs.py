"""The verbs of `Memory` as one table: what each takes and gives in JSON, and who may call it.

Made from the verbs' own signatures, so that a server says what the library says. Whoever serves a memory, in whatever
protocol, calls a verb by this table, and describes it by it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from mnemic.errors import ScopeError
from mnemic.memory import Memory, refuse_unknown
from mnemic.plain import hints_of, told_of
from mnemic.types import (
    ANY,
    FORMATS,
    Answer,
    Change,
    Conflicts,
    Context,
    Diff,
    Explanation,
    Neighbour,
    Page,
    Receipt,
    Record,
    Results,
    Spent,
    Stats,
    Steps,
)

Role = Literal["reader", "writer", "admin", "owner"]
ROLES: Final[tuple[Role, ...]] = ("reader", "writer", "admin", "owner")
"""What a caller may do, each all that those before it may: read a scope; write in it; erase, export and rebuild it; and
all of that with the whole file."""

SCOPE: Final[Mapping[str, Any]] = {
    "tenant_id": str | None,
    "project_id": str | list[str] | None,
    "user_id": str | list[str] | None,
    "agent_id": str | None,
    "session_id": str | None,
    "all_projects": bool,
}
"""The parts of a scope as JSON has them: `all_projects` stands for project_id=ANY."""

NARROWER: Final[Mapping[str, Mapping[str, Any]]] = {
    "limit": {"minimum": 1, "maximum": 1_000_000},
    "budget": {"minimum": 1, "maximum": 1_000_000},
    "budget_ms": {"minimum": 0},
    "if_revision": {"minimum": 1, "maximum": 2**63 - 1},
    "threshold": {"minimum": 0, "maximum": 1},
    "confidence": {"minimum": 0, "maximum": 1},
    "outcome": {"minimum": 0, "maximum": 1},
    "order": {"enum": ["newest", "oldest"]},
    "check": {"enum": ["words", "model"]},
    "context.format": {"enum": list(FORMATS)},
}
"""What of a type is possible, by the name of the parameter, or by that of a verb and its parameter."""

HERE: Final[Mapping[str, str]] = {
    "recipe": "the recipe",
    "model": "the model",
    "embedder": "the embedder",
    "api_key": "the key of a model",
    "progress": "a function that is told of progress",
    "path": "a path",
}
"""Parameters that mean something in the process of the memory only, and what they are."""

_BODY: Final[Mapping[str, frozenset[str]]] = {"import_": frozenset(("source",)), "export": frozenset(("format",))}
"""Parameters that say what a body is: an import's is one, an export's is always of lines."""

LINES: Final = ("application/x-ndjson", "application/jsonl")
"""The types of JSON Lines."""
FILE: Final = "application/octet-stream"
"""The type of another system's export."""
FILE_NAME: Final = "X-Mnemic-File-Name"
"""A header that says what a file is called that is sent to be imported: percent-encoded UTF-8."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a verb: `kind` is its type in terms of what JSON has, and `schema` the same as JSON Schema."""

    name: str
    kind: Any
    schema: Mapping[str, Any]
    required: bool
    default: Any
    """What stands where it is left out, if that is something that JSON has; else None."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: `role` is the least that may call it, `returns` the type of what it gives (see `mnemic.plain`)."""

    name: str
    parameters: tuple[Parameter, ...]
    role: Role
    returns: Any
    writes: bool
    about: str
    """Its docstring."""
    reads_lines: bool = False
    """Whether it takes JSON Lines, beside its parameters."""
    gives_lines: bool = False
    """Whether it gives JSON Lines."""

    @property
    def path(self) -> str:
        """Its name in an address, and for whoever has no keyword `import` to step around."""
        return self.name.rstrip("_")

    @property
    def own(self) -> tuple[Parameter, ...]:
        """Its parameters without the scope."""
        return tuple(one for one in self.parameters if one.name not in SCOPE)

    def parameter(self, name: str) -> Parameter:
        """One of its parameters. Raises KeyError."""
        return next((one for one in self.parameters if one.name == name), None) or _missing(name)

    def check(self, given: Iterable[str]) -> None:
        """Refuse what is no parameter of it, with the nearest right name. Raises ParameterError."""
        known = {one.name for one in self.parameters}
        refuse_unknown(f"{self.path}()", [name for name in given if name not in known], sorted(known))

    def needs(self, given: Mapping[str, Any]) -> Role:
        """The least role that may call it with these parameters: what is about the whole file is the owner's.

        So is an import that names no walls: it takes lines of every one.
        """
        anywhere = self.name == "import_" and not any(
            given.get(part) for part in ("tenant_id", "project_id", "user_id")
        )
        return "owner" if given.get("everything") or anywhere else self.role

    def call(self, memory: Memory, given: Mapping[str, Any]) -> Any:
        """Call it with parameters as JSON has them, checked. Raises MnemicError."""
        arguments = {name: value for name, value in given.items() if name != "all_projects"}
        if given.get("all_projects"):
            if given.get("project_id") is not None:
                raise ScopeError("all_projects and project_id contradict each other: leave one out")
            arguments["project_id"] = ANY
        if self.name == "explain":
            id_ = arguments.pop("id")
            return memory.search(**arguments).explain(id_)
        return getattr(memory, self.name)(**arguments)


def _missing(name: str) -> Parameter:
    raise KeyError(name)


_GIVES: Final[Mapping[str, tuple[Role, Any, bool]]] = {
    "add": ("writer", Receipt, True),
    "remember": ("writer", Receipt, True),
    "update": ("writer", Receipt, True),
    "retire": ("writer", Receipt, True),
    "merge": ("writer", Receipt, True),
    "split": ("writer", Receipt, True),
    "feedback": ("writer", Receipt, True),
    "undo": ("writer", Receipt, True),
    "erase": ("admin", Receipt, True),
    "search": ("reader", Results, False),
    "explain": ("reader", Explanation, False),
    "context": ("reader", Context, False),
    "ask": ("reader", Answer, False),
    "get": ("reader", Record, False),
    "list": ("reader", Page, False),
    "timeline": ("reader", Page, False),
    "history": ("reader", tuple[Change, ...], False),
    "diff": ("reader", Diff, False),
    "journal": ("reader", Steps, False),
    "links": ("reader", tuple[Neighbour, ...], False),
    "conflicts": ("reader", Conflicts, False),
    "spending": ("reader", tuple[Spent, ...], False),
    "stats": ("reader", Stats, False),
    "upkeep": ("writer", Receipt, True),
    "rebuild": ("admin", Receipt, True),
    "export": ("admin", str, False),
    "import_": ("admin", Receipt, True),
}
"""The verbs, in the order in which they are told: the least role, what they give, whether they write."""


@cache
def verbs() -> Mapping[str, Verb]:
    """The verbs by name, as `Memory` has them, and `explain`, which is a method of what `search` gives."""
    return {name: _verb(name, role, gives, writes) for name, (role, gives, writes) in _GIVES.items()}


def _verb(name: str, role: Role, gives: Any, writes: bool) -> Verb:
    lines = {"import_": "reads_lines", "export": "gives_lines"}.get(name)
    flags = {} if lines is None else {lines: True}
    if name == "explain":
        found = {one.name: one for one in _parameters(Memory.search) if one.name != "precise"}
        first = Parameter("id", str, schema_of(str), True, None)
        return Verb(name, (first, *found.values()), role, gives, writes, inspect.getdoc(Results.explain) or "")
    verb = cast("Callable[..., Any]", getattr(Memory, name))
    return Verb(name, tuple(_parameters(verb)), role, gives, writes, inspect.getdoc(verb) or "", **flags)


def _parameters(verb: Callable[..., Any]) -> Iterable[Parameter]:
    hints = get_type_hints(verb)
    for one in inspect.signature(verb).parameters.values():
        if one.name == "self" or one.name in HERE or one.name in _BODY.get(verb.__name__, ()):
            continue
        if one.kind is one.VAR_KEYWORD:
            for name, kind in SCOPE.items():
                yield Parameter(name, kind, schema_of(kind), False, False if kind is bool else None)
            continue
        kind = _kind(hints[one.name])
        required = one.default is one.empty
        default = _default(one.default)
        narrower = NARROWER.get(f"{verb.__name__}.{one.name}", NARROWER.get(one.name, {}))
        schema = MESSAGES if one.name == "messages" else {**schema_of(kind), **narrower}
        if not required and default is not None:
            schema = {**schema, "default": default}
        yield Parameter(one.name, kind, schema, required, default)


def _default(given: Any) -> Any:
    """A default, if JSON has it."""
    if isinstance(given, tuple):
        return list(cast("tuple[str, ...]", given))
    return given if isinstance(given, str | int | float) else None


# -- types in terms of JSON


def _kind(hint: Any) -> Any:
    """A parameter's type with what JSON has in the place of what Python has."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = dict.fromkeys(_kind(part) for part in parts)
        return Union[tuple(kinds)]  # noqa: UP007 - made of a list
    if hint in (datetime, date) or (isinstance(hint, type) and is_dataclass(hint)):
        return str  # a time as ISO 8601; of a result or a receipt its id
    if origin is not None and issubclass(origin, Mapping):
        return dict[str, Any]
    if origin is not None and issubclass(origin, Sequence) and origin is not tuple:
        return list[_kind(parts[0])]
    return Any if hint is object else cast("Any", hint)


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a type: of a parameter's `kind`, or of a value that a verb gives.

    A value of Mnemic's is a reference to its schema in `components`.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _either([schema_of(part) for part in parts if part is not type(None)], type(None) in parts)
    if is_dataclass(kind) and isinstance(kind, type):
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin is tuple and parts[-1] is not Ellipsis:
        inner = [schema_of(part) for part in parts]
        return {"type": "array", "prefixItems": inner, "items": False, "minItems": len(inner), "maxItems": len(inner)}
    if origin in (tuple, list):
        return {"type": "array", "items": schema_of(parts[0])}
    if origin is not None and issubclass(origin, Mapping):
        values = schema_of(parts[1])
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    names: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {"type": names[kind]} if kind in names else {}


def _either(found: list[dict[str, Any]], null: bool) -> dict[str, Any]:
    if len(found) == 1 and list(found[0]) == ["type"]:
        return {"type": [found[0]["type"], "null"]} if null else found[0]
    if null:
        found.append({"type": "null"})
    return {"anyOf": found}


def components(kinds: Iterable[Any]) -> dict[str, Any]:
    """The schemas of these values of Mnemic's and of all that they hold, by name."""
    found: dict[str, Any] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if not (is_dataclass(kind) and isinstance(kind, type)):
            waiting += [part for part in get_args(kind) if part is not Ellipsis]
            continue
        if kind.__name__ in found:
            continue
        hints = {field.name: hints_of(kind)[field.name] for field in told_of(kind)}
        found[kind.__name__] = {
            "type": "object",
            "description": inspect.getdoc(kind) or "",
            "properties": {name: schema_of(hint) for name, hint in hints.items()},
            "required": list(hints),
        }
        waiting += hints.values()
    return dict(sorted(found.items()))


MESSAGE: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "One message. Other fields are kept in the record's data.",
    "properties": {
        "role": {"type": "string", "examples": ["user"]},
        "content": {"anyOf": [{"type": "string"}, {"type": "array"}]},
        "name": {"type": ["string", "null"]},
        "time": {"type": ["string", "null"], "description": "ISO 8601 with an offset."},
        "id": {"type": ["string", "null"], "description": "Yours; the same one again is an edit."},
        "source": {"type": ["string", "null"]},
        "session_id": {"type": ["string", "null"]},
        "agent_id": {"type": ["string", "null"]},
        "metadata": {"type": ["object", "null"]},
    },
    "required": ["content"],
}
MESSAGES: Final[Mapping[str, Any]] = {
    "anyOf": [
        {"type": "string"},
        {"$ref": "#/components/schemas/Message"},
        {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Message"}]}},
    ]
}
