"""Times in and out: aware datetimes or ISO 8601 with an offset; UTC microseconds inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from mnemic.errors import TimeError

FOREVER = 2**63 - 1
"""Later than every time: the open end of an interval."""
BEGINNING = -(2**63) + 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True)
class Interval:
    """The half-open interval [start, end) that a time of some precision stands for, in UTC microseconds."""

    start: int
    end: int
    precision: str
    """year, month, day, minute or second."""


def micros(moment: datetime) -> int:
    """UTC microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The aware UTC datetime of UTC microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


def interval(value: datetime | date | str, zone: tzinfo | None, name: str = "time") -> Interval:
    """The interval that `value` stands for.

    `zone` is assumed where `value` has no offset; None refuses such values. "2024-05" is the month, "2024-05-08" the
    day, anything finer the second (minute where no seconds are written). Raises TimeError.
    """
    if isinstance(value, str):
        return _parsed(value.strip(), zone, name)
    if isinstance(value, datetime):
        start = _aware(value, zone, name)
        return Interval(start, start + 1, "second")
    if isinstance(value, date):  # pyright: ignore[reportUnnecessaryIsInstance] - callers are not all type-checked
        return _parsed(value.isoformat(), zone, name)
    raise TimeError(
        f"{name}={value!r} is not a time: pass an aware datetime or ISO 8601 text such as '2026-05-20T09:30+02:00'"
    )


def zone_of(text: str) -> tzinfo | None:
    """The offset that is written in a time that `interval` understands, if there is one."""
    found = re.search(r"(Z|[+-]\d\d:?\d\d)$", text.strip())
    if found is None or len(text.strip()) == len("2024-05"):
        return None
    return datetime.fromisoformat(f"2000-01-01T00:00{found.group(1)}").tzinfo


def _parsed(text: str, zone: tzinfo | None, name: str) -> Interval:
    partial = _PARTIAL.fullmatch(text)
    if partial is None:
        try:
            start = _aware(datetime.fromisoformat(text), zone, name)
        except ValueError as error:
            if isinstance(error, TimeError):
                raise
            raise TimeError(
                f"{name}={text!r} is not ISO 8601 ({error}): write for example '2026-05-20T09:30+02:00'"
            ) from None
        return Interval(start, start + 1, "minute" if re.search(r"T\d\d:?\d\d(Z|[+-].*)?$", text) else "second")
    year, month, day, offset = partial.groups()
    try:
        if offset:
            zone = datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo
        first = datetime(int(year), int(month or 1), int(day or 1))
    except ValueError as error:
        raise TimeError(f"{name}={text!r} does not exist in the calendar ({error})") from None
    precision = "day" if day else "month" if month else "year"
    start = _aware(first, zone, name)
    try:
        return Interval(start, _aware(_after(first, precision), zone, name), precision)
    except (ValueError, OverflowError):  # it reaches to the end of the calendar
        return Interval(start, _LAST + 1, precision)


def _after(first: datetime, precision: str) -> datetime:
    if precision == "day":
        return first + timedelta(days=1)
    if precision == "month":
        return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first.replace(year=first.year + 1)


def _aware(value: datetime, zone: tzinfo | None, name: str, written: str | None = None) -> int:
    if value.utcoffset() is None:
        if zone is None:
            raise TimeError(
                f"{name}={written or value.isoformat()!r} has no time zone: add an offset such as '+00:00', "
                "or set one for all with Memory(…, timezone='Europe/Lisbon')"
            )
        value = value.replace(tzinfo=zone)
    result = (value.replace(tzinfo=None) - datetime(1970, 1, 1)) // _MICROSECOND
    result -= (value.utcoffset() or timedelta()) // _MICROSECOND
    if not _FIRST <= result <= _LAST:
        raise TimeError(f"{name}={value.isoformat()!r} lies outside the years 1 to 9999 in UTC")
    return result


_FIRST = (datetime.min - datetime(1970, 1, 1)) // _MICROSECOND
_LAST = (datetime.max - datetime(1970, 1, 1)) // _MICROSECOND
