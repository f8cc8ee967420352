"""What somebody means to do: thinks of, hopes, wants, will; without a time, too."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules import phrases
from mnemic.rules.said import Said, reach
from mnemic.rules.talk import Clause, ahead
from mnemic.statements import Statement

_ADVERBS = (
    r"(?: (?:also|still|even|now|just|currently|really|actually|seriously|definitely|probably|already|recently|finally"
    r"|always|lately|likely|only|mainly|mostly|then|so|totally|certainly))*"
)
_AIM = re.compile(
    rf"(?P<who>i|we)(?:(?P<be>'m| am|'re| are|'ve been| have been|'ve{_ADVERBS} been|(?P<was> was| were)){_ADVERBS}"
    rf" (?:(?:thinking (?:of|about)|considering|contemplating|leaning towards?|weighing the pros and cons of"
    rf"|toying with the idea of|looking forward to|planning on) (?:maybe |possibly |perhaps |either "
    rf")?(?P<gerund>(?!(?:some|any|every|no)thing\b)[a-z]+ing)\b"
    rf"|(?:hoping|looking|wanting|meaning|excited|thrilled|aiming|intending|determined|eager|going|planning|set) to "
    rf"(?=[a-z]))"
    rf"|{_ADVERBS} (?:hope|want|plan|intend|need|aim|have|can't wait) to (?=[a-z])"
    rf"|(?:'d| would){_ADVERBS} (?:like|love) to (?=[a-z])"
    rf"|(?:'ll| will|'m gonna){_ADVERBS} (?=[a-z])"
    rf"|(?:'ve| have){_ADVERBS} (?:decided|committed|agreed|chosen) to (?![a-z]+ing\b)(?=[a-z])"
    rf"|(?:'ve| have){_ADVERBS} committed to (?P<gerund2>[a-z]+ing)\b)"
)
_GOAL = re.compile(
    r"(?:my|our) (?:(?:main|ultimate|next|long-term|short-term|big|biggest|only|current|new|personal|overall) )*"
    r"(?:goal|plan|dream|aim|intention|hope|next step|resolution) (?:\w+ ){0,4}?is (?:still |just |simply )?to "
    r"(?=[a-z])"
)
_NO_AIM = re.compile(
    r"(?:be\b|keep (?:on )?(?:going|pushing|working|believing|trying|fighting|chasing|pursuing|reaching|dreaming"
    r"|learning|moving|doing"
    r"|growing|striving|pushing|spreading|supporting|sharing|it|up|at|you)\b|make (?:a difference|some|the most"
    r"|memories|progress|sure)\b"
    r"|give (?:something|back|up)\b|start to\b|commit\b|try to\b|take (?:my|our) (?:chances|time)\b|get [a-z]+ "
    r"(?:going|done|right)\b"
    r"|explore ways\b|aim\b|chase\b|inspire\b|spread\b|believe\b|push\b|work hard\b|know\b|see (?:if|how|what|some"
    r"|more|an?|any|your|it|this|that|whether|them|which|where|who|the (?:full|list|code|results?))\b|understand\b"
    r"|make "
    r"sure\b|ensure\b|find(?: out)?\b|figure\b|get (?:an? (?:idea|sense|feel)|some (?:ideas?|info"
    r"\w*|advice|tips|insights?|help|recommendations?|more)|more|your|back to you|this|that|it|started|better|rid of"
    r"|into"
    r"|the most|used|to)\b|ask\b(?! (?!more\b|you\b|some\b|again\b)[a-z]+ (?:about|if|for)\b)|hear\b|check\b"
    r"|confirm\b|clarify\b|discuss\b|talk\b"
    r"|say\b|tell\b|share\b|thank\b|let\b|give (?:it|this|that|them|you)\b|keep (?:in mind|that|it|this|an eye|these"
    r"|those"
    r"|them|you)\b|have (?:a look|to|fun|some|more|a better|an idea|it|that|this)\b|do (?:it|this|that|so|some|my"
    r"|more)\b"
    r"|look(?: into)? (?:at|for|it|that|those|these|up|through|over|forward|into (?:it|that|those|these|them))\b|look$"
    r"|try (?:it|that|this|those|these|them|to (?:see|find|get|be|keep|do|use|figure|understand))\b|try (?:out "
    r")?(?:it|that|this|your|some of)\b"
    r"|go (?:with|for|over|through|ahead|back to (?:the|that))\b|use (?:this|that|it|these|those|them|your)\b"
    r"|consider\b|think\b"
    r"|need\b|miss\b|mention\b|add\b|include\b|continue\b|follow\b|implement\b|explore (?:more|other|some)\b|provide\b"
    r"|focus\b|work on (?:it|this|that|my)\b|show\b|solve\b|calculate\b|compare\b|determine\b|identify\b|avoid\b"
    r"|improve\b|increase\b|reduce\b|optimi[sz]e\b|maximi[sz]e\b|address\b|handle\b|deal\b|feel\b|admit\b|wait\b"
    r"|remember\b|stick\b"
    r"|agree\b|love\b|like\b|help\b|come up\b|point\b|note\b|request\b|change (?:the|it)\b|fix\b|display\b(?! (?:my"
    r"|some))"
    r"|return (?:a|the)\b|write (?:a|an|code|the|about|this|that|it|up|something)\b|create (?:a|an|the|some)\b"
    r"|generate\b|make (?:it|this|that"
    r"|them|sure|my|the)\b|put (?:it|this|that|them)\b|take (?:a (?:look|closer|moment|break)|it|this|that|into|your"
    r"|care|advantage)\b"
    r"|pass\b|post\b|send\b|learn(?: more)?(?: (?:about|how|what|why)\b|$)|read (?:it|this|that|more)\b|rewrite\b"
    r"|translate\b|replace\b"
    r"|choose\b|pick\b|select\b|set up (?:a|the)\b|convert\b|test\b|run (?:it|this|the|a(?! (?:half |full "
    r")?(?:marathon|race|\d)))\b|extract\b|build (?:a|an"
    r"|the)\b"
    r"|prepare\b|expand\b|sound\b|appear\b|become (?:more|better)\b|balance\b|manage\b|stay\b|maintain\b"
    r"|organi[sz]e (?:it|this|them)\b"
    r"|speak\b|touch\b|start (?:with (?:that|this|the|it|those|your)|by|off|over|incorporating|implementing|using"
    r"|from)\b|respond\b|reply\b"
    r"|prioriti[sz]e (?:that|this|it)\b|update\b|incorporate\b|apply\b|definitely\b|reach out\b(?! to [a-z])"
    r"|wonder\b|assume\b"
    r"|just\b|not\b|never\b|pay\b|live\b|die\b|call it\b|enjoy\b|suggest\b|recommend\b|describe\b|explain\b|decide\b)"
)


def aims(clause: Clause) -> Iterator[Statement]:
    """ "I'm thinking of getting a cat", "I'd love to see Rome", "my goal is to run a marathon"."""
    low, start = clause.low, clause.start
    match = _AIM.match(low, start, clause.stop) or _GOAL.match(low, start, clause.stop)
    if match is None:
        return
    gerund = match.groupdict().get("gerund") or match.groupdict().get("gerund2")
    if match.groupdict().get("was") and not gerund:
        return  # "I was going to" tells what came to nothing
    at = match.end() - len(gerund) if gerund else match.end()
    one = Said(clause, clause.me, True, "", False, False, frozenset(), "", at, at)
    _, stop = reach(one, at)
    stop = at + len(_TO_SEE.sub("", low[at:stop]))
    words = low[at:stop]
    plain = f"{phrases.base(gerund)}{words[len(gerund) :]}" if gerund else words
    if _NO_AIM.match(plain) or " " not in words or words.count(" ") > 22:
        return
    if (
        match.groupdict().get("who") == "we"
        and not clause.sentence.peers
        and not clause.times
        and not _FAMILY.search(words)
    ):
        return  # the "we" of a team's plan
    clause.look_ahead(ahead)
    end = phrases.clear(clause, at, stop)
    if end != stop:
        end = at + len(_LEFT_OVER.sub("", low[at:end]))
        if low[at:end].count(" ") < 2:
            return
    stop = end
    value = phrases.third(clause, at, stop)
    first, _, rest = value.partition(" ")
    if not rest:
        return
    if gerund:
        value = phrases.and_doing(f"{phrases.base(first.lower())} {rest}")
    text = phrases.third(clause, start, stop)
    if _AUX.search(low, start, at) is None:
        text = _UNFORMED.sub(lambda found: f"{found[1]}{phrases.with_s(found[2])} to ", text, count=1)
    told = next((t for t in clause.times if at <= t.start and t.end <= stop and t.last > clause.turn.time), None)
    yield phrases.stated(
        clause,
        "plans",
        value,
        text=text,
        since=told.first if told else None,
        until=told.last if told else None,
        precision=told.precision if told else None,
        confidence=0.7,
    )


_TO_SEE = re.compile(
    r",? (?:to|and) (?:see|know|find out|check|figure out|learn|ask|decide|ask them|wonder|make sure)$"
)
"""What a cut before "if" leaves: "reach out to them to see"."""
_FAMILY = re.compile(
    r"\b(?:move|go camping|get married|buy a house|adopt|visit|camping|hike|hiking|vacation|holiday|trip|honeymoon"
    r"|dinner)\b"
)
_LEFT_OVER = re.compile(r"(?: to [a-z]+| and [a-z]+| due| because| thanks| something| some| ways| more)+$")
"""What a cut leaves without its object: "… to see", "… and share"."""
_AUX = re.compile(r"'(?:m|re|ve|ll|d)\b|\b(?:am|are|have|will|would|is|was|were)\b")
_UNFORMED = re.compile(
    r"^(.{2,40}? (?:(?:also|still|even|now|just|currently|really|actually|definitely|probably) )*)"
    r"(need|want|hope|plan|intend|aim) to "
)
