"""Whether the words that a statement rests on carry it, and which words these are. Pure; no model judges here.

    numbers    each must stand there: "3,000", "three thousand" and "3k" are one number; "3 dogs" is not "3 cats"
    times      each must be told there, resolved against the day on which it was said, and no more precisely
    polarity   "not", "never" and "no longer" on both sides or on none
    names      each must stand there, be the speaker's, or be known
    words      most of the others must stand there, by their stems

Used for what rules derive and for what a model answers alike. Cues of polarity are English, with a few of German,
French, Spanish and Portuguese; numbers, times in ISO and names hold in any script that has words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from mnemic import dates
from mnemic import text as text_
from mnemic.statements import USER, Span, Statement, Turn, folded, relation

MOSTLY = 2 / 3
"""Share of the plain words of a statement, and of its value, that must stand in its evidence."""


def carried(statement: Statement, turns: Sequence[Turn], names: Iterable[str] = ()) -> tuple[str, ...]:
    """The reasons why a statement's evidence does not carry it; none where it does.

    `turns` are those among which its evidence is, `names` those that are known without standing there.
    """
    by_id = {turn.id: turn for turn in turns}
    missing = [span.turn for span in statement.evidence if span.turn not in by_id]
    if missing or not statement.evidence:
        return (f"its evidence is not there: {', '.join(missing) or 'it names none'}",)
    cited = list(dict.fromkeys(span.turn for span in statement.evidence))
    evidence = _Evidence([by_id[one] for one in cited], list(names))
    said = " ".join([statement.text, "" if _holds(statement.text, statement.value) else statement.value])
    return tuple(
        dict.fromkeys(
            [
                *_times(statement, said, evidence),
                *_numbers(statement, said, evidence),
                *_polarity(statement, evidence),
                *_names(statement, evidence),
                *_whose(statement, evidence),
                *_words(statement, evidence),
            ]
        )
    )


def best_span(statement: str, value: str, turn: Turn) -> Span:
    """The words of a turn on which a statement rests: the sentence that has most of its words, with the one behind it
    where that has some more of its value. The first of equals; the whole turn where none has any."""
    about = {**dict.fromkeys(_stems(statement), 1.0), **dict.fromkeys(_stems(value), 2.0)}
    valued = frozenset(_stems(value))
    found = list(_sentences(turn.text))
    if not found:
        return Span(turn.id, 0, len(turn.text))
    held = [frozenset(_stems(turn.text[start:stop])) for start, stop in found]
    best = max(range(len(found)), key=lambda at: (sum(about.get(stem, 0.0) for stem in held[at]), -at))
    if not held[best] & about.keys():
        return Span(turn.id, found[0][0], found[-1][1])
    start, stop = found[best]
    if best + 1 < len(found) and (valued & held[best + 1]) - held[best]:
        stop = found[best + 1][1]
    return Span(turn.id, start, stop)


def shared(statement: str, value: str, turn: Turn) -> int:
    """How many words of a statement a turn has."""
    return len(frozenset(_content(f"{statement} {value}")) & frozenset(_stems(turn.text)))


def denies(text: str, value: str) -> bool:
    """Whether a text says that its value does not hold, or no longer."""
    outer = _without(_plain(text), _plain(value))
    return bool(_nots(outer) or _ENDED.search(outer))


def recounted(text: str, turns: Sequence[Turn]) -> tuple[str, ...]:
    """The reasons why turns do not carry a text that recounts them in the third person; none where they do.

    Each part of each sentence is looked at by itself: what is added to a long one, or denied in a part of it, is not
    outweighed by the rest.
    """
    if not turns:
        return ("its evidence is not there: it names none",)
    evidence = _Evidence(list(turns), [])
    reasons: list[str] = []
    subject = USER
    for number, (start, stop) in enumerate(_sentences(text)):
        said = text[start:stop]
        opening = _PRONOUN.match(said)
        if opening and number == 0:
            reasons.append(f"it does not say who or what {opening[0]!r} is")
        subject = subject if opening else _opening_name(said)
        spans = tuple(best_span(said, said, turn) for turn in turns)
        whole = Statement("summary", subject, "recounted", said, said, spans, turns[0].time)
        reasons += [*_person(said), *_times(whole, said, evidence), *_numbers(whole, said, evidence)]
        reasons += [*_names(whole, evidence), *_words(whole, evidence)]
        for part in _PARTS.split(said):
            if part.strip(" ,.;:!?"):
                name = _PART_NAME.match(part)
                subject = name[1] if name else subject
                clause = replace(whole, subject=subject, text=part.strip(), value=part.strip(" .!"))
                reasons += [*_polarity(clause, evidence), *_whose(clause, evidence), *_words(clause, evidence)]
                reasons += [*_sides(clause, evidence), *_tells_of(clause, evidence)]
    return tuple(dict.fromkeys(reasons))


class _Evidence:
    """What the turns that a statement rests on hold."""

    def __init__(self, turns: list[Turn], names: list[str]) -> None:
        self.turns = turns
        self.names = names
        self.texts = [_plain(turn.text) for turn in turns]
        told = [(turn.text, one) for turn in turns for one in dates.told(turn.text, turn.time)]
        self.told = [times for text, one in told for times in _meant(text[one.start : one.end].lower(), one)]
        self.phrases = [one.phrase for _, one in told]
        self.lasting = [one for turn in turns for one in dates.lasting(turn.text, turn.time)]
        self.numbers = [number for turn in turns for number in numbers(turn.text)]
        self.stems = frozenset(stem for turn in turns for stem in _stems(turn.text))
        self.speakers = frozenset(
            stem for turn in turns for stem in _stems(f"{turn.by} {turn.role} {turn.speaker or ''}")
        )
        self.known = frozenset(stem for name in names for stem in _stems(name))

    def is_now(self, first: datetime) -> bool:
        """Whether a turn of that day speaks of its own day."""
        return any(
            turn.time.date() == first.date() and _NOW.search(text)
            for turn, text in zip(self.turns, self.texts, strict=True)
        )


# -- times

_NOW = re.compile(
    r"\b(?:today|now|tonight|this (?:morning|afternoon|evening)|just|currently|at the moment|these days)\b"
)


def _times(statement: Statement, said: str, evidence: _Evidence) -> Iterator[str]:
    rest = said
    for phrase in sorted(evidence.phrases, key=len, reverse=True):
        rest = re.sub(rf"(?<!\d )\b{re.escape(phrase)}\b", " ", rest, flags=re.IGNORECASE)
    for one in dates.told(rest, statement.said):
        if not _is_told(one.first, one.last, evidence):
            yield f"the time {rest[one.start : one.end]!r} ({one.phrase}) is not told in its evidence"
    for name, moment in (("begins", statement.valid_from), ("ends", statement.valid_to)):
        if moment is not None and not _is_edge(moment, evidence):
            yield f"it {name} on {moment:%Y-%m-%d}, which is not told in its evidence"


def _meant(words: str, told: dates.Told) -> Iterator[tuple[datetime, datetime]]:
    """What a time may mean: of "15 March" and "on Wednesday" the one before and the one behind are likely, too."""
    yield told.first, told.last
    if re.search(r"\d{4}", words) or told.precision not in ("day", "month"):
        return
    days = 7 if any(name[:3].lower() in words for name in dates.CALENDAR[12:]) else 0
    for step in (-1, 1):
        try:
            if days:
                yield told.first + timedelta(days=step * days), told.last + timedelta(days=step * days)
            elif any(name[:3].lower() in words for name in dates.CALENDAR[:12]):
                yield told.first.replace(year=told.first.year + step), told.last.replace(year=told.last.year + step)
        except (ValueError, OverflowError):  # 29 February; the end of the calendar
            continue


def _is_told(first: datetime, last: datetime, evidence: _Evidence) -> bool:
    """Whether the evidence tells a time within these bounds: as precise as they are, or more."""
    if any(first <= other and end <= last for other, end in evidence.told):
        return True
    if any(one.since is not None and first <= one.since < last for one in evidence.lasting):
        return last - first > timedelta(days=7) or "day" in " ".join(one.phrase for one in evidence.lasting)
    return last - first <= timedelta(days=1) and evidence.is_now(first)


def _is_edge(moment: datetime, evidence: _Evidence) -> bool:
    day = timedelta(days=1)
    return (
        any(first <= moment <= last for first, last in evidence.told)
        or any(one.since is not None and abs(one.since - moment) <= day for one in evidence.lasting)
        or any(turn.time.date() == moment.date() for turn in evidence.turns)
    )


# -- numbers


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text. One of two readings has both: "7:30" is half past seven in the morning or in the evening."""

    start: int
    stop: int
    values: frozenset[float]
    is_time: bool = False
    """Whether it is a time of day, in minutes."""
    of: frozenset[str] = frozenset()
    """Stems of the words behind it: what is counted."""
    word: str = ""


