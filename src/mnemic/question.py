"""What a question wants: the kind of its answer, whether that is one thing or several, and what it is asked for.

Pure, by rules, and English; of German, French and Spanish only the question words are known, and another language wants
a "thing". Nothing is left out of a search for it; it decides how an answer is read out of what was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["time", "duration", "number", "place", "reason", "person", "manner", "yes or no", "name", "thing"]
"""What answers a question. "name" is the name of something made: a book, a film, a game, a shop."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Aim = Literal["fact", "state", "history", "order", "preference", "summary"]
"""What is done with what was found: a fact is told; the state is how things are now, and the history how they were; an
order says what came first; what somebody likes makes a preference or advice; a summary has all of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What answers a question."""

    kind: Kind
    several: bool = False
    """Whether it asks for a list: "Which cities …", "What do both of them …"."""
    unit: Literal["year", "month"] | None = None
    """The precision of a time that is asked for: "In which year …"."""
    aim: Aim = "fact"
    """"fact" where nothing says another one, and so in other languages than English."""


_READ = 1000
"""Characters of a question that are looked at: what it wants is told at its beginning."""

# What stands before the question itself: "And", "Can you tell me", "When it rains, …", an inverted question mark.
_OPENING = re.compile(
    r"^(?:[\W_]+|(?:and|but|so|then|also|oh|hey|please|well|ok|okay)\b,? "
    r"|(?:(?:can|could|would|will|do|did) (?:you|i|we)|please|i)(?: please| still| even)?"
    r" (?:tell|remind|remember|know|recall|say|wonder|want to know)(?: me| us)?,?"
    r" (?=(?:when|where|who|whom|whose|why|how|what|which|if|whether)\b)"
    r"|(?:when|while|after|before|if|where) [^,?]{1,200},"
    r" (?=(?:when|where|who|whom|whose|why|how|what|which|did|does)\b))"
)
_POLAR = re.compile(
    r"(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|would|will|should|might|must)(?:n't)?|am|shall|may|can't"
    r"|won't|if|whether)\b"
)
# Of other languages, by the first words.
_BEFORE = r"(?:(?:seit|mit|von|bei|für|an|in|bis|depuis|avec|chez|pour|de|à|a|con|desde|hasta|para|d') ?)?"
_FOREIGN_WORDS: tuple[tuple[Kind, str], ...] = (
    ("time", "wann|quand|cu[áa]ndo"),
    (
        "duration",
        "wie (?:lange|alt)|wie viele (?:jahre|monate|wochen|tage|stunden)|combien (?:de temps|d'années|de (?:mois"
        "|semaines|jours))|cu[áa]nto tiempo|cu[áa]nt[oa]s (?:años|meses|semanas|días|horas)",
    ),
    ("number", "wie ?viele?|wie oft|combien|cu[áa]nt[oa]s?"),
    ("place", "wo|wohin|woher|où|ad[óo]nde|d[óo]nde"),
    ("person", "wer|wem|wen|wessen|qui|qui[ée]n(?:es)?"),
    ("reason", "warum|wieso|weshalb|pourquoi|por qu[ée]"),
    ("manner", "wie|c[óo]mo"),
    ("thing", "was (?:hat|hast|haben|ist|sind|mag|macht|kann|gibt|isst|hei(?:ß|ss)t|für)"),
)
_FOREIGN: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"{_BEFORE}(?:{words})\b")) for kind, words in _FOREIGN_WORDS
)
_FIRST = re.compile(r"\b(?:when|where|who(?:m|se)?|why|how|what|which)\b")
_UNIT = re.compile(r"(?:what|which) (?:\w+ )?(year|month)\b")
# From its question word on; the first that fits.
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "time",
        re.compile(
            r"when\b|(?:what|which) (?:exact )?(?:day|date|month|year|week|weekday|season|time|decade)\b(?! zone)"
            r"|what(?:'s| is| was) the (?:exact )?(?:date|month|year)\b"
        ),
    ),
    ("duration", re.compile(r"how (?:long|old)\b|how many (?:years|months|weeks|days|hours|minutes)\b")),
    (
        "number",
        re.compile(
            r"how (?:many|much|often|far|big|tall|high)\b|what (?:number|amount|percentage|score|price)\b"
            r"|what(?:'s| is| was| were) (?:the|\w+'s|his|her|my|your) (?:\w+ ){0,2}"
            r"(?:number(?! one\b)|amount|percentage|score|price|cost)\b"
        ),
    ),
    ("person", re.compile(r"who(?:m|se)?\b")),
    (
        "place",
        re.compile(
            r"where\b|(?:what|which) (?:city|cities|country|countries|state|states|place|places|town|towns|location"
            r"|locations|areas?|island|region|neighbou?rhood)\b"
        ),
    ),
    (
        "reason",
        re.compile(
            r"why\b|how come\b|what (?:inspired|motivated|made|caused|prompted|led)\b"
            r"|what (?:is|was|were|are)\b.*\b(?:reason|motivation|inspiration)\b|.*[.?] why\b"
        ),
    ),
    ("manner", re.compile(r"how\b")),
    (
        "name",
        re.compile(
            r".*?\b(?:name|names|named|title|movies?|films?|games?|songs?|bands?|artists?|brand|company|author|series|shop"
            r"|team)\b|.*\bcalled\b(?! \w+ing\b)"
            # "show", "book" and "store" are verbs, too
            r"|.*?\b(?:what|which|tv|the|an?|any|her|his|my|your|their|s|favou?rite|new|last|first)"
            r" (?:(?!(?:do|does|did|has|have|had|will)\b)\w+ ){0,2}"
            r"(?:shows?|books?|store)\b"
        ),
    ),
)
_AUXILIARY = r"(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|might|must)(?:n't)?)\b"
# A list is asked for by a plural before a verb: "what martial arts has …", but not "what helps …".
_SEVERAL = re.compile(
    rf"(?:what|which)(?: (?!{_AUXILIARY})[\w'/-]{{1,30}}){{0,4}}?"
    rf" (?:(?!{_AUXILIARY}|(?:news|gas|lens|christmas)\b)[\w/-]{{1,30}}(?<![suiy])s|people|children)"
    rf"(?: (?:of|for|in|on|from|at|about|with) [^,?]{{1,40}}?)? {_AUXILIARY}"
    r"|which of (?:\w+ ){0,3}\w+s\b(?! (?:is|was|has|does)\b)"
    r"|what (?:are|were) (?!you\b|we\b|they\b|i\b)|who (?:are|were)\b|.*\bboth\b"
    r"|.*\ball (?:the|of|her|his|their|my|your|our)\b"
)

