"""mem0's filters, asked of a memory as mem0 would have kept it: one flat dict. Pure.

{"user_id": "ana", "topic": "home"}                   all of these; a list stands for "one of"
{"stars": {"gte": 4, "lt": 9}}                        eq ne in nin gt gte lt lte contains icontains
{"topic": "*"}                                        whatever it is, but there
{"AND": […]}  {"OR": […]}  {"NOT": […]}               filters in a list; NOT: none of them
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from mnemic.errors import FilterError, nearest

Filters = Mapping[str, Any]

IDS = ("user_id", "agent_id", "run_id")
"""What a memory belongs to. mem0 takes whole numbers for them, too."""
_LOGIC = {"AND": "AND", "OR": "OR", "NOT": "NOT", "$and": "AND", "$or": "OR", "$not": "NOT"}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda held, wanted: held > wanted,
    "gte": lambda held, wanted: held >= wanted,
    "lt": lambda held, wanted: held < wanted,
    "lte": lambda held, wanted: held <= wanted,
}
OPERATORS = ("eq", "ne", "in", "nin", *_COMPARE, "contains", "icontains")


def matches(filters: Filters, payload: Mapping[str, Any]) -> bool:
    """Whether a memory is meant. Raises FilterError."""
    return all(_holds(key, wanted, payload) for key, wanted in filters.items())


def named(filters: Filters, id: str) -> frozenset[str] | None:
    """The values that `user_id`, `agent_id` or `run_id` may have in what these filters mean; None: any, or none."""
    found: frozenset[str] | None = None
    for key, wanted in filters.items():
        logic = _LOGIC.get(key)
        if logic == "AND":
            among = [named(each, id) for each in _listed(key, wanted)]
        elif logic == "OR":
            several = [named(each, id) for each in _listed(key, wanted)]
            among = [] if None in several else [frozenset[str]().union(*(one for one in several if one is not None))]
        else:
            among = [_values(wanted)] if key == id else []
        for values in among:
            if values is not None:
                found = values if found is None else found & values
    return found


def names_somebody(filters: Filters) -> bool:
    """Whether the filters say anything of whose memories are meant, as mem0 wants it."""
    return any(
        key in IDS or (key in _LOGIC and any(names_somebody(each) for each in _listed(key, wanted)))
        for key, wanted in filters.items()
    )


def _values(wanted: Any) -> frozenset[str] | None:
    if isinstance(wanted, Mapping):
        operators = cast("Mapping[str, Any]", wanted)
        if "eq" in operators:
            return _values(operators["eq"])
        return _values(list(operators["in"])) if "in" in operators else None
    if isinstance(wanted, list | tuple | set | frozenset):
        return frozenset(str(one).strip() for one in cast("Iterable[object]", wanted))
    return None if wanted == "*" or wanted is None else frozenset([str(wanted).strip()])


def _holds(key: str, wanted: Any, payload: Mapping[str, Any]) -> bool:
    logic = _LOGIC.get(key)
    if logic is not None:
        each = [matches(one, payload) for one in _listed(key, wanted)]
        return all(each) if logic == "AND" else any(each) if logic == "OR" else not any(each)
    held = payload.get(key)
    if isinstance(wanted, Mapping):
        tests = cast("Mapping[str, Any]", wanted)
        return all(_tested(key, operator, held, value) for operator, value in tests.items())
    if isinstance(wanted, list | tuple | set | frozenset):
        return _tested(key, "in", held, cast("object", wanted))
    return held is not None if wanted == "*" else _equal(key, held, wanted)


def _tested(key: str, operator: str, held: Any, wanted: Any) -> bool:
    if operator not in OPERATORS:
        hint = nearest(operator.lstrip("$"), OPERATORS, {"not_in": "nin", "like": "contains"})
        raise FilterError(
            f"Unsupported metadata filter operator: {operator!r} on {key!r}{hint}. Known are {', '.join(OPERATORS)}"
        )
    if operator in ("eq", "ne"):
        return _equal(key, held, wanted) == (operator == "eq")
    if operator in ("in", "nin"):
        if isinstance(wanted, str) or not isinstance(wanted, Iterable):
            raise FilterError(f"'{operator}' on {key!r} takes a list of values, not {wanted!r}")
        found = any(_equal(key, held, one) for one in cast("Iterable[object]", wanted))
        return found == (operator == "in")
    if operator in ("contains", "icontains"):
        return _contains(held, wanted, fold=operator == "icontains")
    try:
        return held is not None and _COMPARE[operator](held, wanted)
    except TypeError:  # a text and a number: neither is greater
        return False


def _equal(key: str, held: Any, wanted: Any) -> bool:
    if key in IDS:
        return held == (wanted if wanted is None else str(wanted).strip())
    return held == wanted and isinstance(held, bool) == isinstance(wanted, bool)


def _contains(held: Any, wanted: Any, *, fold: bool) -> bool:
    def folded(value: Any) -> Any:
        return value.casefold() if fold and isinstance(value, str) else value

    if isinstance(held, str):
        return isinstance(wanted, str) and folded(wanted) in folded(held)
    if isinstance(held, list | tuple):
        return any(folded(one) == folded(wanted) for one in cast("Sequence[object]", held))
    return False


def _listed(key: str, wanted: Any) -> list[Filters]:
    """The filters that a logical operator joins."""
    found: object = [cast("object", wanted)] if isinstance(wanted, Mapping) else wanted
    if not isinstance(found, list | tuple) or not found:
        raise FilterError(f"{key} operator requires a non-empty list of conditions, not {wanted!r}")
    for one in cast("Sequence[object]", found):
        if not isinstance(one, Mapping):
            raise FilterError(f"{key} joins filters, each a dict, and not {one!r}")
    return list(cast("Sequence[Filters]", found))
