"""The times that a statement tells: "yesterday", "two weeks ago", "next month", "on 8 May", and what day that was.

Pure; English, and ISO dates. What is said is resolved against the time at which it was said, and keeps the precision in
which it was told: "last year" is a year, not a day of it. What is not understood tells no time.

`mnemic.when` reads the time out of a question, where a wide interval does no harm; this one gives answers, so what
cannot be placed ("soon", "a while ago") stays unplaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

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
_NUMBER_WORDS = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: number for number, word in enumerate(_NUMBER_WORDS.split(), 1)} | {
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "couple of": 2,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
}

_NUMBER = f"({'|'.join(sorted(_NUMBERS, key=len, reverse=True))}|\\d{{1,3}})"
_MONTH = f"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\\.?"
_FULL_MONTH = f"({'|'.join(name.lower() for name in _MONTH_NAMES)})"
_WEEKDAY = f"({'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))})"
_SEASON = f"({'|'.join(_SEASONS)})"
_UNIT = "(day|week|weekend|month|year)"
_ABOUT = r"(?:about |around |almost |over |roughly |nearly |some )?"


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

    Where two ways of reading overlap, the longer one counts. A weekday alone is the latest one, or the next one after
    "this", "next", "will" or "going to".
    """
    found: list[Told] = []
    for one in sorted(_all(text.lower(), said_at), key=lambda one: (one.start, -one.end)):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return tuple(found)


def lasting(text: str, said_at: datetime) -> tuple[Lasting, ...]:
    """The lengths of time that a text tells, in reading order."""
    found: list[Lasting] = []
    lowered = text.lower()
    for match in _FOR.finditer(lowered):
        words = match["much"]
        try:
            since = _back(said_at, _count(match["n"]), match["unit"]) if match["n"] in _COUNTED else None
        except (ValueError, OverflowError):
            since = None
        found.append(Lasting(match.start("much"), match.end("much"), words, since))
    for match in _SINCE.finditer(lowered):
        found.append(
            Lasting(*match.span(), f"since {match[1]}", said_at.replace(year=int(match[1]), month=1, day=1))
            if said_at.year >= int(match[1]) > 1900
            else Lasting(*match.span(), match[0], None)
        )
    return tuple(sorted(found, key=lambda one: one.start))


def day_words(moment: datetime) -> str:
    """A day as an answer gives it: "7 May 2023"."""
    return f"{moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year}"


# -- the ways of telling a time

_ISO = re.compile(r"\b(\d{4})-(\d\d)(?:-(\d\d))?\b")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?![a-z])(?:,? (\d{{4}}))?")
_MONTH_DAY = re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?\b(?![:\d])(?:,? (\d{{4}})\b)?")
_MONTH_YEAR = re.compile(rf"\b{_MONTH},?(?: of)? (\d{{4}})\b")
_IN_MONTH = re.compile(rf"\b(in|since|during|this|last|next|early|late|mid)(?: early| late)?[ -]{_FULL_MONTH}\b(?! \d)")
_IN_YEAR = re.compile(r"\b(?:in|during|since|back in|of|by|from) ((?:19|20)\d\d)\b")
_DAYS = re.compile(
    r"\b(the day before yesterday|the day after tomorrow|yesterday|last night|tomorrow|tonight|today"
    r"|this (?:morning|afternoon|evening)|earlier today|just now)\b"
)
_RELATIVE = re.compile(
    rf"\b(?:(the )?(last|past|previous|next|coming|this|this past|this coming)) {_UNIT}\b(?! and a half)"
)
_OVER = re.compile(r"\b(?:over|on|during) the (weekend)\b")
_ON_DAY = re.compile(rf"\b(?:(last|past|this past|next|this|this coming|on|previous) )(?:on )?{_WEEKDAY}\b(?!s)")
_SEASONAL = re.compile(rf"\b(last|this|next|this past|in the|the|over the|during the) {_SEASON}\b(?: of (\d{{4}}))?")
_AGO = re.compile(
    rf"\b(?P<about>{_ABOUT}){_NUMBER} {_UNIT}s?(?: and a half)? (?:ago|back|earlier)\b"
    rf"|\b(?:the other|a few|several|some|many) {_UNIT}s?(?: ago| back)?\b"
)
_AHEAD = re.compile(rf"\b(?:in|within) {_ABOUT}{_NUMBER} {_UNIT}s?\b(?! ago)|\b{_NUMBER} {_UNIT}s? from now\b")
_COUNTED = frozenset(_NUMBERS) | frozenset(str(number) for number in range(1000))
_FOR = re.compile(
    rf"\b(?:for|spent|took|takes|been|last(?:s|ed)?|have had|had)(?: me| us| them| her| him)?"
    rf"(?: the (?:last|past))?(?: about| around| almost| over| nearly| like)? "
    rf"(?P<much>(?P<n>{_NUMBER[1:-1]}|a few|several|many) (?P<unit>hour|day|week|month|year|decade)s?)\b"
    r"(?! (?:ago|old))"
)
_SINCE = re.compile(r"\bsince (?:about |around )?((?:19|20)\d\d)\b")
_COMING = re.compile(r"\b(?:will|'ll|going to|gonna|plan(?:s|ning)?|can't wait|upcoming|coming|next|hoping to)\b")


