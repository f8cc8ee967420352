"""From turns to clauses that a person says of their own life and means.

What is asked, supposed, quoted, told of by others, played, joked or pasted is left out here, once for all rules: a
rule that never sees a sentence cannot misread it. Texts are folded so that each character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from mnemic import dates
from mnemic.statements import USER, Turn


def listing(words: str) -> frozenset[str]:
    """The words of a list that is written as a text."""
    return frozenset(words.split())


_PERSONS = frozenset({"user", "human", "customer", "participant", "person"})
_NO_PERSONS = frozenset({"assistant", "tool", "system", "developer", "document", "function", "ai", "bot", "model"})
_NO_SOURCES = frozenset({"assistant", "tool", "document"})

_FOLD = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\xa0": " "})


def folded(text: str) -> str:
    """In lower case, with plain quotes; each character stays where it is."""
    plain = text.translate(_FOLD)
    low = plain.lower()
    if len(low) != len(plain):
        low = "".join(one if len(one := letter.lower()) == 1 else letter for letter in plain)
    return low


@dataclass(slots=True)
class Sentence:
    """One sentence of a turn, without what it asks."""

    turn: Turn
    low: str
    """The whole turn, folded."""
    start: int
    stop: int
    peers: frozenset[str] = frozenset()
    """The others who talk, in lower case; empty where the user talks with an assistant alone."""
    asks: bool = False
    """Whether it is the part that asks: only what it takes for granted counts."""
    _times: tuple[dates.Told, ...] | None = field(default=None, repr=False)

    @property
    def me(self) -> str:
        return self.turn.speaker or USER

    def read_as(self, times: tuple[dates.Told, ...]) -> None:
        self._times = times

    @property
    def times(self) -> tuple[dates.Told, ...]:
        """The times that it tells; places are the turn's."""
        if self._times is None:
            if _TIMELY.search(self.low, self.start, self.stop):
                found = dates.told(self.turn.text[self.start : self.stop], self.turn.time)
                self._times = tuple(
                    dates.Told(t.start + self.start, t.end + self.start, t.first, t.last, t.precision, t.phrase)
                    for t, after in zip(found, [*found[1:], None], strict=False)
                    # "Saturday, March 19th": the date says which.
                    if after is None or after.start - t.end > 2 or not t.phrase.startswith(_WEEKDAYS)
                )
            else:
                self._times = ()
        return self._times


@dataclass
class Clause:
    """A part of a sentence that stands for itself: from `start`, its subject, to `stop`."""

    sentence: Sentence
    start: int
    stop: int
    told: dates.Told | None = None
    """The time that stands before its subject: "last week I …"."""

    @property
    def low(self) -> str:
        return self.sentence.low

    @property
    def text(self) -> str:
        return self.sentence.turn.text

    @property
    def turn(self) -> Turn:
        return self.sentence.turn

    @property
    def me(self) -> str:
        return self.sentence.me

    def look_ahead(self) -> None:
        """Read dates without a year as the next ones: the clause tells a plan."""
        now, sentence, found = self.turn.time, self.sentence, list[dates.Told]()
        for told in sentence.times:
            if (
                self.start <= told.start
                and told.end <= self.stop
                and told.last <= now
                and told.precision in ("minute", "day", "month")
            ):
                told = ahead(self.text, told, now)
            found.append(told)
        sentence.read_as(tuple(found))
        vars(self).pop("times", None)

    @cached_property
    def words(self) -> str:
        return self.low[self.start : self.stop]

    @cached_property
    def times(self) -> tuple[dates.Told, ...]:
        inside = tuple(t for t in self.sentence.times if t.start >= self.start and t.end <= self.stop)
        return inside if self.told is None else (self.told, *inside)

    @cached_property
    def lasting(self) -> tuple[dates.Lasting, ...]:
        found = dates.lasting(self.text[self.start : self.stop], self.turn.time)
        return tuple(dates.Lasting(n.start + self.start, n.end + self.start, n.phrase, n.since) for n in found)


def ahead(text: str, told: dates.Told, now: datetime) -> dates.Told:
    """A time read as what is to come, if it can be: "5 April" is the next one."""
    found = dates.told("it will be " + text[told.start : told.end], now)
    if not found or found[0].last <= now or found[0].first - now > _SOON:
        return told
    return replace(found[0], start=told.start, end=told.end)


