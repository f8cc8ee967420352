"""Summaries without a model: of a session, a week, a month, each made of the last one's sentences. Pure.

    parts_of           an episode               ->  the keys of its session's, its week's and its month's summary
    session_summary    episodes                 ->  the few sentences that tell most, in the order of time
    week_summary       its sessions' summaries  ->  the same choice among their sentences
    month_summary      its weeks' summaries     ->  and among theirs

A week is never read anew from its episodes, so a change costs its session, one week and one month, whatever else is
remembered. Weeks are those of ISO 8601, days and months the calendar's, all in UTC. A session is cut at the end of a
week, so that one that never ends does not become one summary; turns without a session are taken by days: a talk found
by its pauses would become another one with each turn that arrives late between two.

Every word is somebody's, beside names and dates. Nothing is asked, greeted or promised in a summary: questions and
what has too few words of its own are left out. The others compete for room, see `chosen`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from typing import Any

from mnemic import dates, text
from mnemic.extract import cuts
from mnemic.rank import FIRST_PERSON
from mnemic.times import micros, moment
from mnemic.views import Episode, Made

DAY, SESSION, WEEK, MONTH = "summary:day:", "summary:session:", "summary:week:", "summary:month:"
"""What the keys begin with."""
WORDS = {SESSION: 120, WEEK: 240, MONTH: 360}
"""Words of a summary, at most; a day's is as long as a session's."""
FEWEST = 3
"""Words of its own that a sentence needs: "Thanks, that's great!" tells nothing."""
AGAIN = 0.5
"""What a word is worth that the summary has once already, then a quarter, and so on."""
ANOTHER = 4
"""Words that each sentence costs beside its own, for its speaker and its break with the one before."""
ASSISTANT = 0.15
"""What an assistant's sentence is worth beside a person's: it is long, and most of it is to be had anywhere."""
GAP = "…"
"""Stands where something was said between two sentences of one speaker's line."""
_A_DAY = 24 * 60 * 60 * 1_000_000
_LATEST = micros(datetime.max.replace(tzinfo=UTC))
PERSON = frozenset({"user"})
_TALKERS = PERSON | {"assistant"}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a summary, or one that could be."""

    id: str
    """Of its episode …"""
    num: int
    """… and that one's document number."""
    time: int
    """When it was said: UTC microseconds."""
    by: str
    role: str
    place: int
    """Which sentence of the episode it is, from 0 on."""
    text: str
    """The sentence, on one line, without marks of lists and stress."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Line:
        """One out of `Made.data`."""
        said = micros(datetime.fromisoformat(fields["time"]))
        return cls(fields["id"], 0, said, fields["by"], fields["role"], fields["place"], fields["text"])

    def fields(self) -> dict[str, Any]:
        """As JSON, for `Made.data`: without the number, which an import gives anew; the order of a summary tells it."""
        said = {name: getattr(self, name) for name in self.__slots__ if name != "num"}
        return {**said, "time": moment(self.time).isoformat()}


# -- the tree


def parts_of(episode: Episode) -> tuple[str, str, str]:
    """The keys of the summaries that an episode goes into: its session's (or its day's), its week's and its month's,
    in the order in which they are to be made. A function of its time and session alone."""
    week, month = _week(episode.time), _month(episode.time)
    if episode.session is None:
        return f"{DAY}{day_of(episode.time)}", week, month
    return f"{SESSION}{week.removeprefix(WEEK)}:{episode.session}", week, month


def session_of(key: str) -> str | None:
    """The session that a key of `parts_of` names; None for that of a day."""
    return key.removeprefix(SESSION).partition(":")[2] if key.startswith(SESSION) else None


def stretch_of(key: str) -> tuple[int, int]:
    """The time that a key covers, UTC microseconds, half-open: of a session's key its week."""
    if key.startswith(MONTH):
        first = date.fromisoformat(f"{key.removeprefix(MONTH)}-01")
        days = monthrange(first.year, first.month)[1]
    elif key.startswith(DAY):
        first, days = date.fromisoformat(key.removeprefix(DAY)), 1
    else:
        first, days = date.fromisoformat(f"{key.removeprefix(WEEK).removeprefix(SESSION)[:8]}-1"), 7
    begin = micros(datetime(first.year, first.month, first.day, tzinfo=UTC))
    return begin, begin + days * _A_DAY


def children_of(key: str) -> tuple[str, ...]:
    """What the keys of the summaries begin with that a week's or a month's is made of; nothing for another key."""
    begin, end = stretch_of(key)
    days = [min(at, _LATEST) for at in range(begin, end, _A_DAY)]
    if key.startswith(MONTH):
        return tuple(dict.fromkeys(map(_week, days)))
    if key.startswith(WEEK):
        return f"{SESSION}{key.removeprefix(WEEK)}:", *dict.fromkeys(f"{DAY}{day_of(at)}" for at in days)
    return ()


