"""Which of two things that one speaker said tells how a matter stands now. Pure, by words, and English.

    told                     what is read of a text once
    comes_first              whether a line tells the matter of another one anew, or that one how it was once
    in_order                 the lines found for a question, those that come first before the others
    overtaken                what tells anew what a line says

Of two texts nobody knows for certain that the one replaces the other, so this decides an order, and whether a derived
fact still speaks for its episode; nothing that is kept changes by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from mnemic import reading, text

_SENTENCE = re.compile(r"[^.!?;\n]+(?:\.(?=\w)[^.!?;\n]+)*[.!?]?")
_TOKEN = re.compile(r"[\w][\w'’.,:%-]*[\w%]|\w")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_COUNT = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty)"
)
_VALUES = re.compile(
    rf"(?P<money>[$€£] ?\d[\d,.]*k?\b|\b\d[\d,.]*k? ?(?:euros?|dollars?|pounds?|usd|eur|gbp|francs?|crowns?)\b)"
    rf"|(?P<share>\d[\d.,]* ?(?:%|percent\b|per cent\b))"
    rf"|(?P<time>\b\d{{1,2}}:\d\d(?: ?[ap]m)?\b|\b\d{{1,2}} ?[ap]m\b|\b\d{{1,2}} o'clock\b)"
    rf"|(?P<date>\b\d{{4}}-\d\d-\d\d\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b|\b\d{{1,2}}(?:st|nd|rd|th)?"
    rf" (?:of )?{_MONTH}\b)"
    rf"|(?P<day>\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b)"
    rf"|(?P<number>(?<![\w.])\d[\d,.-]*\b(?![.\w])|\b{_COUNT}\b)(?: (?P<unit>[a-z]{{2,}}))?",
    re.IGNORECASE,
)
_NEAR = 40
"""Characters before and after a value in which the noun stands that it is a value of."""

_CHANGE = re.compile(
    r"\b(?:increas(?:ed?|ing)|decreas(?:ed|ing)|rais(?:ed|ing)|cut|reduc(?:ed|ing)|extend(?:ed|ing)?|extension"
    r"|reschedul(?:ed?|ing)|postponed|pushed|moved|updat(?:ed?|ing)|chang(?:ed?|ing)|new|now|recently|reached|improved"
    r"|grew|growth|grown|total of|instead|switched|latest|current(?:ly)?|these days|again|bumped|upgraded|down to|up to"
    r"|from now on|since then|turns out|finally)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\b(?:quit|left|leaving|ended|stopped|gave up|given up|cancel(?:led|ed)|dropped|sold|retired|replaced|done with"
    r"|broke up|split up|no longer|not any ?more|any ?more|used to|instead|switched|swapped|traded|moved|shifted|over"
    r"|closed|gone|went back|took over|taken (?:me |us )?over|handed in|(?:run|ran) out|passed|brings|as of|out of"
    r"|turned out|wrong|put me on|back to|converted|became|become)\b",
    re.IGNORECASE,
)

_YEARS = r"(?:19|20)\d\d"
_THEN = re.compile(
    rf"\b(?:back in|back then|back when|in those days|at the time|in the past|in my (?:youth|childhood|teens|twenties)"
    rf"|when (?:i|we) (?:was|were|lived|worked|still)|as an? (?:child|kid|student|teenager|boy|girl|apprentice)"
    rf"|growing up|in (?:primary |high )?school|(?:in|at) (?:college|university)|until (?:{_YEARS}|last|\w+ \w+ ago)"
    rf"|(?:up to|before|between|from) {_YEARS}|used to|before that|previously|formerly"
    rf"|(?:\w+) (?:years|summers|winters|springs|autumns|months) (?:ago|earlier)|years ago|was born)\b",
    re.IGNORECASE,
)
_STILL = re.compile(
    r"\b(?:now|nowadays|these days|currently|at the moment|at present|since then|today|from now on|as of|still"
    r"|ever since|anymore|any more)\b",
    re.IGNORECASE,
)
_IN_A_YEAR = re.compile(rf"\b(?:in|during|of) (?P<year>{_YEARS})\b", re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:was|were|had|did|went|got|\w{3,}ed|drove|kept|sang|taught|ran|wore|took|played)\b", re.IGNORECASE
)

_ALIKE = 0.6
"""Of the words of the longer of two sentences, as many as both have where they say the same of something else."""
_LEAST_ALIKE = 4
_ABOUT_IT = 0.4
"""Share of the rarity of a question's words that a statement of its matter holds."""
_NEARLY_ALL = 0.8
"""Share of the question's words that a sentence has which answers it in its own words."""
_SHORT = 30
"""Words."""
_FIGURE = re.compile(r"\d")
_TOUCHES = 0.2
"""… where it holds a value beside one of them."""
_SAME, _CHANGED = 0.5, 0.3
"""Of that of an older statement, as much as a newer one shares that says it anew: with a value, or with a word of
change. Chosen on questions of BEAM and LongMemEval and invented histories: see the log."""
_COMMON = 2
"""Words of the question that both have, at least, where it has as many: with one, they may speak of anything."""


