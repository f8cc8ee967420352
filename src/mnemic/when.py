"""The time that a question names: "on 8 May", "in June 2023", "two weeks ago".

Pure; what is understood is English and ISO dates, and month names of German, French and Spanish. What is not
understood names no time, and the question is answered by its words.
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
    "a": 1, "an": 1, "a couple of": 2, "couple of": 2, "a few": 3, "few": 3
}  # fmt: skip
_NUMBER = f"({'|'.join(sorted(_NUMBERS, key=len, reverse=True))}|\\d{{1,3}})"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
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
    rf"\b(?:in|during|since|until|by|last|this|im|en)(?: early| mid| late)? {_MONTH}\b(?! \d)"
    rf"(?:(?:,|,? and|,? or| to) {_MONTH}\b)?"
)
_IN_YEAR = re.compile(r"\b(?:in|during|since|until|by|en) ((?:19|20)\d\d)\b")
_AGO = re.compile(rf"\b{_NUMBER} (day|week|month|year)s? (?:ago|before|earlier)\b")
_PAST = re.compile(rf"\b(?:past|last) {_NUMBER} (day|week|month|year)s?\b")
_NEARBY = re.compile(rf"\b(?:(yesterday|today)|(last|this) (week|month|year|weekend|{'|'.join(_WEEKDAYS)}))\b")

_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_RELATIVE = frozenset(["ago", "before", "earlier", "past", "last", "this", "yesterday", "today"])
"""Words of which one stands in every time that `_relative` understands."""


def named_interval(question: str, asked_at: datetime) -> tuple[int, int] | None:
    """The half-open interval that a question names, in microseconds; None where it names none, or one yet to come.

    `asked_at` (aware) is when it is asked: it resolves "last week", its zone places days, and a date without a year is
    the latest one, or the next one when that is near. Of several dates it is the time from the first to the last.
    What is yet to come is None because nothing was said then: it was talked about before.
    """
    folded = question.lower()
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
    found += [_span(asked_at, _int(match[3]), _MONTHS[match[2]], int(match[1])) for match in take(_DAY_MONTH)]
    found += [_span(asked_at, _int(match[3]), _MONTHS[match[1]], int(match[2])) for match in take(_MONTH_DAY)]
    found += [_span(asked_at, int(match[2]), _MONTHS[match[1]]) for match in take(_MONTH_YEAR)]
    found += [_span(asked_at, None, _MONTHS[name]) for match in take(_IN_MONTH) for name in match.groups() if name]
    found += [_span(asked_at, int(match[1])) for match in take(_IN_YEAR)]
    return found


def _relative(question: str, asked_at: datetime) -> tuple[datetime, datetime] | None:
    if match := _AGO.search(question):
        unit = timedelta(days=_DAYS[match[2]])
        middle = asked_at - _count(match[1]) * unit
        return middle - unit / 2, middle + unit / 2
    if match := _PAST.search(question):
        return asked_at - _count(match[1]) * timedelta(days=_DAYS[match[2]]), asked_at
    if match := _NEARBY.search(question):
        day = asked_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return _nearby(match[1] or match[3], match[2] == "last", day)
    return None


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


def _count(word: str) -> int:
    return _NUMBERS[word] if word in _NUMBERS else int(word)
