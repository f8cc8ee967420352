"""A clause taken apart: subject, auxiliaries, verb, and what follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mnemic import dates
from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause, listing
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
    we: bool = False
    aliases: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    many: bool = False
    """Whether the subject is more than one: "my parents"."""

    @property
    def low(self) -> str:
        return self.clause.low

    def after(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.low, self.rest, self.clause.stop)

    def third_mismatch(self, verb: str) -> bool:
        """Whether a verb has not the form that its subject asks for: "my brother live", "I lives"."""
        if self.form or verb in PASTS or verb.endswith(("ed", "ing")) or not verb.isalpha():
            return False
        if self.me or self.we or self.many:
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
        one = stated(self.clause, relation, value, subject=self.subject, **more)  # pyright: ignore[reportArgumentType]
        return replace(one, text=_of_many(one.text, self.subject)) if self.many else one

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
            if low[max(0, told.start - 6) : told.start].endswith("since ") or low[told.start : told.end].startswith(
                "since "
            ):
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


def _of_many(text: str, subject: str) -> str:
    """A text of more than one: "the user's parents live in Leeds"."""
    of = phrases.shown(subject)
    rest = text[len(of) :].split(" ", 2)
    if len(rest) < 2:
        return text
    verb = {"is": "are", "has": "have", "does": "do", "was": "were"}.get(rest[1]) or root(rest[1])
    return f"{text[: len(of)]} {' '.join([verb, *rest[2:]])}"


_SUBJECT_I = re.compile(r"(?:i(?=')|i\b(?![-.&/])|im\b(?= )|ive\b(?= ))")
_SUBJECT_WE = re.compile(
    r"(?:(?:me|my (?:wife|husband|girlfriend|boyfriend|partner|family)|(?:my )?\w+) and (?:i|me)\b"
    r"|we(?=')|we\b(?! (?:all|as|humans|people|men|women|mortals)\b))"
)
_WORD = re.compile(r"\s*(?:('(?:m|re|s|ve|d|ll)\b)|([a-zà-öø-ÿ]+(?:['-][a-zà-öø-ÿ]+)*)|(\d[\d,.]*))")
_BE = frozenset({"am", "is", "are", "'m", "'re", "'s"})
_MODALS = listing(
    "would 'd could should might may must can cannot can't couldn't wouldn't shouldn't mightn't ought wanna wish hope"
)
_SKIP = listing(
    "still now currently also just really actually always usually often recently finally already "
    "only both absolutely totally truly so kinda kind of honestly genuinely simply definitely "
    "certainly"
    " personally mostly mainly typically generally normally regularly sometimes quite very pretty "
    "originally officially presently basically obviously especially particularly completely "
    "proudly happily successfully"
    " sure even then all literally primarily lately long ever since newly deeply strongly sort "
    "secretly frankly once too more much super extremely greatly thoroughly particularly rather"
)
_DETERMINERS = listing(
    "a an the my our two three four five six seven eight nine ten some no one several many this "
    "lots plenty another about over around only"
)


_NO_SUBJECT = re.compile(
    r"(?:(?P<late>just|finally|recently)\s+)?(?:moved (?:to|from|back|into|in|out)|got (?:married|engaged|divorced"
    r"|promoted|laid off|fired|back from|an?\b|my\b)"
    r"|finished|bought|started|graduated|adopted|joined|returned from|turned \d|visited|lost my|quit my|completed"
    r"|passed my|ran an?|won|signed up|launched"
    r"|booked|ordered|planted|sold my|came back from|became an?|switched to|met my|attended)\b"
)


def subject_and_verb(clause: Clause, begin: int | None = None) -> tuple[int, int, bool] | None:
    """Where the subject of a clause ends, if it is the speaker: (start, end, whether "we")."""
    at = clause.start if begin is None else begin
    if (one := _SUBJECT_I.match(clause.low, at, clause.stop)) is not None:
        return at, one.end(), False
    if (one := _SUBJECT_WE.match(clause.low, at, clause.stop)) is not None:
        return at, one.end(), True
    if begin is not None or at - clause.sentence.start > 12:
        return None
    said = _NO_SUBJECT.match(clause.low, at, clause.stop)
    late = said is not None and (said["late"] or clause.low[clause.sentence.start : at].strip(" ,") in _LATELY)
    # "Just moved to Seattle!": a deed just done or with its time; else it may be a heading or a change to a text.
    return (at, at, False) if said is not None and (late or clause.times) else None


_LATELY = ("just", "finally", "recently")


def predicate(
    clause: Clause,
    end: int,
    subject: str,
    *,
    me: bool,
    we: bool = False,
    aliases: tuple[str, ...] = (),
    spans: tuple[tuple[int, int], ...] = (),
    many: bool = False,
) -> Said | None:
    """The auxiliaries and the verb that follow a subject which ends at `end`; None where they say nothing."""
    low, at, form, no, never = clause.low, end, "", False, False
    adverbs: set[str] = set()

    def said(verb: str, start: int, rest: int) -> Said:
        return Said(
            clause, subject, me, form, no, never, frozenset(adverbs), verb, start, rest, we, aliases, spans, many
        )

    if me and not we:
        form = "be" if low[max(0, end - 2) : end] == "im" else "have" if low[max(0, end - 3) : end] == "ive" else ""
    for _ in range(10):
        match = _WORD.match(low, at, clause.stop)
        if match is None:
            return None
        start = match.end() - len(match[0].lstrip())
        word = match[0].strip()
        if word.removesuffix("n't") in _DENIABLE and word.endswith("n't"):
            no, word = True, {"wo": "will"}.get(word[:-3], word[:-3])
        elif word in ("dont", "didnt", "isnt", "havent", "doesnt"):
            no, word = True, word[:-2]
        at = match.end()
        if word in _MODALS:
            form = _modal(low, word, at)
        elif word in _HALF:
            form = "modal"
        elif word == "not":
            no = True
        elif word == "never":
            never = True
        elif word == "no" and low.startswith(" longer", at):
            no, at = True, at + len(" longer")
            adverbs.add("no longer")
        elif word == "used" and low.startswith(" to ", at):
            if form == "be":
                return None  # "I'm used to it"
            form, at = "used", at + len(" to")
        elif word in _BE:
            if word in ("'s", "is") and me and not we:
                return None
            form = "be"
        elif word in ("was", "were"):
            form = "was"
        elif word in ("have", "'ve", "has") and form in ("", "do", "did", "used", "will", "going"):
            after = _after(low, at, clause.stop)
            if after == "to":
                return None
            if word != "'ve" and (form or _opens_thing(after)):
                return said("have", start, at)
            form = "have"
        elif word == "had" and form == "":
            after = _after(low, at, clause.stop)
            if after.split("'")[0] in _DETERMINERS or after[:1].isdigit():
                return said("had", start, at)
            form = "had"
        elif word in ("do", "does") and form == "":
            if not no and _after(low, at, clause.stop) not in _EMPHASISED:
                return said(word, start, at)
            form = "do"
        elif word == "did" and form == "":
            if not no and _after(low, at, clause.stop) in ("", *_DETERMINERS):
                return said(word, start, at)
            form = "did"
        elif word in ("will", "'ll", "shall"):
            form = "will"
        elif word == "been" and form == "have":
            form = "have been"
        elif word == "going" and form == "be" and low.startswith(" to ", at):
            form, at = "going", at + len(" to")
        elif word == "gonna" and form in ("be", ""):
            form = "going"
        elif word in _SKIP:
            adverbs.add(word)
        else:
            return said(word, start, at)
    return None


_DENIABLE = listing("do does did is are was were have has had wo")
_HALF = listing(
    "almost nearly barely hardly rarely seldom scarcely supposedly probably maybe perhaps possibly likely apparently"
)
"""Adverbs with which it is not so, or not sure."""
_EMPHASISED = listing("have like love not enjoy live work prefer really")


def _modal(low: str, word: str, at: int) -> str:
    """ "can't" tells a dislike or a habit ("can't stand"), "can" an ability; the others only what may be."""
    if word in ("can't", "cannot") or (word == "can" and low.startswith(" not ", at)):
        return "can't"
    return "can" if word == "can" else "modal"


def _after(low: str, at: int, stop: int) -> str:
    """The next word."""
    match = _WORD.match(low, at, stop)
    return "" if match is None else match[0].strip()


def _opens_thing(after: str) -> bool:
    """Whether what follows "have" is a thing, not a participle: "have a dog", "have asthma"."""
    if not after or after in _SKIP or after in ("never", "not"):
        return False
    return after.split("'")[0] in _DETERMINERS or after[0].isdigit() or not PARTICIPLE.fullmatch(after)


PARTICIPLE = re.compile(
    r"[a-z-]{2,20}ed|been|got|gotten|had|done|gone|made|taken|found|bought|felt|told|said|given"
    r"|left|begun|won|lost|run|written|spent|brought|thought|kept|held|heard|known|sold|stood"
    r"|fallen|flown|driven|eaten|slept|sent"
    r"|built|caught|taught|chosen|broken|spoken|worn|grown|drawn|thrown|swum|sung|ridden|led"
    r"|fought|forgotten|understood|become|come|seen|met|read|put|set|cut|quit|hit|paid|grown|taken"
    r"|shown|dealt|learnt|hurt|let|beaten|bet|dug|drunk|fed|hung|laid|lit|meant|paid|rung|risen"
    r"|shot|split|spread|stuck|struck|swept|woken|wound|forgiven|hidden|bitten|upgraded|been|sworn"
    r"|torn|blown"
)
_THIRD = listing(
    "lives works studies loves likes hates enjoys prefers speaks has goes comes owns runs attends plans adores dislikes"
)
Rule = Callable[[Said], Iterator[Statement]]


def pattern(words: str) -> re.Pattern[str]:
    return re.compile(words.replace(" ", r"\s+"))


def end_of(one: Said) -> int:
    """Where the predicate ends, its times included."""
    return reach(one, one.at)[1]


def root(verb: str) -> str:
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


PASTS = listing(
    "went came saw met took found bought gave left began started won lost ran wrote spent brought "
    "sold fell flew drove ate slept built caught taught chose broke spoke woke wore grew drew "
    "threw swam sang rode rose led fought became did made got had held signed read joined "
    "finished"
    " completed visited attended moved graduated adopted ordered returned received hosted "
    "celebrated played watched cooked baked hiked traveled travelled painted published launched "
    "submitted passed failed booked tried picked planted repaired fixed cleaned organized "
    "organised volunteered performed presented interviewed applied"
    " registered enrolled upgraded installed renewed cancelled canceled switched replaced "
    "purchased injured hurt sprained donated learned learnt ended quit resigned retired married "
    "proposed delivered recorded released photographed camped kayaked surfed skied swam climbed "
    "raced competed trained practiced practised invited helped took"
    " dropped walked cycled biked jogged stayed flew landed arrived saw heard set put cut built "
    "decorated renovated assembled discovered created designed developed entered earned raised "
    "rented checked tested collected dined shopped talked called spoke drove celebrated"
)
_REACH_CUT = re.compile(
    r"[;!?()\[\]*]|:(?=\s|$)|(?<!(?<!')\b[a-z])(?<!\b(?:dr|mr|ms|st|vs))(?<!\bmrs)\.(?=\s|$|\.)|,(?!\d{3}\b"
    r"| (?:\d{4}\b|[a-z]+ \d))|\s[-–—]+(?=\s)|—|…|\n"
    r"|[\U0001f300-\U0001faff\u2600-\u27bf]|\s(?:and (?:i|i'm|i've|i'd|i'll|we|it|it's|he|she|they"
    r"|my|that|that's|then|now|there|you|your|this|am|is|are|would|want|need|was|were|can|will|the"
    r"|honestly|what|let me|have|had|got|a few|also|just|really|absolutely|so|am|found|realized"
    r"|realised|felt|loved|learned|thought|decided|noticed|it'll|even|am)\b"
    r"|but\b|because\b|'cause\b|cuz\b|so\b(?! far)|which\b|although\b|though\b|while\b|where\b|as "
    r"(?:i|we|it|they|he|she|my|well|part)\b|since (?:i|it|we|they|he|she)\b|when\b|whenever\b"
    r"|before (?:i|we|it)\b|after (?:i|we|it)\b|that (?:i|was|were|is|are|made|we|really|has|had"
    r"|it)\b|if\b|who\b|until (?:i|we|it)\b|lol\b|haha\b|thanks\b|btw\b|like\b (?:i|you)|since "
    r"then|for the first time ever)"
)


def reach(one: Said, start: int) -> tuple[int, int]:
    """From `start` to the next joint of the sentence, its times within."""
    stop = one.clause.stop
    if (cut := _REACH_CUT.search(one.low, start, stop)) is not None:
        inside = next((t for t in one.clause.times if t.start < cut.start() < t.end), None)
        stop = cut.start()
        if inside is not None:
            again = _REACH_CUT.search(one.low, inside.end, one.clause.stop)
            stop = again.start() if again else one.clause.stop
    trimmed = re.sub(
        r"(?:\s(?:too|as well|though|again|already|lol|either|now|and|to|for|in|on|at|with|of|the|a|my"
        r"|by|that|just|also|really|is|even)|[\s,'’])+$",
        "",
        one.low[start:stop],
    )
    return start, start + len(trimmed)
