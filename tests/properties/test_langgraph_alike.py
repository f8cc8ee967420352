"""LangGraph's own InMemoryStore is the oracle: random operations give the same on both."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("langgraph", reason="needs langgraph")

from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.base import GetOp, Item, ListNamespacesOp, MatchCondition, Op, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

from mnemic import Memory
from mnemic.compat.langgraph import MnemicStore
from mnemic.testing import HashEmbedder

LABELS = st.sampled_from(["a", "b", "users"])
SPACES = st.lists(LABELS, min_size=1, max_size=3).map(tuple)
PATHS = st.lists(st.one_of(LABELS, st.just("*")), min_size=1, max_size=3).map(tuple)
KEYS = st.sampled_from(["k", "k/a", "", '"', "é"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 2.5, "tea", "3", ""]))
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 2.5, "2", "-1.5"]))
VALUES = st.fixed_dictionaries(
    {"n": NUMBERS},
    optional={
        "x": SCALARS,
        "tags": st.lists(SCALARS, max_size=2),
        "deep": st.dictionaries(st.sampled_from(["y", "z"]), SCALARS, max_size=2),
    },
)
TESTS = st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"]), NUMBERS, min_size=1, max_size=2)
FILTERS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "n": st.one_of(NUMBERS, TESTS),
            "x": st.one_of(SCALARS, st.fixed_dictionaries({"$ne": SCALARS})),
            "tags": st.lists(SCALARS, max_size=2),
            "deep": st.dictionaries(st.sampled_from(["y", "z"]), SCALARS, max_size=2),
        },
    ),
)
CONDITIONS = st.lists(st.builds(MatchCondition, st.sampled_from(["prefix", "suffix"]), PATHS), max_size=2).map(tuple)
INDEX = st.sampled_from([None, False, ["n"], ["tags[*]", "deep.y"], ["nowhere"]])
QUERIES = st.sampled_from([None, "tea", "3 and 2.5", ""])
OPS: st.SearchStrategy[Op] = st.one_of(
    st.builds(PutOp, SPACES, KEYS, VALUES, INDEX, st.none()),
    st.builds(PutOp, SPACES, KEYS, VALUES, INDEX, st.none()),
    st.builds(PutOp, SPACES, KEYS, st.none(), st.none(), st.none()),
    st.builds(GetOp, SPACES, KEYS),
    st.builds(
        SearchOp,
        st.lists(LABELS, max_size=2).map(tuple),
        FILTERS,
        st.sampled_from([1, 3, 100]),
        st.sampled_from([0, 0, 2]),
        QUERIES,
    ),
    st.builds(
        ListNamespacesOp,
        CONDITIONS,
        st.sampled_from([None, 1, 2]),
        st.sampled_from([1, 3, 100]),
        st.sampled_from([0, 1]),
    ),
)


def plain(item: Item) -> tuple[Any, ...]:
    """An item but for its times: InMemoryStore forgets when it was created whenever it is put anew."""
    return (item.namespace, item.key, json.dumps(item.value, sort_keys=True))


class Oracle:
    """InMemoryStore, without the namespaces in which nothing is, which it lists once somebody has looked there."""

    def __init__(self) -> None:
        self.store = InMemoryStore()

    def batch(self, ops: list[Op]) -> list[Any]:
        for space in [space for space, items in self.store._data.items() if not items]:
            del self.store._data[space]
        listed = [op for op in ops if isinstance(op, ListNamespacesOp)]
        spaces = iter(self.store.batch(listed))
        found = self.store.batch(ops)
        return [next(spaces) if isinstance(op, ListNamespacesOp) else one for op, one in zip(ops, found, strict=True)]


def check(ops: list[Op], found: list[Any], oracle: Oracle) -> None:
    """The same, but that the order of what is searched is each store's own; pages are as long, and out of the same."""
    whole = [op._replace(limit=10**6, offset=0) if isinstance(op, SearchOp) else op for op in ops]
    reads = [op for op in whole if not isinstance(op, PutOp)]
    everything = iter(oracle.batch(reads))
    wanted = oracle.batch(ops)
    for op, ours, theirs in zip(ops, found, wanted, strict=True):
        if isinstance(op, PutOp):
            assert ours is None
        elif isinstance(op, ListNamespacesOp):
            assert ours == next(everything)
        elif isinstance(op, GetOp):
            next(everything)
            assert (ours and plain(ours)) == (theirs and plain(theirs))
        else:
            among = sorted(plain(item) for item in next(everything))
            assert len(ours) == max(min(op.limit, len(among) - op.offset), 0)
            assert len({plain(item) for item in ours}) == len(ours)
            if len(ours) == len(among):
                assert sorted(plain(item) for item in ours) == among
            assert {plain(item) for item in ours} <= set(among)
            scores = [item.score for item in ours]
            known = [score for score in scores if score is not None]
            assert known == sorted(known, reverse=True)
            assert scores[len(known) :] == [None] * (len(scores) - len(known))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(OPS, min_size=1, max_size=4), max_size=8))
def test_it_does_what_langgraphs_own_does(batches: list[list[Op]]) -> None:
    oracle = Oracle()
    with Memory(":memory:", embedder=HashEmbedder(16), recipe="none") as memory:
        store = MnemicStore(memory)
        for number, ops in enumerate(batches):
            found = store.batch(ops) if number % 2 else asyncio.run(store.abatch(ops))
            check(ops, found, oracle)
        held = sorted(plain(item) for item in store.search((), limit=10**6))
        assert held == sorted(plain(item) for item in oracle.store.search((), limit=10**6))
