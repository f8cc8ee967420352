"""Statements out of what people say, by rules: no model, no store, no network; the same words give the same statements.

    talk       turns to the clauses that their speakers mean
    phrases    places, names, things; the third person
    said       a clause taken apart: subject, auxiliaries, verb
    home, work, tastes, things, people, deeds
               rules by the verb, which `verbs` brings together
    nouns      names of people, attributes
    measures   quantities
    due        dates
    asked      to remember, to forget, how to answer; corrections

English. Precision comes before recall: what is asked, supposed, quoted, played, pasted or told by an assistant, a tool
or a document gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mnemic.rules import asked, due, measures, mended, nouns, phrases, talk
from mnemic.rules.said import predicate, subject_and_verb
from mnemic.rules.talk import Clause, Sentence
from mnemic.rules.verbs import verbs
from mnemic.statements import Statement, Turn, folded

__all__ = ["statements", "takes_back"]


_RECENT = 3
"""Turns within which a correction looks for what it corrects."""
_KNOWN = 12
"""Turns for which it is remembered what somebody is called. See `derive.CONTEXT`."""


def statements(turns: Sequence[Turn], first: int = 0) -> list[Statement]:
    """What the turns of a session from `first` on say, in order, each statement resting on spans of its turns.

    Those before are read for their sake: who is called what, whether a game is on, what is being corrected.
    """
    found: list[Statement] = []
    names: dict[str, str] = {}
    learned: dict[str, int] = {}
    previous: dict[str, Sentence] = {}
    recent: list[tuple[int, str, Statement]] = []
    mends = first and any(mended.may_mend(talk.folded(turn.text)) for turn in turns[first:])
    whole = max(first - _RECENT, 0) if mends else first

    def read(number: int, low: str) -> bool:
        return number >= whole or (number >= first - _KNOWN and _MY_KIN.search(low) is not None)

    for number, (turn, sentences) in enumerate(zip(turns, talk.own(turns, read), strict=True)):
        for name in [name for name, at in learned.items() if number - at > _KNOWN]:
            del names[name], learned[name]
        recent = [(at, by, one) for at, by, one in recent if number - at <= _RECENT]
        for sentence in sentences:
            says: list[Statement] = []
            of = _of(sentence, previous.get(turn.by), names) if number >= whole else _called(sentence, names)
            for one in of:
                if not any(same(one, other) for other in (*says, *found[-12:])):
                    says.append(one)
            for name in names:
                learned.setdefault(name, number)
            if number < whole:
                continue
            before = [one for _, by, one in recent if by == turn.by]
            kept, more = mended.mended(sentence, says, before)
            recent += [(number, turn.by, one) for one in (*kept, *more)]
            previous[turn.by] = sentence
            if number >= first:
                found += [*kept, *more]
    return found


def takes_back(text: str) -> bool:
    """Whether a turn takes back what was said before it: it may have to be derived anew."""
    return talk.takes_back(text)


def _called(sentence: Sentence, names: dict[str, str]) -> Iterator[Statement]:
    """Keep what the speaker's people are called."""
    if _MY_KIN.search(sentence.low, sentence.start, sentence.stop):
        for one, _ in nouns.kin_names(sentence):
            names[one.value] = f"{one.subject}'s {one.relation.partition(':')[2]}"
            yield one


def same(one: Statement, other: Statement) -> bool:
    """Whether two statements of one turn say the same."""
    return (
        one.evidence[0].turn == other.evidence[0].turn
        and one.slot == other.slot
        and folded(one.value) == folded(other.value)
        and one.holds == other.holds
    )


_WORTH = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|im|ive|my|we|we're|we've|our|remember|forget|always|never|don't"
    r"|dont|from now on|call|keep|use|answer|respond|reply|speak|it's|deadline|the|please|stop"
    r"|avoid|going forward|delete|erase|he|she|is|lives|works|has|write|note|actually)\b"
)


def _of(sentence: Sentence, earlier: Sentence | None, names: dict[str, str]) -> Iterator[Statement]:
    low = sentence.low
    if sentence.asks:
        yield from measures.supposed(Clause(sentence, sentence.start, sentence.stop))
        return
    if not _WORTH.search(low, sentence.start, sentence.stop):
        return
    yield from _called(sentence, names)
    for number, clause in enumerate(talk.clauses(sentence)):
        yield from _clause(clause, earlier, names, first=number == 0)


