"""Misspelt words: one edit away from one that is known, with the first two letters right.

Pure. Most misspellings are one letter more, less or other, or two neighbours changing places, and most of them leave
the beginning of a word alone: Damerau, A technique for computer detection and correction of spelling errors, 1964.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase

from mnemic import text

EDITABLE = 5
"""Letters from which on a name may be misspelt."""
KEPT = 2
"""Letters at the beginning that are right."""


def editable(word: str) -> bool:
    """Whether a folded word may be a misspelt name, or a name that may be misspelt."""
    return len(word) >= EDITABLE and word.isalpha()


def one_edit(one: str, other: str) -> bool:
    """Whether two different words become one by one letter more, less or other, or two neighbours changing places."""
    if len(one) > len(other):
        one, other = other, one
    if one == other or len(other) - len(one) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    return one[at + 1 :] == other[at + 1 :] or (
        one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    )


def edits(word: str) -> set[str]:
    """All words of the letters a to z that are one edit away and begin with the same two letters: 400 for eight."""
    found: set[str] = set()
    for at in range(KEPT, len(word) + 1):
        before, after = word[:at], word[at:]
        found.update([before + letter + after for letter in ascii_lowercase])
        if after:
            found.add(before + after[1:])
            found.update([before + letter + after[1:] for letter in ascii_lowercase])
        if len(after) > 1:
            found.add(before + after[1] + after[0] + after[2:])
    found.discard(word)
    return found


def corrected(question: str, meant: Mapping[str, str]) -> str:
    """The question with the words that are meant in place of misspelt ones, which are given as `text.words` has them.

    What is joined to a misspelt word ("Carolin's") goes with it.
    """
    return " ".join([_corrected(part, meant) for part in question.split()])


def _corrected(part: str, meant: Mapping[str, str]) -> str:
    words = text.words(part)
    if meant.keys().isdisjoint(words):
        return part
    found = " ".join(meant.get(word, word) for word in words)
    return found.title() if part[0].isupper() else found
