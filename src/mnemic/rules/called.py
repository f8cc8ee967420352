"""Other names: what people say that somebody is called, too, and how they address each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mnemic.names import Told, key, shortens
from mnemic.rules import phrases, talk
from mnemic.rules.talk import Sentence
from mnemic.statements import CONTEXT, Statement, Turn

_NAME = r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][\w-]*(?: [A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][\w-]+){0,2}"
_PEOPLE = r"(?:we|everyone|everybody|people|friends|(?:her|his|my|our|their) (?:friends|family)|they|I|most people)"
_CALL = rf"{_PEOPLE} (?:all |always |just |usually |mostly |only )?calls? (?:her|him|them) (?:just |simply )?"
_ALSO = (
    r"(?:also known as|a\.?k\.?a\.?|(?:also |usually |better )?known as|nicknamed"
    r"|(?:who |(?:she|he) )?(?:goes|went) by|or)"
)
_TOLD = re.compile(
    rf"(?P<of>{_NAME})(?:,| -| –| —|;)? (?:(?:but|and|so|though|although) )?"
    rf"(?:(?:who(?:m)? )?{_CALL}(?P<name>{_NAME})|{_ALSO} (?P<or>{_NAME})(?P<short>,? for short)?)"
)
_SHORT_FOR = re.compile(rf"(?P<name>{_NAME})(?:,| -| –| —| is| \()? ?(?:which is |it's )?short for (?P<of>{_NAME})")
_IN_BRACKETS = re.compile(
    rf"(?P<first>{_NAME}) \((?P<how>short for |(?:also known as|a\.?k\.?a\.?|nicknamed|or) )?(?P<second>{_NAME})\)"
)
_ADDRESSED = re.compile(
    r"(?:^|[.!?] )(?i:(?:hey|hi|hello|thanks|thank you|thanks a lot|wow|yo|congrats|congratulations|good morning"
    r"|good evening|welcome back|bye|take care|sorry|absolutely|totally|yeah|yes),? )"
    rf"(?P<name>{_NAME})(?=[!,.?])|, (?P<last>{_NAME})(?=[!.?](?:\s|$))"
)
_TELLS = re.compile(
    r"\bcalls? (?:her|him|them)\b|known as|\ba\.?k\.?a\b|nicknamed|\b(?:goes|went) by\b|for short|short for"
    r"|\w \([A-ZÀ-Þs]"
)
"""Without one of these nothing is told of names."""
_WHOLE = re.compile(
    r"(?<![\w'’-])(?P<first>[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][\w-]+) (?P<last>[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][\w-]+)(?![\w-])"
)


def called(turns: Sequence[Turn], first: int, said: Sequence[Statement]) -> list[Told]:
    """What the turns from `first` on tell of names, by themselves and the `CONTEXT` turns before each."""
    about: dict[str, list[str]] = {}
    for statement in said:
        about.setdefault(statement.evidence[0].turn, []).append(statement.subject)
    found: list[Told] = []
    for number in range(first, len(turns)):
        turn, before = turns[number], max(0, number - CONTEXT)
        addressed = list(_addressed(turns, number, before))
        if addressed or _TELLS.search(turn.text):
            sentences = talk.own(turns, number, before)
            meant = [sentence for sentence in sentences if not sentence.asks and not sentence.unmeant]
            found += (one for sentence in meant for one in _told(sentence))
            found += addressed if sentences else ()
        found += _in_full(turns, number, before, about.get(turn.id, ()))
    return list(dict.fromkeys(found))


def _told(sentence: Sentence) -> Iterator[Told]:
    """ "My sister Catherine, we call her Kate"; "Kate (short for Catherine)"."""
    turn, text = sentence.turn, sentence.turn.text[sentence.start : sentence.whole]
    for match in _TOLD.finditer(text):
        of, name = match["of"], match["name"] or match["or"]
        plain_or = match["or"] is not None and re.search(r"\bor [^ ]+", match[0]) and not match["short"]
        if _is_name(of) and _is_name(name) and not plain_or:
            yield Told(turn.id, name, of)
    for match in _SHORT_FOR.finditer(text):
        if _is_name(match["of"]) and _is_name(match["name"]) and shortens(key(match["name"]), key(match["of"])):
            yield Told(turn.id, match["name"], match["of"])
    for match in _IN_BRACKETS.finditer(text):
        one, other = match["first"], match["second"]
        if not (_is_name(one) and _is_name(other)):
            continue
        if (match["how"] or "").startswith("short") or shortens(key(one), key(other)):
            yield Told(turn.id, one, other)
        elif match["how"] or shortens(key(other), key(one)):
            yield Told(turn.id, other, one)


def _is_name(words: str) -> bool:
    return words.split()[0].lower() not in phrases.NO_NAMES


def _addressed(turns: Sequence[Turn], number: int, first: int) -> Iterator[Told]:
    """A short form by which a speaker addresses the only other one whom it fits: "Thanks, Mel!"."""
    turn = turns[number]
    others = {one.speaker for one in turns[first:number] if one.speaker and one.by != turn.by and talk.is_person(one)}
    for match in _ADDRESSED.finditer(turn.text) if others else ():
        name = match["name"] or match["last"]
        fitting = [other for other in others if shortens(key(name), key(other))]
        if len(fitting) == 1 and key(name) not in map(key, others) and _is_name(name):
            yield Told(turn.id, name, fitting[0], near=True)


def _in_full(turns: Sequence[Turn], number: int, first: int, subjects: Sequence[str]) -> Iterator[Told]:
    """The first name of somebody who has just been called by the whole one, where nobody else has that first name."""
    wanted = {subject for subject in subjects if " " not in subject and subject[:1].isupper()}
    if not wanted:
        return
    whole: dict[str, set[str]] = {}
    for turn in turns[first : number + 1]:
        for match in _WHOLE.finditer(turn.text):
            if match["first"] in wanted and match["last"].lower() not in phrases.NO_NAMES:
                whole.setdefault(match["first"], set()).add(match[0])
    for name in sorted(whole):
        if len(whole[name]) == 1:
            yield Told(turns[number].id, name, next(iter(whole[name])), near=True)
