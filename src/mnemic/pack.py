"""Packing what was found into text for a prompt, within a budget.

The best hit comes first; then the others by their relevance per token, which is the greedy choice of the most evidence
for a budget (Dantzig, Discrete-Variable Extremum Problems, Operations Research 1957). That order does not depend on the
budget, and the text shows it in the order of time. What repeats what is in already is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from mnemic.errors import InputError
from mnemic.ports import TokenCounter
from mnemic.text import count_bytes3, words
from mnemic.times import FOREVER, micros
from mnemic.types import FORMATS, Evidence, Hit, subject_unsaid, whose

SLACK = 0.75
"""Share of a budget that the sum of the pieces' own counts may reach before the finished text is counted each time:
pieces counted apart differ from their sum by a token or two each."""
OVERHEAD = 12
"""Tokens that a piece costs beside its text: number, speaker, a share of its day's heading."""
_ARTICLES = frozenset({"a", "an", "the"})
PINNED_SHARE, QUESTIONS_SHARE = 4, 8
"""Pinned records get at most a quarter of the budget, open questions an eighth."""


class Bytes3:
    """The counter where no tokenizer is at hand: a third of the UTF-8 bytes, rounded up."""

    name = "bytes/3"

    def __call__(self, text: str) -> int:
        return count_bytes3(text)


@dataclass(frozen=True, slots=True)
class Piece:
    """A hit, and what makes it readable on its own."""

    hit: Hit
    after: str | None = None
    """The hit right before it in its session, if that was found, too."""
    first: bool = False
    """Whether nothing stands before it in its session."""
    asked: str | None = None
    """The question that it answers, where it is too short to tell."""
    was: tuple[tuple[str, datetime | None], ...] = ()
    """What it has taken over from, and until when that was true."""
    until: datetime | None = None
    """When its speaker told the matter anew, in words that nothing was derived from."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The text, its tokens, the evidence by its number in the text, and how many hits were left out."""

    text: str
    tokens: int
    evidence: tuple[Evidence, ...]
    left_out: int


def checked_format(given: object) -> str:
    """The name of a format. Raises InputError."""
    if given not in FORMATS:
        raise InputError(f"format={given!r} is not known: one of {', '.join(FORMATS)}")
    return str(given)


