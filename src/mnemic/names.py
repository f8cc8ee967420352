"""Names: as they are compared, what episodes call whom, and which names mean the same one. Pure.

    call      an episode speaks of somebody under a name, or says that a name is another one of somebody
    book      the calls of a wall, as far as they are asked for
    meant     from a name to the name of whom it means

Two people are never taken for one by a guess. A name means another one's only where that was *told* ("my sister
Catherine, we call her Kate"), set by *hand*, or is *near*: somebody is addressed by a short form of his name, or called
by the first name right after the whole one, and nobody else fits. Where two fit, it means neither. What is said of
somebody by a role ("Ana's mother") means the one of this name only in roles that one person has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from mnemic.statements import USER, Statement, Turn, folded
from mnemic.types import trust

NOBODY = "-"
"""Whom a role means that somebody no longer has: it is not known who has it now."""

How = Literal["about", "self", "named", "told", "own", "near", "speaks", "rival"]
"""A statement is about it; its speaker's own; it is only named · told of another; of oneself; likely; the user's name
as a speaker; a role that may have passed to this one."""


@dataclass(frozen=True, slots=True)
class Call:
    """What an episode calls somebody."""

    name: str
    """As it is compared: `key`."""
    spelling: str
    how: How
    other: str = ""
    """'' where the episode speaks of somebody under this name; else the key of another name of whom it means."""


@dataclass(frozen=True, slots=True)
class Told:
    """That two names are one's, as words tell it."""

    turn: str
    """The id of the turn."""
    name: str
    of: str
    """The fuller name."""
    near: bool = False
    """Whether it is only likely: a short form by which somebody is addressed, a first name after the whole one."""


# --- Names as they are compared ---------------------------------------------------------------------------------------

_ROLES = {
    **dict.fromkeys(("mom", "mum", "mommy", "mama", "mamma", "ma"), "mother"),
    **dict.fromkeys(("dad", "daddy", "papa"), "father"),
    **dict.fromkeys(("granny", "nana", "grandmother"), "grandma"),
    "grandfather": "grandpa",
    "sis": "sister",
    "bro": "brother",
    "auntie": "aunt",
    "coworker": "co-worker",
}
"""Words for the same role."""
ALONE = frozenset(["mother", "father", "wife", "husband"])
"""Roles that one person has at a time."""
SPOUSES = frozenset(["wife", "husband"])
_OF = re.compile(r"(?P<whose>.+)'s (?P<role>[^']+)")


def key(name: str) -> str:
    """A name as it is compared with others."""
    plain = folded(name.replace("’", "'"))
    found = _OF.fullmatch(plain)
    return plain if found is None else f"{found['whose']}'s {_ROLES.get(found['role'], found['role'])}"


def role_of(name: str) -> tuple[str, str] | None:
    """Whose and what, of a key such as "ana's mother"; None for a name."""
    found = _OF.fullmatch(name)
    return None if found is None else (found["whose"], found["role"])


def best_spelling(spellings: Iterable[str]) -> str:
    """One of several, the same in whatever order they come: neither small nor shouted."""
    return min(spellings, key=lambda one: (one.islower() or one.isupper(), one))


_SHORT = {
    "alex": "alexander alexandra alexandre alejandro",
    "andy": "andrew andreas",
    "beth": "elizabeth bethany",
    "bill": "william",
    "bob": "robert",
    "cathy": "catherine",
    "chris": "christopher christine christina christian",
    "dick": "richard",
    "gabe": "gabriel",
    "jack": "john",
    "jake": "jacob",
    "jen": "jennifer",
    "jenny": "jennifer",
    "jim": "james",
    "joe": "joseph",
    "kate": "katherine catherine kathryn katarina",
    "kathy": "katherine kathryn",
    "liz": "elizabeth",
    "maggie": "margaret",
    "meg": "margaret megan",
    "mike": "michael",
    "nick": "nicholas",
    "peggy": "margaret",
    "tony": "anthony antonio",
    "will": "william",
}


