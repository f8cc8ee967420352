"""From turns to clauses that a person says of their own life and means.

What is asked, supposed, quoted, told of by others, played, joked or pasted is left out here, once for all rules: a
rule that never sees a sentence cannot misread it. Texts are folded so that each character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from mnemic import dates
from mnemic.rules.repairs import repaired
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
    return dates.lowered(text.translate(_FOLD))


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
    unmeant: bool = False
    """Whether its speaker goes on to say that it was a joke: it is known only so that a correction can mean it."""
    mends: bool = False
    """Whether it follows such a joke: "… just kidding, it's Bruno"."""
    end: int = -1
    """Where all of it ends, its question and the words of others included."""
    _times: tuple[dates.Told, ...] | None = field(default=None, repr=False)

    @property
    def me(self) -> str:
        return self.turn.speaker or USER

    @property
    def whole(self) -> int:
        return max(self.end, self.stop)

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

    def look_ahead(self, reads: Callable[[str, dates.Told, datetime], dates.Told]) -> None:
        """Read dates without a year as `reads` does: the clause tells a plan."""
        now, sentence, found = self.turn.time, self.sentence, list[dates.Told]()
        for told in sentence.times:
            if (
                self.start <= told.start
                and told.end <= self.stop
                and told.last <= now
                and told.precision in ("minute", "day", "month")
            ):
                told = reads(self.text, told, now)
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


def nearest(text: str, told: dates.Told, now: datetime) -> dates.Told:
    """A time as the past one or the next one, whichever is nearer: a date just past is not next year's."""
    if told.last > now:
        return told
    later = ahead(text, told, now)
    return told if now - told.last < later.first - now else later


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
    r"\b(?:my (?!favou?rite )(?:\w+ )?(?:character|avatar|npc) (?:is|was|has|will|can|wants|needs)\b|in-game\b"
    r"|dungeon master\b|kidding aside|as a joke|sarcas\w+|not serious(?:ly)?|pulling your leg|april fools?"
    r"|gotcha|psych!|hypothetical\w*"
    r"|thought experiment|language model|made (?:that|it|this) up|making (?:that|it|this) up"
    r"|not really,? lol)|(?:^|\s)/(?:s|j|jk)\b|🙄"
)
_PUNCHLINE = re.compile(
    r"[.!?]\s+(?:to|in|for|of|on|at|by|with|from|especially|mostly|only|said no|not|except|until) [^.!?\n]{0,60}"
    r"(?:\b(?:haha\w*|lol|lmao|rofl)\b|😂|🤣)|\bba dum tss\b"
    r"|\b(?:lovely|wonderful|brilliant|fantastic|charming|terrific)"
    r", (?:yet )?(?:another|more) (?!question|thing|idea|option|way|one\b|tip|example)|\b(?:great|good|nice) job, me\b"
)
"""A laugh after a fragment that turns round what came before it; praise of what nobody praises."""
_JOKE_AFTER = re.compile(
    r"^\W*(?:(?:lol|haha\w*|ok|okay|no|nah|oh|well|sorry|wait)\W+)*(?:just |only |i'm |im |i was |was |totally )*"
    r"(?:kidding|joking|jk\b|j/k|sarcasm|not really,? (?:lol|haha)|made (?:that|it) up)"
)
_JOKE_WORDS = re.compile(r"k(?:idding|id\b)|jo(?:king)|j/?k\b|not really|nah\b")
_JOKE_BACK = re.compile(
    r"\b(?:(?:i'm |im |i am |i was |was )?(?:just |only |totally )?(?:kidding|joking)(?! (?:about|aside))|i kid|jk|j/k"
    r"|not really,? (?:lol|haha)|(?<=lol, )nah|(?<=lol )nah)\b"
)
"""That what was said before it was a joke."""
_PLAY = re.compile(
    r"\b(?:let's (?:role-? ?play|pretend|play (?:a|pretend|out))|role-?play(?:ing)?\b|pretend "
    r"(?:you|i|we|that|to be)|act as\b"
    r"|you(?:'re| are) (?:the|an?|my) \w+(?: \w+)?[,;.]? (?:and )?i(?:'m| am) (?:the|an?|your) \w+"
    r"|(?:let's|let us|shall we|can we) (?:\w+ ){0,3}?(?:practi[cs]e|rehearse|act out|simulate|mock)\b(?: \w+){0,5} "
    r"(?:interviews?|conversations?|calls?|pitch|negotiation|dialogues?|scene|date|talk)\b"
    r"|(?:let's|let us) (?:\w+ ){0,3}(?:interview|dialogue|conversation|sales call|negotiation) (?:practi[cs]e"
    r"|rehearsal)"
    r"|(?:want|like|love|need) to practi[cs]e (?:\w+ ){0,3}(?:small talk|conversations?|dialogues?)\b"
    r"|(?:let's|let us|shall we|can we) (?:do|play|try|start) (?:some |an? |the |another )?(?:improv\w*|charades"
    r"|scene|skit"
    r"|sketch|make-believe|theat(?:er|re))|let's improvise\b"
    r"|(?:let's|let us|shall we|can we) (?:\w+ ){0,2}(?:write|tell|make up|invent|create) (?:\w+ ){0,3}(?:story|tale"
    r"|scene"
    r"|dialogue|fairy ?tale)\b"
    r"|you are now\b|i'll (?:be|play) the\b|you (?:be|play) the\b|stay in character|in character\b|i want you to act)"
)
_CAST = re.compile(
    r"\bYou(?:'re| are|’re) [A-Z]\w*(?: [A-Z]\w+)?(?:,| and|;|\.)(?: and)? I(?:'m|’m| am) (?:[A-Z]|(?:the|your"
    r"|an?) [a-z])"
)
"""Parts handed out: "You are Watson and I am Holmes"."""
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
_HEADINGS = (
    rf"(?:{_TEXTS}|(?:comments?|affirmations?|mantras?|slogans?|options|choices|statements|limericks?|haikus?|verse"
    rf"|chorus"
    r"|riddles?|quiz|survey|questionnaire|flash ?cards?|test (?:cases?|data|set|strings?)|fixtures?|data ?set|inputs?"
    r"|outputs?|payload|voicemail|prayer|oath|pledge|chant|horoscope|advert|ad|petition)\b)"
)
"""What may stand before a colon that opens another's words."""
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
    rf"|\b{_HEADINGS}s?(?: (?![^\s]*[.!?:](?:\s|$))[^\s]+){{0,7}}(?: [\w'\"’”)]+)? ?:\s|imagin(?:e|ing) (?:that|you"
    rf"|a|i|we|this|if|the)|\bscenario\b"
    rf"|(?:below is|here(?:'s| is| are)|this is|attached is)(?: the| a| an| some"
    rf"| what)?(?:[ -][\w'-]+){{0,3}} {_HEADINGS}"
    rf" (?:from|by|that|which|of) "
    rf"|(?:picture this|picture (?:me|yourself|us)\b|conjugat\w+|repeat after me|say after me|spell-?check|punctuate"
    rf"|text adventure|two truths and a lie|true or false|never have i ever|would you rather|truth or dare"
    rf"|character sheet|make-believe|improv\b)"
    rf"|(?:shorten|simplify|lengthen|reword|tidy|format|rate|grade|critique|evaluate|judge|interpret|analy[sz]e)"
    rf" (?:this|these)\b[^.!?\n]{{0,30}}[.!?:]\s"
    rf"|\bonce upon a time\b|\bexample:|e\.g\.,? ['\"])"
)
_LABEL = re.compile(
    r"\b(?:(?:person|speaker|character|customer|interviewer|student|client|patient|caller|agent) "
    r"?[a-z0-9]?|user|bot|[qa]|narrator|me|him|her): |\b(?:day|chapter|scene|act|episode) \d+[:.] "
    r"|^\W*you(?:'re| are) an? (?:[\w-]+ ){0,3}(?:assistant|expert|agent|chatbot|character|guide"
    r"|interviewer|writer|historian|translator)\b|^dear [^\n?]{1,40},"
)
_LETTER = re.compile(
    r"^(?:(?:-{3,}|={3,}|_{3,}|~{3,}|\*{3,})\s*$|(?:begin|start of) [^\n]{1,30}$|(?:fwd?|fw|forwarded)\b|dear\b"
    r"|subject:|from:|to:|re:|hi [^\n]{1,30},$|(?<=\n)(?:hi|hey|hello|hiya|good (?:morning|evening)) (?!there\b"
    r"|again\b|guys\b|all\b)[\w. ]{1,20}[,!]|cc:|sent:|date:|#|\|)",
    re.M,
)
_SPOKEN_LINE = re.compile(r"^\s*(?:\*\*|\[)?[a-z][\w .'-]{0,24}(?:\*\*|\])?\s?:(?:\*\*)?\s", re.M)
_HEAD_OF = re.compile(r"^(?P<head>[^\n]{1,160}):[ \t]*\n", re.M)
"""A line that ends with a colon: what stands below it is somebody's words, or a list."""
_OWN_HEAD = re.compile(
    r"^\W*(?:it|it's|this|that|that's|these|those|here|here's|there|there's|now|one|two|three|and|but|because|since"
    r"|plus"
    r"|still|same)\b"
    r"|\b(?:i|i'm|i've|i'd|i'll|me|my|mine|we|we're|our|us|you|your|context|background|details|facts?|info|information"
    r"|updates?|notes?|ps|p\.s|summary|situation|problem|issue|question|today|yesterday|week|month|year|so|fyi|remember"
    r"|preferences?|plans?|goals?|reasons?|symptoms|requirements|constraints|budget|schedule|hi|hello|hey|thanks|thank"
    r"|news|confession|truth|reality|short|basically|line|tl;?dr|first|second|third|next|last|finally|thing|point"
    r"|answer"
    r"|honestly|actually|also|edit|btw|way|well|yes|yeah|yep|no|nope|ok|okay|sorry|important|caveat|warning|disclaimer"
    r"|reminder|correction|clarification|addition|life|age|name|location|city|job|work|hobby|hobbies|diet"
    r"|allergy|allergies|status|mood|tip|bonus|change|final|for what it's worth|record|pros?|cons?|total|results?"
    r"|conclusion|option|part|step)\b"
    r"|\b(?:is|are) (?!\w+ing\b)\w+$"
)
"""By which what stands before a colon speaks of the speaker, or the matter: "Update: I …", "Nuts are out: I …"."""
_GIVES_WORD = re.compile(
    r"(?<!\bi )(?<!\bi've )(?<!\bi just )\b(?:wrote|writes|said|says|sent|texted|posted|answered|replied|left|whispered"
    r"|shouted)\b[^:]{0,40}$|\b(?:rate|grade|translate|choose|tick|sort|rank|label|classify|read(?: out| aloud)?"
    r"|memori[sz]e"
    r"|recite|complete)$"
)
_INTRODUCES = re.compile(
    r"(?:^|[.!?\n])(?P<head>[^.!?:\n]{2,120}):[ \t]+(?![\"'])(?=[^.!?\n]*\b(?:i|i'm|i've|my|me)\b)"
)
"""What stands before a colon and an "I" is who says "I", unless it speaks of the speaker: "the sign reads: I …"."""
_ABOUT_TEXT = re.compile(
    r"\s*(?:(?:please|pls|hey|hi|ok|okay|so|and|now),? )*(?:(?:can|could|would|will) (?:you|u)|what|how|is|are|does"
    r"|do|why|who"
    r"|which|any|(?!(?:i|i'm|i've|i'd|i'll|that|that's|those|this|these|thanks|thank|wow|great|yes|yeah|sounds|looks"
    r"|we|my|our"
    r"|it|it's|good|nice|perfect|awesome|cool|sure|the|there|no|oh|ah|well|also|by)\b)[a-z]+) [^\n]*\b(?:this"
    r"|these)\b(?! (?:week|weekend|month|year|morning|evening|afternoon|summer|winter"
    r"|spring|fall|autumn|time|way|is (?:great|helpful)))[^\n]*[?.:!]?$"
)
"""A first paragraph that asks something about a text: the text stands below."""
_POSTER = re.compile(r"\b(?:i|my [a-z]+) ?[(\[](?:\d{2} ?[mfx]|[mfx] ?/? ?\d{2})[)\]]")
"""How posts to strangers name people: "I (27F) …"."""
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
    if ":" in low and not talking:
        for voice in _INTRODUCES.finditer(low):
            if _is_another(voice["head"]):
                end = low.find("\n", voice.end())
                found.append((voice.end(), len(low) if end < 0 else end))
        for head in _HEAD_OF.finditer(low):
            if _is_another(head["head"]):
                found.append((head.end(), len(low)))
                break
    if not talking and (blank := low.find("\n\n")) > 0 and _ABOUT_TEXT.match(low, 0, blank):
        found.append((blank, len(low)))
    if not talking and (poster := _POSTER.search(low)):
        found.append((poster.start(), len(low)))
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


