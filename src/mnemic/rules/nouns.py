"""What is said by nouns: "my sister Clara", "my budget is $650", "the deadline is 5 April"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause, Sentence
from mnemic.rules.things import kin
from mnemic.statements import Statement

# -- names of family, friends and pets

_NAMED = re.compile(r"(?:'s name is|'s called|,? (?:is |was )?(?:named|called)|,? whose name is|'s name's)\s+(?=\S)")
_NAME_AFTER = re.compile(r"(?P<comma>,)?\s+(?=\S)")


def kin_names(sentence: Sentence) -> Iterator[tuple[Statement, int]]:
    """The names that a sentence gives to the speaker's people and pets, each with where the name ends."""
    low, text = sentence.low, sentence.turn.text
    clause = Clause(sentence, sentence.start, sentence.stop)
    for mine in phrases.MY_KIN.finditer(low, sentence.start, sentence.stop):
        end, noun = mine.end(), mine["noun"]
        if _NO_MORE.search(mine["adj"]):
            continue
        if (given := _NAMED.match(low, end, sentence.stop)) is not None:
            at = phrases.name(clause, given.end())
        else:
            after = _NAME_AFTER.match(low, end, sentence.stop)
            at = phrases.name(clause, after.end()) if after else None
            if at is not None and after is not None and after["comma"] and not _closed(sentence, at[1]):
                continue
        if at is None:
            continue
        at = _only_name(text, at)
        if (
            sentence.peers
            and text[at[0] : at[1]].lower().split()[0] in {p.split()[0] for p in sentence.peers}
            and ", " in low[end : at[0] + 1]
        ):
            continue
        if text[at[1] : at[1] + 1] in ("'", "’") and given is None and low[at[1] : at[1] + 2] not in ("'s",):
            continue
        yield kin(clause, noun, at, spans=((mine.start(), at[1]),)), at[1]
    for given in _IS_MY.finditer(low, sentence.start, sentence.stop):
        at = _only_name(text, given.span("name"))
        name = text[at[0] : at[1]]
        opens = given.start() == sentence.start or low[given.start() - 2 : given.start()] in (", ", "d ", "t ")
        if opens and phrases.NAME.fullmatch(name) and name.lower().split()[0] not in phrases.NO_NAMES:
            yield kin(clause, given["noun"], at, spans=(given.span(),)), at[1]


_IS_MY = re.compile(
    rf"\b(?P<name>[\w-]+(?: [\w-]+)?) is my {phrases.ADJECTIVES}(?P<noun>{phrases.KIN})\b(?!'s|-| (?:name|of "
    rf"choice))"
)


_NO_MORE = re.compile(r"\b(?:late|former)\b")


def _only_name(text: str, at: tuple[int, int]) -> tuple[int, int]:
    """A name without the possessive: "my sister Clara's wedding"."""
    words = text[at[0] : at[1]]
    cut = re.search(r"['’]s\b", words)
    return (at[0], at[0] + cut.start()) if cut else at


def _closed(sentence: Sentence, end: int) -> bool:
    """Whether the name after a comma is set off by another: "my sister, Clara, is …", not "my brother, Paris is …"."""
    after = sentence.low[end : end + 2]
    if after[:1] == ",":
        return not re.match(r", (?:i|you|we|how|what|can|do|thanks|please|and i)\b", sentence.low[end : end + 12])
    return (
        not sentence.peers
        and (end >= sentence.stop or after[:1] in (".", "!", ")") or sentence.low[end : end + 3] in (" - ", " — "))
        and after[:1] != "?"
    )


# -- "my X is Y"