def _all(text: str, said: datetime) -> Iterator[Told]:
    today = said.replace(hour=0, minute=0, second=0, microsecond=0)
    for pattern, reading in _READINGS:
        for match in pattern.finditer(text):
            try:
                one = reading(match, today, text)
            except (ValueError, OverflowError):  # 31 June; 3000 years ago
                continue
            if one is not None:
                first, last, precision, phrase = one
                yield Told(*match.span(), first, last, precision, phrase)


_Read = tuple[datetime, datetime, str, str] | None


def _iso(match: re.Match[str], today: datetime, _: str) -> _Read:
    year, month, day = int(match[1]), int(match[2]), match[3]
    return _day(today.replace(year=year, month=month, day=int(day))) if day else _month(today, year, month)


def _day_month(match: re.Match[str], today: datetime, text: str) -> _Read:
    return _dated(today, match[3], _MONTHS[match[2]], int(match[1]), _is_coming(text, match))


def _month_day(match: re.Match[str], today: datetime, text: str) -> _Read:
    return _dated(today, match[3], _MONTHS[match[1]], int(match[2]), _is_coming(text, match))


def _dated(today: datetime, year: str | None, month: int, day: int, coming: bool) -> _Read:
    if year:
        return _day(today.replace(year=int(year), month=month, day=day))
    here = today.replace(month=month, day=day)
    if coming and here < today:
        here = here.replace(year=here.year + 1)
    elif not coming and here > today + timedelta(days=45):
        here = here.replace(year=here.year - 1)
    return _day(here)


def _month_year(match: re.Match[str], today: datetime, _: str) -> _Read:
    return _month(today, int(match[2]), _MONTHS[match[1]])


def _in_month(match: re.Match[str], today: datetime, text: str) -> _Read:
    month = _MONTHS[match[2]]
    year = today.year
    if match[1] == "last" or (month > today.month and not _is_coming(text, match) and match[1] not in ("this", "next")):
        year -= month >= today.month
    elif month < today.month and (match[1] == "next" or _is_coming(text, match)):
        year += 1
    return _month(today, year, month)


def _in_year(match: re.Match[str], today: datetime, _: str) -> _Read:
    return _year(today, int(match[1]))


_DAY_OFFSETS = {
    "the day before yesterday": -2,
    "yesterday": -1,
    "last night": -1,
    "tomorrow": 1,
    "the day after tomorrow": 2,
}


def _near_day(match: re.Match[str], today: datetime, _: str) -> _Read:
    return _day(today + timedelta(days=_DAY_OFFSETS.get(match[1], 0)))


def _relative(match: re.Match[str], today: datetime, _: str) -> _Read:
    which, unit = match[2], match[3]
    step = {"next": 1, "coming": 1, "this coming": 0, "this": 0}.get(which, -1)
    if unit == "day":
        return None  # "this day", "the past day"
    if unit == "weekend" and which in ("this past", "past"):
        step = -1
    if match[1] and which in ("last", "past") and unit not in ("weekend", "week"):
        return None  # "the past year" is a stretch of time, not last year
    return _unit(today, unit, step)


def _unit(today: datetime, unit: str, step: int) -> _Read:
    if unit == "year":
        return _year(today, today.year + step)
    if unit == "month":
        months = today.year * 12 + today.month - 1 + step
        return _month(today, months // 12, months % 12 + 1)
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * step)
    where = {-1: "before", 0: "of", 1: "after"}.get(step)
    if unit == "weekend":
        saturday = monday + timedelta(days=5)
        if step == -1 and today.weekday() == 6:
            where = "before"
        return saturday, saturday + timedelta(days=2), unit, f"the weekend {where} {day_words(today)}"
    return monday, monday + timedelta(days=7), unit, f"the week {where} {day_words(today)}"


def _over(_: re.Match[str], today: datetime, __: str) -> _Read:
    return _unit(today, "weekend", -1)


