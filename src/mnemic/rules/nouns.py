"""What is said by nouns: "my sister Clara", "my budget is $650", "the deadline is 5 April"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause, Sentence, ahead
from mnemic.rules.verbs import Said, kin, kin_relation
from mnemic.statements import Statement
from mnemic.text import content_words
from mnemic.text import words as words_of

# -- names of family, friends and pets

_NAMED = re.compile(r"(?:'s name is|'s called|,? (?:is |was )?(?:named|called)|,? whose name is|'s name's)\s+(?=\S)")
_NAME_AFTER = re.compile(r"(?P<comma>,)?\s+(?=\S)")


def kin_names(sentence: Sentence) -> Iterator[tuple[Statement, int]]:
    """The names that a sentence gives to the speaker's people and pets, each with where the name ends."""
    low, text = sentence.low, sentence.turn.text
    clause = Clause(sentence, sentence.start, sentence.stop)
    for mine in phrases.MY_KIN.finditer(low, sentence.start, sentence.stop):
        end, noun = mine.end(), mine["noun"]
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
        if sentence.peers and text[at[0] : at[1]].lower().split()[0] in {p.split()[0] for p in sentence.peers} and ", " in low[end : at[0] + 1]:
            continue
        if text[at[1] : at[1] + 1] in ("'", "’") and given is None and low[at[1] : at[1] + 2] not in ("'s",):
            continue
        yield kin(clause, noun, at, spans=((mine.start(), at[1]),)), at[1]
    for given in _IS_MY.finditer(low, sentence.start, sentence.stop):
        at = _only_name(text, given.span("name"))
        name = text[at[0] : at[1]]
        if name[:1].isupper() and phrases.NAME.fullmatch(name) and name.lower().split()[0] not in phrases.NO_NAMES:
            if given.start() == sentence.start or low[given.start() - 2 : given.start()] in (", ", "d ", "t ") :
                yield kin(clause, given["noun"], at, spans=(given.span(),)), at[1]


_IS_MY = re.compile(rf"\b(?P<name>[\w-]+(?: [\w-]+)?) is my {phrases._ADJ}(?P<noun>{phrases.KIN})\b(?!'s|-| (?:name|of choice))")  # pyright: ignore[reportPrivateUsage]


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
    return not sentence.peers and (end >= sentence.stop or after[:1] in (".", "!", ")") or sentence.low[end : end + 3] in (" - ", " — ")) and after[:1] != "?"


# -- "my X is Y"

_ATTRIBUTES = (
    r"(?:(?:home |work |mobile |cell |office |new |current |emergency )?(?:phone|telephone|mobile|cell)(?: number)?|(?:work |personal |home )?e-?mail(?: address)?|(?:home |work |mailing |shipping |postal |new )?address|zip ?code|postcode|post code"
    r"|blood type|blood group|shoe size|ring size|height|hometown|home town|nationality|native language|mother tongue|first language|religion|zodiac sign|star sign|time ?zone|username|user name|handle|pronouns|middle name|last name|surname|maiden name|nickname"
    r"|major|minor|job title|occupation|profession|locker code|door code|pin(?: code)?|license plate|wi-?fi (?:name|password)|student id|employee id|account number|passport number|order number|flight number|seat number|room number|car|eye colou?r|hair colou?r|dress size|shirt size)"
)
_MY_ATTRIBUTE = re.compile(rf"my (?:new |current )?(?P<noun>{_ATTRIBUTES})\s+(?:is|are|has changed to|changed to|is now|'s)\s+(?:now |currently |still |also |actually )*(?P<no>not )?(?=\S)")
_FAVOURITE = re.compile(
    r"my (?:all[- ]time |absolute |new |current |personal |own |other )*favou?rite (?P<noun>[a-z][\w'-]*(?:\s+(?!is\b|are\b|has\b|was\b|to\b|of\b|i\b)[a-z][\w'-]*){0,4}?)(?: (?:to \w+|of all time|ever|in the world))?\s+(?P<be>is|are|has always been|has to be|would have to be|is definitely|is probably|'s|was|were)\s+(?:still |now |definitely |actually |currently |always |also |by far )*(?P<no>not |no longer )?(?=\S)"
)
_IS_FAVOURITE = re.compile(r"(?:is|are|'s|remains)\s+(?:still |now |definitely |by far |actually |always |also )*my (?:all[- ]time |absolute |new |current |personal |other )*favou?rite(?P<noun> [a-z][\w'-]*(?: [a-z][\w'-]*)?)?(?=\s*(?:[.,!;)]|$)| (?:because|since|so|and|of all time|ever|by far)\b)")
_NO_VALUE = re.compile(r"(?:it|that|this|them|those|these|when|how|what|the one|the part|being|you|your|definitely|probably|not|so|very|really|too|getting|going|always|also|one of|pretty|quite|hard|coming|to|about|like|something|in|on|at|up|down|just|amazing|great|awesome|broken|old|fine|good|ready|full|empty|here|there|gone|done|by|from|with|changing|different|wrong|running|dead|low|high|important|next|missing|lost|over|under|out|off|an?|the same|still|more|less|much|all|both|either|wherever|whatever|any|his|her|their|our|where|why|who|i)\b")


