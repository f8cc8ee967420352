"""Phrases of a clause: places, names, things, lists; and the clause said in the third person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mnemic import dates
from mnemic.rules.talk import Clause, listing
from mnemic.statements import USER, Span, Statement, relation

# -- who

PARTNERS = "wife|husband|girlfriend|boyfriend|fiancée?|fiance|spouse|partner"
RELATIVES = (
    "(?:(?:grand|great-?grand|step|half-?|twin |foster )?(?:mother|father|mom|mum|mommy|dad|daddy"
    "|sister|brother|son|daughter|parents?)"
    "|(?:(?:mother|father|sister|brother|son|daughter)-in-law)|grandma|grandpa|granny|nana|sis"
    "|bro|aunt|auntie|uncle|cousin|niece"
    "|nephew|twin|stepson|stepdaughter|godmother|godfather|godson|goddaughter|grandson|granddaughter)"
)
FRIENDS = (
    "(?:friend|bestie|buddy|bff|colleague"
    "|co-?worker|boss|manager|roommate|flatmate"
    "|housemate|neighbou?r|mentor|therapist|landlord|landlady|classmate|teammate|supervisor"
    "|trainer|tutor|supervisor|business partner|band ?mate)"
)
PETS = (
    "dog|puppy|pup|cat|kitten|kitty|parrot|rabbit|bunny|hamster|horse|pony|turtle|tortoise|snake"
    "|canary|finch|axolotl|chinchilla|hedgehog|gerbil|guinea fowl|duck|goose|alpaca|llama|donkey|rat"
    "|spider|tarantula|frog"
    "|lizard|gecko|guinea pig|ferret|goldfish|parakeet|budgie|cockatiel|pet"
)
BREEDS = (
    "beagle|poodle|labrador|lab|retriever|golden retriever|corgi|husky|dachshund|bulldog|pug"
    "|terrier|shepherd|german shepherd|border collie"
    "|collie|spaniel|chihuahua|greyhound|whippet|dalmatian|tabby|siamese|maine coon|labradoodle"
    "|goldendoodle|rottweiler|boxer|shih tzu"
)
KIN = rf"(?:{PARTNERS}|{RELATIVES}|{FRIENDS}|{PETS})"
ADJECTIVES = (
    "(?:(?:older|younger|elder|eldest|oldest|youngest|big|little|middle|twin|late|dear|best|new"
    "|own|other|only|first|second|baby|rescue|fellow|beloved|lovely|sweet|close|closest|good|childhood|former"
    "|older|elderly) )*"
)
MY_KIN = re.compile(rf"(?:my|our) (?P<adj>{ADJECTIVES})(?P<noun>{KIN})\b(?!-)")
MY_MANY = re.compile(
    rf"(?:my|our) (?P<adj>{ADJECTIVES})(?P<noun>(?:grand)?parents|in-laws|kids|children|sons|daughters|sisters"
    rf"|brothers|siblings"
    r"|twins|cats|dogs|cousins|friends|colleagues|coworkers|roommates|neighbou?rs)\b"
)
MANY = re.compile(
    r"'s (?:(?:grand)?parents|in-laws|kids|children|sons|daughters|sisters|brothers|siblings|twins|cats|dogs|cousins"
    r"|friends|colleagues|coworkers|roommates|neighbou?rs)$"
)
HER = listing(
    "wife girlfriend fiancée mother mom mum mommy sister daughter grandma granny nana sis aunt "
    "auntie niece stepdaughter godmother goddaughter granddaughter landlady grandmother "
    "stepmother mother-in-law sister-in-law daughter-in-law stepsister stepmom"
)
HIM = listing(
    "husband boyfriend father dad daddy brother son grandpa bro uncle nephew stepson godfather "
    "godson grandson landlord grandfather stepfather father-in-law brother-in-law son-in-law "
    "stepbrother stepdad"
)

NO_NAMES = frozenset(
    {name.lower() for name in dates.CALENDAR}
    | listing(
        "i god christmas easter thanksgiving halloween lol omg btw the a an my and but so if it "
        "he she they we you this that these those is was are has had"
        " hi hey hello ok okay yes no thanks thank please sorry ugh yeah oh wow what who how when "
        "where why which do does did can could will would in on at"
        " facebook instagram google python zoom netflix youtube amazon apple tv usa uk us eu "
        "american english french german spanish italian chinese japanese indian"
        " korean irish mexican canadian jewish christian muslim catholic african asian european "
        "valentine covid mr mrs ms dr not just also really mom dad mum"
        " tinder linkedin twitter reddit discord spotify phd mba ceo cto"
    )
)
NAME = re.compile(
    r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][\w\-]*(?:(?: [A-ZÀ-ÖØ-Þ]\.)?(?: (?:de |da |van |von |del |la |di |O'"
    r"|Mc)*[A-ZÀ-ÖØ-Þ][\w\-]+)){0,2}|[A-ZÀ-ÖØ-Þ]{2,3}(?=[ ,.!])"
)
PLACE = re.compile(
    r"(?P<pre>(?:(?:the|downtown|central|north|south|east|west|northern|southern|eastern|western"
    r"|upstate|rural|suburban|greater|sunny|beautiful|old|inner|outer|midtown"
    r"|a (?:small |little |tiny |quiet |big |lovely |nice )?(?:suburb|town|village|city"
    r"|neighbou?rhood|part) (?:of|in|near|outside|outside of|called|named|just outside(?: of)?)"
    r"|(?:the )?(?:suburbs|outskirts|heart|middle|center|centre|north|south|east|west|countryside"
    r"|city|state|bay area|greater area) (?:of|in|near)) )*)"
    r"(?P<name>[A-ZÀ-ÖØ-Þ][\w'’.\-]*[\w](?:(?:,? |-)(?:(?:of|de|la|le|los|las|el|del|do|da|dos"
    r"|upon|am|an der|und|and the|the|sur|by the) )?[A-ZÀ-ÖØ-Þ][\w'’.\-]*\w)*)"
)
_NO_PLACE_AFTER = re.compile(
    r"\s+(?:plan|tier|version|package|account|team|department|role|position|group|office|framework|library|subscription"
    r"|method|approach|school of thought|system|format|model|class|method|story|dialogue)\b"
)
_NO_PLACES = listing(
    "mars moon venus jupiter heaven hell hogwarts narnia wonderland asgard middle-earth gotham "
    "atlantis camelot neverland "
    "python react flask django docker slack notion excel google apple microsoft linux mac macos "
    "windows android ios spotify netflix postgres postgresql mysql sqlite mongodb redis aws azure"
    " kubernetes java javascript typescript rust golang node vue angular github gitlab jira "
    "trello asana zoom teams gmail outlook facebook instagram twitter linkedin hr it ai ml plan "
    "phase step"
    " chapter version bootstrap heroku render vercel stripe paypal amazon god christ jesus "
    "gryffindor zotero scrivener chrome firefox safari i i'm"
    " monday tuesday wednesday thursday friday saturday sunday january february march april june "
    "july august september october november december"
)

# -- things

_CUT = re.compile(
    r"(?<=\S)[,;:!?()\[\]\"*]|(?<!(?<!')\b[a-z])(?<!\b(?:dr|mr|ms|st|vs))(?<!\bmrs)\.(?=\s|$|\.)|\s[-–—]+(?=\s)|—|…|\n"
    r"|[\U0001f300-\U0001faff\u2600-\u27bf]|\s(?:and (?:i|i'm|i've|i'd|i'll|we|we're|it|it's|he"
    r"|she|they|my|that|that's|then|now|there|you|your|this|have|has|am|is|are|would|want|need"
    r"|was|can|will|do|don't|try|think|hope|also|just|so|never|always|not|been|had|got|even|love"
    r"|like|hate|enjoy|prefer|live|work|what|how|he's|she's|they're|could|should|might|find|feel"
    r"|wanted|started|know|spend|use|make|go|get|see|looking|trying)\b|but|because|'cause|cuz|so"
    r"|which|who|whose|where|when|while|whenever|if|unless"
    r"|although|though|since|after|before|until|till|than|especially|particularly|including|these "
    r"days|nowadays|lately|recently|right now|at the moment|currently|now|too|as well|as much|as i"
    r"|as it|as they|as we|anymore"
    r"|any more|any longer|either|again|already|instead|btw|by the way|lol|haha|please|thanks|to "
    r"help|for example|for now|for reference|for context|in case|every time|all of which|still"
    r"|however|that (?:i|i'm|i've|we|is|are|was|were|has|have|can|will|my|the|it|he|she|they|would"
    r"|could|make|makes|help|helps)|a lot|so much|very much|the most|and more|and stuff|or "
    r"(?:something|anything|whatever)|etc|such as|whether|what|how|whereas|despite|thanks to|due "
    r"to|most of|all the time)(?![\w'])"
)
_DET = re.compile(r"(?:a|an|the|my|our|some|any|this|that|his|her|their|your|its|these|those)\s+")
_TRAIL = re.compile(
    r"(?:[\s\-–—'’\"]|\s(?:to|for|of|in|on|at|with|and|or|by|from|the|a|an|about|as|that|just|also"
    r"|really|is|i|my|only|even|up to|around|like|via|not|so|be|both|very)(?=$))+$"
)


def thing(clause: Clause, at: int, most: int = 8, *, stop: int | None = None) -> tuple[int, int] | None:
    """Where a thing named from `at` on stands, up to the next joint of the clause; None for none, or too much."""
    low = clause.low
    end = clause.stop if stop is None else stop
    while at < end and low[at] in " \t":
        at += 1
    if at < end and low[at] == '"':
        close = low.find('"', at + 1, end)
        return (at + 1, at + 1 + len(low[at + 1 : close].rstrip(" ,."))) if close > at + 2 else None
    if (cut := _CUT.search(low, at, end)) is not None:
        end = cut.start()
    for told in clause.times:
        if at < told.start < end:
            end = told.start
    before = -1
    while before != end:
        before = end
        end = at + len(low[at:end].rstrip())
        if (trail := _TRAIL.search(low[at:end])) is not None:
            end = at + trail.start()
    if end <= at or not any(c.isalnum() for c in low[at:end]) or low[at:end].count(" ") >= most:
        return None
    return at, end


def bare(low: str, start: int, stop: int) -> int:
    """Where a thing begins without its determiner."""
    det = _DET.match(low, start, stop)
    return start if det is None else det.end()


def place(clause: Clause, at: int) -> tuple[int, int] | None:
    """Where a place stands: a name with capitals, or in a text without capitals one or two words."""
    text, low = clause.text, clause.low
    found = PLACE.match(text, at, clause.stop)
    if found is not None:
        first = found["name"].split()[0].strip(",.").lower()
        name = found["name"]
        if (
            first in _NO_PLACES
            or any(c.isdigit() for c in name)
            or first.endswith("'s")
            or (name.isupper() and len(name) > 3)
        ):
            return None
        if _NO_PLACE_AFTER.match(low, found.end()):
            return None
        end = found.end()
        for told in clause.times:
            if found.start("name") < told.start < end:
                end = told.start
        end = at + len(text[at:end].rstrip(" ,.'’"))
        # A month, or a name after a comma that opens another clause, is no part of the place.
        words = text[at:end].split(", ")
        kept = len(words[0])
        for word in words[1:]:
            if word.split()[0].lower() in NO_NAMES - {"us", "uk", "usa"} or len(words) > 3:
                break
            kept += 2 + len(word)
        return at, at + kept
    if any(c.isupper() for c in text[clause.start : clause.stop]):
        return None
    plain = re.compile(
        r"(?:the )?[a-z][\w-]+(?: [a-z][\w-]+)?(?=\s*(?:[,.!]|$| (?:now|and|with|since|for|but)\b))"
    ).match(low, at, clause.stop)
    if plain is None or _NO_PLACE_WORDS.search(plain[0]):
        return None
    end = min([plain.end(), *(t.start for t in clause.times if t.start > at)])
    end = at + len(low[at:end].rstrip())
    return (at, end) if end > at + 2 else None


_NO_PLACE_WORDS = re.compile(
    r"\b(?:a|an|my|our|your|his|her|their|this|that|fear|peace|hope|denial|chaos|poverty|constant"
    r"|it|moment|past|present|future|harmony|sin|luxury|comfort|there|here|house|apartment|flat"
    r"|city|town|country|countryside|suburbs|area|dorms?|basement|room|place|next|new|bigger"
    r"|smaller|different|another|one|same|world|bed|tears|rent|pain|what|which|place|more|less|"
    r"management|marketing|sales|tech|remote|home|team|role|work|forward|on|again|in|now|back|out"
    r"|up|down|over|away|from|by)\b"
)

_COMPANY = re.compile(
    r"(?:the )?(?P<name>[A-ZÀ-ÖØ-Þ0-9][\w&'’.\-]*(?:(?: &| and| of| for| de| the|) ?(?<= )[A-ZÀ-ÖØ-Þ][\w&'’.\-]*)*)"
)
_EMPLOYER = re.compile(
    r"(?:an?|the|my (?:dad|mom|father|mother|uncle|aunt|family|brother|sister)'s|our (?:local"
    r"|family)) (?:[\w&'-]+ ){0,4}?(?:company|startup|start-up|firm|agency|hospital|clinic|school"
    r"|university|college|bank|restaurant|cafe|café"
    r"|bakery|shop|store|bookstore|bookshop|library|museum|studio|lab|laboratory|nonprofit"
    r"|non-profit|ngo|charity|hotel|bar|pub|gym|factory|warehouse|farm|garage|salon|pharmacy"
    r"|supermarket|grocery store|newspaper|magazine"
    r"|publisher|airline|airport|shelter|daycare|kindergarten|nursery|nursing home|call center|law "
    r"firm|consultancy|business|practice|salon|spa|theater|theatre|zoo|vet|dealership|brewery"
    r"|coffee shop|tech company|university hospital|institute|church|government|city council|post "
    r"office|police department|fire department|bike shop|diner|cinema|record label|production "
    r"company|retailer|corporation|organi[sz]ation)\b(?!\s+of\b)"
)


def employer(clause: Clause, at: int) -> tuple[int, int] | None:
    """Where it is said for whom somebody works: a name with capitals, or "a small law firm"."""
    text, low = clause.text, clause.low
    if (found := _EMPLOYER.match(low, at, clause.stop)) is not None:
        end = found.end()
        if (called := re.compile(r" (?:called|named) ").match(low, end)) and (
            name := _COMPANY.match(text, called.end(), clause.stop)
        ):
            return called.end(), _name_end(clause, called.end(), name.end())
        return at, end
    if (found := _PLAIN_EMPLOYER.match(low, at, clause.stop)) is not None and not _NO_PLAIN_EMPLOYER.search(found[0]):
        return at, found.end()
    found = _COMPANY.match(text, at, clause.stop)
    if found is None and not any(c.isupper() for c in text[clause.start : clause.stop]):
        plain = re.compile(r"[a-z][\w&.-]{2,}(?=\s*(?:[.,!]|$|as\b|now\b|and\b))").match(low, at, clause.stop)
        return None if plain is None or _NO_EMPLOYERS.fullmatch(plain[0]) else (at, at + len(plain[0].rstrip(".")))
    if (
        found is None
        or found["name"].lower().split()[0] in (NO_NAMES - _EMPLOYERS)
        or not any(c.isalpha() for c in found["name"])
    ):
        return None
    end = _name_end(clause, at, found.end())
    if _SOMEBODY_OF.match(low, end):
        return None
    own = _OWN_NAME.match(text, end, clause.stop)
    return at, end if own is None else own.end()


# "St Mary's hospital", "Sotheby's in London"; not "Google's office".
_OWN_NAME = re.compile(
    r"['’]s(?: (?:hospital|clinic|hospice|surgery|school|church|college|university|cathedral|nursery|academy)\b"
    r"|(?=\s*(?:[.,;!?)]|$)| (?:in|on|at|as|and|or|but|for|since|from|until|now|near|by|with|where|which|because)\b))"
)
_SOMEBODY_OF = re.compile(
    r"['’]s (?:\w+ )?(?:brother|sister|father|mother|dad|mum|mom|parents|uncle|aunt|cousin|friend|wife|husband|family"
    r"|boss|son|daughter|neighbou?r)\b"
)
_PLAIN_EMPLOYER = re.compile(
    r"(?:an?|the) (?:[a-z&'-]+ ){0,2}(?:post|town hall|city hall|aquarium|court|courthouse|council|embassy|consulate"
    r"|prison|station|bookies"
    r"|pool|marina|harbou?r|port|dealer|workshop|mill|plant|mine|vineyard|winery|orchard|dairy|butcher's|baker's"
    r"|florist|printer's|print shop|opera"
    r"|circus|park|observatory|archive|gallery|auction house|travel agency|call centre|distillery|refinery|shipyard"
    r"|railway|ministry|army|navy"
    r"|police|fire brigade|campus|dorm|hospice|care home|kennel|stables?|ranch|casino|nightclub|club|food truck"
    r"|stall|market|mall|theme park"
    r"|resort|hostel|lodge|campsite|ski resort|radio station|tv station|broadcaster|foundation|union|parliament"
    r"|senate)\b"
)
_NO_PLAIN_EMPLOYER = re.compile(r"\b(?:moment|same|next|best|other|best)\b")
_NO_EMPLOYERS = re.compile(
    r"home|nights?|work|least|all|times|free|myself|school|university|college|day|days|that|this"
    r"|him|her|them|you|hours|weeks|months|years|tips|money|nothing|fun|minimum|both|food|once"
    r"|first|least|best|present|last|long|now|ages|a"
    r"|it|noon|midnight|height|sea|scale|length|large|church|hospital|uni"
)
_EMPLOYERS = frozenset(
    {
        "facebook",
        "instagram",
        "google",
        "zoom",
        "netflix",
        "youtube",
        "amazon",
        "apple",
        "spotify",
        "linkedin",
        "twitter",
        "reddit",
        "discord",
        "tinder",
    }
)


def _name_end(clause: Clause, at: int, end: int) -> int:
    for told in clause.times:
        if at < told.start < end:
            end = told.start
    while (cut := re.search(r"(?:\s(?:and|of|for|de|the)|[.'’&\s]|['’]s)$", clause.text[at:end])) is not None:
        end = at + cut.start()
    return end


def name(clause: Clause, at: int) -> tuple[int, int] | None:
    """Where the name of a person or a pet stands."""
    found = NAME.match(clause.text, at, clause.stop)
    if found is None:
        return None
    first = found[0].split()[0].lower().split("-")[0]
    if first in NO_NAMES or first.endswith(("n't", "'m")):
        return None
    end = found.end()
    words = found[0].split(" ")
    for number, word in enumerate(words[1:], 1):
        if word.lower() in NO_NAMES:
            end = at + len(" ".join(words[:number]))
            break
    if clause.text[end : end + 1] in ("'", "’") and clause.text[end + 1 : end + 2].lower() not in ("s", ""):
        return None
    return at, end


_LIST = re.compile(r"\s*,\s*(?:and |or |but )?|\s+(?:and|or|&)\s+")


def listed(clause: Clause, start: int, stop: int) -> list[tuple[int, int]]:
    """A list as its members, where each is short; else the whole as one."""
    low = clause.low
    found: list[tuple[int, int]] = []
    begin = start
    for cut in [*_LIST.finditer(low, start, stop), None]:
        end = stop if cut is None else cut.start()
        if end > begin:
            found.append((begin, end))
        begin = stop if cut is None else cut.end()
    if len(found) < 2 or any(low[a:b].count(" ") > 2 for a, b in found):
        return [(start, stop)]
    *first, last = (low[a:b] for a, b in found)
    if _KINDS.search(last) and all(" " not in one and not one.endswith("s") for one in first):
        return [(start, stop)]
    return found


_KINDS = re.compile(
    r" (?:movies|films|books|novels|stories|comics|games|music|songs|albums|shows|series|food|dishes|cuisine|cooking"
    r"|sports|dances?|classes|lessons|magazines|podcasts|documentaries|art|styles|colou?rs|clothes|flavou?rs|wines?"
    r"|beers?|teas?|languages|literature|history)$"
)
"""Kinds that all members of a list may share: "action and sci-fi movies" are no list of action."""


def series(clause: Clause, at: int, most: int = 6) -> list[tuple[int, int]]:
    """The members of "tea, coffee and long walks" from `at` on; commas join only where an "and" follows."""
    one = thing(clause, at, most)
    if one is None:
        return []
    low = clause.low
    more = re.compile(
        r"((?:, (?!and |but |so |which |who |especially |it |i |we )[\w' -]{2,24}){0,4},? and [\w' "
        r"-]{2,30})(?=[.,!;)]|$|\s[-–—])"
    ).match(low, one[1], clause.stop)
    if more is not None and low[one[0] : one[1]].count(" ") < 3:
        end = more.end()
        if not re.search(
            r"\b(?:and|,) (?:i|i'm|we|it|he|she|they|my|that|then|have|am|is|are|would|want|can|will"
            r"|do|don't|so|the|now)\b",
            more[0],
        ):
            tail = thing(clause, low.rfind(" and ", one[1], end) + 5, most)
            if tail is not None and tail[1] <= end:
                return listed(clause, one[0], tail[1])
    return listed(clause, *one)


# -- said in the third person

_ME = re.compile(
    r"(?<![\w'-])(?:i (?P<verb>(?!am\b|have\b|was\b)[a-z]+)(?![\w'-])|i don't|i haven't|i'm|i am|i've|i have|i'll"
    r"|i'd|i was|myself|my|mine|me|i|ourselves|our|ours|us|we're|we've|we'll|we'd|we)(?![\w'-])"
)
_PLAIN_VERB = re.compile(
    r"(?!\w*(?:ed|ly)$|(?:can|could|will|would|should|shall|may|might|must|had|did|went|got|was"
    r"|saw|met|made|took|found|bought|gave|left|began|said|told|also|just|never|always|often|still"
    r"|now|really|first|last"
    r"|wrote|read|won|lost|ran|felt|thought|knew|had|came|kept|put|set|cut|became|grew|and|or|in|on|at)$)[a-z]+"
)
_YOU = re.compile(r"\b(?:you|your|you're|yours|yourself|u|ur|ya|y'all)\b")
_INVERTED = re.compile(
    r"\b(?:he|she|they|it|him|her|them|his|their|this|that|these|those|it's|he's|she's|there|here)\b"
)


def shown(subject: str) -> str:
    """A subject as a text names it: the user, the user's sister, Ana."""
    return "the " + subject if subject == USER or subject.startswith(USER + "'s ") else subject