def shortens(name: str, full: str) -> bool:
    """Whether a name (a key) may be the short form of a first name: "mel" of "melanie", "kate" of "catherine"."""
    first = full.split()[0] if full.split() else ""
    if " " in name or name == first or not name.isalpha():
        return False
    return (len(name) >= 3 and first.startswith(name)) or first in _SHORT.get(name, "").split()


# --- From what is said to calls ---------------------------------------------------------------------------------------


def calls_of(turn: Turn, statements: Sequence[Statement], told: Sequence[Told] = ()) -> list[Call]:
    """What a turn calls whom: by its statements, and by what it tells of names."""
    found: dict[tuple[str, str], Call] = {}
    by = key(turn.speaker or USER)
    believed = trust(turn.source) <= trust("assistant")

    def take(name: str, how: How, other: str = "") -> None:
        one = Call(key(name), " ".join(name.split()), how, other)
        held = found.get((one.name, other))
        if one.name and one.name != other and (held is None or (held.how == "named" and not other)):
            found[one.name, other] = one

    for statement in statements:
        subject = key(statement.subject)
        take(statement.subject, "self" if subject == by else "about")
        if subject == by and turn.speaker is not None and turn.role == USER:
            take(USER, "speaks", subject)
        if not believed:
            continue
        for alias in statement.aliases if statement.holds or statement.relation != "name" else ():
            if role_of(subject) is not None and role_of(key(alias)) is None:  # "Ana's sister is called Clara"
                take(alias, "named")
                take(statement.subject, "told", key(alias))
            else:
                take(alias, "own" if subject == by else "told", subject)
        for name, other, how in _roles(statement):
            if other != NOBODY:
                take(statement.value, "named")
            take(name, how, other)
    for one in told if believed else ():
        if not one.near:
            take(one.of, "named")
        take(one.name, "near" if one.near else "own" if key(one.of) == by else "told", key(one.of))
    return list(found.values())


def _roles(statement: Statement) -> Iterator[tuple[str, str, How]]:
    """Roles that a statement tells of, and who has them: "Ana's sister is Clara"."""
    name, _, noun = statement.relation.partition(":")
    if statement.kind != "relationship":
        return
    named = statement.value[:1].isupper() and key(statement.value) != key(statement.subject)
    for one in sorted({noun, *(SPOUSES if name == "partner" else ())} - {""}):
        role = f"{statement.subject}'s {one}"
        if not statement.holds:
            yield role, NOBODY, "told"
        elif named:  # whoever is somebody's partner now may be the wife who is spoken of later
            yield role, key(statement.value), "told" if one == noun else "rival"


def told_apart(statement: Statement) -> Statement:
    """A statement about somebody of the same name as the one whose son he is: "Tom's son" then, not "Tom"."""
    for alias in statement.aliases:
        role = role_of(key(alias))
        if role is not None and role[0] == key(statement.subject):
            others = tuple(other for other in statement.aliases if other != alias)
            return replace(statement, subject=alias, aliases=others)
    return statement


# --- Whom a name means ------------------------------------------------------------------------------------------------


class Book(Protocol):
    """What a wall's episodes call whom; all names are keys."""

    @property
    def by_hand(self) -> Mapping[str, str]:
        """Names that somebody has set to mean another one's, or nobody's but their own."""
        ...

    def others(self, name: str) -> frozenset[tuple[str, str]]:
        """Whom else a name is said to mean: (other, how)."""
        ...

    def hows(self, name: str) -> frozenset[str]:
        """How the wall speaks under a name."""
        ...

    def meaning(self, other: str) -> Mapping[str, frozenset[str]]:
        """What somebody is said to be called, too: how, by name."""
        ...

    def beginning(self, prefix: str) -> Sequence[str]:
        """The names in use that begin so."""
        ...

    def covered(self, name: str, other: str) -> bool:
        """Whether every episode that states something of a name tells that it means the other."""
        ...


def meant(book: Book, name: str) -> str:
    """The name of whom a name means, both as keys: itself where it is nobody else's."""
    return _meant(book, name, frozenset())