def attributes(clause: Clause) -> Iterator[Statement]:
    """ "my phone number is …", "my favourite colour is green"."""
    low, start, stop = clause.low, clause.start, clause.stop
    if not low.startswith("my ", start):
        yield from _is_favourite(clause)
        return
    me = phrases.shown(clause.me)
    if (match := _MY_ATTRIBUTE.match(low, start, stop)) is not None:
        found = _value_of(clause, match.end(), 8)
        if found is not None and (not _NO_VALUE.match(low, *found) or (match["noun"] == "car" and re.match(r"an? [A-Z]", clause.text[found[0] : found[1]]))):
            value = clause.text[found[0] : found[1]]
            noun = match["noun"]
            if noun == "height" and not any(c.isdigit() for c in value):
                return
            be = "are" if noun.endswith("pronouns") else "is"
            yield stated(clause, f"attribute:{noun}", value, holds=not match["no"], text=f"{me}'s {noun} {be} {'not ' if match['no'] else ''}{value}")
            if (other := _NOT.match(low, found[1], stop)) and (old := _value_of(clause, other.end(), 8)):
                yield stated(clause, f"attribute:{noun}", clause.text[old[0] : old[1]], holds=False, confidence=0.8)
        return
    if (match := _FAVOURITE.match(low, start, stop)) is not None and match["be"] not in ("was", "were", "would have to be", "is probably"):
        noun = match["noun"]
        if noun in ("is", "are", "part", "parts", "thing", "things", "one", "ones", "way", "moment", "memory", "aspect", "so far", "line", "quote", "memories", "moments", "of") or noun.startswith(("part ", "thing ", "one ", "of ", "memory", "so far", "moment")):
            return
        found = phrases.thing(clause, match.end(), 8)
        if found is None or (_NO_VALUE.match(low, *found) and not re.match(r"(?:an?|our|my) ", low[found[0] : found[1]])) or phrases.hazy(clause, *found) or phrases.addressed(clause, *found):
            return
        if noun.endswith("s") and match["be"] == "are":
            spans = phrases.series(clause, match.end())
        else:
            spans = [found]
        if len(spans) > 1:
            found = spans[0][0], spans[-1][1]
        of = f"{me}'s favourite {noun}" if "favourite" in low[start : match.end()] else f"{me}'s favorite {noun}"
        be = "are" if match["be"] == "are" else "is"
        yield stated(clause, f"favourite:{noun}", phrases.third(clause, *found), holds=not match["no"], text=f"{of} {be} {'not ' if match['no'] else ''}{phrases.third(clause, *found)}")
        return
    if low.startswith("my birthday", start):
        yield from _birthday(clause)
    if (match := re.compile(r"my (?:real |full |first )?name(?:'s| is) (?=\S)").match(low, start, stop)) is not None:
        at = phrases.name(clause, match.end())
        if at is None and not any(c.isupper() for c in clause.text[start:stop]) and (plain := re.compile(r"[a-z]{2,15}(?=\s*(?:[.,!]|$|and\b))").match(low, match.end(), stop)):
            at = plain.span()
        if at is not None:
            name = clause.text[at[0] : at[1]]
            yield stated(clause, "name", name, aliases=(name,))


_NOT = re.compile(r",? (?:and )?not (?=\S)")