def third(clause: Clause, start: int, stop: int) -> str:
    """The words from `start` to `stop` without "I" and "my", their times resolved."""
    text, low, me = clause.text, clause.low, shown(clause.me)
    swaps = {
        "my": me + "'s",
        "mine": me + "'s",
        "our": me + "'s",
        "ours": me + "'s",
        "i'm": me + " is",
        "i am": me + " is",
        "i've": me + " has",
        "i have": me + " has",
        "i was": me + " was",
        "i don't": me + " does not",
        "i haven't": me + " has not",
        "i'll": me + " will",
        "i'd": me + " would",
        "we're": me + " is",
        "we've": me + " has",
        "we'll": me + " will",
        "we'd": me + " would",
    }
    edits = [(t.start, t.end, resolved(clause, t)) for t in clause.sentence.times if start <= t.start and t.end <= stop]
    for match in _ME.finditer(low, start, stop):
        if text[match.start() : match.end()] == "US" or any(a < match.end() and match.start() < b for a, b, _ in edits):
            continue
        new = swaps.get(match[0], me)
        if match["verb"]:
            new = f"{me} {with_s(match['verb']) if _PLAIN_VERB.fullmatch(match['verb']) else match['verb']}"
        edits.append((*match.span(), new))
    made: list[str] = []
    place = start
    for first, last, new in sorted(edits):
        made += (text[place:first], new)
        place = last
    made.append(text[place:stop])
    return " ".join("".join(made).split())


