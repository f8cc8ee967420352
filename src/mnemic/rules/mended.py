"""Corrections of what was said before: "I meant Thursday", "typo, it's Hannah", "scratch that, I work at Swiss".

The new value takes the place of the old one (`data["corrects"]`). Where a relation has many values, the old one is
denied as well: nothing else would end it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.repairs import NO_VALUE
from mnemic.rules.talk import Sentence
from mnemic.statements import Span, Statement, folded, relation

_SORRY = (
    r"(?:no|nope|nah|oh|oops|whoops|sorry|apologies|pardon|excuse me|wait|hold on|hang on|actually|correction|typo"
    r"|edit|my bad|my mistake|my error|scratch that|strike that|ignore that|forget that|disregard that|never mind"
    r"|nevermind|that's wrong|that is wrong|that's not right|that isn't right|wrong|not quite|i was wrong|i misspoke"
    r"|i mistyped|i misremembered|i got (?:that|it) wrong|i made a mistake|i mixed (?:that|it|them) up|or rather|rather"
    r"|i mean|i meant(?: to (?:say|write|type))?|well|ah|aha|hmm|err?|um|uh|ok|okay|fine|argh|ugh|let me correct"
    r"(?: that| myself)?|to correct myself|come to think of it|on second thought|now that i think (?:of|about) it"
    r"|just realized|i just checked|just checked|small correction|quick correction|one correction)"
)
_OPENS = re.compile(rf"\W*(?P<cue>{_SORRY}(?:[\s,;:.!—–-]+{_SORRY})*)[\s,;:.!—–-]+(?=\S)")
_SURE = re.compile(
    r"\b(?:no wait|wait|oops|whoops|sorry|apologies|pardon|correction|typo|edit|my bad|my mistake|my error|scratch"
    r"|strike|ignore|forget|disregard|never mind|nevermind|wrong|right|misspoke|mistyped|misremembered|mistake|mixed"
    r"|mean|meant|rather|correct|checked|second thought|make that|make it|should be|should read)\b"
    r"|^\W*(?:(?:oh|ah|hmm)\W+)?(?:no|nope|nah)\b"
)
"""Of the words that open a correction those that open little else."""
_ENDS_SURE = re.compile(
    r"(?:,|\s[-–—]+|—|\.\.\.)?\s*(?:i mean|i meant|sorry|correction|my bad|my mistake|or rather|rather|that is|actually"
    r"|oops|not (?:what|as) i said(?: before)?)(?:,? (?:sorry|my bad|oops))?[\s.!)]*$"
)
_SAYS = re.compile(
    r"(?:(?:it's|it is|its|that's|it was|it should be|should be|should read|make (?:it|that)|i meant?(?: to (?:say"
    r"|write"
    r"|type))?|mine is|call it|read)\s+(?:actually\s+|really\s+|now\s+|rather\s+)?)?"
)
_LEADS = re.compile(r"(?:in|at|on|for|to|as|from|by|with)\s+")
_TAIL = re.compile(
    r"(?:,? (?:sorry|my bad|oops|already|obviously|of course|instead|now|then|actually|these days|i mean|i meant"
    r"|rather|that is|with (?:an?|one|two|the) .*|(?:and )?not .*)|, (?:i|we|because|since|my|the|it|it's|he|she"
    r"|which|as) .*)?"
    r"[\s.!…)]*$"
)
_NUMBER = re.compile(
    r"(?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety)\b)"
)
_LOOSE = frozenset(["did", "told", "instructed", "forget", "does", "never"])
"""Relations whose values are too free to be told from anything else that is said."""
_MAY = re.compile(
    r"\b(?:not|isn't|wasn't|wrong|mean|meant|sorry|correction|rather than|instead of|should (?:be|read|have been)"
    r"|after all"
    r"|turn(?:s|ed) out|no longer|kidding|joking|make (?:it|that)|take (?:that|it) back|i lied|change|fix)\b"
    r"|[,—–-] (?:no|wait|oops|actually)\b"
)
_AGAIN = re.compile(r"\W*(?:it's|it is|its|mine is|now it's|these days it's)\s(?:actually\s|really\s|now\s)?")


Before = Callable[[], Sequence[Statement]]
"""What a speaker has said just before, oldest first; asked only where a sentence looks like a correction."""


def may_correct(sentence: Sentence) -> bool:
    """Whether a sentence has any word of a correction; most have none."""
    return bool(
        sentence.mends
        or _starred(sentence)
        or _OPENS.match(sentence.low, sentence.start, sentence.stop) is not None
        or _MAY.search(sentence.low, sentence.start, sentence.whole) is not None
        or (sentence.stop - sentence.start < 60 and _ENDS_SURE.search(sentence.low, sentence.start, sentence.stop))
        or _TAKES_BACK.fullmatch(sentence.low, sentence.start, sentence.stop) is not None
        or _AGAIN.match(sentence.low, sentence.start, sentence.stop) is not None
    )


def _starred(sentence: Sentence) -> bool:
    """Whether a turn is "*Tuesday", the way typos are mended in chats."""
    return sentence.start < 4 and _STAR.match(sentence.low) is not None


_STAR = re.compile(r"\s*\*+(?=[^\s*])[^*\n]{1,40}$")


def mended(sentence: Sentence, says: Sequence[Statement], here: Sequence[Statement], before: Before) -> list[Statement]:
    """What a sentence says (`says`), corrected, with what it corrects of what its speaker has said just before.

    `here` is what the same turn has said so far, the end of `before`.
    """
    low, start, stop = sentence.low, sentence.start, sentence.stop
    if (was := _WAS.search(low, start, stop)) is not None and says:
        return [_denial(sentence, one, one.evidence[0]) if one.evidence[0].start < was.start() else one for one in says]
    if not says and _TAKES_BACK.fullmatch(low, start, stop):
        return list(_taken_back(sentence, before()))
    if (refused := _REFUSED.match(low, start, stop)) is not None:
        taken = list(_taken_back(sentence, here))
        return [*taken, *(one for one in says if one.evidence[0].start >= refused.end() - 2)]
    if pair := list(_pairs(sentence, before)):
        return [one for one in says if not any(_same_matter(one, new) for new in pair)] + pair
    opens = _OPENS.match(low, start, stop)
    at = opens.end() if opens else start
    sure = sentence.mends or _starred(sentence) or (opens is not None and _SURE.search(opens["cue"]) is not None)
    sure = sure or _BE_IT.match(low, at, stop) is not None
    if not says:
        cue = "" if opens is None else opens["cue"]
        again = _AGAIN.match(low, at, stop) if not sure else None
        if here and not here[-1].holds and (again is not None or stop - start < 30):
            return list(_follows(sentence, at, here[-1]))
        if again is not None and "actually" in cue + again[0] and (last := before()[-1:]):
            sure = not sentence.turn.text[again.end()].islower() or last[0].relation.startswith("favourite:")
        return list(_of_few_words(sentence, cue, at, before, sure=sure))
    inside = _INSIDE_CUE.search(low, start, stop) is not None
    if not (sure or inside) or not any(one.holds for one in says):
        return list(says)
    return _said_anew(sentence, says, before())


def _of_few_words(sentence: Sentence, cue: str, at: int, before: Before, *, sure: bool) -> Iterator[Statement]:
    """A correction that says nothing by itself: that something is not so, or the other value alone, from `at` on."""
    low, start, stop = sentence.low, sentence.start, sentence.stop
    if found := list(_denied(sentence, before)):
        yield from found
        return
    sure = sure or (stop - start < 60 and _ENDS_SURE.search(low, at, stop) is not None)
    sure = sure or (cue.endswith("fine") and _NUMBER.match(low, at, stop) is not None)
    if sure:
        yield from _of_value(sentence, at, before)


_REFUSED = re.compile(
    r"\W*(?:no|wait)[,.! ]+(?:i|it|we|he|she|that)(?:'m| am|'s| is| do| does| did| was)?(?: not|n't|sn't)[,.!;]+\s*"
    r"(?=\S|$)"
)
"""Of what was said right before: "I like olives. No I don't, …"."""
_BE_IT = re.compile(r"(?:make (?:it|that)|(?:it |that )?should (?:be|read|have been))\s")
_INSIDE_CUE = re.compile(
    r"(?:[,;—–-]+|\.\.\.)\s*(?:(?:oh|ah|well)\s+)?(?:no|wait|sorry|oops|i mean|i meant|correction)\b"
)
_WAS = re.compile(
    r"[,;—–-]+\s*(?:correction|i mean|sorry|or rather|well|no)[,:]?\s+(?:it )?(?:was|were|used to be)[\s.!]*$"
)
_TAKES_BACK = re.compile(
    r"(?:(?:oh|no|ok|okay|wait|sorry|actually|hmm|ah|ugh|lol|haha\w*|well|oops)[\s,.!]+)*(?:(?:please )?(?:scratch"
    r"|strike"
    r"|ignore|disregard|forget) (?:that|what i (?:just )?(?:said|wrote)|my last (?:message|sentence|remark))(?: "
    r"please)?"
    r"|i take (?:that|it) back|(?:i was |i'm |i am |im )?(?:just |only |totally )?(?:kidding|joking)|jk|j/k"
    r"|(?:i |that )?was (?:just |only )?(?:a joke|kidding|joking)|i didn't mean (?:that|it)"
    r"|i made (?:that|it) up|not really|that (?:was|is|isn't|wasn't) (?:a lie|wrong|not true|true)|that's not true"
    r"|that's wrong|i was wrong(?: about that)?|i misspoke|i lied)[\s,.!]*(?:lol|haha\w*|sorry|please|:\)|my bad)?"
)


def _taken_back(sentence: Sentence, before: Sequence[Statement]) -> Iterator[Statement]:
    """That nothing of what was said last is so: the sentence before, or the turn before."""
    if not before:
        return
    last = before[-1].evidence[0]
    text = sentence.turn.text
    begin = 0
    if last.turn == sentence.turn.id:
        begin = max(text.rfind(mark, 0, last.start) for mark in ".!?\n") + 1
    span = _whole(sentence)
    for one in before:
        place = one.evidence[0]
        if one.holds and place.turn == last.turn and place.start >= begin:
            yield _denial(sentence, one, span)


def _whole(sentence: Sentence) -> Span:
    words = sentence.low[sentence.start : sentence.stop].rstrip()
    return Span(sentence.turn.id, sentence.start, sentence.start + len(words))


def _said_anew(sentence: Sentence, says: Sequence[Statement], before: Sequence[Statement]) -> list[Statement]:
    """A correction that says all of it again: each statement takes the place of the one of its matter."""
    found: list[Statement] = []
    for one in says:
        earlier = [*before, *found]
        old = next((e for e in reversed(earlier) if e.holds and one.holds and _same_matter(one, e)), None)
        if old is None or folded(old.value) == folded(one.value):
            found.append(one)
        elif old in found:
            found[found.index(old)] = one
        else:
            found.append(replace(one, data={**one.data, "corrects": True}))
            if not relation(one.relation.partition(":")[0]).single:
                found.append(_denial(sentence, old, one.evidence[0]))
    return found


def _same_matter(one: Statement, other: Statement) -> bool:
    """Whether two statements are about one thing: of one subject and relation, and where a relation has many values, of
    one head word ("two sons", "three sons")."""
    if (folded(one.subject), one.relation) != (folded(other.subject), other.relation):
        return False
    name = one.relation.partition(":")[0]
    if relation(name).single or ":" in one.relation:
        return True
    return folded(one.value).split()[-1:] == folded(other.value).split()[-1:]


_LEAD = r"(?:(?:in|at|on|for|from|as|by|to|with) )?"
_DET = r"(?:(?:the|an?|my) )?"
_VALUE = r"[^,.!?;:\n]{1,40}?"
_END = r"(?=\s*(?:[,.!?;)—–]|$|\s-|\s(?:anymore|any more|now|actually|sorry|though|after all|because|which)\b))"
_OLD_NEW = (
    rf"\bnot {_LEAD}{_DET}(?P<old>{_VALUE})\s*(?:,? but|[,;—–-]+ ?(?:it's|it is|i'm|but|rather)?|\. (?:it's|it is))"
    rf"(?: actually)? {_LEAD}{_DET}(?P<new>{_VALUE}){_END}",
    rf"\b(?:isn't|wasn't|is not) {_LEAD}{_DET}(?P<old>{_VALUE})\s*[,;—–-]+ ?(?:it's|it is|but) {_LEAD}{_DET}"
    rf"(?P<new>{_VALUE}){_END}",
    rf"(?P<new>[^,.!?;:\n]{{1,60}}?)(?:,| and| but)? (?:and )?not {_LEAD}{_DET}(?P<old>{_VALUE}){_END}",
    rf"\bi (?:said|wrote|typed|put|told you) {_LEAD}{_DET}(?P<old>{_VALUE}),? (?:but |when )?(?:i )?(?:actually "
    rf"|really )?"
    rf"(?:meant|mean|it's|it is|it should (?:be|have been)|should have said) {_LEAD}{_DET}(?P<new>{_VALUE}){_END}",
    rf"\bi (?:meant|mean) {_LEAD}{_DET}(?P<new>{_VALUE}),? (?:when i (?:said|wrote)|instead of|rather than) "
    rf"{_LEAD}{_DET}"
    rf"(?P<old>{_VALUE}){_END}",
    rf"(?:^|[.!?,;:] |\bthe )(?P<old>{_VALUE}) should(?:'ve| have)? (?:be|been|read|say) "
    rf"{_LEAD}{_DET}(?P<new>{_VALUE}){_END}",
    rf"\b(?:change|correct|fix|update) {_DET}(?P<old>{_VALUE}) (?:to|with|into) {_LEAD}{_DET}(?P<new>{_VALUE}){_END}",
    rf"(?P<new>[^,.!?;:\n]{{1,60}}?) (?:instead of|rather than) {_LEAD}{_DET}(?P<old>{_VALUE}){_END}",
)
_PAIRS = tuple(re.compile(one) for one in _OLD_NEW)
_PAIR_WORDS = re.compile(r"\b(?:not|isn't|wasn't|should|meant|mean|instead of|rather than|change|correct|fix|update)\b")


def _pairs(sentence: Sentence, before: Before) -> Iterator[Statement]:
    """Corrections that name the old value, as it was said, and the new one."""
    if not _PAIR_WORDS.search(sentence.low, sentence.start, sentence.stop):
        return
    for pattern in _PAIRS:
        for match in pattern.finditer(sentence.low, sentence.start, sentence.stop):
            if NO_VALUE.search(match["old"]):
                continue
            known = [one for one in before() if one.holds and _is_named(match["old"], one)]
            if not known:
                continue
            old = known[-1]
            begin = match.start("new") + len(match["new"]) - len(match["new"].lstrip())
            for strip in (_OPENS, _SAYS, _LEADS):
                lead = strip.match(sentence.low, begin, match.end("new"))
                begin = lead.end() if lead else begin
            alike = {(folded(one.subject), one.relation): one for one in known if _says_as(one, old)}
            for one in alike.values():
                yield from _new_value(sentence, one, begin, match.end("new"), replaced=match["old"].strip())
            return


def _says_as(one: Statement, other: Statement) -> bool:
    """Whether two statements come from the same words, with the same value: who one's boss is, and his name."""
    return one.evidence[0].turn == other.evidence[0].turn and folded(one.value) == folded(other.value)


