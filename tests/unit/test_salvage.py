"""JSON out of a model's answer: whatever it is wrapped in, and however much of it there is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic.propose import _items  # pyright: ignore[reportPrivateUsage]
from mnemic.salvage import MOST_STARTS, salvaged


def value(text: str) -> Any:
    found = salvaged(text)
    assert len(found.values) == 1, found
    assert not found.cut
    return found.values[0]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure, here it is:\n```json\n{"a": 1}\n```\nAnything else?', {"a": 1}),
        ('<think>{"a": 2} or so</think>\n{"a": 1}', {"a": 1}),
        ('perhaps {"a": 2}\n</think>{"a": 1}', {"a": 1}),
        ('{"a": 1}\n<think>was that right?</think>', {"a": 1}),
        ("{'a': 'Ilse's bike', 'b': \"it's\"}", {"a": "Ilse's bike", "b": "it's"}),
        ("{“a”: “b”}", {"a": "b"}),
        ('{"a": True, "b": False, "c": None}', {"a": True, "b": False, "c": None}),
        ('{"a": [1, 2,], "b": 3,}', {"a": [1, 2], "b": 3}),
        ('{"a": 1 // one\n, /* two */ "b": 2 # three\n}', {"a": 1, "b": 2}),
        ('{a: 1, b: "x"}', {"a": 1, "b": "x"}),
        ('{"a": "x"\n "b": "y"}', {"a": "x", "b": "y"}),
        ('{"a": "x" "b": "y"}', {"a": "x", "b": "y"}),
        ('[{"a": 1} {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (
            '{"a": "Ilse said "yes", "no" and "perhaps".", "b": 1}',
            {"a": 'Ilse said "yes", "no" and "perhaps".', "b": 1},
        ),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": , "b": 1}', {"a": None, "b": 1}),
        ('{"a": fact, "b": 1}', {"a": "fact", "b": 1}),
        ('{"a": [1, 2}', {"a": [1, 2]}),
        ('[{"a": 1]', [{"a": 1}]),
        (r'{"a": "50\% \u00e9 \ud83d\ude00"}', {"a": "50% é 😀"}),
        ('{"a": -1.5e3, "b": +2, "c": .5}', {"a": -1500.0, "b": 2, "c": 0.5}),
        (f'{{"a": {"9" * 5000}}}', {"a": "9" * 5000}),
        ('{"a": "x", "a": "y"}', {"a": "y"}),
    ],
)
def test_what_is_meant_is_read(text: str, meant: Any) -> None:
    assert value(text) == meant


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"s": [{"a": 1}, {"a": 2}, {"a": "thr', {"s": [{"a": 1}, {"a": 2}]}),
        ('{"s": [{"a": 1}, {"a": 2', {"s": [{"a": 1}]}),
        ('```json\n[{"a": [1, 2]}, {"a": [3', [{"a": [1, 2]}]),
        ('{"r": {"s": [{"a": 1}, {', None),
        ('{"a": 1, "b": "x"', None),
    ],
)
def test_of_what_was_cut_only_what_is_whole_is_kept(text: str, whole: Any) -> None:
    found = salvaged(text)
    assert found.cut
    assert found.values == (() if whole is None else (whole,))


def test_one_broken_object_costs_none_of_the_others() -> None:
    found = salvaged('[{"a": 1}, {"b" 2}, {"c": 3}]')
    assert found.values == ({"a": 1}, {"c": 3})
    assert any("expected ':' behind 'b'" in problem for problem in found.problems)


def test_brackets_in_prose_are_passed_over_and_told() -> None:
    found = salvaged('The set {of things} is [1]: {"a": 1}')
    assert found.values[-1] == {"a": 1}
    assert any("of" in problem for problem in found.problems)


def test_a_key_that_stands_twice_is_told() -> None:
    assert "stands twice" in salvaged('{"a": 1, "a": 2}').problems[0]
    assert "stands twice" in salvaged("{'a': 1, 'a': 2}").problems[0]


@pytest.mark.parametrize("text", ["", "I'm sorry, I can't.", "<think>so {", "}", "]]", "null", '"text"', "12"])
def test_where_there_is_nothing_nothing_is_read(text: str) -> None:
    assert salvaged(text).values == ()


# --- whatever a model writes ---------------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<"), max_size=20)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"text": WORDS, "turns": st.lists(st.integers(-9, 99), max_size=3), "holds": st.booleans()},
        optional={
            "value": WORDS,
            "from": st.none() | WORDS,
            "updates": st.none() | st.integers(0, 9),
            "odd key!": WORDS,
        },
    ),
    min_size=1,
    max_size=4,
)


def trailing(given: Any) -> str:
    """JSON with a comma too many everywhere."""
    if isinstance(given, dict):
        return "{" + "".join(f"{json.dumps(key)}: {trailing(one)}, " for key, one in given.items()) + "}"
    if isinstance(given, list):
        return "[" + "".join(f"{trailing(one)}, " for one in given) + "]"
    return json.dumps(given)


FORMS: list[Callable[[Any], str]] = [
    json.dumps,
    lambda given: json.dumps(given, ensure_ascii=False, indent=2),
    repr,
    trailing,
]
WRAPPINGS: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: f"```json\n{text}\n```",
    lambda text: f"```\n{text}",
    lambda text: f"Here's what I found, [1] to [3] {{in short}}:\n\n{text}\n\nShall I go on? :]",
    lambda text: f'<think>They want {{"statements": []}}, or [{{"text": "x"}}].</think>\n{text}',
    lambda text: f'hm, [{{"text": "a draft"}}] perhaps\n</think>\n\n```json\n{text}\n```',
    lambda text: f"\ufeff  {text}  ",
]
SHAPES: list[Callable[[list[Any]], Any]] = [
    lambda items: {"statements": items},
    lambda items: items,
    lambda items: {"result": {"facts": items}, "note": "done"},
    lambda items: {str(at): item for at, item in enumerate(items)},
]


@given(ITEMS, st.sampled_from(SHAPES), st.sampled_from(FORMS), st.sampled_from(WRAPPINGS))
@settings(max_examples=300, deadline=None)
def test_a_sound_answer_survives_any_wrapping(
    items: list[Any], shape: Callable[[list[Any]], Any], form: Callable[[Any], str], wrap: Callable[[str], str]
) -> None:
    assert _items(salvaged(wrap(form(shape(items))))) == items


@given(ITEMS, st.sampled_from(FORMS), st.data())
@settings(max_examples=200, deadline=None)
def test_of_an_answer_that_is_cut_anywhere_the_first_statements_are_read_and_no_others(
    items: list[Any], form: Callable[[Any], str], data: st.DataObject
) -> None:
    text = form({"statements": items})
    read = _items(salvaged(text[: data.draw(st.integers(0, len(text) - 1))])) or []
    assert read == items[: len(read)]


@given(st.one_of(st.text(max_size=80), st.text("{}[]\"':,\\\n tfn1/*#`<think>", max_size=80)))
@settings(max_examples=400, deadline=None)
def test_nothing_makes_it_raise(text: str) -> None:
    salvaged(text)


@pytest.mark.parametrize(
    "text",
    [
        '["' * 20_000,
        '{"a":"' + '" ' * 40_000,
        "{" * 50_000,
        "[1," * 50_000,
        "<think>" * 20_000 + "{",
        "{/*" * 5_000,
        "[" + '{"a" 1},' * 20_000,
        "{'a':'" + "'," * 40_000,
        '{"a":"' + "\\" * 100_000,
    ],
)
def test_a_long_and_broken_answer_takes_no_long_time(text: str) -> None:
    started = time.perf_counter()
    salvaged(text)
    assert time.perf_counter() - started < 5


def test_it_gives_up_after_many_brackets_in_vain() -> None:
    assert f"given up after {MOST_STARTS}" in salvaged("{x} " * 500).problems[-1]