def _value_of(clause: Clause, at: int, most: int) -> tuple[int, int] | None:
    """A value that may hold an @, a dot or a comma: an address, a number."""
    found = re.compile(r"[^\n;!?()]+?(?=,? (?:and|but|so|which|because|now|if|not|instead|please|just|at the moment|currently|though|as of|since|until)\b|[,.](?:\s|$)|[;!?()\n]|\s[-–—]\s|$)").match(clause.low, at, clause.stop)
    if found is None:
        return None
    end = found.end()
    while clause.low[end : end + 2] == ", " and re.match(r", (?:\d|(?:apt|unit|suite|flat)\b)|, [A-Z][\w]+(?=\s*(?:,|\.|$))", clause.text[end : clause.stop]):
        more = re.compile(r", [^,.;!?\n]+").match(clause.low, end, clause.stop)
        if more is None:
            break
        end = more.end()
    words = clause.low[at:end].strip()
    if not words or words.count(" ") > most:
        return None
    return at, at + len(clause.low[at:end].rstrip(" .,"))


def _is_favourite(clause: Clause) -> Iterator[Statement]:
    """ "Dune is my favourite book"."""
    match = _IS_FAVOURITE.search(clause.low, clause.start, clause.stop)
    if match is None or not match["noun"]:
        return
    words = clause.text[clause.start : match.start()].rstrip()
    low = words.lower()
    if not words or words.count(" ") > 5 or _NO_VALUE.match(low) or re.search(r"\b(?:he|she|it|they|that|this|these|those|you|your|which|who|what|one|my|i|if|and|or|the)\b", low) or not words[0].isalnum():
        return
    noun = match["noun"].strip()
    if noun in ("part", "thing", "one", "so far", "way", "of all", "too", "right now", "of all time", "ever", "time", "to", "moment") or noun.startswith(("part", "thing", "so ")):
        return
    spelled = "favourite" if "favourite" in clause.words else "favorite"
    yield stated(clause, f"favourite:{noun}", words, text=f"{phrases.shown(clause.me)}'s {spelled} {noun} is {words}")


def _birthday(clause: Clause) -> Iterator[Statement]:
    match = re.compile(r"my birthday(?:'s| is| falls)(?: on| actually on| actually| coming up on| in)? ?").match(clause.low, clause.start, clause.stop)
    told = clause.times[0] if clause.times else None
    if match is None or told is None or abs(told.start - match.end()) > 4:
        return
    words = clause.low[told.start : told.end]
    if re.search(r"\d", words) and told.precision == "day" and not re.search(r"days|weeks|months", words):
        value = re.sub(r"^(?:on|the)\s+", "", clause.text[told.start : told.end], flags=re.I)
        value = re.sub(r"^the\s+", "", value)
        yield stated(clause, "born_on", value, precision="day", text=f"{phrases.shown(clause.me)}'s birthday is {'on ' if 'on ' in clause.low[match.start() : told.start + 3] else ''}{value}")
    elif told.precision == "day" and told.last > clause.turn.time:
        yield stated(clause, "due:birthday", told.phrase, since=told.first, until=told.last, precision="day", text=f"{phrases.shown(clause.me)}'s birthday is {phrases.resolved(clause, told)}", data={"about": ["birthday"]})


# -- quantities

