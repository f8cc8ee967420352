"""Misspelt words in what is searched for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mnemic import Memory
from mnemic.testing import HashEmbedder

WHO = {"user_id": "ana"}
SAID = (
    ("Caroline", "I have painted the harbour for the exhibition."),
    ("Melanie", "The race through the harbour was for charity."),
    ("Caroline", "We went up into the mountains."),
    ("Melanie", "My brother restores old furniture."),
)


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    with Memory(":memory:", recipe="none") as opened:
        opened.add([{"role": "user", "name": name, "content": text} for name, text in SAID], **WHO)
        opened.remember("She sleeps on the sofa.", subject="Rosalind", aliases=["Biscuit"], **WHO)
        yield opened


@pytest.mark.parametrize("name", ["Carolin", "carolyne", "Caorline", "Carolline", "Carolins"])
def test_a_misspelt_speaker_is_named(memory: Memory, name: str) -> None:
    results = memory.search(f"What did {name} say about the harbour?", **WHO)
    assert results[0].text == SAID[0][1]
    assert results[0].signals["speaker"] == 1.0
    right = memory.search("What did caroline say about the harbour?", **WHO)
    assert [(hit.id, hit.score) for hit in results] == [(hit.id, hit.score) for hit in right]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Karoline", "its first two letters are others"),
        ("Caroli", "two letters are missing"),
        ("Charity", "it is somebody else's, or a word that was said"),
    ],
)
def test_who_is_not_named(memory: Memory, name: str, why: str) -> None:
    results = memory.search(f"What did {name} say about the harbour?", **WHO)
    assert all(hit.signals["speaker"] == 0.0 for hit in results), why


def test_a_word_that_was_said_is_nobodys_name() -> None:
    with Memory(":memory:", recipe="none") as opened:
        opened.add([{"role": "user", "name": "Marina", "content": "I met Martina at the fair."}], **WHO)
        assert opened.search("What about Martina?", **WHO)[0].signals["speaker"] == 0.0
        assert opened.search("What about Marinna?", **WHO)[0].signals["speaker"] == 1.0


def test_who_speaks_is_not_taken_for_another() -> None:
    with Memory(":memory:", recipe="none") as opened:
        opened.add([{"role": "user", "name": name, "content": "Hello."} for name in ("Marina", "Martina")], **WHO)
        named = {hit.speaker for hit in opened.search("Marina?", **WHO) if hit.signals["speaker"]}
        assert named == {"Marina"}
        named = {hit.speaker for hit in opened.search("Marrina?", **WHO) if hit.signals["speaker"]}
        assert named == {"Marina", "Martina"}  # it may be either


@pytest.mark.parametrize(
    ("question", "term", "text"),
    [
        ("Who went into the mountians?", "mountain", SAID[2][1]),
        ("exhibtion", "exhibit", SAID[0][1]),
        ("Whose brothr is it?", "brother", SAID[3][1]),
        ("Biscut", "biscuit", "She sleeps on the sofa."),
    ],
)
def test_other_words_are_looked_up_as_they_are_meant(memory: Memory, question: str, term: str, text: str) -> None:
    results = memory.search(question, **WHO)
    found = next(hit for hit in results if hit.text == text)
    assert found.signals["lexical_turn"] == 1.0
    assert {hit.text for hit in results if hit.signals["lexical_turn"]} == {text}
    if term != "biscuit":  # which stands in no text
        assert term in {word.term for word in results.explain(found.id).words}


def test_a_common_word_is_right_although_nobody_said_it(memory: Memory) -> None:
    # "brother" is there, "bother" is a word, too; "harbor" is how others spell it
    why = memory.search("Does it bother them?", **WHO)
    words = why.explain(why[0].id).words
    assert "brother" not in {word.term for word in words}


def test_without_an_embedder_that_knows_words_names_alone_are_misspelt() -> None:
    for embedder in ("none", HashEmbedder()):
        with Memory(":memory:", embedder=embedder, recipe="none") as opened:
            opened.add([{"role": "user", "name": name, "content": text} for name, text in SAID], **WHO)
            assert opened.search("What did Carolin say?", **WHO)[0].signals["speaker"] == 1.0
            results = opened.search("mountians", **WHO)
            assert not results.explain(results[0].id).words


def test_names_that_come_later_may_be_misspelt_too() -> None:
    with Memory(":memory:", recipe="none") as opened:
        for name in ("Caroline", "Theodore", "Therese"):
            opened.add([{"role": "user", "name": name, "content": "Hello."}], **WHO)
            found = opened.search(f"{name}e?", **WHO)
            assert {hit.speaker for hit in found if hit.signals["speaker"]} == {name}
        opened.add([{"role": "user", "name": "Penelope", "content": "Hello."}], user_id="eva")
        found = opened.search("Penelpe? Teodore? Terese?", user_id=["ana", "eva"])
        assert {hit.speaker for hit in found if hit.signals["speaker"]} == {"Penelope"}


def test_other_scripts_are_read_as_they_are(memory: Memory) -> None:
    for question in ("カロリーヌは何と言いましたか", "Что сказала Каролина про гавань?", "Zoë Ÿnés Carolinø", "é" * 80):
        assert memory.search(question, **WHO) is not None
