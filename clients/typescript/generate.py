"""`python clients/typescript/generate.py` writes src/generated.ts from the table of verbs and the server's description.

Values, verbs and errors are those of the library, and so are their words: a type for each value, a class for each
error, a method for each verb, with the sentences of docs/reference.py. How requests are made is written by hand,
beside it.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import runpy
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

from mnemic import errors, types
from mnemic.client import LONG, STAMPED
from mnemic.memory import Memory
from mnemic.problems import KINDS, WIRE
from mnemic.serve.openapi import PROBLEM, document
from mnemic.serve.verbs import SCOPE, Parameter, Verb, verbs

HERE = Path(__file__).resolve().parent
OUT = HERE / "src" / "generated.ts"

NAMES = {"Record": "MemoryRecord"}
"""Values whose name means something else in TypeScript."""
CARRIED = {
    "ConflictError": [("receipts", "readonly string[]", "[]")],
    "BusyError": [("retry_after", "number", "1")],
    "ModelError": [("fault", "string", '"model"'), ("tries", "number", "1")],
}
"""What an error carries beside its words: the field, its type, and what stands where a server left it out."""
WORDS = {
    "`str(context)` is what goes in": "`text` is what goes in",
    "The text, also `str(context)`": "The text",
    "; `Results` itself is a sequence of them": "",
    "A dict of JSON values": "An object of JSON values",
    "project_id=ANY": "all_projects: true",
    "see `Results.explain`": "see `explain`",
    "one of `STATES`": "a state that reads leave out (see `include`)",
    "`ids` are the records that it is about": "`idsOf` a receipt are the records that it is about",
    " (see `mnemic.where`)": "",
    " (see `mnemic.precise`)": "",
    ", or an iterable of messages:": ", or several:",
    "Without `path` the lines are yielded; with it they are written there, and their number is returned. An": "An",
    "Take over what `export` wrote: a path, or an iterable of lines.": "Take over what `export` wrote.",
    'With the `recipe`, `model` and `embedder` given (as `Memory` takes them; a model alone means recipe "model"),\n'
    "which this memory then goes on with; else with those that it has. For": "With what the server has been given: for",
    "`progress(done, of)` is called as episodes\nare read. ": "",
}
"""Words of Python's, and what they are here. None that is not used."""
SCOPE_PARTS = {
    "tenant_id": "A wall: one, matched exactly.",
    "project_id": "A wall: one, or for reads several.",
    "user_id": "A wall: one, or for reads several.",
    "agent_id": "A stamp: reads that name it see what has the same one, or none.",
    "session_id": "A stamp: reads that name it see what has the same one, or none.",
    "all_projects": "Every project of the users named, instead of `project_id`; for reads.",
}
TOP = """\
// Written by generate.py from the table of verbs and the description of the server: change these, not this file.

import { idOf, placed, type Lines } from "./body.js";
import { MnemicError } from "./error.js";

/** A time: ISO 8601 with an offset, or a Date. In values it is a string, in UTC. */
export type Time = string | Date;
"""


def generated() -> str:
    """The whole file."""
    words = _Words()
    table = verbs()
    parts = [TOP, *_values(words), *_errors(), *_scope(), _options()]
    for verb in table.values():
        parts += _parameters(verb, words)
    parts += [_table(table.values()), _class(table, words)]
    words.check()
    return "\n".join(parts)


# -- values


def _values(words: _Words) -> Iterator[str]:
    schemas: Mapping[str, Any] = document()["components"]["schemas"]
    for name, schema in schemas.items():
        fields = schema["properties"]
        yield _comment(words.here(schema["description"]))
        yield f"export interface {_name(name)} {{"
        for field, inner in fields.items():
            yield from _indented(_comment(words.of_field(name, field)))
            optional = "" if field in schema["required"] else "?"
            yield f"  {'' if name == 'Message' else 'readonly '}{field}{optional}: {_type(inner)};"
        if name == "Message":
            yield "  [other: string]: unknown;"
        yield "}\n"


