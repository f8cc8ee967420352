"""Quantities and their changes: "my budget increased to $650", "I've now got 52 sources"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause, listing
from mnemic.statements import Statement
from mnemic.text import content_words
from mnemic.text import words as words_of

_NUMBER = (
    r"(?P<cur>[$€£])?(?P<num>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<k>k\b|m\b(?! )"
    r"|\s(?:thousand|million|billion)\b)?(?P<unit>\s?%|\s?percent\b|\s?(?:ms|kg|lbs?|km|mi|gb|mb"
    r"|tb|mph|kmh|bpm|hrs?|mins?|s|m|cm|g|px|hz|ghz|fps|usd|eur|gbp)\b|[- ](?:dollars|euros|pounds"
    r"|seconds?|minutes?|hours?|days?|weeks?|months?|years?|milliseconds?|words|pages|steps|points"
    r"|miles|kilometers|kilometres|calories|users|people|members|followers|subscribers|items"
    r"|problems|questions|lines|degrees|grams|liters|litres|cups|sessions|lessons|chapters|books"
    r"|episodes|customers|employees|tasks|commits|tests|contacts|records|requests|times|articles"
    r"|sources|cards|entries)\b)?(?![\w/:-]|[.,]\d)"
)
_ROSE = (
    r"(?P<rose>(?:(?:has|have|had|was|were|is|are|got|been|just|recently|now|also|already|since"
    r"|slightly|significantly|steadily|finally|being|then)\s+)*(?:increased|decreased|improved"
    r"|grew|grown|rose|risen|went up|gone up|went down|gone down|dropped|fell|fallen|reduced"
    r"|raised|lowered|cut|bumped(?: up)?|adjusted|updated|changed|climbed|jumped|extended|expanded"
    r"|reached|hit|surpassed|shrank|doubled|revised|upped|moved up|moved)"
    r"(?:\s+(?:up|down|back|slightly|significantly|again))?(?:\s+from\s+(?:about\s+"
    r"|around\s+)?\S+(?:\s\S+){0,2}?)?(?:\s+(?:up\s+)?(?:to|at))?|(?:is|are)\s+(?:now"
    r"|currently)(?:\s+(?:at|up to|down to|around|set at|set to))?|(?:now|currently)\s+(?:is"
    r"|stands at|sits at|totals?|at)|(?:is|are|stands at|sits at)(?:\s+(?:at|set at|set to|(?:back )?(?:up|down|back) "
    r"to))?)"
)
_MEASURED = re.compile(
    rf"\b(?P<det>my|our|the|its)\s+(?P<noun>[a-z][\w'-]*(?:\s+(?!(?:is|are|was|were|has|have|had"
    rf"|that|which|who|and|but|or|because|so|i|we|to|if|when|while|with|now|also|just|got|been|from"
    rf"|by|at|recently|increased|improved|on|about|as|after|until|then|it"
    rf"|the)\b)[a-z0-9][\w'-]*){{0,5}}?(?:\s+(?:for|of|in|on)\s+(?:(?:my|the|our"
    rf"|this)\s+)?[\w'-]+(?:\s+(?!(?:is|are|was|were|has|have|had|to|now|from|i|we|got|increased"
    rf"|improved)\b)[\w'-]+){{0,2}})?)(?:,?\s+which)?\s+{_ROSE}\s+(?:(?:now|about|around|only|just|exactly"
    rf"|currently|approximately|roughly|nearly|almost|over|at|a total of|an average of|a new high "
    rf"of|an impressive)\s+)*{_NUMBER}"
)
_ICHANGED = re.compile(
    rf"(?:i|we)(?:'ve| have|)\s+(?:(?:now|just|recently|already|also|since"
    rf"|finally)\s+)*(?P<rose>increased|reduced|extended|raised|cut|lowered|bumped(?: up)?|updated"
    rf"|changed|set|improved|upped|expanded|decreased|adjusted|brought(?: down| up)?"
    rf"|doubled)\s+(?:up\s+|down\s+)?(?:my|our|the)\s+(?P<noun>[a-z][\w'/-]*(?:\s+(?!from\b|to\b"
    rf"|by\b|in\b|and\b|on\b)[a-z][\w'/-]*){{0,4}}?)\s+(?:up\s+"
    rf"|down\s+)?(?:from\s+[^,;.]{{1,24}}?\s+)?to\s+(?:about\s+|around\s+|only\s+"
    rf"|over\s+)?{_NUMBER}"
)
_HOLDS = re.compile(
    rf"(?:my|our)\s+(?P<what>[a-z][\w'-]*(?:\s+[a-z][\w'-]*){{0,3}}?)\s+(?:now\s+)?(?:has|contains"
    rf"|includes|have)\s+(?:now\s+|grown to\s+|a total of\s+|over\s+|about\s+"
    rf"|around\s+)*{_NUMBER}\s+(?P<noun>(?!of\b|in\b|on\b|more\b|or\b"
    rf"|and\b)[a-z][\w'-]*(?:\s+(?!(?:in|on|of|and|or|at|with|to|from|for|by|so|that|which|who|i"
    rf"|now|my|the|tagged|across|including)\b)[a-z][\w'-]*){{0,2}})"
)
_COUNTED = re.compile(
    rf"(?P<verb>(?:have|'ve|has|got|had)?(?:\s+(?:now|just|already|recently|finally|successfully"
    rf"|also|so far))*\s*(?:got|have|has|collected|read|finished|completed|written|watched|visited"
    rf"|saved|earned|reached|gathered|accumulated|listed|added|logged|raised|received|tried|owned"
    rf"|own|made|solved|drafted|submitted|earned|built|learned|recorded|published|lost|gained"
    rf"|attended|run|sold|taken|passed|baked|cooked|created|reviewed|analyzed|analysed|annotated"
    rf"|catalogued|cataloged|compiled|planted|ordered|interviewed|used|met|organized"
    rf"|organised)\s+(?:up to\s+)?)(?P<lead>(?:(?:now|a total of|around|about|over|more than|only"
    rf"|at least|exactly|already|nearly|almost|roughly|approximately|up to|all|just"
    rf"|another)\s+)*){_NUMBER}(?P<of>\s+(?:out of \d+\s+)?(?:of\s+(?:the|my"
    rf"|those)\s+)?)?(?P<noun>(?!of\b|in\b|on\b|and\b|or\b|at\b|with\b|to\b|from\b|for\b|by\b|so\b"
    rf"|per\b|ago\b|left\b|more\b|as\b|the\b|this\b|last\b|since\b|but\b"
    rf"|days\b|now\b|so\b|already\b|in\b|total\b|each\b|every\b|daily\b)[a-z][\w'-]*(?:\s+(?!(?:in"
    rf"|on|of|and|or|at|with|to|from|for|by|so|per|that|which|who"
    rf"|i|now|my|the|since|this|last|ago|over|across|after|including|left|already|during|as|now"
    rf"|while|but|using|within|today|yesterday|before|about|each|under|between|through|without|now|more"
    rf"|because|if|is|are|was|every|than|together|out|up|down|correctly"
    rf"|within)\b)[a-z][\w'-]*){{0,3}})?"
)
_TOTAL = re.compile(
    rf"\b(?:(?:for|to|is|at|reached|reaching|now|making|bringing (?:the |my )?(?:total|count)(?: "
    rf"\w+){{0,2}} to|with|have|has|of)\s+)?(?:a|the|my) (?:grand )?(?:total (?:of|to|is|is now"
    rf"|now)|total number of (?P<what>[a-z]+(?: [a-z]+)?) (?:is|to|is now)) (?:now "
    rf")?{_NUMBER}(?:\s+(?P<noun>(?!(?:and|or|in|on|of|at|with|to|from|for|by|so|now|this|last|per"
    rf"|i|we)\b)[a-z][\w'-]*(?:\s+(?!(?:in|on|of|and|or|at|with|to|from|for|by|so"
    rf"|per|that|which|who|i|now|my|the|since|this|last|so|now)\b)[a-z][\w'-]*){{0,2}}))?"
)
_DOWN_TO = re.compile(
    rf"(?:i|we)(?:'m| am|'re| are)(?: now| currently| already)? (?:back )?(?:down|up|back) to (?:only |just |about "
    rf")?{_NUMBER} "
    r"(?P<noun>(?!of\b|in\b|and\b|or\b)[a-z][\w'-]*(?: (?!(?:in|on|of|and|or|at|with|to|from|for|by|so|now|a|per"
    r"|each|every|again)\b)[a-z][\w'-]*)?)"
)
_MINE_OF = re.compile(
    rf"\b(?:my|our) {_NUMBER}\s+(?P<noun>(?:[a-z][\w'-]* ){{0,2}}?(?:budget|limit|goal|target|rent|salary|allowance"
    rf"|fee|mortgage|loan|deposit|bill"
    r"|membership|subscription|credit limit|savings))\b"
)
_AIMED = re.compile(
    r"\b(?:want|wants|wanted|need|needs|needed|hope|hoping|goal|goals|target|aim|aiming|should"
    r"|would|could|try|trying|whether|expect|expected|expecting|must|might|may|'d|will|'ll|going "
    r"to|gonna|ideally|minimum|maximum|at most|limit|estimate|estimated|let's|plan|planned"
    r"|planning|like to|looking to|consider|considering|how|what|suggest|suggests|recommend"
    r"|recommends|recommended|per the|example|assume|can|cannot|can't|or|worried|afraid|fear"
    r"|projected|predict|likely|probability|equation|formula|angle|triangle|side|sides|radius"
    r"|slope|matrix|vector|variable|function|parameter|port|average rate|odds|dice|die)\b"
)
CHANGED = re.compile(
    r"\b(?:now|increased to|increased|extended|rescheduled|new|updated|improved|total of|total"
    r"|reached|decreased|dropped|reduced|raised|lowered|grew|grown|rose|moved to|moved|changed"
    r"|bumped|adjusted|pushed|postponed|expanded|cut to|up to|currently|revised|went up|gone up"
    r"|went down|gone down|so far|already|brought forward|shifted|delayed|upgraded)\b"
)
_NO_COUNT = re.compile(
    r"\b(?:minutes?|hours?|seconds?|questions?|options?|ideas?|problems? (?:with|about)|issues?"
    r"|choices?|percent|things?|reasons?|thoughts?|dollars|am|pm|lines|years?|months?|weeks?|days?"
    r"|times?|people|percent|x|th|st|nd|rd|of|favorites?|favourites?|parts?|ways?|suggestions?"
    r"|concerns?|cents|bucks|euros|pounds|steps ahead|points?|kids|children|sisters?|brothers?"
    r"|siblings?|dogs?|cats?|sons?|daughters?|year-old|degrees?|grade|level|star|size|version"
    r"|cups?|tablespoons?|teaspoons?|sides?|colors?|numbers?|digits?|variables?|dice|coins?|balls?"
    r"|marbles?|elements?|sets?|columns?|rows?|cases?|or|foot|feet|inch|inches|left)\b"
)
_ADJECTIVES = listing(
    "new total current overall updated original initial own latest previous revised entire whole "
    "final actual average usual normal first second last now exact full remaining estimated "
    "approximate daily weekly monthly so far"
)
_DIRECTIONS = listing("in on at for of to my the our this a an with from")


def noun_of(words: str) -> str:
    """What a quantity or a date is of, so that other words for it tend to say the same: "my new budget" is "budget"."""
    head = re.split(r"\s(?:for|of|in|on|with|at|from|to)\s", words.lower().strip())[0]
    kept = [word for word in head.removesuffix(" again").split() if word not in _ADJECTIVES and word not in _DIRECTIONS]
    return " ".join(kept)


def single(noun: str) -> str:
    """A counted noun as one of them: "zotero sources" as "zotero source"."""
    first, _, last = noun.rpartition(" ")
    if last.endswith("ies") and len(last) > 4:
        last = last[:-3] + "y"
    elif last.endswith(("sses", "shes", "ches", "xes")):
        last = last[:-2]
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")) and len(last) > 3:
        last = last[:-1]
    return f"{first} {last}".strip()


def _quantity(match: re.Match[str]) -> tuple[float, str]:
    """The number and its unit."""
    number = float(match["num"].replace(",", ""))
    scale = (match["k"] or "").strip()
    number *= {"k": 1e3, "m": 1e6, "thousand": 1e3, "million": 1e6, "billion": 1e9}.get(scale, 1)
    unit = (match["unit"] or "").strip(" -")
    if match["cur"]:
        unit = match["cur"]
    return number, {"percent": "%", "dollars": "$", "usd": "$", "euros": "€", "eur": "€"}.get(unit, unit)


def about(clause: Clause, noun: str) -> list[str]:
    return list(dict.fromkeys(content_words(words_of(noun) + words_of(clause.text[clause.start : clause.stop]))))[:16]


def measures(clause: Clause) -> Iterator[Statement]:
    """ "my budget increased to $650", "I've now got 52 sources"."""
    low, start, stop = clause.low, clause.start, clause.stop
    if not _DIGIT.search(low, start, stop):
        return
    if (match := _ICHANGED.match(low, start, stop)) is not None:
        yield from _measured(clause, match, noun_of(match["noun"]), start)
        return
    if (match := _HOLDS.match(low, start, stop)) is not None and not _NO_COUNT.search(match["noun"]):
        if not match["cur"]:
            noun = single(noun_of(match["noun"]))
            yield from _measured(clause, match, noun, start, unit=noun.rpartition(" ")[2], end=match.end("noun"))
        return
    if (match := _DOWN_TO.match(low, start, stop)) is not None and not match["cur"]:
        noun = single(noun_of(match["noun"]))
        if not _NO_COUNT.search(match["noun"]):
            yield from _measured(clause, match, noun, start, unit=noun.rpartition(" ")[2], end=match.end("noun"))
        return
    found = False
    for match in _MEASURED.finditer(low, start, stop):
        if _is_measure(clause, match):
            for one in _measured(clause, match, noun_of(match["noun"]), match.start()):
                found = True
                yield one
    for one in supposed(clause):
        found = True
        yield one
    if not found:
        yield from _counted(clause)


def supposed(clause: Clause) -> Iterator[Statement]:
    """ "… with my increased budget of $650": what a question takes for granted, too."""
    for match in _MINE_OF.finditer(clause.low, clause.start, clause.stop):
        if not _AIMED.search(clause.low, match.start(), match.end()):
            yield from _measured(clause, match, noun_of(match["noun"]), match.start(), end=match.end("noun"))
    for match in _GRANTED.finditer(clause.low, clause.start, clause.stop):
        if match["noun"].split()[0] not in _NO_NOUNS:
            yield from _measured(clause, match, noun_of(match["noun"]), match.start())


_DIGIT = re.compile(r"\d")
_GRANTED = re.compile(
    rf"\b(?:my|our|the)\s+(?:new|newly|increased|updated|revised|reduced|extended|current|raised"
    rf"|lowered|improved|expanded|adjusted)\s+"
    rf"(?P<noun>(?:[a-z][\w'-]*\s+){{0,3}}?(?:budget|limit|goal|target|rate|salary|rent|total|price"
    rf"|cost|score|allowance|quota|income|weight|fee|accuracy"
    rf"|average|allocation|count|size|capacity|deadline rate|balance|debt|savings))\s+(?:of"
    rf"|at)\s+(?:about\s+|around\s+)?{_NUMBER}"
)
_NO_NOUNS = listing(
    "problem question answer probability value result sum product equation expression ratio triangle angle current date"
    " following first second third last only best odds chance same other area sine cosine hypotenuse"
    " population temperature world market economy inflation gdp stock stocks country industry humidity"
)
_NO_HEADS = listing(
    "eldest youngest oldest birthday name age appointment flight meeting deadline exam address "
    "number son daughter brother"
    " sister friend dog cat wife husband kid mom dad first code interview"
)
_BY_HOW_MUCH = ("increased", "decreased", "improved", "dropped", "grew", "rose", "fell", "reduced", "jumped", "climbed")


def _is_measure(clause: Clause, match: re.Match[str]) -> bool:
    """Whether "my X is 5" tells a quantity: no aim, no date, nobody else's."""
    low, words = clause.low, match["noun"].split()
    begin = clause.start
    if " which " in match[0]:
        begin = match.start()
        if _PREPOSED.search(low, clause.start, match.start()):
            return False  # "commits into the main branch, which …": of which of the two?
    if _AIMED.search(low, begin, match.start("num")) or words[0] in _NO_NOUNS or words[-1] in _NO_HEADS:
        return False
    if "deadline" in words or _DONE.match(low, match.end("num")):
        return False
    strong = CHANGED.search(match["rose"]) is not None or words[0] in ("new", "updated")
    if match["det"] != "my" and ("'s " in match["noun"] or (match["det"] != "our" and not strong)):
        return False
    return not match["rose"].rstrip().endswith(_BY_HOW_MUCH)  # "rose 5 %" says by how much


