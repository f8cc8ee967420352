"""Entities: who or what statements are about, one record for each behind a wall, with all its names.

    what episodes call whom (`names`) + what was set by hand -> whom each name means (`called`) -> records of entities

Whom a name means is a function of the calls of the wall's current episodes and of its acts of merging and splitting:
so it does not matter what came when. Where it changes, the statements under that name are arranged anew, and no others.

An entity rests on the first episode that names it, and on one for each of its other names: an episode, or the act.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from mnemic.changes import Changes, Opening, Values, Wall, fingerprint, made_id
from mnemic.errors import ConflictError, InputError
from mnemic.lookup import latest_of
from mnemic.names import Call, alike, best_spelling, follower, key, meant, role_of, short_forms
from mnemic.records import loads
from mnemic.statements import USER
from mnemic.stores.sqlite import Snapshot
from mnemic.timeline import Claim

ENTITY = "entity"
"""The kind of these records, and the relation of the claims that they rest on."""
_BEHIND = "\U0010ffff"


def naming_print(wall: Wall) -> str:
    """What the acts of merging and splitting behind a wall are found by."""
    return fingerprint((wall.tenant, wall.project, wall.user), "naming")


def entity_print(wall: Wall, about: str) -> str:
    """What the record of an entity is found by."""
    return fingerprint((wall.tenant, wall.project, wall.user), ENTITY, about)


# --- What a wall calls whom -------------------------------------------------------------------------------------------


class WallBook:
    """The calls of a wall (`names.Book`), read as they are asked for; of one transaction."""

    def __init__(self, tx: Snapshot, wall: Wall) -> None:
        self._tx, self._wall = tx, wall
        self._hows: dict[str, dict[str, set[str]]] = {}
        self._others: dict[str, frozenset[tuple[str, str]]] = {}
        self._set: Mapping[str, str] | None = None

    @cached_property
    def acts(self) -> Mapping[str, Values]:
        """The acts in force that say whom a name means, by that name: the last one of each."""
        rows = self._tx.rows(
            "by_fingerprint", wall=self._wall.number, fingerprints=json.dumps([naming_print(self._wall)])
        )
        acts = latest_of(self._tx, [row["id"] for row in rows]).values()
        in_force = [act for act in acts if act["retired_at"] is None and act["erased_by"] is None]
        found: dict[str, Values] = {}
        for act in sorted(in_force, key=lambda act: (act["time"], act["id"])):
            found |= dict.fromkeys(set_by(act), act)
        return found

    @property
    def by_hand(self) -> Mapping[str, str]:
        """Whom names mean as somebody has set it."""
        if self._set is None:
            self._set = {name: set_by(act)[name] for name, act in self.acts.items()}
        return self._set

    def with_set(self, names: Mapping[str, str], *, alone: bool = False) -> WallBook:
        """The book as if these were set, too, or alone."""
        other = WallBook(self._tx, self._wall)
        other._set = {**({} if alone else self.by_hand), **names}
        return other

    def others(self, name: str) -> frozenset[tuple[str, str]]:
        if name not in self._others:
            rows = self._tx.rows("names_others", wall=self._wall.number, name=name)
            self._others[name] = frozenset((row["other"], row["how"]) for row in rows)
        return self._others[name]

    def _spoken(self, name: str) -> dict[str, set[str]]:
        if name not in self._hows:
            found: dict[str, set[str]] = {}
            for row in self._tx.rows("names_hows", wall=self._wall.number, name=name):
                found.setdefault(row["how"], set()).add(row["spelling"])
            self._hows[name] = found
        return self._hows[name]

    def hows(self, name: str) -> frozenset[str]:
        return frozenset(self._spoken(name))

    def spellings(self, name: str) -> set[str]:
        """How a name is spelt: where somebody is spoken of, else where it is said to be another's."""
        spoken = set[str]().union(*self._spoken(name).values())
        rows = self._tx.rows("names_spelt", wall=self._wall.number, name=name) if not spoken else ()
        return spoken or {row["spelling"] for row in rows}

    def meaning(self, other: str) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for row in self._tx.rows("names_meaning", wall=self._wall.number, other=other):
            found.setdefault(row["name"], set()).add(row["how"])
        return {name: frozenset(hows) for name, hows in found.items()}

    def beginning(self, prefix: str) -> Sequence[str]:
        rows = self._tx.rows("names_between", wall=self._wall.number, first=prefix, last=prefix + _BEHIND)
        return [row["name"] for row in rows]

    def covered(self, name: str, other: str) -> bool:
        return self._tx.row("name_uncovered", wall=self._wall.number, name=name, other=other) is None

    def first(self, name: str, other: str = "") -> tuple[int, int] | None:
        """Number and place of the first call of a name (as another one's)."""
        row = self._tx.row("name_first", wall=self._wall.number, name=name, other=other)
        return None if row is None else (row["num"], row["nth"])