def _name(name: str) -> str:
    return NAMES.get(name, name)


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON Schema as a type of TypeScript's."""
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return " | ".join(_type({**schema, "type": kind}) for kind in kinds)
    if kinds == "array" and "prefixItems" in schema:
        return f"readonly [{', '.join(map(_type, schema['prefixItems']))}]"
    if kinds == "array":
        inner = _type(schema.get("items", {}))
        return f"readonly ({inner})[]" if "|" in inner or inner.startswith("readonly") else f"readonly {inner}[]"
    if kinds == "object":
        values = schema.get("additionalProperties")
        return f"{{ readonly [name: string]: {_type(values) if values else 'unknown'} }}"
    plain = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
    return plain[kinds] if kinds is not None else "unknown"


# -- errors


def _errors() -> Iterator[str]:
    yield "// -- errors, as the library has them\n"
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.MnemicError)]
    for one in classes:
        if one is errors.MnemicError:
            continue
        above = next(base for base in one.__bases__ if issubclass(base, errors.MnemicError))
        yield _comment(_plain(inspect.getdoc(one) or ""))
        yield f"export class {one.__name__} extends {above.__name__} {{"
        yield f'  override readonly name: string = "{one.__name__}";'
        for field, kind, default in CARRIED.get(one.__name__, ()):
            yield f"  readonly {field}: {kind} = this.problem.{field} ?? {default};"
        yield "}\n"
    carried = {field for fields in CARRIED.values() for field, _, _ in fields}
    if missing := PROBLEM["properties"].keys() - set(PROBLEM["required"]) - carried:
        raise SystemExit(f"no error carries what a problem may have: {', '.join(sorted(missing))}")
    yield "/** Which error a code of a problem is. */"
    yield "export const ERRORS: { readonly [code: string]: typeof MnemicError } = {"
    for kind in (*KINDS, *WIRE):
        yield f'  "{kind.code}": {kind.error.__name__},'
    yield "};\n"


# -- parameters


def _scope() -> Iterator[str]:
    yield "// -- verbs\n"
    yield "/** The scope of a call: whose memories it is about. */"
    yield "export interface ScopeParameters {"
    for parameter in verbs()["search"].parameters:
        if parameter.name in SCOPE:
            yield from _indented(_comment(SCOPE_PARTS[parameter.name]))
            yield f"  {parameter.name}?: {_type(parameter.schema)};"
    yield "}\n"


def _options() -> str:
    return """\
/** How a call is made. What it asks for is in its parameters. */
export interface CallOptions {
  /** Breaks the call off: it then throws the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds that it may take, with all its tries; of lines and events: milliseconds of silence. */
  timeout?: number;
  /** Of a write: yours for this call. Sent again, also by another process, it is done once. Default: one of its own. */
  idempotencyKey?: string;
}
"""


def _parameters(verb: Verb, words: _Words) -> Iterator[str]:
    first = _positional(verb)
    optional = [one for one in verb.own if one.name not in first or not one.required]
    yield f"/** Parameters of `{verb.path}`. */"
    yield f"export interface {_interface(verb)} extends ScopeParameters {{"
    for one in optional:
        default = "" if one.schema.get("default") is None else f" Default: {json.dumps(one.schema['default'])}."
        said = words.of_parameter(verb, one.name)
        yield from _indented(_comment(said if "Default:" in said else said + default))
        yield f"  {one.name}{'' if one.required else '?'}: {_given(verb, one)};"
    yield "}\n"


def _interface(verb: Verb) -> str:
    return f"{verb.path.title()}Parameters"


def _positional(verb: Verb) -> list[str]:
    """The parameters that are passed by place, as the library takes them."""
    if verb.name == "explain":
        return ["id"]
    found = inspect.signature(getattr(Memory, verb.name)).parameters.values()
    known = {one.name for one in verb.own}
    return [one.name for one in found if one.kind is one.POSITIONAL_OR_KEYWORD and one.name in known]


def _given(verb: Verb, one: Parameter) -> str:
    """The type of a parameter: what JSON has, and what becomes it."""
    kind = _type(one.schema)
    if any(part is datetime for part in _hinted(verb, one)):
        return kind.replace("string", "Time")
    return " | ".join([kind, *_standing(verb, one)])


def _standing(verb: Verb, one: Parameter) -> list[str]:
    """The values that may stand for their ids."""
    hinted = _hinted(verb, one)
    return [_name(part.__name__) for part in hinted if getattr(part, "__module__", "") == types.__name__]


