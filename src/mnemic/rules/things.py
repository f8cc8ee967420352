"""What somebody has, gets and gives away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.said import Said, end_of
from mnemic.rules.talk import Clause, Sentence
from mnemic.rules.tastes import ALLERGY, objects_any
from mnemic.statements import Statement, folded

_OWNED_WORDS = (
    rf"(?:{phrases.PETS}|{phrases.BREEDS}|dogs|cats|puppies|kittens|horses|chickens|fish|parrots"
    rf"|rabbits|turtles|pets|hamsters|birds?|cows?|goats?|bees|snakes|kids?|children|sons?"
    rf"|daughters?|sisters?|brothers?|siblings?|twins|grandchildren|grandkids|grandson"
    rf"|granddaughter|cousins?|nieces?|nephews?|husband|wife|girlfriend|boyfriend|fiancée?|partner"
    rf"|roommates?|stepkids|toddlers?|baby"
    r"|cars?|truck|van|suv|motorcycle|motorbike|bikes?|bicycles?|scooter|e-bike|boat|kayak|canoe"
    r"|rv|camper|tesla|honda|toyota|ford|bmw|prius|subaru|corolla|civic"
    r"|house|apartment|condo|flat|cottage|cabin|farm|garden|backyard|greenhouse|studio|garage"
    r"|clock|lamps?|coffee table|dining table|record collection|laptop|computer|pc|macbook|desktop|phone|iphone"
    r"|smartphone|tablet|ipad|kindle|e-reader"
    r"|camera|dslr|lens|tripod|drone|printer|3d printer|monitor|keyboard|headphones|earbuds"
    r"|airpods|smartwatch|fitbit|garmin|apple watch|watch|tv|television|speaker|console"
    r"|playstation|ps5|xbox|nintendo|switch|vr headset|projector|vacuum|roomba"
    r"|guitars?|piano|keyboard|ukulele|violin|cello|drum (?:set|kit)|drums|saxophone|flute|trumpet"
    r"|clarinet|banjo|harmonica|bass|amp|amplifier|synthesizer|record player|turntable|vinyl "
    r"collection"
    r"|telescope|microscope|tent|backpack|sleeping bag|skis|snowboard|surfboard|skateboard"
    r"|rollerblades|treadmill|peloton|yoga mat|kettlebell|dumbbells?|sewing machine|loom|kiln"
    r"|easel|espresso machine|coffee (?:maker|machine|grinder)|air fryer|instant pot|blender|mixer"
    r"|grill|smoker|oven|fridge|freezer|dishwasher|washing machine|sofa|couch|desk|bookshelf"
    r"|mattress|bed"
    r"|diabetes|asthma|adhd|autism|arthritis|epilepsy|anxiety|depression|migraines?|insomnia"
    r"|celiac disease|ibs|eczema|psoriasis|ptsd|ocd|dyslexia|tinnitus|hypertension|high blood "
    r"pressure|scoliosis|endometriosis|sleep apnea"
    r"|(?:bachelor|master)'?s?(?: degree)?|phd|degree|mba|tattoos?|piercings?|driver'?s licen[cs]e"
    r"|passport|visa|membership|subscription|collection|podcast|blog|youtube channel|website"
    r"|newsletter|etsy (?:shop|store)|twin|wedding ring|plants?|houseplants?|orchids?|succulents?"
    r"|balcony|patio|terrace|sailboat|caravan|tractor|quad|hot tub|sauna|hammock|trampoline|piano|loft|shed"
    r"|allotment|aquarium)"
)
_OWNED = re.compile(rf"\b{_OWNED_WORDS}\b")
_NO_THING = re.compile(
    r"\b(?:questions?|idea|thoughts?|feelings?|problems?|issues?|minutes?|chance|look|time|fun"
    r"|trouble|doubts?|meeting|call|way|blast|plans?|lot|bit|hard|ton|feel|sense|hope|clue|date"
    r"|trip|talk|dream|choice|interest|habit|tendency|thing|eye on|crush on|friend who|good|great"
    r"|budget|preference|list|draft|goal|deadline|appointment|recipe|session|reservation|photo"
    r"|picture|pic|video|point|concern|worry|similar|few ideas|version|copy of|craving|history of"
    r"|conversation|weakness|soft spot|sweet tooth|app idea|dataset|list of|table|function|class"
    r"|model|component|file|folder|script|column|string|variable|error|api|code|page|route|form"
    r"|button|question|plan|in mind|in common|party|class|game|show|exam|test|shoot|gig|sale)\b"
)


def has(one: Said) -> Iterator[Statement]:
    """ "I have a dog named Rex", "I don't have a car", "I've got two kids"."""
    if one.never or one.third_mismatch(one.verb):
        return
    form, verb = one.form, one.verb
    now = (verb in ("have", "has", "own", "owns") and form in ("", "do", "be")) or (
        verb in ("got", "had", "owned") and form == "have"
    )
    if verb in ("had", "owned") and form == "have" and not one.since()[0]:
        return
    once = form == "used" and verb in ("have", "own")
    if not now and not once:
        return
    if verb == "got" and one.after(re.compile(r"\s+to\b")):
        return
    allergy = ALLERGY.match(one.low, one.rest, one.clause.stop)
    if (
        allergy is not None
        and (allergy["what"] or allergy[0].rstrip().endswith("to"))
        and not one.we
        and (allergy["what"] or "")
        not in ("no", "any", "known", "many", "some", "food", "seasonal", "lots of", "a few", "few", "lots")
    ):
        if allergy["what"]:
            span = allergy.span("what")
            yield one.say("allergic_to", one.words(span), holds=not one.no)
        else:
            for span in objects_any(one, allergy.end()):
                yield one.say("allergic_to", one.words(span), holds=not one.no)
        return
    found = phrases.thing(one.clause, one.rest, 7)
    if found is None:
        return
    start, stop = found
    low = one.low
    if low.startswith(("no ", "zero "), start):
        one = _denied(one)
        start = low.index(" ", start) + 1
    if low.startswith("any ", start):
        start += 4
    for begin, end in phrases.listed(one.clause, start, stop):
        words = low[begin:end]
        cut = re.compile(
            r"\s+(?:named|called|who|that|with|from|in|at|for|on|from|to|as|about|of my|i|waiting"
            r"|coming|going|living|down|up|over|together|and|of my own|by|back|here|there|is|are)\b"
        ).search(words)
        head = words[: cut.start()] if cut else words
        if begin != start and not re.match(r"(?:an?|the|my|two|three|four|\d+|some)\b", words):
            return
        ill = _HEALTH.search(head)
        if ill is not None and not _ILL.fullmatch(head[: ill.start()]):
            return
        if (
            ill is None
            and not re.match(
                r"(?:an?|my|our|two|three|four|five|six|seven|eight|nine|ten|several|some|one|\d+|only|own"
                r"|twin|twins|kids|children|pets|dogs|cats|siblings)\b",
                head,
            )
            and not one.no
            and verb not in ("own", "owns")
        ):
            return
        if re.match(r"(?:the|this|that|his|her|their|your|its|these|those|such)\b", head) or phrases.addressed(
            one.clause, begin, end
        ):
            return
        owned = list(_OWNED.finditer(head))
        make = _MAKE.match(one.clause.text, begin, begin + len(head)) if verb in ("own", "owns") else None
        if not make and (not owned or owned[-1].end() < len(head.rstrip()) or _NO_THING.search(head)):
            return
        if (
            cut
            and re.match(r"\s+(?:for|in|on|to|as|about|waiting|coming|at|up|down|over|who|from|is|are|i)\b", cut[0])
            and re.match(
                r"\s+(?:mind|sight|th(?:is|e) (?:fight|race)|my (?:mind|class|eye)|the (?:game|shop|store"
                r"|works)|sale|hand|loan|order|today|tomorrow|a (?:while|minute))\b",
                words[cut.end() :],
            )
        ):
            return
        value = one.words((begin, begin + len(head)))
        value = re.sub(r"^(?:only |just |my own |our own |my |our |the user's |own )", "", value)
        value = value.removeprefix(f"{phrases.shown(one.clause.me)}'s ").removeprefix("own ")
        since, precision = one.since()
        holds = not one.ended and not one.no
        if one.no and _HERE.match(low, begin + len(head), one.clause.stop):
            return
        yield one.say("has", value, holds=holds, since=since if holds else None, precision=precision if holds else None)
        if holds and (
            called := re.compile(r"\s+(?:named|called)\s+(?=\S)").match(low, begin + len(head), one.clause.stop)
        ):
            yield from _called(one, head, called.end())


_MAKE = re.compile(r"an? (?:\d{4} )?[A-ZÀ-Þ][\w-]+(?: [A-Z0-9][\w-]*){0,2}$")
"""What has a maker's name: "a Skoda"."""
_HEALTH = re.compile(
    r"\b(?:type [12] )?(?:diabetes|asthma|adhd|autism|arthritis|epilepsy|anxiety|depression"
    r"|migraines?|insomnia|celiac disease|ibs|eczema|psoriasis|ptsd|ocd|dyslexia|tinnitus"
    r"|hypertension|high blood pressure|scoliosis|endometriosis|sleep apnea|(?:gluten|lactose) intolerance)\b"
)
_HERE = re.compile(
    r"\s+(?:with me|on me|here|right now|today|at the moment|handy|nearby|around|available|to hand|yet|in stock)\b"
)
_ILL = re.compile(
    r"(?:(?:an?|my|mild|severe|chronic|bad|really|terrible|clinical|seasonal|social|generali[sz]ed"
    r"|rheumatoid|frequent|constant|both|inattentive|adult|undiagnosed|diagnosed|high|really bad"
    r"|occasional|and|osteo|some|any|no|pretty|quite|slight|gestational|postpartum"
    r"|exercise-induced|cluster|major|general)[ -])*"
)


