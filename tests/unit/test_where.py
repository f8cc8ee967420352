"""Filters on metadata, held against the same rules in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory
from mnemic.errors import FilterError
from mnemic.testing import FrozenClock
from mnemic.where import OPERATORS, compile_where

KEYS = [
    "a",
    "stars",
    "it's",
    'qu"ote',
    "$.a",
    "a.b",
    "%",
    "_",
    "*",
    "x' OR '1'='1",
    "and",
    "or",
    "not",
    "žluťoučký",
    "",
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([1.5, -0.25, 2.0, 1e300, 2**53 + 1, -(2**63), 2**63 - 1])
    | st.sampled_from(
        ["", "a", "b", "ab", "1", "true", "null", "'", '"', "%", "_", "a%", "é", "🫖", "x' OR '1'='1", "A"]
    )
)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), scalars, max_size=2)
metadata = st.dictionaries(st.sampled_from(KEYS), values, max_size=4)
comparable = (
    st.integers(-5, 5) | st.sampled_from([1.5, -0.25, 2.0, 2**53 + 1]) | st.sampled_from(["", "a", "b", "é", "1"])
)
tests = st.one_of(
    scalars,
    st.fixed_dictionaries({"eq": scalars}),
    st.fixed_dictionaries({"ne": scalars}),
    st.fixed_dictionaries({"in": st.lists(scalars, max_size=3)}),
    st.fixed_dictionaries({"contains": scalars}),
    *(st.fixed_dictionaries({operator: comparable}) for operator in ("gt", "gte", "lt", "lte")),
    st.fixed_dictionaries({"gte": comparable, "lt": comparable}),
)
plain = st.dictionaries(st.sampled_from([key for key in KEYS if key not in ("not",)]), tests, min_size=1, max_size=2)
filters = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)


def same(held: Any, wanted: Any) -> bool:
    """Equal, and of one kind: True is not 1, and 1 is 1.0."""
    if isinstance(held, bool) or isinstance(wanted, bool):
        return held is wanted
    if isinstance(held, int | float) and isinstance(wanted, int | float):
        return held == wanted
    return type(held) is type(wanted) and held == wanted


def passes(operator: str, held: Any, wanted: Any) -> bool:
    if operator == "eq":
        return same(held, wanted)
    if operator == "in":
        return any(same(held, one) for one in wanted)
    if operator == "contains":
        if isinstance(held, list):
            return any(same(one, wanted) for one in held)
        return isinstance(held, str) and isinstance(wanted, str) and wanted in held
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (held, wanted))
    if not numbers and not (isinstance(held, str) and isinstance(wanted, str)):
        return False
    return {"gt": held > wanted, "gte": held >= wanted, "lt": held < wanted, "lte": held <= wanted}[operator]


def matches(where: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    for key, wanted in where.items():
        if key in ("and", "or") and isinstance(wanted, list):
            if not (all if key == "and" else any)(matches(one, record) for one in wanted):
                return False
        elif key == "not" and isinstance(wanted, dict):
            if matches(wanted, record):
                return False
        else:
            for operator, value in wanted.items() if isinstance(wanted, dict) else [("eq", wanted)]:
                if operator == "ne":
                    if key in record and same(record[key], value):
                        return False
                elif key not in record or not passes(operator, record[key], value):
                    return False
    return True


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(metadata, min_size=1, max_size=4), st.lists(filters, min_size=1, max_size=6))
def test_a_filter_keeps_what_it_says(records: list[dict[str, Any]], wheres: list[dict[str, Any]]) -> None:
    with Memory(":memory:", embedder="none", clock=FrozenClock(), recipe="none") as memory:
        memory.add(
            [{"content": f"record {number}", "metadata": held} for number, held in enumerate(records)], user_id="ana"
        )
        for where in wheres:
            expected = {f"record {number}" for number, held in enumerate(records) if matches(where, held)}
            assert {record.text for record in memory.list(user_id="ana", where=where)} == expected, where
            assert {hit.text for hit in memory.search("record", user_id="ana", where=where)} == expected, where


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", embedder="none", clock=FrozenClock(), recipe="none") as memory:
        memory.add(
            {"content": "one", "metadata": {"city": "Lisbon", "stars": 4, "tags": ["food", "sea"]}}, user_id="ana"
        )
        memory.add(
            {"content": "two", "metadata": {"city": "Porto", "it's": 'a "b" \\ c', "nothing": None}}, user_id="ana"
        )
        memory.add("three", user_id="ana")
        yield memory


def texts(memory: Memory, where: Mapping[str, Any]) -> set[str]:
    return {record.text for record in memory.list(user_id="ana", where=where)}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"city": "Lisbon"}, {"one"}),
        ({"stars": {"gte": 4}, "tags": {"contains": "food"}}, {"one"}),
        ({"or": [{"city": "Porto"}, {"not": {"stars": {"lt": 5}}}]}, {"two", "three"}),
        ({"city": {"ne": "Lisbon"}}, {"two", "three"}),
        ({"city": {"in": ["Lisbon", "Porto"]}}, {"one", "two"}),
        ({"city": {"in": []}}, set()),
        ({"stars": {"in": [float("inf"), 4]}}, {"one"}),
        ({"stars": {"lt": float("inf")}}, {"one"}),
        ({"city": {"contains": "o"}}, {"one", "two"}),
        ({"stars": "4"}, set()),
        ({"stars": {"gt": "3"}}, set()),
        ({"city": {"gt": 3}}, set()),
        ({"nothing": None}, {"two"}),
        ({"it's": 'a "b" \\ c'}, {"two"}),
        ({"AND": [{"stars": 4}, {"Or": [{"city": "Lisbon"}]}]}, {"one"}),
    ],
)
def test_filters_in_examples(memory: Memory, where: dict[str, Any], expected: set[str]) -> None:
    assert texts(memory, where) == expected


ATTACKS = [
    "' OR 1=1 --",
    "x') OR ('1'='1",
    '"; DROP TABLE records; --',
    "$.city",
    "$[*]",
    "$.*",
    "city' UNION SELECT * FROM settings --",
    "%",
    "_____",
    "*",
    "?",
    ":w0",
    "@a",
    "\\",
    "\n",
    "\t;",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_bound_is_never_read_as_sql(memory: Memory, attack: str) -> None:
    for where in (
        {attack: "Lisbon"},
        {"city": attack},
        {"city": {"contains": attack}},
        {"tags": {"contains": attack}},
        {"city": {"in": [attack]}},
        {attack: {"gte": attack}},
    ):
        assert texts(memory, where) == set(), where
    assert texts(memory, {"not": {attack: attack}}) == {"one", "two", "three"}
    memory.add({"content": "four", "metadata": {attack: attack}}, user_id="ana")
    assert texts(memory, {attack: attack}) == {"four"}
    sql, bound = compile_where({attack: attack})
    assert attack not in sql.replace("?", "").replace("*", "") or len(attack) == 1 or attack == ":w0"
    assert list(bound.values()) == [attack, attack]
    assert len(memory.list(user_id="ana")) == 4


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"stars": {"greater": 4}}, "the filter on 'stars' has no operator 'greater'"),
        ({"stars": {">=": 4}}, "has no operator '>='; did you mean 'gte'?"),
        ({"stars": {"gt": 4, "ltt": 9}}, "has no operator 'ltt'; did you mean 'lt'?"),
        ({"stars": {"$gte": 4}}, "has no operator '$gte'; did you mean 'gte'?"),
        ({"city": {"contain": "L"}}, "did you mean 'contains'?"),
        ({"city": {}}, "the filter on 'city' is empty: name an operator"),
        ({}, "where={} is not a filter"),
        ("city = 'Lisbon'", "is not a filter: pass for example {'city': 'Lisbon'}"),
        ([{"city": "Lisbon"}], "is not a filter"),
        ({"or": []}, "'or' needs at least one filter in its list"),
        ({"or": [{}]}, "where={} is not a filter"),
        ({"or": ["x"]}, "where='x' is not a filter"),
        ({5: "x"}, "the filter key 5 is not text"),
        ({"city": {"in": "Lisbon"}}, "'in' on 'city' takes a list of values, not 'Lisbon'"),
        ({"city": {"in": 5}}, "'in' on 'city' takes a list of values, not 5"),
        ({"city": {"gt": None}}, "'gt' on 'city' compares numbers or text, not None"),
        ({"city": {"gt": True}}, "compares numbers or text, not True"),
        ({"city": ["Lisbon"]}, "compares with ['Lisbon']: use text, a number, True, False or None"),
        ({"city": {"eq": {"a": 1}}}, "compares with {'a': 1}"),
        ({"stars": 2**63}, "which is beyond 64 bits"),
        ({"city": "\ud800"}, "holds a lone surrogate"),
        ({"\ud800": 1}, "holds a lone surrogate"),
        ({"stars": float("nan")}, "nan"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_with_what_it_is(memory: Memory, where: Any, words: str) -> None:
    for user in ("ana", "nobody yet"):
        for verb in (memory.list, memory.timeline, lambda **given: memory.search("x", **given)):
            with pytest.raises(FilterError) as error:
                verb(user_id=user, where=where)
            assert words in str(error.value)


def test_every_operator_is_named_where_one_is_unknown(memory: Memory) -> None:
    with pytest.raises(FilterError) as error:
        memory.list(user_id="ana", where={"a": {"zzz": 1}})
    assert all(operator in str(error.value) for operator in OPERATORS)


LEVELS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "and": lambda where: {"stars": {"gte": 1, "lt": 9}, "and": [{"city": {"ne": "Porto"}}, where]},
    "or": lambda where: {"stars": {"gte": 1, "lt": 9}, "or": [{"city": "Faro", "tags": {"contains": "x"}}, where]},
    "not": lambda where: {"stars": {"gte": 1, "lt": 9}, "not": {"city": "Lisbon", "not": where}},
}
"""Each keeps what it holds, and adds one level (`not`: two)."""


@pytest.mark.parametrize("shape", LEVELS)
def test_nesting_is_bounded_before_the_database_is_asked(memory: Memory, shape: str) -> None:
    where: dict[str, Any] = {"city": {"in": ["Lisbon", "Rome"]}, "tags": {"contains": "food"}}
    levels = 0
    while levels <= 8:
        assert texts(memory, where) == {"one"}, where
        where, levels = LEVELS[shape](where), levels + (2 if shape == "not" else 1)
    with pytest.raises(FilterError, match="nested more than 8 deep"):
        texts(memory, where)


def test_a_filter_may_be_wide(memory: Memory) -> None:
    cities = ["Lisbon", *(f"city {number}" for number in range(5000))]
    assert texts(memory, {"city": {"in": cities}}) == {"one"}
    assert texts(memory, {"stars": {"in": [*range(4), 4.0, *range(10, 5000)]}}) == {"one"}
    assert texts(memory, {"or": [{"city": city} for city in cities[:390]]}) == {"one"}
    assert texts(memory, {f"key {number}": {"ne": 1} for number in range(390)}) == {"one", "two", "three"}
    with pytest.raises(FilterError, match="more than 400 comparisons: use 'in' for many values of one key"):
        texts(memory, {"or": [{"city": city} for city in cities]})


def test_a_filter_sees_the_revision_that_is_read(memory: Memory) -> None:
    clock = memory._clock
    assert isinstance(clock, FrozenClock)
    id_ = memory.remember("fact", metadata={"mood": "good"}, user_id="ana").ids[0]
    then = clock.advance(1)
    clock.advance(1)
    memory.update(id_, metadata={"mood": "bad"}, user_id="ana")
    clock.advance(1)
    assert texts(memory, {"mood": "good"}) == set()
    assert texts(memory, {"mood": "bad"}) == {"fact"}
    assert [r.metadata for r in memory.list(user_id="ana", where={"mood": "good"}, known_at=then)] == [{"mood": "good"}]