def above(key: str) -> tuple[str, ...]:
    """The keys of the summaries that one is part of: a session's or a day's week, a week's month or two."""
    if key.startswith(MONTH):
        return ()
    begin, end = stretch_of(key)
    if key.startswith(WEEK):
        return tuple(dict.fromkeys(_month(min(at, _LATEST)) for at in (begin, end - 1)))
    return (_week(begin),)


def session_summary(key: str, episodes: Iterable[Episode]) -> Made | None:
    """What was said in a session, or on a day; None where nothing tells anything. The order given does not matter.

    `episodes` are all those whose `parts_of` have the key. What people and assistants say counts; only where they say
    nothing, what tools and documents do.
    """
    return _made(key, *best_lines(episodes, WORDS[SESSION]), ())


def week_summary(key: str, sessions: Iterable[Made]) -> Made | None:
    """What was said in a week, from the summaries of its sessions and days; None where these tell nothing of it."""
    return _of(key, sessions, WORDS[WEEK], _week)


def month_summary(key: str, weeks: Iterable[Made]) -> Made | None:
    """What was said in a month, from the summaries of the weeks that have a day of it; None where there is nothing.

    Of a week at the edge of the month only the sentences that were said in it count.
    """
    return _of(key, weeks, WORDS[MONTH], _month)


def _of(key: str, children: Iterable[Made], most: int, part: Callable[[int], str]) -> Made | None:
    held = {child.key: list(map(Line.of, child.data["lines"])) for child in sorted(children, key=lambda one: one.key)}
    own = {name: [line for line in lines if part(line.time) == key] for name, lines in held.items()}
    lines = sorted((line for lines in own.values() for line in lines), key=lambda line: (line.time, line.num))
    return _made(key, lines, chosen(lines, most), [name for name, lines in own.items() if lines])


def room_of(key: str) -> int:
    """The words that a summary may have."""
    return WORDS[next((level for level in (WEEK, MONTH) if key.startswith(level)), SESSION)]


def best_lines(episodes: Iterable[Episode], most: int) -> tuple[list[Line], list[int]]:
    """The sentences of episodes in the order of time, and the places of those `chosen`."""
    turns = sorted(episodes, key=lambda one: (one.time, one.num))
    talk = [one for one in turns if one.role in _TALKERS]
    lines = [line for one in talk or turns for line in _lines(one)]
    return lines, chosen(lines, most)


def _made(key: str, lines: Sequence[Line], picked: Sequence[int], parts: Sequence[str]) -> Made | None:
    if not picked:
        return None
    told = [lines[at] for at in sorted(picked)]
    return Made(
        key,
        "summary",
        written(told),
        tuple(dict.fromkeys(lines[at].id for at in picked)),
        tuple(parts),
        time=told[-1].time,
        begins=told[0].time,
        ends=told[-1].time + 1,
        data={"lines": [line.fields() for line in told]},
    )


def written(lines: Sequence[Line]) -> str:
    """As text: by days, what one says on one line, with a mark where something is left out in between."""
    page: list[str] = []
    for day, of_day in groupby(lines, key=lambda line: day_of(line.time)):
        page.append(day)
        for by, said in groupby(of_day, key=lambda line: line.by):
            first, *others = said
            words = f"{_flat(by)}: {first.text}"
            for before, line in pairwise((first, *others)):
                follows = (line.id, line.place) == (before.id, before.place + 1)
                words += f" {line.text}" if follows else f" {GAP} {line.text}"
            page.append(words)
    return "\n".join(page)


def day_of(time: int) -> str:
    """A day as summaries write it: "2026-05-20", in UTC."""
    return moment(time).isoformat()[:10]


def _week(time: int) -> str:
    year, week, _ = moment(time).isocalendar()
    return f"{WEEK}{year:04d}-W{week:02d}"


def _month(time: int) -> str:
    return f"{MONTH}{day_of(time)[:7]}"


# -- sentences


def _lines(episode: Episode) -> Iterator[Line]:
    for place, (start, stop) in enumerate(_whole(episode.text)):
        said = _MARKS.sub("", _flat(episode.text[start:stop]))
        if said:
            yield Line(episode.id, episode.num, episode.time, episode.by, episode.role, place, said)


def _whole(said: str) -> Iterator[tuple[int, int]]:
    """Where each sentence stands; of one with dashes the whole."""
    first: int | None = None
    last = 0
    for start, stop in cuts(said):
        if first is not None and not _DASH.fullmatch(said, last, start):
            yield first, last
            first = None
        first, last = start if first is None else first, stop
    if first is not None:
        yield first, last


def _flat(words: str) -> str:
    return " ".join(words.split())


