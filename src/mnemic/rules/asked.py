"""What the user asks of a memory or an assistant: to remember, to forget, to answer in French."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules import phrases
from mnemic.rules.phrases import stated
from mnemic.rules.talk import Clause, Sentence, listing
from mnemic.statements import Statement

_POLITE = re.compile(
    r"(?:(?:and|also|but|so|oh|ok|okay|well|actually|hey|hi|please|pls|plz|just|then|btw|by the "
    r"way|no|yes|thanks|one more thing|great|i (?:want|need|would like) you to|i'd like you to"
    r"|from now on|going forward|in (?:the )?future|for "
    r"future reference|for the future|moving forward|henceforth|as a rule)[,:.]?\s+)*"
)
_REMEMBER = re.compile(
    r"(?:remember|don't forget|do not forget|note|keep in mind|make a note|bear in mind|take note"
    r"|for future reference,? (?:remember|note)|save|store|memori[sz]e|write down)(?:,| for (?:me"
    r"|later|next time),?)?(?P<that>:| that:?|,)?\s+(?=\S)"
)
_REMEMBERED = re.compile(
    r"(?:my|i|i'm|i've|our|we|we're|the|it's|that|there|[a-z][\w']+(?: [a-z][\w']+){0,3}? (?:is"
    r"|are|was|has|have|lives?|works?|likes?|loves?|hates?|prefers?))\b"
)
_FORGET = re.compile(
    r"(?:forget|delete|erase|remove|wipe|drop|don't remember|do not remember|stop "
    r"remembering)\s+(?:(?P<about>about|that|what i (?:said|told you|mentioned)(?: (?:earlier"
    r"|before))? about|everything(?: (?:you know|i (?:said|told you|mentioned)))? about|anything "
    r"about|all about|the fact that)\s+)?(?=\S)(?P<what>my |our |that |me\b|everything|all |the |i "
    r"|about me|i'm |i've |where i (?:live|work)\b|how old i am\b|when i was born\b)"
)
_FORGET_BAD = re.compile(
    r"(?:that one|that idea|that part|that line|that for now|that and|that for a|the (?:last|first"
    r"|second|previous|line|row|column|word|sentence|paragraph|part|extra|duplicate|comma|bug"
    r"|error|code|file|idea|plan|one|other|rest|time|salt|sugar)|all (?:the|of that|of this|that)"
    r"|everything else|(?:the|that|i|everything)$|my (?:last|previous) (?:message|question|request)|my "
    r"(?:code|file|function|class|changes))\b"
)
_PERSONAL = re.compile(r"\b(?:my|me|i|i'm|i've|our)\b")

_LASTING = re.compile(
    r"\b(?:from now on|going forward|in (?:the )?future|always|never|every time|whenever|moving "
    r"forward|henceforth|for all (?:future )?(?:answers|replies|responses)|in all (?:your "
    r")?(?:answers|replies|responses)|for the rest of|from here on|each time)\b"
)
_ALWAYS = re.compile(r"(?:always|never)\s+(?P<verb>[a-z]+)\b")
_ORDERS = listing(
    "answer respond reply use call address write speak talk give include add explain start end "
    "keep make show ask tell provide format mention suggest recommend assume remember say be "
    "begin list cite check quote avoid send put translate convert respond confirm offer refer "
    "sign return output treat consider share greet apologize apologise round spell stop do let "
    "remind"
)
_DONT = re.compile(r"(?:don't|do not|dont|stop|avoid|quit|no more)\s+(?P<verb>[a-z]+)\b(?P<rest>[^.!?\n]{0,120})")
_STYLE = re.compile(
    r"\b(?:bullet points?|bullets|emojis?|jargon|markdown|tables?|code blocks?|headings?|headers?"
    r"|lists|slang|exclamation (?:marks?|points?)|acronyms|abbreviations|bold|italics|disclaimers?"
    r"|caps|all caps|em dash(?:es)?|semicolons|filler|fluff|clich[eé]s|puns|jokes|metaphors"
    r"|analogies|hashtags|latex|html|technical terms|swear words|long (?:answers|responses|replies"
    r"|paragraphs)|my (?:full|first|last|real) name|formal language|imperial units|metric units"
    r"|preamble|pleasantries|flattery)\b"
)
_DONT_ALWAYS = re.compile(
    r"(?:don't|do not|dont|stop|avoid|quit)\s+(?:(?:ever\s+)?(?:call(?:ing)? me\b|apologi[sz](?:e"
    r"|ing)\b|sugarcoat(?:ing)?\b|lectur(?:e|ing) me\b|patroni[sz](?:e|ing) me\b|repeat(?:ing)? "
    r"(?:my question|yourself|back)|remind(?:ing)? me (?:that you|you're)|us(?:e|ing) my\b))"
)
_DONT_AGAIN = re.compile(
    r"(?:don't|do not|dont|never) (?:mention|bring up|ask|suggest|recommend|use|say|talk about|remind)\b[^.!?\n]{2,80}?"
    r" (?:again|anymore|any more|ever)$"
)
_IN_LANGUAGE = re.compile(
    r"(?:please )?(?:answer|respond|reply|speak|talk|write|communicate)(?: to me| with me| me| "
    r"back)? (?:only |exclusively |always )?in (?P<language>english|spanish|french|german|italian"
    r"|portuguese|dutch|swedish|russian|arabic|hindi|mandarin|chinese|japanese|korean|turkish"
    r"|polish|greek|simple english|plain english|british english|american english)\b"
)
_KEEP = re.compile(
    r"(?:please )?(?:keep|make) (?:all )?(?:your|the) (?:answers|replies|responses|messages"
    r"|explanations) (?:\w+ ){0,3}?(?:short|brief|concise|simple|formal|informal|casual|under \d+ "
    r"\w+|to \w+ \w+|detailed|friendly|professional|direct|short and \w+)\b"
)
_USE = re.compile(
    r"(?:please )?use (?:the )?(?:metric|imperial|celsius|fahrenheit|british spelling|american "
    r"spelling|uk spelling|us spelling|24-hour|12-hour|iso dates?|plain (?:english|language|text)"
    r"|simple (?:english|language|words)|kilomet\w+|miles)\b"
)
_CALL_ME = re.compile(
    r"(?:you (?:can|may) |please |just |everyone calls me|)\s*call me (?:by my (?:nickname|name),? )?(?=\S)"
)
_CALL_BAD = re.compile(
    r"(?:back|later|tomorrow|today|when|if|at|on|a|an|the|crazy|old|whatever|maybe|anytime|any"
    r"|tonight|after|before|in|now|again|up|out|by|sometime|weird|biased|paranoid|stupid|naive"
    r"|something|anything|ishmael|mad|lazy|about)\b"
)


def asked(sentence: Sentence, clause: Clause) -> Iterator[Statement]:
    """What one clause asks for; nothing where people talk with each other."""
    low, stop = sentence.low, clause.stop
    start = clause.start
    polite = _POLITE.match(low, start, stop)
    at = polite.end() if polite else start
    if at >= stop:
        return
    whole = Clause(sentence, sentence.start, sentence.stop)
    lasting = _LASTING.search(low, sentence.start, sentence.stop) is not None
    if (called := _CALL_ME.match(low, at, stop)) is not None and not _CALL_BAD.match(low, called.end(), stop):
        found = phrases.name(clause, called.end())
        if found is not None and re.match(
            r"\s*(?:[.,!)]|$|please|instead|from|for short|and|\(|-)", low[found[1] : stop]
        ):
            name = clause.text[found[0] : found[1]]
            yield stated(clause, "name", name, aliases=(name,), spans=((at, found[1]),))
            yield _instruction(whole if lasting else clause, at if not lasting else sentence.start, found[1], at)
        return
    if (match := _REMEMBER.match(low, at, stop)) is not None:
        yield from _told(sentence, match)
        return
    if (match := _FORGET.match(low, at, stop)) is not None and not sentence.low.startswith("don't", at):
        yield from _forgets(clause, match)
        return
    if (match := _FORGET_DONT.match(low, at, stop)) is not None:
        yield from _forgets(clause, match)
        return
    end = _order_end(clause, at)
    front = _FRONT.match(low, sentence.start, at + 1) is not None or low.startswith(_FRONTS, sentence.start)
    if (order := _ALWAYS.match(low, at, stop)) is not None:
        if order["verb"] in _ORDERS and _to_assistant(low, at, end):
            yield _instruction(clause, at, end, at)
        return
    verb = re.compile(r"[a-z']+").match(low, at, stop)
    if front and verb is not None and (verb[0] in _ORDERS or _DONT.match(low, at, stop)):
        yield _instruction(clause, at, end, at)
        return
    if (
        _DONT_ALWAYS.match(low, at, stop)
        or _DONT_AGAIN.match(low, at, end)
        or (
            (dont := _DONT.match(low, at, stop)) is not None
            and dont["verb"] in ("use", "using", "include", "including", "add", "adding", "write", "writing")
            and _STYLE.search(dont["rest"])
        )
        or _IN_LANGUAGE.match(low, at, stop)
        or _KEEP.match(low, at, stop)
        or _USE.match(low, at, stop)
    ):
        yield _instruction(clause, at, end, at)


_FORGET_DONT = re.compile(
    r"(?:please )?(?P<about>)(?:don't|do not) (?:remember|store|save|keep) (?P<what>my |our |anything about me|that )"
)
_FRONTS = (
    "from now on",
    "going forward",
    "in future",
    "in the future",
    "moving forward",
    "whenever",
    "every time",
    "for future",
    "henceforth",
    "please always",
    "please never",
)
_FRONT = re.compile(
    r"(?:(?:and|also|please|so|ok|okay|hey)[, ]+)*(?:from now on|going forward|in (?:the )?future"
    r"|moving forward|henceforth|for future reference)\b"
)


def _order_end(clause: Clause, at: int) -> int:
    cut = re.compile(
        r",? (?:ok|okay|thanks|thank you|because|since|but i|and i|so i|can you|could "
        r"you)\b"
    ).search(clause.low, at, clause.sentence.stop)
    end = cut.start() if cut else clause.sentence.stop
    return at + len(clause.low[at:end].rstrip(" ,.!"))


def _to_assistant(low: str, at: int, end: int) -> bool:
    """Whether "always …" orders, and tells no proverb: "never say never", "always be yourself"."""
    words = low[at:end]
    return (
        re.search(
            r"say never|be yourself|never mind|never forget where|always be (?:kind|closing|prepared"
            r"|yourself|careful|there)|give up|let (?:me|us|them|anyone) go",
            words,
        )
        is None
        and words.count(" ") >= 2
    )


def _instruction(clause: Clause, start: int, end: int, at: int) -> Statement:
    end = max(end, at + 1)
    lead = _LEAD_WORDS.match(clause.low, start, end)
    begin = lead.end() if lead else start
    words = phrases.third(clause, begin, end)
    return stated(clause, "instructed", words, text=words, spans=((start, end),))


_LEAD_WORDS = re.compile(r"(?:(?:and|also|but|so|oh|ok|okay|well|please|pls|just|hey)[, ]+)*")


_TALKED = re.compile(
    r"(?:we|i|our \w+) (?:talked|discussed|said|agreed|need|still|were|have to|want|decided"
    r"|mentioned|told|asked|wrote|should|will|can)\b"
)


def _told(sentence: Sentence, match: re.Match[str]) -> Iterator[Statement]:
    low = sentence.low
    end = sentence.stop
    content = low[match.end() : end]
    if re.match(
        r"(?:to|when|how|the time|those|these|me|last|what|why|where|who|if|the (?:good|days|last"
        r"|first|old)|it|this|him|her|them|you|us|each|every|everyone|all)\b",
        content,
    ) or not _REMEMBERED.match(content):
        return
    if match[0].split()[0] in ("save", "store", "write", "make", "take", "note") and not match["that"]:
        return
    if not re.search(
        r"\b(?:is|are|was|am|has|have|had|i'm|i've|it's|we're|'s|lives?|works?|likes?|loves?|hates?"
        r"|prefers?|want|need|use|can't|don't|moved|born|starts?|ends?|goes|go|eat|never|always)\b",
        content,
    ):
        return
    if re.search(r"\b(?:you|your|you're)\b", content):
        return
    if _TALKED.match(content):
        return
    if not _PERSONAL.search(content) and not (
        match["that"]
        and re.match(r"the (?:[\w'-]+ ){1,4}(?:is|are) (?:\S* )?\S*\d", sentence.turn.text[match.end() : end])
    ):
        return
    clause = Clause(sentence, sentence.start, end)
    words = phrases.third(clause, match.end(), end).rstrip(" .,!")
    words = re.sub(r",? (?:please|ok|okay|thanks|thank the user)$", "", words)
    yield stated(clause, "told", words, text=words, spans=((match.start(), end),))


def _forgets(clause: Clause, match: re.Match[str]) -> Iterator[Statement]:
    low = clause.low
    at = match.start("what")
    found = phrases.thing(clause, at, 12)
    if found is None:
        return
    if _SAYS.match(low, *found):
        end = _JOINT.search(low, found[1], clause.stop)
        found = (found[0], found[1] + len(low[found[1] : end.start() if end else clause.stop].rstrip(" .!")))
    words = low[found[0] : found[1]]
    if _UNMEANT.search(low, clause.sentence.start, clause.sentence.whole) or _TELLING.match(words):
        return
    if words.startswith(("where", "how", "when")) and not _OVER.fullmatch(low, found[1], clause.sentence.whole):
        return
    if (
        not _PERSONAL.search(words) and not (match["about"] or "").startswith(("what i", "everything", "anything"))
    ) or _FORGET_BAD.match(words):
        return
    if low[match.start() : match.start() + 6] in (
        "delete",
        "remove",
        "drop m",
        "drop t",
        "drop a",
        "wipe m",
    ) and not _MEMORY.search(words):
        return
    value = phrases.third(clause, *found)
    value = re.sub(r"^(?:that|about)\s+", "", value)
    value = re.sub(r" from (?:your |the )?(?:memory|records|notes)$", "", value)
    if value == phrases.shown(clause.me):
        value = phrases.third(clause, match.start() + len(match[0].split()[0]) + 1, found[1])
    value = value.replace(" evers ", " ever ")
    text = phrases.third(clause, match.start(), found[1]).replace(" evers ", " ever ")
    yield stated(clause, "forget", value, text=text, spans=((match.start(), found[1]),))


_SAYS = re.compile(
    r"(?:that )?(?:i|i'm|i've|i'd|we|we're)\b|(?:that )?(?:my|our) (?:[\w'-]+ ){1,3}?(?:is|was|are|were|has)\b"
)
"""A statement, where a thing has no verb; times belong to it."""
_JOINT = re.compile(r"[,;:]| (?:and|but|so|because|since|please|ok|okay|thanks)\b")
_TELLING = re.compile(r"(?:that )?i (?:ever )?(?:said|told|mentioned|asked|wrote|brought|meant)\b(?! (?:you )?about)")
_OVER = re.compile(r"(?:[\s,.!]|please|thanks|thank you|now|ok)*")
_UNMEANT = re.compile(
    r"\b(?:for (?:a|one|the|this|just)?\s?(?:second|moment|minute|sec|bit|while|now|sake|exercise|argument)"
    r"|imagine|suppose|pretend|assume|let's|let us|instead focus|hypothetical\w*|for the purposes?"
    r"|in this (?:story|scene|scenario|game))\b"
)
"""What is to be left aside for once is not to be forgotten."""
_MEMORY = re.compile(
    r"\b(?:address|phone|number|e-?mail|name|birthday|age|job|data|information|info|memory"
    r"|memories|password|history|details|diagnosis|salary|location|everything|ex|diet|allergy"
    r"|profile|preference|preferences|about me)\b"
)
