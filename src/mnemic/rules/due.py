"""Dates of what is to come: "the deadline is 5 April", "I have a dentist appointment on Friday"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.measures import CHANGED, about, noun_of
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause, ahead, listing, nearest
from mnemic.statements import Statement

_EVENTS = (
    r"(?:deadline|due date|appointment|check-?up|meeting|exam|midterm|final|test|quiz|interview"
    r"|flight|train|wedding|conference|webinar|concert|party|presentation|surgery|operation|class"
    r"|workshop|session|call|race|marathon|half marathon|event|launch|payment|submission"
    r"|application|paper|assignment|project|report"
    r"|anniversary|graduation|ceremony|hearing|review|demo|sprint|release|move|tournament|recital"
    r"|audition|performance|competition|game|match|trip|reservation|booking|lease|subscription"
    r"|visa|passport|rent|shift|orientation|convention|festival|exhibition|show|seminar|lecture"
    r"|thesis|dissertation|defense|delivery|inspection|closing|viewing|date|gig|reunion|fundraiser"
    r"|retreat|photoshoot|shoot|rehearsal|start date|due|walkthrough|kickoff|milestone|target date"
    r"|launch date|mvp|bar exam|vaccination|therapy|physio|consultation|evaluation|milestone)"
)
_CLOCK = r"(?:\d{1,2}(?::\d\d)?\s?[ap]\.?m\b\.?|\d{1,2}:\d\d(?!\w)|noon|midnight)"
_DET_NOUN = (
    rf"(?:(?:my|our|the)\s+)?(?P<noun>(?:[\w'&/-]+\s+){{0,5}}?{_EVENTS}(?:s)?(?:\s+(?:for|of|with|at|to"
    rf"|on)\s+(?:(?:my|the|our)\s+)?[\w'&/.-]+(?:\s+[\w'&/-]+){{0,4}}?)?)"
)
_IS_DUE = re.compile(
    rf"{_DET_NOUN}\s+(?:(?:has|have|had|was|were|is|are|got|been|now|currently|just|actually"
    rf"|already|recently|officially|being|'s)\s+)*(?P<how>(?:re)?scheduled|set|due|planned|booked"
    rf"|moved|pushed|postponed|extended|changed|shifted|brought|delayed|starts?|begins?|ends?"
    rf"|expires?|leaves?|departs?|takes place|happens|falls|coming up|is|are|'s|now)?(?:\s+(?:back"
    rf"|up|forward|out|from\s+[\w ,]{{2,24}}?))*\s*(?:to|for|on|by|until|till|at|from)?(?:\s+(?:now"
    rf"|be|the|this|next|early|late))?\s*(?:(?:at\s+)?{_CLOCK}\s+(?:on\s+)?)?"
)
_HAVE_DUE = re.compile(
    rf"(?:i|we)(?:(?: have|'ve)?(?: just| already| also)? (?:booked|scheduled|arranged|set up"
    rf"|planned)|'ve| have|'ve got| have got| also have| still have| already have|'ve also got| "
    rf"now have)\s+(?:an?|my|the|our"
    rf"|another)\s+(?P<noun>(?:[\w'&/-]+\s+){{0,4}}?{_EVENTS}(?:\s+(?:with|for|at|to|on|about)\s+(?:(?:my|the"
    rf"|our|an?)\s+)?[\w'&/.-]+(?:\s+[\w'&/.-]+){{0,3}}?)?)\s+(?:(?:rescheduled(?: from [\w: "
    rf"]{{2,20}}? to [\w: ]{{2,12}}?)?|scheduled|set|planned|booked|due|coming up|lined up"
    rf"|happening)\s+)?(?:on|for|by|in|at)?\s*(?:the\s+)?"
)
_DUE_OF = re.compile(
    r"\b(?:my|our|the|an?)\s+(?P<noun>(?:(?!(?:that|which|has|have|is|was|meet|meeting|and|or"
    r"|if)\b)[\w'-]+\s+){0,3}?deadline)\s+(?:of|on)\s+$"
)
_DUE_FOR = re.compile(
    r",?\s+for\s+(?:the|my|our)\s+(?P<what>[\w'-]+(?:\s+[\w'-]+){0,2}?)(?=\s*(?:[,.;?!]|$|which\b|and\b|so\b|but\b))"
)
_MOVED = r"(?:rescheduled|moved|pushed|postponed|extended|changed|shifted|brought|delayed)"
_ANY_MOVED = re.compile(rf"\b{_MOVED}\b")
_I_MOVED = re.compile(
    rf"(?:i|we)(?:'ve| have| had to| had)?(?: (?:just|also|recently|already|finally|now))* {_MOVED}"
    rf"(?: (?:back|forward|up|out))? (?:my|our|the|an?) (?P<noun>(?:[\w'&/-]+ ){{0,4}}?{_EVENTS}(?: with (?:(?:my"
    rf"|the|our|an?) )?[\w'&.-]+"
    r"(?: [\w'&.-]+){0,2}?)?)(?: (?:back|forward|up|out))?(?: from [^.!?;]{2,30}?)? (?:to|until|till)\s*(?:the\s+)?"
)
_IT_MOVED = re.compile(
    rf"\b(?:my|our|the|an?|this) (?P<noun>(?:[\w'&/-]+ ){{0,3}}?{_EVENTS}(?: with (?:(?:my|the|our|an?) "
    rf")?[\w'&.-]+(?: [\w'&.-]+){{0,2}}?)?)"
    rf"(?P<direct> (?:is|was|has been|got|'s been))?(?(direct)|(?:,| [^.!?;]{{0,60}}?)\s*\b(?:it's|it is|it was|it "
    rf"has been|it's been|it got|which (?:is|was|has been|got))) (?:(?:now|just|been|already) )*{_MOVED}"
    r"(?: (?:back|forward|up|out))? (?:to|until|till|for)\s*(?:the\s+)?"
)
_CLOCK_AFTER = re.compile(rf"(?:,| at|, at| @)?\s*(?P<clock>{_CLOCK})")
_CLOCK_BEFORE = re.compile(rf"(?P<clock>{_CLOCK}) (?:on )?$")
_RESCHEDULED = listing("rescheduled moved pushed postponed extended changed shifted brought delayed")


def due(clause: Clause) -> Iterator[Statement]:
    """ "the deadline is 5 April", "I have a dentist appointment on Friday"."""
    low, start, stop = clause.low, clause.start, clause.stop
    times = _weekday(clause) or [
        t for t in clause.times if t is not clause.told and t.precision in ("minute", "day", "week", "month", "weekend")
    ]
    if found := list(_moved(clause, times)):
        yield from found
        return
    if not times:
        return
    now = clause.turn.time
    for told in times:
        of = _DUE_OF.search(low, start, told.start)
        if of is not None and not _AIMED_DATE.search(low, start, of.start()):
            past = re.search(r"\b(?:was|were|had|missed|met|extended)\b", low[start : of.start()]) is not None
            told = _nearest(clause, told) if past else _ahead(clause, told)
            noun, stop = noun_of(of["noun"]), told.end
            if noun == "deadline" and (what := _DUE_FOR.match(low, told.end, clause.stop)) is not None:
                noun, stop = f"{noun_of(what['what'])} deadline", what.end()
            yield stated(
                clause,
                f"due:{noun}",
                told.phrase,
                text=f"{phrases.shown(clause.me)}: {_said(clause, of, told, stop)}",
                since=told.first,
                until=told.last,
                precision=told.precision,
                spans=((of.start(), stop),),
                data={"change": CHANGED.search(of[0]) is not None, "about": about(clause, noun)},
                confidence=0.85,
            )
            return
        before = low[start : told.start]
        match = _IS_DUE.fullmatch(before) if before.startswith(("my ", "our ", "the ", "deadline ")) else None
        how = match["how"] if match else None
        if match is None:
            match = _HAVE_DUE.fullmatch(before)
            if match is None:
                continue
            told = _ahead(clause, told)
            if told.last <= now:
                continue
        elif how in _RESCHEDULED or re.search(r"\b(?:was|were|had)\b", before):
            told = _nearest(clause, told)
        else:
            told = _ahead(clause, told)
        if match.re is _IS_DUE and how is None and not re.search(r"\b(?:is|are|has|'s|got|been)\b", before):
            continue
        if re.search(r"\b(?:was|were)\b", before) and how not in _RESCHEDULED and how not in ("scheduled", "set"):
            continue
        if _AIMED_DATE.search(before) or phrases.addressed(clause, start, told.end):
            continue
        later = next(
            (t for t in times if t.start > told.start and re.fullmatch(r"\s*to\s*", low[told.end : t.start])), None
        )
        if later is not None:
            continue  # "from March 20 to March 27"
        if (
            told.last <= now
            and how not in _RESCHEDULED
            and how not in ("due", "scheduled", "rescheduled")
            and not re.search(r"\bdeadline|due date\b", before)
        ):
            continue
        noun = _matter(match["noun"])
        if not noun or noun == "due":
            continue
        if noun in (
            "deadline",
            "due date",
            "appointment",
            "meeting",
            "exam",
            "interview",
            "project",
            "application",
            "flight",
            "session",
            "event",
            "presentation",
            "call",
        ) and (of := re.search(r"\s(?:for|of|with)\s(?:(?:my|the|our|an?)\s)?([\w'&/. -]+)$", match["noun"])):
            noun = f"{noun_of(of[1])} {noun}".strip() if noun in ("deadline", "due date") else noun
        if match.re is _HAVE_DUE:
            article = low.rfind(" ", start, start + match.start("noun") - 1) + 1
            what = phrases.third(clause, article, told.start).strip()
            said = f"{phrases.shown(clause.me)} has {what} {phrases.resolved(clause, told)}"
        else:
            said = f"{phrases.third(clause, start, told.start)} {phrases.resolved(clause, told)}"
        end, clock = _clock(clause, told)
        change = how in _RESCHEDULED or "rescheduled" in before or CHANGED.search(before) is not None
        yield stated(
            clause,
            f"due:{noun}",
            f"{told.phrase}, {clock}" if clock else told.phrase,
            text=f"{said} at {clock}" if clock else said,
            since=told.first,
            until=told.last,
            precision=told.precision,
            spans=((start, end),),
            data={"change": change, "about": about(clause, noun)},
        )
        return


def _moved(clause: Clause, times: list[dates.Told]) -> Iterator[Statement]:
    """ "I rescheduled my call from 3 PM to 11 AM", "the exam, which was moved to 4 May"."""
    low = clause.low
    if not _ANY_MOVED.search(low, clause.start, clause.stop):
        return
    match = _I_MOVED.match(low, clause.start, clause.stop) or _IT_MOVED.search(low, clause.start, clause.stop)
    if match is None or _AIMED_DATE.search(low, clause.start, match.end()):
        return
    at = match.end()
    told = next((t for t in times if at - 4 <= t.start <= at + 4), None)
    if told is not None and match.groupdict().get("direct"):
        return  # with a day it says the same as "is due on …"
    clock_only = _CLOCK_AFTER.match(low, at, clause.stop)
    if told is None:
        # Only the hour: the day is the one that is named before or after it.
        if clock_only is None:
            return
        day = next((t for t in times if t.precision == "day"), None)
        clock, end = clause.text[clock_only.start("clock") : clock_only.end("clock")], clock_only.end("clock")
        if day is not None and day.start >= end:
            end = day.end
        told = None if day is None else _nearest(clause, day)
        value = clock if told is None else f"{told.phrase}, {clock}"
    else:
        told = _nearest(clause, told)
        end, clock = _clock(clause, told)
        value = f"{told.phrase}, {clock}" if clock else told.phrase
    noun = _matter(match["noun"])
    if not noun:
        return
    first = match.start() if match.re is _I_MOVED else low.rfind(" ", clause.start, match.start("noun") - 1) + 1
    first = max(first, clause.start)
    yield stated(
        clause,
        f"due:{noun}",
        value,
        text=phrases.third(clause, first, end),
        since=told.first if told else None,
        until=told.last if told else None,
        precision=told.precision if told else None,
        spans=((first, end),),
        data={"change": True, "about": about(clause, noun)},
        confidence=0.85,
    )


def _clock(clause: Clause, told: dates.Told) -> tuple[int, str]:
    """Where a day and its time of day end, and that time: "March 22 at 4:30 PM", "4:30 PM on March 22"."""
    after = _CLOCK_AFTER.match(clause.low, told.end, clause.stop)
    if after is not None:
        return after.end("clock"), clause.text[after.start("clock") : after.end("clock")]
    before = _CLOCK_BEFORE.search(clause.low, clause.start, told.start)
    return told.end, "" if before is None else clause.text[before.start("clock") : before.end("clock")]


_MET = re.compile(
    r"\b(?:meeting|call|interview|appointment|session|lunch|dinner|date|consultation|check-?up|demo|review)$"
)
_WITH = re.compile(
    r"\bwith (?:(?:my|the|our|an?) )?(?P<who>[\w'&.-]+(?: [\w'&.-]+){0,2}?)(?= (?:about|for|on|at|to|in|regarding"
    r"|from)\b|$)"
)


def _matter(words: str) -> str:
    """What is due; of a meeting, with whom: each has its own slot."""
    noun = noun_of(words)
    whom = _WITH.search(words)
    return f"{noun} with {whom['who']}" if whom is not None and _MET.search(noun) else noun


def _nearest(clause: Clause, told: dates.Told) -> dates.Told:
    """A date of what is done, or set anew, as the nearest one; the sentence is read so from now on."""
    found = nearest(clause.text, told, clause.turn.time)
    if found is not told:
        clause.sentence.read_as(tuple(found if one is told else one for one in clause.sentence.times))
        vars(clause).pop("times", None)
    return found


_WEEKDAY = re.compile(
    r"(?:to|until|till|for|by) (?:(?P<next>next) )?(?P<day>(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"(?! [a-z]+ \d| \d)"
)


def _weekday(clause: Clause) -> list[dates.Told]:
    """The day in "was pushed back to Thursday"."""
    match = next(iter(_WEEKDAY.finditer(clause.low, clause.start, clause.stop)), None)
    if match is None or any(t.start < match.end() and match.start() < t.end for t in clause.times):
        return []
    found = dates.told(f"it will be on {match['day']}", clause.turn.time)
    return [replace(found[0], start=match.start("day"), end=match.end())] if found and not match["next"] else []


def _said(clause: Clause, of: re.Match[str], told: dates.Told, stop: int) -> str:
    """ "the new sprint deadline of 5 April 2024", "deadline of 1 April 2024 for the first sprint"."""
    said = phrases.third(clause, of.start(), told.start), told.phrase, phrases.third(clause, told.end, stop)
    return " ".join(words for words in said if words).replace(" ,", ",")


def _ahead(clause: Clause, told: dates.Told) -> dates.Told:
    """A date of something to come as the next one."""
    return told if told.last > clause.turn.time else ahead(clause.text, told, clause.turn.time)


_AIMED_DATE = re.compile(
    r"\b(?:want|need|hope|hoping|should|would|could|trying|whether|might|may|'d|if|can|last|previous|first|suggest)\b"
)