_PREPOSITION = re.compile(r"(?:on|in|since|by|during|from|around|about)(?= )")


def resolved(clause: Clause, told: dates.Told) -> str:
    """A time in words that need no other, with the preposition it was told with: "in May 2024"."""
    before = _PREPOSITION.match(clause.low, told.start, told.end)
    if before is None or told.phrase.startswith(("the ", "around ", "second ")) or told.precision in ("week", "about"):
        return told.phrase
    return f"{before[0]} {told.phrase}"


def addressed(clause: Clause, start: int, stop: int) -> bool:
    """Whether words speak to the one who listens."""
    return _YOU.search(clause.low, start, stop) is not None


def hazy(clause: Clause, start: int, stop: int) -> bool:
    """Whether words point at what only the talk around them tells."""
    return _pointing(clause, start, stop) is not None


def _pointing(clause: Clause, start: int, stop: int) -> int | None:
    """Where words first point at what only the talk around them tells; "this Friday" tells it itself."""
    for match in _INVERTED.finditer(clause.low, start, stop):
        if not any(told.start <= match.start() < told.end for told in clause.times):
            return match.start()
    return None


def vague(clause: Clause, start: int, stop: int) -> bool:
    """Whether words need the talk around them."""
    return hazy(clause, start, stop) or addressed(clause, start, stop)