def _hinted(verb: Verb, one: Parameter) -> tuple[Any, ...]:
    """The parts of a parameter's type, as the library has it."""
    hint = get_type_hints(Memory.search if verb.name == "explain" else getattr(Memory, verb.name)).get(one.name)
    return get_args(hint) or (hint,)


# -- the class


def _table(every: Iterable[Verb]) -> str:
    lines = [
        "/** What the client knows of a verb. */",
        "export interface Verb {",
        "  readonly path: string;",
        "  /** Whether it writes: then it is sent with a key, so that it is done once. */",
        "  readonly writes: boolean;",
        "  /** Whether it may take long. */",
        "  readonly long: boolean;",
        "  /** Whether it carries the agent and the session of a bound scope. */",
        "  readonly stamped: boolean;",
        "  /** Whether it says who writes. */",
        "  readonly signed: boolean;",
        "}\n",
        "/** What there is to call. */",
        "export const VERBS = {",
    ]
    for verb in every:
        flags = {
            "writes": verb.writes,
            "long": verb.name in LONG,
            "stamped": verb.name in STAMPED,
            "signed": any(one.name == "author" for one in verb.parameters),
        }
        told = ", ".join(f"{name}: {json.dumps(value)}" for name, value in flags.items())
        lines.append(f'  {verb.path}: {{ path: "/v1/{verb.path}", {told} }},')
    return "\n".join([*lines, "} satisfies { [name: string]: Verb };", ""])


def _class(table: Mapping[str, Verb], words: _Words) -> str:
    lines = [
        "/** The verbs of a memory. `Memory` sends them. */",
        "export abstract class Verbs {",
        "  protected abstract call<T>(verb: Verb, parameters: object, options: CallOptions): Promise<T>;",
        "  protected abstract receive(verb: Verb, parameters: object, options: CallOptions): AsyncGenerator<string>;",
        "  protected abstract send<T>(verb: Verb, lines: Lines, parameters: object, options: CallOptions): Promise<T>;",
        "  protected abstract turn<T extends { readonly next: string | null }>(",
        "    verb: Verb,",
        "    parameters: object,",
        "    options: CallOptions,",
        "  ): AsyncGenerator<T>;",
    ]
    for verb in table.values():
        lines += ["", *_method(verb, words)]
        if any(one.name == "after" for one in verb.own):
            lines += _paged(verb)
    return "\n".join([*lines, "}", ""])


def _method(verb: Verb, words: _Words) -> Iterator[str]:
    first = [verb.parameter(name) for name in _positional(verb)]
    meant = [f"@param {one.name} - {words.of_parameter(verb, one.name)}" for one in first]
    if verb.reads_lines:
        meant.append("@param lines - A text, a Blob (a file is one), or lines; with `format` another system's file.")
    said = "\n".join([words.here(verb.about), "", f"Needs the role {verb.role}.", *meant])
    yield from _indented(_comment(said))
    rest = [one for one in verb.own if one not in first]
    asked = f"{_interface(verb)}{'' if any(one.required for one in rest) else ' = {}'}"
    options = "options: CallOptions = {}"
    if verb.gives_lines:
        yield f"  {verb.path}(parameters: {asked}, {options}): AsyncGenerator<string> {{"
        yield f"    return this.receive(VERBS.{verb.path}, parameters, options);"
    elif verb.reads_lines:
        gives = _returns(verb)
        yield f"  {verb.path}(lines: Lines, parameters: {asked}, {options}): Promise<{gives}> {{"
        yield f"    return this.send(VERBS.{verb.path}, lines, parameters, options);"
    elif first and not first[0].required:
        one, kind = first[0], _given(verb, first[0]).removesuffix(" | null")
        whole, gives = _interface(verb), f"Promise<{_returns(verb)}>"
        either = f"first: {kind} | {whole}, second: object = {{}}, third: CallOptions = {{}}"
        yield f"  {verb.path}({one.name}: {kind}, parameters?: {whole}, options?: CallOptions): {gives};"
        yield f"  {verb.path}(parameters: {whole}, options?: CallOptions): {gives};"
        yield f"  {verb.path}({either}): {gives} {{"
        yield f'    return this.call(VERBS.{verb.path}, ...placed("{one.name}", first, second, third));'
    else:
        places = "".join(f"{one.name}: {_given(verb, one)}, " for one in first)
        named = [f"{one.name}: idOf({one.name})" if _standing(verb, one) else one.name for one in first]
        passed = f"{{ ...parameters, {', '.join(named)} }}" if named else "parameters"
        yield f"  {verb.path}({places}parameters: {asked}, {options}): Promise<{_returns(verb)}> {{"
        yield f"    return this.call(VERBS.{verb.path}, {passed}, options);"
    yield "  }"


