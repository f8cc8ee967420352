"""The times that a statement tells: "yesterday", "two weeks ago", "next month", "on 8 May", and what day that was.

Pure; English, and ISO dates. What is said is resolved against the time at which it was said, and keeps the precision in
which it was told: "last year" is a year, not a day of it. What is not understood tells no time.

`mnemic.when` reads the time out of a question, where a wide interval does no harm; this one gives answers, so what
cannot be placed ("soon", "a while ago") stays unplaced.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Literal

_MONTHS_OF_A_YEAR = "January February March April May June July August September October November December"
_MONTH_NAMES = _MONTHS_OF_A_YEAR.split()
_DAYS_OF_A_WEEK = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_WEEKDAY_NAMES = _DAYS_OF_A_WEEK.split()
CALENDAR = (*_MONTH_NAMES, *_WEEKDAY_NAMES)
"""Names that are no names of anything but times."""
_MONTHS = {
    short: number
    for number, name in enumerate(_MONTH_NAMES, 1)
    for short in (name.lower(), name[:3].lower(), *(("sept",) if name == "September" else ()))
}
_WEEKDAYS = {
    short: number
    for number, name in enumerate(_WEEKDAY_NAMES)
    for short in (name.lower(), name[:3].lower(), *{1: ("tues",), 2: ("weds",), 3: ("thur", "thurs")}.get(number, ()))
}
_SEASONS = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}
_BELOW_TEN = "one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_COUPLE = ("a couple of", "couple of", "a couple")
_NUMBERS = {
    **{word: number for number, word in enumerate(f"{_BELOW_TEN} {_TEENS}".split(), 1)},
    **{ten: 10 * tens for tens, ten in enumerate(_TENS, 2)},
    **{f"{ten}-{one}": 10 * n + m for n, ten in enumerate(_TENS, 2) for m, one in enumerate(_BELOW_TEN.split(), 1)},
    "a": 1,
    "an": 1,
    **dict.fromkeys(_COUPLE, 2),
}

# A number, a time or a year stands alone: neither the end of "1,000", "2-3" or "10:30", nor the beginning of "1990s".
_ALONE = r"(?<![\w:/-])(?<!\d[.,])"
_NUMBER = f"(?:{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}|\\d{{1,3}})"
_MONTH = f"(?:{'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_FULL_MONTH = f"(?:{'|'.join(name.lower() for name in _MONTH_NAMES)})"
_WEEKDAY = f"(?:{'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))})"
_SEASON = f"(?:{'|'.join(_SEASONS)})"
_UNIT = "(?:day|weekend|week|month|year)"
_ABOUT = (
    "(?:about |around |almost |just over |just under |over |roughly |nearly |some |like |maybe |(?:more|less) than )?"
)
# "in June 5 people came": what a number counts is not a day, and no year.
_COUNTS = (
    r"(?!(?: )?(?:%|°|people|persons|guests|friends|kids|children|times|words|pages|points|seconds?|minutes?|hours?"
    r"|days?|weeks?|months?|years?|miles?|steps|metres|meters|km|kilomet|k?m\b|cm\b|mm\b|kg\b|percent|degrees"
    r"|dollars|euros"
    r"|pounds|bucks|more\b|of (?:us|them|the|my|our)))"
)
_YEAR = rf"(?:1[89]|20|21)\d\d\b(?![-.,/:]\d){_COUNTS}"


@dataclass(frozen=True, slots=True)
class Told:
    """A time that a text tells. `start` and `end` are where its words stand, in characters."""

    start: int
    end: int
    first: datetime
    """The half-open interval that is meant, [first, last), in the zone of the time at which it was said."""
    last: datetime
    precision: str
    """minute, day, weekend, week, month, season, year or about. Of "3 to 5 May" it is that of its ends."""
    phrase: str
    """The same time in words that need no other: "7 May 2023", "the week before 9 June 2023", "2022"."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """A length of time that a text tells: "for three years", "since 2016"."""

    start: int
    end: int
    phrase: str
    since: datetime | None
    """When it began, as far as that can be told."""


def told(text: str, said_at: datetime) -> tuple[Told, ...]:
    """The times that a text tells, in reading order; `said_at` (aware) is when it was said.

    Where two ways of reading overlap, the one that begins first counts, of those the longest. A date without a year and
    a weekday are the latest ones, or the next ones where the sentence speaks of what is to come ("I'll", "is on").
    """
    folded = _folded(text)
    if not _TIMELY.search(folded):
        return ()
    sentences = _Sentences(folded, said_at)
    today = said_at.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[Told] = []
    for one in sorted(_all(sentences, today), key=lambda one: (one.start, -one.end)):
        if not found or one.start >= found[-1].end:
            found.append(one)
    clocked: list[Told] = []
    for one in _with_related(folded, found):
        at = _with_clock(one, folded)
        clocked.append(one if clocked and at.start < clocked[-1].end else at)  # the hour was the one's before
    return tuple(clocked)


def lasting(text: str, said_at: datetime) -> tuple[Lasting, ...]:
    """The lengths of time that a text tells, in reading order."""
    found: list[Lasting] = []
    folded = _folded(text)
    for match in _FOR.finditer(folded):
        found.append(Lasting(*match.span("much"), " ".join(match["much"].split()), _since(match, said_at)))
    for match in _SINCE.finditer(folded):
        begun = _on(said_at.replace(hour=0, minute=0, second=0, microsecond=0), int(match[1]), 1, 1)
        if begun is not None and begun <= said_at:
            found.append(Lasting(*match.span(), f"since {match[1]}", begun))
    return tuple(sorted(found, key=lambda one: one.start))


def recurring(text: str) -> tuple[tuple[int, int], ...]:
    """Where a text tells when something happens again and again ("every Tuesday at 6"), in characters, in order."""
    return tuple(match.span() for match in _AGAIN.finditer(_folded(text)))


def day_words(moment: datetime) -> str:
    """A day as an answer gives it: "7 May 2023"."""
    return f"{moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year}"


# -- the text

_BLANKS = (
    "\t\r\x0b\x0c\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_PLAIN = str.maketrans(dict.fromkeys(_BLANKS, " ") | {"’": "'", "\u2028": "\n", "\u2029": "\n"})


def lowered(text: str) -> str:
    """In lower case; each character stays where it is."""
    low = text.lower()
    if len(low) != len(text):  # the lower case of "İ" is two characters
        low = "".join(one if len(one := letter.lower()) == 1 else letter for letter in text)
    return low


def _folded(text: str) -> str:
    """In lower case, with plain blanks and apostrophes; each character stays where it is."""
    return lowered(text).translate(_PLAIN)


def _words(pattern: str) -> re.Pattern[str]:
    """A pattern in which a blank stands for the end of a line, and for a few of them, too."""
    return re.compile(pattern.replace(" ", "[ \n]{1,3}"))


_WENT = """was were wasn't weren't had hadn't did didn't been went gone got came saw seen met made took taken
    found bought felt told said gave left began started won lost ran wrote spent brought thought kept held heard
    knew sold sat stood fell flew drove ate slept sent built caught taught chose broke spoke woke wore grew drew
    threw swam sang rode rose stole paid led fought forgot understood became done ago haven't hasn't never"""
_NOT_PAST = """need feed seed speed indeed hundred bed shed weed greed breed excited interested tired worried scared
    thrilled supposed married bored relaxed prepared naked sacred detailed limited advanced related required needed
    complicated dedicated talented experienced recommended certified stressed overwhelmed concerned confused involved"""
_NO_PLANS = """amazing interesting boring something nothing feeling wondering struggling loving enjoying looking
    being"""
_NOUNS = """wedding meeting painting building opening training reading recording drawing clothing evening morning
    hearing gathering ending beginning writing thing spring ring king string housewarming"""
_NO_PLAN = rf"(?:{'|'.join(_NO_PLANS.split())})\b"
_NO_DEED = rf"(?:{'|'.join((_NO_PLANS + ' ' + _NOUNS).split())})\b"
# Words by which a sentence says whether it looks back or ahead. "is", "leaves" do so only right before a time.
_SIGNALS = _words(
    r"(?P<stop>[.!?;](?=\s|$)|\n)"
    # "was thinking of", "to be released": what was thought of is still to come.
    r"|\b(?P<ahead>(?:was|were|been) (?:thinking|planning|considering|hoping|aiming|going to)"
    r"|(?<!used\s)to be(?: \w+ed)?"
    r"|will|won't|shall|going to|gonna|plan(?:s|ning)?|hop(?:e|ing) to|can't wait|upcoming|see you|let's|idea of|wanna"
    r"|(?:want|need|wish|intend|aim|aims|aiming|like|love|ha(?:ve|s)) to(?! say| admit)|looking forward"
    r"|thinking (?:of|about)"
    r"|considering|(?:prepare|preparing|ready|invited|invitation|options|reservations?|tickets?|bookings?) (?:for|to)"
    rf"|(?:am|are|is|be) (?!{_NO_PLAN})\w+ing|deadline|due"
    r"|(?:scheduled|booked|planned|set|expected|reserved|arranged|postponed|moved|extended|rescheduled|pushed|delayed)"
    # not "moved to Rome"
    rf"(?: back)?(?= (?:for|until|till|through)\b| to (?:on )?(?:the )?(?:\d|{_MONTH}\b|{_WEEKDAY}\b|next|tomorrow)))\b"
    rf"|'ll\b|'(?:(?:m|re) (?!{_NO_PLAN})|s (?!{_NO_DEED}))\w+ing\b"
    r"|(?:'ve|\bhave|\bhas) got\b(?P<got>)|\b(?:is|are|be|being|gets?|to) (?!scheduled|booked|planned|due|set"
    r"|expected|reserved)"
    rf"(?:\w+ed|{'|'.join(_WENT.split())})\b(?P<still>)"
    rf"|\b(?P<back>{'|'.join(_WENT.split())}|(?:have|has|'ve) (?:read|put|cut|set|hit|come|run)"
    rf"|(?!(?:{'|'.join(_NOT_PAST.split())})\b)[a-z]{{2,20}}ed)\b"
    r"|(?P<now>\b(?:is|are|am|starts?|begins?|opens?|leaves?|ends?|comes|arrives?|departs?|lands?"
    r"|flies|closes|expires|have|has|takes? place)\b|'(?:s|m|re)\b)"
    r"|\b(?P<ever>first|last|best|worst|most|only|ever|per)\b"
    r"|(?P<turn>[,;:—–()]|\b(?:and|but|so|because|since|which|that|when|while|as|if|although) (?=(?:i|we|he|she"
    r"|they|it|you)\b))"
)
_NEAR = 80
"""Characters within which a word has a say in when a time is."""

_TURN = 40
"""A word of another clause has less of a say, as if it stood so much farther off."""

_DIRECT = 12
"""Between "due" or "will be" and its time are no more characters than " on the "."""

_Lean = Literal["ahead", "back", "now", "ever", "stop", "turn", "still"]


class _Sentences:
    """A folded text, and which way each of its sentences looks."""

    def __init__(self, text: str, said_at: datetime) -> None:
        self.text = text
        self.said_at = said_at

    @cached_property
    def _signals(self) -> tuple[list[int], list[int], list[_Lean]]:
        starts: list[int] = []
        ends: list[int] = []
        kinds: list[_Lean] = []
        for match in _SIGNALS.finditer(self.text):
            starts.append(match.start())
            ends.append(match.end())
            groups = match.groupdict()
            kind: _Lean = "ahead"
            for name in ("stop", "back", "now", "ever", "turn", "still"):
                if groups[name] is not None:
                    kind = name
            kinds.append(kind)
        return starts, ends, kinds

    def around(self, match: re.Match[str]) -> Iterator[tuple[int, _Lean]]:
        """The signals of a time's sentence, with how far each is from it."""
        starts, ends, kinds = self._signals
        first, after = bisect_right(ends, match.start()) - 1, bisect_left(starts, match.end())
        for places, way in ((range(first, -1, -1), -1), (range(after, len(starts)), 1)):
            turns = 0
            for place in places:
                far = match.start() - ends[place] if way < 0 else starts[place] - match.end()
                if kinds[place] == "stop" or far > _NEAR:
                    break
                turns += kinds[place] == "turn"
                if kinds[place] not in ("turn", "still"):
                    yield far + _TURN * turns, kinds[place]

    def lean(self, match: re.Match[str]) -> Literal["ahead", "back"] | None:
        """Which way the words nearest to a time look, if any do."""
        near = [(far, kind) for far, kind in self.around(match) if kind in ("ahead", "back")]
        return "ahead" if near and min(near)[1] == "ahead" else "back" if near else None

    def led(self, at: int) -> Literal["ahead", "back"] | None:
        """Which way the nearest word before a place looks, in its own clause."""
        _, ends, kinds = self._signals
        for place in range(bisect_right(ends, at) - 1, -1, -1):
            if at - ends[place] > _NEAR or kinds[place] in ("stop", "turn"):
                return None
            if kinds[place] in ("ahead", "back"):
                return "ahead" if kinds[place] == "ahead" else "back"
        return None

    def leads(self, match: re.Match[str]) -> bool:
        """Whether a time is what the sentence is about: "the exam is on Monday"."""
        _, ends, kinds = self._signals
        place = bisect_right(ends, match.start()) - 1
        return place >= 0 and kinds[place] == "now" and match.start() - ends[place] <= 2

    def is_direct(self, match: re.Match[str]) -> bool:
        """Whether a time is the one of a word that looks ahead: "will be on 5 May", "scheduled for Monday"."""
        _, ends, kinds = self._signals
        place = bisect_right(ends, match.start()) - 1
        return place >= 0 and kinds[place] == "ahead" and match.start() - ends[place] <= _DIRECT

    def is_ahead(self, match: re.Match[str]) -> bool:
        return self.leads(match) or self.lean(match) == "ahead"


