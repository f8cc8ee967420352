"""Packing hits into text for a prompt, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from mnemic.ports import TokenCounter
from mnemic.text import count_bytes3
from mnemic.times import FOREVER, micros
from mnemic.types import Evidence, Hit

SLACK = 0.75
"""Share of a budget that the sum of the pieces' own counts may reach before the finished text is counted each time:
pieces counted apart differ from their sum by a token or two each."""


class Bytes3:
    """The counter where no tokenizer is at hand: a third of the UTF-8 bytes, rounded up."""

    name = "bytes/3"

    def __call__(self, text: str) -> int:
        return count_bytes3(text)


def pack(
    hits: Sequence[Hit], budget: int, counter: TokenCounter, zone: tzinfo = UTC
) -> tuple[str, int, tuple[Evidence, ...], int]:
    """The longest prefix of `hits` of which every shorter prefix fits the budget, too; shown in time order.

    The order of packing does not depend on the budget, so a larger one never covers less. Returns the text, its tokens
    by `counter`, the evidence by its number in the text, and how many hits were left out.
    """
    fitting, text, tokens, evidence = 0, "", 0, tuple[Evidence, ...]()
    apart = 0
    for number, hit in enumerate(hits, 1):
        apart += counter(_line(number, hit)) + counter(_day(hit, zone)) + 2
        if apart <= SLACK * budget and number < len(hits):
            fitting = number
            continue
        if fitting != number - 1:
            break
        shown, numbered = render(hits[:number], zone)
        length = counter(shown)
        if length > budget:
            break
        fitting, text, tokens, evidence = number, shown, length, numbered
    if fitting and not text:
        text, evidence = render(hits[:fitting], zone)
        tokens = counter(text)
    return text, tokens, evidence, len(hits) - fitting


def render(hits: Sequence[Hit], zone: tzinfo = UTC) -> tuple[str, tuple[Evidence, ...]]:
    """The hits in time order, by day (in `zone`), numbered and with speakers; and the evidence behind each number."""
    in_time = sorted(range(len(hits)), key=lambda place: (hits[place].time, place))
    lines: list[str] = []
    day = ""
    for number, place in enumerate(in_time, 1):
        hit = hits[place]
        if (this := _day(hit, zone)) != day:
            lines.append(this)
            day = this
        lines.append(_line(number, hit))
    return "\n".join(lines), tuple(quoted(hits[place]) for place in in_time)


def _day(hit: Hit, zone: tzinfo) -> str:
    try:
        moment = hit.time.astimezone(zone)
    except OverflowError:  # in the first or last hours of the calendar
        moment = hit.time
    return f"{moment.year:04d}-{moment:%m-%d}"


def _line(number: int, hit: Hit) -> str:
    speaker = f"{' '.join(hit.speaker.split())}: " if hit.speaker else ""
    return f"[{number}] {speaker}{' '.join(hit.text.split())}{_validity(hit)}"


def _validity(hit: Hit) -> str:
    begins = None if hit.valid_from is None else hit.valid_from
    ends = None if hit.valid_to is None or micros(hit.valid_to) == FOREVER else hit.valid_to
    if begins is None and ends is None:
        return ""
    since = f"from {begins:%Y-%m-%d}" if begins else ""
    until = f"until {ends:%Y-%m-%d}" if ends else ""
    return f" ({' '.join(filter(None, (since, until)))})"


def quoted(hit: Hit) -> Evidence:
    """What a number stands for: the episode itself, or the first thing that a derived record rests on."""
    if hit.evidence:
        return hit.evidence[0]
    return Evidence(hit.id, hit.message_id, hit.scope.session_id, hit.speaker, hit.time, hit.text)
