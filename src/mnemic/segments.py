"""Cutting a stretch of talk into segments: a few turns that are read together, each asked about once. Pure.

A segment ends where talk pauses, where the matter changes, and where it would grow too large. Where it can be chosen it
begins with somebody's turn that is not an answer, so that a question stays with its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from mnemic.statements import Turn
from mnemic.text import count_bytes3

PAUSE = timedelta(minutes=30)
"""Between two turns, after which it is another conversation."""
TURNS = 10
"""At most in a segment."""
TOKENS = 1500
"""About as many at most; a single longer turn is a segment of its own."""
LEAST = 4
"""Turns before which a change of matter does not end a segment."""
WINDOW = 3
"""Turns on each side of a place that are compared."""
SAME_MATTER = 0.06
"""Share of their words that two windows have in common, below which the matter has changed."""
CONTEXT = 4
"""Turns before a segment that are shown with it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Turns of one session that are read together, in order. The first `before` are read for the others' sake."""

    turns: tuple[Turn, ...]
    before: int

    @property
    def own(self) -> tuple[Turn, ...]:
        """The turns that it is about."""
        return self.turns[self.before :]


def cut(stretch: Segment) -> Iterator[Segment]:
    """A stretch of talk in segments, each with the turns before it."""
    turns = stretch.turns
    sizes = [count_bytes3(turn.text) for turn in turns]
    words = [_words(turn.text) for turn in turns]
    first = stretch.before
    for at in range(first + 1, len(turns) + 1):
        if at < len(turns) and not _ends(turns, sizes, words, first, at):
            continue
        shown = max(first - CONTEXT, 0)
        yield Segment(turns[shown:at], first - shown)
        first = at


def _ends(turns: Sequence[Turn], sizes: Sequence[int], words: Sequence[frozenset[str]], first: int, at: int) -> bool:
    """Whether a segment that begins at `first` ends before the turn at `at`."""
    if turns[at].time - turns[at - 1].time >= PAUSE:
        return True
    many = at - first
    if many >= TURNS or sum(sizes[first : at + 1]) > TOKENS:
        return True
    if many < LEAST or _is_answer(turns, at):
        return False
    before = frozenset[str]().union(*words[max(at - WINDOW, first) : at])
    after = frozenset[str]().union(*words[at : at + WINDOW])
    return bool(before and after) and len(before & after) < SAME_MATTER * min(len(before), len(after))


def _is_answer(turns: Sequence[Turn], at: int) -> bool:
    return turns[at].role == "assistant" or turns[at - 1].text.rstrip().endswith("?")


def _words(text: str) -> frozenset[str]:
    """The words that may carry a matter."""
    return frozenset(word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3)