def _is_named(words: str, one: Statement) -> bool:
    """Whether words mean a value, or one word of it ("*7, not 6" of a Pixel 6)."""
    if one.relation.partition(":")[0] in _LOOSE:
        return False
    words, value = folded(words.strip(" \"'")), folded(one.value)
    bare = re.sub(r"^(?:an?|the|my) ", "", value)
    return words in (value, bare) or (
        (words[:1].isdigit() or len(words) > 3) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", value) is not None
    )


_NOT_THAT = re.compile(rf"\W*(?:(?:no|wait|sorry|oops)\W+)*not {_LEAD}{_DET}(?P<old>{_VALUE})\W*")
_NEGATES = re.compile(r"\b(?:not|\w+n't|never|no longer|wrong|mistaken|lied|misspoke|kidding|joking)\b")
_AFTER_ALL = re.compile(
    r"\b(?:after all|turns? out|wrong|mistaken|mistake|actually|correction|sorry|it's not|it isn't|it is not|no longer"
    r"|as it turned out|in fact|results?|test|doctor)\b"
)


def _denied(sentence: Sentence, before: Before) -> Iterator[Statement]:
    """ "I was wrong, it's not Porto", "turns out I'm not allergic to nuts after all": that a value is not so.

    The words of others count here: what takes back is no claim of its own.
    """
    low, stop = sentence.low, sentence.whole
    bare = _NOT_THAT.fullmatch(low, sentence.start, stop)
    if bare is not None:
        known = [one for one in before() if one.holds and _is_named(bare["old"], one)]
        if known:
            yield _denial(sentence, known[-1], _whole(sentence))
        return
    if "?" in low[stop : stop + 1] or not _AFTER_ALL.search(low, sentence.start, stop):
        return
    if not _NEGATES.search(low, sentence.start, stop):
        return
    for one in reversed(before()):
        if one.holds and one.relation.partition(":")[0] not in _LOOSE:
            value = re.sub(r"^(?:an?|the|my) ", "", folded(one.value))
            not_so = re.compile(
                rf"\b(?:not|\w+n't|never|no longer) (?:[\w']+ ){{0,4}}?{re.escape(value)}{_END}"
            ).search(low, sentence.start, stop)
            if not_so is not None:
                yield _denial(sentence, one, Span(sentence.turn.id, sentence.start, not_so.end()))
                return
    about = _WRONG_ABOUT.search(low, sentence.start, stop)
    if about is not None:
        known = [one for one in before() if one.holds and _is_named(about["old"], one)]
        if known:
            yield _denial(sentence, known[-1], Span(sentence.turn.id, sentence.start, about.end()))


