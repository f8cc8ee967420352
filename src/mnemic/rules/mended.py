"""Corrections: "no wait, Lisbon", "I meant Thursday", "typo, it's Hannah", "scratch that, I work at Swiss".

A corrected statement takes the place of what it corrects (`data["corrects"]`), and what it corrects is denied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.talk import Sentence
from mnemic.statements import Span, Statement, folded, relation

_SORRY = (
    r"(?:no|nope|oh|oops|whoops|sorry|apologies|wait|hold on|hang on|actually|correction|typo|my bad|my mistake"
    r"|my error|scratch that|strike that|that's wrong|that is wrong|wrong|i was wrong|i misspoke|i misremembered"
    r"|i mixed (?:that|it|them) up|i mean|i meant(?: to say)?|well|ah|hmm|ok|okay|fine|argh|ugh)"
)
_OPENS = re.compile(rf"\W*(?P<cue>{_SORRY}(?:[\s,;:.!—–-]+{_SORRY})*)[\s,;:.!—–-]+")
_SURE = re.compile(
    r"\b(?:no wait|wait|oops|whoops|sorry|correction|typo|my bad|my mistake|scratch that|strike that|wrong|misspoke"
    r"|misremembered|mixed|mean|meant)\b|^\W*no\b"
)
"""Of the words that open a correction those that open little else."""
_INSIDE = re.compile(
    r"\s*[,;—–-]+\s*(?P<cue>(?:no|wait|sorry|correction|i mean|i meant|or rather|make that|oops)"
    rf"(?:[,\s]+{_SORRY})*)[,:\s]+(?=\S)"
)
_SAYS = re.compile(
    r"(?:(?:it's|it is|that's|it was|it should be|should be|make (?:it|that)|i meant?)\s+(?:actually\s+|really\s+)?)?"
)
_LEADS = re.compile(r"(?:in|at|on|for|to|as|from)\s+")
_TAIL = re.compile(
    r"(?:,? (?:sorry|my bad|oops|already|obviously|of course|instead|now|then|with (?:an?|one|two|the) .*"
    r"|(?:and )?not .*))?[\s.!…)]*$"
)
_NOT_VALUES = re.compile(
    r"\b(?:you|your|that|this|it|my|the (?:same|other|best|worst)|so|not|very|really|fine|good|great|ok|okay|hard"
    r"|because|just|i|about|all|more|too|a lot|never|always|maybe|problem|worries|idea|thanks|yes|no)\b"
)
_NUMBER = re.compile(
    r"(?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety)\b)"
)
_LOOSE = frozenset(["did", "told", "instructed", "forget", "does", "never"])
"""Relations whose values are too free to be told from anything else that is said."""


def may_mend(low: str) -> bool:
    """Whether a folded turn may correct something said before it."""
    return _CUES.search(low) is not None


_CUES = re.compile(rf"(?:^|[.!?\n]\s*){_SORRY}\b|\bnot\b")


def mended(
    sentence: Sentence, says: Sequence[Statement], before: Sequence[Statement]
) -> tuple[list[Statement], list[Statement]]:
    """What a sentence says, corrected: the statements to take (`says`, marked), and those that it adds.

    `before` is what its speaker has said just before, oldest first. Without a word of correction nothing changes.
    """
    opens = _OPENS.match(sentence.low, sentence.start, sentence.stop)
    if opens is not None:
        if says:
            return _said_anew(sentence, says, before, sure=_SURE.search(opens["cue"]) is not None)
        if before:
            return [], list(_of_value(sentence, opens.end(), before, sure=_SURE.search(opens["cue"]) is not None))
    elif before and not says:
        return [], list(_of_value(sentence, sentence.start, before, sure=False))
    inside = next(_INSIDE.finditer(sentence.low, sentence.start, sentence.stop), None)
    if inside is not None and says:
        old = [one for one in says if one.evidence[0].start < inside.start()]
        new = list(_of_value(sentence, inside.end(), old, sure=True))
        if new:
            left = [one for one in says if not any(_same_matter(one, other) for other in new)]
            return left, [one for one in new if one.holds]
    return list(says), []


def _said_anew(
    sentence: Sentence, says: Sequence[Statement], before: Sequence[Statement], *, sure: bool
) -> tuple[list[Statement], list[Statement]]:
    """A correction that says all of it again: each statement takes the place of the one of its matter."""
    kept: list[Statement] = []
    added: list[Statement] = []
    for one in says:
        old = next((e for e in reversed(before) if e.holds and one.holds and _same_matter(one, e)), None)
        if old is None or folded(old.value) == folded(one.value) or not sure:
            kept.append(one)
            continue
        kept.append(replace(one, data={**one.data, "corrects": True}))
        if not relation(one.relation.partition(":")[0]).single:
            added.append(_denial(sentence, old, one.evidence[0]))
    return kept, added


def _same_matter(one: Statement, other: Statement) -> bool:
    """Whether two statements are about one thing: of one subject and relation, and where a relation has many values, of
    one head word ("two sons", "three sons")."""
    if (folded(one.subject), one.relation) != (folded(other.subject), other.relation):
        return False
    name = one.relation.partition(":")[0]
    if relation(name).single or ":" in one.relation:
        return True
    return folded(one.value).split()[-1:] == folded(other.value).split()[-1:]


_NOT = re.compile(r",? (?:and )?not (?:in |at |on |for |from |as |the |an? )?(?P<old>[^,.!?;\n]{2,40}?)[\s.!]*$")


def _of_value(sentence: Sentence, at: int, before: Sequence[Statement], *, sure: bool) -> Iterator[Statement]:
    """A correction that only gives the other value: of the last statement that could have it, or that it names."""
    low, text = sentence.low, sentence.turn.text
    named = _NOT.search(low, at, sentence.stop)
    if named is not None:
        before = [one for one in before if folded(one.value) == folded(named["old"])]
    elif not sure:
        return
    says = _SAYS.match(low, at, sentence.stop)
    begin = says.end() if says else at
    lead = _LEADS.match(low, begin, sentence.stop)
    begin = lead.end() if lead else begin
    tail = _TAIL.search(low, begin, sentence.stop)
    end = tail.start() if tail else sentence.stop
    value = text[begin:end].strip(" ,;:.!\"'”“")
    if not 1 < len(value) <= 40 or value.count(" ") > 4 or _NOT_VALUES.search(value.lower()):
        return
    end = begin + len(text[begin:end].rstrip(" ,;:.!\"'”“"))
    told = next(iter(dates.told(f"on {text[begin:end]}", sentence.turn.time)), None)
    shape = _shape(value, told is not None)
    fitting = [one for one in before if one.holds and _could_have(one, shape)]
    turn = fitting[-1].evidence[0].turn if fitting else None
    last = [one for one in fitting if one.evidence[0].turn == turn]
    matters = {(one.subject, one.relation) for one in last}
    if len(matters) != 1 or folded(last[-1].value) == folded(value):
        return
    old = last[-1]
    span = Span(sentence.turn.id, sentence.start, end)
    new = value if told is None else told.phrase
    if told is None and (number := _NUMBER.match(folded(old.value))) is not None and shape == "number":
        rest = old.value[number.end() :] if not value.strip().count(" ") else ""
        new = f"{value}{rest}" if rest.startswith(" ") else value
    words = old.text.replace(old.value, new)
    if words == old.text:
        return
    yield replace(
        old,
        value=new,
        text=words,
        evidence=(span, old.evidence[0]) if old.evidence[0].turn != sentence.turn.id else (span,),
        said=sentence.turn.time,
        valid_from=told.first if told is not None else old.valid_from,
        valid_to=told.last if told is not None and old.valid_to is not None else old.valid_to,
        precision=told.precision if told is not None else old.precision,
        aliases=(new,) if old.relation == "name" else old.aliases,
        confidence=0.85,
        data={**old.data, "corrects": True},
    )
    if not relation(old.relation.partition(":")[0]).single:
        yield _denial(sentence, old, span)


def _shape(value: str, timely: bool) -> str:
    if timely:
        return "time"
    if _NUMBER.match(value.lower()):
        return "number"
    return "name" if value[:1].isupper() else "thing"


def _could_have(one: Statement, shape: str) -> bool:
    name = one.relation.partition(":")[0]
    if name in _LOOSE:
        return False
    if name in ("due", "plans", "born_on"):
        return shape == "time"
    return _shape(one.value, timely=False) == shape


def _denial(sentence: Sentence, old: Statement, span: Span) -> Statement:
    """That what was said before is not so."""
    name, _, noun = old.relation.partition(":")
    says = relation(name).denies.format(subject=phrases.shown(old.subject), value=old.value, noun=noun)
    here = old.evidence[0].turn == sentence.turn.id
    return replace(
        old,
        text=phrases.sentence_of(says),
        evidence=(span,) if here else (span, old.evidence[0]),
        said=sentence.turn.time,
        holds=False,
        valid_from=None,
        valid_to=None,
        precision=None,
        confidence=0.85,
    )
