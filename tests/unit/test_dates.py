"""The times that a statement tells, and the lengths of time: what was meant, in words that need no other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.dates import Told, day_words, lasting, recurring, told

SAID = datetime(2023, 6, 9, 15, 30, tzinfo=UTC)  # a Friday
MONTHS = "January February March April May June July August September October November December"
NAMES = MONTHS.split()

Meant = tuple[datetime, datetime, str, str]


def at(iso: str, zone: timezone | ZoneInfo = UTC) -> datetime:
    return datetime.fromisoformat(iso).replace(tzinfo=zone)


def written(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{int(day)} {NAMES[int(month) - 1]} {year}"


def day(iso: str, phrase: str = "{}") -> Meant:
    return at(iso), at(iso) + timedelta(days=1), "day", phrase.format(written(iso))


def week(monday: str, phrase: str) -> Meant:
    return at(monday), at(monday) + timedelta(days=7), "week", phrase


def weekend(saturday: str, phrase: str) -> Meant:
    return at(saturday), at(saturday) + timedelta(days=2), "weekend", phrase


def month(iso: str, phrase: str = "{}") -> Meant:
    year, number = map(int, iso.split("-"))
    last = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return datetime(year, number, 1, tzinfo=UTC), last, "month", phrase.format(f"{NAMES[number - 1]} {year}")


def season(first: str, last: str, phrase: str) -> Meant:
    return at(first), at(last), "season", phrase


def year(number: int, phrase: str = "{}") -> Meant:
    return datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC), "year", phrase.format(number)


def about(phrase: str) -> Meant:
    return at("2023-06-09"), at("2023-06-09"), "about", phrase


def between(first: str, last: str, phrase: str, precision: str = "about") -> Meant:
    return at(first), at(last), precision, phrase


def minute(iso: str, phrase: str) -> Meant:
    return at(iso), at(iso) + timedelta(minutes=1), "minute", phrase


def days(first: str, last: str, phrase: str) -> Meant:
    return at(first), at(last) + timedelta(days=1), "day", phrase


def long(first: str, last: str, precision: str, phrase: str) -> Meant:
    return at(first), at(last), precision, phrase


def meant(one: Told) -> Meant:
    return one.first, one.last, one.precision, one.phrase


def read(text: str, said: datetime = SAID) -> list[tuple[str, Meant]]:
    return [(text[one.start : one.end], meant(one)) for one in told(text, said)]


# -- one time

NEAR = [
    ("I saw her yesterday.", "yesterday", day("2023-06-08")),
    ("Yesterday's talk was long.", "Yesterday", day("2023-06-08")),
    ("I slept badly last night", "last night", day("2023-06-08")),
    ("We ate out last evening.", "last evening", day("2023-06-08")),
    ("the day before yesterday it rained", "the day before yesterday", day("2023-06-07")),
    ("Day before yesterday I fell ill.", "Day before yesterday", day("2023-06-07")),
    ("The night before last we hardly slept.", "The night before last", day("2023-06-07")),
    ("I'm off tomorrow!", "tomorrow", day("2023-06-10")),
    ("the day after tomorrow is my exam", "the day after tomorrow", day("2023-06-11")),
    ("Day after tomorrow we fly.", "Day after tomorrow", day("2023-06-11")),
    ("Today I start.", "Today", day("2023-06-09")),
    ("I met Bo this morning", "this morning", day("2023-06-09")),
    ("See you this evening?", "this evening", day("2023-06-09")),
    ("Dinner tonight?", "tonight", day("2023-06-09")),
    ("Earlier today I ran.", "Earlier today", day("2023-06-09")),
    ("I JUST CAME HOME YESTERDAY", "YESTERDAY", day("2023-06-08")),
]

WEEKDAYS = [
    ("We met last Tuesday.", "last Tuesday", day("2023-06-06", "Tuesday, {}")),
    ("We met last Tues. at noon", "last Tues", day("2023-06-06", "Tuesday, {}")),
    ("I called on Friday", "on Friday", day("2023-06-02", "Friday, {}")),
    ("He came on Fri.", "on Fri", day("2023-06-02", "Friday, {}")),
    ("I went there on Thurs", "on Thurs", day("2023-06-08", "Thursday, {}")),
    ("It was good on Sunday.", "on Sunday", day("2023-06-04", "Sunday, {}")),
    ("The test is on Monday.", "on Monday", day("2023-06-12", "Monday, {}")),
    ("I'm meeting her on Tuesday.", "on Tuesday", day("2023-06-13", "Tuesday, {}")),
    ("On Tuesday I'll know more.", "On Tuesday", day("2023-06-13", "Tuesday, {}")),
    ("I'll tell you. I saw her on Tuesday.", "on Tuesday", day("2023-06-06", "Tuesday, {}")),
    ("next Tuesday we leave", "next Tuesday", day("2023-06-13", "Tuesday, {}")),
    ("We leave next Friday.", "next Friday", day("2023-06-16", "Friday, {}")),
    ("I fixed it this past Monday", "this past Monday", day("2023-06-05", "Monday, {}")),
    ("We play this coming Wednesday.", "this coming Wednesday", day("2023-06-14", "Wednesday, {}")),
    ("this Friday is quiet", "this Friday", day("2023-06-09", "Friday, {}")),
    ("There's a fair this Sunday.", "this Sunday", day("2023-06-11", "Sunday, {}")),
    ("I moved in this Tuesday.", "this Tuesday", day("2023-06-06", "Tuesday, {}")),
    ("We'll meet this Tuesday.", "this Tuesday", day("2023-06-13", "Tuesday, {}")),
    ("Party on Sat at eight", "on Sat", day("2023-06-03", "Saturday, {}")),
    ("Party next Sat night", "next Sat", day("2023-06-10", "Saturday, {}")),
    ("I ran last Sun morning", "last Sun", day("2023-06-04", "Sunday, {}")),
    ("it broke on Wed.", "on Wed", day("2023-06-07", "Wednesday, {}")),
]

UNITS = [
    ("I moved last week.", "last week", week("2023-05-29", "the week before 9 June 2023")),
    ("this week is full", "this week", week("2023-06-05", "the week of 9 June 2023")),
    ("next week I fly", "next week", week("2023-06-12", "the week after 9 June 2023")),
    (
        "It was the week before last.",
        "the week before last",
        week("2023-05-22", "the second week before 9 June 2023"),
    ),
    ("We fly the week after next", "the week after next", week("2023-06-19", "the second week after 9 June 2023")),
    ("We hiked last weekend", "last weekend", weekend("2023-06-03", "the weekend before 9 June 2023")),
    ("We hiked over the weekend", "over the weekend", weekend("2023-06-03", "the weekend before 9 June 2023")),
    ("We hiked this past weekend", "this past weekend", weekend("2023-06-03", "the weekend before 9 June 2023")),
    ("Plans for this weekend?", "this weekend", weekend("2023-06-10", "the weekend of 9 June 2023")),
    ("I'll paint over the weekend", "over the weekend", weekend("2023-06-10", "the weekend of 9 June 2023")),
    ("Plans for next weekend?", "next weekend", weekend("2023-06-17", "the weekend after 9 June 2023")),
    ("I left last month.", "last month", month("2023-05")),
    ("This month I rest.", "This month", month("2023-06")),
    ("next month I marry", "next month", month("2023-07")),
    ("It was the month before last", "the month before last", month("2023-04")),
    ("I left last year.", "last year", year(2022)),
    ("Next year, Rome!", "Next year", year(2024)),
    ("This year I rest", "This year", year(2023)),
    ("The year before last we met", "The year before last", year(2021)),
]

AGO = [
    ("Two days ago I fell.", "Two days ago", day("2023-06-07")),
    ("10 days ago I fell.", "10 days ago", day("2023-05-30")),
    ("about 10 days ago I fell", "about 10 days ago", day("2023-05-30", "around {}")),
    ("twenty-one days ago", "twenty-one days ago", day("2023-05-19")),
    ("a week ago", "a week ago", week("2023-05-29", "the week before 9 June 2023")),
    ("I left a week ago today.", "a week ago today", day("2023-06-02")),
    ("two weeks ago tomorrow", "two weeks ago tomorrow", day("2023-05-27")),
    ("two weeks ago", "two weeks ago", week("2023-05-23", "two weeks before 9 June 2023")),
    ("a couple of weeks ago", "a couple of weeks ago", week("2023-05-23", "two weeks before 9 June 2023")),
    ("a couple weeks back", "a couple weeks back", week("2023-05-23", "two weeks before 9 June 2023")),
    ("about 3 weeks ago", "about 3 weeks ago", week("2023-05-16", "around 3 weeks before 9 June 2023")),
    ("a month ago", "a month ago", month("2023-05")),
    ("a couple of months ago", "a couple of months ago", month("2023-04")),
    ("It was six months ago", "six months ago", month("2022-12")),
    ("about six months ago", "about six months ago", month("2022-12", "around {}")),
    ("half a year ago", "half a year ago", month("2022-12", "around {}")),
    ("a month and a half ago", "a month and a half ago", month("2023-04", "around {}")),
    ("a year ago", "a year ago", year(2022)),
    ("about a year ago", "about a year ago", year(2022, "around {}")),
    ("more than two years ago", "more than two years ago", year(2021, "around {}")),
    ("We met two years ago this week.", "two years ago this week", year(2021)),
    ("a year and a half ago", "a year and a half ago", month("2021-12", "around {}")),
    ("two and a half years ago", "two and a half years ago", month("2020-12", "around {}")),
    ("two years ago", "two years ago", year(2021)),
    ("15 years ago", "15 years ago", year(2008)),
    ("four years back", "four years back", year(2019)),
    ("It was 3 weekends ago", "3 weekends ago", weekend("2023-05-20", "3 weekends before 9 June 2023")),
    ("a few days ago", "a few days ago", between("2023-06-04", "2023-06-08", "a few days before 9 June 2023")),
    ("a few weeks back", "a few weeks back", between("2023-05-05", "2023-05-27", "a few weeks before 9 June 2023")),
    (
        "Several years ago, in Rome",
        "Several years ago",
        between("2014-06-09", "2020-06-09", "several years before 9 June 2023"),
    ),
    ("many years ago", "many years ago", about("many years before 9 June 2023")),
]

AHEAD = [
    ("My exam is in three days.", "in three days", day("2023-06-12")),
    ("I'm flying out in a week", "in a week", week("2023-06-16", "one week after 9 June 2023")),
    ("The wedding will be in two weeks.", "in two weeks", week("2023-06-23", "two weeks after 9 June 2023")),
    ("We're moving in two months.", "in two months", month("2023-08")),
    ("I'll be thirty in a year.", "in a year", year(2024)),
    ("In two weeks I'm off.", "In two weeks", week("2023-06-23", "two weeks after 9 June 2023")),
    ("three days from now", "three days from now", day("2023-06-12")),
    ("a week from today", "a week from today", day("2023-06-16")),
    ("two weeks from tomorrow", "two weeks from tomorrow", day("2023-06-24")),
    ("The talk is a week from Monday.", "a week from Monday", day("2023-06-19", "Monday, {}")),
    ("We fly two weeks from next Friday.", "two weeks from next Friday", day("2023-06-30", "Friday, {}")),
    ("a month from now", "a month from now", month("2023-07")),
]

DATES = [
    ("It was on 8 May.", "8 May", day("2023-05-08")),
    ("We met May 8th 2023 in Rome", "May 8th 2023", day("2023-05-08")),
    ("May 8, 2021", "May 8, 2021", day("2021-05-08")),
    ("the 8th of May", "8th of May", day("2023-05-08")),
    ("on the 8th May, 2020", "8th May, 2020", day("2020-05-08")),
    ("May the 8th", "May the 8th", day("2023-05-08")),
    ("Sept. 12, 2022", "Sept. 12, 2022", day("2022-09-12")),
    ("dec 5", "dec 5", day("2022-12-05")),
    ("2nd Jan", "2nd Jan", day("2023-01-02")),
    ("1 March 2023", "1 March 2023", day("2023-03-01")),
    ("We'll go on 20 December.", "20 December", day("2023-12-20")),
    ("They got married on 15 July.", "15 July", day("2022-07-15")),
    ("The party is on 15 July.", "15 July", day("2023-07-15")),
    ("I was born on February 29", "February 29", day("2020-02-29")),
    ("born 29 Feb 2000", "29 Feb 2000", day("2000-02-29")),
    ("On 2023-05-08 it broke", "2023-05-08", day("2023-05-08")),
    ("log: 2023-05-08T10:00:00Z", "2023-05-08", day("2023-05-08")),
    ("in 2023-05", "2023-05", month("2023-05")),
    ("May 2022 was fine", "May 2022", month("2022-05")),
    ("in June of 2019", "June of 2019", month("2019-06")),
    ("We moved in March.", "in March", month("2023-03")),
    ("We moved in August.", "in August", month("2022-08")),
    ("We're moving in August.", "in August", month("2023-08")),
    ("The fair is in July", "in July", month("2023-07")),
    ("in June it rained", "in June", month("2023-06")),
    ("last June", "last June", month("2022-06")),
    ("last May we met", "last May", month("2023-05")),
    ("I have lived here since last March.", "last March", month("2023-03")),
    ("We met last May.", "last May", month("2023-05")),
    ("last December we met", "last December", month("2022-12")),
    ("next June", "next June", month("2024-06")),
    ("next September", "next September", month("2023-09")),
    ("this December", "this December", month("2023-12")),
    ("in late April", "in late April", month("2023-04")),
    ("It was mid-April.", "mid-April", month("2023-04")),
    ("at the end of May", "the end of May", month("2023-05")),
    ("in May", "in May", month("2023-05")),
    ("back in 2019", "back in 2019", year(2019)),
    ("since 2016", "since 2016", year(2016)),
    ("in 1969.", "in 1969", year(1969)),
]

SEASONS = [
    ("the summer of 2022", "the summer of 2022", season("2022-06-01", "2022-09-01", "summer 2022")),
    ("in the fall of 2021", "in the fall of 2021", season("2021-09-01", "2021-12-01", "fall 2021")),
    ("Spring 2020 was odd", "Spring 2020", season("2020-03-01", "2020-06-01", "spring 2020")),
    ("last summer", "last summer", season("2022-06-01", "2022-09-01", "summer 2022")),
    ("last winter", "last winter", season("2022-12-01", "2023-03-01", "winter 2022/23")),
    ("this past spring", "this past spring", season("2023-03-01", "2023-06-01", "spring 2023")),
    ("this summer we rest", "this summer", season("2023-06-01", "2023-09-01", "summer 2023")),
    ("next summer", "next summer", season("2024-06-01", "2024-09-01", "summer 2024")),
    ("next autumn", "next autumn", season("2023-09-01", "2023-12-01", "autumn 2023")),
    ("We moved here last fall.", "last fall", season("2022-09-01", "2022-12-01", "fall 2022")),
    ("This fall we go to Maine.", "This fall", season("2023-09-01", "2023-12-01", "fall 2023")),
]


@pytest.mark.parametrize(
    ("text", "words", "expected"), [*NEAR, *WEEKDAYS, *UNITS, *AGO, *AHEAD, *DATES, *SEASONS], ids=lambda x: str(x)[:40]
)
def test_a_time_is_told(text: str, words: str, expected: Meant) -> None:
    assert read(text) == [(words, expected)]


_STRETCHES = [
    (
        "It rained for the past month",
        "for the past month",
        long("2023-05-09", "2023-06-09", "about", "the month up to {}"),
    ),
    ("the past year was hard", "the past year", long("2022-06-09", "2023-06-09", "about", "the year up to {}")),
    (
        "over the last two weeks",
        "over the last two weeks",
        long("2023-05-26", "2023-06-09", "about", "the two weeks up to {}"),
    ),
    (
        "I'll rest in the next 3 days",
        "in the next 3 days",
        long("2023-06-09", "2023-06-12", "about", "the 3 days from {} on"),
    ),
    (
        "I'm away for the next week.",
        "for the next week",
        long("2023-06-09", "2023-06-16", "about", "the week from {} on"),
    ),
]
STRETCHES = [(text, words, (*read[:3], read[3].format("9 June 2023"))) for text, words, read in _STRETCHES]

RANGES = [
    ("Camp is on July 12-15", "July 12-15", days("2023-07-12", "2023-07-15", "12 to 15 July 2023")),
    ("open June 20th to 24th", "June 20th to 24th", days("2023-06-20", "2023-06-24", "20 to 24 June 2023")),
    ("from 3 to 5 May 2022", "3 to 5 May 2022", days("2022-05-03", "2022-05-05", "3 to 5 May 2022")),
    (
        "between the 3rd and 5th of May",
        "between the 3rd and 5th of May",
        days("2023-05-03", "2023-05-05", "3 to 5 May 2023"),
    ),
    ("between May and July", "between May and July", long("2023-05-01", "2023-08-01", "month", "May to July 2023")),
    ("April-June 2022", "April-June 2022", long("2022-04-01", "2022-07-01", "month", "April to June 2022")),
    (
        "from November to February 2022",
        "from November to February 2022",
        long("2021-11-01", "2022-03-01", "month", "November 2021 to February 2022"),
    ),
    ("I taught from 2010 to 2015", "from 2010 to 2015", long("2010-01-01", "2016-01-01", "year", "2010 to 2015")),
    (
        "It rained from May 28 to June 2.",
        "from May 28 to June 2",
        days("2023-05-28", "2023-06-02", "28 May 2023 to 2 June 2023"),
    ),
    (
        "between Dec 30, and",
        "Dec 30",
        day("2022-12-30"),
    ),
    (
        "We stayed from December 30 to January 2, 2021",
        "from December 30 to January 2, 2021",
        days("2020-12-30", "2021-01-02", "30 December 2020 to 2 January 2021"),
    ),
    ("in the late seventies", "in the late seventies", long("1970-01-01", "1980-01-01", "about", "the 1970s")),
    ("I graduated in '09.", "in '09", year(2009)),
    ("the class of '98", "of '98", year(1998)),
    ("music of the '80s", "of the '80s", long("1980-01-01", "1990-01-01", "about", "the 1980s")),
    ("in the 1990s", "in the 1990s", long("1990-01-01", "2000-01-01", "about", "the 1990s")),
    ("in Q2 2022", "in Q2 2022", long("2022-04-01", "2022-07-01", "season", "Q2 2022")),
    ("next quarter", "next quarter", long("2023-07-01", "2023-10-01", "season", "Q3 2023")),
]

PARTS = [
    ("the weekend of June 24th", "the weekend of June 24th", weekend("2023-06-24", "the weekend of 24 June 2023")),
    ("the week of June 20", "the week of June 20", week("2023-06-19", "the week of 20 June 2023")),
    ("the first week of May", "the first week of May", week("2023-05-01", "the first week of May 2023")),
    (
        "the last weekend of May 2022",
        "the last weekend of May 2022",
        weekend("2022-05-28", "the last weekend of May 2022"),
    ),
    ("the second Saturday of next month", "the second Saturday of next month", day("2023-07-08", "Saturday, {}")),
    ("the last Monday in May 2022", "the last Monday in May 2022", day("2022-05-30", "Monday, {}")),
    ("14th this month", "14th this month", day("2023-06-14")),
    ("the 3rd of last month", "the 3rd of last month", day("2023-05-03")),
    ("It has to be done by the 15th.", "by the 15th", day("2023-06-15")),
    ("It broke on the 15th.", "on the 15th", day("2023-05-15")),
    ("I'll be done by the end of the month", "by the end of the month", month("2023-06")),
    ("my February budget was low", "February", month("2023-02")),
    ("early May was cold", "early May", month("2023-05")),
    ("late 2019", "late 2019", year(2019)),
    ("Plans for the weekend?", "for the weekend", weekend("2023-06-10", "the weekend of 9 June 2023")),
]

MORE_DAYS = [
    ("I got it on Tuesday last week.", "on Tuesday last week", day("2023-05-30", "Tuesday, {}")),
    ("Friday of next week", "Friday of next week", day("2023-06-16", "Friday, {}")),
    ("next week on Monday", "next week on Monday", day("2023-06-12", "Monday, {}")),
    ("two Sundays ago", "two Sundays ago", day("2023-05-28", "Sunday, {}")),
    ("the Friday before last", "the Friday before last", day("2023-05-26", "Friday, {}")),
    ("I need it by Tuesday.", "by Tuesday", day("2023-06-13", "Tuesday, {}")),
    ("We spent Saturday morning outside", "Saturday", day("2023-06-03", "Saturday, {}")),
    ("See you Monday night", "Monday", day("2023-06-12", "Monday, {}")),
    ("The plumber comes on Tuesday.", "on Tuesday", day("2023-06-13", "Tuesday, {}")),
    ("My exam is this Wednesday.", "this Wednesday", day("2023-06-14", "Wednesday, {}")),
    ("The concert is on the 15th.", "on the 15th", day("2023-06-15")),
    ("in June of last year", "in June of last year", month("2022-06")),
    ("Monday night we sang.", "Monday", day("2023-06-05", "Monday, {}")),
    ("I will have surgery in March.", "in March", month("2024-03")),
    ("a fortnight ago", "a fortnight ago", week("2023-05-23", "2 weeks before 9 June 2023")),
    ("an hour ago", "an hour ago", day("2023-06-09")),
    ("two decades ago", "two decades ago", year(2003, "around {}")),
    ("11/25/2022", "11/25/2022", day("2022-11-25")),
    ("25.11.2022", "25.11.2022", day("2022-11-25")),
    ("2022/11/25", "2022/11/25", day("2022-11-25")),
    ("due on 6/30", "on 6/30", day("2023-06-30")),
    ("Tickets for the 12th of May", "12th of May", day("2023-05-12")),
]

HOLIDAYS = [
    ("last Christmas", "last Christmas", day("2022-12-25")),
    ("I'll be home for Christmas.", "for Christmas", day("2023-12-25")),
    ("We met on New Year's Eve", "on New Year's Eve", day("2022-12-31")),
    ("Thanksgiving 2021", "Thanksgiving 2021", day("2021-11-25")),
    ("Easter 2024", "Easter 2024", day("2024-03-31")),
    ("Good Friday 2022", "Good Friday 2022", day("2022-04-15")),
    ("last Memorial Day", "last Memorial Day", day("2023-05-29")),
    ("next Mother's Day", "next Mother's Day", day("2024-05-12")),
    ("I got it for Valentine's Day", "for Valentine's Day", day("2023-02-14")),
    ("this Halloween we'll dance", "this Halloween", day("2023-10-31")),
]

CLOCKS = [
    ("We meet on June 14 at 4:30 PM.", "June 14 at 4:30 PM", minute("2023-06-14T16:30", "14 June 2023 at 16:30")),
    ("It was at 9 a.m. yesterday", "at 9 a.m. yesterday", minute("2023-06-08T09:00", "8 June 2023 at 09:00")),
    ("tonight at 8", "tonight at 8", minute("2023-06-09T20:00", "9 June 2023 at 20:00")),
    ("next Tuesday at 14:15", "next Tuesday at 14:15", minute("2023-06-13T14:15", "Tuesday, 13 June 2023 at 14:15")),
    ("tomorrow at noon", "tomorrow at noon", minute("2023-06-10T12:00", "10 June 2023 at 12:00")),
    ("tomorrow, 8 PM EST", "tomorrow, 8 PM EST", minute("2023-06-11T01:00", "11 June 2023 at 01:00")),
    ("tomorrow at 8 PM ET", "tomorrow", day("2023-06-10")),  # winter time or summer time?
    ("tomorrow at 8", "tomorrow", day("2023-06-10")),
    ("tomorrow at 8:30", "tomorrow", day("2023-06-10")),
    ("tomorrow around 4 PM", "tomorrow", day("2023-06-10")),
    ("tomorrow at 14 PM", "tomorrow", day("2023-06-10")),
]


FAMILIES = [*STRETCHES, *RANGES, *PARTS, *MORE_DAYS, *HOLIDAYS, *CLOCKS]


@pytest.mark.parametrize(("text", "words", "expected"), FAMILIES, ids=lambda x: str(x)[:40])
def test_a_time_of_other_families_is_told(text: str, words: str, expected: Meant) -> None:
    assert read(text) == [(words, expected)]


@pytest.mark.parametrize(
    ("said", "text", "expected"),
    [
        # a date without a year is a near one, whatever else the sentence tells
        ("2023-03-15", "I promised to read them by June 30", day("2023-06-30")),
        ("2023-03-15", "How do I meet my June 30 deadline?", day("2023-06-30")),
        ("2023-06-15", "I'm happy since I sent it on June 14", day("2023-06-14")),
        ("2023-06-15", "I'm planning it with what she said on June 9", day("2023-06-09")),
        ("2023-05-10", "My draft reached 900 words by May 13", day("2023-05-13")),
        ("2023-05-10", "I have booked rooms on May 11 for Bo", day("2023-05-11")),
        ("2023-06-15", "The deadline on June 12 was hard", day("2023-06-12")),
        ("2023-07-15", "after the teacher's July 8 feedback", day("2023-07-08")),
        ("2023-06-15", "I wait for it to be released on June 20", day("2023-06-20")),
        ("2023-06-15", "It is free since June 20", day("2022-06-20")),
        ("2023-07-21", "I like the idea of a run in January", month("2024-01")),
        ("2023-03-15", "once the script is finished in early May", month("2023-05")),
        ("2023-06-15", "I hope to join them in September, and I've been reading a lot", month("2023-09")),
        ("2023-05-24", "I was thinking of a walk this weekend", weekend("2023-05-27", "the weekend of 24 May 2023")),
        ("2023-05-25", "I've got it all packed this weekend", weekend("2023-05-27", "the weekend of 25 May 2023")),
        ("2023-05-09", "I moved to Porto in May", month("2023-05")),
        ("2023-06-09", "It was extended until Thursday", day("2023-06-15", "Thursday, {}")),
        ("2023-06-09", "I saw it at my cousin's wedding on Tuesday", day("2023-06-06", "Tuesday, {}")),
    ],
)  # fmt: skip
def test_a_date_is_the_near_one(said: str, text: str, expected: Meant) -> None:
    assert [meaning for _, meaning in read(text, at(f"{said}T12:00"))] == [expected]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("I came on May 3. Two days later I left.", "Two days later", day("2023-05-05")),
        ("I came on May 3 and left the next day", "the next day", day("2023-05-04")),
        ("I came on May 3; that day it rained", "that day", day("2023-05-03")),
        ("May 3 and the following week", "the following week", week("2023-05-08", "the week after 3 May 2023")),
        ("I came last week and left the same week", "the same week", week("2023-05-29", "the week of 29 May 2023")),
        ("We met in 2010 and married three years later", "three years later", year(2013)),
        ("We met in May 2010; a month later we married", "a month later", month("2010-06")),
        ("I came on May 3 and married a year later", "a year later", month("2024-05", "around {}")),
        ("the day before May 3", "the day before", day("2023-05-02")),
        ("three days before Christmas 2022", "three days before", None),
        ("two weeks after May 3", "two weeks after", week("2023-05-14", "2 weeks after 3 May 2023")),
        ("on Monday and Wednesday", "Wednesday", day("2023-06-07", "Wednesday, {}")),
        ("September, October and November 2022", "October", month("2022-10")),
    ],
)  # fmt: skip
def test_a_time_is_told_from_another_one(text: str, words: str, expected: Meant | None) -> None:
    found = dict(read(text))
    assert found.get(words) == (expected or day("2022-12-22"))


@pytest.mark.parametrize(
    "text",
    [
        "the next day we left",
        "Two days later I left.",
        "that day it rained",
        "In May I came. The next day I left.",  # which day of May?
        "In 2010 we met; two weeks later we married.",
        "On May 3 I came.\n\nThe next day is another story.",
        "On May 3 I came. I took the same-day train.",
    ],
)
def test_what_depends_on_a_time_that_is_not_exact_enough_stays_untold(text: str) -> None:
    assert len(read(text)) <= text.count("May") + text.count("2010")


@pytest.mark.parametrize(
    ("year", "easter"), [(1961, "04-02"), (2000, "04-23"), (2016, "03-27"), (2024, "03-31"), (2038, "04-25")]
)
def test_easter_is_when_it_is(year: int, easter: str) -> None:
    assert read(f"Easter {year}")[0][1] == day(f"{year}-{easter}")


@pytest.mark.parametrize(
    ("said", "text", "expected"),
    [
        # turns of the year and of the month
        ("2023-01-01", "yesterday", day("2022-12-31")),
        ("2023-01-15", "last month", month("2022-12")),
        ("2023-12-31", "next month", month("2024-01")),
        ("2023-12-31", "tomorrow", day("2024-01-01")),
        ("2023-01-31", "My trip is in one month.", month("2023-02")),
        ("2023-03-31", "a month ago", month("2023-02")),
        ("2024-01-31", "a month from today", day("2024-02-29")),
        ("2023-10-31", "four months from today", day("2024-02-29")),
        ("2024-02-28", "tomorrow", day("2024-02-29")),
        ("2024-03-01", "yesterday", day("2024-02-29")),
        ("2023-03-01", "yesterday", day("2023-02-28")),
        ("2024-02-29", "last year", year(2023)),
        ("2024-02-29", "a year from today", day("2025-02-28")),
        ("2023-01-02", "last week", week("2022-12-26", "the week before 2 January 2023")),
        ("2023-12-20", "in January we met", month("2023-01")),
        ("2023-12-20", "We'll meet in January", month("2024-01")),
        ("2023-12-20", "The fair is on 5 January", day("2024-01-05")),
        ("2023-01-05", "We met on 20 December", day("2022-12-20")),
        # the seasons across it
        ("2023-01-20", "last winter", season("2021-12-01", "2022-03-01", "winter 2021/22")),
        ("2023-01-20", "this winter", season("2022-12-01", "2023-03-01", "winter 2022/23")),
        ("2023-01-20", "next winter", season("2023-12-01", "2024-03-01", "winter 2023/24")),
        ("2023-03-20", "last winter", season("2022-12-01", "2023-03-01", "winter 2022/23")),
        ("2023-12-20", "last winter", season("2022-12-01", "2023-03-01", "winter 2022/23")),
        ("2023-12-20", "this winter", season("2023-12-01", "2024-03-01", "winter 2023/24")),
        ("2024-02-20", "the coming winter", season("2024-12-01", "2025-03-01", "winter 2024/25")),
        ("2023-12-20", "We'll build it this summer", season("2024-06-01", "2024-09-01", "summer 2024")),
        ("2023-07-20", "last summer", season("2022-06-01", "2022-09-01", "summer 2022")),
        ("2023-10-20", "last summer", season("2023-06-01", "2023-09-01", "summer 2023")),
        # days of the week, from other days of the week
        ("2023-06-04", "last weekend", weekend("2023-05-27", "the weekend before 4 June 2023")),  # a Sunday
        ("2023-06-04", "this weekend was fun", weekend("2023-06-03", "the weekend of 4 June 2023")),
        ("2023-06-05", "I went hiking this weekend", weekend("2023-06-03", "the weekend before 5 June 2023")),
        ("2023-06-05", "This weekend I'll hike", weekend("2023-06-10", "the weekend of 5 June 2023")),
        ("2023-06-04", "I saw it this Friday", day("2023-06-02", "Friday, {}")),
        ("2023-06-06", "this Friday is the exam", day("2023-06-09", "Friday, {}")),
        ("2023-06-06", "I saw her this Friday", day("2023-06-02", "Friday, {}")),
        ("2023-06-06", "on Tuesday I fell", day("2023-05-30", "Tuesday, {}")),
        ("2023-06-11", "last Sunday", day("2023-06-04", "Sunday, {}")),
        # months next door
        ("2023-08-09", "last June", month("2023-06")),
        ("2023-08-09", "this June", month("2023-06")),
        ("2023-08-09", "since April", month("2023-04")),
        ("2023-05-09", "since June", month("2022-06")),
    ],
)
def test_it_is_told_from_the_day_on_which_it_was_said(said: str, text: str, expected: Meant) -> None:
    assert [meaning for _, meaning in read(text, at(f"{said}T12:00"))] == [expected]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("I left yesterday and came back today.", ["8 June 2023", "9 June 2023"]),
        (
            "Last week I was ill, the week before last I was fine.",
            ["the week before 9 June 2023", "the second week before 9 June 2023"],
        ),
        ("From May 3 to 5 June 2023", ["3 May 2023", "5 June 2023"]),
        ("last Tuesday, May 2", ["Tuesday, 6 June 2023", "2 May 2023"]),
        ("In 2019 we met, in 2021 we married.", ["2019", "2021"]),
        ("Not yesterday, the day before yesterday!", ["8 June 2023", "7 June 2023"]),
        ("I didn't sleep last night, nor the night before last.", ["8 June 2023", "7 June 2023"]),
        ("two weeks ago, or a month ago", ["two weeks before 9 June 2023", "May 2023"]),
        ("in June 2022 and in June", ["June 2022", "June 2023"]),
    ],
)  # fmt: skip
def test_several_times_are_told_in_reading_order(text: str, phrases: Sequence[str]) -> None:
    assert [one.phrase for one in told(text, SAID)] == phrases


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Soon. A while ago. The other day. Recently. Some day. Once.",
        # words that are called like months, days and seasons
        "This may be wrong.",
        "May 2 friends come, too?",
        "May I ask you something?",
        "12 may be too many",
        "Only 5 may enter.",
        "What comes next may surprise you.",
        "The last may be first.",
        "We march on.",
        "We had to march 5 miles.",
        "They march 20 km a day",
        "I will march in June's parade",
        "In May 1500 people came? No, in 1500 houses",
        "I sat down. He last sat here.",
        "The one who last sat at the desk",
        "this sat badly with me",
        "I love this sun!",
        "It depends on sun and rain",
        "Put on sun cream",
        "the last sun of the day",
        "mon ami, on mon chemin",
        "They wed in a church",
        "When did you last fall?",
        "I had a bad fall. This fall broke my arm.",
        "when I last fall asleep",
        "the next fall off the bike hurts",
        "Wait a second. The second one.",
        "spring water, summer dress, fall down",
        "in the summer I swim",
        "August company, April Ludgate, June Carter, in April's room",
        "an august man",
        # numbers
        "8/5, 5.8.2023, 08-05",
        "8/5/2023, on 5/8, on 13/13",
        "15/30 right, 24/7, 4/29 of them",
        "3-5 people in May's room",
        "on 31 June",
        "February 30",
        "1,000 years ago",
        "1.5 years ago",
        "2-3 weeks ago",
        "two or three weeks ago",
        "2000 years ago there was",
        "0 days ago",
        "in 2000 words",
        "of 2019 dollars",
        "call 5551-12-3456 or 030-2023-05",
        "at 10:30 may I come?",
        "the score was 3.12 may",
        "2023-13-01",
        "2023-02-30",
        "In 20200 we will see",
        # lengths of time, and times told from another one
        "it lasted a week",
        "make it last for a week",
        "this one day",
        "this day",
        "for three years",
        "I read it in three days",
        "I haven't seen him in three years",
        "my best day in a month",
        "We won for the first time in two years.",
        "I lost 5 kg within a month",
        "He had left two days earlier.",
        "the next week they married",
        "the previous year they had met",
        "the last week of the holidays",
        "the last two weeks of school",
        "the past few years, the last few days, the coming weeks",
        "this weekend trip was not cheap",
        "in today's world",
        "the last Friday of each month",
        "twice a week, once a month, every year",
        "two years old",
        # habits
        "on Fridays I sing",
        "every Friday",
        "on Friday nights we sing",
        "Monday to Friday",
        "from Monday to Friday",
        "every Friday night I'll sing",
        "on Christmas we sing",
        "Christmas cookies, a Halloween costume, Easter eggs",
        "for Christmas cookies",
        "in my twenties, in the 20s",
        "highs in the 80s",
        "temperatures in the eighties",
        "It feels like yesterday. It's as if it was only yesterday.",
        "two weeks from Monday to Friday",
        "in the 1900s",
        "in the last quarter we scored",
        "Q3 goals",
        "a gift for June",
        "a play from April",
        "what it is for may differ",
        "the third time, the first week, on the 4th floor",
        "on the 15th",
        # other languages
        "Gestern war ich im Kino, letzte Woche auch. Vor zwei Jahren.",
        "Hier, je suis allé; la semaine dernière; il y a deux ans.",
        "Ayer fui; la semana pasada; hace dos años.",
        "昨天我去了。去年も行きました。",
        "вчера, в прошлом году",
        "📅🗓️ \x00 \ud800",
        "sept. jours",
    ],
)
def test_what_is_no_time_tells_none(text: str) -> None:
    assert read(text) == []


# -- where the words stand


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("İstanbul'da yesterday", "yesterday"),  # its lower case has one character more
        ("🎂🎂 two weeks ago 🎂", "two weeks ago"),
        ("It was last\u00a0week", "last\u00a0week"),
        ("It was two\nweeks\tago", "two\nweeks\tago"),
        ("two  weeks   ago", "two  weeks   ago"),
        ("on 8\u202fMay\u00a02023", "8\u202fMay\u00a02023"),
        ("\x00yesterday\x00", "yesterday"),
        ("I can’t: I’m away. The exam’s in three days", "in three days"),
        ("(yesterday)", "yesterday"),
        ("“last night”", "last night"),
        ("*yesterday*", "yesterday"),
    ],
)
def test_the_span_is_that_of_the_words(text: str, words: str) -> None:
    assert [told_words for told_words, _ in read(text)] == [words]


def test_days_begin_where_it_was_said() -> None:
    late = datetime(2023, 6, 9, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    (here,) = told("yesterday", late)
    assert here.phrase == "8 June 2023"
    assert here.first == datetime(2023, 6, 8, tzinfo=ZoneInfo("America/New_York"))
    (there,) = told("yesterday", late.astimezone(UTC))
    assert there.phrase == "9 June 2023"
    ahead = timezone(timedelta(hours=14))
    assert told("today", SAID.astimezone(ahead))[0].phrase == "10 June 2023"


def test_a_day_is_one_of_the_calendar_also_where_the_clocks_change() -> None:
    (one,) = told("yesterday", datetime(2023, 3, 27, 12, tzinfo=ZoneInfo("Europe/Lisbon")))
    assert (one.first.isoformat(), one.last.isoformat()) == ("2023-03-26T00:00:00+00:00", "2023-03-27T00:00:00+01:00")


@pytest.mark.parametrize("said", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_tell_what_they_can(said: datetime) -> None:
    everything = PIECES
    for text in [*everything, "999 years ago", "in 999 years", "since 1900", "for 900 years", "for 999 months"]:
        told(text, said)
        lasting(text, said)
    assert told("today", said)[:1] == () or told("today", said)[0].precision == "day"


# -- laws

PIECES = [text for text, *_ in [*NEAR, *WEEKDAYS, *UNITS, *AGO, *AHEAD, *DATES, *SEASONS, *FAMILIES]]
PIECES.extend(["two days later", "the following week", "that day", "the day before", "a year earlier", "and October"])
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11)), ZoneInfo("Asia/Kolkata")]))
TEXTS = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=6).map(" ".join),
    st.lists(st.sampled_from(" ".join(PIECES).split()), max_size=12).map(" ".join),
)


@given(TEXTS, MOMENTS)
def test_times_are_spans_of_the_text_in_order_and_have_a_length(text: str, said: datetime) -> None:
    end = 0
    for one in told(text, said):
        assert end <= one.start < one.end <= len(text)
        end = one.end
        assert text[one.start : one.end] == text[one.start : one.end].strip()
        assert one.first < one.last or one.precision == "about"
        assert one.precision in ("minute", "day", "weekend", "week", "month", "season", "year", "about")
        assert one.phrase
        assert one.first.tzinfo == said.tzinfo
    for length in lasting(text, said):
        assert 0 <= length.start < length.end <= len(text)
        assert length.phrase
        assert length.since is None or length.since <= said


@given(TEXTS.filter(str.isascii), MOMENTS)
def test_letter_case_says_nothing(text: str, said: datetime) -> None:
    plain = told(text, said)
    assert told(text.upper(), said) == plain == told(text.lower(), said) == told(text.title().swapcase(), said)
    assert [one.since for one in lasting(text.upper(), said)] == [one.since for one in lasting(text, said)]


@given(
    st.sampled_from(["last Tuesday", "next Sat night", "on Friday", "this Sunday", "yesterday", "two days ago"]),
    st.integers(-500, 500),
    st.integers(0, 6),
)
def test_weeks_later_it_is_weeks_later(text: str, weeks: int, days: int) -> None:
    said = SAID + timedelta(days=days)
    (now,), (then,) = told(text, said), told(text, said + timedelta(weeks=weeks))
    assert then.first - now.first == then.last - now.last == timedelta(weeks=weeks)
    assert then.precision == now.precision


@given(st.sampled_from([*NEAR, *UNITS, *DATES]), MOMENTS)
def test_a_phrase_tells_the_same_day_at_any_later_time(case: tuple[str, str, Meant], later: datetime) -> None:
    """Of a day, a month and a year: the phrase needs no other words."""
    (one,) = told(case[0], SAID)
    if one.precision in ("day", "month"):
        assert [again.phrase for again in told(one.phrase, later)] == [one.phrase]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday " * 10_000,
        "a couple of " * 9_000,
        "in " * 33_000,
        "about about " * 8_000,
        "x" * 100_000,
        " " * 100_000,
        "1" * 100_000,
        "twenty-" * 14_000,
        "may 5 " * 16_000,
        "on friday " * 10_000,
        "for the last for about " * 4_300,
        "a.b@c-d/e_f'" * 8_000,
        "We talked a while about this and that, and in three days it will be good again. " * 1_250,
        "\n" * 100_000,
        "the day before " * 6_600,
    ],
    ids=lambda text: text[:12],
)
def test_a_long_text_is_read_within_a_second(text: str) -> None:
    started = time.process_time()
    told(text, SAID)
    lasting(text, SAID)
    assert time.process_time() - started < 1.0


# -- lengths of time


@pytest.mark.parametrize(
    ("text", "phrase", "since"),
    [
        ("I lived there for three years.", "three years", "2020-06-09"),
        ("I've been ill for the past two weeks", "two weeks", "2023-05-26"),
        ("make it last for a week", "a week", "2023-06-02"),
        ("It lasted a week", "a week", "2023-06-02"),
        ("We've been married 5 years now", "5 years", "2018-06-09"),
        ("for over 10 years", "10 years", "2013-06-09"),
        ("for more than ten years", "ten years", "2013-06-09"),
        ("for about a month", "a month", "2023-05-09"),
        ("It took me two days", "two days", "2023-06-07"),
        ("I spent a couple of months there", "a couple of months", "2023-04-09"),
        ("for a few years", "a few years", None),
        ("for a year and a half", "a year and a half", "2021-12-09"),
        ("for two and a half years", "two and a half years", "2020-12-09"),
        ("for half a year", "half a year", "2022-12-09"),
        ("for twenty-one days", "twenty-one days", "2023-05-19"),
        ("for two decades", "two decades", "2003-06-09"),
        ("I've had him for three years", "three years", "2020-06-09"),
        ("I have had him three years", "three years", "2020-06-09"),
        ("We talked for two hours", "two hours", "2023-06-09"),
        ("since 2016", "since 2016", "2016-01-01"),
        ("SINCE 2016", "since 2016", "2016-01-01"),
        ("since around 2016", "since 2016", "2016-01-01"),
    ],
)
def test_a_length_of_time_is_told(text: str, phrase: str, since: str | None) -> None:
    (one,) = lasting(text, SAID)
    assert one.phrase == phrase
    assert (one.since and f"{one.since:%Y-%m-%d}") == since


@pytest.mark.parametrize(
    "text",
    [
        "two weeks ago",
        "I've been there two weeks ago.",
        "He is five years old",
        "for ages, for a while",
        "1,000 years",
        "for 2.5 years",
        "I took a day off",
        "I had a day to remember",
        "since 2087",
        "for a second",
        "",
    ],
)
def test_what_is_no_length_of_time_tells_none(text: str) -> None:
    assert lasting(text, SAID) == ()


def test_lengths_end_on_days_that_there_are() -> None:
    assert lasting("for a month", at("2023-03-31"))[0].since == at("2023-02-28")
    assert lasting("for a year", at("2024-02-29"))[0].since == at("2023-02-28")
    assert lasting("for four years", at("2024-02-29"))[0].since == at("2020-02-29")


def test_a_day_in_words() -> None:
    assert day_words(at("2023-05-07")) == "7 May 2023"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("We decided to deploy on Fridays only.", ["on Fridays only"]),
        ("Yoga is every Tuesday at 6.", ["every Tuesday at 6"]),
        ("The bins go out on Monday evenings.", ["on Monday evenings"]),
        ("I take my pills twice a day.", ["twice a day"]),
        (
            "Standup is daily at 9:30, choir Mondays and Thursdays at 7 pm.",
            ["daily at 9:30", "Mondays and Thursdays at 7 pm"],
        ),
        ("We meet on the first Monday of each month.", ["on the first Monday of each month"]),
        ("He left on Friday night.", []),
        ("We deploy on Friday.", []),
    ],
)
def test_what_happens_again_and_again(text: str, told: list[str]) -> None:
    assert [text[start:end] for start, end in recurring(text)] == told
