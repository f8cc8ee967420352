"""What somebody likes, prefers, eats, does not bear."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules import phrases
from mnemic.rules.said import Said, pattern
from mnemic.statements import Statement

_BAD_OBJECT = re.compile(
    r"(?:it|that|this|them|those|these|him|her|you|your|how|what|when|the way|the idea|the sound"
    r"|the look|the fact|the part|the thought|the concept|the suggestion|the option|the plan"
    r"|everything|anything|nothing|all|both|some|one|where|why|everyone|people who|being able"
    r"|seeing|hearing|to$|to (?:know|hear|see|think|get|learn more|ask|talk about this|say|help|try"
    r"|share|discuss|start|have|make sure|keep things|be|make|go with|use (?:this|the|it)|start "
    r"with|add|include|do (?:this|that|it)|work with|create|keep|point out|propose|request|order"
    r"|set|switch|move|book|schedule|change|read more|continue|explore|understand|focus|give|take"
    r"|find|watch (?:it|that|this)|call)\b|myself|each|either|neither|none|my|our|his|their|its"
    r"|having|knowing|"
    r"someone|somebody|anyone|every|most|such|looking at|an idea|the|a lot|a|an|getting|not"
    r"|another|things|stuff|any|me|us|a bit|being|more|most of|i|and|or|as)\b"
)
_WEAK_HEADS = re.compile(
    r"\b(?:ideas?|suggestions?|options?|sound|way|thoughts?|plans?|approach|look|ones?|part|fact"
    r"|points?|concept|title|version|response|answers?|list|tips|advice|recommendations?|direction"
    r"|details?|sounds?|feature|vibes?|chats?|words|things?|stuff|questions?|explanation|example"
    r"|feeling|support|convo|conversations? with|moments like|seeing|hearing)\b"
)
_MORE = re.compile(r", (?:more|less|very|but not too|yet) \w+")
_THE = re.compile(
    r"the (?:ocean|sea|coast|seaside|woods|lakes?|river|hills|beach|beaches|outdoors|mountains|rain|cold|heat|snow"
    r"|winter|summer|fall"
    r"|autumn|spring|city|countryside|forest|desert|sun|dark|gym|color \w+|colour \w+|theat(?:er"
    r"|re)|opera|ballet|smell of [\w ]+|taste of [\w ]+|sound of [\w ]+|crowds)"
)
_THAT = re.compile(r"\s+(?:that|who|whose|where|when|if|which|how|than)\b")
LIKES = {
    "love",
    "loves",
    "like",
    "likes",
    "enjoy",
    "enjoys",
    "adore",
    "adores",
    "loving",
    "enjoying",
    "liked",
    "loved",
    "enjoyed",
    "adored",
}
HATES = {
    "hate",
    "hates",
    "dislike",
    "dislikes",
    "detest",
    "detests",
    "loathe",
    "loathes",
    "despise",
    "despises",
    "hated",
}
_FAN = re.compile(
    r"\s+(?:(?:really|pretty|so|very|super|totally|quite|also|big|huge|massive|such|a|an|the"
    r"|big-time|lifelong|longtime|long-time|die-hard|diehard|not|much|of)\s+)*(?P<how>fan of|into"
    r"|fond of|obsessed with|crazy about|keen on|passionate about|lover of|enthusiast "
    r"of|sick of|not into)\s+(?=\S)"
)


def _objects(one: Said, at: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, stop in phrases.series(one.clause, at, 10):
        low, text = one.low, one.clause.text
        low_words = low[start:stop]
        capital = (
            re.match(r"the\s+[A-ZÀ-Þ]", text[start:stop])
            and one.verb not in ("like", "likes")
            and _THAT.match(one.low, stop) is None
        )
        if _THAT.match(one.low, stop) or _half(one, start, stop):
            return []
        if _MORE.match(low, stop):
            return []  # "darker, more twisted stories"
        if (
            (_BAD_OBJECT.match(low_words) and not capital and not _THE.fullmatch(low_words))
            or _WEAK_HEADS.search(low_words)
            or phrases.addressed(one.clause, start, stop)
            or phrases.hazy(one.clause, start, stop)
        ):
            return []
        if (
            low_words.count(" ") > (9 if _DOING.match(low_words) else 5)
            or stop - start < 2
            or low_words.split()[0] in one.clause.sentence.peers
        ):
            return []
        found.append((start, stop))
    return found


_UNLOVED = re.compile(
    r"(?:stepping (?:on|in)|paying|waiting|standing in|queu(?:e)?ing|sitting in traffic|getting (?:stuck|lost|sick"
    r"|yelled"
    r"|rejected|ignored|woken|rained|soaked|charged|billed)|losing|stubbing|scrubbing|unclogging|cleaning up after"
    r"|arguing"
    r"|filing|filling (?:in|out)|dealing with|working (?:late|overtime|weekends|for free|through)|waking up at|missing"
    r"|spilling|tripping|commuting|doing (?:my |the )?(?:taxes|paperwork)|being (?:ignored|late|on hold|put|told"
    r"|woken|sick"
    r"|broke|tired|lied|charged|stuck)|sitting (?:in|through)|traffic|taxes|delays|spam|bureaucracy|paperwork|queues"
    r"|hold"
    r" music|hangovers|power cuts|locking (?:myself|ourselves|me) out|parking (?:fees|tickets)|pop-?ups|red tape)\b"
)
"""What nobody loves but in irony."""
_TITLE = re.compile(r"\s+[\"“](?P<title>[^\"“”]{2,60})[\"”]")
_DOING = re.compile(r"[a-z]+ing ")


def likes(one: Said) -> Iterator[Statement]:
    if one.never or one.we or one.third_mismatch(one.verb):
        return
    verb, form = one.verb, one.form
    against = verb in HATES
    if form in ("", "do") and verb in ("liked", "loved", "enjoyed", "hated", "adored"):
        if (
            form == ""
            and not one.no
            and (title := _TITLE.match(one.clause.text, one.rest, one.clause.stop)) is not None
        ):
            yield one.say("likes", title["title"], holds=not against)
        return
    if form in ("have", "have been") and not (
        verb in ("liked", "loved", "enjoyed", "hated", "loving", "enjoying", "adored")
        and ("always" in one.adverbs or form == "have been")
    ):
        return
    if form in ("be",) and not (verb == "loving" and one.me):
        return
    if form == "used":
        if verb not in ("like", "love", "hate", "enjoy"):
            return
    elif form == "can't" or form not in ("", "do", "have", "have been", "be"):
        return
    if verb == "enjoying" or (form == "have been") or verb == "loving":
        return
    if one.after(re.compile(r"\s+(?:being|when|it when|how|that)\b")):
        return
    better = re.compile(r"\s+(?:better|more)\s+than\s+(?=\S)")
    for start, stop in _objects(one, one.rest):
        tail = better.match(one.low, stop, one.clause.stop) or re.compile(r"\s+(?:better|more)(?=\s+than\b)").search(
            one.low[start:stop]
        )
        if tail:
            return
        if not against and not one.no and _UNLOVED.match(one.low, start, stop):
            return  # said with a sigh
        holds = (not against) if not one.no else False
        if against and (one.no or form == "used"):
            return
        if form == "used":
            holds = False
        yield one.say("likes", one.words((start, stop)), holds=holds)


def stands(one: Said) -> Iterator[Statement]:
    """ "I can't stand olives"."""
    if one.form == "can't" and not one.we and one.verb in ("stand", "bear", "abide", "tolerate"):
        for span in _objects(one, one.rest):
            yield one.say("likes", one.words(span), holds=False)
    elif (
        one.form == "can't"
        and one.me
        and one.verb == "eat"
        and (at := phrases.thing(one.clause, one.rest, 4))
        and not _BAD_OBJECT.match(one.low, at[0], at[1])
        and not one.clause.times
    ):
        yield one.say("does", f"eat {one.words(at)}", holds=False)


def fan(one: Said) -> Iterator[Statement]:
    """ "I'm a big fan of jazz", "I'm really into climbing", "I'm not a fan of crowds"."""
    if one.form not in ("be", "have been") or one.never or one.we:
        return
    match = _FAN.match(one.low, one.at - 1, one.clause.stop)
    if match is None:
        return
    for span in _objects(one, match.end()):
        no = one.no or match["how"] == "sick of" or " not " in match[0]
        yield one.say("likes", one.words(span), holds=not no)


_OVER = re.compile(
    r"\s+(?:over|rather than|instead of|than|more than|to(?! (?:ensure|maximi[sz]e|minimi[sz]e"
    r"|avoid|balance|save|keep|make|help|get|be|have"
    r"|do|reduce|improve|stay|maintain|see|give|use|let|prevent|allow|work|feel|start|focus|find"
    r"|go|take|learn|read|write|watch|eat|drink"
    r"|play|travel|live|spend|the extent|a point)\b))(?:\s+(?=\S)|$)"
)


def _half(one: Said, start: int, stop: int) -> bool:
    """Whether a comma cuts a thing in two: "darker, more twisted stories", "a sleek, modern look"."""
    value = one.low[start:stop]
    return _ADJECTIVE_AFTER.match(one.low, stop, one.clause.stop) is not None and (
        " " not in value or re.search(r"\b(?:an?|the|with|of|in) (?:\w+ )?\w+$", value) is not None
    )


_ADJECTIVE_AFTER = re.compile(
    r", (?!(?:and|but|so|or|because|especially|can|could|what|which|who|do|i|it|how|is|are|my|the"
    r"|a|an|as|though|too|since|if|while|for|in|on|at|with"
    r"|though|we|he|she|they|you|thanks|please|also|any|where|when|not|like|such|then|have|has"
    r"|whether|this|that|both|even|just|there|would|will)\b)[\w-]+ [\w-]+"
)


def prefers(one: Said) -> Iterator[Statement]:
    if one.form not in ("", "do") or one.never or one.we or one.third_mismatch(one.verb):
        return
    found = phrases.thing(one.clause, one.rest, 8)
    if found is None:
        return
    start, stop = found
    low = one.low
    over = _OVER.search(low, start, min(stop + 2, one.clause.stop))
    if over is not None:
        over = _OVER.match(low, over.start(), one.clause.stop)
        stop = min(stop, over.start()) if over is not None else stop
    value = low[start:stop]
    if (_THAT.match(low, stop) and over is None) or _half(one, start, stop):
        return
    if (
        _BAD_PREFERENCE.match(value)
        or phrases.addressed(one.clause, start, stop)
        or phrases.hazy(one.clause, start, stop)
        or _WEAK_HEADS.search(value)
        or stop <= start + 1
    ):
        return
    data = None
    other = phrases.thing(one.clause, over.end(), 6) if over is not None else None
    if other is not None and not phrases.hazy(one.clause, *other):
        data = {"over": one.words(other)}
    words = one.words((start, stop))
    text = None
    if data:
        than = one.clause.text[over.start() : over.end()] if over else ""
        text = f"{phrases.shown(one.subject)} {'does not prefer' if one.no else 'prefers'} {words}{than}{data['over']}"
    yield one.say("prefers", words, holds=not one.no, data=data, text=text)


_BAD_PREFERENCE = re.compile(
    r"(?:it|that|this|them|those|these|the (?:first|second|third|last|other|latter|former|one"
    r"|option)|option|one|both|you|your|not|if|when|what|how|him|her|something|things|the|a more|a"
    r"|an|more|my|to (?:go with|use the|keep it|see|have the|know)|neither|either|none|no)\b"
)
_DIET = re.compile(
    r"(?:an?\s+)?(?:(?:strict|lifelong|committed|longtime|mostly|proud|ethical|practicing"
    r"|raw)\s+)*(?P<diet>vegan|vegetarian|pescatarian|pescetarian|flexitarian|gluten[- ]free"
    r"|dairy[- ]free|lactose[- ]intolerant|keto|paleo|halal|kosher|celiac|coeliac|diabetic"
    r"|gluten[- ]intolerant|teetotal(?:er|ler)?|omnivore|plant[- ]based)\b(?!\s+(?:food|restaurant"
    r"|recipe|option|meal|dish|cooking|friend|cafe|diet plan|chef|options|recipes|bakery|baker))"
)


_ONLY_SO = re.compile(r"\W*(?:$|(?:at home|only|these days|now|and)\b)")


def diet(one: Said) -> Iterator[Statement]:
    if one.never or one.we:
        return
    changed = one.verb in ("went", "became", "gone", "become", "turned") and one.form in ("", "have")
    eats = one.verb in ("eat", "eats") and one.form in ("", "do") and not one.third_mismatch(one.verb)
    at = one.rest + 1 if changed or eats else one.at
    if not changed and not eats and one.form not in ("be", "have been"):
        return
    match = _DIET.match(one.low, at, one.clause.stop)
    if match is None or (changed and one.no):
        return
    if one.form == "have been" and one.since()[0] is None:
        return
    told = one.told() if changed else None
    since, precision = (told.first, told.precision) if told else one.since()
    if one.ended:
        since = precision = None
    value = one.clause.text[match.start("diet") : match.end("diet")]
    if eats and not _ONLY_SO.match(one.low, match.end(), one.clause.stop):
        return
    shown = one.clause.text[match.start() : match.end()]
    of = phrases.shown(one.subject)
    yield one.say(
        "diet",
        value,
        holds=not one.ended,
        since=since,
        precision=precision,
        text=f"{of} is {'not ' if one.ended else ''}{shown}",
    )


def allergic(one: Said) -> Iterator[Statement]:
    if one.form not in ("be", "have been", "was") or one.never or one.we:
        return
    match = one.after(pattern(r" to (?=\S)"))
    if match is None:
        return
    for span in objects_any(one, match.end()):
        if one.form == "was":
            return
        yield one.say("allergic_to", one.words(span), holds=not one.no)


_JOKED = re.compile(
    r"(?:mondays?|work|exercise|mornings|people|drama|stupid\w*|nonsense|working|running|bs|fun"
    r"|commitment|bad \w+|stupidity|meetings?|code|rules|responsibility|change|losing|failure"
    r"|bullshit|mess|math|cardio|small talk|the gym|housework|homework|sports)\b"
)


def objects_any(one: Said, at: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, stop in phrases.series(one.clause, at):
        start = phrases.bare(one.low, start, stop)
        if (
            re.match(r"(?:nothing|anything|everything|whatever|nobody|everybody)\b", one.low[start:stop])
            or _JOKED.match(one.low, start, stop)
            or phrases.hazy(one.clause, start, stop)
            or phrases.addressed(one.clause, start, stop)
        ):
            return []
        found.append((start, stop))
    return found


ALLERGY = re.compile(
    r"\s+(?:an?\s+)?(?:(?:severe|mild|bad|serious|terrible|slight|life-threatening|strong"
    r"|known)\s+)*(?:(?P<what>[a-z]+(?: [a-z]+)?)\s+)?allerg(?:y|ies)\b(?:\s+to\s+(?=\S))?"
)
