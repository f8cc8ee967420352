"""Weights out of feedback, as a pure function: what it recovers, and what it never does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnemic import learn, rank
from mnemic.learn import Judged

SHIPPED = dict(rank.fitted(dense=True).weights)
NAMES = list(SHIPPED)
TRUTH = {"dense_turn": 3.0, "lexical_turn": 0.3}
"""What the simulated user prefers, times the shipped weights."""


def rival(times: dict[str, float]) -> np.ndarray:
    weights = np.array([SHIPPED[name] * times.get(name, 1.0) for name in NAMES])
    return weights / weights.sum()


def clicks(number: int, *, eta: float, seed: int = 0, noise: bool = False, explore: bool = False) -> list[Judged]:
    """Ten hits by the shipped weights; the user uses one by other weights, among those that are looked at at all."""
    draw = np.random.default_rng(seed)
    shipped, wanted = np.array(list(SHIPPED.values())), rival(TRUTH)
    found: list[Judged] = []
    while len(found) < number:
        rows = draw.uniform(size=(30, len(NAMES)))
        rows = rows[np.argsort(-(rows @ shipped))][:10]
        places, order, bound = list(range(10)), (), ()
        if explore:
            drawn = learn.fair_pairs(10, 7, str(len(found)))
            rows, order = rows[list(drawn.order)], drawn.order
        seen = draw.uniform(size=10) < learn.examination(np.arange(1.0, 11.0), eta)
        raised = np.exp(30.0 * (rows @ wanted)) * (1.0 if not noise else 0.0) + noise
        if not seen.any():
            continue
        share = np.where(seen, raised, 0.0)
        used = int(draw.choice(10, p=share / share.sum()))
        features = {name: rows[:, at] for at, name in enumerate(NAMES)}
        found.append(Judged(features, (used,), (), 1.0, learn.examined(places, order, bound, learn.ETA)))
    return found


def ratios(weights: dict[str, float]) -> np.ndarray:
    return np.array([weights[name] / SHIPPED[name] for name in NAMES])


def test_too_little_changes_nothing() -> None:
    judged = clicks(learn.ENOUGH - 1, eta=0.5)
    assert learn.refit(judged, SHIPPED) == SHIPPED
    silent = Judged(judged[0].features, (), (), 1.0, judged[0].examined)
    failed = Judged(judged[0].features, (1,), (), 0.0, judged[0].examined)
    assert learn.refit([*judged, silent, failed], SHIPPED) == SHIPPED
    assert learn.refit([*judged, judged[0]], SHIPPED) != SHIPPED


@pytest.mark.parametrize("explore", [False, True])
def test_a_preference_is_recovered_from_biased_clicks(explore: bool) -> None:
    judged = clicks(400, eta=learn.ETA, explore=explore)
    fitted = learn.refit(judged, SHIPPED)
    towards = dict(zip(NAMES, ratios(fitted), strict=True))
    assert towards["dense_turn"] > 1.4
    assert towards["lexical_turn"] < 0.8
    assert max(towards, key=lambda name: towards[name]) == "dense_turn"
    # On new questions its order agrees more with the user's than the shipped one does.
    draw = np.random.default_rng(99)
    rows = draw.uniform(size=(500, 30, len(NAMES)))
    best = (rows @ rival(TRUTH)).argmax(axis=1)
    own = (rows @ np.array([fitted[name] for name in NAMES])).argmax(axis=1)
    before = (rows @ np.array(list(SHIPPED.values()))).argmax(axis=1)
    assert (own == best).mean() > (before == best).mean() + 0.05


def test_without_the_correction_what_stands_first_is_believed_too_much() -> None:
    """The corrected fit is nearer to what the user wants than one that takes every place for looked at."""
    judged = [one for seed in range(4) for one in clicks(120, eta=1.0, seed=seed)]
    places = np.arange(1.0, 11.0)

    def distance(examined: np.ndarray) -> float:
        taken = [Judged(one.features, one.used, (), 1.0, examined) for one in judged]
        fitted = learn.refit(taken, SHIPPED, pull=1.0)
        found = np.array([fitted[name] for name in NAMES])
        return float(np.linalg.norm(found / found.sum() - rival(TRUTH)))

    assert distance(learn.examination(places, 1.0)) < distance(np.ones(10))


def test_noise_moves_little() -> None:
    assert np.abs(ratios(learn.refit(clicks(200, eta=0.0, noise=True), SHIPPED)) - 1.0).max() < 0.35


def test_the_more_there_is_the_further_it_goes() -> None:
    far = [np.abs(ratios(learn.refit(clicks(number, eta=0.5), SHIPPED)) - 1.0).sum() for number in (10, 40, 400)]
    assert far == sorted(far)
    held = learn.refit(clicks(40, eta=0.5), SHIPPED, pull=1e6)
    assert ratios(held) == pytest.approx(np.ones(len(NAMES)), abs=1e-2)


def test_what_is_wrong_sinks() -> None:
    rows = {name: np.array([0.5, 0.5, 0.5]) for name in NAMES} | {"time": np.array([1.0, 0.0, 0.0])}
    wrong = Judged(rows, (), (0,), 1.0, np.ones(3))
    fitted = learn.refit([wrong] * 60, SHIPPED)
    assert fitted["time"] < 0.75 * SHIPPED["time"]


def test_what_is_used_rises() -> None:
    rows = {"time": np.array([0.4, 0.0, 0.0]), "lexical_turn": np.array([0.2, 1.0, 0.9])}
    fitted = learn.refit([Judged(rows, (0,), (), 1.0, np.ones(3))] * 60, SHIPPED)
    assert fitted["time"] > 1.1 * SHIPPED["time"]
    assert fitted["lexical_turn"] < 0.9 * SHIPPED["lexical_turn"]


def test_only_the_latest_count() -> None:
    old = [Judged(one.features, (9,), (0,), 1.0, one.examined) for one in clicks(50, eta=0.5, seed=3)]
    new = clicks(learn.MOST, eta=0.5)
    assert learn.refit([*old, *new], SHIPPED) == learn.refit(new, SHIPPED)


def test_the_same_gives_the_same() -> None:
    assert learn.refit(clicks(60, eta=0.5), SHIPPED) == learn.refit(clicks(60, eta=0.5), SHIPPED)


unit = st.floats(0, 1, width=32)


@st.composite
def acts(draw: st.DrawFn) -> Judged:
    size = draw(st.integers(1, 6))
    named = draw(st.lists(st.sampled_from([*NAMES, "unknown"]), unique=True, min_size=1))
    features = {name: draw(arrays.arrays(np.float64, size, elements=unit)) for name in named}
    places = st.lists(st.integers(0, size - 1), unique=True, max_size=size)
    used = draw(places)
    wrong = [place for place in draw(places) if place not in used]
    examined = draw(arrays.arrays(np.float64, size, elements=st.floats(1e-6, 1)))
    return Judged(features, tuple(used), tuple(wrong), draw(unit), examined)


@settings(max_examples=60, deadline=None)
@given(st.lists(acts(), min_size=1, max_size=12), st.integers(1, 8), st.booleans())
def test_no_channel_is_ever_buried(judged: Sequence[Judged], times: int, dense: bool) -> None:
    shipped = rank.fitted(dense=dense).weights
    fitted = learn.refit([*judged] * times, shipped)
    assert fitted.keys() == shipped.keys()
    assert sum(fitted.values()) == pytest.approx(sum(shipped.values()))
    for name, weight in fitted.items():
        assert np.isfinite(weight)
        assert (learn.FLOOR - 1e-9) * shipped[name] <= weight <= (learn.CEILING + 1e-9) * shipped[name]


@given(arrays.arrays(np.float64, len(NAMES), elements=st.floats(-50, 50)))
def test_balanced_ratios_are_the_nearest(point: np.ndarray) -> None:
    weights = np.array(list(SHIPPED.values()))
    found = learn.balanced(point, weights, learn.FLOOR, learn.CEILING)
    assert found @ weights == pytest.approx(weights.sum())
    assert learn.balanced(found, weights, learn.FLOOR, learn.CEILING) == pytest.approx(found, abs=1e-6)
    ones = np.ones(len(NAMES))  # another point of the set: the angle at the nearest one is obtuse
    assert (point - found) @ (ones - found) <= 1e-6 * max(1.0, float(np.abs(point).max()))


# -- exploration


def test_neighbours_change_places_as_often_as_is_said() -> None:
    number, rounds = 5, 8000
    stands = np.zeros((number, number))
    for question in range(rounds):
        draw = learn.fair_pairs(number, 3, f"q{question}")
        assert sorted(draw.order) == list(range(number))
        for place, before in enumerate(draw.order):
            stands[before, place] += 1
            assert dict(draw.chances[place])[place] == draw.propensity[place]
    for before in range(number):
        place = int(np.argmax(stands[before]))
        draw = next(d for q in range(99) if (d := learn.fair_pairs(number, 3, f"q{q}")).order[place] == before)
        for at, chance in draw.chances[place]:
            assert stands[before, at] / rounds == pytest.approx(chance, abs=0.02)


def test_the_draw_is_that_of_seed_and_question() -> None:
    assert learn.fair_pairs(10, 1, "q") == learn.fair_pairs(10, 1, "q")
    orders = {learn.fair_pairs(10, seed, f"q{q}").order for seed in range(4) for q in range(8)}
    assert len(orders) > 20


def test_what_is_bound_stays() -> None:
    for question in range(50):
        draw = learn.fair_pairs(4, 0, str(question), frozenset({1}))
        assert draw.order.index(1) < draw.order.index(2)
        assert set(draw.order[:2]) == {0, 1}


def test_examined_is_the_mean_over_where_it_could_stand() -> None:
    assert learn.examined([0, 3]) == pytest.approx([1.0, 4**-learn.ETA])
    second = 2**-learn.ETA
    assert learn.examined([0], (0, 1)) == pytest.approx([0.75 + 0.25 * second])
    assert learn.examined([0], (1, 0)) == pytest.approx([0.25 + 0.75 * second])
    assert learn.examined([0], (0, 1), (0,)) == pytest.approx([1.0])