_SOON = timedelta(days=330)
_WEEKDAYS = tuple(f"{name}, " for name in dates.CALENDAR[12:])


def is_person(turn: Turn) -> bool:
    """Whether a person talks, for themselves."""
    role = turn.role.lower()
    if role in _NO_PERSONS or turn.source.lower() in _NO_SOURCES:
        return False
    return role in _PERSONS or turn.speaker is not None


_TIMELY = re.compile(
    r"\b(?:\d{4}|\d{1,2}(?:st|nd|rd|th)|ago|last|past|this|next|previous|coming|yesterday|today|tonight|tomorrow|back"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|fri|sat|sun|weekend"
    r"|spring|summer|autumn|fall"
    r"|winter|now|days?|weeks?|months?|years?|earlier|night|later|christmas|easter|halloween|thanksgiving|quarter)\b"
    r"|\d/\d|(?:january|february|march|april"
    r"|june|july|august|september"
    r"|october|november|december)|day\b"
)

# -- whole turns

_JOKE = re.compile(
    r"\b(?:just kidding|only kidding|kidding aside|i'm kidding|im kidding|i kid\b|jk\b|j/k|just "
    r"joking|i'm joking|only joking"
    r"|was joking|was kidding|as a joke|sarcas\w+|not serious(?:ly)?|pulling your leg|april fools?"
    r"|gotcha|psych!|hypothetical\w*"
    r"|thought experiment|language model|made (?:that|it|this) up|making (?:that|it|this) up"
    r"|not really,? lol)|(?:^|\s)/(?:s|j|jk)\b|🙄"
)
_JOKE_AFTER = re.compile(
    r"^\W*(?:(?:lol|haha\w*|ok|okay|no|nah|oh|well|sorry|wait)\W+)*(?:just |only |i'm |im |i was |was |totally )*"
    r"(?:kidding|joking|jk\b|j/k|sarcasm|not really,? (?:lol|haha)|made (?:that|it) up)"
)
_PLAY = re.compile(
    r"\b(?:let's (?:role-? ?play|pretend|play (?:a|pretend|out))|role-?play(?:ing)?\b|pretend "
    r"(?:you|i|we|that|to be)|act as\b"
    r"|you(?:'re| are) (?:the|an?|my) \w+(?: \w+)?[,;.]? (?:and )?i(?:'m| am) (?:the|an?|your) \w+"
    r"|you are now\b|i'll (?:be|play) the\b|you (?:be|play) the\b|stay in character|in character\b|i want you to act)"
)
_PLAY_OVER = re.compile(
    r"\b(?:(?:end|stop|finish|done|out) (?:of |with )?(?:the )?(?:role-? ?play(?:ing)?|scene|game"
    r"|pretending|character)|ooc\b"
    r"|out of character|role-? ?play (?:is )?over|back to (?:reality|real life|normal)|end of "
    r"(?:role-?play|scene)|for real now)"
)
_TEXTS = (
    r"(?:text|sentences?|paragraphs?|essay|e-?mails?|mails?|letter|messages?|draft|story|stories|poem"
    r"|post|reviews?|bio|biography|article|song"
    r"|transcript|conversation|dialogue?|script|quote|lyrics|notes?|prompt|translation|speech"
    r"|monologue|diary|journal entry"
    r"|passage|excerpt|abstract|chapter|scene|resume|résumé|cv|cover letter|statement|summary"
    r"|caption|tweet|homework|exercise"
    r"|assignment|example|sample|template|persona|profile|character|document|report|log|novel|fan "
    r"?fic(?:tion)?|tale|novella"
    r"|play|screenplay|screen|blog|testimonial|introduction|intro|eulogy|toast|vows|answer|phrase"
    r"|line|words|user story)"
)
_PASTE = re.compile(
    rf"\b(?:translat(?:e|ing|ion of|ions of)\b|re-?writ\w+|rephras\w+|paraphras\w+|proof-?read\w*|summari[sz]\w+"
    rf"|(?:check|fix|correct|improve) (?:the |my |its )?grammar|copy-?edit|improve upon"
    rf"|(?:correct|edit|improve|polish|check|fix|parse|classify|review) (?:this|these|the|my)\b[^.!?\n]{{0,60}}:"
    rf"|(?:reply|respond|answer)(?: to)? (?:this|that|the following) (?:\w+ )?{_TEXTS}"
    rf"|(?:correct|edit|improve|polish|fix|transcribe) (?:this|these)\b|sentiment of|continue (?:this|the|my|writing)"
    rf"|(?:the |this |these )?following\b|see below|as follows|from the perspective of|in the voice of|first[- ]person"
    rf"|(?:write|draft|compose|create|generate|make|give|craft|invent|tell|type|put together|finish"
    rf"|complete)(?: up)?(?: me| us| him| her| them)?"
    rf"(?: a| an| the| my| this| some| another| one| \d+| out)?(?:[ -][\w'-]+){{0,4}} {_TEXTS}"
    rf"|(?:here(?:'s| is| are)|this is|below is|attached is|my)(?: the| a| an| my| what| some)?(?:[ "
    rf"-][\w'-]+){{0,3}} {_TEXTS}[^.!?\n]{{0,60}}:"
    rf"|{_TEXTS}(?: \w+){{0,3}} ?:\s|imagin(?:e|ing) (?:that|you|a|i|we|this|if|the)|\bscenario\b"
    rf"|\bonce upon a time\b|\bexample:|e\.g\.,? ['\"])"
)
_LABEL = re.compile(
    r"\b(?:(?:person|speaker|character|customer|interviewer|student|client|patient|caller|agent) "
    r"?[a-z0-9]?|user|bot|[qa]|narrator|me|him|her): |\b(?:day|chapter|scene|act|episode) \d+[:.] "
    r"|^\W*you(?:'re| are) an? (?:[\w-]+ ){0,3}(?:assistant|expert|agent|chatbot|character|guide"
    r"|interviewer|writer|historian|translator)\b|^dear [^\n?]{1,40},"
)
_LETTER = re.compile(r"^(?:dear\b|subject:|from:|to:|re:|hi [^\n]{1,30},$|cc:|sent:|date:|#|\|)", re.M)
_SPOKEN_LINE = re.compile(r"^\s*(?:\*\*|\[)?[a-z][\w .'-]{0,24}(?:\*\*|\])?\s?:(?:\*\*)?\s", re.M)
_QUOTED = re.compile(
    r"<(?P<tag>[a-z]\w{0,9})\b[^>\n]{0,200}>.{0,4000}?</(?P=tag)>|^[^\n]*\bselect\b[^\n]*\bfrom\b[^\n]*$"
    r"|```.*?(?:```|\Z)|`[^`\n]{1,400}`|\"[^\"]{1,2000}\""
    r"|(?<![\w'])'(?=\w)[^'\n]{2,20}(?:(?:'(?=\w)|[^'\n]){0,300})?'(?!\w)"
    r"|^\s*>[^\n]*|<[^>\n]{1,200}>|\*\*\*.*?\*\*\*|https?://\S+|^(?: {4}|\t)\S[^\n]*",
    re.S | re.M,
)
_LONG, _HEAD, _TAIL = 2_400, 700, 400


