"""What somebody says never to have done, beside what the same one says to have done. Pure, by words, and English.

    denied(text)             what it denies: "met Kelly at any book club", "library event"
    gainsays(denial, text)   how far a text by the same speaker says so after all

Both stay as they were said: which of the two is right, nobody knows but the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mnemic import reading, text

_DENIAL = re.compile(
    r"\b(?:i|we)(?:'ve|'d| have| had)? (?:actually |honestly |really )?never (?:actually |really |even |once )?"
    r"(?P<what>\w[^.,;:!?\n]{3,160})"
    r"|\b(?:i|we) (?:haven't|have not|hadn't) (?:actually |really |even )?(?P<not>\w[^.,;:!?\n]{3,160}?)"
    r"(?: yet\b| before\b| at all\b|(?=[.,;:!?\n]|$))",
    re.IGNORECASE,
)
# Where the denial ends and the sentence goes on.
_GOES_ON = re.compile(r"\s(?:but|so|which|because|since|although|though|and (?:i|we|that|now|so))\b", re.IGNORECASE)
_OR = re.compile(r"\s(?:or|nor)\s", re.IGNORECASE)
_WEAK = frozenset(
    ["any", "anything", "anyone", "ever", "before", "once", "yet", "really", "also", "else", "this", "that", "these"]
)
_SENTENCE = re.compile(r"[^.!?\n]+")
_FIRST_PERSON = re.compile(r"\b(?:i|we|my|our|me|us)\b", re.IGNORECASE)
_HAS_DONE = re.compile(
    r"\b(?:i|we|my [\w ]{1,40}?)(?:'ve| have| has)?(?: just| already| recently| also)? "
    r"(?!need|feed|speed|embed)(?:\w{2,}ed|met|got|took|went|made|wrote|read|did|had|used|won|found|built|set|ran)\b"
    r"|\b(?:i|we)(?:'ve| have) been\b|\bafter \w+ing\b|\bsince (?:i|we) \w+",
    re.IGNORECASE,
)
_DONE = 0.5
_HALF = 0.5
_LEAST = 2
"""Words that both must have in common: "I haven't read that" denies nothing that can be named."""


@lru_cache(4096)
def denied(said: str) -> tuple[frozenset[str], ...]:
    """What a text says never to have happened: the stems of each alternative, those that tell something."""
    found: list[frozenset[str]] = []
    for match in _DENIAL.finditer(said.replace("\u2019", "'")):
        what = _GOES_ON.split(match["what"] or match["not"])[0]
        for part in _OR.split(what):
            stems = _stems(part)
            if stems:
                found.append(stems)
    return tuple(found)


def gainsays(denials: Sequence[frozenset[str]], said: str) -> float:
    """How far a text of the same speaker says that it did happen, 0 where it does not: the share of the words of a
    denial, at least a half of them, that a sentence has in which somebody speaks of himself, without what he denies in
    it; and `_DONE` more where it tells of what is done, not of what is tried, planned or wanted."""
    most = 0.0
    for sentence in _SENTENCE.findall(_DENIAL.sub(" ", said.replace("\u2019", "'"))):
        if _FIRST_PERSON.search(sentence) is None:
            continue
        stems = _stems(sentence)
        shares = [len(denial & stems) / len(denial) for denial in denials if len(denial & stems) >= _LEAST]
        share = max(shares, default=0.0)
        if share >= _HALF:
            most = max(most, share + (_DONE if _HAS_DONE.search(sentence) else 0.0))
    return most


def _stems(words: str) -> frozenset[str]:
    plain = [word for word in reading.said_in(words) if word not in _WEAK]
    return frozenset(term for word in plain for term in text.terms(word) if len(term) > 1)


def forget() -> None:
    """Drop the words kept."""
    denied.cache_clear()