_UP = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen"""
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NTH = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")
_SMALL = {
    **{word: float(value) for value, word in enumerate(_UP.split())},
    **{ten: 10.0 * tens for tens, ten in enumerate(_TENS, 2)},
    **{nth: float(at) for at, nth in enumerate(_NTH, 3)},
    "twice": 2.0,
    "thrice": 3.0,
    "couple": 2.0,
    "dozen": 12.0,
}
_TIMES = {
    "hundred": 100.0,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "mn": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "dozen": 12.0,
}
_CLOCK = re.compile(r"(?<![\w:.,])(\d{1,2})(?:(?:[:h](\d\d))(?!\d)(?:\s?([ap])\.?m\b)?|\s?([ap])\.?m\b)", re.IGNORECASE)
_FIGURE = re.compile(
    r"((?:(?<![^\s(\[$€£])[-−])?)(?<![\d.,])(\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)", re.IGNORECASE
)
_SCALE = re.compile(r"\s?(k|mn|bn|hundred|thousand|million|billion|dozen)s?\b", re.IGNORECASE)
_MANY = "hundreds?|thousands?|millions?|billions?"
_WORDED = re.compile(
    rf"\b(?:(?:{'|'.join(_SMALL)}|{_MANY}|an?(?=\s+(?:{_MANY}|dozen|couple)\b))\b"
    rf"(?:[\s-]+(?:and\s+)?(?=(?:a\s+half|{'|'.join(_SMALL)}|{_MANY})\b))?)+(?:a\s+half\b)?",
    re.IGNORECASE,
)
_DAYTIME = re.compile(r"\b(?:morning|noon|afternoon|evening|night|tonight)\b")


def numbers(text: str) -> list[Number]:
    """The numbers of a text, in figures and in English words, in order; "a" and "one" are none."""
    found: list[tuple[int, int, frozenset[float], bool]] = []
    taken = bytearray(len(text))
    for match in _CLOCK.finditer(text):
        hour, minute, letter = int(match[1]), int(match[2] or 0), (match[3] or match[4] or "").lower()
        if hour > 24 or minute > 59 or (letter and hour > 12):
            continue
        morning = float(hour % (12 if hour == 12 or letter else 24) * 60 + minute)
        both = {"a": {morning}, "p": {morning + 720}}.get(letter) or (
            {morning, morning + 720} if hour <= 12 else {morning}
        )
        found.append((*match.span(), frozenset(both), True))
        taken[match.start() : match.end()] = b"x" * (match.end() - match.start())
    for match in _FIGURE.finditer(text):
        if any(taken[match.start() : match.end()]):
            continue
        value = float(match[2].replace(",", "")) * (-1 if match[1] else 1)
        stop = match.end()
        while scale := _SCALE.match(text, stop):
            value *= _TIMES[scale[1].lower()]
            stop = scale.end()
        found.append((match.start(), stop, frozenset({value}), False))
        taken[match.start() : stop] = b"x" * (stop - match.start())
    for match in _WORDED.finditer(text):
        value = _of_words(match[0])
        if value is not None and not any(taken[match.start() : match.end()]):
            found.append((*match.span(), frozenset({value}), False))
    found.sort()
    return [
        Number(start, stop, values, is_time, _counted(text, stop, after[0]), text[start:stop])
        for (start, stop, values, is_time), after in pairwise([*found, (len(text), 0, frozenset[float](), False)])
    ]


def _of_words(words: str) -> float | None:
    """ "two hundred and fifty" is 250; None for "a", "an" and "one" alone, which count nothing."""
    total, current = 0.0, 0.0
    parts = re.findall("[a-z]+", words.lower())
    if parts[-1] in ("a", "an", "and") or parts in (["one"], ["a", "one"]):
        return None
    for part in parts:
        part = part if part in _SMALL or part in _TIMES else part.rstrip("s")
        if part in _TIMES and (part != "dozen" or current):
            current = (current or 1.0) * _TIMES[part]
            if _TIMES[part] >= 1e3:
                total, current = total + current, 0.0
        elif part in _SMALL:
            current += _SMALL[part]
        elif part == "half":
            current += 0.5
    return total + current


def _counted(text: str, at: int, until: int) -> frozenset[str]:
    """Stems of the first word behind a number that says something; of the two first where they belong together."""
    behind = re.match(r"[^.!?;:,\n]*", text[at : min(until, at + 60)])
    words = text_.content_words(text_.words(behind[0])) if behind else []
    return frozenset(stem for word in words[:1] for stem in _stems(word))


def _numbers(statement: Statement, said: str, evidence: _Evidence) -> Iterator[str]:
    rest = list(said)
    for one in dates.told(said, statement.said):  # a number of a date is the date's
        rest[one.start : one.end] = " " * (one.end - one.start)
    for name in {*(turn.by for turn in evidence.turns), *evidence.names}:  # "user42" is a name
        for place in re.finditer(rf"\b{re.escape(name)}\b", said, re.IGNORECASE):
            rest[slice(*place.span())] = " " * len(place[0])
    years = {float(moment.year) for first, last in evidence.told for moment in (first, last - timedelta(seconds=1))}
    years |= {float(one.since.year) for one in evidence.lasting if one.since is not None}
    plain = {value for number in evidence.numbers if not number.is_time for value in number.values} | years
    clock = {value for number in evidence.numbers if number.is_time for value in number.values}
    named = frozenset(value for name in evidence.names for number in numbers(name) for value in number.values)
    for number in numbers("".join(rest)):
        if number.is_time:
            hours = {value / 60 % 12 for value in number.values} | {value / 60 for value in number.values}
            spoken = any(map(_DAYTIME.search, evidence.texts))
            if not (number.values & clock or (spoken and hours & plain) or (not clock and ":00" in number.word)):
                yield f"the time {number.word!r} is not in its evidence"
        elif not number.values & (plain | named):
            if not (number.values & {value / 60 % 12 or 12.0 for value in clock} or 1.0 in number.values):
                yield f"the number {number.word!r} is not in its evidence"
        else:
            counted = [other for other in evidence.numbers if other.of & number.of]
            if counted and not any(other.values & number.values for other in counted):
                yield (
                    f"{number.word!r} does not stand with {', '.join(sorted(number.of))!r} in its evidence: "
                    + f"there it is {counted[0].word!r}"
                )


# -- polarity

_IDIOMS = re.compile(  # they deny nothing
    r"\bnot (?:only|just|to mention|least)\b"
    r"|\b(?:can't|cannot|can not|couldn't) (?:wait|help|believe|get enough|stop)\b"
    r"|\bcouldn't (?:be|have been) (?:more|happier|prouder|better)\b|\bcouldn't agree more\b"
    r"|\bno (?:doubt|wonder|problem|worries|matter|way)\b|\bno(?=[,.!])|\bnothing but\b"
    r"|\bnever ?mind\b|\b(?:don't|do not) (?:forget|worry|mind)\b|\bwhy not\b"
)
_VERBS = "ca|do|does|did|is|was|wo|are|were|have|has|had|would|could|should|ai|need|must"
_NOT = re.compile(
    rf"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely|(?:{_VERBS})n'?t"
    r"|dislikes?d?|hates?d?|refuses?d?|nicht|kein(?:e[nmrs]?)?|nie|niemals|jamais|nunca|jamás|não)\b"
)
_USED_TO = r"(?<!get )(?<!got )(?<!am )(?<!'m )(?<!is )(?<!'s )(?<!are )(?<!'re )(?<!was )(?<!getting )used to"
_NO_LONGER = re.compile(r"\b(?:no longer|any ?more|any longer|no more|nicht mehr)\b")
_ENDED = re.compile(
    rf"{_NO_LONGER.pattern}|\b(?:stopped(?! (?:at|by|in|for|over|off)\b)|quit|gave up|given up|former(?:ly)?|previously"
    rf"|back (?:then|when|in (?:\d|the )))|\bex-|\b{_USED_TO}\b"
)
_ENDS = re.compile(
    rf"{_ENDED.pattern}|\b(?:left|leaving|sold|lost|broke up|split up|divorced|separated|cancell?ed|dropped|retired"
    r"|resigned|moved (?:out|away)|instead|rather than|got rid|gave away|ended|is over|it's over|died|passed away|fired"
    r"|laid off|cut out|gone)\b"
)
_CORRECTS = re.compile(r"\b(?:actually|typo|misspoke|wrong|correction|i meant|mixed up|sorry|mistake|no)\b")
_NEVER = re.compile(r"\b(?:never|niemals|nie|jamais|nunca|jamás|not ever)\b|n't ever\b")
_NEVER_SAID = re.compile(rf"{_NEVER.pattern}|\b(?:have|has|had)(?:n'?t| not)\b|'ve not\b|\bnot once\b|\byet to\b")
_SUPPOSED = re.compile(r"\b(?:if|unless|whether|in case|i wish|suppose|supposing|imagine|pretend)\s")
_UNREAL = re.compile(  # it is not so, or not yet
    r"\b(?:if|unless|would(?!n'?t)|'d (?:have|love|buy|be)|could have|might|maybe|perhaps|assuming|imagine|let's say"
    r"|wish|pretend|in another life|in (?:the|a|my) dream|almost|nearly|about to|should the)\b"
)
_INTENDED = re.compile(
    r"\b(?:will|'ll|going to|gonna|want(?:s|ed)? to|plan(?:s|ned)? (?:to|on)|planning|hop(?:e|es|ing) to|considering"
    r"|thinking (?:about|of)|would like to)\b"
)
_GIVEN_AWAY = re.compile(
    r"\b(?:sold|lost|gave away|got rid of|broke up with|divorced)\b"
    r"|\b(?:moved (?:out|away) (?:of|from)|evicted from|kicked out of|vacated|gave up) (?:my|our)"
    r" (?:(?!(?:in)?to |and )[\w'-]+ )*$"
)
_JEST = re.compile(r"\b(?:just (?:kidding|joking)|jk)\b|(?:^|\s)/s(?:\s|$)|\*sarcasm\*|\(joke\)")
_NOT_YET = frozenset({"goal", "event", "instruction", "forget"})
"""Kinds that may tell what is only intended."""
_ASKS = re.compile(
    r"(?:so |and |but |hey,? |ok,? )?(?:do|does|did|am|is|are|was|were|should|could|can|may|will|would|shall|have|has) "
    r"(?:i|we|you|he|she|they|it|there|my|our|your|the|a)\b"
)
_CLAUSES = re.compile(
    r"[.!?;:\n]+|,|\s[-–—]+\s|\b(?:but|though|although|however|because|where(?:as)?|which|except|when|(?=(?:if|unless|whether)\s)"
    r"|and (?=(?:i|i'\w+|we|we'\w+|he|she|they|it|my|our|now|then|that)\b)|so (?=(?:i|we|he|she|they)\b))"
)
_FREE = frozenset({"told", "instructed", "forget", "never", "does", "did", "plans", "due"})
"""Relations whose value is what is said, with its own "not"."""


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    """In lower case."""
    near: str
    """With the ones before and behind it."""
    others: str
    """The other turns of the evidence: "I misspoke"."""
    asks: bool


def _polarity(statement: Statement, evidence: _Evidence) -> Iterator[str]:
    """What is denied must be denied there, and what is not must not; each by the clauses that have the value."""
    text, value = _plain(statement.text), _plain(statement.value)
    outer = _without(text, value)
    refuses = bool(_nots(outer))
    name = statement.relation.partition(":")[0]
    if not statement.holds and not refuses and not _ENDS.search(text) and not _nots(value):
        yield f"it is said not to hold, and its text does not say so: {statement.text!r:.120}"
    elif statement.holds and refuses and relation(name).says != "{subject} {value}" and name not in _FREE:
        yield f"it is said to hold, and its text denies it: {statement.text!r:.120}"
    elif not (places := _places(statement, evidence)):
        return  # then its words are not there
    elif refuses or not statement.holds or _ENDED.search(outer):
        yield from _as_denied(outer, value, places)
    else:
        yield from _as_held(statement, value, places)
        if all(_is_in_jest(text, value) for text in evidence.texts):
            yield "its evidence says that it is a joke"
        elif value and all(_is_quoted(text, value) for text in evidence.texts):
            yield "its evidence only quotes it"


def _as_denied(said: str, value: str, places: Sequence[_Clause]) -> Iterator[str]:
    """Why clauses do not deny their value, or not as it is said."""
    if not any(_denied(place, value) for place in places):
        yield "its evidence does not deny it"
    elif _NEVER.search(said) and not any(_NEVER_SAID.search(place.near) for place in places):
        yield "its evidence does not say 'never'"
    elif _NO_LONGER.search(said) and not any(
        _ENDS.search(f"{place.near} {place.others}") or _is_left(place.text, value) for place in places
    ):
        yield "its evidence does not say that it has ended"


def _as_held(statement: Statement, value: str, places: Sequence[_Clause]) -> Iterator[str]:
    """Why clauses do not say that their value holds."""
    inner = len(_nots(value))
    mine = [place for place in places if _is_mine(place.text, value)]
    sound = [place for place in places if len(_nots(_around(place.text, value))) <= inner]
    if inner and not any(_nots(place.near) for place in places):
        yield "its evidence does not deny it"
    elif mine and statement.relation.partition(":")[0] in _OWNED:
        if all(_before(_GIVEN_AWAY, place.text, value.split()[-1]) for place in mine):
            yield "its evidence says that it has ended"
    elif not sound:
        yield "its evidence denies it"
    else:
        yield from _unreal(statement, sound)


def _unreal(statement: Statement, places: Sequence[_Clause]) -> Iterator[str]:
    """Why clauses that do not deny it do not say that it is so, either."""
    text, value = _plain(statement.text), _plain(statement.value)
    past = statement.kind == "event" or statement.valid_to is not None or bool(_ENDED.search(text))
    meant = statement.kind in _NOT_YET or bool(_INTENDED.search(text))
    if not past and all(_ENDED.search(place.text) or _is_left(place.text, value) for place in places):
        yield "its evidence says that it has ended"
    elif all(_SUPPOSED.match(place.text) for place in places) and not _SUPPOSED.search(text):
        yield "its evidence only supposes it"
    elif all(place.asks for place in places):
        yield "its evidence asks, and does not tell it"
    elif all(_before(_UNREAL, place.text, value) for place in places) and not _UNREAL.search(text):
        yield "its evidence says that it might be, not that it is"
    elif not meant and all(_before(_INTENDED, place.text, value) for place in places):
        yield "its evidence says that it is intended, not that it is"


def _nots(text: str) -> list[str]:
    return _NOT.findall(_IDIOMS.sub(" ", text))


def _denied(place: _Clause, value: str) -> bool:
    """Whether a clause says that the value does not hold; one of a few words is denied by its neighbours: "Google?
    I don't work there", and one in another turn by what corrects it."""
    brief = len(place.text.split()) <= len(value.split()) + 1
    said = place.near if brief else place.text
    return bool(_nots(said) or _ENDS.search(said) or _is_left(place.text, value) or _CORRECTS.search(place.others))