_ATTRIBUTES = (
    r"(?:(?:home |work |mobile |cell |office |new |current |emergency )?(?:phone|telephone|mobile"
    r"|cell)(?: number)?|number|(?:work |personal |home )?e-?mail(?: address)?|(?:home |work |mailing "
    r"|shipping |postal |new )?address|zip ?code|postcode|post code"
    r"|blood type|blood group|shoe size|ring size|height|hometown|home town|nationality|native "
    r"language|mother tongue|first language|religion|zodiac sign|star sign|time ?zone|username"
    r"|user name|handle|pronouns|middle name|last name|surname|maiden name|nickname"
    r"|major|minor|job title|occupation|profession|locker code|door code|pin(?: code)?|license "
    r"plate|wi-?fi (?:name|password)|student id|employee id|account number|passport number|order "
    r"number|flight number|seat number|room number|car|eye colou?r|hair colou?r|dress size|shirt "
    r"size)"
)
_MY_ATTRIBUTE = re.compile(
    rf"my (?:new |current )?(?P<noun>{_ATTRIBUTES})\s+(?:is|are|has changed to|changed to|is now"
    rf"|'s)\s+(?:now |currently |still |also |actually )*(?P<no>not )?(?=\S)"
)
_FAVOURITE = re.compile(
    r"my (?:all[- ]time |absolute |new |current |personal |own |other )*favou?rite "
    r"(?P<noun>[a-z][\w'-]*(?:\s+(?!is\b|are\b|has\b|was\b|to\b|of\b|i\b)[a-z][\w'-]*){0,4}?)(?: "
    r"(?:to \w+|of all time|ever|in the world))?\s+(?P<be>is(?:n't)?|are(?:n't)?|has always been|has to be|would "
    r"have to be|is definitely|is probably|'s|was|were)\s+(?:still |now |definitely |actually "
    r"|currently |always |also |by far )*(?P<no>not |no longer )?(?=\S)"
)
_IS_FAVOURITE = re.compile(
    r"(?:is|are|'s|remains)\s+(?:still |now |definitely |by far |actually |always |also )*my "
    r"(?:all[- ]time |absolute |new |current |personal |other )*favou?rite(?P<noun> "
    r"[a-z][\w'-]*(?: [a-z][\w'-]*)?)?(?=\s*(?:[.,!;)]|$)| (?:because|since|so|and|of all time"
    r"|ever|by far)\b)"
)
_ONE_OF_MINE = re.compile(
    r"\s(?:is|are|was|were|remains)\s+(?:still |definitely |probably |easily |also |always )*(?:one|some|two) of my "
    r"(?:all[- ]time |absolute |personal )*"
    r"(?:favou?rites?\b|favou?rite [a-z]+s\b)"
)
_NO_VALUE = re.compile(
    r"(?:it|that|this|them|those|these|when|how|what|the one|the part|being|you|your|definitely"
    r"|probably|not|so|very|really|too|getting|going|always|also|one of|pretty|quite|hard|coming"
    r"|to|about|like|something|in|on|at|up|down|just|amazing|great|awesome|broken|old|fine|good"
    r"|ready|full|empty|here|there|gone|done|by|from|with|changing|different|wrong|running|dead"
    r"|low|high|important|next|missing|lost|over|under|out|off|an?|the same|still|more|less|much"
    r"|all|both|either|wherever|whatever|any|his|her|their|our|where|why|who|i)\b"
)


