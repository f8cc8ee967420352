"""Statements out of what people say, by rules: no model, no store, no network; the same words give the same statements.

    talk       turns to the clauses that their speakers mean
    phrases    places, names, things; the third person
    said       a clause taken apart: subject, auxiliaries, verb
    home, work, tastes, things, people, deeds
               rules by the verb, which `verbs` brings together
    nouns      names of people, attributes
    measures   quantities
    aims       what somebody means to do
    due        dates
    called     what else people are called
    asked      to remember, to forget, how to answer
    repairs    corrections within a sentence
    mended     corrections of what was said before

English. Precision comes before recall: what is asked, supposed, quoted, played, pasted or told by an assistant, a tool
or a document gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from mnemic.rules import aims, asked, due, measures, mended, nouns, people, phrases, talk, things
from mnemic.rules.said import predicate, subject_and_verb
from mnemic.rules.talk import Clause, Sentence
from mnemic.rules.verbs import verbs
from mnemic.statements import CONTEXT, Statement, Turn, folded

__all__ = ["forget", "statements", "takes_back"]


_RECENT = 2
"""Turns within which a correction looks for what it corrects."""


def statements(turns: Sequence[Turn], first: int = 0) -> list[Statement]:
    """What the turns of a session from `first` on say, in order, each statement resting on spans of its turns.

    What a turn says depends on it, on the `CONTEXT` turns before it, and on whether one of the few that follow takes it
    back, on nothing else: so it makes no difference whether a session comes in one piece or turn by turn.
    """
    found: list[Statement] = []
    for number in range(first, len(turns)):
        found += _said(turns, number, max(0, number - CONTEXT))
    return found


def takes_back(text: str) -> bool:
    """Whether a turn takes back what was said before it: it may have to be derived anew."""
    return talk.takes_back(text)


def _said(turns: Sequence[Turn], number: int, first: int) -> list[Statement]:
    """What one turn says, those from `first` on read for its sake."""
    sentences = talk.own(turns, number, first)
    if not sentences:
        return []
    peers = talk.peers(turns, number, first)
    names = {
        name: called
        for before in range(first, number)
        if (given := _names_in(turns[before], peers)) and not talk.is_played(turns, before, first)
        for name, called in given
    }
    found: list[Statement] = []
    unmeant: list[Statement] = []
    earlier: Sentence | None = None
    for sentence in sentences:
        says: list[Statement] = []
        for one in _of(sentence, earlier, names, found):
            if not any(same(one, other) for other in (*says, *found)):
                says.append(one)
        earlier = sentence
        if sentence.unmeant:
            unmeant += [one for one in says if one.holds]
            found += [one for one in says if not one.holds]
            continue
        if mended.may_correct(sentence):
            here = (*unmeant, *found)
            says = mended.mended(sentence, says, here, lambda here=here: [*_before(turns, number, first), *here])
        found += says
    # How many of them somebody has is a quantity, of which one holds at a time: not another thing that he has.
    counted = {one.value for one in found if one.relation.startswith("measure:")}
    found = [one for one in found if one.relation != "has" or one.value not in counted]
    return [one for one in found if _is_whole(one) and (one.holds or not any(_denies(one, other) for other in unmeant))]


def _is_whole(one: Statement) -> bool:
    """Whether no quotation is cut in two ("sort mail into \"Urgent"), and no object is missing: "try to do"."""
    value = one.value
    if value.count('"') % 2 or value.count("“") != value.count("”"):
        return False
    if one.relation.partition(":")[0] not in _DEEDS:
        return True
    low = value.casefold().rstrip(".")
    if low.replace("’", "'").endswith(f"{phrases.shown(one.subject)}'s".casefold()):  # whose what?
        return False
    return _NO_OBJECT.fullmatch(low) is None and _CUT_OFF.search(low) is None


_DEEDS = frozenset({"does", "did", "plans", "likes", "prefers", "never"})
"""Relations whose value tells what somebody does."""
_NO_OBJECT = re.compile(
    r"(?:(?:just|really|also|still) )?"
    r"(?:(?:try|learn|start|begin|plan|hope|manage|go|help|work|continue|want|need|like|love|get)(?:n?ing)? )?(?:to )?"
    r"(?:do|doing|did|done|get|getting|got|make|making|made|have|having|had|take|taking|took|give|giving|gave|put"
    r"|putting|use|using|used|keep|keeping|kept|bring|bringing|brought|find|finding|found|let|letting|say|saying|said"
    r"|want|need|mean|be|being|go)"
)
"""A verb whose object only the talk around it tells: of "I've been trying to do that" nothing else is left."""
_CUT_OFF = re.compile(
    r"\b(?:things?|events?|ones|something|anything|stuff) like$"
    r"|\b(?:an?|the) (?:(?:small|larg|bigg|deep|short|long|light|dark|wid|smooth|healthi|nic|simpl|fast)(?:e?r)?|big"
    r"|good|better|new|nice|large|wide|simple|healthy|[a-z]+-(?:quality|friendly|free))$"
)
"""Words that end before the noun: of "a small, sharp knife" no knife is left."""


def _before(turns: Sequence[Turn], number: int, first: int) -> list[Statement]:
    """What the speaker of a turn said in the turns right before it."""
    found: list[Statement] = []
    for before in range(max(first, number - _RECENT), number):
        if turns[before].by == turns[number].by:
            found += _said(turns, before, first)
    return found


def _denies(one: Statement, other: Statement) -> bool:
    """Whether a statement only says that another, which was never meant, is not so."""
    return one.evidence[-1] == other.evidence[0] and one.slot == other.slot


@lru_cache(64)
def _names_in(turn: Turn, peers: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The names that a turn gives to its speaker's people, each with what that one is called else."""
    if not talk.is_person(turn) or not phrases.MY_KIN.search(talk.folded(turn.text)):
        return ()
    found = [one for sentence in talk.sentences_of(turn, peers) for one, _ in _kin(sentence)]
    return tuple((one.value, f"{one.subject}'s {one.relation.partition(':')[2]}") for one in found)