def _before(cue: re.Pattern[str], clause: str, value: str) -> bool:
    """Whether a cue stands before the value, or, where that is not found as it is, anywhere in the clause."""
    place = clause.find(value)
    return cue.search(clause if place < 0 else clause[:place]) is not None


def _around(clause: str, value: str) -> str:
    """A clause up to three words behind its value, or to a "that": what comes then denies something else."""
    place = clause.find(value)
    if place < 0:
        return clause
    behind = re.match(r"(?:\W+(?!(?:that|which|who)\b)[\w']+){0,3}", clause[place + len(value) :])
    return clause[: place + len(value)] + (behind[0] if behind else "")


_OWNED = frozenset({"has", "pet", "relative", "partner", "friend"})
"""Relations that "my X" takes for granted, also in a question."""


def _is_mine(clause: str, value: str) -> bool:
    last = re.escape(value.split()[-1]) if value.split() else ""
    return bool(last) and re.search(rf"\b(?:my|our) (?:[\w'-]+ ){{0,4}}?{last}\b", clause) is not None


def _is_in_jest(text: str, value: str) -> bool:
    """Whether a text says behind the value that it was a joke."""
    return any(value in text[: match.start()] for match in _JEST.finditer(text))


_QUOTATION = re.compile(r"(?<!\w)[\"“«']([^\"”»\n]{12,}?)[\"”»'](?!\w)")