_CLEAR_JOINTS = re.compile(
    r",? (?:instead of|and|to|for|so|with|on|at|in|from|as|about|by|using|during|before|after|like|or) "
)


def clear(clause: Clause, start: int, stop: int) -> int:
    """Where words from `start` on end before they need the talk around them; `start` where they begin with that."""
    to_you = _YOU.search(clause.low, start, stop)
    places = (None if to_you is None else to_you.start(), _pointing(clause, start, stop))
    found = [place for place in places if place is not None]
    if not found:
        return stop
    joints = [joint.start() for joint in _CLEAR_JOINTS.finditer(clause.low, start, min(found))]
    return joints[-1] if joints else start


def sentence_of(words: str) -> str:
    """Words as a sentence."""
    words = words.strip().rstrip(".!,;: ")
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def stated(
    clause: Clause,
    name: str,
    value: str,
    *,
    subject: str | None = None,
    holds: bool = True,
    text: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    precision: str | None = None,
    spans: Sequence[tuple[int, int]] = (),
    aliases: tuple[str, ...] = (),
    confidence: float = 0.9,
    data: dict[str, Any] | None = None,
) -> Statement:
    """A statement of a clause; its text is the relation's unless one is given."""
    of = subject or clause.me
    known, _, noun = name.partition(":")
    about = relation(known)
    if text is None:
        text = (about.says if holds else about.denies).format(subject=shown(of), value=value, noun=noun)
    first = spans[0] if spans else (clause.start, clause.start + len(clause.words.rstrip()))
    evidence = (Span(clause.turn.id, *first), *(Span(clause.turn.id, *span) for span in spans[1:]))
    return Statement(
        kind=about.kind,
        subject=of,
        relation=name,
        value=value,
        text=sentence_of(text),
        evidence=evidence,
        said=clause.turn.time,
        holds=holds,
        valid_from=since,
        valid_to=until,
        precision=precision,
        aliases=aliases,
        confidence=confidence,
        data=data or {},
    )