def _is_another(head: str) -> bool:
    """Whether what stands before a colon gives the word to somebody else, or to an exercise."""
    return _OWN_HEAD.search(head) is None or _GIVES_WORD.search(head) is not None


def _verses(low: str) -> Iterator[tuple[int, int]]:
    """Lines without a stop at their end, one after another: a song, a poem, a list pasted."""
    first, run, place = 0, 0, 0
    for line in low.split("\n"):
        bare = line.strip()
        if bare and len(bare) < 70 and bare[-1] not in ".!?:;" and not bare[0].isdigit() and bare[0] not in "-*•":
            first, run = (place, 1) if not run else (first, run + 1)
        elif bare or run < 4:
            if bare and run == 3 and len(bare) < 70 and bare[-1] in ".!?":
                yield first, place + len(line)  # the last line of a stanza
            run = 0 if bare else run
        if run >= 4:
            yield first, place + len(line)
        place += len(line) + 1


def own(turns: Sequence[Turn], number: int, first: int = 0) -> list[Sentence]:
    """The sentences of a turn that its speaker says and means, as far as the turns from `first` on tell."""
    turn = turns[number]
    if not is_person(turn) or is_played(turns, number, first) or _taken_back(turns, number):
        return []
    return sentences_of(turn, peers(turns, number, first))


