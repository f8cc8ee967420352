"""Habits, plans, and what was done."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic import dates
from mnemic.rules import phrases, talk
from mnemic.rules.people import LANGUAGE_LIST
from mnemic.rules.said import PARTICIPLE, PASTS, Said, pattern, reach, root
from mnemic.rules.talk import listing
from mnemic.statements import Statement

_OFTEN = re.compile(
    r"\b(?:every (?:single |other )?(?:day|morning|evening|night|week|weekend|month|year|summer"
    r"|winter|spring|fall|autumn|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    r"|christmas|afternoon|few (?:days|weeks|months)|two weeks|\w+day)s?"
    r"|each (?:day|morning|evening|night|week|month|year)|(?:once|twice|three times|four times"
    r"|five times|six times|\d+ times|two times|a few times|several times|a couple of times) (?:a"
    r"|per|each|every) (?:day|week|month|year)|\d+x (?:a|per) week"
    r"|on (?:mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|weekends|weekdays"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:mornings|evenings|nights|afternoons))|daily"
    r"|weekly|nightly|monthly|\d+ days a week|(?:two|three|four|five|six) days a week)\b"
)
_NO_HABIT = listing(
    "think feel want need hope guess know believe wonder get see find try say mean struggle "
    "forget worry remember seem look wish understand agree appreciate like love hate prefer enjoy "
    "have has am is be miss regret doubt suppose expect imagine consider learn thank realize "
    "realise notice can could would should must might may will"
    " thinks feels wants needs hopes knows heard saw felt thought wanted needed was were had did "
    "said made found got told used keep keeps tend start stop help let hear tell ask decide plan "
    "went came took"
)
_HABIT_ADVERBS = frozenset({"usually", "always", "often", "regularly", "typically", "normally"})
_GERUND = re.compile(r"\s+(?P<what>[a-z]{2,20}ing)\b")


def habit(one: Said) -> Iterator[Statement]:
    """ "I run every morning", "I usually cook on Sundays"."""
    verb = one.verb
    if one.we or one.form not in ("", "do") or one.never or verb in _NO_HABIT or not verb.isalpha() or verb in _JOINTS:
        return
    if verb.endswith(("ed", "ing", "ly")) or verb in PASTS or one.third_mismatch(verb):
        return
    start, stop = reach(one, one.at)
    often = _OFTEN.search(one.low, start, stop)
    before = one.clause.start > one.clause.sentence.start and _OFTEN.search(
        one.low, one.clause.sentence.start, one.clause.start
    )
    steady = (
        one.no
        or bool(one.adverbs & _USUALLY)
        or often is not None
        or (
            verb in _STEADY
            and _STEADY_WHAT.match(one.low, one.rest, stop) is not None
            and one.low[start:stop].count(" ") < 6
        )
    )
    if not steady or (one.no and (verb not in _PLAIN_HABITS or one.adverbs & _HABIT_ADVERBS)):
        return
    if phrases.addressed(one.clause, start, stop) or phrases.hazy(one.clause, start, stop) or before or one.clause.told:
        return
    if (
        re.search(r"\b(?:yesterday|ago|last|tomorrow|next)\b", one.low[start:stop])
        or stop - start < 4
        or one.low[start:stop].count(" ") > 14
    ):
        return
    value = re.sub(r"\s+(?:anymore|any more|any longer|at all)$", "", one.words((start, stop)))
    if one.no:
        if value.lower() in ("use", "watch", "do", "play", "eat", "read", "drive to", "own"):
            return
        yield one.say("does", value, holds=False)
        return
    if " " not in value and not often:
        return
    first, _, rest = value.partition(" ")
    plain = first if one.me else root(first)
    said = with_adverb(one, phrases.with_s(plain) + (f" {rest}" if rest else ""))
    yield one.say("does", f"{plain} {rest}".strip(), text=f"{phrases.shown(one.subject)} {said}")


_USUALLY = frozenset({"usually", "normally", "typically", "regularly"})
_STEADY = listing(
    "wear wears drive drives play plays collect collects coach coaches teach teaches volunteer "
    "volunteers foster fosters"
)
_STEADY_WHAT = re.compile(
    r"\s+(?:glasses|contacts|contact lenses|hearing aids?|braces|an? (?=[a-z0-9])(?!lot\b|bit\b"
    r"|role\b|part\b|game\b|key\b|big\b|few\b|couple\b|hard\b)|the (?:guitar|piano|violin|drums"
    r"|cello|flute|trumpet|sax\w*|bass|ukulele|clarinet|harp|banjo)|guitar|piano|violin|drums"
    r"|cello|flute|bass|tennis|football|soccer|basketball|chess|golf|volleyball|badminton|cricket"
    r"|rugby|hockey|baseball"
    r"|(?!it\b|them\b|this\b|that\b|you\b|me\b|with\b|around\b|along\b|for\b|in\b|on\b|the\b|my\b"
    r"|and\b|some\b|many\b|as\b|his\b|her\b|all\b|more\b|these\b|those\b|well\b|a\b|an\b|games?\b"
    r"|at\b|home\b|back\b|by\b|there\b|here\b|to\b|from\b)[a-z]+s\b|(?:at|for) (?:an?|the|my "
    r"local) [a-z ]+)"
)
_PLAIN_HABITS = listing(
    "drink drinks smoke smokes eat eats drive drives cook cooks use uses watch watches play plays wear wears own"
)
_JOINTS = listing(
    "and or but the a an my i we to of in on at for with that this so too also it not then as if "
    "by from all about out up down off over"
)


def with_adverb(one: Said, words: str) -> str:
    found = [
        adverb
        for adverb in ("usually", "always", "often", "regularly", "typically", "normally")
        if adverb in one.adverbs
    ]
    return f"{found[0]} {words}" if found else words


def stops(one: Said) -> Iterator[Statement]:
    """ "I stopped drinking coffee", "I quit smoking", "I gave up alcohol"."""
    if one.no or one.never or one.form not in ("", "have") or one.we:
        return
    at = one.rest
    if one.verb in ("gave", "given"):
        up = one.after(re.compile(r"\s+up\b(?!\s+(?:on|my|the|hope|a)\b)"))
        if up is None:
            return
        at = up.end()
    elif one.verb not in ("stopped", "quit"):
        return
    match = _GERUND.match(one.low, at, one.clause.stop)
    told = one.told()
    if told is not None and told.first > one.clause.turn.time:
        return
    until, precision = (told.first, told.precision) if told else (None, None)
    if match is not None:
        found = phrases.thing(one.clause, match.start("what"), 6)
        if (
            found is None
            or phrases.addressed(one.clause, *found)
            or phrases.hazy(one.clause, *found)
            or match["what"]
            in (
                "thinking",
                "worrying",
                "trying",
                "being",
                "having",
                "feeling",
                "getting",
                "wondering",
                "laughing",
                "talking",
                "smiling",
                "crying",
                "morning",
                "evening",
                "nothing",
                "anything",
                "something",
                "everything",
            )
        ):
            return
        if re.search(r"(?<!going )\bto\b|\bby\b", one.low[found[0] : found[1]]):
            return
        words = one.words(found)
        first, _, rest = words.partition(" ")
        value = f"{phrases.base(first.lower())} {rest}".strip()
        late = told is not None and 0 <= told.start - found[1] < 4
        end = told.end if told is not None and late else found[1]
        did_so = f"{phrases.shown(one.subject)} {one.words((one.at, end))}"
        yield one.say("does", value, holds=False, until=until, precision=precision, text=did_so)
    elif (
        one.verb in ("gave", "given", "quit")
        and (found := phrases.thing(one.clause, at, 3))
        and re.fullmatch(
            r"(?:drinking|coffee|alcohol|meat|dairy|sugar|caffeine|gluten|smoking|cigarettes|soda|red meat"
            r"|social media|facebook|instagram|twitter|fast food|chocolate|the gym|vaping|gambling)",
            one.low[found[0] : found[1]],
        )
    ):
        value = one.words(found)
        yield one.say(
            "does",
            value,
            holds=False,
            until=until,
            precision=precision,
            text=f"{phrases.shown(one.subject)} {one.words((one.at, found[1]))}",
        )


def learns(one: Said) -> Iterator[Statement]:
    """ "I'm learning Spanish", "I'm training for a marathon"."""
    if one.no or one.never or one.we or one.form not in ("be", "have been"):
        return
    at = one.rest
    if one.verb == "training":
        match = one.after(
            pattern(r" for (?:a|an|the|my) (?!while|bit|few|long|couple|year|month|week|good|past|last)(?=\S)")
        )
        if match is None:
            return
    elif one.verb == "taking":
        match = one.after(
            re.compile(
                r"\s+(?:(?:an?|some|weekly|online|private|evening|night"
                r"|beginner)\s+)*(?:[\w-]+\s+){0,2}(?:lessons|classes|course)\b"
            )
        )
        if match is None:
            return
    elif (
        match := one.after(
            re.compile(
                r"\s+(?:to (?:play|speak|cook|drive|swim|code|ski|surf|knit|sew|dance|sail|paint|draw)\b"
                r"|(?:how to )(?:play|speak|cook|drive|swim|code|ski|surf|knit|sew|dance|sail|paint|draw)\b)"
            )
        )
    ) is None:
        match = LANGUAGE_LIST.match(one.low, one.rest, one.clause.stop) or one.after(
            re.compile(
                r"\s+(?:the )?(?:guitar|piano|violin|ukulele|drums|cello|flute|sign language|python"
                r"|javascript|java|rust|calligraphy|pottery|photography|coding|chess|knitting|salsa|yoga"
                r"|karate|judo)\b"
            )
        )
        if match is None:
            return
    found = phrases.thing(one.clause, at, 8)
    if found is None or phrases.addressed(one.clause, *found) or phrases.hazy(one.clause, *found):
        return
    if one.clause.times and one.clause.times[0].first > one.clause.turn.time:
        return
    since, precision = one.since()
    gerund = one.clause.text[one.at : one.rest].strip()
    cut = min([found[1], *(n.start for n in one.clause.lasting if n.start > found[0])])
    found = found[0], found[0] + len(_FOR_SO_LONG.sub("", one.low[found[0] : cut].rstrip()))
    yield one.say(
        "does",
        f"{phrases.base(gerund.lower())} {one.words(found)}",
        since=since,
        precision=precision,
        text=f"{phrases.shown(one.subject)} is {gerund} {one.words(found)}",
    )


_GOING_ON = re.compile(
    r"(?:reading|rereading|re-reading|playing|building|developing|training|watching|writing|learning|teaching"
    r"|coaching|renovating|knitting|crocheting"
    r"|growing|raising|organizing|organising|painting|volunteering|attending|preparing|editing|practicing|practising"
    r"|saving up"
    r"|restoring|remodeling|researching|fostering|mentoring|designing|recovering|applying)\b"
)
_NOT_GOING_ON = listing(
    "wondering thinking having feeling getting considering hoping wanting meaning looking seeing hearing being doing"
    " struggling noticing planning living working studying dating married able known going waiting asking "
    " told given trying"
    " dealing finding debating loving enjoying really telling saying putting avoiding neglecting forgetting "
    " craving missing"
    " leaning contemplating weighing toying dreaming curious needing"
)
_NO_MATTER = re.compile(
    r"\s+(?:it\b|that\b|this\b|these\b|those\b|them\b|you\b|your\b|some (?:issues?|trouble|problems?|errors?)"
    r"|issues?\b|trouble\b|problems?\b"
    r"|errors?\b|an? (?:\w+ )?(?:error|issue|problem)|a lot\b|on (?:it|this|that|these|my (?:own|mind))\b|about "
    r"(?:it|this|that|how|what|you)\b|how\b|what\b|why\b"
    r"|to (?:you|ask|figure|find|decide|understand|get|see|be|make|think)\b|into (?:it|this|that)\b|at (?:it|this"
    r"|that)\b|for (?:a|an|some|the) (?:good|way|new|specific"
    r"|list|recipe|book|movie|place|recommendation)|with (?:this|that|it)\b|good\b|well\b|great\b|fine\b|better\b"
    r"|so\b|very\b|really\b|pretty\b)"
)


def goes_on(one: Said) -> Iterator[Statement]:
    """ "I've been taking a poetry class", "I'm working on a quilt for my sister"."""
    if (
        one.no
        or one.never
        or one.we
        or not one.me
        or one.form not in ("be", "have been")
        or not one.verb.endswith("ing")
    ):
        return
    if one.form == "be":
        on = one.verb == "working" and one.low.startswith((" on a", " on my", " on the"), one.rest)
        if not on and not (
            _GOING_ON.match(one.verb)
            and (
                one.adverbs & {"currently"}
                or one.verb not in ("writing", "building", "designing", "preparing", "developing")
            )
        ):
            return
    elif one.verb in _NOT_GOING_ON and not _WORTHWHILE.match(one.low, one.at):
        return
    if _NO_MATTER.match(one.low, one.rest, one.clause.stop) or any(
        t.first > one.clause.turn.time for t in one.clause.times
    ):
        return
    start, stop = reach(one, one.at)
    end = phrases.clear(one.clause, start, stop)
    words = one.low[start:end]
    if end <= start or words.count(" ") < 1 or words.count(" ") > 18 or (end != stop and words.count(" ") < 3):
        return
    value = one.words((start, end))
    first, _, rest = value.partition(" ")
    since, precision = one.since()
    plain = phrases.and_doing(f"{phrases.base(first.lower())} {rest}".strip())
    been = "has been" if one.form == "have been" else "is"
    yield one.say(
        "does",
        plain,
        text=f"{phrases.shown(one.subject)} {been} {value}",
        since=since,
        precision=precision,
        confidence=0.75,
    )


_WORTHWHILE = re.compile(
    r"(?:trying to (?!figure|find|decide|understand|get|see|be|think|make sense|come up|remember|work out|fix|use"
    r"|solve|explain)[a-z]+ [a-z]|looking into (?!it|this|that)|working (?:on|as|with) (?!it\b|this\b|that\b"
    r"|these\b)|studying [a-z]|doing (?!well|good|great|fine|it|this|that|ok|some research|a lot|so|my best)[a-z]+"
    r"|going to (?:the|a|my) |getting (?:into|up) |dealing with (?!it|this|that)|seeing a |putting (?:in|together) )"
)


_FOR_SO_LONG = re.compile(r"\s+(?:for|since)(?:\s+(?:about|almost|over|around|the))*(?:\s+(?:past|last))?$")
_POINTING = re.compile(r"\s+(?:it|this|them|you|him|her)\b|\s+(?:that|so)\s*(?:[.,!;?]|$|(?:and|but)\b)")
_PAST_VAGUE = re.compile(
    r"\s+(?:one\b|some\b(?= (?:of|more)\b)|to know|the feeling|the idea|the chance to|it|that|this"
    r"|them|him|her|through|stuck|lost|used to|tired|sick of|excited|nervous|ready|better|worse|so"
    r"|into it|back to you|a lot|your|you|off track|up late|sense|sure|up the|over it)\b"
)


def did(one: Said) -> Iterator[Statement]:
    """ "I went to Rome last week", "I've just finished my thesis"; only what has a time."""
    if one.no or one.never:
        return
    event = one.verb in PASTS or (one.verb.endswith("ed") and len(one.verb) > 4 and one.verb not in _NO_EVENTS)
    if not event or one.form not in ("", "have") or (one.verb == "got" and one.form == "have"):
        return
    if one.third_mismatch(one.verb):
        return
    start, stop = reach(one, one.at)
    front = one.clause.told
    now = one.clause.turn.time
    told = next(
        (t for t in one.clause.times if t is front or (t.end <= stop and not _AFTER.search(one.low, one.at, t.start))),
        None,
    )
    if told is None:
        if not one.me or (not one.adverbs & _LATELY and not _is_sure(one, start, stop)):
            return
    elif told.first > now or (one.form == "have" and not one.me):
        return
    if told is not None and _SINCE_OR_UNTIL.search(one.low[max(0, told.start - 8) : told.start]):
        return
    if told is not None and _OFTEN.search(one.low, start, stop):
        return
    stop = _clear(one, stop, told)
    if stop - one.rest < 2 and one.verb not in ("graduated", "married"):
        return
    if (
        _PAST_VAGUE.match(one.low, one.rest, one.clause.stop)
        or phrases.vague(one.clause, start, stop)
        or _POINTING.match(one.low, stop)
    ):
        return
    value = one.words((start, stop))
    if one.clause.text[start].isupper():
        value = value[:1].lower() + value[1:]  # "Lost my job today."
    if value.count(" ") > 24 or (told is not None and value.count(" ") < 1):
        return
    tail = f" {phrases.resolved(one.clause, front)}" if front is not None else ""
    if told is None and (value.count(" ") < 2):
        return
    have = "has " if one.form == "have" else ""
    adverb = (
        "just "
        if "just" in one.adverbs
        else "recently "
        if "recently" in one.adverbs
        else "finally "
        if "finally" in one.adverbs
        else ""
    )
    yield one.say(
        "did",
        value + tail,
        text=f"{phrases.shown(one.subject)} {have}{adverb if told is None else ''}{value}{tail}",
        since=told.first if told else None,
        until=told.last if told else None,
        precision=told.precision if told else None,
        confidence=0.9 if told else 0.75,
    )


_LATELY = frozenset({"just", "recently", "finally", "already"})


def _is_sure(one: Said, start: int, stop: int) -> bool:
    """Whether a deed without a time is told for its own sake: of a sure verb, with something that it was done to."""
    words = one.low[one.rest : stop].split()
    if one.verb in ("moved", "tried", "committed", "decided", "agreed", "chosen", "chose") and one.low.startswith(
        " to ", one.rest
    ):
        return False
    if one.verb not in _PASTS_SURE and not (one.form == "have" and one.verb in _PERFECTS):
        return False
    return len(words) >= 2 and not _NO_DEED.match(one.low, one.rest, stop)


_NO_DEED = re.compile(
    r"\s+(?:to (?:[a-z]+ (?:every|it)|you|your|see|run|do|get|the (?:same|idea|conclusion|point))|(?:the|an?|some"
    r"|this|that|my|your) (?:same )?(?:error|idea|issue|problem|question"
    r"|impression|feeling|following|message|answer|response|code|output|result|wrong|point|below|above|example|word"
    r"|information"
    r"|question|changes?|suggestion|advice|instructions|steps)s?\b|error|trouble|confused|stuck|an? \w*error|how\b"
    r"|what\b|why\b|if\b|whether\b"
    r"|up to\b|on to\b|into (?:an?|some) (?:issue|problem|error|trouble)s?\b|out that\b|out about\b|about (?:this"
    r"|that|it)\b|that\b|of (?:it|that)\b"
    r"|used to\b|lots? of\b|(?:really|so|very|pretty|too) )"
)


def _clear(one: Said, stop: int, told: dates.Told | None) -> int:
    """Where what was done ends before "… and shared it with you"."""
    if not phrases.hazy(one.clause, one.at, stop) and not phrases.addressed(one.clause, one.at, stop):
        return stop
    cut = one.low.rfind(" and ", one.at, stop)
    if cut < 0 or (told is not None and told.start < stop and told.end > cut and told is not one.clause.told):
        return stop
    return cut


_PERFECTS = listing(
    "accepted allocated approved begun chosen committed decided initiated instituted saved spent adjusted "
    "reduced increased"
    " achieved estimated identified implemented configured integrated drafted scheduled met taken made "
    " written read seen"
    " been gone run done built grown raised added created set changed talked worked used donated gathered compiled"
    " documented deployed established negotiated resolved improved tried cut earned hired logged tracked "
    " updated planted"
)
_PASTS_SURE = listing(
    "lost opened met made saved sold attended visited volunteered hiked traveled travelled baked cooked "
    "painted built wrote"
    " ran earned raised donated tried picked ate saw went took found accepted chose spent created received "
    " invited helped"
    " started switched learned learnt performed designed organized organised assigned interviewed fixed repaired broke"
    " discovered installed set decided confirmed rescheduled resolved applied paid hosted"
    " bought finished moved adopted graduated joined completed signed won started booked ordered "
    "passed purchased launched published submitted enrolled upgraded switched quit got received "
    "read watched visited attended hired sold returned planted built hosted celebrated registered"
)


def been(one: Said) -> Iterator[Statement]:
    """ "I've been to Turkey"."""
    if one.form != "have been" or one.no or one.never or not one.me:
        return
    if (at := phrases.place(one.clause, one.rest + 1)) is not None and one.clause.text[one.rest + 1].isupper():
        place = one.clause.text[at[0] : at[1]]
        yield one.say("did", f"been to {place}", text=f"{phrases.shown(one.subject)} has been to {place}")


def grew(one: Said) -> Iterator[Statement]:
    """ "I grew up in Ohio"."""
    if one.form or one.no or one.never:
        return
    match = one.after(re.compile(r"\s+up\s+(?:in|on|near|outside)\s+(?=\S)"))
    if match is not None and (at := phrases.place(one.clause, match.end())) is not None and not one.clause.times:
        words = one.clause.text[one.at : at[1]]
        yield one.say("did", words, text=f"{phrases.shown(one.subject)} {words}")


_NO_EVENTS = listing(
    "pretended joked lied fantasized need wanted needed liked loved hoped noticed realized "
    "realised wondered seemed decided "
    "looked tried used agreed believed wished missed enjoyed hated appreciated expected "
    "considered planned thanked mentioned asked happened supposed feared worried assumed "
    "preferred owned lived worked studied wanted named called based turned excited interested "
    "tired inspired amazed blessed thrilled stressed struggled felt thought indeed speed embed "
    "followed needed experienced remembered regretted"
)
_AFTER = re.compile(r"\b(?:after|before|since|until|till|following|by|due|i|we|who|whom|that|which)\b")
"""A time behind these is not the deed's: "a call from Alan, whom I met in 2021"."""
_SINCE_OR_UNTIL = re.compile(r"(?:since|until|till|by|before|after) $")
_NEVER_BAD = re.compile(
    r"(?:been (?:so|more|this|that|happier|better|one|able|sure|good|a|into|too|easier|as|to "
    r"(?:one|any|that|the one)\b)|felt|thought|seen (?:anything|such|so|it|that|this|one|the one"
    r"|a more)|heard|had (?:so|such|a problem|any issues?|an issue|trouble|a better)|known"
    r"|understood|realized|realised|really|looked back|would|considered|imagined|noticed|had this"
    r"|had that|got|gotten|made it|quite|done (?:that|this|it|anything)|tried (?:that|it|this|one"
    r"|them|those)|met (?:anyone|someone)|experienced (?:anything|that|this)|played it|wanted|let"
    r"|had to|forgotten|regretted|stopped|failed|doubted)\b"
)