_NUMBER = r"(?P<cur>[$€£])?(?P<num>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<k>k\b|m\b(?! )|\s(?:thousand|million|billion)\b)?(?P<unit>\s?%|\s?percent\b|\s?(?:ms|kg|lbs?|km|mi|gb|mb|tb|mph|kmh|bpm|hrs?|mins?|s|m|cm|g|px|hz|ghz|fps|usd|eur|gbp)\b|[- ](?:dollars|euros|pounds|seconds?|minutes?|hours?|days?|weeks?|months?|years?|milliseconds?|words|pages|steps|points|miles|kilometers|kilometres|calories|users|people|members|followers|subscribers|items|problems|questions|lines|degrees|grams|liters|litres|cups|sessions|lessons|chapters|books|episodes|customers|employees|tasks|commits|tests|contacts|records|requests|times|articles|sources|cards|entries)\b)?(?![\w/:-]|[.,]\d)"
_ROSE = (
    r"(?P<rose>(?:(?:has|have|had|was|were|is|are|got|been|just|recently|now|also|already|since|slightly|significantly|steadily|finally|being|then)\s+)*(?:increased|decreased|improved|grew|grown|rose|risen|went up|gone up|went down|gone down|dropped|fell|fallen|reduced|raised|lowered|cut|bumped(?: up)?|adjusted|updated|changed|climbed|jumped|extended|expanded|reached|hit|surpassed|shrank|doubled|revised|upped|moved up|moved)"
    r"(?:\s+(?:up|down|back|slightly|significantly|again))?(?:\s+from\s+(?:about\s+|around\s+)?\S+(?:\s\S+){0,2}?)?(?:\s+(?:up\s+)?(?:to|at))?|(?:is|are)\s+(?:now|currently)(?:\s+(?:at|up to|down to|around|set at|set to))?|(?:now|currently)\s+(?:is|stands at|sits at|totals?|at)|(?:is|are|stands at|sits at)(?:\s+(?:at|set at|set to|up to))?)"
)
_MEASURED = re.compile(
    rf"\b(?P<det>my|our|the|its)\s+(?P<noun>[a-z][\w'-]*(?:\s+(?!(?:is|are|was|were|has|have|had|that|which|who|and|but|or|because|so|i|we|to|if|when|while|with|now|also|just|got|been|from|by|at|recently|increased|improved|on|about|as|after|until|then|it|the)\b)[a-z0-9][\w'-]*){{0,5}}?(?:\s+(?:for|of|in|on)\s+(?:(?:my|the|our|this)\s+)?[\w'-]+(?:\s+(?!(?:is|are|was|were|has|have|had|to|now|from|i|we|got|increased|improved)\b)[\w'-]+){{0,2}})?)\s+{_ROSE}\s+(?:(?:now|about|around|only|just|exactly|currently|approximately|roughly|nearly|almost|over|at|a total of|an average of|a new high of|an impressive)\s+)*{_NUMBER}"
)
_I_CHANGED = re.compile(
    rf"(?:i|we)(?:'ve| have|)\s+(?:(?:now|just|recently|already|also|since|finally)\s+)*(?P<rose>increased|reduced|extended|raised|cut|lowered|bumped(?: up)?|updated|changed|set|improved|upped|expanded|decreased|adjusted|brought(?: down| up)?|doubled)\s+(?:up\s+|down\s+)?(?:my|our|the)\s+(?P<noun>[a-z][\w'/-]*(?:\s+(?!from\b|to\b|by\b|in\b|and\b|on\b)[a-z][\w'/-]*){{0,4}}?)\s+(?:up\s+|down\s+)?(?:from\s+[^,;.]{{1,24}}?\s+)?to\s+(?:about\s+|around\s+|only\s+|over\s+)?{_NUMBER}"
)
_HOLDS = re.compile(
    rf"(?:my|our)\s+(?P<what>[a-z][\w'-]*(?:\s+[a-z][\w'-]*){{0,3}}?)\s+(?:now\s+)?(?:has|contains|includes|have)\s+(?:now\s+|grown to\s+|a total of\s+|over\s+|about\s+|around\s+)*{_NUMBER}\s+(?P<noun>(?!of\b|in\b|on\b|more\b|or\b|and\b)[a-z][\w'-]*(?:\s+(?!(?:in|on|of|and|or|at|with|to|from|for|by|so|that|which|who|i|now|my|the|tagged|across|including)\b)[a-z][\w'-]*){{0,2}})"
)
_COUNTED = re.compile(
    rf"(?P<verb>(?:have|'ve|has|got|had)?(?:\s+(?:now|just|already|recently|finally|successfully|also|so far))*\s*(?:got|have|has|collected|read|finished|completed|written|watched|visited|saved|earned|reached|gathered|accumulated|listed|added|logged|raised|received|tried|owned|own|made|solved|drafted|submitted|earned|built|learned|recorded|published|lost|gained|attended|run|sold|taken|passed|baked|cooked|created|reviewed|analyzed|analysed|annotated|catalogued|cataloged|compiled|planted|ordered|interviewed|used|met|organized|organised)\s+(?:up to\s+)?)(?P<lead>(?:(?:now|a total of|around|about|over|more than|only|at least|exactly|already|nearly|almost|roughly|approximately|up to|all|just|another)\s+)*){_NUMBER}(?P<of>\s+(?:out of \d+\s+)?(?:of\s+(?:the|my|those)\s+)?)?(?P<noun>(?!of\b|in\b|on\b|and\b|or\b|at\b|with\b|to\b|from\b|for\b|by\b|so\b|per\b|ago\b|left\b|more\b|as\b|the\b|this\b|last\b|since\b|but\b|days\b)[a-z][\w'-]*(?:\s+(?!(?:in|on|of|and|or|at|with|to|from|for|by|so|per|that|which|who|i|now|my|the|since|this|last|ago|over|across|after|including|left|already|during|as|now|while|but|using|within|today|yesterday|before|about|each|under|between|through|without|more|because|if|is|are|was|every|than|together|out|up|down|correctly|within)\b)[a-z][\w'-]*){{0,3}})?"
)
_TOTAL = re.compile(
    rf"\b(?:(?:for|to|is|at|reached|reaching|now|making|bringing (?:the |my )?(?:total|count)(?: \w+){{0,2}} to|with|have|has|of)\s+)?(?:a|the|my) (?:grand )?(?:total (?:of|to|is|is now|now)|total number of (?P<what>[a-z]+(?: [a-z]+)?) (?:is|to|is now)) (?:now )?{_NUMBER}(?:\s+(?P<noun>[a-z][\w'-]*(?:\s+(?!(?:in|on|of|and|or|at|with|to|from|for|by|so|per|that|which|who|i|now|my|the|since|this|last|so)\b)[a-z][\w'-]*){{0,2}}))?"
)
_AIMED = re.compile(r"\b(?:want|wants|wanted|need|needs|needed|hope|hoping|goal|goals|target|aim|aiming|should|would|could|try|trying|whether|expect|expected|expecting|must|might|may|'d|will|'ll|going to|gonna|ideally|minimum|maximum|at most|limit|estimate|estimated|let's|plan|planned|planning|like to|looking to|consider|considering|how|what|suggest|suggests|recommend|recommends|recommended|per the|example|assume|can|cannot|can't|or|worried|afraid|fear|projected|predict|likely|probability|equation|formula|angle|triangle|side|sides|radius|slope|matrix|vector|variable|function|parameter|port|average rate|odds|dice|die)\b")
_CHANGED = re.compile(
    r"\b(?:now|increased to|increased|extended|rescheduled|new|updated|improved|total of|total|reached|decreased|dropped|reduced|raised|lowered|grew|grown|rose|moved to|moved|changed|bumped|adjusted|pushed|postponed|expanded|cut to|up to|currently|revised|went up|gone up|went down|gone down|so far|already|brought forward|shifted|delayed|upgraded)\b"
)
_NO_COUNT = re.compile(r"\b(?:minutes?|hours?|seconds?|questions?|options?|ideas?|problems? (?:with|about)|issues?|choices?|percent|things?|reasons?|thoughts?|dollars|am|pm|lines|years?|months?|weeks?|days?|times?|people|percent|x|th|st|nd|rd|of|favorites?|favourites?|parts?|ways?|suggestions?|concerns?|cents|bucks|euros|pounds|steps ahead|points?|kids|children|sisters?|brothers?|siblings?|dogs?|cats?|sons?|daughters?|year-old|degrees?|grade|level|star|size|version|cups?|tablespoons?|teaspoons?|sides?|colors?|numbers?|digits?|variables?|dice|coins?|balls?|marbles?|elements?|sets?|columns?|rows?|cases?|or|foot|feet|inch|inches|left)\b")
_ADJECTIVES = frozenset("new total current overall updated original initial own latest previous revised entire whole final actual average usual normal first second last now exact full remaining estimated approximate daily weekly monthly so far".split())
_DIRECTIONS = frozenset("in on at for of to my the our this a an with from".split())


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


