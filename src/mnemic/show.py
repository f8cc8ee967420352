"""Values as lines for people."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from typing import Any, cast

import click

from mnemic.plain import as_json
from mnemic.types import Answer, Change, Diff, Evidence, Hit, Page, Record, Stats, subject_unsaid

NARROWEST = 40
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Paper:
    """How lines are set: to a width, or each on one line where `width` is None; times in a zone."""

    width: int | None
    zone: tzinfo

    # -- what a search gives

    def hit(self, rank: int, hit: Hit, *, evidence: bool) -> Iterator[str]:
        """A hit: how sure, when and who; its words; its id and where it comes from."""
        sure = "  - " if hit.relevance is None else f"{hit.relevance:.2f}"
        head = f"{rank:>2}  {click.style(sure, bold=True)}  {self.when(hit.time)}  {safe(hit.speaker or hit.kind)}"
        yield head + _states(hit.state, hit.outdated_by)
        yield from self.words(_whole(hit), "    ")
        origin = _origin(hit.scope.session_id, hit.metadata)
        yield click.style("    " + _joined(hit.id, self._holds(hit), origin), dim=True)
        if evidence:
            for piece in hit.evidence:
                yield from self.evidence(piece, own=hit.id)

    def evidence(self, piece: Evidence, own: str | None = None) -> Iterator[str]:
        """One piece of evidence. An episode's evidence is itself: only the caller's id of it is new."""
        if piece.id == own:
            if piece.message_id:
                yield click.style(f"    evidence: itself, your message {piece.message_id}", dim=True)
            return
        origin = piece.session_id and f"session {piece.session_id}"
        message = piece.message_id and f"message {piece.message_id}"
        head = _joined(self.when(piece.time), piece.speaker or "", piece.id, origin or "", message or "")
        yield click.style(f"    evidence: {head}", dim=True)
        yield from self.words(piece.text, "      ")

    def answer(self, answer: Answer) -> Iterator[str]:
        """An answer, and each piece that it rests on."""
        first, *more = self.words(answer.text, "")
        yield click.style(first, bold=True)
        yield from more
        for piece in dict.fromkeys(citation.evidence.id for citation in answer.citations):
            yield from self.evidence(next(one.evidence for one in answer.citations if one.evidence.id == piece))

    # -- records and changes

    def record(self, record: Record) -> Iterator[str]:
        """A record in a list."""
        who = record.speaker or record.role or record.kind
        yield f"{self.when(record.time)}  {click.style(safe(who), bold=True)}" + _states(
            record.state, record.superseded_by
        )
        yield from self.words(_whole(record), "    ")
        origin = _origin(record.scope.session_id, record.metadata)
        yield click.style("    " + _joined(record.id, self._holds(record), origin), dim=True)

    def page(self, page: Page) -> Iterator[str]:
        """A page of records, and how to get the next one."""
        for record in page:
            yield from self.record(record)
        if not page:
            yield "nothing"

    def whole(self, record: Record) -> Iterator[str]:
        """Everything that a record carries, field by field; what it does not carry is left out."""
        for field in fields(record):
            value: Any = getattr(record, field.name)
            if field.name in ("text", "evidence") or value is None or value in ((), {}, False):
                continue
            if isinstance(value, datetime):
                value = self.when(value, seconds=True)
            elif isinstance(value, Mapping | tuple):
                value = as_json(cast("object", value))
            yield f"{click.style(f'{field.name:<15}', dim=True)} {safe(str(value))}"
        yield ""
        yield safe(record.text)
        for piece in record.evidence:
            if piece.id != record.id:
                yield ""
                yield from self.evidence(piece)

    def change(self, change: Change) -> Iterator[str]:
        """One step of a history."""
        action = click.style(f"{change.action:<11}", bold=True)
        yield f"{self.when(change.at, seconds=True)}  {action} revision {change.revision}" + (
            f"  by {safe(change.actor)}" if change.actor else ""
        )
        if change.record is None:
            yield "    (erased: the words are gone; id, times and actor stay)"
        else:
            yield from self.words(change.record.text, "    ")
        yield click.style(f"    receipt {change.receipt}", dim=True)

    def diff(self, diff: Diff) -> Iterator[str]:
        """What came, what went and what changed."""
        for sign, records in (("+", diff.added), ("-", diff.removed)):
            for record in records:
                yield from self._signed(sign, record)
        for old, new in diff.changed:
            yield from self._signed("~", old)
            yield from self._signed(">", new)
        if not (diff.added or diff.removed or diff.changed):
            yield "no change"

    def _signed(self, sign: str, record: Record) -> Iterator[str]:
        lines = list(self.record(record))
        yield f"{sign} {lines[0]}"
        yield from (f"  {line}" for line in lines[1:])

    def stats(self, stats: Stats, scope: str) -> Iterator[str]:
        """Counts, one to a line."""
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(stats.records.items()))
        states = ", ".join(f"{number:,} {state}" for state, number in stats.states.items() if number)
        rows = {
            "scope": scope,
            "current": kinds or "nothing",
            "all records": states or "none",
            "time": f"{self.when(stats.earliest)} to {self.when(stats.latest)}"
            if stats.earliest and stats.latest
            else "",
            "walls": f"{stats.walls:,}",
            "indexed texts": f"{stats.documents:,}",
            "journal": f"{stats.journal:,} changes",
            "file": f"{f'{stats.bytes:,} bytes, ' if stats.bytes is not None else ''}format {stats.format}",
            "embedder": stats.embedder or "none (words alone)",
        }
        for name, value in rows.items():
            if value:
                yield f"{click.style(f'{name:<14}', dim=True)} {value}"

    # -- pieces

    def when(self, moment: datetime, *, seconds: bool = False) -> str:
        """A time in this paper's zone."""
        try:
            there = moment.astimezone(self.zone)
        except OverflowError:
            there = moment  # at the very ends of the calendar
        finer = f":{there:%S}" if seconds else ""
        return f"{there.year:04d}-{there:%m-%d %H:%M}{finer}"

    def _holds(self, one: Hit | Record) -> str:
        """From when to when a statement is true, where that was said."""
        since = f" from {self.when(one.valid_from)}" if one.valid_from else ""
        until = f" until {self.when(one.valid_to)}" if one.valid_to else ""
        return f"true{since}{until}" if since or until else ""

    def words(self, text: str, indent: str) -> Iterator[str]:
        """A text, filled to the width; on one line where there is none."""
        line = safe(" ".join(text.split()))
        if self.width is None:
            yield indent + line
            return
        width = max(NARROWEST, self.width)
        yield from textwrap.wrap(
            line,
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )


def safe(text: str) -> str:
    """Remembered text is data: what would steer a terminal is shown, not obeyed."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _whole(one: Hit | Record) -> str:
    """The words, behind whom they are about where they do not say so."""
    about = subject_unsaid(one)
    return f"{about}: {one.text}" if about else one.text


def _joined(*parts: str) -> str:
    return safe("  ".join(part for part in parts if part))


def _origin(session: str | None, metadata: Mapping[str, Any]) -> str:
    for name in ("path", "title"):
        if isinstance(metadata.get(name), str):
            return metadata[name]
    return f"session {session}" if session else ""


def _states(state: str, successor: str | None) -> str:
    marks: list[str] = [] if state == "current" else [state]
    marks += [f"outdated by {successor}"] if successor else []
    return click.style(f"  [{', '.join(marks)}]", fg="yellow") if marks else ""