@dataclass(frozen=True, slots=True)
class Told:
    """A text as it is compared with others."""

    text: str
    numbered: bool
    """Whether there is a figure in it."""
    short: bool = False
    """Whether it is so short that a word of change in it is about its matter. Of a long one nothing else is read."""
    stems: frozenset[str] = frozenset()
    """Of its words that tell something."""
    names: frozenset[str] = frozenset()
    """Of those that are written like names, within a sentence."""
    sentences: tuple[frozenset[str], ...] = ()
    """All words of each sentence that is no question."""
    words: tuple[frozenset[str], ...] = ()
    """The stems of each sentence that tell something …"""
    changing: tuple[frozenset[str], ...] = ()
    """… and of those that say that something has changed or ended."""
    values: tuple[tuple[str, frozenset[str]], ...] = ()
    """Its values: of which type, and the stems that stand near."""
    then: bool = False
    """Whether it tells how it was."""


@lru_cache(4096)
def told(said: str, time: datetime) -> Told:
    """What is read of a text that was said at a time."""
    said = said.replace("\u2019", "'")
    numbered = _FIGURE.search(said) is not None
    if len(said.split()) > _SHORT:
        return Told(said, numbered)
    sentences = _sentences(said)
    words = {one: stems(one) for one in sentences}
    return Told(
        said,
        numbered,
        short=True,
        stems=frozenset[str]().union(*words.values()),
        names=frozenset(_names(said)),
        sentences=tuple(frozenset(text.terms(one)) for one in sentences if not one.rstrip().endswith("?")),
        words=tuple(words.values()),
        changing=tuple(words[one] for one in sentences if _ENDS.search(one) or _CHANGE.search(one)),
        values=tuple(_values(said)),
        then=any(_is_of_then(one, time) for one in sentences) and _STILL.search(said) is None,
    )


def stems(words: str) -> frozenset[str]:
    """The stems of the words that tell something."""
    return frozenset(term for word in reading.said_in(words) for term in text.terms(word) if len(term) > 1)


_NAME = re.compile(r"(?<=[\w,] )[A-ZÀ-Þ][\w-]+")


def _names(said: str) -> Iterator[str]:
    for match in _NAME.finditer(said):
        yield from (term for term in text.terms(match[0]) if len(term) > 1)


def _values(said: str) -> Iterator[tuple[str, frozenset[str]]]:
    for match in _VALUES.finditer(said):
        before = said[max(match.start() - _NEAR, 0) : match.start()]
        after = said[match.end() : match.end() + _NEAR]
        near = f"{before.rpartition('. ')[2]} {after.partition('. ')[0]}"
        kind = "number" if match["number"] else str(match.lastgroup)
        unit = stems(match["unit"]) & stems(near) if match["unit"] else ()
        yield " ".join((kind, *unit)), stems(near)


def _is_of_then(sentence: str, time: datetime) -> bool:
    if _THEN.search(sentence) is not None:
        return True
    year = _IN_A_YEAR.search(sentence)
    return year is not None and int(year["year"]) < time.year and _PAST.search(sentence) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about how things are."""

    text: str
    stems: frozenset[str]
    rarity: tuple[float, ...]
    """Of each of its terms that the scope has at all."""
    people: bool = False
    """Whether it is put to the talk of people with each other, who seldom tell a state anew to be kept: there, what
    only looks like it would push the answer down."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said, among those found for a question."""

    told: Told
    by: str
    """Who said it."""
    when: tuple[datetime, int]
    """When, and after how many others."""
    holds: frozenset[int]
    """Which of the question's terms."""
    trust: int = 0
    """How far its source is from being trusted: what is trusted less comes before nothing."""

    def share(self, asked: Asked) -> float:
        """Of the rarity of the question's terms, how much it holds."""
        return _weight(self.holds, asked) / (_weight(range(len(asked.rarity)), asked) or 1.0)


def _weight(terms: Iterable[int], asked: Asked) -> float:
    return sum(asked.rarity[term] for term in terms)


