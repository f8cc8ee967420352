"""The time that a question names: "on 8 May", "in June 2023", "last spring", "two weeks ago".

Pure; what is understood is English and ISO dates, and month names of German, French and Spanish. What is not
understood names no time, and the question is answered by its words. So does "before the move": when that was stands in
the memory, not in the question. Seasons are those of the northern half of the world.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from mnemic.times import micros

_MONTH_NAMES = """january jan januar janvier enero|february feb februar février febrero|march mar märz mars marzo|
    april apr avril abril|may mai mayo|june jun juni juin junio|july jul juli juillet julio|august aug août agosto|
    september sep sept septembre septiembre|october oct oktober octobre octubre|november nov novembre noviembre|
    december dec dezember décembre diciembre"""
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES.split("|"), 1) for name in names.split()}
_MONTH = f"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_NUMBER_WORDS = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: number for number, word in enumerate(_NUMBER_WORDS.split(), 1)} | {
    "a": 1, "an": 1, "a couple of": 2, "couple of": 2, "a few": 3, "few": 3, "several": 4, "half a": 0.5
}  # fmt: skip
_NUMBER = f"({'|'.join(sorted(_NUMBERS, key=len, reverse=True))}|\\d{{1,3}})"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {"day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.44, "year": 365.25}
_UNIT = f"({'|'.join(_DAYS)})"
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_SEASON = f"({'|'.join(_SEASONS)})"
_FEASTS = {
    "christmas": (12, 24, 3), "new year's eve": (12, 31, 1), "new year's day": (1, 1, 1), "halloween": (10, 31, 1),
    "valentine's day": (2, 14, 1),
}  # fmt: skip
"""Month, day, and number of days."""
_COMING = timedelta(days=45)
"""A date without a year is rather the next one when it is as near as this."""

_ISO = re.compile(r"\b(\d{4})-(\d\d)(?:-(\d\d)(?:[ t](\d\d):(\d\d))?)?(?!\d)")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of| de)? {_MONTH}\b(?! be\b)\.?,?(?: de)?(?: (\d{{4}}))?"
)
_MONTH_DAY = re.compile(rf"\b{_MONTH}\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (\d{{4}}))?")
_MONTH_YEAR = re.compile(rf"\b{_MONTH}\.?,?(?: of| de)? (\d{{4}})\b")
# Bare months need a preposition: "may" and "march" are verbs too.
_IN_MONTH = re.compile(
    rf"\b(in|during|since|until|by|of|last|this|im|en)(?: early| mid| late)?[ -]{_MONTH}\b(?! \d)"
    rf"(?:(?:,|,? and|,? or| to) {_MONTH}\b)?"
)
_IN_YEAR = re.compile(
    r"\b(?:in|during|since|until|by|of|from|the year|en)(?: early| mid| late)?[ -]((?:19|20)\d\d)\b"
    r"(?: (?:to|and|or|until) ((?:19|20)\d\d)\b)?"
)
_TO = r" ?(?:and|or|to|through|until|till|-|–) ?"
_TH = "(?:st|nd|rd|th)?"
_MONTH_TO_MONTH = re.compile(rf"\b{_MONTH}(?: (\d{{4}}))?{_TO}{_MONTH}(?: of)? (\d{{4}})\b")
_DAY_TO_DAY = re.compile(rf"\b(\d{{1,2}}){_TH}{_TO}(\d{{1,2}}){_TH}(?: of)? {_MONTH}\b(?:,? (\d{{4}}))?")
_TO_DAY = re.compile(rf"\b{_MONTH} (\d{{1,2}}){_TH}{_TO}(\d{{1,2}}){_TH}\b(?!:)(?:,? (\d{{4}}))?")
_NUMERIC = re.compile(r"\b(\d{1,2})([./])(\d{1,2})\2((?:19|20)\d\d)\b")
_MONTH_THEN = re.compile(rf"\b{_MONTH}(?: of)? (last|this) year\b|\b(last|this) year in {_MONTH}\b")
_SEASON_YEAR = re.compile(rf"\b{_SEASON}(?: of)?,? (\d{{4}})\b")
_IN_SEASON = re.compile(
    rf"\b(last|this|past|(?:in|during|over|since)(?: the)?(?: early| mid| late)?)[ -]{_SEASON}\b"
    r"(?! (?:of|down|off|apart|asleep|behind|onions?|rolls?|house)\b)"
)
_FEAST = re.compile(
    rf"\b(at|on|over|during|since|last|this) ({'|'.join(_FEASTS)})\b(?: (\d{{4}})\b)?"
    rf"|\b({'|'.join(_FEASTS)})(?: of)? (\d{{4}})\b"
)
# "two weeks before the wedding" hangs on when that was.
_AGO = re.compile(rf"\b{_NUMBER} {_UNIT}s? (?:ago|earlier|before(?=\W*$))\b")
_PAST = re.compile(rf"\b(?:past|last) {_NUMBER} {_UNIT}s?\b|\b(?:the|this) past {_UNIT}\b")
_BEFORE_LAST = re.compile(r"\b(week|month|year|weekend) before last\b")
_NEAR_DAY = re.compile(
    r"\b(?:(day before yesterday)|(last (?:night|evening))|tonight|this (?:morning|afternoon|evening))\b"
)
_NEARBY = re.compile(rf"\b(?:(yesterday|today)|(last|this) (week|month|year|weekend|{'|'.join(_WEEKDAYS)}))\b")
# A weekday alone is past where the question is.
_ON_WEEKDAY = re.compile(rf"\b(?:did|was|were|had|happened)\b.{{0,200}}?\bon ({'|'.join(_WEEKDAYS)})\b")

_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_NEARBY_WORDS = "ago before earlier past last this yesterday today tonight christmas year halloween valentine"
_RELATIVE = frozenset((*_NEARBY_WORDS.split(), *_SEASONS, *_WEEKDAYS))
"""Words of which one stands in every time that `_relative` understands."""


def named_interval(question: str, asked_at: datetime) -> tuple[int, int] | None:
    """The half-open interval that a question names, in microseconds; None where it names none, or one yet to come.

    `asked_at` (aware) is when it is asked: it resolves "last week", its zone places days, and a date without a year is
    the latest one, or the next one when that is near. Of several dates it is the time from the first to the last.
    "since March" lasts until it is asked. What is yet to come is None because nothing was said then: it was talked
    about before.
    """
    folded = question.lower().replace("’", "'")
    words = frozenset(_WORD.findall(folded))
    dated = _DIGIT.search(folded) is not None or not words.isdisjoint(_MONTHS)
    if not dated and words.isdisjoint(_RELATIVE):
        return None  # most questions: looking for each way of writing a date costs more than their ranking
    try:
        found = (_dated(folded, asked_at) if dated else []) or [_relative(folded, asked_at)]
    except (ValueError, OverflowError):  # "31 June", "3000 years ago"
        return None
    spans = [span for span in found if span is not None]
    if not spans:
        return None
    start, end = min(start for start, _ in spans), max(end for _, end in spans)
    if "since" in words and len(spans) == 1:
        end = max(end, asked_at)
    return (micros(start), micros(end)) if start < asked_at else None


def _dated(question: str, asked_at: datetime) -> list[tuple[datetime, datetime] | None]:
    """The spans of all dates, from the most exact way of writing one to the least."""
    found: list[tuple[datetime, datetime] | None] = []
    rest = question

    def take(pattern: re.Pattern[str]) -> list[re.Match[str]]:
        nonlocal rest
        matches = list(pattern.finditer(rest))
        rest = pattern.sub(" ; ", rest)
        return matches

    for match in take(_ISO):
        year, month, day, hour, minute = (_int(part) for part in match.groups())
        if hour is None or minute is None:
            found.append(_span(asked_at, year, month, day))
        else:
            start = _span(asked_at, year, month, day)[0].replace(hour=hour, minute=minute)
            found.append((start, start + timedelta(minutes=1)))
    for match in take(_MONTH_TO_MONTH):
        year = int(match[4])
        begins, ends = _MONTHS[match[1]], _MONTHS[match[3]]
        found += [_span(asked_at, _int(match[2]) or year - (begins > ends), begins), _span(asked_at, year, ends)]
    for day, until, month, year in [match.groups() for match in take(_DAY_TO_DAY)] + [
        (match[2], match[3], match[1], match[4]) for match in take(_TO_DAY)
    ]:
        found += [_span(asked_at, _int(year), _MONTHS[month], int(one)) for one in (day, until)]
    found += [_numeric(match, asked_at) for match in take(_NUMERIC)]
    found += [
        _span(asked_at, asked_at.year - ("last" in match.groups()), _MONTHS[match[1] or match[4]])
        for match in take(_MONTH_THEN)
    ]
    found += [_season(match[1], int(match[2]), asked_at) for match in take(_SEASON_YEAR)]
    found += [_span(asked_at, _int(match[3]), _MONTHS[match[2]], int(match[1])) for match in take(_DAY_MONTH)]
    found += [_span(asked_at, _int(match[3]), _MONTHS[match[1]], int(match[2])) for match in take(_MONTH_DAY)]
    found += [_span(asked_at, int(match[2]), _MONTHS[match[1]]) for match in take(_MONTH_YEAR)]
    for match in take(_IN_MONTH):
        year = asked_at.year - 1 if match[1] == "last" and _MONTHS[match[2]] == asked_at.month else None
        found += [_span(asked_at, year, _MONTHS[name]) for name in match.groups()[1:] if name]
    found += [_feast(match, asked_at) for match in take(_FEAST)]
    found += [_span(asked_at, int(year)) for match in take(_IN_YEAR) for year in match.groups() if year]
    return found


def _numeric(match: re.Match[str], asked_at: datetime) -> tuple[datetime, datetime] | None:
    """ "18.05.2023", "5/18/2023"; None where the day may be the month: "5/8/2023"."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == "." or first > 12 or first == second:
        return _span(asked_at, year, second, first)
    return _span(asked_at, year, first, second) if second > 12 else None


