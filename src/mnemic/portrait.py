"""Who somebody is: the profile of a wall's user, and the present state of a subject. Pure.

    profile     what is so of the user: facts, people, preferences, goals, how to answer; and how they write
    state       what is so of one subject

Both say each statement in its own words, with since when; nothing is put together from several. A goal with a date is
a commitment, and stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from mnemic import text
from mnemic.statements import USER, relation, relations
from mnemic.views import PROFILE, STATE, Episode, Fact, Made, day_of, standing, subject_key

EACH = 20
"""Statements of a section at most: the steady ones, then the latest."""
LEAST = 2
"""Statements of a subject from which on it has a state."""
TURNS = 200
"""The latest turns of the user by which their names and their style are known."""
_MEASURED = 10
"""Turns from which on there is a style."""
_STYLES = ((8, "short"), (40, "middling"), (10**9, "long"))
"""How long a message is that has at most so many words."""
_UNSURE = 0.6
_SECTIONS = (
    ("About", ("fact", "decision")),
    ("People", ("relationship",)),
    ("Preferences", ("preference",)),
    ("Goals", ("goal",)),
    ("How to answer", ("instruction",)),
)
_STATE = ("fact", "decision", "relationship", "preference", "goal")
_CITED = 3
"""Episodes that are cited for a statement at most."""


def names_of(turns: Iterable[Episode]) -> tuple[str, ...]:
    """What the user of a wall is called: `USER`, and the names under which they speak, as keys of subjects."""
    names = {subject_key(turn.speaker) for turn in turns if turn.role == "user" and turn.speaker}
    return (USER, *sorted(names - {USER}))


def profile(facts: Sequence[Fact], turns: Sequence[Episode]) -> Made | None:
    """The profile of a wall's user, of the facts about them and their latest turns; None where nothing is known."""
    sections = [(title, _chosen(facts, kinds)) for title, kinds in _SECTIONS]
    shown = [fact for _, chosen in sections for fact in chosen]
    if not shown:
        return None
    lines: list[str] = []
    for title, chosen in sections:
        lines += [f"{title}:", *map(line_of, chosen)] if chosen else []
    style = _style(turns)
    if style is not None:
        lines.append(f"Style: writes {style['messages']} messages.")
    data: dict[str, Any] = {"facts": [plain(fact) for fact in shown]}
    return _made(PROFILE, "profile", lines, shown, data if style is None else {**data, "style": style})


def state(key: str, facts: Sequence[Fact]) -> Made | None:
    """What is so of a subject; None where too little is known. The facts are those of the key's subject."""
    shown = _chosen(facts, _STATE)
    if len(shown) < LEAST:
        return None
    subject = shown[0].subject
    lines = [f"{subject}:", *map(line_of, shown)]
    return _made(key, "state", lines, shown, {"facts": [plain(fact) for fact in shown]}, subject)


def subject_of(key: str) -> str:
    """Whose state has this key, as subjects are compared."""
    return key.removeprefix(STATE)


def line_of(fact: Fact) -> str:
    """A fact as a line of a view."""
    said: list[str] = []
    if fact.begins is not None:
        said.append(f"{'from' if fact.begins > fact.told else 'since'} {day_of(fact.begins, fact.precision)}")
    else:
        said.append(f"said {day_of(fact.said)}")
    if fact.ends is not None:
        said.append(f"until {day_of(fact.ends, fact.precision)}")
    if fact.confidence is not None and fact.confidence < _UNSURE:
        said.append("unsure")
    if fact.contradicts:
        said.append("contradicted")
    return f"- {fact.text} ({', '.join(said)})"


def plain(fact: Fact) -> dict[str, Any]:
    """A fact as JSON."""
    found: dict[str, Any] = {"id": fact.id, "kind": fact.kind, "text": fact.text, "said": day_of(fact.said)}
    if fact.relation:
        found["relation"] = fact.relation
    if fact.begins is not None:
        found["since"] = day_of(fact.begins, fact.precision)
    if fact.ends is not None:
        found["until"] = day_of(fact.ends, fact.precision)
    if fact.confidence is not None:
        found["confidence"] = fact.confidence
    if fact.contradicts:
        found["contradicts"] = list(fact.contradicts)
    return found | {"evidence": list(fact.evidence[:_CITED])}


def evidence_of(facts: Iterable[Fact]) -> tuple[str, ...]:
    """What facts rest on: the first evidence of each, then more of each."""
    facts = list(facts)
    return tuple(dict.fromkeys(one for nth in range(_CITED) for fact in facts for one in fact.evidence[nth : nth + 1]))


def _chosen(facts: Iterable[Fact], kinds: Sequence[str]) -> list[Fact]:
    """What stands of these kinds, each once: what is steady first, then what was said last."""
    now = [
        fact for fact in standing(facts) if fact.kind in kinds and not (fact.kind == "goal" and fact.begins is not None)
    ]
    ids = {fact.id for fact in now}
    found: dict[str, Fact] = {}
    for fact in sorted(now, key=_order):
        against = tuple(id_ for id_ in fact.contradicts if id_ in ids)
        found.setdefault(fact.text, replace(fact, contradicts=against))
    return list(found.values())[:EACH]


def _order(fact: Fact) -> tuple[int, int, str, str]:
    name = fact.relation.partition(":")[0]
    steady = list(relations()).index(name) if name in relations() and relation(name).single else len(relations())
    return steady, -fact.said, fact.text, fact.id


def _style(turns: Sequence[Episode]) -> Mapping[str, Any] | None:
    """How the user writes, as far as it can be measured."""
    lengths = [len(text.words(turn.text)) for turn in turns if turn.role == "user"]
    if len(lengths) < _MEASURED:
        return None
    middle = median(lengths)
    return {"messages": next(name for most, name in _STYLES if middle <= most)}


def _made(
    key: str,
    kind: str,
    lines: Sequence[str],
    shown: Sequence[Fact],
    data: Mapping[str, Any],
    subject: str | None = None,
) -> Made:
    sure = [fact.confidence for fact in shown if fact.confidence is not None]
    return Made(
        key,
        kind,
        "\n".join(lines),
        evidence_of(shown),
        subject=subject,
        confidence=min(sure, default=None),
        time=max(fact.told for fact in shown),
        data=data,
    )
