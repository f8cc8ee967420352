"""The time that a question names."""

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
        "",
    ],
)
def test_questions_that_name_no_past_time(question):
    assert named_interval(question, ASKED) is None