def _relative(question: str, asked_at: datetime) -> tuple[datetime, datetime] | None:
    day = timedelta(days=1)
    today = asked_at.replace(hour=0, minute=0, second=0, microsecond=0)
    if match := _AGO.search(question):
        unit, number = timedelta(days=_DAYS[match[2]]), _count(match[1])
        middle, reach = asked_at - number * unit, unit / (4 if number == _NUMBERS["half a"] else 2)
        return middle - reach, middle + reach
    if match := _PAST.search(question):
        return asked_at - _count(match[1] or "a") * timedelta(days=_DAYS[match[2] or match[3]]), asked_at
    if match := _BEFORE_LAST.search(question):
        return _nearby(match[1], True, _nearby(match[1], True, today)[0])
    if match := _NEAR_DAY.search(question):
        start = today - day * (2 if match[1] else 1 if match[2] else 0)
        return start, start + day
    if match := _NEARBY.search(question):
        return _nearby(match[1] or match[3], match[2] == "last", today)
    if match := _IN_SEASON.search(question):
        return _latest_season(match[2], match[1], asked_at)
    if match := _FEAST.search(question):
        return _feast(match, asked_at)
    if match := _ON_WEEKDAY.search(question):
        return _nearby(match[1], True, today)
    return None


def _latest_season(name: str, which: str, asked_at: datetime) -> tuple[datetime, datetime]:
    """The season of this year; the latest one that has begun; or the "last" one, that is over."""
    year = asked_at.year - (name == "winter" and asked_at.month < 3)
    found = _season(name, year, asked_at)
    began_or_over = found[1] if which in ("last", "past") else found[0]
    return found if which == "this" or began_or_over <= asked_at else _season(name, year - 1, asked_at)