def _about(clause: Clause, noun: str) -> list[str]:
    return list(dict.fromkeys(content_words(words_of(noun) + words_of(clause.text[clause.start : clause.stop]))))[:16]


def measures(clause: Clause) -> Iterator[Statement]:
    """ "my budget increased to $650", "I've now got 52 sources"."""
    low, start, stop = clause.low, clause.start, clause.stop
    if not _DIGIT.search(low, start, stop):
        return
    if (match := _I_CHANGED.match(low, start, stop)) is not None and not any(t.start <= match.start("num") < t.end for t in clause.times):
        noun = noun_of(match["noun"])
        number, unit = _quantity(match)
        end = match.end("unit") if match["unit"] else match.end("k") if match["k"] else match.end("num")
        if noun and not re.match(r"\s*(?:am|pm|:)", low[end : end + 4]):
            yield _measured(clause, noun, (match.start("cur") if match["cur"] else match.start("num"), end), (start, end), number, unit, start)
        return
    if (match := _HOLDS.match(low, start, stop)) is not None and not _NO_COUNT.search(match["noun"]) and not match["cur"]:
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
        strong = _CHANGED.search(match["rose"]) is not None or match["noun"].startswith(("new ", "updated "))
        if match["det"] in ("the", "its") and not strong:
            continue
        if match["noun"].split()[-1] in ("eldest", "youngest", "oldest", "birthday", "name", "age", "appointment", "flight", "meeting", "deadline", "exam", "address", "number", "son", "daughter", "brother", "sister", "friend", "dog", "cat", "wife", "husband", "kid", "mom", "dad", "first", "code", "interview"):
            continue
        if any(t.start <= match.start("num") < t.end for t in clause.times) or re.match(r"\s*(?:am|pm|o'clock|:|th\b|st\b|nd\b|rd\b|/)", low[match.end() : match.end() + 8]):
            continue
        noun = noun_of(match["noun"])
        if not noun or not noun[0].isalpha():
            continue
        if match["rose"].rstrip().endswith(("increased", "decreased", "improved", "dropped", "grew", "rose", "fell", "reduced", "jumped", "climbed")):
            continue  # "rose 5 %" says by how much
        number, unit = _quantity(match)
        end = match.end("unit") if match["unit"] else match.end("k") if match["k"] else match.end("num")
        begin = match.start("cur") if match["cur"] else match.start("num")
        taken = end
        yield _measured(clause, noun, (begin, end), (match.start(), end), number, unit, match.start())
    if taken < 0:
        yield from _counts(clause)


