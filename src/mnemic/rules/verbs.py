"""What somebody is, has, does, likes and did: rules by the verb of a clause.

A clause is read as subject, auxiliaries and verb; the verb names the rules that look at what follows. A rule says what
the words say and no more, and says nothing where it is not sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause
from mnemic.statements import Statement


@dataclass(slots=True)
class Said:
    """A clause taken apart."""

    clause: Clause
    subject: str
    me: bool
    """Whether the speaker is the subject."""
    form: str
    """The auxiliaries: "", "be", "was", "have", "have been", "do", "did", "going", "will", "used", "had"."""
    no: bool
    """Whether it is denied."""
    never: bool
    adverbs: frozenset[str]
    verb: str
    at: int
    """Where the verb stands …"""
    rest: int
    """… and where what follows it does."""
    person: bool = True
    we: bool = False
    aliases: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def low(self) -> str:
        return self.clause.low

    def after(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.low, self.rest, self.clause.stop)

    def third_mismatch(self, verb: str) -> bool:
        """Whether a verb has not the form that its subject asks for: "my brother live", "I lives"."""
        if self.form or verb in _PASTS or verb.endswith(("ed", "ing")) or not verb.isalpha():
            return False
        if self.me or self.we:
            return verb in _THIRD
        return not verb.endswith("s")

    @property
    def ended(self) -> bool:
        """Whether it says "no longer", "not … any more"."""
        return self.no or self.form == "used" or "no longer" in self.adverbs

    def say(self, relation: str, value: str, **more: object) -> Statement:
        more.setdefault("aliases", self.aliases)
        if self.spans:
            more.setdefault("spans", self.spans)
        return stated(self.clause, relation, value, subject=self.subject, **more)  # pyright: ignore[reportArgumentType]

    def words(self, span: tuple[int, int]) -> str:
        return phrases.third(self.clause, *span)

    def told(self) -> dates.Told | None:
        """The one time that the clause tells, if any."""
        times = self.clause.times
        return times[0] if times else None

    def since(self) -> tuple[datetime | None, str | None]:
        """Since when it is so, where "since" or "for" tell it."""
        low = self.low
        for told in self.clause.times:
            if low[max(0, told.start - 6) : told.start].endswith("since ") or low[told.start : told.end].startswith("since "):
                return told.first, told.precision
        for lasting in self.clause.lasting:
            if lasting.since is not None:
                precision = "year" if "year" in lasting.phrase or lasting.phrase.startswith("since") else "month"
                return lasting.since, precision if "month" in lasting.phrase or precision == "year" else "week"
        return None, None

    def until(self) -> tuple[datetime | None, str | None]:
        for told in self.clause.times:
            before = self.low[max(0, told.start - 9) : told.start]
            if re.search(r"(?:until|till|up to|ended?|to) $", before):
                return told.first, told.precision
        return None, None

    def within(self, *forms: str) -> bool:
        return self.form in forms


_SUBJECT_I = re.compile(r"(?:i(?=')|i\b(?![-.&/])|im\b(?= )|ive\b(?= ))")
_SUBJECT_WE = re.compile(r"(?:(?:me|my (?:wife|husband|girlfriend|boyfriend|partner|family)|(?:my )?\w+) and (?:i|me)\b|we(?=')|we\b(?! all))")
_WORD = re.compile(r"\s*(?:('(?:m|re|s|ve|d|ll)\b)|([a-zà-öø-ÿ]+(?:['-][a-zà-öø-ÿ]+)*)|(\d[\d,.]*))")

_BE = frozenset({"am", "is", "are", "'m", "'re", "'s"})
_MODALS = frozenset("would 'd could should might may must can cannot can't couldn't wouldn't shouldn't mightn't ought wanna wish hope".split())
_SKIP = frozenset(
    "still now currently also just really actually always usually often recently finally already only both absolutely totally truly so kinda kind of honestly genuinely simply definitely certainly"
    " personally mostly mainly typically generally normally regularly sometimes quite very pretty originally officially presently basically obviously especially particularly completely proudly happily successfully"
    " sure even then all literally primarily lately long ever since newly deeply strongly sort secretly frankly once too more much super extremely greatly thoroughly particularly rather".split()
)
_DETERMINERS = frozenset("a an the my our two three four five six seven eight nine ten some no one several many this lots plenty another about over around only".split())


def subject_and_verb(clause: Clause, begin: int | None = None) -> tuple[int, int, bool] | None:
    """Where the subject of a clause ends, if it is the speaker: (start, end, whether "we")."""
    at = clause.start if begin is None else begin
    if (one := _SUBJECT_I.match(clause.low, at, clause.stop)) is not None:
        return at, one.end(), False
    if (one := _SUBJECT_WE.match(clause.low, at, clause.stop)) is not None:
        return at, one.end(), True
    return None


def predicate(clause: Clause, end: int, subject: str, *, me: bool, we: bool = False, **more: object) -> Said | None:
    """The auxiliaries and the verb that follow a subject which ends at `end`."""
    low, at, form, no, never = clause.low, end, "", False, False
    adverbs: set[str] = set()
    if low[end - 2 : end] == "im" and low[max(0, end - 3)] != "h":
        form = "be" if me and not we else ""
    elif low[end - 3 : end] == "ive":
        form = "have" if me and not we else ""
    for _ in range(10):
        match = _WORD.match(low, at, clause.stop)
        if match is None:
            return None
        word = match[1] or match[2] or match[3]
        if word.endswith("n't") and word[:-3] in ("do", "does", "did", "is", "are", "was", "were", "have", "has", "had", "wo"):
            no, word = True, {"wo": "will"}.get(word[:-3], word[:-3])
        elif word in ("dont", "didnt", "isnt", "havent", "doesnt"):
            no, word = True, word[:-2]
        if word == "not":
            no = True
        elif word == "never":
            never = True
        elif word == "no" and low.startswith(" longer", match.end()):
            no, at = True, match.end() + len(" longer")
            adverbs.add("no longer")
            continue
        elif word == "used" and low.startswith(" to ", match.end()) and form in ("", "be", "did", "do", "have"):
            if form == "be":
                return None
            form, at = "used", match.end() + 3
            continue
        elif word in _MODALS or (word in ("almost", "nearly", "barely", "hardly", "rarely", "seldom", "scarcely", "supposedly", "probably", "maybe", "perhaps", "possibly", "likely", "apparently")):
            if (word in ("can", "can't", "cannot") and low.startswith((" stand ", " bear "), match.end() + (4 if low.startswith(" not", match.end()) else 0))) or word in ("can't", "cannot", "can"):
                form = "can't" if word != "can" or low.startswith(" not ", match.end()) or "'t" in word else "can"
            else:
                form = "modal"
        elif word in _BE:
            if word in ("'s", "is") and me and not we:
                return None
            form = "be"
        elif word in ("was", "were"):
            form = "was"
        elif word in ("have", "'ve", "has") and form in ("", "do", "did", "used", "will", "going"):
            following = _WORD.match(low, match.end(), clause.stop)
            after = "" if following is None else following[2] or following[3] or ""
            first = after.split("'")[0]
            if word != "'ve" and (first in _DETERMINERS or (after and after[0].isdigit()) or form in ("do", "did", "used", "will", "going") or (after and after not in _SKIP and after not in ("never", "not") and not _PARTICIPLE.fullmatch(after))):
                if after == "to":
                    return None
                return Said(clause, subject, me, form, no, never, frozenset(adverbs), "have", match.start(), match.end(), we=we, **more)  # pyright: ignore[reportArgumentType]
            form = "have"
        elif word == "had" and form == "":
            following = _WORD.match(low, match.end(), clause.stop)
            after = "" if following is None else following[2] or following[3] or ""
            if after.split("'")[0] in _DETERMINERS or after[:1].isdigit():
                return Said(clause, subject, me, form, no, never, frozenset(adverbs), "had", match.start(), match.end(), we=we, **more)  # pyright: ignore[reportArgumentType]
            form = "had"
        elif word in ("do", "does") and form == "":
            form = "do"
            if not no and not low.startswith((" have", " like", " love", " not", " enjoy", " live", " work", " prefer", " really"), match.end()):
                return Said(clause, subject, me, "", no, never, frozenset(adverbs), word, match.start(2), match.end(), we=we, **more)  # pyright: ignore[reportArgumentType]
        elif word == "did" and form == "":
            form = "did"
            if not no:
                following = _WORD.match(low, match.end(), clause.stop)
                if following is None or following[2] in _DETERMINERS:
                    return Said(clause, subject, me, "", no, never, frozenset(adverbs), word, match.start(2), match.end(), we=we, **more)  # pyright: ignore[reportArgumentType]
        elif word in ("will", "'ll", "shall"):
            form = "will"
        elif word == "been" and form == "have":
            form = "have been"
        elif word == "going" and form == "be" and low.startswith(" to ", match.end()):
            form, at = "going", match.end() + 3
            if not re.match(r" ?[a-z]+ing?\b|[a-z]+", low[at + 1 :]):
                return None
            continue
        elif word == "gonna" and form in ("be", ""):
            form = "going"
        elif word in _SKIP:
            adverbs.add(word)
        else:
            start = match.end() - len(match[0].lstrip())
            return Said(clause, subject, me, form, no, never, frozenset(adverbs), word, start, match.end(), we=we, **more)  # pyright: ignore[reportArgumentType]
        at = match.end()
    return None


_PARTICIPLE = re.compile(
    r"[a-z-]{2,20}ed|been|got|gotten|had|done|gone|made|taken|found|bought|felt|told|said|given|left|begun|won|lost|run|written|spent|brought|thought|kept|held|heard|known|sold|stood|fallen|flown|driven|eaten|slept|sent"
    r"|built|caught|taught|chosen|broken|spoken|worn|grown|drawn|thrown|swum|sung|ridden|led|fought|forgotten|understood|become|come|seen|met|read|put|set|cut|quit|hit|paid|grown|taken|shown|dealt|learnt|hurt|let|beaten|bet|dug|drunk|fed|hung|laid|lit|meant|paid|rung|risen|shot|split|spread|stuck|struck|swept|woken|wound|forgiven|hidden|bitten|upgraded|been|sworn|torn|blown"
)

_THIRD = frozenset(
    "lives works studies loves likes hates enjoys prefers speaks has goes comes owns runs attends plans adores dislikes".split()
)

Rule = Callable[[Said], Iterator[Statement]]


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words.replace(" ", r"\s+"))


_PRESENT = ("", "do", "be", "have", "have been")

# -- where somebody lives, and is from

_IN = _pattern(r" (?:(?:alone|together|here|there|with [\w' ]{2,24}?|full[- ]time|abroad|permanently|temporarily|right|over|out|back|up|down|happily|just|now|on my own|by myself) )*(?:in|at|near|outside|just outside|on) (?=\S)")
_IN_ONLY = _pattern(r" (?:(?:out|over|right|up|down) )?(?:of|in|near|outside) (?=\S)")
_MOVED_FROM_TO = _pattern(r" (?:(?:back|over|away|here|out|down|up|all the way|with [\w' ]{2,20}?|across the country|house) )*from (?=\S)")
_MOVED_TO = _pattern(r" (?:(?:back|over|out|down|up|in|here|again|permanently|abroad|across the country|away|myself|with [\w' ]{2,20}?|together|recently|in with [\w ']{2,20}?) )*(?:to|into) (?=\S)")
_OUT_OF = _pattern(r" (?:out of|away from) (?=\S)")
_ALWAYS = re.compile(r"\b(?:all my life|my (?:whole|entire) life|my entire life)\b")


def _lives(one: Said) -> Iterator[Statement]:
    if not one.person:
        return
    form, verb = one.form, one.verb
    match = one.after(_IN if verb != "based" else _IN_ONLY if one.after(_IN_ONLY) else _IN)
    if match is None:
        return
    at = phrases.place(one.clause, match.end())
    if at is None:
        return
    value, tail = one.clause.text[at[0] : at[1]], one.low[at[1] : one.clause.stop]
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
        yield one.say("lives_in", value, holds=False, until=until, precision=precision, confidence=0.9 if form == "used" else 0.7)
    elif simple and _VISITING.search(tail):
        return
    elif simple or (form == "be" and verb in ("living", "based", "residing", "settled", "located")):
        yield one.say("lives_in", value, holds=not one.no, since=since if not one.no else None, precision=precision if not one.no else None)
        yield from _not_but(one, "lives_in", at[1])
    elif form == "have been" and verb in ("living", "based", "residing") and not one.no:
        yield one.say("lives_in", value, since=since, precision=precision)
    elif form == "have" and verb in ("lived", "resided") and not one.no and (since or _ALWAYS.search(tail) or "always" in one.adverbs):
        yield one.say("lives_in", value, since=since, precision=precision)
    elif form == "" and verb in ("lived", "resided") and not one.no:
        until, precision = one.until()
        told = one.told()
        yield one.say("lives_in", value, holds=False, until=until, precision=precision or (told and until and told.precision), confidence=0.8)


_VISITING = re.compile(r"^ (?:whenever|when|if|during|for the (?:summer|winter|week|weekend))\b")


def _moved(one: Said) -> Iterator[Statement]:
    if not one.person or one.no or one.never:
        return
    form, verb, clause = one.form, one.verb, one.clause
    past = verb in ("moved", "relocated", "emigrated", "immigrated") and form in ("", "have")
    ahead = (verb in ("moving", "relocating") and form == "be") or (verb in ("move", "relocate") and form in ("going", "will"))
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
    elif arrived:
        if told and told.first > one.clause.turn.time:
            yield one.say("lives_in", text[arrived[0] : arrived[1]], since=told.first, precision=told.precision, confidence=0.6, text=f"{phrases.shown(one.subject)} {'will' if one.form == 'will' else 'is going to' if one.form == 'going' else 'is'} {one.words((one.at, _end(one)))}")


_UNTIL = re.compile(r"(?:until|till|since) $")
_TO = _pattern(r",? to (?=\S)")
_FROM = _pattern(r",? from (?=\S)")


def _end(one: Said) -> int:
    """Where the predicate ends, its times included."""
    return _reach(one, one.at)[1]


def _from(one: Said) -> Iterator[Statement]:
    if one.person and one.form == "be" and not one.never and not one.we and (at := phrases.place(one.clause, one.rest + 1)):
        if one.clause.text[at[0] : at[1]].isupper() and at[1] - at[0] < 4 and one.clause.text[at[0] : at[1]] not in ("US", "UK", "USA", "LA", "NY", "NYC", "DC", "UAE"):
            return
        yield one.say("from", one.clause.text[at[0] : at[1]], holds=not one.no)
        yield from _not_but(one, "from", at[1])


def _comes(one: Said) -> Iterator[Statement]:
    if one.person and one.form == "" and not one.we and (match := one.after(_pattern(r" (?:originally )?from (?=\S)"))):
        if (at := phrases.place(one.clause, match.end())) and not one.third_mismatch(one.verb):
            yield one.say("from", one.clause.text[at[0] : at[1]], holds=not one.no)


_NOT_BUT = re.compile(r"(?:,| but|,? and|\s[-–—])? not (?:in |from |at |for |on |to )?(?=\S)")


def _not_but(one: Said, relation: str, at: int) -> Iterator[Statement]:
    """The other half of "in Lyon, not Paris"."""
    if one.no or (match := _NOT_BUT.match(one.low, at, one.clause.stop)) is None:
        return
    other = phrases.place(one.clause, match.end())
    if other is not None:
        yield one.say(relation, one.clause.text[other[0] : other[1]], holds=False, confidence=0.8)


# -- birth, age, names

_BORN = _pattern(r" (?:and raised )?(?:on|in)? ?")
_AGE = re.compile(r"\s*(?P<n>\d{1,3})(?:\s+years?\s+old\b|(?=\s*(?:[.,!;)]|$))|(?=\s+(?:and|now|this year|but|with|next)\b)|\s+yo\b|\s+y/o\b|-years?-old\b)")
_A_AGE = re.compile(r"(?:an?\s+)?(?P<n>\d{1,3})[ -]years?[ -]old\b")


def _born(one: Said) -> Iterator[Statement]:
    if one.form != "was" or one.no or not one.person or one.we:
        return
    at = _BORN.match(one.low, one.rest, one.clause.stop)
    end = at.end() if at else one.rest
    year = re.compile(r"(?:19|20)\d\d\b").match(one.low, end, one.clause.stop)
    told = next((t for t in one.clause.times if abs(t.start - one.rest) <= 5), None)
    if year:
        yield one.say("born_on", year[0], text=f"{phrases.shown(one.subject)} was born in {year[0]}", precision="year")
    elif told and told.precision == "day" and re.search(r"\d{4}", one.low[told.start : told.end]):
        yield one.say("born_on", told.phrase, precision="day")
    elif told and told.precision == "day" and re.search(r"\d", one.low[told.start : told.end]):
        value = re.sub(r"^(?:on|the)\s+", "", one.clause.text[told.start : told.end])
        yield one.say("born_on", value, precision="day")
    elif place := phrases.place(one.clause, end):
        yield one.say("did", f"was born in {one.clause.text[place[0] : place[1]]}")


def _years(one: Said) -> Iterator[Statement]:
    """ "I'm 34", "I'm a 44-year-old nurse"."""
    if one.form != "be" or not one.person or one.we or one.never:
        return
    match = _AGE.match(one.low, one.at, one.clause.stop) or _A_AGE.match(one.low, one.at, one.clause.stop)
    if match is not None and 0 < int(match["n"]) < 120 and not re.match(r"\s*(?:%|percent)", one.low[match.end() :]):
        yield one.say("age", match["n"], holds=not one.no)
        if match.re is _A_AGE:
            yield from _is_a(one, match.end())


def _turned(one: Said) -> Iterator[Statement]:
    if one.no or one.never or not one.person or one.we:
        return
    match = one.after(re.compile(r"\s+(\d{1,3})(?=\s*(?:[.,!;)]|$)|\s+(?:years|yesterday|today|last|this|on|in|two|three|a|and|recently|now|next)\b)"))
    if match is None or not 0 < int(match[1]) < 120:
        return
    told = one.told()
    if one.verb == "turned" and one.form in ("", "have"):
        yield one.say("age", match[1], since=told.first if told else None, precision=told.precision if told else None)
    elif one.form in ("be", "will", "going") and told and told.first > one.clause.turn.time:
        yield one.say("age", match[1], since=told.first, precision=told.precision, confidence=0.7)


def _named(one: Said) -> Iterator[Statement]:
    """ "I'm called Lia", "I go by Lia"."""
    if one.no or one.never or one.we or not one.person:
        return
    at = one.rest
    if one.verb in ("go", "goes"):
        match = one.after(_pattern(r" by (?:the name (?:of )?)?(?=\S)"))
        if match is None or one.form:
            return
        at = match.end()
    elif one.form != "be":
        return
    found = phrases.name(one.clause, at + (one.low[at : at + 1] == " "))
    if found:
        yield one.say("name", one.clause.text[found[0] : found[1]], aliases=(one.clause.text[found[0] : found[1]],))


_NO_FIRST_NAMES = re.compile(r"(?:.*(?:ish|ese|ican|adian|uguese)|american|german|french|dutch|greek|italian|russian|jewish|muslim|christian|catholic|indian|asian|black|white|hispanic|latina|latino|swiss|thai|czech|arab|brazilian|australian|european|african|norwegian|canadian|ukrainian|iranian|egyptian|austrian|hungarian|romanian|bulgarian|georgian|estonian|latvian|lithuanian|croatian|serbian|bosnian|colombian|peruvian|chilean|argentinian|hindu|buddhist|sikh|atheist|gen|leo|virgo|libra|scorpio|aries|taurus|gemini|cancer|sagittarius|capricorn|aquarius|pisces|team|monday|republican|democrat|protestant|mormon|californian|texan|persian|latin|type)")
_NO_OPENING = re.compile(r"(?:ing|ed|ful|ous|ive|able|less|est)$|^(?:sorry|fine|good|sure|ready|new|here|back|happy|glad|so|very|done|sick|sad|great|okay|well|late|lost|busy|curious|afraid|aware|unsure|confused|vegan|vegetarian|pregnant|single|gay|lesbian|bi|trans|deaf|blind|autistic|hungry|free|home|alone|asexual|nonbinary|female|male|batman|superman|spiderman|spartacus|groot|legend|iron|santa|god|king|queen)$")
_INTRODUCED = re.compile(r"^\W*(?:(?:hi|hey|hello|greetings|good (?:morning|evening|afternoon))\b[\w ]{0,12}[,.!]? )$")


def _i_am(one: Said) -> Iterator[Statement]:
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
    greeted = _INTRODUCED.search(low[one.clause.sentence.start : one.clause.start]) or (one.clause.sentence.start < 3 and re.match(r"[.,!] ?(?:i|and)", after))
    opening = one.clause.sentence.start < 3 and one.clause.start < 3 and " " not in words and re.match(r"\s*(?:[.,!]|$|and i\b)", after) and not _NO_OPENING.search(words.lower())
    if not opening and not (greeted and re.match(r"\s*(?:[.,!]|$|and\b|from\b|-|–|—)", after)) and not re.match(r", (?:a|an) (?:\d+|[a-z]+)", after) and not re.match(r" and i(?:'m| am)\b", after):
        return
    yield one.say("name", words, aliases=(words,))
    if (more := re.compile(r", (?=an? )").match(low, found[1], one.clause.sentence.stop)) is not None:
        clause = Clause(one.clause.sentence, one.clause.start, one.clause.sentence.stop)
        again = Said(clause, one.subject, True, "be", False, False, frozenset(), "a", more.end(), more.end() + 1)
        yield from _years(again)
        yield from _is_a(again, again.at)


# -- work

_JOBS = (
    r"(?:engineer|developer|programmer|architect|designer|nurse|doctor|physician|surgeon|dentist|teacher|professor|lecturer|tutor|researcher|scientist|biologist|chemist|physicist|mathematician|statistician|economist|analyst|accountant"
    r"|auditor|lawyer|attorney|paralegal|solicitor|barrister|judge|journalist|reporter|editor|writer|copywriter|author|novelist|poet|screenwriter|translator|interpreter|librarian|archivist|curator|artist|painter|sculptor|illustrator"
    r"|photographer|videographer|filmmaker|director|producer|actor|actress|musician|singer|pianist|guitarist|drummer|violinist|composer|dj|dancer|choreographer|chef|cook|baker|barista|bartender|waiter|waitress|server|butcher|farmer"
    r"|gardener|florist|landscaper|carpenter|electrician|plumber|mechanic|welder|machinist|technician|technologist|contractor|builder|mason|roofer|driver|pilot|flight attendant|sailor|captain|soldier|marine|officer|policeman"
    r"|policewoman|cop|detective|firefighter|paramedic|emt|pharmacist|therapist|physiotherapist|psychologist|psychiatrist|counsell?or|social worker|caregiver|nanny|babysitter|midwife|veterinarian|vet|zookeeper|trainer|coach|instructor"
    r"|consultant|advis[eo]r|planner|manager|supervisor|administrator|assistant|secretary|receptionist|clerk|cashier|salesperson|salesman|saleswoman|sales rep|representative|agent|broker|realtor|banker|trader|recruiter|marketer"
    r"|entrepreneur|founder|co-?founder|ceo|cto|cfo|executive|intern|apprentice|freelancer|plumber|janitor|cleaner|housekeeper|tailor|seamstress|hairdresser|hairstylist|barber|stylist|makeup artist|beautician|jeweller|jeweler|potter"
    r"|blogger|youtuber|streamer|podcaster|animator|geologist|astronomer|astronaut|meteorologist|archaeologist|historian|anthropologist|sociologist|philosopher|linguist|ecologist|botanist|zoologist|oceanographer|geographer|surveyor"
    r"|pastor|priest|rabbi|imam|monk|nun|missionary|diplomat|politician|mayor|principal|dean|custodian|courier|postman|mailman|trucker|truck driver|bus driver|taxi driver|optometrist|optician|radiologist|cardiologist|neurologist|pediatrician|oncologist"
    r"|dermatologist|anesthesiologist|nutritionist|dietitian|dietician|data entry|postdoc|adjunct|specialist|coordinator|strategist|stay-at-home (?:mom|dad|mum|parent)|homemaker|bookkeeper|actuary|underwriter|lifeguard|security guard|model|merchandiser|wedding planner|tour guide|lumberjack|fisherman|brewer|winemaker|sommelier|beekeeper|paramedic|tester)"
)
_JOB = re.compile(rf"(?P<det>an?\s+|the\s+)?(?P<job>(?:(?!(?:not|big|huge|good|great|bad|terrible|former|retired|ex|aspiring|future|wannabe|hobby|amateur|better|fan|bit|little|lot|perfect|born|natural|decent|lousy|horrible|keen|avid|fellow|happy|proud|home|backseat|role)\b)[a-z][\w/&'-]*\s+){{0,4}}?{_JOBS})(?![\w'-])(?!\s+(?:at heart|of (?:my|this|habit)|in training|myself|fan|wannabe|type|person|at my|by heart))")
_FORMER = re.compile(rf"(?:an?\s+)?(?:(?:former|retired|ex)\s+|ex-)(?P<job>(?:[a-z][\w/&'-]*\s+){{0,3}}?{_JOBS})\b(?!-)")


def _is_a(one: Said, at: int) -> Iterator[Statement]:
    """ "I'm a nurse at Saint Mary's": the job, and for whom."""
    while one.low[at : at + 1] == " ":
        at += 1
    yield from _student(one, at)
    if (former := _FORMER.match(one.low, at, one.clause.stop)) is not None and not one.no:
        yield one.say("works_as", one.clause.text[former.start("job") : former.end("job")], holds=False, confidence=0.8)
        return
    match = _JOB.match(one.low, at, one.clause.stop)
    if match is None or one.never or re.search(r"\b(?:who|and|or|like|for|of|from|with|than|to|in|at|on|as)\b", match["job"].rsplit(" ", 1)[0] if " " in match["job"] else ""):
        return
    value = one.clause.text[match.start("job") : match.end("job")]
    if match["det"] is None and at == one.at:
        return
    if one.no and " " in value:
        return  # "not a successful musician" is one yet
    article = match["det"] or re.match(r"(?:an? )?", one.low[one.at : at])[0]  # pyright: ignore[reportOptionalSubscript]
    of = phrases.shown(one.subject)
    since, precision = one.since()
    yield one.say(
        "works_as",
        value,
        holds=not one.ended,
        since=None if one.ended else since,
        precision=None if one.ended else precision,
        text=f"{of} {'does not work' if one.ended else 'works'} as {article.strip()} {value}".replace("  ", " "),
    )
    if (where := re.compile(r"\s+(?:here )?(?:at|for|with)\s+(?=\S)").match(one.low, match.end(), one.clause.stop)) is not None:
        if (firm := phrases.employer(one.clause, where.end())) is not None and not one.no:
            yield one.say("works_at", one.clause.text[firm[0] : firm[1]], holds=not one.ended, since=since, precision=precision)


_STUDENT = re.compile(
    r"(?:an?\s+)?(?P<adj>(?:(?:full-time|part-time|first[- ]year|second[- ]year|third[- ]year|fourth[- ]year|final[- ]year|last[- ]year|graduate|grad|undergraduate|phd|ph\.d\.|master's|masters|doctoral|college|university|high school|international|exchange|freshman|sophomore|junior|senior|current|1st year|2nd year|3rd year|postgraduate|year|\d\w*)\s+)*)(?P<field>(?:[a-z-]+\s+){0,2}?)(?P<head>student|major|undergrad)\b(?!\s+(?:of life|loan|debt|who|athlete|driver|pilot|teacher))"
)


def _student(one: Said, at: int) -> Iterator[Statement]:
    match = _STUDENT.match(one.low, at, one.clause.stop)
    if match is None or one.never or one.form not in ("be",):
        return
    field = match["field"].strip()
    if field and field not in ("medical", "dental", "legal", "good", "bad", "straight-a", "great", "hard-working", "fellow", "former", "new", "poor", "broke", "busy", "mature", "visual", "diligent", "dedicated", "lifelong", "struggling", "motivated") and not re.search(r"\b(?:good|former|new|a|fast|slow|very|the|of)\b", field):
        yield one.say("studies", one.clause.text[match.start("field") : match.start("field") + len(field)], holds=not one.ended)
    end = match.end()
    if (studied := re.compile(r"\s+(?:in|of|studying)\s+(?=\S)").match(one.low, end, one.clause.stop)) is not None and match["head"] != "major":
        if (found := _field(one, studied.end())) is not None:
            yield one.say("studies", one.clause.text[found[0] : found[1]], holds=not one.ended)
            end = found[1]
    if (where := re.compile(r"\s+(?:here )?at\s+(?=\S)").match(one.low, end, one.clause.stop)) is not None:
        if (school := phrases.employer(one.clause, where.end())) is not None:
            yield one.say("studies_at", one.clause.text[school[0] : school[1]], holds=not one.ended)


_FIELD = re.compile(r"(?P<field>(?!(?:for|hard|how|what|to|this|that|the|these|my|abroad|all|on|in|at|with|a|an|it|here|there|more|some|up|every|together|online|and|or|different|everything|from|late|again|now|by|about|as|so|your|several|various|both|after|before|during|while|two|three|alone|full|part|many|other|harder|whether|their|his|her|our|each)\b)[a-zà-öø-ÿ][\w&-]*(?:\s+(?:and\s+|of\s+|&\s+)?(?!(?:at|in|for|with|from|this|because|so|right|but|now|since|while|to|on|and|of|part|full|as|last|next|online|abroad|through|i|is|was|by|more|every|currently|who|when|which|after|before|here|there|it|day|again|together|via|using|during|under|hard|the|my|we|a)\b)[a-zà-öø-ÿ][\w&-]*){0,3})")


def _field(one: Said, at: int) -> tuple[int, int] | None:
    match = _FIELD.match(one.low, at, one.clause.stop)
    if match is None:
        return None
    end = min([match.end(), *(t.start for t in one.clause.times if t.start > at)])
    end = at + len(one.low[at:end].rstrip(" .,"))
    if one.low[end - 4 : end] in (" and", "d of"):
        end -= 4
    return (at, end) if end > at + 1 else None


def _studies(one: Said) -> Iterator[Statement]:
    """ "I study law at Coimbra", "I'm majoring in physics"."""
    if not one.person or one.never or one.third_mismatch(one.verb):
        return
    if not (one.form in ("", "do") and one.verb in ("study", "studies", "major", "majors")) and not (one.form in ("be", "have been") and one.verb in ("studying", "majoring")):
        if not (one.form == "used" and one.verb in ("study", "major")):
            return
    at = one.rest
    if one.verb.startswith("major"):
        match = one.after(_pattern(r" in (?=\S)"))
        if match is None:
            return
        at = match.end()
    field = _field(one, at + (one.low[at : at + 1] == " "))
    end = at if field is None else field[1]
    where = re.compile(r"\s+at\s+(?=\S)").match(one.low, end, one.clause.stop)
    school = phrases.employer(one.clause, where.end()) if where else None
    degree = school is not None or one.verb.startswith("major") or (field is not None and _SUBJECTS.search(one.low[field[0] : field[1]]))
    if field is not None and degree:
        since, precision = one.since()
        yield one.say("studies", one.clause.text[field[0] : field[1]], holds=not one.ended, since=None if one.ended else since, precision=None if one.ended else precision)
    if school is not None:
        yield one.say("studies_at", one.clause.text[school[0] : school[1]], holds=not one.ended)


_SUBJECTS = re.compile(
    r"\b(?:\w+ology|\w+onomics|\w*physics|\w*chemistry|\w*biology|law|medicine|nursing|history|philosophy|math\w*|statistics|\w* ?science|\w* ?sciences|\w*engineering|\w* ?studies|architecture|design|art|arts|music|literature|languages?|linguistics|english|french|german|spanish"
    r"|italian|portuguese|japanese|chinese|mandarin|korean|russian|arabic|latin|accounting|finance|business|marketing|management|education|journalism|communications?|politics|geography|theatre|theater|film|dance|agriculture|dentistry|pharmacy|astronomy|classics|theology|pedagogy|informatics|computing|translation|cybersecurity|robotics|fashion|photography|animation|counseling|criminology|social work)\b"
)
_DEGREE = _pattern(r" (?:a|an|my) (?:(?:second|online|part-time|full-time|university|college|professional) )*(?:degree|bachelor's|bachelors|bachelor|master's|masters|master|phd|ph\.d\.?|doctorate|mba|ba|bsc|ma|msc|diploma|minor|major)(?: degree| program| course)?(?: in (?=\S))?")


def _pursues(one: Said) -> Iterator[Statement]:
    """ "I'm doing a PhD in chemistry at Coimbra"."""
    if not one.person or one.no or one.never or one.form not in ("be", "have been"):
        return
    match = one.after(_DEGREE)
    if match is None:
        return
    end = match.end()
    if match[0].rstrip().endswith(" in") and (field := _field(one, end)) is not None:
        yield one.say("studies", one.clause.text[field[0] : field[1]])
        end = field[1]
    if (where := re.compile(r"\s+(?:at|from)\s+(?=\S)").match(one.low, end, one.clause.stop)) is not None and (school := phrases.employer(one.clause, where.end())):
        yield one.say("studies_at", one.clause.text[school[0] : school[1]])


_SCHOOL = re.compile(r"(?:the )?[A-ZÀ-Þ][\w'’&.-]*(?: (?:of|at|for|the|and|de|in) [A-ZÀ-Þ][\w'’&.-]*| [A-ZÀ-Þ][\w'’&.-]*)*")


def _attends(one: Said) -> Iterator[Statement]:
    if not one.person or one.never or one.third_mismatch(one.verb):
        return
    verb, form = one.verb, one.form
    now = (verb in ("attend", "attends", "go", "goes") and form in ("", "do")) or (verb in ("attending", "enrolled") and form in ("be", "have been"))
    began = verb in ("enrolled", "enroled") and form in ("", "have") and not one.no
    if not now and not began:
        return
    match = one.after(_pattern(r"(?: to| at| in)? (?=\S)"))
    if match is None:
        return
    found = _SCHOOL.match(one.clause.text, match.end(), one.clause.stop)
    if found is None or not re.search(r"University|College|Institute|School|Academy|Polytechnic|Conservatory|MIT\b|UCLA|NYU|Harvard|Stanford|Oxford|Cambridge|Yale|Princeton", found[0]):
        return
    told = one.told()
    since = told.first if began and told else None
    yield one.say("studies_at", one.clause.text[found.start() : found.end()].rstrip(".'’"), holds=not one.ended, since=since, precision=told.precision if since and told else None)


_AS = _pattern(r"(?: (?:remotely|full[- ]time|part[- ]time|here|there|freelance|mostly|mainly|again))* as (?=\S)")
_AT_AS = re.compile(r"\s+(?:at|for|in)\s+[^,.;!?]{2,40}?\s+as\s+(?=\S)")
_AT = _pattern(r"(?: (?:remotely|full[- ]time|part[- ]time|here|there|out|over|in [a-z]+(?: [a-z]+)?|as (?:an? )?[\w -]{3,40}?|freelance|nights|weekends|hard))* (?:at|for|with) (?=\S)")


def _works(one: Said) -> Iterator[Statement]:
    """ "I work at Acme", "I've been working as a nurse since 2019", "I used to work for Acme"."""
    if not one.person or one.never or one.third_mismatch(one.verb):
        return
    form, verb = one.form, one.verb
    now = (form in ("", "do") and verb in ("work", "works")) or (form in ("be", "have been") and verb in ("working", "employed")) or (form == "have" and verb == "worked")
    past = (form == "used" and verb == "work") or (form == "was" and verb in ("working", "employed")) or (form == "" and verb == "worked")
    if not now and not past:
        return
    since, precision = one.since()
    if form == "have" and (one.no or not since):
        return
    until = None
    if past:
        until, precision = one.until()
        since = None
    holds = now and not one.no
    if not holds:
        since = None
        precision = precision if until else None
    sure = 0.9 if now or form == "used" else 0.75
    match = one.after(_AS) or one.after(_AT_AS)
    if match is not None and (job := _JOB.match(one.low, match.end(), one.clause.stop)) is not None:
        value = one.clause.text[job.start("job") : job.end("job")]
        shown = one.clause.text[job.start() : job.end("job")]
        of = phrases.shown(one.subject)
        yield one.say("works_as", value, holds=holds, since=since, until=until, precision=precision, confidence=sure, text=f"{of} {'works' if holds else 'does not work'} as {shown}")
    match = one.after(_pattern(r" (?:at|for) (?=\S)")) or one.after(_AT)
    if match is not None and one.low[match.start() : match.end()].rstrip().endswith("with") and verb != "employed":
        return
    if match is None and verb == "employed":
        match = one.after(_pattern(r" by (?=\S)"))
    if match is not None and (firm := phrases.employer(one.clause, match.end())) is not None:
        value = one.words(firm)
        if past and form == "" and not re.match(r"\s+(?:for|until|till|from|as|before|in|back|when|and|,|\.)|\s*[.,]|\s*$", one.low[firm[1] : one.clause.stop]):
            return
        yield one.say("works_at", value, holds=holds, since=since, until=until, precision=precision, confidence=sure)


_JOB_AT = _pattern(r" (?:(?:a|an|my|the|this|hired|another) )?(?:(?:new|first|dream|part-time|full-time|great|summer|permanent|amazing|remote|second|side|good) )*(?:job|position|role|gig|internship|offer|work|working|hired|promoted|promotion|contract|transferred)?(?: offer)?(?: \w+ing)? ?")


def _starts_work(one: Said) -> Iterator[Statement]:
    """ "I started at Acme last week", "I joined Acme as a designer", "I got a job at Acme", "I got promoted to …"."""
    if not one.person or one.no or one.never or one.form not in ("", "have", "was", "be") or one.we:
        return
    verb, clause, low = one.verb, one.clause, one.low
    told = one.told()
    future = told is not None and told.first > clause.turn.time
    if (one.form == "be" and verb not in ("starting", "joining")) or (one.form == "be" and not future):
        return
    if one.form == "was" and verb not in ("hired", "promoted"):
        return
    since, precision = (told.first, told.precision) if told else (None, None)
    at = one.rest
    if verb in ("started", "starting", "began", "got", "landed", "accepted", "took", "found"):
        match = one.after(re.compile(r"\s+(?:(?:a|an|my|the)\s+(?:(?:new|first|dream|part-time|full-time|great|summer|permanent|amazing|remote|second|good)\s+)*(?:job|position|role|gig|internship)|working|work|hired|promoted|a\s+promotion)\b|(?=\s+(?:at|as)\s)"))
        if match is None or (verb in ("got", "took", "found", "landed", "accepted") and match.end() == one.rest):
            return
        at = match.end()
    if (match := re.compile(r"\s+(?:to|as)\s+(?:the\s+)?(?=\S)").match(low, at, clause.stop)) is not None and (job := _JOB.match(low, match.end(), clause.stop)):
        shown = clause.text[job.start() : job.end("job")]
        yield one.say("works_as", clause.text[job.start("job") : job.end("job")], since=since, precision=precision, text=f"{phrases.shown(one.subject)} works as {shown}", confidence=0.85)
        at = job.end()
    if verb in ("joined", "joining"):
        match = re.compile(r"\s+(?=\S)").match(low, at, clause.stop)
        if match and not re.search(r"\b(?:as (?:an? |the )|full[- ]time|job|work|company|startup|firm|intern)\b", low[match.end() : clause.stop]):
            return
        if match and not clause.text[match.end() : match.end() + 1].isupper():
            return
    else:
        match = re.compile(r"\s+(?:at|for|with|by)\s+(?=\S)").match(low, at, clause.stop)
    if match is not None and (firm := phrases.employer(clause, match.end())) is not None:
        yield one.say("works_at", one.words(firm), since=since, precision=precision, confidence=0.85)


_MY_JOB = re.compile(r"\s+(?:my|the|that|his|her)\s+(?:(?:full-time|part-time|old|day|current|corporate|teaching|boring|9-5|nine-to-five|previous)\s+)*(?P<what>job|position|role)\b(?P<at>\s+(?:at|with|as)\s+(?=\S))?")
_FROM_JOB = re.compile(r"\s+(?:from|by|at)\s+(?:my\s+job\s+(?:at|with)\s+)?(?=\S)")


def _leaves_work(one: Said) -> Iterator[Statement]:
    """ "I quit my job at Acme", "I got laid off from Acme", "I retired last year"."""
    if not one.person or one.no or one.never or one.form not in ("", "have", "was", "have been") or one.we:
        return
    verb, clause, at = one.verb, one.clause, one.rest
    if one.form in ("was", "have been") and verb not in ("fired", "laid", "let"):
        return
    if verb in ("got", "was") or one.form == "":
        if verb == "got":
            got = one.after(re.compile(r"\s+(?:(?:just|recently)\s+)?(fired|laid off|let go)\b"))
            if got is None:
                return
            verb, at = "laid", got.end()
        elif verb in ("fired", "laid", "let"):
            return
    elif verb in ("laid", "let"):
        off = one.after(re.compile(r"\s+(?:off|go)\b"))
        if off is None:
            return
        at = off.end()
    told = one.told()
    until, precision = (told.first, told.precision) if told else (None, None)
    value, firm = "", None
    job = _MY_JOB.match(one.low, at, clause.stop)
    if job is not None and verb in ("quit", "left", "lost", "resigned"):
        value = job["what"]
        if job["at"]:
            firm = phrases.employer(clause, job.end())
    elif verb in ("resigned", "fired", "laid", "retired") and (match := _FROM_JOB.match(one.low, at, clause.stop)):
        job = _MY_JOB.match(one.low, match.end() - 1, clause.stop)
        if job is not None:
            value = job["what"]
        firm = phrases.employer(clause, job.end() if job and job["at"] else match.end())
    elif verb in ("fired", "laid", "retired", "resigned"):
        if verb == "retired" and re.match(r"\s+(?:to|for|the|my|that|it)\b", one.low[at : clause.stop]):
            return
        value = "job"
    elif verb in ("left", "quit") and (match := re.compile(r"\s+(?=[A-ZÀ-Þ])").match(clause.text, at, clause.stop)):
        firm = phrases.employer(clause, match.end())
        if firm is not None and not _AFTER_FIRM.match(one.low, firm[1], clause.stop):
            return
    if firm is not None:
        yield one.say("works_at", one.words(firm), holds=False, until=until, precision=precision)
    elif value:
        text = f"{phrases.shown(one.subject)} {one.words((one.at, _end(one)))}"
        if one.form in ("was", "have been"):
            text = f"{phrases.shown(one.subject)} was {one.words((one.at, _end(one)))}"
        yield one.say("works_at", value, holds=False, until=until, precision=precision, text=text, data={"any": True})


_AFTER_FIRM = re.compile(r"\s+(?:after (?:\w+ ){1,3}(?:years?|months?)|to (?:join|start|become|work|pursue|found|focus on)|because|since (?:the|my)|for (?:a|another) (?:new |better )?(?:job|role|position|startup|company|competitor))\b")

# -- preferences

_BAD_OBJECT = re.compile(
    r"(?:it|that|this|them|those|these|him|her|you|your|how|what|when|the way|the idea|the sound|the look|the fact|the part|the thought|the concept|the suggestion|the option|the plan|everything|anything|nothing|all|both|some|one|where|why|everyone|people who|being able|seeing|hearing|to (?:know|hear|see|think|get|learn more|ask|talk about this|say|help|try|share|discuss|start|have|make sure|keep things|be|make|go with|use (?:this|the|it)|start with|add|include|do (?:this|that|it)|work with|create|keep|point out|propose|request|order|set|switch|move|book|schedule|change|read more|continue|explore|understand|focus|give|take|find|watch (?:it|that|this)|call)\b|myself|each|either|neither|none|my|our|his|their|its|having|knowing|"
    r"someone|somebody|anyone|every|most|such|looking at|an idea|the|a lot|a|an|getting|not|another|things|stuff|any|me|us|a bit|being|more|most of|i|and|or|as)\b"
)
_WEAK_HEADS = re.compile(r"\b(?:ideas?|suggestions?|options?|sound|way|thoughts?|plans?|approach|look|ones?|part|fact|points?|concept|title|version|response|answers?|list|tips|advice|recommendations?|direction|details?|sounds?|feature|vibes?|chats?|words|things?|stuff|questions?|explanation|example|feeling|support|convo|conversations? with|moments like|seeing|hearing)\b")
_MORE = re.compile(r", (?:more|less|very|but not too|yet) \w+")
_THE = re.compile(r"the (?:ocean|sea|beach|beaches|outdoors|mountains|rain|cold|heat|snow|winter|summer|fall|autumn|spring|city|countryside|forest|desert|sun|dark|gym|color \w+|colour \w+|theat(?:er|re)|opera|ballet|smell of [\w ]+|taste of [\w ]+|sound of [\w ]+|crowds)")
_THAT = re.compile(r"\s+(?:that|who|whose|where|when|if|which|how|than)\b")
_LIKES = {"love", "loves", "like", "likes", "enjoy", "enjoys", "adore", "adores", "loving", "enjoying", "liked", "loved", "enjoyed", "adored"}
_HATES = {"hate", "hates", "dislike", "dislikes", "detest", "detests", "loathe", "loathes", "despise", "despises", "hated"}
_FAN = re.compile(r"\s+(?:(?:really|pretty|so|very|super|totally|quite|also|big|huge|massive|such|a|an|the|big-time|lifelong|longtime|long-time|die-hard|diehard|not|much|of)\s+)*(?P<how>fan of|into|fond of|obsessed with|crazy about|keen on|passionate about|addicted to|lover of|enthusiast of|sick of|not into)\s+(?=\S)")


def _objects(one: Said, at: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, stop in phrases.series(one.clause, at):
        low, text = one.low, one.clause.text
        low_words = low[start:stop]
        capital = re.match(r"the\s+[A-ZÀ-Þ]", text[start:stop]) and one.verb not in ("like", "likes") and _THAT.match(one.low, stop) is None
        if _THAT.match(one.low, stop) or (low_words.count(" ") and re.search(r"\b(?:an?|the) \w+$", low_words) and low[stop : stop + 1] == ","):
            return []
        if _MORE.match(low, stop):
            return []  # "darker, more twisted stories"
        if (_BAD_OBJECT.match(low_words) and not capital and not _THE.fullmatch(low_words)) or _WEAK_HEADS.search(low_words) or phrases.addressed(one.clause, start, stop) or phrases.hazy(one.clause, start, stop):
            return []
        if low_words.count(" ") > 5 or stop - start < 2 or low_words.split()[0] in one.clause.sentence.peers:
            return []
        found.append((start, stop))
    return found


def _likes(one: Said) -> Iterator[Statement]:
    if one.never or not one.person or one.we or one.third_mismatch(one.verb):
        return
    verb, form = one.verb, one.form
    against = verb in _HATES
    if form in ("", "do") and verb in ("liked", "loved", "enjoyed", "hated", "adored"):
        return
    if form in ("have", "have been") and not (verb in ("liked", "loved", "enjoyed", "hated", "loving", "enjoying", "adored") and ("always" in one.adverbs or form == "have been")):
        return
    if form in ("be",) and not (verb == "loving" and one.me):
        return
    if form == "used":
        if verb not in ("like", "love", "hate", "enjoy"):
            return
    elif form == "can't":
        return
    elif form not in ("", "do", "have", "have been", "be"):
        return
    if verb == "enjoying" or (form == "have been") or verb == "loving":
        return
    if one.after(re.compile(r"\s+(?:being|when|it when|how|that)\b")):
        return
    better = re.compile(r"\s+(?:better|more)\s+than\s+(?=\S)")
    for start, stop in _objects(one, one.rest):
        tail = better.match(one.low, stop, one.clause.stop) or re.compile(r"\s+(?:better|more)(?=\s+than\b)").search(one.low[start:stop])
        if tail:
            return
        holds = (not against) if not one.no else False
        if against and (one.no or form == "used"):
            return
        if form == "used":
            holds = False
        yield one.say("likes", one.words((start, stop)), holds=holds)


def _stands(one: Said) -> Iterator[Statement]:
    """ "I can't stand olives"."""
    if one.form == "can't" and one.person and not one.we and one.verb in ("stand", "bear", "abide", "tolerate"):
        for span in _objects(one, one.rest):
            yield one.say("likes", one.words(span), holds=False)
    elif one.form == "can't" and one.me and one.verb == "eat" and (at := phrases.thing(one.clause, one.rest, 4)) and not _BAD_OBJECT.match(one.low, at[0], at[1]) and not one.clause.times:
        yield one.say("does", f"eat {one.words(at)}", holds=False)


def _fan(one: Said) -> Iterator[Statement]:
    """ "I'm a big fan of jazz", "I'm really into climbing", "I'm not a fan of crowds"."""
    if one.form not in ("be", "have been") or one.never or not one.person or one.we:
        return
    match = _FAN.match(one.low, one.at - 1, one.clause.stop)
    if match is None:
        return
    for span in _objects(one, match.end()):
        no = one.no or match["how"] == "sick of" or " not " in match[0]
        yield one.say("likes", one.words(span), holds=not no)


def _prefers(one: Said) -> Iterator[Statement]:
    if one.form not in ("", "do") or one.never or one.we or not one.person or one.third_mismatch(one.verb):
        return
    found = phrases.thing(one.clause, one.rest, 8)
    if found is None:
        return
    start, stop = found
    low = one.low
    over = re.compile(r"\s+(?:over|to|rather than|instead of|than|more than)\s+(?=\S)").search(low, start, one.clause.stop)
    if over is not None and over.start() <= stop + 2:
        if low[start:stop].startswith("to ") and " to " in over[0]:
            over = None
        else:
            stop = min(stop, over.start())
    value = low[start:stop]
    if (_THAT.match(low, stop) and over is None) or (re.search(r"\b(?:an?|the) \w+$", value) and low[stop : stop + 1] == ","):
        return
    if _BAD_PREFERENCE.match(value) or phrases.addressed(one.clause, start, stop) or phrases.hazy(one.clause, start, stop) or _WEAK_HEADS.search(value) or stop <= start + 1:
        return
    data = None
    other = phrases.thing(one.clause, over.end(), 6) if over is not None else None
    if other is not None and not phrases.hazy(one.clause, *other):
        data = {"over": one.words(other)}
    words = one.words((start, stop))
    text = None
    if data:
        text = f"{phrases.shown(one.subject)} {'does not prefer' if one.no else 'prefers'} {words}{one.clause.text[over.start() : over.end()] if over else ''}{data['over']}"
    yield one.say("prefers", words, holds=not one.no, data=data, text=text)


_BAD_PREFERENCE = re.compile(r"(?:it|that|this|them|those|these|the (?:first|second|third|last|other|latter|former|one|option)|option|one|both|you|your|not|if|when|what|how|him|her|something|things|the|a more|a|an|more|my|to (?:go with|use the|keep it|see|have the|know)|neither|either|none|no)\b")

_DIET = re.compile(r"(?:an?\s+)?(?:(?:strict|lifelong|committed|longtime|mostly|proud|ethical|practicing|raw)\s+)*(?P<diet>vegan|vegetarian|pescatarian|pescetarian|flexitarian|gluten[- ]free|dairy[- ]free|lactose[- ]intolerant|keto|paleo|halal|kosher|celiac|coeliac|diabetic|gluten[- ]intolerant|teetotal(?:er|ler)?|omnivore|plant[- ]based)\b(?!\s+(?:food|restaurant|recipe|option|meal|dish|cooking|friend|cafe|diet plan|chef|options|recipes|bakery|baker))")


def _diet(one: Said) -> Iterator[Statement]:
    if not one.person or one.never or one.we:
        return
    changed = one.verb in ("went", "became", "gone", "become", "turned") and one.form in ("", "have")
    at = one.rest + 1 if changed else one.at
    if not changed and one.form not in ("be", "have been"):
        return
    match = _DIET.match(one.low, at, one.clause.stop)
    if match is None or (changed and one.no):
        return
    told = one.told() if changed else None
    since, precision = (told.first, told.precision) if told else one.since()
    if one.ended:
        since = precision = None
    value = one.clause.text[match.start("diet") : match.end("diet")]
    shown = one.clause.text[match.start() : match.end()]
    of = phrases.shown(one.subject)
    yield one.say("diet", value, holds=not one.ended, since=since, precision=precision, text=f"{of} is {'not ' if one.ended else ''}{shown}")


def _allergic(one: Said) -> Iterator[Statement]:
    if one.form not in ("be", "have been", "was") or not one.person or one.never or one.we:
        return
    match = one.after(_pattern(r" to (?=\S)"))
    if match is None:
        return
    for span in _objects_any(one, match.end()):
        if one.form == "was":
            return
        yield one.say("allergic_to", one.words(span), holds=not one.no)


_JOKED = re.compile(r"(?:mondays?|work|exercise|mornings|people|drama|stupid\w*|nonsense|working|running|bs|fun|commitment|bad \w+|stupidity|meetings?|code|rules|responsibility|change|losing|failure|bullshit|mess|math|cardio|small talk|the gym|housework|homework|sports)\b")


def _objects_any(one: Said, at: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, stop in phrases.series(one.clause, at):
        start = phrases.bare(one.low, start, stop)
        if _JOKED.match(one.low, start, stop) or phrases.hazy(one.clause, start, stop) or phrases.addressed(one.clause, start, stop):
            return []
        found.append((start, stop))
    return found


_ALLERGY = re.compile(r"\s+(?:an?\s+)?(?:(?:severe|mild|bad|serious|terrible|slight|life-threatening|strong|known)\s+)*(?:(?P<what>[a-z]+(?: [a-z]+)?)\s+)?allerg(?:y|ies)\b(?:\s+to\s+(?=\S))?")

# -- possessions

_OWNED = re.compile(
    rf"\b(?:{phrases.PETS}|{phrases.BREEDS}|dogs|cats|puppies|kittens|horses|chickens|fish|parrots|rabbits|turtles|pets|hamsters|birds?|cows?|goats?|bees|snakes|kids?|children|sons?|daughters?|sisters?|brothers?|siblings?|twins|grandchildren|grandkids|grandson|granddaughter|cousins?|nieces?|nephews?|husband|wife|girlfriend|boyfriend|fiancée?|partner|roommates?|stepkids|toddlers?|baby"
    r"|cars?|truck|van|suv|motorcycle|motorbike|bikes?|bicycles?|scooter|e-bike|boat|kayak|canoe|rv|camper|tesla|honda|toyota|ford|bmw|prius|subaru|corolla|civic"
    r"|house|apartment|condo|flat|cottage|cabin|farm|garden|backyard|greenhouse|studio|garage"
    r"|laptop|computer|pc|macbook|desktop|phone|iphone|smartphone|tablet|ipad|kindle|e-reader|camera|dslr|lens|tripod|drone|printer|3d printer|monitor|keyboard|headphones|earbuds|airpods|smartwatch|fitbit|garmin|apple watch|watch|tv|television|speaker|console|playstation|ps5|xbox|nintendo|switch|vr headset|projector|vacuum|roomba"
    r"|guitars?|piano|keyboard|ukulele|violin|cello|drum (?:set|kit)|drums|saxophone|flute|trumpet|clarinet|banjo|harmonica|bass|amp|amplifier|synthesizer|record player|turntable|vinyl collection"
    r"|telescope|microscope|tent|backpack|sleeping bag|skis|snowboard|surfboard|skateboard|rollerblades|treadmill|peloton|yoga mat|kettlebell|dumbbells?|sewing machine|loom|kiln|easel|espresso machine|coffee (?:maker|machine|grinder)|air fryer|instant pot|blender|mixer|grill|smoker|oven|fridge|freezer|dishwasher|washing machine|sofa|couch|desk|bookshelf|mattress|bed"
    r"|diabetes|asthma|adhd|autism|arthritis|epilepsy|anxiety|depression|migraines?|insomnia|celiac disease|ibs|eczema|psoriasis|ptsd|ocd|dyslexia|tinnitus|hypertension|high blood pressure|scoliosis|endometriosis|sleep apnea"
    r"|(?:bachelor|master)'?s?(?: degree)?|phd|degree|mba|tattoos?|piercings?|driver'?s licen[cs]e|passport|visa|membership|subscription|collection|podcast|blog|youtube channel|website|newsletter|etsy (?:shop|store)|twin|wedding ring|plants?|houseplants?|orchids?|succulents?|aquarium)\b"
)
_NO_THING = re.compile(r"\b(?:questions?|idea|thoughts?|feelings?|problems?|issues?|minutes?|chance|look|time|fun|trouble|doubts?|meeting|call|way|blast|plans?|lot|bit|hard|ton|feel|sense|hope|clue|date|trip|talk|dream|choice|interest|habit|tendency|thing|eye on|crush on|friend who|good|great|budget|preference|list|draft|goal|deadline|appointment|recipe|session|reservation|photo|picture|pic|video|point|concern|worry|similar|few ideas|version|copy of|craving|history of|conversation|weakness|soft spot|sweet tooth|app idea|dataset|list of|table|function|class|model|component|file|folder|script|column|string|variable|error|api|code|page|route|form|button|question|plan|in mind|in common|party|class|game|show|exam|test|shoot|gig|sale)\b")


def _has(one: Said) -> Iterator[Statement]:
    """ "I have a dog named Rex", "I don't have a car", "I've got two kids"."""
    if not one.person or one.never or one.third_mismatch(one.verb):
        return
    form, verb = one.form, one.verb
    now = (verb in ("have", "has", "own", "owns") and form in ("", "do", "be")) or (verb in ("got", "had", "owned") and form == "have")
    if verb in ("had", "owned") and form == "have" and not one.since()[0]:
        return
    once = form == "used" and verb in ("have", "own")
    if not now and not once:
        return
    if verb == "got" and one.after(re.compile(r"\s+to\b")):
        return
    allergy = _ALLERGY.match(one.low, one.rest, one.clause.stop)
    if allergy is not None and (allergy["what"] or allergy[0].rstrip().endswith("to")) and not one.we and (allergy["what"] or "") not in ("no", "any", "known", "many", "some", "food", "seasonal", "lots of", "a few", "few", "lots"):
        if allergy["what"]:
            span = allergy.span("what")
            yield one.say("allergic_to", one.words(span), holds=not one.no)
        else:
            for span in _objects_any(one, allergy.end()):
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
        cut = re.compile(r"\s+(?:named|called|who|that|with|from|in|at|for|on|from|to|as|about|of my|i|waiting|coming|going|living|down|up|over|together|and|of my own|by|back|here|there|is|are)\b").search(words)
        head = words[: cut.start()] if cut else words
        if begin != start and not re.match(r"(?:an?|the|my|two|three|four|\d+|some)\b", words):
            return
        ill = _HEALTH.search(head)
        if ill is not None and not _ILL.fullmatch(head[: ill.start()]):
            return
        if ill is None and not re.match(r"(?:an?|my|our|two|three|four|five|six|seven|eight|nine|ten|several|some|one|\d+|only|own|twin|twins|kids|children|pets|dogs|cats|siblings)\b", head) and not one.no and verb not in ("own", "owns"):
            return
        if re.match(r"(?:the|this|that|his|her|their|your|its|these|those|such)\b", head) or phrases.addressed(one.clause, begin, end):
            return
        owned = list(_OWNED.finditer(head))
        if not owned or owned[-1].end() < len(head.rstrip()) or _NO_THING.search(head):
            return
        if cut and re.match(r"\s+(?:for|in|on|to|as|about|waiting|coming|at|up|down|over|who|from|is|are|i)\b", cut[0]) and re.match(r"\s+(?:mind|sight|th(?:is|e) (?:fight|race)|my (?:mind|class|eye)|the (?:game|shop|store|works)|sale|hand|loan|order|today|tomorrow|a (?:while|minute))\b", words[cut.end() :]):
            return
        value = one.words((begin, begin + len(head)))
        value = re.sub(r"^(?:only |just |my own |our own |my |our |the user's |own )", "", value)
        value = value.removeprefix(f"{phrases.shown(one.clause.me)}'s ").removeprefix("own ")
        since, precision = one.since()
        holds = not one.ended and not one.no
        if one.no and _HERE.match(low, begin + len(head), one.clause.stop):
            return
        yield one.say("has", value, holds=holds, since=since if holds else None, precision=precision if holds else None)
        if holds and (called := re.compile(r"\s+(?:named|called)\s+(?=\S)").match(low, begin + len(head), one.clause.stop)):
            yield from _called(one, head, called.end())


_HEALTH = re.compile(r"\b(?:type [12] )?(?:diabetes|asthma|adhd|autism|arthritis|epilepsy|anxiety|depression|migraines?|insomnia|celiac disease|ibs|eczema|psoriasis|ptsd|ocd|dyslexia|tinnitus|hypertension|high blood pressure|scoliosis|endometriosis|sleep apnea)\b")


_HERE = re.compile(r"\s+(?:with me|on me|here|right now|today|at the moment|handy|nearby|around|available|to hand|yet|in stock)\b")
_ILL = re.compile(r"(?:(?:an?|my|mild|severe|chronic|bad|really|terrible|clinical|seasonal|social|generali[sz]ed|rheumatoid|frequent|constant|both|inattentive|adult|undiagnosed|diagnosed|high|really bad|occasional|and|osteo|some|any|no|pretty|quite|slight|gestational|postpartum|exercise-induced|cluster|major|general)[ -])*")


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


def kin(clause: Clause, noun: str, at: tuple[int, int], *, subject: str | None = None, spans: tuple[tuple[int, int], ...] = ()) -> Statement:
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


_GOT_KINDS = re.compile(r"\s+(?:(?:myself|ourselves)\s+)?(?=an?\s|my\s|our\s|the\s|some\s|two\s|three\s|four\s|five\s|\d)")
_FOR_OTHERS = re.compile(r"\b(?:for (?:my|our|his|her|their|a|the|him|them|someone|\w+'s)|as a gift|gift|from (?:the )?(?:library)|present)\b")


def _gets(one: Said) -> Iterator[Statement]:
    """ "I bought a bike", "we adopted a cat named Miso"."""
    if not one.person or one.no or one.never or one.form not in ("", "have"):
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
    cut = re.compile(r"\s+(?:named|called|from|at|in|on|with|to|for|by|off|out|down|back|and|of|through|that|as|during|via|online|last|about|cheap|second-hand|secondhand|used|delivered|repaired|fixed|cleaned|stolen|serviced|towed|installed|set up|working|ready)\b").search(words)
    head = words[: cut.start()] if cut else words
    if cut and re.match(r"\s+(?:back|to|off|out|repaired|fixed|cleaned|stolen|serviced|towed|installed|working|ready|about|set|as|delivered)\b", cut[0]):
        return
    owned = list(_OWNED.finditer(head))
    if not owned or owned[-1].end() < len(head) or _NO_THING.search(head) or _HEALTH.search(head) or head.startswith("the "):
        return
    if head.startswith(("my ", "our ")) and not re.match(r"(?:my|our) (?:first|new|own|second|very)\b", head):
        return
    told = one.told()
    value = re.sub(rf"^{re.escape(phrases.shown(one.clause.me))}'s ", "", one.words((start, start + len(head))))
    yield one.say("has", value, since=told.first if told else None, precision=told.precision if told else None, confidence=0.85)
    if (called := re.compile(r"\s+(?:named|called)\s+(?=\S)").match(one.low, start + len(head), one.clause.stop)):
        yield from _called(one, head, called.end())


def _gives_up(one: Said) -> Iterator[Statement]:
    """ "I sold my car", "I got rid of my bike"."""
    if not one.person or one.no or one.never or one.form not in ("", "have"):
        return
    match = one.after(re.compile(r"\s+(?:away\s+|rid of\s+)?(?:my|our|the)\s+(?:(?:old|beloved|trusty|used|vintage|first|second)\s+)*(?=\S)"))
    if match is None or (one.verb == "got" and "rid of" not in match[0]) or (one.verb in ("gave", "given") and "away" not in match[0]):
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
        "has", one.words((found[0], found[0] + len(head))), holds=False, until=told.first if told else None, precision=told.precision if told else None,
        text=f"{phrases.shown(one.subject)} {one.words((one.at, _end(one)))}",
    )


# -- languages, family

_LANGUAGES = (
    r"(?:English|Spanish|French|German|Italian|Portuguese|Dutch|Swedish|Norwegian|Danish|Finnish|Polish|Czech|Slovak|Hungarian|Romanian|Bulgarian|Greek|Turkish|Russian|Ukrainian|Arabic|Hebrew|Persian|Farsi|Hindi|Urdu|Bengali|Tamil|Telugu"
    r"|Punjabi|Mandarin|Cantonese|Chinese|Japanese|Korean|Vietnamese|Thai|Indonesian|Malay|Tagalog|Swahili|Yoruba|Igbo|Hausa|Amharic|Zulu|Afrikaans|Catalan|Basque|Galician|Irish|Welsh|Icelandic|Latin|Esperanto|ASL|Serbian|Croatian|Slovenian|Lithuanian|Latvian|Estonian|Nepali|Gujarati|Marathi|Malayalam|Kannada|Albanian)"
)
_LANGUAGE_LIST = re.compile(rf"\s+(?:(?:both|fluent|fluently|some|a little(?: bit of)?|a bit of|basic|conversational|only|in|decent|native|good|intermediate|three languages: )\s+)*(?P<all>{_LANGUAGES}(?:(?:,? and |, ){_LANGUAGES})*)\b", re.I)


def _speaks(one: Said) -> Iterator[Statement]:
    if not one.person or one.never or one.we or one.third_mismatch(one.verb):
        return
    if not ((one.verb in ("speak", "speaks") and one.form in ("", "do", "can", "can't")) or (one.verb == "fluent" and one.form == "be")):
        return
    match = _LANGUAGE_LIST.match(one.low, one.rest, one.clause.stop)
    if match is None or "but" in match[0]:
        return
    for language in re.finditer(_LANGUAGES, one.clause.text[match.start("all") : match.end("all")], re.I):
        yield one.say("speaks", language[0], holds=not one.no and one.form != "can't")


_STATUS = re.compile(r"(?:happily\s+|recently\s+|newly\s+|now\s+)?(?P<what>married|divorced|engaged|single|widowed|separated|pregnant|retired|unemployed|self-employed)\b(?=\s*(?:[.,!;)]|$)|\s+(?:and|with|to|for|now|since|at the moment|but|again|these days|right now)\b)")


def _status(one: Said) -> Iterator[Statement]:
    """ "I'm married to Tom", "I'm single again"."""
    if not one.person or one.never or one.form not in ("be", "have been") or (one.we and one.verb not in ("married", "engaged")):
        return
    match = _STATUS.match(one.low, one.at, one.clause.stop)
    if match is None or re.match(r"\s+with\b", one.low[match.end() :]):
        return
    word = match["what"]
    to = re.compile(r"\s+to\s+(?=\S)").match(one.low, match.end(), one.clause.stop)
    if to is not None and word in ("married", "engaged"):
        named = phrases.name(one.clause, to.end())
        if named is not None and not one.no:
            yield one.say("partner:partner", one.clause.text[named[0] : named[1]], text=f"{phrases.shown(one.subject)} is {word} to {one.clause.text[named[0] : named[1]]}")
        elif named is None and not re.match(r"(?:my|a|an|the) ", one.low[to.end() :]):
            return
    if one.low[match.end() : match.end() + 4] == " to " and word == "single":
        return
    noun = {"retired": "work", "unemployed": "work", "self-employed": "work", "pregnant": "pregnancy"}.get(word, "marital status")
    since, precision = one.since()
    of = phrases.shown(one.subject)
    yield one.say(f"attribute:{noun}", word, holds=not one.ended, since=None if one.ended else since, precision=None if one.ended else precision, text=f"{of} is {'not ' if one.ended else ''}{word}")


def _parts(one: Said) -> Iterator[Statement]:
    """ "we broke up", "I broke up with my girlfriend", "we got divorced"."""
    if one.no or one.never or one.form not in ("", "have", "be"):
        return
    ends = None
    if one.verb in ("broke", "broken", "split", "split up", "separated", "divorced"):
        pattern = r"\s+up\b(?:\s+with\s+(?=\S))?" if one.verb in ("broke", "broken", "split") else r"(?=\s*(?:[.,!]|$)|\s+(?:last|in|a|two|this|after|from|my|three|years|yesterday|recently)\b)"
        ends = one.after(re.compile(pattern))
        if ends is not None and one.verb in ("broke", "broken", "split") and not one.we and "with" not in ends[0]:
            return
        if one.verb in ("separated", "divorced") and not one.we and not re.match(r"\s+(?:from\s+)?my\b", one.low[one.rest :]):
            return
    elif one.verb == "got" and one.form in ("", "have"):
        ends = one.after(re.compile(r"\s+(?:a\s+)?divorced?\b"))
    if ends is None or one.form == "be":
        return
    told = one.told()
    until, precision = (told.first, told.precision) if told else (None, None)
    text = f"{phrases.shown(one.subject)} {one.words((one.at, _end(one)))}"
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


def _weds(one: Said) -> Iterator[Statement]:
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
        yield one.say("partner:partner", words, since=since, precision=precision, text=f"{phrases.shown(one.subject)} is {match['what']} to {words}")
    yield one.say("attribute:marital status", match["what"], since=since, precision=precision, text=f"{phrases.shown(one.subject)} is {match['what']}")


def _dates_someone(one: Said) -> Iterator[Statement]:
    """ "I'm dating Tom"."""
    if one.form not in ("be", "have been") or one.no or one.never or one.we:
        return
    match = one.after(re.compile(r"\s+(?=\S)"))
    if match is not None and (named := phrases.name(one.clause, match.end())) and (one.verb == "dating"):
        words = one.clause.text[named[0] : named[1]]
        since, precision = one.since()
        yield one.say("partner:partner", words, since=since, precision=precision, text=f"{phrases.shown(one.subject)} is dating {words}")


# -- habits, plans, what was done

_OFTEN = re.compile(
    r"\b(?:every (?:single |other )?(?:day|morning|evening|night|week|weekend|month|year|summer|winter|spring|fall|autumn|monday|tuesday|wednesday|thursday|friday|saturday|sunday|christmas|afternoon|few (?:days|weeks|months)|two weeks|\w+day)s?"
    r"|each (?:day|morning|evening|night|week|month|year)|(?:once|twice|three times|four times|five times|six times|\d+ times|two times|a few times|several times|a couple of times) (?:a|per|each|every) (?:day|week|month|year)|\d+x (?:a|per) week"
    r"|on (?:mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|weekends|weekdays|(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:mornings|evenings|nights|afternoons))|daily|weekly|nightly|monthly|\d+ days a week|(?:two|three|four|five|six) days a week)\b"
)
_NO_HABIT = frozenset(
    "think feel want need hope guess know believe wonder get see find try say mean struggle forget worry remember seem look wish understand agree appreciate like love hate prefer enjoy have has am is be miss regret doubt suppose expect imagine consider learn thank realize realise notice can could would should must might may will"
    " thinks feels wants needs hopes knows heard saw felt thought wanted needed was were had did said made found got told used keep keeps tend start stop help let hear tell ask decide plan went came took".split()
)
_HABIT_ADVERBS = frozenset({"usually", "always", "often", "regularly", "typically", "normally"})
_GERUND = re.compile(r"\s+(?P<what>[a-z]{2,20}ing)\b")
_STOPPED = {"stopped", "quit", "gave"}


def _habit(one: Said) -> Iterator[Statement]:
    """ "I run every morning", "I usually cook on Sundays"."""
    verb = one.verb
    if not one.person or one.we or one.form not in ("", "do") or one.never or verb in _NO_HABIT or not verb.isalpha() or verb in _JOINTS:
        return
    if verb.endswith(("ed", "ing", "ly")) or verb in _PASTS or one.third_mismatch(verb):
        return
    start, stop = _reach(one, one.at)
    often = _OFTEN.search(one.low, start, stop)
    before = one.clause.start > one.clause.sentence.start and _OFTEN.search(one.low, one.clause.sentence.start, one.clause.start)
    steady = one.no or often is not None or (verb in _STEADY and _STEADY_WHAT.match(one.low, one.rest, stop) is not None and one.low[start:stop].count(" ") < 6)
    if not steady or (one.no and verb not in _PLAIN_HABITS):
        return
    if phrases.addressed(one.clause, start, stop) or phrases.hazy(one.clause, start, stop) or before or one.clause.told:
        return
    if re.search(r"\b(?:yesterday|ago|last|tomorrow|next)\b", one.low[start:stop]) or stop - start < 4 or one.low[start:stop].count(" ") > 14:
        return
    value = re.sub(r"\s+(?:anymore|any more|any longer|at all)$", "", one.words((start, stop)))
    if one.no:
        if value.lower() in ("use", "watch", "do", "play", "eat", "read", "drive to", "own"):
            return
        yield one.say("does", value, holds=False)
        return
    first, _, rest = value.partition(" ")
    plain = first if one.me else _root(first)
    said = with_adverb(one, phrases.with_s(plain) + (f" {rest}" if rest else ""))
    yield one.say("does", f"{plain} {rest}".strip(), text=f"{phrases.shown(one.subject)} {said}")


_STEADY = frozenset("wear wears drive drives play plays collect collects coach coaches teach teaches volunteer volunteers foster fosters".split())
_STEADY_WHAT = re.compile(
    r"\s+(?:glasses|contacts|contact lenses|hearing aids?|braces|an? (?=[a-z0-9])(?!lot\b|bit\b|role\b|part\b|game\b|key\b|big\b|few\b|couple\b|hard\b)|the (?:guitar|piano|violin|drums|cello|flute|trumpet|sax\w*|bass|ukulele|clarinet|harp|banjo)|guitar|piano|violin|drums|cello|flute|bass|tennis|football|soccer|basketball|chess|golf|volleyball|badminton|cricket|rugby|hockey|baseball"
    r"|(?!it\b|them\b|this\b|that\b|you\b|me\b|with\b|around\b|along\b|for\b|in\b|on\b|the\b|my\b|and\b|some\b|many\b|as\b|his\b|her\b|all\b|more\b|these\b|those\b|well\b|a\b|an\b|games?\b|at\b|home\b|back\b|by\b|there\b|here\b|to\b|from\b)[a-z]+s\b|(?:at|for) (?:an?|the|my local) [a-z ]+)"
)
_PLAIN_HABITS = frozenset("drink drinks smoke smokes eat eats drive drives cook cooks use uses watch watches play plays wear wears own".split())
_JOINTS = frozenset("and or but the a an my i we to of in on at for with that this so too also it not then as if by from all about out up down off over".split())


def _root(verb: str) -> str:
    """The plain form of "runs"."""
    if verb in ("does", "goes"):
        return verb[:-2]
    if verb == "has":
        return "have"
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if verb.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def with_adverb(one: Said, words: str) -> str:
    found = [adverb for adverb in ("usually", "always", "often", "regularly", "typically", "normally") if adverb in one.adverbs]
    return f"{found[0]} {words}" if found else words


def _stops(one: Said) -> Iterator[Statement]:
    """ "I stopped drinking coffee", "I quit smoking", "I gave up alcohol"."""
    if not one.person or one.no or one.never or one.form not in ("", "have") or one.we:
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
        if found is None or phrases.addressed(one.clause, *found) or phrases.hazy(one.clause, *found) or match["what"] in ("thinking", "worrying", "trying", "being", "having", "feeling", "getting", "wondering", "laughing", "talking", "smiling", "crying", "morning", "evening", "nothing", "anything", "something", "everything"):
            return
        if re.search(r"(?<!going )\bto\b|\bby\b", one.low[found[0] : found[1]]):
            return
        words = one.words(found)
        first, _, rest = words.partition(" ")
        value = f"{phrases.base(first.lower())} {rest}".strip()
        yield one.say("does", value, holds=False, until=until, precision=precision, text=f"{phrases.shown(one.subject)} {one.words((one.at, max(found[1], told.end if told and told.start >= found[1] and told.start - found[1] < 4 else 0)))}")
    elif one.verb in ("gave", "given", "quit") and (found := phrases.thing(one.clause, at, 3)) and re.fullmatch(r"(?:drinking|coffee|alcohol|meat|dairy|sugar|caffeine|gluten|smoking|cigarettes|soda|red meat|social media|facebook|instagram|twitter|fast food|chocolate|the gym|vaping|gambling)", one.low[found[0] : found[1]]):
        value = one.words(found)
        yield one.say("does", value, holds=False, until=until, precision=precision, text=f"{phrases.shown(one.subject)} {one.words((one.at, found[1]))}")


def _learns(one: Said) -> Iterator[Statement]:
    """ "I'm learning Spanish", "I'm training for a marathon"."""
    if not one.person or one.no or one.never or one.we or one.form not in ("be", "have been"):
        return
    at = one.rest
    if one.verb == "training":
        match = one.after(_pattern(r" for (?:a|an|the|my) (?=\S)"))
        if match is None:
            return
    elif one.verb == "taking":
        match = one.after(re.compile(r"\s+(?:(?:an?|some|weekly|online|private|evening|night|beginner)\s+)*(?:[\w-]+\s+){0,2}(?:lessons|classes|course)\b"))
        if match is None:
            return
    elif (match := one.after(re.compile(r"\s+(?:to (?:play|speak|cook|drive|swim|code|ski|surf|knit|sew|dance|sail|paint|draw)\b|(?:how to )(?:play|speak|cook|drive|swim|code|ski|surf|knit|sew|dance|sail|paint|draw)\b)"))) is None:
        match = _LANGUAGE_LIST.match(one.low, one.rest, one.clause.stop) or one.after(re.compile(r"\s+(?:the )?(?:guitar|piano|violin|ukulele|drums|cello|flute|sign language|python|javascript|java|rust|calligraphy|pottery|photography|coding|chess|knitting|salsa|yoga|karate|judo)\b"))
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
    yield one.say("does", f"{phrases.base(gerund.lower())} {one.words(found)}", since=since, precision=precision, text=f"{phrases.shown(one.subject)} is {gerund} {one.words(found)}")


_FOR_SO_LONG = re.compile(r"\s+(?:for|since)(?:\s+(?:about|almost|over|around|the))*(?:\s+(?:past|last))?$")
_PASTS = frozenset(
    "went came saw met took found bought gave left began started won lost ran wrote spent brought sold fell flew drove ate slept built caught taught chose broke spoke woke wore grew drew threw swam sang rode rose led fought became did made got had held signed read joined finished"
    " completed visited attended moved graduated adopted ordered returned received hosted celebrated played watched cooked baked hiked traveled travelled painted published launched submitted passed failed booked tried picked planted repaired fixed cleaned organized organised volunteered performed presented interviewed applied"
    " registered enrolled upgraded installed renewed cancelled canceled switched replaced purchased injured hurt sprained donated learned learnt ended quit resigned retired married proposed delivered recorded released photographed camped kayaked surfed skied swam climbed raced competed trained practiced practised invited helped took"
    " dropped walked cycled biked jogged stayed flew landed arrived saw heard set put cut built decorated renovated assembled discovered created designed developed entered earned raised rented checked tested collected dined shopped talked called spoke drove celebrated".split()
)
_PAST_VAGUE = re.compile(r"\s+(?:one\b|some\b(?= (?:of|more)\b)|to know|the feeling|the idea|the chance to|it|that|this|them|him|her|through|stuck|lost|used to|tired|sick of|excited|nervous|ready|better|worse|so|into it|back to you|a lot|your|you|off track|up late|sense|sure|up the|over it)\b")


def _did(one: Said) -> Iterator[Statement]:
    """ "I went to Rome last week", "I've just finished my thesis"; only what has a time."""
    if not one.person or one.no or one.never:
        return
    past = one.form == "" and (one.verb in _PASTS or (one.verb.endswith("ed") and len(one.verb) > 4 and one.verb not in _NO_EVENTS))
    just = one.form == "have" and one.adverbs & {"just", "recently", "finally"} and one.verb in _PASTS_SURE
    if not past and not just:
        return
    if one.third_mismatch(one.verb):
        return
    start, stop = _reach(one, one.at)
    front = one.clause.told
    now = one.clause.turn.time
    told = next((t for t in one.clause.times if t is front or (t.end <= stop and not _AFTER.search(one.low, one.at, t.start))), None)
    if told is None:
        if not (one.adverbs & {"just", "recently", "finally"}) or one.verb not in _PASTS_SURE:
            return
    elif told.first > now:
        return
    if told is not None and _SINCE_OR_UNTIL.search(one.low[max(0, told.start - 8) : told.start]):
        return
    if told is not None and _OFTEN.search(one.low, start, stop):
        return
    stop = _clear(one, stop, told)
    if stop - one.rest < 2 and one.verb not in ("graduated", "married"):
        return
    if _PAST_VAGUE.match(one.low, one.rest, one.clause.stop) or phrases.addressed(one.clause, start, stop) or phrases.hazy(one.clause, start, stop):
        return
    value = one.words((start, stop))
    if value.count(" ") > 24 or (told is not None and value.count(" ") < 1):
        return
    tail = f" {phrases.resolved(one.clause, front)}" if front is not None else ""
    have = "has " if one.form == "have" else ""
    adverb = "just " if "just" in one.adverbs else "recently " if "recently" in one.adverbs else "finally " if "finally" in one.adverbs else ""
    yield one.say(
        "did", value + tail, text=f"{phrases.shown(one.subject)} {have}{adverb if told is None else ''}{value}{tail}",
        since=told.first if told else None, until=told.last if told else None, precision=told.precision if told else None,
        confidence=0.9 if told else 0.75,
    )


def _clear(one: Said, stop: int, told: dates.Told | None) -> int:
    """Where what was done ends before "… and shared it with you"."""
    if not phrases.hazy(one.clause, one.at, stop) and not phrases.addressed(one.clause, one.at, stop):
        return stop
    cut = one.low.rfind(" and ", one.at, stop)
    if cut < 0 or (told is not None and told.start < stop and told.end > cut and told is not one.clause.told):
        return stop
    return cut


_PASTS_SURE = frozenset(
    "bought finished moved adopted graduated joined completed signed won started booked ordered passed purchased launched published submitted enrolled upgraded switched quit got received read watched visited attended hired sold returned planted built hosted celebrated registered".split()
)
def _grew(one: Said) -> Iterator[Statement]:
    """ "I grew up in Ohio"."""
    if one.form or one.no or one.never or not one.person:
        return
    match = one.after(re.compile(r"\s+up\s+(?:in|on|near|outside)\s+(?=\S)"))
    if match is not None and (at := phrases.place(one.clause, match.end())) is not None and not one.clause.times:
        words = one.clause.text[one.at : at[1]]
        yield one.say("did", words, text=f"{phrases.shown(one.subject)} {words}")


_NO_EVENTS = frozenset("need wanted needed liked loved hoped noticed realized realised wondered seemed decided looked tried used agreed believed wished missed enjoyed hated appreciated expected considered planned thanked mentioned asked happened supposed feared worried assumed preferred owned lived worked studied wanted named called based turned excited interested tired inspired amazed blessed thrilled stressed struggled felt thought indeed speed embed followed needed experienced remembered regretted".split())
_AFTER = re.compile(r"\b(?:after|before|since|until|till|following|by|due)\b")
_SINCE_OR_UNTIL = re.compile(r"(?:since|until|till|by|before|after) $")
_REACH_CUT = re.compile(
    r"[;:!?()\[\]*]|\.(?=\s|$|\.)|,(?! (?:\d{4}\b|[a-z]+ \d))|\s[-–—]+(?=\s)|—|…|\n|[\U0001f300-\U0001faff\u2600-\u27bf]|\s(?:and (?:i|i'm|i've|i'd|i'll|we|it|it's|he|she|they|my|that|that's|then|now|there|you|your|this|am|is|are|would|want|need|was|were|can|will|the|honestly|what|let me|have|had|got|a few|also|just|really|absolutely|so|am|found|realized|realised|felt|loved|learned|thought|decided|noticed|it'll|even|am)\b"
    r"|but\b|because\b|'cause\b|cuz\b|so\b(?! far)|which\b|although\b|though\b|while\b|where\b|as (?:i|we|it|they|he|she|my|well|part)\b|since (?:i|it|we|they|he|she)\b|when\b|whenever\b|before (?:i|we|it)\b|after (?:i|we|it)\b|that (?:i|was|were|is|are|made|we|really|has|had|it)\b|if\b|who\b|until (?:i|we|it)\b|lol\b|haha\b|thanks\b|btw\b|like\b (?:i|you)|since then|for the first time ever)"
)


def _reach(one: Said, start: int) -> tuple[int, int]:
    """From `start` to the next joint of the sentence, its times within."""
    stop = one.clause.stop
    if (cut := _REACH_CUT.search(one.low, start, stop)) is not None:
        inside = next((t for t in one.clause.times if t.start < cut.start() < t.end), None)
        stop = cut.start()
        if inside is not None:
            again = _REACH_CUT.search(one.low, inside.end, one.clause.stop)
            stop = again.start() if again else one.clause.stop
    trimmed = re.sub(r"(?:\s(?:too|as well|though|again|already|lol|either|now|and|to|for|in|on|at|with|of|the|a|my|by|that|just|also|really|is|even)|[\s,'’])+$", "", one.low[start:stop])
    return start, start + len(trimmed)


_NEVER_BAD = re.compile(r"(?:been (?:so|more|this|that|happier|better|one|able|sure|good|a|into|too|easier|as|to (?:one|any|a|that|the one)\b)|felt|thought|seen (?:anything|such|so|it|that|this|one|the one|a more)|heard|had (?:so|such|a problem|any issues?|an issue|trouble|a better)|known|understood|realized|realised|really|looked back|would|considered|imagined|noticed|had this|had that|got|gotten|made it|quite|done (?:that|this|it|anything)|tried (?:that|it|this|one|them|those)|met (?:anyone|someone)|experienced (?:anything|that|this)|played it|wanted|let|had to|forgotten|regretted|stopped|failed|doubted)\b")


def _never(one: Said) -> Iterator[Statement]:
    """ "I've never been to Japan"."""
    if not one.never or one.form not in ("have", "have been") or not one.person or one.we or one.no:
        return
    start, stop = _reach(one, one.at)
    words = one.low[start:stop]
    if one.form == "have been":
        back = one.low.rfind("been", one.clause.start, one.at)
        start = back if back > 0 else start
        words = one.low[start:stop]
    if not _PARTICIPLE.match(words) or _NEVER_BAD.match(words) or phrases.addressed(one.clause, start, stop) or phrases.hazy(one.clause, start, stop) or " " not in words.strip() and not words.endswith("ed") or words.count(" ") > 10 or words.endswith(" one"):
        return
    yield one.say("never", re.sub(r"\s+before$", "", one.words((start, stop))))


_PLAN = re.compile(r"\s+(?:to\s+(?=\S)|on\s+(?=[a-z]+ing\b)|(?=(?:a|an|my|our|the)\s+(?:[\w'-]+\s+){0,4}?(?:trip|vacation|holiday|wedding|party|visit|hike|move|getaway|reunion|road trip|honeymoon|surprise|retreat|fundraiser|event|weekend)\b))")
_PLAN_BAD = re.compile(r"(?:be|try|see|use (?:this|that|it|these)|do (?:it|this|that)|start with|go with|check|look|ask|keep|make sure|give|take (?:a look|it|your)|let|follow|try|implement|add|have to|share|incorporate|stay|continue|say|tell|talk about|think|consider|stick|work on (?:it|this|that)|focus|get back|need|find out|miss|help|explore|review|discuss|mention|know|like|love)\b")


def _plans(one: Said) -> Iterator[Statement]:
    """ "I plan to move", "I'm planning a trip to Rome", "I'm flying to Rome on Friday"."""
    if not one.person or one.never or one.form in ("modal", "used", "was", "had"):
        return
    if one.verb in _PLANNING or one.form in ("going", "will"):
        one.clause.look_ahead()
    clause, now = one.clause, one.clause.turn.time
    told = next((t for t in clause.times if t.last > now and not (t is not clause.told and _AFTER.search(clause.low, one.at, t.start))), None)
    verb, at = one.verb, one.at
    text_from = one.at
    if verb in ("plan", "plans", "planning", "intend", "intends", "intending", "aiming") and one.form in ("", "do", "be", "have been"):
        match = one.after(_PLAN)
        if match is None or (verb in ("plan", "plans") and one.third_mismatch(verb)):
            return
        if one.we and told is None and match[0].strip() and not clause.sentence.peers:
            return  # the "we" of a business plan
        at = match.end()
    elif verb in ("decided",) and one.form in ("", "have") and not one.no:
        match = one.after(_pattern(r" to (?=\S)"))
        if match is None or told is None:
            return
        at = match.end()
    elif one.form in ("going", "will"):
        if told is None or one.no:
            return
    elif one.form == "be" and verb.endswith("ing") and verb not in _NOT_AHEAD:
        if told is None or told.first < now.replace(hour=0, minute=0, second=0, microsecond=0) or one.no or told.precision == "year":
            return
        if told.first <= now and told.precision != "day" and clause.low[told.start : told.end].startswith("this"):
            return
    else:
        return
    start, stop = _reach(one, at)
    if told is not None and told.start > stop + 1 and told is not clause.told:
        told = None
        if verb not in ("plan", "plans", "planning", "intend", "intends"):
            return
    words = one.low[start:stop]
    if _PLAN_BAD.match(words) or phrases.addressed(clause, start, stop) or phrases.hazy(clause, start, stop) or words.count(" ") > 18 or stop - start < 4:
        return
    front = clause.told
    value = one.words((start, stop)) + (f" {phrases.resolved(clause, front)}" if front is not None and front.last > now else "")
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
            text = f"{of} {phrases.with_s(_root(said.split()[0]) if not one.me else said.split()[0])} {' '.join([*said.split()[1:], ahead])}"
    elif one.form == "will":
        text = f"{of} will {value}"
    elif one.form == "going":
        text = f"{of} is going to {value}"
    else:
        text = f"{of} decided to {value}"
    yield one.say(
        "plans", value, holds=not one.no, text=text, since=told.first if told else None, until=told.last if told else None,
        precision=told.precision if told else None, confidence=0.85,
    )


_NOT_AHEAD = frozenset("living working going wondering looking thinking feeling trying planning hoping being having getting considering struggling learning studying doing using reading dating running asking talking enjoying loving wanting needing based amazing interesting morning evening liking writing making finding seeing saying missing dying telling still coming becoming worrying concerned watching sitting waiting excited boring following assuming leaning intending aiming looking".split())

def _is_a_rule(one: Said) -> Iterator[Statement]:
    if one.person and one.form == "be" and not one.we:
        yield from _is_a(one, one.at)


# -- which rules look at which verbs

_TABLE: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("live lives living lived reside resides resided residing based settled located", (_lives,)),
    ("moved relocated emigrated immigrated moving relocating move relocate", (_moved,)),
    ("from", (_from,)),
    ("come comes", (_comes,)),
    ("born", (_born,)),
    ("turned turning turn be", (_turned,)),
    ("called named go goes", (_named,)),
    ("study studies studying major majors majoring", (_studies,)),
    ("doing pursuing getting completing finishing", (_pursues,)),
    ("attend attends attending enrolled go goes", (_attends,)),
    ("work works working worked employed", (_works,)),
    ("started starting began joined joining got landed accepted took found hired promoted", (_starts_work,)),
    ("quit left lost resigned fired laid let retired got", (_leaves_work,)),
    (" ".join(sorted(_LIKES | _HATES)), (_likes,)),
    ("stand bear abide tolerate eat", (_stands,)),
    ("prefer prefers", (_prefers,)),
    ("went became gone become turned", (_diet,)),
    ("allergic", (_allergic,)),
    ("have has own owns got had owned", (_has,)),
    ("bought got adopted purchased", (_gets,)),
    ("sold lost gave given donated got traded", (_gives_up,)),
    ("speak speaks fluent", (_speaks,)),
    ("grew", (_grew,)),
    ("broke broken split separated divorced got", (_parts,)),
    ("got", (_weds,)),
    ("dating", (_dates_someone,)),
    ("stopped quit gave given", (_stops,)),
    ("learning training taking", (_learns,)),
)
_RULES: dict[str, tuple[Rule, ...]] = {
    verb: tuple(rule for verbs, rules in _TABLE for rule in rules if verb in verbs.split())
    for verb in {verb for verbs, _ in _TABLE for verb in verbs.split()}
}
_OF_BEING: tuple[Rule, ...] = (_years, _i_am, _is_a_rule, _fan, _diet, _status)
"""What "I'm …" may say whatever word follows."""


def verbs(one: Said) -> Iterator[Statement]:
    """What a clause says by its verbs: the first, and others of the same subject after "and"."""
    yield from _verb(one)
    if one.no or one.never or one.form not in ("", "be") or one.verb not in _STATES or one.we:
        return
    for joint in _JOINT.finditer(one.low, one.rest, one.clause.stop):
        if _TO_DO.search(one.low, one.rest, joint.start()):
            return
        again = predicate(one.clause, joint.end() - 1, one.subject, me=one.me, aliases=one.aliases, spans=one.spans)
        if again is not None and again.form == "" and not again.third_mismatch(again.verb):
            yield from _verb(again)


_STATES = frozenset("live lives living based work works working study studies studying have has love loves like likes hate hates enjoy enjoys moved own owns speak speaks a an from".split())
_JOINT = re.compile(
    r",?\s+(?:and|but)\s+(?=(?:now |also |currently |recently |just |don't |doesn't )*(?:works?|lives?|stud(?:y|ies)|ha(?:ve|s) (?:an?|two|three|four)|loves?|hates?|enjoys?|moved|speaks?|owns?|prefers?|likes?|runs?|plays?)\s)"
)
_TO_DO = re.compile(r"\b(?:to|can|could|would|will|might|let|make|makes|help|helps|who|that|which)\b")


def _verb(one: Said) -> Iterator[Statement]:
    if one.form == "modal":
        return
    found = False
    for rule in _RULES.get(one.verb, ()):
        for statement in rule(one):
            found = True
            yield statement
    if one.form in ("be", "have been"):
        for rule in _OF_BEING:
            yield from rule(one)
    if one.never:
        yield from _never(one)
    elif one.form in ("be", "going", "will") or one.verb in _PLANNING:
        yield from _plans(one)
    elif one.form in ("", "have"):
        yield from _did(one)
    if one.form in ("", "do") and not found:
        yield from _habit(one)


_PLANNING = frozenset("plan plans planning intend intends intending aiming decided".split())