def _denied(one: Said) -> Said:
    one.no = True
    return one


def _called(one: Said, head: str, at: int) -> Iterator[Statement]:
    """The name in "a dog named Rex"."""
    noun = re.search(rf"({phrases.KIN}|{phrases.BREEDS})\s*$", head)
    if noun is None:
        return
    if not one.clause.text[at : at + 1].isupper() and any(c.isupper() for c in one.clause.text):
        return
    found = phrases.name(one.clause, at)
    if found is not None and re.match(r"(?:an?|my|our|one)\b", head):
        yield kin(one.clause, noun[1], found, subject=one.subject)


def kin(
    clause: Clause,
    noun: str,
    at: tuple[int, int],
    *,
    subject: str | None = None,
    spans: tuple[tuple[int, int], ...] = (),
) -> Statement:
    """ "my sister Clara", as a statement."""
    return stated(clause, f"{kin_relation(noun)}:{noun}", clause.text[at[0] : at[1]], subject=subject, spans=spans)


def kin_relation(noun: str) -> str:
    last = noun.split()[-1]
    if re.fullmatch(phrases.PARTNERS, last) and noun != "business partner":
        return "partner"
    if re.fullmatch(phrases.RELATIVES, noun):
        return "relative"
    if re.fullmatch(f"{phrases.PETS}|{phrases.BREEDS}", noun):
        return "pet"
    return "friend"