def attributes(clause: Clause) -> Iterator[Statement]:
    """ "my phone number is …", "my favourite colour is green"."""
    low, start, stop = clause.low, clause.start, clause.stop
    if not low.startswith("my ", start):
        yield from _is_favourite(clause)
        return
    me = phrases.shown(clause.me)
    if (match := _MY_ATTRIBUTE.match(low, start, stop)) is not None:
        found = _value_of(clause, match.end(), 8)
        if found is not None and (
            (not _NO_VALUE.match(low, *found) and match["noun"] != "car")
            or (match["noun"] == "car" and re.match(r"an? [A-Z]", clause.text[found[0] : found[1]]))
        ):
            value = clause.text[found[0] : found[1]]
            noun = match["noun"]
            if match["no"] and not re.search(r"[\dA-Z@]", value):
                return
            if noun == "number" and not re.search(r"\d{3}", value):
                return
            if noun in ("blood type", "blood group") and not _BLOOD.match(low, *found):
                return
            if noun == "height" and not any(c.isdigit() for c in value):
                return
            be = "are" if noun.endswith("pronouns") else "is"
            yield stated(
                clause,
                f"attribute:{noun}",
                value,
                holds=not match["no"],
                text=f"{me}'s {noun} {be} {'not ' if match['no'] else ''}{value}",
            )
            if (other := _NOT.match(low, found[1], stop)) and (old := _value_of(clause, other.end(), 8)):
                yield stated(clause, f"attribute:{noun}", clause.text[old[0] : old[1]], holds=False, confidence=0.8)
        return
    if (match := _FAVOURITE.match(low, start, stop)) is not None and match["be"] not in (
        "was",
        "were",
        "would have to be",
        "is probably",
    ):
        noun, no = match["noun"], bool(match["no"]) or match["be"].endswith("n't")
        if noun in (
            "is",
            "are",
            "part",
            "parts",
            "thing",
            "things",
            "one",
            "ones",
            "way",
            "moment",
            "memory",
            "aspect",
            "so far",
            "line",
            "quote",
            "memories",
            "moments",
            "of",
        ) or noun.startswith(("part ", "thing ", "one ", "of ", "memory", "so far", "moment")):
            return
        found = phrases.thing(clause, match.end(), 8)
        if (
            found is None
            or (_NO_VALUE.match(low, *found) and not re.match(r"(?:an?|our|my) ", low[found[0] : found[1]]))
            or phrases.hazy(clause, *found)
            or phrases.addressed(clause, *found)
        ):
            return
        if noun.endswith("s") and match["be"] == "are":
            spans = phrases.series(clause, match.end())
        else:
            spans = [found]
        if len(spans) > 1:
            found = spans[0][0], spans[-1][1]
        of = f"{me}'s favourite {noun}" if "favourite" in low[start : match.end()] else f"{me}'s favorite {noun}"
        be = "are" if match["be"].startswith("are") else "is"
        yield stated(
            clause,
            f"favourite:{noun}",
            phrases.third(clause, *found),
            holds=not no,
            text=f"{of} {be} {'not ' if no else ''}{phrases.third(clause, *found)}",
        )
        return
    if low.startswith("my birthday", start):
        yield from _birthday(clause)
    if (match := re.compile(r"my (?:real |full |first )?name(?:'s| is) (?=\S)").match(low, start, stop)) is not None:
        at = phrases.name(clause, match.end())
        if (
            at is None
            and not any(c.isupper() for c in clause.text[start:stop])
            and (plain := re.compile(r"[a-z]{2,15}(?=\s*(?:[.,!]|$|and\b))").match(low, match.end(), stop))
        ):
            at = plain.span()
        if at is not None:
            name = clause.text[at[0] : at[1]]
            yield stated(clause, "name", name, aliases=(name,))


_BLOOD = re.compile(r"(?:type )?(?:ab|a|b|o|0)\b")
_NOT = re.compile(r",? (?:and )?not (?=\S)")


def _value_of(clause: Clause, at: int, most: int) -> tuple[int, int] | None:
    """A value that may hold an @, a dot or a comma: an address, a number."""
    found = re.compile(
        r"[^\n;!?()]+?(?=,? (?:and|but|so|which|because|now|if|not|instead|please|just|at the moment"
        r"|currently|though|as of|since|until)\b|[,.](?:\s|$)|[;!?()\n]|\s[-–—]\s|$)"
    ).match(clause.low, at, clause.stop)
    if found is None:
        return None
    end = found.end()
    while clause.low[end : end + 2] == ", " and re.match(
        r", (?:\d|(?:apt|unit|suite|flat)\b)|, [A-Z][\w]+(?=\s*(?:,|\.|$))", clause.text[end : clause.stop]
    ):
        more = re.compile(r", [^,.;!?\n]+").match(clause.low, end, clause.stop)
        if more is None:
            break
        end = more.end()
    words = clause.low[at:end].strip()
    if not words or words.count(" ") > most:
        return None
    return at, at + len(clause.low[at:end].rstrip(" .,"))


_OTHERS = re.compile(
    r"\b(?:he|she|it|they|that|this|these|those|you|your|which|who|what|one|my|i|if|and|or|his|her|their)\b"
)


