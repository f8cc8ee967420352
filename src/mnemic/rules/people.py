"""Languages; who is with whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules import phrases
from mnemic.rules.said import Said, end_of
from mnemic.rules.talk import Clause, Sentence
from mnemic.rules.things import kin_relation
from mnemic.rules.work import is_a
from mnemic.statements import Statement

_LANGUAGES = (
    r"(?:English|Spanish|French|German|Italian|Portuguese|Dutch|Swedish|Norwegian|Danish|Finnish"
    r"|Polish|Czech|Slovak|Hungarian|Romanian|Bulgarian|Greek|Turkish|Russian|Ukrainian|Arabic"
    r"|Hebrew|Persian|Farsi|Hindi|Urdu|Bengali|Tamil|Telugu"
    r"|Punjabi|Mandarin|Cantonese|Chinese|Japanese|Korean|Vietnamese|Thai|Indonesian|Malay|Tagalog"
    r"|Swahili|Yoruba|Igbo|Hausa|Amharic|Zulu|Afrikaans|Catalan|Basque|Galician|Irish|Welsh"
    r"|Icelandic|Latin|Esperanto|ASL|Serbian|Croatian|Slovenian|Lithuanian|Latvian|Estonian|Nepali"
    r"|Gujarati|Marathi|Malayalam|Kannada|Albanian)"
)
LANGUAGE_LIST = re.compile(
    rf"\s+(?:(?:both|fluent|fluently|some|a little(?: bit of)?|a bit of|basic|conversational|only"
    rf"|in|decent|native|good|intermediate|three languages: )\s+)*(?P<all>{_LANGUAGES}(?:(?:,? and "
    rf"|, ){_LANGUAGES})*)\b",
    re.I,
)


def speaks(one: Said) -> Iterator[Statement]:
    if one.never or one.we or one.third_mismatch(one.verb):
        return
    if not (
        (one.verb in ("speak", "speaks") and one.form in ("", "do", "can", "can't"))
        or (one.verb == "fluent" and one.form == "be")
    ):
        return
    match = LANGUAGE_LIST.match(one.low, one.rest, one.clause.stop)
    if match is None or "but" in match[0]:
        return
    for language in re.finditer(_LANGUAGES, one.clause.text[match.start("all") : match.end("all")], re.I):
        yield one.say("speaks", language[0], holds=not one.no and one.form != "can't")


_SPOUSE = re.compile(rf"(?:my (?:\w+ )?(?:{phrases.PARTNERS}|best friend)|an? (?:man|woman|\w+))\b")
_STATUS = re.compile(
    r"(?:happily\s+|recently\s+|newly\s+|now\s+)?(?P<what>married|divorced|engaged|single|widowed"
    r"|separated|pregnant|retired|unemployed|self-employed)\b(?=\s*(?:[.,!;)]|$)|\s+(?:and|with|to"
    r"|for|now|since|at the moment|but|again|these days|right now)\b)"
)


def status(one: Said) -> Iterator[Statement]:
    """ "I'm married to Tom", "I'm single again"."""
    if one.never or one.form not in ("be", "have been") or (one.we and one.verb not in ("married", "engaged")):
        return
    match = _STATUS.match(one.low, one.at, one.clause.stop)
    if match is None or re.match(r"\s+with\b", one.low[match.end() :]):
        return
    word = match["what"]
    to = re.compile(r"\s+to\s+(?=\S)").match(one.low, match.end(), one.clause.stop)
    if to is not None and word in ("married", "engaged"):
        named = phrases.name(one.clause, to.end())
        if named is not None and not one.no:
            yield one.say(
                "partner:partner",
                one.clause.text[named[0] : named[1]],
                text=f"{phrases.shown(one.subject)} is {word} to {one.clause.text[named[0] : named[1]]}",
            )
        elif named is None and not _SPOUSE.match(one.low, to.end()):
            return
    if one.low[match.end() : match.end() + 4] == " to " and word == "single":
        return
    noun = {"retired": "work", "unemployed": "work", "self-employed": "work", "pregnant": "pregnancy"}.get(
        word, "marital status"
    )
    since, precision = one.since()
    of = phrases.shown(one.subject)
    yield one.say(
        f"attribute:{noun}",
        word,
        holds=not one.ended,
        since=None if one.ended else since,
        precision=None if one.ended else precision,
        text=f"{of} is {'not ' if one.ended else ''}{word}",
    )


_UP = re.compile(r"\s+up\b(?:\s+with\s+(?=\S))?")
_APART = re.compile(r"(?=\s*(?:[.,!]|$)|\s+(?:last|in|a|two|this|after|from|my|three|years|yesterday|recently)\b)")


def parts(one: Said) -> Iterator[Statement]:
    """ "we broke up", "I broke up with my girlfriend", "we got divorced"."""
    if one.no or one.never or one.form not in ("", "have", "be"):
        return
    ends = None
    if one.verb in ("broke", "broken", "split", "split up", "separated", "divorced"):
        ends = one.after(_UP if one.verb in ("broke", "broken", "split") else _APART)
        if ends is not None and one.verb in ("broke", "broken", "split") and not one.we and "with" not in ends[0]:
            return
        if (
            one.verb in ("separated", "divorced")
            and not one.we
            and not re.match(r"\s+(?:from\s+)?my\b", one.low[one.rest :])
        ):
            return
    elif one.verb == "got" and one.form in ("", "have"):
        ends = one.after(re.compile(r"\s+(?:a\s+)?divorced?\b"))
    if ends is None or one.form == "be":
        return
    told = one.told()
    until, precision = (told.first, told.precision) if told else (None, None)
    text = f"{phrases.shown(one.subject)} {one.words((one.at, end_of(one)))}"
    value, data = "partner", {"any": True}
    noun = "partner"
    if ends[0].rstrip().endswith("with"):
        mine = phrases.MY_KIN.match(one.low, ends.end(), one.clause.stop)
        named = phrases.name(one.clause, (mine.end() + 1) if mine else ends.end())
        if mine is None and named is None:
            return
        if mine is not None and kin_relation(mine["noun"]) != "partner":
            return
        if mine is not None:
            noun = mine["noun"]
        if named is not None:
            value, data = one.clause.text[named[0] : named[1]], {}
        elif mine is not None:
            value = noun
    yield one.say(f"partner:{noun}", value, holds=False, until=until, precision=precision, text=text, data=data)


def weds(one: Said) -> Iterator[Statement]:
    """ "we got engaged last week", "I got married in 2019"."""
    if one.no or one.never or not (one.verb == "got" and one.form in ("", "have")):
        return
    match = one.after(re.compile(r"\s+(?P<what>married|engaged)\b(?:\s+to\s+(?=\S))?"))
    if match is None:
        return
    told = one.told()
    since, precision = (told.first, told.precision) if told else (None, None)
    if match[0].rstrip().endswith("to") and (named := phrases.name(one.clause, match.end())):
        words = one.clause.text[named[0] : named[1]]
        yield one.say(
            "partner:partner",
            words,
            since=since,
            precision=precision,
            text=f"{phrases.shown(one.subject)} is {match['what']} to {words}",
        )
    yield one.say(
        "attribute:marital status",
        match["what"],
        since=since,
        precision=precision,
        text=f"{phrases.shown(one.subject)} is {match['what']}",
    )


def dates_someone(one: Said) -> Iterator[Statement]:
    """ "I'm dating Tom"."""
    if one.form not in ("be", "have been") or one.no or one.never or one.we:
        return
    match = one.after(re.compile(r"\s+(?=\S)"))
    if match is not None and (named := phrases.name(one.clause, match.end())) and (one.verb == "dating"):
        words = one.clause.text[named[0] : named[1]]
        since, precision = one.since()
        yield one.say(
            "partner:partner",
            words,
            since=since,
            precision=precision,
            text=f"{phrases.shown(one.subject)} is dating {words}",
        )


_WHOSE = re.compile(
    rf"(?:\b(?:my|our) {phrases.ADJECTIVES}(?P<noun>{phrases.KIN})(?:,? (?P<called>[A-ZÀ-Þ][a-zà-ÿ]+))?"
    rf"|\b(?P<name>[A-ZÀ-Þ][a-zà-ÿ]{{2,}}))"
    r"(?P<joint>,? who(?:'s|’s| is| are)? |, (?=(?:an? )?\d{2}\b))",
    re.IGNORECASE,
)
_PEOPLES_AGE = re.compile(r"(?P<a>an? )?(?P<n>\d{1,2})(?P<old>[ -]years?[ -]old\b|(?=[,.)]|$| (?:and|now)\b))")


_SET_OFF = re.compile(r"\bwho\b|, (?:an? )?\d\d\b")


def apposed(sentence: Sentence) -> Iterator[Statement]:
    """ "Alan, a 41-year-old cook", "my mom, Wendy, who's 73 and lives in Leeds": of people named in passing."""
    low, text = sentence.low, sentence.turn.text
    if not _SET_OFF.search(low, sentence.start, sentence.stop):
        return
    for match in _WHOSE.finditer(text, sentence.start, sentence.stop):
        name = match["called"] or match["name"]
        if name and (not name[0].isupper() or name.lower() in phrases.NO_NAMES):
            if match["name"]:
                continue
            name = None
        noun = match["noun"].lower() if match["noun"] else ""
        subject = name or f"{sentence.me}'s {noun}"
        aliases = (f"{sentence.me}'s {noun}",) if name and noun else ()
        clause = Clause(sentence, match.end(), sentence.stop)
        span = (match.start(), sentence.stop)
        age = _PEOPLES_AGE.match(low, match.end(), sentence.stop)
        if age is not None and int(age["n"]) > 0:
            span = (match.start(), age.end())
            yield phrases.stated(clause, "age", age["n"], subject=subject, aliases=aliases, spans=(span,))
            job = Said(
                clause,
                subject,
                False,
                "be",
                False,
                False,
                frozenset(),
                "a",
                age.end(),
                age.end(),
                aliases=aliases,
                spans=(span,),
            )
            if age["a"]:
                yield from is_a(job, age.end())
        joint = match["joint"].lower()
        if "who" not in joint:
            continue
        also = _AND_LIVES.search(low, match.end(), sentence.stop)
        at = _LIVES.match(low, match.end(), sentence.stop) or (also if age is not None else None)
        if at is not None and (place := phrases.place(clause, at.end())) is not None:
            span = (match.start(), place[1])
            yield phrases.stated(
                clause, "lives_in", text[place[0] : place[1]], subject=subject, aliases=aliases, spans=(span,)
            )


_LIVES = re.compile(r"(?:also )?(?:lives|living|based)(?: \d+ \w+ away| over| out| up| down| here)* in (?=\S)")
_AND_LIVES = re.compile(r"(?<= and )" + _LIVES.pattern)