def _season(name: str, year: int, asked_at: datetime) -> tuple[datetime, datetime]:
    first = _span(asked_at, year, _SEASONS[name])[0]
    return first, first.replace(year=year + (name == "winter"), month=(first.month + 2) % 12 + 1)


def _feast(match: re.Match[str], asked_at: datetime) -> tuple[datetime, datetime]:
    month, day, days = _FEASTS[match[2] or match[4]]
    year = _int(match[3] or match[5])
    first = _span(asked_at, year or asked_at.year, month, day)[0]
    if year is None and match[1] != "this" and first > asked_at:
        first = first.replace(year=first.year - 1)
    return first, first + timedelta(days=days)


def _nearby(word: str, last: bool, today: datetime) -> tuple[datetime, datetime]:
    """The interval of "yesterday", "last week", "this month", "last Tuesday"; `today` is a midnight."""
    day, monday = timedelta(days=1), today - timedelta(days=today.weekday())
    if word in ("yesterday", "today"):
        start = today - day if word == "yesterday" else today
        return start, start + day
    if word in _WEEKDAYS:
        back = (today.weekday() - _WEEKDAYS.index(word)) % 7 or 7 * last
        return today - back * day, today - (back - 1) * day
    if word == "month":
        start = today.replace(day=1)
        return _span(start, (start - day).year, (start - day).month) if last else _span(start, start.year, start.month)
    if word == "year":
        return _span(today, today.year - last)
    start = monday - 7 * last * day
    return (start + 5 * day if word == "weekend" else start), start + 7 * day


def _span(
    asked_at: datetime, year: int | None, month: int | None = None, day: int | None = None
) -> tuple[datetime, datetime]:
    """A year, a month or a day; without a year the latest, or the next when that is near."""
    midnight = asked_at.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight.replace(year=year or midnight.year, month=month or 1, day=day or 1)
    if year is None and first > asked_at + _COMING:
        first = first.replace(year=first.year - 1)
    if day is not None:
        return first, first + timedelta(days=1)
    if month is None:
        return first, first.replace(year=first.year + 1)
    return first, first.replace(year=first.year + month // 12, month=month % 12 + 1)


def _int(digits: str | None) -> int | None:
    return None if digits is None else int(digits)


def _count(word: str) -> float:
    return _NUMBERS[word] if word in _NUMBERS else int(word)