def set_by(act: Values) -> dict[str, str]:
    """Whom an act of merging or splitting says that names mean: by name."""
    told: object = loads(act["data"], {}).get("arguments")
    names: object = cast("Mapping[str, object]", told).get("names") if isinstance(told, dict) else None
    pairs = cast("Mapping[object, object]", names).items() if isinstance(names, dict) else ()
    return {name: other for name, other in pairs if isinstance(name, str) and isinstance(other, str)}


# --- Whom its names mean ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Called:
    """Whom a name means."""

    about: str
    """The name that this one is known by, as it is compared …"""
    spelling: str
    """… and as it is written."""
    entity: str | None
    """The id of its record."""


class Naming:
    """Whom the names of a wall mean, now that some of its calls have changed."""

    def __init__(self, tx: Snapshot, wall: Wall, touched: Mapping[str, bool] | None = None) -> None:
        """`touched`: names whose calls have changed, and whether in more than in one more episode that has them."""
        self._tx, self._wall = tx, wall
        self.book = WallBook(tx, wall)
        self._now: dict[str, Called | None] = {}
        self._episodes: dict[int, str] = {}
        self.moved: dict[str, Called | None] = {}
        """Names that mean another one than before, or one whose record is another, and whom they mean now."""
        self.entities: set[str] = set()
        """Those whose records have to be looked at, by the names that they are known by."""
        self._settle(touched or {})

    def of(self, name: str) -> Called | None:
        """Whom a name (a key) means; None where the wall does not have it."""
        if name not in self._now:
            self._now[name] = self._look_up(name)
        return self._now[name]

    def _look_up(self, name: str) -> Called | None:
        book = self.book
        if not book.hows(name) and not book.others(name):
            return None
        about = meant(book, name)
        first = book.first(about)
        spelling = best_spelling(book.spellings(about)) if first is not None else about
        if first is None or (about == USER and not self._has_a_name(name)):
            return Called(about, spelling, None)
        return Called(about, spelling, entity_id(self._episode(first[0]), first[1]))

    def _has_a_name(self, name: str) -> bool:
        """Whether somebody told the user's name: else there is nothing to tell of them."""
        book = self.book
        other = [*book.meaning(USER), *(one for one, of in book.by_hand.items() if of == USER), name]
        return any(one != USER and meant(book, one) == USER for one in other)

    def _episode(self, num: int) -> str:
        if num not in self._episodes:
            rows = self._tx.rows("documents_numbered", wall=self._wall.number, nums=json.dumps([num]))
            self._episodes[num] = rows[-1]["id"]
        return self._episodes[num]

    def _settle(self, touched: Mapping[str, bool]) -> None:
        waiting = sorted(touched)
        seen = set(waiting)
        changed: list[str] = []
        while waiting:
            name = waiting.pop()
            row = self._tx.row("called", wall=self._wall.number, names=json.dumps([name]))
            before = None if row is None else Called(row["about"], row["spelling"], row["entity"])
            now = self.of(name)
            if now != before:
                self.moved[name] = now
            elif not touched.get(name, False) and (now is None or now.about == name) and name not in self.book.by_hand:
                continue
            changed.append(name)
            self.entities |= {name, *(one.about for one in (before, now) if one is not None)}
            # A role is told of everybody who is said to have it.
            self.entities |= {one.about for other, _ in self.book.others(name) if (one := self.of(other))}
            more = set(self._leaning_on(name)) | self.entities
            waiting += sorted(more - seen)
            seen |= more
        # Whoever might be another, but for want of evidence is not, is told so.
        self.entities |= {one.about for name in changed for other in alike(self.book, name) if (one := self.of(other))}

    def _leaning_on(self, name: str) -> Iterable[str]:
        """Names that may mean another one where this one does, or where it is new or gone."""
        yield from self.book.meaning(name)
        yield from (one for one, other in self.book.by_hand.items() if other == name)
        yield from self.book.beginning(f"{name}'s ")
        yield from short_forms(name)
        yield from self._meaning(name)
        role = role_of(name)
        if role is not None:  # "Mel's mother" means Melanie's as soon as there is one
            yield from (f"{whose}'s {role[1]}" for whose in self._meaning(role[0]))

    def _meaning(self, about: str) -> set[str]:
        """The names that mean an entity, as far as is settled."""
        rows = self._tx.rows("called_about", wall=self._wall.number, about=about)
        names = {row["name"] for row in rows if row["name"] not in self.moved}
        return names | {name for name, called in self.moved.items() if called is not None and called.about == about}

    # -- the records

    def names_of(self, about: str) -> list[str]:
        """All names of an entity but the one that it is known by, and the roles in which it is spoken of."""
        names = self._meaning(about)
        roles = {
            role
            for name in {about, *names}
            for role, hows in self.book.meaning(name).items()
            if role_of(role) is not None and "told" in hows
        }
        return sorted((names | roles) - {about, USER})

    def claims_of(self, about: str) -> tuple[list[Claim], dict[str, Values]]:
        """What the record of an entity rests on, the first naming first, and the rows of that; nothing: no record."""
        called = self.of(about)
        if called is None or called.about != about or called.entity is None:
            return [], {}
        first = self.book.first(about)
        assert first is not None
        rests = [first]
        acts: dict[str, Values] = {}
        aliases: list[str] = []
        if (act := self._act_on(about)) is not None:
            acts[act["id"]] = act
        for name in self.names_of(about):
            target = self._other_of(name, about)
            alias = best_spelling(self.book.spellings(name))
            if alias != called.spelling:
                aliases.append(alias)
            if (act := self._act_on(name)) is not None:
                acts[act["id"]] = act
            elif (place := self.book.first(name, target) or self.book.first(name)) is not None:
                rests.append(place)
        text = called.spelling + (f" (also {', '.join(aliases)})" if aliases else "")
        content: Values = {
            "kind": ENTITY,
            "subject": called.spelling,
            "relation": ENTITY,
            "value": called.spelling,
            "text": text,
            "precision": None,
            "aliases": aliases,
            "confidence": 1.0,
            "also": [],
            "data": {},
        }
        places: dict[str, int] = {}
        for num, nth in rests:
            places.setdefault(self._episode(num), nth)
        rows = latest_of(self._tx, list(places)) | acts
        said: int = rows[self._episode(first[0])]["time"]
        claims = [
            Claim(id_, order, 0, 0, "", True, said, source=rows[id_]["source"], nth=nth, content=content)
            for order, (id_, nth) in enumerate([*places.items(), *((act, 0) for act in acts)])
        ]
        return claims, rows

    def _other_of(self, name: str, about: str) -> str:
        """The name that a name is said to be another of."""
        other = follower(self.book, name)
        if other is not None and self.book.first(name, other) is not None:
            return other
        return next((one for one, _ in sorted(self.book.others(name)) if self.means(one, about)), about)

    def means(self, name: str, about: str) -> bool:
        """Whether a name means the one who is known by another."""
        called = self.of(name)
        return called is not None and called.about == about

    def _act_on(self, name: str) -> Values | None:
        """The act that a name's meaning rests on, where it would be another without."""
        if name not in self.book.by_hand:
            return None
        told = follower(self.book.with_set({}, alone=True), name) or name
        return self.book.acts[name] if told != self.book.by_hand[name] else None

    def like(self, about: str) -> set[str]:
        """The ids of the entities that an entity might be, but for want of evidence is not."""
        found = {one.entity for name in alike(self.book, about) if (one := self.of(name)) and one.about != about}
        return {id_ for id_ in found if id_ is not None}