def sentences_of(turn: Turn, peers: frozenset[str]) -> list[Sentence]:
    """The sentences of a turn that its speaker says and means, as far as it tells itself."""
    low = folded(turn.text)
    if _JOKE.search(low) or (len(low) < 240 and _PUNCHLINE.search(low)):
        return []
    text = repaired(turn.text, low)
    if text is not turn.text:
        turn = replace(turn, text=text)
        low = folded(text)
    found = list(_sentences(turn, low, peers))
    if _playing(turn.text)[1] and (over := _PLAY_OVER.search(low)) is not None:
        found = [one for one in found if one.start >= over.start()]
    jokes = list(_JOKE_BACK.finditer(low)) if _JOKE_WORDS.search(low) else []
    return list(_without_joke(found, jokes[-1])) if jokes else found


def peers(turns: Sequence[Turn], number: int, first: int = 0) -> frozenset[str]:
    """The others who talk, in lower case; none where the user talks with an assistant alone."""
    own_name = turns[number].speaker
    if not own_name:
        return frozenset()
    return frozenset(
        turn.speaker.lower()
        for turn in turns[first : number + 1]
        if turn.speaker and turn.speaker != own_name and is_person(turn)
    )


def is_played(turns: Sequence[Turn], number: int, first: int = 0) -> bool:
    """Whether a turn is part of a role play, as far as the turns from `first` on tell."""
    for turn in reversed(turns[first : number + 1]):
        if is_person(turn):
            begins, ends = _playing(turn.text)
            begins = begins or (turn.speaker is None and not ends and _casts(turn.text))
            if begins or ends:
                return begins
    return False