def _masks(low: str, talking: bool) -> list[tuple[int, int]]:
    """The stretches of a turn that are not its speaker's own talk."""
    found: list[tuple[int, int]] = []
    if '"' in low or "'" in low or "`" in low or ">" in low or "\n" in low or "*" in low or "http" in low:
        found = [m.span() for m in _QUOTED.finditer(low)]
    if not talking and (pasted := _PASTE.search(low)):
        end = pasted.end()
        # A task with no text after it pastes nothing: the words before it are the speaker's own in any case.
        begin = max(low.rfind(stop, 0, pasted.start()) for stop in ".!?\n") + 1
        found.append((begin, len(low)) if len(low) > end else (begin, end))
    if (label := _LABEL.search(low)) is not None:
        found.append((label.start(), len(low)))
    if "\n" in low:
        if letter := _LETTER.search(low):
            found.append((letter.start(), len(low)))
        lines = [m.start() for m in _SPOKEN_LINE.finditer(low)]
        if len(lines) > 1:
            found.append((lines[0], len(low)))
        found += _verses(low)
    if len(low) > _LONG:
        found.append((_HEAD, len(low) - _TAIL))
    return found


def _verses(low: str) -> Iterator[tuple[int, int]]:
    """Lines without a stop at their end, one after another: a song, a poem, a list pasted."""
    first, run, place = 0, 0, 0
    for line in low.split("\n"):
        bare = line.strip()
        if bare and len(bare) < 70 and bare[-1] not in ".!?:;" and not bare[0].isdigit() and bare[0] not in "-*•":
            first, run = (place, 1) if not run else (first, run + 1)
        elif bare or run < 4:
            run = 0 if bare else run
        if run >= 4:
            yield first, place + len(line)
        place += len(line) + 1