def entity_id(episode: str, nth: int) -> str:
    """The id of an entity's record follows from the first episode that names it, and from which of its names it is."""
    return made_id(episode, "statement", ENTITY, 0, 0, True, nth)


# --- Changed calls ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recall:
    """What changes in what the episodes of a wall call whom."""

    gone: Sequence[Values]
    fresh: Sequence[Values]
    touched: Mapping[str, bool]
    """The names that this is about: see `Naming`."""


def recalled(tx: Snapshot, wall: int, calls: Mapping[int, Sequence[Call]]) -> Recall:
    """From what episodes call whom now, by their numbers, to what changes in what is kept of that."""
    wanted = {
        (one.name, one.other, num): {
            "wall": wall,
            "name": one.name,
            "other": one.other,
            "num": num,
            "how": one.how,
            "nth": nth,
            "spelling": one.spelling,
        }
        for num, some in calls.items()
        for nth, one in enumerate(some)
    }
    rows = tx.rows("names_at", wall=wall, nums=json.dumps(list(calls)))
    held = {(row["name"], row["other"], row["num"]): dict(row) for row in rows}
    gone = [row for place, row in held.items() if place not in wanted]
    fresh = [row for place, row in wanted.items() if held.get(place) != row]
    touched: dict[str, bool] = {}
    for row in (*gone, *fresh):
        one, other = str(row["name"]), str(row["other"])
        for name in (one, other) if other else (one,):
            touched[name] = touched.get(name, False) or bool(other)
    named = {str(row["name"]) for row in (*held.values(), *wanted.values())}
    known = {row["name"] for row in tx.rows("called", wall=wall, names=json.dumps(sorted(named)))}
    return Recall(gone, fresh, touched | dict.fromkeys(named - known, True))