_PART = re.compile(
    r"(?:^|[.!?\n]\s*)you(?:'re| are) (?:an?|the) (?!(?:(?:real|true|total|absolute|such|very|great|good|big|huge"
    r"|lovely"
    r"|wonderful|amazing|fantastic|bit|little|life)\b|life-?saver|star\b|genius|legend|gem\b|angel|saint|hero|champ"
    r"|rock ?star|treasure|wizard|machine|beast|godsend|blessing|liar|bot\b|robot|computer|program|large language"
    r"|language"
    r"|ai\b|best|friend|pro\b|dear|doll|peach|pal\b|boss\b|master|smart|funny|clever|helpful|brilliant))"
    r"[a-z][\w-]*(?: [\w-]+){0,3} (?:on|in|at|from|with|who|of|behind)\b[^.!?\n]*[.!\n]"
)
"""A part given to an assistant: "You're a stranger on a train."."""


@lru_cache(256)
def _casts(text: str) -> bool:
    return _PART.search(folded(text)) is not None


@lru_cache(256)
def _playing(text: str) -> tuple[bool, bool]:
    """Whether a text begins a role play, or ends one."""
    low = folded(text)
    over = _PLAY_OVER.search(low) is not None
    return not over and (_PLAY.search(low) is not None or _CAST.search(text) is not None), over