def _is_quoted(text: str, value: str) -> bool:
    """Whether a value stands only in quotations of somebody's sentences: with an "I" in them."""
    spoken = [match.span() for match in _QUOTATION.finditer(text) if _FIRST.search(match[1])]
    places = [match.start() for match in re.finditer(re.escape(value), text)]
    return bool(spoken) and all(any(start <= at < stop for start, stop in spoken) for at in places)


def _is_left(clause: str, value: str) -> bool:
    """Whether a clause tells that somebody moved away from the value, left, sold or lost it."""
    if not value.split():
        return False
    first = re.escape(value.split()[0])
    moved = rf"\b(?:moved|switched|changed|relocated|came|come|coming)\b.{{0,80}}\bfrom (?:\w+ ){{0,2}}{first}\b"
    if re.search(moved, clause):
        return re.search(rf"\b(?:to|in|at) (?:\w+ ){{0,2}}{first}\b", clause) is None
    lost = rf"\b(?:left|leaving|sold|lost) (?:\w+ ){{0,4}}?{first}\b"
    found = re.search(rf"\b(?:to|for|join\w*) (?:\w+ )?{first}\b", clause) is None
    return found and re.search(lost, clause) is not None


def _places(statement: Statement, evidence: _Evidence) -> list[_Clause]:
    """The clauses that have most of the value's words; where none has any, most of the text's."""
    clauses = [
        clause
        for at, text in enumerate(evidence.texts)
        for clause in _clauses(text, " ".join([*evidence.texts[:at], *evidence.texts[at + 1 :]]))
    ]
    held = [frozenset(_stems(clause.text)) for clause in clauses]
    skipped = frozenset(_stems(f"{statement.subject} not never no longer any more"))
    for words in (statement.value, statement.text):
        wanted = frozenset(_content(words)) - skipped or frozenset(_stems(words)) - skipped
        counts = [len(wanted & stems) for stems in held]
        best = max(counts, default=0)
        if best:
            return [clause for clause, count in zip(clauses, counts, strict=True) if count == best]
    return []


