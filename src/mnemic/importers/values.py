"""What an importer gives, and how it reads fields that may be anything."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

Json = Mapping[str, Any]
LONGEST_ID = 512
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """Something observed: a message, a document, a passage. It becomes an episode.

    `id` is the source's own, `time` ISO 8601 (without an offset: the memory's time zone, else UTC) or a datetime.
    `owner` is the user, group or agent of the source that it belongs to, where the source tells several apart.
    """

    id: str
    text: str
    role: str = "user"
    name: str | None = None
    time: str | datetime | None = None
    session: str | None = None
    metadata: Json = field(default_factory=dict[str, Any])
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """Something that the source has made of what was said: a fact, a preference, a relationship, … (`kind`).

    `evidence` are ids of `Said` that came before it. `superseded_by` is the id of the `Stated` that took over; one that
    only ended has a `valid_to`.
    """

    id: str
    text: str
    kind: str = "fact"
    subject: str | None = None
    aliases: tuple[str, ...] = ()
    time: str | datetime | None = None
    valid_from: str | datetime | None = None
    valid_to: str | datetime | None = None
    expires_at: str | datetime | None = None
    evidence: tuple[str, ...] = ()
    superseded_by: str | None = None
    confidence: float | None = None
    data: Json = field(default_factory=dict[str, Any])
    metadata: Json = field(default_factory=dict[str, Any])
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is not taken, and why. Reasons that are alike are counted together."""

    where: str
    reason: str


Item = Said | Stated | Skipped


# -- fields that may be anything


def text_of(value: object) -> str | None:
    """A text with something in it; None for whatever else."""
    return value if isinstance(value, str) and value.strip() else None


def name_of(value: object) -> str | None:
    """An id, a name, a title: text or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(value)


def short_id(value: str) -> str:
    """An id as a record can carry it: itself, unless it is too long or holds NUL."""
    if len(value) <= LONGEST_ID and "\0" not in value:
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def mapping(value: object) -> Json:
    """A JSON object; an empty one for whatever else."""
    return cast("Json", value) if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[Any]:
    """A JSON array; an empty one for whatever else."""
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def present(**fields: object) -> dict[str, Any]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {}, ())}


def epoch(value: object) -> datetime | None:
    """Seconds since 1970, as JSON has them: a number, or a number in a text."""
    try:
        seconds = float(cast("Any", value)) if isinstance(value, int | float | str) else math.nan
        if isinstance(value, bool) or not math.isfinite(seconds):
            return None
        return _EPOCH + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def time_of(value: object, *, utc: bool = True) -> str | datetime | None:
    """A time as sources write it: ISO 8601 or seconds since 1970. None for what is no time.

    Where it names no zone, `utc` says that the source means UTC; else it is left to the memory.
    """
    if isinstance(value, int | float):
        return epoch(value)
    text = text_of(value)
    if text is None:
        return None
    text = text.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return epoch(text)
    try:
        if found.utcoffset() is None:
            return found.replace(tzinfo=UTC) if utc else text
        return found.astimezone(UTC)
    except OverflowError:
        return None


def digest(*parts: object) -> str:
    """32 hexadecimal digits that stand for some JSON values."""
    line = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def clean(text: str) -> str:
    """A text that can be kept: halves of characters that JSON escapes apart are put together, single ones replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cleaned(value: Any) -> Any:
    """A JSON value in which every text can be kept."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): cleaned(inner) for key, inner in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [cleaned(inner) for inner in cast("Sequence[object]", value)]
    return value