_GOT_KINDS = re.compile(
    r"\s+(?:(?:myself|ourselves)\s+)?(?=an?\s|my\s|our\s|the\s|some\s|two\s|three\s|four\s|five\s|\d)"
)
_FOR_OTHERS = re.compile(
    r"\b(?:for (?:my|our|his|her|their|a|the|him|them|someone|\w+'s)|as a gift|gift|from (?:the "
    r")?(?:library)|present)\b"
)


def gets(one: Said) -> Iterator[Statement]:
    """ "I bought a bike", "we adopted a cat named Miso"."""
    if one.no or one.never or one.form not in ("", "have"):
        return
    if one.verb == "got" and one.form == "have" and not (one.adverbs & {"just", "recently", "finally", "already"}):
        return
    match = one.after(_GOT_KINDS)
    if match is None:
        return
    found = phrases.thing(one.clause, match.end(), 8)
    if found is None or phrases.addressed(one.clause, *found):
        return
    start, stop = found
    words = one.low[start:stop]
    tail = one.low[start : one.clause.stop]
    if _FOR_OTHERS.search(tail):
        return
    cut = re.compile(
        r"\s+(?:named|called|from|at|in|on|with|to|for|by|off|out|down|back|and|of|through|that|as"
        r"|during|via|online|last|about|cheap|second-hand|secondhand|used|delivered|repaired|fixed"
        r"|cleaned|stolen|serviced|towed|installed|set up|working|ready)\b"
    ).search(words)
    head = words[: cut.start()] if cut else words
    if cut and re.match(
        r"\s+(?:back|to|off|out|repaired|fixed|cleaned|stolen|serviced|towed|installed|working|ready"
        r"|about|set|as|delivered)\b",
        cut[0],
    ):
        return
    owned = list(_OWNED.finditer(head))
    if (
        not owned
        or owned[-1].end() < len(head)
        or _NO_THING.search(head)
        or _HEALTH.search(head)
        or head.startswith("the ")
    ):
        return
    if head.startswith(("my ", "our ")) and not re.match(r"(?:my|our) (?:first|new|own|second|very)\b", head):
        return
    told = one.told()
    value = re.sub(rf"^{re.escape(phrases.shown(one.clause.me))}'s ", "", one.words((start, start + len(head))))
    yield one.say(
        "has", value, since=told.first if told else None, precision=told.precision if told else None, confidence=0.85
    )
    if called := re.compile(r"\s+(?:named|called)\s+(?=\S)").match(one.low, start + len(head), one.clause.stop):
        yield from _called(one, head, called.end())