# -- the ways of telling a time

_ISO = re.compile(rf"{_ALONE}((?:1[5-9]|20|21)\d\d)-(\d\d)(?:-(\d\d))?(?![\d-])")
_DAY_MONTH = _words(rf"{_ALONE}(\d{{1,2}})(st|nd|rd|th)?(?: (of))? ({_MONTH})\b\.?(?:,? ({_YEAR}))?")
_MONTH_DAY = _words(rf"\b({_MONTH})\.?( the)? (\d{{1,2}})(st|nd|rd|th)?\b(?![:\d]){_COUNTS}(?:,? ({_YEAR}))?")
_MONTH_YEAR = _words(rf"\b({_MONTH})\.?,?(?: of)? ({_YEAR})")
_MONTH_OF_YEAR = _words(
    rf"\b(?:(?:in|since|during|by|until|till|before|for|from) )?({_FULL_MONTH}) of (this|last|next) year\b"
)
_IN_MONTH = _words(
    r"\b(?:(this coming|this past|this|last|next|coming|past) |(in|since|during|throughout|by|until|till|before"
    r"|for|starting"
    r"|from|through|around|(?:the )?(?:beginning|start|middle|end) of|early|late|mid)"
    rf"(?: in| early| mid| late| the| (?:the )?(?:beginning|start|middle|end) of)?(?: |-))({_FULL_MONTH})\b"
    r"(?! \d| of \d|'s|-)"
)
_IN_YEAR = _words(
    r"\b(?:(?:in|during|since|back in|of|by|from|until|before)(?: early| late| mid| about| around| the year)?"
    r"|early|late|mid"
    rf"|the (?:end|beginning|start|middle) of)(?: |-)({_YEAR})"
)
_SHORT_YEAR = _words(
    r"\b(?:in|since|of|by|from|until|before|back in|summer|spring|fall|autumn|winter) '(\d\d)\b(?![-.,/:]\d|s\b)"
)
_DASH = "(?:(?: )?[-–—](?: )?| to | through | until | till )"
_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_DAYS_OF_MONTH = _words(
    rf"\b(?:(?P<between>between) )?(?P<month>{_MONTH})\.? (?:the )?(?P<one>\d{{1,2}})(?:st|nd|rd"
    rf"|th)?(?:(?P<and> and )|{_DASH})"
    rf"(?:the )?(?P<other>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:\d]|[-/.]\d|(?: )?[ap]\.?m\b"
    rf"|(?: of)? {_MONTH}\b){_COUNTS}(?:,? (?P<year>{_YEAR}))?"
)
_MONTH_OF_DAYS = _words(
    rf"{_ALONE}(?:(?P<between>between) (?:the )?)?(?P<one>\d{{1,2}})(?:st|nd|rd|th)?(?:(?P<and> and )|{_DASH})(?:the )?"
    rf"(?P<other>\d{{1,2}})(?P<nth>st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b\.?(?:,? (?P<year>{_YEAR}))?"
)
_DAYS_LONG = _words(
    rf"\b(?:(?P<between>between)|from) (?P<one_month>{_MONTH})\.? (?:the )?(?P<one>\d{{1,2}})(?:st|nd|rd|th)?"
    rf"(?:(?P<and> and )|{_DASH})(?P<other_month>{_MONTH})\.? (?:the )?(?P<other>\d{{1,2}})(?:st|nd|rd|th)?\b"
    rf"(?![:\d]|[-/.]\d){_COUNTS}(?:,? (?P<year>{_YEAR}))?"
)
_MONTHS_LONG = _words(
    rf"\b(?P<how>between |from |in |during |for )?(?P<one>{_FULL_MONTH})(?:(?P<and> and )"
    rf"|{_DASH})(?P<other>{_FULL_MONTH})\b"
    rf"(?! \d{{1,2}}\b)(?:(?: of)?,? (?P<year>{_YEAR}))?"
)
_YEARS_LONG = _words(
    rf"\b(?:between|from|in|during) (?P<one>(?:1[89]|20)\d\d)(?: and |{_DASH})(?P<other>(?:1[89]"
    rf"|20)\d\d)\b(?![-.,/:]\d){_COUNTS}"
)
_DECADE = _words(
    r"\b(?:in|since|from|of|during|until|early|mid|late)(?: the)?(?: early| mid| late)?(?: |-)(?:(1[89]|20)"
    r"|')?([0-9]0)'?s\b(?! degree| fahr)"
)
_DECADE_NAMES = {"fifties": 1950, "sixties": 1960, "seventies": 1970, "eighties": 1980, "nineties": 1990}
_DECADE_IN_WORDS = _words(
    rf"\b(?:in|since|from|of|during|until) the (?:(?:early|mid|late)(?: |-))?({'|'.join(_DECADE_NAMES)})\b"
)
_NUMERIC = _words(
    rf"{_ALONE}(?:(?P<y>(?:19|20)\d\d)/(?P<ym>\d{{1,2}})/(?P<yd>\d{{1,2}})"
    rf"|(?P<a>\d{{1,2}})(?P<by>[/.-])(?P<b>\d{{1,2}})(?P=by)"
    r"(?P<year>(?:19|20)\d\d|\d\d))(?![\w/-]|[.,]\d)"
)
_SHORT = _words(r"\b(?:on|by|since|until|till|before|due|from)(?: the)? (\d{1,2})/(\d{1,2})\b(?![/\d]|[-.,]\d| of\b)")
_THE_NTH = _words(
    r"\b(on|by|until|till|since|before|due) (?:on )?the (\d{1,2})(?:st|nd|rd|th)\b"
    r"(?=$|[.,;!?)](?: |$|\n)| (?:and|at|for|with|so|but|i|we|he|she|they|it|to|after|before|when|in|because"
    r"|since|this|as|or|by|is|was)\b)"
)
_NTH_OF_THIS = _words(r"\b(?:the )?(\d{1,2})(?:st|nd|rd|th),?(?: of)? (this|last|next) month\b")
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}
_PART_OF_MONTH = _words(
    rf"\b(?:the )?({'|'.join(_ORDINALS)}) (week|weekend|{_WEEKDAY}) (?:of|in) (?:(this|last|next) month"
    rf"|({_FULL_MONTH}))\b"
    rf"(?! \d{{1,2}}\b)(?:,? ({_YEAR}))?"
)
_AROUND_DAY = _words(
    rf"\b(?:the )?(week|weekend) of (?:the )?(?:({_MONTH})\.? (?:the )?(\d{{1,2}})|(\d{{1,2}})(?:st|nd|rd"
    rf"|th)? (?:of )?({_MONTH}))"
    rf"(?:st|nd|rd|th)?\b(?:,? ({_YEAR}))?"
)
_THIS_END = _words(
    r"\b(?:at |by |before |until |till |around |towards? )?the (?:very )?(?:end|beginning|start"
    r"|middle) of (?:the|this|next|last) (week|month|year)\b"
)
_QUARTER_NAMES = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_QUARTER = _words(
    rf"(?:\b(?P<rel>this|last|next) quarter\b|\b(?:(?P<prep>in|by|for|during|of|until|since) )?(?:q(?P<q>[1-4])\b"
    rf"|the (?P<name>{'|'.join(_QUARTER_NAMES)}) quarter\b)(?:(?: of)?,? (?P<year>{_YEAR}))?)"
)
_DAYS = _words(
    r"\b((?:the )?day before yesterday|(?:the )?day after tomorrow|(?:the )?(?:night|evening) before last|yesterday"
    r"|last (?:night|evening)|tomorrow|tonight|today|this (?:morning|afternoon|evening)|earlier today|just now)\b"
)
_RELATIVE = _words(
    rf"\b(the )?(this past|this coming|last|past|previous|next|coming|this) ({_UNIT})\b(?! and a half| of (?!{_MONTH}))"
)
_SECOND = _words(rf"\b(?:the )?({_UNIT}) (before last|after next)\b")
_OVER = _words(r"\b(over|on|during|for|until|till|by|before|to) the weekend\b(?!'| of\b)")
_STRETCH = _words(
    r"\b(?P<how>(?:for|over|in|during|within|throughout|from) )?(?P<the>the |this |these )?(?P<way>last|past"
    r"|next|coming|previous)"
    rf" (?:(?P<n>{_NUMBER}) )?(?P<unit>day|week|weekend|month|year|decade)(?P<many>s)?\b(?! (?:and a half"
    rf"|or (?:so|two))\b| of\b|-|'|,? on {_WEEKDAY})"
)
_ON_DAY = _words(
    r"\b(this past|this coming|last|past|previous|next|coming|this|on|by|until|till|since|before|for|due)(?: on)?"
    rf" ({_WEEKDAY})\b(?! (?:nights|mornings|afternoons|evenings|of|before last)\b)"
)
_DAY_OF_WEEK = _words(
    rf"\b(?:(?:on )?({_WEEKDAY})(?: morning| afternoon| evening| night)?,?(?: of)? (this|last|next)(?: past"
    rf"| coming)? week|(this|last|next) week,? on ({_WEEKDAY}))\b"
)
_MY_MONTH = _words(rf"\b(?:my|our|his|her|their|your) (?!march|may)({_FULL_MONTH})\b(?= [a-z])")
_DAYS_AGO = _words(rf"{_ALONE}({_NUMBER}) ({_WEEKDAY})s (ago|from now)\b|\b(?:on )?(?:the )?({_WEEKDAY}) before last\b")
_WEEKS_FROM = _words(
    rf"{_ALONE}({_NUMBER}) weeks? from (?:this |next )?({_WEEKDAY})\b(?!s| (?:to|until|till|through|morning to)\b|-)"
)
_PART_DAY = _words(
    rf"\b(?P<before>\w+ )?(?P<day>{'|'.join(name.lower() for name in _WEEKDAY_NAMES)})\b(?=,? (?:morning"
    rf"|afternoon|evening|night|at \d{{1,2}})\b)"
)
_HOLIDAY_NAMES = (
    "christmas eve|christmas day|christmas|xmas|boxing day|new year's eve|new years eve|new year's day"
    "|new years day|new year's"
    "|valentine's day|valentines day|valentine's|st\\.? patrick's day|easter sunday|easter monday|easter|good friday"
    "|mother's day|father's day|memorial day|independence day|labor day|halloween|veterans day|thanksgiving day"
    "|thanksgiving|black friday|juneteenth"
)
_HOLIDAY = _words(
    r"\b(?:(?P<how>this past|this coming|last|past|next|coming|this|on|at|by|before|until|till|since|after|for"
    r"|around|over|during) )?"
    rf"(?P<name>{_HOLIDAY_NAMES})(?!\w|'s\b)(?:(?: of|,)? (?P<year>{_YEAR}))?"
)
_SEASONAL = _words(
    rf"\b(?:(this past|this coming|last|this|next|coming|the coming|in the|over the|during the|the) )?({_SEASON})\b"
    rf"(?:(?: of)? ({_YEAR}))?"
)
_AGO = _words(
    rf"{_ALONE}(?P<about>{_ABOUT})(?:(?P<n>{_NUMBER})(?P<half> and a half)?"
    rf" (?P<unit>{_UNIT}|decade)s?(?P<half_more> and a half)?(?P<so> or so)?|half an? (?P<of>year)"
    rf"|(?P<vague>a few|several|some|many) (?P<units>{_UNIT}|decade)s?) (?:ago|back)\b"
    rf"(?: (?P<day>today|yesterday|tomorrow)\b| (?:last|this|next) {_UNIT}\b)?"  # "two years ago this week"
)
_FORTNIGHT = _words(
    rf"{_ALONE}(?:({_NUMBER}) )fortnights? (ago|from now|from today)\b|\bin (a) fortnight(?:'s time)?\b"
)
_HOURS_AGO = _words(rf"{_ALONE}(?:{_ABOUT})(half an|a few|several|a couple of|{_NUMBER}) (minute|hour)s? ago\b")
_AHEAD = _words(
    rf"{_ALONE}(?P<about>{_ABOUT})(?P<n>{_NUMBER}) (?P<unit>day|week|month|year)s?"
    r" from (?P<day>now|today|yesterday|tomorrow)\b"
)
_IN_TIME = _words(
    rf"\bin (?P<about>{_ABOUT})(?P<n>{_NUMBER}) (?P<unit>day|week|month|year)(?:s|'s time|s' time)?\b(?! ago)"
)
_HOW_LONG = (
    rf"(?P<much>(?:(?P<n>{_NUMBER})(?P<half> and a half)?|a few|several|many) (?P<unit>minute|hour|day|week|month|year"
    r"|decade)s?(?P<half_more> and a half)?|half an? (?P<of>hour|year))"
)
_FOR = _words(
    r"\b(?:(?:for|spent|took|takes|been|been \w{2,20}|last(?:s|ed)?)(?: me| us| them| her| him)?"
    r"|(?:have|has|'ve|'s) had (?:it|this|him|her|them))(?: the (?:last|past))?"
    r"(?: about| around| almost| over| nearly| like| more than| less than| at least| roughly)?"
    rf" {_HOW_LONG}\b(?! (?:ago|old|off)\b)"
)
_SINCE = _words(rf"\bsince (?:about |around )?({_YEAR})")

