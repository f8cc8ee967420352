"""The id of results: it says what was asked, how, and which documents were shown where.

A search writes nothing, so whoever judges its results later, in whatever process, must be told all of that by the id
itself. It holds no words of what was found, and no names of the scope. The question can be read in it, by anybody: it
is to be kept where questions may be kept.

The form is "q" and base64url of a version byte, a CRC-32 of what follows, and JSON; long JSON is compressed.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from mnemic.errors import InputError
from mnemic.times import micros, moment

_PLAIN, _PACKED = b"\x01", b"\x02"
_LONG = 400
"""Bytes of JSON above which compressing it is worth the time."""
_LONGEST = 1 << 20
"""Bytes of JSON above which an id is refused: nobody's question is so long, and it may have been made to burst."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the id of results says."""

    query: str
    scope: str
    """A code of the walls that were named; it cannot be turned back into them."""
    now: int
    """The clock at the search, in UTC microseconds."""
    asked_at: datetime
    """When the question was asked, which is what "last week" counts from."""
    shown: tuple[tuple[int, int], ...] = ()
    """The documents of the hits, as they were shown: the number of the wall among those seen, and that in the wall."""
    sizes: tuple[int, ...] = ()
    """Documents that each of the walls seen had given numbers to: what came later has higher ones."""
    by: str = "r"
    """What their order says: "r", the best first; "n", found by name; "t", packed by time."""
    order: tuple[int, ...] = ()
    """Where neighbours were exchanged by chance: the places (from 0) that the hits would have had. Else empty."""
    bound: tuple[int, ...] = ()
    """The places of `order` that could not be exchanged with the one behind them."""
    known_at: int | None = None
    as_of: int | None = None
    include: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = None
    where: Mapping[str, Any] | None = None
    agent: str | None = None
    session: str | None = None

    @property
    def id(self) -> str:
        """The id that says it."""
        zone = self.asked_at.utcoffset()
        offset = 0 if not zone else zone // timedelta(seconds=1)
        later = micros(self.asked_at) - self.now
        numbers = ",".join([str(number) for _, number in self.shown])
        sizes = ",".join([str(size) for size in self.sizes])
        # Piece by piece: a search has microseconds for this.
        asked = f"{_quoted(self.query)},{_quoted(self.scope)},{self.now},{later},{offset}"
        text = f"[{asked},[{numbers}],[{sizes}]{self._more}]"
        body, version = text.encode("utf-8", "surrogatepass"), _PLAIN
        if len(body) > _LONG:
            body, version = zlib.compress(body), _PACKED
        whole = version + zlib.crc32(version + body).to_bytes(4, "big") + body
        return "q" + binascii.b2a_base64(whole, newline=False).translate(_URL_SAFE, b"=").decode()

    @property
    def _more(self) -> str:
        """What differs from a plain search, as the end of a JSON list."""
        values = (self.by, self.order, self.bound, self.known_at, self.as_of, self.include, self.kinds, self.where)
        walls = [wall for wall, _ in self.shown]
        if values == _PLAINLY and self.agent is None and self.session is None and not any(walls):
            return ""
        fields = zip(_OPTIONS, (*values, self.agent, self.session), (*_PLAINLY, None, None), strict=True)
        more: dict[str, Any] = {name: value for name, value, plain in fields if value != plain}
        if any(walls):
            more["walls"] = walls
        # A set of values is as good a list.
        return "," + json.dumps(more, ensure_ascii=False, separators=(",", ":"), default=list)


_PLAINLY = ("r", (), (), None, None, (), None, None)
_quoted = json.encoder.encode_basestring
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_OPTIONS = ("by", "order", "bound", "known_at", "as_of", "include", "kinds", "where", "agent", "session")


def read(id_: str) -> Ticket:
    """What an id says. Raises InputError for anything that is no id of results."""
    try:
        return _ticket(json.loads(_json_in(id_)))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, binascii.Error, zlib.error):
        raise InputError(
            f"results={id_!r:.40} is no id of results, or is not whole: pass the `id` of what a search gave, unchanged"
        ) from None


def shortened(id_: str, kept: Sequence[int], *, by_time: bool = False) -> str:
    """The id of results of which only the hits at these places (from 0) were shown; `by_time`, not the best first."""
    ticket = read(id_)
    shown = tuple(ticket.shown[place] for place in kept)
    return replace(ticket, shown=shown, by="t" if by_time and ticket.by == "r" else ticket.by).id


def _json_in(id_: str) -> str:
    if not id_.startswith("q") or not id_.isascii() or len(id_) > 2 * _LONGEST:
        raise ValueError
    whole = base64.b64decode(id_[1:] + "=" * (-(len(id_) - 1) % 4), altchars=b"-_", validate=True)
    version, sum_, body = whole[:1], whole[1:5], whole[5:]
    if version not in (_PLAIN, _PACKED) or zlib.crc32(version + body).to_bytes(4, "big") != sum_:
        raise ValueError
    if version == _PACKED:
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(body, _LONGEST)
        if unpacking.unconsumed_tail or not unpacking.eof:
            raise ValueError
    return body.decode("utf-8", "surrogatepass")


def _ticket(plain: Any) -> Ticket:
    """The checked ticket: an id may come from anywhere."""
    query, scope, now, later, zone, numbers, sizes = plain[:7]
    more: Any = plain[7] if len(plain) > 7 else {}
    if not isinstance(more, dict) or not set(cast("dict[str, Any]", more)) <= {*_OPTIONS, "walls"}:
        raise ValueError
    more = cast("dict[str, Any]", more)
    query, scope = _texts([query, scope])
    walls = _numbers(more.get("walls", [0] * len(numbers)))
    ticket = Ticket(
        query=query,
        scope=scope,
        now=_number(now),
        asked_at=moment(_number(now) + _number(later)).astimezone(timezone(timedelta(seconds=_number(zone)))),
        shown=tuple(zip(walls, _numbers(numbers), strict=True)),
        sizes=_numbers(sizes),
        by=more.get("by", "r"),
        order=_numbers(more.get("order", [])),
        bound=_numbers(more.get("bound", [])),
        known_at=None if more.get("known_at") is None else _number(more["known_at"]),
        as_of=None if more.get("as_of") is None else _number(more["as_of"]),
        include=_texts(more.get("include", [])),
        kinds=None if more.get("kinds") is None else _texts(more["kinds"]),
        where=more.get("where"),
        agent=more.get("agent"),
        session=more.get("session"),
    )
    _texts([stamp for stamp in (ticket.agent, ticket.session) if stamp is not None])
    for time in (ticket.now, ticket.known_at, ticket.as_of):
        moment(time or 0)
    if (
        ticket.by not in ("r", "n", "t")
        or min((*(number for pair in ticket.shown for number in pair), *ticket.sizes), default=0) < 0
        or len(set(ticket.shown)) < len(ticket.shown)
        or (ticket.order and sorted(ticket.order) != list(range(len(ticket.order))))
        or (ticket.order and len(ticket.order) < len(ticket.shown))
        or not (ticket.where is None or isinstance(ticket.where, dict))
    ):
        raise ValueError
    return ticket


def _number(value: object) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError
    return value


def _numbers(values: object) -> tuple[int, ...]:
    return tuple(map(_number, cast("list[object]", values)))


def _texts(values: object) -> tuple[str, ...]:
    found = list(cast("Iterable[object]", values))
    texts = tuple(text for text in found if isinstance(text, str))
    if len(texts) < len(found):
        raise ValueError
    return texts