def gives_up(one: Said) -> Iterator[Statement]:
    """ "I sold my car", "I got rid of my bike"."""
    if one.no or one.never or one.form not in ("", "have"):
        return
    match = one.after(
        re.compile(
            r"\s+(?:away\s+|rid of\s+)?(?:my|our|the)\s+(?:(?:old|beloved|trusty|used|vintage|first"
            r"|second)\s+)*(?=\S)"
        )
    )
    if (
        match is None
        or (one.verb == "got" and "rid of" not in match[0])
        or (one.verb in ("gave", "given") and "away" not in match[0])
    ):
        return
    if " the " in match[0] and one.verb in ("lost", "got"):
        return
    found = phrases.thing(one.clause, match.end(), 4)
    if found is None:
        return
    words = one.low[found[0] : found[1]]
    cut = re.compile(r"\s+(?:on|to|for|at|in|of|from|and|with|through|via|online)\b").search(words)
    head = words[: cut.start()] if cut else words
    owned = list(_OWNED.finditer(head))
    if not owned or owned[-1].end() < len(head) or re.search(r"\b(?:plants|business|company)\b", head):
        return
    told = one.told()
    yield one.say(
        "has",
        one.words((found[0], found[0] + len(head))),
        holds=False,
        until=told.first if told else None,
        precision=told.precision if told else None,
        text=f"{phrases.shown(one.subject)} {one.words((one.at, end_of(one)))}",
    )


