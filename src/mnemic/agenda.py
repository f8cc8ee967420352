"""What is still to come: commitments with their dates, and questions that nobody has answered. Pure.

    commitments     plans, promises and deadlines, by their date
    open questions  what somebody asked or did not know, and nobody has told since

No clock has a part in either: a commitment whose date has passed stands in its place in the order, and whoever reads
it knows what day it is. By words, and English, as far as questions go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mnemic import reading, text
from mnemic.portrait import evidence_of, plain
from mnemic.views import COMMITMENTS, QUESTIONS, Episode, Fact, Made, day_of, standing

MOST = 50
"""Commitments with a date at most, the latest dates; and as many without one, those said last."""
LOOKED_AT = 1000
"""The latest episodes of a wall among which open questions are looked for: older ones have lapsed."""
ASKED = 20
"""Open questions at most, those asked last."""


def commitments(facts: Sequence[Fact]) -> Made | None:
    """Plans, promises and deadlines: those with a date by their date, then those without; None for none."""
    ahead = [fact for fact in facts if fact.holds and fact.superseded_by is None and _is_ahead(fact)]
    dated = [fact for fact in ahead if fact.begins is not None]
    dated = sorted(_once(dated), key=lambda fact: (fact.begins or 0, fact.said, fact.text))[-MOST:]
    loose = sorted(_once(standing(fact for fact in ahead if fact.begins is None)), key=lambda f: (-f.said, f.text))[
        :MOST
    ]
    shown = [*dated, *loose]
    if not shown:
        return None
    lines = [f"- {_day(fact)}: {fact.text}" for fact in shown]
    sure = [fact.confidence for fact in shown if fact.confidence is not None]
    return Made(
        COMMITMENTS,
        "commitments",
        "\n".join(lines),
        evidence_of(shown),
        confidence=min(sure, default=None),
        time=max(fact.told for fact in shown),
        data={"commitments": [plain(fact) for fact in shown]},
    )


def _is_ahead(fact: Fact) -> bool:
    """Whether it tells of what had not happened when it was said."""
    if fact.kind == "event":
        return fact.begins is not None and fact.begins > fact.said
    return fact.begins is None or (fact.ends or fact.begins) > fact.said


def _once(facts: Iterable[Fact]) -> list[Fact]:
    return list({fact.text: fact for fact in sorted(facts, key=lambda fact: (fact.said, fact.id))}.values())


def _day(fact: Fact) -> str:
    return "no date" if fact.begins is None else day_of(fact.begins, fact.precision)


# --- Open questions ---------------------------------------------------------------------------------------------------

_QUESTION = re.compile(r"[^.!?\n]+\?+")
_AFTER = 4
"""Words that may follow a question in its message: "Any idea?", "Thanks!"."""
_TERMS = 3
"""Words that tell something, which a question needs to be known again by."""
_SMALL_TALK = re.compile(
    r"\b(?:how (?:are|were|is|was|have|about)|how's|what'?s up|what about you|guess what|why not|who knows|who cares)\b"
    r"|\b(?:and you|you know|isn't it|aren't you|don't you|right|ok(?:ay)?|really|seriously)\s*\?",
    re.IGNORECASE,
)
_DEFERS = re.compile(
    r"\b(?:i (?:do not|don't) know|i'?m not sure|i am not sure|(?:i have )?no idea|(?:can't|cannot|can not) say"
    r"|(?:i'll|i will|let me|i need to|i have to|i'll have to|we'll|we need to)(?: \w+)? (?:check|find out|ask"
    r"|look (?:it|that|this|into)|get back|see what|let you know|look up)|(?:will )?get back to you"
    r"|not decided|haven't decided)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:i|we)(?: still)?(?: just)?"
    r" (?:don't know(?: yet)?|do not know(?: yet)?|haven't decided(?: yet)?|have not decided"
    r"|need to (?:find out|figure out|decide)|have to (?:find out|figure out|decide)|must (?:find out|decide))"
    r" (?P<what>(?:whether|if|who|what|when|where|which|how|why)\b[^.!?\n]{8,160})",
    re.IGNORECASE,
)
_NEVER_MIND = re.compile(r"\b(?:never ?mind|forget (?:it|about it)|no longer matters|doesn't matter)\b", re.IGNORECASE)
_LONG = 40
"""Words from which on an answer that begins with "I'm not sure" has told something all the same."""
_SHARED = 0.6
"""Of a question's words, as many as an answer to it has."""
_ANSWERING = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class _Open:
    at: int
    """Its place among the episodes."""
    episode: Episode
    asked: str
    terms: frozenset[str]
    told: bool = False
    """Whether it needs no reply to be open: its speaker says not to know."""


