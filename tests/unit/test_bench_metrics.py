"""The benchmark's figures, on cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench import metrics


def test_walk_counts_distinct_episodes_and_opens_a_fact_into_its_evidence():
    ranking = [["a"], ["b", "c", "a"], ["b"], ["d"]]
    assert metrics.walk(ranking, 3) == ["a", "b", "c"]
    assert metrics.walk(ranking, 10) == ["a", "b", "c", "d"]
    assert metrics.walk([], 3) == []


def test_recall_stops_at_k_episodes_even_inside_a_fact():
    ranking = [["a"], ["b", "c"]]
    assert metrics.recall_at(ranking, ["a", "c"], 2) == 0.5
    assert metrics.recall_at(ranking, ["a", "c"], 3) == 1.0


def test_evidence_named_twice_counts_once():
    assert metrics.recall(["a"], ["a", "a", "b"]) == 0.5


def test_without_evidence_there_is_no_figure():
    assert math.isnan(metrics.recall_at([["a"]], [], 5))
    assert math.isnan(metrics.all_found_at([["a"]], [], 5))
    assert math.isnan(metrics.ndcg_at([["a"]], [], 5))


def test_all_found():
    assert metrics.all_found_at([["a"], ["b"]], ["a", "b"], 2) == 1.0
    assert metrics.all_found_at([["a"], ["b"]], ["a", "b"], 1) == 0.0


def test_session_recall_counts_sessions_not_episodes():
    session_of = {"a1": "a", "a2": "a", "b1": "b", "c1": "c"}
    ranking = [["a1"], ["a2"], ["b1"], ["c1"]]
    assert metrics.session_recall_at(ranking, session_of, ["a", "c"], 2) == 0.5
    assert metrics.session_recall_at(ranking, session_of, ["a", "c"], 3) == 1.0


def test_ndcg_worked_by_hand():
    # Found at ranks 1 and 3 of an ideal 1 and 2: (1 + 1/2) / (1 + 1/log2(3)).
    assert metrics.ndcg_at([["a"], ["x"], ["b"]], ["a", "b"], 10) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))
    assert metrics.ndcg_at([["a"], ["b"]], ["a", "b"], 10) == pytest.approx(1.0)
    # More evidence than places: an ideal list fills the places.
    assert metrics.ndcg_at([["a"]], ["a", "b", "c"], 1) == pytest.approx(1.0)


def test_resampling_draws_as_many_conversations_as_there_are():
    resampling = metrics.Resampling.of([2, 2, 2], seed=0, rounds=50)
    assert resampling.counts.shape == (50, 6)
    assert (resampling.counts.sum(axis=1) == 6).all()
    # Whole conversations are drawn: each one's questions add up to a multiple of its size.
    assert (resampling.counts.reshape(50, 3, 2).sum(axis=2) % 2 == 0).all()


def test_interval_is_seeded_and_holds_the_mean():
    values = [0.0, 1.0, 1.0, 0.0, 1.0, math.nan]
    first = metrics.Resampling.of([3, 3], seed=7).estimate(values)
    assert first == metrics.Resampling.of([3, 3], seed=7).estimate(values)
    assert first.count == 5
    assert first.mean == pytest.approx(0.6)
    assert first.low <= first.mean <= first.high


def test_interval_is_wide_where_conversations_differ():
    # Two conversations, one all right and one all wrong: a quarter of the rounds draw only the wrong one.
    estimate = metrics.Resampling.of([50, 50], seed=1).estimate([1.0] * 50 + [0.0] * 50)
    assert (estimate.low, estimate.high) == (0.0, 1.0)


def test_a_constant_difference_has_no_width():
    values = np.linspace(0, 0.5, 20)
    estimate = metrics.Resampling.of([10, 10], seed=3).difference(list(values + 0.25), list(values))
    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((0.25, 0.25, 0.25))


def test_nothing_defined_gives_nan():
    estimate = metrics.Resampling.of([2], seed=0).estimate([math.nan, math.nan])
    assert estimate.count == 0
    assert math.isnan(estimate.mean)


def test_conversations_without_questions_are_allowed():
    assert metrics.Resampling.of([0, 2], seed=0, rounds=10).counts.shape == (10, 2)


def test_calibration_worked_by_hand():
    bins = metrics.calibration([0.05, 0.85, 0.85, 1.0], [False, True, False, True])
    assert [b.count for b in bins] == [1, 2, 1]
    # |0.05 - 0| · 1/4 + |0.85 - 0.5| · 2/4 + |1 - 1| · 1/4
    assert metrics.expected_calibration_error(bins) == pytest.approx(0.1875)
    assert math.isnan(metrics.expected_calibration_error(()))


def test_separation_counts_ties_half():
    assert metrics.separation([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)
    assert math.isnan(metrics.separation([], [0.1]))


def test_quantile():
    assert metrics.quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert math.isnan(metrics.quantile([], 0.5))


def test_bins_of_equal_mass_keep_equal_promises_together():
    promised = [0.1, 0.2, 0.3, 0.3, 0.3, 0.9]
    bins = metrics.calibration_by_mass(promised, [False, False, True, False, True, True], bins=3)
    assert [b.count for b in bins] == [2, 3, 1]
    assert bins[1].promised == pytest.approx(0.3)
    assert bins[1].kept == pytest.approx(2 / 3)
    assert metrics.calibration_by_mass([], []) == ()
    assert [b.count for b in metrics.calibration_by_mass([0.5] * 7, [True] * 7)] == [7]
    assert sum(b.count for b in metrics.calibration_by_mass([n / 23 for n in range(23)], [True] * 23)) == 23


def test_brier_skill_is_nought_for_the_base_rate_and_one_for_certainty():
    kept = [True, True, True, False]
    assert metrics.brier_skill([0.75] * 4, kept) == pytest.approx(0.0)
    assert metrics.brier_skill([1.0, 1.0, 1.0, 0.0], kept) == pytest.approx(1.0)
    assert metrics.brier_skill([0.0, 0.0, 0.0, 1.0], kept) < 0
    assert math.isnan(metrics.brier_skill([0.5], [True]))


def test_both_ways_of_being_wrong_about_refusing():
    known, unknown = [0.2, 0.6, 0.8, 0.9], [0.1, 0.3, 0.5, 0.7]
    # A threshold above 0.5 refuses three quarters of the unknown, and with them one of the known.
    assert metrics.refused_wrongly(known, unknown, refused=0.75) == 0.25
    # A threshold of 0.6 answers three quarters of the known, and with them one of the unknown.
    assert metrics.answered_wrongly(known, unknown, answered=0.75) == 0.25
    assert metrics.refused_wrongly([0.5], [0.5]) == 1.0
    assert metrics.answered_wrongly([0.5], [0.5]) == 1.0
    assert math.isnan(metrics.refused_wrongly(known, []))


def test_separation_has_an_interval_by_conversation():
    resampling = metrics.Resampling.of([3, 3], seed=1)
    values, positive = [0.9, 0.2, 0.8, 0.1, 0.7, math.nan], [True, False, True, False, True, False]
    found = resampling.separation(values, positive)
    assert (found.mean, found.low, found.high, found.count) == (1.0, 1.0, 1.0, 5)
    mixed = resampling.separation([0.9, 0.2, 0.1, 0.3, 0.7, 0.5], positive)
    assert mixed.mean == pytest.approx(metrics.separation([0.9, 0.1, 0.7], [0.2, 0.3, 0.5]))
    assert mixed.low < mixed.mean < mixed.high
    assert resampling.separation(values, [True] * 6).count == 0
