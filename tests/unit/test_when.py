"""The time that a question names."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mnemic.times import micros
from mnemic.when import named_interval

ASKED = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)  # a Wednesday


def span(start, end):
    return tuple(micros(datetime.fromisoformat(f"{day}T00:00:00+00:00")) for day in (start, end))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What happened on 8 May 2023?", span("2023-05-08", "2023-05-09")),
        ("What happened on the 8th of May, 2023?", span("2023-05-08", "2023-05-09")),
        ("What did we eat on March 5th?", span("2026-03-05", "2026-03-06")),
        ("What did we eat on December 5?", span("2025-12-05", "2025-12-06")),
        ("Where was Ana in June 2024?", span("2024-06-01", "2024-07-01")),
        ("Where was Ana in December?", span("2025-12-01", "2026-01-01")),
        ("What did I read in January and March?", span("2026-01-01", "2026-04-01")),
        ("How many days between 1 May and 3 May?", span("2026-05-01", "2026-05-04")),
        ("What changed in 2024?", span("2024-01-01", "2025-01-01")),
        ("Notes of 2026-05-08", span("2026-05-08", "2026-05-09")),
        ("Was hat er am 3. März gesagt?", span("2026-03-03", "2026-03-04")),
        ("What did I do yesterday?", span("2026-05-19", "2026-05-20")),
        ("How far did I run last week?", span("2026-05-11", "2026-05-18")),
        ("Where did I go last weekend?", span("2026-05-16", "2026-05-18")),
        ("What did I buy last month?", span("2026-04-01", "2026-05-01")),
        ("Who came last Friday?", span("2026-05-15", "2026-05-16")),
        ("What did I plan last year?", span("2025-01-01", "2026-01-01")),
        # seasons
        ("What did we do last spring?", span("2025-03-01", "2025-06-01")),
        ("What did Ana do last summer?", span("2025-06-01", "2025-09-01")),
        ("Where did we ski last winter?", span("2025-12-01", "2026-03-01")),
        ("Where was Ana in the summer of 2023?", span("2023-06-01", "2023-09-01")),
        ("What did Ben paint in summer 2023?", span("2023-06-01", "2023-09-01")),
        ("Who visited in the winter of 2022?", span("2022-12-01", "2023-03-01")),
        ("What did she study in fall 2024?", span("2024-09-01", "2024-12-01")),
        ("What did I plant this spring?", span("2026-03-01", "2026-06-01")),
        ("What happened in the autumn?", span("2025-09-01", "2025-12-01")),
        ("What did we do over the summer?", span("2025-06-01", "2025-09-01")),
        ("Who came this past winter?", span("2025-12-01", "2026-03-01")),
        ("Who fell last fall?", span("2025-09-01", "2025-12-01")),
        # near days
        ("What did I say the day before yesterday?", span("2026-05-18", "2026-05-19")),
        ("What did I eat last night?", span("2026-05-19", "2026-05-20")),
        ("What did I do this morning?", span("2026-05-20", "2026-05-21")),
        ("What did we discuss on Monday?", span("2026-05-18", "2026-05-19")),
        ("What did we do on Wednesday?", span("2026-05-13", "2026-05-14")),
        ("What did we do the week before last?", span("2026-05-04", "2026-05-11")),
        ("What did we do the month before last?", span("2026-03-01", "2026-04-01")),
        # months and years
        ("What did Ana write in early June 2024?", span("2024-06-01", "2024-07-01")),
        ("What did Ana write in mid-March?", span("2026-03-01", "2026-04-01")),
        ("What did Ana write at the end of March?", span("2026-03-01", "2026-04-01")),
        ("Where was Tim in the second week of November?", span("2025-11-01", "2025-12-01")),
        ("What did Ana write in late 2023?", span("2023-01-01", "2024-01-01")),
        ("What did we do last May?", span("2025-05-01", "2025-06-01")),
        ("What did we do this May?", span("2026-05-01", "2026-06-01")),
        ("What did we say last March?", span("2026-03-01", "2026-04-01")),
        ("What did I do in March last year?", span("2025-03-01", "2025-04-01")),
        ("What happened in June of last year?", span("2025-06-01", "2025-07-01")),
        ("What did I plan last year in March?", span("2025-03-01", "2025-04-01")),
        ("Did Ana like the year 2019?", span("2019-01-01", "2020-01-01")),
        # from … to …
        ("What did he do between March and May 2024?", span("2024-03-01", "2024-06-01")),
        ("What did he do from May to July 2023?", span("2023-05-01", "2023-08-01")),
        ("What did he do from November to January 2024?", span("2023-11-01", "2024-02-01")),
        ("What happened between 3 and 7 May 2023?", span("2023-05-03", "2023-05-08")),
        ("What happened May 3-7?", span("2026-05-03", "2026-05-08")),
        ("Where did she live from 2019 to 2021?", span("2019-01-01", "2022-01-01")),
        # in numbers
        ("What did I say on 5/18/2023?", span("2023-05-18", "2023-05-19")),
        ("What did I say on 18/5/2023?", span("2023-05-18", "2023-05-19")),
        ("What did I say on 8.5.2023?", span("2023-05-08", "2023-05-09")),
        # feasts
        ("What did we do at Christmas?", span("2025-12-24", "2025-12-27")),
        ("What was planned for Christmas 2023?", span("2023-12-24", "2023-12-27")),
        ("What happened on New Year’s Eve?", span("2025-12-31", "2026-01-01")),
        ("What did she wear last Halloween?", span("2025-10-31", "2025-11-01")),
        ("Was there cake on Valentine's Day?", span("2026-02-14", "2026-02-15")),
    ],
)
def test_times_that_are_named(question, expected):
    assert named_interval(question, ASKED) == expected


def test_a_time_of_day_is_a_minute():
    expected = micros(datetime(2026, 5, 8, 8, 4, tzinfo=UTC))
    assert named_interval("How was I around '2026-05-08 08:04'?", ASKED) == (expected, expected + 60_000_000)


def test_so_long_ago_is_centred_on_it():
    start, end = named_interval("Which event did I visit two weeks ago?", ASKED) or (0, 0)
    assert (start + end) // 2 == micros(ASKED - timedelta(weeks=2))
    assert end - start == 7 * 86_400_000_000
    assert named_interval("What did I do in the past 3 days?", ASKED) == (
        micros(ASKED - timedelta(days=3)),
        micros(ASKED),
    )
    assert named_interval("What did I do in the past week?", ASKED) == (
        micros(ASKED - timedelta(days=7)),
        micros(ASKED),
    )


@pytest.mark.parametrize(
    ("question", "days", "around"),
    [
        ("Who called a fortnight ago?", 14, 14),
        ("What did I read half a year ago?", 365.25 / 2, 365.25 / 2),
        ("What did I buy several weeks ago?", 28, 7),
        ("And two weeks before?", 14, 7),
        ("Who called 0 days ago?", 0, 1),
    ],
)
def test_how_long_ago(question, days, around):
    start, end = named_interval(question, ASKED) or (0, 0)
    assert (start + end) // 2 == micros(ASKED - timedelta(days=days))
    assert end - start == around * 86_400_000_000


@pytest.mark.parametrize(
    ("asked", "question", "expected"),
    [
        ("2026-08-01", "last summer", span("2025-06-01", "2025-09-01")),
        ("2026-10-01", "last summer", span("2026-06-01", "2026-09-01")),
        ("2026-01-15", "this winter", span("2025-12-01", "2026-03-01")),
        ("2026-01-15", "last winter", span("2024-12-01", "2025-03-01")),
        ("2026-12-15", "in winter", span("2026-12-01", "2027-03-01")),
        ("2026-01-15", "in the autumn", span("2025-09-01", "2025-12-01")),
        ("2026-01-15", "in December", span("2025-12-01", "2026-01-01")),
        ("2026-12-25", "this Christmas", span("2026-12-24", "2026-12-27")),
    ],
)
def test_the_latest_season(asked, question, expected):
    assert named_interval(question, datetime.fromisoformat(f"{asked}T12:00:00+00:00")) == expected


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What has changed since last Tuesday?", "2026-05-19"),
        ("Since 2024, where has Ana lived?", "2024-01-01"),
        ("Who called since 3 May?", "2026-05-03"),
        ("What has she read since the summer?", "2025-06-01"),
    ],
)
def test_since_then_until_now(question, first):
    assert named_interval(question, ASKED) == (span(first, first)[0], micros(ASKED))


def test_days_begin_where_the_question_is_asked():
    here = ASKED.astimezone(timezone(timedelta(hours=2)))
    assert named_interval("on 8 May", here) == tuple(t - 7_200_000_000 for t in span("2026-05-08", "2026-05-09"))


@pytest.mark.parametrize(
    "question",
    [
        "May I ask where Ana lives?",
        "Should we march on?",
        "What will I do on 5 June?",
        "Any tips for this weekend?",
        "Where does Ana live?",
        "What happened on 31 June 2024?",
        "Who ruled 9999 years ago?",
        "Is it true that 12 may be too many?",
        "What are we doing this summer?",
        "What will we do on Monday?",
        "What is open on Mondays?",
        "Did he fall down?",
        "Where is the spring?",
        "Spring cleaning tips",
        "Is there soup in spring onions?",
        "What is the meaning of Christmas?",
        "What will I do next week?",
        "What did I say on 5/8/2023?",  # which of the two days?
        "What did I say on 31.02.2023?",
        "What did I do two weeks before the wedding?",
        "Did she marry before she moved?",
        "Was it three months before or after the trip?",
        "the last book, and the last day",
        "",
    ],
)
def test_questions_that_name_no_past_time(question):
    assert named_interval(question, ASKED) is None


def test_a_long_question_is_read_at_once():
    started = time.process_time()
    for words in ("did monday ", "was on ", "in may to ", "may 5 to ", "3 to 7 ", "from 2019 to ", "last spring "):
        named_interval(words * 10_000, ASKED)
    assert time.process_time() - started < 3.0