_PRESENT = r"(?:(?:is|are|do|does)(?:n't)?|am)"
# The first that fits.
_AIMS: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    (
        "summary",
        re.compile(
            r"^(?:[\w ]{0,30}\b)?(?:summari[sz]e|sum up|recap)\b"
            r"|^(?:give|write|make|show|prepare|i need|i want|i'd like|(?:can|could|would|will) (?:you|i|we))\b"
            r"[^.?!]{0,60}\b(?:summary|overview|recap|outline|rundown)\b"
            r"|^what(?:'s| is| are|'re) (?:a|the)[\w ]{0,20} (?:summary|overview|gist|(?:main|key) points)\b"
            r"|^(?:please )?(?:tell (?:me|us) (?:more |all |everything |what you know )?(?:about|on)"
            r"|(?:tell (?:me|us) )?what do (?:you|we|i) know about)\b"
        ),
    ),
    (
        "order",
        re.compile(
            r"\blist\b.* in order\b"
            r"|\b(?:in (?:which|what|the|chronological) order\b(?! to\b)"
            r"|order (?:in which|of (?:the )?(?:events|my|these))|chronolog\w+|what order|sequence of"
            r"|from (?:the )?(?:first|earliest|oldest) to|before or after)\b"
            r"|^(?:which|what|who)\b.*\b(?:came|come|comes|happened|happen|was|were|started|began) "
            r"(?:first|last|earlier|later|before|after)\b"
            r"|^(?:which|what|who)\b.*\b(?:first|earlier|last|later|before|sooner)\b.*\bor\b"
        ),
    ),
    (
        "preference",
        re.compile(
            r"^(?!.*\b(?:did|does|has|had|have)\b.{0,40}\b(?:recommend|suggest|advise))"
            r".*\b(?:recommend|suggest|advise)\b"
            r"|\b(?:any|some) (?:\w+ ){0,2}(?:tips|ideas|suggestions|recommendations|advice)\b"
            r"|^(?:what|which|where|how)\b[^,.?!]{0,40}\b(?:should|could|might) (?:i|we)\b"
            r"|\bfavou?rite\b|\bprefer(?:s|red|ence|ences)?\b"
            r"|\b(?:does|do|did|would|don't|doesn't)\b(?:(?! (?:feel|look|sound|taste|seem|smell)).){1,60}?"
            r" (?:like(?! to know\b)|love|enjoy|hate|dislike|rather)\b"
            r"|\b(?:likes|loves|enjoys|hates|dislikes)\b"
        ),
    ),
    (
        "history",
        re.compile(
            r"\b(?:used to|previously|formerly|originally|in the past|over (?:the years|time)|so far|until now|at first"
            r"|history of|previous|former|ex-\w+)\b"
            r"|\bhow (?:has|have|did)\b.*\b(?:changed?|evolved?|develop(?:ed)?)\b|\bwhat (?:has |have )?changed\b"
            r"|^(?:and |but |so )?(?:in |for |with )?(?:where|which|what|who|whom|whose)\b.*\b(?:has|have) "
            r"(?:[\w'-]+ ){0,3}?(?:lived|worked|owned|driven|studied|dated|had|been (?:to|in|at|with|an?))\b"
        ),
    ),
    (
        "state",
        re.compile(
            r"\b(?:now|nowadays|currently|at the moment|at present|these days|still|current|latest|most recent"
            r"|any ?more)\b"
            rf"|^{_PRESENT}\b"
            rf"|^(?:(?:in|at|on|for|with|to|from|since|by) )?(?:when|where|who|whom|whose|why|how|what|which)(?:'s\b"
            rf"|(?: (?!{_AUXILIARY})[\w'-]{{1,30}}){{0,4}}? {_PRESENT}\b(?! called\b))"
            r"|^how long (?:has|have)\b"
        ),
    ),
)