_WRONG_ABOUT = re.compile(
    rf"\bi (?:was wrong|was mistaken|lied|misspoke|was kidding|was joking) about {_LEAD}{_DET}(?P<old>{_VALUE}){_END}"
)


def _of_value(sentence: Sentence, at: int, before: Before) -> Iterator[Statement]:
    """A correction that only gives the other value: of the last statement that could have it."""
    low = sentence.low
    says = _SAYS.match(low, at, sentence.stop)
    begin = says.end() if says else at
    lead = _LEADS.match(low, begin, sentence.stop)
    begin = lead.end() if lead else begin
    tail = _TAIL.search(low, begin, sentence.stop)
    end = tail.start() if tail else sentence.stop
    text = sentence.turn.text
    value = text[begin:end].strip(" ,;:.!\"'”“")
    if not value or len(value) > 40 or value.count(" ") > 4 or NO_VALUE.search(value.lower()):
        return
    shape = _shape(value, _told(sentence, begin, end) is not None)
    fitting = [one for one in before() if one.holds and _could_have(one, shape)]
    turn = fitting[-1].evidence[0].turn if fitting else None
    last = [one for one in fitting if one.evidence[0].turn == turn]
    last = [one for one in last if one.evidence[0] == last[-1].evidence[0]]
    # It could be the value of the one or the other, unless both have the same one.
    if len({folded(one.value) for one in last}) != 1 or folded(last[-1].value) == folded(value):
        return
    for old in last:
        yield from _new_value(sentence, old, begin, end)