def _paged(verb: Verb) -> Iterator[str]:
    """Two iterators over all that a verb gives page by page."""
    page = document()["components"]["schemas"][verb.returns.__name__]["properties"]
    field, inner = next((name, one) for name, one in page.items() if one.get("type") == "array")
    arguments = f"(parameters: {_interface(verb)} = {{}}, options: CallOptions = {{}})"
    yield ""
    yield f"  /** The pages of `{verb.path}`, one after the other, from `after` on. */"
    yield f"  {verb.path}Pages{arguments}: AsyncGenerator<{_returns(verb)}> {{"
    yield f"    return this.turn(VERBS.{verb.path}, parameters, options);"
    yield "  }"
    yield ""
    yield f"  /** All {field} of `{verb.path}`, one by one; `limit` is how many are asked for at once. */"
    yield f"  async *{verb.path}All{arguments}: AsyncGenerator<{_type(inner['items'])}> {{"
    yield f"    for await (const page of this.{verb.path}Pages(parameters, options)) yield* page.{field};"
    yield "  }"


def _returns(verb: Verb) -> str:
    content = document()["paths"][f"/v1/{verb.path}"]["post"]["responses"]["200"]["content"]
    return _type(content["application/json"]["schema"])


# -- words


class _Words:
    """The sentences of docs/reference.py and of the docstrings, in terms of what is here."""

    def __init__(self) -> None:
        self._page: dict[str, Any] = runpy.run_path(str(HERE.parents[1] / "docs" / "reference.py"))
        self._beside = dict(_beside_fields())
        self._used: set[str] = set()

    def here(self, text: str) -> str:
        """A text with the words of here."""
        for there, here in WORDS.items():
            if there in text:
                self._used.add(there)
                text = text.replace(there, here)
        return _plain(text)

    def of_field(self, name: str, field: str) -> str:
        """What a field of a value means; "" where its name says it."""
        found = self._page["IN_VALUE"].get((name, field)) or self._beside.get((name, field))
        return self._filled(found or self._page["FIELDS"].get(field, "")) if name not in ("Message", "Problem") else ""

    def of_parameter(self, verb: Verb, name: str) -> str:
        """What a parameter of a verb means."""
        at = (verb.name if verb.name != "explain" else "search", name)
        return self._filled(self._page["IN_VERB"].get(at) or self._page["PARAMETERS"][name])

    def check(self) -> None:
        """Refuse words that nobody says any more."""
        if idle := WORDS.keys() - self._used:
            raise SystemExit(f"generate.py has words for what is not said: {', '.join(sorted(idle))}")

    def _filled(self, text: str) -> str:
        listed = self._page["_listed"]
        actions = ", ".join(get_args(get_type_hints(types.Entry)["action"]))
        states, sources, formats = listed(types.STATES), listed(types.SOURCES), listed(types.FORMATS)
        return self.here(text.format(states=states, sources=sources, formats=formats, actions=actions))


def _plain(text: str) -> str:
    """A docstring without what is Python's or Markdown's own."""
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
    text = re.sub(r"\b(\w+)=True\b", r"\1: true", text)
    text = re.sub(r'\b(\w+)="', r'\1: "', text)
    text = re.sub(r"\b(\w+)=(?=[`\s)])", r"\1", text)
    return re.sub(r"\bNone\b", "null", text).replace("import_", "import")


def _beside_fields() -> Iterator[tuple[tuple[str, str], str]]:
    """The sentences that stand below the fields of the values, in their source."""
    for node in ast.parse(inspect.getsource(types)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, below in zip(node.body, node.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    yield (node.name, name), said


def _comment(text: str) -> str:
    if not text:
        return ""
    lines = inspect.cleandoc(text).replace("*/", "* /").splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def _indented(text: str) -> Iterator[str]:
    yield from (f"  {line}" for line in text.splitlines())


if __name__ == "__main__":
    OUT.write_text(generated(), "utf-8")