_GAME = 12
"""Turns for which a game is taken to go on. See `derive.CONTEXT`."""


def own(turns: Sequence[Turn], read: Callable[[int, str], bool] = lambda number, low: True) -> Iterator[list[Sentence]]:
    """Of each turn the sentences that its speaker says and means, one list per turn: none where it is not to be read.

    `read` is asked with the number of a turn and its folded text.
    """
    names = {turn.speaker.lower() for turn in turns if turn.speaker and is_person(turn)}
    begun = -_GAME - 1
    for number, turn in enumerate(turns):
        if not is_person(turn):
            yield []
            continue
        low = folded(turn.text)
        if _PLAY.search(low):
            begun = number
        if number - begun <= _GAME:
            begun = -_GAME - 1 if _PLAY_OVER.search(low) else begun
            yield []
            continue
        if not read(number, low) or _JOKE.search(low) or _taken_back(turns, number):
            yield []
            continue
        peers = frozenset(names - {turn.speaker.lower()}) if turn.speaker else frozenset[str]()
        yield list(_sentences(turn, low, peers))


def takes_back(text: str) -> bool:
    """Whether a turn says that the one before it was a joke."""
    return _JOKE_AFTER.search(folded(text)) is not None


def _taken_back(turns: Sequence[Turn], number: int) -> bool:
    """Whether the speaker's next turn says that it was a joke."""
    turn = turns[number]
    for later in turns[number + 1 : number + 4]:
        if later.by == turn.by and later.role == turn.role:
            return _JOKE_AFTER.search(folded(later.text)) is not None
    return False


# -- sentences

_ABBREVIATED = "".join(
    rf"(?<!\b{word}\.)"
    for word in (
        r"[a-z]",
        "mr",
        "ms",
        "dr",
        "st",
        "mrs",
        "vs",
        "etc",
        "sgt",
        "jr",
        "sr",
        "inc",
        "vol",
        r"p\.m",
        r"a\.m",
        "no",
    )
)
_END = re.compile(rf"(?:[.!?…]+[\"'”’)\]*]*{_ABBREVIATED}(?=\s|$|[^\w\s.,;:'\")\]]))|\n+")
_BULLET = re.compile(r"[\s>*•\-–—#]*(?:\d{1,2}[.)]\s+)?[\s*_(]*")