def _follows(sentence: Sentence, at: int, last: Statement) -> Iterator[Statement]:
    """ "My favourite band isn't Muse. It's Blur": what takes the place of what was just denied."""
    name = last.relation.partition(":")[0]
    says = _AGAIN.match(sentence.low, at, sentence.stop)
    if not relation(name).single or last.evidence[0].turn != sentence.turn.id:
        return
    begin = at if says is None else says.end()
    tail = _TAIL.search(sentence.low, begin, sentence.stop)
    end = tail.start() if tail else sentence.stop
    value = sentence.turn.text[begin:end].strip(" ,;:.!\"'”“")
    if (
        value.count(" ") > 3
        or NO_VALUE.search(value.lower())
        or _shape(value, timely=False) != _shape(last.value, timely=False)
    ):
        return
    about = relation(name)
    text = about.says.format(subject=phrases.shown(last.subject), value=value, noun=last.relation.partition(":")[2])
    start, stop = begin, begin + len(sentence.turn.text[begin:end].rstrip(" ,;:.!\"'”“"))
    yield replace(
        last,
        value=value,
        text=phrases.sentence_of(text),
        evidence=(Span(sentence.turn.id, sentence.start, stop), last.evidence[0]) if start < stop else last.evidence,
        said=sentence.turn.time,
        holds=True,
        valid_from=None,
        valid_to=None,
        precision=None,
        confidence=0.85,
    )