def pack(
    pieces: Sequence[Piece],
    budget: int,
    counter: TokenCounter,
    zone: tzinfo = UTC,
    *,
    pinned: Sequence[Piece] = (),
    questions: Sequence[Piece] = (),
    format: str = "text",
) -> Packed:
    """What fits a budget: pinned records and open questions in their shares of it, hits in the rest.

    The order of packing does not depend on the budget, and of it the longest run is taken of which every shorter one
    fits, too: so a larger budget never covers less.
    """
    write = _WRITERS[format]

    def fitting(chosen: Sequence[Piece], room: int, cost: Callable[[Sequence[Piece]], int]) -> int:
        """How many of these, taken from the first on, fit into so many tokens."""
        number, apart = 0, 0
        for piece in chosen:
            apart += counter(_body(piece)) + OVERHEAD
            exact = apart > SLACK * room
            if exact and cost(chosen[: number + 1]) > room:
                break
            number += 1
        while number and cost(chosen[:number]) > room:  # what was summed apart may be a token more together
            number -= 1
        return number

    def alone(section: str) -> Callable[[Sequence[Piece]], int]:
        return lambda chosen: counter(write({section: chosen}, zone)[0])

    standing: dict[str, Sequence[Piece]] = {}
    room = budget
    for section, held, share in (("pinned", pinned, PINNED_SHARE), ("questions", questions, QUESTIONS_SHARE)):
        if held:
            whole = alone(section)(held) + 2
            quota = min(budget // share, whole)
            standing[section] = held[: fitting(held, quota - 2, alone(section))]
            room -= quota
    apart = {piece.hit.id for held in standing.values() for piece in held}
    order = [piece for piece in ordered(pieces, counter) if piece.hit.id not in apart]
    chosen = order[: fitting(order, room, alone("memories"))]
    while True:
        text, evidence = write({**standing, "memories": chosen}, zone)
        tokens = counter(text)
        if tokens <= budget or not (chosen or standing):
            break
        if chosen:
            chosen = chosen[:-1]
        else:
            standing.popitem()
    if tokens > budget:
        text, tokens, evidence = "", 0, ()
    return Packed(text, tokens, evidence, len(order) - len(chosen))


def ordered(pieces: Sequence[Piece], counter: TokenCounter) -> list[Piece]:
    """The order of packing: the best first, then by relevance per token; repeats left out.

    Without relevances, or where another order than theirs was asked for (a reranker's), it is the order given.
    """
    kept = list(_distinct(pieces))
    sure = [piece.hit.relevance for piece in kept]
    if not kept or any(value is None for value in sure) or sure != sorted(sure, key=lambda value: -(value or 0.0)):
        return kept
    rest = sorted(
        kept[1:], key=lambda piece: -(piece.hit.relevance or 0.0) / (counter(_body(piece)) + OVERHEAD)
    )  # stable: of equals the better hit
    return [kept[0], *rest]


def _distinct(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Without those that say what a better one of the same speaker (or about the same) and day says, but for case,
    marks and articles.

    One word more may turn the sense round ("not"), so anything less alike stays.
    """
    seen: set[tuple[str | None, str, tuple[str, ...]]] = set()
    for piece in pieces:
        said = tuple(word for word in words(piece.hit.text) if word not in _ARTICLES)
        key = (whose(piece.hit), _day(piece.hit, UTC), said)
        if said and key in seen:
            continue
        seen.add(key)
        yield piece


# -- writing


def quoted(hit: Hit) -> Evidence:
    """What a number stands for: the episode itself, or the first thing that a derived record rests on."""
    if hit.evidence:
        return hit.evidence[0]
    return Evidence(hit.id, hit.message_id, hit.scope.session_id, hit.speaker, hit.time, hit.text)


Sections = dict[str, Sequence[Piece]]
_Written = tuple[str, tuple[Evidence, ...]]

HEADINGS = {"pinned": "Always:", "questions": "Still open:", "memories": "Remembered:"}
GAP = "…"
"""Stands where turns of one session are left out between two that are shown."""


def _in_time(pieces: Sequence[Piece]) -> list[Piece]:
    places = {piece.hit.id: place for place, piece in enumerate(pieces)}
    return sorted(pieces, key=lambda piece: (piece.hit.time, places[piece.hit.id]))


def _numbered(sections: Sections) -> Iterator[tuple[str, list[tuple[int, Piece]]]]:
    """The sections that hold anything, in their order, each in the order of time, numbered throughout."""
    number = 0
    for section in HEADINGS:
        held = _in_time(sections.get(section, ()))
        if held:
            yield section, [(number + at, piece) for at, piece in enumerate(held, 1)]
            number += len(held)


def _behind(sections: Sections) -> tuple[Evidence, ...]:
    return tuple(quoted(piece.hit) for _, held in _numbered(sections) for _, piece in held)


def _as_text(sections: Sections, zone: tzinfo) -> _Written:
    blocks: list[str] = []
    headed = any(sections.get(section) for section in HEADINGS if section != "memories")
    for section, held in _numbered(sections):
        lines = [HEADINGS[section]] if headed else []
        lines += _lines(section, held, zone, "{day}", "[{number}] {body}", GAP)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks), _behind(sections)


def _as_markdown(sections: Sections, zone: tzinfo) -> _Written:
    blocks: list[str] = []
    for section, held in _numbered(sections):
        lines = [f"## {HEADINGS[section].rstrip(':')}", ""]
        lines += _lines(section, held, zone, "### {day}", "- [{number}] {body}", f"- {GAP}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks), _behind(sections)


def _lines(
    section: str, held: Sequence[tuple[int, Piece]], zone: tzinfo, heading: str, line: str, gap: str
) -> Iterator[str]:
    """The pieces of a section; episodes by day, with a mark where turns between two of a session are left out."""
    day, before = "", None
    for number, piece in held:
        if section == "memories" and (this := _day(piece.hit, zone)) != day:
            day = this
            yield heading.format(day=day)
        elif before is not None and _is_gap(before, piece):
            yield gap
        yield line.format(number=number, body=_body(piece))
        before = piece


def _is_gap(before: Piece, piece: Piece) -> bool:
    session = piece.hit.scope.session_id
    return (
        session is not None
        and session == before.hit.scope.session_id
        and piece.hit.kind == before.hit.kind == "episode"
        and not piece.first
        and piece.after != before.hit.id
    )


def _as_json(sections: Sections, zone: tzinfo) -> _Written:
    content = {
        section: [{"n": number, **_fields(piece, zone)} for number, piece in held]
        for section, held in _numbered(sections)
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) if content else "", _behind(sections)


def _fields(piece: Piece, zone: tzinfo) -> dict[str, Any]:
    hit = piece.hit
    begins, ends = _validity(hit)
    fields = {
        "date": _day(hit, zone),
        "speaker": hit.speaker,
        "subject": subject_unsaid(hit),
        "kind": hit.kind if hit.kind != "episode" else None,
        "asked": piece.asked,
        "text": hit.text,
        "from": begins,
        "until": ends or _date(piece.until),
        "was": [{"text": text, "until": _date(until)} for text, until in piece.was],
        "source": hit.source if hit.source in ("tool", "document", "import", "unknown") else None,
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}


_WRITERS: dict[str, Callable[[Sections, tzinfo], _Written]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "json": _as_json,
}


def _body(piece: Piece) -> str:
    hit = piece.hit
    speaker = " ".join((whose(hit) or "").split())
    asked = f'(asked "{piece.asked}")' if piece.asked else ""
    who = " ".join(filter(None, (speaker, asked)))
    begins, ends = _validity(hit)
    if hit.derivation is not None and hit.kind == "event":
        begins = ends = None  # its words say when it happened
    about = f"until about {_date(piece.until)}" if piece.until else ""
    when = [f"from {begins}" if begins else "", f"until {ends}" if ends else about]
    facts = [" ".join(filter(None, when))]
    facts += [f'was "{_flat(text)}"' + (f" until {_date(until)}" if until else "") for text, until in piece.was]
    known = "; ".join(filter(None, facts))
    return f"{who}: " * bool(who) + _flat(hit.text) + f" ({known})" * bool(known)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _day(hit: Hit, zone: tzinfo) -> str:
    try:
        moment = hit.time.astimezone(zone)
    except OverflowError:  # in the first or last hours of the calendar
        moment = hit.time
    return f"{moment.year:04d}-{moment:%m-%d}"


def _date(moment: datetime | None) -> str | None:
    return None if moment is None or micros(moment) == FOREVER else f"{moment.year:04d}-{moment:%m-%d}"


def _validity(hit: Hit) -> tuple[str | None, str | None]:
    return _date(hit.valid_from), _date(hit.valid_to)