_DONE = re.compile(r"\s*(?:%|percent) (?:complete|done|finished|of the way|there|ready|toward)\b")
_PREPOSED = re.compile(r"\b(?:in|into|of|on|with|for|to|from|at|by|about)\s+$")
_CLOCK = re.compile(r"\s*(?:am|pm|o'clock|:|th\b|st\b|nd\b|rd\b|/)")


def _measured(
    clause: Clause, match: re.Match[str], noun: str, begin: int, *, unit: str | None = None, end: int | None = None
) -> Iterator[Statement]:
    """A quantity as a statement, from `begin` to the end of its number and unit."""
    stop = end or (match.end("unit") if match["unit"] else match.end("k") if match["k"] else match.end("num"))
    first = match.start("cur") if match["cur"] else match.start("num")
    if not noun or not noun[0].isalpha() or _CLOCK.match(clause.low, stop):
        return
    if any(told.start <= first < told.end for told in clause.times):
        return
    number, told_unit = _quantity(match)
    told = next((t for t in clause.times if t.first <= clause.turn.time and t.start >= stop), None)
    said = phrases.third(clause, begin, stop)
    said = re.sub(rf"^({re.escape(phrases.shown(clause.me))}) have ", r"\1 has ", said)
    yield stated(
        clause,
        f"measure:{noun}",
        clause.text[first:stop],
        text=said,
        data=_data(clause, noun, number, told_unit if unit is None else unit),
        spans=((begin, stop),),
        since=told.first if told else None,
        precision=told.precision if told else None,
        confidence=0.85,
    )