def _clauses(text: str, others: str) -> Iterator[_Clause]:
    """The clauses of a text. An "if" begins its clause; what a question asks ends with its mark."""
    cuts = [match for match in _CLAUSES.finditer(text) if match.end() or match.start()]
    bounds = [0, *(match.start() if match.end() == match.start() else match.end() for match in cuts), len(text)]
    pieces = [(text[start:stop], start) for start, stop in pairwise(bounds)]
    for at, (piece, start) in enumerate(pieces):
        if piece.strip(" ,.;:!?\n"):
            near = " ".join(other for other, _ in pieces[max(at - 1, 0) : at + 2])
            yield _Clause(piece.strip(), near, others, _asks(text, start))


_SENTENCE_MOST = 400
"""Characters on either side within which a sentence begins and ends."""


def _asks(text: str, at: int) -> bool:
    """Whether the sentence around a place is a question that takes nothing for granted: "Do I live in Porto?"."""
    earliest = max(at - _SENTENCE_MOST, 0)
    start = max(earliest, *(text.rfind(mark, earliest, at) + 1 for mark in ".!?\n"))
    end = re.compile(r"[.!?\n]").search(text, max(at, start), at + _SENTENCE_MOST)
    return end is not None and end[0] == "?" and _ASKS.match(text[start : end.start()].lstrip()) is not None