_UNREAL = re.compile(
    r"\b(?:imagine|imagining|suppose|supposing|pretend|pretending|hypothetically|in theory|wish"
    r"|wished|what if|let's say|say i\b|assum(?:e|ing)"
    r"|for the sake of|in (?:an(?:other)?|a) (?:life|universe|world|alternate|parallel|perfect"
    r"|ideal)\b|dream(?:ed|t)? (?:that|about|i|of|job|home|house)|if only"
    r"|as (?:if|though)\b|were i\b|had i\b|in (?:the|this|my|our|a) (?:\w+ ){0,2}(?:game|story"
    r"|novel|book|movie|film|dreams?|song|play|campaign|simulation|show"
    r"|script|poem|fantasy|scenario|rpg|comic)\b|my (?:\w+ )?(?:character|avatar|protagonist"
    r"|persona|npc)\b|minecraft|the sims|stardew|d&d|in-game"
    r"|or something like that|no way i|it's not that|not true that|isn't true|it is false|false "
    r"that|untrue|lie\b|lied\b|lying about"
    r"|told (?:\w+ ){1,3}(?:that )?i\b(?<!told you i)|for example|for instance|e\.g\."
    r"|said (?:no ?one|nobody)|supposedly|allegedly|apparently|rumou?r|according to|i doubt|lyrics?|quote|slogan|tattoo"
    r"|t-shirt says|sign says|caption)\b"
)
_SCORN = re.compile(
    r"^\W*(?:oh,? (?:sure|great|yeah|yes|right|of course|because|wonderful|fantastic|joy)|yeah,? "
    r"right|sure,? (?:because|like)|right,? because"
    r"|as if\b|like i\b|because obviously|obviously,? (?:i|because)|totally,|great, just what)"
    r"|\bjust what i needed|\bthank you very much\b|\bnot!"
)
_SUPPOSED = re.compile(
    r"^\W*(?:(?:and|but|so|also|then|or|well|ok|okay|now|even|only|yeah|yes|no|oh)\W+)*"
    r"(?:if|unless|whenever|in case|as soon as|as long as|provided|should i|once i|once we|whether"
    r"|when (?:i|we|i'm|we're|people|someone)\b(?! (?:was|were|had|did|went|got|came|left|began"
    r"|started|bought|met|saw|took"
    r"|made|\w+ed)\b)|until|say\b|maybe|perhaps|possibly|hopefully)\b"
)
_REPORT = re.compile(
    r"\b(?:said|says|saying|told|tells|telling|claim(?:s|ed)?|thinks?|thought|believes?|believed"
    r"|asked|asks|wrote|writes|texted|quoted?|replied"
    r"|joked|jokes|mentioned|mentions|insists?|insisted|swears?|swore|heard|shouted|yelled"
    r"|announced|goes like|went like|posted|commented|complained)\b"
)
_OWN_REPORT = re.compile(r"\bi(?:'ve| have)?(?: \w+)? $")
_IF = re.compile(r"\b(?:if|whether|unless|in case|provided)\b")
_ASKS_IF = re.compile(
    r"(?:know|see|sure|ask|asked|asking|wonder|wondering|wondered|check|curious|tell|determine"
    r"|verify|confirm|idea|unsure|decide|figure out|certain) $"
)
_POLITE_IF = re.compile(
    r"if (?:that|this|it|you (?:must|want|need|wanted|ask|don't mind|could|can|know|have|are "
    r"wondering|'re wondering)|possible|not|so|needed|anyone|anything)\b"
)
_TAG = re.compile(
    r",? ?(?:right|correct|huh|no|yes|yeah|eh|innit|don't i|am i|aren't i|isn't it|don't we|do i"
    r"|is it|remember|you know|or not|or what|isn't (?:he|she)"
    r"|doesn't (?:he|she)|wasn't it|didn't i|haven't i|have i|did i)\s*\?"
)
_ASKING = (
    r"(?:(?:can|could|would|will|do|does|did|is|are|was|were|should|shall|may|might|have|has|isn't"
    r"|don't|doesn't|aren't|won't|can't|couldn't|wouldn't)"
    r" (?:you|i|we|it|he|she|they|there|that|this|the|my|your|these|those|anyone|someone|any|a|an)\b"
    r"|which (?!(?:has|have|had|is|was|are|were|i|we|he|she|they|it|will|would|can|makes?|made"
    r"|means?|should|gave|gives)\b)"
    r"|(?:what|where|when|why|who|how|whose|what's|how's|where's|who's|when's|whats)\b|any "
    r"(?:\w+ ){0,3}(?:ideas?|tips?|suggestions?|thoughts?|advice|recommendations?|chance|of)\b"
    r"|got any|know any|ever |mind |please (?!note|remember|keep|call)|any\b)"
)
_ASKS = re.compile(
    rf"(?:^|[,;:]\s*|\s[-–—]+\s*|—\s*|\s(?=(?:and|so|but|or) ))(?:(?:and|so|but|also|then|now|or"
    rf"|well|hey|hi|yeah|ok|okay|please|anyway)[, ]+){{0,4}}{_ASKING}"
)
_ASKS_STRONG = re.compile(
    r"(?:^|[,;:]\s*|\s[-–—]+\s*|—\s*|\s(?=(?:and|so|but|or) ))(?:(?:and|so|but|also|then|now|or"
    r"|well|hey|hi|yeah|ok|okay|please|anyway)[, ]+){0,4}"
    r"(?:(?:can|could|would|will|do|did|are|were|have|should|shall) (?:you|i|we)\b|(?:what|which"
    r"|where|when|why|who|how)(?:'s)? (?:is|are|do|does|did|can|could|should|would|will|to|about"
    r"|much|many|long)\b)"
)


