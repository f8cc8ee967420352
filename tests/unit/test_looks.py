"""What is kept for the next second look, and that it never outlives an erasure."""

import json

import numpy as np
import pytest

from mnemic import Memory, looks, reading
from mnemic.looks import Looks
from mnemic.models import wordllama

WHO = {"user_id": "ana"}
EMBEDDER = wordllama.find()
NEEDS_VECTORS = pytest.mark.skipif(EMBEDDER is None, reason="wordllama is not installed")


class Counting:
    """A snapshot of some texts, by row, that knows how many were fetched."""

    def __init__(self, texts):
        self.texts, self.fetched = texts, []

    def rows(self, name, *, rows):
        assert name == "texts_by_row"
        self.fetched += json.loads(rows)
        return [{"row": row, "text": self.texts[row]} for row in json.loads(rows)]


def test_each_text_is_looked_at_once():
    snapshot, kept = Counting({1: "I like tea", 2: "Do you?", 3: None}), Looks()
    assert kept.of(snapshot, [1, 2])[1] == reading.look("I like tea")
    assert kept.of(snapshot, [2, 3]) == {2: reading.look("Do you?"), 3: reading.NOTHING}
    assert snapshot.fetched == [1, 2, 3]


def test_the_longest_unused_looks_go_first(monkeypatch):
    monkeypatch.setattr(looks, "_LOOKS", 2)
    snapshot, kept = Counting({1: "one", 2: "two", 3: "three"}), Looks()
    for rows in ([1, 2], [1], [3], [1], [2]):
        assert set(kept.of(snapshot, rows)) == set(rows)
    assert snapshot.fetched == [1, 2, 3, 2]
    assert set(kept.of(snapshot, [1, 2, 3])) == {1, 2, 3}  # more at once than are kept


@NEEDS_VECTORS
@pytest.mark.parametrize("room", [looks._WORDS, 4])
def test_vectors_of_words_are_those_of_the_embedder(monkeypatch, room):
    monkeypatch.setattr(looks, "_WORDS", room)
    assert EMBEDDER is not None
    kept = Looks()
    for words in (["tea", "rain", "tea"], ["rain", "porto", "late"], ["tea", "umbrella"]):
        found = kept.vectors(words, EMBEDDER)
        vectors = EMBEDDER.embed_documents(words)
        assert found == pytest.approx(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), abs=1e-3)


@NEEDS_VECTORS
def test_an_erasure_leaves_no_look_and_no_word():
    with Memory(":memory:", recipe="none") as memory:
        said = [
            {"role": "user" if at % 2 else "assistant", "content": f"The {word} is late"}
            for at, word in enumerate(
                ["tram", "train", "ferry", "bus", "plane", "boat", "taxi", "metro", "coach", "lift", "bike"]
            )
        ]
        memory.add(said, **WHO)
        kept = memory._reader._looks
        assert [hit for hit in memory.search("Is the ferry late?", **WHO) if "reading" in hit.signals]
        assert kept._looks
        assert "ferry" in kept._words
        memory.erase(memory.search("Is the ferry late?", **WHO)[0].id, **WHO)
        assert not kept._looks
        assert not kept._words