_MY_KIN = re.compile(r"\b(?:my|our)\b")
_ORDER = re.compile(
    r"(?:and|also|but|so|oh|ok|okay|well|actually|hey|hi|please|pls|plz|just|then|btw|remember"
    r"|forget|always|never|don't|do|dont|from|call|keep|make|use|answer|respond|reply|speak|talk"
    r"|write|communicate|stop|avoid|quit|delete|erase|remove|wipe|drop|note|save|store|bear|take"
    r"|in|going|moving|for|whenever|every|you|memori[sz]e|no|henceforth)\b"
)
_PRONOUN = re.compile(r"(?:he|she)(?='s| |'ll|'d)")


def _clause(clause: Clause, earlier: Sentence | None, names: dict[str, str], *, first: bool) -> Iterator[Statement]:
    low, start, stop = clause.low, clause.start, clause.stop
    sentence = clause.sentence
    if not sentence.peers:
        begin = Clause(sentence, sentence.start, sentence.stop) if first else clause
        if _ORDER.match(low, begin.start, stop):
            yield from asked.asked(sentence, Clause(sentence, begin.start, begin.stop))
    said = subject_and_verb(clause)
    if said is not None:
        _, end, we = said
        one = predicate(clause, end, clause.me, me=True, we=we)
        if one is not None:
            yield from verbs(one)
        yield from measures.measures(clause)
        yield from due.due(clause)
        return
    person = nouns.kin_subject(clause, names)
    if person is not None:
        subject, end, aliases = person
        one = predicate(clause, end, subject, me=False, aliases=aliases)
        if one is not None:
            yield from verbs(one)
        return
    if (pronoun := _PRONOUN.match(low, start, stop)) is not None:
        meant = _meant(clause, pronoun[0], earlier, names)
        if meant is not None:
            subject, aliases = meant
            one = predicate(
                clause,
                pronoun.end(),
                subject,
                me=False,
                aliases=aliases,
                spans=((start, start + len(clause.words.rstrip())),),
            )
            if one is not None:
                yield from verbs(one)
        return
    if low.startswith(("my ", "our ", "the ", "deadline "), start):
        yield from nouns.attributes(clause)
        yield from measures.measures(clause)
        yield from due.due(clause)
        return
    yield from nouns.attributes(clause)


_CAPITAL = re.compile(r"(?<![.!?] )(?<!^)\b[A-ZÀ-Þ][a-zà-ÿ]+\b")
_OTHERS = re.compile(
    r"\b(?:his|her|their|a|the|another|some) (?:\w+ )?(?:friend|doctor|boss|teacher|woman|man|girl"
    r"|guy|lady|boy|kid|mother|father|sister|brother|wife|husband|colleague|nurse|lawyer|manager"
    r"|person|vet|dentist)\b"
)


def _meant(
    clause: Clause, pronoun: str, earlier: Sentence | None, names: dict[str, str]
) -> tuple[str, tuple[str, ...]] | None:
    """Whom "she" means: the one of the speaker's people in this sentence and the one before, if it is only one."""
    found: dict[str, tuple[str, ...]] = {}
    sentence = clause.sentence
    for part, stop in ((earlier, earlier.stop if earlier else 0), (sentence, clause.start)):
        if part is None or (part is earlier and part.turn.id != sentence.turn.id):
            continue
        if _OTHERS.search(part.low, part.start, stop):
            return None
        for mine in phrases.MY_KIN.finditer(part.low, part.start, stop):
            noun = mine["noun"]
            if noun in (phrases.HIM if pronoun == "she" else phrases.HER):
                continue
            called = f"{part.me}'s {noun}"
            name = next(
                (
                    name
                    for name, whose in names.items()
                    if whose == called and name in part.turn.text[mine.end() : stop]
                ),
                None,
            )
            found[name or called] = (called,) if name else ()
        for capital in _CAPITAL.finditer(part.turn.text, part.start, stop):
            if capital[0] in names:
                found.setdefault(capital[0], (names[capital[0]],))
    if len(found) != 1:
        return None
    return next(iter(found.items()))
