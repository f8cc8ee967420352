"""Names in a question, against a slow and plain reading of the same rules."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mnemic import precise
from mnemic.spelling import edits, one_edit

WORDS = st.text("abcé", min_size=1, max_size=7)
NAMES = st.lists(st.sampled_from(["marta", "marla", "maria", "norte", "ida", "42"]), min_size=1, max_size=2)


@given(WORDS, WORDS)
def test_one_edit(one: str, other: str) -> None:
    letters = sorted(set(one + other))
    around = {one[:i] + one[i + 1 :] for i in range(len(one))}
    around |= {one[:i] + c + one[i:] for i, c in product(range(len(one) + 1), letters)}
    around |= {one[:i] + c + one[i + 1 :] for i, c in product(range(len(one)), letters)}
    around |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}
    assert one_edit(one, other) == (other in around - {one})


@given(st.text("abc", min_size=2, max_size=6), st.text("abc", min_size=1, max_size=7))
def test_edits(one: str, other: str) -> None:
    assert (other in edits(one)) == (one_edit(one, other) and one[:2] == other[:2])


@given(st.lists(st.tuples(NAMES, NAMES), max_size=6), st.lists(st.sampled_from(range(6)), unique=True), NAMES)
def test_a_book_holds_what_is_kept_and_nothing_else(
    names: list[tuple[list[str], list[str]]], kept: list[int], asked: list[str]
) -> None:
    rows = [_row(number, " ".join(one), [" ".join(other)]) for number, (one, other) in enumerate(names)]
    left = [row for row in rows if row["row"] in kept]
    grown, fresh = precise.Book(), precise.Book()
    assert grown.missing(range(len(rows))) == list(range(len(rows)))
    grown.keep(rows)
    assert grown.missing(row["row"] for row in left) == []
    fresh.keep(left)
    question = " ".join(asked)
    assert {_told(found) for found in grown.named_in(question)} == {_told(found) for found in fresh.named_in(question)}
    assert len(grown) == len(left)


@given(NAMES, st.lists(st.sampled_from(["the", "was", "rain", "house"]), max_size=3))
def test_a_name_is_found_wherever_it_stands(name: list[str], around: list[str]) -> None:
    book = precise.Book()
    book.keep([_row(1, " ".join(name), [])])
    question = " ".join([*around, *name, *reversed(around)])
    assert [_told(found) for found in book.named_in(question)] == [(1, "subject", 0)]
    assert book.named_in(" ".join(around)) == []


def _row(number: int, subject: str, aliases: list[str]) -> dict[str, Any]:
    listed = "[" + ", ".join(f'"{alias}"' for alias in aliases) + "]"
    return {
        "row": number,
        "id": f"r{number}",
        "kind": "fact",
        "subject": subject,
        "aliases": listed,
        "data": None,
        "superseded_by": None,
    }


def _told(found: precise.Found) -> tuple[int, str, int]:
    return found.row, found.by, found.edits
