"""What a question wants: the kind of its answer, and whether that is one thing or several.

Pure, by rules, and English: another language wants a "thing". Nothing is left out of a search for it; it decides how an
answer is read out of what was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["time", "duration", "number", "place", "reason", "person", "manner", "yes or no", "name", "thing"]
"""What answers a question. "name" is the name of something made: a book, a film, a game, a shop."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What answers a question."""

    kind: Kind
    several: bool = False
    """Whether it asks for a list: "Which cities …", "What do both of them …"."""
    unit: Literal["year", "month"] | None = None
    """The precision of a time that is asked for: "In which year …"."""


_UNIT = re.compile(r"^(?:in |on |during |around |by )?(?:what|which) (?:\w+ )?(year|month)\b")
# The first that fits.
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "time",
        re.compile(
            r"^(?:(?:on|by|since|until|around|in) )?(?:when\b"
            r"|(?:what|which) (?:exact )?(?:day|date|month|year|week|season)\b)"
            r"|\bwhat (?:is|was) the (?:exact )?date\b"
        ),
    ),
    (
        "duration",
        re.compile(r"^(?:for )?how (?:long|old)\b|^(?:for )?how many (?:years|months|weeks|days|hours|minutes)\b"),
    ),
    (
        "number",
        re.compile(r"\bhow (?:many|much|often|far|big|tall|high)\b|\bwhat (?:number|amount|percentage|score|price)\b"),
    ),
    ("person", re.compile(r"\bwho(?:m|se)?\b")),
    (
        "place",
        re.compile(
            r"\bwhere\b|\b(?:what|which) (?:city|cities|country|countries|state|states|place|places|town|towns|location"
            r"|locations|areas?|island|region|neighbou?rhood)\b"
        ),
    ),
    (
        "reason",
        re.compile(
            r"\bwhy\b|\bwhat (?:inspired|motivated|made|caused|prompted|led)\b"
            r"|\bwhat (?:is|was|were|are) .*\b(?:reason|motivation|inspiration)\b"
        ),
    ),
    ("manner", re.compile(r"\bhow\b")),
    ("yes or no", re.compile(r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|would|will|should)\b")),
    (
        "name",
        re.compile(
            r"\b(?:name|names|named|called|title|books?|movies?|films?|games?|songs?|bands?|artists?|shows?|brand|company"
            r"|author|series|shop|store|team)\b"
        ),
    ),
)
_SEVERAL = re.compile(
    r"^(?:what|which)(?: are| were| kinds? of| types? of| other| new| some| different)* (?:\w+ )?"
    r"(?!(?:is|was|does|has|this|his|its)\b)(?:\w+(?<!s)s|people|children|family)\b"
    r"|\bboth\b|^who (?:are|were)\b"
)


def wanted(question: str) -> Wanted:
    """What answers a question."""
    folded = " ".join(question.lower().split())
    kind = _kind(folded)
    unit = _UNIT.search(folded)
    return Wanted(
        kind,
        several=kind not in ("time", "duration", "number", "yes or no") and _SEVERAL.search(folded) is not None,
        unit=("year" if unit[1] == "year" else "month") if unit and kind == "time" else None,
    )


def _kind(folded: str) -> Kind:
    for kind, pattern in _PATTERNS:
        if pattern.search(folded):
            return kind
    return "thing"


# -- how much has to be put together

_NAME = re.compile(
    r"\b[^\W\d_a-z][\w'’.-]*(?:\s+(?:(?:of|the|de|la|von|van|and)\s+)?[^\W\d_a-z][\w'’.-]*)*|\b\d{3,4}\b"
)
_NESTED = re.compile(
    r"\bthe (?:[\w'-]+ ){1,3}(?:of|who|whom|that|which|where|for|behind|from|in|by)\b"
    r"|\w's \w+"
    r"|\b(?:where|which|whose)\b.*\b(?:was|is|were|are|did|has)\b.*\b(?:who|that|where|of)\b",
    re.IGNORECASE,
)
_ASKER = re.compile(r"\b(?:i|i'm|i've|i'd|my|me|mine|we|our|us|you|your)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_ASKS = re.compile(
    r"(?:what|when|where|who|whom|whose|which|how|why|did|do|does|is|are|was|were|can|could|would|will|have|has|had"
    r"|tell|list|summari[sz]e|describe|name|give|show|find|remind)\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:suggest|recommend|advi[sc]e|(?:any|some) (?:\w+ )?(?:tips|ideas|suggestions|recommendations))\b[^.!]*\?",
    re.IGNORECASE,
)
_RECALLS = re.compile(r"i (?:\w+ )?(?:mentioned|told|said)\b", re.IGNORECASE)


def names(text: str) -> list[str]:
    """The names in a text, as written: words with capitals, several in a row as one, and years.

    A single one that begins a sentence is none: it may be any word.
    """
    found: list[str] = []
    for match in _NAME.finditer(text):
        begins = match.start() == 0 or text[: match.start()].rstrip()[-1:] in ("", ".", "!", "?", ":", '"', "“")
        if not begins or " " in match[0] or "\n" in match[0]:
            found.append(match[0])
    return found


def is_chained(question: str) -> bool:
    """Whether what is asked for hangs on something that has to be found first: "the director of the film that …".

    It says so of questions about the world alone; what someone asks about themselves is told in talk, where a thing is
    hardly called by its name twice.
    """
    return _NESTED.search(question) is not None and _ASKER.search(question) is None


def is_talk(message: str) -> bool:
    """Whether it is no question to the memory but the next message of an ongoing talk: "Okay, that draft works. What
    is left to do?" It begins with a statement, and does not go on to ask for advice, or for what was said once."""
    first = next((part for part in _SENTENCE.split(message.strip()) if len(part.split()) > 2), "")  # after "Hi there."
    return (
        bool(first)
        and first.rstrip(" \"'”’)*_").endswith((".", "!", "…", "。", "！"))  # bare words are a search
        and _ASKS.match(first) is None
        and _RECALLS.match(first) is None
        and _ADVICE.search(message) is None
    )