def comes_first(new: Line, old: Line, asked: Asked) -> bool:
    """Whether a line tells better than another one of the same speaker how the matter of a question stands now."""
    if new.by != old.by or new.trust > old.trust:
        return False
    if not asked.people and new.told.short and old.told.short:
        if new.told.then != old.told.then:
            return old.told.then and (bool(new.holds & old.holds) or alike(new.told, old.told))
        if new.when > old.when and not new.told.then and _replaces(new, old, asked):
            return True
    return new.when > old.when and _says_anew(new, old, asked)


def _replaces(new: Line, old: Line, asked: Asked) -> bool:
    """What short texts show, that long ones show of anything."""
    share = old.share(asked)
    return (
        (share >= _TOUCHES and new.holds >= old.holds and alike(new.told, old.told))
        or (share >= _TOUCHES and valued_alike(new.told, old.told, asked.stems))
        or (share >= _ABOUT_IT and says_all(new.told, asked) and says_all(old.told, asked))
        or (share >= _ABOUT_IT and names_it(new.told, old.told, asked.stems))
    )


def _says_anew(new: Line, old: Line, asked: Asked) -> bool:
    """Whether the newer one shares the older one's words of the question and either says that something has changed, in
    a word that is not the question's own, or has a value as the older one has."""
    common = new.holds & old.holds
    if old.share(asked) < _ABOUT_IT or len(common) < min(_COMMON, len(asked.rarity)):
        return False
    if old.told.numbered and not new.told.numbered:
        return False
    both = _weight(common, asked) / _weight(old.holds, asked)
    return both >= _CHANGED if has_changed(new.told, asked.text) else old.told.numbered and both >= _SAME


def overtaken(old: Line, lines: Iterable[Line], asked: Asked) -> Line | None:
    """The latest of the lines that tell the matter of an older one anew."""
    later = (new for new in lines if new.when > old.when and comes_first(new, old, asked))
    return max(later, key=lambda line: line.when, default=None)


def in_order(lines: Sequence[Line], asked: Asked) -> list[int]:
    """The places of lines, each before the first that it comes before."""
    order = list(range(len(lines)))
    for new in range(1, len(lines)):
        for at, old in enumerate(order[: order.index(new)]):
            if comes_first(lines[new], lines[old], asked):
                order.remove(new)
                order.insert(at, new)
                break
    return order


def has_changed(one: Told, asked: str) -> bool:
    """Whether a text says that something has changed, in a word that is not the question's own."""
    words = asked.casefold()
    return any(cue[0].casefold() not in words for cue in _CHANGE.finditer(one.text))


def alike(new: Told, old: Told) -> bool:
    """Whether both have a sentence that differs in a few words: "The ferry leaves at 20:15", "… at 21:40"."""
    return any(
        min(len(one), len(other)) >= _LEAST_ALIKE
        and one != other
        and len(one & other) >= _ALIKE * max(len(one), len(other))
        for one in new.sentences
        for other in old.sentences
    )


def says_all(one: Told, asked: Asked) -> bool:
    """Whether a sentence, no question, has nearly all words of the question that tell something, and at least two."""
    if len(asked.stems) < _COMMON:
        return False
    return any(len(asked.stems & said) >= _NEARLY_ALL * len(asked.stems) for said in one.sentences)


def valued_alike(new: Told, old: Told, asked: frozenset[str]) -> bool:
    """Whether both have a value of one type beside one of the words that were asked for: "a deadline of April 1",
    "the new deadline is April 5"."""
    return any(
        near & around & asked and (kind == other or _bare(kind, other))
        for kind, near in new.values
        for other, around in old.values
    )


def _bare(*kinds: str) -> bool:
    """Whether these are numbers of which one stands without what it counts."""
    return all(kind.startswith("number") for kind in kinds) and "number" in kinds


def names_it(new: Told, old: Told, asked: frozenset[str]) -> bool:
    """Whether a sentence that says that something ended or changed calls what the older text told of: by a name of it
    that is not the question's, or by two of the words of its sentences about the matter, of which one is not either."""
    names = old.names - asked
    matter = frozenset[str]().union(*(one for one in old.words if one & asked)) or old.stems
    return any(one & names or (len(one & matter) >= _COMMON and (one & matter) - asked) for one in new.changing)


def basis(fact: str, evidence: str) -> str:
    """A derived text with the sentence that it rests on."""
    own = stems(fact)
    said = max(_sentences(evidence), key=lambda one: len(own & stems(one)), default="")
    return f"{fact} {said.strip()}"


def _sentences(said: str) -> list[str]:
    return [match[0] for match in _SENTENCE.finditer(said)]


def forget() -> None:
    """Drop the texts kept."""
    told.cache_clear()