_DIGIT = re.compile(r"\d")
_NO_NOUNS = frozenset("problem question answer probability value result sum product equation expression ratio triangle angle current date following first second third last only best odds chance same other area sine cosine hypotenuse".split())


def _measured(clause: Clause, noun: str, at: tuple[int, int], span: tuple[int, int], number: float, unit: str, begin: int) -> Statement:
    data: dict[str, Any] = {"unit": unit, "number": number, "change": _CHANGED.search(clause.words) is not None, "about": _about(clause, noun)}
    told = next((t for t in clause.times if t.last <= clause.turn.time or t.first <= clause.turn.time), None)
    said = phrases.third(clause, begin, span[1])
    said = re.sub(rf"^({re.escape(phrases.shown(clause.me))}) have ", r"\1 has ", said)
    return stated(
        clause, f"measure:{noun}", clause.text[at[0] : at[1]], text=said, data=data, spans=(span,),
        since=told.first if told else None, precision=told.precision if told else None, confidence=0.85,
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
        holding = verb.split()[-1] in ("have", "has", "got", "own", "owned", "'ve") and not verb.strip().startswith("had")
        if noun and (perfect or total or holding) and not _AIMED.search(low, start, match.start("num")) and not match["cur"] and "of" not in (match["of"] or "").split()[:1] and "out" not in (match["of"] or ""):
            if (not _NO_COUNT.search(noun) or (noun in ("pages", "words", "steps", "lines", "points") and (perfect or total))) and (match["unit"] or "").strip() not in ("%", "percent") and not _TO_DO.match(low, match.end()) and "another" not in lead:
                number, _ = _quantity(match)
                doing = "" if holding else verb.split()[-1] + " "
                one = single(noun_of(noun))
                if one and not (number < 2 and not total) and not re.match(r"(?:more|other|different|new|\w+ly)\b", one):
                    end = match.end("noun") if match["noun"] else match.end("unit")
                    if low.startswith((" and ", " or "), end):
                        return
                    head = phrases.third(clause, match.start("num"), end)
                    been = "has" if perfect or holding else ""
                    said = " ".join(f"{phrases.shown(clause.me)} {been if not holding else 'has'} {doing}{'a total of ' if 'total of' in lead else ''}{head}".split())
                    tail = phrases.thing(clause, end, 8)
                    if tail is not None and re.match(r"\s*(?:in|on|across|at)\s", low[end : tail[1]]) and not phrases.hazy(clause, end, tail[1]) and not phrases.addressed(clause, end, tail[1]):
                        said += " " + phrases.third(clause, end, tail[1]).strip()
                    data: dict[str, Any] = {"unit": one.split()[-1], "number": number, "change": _CHANGED.search(clause.words) is not None, "about": _about(clause, noun)}
                    yield stated(clause, f"measure:{one}", clause.text[match.start("num") : end], text=said, data=data, spans=((clause.start, end),), confidence=0.8)
                    return
    for match in _TOTAL.finditer(low, start, stop):
        noun = (match["what"] or match["noun"] or match["unit"] or "").strip(" -")
        if not noun or _AIMED.search(low, start, match.start("num")) or (_NO_COUNT.search(noun) and noun not in ("pages", "words")):
            continue
        number, unit = _quantity(match)
        one = single(noun_of(noun))
        if one and not match["cur"]:
            end = match.end("noun") if match["noun"] else match.end("unit") if match["unit"] else match.end("num")
            value = clause.text[match.start("num") : end]
            data = {"unit": unit or one.split()[-1], "number": number, "change": True, "about": _about(clause, noun)}
            yield stated(clause, f"measure:{one}", value, text=f"{phrases.shown(clause.me)}: a total of {phrases.third(clause, match.start('num'), end)}", data=data, spans=((clause.start, end),), confidence=0.75)
            return


_TO_DO = re.compile(r"\s+(?:to|left|remaining|for you|that need|about|going|coming|due)\b")

# -- dates

_EVENTS = (
    r"(?:deadline|due date|appointment|check-?up|meeting|exam|midterm|final|test|quiz|interview|flight|train|wedding|conference|webinar|concert|party|presentation|surgery|operation|class|workshop|session|call|race|marathon|half marathon|event|launch|payment|submission|application|paper|assignment|project|report"
    r"|anniversary|graduation|ceremony|hearing|review|demo|sprint|release|move|tournament|recital|audition|performance|competition|game|match|trip|reservation|booking|lease|subscription|visa|passport|rent|shift|orientation|convention|festival|exhibition|show|seminar|lecture|thesis|dissertation|defense|delivery|inspection|closing|viewing|date|gig|reunion|fundraiser|retreat|photoshoot|shoot|rehearsal|start date|due|walkthrough|kickoff|milestone|target date|launch date|mvp|bar exam|vaccination|therapy|physio|consultation|evaluation|milestone)"
)
_DET_NOUN = rf"(?:my|our|the)\s+(?P<noun>(?:[\w'&/-]+\s+){{0,5}}?{_EVENTS}(?:s)?(?:\s+(?:for|of|with|at|to|on)\s+(?:(?:my|the|our)\s+)?[\w'&/.-]+(?:\s+[\w'&/-]+){{0,4}}?)?)"
_IS_DUE = re.compile(
    rf"{_DET_NOUN}\s+(?:(?:has|have|had|was|were|is|are|got|been|now|currently|just|actually|already|recently|officially|being|'s)\s+)*(?P<how>(?:re)?scheduled|set|due|planned|booked|moved|pushed|postponed|extended|changed|shifted|brought|delayed|starts?|begins?|ends?|expires?|leaves?|departs?|takes place|happens|falls|coming up|is|are|'s|now)?(?:\s+(?:back|up|forward|out|from\s+[\w ,]{{2,24}}?))*\s*(?:to|for|on|by|until|till|at|from)?(?:\s+(?:now|be|the|this|next|early|late))?\s*"
)
_HAVE_DUE = re.compile(rf"(?:i|we)(?:'ve| have|'ve got| have got| also have| still have| already have|'ve also got| now have)\s+(?:an?|my|the|our|another)\s+(?P<noun>(?:[\w'&/-]+\s+){{0,4}}?{_EVENTS}(?:\s+(?:with|for|at)\s+(?:(?:my|the|our|an?)\s+)?[\w'&/.-]+(?:\s+[\w'&/.-]+){{0,3}}?)?)\s+(?:(?:rescheduled(?: from [\w: ]{{2,20}}? to [\w: ]{{2,12}}?)?|scheduled|set|planned|booked|due|coming up|lined up|happening)\s+)?(?:on|for|by|in|at)?\s*(?:the\s+)?")
_RESCHEDULED = frozenset("rescheduled moved pushed postponed extended changed shifted brought delayed".split())


def due(clause: Clause) -> Iterator[Statement]:
    """ "the deadline is 5 April", "I have a dentist appointment on Friday"."""
    low, start, stop = clause.low, clause.start, clause.stop
    times = [t for t in clause.times if t is not clause.told and t.precision in ("day", "week", "month", "weekend")]
    if not times:
        return
    now = clause.turn.time
    for told in times:
        before = low[start : told.start]
        match = _IS_DUE.fullmatch(before) if before.startswith(("my ", "our ", "the ")) else None
        how = match["how"] if match else None
        if match is None:
            match = _HAVE_DUE.fullmatch(before)
            if match is None:
                continue
            told = _ahead(clause, told)
            if told.last <= now:
                continue
        elif not re.search(r"\b(?:was|were|had)\b", before) or how in _RESCHEDULED:
            told = _ahead(clause, told)
        elif how is None and not re.search(r"\b(?:is|are|has|'s|got|been)\b", before):
            continue
        if re.search(r"\b(?:was|were)\b", before) and how not in _RESCHEDULED and how not in ("scheduled", "set"):
            continue
        if _AIMED_DATE.search(before) or phrases.addressed(clause, start, told.end):
            continue
        later = next((t for t in times if t.start > told.start and re.fullmatch(r"\s*to\s*", low[told.end : t.start])), None)
        if later is not None:
            continue  # "from March 20 to March 27"
        if told.last <= now and how not in _RESCHEDULED and how not in ("due", "scheduled", "rescheduled") and not re.search(r"\bdeadline|due date\b", before):
            continue
        noun = noun_of(match["noun"])
        if not noun or noun == "due":
            continue
        if noun in ("deadline", "due date", "appointment", "meeting", "exam", "interview", "project", "application", "flight", "session", "event", "presentation", "call") and (of := re.search(r"\s(?:for|of|with)\s(?:(?:my|the|our|an?)\s)?([\w'&/. -]+)$", match["noun"])):
            noun = f"{noun_of(of[1])} {noun}".strip() if noun in ("deadline", "due date") else noun
        if match.re is _HAVE_DUE:
            article = low.rfind(" ", start, start + match.start("noun") - 1) + 1
            what = phrases.third(clause, article, told.start).strip()
            said = f"{phrases.shown(clause.me)} has {what} {phrases.resolved(clause, told)}"
        else:
            said = f"{phrases.third(clause, start, told.start)} {phrases.resolved(clause, told)}"
        change = how in _RESCHEDULED or "rescheduled" in before or _CHANGED.search(before) is not None
        yield stated(
            clause, f"due:{noun}", told.phrase, text=said, since=told.first, until=told.last, precision=told.precision, spans=((start, told.end),),
            data={"change": change, "about": _about(clause, noun)},
        )
        return


def _ahead(clause: Clause, told: dates.Told) -> dates.Told:
    """A date of something to come as the next one."""
    return told if told.last > clause.turn.time else ahead(clause.text, told, clause.turn.time)


_AIMED_DATE = re.compile(r"\b(?:want|need|hope|hoping|should|would|could|trying|whether|might|may|'d|if|can|last|previous|first|suggest)\b")

# -- who does what, other than the speaker


def kin_subject(clause: Clause, names: dict[str, str]) -> tuple[str, int, tuple[str, ...]] | None:
    """The subject of a clause that begins with "my sister …" or with a name that was given: as it is called, its end, aliases."""
    low, text, start = clause.low, clause.text, clause.start
    mine = phrases.MY_KIN.match(low, start, clause.stop)
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


__all__ = ["Said", "attributes", "due", "kin_names", "kin_relation", "kin_subject", "measures"]