# -- what recounts

_PRONOUN = re.compile(r"\W*(?:he|she|they|it|his|her|hers|their|its|this|that|these|those|both)\b", re.IGNORECASE)
_SPEAKS = re.compile(
    r"\b(?:I(?:['’]\w+)?|[Mm](?:e|y|ine|yself)|[Ww]e(?:['’]\w+)?|us|[Oo]urs?|[Yy]ou(?:['’]\w+|rs?)?)\b"
)
_QUOTED = re.compile(r"(?<!\w)(?:\"[^\"]*\"|“[^”]*”|«[^»]*»|'[^'\n]*'(?!\w))")
_NEW_VERB = r"(?:do|does|did|is|was|has|have|had|will|would|can|could)(?:n['’]t| not)"
_PARTS = re.compile(
    r"[;:]\s|,\s|\s[-–—]+\s"
    r"|\b(?:but|though|although|however|because|whereas|while|which|who|except|when|if|unless|yet)\b"
    rf"|\band\b(?=\s+(?:[A-Z]|(?:he|she|they|it|now|then|that|{_NEW_VERB}|no|not|never|hardly)\b))"
)
_PART_NAME = re.compile(r"\s*(?:and\s+)?([^\W\d_a-zß-ÿ][\w-]+)")
_I = re.compile(r"\bi(?:'\w+)?\b")
_TOGETHER = re.compile(r"((?:^|[.!?,;:]\s)\s*(?:\w+ ){0,2}\w+) and i\b")
"""Of "Ben and I went" both tell, in one clause."""
_CALLED = (
    r"((?:^|[.!?,])\s*(?:(?:hey|hi|hello|dear|thanks|thank you|wow|yes|yeah|yep|no|oh|ok|okay|sure|so),?\s+)?)"
    r"{name}(\s*(?:[,.!?]|$))"
)
"""A name with which somebody is spoken to."""
_YOU = re.compile(r"\byou(?:'\w+|r|rs)?\b")
_DENIES = re.compile(
    rf"{_ENDED.pattern}|{_GIVEN_AWAY.pattern}|\b(?:cancell?ed|called off|moved (?:out|away)|died|passed away|is over)\b"
)


def _opening_name(said: str) -> str:
    """The word that a sentence begins with, where it may be a name: a capital there is no sign of one."""
    first = said.split()[0].strip("\"“”'’.,;:!?()").removesuffix("'s").removesuffix("’s")
    return first if _content(first) else USER


def _person(said: str) -> Iterator[str]:
    """Who speaks, or is spoken to, cannot be seen in what recounts."""
    spoken = _SPEAKS.search(_QUOTED.sub(" ", said))
    if spoken:
        yield f"it says {spoken[0]!r}, and not who that is"