_YET = re.compile(r" (?:yet|before|so far)$")
_NOT_YET = re.compile(r"(?:been|visited|seen|tried|read|watched|played|met|heard|eaten|used)\b")


def never(one: Said) -> Iterator[Statement]:
    """ "I've never been to Japan"."""
    if one.form not in ("have", "have been") or one.we or not (one.never or one.no):
        return
    start, stop = reach(one, one.at)
    words = one.low[start:stop]
    if one.no:
        if one.never or not _YET.search(words) or not _NOT_YET.match(words if one.form == "have" else "been"):
            return
        stop = start + len(_YET.sub("", words))
        words = one.low[start:stop]
    if one.form == "have been":
        back = one.low.rfind("been", one.clause.start, one.at)
        start = back if back > 0 else start
        words = one.low[start:stop]
    if (
        not PARTICIPLE.match(words)
        or _NEVER_BAD.match(words)
        or phrases.addressed(one.clause, start, stop)
        or phrases.hazy(one.clause, start, stop)
        or (" " not in words.strip() and not words.endswith("ed"))
        or words.count(" ") > 10
        or words.endswith((" one", " one before"))
    ):
        return
    yield one.say("never", re.sub(r"\s+before$", "", one.words((start, stop))))


_PLAN = re.compile(
    r"\s+(?:to\s+(?=\S)|on\s+(?=[a-z]+ing\b)|(?=(?:a|an|my|our|the)\s+(?:[\w'-]+\s+){0,4}?(?:trip"
    r"|vacation|holiday|wedding|party|visit|hike|move|getaway|reunion|road trip|honeymoon|surprise"
    r"|retreat|fundraiser|event|weekend)\b))"
)
_PLAN_BAD = re.compile(
    r"(?:be|try|see|use (?:this|that|it|these)|do (?:it|this|that)|start with|go with|check|look"
    r"|ask|keep|make sure|give|take (?:a look|it|your)|let|follow|try|implement|add|have to|share"
    r"|incorporate|stay|continue|say|tell|talk about|think|consider|stick|work on (?:it|this|that)"
    r"|focus|get back|need|find out|miss|help|explore|review|discuss|mention|know|like|love)\b"
)