def _told(sentence: Sentence, begin: int, end: int) -> dates.Told | None:
    words = sentence.turn.text[begin:end]
    lead = "in" if re.fullmatch(r"(?:19|20)\d\d\W*", words) else "it will be on"
    return next(iter(dates.told(f"{lead} {words}", sentence.turn.time)), None)


def _new_value(
    sentence: Sentence, old: Statement, begin: int, end: int, *, replaced: str | None = None
) -> Iterator[Statement]:
    """A statement with another value, the one from `begin` to `end`, or with that in the place of some words of it."""
    text = sentence.turn.text
    end = begin + len(text[begin:end].rstrip(" ,;:.!\"'”“"))
    value = text[begin:end].lstrip(" \"'”“")
    if not value or value.count(" ") > 5 or NO_VALUE.search(value.lower()):
        return
    told = _told(sentence, begin, end)
    timely = old.relation.partition(":")[0] in _TIMELY
    if timely and told is None:
        return
    new, words = value, ""
    name = old.relation.partition(":")[0]
    if told is not None and name == "plans":
        phrase = told.phrase
        new, words = (_RESOLVED.sub(lambda _: phrase, said, count=1) for said in (old.value, old.text))
    elif told is not None and name == "due":
        new = told.phrase
    elif replaced is not None and folded(replaced) != folded(old.value):
        new = re.sub(rf"(?<!\w){re.escape(replaced)}(?!\w)", lambda _: value, old.value, flags=re.IGNORECASE)
    elif (number := _NUMBER_WORD.match(folded(old.value))) is not None and _NUMBER_WORD.fullmatch(value.lower()):
        new = value + old.value[number.end() :]
    if name not in ("due", "plans"):
        told = None
    words = words or old.text.replace(old.value, new)
    if words == old.text or folded(new) == folded(old.value):
        return
    span = Span(sentence.turn.id, sentence.start, end)
    yield replace(
        old,
        value=new,
        text=words,
        evidence=(span, old.evidence[0]),
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


_RESOLVED = re.compile(r"(?:[A-Z][a-z]+day, )?(?:\d{1,2} )?[A-Z][a-z]+ \d{4}")
_TIMELY = ("due", "plans", "born_on")
_NUMBER_WORD = re.compile(rf"(?:\d[\d.,]*|{_NUMBER.pattern})(?!\w)")


def _shape(value: str, timely: bool) -> str:
    if timely and not re.fullmatch(r"\d{1,3}", value):
        return "time"
    if _NUMBER.match(value.lower()):
        return "number"
    return "name" if value[:1].isupper() else "thing"


def _could_have(one: Statement, shape: str) -> bool:
    name = one.relation.partition(":")[0]
    if name in _LOOSE:
        return False
    if name in _TIMELY:
        return shape == "time"
    return _shape(one.value, timely=False) == shape


def _denial(sentence: Sentence, old: Statement, span: Span) -> Statement:
    """That what was said before is not so."""
    name, _, noun = old.relation.partition(":")
    says = relation(name).denies.format(subject=phrases.shown(old.subject), value=old.value, noun=noun)
    return replace(
        old,
        text=phrases.sentence_of(says),
        evidence=(span,) if span == old.evidence[0] else (span, old.evidence[0]),
        said=sentence.turn.time,
        holds=False,
        valid_from=None,
        valid_to=None,
        precision=None,
        confidence=0.85,
    )