_TIMELY = re.compile(
    r"\d|day|night|week|month|year|ago\b|morning|afternoon|evening|decade|winter|spring|summer|fall|autumn|quarter"
    rf"|(?:fif|six|seven|eigh|nine)ties|tomorrow|\b(?:{_MONTH}|{_WEEKDAY}|just[ \n]+now|back)\b|christmas|xmas"
    rf"|easter|halloween|thanksgiving"
    rf"|juneteenth|valentine|\bhours?\b|\bminutes?\b"
)
"""What has none of these tells no time."""

_Read = tuple[datetime, datetime, str, str] | None


_BESIDE_WORDS = frozenset(("before", "after"))


def _all(sentences: _Sentences, today: datetime) -> Iterator[Told]:
    for pattern, reading in _READINGS:
        for match in pattern.finditer(sentences.text):
            try:
                one = reading(match, today, sentences)
            except (ValueError, OverflowError):  # 31 June; 3000 years ago
                continue
            if one is not None:
                first, last, precision, phrase = one
                start, end = match.span()
                if reading is _part_day:
                    start = match.start("day")
                elif reading is _my_month:
                    start = match.start(1)
                elif reading in (_holiday, _on_day) and match[1] in _BESIDE_WORDS:
                    start = match.start(2)  # "two days before Friday" tells another day
                yield Told(start, end - match[0].endswith("."), first, last, precision, phrase)


