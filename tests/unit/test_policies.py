"""The formulas of forgetting: their papers' numbers, and what holds of every policy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.errors import ConfigError
from mnemic.forgetting import (
    DAY,
    FSRS,
    STEPS,
    Age,
    Budget,
    Ebbinghaus,
    Keep,
    Policy,
    Traces,
    grade,
    policy_of,
    traces,
    verdict,
)

DECAYING: list[Any] = [
    Ebbinghaus(),
    Ebbinghaus(strength_days=1),
    Age(),
    FSRS(),
    FSRS(erase_below=0.2),
    Ebbinghaus(erase_below=0.01),
]
days = st.floats(0, 4000, allow_nan=False)


def of(*uses: float, born: float = 0.0, how: int = 3) -> Traces:
    """One record that was used on these days."""
    return traces([round(born * DAY)], [(0, round(day * DAY), how) for day in uses])


def left(policy: Policy, one: Traces, day: float) -> float:
    return float(policy.retention(one, round(day * DAY))[0])


# -- the papers


def test_memorybank_keeps_a_memory_of_a_day_with_a_probability_of_0_368_and_one_recalled_with_0_607() -> None:
    policy = Ebbinghaus(strength_days=1)
    assert left(policy, of(), 1) == pytest.approx(0.368, abs=5e-4)
    assert left(policy, of(2), 3) == pytest.approx(0.607, abs=5e-4)


def test_a_stronger_memory_fades_more_slowly() -> None:
    """The published code has it the other way round."""
    policy = Ebbinghaus(strength_days=5)
    assert left(policy, of(1, 2, 3), 10) == pytest.approx(math.exp(-7 / 20))
    assert left(policy, of(3), 10) == pytest.approx(math.exp(-7 / 10))


def test_generative_agents_keep_0_995_for_each_hour_since_the_last_retrieval() -> None:
    policy = Age(half_life_days=math.log(0.5) / math.log(0.995) / 24)
    assert left(policy, of(), 1 / 24) == pytest.approx(0.995)
    assert left(policy, of(4), 4 + 100 / 24) == pytest.approx(0.995**100)


@pytest.mark.parametrize(
    ("reviews", "day", "stability", "retention"),
    [
        ([], 30, 2.3065, 0.6675263338730357),
        ([(3, 3), (10, 3), (30, 3)], 100, 100.01550932076964, 0.9225993742885104),
        ([(3, 4), (10, 2), (40, 3)], 100, 106.86546718483602, 0.9346150047464021),
        ([(5, 3), (20, 1)], 30, 1.9206658533755894, 0.7565820492123022),
        ([(0.25, 3)], 10, 2.3065, None),
        ([(0.25, 4), (0.5, 1)], 10, 1.2800093588060393, None),
    ],
)
def test_fsrs_is_that_of_its_reference(
    reviews: list[tuple[float, int]], day: float, stability: float, retention: float | None
) -> None:
    """The numbers are those of py-fsrs 6 without learning steps. (It counts whole days only, so not for the last.)"""
    one = traces([0], [(0, round(at * DAY), how) for at, how in reviews])
    policy = FSRS()
    last = max([0.0, *(at for at, _ in reviews)])
    assert float(policy.falls_to(one, np.array([0.9]))[0]) / DAY - last == pytest.approx(stability)
    if retention is not None:
        assert left(policy, one, day) == pytest.approx(retention)


def test_after_as_many_days_as_its_stability_nine_tenths_are_left() -> None:
    assert left(FSRS(), of(), FSRS().numbers[2]) == pytest.approx(0.9)


def test_usefulness_is_the_base_level_activation_of_act_r() -> None:
    """ln(100^-0.5 + 25^-0.5) seconds after: worked by hand."""
    one = traces([0], [(0, 75_000_000, 3)])
    assert Budget(records=1).usefulness(one, 100_000_000)[0] == pytest.approx(math.log(0.1 + 0.2))


def test_the_grade_of_a_use_follows_from_its_outcome() -> None:
    assert [grade(None), grade(0.0), grade(0.4), grade(0.7), grade(1.0)] == [3, 1, 2, 3, 4]


# -- what holds of every policy


@given(st.sampled_from(DECAYING), st.lists(days, max_size=5), days, days)
def test_what_is_left_never_grows_with_age(policy: Any, uses: list[float], one: float, other: float) -> None:
    last = max([0.0, *uses])
    early, late = sorted((last + one, last + other))
    assert left(policy, of(*uses), late) <= left(policy, of(*uses), early) <= 1.0


@given(st.sampled_from(DECAYING), st.lists(days, max_size=5), days, days)
def test_a_use_never_leaves_less(policy: Any, uses: list[float], after: float, then: float) -> None:
    use = max([0.0, *uses]) + after
    assert left(policy, of(*uses, use), use + then) >= left(policy, of(*uses), use + then) - 1e-12


@given(st.lists(days, max_size=5), days, days)
def test_a_strength_grows_with_a_use_at_any_time(uses: list[float], more: float, day: float) -> None:
    at = max([0.0, more, *uses]) + day
    assert left(Ebbinghaus(), of(*uses, more), at) >= left(Ebbinghaus(), of(*uses), at)


@given(st.sampled_from(DECAYING), st.lists(days, max_size=4), st.floats(0.01, 0.99))
def test_it_falls_to_a_level_when_it_says(policy: Any, uses: list[float], level: float) -> None:
    one = of(*uses)
    when = float(policy.falls_to(one, np.array([level]))[0])
    assert float(policy.retention(one, when)[0]) == pytest.approx(level, abs=1e-6)  # type: ignore[arg-type]


@given(
    st.sampled_from([*DECAYING, Keep()]),
    st.lists(st.tuples(days, st.booleans()), min_size=1, max_size=20),
    st.floats(0, 500) | st.floats(0, 9000),
)
def test_a_verdict_stands_until_it_is_due(policy: Any, records: list[tuple[float, bool]], day: float) -> None:
    """Nothing changes before, and what is exempt never does; weights are quarters."""
    some = traces([round(born * DAY) for born, _ in records], exempt=[exempt for _, exempt in records])
    at = round((max(born for born, _ in records) + day) * DAY)
    now = verdict(policy, some, policy.retention(some, at), np.ones(len(some)), at)
    assert (now.weights[some.exempt] == 1.0).all()
    assert not now.erase.any(), "nothing goes that was not cold before"
    assert set((now.weights * STEPS).tolist()) <= set(range(STEPS + 1))
    if math.isfinite(now.due) and now.due > at + DAY // 24:
        then = round(now.due) - 60_000_000
        later = verdict(policy, some, policy.retention(some, then), now.weights, then)
        assert later.weights.tolist() == now.weights.tolist()
        after = round(now.due) + 60_000_000
        last = verdict(policy, some, policy.retention(some, after), now.weights, after)
        assert last.weights.tolist() != now.weights.tolist() or last.erase.any()


@given(st.sampled_from(DECAYING), st.lists(days, min_size=1, max_size=10))
def test_only_a_policy_that_says_so_erases_and_only_what_was_cold(policy: Any, born: list[float]) -> None:
    some = traces([round(day * DAY) for day in born])
    at = round(1e7 * DAY)
    held = np.where(np.arange(len(born)) % 2 == 0, 0.0, 0.5)
    gone = verdict(policy, some, policy.retention(some, at), held, at)
    expected = held == 0.0 if policy.erase_below is not None else np.zeros(len(born), np.bool_)
    assert gone.erase.tolist() == expected.tolist()
    if policy.erase_below is not None and (held > 0.0).any():
        assert gone.due <= at, "the rest is looked at again"


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.booleans(), st.integers(1, 500)), min_size=1, max_size=30),
    st.integers(1, 40),
    st.booleans(),
)
def test_a_budget_keeps_the_most_useful(records: list[tuple[int, bool, int]], many: int, bytes: bool) -> None:
    some = traces(
        [day * DAY for day, _, _ in records],
        exempt=[exempt for _, exempt, _ in records],
        sizes=[size for _, _, size in records],
    )
    policy = Budget(bytes=many * 10) if bytes else Budget(records=many)
    at = 2000 * DAY
    left = policy.retention(some, at)
    useful = policy.usefulness(some, at)
    free = ~some.exempt
    assert set(left.tolist()) <= {0.0, 1.0}
    if (free & (left == 1)).any() and (free & (left == 0)).any():
        assert useful[free & (left == 1)].min() >= useful[free & (left == 0)].max()
    if bytes:
        assert some.sizes[left == 1].sum() <= many * 10
    else:
        assert left.sum() == min(many, len(records))
    weights = verdict(policy, some, left, np.ones(len(some)), at).weights
    assert (weights[some.exempt] == 1.0).all()


# -- names


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        (None, None),
        ("none", Keep()),
        ("ebbinghaus", Ebbinghaus()),
        ("ebbinghaus:7", Ebbinghaus(strength_days=7.0)),
        ("fsrs", FSRS()),
        ("age:5.76", Age(half_life_days=5.76)),
        ("budget:500", Budget(records=500)),
        ("budget:1.5MB", Budget(bytes=1_500_000)),
        (Age(half_life_days=3), Age(half_life_days=3)),
    ],
)
def test_a_policy_has_a_name(name: object, policy: object) -> None:
    assert policy_of(name) == policy


@pytest.mark.parametrize("name", ["ebinghaus", "budget", "fsrs:3", "age:3MB", "none:1", 7, Age, "budget:0", ""])
def test_another_name_is_refused_with_those_that_there_are(name: object) -> None:
    with pytest.raises(ConfigError, match=r"ebbinghaus|budget:10000|takes no number|from 1 on"):
        policy_of(name)


@pytest.mark.parametrize(
    "made",
    [
        lambda: Ebbinghaus(strength_days=0),
        lambda: Age(half_life_days=-1),
        lambda: FSRS(numbers=(1.0,)),
        lambda: Ebbinghaus(cold_below=0.9, fade_below=0.5),
        lambda: FSRS(erase_below=0.7),
        lambda: Budget(),
        lambda: Budget(records=3, bytes=3),
    ],
)
def test_what_contradicts_itself_is_refused(made: Any) -> None:
    with pytest.raises(ConfigError, match=r"is not possible|21 numbers"):
        made()