_MINE = re.compile(
    r"\b(?:my|our) (?P<adj>(?:(?:new|old|own|other|first|second|two|three|four|five|six|small|big|little|vintage"
    r"|antique"
    r"|favou?rite|current|whole|entire|lovely|trusty|beautiful|electric|digital|smart|portable|acoustic|rescue|golden"
    rf"|grandmother's|grandfather's|younger|older|twin|eldest|youngest) )*)(?P<what>(?:\w[\w&-]* "
    rf"){{0,4}}?)(?P<noun>{_OWNED_WORDS}"
    r"|earrings|necklace|bracelet|ring|(?:\w+ )?collection|figures|figurines|records|vinyl|soundbar|e-reader|ereader"
    r"|handbag|purse|wallet"
    r"|sunglasses|glasses|sneakers|boots|shoes|jacket|coat|dress|suit|heels|rug|lamp|dresser|bookshelves|armchair"
    r"|coffee table|dining table|nightstand|cookware|skillet|wok|slow cooker|toaster|kettle|rice cooker|waffle iron"
    r"|pasta maker"
    r"|stand mixer|juicer|router|hard drive|laptop bag|charger|gouramis?|guppies|tetras?|betta(?: fish)?|hens?"
    r"|goldfish|tomato plants"
    r"|herb garden|vegetable garden|fish tank|rv|jeep|mustang|galaxy s\d+|pixel \d+|iphone \d+\w*|(?:lake|beach"
    r"|summer|guest|vacation) house"
    r"|sewing room|home office|workshop|shed|backyard|balcony|patio|studio|store|shop|business|startup|practice"
    r"|salon|farm)"
    r"(?![\w'’-])(?=\s*(?:[.,;:!?)…—]|$)|\s+[-–—(]|\s+(?:and|to|for|in|on|at|with|so|is|are|has|have|can|from|that"
    r"|which|when|as|but|or|by"
    r"|because|who|if|while|since|soon|now|too|without|i|it|it's|we|this|these|last|today|tomorrow|yesterday|during"
    r"|after|before|into|through|across"
    r"|using|will|would|should|could|a|an|the|my|than|over|under|off|out|up|again|lately|right|every|next|instead"
    r"|because|more|better|around|near"
    r"|loves?|likes?|needs?|isn't|doesn't|keeps?|named|called|\w{3,}(?:ed|ly|ing))\b)"
)
_PLURAL = re.compile(r"(?:(?<!len)(?<!s)s|sses|children|kids|people|fish|drums|glasses|shoes|ware|vinyl|headphones)$")
_MASS = re.compile(
    r"(?:cookware|vinyl|diabetes|asthma|adhd|autism|arthritis|epilepsy|anxiety|depression|insomnia|ibs|eczema"
    r"|psoriasis|ptsd|ocd)$"
)
_NOT_MINE = re.compile(
    r"\b(?:dream|target|rental|downward-facing|upward-facing|future|next|late|former|ex|lost|stolen|imaginary"
    r"|friend's|friends'|brother's|sister's|mom's|dad's|mother's|father's|boss's"
    r"|neighbou?r's|parents'|partner's|wife's|husband's|roommate's|cousin's|ideal|potential|upcoming|missing"
    r"|previous|last|and|or|to|in|on|of|for|with"
    r"|at|is|was|has|are|were|the|a|an|that|which|who|from|this|like|love|want|need|have|team|class|school|office"
    r"|company|city|local|i|we|you|he|she|they|it|when|if|as|while|who|so|but|not|can|will)\b"
)
_NOT_HELD = re.compile(
    rf"(?:{phrases.PARTNERS}|cousins?|nieces?|nephews?|roommates?|baby|partner|grandchildren|grandkids|grandson"
    r"|granddaughter|visa|passport|phd|degree|mba|(?:bachelor|master)'?s?(?: degree)?|amp|bed|bass|watch|class|twin"
    r"|website"
    r"|membership|subscription|collection|pet|plants?|store|shop|business|practice|ring)"
)
"""What "my" goes with for other reasons, too: people who have names, what one applies for, what a client has."""