def _data(clause: Clause, noun: str, number: float, unit: str, *, change: bool = False) -> dict[str, Any]:
    changed = change or CHANGED.search(clause.words) is not None
    return {"unit": unit, "number": number, "change": changed, "about": about(clause, noun)}


_MINE = re.compile(r"(?:i|we)\b")
_PERFECT = re.compile(r"\s*(?:have|'ve|has)\s+\w")
_HOLDING = listing("have has got own owned 've")
_LONG_COUNTS = listing("pages words steps lines points")
_VAGUE_COUNT = re.compile(r"(?:more|other|different|new|\w+ly)\b")
_WHERE = re.compile(r"\s*(?:in|on|across|at)\s")


def _counted(clause: Clause) -> Iterator[Statement]:
    """ "I've read 12 books", "I have 500 followers on Mastodon", "a total of 10 cards"."""
    low, start, stop = clause.low, clause.start, clause.stop
    mine = _MINE.match(low, start, stop)
    match = _COUNTED.search(low, start, min(stop, start + 120)) if mine else None
    if mine is not None and match is not None and match.start() - mine.end() <= 2 and (noun := _count_noun(match)):
        one = single(noun_of(noun))
        total = "total of" in match["lead"]
        end = match.end("noun") if match["noun"] else match.end("unit")
        number, _ = _quantity(match)
        if one and _counts(clause, match, noun, end) and (number >= 2 or total) and not _VAGUE_COUNT.match(one):
            verb = match["verb"].split()[-1]
            doing = [] if verb in _HOLDING else [verb]
            perfect = _PERFECT.match(match["verb"]) is not None or not doing
            words = [phrases.shown(clause.me), *["has"] * perfect, *doing, *["a total of"] * total]
            words.append(phrases.third(clause, match.start("num"), end))
            where = phrases.thing(clause, end, 8)
            if where is not None and _WHERE.match(low, end) and not phrases.vague(clause, end, where[1]):
                words.append(phrases.third(clause, end, where[1]).strip())
            yield stated(
                clause,
                f"measure:{one}",
                clause.text[match.start("num") : end],
                text=" ".join(words),
                data=_data(clause, noun, number, one.rpartition(" ")[2]),
                spans=((start, end),),
                confidence=0.8,
            )
            return
    for match in _TOTAL.finditer(low, start, stop):
        noun = (match["what"] or match["noun"] or match["unit"] or "").strip(" -")
        one = single(noun_of(noun)) if noun else ""
        if not one or match["cur"] or _AIMED.search(low, start, match.start("num")):
            continue
        if _NO_COUNT.search(noun) and noun not in _LONG_COUNTS:
            continue
        number, unit = _quantity(match)
        end = match.end("noun") if match["noun"] else match.end("unit") if match["unit"] else match.end("num")
        yield stated(
            clause,
            f"measure:{one}",
            clause.text[match.start("num") : end],
            text=f"{phrases.shown(clause.me)}: a total of {phrases.third(clause, match.start('num'), end)}",
            data=_data(clause, noun, number, unit or one.rpartition(" ")[2], change=True),
            spans=((start, end),),
            confidence=0.75,
        )
        return


