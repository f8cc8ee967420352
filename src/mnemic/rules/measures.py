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
    r"|stands at|sits at|totals?|at)|(?:is|are|stands at|sits at)(?:\s+(?:at|set at|set to|up "
    r"to))?)"
)
_MEASURED = re.compile(
    rf"\b(?P<det>my|our|the|its)\s+(?P<noun>[a-z][\w'-]*(?:\s+(?!(?:is|are|was|were|has|have|had"
    rf"|that|which|who|and|but|or|because|so|i|we|to|if|when|while|with|now|also|just|got|been|from"
    rf"|by|at|recently|increased|improved|on|about|as|after|until|then|it"
    rf"|the)\b)[a-z0-9][\w'-]*){{0,5}}?(?:\s+(?:for|of|in|on)\s+(?:(?:my|the|our"
    rf"|this)\s+)?[\w'-]+(?:\s+(?!(?:is|are|was|were|has|have|had|to|now|from|i|we|got|increased"
    rf"|improved)\b)[\w'-]+){{0,2}})?)\s+{_ROSE}\s+(?:(?:now|about|around|only|just|exactly"
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
    rf")?{_NUMBER}(?:\s+(?P<noun>[a-z][\w'-]*(?:\s+(?!(?:in|on|of|and|or|at|with|to|from|for|by|so"
    rf"|per|that|which|who|i|now|my|the|since|this|last|so|now)\b)[a-z][\w'-]*){{0,2}}))?"
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
    kept = [word for word in head.split() if word not in _ADJECTIVES and word not in _DIRECTIONS]
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
    if (match := _ICHANGED.match(low, start, stop)) is not None and not any(
        t.start <= match.start("num") < t.end for t in clause.times
    ):
        noun = noun_of(match["noun"])
        number, unit = _quantity(match)
        end = match.end("unit") if match["unit"] else match.end("k") if match["k"] else match.end("num")
        if noun and not re.match(r"\s*(?:am|pm|:)", low[end : end + 4]):
            yield _measured(
                clause,
                noun,
                (match.start("cur") if match["cur"] else match.start("num"), end),
                (start, end),
                number,
                unit,
                start,
            )
        return
    if (
        (match := _HOLDS.match(low, start, stop)) is not None
        and not _NO_COUNT.search(match["noun"])
        and not match["cur"]
    ):
        number, _ = _quantity(match)
        noun = single(noun_of(match["noun"]))
        if noun and number > 1:
            end = match.end("noun")
            yield _measured(clause, noun, (match.start("num"), end), (start, end), number, noun.split()[-1], start)
        return
    taken = -1
    for match in _MEASURED.finditer(low, start, stop):
        if _AIMED.search(low, start, match.start("num")) or match["noun"].split()[0] in _NO_NOUNS:
            continue
        strong = CHANGED.search(match["rose"]) is not None or match["noun"].startswith(("new ", "updated "))
        if (match["det"] in ("the", "its") and not strong) or (match["det"] != "my" and "'s " in match["noun"]):
            continue
        if match["noun"].split()[-1] in (
            "eldest",
            "youngest",
            "oldest",
            "birthday",
            "name",
            "age",
            "appointment",
            "flight",
            "meeting",
            "deadline",
            "exam",
            "address",
            "number",
            "son",
            "daughter",
            "brother",
            "sister",
            "friend",
            "dog",
            "cat",
            "wife",
            "husband",
            "kid",
            "mom",
            "dad",
            "first",
            "code",
            "interview",
        ):
            continue
        if any(t.start <= match.start("num") < t.end for t in clause.times) or re.match(
            r"\s*(?:am|pm|o'clock|:|th\b|st\b|nd\b|rd\b|/)", low[match.end() : match.end() + 8]
        ):
            continue
        noun = noun_of(match["noun"])
        if not noun or not noun[0].isalpha():
            continue
        if (
            match["rose"]
            .rstrip()
            .endswith(
                (
                    "increased",
                    "decreased",
                    "improved",
                    "dropped",
                    "grew",
                    "rose",
                    "fell",
                    "reduced",
                    "jumped",
                    "climbed",
                )
            )
        ):
            continue  # "rose 5 %" says by how much
        number, unit = _quantity(match)
        end = match.end("unit") if match["unit"] else match.end("k") if match["k"] else match.end("num")
        begin = match.start("cur") if match["cur"] else match.start("num")
        taken = end
        yield _measured(clause, noun, (begin, end), (match.start(), end), number, unit, match.start())
    if taken < 0:
        yield from _counts(clause)


_DIGIT = re.compile(r"\d")
_NO_NOUNS = listing(
    "population temperature world market economy inflation gdp stock stocks country industry humidity "
    "problem question answer probability value result sum product equation expression ratio "
    "triangle angle current date following first second third last only best odds chance same "
    "other area sine cosine hypotenuse"
)


def _measured(
    clause: Clause, noun: str, at: tuple[int, int], span: tuple[int, int], number: float, unit: str, begin: int
) -> Statement:
    data: dict[str, Any] = {
        "unit": unit,
        "number": number,
        "change": CHANGED.search(clause.words) is not None,
        "about": about(clause, noun),
    }
    told = next((t for t in clause.times if t.last <= clause.turn.time or t.first <= clause.turn.time), None)
    said = phrases.third(clause, begin, span[1])
    said = re.sub(rf"^({re.escape(phrases.shown(clause.me))}) have ", r"\1 has ", said)
    return stated(
        clause,
        f"measure:{noun}",
        clause.text[at[0] : at[1]],
        text=said,
        data=data,
        spans=(span,),
        since=told.first if told else None,
        precision=told.precision if told else None,
        confidence=0.85,
    )


def _counts(clause: Clause) -> Iterator[Statement]:
    low, start, stop = clause.low, clause.start, clause.stop
    mine = re.compile(r"(?:i|we)\b").match(low, start, stop)
    match = _COUNTED.search(low, start, min(stop, start + 120)) if mine else None
    if match is not None and match.start() - (mine.end() if mine else 0) <= 2:
        verb, lead = match["verb"], match["lead"]
        perfect = re.match(r"\s*(?:have|'ve|has)\s+\w", verb) is not None
        total = "total of" in lead or "now" in lead or " now" in verb
        noun = (match["noun"] or match["unit"] or "").strip(" -")
        if match["noun"] and match["unit"] and match["unit"].strip(" -") not in ("%", "percent"):
            noun = match["unit"].strip(" -") + " " + match["noun"]
        holding = verb.split()[-1] in ("have", "has", "got", "own", "owned", "'ve") and not verb.strip().startswith(
            "had"
        )
        if (
            noun
            and (perfect or total or holding)
            and not _AIMED.search(low, start, match.start("num"))
            and not match["cur"]
            and "of" not in (match["of"] or "").split()[:1]
            and "out" not in (match["of"] or "")
        ) and (
            (
                not _NO_COUNT.search(noun)
                or (noun in ("pages", "words", "steps", "lines", "points") and (perfect or total))
            )
            and (match["unit"] or "").strip() not in ("%", "percent")
            and not _TO_DO.match(low, match.end())
            and not (holding and not total and _NO_HELD.search(noun))
            and "another" not in lead
        ):
            number, _ = _quantity(match)
            doing = "" if holding else verb.split()[-1] + " "
            one = single(noun_of(noun))
            if one and not (number < 2 and not total) and not re.match(r"(?:more|other|different|new|\w+ly)\b", one):
                end = match.end("noun") if match["noun"] else match.end("unit")
                if low.startswith((" and ", " or "), end):
                    return
                head = phrases.third(clause, match.start("num"), end)
                been = "has" if perfect or holding else ""
                said = " ".join(
                    f"{phrases.shown(clause.me)} {been if not holding else 'has'} "
                    f"{doing}{'a total of ' if 'total of' in lead else ''}{head}".split()
                )
                tail = phrases.thing(clause, end, 8)
                if (
                    tail is not None
                    and re.match(r"\s*(?:in|on|across|at)\s", low[end : tail[1]])
                    and not phrases.hazy(clause, end, tail[1])
                    and not phrases.addressed(clause, end, tail[1])
                ):
                    said += " " + phrases.third(clause, end, tail[1]).strip()
                data: dict[str, Any] = {
                    "unit": one.split()[-1],
                    "number": number,
                    "change": CHANGED.search(clause.words) is not None,
                    "about": about(clause, noun),
                }
                yield stated(
                    clause,
                    f"measure:{one}",
                    clause.text[match.start("num") : end],
                    text=said,
                    data=data,
                    spans=((clause.start, end),),
                    confidence=0.8,
                )
                return
    for match in _TOTAL.finditer(low, start, stop):
        noun = (match["what"] or match["noun"] or match["unit"] or "").strip(" -")
        if (
            not noun
            or _AIMED.search(low, start, match.start("num"))
            or (_NO_COUNT.search(noun) and noun not in ("pages", "words"))
        ):
            continue
        number, unit = _quantity(match)
        one = single(noun_of(noun))
        if one and not match["cur"]:
            end = match.end("noun") if match["noun"] else match.end("unit") if match["unit"] else match.end("num")
            value = clause.text[match.start("num") : end]
            data = {"unit": unit or one.split()[-1], "number": number, "change": True, "about": about(clause, noun)}
            yield stated(
                clause,
                f"measure:{one}",
                value,
                text=f"{phrases.shown(clause.me)}: a total of {phrases.third(clause, match.start('num'), end)}",
                data=data,
                spans=((clause.start, end),),
                confidence=0.75,
            )
            return


_NO_HELD = re.compile(
    r"\b(?:problems?|tasks?|assignments?|exams?|tests?|meetings?|calls?|errors?|bugs?|classes|items|jobs?)$"
)
_TO_DO = re.compile(r"\s+(?:to|left|remaining|for you|that need|about|going|coming|due)\b")
