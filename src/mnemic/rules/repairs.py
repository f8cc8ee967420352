"""Corrections within a sentence: "on Tuesday, no, Wednesday"; "in Porto — sorry, Lisbon".

They are found before any rule reads the sentence, so that no rule needs to know of them.
"""

from __future__ import annotations

import re

NO_VALUE = re.compile(
    r"\b(?:you|your|that|this|it|my|the (?:same|other|best|worst)|so|not|very|really|fine|good|great|ok|okay|hard"
    r"|because|just|i|about|all|more|too|a lot|never|always|maybe|problem|worries|idea|thanks|yes|no|what|who|how|why"
    r"|when|where|which|we|he|she|they|is|are|was|were|do|does|did|can|could|would|should|will|have|has)\b"
)
"""Words that no value is made of, so that what holds them corrects none."""
_CUE = (
    r"\s*(?:[,;(]+|\s[-–—]+|[—–]|\.\.\.|…)\s*(?:(?:oh|ah|er|um|uh|well|hmm)[\s,]+)?(?P<cue>(?:no[,\s]+wait"
    r"|wait[,\s]+no|no|wait|sorry"
    r"|oops|correction|i mean|i meant|or rather|make that|scratch that|actually no)"
    r"(?:[\s,:]+(?:no|wait|sorry|i mean|i meant|make that|actually))*)[\s,:—–-]+"
)
_MAYBE = re.compile(_CUE + r"(?=\S)")
_TIME = (
    r"(?:(?:next |this |last |late |early )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march"
    r"|april|may"
    r"|june|july|august|september|october|november|december|week|month|year|spring|summer|autumn|fall|winter)s?"
    r"(?: \d{1,2}(?:st|nd|rd|th)?)?(?:,? \d{4})?|tomorrow|today|tonight|yesterday|\d{1,2}(?::\d\d)? ?[ap]m|\d{1,2}:\d\d"
    r"|(?:the )?\d{1,2}(?:st|nd|rd|th)(?: of \w+)?|\d{1,2} (?:january|february|march|april|may|june|july|august"
    r"|september"
    r"|october|november|december)|(?:19|20)\d\d)"
)
_COUNT = (
    r"(?:[$€£]?\d[\d,.]*\d|[$€£]?\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty"
    r"|thirty"
    r"|forty|fifty)"
)
_CAPS = r"(?:(?!I\b)[A-ZÀ-Þ][\w'’&.-]*(?: (?:of |de |the )?[A-ZÀ-Þ][\w'’&.-]*){0,3})"
_PREP = r"(?:(?:in|at|on|for|from|to|as|by|with|since|until|of|every|each|near) )?"
_SHAPES = tuple(
    (
        re.compile(rf"{_PREP}(?P<what>{shape})(?!\w)", flags),
        re.compile(rf"(?:(?<=\s)|^){_PREP}(?P<what>{shape})$", flags),
    )
    for shape, flags in ((_TIME, re.IGNORECASE), (_COUNT, re.IGNORECASE), (_CAPS, 0))
)
_PLAIN = re.compile(r"(?P<det>(?:an?|the|my|some) )?(?P<words>[a-z][\w'-]*(?: [a-z][\w'-]*){0,2})(?=\s*(?:[.,!;)]|$))")
_STRONG = re.compile(r"mean|rather|make that|scratch|correction|wait|sorry")
_SURE_PLAIN = re.compile(r"(?:really|seriously|thanks|please|honestly|never|nothing|anyway|whatever|kidding|joking)\b")


_ONLY_CUES = re.compile(
    r"\W*(?:(?:no|nope|oh|oops|whoops|sorry|wait|hmm|ah|ok|okay|well|actually|correction|typo|my bad|my mistake|ugh|yes"
    r"|yeah|scratch that|i meant?)\W*)*(?:i (?:said|wrote|typed|put|told you)\b.*)?"
)
"""What precedes a cue that belongs to it: "Sorry, I mean …", "I said Chile, I meant …" correct what was said before."""
_BEFORE = re.compile(r"(?<!\S)\S+\s$")
"""A word that stays is brought next to what it belongs to: "on" to "Wednesday"."""


def repaired(text: str, low: str) -> str:
    """A text in which what a sentence corrects at once ("in Porto, no, Lisbon") is blank, each character in its place.

    Nothing of that is a statement that was ever made: so the new value corrects none.
    """
    made = text
    for cue in _MAYBE.finditer(low):
        begin = max(low.rfind(mark, 0, cue.start()) for mark in ".!?\n") + 1
        start = None if _ONLY_CUES.fullmatch(low, begin, cue.start()) else _corrected(made, low, begin, cue)
        if start is not None:
            before = _BEFORE.search(made, begin, start)
            at = start if before is None else before.start()
            made = made[:at] + " " * (cue.end() - start) + made[at:start] + made[cue.end() :]
    return made


_BY_NOW = re.compile(r"(?: now| currently| these days| at the moment| right now)+$", re.IGNORECASE)


def _corrected(text: str, low: str, begin: int, cue: re.Match[str]) -> int | None:
    """Where what is corrected begins: the last words before the cue of the same shape as those after it."""
    for new, old in _SHAPES:
        after = new.match(text, cue.end())
        if after is None:
            continue
        said = _BY_NOW.sub("", text[begin : cue.start()])
        before = old.search(said)
        if before is None:
            continue
        if text[cue.end() : after.start("what")]:
            return begin + before.start()
        return begin + before.start("what")
    plain = _PLAIN.match(low, cue.end())
    if plain is None or not _STRONG.search(cue["cue"]):
        return None
    if NO_VALUE.search(plain[0]) or _SURE_PLAIN.match(plain[0]) or not text[cue.end()].islower():
        return None
    words = list(re.finditer(r"[\w'-]+", low[begin : cue.start()]))
    many = len(plain[0].split())
    if len(words) <= many:
        return None
    return begin + words[-many].start()