def takes_back(text: str) -> bool:
    """Whether a turn says that the one before it was a joke."""
    return _JOKE_AFTER.search(folded(text)) is not None


def _taken_back(turns: Sequence[Turn], number: int) -> bool:
    """Whether the speaker's next turn says that it was a joke."""
    turn = turns[number]
    for later in turns[number + 1 : number + 4]:
        if later.by == turn.by and later.role == turn.role:
            return takes_back(later.text)
    return False


def _without_joke(found: Sequence[Sentence], joke: re.Match[str]) -> Iterator[Sentence]:
    """Sentences of which those before "just kidding" are not meant, and what follows it mends them."""
    for one in found:
        if one.start < joke.start():
            yield replace(one, stop=min(one.stop, joke.start()), unmeant=True)
        if one.whole > joke.end() and one.start < joke.end() + 3:
            rest = _AFTER_JOKE.match(one.low, max(joke.end(), one.start), one.whole)
            start = rest.end() if rest else joke.end()
            if one.whole - start > 2:
                yield replace(one, start=start, stop=max(one.stop, one.whole), mends=True)
        elif one.start >= joke.end():
            yield one


_AFTER_JOKE = re.compile(r"[\s,.!;:—–)-]*(?:(?:but|and|so|lol|haha\w*|actually|seriously)[\s,.!]+)*")


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
    r"|for (?:the sake of|argument's sake)|in (?:an(?:other)?|a) (?:life|universe|world|alternate|parallel|perfect"
    r"|ideal)\b|dream(?:ed|t)? (?:that|about|i|of|job|home|house)|if only"
    r"|as (?:if|though)\b|were i\b|had i\b|in (?:the|this|my|our|a) (?:\w+ ){0,2}(?:game|story"
    r"|novel|book|movie|film|dreams?|song|play|campaign|simulation|show"
    r"|script|poem|fantasy|scenario|rpg|comic)\b|my (?!favou?rite )(?:\w+ )?(?:character|avatar|protagonist"
    r"|persona|npc)\b|minecraft|the sims|stardew|d&d|in-game"
    r"|we (?:as (?:an? |humans|people|human)|humans|people|mortals)|as (?:a species|humans|human beings|a society)"
    r"|or something like that|take my (?:case|situation|numbers?) (?:but|and)|no way i|it's not that|not true that"
    r"|isn't true|it is false|false "
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
_QUALIFIED = re.compile(r"(?:\s[-–—]+|[–—]|\.\.\.|…)\s*(?:well|or|okay|ok),? (?!i (?:still|do|am|have)\b)")
"""What was said is taken back in part: "I'm a baker - well, pastry chef"."""
_SUPPOSED = re.compile(
    r"^\W*(?:(?:and|but|so|also|then|or|well|ok|okay|now|even|only|yeah|yes|no|oh)\W+)*"
    r"(?:if|unless|whenever|in case|as soon as|as long as|provided|should (?:i|the|my|our|we|it|this|that|he|she"
    r"|they|you|any\w*|[a-z]+ (?:be|not|ever|happen))\b|once i|once we|whether|depending on|subject to"
    r"|all being well|with (?:any|a bit of) luck|god willing|touch wood"
    r"|when (?:i|we|i'm|we're|people|someone)\b(?! (?:was|were|had|did|went|got|came|left|began"
    r"|started|bought|met|saw|took"
    r"|made|\w+ed)\b)|until|say\b|maybe|perhaps|possibly|hopefully)\b"
)
_REPORT = re.compile(
    r"\b(?:said|says|saying|told|tells|telling|claim(?:s|ed)?|thinks?|(?<!second )(?<!\bof )(?<!\bthe )thought"
    r"|believes?|believed"
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
    r"|(?:what|where|when|why|how|whose|what's|how's|where's|when's|whats)\b|who(?!(?:'s|'ve|'d| is| has| was)?(?: "
    r"now| also| just)? (?:\d|an?\b"
    r"|[a-z]+(?:ed|ing)\b|i\b|we\b|my\b|lives?\b|works?\b|loves?\b|likes?\b|has\b|had\b|got\b|is\b|was\b))(?:'s)?\b"
    r"|any "
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
    r"(?=(?<!will you )(?:forget|erase|delete) "
    r"(?:my|that (?:i|my)|everything|about m[ey]|what i|i(?:'m)?\b|the fact|anything|where i|how old i)"
    r"|(?:always|never) [a-z]+ (?!been)"
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
            yield Sentence(turn, low, begin, kept, peers, end=cut)
        if (
            "?" in low[cut:stop]
            and _NAMES_MINE.search(low, max(kept, begin), cut)
            and not _IF.search(low, begin, cut)
            and not _UNREAL.search(low, begin, cut)
            and not any(a < cut and begin < b for a, b in masks)
        ):
            yield Sentence(turn, low, max(kept, begin), cut, peers, asks=True)
        for place in _granted(low, max(kept, begin), cut, low[begin:stop]):
            yield Sentence(turn, low, place, _kept(low, place, cut, "."), peers)


_ME = re.compile(r"\b(?:i|i'm|i've|my|we)\b")
_GRANTED = re.compile(
    r"\b(?:especially |particularly )?(?:since|now that|considering(?: that)?|given "
    r"that)\s+(?=(?:i|i'm|i've|my|our|the|we|we've)\b)"
)


_NAMES_MINE = re.compile(r"\b(?:my|our|the (?:new|newly|increased|updated|revised|reduced|extended|raised|lowered))\b")


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
    if _SUPPOSED.match(low[start:stop]) or _QUALIFIED.search(low, start, stop):
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
    r"|meanwhile|in truth|in reality|in real life|by the way|speaking of (?:which|that)|for context|for reference"
    r"|for the record|for what "
    r"it's worth|just so you know|just fyi|in fact|in general|generally"
    r"|to be honest|tbh|to be clear|as i (?:said|mentioned)|like i (?:said|mentioned)|i (?:already "
    r")?(?:mentioned|told you|said)(?: (?:before|earlier))?(?: that)?|as a reminder|just a "
    r"reminder|reminder"
    r"|that's why|that is why|which is why|i(?:'ve| have) told you (?:(?:a (?:million|thousand|hundred)|many|so "
    r"many) times )?that"
    r"|since|because|given that|considering|seeing as|though|although|please note that|please note|note that|please "
    r"note that|(?:please )?keep in mind(?: that)?|(?:please )?remember(?: that)?|don't forget(?: "
    r"that)?|for now"
    r"|the thing is|fact is|truth is|turns out|it turns out|i should (?:mention|add|say)(?: that)?"
    r"|i forgot to (?:mention|say)(?: that)?|did i mention(?: that)?|i have to (?:say|admit)(?: "
    r"that)?|i must (?:say|admit)(?: that)?"
    r"|just wanted to (?:say|share|mention)(?: that)?|on top of that|in addition|additionally"
    r"|apart from that|other than that|me too|same here|finally|at least|good morning|good evening"
    r"|good afternoon|greetings|hi there|hey there|hello there|i (?:just )?think(?= (?:i'll|i will|we'll|we will"
    r"|i'm going"
    r"|we're going|i'd|my|i want|i need)\b)|i know(?: that)?|i remember(?: that)?|for my "
    r"next \w+(?: \w+)?"
    r"|as for my (?:next )?[a-z]+(?: [a-z]+){0,2})"
    r"(?:[,.!:;]+\s*|\s+[-–—]+\s*|\s+))"
)
_SPLIT = re.compile(
    r"(?:[,;:]|\s[-–—]+|—|\.\.\.|…|\))?\s+(?:(?:and|but|so|because|since|plus|also|although|though"
    r"|however|yet|now that|now|given that|given|considering that|considering|especially since"
    r"|then|actually|still|recently|instead|currently|sadly|btw|by the way|luckily|unfortunately"
    r"|after all|as you know|correction|no|nah|wait|sorry|oops)[,:]? ){0,5}(?=(?:i|i'm|i've|i'd|i'll|im|ive|my|we"
    r"|we're|we've"
    r"|our|the|it's|call|always|never|don't|please)\b)"
)
_DEPENDS = re.compile(
    r"(?:^|\W)(?:and|but|so|because|since|now that|given|given that|considering|considering that"
    r"|plus|also|although|though|however|yet|now|actually|no|nah|wait|sorry|oops)\W+$|[,;:]\s+$|[-–—…)]\s+$|\.\.\.\s+$"
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


def forget() -> None:
    """Drop the texts kept for speed: after an erasure none of them stays in memory."""
    _playing.cache_clear()
    _casts.cache_clear()