def _kin(sentence: Sentence) -> Iterator[tuple[Statement, int]]:
    if not sentence.asks and not sentence.unmeant and _MY_KIN.search(sentence.low, sentence.start, sentence.stop):
        yield from nouns.kin_names(sentence)


def same(one: Statement, other: Statement) -> bool:
    """Whether two statements of one turn say the same."""
    return (
        one.evidence[0].turn == other.evidence[0].turn
        and _matter(one) == _matter(other)
        and folded(one.value) == folded(other.value)
        and one.holds == other.holds
    )


def _matter(one: Statement) -> tuple[str, ...]:
    """Its slot; a number that one has is the same whether it is read as a measure or as an attribute ("my PIN")."""
    return tuple("attribute" if part == "measure" else part for part in one.slot)


_WORTH = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|im|ive|my|we|we're|we've|our|remember|forget|always|never|don't"
    r"|dont|from now on|call|keep|use|answer|respond|reply|speak|it's|deadline|the|please|stop"
    r"|avoid|going forward|delete|erase|he|she|is|lives|works|has|write|note|actually|just|finally|recently|got"
    r"|moved|finished)\b"
)


def _of(
    sentence: Sentence, earlier: Sentence | None, names: dict[str, str], before: Sequence[Statement]
) -> Iterator[Statement]:
    low = sentence.low
    if sentence.asks:
        yield from measures.supposed(Clause(sentence, sentence.start, sentence.stop))
        yield from things.possessions(sentence, before)
        return
    if not _WORTH.search(low, sentence.start, sentence.stop):
        return
    says: list[Statement] = []
    for one, _ in _kin(sentence):
        names[one.value] = f"{one.subject}'s {one.relation.partition(':')[2]}"
        says.append(one)
    for number, clause in enumerate(talk.clauses(sentence)):
        says += _clause(clause, earlier, names, first=number == 0)
    says += things.possessions(sentence, [*before, *says])
    says += people.apposed(sentence)
    yield from _with_requests(sentence, says)


def _with_requests(sentence: Sentence, says: Sequence[Statement]) -> Iterator[Statement]:
    """What a sentence says, its requests to forget read: what is to be forgotten is not said again."""
    requests = [one for one in says if one.relation == "forget"]
    for one in says:
        span = one.evidence[0]
        if one in requests:
            yield replace(one, data={**one.data, "forgets": named}) if (named := _named(sentence, one)) else one
        elif not any(ask.evidence[0].start <= span.start < ask.evidence[0].stop for ask in requests):
            yield one


_ASKED = re.compile(r"(?:[a-z']+ ){0,2}?(?:that |the fact that )?(?=(?:i|i'm|i've|i'd|my|we|we're|our)\b)")


def _named(sentence: Sentence, request: Statement) -> list[list[str]]:
    """The statements that a request to forget names, as far as rules can read them: subject, relation and value."""
    span = request.evidence[0]
    found = _ASKED.match(sentence.low, span.start, span.stop)
    if found is None:
        return []
    words = sentence.turn.text[found.end() : span.stop]
    turn = replace(sentence.turn, text=" " * found.end() + words + ".")
    says = [one for one in _said([turn], 0, 0) if one.kind not in ("forget", "instruction")]
    if not _HAVE.search(words):  # who is said to be called something is had, too, but that is not what is meant
        says = [one for one in says if one.relation != "has"]
    return [[one.subject, one.relation, one.value] for one in says]


_HAVE = re.compile(r"\b(?:have|has|had|got|own|i've|we've)\b", re.IGNORECASE)


_MY_KIN = re.compile(r"\b(?:my|our)\b")
_ORDER = re.compile(
    r"(?:and|also|but|so|oh|ok|okay|well|actually|hey|hi|please|pls|plz|just|then|btw|remember"
    r"|forget|always|never|don't|do|dont|from|call|keep|make|use|answer|respond|reply|speak|talk"
    r"|write|communicate|stop|avoid|quit|delete|erase|remove|wipe|drop|note|save|store|bear|take"
    r"|in|going|moving|for|whenever|every|you|memori[sz]e|no|henceforth"
    r"|i (?:want|need|would like) you to|i'd like you to)\b"
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
        found = [] if one is None else list(verbs(one))
        yield from found
        if not any(statement.relation == "plans" for statement in found):
            yield from aims.aims(clause)
        yield from measures.measures(clause)
        yield from due.due(clause)
        return
    person = nouns.kin_subject(clause, names)
    if person is not None:
        subject, end, aliases = person
        many = not aliases and phrases.MANY.search(subject) is not None
        one = predicate(clause, end, subject, me=False, aliases=aliases, many=many)
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
        yield from aims.aims(clause)
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


def forget() -> None:
    """Drop the texts kept for speed: after an erasure none of them stays in memory."""
    _names_in.cache_clear()
    talk.forget()