# -- forms of verbs

_S_FORMS = {"have": "has", "do": "does", "go": "goes", "am": "is", "are": "is", "be": "is"}


def with_s(verb: str) -> str:
    """The form after "she": run, runs."""
    if verb in _S_FORMS:
        return _S_FORMS[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and len(verb) > 1 and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


_E_STEMS = listing(
    "mak tak us driv smok danc writ bak hik bik shar car lov hat com giv hav rid skat cod manag "
    "prepar tast practic cycl tutor handl mov quot receiv serv chang danc danc judg whil pok "
    "surviv admir vap wast vot sav rais clos div rac plac trad stor battl gambl juggl"
    " purchas los includ compet becom brows collaps decid conclud delet complet postpon tun excit"
    " com practis exercis improv meditat volunteer advis creat translat contribut collaborat "
    "decorat rollerblad argu argu continu pursu skateboard wak dat cod gam typ examin imagin "
    "determin explor restor stor ignor admir acquir desir retir inspir requir celebrat participat "
    "commut hom arriv bit escap fil fram freez graz hop indulg invit jok lung nam not overcom past phon promot reconcil"
    " recycl rins scal schedul scor shak shap smil subscrib til welcom"
) - {"tutor", "volunteer", "skateboard"}


_E_ENDS = re.compile(
    r"(?:[^l]c|v|[ui]at|[^aeou]u|[bdfgkpt]l|[^e]ang|dg|rg|[aeiou]iz|[a-z]iz|[^aeiou]at|[aeiou]{2}s|pos|us"
    r"|[bcdfghlmnprstvw]ir|ur|par|plor"
    r"|[bcdfghjklmnpqrstvwxyz]a[ds]|[^e]ag|[^s]is|i[mnpk]|[aeiou]rs|ens|nut|but|id)$"
)
"""Ends of stems that lost an "e": reduc, improv, handl, chang, organiz, creat, increas, hir."""
_NO_E = listing(
    "focus magic bang hang join begin explain sit hit run win train gain remain maintain obtain rain skim swim"
    " trim skip ship trip chip drink think link sink panic mimic knit visit edit exit submit commit admit permit"
    " bus discus chat pat combat format stir occur occurr spur blur recur detain attain drain pin spin grin claim"
    " aim void avoid aid paid said forbid skid bid tour pour detour put cut shut let but abut"
)


def base(gerund: str) -> str:
    """The form after "to" of a form in -ing: running, run."""
    if gerund in ("lying", "dying", "tying"):
        return gerund[0] + "ie"
    stem = gerund.removesuffix("ing")
    if len(stem) < 2 or stem == gerund:
        return gerund
    if stem in _E_STEMS or (_E_ENDS.search(stem) and stem not in _NO_E):
        return stem + "e"
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lszfeo":
        return stem[:-1]
    return stem


def and_doing(words: str) -> str:
    """A second gerund in the form of the first verb: "relax and recharging" is "relax and recharge"."""
    other = _AND_DOING.search(words)
    if other is None or _OTHER_DOING.search(words[: other.start()]):
        return words
    return words[: other.start(1)] + base(other[1]) + words[other.end() :]


_AND_DOING = re.compile(
    r"\b(?:and|or) ((?!morning|evening|something|anything|everything)[a-z]{2,}ing)\b"
    r"(?= (?:some|an?|the|more|new|less|at|to|with|about|up|for|in|on|from|into|through|rid|[a-z]+'s)\b)"
)
_OTHER_DOING = re.compile(r"[a-z]ing\b|\bof\b")
"""What a second gerund may belong to instead: "a day for washing and ironing"."""
