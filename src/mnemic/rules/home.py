"""Where somebody lives and is from; birth, age, names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.said import Said, pattern
from mnemic.rules.talk import Clause
from mnemic.rules.work import is_a
from mnemic.statements import Statement

_IN = pattern(
    r" (?:(?:alone|together|here|there|with [\w' ]{2,24}?|full[- ]time|abroad|permanently|temporarily"
    r"|right|over|out|back|up|down|happily|just|now|on my own|by myself) )*(?:in|at|near|outside|just "
    r"outside|on) (?=\S)"
)
_IN_ONLY = pattern(r" (?:(?:out|over|right|up|down) )?(?:of|in|near|outside) (?=\S)")
_MOVED_FROM_TO = pattern(
    r" (?:(?:back|over|away|here|out|down|up|all the way|with [\w' ]{2,20}?|across the country|house) "
    r")*from (?=\S)"
)
_MOVED_TO = pattern(
    r" (?:(?:back|over|out|down|up|in|here|again|permanently|abroad|across the country|away|myself"
    r"|with [\w' ]{2,20}?|together|recently|in with [\w ']{2,20}?) )*(?:to|into) (?=\S)"
)
_OUT_OF = pattern(r" (?:out of|away from) (?=\S)")
_ALWAYS = re.compile(r"\b(?:all my life|my (?:whole|entire) life|my entire life)\b")


def lives(one: Said) -> Iterator[Statement]:
    form, verb = one.form, one.verb
    match = one.after(_IN if verb != "based" else _IN_ONLY if one.after(_IN_ONLY) else _IN)
    if match is None:
        return
    at = phrases.place(one.clause, match.end())
    if at is None:
        return
    # Who lives near a town does not live in it.
    near = _NEAR.search(one.low[match.start() : match.end()])
    value, tail = one.clause.text[at[0] : at[1]], one.low[at[1] : one.clause.stop]
    if near is not None:
        value = f"{near[1]} {value}"
        if one.form not in ("", "do", "be", "have", "have been") or one.no or one.never or verb in ("lived", "resided"):
            return
        since, precision = one.since()
        if verb in ("live", "lives", "reside", "resides", "living", "based") and not _VISITING.search(tail):
            text = f"{phrases.shown(one.subject)} lives {value}"
            yield one.say("lives_in", value, text=text, since=since, precision=precision)
        return
    since, precision = one.since()
    simple = verb in ("live", "lives", "reside", "resides", "stay") and form in ("", "do")
    if one.third_mismatch(verb):
        return
    if one.never:
        if form in ("have", "have been"):
            yield one.say("never", one.words((one.at, at[1])))
        return
    if form == "used" or (form == "was" and verb in ("living", "based")):
        until, precision = one.until()
        yield one.say(
            "lives_in", value, holds=False, until=until, precision=precision, confidence=0.9 if form == "used" else 0.7
        )
    elif simple and _VISITING.search(tail):
        return
    elif simple or (form == "be" and verb in ("living", "based", "residing", "settled", "located")):
        yield one.say(
            "lives_in",
            value,
            holds=not one.no,
            since=since if not one.no else None,
            precision=precision if not one.no else None,
        )
        yield from _not_but(one, "lives_in", at[1])
    elif (form == "have been" and verb in ("living", "based", "residing") and not one.no) or (
        form == "have"
        and verb in ("lived", "resided")
        and not one.no
        and (since or _ALWAYS.search(tail) or "always" in one.adverbs)
    ):
        yield one.say("lives_in", value, since=since, precision=precision)
    elif form == "" and verb in ("lived", "resided") and not one.no:
        until, precision = one.until()
        told = one.told()
        yield one.say(
            "lives_in",
            value,
            holds=False,
            until=until,
            precision=precision or (told and until and told.precision),
            confidence=0.8,
        )


_NEAR = re.compile(r"\b(near|just outside|outside) $")
_VISITING = re.compile(r"^ (?:is|was|sounds|means|whenever|when|if|during|for the (?:summer|winter|week|weekend))\b")


def moved(one: Said) -> Iterator[Statement]:
    if one.no or one.never:
        return
    form, verb, clause = one.form, one.verb, one.clause
    past = verb in ("moved", "relocated", "emigrated", "immigrated") and form in ("", "have")
    ahead = (verb in ("moving", "relocating") and form == "be") or (
        verb in ("move", "relocate") and form in ("going", "will")
    )
    if not past and not ahead:
        return
    told = next((t for t in clause.times if not _UNTIL.search(one.low[max(0, t.start - 9) : t.start])), None)
    left = arrived = None
    if match := one.after(_MOVED_FROM_TO):
        left = phrases.place(clause, match.end())
        if left and (to := _TO.match(one.low, left[1], clause.stop)):
            arrived = phrases.place(clause, to.end())
    elif match := one.after(_OUT_OF):
        left = phrases.place(clause, match.end())
    elif match := one.after(_MOVED_TO):
        arrived = phrases.place(clause, match.end())
        if arrived and (origin := _FROM.match(one.low, arrived[1], clause.stop)):
            left = phrases.place(clause, origin.end())
    if not left and not arrived:
        return
    text = clause.text
    if past:
        begun, precision = (told.first, told.precision) if told else (None, None)
        if left:
            yield one.say("lives_in", text[left[0] : left[1]], holds=False, until=begun, precision=precision)
        if arrived:
            yield one.say("lives_in", text[arrived[0] : arrived[1]], since=begun, precision=precision)


_UNTIL = re.compile(r"(?:until|till|since) $")
_TO = pattern(r",? to (?=\S)")
_FROM = pattern(r",? from (?=\S)")


def comes_from(one: Said) -> Iterator[Statement]:
    if one.form == "be" and not one.never and not one.we and (at := phrases.place(one.clause, one.rest + 1)):
        if (
            one.clause.text[at[0] : at[1]].isupper()
            and at[1] - at[0] < 4
            and one.clause.text[at[0] : at[1]] not in ("US", "UK", "USA", "LA", "NY", "NYC", "DC", "UAE")
        ):
            return
        yield one.say("from", one.clause.text[at[0] : at[1]], holds=not one.no)
        yield from _not_but(one, "from", at[1])


_COMES_FROM = pattern(r" (?:originally )?from (?=\S)")


def comes(one: Said) -> Iterator[Statement]:
    if one.form or one.we or one.third_mismatch(one.verb) or (match := one.after(_COMES_FROM)) is None:
        return
    if (at := phrases.place(one.clause, match.end())) is not None:
        yield one.say("from", one.clause.text[at[0] : at[1]], holds=not one.no)


_NOT_BUT = re.compile(r"(?:,| but|,? and|\s[-–—])? not (?:in |from |at |for |on |to )?(?=\S)")


def _not_but(one: Said, relation: str, at: int) -> Iterator[Statement]:
    """The other half of "in Lyon, not Paris"."""
    if one.no or (match := _NOT_BUT.match(one.low, at, one.clause.stop)) is None:
        return
    other = phrases.place(one.clause, match.end())
    if other is not None:
        yield one.say(relation, one.clause.text[other[0] : other[1]], holds=False, confidence=0.8)


_BORN = pattern(r" (?:and raised )?(?:on|in)? ?")
_AGE = re.compile(
    r"\s*(?P<n>\d{1,3})(?:\s+years?\s+old\b|(?=\s*(?:[.,](?!\d)|[!;)]|$))|(?=\s+(?:and|now|already|this year|but"
    r"|with|next)\b)|\s+yo\b|\s+y/o\b|-years?-old\b)"
)
_A_AGE = re.compile(r"(?:an?\s+)?(?P<n>\d{1,3})[ -]years?[ -]old\b")


def born(one: Said) -> Iterator[Statement]:
    if one.form != "was" or one.no or one.we:
        return
    at = _BORN.match(one.low, one.rest, one.clause.stop)
    end = at.end() if at else one.rest
    year = re.compile(r"(?:19|20)\d\d\b").match(one.low, end, one.clause.stop)
    told = next((t for t in one.clause.times if abs(t.start - one.rest) <= 5), None)
    if year:
        yield one.say("born_on", year[0], text=f"{phrases.shown(one.subject)} was born in {year[0]}", precision="year")
    elif told and told.precision in ("day", "minute") and re.search(r"\d{4}", one.low[told.start : told.end]):
        yield one.say("born_on", dates.day_words(told.first), precision="day")
    elif told and told.precision in ("day", "minute") and re.search(r"\d", one.low[told.start : told.end]):
        value = re.sub(r"^(?:on|the)\s+", "", one.clause.text[told.start : told.end])
        yield one.say("born_on", value, precision="day")
    elif place := phrases.place(one.clause, end):
        yield one.say("did", f"was born in {one.clause.text[place[0] : place[1]]}")


def years(one: Said) -> Iterator[Statement]:
    """ "I'm 34", "I'm a 44-year-old nurse"."""
    if one.form != "be" or one.we or one.never:
        return
    match = _AGE.match(one.low, one.at, one.clause.stop) or _A_AGE.match(one.low, one.at, one.clause.stop)
    if match is not None and 0 < int(match["n"]) < 120 and not re.match(r"\s*(?:%|percent)", one.low[match.end() :]):
        yield one.say("age", match["n"], holds=not one.no)
        if match.re is _A_AGE:
            yield from is_a(one, match.end())


def turned(one: Said) -> Iterator[Statement]:
    if one.no or one.never or one.we:
        return
    match = one.after(
        re.compile(
            r"\s+(\d{1,3})(?=\s*(?:[.,!;)]|$)|\s+(?:years|yesterday|today|last|this|on|in|two|three|a|and"
            r"|recently|now|next)\b)"
        )
    )
    if match is None or not 0 < int(match[1]) < 120:
        return
    told = one.told()
    if one.verb == "turned" and one.form in ("", "have"):
        yield one.say("age", match[1], since=told.first if told else None, precision=told.precision if told else None)
    elif one.form in ("be", "will", "going") and told and told.first > one.clause.turn.time:
        yield one.say("age", match[1], since=told.first, precision=told.precision, confidence=0.7)


def named(one: Said) -> Iterator[Statement]:
    """ "I'm called Lia", "I go by Lia"."""
    if one.no or one.never or one.we:
        return
    at = one.rest
    if one.verb in ("go", "goes"):
        match = one.after(pattern(r" by (?:the name (?:of )?)?(?=\S)"))
        if match is None or one.form:
            return
        at = match.end()
    elif one.form != "be":
        return
    found = phrases.name(one.clause, at + (one.low[at : at + 1] == " "))
    if found:
        yield one.say("name", one.clause.text[found[0] : found[1]], aliases=(one.clause.text[found[0] : found[1]],))


_NO_FIRST_NAMES = re.compile(
    r"(?:.*(?:ish|ese|ican|adian|uguese)|american|german|french|dutch|greek|italian|russian|jewish"
    r"|muslim|christian|catholic|indian|asian|black|white|hispanic|latina|latino|swiss|thai|czech"
    r"|arab|brazilian|australian|european|african|norwegian|canadian|ukrainian|iranian|egyptian"
    r"|austrian|hungarian|romanian|bulgarian|georgian|estonian|latvian|lithuanian|croatian|serbian"
    r"|bosnian|colombian|peruvian|chilean|argentinian|hindu|buddhist|sikh|atheist|gen|leo|virgo"
    r"|libra|scorpio|aries|taurus|gemini|cancer|sagittarius|capricorn|aquarius|pisces|team|monday"
    r"|republican|democrat|protestant|mormon|californian|texan|persian|latin|type)"
)
_NO_OPENING = re.compile(
    r"(?:ing|ed|ful|ous|ive|able|less|est)$|^(?:sorry|fine|good|sure|ready|new|here|back|happy"
    r"|glad|so|very|done|sick|sad|great|okay|well|late|lost|busy|curious|afraid|aware|unsure"
    r"|confused|vegan|vegetarian|pregnant|single|gay|lesbian|bi|trans|deaf|blind|autistic|hungry"
    r"|free|home|alone|asexual|nonbinary|female|male|batman|superman|spiderman|spartacus|groot"
    r"|legend|iron|santa|god|king|queen)$"
)
_INTRODUCED = re.compile(r"^\W*(?:(?:hi|hey|hello|greetings|good (?:morning|evening|afternoon))\b[\w ]{0,12}[,.!]? )$")


def i_am(one: Said) -> Iterator[Statement]:
    """ "Hi, I'm Craig", "I'm Craig, a …"."""
    if one.form != "be" or one.no or one.never or not one.me or one.we or one.adverbs:
        return
    found = phrases.name(one.clause, one.at)
    if found is None:
        return
    low, text = one.low, one.clause.text
    words = text[found[0] : found[1]]
    if _NO_OPENING.search(words.lower().split()[0]) and not text[found[0] : found[1]].endswith(("red", "less")):
        return
    if _NO_FIRST_NAMES.fullmatch(words.lower().split()[0]) or words.isupper() or words.count(" ") > 2:
        return
    after = low[found[1] : found[1] + 40]
    greeted = _INTRODUCED.search(low[one.clause.sentence.start : one.clause.start]) or (
        one.clause.sentence.start < 3 and re.match(r"[.,!] ?(?:i|and)", after)
    )
    opening = (
        one.clause.sentence.start < 3
        and one.clause.start < 3
        and " " not in words
        and re.match(r"\s*(?:[.,!]|$|and i\b)", after)
        and not _NO_OPENING.search(words.lower())
    )
    if (
        not opening
        and not (greeted and re.match(r"\s*(?:[.,!]|$|and\b|from\b|-|–|—)", after))
        and not re.match(
            r", (?:a|an) (?:\d+|[a-z]+)|, by the way$|, btw$", after[: one.clause.sentence.stop - found[1]].rstrip()
        )
        and not re.match(r" and i(?:'m| am)\b", after)
    ):
        return
    yield one.say("name", words, aliases=(words,))
    if (more := re.compile(r", (?=an? )").match(low, found[1], one.clause.sentence.stop)) is not None:
        clause = Clause(one.clause.sentence, one.clause.start, one.clause.sentence.stop)
        again = Said(clause, one.subject, True, "be", False, False, frozenset(), "a", more.end(), more.end() + 1)
        yield from years(again)
        yield from is_a(again, again.at)