_DASH = re.compile(r"\s*[-–—]\s*")
_MARKS = re.compile(r"^(?:(?:[*•>#+-]+|\d{1,3}[.)])\s+)+|\*\*|__|`")
_ASKS = ("?", "？", "؟")
_CLOSING = "\"'”’»)]} *_"
_NAME = re.compile(r"(?<=[\w,;:'’)] )[^\W\d_a-zß-ÿ][\w’'-]+")
"""A word with a capital behind another word: not one that only begins a sentence."""
_ADDRESSED = re.compile(r"(?:^(?:[Hh]ey|[Hh]i|[Hh]ello),?|,) [^\W\d_a-zß-ÿ][\w’'-]+(?=[.!,]|$)")
"""Whom somebody speaks to: "Hey Ana, look." tells nothing of Ana."""
_MANNERS = re.compile(
    r"\b(?:as an ai|language model|(?:happy|glad|here) to help|let me know|feel free|hope (?:this|that|it) helps"
    r"|here (?:are|is) (?:some|a few|the)|you're welcome|apologi[sz]e for|have a (?:great|nice|good))\b",
    re.IGNORECASE,
)
_TALK = """absolutely agree agreed amazing awesome aw aww awful bet bit bye care catch chat cheers congrats
congratulations cool course curious day deal definitely enjoy exactly excited exciting fantastic feel feeling forward
fun get getting glad go going good great guess guys happy haha hear hearing hello help helpful hey hi hope hoping hug
hugs incredible inspiring interesting keep kind know later let lol look looking lot lots love lovely luck make makes
making maybe mean morning need new nice nope oh ok okay oops perfect probably proud pretty really right say seem seems
share sharing sorry sound sounds special stuff super support sure talk talking tell thank thanks thing things think
thought time totally true truly try understand want wish welcome well wonderful wow yeah yep yes yup"""
_SMALL_TALK = frozenset(_TALK.split())
"""Words that a sentence needs others beside."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What a sentence would bring to a summary, and what it would cost."""

    at: int
    size: int
    terms: tuple[str, ...]
    weight: float


def chosen(lines: Sequence[Line], most: int) -> list[int]:
    """The places of the sentences to keep within so many words, the most telling first.

    A sentence is worth its own words (no stop words; a word counts less when the summary has it already) times one
    more than the number of signs that it tells of somebody's life: "I" or "my", a name, a time. Taken is, again and
    again, the one worth most for its length: the greedy answer to a maximum coverage within a budget (Gillick and
    Favre, A Scalable Global Model for Summarization, 2009; Lin and Bilmes, A Class of Submodular Functions for
    Document Summarization, ACL 2011), here with one weight for all words: a weight by frequency, as a centrality is,
    would prefer what was said over and over to what was told once. Of equals the earlier one.

    Questions count only where people do nothing but ask: they tell what it was about. The time is linear in the number
    of sentences for a given `most`.
    """
    names = frozenset(word for by in {line.by for line in lines} for word in text.words(by))
    asks = [line.text.rstrip(_CLOSING).endswith(_ASKS) for line in lines]
    left = [one for at, line in enumerate(lines) if (one := _candidate(at, line, names, asks[at])) is not None]
    if any(not asks[one.at] and lines[one.at].role != "assistant" for one in left):
        left = [one for one in left if not asks[one.at]]
    picked: list[int] = []
    said: Counter[str] = Counter()
    while left := [one for one in left if one.size <= most]:
        best = max(left, key=lambda one: (_worth(one, said), -one.at))
        picked.append(best.at)
        most -= best.size
        said.update(best.terms)
        left.remove(best)
    return picked


def _worth(one: _Candidate, said: Mapping[str, int]) -> float:
    return one.weight * sum(AGAIN ** said[term] for term in one.terms) / (one.size + ANOTHER)


def _candidate(at: int, line: Line, names: frozenset[str], asks: bool) -> _Candidate | None:
    """None for what has too few words of its own, and for manners."""
    if _MANNERS.search(line.text):
        return None
    words = text.words(line.text)
    stop = text.stop_words(words)
    own = [word for word in words if word not in stop and word not in names]
    if len(_terms(word for word in own if word not in _SMALL_TALK)) < FEWEST:
        return None
    weight = ASSISTANT if line.role == "assistant" or asks else 1.0 + sum(_signs(line, words, names))
    return _Candidate(at, len(text.terms(line.text)), _terms(own), weight)


def own_words(said: str, by: str) -> list[str]:
    """The words of a text without stop words, small talk and its speaker's name, in reading order."""
    words = text.words(said)
    empty = text.stop_words(words) | _SMALL_TALK | frozenset(text.words(by))
    return [word for word in words if word not in empty and len(word) > 1]


def _terms(words: Iterable[str]) -> tuple[str, ...]:
    found = text.terms(" ".join(words))
    return tuple(dict.fromkeys(term for term in found if len(term) > 1 or not term.isascii()))


def _signs(line: Line, words: Sequence[str], names: frozenset[str]) -> Iterator[bool]:
    yield not FIRST_PERSON.isdisjoint(words)
    called = _NAME.finditer(_ADDRESSED.sub("", line.text))
    yield any(names.isdisjoint(text.words(name[0])) for name in called)
    yield bool(dates.told(line.text, moment(line.time)))