def plans(one: Said) -> Iterator[Statement]:
    """ "I plan to move", "I'm planning a trip to Rome", "I'm flying to Rome on Friday"."""
    if one.never or one.form in ("modal", "used", "was", "had"):
        return
    if one.verb in PLANNING or one.form in ("going", "will"):
        one.clause.look_ahead(talk.nearest if one.verb == "decided" else talk.ahead)
    clause, now = one.clause, one.clause.turn.time
    told = next(
        (
            t
            for t in clause.times
            if t.last > now and not (t is not clause.told and _AFTER.search(clause.low, one.at, t.start))
        ),
        None,
    )
    verb, at = one.verb, one.at
    text_from = one.at
    if verb in ("plan", "plans", "planning", "intend", "intends", "intending", "aiming") and one.form in (
        "",
        "do",
        "be",
        "have been",
    ):
        match = one.after(_PLAN)
        if match is None or (verb in ("plan", "plans") and one.third_mismatch(verb)):
            return
        if one.we and told is None and match[0].strip() and not clause.sentence.peers:
            return  # the "we" of a business plan
        at = match.end()
    elif verb in ("decided",) and one.form in ("", "have") and not one.no:
        match = one.after(pattern(r" to (?=\S)"))
        if match is None or told is None:
            return
        at = match.end()
    elif one.form in ("going", "will"):
        if told is None or one.no:
            return
    elif verb in ("starting", "beginning") and one.low.startswith(" to ", one.rest):
        return
    elif one.form == "be" and verb.endswith("ing") and (verb not in _NOT_AHEAD or _MARRYING.match(one.low, one.at)):
        if (
            told is None
            or told.first < now.replace(hour=0, minute=0, second=0, microsecond=0)
            or one.no
            or told.precision == "year"
        ):
            return
        if (
            told.first <= now
            and told.precision not in ("day", "minute")
            and clause.low[told.start : told.end].startswith("this")
        ):
            return
    else:
        return
    start, stop = reach(one, at)
    if told is not None and told.start > stop + 1 and told is not clause.told:
        told = None
        if verb not in ("plan", "plans", "planning", "intend", "intends"):
            return
    words = one.low[start:stop]
    if (
        _PLAN_BAD.match(words)
        or _POINTING.match(one.low, stop)
        or phrases.addressed(clause, start, stop)
        or phrases.hazy(clause, start, stop)
        or words.count(" ") > 18
        or stop - start < 4
    ):
        return
    front = clause.told
    value = one.words((start, stop)) + (
        f" {phrases.resolved(clause, front)}" if front is not None and front.last > now else ""
    )
    of = phrases.shown(one.subject)
    if one.form == "be" and verb not in ("planning", "intending", "aiming"):
        first, _, rest = value.partition(" ")
        text = f"{of} is {value}"
        value = f"{phrases.base(first.lower())} {rest}".strip()
    elif verb in ("planning", "intending", "aiming", "plan", "plans", "intend", "intends"):
        said = one.words((text_from, start))
        ahead = value
        if one.form in ("be", "have been"):
            text = f"{of} is {'not ' if one.no else ''}{said} {ahead}"
        elif one.no:
            text = f"{of} does not {said} {ahead}"
        else:
            first, *others = said.split()
            text = f"{of} {phrases.with_s(first if one.me else root(first))} {' '.join([*others, ahead])}"
    elif one.form == "will":
        text = f"{of} will {value}"
    elif one.form == "going":
        text = f"{of} is going to {value}"
    else:
        text = f"{of} decided to {value}"
    yield one.say(
        "plans",
        value,
        holds=not one.no,
        text=text,
        since=told.first if told else None,
        until=told.last if told else None,
        precision=told.precision if told else None,
        confidence=0.85,
    )


_MARRYING = re.compile(r"getting (?:married|engaged|divorced)\b")
_NOT_AHEAD = listing(
    "living working going wondering looking thinking feeling trying planning hoping being having "
    "getting considering struggling learning studying doing using reading dating running asking "
    "talking enjoying loving wanting needing based amazing interesting morning evening liking "
    "writing making finding seeing saying missing dying telling still coming becoming worrying "
    "concerned watching sitting waiting excited boring following assuming leaning intending "
    "aiming looking"
)
PLANNING = listing("plan plans planning intend intends intending aiming decided")
