"""Statements that do not name whom they are about ("Lives in Berlin"): the name stands before them, to be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from mnemic import Hit, Memory
from mnemic.pack import Piece, pack
from mnemic.show import Paper
from mnemic.testing import HashEmbedder
from mnemic.text import count_bytes3

PEOPLE = ["Alice", "Bob"]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "m.db", embedder=HashEmbedder(16), recipe="none") as found:
        lines = [
            {"type": "entity", "name": name, "entityType": "person", "observations": ["Likes tea", f"Is {name}'s own"]}
            for name in PEOPLE
        ]
        (tmp_path / "memory.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
        found.import_(tmp_path / "memory.jsonl", user_id="me")
        yield found


def _hits(memory: Memory) -> list[Hit]:
    """The facts as hits that carry their subject."""
    told = {record.id: record for record in memory.list(kinds="fact", user_id="me")}
    hits = memory.search("tea own", kinds="fact", limit=10, user_id="me")
    return [replace(hit, subject=told[hit.id].subject) for hit in hits]


def test_a_record_is_shown_with_whom_it_is_about(memory: Memory) -> None:
    told = [str(record) for record in memory.list(kinds="fact", user_id="me")]
    assert {line.split("fact  ")[1] for line in told} == {
        "Alice: Likes tea",
        "Is Alice's own",
        "Bob: Likes tea",
        "Is Bob's own",
    }
    paper = Paper(80, UTC)
    shown = "\n".join(line for record in memory.list(user_id="me") for line in paper.record(record))
    assert "    Alice: Likes tea\n" in shown
    assert "    Is Bob's own\n" in shown
    assert "    Bob (person)\n" in shown


def test_a_hit_is_shown_with_whom_it_is_about(memory: Memory) -> None:
    hits = _hits(memory)
    assert len(hits) == 4
    paper = Paper(80, UTC)
    shown = [line.strip() for hit in hits for line in paper.hit(1, hit, evidence=False)]
    assert {"Alice: Likes tea", "Bob: Likes tea", "Is Alice's own"} <= set(shown)
    assert {str(hit).split("  ")[-1] for hit in hits} >= {"Alice: Likes tea", "Bob: Likes tea", "Is Alice's own"}


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_context_tells_the_same_words_about_two_apart(memory: Memory, form: str) -> None:
    packed = pack([Piece(hit) for hit in _hits(memory)], 1000, count_bytes3, format=form)
    assert len(packed.evidence) == 4  # "Likes tea" of one is no repeat of the other's
    if form == "json":
        said = [(one.get("subject"), one["text"]) for one in json.loads(packed.text)["memories"]]
        assert {("Alice", "Likes tea"), ("Bob", "Likes tea"), (None, "Is Bob's own")} <= set(said)
    else:
        assert all(f"] {name}: Likes tea" in packed.text for name in PEOPLE)
        assert "] Is Alice's own" in packed.text


def test_what_somebody_said_keeps_its_speaker(memory: Memory) -> None:
    memory.add([{"role": "user", "name": "Carl", "content": "I like tea"}], user_id="me")
    ((episode,),) = [[one for one in memory.list(user_id="me") if one.kind == "episode" and one.speaker == "Carl"]]
    assert str(episode).endswith("Carl: I like tea")
    memory.remember("Prefers noon", subject="Dora  von\nX", user_id="me")
    assert str(memory.list(limit=1, user_id="me")[0]).endswith("Dora von X: Prefers noon")


def test_searches_and_contexts_tell_whom_a_hit_is_about(memory: Memory) -> None:
    assert {hit.subject for hit in memory.search("tea", kinds="fact", user_id="me")} == {"Alice", "Bob"}
    told = memory.context("Tell me about Alice", user_id="me").text
    assert all(line in told for line in ("] Alice: Likes tea", "] Bob: Likes tea", "] Is Alice's own"))