_REQUEST = re.compile(
    r"(?:(?:and|also|hey|hi|please|so|ok|okay)[, ]+){0,4}(?:can|could|would|will) you (?:please )?(?:just )?"
    r"(?=(?:forget|erase|delete) (?:my|that i|everything|about me|what i)|(?:always|never) [a-z]+ (?!been)"
    r"|stop (?:using|calling)|call me [^?]{2,20}$)"
)


def _sentences(turn: Turn, low: str, peers: frozenset[str]) -> Iterator[Sentence]:
    masks = _masks(low, bool(peers))
    start = 0
    ends = [(m.start(), m.end()) for m in _END.finditer(low)]
    for cut, stop in [*ends, (len(low), len(low))]:
        begin = _BULLET.match(low, start, stop).end()  # pyright: ignore[reportOptionalMemberAccess]
        if "?" in low[cut:stop] and (request := _REQUEST.match(low, begin, cut)) is not None and not peers:
            begin, kept = request.end(), cut
        else:
            kept = _kept(low, begin, cut, low[cut:stop])
        start = stop
        if any(a <= begin < b for a, b in masks):
            continue
        if kept > begin + 3:
            # A title may stand within a sentence of one's own; a long quotation, or an "I" in one, is another's.
            others = (a for a, b in masks if begin < a < kept and (b - a > 300 or _ME.search(low, a, b)))
            kept = min([kept, *others])
            yield Sentence(turn, low, begin, kept, peers)
        if "?" in low[cut:stop] and _NAMES_NEW.search(low, begin, cut) and not _IF.search(low, begin, cut):
            yield Sentence(turn, low, max(kept, begin), cut, peers, asks=True)
        for place in _granted(low, max(kept, begin), cut, low[begin:stop]):
            yield Sentence(turn, low, place, _kept(low, place, cut, "."), peers)


_ME = re.compile(r"\b(?:i|i'm|i've|my|we)\b")
_GRANTED = re.compile(
    r"\b(?:especially |particularly )?(?:since|now that|considering(?: that)?|given "
    r"that)\s+(?=(?:i|i'm|i've|my|our|the|we|we've)\b)"
)


_NAMES_NEW = re.compile(
    r"\b(?:my|our|the) (?:new|newly|increased|updated|revised|reduced|extended|raised|lowered"
    r"|improved|expanded|adjusted)\b"
)


def _granted(low: str, start: int, stop: int, sentence: str) -> Iterator[int]:
    """Where a question takes something for granted: "… now that I live in Porto?"."""
    if not sentence.rstrip().endswith("?") or _UNREAL.search(sentence) or _IF.search(sentence) or _TAG.search(sentence):
        return
    for match in _GRANTED.finditer(low, start, stop):
        yield match.end()


def _kept(low: str, start: int, stop: int, end: str) -> int:
    """Where the part of a sentence ends that is said and meant; `start` where there is none."""
    if stop - start < 4 or _UNREAL.search(low, start, stop) or _SCORN.search(low[start:stop]):
        return start
    if _SUPPOSED.match(low[start:stop]):
        return start
    if "?" in end:
        if _TAG.search(low[start:stop] + "?"):
            return start
        asks = next((m for m in _ASKS.finditer(low[start:stop])), None)
        if asks is None:
            return start
        stop = start + asks.start()
    elif (asks := _ASKS_STRONG.search(low[start:stop])) is not None:
        stop = start + asks.start()
    for report in _REPORT.finditer(low, start, stop):
        if not _OWN_REPORT.search(low[start : report.start()]):
            stop = report.start()
            break
    for condition in _IF.finditer(low, start, stop):
        if _ASKS_IF.search(low[start : condition.start()]):
            stop = condition.start()
            break
        if not _POLITE_IF.match(low, condition.start()):
            return start
        stop = condition.start()
        break
    return stop


# -- clauses

