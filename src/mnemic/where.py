"""`where=`: filters on metadata, compiled to SQL in which every key and value is bound and nothing is spliced.

    {"city": "Lisbon"}                                   equal
    {"stars": {"gte": 4}, "tags": {"contains": "food"}}  all of these
    {"or": [{"city": "Porto"}, {"not": {"stars": {"lt": 3}}}]}

Operators: eq, ne, in, gt, gte, lt, lte, contains. Numbers compare with numbers and text with text. `contains` asks
whether a list holds the value, or a text the piece of text. `ne` also matches records without the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, cast

from mnemic.errors import FilterError, nearest

_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPERATORS = ("eq", "ne", "in", *_COMPARE, "contains")
_PEERS = {"==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "icontains": "contains"}
_DEEPEST = 8
"""Filters inside filters, and …"""
_MOST = 400
"""… comparisons in one: SQLite's parser has room for a hundred open words and an expression a thousand deep."""


def compile_where(where: Mapping[str, Any], column: str = "metadata") -> tuple[str, dict[str, Any]]:
    """SQL over the JSON object in `column`, and the values to bind to it. Raises FilterError."""
    values: dict[str, Any] = {}
    condition = _all_of(where, column, values, 0)
    if len(values) > 2 * _MOST:
        raise FilterError(f"this filter has more than {_MOST} comparisons: use 'in' for many values of one key")
    return condition, values


def _all_of(where: object, column: str, values: dict[str, Any], depth: int) -> str:
    if not isinstance(where, Mapping) or not where:
        raise FilterError(f"where={where!r} is not a filter: pass for example {{'city': 'Lisbon'}}")
    if depth > _DEEPEST:
        raise FilterError(f"this filter is nested more than {_DEEPEST} deep")
    parts: list[str] = []
    for key, wanted in cast("Mapping[object, object]", where).items():
        if not isinstance(key, str):
            raise FilterError(f"the filter key {key!r} is not text: metadata keys are strings")
        word = key.lower()
        if word in ("and", "or") and isinstance(wanted, Sequence) and not isinstance(wanted, str):
            inner = [_all_of(item, column, values, depth + 1) for item in cast("Sequence[object]", wanted)]
            if not inner:
                raise FilterError(f"'{key}' needs at least one filter in its list")
            parts.append("(" + f" {word.upper()} ".join(inner) + ")")
        elif word == "not" and isinstance(wanted, Mapping):
            parts.append(f"(NOT {_all_of(cast('object', wanted), column, values, depth + 1)})")
        elif isinstance(wanted, Mapping):
            tests = cast("Mapping[object, object]", wanted)
            if not tests:
                raise FilterError(f"the filter on {key!r} is empty: name an operator ({', '.join(OPERATORS)})")
            parts += [_test(key, operator, value, column, values) for operator, value in tests.items()]
        else:
            parts.append(_test(key, "eq", wanted, column, values))
    return "(" + " AND ".join(parts) + ")"


def _test(key: str, operator: object, wanted: object, column: str, values: dict[str, Any]) -> str:
    if operator not in OPERATORS:
        hint = nearest(str(operator), OPERATORS, _PEERS) or "."
        if operator == "nin":
            hint = f"; write {{'not': {{{key!r}: {{'in': […]}}}}}}."
        raise FilterError(f"the filter on {key!r} has no operator {operator!r}{hint} Known are {', '.join(OPERATORS)}")
    name = _bind(key, values)
    if operator in ("eq", "ne"):
        found = _has(column, name, _equal(key, wanted, values))
        return f"(NOT {found})" if operator == "ne" else found
    if operator == "in":
        if isinstance(wanted, str) or not isinstance(wanted, Sequence | set | frozenset):
            raise FilterError(f"'in' on {key!r} takes a list of values, not {wanted!r}")
        return _has(column, name, _among(key, list(cast("Sequence[object]", wanted)), values))
    if operator == "contains":
        inner = (
            f"type = 'array' AND EXISTS (SELECT 1 FROM json_each(json(held.value)) WHERE {_equal(key, wanted, values)})"
        )
        if isinstance(wanted, str):
            inner = f"({inner}) OR (type = 'text' AND instr(held.value, {_bind(wanted, values)}) > 0)"
        return _has(column, name, f"({inner})")
    if isinstance(wanted, bool) or not isinstance(wanted, int | float | str):
        raise FilterError(f"'{operator}' on {key!r} compares numbers or text, not {wanted!r}")
    kinds = "type = 'text'" if isinstance(wanted, str) else "type IN ('integer', 'real')"
    return _has(column, name, f"{kinds} AND held.value {_COMPARE[str(operator)]} {_bind(_number(key, wanted), values)}")


def _has(column: str, name: str, test: str) -> str:
    return f"EXISTS (SELECT 1 FROM json_each({column}) AS held WHERE held.key = {name} AND ({test}))"


def _equal(key: str, wanted: object, values: dict[str, Any]) -> str:
    if wanted is None:
        return "type = 'null'"
    if isinstance(wanted, bool):
        return "type = 'true'" if wanted else "type = 'false'"
    if isinstance(wanted, str):
        return f"(type = 'text' AND value = {_bind(wanted, values)})"
    if isinstance(wanted, int | float):
        return f"(type IN ('integer', 'real') AND value = {_bind(_number(key, wanted), values)})"
    raise FilterError(f"the filter on {key!r} compares with {wanted!r}: use text, a number, True, False or None")


def _among(key: str, wanted: list[object], values: dict[str, Any]) -> str:
    for item in wanted:
        _equal(key, item, {})  # refuses what nothing can equal
    texts = [item for item in wanted if isinstance(item, str)]
    numbers = [item for item in wanted if isinstance(item, int | float) and not isinstance(item, bool)]
    numbers = [item for item in numbers if isfinite(item)]  # JSON has no other
    tests = [
        f"type = '{name}'"
        for value, name in ((None, "null"), (True, "true"), (False, "false"))
        if _is_in(value, wanted)
    ]
    for kinds, items in (("'text'", texts), ("'integer', 'real'", numbers)):
        if items:
            listed = _bind(json.dumps(items, ensure_ascii=False), values)
            tests.append(f"(type IN ({kinds}) AND value IN (SELECT value FROM json_each({listed})))")
    return " OR ".join(tests) or "0"


def _is_in(value: bool | None, wanted: list[object]) -> bool:
    return any(item is value for item in wanted)


def _number(key: str, value: float | str) -> float | str:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise FilterError(f"the filter on {key!r} compares with {value}, which is beyond 64 bits")
    if value != value:
        raise FilterError(f"the filter on {key!r} compares with nan, which is no number")
    return value


def _bind(value: object, values: dict[str, Any]) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise FilterError(f"the filter holds a lone surrogate in {value!r}, which is not text") from None
    name = f"w{len(values)}"
    values[name] = value
    return f":{name}"
