"""What somebody is, has, does, likes and did: the rules by the verb of a clause.

The verb names the rules that look at what follows it. A rule says what the words say and no more, and says nothing
where it is not sure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules.deeds import PLANNING, been, did, goes_on, grew, habit, learns, never, plans, stops
from mnemic.rules.home import born, comes, comes_from, i_am, lives, moved, named, turned, years
from mnemic.rules.people import dates_someone, parts, speaks, status, weds
from mnemic.rules.said import Rule, Said, predicate
from mnemic.rules.talk import listing
from mnemic.rules.tastes import HATES, LIKES, allergic, diet, fan, likes, prefers, stands
from mnemic.rules.things import gets, gives_up, has
from mnemic.rules.work import attends, drops_out, had_job, has_job, leaves_work, pursues, starts_work, studies, works
from mnemic.statements import Statement

_TABLE: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("live lives living lived reside resides resided residing based settled located", (lives,)),
    ("moved relocated emigrated immigrated moving relocating move relocate", (moved,)),
    ("from", (comes_from,)),
    ("come comes", (comes,)),
    ("born", (born,)),
    ("turned turning turn be", (turned,)),
    ("called named go goes", (named,)),
    ("study studies studying major majors majoring", (studies,)),
    ("doing pursuing getting completing finishing", (pursues,)),
    ("attend attends attending enrolled go goes", (attends,)),
    ("work works working worked employed", (works,)),
    ("started starting began joined joining got landed accepted took found hired promoted", (starts_work,)),
    ("quit left lost resigned fired laid let retired got", (leaves_work,)),
    (" ".join(sorted(LIKES | HATES)), (likes,)),
    ("stand bear abide tolerate eat", (stands,)),
    ("prefer prefers", (prefers,)),
    ("went became gone become turned eat eats", (diet,)),
    ("allergic", (allergic,)),
    ("have has own owns got had owned", (has,)),
    ("bought got adopted purchased", (gets,)),
    ("sold lost gave given donated got traded", (gives_up,)),
    ("speak speaks fluent", (speaks,)),
    ("grew", (grew,)),
    ("to", (been,)),
    ("be", (had_job,)),
    ("dropped", (drops_out,)),
    ("broke broken split separated divorced got", (parts,)),
    ("got", (weds,)),
    ("dating", (dates_someone,)),
    ("stopped quit gave given", (stops,)),
    ("learning training taking", (learns,)),
)
_RULES: dict[str, tuple[Rule, ...]] = {
    verb: tuple(rule for verbs, rules in _TABLE for rule in rules if verb in verbs.split())
    for verb in {verb for verbs, _ in _TABLE for verb in verbs.split()}
}
_OF_BEING: tuple[Rule, ...] = (years, i_am, has_job, fan, diet, status)
"""What "I'm …" may say whatever word follows."""


def verbs(one: Said) -> Iterator[Statement]:
    """What a clause says by its verbs: the first, and others of the same subject after "and"."""
    yield from _verb(one)
    if one.no or one.never or one.form not in ("", "be") or one.we or not (one.verb in _STATES or one.verb.isdigit()):
        return
    for joint in _JOINT.finditer(one.low, one.rest, one.clause.stop):
        if _TO_DO.search(one.low, one.rest, joint.start()):
            return
        again = predicate(one.clause, joint.end() - 1, one.subject, me=one.me, aliases=one.aliases, spans=one.spans)
        if again is not None and one.form == "be" and again.verb in _GOING_ON:
            again.form = "be"
            yield from _verb(again)
        elif again is not None and again.form == "" and not again.third_mismatch(again.verb):
            yield from _verb(again)


_GOING_ON = frozenset({"living", "working", "based", "studying", "from"})
_HEDGES = frozenset({"kind", "kinda", "sort", "basically"})
_STATES = listing(
    "live lives living based work works working study studies studying have has love loves like "
    "likes hate hates enjoy enjoys moved own owns speak speaks a an from"
)
_JOINT = re.compile(
    r",?\s+(?:and|but)\s+(?=(?:now |also |currently |recently |just |don't |doesn't )*(?:works?"
    r"|lives?|stud(?:y|ies)|ha(?:ve|s) (?:an?|two|three|four)|loves?|hates?|enjoys?|moved|speaks?"
    r"|owns?|prefers?|likes?|runs?|plays?|living in|working (?:as|at|for)|based in|studying|from)\s)"
)
_TO_DO = re.compile(r"\b(?:to|can|could|would|will|might|let|make|makes|help|helps|who|that|which)\b")


def _verb(one: Said) -> Iterator[Statement]:
    if one.form == "modal" or one.adverbs & _HEDGES:
        return
    found = False
    for rule in _RULES.get(one.verb, ()):
        for statement in rule(one):
            found = True
            yield statement
    if one.form in ("be", "have been"):
        for rule in _OF_BEING:
            for statement in rule(one):
                found = True
                yield statement
    if one.never or (one.no and one.form in ("have", "have been")):
        yield from never(one)
    elif one.form in ("be", "going", "will") or one.verb in PLANNING:
        for statement in plans(one):
            found = True
            yield statement
    elif one.form in ("", "have"):
        yield from did(one)
    if one.form in ("", "do") and not found:
        yield from habit(one)
    if not found:
        yield from goes_on(one)