def gone_names(tx: Snapshot, rows: Iterable[Values]) -> dict[int, tuple[set[str], set[str]]]:
    """The names that episodes hold, wall by wall, and those of them that no other episode does."""
    nums: dict[int, set[int]] = {}
    for row in rows:
        if row["kind"] == "episode" and row["num"] is not None:
            nums.setdefault(row["wall"], set()).add(row["num"])
    found: dict[int, tuple[set[str], set[str]]] = {}
    for wall, some in nums.items():
        at = json.dumps(sorted(some))
        held = tx.rows("names_at", wall=wall, nums=at)
        names = {name for row in held for name in (row["name"], row["other"]) if name}
        only = tx.rows("names_only_at", wall=wall, names=json.dumps(sorted(names)), nums=at)
        if names:
            found[wall] = names, {row["name"] for row in only}
    return found


def acts_naming(tx: Snapshot, wall: int, names: Iterable[str]) -> list[str]:
    """The acts of merging and splitting behind a wall that hold one of these names."""
    row = tx.row("wall_by_number", wall=wall)
    wanted = set(names)
    if row is None or not wanted:
        return []
    print_ = naming_print(Wall(wall, row["tenant"], row["project"], row["user"]))
    ids = [one["id"] for one in tx.rows("by_fingerprint", wall=wall, fingerprints=json.dumps([print_]))]
    return [id_ for id_, act in latest_of(tx, ids).items() if wanted & {*set_by(act), *set_by(act).values()}]


# --- By hand ----------------------------------------------------------------------------------------------------------


def merged(
    tx: Snapshot, wall: Wall, rows: Sequence[Values], into: Values, act: Values, arguments: Mapping[str, Any]
) -> Changes:
    """The act of taking entities for one."""
    changes = Changes("merge", wall.tenant)
    names = {_known_by(tx, wall, row): _known_by(tx, wall, into) for row in rows if row["id"] != into["id"]}
    if not names:
        raise InputError("merge() was given one entity only: name the ids of others, and into=… the one they are")
    spelt = ", ".join(row["subject"] for row in rows if row["id"] != into["id"])
    return _acted(changes, wall, act, arguments, names, f"{spelt} is {into['subject']}")


def split(
    tx: Snapshot, wall: Wall, row: Values, names: Sequence[str], act: Values, arguments: Mapping[str, Any]
) -> Changes:
    """The act of giving names of an entity to another one. Raises InputError for a name that it does not have."""
    changes = Changes("split", wall.tenant)
    about = _known_by(tx, wall, row)
    naming = Naming(tx, wall)
    has = [name for name in naming.names_of(about) if naming.means(name, about)]
    leaving = list(dict.fromkeys(map(key, names)))
    for given, name in zip(names, map(key, names), strict=True):
        if name == about:
            raise InputError(f"'{given}' is what the entity is known by: name the others, which are to leave it")
        if name not in has:
            others = ", ".join(repr(one) for one in has)
            raise InputError(f"'{given}' is no name of '{row['subject']}', which has {others or 'no other name'}")
    pinned = dict.fromkeys(leaving, leaving[0])
    staying = _leaving_along(WallBook(tx, wall), pinned, [name for name in has if name not in pinned], about)
    spelt = ", ".join(names)
    return _acted(changes, wall, act, arguments, pinned | staying, f"{spelt} is not {row['subject']}")


def _leaving_along(book: WallBook, pinned: Mapping[str, str], others: Sequence[str], about: str) -> dict[str, str]:
    """Names that were the entity's by way of one that leaves, and stay."""
    after = book.with_set(pinned)
    return {name: about for name in others if meant(after, name) != about}


def _known_by(tx: Snapshot, wall: Wall, row: Values) -> str:
    """The name that an entity's record is about, where it is one that is derived and current."""
    if row["kind"] != ENTITY or row["derivation"] is None:
        raise InputError(f"'{row['id']}' is of kind '{row['kind']}', no derived entity: see list(kinds='entity')")
    if row["wall"] != wall.number:
        raise InputError(f"'{row['id']}' belongs to another scope: entities of one scope only can be taken for one")
    if row["retired_at"] is not None:
        raise ConflictError(f"'{row['id']}' is no entity any more: see list(kinds='entity')", [row["closed_by"]])
    called = tx.row("called_entity", id=row["id"])
    return key(row["subject"]) if called is None else called["about"]  # None: imported, and nothing derived since


def _acted(
    changes: Changes, wall: Wall, act: Values, arguments: Mapping[str, Any], names: Mapping[str, str], reason: str
) -> Changes:
    """The act, which is what the receipt is about, so that an undo takes it back."""
    data = json.dumps({"verb": changes.verb, "arguments": {**arguments, "names": names}}, ensure_ascii=False)
    values = {**act, "data": data, "fingerprint": naming_print(wall)}
    changes.open(Opening(values, "added", reason))
    return changes