def _sides(clause: Statement, evidence: _Evidence) -> Iterator[str]:
    """Each word that is not denied must somewhere not be; of those that are, one must be denied there, too."""
    sides: dict[str, set[bool]] = {}
    for text in evidence.texts:
        for place in _clauses(text, ""):
            brief = len(place.text.split()) <= _BRIEF
            found = {_is_denial(place.text), _is_denial(place.near if brief else place.text)}
            for stem in _stems(place.text):
                sides.setdefault(stem, set()).update(found)
    own = [stem for stem in _content(_timeless(clause.text, clause.said)) if not stem[:1].isdigit()]
    there = [stem for stem in dict.fromkeys(own) if stem in sides and stem not in evidence.speakers]
    if _is_denial(_plain(clause.text)):
        if there and not any(True in sides[stem] for stem in there):
            yield f"its evidence does not deny what it says of {there[-1]!r}"
    elif wrong := [stem for stem in there if False not in sides[stem]]:
        yield f"its evidence denies what it says of {wrong[0]!r}"


_BRIEF = 2
"""Words of a clause that its neighbours may deny."""


def _is_denial(text: str) -> bool:
    return bool(_nots(text) or _DENIES.search(text))


def _tells_of(clause: Statement, evidence: _Evidence) -> Iterator[str]:
    """What somebody says with an "I", or to somebody by name, is about nobody else."""
    own = frozenset(_content(clause.subject))
    if folded(clause.subject) == USER or not own:
        return
    called = _CALLED.format(name=re.escape(clause.subject.lower()))
    texts = [re.sub(called, r"\1 \2", _TOGETHER.sub(r"\1 & i", text)) for text in evidence.texts]
    named = own <= frozenset(stem for text in texts for stem in _stems(text))
    wanted = frozenset(_content(clause.text)) - own
    best, tells = 0, True
    for turn, text in zip(evidence.turns, texts, strict=True):
        speaks = own <= frozenset(_stems(turn.by))
        for place in _clauses(text, ""):
            stems = frozenset(_stems(place.text))
            told = bool(own & stems) or (named and not _I.search(place.text)) or _YOU.search(place.text) is not None
            shared_ = len(wanted & stems)
            if shared_ >= best:
                tells = speaks or told or (tells and shared_ == best)
                best = shared_
    if best and not tells:
        yield f"its evidence says it of who speaks, not of {clause.subject!r}"


# -- names and words

_NAME = re.compile(r"(?<![\w'’])[^\W\d_][\w’'-]*")
_THIRD = re.compile(
    r"\b(?:he|him|his|she|her|hers|they|them|their|theirs|it|its|this|that|these|those|we|us|our|you|your|yours|he's|she's"
    r"|they're|it's|that's|we're|you're|who|which|one)\b"
)
_ABOUT = frozenset({"user", "assistant", "speaker", "person", "someone", "somebody", "they", "he", "she"})


def _names(statement: Statement, evidence: _Evidence) -> Iterator[str]:
    """Names must stand in the evidence, be its speaker's or be known; whom it is about must be meant by something."""
    there = evidence.stems | evidence.speakers
    for name in dict.fromkeys([*_capitals(statement.text), *_capitals(f". {statement.value}")]):
        if not all(stem in there or stem in evidence.known for stem in _content(name)):
            yield f"the name {name!r} is neither in its evidence nor known"
    if folded(statement.subject) == USER:
        return
    strange = [stem for stem in _content(statement.subject) if stem not in there and stem not in _ABOUT]
    unknown = [stem for stem in strange if stem not in evidence.known]
    if unknown:
        yield f"its subject {statement.subject!r} is neither in its evidence nor known"
    elif strange and not any(map(_THIRD.search, evidence.texts)):
        yield f"nothing in its evidence means its subject {statement.subject!r}"
    for alias in statement.aliases:
        if not all(stem in there or stem in evidence.known or stem in _ABOUT for stem in _content(alias)):
            yield f"the name {alias!r} is neither in its evidence nor known"


_KIN = """sister brother mother father mum mom dad parents? wife husband partner boyfriend girlfriend fianc\\w+ friends?
son daughter kids? child children cousin uncle aunt niece nephew grandm\\w+ grandf\\w+ grandpa colleague boss manager
neighbou?r roommate flatmate landlord teacher doctor dog cat family"""
_OTHER = re.compile(
    r"\W*(?:(?:and|but|so|well|also|now|today|yesterday|because|since|then) )*"
    rf"((?:my|our|his|her|their|the) (?:\w+ ){{0,2}}?(?:{'|'.join(_KIN.split())})\b(?!'s)"
    r"|he|she|they|you|you're|your)\b"
)
_FIRST = re.compile(r"\b(?:i|i'\w+|me|we|we'\w+|us|you|myself)\b")


def _whose(statement: Statement, evidence: _Evidence) -> Iterator[str]:
    """What is said of somebody's sister is not said of her: of clauses that begin with another person, none is the
    speaker's own."""
    own = frozenset(_content(statement.subject))
    if folded(statement.subject) != USER and not (own and own <= evidence.speakers):
        return
    if not relation(statement.relation.partition(":")[0]).says.startswith("{subject} "):
        return
    places = [place.text for place in _places(statement, evidence)]
    own_words = all(turn.source == "user" for turn in evidence.turns)
    others = [
        match[1]
        for place in places
        if not _FIRST.search(place.replace("you", "")) and (match := _OTHER.match(place))
        if own_words or not match[1].startswith("you")
    ]
    said = _plain(f"{statement.text} {statement.relation}")
    if others and len(others) == len(places) and not any(one.split()[-1] in said for one in others):
        yield f"its evidence says it of {others[0]!r}, not of {statement.subject!r}"