def wanted(question: str) -> Wanted:
    """What answers a question."""
    folded = " ".join(question.lower().replace("’", "'").split())[:_READ]
    while opening := _OPENING.match(folded):
        folded = folded[opening.end() :]
    kind, asked = _kind(folded)
    unit = _UNIT.match(asked) if kind == "time" else None
    return Wanted(
        kind,
        several=kind not in ("time", "duration", "number", "yes or no") and _SEVERAL.match(asked) is not None,
        unit=None if unit is None else "year" if unit[1] == "year" else "month",
        aim=_aim(folded),
    )


def _aim(folded: str) -> Aim:
    for aim, pattern in _AIMS:
        if pattern.search(folded):
            return aim
    return "fact"


def _kind(folded: str) -> tuple[Kind, str]:
    """The kind, and the question from its question word on: the first one leads, "who" is another one's in "what did
    the man who called want?"."""
    for kind, pattern in _FOREIGN:
        if pattern.match(folded):
            return kind, folded
    if _POLAR.match(folded):
        return "yes or no", folded
    first = _FIRST.search(folded)
    asked = folded[first.start() :] if first else folded
    for kind, pattern in _PATTERNS:
        if pattern.match(asked):
            return kind, asked
    return "thing", asked


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


_NOW = re.compile(r"\b(?:is|are|am|do|does|have|has|can|should|will|'s|'re|'m)\b")
_THEN = re.compile(
    r"\b(?:did|was|were|had|used to|ever|(?<!the )(?<!my )(?<!our )(?<!her )(?<!his )first|originally|initially|before"
    r"|previously|earlier|ago|since|last|back"
    r"|in (?:19|20)\d\d)\b"
)


_LATEST = re.compile(r"\b(?:most recent|latest|newest|recent)\b")


def asks_of_now(question: str) -> bool:
    """Whether it asks how things are, not how they were: "Where does she live?", "What was her latest move?"; by its
    verbs, and English."""
    folded = question[:_READ].lower().replace("\u2019", "'")
    if _LATEST.search(folded) is not None:
        return True
    return _NOW.search(folded) is not None and _THEN.search(folded) is None


_EVER = re.compile(r"(?:have|has|had|did)(?:n't)? [a-z]+\b")


def asks_if_ever(question: str) -> bool:
    """Whether it asks if something has ever happened: "Have I met Kelly at a book club?"; English."""
    folded = question[:_READ].lower().replace("\u2019", "'").strip()
    while opening := _OPENING.match(folded):
        folded = folded[opening.end() :]
    return _EVER.match(folded) is not None