def _count_noun(match: re.Match[str]) -> str:
    """What is counted."""
    unit = (match["unit"] or "").strip(" -")
    if unit in ("%", "percent") or match["cur"]:
        return ""
    return " ".join(word for word in (unit, match["noun"] or "") if word)


def _counts(clause: Clause, match: re.Match[str], noun: str, end: int) -> bool:
    """Whether "I have 5 X" tells how many there are now: no aim, no part of more, no passing matter."""
    low, verb, lead = clause.low, match["verb"], match["lead"]
    if _AIMED.search(low, clause.start, match.start("num")) or (match["of"] or "").strip() or "another" in lead:
        return False
    if _TO_DO.match(low, match.end()) or low.startswith((" and ", " or "), end):
        return False
    total = "total of" in lead or "now" in lead or " now" in verb
    holding = verb.split()[-1] in _HOLDING and not verb.strip().startswith("had")
    done = _PERFECT.match(verb) is not None or total
    if _NO_COUNT.search(noun) and not (noun in _LONG_COUNTS and done):
        return False
    return (done or holding) and not (holding and not total and _NO_HELD.search(noun))


_NO_HELD = re.compile(
    r"\b(?:problems?|tasks?|assignments?|exams?|tests?|meetings?|calls?|errors?|bugs?|classes|items|jobs?)$"
)
_TO_DO = re.compile(r"\s+(?:to|left|remaining|for you|that need|about|going|coming|due)\b")