def open_questions(episodes: Sequence[Episode]) -> Made | None:
    """What was asked and not answered, of the latest episodes of a wall in the order of arrival; None for none.

    A question is open where the reply puts it off, or where its session ends without a reply although others speak in
    it. It is closed by what somebody says later that has most of its words and more.
    """
    words = [_terms(episode.text) for episode in episodes]
    found: list[tuple[_Open, tuple[str, ...]]] = []
    for at, episode in enumerate(episodes):
        for one in _asked_in(at, episode):
            reply = _reply(one, episodes)
            if not one.told and reply is None and not _answers_come(one, episodes):
                continue
            if not one.told and reply is not None and not _puts_off(reply.text):
                continue
            if not any(_closes(one, other, words[place]) for place, other in enumerate(episodes) if place > at):
                cited = (episode.id,) if reply is None or one.told else (episode.id, reply.id)
                found.append((one, cited))
    last: dict[frozenset[str], tuple[_Open, tuple[str, ...]]] = {}
    for one, cited in found:
        last.pop(one.terms, None)
        last[one.terms] = one, cited
    shown = list(last.values())[-ASKED:]
    if not shown:
        return None
    lines = [f"- {day_of(one.episode.time)} {one.episode.by}: {one.asked}" for one, _ in shown]
    questions = [
        {"text": one.asked, "by": one.episode.by, "said": day_of(one.episode.time), "evidence": list(cited)}
        for one, cited in shown
    ]
    return Made(
        QUESTIONS,
        "questions",
        "\n".join(lines),
        tuple(dict.fromkeys(id_ for _, cited in reversed(shown) for id_ in cited)),
        time=max(one.episode.time for one, _ in shown),
        data={"questions": questions},
    )


def _asked_in(at: int, episode: Episode) -> list[_Open]:
    """What a turn asks at its end, or says not to be known."""
    if episode.role != "user":
        return []
    found: list[_Open] = []
    said = episode.text.replace("\u2019", "'")
    questions = list(_QUESTION.finditer(said))
    if questions and not _SMALL_TALK.search(questions[-1][0]):
        last = questions[-1]
        terms = _terms(last[0])
        if len(text.words(said[last.end() :])) <= _AFTER and len(terms) >= _TERMS:
            found.append(_Open(at, episode, last[0].strip(), terms))
    for match in _UNKNOWN.finditer(said):
        terms = _terms(match["what"])
        if len(terms) >= _TERMS:
            found.append(_Open(at, episode, match["what"].strip(), terms, told=True))
    return found


def _terms(words: str) -> frozenset[str]:
    return frozenset(term for word in reading.said_in(words) for term in text.terms(word) if len(term) > 1)


def _same_talk(one: Episode, other: Episode) -> bool:
    return one.session == other.session


def _reply(one: _Open, episodes: Sequence[Episode]) -> Episode | None:
    """The next turn of the talk that somebody else says."""
    for other in episodes[one.at + 1 :]:
        if _same_talk(one.episode, other) and other.by != one.episode.by and other.role in _ANSWERING:
            return other
    return None


def _answers_come(one: _Open, episodes: Sequence[Episode]) -> bool:
    """Whether anybody else speaks in this talk, so that silence says something."""
    before = episodes[: one.at]
    return any(_same_talk(one.episode, other) and other.by != one.episode.by for other in before)


def _puts_off(reply: str) -> bool:
    said = reply.replace("\u2019", "'")
    return _DEFERS.search(said) is not None and len(text.words(said)) < _LONG and " but " not in said


def _closes(one: _Open, later: Episode, words: frozenset[str]) -> bool:
    """Whether a later turn tells what was asked, or says that it does not matter."""
    if later.role not in _ANSWERING:
        return False
    said = later.text.replace("\u2019", "'")
    if _NEVER_MIND.search(said) and _same_talk(one.episode, later) and later.by == one.episode.by:
        return True
    common = len(one.terms & words)
    if common < _SHARED * len(one.terms) or len(words) <= common:
        return False
    return "?" not in said and not _DEFERS.search(said) and not _UNKNOWN.search(said)