def _on_day(match: re.Match[str], today: datetime, text: str) -> _Read:
    which, wanted = match[1], _WEEKDAYS[match[2]]
    if which in ("next", "this coming") or (which in ("on", "this") and _is_coming(text, match)):
        ahead = (wanted - today.weekday()) % 7 or 7
        return _day(today + timedelta(days=ahead), weekday=True)
    back = (today.weekday() - wanted) % 7 or 7 * (which != "this")
    return _day(today - timedelta(days=back), weekday=True)


def _seasonal(match: re.Match[str], today: datetime, text: str) -> _Read:
    which, season, year = match[1], match[2], match[3]
    begins = _SEASONS[season]
    if year:
        of = int(year)
    elif which in ("last", "this past"):
        of = today.year - (today.month < begins + 3)  # the one that is over
    elif which == "next":
        of = today.year + (today.month >= begins)
    elif which == "this" or _is_coming(text, match):
        of = today.year + (which != "this" and today.month > begins + 2)
    else:
        return None  # "the summer" may be any
    first = today.replace(year=of, month=begins, day=1)
    last = first.replace(year=of + (begins + 3) // 13, month=(begins + 2) % 12 + 1)
    return first, last, "season", f"{season} {of}"


def _ago(match: re.Match[str], today: datetime, _: str) -> _Read:
    if match[2] is None:  # "a few years ago", "the other day": said as it was said
        if not match[0].endswith(("ago", "back")):
            return None
        return today, today, "about", match[0]
    number, unit = _count(match[2]), match[3]
    if unit == "day":
        return _day(today - timedelta(days=number))
    if unit == "year":
        return _year(today, today.year - number)
    if unit == "month":
        read = _unit(today, "month", -number)
        return None if read is None else (*read[:3], f"around {read[3]}" if match["about"] else read[3])
    if number == 1:
        return _unit(today, unit, -1)
    words = f"{_written(match[2])} {unit}s before {day_words(today)}"
    middle = today - timedelta(days=7 * number)
    return middle - timedelta(days=3), middle + timedelta(days=4), unit, words


def _ahead(match: re.Match[str], today: datetime, _: str) -> _Read:
    number, unit = _count(match[1] or match[3]), match[2] or match[4]
    if unit == "day":
        return _day(today + timedelta(days=number))
    if unit in ("week", "weekend"):
        first = today + timedelta(days=7 * number)
        return (
            first,
            first + timedelta(days=7),
            "week",
            f"{_written(match[1] or match[3])} weeks after {day_words(today)}",
        )
    return _unit(today, unit, number)


_READINGS = (
    (_ISO, _iso),
    (_DAY_MONTH, _day_month),
    (_MONTH_DAY, _month_day),
    (_MONTH_YEAR, _month_year),
    (_IN_MONTH, _in_month),
    (_IN_YEAR, _in_year),
    (_DAYS, _near_day),
    (_RELATIVE, _relative),
    (_OVER, _over),
    (_ON_DAY, _on_day),
    (_SEASONAL, _seasonal),
    (_AGO, _ago),
    (_AHEAD, _ahead),
)


# -- the units


def _day(day: datetime, *, weekday: bool = False) -> _Read:
    words = f"{_WEEKDAY_NAMES[day.weekday()]}, {day_words(day)}" if weekday else day_words(day)
    return day, day + timedelta(days=1), "day", words


def _month(today: datetime, year: int, month: int) -> _Read:
    first = today.replace(year=year, month=month, day=1)
    last = first.replace(year=year + month // 12, month=month % 12 + 1)
    return first, last, "month", f"{_MONTH_NAMES[month - 1]} {year}"


def _year(today: datetime, year: int) -> _Read:
    first = today.replace(year=year, month=1, day=1)
    return first, first.replace(year=year + 1), "year", str(year)


def _is_coming(text: str, match: re.Match[str]) -> bool:
    """Whether what stands before a time speaks of what is yet to come."""
    return _COMING.search(text, max(0, match.start() - 60), match.end()) is not None


def _back(said: datetime, number: int, unit: str) -> datetime | None:
    if unit in ("hour", "decade"):
        return None
    if unit == "year":
        return said.replace(year=said.year - number, day=min(said.day, 28))
    return said - timedelta(days=number * {"day": 1.0, "week": 7.0, "month": 30.44}[unit])


def _count(word: str) -> int:
    return _NUMBERS[word] if word in _NUMBERS else int(word)


def _written(word: str) -> str:
    return {"a couple of": "two", "couple of": "two", "a": "one", "an": "one"}.get(word, word)
