"""Scores computed from turns equal those of an index of the joined texts."""

from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic import rank

WORDS = "abcdef"
turns = st.tuples(st.integers(0, 3), st.lists(st.sampled_from(WORDS), max_size=6))
conversations = st.lists(turns, min_size=1, max_size=14)
questions = st.lists(st.sampled_from(WORDS + "z"), min_size=1, max_size=4, unique=True)


def joined(conversation, reach):
    """For each turn its text joined with its neighbours' up to `reach` steps away; None: with its whole session's."""
    texts = []
    for number, (session, _) in enumerate(conversation):
        members = [n for n, (other, _) in enumerate(conversation) if other == session]
        at = members.index(number)
        chosen = members if reach is None else members[max(0, at - reach) : at + reach + 1]
        texts.append([word for n in chosen for word in conversation[n][1]])
    return texts


def bm25(texts, question, constants):
    """Straight from the book, over lists of words."""
    mean = max(sum(map(len, texts)) / len(texts), 1e-9)
    scores = []
    for text in texts:
        counts, score = Counter(text), 0.0
        for word in question:
            df = sum(word in other for other in texts)
            rarity = log(1 + (len(texts) - df + 0.5) / (df + 0.5))
            tf = counts[word]
            if tf:
                norm = constants.k1 * (1 - constants.b + constants.b * len(text) / mean)
                score += rarity * tf * (constants.k1 + 1) / (tf + norm)
        scores.append(score)
    return scores


def arrays(conversation):
    lengths = np.array([len(words) for _, words in conversation])
    sessions = np.array([session for session, _ in conversation])
    previous, following, last = np.full(len(lengths), -1), np.full(len(lengths), -1), {}
    for number, session in enumerate(sessions.tolist()):
        if session in last:
            previous[number], following[last[session]] = last[session], number
        last[session] = number
    return rank.layout(lengths, previous, following, np.unique(sessions, return_inverse=True)[1])


def terms(conversation, question):
    found = []
    for word in question:
        counts = [words.count(word) for _, words in conversation]
        places = np.flatnonzero(counts)
        found.append(rank.Term(places.astype(np.int32), np.array(counts)[places].astype(np.uint16)))
    return found


@given(conversations, questions)
def test_bm25_from_turns_equals_bm25_of_joined_texts(conversation, question):
    found = rank.lexical(terms(conversation, question), arrays(conversation))
    assert found.turn == pytest.approx(bm25(joined(conversation, 0), question, rank.TURN), rel=1e-4, abs=1e-5)
    assert found.near == pytest.approx(bm25(joined(conversation, 1), question, rank.WINDOW), rel=1e-4, abs=1e-5)
    assert found.wide == pytest.approx(bm25(joined(conversation, 2), question, rank.WINDOW), rel=1e-4, abs=1e-5)
    # An index of sessions has each session once.
    once = {session: text for (session, _), text in zip(conversation, joined(conversation, None), strict=True)}
    scores = dict(zip(once, bm25(list(once.values()), question, rank.SESSION), strict=True))
    assert found.session == pytest.approx([scores[session] for session, _ in conversation], rel=1e-4, abs=1e-5)


@given(conversations, questions)
def test_many_terms_at_once_equal_one_after_the_other(conversation, question):
    layout = arrays(conversation)
    together = rank.lexical(terms(conversation, question), layout)
    apart = [rank.lexical([term], layout) for term in terms(conversation, question)]
    for context in rank.CONTEXTS:
        assert getattr(together, context) == pytest.approx(sum(getattr(one, context) for one in apart), rel=1e-4)


@given(conversations, st.integers(0, 2**32 - 1))
def test_cosines_from_turns_equal_cosines_of_joined_vectors(conversation, seed):
    layout = arrays(conversation)
    # Small whole numbers: sums are exact in float16, so cancellation cannot hide an error.
    vectors = np.random.default_rng(seed).integers(-4, 5, (len(conversation), 3)).astype(np.float16)
    query = np.array([1.0, 2.0, -1.0], np.float32)
    norm = float(np.linalg.norm(query))
    exact = vectors.astype(np.float32)
    found = rank.dense(exact @ query, norm, rank.norms(vectors, layout), layout)
    for context, reach in (("turn", 0), ("near", 1), ("wide", 2), ("session", None)):
        expected = []
        for number, (session, _) in enumerate(conversation):
            members = [n for n, (other, _) in enumerate(conversation) if other == session]
            at = members.index(number)
            chosen = members if reach is None else members[max(0, at - reach) : at + reach + 1]
            total = exact[chosen].sum(axis=0)
            length = float(np.linalg.norm(total))
            expected.append(float(total @ query) / length / norm if length else 0.0)
        assert getattr(found, context) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30), st.integers(0, 40))
def test_order_is_a_full_sort_cut_off(scores, limit):
    values = np.array(scores, np.float32)
    expected = sorted(range(len(scores)), key=lambda number: (-values[number], -number))[:limit]
    assert rank.order(values, limit).tolist() == expected