def _meant(book: Book, name: str, passed: frozenset[str]) -> str:
    """The same, where names that were `passed` on the way here mean nobody else."""
    path = [name]
    while path[-1] not in passed and (other := _next(book, path[-1], passed)) is not None:
        if other in path:
            return _first_of(path[path.index(other) :])
        path.append(other)
    return path[-1]


def _first_of(circle: Sequence[str]) -> str:
    """The name that those are known by who are each said to be another's: the fullest."""
    return min(circle, key=lambda one: (one == USER, -len(one), one))


def follower(book: Book, name: str) -> str | None:
    """The name that a name is said to be another of, on the way to whom it means."""
    return _next(book, name, frozenset())


def _next(book: Book, name: str, passed: frozenset[str]) -> str | None:
    """The one name that a name is said to be another of; None where it is none, or might be of several."""
    if name in book.by_hand:
        other = book.by_hand[name]
        return other if other != name and book.hows(other) else None
    hows = book.hows(name)
    said: dict[str, set[str]] = {}
    for other, how in book.others(name):
        if "self" not in hows or how in ("own", "speaks"):  # who speaks for themselves is not whom others call so
            said.setdefault(how, set()).add(other)
    role = role_of(name)
    if role is not None and role[1] not in ALONE:
        said = {}
    told = set[str]().union(*(said.get(how, ()) for how in ("told", "own", "speaks")))
    told = {other for other in told if not _is_kin(book, name, other) and not _is_kin(book, other, name)}
    if told:
        return _only(book, name, told | said.get("rival", set()), passed)
    if role is not None:
        whose = _meant(book, role[0], passed | {name})
        other = f"{whose}'s {role[1]}"
        return other if whose != role[0] and book.hows(other) else None
    near = {other for other in said.get("near", ()) if _is_near(book, name, other)}
    return near.pop() if len(near) == 1 and len(said.get("near", ())) == 1 else None


def _is_kin(book: Book, name: str, whose: str) -> bool:
    """Whether a name is that of somebody's sister, son, friend: so it is not their own, though they share it."""
    roles = (role_of(one) for one, hows in book.meaning(name).items() if "told" in hows)
    return any(role is not None and role[0] == whose for role in roles)


def _only(book: Book, name: str, others: set[str], passed: frozenset[str]) -> str | None:
    """Of several names the first, where all mean one."""
    others = {other for other in others if other == NOBODY or book.hows(other)}
    if len(others) < 2:
        return next(iter(others - {NOBODY}), None)
    passed |= {name}
    ends: dict[str, str] = {}
    for other in sorted(others):
        end = other
        seen = set(passed)
        while end not in seen and (after := _next(book, end, frozenset(seen))) is not None:
            seen.add(end)
            end = after
        if end not in passed:
            ends.setdefault(end, other)
    return next(iter(ends.values())) if len(ends) == 1 and NOBODY not in ends else None


def _is_near(book: Book, name: str, other: str) -> bool:
    """Whether a short or first name means the only one whom it fits."""
    described = {one for one, hows in book.meaning(name).items() if "near" not in hows}
    if not book.hows(other) or not described <= set(book.meaning(other)):
        return False
    if other.startswith(f"{name} "):
        return len(book.beginning(f"{name} ")) == 1 and book.covered(name, other)
    fitting = {one for full in (name, *_SHORT.get(name, "").split()) for one in book.beginning(full)}
    fitting = {one for one in fitting if role_of(one) is None and shortens(name, one)}
    return "self" in book.hows(other) and fitting == {other}


def short_forms(name: str) -> list[str]:
    """Names that may mean somebody of this name for short: his first name, and what it is shortened to."""
    first = name.split()[0] if name.split() else ""
    found = [first] if first != name else []
    found += [first[:length] for length in range(3, len(first))]
    return found + [short for short, full in _SHORT.items() if first in full.split()]


def alike(book: Book, name: str) -> Iterator[str]:
    """Names that might, but for want of evidence do not, mean the same: who is called by his first name or in full."""
    if role_of(name) is not None:
        return
    first, _, rest = name.partition(" ")
    if rest and book.hows(first):
        yield first
    if not rest:
        yield from (one for one in book.beginning(f"{name} ") if role_of(one) is None)
