"""The second look, against cases worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic import rank, reading
from mnemic.rank import Net, Term

SHAPE = {name: number for number, name in enumerate(reading.SHAPE)}


def shape(text):
    found = reading.look(text).shape
    return {name: found[number] for name, number in SHAPE.items() if found[number]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Have you been to Rome?", {"asks": 1, "question": 1, "second_person": 1, "names": 1, "places": 1}),
        ("Wow! I'd love that, my friend.", {"first_person": 2, "exclaims": 1, "commas": 1, "opening": 1}),
        ("We moved three times since 2019", {"times": 2, "numbers": 2, "first_person": 1, "reasons": 1}),
        ("Is it late? It is because of rain", {"question": 1, "reasons": 1}),
        ("", {}),
    ],
)
def test_what_a_text_shows(text, shown):
    assert shape(text) == shown


def test_a_look_takes_typographic_apostrophes_and_no_more_than_it_needs():
    assert reading.look("That’s Ana’s cat").words == ("that's", "ana's", "cat")
    assert len(reading.look("so " * 5000).words) * 3 <= reading._LONGEST + 3


@pytest.mark.parametrize(
    ("asked", "focus"),
    [
        ("Which European countries has she been to?", ["european", "countries"]),
        ("What kind of music does Ana like?", ["music"]),
        ("In what city is the office?", ["city"]),
        ("Who is it?", []),
        ("What is it?", []),
        ("Where does she live?", []),
    ],
)
def test_what_is_asked_for(asked, focus):
    assert reading.focus(asked) == focus


def test_a_question_of_fillers_alone_is_about_all_of_them():
    assert reading.said_in("Who is it?") == ["who", "is", "it"]
    assert reading.said_in("Who is the dentist?") == ["dentist"]


@pytest.mark.parametrize(
    ("roles", "names", "words", "talk"),
    [
        (["user", "user", "assistant"], ["Ana", "Bo", "Bo"], 9, "people"),
        (["user", "assistant"], ["", ""], 9, "assistant"),
        (["user", "assistant"], ["Ana", ""], 90, "assistant"),
        (["document", "document", "user"], ["", "", "Ana"], 9, "documents"),
        (["user", "user"], ["", ""], 90, "documents"),
        (["user", "user"], ["", ""], 9, None),
        (["user", "user"], ["Ana", "Ana"], 90, None),
        ([], [], 0, None),
    ],
)
def test_the_kind_of_talk(roles, names, words, talk):
    assert reading.talk_of(roles, names, np.full(len(roles), words, np.float32)) == talk


# --- Features ---------------------------------------------------------------------------------------------------------

TEXTS = ["Hello there", "I like tea", "Do you?", "Rain in Porto", "Tea again"]
SESSIONS = np.array([0, 0, 0, 1, 1])
PREVIOUS, FOLLOWING = np.array([-1, 0, 1, -1, 3]), np.array([1, 2, -1, 4, -1])
LAYOUT = rank.layout(np.array([2, 3, 2, 3, 2]), PREVIOUS, FOLLOWING, SESSIONS)
TEA, RAIN = Term(np.array([1, 4], np.int32), np.array([1, 1], np.uint16)), Term(np.array([3]), np.array([1]))


def page(places=(1, 3, 4), among=None, *, asked="What does Ana drink, tea?", vectors=None, terms=(TEA, RAIN)):
    places = np.array(places)
    before = LAYOUT.around[0][0][places]
    looks = [reading.look(TEXTS[place]) for place in places]
    return reading.Page(
        question=asked,
        places=places,
        layout=LAYOUT,
        among=among,
        signals={"lexical_turn": np.arange(5, dtype=np.float32)},
        words=rank.lexical(list(terms), LAYOUT),
        terms=terms,
        speakers=np.array([0, 0, 1, 1, 0]),
        named=np.array([True, True, False, False, True]),
        names=1,
        assistant=np.zeros(len(places), np.bool_),
        looks=looks,
        before=[reading.look(TEXTS[place]) if place < 5 else reading.NOTHING for place in before],
        vectors=vectors,
    )


def test_features_of_documents_worked_by_hand():
    seen = reading.seen(page())
    assert seen["lexical_turn"].tolist() == [1, 3, 4]
    assert seen["matched"].tolist() == [0.5, 0.5, 0.5]
    assert seen["matched_near"].tolist() == [0.5, 1, 1]  # the rain and the tea of the second session are neighbours
    assert seen["first"].tolist() == [0, 1, 0]
    assert seen["last"].tolist() == [0, 0, 1]
    assert seen["same_speaker"].tolist() == [1, 0, 0]
    assert seen["position"] == pytest.approx([0.2, 0.6, 0.8])
    assert seen["named"].tolist() == [1, 0, 1]
    assert seen["places"].tolist() == [0, 1, 0]
    assert seen["asked_names"].tolist() == [1, 1, 1]
    assert seen["rarest"] == pytest.approx(rank.idf(5, np.array([2, 1, 2])), rel=1e-5)


def test_an_answer_follows_a_question():
    assert reading.seen(page(places=(2,)))["answers"].tolist() == [0]
    answering = replace(page(places=(1,)), before=[reading.look(TEXTS[2])])
    assert reading.seen(answering)["answers"].tolist() == [1]


def test_what_may_not_be_returned_counts_nowhere():
    """Beside what is not allowed, every feature is as if it had never been said."""
    among = np.array([True, True, False, True, True])
    seen = reading.seen(page(among=among))
    assert seen["last"].tolist() == [1, 0, 1]
    assert seen["position"] == pytest.approx([0.25, 0.5, 0.75])
    assert seen["asked_of_many"] == pytest.approx(np.log(4))
    scores = np.array([0.1, 0.5, 9.0, 0.3, 0.4], np.float32)
    standing = reading.standing(scores, np.array([1, 3, 4]), LAYOUT, among)
    assert standing["score_after"] == pytest.approx([0, 0.4, 0])
    assert standing["session_best"] == pytest.approx([0.5, 0.4, 0.4])
    assert standing["session_place"].tolist() == [0, 1, 1]


def test_words_out_of_context_worked_by_hand():
    """Tea is near to "drink", Porto to "city"; the focus finds a word of the kind that is not the word itself."""
    near = {"tea": (0.8, 0.6), "porto": (0.6, 0.8), "drink": (1, 0), "rain": (0, 1)}
    looks = [reading.look(TEXTS[place]) for place in (1, 3)]
    texts = np.array([near.get(word, (0, 0)) for one in looks for word in one.words], np.float32)
    vectors = reading.Words(
        asked=np.array([near["drink"], near["rain"]], np.float32),
        rarity=np.array([0.25, 0.75], np.float32),
        focus=np.array([near["drink"]], np.float32),
        texts=texts,
    )
    one = replace(page(places=(1, 3), vectors=vectors), before=[reading.NOTHING] * 2)
    found = reading._meanings(one)
    assert found["like"] == pytest.approx([0.25 * 0.8 + 0.75 * 0.6, 0.25 * 0.6 + 0.75 * 1])
    assert found["least_like"] == pytest.approx([0.6, 0.6])
    assert found["near_like"] == pytest.approx(found["like"])
    assert found["of_the_kind"] == pytest.approx([0.8, 0.6])
    vectors = reading.Words(vectors.asked, vectors.rarity, np.array([near["tea"]], np.float32), texts)
    of_tea = reading._meanings(replace(one, vectors=vectors))
    assert of_tea["of_the_kind"] == pytest.approx([1, 0.96])
    assert of_tea["one_of_the_kind"] == pytest.approx([0, 0.96])  # tea is the word itself, Porto is not


def test_without_vectors_nothing_is_said_of_meanings():
    assert reading._meanings(page()) == {}
    assert reading.least(page()) == 0


# --- The network ------------------------------------------------------------------------------------------------------


def net(features, weight, out):
    hidden = np.array(weight, np.float32)
    many = hidden.shape[1]
    return Net(
        tuple(features),
        np.zeros(len(features), np.float32),
        np.ones(len(features), np.float32),
        hidden,
        np.zeros(many, np.float32),
        np.full(many, out, np.float32),
    )


scored = st.lists(st.floats(0, 1, width=32), min_size=12, max_size=40)


@given(scored, st.lists(st.floats(-5, 5, width=32), min_size=40, max_size=40), st.floats(-3, 3))
def test_the_read_ones_lead_and_the_others_keep_their_order(scores, told, out):
    first = np.array(scores, np.float32)
    places = rank.order(first, 10)
    found = {"score": first[places], "told": np.array(told[:10], np.float32)}
    final = reading.reread(first, places, net(["told"], [[1.0]], out), found)
    others = np.setdiff1d(np.arange(len(first)), places)
    assert final[others].max(initial=-np.inf) < final[places].min()
    kept = np.argsort(-first[others], kind="stable")
    assert (np.diff(final[others][kept]) <= 0).all()


@given(scored, st.floats(0, 3))
def test_reading_never_raises_by_more_than_what_the_network_says_in_all(scores, out):
    """So what the first scores are sure of stays: the bound is the sum of the outputs, in nats."""
    first = np.array(scores, np.float32)
    found = {"score": first, "told": np.linspace(-4, 4, len(first), dtype=np.float32)}
    new = reading.judged(net(["told"], [[9.0, 9.0]], out), found)
    assert np.abs(new - first).max() <= (2 * out) / rank.SHARPNESS + 1e-5


def test_features_count_against_the_others_of_the_list():
    """Neither where a feature lies nor how far it reaches matters much; what is asked is measured against the usual."""
    values = np.array([1, 2, 3, 6], np.float32)
    centre, scale = np.zeros(2, np.float32), np.array([1, 2], np.float32)
    found = {"told": values, "asked_names": np.full(4, 3, np.float32)}
    first = reading.inputs(found, ["told", "asked_names"], centre, scale)
    assert first[:, 1].tolist() == [1.5] * 4
    assert first[:, 0].mean() == pytest.approx(0, abs=1e-6)
    moved = reading.inputs({**found, "told": values + 7}, ["told", "asked_names"], centre, scale)
    assert moved == pytest.approx(first, abs=1e-5)
    assert reading.inputs({"told": values}, ["unknown"], np.zeros(1), np.ones(1)).tolist() == [[0]] * 4