def possessions(sentence: Sentence, said: Sequence[Statement]) -> Iterator[Statement]:
    """ "… to go with my new smart TV": what somebody takes for granted that he has, in questions too.

    `said` is what his turn has said so far: nothing is told a second time, nor against that.
    """
    low, text = sentence.low, sentence.turn.text
    if not _MY.search(low, sentence.start, sentence.stop) or _GONE.search(low, sentence.start, sentence.whole):
        return
    told = [folded(one.value).split()[-1:] for one in said if one.relation == "has" or one.relation.startswith("pet:")]
    for match in _MINE.finditer(low, sentence.start, sentence.stop):
        noun = match["noun"]
        left = _LEFT_HOME if _HOME.search(noun) else _LEFT
        if left.search(low, sentence.start, match.start()):
            continue
        if _NOT_MINE.search(match["adj"] + match["what"]) or _HEALTH.search(noun) or noun.split()[-1:] in told:
            continue
        skipped = _SKIPPED.match(match["adj"])
        start, stop = match.start("adj") + (skipped.end() if skipped else 0), match.end("noun")
        value = text[start:stop]
        human = _HUMAN.fullmatch(noun) is not None
        if len(value) > 60 or (_NOT_HELD.fullmatch(noun) and (human or noun == value.lower())):
            continue
        if human and re.match(r",? [A-ZÀ-Þ]|['’]", text[stop : stop + 3]):
            continue  # whose name says it
        many = _PLURAL.search(noun) or _MASS.search(noun) or _SOME.match(value)
        article = "" if many else "an " if _VOWEL.match(value) else "a "
        told.append(noun.split()[-1:])
        yield stated(
            Clause(sentence, match.start(), stop),
            "has",
            value,
            text=f"{phrases.shown(sentence.me)} has {article}{value}",
            spans=((match.start(), stop),),
            confidence=0.7,
        )


_VOWEL = re.compile(r"(?!u[ks]|uni|one)[aeiou]", re.IGNORECASE)
_MY = re.compile(r"\b(?:my|our) ")
_SOME = re.compile(r"(?:two|three|four|five|six)\b")
_GONE = re.compile(
    r"\b(?:sold|sell|selling|lost|gave|given away|donated?|returned|stolen|stole|died|dead|passed(?: away)?|put down"
    r"|threw|thrown|got rid"
    r"|get rid|used to|when i was|as a (?:kid|child)|childhood|growing up|back then|years ago|no longer|don't have"
    r"|broke up|ex|was|were"
    r"|had|wish|if|would be|missing|replaced?|replacing|traded|trade|imaginary|pretend|future|someday|one day)\b"
)
"""What may say that a thing is had no more, or not yet."""
_HOME = re.compile(
    r"(?:house|home|apartment|flat|condo|studio|cottage|loft|room|office|business|company|startup|farm)$"
)
_OUT_OF = (
    r"mov(?:ed|ing) (?:out|away) (?:of|from)|(?:kicked|thrown|forced|priced) out of|evicted from|vacat(?:ed|ing)"
    r"|g(?:ave|iven|iving) up|part(?:ed|ing) with|let go of"
)
_LEFT = re.compile(rf"\b(?:{_OUT_OF}) $")
_LEFT_HOME = re.compile(rf"\b(?:{_OUT_OF}|left|leaving|moved from|moving from|checked out of) $")
"""What stands right before what somebody has left behind: a bag that is left is had, a flat is not."""
_HUMAN = re.compile(
    rf"{phrases.PARTNERS}|cousins?|nieces?|nephews?|roommates?|baby|grandchildren|grandkids|grandson|granddaughter"
    rf"|sons?"
    r"|daughters?|sisters?|brothers?|siblings?|twins|kids?|children|toddlers?|twin"
)
_SKIPPED = re.compile(r"(?:(?:own|other|favou?rite|current|whole|entire|first|old|lovely|trusty|beautiful) )*")