def _iso(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    year, month, day = int(match[1]), int(match[2]), match[3]
    return _day(today.replace(year=year, month=month, day=int(day))) if day else _month(today, year, month)


def _day_month(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    day, ordinal, of, month, year = match.groups()
    if not (ordinal or of or year or _is_month(match, month, match.end(4))):
        return None
    return _dated(match, today, sentences, year, _MONTHS[month], int(day))


def _month_day(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    month, the, day, ordinal, year = match.groups()
    if the and not ordinal:
        return None  # "may the 3 of us come?"
    if not (ordinal or year or _is_month(match, month, match.end())):
        return None
    return _dated(match, today, sentences, year, _MONTHS[month], int(day))


_VERBS = frozenset(("may", "march", "mar"))
_BEFORE_DATE = _words(
    r"(?:\b(?:on|by|since|until|till|from|before|after|of|about|around|dated|for|the|due|between|through"
    r"|starting|and|my|our"
    r"|his|her|their|this|last|next|week of)|'s)(?: the)? $"
)
_NO_VERB_AFTER = _words(
    r"$|(?: )?[^\w\s']| (?:\d|i|i'\w+|we|we'\w+|he|she|they|you|my|our|at|in|with|when|was|is|as|after|before|until"
    r"|last|this|next|and|or|to|for|from|by|on|through|until|of)\b"
)
_VERB_AFTER = _words(
    r" (?:be|not|have|also|well|still|never|only|seem|need|want|become|look|cause|make|get|go|come|take|enter|help|mean"
    r"|through|into|past|down|along|against|off|together|in line)\b"
)


def _is_month(match: re.Match[str], word: str, end: int) -> bool:
    """Whether "may" and "march" beside a number are months: "on 8 May", not "8 may enter" or "march 5 miles"."""
    if word not in _VERBS:
        return True
    if _VERB_AFTER.match(match.string, end):
        return False
    before = match.string[max(0, match.start() - 20) : match.start()]
    return _BEFORE_DATE.search(before) is not None or _NO_VERB_AFTER.match(match.string, end) is not None


_UNTIL = _words(r"\b(?:by|until|till|before|for|due|deadline|deadline is|starting|ends?|from)(?: on)?(?: the)? $")
_WILL = _words(r"(?:\b(?:will|going to)|'ll)(?: be)?(?: on)?(?: the)? $")
_IS_ON = re.compile(r"(?:\bis|\bare|'s) (?:going to be )?on (?:the )?$")
_SINCE_DATE = _words(r"\bsince(?: the)? $")
_DEADLINE = _words(r" (?:deadline|due date|cutoff|launch|release)\b")
_BORN = _words(r"\b(?:born|died|married|birthday|founded) (?:\w+ ){0,3}$")
_AGES = timedelta(days=200)
_SEASON_AGO = timedelta(days=100)
_LATELY = timedelta(days=60)
_JUST = timedelta(days=30)
_SOON = timedelta(days=21)


def _dated(
    match: re.Match[str], today: datetime, sentences: _Sentences, year: str | None, month: int, day: int
) -> _Read:
    if year:
        return _day(today.replace(year=int(year), month=month, day=day))
    # 29 February is there every fourth year, and once only every eighth.
    ahead = next((d for add in range(9) if (d := _on(today, today.year + add, month, day)) and d >= today), None)
    back = next((d for less in range(9) if (d := _on(today, today.year - less, month, day)) and d <= today), None)
    if ahead is None or back is None:
        return None if ahead is back else _day(ahead or back or today)
    return _day(ahead if _is_next(match, sentences, ahead - today, today - back) else back)


def _is_next(match: re.Match[str], sentences: _Sentences, ahead: timedelta, back: timedelta) -> bool:
    """Whether a date without a year is the next one, `ahead` from now, or the latest one, `back` from now.

    Nobody leaves the year out of a date that is as far as "12 June 2024", said on 14 June 2023: a sentence may look
    ahead and yet tell when something was.
    """
    before = match.string[max(0, match.start() - 40) : match.start()]
    if _SINCE_DATE.search(before):
        return False
    if _IS_ON.search(before):
        return True  # "the wedding is on 19 September"
    if sentences.leads(match) and not before.endswith("'s "):
        return True  # not "the teacher's July 8 feedback"
    if sentences.is_direct(match):
        return back > _JUST or _WILL.search(before) is not None  # a deadline may be over
    lean = sentences.lean(match)
    if lean == "ahead":
        return ahead < _AGES or back > _SEASON_AGO
    is_due = _UNTIL.search(before) is not None or _DEADLINE.match(match.string, match.end()) is not None
    if lean == "back":
        return ahead <= (timedelta(days=120) if is_due else _SOON) and back > _LATELY and not _BORN.search(before)
    return ahead <= timedelta(days=183 if is_due else 120)


def _month_year(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    return _month(today, int(match[2]), _MONTHS[match[1]])


def _month_of_year(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    """ "in June of last year"."""
    return _month(today, today.year + {"this": 0, "last": -1, "next": 1}[match[2]], _MONTHS[match[1]])


_PLAIN_BEFORE = frozenset(("for", "from", "by", "before", "until", "till", "through", "around", "starting"))
_NAMES = frozenset(("april", "june"))


def _in_month(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    which, since, name = match.groups()
    which = " ".join(which.split()) if which else which
    if name in _NAMES and since in ("for", "from") and match[0].count(" ") == 1:
        return None  # "a gift for June"
    if since in ("before", "through", "around") and sentences.lean(match) is None:
        return None  # "January comes before February"
    if name in _VERBS and since in _PLAIN_BEFORE and not _NO_VERB_AFTER.match(match.string, match.end()):
        return None  # "what it is for may differ"
    if name in _VERBS:
        if _VERB_AFTER.match(match.string, match.end()):
            return None  # "early may be better", "this march through the town"
        if which and not _NO_VERB_AFTER.match(match.string, match.end()):
            return None  # "what comes next may surprise you"
    month, year = _MONTHS[name], today.year
    if which in ("last", "past", "this past"):
        year -= month >= today.month
    elif which in ("next", "coming", "this coming"):
        year += month <= today.month
    elif which != "this":
        year = _year_of(match, today, sentences, month)
    return _month(today, year, month)


def _my_month(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "my February budget"."""
    month = _MONTHS[match[1]]
    return _month(today, _year_of(match, today, sentences, month), month)


def _year_of(match: re.Match[str], today: datetime, sentences: _Sentences, month: int) -> int:
    """The year of a month that is told without one."""
    ahead, back = (month - today.month) % 12, (today.month - month) % 12
    if sentences.leads(match) or sentences.is_direct(match):
        is_next = True
    elif match[0].startswith("since"):
        is_next = False
    else:
        lean = sentences.lean(match)
        is_due = match[0].startswith(("by ", "until ", "till ", "before ", "for ", "starting"))
        if lean == "ahead":
            only = match[0].startswith("in ") and all(kind != "back" for _, kind in sentences.around(match))
            is_next = ahead < 9 or back > 3 or only
        elif lean == "back":
            is_next = is_due and 0 < ahead <= 5
        else:
            is_next = ahead <= (9 if is_due else 5)
    return today.year + (month < today.month) if is_next else today.year - (month > today.month)


def _in_year(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    return _year(today, int(match[1]))


def _short_year(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    """ "in '09": of this century where that is not far ahead."""
    year = today.year // 100 * 100 + int(match[1])
    return _year(today, year if year <= today.year + 1 else year - 100)


_DAY_OFFSETS = {
    "day before yesterday": -2,
    "night before last": -2,
    "evening before last": -2,
    "yesterday": -1,
    "last night": -1,
    "last evening": -1,
    "tomorrow": 1,
    "day after tomorrow": 2,
}


_AS_IF = _words(r"\b(?:like|as if|as though)(?: it| that)?(?: was| were)?(?: just| only)? $")


def _near_day(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    words = " ".join(match[0].split()).removeprefix("the ")
    if (
        words == "today"
        and match.string.startswith("'s", match.end())
        and match.string[: match.start()].endswith("in ")
    ):
        return None  # "in today's world"
    if words == "yesterday" and _AS_IF.search(match.string, max(0, match.start() - 24), match.start()):
        return None  # "it feels like yesterday"
    return _day(today + timedelta(days=_DAY_OFFSETS.get(words, 0)))


_OUTING = _words(r" (?:trips?|getaways?|retreats?|warrior|project)\b")
_FOR_LONG = _words(r"\b(?:for|over|in|during|within|throughout) $")


def _stretch(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "over the past year", "in the next two weeks": the time up to now, or from now on."""
    the, way, number, unit = match["the"], match["way"], match["n"], match["unit"]
    if unit == "weekend" or (number and _count(number) == 0) or (number is None and match["many"]):
        return None
    if number in ("a", "an") or (number and not match["many"] and _count(number) > 1):
        return None
    is_past = way in ("past", "last", "previous")
    if number is None:
        if way == "past" and the and unit in ("month", "year", "decade"):
            pass  # "the past year"
        elif not (match["how"] and the == "the " and way in ("past", "last", "next", "coming")) or unit == "day":
            return None
        if match["how"].strip() in ("in", "from") and way == "last" if match["how"] else False:
            return None  # "in the last week" of something
    elif the is None and not match["how"]:
        return None
    count = _count(number) if number else 1
    if unit in ("day", "week"):
        far = timedelta(days=count * (7 if unit == "week" else 1))
        first, last = (today - far, today) if is_past else (today, today + far)
    else:
        months = count * _MONTHS_OF[unit] * (-1 if is_past else 1)
        end = _last_on(today, *_months_on(today, months), today.day)
        first, last = (end, today) if is_past else (today, end)
    much = f"{_written(number)} {unit}{'s' * (count > 1)}" if number else unit
    words = f"the {much} up to {day_words(today)}" if is_past else f"the {much} from {day_words(today)} on"
    return first, last, "about", words


def _relative(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    the, which, unit = match[1], " ".join(match[2].split()), match[3]
    if unit == "day":
        return None  # "this day", "the past day"
    if unit == "weekend" and which == "this" and _OUTING.match(match.string, match.end()):
        return None  # this getaway
    if the and (which in ("next", "previous") or (which in ("last", "past") and unit in ("month", "year"))):
        return None  # "the past year" is a stretch of time, not last year; "the next week" is told from another one
    if which in ("past", "this past") and unit in ("month", "year"):
        return None
    if the and which in ("last", "past") and _FOR_LONG.search(match.string[max(0, match.start() - 12) : match.start()]):
        return None  # "for the past week"
    step = {"next": 1, "coming": 1, "this coming": 1, "this": 0}.get(which, -1)
    if unit == "weekend" and which in ("coming", "this coming"):
        step = int(today.weekday() > 4)
    if unit == "weekend" and which == "this" and today.weekday() < 3 and sentences.lean(match) == "back":
        step = -1  # "I went hiking this weekend", said on Monday; on Thursday it is nearer than the last one
    return _unit(today, unit, step)


def _second(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    return _unit(today, match[1], -2 if match[2].startswith("before") else 2) if match[1] != "day" else None


def _unit(today: datetime, unit: str, step: int) -> _Read:
    if unit == "year":
        return _year(today, today.year + step)
    if unit == "month":
        return _month(today, *_months_on(today, step))
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * step)
    words = {-2: "second {} before", -1: "{} before", 0: "{} of", 1: "{} after", 2: "second {} after"}
    phrase = f"the {words[step].format(unit)} {day_words(today)}"
    if unit == "weekend":
        saturday = monday + timedelta(days=5)
        return saturday, saturday + timedelta(days=2), unit, phrase
    return monday, monday + timedelta(days=7), unit, phrase


def _over(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    lean = sentences.lean(match)
    if match[1] in ("over", "on", "during"):
        return _unit(today, "weekend", 0 if lean == "ahead" else -1)
    if lean == "back" or not _NO_NOUN_AFTER.match(match.string, match.end()):
        return None  # "they came for the weekend" may be any; "for the weekend trip"
    return _unit(today, "weekend", 0)


_UNSURE = frozenset(("sat", "sun", "wed", "mon"))
_PART_OF_DAY = _words(
    r"\.?,? (?:morning|afternoon|evening|night|at (?:\d|noon|midnight|one|two|three|four|five|six|seven"
    r"|eight|nine|ten|eleven|twelve))\b|\.?,? at \d|\.?,? \d"
)
_NO_WORD = _words(
    r"$|[^\w\s'-]| (?:at|and|we|i|he|she|they|it|my|with|to|for|from|then|morning|afternoon|evening|night)\b"
)


_BARE = frozenset(("on", "by", "until", "till", "before", "for"))
_SOME_DAYS = (
    rf"(?:{_WEEKDAY}s(?:(?:,| and| or|, and) {_WEEKDAY}s)*|{_WEEKDAY} (?:mornings|afternoons|evenings|nights)"
    r"|weekdays|weekends)"
)
_EACH_OF = (
    rf"(?:{_WEEKDAY}(?: (?:morning|afternoon|evening|night))?|{_UNIT}|hour|morning|evening|night|weekday|quarter)"
)
_AGAIN = _words(
    rf"\b(?:(?:only )?(?:on )?{_SOME_DAYS}(?: only)?|(?:every|each) (?:other |second |third )?{_EACH_OF}"
    rf"|(?:(?:on )?the )?(?:{'|'.join(_ORDINALS)}) (?:{_WEEKDAY}|day) of (?:each|every|the) (?:week|month|quarter|year)"
    rf"|(?:once|twice|{_NUMBER} times) (?:a|an|every|each|per) {_UNIT}"
    r"|daily|nightly|weekly|fortnightly|monthly|quarterly|yearly|annually)"
    r"(?: at (?:noon|midnight|\d{1,2}(?:[:.]\d\d)?(?: ?[ap]\.?m\b)?))?\b"
)
_HABIT = _words(r"\b(?:usually|always|often|normally|generally|typically|every|each)\b[^.!?\n]*$")
_TO_DAY = _words(rf"(?:,| (?:and|to|through|or))(?: on)? {_WEEKDAY}\b| (?:night|dinner|night's|movie)\b")


def _on_day(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    which, name = " ".join(match[1].split()), match[2]
    text, end = match.string, match.end()
    if (
        name in _UNSURE
        and not _PART_OF_DAY.match(text, end)
        and (which != "on" or name == "sun" or not _NO_WORD.match(text, end))
    ):
        return None  # "he last sat here", "it depends on sun", "mon ami"
    if which in ("last", "next", "previous") and text[max(0, match.start() - 4) : match.start()] == "the ":
        return None  # "the last Friday of each month", "the next Friday" of a story
    if which in ("for", "by", "until", "till", "before") and _TO_DAY.match(text, end):
        return None  # "by Tuesday and Thursday of each week"
    if which in _BARE and _HABIT.search(text[max(0, match.start() - 60) : match.start()]):
        return None  # "I'm usually tired by Friday"
    wanted = _WEEKDAYS[name]
    ahead, back = (wanted - today.weekday()) % 7 or 7, (today.weekday() - wanted) % 7 or 7
    if which == "this":  # the one of this week, unless the sentence looks the other way
        days, lean = wanted - today.weekday(), "ahead" if sentences.leads(match) else sentences.lean(match)
        days += 7 if lean == "ahead" and days < 0 else -7 if lean == "back" and days > 0 else 0
    elif which in ("next", "coming", "this coming", "for", "due") or (which == "on" and sentences.is_ahead(match)):
        days = ahead
    elif which in ("by", "until", "till", "before"):
        lean = sentences.lean(match)
        if lean is None and not match.string[max(0, match.start() - 40) : match.start()].strip():
            return None
        days = -back if lean == "back" else ahead
    else:
        days = -back
    return _day(today + timedelta(days=days), weekday=True)


_SOMEBODY = _words(r"\b(?:i|you|he|she|it|we|they|who|to|did|do|does) $")
_FALLING = _words(
    r" (?:down|off|from|over|out|behind|apart|asleep|into|in|ill|sick|short|flat|through|on|onto|broke|hurt|was|is|has"
    r"|could|can|did|made|left|caused|killed|short|back|for|under|to)\b"
)


def _seasonal(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    which, name, told_year = match.groups()
    which = " ".join((which or "").split())
    begins, year = _SEASONS[name], today.year
    if told_year:
        return _season(today, name, int(told_year))
    if name == "fall" and (
        _FALLING.match(match.string, match.end())
        or _SOMEBODY.search(match.string[max(0, match.start() - 12) : match.start()])
        or match.string[max(0, match.start() - 4) : match.start()] == "the "
    ):
        return None  # "when did you last fall?"
    over = today.month >= begins + 3
    # Of a winter, January and February belong to the year before.
    running = year - (begins == 12 and today.month < 3)
    lean = sentences.lean(match)
    if which in ("last", "this past"):
        year = running if over else running - 1
        year = year if begins < 12 or today.month > 2 else running - 1
    elif which in ("next", "coming", "the coming", "this coming"):
        year += today.month >= begins
    elif which == "this":
        year = running + (over and lean == "ahead")
    elif which and lean == "ahead":
        year += today.month >= begins + 3
    else:
        return None  # "the summer" may be any
    return _season(today, name, year, turning=True)


def _season(today: datetime, name: str, year: int, *, turning: bool = False) -> _Read:
    """`turning`: whether the words tell both years of a winter."""
    first = today.replace(year=year, month=_SEASONS[name], day=1)
    last = today.replace(year=year + (name == "winter"), month=(first.month + 2) % 12 + 1, day=1)
    both = f"/{(year + 1) % 100:02}" if turning and name == "winter" else ""
    return first, last, "season", f"{name} {year}{both}"


def _ago(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    if match["vague"]:
        return _vaguely(" ".join(match["vague"].split()), match["units"], today)
    number, unit, half = _much(match)
    if (number == 0 and not half) or _is_part(match):
        return None
    if unit == "decade":
        return _around(_year(today, today.year - 10 * number - 5 * half), "around ")
    about = "around " if (match["about"] or "").strip() or match["so"] or half else ""
    if match["day"]:
        return _from(match["day"], today, -number, unit, about)
    if half:
        if unit == "year":
            return _around(_month(today, *_months_on(today, -(12 * number + 6))), about)
        if unit == "month":
            back = _on(today, *_months_on(today, -number), min(today.day, 28)) or today
            return _month_of(back - timedelta(days=15), about)
        words = " ".join(match[0].split()).removesuffix(" ago").removesuffix(" back")
        middle = today - timedelta(days=7 * number + 4 if unit == "week" else number)
        return middle - timedelta(days=3), middle + timedelta(days=4), "week", f"{words} before {day_words(today)}"
    if unit == "day":
        return _around(_day(today - timedelta(days=number)), about)
    if unit == "year":
        return _around(_year(today, today.year - number), about)
    if unit == "month":
        return _around(_unit(today, "month", -number), about)
    if number == 1:
        return _unit(today, unit, -1)
    words = f"{about}{_written(match['n'])} {unit}s before {day_words(today)}"
    if unit == "weekend":
        saturday = today + timedelta(days=5 - today.weekday() - 7 * number)
        return saturday, saturday + timedelta(days=2), unit, words
    middle = today - timedelta(days=7 * number)
    return middle - timedelta(days=3), middle + timedelta(days=4), unit, words


_VAGUE = {"a few": (5, 2), "several": (9, 3)}
"""How many units "a few" and "several" may be, the most first."""


def _vaguely(number: str, unit: str, today: datetime) -> _Read:
    """ "a few weeks ago": between two days; of "some" and "many" nothing is known but that they are over."""
    phrase = f"{number} {unit}s before {day_words(today)}"
    if number not in _VAGUE:
        return today, today, "about", phrase
    most, least = _VAGUE[number]
    if unit in ("day", "week", "weekend"):
        days = 1 if unit == "day" else 7
        return today - timedelta(days=most * days), today - timedelta(days=least * days - 1), "about", phrase
    months = _MONTHS_OF[unit]
    first, last = (_last_on(today, *_months_on(today, -many * months), today.day) for many in (most, least))
    return first, last, "about", phrase


_PART = _words(rf"\b(?:{_NUMBER}|hundred|thousand) (?:or|to|and) $")


def _is_part(match: re.Match[str]) -> bool:
    """Whether a number is the end of "two or three", "a hundred and five"."""
    return _PART.search(match.string[max(0, match.start() - 24) : match.start()]) is not None


def _from_now(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    number, unit = _count(match["n"]), match["unit"]
    if match["day"] != "now":
        return _from(match["day"], today, number, unit, "")
    return _later(match, today, number, unit)


def _in_time(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "in two weeks": after now, or how long it took? Only what looks ahead is a time."""
    near = sorted(sentences.around(match))
    if match["n"] in ("a", "an"):  # "there are seven days in a week"
        ahead = sentences.is_ahead(match)
    else:
        ahead = bool(near) and near[0][1] in ("ahead", "now")
    if not ahead or any(kind == "ever" for _, kind in near) or (near and near[0][1] == "back"):
        return None
    return _later(match, today, _count(match["n"]), match["unit"])


def _later(match: re.Match[str], today: datetime, number: int, unit: str) -> _Read:
    if number == 0 or _is_part(match):
        return None
    about = "around " if (match["about"] or "").strip() else ""
    if unit == "day":
        return _around(_day(today + timedelta(days=number)), about)
    if unit == "week":
        first = today + timedelta(days=7 * number)
        words = f"{about}{_written(match['n'])} week{'s' * (number > 1)} after {day_words(today)}"
        return first, first + timedelta(days=7), "week", words
    return _around(_unit(today, "month", number) if unit == "month" else _year(today, today.year + number), about)


def _from(day: str, today: datetime, number: int, unit: str, about: str) -> _Read:
    """ "two weeks from tomorrow", "a year ago today": so many units from a day, to the day."""
    start = today + timedelta(days=_DAY_OFFSETS.get(day, 0))
    if unit in ("day", "week"):
        return _around(_day(start + timedelta(days=number * (7 if unit == "week" else 1))), about)
    if unit == "weekend":
        return None
    year, month = _months_on(start, number * (12 if unit == "year" else 1))
    return _around(_day(_last_on(start, year, month, start.day)), about)


def _fortnight(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    number, way, _ = match.groups()
    if number is None and not sentences.is_ahead(match):
        return None
    weeks = 2 * _count(number or "a")
    if weeks == 0:
        return None
    middle = today + timedelta(days=7 * weeks * (-1 if way == "ago" else 1))
    words = "before" if way == "ago" else "after"
    return middle - timedelta(days=3), middle + timedelta(days=4), "week", f"{weeks} weeks {words} {day_words(today)}"


def _hours_ago(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    number, unit = " ".join(match[1].split()), match[2]
    if number in ("a few", "several", "half an") or _is_part(match):
        hours = 3.0 if unit == "hour" and number != "half an" else 0.5
    else:
        hours = _count(number) * _HOURS[unit]
    return _day((sentences.said_at - timedelta(hours=hours)).replace(hour=0, minute=0, second=0, microsecond=0))


def _days_of_month(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "July 12-15", "3rd to 5th of May", "between 3 and 5 May"."""
    one, other, month = int(match["one"]), int(match["other"]), _MONTHS[match["month"]]
    if one >= other or (match["and"] and not match["between"]) or not _is_month(match, match["month"], match.end()):
        return None
    begun = _dated(match, today, sentences, match["year"], month, one)
    if begun is None:
        return None
    first = begun[0]
    last = first.replace(day=other) + timedelta(days=1)
    return first, last, "day", f"{one} to {day_words(first.replace(day=other))}"


def _days_long(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "from March 28 to April 2"."""
    if bool(match["and"]) != bool(match["between"]):
        return None
    begun = _dated(match, today, sentences, match["year"], _MONTHS[match["one_month"]], int(match["one"]))
    if begun is None:
        return None
    first = begun[0]
    end = first.replace(month=_MONTHS[match["other_month"]], day=int(match["other"]))
    if end <= first:
        if match["year"]:
            first = first.replace(year=first.year - 1)
        else:
            end = end.replace(year=end.year + 1)
    return first, end + timedelta(days=1), "day", f"{day_words(first)} to {day_words(end)}"


def _months_long(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    if match["and"] and match["how"] != "between ":
        return None
    if not match["how"] and not match["year"] and _VERBS & {match["one"], match["other"]}:
        return None
    one, other = _MONTHS[match["one"]], _MONTHS[match["other"]]
    if one == other:
        return None
    if match["year"]:
        end = int(match["year"])
        year = end - (one > other)
    else:
        year = _year_of(match, today, sentences, one)
        end = year + (one > other)
    first = today.replace(year=year, month=one, day=1)
    last = today.replace(year=end + other // 12, month=other % 12 + 1, day=1)
    begun = f"{_MONTH_NAMES[one - 1]} {year}" if year != end else _MONTH_NAMES[one - 1]
    return first, last, "month", f"{begun} to {_MONTH_NAMES[other - 1]} {end}"


def _years_long(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    one, other = int(match["one"]), int(match["other"])
    if one >= other:
        return None
    return (
        today.replace(year=one, month=1, day=1),
        today.replace(year=other + 1, month=1, day=1),
        "year",
        f"{one} to {other}",
    )


def _decade(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    century, tens = match[1], int(match[2])
    if century is None and not (60 <= tens <= 90):
        return None  # "in the 20s"
    if century is None and _WARM.search(match.string, max(0, match.start() - 60), match.end() + 30):
        return None
    if century is None and "'" not in match[0] and " the " not in match[0] and "\n" not in match[0]:
        return None
    if century and tens == 0 and century != "20":
        return None  # "the 1900s" may be a hundred years
    year = 100 * int(century or 19) + tens
    first = today.replace(year=year, month=1, day=1)
    return first, first.replace(year=year + 10), "about", f"the {year}s"


def _decade_in_words(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    if _WARM.search(match.string, max(0, match.start() - 60), match.end() + 30):
        return None
    year = _DECADE_NAMES[match[1]]
    first = today.replace(year=year, month=1, day=1)
    return first, first.replace(year=year + 10), "about", f"the {year}s"


_WARM = _words(
    r"\b(?:degrees?|temperatures?|temps?|highs?|lows?|weather|warm|hot|mph|score[sd]?|grades?|percent|aged?|his"
    r"|her|my|their)\b|°"
)


def _numeric(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    """Dates in figures, where there is one way of reading them only."""
    if match["y"]:
        return _day(today.replace(year=int(match["y"]), month=int(match["ym"]), day=int(match["yd"])))
    one, other, year = int(match["a"]), int(match["b"]), int(match["year"])
    if len(match["year"]) == 2:
        if match["by"] != "/" or not 0 <= year <= today.year % 100 + 10:
            return None
        year += today.year // 100 * 100
    if one > 12 >= other:
        one, other = other, one
    elif other <= 12 and one != other:
        return None  # 5/8/2023
    return _day(today.replace(year=year, month=one, day=other))


def _short(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    one, other = int(match[1]), int(match[2])
    if one > 12 >= other:
        one, other = other, one
    elif other <= 12 and one != other:
        return None
    return _dated(match, today, sentences, None, one, other)


def _the_nth(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "by the 15th": of this month, of the next one or of the last one."""
    day, lean = int(match[2]), sentences.lean(match)
    if match[1] in ("by", "until", "till", "before", "due"):
        lean = lean or "ahead"
    elif match[1] == "since":
        lean = "back"
    elif sentences.leads(match):
        lean = "ahead"
    if lean is None:
        return None
    for step in range(3):
        one = _on(today, *_months_on(today, step if lean == "ahead" else -step), day)
        if one is not None and (one >= today if lean == "ahead" else one <= today):
            return _day(one)
    return None


def _nth_of_this(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    step = {"this": 0, "last": -1, "next": 1}[match[2]]
    year, month = _months_on(today, step)
    return _day(today.replace(year=year, month=month, day=int(match[1])))


def _part_of_month(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "the first week of May", "the second Saturday of next month"."""
    ordinal, what, which, name, told_year = match.groups()
    if name in _VERBS and not _NO_VERB_AFTER.match(match.string, match.end()) and not told_year:
        return None
    if which:
        year, month = _months_on(today, {"this": 0, "last": -1, "next": 1}[which])
    else:
        month = _MONTHS[name]
        year = int(told_year) if told_year else _year_of(match, today, sentences, month)
    first = today.replace(year=year, month=month, day=1)
    end = first.replace(year=year + month // 12, month=month % 12 + 1)
    nth = _ORDINALS[ordinal]
    in_words = f"{'last' if nth < 0 else ['first', 'second', 'third', 'fourth'][nth - 1]}"
    if what == "week":
        begun = end - timedelta(days=7) if nth < 0 else first + timedelta(days=7 * nth - 7)
        return begun, begun + timedelta(days=7), "week", f"the {in_words} week of {_MONTH_NAMES[month - 1]} {year}"
    wanted = 5 if what == "weekend" else _WEEKDAYS[what]
    if nth < 0:
        day = end - timedelta(days=(end.weekday() - wanted - 1) % 7 + 1)
    else:
        day = first + timedelta(days=(wanted - first.weekday()) % 7 + 7 * nth - 7)
    if what == "weekend":
        return day, day + timedelta(days=2), "weekend", f"the {in_words} weekend of {_MONTH_NAMES[month - 1]} {year}"
    return _day(day, weekday=True)


def _around_day(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    what, month, day, other_day, other_month, year = match.groups()
    read = _dated(match, today, sentences, year, _MONTHS[month or other_month], int(day or other_day))
    if read is None:
        return None
    monday = read[0] - timedelta(days=read[0].weekday())
    if what == "week":
        return monday, monday + timedelta(days=7), "week", f"the week of {day_words(read[0])}"
    saturday = monday + timedelta(days=5 if read[0].weekday() > 1 else -2)
    return saturday, saturday + timedelta(days=2), "weekend", f"the weekend of {day_words(read[0])}"


def _this_end(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "by the end of the year", which is this one unless the sentence looks back."""
    which, unit = match[0].split()[-2], match[1]
    if which == "the" and sentences.lean(match) == "back":
        return None
    return _unit(today, unit, {"next": 1, "last": -1}.get(which, 0))


def _quarter(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    number = int(match["q"] or 0) or _QUARTER_NAMES.get(match["name"] or "", 0)
    if match["rel"]:
        if match.string[max(0, match.start() - 4) : match.start()] == "the ":
            return None  # "the last quarter" of a game
        year, month = _months_on(today, {"this": 0, "last": -3, "next": 3}[match["rel"]])
        number = (month - 1) // 3 + 1
    elif match["year"]:
        year = int(match["year"])
    elif match["q"] and match["prep"]:
        year = _year_of(match, today, sentences, 3 * number)
    else:
        return None
    first = today.replace(year=year, month=3 * number - 2, day=1)
    return first, first.replace(year=year + number // 4, month=3 * number % 12 + 1), "season", f"Q{number} {year}"


def _day_of_week(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    name, which = match[1] or match[4], match[2] or match[3]
    step = {"this": 0, "last": -7, "next": 7}[which]
    return _day(today + timedelta(days=_WEEKDAYS[name] - today.weekday() + step), weekday=True)


def _days_ago(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    wanted, weeks = _WEEKDAYS[match[2] or match[4]], _count(match[1]) if match[1] else 2
    if weeks == 0 or (match[1] and _is_part(match)):
        return None
    if match[3] == "from now":
        return _day(today + timedelta(days=((wanted - today.weekday()) % 7 or 7) + 7 * weeks - 7), weekday=True)
    return _day(today - timedelta(days=((today.weekday() - wanted) % 7 or 7) + 7 * weeks - 7), weekday=True)


def _weeks_from(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    """ "a week from Friday": so many weeks after the next one."""
    weeks = _count(match[1])
    if weeks == 0 or _is_part(match) or match[2] in _UNSURE:
        return None
    return _day(today + timedelta(days=((_WEEKDAYS[match[2]] - today.weekday()) % 7 or 7) + 7 * weeks), weekday=True)


_ANY_DAY = frozenset(
    [
        "every",
        "each",
        "a",
        "any",
        "most",
        "all",
        "of",
        "good",
        "black",
        "casual",
        "on",
        "last",
        "next",
        "this",
        "the",
        "and",
        "or",
        "to",
        "through",
        "past",
    ]
)


_OPENS = re.compile(r"(?:^|[.!?;\n])\s*$")


def _part_day(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """ "see you Friday night": without a preposition only where the sentence says which way it looks."""
    if (match["before"] or "").strip() in _ANY_DAY:
        return None
    lean, wanted = sentences.led(match.start("day")), _WEEKDAYS[match["day"]]
    if lean is None and match["before"] is None and _OPENS.search(match.string, 0, match.start("day")):
        lean = sentences.lean(match)  # "Monday night we sang"
    if lean is None:
        return None
    days = (wanted - today.weekday()) % 7 or 7 if lean == "ahead" else -((today.weekday() - wanted) % 7 or 7)
    return _day(today + timedelta(days=days), weekday=True)


def _easter(year: int) -> tuple[int, int]:
    """Month and day of Easter Sunday, by the anonymous Gregorian algorithm (Nature 13, 1876, p. 487)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    return (h + k - 7 * m + 114) // 31, (h + k - 7 * m + 114) % 31 + 1


_FIXED = {
    "christmas": (12, 25),
    "xmas": (12, 25),
    "christmas day": (12, 25),
    "christmas eve": (12, 24),
    "boxing day": (12, 26),
    "new year's eve": (12, 31),
    "new years eve": (12, 31),
    "halloween": (10, 31),
    "independence day": (7, 4),
    "juneteenth": (6, 19),
    "veterans day": (11, 11),
}
_FLOATING = {  # month, weekday, which of them
    "mother's day": (5, 6, 2),
    "father's day": (6, 6, 3),
    "memorial day": (5, 0, -1),
    "labor day": (9, 0, 1),
    "thanksgiving": (11, 3, 4),
    "thanksgiving day": (11, 3, 4),
}
_EASTERS = {"easter": 0, "easter sunday": 0, "easter monday": 1, "good friday": -2}


def _holiday_in(today: datetime, name: str, year: int) -> datetime:
    if name in _FIXED:
        return today.replace(year=year, month=_FIXED[name][0], day=_FIXED[name][1])
    if name.startswith("new year"):
        return today.replace(year=year, month=1, day=1)
    if name.startswith("valentine"):
        return today.replace(year=year, month=2, day=14)
    if name.endswith("patrick's day"):
        return today.replace(year=year, month=3, day=17)
    if name in _EASTERS:
        month, day = _easter(year)
        return today.replace(year=year, month=month, day=day) + timedelta(days=_EASTERS[name])
    if name == "black friday":
        return _holiday_in(today, "thanksgiving", year) + timedelta(days=1)
    month, weekday, nth = _FLOATING[name]
    if nth < 0:
        end = today.replace(year=year, month=month + 1, day=1)
        return end - timedelta(days=(end.weekday() - weekday - 1) % 7 + 1)
    first = today.replace(year=year, month=month, day=1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * nth - 7)


_NO_NOUN_AFTER = _words(
    r"$|[^\w\s'-]|\n| (?:and|at|we|i|he|she|they|it|you|my|our|with|to|for|from|then|when|was|is|as|so|but|in"
    r"|this|last|next|that"
    r"|because|since|if|or)\b"
)


def _holiday(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    """A holiday of a year: where it is told which, or the words around it tell."""
    how, name = " ".join((match["how"] or "").split()), " ".join(match["name"].split())
    if match["year"]:
        return _day(_holiday_in(today, name, int(match["year"])))
    if not how or not _NO_NOUN_AFTER.match(match.string, match.end()):
        return None  # "Halloween costumes", "a Christmas song"
    days = [_holiday_in(today, name, today.year + step) for step in (-1, 0, 1)]
    back, ahead = max(d for d in days if d < today or d == today), min(d for d in days if d >= today)
    if how in ("last", "past", "this past"):
        return _day(max(d for d in days if d < today))
    if how in ("next", "coming", "this coming"):
        return _day(min(d for d in days if d > today))
    if how == "this":
        lean = sentences.lean(match)
        return _day(back if lean == "back" and today - back <= _LATELY else ahead if lean != "back" else back)
    lean = "back" if how == "since" else sentences.lean(match)
    if lean is None and min(ahead - today, today - back) > _LATELY and how not in ("by", "until", "till", "before"):
        return None  # "on Christmas we sing"
    return _day(ahead if _is_next(match, sentences, ahead - today, today - back) else back)


_READINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime, _Sentences], _Read]], ...] = (
    (_ISO, _iso),
    (_DAY_MONTH, _day_month),
    (_MONTH_DAY, _month_day),
    (_MONTH_YEAR, _month_year),
    (_MONTH_OF_YEAR, _month_of_year),
    (_IN_MONTH, _in_month),
    (_MY_MONTH, _my_month),
    (_IN_YEAR, _in_year),
    (_SHORT_YEAR, _short_year),
    (_DAYS, _near_day),
    (_RELATIVE, _relative),
    (_SECOND, _second),
    (_OVER, _over),
    (_ON_DAY, _on_day),
    (_SEASONAL, _seasonal),
    (_AGO, _ago),
    (_AHEAD, _from_now),
    (_IN_TIME, _in_time),
    (_STRETCH, _stretch),
    (_DAYS_OF_MONTH, _days_of_month),
    (_MONTH_OF_DAYS, _days_of_month),
    (_DAYS_LONG, _days_long),
    (_MONTHS_LONG, _months_long),
    (_YEARS_LONG, _years_long),
    (_DECADE, _decade),
    (_DECADE_IN_WORDS, _decade_in_words),
    (_NUMERIC, _numeric),
    (_SHORT, _short),
    (_THE_NTH, _the_nth),
    (_NTH_OF_THIS, _nth_of_this),
    (_PART_OF_MONTH, _part_of_month),
    (_AROUND_DAY, _around_day),
    (_THIS_END, _this_end),
    (_QUARTER, _quarter),
    (_DAY_OF_WEEK, _day_of_week),
    (_DAYS_AGO, _days_ago),
    (_WEEKS_FROM, _weeks_from),
    (_PART_DAY, _part_day),
    (_HOLIDAY, _holiday),
    (_FORTNIGHT, _fortnight),
    (_HOURS_AGO, _hours_ago),
)


# -- times told from another one

_LATER = _words(
    rf"{_ALONE}(?:(?P<n>{_NUMBER}) (?P<unit>day|night|week|month|year)s? (?P<way>later|earlier|afterwards?"
    rf"|beforehand|after that|before that)"
    r"|(?P<the>the(?: very)?) (?P<which>next|following|previous) (?P<of>day|night|morning|afternoon|evening"
    r"|week|weekend|month|year)"
    r"(?! (?:or|of|and a half|few)\b)"
    r"|(?P<same>the same|that same|that very|that) (?P<this>day|night|evening|afternoon|morning|week|weekend"
    r"|month|year)(?!-| (?:of|as|when|i|we|he|she|they)\b))\b"
)
_BESIDE = _words(
    rf"{_ALONE}(?P<n>the|{_NUMBER}) (?P<unit>day|night|week|month|year)s? (?P<way>before|after|prior to)(?: the"
    rf"| my| our)? $"
)
_REACH = 250
"""Characters between a time and one that is told from it."""


def _with_related(text: str, found: list[Told]) -> list[Told]:
    """ "two days later", "the following week", "that day": times told from the one before them, or after: "the day
    before Christmas"."""
    if not found:
        return found
    whole: list[Told] = []
    rest = iter(found)
    following = next(rest, None)
    for match in _LATER.finditer(text):
        while following is not None and following.start < match.end():
            whole.append(following)
            following = next(rest, None)
        anchor = whole[-1] if whole else None
        if (
            anchor is None
            or anchor.end > match.start()
            or match.start() - anchor.end > _REACH
            or "\n\n" in text[anchor.end : match.start()]
        ):
            continue
        try:
            read = _related(match, anchor)
        except (ValueError, OverflowError):
            continue
        if read is not None:
            whole.append(Told(*match.span(), *read))
    whole += [following, *rest] if following is not None else []
    return _with_neighbours(text, _with_lists(text, whole))


_AND = _words(
    rf"(?:,|,? (?:and|or|&))(?: on| in)? (?P<name>{_FULL_MONTH}"
    rf"|{'|'.join(name.lower() for name in _WEEKDAY_NAMES)})\b(?!'s| \d)"
)
_AND_BEFORE = _words(
    rf"\b(?P<name>{_FULL_MONTH}|{'|'.join(name.lower() for name in _WEEKDAY_NAMES)})(?:,|,? (?:and|or|&))(?: on| in)? $"
)


def _with_lists(text: str, found: list[Told]) -> list[Told]:
    """ "on Monday and Wednesday", "September, October and November 2025": the bare names stand beside a time."""
    whole: list[Told] = []
    for place, one in enumerate(found):
        before: list[Told] = []
        floor, first = whole[-1].end if whole else 0, one
        while (match := _AND_BEFORE.search(text, max(floor, first.start - 24), first.start)) and (
            told := _listed(match, first, -1)
        ):
            before.insert(0, told)
            first = told
        whole += [*before, one]
        ceiling, last = found[place + 1].start if place + 1 < len(found) else len(text), one
        while (match := _AND.match(text, last.end, ceiling)) and (told := _listed(match, last, 1)):
            whole.append(told)
            last = told
    return whole


def _listed(match: re.Match[str], one: Told, way: int) -> Told | None:
    """The weekday or month right after a time, or, with `way` -1, right before it."""
    name, span = match["name"], match.span("name")
    if name in _MONTHS and one.precision == "month" and one.phrase.startswith(CALENDAR):
        if name in _VERBS and not _NO_VERB_AFTER.match(match.string, match.end("name")):
            return None
        step = (_MONTHS[name] - one.first.month) % 12
        read = _month(one.first, *_months_on(one.first, step if way > 0 else step - 12))
    elif name in _WEEKDAYS and one.precision == "day" and one.phrase.startswith(CALENDAR[12:]):
        step = (_WEEKDAYS[name] - one.first.weekday()) % 7
        read = _day(one.first + timedelta(days=step if way > 0 else step - 7), weekday=True)
    else:
        return None
    return None if read is None or step == 0 else Told(*span, *read)


def _related(match: re.Match[str], anchor: Told) -> _Read:
    if anchor.precision == "about":
        return None
    if match["same"]:
        way, number, unit = 0, 0, match["this"]
    elif match["which"]:
        way, number, unit = (-1 if match["which"] == "previous" else 1), 1, match["of"]
    else:
        way = -1 if match["way"] in ("earlier", "beforehand", "before that") else 1
        number, unit = _count(match["n"]), match["unit"]
        if number == 0 or _is_part(match):
            return None
    return _beside(anchor, way * number, unit)


def _beside(anchor: Told, step: int, unit: str) -> _Read:
    """So many units after a time; None where that time is less exact than the unit."""
    start = anchor.first.replace(hour=0, minute=0, second=0, microsecond=0)
    exact = anchor.last - anchor.first <= timedelta(days=1, hours=1)
    if unit in ("day", "night", "morning", "afternoon", "evening"):
        return _day(start + timedelta(days=step)) if exact else None
    if unit in ("week", "weekend"):
        if not (exact or anchor.precision in ("week", "weekend")):
            return None
        if step == 0 or unit == "weekend" or abs(step) == 1:
            monday = start - timedelta(days=start.weekday()) + timedelta(days=7 * step)
            if unit == "weekend" and exact and start.weekday() < 5 and step > 0:
                monday -= timedelta(days=7)  # the first one after it
            first, length = (monday + timedelta(days=5), 2) if unit == "weekend" else (monday, 7)
            words = {-1: "before", 0: "of"}.get(step, "after")
            return first, first + timedelta(days=length), unit, f"the {unit} {words} {day_words(start)}"
        middle = start + timedelta(days=7 * step)
        words = f"{abs(step)} weeks {'after' if step > 0 else 'before'} {day_words(start)}"
        return middle - timedelta(days=3), middle + timedelta(days=4), "week", words
    if unit == "month":
        if anchor.precision not in ("day", "minute", "week", "weekend", "month") or not (
            exact or anchor.precision != "day"
        ):
            return None
        return _month(start, *_months_on(start, step))
    if anchor.precision == "year" or step == 0:
        return _year(start, start.year + step)
    if anchor.precision in ("day", "month", "minute"):
        return _around(_month(start, start.year + step, start.month), "around ")
    return _year(start, start.year + step)


def _with_neighbours(text: str, found: list[Told]) -> list[Told]:
    """ "three days before the exam on 5 May" is not understood, "three days before 5 May" is."""
    whole: list[Told] = []
    for one in found:
        match = _BESIDE.search(text, max(0, one.start - 40, whole[-1].end if whole else 0), one.start)
        if match and one.precision in ("day", "minute", "month"):
            number = 1 if match["n"] == "the" else _count(match["n"])
            step = number if match["way"] == "after" else -number
            try:
                read = None if number == 0 or _is_part(match) else _beside(one, step, match["unit"])
            except (ValueError, OverflowError):
                read = None
            if read is not None:
                whole.append(Told(match.start(), match.end("way"), *read))
        whole.append(one)
    return whole


# -- times of the day

_ZONES = {
    **dict.fromkeys(("utc", "gmt"), 0),
    "est": -5,
    "edt": -4,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "cet": 1,
    "cest": 2,
}
_CLOCK = (
    r"(?:(?P<h>\d{1,2})(?::(?P<m>[0-5]\d))?(?:(?: )?(?P<half>[ap])\.?m\b\.?)?|(?P<word>noon|midnight))(?![\w:]|[-–]\d)"
    r"(?: (?P<zone>utc|gmt|[ecmp][sd]?t|cest|cet|ist|bst|jst|aest|aedt)\b)?"
)
_CLOCK_AFTER = _words(rf",?(?: night| evening| afternoon| morning)?,?(?: (?:at|@|from|by))? {_CLOCK}")
_CLOCK_BEFORE = _words(rf"\b(?:at |@(?: )?|by )?{_CLOCK},?(?: on)?(?: the)? $")


def _with_clock(one: Told, text: str) -> Told:
    """A day with the time of day beside it: "Friday at 4:30 PM". What is not sure of its half day stays a day."""
    if one.precision != "day" or one.last - one.first > timedelta(hours=25) or text[one.end : one.end + 1] == "t":
        return one
    match = _CLOCK_AFTER.match(text, one.end)
    start, end = one.start, match.end() if match else one.end
    if match is None:
        match = _CLOCK_BEFORE.search(text, max(0, one.start - 24), one.start)
        start = match.start() if match else start
    moment = match and _moment(one, match, text[start:end])
    if moment is None:
        return one
    return Told(
        start,
        end - text[:end].endswith("."),
        moment,
        moment + timedelta(minutes=1),
        "minute",
        f"{one.phrase if moment.date() == one.first.date() else day_words(moment)} at {moment:%H:%M}",
    )


def _moment(one: Told, match: re.Match[str], words: str) -> datetime | None:
    if match["word"]:
        hour, minute = (12, 0) if match["word"] == "noon" else (-1, 0)
        if hour < 0:
            return None  # the one before that day or the one after it?
    else:
        hour, minute, half = int(match["h"]), int(match["m"] or 0), match["half"]
        if half is None and (late := _LATE.search(words)):
            half = "a" if late[0] == "morning" else "p"
            if " at " not in words:
                return None
        if half:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + 12 * (half == "p")
        elif match["m"] is None or not (12 < hour < 24 or match["h"].startswith("0")):
            return None
    zone = match["zone"]
    if zone is None:
        return one.first.replace(hour=hour, minute=minute)
    if zone not in _ZONES:
        return None  # "ET" is one of two, "IST" one of three
    there = one.first.replace(hour=hour, minute=minute, tzinfo=timezone(timedelta(hours=_ZONES[zone])))
    return there.astimezone(one.first.tzinfo)


_LATE = re.compile(r"tonight|evening|afternoon|night|morning")


# -- the units


def _day(day: datetime, *, weekday: bool = False) -> _Read:
    words = f"{_WEEKDAY_NAMES[day.weekday()]}, {day_words(day)}" if weekday else day_words(day)
    return day, day + timedelta(days=1), "day", words


def _month(today: datetime, year: int, month: int) -> _Read:
    first = today.replace(year=year, month=month, day=1)
    last = first.replace(year=year + month // 12, month=month % 12 + 1)
    return first, last, "month", f"{_MONTH_NAMES[month - 1]} {year}"


def _month_of(day: datetime, about: str) -> _Read:
    return _around(_month(day, day.year, day.month), about)


def _year(today: datetime, year: int) -> _Read:
    first = today.replace(year=year, month=1, day=1)
    return first, first.replace(year=year + 1), "year", str(year)


def _around(read: _Read, about: str) -> _Read:
    return None if read is None else (*read[:3], about + read[3])


def _months_on(day: datetime, months: int) -> tuple[int, int]:
    """Year and month, so many months after a day's."""
    whole = day.year * 12 + day.month - 1 + months
    return whole // 12, whole % 12 + 1


def _on(today: datetime, year: int, month: int, day: int) -> datetime | None:
    """A day of the calendar; None where there is none."""
    try:
        return today.replace(year=year, month=month, day=day)
    except ValueError:
        return None


def _last_on(today: datetime, year: int, month: int, day: int) -> datetime:
    """A day of a month, or the month's last one: a month after 31 January is the end of February."""
    while (found := _on(today, year, month, day)) is None:
        if day <= 28:
            raise OverflowError(f"the calendar has no year {year}")
        day -= 1
    return found


# -- numbers


def _much(match: re.Match[str]) -> tuple[int, str, bool]:
    """The number, the unit, and whether there is half a unit more: "a year and a half", "half a year"."""
    if match["of"]:
        return 0, match["of"], True
    return _count(match["n"]), match["unit"], bool(match["half"] or match["half_more"])


_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0}
_MONTHS_OF = {"month": 1, "year": 12, "decade": 120}


def _since(match: re.Match[str], said: datetime) -> datetime | None:
    """When what lasts so long began."""
    if not (match["n"] or match["of"]):
        return None  # "a few years"
    number, unit, half = _much(match)
    try:
        if unit in _HOURS:
            return said - timedelta(hours=(number + half / 2) * _HOURS[unit])
        months = (number * 2 + half) * _MONTHS_OF[unit]
        begun = _last_on(said, *_months_on(said, -(months // 2)), said.day)
        return begun - timedelta(days=15 * (months % 2))
    except (ValueError, OverflowError):
        return None


def _count(word: str) -> int:
    word = " ".join(word.split())
    return _NUMBERS[word] if word in _NUMBERS else int(word)


def _written(word: str) -> str:
    word = " ".join(word.split())
    return "two" if word in _COUPLE else {"a": "one", "an": "one"}.get(word, word)
