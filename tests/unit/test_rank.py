"""The ranking, against cases worked by hand."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from mnemic import rank
from mnemic.rank import Speaker, Term


def laid_out(lengths, sessions):
    """A layout of documents in order, each followed by the next of its session."""
    previous, following, last = [-1] * len(lengths), [-1] * len(lengths), {}
    for number, session in enumerate(sessions):
        if session in last:
            previous[number], following[last[session]] = last[session], number
        last[session] = number
    return rank.layout(np.array(lengths), np.array(previous), np.array(following), np.array(sessions))


def term(documents, counts, weight=1.0):
    return Term(np.array(documents, np.int32), np.array(counts, np.uint16), weight)


# Three turns of one session, then one of another: "tea tea", "milk", "rain all day", "tea".
LENGTHS, SESSIONS = [2, 1, 3, 1], [0, 0, 0, 1]
TEA = term([0, 3], [2, 1])


def test_bm25_of_a_turn_worked_by_hand():
    found = rank.lexical([TEA], laid_out(LENGTHS, SESSIONS))
    rarity = log(1 + (4 - 2 + 0.5) / (2 + 0.5))  # 4 turns, 2 with "tea": ln 2
    # Mean length 7/4; k1 = 1.2, b = 0.4: the turn of 2 words, then that of 1.
    first = rarity * 2 * 2.2 / (2 + 1.2 * (0.6 + 0.4 * 2 / 1.75))
    last = rarity * 1 * 2.2 / (1 + 1.2 * (0.6 + 0.4 * 1 / 1.75))
    assert found.turn == pytest.approx([first, 0, 0, last], rel=1e-5)


def test_bm25_of_windows_and_sessions_worked_by_hand():
    found = rank.lexical([TEA], laid_out(LENGTHS, SESSIONS))
    # Near windows: "tea tea milk" (3 words), "tea tea milk rain all day" (6), "milk rain all day" (4), "tea" (1).
    rarity = log(1 + (4 - 3 + 0.5) / (3 + 0.5))
    near = [rarity * tf * 2.2 / (tf + 1.2 * (0.5 + 0.5 * n / 3.5)) for tf, n in ((2, 3), (2, 6), (0, 4), (1, 1))]
    assert found.near == pytest.approx(near, rel=1e-5)
    # Wide windows: every turn of the first session sees all of it.
    rarity = log(1 + (4 - 4 + 0.5) / (4 + 0.5))
    wide = [rarity * tf * 2.2 / (tf + 1.2 * (0.5 + 0.5 * n / 4.75)) for tf, n in ((2, 6), (2, 6), (2, 6), (1, 1))]
    assert found.wide == pytest.approx(wide, rel=1e-5)
    # Two sessions of 6 words and 1, both with "tea".
    rarity = log(1 + (2 - 2 + 0.5) / (2 + 0.5))
    session = [rarity * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * n / 3.5)) for tf, n in ((2, 6), (1, 1))]
    assert found.session == pytest.approx([session[0]] * 3 + [session[1]], rel=1e-5)


def test_coverage_is_the_share_of_the_rarity_found():
    found = rank.lexical([TEA, term([], [])], laid_out(LENGTHS, SESSIONS))
    tea, unknown = log(1 + (2.5 + rank.UNSEEN) / 2.5), log(1 + (4.5 + rank.UNSEEN) / 0.5)
    assert found.coverage == pytest.approx([tea / (tea + unknown), 0, 0, tea / (tea + unknown)], rel=1e-5)
    assert found.wide_coverage[1] > 0


def test_parts_of_words_score_less_and_cover_nothing():
    whole = rank.lexical([TEA], laid_out(LENGTHS, SESSIONS))
    part = rank.lexical([TEA._replace(weight=0.5)], laid_out(LENGTHS, SESSIONS))
    assert part.turn == pytest.approx(0.5 * whole.turn)
    assert not part.coverage.any()


def test_cosines_of_windows_are_those_of_the_joined_texts():
    vectors = np.array([[1, 0], [0, 2], [3, 4], [0, 0]], dtype=np.float16)
    layout = laid_out(LENGTHS, SESSIONS)
    norms = rank.norms(vectors, layout)
    found = rank.dense(vectors.astype(np.float32) @ np.array([0, 2], np.float32), 2.0, norms, layout)
    assert found.turn == pytest.approx([0, 1, 0.8, 0])
    assert found.near == pytest.approx([2 / 5**0.5, 6 / (4**2 + 6**2) ** 0.5, 6 / (3**2 + 6**2) ** 0.5, 0])
    assert found.session == pytest.approx([6 / 52**0.5] * 3 + [0])


def test_norms_of_a_grown_scope_are_those_computed_anew():
    random = np.random.default_rng(1)
    sessions = [0, 0, 1, 0, 1, 2, 0, 2, 1, 3]
    vectors = random.normal(size=(10, 4)).astype(np.float16)
    lengths = [3] * 10
    before = rank.norms(vectors[:6], laid_out(lengths[:6], sessions[:6]))
    grown = rank.norms(vectors, laid_out(lengths, sessions), known=before)
    anew = rank.norms(vectors, laid_out(lengths, sessions))
    for context in rank.CONTEXTS:
        assert getattr(grown, context) == pytest.approx(getattr(anew, context), rel=1e-4)


def test_unknown_words_of_the_question_weigh_most():
    weights = rank.smooth_inverse_frequency(np.array([0, 1, 999]), 1000.0)
    assert weights == pytest.approx([1.0, 0.5, 0.001 / 1.0], rel=1e-3)


def test_one_document_without_session_or_match():
    layout = rank.layout(np.array([4]), np.array([-1]), np.array([-1]), np.array([-1]))
    words = rank.lexical([term([], [])], layout)
    features = rank.features(words, None, layout)
    scores = rank.combine(features, rank.fitted(dense=False).weights)
    assert layout.sessions == 1
    assert not any(features[name].any() for name in rank.WORD_FEATURES)
    assert rank.order(scores, 5).tolist() == [0]
    facts = rank.facts(words, None, scores)
    assert facts is not None
    assert rank.relevance(scores, facts, rank.fitted(dense=False).hit)[0] < 0.1


def test_an_empty_scope():
    none = np.zeros(0, np.int32)
    layout = rank.layout(none, none, none, none)
    words = rank.lexical([term([], [])], layout)
    norms = rank.norms(np.zeros((0, 3), np.float16), layout)
    sense = rank.dense(np.zeros(0, np.float32), 1.0, norms, layout)
    scores = rank.combine(rank.features(words, sense, layout), rank.fitted(dense=True).weights)
    assert len(scores) == 0
    assert rank.facts(words, sense, scores) is None


def test_a_question_of_no_terms():
    layout = laid_out(LENGTHS, SESSIONS)
    assert not rank.lexical([], layout).turn.any()


def test_combining_without_vectors_is_a_mean_of_what_is_there():
    features = {"lexical_turn": np.array([1.0, 0.0], np.float32), "length": np.array([0.5, 0.5], np.float32)}
    scores = rank.combine(features, {"lexical_turn": 3.0, "dense_turn": 5.0, "length": 1.0})
    assert scores == pytest.approx([0.875, 0.125])


def test_features_compare_with_the_best_document_allowed():
    layout = laid_out(LENGTHS, SESSIONS)
    words = rank.lexical([TEA], layout)
    features = rank.features(words, None, layout, allowed=np.array([False, True, True, True]))
    assert features["lexical_turn"][3] == 1.0


def test_order_prefers_the_later_of_equals_and_keeps_to_what_is_allowed():
    scores = np.array([0.5, 0.9, 0.5, 0.5, 0.1], np.float32)
    assert rank.order(scores, 3).tolist() == [1, 3, 2]
    assert rank.order(scores, 3, np.array([True, False, True, False, True])).tolist() == [2, 0, 4]
    assert rank.order(scores, 0).tolist() == []


SPEAKERS = [Speaker("Ana", "user"), Speaker("", "user"), Speaker("", "assistant")]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where does Ana live?", [True, False, False]),
        ("Where did I put my keys?", [True, True, False]),
        ("Which book did you recommend?", [False, False, True]),
        ("Can you plan a trip?", [False, False, False]),
        ("Wo wohne ich?", [True, True, False]),
    ],
)
def test_whose_words_a_question_is_about(question, expected):
    assert rank.read_question(question, SPEAKERS).speakers.tolist() == expected


def test_without_an_assistant_nobody_is_told_apart_by_pronouns():
    assert rank.read_question("Where did I go?", SPEAKERS[:1]).speakers.tolist() == [False]


def test_names_of_speakers_are_not_looked_up():
    asked = rank.read_question("What does Ana cook?", SPEAKERS)
    assert "ana" not in {term.term for term in asked.terms}
    assert asked.about == "What does cook?"
    alone = rank.read_question("Ana?", SPEAKERS)
    assert "ana" in {term.term for term in alone.terms}
    assert alone.about == "Ana?"


def test_relevance_rises_with_the_score_and_with_the_topic():
    near = rank.Facts(coverage=0.9, cosine=0.6, mass=16.0, rivals=0.5)
    far = rank.Facts(coverage=0.1, cosine=0.1, mass=16.0, rivals=0.5)
    scores = np.linspace(0.0, 1.0, 11).astype(np.float32)
    for dense in (True, False):
        hit = rank.fitted(dense=dense).hit
        likely, unlikely = rank.relevance(scores, near, hit), rank.relevance(scores, far, hit)
        assert (np.diff(likely) > 0).all()
        assert (unlikely < likely).all()
        assert likely.min() >= 0
        assert likely.max() <= 1


def test_confidence_falls_with_each_doubt():
    numbers = rank.Confidence(offset=-1.0, share=3.0, least=1.0, lead=10.0, topic=2.0)
    sure = rank.Found(topic=9.0, share=0.9, least=0.8, lead=0.05)
    assert rank.confidence(sure, numbers) > 0.9
    assert rank.confidence(replace(sure, share=0.2), numbers) < rank.confidence(sure, numbers)
    assert rank.confidence(replace(sure, least=0.1), numbers) < rank.confidence(sure, numbers)
    assert rank.confidence(replace(sure, lead=-0.5), numbers) < 0.1
    assert rank.confidence(replace(sure, topic=-5.0), numbers) < 0.05
    assert rank.confidence(replace(sure, topic=0.0), numbers) == rank.confidence(sure, numbers)  # no proof, either


def test_what_a_search_says_of_its_hits():
    scores = np.array([0.5, 0.4, 0.1], np.float32)
    facts = rank.Facts(coverage=0.5, cosine=0.3, mass=16 * 0.5 + np.log(1 + np.exp(-1.6) + np.exp(-6.4)), rivals=1 / 3)
    plain = rank.Calibration(topic=-4.0, coverage=2.0, cosine=10.0, place=0.0, share=0.0, lead=0.0)
    every = rank.found(scores, facts, plain, least=0.25, ahead=0.3)
    assert every.topic == pytest.approx(0.0)
    assert every.share == pytest.approx(1.0, abs=1e-6)
    assert (every.least, every.lead) == (0.25, 0.05)
    assert rank.found(scores[:1], facts, plain, 0.25, None).share < every.share
    assert rank.found(scores, facts, plain, 0.25, -0.9).lead == -0.5


def test_the_lead_of_whom_the_question_names():
    scores = np.array([0.5, 0.9, 0.2], np.float32)
    named = np.array([True, False, True])
    assert rank.lead_over_others(scores, named) == pytest.approx(-0.4)
    assert rank.lead_over_others(scores, named, np.array([True, False, True])) == pytest.approx(0.5)
    assert rank.lead_over_others(scores, np.zeros(3, np.bool_)) is None


@pytest.mark.parametrize("dense", [True, False])
def test_the_shipped_numbers_name_known_features_and_add_up(dense):
    fitted = rank.fitted(dense=dense)
    assert set(fitted.weights) <= set(rank.FEATURES)
    assert sum(fitted.weights.values()) == pytest.approx(1.0, abs=0.01)
    assert min(fitted.weights.values()) >= 0
    assert min(fitted.hit.coverage, fitted.hit.cosine, fitted.hit.share, fitted.hit.lead) >= 0


def test_closeness_is_measured_in_lengths_of_the_interval():
    found = rank.closeness(np.array([50, 100, 109, 110, 120, 140]), (100, 110))
    assert found == pytest.approx([1 / 6, 1, 1, 1, 0.5, 0.25])


def test_a_time_before_or_after_everything_says_nothing():
    times = np.array([100, 110])
    assert rank.closeness(times, (50, 100)) is None
    assert rank.closeness(times, (111, 120)) is None
    assert rank.closeness(times[:0], (0, 1)) is None


def test_time_takes_part_only_where_the_question_names_one():
    layout = laid_out(LENGTHS, SESSIONS)
    words = rank.lexical([TEA], layout)
    assert "time" not in rank.features(words, None, layout)
    times = np.array([1, 0, 0, 0], np.float32)
    assert rank.features(words, None, layout, time=times)["time"] is times