def _is_favourite(clause: Clause) -> Iterator[Statement]:
    """ "Dune is my favourite book"."""
    match = _IS_FAVOURITE.search(clause.low, clause.start, clause.stop)
    of_mine = _ONE_OF_MINE.search(clause.low, clause.start, clause.stop) if match is None else None
    if of_mine is not None:
        words = clause.text[clause.start : of_mine.start()].strip(' "“”')
        if (
            1 < len(words) < 50
            and words.count(" ") < 6
            and not _NO_VALUE.match(words.lower())
            and not _OTHERS.search(words.lower())
        ):
            yield stated(clause, "likes", words)
        return
    if match is None or not match["noun"]:
        return
    words = clause.text[clause.start : match.start()].rstrip()
    low = words.lower()
    if (
        not words
        or words.count(" ") > 5
        or _NO_VALUE.match(low)
        or re.search(
            r"\b(?:he|she|it|they|that|this|these|those|you|your|which|who|what|one|my|i|if|and|or|the)\b", low
        )
        or not words[0].isalnum()
    ):
        return
    noun = match["noun"].strip()
    if noun in (
        "part",
        "thing",
        "one",
        "so far",
        "way",
        "of all",
        "too",
        "right now",
        "of all time",
        "ever",
        "time",
        "to",
        "moment",
    ) or noun.startswith(("part", "thing", "so ")):
        return
    spelled = "favourite" if "favourite" in clause.words else "favorite"
    yield stated(clause, f"favourite:{noun}", words, text=f"{phrases.shown(clause.me)}'s {spelled} {noun} is {words}")


def _birthday(clause: Clause) -> Iterator[Statement]:
    match = re.compile(r"my birthday(?:'s| is| falls)(?: on| actually on| actually| coming up on| in)? ?").match(
        clause.low, clause.start, clause.stop
    )
    told = clause.times[0] if clause.times else None
    if match is None or told is None or abs(told.start - match.end()) > 4:
        return
    words = clause.low[told.start : told.end]
    if re.search(r"\d", words) and told.precision in ("day", "minute") and not re.search(r"days|weeks|months", words):
        value = re.sub(r"^(?:on|the)\s+", "", clause.text[told.start : told.end], flags=re.I)
        value = re.sub(r"^the\s+", "", value)
        yield stated(
            clause,
            "born_on",
            value,
            precision="day",
            text=f"{phrases.shown(clause.me)}'s birthday is "
            f"{'on ' if 'on ' in clause.low[match.start() : told.start + 3] else ''}{value}",
        )
    elif told.precision in ("day", "minute") and told.last > clause.turn.time:
        yield stated(
            clause,
            "due:birthday",
            told.phrase,
            since=told.first,
            until=told.last,
            precision="day",
            text=f"{phrases.shown(clause.me)}'s birthday is {phrases.resolved(clause, told)}",
            data={"about": ["birthday"]},
        )


# -- who does what, other than the speaker


def kin_subject(clause: Clause, names: dict[str, str]) -> tuple[str, int, tuple[str, ...]] | None:
    """The subject of a clause that begins with "my sister …" or a name that was given: its name, its end, aliases."""
    low, text, start = clause.low, clause.text, clause.start
    mine = phrases.MY_MANY.match(low, start, clause.stop) or phrases.MY_KIN.match(low, start, clause.stop)
    if mine is not None:
        end = mine.end()
        if low[end : end + 2] in ("'s", "s "):
            return None
        called = f"{clause.me}'s {mine['noun']}"
        after = _NAME_AFTER.match(low, end, clause.stop)
        at = phrases.name(clause, after.end()) if after else None
        if at is not None and (not after or not after["comma"] or low[at[1] : at[1] + 1] == ","):
            at = _only_name(text, at)
            if low[at[1] : at[1] + 2] == "'s":
                return None
            end = at[1] + (low[at[1] : at[1] + 1] == ",")
            return text[at[0] : at[1]], end, (called,)
        return called, end, ()
    found = re.compile(r"[A-ZÀ-Þ][\w-]+").match(text, start, clause.stop)
    if found is not None and found[0] in names and low[found.end() : found.end() + 2] != "'s":
        return found[0], found.end(), (names[found[0]],) if names[found[0]] else ()
    return None