_LEAD = re.compile(
    r"(?:(?:and|but|so|well|yeah|yep|yes|yup|no|nope|nah|oh|ah|aw|wow|ok|okay|also|plus|then|hi"
    r"|hey|hello|hmm+|um+|uh|haha\w*|lol|sure|right|anyway|anyways|btw|fyi|ps|p\.s\."
    r"|actually|honestly|personally|basically|unfortunately|sadly|luckily|fortunately|thankfully"
    r"|thanks|thank you|sorry|oops|great|cool|nice|awesome|good news|bad news"
    r"|guess what|you know|as you know|look|listen|see|update|quick update|small update|news"
    r"|correction|note|besides|again|though|still|currently|now|these days|nowadays|lately"
    r"|recently"
    r"|by the way|speaking of (?:which|that)|for context|for reference|for the record|for what "
    r"it's worth|just so you know|just fyi|in fact|in general|generally"
    r"|to be honest|tbh|to be clear|as i (?:said|mentioned)|like i (?:said|mentioned)|i (?:already "
    r")?(?:mentioned|told you|said)(?: (?:before|earlier))?(?: that)?|as a reminder|just a "
    r"reminder|reminder"
    r"|since|because|given that|considering|seeing as|though|although|please note that|please note|note that|please "
    r"note that|(?:please )?keep in mind(?: that)?|(?:please )?remember(?: that)?|don't forget(?: "
    r"that)?|for now"
    r"|the thing is|fact is|truth is|turns out|it turns out|i should (?:mention|add|say)(?: that)?"
    r"|i forgot to (?:mention|say)(?: that)?|did i mention(?: that)?|i have to (?:say|admit)(?: "
    r"that)?|i must (?:say|admit)(?: that)?"
    r"|just wanted to (?:say|share|mention)(?: that)?|on top of that|in addition|additionally"
    r"|apart from that|other than that|me too|same here|finally|at least|good morning|good evening"
    r"|good afternoon|greetings|hi there|hey there|hello there)"
    r"(?:[,.!:;]+\s*|\s+[-–—]+\s*|\s+))"
)
_SPLIT = re.compile(
    r"(?:[,;:]|\s[-–—]+|—|\.\.\.|…|\))?\s+(?:(?:and|but|so|because|since|plus|also|although|though"
    r"|however|yet|now that|now|given that|given|considering that|considering|especially since"
    r"|then|actually|still|recently|instead|currently|sadly|btw|by the way|luckily|unfortunately"
    r"|after all|as you know|correction)[,:]? ){0,5}(?=(?:i|i'm|i've|i'd|i'll|im|ive|my|we|we're|we've"
    r"|our|the|it's|call|always|never|don't|please)\b)"
)
_DEPENDS = re.compile(
    r"(?:^|\W)(?:and|but|so|because|since|now that|given|given that|considering|considering that"
    r"|plus|also|although|though|however|yet|now|actually)\W+$|[,;:]\s+$|[-–—…)]\s+$|\.\.\.\s+$"
)
_FRONT_TIME = re.compile(
    r"(?:on|in|at|back|this|last|next|yesterday|today|tonight|tomorrow|earlier|over|during|since"
    r"|early|late|a|an|one|two|three|four|five|six|seven|eight|nine|ten|half|about|around|just"
    r"|only|\d|by|starting|as of|from"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\b"
)
_FRONT_PREPOSITION = re.compile(
    r"(?:(?:on|in|at|back in|starting|as of|from|by|just|only|earlier|over|since|about|around)\s+)*"
)
_AFTER_TIME = re.compile(r"[, ]*(?:,? ?(?:though|and|that|actually|finally),? )?")


def clauses(sentence: Sentence) -> Iterator[Clause]:
    """The clauses of a sentence, each from its subject on."""
    low = sentence.low
    starts = [sentence.start]
    ends: list[int] = []
    for cut in _SPLIT.finditer(low, sentence.start, sentence.stop):
        if cut.start() > sentence.start and _DEPENDS.search(low[cut.start() : cut.end()]):
            ends.append(cut.start())
            starts.append(cut.end())
    carried: dates.Told | None = None
    for start, stop in zip(starts, [*ends, sentence.stop], strict=True):
        begin = start
        while (lead := _LEAD.match(low, begin, stop)) is not None:
            begin = lead.end()
        told, carried = carried, None
        if _FRONT_TIME.match(low, begin, stop):
            at = _FRONT_PREPOSITION.match(low, begin, stop).end()  # pyright: ignore[reportOptionalMemberAccess]
            front = next((t for t in sentence.times if t.start in (begin, at)), None)
            if front is not None:
                told = front
                begin = _AFTER_TIME.match(low, told.end, stop).end()  # pyright: ignore[reportOptionalMemberAccess]
        if stop - begin > 3:
            yield Clause(sentence, begin, stop, told)
        else:
            carried = told
