"""Times in and out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory
from mnemic.errors import ConfigError, TimeError
from mnemic.testing import FrozenClock
from mnemic.times import Interval, interval, micros, moment

MODEST = settings(max_examples=50, deadline=None, derandomize=True)
LISBON = ZoneInfo("Europe/Lisbon")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def at(*parts: int, zone: tzinfo = UTC) -> int:
    return micros(datetime(*parts, tzinfo=zone))  # type: ignore[arg-type]


@MODEST
@given(
    st.datetimes(timezones=st.timezones() | st.just(UTC), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1))
)
def test_an_aware_datetime_comes_back_to_the_microsecond(given: datetime) -> None:
    for value in (given, given.isoformat()):
        got = interval(value, None)
        assert moment(got.start) == given.astimezone(UTC)
        assert (got.end - got.start, got.precision) == (1, "second" if isinstance(value, datetime) else got.precision)


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("2024Z", at(2024, 1, 1), at(2025, 1, 1), "year"),
        ("2024-05Z", at(2024, 5, 1), at(2024, 6, 1), "month"),
        ("2024-12Z", at(2024, 12, 1), at(2025, 1, 1), "month"),
        ("2024-02Z", at(2024, 2, 1), at(2024, 3, 1), "month"),
        ("2024-05-08Z", at(2024, 5, 8), at(2024, 5, 9), "day"),
        ("2024-05-08+02:00", at(2024, 5, 7, 22), at(2024, 5, 8, 22), "day"),
        ("2024-05-08T10:30Z", at(2024, 5, 8, 10, 30), at(2024, 5, 8, 10, 30) + 1, "minute"),
        ("2024-05-08T10:30:00+02:00", at(2024, 5, 8, 8, 30), at(2024, 5, 8, 8, 30) + 1, "second"),
        (" 2024-05-08T10:30:01.25Z ", at(2024, 5, 8, 10, 30, 1, 250_000), at(2024, 5, 8, 10, 30, 1, 250_001), "second"),
        ("0001Z", micros(FIRST), at(2, 1, 1), "year"),
        ("9999Z", at(9999, 1, 1), micros(LAST) + 1, "year"),
        ("9999-12Z", at(9999, 12, 1), micros(LAST) + 1, "month"),
        ("9999-12-31Z", at(9999, 12, 31), micros(LAST) + 1, "day"),
    ],
)
def test_a_text_stands_for_the_interval_of_its_precision(text: str, start: int, end: int, precision: str) -> None:
    assert interval(text, None) == Interval(start, end, precision)


def test_a_date_is_its_day_in_the_zone() -> None:
    assert interval(date(2024, 7, 1), LISBON) == Interval(at(2024, 6, 30, 23), at(2024, 7, 1, 23), "day")
    assert interval("2024-07", LISBON) == Interval(at(2024, 6, 30, 23), at(2024, 7, 31, 23), "month")
    # The day on which the clocks go forward has 23 hours.
    assert interval("2024-03-31", LISBON) == Interval(at(2024, 3, 31), at(2024, 3, 31, 23), "day")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2024, 5, 8), "'2024-05-08T00:00:00' has no time zone: add an offset"),
        ("2024-05-08T10:30", "has no time zone: add an offset such as '+00:00'"),
        ("2024-05", "has no time zone"),
        (date(2024, 5, 8), "has no time zone"),
        ("yesterday", "time='yesterday' is not ISO 8601"),
        ("08/05/2024", "is not ISO 8601"),
        ("", "is not ISO 8601"),
        ("2024-13Z", "time='2024-13Z' does not exist in the calendar"),
        ("2023-02-29Z", "does not exist in the calendar"),
        ("0000Z", "does not exist in the calendar"),
        (1715126400, "time=1715126400 is not a time: pass an aware datetime or ISO 8601 text"),
        (1.5, "is not a time"),
        (b"2024", "is not a time"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), "lies outside the years 1 to 9999 in UTC"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-2))), "lies outside the years 1 to 9999 in UTC"),
        ("0001-01-01+14:00", "lies outside the years 1 to 9999 in UTC"),
    ],
)
def test_what_is_no_time_is_refused_by_name(value: Any, words: str) -> None:
    with pytest.raises(TimeError) as error:
        interval(value, None)
    assert words in str(error.value)
    with Memory(":memory:", embedder="none") as memory:
        for call in (
            lambda: memory.add({"content": "x", "time": value}, user_id="ana"),
            lambda: memory.add("x", time=value, user_id="ana"),
            lambda: memory.remember("x", valid_from=value, user_id="ana"),
            lambda: memory.remember("x", expires_at=value, user_id="ana"),
            lambda: memory.list(as_of=value, user_id="ana"),
            lambda: memory.list(known_at=value, user_id="ana"),
            lambda: memory.search("x", now=value, user_id="ana"),
            lambda: memory.timeline(since=value, user_id="ana"),
        ):
            with pytest.raises(TimeError):
                call()
        assert memory.list(user_id="ana").records == ()


def test_the_first_and_the_last_instant_are_kept() -> None:
    with Memory(":memory:", embedder="none", clock=FrozenClock()) as memory:
        for time in (FIRST, LAST, "0001Z", "9999-12-31Z"):
            memory.add({"content": f"at {time}", "time": time}, user_id="ana")
        memory.remember("always", valid_from=FIRST, valid_to=LAST, user_id="ana")
        times = [record.time for record in memory.list(user_id="ana", order="oldest", kinds="episode")]
        assert times == [FIRST, FIRST, datetime(9999, 12, 31, tzinfo=UTC), LAST]
        assert [hit.time.year for hit in memory.search("at", user_id="ana", kinds="episode")]
        assert str(memory.list(user_id="ana"))
        assert "9999-12-31" in memory.context("at", user_id="ana").text
        assert [record.text for record in memory.list(user_id="ana", as_of=FIRST, kinds="fact")] == ["always"]
        assert memory.diff(FIRST, LAST, user_id="ana").added


def test_a_memory_with_a_time_zone_assumes_it() -> None:
    for zone in ("Europe/Lisbon", LISBON):
        with Memory(":memory:", embedder="none", timezone=zone) as memory:
            memory.add({"content": "x", "time": "2024-07-01T10:00"}, user_id="ana")
            memory.add({"content": "y", "time": "2024-07-01T10:00+05:00"}, user_id="ana")
            times = [record.time for record in memory.list(user_id="ana", order="oldest")]
            assert times == [datetime(2024, 7, 1, 5, tzinfo=UTC), datetime(2024, 7, 1, 9, tzinfo=UTC)]


@pytest.mark.parametrize("zone", ["Lisbon", "Mars/Olympus", "", "../etc/passwd"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ConfigError, match="is not known: use an IANA name such as 'Europe/Lisbon'"):
        Memory(":memory:", timezone=zone)


def test_validity_that_ends_before_it_begins_is_refused() -> None:
    with Memory(":memory:", embedder="none") as memory:
        with pytest.raises(ValueError, match="valid_to=2023Z lies before valid_from=2024Z"):
            memory.remember("x", valid_from="2024Z", valid_to="2023Z", user_id="ana")
        id_ = memory.remember("x", valid_from="2024Z", user_id="ana").ids[0]
        with pytest.raises(ValueError, match="lies before valid_from"):
            memory.update(id_, valid_to="2023Z", user_id="ana")
        assert memory.get(id_, user_id="ana").valid_to is None


def test_intervals_are_half_open() -> None:
    with Memory(":memory:", embedder="none", clock=FrozenClock()) as memory:
        memory.remember("in May", valid_from="2023-05Z", valid_to="2023-06Z", user_id="ana")
        known = {
            day: len(memory.list(user_id="ana", as_of=day))
            for day in ("2023-04-30T23:59:59Z", "2023-05-01Z", "2023-05-31T23:59:59.999999Z", "2023-06-01Z")
        }
        assert list(known.values()) == [0, 1, 1, 0]


def test_now_filters_nothing() -> None:
    with Memory(":memory:", embedder="none", clock=FrozenClock()) as memory:
        memory.add({"content": "tea", "time": "2023Z"}, user_id="ana")
        assert len(memory.search("tea", user_id="ana", now="1999Z")) == 1
        assert len(memory.search("tea", user_id="ana", now="2099Z")) == 1


def test_a_clock_that_is_ahead_moves_recorded_times_and_every_write_says_so() -> None:
    clock = FrozenClock(datetime(2026, 6, 1, tzinfo=UTC))
    who = {"user_id": "ana"}
    with Memory(":memory:", embedder="none", recipe="none", clock=clock) as memory:
        assert memory.add("before", **who).notes == ()
        clock.advance(400 * 86_400)
        assert memory.add("from a clock that is ahead", **who).notes == ()  # it might as well have been a long pause
        clock.advance(-400 * 86_400)
        later = memory.add("after", **who)
        assert later.at == datetime(2027, 7, 6, 0, 0, 0, 1, tzinfo=UTC)
        (told,) = later.notes
        assert told.startswith("recorded at 2027-07-06 00:00:00 UTC, 400 days, 0:00:00 ahead of this clock")
        erased = memory.erase(memory.remember("tea", **who).ids, **who)
        assert memory.undo(later, **who).notes == erased.notes == (told,)
        assert [record.text for record in memory.list(known_at="2027-07-06T00:00Z", **who)] == [
            "from a clock that is ahead",
            "before",
        ]
        assert memory.add("elsewhere", tenant_id="other", **who).notes == ()
        clock.advance(400 * 86_400 - 50)
        assert memory.add("nearly there", **who).notes == ()
