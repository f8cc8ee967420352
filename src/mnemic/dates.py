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
from datetime import datetime, timedelta
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
    r"|days?|weeks?|months?|years?|miles?|steps|metres|meters|km|kilomet|k?m\b|cm\b|mm\b|kg\b|percent|degrees|dollars|euros"
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
    """day, weekend, week, month, season, year or about."""
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
    sentences = _Sentences(_folded(text))
    today = said_at.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[Told] = []
    for one in sorted(_all(sentences, today), key=lambda one: (one.start, -one.end)):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return tuple(found)


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


def day_words(moment: datetime) -> str:
    """A day as an answer gives it: "7 May 2023"."""
    return f"{moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year}"


# -- the text

_BLANKS = (
    "\t\r\x0b\x0c\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_PLAIN = str.maketrans(dict.fromkeys(_BLANKS, " ") | {"’": "'", "\u2028": "\n", "\u2029": "\n"})


def _folded(text: str) -> str:
    """In lower case, with plain blanks and apostrophes; each character stays where it is."""
    lowered = text.lower()
    if len(lowered) != len(text):  # the lower case of "İ" is two characters
        lowered = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return lowered.translate(_PLAIN)


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
_NOUNS = """wedding meeting painting building opening training reading recording drawing clothing evening morning hearing
    gathering ending beginning writing thing spring ring king string housewarming"""
_NO_PLAN = rf"(?:{'|'.join(_NO_PLANS.split())})\b"
_NO_DEED = rf"(?:{'|'.join((_NO_PLANS + ' ' + _NOUNS).split())})\b"
# Words by which a sentence says whether it looks back or ahead. "is", "leaves" do so only right before a time.
_SIGNALS = _words(
    r"(?P<stop>[.!?;](?=\s|$)|\n)"
    # "was thinking of", "to be released": what was thought of is still to come.
    r"|\b(?P<ahead>(?:was|were|been) (?:thinking|planning|considering|hoping|aiming|going to)|(?<!used\s)to be(?: \w+ed)?"
    r"|will|won't|shall|going to|gonna|plan(?:s|ning)?|hop(?:e|ing) to|can't wait|upcoming|see you|let's|idea of|wanna"
    r"|(?:want|need|wish|intend|aim|aims|aiming|like|love|ha(?:ve|s)) to(?! say| admit)|looking forward|thinking (?:of|about)"
    r"|considering|(?:prepare|preparing|ready|invited|invitation|options|reservations?|tickets?|bookings?) (?:for|to)"
    rf"|(?:am|are|is|be) (?!{_NO_PLAN})\w+ing|deadline|due"
    r"|(?:scheduled|booked|planned|set|expected|reserved|arranged|postponed|moved) (?:for|to))\b"
    rf"|'ll\b|'(?:(?:m|re) (?!{_NO_PLAN})|s (?!{_NO_DEED}))\w+ing\b"
    r"|\b(?:is|are|be|being|gets?|to) (?!scheduled|booked|planned|due|set|expected|reserved)\w+ed\b(?P<still>)"
    rf"|\b(?P<back>{'|'.join(_WENT.split())}|(?:have|has|'ve) (?:read|put|cut|set|hit|come|run)"
    rf"|(?!(?:{'|'.join(_NOT_PAST.split())})\b)[a-z]{{2,20}}ed)\b"
    r"|(?P<now>\b(?:is|are|am|starts?|begins?|opens?|leaves?|ends?|have|has|takes place)\b|'(?:s|m|re)\b)"
    r"|\b(?P<ever>first|last|best|worst|most|only|ever|per)\b"
    r"|(?P<turn>[,;:—–()]|\b(?:and|but|so|because|since|which|that|when|while|as|if|although) (?=(?:i|we|he|she|they|it|you)\b))"
)
_NEAR = 80
"""Characters within which a word has a say in when a time is."""

_TURN = 40
"""A word of another clause has less of a say, as if it stood so much farther off."""

_DIRECT = 8
"""Between "due" or "will be" and its time are no more characters than " on the "."""

_Lean = Literal["ahead", "back", "now", "ever", "stop", "turn", "still"]


class _Sentences:
    """A folded text, and which way each of its sentences looks."""

    def __init__(self, text: str) -> None:
        self.text = text

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
_IN_MONTH = _words(
    r"\b(?:(this|last|next) |(in|since|during|the (?:beginning|start|middle|end) of|early|late|mid)"
    rf"(?: early| mid| late| the)?(?: |-))({_FULL_MONTH})\b(?! \d| of \d|'s|-)"
)
_IN_YEAR = _words(rf"\b(?:in|during|since|back in|of|by|from)(?: early| late| mid| about| around| the year)? ({_YEAR})")
_DAYS = _words(
    r"\b((?:the )?day before yesterday|(?:the )?day after tomorrow|(?:the )?(?:night|evening) before last|yesterday"
    r"|last (?:night|evening)|tomorrow|tonight|today|this (?:morning|afternoon|evening)|earlier today|just now)\b"
)
_RELATIVE = _words(
    rf"\b(the )?(this past|this coming|last|past|previous|next|coming|this) ({_UNIT})\b(?! and a half| of (?!{_MONTH}))"
)
_SECOND = _words(rf"\b(?:the )?({_UNIT}) (before last|after next)\b")
_OVER = _words(r"\b(?:over|on|during) the weekend\b")
_ON_DAY = _words(
    rf"\b(this past|this coming|last|past|previous|next|coming|this|on)(?: on)? ({_WEEKDAY})\b"
    r"(?! (?:nights|mornings|afternoons|evenings|of)\b)"
)
_SEASONAL = _words(
    rf"\b(?:(this past|this coming|last|this|next|coming|the coming|in the|over the|during the|the) )?({_SEASON})\b"
    rf"(?:(?: of)? ({_YEAR}))?"
)
_AGO = _words(
    rf"{_ALONE}(?P<about>{_ABOUT})(?:(?P<n>{_NUMBER})(?P<half> and a half)?"
    rf" (?P<unit>{_UNIT})s?(?P<half_more> and a half)?(?P<so> or so)?|half an? (?P<of>year)"
    rf"|(?P<vague>a few|several|some|many) (?P<units>{_UNIT})s?) (?:ago|back)\b"
    rf"(?: (?P<day>today|yesterday|tomorrow)\b| (?:last|this|next) {_UNIT}\b)?"  # "two years ago this week"
)
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

_Read = tuple[datetime, datetime, str, str] | None


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
_BEFORE_DATE = _words(r"\b(?:on|by|since|until|till|from|before|after|of|about|around|dated|for|the)(?: the)? $")
_NO_VERB_AFTER = _words(
    r"$|(?: )?[^\w\s']| (?:\d|i|i'\w+|we|we'\w+|he|she|they|you|my|our|at|in|with|when|was|is|as|after|before|until"
    r"|last|this|next|and|or|to)\b"
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
_SINCE_DATE = _words(r"\bsince(?: the)? $")
_DEADLINE = _words(r" (?:deadline|due date|cutoff|launch|release)\b")
_BORN = _words(r"\b(?:born|died|married|birthday|founded) (?:\w+ ){0,3}$")
_AGES = timedelta(days=200)
_LATELY = timedelta(days=60)
_SOON = timedelta(days=10)


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
    if sentences.is_direct(match) or (sentences.leads(match) and not before.endswith("'s ")):
        return True  # not "the teacher's July 8 feedback"
    lean = sentences.lean(match)
    if lean == "ahead":
        return ahead < _AGES or back > _LATELY
    is_due = _UNTIL.search(before) is not None or _DEADLINE.match(match.string, match.end()) is not None
    if lean == "back":
        return ahead <= (timedelta(days=120) if is_due else _SOON) and back > _LATELY and not _BORN.search(before)
    return ahead <= timedelta(days=183 if is_due else 120)


def _month_year(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    return _month(today, int(match[2]), _MONTHS[match[1]])


def _in_month(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    which, since, name = match.groups()
    if name in _VERBS:
        if _VERB_AFTER.match(match.string, match.end()):
            return None  # "early may be better", "this march through the town"
        if which and not _NO_VERB_AFTER.match(match.string, match.end()):
            return None  # "what comes next may surprise you"
    month, year = _MONTHS[name], today.year
    if which == "last":
        year -= month >= today.month
    elif which == "next":
        year += month <= today.month
    elif which != "this":
        year = _year_of(match, today, sentences, month)
    return _month(today, year, month)


def _year_of(match: re.Match[str], today: datetime, sentences: _Sentences, month: int) -> int:
    """The year of a month that is told without one."""
    ahead, back = (month - today.month) % 12, (today.month - month) % 12
    if sentences.leads(match) or sentences.is_direct(match):
        is_next = True
    elif match[0].startswith("since"):
        is_next = False
    else:
        lean = sentences.lean(match)
        is_next = (ahead < 10 or back > 2) if lean == "ahead" else lean is None and ahead <= 5
    return today.year + (month < today.month) if is_next else today.year - (month > today.month)


def _in_year(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    return _year(today, int(match[1]))


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


def _near_day(match: re.Match[str], today: datetime, _: _Sentences) -> _Read:
    words = " ".join(match[0].split()).removeprefix("the ")
    return _day(today + timedelta(days=_DAY_OFFSETS.get(words, 0)))


_STRETCH = _words(r"\b(?:for|over|in|during|within|throughout) $")


def _relative(match: re.Match[str], today: datetime, sentences: _Sentences) -> _Read:
    the, which, unit = match[1], " ".join(match[2].split()), match[3]
    if unit == "day":
        return None  # "this day", "the past day"
    if the and (which in ("next", "previous") or (which in ("last", "past") and unit in ("month", "year"))):
        return None  # "the past year" is a stretch of time, not last year; "the next week" is told from another one
    if which in ("past", "this past") and unit in ("month", "year"):
        return None
    if the and which in ("last", "past") and _STRETCH.search(match.string[max(0, match.start() - 12) : match.start()]):
        return None  # "for the past week"
    step = {"next": 1, "coming": 1, "this coming": 1, "this": 0}.get(which, -1)
    if unit == "weekend" and which in ("coming", "this coming"):
        step = int(today.weekday() > 4)
    if unit == "weekend" and which == "this" and today.weekday() < 5 and sentences.lean(match) == "back":
        step = -1  # "I went hiking this weekend", said on Monday
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
    return _unit(today, "weekend", 0 if sentences.lean(match) == "ahead" else -1)


_UNSURE = frozenset(("sat", "sun", "wed", "mon"))
_PART_OF_DAY = _words(
    r"\.?,? (?:morning|afternoon|evening|night|at (?:\d|noon|midnight|one|two|three|four|five|six|seven"
    r"|eight|nine|ten|eleven|twelve))\b|\.?,? at \d|\.?,? \d"
)
_NO_WORD = _words(
    r"$|[^\w\s'-]| (?:at|and|we|i|he|she|they|it|my|with|to|for|from|then|morning|afternoon|evening|night)\b"
)


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
    wanted = _WEEKDAYS[name]
    ahead, back = (wanted - today.weekday()) % 7 or 7, (today.weekday() - wanted) % 7 or 7
    if which == "this":  # the one of this week, unless the sentence looks the other way
        days, lean = wanted - today.weekday(), sentences.lean(match)
        days += 7 if lean == "ahead" and days < 0 else -7 if lean == "back" and days > 0 else 0
    elif which in ("next", "coming", "this coming") or (which == "on" and sentences.is_ahead(match)):
        days = ahead
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
        return today, today, "about", f"{match['vague']} {match['units']}s before {day_words(today)}"
    number, unit, half = _much(match)
    if (number == 0 and not half) or _is_part(match):
        return None
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


_READINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime, _Sentences], _Read]], ...] = (
    (_ISO, _iso),
    (_DAY_MONTH, _day_month),
    (_MONTH_DAY, _month_day),
    (_MONTH_YEAR, _month_year),
    (_IN_MONTH, _in_month),
    (_IN_YEAR, _in_year),
    (_DAYS, _near_day),
    (_RELATIVE, _relative),
    (_SECOND, _second),
    (_OVER, _over),
    (_ON_DAY, _on_day),
    (_SEASONAL, _seasonal),
    (_AGO, _ago),
    (_AHEAD, _from_now),
    (_IN_TIME, _in_time),
)


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