def _capitals(text: str) -> Iterator[str]:
    """Words with a capital that do not begin a sentence, and are no days or months."""
    for match in _NAME.finditer(text):
        word = match[0].removesuffix("'s").removesuffix("’s")
        begins = not text[: match.start()].rstrip(" \"'“(") or text[: match.start()].rstrip(" \"'“(")[-1] in ".!?:\n"
        if word[:1].isupper() and not begins and word not in dates.CALENDAR and word not in ("I", "OK"):
            yield word


def _words(statement: Statement, evidence: _Evidence) -> Iterator[str]:
    """Most plain words must stand in the evidence; those of the relation, of names and of numbers aside."""
    phrases = frozenset(stem for phrase in evidence.phrases for stem in _stems(phrase))
    there = evidence.stems | evidence.speakers | evidence.known | phrases | _currencies(evidence.texts)
    there |= frozenset(stem for one in evidence.lasting for stem in _stems(one.phrase))
    known = relation(statement.relation.partition(":")[0])
    noun = statement.relation.partition(":")[2]
    given = frozenset(
        _stems(f"{known.says} {known.denies} {noun} {statement.subject} user is be used longer stop am pm")
    )
    for what, words, free in (
        ("value", statement.value, frozenset[str]()),
        ("text", statement.text, given),
    ):
        own = [
            stem
            for stem in dict.fromkeys(_content(_timeless(words, statement.said)))
            if stem not in free and not stem[:1].isdigit() and stem not in _number_stems()
        ]
        lacking = [stem for stem in own if not _stands(stem, there)]
        if own and len(own) - len(lacking) < MOSTLY * len(own):
            yield f"words of its {what} are not in its evidence: {', '.join(lacking)}"


def _stands(stem: str, there: frozenset[str]) -> bool:
    """Whether a stem stands there, or a word of the same family: "marriag" for "marri", "wohnt" for "wohn"."""
    if stem in there:
        return True
    return any(
        other[:5] == stem[:5] if min(len(stem), len(other)) >= 5 else _is_ending(*sorted((stem, other), key=len))
        for other in there
    )


def _is_ending(short: str, long: str) -> bool:
    return len(short) == 4 and len(long) == 5 and long.startswith(short)


def _timeless(words: str, said: datetime) -> str:
    rest = list(words)
    for one in dates.told(words, said):
        rest[one.start : one.end] = " " * (one.end - one.start)
    return "".join(rest)


def _currencies(texts: Sequence[str]) -> frozenset[str]:
    signs = {"$": "dollar", "€": "euro", "£": "pound", "%": "percent", "°": "degree"}
    return frozenset(word for sign, word in signs.items() if any(sign in text for text in texts))


# -- words

_SENTENCE = re.compile(r"[^.!?…。！？\n]*(?:[.!?…。！？]+(?=[\"'”’)\]]*(?:\s|$))[\"'”’)\]]*|[.!?…。！？]|\n|$)")
_FORMS = """am are been being was were is:be ate eaten:eat became:become began begun:begin bought:buy broke broken:break
brought:bring built:build came:come caught:catch chose chosen:choose did done does:do drank drunk:drink
drove driven:drive fed:feed fell fallen:fall felt:feel flew flown:fly found:find forgot forgotten:forget gave given:give
goes gone went:go got gotten:get grew grown:grow had has having:have heard:hear held:hold hid hidden:hide kept:keep
knew known:know led:lead left:leave lent:lend lost:lose made:make meant:mean met:meet paid:pay ran:run rode ridden:ride
said:say sang sung:sing sat:sit saw seen:see sent:send slept:sleep sold:sell spent:spend spoke spoken:speak stood:stand
swam swum:swim taught:teach told:tell thought:think took taken:take threw thrown:throw understood:understand
wore worn:wear won:win wrote written:write children:child men:man women:woman people:person wives:wife lives:live
feet:foot teeth:tooth favorite:favourite color:colour died dying:die lying:lie mum mom:mother dad:father"""


@lru_cache(1)
def _forms() -> dict[str, str]:
    found: dict[str, str] = {}
    waiting: list[str] = []
    for word in _FORMS.split():
        form, _, base = word.partition(":")
        waiting.append(form)
        if base:
            found.update((stem, text_.terms(base)[0]) for one in waiting for stem in text_.terms(one))
            waiting = []
    return found


@lru_cache(1)
def _number_stems() -> frozenset[str]:
    return frozenset(stem for word in (*_SMALL, *_TIMES) for stem in text_.terms(word))


def _stems(words: str) -> list[str]:
    """The stems of all words, forms that no stemmer knows brought to one: "went" is "go"."""
    forms = _forms()
    return [forms.get(stem, stem) for stem in text_.terms(words)]


def _content(words: str) -> list[str]:
    """The stems of the words that say something."""
    return _stems(" ".join(text_.content_words(text_.words(words))))


def _plain(text: str) -> str:
    """In lower case, with plain blanks and apostrophes."""
    return re.sub(r"[ \t\r\f\v\xa0]+", " ", text.replace("’", "'").lower())


def _holds(text: str, value: str) -> bool:
    return folded(value) in folded(text)


def _without(text: str, value: str) -> str:
    """A text without its value, where that stands in it."""
    value = value.strip(" .!")
    return text.replace(value, " ", 1) if value else text


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    for match in _SENTENCE.finditer(text):
        stripped = match[0].strip()
        if stripped:
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            yield start, start + len(stripped)
