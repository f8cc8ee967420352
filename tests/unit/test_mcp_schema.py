"""What a model passes to a tool, checked: the nearest right name, the bounds, and what only looks wrong."""

from __future__ import annotations

from typing import Any

import pytest

from mnemic.errors import InputError, ParameterError
from mnemic.serve.mcp import schema, tools
from mnemic.serve.mcp.desk import Terms

TOOLS = {tool.name: tool for tool in tools.tools(Terms())}


def checked(tool: str, **arguments: Any) -> dict[str, Any]:
    return schema.checked(tool, TOOLS[tool].input, arguments)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"limit": "5"}, {"limit": 5}),
        ({"limit": 5.0}, {"limit": 5}),
        ({"threshold": "0.5"}, {"threshold": 0.5}),
        ({"threshold": 1}, {"threshold": 1}),
        ({"kinds": '["fact", "event"]'}, {"kinds": ["fact", "event"]}),
        ({"kinds": "fact"}, {"kinds": ["fact"]}),
        ({"where": '{"topic": "build"}'}, {"where": {"topic": "build"}}),
        ({"include": ["Superseded "]}, {"include": ["superseded"]}),
        ({"as_of": None}, {}),
    ],
)
def test_what_only_looks_wrong_is_read_as_what_it_means(given: dict[str, Any], meant: dict[str, Any]) -> None:
    assert checked("search_memory", query="x", **given) == {"query": "x", **meant}


@pytest.mark.parametrize(
    ("tool", "given", "says"),
    [
        ("search_memory", {"q": "x"}, "search_memory() has no parameter 'q'; did you mean 'query'?"),
        ("get_context", {"task": "x"}, "get_context() has no parameter 'task'; did you mean 'query'?"),
        ("search_memory", {"query": "x", "top_k": 3}, "did you mean 'limit'?"),
        ("search_memory", {"query": "x", "treshold": 0.2}, "did you mean 'threshold'?"),
        ("add_memory", {"content": "x"}, "did you mean 'text'?"),
        ("update_memory", {"memory_id": "x"}, "did you mean 'id'?"),
        ("forget_memory", {"id": "x"}, "did you mean 'ids'?"),
        ("memory_history", {"zebra": 1}, "there are id"),
    ],
)
def test_a_wrong_name_gets_the_nearest_right_one(tool: str, given: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError) as error:
        checked(tool, **given)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("tool", "given", "says"),
    [
        ("search_memory", {}, "search_memory() needs 'query' (A question, or words to look for)"),
        ("search_memory", {"query": "  "}, "query is empty: pass text"),
        ("search_memory", {"query": None}, "query is null: pass text"),
        ("search_memory", {"query": 7}, "query is a number (7): pass text"),
        ("search_memory", {"query": "x", "limit": 0}, "limit is 0: pass a whole number from 1 to 100"),
        ("search_memory", {"query": "x", "limit": True}, "limit is true or false (True): pass a whole number"),
        ("search_memory", {"query": "x", "limit": 2.5}, "limit is a number (2.5): pass a whole number"),
        ("search_memory", {"query": "x", "limit": float("nan")}, "limit is a number (nan): pass a whole number"),
        ("search_memory", {"query": "x", "where": [1]}, "where is a list ([1]): pass an object"),
        ("search_memory", {"query": "x", "kinds": [1]}, "kinds[0] is a number (1): pass text"),
        ("search_memory", {"query": "x", "include": ["gone"]}, "include[0] is 'gone': pass one of superseded, expired"),
        ("search_memory", {"query": "x" * 10_001}, "query has 10,001 characters: pass at most 10,000"),
        ("forget_memory", {"ids": []}, "ids has 0 items: pass a list of 1 to 500"),
        ("add_memory", {"text": "x", "speaker": "asistant"}, "did you mean 'assistant'?"),
    ],
)
def test_a_wrong_value_is_told_what_would_be_right(tool: str, given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as error:
        checked(tool, **given)
    assert says in str(error.value)


def test_lists_of_objects_are_checked_to_the_bottom() -> None:
    one = schema.fields({"name": {"type": "string"}, "tags": schema.many("Tags.", {"type": "string"})}, ["name"])
    whole = schema.fields({"entities": {"type": "array", "items": one}}, ["entities"])
    assert schema.checked("t", whole, {"entities": [{"name": ""}]}) == {"entities": [{"name": ""}]}
    with pytest.raises(InputError, match=r"entities\[1\] needs 'name'"):
        schema.checked("t", whole, {"entities": [{"name": "a"}, {"tags": []}]})
    with pytest.raises(ParameterError, match=r"entities\[0\] has no field 'nam'; did you mean 'name'"):
        schema.checked("t", whole, {"entities": [{"nam": "a"}]})
    with pytest.raises(InputError, match=r"entities\[0\]\.tags\[0\] is null"):
        schema.checked("t", whole, {"entities": [{"name": "a", "tags": [None]}]})


def test_deep_json_in_a_text_is_no_way_to_bring_it_down() -> None:
    with pytest.raises(InputError, match="where is text"):
        checked("search_memory", query="x", where="[" * 200_000)
