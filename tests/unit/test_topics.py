"""Topics: what comes together, what is one, and that adding or erasing turns costs what it must and no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnemic.models.wordllama import WordLlamaEmbedder
from mnemic.times import micros
from mnemic.topics import Clusters, redo_from, topic, topics, vectors_of
from mnemic.views import Episode

START = datetime(2026, 5, 20, 9, tzinfo=UTC)
EMBED = WordLlamaEmbedder().embed_documents


def said(num: int, text: str, *, days: float = 0, role: str = "user") -> Episode:
    return Episode(f"e{num:02}", num, text, micros(START + timedelta(days=days, minutes=num)), role, "Ana")


TALK = (
    said(0, "I took a pottery class and glazed two clay bowls."),
    said(1, "Thanks, Rui! See you soon."),
    said(2, "Our hiking trail in the Alps was steep and snowy.", days=1),
    said(3, "The kiln cracked my clay vase in pottery class.", days=2),
    said(4, "We hiked another mountain trail near the lake.", days=2),
    said(5, "Pottery again: my clay mug came out of the kiln well.", days=3),
    said(6, "Try a pottery wheel and soft clay for bowls.", days=4, role="assistant"),
    said(7, "Next summer we hike the coastal mountain trail.", days=9),
)


def test_turns_about_one_thing_on_several_days_make_a_topic() -> None:
    pottery, hiking = topics(TALK, EMBED)
    assert pottery.data["turns"] == ["e00", "e03", "e05"]
    assert hiking.data["turns"] == ["e02", "e04", "e07"]
    assert pottery.key == "topic:e00"
    assert pottery.kind == "topic"
    assert set(pottery.evidence) == {"e00", "e03", "e05"}
    assert {"pottery", "clay"} <= set(pottery.data["label"])
    assert "trail" in hiking.data["label"]
    assert pottery.subject == ", ".join(pottery.data["label"])
    assert pottery.text.startswith(f"{pottery.subject}\n2026-05-20\nAna: I took a pottery class")


def test_two_turns_or_one_day_make_none() -> None:
    pottery = [TALK[0], TALK[3], TALK[5]]
    assert topic(pottery, EMBED) is not None
    assert topic(pottery[:2], EMBED) is None
    assert topic([said(one.num, one.text) for one in pottery], EMBED) is None


def test_no_word_is_invented() -> None:
    for made in topics(TALK, EMBED):
        words = {word.strip(",.!:").lower() for one in TALK if one.id in made.evidence for word in one.text.split()}
        assert set(made.data["label"]) <= words
        for line in made.data["lines"]:
            assert any(line["text"] in one.text for one in TALK if one.id == line["id"])


def test_a_vector_does_not_depend_on_what_is_embedded_with_it() -> None:
    together = vectors_of(TALK, EMBED)
    for turn, vector in zip(TALK, together, strict=True):
        (alone,) = vectors_of([turn], EMBED)
        assert (None if alone is None else alone.tolist()) == (None if vector is None else vector.tolist())


def whole(vector: Sequence[float]) -> NDArray[np.int16]:
    found = np.array(vector, np.float64)
    return np.rint(2000 * found / np.linalg.norm(found)).astype(np.int16)


vectors = st.lists(
    st.tuples(*[st.integers(-3, 3)] * 3).filter(any).map(whole),
    max_size=30,
)


def placed(given: Sequence[tuple[int, NDArray[np.int16]]], clusters: Clusters | None = None) -> dict[int, int]:
    clusters = clusters or Clusters()
    return {num: clusters.place(num, vector) for num, vector in given}


@given(vectors, st.integers(0, 30))
def test_what_is_added_moves_nothing_and_the_leaders_are_enough_to_go_on(
    found: list[NDArray[np.int16]], cut: int
) -> None:
    turns = list(enumerate(found))
    once = placed(turns)
    first = placed(turns[:cut])
    assert first == {num: leader for num, leader in once.items() if num < cut}
    leaders = [num for num, leader in first.items() if num == leader]
    resumed = Clusters(leaders, [found[num] for num in leaders])
    assert first | placed(turns[cut:], resumed) == once


@given(vectors, st.data())
def test_what_is_erased_is_as_if_it_had_never_been(found: list[NDArray[np.int16]], data: st.DataObject) -> None:
    turns = list(enumerate(found))
    before = placed(turns)
    gone = data.draw(st.sets(st.sampled_from(range(len(turns))))) if turns else set[int]()
    left = [(num, vector) for num, vector in turns if num not in gone]
    start = redo_from(before, gone)
    kept = {num: before[num] for num, _ in left if start is None or num < start}
    leaders = [num for num, leader in kept.items() if num == leader]
    again = placed([one for one in left if one[0] not in kept], Clusters(leaders, [found[num] for num in leaders]))
    assert kept | again == placed(left)


@given(st.randoms(use_true_random=False))
def test_the_order_in_which_turns_are_given_changes_nothing(random: Random) -> None:
    shuffled = list(TALK)
    random.shuffle(shuffled)
    assert topics(shuffled, EMBED) == topics(TALK, EMBED)
